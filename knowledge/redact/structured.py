"""What is told by its own shape: e-mail addresses, identity cards, bank cards, mobile and fixed numbers, plates.

Every function gives (start, end) in a view (`view.view`). Patterns have bounded repetition and start at a boundary, so
each takes time linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from knowledge.redact.view import numerals

Place = tuple[int, int]

_EMAIL = re.compile(
    r"(?<![a-z0-9._%+-])[a-z0-9._%+-]{1,64} ?(?:@|\(at\)|\[at\]|艾特) ?"
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}[a-z]{2,24}(?![a-z0-9-]|\.[a-z0-9]|:[a-z~/])"
)

# Not part of a longer number: 2024-138…, 12.138…, 13,800,001; but 1.138… that begins a line is an item of a list, and
# a hyphen may stand between two mobile numbers.
_OPEN = r"(?<![0-9])(?:(?<![0-9][-.])|(?<=^[0-9]\.)|(?<=\n[0-9]\.)|(?<=1[0-9]{10}-))"
_CLOSE = r"(?![0-9]|\.[0-9]|,[0-9]{3}(?![0-9]))"
# Behind an unbroken row of digits: a number of something, so no number of somebody.
_COUNTED = re.compile(" ?(?:[元块万亿个件次条人名户]|kb|mb)")
_LETTERS = re.compile(r"[a-z_]+$")
_LETTERS_AFTER = re.compile(r"[a-z_]{1,12}")
_CALLS = re.compile("tel|(?:tele|cell)?phone|mobile|mob|cell|call|fax|hotline|[tmpvq]|[vw]x|qq|wechat|weixin|id|no")
_OTHER_NUMBER = re.compile(
    r"(?:订单|运单|快递单?|物流单?|单|工单|货|款|批次?|流水|发票|合同|序列|条码?|条形码|交易|支付单|商品|产品|设备"
    r"|会议|房间|直播间|案件?|投诉|专利|税)(?:编?号码?|id|代码)[为是]?[:\"' ]{0,3}$"
    r"|(?:批次|条码|条形码|验证码|流水|sku|isbn|imei|s/?n)[:\"' ]{0,3}$"
)
_LOOK_BACK = 14

_MOBILE_PREFIX = r"1(?:3[0-9]|4[014-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])"
_COUNTRY = r"(?:(?:\+|00)86[ -]?|\(\+?86\) ?|(?<![0-9])86[ -]?)"
# How the eleven digits are written in groups: 138 1234 5678, 138-12345678, 1381234 5678 …
_GROUPS = ((11,), (3, 4, 4), (3, 8), (7, 4), (3, 3, 5), (4, 4, 3), (4, 3, 4), (3, 2, 2, 2, 2), (1,) * 11)


def _grouped(sizes: tuple[int, ...]) -> str:
    """A pattern of groups of digits with the same separator between them."""
    name = "s" + "_".join(map(str, sizes))
    between = r" {1,3}| ?[._~/·-] ?" if sizes == (3, 4, 4) else "[ -]"
    first, *rest = (f"[0-9]{{{size}}}" for size in sizes)
    return first + (f"(?P<{name}>{between})" + f"(?P={name})".join(rest) if rest else "")


_MOBILE = re.compile(
    rf"{_OPEN}{_COUNTRY}?(?=1)(?:{'|'.join(map(_grouped, _GROUPS))})"
    # A privacy number of a shop platform: its extension tells whom it reaches.
    rf"(?:(?:-|转 ?)[0-9]{{3,4}})?{_CLOSE}"
)
_MOBILE_DIGITS = re.compile(rf"(?:00)?(?:86)?{_MOBILE_PREFIX}[0-9]{{8,12}}")

_EXTENSION = r"(?:[ /]{0,2}(?:转(?:分机)?|分机号?|ext\.?|x|#|-)[ :]?[0-9]{1,5})?"
_HOTLINE = (
    r"(?:[48]00(?P<a>[ -]?)[0-9]{3}(?P=a)[0-9]{4}|[48]00(?P<b>[ -])[0-9]{4}(?P=b)[0-9]{3}"
    r"|[48]00[0-9](?P<c>[ -])[0-9]{3}(?P=c)[0-9]{3}|[48]00[ -][0-9]{7})"
)
# An area code of three digits goes with eight, one of four with seven or eight; written together, none begins with 1
# or 9.
_WITH_AREA = (
    r"(?:(?:\+|00)86[ -]?\(?0?|\((?=[0-9]{3,4}\))0|0)(?:(?P<short>10|2[0-57-9])|[3-9][0-9]{2})"
    r"(?P<apart>\)[ -]?|[ -]{1,2})?(?(apart)[1-9]|[2-8])"
    r"(?(short)(?:[0-9]{7}|[0-9]{3}[ -]?[0-9]{4}|[0-9](?:[ -][0-9]{2}){3})"
    r"|(?:[0-9]{6,7}|[0-9]{2,3}[ -]?[0-9]{4}|[0-9](?:[ -][0-9]{2}){3}))"
)
_LANDLINE = re.compile(rf"{_OPEN}(?:{_HOTLINE}|{_WITH_AREA}){_EXTENSION}{_CLOSE}")
_LOCAL = re.compile(
    r"(?:座机|固话|固定电话|电话|总机|传真|致电)(?:号码?)?[是为:)\" ]{0,4}"
    rf"(?P<number>(?!20[0-9]{{2}}[01][0-9][0-3][0-9])[2-8][0-9]{{2,3}}[ -]?[0-9]{{4}}{_EXTENSION}){_CLOSE}"
)

_ID_CARD = re.compile(rf"{_OPEN}[1-8](?:[ -]?[0-9]){{16}}[ -]?[0-9x](?![0-9a-z])")
_ID_NAMED = re.compile(
    r"(?:身份证|证件)(?:号码?)?[是为:\" ]{0,3}(?P<number>[1-8][0-9]{5}(?:[0-9]{9}|[0-9]{11}[0-9x]))(?![0-9a-z])"
)
_PROVINCES = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")

_CARD = re.compile(rf"{_OPEN}[2-9][0-9]{{3}}(?:[ -]?[0-9]){{12,15}}")
_GOES_ON = re.compile(r"[0-9a-z]|[.-][0-9]")
_CARD_NAMED = re.compile(
    r"(?:(?:银行|储蓄|借记|信用|工资)卡(?:号码?|卡号)?|(?<![员品物通分])卡号)[是为:\" ]{0,3}"
    r"(?P<number>[2-9][0-9]{3}(?:[ -]?[0-9]){12,15})(?![0-9a-z])"
)

_TAIL = "[0-9a-hj-np-z]"
_PLATE = re.compile(
    r"(?:(?<![全最更上崭出焕创])新|[京津沪渝冀豫云辽黑湘皖鲁苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼])"
    rf" ?[a-hj-z][ ·•・.-]?(?:[a-hjk]{_TAIL}[0-9]{{4}}|[0-9]{{5}}[a-hjk]|{_TAIL}{{4}}[挂学警港澳领]|{_TAIL}{{5}})"
    r"(?![0-9a-z]|[型款])"
    rf"|(?<![0-9])使[0-9]{{6}}(?![0-9a-z人元个])"
)


def emails(flat: str) -> Iterator[Place]:
    """E-mail addresses (the dot-atom form of RFC 5322); not a remote such as git@host:path."""
    for match in _EMAIL.finditer(flat):
        start = match.start()
        while not flat[start].isalnum():
            start += 1
        if flat[start] != "@":
            yield start, match.end()


def mobiles(flat: str) -> Iterator[Place]:
    """Mainland mobile numbers in a prefix that is handed out, with country code and a platform's extension."""
    yield from _mobiles(flat)
    said = numerals(flat)
    for start, end in _mobiles(said):
        # A single 一 or 两 before a number is a word of the sentence.
        if sum(a != b for a, b in zip(flat[start:end], said[start:end], strict=True)) >= 3:
            yield start, end


