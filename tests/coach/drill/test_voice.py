"""The guard and the model voice, against a fake endpoint that says what the test makes it say."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import SecretStr

from coach.drill.director import Observation, open_drill, step
from coach.drill.drill import Drill, answer, finish, hear, play
from coach.drill.guard import Rules, incomplete, unsafe
from coach.drill.playbook import Playbook
from coach.drill.voice import AuthoredVoice, ModelVoice, Spoken, brief_for, rules_for
from coach.llm.gateway import Endpoint, Gateway
from coach.scoring.judges import PatternJudge
from tests.fake_openai import FakeOpenAI

JUDGES = [PatternJudge()]
ASK = "您说贵，是跟现在这套比，还是手上有别家的报价？"


def rules(**more: object) -> Rules:
    base: dict[str, object] = {
        "secrets": ("三万", "陈总"),
        "required": (),
        "all_of": (),
        "may_yield": False,
        "authored": "价格这关过不去。",
        "heard": ("您每个月报损大概有多少呢，方便说一下吗？",),
        "said": ("说重点。我一会儿还有个会。",),
    }
    return Rules(**{**base, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("价格还是太高，我过不了这一关。", None),
        ("", "empty"),
        ("……！", "empty"),
        ("太贵了" * 60, "too_long"),
        ("This is too expensive for us, really.", "not_chinese"),
        ("我们一个月扔掉三万块的货。", "leak"),
        ("這事得陳總點頭。", "leak"),
        ("很高兴为您服务，请问有什么可以帮您？", "role_swap"),
        ("作为AI语言模型，我不能回答这个问题。", "role_swap"),
        ("客户：价格太高了。", "role_swap"),
        ("我们公司可以给您安排演示。", "role_swap"),
        ("您每个月报损大概有多少呢，方便说一下吗", "echo"),
        ("说重点，我一会儿还有个会。", "repeat"),
        ("行，就这么定了，现在就签。", "yields"),
        ("要我付99999块，没门儿。", "invents_number"),
        ("我最多出两万八，再多没有。", "invents_number"),
    ],
)
def test_what_the_guard_refuses(line: str, reason: str | None) -> None:
    assert unsafe(line, rules()) == reason


def test_what_the_director_allows_is_let_through() -> None:
    assert unsafe("行，就这么定了。", rules(may_yield=True)) is None
    assert unsafe("三万块，我说过了。", rules(secrets=(), authored="差不多三万块。")) is None


def test_what_is_the_customers_own_must_stay_so() -> None:
    mine = rules(authored="我那些店长学不会，耽误营业。")
    assert unsafe("你们店长学不会，耽误营业怎么办？", mine) == "role_swap"
    assert unsafe("我的店长学不会，你们这个系统太难。", mine) is None


def test_a_line_must_do_what_the_director_chose() -> None:
    assert incomplete("今天天气不错。", rules(all_of=("店加",))) == "no_act"
    assert incomplete("店加来报过价。", rules(all_of=("店加",))) is None
    assert incomplete("你说得对。", rules(required=(("贵", "价"),))) == "no_act"


def voice(fake: FakeOpenAI, seconds: float = 10.0) -> ModelVoice:
    endpoint = Endpoint(base_url=fake.base_url, api_key=SecretStr("sk-test"), model="fake", timeout_s=seconds)
    return ModelVoice(Gateway(endpoint))


def one_turn(book: Playbook, fake: FakeOpenAI, seconds: float = 10.0) -> tuple[list[str], Spoken]:
    """The pieces heard and the whole of the answer to one good question (reveals the rival's offer, then objects)."""
    drill = Drill(book, 3)
    speaking = answer(drill, hear(drill, JUDGES, ASK), voice(fake, seconds))
    pieces = []
    while True:
        try:
            pieces.append(next(speaking))
        except StopIteration as stop:
            return pieces, stop.value.exchanges[0].spoken


def authored(book: Playbook) -> str:
    drill = Drill(book, 3)
    return finish(answer(drill, hear(drill, JUDGES, ASK), AuthoredVoice())).exchanges[0].spoken.text


def test_a_good_line_is_heard_sentence_by_sentence(bakery: Playbook) -> None:
    with FakeOpenAI(reply="上礼拜店加来过了，报得比你们低。你们这个价我还是觉得高！怎么说？") as fake:
        pieces, spoken = one_turn(bakery, fake)
    assert spoken.source == "llm"
    assert spoken.refused == ()
    assert "".join(pieces) == spoken.text == "上礼拜店加来过了，报得比你们低。你们这个价我还是觉得高！怎么说？"
    assert pieces == ["上礼拜店加来过了，报得比你们低。你们这个价我还是觉得高！", "怎么说？"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("店加报得低，你们价格高。再说我们陈总只认回本。", None),
        ("很高兴为您服务，我们系统很便宜。", "role_swap"),
        ("陈总说了价格太高，店加更低。", "leak"),
        ("今天天气不错，我刚吃过饭。", "no_act"),
        ("行，就这么定了，店加我不考虑，价格没问题了。", "yields"),
    ],
)
def test_what_fails_is_never_heard(bakery: Playbook, line: str, reason: str | None) -> None:
    with FakeOpenAI(reply=line) as fake:
        pieces, spoken = one_turn(bakery, fake)
    assert "陈总" not in "".join(pieces)
    assert "".join(pieces) == spoken.text
    if reason is None:
        # The safe first sentence did its work and was heard; what came after it was cut off.
        assert (spoken.text, spoken.source, spoken.refused) == ("店加报得低，你们价格高。", "llm", ("leak",))
    else:
        assert (spoken.text, spoken.source) == (authored(bakery), "builtin")
        assert spoken.refused == (reason, reason)


