import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pptx import Presentation
from pptx.util import Inches

from knowledge.convert import Converted, ConvertError, to_text

SCANNED: list[tuple[float, float, str]] = []


def pdf(path: Path, *pages: list[tuple[float, float, str]], trailer: str = "", turn: int = 0) -> Path:
    """A PDF of A4 pages in 12 point type; each text is given by its left, its baseline and its characters."""
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [4 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /W [1 [500] 2 95 500]"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
    ]
    for page in pages:
        shown = "\n".join(
            f"BT /F1 12 Tf 1 0 0 1 {left} {base} Tm <{text.encode('utf-16-be').hex()}> Tj ET"
            for left, base, text in page
        )
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate {turn} /Contents {len(objects) + 2} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream")
    written, places = "%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    path.write_bytes(
        (
            f"{written}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{len(written)}\n%%EOF\n"
        ).encode("latin-1")
    )
    return path


def paragraph(top: float, *lines: str, left: float = 90, indent: float = 24) -> list[tuple[float, float, str]]:
    """Lines 18 points apart, the first of them indented."""
    return [(left + (indent if not n else 0), top - 18 * n, line) for n, line in enumerate(lines)]


def docx(path: Path, fill: Callable[[Any], None]) -> Path:
    document = Document()
    fill(document)
    document.save(str(path))
    return path


def pptx(path: Path, fill: Callable[[Any], None]) -> Path:
    presentation = Presentation()
    fill(presentation)
    presentation.save(str(path))
    return path


def some_docx(path: Path) -> Path:
    return docx(path, lambda document: document.add_paragraph("先听后问。"))


def some_pptx(path: Path) -> Path:
    def fill(presentation: Any) -> None:
        presentation.slides.add_slide(presentation.slide_layouts[0]).shapes.title.text = "先听后问"

    return pptx(path, fill)


# --- PDF


def test_wrapped_lines_are_joined_and_paragraphs_kept(tmp_path: Path) -> None:
    path = pdf(
        tmp_path / "a.pdf",
        [
            (200, 780, "客户服务手册"),
            *paragraph(
                740,
                "客户说太贵了，先问清楚是和谁比，是总价还是单价。我们的",
                "做法是先听完，再复述，最后给出可以核实的证据，并约定下一步。",
                "谈完要写记录。",
            ),
            *paragraph(686, "不要马上降价，也不要否定客户的感受，系统里要记下客户的", "原话。"),
            *paragraph(
                632,
                "The agent listens first, restates the worry as the cus-",
                "tomer put it, and only then offers an answer that can be",
                "checked.",
                indent=0,
            ),
        ],
    )
    assert to_text(path) == Converted(
        "客户服务手册\n"
        "客户说太贵了，先问清楚是和谁比，是总价还是单价。我们的做法是先听完，再复述，最后给出可以核实的证据，并约定下一步。谈完要写记录。\n"
        "不要马上降价，也不要否定客户的感受，系统里要记下客户的原话。\n"
        "The agent listens first, restates the worry as the customer put it, and only then offers an answer that can "
        "be checked."
    )


def test_lists_and_speakers_start_lines_of_their_own(tmp_path: Path) -> None:
    full = "这一行写到了栏的尽头没有剩下一个字的地方了所以看起来像是折行的样子"
    path = pdf(
        tmp_path / "a.pdf",
        paragraph(740, f"• {full}", f"• {full}", f"1. {full}", f"（二）{full}", f"客户：{full}", full, indent=0),
    )
    assert to_text(path).text == f"- {full}\n- {full}\n1. {full}\n（二）{full}\n客户：{full}{full}"


