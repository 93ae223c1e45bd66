"""The engines that hold the vectors: real ones, each held to what the embedded Chroma gives."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from conftest import CORPUS, DOCUMENTS, ROOT, ROWS, TODAY, served, write_corpus
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore

from assistant.config import Settings
from assistant.embedding import StaticEmbeddings
from assistant.errors import SettingsError, StaleIndexError, StoreError
from assistant.index import Index, manifest_of, read_manifest
from assistant.ingest import RETIRED, Report, ingest
from assistant.milvus import Milvus
from assistant.models import load_assistant, load_store
from assistant.retrieve import Filters, HybridRetriever
from assistant.stores import EMBEDDED, ChromaServer, search_of
from assistant.vectors import release
from eval.conformance import ENGINES, Outcome, chroma_server, measure, milvus_server, same_passages
from eval.testset import read_testset

OTHERS = [name for name in ENGINES if name != "chroma"]
AREA = "氢能港规划面积多大？"
EVERY = 20  # of the test set's questions, one is asked here; `python -m eval.conformance` asks them all


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server of each sort, and the settings that lead to them."""
    folder = tmp_path_factory.mktemp("servers")
    with chroma_server(folder / "chroma") as chroma, milvus_server(folder / "milvus") as milvus:
        yield {"chroma server": chroma, "milvus server": milvus}


@pytest.fixture(params=["chroma server", "milvus server"])
def settings(request: pytest.FixtureRequest, addresses: dict[str, str], tmp_path: Path) -> Settings:
    """Settings that lead to a server and to an index of the tiny corpus, not yet built."""
    write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS)
    return Settings(tmp_path / "corpus", tmp_path / "index", store=addresses[request.param])


@pytest.fixture
def bring_in(embeddings: StaticEmbeddings) -> Callable[..., Report]:
    """Ingest the corpus of some settings, after the area in it has been changed if one is given."""

    def run(settings: Settings, area: str = "2.15") -> Report:
        port = DOCUMENTS["port.md"].replace("2.15", area)
        (settings.corpus / "documents" / "port.md").write_text(port, encoding="utf-8")
        engine = load_store(settings)
        return ingest([settings.corpus], settings.index, embeddings, embeddings.fingerprint, lambda *_: None, engine)

    return run


def said(settings: Settings) -> str:
    with closing(load_assistant(settings)) as assistant:
        return "\n".join(statement.text for statement in assistant.ask(AREA, filters=TODAY).statements)


def collections(settings: Settings) -> set[str]:
    """Return what the server holds of ours."""
    engine = load_store(settings)
    if isinstance(engine, Milvus):
        with closing(engine.client()) as client:
            return set(client.list_collections())
    assert isinstance(engine, ChromaServer)
    client = engine.client(Path())
    found = {one.name for one in client.list_collections()}
    release(client)
    return found


def named(settings: Settings) -> set[str]:
    """Return the collections that the index's generations name."""
    return {manifest_of(file.parent).collection for file in settings.index.glob("*/manifest.json")}


# Every engine gives what the embedded Chroma gives.


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return measure("chroma", tmp_path_factory.mktemp("chroma"), [CORPUS], read_testset()[::EVERY], TODAY.as_of)


def test_the_default_finds_what_comparing_with_every_passage_finds(reference: Outcome) -> None:
    assert all(one.exact == {"lexical": True, "dense": True} for one in reference.asked)


@pytest.mark.parametrize("engine", OTHERS)
def test_every_engine_gives_the_same_passages_and_answers(engine: str, tmp_path: Path, reference: Outcome) -> None:
    outcome = measure(engine, tmp_path, [CORPUS], read_testset()[::EVERY], TODAY.as_of)
    for one, other in zip(outcome.asked, reference.asked, strict=True):
        assert all(one.exact.values()) and same_passages(one, other) and one.answer == other.answer


