import pytest

from knowledge.clean import clean
from knowledge.misaligned import AFTER_FULL_STOP, DIGITS, LOST, WORDS, mend


@pytest.mark.parametrize(
    ("damaged", "restored"),
    [
        # a pronunciation between two bytes: it tells the character it split
        ("存儲(chǔ)、使用、傳輸?shù)拳h(huán)節(jié)符合", "存儲、使用、傳輸等環節符合"),
        ("團(tuán)隊(duì)?wèi)?yīng)定期召開", "團隊應定期召開"),
        ("概念走向?qū)嵺`,2024年", "概念走向實踐,2024年"),
        ("獲獎?wù)攉@得CEO親筆表彰", "獲獎者獲得CEO親筆表彰"),
        # a first byte lost: the word tells it
        ("-流量獲?。和ㄟ^搜索引擎優(yōu)化(SEO)", "- 流量獲取:通過搜索引擎優化(SEO)"),
        ("確?；顒?dòng)效果最大化".replace("；", ";"), "確保活動效果最大化"),
        ("響應(yīng)流程”,確??蛻糇稍?cè)?4小時(shí)內(nèi)", "響應流程”,確保客戶咨詢在24小時內"),
        ("關(guān)鍵領(lǐng)域??己藰?biāo)準(zhǔn)", "關鍵領域。考核標準"),
        ("供應(yīng)鏈?zhǔn)欠窳鲿?、庫存周轉(zhuǎn)率", "供應鏈是否流暢、庫存周轉率"),
        ("拆解為“知識點顆?!?,實現(xiàn)跨課程", "拆解為“知識點顆粒”,實現跨課程"),
        ("引導(dǎo)?！丁笆\ue1a2奈濉睌?shù)字政府", "引導。《“十四五”數字政府"),
    ],
)
def test_what_is_certain_is_restored(damaged: str, restored: str) -> None:
    cleaned = clean(damaged.replace("！", "!"))
    assert (cleaned.text, cleaned.lost) == (restored, 0)
    assert cleaned.mended >= 1


def test_a_swallowed_digit_is_marked_and_counted_not_guessed() -> None:
    cleaned = clean("2025年計劃新增AI營銷領(lǐng)域?qū)<?0名。")
    assert cleaned.text == f"2025年計劃新增AI營銷領域專家{LOST}0名。"
    assert cleaned.lost == 1


def test_a_private_character_alone_is_lost() -> None:
    assert mend("其中\ue123一項") == (f"其中{LOST}一項", 0, 1)


@pytest.mark.parametrize("text", ["为什么要做运营培训?桥接产品与用户", "真的吗?好!", "多少钱?(含税)", "A?b) 选项", "?"])
def test_a_real_question_mark_stays(text: str) -> None:
    assert mend(text) == (text, 0, 0)


@pytest.mark.parametrize(
    ("meant", "line"),
    [*WORDS.items(), *AFTER_FULL_STOP.items(), *((f"在{digit}4", line) for _, digit, line in DIGITS)],
)
def test_each_table_entry_mends_its_own_example(meant: str, line: str) -> None:
    assert meant in clean(line.replace("；", ";").replace("！", "!")).text
