"""Where the words of a query stand in a text as its author wrote it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text import fold, is_han, spans, terms

TEXTS = st.text("客戶说太貴了裏后後０１２３5.%％,，。 ＡＢabİﬁ①㎏…\n", max_size=40)
WORDS = st.lists(
    st.text("客户说太贵了里后", min_size=1, max_size=3) | st.sampled_from(["ab", "5", "15%", "3.5"]), max_size=5
)


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("客户说太贵", ["太贵"], ["太贵"]),
        ("客戶說太貴，太貴了", ["太贵"], ["太貴", "太貴"]),
        ("价格异议处理", ["异议", "议处", "处理"], ["异议处理"]),
        ("异议、处理", ["异议", "处理"], ["异议", "处理"]),
        ("ＧＭＶ和gmv与GMVs", ["gmv"], ["ＧＭＶ", "gmv"]),
        ("先听，再听", ["听"], ["听", "听"]),
        ("退款15%或115%，15个", ["15%"], ["15%"]),
        ("1５％", ["15%"], ["1５％"]),
        ("15个，115，v15", ["15"], ["15"]),
        ("毛利3.5万，3 个，共3。", ["3"], ["3", "3"]),
        ("①和ﬁne", ["1", "fine"], ["①", "ﬁne"]),
        ("(a.b)*", ["a"], ["a"]),
        ("没有", ["太贵"], []),
        ("", ["太贵"], []),
        ("太贵", [], []),
    ],
)
def test_the_words_are_marked_as_the_author_wrote_them(text: str, wanted: list[str], expected: list[str]) -> None:
    assert [text[start:end] for start, end in spans(text, wanted)] == expected


@given(TEXTS, WORDS)
def test_spans_are_in_order_apart_and_never_empty(text: str, wanted: list[str]) -> None:
    found = spans(text, wanted)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(first[1] < second[0] for first, second in pairwise(found))


@given(TEXTS, WORDS)
def test_every_character_marked_is_one_of_a_wanted_word(text: str, wanted: list[str]) -> None:
    characters = set("".join(wanted))
    for start, end in spans(text, wanted):
        marked = text[start:end]
        assert set(fold(marked)) & characters
        assert any(word in fold(marked) for word in wanted)


@given(TEXTS, WORDS)
def test_more_words_never_mark_less(text: str, wanted: list[str]) -> None:
    def marked(words: list[str]) -> set[int]:
        return {place for start, end in spans(text, words) for place in range(start, end)}

    assert marked(wanted) == set().union(*(marked([word]) for word in wanted))


@given(st.text("客戶说太貴了裏听，。 abＣd", max_size=40))
def test_the_terms_of_a_text_without_figures_cover_all_its_words(text: str) -> None:
    covered = {place for start, end in spans(text, terms(text)) for place in range(start, end)}
    assert covered == {place for place, char in enumerate(text) if is_han(char) or char.isalpha()}
