"""The rows of XLSX, CSV and JSONL files, with the columns people make under the names of `item`."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import fromstring
from xml.parsers import expat

import yaml

from knowledge.convert import ConvertError, check_package
from knowledge.shipped import LIBRARY
from knowledge.skills import industries, skills
from knowledge.text import fold

SUFFIXES = frozenset({".xlsx", ".csv", ".jsonl"})

_MOST_ROWS = 50_000
_MOST_BYTES = 200_000_000
_MOST_CELLS = 5_000_000  # of a sheet's rectangle, empty ones included
_MOST_FIELD = 1_000_000  # characters of one cell of a CSV file
_HEADER_WITHIN = 20  # rows with text
_NAMED_PROBLEMS = 5
_LISTS = frozenset({"skills", "checks"})
_LONGEST = {"id": 160, "title": 300, "industry": 60}  # characters, as in Item
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")


class TableError(ValueError):
    """A table that is refused. The message names sheet, row and column, and is to be read after the file's name."""


@dataclass(frozen=True)
class Row:
    """One row: the fields of `item` that it gives, each non-empty. `number` counts as the file's own program does.

    `title` and `body` are always there; `skills` and `checks` are joined by "、"; `body` is Markdown.
    """

    number: int
    fields: Mapping[str, str]


@dataclass(frozen=True)
class _Record:
    """A row as it stands in the file: (header, text) for every cell with text, and cells nobody can read."""

    place: str
    number: int
    cells: list[tuple[str, str]]
    faults: list[tuple[str, str]]


@dataclass(frozen=True)
class _Vocabulary:
    """`headers.yaml`, turned to look things up by folded name.

    `ranks` orders the names of each field; `choices` says for people what a field may be.
    """

    fields: dict[str, str]
    ranks: dict[str, int]
    parts: dict[str, str]
    order: list[str]
    ignored: frozenset[str]
    blank: frozenset[str]
    closed: dict[str, dict[str, str]]
    choices: dict[str, str]
    known: dict[str, dict[str, str]]

    def knows(self, header: str) -> bool:
        return (name := _folded(header)) in self.fields or name in self.parts


def rows(path: Path) -> list[Row]:
    """The rows of a .xlsx, .csv or .jsonl file, in order; those without text are left out.

    Columns are told by their headers (knowledge/library/headers.yaml), which may stand below a title. What
    belongs to no field becomes a section of the body under its own header. Of a workbook every sheet that is not
    hidden is read; a merged cell counts for each row it spans; formulas give the values they had when last saved.

    Raises TableError when any row is bad, naming the first five, and for a file that is damaged, locked, too large
    or without a header row: a table goes in whole or not at all.
    """
    readers: dict[str, Callable[[Path], Iterator[_Record]]] = {".xlsx": _xlsx, ".csv": _csv, ".jsonl": _jsonl}
    suffix = path.suffix.lower()
    if suffix not in readers:
        raise TableError(f"type {path.suffix or '(none)'} is not read; {', '.join(sorted(readers))} are")
    found: list[Row] = []
    problems: list[str] = []
    ids: dict[str, str] = {}
    for record in readers[suffix](path):
        if not record.cells and not record.faults:
            continue
        row, wrong = _row(record)
        if (id_ := row.fields.get("id")) and (first := ids.setdefault(id_, record.place)) != record.place:
            wrong.append(f"{record.place}: id {id_!r} is already taken by {first}")
        problems += wrong
        found.append(row)
        if len(found) > _MOST_ROWS:
            raise TableError(f"has more than {_MOST_ROWS:,} rows; split it")
    if problems:
        more = len(problems) - _NAMED_PROBLEMS
        raise TableError("; ".join(problems[:_NAMED_PROBLEMS]) + (f"; and {more} more" if more > 0 else ""))
    if not found:
        raise TableError("has no rows below its header")
    return found


