"""Turn settings into the parts that answer: the only file that imports inside functions, so that nothing
heavy is loaded unless it is configured.
"""

import hashlib
from pathlib import Path

from langchain_core.embeddings import Embeddings

from assistant.config import Settings
from assistant.embedding import StaticEmbeddings
from assistant.errors import ModelError
from assistant.index import Index
from assistant.pipeline import Assistant, Generator


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


def load_assistant(settings: Settings) -> Assistant:
    """Open the index and return the assistant. Raises NoIndexError, StaleIndexError or ModelError."""
    embeddings, fingerprint = load_embeddings(settings)
    return Assistant(Index.open(settings.index, fingerprint), embeddings, load_generator(settings))
