"""Names of people where the words around them mark them.

Marked is a full name: behind a label (姓名：, 收件人, 联系人, 户名 …), behind 我叫, 我是 and the like, before 先生,
女士, 小姐 or 老师 (陈可可女士), before 男 or 女, and alone between commas or spaces beside a mobile number, an identity
number or an address, as on a pasted delivery label. A surname with a title (王女士, 李总, 小张) is a form of address,
tells no one apart, and stays. A name in the middle of a sentence without any mark is not found: telling it from words
takes a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from knowledge.redact.places import CITIES, PROVINCES
from knowledge.text import is_han

Place = tuple[int, int]

_COMMON = frozenset(
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁董余苏叶吕魏蒋田杜丁沈姜范傅钟卢汪"
    "戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚汤陶黎温莫易樊乔文安"
    "殷颜庄章鲁倪庞邢俞翟蓝聂齐葛岳柴覃骆关焦柳欧祝纪尚毕耿芦左季管符辛苗詹曲靳祁涂兰甘裴梅童翁霍游阮尤岑柯牟滕"
    "谷卜舒冉饶凌成宫匡喻查项邬盛房佟卓单娄瞿米仇艾储屈蒲晏郎褚闫肖付代鲍应席冼麦揭阚练巫简池华景丛党宁鄢苟仲商"
    "荆栾燕戚隋佘农敖雍桑郁缪茅郦冀巩江"
)
_MOST_COMMON = frozenset("王李张刘陈杨黄赵周吴徐孙朱马胡郭何高罗")
# Surnames that mostly begin a word; they count behind a label only.
_RARE = frozenset("于和全时车向连包路国边占植宗原苑强井干宣戎步都耳满仰堵弘空沙养丰聚勾利师计伏支昌通幸弓能解权益桂")
_COMPOUND = """
欧阳 上官 司马 诸葛 皇甫 尉迟 公孙 慕容 令狐 司徒 夏侯 长孙 宇文 端木 南宫 独孤 轩辕 呼延 申屠 淳于
"""
_COMPOUNDS = frozenset(_COMPOUND.split())
# Pronouns, particles and verbs of service talk are part of no given name.
_NEVER_GIVEN = frozenset(
    "我你您他她它们的了吗呢吧啊哦是在有要想就也都和与及或不没很太把被给让叫请谢问说买卖退换这那哪什么谁某"
    "收寄送到订电手号姓证费价钱店货单件卡户款客级"
)
# Two characters that look like a name's beginning and are a word's.
_WORDS = """
高兴 高峰 高端 高铁 高中 高考 高速 高度 方便 方案 方面 方式 方法 方向 马上 马路 何时 何必 何况 何处 安全 安装 安排
安心 安静 安检 常用 常见 常规 常温 常年 成功 成都 成年 成本 成交 成立 白天 白色 白领 白酒 黄金 黄色 黄牛 金额 金牌
金融 金属 金色 万一 万能 单位 单子 单身 关于 关注 关键 关闭 关系 应该 应聘 应急 华为 华东 华南 华北 华中 严重 温馨
温度 文件 文明 文字 文档 文化 房东 房间 房子 房产 游戏 游泳 江苏 江西 宁波 宁夏 商务 商场 商城 管理 项目 项链 季度
季节 左右 左边 左手 康复 易碎 水果 毛病 毛衣 毛利 周一 周二 周三 周四 周五 周六 周日 周末 周边 周年 周期 许多 许可
程序 程度 代理 代收 代办 代付 付费 任何 任务 任意 施工 费用 简单 简介 简历 景区 景点 党员 农村 农民 农业 尚未 祝您
祝你 查询 查看 龙头 牛奶 牛肉 牛仔 米饭 盛大 席位 练习 曾经 章程 章节 童装 童车 童鞋 辛苦 纪念 纪录 符合 毕业 毕竟
余额 余下 贺卡 洪水 汤圆 陶瓷 雷达 史上 罗列 梅花 谢谢 严格 莫名 武器 常常 安慰 金秋 石头 田园 文员 文案 商业 商量
万元 单独 单纯 应用 应付 应当 高效 高清 高温 高新 高档 马桶 白菜 白班 夏季 夏天 秦皇 石家 马鞍 项下 查无 查不 曲线
段落 时段 钟头 金币 宁愿 宁可 温水 康养 文具 商户 管家 管道 游览 花园 成员 成绩 商家 关机 包退 包换 房主 王者 高跟
成熟 文科 白羊 左撇 黄皮 白皮
"""
_NOT_NAMES = frozenset(_WORDS.split())
_TITLES = """
先生 女士 小姐 老师 经理 主任 师傅 阿姨 叔叔 大姐 大哥 医生 同学 会计 店长 客服 律师 老板 教练 主管 总监
"""
_LONG_TITLES = frozenset(_TITLES.split())
_SHORT_TITLES = frozenset("总姐哥姨叔工董局科队嫂爷奶婶妈爸")
# What a sentence goes on with after a name.
_FOLLOWING = re.compile(
    r"[的收我您你他她想要在于已是买来说住打问也就这那和与及跟刚先男女不订退换]|电话|手机|联系|地址|身份|证件|先生|女士|小姐"
    r"|老师|同学|之前|[昨今明前]天|今年|申请|反映|反馈|要求|投诉|拒收|签收|号码|下单|报名|咨询|工号|预约|本人|表示|车牌|声明"
    r"|签字|登录|来电"
)

_LABEL = re.compile(
    r"(?:姓 ?名|名字|[收寄发][件货]人|联[系络]人|联系方式|收[件货]信息|持卡人|[开账]?户名|[车业户机房店]主|投保人"
    r"|被?保险人|患者|乘客|乘机人|入住人|住客|经办人|签收人|法定代表人|法人代表|法人|负责人|报名[人者]|申请人|投诉人|买家|[客用]户"
    r"|客户名称?|顾客|会员|学员|学生|家长|监护人|受益人|借款人|[收付]款人|司机|骑手|快递员|承租人|租户|房东"
    r"|(?<![a-z])(?:full |real )?name)(?:姓名|名字|名称)?"
    r"(?P<sep>[\"' ]{0,2}[:=][\"' ]{0,2}| {1,2}|[,，]?改[成为]|填写?的?|写的?是?|应?[是为叫])?"
)
_INTRODUCED = re.compile(
    r"(?:我(?:的名字)?叫|名叫|名字[叫是]|我是|本人|我姓[\u4e00-\u9fff]{1,2}[, ]叫?"
    r"|(?:朋友|孩子|儿子|女儿|老公|老婆|丈夫|妻子|妈妈?|爸爸?|同事|[她他])叫)[:, ]?"
)
_GENDERED = re.compile(r"(?:^|[\s,、。;:|/])(?P<name>[\u4e00-\u9fff]{2,4})[\s,、|/]{1,2}[男女](?![\u4e00-\u9fff])")
_TITLE = re.compile(r"先生|女士|小姐|老师")
_FOREIGN = re.compile(r"[\u4e00-\u9fff]{1,8}[·•・][\u4e00-\u9fff]{1,8}|[a-z]{2,15}(?: [a-z]{2,15}){1,2}(?![a-z0-9_@])")
_LEFT_OF = re.compile(
    r"(?:^|[\s,、。;:/()\[\]|!?！？-])(?:找|联系|[打发寄转交]?给)?(?P<name>[\u4e00-\u9fff]{2,4})\(?(?:收|先生|女士|小姐)?\)?"
    r"[\s,、。;:/(|-]{0,3}(?:的?(?:电话|手机号?|tel)[是:：]?)?\s?$"
)
_RIGHT_OF = re.compile(r"[\s,、。;/)|-]{1,3}(?P<name>[\u4e00-\u9fff]{2,4})(?=$|[\s,、。;/()|0-9]|\(?收|先生|女士)")
# Behind an address a comma goes on with anything (…501，毛坯); a space or a stroke goes on with a field.
_RIGHT_OF_ADDRESS = re.compile(r"[\s/|]{1,3}(?P<name>[\u4e00-\u9fff]{2,4})(?=$|[\s,、。;/()|0-9]|\(?收|先生|女士)")
_WINDOW = 16


def names(flat: str, numbers: Iterable[Place], addresses: Iterable[Place]) -> Iterator[Place]:
    """Marked names in a view; a name may also stand beside one of `numbers` (mobile, identity) or `addresses`."""
    for match in _LABEL.finditer(flat):
        sep = match.group("sep")
        pointed = sep is not None
        if pointed and sep.strip("\"' ") in (":", "=") and (foreign := _FOREIGN.match(flat, match.end())):
            yield foreign.span()
        elif end := _name_end(flat, match.end(), rare=pointed):
            yield match.end(), end
    for match in _INTRODUCED.finditer(flat):
        if end := _name_end(flat, match.end()):
            yield match.end(), end
    for match in _TITLE.finditer(flat):
        if place := _titled(flat, match.start()):
            yield place
    for match in _GENDERED.finditer(flat):
        if _is_name(match.group("name")):
            yield match.span("name")
    for places, right_of in ((numbers, _RIGHT_OF), (addresses, _RIGHT_OF_ADDRESS)):
        for start, end in places:
            # In a list of bare numbers there is nothing to look for.
            if flat[max(0, start - _WINDOW) : start].isascii() and flat[end : end + _WINDOW].isascii():
                continue
            for alone in (_LEFT_OF.search(flat, max(0, start - _WINDOW), start), right_of.match(flat, end)):
                if alone and _is_name(alone.group("name")):
                    yield alone.span("name")


def _name_end(flat: str, start: int, *, rare: bool = False) -> int | None:
    """Where the name that begins at `start` ends; None where what stands there is no name."""
    surname = _surname(flat[start : start + 2], rare=rare)
    for given in (2, 1) if surname else ():
        end = start + len(surname) + given
        ends = end >= len(flat) or not is_han(flat[end]) or _FOLLOWING.match(flat, end)
        if ends and _is_name(flat[start:end], rare=rare):
            return end
    return None


def _titled(flat: str, title: int) -> Place | None:
    """The full name right before a title at `title`."""
    for length in (4, 3, 2):
        start = title - length
        word = flat[max(0, start) : title]
        if start < 0 or not _is_name(word):
            continue
        before = flat[start - 1 : start]
        # 班主任张老师, 感谢马老师: the end of a word and a surname, not a name of two characters.
        if length == 2 and word[1] in _MOST_COMMON and before and is_han(before) and before not in "是找请叫给":
            continue
        return start, title
    return None


def _is_name(word: str, *, rare: bool = False) -> bool:
    surname = _surname(word[:2], rare=rare)
    given = word[len(surname) :]
    return (
        bool(surname)
        and 1 <= len(given) <= 2
        and all(is_han(char) and char not in _NEVER_GIVEN for char in given)
        and word[:2] not in _NOT_NAMES
        and given not in _LONG_TITLES
        and given not in _SHORT_TITLES
        and not _is_place(word)
    )


def _surname(word: str, *, rare: bool) -> str:
    if word in _COMPOUNDS:
        return word
    first = word[:1]
    return first if first in _COMMON or (rare and first in _RARE) else ""


def _is_place(word: str) -> bool:
    """Whether `word` is, or begins with, a city, or is how one begins: 苏州仓, 张家口, 马鞍."""
    whole, beginnings = _places()
    return word[:2] in whole or word in beginnings


@lru_cache(maxsize=1)
def _places() -> tuple[frozenset[str], frozenset[str]]:
    whole = frozenset(f"{PROVINCES} {CITIES}".split())
    return whole, frozenset(place[:length] for place in whole for length in range(2, len(place) + 1))
