"""Refusals and denials of the speaker's own, so that saying the opposite of a behaviour earns nothing.

Chinese questions are full of negatives that negate nothing (有没有, 多不多, 没漏吧, 是不是, 不知道您方不方便); what is
looked for is the speaker refusing, disowning or denying, in the clause where the behaviour was found or behind it.
"""

from __future__ import annotations

import re

_CLAUSE_END = re.compile(r"[,;:、，；：。.!?！？…\n](?!\d)")
_SPARES = (
    r"再(?:打扰|打给|联系|找|烦)(?:您|你)"
    r"|(?:(?:问|跟|向|找|要|让|叫)[^,]{0,6}|[您你]要[^,]{0,4})"
    r"(?:验证码|密码|卡号|银行卡|身份证)"
)
"""What one promises not to do: to trouble the other person again, to ask for what nobody may ask for."""
_REFUSES = re.compile(
    r"(?:我们?|俺|咱们?|这边)(?:才|就|也|都|可|根本|从来|又|是|真)*(?:不会|不想|不打算|不准备|不愿|不问|不管|不给|不觉得|不认为|"
    r"不关心|不在乎|不理解|不退|不补|不办|不帮|不查|不打|不发|不寄|不派|没打算|没兴趣|没想|懒得)(?!再?(?:糊弄|骗|瞒|绕|说|讲|催|逼|勉强|多|"
    rf"耽误|敷衍|推|让您|让你|错|漏)|{_SPARES})"
    rf"|(?:才|也|都|就是|偏)(?:(?:不会|不问)(?!{_SPARES})|不给|不管|不退|不补|不办|不干|不帮|不查|不发|不让|"
    r"没有?(?:培训|试用|补|退|人(?!通知|告诉|提醒|联系|理|来|接|回|登记)))"
    r"|(?:明天|明早|明晚|后天|下周|以后|到时).{0,6}(?:也|都)没有?人"
    r"|(?:明天|明早|明晚|后天|下周|周[一二三四五六日]|[\d一二两三四五六七八九十]点).{0,8}我们?[也都就可]?不会再(?:打|联系|找)"
    r"|别(?:问|跟我(?:讲|说|提)|指望)|不(?:关心|在乎|重要|合理)|(?:关|干)我(?:什么|啥|屁|何)|无所谓|没门|免谈|想得美|懒得"
    r"|(?:省|降|压|减|导|退|回本)不(?:了|下|出|掉)|没人(?:教|培训|管|帮)|(?:^|[您你])?不(?:给|用给)(?:您|你)(?:补|退|发|寄|送|办|试|开通|培训)"
    r"|([\u4e00-\u9fff]{2,4})就\1"
)
_REFUSED_AFTER = re.compile(
    r"^(?!.{0,6}也(?:没关系|没事|不要紧|可以|不勉强))(?:但是?|可是?|不过|只是)?(?:我们?)?(?:才|也|都|就|偏)?"
    r"(?:不(?:给|干|办|管|做|会|退(?!整|其他|别的)|补|问|关心|在乎|要|发|跑|看)|没有|没门|免谈|想得美)[^?]{0,6}$"
)
_BARE_NO = re.compile(r"^\W*(?:没有|不行|不给|没门|免谈|不可能|想得美|做梦|才怪|才不)\W*$")
_DENIES_NUMBER = re.compile(r"(?:不是|并非|不等于|不到|不用|不需要|不要|不跑|不补|不退|没有|别信|不止)[^,;。]{0,6}$")
_EITHER_OR = re.compile(
    r"[\d一二两三四五六七八九十百千万][^,。;\d]{0,6}(?:还是|或者?|要么)[^,。;\d]{0,6}[\d一二两三四五六七八九十]"
)


def refused(text: str, start: int, end: int) -> bool:
    """Whether what stands at `start` to `end` of a folded sentence is refused or denied there by the speaker."""
    left = max((m.end() for m in _CLAUSE_END.finditer(text, 0, start)), default=0)
    behind = _CLAUSE_END.search(text, end)
    right = behind.start() if behind else len(text)
    if _REFUSES.search(text[left:right]):
        return True
    if behind is None:
        return False
    after = _CLAUSE_END.search(text, behind.end())
    return bool(_REFUSED_AFTER.match(text[behind.end() : after.start() if after else len(text)].strip()))


def denied_number(text: str, start: int) -> bool:
    """Whether the number that begins at `start` of a folded sentence is said not to be so."""
    return bool(_DENIES_NUMBER.search(text, max(0, start - 12), start))


def guesses(text: str) -> bool:
    """Whether a folded sentence offers one number or another and claims neither."""
    return bool(_EITHER_OR.search(text))


def without_answered_no(sentences: list[str]) -> list[str]:
    """Sentences without questions the speaker answers with a bare no: “免费试用十四天？没有。”"""
    kept = []
    for i, sentence in enumerate(sentences):
        asked = sentence.rstrip("”」』\"' ").endswith(("?", "？"))
        if asked and i + 1 < len(sentences) and _BARE_NO.match(sentences[i + 1]):
            continue
        kept.append(sentence)
    return kept
