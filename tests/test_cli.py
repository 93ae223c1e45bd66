import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from conftest import DOCUMENTS, ROOT, ROWS, write_corpus
from filelock import FileLock

from assistant.cli import _entries, render
from assistant.errors import AssistantError, CorpusError
from assistant.schema import Answer

AREA = "氢能港规划面积多大？"
DAY = ["--as-of", "2026-11-24"]
SCHEMA = {
    "question",
    "query",
    "status",
    "statements",
    "notices",
    "confidence",
    "as_of",
    "timings_ms",
    "generation",
    "hits",
}
HIT = {"document_id", "title", "locator", "page", "text", "start", "end", "score", "published", "source_url"}


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line away from the shipped corpus, and read what it writes as UTF-8, strictly."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("JIADING_")}
    return subprocess.run(
        [sys.executable, "-m", "assistant.cli", *map(str, arguments)],
        env={**clean, "PYTHONPATH": str(ROOT), "JIADING_CORPUS": "nowhere", "NO_COLOR": "1", **environment},
        capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip


def assert_refused(done: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    """One Chinese line on stderr, nothing on stdout, and the documented exit code."""
    assert (done.returncode, done.stdout) == (code, "")
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("错误：") and all(part in line for part in parts)


def write_lines(file: Path, *entries: object) -> Path:
    lines = (entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False) for entry in entries)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")  # as Excel and Notepad save it
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus and, made by the command line, its index."""
    folder = tmp_path_factory.mktemp("cli")
    done = run("ingest", write_corpus(folder / "corpus", DOCUMENTS, ROWS), "--index", folder / "index")
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert done.stdout.startswith("共 3 份资料、7 个段落：新增 3，更新 0，撤下 0")
    return folder


@pytest.fixture(scope="module")
def index(folder: Path) -> Path:
    return folder / "index"


def test_what_only_many_machines_can_do_is_said(tmp_path: Path) -> None:
    assert_refused(run("ingest", "s3://bucket/corpus", "--index", tmp_path / "index"), 2, "--ray")
    assert_refused(run("ingest", "--staging", tmp_path, "--index", tmp_path / "index"), 2, "--ray")


def test_search_as_json(index: Path) -> None:
    done = run("search", AREA, "--json", "--top-k", 2, "--index", index, *DAY)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert set(result) == {"hits"} and len(result["hits"]) == 2
    assert all(set(hit) == HIT for hit in result["hits"])
    assert result["hits"][0]["document_id"] == "port" and "2.15" in result["hits"][0]["text"]


def test_ask_as_json_in_utf8_whatever_the_locale(index: Path) -> None:
    """UTF-8 is read strictly by `run`; PYTHONIOENCODING alone would make stdout ASCII."""
    done = run("ask", AREA, "--json", "--index", index, *DAY, PYTHONIOENCODING="ascii", LANG="C", LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert set(result) == SCHEMA
    assert (result["status"], result["as_of"], result["question"]) == ("answered", "2026-11-24", AREA)
    (statement,) = result["statements"]
    (citation,) = statement["citations"]
    assert citation["quote"] == "氢能港位于安亭镇,规划面积2.15平方公里。" in done.stdout  # not \\u escapes


def test_ask_for_people(index: Path) -> None:
    done = run("ask", "首次认定奖励多少？", "--index", index, *DAY)
    assert done.returncode == 0
    assert "一次性奖励30万元 [1]" in done.stdout
    assert "※ 《测试区特色园区扶持办法》有效期或执行期到2025年5月31日为止" in done.stdout
    assert "[1] 《测试区特色园区扶持办法》 › 标准" in done.stdout and "（截至 2026-11-24）" in done.stdout


def test_a_batch_gives_a_line_for_each_entry(folder: Path, index: Path) -> None:
    history = [{"role": "user", "content": "氢能港在哪个镇？"}, {"role": "assistant", "content": "安亭镇。"}]
    batch = write_lines(
        folder / "batch.jsonl",
        {"id": "一", "question": AREA},
        "",  # a blank line is skipped
        {"id": 2, "question": "它的规划面积多大？", "history": history},
        {"id": "three", "question": "月球基地的面积多大？", "history": None},
        {"id": "four", "question": "首次认定奖励多少？", "as_of": "2024-01-05"},
    )
    done = run("ask", "--batch", batch, "--index", index, *DAY)
    assert (done.returncode, done.stderr) == (0, "")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["id"] for result in results] == ["一", 2, "three", "four"]
    assert all(set(result) == SCHEMA | {"id"} for result in results)
    assert [result["status"] for result in results] == ["answered", "answered", "abstained", "answered"]
    assert "氢能港" in results[1]["query"] and "2.15" in results[1]["statements"][0]["text"]
    assert results[1]["query"] != results[1]["question"]
    assert [result["as_of"] for result in results] == ["2026-11-24"] * 3 + ["2024-01-05"]
    assert results[3]["notices"] == []  # the grant was in force then

    done = run("search", "--batch", batch, "--index", index, "--top-k", 1, *DAY)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(set(result), len(result["hits"])) for result in results] == [({"id", "hits"}, 1)] * 4
    assert results[1]["hits"][0]["document_id"] == "port"


BAD_LINES = [
    '{"id": "b"}',  # no question
    '{"question": "氢能港多大？"}',  # no id
    '{"id": "b", "question": " "}',
    '{"id": "b", "question": ["氢能港"]}',
    '{"id": "b", "question": "它多大？", "history": [{"role": "user"}]}',
    '["b", "氢能港多大？"]',
    "{",
]


def test_a_bad_line_is_named_and_nothing_is_half_printed(folder: Path, index: Path) -> None:
    batch = write_lines(folder / "bad.jsonl", {"id": "a", "question": AREA}, BAD_LINES[0])
    assert_refused(
        run("ask", "--batch", batch, "--index", index), 3, "bad.jsonl 第2行", "{id, question, history?, as_of?}"
    )


@pytest.mark.parametrize("line", BAD_LINES)
def test_every_bad_line_is_named(tmp_path: Path, line: str) -> None:
    """The same without a process."""
    batch = write_lines(tmp_path / "bad.jsonl", {"id": "a", "question": AREA}, "", line)
    with pytest.raises(CorpusError, match=r"bad\.jsonl 第3行"):
        list(_entries("", "", batch))


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "b", "question": "氢能港多大？", "as_of": "昨天"}',  # refused, but without its line
        '{"id": "b", "question": "它多大？", "history": [{"role": "user", "content": 5}]}',  # fails when it is asked
        '{"id": "b", "question": "它多大？", "history": [{"role": "系统", "content": "氢能港"}]}',
        '{"id": "b", "question": "\\ud800"}',  # half a character
    ],
)
def test_every_bad_value_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(AssistantError, match="第1行"):
        list(_entries("", "", write_lines(tmp_path / "bad.jsonl", line)))


def test_wrong_usage_is_one_line(folder: Path, index: Path) -> None:
    batch = write_lines(folder / "good.jsonl", {"id": "a", "question": AREA})
    assert_refused(run("ask", AREA, "--as-of", "2026-02-30", "--index", index), 2, "“2026-02-30”不是日期")
    assert_refused(run("ask", AREA, "--batch", batch, "--index", index), 2, "二者取一")
    assert_refused(run("search", "--batch", folder / "没有.jsonl", "--index", index), 2, "没有.jsonl", "UTF-8")


def test_a_setting_that_is_half_there_is_one_line(index: Path) -> None:
    done = run("ask", AREA, "--index", index, JIADING_CHAT_URL="http://127.0.0.1:9/v1")
    assert_refused(done, 2, "JIADING_CHAT_URL", "JIADING_CHAT_MODEL")


def test_without_an_index(folder: Path) -> None:
    assert_refused(run("ask", AREA, "--index", folder / "none"), 4, str(folder / "none"), "ingest")
    assert not (folder / "none").exists()


def test_an_index_that_is_being_written(folder: Path, index: Path) -> None:
    with FileLock(index / "writer.lock"):
        assert_refused(run("ingest", folder / "corpus", "--index", index), 5, str(index), "写入")


def test_checking_says_what_to_mend_and_changes_nothing(folder: Path, tmp_path: Path) -> None:
    before = sorted(folder.rglob("*"))
    done = run("check", folder / "corpus")
    assert (done.returncode, done.stdout) == (0, "可收录 3 份资料，发现 0 个问题。\n")
    assert sorted(folder.rglob("*")) == before
    faulty = write_corpus(tmp_path, DOCUMENTS, {**ROWS, "port.md": {**ROWS["port.md"], "published": "去年"}})
    done = run("check", faulty)
    assert done.returncode == 1 and "可收录 2 份资料，发现 1 个问题。" in done.stdout
    assert "catalog.csv 第3行" in done.stdout and "去年" in done.stdout
    assert_refused(run("check", tmp_path / "nowhere"), 3, "找不到")


def test_ingesting_what_is_partly_faulty_or_nothing(tmp_path: Path) -> None:
    rows = {**ROWS, "port.md": {**ROWS["port.md"], "published": "去年"}}
    done = run("ingest", write_corpus(tmp_path / "corpus", DOCUMENTS, rows), "--index", tmp_path / "index")
    assert done.returncode == 1 and "共 2 份资料" in done.stdout  # the rest is in service
    assert "catalog.csv 第3行" in done.stderr and "Traceback" not in done.stderr
    (tmp_path / "empty").mkdir()
    assert_refused(run("ingest", tmp_path / "empty", "--index", tmp_path / "other"), 3, "没有可收录的文件")
    assert not (tmp_path / "other" / "current").exists()


def test_evaluating(folder: Path, index: Path) -> None:
    question = {
        "id": "a",
        "question": AREA,
        "answerable": True,
        "key_facts": ["2.15"],
        "docs": ["port"],
        "category": "area",
    }
    testset = write_lines(folder / "testset.jsonl", question, {**question, "id": "b", "answerable": False})
    done = run("eval", "run", "--testset", testset, "--index", index, "--json", folder / "result.json", *DAY)
    assert (done.returncode, done.stderr) == (0, "")
    metrics, risks = done.stdout.strip().split("\n\n")
    head, _, *rows = metrics.splitlines()
    assert head.startswith("| 类别 | 题数 | 召回@1 |") and [row[:8] for row in rows] == [
        "| area |",
        "| 全部 | 2",
        "| 95% 区间",
    ]
    assert risks.startswith("| 置信度不低于 |") and risks.endswith("| 0.0 | 1.000 | 0.500 |")
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert result["setup"]["as_of"] == "2026-11-24"
    assert (result["overall"]["all_facts"], result["overall"]["false_answers"]) == (1.0, 1.0)
    broken = write_lines(folder / "broken.jsonl", question, "{")
    assert_refused(run("eval", "run", "--testset", broken, "--index", index), 2, "broken.jsonl 第2行")


def test_the_gate_lets_an_amended_document_pass_when_it_is_named(folder: Path, tmp_path: Path) -> None:
    question = {"id": "a", "question": "首次认定奖励多少？", "answerable": True, "key_facts": ["奖励"], "docs": ["grant"], "category": "sum"}  # fmt: skip
    testset = write_lines(tmp_path / "testset.jsonl", question)
    amended = {**DOCUMENTS, "grant.md": DOCUMENTS["grant.md"].replace("30万元", "80万元")}
    assert (
        run("ingest", write_corpus(tmp_path / "corpus", amended, ROWS), "--index", tmp_path / "index").returncode == 0
    )
    for name, index in (("before.json", folder / "index"), ("after.json", tmp_path / "index")):
        assert (
            run("eval", "run", "--testset", testset, "--index", index, "--json", tmp_path / name, *DAY).returncode == 0
        )
    compared = ("eval", "compare", tmp_path / "before.json", tmp_path / "after.json", "--gate")
    stopped = run(*compared)
    assert stopped.returncode == 1 and "grant（a）" in stopped.stdout
    assert run(*compared, "--changed", "grant").returncode == 0


def test_two_runs_are_the_same_to_the_byte_but_for_times(tmp_path: Path) -> None:
    """Each in its own process, where sets and dictionaries of texts come in another order."""
    assert run("ingest", ROOT / "corpus", "--index", tmp_path / "index").returncode == 0
    questions = (ROOT / "eval" / "testset.jsonl").read_text(encoding="utf-8").splitlines()[::8]
    testset = write_lines(tmp_path / "testset.jsonl", *questions)
    runs = []
    for seed in ("1", "2"):
        file = tmp_path / f"{seed}.json"
        done = run("eval", "run", "--testset", testset, "--index", tmp_path / "index", "--json", file, *DAY, PYTHONHASHSEED=seed)  # fmt: skip
        assert done.returncode == 0
        runs.append(re.sub(r'"\w+_ms": [\d.]+', "", file.read_text(encoding="utf-8")))
    assert runs[0] == runs[1] and len(questions) > 50


def test_only_the_page_needs_gradio_and_nothing_needs_torch(folder: Path) -> None:
    code = (
        "import sys\nfrom assistant.cli import app\n"
        "for line in (['check'], ['ingest'], ['search', '氢能港'], ['ask', '氢能港规划面积多大？']):\n"
        "    try:\n        app(line)\n    except SystemExit as end:\n        assert not end.code, end.code\n"
        "print([name for name in ('torch', 'gradio', 'sentence_transformers') if name in sys.modules])"
    )
    variables = {**os.environ, "JIADING_CORPUS": str(folder / "corpus"), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, encoding="utf-8", cwd=ROOT, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_an_answer_without_statements_has_no_sources() -> None:
    answer = Answer("问", "问", date(2026, 1, 2), (), (), (), 0.0, {}, "g")
    assert render(answer) == "（截至 2026-01-02）"


def test_check_tells_a_document_that_is_there_under_another_name(tmp_path: Path) -> None:
    text = (
        "# 标准\n\n"
        + "首次认定的绿色工厂，经专家评审和公示后，由区级财政给予一次性奖励，用于节能技术改造和能源管理系统建设。" * 3
    )
    rows = {"a.md": {"title": "绿色工厂奖励办法"}, "b.md": {"title": "转发绿色工厂奖励办法"}}
    corpus = write_corpus(tmp_path / "corpus", {"a.md": text, "b.md": text.replace("，", ",")}, rows)
    done = run("check", corpus)
    assert done.returncode == 1 and "b：与《绿色工厂奖励办法》（a）是同一份资料" in done.stdout


def test_history_coverage_and_impact_are_told(tmp_path: Path) -> None:
    corpus, index = write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS), tmp_path / "index"
    run("ingest", corpus, "--index", index)
    answers = tmp_path / "answers.jsonl"
    questions = write_lines(tmp_path / "questions.jsonl", {"id": "a", "question": AREA})
    answers.write_text(run("ask", "--batch", questions, *DAY, "--index", index).stdout, encoding="utf-8")
    assert run("impact", answers, *DAY, "--index", index).returncode == 0
    port = corpus / "documents" / "port.md"
    port.write_text(port.read_text(encoding="utf-8").replace("2.15", "3.5"), encoding="utf-8")
    run("ingest", corpus, "--index", index)
    concerned = run("impact", answers, *DAY, "--index", index)
    assert concerned.returncode == 1 and AREA in concerned.stdout and "1 条中有 1 条" in concerned.stderr
    told = run("history", "port", "--index", index).stdout
    assert "修改" in told and "〔-2.15-〕〔+3.5+〕" in told
    assert "2.15" in run("history", "port", "--text", 1, "--index", index).stdout
    assert_refused(run("history", "port", "--text", 2, "--index", index), 2, "旧版本")
    covered = run("coverage", *DAY, "--log", answers, "--index", index)
    assert covered.returncode == 0 and "测试区氢能港规划" in covered.stdout


def test_nothing_is_fetched_unless_an_administrator_says_so(tmp_path: Path) -> None:
    assert_refused(run("fetch", JIADING_CORPUS=str(tmp_path)), 2, "JIADING_WEB_HOSTS")
    allowed = {"JIADING_CORPUS": str(tmp_path), "JIADING_WEB_HOSTS": "www.jiading.gov.cn"}
    assert_refused(run("fetch", **allowed), 3, "读不了")
    (tmp_path / "addresses.csv").write_text("url,file\nhttp://127.0.0.1/x,x\n", encoding="utf-8")
    done = run("fetch", **allowed)
    assert done.returncode == 1 and "不在允许的网站之内" in done.stdout
