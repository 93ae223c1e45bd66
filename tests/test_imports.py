import re
from pathlib import Path

import pytest
from conftest import ROOT

LAYERS = [
    {"errors", "schema"},
    {"formats.converted"},
    {"formats.package", "formats.tables", "formats.text"},
    {"formats.layout", "formats.ocr"},
    {"formats.images", "formats.pdf", "formats.sheets", "formats.web", "formats.word"},
    {"privacy", "text", "guard", "kind", "spelling", "english", "catalog", "clean", "formats", "particulars", "metadata", "load", "web", "split", "tokens", "lexical", "rank", "duplicates", "embedding", "question", "rerank", "attribute", "candidate", "conditions", "evidence",
     "policy", "compose", "support", "verify", "validity", "generate", "asking", "asked", "topic", "sender", "letter", "words"},
    {"formats.__main__"},
    {"index", "ingest", "retrieve", "relations", "vectors", "collection", "chroma", "stores", "milvus", "prepare", "staging", "build", "history", "report"},
    {"pipeline"},
    {"followups", "scope"},
    {"logs"},
    {"config", "models", "cluster"},
    {"reply.schema"},
    {"reply.footnotes", "reply.pieces", "reply.references", "reply.relevance", "reply.wording"},
    {"reply.check", "reply.draft", "reply.markdown", "reply.word"},
    {"reply.risk"},
    {"reply.export"},
    {"reply"},
    {"people.access", "people.addresses", "people.later", "people.passwords", "people.tables"},
    {"people.database", "people.table"},
    {"people.attempts", "people.audit", "people.questions", "people.rates"},
    {"people.accounts", "people.asked"},
    {"people.provider", "people.sessions"},
    {"people.journeys"},
    {"people.people"},
    {"people.commands"},
    {"people"},
    {"current", "metrics", "pulse", "viewer"},
    {"desk", "plain"},
    {"faults", "forms"},
    {"people.gate"},
    {"people.pages"},
    {"people.oidc"},
    {"boundary", "chat", "drafts", "mcp_server", "monitor"},
    {"api"},
    {"feedback", "components"},
    {"kept"},
    {"conversation"},
    {"administration"},
    {"administration.catalogue", "administration.files"},
    {"administration.changes", "administration.reading", "administration.overview", "administration.building"},
    {"administration.shown"},
    {"administration.proposing"},
    {"administration.documents", "administration.accounts", "administration.logs", "administration.state"},
    {"administration.page"},
    {"evaluation", "evaluation.shown", "evaluation.form"},
    {"evaluation.running"},
    {"evaluation.results", "evaluation.comparing", "evaluation.taking"},
    {"evaluation.page"},
    {"page"},
    {"replying", "replying.reply", "replying.compare"},
    {"replying.sources", "replying.store", "replying.workflow"},
    {"replying.forms", "replying.shown"},
    {"replying.routes"},
    {"replying.page"},
    {"ui"},
    {"serve"},
    {"cli"},
]  # fmt: skip
ORDER = {module: number for number, layer in enumerate(LAYERS) for module in layer}


IMPORT = re.compile(r"^\s*from (assistant|eval)(?:\.([\w.]+))? import (.+)", re.MULTILINE)


def modules() -> dict[str, Path]:
    """Each module's file by its name below the package."""
    package = ROOT / "assistant"
    files = [file for file in sorted(package.rglob("*.py")) if file != package / "__init__.py"]
    return {".".join(file.relative_to(package).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


@pytest.mark.parametrize(("name", "file"), modules().items(), ids=modules())
def test_imports_point_one_way(name: str, file: Path) -> None:
    for package, module, names in IMPORT.findall(file.read_text(encoding="utf-8")):
        if package == "eval":
            assert name in ("cli", "ui") or name.startswith("evaluation.")
            continue
        named = [f"{module}.{one}".strip(".") for one in re.findall(r"\w+", names)]
        parts = [one for one in named if one in ORDER] or [module]
        assert all(ORDER[part] <= ORDER[name] for part in parts), f"{name} imports {parts}"
