"""Scenario: what a drill is about, as authored in the library.

Texts may hold `<<name>>`, `<<surname>>`, `<<ta>>` (he or she), `<<sir>>` (Mr or Ms) of whoever plays the customer, and
`<<figure>>` for a figure of the scenario; they are filled in when the drill is cast.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat, model_validator

from coach.drill.figures import Draw, Formula, compute
from coach.drill.persona import Mood, Seat, Worry
from coach.scoring.check import Id, Model, Regex, Text

EndingKind = Literal["won", "deferred", "walked_away", "escalated"]
Lines = list[Text] | dict[Mood, list[Text]]
"""Authored lines: one list for all moods, or a list a mood."""


class When(Model):
    """A condition on the state of a drill; all that is given must hold.

    Attributes:
        does: at least one of these checks was shown in this very turn.
        slips: a number of one of these checks was stated wrongly in this very turn.
        any, all: at least one, or all, of these checks were shown so far, this turn included.
        facts: all these facts have been revealed. settled: all these objections have been settled.
        all_settled: no objection is open, and every objection marked `must` has been raised and settled.
        trust_min, trust_max, patience_max: bounds of mood, 0 to 100.
        turn_min: number of the learner's turn, from 1.
    """

    does: list[Id] = []
    slips: list[Id] = []
    any: list[Id] = []
    all: list[Id] = []
    facts: list[Id] = []
    settled: list[Id] = []
    all_settled: bool = False
    trust_min: int | None = None
    trust_max: int | None = None
    patience_max: int | None = None
    turn_min: int | None = None

    def check_ids(self) -> set[str]:
        return {*self.does, *self.slips, *self.any, *self.all}


class Fact(Model):
    """Something the customer knows and does not say until the right question brings it out.

    Attributes:
        keys: patterns that the line revealing it must match, all of them, to carry it.
        secrets: patterns that no line may match before the reveal; `keys` where not given.
        again: said when the same question comes a second time.
    """

    id: Id
    title: Text
    when: When
    keys: list[Regex] = Field(min_length=1)
    secrets: list[Regex] = []
    lines: Lines
    again: list[Text] = []

    def secret_patterns(self) -> list[str]:
        return self.secrets or self.keys


class Objection(Model):
    """A doubt that stands between the customer and a yes.

    Attributes:
        must: the drill cannot be won before this one has been raised and settled. One that is no must comes up only
            with a persona who has its `worry`, or at a high level.
        keys: patterns a line raising or pressing it must match, at least one.
        raise_lines, press, settle: said when it comes up, when it is still open, when it is settled.
    """

    id: Id
    title: Text
    raised: When
    settled: When
    must: bool = True
    worry: Worry | None = None
    keys: list[Regex] = Field(min_length=1)
    raise_lines: Lines
    press: Lines
    settle: Lines


class Reaction(Model):
    """What a check does to the customer's mood when it is shown, and what the customer says to it.

    Attributes:
        slip: the reaction is to stating the check's number wrongly, instead of to showing the check.
    """

    check: Id
    slip: bool = False
    trust: int = Field(default=0, ge=-60, le=60)
    patience: int = Field(default=0, ge=-60, le=60)
    lines: Lines = []


class Ending(Model):
    """A way the conversation can end; the first whose condition holds is taken.

    Attributes:
        when: None means only when the turns are used up.
        keys: patterns the closing line must match, at least one.
    """

    id: Id
    kind: EndingKind
    title: Text
    title_en: Text
    when: When | None = None
    keys: list[Regex] = Field(min_length=1)
    lines: Lines


class FactSheetEntry(Model):
    """What the learner is told and may tell the customer."""

    title: Text
    text: Text


class Term(Model):
    """Something the learner may state rightly or wrongly: a price, a period, a share.

    Attributes:
        near: what a sentence must speak of for a number in it to be a claim about the term.
        right: the values that are true, as numbers or names of figures; none where only the learner's word is held.
        known: the customer has it on paper, and says so when it is stated otherwise.
        truth: the term in words, quoted against a wrong statement.
    """

    id: Id
    title: Text
    near: Regex
    unit: Literal["count", "percent", "yuan", "day", "ratio"]
    right: list[FiniteFloat | str] = []
    known: bool = False
    truth: Text


class ScriptStep(Model):
    """One step of a standard script.

    Attributes:
        customer: what the customer says before it. say: the standard words.
        keys: patterns of the phrases that must be there, in this order.
    """

    title: Text
    customer: Text
    say: Text
    keys: list[Regex] = Field(min_length=1)


class Casting(Model):
    """Who can play the customer of a scenario.

    Attributes:
        age, temper, talkativeness: lowest and highest that fit.
    """

    kinds: list[Seat] = Field(min_length=1)
    age: tuple[int, int] = (16, 95)
    temper: tuple[int, int] = (1, 5)
    talkativeness: tuple[int, int] = (1, 5)
    gender: Literal["female", "male"] | None = None


class Chapter(Model):
    """A part of a story told from several chairs; `number` from 1."""

    story: Id
    number: int = Field(ge=1, le=9)


class Scenario(Model):
    """One conversation worth practising.

    Attributes:
        persona: who plays the customer unless somebody else of the `cast` is asked for.
        seat: what the customer is in this case, in place of the persona's own job.
        waives: checks of the rubric that this case gives no occasion for; they are left out of the score.
        stance: who the customer is and what they are in for, told to the voice; it gives no hidden fact away.
        opening: what the customer says first.
        figures: the numbers of the case; drawn ones differ from seed to seed, computed ones name their formula.
        script: the standard script of such a talk, practised word for word in strict mode.
        overrides: for this scenario, what could have been said for a check, in place of the check's own example.
    """

    id: Id
    role: Literal["sales", "support", "operations"]
    tier: Literal["junior", "middle", "senior"]
    industry: Text
    title: Text
    title_en: Text
    summary: Text
    summary_en: Text
    persona: Id
    cast: Casting | None = None
    seat: str = ""
    chapter: Chapter | None = None
    rubric: Id
    waives: list[Id] = []
    max_turns: int = Field(ge=4, le=40)
    minutes: int = Field(ge=1, le=60)
    briefing: Text
    stance: Text
    objectives: list[Text] = Field(min_length=1)
    fact_sheet: list[FactSheetEntry] = Field(min_length=1)
    figures: dict[str, FiniteFloat | Draw | Formula] = {}
    terms: list[Term] = []
    opening: list[Text] = Field(min_length=2)
    facts: list[Fact] = Field(min_length=3)
    objections: list[Objection] = Field(min_length=1)
    reactions: list[Reaction] = []
    endings: list[Ending] = Field(min_length=2)
    overrides: dict[Id, Text] = {}
    script: list[ScriptStep] = []

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        facts = {f.id for f in self.facts}
        objections = {o.id for o in self.objections}
        conditions = [f.when for f in self.facts]
        conditions += [c for o in self.objections for c in (o.raised, o.settled)]
        conditions += [e.when for e in self.endings if e.when]
        for when in conditions:
            if unknown := sorted({*when.facts} - facts | {*when.settled} - objections):
                raise ValueError(f"a condition names what the scenario does not have: {', '.join(unknown)}")
        if all(e.when is not None for e in self.endings):
            raise ValueError("one ending must have no condition: it is taken when the turns are used up")
        if any(e.kind == "won" and e.when is None for e in self.endings):
            raise ValueError("running out of turns cannot be won")
        names = [*(f.id for f in self.facts), *(o.id for o in self.objections), *(e.id for e in self.endings)]
        if len(set(names)) != len(names):
            raise ValueError("facts, objections and endings must have ids of their own")
        values = compute(self.figures)
        for term in self.terms:
            if unknown := sorted({v for v in term.right if isinstance(v, str)} - set(values)):
                raise ValueError(f"term {term.id} names figures there are not: {', '.join(unknown)}")
        return self

    def check_ids(self) -> set[str]:
        """Every check a condition or reaction of the scenario speaks of."""
        ids = {r.check for r in self.reactions} | set(self.overrides)
        for when in [
            *(f.when for f in self.facts),
            *(w for o in self.objections for w in (o.raised, o.settled)),
            *(e.when for e in self.endings if e.when),
        ]:
            ids |= when.check_ids()
        return ids
