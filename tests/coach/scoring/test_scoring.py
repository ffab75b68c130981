"""Evidence, verdicts and the scorecard's arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from coach.catalogue import Catalogue
from coach.drill.playbook import Playbook
from coach.scoring.check import Check
from coach.scoring.evidence import locate, own_sentences
from coach.scoring.judges import NumberJudge, PatternJudge, SemanticJudge, Vote
from coach.scoring.rubric import Rubric, criterion_points
from coach.scoring.score import score
from coach.scoring.scorecard import Scorecard, add_up
from coach.scoring.verdict import Verdict, combine, judge_turn, over_transcript
from knowledge.text import fold

JUDGES = [PatternJudge(), NumberJudge(), SemanticJudge()]


def check(id_: str, polarity: str = "do", **more: object) -> Check:
    base = {
        "id": id_,
        "skill": "discovery",
        "family": "ask",
        "polarity": polarity,
        "title": f"标题 {id_}",
        "title_en": id_,
        "definition": f"定义 {id_}",
        "pattern": {"any": [id_]},
        "say": f"可以说 {id_}",
    }
    return Check.model_validate({**base, **more})


def verdict(id_: str, met: bool, polarity: str = "do", turn: int = 1) -> Verdict:
    return Verdict(check=id_, polarity=polarity, met=met, quote="原话" if met else "", turn=turn, confidence=0.9)  # type: ignore[arg-type]


RUBRIC = Rubric.model_validate(
    {
        "id": "r",
        "title": "规则",
        "title_en": "rule",
        "pass_mark": 60,
        "criteria": [
            {
                "id": "one",
                "title": "一",
                "title_en": "1",
                "points": 60,
                "checks": [{"check": "a", "weight": 2}, {"check": "b", "weight": 1}],
            },
            {"id": "two", "title": "二", "title_en": "2", "points": 40, "checks": [{"check": "c"}]},
        ],
        "penalties": [{"check": "p", "points": 15}],
        "blockers": ["x"],
        "required": ["a"],
    }
)
CHECKS = {i: check(i) for i in "abc"} | {i: check(i, "avoid") for i in "px"}


def card(**met: bool) -> Scorecard:
    verdicts = {i: verdict(i, m, CHECKS[i].polarity) for i, m in met.items()}
    return add_up(RUBRIC, CHECKS, verdicts, judges=["pattern"], pinned={})


class TestScorecard:
    def test_all_met_is_all_points(self) -> None:
        c = card(a=True, b=True, c=True, p=False, x=False)
        assert (c.points, c.max_points, c.percent, c.passed) == (100, 100, 100, True)

    def test_points_are_shared_by_weight(self) -> None:
        # 60 points shared 2 to 1: a alone is 40 of them; c missed.
        c = card(a=True, b=False, c=False, p=False, x=False)
        assert (c.points, c.max_points, c.percent, c.passed) == (40, 100, 40, False)
        assert [m.check for m in c.missed] == ["b", "c"]
        assert c.missed[0].say == "可以说 b"

    def test_a_penalty_is_taken_off_and_never_below_zero(self) -> None:
        assert card(a=True, b=True, c=True, p=True, x=False).points == 85
        c = card(a=False, b=False, c=False, p=True, x=False)
        assert c.points == 0
        assert c.deductions[0].quote == "原话"

    def test_a_blocker_fails_full_points(self) -> None:
        c = card(a=True, b=True, c=True, p=False, x=True)
        assert (c.percent, c.passed) == (100, False)
        assert c.blockers[0].check == "x"

    def test_a_required_check_missed_fails_however_many_points(self) -> None:
        c = card(a=False, b=True, c=True, p=False, x=False)
        assert (c.percent, c.passed, c.missing_required) == (60, False, ["a"])

    def test_what_could_not_be_judged_neither_earns_nor_costs(self) -> None:
        # b unjudged: of the first criterion only a's 40 can be earned, 80 in all.
        c = card(a=True, c=False, p=False, x=False)
        assert (c.points, c.max_points, c.percent) == (40, 80, 50)
        assert c.not_scored == ["b"]

    def test_nothing_judged_is_not_passed(self) -> None:
        c = add_up(RUBRIC, CHECKS, {}, judges=[], pinned={})
        assert (c.points, c.max_points, c.percent, c.passed) == (0, 0, 0, False)

    @given(st.fixed_dictionaries({i: st.booleans() for i in "abcpx"}))
    def test_points_are_the_hand_made_sum(self, met: dict[str, bool]) -> None:
        by_hand = 40 * met["a"] + 20 * met["b"] + 40 * met["c"] - 15 * met["p"]
        assert card(**met).points == pytest.approx(max(0, by_hand))

    def test_criterion_points_by_hand(self) -> None:
        assert criterion_points(RUBRIC.criteria[0], {"a": False, "b": True}) == (20, 60)


class TestRubric:
    def test_a_check_counted_twice_is_refused(self) -> None:
        raw = RUBRIC.model_dump()
        raw["criteria"][1]["checks"] = [{"check": "a"}]
        with pytest.raises(ValidationError, match="counted twice: a"):
            Rubric.model_validate(raw)

    def test_required_but_nowhere_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="in no criterion: z"):
            Rubric.model_validate({**RUBRIC.model_dump(), "required": ["z"]})


class TestEvidence:
    def test_a_quote_is_found_despite_width_case_punctuation_and_script(self) -> None:
        text = "周總，您說的「貴」，是跟 ＡＢＣ 比嗎？"
        assert locate("您说的贵是跟abc比吗", text) == "您說的「貴」，是跟 ＡＢＣ 比嗎"

    def test_words_that_are_not_there_are_no_quote(self) -> None:
        assert locate("我从没说过这句话", "您现在用的是哪套系统") is None
        assert locate("", "任何话") is None

    @given(st.text(alphabet="客户报价系统，。？！ ABCabc１２", min_size=6, max_size=60), st.data())
    def test_any_stretch_of_the_text_is_located_in_it(self, text: str, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(text) - 4))
        quote = text[start : start + data.draw(st.integers(4, len(text) - start))]
        found = locate(quote, text)
        assert found is None or found in text

    def test_repeating_the_customer_or_the_rubric_is_not_ones_own(self) -> None:
        heard = ["店长打烊后看一眼剩多少，凭感觉填表发给中央工厂。"]
        said = "店长打烊后看一眼剩多少，凭感觉填表发给中央工厂。那一天要多久？"
        assert own_sentences(said, heard) == ["那一天要多久？"]


class TestJudges:
    def test_a_pattern_is_vetoed_in_its_own_sentence_only(self) -> None:
        c = check("ask", pattern={"any": ["预算.*多少"], "unless": ["我们预算"]})
        said = own_sentences("我们预算多少都行。您的预算大概多少？", [])
        (vote,) = PatternJudge().votes([c], said, {})
        assert (vote.met, vote.quote) == (True, "您的预算大概多少？")

    def number(self, said: str) -> Vote:
        c = check(
            "n",
            pattern=None,
            number={
                "figure": "arm",
                "near": "样本|每组",
                "unit": "count",
                "tolerance": 0.02,
                "mistakes": [{"figure": "both", "say": "这是两组合计"}],
            },
        )
        (vote,) = NumberJudge().votes([c], [said], {"arm": 10_300, "both": 20_600})
        return vote

    def test_a_figure_within_tolerance_is_met_however_it_is_written(self) -> None:
        for said in ("每组10,300人", "样本量一万零三百", "每组大概1.03万人", "每组要 １０３００ 个用户"):
            assert self.number(said).met, said

    def test_a_usual_mistake_is_named(self) -> None:
        vote = self.number("样本量要20,600人")
        assert (vote.met, vote.note, vote.quote) == (False, "这是两组合计", "样本量要20,600人")

    def test_another_number_is_simply_not_met(self) -> None:
        assert self.number("样本量5,000人").note == ""
        assert not self.number("预算10,300元").met

    def test_without_the_figure_a_number_is_not_judged(self) -> None:
        c = check("n", pattern=None, number={"figure": "arm", "near": "样本", "unit": "count"})
        assert NumberJudge().votes([c], ["样本一万"], {}) == []

    def test_meaning_finds_a_wording_no_pattern_knows(self, catalogue: Catalogue) -> None:
        c = catalogue.checks["asks-budget"].model_copy(update={"pattern": None})
        (vote,) = SemanticJudge().votes([c], ["请问今年这块您这边大概留了多少预算呀"], {})
        assert vote.met
        (vote,) = SemanticJudge().votes([c], ["今天天气不错，适合出门走走"], {})
        assert not vote.met


class TestVerdict:
    def test_no_quote_no_point(self) -> None:
        claim = Vote("llm", "a", True, 0.99, "编造的话")
        v = combine(check("a"), [claim], text="学员真正说的话", turn=3)
        assert (v.met, v.quote) == (False, "")
        assert v.doubtful

    def test_meaning_alone_never_convicts(self) -> None:
        claim = Vote("semantic", "p", True, 0.95, "原话")
        v = combine(check("p", "avoid"), [claim], text="原话", turn=1)
        assert not v.met
        assert v.doubtful

    def test_a_number_corrected_later_is_met(self) -> None:
        wrong = verdict("a", False).model_copy(update={"note": "两组合计", "quote": "两万", "turn": 1})
        merged = over_transcript([{"a": wrong}, {"a": verdict("a", True, turn=2)}], [check("a")])
        assert (merged["a"].met, merged["a"].turn) == (True, 2)

    def test_order(self) -> None:
        first, second = check("first", before="second"), check("second")
        early = [{"first": verdict("first", True, turn=1)}, {"second": verdict("second", True, turn=2)}]
        late = [{"second": verdict("second", True, turn=1)}, {"first": verdict("first", True, turn=2)}]
        assert over_transcript(early, [first, second])["first"].met
        told = over_transcript(late, [first, second])["first"]
        assert (told.met, told.note) == (False, "order")


class TestShippedChecks:
    """Every shipped check against its own examples, by pattern alone: what meaning adds comes on top."""

    def test_patterns_meet_the_positives_and_pass_over_the_near_misses(self, catalogue: Catalogue) -> None:
        wrong = []
        for c in catalogue.checks.values():
            if c.examples is None or c.pattern is None or c.number is not None:
                continue
            for sentence, want in [(s, True) for s in c.examples.met] + [(s, False) for s in c.examples.near]:
                said = judge_turn([PatternJudge()], [c], sentence, turn=1, figures={}, copied_from=[])
                if said[c.id].met != want:
                    wrong.append((c.id, sentence, want))
        assert wrong == []


class TestWholeTranscripts:
    def test_pasting_the_rubric_earns_nothing(self, bakery: Playbook) -> None:
        pasted = "。".join(t for c in bakery.checks.values() for t in (c.title, c.definition))
        c = score(bakery.rubric, bakery.checks, [("learner", pasted)], judges=JUDGES, rubric_hash=bakery.rubric_hash)
        assert c.points == 0

    def test_the_customers_words_are_no_evidence(self, bakery: Playbook) -> None:
        said = [("customer", "您的预算大概是多少？除了我们还在看哪家？"), ("learner", "嗯。")]
        c = score(bakery.rubric, bakery.checks, said, judges=JUDGES, rubric_hash=bakery.rubric_hash)
        assert c.points == 0

    def test_every_quote_is_in_its_turn(self, bakery: Playbook) -> None:
        turns = ["您说贵，是跟哪家比的？", "除了您，还有谁一起拍板？预算大概留了多少？", "最近报损多不多？"]
        said = [("learner", t) for t in turns]
        c = score(bakery.rubric, bakery.checks, said, judges=JUDGES, rubric_hash=bakery.rubric_hash)
        quotes = [(v.quote, v.turn) for k in c.criteria for v in k.verdicts if v.met]
        assert len(quotes) >= 4
        assert all(quote in turns[turn - 1] for quote, turn in quotes)
        assert c.pinned["rubric"] == bakery.rubric_hash

    def test_traditional_characters_score_the_same(self, bakery: Playbook) -> None:
        simple = [("learner", "您现在门店订货是怎么做的？每个月报损大概有多少？")]
        traditional = [("learner", "您現在門店訂貨是怎麼做的？每個月報損大概有多少？")]
        cards = [
            score(bakery.rubric, bakery.checks, said, judges=JUDGES, rubric_hash="x") for said in (simple, traditional)
        ]
        assert cards[0].points == cards[1].points > 0
        assert fold(traditional[0][1]) == fold(simple[0][1])
