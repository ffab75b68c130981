"""Near-copies: told by their shingles, and shown once by the search with every place they stand in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.filters import Filter
from knowledge.index import Index
from knowledge.item import Item
from knowledge.near import SAME, alike, bands, likeness, shingles
from knowledge.search import Hit, search

RULE = "客户签收后七天内可以无理由退货，商品应当完好，运费由客户承担，退款在收到退回商品后三个工作日内原路退回。"
# Another word at the end: 43 of 47 shingles of both are shared.
NEARLY = RULE.replace("原路退回", "原路返还")
OTHER = "先让客户把话说完，再复述他的顾虑，问清楚太贵是和谁比。"
TEXTS = st.text("客户签收后七天内可以退货abc ，。", max_size=60)


def lesson(name: str, body: str, **facts: object) -> Item:
    values = {"id": name, "kind": "lesson", "title": f"课 {name}", "source": f"{name}.txt", "body": body, **facts}
    return Item.model_validate(values)


def find(index: Index, query: str = "无理由退货", **wanted: object) -> list[Hit]:
    return list(search(index, query, 20, Filter(**wanted)).hits)  # type: ignore[arg-type]


def told(hits: list[Hit]) -> list[tuple[str, list[str]]]:
    return [(hit.id, [other.id for other in hit.also]) for hit in hits]


# --- the measure


def test_shingles_are_runs_of_four_without_marks_and_spaces() -> None:
    assert shingles("先听， 再問！") == {"先听再问"}
    assert shingles("先听，再問：ＡＢ") == {"先听再问", "听再问a", "再问ab"}
    assert shingles("先") == {"先"}
    assert shingles("。") == shingles("") == {""}


def test_likeness_is_the_shared_part_of_all_shingles() -> None:
    # abcd bcde cdef and bcde cdef defg: two of four.
    assert likeness("abcdef", "bcdefg") == 0.5
    assert likeness("先聽，再問。", "先听再问") == 1.0
    assert likeness("abcd", "efgh") == 0.0
    assert likeness(RULE, NEARLY) > SAME


@given(TEXTS, TEXTS)
def test_likeness_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    assert 0 <= likeness(one, other) == likeness(other, one) <= 1
    assert likeness(one, one) == 1


@given(st.lists(TEXTS, max_size=6), st.sampled_from([0.2, 0.5, 1.0]))
def test_alike_are_the_pairs_of_that_likeness(texts: list[str], least: float) -> None:
    assert sorted(alike(texts, least)) == [
        (one, other)
        for one in range(len(texts))
        for other in range(one + 1, len(texts))
        if likeness(texts[one], texts[other]) >= least
    ]


def test_near_copies_share_a_band_and_other_texts_none() -> None:
    keys = bands(RULE)
    assert len(keys) == len(set(keys)) == 16
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert bands(RULE.replace("，", " , ")) == keys
    assert set(bands(NEARLY)) & set(keys)
    assert not set(bands(OTHER)) & set(keys)


@given(st.integers(0, len(RULE) - 1), st.sampled_from("甲乙丙丁"))
def test_a_text_with_one_other_character_is_met(place: int, char: str) -> None:
    changed = RULE[:place] + char + RULE[place + 1 :]
    assert likeness(changed, RULE) > SAME
    assert set(bands(changed)) & set(bands(RULE))


# --- in the index


@pytest.mark.parametrize("copy", [RULE, NEARLY], ids=["the same", "nearly"])
def test_a_passage_in_two_items_is_shown_once_with_both(index: Index, copy: str) -> None:
    index.put(lesson("first", RULE))
    index.put(lesson("second", copy))
    index.put(lesson("other", OTHER))
    hit, *rest = find(index)
    assert (hit.id, hit.source, hit.passage) == ("first", "first.txt", RULE)
    assert [(other.id, other.title, other.source) for other in hit.also] == [("second", "课 second", "second.txt")]
    assert told(rest) == [("other", [])]
    assert index.get("second").body == copy


def test_when_the_first_goes_the_next_takes_its_place(index: Index) -> None:
    for name in ("first", "second", "third"):
        index.put(lesson(name, RULE))
    assert told(find(index)) == [("first", ["second", "third"])]
    index.remove("first")
    assert told(find(index)) == [("second", ["third"])]
    index.put(lesson("fourth", NEARLY))
    assert told(find(index)) == [("second", ["third", "fourth"])]
    index.put(lesson("second", OTHER))
    assert told(find(index)) == [("third", ["fourth"]), ("second", [])]
    index.remove("third")
    index.remove("fourth")
    assert told(find(index)) == [("second", [])]
    assert index._vectors.count() == index.count() == 1


def test_when_the_first_becomes_a_draft_the_next_is_found(index: Index) -> None:
    index.put(lesson("first", RULE))
    index.put(lesson("second", RULE))
    index.put(lesson("first", RULE, status="draft"))
    assert told(find(index)) == [("second", [])]


def test_a_copy_that_was_put_again_is_no_copy_of_itself(index: Index) -> None:
    index.put(lesson("first", RULE))
    index.put(lesson("first", RULE, title="新题"))
    assert told(find(index)) == [("first", [])]


def test_a_passage_twice_in_one_item_is_shown_once(index: Index) -> None:
    index.put(lesson("first", f"# 甲\n{RULE * 3}\n# 乙\n{RULE * 3}"))
    assert told(find(index)) == [("first", [])]


def test_under_other_tags_each_is_reached_by_its_filter(index: Index) -> None:
    index.put(lesson("first", RULE, role="sales", year=2024))
    index.put(lesson("second", RULE, role="support", year=2025))
    index.put(lesson("third", RULE, role="support", year=2025))
    assert told(find(index, role="sales")) == [("first", ["second", "third"])]
    assert told(find(index, role="support")) == [("second", ["first", "third"])]
    assert told(find(index, year=2025, role="support")) == [("second", ["first", "third"])]
    ((_, also),) = told(find(index))
    assert len(also) == 2
    index.remove("first")
    assert find(index, role="sales") == []
    index.remove("second")
    assert told(find(index, role="support")) == [("third", [])]


def test_with_an_item_left_out_goes_the_copy_it_stands_for(index: Index) -> None:
    index.put(lesson("first", RULE))
    index.put(lesson("second", RULE))
    assert find(index, exclude=["first"]) == []


def test_the_same_words_with_other_figures_are_two_passages(index: Index) -> None:
    words = "整机保修期为{}个月，自签收次日起算，凭订单号报修，人为损坏不在保修之内，配件另计，请在报修时说明故障。"
    index.put(lesson("first", words.format(12)))
    index.put(lesson("second", words.format(24)))
    assert {hit.id for hit in find(index)} == {"first", "second"}
    assert [hit.also for hit in find(index)] == [(), ()]


def test_tags_that_change_bring_a_copy_out_and_in(index: Index) -> None:
    index.put(lesson("first", RULE, role="sales"))
    index.put(lesson("second", RULE, role="sales"))
    index.put(lesson("first", RULE, role="support"))
    assert told(find(index, role="sales")) == [("second", ["first"])]
    assert told(find(index, role="support")) == [("first", ["second"])]
    index.put(lesson("first", RULE, role="sales"))
    assert told(find(index, role="sales")) == [("second", ["first"])]
    assert find(index, role="support") == []
