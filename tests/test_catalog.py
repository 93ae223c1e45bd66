from datetime import date

import pytest
from conftest import CORPUS

from assistant.catalog import COLUMNS, first_day, last_day, parse_date, parse_row, read_catalog, term, written
from assistant.formats import read_text
from assistant.load import CATALOG
from assistant.schema import Metadata

HEADER = ",".join(COLUMNS)


def row(**values: str) -> str:
    return ",".join(values.get(column, "") for column in COLUMNS)


def test_the_shipped_catalogue_is_whole() -> None:
    rows, refused, problems = read_catalog(CATALOG, read_text(CORPUS / CATALOG))
    assert len(rows) == 61 and not refused and not problems
    assert {name.removesuffix(".md") for name in rows} == {file.stem for file in (CORPUS / "documents").glob("*.md")}


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (HEADER, row(file="a.md", title="办法", published="2023/8/22", status="现行有效")),  # as Excel saves a date
        (",".join(COLUMNS.values()), row(file="a.md", title="办法", published="2023年8月22日", status="in_force")),
        (
            HEADER.replace(",", "\t"),
            row(file="a.md", title="办法", published="2023.8.22", status="in_force").replace(",", "\t"),
        ),
    ],
)
def test_one_row_in_several_spellings(header: str, line: str) -> None:
    rows, _, problems = read_catalog("catalog.csv", f"{header}\n{line}\n")
    assert not problems
    assert rows["a.md"].metadata.published == "2023-08-22" and rows["a.md"].metadata.status == "in_force"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"file": "a.md"}, "“标题”（title）不能为空"),
        ({"file": "a.md", "title": "t", "published": "2023-02-30"}, "“发布日期”（published）“2023-02-30”不是有效日期"),
        ({"file": "a.md", "title": "t", "doc_type": "电影"}, "不在可选值内"),
        ({"file": "a.md", "title": "t", "valid_from": "2024", "valid_to": "2023-12-31"}, "晚于"),
    ],
)
def test_a_fault_is_named_by_row_column_and_remedy(values: dict[str, str], said: str) -> None:
    good = row(file="b.md", title="另一份")
    rows, refused, problems = read_catalog("catalog.csv", f"{HEADER}\n{row(**values)}\n{good}\n")
    assert list(rows) == ["b.md"] and refused == {"a.md"}
    assert len(problems) == 1 and str(problems[0]).startswith("catalog.csv 第2行") and said in str(problems[0])


def test_a_file_named_twice_keeps_its_first_row() -> None:
    rows, _, problems = read_catalog("c", f"{HEADER}\n{row(file='a.md', title='一')}\n{row(file='a.md', title='二')}\n")
    assert rows["a.md"].title == "一" and "重复" in str(problems[0])


def test_missing_columns_are_named() -> None:
    rows, _, problems = read_catalog("c", "file,title\na.md,办法\n")
    assert rows["a.md"].title == "办法" and len(problems) == len(COLUMNS) - 2
    rows, _, problems = read_catalog("c", "file\na.md\n")
    assert not rows and any("“标题”（title）" in str(problem) and "必须有" in str(problem) for problem in problems)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2023", "2023"),
        ("2023年8月", "2023-08"),
        ("2024-2-29", "2024-02-29"),
        ("2023-2-29", ""),
        ("八月", ""),
        ("1-1", ""),
    ],
)
def test_dates(text: str, iso: str) -> None:
    assert parse_date(text) == iso


def test_a_partial_date_covers_its_whole_period() -> None:
    assert (first_day("2024-02"), last_day("2024-02")) == (date(2024, 2, 1), date(2024, 2, 29))
    assert (first_day("2024"), last_day("2024")) == (date(2024, 1, 1), date(2024, 12, 31))


def test_a_term_in_words() -> None:
    assert written("2023-08-02") == "2023年8月2日" and written("") == ""
    assert term(Metadata(valid_from="2022", valid_to="2023-01")) == "自2022年起至2023年1月止"
    assert term(Metadata()) == ""


def test_a_row_is_typed() -> None:
    parsed, faults = parse_row({"file": "a.md", "title": "t", "supersedes": "b.md；c.md", "level": "区级"})
    assert not faults and parsed and parsed.metadata.supersedes == ("b.md", "c.md") and parsed.metadata.level == "区级"