def test_the_engine_filters_by_date_level_and_type(
    settings: Settings, bring_in: Callable[..., Report], embeddings: StaticEmbeddings
) -> None:
    bring_in(settings)
    index = Index.open(settings.index, embeddings.fingerprint, load_store(settings))
    for filters in (
        TODAY,
        Filters(date(2023, 8, 21)),  # published by a day
        Filters(date(2026, 11, 24), levels=("市级",)),
        Filters(date(2026, 11, 24), levels=("市级", "区级"), doc_types=("plan",)),
        Filters(date(1999, 1, 1)),  # before everything
    ):
        retriever = HybridRetriever(index=index, embeddings=embeddings, filters=filters)
        passing = set(np.flatnonzero(filters.mask(index.rows)).tolist())
        found = retriever.rankings("氢能港的规划面积和扶持办法的奖励")
        assert set(found["dense"]) == passing and set(found["lexical"]) <= passing
        assert bool(found["lexical"]) is bool(passing)
    index.close()


# Generations: switched to at once, never mixed, cleared away.


def test_a_generation_is_a_collection_and_the_switch_leaves_readers_what_they_opened(
    settings: Settings, bring_in: Callable[..., Report]
) -> None:
    before = collections(settings)
    first = bring_in(settings).update
    assert collections(settings) - before == named(settings) == {first.manifest.collection}
    assert first.manifest.generation in first.manifest.collection
    assert not bring_in(settings).update.switched
    with closing(load_assistant(settings)) as reader:
        second = bring_in(settings, "3.75").update
        assert second.embedded == 1  # the other vectors come from the collection before
        assert "2.15" in "".join(s.text for s in reader.ask(AREA, filters=TODAY).statements)
        assert "3.75" in said(settings)
    bring_in(settings, "4.75")
    assert "4.75" in said(settings) and len(named(settings)) == 3  # the first may have readers yet
    assert collections(settings) - before == named(settings)
    os.utime(settings.index / first.manifest.generation / RETIRED, (0, 0))
    assert bring_in(settings, "5.75").update.switched and len(named(settings)) == 3
    assert collections(settings) - before == named(settings)
    assert first.manifest.collection not in collections(settings)


def test_a_generation_that_comes_back_is_in_service_and_not_counted_as_out_of_it(
    settings: Settings, bring_in: Callable[..., Report]
) -> None:
    first = bring_in(settings).update.manifest
    bring_in(settings, "3.75")
    os.utime(settings.index / first.generation / RETIRED, (0, 0))
    assert bring_in(settings).update.manifest == first and "2.15" in said(settings)
    bring_in(settings, "4.75")
    bring_in(settings, "5.75")
    assert first.collection in collections(settings)


KILLED = """
import os, signal, sys
import assistant.ingest as ingest
from assistant.build import Builder
from assistant.cli import app

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

finish = Builder.finish
if sys.argv.pop(1) == "filled":  # all is written, and nothing says so yet
    Builder.finish = lambda self: (finish(self), die())
else:  # complete, but for the switch
    ingest._switch = die
app()
"""


