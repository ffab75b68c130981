"""Masking: whether personal data is found, and what only looks like it is left alone.

Two sets. `data/personal_data.jsonl`: utterances written by hand before the patterns, {"text", "spans", "split"},
labelled by their author, who wrote the patterns too; every number is invented. Which half a line is in hangs on a hash
of its text; patterns were mended with the half "tune" in sight. And sentences made here from a seed: the kinds with a
shape of their own, in many formats, and numbers of other things.

A span counts as found only where its kind and its characters are exactly the labelled ones.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from evals import EvalError, Report
from knowledge.redact import LABELS, Kind, find

DATA = Path(__file__).parent / "data" / "personal_data.jsonl"
STRUCTURED: tuple[Kind, ...] = ("mobile", "landline", "id_card", "bank_card", "email", "plate")
BAR = 0.99
EACH = 400
"""Generated sentences of each structured kind."""
LOOKALIKES = 1200
"""Generated sentences without personal data."""


@dataclass(frozen=True)
class Line:
    """A text and what is personal in it: (start, end, kind)."""

    text: str
    spans: frozenset[tuple[int, int, Kind]]


def run(data: Path = DATA, seed: int = 1) -> Report:
    """Recall and precision by kind, over both halves of the set and the generated sentences.

    Fails where the kinds with a shape of their own are found less often than BAR, in the held-out half or the generated
    sentences.

    Raises:
        EvalError: a line of the set cannot be read, or does not contain what it labels.
    """
    halves = load(data)
    parts = {"tune": halves["tune"], "held out": halves["held_out"], "generated": list(generate(seed))}
    rows: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    failures = []
    for part, lines in parts.items():
        measured = measure(lines)
        rows += [{"data": part, "kind": kind, **row} for kind, row in measured.items()]
        quiet = [line for line in lines if not line.spans]
        disturbed = sum(bool(find(line.text)) for line in quiet)
        summary[f"{part}: false alarms in lines without personal data"] = f"{disturbed} of {len(quiet)}"
        if part == "tune":
            continue
        shaped = [measured[kind] for kind in STRUCTURED if kind in measured]
        recall = sum(row["found"] for row in shaped) / max(1, sum(row["n"] for row in shaped))
        summary[f"{part}: recall of {', '.join(STRUCTURED)}"] = recall
        if recall < BAR:
            failures.append(f"{part}: recall of the kinds with a shape of their own is {recall:.3f}, below {BAR}")
    note = "written and labelled by the patterns' author, invented numbers; generated sentences from a seed"
    return Report("masking", note, rows, summary=summary, failures=failures)


def measure(lines: Iterable[Line]) -> dict[Kind, dict[str, Any]]:
    """By kind: labelled (n), found exactly, recall, share masked whole as any kind (hidden), precision, alarms."""
    counts: dict[Kind, dict[str, int]] = {kind: dict.fromkeys(("n", "found", "hidden", "alarms"), 0) for kind in LABELS}
    for line in lines:
        got = {(span.start, span.end, span.kind) for span in find(line.text)}
        masked = {at for start, end, _ in got for at in range(start, end)}
        for start, end, kind in line.spans:
            counts[kind]["n"] += 1
            counts[kind]["found"] += (start, end, kind) in got
            counts[kind]["hidden"] += masked.issuperset(range(start, end))
        for _, _, kind in got - line.spans:
            counts[kind]["alarms"] += 1
    return {
        kind: {
            "n": c["n"],
            "found": c["found"],
            "recall": c["found"] / c["n"] if c["n"] else "",
            "hidden": c["hidden"] / c["n"] if c["n"] else "",
            "precision": c["found"] / (c["found"] + c["alarms"]) if c["found"] + c["alarms"] else "",
            "false alarms": c["alarms"],
        }
        for kind, c in counts.items()
        if c["n"] or c["alarms"]
    }


def load(path: Path) -> dict[str, list[Line]]:
    """The labelled lines by split.

    Raises:
        EvalError: a line cannot be read, or does not contain what it labels.
    """
    halves: dict[str, list[Line]] = {"tune": [], "held_out": []}
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(raw)
            halves[row["split"]].append(_line(row["text"], [(s["kind"], s["text"]) for s in row["spans"]]))
        except (KeyError, TypeError, ValueError) as error:
            raise EvalError(f"{path.name}, line {number}: {error}") from error
    return halves


def generate(seed: int) -> Iterator[Line]:
    """EACH sentences of every structured kind and LOOKALIKES without personal data; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311
    for kind in STRUCTURED:
        for _ in range(EACH):
            value = _MAKERS[kind](rng)
            yield _line(rng.choice((*_CARRIERS, *_OWN_CARRIERS[kind])).replace("{}", value), [(kind, value)])
    for _ in range(LOOKALIKES):
        carrier, make = rng.choice(_OTHER_THINGS)
        yield _line(carrier.replace("{}", make(rng)), [])


