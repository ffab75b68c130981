"""WeChat and QQ handles: letters and digits that are personal only where the words around them say so."""

from __future__ import annotations

import re
from collections.abc import Iterator

Place = tuple[int, int]

_WECHAT = re.compile(
    r"[微薇威徽维]信|微x(?![a-z])|(?<![a-z0-9])(?:v ?信|[vw] ?x|wechat|weixin)"
    r"|(?:加(?:我|个|一下)?的?|\+ ?)(?:v(?!ip|isa|ideo|pn)|[微薇威](?!信))"
)
_QQ = re.compile(r"(?<![a-z])q ?q|[扣抠叩秋]{2}|企鹅|(?<![a-z0-9])q(?=号)|(?<=[加我的])q")
# Payments, groups, official accounts and the app itself are no person's.
_NOBODY = re.compile(
    r".{0,8}(?:公众|关注|群|小程序|服务号|订阅号|企业号|视频号|支付|付款|转账|红包|版本|登录|登陆|接口|同号)"
)
_NOBODYS_QQ = re.compile(r".{0,8}(?:群|会员|音乐|空间|飞车|游戏|币|豆|浏览器|验证码|订单|版本|邮箱|登录)")
_BRANDS = re.compile(
    r"(?:iphone|android|ipad|windows|macos|harmony|huawei|xiaomi|version|wechat|weixin|official|miniprogram|login|openid"
    r"|unionid|appid|token)(?![a-z])|https?"
)
_CALLED = r"(?P<called>(?: ?(?:号码?|账[号户]|帐[号户]|id))?"
_POINTED = rf"{_CALLED} ?(?:[是为:=搜加(\[\"'“>→-]|我|你|的|一下){{0,4}} ?[:(\"'“]? ?)"
# What Tencent allows: 6 to 20 letters, digits, hyphens and underscores, a letter first.
_HANDLE = r"(?P<id>[a-z][a-z0-9_-]{5,19})(?![a-z0-9_@-]|\.[a-z0-9])"
_POINTS = re.compile("[是为:=搜加号(户]|id")
_STRONG = re.compile("[0-9_-]")
_WECHAT_POINTED = re.compile(_POINTED + _HANDLE)
_WECHAT_NEAR = re.compile(rf"[^a-z0-9@\n。;!?！？.、]{{0,12}}{_HANDLE}")
_WECHAT_DIGITS = re.compile(rf"{_POINTED}(?P<id>[1-9][0-9]{{5,10}})(?![0-9a-z]|[.,][0-9])")
_WECHAT_AFTER = re.compile(
    r"(?<![a-z0-9_.@/-])(?P<id>[a-z][a-z0-9_-]{5,19}) ?[(,]? ?"
    r"(?:这?个?是)?(?:我|本人|咱)?的?(?:个人)?(?:[微薇威]信|[vw]x)(?!公众|群|小程序|支付|版)"
)

_COUNTED = r"(?! ?(?:[元块万亿个件次条人名分币豆钻积级天年月日秒]|kb|mb))"
_NUMBER_ENDS = rf"(?![0-9a-z@-]|[.,][0-9]){_COUNTED}"
_QQ_POINTED = re.compile(
    rf"{_CALLED}(?:[是为:=加(\[\"'“联系我你的微信手机同号 +-]){{0,8}})(?P<id>[1-9][0-9]{{4,10}}){_NUMBER_ENDS}"
)
_QQ_NEAR = re.compile(rf"[^0-9\n。;]{{0,8}}(?P<id>[1-9][0-9]{{7,10}}){_NUMBER_ENDS}")
_QQ_BARE = re.compile(rf"(?<![a-z0-9])[q扣][: ]?(?P<id>[1-9][0-9]{{7,9}}){_NUMBER_ENDS}")
_QQ_AFTER = re.compile(
    r"(?<![0-9a-z.@-])(?P<id>[1-9][0-9]{4,10}) ?[(,]? ?(?:这?个?是)?(?:我|本人)?的?(?:qq|扣扣)(?![a-z群币豆音邮会飞空])"
)


def wechats(flat: str) -> Iterator[Place]:
    """Handles in a view that are called somebody's WeChat (微信, VX, 薇信, 加V …).

    A word of letters alone counts only where the marker points at it (微信号abcdef, 微信：abcdef).
    """
    for marker in _WECHAT.finditer(flat):
        end = marker.end()
        if _NOBODY.match(flat, end):
            continue
        pointed = _WECHAT_POINTED.match(flat, end)
        near = pointed or _WECHAT_NEAR.match(flat, end)
        if near and not _BRANDS.match(near["id"]):
            if _STRONG.search(near["id"]) or (pointed and _POINTS.search(pointed["called"])):
                yield near.span("id")
        elif digits := _WECHAT_DIGITS.match(flat, end):
            yield digits.span("id")
    for after in _WECHAT_AFTER.finditer(flat):
        if _STRONG.search(after["id"]) and not _BRANDS.match(after["id"]):
            yield after.span("id")


def qqs(flat: str) -> Iterator[Place]:
    """Numbers of 5 to 11 digits in a view that are called somebody's QQ (QQ, 扣扣, 企鹅号 …), not those of a group."""
    for marker in _QQ.finditer(flat):
        number = _QQ_POINTED.match(flat, marker.end())
        if not number and not _NOBODYS_QQ.match(flat, marker.end()):
            number = _QQ_NEAR.match(flat, marker.end())
        if number:
            yield number.span("id")
    for pattern in (_QQ_BARE, _QQ_AFTER):
        for match in pattern.finditer(flat):
            yield match.span("id")