def _row(record: _Record) -> tuple[Row, list[str]]:
    """The row in `record`, and what is wrong with it."""
    vocabulary = _vocabulary()
    fields: dict[str, str] = {}
    sections: dict[str, list[str]] = {heading: [] for heading in vocabulary.order}
    problems = [f"{record.place}, column {header}: {fault}" for header, fault in record.faults]
    chosen = _chosen(record.cells)
    for number, (header, text) in enumerate(record.cells):
        name = _folded(header)
        if field := chosen.get(number):
            try:
                fields[field] = _value(field, text)
            except ValueError as error:
                problems.append(f"{record.place}, column {header}: {text[:40]!r} {error}")
        elif name not in vocabulary.ignored and not (name in vocabulary.fields and fold(text) in vocabulary.blank):
            sections.setdefault(vocabulary.parts.get(name, " ".join(header.split())), []).append(text)
    body = _body(sections, vocabulary.order[0])
    if not problems:  # a cell that cannot be read may well be the one that seems missing
        problems += [f"{record.place}: has no title"] if "title" not in fields else []
        problems += [f"{record.place}: has no body"] if not body else []
    return Row(record.number, {**fields, "body": body}), problems


def _chosen(cells: list[tuple[str, str]]) -> dict[int, str]:
    """Which cell gives which field."""
    vocabulary = _vocabulary()
    best: dict[str, int] = {}
    for number, (header, text) in enumerate(cells):
        name = _folded(header)
        field = vocabulary.fields.get(name)
        if field is None or fold(text) in vocabulary.blank:
            continue
        if field not in best or vocabulary.ranks[name] < vocabulary.ranks[_folded(cells[best[field]][0])]:
            best[field] = number
    return {number: field for field, number in best.items()}


def _body(sections: Mapping[str, list[str]], plain: str) -> str:
    written = {heading: "\n\n".join(texts) for heading, texts in sections.items() if texts}
    return "\n\n".join(text if heading == plain else f"## {heading}\n{text}" for heading, text in written.items())


def _value(field: str, text: str) -> str:
    """`text` as `field` wants it. Raises ValueError saying what is wrong with it."""
    vocabulary = _vocabulary()
    if len(text) > _LONGEST.get(field, len(text)):
        raise ValueError(f"is longer than {_LONGEST[field]} characters")
    if field in vocabulary.closed:
        if value := vocabulary.closed[field].get(_folded(text)):
            return value
        raise ValueError(f"is none of {vocabulary.choices[field]}")
    known = vocabulary.known.get(field, {})
    if field in _LISTS:
        parts = filter(None, map(str.strip, re.split(r"[、,，;；|\n]", text)))
        return "、".join(dict.fromkeys(known.get(_folded(part), part) for part in parts))
    if field == "id":
        if not _ID.fullmatch(text.lower()):
            raise ValueError("may hold a to z, 0 to 9, '.', '_' and '-' only")
        return text.lower()
    if field == "year":
        if year := re.match(r"(?:19|20)\d\d(?!\d)", text):
            return year.group()
        raise ValueError("is no year")
    if field == "minutes":
        if minutes := re.fullmatch(r"约?\s*([1-9]\d{0,3})\s*(?:分钟?|mins?|minutes?)?", fold(text)):
            return minutes.group(1)
        raise ValueError("is no number of minutes")
    return known.get(_folded(text), " ".join(text.split()))


@lru_cache(maxsize=1)
def _vocabulary() -> _Vocabulary:
    data: dict[str, Any] = yaml.safe_load((LIBRARY / "headers.yaml").read_text(encoding="utf-8"))
    fields = _names(data["fields"])
    titled = {
        "industry": {one.id: [one.title, one.title_en] for one in industries().values()},
        "skills": {one.id: [one.title, one.title_en] for one in skills().values()},
    }
    return _Vocabulary(
        fields=fields,
        ranks={name: rank for rank, name in enumerate(fields)},
        parts=_names(data["body"]),
        order=list(data["body"]),
        ignored=frozenset(map(_folded, data["ignored"])),
        blank=frozenset(map(fold, data["blank"])),
        closed={field: _names(values) for field, values in data["values"].items()},
        choices={
            field: ", ".join(f"{names[0]} ({value})" for value, names in values.items())
            for field, values in data["values"].items()
        },
        known={
            field: _names({one: [*names, *data["known"][field].get(one, [])] for one, names in titles.items()})
            for field, titles in titled.items()
        },
    )


