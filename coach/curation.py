"""What a trainer does with the library: confirming proposed tags, publishing drafts, making a case of a good drill."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from coach.drill.drill import Drill
from coach.scoring.scorecard import Scorecard
from knowledge import redact
from knowledge.item import Item
from knowledge.library import Library
from knowledge.skills import skills

if TYPE_CHECKING:
    from coach.compose import Whetstone

_QUOTED = 5  # behaviours a case shows at most


class CurationError(ValueError):
    """It cannot be done; says why."""


def confirm(library: Library, item_id: str, who: str, values: Mapping[str, Any]) -> Item:
    """Confirm the proposed tags of an item, those in `values` changed first.

    Raises KeyError when there is no such item, CurationError for a value that is none.
    """
    item = library.get(item_id)
    chosen = tuple(dict.fromkeys(values.get("skills", item.skills)))
    if unknown := sorted(set(values.get("skills", ())) - set(skills())):
        raise CurationError(f"skills: no skill named {', '.join(unknown)}; there are {', '.join(sorted(skills()))}")
    if not values.get("industry", item.industry).isprintable():
        raise CurationError("industry: holds characters that cannot be shown")
    try:
        changed = Item.model_validate({**item.model_dump(), **values, "skills": chosen, "proposed": ()})
    except ValidationError as error:
        first = error.errors()[0]
        raise CurationError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    library.put([changed], who, "tags confirmed", propose=False)
    return changed


def publish(library: Library, item_id: str, who: str) -> Item:
    """Let a draft be found.

    Raises KeyError when there is no such item, CurationError when it is no draft or has no text to be found by.
    """
    item = library.get(item_id)
    if item.status == "published":
        raise CurationError(f"{item_id} is published already")
    changed = item.model_copy(update={"status": "published"})
    try:
        library.put([changed], who, "published", propose=False)
    except ValueError as error:
        raise CurationError(f"{item_id} holds headings only, no text") from error
    return library.get(item_id)


def draft_case(coach: Whetstone, drill_id: str, who: str) -> Item:
    """Make a draft case of anybody's finished drill and keep it in the library.

    Raises NoSuchDrill, and CurationError when it is not over and scored, too short, or a case already.
    """
    session = coach.sessions.load(None, drill_id)
    if session.scorecard is None:
        raise CurationError("the drill is not scored yet")
    item = case_of(session.drill, drill_id, session.scorecard)
    library = coach.build_library()
    if library.index.versions([item.id]):
        # What a trainer has made of it meanwhile must not be lost.
        raise CurationError(f"the drill is in the library already, as {item.id}")
    library.put([item], who, f"from drill {drill_id}", propose=False)
    return item


def case_of(drill: Drill, drill_id: str, card: Scorecard) -> Item:
    """A draft case from a finished drill, with personal data masked for good; the trainer edits it and publishes.

    The words are those of the drill; the turning point is the turn that won most trust, or lost most where none won
    any; what the learner showed is the scorecard's.

    Raises CurationError when the drill is not over or too short to show anything.
    """
    book = drill.playbook
    if drill.outcome is None:
        raise CurationError("the drill is not over yet")
    if len(drill.exchanges) < 4:
        raise CurationError("a drill of fewer than 4 turns shows too little for a case")
    shown = {v.check: v for c in card.criteria for v in c.verdicts if v.met and v.quote}
    learner, customer = "学员", book.persona.name
    lines = [f"**{customer}**：{_line(drill.opening)}"]
    for exchange in drill.exchanges:
        lines += [f"**{learner}**：{_line(exchange.learner)}", f"**{customer}**：{_line(exchange.spoken.text)}"]
    last_question = (
        f"没有做到“{card.missed[0].title}”，差在哪里？" if card.missed else "换一位脾气更急的客户，哪些话要改？"
    )
    trust = [book.persona.trust, *(exchange.state.trust for exchange in drill.exchanges)]
    won = [after - before for before, after in pairwise(trust)]
    best = won.index(max(won) if max(won) > 0 else min(won))
    turn = drill.exchanges[best]
    body = "\n\n".join(
        (
            "> 本案例整理自一次练习，客户为模拟人物；姓名与联系方式已隐去。",
            f"## 情境\n{book.scenario.summary}",
            f"## 人物\n- {learner}：参加练习的同事。\n- {customer}：{_line(book.persona.describe)}",
            "## 现场对话\n" + "\n\n".join(lines),
            f"## 转折点\n第 {best + 1} 轮，{learner}说：“{_line(turn.learner)}”"
            f"客户的信任由 {trust[best]} 变为 {trust[best + 1]}。",
            f"## 结果\n{drill.outcome.title}。得分 {card.percent}%，{'通过' if card.passed else '未通过'}"
            f"（及格线 {card.pass_mark:g}%）。",
            "## 为什么\n"
            + (
                "\n".join(f"- {book.checks[name].title}：“{_line(v.quote)}”" for name, v in shown.items())
                or "该做的行为一项也没有做到。"
            ),
            "## 对照的行为\n"
            + "\n".join(
                [f"- 做到：{book.checks[name].title}" for name in list(shown)[:_QUOTED]]
                + [f"- 没有做到：{missed.title}" for missed in card.missed[:3]]
            ),
            "## 讨论\n"
            f"1. 如果第 {best + 1} 轮换一种说法，客户会怎样反应？\n"
            f"2. 这场对话里，哪一轮可以更早一步？\n"
            f"3. {last_question}",
        )
    )
    counted = Counter(book.checks[name].skill for name in shown)
    return Item(
        id=f"case-{book.scenario.role}-drill-{drill_id[:12]}",
        kind="case",
        title=f"练习实录：{book.scenario.title}",
        role=book.scenario.role,
        industry=book.scenario.industry,
        tier=book.scenario.tier,
        skills=tuple(skill for skill, _ in counted.most_common(4) if skill in skills()),
        checks=tuple(list(shown)[:_QUOTED]),
        source="练习整理，待审",
        body=_masked(body),
        proposed=("skills",),
        status="draft",
    )


def _masked(text: str) -> str:
    """`text` with its personal data masked for good, and a name that is known as one wherever it stands."""
    hidden = redact.mask(text)
    found = hidden.text
    for placeholder, original in sorted(hidden.originals.items(), key=lambda pair: -len(pair[1])):
        if len(original) > 1:
            found = found.replace(original, placeholder)
    return found


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
