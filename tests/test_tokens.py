"""What stands on disk of a text's tokens: the same whether one text is read or many, and whatever stands in them."""

from collections import Counter

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.tokens import Tokens, count_tokens, token_hash, tokenize

PIECES = (
    "嘉定",
    "氢能港",
    "2.15",
    "平方公里",
    "19",
    "家",
    "%",
    "gpu",
    "A1",
    "２０２３",
    "。",
    " ",
    "\n",
    "\0",
    "㐀",
    "é",
    "第三条",
    ".",
    "x",
    "亿",
    "㏒",
    "-",
)
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=12), max_size=5)


def counted(tokens: Tokens) -> list[dict[int, int]]:
    """Each text's tokens and how often it has them."""
    ends = np.cumsum(tokens.distinct)
    return [
        dict(zip(tokens.hashes[end - held : end].tolist(), tokens.counts[end - held : end].tolist(), strict=True))
        for end, held in zip(ends.tolist(), tokens.distinct.tolist(), strict=True)
    ]


@given(TEXTS)
@example(["", "\0", "", "嘉定"])
def test_many_texts_read_as_one_have_the_tokens_of_each(texts: list[str]) -> None:
    tokens = count_tokens(texts)
    each = [tokenize(text) for text in texts]
    assert counted(tokens) == [dict(Counter(map(token_hash, one))) for one in each]
    assert tokens.lengths.tolist() == list(map(len, each))


@given(st.text(min_size=1, max_size=4), st.text(min_size=1, max_size=4))
def test_two_tokens_never_share_a_hash(one: str, other: str) -> None:
    assert (token_hash(one) == token_hash(other)) is (one == other)
    assert 0 <= token_hash(one) < 1 << 64
