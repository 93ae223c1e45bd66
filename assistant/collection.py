"""What every engine's collection has in common as langchain's VectorStore: it is searched by vectors, and knows no texts."""

from typing import Any, Self

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore


class Collection(VectorStore):
    """A collection that is open for reading; what its searches find has the metadata `row`, best first."""

    @property
    def vectors(self) -> VectorStore:
        """The collection itself."""
        return self

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Refuse: a collection knows no embedding model."""
        raise NotImplementedError

    @classmethod
    def from_texts(
        cls, texts: list[str], embedding: Embeddings, metadatas: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> Self:
        """Refuse: a collection is filled by ingesting."""
        raise NotImplementedError
