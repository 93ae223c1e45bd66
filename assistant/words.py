"""The ask page's own words in English: one catalogue, whose texts may have places to fill; what it lacks stays Chinese."""

import csv
import re
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]
TAGS: dict[Language, str] = {"zh": "zh-CN", "en": "en"}  # for HTML
ROOTS: dict[Language, str] = {"zh": "", "en": "../"}  # from a language's ask page to the application's root
WORDS = Path(__file__).with_name("words.csv")

_PLACE = re.compile(r"\\\{(\w+)\\\}")
_FORMS = {
    "name": "《.*》",
    "names": "《.*》",
    "kind": "[^（）]+",
    "year": r"\d{4}年?",
}  # of what fills a place, where not anything will do
_DAY = re.compile(r"(\d{4})年(?:(\d{1,2})月)?(?:(\d{1,2})日)?")


def language_of(path: str) -> Language:
    """Return the language of the ask page at a path of the application."""
    return "en" if path == "/en" or path.startswith("/en/") else "zh"


@cache
def catalogue() -> dict[str, str]:
    """Return each Chinese text's English."""
    with WORDS.open(encoding="utf-8", newline="") as file:
        return {row["chinese"]: row["english"] for row in csv.DictReader(file)}


def say(text: str, language: Language, **values: object) -> str:
    """Return a text of the catalogue in a language, its places filled."""
    return (catalogue().get(text, text) if language == "en" else text).format(**values)


def said(text: str, language: Language) -> str:
    """Return in a language what was put together elsewhere, as a notice is: by the first text of the catalogue that fits it."""
    if language == "zh" or not text:
        return text
    if text in catalogue():
        return catalogue()[text]
    for pattern, english in _patterns():
        if match := pattern.fullmatch(text):
            return english.format(**{name: _told(value) for name, value in match.groupdict().items()})
    return text


def _told(value: str) -> str:
    """Return what fills a place: a day as an ISO date, a text of the catalogue in English, all else as it stands."""
    if day := _DAY.fullmatch(value):
        return "-".join(f"{int(part):02d}" for part in day.groups() if part)
    return catalogue().get(value, value)


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(_PLACE.sub(_group, re.escape(chinese)), re.DOTALL), english)
        for chinese, english in catalogue().items()
        if "{" in chinese
    ]


def _group(match: re.Match[str]) -> str:
    return f"(?P<{match[1]}>{_FORMS.get(match[1], '.+?')})"