def _names(aliases: Mapping[str, list[str]]) -> dict[str, str]:
    """Each name by which something goes, its own included, with its own name."""
    found: dict[str, str] = {}
    for own, others in aliases.items():
        for name in map(_folded, (own, *others)):
            if found.setdefault(name, own) != own:
                raise ValueError(f"headers.yaml: {name!r} stands for both {found[name]!r} and {own!r}")
    return found


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    bare = re.sub(r"\([^()]*\)$|\[[^\[\]]*\]$", "", fold(name).replace("【", "[").replace("】", "]").strip(" *:："))
    return re.sub(r"[\s_:：*-]+", "", bare) or bare


# --- from cells to records


def _records(
    sheet: str, table: Iterable[tuple[int, list[str]]], faults: Mapping[tuple[int, int], str]
) -> Iterator[_Record]:
    """The rows of `table`, each with its number, below the row that names the columns."""
    lines = iter(table)
    head: list[tuple[int, list[str]]] = []
    for number, cells in lines:
        if any(cells):
            head.append((number, cells))
        if len(head) == _HEADER_WITHIN:
            break
    if not head:
        return
    best = max(range(len(head)), key=lambda index: (_known(head[index][1]), -index))
    if _known(head[best][1]) < 2:
        raise TableError(f"{sheet and sheet + ': '}has no header row; name the columns, such as 标题 and 正文")
    headers = head[best][1]
    for number, cells in (*head[best + 1 :], *lines):
        if cells == headers:  # repeated for print
            continue
        names = [*headers, *[""] * (len(cells) - len(headers))]
        named = [(name or f"第 {column} 列", column) for column, name in enumerate(names, start=1)]
        yield _Record(
            f"{sheet and sheet + ', '}row {number}",
            number,
            [(name, text) for (name, _), text in zip(named, cells, strict=False) if text],
            [(name, fault) for name, column in named if (fault := faults.get((number, column)))],
        )


def _known(cells: Iterable[str]) -> int:
    """How many different columns we know by name are among `cells`."""
    vocabulary = _vocabulary()
    return len({_folded(cell) for cell in cells if len(cell) < 40 and vocabulary.knows(cell)})


# --- CSV and JSONL


def _csv(path: Path) -> Iterator[_Record]:
    def known(reading: tuple[str, str]) -> int:
        text, delimiter = reading
        return max((_known(cells) for _, cells in _lines(text, delimiter, _HEADER_WITHIN)), default=0)

    # The right encoding and delimiter are those under which columns get names that we know.
    text, delimiter = max(((text, delimiter) for text in _texts(path) for delimiter in ",;\t"), key=known)
    yield from _records("", _lines(text, delimiter), {})


def _lines(text: str, delimiter: str, most: int | None = None) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_MOST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, [_tidy(cell) for cell in cells]
            if number == most:
                return
    except csv.Error as error:
        if most is None:
            raise TableError(f"row {number + 1}: cannot be taken apart ({error}); check its quotation marks") from error


def _jsonl(path: Path) -> Iterator[_Record]:
    def headers(text: str) -> list[str]:
        return re.findall(r'"([^"\\]{1,40})"\s*:', text[:20_000])

    text = max(_texts(path), key=lambda text: _known(headers(text)))
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            pairs = json.loads(line, object_pairs_hook=list)
        except (ValueError, RecursionError) as error:
            raise TableError(f"line {number}: is not one JSON object ({error})") from error
        if not line.lstrip().startswith("{"):
            raise TableError(f"line {number}: is not one JSON object")
        yield _record(number, pairs)