def _line(text: str, labelled: list[tuple[Kind, str]]) -> Line:
    spans = set()
    done = 0
    for kind, value in labelled:
        start = text.find(value, done)
        if start < 0 or kind not in LABELS:
            raise ValueError(f"{kind} {value!r} is not in the text")
        done = start + len(value)
        spans.add((start, done, kind))
    return Line(text, frozenset(spans))


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" if c == " " else c for c in text)


def _day(rng: random.Random, first: int, last: int) -> date:
    start = date(first, 1, 1)
    return start + timedelta(days=rng.randrange((date(last, 12, 31) - start).days))


def _mobile(rng: random.Random) -> str:
    # Four noughts in the middle: as far from anybody's number as a valid one gets.
    a, b, c = rng.choice(_MOBILE_PREFIXES.split()), "0000", _digits(rng, 4)
    plain = a + b + c
    forms = (
        plain, plain, f"{a} {b} {c}", f"{a}-{b}-{c}", f"{a} {b}{c}", f"{a}-{b}{c}", f"+86{plain}", f"+86 {plain}",
        f"+86-{a}-{b}-{c}", f"0086 {a} {b} {c}", f"(+86){plain}", f"86-{plain}", f"{a}.{b}.{c}", f"{a}—{b}—{c}",
        _wide(plain), _wide(f"{a} {b} {c}"), f"{a}\u00a0{b}\u00a0{c}", f"{plain[:7]} {c}",
        f"{plain}转{_digits(rng, 4)}",
    )  # fmt: skip
    return rng.choice(forms)


def _landline(rng: random.Random) -> str:
    area = rng.choice(_AREAS.split())
    local = rng.choice("2345678") + _digits(rng, 3 if len(area) == 3 else rng.choice((2, 3)))
    tail = _digits(rng, 4)
    hot = f"{rng.choice('01678')}{_digits(rng, 2)}"
    forms = (
        f"{area}-{local}{tail}", f"{area}-{local}{tail}", f"{area} {local}{tail}", f"{area}-{local}-{tail}",
        f"({area}){local}{tail}", f"（{area}）{local}{tail}", f"({area}) {local} {tail}", f"{area}{local}{tail}",
        f"+86-{area[1:]}-{local}{tail}", f"+86 {area[1:]} {local} {tail}", f"0086-{area[1:]}-{local}{tail}",
        f"{area}-{local}{tail}-{_digits(rng, 3)}", f"{area}-{local}{tail}转{_digits(rng, 4)}",
        f"{area}-{local}{tail}分机{_digits(rng, 3)}", f"{area}-{local}{tail} 转 {_digits(rng, 3)}",
        _wide(f"{area}-{local}{tail}"), f"400-{hot}-{tail}", f"400{hot}{tail}", f"400 {hot} {tail}",
        f"800-{hot}-{tail}", f"400{hot[0]}-{hot[1:]}{tail[0]}-{tail[1:]}",
    )  # fmt: skip
    return rng.choice(forms)


