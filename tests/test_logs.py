"""The log: one line an event, and no message of a failure that may quote what was asked."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import CorpusError
from assistant.logs import FORMATS, Lines

SECRET = "某企业的问题"


def written(form: str, event: str, error: Exception | None = None, **extra: object) -> str:
    record = logging.makeLogRecord({"msg": event, "levelname": "INFO", **extra})
    if error:
        try:
            raise error
        except type(error):
            import sys

            record.exc_info = sys.exc_info()
    return Lines(form).format(record)


@pytest.mark.parametrize("form", FORMATS)
@given(value=st.text())
def test_whatever_is_logged_is_one_line(form: str, value: str) -> None:
    assert len(written(form, "request", route=value).split("\n")) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_of_a_failure_the_kind_and_place_are_told_and_not_its_message(form: str) -> None:
    line = written(form, "unforeseen failure", KeyError(SECRET))
    assert "KeyError" in line and "test_logs.py" in line and SECRET not in line


def test_a_message_of_ours_is_told() -> None:
    assert json.loads(written("json", "failed", CorpusError("第2行缺标题")))["said"] == "第2行缺标题"
