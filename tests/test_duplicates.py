import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.duplicates import HASHES, Pair, candidates, near_duplicates, sameness, signature
from eval.duplicates import read_cases, score

POLICY = """关于开展2024年度嘉定区绿色工厂申报工作的通知
各街镇、有关单位：
为推进工业绿色低碳发展，引导企业实施节能改造，现就2024年度区级绿色工厂申报事项通知如下。
一、申报条件
在本区注册并依法纳税，近三年内没有发生安全、环保事故，单位产品能耗低于行业平均水平10%的规模以上工业企业。
二、支持标准
对评定为区级绿色工厂的企业，一次性奖励20万元；获得市级称号的，奖励30万元，就高不重复。
三、申报方式
企业于4月15日前登录区企业服务平台提交申请表、能耗报告和信用承诺书，由所在街镇初审后报区经委。
嘉定区经济委员会
2024年3月6日"""
SENTENCES = [sentence for sentence in re.split("(?<=[。；])", POLICY.replace("\n", "")) if sentence]
PARAGRAPHS = st.lists(
    st.sampled_from([*SENTENCES, "另行通知。", "请各单位认真组织，按时完成。"]), min_size=1, max_size=12
)
TEXTS = PARAGRAPHS.map("".join)
WIDE = {ord(c): ord(c) + 0xFEE0 for c in "0123456789"}
NARROW = str.maketrans("，。；：", ",.;:")


def paired(a: str, b: str) -> bool:
    return bool(near_duplicates([("a", a), ("b", b)]))


@given(TEXTS, TEXTS)
def test_sameness_is_symmetric(a: str, b: str) -> None:
    assert sameness(a, b) == sameness(b, a)


@given(st.lists(TEXTS, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_the_documents_does_not_matter(texts: list[str], chance: object) -> None:
    documents = [(f"d{number}", text) for number, text in enumerate(texts)]
    shuffled = documents[:]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert near_duplicates(documents) == near_duplicates(shuffled)


@given(TEXTS)
def test_equal_texts_are_always_found(text: str) -> None:
    assert near_duplicates([("b", text), ("a", text), ("c", text)]) == [Pair("a", "b", 1.0), Pair("a", "c", 1.0)]


@given(TEXTS)
def test_width_and_punctuation_change_nothing(text: str) -> None:
    assert sameness(text, text.translate(WIDE)) == 1
    assert sameness(text, text.translate(NARROW)) == 1
    assert np.array_equal(signature(text), signature(text.translate(WIDE).translate(NARROW)))


@given(PARAGRAPHS, st.integers(0), st.sampled_from("0123456789"), st.booleans())
def test_a_changed_figure_is_never_folded(sentences: list[str], place: int, digit: str, inserted: bool) -> None:
    text = POLICY + "".join(sentences)
    places = [match.start() for match in re.finditer(r"\d", text)]
    at = places[place % len(places)]
    changed = text[:at] + digit + text[at + (0 if inserted else 1) :]
    assert changed == text or not paired(text, changed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2024", "2023"),  # the series' notice of another year
        ("嘉定区", "青浦区"),  # another district's
        ("关于开展", "关于取消"),  # another decision
        ("的通知\n", "的通知（征求意见稿）\n"),  # a draft
        ("20万元", "20亿元"),  # another unit
        ("没有发生", "发生"),  # a negation
        ("低于行业", "高于行业"),  # the other direction
        ("区经委。", "区科委。"),  # another office
        ("，就高不重复", ""),  # a condition left out
        ("嘉定区经济委员会\n", "本通知的奖励不得与其他政策重复。\n嘉定区经济委员会\n"),  # a rule added
    ],
)
def test_another_document_of_the_kind_is_not_folded(old: str, new: str) -> None:
    assert old in POLICY
    assert not paired(POLICY, POLICY.replace(old, new))


@pytest.mark.parametrize(
    "copy",
    [
        POLICY.split("\n", 1)[1],  # without the title
        "嘉定区绿色工厂申报开始了\n" + POLICY.split("\n", 1)[1],  # another title
        "首页 > 通知公告\n发布日期：2024-03-08　来源：区经委　浏览次数：311\n" + POLICY,  # a header
        POLICY + "\n【打印本页】【关闭窗口】\n责任编辑：周敏",  # a footer
        POLICY + "\n主办单位：嘉定区人民政府办公室　沪ICP备05001234号",  # the site's line
        POLICY.replace("\n", "\n\n　　"),  # spaces
        POLICY.replace("区", "區").replace("业", "業"),  # traditional characters
        POLICY.replace("申报事项通知", "申报的有关事项通知"),  # a word edited
    ],
)
def test_a_copy_from_another_site_is_folded(copy: str) -> None:
    assert paired(POLICY, copy)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("申报截止日期\n2024-05-20", "申报截止日期\n2024-06-20"),  # a deadline on a line of its own is no stamp
        ("资金来源：区财政", "资金来源：市财政"),  # no source line
        ("审核：区经委", "审核：区科委"),  # no editor
        ("活动主办单位：区科委，5月6日", "活动主办单位：区科委，5月9日"),  # no site's line
    ],
)
def test_what_looks_like_a_sites_line_is_kept(a: str, b: str) -> None:
    assert not paired(f"{POLICY}\n{a}", f"{POLICY}\n{b}")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (POLICY, POLICY + "\n有效期至2026年12月31日"),  # a figure that only one has
        ("1月申报通知\n11月评审\n1月受理\n" + POLICY, "11月申报通知\n11月评审\n1月受理\n" + POLICY),  # both have each
    ],
)
def test_a_figure_more_or_less_is_a_difference(a: str, b: str) -> None:
    assert sameness(a, b) == 0


@pytest.mark.parametrize("place", range(8, 60, 4))
def test_a_negation_anywhere_in_the_first_sentences_is_a_difference(place: int) -> None:
    text = POLICY.split("\n", 2)[2].replace("\n", "")
    assert sameness(text, text[:place] + "不" + text[place:]) == 0


def test_two_days_of_a_dateline_are_two_reports() -> None:
    report = POLICY.split("\n", 2)[2]
    assert paired("新华社上海3月7日电 " + report, "（记者 王林）" + report)
    assert not paired("新华社上海3月7日电 " + report, "新华社上海3月8日电 " + report)


def test_short_texts_are_the_same_only_if_equal() -> None:
    assert not paired("请各单位按时报送材料，联系人见附件。", "请各单位按时报送有关材料，联系人见附件。")


def test_an_empty_text_is_the_same_as_none() -> None:
    assert near_duplicates([("a", ""), ("b", "。"), ("c", "")]) == []
    assert sameness("", "") == 0


def test_a_new_document_finds_its_copy_among_stored_signatures() -> None:
    texts = [POLICY.replace("2024", str(year)) for year in range(2015, 2025)]
    stored = np.array([signature(text) for text in texts])
    assert stored.shape == (10, HASHES + 1)
    assert stored.dtype == np.uint32
    assert candidates(signature(texts[3] + "\n责任编辑：周敏"), stored).tolist() == [3]
    assert candidates(signature("别的"), stored).tolist() == []
    assert candidates(signature(POLICY), stored[:0]).tolist() == []


@pytest.mark.parametrize("split", ["dev", "test"])
def test_no_pair_of_alike_documents_in_the_test_set_is_folded(split: str) -> None:
    right, found, same = score([case for case in read_cases() if case["split"] == split])
    assert right == found
    assert right >= 0.6 * same
