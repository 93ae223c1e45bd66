"""The tokens that an index counts, words and character bigrams, and the number that stands for each on disk."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from operator import add
from threading import Lock

import numpy as np
import rjieba

from assistant.text import normalise

# Units of the bigram stream: each of some Chinese characters in a row, or a whole run of letters or of digits.
_UNITS = re.compile(r"(?P<chinese>[\u3400-\u9fff]+)|[a-z]+|\d+(?:\.\d+)?%?")
WORD = re.compile(r"[\u3400-\u9fffa-z0-9]+|\d+\.\d+%?|\d+%")


def tokenize(text: str) -> list[str]:
    """Return the words of two or more characters and the character bigrams of normalised text.

    Runs of letters and digits are one unit each, so 2022 is never found inside 12022. A two-character
    word counts in both streams: real words weigh more than accidental neighbours.
    """
    text = normalise(text)
    return search_words(text) + bigrams(text)


def search_words(normalised: str) -> list[str]:
    """Return the words of two or more characters of normalised text, long ones with the shorter ones inside them."""
    return [word for word in rjieba.cut_for_search(normalised) if len(word) > 1 and WORD.fullmatch(word)]


def bigrams(normalised: str) -> list[str]:
    """Return runs of letters or digits, and each pair of neighbouring units, of already normalised text."""
    tokens: list[str] = []
    previous, end = "", -1
    for match in _UNITS.finditer(normalised):
        run, chinese = match.group(), match.lastgroup
        if not chinese:
            tokens.append(run)
        if match.start() == end:
            tokens.append(previous + (run[0] if chinese else run))
        if chinese:
            tokens += map(add, run, run[1:])
        previous, end = run[-1] if chinese else run, match.end()
    return tokens


@dataclass(frozen=True, slots=True)
class Tokens:
    """The distinct tokens of some passages, one passage after the other: `hashes`, uint64, and `counts`, uint16.

    Each passage has `distinct` of them, int64; `lengths`, int32, holds each passage's number of tokens.
    """

    hashes: np.ndarray
    counts: np.ndarray
    distinct: np.ndarray
    lengths: np.ndarray

    def cut(self, start: int, end: int) -> "Tokens":
        """Return those of the passages from `start` to before `end`."""
        first, last = (int(self.distinct[:at].sum()) for at in (start, end))
        return Tokens(
            self.hashes[first:last], self.counts[first:last], self.distinct[start:end], self.lengths[start:end]
        )

    @classmethod
    def join(cls, parts: Sequence["Tokens"]) -> "Tokens":
        """Return those of all parts, in order."""
        empty = cls(*(np.empty(0, kind) for kind in (np.uint64, np.uint16, np.int64, np.int32)))
        return cls(*(np.concatenate([getattr(part, one.name) for part in (empty, *parts)]) for one in fields(cls)))


FIRST, LAST = 0x3400, 0x9FFF  # Chinese characters
_RUN = re.compile(r"[a-z]+|\d+(?:\.\d+)?%?")  # a unit that is no Chinese character
_BETWEEN = "\0"  # texts, where many are read as one
_LONG = 1 << 32  # above the hashes of two Chinese characters
_REMEMBERED = 1_000_000  # tokens of a process


def is_pair(token: str) -> bool:
    """Return whether a token is two Chinese characters."""
    return len(token) == 2 and FIRST <= ord(token[0]) <= LAST and FIRST <= ord(token[1]) <= LAST


def token_hash(token: str) -> int:
    """Return 64 bits that stand for a token on disk: two Chinese characters are spelt out, all else is hashed."""
    if is_pair(token):
        return ord(token[0]) << 16 | ord(token[1])
    return int.from_bytes(blake2b(token.encode(), digest_size=8).digest(), "little") | 1 << 63


class _Numbers(dict[str, int]):
    """A small number for each token: the hash of two Chinese characters, else where its hash stands in `hashes`, and _LONG."""

    def __init__(self) -> None:
        super().__init__({_BETWEEN: _LONG})
        self.hashes = [0]

    def __missing__(self, token: str) -> int:
        number = token_hash(token)
        if number >= _LONG:
            self.hashes.append(number)
            number = _LONG + len(self.hashes) - 1
        self[token] = number
        return number


class _Words(_Numbers):
    """The same for words, -1 for one that does not count."""

    def __init__(self, numbers: _Numbers) -> None:
        super().__init__()
        self.numbers = numbers

    def __missing__(self, word: str) -> int:
        self[word] = number = self.numbers[word] if len(word) > 1 and WORD.fullmatch(word) else -1
        return number


_words, _alone = _Words(_Numbers()), Lock()


def count_tokens(texts: Iterable[str]) -> Tokens:
    """Return the tokens of texts as an index keeps them: those of `tokenize`, by their hashes; all texts are read as one."""
    parts = [normalise(text).replace(_BETWEEN, " ") for text in texts]
    owners, numbers, table = _numbered(parts)
    keys = owners << 33 | numbers
    keys.sort()
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    distinct, numbers = keys[first] >> 33, keys[first] & (1 << 33) - 1
    hashes = np.where(numbers < _LONG, numbers.astype(np.uint64), table[np.maximum(numbers - _LONG, 0)])
    return Tokens(
        hashes,
        np.minimum(np.diff(first, append=len(keys)), 65535).astype(np.uint16),
        np.bincount(distinct, minlength=len(parts)),
        np.bincount(owners, minlength=len(parts)).astype(np.int32),
    )


def _numbered(normalised: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return every token of some texts: which text it is of, its number, and the hashes that numbers above _LONG stand for."""
    global _words
    whole = _BETWEEN.join(normalised)
    starts = np.cumsum([0, *(len(one) + 1 for one in normalised)])
    with _alone:
        if len(_words) + len(_words.numbers) > _REMEMBERED:
            _words = _Words(_Numbers())
        words = np.fromiter(map(_words.__getitem__, rjieba.cut_for_search(whole)), np.int64)
        places, numbers = _bigrams(whole, _words.numbers)
        table = np.array(_words.numbers.hashes, np.uint64)
    owners = np.concatenate([np.cumsum(words == _LONG), np.searchsorted(starts, places, "right") - 1])
    numbers = np.concatenate([words, numbers])
    tokens = (numbers >= 0) & (numbers != _LONG)
    return owners[tokens], numbers[tokens], table


