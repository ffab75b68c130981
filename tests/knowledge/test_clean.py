import pytest

from knowledge.clean import RULES, Rule, clean, drop_pronunciations


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_removes_its_example_in_either_script(rule: Rule) -> None:
    cleaned = clean(f"正文第一句。\n{rule.example}\n正文第二句。")
    assert cleaned.text == "正文第一句。\n正文第二句。"
    assert cleaned.removed == {rule.name: 1}


def test_a_block_goes_with_its_list_and_no_further() -> None:
    raw = "正文。\n最新文檔\n- 2026年会计考试\n• 醫院安全教育\n\n- 水箱清洗合同\n評論\n0/150\n- 正文的要点"
    cleaned = clean(raw)
    assert cleaned.text == "正文。\n- 正文的要点"
    assert cleaned.removed == {"other documents": 4, "comment box": 2}


@pytest.mark.parametrize(
    "line",
    [
        "客户问能不能下载文档，先确认他的权限。",
        "- 1、下载报表前先核对口径。",
        "最新文档要放在团队空间的首页。",
        "会员价格是199元，续费打九折。",
        "第3页的数据来自问卷。",
    ],
)
def test_prose_that_speaks_of_such_things_stays(line: str) -> None:
    assert clean(f"{line}\n正文。").text == f"{line}\n正文。"


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("專業(yè)能力", "專業能力"),
        ("運(yùn)營與銀行(háng)", "運營與銀行"),
        ("綠(lǜ)色", "綠色"),
        ("客戶成功(CSM)、價值(LTV)", "客戶成功(CSM)、價值(LTV)"),
        ("(一)基礎(推荐)共(20分)", "(一)基礎(推荐)共(20分)"),
        ("答复(ok)后关闭", "答复(ok)后关闭"),
    ],
)
def test_only_a_reading_of_the_character_before_it_goes(text: str, bare: str) -> None:
    assert drop_pronunciations(text) == bare


def test_bullets_become_lines_without_stars() -> None:
    cleaned = clean("目标包括:-知识目标:掌握平台规则。-技能目标:会看报表。\n-**组织保障**:由总监负责")
    assert cleaned.text.splitlines() == [
        "目标包括:",
        "- 知识目标:掌握平台规则。",
        "- 技能目标:会看报表。",
        "- 组织保障:由总监负责",
    ]


def test_a_title_said_twice_is_said_once() -> None:
    assert clean("培训方案\n培訓方案\n正文。").text == "培训方案\n正文。"


def test_the_script_of_the_author_is_kept() -> None:
    assert clean("產品運營培訓").text == "產品運營培訓"
