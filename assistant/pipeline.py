"""The path of a question, top to bottom: condense → retrieve (and rerank) → compose → verify → answer."""

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import date
from functools import cached_property, partial
from typing import Any, Literal, Protocol

from langchain_core.embeddings import Embeddings

from assistant import compose, validity
from assistant.candidate import Candidate, row_text
from assistant.catalog import written
from assistant.embedding import StaticEmbeddings
from assistant.errors import AssistantError
from assistant.evidence import calibrated
from assistant.guard import route
from assistant.index import Index
from assistant.lexical import gram_set, holds
from assistant.question import Question, read, without_phrases
from assistant.rerank import Reranker, as_found, rerank
from assistant.retrieve import WEIGHTS, Filters, HybridRetriever, ranked
from assistant.schema import Answer, Document, Hit, Notice, Statement, Turn
from assistant.split import split, units
from assistant.text import normalise
from assistant.verify import verify

TOP_K = 20  # passages that may answer
Component = Literal["lexical", "dense", "rerank", "validity"]
ONLY = "本助手只收录嘉定产业园区与政策的资料。"
_OFFICE = re.compile("(?:区长|书记|主任|局长|镇长)(?:是谁|叫|姓)|谁.{0,4}(?:区长|书记|主任|局长|镇长)")
NEAREST = 3  # titles named when nothing answers
NEAR_SHARE = 0.3  # least share of the question's bigrams in a passage with its title that is near


class Generator(Protocol):
    """Writes statements from hits with a chat model; raises ModelError when it cannot."""

    def __call__(self, question: str, hits: Sequence[Hit], as_of: date) -> tuple[Statement, ...]:
        """Return the statements written."""
        ...  # pragma: no cover


