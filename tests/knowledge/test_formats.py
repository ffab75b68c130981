"""A folder as people have it: every format, good and broken, taken in, looked for, and taken in again."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from docx import Document
from fixtures_knowledge import BigramEmbeddings
from pptx import Presentation
from sqlalchemy import create_engine

from knowledge.filters import Filter
from knowledge.index import Index
from knowledge.ingest import FileReport, Ingest, IngestReport
from knowledge.item import Item
from knowledge.ledger import Ledger, metadata
from knowledge.library import Library

# --- making files


def as_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def as_page(path: Path, text: str) -> Path:
    return as_text(path, f"<!doctype html><html><head><title>x</title></head><body><p>{text}</p></body></html>")


def as_pdf(path: Path, text: str) -> Path:
    """One A4 page with one line in 12 point type."""
    shown = f"BT /F1 12 Tf 1 0 0 1 90 740 Tm <{text.encode('utf-16-be').hex()}> Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [5 0 R] /Count 1 >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [4 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R"
        " /Resources << /Font << /F1 3 0 R >> >> >>",
        f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream",
    ]
    written, places = "%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(written))
        written += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"trailer\n<< /Size 7 /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF\n"
    path.write_bytes(f"{written}xref\n0 7\n0000000000 65535 f \n{table}{trailer}".encode("latin-1"))
    return path


def as_docx(path: Path, text: str) -> Path:
    document = Document()
    document.add_paragraph(text)
    document.save(str(path))
    return path


def as_pptx(path: Path, text: str) -> Path:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "培训", text
    presentation.save(str(path))
    return path


def as_sheet(path: Path, *rows: list[Any]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("案例")
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return path


def as_lines(path: Path, *rows: dict[str, Any]) -> Path:
    return as_text(path, "\n".join(json.dumps(row, ensure_ascii=False) for row in rows))


def cut_off(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


FRONT = "---\nid: rule-weighing\nkind: regulation\ntitle: 称重规矩\nrole: operations\nsource: 自编\n---\n"

# What each good file says that no other does, and the item it is found as.
GOOD: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "纯文本.txt": (lambda p: as_text(p, "仓库盘点要两人在场，一人数一人记。"), "盘点两人在场", "doc-f9124b40"),
    "gbk.txt": (lambda p: as_text(p, "发票抬头写错了，先作废再重开。", "gb18030"), "发票抬头写错", "doc-gbk"),
    "notes.md": (lambda p: as_text(p, "# 晨会\n晨会只讲三件事，每件一分钟。"), "晨会讲几件事", "doc-notes"),
    "front.md": (lambda p: as_text(p, f"{FRONT}过磅单要当场签字。"), "过磅单签字", "rule-weighing"),
    "page.html": (lambda p: as_page(p, "直播间话术不许说最低价。"), "直播间最低价", "doc-page"),
    "manual.pdf": (lambda p: as_pdf(p, "保修期内上门检修不收费用。"), "保修期上门检修", "doc-manual"),
    "letter.docx": (lambda p: as_docx(p, "续约谈判先问去年用得怎样。"), "续约谈判先问", "doc-letter"),
    "slides.pptx": (lambda p: as_pptx(p, "冷链断链要立即拍照留证。"), "冷链断链拍照", "doc-slides"),
    "cases.xlsx": (
        lambda p: as_sheet(p, ["标题", "正文"], ["押金", "退押金要核对房卡。"], ["早餐", "早餐券丢了可以补。"]),
        "退押金房卡",
        "doc-cases.2",
    ),
    "rows.csv": (
        lambda p: as_text(p, "编号,标题,正文\nhelmet-1,头盔,骑手头盔每周检查扣件。\n"),
        "骑手头盔扣件",
        "helmet-1",
    ),
    "lines.jsonl": (
        lambda p: as_lines(p, {"标题": "团购", "正文": "社区团购缺货当晚通知团长。"}),
        "团购缺货通知团长",
        "doc-lines.1",
    ),
}

BROKEN: dict[str, tuple[Callable[[Path], Path], str]] = {
    "broken.txt": (lambda p: as_text(p, "\x00\x01\x02"), "is binary, not text"),
    "broken.md": (lambda p: as_text(p, "---\nid: x\nkind: poem\ntitle: 诗\nsource: 自编\n---\n正文。"), "kind: "),
    "broken.html": (lambda p: as_text(p, "<html><script>var a = 1</script></html>"), "nothing is left"),
    "broken.pdf": (lambda p: cut_off(as_pdf(p, "看不到的字。")), "is damaged"),
    "broken.docx": (lambda p: cut_off(as_docx(p, "看不到的字。")), "is damaged"),
    "broken.pptx": (lambda p: cut_off(as_pptx(p, "看不到的字。")), "is damaged"),
    "broken.xlsx": (lambda p: cut_off(as_sheet(p, ["标题", "正文"], ["甲", "乙"])), "is damaged"),
    "broken.csv": (lambda p: as_text(p, '标题,正文\n甲,"乙\n'), "row 2: cannot be taken apart"),
    "broken.jsonl": (lambda p: as_text(p, '{"标题": "甲", "正文": "乙"}\n{"标题": '), "line 2: is not one JSON object"),
    "empty.txt": (lambda p: as_text(p, " \n"), "is empty"),
}


def take_in(library: Library, *paths: Path, **how: Any) -> IngestReport:
    return Ingest(library, "王老师", **how).paths(paths)


def by_name(report: IngestReport) -> dict[str, FileReport]:
    return {file.path.name: file for file in report.files}


def found(library: Library, query: str, **wanted: Any) -> list[str]:
    return [hit.id for hit in library.search(query, 50, Filter(**wanted)).hits]


def ids(library: Library) -> set[str]:
    return {item.id for item in library.index.items()}


# --- every format


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Library, IngestReport]]:
    """A folder with a good and a broken file of every format, taken in."""
    home = tmp_path_factory.mktemp("mixed")
    folder = home / "docs"
    folder.mkdir()
    for name, (good, _, _) in GOOD.items():
        good(folder / name)
    for name, (broken, _) in BROKEN.items():
        broken(folder / name)
    for name in ("photo.jpg", ".hidden.txt", "~$letter.docx"):
        (folder / name).write_bytes(b"x")
    engine = create_engine(f"sqlite:///{home / 'ledger.db'}")
    metadata.create_all(engine)
    index = Index(home / "index", BigramEmbeddings())
    library = Library(Ledger(engine), index)
    yield folder, library, take_in(library, folder)
    index.close()
    engine.dispose()


def test_every_good_file_is_taken_in_and_every_broken_one_refused(
    mixed: tuple[Path, Library, IngestReport],
) -> None:
    _, library, report = mixed
    assert report.counts() == {"added": len(GOOD), "changed": 0, "unchanged": 0, "refused": len(BROKEN)}
    assert report.left_out == 1
    assert {file.path.name for file in report.refused} == set(BROKEN)
    assert [file.path for file in report.files] == sorted(file.path for file in report.files)
    assert sum(file.passages for file in report.files) == library.index.count() == len(GOOD) + 1
    assert library.verify() == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_its_reason(mixed: tuple[Path, Library, IngestReport], name: str) -> None:
    folder, library, report = mixed
    file = by_name(report)[name]
    assert file.reason.startswith(BROKEN[name][1])
    assert str(folder) not in file.reason
    assert (file.items, file.passages) == ((), 0)
    assert library.index.of_file(name) == {}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_found_by_what_it_says(mixed: tuple[Path, Library, IngestReport], name: str) -> None:
    _, library, report = mixed
    _, query, item_id = GOOD[name]
    assert found(library, query)[0] == item_id
    assert item_id in by_name(report)[name].items
    assert library.get(item_id).file == name


def test_taken_in_again_nothing_changes(mixed: tuple[Path, Library, IngestReport]) -> None:
    folder, library, first = mixed
    head = library.ledger.head()
    again = take_in(library, folder)
    assert again.counts() == {"added": 0, "changed": 0, "unchanged": len(GOOD), "refused": len(BROKEN)}
    assert {name: file.items for name, file in by_name(again).items()} == {
        name: tuple(sorted(file.items)) for name, file in by_name(first).items()
    }
    assert library.ledger.head() == head


def test_looking_only_changes_nothing(mixed: tuple[Path, Library, IngestReport], tmp_path: Path) -> None:
    folder, library, _ = mixed
    head, versions = library.ledger.head(), library.index.versions()
    new = as_text(tmp_path / "new.txt", "新来的说明，还没有收进来。")
    changed = as_sheet(tmp_path / "cases.xlsx", ["标题", "正文"], ["押金", "退押金要核对房卡。"])
    report = take_in(library, folder, new, dry_run=True)
    assert report.counts() == {"added": 1, "changed": 0, "unchanged": len(GOOD), "refused": len(BROKEN)}
    (file,) = take_in(library, changed, dry_run=True).files
    assert (file.status, file.removed, file.items, file.passages) == ("changed", 1, ("doc-cases.2",), 0)
    (file,) = take_in(library, new, dry_run=True, draft=True).files
    assert file.status == "added"
    assert (library.ledger.head(), library.index.head) == (head, head)
    assert library.index.versions() == versions


# --- tables


HEAD = ["编号", "标题", "正文"]


def test_a_row_less_takes_its_item_out(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    rows = [
        ["a-1", "押金", "退押金要核对房卡。"],
        ["a-2", "早餐", "早餐券丢了可以补。"],
        ["a-3", "停车", "停车要登记车牌。"],
    ]
    as_sheet(path, HEAD, *rows)
    (file,) = take_in(library, path).files
    assert (file.status, file.items, file.removed) == ("added", ("a-1", "a-2", "a-3"), 0)

    as_sheet(path, HEAD, rows[0], rows[2])
    (file,) = take_in(library, path).files
    assert (file.status, file.items, file.removed) == ("changed", ("a-1", "a-3"), 1)
    assert ids(library) == {"a-1", "a-3"}
    assert "a-2" not in found(library, "早餐券丢了")
    assert library.ledger.last("a-2").action == "remove"  # type: ignore[union-attr]
    assert take_in(library, path).files[0].status == "unchanged"
    assert library.verify() == []


def test_a_table_goes_in_whole_or_not_at_all(library: Library, tmp_path: Path) -> None:
    path = as_text(tmp_path / "a.csv", "编号,标题,岗位,正文\na-1,押金,客服,退押金要核对房卡。\n")
    take_in(library, path)
    as_text(path, "编号,标题,岗位,正文\na-1,押金,客服,新的说法。\na-2,早餐,厨师,早餐券丢了可以补。\n")
    (file,) = take_in(library, path).files
    assert file.status == "refused"
    assert file.reason.startswith("row 3, column 岗位: '厨师' is none of ")
    assert library.get("a-1").body == "退押金要核对房卡。"


def test_a_row_gives_its_own_facts_and_the_rest_is_proposed(library: Library, tmp_path: Path) -> None:
    row = {
        "id": "Full-1",
        "标题": "押金",
        "岗位": "客服",
        "级别": "中级",
        "技能": ["谈判", "x"],
        "年份": 2025,
        "正文": "核对房卡。",
    }
    take_in(library, as_lines(tmp_path / "a.jsonl", row, {"标题": "早餐", "正文": "早餐券可以补。"}))
    first, second = library.get("full-1"), library.get("doc-a.2")
    assert (first.kind, first.role, first.tier, first.year) == ("case", "support", "middle", 2025)
    assert first.skills == ("negotiation", "x")
    assert (first.source, first.file) == ("a.jsonl", "a.jsonl")
    assert first.proposed == ("kind", "industry")
    assert second.proposed == ("kind", "role", "industry", "tier", "skills")


def test_an_id_belongs_to_one_file(library: Library, tmp_path: Path) -> None:
    one = as_text(tmp_path / "a.csv", "编号,标题,正文\nsame,押金,退押金要核对房卡。\n")
    other = as_text(tmp_path / "b.csv", "编号,标题,正文\nsame,早餐,早餐券丢了可以补。\n")
    report = take_in(library, one, other)
    assert [file.status for file in report.files] == ["added", "refused"]
    assert report.files[1].reason == f"its id same was taken by {one}"
    assert library.get("same").file == "a.csv"


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("guide.md", "guide.txt")])
def test_a_refused_file_does_not_win_the_next_time(library: Library, tmp_path: Path, names: tuple[str, str]) -> None:
    folder = tmp_path / "docs"
    for name, body in zip(names, ("退押金要核对房卡。", "早餐券丢了可以补。"), strict=True):
        as_text(folder / name, f"编号,标题,正文\nsame,标题,{body}\n" if name.endswith("csv") else body)
    first = [file.status for file in take_in(library, folder).files]
    assert first == ["added", "refused"]
    head = library.ledger.head()
    assert [file.status for file in take_in(library, folder).files] == ["unchanged", "refused"]
    assert library.ledger.head() == head


# --- front matter


def test_front_matter_is_taken_at_its_word(library: Library, tmp_path: Path) -> None:
    path = as_text(tmp_path / "any name.md", f"{FRONT}过磅单要当场签字。")
    (file,) = take_in(library, path).files
    item = library.get("rule-weighing")
    assert (file.status, file.items) == ("added", ("rule-weighing",))
    assert (item.kind, item.role, item.title, item.proposed) == ("regulation", "operations", "称重规矩", ())
    assert (item.file, item.source) == ("any name.md", "自编")

    (file,) = take_in(library, path, kind="case").files
    assert (file.status, file.reason) == ("refused", "kind: its front matter says 'regulation', not 'case'")
    as_text(path, f"{FRONT.replace('rule-weighing', 'rule-scales')}过磅单要当场签字。")
    (file,) = take_in(library, path).files
    assert (file.status, file.items, file.removed) == ("changed", ("rule-scales",), 1)
    assert ids(library) == {"rule-scales"}


# --- drafts, tags, folders


def test_a_draft_is_masked_for_good_and_hidden(library: Library, tmp_path: Path) -> None:
    text = "客户王先生，手机13812345678，要求退押金。"
    path = as_text(tmp_path / "a.txt", f"# 致电 13987654321\n{text}")
    (file,) = take_in(library, path, draft=True).files
    item = library.get("doc-a")
    assert (file.status, file.passages, item.status) == ("added", 0, "draft")
    assert file.personal >= 2
    kept = library.ledger.get(1).body or ""
    for personal in ("13812345678", "13987654321"):
        assert personal not in kept
    assert "〔手机号1〕" in item.body
    assert "〔手机号1〕" in item.title
    assert found(library, "退押金") == []

    assert take_in(library, path, draft=True).files[0].status == "unchanged"
    library.put([item.model_copy(update={"status": "published"})], "李老师")
    assert found(library, "退押金") == ["doc-a"]
    assert "13812345678" not in library.search("退押金").hits[0].passage


def test_tags_a_person_confirmed_stay(library: Library, tmp_path: Path) -> None:
    path = as_text(tmp_path / "a.txt", "退押金要核对房卡。")
    take_in(library, path)
    item = library.get("doc-a")
    assert item.proposed == ("kind", "role", "industry", "tier", "skills")
    confirmed = {"kind": "case", "role": "support", "skills": ("apology",)}
    library.put([item.model_copy(update={**confirmed, "proposed": ("industry", "tier")})], "李老师")
    library.put(
        [Item(id="n", kind="lesson", title="近", role="sales", source="x", body="退押金要核对房卡号。")], "李老师"
    )

    as_text(path, "退押金要核对房卡，并当面点清。")
    (file,) = take_in(library, path).files
    item = library.get("doc-a")
    assert file.status == "changed"
    assert (item.kind, item.role, item.skills) == ("case", "support", ("apology",))
    assert item.proposed == ("industry", "tier")
    assert "当面点清" in item.body


def test_the_tags_of_rows_a_person_confirmed_stay(library: Library, tmp_path: Path) -> None:
    path = as_text(tmp_path / "a.csv", "编号,标题,正文\nx,押金,退押金要核对房卡。\ny,早餐,早餐券丢了可以补。\n")
    take_in(library, path)
    library.put([library.get("x").model_copy(update={"role": "support", "proposed": ()})], "李老师")
    as_text(path, "编号,标题,正文\nx,押金,退押金要核对房卡号。\ny,早餐,早餐券丢了可以补。\n")
    take_in(library, path)
    assert (library.get("x").role, library.get("x").proposed) == ("support", ())
    assert len(library.get("y").proposed) == 5


def test_the_kind_told_is_not_proposed(library: Library, tmp_path: Path) -> None:
    path = as_text(tmp_path / "a.txt", "退押金要核对房卡。")
    take_in(library, path, kind="template")
    assert (library.get("doc-a").kind, "kind" in library.get("doc-a").proposed) == ("template", False)
    assert take_in(library, path).files[0].status == "changed"


def test_patterns_and_folders_find_their_files(library: Library, tmp_path: Path) -> None:
    for name, body in (
        ("a.md", "退押金要核对房卡。"),
        ("deep/b.md", "早餐券丢了可以补。"),
        ("deep/deeper/c.md", "停车要登记车牌。"),
        ("deep/d.txt", "行李寄存要写牌号。"),
    ):
        as_text(tmp_path / "docs" / name, body)
    report = take_in(library, tmp_path / "docs" / "**" / "*.md")
    assert [(file.path.name, file.status) for file in report.files] == [
        ("a.md", "added"),
        ("b.md", "added"),
        ("c.md", "added"),
    ]
    (file,) = take_in(library, tmp_path / "docs" / "*.pdf").files
    assert (file.status, file.reason) == ("refused", "no file fits this pattern")
    (file,) = take_in(library, tmp_path / "none.md").files
    assert (file.status, file.reason) == ("refused", "cannot be read (No such file or directory)")
    bracketed = as_text(tmp_path / "docs" / "[1] 说明.txt", "文件名里有方括号。")
    assert take_in(library, bracketed).files[0].status == "added"


def test_files_of_one_name_in_two_folders_stand_side_by_side(library: Library, tmp_path: Path) -> None:
    as_text(tmp_path / "docs" / "sales" / "readme.md", "退押金要核对房卡。")
    as_text(tmp_path / "docs" / "support" / "readme.md", "早餐券丢了可以补。")
    for status in ("added", "unchanged"):
        assert [file.status for file in take_in(library, tmp_path / "docs").files] == [status, status]
    assert len(ids(library)) == 2


def test_a_page_that_leaves_out_closing_tags_is_read(library: Library, tmp_path: Path) -> None:
    # HTML lets </head>, </body> and </p> be left out.
    path = as_text(tmp_path / "a.html", "<html><head><title>x</title><body><p>退押金要核对房卡。<p>早餐券可以补。")
    assert take_in(library, path).files[0].status == "added"
    assert library.get("doc-a").body == "退押金要核对房卡。\n早餐券可以补。"


def test_a_name_that_is_no_text_does_not_stop_the_others(library: Library, tmp_path: Path) -> None:
    # 测试.txt in GBK, as it comes out of an archive made on Windows.
    docs = tmp_path / "docs"
    as_text(docs / "z.txt", "退押金要核对房卡。")
    try:
        (docs / "\udcb2\udce2\udcca\udcd4.txt").write_text("早餐券可以补。", encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    report = take_in(library, docs)
    assert by_name(report)["z.txt"].status == "added"
    assert len(report.files) == 2
