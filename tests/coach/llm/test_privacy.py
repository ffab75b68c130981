"""Personal data stays on the machine, and comes back in the answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coach.llm.privacy import masked, restored


def test_all_messages_of_a_call_share_their_placeholders() -> None:
    sent, originals = masked([("system", "客户电话 13912345678"), ("user", "打 13912345678 还是 13800138000？")])
    assert "139" not in sent[0][1] + sent[1][1]
    assert sent[0][1] == "客户电话 〔手机号1〕"
    assert sent[1][1] == "打 〔手机号1〕 还是 〔手机号2〕？"
    assert originals == {"〔手机号1〕": "13912345678", "〔手机号2〕": "13800138000"}


@given(st.lists(st.integers(1, 6), min_size=1))
def test_a_placeholder_cut_anywhere_is_put_back(cuts: list[int]) -> None:
    answer = "好的，打〔手机号1〕，〔不是占位〕，再打〔手机号2〕"
    pieces, at = [], 0
    for cut in [*cuts, len(answer)]:
        pieces.append(answer[at : at + cut])
        at += cut
    back = "".join(restored(pieces, {"〔手机号1〕": "13912345678", "〔手机号2〕": "13800138000"}))
    assert back == ("好的，打13912345678，〔不是占位〕，再打13800138000" if at >= len(answer) else back)


def test_an_opening_mark_that_is_none_is_not_held_for_ever() -> None:
    pieces = iter(["〔这是一个很长很长的括号，里面不是占位符，一直没有结束", "后面还有"])
    assert next(restored(pieces, {})).startswith("〔这是")
