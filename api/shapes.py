"""What the API takes and gives, as documented shapes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from coach.drill.casting import LEVELS, USUAL_LEVEL
from coach.drill.hints import Strength
from coach.drill.mode import ModeName
from coach.drill.session import LONGEST_TURN, Session
from coach.scoring.scorecard import Scorecard
from knowledge.item import Kind, Role, Tier


class ScenarioSummary(BaseModel):
    id: str
    role: str
    tier: str
    industry: str
    title: str
    title_en: str
    summary: str
    summary_en: str
    minutes: int
    max_turns: int


class FactSheetEntry(BaseModel):
    title: str
    text: str


class ScenarioDetail(ScenarioSummary):
    """What a learner may know before the drill; what the customer hides is not in it."""

    briefing: str
    objectives: list[str]
    fact_sheet: list[FactSheetEntry]
    customer: str


class StartDrill(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"scenario": "sales-bakery-price"}]})

    scenario: str = Field(max_length=64, description="id of the scenario")
    voice: Literal["builtin", "llm"] | None = Field(default=None, description="the server's default when left out")
    seed: int | None = Field(default=None, ge=0, lt=2**31, description="random when left out")
    mode: ModeName = "practice"
    persona: str | None = Field(default=None, max_length=64, description="who plays the customer; `any` draws one")
    level: int = Field(default=USUAL_LEVEL, ge=LEVELS[0], le=LEVELS[1], description="1 easy to 5 hard")


class PostTurn(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"number": 1, "text": "您说贵，是跟现在这套比，还是手上有别家的报价？"}]}
    )

    number: int = Field(ge=1, le=1000, description="of the learner's turn, from 1; posting it again repeats the answer")
    text: str = Field(description=f"what the learner says, {LONGEST_TURN} characters at most")


class Rewind(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"turns": 3}]})

    turns: int = Field(ge=0, le=1000, description="how many learner turns to keep")


class Spoken(BaseModel):
    """Which voice said it, and why it was not the one asked for, if so."""

    source: Literal["builtin", "llm", "care"]
    refused: list[str] = Field(description="why the guard refused what the model wrote")
    degraded: str = Field(description="why the model could not be used; empty when it could")


class Turn(BaseModel):
    number: int
    learner: str
    customer: str | None = Field(description="null while a turn waits for its answer: post it again")
    voice: Spoken | None
    mood: Literal["cold", "neutral", "warm"] | None


class Ending(BaseModel):
    id: str
    kind: str
    title: str
    title_en: str


class Drill(BaseModel):
    id: str
    scenario: str
    seed: int
    voice: str
    opening: str
    turns: list[Turn]
    next_number: int | None = Field(description="number of the turn to post next; null when the drill is over")
    over: bool
    ending: Ending | None
    parent: str | None
    parent_turns: int | None
    mode: ModeName
    level: int
    customer: str
    hints: int = Field(description="how many were asked for")
    paused: bool
    deadline: datetime | None = Field(description="of a timed drill; null for others")
    time_up: bool
    scorecard: Scorecard | None


class AskHint(BaseModel):
    model_config = ConfigDict(extra="forbid")

    strength: Strength = "direction"


class Reading(BaseModel):
    id: str
    title: str


class Hint(BaseModel):
    """Help with the behaviour that is due next; `check` is null when nothing is left to help with."""

    check: str | None
    strength: Strength
    because: str = Field(description="the customer's doubt it would settle, if any")
    text: str
    lessons: list[Reading]


class CastMember(BaseModel):
    """Somebody who can play the customer of a scenario."""

    id: str
    name: str
    age: int
    city: str
    describe: str


class Branch(BaseModel):
    """One of the branches of a conversation."""

    id: str
    parent: str | None
    parent_turns: int | None
    percent: int | None
    passed: bool | None


class WatchedTurn(BaseModel):
    learner: str
    customer: str
    note: str = Field(description="what a trainer says about it")
    shows: list[str] = Field(description="titles of the behaviours it shows")
    trust: int
    patience: int


class Watched(BaseModel):
    """A scenario as a learner of one quality played it."""

    quality: str
    opening: str
    turns: list[WatchedTurn]
    ending: str | None
    percent: int


class Concern(BaseModel):
    """A turn that a trainer should look at because of the person."""

    drill_id: str
    turn: int
    kind: str
    account: str
    created_at: datetime


class DrillSummary(BaseModel):
    id: str
    scenario: str
    created_at: datetime
    percent: int | None
    passed: bool | None


class AlsoIn(BaseModel):
    id: str
    title: str
    source: str


class SearchHit(BaseModel):
    id: str
    title: str
    kind: Kind
    role: Role
    score: float
    passage: str
    heading: list[str]
    source: str
    marks: list[tuple[int, int]] = Field(description="[start, end) of the matching words in the passage")
    also: list[AlsoIn] = Field(description="other items that hold nearly the same passage")


class SearchResult(BaseModel):
    query: str
    took_ms: float
    read_as: str | None = Field(description="the query as it was searched, where a slip was mended")
    good: bool = Field(description="false when nothing found is likely to answer the query")
    hits: list[SearchHit]


class AnswerSentence(BaseModel):
    text: str
    cites: list[int] = Field(description="positions in `passages`, from 1")


class Answer(BaseModel):
    """A short answer from the library."""

    question: str
    by: str = Field(description="llm, passages (no model, or nothing it wrote was supported), or nobody")
    sentences: list[AnswerSentence]
    passages: list[SearchHit]
    reason: str
    dropped: int = Field(description="sentences that no passage supported")


class RelatedNode(BaseModel):
    """Something near an item in the graph of the library."""

    id: str = Field(description="kind and id, such as skill:discovery")
    kind: str
    title: str
    title_en: str | None
    score: float
    linked: bool = Field(description="whether one names the other")
    via: list[str] = Field(description="what both have in common")


class PathNode(BaseModel):
    id: str
    kind: str
    title: str
    title_en: str | None
    minutes: int | None


class PathStep(PathNode):
    """A skill to gain, or at the end the goal itself; `items` are what to read for it."""

    needed_by: list[PathNode]
    items: list[PathNode]


class Path(BaseModel):
    minutes: int | None = Field(description="of all lessons on the way")
    steps: list[PathStep]


class Tags(BaseModel):
    """Tags to set while confirming; those left out are confirmed as proposed."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind | None = None
    role: Role | None = None
    industry: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    tier: Tier | None = None
    skills: Annotated[list[Annotated[str, Field(max_length=160)]], Field(max_length=28)] | None = None


