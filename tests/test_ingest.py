import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest
from conftest import CORPUS, DOCUMENTS, ROWS, TODAY, write_corpus
from filelock import FileLock

from assistant.config import Settings
from assistant.embedding import StaticEmbeddings
from assistant.errors import CorpusError, IndexLockedError, NoIndexError, StaleIndexError
from assistant.index import Index, read_manifest
from assistant.ingest import Report, ingest
from assistant.models import load_assistant
from assistant.pipeline import Assistant

Run = Callable[[Path, Path], Report]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def found(index: Path, question: str) -> set[str]:
    """Return the documents that a search finds."""
    assistant = load_assistant(Settings(index=index))
    try:
        return {hit.document.id for hit in assistant.search(question, TODAY)}
    finally:
        assistant.close()


def test_the_same_corpus_changes_nothing(corpus: Path, index: Path, run_ingest: Run) -> None:
    first, second = run_ingest(corpus, index).update, run_ingest(corpus, index).update
    assert first.switched and first.embedded == first.manifest.passages
    assert not second.switched and second.embedded == 0 and second.manifest == first.manifest


def test_only_what_changed_is_embedded(corpus: Path, index: Path, run_ingest: Run) -> None:
    run_ingest(corpus, index)
    port = corpus / "documents" / "port.md"
    port.write_text(port.read_text(encoding="utf-8").replace("2.15", "3.5"), encoding="utf-8")
    update = run_ingest(corpus, index).update
    assert (update.added, update.changed, update.removed, update.embedded) == (0, 1, 0, 1)
    assistant = load_assistant(Settings(index=index))
    assert "3.5平方公里" in assistant.ask("氢能港规划面积多大？", filters=TODAY).statements[0].text
    assistant.close()


def test_a_withdrawn_document_disappears_from_every_arm(corpus: Path, index: Path, run_ingest: Run) -> None:
    run_ingest(corpus, index)
    (corpus / "documents" / "port.md").unlink()
    write_corpus(corpus, {}, {name: row for name, row in ROWS.items() if name != "port.md"})
    update = run_ingest(corpus, index).update
    assert (update.removed, update.embedded) == (1, 0)
    assert "port" not in found(index, "氢能港位于安亭镇")
    opened = Index.open(index, StaticEmbeddings.load().fingerprint)
    assert opened.lexical.size == len(opened.rows) == update.manifest.passages
    assert opened.vectors.count == update.manifest.passages  # type: ignore[attr-defined]
    opened.close()


def test_a_refused_document_keeps_its_last_good_version(corpus: Path, index: Path, run_ingest: Run) -> None:
    run_ingest(corpus, index)
    write_corpus(corpus, {}, {**ROWS, "port.md": {**ROWS["port.md"], "published": "去年"}})
    report = run_ingest(corpus, index)
    assert report.problems and "port" in found(index, "氢能港位于安亭镇")


def test_a_large_index_is_amended_and_answers_like_one_built_anew(tmp_path: Path, run_ingest: Run) -> None:
    """Documents changed, added and withdrawn, twice over: the same hits and scores as from nothing."""
    lines = {f"d{n}": f"第{n}号园区有{n}家企业，位于第{n % 97}街坊。\n\n联系人在第{n}栋办公。" for n in range(2500)}

    def write(file: Path) -> Path:
        file.write_text(
            "".join(f"{json.dumps({'id': key, 'text': text}, ensure_ascii=False)}\n" for key, text in lines.items()),
            encoding="utf-8",
        )
        return file

    source, index = tmp_path / "lines.jsonl", tmp_path / "index"
    run_ingest(write(source), index)
    for step in range(2):
        lines["d7"] = f"第7号园区改为工业遗产博物馆，第{step}次修订。"
        lines[f"new{step}"] = f"新建的氢能大厦{step}有4871家企业。"
        del lines[f"d{20 + step}"]
        update = run_ingest(write(source), index).update
        assert (update.added, update.changed, update.removed) == (1, 1, 1) and update.embedded <= 2
    run_ingest(write(source), tmp_path / "anew")
    amended, anew = (load_assistant(Settings(index=folder)) for folder in (index, tmp_path / "anew"))
    assert len(amended.index.rows) > amended.index.manifest.passages == len(anew.index.rows)
    for question in ("工业遗产博物馆", "氢能大厦有多少家企业", "第20号园区", "第1500号园区在哪里", "新建街坊"):
        found, best = [], []
        for one in (amended, anew):
            scored = one.index.lexical.search(question, 10_000)
            passages = one.index.passages([row for row, _ in scored])
            found.append({passage.id: score for passage, (_, score) in zip(passages, scored, strict=True)})
            best.append(one.search(question, TODAY)[0].passage.text)
        assert found[0] == pytest.approx(found[1]) and best[0] == best[1] and found[0]
    assert "第1次修订" in amended.index.document("d7").text
    with pytest.raises(CorpusError, match="d20"):
        amended.index.document("d20")
    amended.close()
    anew.close()