def _mobiles(flat: str) -> Iterator[Place]:
    for match in _MOBILE.finditer(flat):
        digits = "".join(c for c in match.group() if "0" <= c <= "9")
        if _MOBILE_DIGITS.fullmatch(digits) and _stands_alone(flat, *match.span()):
            yield match.span()


def landlines(flat: str) -> Iterator[Place]:
    """Numbers with an area code, 400 and 800 numbers, and seven or eight digits that are called a telephone."""
    for match in _LANDLINE.finditer(flat):
        if _stands_alone(flat, *match.span()):
            yield match.span()
    for match in _LOCAL.finditer(flat):
        if not _COUNTED.match(flat, match.end()):
            yield match.span("number")


def id_cards(flat: str) -> Iterator[Place]:
    """Resident identity numbers (GB 11643): a province, a past date, the check digit.

    Behind the words 身份证 or 证件 neither a slip in the check digit nor the fifteen digits of old matter.
    """
    for match in _ID_CARD.finditer(flat):
        number = _bare(match.group())
        if _plausible(number) and _checks(number) and _lettered_call(flat, match.start()):
            yield match.span()
    for match in _ID_NAMED.finditer(flat):
        number = match.group("number")
        if _plausible(number if len(number) == 18 else f"{number[:6]}19{number[6:]}"):
            yield match.span("number")


