"""Postal addresses in running Chinese text.

An address is told by its fine end, because a city, a district or a road is named in passing all the time: a road and a
house number (文三路188号), an estate and a building (幸福小区12栋), a building with unit or room (3栋2单元501), a
village and a group (李家村三组). From there it is read to the left as far as place names go, and to the right over
buildings, floors and rooms. Behind the word 地址 a chain of districts down to a road, village or landmark is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from knowledge.redact.places import CITIES, PROVINCES
from knowledge.text import is_han

Place = tuple[int, int]

_FEW = "[一二三四五六七八九十百]"
_NOT_COUNTED = r"(?![0-9]|[.:/][0-9]|,[0-9]{3}(?![0-9])| ?(?:元|块|年|月|日|点|分|号线|平|米|公里|个|件|次|人|%|-))"

_HOUSE = (
    rf"(?:附|甲|乙)?(?:[0-9]{{1,5}}|{_FEW}{{1,6}})(?:[-之][0-9]{{1,4}})?(?:弄|号(?:大院|院|之[0-9]{{1,2}})?)"
    # 8号开业 is a day, 5号店 a shop, 2号线 a line.
    r"(?!开业|开张|截止|结束|开始|之前|之后|以[前后]|上午|下午|晚上|[线店桌码机前后到搬起封修通])"
)
_BUILDING = (
    rf"(?:[0-9]{{1,3}}|[0-9]{{0,2}}[a-z][0-9]{{0,2}}|[甲乙丙丁]|{_FEW}{{1,3}})"
    r"(?:栋|幢|座|号楼|#楼?|(?<=[a-z])区)(?:[a-z甲乙丙丁](?:座|区))?"
)
_UNIT = rf"(?:[0-9]{{1,2}}|[a-z甲乙丙丁]|{_FEW}{{1,2}})(?:单元|门(?![口店卫票]))|[a-z]单元"
_FLOOR = rf"(?:[0-9]{{1,2}}|{_FEW}{{1,3}})(?:楼|层|f(?![a-z]))(?:之[0-9])?"
_ROOM = r"[a-z]?-?[0-9]{2,5}[a-z]?(?:室|房|户|号房?)|[0-9]{1,2}(?:室|户|号房)"
_BARE_ROOM = rf"(?:-?[a-z]?[0-9]{{3,5}}[a-z]?|[一二三四五六七八九][零〇一二三四五六七八九]{{2,3}}){_NOT_COUNTED}"
_DASHED = rf"[0-9]{{1,3}}(?:-[0-9]{{1,2}})?-[0-9]{{1,4}}{_NOT_COUNTED}"
_GROUP = rf"(?:[0-9]{{1,2}}|{_FEW}{{1,2}})(?:村民小组|生产队|组|队|社)(?![长员团区会])"

_FIRST = (
    rf"(?:(?P<building>{_BUILDING})|(?P<house>{_HOUSE})|(?P<unit>{_UNIT})|(?P<group>{_GROUP})|(?P<dashed>{_DASHED})"
    rf"|(?P<bare>(?<=[路街道巷段])[0-9]{{1,5}}(?:-[0-9]{{1,4}})?{_NOT_COUNTED}))"
)
_NEXT = rf"(?:{_BUILDING}|{_HOUSE}|{_UNIT}|{_FLOOR}|{_GROUP}|{_ROOM})"
# What stands between two details, as in 188号创业大厦B座: no verbs, nothing about telephones or people.
_GAP = r"(?:[\u4e00-\u9fff0-9a-z](?<![的了在到寄送给是为住去我你您他她请换就把收件电联手姓跟有]))"
_LANDMARK = (
    r"(?:大厦|广场|小区|花园|公寓|中心|家园|新村|写字楼|大楼|产业园|科技园|创意园|工业园|园区|商城|市场|国际|公馆|华庭|山庄"
    r"|仓库|苑|楼)"
)
_FINE = re.compile(
    rf"(?<![0-9a-z.+:#]){_FIRST}"
    rf"(?P<more>(?:[ ,]?{_NEXT}|{_GAP}{{1,12}}?{_NEXT}|{_DASHED}|{_BARE_ROOM}){{0,8}})"
    rf"(?:{_GAP}{{1,10}}?{_LANDMARK})?"
)
_INSIDE = re.compile(rf"{_UNIT}|{_ROOM}|{_BARE_ROOM}|{_DASHED}")

_SECTION = rf"(?:[东南西北中]段|{_FEW}段|[东南西北]?{_FEW}?[里巷弄条])?"
_ROAD_END = re.compile(rf"(?:路|街|大道|巷|弄|胡同|公路|国道){_SECTION} ?$")
_VILLAGE_END = re.compile(r"(?:村|屯|庄|寨|浜|社区|大队) ?$")
_ESTATE_END = re.compile(
    r"(?:小区|花园|公寓|家园|苑|新村|华庭|公馆|山庄|别墅|宿舍|家属院|大院|社区|[府湾里庭居邸墅坊城园]|(?<!小)[东南西北]区"
    rf"|{_FEW}区|广场|大厦|国际|中心)(?:{_FEW}{{1,2}}期|[0-9]{{1,2}}期|[东南西北]区|{_FEW}{{1,2}}区)?$"
)
_DISTRICT = re.compile(r"[省市区县旗镇乡州盟]|街道")
_PLACES = re.compile("[路街道巷弄村屯庄寨苑园区城府湾里庭居]|公寓|大厦|广场|宿舍|中心|国际")
_LEVELS = frozenset("省市区县旗镇乡州盟道路街村")
_PHASE = re.compile(r"(?:[0-9]{1,2}期|[a-z]区)$")

# Characters that end a place name read backwards: what is said before an address.
_STOPS = frozenset("的了在到寄送给往至是为住去我你您他她它们请换就把被址填写问说叫找让帮吗呢吧啊哦跟与收从离发")
_SAID_BEFORE = re.compile("[改换写变]成|[位设居]于")
# The names such characters stand in all the same.
_IN_NAMES = re.compile("开发|发展|从[化江]|离石|让胡|无为|收费站|[向过]往|往事|至[善诚尊]")
_AND = re.compile("[路街道区市店园楼号村镇县]和(?![平田县静硕政顺龙林布])")
_LEAD_IN = re.compile(
    r"(?:公司|单位|注册地?|户籍地?|老家|我?家|快递|退货|上门|取件|自提|派送|导航|定位|麻烦|位于|坐落|目的地|直接|重新|放"
    r"|发(?!展)|业主|客户|房子|宿舍|仓库)+"
)
_LONGEST_HEAD = 40
_MARKED = re.compile(r"(?:地址|住址|所在地区?|户籍)(?:[是为:]| ){1,3}")
_CHAIN = re.compile(r"[\u4e00-\u9fff][\u4e00-\u9fff ]{5,48}")
_CHAIN_END = re.compile(rf".*(?:路|街道?|大道|镇|乡|巷|村|屯|庄|{_LANDMARK})")


def addresses(flat: str) -> Iterator[Place]:
    """Addresses in a view; a city, a district, a road or a shop's branch alone is none."""
    done = at = 0
    while match := _FINE.search(flat, at):
        start = _head_start(flat, match.start(), done)
        head = flat[start : match.start()]
        if _is_address(head, match):
            yield start + _lead_in(head), match.end()
            at = done = match.end()
        else:
            # A place that came along behind this detail may begin an address of its own.
            at = match.start("more") if _PLACES.search(match.group()) else match.end()
    for match in _MARKED.finditer(flat):
        chain = _CHAIN.match(flat, match.end())
        if chain and (place := _CHAIN_END.match(chain.group())) and len(_DISTRICT.findall(place.group())) >= 2:
            yield chain.start(), chain.start() + place.end()


