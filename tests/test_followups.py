"""What is suggested next: whole questions that the documents answer on that day, and that nobody asked yet."""

from collections.abc import Sequence
from datetime import date

import pytest
from conftest import CORPUS, TODAY

from assistant.followups import CONFIDENCE, MOST, follow_ups
from assistant.pipeline import Assistant
from assistant.retrieve import Filters

IN_FORCE = Filters(date(2024, 6, 1))  # while the tiny corpus's grant was
WHO = "谁能报?企业有什么条件?"
GRANT = "测试区特色园区扶持办法"


def suggested(assistant: Assistant, question: str, filters: Filters, asked: Sequence[str] = ()) -> list[str]:
    return follow_ups(assistant, assistant.ask(question, (), filters), filters, (question, *asked), lambda: False)


@pytest.mark.skipif(not (CORPUS / "documents").exists(), reason="the corpus is not in this checkout")
@pytest.mark.parametrize(
    "question", ["联影小镇的“五个一”是什么", "氢能港的规划范围有多大？", "智造空间全市首批多少个优质项目？"]
)
def test_what_is_suggested_stands_alone_and_has_an_answer(jiading: Assistant, question: str) -> None:
    shown = {one.text for one in jiading.ask(question, (), TODAY).statements}
    found = suggested(jiading, question, TODAY)
    assert 0 < len(found) <= MOST and question not in found
    for one in found:
        answer = jiading.ask(one, (), TODAY)
        assert answer.status == "answered" and answer.confidence >= CONFIDENCE
        assert not shown.issuperset(statement.text for statement in answer.statements)  # it tells something new


def test_nothing_is_suggested_that_was_asked(small: Assistant) -> None:
    assert suggested(small, WHO, IN_FORCE) == [f"{GRANT}最高支持多少？"]
    assert suggested(small, WHO, IN_FORCE, [f"{GRANT}最高支持多少?"]) == []


def test_what_has_run_out_is_not_offered_as_if_it_paid(small: Assistant) -> None:
    assert not any("最高支持" in one for one in suggested(small, WHO, TODAY))


def test_an_answer_that_is_not_sure_enough_is_not_offered(small: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = suggested(small, WHO, IN_FORCE)
    sure = small.ask(one, (), IN_FORCE).confidence
    monkeypatch.setattr("assistant.followups.CONFIDENCE", sure)
    assert suggested(small, WHO, IN_FORCE) == [one]
    monkeypatch.setattr("assistant.followups.CONFIDENCE", sure + 0.01)
    assert suggested(small, WHO, IN_FORCE) == []


def test_an_abstention_suggests_nothing(small: Assistant) -> None:
    assert suggested(small, "月球基地的规划面积多大?", TODAY) == []


def test_who_waits_goes_first(small: Assistant) -> None:
    answer = small.ask(WHO, (), IN_FORCE)
    assert follow_ups(small, answer, IN_FORCE, (), lambda: True) == []
