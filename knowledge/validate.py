"""What a library file must keep to beyond its schema: structure, lengths, links, arithmetic, no two alike."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from knowledge import arithmetic
from knowledge.item import Item, Kind
from knowledge.near import alike
from knowledge.shipped import FOLDERS, LIBRARY, LibraryError, load_item
from knowledge.skills import industries, skills

MARK = "> 本案例为虚构合成，人物、公司与数字均非真实。"
_HEADING = re.compile(r"^## (.+?)\s*$", re.MULTILINE)
_TURN = re.compile(r"^\*\*.{1,20}?\*\*\s*[：:]", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_MINUTES = re.compile(r"^预计用时\s*(\d+)\s*分钟")
_LENGTH: dict[Kind, tuple[int, int]] = {
    "case": (700, 2400),
    "lesson": (900, 3200),
    "regulation": (450, 1800),
    "template": (300, 2400),
}
_CASE = ("情境", "人物", "现场对话", "转折点", "结果", "为什么", "对照的行为", "讨论")
_CASE_FIGURES = ("测算对照", "关键数据")
_REGULATION = ("条文编号", "用自己的话说", "红线例子", "正确说法", "边界与例外")
_FASTEST = 500  # characters a minute a reader of Chinese can take in and still work on
_LONGEST_LESSON = 14  # minutes: a lesson is read in under fifteen
_ALIKE = 0.35  # shared shingles above which two texts are one text


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one file."""

    file: str
    problem: str


def check(root: Path = LIBRARY, only: Iterable[str] = ()) -> tuple[int, list[Fault]]:
    """(How many items were looked at, what is wrong with them).

    Args:
        only: beginnings of ids; everything when empty. Links and likeness are always held against the whole library.
    """
    faults: list[Fault] = []
    items: dict[Path, Item] = {}
    for folder, kind in FOLDERS.items():
        for path in sorted((root / folder).glob("*.md")):
            try:
                item = load_item(path)
            except LibraryError as error:
                faults.append(Fault(path.name, str(error).removeprefix(f"{path}: ")))
                continue
            if item.kind != kind:
                faults.append(Fault(path.name, f"kind is {item.kind!r}, but this folder holds {kind!r}"))
            items[path] = item
    wanted = tuple(only)
    known = {item.id for item in items.values()}
    checks = {path.stem for path in (root / "checks").glob("*.yaml")}
    for path, item in items.items():
        faults += [Fault(path.name, problem) for problem in _problems(path, item, known, checks)]
    faults += _twins(items)
    if wanted:
        faults = [fault for fault in faults if fault.file.startswith(wanted)]
    return sum(item.id.startswith(wanted) for item in items.values()) if wanted else len(items), faults


def _problems(path: Path, item: Item, known: set[str], checks: set[str]) -> Iterator[str]:
    if path.stem != item.id:
        yield f"id is {item.id!r}, the file's name says {path.stem!r}"
    begins = f"{item.kind}-{item.role}-" if item.kind in ("case", "lesson") else f"{item.kind}-"
    if not item.id.startswith(begins):
        yield f"id must begin with {begins}"
    if not 5 <= len(item.title) <= 50:
        yield f"title has {len(item.title)} characters, not 5 to 50"
    if not item.title_en:
        yield "title_en is missing"
    if item.industry not in industries():
        yield f"industry {item.industry!r} is not in industries.yaml"
    if not 1 <= len(item.skills) <= 4:
        yield f"has {len(item.skills)} skills, not 1 to 4"
    for what, ids, there in (
        ("skill", item.skills, set(skills())),
        ("check", item.checks, checks),
        ("related item", item.related, known),
    ):
        if unknown := [name for name in ids if name not in there]:
            yield f"no {what} named {', '.join(unknown)}"
    if item.year is None:
        yield "year is missing"
    least, most = _LENGTH[item.kind]
    if not least <= (size := len(re.sub(r"\s", "", item.body))) <= most:
        yield f"body has {size} characters, not {least} to {most}"
    for link in _LINK.findall(item.body):
        if link not in known:
            yield f"links to {link}, which is not an item"
    yield from arithmetic.mistakes(item.body)
    yield from _OF_KIND[item.kind](item)


def _case(item: Item) -> Iterator[str]:
    if not item.body.startswith(MARK):
        yield f"must begin with {MARK}"
    headings = [h for h in _HEADING.findall(item.body) if h not in _CASE_FIGURES]
    figures = len(_HEADING.findall(item.body)) - len(headings)
    if tuple(headings) != _CASE:
        yield f"headings are {', '.join(headings)}; they must be {', '.join(_CASE)}"
        return
    talk = _section(item.body, "现场对话")
    least = 6 if figures else 8
    if (turns := len(_TURN.findall(talk))) < least:
        yield f"the dialogue has {turns} turns, not {least} or more"
    if (asked := len(re.findall(r"^\d+[.、]", _section(item.body, "讨论"), re.MULTILINE))) != 3:
        yield f"has {asked} questions for discussion, not 3"
    if not 2 <= len(item.checks) <= 5:
        yield f"shows {len(item.checks)} checks, not 2 to 5"
    if not item.related:
        yield "related is empty"


def _lesson(item: Item) -> Iterator[str]:
    said = _MINUTES.match(item.body)
    if not said or int(said.group(1)) != item.minutes:
        yield f"must begin with 预计用时 {item.minutes} 分钟"
    if item.minutes is None or item.minutes > _LONGEST_LESSON:
        yield f"minutes must be given, {_LONGEST_LESSON} at most"
    elif item.minutes * _FASTEST < len(item.body):
        yield f"{len(item.body)} characters are not read and worked through in {item.minutes} minutes"
    if len(_HEADING.findall(item.body)) < 4:
        yield "has fewer than 4 sections"
    if not item.checks:
        yield "checks is empty: what does it teach?"


def _regulation(item: Item) -> Iterator[str]:
    headings = [heading for heading in _HEADING.findall(item.body) if heading in _REGULATION]
    if tuple(headings) != _REGULATION:
        yield f"must have the headings {', '.join(_REGULATION)}"


def _template(item: Item) -> Iterator[str]:
    if "使用说明" not in item.body:
        yield "has no 使用说明"
    if "|---" not in item.body.replace(" ", "") and "- [ ]" not in item.body:
        yield "has nothing to fill in"


_OF_KIND: dict[Kind, Callable[[Item], Iterator[str]]] = {
    "case": _case,
    "lesson": _lesson,
    "regulation": _regulation,
    "template": _template,
}


def _section(body: str, heading: str) -> str:
    return re.split(r"^## ", body.partition(f"## {heading}")[2], maxsplit=1, flags=re.MULTILINE)[0]


def _twins(items: dict[Path, Item]) -> list[Fault]:
    """Items with one id, one title, or nearly one text."""
    faults: list[Fault] = []
    for what in ("id", "title"):
        seen: dict[str, Path] = {}
        for path, item in items.items():
            if (first := seen.setdefault(getattr(item, what), path)) != path:
                faults.append(Fault(path.name, f"has the {what} of {first.name}"))
    paths = list(items)
    for one, other in alike([items[path].body for path in paths], _ALIKE):
        faults.append(Fault(paths[other].name, f"is nearly the text of {paths[one].name}"))
    return faults
