from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from conftest import TODAY, write_corpus
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document as LCDocument
from langchain_core.retrievers import BaseRetriever

from assistant.config import Settings
from assistant.embedding import StaticEmbeddings
from assistant.index import day
from assistant.ingest import Report
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.retrieve import Filters, HybridRetriever
from assistant.schema import hit_to_dict

QUERY = "氢能港的规划面积和产值目标"
SAME = "氢能港位于安亭镇，规划面积2.15平方公里，重点发展氢燃料电池汽车的关键零部件。\n"


def retriever(assistant: Assistant, filters: Filters = TODAY, top_k: int = 10) -> HybridRetriever:
    return HybridRetriever(index=assistant.index, embeddings=assistant._embeddings, filters=filters, top_k=top_k)


@pytest.mark.parametrize(
    "filters",
    [
        TODAY,
        Filters(date(2023, 8, 22)),
        Filters(date(2023, 8, 21)),  # the day before the press briefing
        Filters(date(2026, 11, 24), levels=("市级",)),
        Filters(date(2026, 11, 24), levels=("市级", "区级"), doc_types=("policy",)),
        Filters(date(2022, 1, 1), doc_types=("plan", "news")),
        Filters(date(1999, 1, 1)),  # before everything
    ],
    ids=str,
)
def test_both_arms_search_the_documents_that_pass_and_no_others(jiading: Assistant, filters: Filters) -> None:
    searcher = retriever(jiading, filters, top_k=50)
    passing = [
        d.id
        for d in jiading.index.documents()
        if day(d.metadata) <= int(f"{filters.as_of:%Y%m%d}")
        and (not filters.levels or d.metadata.level in filters.levels)
        and (not filters.doc_types or d.metadata.doc_type in filters.doc_types)
    ]
    masked = np.flatnonzero(filters.mask(jiading.index.rows)).tolist()
    assert {passage.document_id for passage in jiading.index.passages(masked)} == set(passing)
    rankings = searcher.rankings(QUERY)
    assert set(rankings) == {"lexical", "dense"}
    for rows in rankings.values():
        assert set(rows) <= set(masked) and bool(rows) is bool(masked)
    assert {hit.document.id for hit in searcher.hits(QUERY)} <= set(passing)


@pytest.mark.parametrize("spare", [1.5, 1e9], ids=["among more", "compared with each"])
def test_with_a_filter_the_nearest_that_pass_are_found(
    jiading: Assistant, spare: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.chroma.SPARE", spare)
    index, sought = jiading.index, np.array(StaticEmbeddings.load().embed_query(QUERY), np.float32)
    for filters in (
        Filters(date(2026, 11, 24), levels=("区级",)),
        Filters(date(2024, 1, 1), doc_types=("policy", "news")),
    ):
        passing = np.flatnonzero(filters.mask(index.rows)).tolist()
        stored = index.stored(passing)
        nearest = sorted(passing, key=lambda row: float(stored[row] @ sought), reverse=True)[:50]
        found = retriever(jiading, filters).rankings(QUERY)["dense"]
        assert [round(float(stored[row] @ sought), 5) for row in found] == [
            round(float(stored[row] @ sought), 5) for row in nearest
        ]


def test_of_many_that_pass_those_among_the_nearest_of_all_are_found(
    jiading: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.chroma.MOST", 30)
    filters = Filters(date(2026, 11, 24), levels=("区级",))
    nearest = retriever(jiading, Filters(date(2026, 11, 24))).rankings(QUERY)["dense"][:30]
    passing = filters.mask(jiading.index.rows)
    assert np.count_nonzero(passing) > 30 and 0 < len([row for row in nearest if passing[row]]) < 30
    assert retriever(jiading, filters).rankings(QUERY)["dense"] == [row for row in nearest if passing[row]]


def test_nothing_published_later_is_found(jiading: Assistant) -> None:
    """01 was published on 2023-08-22."""
    query = "2023年8月22日发布会 特色产业园区 19家"
    for last, found in ((date(2023, 8, 21), False), (date(2023, 8, 22), True)):
        ids = {hit.document.id[:2] for hit in retriever(jiading, Filters(last)).hits(query)}
        assert ("01" in ids) is found


def test_a_month_is_published_on_its_first_day(small: Assistant) -> None:
    """The draft says 2024-01 only."""
    for last, found in ((date(2023, 12, 31), False), (date(2024, 1, 1), True)):
        hits = retriever(small, Filters(last)).hits("绿色工厂")
        assert ("draft" in {hit.document.id for hit in hits}) is found


def test_near_duplicates_are_folded(tmp_path: Path, run_ingest: Callable[[Path, Path], Report]) -> None:
    documents = {
        "a.md": SAME,
        "b.md": SAME.replace("。", "！"),  # the same but for a mark
        "c.md": SAME.replace("2.15", "2.45"),  # another figure in so short a text is another text
    }
    rows = {name: {"title": f"氢能港之{name[0]}", "published": "2023-01-01"} for name in documents}
    run_ingest(write_corpus(tmp_path / "corpus", documents, rows), tmp_path / "index")
    assistant = load_assistant(Settings(index=tmp_path / "index"))
    hits = retriever(assistant).hits("氢能港规划面积")
    assert len(hits) == 2 and sum("2.15" in hit.passage.text for hit in hits) == 1
    assert len(assistant.search("氢能港规划面积", TODAY)) == 3  # a search shows every source


def test_it_is_a_langchain_retriever(small: Assistant) -> None:
    searcher = retriever(small)
    assert isinstance(searcher, BaseRetriever)
    found = searcher.invoke("氢能港规划面积")
    assert found and all(isinstance(document, LCDocument) for document in found)
    hits = searcher.hits("氢能港规划面积")
    assert [document.page_content for document in found] == [hit.passage.text for hit in hits]
    assert [document.metadata for document in found] == [hit_to_dict(hit) for hit in hits]
    best = found[0].metadata
    assert best["document_id"] == "port" and best["published"] == "2019-06-10"
    text = small.index.document("port").text
    assert text[best["start"] : best["end"]] == found[0].page_content


def test_searching_is_deterministic(jiading: Assistant) -> None:
    assert retriever(jiading).hits(QUERY) == retriever(jiading).hits(QUERY)


@pytest.mark.parametrize("top_k", [1, 3, 20])
def test_hits_are_at_most_top_k_best_first(jiading: Assistant, top_k: int) -> None:
    hits = retriever(jiading, top_k=top_k).hits(QUERY)
    scores = [hit.score for hit in hits]
    assert len(hits) == top_k and scores == sorted(scores, reverse=True)
    assert all(hit.ranks and set(hit.ranks) <= {"lexical", "dense"} for hit in hits)
    assert hits == retriever(jiading, top_k=20).hits(QUERY)[:top_k]


@pytest.mark.parametrize("query", ["", " \n\t", "　"])
def test_a_blank_query_finds_nothing(small: Assistant, query: str) -> None:
    assert retriever(small).hits(query) == []


@given(query=st.text(max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_query_is_searched_and_every_hit_stands_in_its_document(small: Assistant, query: str) -> None:
    for hit in retriever(small).hits(query):
        assert hit.document.text[hit.passage.start : hit.passage.end] == hit.passage.text
