"""The director: pure code that decides what the customer does next.

A drill is a fold: `state = fold(playbook, seed, observations)`. The director never reads the learner's words; it is
told which checks they showed, what they stated and how they put it. It never writes words either; it picks an
authored line, which a voice may rephrase.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from coach.drill.persona import Mood
from coach.drill.playbook import Playbook
from coach.drill.scenario import Ending, Fact, Lines, Objection, When
from coach.drill.terms import Stated

ActKind = Literal[
    "open",
    "line",
    "reveal",
    "recall",
    "object",
    "press",
    "settle",
    "warm",
    "chill",
    "shrug",
    "wait",
    "silent",
    "ask_back",
    "echo",
    "contradict",
    "misstate",
    "interrupt",
    "pushed",
    "deflect",
    "end",
]
OUT_OF_ROLE = "steps-out-of-role"
"""The check whose showing makes the customer deflect instead of answer."""
MISSTATES = "misstates-terms"
"""The check of stating something otherwise than the fact sheet."""
ALWAYS = (OUT_OF_ROLE, MISSTATES)
"""Checks that are part of every playbook."""

_MOODS: tuple[Mood, ...] = ("cold", "neutral", "warm")
_MOST_TRUST_A_TURN = 18
_MOST_REVEALS_A_TURN = 2
_MOST_OPEN_OBJECTIONS = 2
_AVOIDED = (-12, -10)
_SHOWN = (3, 4)
_OUT_OF_ROLE = (-4, -14)
_CONTRADICTED = (-8, -6)
_PUSHED = (-4, -4)
_TALKED_AT = -5
"""Patience lost on a turn that is too long to listen to."""
_GRACE = 2
"""Turns beyond the last that a customer stays for, while the learner is getting somewhere."""
_TIC_PERCENT = {1: 0, 2: 8, 3: 16, 4: 24, 5: 32}
_CALLS_PERCENT = 20
_SPOKEN_TO = "嗯哎喂哟行好对哦唉停啊呵哼那"
_PLEASANTRIES: frozenset[ActKind] = frozenset({"reveal", "object", "press", "settle", "warm", "chill", "recall"})
"""Acts whose lines belong to the case, and take on the persona's turns of speech."""


@dataclass(frozen=True)
class Observation:
    """What understanding made of one learner turn.

    Attributes:
        met: checks the turn showed. slips: number checks the turn tried and got wrong.
        question: the turn asks something.
        stated: terms of the case the turn states, rightly or wrongly.
        vague: words that promise nothing in particular. named: a time or number put forward. Both verbatim, or empty.
        caller: what the learner has given as their name. length: characters of the turn.
    """

    met: frozenset[str] = frozenset()
    slips: frozenset[str] = frozenset()
    question: bool = False
    stated: tuple[Stated, ...] = ()
    vague: str = ""
    named: str = ""
    caller: str = ""
    length: int = 0


