from pathlib import Path

import pytest

from knowledge.document import IngestError, read
from knowledge.ingest import Ingest, IngestReport
from knowledge.item import Item
from knowledge.library import Library


def read_document(path: Path) -> Item:
    (item,) = read(path).items
    return item


def take_in(library: Library, *paths: Path, **how: object) -> IngestReport:
    return Ingest(library, "tester", **how).paths(paths)  # type: ignore[arg-type]


PROSE = "客戶說太貴了，先問清楚是和誰比。我們的做法是先聽完，再複述，最後給出可核實的證據，並約定下一步。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(PROSE.encode(encoding))
    assert PROSE in read_document(path).body


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"", "is empty"),
        ("a.txt", b" \n\t ", "is empty"),
        ("a.txt", b"\x7fELF\x00\x00\x01\x02" * 9, "is binary"),
        ("a.txt", "溫馨提示\n- 1. 本站所有資源如無特殊說明\n評論\n0/150".encode(), "nothing is left"),
        ("a.exe", b"MZ", "type .exe is not read"),
        ("a.md", b"---\nid: a\nkind: poem\n---\ntext", "kind:"),
    ],
)
def test_what_cannot_be_taken_in_says_why(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(IngestError, match=reason) as error:
        read_document(path)
    assert error.value.path == path


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="cannot be read"):
        read_document(tmp_path / "none.txt")


def test_the_title_is_the_document_s_not_the_site_s(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text(
        "研究報告_第1頁\n已閱讀5頁,還剩31頁未讀\n下載本文檔\n文檔簡介\n"
        "2025年電商運營手冊第一章總則第二章流程第一章總則一、目的說明培訓的目的和範圍。",
        encoding="utf-8",
    )
    assert read_document(path).title == "2025年電商運營手冊"


def test_a_page_is_read_without_its_scripts_and_menus(tmp_path: Path) -> None:
    path = tmp_path / "p.html"
    path.write_text(
        "<html><head><title>x</title><style>p{}</style></head><body><nav>首页</nav><h1>价格异议</h1>"
        "<p>先听&amp;再问。</p><ul><li>第一步</li></ul><script>var a=1</script></body></html>",
        encoding="utf-8",
    )
    item = read_document(path)
    assert item.body == "# 价格异议\n先听&再问。\n- 第一步"
    assert item.title == "价格异议"


def test_facts_of_another_program_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "n.md"
    path.write_text("---\ndate: 2025-01-01\n---\n# 话术\n先问再答。\n", encoding="utf-8")
    assert read_document(path).body == "# 话术\n先问再答。"


def test_each_file_is_reported_and_a_refused_one_harms_none(tmp_path: Path, library: Library) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "b.txt").write_text("退款流程\n先核对订单，再确认金额。", encoding="utf-8")
    (docs / "a.txt").write_bytes(b"\x00\x01\x02")
    (docs / "skipped.mp4").write_bytes(b"x")

    first = take_in(library, docs, kind="lesson")
    assert [(file.path.name, file.status) for file in first.files] == [("a.txt", "refused"), ("b.txt", "added")]
    assert first.refused[0].reason == "is binary, not text"
    assert first.files[1].passages == library.index.count() == 1

    assert take_in(library, docs, kind="lesson").files[1].status == "unchanged"

    (docs / "b.txt").write_text("退款流程\n先核对订单，再确认金额，三天内到账。", encoding="utf-8")
    assert take_in(library, docs, kind="lesson").files[1].status == "changed"
    assert "三天内到账" in library.search("退款多久到账").hits[0].passage
    assert library.index.count() == 1

    (docs / "b.txt").write_bytes(b"\x00")
    assert take_in(library, docs, kind="lesson").files[1].status == "refused"
    assert "三天内到账" in library.search("退款多久到账").hits[0].passage


def test_two_files_of_one_name_do_not_replace_each_other(tmp_path: Path, library: Library) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(f"{folder} 组的流程说明。", encoding="utf-8")
    report = take_in(library, tmp_path / "x", tmp_path / "y")
    assert [file.status for file in report.files] == ["added", "refused"]
    assert "has the same name as" in report.files[1].reason


def test_an_empty_folder_is_reported(tmp_path: Path, library: Library) -> None:
    (tmp_path / "empty").mkdir()
    (report,) = take_in(library, tmp_path / "empty").files
    assert report.status == "refused"