class Waiting(BaseModel):
    """An item that waits for a trainer."""

    id: str
    kind: Kind
    title: str
    role: Role
    industry: str
    tier: Tier
    skills: tuple[str, ...]
    proposed: tuple[str, ...]
    status: str
    source: str


class LedgerEntry(BaseModel):
    """One change of the library."""

    number: int
    at: str
    who: str
    action: str
    note: str
    item_id: str
    content_hash: str
    previous: str
    hash: str


class Rollback(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1, lt=2**31)
    item: Annotated[str, Field(max_length=160)] | None = None


class IngestedFile(BaseModel):
    file: str
    status: str
    reason: str
    item: str
    items: list[str]
    passages: int
    mended: int
    lost: int
    removed: int
    personal: int


class Status(BaseModel):
    """Which voice and which judges are at work."""

    voice: str
    voices: list[str]
    model: str | None
    judges: list[str]
    index_ready: bool
    passages: int
    demo: bool


def drill(session: Session) -> Drill:
    """A kept drill as the API shows it."""
    scenario = session.drill.playbook.scenario
    ending = session.drill.outcome
    turns = [
        Turn(
            number=i,
            learner=e.learner,
            customer=e.spoken.text,
            voice=Spoken(source=e.spoken.source, refused=list(e.spoken.refused), degraded=e.spoken.degraded),
            mood=e.state.mood if session.may.mood else None,
        )
        for i, e in enumerate(session.drill.exchanges, 1)
    ]
    if session.pending is not None:
        turns.append(Turn(number=len(turns) + 1, learner=session.pending, customer=None, voice=None, mood=None))
    return Drill(
        id=session.id,
        scenario=scenario.id,
        seed=session.drill.seed,
        voice=session.voice,
        opening=session.drill.opening,
        turns=turns,
        next_number=None if session.over else len(session.drill.exchanges) + 1,
        over=session.over,
        ending=Ending(id=ending.id, kind=ending.kind, title=ending.title, title_en=ending.title_en) if ending else None,
        parent=session.parent_id,
        parent_turns=session.parent_turns,
        mode=session.mode,
        level=session.drill.playbook.level,
        customer=session.drill.playbook.persona.name,
        hints=len(session.hints),
        paused=session.paused,
        deadline=session.deadline,
        time_up=session.time_up,
        scorecard=session.scorecard,
    )
