import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from knowledge.redact import Masked, Span, find, mask, unmask


def _found(text: str) -> list[tuple[str, str]]:
    return [(span.kind, span.text) for span in find(text)]


# Check characters by hand (GB 11643: weights 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2; the sum's remainder by 11 picks from
# 10X98765432): 11010119900307002 sums to 156, remainder 2, X; 33010619900315001 to 206, remainder 8, so 4.
# Luhn by hand: in 4111111111111111 the doubled digits come to 8 + 7 * 2, the others to 8, 30 in all.
@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("您好，我手机是13800001234，麻烦查下", "mobile", "13800001234"),
        ("打138 0000 5678，別打座機", "mobile", "138 0000 5678"),
        ("号码139-0000-2468是我", "mobile", "139-0000-2468"),
        ("请回电+86 13700002233谢谢", "mobile", "+86 13700002233"),
        ("收货电话：１３８００００２２３３", "mobile", "１３８００００２２３３"),
        ("幺三七零零零零一二三四，记一下", "mobile", "幺三七零零零零一二三四"),
        ("微信同号13300006677", "mobile", "13300006677"),
        ("打17000001234转5678", "mobile", "17000001234转5678"),
        ("座机0571-88001234，上班都在", "landline", "0571-88001234"),
        ("前台（020）38001234", "landline", "（020）38001234"),
        ("财务是021-60001234转801", "landline", "021-60001234转801"),
        ("辦公室電話：0755-82001234 分機 603", "landline", "0755-82001234 分機 603"),
        ("热线400-800-1234没人接", "landline", "400-800-1234"),
        ("门店座机87001234", "landline", "87001234"),
        ("身份证11010119900307002X，实名", "id_card", "11010119900307002X"),
        ("330106 19900315 0014是我的", "id_card", "330106 19900315 0014"),
        # a slip in the last digit, behind the word
        ("身份证330106199003150011", "id_card", "330106199003150011"),
        ("退到4111 1111 1111 1111可以吗", "bank_card", "4111 1111 1111 1111"),
        ("邮箱wang.test01@example.com，发这里", "email", "wang.test01@example.com"),
        ("邮箱ｄｅｍｏ＠ｅｘａｍｐｌｅ．ｃｏｍ收不到", "email", "ｄｅｍｏ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
        ("13800001234@139.com是邮箱", "email", "13800001234@139.com"),
        ("加我微信demo_wx2024", "wechat", "demo_wx2024"),
        ("微信號：ceshikehu", "wechat", "ceshikehu"),
        ("ＶＸ：test_hao88", "wechat", "test_hao88"),
        ("laoban_demo这是我微信", "wechat", "laoban_demo"),
        ("扣扣：100004567，在线", "qq", "100004567"),
        ("200000678（QQ），备注对账", "qq", "200000678"),
        ("车牌浙A12345，扣重了", "plate", "浙A12345"),
        ("滬AD12345是新能源", "plate", "滬AD12345"),
        ("鲁B1234挂进不去", "plate", "鲁B1234挂"),
        ("寄到浙江省杭州市西湖区文三路188号6幢2单元501室", "address", "浙江省杭州市西湖区文三路188号6幢2单元501室"),
        ("送貨地址：廣東省廣州市天河區體育東路138號1208室", "address", "廣東省廣州市天河區體育東路138號1208室"),
        ("我住幸福小区12栋3单元201，门口有水果店", "address", "幸福小区12栋3单元201"),
        ("在李家村三组18号，能到吗", "address", "李家村三组18号"),
        ("收件人：李测试，放门口", "name", "李测试"),
        ("您好我叫马晓峰想问退款", "name", "马晓峰"),
        ("欧阳雪莹女士您好", "name", "欧阳雪莹"),
        ("姓名:阿依努尔·买买提", "name", "阿依努尔·买买提"),
    ],
)
def test_what_is_personal_is_found_as_it_is_written(text: str, kind: str, value: str) -> None:
    at = text.index(value)
    assert find(text) == [Span(at, at + len(value), kind, value)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "订单号202406121234567890，什么时候发货",
        "订单号：13800001234",
        "运单号SF1380000123456还没更新",
        "总价13800元，定金15%，预算15000000000元",
        "2024年6月18日20:00开抢，2024.06.01-2024.06.20",
        "ISBN 978-7-111-12345-6，SKU 6900000123456",
        "发票号码12345678，税号91330100MA00000000X",
        "服务器192.168.1.100，版本3.12.1380",
        "拨打10086或者12315",
        "微信同号，微信支付，微信Android版",
        "QQ群123456789，QQ会员88元",
        "西湖区那家店，文三路堵车，从杭州发货",
        "解放路8号开业，5栋有电梯吗",
        "粤B牌限行吗，全新A12345型热水器",
        "王女士，李总，小张，谢谢老师",
        "我是安徽的，我是高级会员，我是老客户",
        "联系人：王先生，收件人：客服部",
        # one off: the last digit should be 4
        "330106199003150011",
        # born on 30 February, the sum 140 and its 4 are right
        "110101199002300014",
        # fails Luhn
        "4111 1111 1111 1112",
        # no such prefix
        "12800001234",
    ],
)
def test_what_only_looks_personal_is_left(text: str) -> None:
    assert _found(text) == []


