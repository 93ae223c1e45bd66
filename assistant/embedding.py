"""The shipped embedding model: one vector a token, averaged; read with tokenizers and numpy alone."""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from threading import Lock

import numpy as np
from langchain_core.embeddings import Embeddings
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from assistant.errors import ModelError
from assistant.text import normalise

MODEL = Path(__file__).parent / "model"
REMEMBERED = 20_000  # texts whose vectors are kept, 1 KiB each
FILES = ("tokenizer.json", "model.safetensors", "config.json")


class StaticEmbeddings(Embeddings):
    """A static embedding model in the folder that eval/train_embedding.py writes."""

    def __init__(self, tokenizer: Tokenizer, rows: np.ndarray, scales: np.ndarray, folder: Path) -> None:
        self._tokenizer, self._rows, self._scales, self._folder = tokenizer, rows, scales, folder
        self._remembered, self._lock = dict[str, np.ndarray](), Lock()

    @classmethod
    def load(cls, folder: Path = MODEL) -> "StaticEmbeddings":
        """Load a model. Raises ModelError when a file is missing or damaged."""
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "model.safetensors")
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            rows, scales = tensors["rows"], tensors["scales"]
            if rows.shape != (tokenizer.get_vocab_size(), config["dimension"]) or scales.shape != rows.shape[:1]:
                raise ValueError("sizes differ")
        except Exception as error:  # tokenizers raises plain Exception; the others have nothing in common
            raise ModelError(f"向量模型“{folder}”缺文件或已损坏（{type(error).__name__}），请重新安装本程序") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(tokenizer, rows, scales, folder)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the model's files: equal fingerprints give equal vectors."""
        digest = hashlib.sha256()
        for name in FILES:
            digest.update((self._folder / name).read_bytes())
        return digest.hexdigest()[:16]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 rows of length one, shape (texts, dimension); zeros for a text without a known token."""
        encodings = self._tokenizer.encode_batch_fast([normalise(text) for text in texts], add_special_tokens=False)
        vectors = np.zeros((len(texts), self._rows.shape[1]), dtype=np.float32)
        for vector, encoding in zip(vectors, encodings, strict=True):
            ids = np.array(encoding.ids, dtype=np.int64)
            ids = ids[ids > 0]  # 0 is the unknown token
            if len(ids):
                vector += self._scales[ids] @ self._rows[ids]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths > 0, lengths, 1.0)

    def recall(self, texts: Sequence[str]) -> np.ndarray:
        """Return what `encode` does, for texts that come up again and again: the latest are remembered."""
        with self._lock:
            known = {text: self._remembered.get(text) for text in texts}
        new = [text for text, vector in known.items() if vector is None]
        vectors = dict(zip(new, self.encode(new), strict=True))
        with self._lock:
            self._remembered |= {text: vector.copy() for text, vector in vectors.items()}  # a row keeps all its batch
            for text in list(islice(self._remembered, max(0, len(self._remembered) - REMEMBERED))):
                del self._remembered[text]
        return np.array([vectors.get(text, known[text]) for text in texts]).reshape(len(texts), self._rows.shape[1])

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector a text."""
        rows: list[list[float]] = self.encode(texts).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """Return the text's vector."""
        return self.embed_documents([text])[0]
