"""Turns that are about the learner, not about the drill: somebody who speaks of hurting themself is answered by us."""

from __future__ import annotations

import re

from knowledge.text import fold

_SPEAKS_OF_IT = re.compile(
    r"(?:我|俺|自己)[^,。!?]{0,8}(?:不想活|不想再活|活不下去|想死(?!你|您|他|她|磕|心|守|撑|了你)|想去死|想(?:要)?自杀|要自杀|"
    r"自杀过|想自残|割腕|想(?:从.{0,6})?跳(?:楼|下去|河|江)|想结束(?:这一切|生命|自己)|了结自己|寻短见|轻生)"
    r"|不想活了|活不下去了|想一了百了|死了算了|不如死了|一直想死|怎么死(?:不|才|比较|最)|死了(?:保险|就(?:好|解脱|清净))"
    r"|活着[^,。!?]{0,4}(?:没(?:什么|有|啥)?意思|没劲|太累)|活着的?(?:力气|勇气)[^,。!?]{0,3}没|活(?:着|下去)(?:干|图)(?:什么|啥)"
    r"|(?:拿|用)[^,。!?]{0,4}(?:刀|刀片)[^,。!?]{0,3}划[^,。!?]{0,4}(?:胳膊|手|腿|自己)|掐自己|拿头撞|(?:只有|要)疼[^,。!?]{0,4}才"
    r"|(?:攒|囤|吃|吞)[^,。!?]{0,6}安眠药|遗书|天台[^。!?]{0,14}(?:往前|一步|跳|风)"
    r"|(?:过了|活不过|熬不过)(?:今晚|今天|明天)[^,。!?]{0,4}(?:不在|没我|走了)|醒不过来|不醒过来|不用醒来|再也不醒"
    r"|我(?:要是)?(?:消失|不在|没)了[^。!?]{0,8}(?:都好|解脱|清静|更好|轻松)|少我一个|没(?:有)?我[^,。!?]{0,6}(?:会)?(?:更好|都好)"
    r"|去一个再也不用"
    r"|\b(?:kill(?:ing)? myself|end my life|suicidal|want(?:ed)? to die|hurt(?:ing)? myself|cut(?:ting)? myself|"
    r"self[- ]harm|better off without me|don'?t plan to be around|no reason to live)\b"
)
_NOT_ABOUT_ONESELF = re.compile(
    r"(?:客户|顾客|他|她|对方|用户|人家|有人|您|你)(?:说|讲|威胁|扬言|是不是)?[^,。!?]{0,6}(?:不想活|想死|自杀|跳楼|活不下去|轻生|想一了百了)"
    r"|(?:生意|店|公司|品牌|产品|项目|活动|门店|部门|小店|商家)[^,。!?]{0,8}(?:活不下去|不想活)"
    r"|(?:笑|累|困|热|忙|烦|气|饿|冷|急|羡慕|尴尬|无聊)死|(?:想|爱)死(?:你|您|他|她|这)|想死的心都有|死了算了的(?:心|念头)都没有"
)


def speaks_of_self_harm(text: str) -> bool:
    """Whether a turn speaks of the writer's own wish to die or to hurt themself.

    Better once too often than once too little: a learner who only quoted somebody is told so kindly and goes on.
    """
    folded = fold(text)
    found = _SPEAKS_OF_IT.search(folded)
    if found is None:
        return False
    about = _NOT_ABOUT_ONESELF.search(folded)
    return about is None or not (about.start() <= found.end() and found.start() <= about.end())


ANSWER = (
    "先把练习放一放。我不是客户，是这个练习系统。你刚才那句话让我在意：如果你真的有伤害自己的念头，你不用一个人扛。"
    "现在就可以打全国统一心理援助热线 12356，或者 12355 青少年服务台；人在危险里请拨 120 或 110，"
    "也可以请身边信得过的人陪着你。"
    "这句话不计分，已经请培训负责人来关心你一下。如果只是演练里的台词，请直接接着说，对话还停在原来的地方。"
)
"""12356 is the national psychological help line (National Health Commission, since 1 January 2025)."""
