from itertools import pairwise

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from assistant.clean import clean_markdown, clean_page
from assistant.formats import PAGE as MARK
from assistant.formats import read_text

SEED = ROOT.parent / "shared" / "seed" / "press_briefing.txt"
PAGE = (
    "1/0\n园区怎么样？\n测试网2023-08-22 13:00:00\n\n"
    + "共有19家特色产业园区。" * 12
    + "\n航拍。视觉中国 资料图\n\n【免责声明】\n版权属本司所有。\n"
)


def test_front_matter_is_stated_and_taken_off() -> None:
    cleaned = clean_markdown('---\ntitle: "办法"\nvalid_to: 2025\n---\n# 正文\r\n\ufeff内\u200b容\n\n\n\n末')
    assert cleaned.stated == {"title": "办法", "valid_to": "2025"}
    assert cleaned.text == "# 正文\n内容\n\n末\n"


def test_radicals_that_stand_for_characters_become_them() -> None:
    """As Chromium and LibreOffice write some characters into the PDFs that they print."""
    assert (
        clean_markdown("⼈⼯智能企业申领⻓期补贴，按⽉发放，每⼾⻔槛⼀万元").text
        == "人工智能企业申领长期补贴，按月发放，每户门槛一万元\n"
    )


@given(st.text("甲乙# -|。\n\r\t\u200b\ufeff ", max_size=60))
def test_cleaning_loses_nothing_that_can_be_seen(raw: str) -> None:
    text = clean_markdown(raw).text
    assert clean_markdown(text).text == text
    invisible = str.maketrans("", "", "\n\r\t\u200b\ufeff ")
    assert text.translate(invisible) == raw.translate(invisible)


@given(st.lists(st.text("甲# |\n\t\u200b", max_size=8), min_size=1, max_size=6))
def test_each_page_begins_with_its_first_text_and_the_marks_change_nothing(pieces: list[str]) -> None:
    """Pages are those of the raw text, blank ones at the end left out; the text is that of an unpaged file."""
    cleaned = clean_markdown(MARK.join(["", *pieces]))
    assert cleaned.text == clean_markdown("".join(pieces)).text
    bounds, invisible = cleaned.pages, str.maketrans("", "", "\n\t\u200b ")
    found = [cleaned.text[start:end] for start, end in pairwise(bounds)]
    shown = [piece.translate(invisible) for piece in pieces]
    assert [page.translate(invisible) for page in found] == shown[: len(found)] and not any(shown[len(found) :])
    assert not any(page[:1].isspace() for page in found)
    assert not bounds or (not cleaned.text[: bounds[0]].strip() and bounds[-1] == len(cleaned.text))


def test_a_news_page_keeps_its_title_source_and_text() -> None:
    cleaned = clean_page(PAGE)
    assert cleaned.stated == {"title": "园区怎么样？", "publisher": "测试网", "published": "2023-08-22"}
    assert "19家" in cleaned.text
    for noise in ("1/0", "资料图", "免责声明", "版权"):
        assert noise not in cleaned.text


def test_each_line_left_out_is_told_with_its_reason() -> None:
    cleaned = clean_page(PAGE + "扫码关注测试网\n")
    assert cleaned.removed == (
        ("图片计数", "1/0"),
        ("图片说明", "航拍。视觉中国 资料图"),
        *(("声明和联系方式", line) for line in ("【免责声明】", "版权属本司所有。", "扫码关注测试网")),
    )


@given(
    st.lists(st.sampled_from([*PAGE.split("\n"), "第三条 奖励30万元。", "附件：申报表", "【媒体合作】"]), max_size=12)
)
def test_a_line_is_either_kept_or_told(lines: list[str]) -> None:
    cleaned = clean_page("\n".join(lines))
    told = [line for _, line in cleaned.removed]
    assert sorted([line for line in cleaned.text.split("\n") if line] + told) == sorted(line.strip() for line in lines if line.strip())  # fmt: skip


def test_a_menu_goes_and_a_heading_of_the_same_words_stays() -> None:
    menu = "网站首页\n\n政务公开\n办事大厅\n"
    text = "优化营商环境方案\n政务公开\n一网通办，数据向企业开放。\n分享制造业经验\n注册\n企业登记当日办结。\n"
    cleaned = clean_page(menu + text)
    assert cleaned.text == text
    assert cleaned.removed == tuple(("网页菜单", line) for line in ("网站首页", "政务公开", "办事大厅"))


def test_a_clause_after_a_notice_is_kept() -> None:
    text = "办法正文。" * 30 + "\n免责声明\n以上内容仅供参考。\n第九条 奖励30万元。\n"
    assert "第九条" in clean_page(text).text and not clean_page(text).removed


def test_a_notice_heading_at_the_top_cuts_nothing_off() -> None:
    assert "第一条" in clean_page("免责声明\n第一条 本办法自发布之日起施行。\n").text


@pytest.mark.skipif(not SEED.exists(), reason="the seed page is not beside this checkout")
def test_the_seed_page_comes_out_as_its_answer() -> None:
    cleaned = clean_page(read_text(SEED))
    assert cleaned.stated["title"].startswith("特色产业园区发展如何") and cleaned.stated["published"] == "2023-08-22"
    for kept in (
        "共有19家特色产业园区",
        "5000亿元",
        "一是通过规划布局",
        "二是通过政策扶持",
        "以高品质园区建设推动高质量产业发展。",
    ):
        assert kept in cleaned.text
    for noise in ("知识产权", "免责声明", "联系电话", "媒体合作", "资料图", "1/0"):
        assert noise not in cleaned.text