def test_what_did_not_change_is_not_read_again(corpus: Path, index: Path, run_ingest: Run) -> None:
    """A file is known by its size, time and row; what was remarked on it is said again."""
    note = corpus / "documents" / "note.txt"
    note.write_text("测府规〔2024〕9号\n\n关于扶持办法的通知\n\n本办法自2024年1月1日起施行。\n", encoding="utf-8")
    first = run_ingest(corpus, index)
    stamp = note.stat()
    note.write_text(note.read_text(encoding="utf-8").replace("9号", "8号"), encoding="utf-8")
    os.utime(note, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # as if nobody had touched it
    second = run_ingest(corpus, index)
    assert second.problems == first.problems and not second.update.switched
    os.utime(note)
    third = run_ingest(corpus, index)
    assert third.update.changed == 1 and any("8号" in problem.reason for problem in third.problems)


def test_an_interrupted_ingest_goes_on_where_it_was(corpus: Path, index: Path, run_ingest: Run) -> None:
    """What was read of an office file is not read again, though nothing had been indexed when the first run was killed."""
    for number in range(6):
        (corpus / "documents" / f"t{number}.csv").write_text(
            f"项目,金额\n技改{number},{number}万元\n升级,9万元\n", encoding="utf-8"
        )
    command = [sys.executable, "-m", "assistant.cli", "ingest", str(corpus), "--index", str(index)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while len(list(index.glob("reading/*.json"))) < 3 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    kept = list(index.glob("reading/*.json"))
    assert 3 <= len(kept) <= 6 and read_manifest(index) is None
    for file in kept:  # only what comes from there says so
        file.write_text(file.read_text().replace("9\\u4e07\\u5143", "88\\u4e07\\u5143"))
    run_ingest(corpus, index)
    assistant = load_assistant(Settings(index=index))
    texts = [assistant.index.document(f"t{number}").text for number in range(6)]
    assistant.close()
    assert sum("88万元" in text for text in texts) == len(kept) and not (index / "reading").exists()


def test_sources_live_side_by_side(corpus: Path, index: Path, tmp_path: Path, run_ingest: Run) -> None:
    run_ingest(corpus, index)
    lines = tmp_path / "more.jsonl"
    lines.write_text('{"id": "more", "title": "机器人园", "text": "机器人园有12家企业。"}\n', encoding="utf-8")
    assert run_ingest(lines, index).update.manifest.documents == len(DOCUMENTS) + 1
    assert {"more", "port"} <= found(index, "机器人园和氢能港")


def test_nothing_usable_leaves_the_index_alone(corpus: Path, index: Path, tmp_path: Path, run_ingest: Run) -> None:
    before = run_ingest(corpus, index).update.manifest
    (tmp_path / "bad.jsonl").write_text("{bad\n")
    with pytest.raises(CorpusError, match="索引保持不变"):
        run_ingest(tmp_path / "bad.jsonl", index)
    assert read_manifest(index) == before


def test_a_second_writer_is_told_who_writes(corpus: Path, index: Path, run_ingest: Run) -> None:
    index.mkdir()
    (index / "writer.json").write_text('{"pid": 4711, "host": "h", "since": "2026-01-31 08:00:00"}')
    with FileLock(index / "writer.lock"), pytest.raises(IndexLockedError, match=r"4711.*2026-01-31"):
        run_ingest(corpus, index)


def test_another_model_or_a_damaged_index_is_never_read(corpus: Path, index: Path, run_ingest: Run) -> None:
    with pytest.raises(NoIndexError, match="ingest"):
        Index.open(index, "x")
    manifest = run_ingest(corpus, index).update.manifest
    with pytest.raises(StaleIndexError, match="另一个向量模型"):
        Index.open(index, "another")
    (index / manifest.generation / "manifest.json").write_text("{")
    with pytest.raises(StaleIndexError, match="损坏"):
        Index.open(index, manifest.embedding)


def test_a_reader_keeps_what_it_opened(corpus: Path, index: Path, run_ingest: Run) -> None:
    run_ingest(corpus, index)
    reader = load_assistant(Settings(index=index))
    port = corpus / "documents" / "port.md"
    port.write_text(port.read_text(encoding="utf-8").replace("2.15", "3.5"), encoding="utf-8")
    run_ingest(corpus, index)
    assert "2.15" in reader.ask("氢能港规划面积多大？", filters=TODAY).statements[0].text
    reader.close()


def test_a_killed_writer_leaves_the_last_good_index(corpus: Path, index: Path, run_ingest: Run) -> None:
    """Killed at random moments of a build, the generation before answers on, and the next run completes.

    The writers are forked from a process that has imported all, so that a build begins at once and is what is killed.
    """
    processes = get_context("forkserver")
    processes.set_forkserver_preload(["assistant.cli", "assistant.ingest", "assistant.models", "chromadb"])
    command = f"from assistant.cli import app; app({['ingest', str(corpus), '--index', str(index)]!r})"
    run_ingest(corpus, index)
    port = corpus / "documents" / "port.md"
    chance, killed, longest = random.Random(7), 0, 0.0
    for attempt in range(23):
        port.write_text(port.read_text(encoding="utf-8") + f"\n第{attempt}次补充。\n", encoding="utf-8")
        writer = processes.Process(target=exec, args=(command,))
        begun = time.monotonic()
        writer.start()
        if attempt < 3:  # these tell how long a build takes; the first also waits for the imports
            writer.join()
            assert writer.exitcode == 0
            longest = time.monotonic() - begun
        else:
            writer.join(chance.uniform(0, longest))
            writer.kill()
            writer.join()
            killed += writer.exitcode == -signal.SIGKILL
        assert "port" in found(index, "氢能港位于安亭镇")
    assert killed
    run_ingest(corpus, index)
    assert not list(index.glob(".building-*"))
    assistant = load_assistant(Settings(index=index))
    assert "第22次补充" in assistant.index.document("port").text
    assistant.close()


def test_every_shipped_passage_stands_at_its_offsets(jiading: Assistant) -> None:
    passages = jiading.index.passages(range(len(jiading.index.rows)))
    for passage in passages:
        assert jiading.index.document(passage.document_id).text[passage.start : passage.end] == passage.text
    assert len({passage.id for passage in passages}) == len(passages)


def test_ids_are_the_same_on_every_build(corpus: Path, tmp_path: Path, embeddings: StaticEmbeddings) -> None:
    shutil.copytree(corpus, tmp_path / "copy" / "corpus")
    ids = []
    for number, folder in enumerate((corpus, tmp_path / "copy" / "corpus")):
        ingest([folder], tmp_path / str(number), embeddings, embeddings.fingerprint, lambda *_: None)
        opened = Index.open(tmp_path / str(number), embeddings.fingerprint)
        ids.append([passage.id for passage in opened.passages(range(len(opened.rows)))])
        opened.close()
    assert ids[0] == ids[1]


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not in this checkout")
def test_the_shipped_corpus_has_no_problem(tmp_path: Path, run_ingest: Run) -> None:
    report = run_ingest(CORPUS, tmp_path / "index")
    assert not report.problems and report.update.manifest.documents == 61
