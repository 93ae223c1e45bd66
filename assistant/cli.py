"""The command line: ingest, search, ask, draft, serve, check and eval, for people and for programs.

Results go to stdout, everything else to stderr. Exit codes: 0 done (abstaining is an answer), 1 done, but some
entries were refused or found faulty, 2 wrong usage or setting, 3 nothing usable in the corpus, 4 no index or a
stale one, 5 the index is being written, 6 a model failed.
"""

import io
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from assistant.config import Settings, stay_offline
from assistant.errors import AssistantError, CorpusError, SettingsError
from assistant.people import commands
from assistant.schema import Answer, Statement, Turn, hit_to_dict, in_title_marks

app = typer.Typer(
    help="嘉定区产业园区与政策问答助手：回答附引文，资料没有的就说没有。",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
)  # fmt: skip

app.add_typer(commands.app)

IndexOption = Annotated[Path | None, typer.Option("--index", metavar="DIR", help="索引目录，默认在 corpus/ 旁边。")]
AsOfOption = Annotated[
    str, typer.Option("--as-of", metavar="DATE", help="回答以哪一天为准，例如 2026-01-31；默认今天。")
]
JsonOption = Annotated[bool, typer.Option("--json", help="输出 JSON。")]
BatchOption = Annotated[
    Path | None, typer.Option("--batch", metavar="FILE", help="逐行读取 {id, question, history?, as_of?}。")
]
BEHIND = 15  # niceness of ingest: where a server answers on the same machine, it goes first
QuestionArgument = Annotated[str, typer.Argument(metavar="QUESTION", help="问题。", show_default=False)]


@app.command()
def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH…", help="文件夹、文件或 .jsonl（.gz）；加 --ray 时也可以是 s3:// 等地址；默认 corpus/。"
        ),
    ] = None,
    index: IndexOption = None,
    ray: Annotated[
        str, typer.Option("--ray", metavar="ADDRESS", help="用 Ray 集群：它的地址、auto，或 local（只用本机）。")
    ] = "",
    staging: Annotated[
        str, typer.Option("--staging", metavar="DIR", help="各台机器都能读写的文件夹或地址；默认在索引目录里。")
    ] = "",
) -> None:
    """读取资料，更新索引；没有变化的段落不重新计算。"""
    from rich.console import Console
    from rich.progress import Progress

    from assistant.ingest import ingest as run
    from assistant.models import load_embeddings, load_store, load_workers

    if hasattr(os, "nice"):
        os.nice(max(0, BEHIND - os.nice(0)))
    settings = _settings(index)
    if staging and not ray:
        raise SettingsError("--staging 要和 --ray 一起用")
    embeddings, fingerprint = load_embeddings(settings)
    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        engine = load_store(settings)
        sources = [one if "://" in one else Path(one) for one in paths or [str(settings.corpus)]]
        with load_workers(settings, ray, staging) as workers:
            report = run(sources, settings.index, embeddings, fingerprint, progress, engine, workers)
    for problem in report.problems:
        typer.echo(str(problem), err=True)
    manifest = report.update.manifest
    typer.echo(
        f"共 {manifest.documents} 份资料、{manifest.passages} 个段落：新增 {report.update.added}，更新 {report.update.changed}，"
        f"撤下 {report.update.removed}；计算向量 {report.update.embedded} 个。索引 {manifest.generation} 已启用。"
    )
    if any(problem.refused for problem in report.problems):
        raise typer.Exit(1)


@app.command()
def check(
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="要检查的文件夹或文件；默认 corpus/。")] = None,
    removed: Annotated[bool, typer.Option("--removed", help="列出清理时略去的每一行和原因。")] = False,
) -> None:
    """检查资料和目录表，逐条说明哪里要改；不改动任何东西。"""
    from assistant.catalog import Problem
    from assistant.duplicates import near_duplicates
    from assistant.load import load

    loaded = load(path or _settings(None).corpus)
    named = {document.id: document.named for document in loaded.documents}
    loaded.problems += [
        Problem(
            pair.b, f"与{named[pair.a]}（{pair.a}）是同一份资料，可以只留一份；都留着时，回答把两份都列为出处", False
        )
        for pair in near_duplicates((document.id, document.text) for document in loaded.documents)
    ]
    for problem in loaded.problems:
        typer.echo(str(problem))
    for name, lines in loaded.removed.items() if removed else ():
        for (reason, line), times in Counter(lines).items():
            typer.echo(f"{name}：略去（{reason}）{line}" + (f" ×{times}" if times > 1 else ""))
    typer.echo(f"可收录 {len(loaded.documents)} 份资料，发现 {len(loaded.problems)} 个问题。")
    if loaded.problems:
        raise typer.Exit(1)


