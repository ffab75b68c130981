"""Finding the headings of a text, also where a scraper has run the whole document into one line.

A Markdown text is taken at its word. In any other text a heading is known by its number, and a number counts
only where it continues the numbering: after 1.1 comes 1.2, 1.1.1 or 2.1, so "6.5万亿" and "2025年" are prose.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.text import fold

_HAN = "一二三四五六七八九十百"
_DIGITS = {char: value for value, char in enumerate("一二三四五六七八九", start=1)}
_ROMAN = {"I": 1, "V": 5, "X": 10}

# Outer headings have the lower rank. Sections of one rank are siblings whatever their style of numbering.
_MARKS = (
    (10, re.compile(rf"第([{_HAN}]+|\d{{1,2}}|[IVX]+)[章篇](?![的所中里裡內内])[:：\s]*")),
    (20, re.compile(rf"第([{_HAN}]+|\d{{1,2}}|[IVX]+)[节節](?![的所中里裡內内课課])[:：\s]*")),
    (20, re.compile(rf"([{_HAN}]{{1,3}})、(?![{_HAN}]、)")),
    (30, re.compile(rf"[(（]([{_HAN}]{{1,3}})[)）]")),
    (50, re.compile(r"(\d{1,2}\.\d{1,2}\.\d{1,2})(?![\d.%])[.、\s]*")),
    (40, re.compile(r"(\d{1,2}\.\d{1,2}?)(?=(?:19|20)\d\d年|[^\d.%％])[.、\s]*")),
    (45, re.compile(r"(\d{1,2})[.、．](?![\d*])\s*")),
)
_UNITS = frozenset("万萬亿億元个個年月日倍米公％%次分点點人小天折级級版寸克吨噸千百以和至到-~/,，。;；)）")
_NOT_BEFORE_MARK = {
    10: frozenset("如见見在据據按照即本该該与與和及至到"),
    20: frozenset("如见見在据據按照即本该該与與和及至到周週期同第其之统統唯〇零十"),
    30: frozenset(),
    40: frozenset("约約达達为為至到比较較超增减減了的.-~:：/≥≤<>=+"),
    45: frozenset("约約达達为為至到比较較超增减減了的.-~/≥≤<>=+年月第"),
    50: frozenset("约約达達为為至到.-~:：/≥≤<>=+"),
}
_BULLET = re.compile(
    r"(?<=[:：。;；)）])-(?=[\u4e00-\u9fff*《“A-Za-z])|(?<=[^\s\d])-(?=[^\s\d:：。;；,，“”-][^\s:：。;；,，“”-]{1,23}[:：])"
    r"|(?<=[\u4e00-\u9fff])-(?=[\u4e00-\u9fff]{7})"
)
_TITLE_LIMIT = 30
_BODY_OPENING = re.compile(
    r"本(?:培训|体系|章|节|项目|手册|制度|方案|文|流程|规范)|在(?:20\d\d|当|这|实际|电|企)|(?:19|20)\d\d年|根据|随着"
    r"|为(?:了|确保|全面|实现|应对|规范|提)|通过|建立|采用|基于|针对|我们|当前|多数|指的?是"
)
_TITLE_ENDING = re.compile(
    r"(?:标准化|规范化|数字化|定位|路径|机制|方法|指标|原则|要素|策略|工具|概述|流程|要点|技巧|要求|内容|规范|重要性|合理性|体系|构建|设计|优化"
    r"|评估|应用|规划|分析|跟踪|安排|标准|细则|反馈|方向|计划|方式|资源|重点|解读|定义|目标|背景|基础|概念|技术|方案"
    r"|角色|调研|设定|收益|意义|现状|趋势|管理|建设|实践|技能)(?![化的与和及、])"
)


@dataclass(frozen=True)
class Section:
    """A heading path, outermost first, and the text directly under it; a bare heading's text is empty."""

    heading: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class _Mark:
    start: int
    end: int
    rank: int
    number: tuple[int, ...]
    alone: bool  # on a short line of its own, so a heading whatever the number before


def sections(text: str) -> list[Section]:
    """`text` cut along its headings, in order, nothing lost but the marks themselves."""
    headed = _markdown(text) if re.search(r"^#{1,6}\s+\S", text, re.MULTILINE) else _numbered(text)
    found: list[Section] = []
    path: list[tuple[int, str]] = []
    for rank, title, body in headed:
        if rank:
            while path and path[-1][0] >= rank:
                path.pop()
            path.append((rank, title))
        found.append(Section(tuple(name for _, name in path), body.strip()))
    return found


def split_title(text: str) -> tuple[str, str]:
    """The title at the head of `text` and the prose run together with it.

    A title ends at a bullet, a question mark, or where the prose begins: at a phrase that opens sentences
    or a repetition of the title's first two characters (品牌建设的策略与路径|品牌建设是…). With no such
    sign the title is the opening words, and they stay in the prose as well: rather twice than lost.
    """
    text = text.strip()
    line, _, rest = text.partition("\n")
    line = line.strip()
    bullet = re.match(r"[^\s。;；,，:：-]{4,16}(?=-[\u4e00-\u9fff])", line) or _BULLET.search(line)
    head = line[: bullet.end() if bullet.group() != "-" else bullet.start()] if bullet else line
    if len(head) <= _TITLE_LIMIT and not re.search(r"[。;；,，]|[:：].|包括[:：]", head):
        return head.rstrip(":："), _join(line[len(head) :], rest)
    question = re.match(r"[^。;；,，:：?？]{4,24}[?？]", line)
    if question:
        return question.group(), _join(line[question.end() :], rest)
    end = _title_end(head)
    if end:
        return line[:end], _join(line[end:], rest)
    opening = re.match(r"[^。;；,，:：?？！!]{1,16}", line)
    return (opening.group() if opening else line[:16]), text


