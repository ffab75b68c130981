"""Voices: what turns the director's acts into words the learner hears.

The authored voice says the chosen lines as they stand. The model voice has a language model rephrase them, lets the
guard read every sentence before it is heard, and falls back to the authored line for what fails twice.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import prompts
from coach.drill import guard
from coach.drill.director import Act, State
from coach.drill.guard import Refusal, Rules
from coach.drill.playbook import Playbook
from coach.llm.gateway import Gateway, GatewayError
from knowledge.text import fold

Source = Literal["builtin", "llm", "care"]
_TRIES = 2
_MOST_SAID = 80
"""Characters of the learner's last turn that are shown to the model: given more, small models copy it."""
_MOOD = {"cold": "冷淡、不耐烦", "neutral": "平静、有保留", "warm": "愿意往下谈"}
_LABEL = re.compile(r"^\s*(?:原话|要说的话|客户|顾客|回答|你说|说)\s*[:：]\s*")
_SENTENCE_END = re.compile(r"[。！？!?…]+[”’」』）)]*")


@dataclass(frozen=True)
class Brief:
    """All a voice is told. What the customer still hides is not in it.

    Attributes:
        said: the learner's last words.
    """

    persona: str
    speech: str
    stance: str
    mood: str
    acts: tuple[Act, ...]
    said: str

    @property
    def authored(self) -> str:
        return "".join(act.line for act in self.acts)


@dataclass(frozen=True)
class Spoken:
    """What was said.

    Attributes:
        source: `builtin` for authored lines, `llm` for the model's, `care` for an answer out of the role.
        refused: why the guard refused what the model wrote, in order.
        degraded: why the model could not be used, in a few words; empty when it could or was not asked.
    """

    text: str
    source: Source
    refused: tuple[Refusal, ...] = ()
    degraded: str = ""


class Voice(Protocol):
    name: str

    def say(self, brief: Brief, rules: Rules) -> Generator[str, None, Spoken]:
        """Yields the reply in pieces as they may be heard and returns the whole. Never raises for a model's fault."""
        ...


def brief_for(
    playbook: Playbook,
    acts: Sequence[Act],
    state: State,
    heard: Sequence[tuple[str, str]],
) -> Brief:
    """What the voice is told for these acts."""
    persona = playbook.persona
    return Brief(
        persona=f"{persona.name}，{playbook.scenario.seat or persona.job}。{persona.describe}",
        speech=persona.speech,
        stance=playbook.scenario.stance,
        mood=_MOOD[state.mood],
        acts=tuple(acts),
        said=next((text for speaker, text in reversed(heard) if speaker == "learner"), ""),
    )


def rules_for(playbook: Playbook, acts: Sequence[Act], state: State, heard: Sequence[tuple[str, str]]) -> Rules:
    """What the guard holds the voice to for these acts."""
    scenario = playbook.scenario
    facts = {f.id: f for f in scenario.facts}
    objections = {o.id: o for o in scenario.objections}
    endings = {e.id: e for e in scenario.endings}
    required: list[tuple[str, ...]] = []
    all_of: list[str] = []
    may_yield = False
    for act in acts:
        if act.kind == "reveal":
            all_of += facts[act.of].keys
        elif act.kind in ("object", "press"):
            required.append(tuple(objections[act.of].keys))
        elif act.kind == "end":
            required.append(tuple(endings[act.of].keys))
            may_yield = may_yield or endings[act.of].kind == "won"
        elif act.kind == "settle":
            may_yield = True
        all_of += [re.escape(fold(word)) for word in act.words]
    return Rules(
        secrets=tuple(p for f in scenario.facts if f.id not in state.revealed for p in f.secret_patterns()),
        required=tuple(required),
        all_of=tuple(all_of),
        may_yield=may_yield,
        authored="".join(a.line for a in acts),
        heard=tuple(text for _, text in heard),
        said=tuple(text for speaker, text in heard if speaker == "customer"),
    )


class AuthoredVoice:
    name = "builtin"

    def say(self, brief: Brief, rules: Rules) -> Generator[str, None, Spoken]:
        for act in brief.acts:
            yield act.line
        return Spoken(brief.authored, "builtin")


AUTHORED = AuthoredVoice()


class ModelVoice:
    """Rephrases the authored lines with a language model, sentence by sentence past the guard."""

    name = "llm"

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._prompt = prompts.load("customer_voice")

    def say(self, brief: Brief, rules: Rules) -> Generator[str, None, Spoken]:
        refused: list[Refusal] = []
        degraded = ""
        for attempt in range(_TRIES):
            heard = held = ""
            reason: Refusal | None = None
            try:
                for sentence in _unlabelled(_sentences(self._stream(brief, attempt))):
                    reason = guard.unsafe(heard + held + sentence, rules)
                    if reason:
                        break
                    held += sentence
                    # Held back until the line does what the director chose, so that it never has to be taken back.
                    if not guard.incomplete(heard + held, rules):
                        yield held
                        heard, held = heard + held, ""
            except GatewayError as error:
                degraded = error.reason
            if held and not reason and not degraded:
                reason = "no_act"
            if reason:
                refused.append(reason)
            if heard:
                return Spoken(heard, "llm", tuple(refused), degraded)
            if degraded:
                break
        yield brief.authored
        return Spoken(brief.authored, "builtin", tuple(refused), degraded)

    def _stream(self, brief: Brief, attempt: int) -> Iterator[str]:
        return self._gateway.stream(
            self._messages(brief),
            max_tokens=120,
            temperature=0.8 - 0.4 * attempt,
            seed=attempt,
            stop=["\n"],
            deadline_s=self._gateway.endpoint.timeout_s / _TRIES,
        )

    def _messages(self, brief: Brief) -> list[tuple[str, str]]:
        return self._prompt.messages(
            persona=brief.persona,
            speech=brief.speech,
            stance=brief.stance,
            mood=brief.mood,
            said=" ".join(brief.said.split())[:_MOST_SAID],
            lines=brief.authored,
        )


def _sentences(pieces: Iterator[str]) -> Iterator[str]:
    """Whole sentences out of a stream of pieces; what is left at the end is one too."""
    buffer = ""
    for piece in pieces:
        buffer += piece.replace("\r", "").replace("\n", "")
        while (end := _SENTENCE_END.search(buffer)) and end.end() < len(buffer):
            yield buffer[: end.end()]
            buffer = buffer[end.end() :]
    if buffer.strip():
        yield buffer.strip()


def _unlabelled(sentences: Iterator[str]) -> Iterator[str]:
    """Without the labels and quotation marks that models put around what somebody says."""
    for n, sentence in enumerate(sentences):
        bare = _LABEL.sub("", sentence) if n == 0 else sentence
        bare = bare.strip('“”"「」『』 ')
        if bare:
            yield bare
