"""The four real, damaged documents: what is left of them, and whether questions find their answer."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures_knowledge import SEEDS

from knowledge.chunk import cut
from knowledge.embed import LocalEmbeddings
from knowledge.index import Index, sync_library
from knowledge.ingest import Document, ingest_paths, read
from knowledge.library import load_library
from knowledge.text import fold

pytestmark = [
    pytest.mark.skipif(not SEEDS.is_dir(), reason="the four documents are not beside the repository"),
    # 300 passages through the real model, once.
    pytest.mark.timeout(600),
]

TITLES = {
    "000": "整体运营培训教程课件",
    "001": "2025年網絡營銷團隊培訓與成長策略可行性研究報告",
    "002": "產品運營培訓方案",
    "003": "2025年電子商務平臺運營人員培訓與考核手冊",
}


@pytest.fixture(scope="module")
def documents() -> dict[str, Document]:
    return {path.name[:3]: read(path, "lesson") for path in sorted(SEEDS.glob("*.txt"))}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    built = Index(tmp_path_factory.mktemp("seeds"), LocalEmbeddings())
    assert not ingest_paths(built, [SEEDS], "lesson").refused
    yield built
    built.close()


def test_titles_are_the_documents_own(documents: dict[str, Document]) -> None:
    assert {name: document.item.title for name, document in documents.items()} == TITLES


def test_nothing_of_the_sites_and_of_the_damage_is_left(documents: dict[str, Document]) -> None:
    for document in documents.values():
        body = document.item.body
        assert not re.search(r"[\u3400-\u9fff]\([a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ]+\)|[\ue000-\uf8ff]", body)
        assert not re.search("VIP|人人文库|版权说明|温馨提示|最新文档|0/150|未读|下载本文档|机器人关节", fold(body))
    assert (documents["001"].mended, documents["001"].lost) == (6, 1)
    assert (documents["003"].mended, documents["003"].lost) == (24, 0)


def test_no_passage_is_empty_or_longer_than_a_sentence_makes_it(documents: dict[str, Document]) -> None:
    for document in documents.values():
        lengths = [len(passage.text) for passage in cut(document.item)]
        assert min(lengths) > 20
        assert max(lengths) <= 400


@pytest.mark.parametrize(
    ("question", "document", "answer"),
    [
        ("样本量怎么计算", "002", "樣本量計算"),
        ("核心人才流失率目标", "001", "核心人才流失率≤15%"),
        ("平台运营能力占多少分", "003", "平臺運營能力(30%)"),
        ("运营团队的关键角色", "000", "运营团队中的关键角色"),
        ("五色预警什么意思", "001", "五色預警"),
        ("培训满意度指标", "003", "培訓滿意度"),
        ("實操考核占總分多少", "003", "占總分的40%"),
    ],
)
def test_a_question_finds_its_answer_first(index: Index, question: str, document: str, answer: str) -> None:
    hit = index.search(question, k=1)[0]
    assert hit.title == TITLES[document]
    assert answer in hit.passage


def test_beside_the_shipped_library_the_objection_lesson_comes_first(index: Index) -> None:
    library = load_library()
    if not any("objection" in item.id for item in library):
        pytest.skip("the objection lesson is not shipped yet")
    sync_library(index, library)
    hit = index.search("客户异议怎么处理", k=1)[0]
    assert hit.kind == "lesson"
    assert "objection" in hit.id
    # The documents must still be found among the shipped items.
    assert index.search("五色预警什么意思", k=1)[0].title == TITLES["001"]
    assert index.search("运营团队的关键角色", k=1)[0].title == TITLES["000"]


def test_a_seed_ingested_again_is_unchanged(index: Index) -> None:
    (report,) = ingest_paths(index, [sorted(SEEDS.glob("002*"))[0]], "lesson").files
    assert report.status == "unchanged"


def test_seeds_are_given_whole(index: Index) -> None:
    item = index.get(next(item.id for item in index.items() if item.title == TITLES["002"]))
    assert item.source == Path(sorted(SEEDS.glob("002*"))[0]).name
    assert item.body.startswith("產品運營是連接產品與用戶的關鍵橋梁")
