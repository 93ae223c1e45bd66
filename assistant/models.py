"""Turn settings into the parts that answer: the only file that imports inside functions, so that nothing
heavy is loaded unless it is configured.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings

from assistant.config import Settings
from assistant.embedding import StaticEmbeddings
from assistant.errors import ModelError, SettingsError
from assistant.index import Index
from assistant.ingest import HERE, Workers
from assistant.lexical import LexicalIndex
from assistant.pipeline import Assistant, Component, Generator
from assistant.rerank import Reranker, rerank
from assistant.schema import Hit
from assistant.split import searchable_text
from assistant.stores import EMBEDDED, ChromaServer, Engine


def load_embeddings(settings: Settings) -> tuple[Embeddings, str]:
    """Return the embedding model and its fingerprint: the shipped one, or any sentence-transformers model.

    Raises ModelError when it cannot be loaded.
    """
    if not settings.embedding_model:
        ours = StaticEmbeddings.load()
        return ours, ours.fingerprint
    from langchain_huggingface import HuggingFaceEmbeddings

    name, prompt = settings.embedding_model, settings.embedding_query_prompt
    query = {"prompt": prompt, "normalize_embeddings": True} if prompt else {"normalize_embeddings": True}
    try:
        model = HuggingFaceEmbeddings(
            model_name=name, encode_kwargs={"normalize_embeddings": True}, query_encode_kwargs=query
        )
    except Exception as error:  # the libraries below raise many kinds
        raise ModelError(f"向量模型“{name}”无法加载：{error}。请核对 JIADING_EMBEDDING_MODEL") from error
    return model, f"{name}|{prompt}|{_folder_hash(Path(name))}"


def _folder_hash(folder: Path) -> str:
    """Return a hash over a model folder's file names, sizes and small files; "" for a hub name."""
    if not folder.is_dir():
        return ""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as content:
            digest.update(f"{file.relative_to(folder)}|{file.stat().st_size}|".encode() + content.read(1_000_000))
    return digest.hexdigest()[:16]


def load_store(settings: Settings) -> Engine:
    """Return the engine that holds the vectors; it is not reached yet. Raises SettingsError when its client is not installed."""
    kind, where = re.split(r"[+:]", settings.store, maxsplit=1) if settings.store else ("", "")
    if kind == "chroma":
        return ChromaServer(where, settings.store_token)
    if not kind:
        return EMBEDDED
    if not find_spec("pymilvus"):
        raise SettingsError("没有装 Milvus 的客户端，请先运行 .venv/bin/pip install '.[milvus]'")
    from assistant.milvus import Milvus

    return Milvus(where if "://" in where else str(Path(where).resolve()), settings.store_token)


def load_workers(settings: Settings, ray: str, staging: str) -> AbstractContextManager[Workers]:
    """Return who reads and prepares what is ingested: this process, or with the address of a Ray cluster its machines.

    Raises SettingsError when Ray is not installed, or on entering when its cluster cannot be reached.
    """
    if not ray:
        return nullcontext(HERE)
    if not find_spec("ray"):
        raise SettingsError("没有装 Ray，请先运行 .venv/bin/pip install '.[ray]'")
    from assistant.cluster import Cluster

    place = staging or str(settings.index / "staging")
    return Cluster(settings, ray, place if "://" in place else str(Path(place).resolve()))


def load_reranker(settings: Settings) -> Reranker:
    """Return the reranker: the shipped one, or any sentence-transformers CrossEncoder.

    Raises ModelError when it cannot be loaded.
    """
    name = settings.reranker_model
    if not name:
        return rerank
    from sentence_transformers import CrossEncoder

    try:
        model = CrossEncoder(name)
    except Exception as error:  # the libraries below raise many kinds
        raise ModelError(f"重排模型“{name}”无法加载：{error}。请核对 JIADING_RERANKER_MODEL") from error

    def by_cross_encoder(query: str, hits: Sequence[Hit], lexical: LexicalIndex) -> np.ndarray:
        pairs = [(query, searchable_text(hit.document, hit.passage)) for hit in hits]
        scores: np.ndarray = np.asarray(model.predict(pairs, show_progress_bar=False), dtype=np.float64)
        return scores

    return by_cross_encoder


def load_generator(settings: Settings) -> Generator | None:
    """Return the chat model's generator, or None where none is configured."""
    if not settings.chat_url:
        return None
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    from assistant.generate import ChatGenerator

    return ChatGenerator(
        ChatOpenAI(
            base_url=settings.chat_url,
            model=settings.chat_model,
            api_key=SecretStr(settings.chat_api_key or "none"),
            timeout=settings.chat_timeout_s,
            max_retries=0,
            temperature=0,
        )
    )


def load_assistant(settings: Settings, without: Collection[Component] = ()) -> Assistant:
    """Open the index and return the assistant, without some components if asked.

    Raises NoIndexError, StaleIndexError, StoreError or ModelError.
    """
    embeddings, fingerprint = load_embeddings(settings)
    reranker, generator = load_reranker(settings), load_generator(settings)
    setup = {
        name: getattr(settings, name)
        for name in ("embedding_model", "embedding_query_prompt", "reranker_model", "chat_model")
    }
    return Assistant(
        Index.open(settings.index, fingerprint, load_store(settings)), embeddings, reranker, generator, without, setup
    )