def lines(text: str) -> list[str]:
    """`text` as its lines, with run-together bullets (-甲:…-乙:…) each on a line, none empty."""
    return [line.strip() for line in _BULLET.sub("\n-", text).splitlines() if line.strip()]


def _join(rest_of_line: str, rest: str) -> str:
    return "\n".join(part for part in (rest_of_line.strip(), rest.strip()) if part)


def _title_end(head: str) -> int:
    plain = fold(head)
    if len(plain) != len(head):  # positions would not agree
        plain = head
    window = plain[: _TITLE_LIMIT + 8]
    ends = [match.start() for match in _BODY_OPENING.finditer(window) if match.start() >= 4]
    repeated = window.find(window[:2], 4)
    if repeated >= 0:
        ends.append(repeated)
    doubled = re.search(r"(.{3,6})\1", window)  # 评估指标|评估指标主要包括
    if doubled:
        ends.append(doubled.end(1))
    stop = re.search(r"[。;；,，:：(（]", window)
    bound = min([*ends, stop.start() if stop else _TITLE_LIMIT, _TITLE_LIMIT])
    nouns = [match.end() for match in _TITLE_ENDING.finditer(window) if 4 <= match.end() <= bound]
    if nouns:
        return nouns[-1]
    return bound if bound in ends else 0


def _markdown(text: str) -> Iterator[tuple[int, str, str]]:
    rank, title, body = 0, "", list[str]()
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        mark = None if fenced else re.match(r"(#{1,6})\s+(.+?)\s*#*$", line)
        if mark is None:
            body.append(line)
            continue
        yield rank, title, "\n".join(body)
        rank, title, body = len(mark.group(1)), mark.group(2), []
    yield rank, title, "\n".join(body)


def _numbered(text: str) -> Iterator[tuple[int, str, str]]:
    marks = _marks(text)
    yield 0, "", text[: marks[0].start if marks else len(text)]
    for mark, following in zip(marks, [*marks, None][1:], strict=True):
        rest = text[mark.end : following.start if following else len(text)]
        title, body = split_title(rest)
        label = re.sub(r"[:：\s]+$|(?<=\d\.\d)$", " ", text[mark.start : mark.end])
        yield mark.rank, (label + title).strip(), body


def _marks(text: str) -> list[_Mark]:
    """The heading marks of `text`: those that stand where a heading can stand and continue the numbering."""
    accepted: list[_Mark] = []
    last: dict[int, tuple[int, ...]] = {}
    for mark in _candidates(text):
        if accepted and mark.start < accepted[-1].end:
            continue
        if not mark.alone and not _continues(last.get(mark.rank), mark.number):
            continue
        accepted.append(mark)
        last[mark.rank] = mark.number
        for deeper in [rank for rank in last if rank > mark.rank]:
            del last[deeper]
    return accepted


def _candidates(text: str) -> list[_Mark]:
    found: list[_Mark] = []
    for rank, pattern in _MARKS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if end >= len(text) or not _can_stand(text, start, end, rank):
                continue
            number = tuple(_value(part) for part in match.group(1).split("."))
            found.append(_Mark(start, end, rank, number, rank != 45 and _alone(text, start, end)))
    return sorted(found, key=lambda mark: (mark.start, -mark.end))


def _can_stand(text: str, start: int, end: int, rank: int) -> bool:
    before = text[start - 1] if start else "\n"
    first_of_line = not text[text.rfind("\n", 0, start) + 1 : start].strip()
    if rank >= 40 and (text[end] in _UNITS or (before.isascii() and before.isalnum())):
        return False
    if not first_of_line and before in _NOT_BEFORE_MARK[rank]:
        return False
    if rank != 45:
        return True
    # "1." numbers list items as often as headings: a heading is a short line, or runs into a bullet.
    line = text[end:].split("\n", 1)[0]
    if first_of_line and len(line) <= _TITLE_LIMIT:
        return not re.search(r"[。;；,，:：]", line)
    return re.match(r"[^。;；,，:：\d-]{2,24}-\s?[^\s-]", text[end : end + 30]) is not None


def _alone(text: str, start: int, end: int) -> bool:
    line = text[end:].split("\n", 1)[0]
    starts = start == 0 or text[start - 1] == "\n"
    return starts and 0 < len(line) <= _TITLE_LIMIT and not re.search(r"[。;；,，!！?？]", line)


def _continues(last: tuple[int, ...] | None, number: tuple[int, ...]) -> bool:
    if number[-1] == 1:
        return True
    return last is not None and last[:-1] == number[:-1] and number[-1] == last[-1] + 1


def _value(numeral: str) -> int:
    if numeral.isdigit():
        return int(numeral)
    if numeral[0] in _ROMAN:
        values = [_ROMAN[char] for char in numeral]
        return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))
    tens, ten, ones = numeral.rpartition("十")
    if ten:
        return 10 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0)
    return _DIGITS.get(numeral, 0)
