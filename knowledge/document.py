"""Reading one file: from its bytes to the items it holds, cleaned, with a report of what that took."""

import hashlib
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from knowledge import convert, table
from knowledge.clean import Cleaned, clean
from knowledge.item import Item, Kind, Tag
from knowledge.outline import sections, split_title
from knowledge.shipped import LibraryError, load_item
from knowledge.text import is_han

_PLAIN = frozenset({".txt", ".md", ".markdown", ".html", ".htm"})
_OFFICE = frozenset({".pdf", ".docx", ".pptx"})
_TABLES = frozenset({".xlsx", ".csv", ".jsonl"})
SUFFIXES = _PLAIN | _OFFICE | _TABLES
# Raised when reading changes, so that files that have not changed are read again.
VERSION = 1

_ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "big5", "utf-16")
_FRONT_MATTER = re.compile(r"---\n.*?\n---\n", re.DOTALL)
_MOST_BYTES = 20_000_000  # of a text; 200 MB of an office document, whose pictures are most of it
_MOST_OFFICE_BYTES = 200_000_000
_TAGS: tuple[Tag, ...] = get_args(Tag)


class IngestError(ValueError):
    """A file that cannot be taken in; `reason` says in plain words why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


@dataclass(frozen=True)
class Document:
    """What a file holds. `mended` and `lost` count characters in cleaning; `note` says what could not be read.

    Tags the file does not give are named in each item's `proposed`.
    """

    items: tuple[Item, ...]
    mended: int = 0
    lost: int = 0
    note: str = ""


def read(path: Path, name: str | None = None, kind: Kind | None = None) -> Document:
    """The items in one file. Without `kind` they are lessons, or what the file says.

    Args:
        name: what the file is called in the library; its own name when None. Its ids are made from it.

    Raises IngestError when the file is missing, of another type, binary, empty, damaged, or holds nothing but a
    site's boilerplate.
    """
    suffix, name = path.suffix.lower(), name or path.name
    if suffix not in SUFFIXES:
        raise IngestError(path, f"type {path.suffix or '(none)'} is not read; {', '.join(sorted(SUFFIXES))} are")
    if not _bytes(path, _MOST_BYTES if suffix in _PLAIN else _MOST_OFFICE_BYTES).strip():
        raise IngestError(path, "is empty")
    try:
        if suffix in _TABLES:
            return Document(tuple(_of_row(row, name, kind) for row in table.rows(path)))
        if suffix in _OFFICE:
            converted = convert.to_text(path)
            return _of_text(path, name, converted.text, kind, converted.note)
    except (convert.ConvertError, table.TableError) as error:
        raise IngestError(path, str(error)) from error
    raw = decode(path)
    if suffix in {".md", ".markdown"} and (front := _FRONT_MATTER.match(raw)):
        if re.search(r"^(id|kind):", front.group(), re.MULTILINE):
            return _with_front_matter(path, name, kind)
        raw = raw[front.end() :]  # some other program's facts about the text
    return _of_text(path, name, html_text(raw) if suffix in {".html", ".htm"} else raw, kind)


def file_hash(path: Path, kind: Kind | None, draft: bool) -> str:
    """SHA-256 over a file and the way it is read. Raises IngestError when it cannot be read."""
    return hashlib.sha256(f"{VERSION} {kind} {draft} ".encode() + _bytes(path, _MOST_OFFICE_BYTES)).hexdigest()


def _bytes(path: Path, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise IngestError(path, f"is larger than {most // 1_000_000} MB")
        return path.read_bytes()
    except OSError as error:
        raise IngestError(path, f"cannot be read ({error.strerror or error})") from error


def _of_text(path: Path, name: str, raw: str, kind: Kind | None, note: str = "") -> Document:
    cleaned = clean(raw)
    if sum(char.isalnum() for char in cleaned.text) < 2:
        raise IngestError(path, "nothing is left after removing the site's own text")
    title, body = _title_and_body(cleaned)
    item = Item(
        id=item_id(name),
        kind=kind or "lesson",
        title=(title or path.stem)[:300],
        language="zh" if any(map(is_han, body)) else "en",
        source=name,
        file=name,
        body=body,
        proposed=tuple(tag for tag in _TAGS if tag != "kind" or kind is None),
    )
    return Document((item,), cleaned.mended, cleaned.lost, note)


def _of_row(row: table.Row, name: str, kind: Kind | None) -> Item:
    given = dict(row.fields)
    body = given.pop("body")
    facts: dict[str, object] = {**given}
    for many in ("skills", "checks"):
        if many in given:
            facts[many] = tuple(filter(None, re.split(r"[、,，;；\s]+", given[many])))
    facts.setdefault("kind", kind or "case")
    facts.setdefault("title", next(line for line in body.splitlines() if line and not line.startswith("#"))[:40])
    facts.setdefault("language", "zh" if any(map(is_han, body)) else "en")
    facts.setdefault("source", name)
    facts["id"] = given.get("id") or f"{item_id(name)}.{row.number}"
    missing = tuple(tag for tag in _TAGS if tag not in given and not (tag == "kind" and kind))
    try:
        return Item.model_validate({**facts, "file": name, "body": body, "proposed": missing})
    except ValidationError as error:
        first = error.errors()[0]
        raise table.TableError(f"row {row.number}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _with_front_matter(path: Path, name: str, kind: Kind | None) -> Document:
    try:
        item = load_item(path)
    except LibraryError as error:
        raise IngestError(path, str(error).removeprefix(f"{path}: ")) from error
    if kind and item.kind != kind:
        raise IngestError(path, f"kind: its front matter says {item.kind!r}, not {kind!r}")
    return Document((item.model_copy(update={"file": name}),))


def decode(path: Path) -> str:
    """The text of a file in UTF-8, GB18030, Big5 or UTF-16; raises IngestError."""
    data = _bytes(path, _MOST_BYTES)
    if not data.strip():
        raise IngestError(path, "is empty")
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\x00" in data and not utf16:
        raise IngestError(path, "is binary, not text")
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(data, cp_isolation=list(_ENCODINGS)).best()
        if best is None:
            raise IngestError(path, "is neither text in UTF-8, GB18030, Big5 nor UTF-16") from None
        text = str(best)
    controls = sum(char < " " and char not in "\t\n\r\f" for char in text)
    if controls * 50 > len(text):
        raise IngestError(path, "is binary, not text")
    return text.replace("\r\n", "\n")


class _TextOf(HTMLParser):
    """Collects what a reader of the page sees; headings become Markdown headings."""

    _SKIPPED = frozenset({"script", "style", "noscript", "template", "nav", "footer", "svg", "form", "title"})
    _BREAKS = frozenset({"p", "div", "br", "li", "tr", "ul", "ol", "section", "article", "blockquote"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._SKIPPED:
            self._depth += 1
        elif re.fullmatch("h[1-6]", tag):
            self.parts.append(f"\n{'#' * int(tag[1])} ")
        elif tag in self._BREAKS:
            self.parts.append("\n- " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SKIPPED:
            self._depth = max(0, self._depth - 1)
        elif tag in self._BREAKS or re.fullmatch("h[1-6]", tag):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._depth:
            self.parts.append(re.sub(r"\s+", " ", data))


def html_text(markup: str) -> str:
    """The readable text of a page, a line a block."""
    parser = _TextOf()
    parser.feed(markup)
    parser.close()
    return "\n".join(line.strip() for line in "".join(parser.parts).split("\n") if line.strip())


def item_id(name: str) -> str:
    """An id that stays the same for the same file name, so that a new edition replaces the old."""
    stem = re.sub(r"\.[^./]+$", "", name)
    plain = re.sub(r"[^a-z0-9_]+", "-", stem.lower()).strip("-")
    if plain and plain == stem.lower() and len(plain) <= 120:
        return f"doc-{plain}"
    # Names in Chinese, or that differ only in what an id cannot hold, are told apart by their hash.
    return "-".join(filter(None, ("doc", plain[:80], hashlib.sha256(stem.encode()).hexdigest()[:8])))


def _title_and_body(cleaned: Cleaned) -> tuple[str, str]:
    """The title of a document, and its text without the title line."""
    first = sections(cleaned.text)[0]
    if not first.text.strip():
        headed = next((s.heading for s in sections(cleaned.text) if s.heading), ())
        return (headed[0] if headed else ""), cleaned.text
    title, rest = split_title(first.text)
    # A text that opens with prose has no title of its own; its opening words name it and stay in it.
    return title, cleaned.text if rest == first.text.strip() else _without_title(cleaned.text, title)


def _without_title(text: str, title: str) -> str:
    return text.lstrip().removeprefix(title).lstrip(":： \n") or text
