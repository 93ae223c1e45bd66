"""Drafts of replies: what they say is cited, what they cannot say is marked, edits are held to the sources."""

import json
import subprocess
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from conftest import DOCUMENTS, ROWS, write_corpus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_cli import assert_refused, run

from assistant.letter import read_letter
from assistant.pipeline import Assistant
from assistant.reply import Draft, Finding, Paragraph, check, draft, risk
from assistant.reply.risk import READY, REVIEW
from assistant.reply.schema import MARKER, open_point
from assistant.reply.wording import in_prose
from assistant.retrieve import Filters
from eval.letters import read_cases, unsourced

DAY = date(2026, 11, 25)
LETTER = (
    "尊敬的区经委：\n我公司注册在安亭。请问技术改造最高支持多少万元？氢能港规划面积多大？能不能安排宿舍？"
    "希望派人上门指导。\n测试区精工有限公司\n2026年11月10日\n联系人：王工 13800001234"
)


@pytest.fixture(scope="module")
def reply(small: Assistant) -> Draft:
    """The draft of a reply over the tiny corpus."""
    return draft(read_letter(LETTER), small, Filters(DAY))


def by_id(reply: Draft) -> dict[str, Paragraph]:
    return {paragraph.id: paragraph for paragraph in reply.paragraphs}


def edited(reply: Draft, changed: dict[str, str]) -> tuple[Paragraph, ...]:
    """The paragraphs as an editor hands them back, some with another text."""
    return reply.revised({"id": p.id, "text": changed.get(p.id, p.text)} for p in reply.paragraphs)


def found(reply: Draft, key: str, text: str) -> list[Finding]:
    """What is found in one paragraph with another text."""
    return [one for one in check(edited(reply, {key: text}), reply) if one.paragraph == key]


def test_a_reply_has_the_parts_of_a_government_reply(reply: Draft) -> None:
    parts = by_id(reply)
    assert parts["salutation"].text == "测试区精工有限公司："
    assert parts["opening"].text == "贵单位2026年11月10日的来信收悉。现就所询事项答复如下："
    headings = [p.text for p in reply.paragraphs if p.role == "heading"]
    assert [heading[:2] for heading in headings] == ["一、", "二、", "三、", "四、", "五、"]
    assert (parts["signature"].text, parts["date"].text) == (open_point("落款单位"), "2026年11月25日")
    assert len(parts) == len(reply.paragraphs)
    assert "13800001234" not in "".join(p.text for p in reply.paragraphs)


def test_an_answer_is_cited_and_says_what_a_reader_must_know(reply: Draft) -> None:
    answer = by_id(reply)["q1.1"]
    assert "200万元" in answer.text and "测府规〔2023〕3号" in answer.text
    assert "有效期或执行期至2025年5月31日，目前已到期" in answer.text
    assert answer.references and set(map(int, MARKER.findall(answer.text))) == set(answer.references)
    assert reply.reference[answer.references[0]].state == "expired"


def test_what_is_not_answered_is_left_to_the_officer(reply: Draft) -> None:
    parts = by_id(reply)
    assert parts["q3.1"].open_points == ("能不能安排宿舍",) and not parts["q3.1"].references
    assert parts["q4.1"].open_points == ("承办部门办理意见",)  # a request: nobody can quote that
    assert [point.answered for point in reply.points] == [True, True, False, False]
    assert parts["contact.1"].open_points == ("承办部门联系电话",)


def test_the_corpus_lists_whom_to_ask(jiading: Assistant) -> None:
    parts = by_id(draft(read_letter("请问科技小巨人最高奖励多少万元？"), jiading, Filters(DAY)))
    contact = parts["contact.1"]
    assert "69989297" in contact.text and contact.references and contact.notes


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case["id"])
def test_no_draft_says_what_no_source_holds(case: dict[str, str], jiading: Assistant) -> None:
    reply = draft(read_letter(case["letter"]), jiading, Filters(date.fromisoformat(case.get("as_of", "2026-11-25"))))
    assert not list(unsourced(reply))
    assert {one.kind for one in check(reply.paragraphs, reply)} <= {"open"}
    assert not any(order[:8] in p.text for order in reply.letter.ignored for p in reply.paragraphs)
    json.dumps(reply.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("letter", "opening"),
    [
        ("感谢贵局工作人员的帮助！\n王小明", "您的来信收悉。感谢您对我们工作的肯定和支持。"),
        ("我要投诉！窗口态度冷漠，退了三次材料。", "您的来信收悉。您反映的情况，【待核实：承办部门核查处理情况】。"),
    ],
)
def test_a_letter_without_a_question_gets_no_made_up_answer(letter: str, opening: str, small: Assistant) -> None:
    reply = draft(read_letter(letter), small, Filters(DAY))
    assert by_id(reply)["opening"].text == opening and not reply.points and reply.notes


