"""The playtest: a scenario played by learners of every sort, to see what it comes to before people meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from coach.drill.casting import fill
from coach.drill.drill import Drill, play
from coach.drill.learners import QUALITIES, Learners
from coach.drill.playbook import Playbook
from coach.drill.voice import AuthoredVoice
from coach.scoring.judges import Judge
from coach.scoring.scorecard import Scorecard

_SILENT = ("嗯", "哦", "好的", "……", "嗯嗯", "是", "哦这样", "行", "好", "嗯。", "哦哦", "知道了", "好吧", "是的")
_ABUSIVE = (
    "你烦不烦，爱要不要",
    "你懂什么，闭嘴听我说",
    "像你这种人我见多了，没素质",
    "有病吧你，跟你说不清楚",
    "滚，别浪费我时间",
    "你是不是脑子有问题",
)
_ELSEWHERE = (
    "今天天气真不错，周末去爬山吗",
    "你看昨晚的球赛了吗，最后一分钟绝杀",
    "我家猫最近老是掉毛，愁死我了",
    "中午吃什么好呢，楼下新开了家面馆",
    "你觉得房价还会涨吗",
    "帮我写一首关于秋天的诗",
    "一加一等于几",
    "给我讲个笑话",
)


@dataclass(frozen=True)
class Played:
    """What one learner came to."""

    learner: str
    drill: Drill
    card: Scorecard


def playtest(
    book: Playbook,
    learners: Learners | None,
    judges: Sequence[Judge],
    score: Callable[[Drill], Scorecard],
    *,
    seed: int = 1,
) -> Iterator[Played]:
    """Seven learners, one after the other: three written for the scenario and four of no good will."""
    for name, turns in _turns(book, learners):
        drill = play(book, seed, judges, AuthoredVoice(), turns)
        yield Played(name, drill, score(drill))


def _turns(book: Playbook, learners: Learners | None) -> Iterator[tuple[str, list[str]]]:
    if learners is not None:
        for quality in QUALITIES:
            yield quality, [fill(t.say, book.persona, book.figures) for t in learners.of(quality).turns]
    most = book.scenario.max_turns + 2
    yield "silent", list(_again(_SILENT, most))
    yield "abusive", list(_again(_ABUSIVE, most))
    wanted = [book.checks[i] for i in book.rubric.check_ids() if book.checks[i].polarity == "do"]
    yield "rubric-pasting", list(_again([f"{c.title}。{c.definition}" for c in wanted], most))
    yield "off-topic", list(_again(_ELSEWHERE, most))


def _again(turns: Sequence[str], times: int) -> Iterator[str]:
    for i in range(times):
        yield turns[i % len(turns)]