def test_short_lines_stay_lines(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", paragraph(740, "先听", "后问", "再答", indent=0))
    assert to_text(path).text == "先听\n后问\n再答"


def test_running_lines_go_and_a_paragraph_goes_on_overleaf(tmp_path: Path) -> None:
    def page(number: int, *lines: str) -> list[tuple[float, float, str]]:
        return [(90, 800, "客服手册 2025 版"), *paragraph(740, *lines, indent=0), (280, 40, f"第 {number} 页 共 3 页")]

    path = pdf(
        tmp_path / "a.pdf",
        page(1, "客户说太贵了，先问清楚是和谁比，是总价还是单价。我们的做法是"),
        page(2, "先听完，再复述。"),
        page(3, "2025 年起执行。"),
    )
    assert to_text(path).text == (
        "客户说太贵了，先问清楚是和谁比，是总价还是单价。我们的做法是先听完，再复述。\n2025 年起执行。"
    )


def test_numbers_that_stand_alike_on_each_page_stay(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", *([(90, 740, f"订单 {number}")] for number in (17, 4, 9, 30)))
    assert to_text(path).text == "订单 17\n订单 4\n订单 9\n订单 30"


def test_a_turned_page_is_read_as_it_is_seen(tmp_path: Path) -> None:
    # What is written upwards on a page turned by 90 degrees is read from left to right.
    path = pdf(
        tmp_path / "a.pdf",
        paragraph(740, "客户说太贵了，先问清楚是和谁比，是总价还是单价。我们的做法", "是先听。", indent=0),
    )
    turned = path.read_bytes().replace(b"/Rotate 0", b"/Rotate 90").replace(b"1 0 0 1 90 7", b"0 1 -1 0 90 0")
    path.write_bytes(turned.replace(b"0 1 -1 0 90 040", b"0 1 -1 0 90 040").replace(b"90 022", b"108 040"))
    assert to_text(path).text == "客户说太贵了，先问清楚是和谁比，是总价还是单价。我们的做法是先听。"


def test_pages_without_text_are_counted(tmp_path: Path) -> None:
    stamped = [(90.0, 20.0, "扫描件")]
    path = pdf(tmp_path / "a.pdf", [(90, 740, "先听后问。")], SCANNED, SCANNED)
    assert to_text(path) == Converted("先听后问。", "2 of 3 pages hold no text (scanned?)")
    with pytest.raises(ConvertError, match=r"^holds no text: 12 scanned pages; run OCR first$"):
        to_text(pdf(tmp_path / "b.pdf", *[SCANNED] * 12))
    with pytest.raises(ConvertError, match="holds no text: 4 scanned pages"):
        to_text(pdf(tmp_path / "c.pdf", *[stamped] * 4))


def test_radicals_become_the_characters_they_stand_for(tmp_path: Path) -> None:
    assert to_text(pdf(tmp_path / "a.pdf", [(90, 740, "⽤⼾进⻔说⻓说短")])).text == "用户进门说长说短"


def test_letters_without_a_meaning_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match="does not say which letters"):
        to_text(pdf(tmp_path / "a.pdf", [(90, 740, "\ue001\ue002\ue003\ue004字")]))


def test_a_locked_pdf_says_so(tmp_path: Path) -> None:
    keys = f"/O <{'41' * 32}> /U <{'42' * 32}>"
    lock = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -44 {keys} >> /ID [<00> <00>]"
    with pytest.raises(ConvertError, match=r"^is protected by a password$"):
        to_text(pdf(tmp_path / "a.pdf", [(90, 740, "先听。")], trailer=lock))


def test_a_pdf_of_too_many_pages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match=r"has 3,001 pages; at most 3,000 are read, so split it"):
        to_text(pdf(tmp_path / "a.pdf", *[SCANNED] * 3_001))


def test_a_cut_off_pdf_is_damaged(tmp_path: Path) -> None:
    path = pdf(tmp_path / "a.pdf", *[[(90, 740, "先听后问。" * 5)]] * 60)
    data = path.read_bytes()
    for share in (0.05, 0.5, 0.99):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(ConvertError, match="is damaged"):
            to_text(path)


# --- DOCX


def test_a_word_document_becomes_markdown(tmp_path: Path) -> None:
    def fill(document: Any) -> None:
        document.add_heading("客服手册", 0)
        document.add_heading("价格异议", 1)
        document.add_paragraph("先听。\n再问。")
        document.add_paragraph("复述", "List Bullet")
        document.add_paragraph("追问", "List Number")
        document.add_heading("指标", 2)
        table = document.add_table(3, 3)
        for row, texts in zip(
            table.rows, [("指标", "目标", ""), ("响应", "30|60 秒", "当天"), ("", "95%", "")], strict=True
        ):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
        table.cell(1, 0).merge(table.cell(2, 0))
        table.cell(0, 1).merge(table.cell(0, 2))
        document.sections[0].header.paragraphs[0].text = "某某公司"
        document.add_paragraph("完。")

    assert to_text(docx(tmp_path / "a.docx", fill)) == Converted(
        "# 客服手册\n\n## 价格异议\n\n先听。\n再问。\n\n- 复述\n- 追问\n\n### 指标\n\n"
        "| 指标 | 目标 |  |\n| --- | --- | --- |\n| 响应 | 30\\|60 秒 | 当天 |\n| 响应 | 95% |  |\n\n完。"
    )