@app.command()
def fetch() -> None:
    """取回资料目录 addresses.csv 所列的网页和文件，放进 documents/；只取管理员在 JIADING_WEB_HOSTS 中允许的网站。"""
    from assistant.load import ADDRESSES, DOCUMENTS
    from assistant.web import fetch as run
    from assistant.web import read_addresses

    settings = _settings(None)
    hosts = [host.strip() for host in settings.web_hosts.split(",") if host.strip()]
    if not hosts:
        raise SettingsError("取网页没有启用，请管理员用 JIADING_WEB_HOSTS 列出允许的网站，例如 www.jiading.gov.cn")
    folder = settings.corpus / DOCUMENTS
    folder.mkdir(parents=True, exist_ok=True)
    found = run(read_addresses(settings.corpus / ADDRESSES), folder, hosts)
    states = {"new": "新增", "changed": "有更新", "same": "没有变化"}
    for one in found:
        typer.echo(f"{one.url}：{one.fault or f'{states[one.state]}，{one.file}'}")
    if any(one.state in ("new", "changed") for one in found):
        typer.echo("请在 catalog.csv 为新文件补一行，再运行 jiading-assistant ingest。", err=True)
    if any(one.fault for one in found):
        raise typer.Exit(1)


@app.command()
def history(
    document_id: Annotated[
        str, typer.Argument(metavar="ID", help="资料编号；不填则列出全部变动。", show_default=False)
    ] = "",
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, help="最多列几条。")] = 20,
    text: Annotated[
        int, typer.Option("--text", metavar="N", min=0, help="输出倒数第 N 个旧版本的全文，用来恢复。")
    ] = 0,
    index: IndexOption = None,
) -> None:
    """列出资料的增加、修改和撤下；给出编号时，逐版列出改了什么。"""
    from assistant.history import History, differences
    from assistant.index import Index

    settings = _settings(index)
    events = History(settings.index).events(document_id, -1 if document_id else last)
    former = [event.former for event in events if event.former]
    if text:
        if not document_id or len(former) < text:
            raise SettingsError("没有这个旧版本，请先用 history 编号 查看")
        typer.echo(former[text - 1].text, nl=False)
        return
    kinds = {"added": "新增", "changed": "修改", "withdrawn": "撤下"}
    opened = Index.open(settings.index) if document_id else None
    later = opened.document(document_id) if opened and document_id in opened.titles else None
    for event in events:
        typer.echo(f"{event.at.replace('T', ' ')}  {kinds[event.kind]}  {event.document_id}  {event.title}")
        if document_id and event.former and later and event.kind == "changed":
            for line in differences(event.former, later):
                typer.echo(f"    {line}")
        later = event.former or later
    if not events:
        typer.echo("没有变动记录。", err=True)


@app.command()
def coverage(
    as_of: AsOfOption = "",
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="FILE", help="回答记录（ask --batch 的输出），用来列出没有查到答案的问题。"),
    ] = None,
    as_json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """资料覆盖：各主题、类型、级别、年份有多少份，哪些快到期、未核对，哪些问题没有答案。"""
    from dataclasses import asdict

    from assistant.index import Index
    from assistant.load import TOPICS
    from assistant.report import coverage as run
    from assistant.report import coverage_text, read_entries, read_topics

    settings = _settings(index)
    answers = [entry for entry in read_entries(log) if "statements" in entry] if log else []
    found = run(Index.open(settings.index), _date(as_of), read_topics(settings.corpus / TOPICS), answers)
    typer.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2) if as_json else coverage_text(found))


