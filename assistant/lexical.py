"""BM25 over words and character bigrams: the arm that finds exact names, figures and 文号."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from math import log
from pathlib import Path
from sys import intern

import numpy as np
import rjieba

from assistant.tokens import WORD, Tokens, bigrams, is_pair, parted, token_hash, tokenize

_PARTICLES = frozenset(
    "的了在是和与及对把被从到等又也就都而且或将向由以于为有比跟让给最更很太吗呢吧啊那这它他她我你您哪啥个家条项年月日次不没说要会能去来上下里外中各"
)
_PLACE_NAME = re.compile(r"(?:园区?|港|湾|镇|谷|[技车新]城|中心|基地|大厦|广场)$")
_OPENS = re.compile("[开建入进办]园$")  # does something, names nothing
_ANY_PLACE = re.compile(  # says what sort of place, names none
    r"(?:本?区|全?市|上海|嘉定|特色|产业|工业|科技|创新|创业|文创|示范|重点|市级|区级|国家级|生产|研发|制造|服务|技术|企业|测试|商务|中央|活动|各|街|市|哪个|什么|[几\d一两三]个?)*"
    r"(?:园区?|港|湾|镇|谷|[技车新]城|中心|基地|大厦|广场)$"
)
_SAYS = "讲说谈提靠"
LEAST_PLACE_NAME = 3  # characters
K1, B = 1.2, 0.75  # Lucene's defaults
_FREQUENCIES = Path(__file__).parent / "model" / "word_frequency.tsv"


@lru_cache(maxsize=2_000)  # 20 KiB for a passage
def gram_set(normalised: str) -> frozenset[str]:
    """Return the bigrams of normalised text, each once; texts share those that they have in common, for many are kept."""
    return frozenset(map(intern, bigrams(normalised)))


def holds(normalised: str, gram: str) -> bool:
    """Return whether a text has a bigram, without looking for all the others that it has."""
    return gram in normalised and (is_pair(gram) or gram in _parted(normalised)[1])


def similarity(a: str, b: str, least: float) -> float:
    """Return the Jaccard similarity of two normalised texts' bigrams; 0 where their numbers alone put it below `least`."""
    (pairs, others), (more_pairs, more_others) = _parted(a), _parted(b)
    size, other_size = len(pairs) + len(others), len(more_pairs) + len(more_others)
    if not size or not other_size or min(size, other_size) < least * max(size, other_size):
        return 0.0
    common = len(np.intersect1d(pairs, more_pairs, assume_unique=True)) + len(others & more_others)
    return common / (size + other_size - common)


@lru_cache(
    maxsize=20_000
)  # the same passages are compared for question after question, and these take a tenth of a set's room
def _parted(normalised: str) -> tuple[np.ndarray, frozenset[str]]:
    """Return the bigrams of normalised text, each once: those of two Chinese characters as sorted numbers, and the others."""
    pairs, others = parted(normalised)
    return np.unique(pairs).astype(np.uint32), frozenset(map(intern, others))


def words(normalised: str) -> list[str]:
    """Return the words of normalised text in order: Chinese ones of two or more characters, letters and numbers."""
    return [word for word in rjieba.cut(normalised) if WORD.fullmatch(word) and (len(word) > 1 or word.isdigit())]


def content_words(normalised: str) -> dict[str, float]:
    """Return the words of normalised text and how much each names: nouns and figures 1, verbs less, the rest little.

    Single characters side by side are one word that the dictionary lacks (械谷).
    """
    found: dict[str, float] = {}
    loose = ""
    for word, tag in [*rjieba.tag(normalised), (" ", "x")]:
        if len(word) == 1 and "\u3400" <= word <= "\u9fff" and word not in _PARTICLES and tag[0] not in "vpfdcru":
            loose += word
            continue
        if len(loose) > 1:
            found.setdefault(loose, 0.6)
        loose = ""
        if WORD.fullmatch(word) and (len(word) > 1 or word.isdigit()):
            found.setdefault(word, _naming(word, tag))
    return found


def _naming(word: str, tag: str) -> float:
    if word.isascii() or tag[0] in "nj" or tag in ("vn", "zg"):
        return 1.0
    return 0.6 if tag[0] in "vbxil" else 0.25


def names(normalised: str) -> list[str]:
    """Return the proper names that a text builds from words: nouns in a row that end in 园, 港, 湾, 镇, 谷, 城 and the like."""
    found, run, named = [], "", ""
    for word, tag in [*rjieba.tag(normalised), (" ", "x")]:
        if (
            tag[0] in "nj"
            or tag in ("vn", "b", "zg", "l")
            or (
                len(word) == 1
                and "\u3400" <= word <= "\u9fff"
                and word not in _PARTICLES
                and word not in _SAYS
                and tag != "p"
            )
        ):
            run += word
            town = named.endswith("镇")  # where something is (火星镇种菜补贴): a text may leave it unsaid
            named = run if _PLACE_NAME.search(run) else "" if town else named  # 火星基地 of 火星基地面积
            continue
        if len(named) >= LEAST_PLACE_NAME and not _OPENS.search(named) and not _ANY_PLACE.fullmatch(named):
            found.append(named)
        run = named = ""
    return found