def parted(normalised: str) -> tuple[np.ndarray, list[str]]:
    """Return what `bigrams` does: two Chinese characters as the number that stands for them, int64, and the other tokens."""
    _, pairs, tokens, _ = _found(normalised)
    return pairs, tokens


def _bigrams(text: str, numbers: _Numbers) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens of `bigrams`, in any order: where each begins in the text, or its second unit does, and its number."""
    at, pairs, tokens, places = _found(text)
    others = np.fromiter(map(numbers.__getitem__, tokens), np.int64, len(tokens))
    return np.concatenate([at, np.array(places, np.int64)]), np.concatenate([pairs, others])


def _found(text: str) -> tuple[np.ndarray, np.ndarray, list[str], list[int]]:
    """Return where each pair of Chinese characters begins and its number, and the other tokens and where their last unit does."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    chinese = (codes >= FIRST) & (codes <= LAST)
    pairs = np.flatnonzero(chinese[:-1] & chinese[1:])
    tokens, places = list[str](), list[int]()
    end, last = -1, ""
    for match in _RUN.finditer(text):
        start, unit, before, end = match.start(), match.group(), end, match.end()
        found = [unit]
        if start == before:
            found.append(last + unit)
        elif start and chinese[start - 1]:
            found.append(text[start - 1] + unit)
        if end < len(text) and chinese[end]:
            found.append(unit + text[end])
        tokens += found
        places += [start] * len(found)
        last = unit
    return pairs, codes[pairs] << 16 | codes[pairs + 1], tokens, places
