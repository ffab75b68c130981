import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from knowledge.table import Row, TableError, rows

CSV = "标题,岗位,正文\n嫌贵,销售,先问清楚和谁比。\n退款,客服,先核对订单。\n"


def workbook(path: Path, fill: Callable[[Any], None]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        fill(book)
    return path


def sheet(path: Path, *lines: list[Any]) -> Path:
    def fill(book: Any) -> None:
        page = book.add_worksheet("案例")
        for number, line in enumerate(lines):
            page.write_row(number, 0, line)

    return workbook(path, fill)


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def changed(path: Path, part: str, change: Callable[[str], str]) -> Path:
    """The package at `path` with one of its parts rewritten."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert part in parts
    parts[part] = change(parts[part].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return path


# --- what a row becomes


def test_columns_and_values_get_their_ids(tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "a.xlsx",
        [
            "案例编号",
            "类型",
            "案例标题",
            "适用岗位（必填）",
            "行业",
            "难度",
            "技能标签",
            "来源",
            "年份",
            "预计用时",
            "语种",
            "内容",
        ],
        [
            "Case-01",
            "案例",
            "嫌贵",
            "销售",
            "美妆",
            "中级",
            "异议处理，谈判、SPIN",
            "内训",
            2025.0,
            "8 分钟",
            "中文",
            "先问。",
        ],
    )
    assert rows(path) == [
        Row(
            2,
            {
                "id": "case-01",
                "kind": "case",
                "title": "嫌贵",
                "role": "sales",
                "industry": "beauty",
                "tier": "middle",
                "skills": "objection-handling、negotiation、SPIN",
                "source": "内训",
                "year": "2025",
                "minutes": "8",
                "language": "zh",
                "body": "先问。",
            },
        )
    ]


def test_english_and_traditional_headers_are_known(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", "Title,Role,Level,Body\nPrice,Customer Service,hard,Ask first.\n")
    assert rows(path)[0].fields == {"title": "Price", "role": "support", "tier": "senior", "body": "Ask first."}
    path = text(tmp_path / "b.csv", "標題,崗位,內容\n嫌貴,銷售,先問。\n")
    assert rows(path)[0].fields == {"title": "嫌貴", "role": "sales", "body": "先問。"}


def test_the_body_is_written_in_one_order_and_nothing_is_lost(tmp_path: Path) -> None:
    path = text(
        tmp_path / "a.csv",
        "标题,门店,讨论题,结局,聊天记录,备用,背景,案例内容,序号\n嫌贵,城西店,怎么答？,签约,甲：贵。,,烘焙店,概述。,7\n",
    )
    assert rows(path)[0].fields["body"] == (
        "概述。\n\n## 情境\n烘焙店\n\n## 现场对话\n甲：贵。\n\n## 结果\n签约\n\n## 讨论\n怎么答？\n\n## 门店\n城西店"
    )


def test_of_two_columns_for_a_field_the_better_name_wins(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", "问题,标题,正文\n太贵怎么办,嫌贵,先问。\n何时发货,,当天。\n")
    first, second = rows(path)
    assert first.fields == {"title": "嫌贵", "body": "先问。\n\n## 问题\n太贵怎么办"}
    assert second.fields == {"title": "何时发货", "body": "当天。"}


def test_a_cell_that_says_nothing_gives_no_field(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", "标题,岗位,年份,正文\n嫌贵,/,无,先问。\n")
    assert rows(path)[0].fields == {"title": "嫌贵", "body": "先问。"}


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("岗位", "前台", r"'前台' is none of 销售 \(sales\), 客服 \(support\), 运营 \(operations\), 通用 \(common\)"),
        ("级别", "P7", "is none of 初级"),
        ("类型", "诗", "is none of 案例"),
        ("语言", "法语", "is none of 中文"),
        ("年份", "去年", "is no year"),
        ("年份", "20250304", "is no year"),
        ("时长", "半小时", "is no number of minutes"),
        ("编号", "案例一", "may hold a to z"),
    ],
)
def test_an_unknown_value_is_named_with_its_place(tmp_path: Path, header: str, value: str, reason: str) -> None:
    path = text(tmp_path / "a.csv", f"标题,{header},正文\n嫌贵,,先问。\n退款,{value},核对。\n")
    with pytest.raises(TableError, match=f"^row 3, column {header}: .*{reason}"):
        rows(path)


def test_five_problems_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", "标题,正文\n" + "".join(f"第{n}例,\n" for n in range(7)))
    with pytest.raises(TableError) as error:
        rows(path)
    assert str(error.value) == (
        "row 2: has no body; row 3: has no body; row 4: has no body; row 5: has no body; row 6: has no body; and 2 more"
    )


def test_a_row_needs_a_title_and_an_id_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"^row 2: has no title$"):
        rows(text(tmp_path / "a.csv", "标题,正文\n,先问。\n"))
    with pytest.raises(TableError, match=r"^row 4: id 'a-1' is already taken by row 2$"):
        rows(text(tmp_path / "b.csv", "编号,标题,正文\nA-1,甲,一\na-2,乙,二\na-1,丙,三\n"))


# --- CSV


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encoding_and_delimiter_are_found(tmp_path: Path, encoding: str, delimiter: str) -> None:
    found = rows(text(tmp_path / "a.csv", CSV.replace(",", delimiter), encoding))
    assert [(row.number, row.fields["title"], row.fields["role"]) for row in found] == [
        (2, "嫌贵", "sales"),
        (3, "退款", "support"),
    ]


def test_big5_is_found(tmp_path: Path) -> None:
    found = rows(text(tmp_path / "a.csv", "標題,崗位,內容\n嫌貴,銷售,先問清楚。\n", "big5"))
    assert found[0].fields == {"title": "嫌貴", "role": "sales", "body": "先問清楚。"}


def test_cells_may_hold_lines_delimiters_and_quotation_marks(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", '标题,正文\r\n\r\n"嫌""贵""","甲：贵,太贵\r\n乙：和谁比？"\r\n')
    assert rows(path) == [Row(3, {"title": '嫌"贵"', "body": "甲：贵,太贵\n乙：和谁比？"})]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02", "is binary"),
        (b"\x81 \xff\xff", "is neither text in UTF-8"),
        ("甲,乙\n1,2\n".encode(), "has no header row"),
        ("标题,正文\n".encode(), "has no rows below its header"),
        ('标题,正文\n嫌贵,"先问\n退款,核对\n'.encode(), "row 2: cannot be taken apart"),
        (("标题,正文\n嫌贵," + "长" * 1_000_001).encode(), "row 2: cannot be taken apart"),
        ("标题,正文\n".encode() + b"a,b\n" * 50_001, "has more than 50,000 rows"),
    ],
)
def test_a_csv_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match=reason):
        rows(path)