@lru_cache(maxsize=10_000)
def whole_word(word: str) -> re.Pattern[str]:
    """Return a pattern for Latin letters or a figure, never as part of a longer one; an English plural counts."""
    plural = "s?" if word[-1:].isalpha() else ""
    return re.compile(rf"(?<![a-z\d.]){re.escape(word)}{plural}(?![a-z\d]|\.\d)")


def share(word: str, text: str) -> float:
    """Return how much of a word stands in normalised text, in [0, 1]; a long word may stand there in part."""
    if word in text:
        return 1.0 if not word.isascii() or whole_word(word).search(text) else 0.0
    if len(word) < 3 or word.isascii():
        return 0.0
    pairs = [word[i : i + 2] for i in range(len(word) - 1)]
    part = sum(pair in text for pair in pairs) / len(pairs)
    return 0.8 * part if part >= 0.5 else 0.0


@cache
def everyday_idf() -> tuple[dict[str, float], float]:
    """Return ln(N / df) of words in general news, and that of a word too rare to be listed."""
    lines = _FREQUENCIES.read_text(encoding="utf-8").split("\n")
    articles = int(lines[0])
    counts = (line.split("\t") for line in lines[1:] if line)
    idf = {word: log(articles / int(count)) for word, count in counts}
    return idf, max(idf.values()) + log(2)