@dataclass(frozen=True)
class Act:
    """One thing the customer does, with the authored line that does it.

    Attributes:
        of: id of the fact, objection, ending, term or check it is about; empty for acts about none.
        words: the learner's words the line takes up, if any.
    """

    kind: ActKind
    of: str
    line: str
    mood: Mood
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """Where a drill stands after `turn` learner turns; trust and patience run from 0 to 100.

    Attributes:
        stated: terms as the learner last stated them: (term, words, value). pushes: how often they pressed in vain.
        named: the last time or number they promised. caller: their name, as far as the customer knows it.
    """

    turn: int
    trust: int
    patience: int
    revealed: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    stated: tuple[tuple[str, str, float], ...] = ()
    pushes: int = 0
    named: str = ""
    caller: str = ""
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
    picker = _Picker(playbook, seed, state)
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
    seen = _noticed(playbook, seen)
    broken = _broken_word(before, seen)
    pushed = _pushed(playbook, before, seen)
    long = seen.length > _longest_heard(playbook)
    state = _feel(playbook, state, seen, broken=broken is not None, pushed=pushed, long=long)

    offended = broken is not None or any(_avoid(playbook, c) for c in seen.met)
    # A doubt goes, and a secret comes out, only in answer to something good.
    open_to = not offended and any(not _avoid(playbook, c) for c in seen.met)
    reveal = _revealing(playbook, state, seen) if open_to else []
    settle = _settling(playbook, state, seen) if open_to else []
    state = replace(
        state,
        revealed=(*state.revealed, *(f.id for f in reveal)),
        raised=(*state.raised, *(o.id for o in settle if o.id not in state.raised)),
        settled=(*state.settled, *(o.id for o in settle)),
    )
    progress = bool(reveal or settle) or _progress(playbook, before, seen)
    if not (offended or progress):
        state = replace(state, patience=max(0, state.patience - playbook.persona.impatience))

    picker = _Picker(playbook, seed, state)
    acts = _answer(playbook, before, seen, reveal, settle, picker, broken=broken, pushed=pushed)
    ending = _ending(playbook, state, seen, offended=offended, progress=progress)
    if ending is not None:
        led_here = ending.when.does if ending.when else []
        said = [a for a in acts if a.kind in _SAID_BEFORE_THE_END and a.of not in led_here]
        closing = picker.act("end", ending.id, ending.lines) or picker.wait()
        acts = [*said, closing]
        if ending.kind in ("won", "deferred") and state.named:
            acts += [a for a in [picker.act("echo", "", playbook.persona.echo, words=(state.named,))] if a]
        state = replace(state, ending=ending.id)
    else:
        raising = _raising(playbook, state, seen) if len(acts) < 2 and OUT_OF_ROLE not in seen.met else None
        if raising is not None:
            state = replace(state, raised=(*state.raised, raising.id))
            acts += [a for a in [picker.act("object", raising.id, raising.raise_lines)] if a]
        elif not acts:
            acts = [_drive(playbook, state, seen, picker)]
        if long and (cut_in := picker.act("interrupt", "", playbook.persona.interrupt)):
            acts = [cut_in, *acts]
    return replace(state, used=picker.used), tuple(acts)


_SAID_BEFORE_THE_END: frozenset[ActKind] = frozenset({"settle", "chill", "reveal", "contradict", "misstate"})


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


def _noticed(playbook: Playbook, seen: Observation) -> Observation:
    """What the customer can know of the turn: a wrong term goes unnoticed unless they have it on paper."""
    if MISSTATES not in seen.met:
        return seen
    known = {t.id for t in playbook.scenario.terms if t.known}
    if any(not s.right and s.term in known for s in seen.stated):
        return seen
    return replace(seen, met=seen.met - {MISSTATES})


def _broken_word(before: State, seen: Observation) -> tuple[Stated, str] | None:
    """A term stated otherwise than earlier in the drill, and the words it was stated in then."""
    then = {term: (words, value) for term, words, value in before.stated}
    for now in seen.stated:
        if now.term in then and abs(then[now.term][1] - now.value) > 1e-9:
            return now, then[now.term][0]
    return None


def _pushed(playbook: Playbook, before: State, seen: Observation) -> bool:
    """Pressing for a decision again while a doubt is still open."""
    pressing = {c for c in seen.met & before.done if playbook.checks[c].skill == _CLOSING and not _avoid(playbook, c)}
    return bool(pressing) and bool(before.open_objections) and not _progress(playbook, before, seen)


_CLOSING = "closing"


def _longest_heard(playbook: Playbook) -> int:
    """Characters somebody listens to at a stretch: about 190 for the impatient, 240 for the patient."""
    return 120 + round(1.5 * playbook.persona.patience)


def _feel(playbook: Playbook, state: State, seen: Observation, *, broken: bool, pushed: bool, long: bool) -> State:
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
    pushes = state.pushes + pushed
    if broken:
        trust, patience = trust + _CONTRADICTED[0], patience + _CONTRADICTED[1]
    if pushed:
        trust, patience = trust + _PUSHED[0] * pushes, patience + _PUSHED[1] * pushes
    if long:
        patience += _TALKED_AT
    trust = min(trust, _MOST_TRUST_A_TURN)
    words = {term: (said, value) for term, said, value in state.stated}
    words |= {s.term: (s.words, s.value) for s in seen.stated}
    return replace(
        state,
        trust=min(100, max(0, state.trust + trust)),
        patience=min(100, max(0, state.patience + patience)),
        done=state.done | seen.met,
        stated=tuple((term, said, value) for term, (said, value) in words.items()),
        pushes=pushes,
        named=seen.named or state.named,
        caller=seen.caller or state.caller,
    )


