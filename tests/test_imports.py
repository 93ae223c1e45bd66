import re
from pathlib import Path

import pytest
from conftest import ROOT

LAYERS = [
    {"errors", "schema"},
    {"text", "guard", "kind", "spelling", "english", "catalog", "clean", "formats", "particulars", "load", "web", "split", "lexical", "rank", "embedding", "question", "rerank", "evidence",
     "policy", "compose", "verify", "validity", "generate"},
    {"index", "ingest", "retrieve", "relations", "vectors", "build", "history", "report"},
    {"pipeline"},
    {"config", "models"},
    {"viewer", "ui", "cli"},
]  # fmt: skip
ORDER = {module: number for number, layer in enumerate(LAYERS) for module in layer}


IMPORT = re.compile(r"^\s*from (assistant|eval)(?:\.(\w+))? import (.+)", re.MULTILINE)


@pytest.mark.parametrize("file", sorted((ROOT / "assistant").glob("[!_]*.py")), ids=lambda file: file.stem)
def test_imports_point_one_way(file: Path) -> None:
    for package, module, names in IMPORT.findall(file.read_text(encoding="utf-8")):
        if package == "eval":
            assert file.stem == "cli"
            continue
        parts = [module] if module else re.findall(r"\w+", names)
        assert all(ORDER[part] <= ORDER[file.stem] for part in parts), f"{file.stem} imports {parts}"
