"""Order the passages that both arms found by what of the query stands where: sentence, passage, title, document.

A linear model, fitted on pairs of passages by eval/fit_reranker.py (RankNet's loss: Burges et al., Learning to Rank
using Gradient Descent, ICML 2005). A policy's place and subject often stand in its title or in another passage than
the answer, so each passage is judged with its document.
"""

import json
import re
from collections.abc import Callable, Collection, Sequence, Set
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import rjieba

from assistant.lexical import LexicalIndex, content_words, holds
from assistant.question import without_phrases
from assistant.schema import Hit
from assistant.text import normalise
from assistant.tokens import bigrams

MODEL = Path(__file__).parent / "model" / "reranker.json"
FEATURES = (
    "lexical",  # 1 / rank in the lexical arm
    "dense",  # 1 / rank in the dense arm
    "title",  # share of the query's bigrams, by idf, in the title
    "own",  # that in the passage and not already in its title or headings
    "around",  # that in the document's passages found, together
    "sentence",  # share of the query's words, by idf, in the sentence that has most
    "document",  # that in the whole document, its text normalised only where it was found: it may be long
    "place_title",  # share of the query's places in the title; 0.5 if it names none
    "place_document",  # that in the document
    "other_place",  # 1 if the title names places and none of the query's
)
ABSENT = 100  # rank of a passage that an arm did not find
PARTICLE_FACTOR = 0.5  # of a bigram that begins or ends with one

Reranker = Callable[[str, Sequence[Hit], LexicalIndex], np.ndarray]  # query, hits, index → scores, shape (hits,)

_PARTICLES = frozenset("的了在是和与及对把被从到等又也就都而且或将向由以于为有比跟让给吗呢吧啊那这它他她我你您哪啥")
_SENTENCE = re.compile(r"[^.!?;\n]+")
_PLACE_SUFFIX = re.compile(r"(?<=..)(?:自治区|特别行政区|[省市区县])$")


def rerank(query: str, hits: Sequence[Hit], lexical: LexicalIndex) -> np.ndarray:
    """Return a score for each hit, shape (hits,): higher is better; only differences mean anything."""
    scores: np.ndarray = features(query, hits, lexical) @ _weights()
    return scores


def as_found(query: str, hits: Sequence[Hit], lexical: LexicalIndex) -> np.ndarray:
    """Return scores that keep the order in which the arms found the hits: no reranking."""
    return -np.arange(len(hits), dtype=np.float64)


def features(query: str, hits: Sequence[Hit], lexical: LexicalIndex) -> np.ndarray:
    """Return what the model weighs, float64, shape (hits, len(FEATURES)), each in [0, 1]."""
    asked = normalise(query)
    core = without_phrases(asked)
    grams = {gram: _gram_weight(gram, lexical) for gram in bigrams(core) if not _PARTICLES.issuperset(gram)}
    places = _places(asked)
    terms: dict[str, float] = {}
    for word, naming in content_words(core).items():
        short = _PLACE_SUFFIX.sub("", word)
        word = short if short in places else word
        terms[word] = max(terms.get(word, 0.0), naming * lexical.idf(word))
    held = [_held(grams, hit) for hit in hits]
    found: dict[str, set[str]] = {}
    texts: dict[str, str] = {}
    for hit, parts in zip(hits, held, strict=True):
        key = hit.document.id
        found.setdefault(key, set()).update(*parts)
        texts[key] = f"{texts.get(key, hit.document.text.lower())}\n{normalise(hit.passage.text)}"
    rows = []
    for hit, (title, heading, body) in zip(hits, held, strict=True):
        titled = normalise(hit.document.title)
        whole = f"{titled}\n{texts[hit.document.id]}"
        sentences = _SENTENCE.findall(normalise(hit.passage.text))
        rows.append((
            1 / hit.ranks.get("lexical", ABSENT),
            1 / hit.ranks.get("dense", ABSENT),
            _share(grams, title),
            _share(grams, body - title - heading),
            _share(grams, found[hit.document.id]),
            max((_share(terms, sentence) for sentence in sentences), default=0.0),
            _share(terms, whole),
            _share(places, titled) if places else 0.5,
            _share(places, whole) if places else 0.5,
            float(bool(places) and not _share(places, titled) and bool(_places(titled))),
        ))  # fmt: skip
    return np.array(rows).reshape(-1, len(FEATURES))


def _share(weights: dict[str, float], text: str | Set[str]) -> float:
    total = sum(weights.values())
    return sum(weight for unit, weight in weights.items() if unit in text) / total if total else 0.0


def _gram_weight(gram: str, lexical: LexicalIndex) -> float:
    particle = gram[0] in _PARTICLES or gram[-1] in _PARTICLES
    return lexical.idf(gram) * (PARTICLE_FACTOR if particle else 1.0)


def _held(grams: Collection[str], hit: Hit) -> list[set[str]]:
    """Return which of the bigrams the title has, the headings with the table's header, and the passage."""
    passage = hit.passage
    around = " ".join((*passage.headings, passage.context))
    texts = map(normalise, (hit.document.title, around, passage.text))
    return [{gram for gram in grams if holds(text, gram)} for text in texts]


@lru_cache(maxsize=5_000)
def _places(normalised: str) -> dict[str, float]:
    """Return the places a text names, without 省, 市 or 区, each counting 1."""
    return {_PLACE_SUFFIX.sub("", word): 1.0 for word, tag in rjieba.tag(normalised) if tag == "ns" and len(word) > 1}


@cache
def _weights() -> np.ndarray:
    weights = json.loads(MODEL.read_text(encoding="utf-8"))["weights"]
    return np.array([weights[name] for name in FEATURES])