def test_a_pasted_delivery_label() -> None:
    text = "张伟，138-0000-1111，上海市静安区南京西路1266号1座3201"
    assert _found(text) == [
        ("name", "张伟"),
        ("mobile", "138-0000-1111"),
        ("address", "上海市静安区南京西路1266号1座3201"),
    ]


def test_lists_of_numbers() -> None:
    assert _found("13800001111,13800002222、13800003333/13800004444-13800005555") == [
        ("mobile", f"1380000{n}{n}{n}{n}") for n in range(1, 6)
    ]
    assert _found("1.13800001111\n2.13800002222") == [("mobile", "13800001111"), ("mobile", "13800002222")]


def test_one_value_one_placeholder() -> None:
    masked = mask("打13800001234或13900005678，就是13800001234，邮箱a.b@example.com")
    assert masked == Masked(
        "打〔手机号1〕或〔手机号2〕，就是〔手机号1〕，邮箱〔邮箱1〕",
        {"〔手机号1〕": "13800001234", "〔手机号2〕": "13900005678", "〔邮箱1〕": "a.b@example.com"},
    )


def test_a_placeholder_that_was_there_before_stays_itself() -> None:
    text = "〔手机号1〕是占位，真的是13800001234"
    masked = mask(text)
    assert masked.text == "〔手机号1〕是占位，真的是〔手机号2〕"
    assert unmask(masked.text, masked.originals) == text


def test_unmasking_an_answer_restores_only_what_is_known() -> None:
    assert (
        unmask("给〔手机号1〕发了，〔手机号7〕没发", {"〔手机号1〕": "13800001234"})
        == "给13800001234发了，〔手机号7〕没发"
    )


_PIECES = st.sampled_from(
    [
        *(
            "13800001234",
            "138 0000 5678",
            "0571-88001234",
            "11010119900307002X",
            "4111111111111111",
            "a@b.cn",
            "浙A12345",
        ),
        *(
            "微信demo_wx1",
            "QQ100004567",
            "文三路188号3幢501",
            "姓名：李测试",
            "〔手机号1〕",
            "〔手机号",
            "1〕",
            "〔姓名2〕",
        ),
        *("，", "。", " ", "\n", "的", "İ", "㎡", "①", "１３８", "號", "幺三八", "A", "1"),
    ]
)


@given(st.one_of(st.text(), st.lists(_PIECES, max_size=12).map("".join)))
@example("〔手机号〔手机号1〕13800001234")
@example("İ13800001234")
def test_masking_and_unmasking_is_the_identity(text: str) -> None:
    masked = mask(text)
    assert unmask(masked.text, masked.originals) == text
    spans = find(text)
    assert all(text[s.start : s.end] == s.text and s.start < s.end for s in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert set(masked.originals.values()) == {s.text for s in spans}


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1 ",
        "6222 ",
        "138-",
        "a.",
        "a@",
        "微信a",
        "qq:1",
        "1栋",
        "1号好",
        "路1 ",
        "杭州市西湖区",
        "我是王",
        "王小女士",
        "姓名:",
        "〔",
    ],
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begun = time.process_time()
    find(text)
    assert time.process_time() - begun < 3
