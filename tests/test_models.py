import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import DOCUMENTS, ROWS, TODAY, write_corpus, write_tokenizer

from assistant.config import Settings
from assistant.errors import ModelError, SettingsError, StaleIndexError
from assistant.ingest import ingest
from assistant.models import load_assistant, load_embeddings, load_workers

PROMPT = "为这个句子生成表示以用于检索相关文章："
QUESTION = "氢能港规划面积多大"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real sentence-transformers model's folder: a small BERT with pooling; untrained, for there is none to download."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = write_tokenizer(folder, PROMPT)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=48, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    SentenceTransformer(modules=[Transformer(str(folder)), Pooling(48)], device="cpu").save(str(folder / "model"))
    return folder / "model"


def test_a_sentence_transformers_folder_serves_with_its_own_query_prompt(tmp_path: Path, encoder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    settings = Settings(index=tmp_path / "index", embedding_model=str(encoder), embedding_query_prompt=PROMPT)
    embeddings, fingerprint = load_embeddings(settings)
    theirs = SentenceTransformer(str(encoder), device="cpu")
    texts = list(DOCUMENTS.values())
    vectors = [embeddings.embed_query(QUESTION), *embeddings.embed_documents(texts)]
    for mine, text in zip(vectors, [PROMPT + QUESTION, *texts], strict=True):
        assert np.abs(np.array(mine) - theirs.encode(text, normalize_embeddings=True)).max() < 1e-5
        assert np.linalg.norm(mine) == pytest.approx(1, abs=1e-5)

    ingest(
        [write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS)], settings.index, embeddings, fingerprint, lambda *_: None
    )
    assistant = load_assistant(settings)
    assert assistant.index.stored([0])[0].shape == (48,)
    answer = assistant.ask(QUESTION, filters=TODAY)
    assert answer.statements[0].citations[0].document_id == "port"
    assistant.close()


def test_another_model_prompt_or_weight_asks_for_a_new_index(tmp_path: Path, encoder: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(encoder, folder)
    settings = Settings(index=tmp_path / "index", embedding_model=str(folder), embedding_query_prompt=PROMPT)
    embeddings, fingerprint = load_embeddings(settings)
    ingest(
        [write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS)], settings.index, embeddings, fingerprint, lambda *_: None
    )
    load_assistant(settings).close()
    for other in (replace(settings, embedding_model=""), replace(settings, embedding_query_prompt="")):
        with pytest.raises(StaleIndexError):
            load_assistant(other)
    weights = next(folder.rglob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(StaleIndexError):
        load_assistant(settings)


def test_a_folder_that_holds_no_model_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="JIADING_EMBEDDING_MODEL"):
        load_embeddings(Settings(embedding_model=str(tmp_path / "nowhere")))


def test_what_to_install_for_many_machines_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.models.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"\.\[ray\]"):
        load_workers(Settings(), "auto", "")
