"""BM25 over words and character bigrams: the arm that finds exact names, figures and 文号."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from math import log
from pathlib import Path

import numpy as np
import rjieba
from bm25s import BM25

from assistant.text import normalise

# One unit of the bigram stream: a Chinese character, or a whole run of letters or of digits.
_UNIT = re.compile(r"[\u3400-\u9fff]|[a-z]+|\d+(?:\.\d+)?%?")
_WORD = re.compile(r"[\u3400-\u9fffa-z0-9]+|\d+\.\d+%?|\d+%")
_PARTICLES = frozenset(
    "的了在是和与及对把被从到等又也就都而且或将向由以于为有比跟让给最更很太吗呢吧啊那这它他她我你您哪啥个家条项年月日次不没说要会能去来上下里外中各"
)
_PLACE_NAME = re.compile(r"(?:园区?|港|湾|镇|谷|[技车新]城|中心|基地|大厦|广场)$")
_OPENS = re.compile("[开建入进办]园$")  # does something, names nothing
_ANY_PLACE = re.compile(  # says what sort of place, names none
    r"(?:本?区|全?市|上海|嘉定|特色|产业|工业|科技|创新|创业|文创|示范|重点|市级|区级|国家级|生产|研发|制造|服务|技术|企业|测试|商务|中央|活动|各|街|市|哪个|什么|[几\d一两三]个?)*"
    r"(?:园区?|港|湾|镇|谷|[技车新]城|中心|基地|大厦|广场)$"
)
LEAST_PLACE_NAME = 3  # characters
_FREQUENCIES = Path(__file__).parent / "model" / "word_frequency.tsv"


def tokenize(text: str) -> list[str]:
    """Return the words of two or more characters and the character bigrams of normalised text.

    Runs of letters and digits are one unit each, so 2022 is never found inside 12022. A two-character
    word counts in both streams: real words weigh more than accidental neighbours.
    """
    text = normalise(text)
    return search_words(text) + bigrams(text)


def search_words(normalised: str) -> list[str]:
    """Return the words of two or more characters of normalised text, long ones with the shorter ones inside them."""
    return [word for word in rjieba.cut_for_search(normalised) if len(word) > 1 and _WORD.fullmatch(word)]


def bigrams(normalised: str) -> list[str]:
    """Return runs of letters or digits, and each pair of neighbouring units, of already normalised text."""
    tokens: list[str] = []
    previous, end = "", -1
    for match in _UNIT.finditer(normalised):
        unit = match.group()
        if not "\u3400" <= unit[0] <= "\u9fff":
            tokens.append(unit)
        if match.start() == end:
            tokens.append(previous + unit)
        previous, end = unit, match.end()
    return tokens


@lru_cache(maxsize=20_000)  # the same passages and sentences are compared for question after question
def gram_set(normalised: str) -> frozenset[str]:
    """Return the bigrams of normalised text, each once."""
    return frozenset(bigrams(normalised))


def words(normalised: str) -> list[str]:
    """Return the words of normalised text in order: Chinese ones of two or more characters, letters and numbers."""
    return [word for word in rjieba.cut(normalised) if _WORD.fullmatch(word) and (len(word) > 1 or word.isdigit())]


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
        if _WORD.fullmatch(word) and (len(word) > 1 or word.isdigit()):
            found.setdefault(word, _naming(word, tag))
    return found


def _naming(word: str, tag: str) -> float:
    if word.isascii() or tag[0] in "nj" or tag in ("vn", "zg"):
        return 1.0
    return 0.6 if tag[0] in "vbxil" else 0.25


def names(normalised: str) -> list[str]:
    """Return the proper names that a text builds from words: nouns in a row that end in 园, 港, 湾, 镇, 谷, 城 and the like."""
    found, run = [], ""
    for word, tag in [*rjieba.tag(normalised), (" ", "x")]:
        if (
            tag[0] in "nj"
            or tag in ("vn", "b", "zg", "l")
            or (len(word) == 1 and "\u3400" <= word <= "\u9fff" and word not in _PARTICLES)
        ):
            run += word
            continue
        if (
            len(run) >= LEAST_PLACE_NAME
            and _PLACE_NAME.search(run)
            and not _OPENS.search(run)
            and not _ANY_PLACE.fullmatch(run)
        ):
            found.append(run)
        run = ""
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


class LexicalIndex:
    """A BM25 index whose rows are passages, in the order they were given."""

    def __init__(self, bm25: BM25) -> None:
        self._bm25 = bm25
        self.size = int(bm25.scores["num_docs"])

    @classmethod
    def build(cls, texts: Iterable[str]) -> "LexicalIndex":
        """Index the texts; row i is text i. Needs at least one text."""
        bm25 = BM25(method="lucene", k1=1.2, b=0.75)
        bm25.index([tokenize(text) for text in texts], show_progress=False)
        return cls(bm25)

    @classmethod
    def load(cls, directory: Path) -> "LexicalIndex":
        """Open a saved index; its arrays are memory-mapped."""
        return cls(BM25.load(directory, mmap=True, show_progress=False))

    def save(self, directory: Path) -> None:
        """Write the index into an empty directory."""
        self._bm25.save(directory, show_progress=False)

    def search(self, query: str, top_k: int, allowed: np.ndarray | None = None) -> list[tuple[int, float]]:
        """Return up to top_k (row, BM25 score), best first, only rows that share a token with the query.

        `allowed` is a boolean mask over rows, shape (size,). Ties are broken by row.
        """
        ids = self._bm25.get_tokens_ids(list(dict.fromkeys(tokenize(query))))
        if not ids:
            return []
        scores = self._bm25.get_scores_from_ids(ids)
        if allowed is not None:
            scores = np.where(allowed, scores, 0.0)
        count = min(top_k, int((scores > 0).sum()))
        best = np.argpartition(-scores, count - 1)[:count] if count else np.empty(0, dtype=np.int64)
        return sorted(((int(row), float(scores[row])) for row in best), key=lambda pair: (-pair[1], pair[0]))

    def weight(self, word: str) -> float:
        """Return how much a word tells: the lower of its idf in this corpus and in everyday news.

        A word that is common here (嘉定) or everywhere (提到) tells little. A word that is no token of the index
        takes its bigrams' mean.
        """
        everyday, rarest = everyday_idf()
        pairs = [word] if word.isascii() or len(word) == 1 else [word[i : i + 2] for i in range(len(word) - 1)]
        known = [self.idf(word)] if word in self._bm25.vocab_dict else [self.idf(pair) for pair in pairs]
        return min(sum(known) / len(known), everyday.get(word, rarest))

    def idf(self, token: str) -> float:
        """Return ln(1 + (N - df + 0.5) / (df + 0.5)) of a token in this corpus."""
        row = self._bm25.vocab_dict.get(token)
        indptr = self._bm25.scores["indptr"]
        df = int(indptr[row + 1] - indptr[row]) if row is not None else 0
        return log(1 + (self.size - df + 0.5) / (df + 0.5))
