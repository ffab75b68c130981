import pytest

from knowledge.text import fold, sentences, terms


def test_folding_makes_scripts_widths_and_cases_equal() -> None:
    assert fold("獲取ＲＯＩ：２０％") == fold("获取roi:20%") == "获取roi:20%"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("他说：“走吧。”然后走了！好", ["他说：“走吧。”", "然后走了！", "好"]),
        ("毛利6.5万元。涨了12.3%", ["毛利6.5万元。", "涨了12.3%"]),
        ("第一行\n\n第二行", ["第一行", "第二行"]),
        ("", []),
    ],
)
def test_sentences_keep_their_marks(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_terms_are_bigrams_and_whole_words_and_numbers() -> None:
    assert terms("流失率≤15% GMV达3.3") == ["流失", "失率", "15%", "gmv", "达", "3.3"]
