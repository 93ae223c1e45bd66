import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from assistant.embedding import FILES, MODEL, StaticEmbeddings
from assistant.errors import ModelError
from assistant.text import normalise

TEXTS = ["嘉定有几家特色产业园区", "首次认定，给予资金奖励。" * 30, "GDP 2024年突破3000亿元", "氢", "hydrogen port"]


def test_its_vectors_equal_sentence_transformers(embeddings: StaticEmbeddings) -> None:
    """The same tokenizer and weights in sentence-transformers' own module, to 1e-3."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    tensors = load_file(MODEL / "model.safetensors")
    weights = tensors["rows"].astype(np.float32) * tensors["scales"][:, None]
    weights[0] = 0  # the unknown token says nothing
    module = StaticEmbedding(Tokenizer.from_file(str(MODEL / "tokenizer.json")), embedding_weights=weights)
    theirs = SentenceTransformer(modules=[module], device="cpu").encode(
        [normalise(text) for text in TEXTS], normalize_embeddings=True
    )
    assert np.abs(embeddings.encode(TEXTS) - theirs).max() < 1e-3


@pytest.mark.parametrize(("a", "b"), [("特色產業園區", "特色产业园区"), ("十九家园区", "19家园区"), ("ＧＤＰ", "gdp")])
def test_spellings_of_one_text_have_one_vector(embeddings: StaticEmbeddings, a: str, b: str) -> None:
    assert np.array_equal(embeddings.encode([a]), embeddings.encode([b]))


def test_recalled_vectors_are_the_encoded_ones(embeddings: StaticEmbeddings) -> None:
    for some in (TEXTS[:2], TEXTS, [TEXTS[1], TEXTS[1], "园区"], []):
        assert np.array_equal(embeddings.recall(some), embeddings.encode(some))


def test_like_texts_are_nearer_than_others(embeddings: StaticEmbeddings) -> None:
    question, near, far = embeddings.encode(
        ["企业买新能源汽车要交购置税吗", "购置新能源汽车免征车辆购置税", "南翔镇精准医学项目落户"]
    )
    assert question @ near > question @ far + 0.2


@given(text=st.text(max_size=30))
def test_every_text_has_a_vector_of_length_one_or_none(embeddings: StaticEmbeddings, text: str) -> None:
    (vector,) = embeddings.encode([text])
    assert (np.isfinite(vector).all() and np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)) or not vector.any()


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_damaged_file_is_said(tmp_path: Path, name: str) -> None:
    for file in FILES:
        shutil.copy(MODEL / file, tmp_path / file)
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(ModelError, match="损坏"):
        StaticEmbeddings.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match="损坏"):
        StaticEmbeddings.load(tmp_path)


def test_the_model_is_small_enough_to_ship() -> None:
    assert sum(file.stat().st_size for file in MODEL.iterdir()) < 24e6