def _record(number: int, pairs: list[tuple[str, Any]]) -> _Record:
    cells: list[tuple[str, str]] = []
    faults: list[tuple[str, str]] = []
    for key, value in pairs:
        values = value if isinstance(value, list) else [value]
        if all(isinstance(part, str | int | float | None) for part in values):
            joint = "、" if _vocabulary().fields.get(_folded(key)) in _LISTS else "\n"
            cells += [(key, text)] if (text := joint.join(filter(None, map(_text, values)))) else []
        else:
            faults.append((key, "holds an object; give text, a number or a list of them"))
    return _Record(f"line {number}", number, cells, faults)


def _texts(path: Path) -> list[str]:
    """The texts the file can be read as: one, or two where only what it says can tell its encoding."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise TableError(f"is larger than {_MOST_BYTES // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        raise TableError(f"cannot be read ({error.strerror or error})") from error
    if not data.strip():
        raise TableError("is empty")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\x00" in data:
        raise TableError("is binary, not text")
    else:
        encodings = ("utf-8-sig",)
    for tried in (encodings, ("gb18030", "big5")):
        found: list[str] = []
        for encoding in tried:
            try:
                found.append(data.decode(encoding))
            except UnicodeDecodeError:
                continue
        if found:
            return found
    raise TableError("is neither text in UTF-8, GB18030, Big5 nor UTF-16")


# --- XLSX


def _xlsx(path: Path) -> Iterator[_Record]:
    try:
        check_package(path)
        shapes = _shapes(path)
        tables = _tables(path, shapes)
    except (TableError, ConvertError) as error:
        raise TableError(str(error)) from error
    except BaseException as error:
        # A panic in Rust is no Exception, though it harms nothing but this reading.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise TableError(f"is damaged ({type(error).__name__})") from error
    for name, table in tables.items():
        yield from _records(f"sheet {name}", table, shapes[name].faults)


def _tables(path: Path, shapes: "Mapping[str, _Shape]") -> dict[str, list[tuple[int, list[str]]]]:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    tables: dict[str, list[tuple[int, list[str]]]] = {}
    with CalamineWorkbook.from_path(path) as workbook:
        for sheet in workbook.sheets_metadata:
            if sheet.typ != SheetTypeEnum.WorkSheet or sheet.visible != SheetVisibleEnum.Visible:
                continue
            if sheet.name not in shapes:
                raise TableError(f"is damaged (sheet {sheet.name} is missing)")
            read = workbook.get_sheet_by_name(sheet.name)
            if read.start is None:
                continue
            grid = [list(map(_text, cells)) for cells in read.to_python(skip_empty_area=False)]
            _spread(grid, read.merged_cell_ranges or [])
            tables[sheet.name] = list(enumerate(grid, start=1))
    return tables


def _spread(grid: list[list[str]], ranges: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """Give the text of each merged cell to all rows it spans: a role merged beside five cases is that of all five.

    Not to all columns, or a text merged across two of them would stand in the body twice.
    """
    filled = 0
    for (top, left), (bottom, _) in ranges:
        filled += bottom - top
        if filled > _MOST_CELLS:
            raise TableError("its merged cells are more than a sheet can have")
        if top < len(grid) and left < len(grid[top]):
            for cells in grid[top + 1 : bottom + 1]:
                cells[left] = grid[top][left]


def _text(value: object) -> str:
    """A cell as Excel would show it, but dates as ISO 8601 and numbers without grouping."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.15g}" if abs(value) < 1e15 else f"{value:.0f}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    return _tidy(str(value))


def _tidy(text: str) -> str:
    return text.replace("_x000D_", "").replace("\r\n", "\n").replace("\r", "\n").strip().strip("\ufeff\u200b\u3000\xa0")


