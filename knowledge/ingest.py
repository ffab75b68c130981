"""Taking in files: from bytes on disk to items in the index, each file by itself."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from knowledge.clean import Cleaned, clean
from knowledge.item import Item, Kind
from knowledge.library import LibraryError, load_item
from knowledge.outline import sections, split_title
from knowledge.text import is_han

if TYPE_CHECKING:
    from knowledge.index import Index

SUFFIXES = frozenset({".txt", ".md", ".markdown", ".html", ".htm"})
Status = Literal["added", "changed", "unchanged", "refused"]

_ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "big5", "utf-16")
_FRONT_MATTER = re.compile(r"---\n.*?\n---\n", re.DOTALL)
_MOST_BYTES = 20_000_000


class IngestError(ValueError):
    """A file that cannot be taken in; `reason` says in plain words why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


@dataclass(frozen=True)
class Document:
    """What a file holds, and what cleaning did to it."""

    item: Item
    mended: int
    lost: int


@dataclass(frozen=True)
class FileReport:
    """What became of one file. `reason` is given for a refused one."""

    path: Path
    status: Status
    reason: str = ""
    item_id: str = ""
    passages: int = 0
    mended: int = 0
    lost: int = 0


@dataclass(frozen=True)
class IngestReport:
    files: list[FileReport] = field(default_factory=list)

    @property
    def refused(self) -> list[FileReport]:
        return [file for file in self.files if file.status == "refused"]


def ingest_paths(index: "Index", paths: Iterable[Path], kind: Kind | None = None) -> IngestReport:
    """Put every file of `paths` (folders are walked in sorted order) into `index`.

    A refused file leaves the index as it was, and the rest go on.
    """
    files: list[FileReport] = []
    taken: dict[str, Path] = {}
    for path in paths:
        found = list(_walk(path)) if path.is_dir() else [path]
        if not found:
            files.append(FileReport(path, "refused", "the folder holds no .txt, .md or .html file"))
        files += [_ingest(index, file, kind, taken) for file in found]
    return IngestReport(files)


def read_document(path: Path, kind: Kind | None = None) -> Item:
    """The item in one .txt, .md or .html file; raises IngestError. See `read` for what cleaning did."""
    return read(path, kind).item


def read(path: Path, kind: Kind | None = None) -> Document:
    """The document in one file, cleaned. Without `kind` it is a lesson, or what its front matter says.

    Raises IngestError when the file is missing, of another type, binary, empty, or holds nothing but a site's
    boilerplate.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise IngestError(path, f"type {path.suffix or '(none)'} is not read; .txt, .md and .html are")
    raw = decode(path)
    if path.suffix.lower() in {".md", ".markdown"} and (front := _FRONT_MATTER.match(raw)):
        if re.search(r"^(id|kind):", front.group(), re.MULTILINE):
            return _with_front_matter(path, kind)
        raw = raw[front.end() :]  # some other program's facts about the text
    if path.suffix.lower() in {".html", ".htm"}:
        raw = html_text(raw)
    cleaned = clean(raw)
    if sum(char.isalnum() for char in cleaned.text) < 2:
        raise IngestError(path, "nothing is left after removing the site's own text")
    title, body = _title_and_body(cleaned)
    item = Item(
        id=_item_id(path),
        kind=kind or "lesson",
        title=title or path.stem,
        language="zh" if any(map(is_han, body)) else "en",
        source=path.name,
        body=body,
    )
    return Document(item, cleaned.mended, cleaned.lost)


def decode(path: Path) -> str:
    """The text of a file in UTF-8, GB18030, Big5 or UTF-16; raises IngestError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise IngestError(path, f"is larger than {_MOST_BYTES // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        raise IngestError(path, f"cannot be read ({error.strerror or error})") from error
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

    _SKIPPED = frozenset({"script", "style", "noscript", "template", "nav", "footer", "head", "svg", "form"})
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


def _ingest(index: "Index", path: Path, kind: Kind | None, taken: dict[str, Path]) -> FileReport:
    try:
        document = read(path, kind)
    except IngestError as error:
        return FileReport(path, "refused", error.reason)
    item = document.item
    if taken.setdefault(item.id, path) != path:
        # Without this the second file would quietly take the place of the first.
        return FileReport(path, "refused", f"has the same name as {taken[item.id]}; rename one of them")
    try:
        outcome = index.put(item)
    except ValueError:
        return FileReport(path, "refused", "holds headings only, no text")
    except Exception as error:
        # An embeddings endpoint or a store that fails on one file may take the next.
        return FileReport(path, "refused", f"could not be indexed ({type(error).__name__}); try it again")
    return FileReport(path, outcome.status, "", item.id, outcome.passages, document.mended, document.lost)


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            yield path


def _with_front_matter(path: Path, kind: Kind | None) -> Document:
    try:
        item = load_item(path)
    except LibraryError as error:
        raise IngestError(path, str(error).removeprefix(f"{path}: ")) from error
    if kind and item.kind != kind:
        raise IngestError(path, f"kind: its front matter says {item.kind!r}, not {kind!r}")
    return Document(item, 0, 0)


def _item_id(path: Path) -> str:
    """An id that stays the same for the same file name, so that a new edition replaces the old."""
    name = re.sub(r"[^a-z0-9_]+", "-", path.stem.lower()).strip("-")
    if name and name == path.stem.lower():
        return f"doc-{name}"
    # Names in Chinese, or that differ only in what an id cannot hold, are told apart by their hash.
    return "-".join(filter(None, ("doc", name, hashlib.sha256(path.stem.encode()).hexdigest()[:8])))


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
