from knowledge.chunk import cut
from knowledge.item import Item


def _item(body: str) -> Item:
    return Item(id="a", kind="lesson", title="标题", source="测试", body=body)


def test_passages_hold_whole_sentences_of_a_readable_size() -> None:
    body = "".join(f"第{n}句话说的是客户为什么犹豫以及我们怎样一步步问清楚原因。" for n in range(60))
    passages = cut(_item(body))
    assert "".join(passage.text for passage in passages) == body
    assert all(passage.text.endswith("。") for passage in passages)
    assert all(200 <= len(passage.text) <= 350 for passage in passages)


def test_a_table_of_contents_is_no_passage() -> None:
    body = "第一章总则第二章流程第三章考核\n第一章总则\n一、目的\n" + "说明培训的目的和范围。" * 12
    (passage,) = cut(_item(body))
    assert passage.heading == ("第一章总则", "一、目的")


def test_scraps_under_one_heading_are_joined_and_keep_their_titles() -> None:
    (passage,) = cut(_item("# 课\n## 先听\n听完。\n## 再问\n问清。"))
    assert passage.heading == ("课",)
    assert passage.text == "先听\n听完。\n再问\n问清。"


def test_ids_change_with_the_text_and_only_with_it() -> None:
    first, again, other = (cut(_item(body))[0].id for body in ("甲。", "甲。", "乙。"))
    assert first == again != other
