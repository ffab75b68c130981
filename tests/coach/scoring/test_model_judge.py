"""The language-model judge: no claim without a quote that stands up, and no vote before it has been measured."""

from __future__ import annotations

import json

from pydantic import SecretStr

from coach.drill.playbook import Playbook
from coach.llm.gateway import Endpoint, Gateway
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.scoring.model_judge import ModelJudge
from coach.scoring.score import score
from coach.scoring.scorecard import Scorecard
from tests.fake_openai import FakeOpenAI

SAID = [
    ("customer", "您的预算大概多少"),
    ("learner", "嗯，这块您心里有个数吗，大概在什么范围？"),
    ("customer", "再说吧。"),
]


def card(book: Playbook, fake: FakeOpenAI) -> Scorecard:
    endpoint = Endpoint(base_url=fake.base_url, api_key=SecretStr("sk-secret"), model="fake")
    return score(
        book.rubric,
        book.checks,
        SAID,
        judges=[PatternJudge(), NumberJudge()],
        rubric_hash=book.rubric_hash,
        model_judge=ModelJudge(Gateway(endpoint)),
    )


def claims(*verdicts: tuple[str, bool, str]) -> str:
    return json.dumps({"verdicts": [{"check": c, "met": m, "quote": q} for c, m, q in verdicts]})


def test_a_claim_with_a_true_quote_asks_for_a_person_and_scores_nothing(bakery: Playbook) -> None:
    with FakeOpenAI(reply=claims(("asks-budget", True, "这块您心里有个数吗，大概在什么范围"))) as fake:
        told = card(bakery, fake)
    assert (told.points, told.needs_review, told.review) == (0, True, ["asks-budget"])
    verdict = next(v for c in told.criteria for v in c.verdicts if v.check == "asks-budget")
    assert verdict.judges["llm"].met
    assert not verdict.judges["llm"].counts
    assert {"judge_prompt", "judge_model"} <= set(told.pinned)
    assert told.judges[-1] == "llm"


def test_a_claim_on_the_customers_or_invented_words_is_no_claim(bakery: Playbook) -> None:
    for quote in ("您的预算大概多少", "我问过他的预算了", ""):
        with FakeOpenAI(reply=claims(("asks-budget", True, quote))) as fake:
            assert not card(bakery, fake).needs_review


def test_nonsense_and_checks_nobody_asked_about_are_passed_over(bakery: Playbook) -> None:
    for reply in ('{"verdicts": 3}', '{"verdicts": [1, {"check": 5}]}', claims(("made-up", True, "嗯，这块"))):
        with FakeOpenAI(reply=reply) as fake:
            assert card(bakery, fake).review == []


def test_an_endpoint_in_trouble_is_named_and_the_score_stands(bakery: Playbook) -> None:
    with FakeOpenAI(mode="server_error") as fake:
        told = card(bakery, fake)
    assert told.judges == ["pattern", "number", "llm (server_error)"]
    assert told.max_points == 100


def test_it_is_shown_the_talk_and_the_checks_and_nothing_else(bakery: Playbook) -> None:
    seen: list[str] = []

    def reply(messages: list[dict[str, str]]) -> str:
        seen.append(json.dumps(messages, ensure_ascii=False))
        return claims()

    with FakeOpenAI(reply=reply) as fake:
        card(bakery, fake)
    assert "这块您心里有个数吗" in seen[0]
    assert all("麦溪" not in s and "sk-secret" not in s for s in seen)
    asked = {c for c in bakery.rubric.check_ids() if any(f"- {c}：" in s for s in seen)}
    assert asked == set(bakery.rubric.check_ids())