def test_headings_are_known_by_style_level_and_ancestry(tmp_path: Path) -> None:
    def fill(document: Any) -> None:
        document.styles.add_style("标题 2", WD_STYLE_TYPE.PARAGRAPH)
        document.styles.add_style("章名", WD_STYLE_TYPE.PARAGRAPH).base_style = document.styles["Heading 1"]
        document.add_paragraph("第一章", "章名")
        document.add_paragraph("第一节", "标题 2")
        direct = document.add_paragraph("小节")
        direct._p.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {nsdecls("w")} w:val="2"/>'))
        document.add_paragraph("正文。")

    assert to_text(docx(tmp_path / "a.docx", fill)).text == "# 第一章\n\n## 第一节\n\n### 小节\n\n正文。"


def test_only_what_a_reader_sees_is_read(tmp_path: Path) -> None:
    def fill(document: Any) -> None:
        document.styles.add_style("toc 1", WD_STYLE_TYPE.PARAGRAPH)
        document.add_paragraph("价格异议\t3", "toc 1")
        body = document.add_paragraph("先")._p
        for run in (
            "<w:ins><w:r><w:t>听</w:t></w:r></w:ins>",
            "<w:del><w:r><w:delText>答</w:delText></w:r></w:del>",
            "<w:r><w:rPr><w:vanish/></w:rPr><w:t>藏</w:t></w:r>",
            '<w:hyperlink r:id="rId99"><w:r><w:t>后</w:t></w:r></w:hyperlink>',
            '<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>INCLUDETEXT x</w:instrText></w:r>',
            "<w:smartTag><w:r><w:t>问</w:t></w:r></w:smartTag>",
        ):
            body.append(parse_xml(run.replace(">", f" {nsdecls('w', 'r')}>", 1)))
        boxed = (
            f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>控件里的话</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        )
        document.element.body.insert(-1, parse_xml(boxed))
        content = "<w:txbxContent><w:p><w:r><w:t>框里的话</w:t></w:r></w:p></w:txbxContent>"
        document.add_paragraph()._p.append(
            parse_xml(
                f'<w:r {nsdecls("w")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
                f'<mc:AlternateContent><mc:Choice Requires="wps">{content}</mc:Choice>'
                f"<mc:Fallback>{content}</mc:Fallback></mc:AlternateContent></w:r>"
            )
        )

    assert to_text(docx(tmp_path / "a.docx", fill)).text == "先听后问\n\n控件里的话\n\n框里的话"


def test_a_table_of_one_column_is_a_frame_around_text(tmp_path: Path) -> None:
    def fill(document: Any) -> None:
        document.add_table(1, 1).cell(0, 0).text = "要点：先听。"

    assert to_text(docx(tmp_path / "a.docx", fill)).text == "要点：先听。"


def test_an_empty_word_document_holds_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match="holds no text"):
        to_text(docx(tmp_path / "a.docx", lambda document: document.add_paragraph(" ")))


# --- PPTX


