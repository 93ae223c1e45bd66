import json
from pathlib import Path

import pytest

from assistant.schema import Document
from eval.format_measure import Tally, measure
from eval.format_sources import SOURCES, Source, Table, read_sources
from eval.formats import differing, right, run, said, table_of

SMALL = {
    "documents": [
        {
            "id": "small",
            "title": "火星镇种菜补贴办法",
            "particulars": {"document_number": "火府规〔2025〕3号", "issuing_body": "火星镇人民政府", "published": "2025-03-01", "valid_from": "2025-04-01", "valid_to": "2027-03-31", "supersedes": []},
            "blocks": [
                ["p", "火府规〔2025〕3号"],
                ["h1", "一、补贴标准"],
                ["p", "种菜满三年的农户，可以申领下列补贴："],
                ["items", "（%c）", ["白菜每亩补贴110元；", "萝卜每亩补贴85元。"]],
                ["table", {"labels": 1, "header": [["品种", "封顶（元）"]], "rows": [["白菜", "5200"], ["萝卜", "4300"]]}],
                ["h1", "二、附则"],
                ["p", "本办法自2025年4月1日起施行，有效期至2027年3月31日。"],
                ["right", "火星镇人民政府"],
                ["right", "2025年3月1日"],
            ],
        }
    ],
    "questions": [
        {"question": "萝卜每亩补贴多少元？", "key_facts": ["85元"], "docs": ["small"]},
        {"question": "月球基地有多少人？", "key_facts": [], "docs": []},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Source], list[dict[str, object]]]:
    file = tmp_path_factory.mktemp("formats") / "small.json"
    file.write_text(json.dumps(SMALL, ensure_ascii=False), encoding="utf-8")
    return read_sources(file)


def test_a_document_is_measured_and_asked_in_two_formats(
    small: tuple[list[Source], list[dict[str, object]]], tmp_path: Path
) -> None:
    sources, questions = small
    tallies, answers = run(sources, questions, ["docx", "pdf"], tmp_path)
    for tally in tallies.values():
        assert tally.faults == []
        assert tally.share("clauses") == "9/9"
        assert tally.share("cells") == "4/4"
    assert [right(row, answer) for row, answer in zip(questions, answers["docx"], strict=True)] == [True, True]
    assert said(answers["docx"][0]) == said(answers["pdf"][0])
    assert differing(answers, questions) == []
    assert "| pdf | 9/9 | 9/9 |" in table_of(tallies, answers, questions)


def test_what_is_lost_left_or_added_is_named(small: tuple[list[Source], list[dict[str, object]]]) -> None:
    (source,), _ = small
    text = "火府规〔2025〕3号\n\n一、补贴标准\n\n网站首页\n\n| 品种 | 封顶（元） |\n| --- | --- |\n| 白菜 | 5200 |\n| 萝卜 | 43000 |\n"
    tally = Tally()
    measure(source, Document("small", source.title, text), tally)
    assert {"small 缺：二、附则", "small 缺单元格：萝卜，封顶（元）：4300", "small 缺数字：4300"} <= set(tally.faults)
    assert {"small 多出数字：43000", "small 多余：网站首页"} <= set(tally.faults)
    assert tally.share("cells") == "3/4"


def test_merged_cells_are_filled_and_spanned() -> None:
    table = Table([["园区", "产值", "<"], ["^", "总额", "同比"]], [["青禾", "12", "3"]], 1)
    assert table.filled() == [["园区", "产值", "产值"], ["园区", "总额", "同比"], ["青禾", "12", "3"]]
    assert table.blanked()[1] == ["", "总额", "同比"]
    assert (0, 0, 2, 1) in set(table.spans()) and (0, 1, 1, 2) in set(table.spans())


def test_the_shipped_documents_hold_what_their_questions_ask() -> None:
    sources, questions = read_sources(SOURCES)
    held = {source.id: source for source in sources}
    assert (len(sources), len(questions)) == (8, 30)
    for row in questions:
        for key in row["docs"]:
            source = held[key]
            cells = [cell for table in source.tables for line in table.grid for cell in line]
            text = "".join([*source.clauses, *source.asides, *cells])
            assert all(fact in text for fact in row["key_facts"]), row["question"]
