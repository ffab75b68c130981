import pytest

from knowledge.outline import lines, sections, split_title


def test_headings_run_together_in_one_line() -> None:
    text = (
        "第1章培训体系与目标一、培训总体目标1.1培训目标的实现路径本培训体系通过三位一体的模式。"
        "1.2培训目标的量化指标为确保目标实现，市场规模6.5万亿元，同比增长12.3%。二、培训内容与课程设置"
        "2.1课程体系构建本课程体系以平台运营为核心。第2章电商运营基础技能一、平台运营基础概念"
        "1.1平台运营概述平台运营是桥梁。"
    )
    assert [(section.heading, section.text) for section in sections(text) if section.text] == [
        (
            ("第1章培训体系与目标", "一、培训总体目标", "1.1 培训目标的实现路径"),
            "本培训体系通过三位一体的模式。",
        ),
        (
            ("第1章培训体系与目标", "一、培训总体目标", "1.2 培训目标的量化指标"),
            "为确保目标实现，市场规模6.5万亿元，同比增长12.3%。",
        ),
        (
            ("第1章培训体系与目标", "二、培训内容与课程设置", "2.1 课程体系构建"),
            "本课程体系以平台运营为核心。",
        ),
        (
            ("第2章电商运营基础技能", "一、平台运营基础概念", "1.1 平台运营概述"),
            "平台运营是桥梁。",
        ),
    ]


@pytest.mark.parametrize(
    "prose",
    [
        "2024年市场规模6.5万亿元，增长12.3%，占比1.1个百分点。",
        "如第三章所述，星期一、星期二都可以，比例为1.2倍。",
        "1-3年经验的员工，2025年1.5万人参训。",
    ],
)
def test_numbers_in_prose_are_no_headings(prose: str) -> None:
    assert [section.heading for section in sections(prose)] == [()]


def test_numbered_lines_nest() -> None:
    text = "一、项目概述\n1.1背景\n1.1.1现状\n行业在增长。\n1.1.2问题\n人手不足。\n1.2目的\n降低流失。"
    assert [section.heading for section in sections(text) if section.text] == [
        ("一、项目概述", "1.1 背景", "1.1.1 现状"),
        ("一、项目概述", "1.1 背景", "1.1.2 问题"),
        ("一、项目概述", "1.2 目的"),
    ]


def test_roman_chapters_and_round_brackets() -> None:
    text = "第VIII章持续发展\n（一）学习机制\n每月一次。\n（二）认证\n每年一次。"
    assert [section.heading for section in sections(text) if section.text] == [
        ("第VIII章持续发展", "（一）学习机制"),
        ("第VIII章持续发展", "（二）认证"),
    ]


def test_markdown_is_taken_at_its_word() -> None:
    text = "# 案例\n## 情境\n1. 客户来电\n2. 要求退款\n```\n# 注释\n```\n## 做法\n先听。"
    assert [(s.heading, s.text) for s in sections(text) if s.text] == [
        (("案例", "情境"), "1. 客户来电\n2. 要求退款\n```\n# 注释\n```"),
        (("案例", "做法"), "先听。"),
    ]


@pytest.mark.parametrize(
    ("text", "title", "rest"),
    [
        ("品牌建设的策略与路径品牌建设是驱动力。", "品牌建设的策略与路径", "品牌建设是驱动力。"),
        ("打造知识库系统-收集整理典型案例,形成沉淀", "打造知识库系统", "-收集整理典型案例,形成沉淀"),
        ("为什么要做培训?桥接产品与用户。", "为什么要做培训?", "桥接产品与用户。"),
        ("培训方案\n正文。", "培训方案", "正文。"),
    ],
)
def test_a_title_ends_where_the_prose_begins(text: str, title: str, rest: str) -> None:
    assert split_title(text) == (title, rest)


def test_without_a_sign_the_opening_words_stay_in_the_prose() -> None:
    text = "他们说这个月人手一直很紧张所以没法再往下推了。"
    title, rest = split_title(text)
    assert text.startswith(title)
    assert rest == text


def test_ranges_are_not_bullets_and_an_opening_clause_is_not_title() -> None:
    assert lines("新员工能力层(入职0-12个月):聚焦工具") == ["新员工能力层(入职0-12个月):聚焦工具"]
    assert split_title("培训效果评估指标评估指标主要包括:-知识掌握度:看成绩") == (
        "培训效果评估指标",
        "评估指标主要包括:-知识掌握度:看成绩",
    )