def test_the_second_try_may_succeed(bakery: Playbook) -> None:
    said = iter(["很高兴为您服务。", "店加来过，你们价格高。"])
    with FakeOpenAI(reply=lambda _: next(said)) as fake:
        _, spoken = one_turn(bakery, fake)
    assert (spoken.source, spoken.refused) == ("llm", ("role_swap",))


@pytest.mark.parametrize(
    ("mode", "degraded"),
    [
        ("slow_first", "timeout"),
        ("rate_limited", "rate_limited"),
        ("server_error", "server_error"),
        ("refused", "refused"),
        ("html", "bad_response"),
        ("empty", "bad_response"),
        ("cut", "bad_response"),
    ],
)
def test_an_endpoint_in_trouble_gives_the_authored_line_inside_the_turn(
    bakery: Playbook, mode: str, degraded: str
) -> None:
    with FakeOpenAI(reply="嗯", mode=mode) as fake:  # type: ignore[arg-type]
        pieces, spoken = one_turn(bakery, fake, seconds=1.0)
    assert spoken.degraded == degraded
    assert (spoken.text, spoken.source) == (authored(bakery), "builtin")
    assert "".join(pieces) == spoken.text


def test_nobody_listening_at_the_address(bakery: Playbook) -> None:
    with FakeOpenAI() as fake:
        gone = fake.base_url
    silent = ModelVoice(Gateway(Endpoint(base_url=gone, api_key=SecretStr(""), model="fake", timeout_s=1.0)))
    drill = Drill(bakery, 3)
    told = finish(answer(drill, hear(drill, JUDGES, ASK), silent))
    assert told.exchanges[0].spoken == Spoken(authored(bakery), "builtin", (), "unreachable")


def test_the_model_is_never_sent_a_hidden_fact(bakery: Playbook) -> None:
    """Played with a good learner to the end: what went over the wire, held against what had been revealed by then."""
    from evals.scripts import turns

    sent: list[str] = []

    def reply(messages: list[dict[str, str]]) -> str:
        sent.append(" ".join(m["content"] for m in messages))
        return "嗯。"

    learner = turns("sales-bakery-price", "good")
    with FakeOpenAI(reply=reply) as fake:
        drill = play(bakery, 1, JUDGES, voice(fake), learner)
    assert len(sent) >= len(drill.exchanges)
    # The budget comes out in the ninth turn; until then nothing that was sent may hold it, unless the learner said it.
    revealed_at = next(i for i, e in enumerate(drill.exchanges) if "budget" in e.state.revealed)
    assert revealed_at > 3
    assert not any("五万" in s for s in sent[:revealed_at])


def test_brief_and_rules_agree_on_the_authored_words(bakery: Playbook) -> None:
    state, _ = open_drill(bakery, 1)
    state, acts = step(bakery, 1, state, Observation(met=frozenset({"asks-comparison"})))
    talk: list[tuple[Literal["learner", "customer"], str]] = [("learner", ASK)]
    assert brief_for(bakery, acts, state, talk).authored == rules_for(bakery, acts, state, talk).authored