def test_slides_become_sections_with_their_notes(tmp_path: Path) -> None:
    def fill(presentation: Any) -> None:
        cover = presentation.slides.add_slide(presentation.slide_layouts[0])
        cover.shapes.title.text, cover.placeholders[1].text = "客服培训", "讲师版"
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = "价格\v异议"
        slide.placeholders[1].text = "先听\n复述"
        slide.placeholders[1].text_frame.paragraphs[1].level = 1
        slide.notes_slide.notes_text_frame.text = "讲五分钟\n再练"
        bare = presentation.slides.add_slide(presentation.slide_layouts[6])
        for left, top, text in ((5, 1.1, "右"), (1, 1, "左"), (1, 0.2, "上")):
            bare.shapes.add_textbox(Inches(left), Inches(top), Inches(1), Inches(1)).text_frame.text = text
        group = bare.shapes.add_group_shape()
        group.shapes.add_textbox(Inches(1), Inches(3), Inches(1), Inches(1)).text_frame.text = "组"
        cells = bare.shapes.add_table(2, 2, Inches(1), Inches(5), Inches(4), Inches(1)).table
        for number, text in enumerate(("指标", "目标", "响应", "30 秒")):
            cells.cell(number // 2, number % 2).text = text
        presentation.slides.add_slide(presentation.slide_layouts[6])
        hidden = presentation.slides.add_slide(presentation.slide_layouts[0])
        hidden.shapes.title.text = "备用页"
        hidden.element.set("show", "0")

    assert to_text(pptx(tmp_path / "a.pptx", fill)) == Converted(
        "## 客服培训\n\n讲师版\n\n## 价格 异议\n\n- 先听\n  - 复述\n\n备注：讲五分钟\n再练\n\n"
        "## 第 3 页\n\n上\n\n左\n\n右\n\n组\n\n| 指标 | 目标 |\n| --- | --- |\n| 响应 | 30 秒 |",
        "1 of 4 slides holds no text (pictures?); 1 hidden slide left out",
    )


def test_slides_of_pictures_hold_no_text(tmp_path: Path) -> None:
    path = pptx(tmp_path / "a.pptx", lambda deck: deck.slides.add_slide(deck.slide_layouts[6]))
    with pytest.raises(ConvertError, match="holds no text: 1 slide of pictures; run OCR first"):
        to_text(path)
    with pytest.raises(ConvertError, match="holds no slides"):
        to_text(pptx(tmp_path / "b.pptx", lambda deck: None))


# --- hostile files


def repacked(path: Path, part: str, data: bytes) -> Path:
    """The package at `path` with `part` in place of its own, or beside its parts."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()} | {part: data}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path


@pytest.mark.parametrize(("suffix", "make"), [(".docx", some_docx), (".pptx", some_pptx)])
class TestPackages:
    def test_a_package_too_large_or_too_dense_is_refused(
        self, tmp_path: Path, suffix: str, make: Callable[[Path], Path]
    ) -> None:
        path = repacked(make(tmp_path / f"a{suffix}"), "media/a.bin", b"\0" * 40_000_000)
        with pytest.raises(ConvertError, match=r"unpacks to \d+ times its size"):
            to_text(path)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package:
            for number in range(5):
                package.writestr(f"media/{number}.bin", b"\0" * 40_000_000)
        with pytest.raises(ConvertError, match="unpacks to more than 200 MB"):
            to_text(path)

    def test_a_size_declared_too_small_is_found_out(
        self, tmp_path: Path, suffix: str, make: Callable[[Path], Path]
    ) -> None:
        path = repacked(make(tmp_path / f"a{suffix}"), "media/a.bin", b"\0" * 1_234_567)
        data = path.read_bytes()
        assert data.count(struct.pack("<I", 1_234_567)) == 2
        path.write_bytes(data.replace(struct.pack("<I", 1_234_567), struct.pack("<I", 10)))
        with pytest.raises(ConvertError, match="another size than declared"):
            to_text(path)

    def test_a_cut_off_package_is_damaged(self, tmp_path: Path, suffix: str, make: Callable[[Path], Path]) -> None:
        path = make(tmp_path / f"a{suffix}")
        data = path.read_bytes()
        for share in (0.01, 0.5, 0.99):
            path.write_bytes(data[: int(len(data) * share)])
            with pytest.raises(ConvertError, match="is damaged"):
                to_text(path)

    def test_another_file_under_this_name_is_told(
        self, tmp_path: Path, suffix: str, make: Callable[[Path], Path]
    ) -> None:
        path = tmp_path / f"a{suffix}"
        for data, reason in (
            (b"", "is empty"),
            ("只是文字".encode(), "is damaged"),
            (b"\xd0\xcf\x11\xe0" + b"\0" * 600, f"older Office format; save it as {suffix}"),
            (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "is protected by a password"),
        ):
            path.write_bytes(data)
            with pytest.raises(ConvertError, match=reason):
                to_text(path)
        with zipfile.ZipFile(path, "w") as package:
            package.writestr("a.txt", "先听")
        with pytest.raises(ConvertError, match="is damaged"):
            to_text(path)
        other = some_pptx if make is some_docx else some_docx
        with pytest.raises(ConvertError):
            to_text(other(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(tmp_path: Path, encoding: str) -> None:
    xml = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        '<!ENTITY b SYSTEM "file:///etc/passwd">]>'
        f"<w:document {nsdecls('w')}><w:body><w:p><w:r><w:t>&a;&b;</w:t></w:r></w:p></w:body></w:document>"
    )
    path = repacked(some_docx(tmp_path / "a.docx"), "word/document.xml", xml.encode(encoding))
    with pytest.raises(ConvertError, match="declares a document type"):
        to_text(path)


def test_a_document_nested_beyond_reason_is_damaged(tmp_path: Path) -> None:
    depth = 100_000
    opened, closed = "<w:sdt><w:sdtContent>" * depth, "</w:sdtContent></w:sdt>" * depth
    xml = f"<w:document {nsdecls('w')}><w:body>{opened}{closed}</w:body></w:document>"
    with pytest.raises(ConvertError, match="is damaged"):
        to_text(repacked(some_docx(tmp_path / "a.docx"), "word/document.xml", xml.encode()))


def test_a_missing_file_and_another_type_say_so(tmp_path: Path) -> None:
    for name in ("a.pdf", "a.docx", "a.pptx"):
        with pytest.raises(ConvertError, match="cannot be read"):
            to_text(tmp_path / name)
    with pytest.raises(ConvertError, match=r"type \.doc is not read; \.docx, \.pdf, \.pptx are"):
        to_text(tmp_path / "a.doc")
