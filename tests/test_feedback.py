import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from conftest import TODAY

from assistant.conversation import Conversation, rate
from assistant.feedback import CANDIDATES, FEEDBACK, HISTORY, Exchange, append, candidate, keep_feedback
from assistant.pipeline import Assistant
from assistant.schema import Turn

NOW = datetime(2026, 11, 26, 9, 30)


def asked(small: Assistant, question: str = "氢能港规划面积多大？", *history: Turn) -> Exchange:
    return Exchange(3, replace(small.ask(question, history, TODAY), hits=()), history)


def test_lines_of_many_threads_are_each_whole(tmp_path: Path) -> None:
    file = tmp_path / "workspace" / "x.jsonl"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: append(file, {"n": n, "text": "字" * 5000}), range(100)))
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert sorted(row["n"] for row in found) == list(range(100))
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_line_that_a_killed_writer_left_does_not_spoil_the_next(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"n": 1}\n{"n": 2, "te', encoding="utf-8")
    append(file, {"n": 3})
    assert json.loads(file.read_text(encoding="utf-8").splitlines()[-1]) == {"n": 3}


def test_what_helped_leaves_no_words_behind(small: Assistant, tmp_path: Path) -> None:
    keep_feedback(tmp_path, asked(small), NOW)
    assert not (tmp_path / CANDIDATES).exists()
    kept = (tmp_path / FEEDBACK).read_text(encoding="utf-8")
    assert json.loads(kept)["documents"] == ["port"] and "氢能港" not in kept


def test_a_candidate_holds_what_a_test_question_needs(small: Assistant) -> None:
    history = (Turn("user", "我是李女士，打13812345678"), Turn("assistant", "好的"))
    found = candidate(asked(small, "氢能港规划面积多大？", *history), "other", " " + "字" * 900, NOW)
    assert found["history"][0]["content"] == "我是［姓名］女士，打［手机号码］"
    assert (found["as_of"], found["when"], len(found["comment"])) == ("2026-11-24", "2026-11-26T09:30:00", 500)
    assert "2.15" in found["answer"] and json.loads(json.dumps(found)) == found
    long = tuple(Turn("user" if n % 2 == 0 else "assistant", str(n)) for n in range(20))
    kept = candidate(replace(asked(small), history=long), "other", "", NOW)["history"]
    assert len(kept) == HISTORY and kept[0]["role"] == "user" and kept[-1]["content"] == "19"


def test_a_published_number_stays_in_the_answer_alone(small: Assistant) -> None:
    exchange = asked(small)
    (first, *_), number = exchange.answer.statements, "021-69989071"
    cited = replace(first.citations[0], quote=f"{first.citations[0].quote}，{number}")
    said = replace(first, text=f"可打{number}，不打021-59990000", citations=(cited,))
    answer = replace(exchange.answer, question=f"{number}是谁的？", statements=(said,))
    found = candidate(replace(exchange, answer=answer), "other", number, NOW)
    assert found["answer"] == f"可打{number}，不打［电话号码］"
    assert (found["question"], found["comment"]) == ("［电话号码］是谁的？", "［电话号码］")


def test_what_the_page_would_not_send_is_not_written(small: Assistant, tmp_path: Path) -> None:
    talk = Conversation(answered=(asked(small),))
    told: Callable[..., dict[str, object]] = lambda **data: rate(tmp_path, data, talk)  # noqa: E731
    for data in (
        {},
        {"exchange": 9},
        {"exchange": 3, "reason": "no such"},
        {"exchange": 3, "reason": [], "comment": 5},
    ):
        assert told(**data) == {"message": ""}
    assert not list(tmp_path.iterdir())
    assert rate(tmp_path / "nowhere", {"exchange": 3}, talk)["message"] == ""
    (tmp_path / "file").write_text("")
    assert "没有记下来" in rate(tmp_path / "file", {"exchange": 3}, talk)["message"]
