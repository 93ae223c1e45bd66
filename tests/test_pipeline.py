"""What a user is told, on the shipped corpus as of a fixed day."""

import json

import pytest
from conftest import TODAY
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.pipeline import Assistant
from assistant.schema import Answer, Turn
from assistant.verify import stands, unsupported
from eval.run import TESTSET, read_testset

BRIEFING = "01-press-briefing-20230822-parks"


def ask(assistant: Assistant, question: str, history: tuple[Turn, ...] = ()) -> Answer:
    return assistant.ask(question, history, TODAY)


def said(answer: Answer) -> str:
    return "\n".join(statement.text for statement in answer.statements)


@pytest.mark.parametrize(
    ("question", "facts", "cited"),
    [
        ("嘉定有几家特色产业园区，市级区级各几家？", ["19家", "3家市级", "16家区级"], BRIEFING),
        ("去年总营收多少", ["5000亿元", "2022年度"], BRIEFING),
        ("三港两园", ["氢能港", "新能港", "创新港", "智能汽车软件园", "汽车芯谷"], "20-policy-jiading-icv-action-plan-2023-2025"),
        ("七个一指什么", ["产业规划", "空间规划", "运营团队", "公共服务平台", "集中服务中心", "产业专项基金", "园区专项政策"], BRIEFING),
        ("2+2+1", ["未来智能", "未来能源", "未来材料", "未来健康", "未来空间"], "31-policy-jiading-high-quality-34-2024"),
        ("16条政策支持什么", ["园区转型", "企业高质量发展", "首次认定", "管理团队", "技改"], BRIEFING),
    ],
)  # fmt: skip
def test_the_press_briefing_is_answered(jiading: Assistant, question: str, facts: list[str], cited: str) -> None:
    answer = ask(jiading, question)
    assert [fact for fact in facts if fact not in said(answer)] == []
    assert cited in {citation.document_id for s in answer.statements for citation in s.citations}


def test_every_answer_stands_on_its_citations(jiading: Assistant) -> None:
    """For each development question: quotes at their offsets, figures in cited spans, notices where they must be."""
    for question in read_testset(TESTSET):
        answer = ask(jiading, question.question, question.history)
        noticed = {notice.document_id for notice in answer.notices if notice.document_id}
        for statement in answer.statements:
            assert statement.citations and not unsupported(statement), question.id
            for citation in statement.citations:
                document = jiading.index.document(citation.document_id)
                assert stands(citation, document), question.id
                if document.metadata.status in ("draft", "expired", "superseded"):
                    assert document.id in noticed, question.id
        assert json.loads(json.dumps(answer.to_dict()))["status"] == answer.status


def test_an_abstention_names_the_nearest_documents_and_nothing_else(jiading: Assistant) -> None:
    answer = ask(jiading, "嘉定区宠物医院开办补贴多少钱？")
    assert answer.status == "abstained" and not answer.statements
    (notice,) = [notice for notice in answer.notices if notice.kind == "not_found"]
    assert notice.text.startswith("资料中没有") and f"《{answer.hits[0].document.title}》" in notice.text


def test_an_unknown_amount_is_said_in_the_corpus_own_words(jiading: Assistant) -> None:
    answer = ask(jiading, "园区首次认定奖励金额是多少？")
    assert any("未见" in n.text or "没有给出" in n.text for n in answer.notices) or "没有给出" in said(answer)
    assert "万元" not in said(answer)


def test_nothing_published_after_the_day_is_used(jiading: Assistant) -> None:
    from datetime import date

    from assistant.retrieve import Filters

    answer = jiading.ask("三港两园是哪几个？", filters=Filters(date(2021, 1, 1)))
    assert answer.as_of == date(2021, 1, 1)
    assert all(hit.document.metadata.published <= "2021" for hit in answer.hits)


def test_a_follow_up_is_read_with_what_came_before(jiading: Assistant) -> None:
    history = (Turn("user", "虹桥新慧总部湾占地多少亩？"), Turn("assistant", "280亩。"))
    assert "23家" in said(ask(jiading, "那规划入驻多少家企业？", history))


def test_a_name_misspelt_by_sound_is_mended_and_said(jiading: Assistant) -> None:
    answer = ask(jiading, "联影小阵面积多大？")
    assert "9.5平方公里" in said(answer)
    assert any(notice.kind == "corrected" and "联影小镇" in notice.text for notice in answer.notices)


def test_an_answer_tells_where_it_comes_from(jiading: Assistant) -> None:
    answer = ask(jiading, "氢能港规划面积多大？")
    assert answer.generation == jiading.index.manifest.generation
    assert {"condense", "retrieve", "compose", "verify", "total"} <= answer.timings_ms.keys()
    assert 0 <= answer.confidence <= 1


@pytest.mark.parametrize("question", ["", " ", "？", "的", "嘉定" * 1000, "😀", "'; DROP TABLE documents; --", "\x00\x1b[31m", "[0]"])
def test_odd_questions_are_questions(jiading: Assistant, question: str) -> None:
    assert isinstance(ask(jiading, question), Answer)


@settings(max_examples=40, deadline=None)
@given(st.text("嘉定园区奖励多少2023年，。？和“”（）[0]a1 ", max_size=30))
def test_any_text_gets_an_answer(jiading: Assistant, question: str) -> None:
    assert isinstance(ask(jiading, question), Answer)
