import json
from pathlib import Path

import pytest

from evals.retrieval import METHODS, measures, run, split


class Letters:
    """A vector of two counts: how often 甲 and 乙 occur."""

    fingerprint = "letters"
    near_enough = None
    embedded = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.embedded += len(texts)
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [float(text.count("甲")), float(text.count("乙"))]


def _write(folder: Path, passages: list[object], queries: list[object]) -> None:
    for name, rows in (("passages", passages), ("queries", queries)):
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")


def test_measures_by_hand() -> None:
    # found second of one relevant: 1 / log2(3)
    assert measures(["a", "b"], {"b"}) == pytest.approx(
        {"ndcg@10": 0.63093, "mrr@10": 0.5, "hit@1": 0.0, "recall@10": 1.0}, abs=1e-5
    )
    assert measures(["a"], {"b", "a"})["recall@10"] == 0.5
    assert set(measures([], {"a"}).values()) == {0.0}


def test_every_method_is_measured_and_the_index_is_kept(tmp_path: Path) -> None:
    passages = [{"id": "1", "text": "甲甲甲"}, {"id": "2", "text": "乙乙乙"}]
    _write(tmp_path, passages, [{"id": "q", "text": "乙乙", "relevant": ["2"]}])
    model = Letters()
    report = run(tmp_path, cache=tmp_path / "cache", embeddings=model)
    assert set(report["methods"]) == {"BM25, words", *METHODS}
    assert all(row["hit@1"] == (name != "BM25, words") for name, row in report["methods"].items())
    made = model.embedded
    run(tmp_path, cache=tmp_path / "cache", embeddings=model)
    assert model.embedded == made == 2


def test_questions_are_parted_once_and_for_all() -> None:
    assert {split("甲"), split("乙"), split("丙"), split("丁")} == {"tune", "held out"}
    assert split("甲") == split("甲")


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    _write(tmp_path, [{"id": "1"}], [])
    with pytest.raises(ValueError, match=r"passages\.jsonl, line 1: lacks text"):
        run(tmp_path, embeddings=Letters())
