"""An index made on many machines is the one that a single machine makes; Ray runs here with two processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CORPUS, DOCUMENTS, ROOT, ROWS, write_corpus

from assistant.config import Settings
from assistant.embedding import StaticEmbeddings
from assistant.errors import CorpusError, SettingsError
from assistant.index import Index, read_manifest
from assistant.ingest import HERE, Report, ingest
from assistant.models import load_store, load_workers
from eval.conformance import ENGINES

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),  # of its own settings
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves its files and processes to the end
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[str]:
    """Ray on this machine, with two processes; its address."""
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR", object_store_memory=100_000_000)  # fmt: skip
    yield ray.get_runtime_context().gcs_address
    ray.shutdown()


@pytest.fixture
def bring_in(embeddings: StaticEmbeddings) -> Callable[..., Report]:
    """Ingest a path or URI into an index: under Ray, or on one machine."""

    def run(path: Path | str, index: Path, many: bool, store: str = "") -> Report:
        settings = Settings(index=index, store=store)
        with load_workers(settings, "local", "") if many else ExitStack() as workers:
            return ingest(
                [path], index, embeddings, embeddings.fingerprint, lambda *_: None, load_store(settings),
                workers if many else HERE,
            )  # fmt: skip

    return run


def content(index: Path, store: str = "", sources: bool = True) -> dict[str, Any]:
    """Return all that the generation in service is made of, but for the time and the collection's name."""
    manifest = read_manifest(index)
    assert manifest
    opened = Index.open(index, manifest.embedding, load_store(Settings(index=index, store=store)))
    passages = opened.fetch("SELECT * FROM passages ORDER BY row")
    vectors = opened.stored([passage[0] for passage in passages])
    columns = "*" if sources else "id, title, text, metadata, hash"
    lexical = opened.directory / "lexical"
    found = {
        "generation": manifest.generation if sources else "",
        "counts": (manifest.documents, manifest.passages, manifest.segments, manifest.glossary),
        "rows": (opened.directory / "rows.npy").read_bytes(),
        "lexical": {str(file.relative_to(lexical)): file.read_bytes() for file in lexical.rglob("*.npy")},
        "passages": passages,
        "documents": opened.fetch(f"SELECT {columns} FROM documents ORDER BY id"),
        "vectors": [np.asarray(vectors[passage[0]]).tolist() for passage in passages],
        "collection": _entities(opened) if store else None,
    }
    opened.close()
    return found


def _entities(opened: Index) -> list[Any]:
    """Return what Milvus holds, by row."""
    vectors: Any = opened.vectors
    found = vectors._client.query(vectors._name, "row >= 0", output_fields=["*"], limit=10_000)
    return sorted(((one["row"], json.dumps(one, default=str, sort_keys=True)) for one in found), key=lambda one: one[0])


def assert_same(one: dict[str, Any], many: dict[str, Any], again: bool = False) -> None:
    """Hold two indexes to be the same; vectors that one machine took from the generation before, Chroma has rounded."""
    vectors = [np.array(found.pop("vectors")) for found in (one, many)]
    assert [part for part in one if one[part] != many[part]] == []
    np.testing.assert_allclose(*vectors, rtol=0, atol=1e-7 if again else 0)


def kept(index: Path) -> dict[str, int]:
    """Return the files in the staging folder, and when each was written."""
    return {file.name: file.stat().st_mtime_ns for file in (index / "staging").iterdir()}


def lines(file: Path, size: int) -> Path:
    """Write JSON lines of some documents."""
    entries = ({"id": f"d{n}", "text": f"第{n}号园区有{n}家企业，位于第{n % 97}街坊。"} for n in range(size))
    file.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in entries), encoding="utf-8")
    return file


@pytest.mark.parametrize("engine", ["chroma", "milvus lite"])
def test_many_machines_make_the_index_that_one_makes(
    engine: str, tmp_path: Path, bring_in: Callable[..., Report]
) -> None:
    """The shipped corpus, then documents changed, added, withdrawn and refused; a run that finds nothing new changes nothing."""
    corpus = Path(shutil.copytree(CORPUS, tmp_path / "corpus"))
    first, second, *rest = sorted((corpus / "documents").glob("*.md"))
    with ExitStack() as stack:
        stores = [stack.enter_context(ENGINES[engine](tmp_path / name)) for name in ("one", "many")]
        indexes = [tmp_path / "index-one", tmp_path / "index-many"]

        def both() -> list[Report]:
            reports = [
                bring_in(corpus, index, index.name == "index-many", store)
                for index, store in zip(indexes, stores, strict=True)
            ]
            for index, store in zip(indexes, stores, strict=True):  # the addresses differ, and with them the names
                if store:
                    manifest = read_manifest(index)
                    assert manifest and manifest.store == load_store(Settings(store=store)).address
            found = [content(index, store, sources=not store) for index, store in zip(indexes, stores, strict=True)]
            one, many = reports
            assert_same(*found, again=one.update.embedded < len(found[0]["passages"]))
            assert (one.problems, one.update.added, one.update.changed, one.update.removed) == (
                many.problems, many.update.added, many.update.changed, many.update.removed,
            )  # fmt: skip
            return reports

        assert both()[1].update.embedded == len(content(indexes[1], stores[1])["passages"])
        first.write_text(first.read_text(encoding="utf-8").replace("。", "；", 3), encoding="utf-8")
        second.unlink()
        (corpus / "documents" / "新表 #1?.csv").write_text("项目,金额\n技改,30万元\n", encoding="utf-8")
        (corpus / "documents" / "坏.docx").write_bytes(b"PK\x03\x04")
        assert any("坏.docx" in str(problem) and problem.refused for problem in both()[1].problems)
        before, files = content(indexes[1], stores[1]), kept(indexes[1])
        again = bring_in(corpus, indexes[1], True, stores[1]).update
        assert not again.switched and again.embedded == 0
        assert content(indexes[1], stores[1]) == before and kept(indexes[1]) == files and len(rest) > 50