@app.command()
def impact(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="回答（ask --batch 的输出）或测试题，JSONL。")],
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="测试题与哪一天以来的变动比较；默认 90 天前。")
    ] = "",
    as_of: AsOfOption = "",
    as_json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """哪些已有的回答、草稿和测试题引用了后来修改、撤下、被替代或到期的资料；有则退出码为 1。"""
    from dataclasses import asdict
    from datetime import timedelta

    from assistant.history import History
    from assistant.index import Index
    from assistant.report import SOON, read_entries
    from assistant.report import impact as run

    settings, day = _settings(index), _date(as_of)
    entries = [entry for file in files for entry in read_entries(file)]
    begin = _date(since) if since else day - timedelta(SOON)
    found = run(entries, Index.open(settings.index), History(settings.index), begin, day)
    for one in found:
        line = f"{one.id}  {one.question}\n    {in_title_marks(one.title)}：{one.reason}"
        typer.echo(json.dumps(asdict(one), ensure_ascii=False) if as_json else line)
    typer.echo(f"{len(entries)} 条中有 {len({one.id for one in found})} 条需要复核。", err=True)
    if found:
        raise typer.Exit(1)


@app.command()
def search(
    question: QuestionArgument = "",
    top_k: Annotated[int, typer.Option("--top-k", metavar="N", min=1, max=50, help="最多几个段落。")] = 10,
    as_of: AsOfOption = "",
    as_json: JsonOption = False,
    batch: BatchOption = None,
    index: IndexOption = None,
) -> None:
    """查找与问题最接近的段落。"""
    from assistant.models import load_assistant
    from assistant.retrieve import Filters

    entries = list(_entries(question, as_of, batch))
    assistant = load_assistant(_settings(index))
    for entry in entries:
        hits = assistant.search(entry["question"], Filters(entry["as_of"]), top_k, entry["history"])
        if as_json or batch:
            _line({**_named(entry, batch), "hits": [hit_to_dict(hit) for hit in hits]}, bool(batch))
            continue
        for number, hit in enumerate(hits, 1):
            typer.echo(f"{number}. {hit.document.named}{hit.place}（{hit.document.metadata.published}）")
            typer.echo(f"   {' '.join(hit.passage.text.split())[:120]}")


@app.command()
def ask(
    question: QuestionArgument = "",
    as_of: AsOfOption = "",
    as_json: JsonOption = False,
    batch: BatchOption = None,
    index: IndexOption = None,
) -> None:
    """回答一个问题，附引文。"""
    from assistant.models import load_assistant
    from assistant.retrieve import Filters

    entries = list(_entries(question, as_of, batch))
    assistant = load_assistant(_settings(index))
    for entry in entries:
        answer = assistant.ask(entry["question"], entry["history"], Filters(entry["as_of"]))
        if as_json or batch:
            _line({**_named(entry, batch), **answer.to_dict()}, bool(batch))
        else:
            typer.echo(render(answer))


@app.command("draft")
def draft_reply(
    letter: Annotated[
        Path, typer.Argument(metavar="LETTER", help="来信，.docx、.pdf 或 .txt 文件。", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="另写成 Word（.docx）或 Markdown（.md）文件。")
    ] = None,
    as_of: AsOfOption = "",
    as_json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """为一封来信起草回复：逐项答复，附脚注；答不出的标为待核实。"""
    from assistant.letter import read_file
    from assistant.models import load_assistant
    from assistant.reply import check as check_reply
    from assistant.reply import draft, exporter, risk, to_text
    from assistant.retrieve import Filters

    write, day = exporter(out) if out else None, _date(as_of)
    reply = draft(read_file(letter), load_assistant(_settings(index)), Filters(day))
    findings = check_reply(reply.paragraphs, reply)
    judged = risk(reply, reply.paragraphs, findings)
    if out and write:
        write(reply, reply.paragraphs)
        typer.echo(f"回复草稿已写到 {out}。", err=True)
    if as_json:
        found = [finding.to_dict() for finding in findings]
        _line({**reply.to_dict(), "findings": found, "risk": judged.to_dict()}, False)
    else:
        typer.echo(to_text(reply, findings, judged))


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="监听地址。", show_default="127.0.0.1")] = "",
    port: Annotated[int | None, typer.Option(help="端口。", show_default="7860")] = None,
    index: IndexOption = None,
) -> None:
    """打开问答网页。"""
    from assistant.serve import serve as run

    settings = _settings(index)
    run(replace(settings, host=host or settings.host, port=settings.port if port is None else port))


