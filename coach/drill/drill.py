"""A drill as a value: what was said, what it was understood as, and where that leaves the customer.

Nothing here touches the world. A drill can be replayed, cut at any turn and continued, or built from a bare list of
messages; the result is the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from coach.drill import safety, strict
from coach.drill.director import Act, DrillOver, State, open_drill, step
from coach.drill.playbook import Playbook
from coach.drill.scenario import Ending
from coach.drill.turned import Turned
from coach.drill.understanding import observation, understand
from coach.drill.voice import AUTHORED, Spoken, Voice, brief_for, rules_for
from coach.scoring.judges import Judge
from coach.scoring.verdict import Verdict

Speaker = Literal["learner", "customer"]
Said = tuple[Speaker, str]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Exchange:
    """One learner turn, what it showed, and the customer's answer.

    Attributes:
        state: the state after the turn.
    """

    learner: str
    verdicts: dict[str, Verdict]
    acts: tuple[Act, ...]
    spoken: Spoken
    state: State


@dataclass(frozen=True)
class Drill:
    playbook: Playbook
    seed: int
    exchanges: tuple[Exchange, ...] = ()

    @functools.cached_property
    def opening(self) -> str:
        if self.playbook.strict:
            return strict.open_script(self.playbook.scenario).line
        return "".join(act.line for act in open_drill(self.playbook, self.seed)[1])

    @property
    def state(self) -> State:
        return self.exchanges[-1].state if self.exchanges else self.begun

    @functools.cached_property
    def begun(self) -> State:
        """The state before the first learner turn."""
        return open_drill(self.playbook, self.seed)[0]

    def before(self, turn: int) -> State:
        """The state before a learner turn, counted from 1."""
        return self.exchanges[turn - 2].state if turn > 1 else self.begun

    @property
    def ending(self) -> str | None:
        return self.state.ending

    @property
    def outcome(self) -> Ending | None:
        """The ending as authored, once there is one."""
        return next((e for e in self.playbook.scenario.endings if e.id == self.ending), None)

    def said(self) -> list[Said]:
        """The whole conversation, in order."""
        talk: list[Said] = [("customer", self.opening)]
        for exchange in self.exchanges:
            talk += [("learner", exchange.learner), ("customer", exchange.spoken.text)]
        return talk

    def cut(self, turns: int) -> Drill:
        """The drill as it stood after `turns` learner turns."""
        return replace(self, exchanges=self.exchanges[:turns])


def hear(drill: Drill, judges: Sequence[Judge], text: str) -> Turned:
    """Understand a learner turn and let the director decide.

    Raises:
        DrillOver: the drill has ended.
    """
    if drill.ending is not None:
        raise DrillOver(f"the drill ended with {drill.ending!r}")
    if safety.speaks_of_self_harm(text):
        return Turned(text, {}, (), drill.state, safety.ANSWER)
    if drill.playbook.strict:
        return strict.hear(drill.playbook, drill.state, text, len(drill.exchanges) + 1)
    heard = [line for speaker, line in drill.said() if speaker == "customer"]
    verdicts = understand(drill.playbook, judges, text, turn=len(drill.exchanges) + 1, heard=heard)
    state, acts = step(drill.playbook, drill.seed, drill.state, observation(drill.playbook, text, verdicts))
    return Turned(text, verdicts, acts, state)


def answer(drill: Drill, turned: Turned, voice: Voice) -> Generator[str, None, Drill]:
    """Yield the customer's answer in pieces; returns the drill one exchange longer."""
    if turned.care:
        yield turned.care
        said = Exchange(turned.learner, {}, (), Spoken(turned.care, "care"), turned.state)
        return replace(drill, exchanges=(*drill.exchanges, said))
    talk: list[Said] = [*drill.said(), ("learner", turned.learner)]
    brief = brief_for(drill.playbook, turned.acts, turned.state, talk)
    rules = rules_for(drill.playbook, turned.acts, turned.state, talk)
    spoken = yield from (AUTHORED if drill.playbook.strict else voice).say(brief, rules)
    exchange = Exchange(turned.learner, turned.verdicts, turned.acts, spoken, turned.state)
    return replace(drill, exchanges=(*drill.exchanges, exchange))


def play(playbook: Playbook, seed: int, judges: Sequence[Judge], voice: Voice, turns: Iterable[str]) -> Drill:
    """A whole drill from the learner's turns; those after the ending are not heard."""
    drill = Drill(playbook, seed)
    for text in turns:
        if drill.ending is not None:
            break
        drill = finish(answer(drill, hear(drill, judges, text), voice))
    return drill


def finish(speaking: Generator[str, None, Result], heard: Callable[[str], object] = lambda _: None) -> Result:
    """Run an answer to its end, give each piece to `heard`, and return what it leads to."""
    while True:
        try:
            heard(next(speaking))
        except StopIteration as stop:
            result: Result = stop.value
            return result
