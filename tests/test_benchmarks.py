import gzip
import json
from math import log2
from pathlib import Path

import pytest

from assistant.embedding import StaticEmbeddings
from eval.benchmarks import Query, load
from eval.retrieval import half_interval, measure, systems

POLICY = [
    {"id": "a", "title": "江西省稳岗办法", "text": "对不裁员的企业返还失业保险费，返还标准为上年度的50%。"},
    {
        "id": "b",
        "title": "稳岗政策解读",
        "text": "近日出台办法。对不裁员的企业返还失业保险费，返还标准为上年度的50%。请企业留意。",
    },
    {"id": "c", "title": "山西省稳岗办法", "text": "对招用高校毕业生的企业给予一次性补贴。"},
]
ASKED = [{"id": "1", "query": "江西对不裁员企业返还多少失业保险费？", "positive_ids": ["a"],
          "answers": ["对不裁员的企业返还失业保险费，返还标准为上年度的50%。"]}]  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    news = [{"id": f"n{n}", "text": f"第{n}届运动会开幕，来自各地的运动员参加了比赛。"} for n in range(8)]
    for name, rows in (("ncp_policy.passages", POLICY), ("news.passages", news), ("ncp_policy.queries.dev", ASKED)):
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return tmp_path


def test_every_system_searches_a_benchmark(data: Path, tmp_path: Path, embeddings: StaticEmbeddings) -> None:
    benchmark = load("policy", data)
    assert len(benchmark.documents) == 11 and benchmark.queries[0].positives == {"a"}
    made = systems(benchmark, embeddings, tmp_path / "work")
    assert len(made) == 7
    for name, make in made.items():
        values = measure(make(), benchmark.queries)
        assert values["hit@5"] == [1.0], name
    assert measure(made["hybrid + rerank"](), benchmark.queries)["mrr@10"] == [1.0]


def test_a_document_that_holds_the_answer_is_a_twin(data: Path) -> None:
    assert load("policy", data).with_twins().queries[0].positives == {"a", "b"}


def test_a_document_ranks_as_its_best_passage() -> None:
    found = {"x": [("a", 3.0), ("a", 2.0), ("b", 1.0)], "y": []}
    values = measure(lambda query: found[query], [Query("x", frozenset("b")), Query("y", frozenset("b"))])
    assert values["hit@1"] == [0.0, 0.0]
    assert values["mrr@10"] == [0.5, 0.0]
    assert values["hit@5"] == [1.0, 0.0]
    assert values["ndcg@10"] == [pytest.approx(1 / log2(3)), 0.0]


def test_an_interval_narrows_with_more_queries() -> None:
    assert half_interval([1.0] * 50) == 0.0
    assert half_interval([0.0, 1.0] * 200) < half_interval([0.0, 1.0] * 20)