@dataclass(frozen=True)
class _Shape:
    """What is to be known of a sheet before its values are read; rows and columns count from 1."""

    rows: int
    columns: int
    characters: int
    faults: dict[tuple[int, int], str]


def _shapes(path: Path) -> dict[str, _Shape]:
    """The shapes of the sheets of a workbook by name.

    Reading values fills the whole rectangle down to the last cell, and copies a shared text into each cell that
    shows it, so a file of a few kilobytes can ask for terabytes. Neither may be found out only then.
    """
    with zipfile.ZipFile(path) as package:
        names = set(package.namelist())
        lengths: list[int] = []
        if "xl/sharedStrings.xml" in names:
            with package.open("xl/sharedStrings.xml") as part:
                lengths = _Strings().read(part)
        relations = fromstring(package.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - without a DTD: see check_package
        targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
        shapes: dict[str, _Shape] = {}
        characters = 0
        for sheet in fromstring(package.read("xl/workbook.xml")).iterfind(".//{*}sheet"):  # noqa: S314
            name, relation = sheet.get("name", ""), next((v for k, v in sheet.attrib.items() if k.endswith("}id")), "")
            target = targets.get(relation, "")
            part_name = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            if part_name not in names:
                continue
            with package.open(part_name) as part:
                shapes[name] = shape = _Cells(lengths).read(part)
            if shape.rows * shape.columns > _MOST_CELLS:
                reach = f"row {shape.rows:,} and column {shape.columns:,}"
                raise TableError(f"sheet {name}: reaches to {reach}; delete what stands beside and below the table")
            characters += shape.characters
            if characters > _MOST_BYTES:
                raise TableError(f"unpacks to more than {_MOST_BYTES // 1_000_000} MB")
    return shapes


class _Strings:
    """The lengths of a workbook's shared texts."""

    def __init__(self) -> None:
        self._lengths: list[int] = []

    def read(self, part: IO[bytes]) -> list[int]:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.CharacterDataHandler = self._characters
        parser.ParseFile(part)
        return self._lengths

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "si":
            self._lengths.append(0)

    def _characters(self, text: str) -> None:
        if self._lengths:
            self._lengths[-1] += len(text)


class _Cells:
    """Goes through the cells of a sheet for its shape."""

    def __init__(self, lengths: list[int]) -> None:
        self._lengths = lengths
        self._row = self._column = self._rows = self._columns = self._total = 0
        self._type, self._value, self._formula, self._in_value = "", "", False, False
        self._faults: dict[tuple[int, int], str] = {}

    def read(self, part: IO[bytes]) -> _Shape:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.ParseFile(part)
        return _Shape(self._rows, self._columns, self._total, self._faults)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
        elif tag == "c":
            self._column += 1
            if place := re.fullmatch(r"([A-Z]{1,3})(\d{1,7})", attributes.get("r", "")):
                self._row, self._column = int(place.group(2)), _column(place.group(1))
            self._type, self._value, self._formula = attributes.get("t", ""), "", False
        elif tag == "f":
            self._formula = True
        self._in_value = tag == "v"

    def _characters(self, text: str) -> None:
        if self._in_value:
            self._value += text

    def _end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        if tag == "v":
            self._in_value = False
        if tag != "c":
            return
        if self._formula and not self._value and self._type != "str":
            fault = "its formula has no value yet; open the file in Excel or WPS and save it"
            self._faults[self._row, self._column] = fault
        elif self._type == "e":
            self._faults[self._row, self._column] = f"its formula fails ({self._value})"
        elif self._type == "s" and self._value.isdecimal() and int(self._value) < len(self._lengths):
            self._total += self._lengths[int(self._value)]
        if self._value or self._formula or self._type == "inlineStr":
            self._rows, self._columns = max(self._rows, self._row), max(self._columns, self._column)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