@app.command("settings")
def show_settings() -> None:
    """列出每一项设置现在的值和来处；密钥只说填了没有。"""
    from rich.console import Console
    from rich.table import Table

    from assistant.config import shown

    table = Table("环境变量", "现在的值", "来处", "含义")
    for row in shown():
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@app.command()
def mcp(index: IndexOption = None) -> None:
    """在标准输入输出上提供 MCP 服务，由支持 MCP 的程序启动。"""
    from assistant.mcp_server import run_stdio
    from assistant.models import load_assistant

    run_stdio(load_assistant(_settings(index)))


evaluation = typer.Typer(help="评测：运行测试集、比较两次结果、生成报告、检查和转换测试集。", no_args_is_help=True)
app.add_typer(evaluation, name="eval")
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="eval run --json 写成的结果。")]


@evaluation.command("run")
def evaluate(
    testset: Annotated[
        Path | None,
        typer.Option("--testset", metavar="FILE", help="测试集，.jsonl 或 .xlsx；默认 eval/testset.jsonl。"),
    ] = None,
    as_of: AsOfOption = "",
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="PART", help="停用一个部件：lexical、dense、rerank 或 validity；可重复。"),
    ] = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="把结果写成 JSON，供比较和报告用。")
    ] = None,
    index: IndexOption = None,
) -> None:
    """用测试集评测检索和回答。"""
    from rich.console import Console
    from rich.progress import Progress

    from assistant.models import load_assistant
    from assistant.pipeline import Component
    from eval.run import evaluate as run
    from eval.run import risk_table, table
    from eval.testset import TESTSET, read_testset

    questions, day = read_testset(testset), _date(as_of)
    parts = [part for part in get_args(Component) if part in (without or ())]
    if len(parts) < len(without or ()):
        raise SettingsError(f"--without 只能是 {'、'.join(get_args(Component))}")
    assistant = load_assistant(_settings(index), parts)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("评测", total=len(questions))
        named = (testset or TESTSET).name
        result = run(assistant, questions, day, lambda done, total: bars.update(task, completed=done), named)
    if as_json:
        as_json.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    typer.echo(f"{table(result)}\n\n{risk_table(result)}")


@evaluation.command("compare")
def compare_runs(
    before: RunArgument,
    after: RunArgument,
    gate: Annotated[bool, typer.Option("--gate", help="变差时退出码为 1，用来挡住上线。")] = False,
    changed: Annotated[
        list[str] | None,
        typer.Option("--changed", metavar="ID", help="有意改动的资料或核对过的题，它的数字和提醒可以变；可重复。"),
    ] = None,
) -> None:
    """逐题比较两次评测：改好、改坏、换了说法，以及能不能上线。"""
    from eval.compare import compare, comparison_text, read_run

    found = compare(read_run(before), read_run(after), changed or ())
    typer.echo(comparison_text(found))
    if gate and found.against:
        raise typer.Exit(1)


@evaluation.command("report")
def write_report(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="写到哪个 HTML 文件。")] = Path("report.html"),
    against: Annotated[
        Path | None, typer.Option("--against", metavar="RUN", help="同时与这一次较早的结果比较。")
    ] = None,
) -> None:
    """生成一个 HTML 报告，可以离线打开和打印。"""
    from eval.compare import compare, read_run
    from eval.report import report

    result = read_run(run)
    out.write_text(report(result, compare(read_run(against), result) if against else None), encoding="utf-8")
    typer.echo(f"报告已写到 {out}。")


