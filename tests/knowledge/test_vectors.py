"""The vectors that ship with the library are those of its texts; `make vectors` makes them anew."""

from __future__ import annotations

import numpy as np

from knowledge.embed import LocalEmbeddings
from knowledge.index import embedded_texts
from knowledge.shipped import load_library


def test_every_shipped_passage_has_its_vector() -> None:
    class NoModel(LocalEmbeddings):
        def _embed(self, texts: list[str]) -> list[list[float]]:
            assert texts == [], "run `make vectors`: the library has changed"
            return []

    assert len(NoModel().embed_documents(embedded_texts(load_library()))) > 200


def test_they_are_what_the_model_would_make() -> None:
    model = LocalEmbeddings()
    texts = embedded_texts(load_library())[:8]
    fresh, kept = np.asarray(model._embed(texts)), np.asarray(model.embed_documents(texts))
    assert np.abs(np.sum(fresh * kept, axis=1) - 1).max() < 0.002


def test_a_text_that_did_not_ship_is_embedded_in_its_place() -> None:
    model = LocalEmbeddings()
    shipped = embedded_texts(load_library())[0]
    mixed = np.asarray(model.embed_documents(["新写的一句话", shipped, "又一句"]))
    assert np.allclose(mixed[1], model.embed_documents([shipped])[0])
    assert np.allclose(mixed[0], model._embed(["新写的一句话"])[0], atol=1e-5)
