from collections.abc import Iterator

import pytest
from fixtures_knowledge import BigramEmbeddings

from knowledge.index import Index
from knowledge.item import Item
from knowledge.search import search
from knowledge.spelling import mend

TEXTS = (
    "价格异议处理：先听后问。",
    "异议处理要有证据，客户投诉也一样。",
    "投诉处理要快，退款要准。",
    "退款流程：先核对订单，看 retention 和 GMV。",
    "Retention 的口径，留存和复购。",
    "复购来自满意的客户。",
)


def lesson(name: str, body: str) -> Item:
    return Item(id=name, kind="lesson", title=name, source="测试", body=body)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    index = Index(tmp_path_factory.mktemp("index"), BigramEmbeddings())
    for number, body in enumerate(TEXTS):
        index.put(lesson(f"n{number}", body))
    yield index
    index.close()


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("异意处理", "异议处理"),
        ("異意處理", "异议处理"),
        ("投述", "投诉"),
        ("投素处理", "投诉处理"),
        ("退宽流程", "退款流程"),
        ("户购", "复购"),  # f and h are one sound to many
        ("retenton", "retention"),
        ("Retentoin", "retention"),
        ("看retenton", "看retention"),
    ],
)
def test_slips_of_the_keyboard_are_mended(filled: Index, query: str, meant: str) -> None:
    assert mend(query, filled) == meant


@pytest.mark.parametrize(
    "query",
    [
        "异议处理",  # right
        "異議處理",
        "客户 投诉",
        "获客",  # not in any passage, but a word of the trade
        "处理证据",  # only the seam is new
        "量子力学",  # nothing sounds like it
        "退单流程",  # another sound
        "zz",  # too short to tell
        "2025",
        "gmvv",
        "",
        "投述这个词在一个很长的问题里面就不必改了",
    ],
)
def test_what_is_right_or_cannot_be_told_stays(filled: Index, query: str) -> None:
    assert mend(query, filled) is None


def test_a_word_of_one_passage_is_not_trusted(index: Index) -> None:
    index.put(lesson("only", "这里只说一次的词是甲方验收。"))
    assert mend("甲方验首", index) is None
    index.put(lesson("again", "甲方验收要签字。"))
    assert mend("甲方验首", index) == "甲方验收"


def test_a_word_of_the_language_is_no_slip(index: Index) -> None:
    index.put(lesson("x", "先说清利害关系，再谈条件。"))
    index.put(lesson("y", "利害关系人要在场。"))
    assert mend("海关清关", index) is None
    assert mend("利海关系", index) == "利害关系"


def test_new_words_count_at_once(index: Index) -> None:
    index.put(lesson("x", "镭射打标机的报价。"))
    assert mend("累射", index) is None
    index.put(lesson("y", "镭射切割的交期。"))
    assert mend("累射", index) == "镭射"


def test_the_search_says_how_it_read_the_query(filled: Index) -> None:
    results = search(filled, "异意处理", 1)
    assert (results.query, results.read_as) == ("异意处理", "异议处理")
    assert "异议处理" in results.hits[0].passage
    assert search(filled, "异议处理", 1).read_as is None
