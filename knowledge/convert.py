"""The text of PDF, DOCX and PPTX files, as Markdown that `outline` and `chunk` can cut.

Nothing in a file is run, opened or fetched: macros, embedded files and links to elsewhere are left alone.
"""

import math
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.parsers import expat

from knowledge.text import is_han

SUFFIXES = frozenset({".pdf", ".docx", ".pptx"})

_MEGABYTE = 1_000_000
_MOST_BYTES = 200 * _MEGABYTE
_MOST_RATIO = 150  # 5,000 times the same paragraph in Word reach 52, deflate itself 1,032
_MOST_PARTS = 20_000
_MOST_PAGES = 3_000
_MOST_CHARACTERS = 10_000_000


class ConvertError(ValueError):
    """A file whose text cannot be had. The message is the reason, to be read after the file's name."""


@dataclass(frozen=True)
class Converted:
    """The text of a file as Markdown, and in `note` what of it could not be read ("" when all was)."""

    text: str
    note: str = ""


def to_text(path: Path) -> Converted:
    """The text of a .pdf, .docx or .pptx file.

    Headings become `#` lines (slide titles `##`), lists `- ` lines, tables Markdown tables. A PDF tells neither
    headings nor tables, so it gives paragraphs. Slides and text their author has hidden, tables of contents, page
    numbers, and headers and footers are left out.

    Raises ConvertError for every other type, and for a file that is empty, locked, damaged, too large or without
    text.
    """
    readers = {".pdf": _pdf, ".docx": _docx, ".pptx": _pptx}
    suffix = path.suffix.lower()
    if suffix not in readers:
        raise ConvertError(f"type {path.suffix or '(none)'} is not read; {', '.join(sorted(readers))} are")
    if suffix != ".pdf":
        check_package(path)
    try:
        converted = readers[suffix](path)
    except ConvertError:
        raise
    except Exception as error:
        # Parsers of damaged files fail in more ways than their authors list.
        raise ConvertError(f"is damaged ({type(error).__name__})") from error
    return Converted(re.sub(r"\n{3,}", "\n\n", converted.text).strip(), converted.note)


