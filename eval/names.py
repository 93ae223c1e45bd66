"""What categories and metrics are called, what they mean in plain words, and how their values are printed."""

CATEGORIES = {
    "keyword": "关键词",
    "list": "列举",
    "colloquial": "口语",
    "partial": "只有一部分答案",
    "multi_part": "一题几问",
    "formal": "公文用语",
    "follow_up": "接着问",
    "contradiction": "说法矛盾",
    "conflict": "各份资料说法不同",
    "eligibility": "申报条件",
    "numeric": "数字",
    "english": "英文",
    "comparison": "比较",
    "typo": "错字",
    "wording": "换说法",
    "date_validity": "日期和时效",
    "false_premise": "前提有误",
    "false_premise_absent": "前提有误，资料没有",
    "unanswerable": "资料没有",
    "unanswerable_near_miss": "资料差一点",
    "unanswerable_english": "英文，资料没有",
    "unanswerable_injection": "夹带指令",
    "unanswerable_offscope": "不归它管",
    "unanswerable_follow_up": "接着问，资料没有",
    "time_now_in_force": "现行与失效",
    "time_may_apply": "还能不能申报",
    "time_past": "过去的某一天",
    "time_draft": "征求意见稿",
    "time_published_later": "后来才发布的",
    "time_target_vs_result": "目标与实际",
    "time_target_or_result": "目标还是实际",
    "time_still_valid": "是否还有效",
    "time_deadline": "截止日期",
    "time_over_gave": "已经结束的",
    "time_period": "年份和时期",
    "time_old_or_new": "旧版与新版",
    "feedback": "来自反馈",
}
COMPONENTS = {"lexical": "词法查找", "dense": "向量查找", "rerank": "重排", "validity": "时效检查"}
SETTINGS = {
    "commit": "程序",
    "python": "Python",
    "as_of": "截至日期",
    "testset": "测试集的内容",
    "file": "测试集",
    "count": "题数",
    "generation": "索引",
    "documents": "资料份数",
    "passages": "段落数",
    "embedding": "向量模型",
    "embedding_model": "向量模型设置",
    "embedding_query_prompt": "向量模型的问句前缀",
    "reranker_model": "重排模型",
    "chat_model": "大模型",
    "without": "停用",
}


def category_name(key: str) -> str:
    """Return a category's Chinese name, or the category itself where it has none."""
    return CATEGORIES.get(key, key)


COLUMNS = {
    "questions": "题数", "recall@1": "召回@1", "recall@5": "召回@5", "recall@10": "召回@10", "mrr": "MRR", "ndcg@10": "nDCG@10",
    "all_facts": "要点全对", "facts": "要点", "number_facts": "数字要点", "false_refusals": "误拒", "false_answers": "误答",
    "citation_recall": "引文召回", "citation_precision": "引文精确", "valid_citations": "引文有效", "figures_supported": "数字有据",
    "validity_errors": "时效错误", "forbidden": "不该说的", "values_shown": "各值并列", "consistency": "换说法一致",
    "mean_risk": "平均风险", "calibration_error": "校准误差", "length_chars": "字数", "latency_p50_ms": "P50毫秒",
    "latency_p95_ms": "P95毫秒", "answer_p95_ms": "检索后P95毫秒",
}  # fmt: skip
PLAIN = {
    "all_facts": "资料能回答的题里，作了回答、要点一条不缺的比例",
    "facts": "这些题的全部要点里，回答说到的比例",
    "number_facts": "含数字的要点里，回答说到的比例",
    "false_refusals": "资料能回答，却说没有的比例；越低越好",
    "false_answers": "资料不能回答，却作了回答的比例；越低越好",
    "citation_recall": "回答的各句里，所引的原文足以支持的比例",
    "citation_precision": "各条引文里，不多余的比例",
    "valid_citations": "引文与资料原文逐字相同的比例",
    "figures_supported": "作了回答的题里，每个数字、日期、文号都在引文里的比例",
    "validity_errors": "把失效的、征求意见的或只是目标的，当作现行规定或结果而没有注明的次数；越少越好",
    "forbidden": "说了不该说的话、引了不该引的资料的次数；越少越好",
    "values_shown": "各份资料说法不同时，把各个说法连同日期和出处都列出的比例",
    "consistency": "换几种说法问同一件事，要么都对、要么都错的比例",
    "recall@1": "查到的第一份资料就是含答案的，这样的题的比例",
    "recall@5": "查到的前 5 份资料里有含答案的，这样的题的比例",
    "recall@10": "查到的前 10 份资料里有含答案的，这样的题的比例",
    "mrr": "含答案的资料排得多靠前：第一名计 1，第二名计 1/2，依此类推，没有查到计 0，取平均",
    "ndcg@10": "前 10 份资料的次序有多好，最好是 1",
    "mean_risk": "从最有把握的回答起逐题放行，其中答错的平均比例；越低越好",
    "calibration_error": "程序估计的把握与实际答对的比例差多少；越低越好",
    "length_chars": "回答平均多少字",
    "latency_p50_ms": "一半的题在这么多毫秒内答完",
    "latency_p95_ms": "95% 的题在这么多毫秒内答完",
    "answer_p95_ms": "查到资料以后，95% 的题在这么多毫秒内写好并核对完",
}
GROUPS = {
    "回答": ("questions", "all_facts", "facts", "number_facts", "false_refusals", "false_answers", "length_chars"),
    "引文和时效": ("citation_recall", "citation_precision", "valid_citations", "figures_supported", "validity_errors", "forbidden", "values_shown", "consistency"),
    "查找": ("recall@1", "recall@5", "recall@10", "mrr", "ndcg@10"),
    "把握和用时": ("mean_risk", "calibration_error", "latency_p50_ms", "latency_p95_ms", "answer_p95_ms"),
}  # fmt: skip
COUNTS = ("questions", "validity_errors", "forbidden")
SCORES = ("mrr", "ndcg@10", "mean_risk", "calibration_error")  # no shares of anything


def as_percent(key: str, value: float | None) -> str:
    """Return a metric's value as a reader without statistics takes it: shares in percent."""
    plain = value is None or key in COUNTS or key in SCORES or key == "length_chars" or key.endswith("_ms")
    return shown(key, value) if plain or value is None else f"{value:.1%}"


def shown(key: str, value: float | int | None) -> str:
    """Return a metric's value as it is printed in a table of figures; – where there is none."""
    if value is None:
        return "–"
    if key in COUNTS:
        return str(value)
    return f"{value:.1f}" if key == "length_chars" or key.endswith("_ms") else f"{value:.3f}"
