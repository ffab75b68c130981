"""The director: pure code that decides what the customer does next.

A drill is a fold: `state = fold(playbook, seed, observations)`. The director never reads the learner's words; it is
told which checks they showed. It never writes words either; it picks an authored line, which a voice may rephrase.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from coach.drill.playbook import Playbook
from coach.drill.scenario import Ending, Fact, Lines, Mood, Objection, When

ActKind = Literal[
    "open",
    "reveal",
    "recall",
    "object",
    "press",
    "settle",
    "warm",
    "chill",
    "shrug",
    "wait",
    "deflect",
    "end",
]
OUT_OF_ROLE = "steps-out-of-role"
"""The check whose showing makes the customer deflect instead of answer; part of every playbook."""

_MOODS: tuple[Mood, ...] = ("cold", "neutral", "warm")
_MOST_TRUST_A_TURN = 18
_MOST_REVEALS_A_TURN = 2
_MOST_OPEN_OBJECTIONS = 2
_AVOIDED = (-12, -10)
_SHOWN = (3, 4)
_OUT_OF_ROLE = (-4, -14)


@dataclass(frozen=True)
class Observation:
    """What understanding made of one learner turn.

    Attributes:
        met: checks the turn showed. slips: number checks the turn tried and got wrong.
        question: the turn asks something.
    """

    met: frozenset[str] = frozenset()
    slips: frozenset[str] = frozenset()
    question: bool = False


@dataclass(frozen=True)
class Act:
    """One thing the customer does, with the authored line that does it.

    Attributes:
        of: id of the fact, objection, ending or check it is about; empty for acts about none.
    """

    kind: ActKind
    of: str
    line: str
    mood: Mood


@dataclass(frozen=True)
class State:
    """Where a drill stands after `turn` learner turns; trust and patience run from 0 to 100."""

    turn: int
    trust: int
    patience: int
    revealed: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    ending: str | None = None

    @property
    def mood(self) -> Mood:
        if self.patience < 20 or self.trust < 35:
            return "cold"
        return "warm" if self.trust >= 65 else "neutral"

    @property
    def open_objections(self) -> tuple[str, ...]:
        return tuple(o for o in self.raised if o not in self.settled)


class DrillOver(ValueError):
    """The drill has ended; there is nothing more to say."""


def open_drill(playbook: Playbook, seed: int) -> tuple[State, tuple[Act, ...]]:
    """The state before the first learner turn, and what the customer says first."""
    state = State(turn=0, trust=playbook.persona.trust, patience=playbook.persona.patience)
    picker = _Picker(seed, state)
    act = picker.act("open", "", playbook.scenario.opening)
    assert act is not None
    return replace(state, used=picker.used), (act,)


def fold(playbook: Playbook, seed: int, observations: Iterable[Observation]) -> Iterator[tuple[State, tuple[Act, ...]]]:
    """States and acts of a whole drill, the opening first, one more for each observation."""
    state, acts = open_drill(playbook, seed)
    yield state, acts
    for observation in observations:
        state, acts = step(playbook, seed, state, observation)
        yield state, acts


def step(playbook: Playbook, seed: int, state: State, seen: Observation) -> tuple[State, tuple[Act, ...]]:
    """The state after one more learner turn and the customer's acts in answer to it: one to three.

    Raises:
        DrillOver: the drill had already ended.
    """
    if state.ending is not None:
        raise DrillOver(f"the drill ended with {state.ending!r}")
    before = state
    state = replace(state, turn=state.turn + 1)
    if OUT_OF_ROLE in seen.met:
        seen = Observation(met=frozenset({OUT_OF_ROLE}))
    state = _feel(playbook, state, seen)

    offended = any(_avoid(playbook, c) for c in seen.met)
    reveal = [] if offended else _revealing(playbook, state, seen)
    settle = [] if offended else _settling(playbook, state, seen)
    state = replace(
        state,
        revealed=(*state.revealed, *(f.id for f in reveal)),
        raised=(*state.raised, *(o.id for o in settle if o.id not in state.raised)),
        settled=(*state.settled, *(o.id for o in settle)),
    )
    if not (offended or reveal or settle or _progress(playbook, before, seen)):
        state = replace(state, patience=max(0, state.patience - playbook.persona.impatience))

    picker = _Picker(seed, state)
    acts = _answer(playbook, before, seen, reveal, settle, picker)
    ending = _ending(playbook, state, seen)
    if ending is not None:
        led_here = ending.when.does if ending.when else []
        said = [a for a in acts if a.kind in ("settle", "chill", "reveal") and a.of not in led_here]
        closing = picker.act("end", ending.id, ending.lines) or picker.wait(playbook)
        acts = [*said, closing]
        state = replace(state, ending=ending.id)
    else:
        raising = _raising(playbook, state, seen) if len(acts) < 2 and OUT_OF_ROLE not in seen.met else None
        if raising is not None:
            state = replace(state, raised=(*state.raised, raising.id))
            acts += [a for a in [picker.act("object", raising.id, raising.raise_lines)] if a]
        elif not acts:
            acts = [_drive(playbook, state, seen, picker)]
    return replace(state, used=picker.used), tuple(acts)


def holds(when: When, state: State, seen: Observation, playbook: Playbook) -> bool:
    """Whether a condition holds in `state`, reached by the turn `seen`."""
    done = state.done
    return (
        (not when.does or bool(seen.met & set(when.does)))
        and (not when.slips or bool(seen.slips & set(when.slips)))
        and (not when.any or bool(done & set(when.any)))
        and done >= set(when.all)
        and set(when.facts) <= set(state.revealed)
        and set(when.settled) <= set(state.settled)
        and (not when.all_settled or _nothing_stands_between(playbook, state))
        and (when.trust_min is None or state.trust >= when.trust_min)
        and (when.trust_max is None or state.trust <= when.trust_max)
        and (when.patience_max is None or state.patience <= when.patience_max)
        and (when.turn_min is None or state.turn >= when.turn_min)
    )


def _nothing_stands_between(playbook: Playbook, state: State) -> bool:
    must = {o.id for o in playbook.scenario.objections if o.must}
    return not state.open_objections and must <= set(state.settled)


def _feel(playbook: Playbook, state: State, seen: Observation) -> State:
    """Mood after the turn. Good is felt the first time only; bad every time."""
    shown = {r.check: (r.trust, r.patience) for r in playbook.scenario.reactions if not r.slip}
    slipped = {r.check: (r.trust, r.patience) for r in playbook.scenario.reactions if r.slip}
    trust = patience = 0
    for check in sorted(seen.met):
        default = _AVOIDED if _avoid(playbook, check) else _SHOWN
        if check == OUT_OF_ROLE:
            default = _OUT_OF_ROLE
        more_trust, more_patience = shown.get(check, default)
        if check in state.done:
            more_trust, more_patience = min(more_trust, 0), min(more_patience, 0)
        trust, patience = trust + more_trust, patience + more_patience
    for check in sorted(seen.slips):
        more_trust, more_patience = slipped.get(check, (-4, -4))
        trust, patience = trust + more_trust, patience + more_patience
    trust = min(trust, _MOST_TRUST_A_TURN)
    return replace(
        state,
        trust=min(100, max(0, state.trust + trust)),
        patience=min(100, max(0, state.patience + patience)),
        done=state.done | seen.met,
    )


def _avoid(playbook: Playbook, check: str) -> bool:
    return check in playbook.checks and playbook.checks[check].polarity == "avoid"


def _progress(playbook: Playbook, before: State, seen: Observation) -> bool:
    return any(c not in before.done and not _avoid(playbook, c) for c in seen.met)


def _revealing(playbook: Playbook, state: State, seen: Observation) -> list[Fact]:
    earned = [f for f in playbook.scenario.facts if f.id not in state.revealed and holds(f.when, state, seen, playbook)]
    return earned[:_MOST_REVEALS_A_TURN]


def _settling(playbook: Playbook, state: State, seen: Observation) -> list[Objection]:
    """At most one a turn: people let go of one doubt at a time. One that was met before it came up counts too."""
    for objection in playbook.scenario.objections:
        up = objection.id in state.raised or holds(objection.raised, state, seen, playbook)
        if objection.id not in state.settled and up and holds(objection.settled, state, seen, playbook):
            return [objection]
    return []


def _raising(playbook: Playbook, state: State, seen: Observation) -> Objection | None:
    if len(state.open_objections) >= _MOST_OPEN_OBJECTIONS:
        return None
    for objection in playbook.scenario.objections:
        if objection.id not in state.raised and holds(objection.raised, state, seen, playbook):
            return objection
    return None


def _ending(playbook: Playbook, state: State, seen: Observation) -> Ending | None:
    for ending in playbook.scenario.endings:
        if ending.when is None or not holds(ending.when, state, seen, playbook):
            continue
        if ending.kind == "won" and not _nothing_stands_between(playbook, state):
            continue
        return ending
    if state.turn >= playbook.scenario.max_turns:
        return next(e for e in playbook.scenario.endings if e.when is None)
    return None


def _answer(
    playbook: Playbook,
    before: State,
    seen: Observation,
    reveal: Sequence[Fact],
    settle: Sequence[Objection],
    picker: _Picker,
) -> list[Act]:
    """What the customer says to what the learner did; empty when it was nothing to speak of."""
    if OUT_OF_ROLE in seen.met:
        return [picker.act("deflect", OUT_OF_ROLE, playbook.persona.deflect) or picker.wait(playbook)]
    acts: list[Act | None] = []
    bad = sorted(c for c in seen.met if _avoid(playbook, c))
    if bad:
        acts.append(_react(playbook, "chill", bad, slip=False, picker=picker))
    elif seen.slips:
        acts.append(_react(playbook, "chill", sorted(seen.slips), slip=True, picker=picker))
    acts += [picker.act("settle", o.id, o.settle) for o in settle]
    acts += [picker.act("reveal", f.id, f.lines) for f in reveal]
    spoken = [a for a in acts if a is not None]
    if not spoken:
        asked_again = [f for f in playbook.scenario.facts if f.id in before.revealed and seen.met & set(f.when.does)]
        fresh = sorted(c for c in seen.met if c not in before.done)
        if fresh:
            act = _react(playbook, "warm", fresh, slip=False, picker=picker)
        elif asked_again:
            act = picker.act("recall", asked_again[0].id, asked_again[0].again)
        else:
            act = None
        spoken = [act] if act else []
    return spoken


def _react(
    playbook: Playbook, kind: Literal["warm", "chill"], checks: Sequence[str], *, slip: bool, picker: _Picker
) -> Act | None:
    """The reaction to the check that moves the customer most; the persona's words where the scenario has none."""
    authored = [r for r in playbook.scenario.reactions if r.check in checks and r.slip == slip and r.lines]
    authored.sort(key=lambda r: (-abs(r.trust) - abs(r.patience), r.check))
    for reaction in authored:
        if act := picker.act(kind, reaction.check, reaction.lines):
            return act
    generic = playbook.persona.chill if kind == "chill" else playbook.persona.warm
    return picker.act(kind, checks[0], generic)


