from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.embedding import StaticEmbeddings
from assistant.index import Index
from assistant.ingest import ingest
from assistant.load import load
from assistant.particulars import iso, read_particulars
from assistant.validity import notice, validity
from eval.particulars import read_cases, score

NEW = """火星府规〔2026〕2号

火星镇种菜补贴办法

第一条 根据《火星镇农业条例》（火星府规〔2019〕1号），制定本办法。

第八条 本办法自2026年2月1日起施行，有效期五年。原《火星镇种菜补贴暂行办法》（火星府规〔2020〕3号）同时废止。

火星镇人民政府
二〇二六年一月五日
"""
OLD = "# 火星镇种菜补贴暂行办法\n\n每亩补贴50元。\n"


def test_a_policy_says_its_number_body_dates_term_and_what_it_repeals() -> None:
    said = read_particulars("火星镇种菜补贴办法", NEW)
    assert (said.document_number, said.issuing_body, said.written) == (
        "火星府规〔2026〕2号",
        "火星镇人民政府",
        "2026-01-05",
    )
    assert (said.valid_from, said.valid_to) == ("2026-02-01", "2031-01-31")
    assert said.repeals == ("火星镇种菜补贴暂行办法",)
    assert "同时废止" in said.evidence["repeals"] and "有效期五年" in said.evidence["valid_to"]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("本办法自2023年1月1日起施行，有效期5年。", "2023-01-01", "2027-12-31"),
        ("本办法自2024年2月29日起施行，有效期1年。", "2024-02-29", "2025-02-28"),
        ("本意见自2023年3月1日起实施，有效期至2025年底。", "2023-03-01", "2025-12-31"),
        ("本办法有效期自2023年2月1日至2028年1月31日。", "2023-02-01", "2028-01-31"),
        ("本办法自2021年7月1日起施行，试行两年。", "2021-07-01", "2023-06-30"),
        ("申请表请于2023年3月1日前报送，项目建设期为2021年1月1日至2022年12月31日。", "", ""),
        ("《某某条例》自2020年1月1日起施行。", "", ""),
    ],
)
def test_the_term_is_reckoned_to_its_last_day(text: str, start: str, end: str) -> None:
    said = read_particulars("某某办法", text)
    assert (said.valid_from, said.valid_to) == (start, end)


@pytest.mark.parametrize(
    ("text", "repeals"),
    [
        ("《甲办法》《乙规定》同时废止。", ("甲办法", "乙规定")),
        ("决定废止下列文件：\n1.《甲办法》（火星府规〔2015〕1号）\n2.《乙规定》", ("甲办法", "乙规定")),
        ("《甲办法》已于2019年废止，不再适用。", ()),
        ("按照《甲办法》，许可证失效的应当重新申请。", ()),
        ("与本办法不一致的，以本办法为准。", ()),
    ],
)
def test_only_what_a_document_itself_repeals_counts(text: str, repeals: tuple[str, ...]) -> None:
    assert read_particulars("", text).repeals == repeals


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_a_day_in_chinese_numerals_is_that_in_figures(day: date) -> None:
    digits = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(day.year))

    def small(number: int) -> str:
        tens, ones = divmod(number, 10)
        return ("" if not tens else "十" if tens == 1 else "零一二三"[tens] + "十") + (
            "零一二三四五六七八九"[ones] if ones else ""
        )

    assert (
        iso(f"{digits}年{small(day.month)}月{small(day.day)}日")
        == iso(f"{day.year}年{day.month}月{day.day}日")
        == str(day)
    )


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    read_particulars(text[:20], text)


@pytest.mark.parametrize(
    "piece", ["局", "委会局", "《", "《甲》废止、", "2023年1月", "（", "自印发之日起", "嘉定区人民政府\n"]
)
def test_long_repetitions_are_read(piece: str) -> None:
    """A pattern that tries every way to part them would never come back."""
    read_particulars(piece * 100, piece * 3000 + "\n2023年1月5日")


def test_the_written_cases_are_read() -> None:
    """On the rows that the rules were chosen on; the others are for measuring."""
    right, read, said = map(sum, zip(*score([c for c in read_cases() if c["split"] == "dev"]).values(), strict=True))
    assert right / read >= 0.98 and right / said >= 0.98


def test_what_is_read_is_marked_and_replaces_the_older_document(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "new.md").write_text(f"# 火星镇种菜补贴办法\n\n{NEW}", encoding="utf-8")
    (tmp_path / "docs" / "old.md").write_text(OLD, encoding="utf-8")
    (tmp_path / "docs" / "city.md").write_text(OLD.replace("# ", "# 上海市"), encoding="utf-8")
    later = "发布日期：2026-03-01\n\n答农户所问。\n"
    (tmp_path / "docs" / "later.md").write_text(f"# 《火星镇种菜补贴暂行办法》问答\n\n{later}", encoding="utf-8")
    loaded = load(tmp_path / "docs")
    (problem,) = [problem for problem in loaded.problems if problem.place == "new.md"]
    assert not problem.refused and "自2026年2月1日起施行" in problem.reason and "未核对" in problem.reason
    ingest([tmp_path / "docs"], tmp_path / "index", StaticEmbeddings.load(), "static", lambda *_: None)
    index = Index.open(tmp_path / "index", "static")
    new, old = index.document("new"), index.document("old")
    assert set(new.metadata.read) == {
        "document_number",
        "issuing_body",
        "published",
        "valid_from",
        "valid_to",
        "supersedes",
    }
    assert validity(new, date(2026, 11, 26)) == "unverified"
    told = notice(new, date(2026, 11, 26))
    assert told and "正文写到2031年1月31日为止，未经核对" in told.text
    assert validity(old, date(2026, 11, 26), index.successors["old"]) == "superseded"
    assert validity(old, date(2026, 1, 20), index.successors["old"]) != "superseded"
    replaced = notice(old, date(2026, 11, 26), index.successors["old"])
    assert replaced and "《火星镇种菜补贴办法》替代（据其正文，未经核对）" in replaced.text
    assert set(index.successors) == {"old"}  # neither the city's of the same name, nor what came out later
    index.close()