KILLED = """
import os, signal
import assistant.cluster as cluster
from assistant.cli import main

read = cluster.to_prepared
taken = []

def die_at_the_third(content):
    taken.append(content)
    if len(taken) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return read(content)

cluster.to_prepared = die_at_the_third
main()
"""


def test_a_killed_run_goes_on_where_it_was_and_prepares_nothing_twice(
    cluster: str, tmp_path: Path, bring_in: Callable[..., Report]
) -> None:
    source, index = lines(tmp_path / "lines.jsonl", 800), tmp_path / "index"
    command = [sys.executable, "-c", KILLED, "ingest", str(source), "--index", str(index), "--ray", cluster]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL and not done.stdout, done.stderr.decode()
    assert read_manifest(index) is None
    left = {name: time for name, time in kept(index).items() if name.endswith(".parquet")}
    assert len(left) >= 3
    update = bring_in(source, index, True).update
    assert 0 <= update.embedded < update.manifest.passages
    assert all(kept(index).get(name) == time for name, time in left.items())
    bring_in(source, tmp_path / "one", False)
    assert_same(content(tmp_path / "one"), content(index))

    entries = source.read_text(encoding="utf-8").splitlines(keepends=True)
    source.write_text(
        "".join([*entries[:400], *entries[401:]]), encoding="utf-8"
    )  # the groups around it are prepared anew
    before = kept(index)
    update = bring_in(source, index, True).update
    assert update.removed == 1 and 0 < update.embedded < 400
    assert len(before.keys() - kept(index).keys()) <= 3 and len(before) > 8
    bring_in(source, tmp_path / "one", False)
    assert_same(content(tmp_path / "one"), content(index), again=True)


def test_a_folder_and_json_lines_behind_a_uri_give_the_same_ids(
    tmp_path: Path, bring_in: Callable[..., Report]
) -> None:
    """Read as from an object store: the only difference is where the documents are said to come from."""
    corpus = write_corpus(tmp_path / "corpus", DOCUMENTS | {"100% 甲.txt": "甲园有12家企业。\n"}, ROWS)
    (corpus / "glossary.csv").write_text("term,aliases\n氢能港,氢港\n", encoding="utf-8")
    for path in (corpus, lines(tmp_path / "lines.jsonl", 5), corpus / "documents" / "port.md"):
        one, many = (tmp_path / f"{path.name}-{name}" for name in ("one", "many"))
        reports = [bring_in(path, one, False), bring_in(path.as_uri(), many, True)]
        assert reports[0].problems == reports[1].problems
        assert_same(content(one, sources=False), content(many, sources=False))
        assert not bring_in(path.as_uri(), many, True).update.switched


def test_a_uri_that_leads_nowhere_is_said(tmp_path: Path, bring_in: Callable[..., Report]) -> None:
    with pytest.raises(CorpusError, match="找不到"):
        bring_in(f"file://{tmp_path}/none", tmp_path / "index", True)
    with pytest.raises(CorpusError, match="核对地址"):
        bring_in("nothing://bucket/x", tmp_path / "index", True)
    with pytest.raises(SettingsError, match="密钥"):
        bring_in("s3://name:key@bucket/x", tmp_path / "index", True)


def test_a_machine_with_another_program_or_model_is_refused(
    tmp_path: Path, corpus: Path, bring_in: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.cluster.Cluster._version", "another")
    with pytest.raises(SettingsError, match="不同"):
        bring_in(corpus, tmp_path / "index", True)
    assert read_manifest(tmp_path / "index") is None


def test_an_address_where_there_is_no_ray_is_said(corpus: Path, tmp_path: Path, cluster: str) -> None:
    command = [sys.executable, "-m", "assistant.cli", "ingest", str(corpus), "--index", str(tmp_path), "--ray"]
    for address in ("127.0.0.1:1", "nowhere"):
        done = subprocess.run([*command, address], capture_output=True, encoding="utf-8", cwd=ROOT)
        assert (done.returncode, done.stdout) == (2, "") and "连不上 Ray" in done.stderr.splitlines()[-1]
