import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DOCUMENTS, ROOT, ROWS, write_corpus

from assistant.ingest import Report

# Each module may import those before it, anywhere in its text: so there is no cycle either.
LAYERS = (
    ("errors", "schema"),
    ("text", "kind", "spelling", "catalog", "clean", "load", "split", "lexical", "rank", "embedding"),
    ("question", "evidence", "compose", "verify", "validity", "generate"),
    ("index", "ingest", "retrieve"),
    ("pipeline",),
    ("config", "models"),
    ("eval", "viewer", "ui", "cli"),
)
ORDER = [module for layer in LAYERS for module in layer]
HEAVY = ("torch", "gradio", "sentence_transformers", "transformers", "datasets", "openai", "pandas")


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the names of our modules that a module imports, also inside functions and for types only."""
    for node in ast.walk(tree):
        found: list[str] = []
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide the order"
            of = node.module or ""
            found = [f"{of}.{alias.name}" for alias in node.names] if of == "assistant" else [of]
        for name in found:
            package, _, rest = name.partition(".")
            if package in ("assistant", "eval"):
                yield rest.split(".")[0] if package == "assistant" else "eval"


MODULES = sorted(path.stem for path in (ROOT / "assistant").glob("*.py") if path.stem != "__init__")


def test_every_module_has_its_place_in_the_order() -> None:
    assert sorted({*ORDER} - {"eval"}) == MODULES and len(ORDER) == len(set(ORDER))


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    tree = ast.parse((ROOT / "assistant" / f"{module}.py").read_text(encoding="utf-8"))
    later = {name for name in imported(tree) if name not in ORDER[: ORDER.index(module)]}
    assert not later, f"{module} imports {later}, which stand later"


def test_the_evaluation_imports_no_interface() -> None:
    for file in (ROOT / "eval").glob("*.py"):
        names = set(imported(ast.parse(file.read_text(encoding="utf-8"))))
        assert not names & {"viewer", "ui", "cli"}, file.name


def test_asking_loads_nothing_heavy(tmp_path: Path, run_ingest: Callable[[Path, Path], Report]) -> None:
    run_ingest(write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS), tmp_path / "index")
    code = (
        "import json, sys\nfrom assistant.cli import app\n"
        "app(['ask', '首次认定奖励多少', '--index', sys.argv[1]], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "index")],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True,
    )  # fmt: skip
    *answer, modules = done.stdout.splitlines()
    assert any("30万元" in line for line in answer)  # it went all the way
    assert {"assistant.pipeline", "chromadb", "numpy"} <= set(json.loads(modules))
    assert sorted(set(HEAVY) & set(json.loads(modules))) == []
