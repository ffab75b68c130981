"""The vectors in Chroma: in this process or on a server, through langchain-chroma."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from knowledge.embed import FingerprintedEmbeddings
from knowledge.filters import Filter

if TYPE_CHECKING:
    from langchain_chroma import Chroma


class Vectors:
    """One collection of vectors by passage id.

    Args:
        folder: where Chroma keeps its files when it runs in this process.
        url: address of a Chroma server instead.
        collection: its name, 3 characters or more.
    """

    def __init__(self, folder: Path, url: str | None, collection: str, embeddings: FingerprintedEmbeddings) -> None:
        self._folder, self._url, self._name, self._embeddings = folder, url, collection, embeddings
        self.store = self._open()
        self.count()  # a collection that cannot be read says so here

    def close(self) -> None:
        """Let go of Chroma's files; a new one opens them as they are then."""
        self._client.close()

    def count(self) -> int:
        return int(self.store._collection.count())

    def clear(self) -> None:
        self.store.reset_collection()

    def put(self, ids: Sequence[str], vectors: Any, metadatas: Sequence[dict[str, Any]]) -> None:
        """Add or replace; `vectors` has one row an id."""
        if ids:
            self.store._collection.upsert(ids=list(ids), embeddings=vectors, metadatas=cast(Any, list(metadatas)))

    def drop(self, ids: Sequence[str]) -> None:
        """Take out those of `ids` that are there."""
        if ids:
            self.store._collection.delete(ids=list(ids))

    def nearest(self, vector: Sequence[float], fits: Filter, depth: int) -> list[str]:
        """Ids of the `depth` nearest, the nearest first."""
        # Straight to Chroma, as LangChain would fetch every document to give its id.
        found = self.store._collection.query(
            query_embeddings=cast(Any, [list(vector)]),
            n_results=depth,
            where=cast(Any, fits.as_where()),
            include=[],
        )
        return list(found["ids"][0])

    def _open(self) -> "Chroma":
        import chromadb  # with langchain_chroma 2 seconds of imports, which only a search should pay
        from chromadb.config import Settings
        from langchain_chroma import Chroma
        from langchain_core.embeddings import Embeddings

        settings = Settings(anonymized_telemetry=False, chroma_otel_granularity=None)
        if self._url is None:
            client = chromadb.PersistentClient(path=str(self._folder), settings=settings)
        else:
            url = urlsplit(self._url)
            client = chromadb.HttpClient(
                host=url.hostname or "localhost",
                port=url.port or (443 if url.scheme == "https" else 8000),
                ssl=url.scheme == "https",
                settings=settings,
            )
        self._client: Any = client
        return Chroma(
            client=client,
            collection_name=self._name,
            embedding_function=cast(Embeddings, self._embeddings),
            collection_configuration={"hnsw": {"space": "cosine"}},
        )
