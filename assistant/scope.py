"""What a reader limits an answer to: a day, levels and types of document."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from assistant.index import DOC_TYPES, LEVELS, Index
from assistant.retrieve import Filters
from assistant.schema import DOC_TYPE_LABELS, Level
from assistant.words import Language, say

CHOICES: tuple[Level, ...] = tuple(level for level in LEVELS if level)


@dataclass(frozen=True, slots=True)
class Scope:
    """What stands in the page's fields: the day as it is written, levels, and types by their keys."""

    day: str = ""
    levels: Sequence[str] = ()
    doc_types: Sequence[str] = ()

    def filters(self, as_of: date) -> Filters:
        """Return the documents that may answer on a day; what is no level or type limits nothing."""
        levels = tuple(level for level in CHOICES if level in self.levels)
        return Filters(as_of, levels, tuple(kind for kind in DOC_TYPE_LABELS if kind in self.doc_types))

    def chosen(self, language: Language) -> list[tuple[str, str]]:
        """Return each limit and its name."""
        filters = self.filters(date.min)
        names = [*((level, level) for level in filters.levels), *((k, DOC_TYPE_LABELS[k]) for k in filters.doc_types)]
        return [(key, say(name, language)) for key, name in names]

    def named(self, language: Language) -> str:
        """Return the limits in words, "" if there are none."""
        return ("、" if language == "zh" else ", ").join(name for _, name in self.chosen(language))


def held(index: Index, language: Language = "zh") -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the levels and the types of the documents in an index, each with its name first, in their own order."""
    rows = index.rows[index.alive]
    levels, types = (
        {names[place] for place in np.unique(rows[column]).tolist()}
        for column, names in (("level", LEVELS), ("doc_type", DOC_TYPES))
    )
    return [(say(level, language), level) for level in CHOICES if level in levels], [
        (say(name, language), key) for key, name in DOC_TYPE_LABELS.items() if key in types
    ]


def among(limits: object, index: Index) -> tuple[list[str], list[str]]:
    """Return the levels and the types among what a browser kept, those alone that the documents in an index have."""
    kept = limits if isinstance(limits, list) else []
    levels, types = ([key for _, key in one if key in kept] for one in held(index))
    return levels, types
