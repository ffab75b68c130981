"""What a library file must keep to: each rule broken once, and told; a good library told nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.item import Item
from knowledge.shipped import as_markdown
from knowledge.skills import skills
from knowledge.validate import MARK, Fault, check

SKILL = next(iter(skills()))


def _filler(first: int, count: int) -> str:
    """`count` characters of prose that no other text has."""
    return "".join(chr(0x4E00 + first + place) for place in range(count))


def case(number: int = 1) -> Item:
    talk = "\n\n".join(
        f"**{'客户' if turn % 2 else '小林'}**：{_filler(3000 * number + 40 * turn, 30)}。" for turn in range(8)
    )
    sections = {
        "情境": _filler(3000 * number + 1000, 400),
        "人物": "- 小林：客服。",
        "现场对话": talk,
        "转折点": "小林先复述。",
        "结果": "客户留下，`12 × 3 = 36` 单。",
        "为什么": "先听后问，见[课](lesson-sales-good)。",
        "对照的行为": "- 先复述",
        "讨论": "1. 一？\n2. 二？\n3. 三？",
    }
    return Item(
        id=f"case-sales-{number}",
        kind="case",
        title=f"第{number}个嫌贵的客户",
        title_en="Too expensive",
        role="sales",
        industry="saas",
        skills=(SKILL,),
        checks=("first-check", "second-check"),
        related=("lesson-sales-good",),
        year=2025,
        source="自编",
        body=f"{MARK}\n\n" + "\n\n".join(f"## {title}\n{text}" for title, text in sections.items()),
    )


def lesson() -> Item:
    parts = "\n\n".join(f"## 第{n}节\n{_filler(12_000 + 300 * n, 230)}" for n in range(4))
    return case().model_copy(
        update={
            "id": "lesson-sales-good",
            "kind": "lesson",
            "title": "价格异议的三步",
            "minutes": 5,
            "related": (),
            "body": f"预计用时 5 分钟。\n\n{parts}",
        }
    )


def regulation() -> Item:
    titles = ("条文编号", "用自己的话说", "红线例子", "正确说法", "边界与例外")
    body = "\n\n".join(f"## {title}\n{_filler(14_000 + 200 * n, 100)}" for n, title in enumerate(titles))
    return case().model_copy(
        update={"id": "regulation-good", "kind": "regulation", "title": "广告法的红线", "checks": (), "body": body}
    )


def template() -> Item:
    body = f"使用说明：{_filler(16_000, 300)}\n\n| 项目 | 填写 |\n|---|---|\n| 目标 | |"
    return case().model_copy(
        update={"id": "template-good", "kind": "template", "title": "客户访谈记录表", "checks": (), "body": body}
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "checks").mkdir()
    for name in ("first-check", "second-check"):
        (tmp_path / "checks" / f"{name}.yaml").touch()
    for item in (case(), lesson(), regulation(), template()):
        write(tmp_path, item)
    return tmp_path


def write(root: Path, item: Item, name: str | None = None) -> None:
    folder = root / f"{item.kind}s"
    folder.mkdir(exist_ok=True)
    (folder / f"{name or item.id}.md").write_text(as_markdown(item), encoding="utf-8")


def faults(root: Path, item: Item) -> list[str]:
    """What is told of `item`, with the good library around it."""
    write(root, item)
    _, found = check(root)
    assert {fault.file for fault in found} <= {f"{item.id}.md"}
    return [fault.problem for fault in found]


def test_a_good_library_has_no_faults(root: Path) -> None:
    assert check(root) == (4, [])


def _changed(make: Callable[[], Item], **changes: object) -> Callable[[], Item]:
    return lambda: make().model_copy(update=changes)


def _edited(make: Callable[[], Item], old: str, new: str) -> Callable[[], Item]:
    def edit() -> Item:
        item = make()
        assert old in item.body
        return item.model_copy(update={"body": item.body.replace(old, new)})

    return edit


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (_changed(case, title="嫌贵"), "title has 2 characters, not 5 to 50"),
        (_changed(case, title="长" * 51), "title has 51 characters, not 5 to 50"),
        (_changed(case, title_en=None), "title_en is missing"),
        (_changed(case, industry="caves"), "industry 'caves' is not in industries.yaml"),
        (_changed(case, skills=()), "has 0 skills, not 1 to 4"),
        (_changed(case, skills=tuple(skills())[:5]), "has 5 skills, not 1 to 4"),
        (_changed(case, skills=(SKILL, "flying")), "no skill named flying"),
        (_changed(case, checks=("first-check", "x", "y")), "no check named x, y"),
        (_changed(case, related=("lesson-sales-gone",)), "no related item named lesson-sales-gone"),
        (_changed(case, year=None), "year is missing"),
        (_edited(case, "(lesson-sales-good)", "(lesson-gone)"), "links to lesson-gone, which is not an item"),
        (_edited(case, "12 × 3 = 36", "12 × 3 = 35"), "`12 × 3 = 35`: 12 × 3 is 36, not 35"),
        (_edited(case, MARK, "> 真实案例。"), f"must begin with {MARK}"),
        (
            _edited(case, "## 转折点", "## 转折"),
            "headings are 情境, 人物, 现场对话, 转折, 结果, 为什么, 对照的行为, 讨论; "
            "they must be 情境, 人物, 现场对话, 转折点, 结果, 为什么, 对照的行为, 讨论",
        ),
        (_edited(case, "**小林**：", "小林："), "the dialogue has 4 turns, not 8 or more"),
        (_edited(case, "3. 三？", ""), "has 2 questions for discussion, not 3"),
        (_changed(case, checks=("first-check",)), "shows 1 checks, not 2 to 5"),
        (_changed(case, related=()), "related is empty"),
        (_edited(lesson, "用时 5", "用时 6"), "must begin with 预计用时 5 分钟"),
        (
            lambda: lesson().model_copy(update={"minutes": 15, "body": lesson().body.replace("5 分", "15 分")}),
            "minutes must be given, 14 at most",
        ),
        (
            lambda: lesson().model_copy(update={"minutes": 1, "body": lesson().body.replace("5 分", "1 分")}),
            f"{len(lesson().body)} characters are not read and worked through in 1 minutes",
        ),
        (_edited(lesson, "## 第3节", "第3节"), "has fewer than 4 sections"),
        (_changed(lesson, checks=()), "checks is empty: what does it teach?"),
        (
            _edited(regulation, "## 红线例子", "## 例子"),
            "must have the headings 条文编号, 用自己的话说, 红线例子, 正确说法, 边界与例外",
        ),
        (
            _edited(regulation, "## 边界与例外", "## 边界"),
            "must have the headings 条文编号, 用自己的话说, 红线例子, 正确说法, 边界与例外",
        ),
        (_edited(template, "使用说明", "说明"), "has no 使用说明"),
        (_edited(template, "|---|---|", ""), "has nothing to fill in"),
    ],
)
def test_each_broken_rule_is_told(root: Path, broken: Callable[[], Item], problem: str) -> None:
    assert faults(root, broken()) == [problem]


@pytest.mark.parametrize(
    ("make", "least", "most"), [(case, 700, 2400), (lesson, 900, 3200), (regulation, 450, 1800), (template, 300, 2400)]
)
def test_lengths_count_characters_without_spaces(root: Path, make: Callable[[], Item], least: int, most: int) -> None:
    item = make()
    has = len("".join(item.body.split()))
    longer = item.body + " " + _filler(7000, most - has)
    assert faults(root, item.model_copy(update={"body": longer, "minutes": 14})) in (
        [],
        ["must begin with 预计用时 14 分钟"],
    )
    assert f"body has {most + 1} characters, not {least} to {most}" in faults(
        root, item.model_copy(update={"body": f"{longer}。"})
    )
    assert f"body has 9 characters, not {least} to {most}" in faults(
        root, item.model_copy(update={"body": "一二三 四五六\n七八九"})
    )


def test_figures_in_a_case_make_up_for_two_turns(root: Path) -> None:
    few = case().body.replace("**小林**：", "小林：", 2)
    assert faults(root, case().model_copy(update={"body": few})) == ["the dialogue has 6 turns, not 8 or more"]
    figures = few.replace("## 转折点", "## 关键数据\n略。\n\n## 转折点")
    assert faults(root, case().model_copy(update={"body": figures})) == []


def test_a_template_may_be_ticked_instead_of_filled_in(root: Path) -> None:
    ticked = template().body.replace("|---|---|", "- [ ] 已核对")
    assert faults(root, template().model_copy(update={"body": ticked})) == []


def test_a_file_is_named_as_its_id_and_lies_in_its_folder(root: Path) -> None:
    write(root, case(2), "case-sales-two")
    (root / "lessons" / "case-sales-3.md").write_text(as_markdown(case(3)), encoding="utf-8")
    write(root, case(4).model_copy(update={"id": "case-support-4"}))
    assert sorted(check(root)[1], key=lambda fault: fault.file) == [
        Fault("case-sales-3.md", "kind is 'case', but this folder holds 'lesson'"),
        Fault("case-sales-two.md", "id is 'case-sales-2', the file's name says 'case-sales-two'"),
        Fault("case-support-4.md", "id must begin with case-sales-"),
    ]


def test_a_file_that_cannot_be_read_is_told_and_the_rest_looked_at(root: Path) -> None:
    (root / "cases" / "case-sales-0.md").write_text("没有抬头", encoding="utf-8")
    write(root, case().model_copy(update={"year": None}))
    assert check(root) == (
        4,
        [
            Fault("case-sales-0.md", "must start with front matter between two lines of ---"),
            Fault("case-sales-1.md", "year is missing"),
        ],
    )


def test_no_two_items_share_an_id_a_title_or_a_text(root: Path) -> None:
    write(root, case(2).model_copy(update={"title": case().title}))
    assert check(root)[1] == [Fault("case-sales-2.md", "has the title of case-sales-1.md")]
    write(root, case(2).model_copy(update={"body": case().body}))
    assert check(root)[1] == [Fault("case-sales-2.md", "is nearly the text of case-sales-1.md")]
    write(root, case(2).model_copy(update={"id": "case-sales-1"}), "case-sales-2")
    assert Fault("case-sales-2.md", "has the id of case-sales-1.md") in check(root)[1]


def test_only_what_is_asked_for_is_told_but_held_against_all(root: Path) -> None:
    write(root, lesson().model_copy(update={"year": None}))
    assert check(root, ["case-"]) == (1, [])
    write(root, case(2).model_copy(update={"body": case().body}))
    assert check(root, ["case-sales-2", "template-"]) == (
        2,
        [Fault("case-sales-2.md", "is nearly the text of case-sales-1.md")],
    )
    assert check(root, ["nothing"]) == (0, [])
