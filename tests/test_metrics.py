from math import log2

import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import (
    citation_precision,
    consistency,
    hit_at,
    interval,
    kappa,
    mcnemar,
    ndcg_at,
    percentile,
    reciprocal_rank,
)

DOCUMENTS = st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, max_size=12)
RELEVANT = st.sets(st.sampled_from("abcdefghijklmnop"), min_size=1, max_size=5)


def test_ranking_metrics_are_those_computed_by_hand() -> None:
    ranked, relevant = ["x", "a", "y", "b"], {"a", "b", "c"}
    assert reciprocal_rank(ranked, relevant) == 1 / 2
    assert hit_at(ranked, relevant, 1) == 0 and hit_at(ranked, relevant, 2) == 1
    assert ndcg_at(ranked, relevant, 4) == pytest.approx((1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3) + 1 / 2))


@given(DOCUMENTS, RELEVANT)
def test_ranking_metrics_equal_trec_evals(ranked: list[str], relevant: set[str]) -> None:
    """To 1e-9, by the reference implementation."""
    judged = pytrec_eval.RelevanceEvaluator(
        {"q": dict.fromkeys(relevant, 1)}, {"recip_rank", "ndcg_cut.5,10", "success.1,5,10"}
    )
    run = {"q": {key: float(len(ranked) - at) for at, key in enumerate(ranked)}}
    reference = judged.evaluate(run)["q"] if ranked else {}
    ours = {
        **{f"success_{k}": hit_at(ranked, relevant, k) for k in (1, 5, 10)},
        **{f"ndcg_cut_{k}": ndcg_at(ranked, relevant, k) for k in (5, 10)},
        "recip_rank": reciprocal_rank(ranked, relevant),
    }
    assert ours == pytest.approx({name: reference.get(name, 0.0) for name in ours}, abs=1e-9)


@pytest.mark.parametrize(
    ("fixed", "broken", "p_value"),
    [
        (0, 0, 1.0),
        (0, 5, 2 / 2**5),
        (0, 6, 2 / 2**6),
        (1, 8, 2 * (1 + 9) / 2**9),
        (4, 4, 1.0),  # never above one
    ],
)
def test_mcnemar_is_that_computed_by_hand(fixed: int, broken: int, p_value: float) -> None:
    assert mcnemar(fixed, broken) == mcnemar(broken, fixed) == pytest.approx(p_value)


def test_kappa_is_that_of_a_textbook() -> None:
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert kappa(pairs) == pytest.approx((0.7 - 0.5) / 0.5)
    assert kappa([(1, 1)] * 3) == 1.0


def test_citations_count_as_alce_counts_them() -> None:
    assert citation_precision(True, [True, False], [False, True]) == [True, False]  # the second adds nothing
    assert citation_precision(True, [False, False], [False, False]) == [True, True]  # only together
    assert citation_precision(False, [True, False], [True, True]) == [False, False]


def test_wordings_are_consistent_where_all_are_handled_alike() -> None:
    right = {"group": "w1", "answerable": True, "status": "answered", "missing": [], "forbidden": []}
    wrong = {**right, "missing": ["x"]}
    assert consistency([right, right, {**wrong, "group": "w2"}, {**right, "group": "w2"}]) == 0.5
    assert consistency([{**right, "group": ""}]) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_an_interval_holds_its_mean_and_is_the_same_each_time(values: list[float]) -> None:
    low, high = interval(values) or (1.0, 0.0)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    assert interval(values) == (low, high)


def test_a_percentile_lies_between_its_neighbours() -> None:
    assert percentile([10, 20, 30, 40, 50, 60, 70], 95) == pytest.approx(67.0)
    assert percentile([5], 50) == 5 and percentile([], 50) is None
