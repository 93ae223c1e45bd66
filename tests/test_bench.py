"""The bench's own parts: workloads that hold one another, systems that find what they indexed, figures that can be wrong."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.bench import save
from eval.capacity import fitted
from eval.kills import FIRST, Writing
from eval.rolling import LINE, Asked, changing, mixed, write
from eval.systems import SYSTEMS, recall
from eval.testset import read_testset
from eval.workload import write_workload

NEWS = [{"id": f"n{at}", "text": f"某市第{at}季度产值{at}00亿元。\n企业{at}0家。\n增长{at}1%。"} for at in range(1, 30)]
LAWS = [
    {"id": "l1", "title": "口岸条例", "text": "第一条 为了规范口岸开放，制定本条例。\n\n第二条 本条例自2020年起施行。"}
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, rows in (("news.passages", [*NEWS, {"id": "empty", "text": " "}]), ("laws.documents", LAWS)):
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return tmp_path


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def test_a_workload_holds_the_smaller_ones_and_varies_only_what_is_used_up(data: Path, tmp_path: Path) -> None:
    small, large, again = (tmp_path / f"{name}.jsonl" for name in ("small", "large", "again"))
    assert write_workload(data, small, 10) == len(lines(small)) == 10
    assert write_workload(data, large, 100) >= 60 and write_workload(data, again, 100)
    assert lines(large)[:10] == lines(small) and lines(large) == lines(again)
    rows = [json.loads(line) for line in lines(large)]
    assert len({row["id"] for row in rows}) == len(rows)
    real = {row["id"]: row["text"] for row in (*NEWS, *LAWS)}
    assert [row["text"] for row in rows[: len(real)]] == [real[row["id"]] for row in rows[: len(real)]]
    varied = rows[len(real) :]
    assert all(row["text"] != real[row["id"].rpartition("-")[0]] for row in varied if row["id"].startswith("n"))
    assert all(row["text"].startswith("第一条") for row in varied if row["id"].startswith("l"))


def test_figures_kept_before_stay_beside_those_of_other_systems_and_sizes(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    save([{"system": "langchain", "size": 10, "x": 1}, {"system": "ours", "size": 100, "x": 1}], file)
    save([{"system": "ours", "size": 10, "x": 2}, {"system": "ours", "size": 100, "x": 2}], file)
    rows = [(row["system"], row["size"], row["x"]) for row in json.loads(file.read_text(encoding="utf-8"))["rows"]]
    assert rows == [("ours", 10, 2), ("langchain", 10, 1), ("ours", 100, 2)]


@pytest.mark.parametrize("name", SYSTEMS)
def test_each_system_finds_what_it_indexed(name: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (*NEWS, *LAWS)), encoding="utf-8")
    system = SYSTEMS[name]()
    assert system.build([file], tmp_path) >= len(NEWS) + len(LAWS)
    assert system.open(tmp_path)("口岸开放条例")[0] == "l1"


def test_recall_counts_the_questions_whose_document_is_among_the_first() -> None:
    asked = [one for one in read_testset() if one.answerable and len(one.docs) == 1][:4]
    first = {one.question: list(one.docs) for one in asked[:3]}
    assert recall(lambda question: first.get(question, ["another"]), asked) == {"recall": 0.75, "asked": 4}


def test_a_quotation_of_another_generation_is_noticed(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    write_workload(data, file, 20)
    rows, changed = changing(file)
    write(file, rows, changed)
    ids = {row["id"] for row in changed}
    after = {row["id"]: row["text"] for row in map(json.loads, lines(file)) if row["id"] in ids}
    before = {row["id"]: row["text"] for row in changed}
    assert all(after[key] == LINE + before[key] for key in before)
    known = {"old": before, "new": after}
    quote = ("n1", 0, 5, before["n1"][:5])
    later = ("n1", len(LINE), len(LINE) + 5, before["n1"][:5])
    answers = [(0.0, 1.0, "old", [quote]), (0.0, 1.0, "new", [later]), (0.0, 1.0, "new", [quote, ("other", 0, 1, "x")])]
    assert mixed(Asked(answers), known) == (3, 1)


def test_a_number_is_written_anew_until_an_ingest_completes(tmp_path: Path) -> None:
    writing = Writing(tmp_path / "numbers.jsonl")
    told = []
    for code in (0, -9, 8, 0, 0):
        writing.next(code)
        told.append(
            ([number for _, number in writing.committed], lines(tmp_path / "numbers.jsonl")[0].split("共有")[1][:4])
        )
    assert told == [([], "1001"), ([], "1001"), ([], "1001"), ([FIRST], "1002"), ([FIRST, FIRST + 1], "1003")]
    assert writing.due() == 0  # none of them long enough ago


@given(st.floats(1, 1e3), st.floats(1e-4, 10), st.sampled_from(["linear", "logarithmic"]))
def test_a_model_foretells_what_grows_as_it_says(start: float, slope: float, growth: str) -> None:
    model = fitted(
        growth,
        [1e3, 1e4, 1e5],
        [start + slope * grown for grown in ([1e3, 1e4, 1e5] if growth == "linear" else [3, 4, 5])],
    )
    assert model(1e6) == pytest.approx(start + slope * (1e6 if growth == "linear" else 6), rel=1e-5)
