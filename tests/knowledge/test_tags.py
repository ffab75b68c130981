"""Tags that are proposed: what the tagged passages nearest to a text are filed under."""

import pytest

from knowledge.index import Index, Prepared
from knowledge.item import Item
from knowledge.tags import propose

ALL = ("kind", "role", "industry", "tier", "skills")
PARCEL = "包裹晚到三天，客户很着急，先道歉再查物流。"
PRICE = "客户说太贵，先问清楚和谁比，再谈价值。"


def own(number: int) -> str:
    """Words that stand in one text only, enough of them that two texts are no near-copies."""
    return "".join(chr(0x4E00 + 40 * number + place) for place in range(12))


def item(name: str, body: str, **facts: object) -> Item:
    return Item.model_validate({"id": name, "kind": "lesson", "title": "课", "source": "测试", "body": body, **facts})


def proposed(index: Index, body: str, *tags: str, **facts: object) -> Item:
    (ready,) = index.prepare([item("new", body, proposed=tags, **facts)])
    return propose(index, ready)


@pytest.fixture
def filled(index: Index) -> Index:
    parcel = {"role": "support", "industry": "logistics", "tier": "junior", "skills": ("apology", "empathy")}
    price = {"role": "sales", "industry": "saas", "tier": "senior", "skills": ("negotiation",)}
    for number in range(4):
        index.put(item(f"parcel-{number}", f"{PARCEL}第{number}例是{own(number)}。", kind="case", **parcel))
        index.put(item(f"price-{number}", f"{PRICE}第{number}例是{own(number)}。", **price))
    return index


def test_a_text_is_filed_with_those_nearest_to_it(filled: Index) -> None:
    found = proposed(filled, "包裹晚到，客户很着急，怎么道歉？", *ALL)
    assert (found.kind, found.role, found.industry, found.tier) == ("case", "support", "logistics", "junior")
    assert set(found.skills) == {"apology", "empathy"}
    assert found.proposed == ALL

    found = proposed(filled, "客户说太贵，先问和谁比。", *ALL)
    assert (found.kind, found.role, found.industry, found.tier) == ("lesson", "sales", "saas", "senior")
    assert found.skills == ("negotiation",)


def test_only_the_tags_named_are_proposed(filled: Index) -> None:
    found = proposed(filled, PARCEL, "role", kind="template", industry="beauty", skills=("x",))
    assert found == item(
        "new", PARCEL, kind="template", industry="beauty", skills=("x",), role="support", proposed=("role",)
    )


def test_nothing_named_is_nothing_changed(filled: Index) -> None:
    assert proposed(filled, PARCEL) == item("new", PARCEL)


def test_an_empty_library_and_a_draft_propose_nothing(index: Index) -> None:
    assert proposed(index, PARCEL, *ALL) == item("new", PARCEL, proposed=ALL)
    assert proposed(index, PARCEL, *ALL, status="draft").role == "common"


def test_what_was_only_proposed_itself_has_no_vote(index: Index) -> None:
    index.put(item("guess", PARCEL, role="operations", proposed=("role",)))
    assert proposed(index, PARCEL, "role").role == "common"
    index.put(item("sure", PRICE, role="sales"))
    assert proposed(index, PARCEL, "role").role == "sales"


def test_an_item_has_no_vote_on_itself(filled: Index) -> None:
    filled.put(item("new", PARCEL, role="operations"))
    assert proposed(filled, PARCEL, "role").role == "support"


def test_at_most_three_skills_each_of_a_quarter_of_the_votes(index: Index) -> None:
    index.put(item("a", PARCEL, skills=("a1", "a2", "a3", "a4")))
    found = proposed(index, PARCEL, "skills").skills
    assert found == ("a1", "a2", "a3")
    # Votes of 1, 1/2 and 1/3: of 1.83 in all the second has 27 in a hundred, the third 18.
    for number, skill in enumerate(("b", "c"), start=1):
        index.put(item(skill, PARCEL[: -number * 4] + chr(0x5000 + number) * 12, skills=(skill,)))
    index.put(item("a", PARCEL, skills=("a1",)))
    assert proposed(index, PARCEL, "skills").skills == ("a1", "b")


def test_every_part_of_a_long_text_is_asked(filled: Index) -> None:
    body = "\n".join(f"## 第{n}节\n{PRICE * 8}" for n in range(1, 10)) + f"\n## 末节\n{PARCEL * 8}"
    assert proposed(filled, body, "role").role == "sales"


def test_a_text_without_vectors_stays_as_it_is(index: Index) -> None:
    bare = item("new", PARCEL, proposed=ALL)
    assert propose(index, Prepared(bare, [], [])) == bare