def _id_card(rng: random.Random) -> str:
    from stdnum.cn import ric

    a, b, c = rng.choice(_REGIONS.split()), f"{_day(rng, 1935, 2022):%Y%m%d}", "00" + _digits(rng, 1)
    c += ric.calc_check_digit(a + b + c + "0")
    plain = a + b + c
    forms = (
        plain, plain, plain, plain.lower(), f"{a} {b} {c}", f"{a}-{b}-{c}", f"{a} {b[:4]} {b[4:]} {c}", _wide(plain),
        f"{plain[:3]} {a[3:]} {b[:4]} {b[4:]} {c}",
    )  # fmt: skip
    return rng.choice(forms)


def _bank_card(rng: random.Random) -> str:
    from stdnum import luhn

    prefix, length = rng.choice(_CARD_RANGES)
    body = f"{prefix}0000{_digits(rng, length - 11)}"
    plain = body + luhn.calc_check_digit(body)
    fours = [plain[i : i + 4] for i in range(0, length, 4)]
    spaced = " ".join(fours)
    return rng.choice((plain, plain, spaced, "-".join(fours), f"{plain[:6]} {plain[6:]}", _wide(plain), _wide(spaced)))


def _email(rng: random.Random) -> str:
    names = ("demo", "ceshi", "test.user", "wang_test", "li-demo", "kefu", "order+demo", "z", "a1", "x.y.z")
    hosts = ("example.com", "example.cn", "mail.example.com.cn", "qq.com", "163.com", "vip.163.com", "ex-ample.org")
    plain = f"{rng.choice(names)}{_digits(rng, rng.randrange(1, 6))}@{rng.choice(hosts)}"
    return rng.choice((plain, plain, plain, plain.upper(), _wide(plain), plain.replace("@", "＠")))


def _plate(rng: random.Random) -> str:
    where = rng.choice("京津沪渝冀豫云辽黑湘皖鲁苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼") + rng.choice("ABCDEFGHJK")
    # % is a letter, # a digit.
    tail = rng.choice(("#####", "%####", "#%###", "###%#", "D#####", "F%####", "#####D", "####学", "####挂", "%###警"))
    tail = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") if c == "%" else c for c in tail)
    tail = "".join(_digits(rng, 1) if c == "#" else c for c in tail)
    plain = where + tail
    return rng.choice((plain, plain, f"{where}·{tail}", f"{where} {tail}", f"{where}-{tail}", plain.lower()))


_MOBILE_PREFIXES = """
130 131 133 134 135 136 137 138 139 145 147 149 150 151 152 153 155 156 157 158 159 162 165 166 167 170 171 172 173 175
176 177 178 180 181 182 183 184 185 186 187 188 189 190 191 193 195 196 197 198 199
"""
_AREAS = """
010 020 021 022 023 024 025 027 028 029 0311 0371 0411 0512 0551 0571 0574 0591 0731 0755 0871 0991
"""
_REGIONS = """
110101 120104 130102 210102 310104 320505 330106 340104 350203 370202 410105 420106 430102 440305 500103 510107 610113
"""
_CARD_RANGES = (
    ("622202", 19), ("622848", 19), ("621700", 19), ("621483", 16), ("625912", 16), ("439225", 16), ("518710", 16),
    ("356800", 16), ("623058", 18), ("955880", 19), ("622260", 17), ("621288", 19),
)  # fmt: skip
_MAKERS: dict[Kind, Callable[[random.Random], str]] = {
    "mobile": _mobile,
    "landline": _landline,
    "id_card": _id_card,
    "bank_card": _bank_card,
    "email": _email,
    "plate": _plate,
}
_CARRIERS = (
    "{}", "您好，{}，麻烦查一下", "是{}吗？", "（{}）", "“{}”", "登记的是{}。", "信息如下：\n{}\n谢谢", "1、{}",
    "客户备注:{};", "我把{}发给你了", "系统里显示{}，不对", "資料是{}，請核對", "昨天18:30留的{}，到现在没人理",
    "工号3307记录：{}", "订单20240612，{}，加急", "{}\n以上请核实", "- {}", "下面这个【{}】才是对的",
    "原来的作废，新的：{}", "麻煩改成 {} 謝謝", '{"value": "{}"}', "{}和系统里的对不上", "共3条，第1条{}",
    "付了199元，{}，还没处理", "①{}", "不是旧的那个，是{}啦～",
)  # fmt: skip
_OWN_CARRIERS: dict[Kind, tuple[str, ...]] = {
    "mobile": (
        "打{}找我", "手機{}", "Tel:{}", "phone {}", "收件人电话{}放门口", "微信同号{}", "{}接电话的是我妈", "1.{}",
    ),
    "landline": ("座机{}", "请拨{}", "電話：{}", "传真{}收到请回", "TEL:{}", "打{}没人接", "总机{}，上班时间"),
    "id_card": ("身份证{}", "身份證號碼：{}", "证件号{}核验失败", "ID:{}", "实名用{}", "投保人{}，女"),
    "bank_card": ("卡号{}", "打到{}", "銀行卡號：{}", "退到{}这张卡", "工资卡{}没到账", "收款账号：{}，户名一致"),
    "email": ("邮箱{}", "发{}", "E-mail: {}", "電子郵件{}", "抄送{}和我", "<{}>"),
    "plate": ("车牌{}", "{}停在门口", "車牌號：{}", "我的车{}被剐了", "月卡{}到期", "司机开{}来提货"),
}  # fmt: skip


