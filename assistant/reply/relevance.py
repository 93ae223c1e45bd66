"""Tell whether an answer speaks of what a letter's question is about, so that another matter's answer is not signed."""

from collections.abc import Iterable

from assistant.lexical import content_words
from assistant.question import Question, Term
from assistant.schema import Answer
from assistant.text import normalise
from assistant.topic import names_a_thing


def concerns(asked: Question, around: Iterable[str], answer: Answer) -> bool:
    """Return whether what is cited names a thing that the question names, or the first text `around` it that names any.

    A question in English is read word by word and is not judged.
    """
    if asked.foreign:
        return True
    spans = (f"{c.title} {c.locator} {c.quote}" for statement in answer.statements for c in statement.citations)
    told = normalise(" ".join(spans))
    own = _things(term for aspect in asked.aspects for term in aspect.own_terms)
    others = (_things(Term(word) for word in content_words(normalise(text))) for text in around)
    things = own or next(filter(None, others), [])
    return any(spelling in told for term in things for spelling in term.spellings)


def _things(terms: Iterable[Term]) -> list[Term]:
    """Return the terms that name a thing: those that the corpus's glossary knows by other names, and nouns."""
    return [term for term in terms if term.alternatives or names_a_thing(term.word)]