def test_a_missing_file_and_another_type_say_so(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be read"):
        rows(tmp_path / "none.csv")
    with pytest.raises(TableError, match=r"type .xls is not read"):
        rows(tmp_path / "none.xls")


@given(st.lists(st.tuples(st.text('标题甲乙a,;\t"\n ', min_size=1), st.text('先问b,;\t"\n', min_size=1)), max_size=6))
def test_what_is_written_as_csv_is_read_again(pairs: list[tuple[str, str]]) -> None:
    kept = [(title, body) for title, body in pairs if title.strip() and body.strip() and title.strip() != "标题"]
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([("案例标题", "案例内容"), *kept, ("末", "尾")])
    with tempfile.TemporaryDirectory() as folder:
        path = text(Path(folder) / "a.csv", buffer.getvalue())
        found = [(row.fields["title"], row.fields["body"]) for row in rows(path)]
    assert found == [(" ".join(title.split()), body.strip()) for title, body in [*kept, ("末", "尾")]]


# --- JSONL


def test_json_lines_are_rows(tmp_path: Path) -> None:
    lines = [
        {
            "title": "嫌贵",
            "role": "sales",
            "skills": ["negotiation", "异议处理"],
            "year": 2025,
            "讨论": ["一？", "二？"],
            "body": "先问。",
        },
        {"标题": "退款", "正文": "核对。", "门店": None, "金额": 12.5},
    ]
    path = text(tmp_path / "a.jsonl", "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "gb18030")
    assert rows(path) == [
        Row(
            1,
            {
                "title": "嫌贵",
                "role": "sales",
                "skills": "negotiation、objection-handling",
                "year": "2025",
                "body": "先问。\n\n## 讨论\n一？\n二？",
            },
        ),
        Row(3, {"title": "退款", "body": "核对。\n\n## 金额\n12.5"}),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('["标题"]', "line 2: is not one JSON object"),
        ('[["标题", "甲"]]', "line 2: is not one JSON object"),
        ('{"标题": "甲"', "line 2: is not one JSON object"),
        ("[" * 100_000, "line 2: is not one JSON object"),
        ('{"标题": "甲", "正文": {"x": 1}}', "line 2, column 正文: holds an object"),
        ('{"标题": "甲", "正文": [["x"]]}', "line 2, column 正文: holds an object"),
        ('{"标题": "甲", "year": ' + "9" * 5000 + "}", "line 2"),
    ],
)
def test_a_line_that_is_no_flat_object_is_refused(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(TableError, match=reason):
        rows(text(tmp_path / "a.jsonl", f'{{"标题": "甲", "正文": "乙"}}\n{line}'))


# --- XLSX


def test_the_header_is_found_below_a_title_and_gaps(tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "a.xlsx",
        ["客服案例汇总"],
        [],
        ["", "标题", "正文"],
        ["", "嫌贵", "先问。"],
        ["", " ", "\u3000"],
        ["", "标题", "正文"],
        ["", "退款", "核对。"],
    )
    assert [(row.number, row.fields["title"]) for row in rows(path)] == [(4, "嫌贵"), (7, "退款")]


def test_values_are_written_as_people_read_them(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        page = book.add_worksheet()
        dated, timed = book.add_format({"num_format": "m月d日"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        page.write_row(0, 0, ["标题", "正文", "乙", "丙", "丁", "戊", "己"])
        page.write_row(1, 0, [2025, 12.5, 0.1 + 0.2, True])
        page.write_datetime(1, 4, date(2025, 3, 4), dated)
        page.write_datetime(1, 5, datetime(2025, 3, 4, 9, 30), timed)
        page.write_formula(1, 6, "=1+1", None, 2)

    assert rows(workbook(tmp_path / "a.xlsx", fill))[0].fields == {
        "title": "2025",
        "body": "12.5\n\n## 乙\n0.3\n\n## 丙\nTRUE\n\n## 丁\n2025-03-04\n\n## 戊\n2025-03-04 09:30\n\n## 己\n2",
    }


def test_a_cell_merged_over_rows_counts_for_each(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        page = book.add_worksheet()
        page.merge_range("A1:C1", "案例汇总")
        page.merge_range("A2:A3", "岗位")
        page.merge_range("B2:C2", "案例")
        page.write_row("B3", ["标题", "正文"])
        page.write_row("A4", ["", "嫌贵", "先问。"])
        page.write_row("A5", ["", "退款", "核对。"])
        page.merge_range("A4:A5", "销售")
        page.write("A6", "客服")
        page.merge_range("B6:C6", "催单")
        page.write("D6", "查物流。")

    found = rows(workbook(tmp_path / "a.xlsx", fill))[:2]
    assert [(row.fields["title"], row.fields["role"]) for row in found] == [("嫌贵", "sales"), ("退款", "sales")]
    # A title merged into the body's column is not said twice, and a column without a header keeps its text.
    assert rows(tmp_path / "a.xlsx")[2].fields == {"role": "support", "title": "催单", "body": "## 第 4 列\n查物流。"}


def test_every_sheet_is_read_but_hidden_and_empty_ones(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        for name in ("销售", "空", "草稿", "客服"):
            page = book.add_worksheet(name)
            if name != "空":
                page.write_column("A1", ["标题", name])
                page.write_column("B1", ["正文", "先问。"])
            if name == "草稿":
                page.hide()

    assert [row.fields["title"] for row in rows(workbook(tmp_path / "a.xlsx", fill))] == ["销售", "客服"]


def test_a_sheet_without_a_header_is_named(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        book.add_worksheet("案例").write_column("A1", ["标题", "甲"])
        book.get_worksheet_by_name("案例").write_column("B1", ["正文", "乙"])
        book.add_worksheet("说明").write("A1", "请按格式填写")

    with pytest.raises(TableError, match=r"^sheet 说明: has no header row"):
        rows(workbook(tmp_path / "a.xlsx", fill))


def test_a_formula_without_a_value_is_named(tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "a.xlsx", ["标题", "正文"], ["嫌贵", "=A2"], ["退款", "=1/0"], ["催单", '=""'], ["换货", "查。"]
    )
    # As programs write that do not calculate, then as Excel writes a failure and an empty text.
    path = changed(
        path,
        "xl/worksheets/sheet1.xml",
        lambda xml: (
            xml.replace("<f>A2</f><v>0</v>", "<f>A2</f><v></v>")
            .replace('<c r="B3"><f>1/0</f><v>0</v>', '<c r="B3" t="e"><f>1/0</f><v>#DIV/0!</v>')
            .replace('<c r="B4"><f>""</f><v>0</v>', '<c r="B4" t="str"><f>""</f><v></v>')
        ),
    )
    with pytest.raises(TableError) as error:
        rows(path)
    assert str(error.value) == (
        "sheet 案例, row 2, column 正文: its formula has no value yet; open the file in Excel or WPS and save it; "
        "sheet 案例, row 3, column 正文: its formula fails (#DIV/0!); sheet 案例, row 4: has no body"
    )


def test_a_far_cell_does_not_fill_the_memory(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        page = book.add_worksheet("案例")
        page.write("A1", "标题")
        page.write("XFD1048576", "x")

    with pytest.raises(TableError, match="reaches to row 1,048,576 and column 16,384"):
        rows(workbook(tmp_path / "a.xlsx", fill))


def test_a_text_shared_by_many_cells_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.xlsx", ["标题", "正文"], *[["嫌贵", "甲"]] * 20_000)
    path = changed(path, "xl/sharedStrings.xml", lambda xml: xml.replace(">甲<", f">{'甲乙' * 10_000}<"))
    with pytest.raises(TableError, match="unpacks to more than 200 MB"):
        rows(path)


def test_merged_cells_beyond_counting_are_refused(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.xlsx", ["标题", "正文"], ["嫌贵", "先问。"])
    ranges = '<mergeCell ref="A1:B1048576"/>' * 10
    path = changed(
        path,
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace("</sheetData>", f"</sheetData><mergeCells>{ranges}</mergeCells>"),
    )
    with pytest.raises(TableError, match="merged cells"):
        rows(path)


def test_entities_are_refused(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.xlsx", ["标题", "正文"], ["嫌贵", "先问。"])
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    path = changed(path, "xl/sharedStrings.xml", lambda xml: xml.replace("<sst", f"{bomb}<sst", 1))
    with pytest.raises(TableError, match="declares a document type"):
        rows(path)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
def test_a_workbook_with_a_broken_part_is_damaged(tmp_path: Path, part: str) -> None:
    path = sheet(tmp_path / "a.xlsx", ["标题", "正文"], ["嫌贵", "先问。"])
    with pytest.raises(TableError, match=r"^is damaged"):
        rows(changed(path, part, lambda xml: xml[: len(xml) // 2]))


def test_a_cut_off_workbook_is_damaged(tmp_path: Path) -> None:
    path = sheet(tmp_path / "a.xlsx", ["标题", "正文"], ["嫌贵", "先问。"])
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(TableError, match=r"^is damaged"):
            rows(path)
