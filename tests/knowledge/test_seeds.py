"""The four real, damaged documents: what is left of them, and whether questions find their answer."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures_knowledge import SEEDS
from sqlalchemy import create_engine

from knowledge.chunk import cut
from knowledge.document import Document, read
from knowledge.embed import LocalEmbeddings
from knowledge.index import Index
from knowledge.ingest import Ingest
from knowledge.ledger import Ledger, metadata
from knowledge.library import Library
from knowledge.shipped import load_library
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
    return {path.name[:3]: read(path, kind="lesson") for path in sorted(SEEDS.glob("*.txt"))}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("seeds")
    engine = create_engine(f"sqlite:///{folder / 'ledger.db'}")
    metadata.create_all(engine)
    built = Library(Ledger(engine), Index(folder, LocalEmbeddings()))
    assert not Ingest(built, "tester", "lesson").paths([SEEDS]).refused
    yield built
    built.index.close()


def test_titles_are_the_documents_own(documents: dict[str, Document]) -> None:
    assert {name: document.items[0].title for name, document in documents.items()} == TITLES


def test_nothing_of_the_sites_and_of_the_damage_is_left(documents: dict[str, Document]) -> None:
    for document in documents.values():
        body = document.items[0].body
        assert not re.search(r"[\u3400-\u9fff]\([a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ]+\)|[\ue000-\uf8ff]", body)
        assert not re.search("VIP|人人文库|版权说明|温馨提示|最新文档|0/150|未读|下载本文档|机器人关节", fold(body))
    assert (documents["001"].mended, documents["001"].lost) == (6, 1)
    assert (documents["003"].mended, documents["003"].lost) == (24, 0)


def test_no_passage_is_empty_or_longer_than_a_sentence_makes_it(documents: dict[str, Document]) -> None:
    for document in documents.values():
        lengths = [len(passage.text) for passage in cut(document.items[0])]
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
def test_a_question_finds_its_answer_first(library: Library, question: str, document: str, answer: str) -> None:
    hit = library.search(question, k=1).hits[0]
    assert hit.title == TITLES[document]
    assert answer in hit.passage


def test_beside_the_shipped_library_the_objection_lesson_comes_first(library: Library) -> None:
    library.sync(load_library())
    hit = library.search("客户异议怎么处理", k=1).hits[0]
    assert hit.kind == "lesson"
    assert "objection" in hit.id
    # The documents must still be found among the shipped items.
    assert library.search("五色预警什么意思", k=1).hits[0].title == TITLES["001"]
    assert library.search("运营团队的关键角色", k=1).hits[0].title == TITLES["000"]


def test_a_seed_ingested_again_is_unchanged(library: Library) -> None:
    (report,) = Ingest(library, "tester", "lesson").paths([sorted(SEEDS.glob("002*"))[0]]).files
    assert report.status == "unchanged"


def test_seeds_are_given_whole(library: Library) -> None:
    item = library.get(next(item.id for item in library.index.items() if item.title == TITLES["002"]))
    assert item.source == Path(sorted(SEEDS.glob("002*"))[0]).name
    assert item.body.startswith("產品運營是連接產品與用戶的關鍵橋梁")
