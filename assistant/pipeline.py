"""The path of a question, top to bottom: condense → retrieve (and rerank) → compose → verify → answer."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Protocol

from langchain_core.embeddings import Embeddings

from assistant import compose, validity
from assistant.embedding import StaticEmbeddings
from assistant.errors import AssistantError
from assistant.index import Index
from assistant.question import Question, read
from assistant.rerank import Reranker, rerank
from assistant.retrieve import Filters, HybridRetriever
from assistant.schema import Answer, Hit, Notice, Statement, Turn
from assistant.verify import verify

TOP_K = 20  # passages that may answer
NEAREST = 3  # titles named when nothing answers


class Generator(Protocol):
    """Writes statements from hits with a chat model; raises ModelError when it cannot."""

    def __call__(self, question: str, hits: Sequence[Hit], as_of: date) -> tuple[Statement, ...]:
        """Return the statements written."""
        ...  # pragma: no cover


class Assistant:
    """Answers questions from one index generation; holds no conversation state, and may be shared by threads."""

    def __init__(
        self, index: Index, embeddings: Embeddings, reranker: Reranker = rerank, generate: Generator | None = None
    ) -> None:
        self.index, self._embeddings, self._reranker, self._generate = index, embeddings, reranker, generate
        # Sentences are always read with the shipped model: the evidence model was fitted on its similarities.
        self._units = embeddings if isinstance(embeddings, StaticEmbeddings) else StaticEmbeddings.load()

    def close(self) -> None:
        """Release the index's files."""
        self.index.close()

    def search(self, question: str, filters: Filters, top_k: int = TOP_K, history: Sequence[Turn] = ()) -> list[Hit]:
        """Return up to top_k hits, best first; passages that say the same are all there, each with its source."""
        return self._retrieve(self.read(question, history), filters, top_k, fold=False)

    def read(self, question: str, history: Sequence[Turn]) -> Question:
        """Return the question read with the corpus's glossary."""
        return read(question, history, self.index.manifest.glossary)

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        """Answer a question as of `filters.as_of` (today unless given). Abstaining is an answer, not an error."""
        filters = filters or Filters(date.today())
        question = question.encode("utf-8", "replace").decode()  # half a character is no text
        timings: dict[str, float] = {}
        with _timed(timings, "condense"):
            asked = self.read(question, history)
        with _timed(timings, "retrieve"):
            hits = self._retrieve(asked, filters, TOP_K, fold=True)
        with _timed(timings, "compose"):
            draft = compose.compose(asked, hits, self.index.lexical.weight, self._units.encode)
            notices = [_corrected(asked), *draft.notices] if asked.mended else list(draft.notices)
            statements = draft.statements
        if statements and self._generate:
            with _timed(timings, "generate"):
                statements = self._generated(question, hits, filters.as_of, statements, notices)
        with _timed(timings, "verify"):
            kept = verify(statements, self.index.document)
        if len(kept) < len(statements):
            notices.append(_withheld(len(statements) - len(kept)))
        notices += self._about(kept, filters.as_of) if kept else [_not_found(hits)]
        confidence = draft.confidence if kept else min(draft.confidence, compose.ANSWERED)
        return Answer(
            question, asked.query, filters.as_of, kept, tuple(hits), tuple(notices), confidence,
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
        )
        return retriever.hits(question.query)

    def _generated(
        self, question: str, hits: Sequence[Hit], as_of: date, quoted: tuple[Statement, ...], notices: list[Notice]
    ) -> tuple[Statement, ...]:
        """Return the model's statements that hold, or the quoted ones with a notice."""
        assert self._generate
        try:
            proposed = self._generate(question, hits, as_of)
            written = verify(proposed, self.index.document)
        except AssistantError as error:
            notices.append(Notice("generator_failed", f"{error}，以下为资料原文摘录。"))
            return quoted
        if not written:
            notices.append(Notice("generator_failed", "大模型的回答没有通过引文核对，以下为资料原文摘录。"))
        elif len(written) < len(proposed):
            notices.append(_withheld(len(proposed) - len(written)))
        return written or quoted

    def _about(self, statements: Sequence[Statement], as_of: date) -> list[Notice]:
        """Return what must be known of the documents cited."""
        ids = dict.fromkeys(citation.document_id for s in statements for citation in s.citations)
        found = (validity.notice(self.index.document(i), as_of, self.index.successors.get(i, ())) for i in ids)
        return [notice for notice in found if notice]


def _withheld(count: int) -> Notice:
    return Notice("withheld", f"有{count}句因引文不支持而没有给出。")


def _corrected(question: Question) -> Notice:
    pairs = "、".join(f"“{wrong}”按“{name}”" for wrong, name in question.mended)
    return Notice("corrected", f"问题中的{pairs}查找。")


def _not_found(hits: Sequence[Hit]) -> Notice:
    titles = list(dict.fromkeys(f"《{hit.document.title}》" for hit in hits))[:NEAREST]
    nearest = f"最接近的资料是{'、'.join(titles)}。" if titles else ""
    return Notice("not_found", f"资料中没有能回答这个问题的内容。{nearest}")


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    timings[stage] = (time.perf_counter() - start) * 1000