def _other(pattern: str) -> Callable[[random.Random], str]:
    """A maker of texts like `pattern`, each # a digit."""
    return lambda rng: "".join(rng.choice("0123456789") if c == "#" else c for c in pattern)


_OTHER_THINGS: tuple[tuple[str, Callable[[random.Random], str]], ...] = (
    ("订单号{}还没发货", _other("2024061#########")),
    ("订单号：{}", _other("1380000####")),
    ("订单编号{}，申请退款", _other("62220200#########")),
    ("快递单号{}", _other("78############")),
    ("运单{}到哪了", _other("SF1380000######")),
    ("物流单号 {} 停滞", _other("JT13#########0##")),
    ("发票号码{}", _other("########")),
    ("发票号码：{}", _other("2433200000##########")),
    ("条码{}", _other("690#######3##")),
    ("ISBN {}", _other("978-7-111-####0-#")),
    ("价格{}元", _other("1380#.##")),
    ("合计{}元，含税", _other("15#00000")),
    ("预算{}元左右", _other("13#####0000")),
    ("{}下的单", _other("2024-0#-1# 1#:3#:0#")),
    ("{}之前寄到", _other("2024年#月1#日")),
    ("服务器{}超时", _other("10.#.1##.2#")),
    ("版本{}闪退", _other("v#.1#.138")),
    ("时间戳{}", _other("17181#0000#00")),
    ("日志 {} 报错", _other("2024061#13800#00")),
    ("型号{}缺货", _other("A1#-13#00")),
    ("货号{}", _other("QX1380000####")),
    ("转化率{}", _other("13.8#%")),
    ("播放{}次", _other("1380000####")),
    ("尾号{}", _other("####")),
    ("验证码{}，勿告知他人", _other("######")),
    ("会议号{}", _other("### ### ###")),
    ("邮编{}", _other("3100##")),
    ("比例{}", _other("#:#.5")),
    ("税号{}", _other("91330100MA#####00X")),
    ("尺寸{}", _other("1#0*2#0*3#cm")),
    ("合同编号{}", _other("HT-2024-0###")),
    ("流水号{}入账", _other("62170000########")),
    ("交易单号{}", _other("4200001#34202406121########7")),
    ("IMEI {}", _other("86123456789####")),
    ("库存{}，够卖", _other("138，15#，13##")),
    ("坐标{}", _other("120.15##,30.27##")),
    ("航班CA{}", _other("13##")),
    ("充值{}拨打10086", _other("1##元")),
    ("{}栋电梯停运", _other("#")),
    ("全新A{}型到货", _other("1#345")),
    ("QQ群{}", _other("1000#####")),
    ("排名第{}位", _other("1380###")),
)
