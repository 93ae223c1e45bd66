from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.schema import DocType, Document, Metadata, Statement, Status
from assistant.validity import Validity, notice, overdue_notice, validity

POLICY = {"doc_type": "policy", "published": "2023-05-01", "valid_from": "2023-06-01", "valid_to": "2025-05-31"}
STATUSES: tuple[Status, ...] = get_args(Status)
TYPES: tuple[DocType, ...] = get_args(DocType)


def document(**meta: Any) -> Document:
    return Document("d", "扶持办法", "正文", Metadata(**meta))


@pytest.mark.parametrize(
    ("meta", "as_of", "state"),
    [
        (POLICY, date(2023, 5, 31), "not_yet_valid"),  # the day before
        (POLICY, date(2023, 6, 1), "in_force"),  # the first day counts
        (POLICY, date(2025, 5, 31), "in_force"),  # the last day counts
        (POLICY, date(2025, 6, 1), "expired"),  # the day after
        ({**POLICY, "valid_to": "2025"}, date(2025, 12, 31), "in_force"),  # a year lasts to its end
        ({**POLICY, "valid_to": "2025"}, date(2026, 1, 1), "expired"),
        ({**POLICY, "valid_from": "2023-06"}, date(2023, 6, 1), "in_force"),  # a month begins with its first day
        ({**POLICY, "status": "in_force"}, date(2025, 6, 1), "expired"),  # the term outranks what was noted once
        ({**POLICY, "status": "in_force"}, date(2023, 5, 31), "not_yet_valid"),
        ({**POLICY, "valid_to": ""}, date(2024, 1, 1), "unverified"),  # no end is known: nobody may say it holds
        ({**POLICY, "valid_to": "", "status": "in_force"}, date(2024, 1, 1), "in_force"),  # somebody checked
        ({"doc_type": "policy", "status": "expired"}, date(2024, 1, 1), "expired"),
        ({"doc_type": "policy", "status": "superseded"}, date(2024, 1, 1), "superseded"),
        ({**POLICY, "status": "expired"}, date(2024, 1, 1), "unverified"),  # status and term disagree
        ({"doc_type": "guide"}, date(2024, 1, 1), "unverified"),
        ({"doc_type": "news"}, date(2024, 1, 1), "not_applicable"),  # news are not in force
        ({"doc_type": "news", "status": "in_force"}, date(2024, 1, 1), "not_applicable"),
    ],
)
def test_a_document_stands_as_its_dates_say(meta: dict[str, str], as_of: date, state: Validity) -> None:
    assert validity(document(**meta), as_of) == state


@pytest.mark.parametrize(
    ("successor", "as_of", "state"),
    [
        ({"valid_from": "2024-07-01", "published": "2024-06-01"}, date(2024, 6, 30), "in_force"),  # the day before
        ({"valid_from": "2024-07-01", "published": "2024-06-01"}, date(2024, 7, 1), "superseded"),
        ({"published": "2024-06"}, date(2024, 5, 31), "in_force"),  # without a first day, its publication counts
        ({"published": "2024-06"}, date(2024, 6, 1), "superseded"),
        ({}, date(2023, 6, 1), "superseded"),  # nothing is known of when
    ],
)
def test_a_successor_replaces_only_from_its_date(successor: dict[str, str], as_of: date, state: Validity) -> None:
    after = Document("new", "新办法", "正文", Metadata(doc_type="policy", **successor))
    assert validity(document(**POLICY), as_of, [after]) == state
    told = notice(document(**POLICY), as_of, [after])
    assert (told is None) == (state == "in_force")
    assert told is None or "《新办法》" in told.text


DAYS = st.dates(date(2019, 1, 1), date(2031, 1, 1))


@given(DAYS, DAYS, DAYS, st.sampled_from(STATUSES), st.sampled_from(TYPES))
def test_a_draft_is_never_in_force(as_of: date, start: date, end: date, status: Status, doc_type: DocType) -> None:
    dates = {"valid_from": start.isoformat(), "valid_to": end.isoformat()}
    for meta in ({"doc_type": "draft", "status": status}, {"doc_type": doc_type, "status": "draft"}):
        one = document(**meta, **dates)
        assert validity(one, as_of) == "draft"
        told = notice(one, as_of)
        assert told and told.kind == "draft" and "不能作为现行依据" in told.text


@given(DAYS, DAYS, DAYS, st.sampled_from(STATUSES), st.sampled_from(TYPES))
def test_nothing_is_in_force_outside_its_term(
    as_of: date, start: date, end: date, status: Status, doc_type: DocType
) -> None:
    one = document(doc_type=doc_type, status=status, valid_from=start.isoformat(), valid_to=end.isoformat())
    if not start <= as_of <= end:
        assert validity(one, as_of) != "in_force"
    told = notice(one, as_of)
    assert (told.kind if told else None) == {"in_force": None, "not_applicable": None}.get(
        validity(one, as_of), validity(one, as_of)
    )


@pytest.mark.parametrize(
    ("meta", "as_of", "words"),
    [
        (POLICY, date(2026, 1, 2), ["到2025年5月31日为止", "截至2026年1月2日", "不是现行规定"]),
        ({"doc_type": "policy", "status": "expired"}, date(2026, 1, 2), ["已失效", "不是现行规定"]),
        ({"doc_type": "policy", "status": "superseded"}, date(2026, 1, 2), ["已被后来的文件替代"]),
        (POLICY, date(2023, 5, 2), ["自2023年6月1日起执行", "截至2023年5月2日", "尚未生效"]),
        ({"doc_type": "guide"}, date(2026, 1, 2), ["申报指南", "没有写明", "请向主管部门核实"]),
    ],
)
def test_a_notice_says_why_and_since_when(meta: dict[str, str], as_of: date, words: list[str]) -> None:
    told = notice(document(**meta), as_of)
    assert told and told.document_id == "d" and told.text.startswith("《扶持办法》")
    assert all(word in told.text for word in words)


@pytest.mark.parametrize(
    ("text", "published", "day"),
    [
        ("计划2026年9月完工", "2025-05-01", "2026年9月"),
        ("计划2026年11月完工", "2025-05-01", ""),  # the month is not over
        ("到2025年，全产业链年产值突破500亿元。", "2019-06-10", "2025年"),
        ("2025年目标：税收总额突破200亿元", "2020-11-17", "2025年"),
        ("到2027年，产值力争突破500亿元。", "2019-06-10", ""),  # yet to come
        ("截至2021年4月，首批园区新签项目超600个。", "2020-01-01", ""),
        ("2025年产值500亿元。", "2026-02-01", ""),  # a result
        ("2022-01-06：二期开工，拟2024年投产", "2025-12-16", "2024年"),  # a row of an earlier day
        ("2025年目标500亿元", "2026-02-01", ""),  # told when it was over
        ("计划2025年完成", "", ""),  # nobody knows when it was told
    ],
)
def test_a_plan_whose_day_has_gone_by_is_said_to_be_one(text: str, published: str, day: str) -> None:
    found = overdue_notice(Statement(text, ()), document(published=published), date(2026, 11, 25))
    assert (found is None) is not bool(day)
    assert found is None or (found.kind == "target" and f"计划或目标时间是{day}，截至2026年11月25日已过" in found.text)
