import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assistant.prepare import MOST, Prepared, Row, grouped, rebatched
from assistant.tokens import Tokens, count_tokens

TEXTS = st.lists(st.text(alphabet="嘉定园区政策年12a ", max_size=12), max_size=12)


def made(texts: list[str], first: int = 0) -> Prepared:
    rows = [Row(str(n), "d", 0, 1, "[]", "", text, 0, "", "") for n, text in enumerate(texts, first)]
    vectors = np.array([[n, 1] for n in range(first, first + len(texts))], np.float32)
    return Prepared(rows, vectors, count_tokens(texts))


@given(st.lists(TEXTS, max_size=6), st.integers(1, 7))
def test_passages_come_in_batches_of_one_size_and_none_is_lost(groups: list[list[str]], size: int) -> None:
    parts, everything = list[Prepared](), [text for group in groups for text in group]
    for group in groups:
        parts.append(made(group, sum(map(len, parts))))
    batches = list(rebatched(parts, size))
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert [row for batch in batches for row in batch.rows] == made(everything).rows
    assert [vector[0] for batch in batches for vector in batch.vectors] == list(range(len(everything)))
    counted = [count_tokens([text]) for text in everything]  # whatever passages are counted together
    joined = Tokens.join([batch.tokens for batch in batches])
    assert np.array_equal(joined.lengths, Tokens.join(counted).lengths)
    for at, alone in enumerate(counted):
        part = joined.cut(at, at + 1)
        assert dict(zip(part.hashes, part.counts, strict=True)) == dict(zip(alone.hashes, alone.counts, strict=True))


@given(st.lists(st.text("0123456789abcdef", min_size=32, max_size=32), min_size=1, unique=True), st.data())
def test_a_document_less_changes_only_the_groups_around_it(hashes: list[str], data: st.DataObject) -> None:
    hashes = [text[:-2] + ("00" if n % 5 == 0 else "01") for n, text in enumerate(hashes)]  # every fifth ends a group
    gone = data.draw(st.integers(0, len(hashes) - 1))
    before = [tuple(group) for group in grouped(hashes, str)]
    after = [tuple(group) for group in grouped(hashes[:gone] + hashes[gone + 1 :], str)]
    assert [one for group in before for one in group] == hashes
    assert all(len(group) <= MOST for group in before) and len(set(before) - set(after)) <= 2
