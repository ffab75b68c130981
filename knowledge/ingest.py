"""Taking in files and folders: each file by itself, what has not changed left alone, a report of every one."""

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from knowledge import redact
from knowledge.document import SUFFIXES, Document, IngestError, file_hash, read
from knowledge.item import Item, Kind, Tag
from knowledge.library import Library

Status = Literal["added", "changed", "unchanged", "refused"]


@dataclass(frozen=True)
class FileReport:
    """What became of one file.

    Attributes:
        reason: why it was refused, or what of it could not be read. items: ids, of those that were looked at.
        removed: items an earlier edition of the file had. personal: how many pieces of personal data it holds.
    """

    path: Path
    status: Status
    reason: str = ""
    items: tuple[str, ...] = ()
    passages: int = 0
    mended: int = 0
    lost: int = 0
    removed: int = 0
    personal: int = 0


@dataclass(frozen=True)
class IngestReport:
    """Every file, and how many of a folder were left out for their type."""

    files: list[FileReport] = field(default_factory=list)
    left_out: int = 0

    @property
    def refused(self) -> list[FileReport]:
        return [file for file in self.files if file.status == "refused"]

    def counts(self) -> dict[Status, int]:
        """Files by what became of them."""
        found = Counter(file.status for file in self.files)
        return {status: found[status] for status in ("added", "changed", "unchanged", "refused")}


@dataclass(frozen=True)
class Ingest:
    """How files are taken in.

    Attributes:
        who: stands in the ledger. kind: what the documents are, where neither they nor this say it is proposed.
        draft: personal data is masked for good, and nobody finds the items until a trainer publishes them.
        dry_run: tell what would become of each file, and do nothing.
    """

    library: Library
    who: str
    kind: Kind | None = None
    draft: bool = False
    dry_run: bool = False

    def paths(self, paths: Iterable[Path], progress: Callable[[Path, int, int], None] | None = None) -> IngestReport:
        """Take in every file of `paths`: files, folders (walked in sorted order), patterns such as docs/**/*.docx.

        A refused file leaves the library as it was, and the rest go on. `progress` is called before each file with
        its path, its number from 0 and how many there are.
        """
        todo: list[tuple[Path, str]] = []
        report = IngestReport()
        left_out = 0
        for path in paths:
            if path.is_dir():
                found = sorted(_walk(path))
                known = [one for one in found if one.suffix.lower() in SUFFIXES]
                left_out += len(found) - len(known)
                # Within a folder a file is called by its path, as many folders have a README.
                todo += [(one, _called(one.relative_to(path))) for one in known]
                if not known:
                    reason = f"the folder holds no file of a type that is read: {', '.join(sorted(SUFFIXES))}"
                    report.files.append(FileReport(path, "refused", reason))
            elif not path.exists() and glob.has_magic(str(path)):
                matched = [Path(one) for one in sorted(glob.glob(str(path), recursive=True))]
                todo += [(one, _called(Path(one.name))) for one in matched if one.is_file()]
                if not matched:
                    report.files.append(FileReport(path, "refused", "no file fits this pattern"))
            else:
                todo.append((path, _called(Path(path.name))))
        taken: dict[str, Path] = {}
        for number, (path, name) in enumerate(todo):
            if progress:
                progress(path, number, len(todo))
            report.files.append(self._file(path, name, taken))
        return replace(report, left_out=left_out)

    def _file(self, path: Path, name: str, taken: dict[str, Path]) -> FileReport:
        try:
            hashed = file_hash(path, self.kind, self.draft)
            before = self.library.index.of_file(name)
            if taken.setdefault(name, path) != path:
                # Without this the second file would quietly take the place of the first.
                raise IngestError(path, f"has the same name as {taken[name]}; rename one of them")
            if before and set(before.values()) == {hashed}:
                taken |= {item_id: path for item_id in before if item_id not in taken}
                return FileReport(path, "unchanged", items=tuple(sorted(before)))
            document = read(path, name, self.kind)
        except IngestError as error:
            return FileReport(path, "refused", error.reason)
        for item in document.items:
            if taken.setdefault(item.id, path) != path:
                return FileReport(path, "refused", f"its id {item.id} was taken by {taken[item.id]}")
        items = [self._ready(item, hashed) for item in document.items]
        personal = sum(len(redact.find(item.body)) for item in document.items)
        gone = sorted(set(before) - {item.id for item in items})
        if self.dry_run:
            there = self.library.index.versions([item.id for item in items])
            status: Status = "changed" if there or before else "added"
            return _report(path, status, document, 0, len(gone), personal)
        try:
            done = self.library.put(items, self.who, name, gone)
        except ValueError as error:
            return FileReport(path, "refused", f"holds headings only, no text ({str(error).partition(':')[0]})")
        except Exception as error:
            # An embeddings endpoint or a store that fails on one file may take the next.
            return FileReport(path, "refused", f"could not be indexed ({type(error).__name__}); try it again")
        found = {put.status for put in done}
        status = "changed" if gone or len(found) > 1 else found.pop()
        return _report(path, status, document, sum(put.passages for put in done), len(gone), personal)

    def _ready(self, item: Item, hashed: str) -> Item:
        changes: dict[str, object] = {"file_hash": hashed}
        if self.draft:
            changes |= {"status": "draft", "body": redact.mask(item.body).text, "title": redact.mask(item.title).text}
        try:
            before = self.library.get(item.id)
        except KeyError:
            return item.model_copy(update=changes)
        # What a person has confirmed of an earlier edition holds for this one.
        confirmed: set[Tag] = {tag for tag in item.proposed if tag not in before.proposed}
        changes |= {tag: getattr(before, tag) for tag in confirmed}
        changes["proposed"] = tuple(tag for tag in item.proposed if tag not in confirmed)
        return item.model_copy(update=changes)


def _report(path: Path, status: Status, document: Document, passages: int, removed: int, personal: int) -> FileReport:
    ids = tuple(item.id for item in document.items)
    return FileReport(path, status, document.note, ids, passages, document.mended, document.lost, removed, personal)


def _called(path: Path) -> str:
    """A file's name as text, whatever bytes it has."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            yield path