class Assistant:
    """Answers questions from one index generation; holds no conversation state, and may be shared by threads."""

    def __init__(
        self, index: Index, embeddings: Embeddings, reranker: Reranker = rerank, generate: Generator | None = None,
        without: Collection[Component] = (), setup: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Answer without some components, to see what each is worth; `setup` says what the rest was made with."""
        self.index, self._embeddings, self._generate = index, embeddings, generate
        self._reranker = as_found if "rerank" in without else reranker
        self._arms = tuple(arm for arm in WEIGHTS if arm not in without)
        self._mind_validity = "validity" not in without
        self.setup = {**(setup or {}), "without": sorted(without)}
        # Sentences are always read with the shipped model: the evidence model was fitted on its similarities.
        self._units = embeddings if isinstance(embeddings, StaticEmbeddings) else StaticEmbeddings.load()

    def over(self, index: Index) -> "Assistant":
        """Return the same assistant over another generation of its index, with the models that are loaded."""
        other = copy(self)
        other.index = index
        other.__dict__.pop("_contacts", None)
        return other

    def close(self) -> None:
        """Release the index's files."""
        self.index.close()

    def ablated(self, without: Collection[Component]) -> "Assistant":
        """Return an assistant over the same index and models that answers without some components."""
        return Assistant(self.index, self._embeddings, self._reranker, self._generate, without, self.setup)

    def search(self, question: str, filters: Filters, top_k: int = TOP_K, history: Sequence[Turn] = ()) -> list[Hit]:
        """Return up to top_k hits, best first; passages that say the same are all there, each with its source."""
        return self._retrieve(self.read(question, history, filters.as_of), filters, top_k, fold=False)

    def read(self, question: str, history: Sequence[Turn], as_of: date) -> Question:
        """Return the question, asked on a day, read with the corpus's glossary."""
        return read(question, history, self.index.manifest.glossary, as_of)

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        """Answer a question as of `filters.as_of` (today unless given). Abstaining is an answer, not an error."""
        filters = filters or Filters(date.today())
        question = _whole(question)
        timings: dict[str, float] = {}
        with _timed(timings, "condense"):
            asked = self.read(question, history, filters.as_of)
            signpost = route(question)
        if signpost:
            return self._result(question, asked, filters.as_of, (), (), (signpost,), 0.0, timings)
        with _timed(timings, "retrieve"):
            hits = self._retrieve(asked, filters, TOP_K, fold=True)
        return self._answer(question, asked, hits, filters.as_of, timings)

    def ask_over(self, question: str, documents: Sequence[Document], as_of: date, fill: int = 0) -> Answer:
        """Answer from these documents alone, as if nothing else were indexed; their passages are ranked, none dropped.

        An answer of fewer than `fill` statements gets the next likely ones.
        """
        question = _whole(question)
        timings: dict[str, float] = {}
        with _timed(timings, "condense"):
            asked = self.read(question, (), as_of)
        with _timed(timings, "retrieve"):
            found = [Hit(passage, document, 1.0) for document in documents for passage in split(document)]
            hits = ranked(found, self._reranker(asked.query, found, self.index.lexical))
        return self._answer(question, asked, hits, as_of, timings, fill)

    def _answer(
        self, question: str, asked: Question, hits: Sequence[Hit], as_of: date, timings: dict[str, float], fill: int = 0
    ) -> Answer:
        """Return the answer that the hits give: composed, perhaps written anew, verified, with what must be known."""
        documents = {one.document.id: one.document for hit in hits for one in (hit, *hit.twins)}
        with _timed(timings, "compose"):
            stands = partial(self._stands, as_of=as_of)
            draft = compose.compose(asked, hits, self.index.lexical.weight, self._units.recall, stands, fill)
            notices: list[Notice] = [*_understood(asked), *draft.notices]
            statements = draft.statements
        if statements and self._generate:
            with _timed(timings, "generate"):
                statements = self._generated(question, hits, documents, as_of, statements, notices)
        with _timed(timings, "verify"):
            kept = verify(statements, documents.__getitem__)
        if len(kept) < len(statements):
            notices.append(_withheld(len(statements) - len(kept)))
        about: list[Notice | None] = []
        if kept:
            about += [_in_office(asked, kept), *self._about(kept, documents, as_of)]
        else:
            notices.insert(0, _not_found(asked, hits, shown=bool(draft.notices)))
        if not kept or any("procedure" in aspect.kinds for aspect in asked.aspects):
            about += self._whom_to_ask(asked)
        about += [self._notice(document, as_of) for document in draft.outdated]
        shown = {notice.document_id for notice in draft.notices if notice.kind in ("nearest", "period")}
        about += [self._notice(documents[key], as_of) for key in sorted(shown & documents.keys())]
        notices = list(dict.fromkeys(notice for notice in (*notices, *about) if notice))
        confidence = calibrated(draft.confidence if kept else min(draft.confidence, compose.ANSWERED))
        return self._result(question, asked, as_of, kept, hits, notices, confidence, timings)

    def _result(
        self, question: str, asked: Question, as_of: date, statements: tuple[Statement, ...], hits: Sequence[Hit],
        notices: Sequence[Notice], confidence: float, timings: dict[str, float],
    ) -> Answer:  # fmt: skip
        return Answer(
            question, asked.query, as_of, statements, tuple(hits), tuple(notices), confidence,
            {**timings, "total": sum(timings.values())}, self.index.manifest.generation,
        )  # fmt: skip

    def _retrieve(self, question: Question, filters: Filters, top_k: int, fold: bool) -> list[Hit]:
        retriever = HybridRetriever(
            index=self.index,
            embeddings=self._embeddings,
            reranker=self._reranker,
            filters=filters,
            top_k=top_k,
            fold=fold,
            arms=self._arms,
        )
        return retriever.hits(question.query)

    def _generated(
        self, question: str, hits: Sequence[Hit], documents: Mapping[str, Document], as_of: date,
        quoted: tuple[Statement, ...], notices: list[Notice],
    ) -> tuple[Statement, ...]:  # fmt: skip
        """Return the model's statements that hold, or the quoted ones with a notice."""
        assert self._generate
        try:
            proposed = self._generate(question, hits, as_of)
            written = verify(proposed, documents.__getitem__)
        except AssistantError as error:
            notices.append(Notice("generator_failed", f"{error}，以下为资料原文摘录。"))
            return quoted
        if not written:
            notices.append(Notice("generator_failed", "大模型的回答没有通过引文核对，以下为资料原文摘录。"))
        elif len(written) < len(proposed):
            notices.append(_withheld(len(proposed) - len(written)))
        return written or quoted

    def _whom_to_ask(self, asked: Question) -> list[Notice]:
        """Return the contacts for the matters that the question names."""
        return [notice for matters, notice in self._contacts if any(matter in asked.query for matter in matters)]

    @cached_property
    def _contacts(self) -> list[tuple[list[str], Notice]]:
        """The rows of the lists of contacts, each with the matters that its first cell names, normalised."""
        return [
            (normalise(unit.cells[0][1]).split(","),
             Notice("contact", f"可以咨询：{row_text(unit)}（{document.named}）。", document.id))
            for document in self.index.contacts
            for unit in units(document.text, 0, len(document.text))
            if unit.cells
        ]  # fmt: skip

    def _stands(self, candidate: Candidate, as_of: date) -> bool:
        """Return whether what a unit says holds on that day, as far as it or its document tells."""
        if not self._mind_validity:
            return True
        document = candidate.hit.document
        states = ("expired", "superseded", "draft", "not_yet_valid")
        if validity.validity(document, as_of, self.index.successors.get(document.id, ())) in states:
            return False
        return validity.passage_validity(candidate.own, candidate.around, document, as_of)[0] not in states

    def _notice(self, document: Document, as_of: date) -> Notice | None:
        successors = self.index.successors.get(document.id, ())
        return validity.notice(document, as_of, successors) if self._mind_validity else None

    def _about(
        self, statements: Sequence[Statement], documents: Mapping[str, Document], as_of: date
    ) -> list[Notice | None]:
        """Return what must be known of the documents cited, and of the spans that say themselves how they stand."""
        cited: dict[str, list[Statement]] = {}
        for statement in statements:
            for key in dict.fromkeys(citation.document_id for citation in statement.citations):
                cited.setdefault(key, []).append(statement)
        found: list[Notice | None] = []
        for key, citing in cited.items():
            document = documents[key]
            whole = self._notice(document, as_of)
            if self._mind_validity and (whole is None or whole.kind == "unverified"):
                found += [validity.span_notice(statement, document, as_of) for statement in citing]
            found.append(whole)
            if self._mind_validity:
                found += [validity.target_notice(statement, document) for statement in citing]
                if whole is None or whole.kind == "unverified":  # else it is said already to be of the past
                    found += [validity.overdue_notice(statement, document, as_of) for statement in citing]
        return found


def _whole(text: str) -> str:
    """Return the text without halves of a character, as JSON may hold them: they are no text."""
    return text.encode("utf-8", "replace").decode()


def _withheld(count: int) -> Notice:
    return Notice("withheld", f"有{count}句因引文不支持而没有给出。")


def _in_office(asked: Question, statements: Sequence[Statement]) -> Notice | None:
    """Return of which day it is who held an office, where that is asked without a date."""
    told = max((citation.published for one in statements for citation in one.citations), default="")
    if not told or not _OFFICE.search(asked.text) or any(aspect.years or aspect.dated for aspect in asked.aspects):
        return None
    return Notice("period", f"任职情况是{written(told)}的资料所写，现在可能已有变化。")


def _understood(question: Question) -> list[Notice]:
    """Return how the question was read: in Chinese, a misspelt name, a year named by its distance."""
    mended = "、".join(f"“{wrong}”按“{name}”" for wrong, name in question.mended)
    resolved = "、".join(f"“{word}”按{year}年" for word, year in question.resolved)
    return [
        *(
            [Notice("corrected", "英文问题按词表逐词读成中文后查找，回答是资料的中文原文。")]
            if question.foreign
            else []
        ),
        *([Notice("corrected", f"问题中的{mended}查找。")] if mended else []),
        *([Notice("period", f"问题中的{resolved}查找。")] if resolved else []),
    ]


def _not_found(asked: Question, hits: Sequence[Hit], shown: bool) -> Notice:
    """Return that nothing answers, with the nearest titles, if any has some of the question's words.

    `shown` is whether something near is shown beside it.
    """
    grams = gram_set(without_phrases(asked.query))
    near = (
        hit for hit in hits
        if sum(any(holds(normalise(text), gram) for text in (hit.document.title, hit.passage.text)) for gram in grams) >= NEAR_SHARE * len(grams)
    )  # fmt: skip
    titles = list(dict.fromkeys(hit.document.named for hit in near))[:NEAREST]
    nearest = f"最接近的资料是{'、'.join(titles)}。" if titles else "" if shown else ONLY
    return Notice("not_found", f"资料中没有能回答这个问题的内容。{nearest}")


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings[stage] = (time.perf_counter() - start) * 1000