@evaluation.command("check")
def check_testset(
    testset: Annotated[Path, typer.Argument(metavar="FILE", help="测试集，.jsonl 或 .xlsx。")],
    index: IndexOption = None,
) -> None:
    """检查测试集：格式、资料编号，以及要点是否真的写在所列的资料里。"""
    from assistant.index import Index
    from eval.testset import faults, read_testset

    opened = Index.open(_settings(index).index)
    questions = read_testset(testset)
    found = faults(questions, {document.id: document for document in opened.documents()})
    for fault in found:
        typer.echo(fault)
    typer.echo(f"共 {len(questions)} 题，发现 {len(found)} 个问题。")
    if found:
        raise typer.Exit(1)


@evaluation.command("convert")
def convert_testset(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="测试集，.jsonl 或 .xlsx。")],
    target: Annotated[Path, typer.Argument(metavar="TO", help="写成的文件，.jsonl 或 .xlsx。")],
) -> None:
    """把测试集转成 Excel，或从 Excel 转回。"""
    from eval.testset import read_testset, write_testset

    questions = read_testset(source)
    write_testset(questions, target)
    typer.echo(f"{len(questions)} 题已写到 {target}。")


def said(statement: Statement) -> str:
    """Return a statement as plain text, what it is of before it."""
    return f"【{statement.label}】{statement.text}" if statement.label else statement.text


def render(answer: Answer) -> str:
    """Return the answer as plain text: numbered statements, notices, then sources."""
    lines, sources = [], []
    for number, statement in enumerate(answer.statements, 1):
        citation = statement.citations[0]
        lines.append(f"{said(statement)} [{number}]")
        place = f" › {citation.place}" if citation.place else ""
        by, when = citation.publisher or "发布者未注明", citation.published or "日期未注明"
        sources.append(
            f"[{number}] {in_title_marks(citation.title)}{place}，{by}，{when} {citation.source_url}".rstrip()
        )
    lines += [f"※ {notice.text}" for notice in answer.notices]
    return "\n".join([*lines, *(["", "出处：", *sources] if sources else []), f"（截至 {answer.as_of}）"])


def _settings(index: Path | None) -> Settings:
    settings = Settings.read()
    return replace(settings, index=index) if index else settings


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else date.today()
    except ValueError as error:
        raise SettingsError(f"“{text}”不是日期，请写成 2026-01-31 这样") from error


def _entries(question: str, as_of: str, batch: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the questions to answer, validated before the first is answered."""
    if bool(question.strip()) == bool(batch):
        raise SettingsError("请给出一个问题，或用 --batch 给出问题文件（二者取一）")
    if not batch:
        yield {"question": question, "history": [], "as_of": _date(as_of)}
        return
    try:
        lines = batch.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"读不了问题文件“{batch}”，请核对路径和编码（UTF-8）") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _entry(f"{batch.name} 第{number}行", line, as_of)


def _entry(place: str, line: str, as_of: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
        history = [Turn(turn["role"], turn["content"]) for turn in entry.get("history") or []]
        said = [entry["question"], *(turn.content for turn in history)]
        if not all(isinstance(text, str) and text.encode() for text in said) or not said[0].strip():
            raise TypeError
        if not {turn.role for turn in history} <= {"user", "assistant"}:
            raise ValueError
        return {"id": entry["id"], "question": said[0], "history": history, "as_of": _date(entry.get("as_of") or as_of)}
    except SettingsError as error:
        raise CorpusError(f"{place}：{error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorpusError(f"{place}：需要 {{id, question, history?, as_of?}}") from error


def _named(entry: dict[str, Any], batch: Path | None) -> dict[str, Any]:
    return {"id": entry["id"]} if batch else {}


def _line(content: dict[str, Any], single: bool) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=None if single else 2))


@contextmanager
def _outer_boundary() -> Iterator[None]:
    """Show a failure as one line; an unforeseen one also goes to the log with its traceback."""
    try:
        yield
    except AssistantError as error:
        typer.echo(f"错误：{error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(0)
    except Exception:
        logging.getLogger("assistant").exception("unforeseen failure")
        typer.echo("错误：程序出现意外故障，请把上面的信息发给维护人员。", err=True)
        sys.exit(70)


def main() -> None:
    """Run the command line; what it prints is UTF-8 whatever the locale."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    stay_offline()
    with _outer_boundary():
        app()


if __name__ == "__main__":
    main()