def test_an_answer_on_another_matter_is_not_signed(jiading: Assistant) -> None:
    reply = draft(read_letter("我儿子想办准生证，村里不盖章。具体原因何在？"), jiading, Filters(DAY))
    assert not any(point.answered for point in reply.points)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.integers(3, 99_999).filter(lambda n: str(n) not in LETTER and n not in (10, 11, 25, 200, 2023, 2025, 2026)),
    form=st.sampled_from(["最高可给予{}万元", "共有{}家企业", "按{}%给予补助", "自{}月起受理", "补助{}元", "分{}批", "满{}名"]),
)  # fmt: skip
def test_a_figure_without_a_source_is_found_where_it_stands(number: int, form: str, reply: Draft) -> None:
    written = form.format(number)
    text = by_id(reply)["q1.1"].text + f"另外，{written}。"
    figure = [one for one in found(reply, "q1.1", text) if one.kind in ("figure", "date")]
    assert figure and all(str(number) in text[one.start : one.end] == one.text for one in figure)


@pytest.mark.parametrize(
    ("kind", "said", "marked"),
    [
        ("date", "该政策2027年3月1日起受理。", "2027年3月1日"),
        ("date", "截止日期为12月31日。", "12月31日"),
        ("figure", "最高五百万元。", "五百万元"),  # in Chinese numerals
        ("figure", "按百分之三十补助。", "百分之三十"),
        ("document_number", "依据嘉府规〔2024〕9号。", "嘉府规〔2024〕9号"),
        ("name", "依据《嘉定区人才条例》。", "《嘉定区人才条例》"),
        ("open", "【待核实：联系电话】", "【待核实：联系电话】"),
        ("marker", "最高200万元[^99]。", "[^99]"),
        ("sense", "已经全部发放完毕，由浦东新区财政局一律兑现。", None),
        ("from_letter", "最高200万元，2026年11月10日截止。", "2026年11月10日"),
    ],
)
def test_each_kind_of_fault_is_marked(kind: str, said: str, marked: str | None, reply: Draft) -> None:
    hits = [one for one in found(reply, "q1.1", said) if one.kind == kind]
    assert hits and all(said[one.start : one.end] == one.text for one in hits)
    assert marked is None or [one.text for one in hits] == [marked]


@pytest.mark.parametrize(
    "said",
    ["一次性奖励，最高200万元[^1]。", "一、关于技术改造", "第一，请按一网通办流程办理。", "技术改造按投入的10%。"],
)
def test_what_the_sources_hold_or_what_counts_nothing_is_not_marked(said: str, reply: Draft) -> None:
    assert not [one for one in found(reply, "q1.1", said) if one.kind in ("figure", "date", "name")]


def test_a_figure_of_another_paragraphs_source_is_found(reply: Draft) -> None:
    assert "2.15" in by_id(reply)["q2.1"].text
    assert [one.text for one in found(reply, "q1.1", "规划面积2.15平方公里。")] == ["2.15"]
    other = by_id(reply)["q2.1"].references[0]
    assert not [one for one in found(reply, "q1.1", f"规划面积2.15平方公里[^{other}]。") if one.kind == "figure"]


def test_paragraphs_keep_their_sources_when_moved_and_split(reply: Draft) -> None:
    moved = reply.revised({"id": p.id, "text": p.text} for p in reversed(reply.paragraphs))
    assert {one.kind for one in check(moved, reply)} == {"open"}
    halves = reply.revised([{"id": "q1.1", "text": "最高200万元。"}, {"id": "q1.1/2", "text": "技术改造最高201万元。"}])
    assert [(one.at, one.text) for one in check(halves, reply) if one.kind == "figure"] == [(1, "201万元")]
    own = reply.revised([{"id": "x1", "text": "最高200万元。"}])
    assert [one.kind for one in check(own, reply)] == ["figure"]  # the officer's own paragraph is bound to nothing


