from collections import Counter
from typing import Any

import pytest

from assistant.letter import read_letter
from assistant.pipeline import Assistant
from eval.letters import lines, matched, read_cases, score

CASES = read_cases()
LEAST_RECALL = 0.95


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_labels_stand_in_their_letter(case: dict[str, Any]) -> None:
    for label in case["questions"]:
        assert label["kind"] in ("question", "request") and isinstance(label["answerable"], bool)
        assert all(any(word in case["letter"] for word in gist.split("|")) for gist in label["gist"])


def test_the_letters_are_thirty_in_two_halves() -> None:
    assert Counter(case["split"] for case in CASES) == {"dev": 15, "test": 15}
    assert len({case["id"] for case in CASES}) == len(CASES)
    assert sum(any(label.get("facts") for label in case["questions"]) for case in CASES) >= 12
    assert sum(not case["questions"] for case in CASES) >= 3


def test_a_found_question_counts_once() -> None:
    letter = read_letter("请问首店奖励多少？")
    label = {"gist": ["首店"]}
    assert matched({"questions": [label, label]}, letter) == [0, None]


@pytest.mark.parametrize("split", ["dev", "test"])
def test_questions_are_found_and_nothing_is_made_up(split: str, jiading: Assistant) -> None:
    counts, _ = score([case for case in CASES if case["split"] == split], jiading)
    assert counts["right"] >= LEAST_RECALL * counts["labelled"] and counts["right"] >= LEAST_RECALL * counts["found"]
    assert counts["unsourced"] == 0
    assert len(lines(split, counts)) == 5