class Segment:
    """The postings of some passages in a row, on disk and memory-mapped: written once, never changed.

    `tokens` are sorted hashes; token i stands in the passages `rows[starts[i]:starts[i + 1]]`, `counts` times in each.
    Rows count from the segment's first passage; `lengths` holds each passage's number of tokens.
    """

    PARTS = ("tokens", "starts", "rows", "counts", "lengths")

    def __init__(self, directory: Path) -> None:
        self.tokens, self.starts, self.rows, self.counts, self.lengths = (
            np.load(directory / f"{part}.npy", mmap_mode="r").view(np.ndarray) for part in self.PARTS
        )
        if not len(self.tokens) == len(self.starts) - 1 or not len(self.rows) == len(self.counts) == self.starts[-1]:
            raise ValueError("a part of another segment")

    def place(self, token: int) -> int | None:
        """Return where a token stands among `tokens`, or None if no passage holds it."""
        at = int(np.searchsorted(self.tokens, np.uint64(token)))
        return at if at < len(self.tokens) and self.tokens[at] == token else None

    def postings(self, token: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that hold a token, and how often."""
        at = self.place(token)
        if at is None:
            return self.rows[:0], self.counts[:0]
        span = slice(int(self.starts[at]), int(self.starts[at + 1]))
        return self.rows[span], self.counts[span]

    def all_postings(self, tokens: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the postings of several tokens, one after the other: rows, how often, and the token's weight with each."""
        places = np.minimum(np.searchsorted(self.tokens, tokens), len(self.tokens) - 1)
        there = np.flatnonzero(self.tokens[places] == tokens) if len(self.tokens) else places[:0]
        starts, ends = self.starts[places[there]], self.starts[places[there] + 1]
        spans = [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        rows, counts = (
            np.concatenate([part[:0], *(part[span] for span in spans)]) for part in (self.rows, self.counts)
        )
        return rows, counts, np.repeat(weights[there], ends - starts)


class SegmentWriter:
    """Collects the tokens of passages and writes them as one segment."""

    def __init__(self) -> None:
        self._parts: list[Tokens] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, tokens: Tokens) -> None:
        """Add tokens as those of the next passages."""
        self._parts.append(tokens)
        self._size += len(tokens.lengths)

    def write(self, directory: Path) -> None:
        """Write the segment into a new directory."""
        directory.mkdir(parents=True)
        all_of_them = Tokens.join(self._parts)
        order = np.argsort(all_of_them.hashes, kind="stable")  # by row within a token
        hashes = all_of_them.hashes[order]
        starts = np.flatnonzero(np.diff(hashes, prepend=~hashes[:1]))
        rows = np.repeat(np.arange(self._size, dtype=np.int32), all_of_them.distinct)
        parts = {
            "tokens": hashes[starts],
            "starts": np.append(starts, len(order)),
            "rows": rows[order],
            "counts": all_of_them.counts[order],
            "lengths": all_of_them.lengths,
        }
        for name, part in parts.items():
            np.save(directory / f"{name}.npy", part)


def _first(rows: np.ndarray, scores: np.ndarray, top_k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the top_k rows of the best scores, with their scores, in the order of the scores, then of the rows."""
    if len(rows) > top_k:
        among = np.argpartition(-scores, top_k - 1)[:top_k]
        rows, scores = rows[among], scores[among]
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]


class LexicalIndex:
    """BM25 over segments, as if they were one: score = Σ idf · tf / (tf + k1 · (1 - b + b · length / mean length)).

    That is Lucene's form of Robertson & Zaragoza 2009; each distinct token of a query counts once. Rows are passages,
    in the segments' order; those that are not `alive`, shape (size,), count for nothing.
    """

    def __init__(self, directories: Sequence[Path], alive: np.ndarray) -> None:
        self._segments = [Segment(directory) for directory in directories]
        ends = np.cumsum([0, *(len(segment.lengths) for segment in self._segments)])
        self.size = int(ends[-1])
        if len(alive) != self.size:
            raise ValueError("segments are missing")
        self._spans = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self._alive, self._passages = alive, int(alive.sum())
        self._whole = self._passages == self.size
        self.idf = lru_cache(maxsize=100_000)(self._idf)

    def search(self, query: str, top_k: int, allowed: np.ndarray | None = None) -> list[tuple[int, float]]:
        """Return up to top_k (row, BM25 score), best first, only rows that share a token with the query.

        `allowed` is a boolean mask over rows, shape (size,). Ties are broken by row, but for the last place.
        """
        tokens = list(dict.fromkeys(tokenize(query)))
        hashes = np.fromiter(map(token_hash, tokens), np.uint64, len(tokens))
        idfs = np.fromiter(map(self.idf, tokens), np.float32, len(tokens))
        usable = self._alive if allowed is None else self._alive & allowed
        rows, scores, least = np.empty(0, np.int64), np.empty(0), 0.0
        for segment, span in zip(self._segments, self._spans, strict=True):
            held, counts, idf = segment.all_postings(hashes, idfs)
            added = np.bincount(held, idf * counts / (counts + self._norms[span][held]))
            more = np.flatnonzero(added > least)
            more = more[usable[span][more]]
            rows, scores = np.concatenate([rows, more + span.start]), np.concatenate([scores, added[more]])
            if len(rows) >= top_k:
                rows, scores = _first(rows, scores, top_k)
                least = float(scores[-1])
        rows, scores = _first(rows, scores, top_k)
        return list(zip(rows.tolist(), scores.tolist(), strict=True))

    def query_weights(self, query: str) -> dict[int, float]:
        """Return a query as a sparse vector, dimension → weight: its inner product with `weights` is the BM25 score.

        A dimension is a token's place in its segment, counted on through the segments, so no two tokens share one; a token
        weighs its idf in each segment that holds it.
        """
        found: dict[int, float] = {}
        for token in dict.fromkeys(tokenize(query)):
            for segment, first in zip(self._segments, self._dimensions, strict=False):
                if (at := segment.place(token_hash(token))) is not None:
                    found[first + at] = self.idf(token)
        return found

    def weights(self) -> Iterator[dict[int, float]]:
        """Yield each row as a sparse vector, dimension → weight; a row without tokens has a dimension that no query has."""
        for segment, span, first in zip(self._segments, self._spans, self._dimensions, strict=False):
            order = np.argsort(segment.rows, kind="stable")
            rows, counts = segment.rows[order], segment.counts[order]
            tokens = first + np.repeat(np.arange(len(segment.tokens)), np.diff(segment.starts))[order]
            weights = counts / (counts + self._norms[span][rows])
            bounds = np.searchsorted(rows, np.arange(len(segment.lengths) + 1))
            for start, end in pairwise(bounds):
                yield dict(zip(tokens[start:end].tolist(), weights[start:end].tolist(), strict=True)) or {
                    self._dimensions[-1]: 1.0
                }

    @cached_property
    def _dimensions(self) -> list[int]:
        """Where each segment's dimensions begin, and at last where they all end."""
        ends: list[int] = np.cumsum([0, *(len(segment.tokens) for segment in self._segments)]).tolist()
        return ends

    @cached_property
    def _norms(self) -> np.ndarray:
        """k1 · (1 - b + b · length / mean length) of each row."""
        lengths = np.concatenate([segment.lengths for segment in self._segments]).astype(np.float32)
        mean = lengths[self._alive].mean() if self._passages else 1.0
        norms: np.ndarray = np.float32(K1) * (1 - B + B * lengths / max(mean, 1.0)).astype(np.float32)
        return norms

    def weight(self, word: str) -> float:
        """Return how much a word tells: the lower of its idf in this corpus and in everyday news.

        A word that is common here (嘉定) or everywhere (提到) tells little. A word that is no token of the index
        takes its bigrams' mean.
        """
        everyday, rarest = everyday_idf()
        pairs = [word] if word.isascii() or len(word) == 1 else [word[i : i + 2] for i in range(len(word) - 1)]
        known = [self.idf(word)] if self._passages_with(word) else [self.idf(pair) for pair in pairs]
        return min(sum(known) / len(known), everyday.get(word, rarest))

    def _idf(self, token: str) -> float:
        """Return ln(1 + (N - df + 0.5) / (df + 0.5)) of a token in this corpus."""
        df = self._passages_with(token)
        return log(1 + (self._passages - df + 0.5) / (df + 0.5))

    def _passages_with(self, token: str) -> int:
        """Return in how many passages a token stands."""
        held = token_hash(token)
        return sum(
            len(rows) if self._whole else int(self._alive[span][rows].sum())
            for segment, span in zip(self._segments, self._spans, strict=True)
            for rows in (segment.postings(held)[0],)
        )
