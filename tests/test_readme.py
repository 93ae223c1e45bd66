import re
from datetime import date

from conftest import ROOT

from assistant.cli import said
from assistant.pipeline import Assistant
from assistant.retrieve import Filters

BLOCK = re.compile(r"^\*\*问：(.+)\*\*\n\n((?:> .*\n)+)", re.MULTILINE)


def test_the_answers_shown_are_the_answers_given(jiading: Assistant) -> None:
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8") + "\n")
    assert len(blocks) == 12
    for question, shown in blocks:
        lines = [line.removeprefix("> ").strip() for line in shown.splitlines() if not line.startswith("> <sub>")]
        answer = jiading.ask(question, filters=Filters(date(2026, 11, 25)))
        given = [f"{said(statement)} [{n}]" for n, statement in enumerate(answer.statements, 1)]
        assert lines == [*given, *(f"※ {notice.text}" for notice in answer.notices)], question
