"""The catalogue of the page's words: whole, without leftovers, and good for what answers put together."""

import json
import re
from datetime import date

import pytest
from conftest import ROOT

from assistant import followups
from assistant.feedback import REASONS
from assistant.page import EXAMPLES, LINKS
from assistant.people.access import ROLES
from assistant.pipeline import Assistant
from assistant.policy import FACETS
from assistant.retrieve import Filters
from assistant.schema import DOC_TYPE_LABELS
from assistant.scope import CHOICES
from assistant.viewer import NOTICES, STANDING, AnswerView
from assistant.words import catalogue, language_of, said, say

SOURCES = {
    path.relative_to(ROOT / "assistant").as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "assistant").rglob("*")
    if path.suffix in (".py", ".html", ".js")
}
HAN = re.compile(r"[\u3400-\u9fff]")
DRAWN_FROM = (*DOC_TYPE_LABELS.values(), *CHOICES, *NOTICES.values(), *STANDING.values(), *REASONS.values(), *ROLES.values(), *FACETS, *(title for _, title, _ in LINKS))  # fmt: skip


def test_every_text_has_an_english_one() -> None:
    pages = [source for name, source in SOURCES.items() if not name.startswith(("replying", "administration"))]
    asked = {text for source in pages for text in re.findall(r'\b(?:_|say)\(\s*"([^"]+)"', source)}
    assert len(asked) > 80 and asked - catalogue().keys() == set()
    assert {text for text in DRAWN_FROM if text} - catalogue().keys() == set()
    assert not [english for english in catalogue().values() if not english or HAN.search(english)]


def test_the_templates_hold_no_other_text() -> None:
    for name in ("ui.html", "document.html", "talk.js", "talks.js"):
        rest = re.sub(r'_\("[^"]+"|\{#.*?#\}|>中文<', "", SOURCES[name], flags=re.DOTALL)
        assert not [line for line in rest.splitlines() if HAN.search(line)], name


def test_no_text_is_left_over() -> None:
    everything = "".join(SOURCES.values())
    for chinese in catalogue():
        clauses = re.split(r"\{\w+\}|[，。：；、（）“”]|(?<=起)(?=至)", chinese)
        assert all(clause in everything for clause in clauses if clause), chinese


def test_both_languages_fill_the_same_places() -> None:
    for chinese, english in catalogue().items():
        assert sorted(re.findall(r"\{\w+\}", chinese)) == sorted(re.findall(r"\{\w+\}", english)), chinese


@pytest.mark.parametrize(
    ("path", "language"), [("/", "zh"), ("/en", "en"), ("/en/", "en"), ("/english", "zh"), ("/reply", "zh")]
)
def test_the_language_of_a_path(path: str, language: str) -> None:
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("《甲（试行）》（规划方案）现在是否有效，资料中没有写明，办理前请向主管部门核实。", "The documents do not say whether 《甲（试行）》 (Plan) is in force now."),
        ("《甲》有效期或执行期到2025年5月31日为止（从正文读出，未经核对），截至2026年1月2日不是现行规定，仅供了解当时情况。", "《甲》 was valid until 2025-05-31 (read from its text, not verified). As of 2026-01-02"),
        ("《甲》已被《乙》、《丙》替代（据其正文，未经核对），截至2026年1月2日不是现行规定。", "《甲》 has been replaced by 《乙》、《丙》 (according to"),
        ("《甲》已被后来的文件替代，截至2026年1月2日不是现行规定。", "《甲》 has been replaced by a later document."),
        ("《甲》自2026年起执行，截至2025年1月2日尚未生效。", "《甲》 takes effect on 2026."),
        ("自2023年6月1日起至2025年5月31日止", "From 2023-06-01 to 2025-05-31"),
        ("嘉定2024年规上工业总产值是多少？", "What was Jiading's industrial output (firms above designated size) in 2024?"),
        ("测试区氢能港有哪些企业？", "Which companies are in 测试区氢能港?"),
        ("目录里没有的话", "目录里没有的话"),
    ],
)  # fmt: skip
def test_what_was_put_together_is_read_back(chinese: str, english: str) -> None:
    assert said(chinese, "en").startswith(english)
    assert said(chinese, "zh") == chinese


def test_what_may_be_asked_next_has_an_english_wording() -> None:
    of_all = (followups.OF_A_CALL, followups.OF_A_PLAN, followups.OF_A_PLACE, followups.OF_A_DRAFT, followups.OF_A_CALL_NOT_IN_FORCE, followups.OF_ONE_NOT_IN_FORCE, followups.OF_A_YEAR)  # fmt: skip
    for question in (
        ask.question.format("2024年" if "嘉定{}" in ask.question else "X") for asks in of_all for ask in asks
    ):
        assert not HAN.search(said(question, "en")), question


def test_what_fills_a_place_is_left_as_it_is() -> None:
    assert say("只查了：{limits}", "en", limits="{x}") == "Searched only: {x}"
    assert said("《{x}》写明：{y}。", "en") == "《{x}》 says: {y}。"


def test_the_notices_of_real_answers_are_all_english(jiading: Assistant) -> None:
    lines = (ROOT / "eval" / "testset.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [*EXAMPLES["zh"], *EXAMPLES["en"], *(json.loads(line)["question"] for line in lines[::4])]
    kinds, missed = set(), []
    for question in questions:
        for day in (date(2024, 3, 1), date(2026, 11, 24)):
            view = AnswerView(jiading.ask(question, filters=Filters(day)), jiading.index, language="en")
            kinds |= {kind for _, kind, _, _ in view.notices}
            for told in (view.not_found, *(text for *_, text in view.notices)):
                quoted = re.sub(r"(?:says|state|Near it|ask|nearest is):? .*|《.*》|“.*”", "", told)  # fmt: skip
                missed += [told] if HAN.search(quoted) else []
    assert {"expired", "unverified", "conflict", "corrected", "not_published"} <= kinds
    assert not missed
