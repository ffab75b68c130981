"""Mending text that a converter cut between the two bytes of a GBK character.

Some document sites convert a page to Traditional script byte by byte and write the pronunciation behind
every converted character: 數 becomes 數(shù). Where the second byte of one character and the first of the
next happen to make a convertible character, the insertion lands between the bytes: 輸等環 = DD94 B5C8 AD68
contains 94B5 = 數, so the page says DD94 B5 "(shù)" C8AD 68, shown as 輸?shù)拳h. Every byte but one is still
there, and the pronunciation tells that one. A second fault loses a first byte before a misread full-width
mark: 獲取:通過 turns into 獲?。和ㄟ^, and the lost byte is told by the word it stands in, from tables below.

What these two readings do not settle is replaced by U+FFFD and counted, never guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from knowledge.text import fold, is_han

LOST = "\ufffd"
PINYIN = "a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹḿ"

# Words whose second character lost a byte, each with a line it was seen in.
WORDS = {
    "獲取": "-流量獲?。和ㄟ^搜索引擎優(yōu)化(SEO)",
    "確保": "確?;顒?dòng)效果最大化",
    "顆粒": "將微課模塊拆解為“知識點顆?！?,實現(xiàn)",
    "規模": "5.3.2規(guī)?;\ue1fa嘤?xùn)實施",
    "流暢": "供應(yīng)鏈?zhǔn)欠窳鲿?、庫存周轉(zhuǎn)率",
    "多元": "-流量獲?。毫髁縼碓词欠穸嘣?、轉(zhuǎn)化率",
    "專家": "新增AI營銷領(lǐng)域?qū)<?0名",
    "咨詢": "確??蛻糇稍?cè)?4小時(shí)內",
    "詢在": "確??蛻糇稍?cè)?4小時(shí)內",
}
# What follows a full stop that lost its first byte.
AFTER_FULL_STOP = {
    "考核": "關鍵領域??己藰?biāo)準(zhǔn)依據",
    "總結": "用戶滿意度??偨Y(jié):2025年",
    "《": "政策引導(dǎo)?！丁笆\ue1a2奈濉睌?shù)字政府",
}
# Digits swallowed with a byte where only one reading makes sense.
DIGITS = (
    (re.compile(f"(?<=在){LOST}(?=4小[时時])"), "2", "確??蛻糇稍?cè)?4小時(shí)內"),
)  # fmt: skip

_PRONOUNCED = re.compile(rf"\?([{PINYIN}]+)\)")
_START = re.compile(rf"\?(?=[。?!;:<,\"]|[{PINYIN}]+\))")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_LONGEST_RUN = 24


@dataclass(frozen=True)
class _Half:
    """A character of which one byte is known."""

    lead: int | None = None
    trail: int | None = None


@dataclass(frozen=True)
class _Reading:
    chars: tuple[str | _Half, ...]
    end: int  # position in the text just behind the damage


def mend(text: str) -> tuple[str, int, int]:
    """(`text` with what is certain restored, places mended, characters lost)."""
    pieces: list[str] = []
    done = mended = 0
    for match in _START.finditer(text):
        start = match.start()
        if start < done:
            continue
        before = _bare("".join(pieces)[-40:] + text[done:start])
        reading = _best_reading(text, start, before)
        pronounced = _PRONOUNCED.match(text, start)
        if reading is not None:
            restored, end = _narrow(reading[0]), reading[1]
            mended += LOST not in restored
        elif pronounced and before and is_han(before[-1]):
            restored, end = LOST, pronounced.end()
        else:
            continue
        pieces += [text[done:start], restored]
        done = end
    result = "".join(pieces) + text[done:]
    for pattern, digit, _ in DIGITS:
        result, count = pattern.subn(digit, result)
        mended += count
    result = _PRIVATE.sub(LOST, result)
    return result, mended, result.count(LOST) - text.count(LOST)


def _best_reading(text: str, start: int, before: str) -> tuple[str, int] | None:
    """The reading of the damage at `start` that leaves least unsettled, or None when there is no reading."""
    best: tuple[int, str, int] | None = None
    for reading in _readings(text, start, before):
        restored = _settle(reading, before, text)
        if restored is None:
            continue
        lost = restored.count(LOST)
        if best is None or lost < best[0]:
            best = (lost, restored, reading.end)
    return best and best[1:]


def _readings(text: str, start: int, before: str) -> Iterator[_Reading]:
    pronounced = _PRONOUNCED.match(text, start)
    if pronounced is None:
        first = _bytes(text[start + 1])
        if first is None:
            return
        for tail in _run(text, start + 2, first[1], _LONGEST_RUN):
            yield _Reading((_Half(trail=first[0]), *tail.chars), tail.end)
        return
    previous = _bytes(before[-1]) if before else None
    if previous is None:
        return
    for lead, trail in _converted(pronounced.group(1)):
        if lead == previous[1]:
            yield from _run(text, pronounced.end(), trail, _LONGEST_RUN)


def _run(text: str, at: int, pending: int, left: int) -> Iterator[_Reading]:
    """Readings from `at` on, where byte `pending` waits for its second byte, until text is in step again."""
    if at >= len(text) or not left:
        return
    char = text[at]
    pronounced = _PRONOUNCED.match(text, at)
    if pronounced:
        for lead, trail in _converted(pronounced.group(1)):
            if lead == pending:
                yield _Reading((_decode(lead, trail) or LOST,), pronounced.end())
            # The insertion may itself have fallen between two bytes: its character starts with our trail.
            if first := _decode(pending, lead):
                for tail in _run(text, pronounced.end(), trail, left - 1):
                    yield _Reading((first, *tail.chars), tail.end)
        return
    code = ord(char)
    if 0x40 <= code <= 0x7E and (single := _decode(pending, code)):
        yield _Reading((single,), at + 1)
        return
    pair = _bytes(char)
    if pair and (first := _decode(pending, pair[0])):
        for tail in _run(text, at + 1, pair[1], left - 1):
            yield _Reading((first, *tail.chars), tail.end)
    if char == "?":
        # The byte after `pending` is gone; before a digit it took a digit with it.
        swallowed = (LOST,) if text[at + 1 : at + 2].isdigit() else ()
        yield _Reading((_Half(lead=pending), *swallowed), at + 1)


def _settle(reading: _Reading, before: str, text: str) -> str | None:
    """The reading as text, or None when its first character stays unknown: then nothing vouches for it."""
    restored = ""
    for index, char in enumerate(reading.chars):
        if isinstance(char, str):
            restored += char
            continue
        known = "".join(c if isinstance(c, str) else LOST for c in reading.chars[index + 1 :])
        settled = _settle_half(char, before + restored, known + text[reading.end : reading.end + 4])
        if settled is None and index == 0:
            return None
        restored += settled or LOST
    return restored


def _settle_half(half: _Half, before: str, after: str) -> str | None:
    for word in WORDS:
        pair = word[1].encode("gbk")
        if before.endswith(word[0]) and (pair[1] == half.trail or pair[0] == half.lead):
            return word[1]
    if half.trail == 0xA3 and after.startswith(tuple(AFTER_FULL_STOP)):
        return "。"
    if half.lead == 0xA1 and before.count("“") > before.count("”"):
        return "”"
    if half.lead == 0xA3 and before.count("(") > before.count(")"):
        return ")"
    return None


def _bare(text: str) -> str:
    """`text` without the pronunciations behind its characters, and no more of it than its last lines."""
    return re.sub(rf"\([{PINYIN}]+\)", "", text[-400:])


def _narrow(text: str) -> str:
    return "".join(chr(ord(char) - 0xFEE0) if "！" <= char <= "？" else char for char in text)


def _bytes(char: str) -> tuple[int, int] | None:
    # The scrape turned full-width marks into ASCII ones; inside the damage they were full-width.
    wide = chr(ord(char) + 0xFEE0) if "!" <= char <= "?" and not char.isdigit() else char
    try:
        pair = wide.encode("gb18030")
    except UnicodeEncodeError:
        return None
    return (pair[0], pair[1]) if len(pair) == 2 else None


def _decode(lead: int, trail: int) -> str | None:
    try:
        char = bytes((lead, trail)).decode("gb18030")
    except UnicodeDecodeError:
        return None
    return char if len(char) == 1 and not _PRIVATE.match(char) else None


@lru_cache(maxsize=256)
def _converted(pronunciation: str) -> tuple[tuple[int, int], ...]:
    """The GBK codes of the Traditional characters so pronounced."""
    return tuple(pair for pair, sounds in _traditional() if pronunciation in sounds)


@lru_cache(maxsize=1)
def _traditional() -> tuple[tuple[tuple[int, int], frozenset[str]], ...]:
    found = []
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            char = _decode(lead, trail)
            if char and is_han(char) and fold(char) != char:
                found.append(((lead, trail), pronunciations(char)))
    return tuple(found)


def pronunciations(char: str) -> frozenset[str]:
    """Every pronunciation of a Chinese character, with tone marks and without, in pinyin."""
    from pypinyin import Style, pinyin  # reads its dictionary of 40,000 characters on import

    marked = {sound for sounds in pinyin(char, style=Style.TONE, heteronym=True) for sound in sounds}
    plain = {sound for sounds in pinyin(char, style=Style.NORMAL, heteronym=True) for sound in sounds}
    return frozenset(marked | plain)
