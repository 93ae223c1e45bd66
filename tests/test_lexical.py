from math import log

import numpy as np
import pytest
from bm25s import BM25
from conftest import build_lexical
from hypothesis import given
from hypothesis import strategies as st

from assistant.lexical import (
    LexicalIndex,
    content_words,
    everyday_idf,
    gram_set,
    holds,
    names,
    share,
    similarity,
    whole_word,
    words,
)
from assistant.text import normalise
from assistant.tokens import bigrams, tokenize

TEXTS = (
    "嘉定共有19家特色产业园区，总营收超过5000亿元。",
    "氢能港位于安亭镇，规划面积2.15平方公里。",
    "联影小镇建设高性能医疗设备制造基地。",
    "依据嘉府规〔2023〕1号，首次认定给予30万元奖励。",
    "编号12022的项目，采用GPU芯片。",
)


@pytest.fixture(scope="module")
def lexical() -> LexicalIndex:
    return build_lexical(TEXTS)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("园区", ["园区"]),
        ("园", []),  # one character tells too little
        ("2022年", ["2022", "2022年"]),  # a figure is one unit
        ("2.15%", ["2.15%"]),
        ("gpu芯片", ["gpu", "gpu芯", "芯片"]),
        ("园区,芯片", ["园区", "芯片"]),  # no pair across punctuation
        ("嘉 定", []),  # nor across a space
        ("", []),
    ],
)
def test_bigrams_pair_neighbouring_units(text: str, pairs: list[str]) -> None:
    assert bigrams(text) == pairs


UNITS = st.text(st.sampled_from("嘉定园区产业ab2025.5%,\n "), max_size=30)


@given(UNITS, UNITS)
def test_a_text_holds_its_bigrams_and_no_others(text: str, other: str) -> None:
    for gram in bigrams(text) + bigrams(other):
        assert holds(text, gram) == (gram in gram_set(text))


@given(UNITS, UNITS, st.sampled_from([0.0, 0.9]))
def test_similarity_is_that_of_the_sets_of_bigrams(text: str, other: str, least: float) -> None:
    a, b = gram_set(text), gram_set(other)
    jaccard = len(a & b) / len(a | b) if a and b else 0.0
    assert similarity(text, other, least) in ({jaccard} if jaccard >= least else {0.0, jaccard})


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("園區", "园区"),  # traditional characters
        ("十九家", "19家"),  # Chinese numerals
        ("ＧＰＵ", "gpu"),  # full-width and case
    ],
)
def test_one_meaning_has_the_same_tokens(query: str, text: str) -> None:
    assert tokenize(query) == tokenize(text) != []


def test_a_clause_is_not_one_token() -> None:
    """The default tokenizers of bm25s and langchain make it one, and BM25 then scores zero, silently."""
    tokens = tokenize("嘉定区特色产业园区建设")
    assert {"特色", "产业", "园区", "建设", "业园"} <= set(tokens) and "嘉定区特色产业园区建设" not in tokens


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("有几家特色产业园区？", 0),
        ("氢能港面积多大", 1),
        ("医疗设备基地", 2),
        ("嘉府规[2023]1号", 3),  # another bracket
        ("gpu", 4),
        ("5000亿", 0),
    ],
)
def test_what_names_a_text_finds_it(lexical: LexicalIndex, query: str, row: int) -> None:
    (best, score), *rest = lexical.search(query, 5)
    assert best == row and score > 0 and all(score >= other for _, other in rest)


@pytest.mark.parametrize("query", ["", "，。？", "zzz", "2022"])  # 2022 is no part of 12022
def test_what_shares_no_token_finds_nothing(lexical: LexicalIndex, query: str) -> None:
    assert lexical.search(query, 5) == []


@given(st.lists(st.sampled_from(TEXTS), max_size=3).map("".join), st.integers(1, 8), st.integers(0, 31))
def test_a_search_keeps_its_limits_and_its_order(query: str, top_k: int, bits: int) -> None:
    """Best first, ties by row, only allowed rows that score, and never another order for a smaller top_k."""
    index = build_lexical((*TEXTS, TEXTS[0]))  # a tie
    allowed = np.array([bool(bits >> row & 1) for row in range(5)] + [True])
    found = index.search(query, top_k, allowed)
    assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))
    assert len(found) <= top_k and all(allowed[row] and score > 0 for row, score in found)
    every = dict(index.search(query, len(TEXTS) + 1))
    assert all(every[row] == score for row, score in found)
    assert len(found) == min(top_k, sum(bool(allowed[row]) for row in every))


