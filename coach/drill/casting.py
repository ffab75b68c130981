"""Casting: a scenario made ready to play with one persona, at one level, with the figures of one seed.

The persona changes wording, thresholds and which doubts come up; the level moves thresholds and patience; the truth of
the case is the same for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from coach.drill.figures import compute
from coach.drill.persona import Persona
from coach.drill.scenario import Scenario, When

USUAL_LEVEL = 3
LEVELS = (1, 5)
_TRUST, _PATIENCE, _IMPATIENCE, _BAR, _WALKS_AWAY = -4, -7, 2, 4, 2
"""What one level more adds to the start, to what a useless turn costs, to what is asked, and to when they leave."""
_PRICE_BAR = 3
"""What one step more of price sensitivity adds to the trust that settles a doubt about price."""
_ALL_DOUBTS_FROM = 4
_TEMPER = 0.12
"""Share by which one step more of temper deepens what offends."""
_PLACE = re.compile(r"<<([a-z][a-z0-9_]*)(?::([^<>]{1,3}))?>>")
_PATTERNS = {"keys", "secrets", "near"}


def fits(scenario: Scenario, persona: Persona) -> bool:
    """Whether this persona can play the customer of this scenario."""
    if persona.id == scenario.persona:
        return True
    cast = scenario.cast
    return (
        cast is not None
        and not set(cast.kinds).isdisjoint(persona.kinds)
        and cast.age[0] <= persona.age <= cast.age[1]
        and cast.temper[0] <= persona.temper <= cast.temper[1]
        and cast.talkativeness[0] <= persona.talkativeness <= cast.talkativeness[1]
        and cast.gender in (None, persona.gender)
    )


def cast(scenario: Scenario, persona: Persona, *, level: int = USUAL_LEVEL, seed: int = 0) -> tuple[Scenario, Persona]:
    """The scenario and persona as they are played.

    Raises:
        ValueError: the level is none, or a text names something there is not.
    """
    if not LEVELS[0] <= level <= LEVELS[1]:
        raise ValueError(f"level: {level} is not between {LEVELS[0]} and {LEVELS[1]}")
    harder = level - USUAL_LEVEL
    figures = compute(scenario.figures, seed)
    written = _filled(scenario.model_dump(mode="json"), _places(persona), figures)
    played = Scenario.model_validate(written | {"figures": figures})
    played = played.model_copy(
        update={
            "facts": [f.model_copy(update={"when": _moved(f.when, harder)}) for f in played.facts],
            "objections": [
                o.model_copy(
                    update={
                        "settled": _moved(
                            o.settled,
                            harder,
                            _PRICE_BAR * (persona.price_sensitivity - 3) if o.worry == "price" else 0,
                        )
                    }
                )
                for o in played.objections
                if o.must or level >= _ALL_DOUBTS_FROM or (level > LEVELS[0] and o.worry in (None, *persona.worries))
            ],
            "reactions": [
                r.model_copy(
                    update={
                        "trust": _deepened(r.trust, persona.temper),
                        "patience": _deepened(r.patience, persona.temper),
                    }
                )
                for r in played.reactions
            ],
            "endings": [
                e.model_copy(update={"when": e.when and _moved(e.when, harder)}) if e.when else e
                for e in played.endings
            ],
        }
    )
    # Conditions that spoke of a doubt which does not come up now hold without it.
    there = {o.id for o in played.objections}
    played = played.model_copy(
        update={
            "facts": [f.model_copy(update={"when": _without(f.when, there)}) for f in played.facts],
            "objections": [
                o.model_copy(update={"raised": _without(o.raised, there), "settled": _without(o.settled, there)})
                for o in played.objections
            ],
            "endings": [
                e.model_copy(update={"when": _without(e.when, there)}) if e.when else e for e in played.endings
            ],
        }
    )
    somebody = persona.model_copy(
        update={
            "trust": _bounded(persona.trust + _TRUST * harder),
            "patience": max(20, _bounded(persona.patience + _PATIENCE * harder)),
            "impatience": max(3, persona.impatience + _IMPATIENCE * harder),
        }
    )
    return played, somebody


def fill(text: str, persona: Persona, figures: Mapping[str, float]) -> str:
    """A text with its places filled in."""
    filled = _filled(text, _places(persona), figures)
    assert isinstance(filled, str)
    return filled


def places(text: str) -> set[str]:
    """Names of what a text wants filled in."""
    return {m[1] for m in _PLACE.finditer(text)}


PERSON = {"name", "surname", "ta", "sir"}
"""What a text may say of whoever plays the customer."""
_DOUBLE = {"欧阳", "司马", "上官", "诸葛", "慕容", "令狐", "皇甫", "东方", "尉迟", "公孙"}


def _places(persona: Persona) -> dict[str, str]:
    woman = persona.gender == "female"
    surname = persona.name[:2] if persona.name[:2] in _DOUBLE else persona.name[0]
    return {
        "name": persona.name,
        "surname": surname,
        "ta": "她" if woman else "他",
        "sir": "女士" if woman else "先生",
    }


def _filled(value: Any, person: Mapping[str, str], figures: Mapping[str, float], *, pattern: bool = False) -> Any:
    if isinstance(value, dict):
        return {k: _filled(v, person, figures, pattern=pattern or k in _PATTERNS) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled(v, person, figures, pattern=pattern) for v in value]
    if not isinstance(value, str):
        return value
    return _PLACE.sub(_filler(person, figures, pattern=pattern), value)


def _filler(
    person: Mapping[str, str], figures: Mapping[str, float], *, pattern: bool
) -> Callable[[re.Match[str]], str]:
    def put(match: re.Match[str]) -> str:
        name, form = match[1], match[2] or ""
        if name in person:
            return person[name]
        if name not in figures:
            raise ValueError(f"<<{name}>>: there is no figure of that name")
        value = figures[name]
        if not pattern:
            return written(value, form)
        forms = {written(value), written(value, form)}
        if round(value, 6) == round(round(value / 10_000, 2) * 10_000, 6):
            forms.add(written(value, "万"))
        forms |= {f.replace(",", "") for f in forms}
        return f"(?:{'|'.join(re.escape(f) for f in sorted(forms))})"

    return put


def written(value: float, form: str = "") -> str:
    """A figure as people write it.

    Args:
        form: empty for 12,000 or 4.25; `万` for 1.2万; `%` for 4.25%; a digit for that many decimals, kept.
    """
    if form.isdigit():
        return f"{value:,.{int(form)}f}"
    if form == "万":
        return f"{_trimmed(value / 10_000)}万"
    return f"{_trimmed(value)}{form}"


def _trimmed(value: float) -> str:
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def _moved(when: When, harder: int, more: int = 0) -> When:
    return when.model_copy(
        update={
            "trust_min": None if when.trust_min is None else _bounded(when.trust_min + _BAR * harder + more),
            "trust_max": None if when.trust_max is None else _bounded(when.trust_max + _WALKS_AWAY * harder),
        }
    )


def _without(when: When, objections: set[str]) -> When:
    return when.model_copy(update={"settled": [o for o in when.settled if o in objections]})


def _deepened(change: int, temper: int) -> int:
    return change if change >= 0 else max(-60, round(change * (1 + _TEMPER * (temper - 3))))


def _bounded(value: int) -> int:
    return min(100, max(0, value))
