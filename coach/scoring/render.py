"""A scorecard as Markdown, for chat clients and the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from coach.scoring.check import Check
from coach.scoring.scorecard import Scorecard
from coach.scoring.verdict import CROWDED, ORDER, Verdict

_NOTES = {ORDER: "说得太晚：要在别的步骤之前做", CROWDED: "一轮塞得太多：问题只算前两个，做法只算前五个"}


def markdown(card: Scorecard, checks: Mapping[str, Check], ending: str | None = None) -> str:
    """The whole scorecard, each verdict with its quote, in Chinese."""
    result = "通过" if card.passed else "未通过"
    lines = [
        f"# 评分单：{card.rubric_title}",
        "",
        f"**{_number(card.points)} / {_number(card.max_points)} 分 · {result}**（及格线 {_number(card.pass_mark)}%）",
    ]
    if ending:
        lines += ["", f"结局：{ending}"]
    for blocked in card.blockers:
        lines += ["", f"> **一票否决**：{blocked.title}（第 {blocked.turn} 轮）“{_plain(blocked.quote)}”"]
    for required in card.missing_required:
        lines += ["", f"> **必做项没有做到**：{checks[required].title}"]
    for criterion in card.criteria:
        lines += ["", f"## {criterion.title} {_number(criterion.points)} / {_number(criterion.max)}", ""]
        lines += [_verdict(v, checks[v.check]) for v in criterion.verdicts]
    if card.deductions:
        lines += ["", "## 扣分", ""]
        lines += [f"- −{_number(d.points)} {d.title}（第 {d.turn} 轮）“{_plain(d.quote)}”" for d in card.deductions]
    if card.missed:
        lines += ["", "## 下次可以这样说", ""]
        lines += [f"- **{m.title}**：{m.say}" for m in card.missed]
    if card.readings:
        lines += ["", "## 建议先看", ""]
        kinds = {"case": "案例", "lesson": "微课"}
        lines += [f"- {kinds.get(r.kind, r.kind)}《{r.title}》（{checks[r.because].title}）" for r in card.readings]
    if card.not_scored:
        lines += ["", "没有评的项：" + "、".join(checks[i].title for i in card.not_scored)]
    if card.review:
        lines += ["", "建议人工复核：" + "、".join(checks[i].title for i in card.review)]
    lines += ["", f"评判者：{'、'.join(card.judges)}　评分规则指纹：{card.pinned.get('rubric', '')}"]
    return "\n".join(lines)


def _verdict(verdict: Verdict, check: Check) -> str:
    if verdict.met:
        return f"- ✓ {check.title}（第 {verdict.turn} 轮）“{_plain(verdict.quote)}”"
    note = _NOTES.get(verdict.note, verdict.note)
    if note:
        quoted = f"（第 {verdict.turn} 轮）“{_plain(verdict.quote)}” " if verdict.quote else "："
        return f"- ✗ {check.title}{quoted}{note}"
    return f"- ✗ {check.title}"


def _plain(text: str) -> str:
    return text.replace("\n", " ").replace("*", "\\*").replace("`", "\\`").replace("<", "&lt;")


def _number(value: float) -> str:
    return f"{value:g}"
