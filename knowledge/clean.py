"""From the raw text of a scraped page to the document it holds, with a report of what was done to it.

Every rule is data: a name, a pattern over the folded line (Simplified, lower case), a real line it removes.
The document keeps its own script.
"""

import re
from dataclasses import dataclass

from knowledge.misaligned import LOST, PINYIN, mend, pronunciations
from knowledge.outline import lines
from knowledge.text import fold, is_han


@dataclass(frozen=True)
class Rule:
    """A kind of line that is the site's and not the document's.

    `pattern` must match the folded line from its start. With `block`, the list of "- …" and "• …" lines under
    the line goes as well.
    """

    name: str
    pattern: re.Pattern[str]
    example: str
    block: bool = False


@dataclass(frozen=True)
class Cleaned:
    """A cleaned text; `removed` counts lines by rule, `lost` the characters nobody can tell any more."""

    text: str
    mended: int
    lost: int
    removed: dict[str, int]


_LIST_LINE = re.compile(r"[-•·*]\s*\S")

RULES = (
    Rule("download hints", re.compile(r"温馨提示[:：]?$"), "溫馨提示", block=True),
    Rule("other documents", re.compile(r"(最新|相关|热门|推荐)文档[:：]?$"), "最新文檔", block=True),
    Rule(
        "copyright notice",
        re.compile(r"版权(说明|声明|申诉)[:：]"),
        "版權說明:本文檔由用戶提供并上傳,收益歸屬內容提供方,若內容存在侵權,請進行舉報或認領",
    ),
    Rule("document blurb", re.compile(r"文档(简介|描述)[:：]?$"), "文檔簡介"),
    Rule(
        "pages left unread",
        re.compile(r"已阅读\d+页,?还剩\d+页未读"),
        "已閱讀5頁,還剩31頁未讀, 繼續免費閱讀",
    ),
    Rule(
        "page marker",
        re.compile(r"(.{2,80}_)?第\s*\d+\s*页(\s*[/,共]\s*(共\s*)?\d+\s*页?)?$"),
        "2025年網絡營銷團隊培訓與成長策略可行性研究報告_第1頁",
    ),
    Rule("comment count", re.compile(r"文档评论\s*\(\d+\)$"), "文档评论(0)"),
    Rule("comment box", re.compile(r"(评论|提交评论|发表评论|\d+/150)$"), "0/150"),
    Rule(
        "download button",
        re.compile(r"((立即|免费|点击)?下载(本|该|此)?文档|继续免费阅读|收藏|分享|举报)$"),
        "下載本文檔",
    ),
    Rule(
        "site terms",
        re.compile(
            r"[-•·*]?\s*\d{1,2}\s*[、.]\s*"
            r"(?=.*(本站|原创力文档|人人文库|豆丁|道客巴巴|百度文库|vip|版权申诉|举报电话|侵权|挪作商业))"
            r".*(文档|文件|下载|上传|资源|压缩包|会员|举报)"
        ),
        "- 4、该文档为VIP文档,如果想要下载,成为VIP会员后,下载免费。",
    ),
    Rule(
        "price and membership",
        re.compile(r"(成为|开通)vip|((价格|售价)[:：]?\s*)[¥￥]?\d+(\.\d+)?\s*(元|积分|金币)?$|\d+\s*(积分|金币)$"),
        "开通VIP,免费下载本文档",
    ),
)

_SPACES = re.compile("[\u200b-\u200f\u2028-\u202e\u2060\ufeff\x00-\x08\x0b-\x1f\x7f]")
_PRONUNCIATION = re.compile(rf"(.)\(([{PINYIN}]{{1,6}})\)")
_BOLD_BULLET = re.compile(r"^\s*[-•*]\s*\*\*(.+?)\*\*", re.MULTILINE)
_BULLET_MARK = re.compile(r"^[-•](?=\S)", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")


def clean(raw: str) -> Cleaned:
    """The document in the scraped text `raw`."""
    text = _SPACES.sub("", raw.replace("\r\n", "\n").replace("\r", "\n"))
    # The pronunciations are evidence for mending, so they go only afterwards.
    text, mended, lost = mend(text)
    text = drop_pronunciations(text)
    text, removed = drop_boilerplate(text)
    text = _BOLD.sub(r"\1", _BOLD_BULLET.sub(r"- \1", text))
    if not re.search(r"^#{1,6}\s", text, re.MULTILINE):
        text = "\n".join(lines(text))
    text = _BULLET_MARK.sub("- ", text)
    return Cleaned(text.strip(), mended, min(lost, text.count(LOST)), removed)


def drop_pronunciations(text: str) -> str:
    """`text` without the "(yè)" of 業(yè), where it is a reading of the character before it.

    (CSM), (一) and (ok) stay: only what is pronounced like its character goes.
    """

    def bare(match: re.Match[str]) -> str:
        char, sound = match.groups()
        if char == LOST or (is_han(char) and sound in pronunciations(char)):
            return char
        return match.group()

    return _PRONUNCIATION.sub(bare, text)


def drop_boilerplate(text: str) -> tuple[str, dict[str, int]]:
    """(`text` without the lines that are the site's, lines removed by rule)."""
    removed: dict[str, int] = {}
    kept: list[str] = []
    block: Rule | None = None
    for line in text.split("\n"):
        bare = fold(line).strip()
        if block and (not bare or _LIST_LINE.match(bare)):
            rule: Rule | None = block
        else:
            rule = next((rule for rule in RULES if rule.pattern.match(bare)), None)
            block = rule if rule and rule.block else None
        if rule is None and bare and len(bare) <= 80 and kept and bare == fold(kept[-1]).strip():
            removed["repeated title"] = removed.get("repeated title", 0) + 1
        elif rule is None:
            kept.append(line)
        elif bare:
            removed[rule.name] = removed.get(rule.name, 0) + 1
    return "\n".join(kept), removed
