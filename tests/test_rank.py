import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.rank import RRF_K, fold_duplicates, reciprocal_rank_fusion

BOTH = {"lexical": 1.0, "dense": 0.4}
RANKING = st.lists(st.integers(0, 9), unique=True, max_size=8)
TEXT = "嘉定共有19家特色产业园区，包括3家市级特色园区和16家区级特色园区，去年又布局了汽车智能软件园和汽车芯谷。"


def test_fusion_adds_the_weighted_inverse_ranks() -> None:
    fused = reciprocal_rank_fusion({"lexical": ["a", "b"], "dense": ["b", "c"]}, BOTH)
    assert [(item, ranks) for item, _, ranks in fused] == [
        ("b", {"lexical": 2, "dense": 1}),  # found by both
        ("a", {"lexical": 1}),
        ("c", {"dense": 2}),
    ]
    assert [score for _, score, _ in fused] == pytest.approx(
        [1 / (RRF_K + 2) + 0.4 / (RRF_K + 1), 1 / (RRF_K + 1), 0.4 / (RRF_K + 2)]
    )


def test_ties_keep_the_order_of_first_appearance() -> None:
    even = {"lexical": 1.0, "dense": 1.0}
    assert [x for x, _, _ in reciprocal_rank_fusion({"lexical": ["b"], "dense": ["a"]}, even)] == ["b", "a"]


@given(RANKING, RANKING)
def test_fusion_keeps_every_item_once_best_first(lexical: list[int], dense: list[int]) -> None:
    fused = reciprocal_rank_fusion({"lexical": lexical, "dense": dense}, BOTH)
    assert sorted(item for item, _, _ in fused) == sorted({*lexical, *dense})
    scores = [score for _, score, _ in fused]
    assert scores == sorted(scores, reverse=True) and all(score > 0 for score in scores)
    for item, _, ranks in fused:
        for arm, ranking in (("lexical", lexical), ("dense", dense)):
            assert ranks.get(arm) == (ranking.index(item) + 1 if item in ranking else None)


@given(RANKING)
def test_one_ranking_stays_as_it_is(ranking: list[int]) -> None:
    """Also beside an empty one: an arm that finds nothing changes nothing."""
    fused = reciprocal_rank_fusion({"lexical": ranking, "dense": []}, BOTH)
    assert [item for item, _, _ in fused] == ranking


@pytest.mark.parametrize(
    ("texts", "top_k", "kept"),
    [
        ([TEXT, "别的。" * 9, TEXT], 9, [0, 1]),  # word for word
        ([TEXT, TEXT.replace("，", ",").replace("19家", "十九家")], 9, [0]),  # in another spelling
        ([TEXT, TEXT.replace("汽车芯谷", "汽车新谷")], 9, [0]),  # all but the same
        ([TEXT, TEXT[:30]], 9, [0, 1]),  # a part is not the whole
        (["2022年5000亿元", "2023年5000亿元"], 9, [0, 1]),  # another year
        (["", "", "。"], 9, [0, 1, 2]),  # nothing repeats nothing
        (["甲乙", "丙丁", "戊己"], 2, [0, 1]),
        (["甲乙", "甲乙", "丙丁"], 2, [0, 2]),  # a folded one takes no place
        ([], 2, []),
    ],
)
def test_only_texts_that_say_the_same_are_folded(texts: list[str], top_k: int, kept: list[int]) -> None:
    assert [first for first, *_ in fold_duplicates(texts, [0] * len(texts), top_k)] == kept


@given(st.lists(st.sampled_from([TEXT, TEXT[:30], "氢能港位于安亭镇", "联影小镇", ""]), max_size=9), st.integers(1, 9))
def test_folding_keeps_the_first_of_each_in_order(texts: list[str], top_k: int) -> None:
    first = [i for i, text in enumerate(texts) if not text or text not in texts[:i]]
    groups = fold_duplicates(texts, [0] * len(texts), top_k)
    assert [group[0] for group in groups] == first[:top_k]
    assert all(texts[i] == texts[group[0]] for group in groups for i in group)


def test_what_differs_in_a_figure_or_in_standing_is_never_folded() -> None:
    changed = TEXT.replace("19家", "18家")
    assert changed != TEXT and fold_duplicates([TEXT, changed, TEXT], [0, 0, 1], 9) == [[0], [1], [2]]
