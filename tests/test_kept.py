"""What a browser keeps comes back as it was shown, and whatever else comes back harms nothing."""

import json
from typing import Any

import pytest
from conftest import TODAY
from hypothesis import given
from hypothesis import strategies as st

from assistant.conversation import Conversation, restore
from assistant.desk import MAX_BODY
from assistant.index import Index
from assistant.kept import MAX_BYTES, MOST, kept, restored
from assistant.pipeline import Assistant
from assistant.viewer import AnswerView

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20), lambda one: st.lists(one) | st.dictionaries(st.text(max_size=9), one)
)  # fmt: skip


def view(assistant: Assistant, question: str) -> AnswerView:
    return AnswerView(assistant.ask(question, filters=TODAY), assistant.index)


@pytest.mark.parametrize("question", ["首次认定奖励多少?", "月球基地的规划面积多大?", "绿色工厂奖励多少?"])
def test_an_answer_comes_back_as_it_was_shown(small: Assistant, question: str) -> None:
    shown = view(small, question)
    (answer,) = restored(f"[{kept(shown)}]")
    again = AnswerView(answer, small.index)
    assert (answer.question, answer.as_of, answer.statements) == (question, TODAY.as_of, shown.answer.statements)
    assert (again.sources, again.notices, again.not_found) == (shown.sources, shown.notices, shown.not_found)
    places = [[(hit.document.title, hit.place, one.url(hit)) for hit in one.nearest] for one in (shown, again)]
    assert places[0] == places[1]
    assert kept(again) == kept(shown)


@given(JSON)
def test_whatever_comes_back_is_read_or_left_out(found: Any) -> None:
    assert restored(json.dumps(found)) == []
    assert restored(json.dumps([found])) == []


@given(st.text())
def test_what_is_no_json_is_left_out(text: str) -> None:
    assert restored(text) == []


def test_one_spoiled_exchange_leaves_the_others(small: Assistant) -> None:
    good = kept(view(small, "首次认定奖励多少?"))
    spoiled = [good.replace('"start":', '"starts":', 1), good.replace("2026-11-24", "2026-11-34"), "{}", "1"]
    assert len(restored(f"[{','.join([*spoiled, good])}]")) == 1
    assert restored(f"[{good.replace('首次认定奖励多少?', '问' * 2001)}]") == []


def test_too_much_is_left_out_and_the_oldest_go_first(small: Assistant) -> None:
    good = kept(view(small, "首次认定奖励多少?"))
    many = [good.replace("首次认定奖励多少?", f"第{n}问") for n in range(MOST + 3)]
    assert [answer.question for answer in restored(f"[{','.join(many)}]")][:1] == ["第3问"]
    assert restored(f"[{','.join([good] * (MAX_BYTES // len(good.encode()) + 1))}]") == []
    assert MAX_BYTES * 1.3 < MAX_BODY  # the text is written into JSON once more


def told(written: str, index: Index) -> Conversation:
    """What is shown of what the browser sends."""
    return restore({"id": '"><img src=x>', "answers": written}, index)


def test_a_document_that_changed_or_went_is_said_so(small: Assistant) -> None:
    good = kept(view(small, "首次认定奖励多少?"))
    (answer,) = restored(f"[{good}]")
    quote = answer.statements[0].citations[0].quote
    changed = good.replace(json.dumps(quote, ensure_ascii=False), '"别的话"')
    assert "资料已更新" in told(f"[{changed}]", small.index).html
    gone = good.replace('"grant"', '"gone"')
    assert "资料已撤下" in told(f"[{gone}]", small.index).html


def test_nothing_that_comes_back_is_markup(small: Assistant) -> None:
    good = kept(view(small, "首次认定奖励多少?"))
    attack = "<img src=x onerror=alert(1)>"
    for said in ("30万元", "测试区特色园区扶持办法", "首次认定奖励多少"):
        html = told(f"[{good.replace(said, attack)}]", small.index).html
        assert "&lt;img" in html and "<img" not in html
    forged = good.replace('"source_url":""', '"source_url":"javascript:alert(1)"')
    assert "<img" not in told(f"[{good}]", small.index).html
    assert 'href="javascript' not in told(f"[{forged}]", small.index).html


def test_a_conversation_that_comes_back_goes_on(small: Assistant) -> None:
    talk = told(f"[{kept(view(small, '氢能港的规划面积多大?'))}]", small.index)
    assert [turn.role for turn in talk.turns] == ["user", "assistant"] and "2.15" in talk.turns[1].content
    assert not talk.answered and "data-helpful" not in talk.html
