"""Weigh how well each sentence, list item and table row answers what is asked.

Hard conditions come first (years, places, names, the sort of answer); what passes gets a probability from a logistic
model over features of the unit, which eval/fit_evidence.py fits.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import exp, log
from pathlib import Path

import numpy as np

from assistant.attribute import asked_for, speaks_of
from assistant.candidate import Candidate
from assistant.conditions import LEAST_NAME, fits, in_time
from assistant.kind import FIGURES, Kind
from assistant.lexical import share, words
from assistant.question import Aspect, Term

MODEL = Path(__file__).parent / "model" / "evidence.json"
EARLY = 40  # characters of a sentence in which its subject stands
LATE_WEIGHT = 0.85  # a term that stands later in it
HEADING_WEIGHT = 0.9  # a term that stands in the unit's headings
LEAD_WEIGHT = 0.8  # a term that stands in the sentence that leads to the list
SUBJECT_WEIGHT = 0.8  # a term that stands in what the title begins with
TITLE_WEIGHT = 0.55  # a term that stands only in the document's title
TELLING = 4  # terms from which a question's vector tells in full

_WHETHER_THERE_IS = re.compile("有没有|有无|是否有|有木有")
Embed = Callable[[Sequence[str]], np.ndarray]
Beside = dict[tuple[float, str, str, str, str], dict[str, float]]  # headings' weight, headings, lead, subject, title
Judged = tuple["Candidate", dict[str, float], dict[str, float], dict[str, float]]  # with covered, own, features
_TELL_THEMSELVES: frozenset[Kind] = frozenset({"money", "area", "percent", "count", "contact", "document_number"})


@dataclass(frozen=True)
class Scored:
    """A candidate's judgement for one aspect.

    `covered` holds, per term, the share of it that stands in or around the unit, `own` the share in the unit itself;
    `features` what the model weighs; `focus` the share of the aspect's own words that stands in the unit, `near` the share in or around it; `probability` how likely the unit answers.
    One that `fits` may answer, if it is also `timely`: of the years asked for; one that does not fit is neither.
    """

    candidate: Candidate
    covered: dict[str, float] = field(repr=False)
    own: dict[str, float] = field(repr=False)
    features: dict[str, float] = field(repr=False)
    focus: float
    near: float
    fits: bool
    timely: bool
    probability: float

    @property
    def document_id(self) -> str:
        """The document it stands in."""
        return self.candidate.hit.document.id

    def tells(self, word: str) -> float:
        """Return the share of a term that a reader of the unit, or of its heading, is told."""
        return max(self.own[word], self.covered[word] if self.covered[word] >= HEADING_WEIGHT else 0.0)

    def gives(self, aspect: Aspect, kind: Kind) -> bool:
        """Return whether it holds what answers this kind of question."""
        if kind == "list":
            return self.candidate.enumerates
        return aspect.holds(kind, self.candidate.facts, self.candidate.around)


def judge(
    aspect: Aspect, shown: Sequence[Candidate], vectors: np.ndarray, weigh: Callable[[str], float], embed: Embed
) -> tuple[list[Scored], dict[str, float]]:
    """Return the candidates' judgements for an aspect, and the weight of each of its terms.

    `vectors` are what `embed` gives for what is `read` of each candidate, of length one, shape (candidates,
    dimension); `weigh` tells how much a word tells.
    """
    weights = weights_of(aspect.terms, weigh)
    if not shown:
        return [], weights
    likeness = vectors @ embed([f"{aspect.text} {aspect.context}"])[0]
    most, telling = float(likeness.max()), min(1.0, len(aspect.terms) / TELLING)
    asked = {term.word: weights[term.word] for term in aspect.own_terms}
    beside: Beside = {}
    judged = []
    for candidate, alike in zip(shown, likeness.tolist(), strict=True):
        covered, own, features = _match(aspect, candidate, weights, asked, beside)
        features["less_alike"] = (most - alike) * telling
        judged.append((candidate, covered, own, features))
    _of_documents(aspect, judged, weights)
    silent = [(c, f["coverage"]) for c, _, _, f in judged if c.partly_stated and aspect.concerns(c.own)]
    best: dict[str, float] = {}  # of each document's hits
    for hit in {candidate.hit.passage.id: candidate.hit for candidate in shown}.values():
        best[hit.document.id] = max(best.get(hit.document.id, 0.0), hit.score)
    scored = []
    for candidate, covered, own, features in judged:
        key = candidate.hit.document.id
        here = max((share for c, share in silent if c.hit.document.id == key and c is not candidate), default=0.0)
        features["silent_here"] = max(0.0, here - features["coverage"] + 0.3)
        features["found"] = best[key]
        focus, near = (_mean({word: shares[word] for word in asked}, weights) for shares in (own, covered))
        may = (not features["lacking"] or _free(aspect)) and _there_is(aspect, covered, weights)
        may = may and fits(aspect, candidate)
        timely = may and in_time(aspect, candidate)
        scored.append(Scored(candidate, covered, own, features, focus, near, may, timely, probability(features)))
    return scored, weights


def _of_documents(aspect: Aspect, judged: Sequence[Judged], weights: dict[str, float]) -> None:
    """Add how much less of what is asked each unit's document has, as far as it was found, than the one with most."""
    texts: dict[str, list[str]] = {}
    for candidate, *_ in judged:
        texts.setdefault(candidate.hit.document.id, [candidate.title]).extend((candidate.around, candidate.own))
    covered = {key: coverage_of(aspect.terms, " ".join(parts), weights) for key, parts in texts.items()}
    most = max(features["coverage"] for *_, features in judged)
    for candidate, _, _, features in judged:
        features["less_unit"] = most - features["coverage"]
        features["less_document"] = max(covered.values()) - covered[candidate.hit.document.id]