def check_package(path: Path) -> None:
    """Refuse an Office file (.docx, .pptx, .xlsx) that is no sound package, or that would swell when unpacked.

    Sizes are counted by unpacking, since the sizes a package declares are its sender's word. A document type
    declaration, which Office never writes, is how XML parts are made to swell, so it is refused as well.
    Raises ConvertError.
    """
    head, size = _head(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
            raise ConvertError("is protected by a password")
        raise ConvertError(f"is in an older Office format; save it as {path.suffix.lower()}")
    if not head.startswith(b"PK"):
        raise ConvertError(f"is damaged (not a {path.suffix.lower()} file inside)")
    unpacked = 0
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            if len(parts) > _MOST_PARTS:
                raise ConvertError(f"holds more than {_MOST_PARTS:,} parts")
            if sum(part.file_size for part in parts) > _MOST_BYTES:
                raise ConvertError(f"unpacks to more than {_MOST_BYTES // _MEGABYTE} MB")
            for part in parts:
                unpacked += _unpacked_size(package, part, _MOST_BYTES - unpacked)
    except ConvertError:
        raise
    except Exception as error:
        raise ConvertError(f"is damaged ({type(error).__name__})") from error
    if unpacked > 10 * _MEGABYTE and unpacked > _MOST_RATIO * size:
        raise ConvertError(f"unpacks to {unpacked // size} times its size, as no honest file does")


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """`rows`, the first of them the header, as a Markdown table; a single column becomes lines."""
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    width = max(map(len, filled), default=0)
    if width < 2:
        return "\n\n".join(cell.strip() for row in filled for cell in row)
    padded = [[*row, *[""] * (width - len(row))] for row in filled]
    lines = ["| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |" for row in padded]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _head(path: Path) -> tuple[bytes, int]:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise ConvertError(f"cannot be read ({error.strerror or error})") from error
    if not head.strip():
        raise ConvertError("is empty")
    if size > _MOST_BYTES:
        raise ConvertError(f"is larger than {_MOST_BYTES // _MEGABYTE} MB")
    return head, size


def _unpacked_size(package: zipfile.ZipFile, part: zipfile.ZipInfo, allowed: int) -> int:
    if part.flag_bits & 1:
        raise ConvertError("is protected by a password")
    declared = part.file_size
    part.file_size = allowed + 1  # zipfile would stop at the declared size and so never see the rest
    size = 0
    prolog = _Prolog() if part.filename.lower().endswith((".xml", ".rels")) else None
    with package.open(part) as file:
        while block := file.read(1 << 16):
            size += len(block)
            if size > allowed:
                raise ConvertError(f"unpacks to more than {_MOST_BYTES // _MEGABYTE} MB")
            if prolog:
                prolog.feed(block)
    if size != declared:
        raise ConvertError("is damaged (a part has another size than declared)")
    return size


class _Prolog:
    """Reads an XML part up to its first element, to see that it declares no document type."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._stop
        self._open = True

    def feed(self, block: bytes) -> None:
        if self._open:
            self._parser.Parse(block, False)

    def _stop(self, *_: object) -> None:
        self._open = False
        self._parser.StartElementHandler = None

    def _refuse(self, *_: object) -> None:
        raise ConvertError("is damaged (a part declares a document type)")


# --- PDF


@dataclass(frozen=True)
class _Line:
    """A printed line and its box in points, y upwards."""

    text: str
    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom


@dataclass(frozen=True)
class _Page:
    lines: list[_Line]
    width: float


# What opens a new paragraph whatever the line before looks like.
_OPENING = re.compile(
    r"\u3000|[-•·●○■□◆◇▪▶►✓✔➢❖*\uf000-\uf0ff]\s*\S|\d{1,2}[.、．)）]|\d{1,2}(\.\d{1,2}){1,2}\s*\D|[(（][一二三四五六七八九十\d]{1,3}[)）]"
    r"|[一二三四五六七八九十]{1,3}、|第[一二三四五六七八九十百\d]{1,4}[章节節条條篇部]|[①-⑳]|[^\s，。；！？,.;!?：:]{1,8}[：:]"
)
_BULLET = re.compile(r"\A[•·●○■□◆◇▪▶►✓✔➢❖\uf000-\uf0ff]\s*(?=\S)")
_HYPHENS = frozenset("\x02\ufffe")  # how PDFium shows a hyphen at which it joined two lines
# Some writers map 用 to the Kangxi radical ⽤, which nobody can search for. Of those that Unicode does not map back:
_RADICALS = str.maketrans(
    "⺟⺠⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳⼾",
    "母民西见角贝车长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟户",
)
_ENDED = tuple("。！？!?…：:；;”」")


def _pdf(path: Path) -> Converted:
    import pypdfium2

    head, size = _head(path)
    if b"%PDF" not in head:
        raise ConvertError("is damaged (not a .pdf file inside)")
    with path.open("rb") as file:
        file.seek(max(0, size - 4096))
        if b"%%EOF" not in file.read():
            raise ConvertError("is damaged (its end is missing)")
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise ConvertError("is protected by a password") from error
        raise
    with document:
        if len(document) > _MOST_PAGES:
            raise ConvertError(f"has {len(document):,} pages; at most {_MOST_PAGES:,} are read, so split it")
        pages = _without_running_lines(_pages(document))
    unread = sum(not any(char.isalnum() for line in page.lines for char in line.text) for page in pages)
    if unread == len(pages):
        raise ConvertError(f"holds no text: {_count(unread, 'scanned page')}; run OCR first")
    text = "\n".join(filter(None, _paragraphs(pages))).replace("\xad", "")
    strange = sum(char == "\ufffd" or unicodedata.category(char) in {"Co", "Cn"} for char in text)
    if strange * 5 > len(text):
        raise ConvertError("does not say which letters its fonts draw; run OCR first")
    return Converted(text, _unread(unread, len(pages), "page", "scanned?"))


def _unread(number: int, of: int, noun: str, guess: str) -> str:
    return f"{number:,} of {_count(of, noun)} {'holds' if number == 1 else 'hold'} no text ({guess})" if number else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _pages(document: Any) -> list[_Page]:
    pages: list[_Page] = []
    characters = 0
    for number in range(len(document)):
        page = document[number]
        textpage = page.get_textpage()
        characters += textpage.count_chars()
        if characters > _MOST_CHARACTERS:
            raise ConvertError(f"holds more than {_MOST_CHARACTERS // _MEGABYTE} million characters; split it")
        pages.append(_Page(list(_lines(page, textpage)), page.get_width()))
        textpage.close()
        page.close()
    return pages


def _lines(page: Any, textpage: Any) -> Iterator[_Line]:
    """The lines as PDFium orders them; each carries the box of what is printed, spaces left out."""
    from pypdfium2.raw import FPDFText_GetUnicode

    turn = page.get_rotation()
    # The boxes of a turned page are those of the page before turning.
    width, height = (page.get_height(), page.get_width()) if turn in {90, 270} else page.get_size()
    text = ""
    boxes: list[tuple[float, float, float, float]] = []
    count = textpage.count_chars()
    for index in range(count + 1):
        # PDFium gives UTF-16 units, and ends a line with \r\n of its own making.
        char = chr(FPDFText_GetUnicode(textpage, index)) if index < count else "\n"
        if char in _HYPHENS:
            text += "\xad"
        elif char not in "\r\n":
            text += char
            if not char.isspace():
                boxes.append(_turned(textpage.get_charbox(index, loose=True), turn, width, height))
            continue
        if boxes and _plain(text).strip():
            left, bottom, right, top = zip(*boxes, strict=True)
            # Not the extremes: the mark of a list may come from a font much taller than the line's.
            middle = len(boxes) // 2
            yield _Line(_plain(text), min(left), sorted(bottom)[middle], max(right), sorted(top)[middle])
        text, boxes = "", []


def _turned(
    box: tuple[float, float, float, float], turn: int, width: float, height: float
) -> tuple[float, float, float, float]:
    left, bottom, right, top = box
    if turn == 90:
        return bottom, width - right, top, width - left
    if turn == 180:
        return width - right, height - top, width - left, height - bottom
    if turn == 270:
        return height - top, left, height - bottom, right
    return box


def _plain(text: str) -> str:
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\x00", "").rstrip()
    text = text.translate(_RADICALS)
    return "".join(
        unicodedata.normalize("NFKC", char) if "\u2e80" <= char <= "\u2fdf" or "\uf900" <= char <= "\ufaff" else char
        for char in text
    )


def _without_running_lines(pages: list[_Page]) -> list[_Page]:
    """`pages` without headers, footers and page numbers.

    A running line is among the outermost three of its page and stands at the same height with the same words on
    nearly half of the pages (left and right pages may differ), but for one number that counts with the pages.
    """
    marks = [
        {line: _running_marks(line, number) for line in [*ordered[:3], *ordered[-3:]]}
        for number, page in enumerate(pages)
        for ordered in [sorted(page.lines, key=lambda line: -line.top)]
    ]
    seen = Counter(mark for page in marks for mark in set().union(*page.values()))
    enough = max(2, math.ceil(0.45 * sum(map(bool, marks))))
    return [
        _Page([line for line in page.lines if all(seen[mark] < enough for mark in found.get(line, ()))], page.width)
        for page, found in zip(pages, marks, strict=True)
    ]


def _running_marks(line: _Line, page: int) -> set[tuple[str, int, int]]:
    text, place = "".join(line.text.split()), round(line.bottom)
    counted = {
        (f"{text[: match.start()]}#{text[match.end() :]}", int(match.group()) - page, place)
        for match in re.finditer(r"\d{1,5}", text)
    }
    return {(text, 0, place), *counted}


def _paragraphs(pages: list[_Page]) -> Iterator[str]:
    parts: list[str] = []
    for page in pages:
        first = True
        for column in _columns(page):
            for line, wrapped in _wrapping(column, page.width):
                if wrapped or (first and _goes_on_overleaf(parts, line, page)):
                    parts[-1] = _before(line.text.strip(), parts[-1])
                    parts.append(line.text.strip())
                else:
                    yield "".join(parts)
                    parts = [_BULLET.sub("- ", line.text.strip())]
                first = False
    yield "".join(parts)


def _wrapping(column: list[_Line], page_width: float) -> Iterator[tuple[_Line, bool]]:
    """The lines of `column`, each with whether it goes on with the paragraph of the line before."""
    edge, left = max(line.right for line in column), min(line.left for line in column)
    close = min((above.bottom - line.top for above, line in pairwise(column)), default=0.0)
    head = column[0]
    yield head, False
    for above, line in pairwise(column):
        wrapped = (
            edge - left >= 0.35 * page_width  # a narrow column is a list, or a cell of a table
            and above.bottom - line.top <= close + 0.5 * line.height
            and _is_full(above, line, edge)
            and _stands_under(above, line, head)
            and not _OPENING.match(line.text)
        )
        if not wrapped:
            head = line
        yield line, wrapped


def _columns(page: _Page) -> Iterator[list[_Line]]:
    """The lines of a page in stretches of like lines one below the other."""
    column: list[_Line] = []
    for line in page.lines:
        above = column[-1] if column else line
        like = (
            above.bottom - 2 * above.height < line.top <= above.bottom + 0.5 * above.height
            and 0.8 < line.height / max(above.height, 0.1) < 1.25
            and line.left < above.right
            and above.left < line.right
        )
        if column and not like:
            yield column
            column = []
        column.append(line)
    if column:
        yield column


def _is_full(line: _Line, following: _Line, edge: float) -> bool:
    """Whether the first word of `following` had no room left at the end of `line`."""
    text = following.text.strip()
    word = re.match(r"[!-~]+", text)
    width = (following.right - following.left) * len(word.group()) / len(text) if word else 0
    return edge - line.right < max(2 * line.height, width + line.height)


def _stands_under(above: _Line, line: _Line, head: _Line) -> bool:
    """Whether `line` is indented as a line that goes on is: not further than the one above, but under a list mark."""
    hanging = above is head and _OPENING.match(head.text.strip()) is not None
    return line.left <= above.left + (4 if hanging else 0.5) * line.height


def _goes_on_overleaf(parts: list[str], line: _Line, page: _Page) -> bool:
    """Whether a page's first line goes on with the last paragraph of the page before, broken off in mid sentence."""
    outermost = min(other.left for other in page.lines)
    broken = bool(parts) and (len(parts) > 1 or len(parts[0]) > 20) and not parts[-1].endswith(_ENDED)
    return broken and line.left <= outermost + 0.5 * line.height and not _OPENING.match(line.text)


def _before(following: str, text: str) -> str:
    """`text`, the end of a line, as it stands before `following` when both are one line."""
    if text.endswith("\xad") or (re.search(r"[a-z]-$", text) and following[0].islower()):
        return text[:-1]
    return text if _is_cjk(text[-1]) or _is_cjk(following[0]) else f"{text} "


def _is_cjk(char: str) -> bool:
    return is_han(char) or "\u3000" <= char <= "\u30ff" or "\uff00" <= char <= "\uffef" or char in "“”‘’…—"


# --- DOCX

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BOX = f"{_W}txbxContent"
# Deleted text, the reading beside a ruby character, properties, and the second copy of every drawing.
_UNREAD = frozenset({f"{_W}del", f"{_W}moveFrom", f"{_W}rt", f"{_W}pPr", f"{_W}rPr", _FALLBACK, _BOX})
_TEXTS = {f"{_W}tab": " ", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


@dataclass(frozen=True)
class _Style:
    level: int  # of a heading, from 1; 0 for a title, -1 for other text
    listed: bool
    contents: bool  # an entry of a table of contents


_BODY_STYLE = _Style(-1, False, False)


def _docx(path: Path) -> Converted:
    from docx import Document

    try:
        document = Document(str(path))
    except ValueError as error:
        raise ConvertError("is not a Word document inside (a macro file? save it as .docx)") from error
    styles = {style.style_id: _style(style) for style in document.styles}
    body = document.element.body
    titled = any(_style_of(child, styles).level == 0 and _text(child).strip() for child in body.iterchildren(f"{_W}p"))
    text = "\n\n".join(_blocks(body, styles, 1 if titled else 0))
    # A list is one block; Markdown wants its lines together.
    text = re.sub(r"(?m)^( *- .*)\n\n(?= *- )", r"\1\n", text)
    if not any(map(str.isalnum, text)):
        raise ConvertError("holds no text; if it holds pictures of text, run OCR first")
    return Converted(text)


def _style(style: Any) -> _Style:
    level, listed, contents = -1, False, False
    seen: set[str] = set()
    while style is not None and style.style_id not in seen:
        seen.add(style.style_id)
        name = (style.name or "").lower()
        if level < 0:
            level = _heading_level(name, style.element.pPr)
        properties = style.element.pPr
        listed = listed or (properties is not None and properties.find(f"{_W}numPr") is not None)
        contents = contents or re.match(r"(toc|目录|目錄) ?\d", name) is not None
        style = getattr(style, "base_style", None)
    return _Style(level, listed, contents)


def _heading_level(name: str, properties: Any) -> int:
    if named := re.fullmatch(r"(?:heading|标题|標題) ?([1-9])", name):
        return int(named.group(1))
    if name in {"title", "标题", "標題"}:
        return 0
    return _outline_level(properties)


def _outline_level(properties: Any) -> int:
    mark = properties.find(f"{_W}outlineLvl") if properties is not None else None
    value = mark.get(f"{_W}val", "") if mark is not None else ""
    return int(value) + 1 if re.fullmatch("[0-8]", value) else -1


def _style_of(paragraph: Any, styles: dict[str, _Style]) -> _Style:
    mark = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return styles.get(mark.get(f"{_W}val", ""), _BODY_STYLE) if mark is not None else _BODY_STYLE


def _blocks(container: Any, styles: dict[str, _Style], shift: int) -> Iterator[str]:
    for child in container:
        if child.tag == f"{_W}p":
            if block := _paragraph(child, styles, shift):
                yield block
            for box in child.iter(_BOX):
                if not any(above.tag in {_FALLBACK, _BOX} for above in box.iterancestors()):
                    yield from _blocks(box, styles, shift)
        elif child.tag == f"{_W}tbl":
            if block := _markdown_table(list(_table_rows(child, styles))):
                yield block
        elif child.tag == f"{_W}sdt":
            gallery = child.find(f".//{_W}docPartGallery")
            if gallery is None or gallery.get(f"{_W}val") != "Table of Contents":
                for content in child.iterchildren(f"{_W}sdtContent"):
                    yield from _blocks(content, styles, shift)
        elif child.tag in {f"{_W}ins", f"{_W}moveTo", f"{_W}customXml"}:
            yield from _blocks(child, styles, shift)


def _paragraph(paragraph: Any, styles: dict[str, _Style], shift: int) -> str:
    text = "\n".join(filter(None, (" ".join(line.split()) for line in _text(paragraph).split("\n"))))
    style = _style_of(paragraph, styles)
    if not text or style.contents:
        return ""
    properties = paragraph.find(f"{_W}pPr")
    level = direct if (direct := _outline_level(properties)) > 0 else style.level
    if level >= 0:
        return f"{'#' * min(max(level + shift, 1), 6)} {text.replace(chr(10), ' ')}"
    numbering = properties.find(f"{_W}numPr") if properties is not None else None
    number = numbering.find(f"{_W}numId") if numbering is not None else None
    if number.get(f"{_W}val") != "0" if number is not None else style.listed:
        depth = numbering.find(f"{_W}ilvl") if numbering is not None else None
        deep = depth.get(f"{_W}val", "0") if depth is not None else "0"
        return f"{'  ' * (int(deep) if re.fullmatch('[0-8]', deep) else 0)}- {text.replace(chr(10), ' ')}"
    return text


def _text(element: Any) -> str:
    parts: list[str] = []
    for child in element:
        if child.tag in _UNREAD or not isinstance(child.tag, str):
            continue
        if child.tag in {f"{_W}t", _MATH_TEXT}:
            parts.append(child.text or "")
        elif child.tag in _TEXTS:
            parts.append(_TEXTS[child.tag])
        elif not _is_hidden(child):
            parts.append(_text(child))
    return "".join(parts)


def _is_hidden(run: Any) -> bool:
    mark = run.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val", "1") not in {"0", "false", "off"}


def _table_rows(table: Any, styles: dict[str, _Style]) -> Iterator[list[str]]:
    """The cells of a Word table. What spans rows is repeated in each, so that a row can be read by itself."""
    above: dict[int, str] = {}
    for row in table.iterchildren(f"{_W}tr"):
        cells: list[str] = []
        for cell in row.iter(f"{_W}tc"):
            if next(cell.iterancestors(f"{_W}tr")) is not row:
                continue
            span, merged = cell.find(f"{_W}tcPr/{_W}gridSpan"), cell.find(f"{_W}tcPr/{_W}vMerge")
            text = " ".join(block.strip("# ") for block in _blocks(cell, styles, 0))
            if merged is not None and merged.get(f"{_W}val") != "restart":
                text = above.get(len(cells), text)
            above[len(cells)] = text
            wide = int(span.get(f"{_W}val", "1")) if span is not None else 1
            cells += [text, *[""] * min(wide - 1, 100)]
        yield cells


# --- PPTX

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def _pptx(path: Path) -> Converted:
    from pptx import Presentation

    presentation = Presentation(str(path))
    slides: list[str] = []
    silent = hidden = 0
    for number, slide in enumerate(presentation.slides, start=1):
        if slide.element.get("show") in {"0", "false"}:
            hidden += 1
            continue
        title = slide.shapes.title
        heading = " ".join(title.text_frame.text.split()) if title is not None else ""
        blocks = list(_shapes(slide.shapes, skip=title.shape_id if title is not None else None))
        blocks += _diagrams(slide)
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame):
            said = "\n".join(filter(None, (" ".join(line.split()) for line in re.split(r"[\n\v]", notes.text))))
            blocks += [f"备注：{said}"] if said else []
        if heading or blocks:
            slides.append("\n\n".join([f"## {heading or f'第 {number} 页'}", *blocks]))
        else:
            silent += 1
    if silent and not slides:
        raise ConvertError(f"holds no text: {_count(silent, 'slide')} of pictures; run OCR first")
    if not slides:
        raise ConvertError("holds no slides that are shown")
    unread = _unread(silent, silent + len(slides), "slide", "pictures?")
    left_out = f"{_count(hidden, 'hidden slide')} left out" if hidden else ""
    return Converted("\n\n".join(slides), "; ".join(filter(None, (unread, left_out))))


def _shapes(shapes: Any, skip: int | None = None) -> Iterator[str]:
    """The texts of shapes as they are read: from above to below, then from left to right."""
    from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER

    furniture = {PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.HEADER, PP_PLACEHOLDER.SLIDE_NUMBER}
    # Boxes meant to stand side by side are seldom exactly level; a quarter of an inch is.
    for shape in sorted(shapes, key=lambda shape: ((shape.top or 0) // 228_600, shape.left or 0)):
        kind = shape.placeholder_format.type if shape.is_placeholder else None
        if shape.shape_id == skip or kind in furniture:
            continue
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            yield from _shapes(shape.shapes)
        elif getattr(shape, "has_table", False):
            rows = [["" if cell.is_spanned else cell.text for cell in row.cells] for row in shape.table.rows]
            if block := _markdown_table(rows):
                yield block
        elif shape.has_text_frame:
            listed = kind in {PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT}
            if lines := [line for paragraph in shape.text_frame.paragraphs if (line := _bullet(paragraph, listed))]:
                yield "\n".join(lines)


def _bullet(paragraph: Any, listed: bool) -> str:
    text = " ".join(paragraph.text.split())
    properties = paragraph._p.pPr
    if properties is not None:
        if properties.find(f"{_A}buNone") is not None:
            listed = False
        elif any(properties.find(f"{_A}{mark}") is not None for mark in ("buChar", "buAutoNum", "buBlip")):
            listed = True
    return f"{'  ' * paragraph.level}- {text}" if text and listed else text


def _diagrams(slide: Any) -> list[str]:
    """The texts of SmartArt, which lie in parts of their own, beside the slide."""
    from pptx.oxml import parse_xml

    found: list[str] = []
    for relation in slide.part.rels.values():
        if relation.is_external or not relation.reltype.endswith("/diagramData"):
            continue
        paragraphs = parse_xml(relation.target_part.blob).iter(f"{_A}p")
        texts = ["".join(run.text or "" for run in paragraph.iter(f"{_A}t")).strip() for paragraph in paragraphs]
        if lines := [f"- {text}" for text in texts if text]:
            found.append("\n".join(lines))
    return found