def _avoid(playbook: Playbook, check: str) -> bool:
    return check in playbook.checks and playbook.checks[check].polarity == "avoid"


def _progress(playbook: Playbook, before: State, seen: Observation) -> bool:
    return any(c not in before.done and not _avoid(playbook, c) for c in seen.met)


def _revealing(playbook: Playbook, state: State, seen: Observation) -> list[Fact]:
    earned = [f for f in playbook.scenario.facts if f.id not in state.revealed and holds(f.when, state, seen, playbook)]
    return earned[:_MOST_REVEALS_A_TURN]


def _settling(playbook: Playbook, state: State, seen: Observation) -> list[Objection]:
    """At most one a turn: people let go of one doubt at a time, and to something said to it in this very turn.

    What was said before a doubt came up does not settle it: it has to be said again, as in life.
    """
    for objection in playbook.scenario.objections:
        up = objection.id in state.raised or holds(objection.raised, state, seen, playbook)
        spoken_to = not objection.settled.check_ids() or bool(seen.met & objection.settled.check_ids())
        if objection.id not in state.settled and up and spoken_to and holds(objection.settled, state, seen, playbook):
            return [objection]
    return []


def _raising(playbook: Playbook, state: State, seen: Observation) -> Objection | None:
    if len(state.open_objections) >= _MOST_OPEN_OBJECTIONS:
        return None
    for objection in playbook.scenario.objections:
        if objection.id not in state.raised and holds(objection.raised, state, seen, playbook):
            return objection
    return None


def _ending(playbook: Playbook, state: State, seen: Observation, *, offended: bool, progress: bool) -> Ending | None:
    """How it ends now, if it does. Nobody leaves, and time does not run out, just when they are getting somewhere."""
    for ending in playbook.scenario.endings:
        if ending.when is None or not holds(ending.when, state, seen, playbook):
            continue
        if ending.kind == "won" and not _nothing_stands_between(playbook, state):
            continue
        if ending.kind == "walked_away" and progress and not offended:
            continue
        return ending
    most = playbook.scenario.max_turns + (_GRACE if progress else 0)
    if state.turn >= most:
        return next(e for e in playbook.scenario.endings if e.when is None)
    return None


def _answer(
    playbook: Playbook,
    before: State,
    seen: Observation,
    reveal: Sequence[Fact],
    settle: Sequence[Objection],
    picker: _Picker,
    *,
    broken: tuple[Stated, str] | None,
    pushed: bool,
) -> list[Act]:
    """What the customer says to what the learner did; empty when it was nothing to speak of."""
    persona = playbook.persona
    if OUT_OF_ROLE in seen.met:
        return [picker.act("deflect", OUT_OF_ROLE, persona.deflect) or picker.wait()]
    acts: list[Act | None] = []
    bad = sorted(c for c in seen.met if _avoid(playbook, c))
    if broken is not None:
        now, then = broken
        acts.append(picker.act("contradict", now.term, persona.contradict, words=(then, now.words)))
    elif MISSTATES in bad:
        known = {t.id for t in playbook.scenario.terms if t.known}
        wrong = next(s for s in seen.stated if not s.right and s.term in known)
        acts.append(picker.act("misstate", wrong.term, persona.misstate, words=(wrong.words,)))
    if bad and not any(acts):
        acts.append(_react(playbook, "chill", bad, slip=False, picker=picker))
    elif seen.slips and not any(acts):
        acts.append(_react(playbook, "chill", sorted(seen.slips), slip=True, picker=picker))
    acts += [picker.act("settle", o.id, o.settle) for o in settle]
    acts += [picker.act("reveal", f.id, f.lines) for f in reveal]
    spoken = [a for a in acts if a is not None]
    if spoken:
        return spoken
    asked_again = [f for f in playbook.scenario.facts if f.id in before.revealed and seen.met & set(f.when.does)]
    fresh = sorted(c for c in seen.met if c not in before.done)
    act: Act | None = None
    if fresh:
        act = _react(playbook, "warm", fresh, slip=False, picker=picker, named=seen.named)
    elif asked_again:
        act = picker.act("recall", asked_again[0].id, asked_again[0].again)
    elif pushed:
        act = picker.act("pushed", "", persona.pushed)
    elif seen.vague:
        act = picker.act("ask_back", "", persona.ask_back, words=(seen.vague,))
    return [act] if act else []


