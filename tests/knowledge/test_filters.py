"""One filter, told to SQLite and to Chroma: both must let through the same items, and those it says."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from fixtures_knowledge import BigramEmbeddings
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.filters import Filter, facets, metadata
from knowledge.index import Index
from knowledge.item import Item
from knowledge.search import search

SKILLS = ((), ("needs",), ("needs", "negotiation"))


def _items() -> Iterator[Item]:
    tags = product(("sales", "support", "common"), ("case", "lesson"), ("junior", "senior"), (None, 2024, 2025))
    for number, (role, kind, tier, year) in enumerate(tags):
        facts: dict[str, object] = {"role": role, "kind": kind, "tier": tier, "year": year}
        facts |= {"industry": ("beauty", "自有 '行业'")[number % 2], "skills": SKILLS[number % 3]}
        named = {"id": f"item-{number}", "title": f"第{number}条", "source": "测试"}
        yield Item.model_validate({**facts, **named, "body": f"退款第{number}条：{chr(0x4E00 + 37 * number) * 20}"})


ITEMS = list(_items())


def fits(wanted: Filter, item: Item) -> bool:
    """What a filter means, said once more and plainly."""
    return (
        (wanted.role is None or item.role in (wanted.role, "common"))
        and (wanted.kind is None or item.kind == wanted.kind)
        and (wanted.industry is None or item.industry == wanted.industry)
        and (wanted.tier is None or item.tier == wanted.tier)
        and (wanted.skill is None or wanted.skill in item.skills)
        and (wanted.year is None or item.year == wanted.year)
        and item.id not in wanted.exclude
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    index = Index(tmp_path_factory.mktemp("index"), BigramEmbeddings())
    for item in ITEMS:
        index.put(item)
    yield index
    index.close()


FILTERS = st.builds(
    Filter,
    role=st.sampled_from([None, None, "sales", "support", "operations", "common"]),
    kind=st.sampled_from([None, None, "case", "lesson", "template"]),
    industry=st.sampled_from([None, None, None, "beauty", "自有 '行业'", "' OR 1=1 --", ""]),
    tier=st.sampled_from([None, None, "junior", "middle", "senior"]),
    skill=st.sampled_from([None, None, "needs", "negotiation", "need", '"needs"']),
    year=st.sampled_from([None, None, 2024, 2025, 1999]),
    exclude=st.sets(st.sampled_from([item.id for item in ITEMS[:6]] + ["none"]), max_size=3).map(tuple),
)


@settings(max_examples=60)
@given(wanted=FILTERS)
def test_words_and_vectors_look_at_the_items_that_fit(filled: Index, wanted: Filter) -> None:
    expected = {item.id for item in ITEMS if fits(wanted, item)}
    by_words = filled.lexical(["退款"], (1.0, 1.0, 1.0), wanted, 100)
    by_vector = filled.nearest(filled.embeddings.embed_query("退款"), wanted, 100)
    assert {stored.item.id for stored in filled.passages(list(by_words)).values()} == expected
    assert {stored.item.id for stored in filled.passages(by_vector).values()} == expected
    assert {hit.id for hit in search(filled, "退款", 50, wanted).hits} == expected


def test_nothing_wanted_is_no_condition() -> None:
    assert Filter().as_sql() == ("", {})
    assert Filter().as_where() is None


def test_one_wish_stands_alone_and_more_are_joined() -> None:
    assert Filter(kind="case").as_where() == {"kind": "case"}
    assert Filter(kind="case", year=2025).as_where() == {"$and": [{"kind": "case"}, {"year": 2025}]}
    assert Filter(kind="case", role="sales").as_sql() == (
        "i.kind = :kind AND i.role IN (:role, 'common')",
        {"kind": "case", "role": "sales"},
    )


@given(one=st.sampled_from(ITEMS), other=st.sampled_from(ITEMS), wanted=FILTERS)
def test_items_of_equal_facets_pass_the_same_filters(one: Item, other: Item, wanted: Filter) -> None:
    twin = other.model_copy(update=one.model_dump(include={"kind", "role", "industry", "tier", "year", "skills"}))
    assert facets(twin) == facets(one)
    wanted = replace(wanted, exclude=())
    assert fits(wanted, twin) == fits(wanted, one)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "template"},
        {"role": "sales"},
        {"industry": "saas"},
        {"tier": "middle"},
        {"year": 2020},
        {"skills": ("x",)},
    ],
)
def test_another_tag_is_another_facet(change: dict[str, object]) -> None:
    item = Item(id="a", kind="case", title="甲", source="测试", body="乙")
    assert facets(item.model_copy(update=change)) != facets(item)
    assert facets(item.model_copy(update={"title": "丙", "body": "丁", "id": "b", "language": "en"})) == facets(item)


def test_the_order_of_skills_is_no_facet() -> None:
    item = Item(id="a", kind="case", title="甲", source="测试", body="乙", skills=("x", "y"))
    assert facets(item) == facets(item.model_copy(update={"skills": ("y", "x")}))


def test_chroma_is_told_plain_values_only() -> None:
    row = {"id": "a", "kind": "case", "role": "sales", "industry": "saas", "tier": "junior", "skills": '["x", "y z"]'}
    expected = {"item": "a", "kind": "case", "role": "sales", "industry": "saas", "tier": "junior"}
    expected_skills = {"skill x": True, "skill y z": True}
    assert metadata({**row, "year": None}) == {**expected, **expected_skills}
    assert metadata({**row, "year": 2025}) == {**expected, **expected_skills, "year": 2025}