def bank_cards(flat: str) -> Iterator[Place]:
    """Card numbers with a valid Luhn digit in a range of UnionPay, Visa, Mastercard, JCB or ICBC's 9558.

    Behind a word such as 银行卡 a slip in the check digit does not matter.
    """
    from stdnum import luhn

    for match in _CARD.finditer(flat):
        start, end = match.span()
        digits = _bare(match.group())
        while len(digits) >= 16:
            if (
                _in_range(digits)
                and not _GOES_ON.match(flat, end)
                and luhn.is_valid(digits)
                and _stands_alone(flat, start, end)
            ):
                yield start, end
                break
            # The digits behind a space may be another number: 6222… 123.
            digits = digits[:-1]
            end -= 1
            while not flat[end - 1].isdigit():
                end -= 1
    for match in _CARD_NAMED.finditer(flat):
        if _in_range(_bare(match.group("number"))):
            yield match.span("number")


def plates(flat: str) -> Iterator[Place]:
    """Number plates (GA 36), with the eight characters of new-energy cars and 使, 领, 警, 学, 挂, 港, 澳."""
    for match in _PLATE.finditer(flat):
        if any(c.isdigit() for c in match.group()):
            yield match.span()


def _bare(number: str) -> str:
    return number.replace(" ", "").replace("-", "")


def _stands_alone(flat: str, start: int, end: int) -> bool:
    """Whether a number is neither part of a code nor called the number of some thing."""
    after = _LETTERS_AFTER.match(flat, end)
    return (
        _lettered_call(flat, start)
        and (after is None or _CALLS.fullmatch(after.group()) is not None)
        and not (end - start < 16 and flat[start:end].isdigit() and _COUNTED.match(flat, end))
        and not _OTHER_NUMBER.search(flat[max(0, start - _LOOK_BACK) : start])
    )


def _lettered_call(flat: str, start: int) -> bool:
    """Whether letters right before a number, if any, call it a telephone or an identity."""
    letters = _LETTERS.search(flat[max(0, start - _LOOK_BACK) : start])
    return letters is None or _CALLS.fullmatch(letters.group()) is not None


def _plausible(number: str) -> bool:
    """Whether 18 characters begin as an identity number does: a province, and a birthday in the past."""
    if not _PROVINCES.match(number):
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return date(1900, 1, 1) <= born <= date.today()


def _checks(number: str) -> bool:
    from stdnum.cn import ric

    # Its validate() also wants the county to have existed at birth, which many a number given out later fails.
    return number[-1].upper() == ric.calc_check_digit(number)


def _in_range(digits: str) -> bool:
    if len(digits) == 16 and digits[0] in "45":
        return digits[0] == "4" or "51" <= digits[:2] <= "55"
    if len(digits) == 16 and (digits[:2] == "35" or "2221" <= digits[:4] <= "2720"):
        return True
    return digits[:2] == "62" or (len(digits) == 19 and digits[:4] == "9558")