def _match(
    aspect: Aspect, candidate: Candidate, weights: dict[str, float], asked: dict[str, float],
    beside: Beside,
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:  # fmt: skip
    """Return the share of each term in or around a unit, that in it alone, and the features that follow.

    `asked` are the weights of the aspect's own terms; `beside` keeps what titles and headings say, which many units
    have in common.
    """
    own = {term.word: term.share_in(candidate.own) for term in aspect.terms}
    early = candidate.own if candidate.unit.kind == "row" else candidate.own[:EARLY]
    listed = "list" in aspect.kinds and candidate.enumerates
    heading = 1.0 if listed and candidate.unit.kind != "item" else HEADING_WEIGHT
    covered = dict(_around(aspect, candidate, heading, beside))
    for term in aspect.terms:
        if held_here := own[term.word]:
            most = held_here * (1.0 if term.share_in(early) == held_here else LATE_WEIGHT)
            covered[term.word] = max(most, covered[term.word])
    held = {kind for kind in aspect.hard_kinds if aspect.holds(kind, candidate.facts, candidate.around)}
    introduced = 1.0
    if listed and candidate.unit.kind == "item":
        introduced = _mean({term.word: term.share_in(candidate.around) for term in aspect.own_terms}, asked)
    context = {word: weight for word, weight in weights.items() if word not in asked}
    focus = _mean({word: own[word] for word in asked}, asked)
    return covered, own, {
        "coverage": _mean(covered, weights),
        "lacking": float(bool(aspect.hard_kinds) and not held),
        "held": len(held) / len(aspect.hard_kinds) if aspect.hard_kinds else 0.0,
        "context": _mean({word: covered[word] for word in context}, context) if context else 1.0,
        "listed": float(listed and introduced >= 0.5),
        "defines": float(listed and candidate.lists and max(focus, _mean(own, weights)) >= 0.8),
        "grams": _grams_share(aspect, candidate),
        "unsaid": 0.0 if held & _TELL_THEMSELVES else 1.0 - _attribute(aspect, candidate),
        "another": _another(aspect, candidate, weights),
        "clause": _clause(aspect, candidate, weights),
    }  # fmt: skip


def _around(aspect: Aspect, candidate: Candidate, heading: float, beside: Beside) -> dict[str, float]:
    """Return how much each term counts by what stands around a unit, headings with this weight."""
    texts = (candidate.headings, candidate.lead, candidate.subject, candidate.title)
    if (found := beside.get((heading, *texts))) is None:
        places = [p for p in zip((heading, LEAD_WEIGHT, SUBJECT_WEIGHT, TITLE_WEIGHT), texts, strict=True) if p[1]]
        found = beside[heading, *texts] = {
            term.word: max((weight * term.share_in(text) for weight, text in places), default=0.0)
            for term in aspect.terms
        }
    return found


def _there_is(aspect: Aspect, covered: dict[str, float], weights: dict[str, float]) -> bool:
    """Return False where a question is whether there is something and a unit does not speak of what tells most of it."""
    if not _WHETHER_THERE_IS.search(aspect.text) or not aspect.own_terms:
        return True
    telling = max(aspect.own_terms, key=lambda term: weights[term.word])
    return covered[telling.word] >= LEAST_NAME


def _free(aspect: Aspect) -> bool:
    """Return whether something else than what its kinds ask for may answer too: a list, or a yes or no."""
    return bool(aspect.kinds & {"list", "verdict"}) and not aspect.hard_kinds & {"document_number", "contact"}


def _attribute(aspect: Aspect, candidate: Candidate) -> float:
    """Return how far a unit with its heading and lead speaks of what of a thing is asked for; 1 if the question names nothing."""
    asked = asked_for(aspect.text)
    told = f"{candidate.own} {candidate.around}"
    return sum(speaks_of(word, told) for word in asked) / len(asked) if asked else 1.0


def _another(aspect: Aspect, candidate: Candidate, weights: dict[str, float]) -> float:
    """Return how surely a row or labelled item is of another thing than is asked, by what it begins with; 0 for others."""
    subject = candidate.names
    if not subject or not aspect.hard_kinds or re.search(r"20\d\d", subject):
        return 0.0
    asked = re.sub(r"\W", "", f"{aspect.context} {aspect.whole}")
    return 1.0 - max(share(subject, asked), coverage_of(aspect.own_terms, subject, weights))


def _clause(aspect: Aspect, candidate: Candidate, weights: dict[str, float]) -> float:
    """Return the share of the aspect's own words in the clause, or around it, that holds the figure asked for; 1 where none is."""
    sought = aspect.hard_kinds & FIGURES
    if not sought or candidate.unit.kind == "row":
        return 1.0
    around = f"{candidate.around} {candidate.title}"
    clauses = [part for part in candidate.facts.split(";") if any(aspect.holds(kind, part) for kind in sought)]
    return max((coverage_of(aspect.own_terms, f"{part} {around}", weights) for part in clauses), default=1.0)


def probability(features: dict[str, float]) -> float:
    """Return how likely a unit with these features answers, by the shipped logistic model."""
    weights = _model()["weights"]
    return 1 / (1 + exp(-weights["bias"] - sum(weights[name] * value for name, value in features.items())))


def calibrated(best: float) -> float:
    """Return how likely an answer is right whose best unit has this probability.

    Platt scaling (Platt 1999) of the model's log-odds, fitted on questions that the model had not seen.
    """
    scale = _model()["calibration"]
    odds = log(max(best, 1e-9) / max(1 - best, 1e-9))
    return 1 / (1 + exp(-scale["intercept"] - scale["slope"] * odds))


@cache
def _model() -> dict[str, dict[str, float]]:
    model: dict[str, dict[str, float]] = json.loads(MODEL.read_text(encoding="utf-8"))
    return model


def weights_of(terms: Sequence[Term], weigh: Callable[[str], float]) -> dict[str, float]:
    """Return how much each term tells, by its word."""
    return {term.word: term.factor * min(_weight(s, weigh) for s in term.spellings) for term in terms}


def _weight(spelling: str, weigh: Callable[[str], float]) -> float:
    return sum(map(weigh, words(spelling) or [spelling]))


def _grams_share(aspect: Aspect, candidate: Candidate) -> float:
    """Return the share of the aspect's bigrams, its phrases that only ask left out, that stands in the unit."""
    asked = aspect.grams
    return sum(gram in candidate.own for gram in asked) / len(asked) if asked else 0.0


def coverage_of(terms: Sequence[Term], text: str, weights: dict[str, float]) -> float:
    """Return the share of the terms, by weight, that stands in a normalised text."""
    return _mean({term.word: term.share_in(text) for term in terms}, weights)


def _mean(shares: dict[str, float], weights: dict[str, float]) -> float:
    return sum(weights[word] * part for word, part in shares.items()) / (sum(weights[word] for word in shares) or 1.0)