def _react(
    playbook: Playbook,
    kind: Literal["warm", "chill"],
    checks: Sequence[str],
    *,
    slip: bool,
    picker: _Picker,
    named: str = "",
) -> Act | None:
    """The reaction to the check that moves the customer most; the persona's words where the scenario has none.

    Args:
        named: a time or number of the learner's that the persona may take up instead.
    """
    authored = [r for r in playbook.scenario.reactions if r.check in checks and r.slip == slip and r.lines]
    authored.sort(key=lambda r: (-abs(r.trust) - abs(r.patience), r.check))
    for reaction in authored:
        if act := picker.act(kind, reaction.check, reaction.lines):
            return act
    if named and (act := picker.act("echo", checks[0], playbook.persona.echo, words=(named,))):
        return act
    generic = playbook.persona.chill if kind == "chill" else playbook.persona.warm
    return picker.act(kind, checks[0], generic)


def _drive(playbook: Playbook, state: State, seen: Observation, picker: _Picker) -> Act:
    """Nothing to answer: press an open doubt, say nothing, or wait for the learner to get somewhere."""
    persona = playbook.persona
    quiet = persona.talkativeness <= 2 or state.mood == "cold"
    if quiet and picker.draw("silent", "") % 4 == 0 and (act := picker.act("silent", "", persona.silent)):
        return act
    for objection in playbook.scenario.objections:
        if objection.id in state.open_objections and (act := picker.act("press", objection.id, objection.press)):
            return act
    if seen.question and (act := picker.act("shrug", "", persona.shrug)):
        return act
    return picker.wait()


class _Picker:
    """Picks lines by seed and turn, never one that this drill has used."""

    def __init__(self, playbook: Playbook, seed: int, state: State) -> None:
        self._playbook, self._seed, self._turn, self._mood = playbook, seed, state.turn, state.mood
        self._caller = state.caller
        self.used = state.used

    def draw(self, kind: ActKind, of: str) -> int:
        """A number that depends on seed, turn and act alone."""
        digest = hashlib.sha256(f"{self._seed}/{self._turn}/{kind}/{of}".encode()).digest()
        return int.from_bytes(digest[:4], "big")

    def act(self, kind: ActKind, of: str, lines: Lines, *, words: tuple[str, ...] = ()) -> Act | None:
        """An act with an unused line that fits the mood; None when there is none left.

        Args:
            words: the learner's words the line takes up: what is quoted or named, or what was said then and now.
        """
        groups: list[list[str]]
        if isinstance(lines, dict):
            order = sorted(_MOODS, key=lambda m: abs(_MOODS.index(m) - _MOODS.index(self._mood)))
            groups = [lines.get(m, []) for m in order]
        else:
            groups = [list(lines)]
        for group in groups:
            unused = [line for line in group if line not in self.used]
            if unused:
                drawn = self.draw(kind, of)
                line = unused[drawn % len(unused)]
                self.used = self.used | {line}
                said = self._in_character(line, drawn) if kind in _PLEASANTRIES else line
                return Act(kind, of, _put(said, words), self._mood, words)
        return None

    def _in_character(self, line: str, drawn: int) -> str:
        """The line with one of the persona's turns of speech, by chance."""
        tics = self._playbook.persona.tics
        chance, which = drawn // 101 % 100, drawn // 10_007
        if line[0] in _SPOKEN_TO or chance >= _TIC_PERCENT[self._playbook.persona.talkativeness]:
            return line
        if self._caller and which % 100 < _CALLS_PERCENT:
            return f"{self._caller}，{line}"
        if tics.tail and which % 3 == 0 and line[-1] in "。！":
            return line + tics.tail[which % len(tics.tail)]
        return tics.start[which % len(tics.start)] + line if tics.start else line

    def wait(self) -> Act:
        act = self.act("wait", "", dict(self._playbook.persona.wait))
        # A drill is validated to have fewer turns than its persona has waiting lines.
        return act or Act("silent", "", "……", self._mood)


def _put(line: str, words: tuple[str, ...]) -> str:
    """The learner's words put where the line takes them up; one pair of quotation marks is enough."""
    if not words:
        return line
    for place, word in (("{words}", words[0]), ("{then}", words[0]), ("{now}", words[-1])):
        line = line.replace(place, word)
    return line
