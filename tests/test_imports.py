import ast
from pathlib import Path

import pytest
from conftest import ROOT

LAYERS = [
    {"errors", "schema"},
    {"text", "guard", "kind", "spelling", "english", "catalog", "clean", "formats", "load", "split", "lexical", "rank", "embedding", "question", "rerank", "evidence",
     "policy", "compose", "verify", "validity", "generate"},
    {"index", "ingest", "retrieve"},
    {"pipeline"},
    {"config", "models"},
    {"viewer", "ui", "cli"},
]  # fmt: skip
ORDER = {module: number for number, layer in enumerate(LAYERS) for module in layer}


@pytest.mark.parametrize("file", sorted((ROOT / "assistant").glob("[!_]*.py")), ids=lambda file: file.stem)
def test_imports_point_one_way(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "assistant":
            parts = node.module.split(".")[1:] or [alias.name for alias in node.names]
            assert all(ORDER[part] <= ORDER[file.stem] for part in parts), f"{file.stem} imports {parts}"
        assert not (isinstance(node, ast.ImportFrom) and node.module == "eval") or file.stem == "cli"
