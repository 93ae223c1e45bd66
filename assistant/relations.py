"""Which document replaces which, read off the documents of an index as a whole."""

import json
import re
import sqlite3
from collections.abc import Iterator


def replaced(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield (old id, new id) of what documents replace: named by file, by id, or by title as a policy names it.

    A document of that title that was published later (the new one's, or on it) is not replaced.
    """
    query = "SELECT id, json_extract(metadata, '$.supersedes') AS olds FROM documents WHERE olds != '[]' ORDER BY id"
    named = [(key, json.loads(olds)) for key, olds in connection.execute(query)]
    if not named:
        return
    titled: dict[str, list[str]] = {}
    published: dict[str, str] = {}
    query = "SELECT id, title, json_extract(metadata, '$.published') FROM documents ORDER BY id"
    for key, title, when in connection.execute(query):
        published[key] = when
        for name in (title, *re.findall(r"《((?:[^《》]|《[^》]*》)+)》", title)):
            titled.setdefault(_bare(name), []).append(key)
    for key, olds in named:
        for old in olds:
            if old.removesuffix(".md") in published:
                yield old.removesuffix(".md"), key
                continue
            when = published[key]
            yield from (
                (other, key)
                for other in titled.get(_bare(old), [])
                if other != key and (not when or not published[other] or published[other] < when)
            )


def _bare(title: str) -> str:
    return re.sub(r"[\W_]|^上海市(?=嘉定区)", "", title)
