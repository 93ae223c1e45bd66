"""What a reader's browser keeps of a conversation, and how it is read back; what comes back may be anything."""

from dataclasses import replace

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from assistant.desk import MAX_QUESTION
from assistant.schema import Answer, Document, Hit, Passage
from assistant.viewer import AnswerView

MOST = 40  # exchanges
MAX_BYTES = 140_000  # of them all; they come back within one request, which MAX_BODY limits

_ANSWER = TypeAdapter(Answer)


def kept(view: AnswerView) -> str:
    """Return what is kept of an answer, as JSON: what the page shows of it, of its hits the nearest documents."""
    hits = tuple(_shortened(hit) for hit in view.nearest)
    answer = replace(view.answer, hits=hits, query="", timings_ms={})
    return _ANSWER.dump_json(answer, exclude_defaults=True).decode()


def restored(text: str) -> list[Answer]:
    """Return the answers of a JSON list of what was kept, newest last; leave out what is none, all of it if there is too much."""
    try:
        found = from_json(text) if 0 < len(text.encode()) <= MAX_BYTES else []
    except ValueError:
        return []
    read = map(_read, found[-MOST:] if isinstance(found, list) else [])
    return [answer for answer in read if answer and 0 < len(answer.question.strip()) <= MAX_QUESTION]


def _read(one: object) -> Answer | None:
    try:
        return _ANSWER.validate_python(one)
    except ValidationError:
        return None


def _shortened(hit: Hit) -> Hit:
    """Return a hit without what is not shown: its place stands for the headings, its document has no text."""
    place, passage = (hit.place,) if hit.place else (), hit.passage
    return Hit(
        Passage("", passage.document_id, place, passage.text, passage.start, passage.end),
        Document(hit.document.id, hit.document.title, ""), 0.0,
    )  # fmt: skip