@pytest.mark.parametrize("moment", ["filled", "complete"])
def test_a_writer_killed_before_the_switch_leaves_the_former_generation_and_the_next_clears_up(
    settings: Settings, bring_in: Callable[..., Report], moment: str
) -> None:
    before = collections(settings)
    former = bring_in(settings).update.manifest
    port = settings.corpus / "documents" / "port.md"
    port.write_text(port.read_text(encoding="utf-8").replace("2.15", "9.99"), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JIADING_STORE": settings.store}
    command = [sys.executable, "-c", KILLED, moment, "ingest", str(settings.corpus), "--index", str(settings.index)]
    assert subprocess.run(command, capture_output=True, env=environment).returncode == -9
    assert len(collections(settings) - before) == 2  # the killed writer's is there
    assert read_manifest(settings.index) == former and "2.15" in said(settings)
    bring_in(settings, "3.75")
    assert "3.75" in said(settings)
    assert collections(settings) - before == named(settings) and len(named(settings)) == 2


def test_a_lost_collection_is_told_and_built_again(settings: Settings, bring_in: Callable[..., Report]) -> None:
    collection = bring_in(settings).update.manifest.collection
    load_store(settings).remove(collection)
    with pytest.raises(StaleIndexError, match="ingest"):
        load_assistant(settings)
    assert bring_in(settings).update.switched and "2.15" in said(settings)


def test_the_engine_changes_with_the_setting_and_the_next_ingest(
    settings: Settings, bring_in: Callable[..., Report], tmp_path: Path
) -> None:
    embedded = Settings(settings.corpus, settings.index)
    assert bring_in(embedded).update.manifest.store == EMBEDDED.address
    with pytest.raises(StaleIndexError, match="JIADING_STORE"):
        load_assistant(settings)
    changed = bring_in(settings).update
    assert changed.switched and changed.added == changed.changed == 0 and "2.15" in said(settings)
    assert bring_in(embedded, "3.75").update.switched and "3.75" in said(embedded)


# What cannot be done is said.


def test_an_engine_that_is_away_is_said_and_the_index_stays(
    tmp_path: Path, bring_in: Callable[..., Report], embeddings: StaticEmbeddings
) -> None:
    for number, serve in enumerate((chroma_server, milvus_server)):
        folder = tmp_path / str(number)
        write_corpus(folder / "corpus", DOCUMENTS, ROWS)
        with serve(folder / "engine") as address:
            settings = Settings(folder / "corpus", folder / "index", store=address)
            manifest = bring_in(settings).update.manifest
            assistant = load_assistant(settings)
            assert assistant.ask(AREA, filters=TODAY).statements
        with pytest.raises(StoreError, match="连不上"):
            assistant.ask(AREA, filters=TODAY)
        for use in (load_assistant, bring_in):
            with pytest.raises(StoreError, match="JIADING_STORE"):
                use(settings)
        assert read_manifest(settings.index) == manifest
        assert (settings.index / manifest.generation / "corpus.sqlite").exists()
        assistant.close()


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes every connection and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("kind", ["chroma", "milvus"])
def test_an_engine_that_does_not_answer_is_not_waited_for(
    kind: str, silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChromaServer.client, "__defaults__", (0.5,))
    monkeypatch.setattr("assistant.milvus.WAIT_S", 0.5)
    engine = load_store(Settings(store=f"{kind}+{silent}"))
    for use in (lambda: engine.open(tmp_path, "passages"), lambda: engine.remove("passages")):
        with pytest.raises(StoreError, match="JIADING_STORE"):
            use()


def test_readiness_follows_the_engine(
    tmp_path: Path, bring_in: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the process runs is another question."""
    monkeypatch.setattr("assistant.pulse.FRESH_S", 0.0)
    for number, serve in enumerate((chroma_server, milvus_server)):
        folder = tmp_path / str(number)
        write_corpus(folder / "corpus", DOCUMENTS, ROWS)
        with ExitStack() as opened:
            settings = Settings(
                folder / "corpus", folder / "index", store=opened.enter_context(serve(folder / "engine"))
            )
            bring_in(settings)
            with served(load_assistant(settings)) as address:
                assert httpx.get(f"{address}/readyz", timeout=20).status_code == 200
                opened.close()
                told = httpx.get(f"{address}/readyz", timeout=20)
                assert told.status_code == 503 and "向量库" in told.json()["error"]["message"]
                assert httpx.get(f"{address}/healthz").status_code == 200


def test_a_server_that_goes_away_while_it_is_filled_leaves_the_former_generation(
    tmp_path: Path, bring_in: Callable[..., Report], embeddings: StaticEmbeddings
) -> None:
    write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS)
    with ExitStack() as server:
        settings = Settings(
            tmp_path / "corpus", tmp_path / "index", store=server.enter_context(chroma_server(tmp_path / "engine"))
        )
        manifest = bring_in(settings).update.manifest
        write_corpus(tmp_path / "corpus", {"port.md": "# 概况\n\n氢能港规划面积3.75平方公里。\n"}, ROWS)

        def stop(stage: str, *_: int) -> None:
            if stage == "建索引":
                server.close()

        with pytest.raises(StoreError):
            ingest([settings.corpus], settings.index, embeddings, embeddings.fingerprint, stop, load_store(settings))
    assert read_manifest(settings.index) == manifest


def test_a_file_of_milvus_lite_is_for_one_process(tmp_path: Path, bring_in: Callable[..., Report]) -> None:
    write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS)
    file = tmp_path / "milvus.db"
    settings = Settings(tmp_path / "corpus", tmp_path / "index", store=f"milvus:{file}")
    bring_in(settings)
    command = [sys.executable, "-m", "assistant.cli", "ask", AREA, "--index", str(settings.index)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JIADING_STORE": settings.store}
    other = subprocess.run(command, capture_output=True, env=environment, text=True)
    assert (
        other.returncode == StoreError.exit_code and "只供一个进程" in other.stderr and "Traceback" not in other.stderr
    )


def test_a_store_without_an_arm_is_refused(embeddings: StaticEmbeddings) -> None:
    store = InMemoryVectorStore(embeddings)
    with pytest.raises(StoreError, match=r"InMemoryVectorStore.*lexical"):
        search_of(store, "lexical")

    class Bare(VectorStore):
        similarity_search = InMemoryVectorStore.similarity_search  # type: ignore[assignment]
        from_texts = InMemoryVectorStore.from_texts  # type: ignore[assignment]

    with pytest.raises(StoreError, match=r"Bare.*dense"):
        search_of(Bare(), "dense")


@pytest.fixture
def on_milvus(
    tmp_path: Path, addresses: dict[str, str], bring_in: Callable[..., Report]
) -> tuple[Settings, str, Milvus]:
    """The settings of an index of the tiny corpus on a Milvus server, its collection's name, and the server."""
    write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS)
    settings = Settings(tmp_path / "corpus", tmp_path / "index", store=addresses["milvus server"])
    manifest = bring_in(settings).update.manifest
    engine = load_store(settings)
    assert isinstance(engine, Milvus)
    return settings, manifest.collection, engine


def test_a_collection_without_lexical_weights_is_refused(on_milvus: tuple[Settings, str, Milvus]) -> None:
    settings, collection, engine = on_milvus
    with closing(engine.client()) as client:  # as another program makes them
        client.drop_collection(collection)
        client.create_collection(collection, dimension=256)
    with pytest.raises(StoreError, match="词法"):
        load_assistant(settings)


def test_a_collection_that_a_milvus_started_anew_has_not_loaded_is_loaded(
    on_milvus: tuple[Settings, str, Milvus],
) -> None:
    settings, collection, engine = on_milvus
    with closing(load_assistant(settings)) as assistant, closing(engine.client()) as client:
        client.release_collection(collection)
        assert "2.15" in assistant.ask(AREA, filters=TODAY).statements[0].text


def test_a_large_collection_is_searched_approximately_and_answers_the_same(
    tmp_path: Path, addresses: dict[str, str], bring_in: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a collection of three documents counts as large: HNSW finds all of so few."""
    monkeypatch.setattr("assistant.milvus.FLAT_UP_TO", 2)
    write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS)
    settings = Settings(tmp_path / "corpus", tmp_path / "index", store=addresses["milvus server"])
    collection, engine = bring_in(settings).update.manifest.collection, load_store(settings)
    assert isinstance(engine, Milvus)
    with closing(load_assistant(settings)) as assistant, closing(engine.client()) as client:
        assert client.describe_index(collection, "dense")["index_type"] == "HNSW"
        assert "2.15" in assistant.ask(AREA, filters=TODAY).statements[0].text


def test_a_token_is_never_shown(tmp_path: Path) -> None:
    for kind in ("chroma", "milvus"):
        settings = Settings(store=f"{kind}+http://127.0.0.1:1", store_token="sk-123")
        engine = load_store(settings)
        assert "sk-123" not in f"{engine!r} {engine.address}"


def test_a_manifest_of_an_index_built_before_there_were_engines_is_the_embedded_one(
    tmp_path: Path, bring_in: Callable[..., Report]
) -> None:
    settings = Settings(write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS), tmp_path / "index")
    manifest = bring_in(settings).update.manifest
    file = settings.index / manifest.generation / "manifest.json"
    fields: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    del fields["store"], fields["collection"]
    file.write_text(json.dumps(fields), encoding="utf-8")
    assert read_manifest(settings.index) == manifest and "2.15" in said(settings)
    assert not bring_in(settings).update.switched


@pytest.mark.parametrize(
    "store", ["faiss", "chroma+http://u:p@h:1", "chroma+http://h:x", "milvus:store", "milvus+ftp://h", "chroma:x.db"]
)
def test_an_address_that_leads_to_no_engine_is_a_settings_error(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIADING_STORE", store)
    with pytest.raises(SettingsError, match="JIADING_STORE"):
        Settings.read()
