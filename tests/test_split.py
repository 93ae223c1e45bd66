import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.schema import Document
from assistant.split import MAX_CHARS, split, units

LINES = [
    "# 标题\n", "## 小节\n", "\n", "第一章 总则\n", "第二条 企业应当守信。\n", "第三条\n", "一、总体要求\n", "(一)目标\n", "- 列表项;\n", "1. 第一项。\n",
    "| 项目 | 数值 |\n", "| --- | --- |\n", "| 面积 | 3平方公里 |\n", "普通的一句话。又一句!\n", "没有标点的一行\n", "长" * 450 + "\n", "甲,乙;丙。" * 90 + "\n", "结尾没有换行",
]  # fmt: skip


@given(st.lists(st.sampled_from(LINES), max_size=25).map("".join))
def test_passages_tile_the_document(text: str) -> None:
    """No character is lost, repeated or moved, whatever the text, and no passage is over its limit."""
    passages = split(Document("d", "标题", text))
    assert "".join(passage.text for passage in passages) == text
    assert all(text[p.start : p.end] == p.text for p in passages)
    for passage in passages:
        body = passage.text.lstrip("\n")
        while body.startswith(("#", "第一章", "一、", "(一)")) and "\n" in body:
            body = body.split("\n", 1)[1].lstrip("\n")
        assert len(body) <= MAX_CHARS + 10  # blank lines after the last block belong to it


@given(st.lists(st.sampled_from(LINES), max_size=25).map("".join))
def test_units_stand_at_their_offsets(text: str) -> None:
    for passage in split(Document("d", "标题", text)):
        for unit in units(text, passage.start, passage.end, passage.context):
            assert unit.text and text[unit.start : unit.end] == unit.text
            assert passage.start <= unit.start < unit.end <= passage.end


def test_articles_and_chapters_begin_passages() -> None:
    text = "第一章 总则\n\n第一条 为了发展。\n第二条 适用本区。\n\n第二章 支持\n\n第三条 给予奖励。\n"
    passages = split(Document("d", "办法", text))
    assert [p.headings for p in passages] == [
        ("第一章 总则", "第一条"), ("第一章 总则", "第二条"), ("第二章 支持", "第三条"),
    ]  # fmt: skip
    assert passages[2].text.startswith("第二章")  # a chapter's heading never hangs on the article before it


def test_rows_bring_their_header_into_later_passages() -> None:
    rows = "".join(f"| 事项{i} | 第{i}档,给予一次性奖励,标准为{i}0万元 |\n" for i in range(40))
    text = "# 标准\n\n| 事项 | 标准 |\n| --- | --- |\n" + rows
    later = split(Document("d", "办法", text))[1]
    assert later.context == "| 事项 | 标准 |"
    unit = units(text, later.start, later.end, later.context)[0]
    assert unit.cells[0][0] == "事项" and text[slice(*unit.header)] == "| 事项 | 标准 |"


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_nothing_to_split(text: str) -> None:
    assert "".join(p.text for p in split(Document("d", "t", text))) == text


def test_wide_spaces_part_sentences_as_they_part_paragraphs_on_pages_without_line_breaks() -> None:
    text = "关于减税的通告　　第一段说对象 第二段。  第三段"
    assert [unit.text for unit in units(text, 0, len(text))] == ["关于减税的通告", "第一段说对象 第二段。", "第三段"]


def test_a_section_stands_under_its_chapter_however_the_headings_are_marked() -> None:
    text = "### 第一章 总则\n\n## 第一节 范围\n\n第一条 甲。\n\n## 第二节 定义\n\n第二条 乙。\n\n### 第二章 附则\n\n第三条 丙。\n"
    assert [passage.headings[:-1] for passage in split(Document("d", "法", text))] == [
        ("第一章 总则", "第一节 范围"),
        ("第一章 总则", "第二节 定义"),
        ("第二章 附则",),
    ]


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("2.15亿元用于园区。", "2.15亿元用于园区。"),  # a figure, not item 2
        ("-2.4%为同比增幅。", "-2.4%为同比增幅。"),
        ("1.首次认定奖励30万元。", "首次认定奖励30万元。"),
        ("3.2026年起执行。", "2026年起执行。"),
        ("- 信用良好；", "信用良好；"),
    ],
)
def test_a_figure_at_the_head_of_a_line_is_no_number_of_a_list(line: str, unit: str) -> None:
    assert [found.text for found in units(line, 0, len(line))] == [unit]