def _drive(playbook: Playbook, state: State, seen: Observation, picker: _Picker) -> Act:
    """Nothing to answer: press an open doubt, or wait for the learner to get somewhere."""
    for objection in playbook.scenario.objections:
        if objection.id in state.open_objections and (act := picker.act("press", objection.id, objection.press)):
            return act
    if seen.question and (act := picker.act("shrug", "", playbook.persona.shrug)):
        return act
    return picker.wait(playbook)


class _Picker:
    """Picks lines by seed and turn, never one that this drill has used."""

    def __init__(self, seed: int, state: State) -> None:
        self._seed, self._turn, self._mood = seed, state.turn, state.mood
        self.used = state.used

    def act(self, kind: ActKind, of: str, lines: Lines) -> Act | None:
        """An act with an unused line that fits the mood; None when there is none left."""
        groups: list[list[str]]
        if isinstance(lines, dict):
            order = sorted(_MOODS, key=lambda m: abs(_MOODS.index(m) - _MOODS.index(self._mood)))
            groups = [lines.get(m, []) for m in order]
        else:
            groups = [list(lines)]
        for group in groups:
            unused = [line for line in group if line not in self.used]
            if unused:
                draw = hashlib.sha256(f"{self._seed}/{self._turn}/{kind}/{of}".encode()).digest()
                line = unused[int.from_bytes(draw[:4], "big") % len(unused)]
                self.used = self.used | {line}
                return Act(kind, of, line, self._mood)
        return None

    def wait(self, playbook: Playbook) -> Act:
        act = self.act("wait", "", playbook.persona.wait)
        assert act is not None, "the playbook was validated to hold more waiting lines than turns"
        return act
