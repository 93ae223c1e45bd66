"""The command line as a program sees it: real processes, exit codes, streams."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DOCUMENTS, ROWS, write_corpus
from filelock import FileLock


def run(*arguments: str | Path, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assistant.cli", *map(str, arguments)]
    variables = {**os.environ, "JIADING_CORPUS": str(home / "corpus"), **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, encoding="utf-8", timeout=120)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny corpus and its index."""
    folder = tmp_path_factory.mktemp("cli")
    write_corpus(folder / "corpus", DOCUMENTS, ROWS)
    done = run("ingest", home=folder)
    assert done.returncode == 0 and "共 3 份资料" in done.stdout, done.stderr
    return folder


def test_ask_gives_json_in_any_locale(home: Path) -> None:
    done = run(
        "ask",
        "氢能港规划面积多大？",
        "--as-of",
        "2026-01-31",
        "--json",
        home=home,
        LC_ALL="C",
        PYTHONIOENCODING="ascii",
    )
    answer = json.loads(done.stdout)
    assert done.returncode == 0 and answer["status"] == "answered" and answer["as_of"] == "2026-01-31"
    citation = answer["statements"][0]["citations"][0]
    assert set(citation) >= {"document_id", "title", "locator", "quote", "start", "end", "published", "source_url"}
    assert set(answer) >= {"notices", "confidence", "timings_ms", "generation"}


def test_ask_for_people_shows_sources(home: Path) -> None:
    done = run("ask", "氢能港规划面积多大？", home=home)
    assert "2.15平方公里" in done.stdout and "出处：" in done.stdout and "《测试区氢能港规划》" in done.stdout


def test_search_gives_hits(home: Path) -> None:
    done = run("search", "氢能港", "--top-k", "2", "--json", home=home)
    hits = json.loads(done.stdout)["hits"]
    assert len(hits) == 2 and hits[0]["document_id"] == "port"
    assert set(hits[0]) >= {"document_id", "title", "locator", "text", "start", "end", "score"}


def test_a_batch_is_one_line_an_entry(home: Path, tmp_path: Path) -> None:
    entries = [
        {"id": 7, "question": "氢能港规划面积多大？"},
        {"id": "b", "question": "它在哪里？", "history": [{"role": "user", "content": "氢能港规划面积多大？"}]},
        {"id": "c", "question": "首次认定奖励多少？", "as_of": "2024-01-01"},
    ]
    batch = tmp_path / "batch.jsonl"
    batch.write_text("\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries), encoding="utf-8")
    done = run("ask", "--batch", batch, home=home)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [7, "b", "c"]
    assert "安亭镇" in answers[1]["statements"][0]["text"] and answers[2]["as_of"] == "2024-01-01"


def test_a_bad_batch_line_is_named_before_anything_is_printed(home: Path, tmp_path: Path) -> None:
    batch = tmp_path / "batch.jsonl"
    batch.write_text('{"id": 1, "question": "氢能港？"}\n{"id": 2}\n', encoding="utf-8")
    done = run("ask", "--batch", batch, home=home)
    assert done.returncode == 3 and not done.stdout and "batch.jsonl 第2行" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ask"], 2, "请给出一个问题"),
        (["ask", "问题", "--as-of", "明天"], 2, "不是日期"),
        (["ask", "问题", "--batch", "none.jsonl"], 2, "二者取一"),
        (["ask", "问题", "--index", "nowhere"], 4, "请先运行"),
        (["ingest", "nowhere"], 3, "找不到"),
        (["eval", "--testset", "nowhere"], 2, "读不了测试集"),
    ],
)
def test_a_failure_is_one_line_and_an_exit_code(home: Path, arguments: list[str], code: int, said: str) -> None:
    done = run(*arguments, home=home)
    assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not done.stdout


def test_a_refused_file_is_named_and_the_rest_indexed(home: Path, tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus", {**DOCUMENTS, "empty.md": ""}, {**ROWS, "empty.md": {"title": "空"}})
    done = run("ingest", home=tmp_path)
    assert done.returncode == 1 and "empty.md：文件是空的" in done.stderr and "共 3 份资料" in done.stdout
    checked = run("check", home=tmp_path)
    assert checked.returncode == 1 and "empty.md：文件是空的" in checked.stdout


def test_a_locked_index_is_said(home: Path) -> None:
    with FileLock(home / "index" / "writer.lock"):
        done = run("ingest", home=home)
    assert done.returncode == 5 and "写入" in done.stderr


def test_eval_prints_a_table_and_writes_json(home: Path, tmp_path: Path) -> None:
    question = {"id": "1", "question": "氢能港规划面积多大？", "answerable": True, "key_facts": ["2.15"], "docs": ["port"], "category": "数字"}  # fmt: skip
    (tmp_path / "set.jsonl").write_text(json.dumps(question, ensure_ascii=False), encoding="utf-8")
    done = run("eval", "--testset", tmp_path / "set.jsonl", "--json", tmp_path / "out.json", home=home)
    assert done.returncode == 0 and "| 全部 | 1 |" in done.stdout
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["overall"]["all_facts"] == 1.0


def test_only_the_page_needs_gradio_and_nothing_needs_torch(home: Path) -> None:
    code = (
        "import sys\nfrom assistant.cli import app\n"
        "for line in (['check'], ['ingest'], ['search', '氢能港'], ['ask', '氢能港规划面积多大？']):\n"
        "    try:\n        app(line)\n    except SystemExit as end:\n        assert not end.code, end.code\n"
        "print([name for name in ('torch', 'gradio', 'sentence_transformers') if name in sys.modules])"
    )
    variables = {**os.environ, "JIADING_CORPUS": str(home / "corpus")}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, encoding="utf-8")
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