def test_an_edit_is_checked_at_once(jiading: Assistant) -> None:
    letter = "".join(case["letter"] for case in read_cases()[:4])
    reply = draft(read_letter(letter), jiading, Filters(DAY))
    longer = edited(reply, {p.id: f"{p.text}补充最高900万元，由区经委办理。" for p in reply.paragraphs})
    check(longer, reply)
    times = []
    for _ in range(3):
        started = time.perf_counter()
        assert sum(one.text == "900万元" for one in check(longer, reply)) == len(longer)
        times.append(time.perf_counter() - started)
    one_edit = edited(reply, {"q1.1": "补充最高900万元，由区经委办理。"})
    started = time.perf_counter()
    check(one_edit, reply)
    assert time.perf_counter() - started < 0.05 and min(times) < 0.5


def test_risk_names_its_reasons(reply: Draft, small: Assistant) -> None:
    judged = risk(reply)
    assert {"open", "money", "expired"} <= {reason.kind for reason in judged.reasons} and judged.verdict == REVIEW
    safe = draft(read_letter("感谢贵局的帮助！"), small, Filters(DAY))
    assert risk(safe).verdict == READY and not risk(safe).review
    findings = check(edited(safe, {"closing": "奖励30万元。"}), safe)
    assert {reason.kind for reason in risk(safe, edited(safe, {"closing": "奖励30万元。"}), findings).reasons} == {
        "money", "unsupported",
    }  # fmt: skip
    json.dumps(judged.to_dict())


def test_a_settled_reply_may_be_signed(reply: Draft) -> None:
    filled = [replace(p, text=p.text.replace(open_point("落款单位"), "区经委")) for p in reply.paragraphs if p.id in ("salutation", "opening", "closing", "signature", "date")]  # fmt: skip
    assert risk(reply, filled).verdict == READY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index, made by the command line, and a letter."""
    folder = tmp_path_factory.mktemp("draft")
    write_corpus(folder / "corpus", DOCUMENTS, ROWS)
    assert run("ingest", folder / "corpus", "--index", folder / "index").returncode == 0
    (folder / "来信.txt").write_text(LETTER, encoding="utf-8")
    return folder


def command(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run("draft", *arguments, "--as-of", "2026-11-25", "--index", folder / "index")


def test_the_command_drafts_prints_and_writes(folder: Path) -> None:
    shown = command(folder, folder / "来信.txt")
    assert shown.returncode == 0, shown.stderr
    assert "测试区精工有限公司：" in shown.stdout and "要改的地方：" in shown.stdout and REVIEW in shown.stdout
    told = command(folder, folder / "来信.txt", "--json", "--out", folder / "回复.docx")
    content = json.loads(told.stdout)
    assert {"letter", "points", "paragraphs", "references", "findings", "risk"} <= content.keys()
    assert (folder / "回复.docx").read_bytes()[:2] == b"PK" and "回复.docx" in told.stderr
    assert command(folder, folder / "来信.txt", "--out", folder / "回复.md").returncode == 0
    assert "[^1]: " in (folder / "回复.md").read_text(encoding="utf-8")


def test_the_command_refuses_in_chinese(folder: Path) -> None:
    assert_refused(command(folder, folder / "没有.txt"), 2, "找不到来信")
    assert_refused(command(folder, folder / "来信.txt", "--out", folder / "回复.pdf"), 2, ".docx")
    assert_refused(command(folder, folder / "来信.txt", "--out", folder / "无" / "回复.md"), 2, "没有文件夹")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("首店：标准 全国首店20万元；次数 一次性", "首店，标准为全国首店20万元，次数为一次性"),
        ("科技受理：电话 / 邮箱 59523655", "科技受理，电话 / 邮箱为59523655"),
        ("2024全年：增加值 突破3000亿元", "2024全年，增加值突破3000亿元"),  # a verb is there
        ("占地 / 总建筑面积：12万平方米 / 25万平方米", "占地 / 总建筑面积：12万平方米 / 25万平方米"),  # no column
        ("规划面积：3.73平方公里", "规划面积：3.73平方公里"),
    ],
)
def test_a_table_row_reads_as_a_clause(small: Assistant, row: str, told: str) -> None:
    (statement, *_) = small.ask("首次认定奖励多少?", filters=Filters(DAY)).statements
    assert statement.citations[0].quote.startswith("|")
    assert in_prose(replace(statement, text=row)) == told
