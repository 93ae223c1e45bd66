import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import CORPUS
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from assistant.embedding import FILES, MODEL, StaticEmbeddings
from assistant.errors import ModelError
from assistant.text import normalise

TEXTS = [
    "嘉定共有多少家特色产业园区？",
    "上年度特色园区总营收已超过5000亿元，产业集聚度达到75%。",
    "嘉府规〔2023〕1号",
    "Jiading District GPU",
    "园",
    "氢能港🚗位于安亭镇",  # a character that the model does not know
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the model that may be damaged."""
    for name in FILES:
        shutil.copy(MODEL / name, tmp_path / name)
    return tmp_path


def test_vectors_equal_those_of_sentence_transformers(embeddings: StaticEmbeddings) -> None:
    torch = pytest.importorskip("torch", reason="only this test needs torch")
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    tensors = load_file(MODEL / "model.safetensors")
    weights = tensors["rows"].astype(np.float32) * tensors["scales"][:, None]
    weights[0] = 0  # the unknown token says nothing of a text
    module = StaticEmbedding(Tokenizer.from_file(str(MODEL / "tokenizer.json")), embedding_weights=weights)
    with torch.no_grad():
        made = module(module.preprocess([normalise(text) for text in TEXTS]))["sentence_embedding"].numpy()
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    assert np.abs(made - embeddings.encode(TEXTS)).max() < 1e-3


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("園區", "园区"),  # traditional characters
        ("十九家", "19家"),  # Chinese numerals
        ("５０００亿元", "五千亿元"),  # full-width digits
        ("GPU芯片", "gpu芯片"),  # case
        ("嘉府规〔2023〕1号", "嘉府规[2023]1号"),  # brackets
    ],
)
def test_one_meaning_has_one_vector(embeddings: StaticEmbeddings, a: str, b: str) -> None:
    one, other = embeddings.encode([a, b])
    assert np.array_equal(one, other) and one.any()


def test_what_means_the_same_is_nearer_than_what_does_not(embeddings: StaticEmbeddings) -> None:
    question, answer, other = embeddings.encode(
        ["企业技术改造有什么奖励", "对技改项目给予资金扶持", "氢能港位于安亭镇，规划面积2.15平方公里"]
    )
    assert question @ answer > question @ other


@given(texts=st.lists(st.text(), min_size=1, max_size=4))
def test_every_text_has_a_vector_of_length_one_or_none(embeddings: StaticEmbeddings, texts: list[str]) -> None:
    """And never NaN, which a vector store would take for a vector."""
    vectors = embeddings.encode(texts)
    assert vectors.dtype == np.float32 and vectors.shape[0] == len(texts) and np.isfinite(vectors).all()
    lengths = np.linalg.norm(vectors, axis=1)
    assert ((np.abs(lengths - 1) < 1e-5) | (lengths == 0)).all()


@pytest.mark.parametrize("text", ["", " \n", "\x00", "🚗"])
def test_a_text_without_a_known_token_has_no_direction(embeddings: StaticEmbeddings, text: str) -> None:
    assert not np.any(embeddings.embed_query(text))


def test_no_texts_have_no_vectors(embeddings: StaticEmbeddings) -> None:
    assert embeddings.embed_documents([]) == []


def test_a_vector_depends_on_its_own_text_alone(embeddings: StaticEmbeddings) -> None:
    """Neither on its neighbours in the batch nor on its length."""
    long = (CORPUS / "documents" / "01-press-briefing-20230822-parks.md").read_text(encoding="utf-8") * 5
    together = embeddings.encode([*TEXTS, long])
    for text, vector in zip([*TEXTS, long], together, strict=True):
        assert np.array_equal(embeddings.embed_query(text), vector)
    assert not np.array_equal(together[-1], embeddings.embed_query(long[:500]))  # nothing is cut off


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("data", [None, b"", b"junk"], ids=["lost", "empty", "junk"])
def test_a_lost_or_damaged_file_is_named_in_one_line(copy: Path, name: str, data: bytes | None) -> None:
    if data is None:
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(data)
    with pytest.raises(ModelError, match=r"向量模型“.*”缺文件或已损坏.*请重新安装") as caught:
        StaticEmbeddings.load(copy)
    assert str(copy) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "keep"),
    [
        ("config.json", lambda data: data.replace(b"256", b"512")),  # of another model
        ("model.safetensors", lambda data: data[: len(data) // 2]),  # half copied
        ("tokenizer.json", lambda data: data[: len(data) // 2]),
    ],
)
def test_files_that_do_not_fit_together_are_refused(copy: Path, name: str, keep: Callable[[bytes], bytes]) -> None:
    data = (copy / name).read_bytes()
    assert keep(data) != data
    (copy / name).write_bytes(keep(data))
    with pytest.raises(ModelError):
        StaticEmbeddings.load(copy)


@pytest.mark.parametrize("name", FILES)
def test_the_fingerprint_covers_every_file(copy: Path, embeddings: StaticEmbeddings, name: str) -> None:
    same = StaticEmbeddings.load(copy)
    assert same.fingerprint == embeddings.fingerprint
    other = StaticEmbeddings.load(copy)
    (copy / name).write_bytes((copy / name).read_bytes() + b" ")
    assert other.fingerprint != embeddings.fingerprint