@given(
    st.lists(st.sampled_from((*TEXTS, "", "园区园区园区")), min_size=1, max_size=12),
    st.integers(1, 5),
    st.sampled_from(("特色产业园区", "氢能港", "gpu芯片", "园区园区", "zzz")),
    st.integers(0, 2**12 - 1),
)
def test_segments_and_gone_passages_change_no_score(texts: list[str], size: int, query: str, bits: int) -> None:
    """Scores are bm25s's over the living passages alone, however they are cut into segments."""
    alive = np.array([bool(bits >> row & 1) for row in range(len(texts))])
    found = dict(build_lexical(texts, size, alive).search(query, len(texts)))
    living = [text for text, lives in zip(texts, alive, strict=True) if lives]
    expected = {}
    if any(map(tokenize, living)):
        oracle = BM25(method="lucene", k1=1.2, b=0.75)
        oracle.index([tokenize(text) for text in living], show_progress=False)
        ids = oracle.get_tokens_ids(list(dict.fromkeys(tokenize(query))))
        scores = oracle.get_scores_from_ids(ids) if ids else np.zeros(len(living))
        expected = {int(row): score for row, score in zip(np.flatnonzero(alive), scores, strict=True) if score > 0}
    assert found == pytest.approx(expected, rel=1e-5)


@given(
    st.lists(st.sampled_from((*TEXTS, "", "园区园区园区")), min_size=1, max_size=12),
    st.integers(1, 5),
    st.sampled_from(("特色产业园区", "氢能港", "gpu芯片", "园区园区", "zzz")),
)
def test_sparse_vectors_hold_the_same_scores(texts: list[str], size: int, query: str) -> None:
    """What an engine that knows only inner products finds is what BM25 finds, however the texts are cut into segments."""
    index = build_lexical(texts, size)
    weights, vectors = index.query_weights(query), list(index.weights())
    products = [sum(vector.get(at, 0.0) * weight for at, weight in weights.items()) for vector in vectors]
    assert len(vectors) == len(texts) and all(vectors)
    found = {row: score for row, score in enumerate(products) if score}
    assert found == pytest.approx(dict(index.search(query, len(texts))), rel=1e-5)


def test_a_word_that_is_common_here_or_in_the_news_tells_little() -> None:
    everyday, rarest = everyday_idf()
    large = build_lexical(["企业获得氢能港"] + ["园区"] * 9000)
    assert large.weight("企业") == everyday["企业"]  # rare here, but everywhere in the news
    assert large.weight("氢能港") == rarest  # rare in both
    texts = build_lexical(["园区规划"] * 9 + ["氢能规划"])
    assert texts.weight("园区") == pytest.approx(log(1 + 1.5 / 9.5))  # in 9 of 10 texts
    assert texts.weight("园区") < texts.weight("氢能")


@pytest.mark.parametrize(
    ("word", "text", "part"),
    [
        ("氢能港", "嘉定氢能港规划", 1.0),
        ("特色产业园区", "特色产业园", 0.8 * 4 / 5),  # in part
        ("特色产业园区", "特色小镇", 0.0),  # too little of it
        ("园区", "园和区", 0.0),  # a short word stands there or not
        ("19", "19家", 1.0),
        ("19", "2019年", 0.0),  # never part of a longer figure
        ("2.1", "2.15平方公里", 0.0),
        ("gpu", "gpus", 1.0),  # an English plural
        ("gpu", "gpux", 0.0),
    ],
)
def test_share_is_how_much_of_a_word_stands_in_a_text(word: str, text: str, part: float) -> None:
    assert share(word, text) == pytest.approx(part)


@pytest.mark.parametrize(
    ("word", "text", "stands"),
    [("5", "5家", True), ("5", "15家", False), ("5", "5.2家", False), ("5", "共5。", True), ("ic", "music", False)],
)
def test_a_figure_or_acronym_is_found_whole(word: str, text: str, stands: bool) -> None:
    assert bool(whole_word(word).search(text)) == stands


def test_content_words_weigh_what_names_above_what_asks() -> None:
    found = content_words(normalise("请问嘉定有19家特色产业园区吗？"))
    assert found["嘉定"] == found["19"] == 1.0
    assert found["请问"] < 1.0 and "吗" not in found and "有" not in found


def test_words_are_whole_and_in_order() -> None:
    assert words("嘉定共有19家园区的gpu") == ["嘉定", "共有", "19", "园区", "gpu"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("介绍一下嘉定智能传感器产业园的情况", ["嘉定智能传感器产业园"]),
        ("火星基地面积多大", ["火星基地"]),  # its name ends before what is asked of it
        ("书记讲嘉定新城建设那次", []),
        ("上海械谷各有多大", ["上海械谷"]),
        ("园区有多少家", []),  # no proper name
        ("企业怎么申报奖励", []),
    ],
)
def test_names_of_places_are_built_from_their_words(text: str, found: list[str]) -> None:
    assert names(normalise(text)) == found
