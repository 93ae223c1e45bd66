import shutil
from pathlib import Path

from eval.gate import CORPUS, drawn, faults, harmless, questions


def contents(corpus: Path) -> dict[str, bytes]:
    return {str(file.relative_to(corpus)): file.read_bytes() for file in corpus.rglob("*") if file.is_file()}


def test_every_planted_change_of_the_corpus_changes_it(tmp_path: Path) -> None:
    sound = contents(CORPUS)
    changes = {**faults(), **drawn(), **harmless()}
    assert len(changes) == len(faults()) + len(drawn()) + len(harmless())
    for at, (name, (change, _, _)) in enumerate(changes.items()):
        if change:
            corpus = tmp_path / str(at)
            shutil.copytree(CORPUS, corpus)
            change(corpus)
            assert contents(corpus) != sound, name


def test_the_sets_are_asked_together_under_unique_ids() -> None:
    asked = questions()
    assert len({question.id for question in asked}) == len(asked) > 1000