def _is_address(head: str, fine: re.Match[str]) -> bool:
    """Whether the place names before a detail, and what follows it, make it an address."""
    inside = _INSIDE.search(fine["more"]) is not None
    districts = len(_DISTRICT.findall(head))
    on_road = _ROAD_END.search(head) is not None
    if fine["building"] or fine["dashed"]:
        return (inside and fine["building"] is not None) or on_road or districts >= 2 or bool(_ESTATE_END.search(head))
    if fine["house"]:
        return on_road or districts >= 2 or (inside and districts == 1) or bool(_VILLAGE_END.search(head))
    if fine["unit"]:
        return inside or bool(_ESTATE_END.search(head))
    if fine["group"]:
        return bool(_VILLAGE_END.search(head))
    return on_road and districts >= 1


def _head_start(flat: str, end: int, floor: int) -> int:
    """Where the place names that end at `end` begin."""
    phase = _PHASE.search(flat, max(floor, end - 4), end)
    start = phase.start() if phase else end
    while start > max(floor, end - _LONGEST_HEAD):
        char = flat[start - 1]
        if char in " ,/-":
            # Forms part the levels: 浙江省 杭州市 西湖区, 浙江-杭州.
            level = flat[max(0, start - 3) : start - 1]
            if (char == " " and start == end) or level[-1:] in _LEVELS or _regions().fullmatch(level):
                start -= 1
                continue
            break
        around = flat[max(0, start - 2) : start + 1]
        if (
            not (is_han(char) or "a" <= char <= "z")
            or (char in _STOPS and not _IN_NAMES.search(around))
            or _SAID_BEFORE.match(around)
        ):
            break
        if _AND.match(flat, start - 2):
            break
        start -= 1
    while start < end and flat[start] in " ,/-":
        start += 1
    return start


def _lead_in(head: str) -> int:
    """How many characters of `head` come before its first place name."""
    first = _regions().search(head)
    if first and not _DISTRICT.search(head, 0, first.start()):
        return first.start()
    said = _LEAD_IN.match(head)
    return said.end() if said and len(head) - said.end() >= 2 else 0


@lru_cache(maxsize=1)
def _regions() -> re.Pattern[str]:
    names = "|".join(sorted(f"{PROVINCES} {CITIES}".split(), key=len, reverse=True))
    return re.compile(rf"(?:{names})(?![东南西北中]?[一二三]?[路街巷]|大道|大街)")
