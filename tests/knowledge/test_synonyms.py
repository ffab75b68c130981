import pytest

from knowledge import synonyms
from knowledge.index import Index
from knowledge.item import Item
from knowledge.search import Method, search
from knowledge.text import fold


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("客诉怎么处理", ["投诉", "客户投诉", "用户投诉"]),
        ("客訴怎麼處理", ["投诉", "客户投诉", "用户投诉"]),
        ("怎么应对客户投诉", ["客诉", "用户投诉"]),
        ("GMV 下滑", ["成交额", "成交总额", "交易额"]),
        ("ＧＭＶ下滑", ["成交额", "成交总额", "交易额"]),
        ("拉新成本", ["获客", "引流", "新客获取", "cac", "获客成本"]),
        ("A/B 测试多久", ["ab测试", "ab实验", "对照实验", "分组实验"]),
        ("今天天气", []),
        ("", []),
    ],
)
def test_words_of_the_same_meaning_are_given(query: str, expected: list[str]) -> None:
    assert synonyms.others(query) == expected


@pytest.mark.parametrize("query", ["gmvx", "xgmv", "gmv2", "skus"])
def test_a_latin_word_stands_by_itself(query: str) -> None:
    assert synonyms.others(query) == []


def test_the_vocabulary_holds_the_terms_of_every_word() -> None:
    assert {"客诉", "gmv", "618", "双", "11", "七日", "日无"} <= synonyms.vocabulary()
    assert all(term == fold(term) for term in synonyms.vocabulary())


def test_no_word_is_given_twice_or_alone() -> None:
    groups = {group for _, group in synonyms._groups()}
    assert all(len(set(group)) == len(group) > 1 for group in groups)


def test_a_query_finds_what_is_written_in_the_other_word(index: Index) -> None:
    def lesson(name: str, body: str) -> Item:
        return Item(id=name, kind="lesson", title=name, source="测试", body=body)

    index.put(lesson("wanted", "用户投诉要在两小时内回访。"))
    for number in range(6):
        index.put(lesson(f"other-{number}", f"盘点第{number}号仓库要两人在场。"))
    results = search(index, "客诉", 1)
    assert results.hits[0].id == "wanted"
    assert "投诉" in results.words
    passage = results.hits[0].passage
    assert [passage[start:end] for start, end in results.hits[0].marks] == ["用户投诉"]
    assert "投诉" not in search(index, "客诉", 1, method=Method(synonyms=False)).words
