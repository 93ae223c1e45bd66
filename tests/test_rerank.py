from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import DOCUMENTS, ROWS, TODAY, write_corpus, write_tokenizer
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.config import Settings
from assistant.errors import ModelError
from assistant.ingest import Report
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.rerank import FEATURES, features, rerank
from assistant.retrieve import HybridRetriever
from assistant.schema import Hit

RULE = "# 奖励\n\n企业完成技术改造的，按设备投入的10%给予奖励。\n"


def candidates(assistant: Assistant, query: str) -> list[Hit]:
    return HybridRetriever(index=assistant.index, embeddings=assistant._embeddings, filters=TODAY).candidates(query)


def values(assistant: Assistant, query: str, document: str) -> dict[str, float]:
    """The features of a document's best hit."""
    hits = candidates(assistant, query)
    rows = features(query, hits, assistant.index.lexical)
    return dict(
        zip(FEATURES, next(r for r, hit in zip(rows, hits, strict=True) if hit.document.id == document), strict=True)
    )


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, run_ingest: Callable[[Path, Path], Report]) -> Assistant:
    """The same rule in three places, named in the titles alone."""
    folder = tmp_path_factory.mktemp("places")
    titles = {"a.md": "江西省技术改造奖励办法", "b.md": "山西省技术改造奖励办法", "c.md": "技术改造奖励办法"}
    documents = {
        name: RULE.replace("10%", f"{number}0%") + f"\n第{number}批。" * number for number, name in enumerate(titles, 1)
    }
    rows = {name: {"title": title, "published": "2023-01-01"} for name, title in titles.items()}
    run_ingest(write_corpus(folder / "corpus", documents, rows), folder / "index")
    return load_assistant(Settings(index=folder / "index"))


@pytest.mark.parametrize(("query", "first"), [("江西对技术改造有什么奖励？", "a"), ("山西省技术改造奖励比例", "b")])
def test_the_place_asked_about_comes_first(places: Assistant, query: str, first: str) -> None:
    assert places.search(query, TODAY)[0].document.id == first


def test_a_place_is_looked_for_in_the_title_and_not_mistaken_for_another(places: Assistant) -> None:
    right, wrong, neither = (values(places, "江西省技术改造奖励", document) for document in "abc")
    assert (right["place_title"], right["other_place"]) == (1.0, 0.0)
    assert (wrong["place_title"], wrong["other_place"]) == (0.0, 1.0)
    assert (neither["place_title"], neither["other_place"]) == (0.0, 0.0)
    assert values(places, "技术改造奖励", "a")["place_document"] == 0.5  # none is asked about


def test_what_only_asks_is_not_looked_for(small: Assistant) -> None:
    plain, asking = (values(small, query, "port") for query in ("氢能港规划面积", "请问氢能港规划面积是什么？"))
    for name in ("title", "own", "sentence", "document"):
        assert plain[name] == pytest.approx(asking[name])


def test_what_stands_in_one_sentence_counts_whole(small: Assistant) -> None:
    assert values(small, "氢能港规划面积", "port")["sentence"] == pytest.approx(1.0)
    assert values(small, "氢能港规划面积和绿色工厂", "port")["sentence"] < 1.0


@given(query=st.text(max_size=40) | st.sampled_from(["氢能港", "江西省2.15平方公里", "GDP 50万元", "的了在"]))
@settings(max_examples=40, deadline=None)
def test_features_are_shares_for_any_query(small: Assistant, query: str) -> None:
    hits = candidates(small, query)
    rows = features(query, hits, small.index.lexical)
    assert rows.shape == (len(hits), len(FEATURES))
    assert np.isfinite(rows).all() and (rows >= 0).all() and (rows <= 1 + 1e-9).all()
    assert rerank(query, hits, small.index.lexical).shape == (len(hits),)


def test_reranking_does_not_depend_on_the_order_of_candidates(jiading: Assistant) -> None:
    query = "氢能港的规划面积和产值目标"
    hits = candidates(jiading, query)
    scores = rerank(query, hits, jiading.index.lexical)
    assert rerank(query, hits[::-1], jiading.index.lexical) == pytest.approx(scores[::-1])


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real CrossEncoder's folder; untrained, for there is none to download."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("cross")
    tokenizer = write_tokenizer(folder)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_any_cross_encoder_reranks_by_a_setting(
    tmp_path: Path, cross_encoder: Path, run_ingest: Callable[[Path, Path], Report]
) -> None:
    from sentence_transformers import CrossEncoder

    run_ingest(write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS), tmp_path / "index")
    assistant = load_assistant(Settings(index=tmp_path / "index", reranker_model=str(cross_encoder)))
    hits = assistant.search("氢能港规划面积", TODAY)
    model = CrossEncoder(str(cross_encoder))
    texts = [
        "\n".join(filter(None, [h.document.title, " ".join(h.passage.headings), h.passage.context, h.passage.text]))
        for h in hits
    ]
    scores = np.asarray(model.predict([("氢能港规划面积", text) for text in texts], show_progress_bar=False))
    assert list(scores) == sorted(scores, reverse=True) and len(hits) > 2
    assistant.close()


def test_a_reranker_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="JIADING_RERANKER_MODEL"):
        load_assistant(Settings(index=tmp_path, reranker_model=str(tmp_path / "nowhere")))
