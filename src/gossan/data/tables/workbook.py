"""Workbooks (.xlsx) from strangers: weighed before they are unpacked, their formulas never run.

The bytes of a workbook come in; the rows of one sheet go out, with what was found on the way.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gossan._checks import did_you_mean
from gossan.data._limits import HARMLESS, VARIABLE, most_bytes
from gossan.data._xml import refuse_document_type
from gossan.data.tables.screening import Finding, make_finding

MAX_COLUMNS = 5_000
MAX_ROWS = 1_048_576  # of a sheet of Excel
_MAX_CELLS = 50_000_000
_MAX_BLANK = 10_000_000  # cells; beyond, at most 20 blank ones for each that is filled
_MAX_UNPACKED = 2 << 30  # bytes of XML in a workbook
_MAX_RATIO = 100  # of a packed part; the most repetitive sheets reach about 30
_MAX_SMALL = 1 << 20  # bytes of a part that may be packed as well as it likes
_MAX_PARTS = 20_000
_CHUNK = 16 << 20
# Whatever a broken workbook makes zipfile, the XML parser or openpyxl raise.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, SyntaxError, ValueError)
_BROKEN += (KeyError, TypeError, IndexError, AttributeError, NotImplementedError, RuntimeError)
_BROKEN += (ArithmeticError, AssertionError, MemoryError)

Row = tuple[Any, ...]

# A cell that begins with a formula, up to its value: <c r="B2"><f>A2*2</f><v>4</v></c>.
_CELL = rb"<(?:\w+:)?c(?=[\s>])"
_FORMULA = re.compile(
    # No part runs past the next "<", so that no text makes it go back and forth.
    _CELL + rb"([^<>]*)>\s*<(?:\w+:)?f(?=[\s/>])(?:[^<>]*/>|[^<>]*>([^<]*)</(?:\w+:)?f>)"
    rb"\s*(?:<(?:\w+:)?v\s*>([^<]*)<)?"
)
_CELL_START = re.compile(_CELL)
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3}[0-9]{1,7})["']""")
_IS_TEXT = re.compile(rb"""\bt\s*=\s*["']str["']""")
_LINKS = "xl/externalLinks/externalLink"
_PROGRAMS = re.compile(rb"<(?:\w+:)?(?:ddeLink|oleLink)\b")


class RefusedError(ValueError):
    """A workbook that is refused in words of ours."""


@dataclass
class _Formulas:
    """Formulas of a sheet: how many, how many of them look into other files, and the uncached."""

    n: int = 0
    n_outside: int = 0
    n_uncached: int = 0
    uncached: list[str] = field(default_factory=list)


def read_workbook(
    data: bytes, source: str, sheet: str | int | None
) -> tuple[list[Row], str, list[Finding]]:
    """Return the rows of a sheet up to its last filled one, its name, and what was found.

    Parameters
    ----------
    data : bytes
        Content of the file.
    source : str
        Its name, for messages.
    sheet : str or int, optional
        Sheet by name or place; default the first that holds cells.

    Raises
    ------
    ValueError
        If it is no sound workbook, has no such sheet, unpacks to more than a table needs, declares
        entities, links to a program (DDE, OLE), or holds formulas without a computed value.
    """
    check_workbook(data, source)
    import openpyxl
    from openpyxl.utils import exceptions

    broken = (*_BROKEN, exceptions.InvalidFileException, exceptions.CellCoordinatesException)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that openpyxl does not keep
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            names = [page.title for page in book.worksheets]
            chosen = _choose_sheet(names, sheet, source)
            grids = ((name, _read_sheet(book[name], source)) for name in chosen)
            name, grid = next(((n, g) for n, g in grids if g), (chosen[0], []))
            findings = _tell_formulas(data, book[name], f"{source}, sheet {name}")
            book.close()
    except RefusedError:
        raise
    except broken as error:
        raise ValueError(
            f"{source} is a broken workbook: {str(error)[:200] or type(error).__name__}. Open it"
            " and save it again as .xlsx."
        ) from None
    others = [other for other in names if other != name]
    if sheet is None and others:
        message = f"sheet {name!r} was read; the others are {', '.join(others)}"
        findings.append(make_finding("sheet", "note", message))
    return grid, name, findings


def check_workbook(data: bytes, source: str) -> None:
    """Raise if a workbook is no sound one, by what its archive declares; nothing is unpacked whole.

    Raises
    ------
    ValueError
        If it is no workbook, unpacks to too much, declares entities, or links to a program.
    """
    raised = most_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise KeyError("xl/workbook.xml")
            _check_sizes(parts, source, raised)
            _check_xml(archive, parts, source)
    except RefusedError:
        raise
    except _BROKEN:
        raise ValueError(
            f"{source} is a zip archive and no complete workbook. Open it and save it again as"
            " .xlsx, or unpack it first."
        ) from None


def _check_sizes(parts: list[zipfile.ZipInfo], source: str, raised: int | None) -> None:
    size = sum(part.file_size for part in parts)
    ratio = max(
        (p.file_size / max(p.compress_size, 1) for p in parts if p.file_size > _MAX_SMALL),
        default=0.0,
    )
    is_bomb = ratio > _MAX_RATIO or len(parts) > _MAX_PARTS or size > _MAX_UNPACKED
    if is_bomb if raised is None else size > raised:
        raise RefusedError(
            f"{source} unpacks to {size / 2**20:,.0f} MiB in {len(parts):,} parts, one of them"
            f" {ratio:.0f} times its size, more than a table of analyses needs. Save the sheet as"
            f" CSV; if you trust it, set {VARIABLE} to {-(-size // 2**20)}."
        )


def _check_xml(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], source: str) -> None:
    """Refuse entities, and links by which a spreadsheet would start a program."""
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels")):
            continue
        is_link = part.filename.startswith(_LINKS)
        with archive.open(part) as file:
            head = file.read(HARMLESS if is_link else 1 << 16)
        try:
            refuse_document_type(head)
        except ValueError as error:
            raise RefusedError(
                f"{source} is no sound workbook: in {part.filename} {error}. Open it and save it"
                " again as .xlsx."
            ) from None
        if head[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in head[:64]:
            raise RefusedError(
                f"{source} is no sound workbook: {part.filename} is in UTF-16, which no spreadsheet"
                " writes. Open it and save it again as .xlsx."
            )
        if is_link and _PROGRAMS.search(head):
            raise RefusedError(
                f"{source} holds a link to another program (DDE or OLE, in {part.filename}), by"
                " which a spreadsheet can be made to start it. Ask where the file comes from, and"
                " save the sheet as CSV, values only."
            )


def _choose_sheet(names: list[str], sheet: str | int | None, source: str) -> list[str]:
    """Sheets to try, in order."""
    if not names:
        raise RefusedError(f"{source} holds no sheet with cells. Save the table as CSV.")
    if sheet is None:
        return names
    if isinstance(sheet, int) and 0 <= sheet < len(names):
        return [names[sheet]]
    if sheet in names:
        return [str(sheet)]
    raise RefusedError(
        f"{source} has no sheet {sheet!r}; it has {', '.join(names)}. Name one of these."
        f"{did_you_mean(str(sheet), names)}"
    )


def _read_sheet(page: Any, source: str) -> list[Row]:
    """All rows up to the last filled one; the sheet's own word on its size is not believed."""
    page.reset_dimensions()
    rows: list[Row] = []
    cells = filled = last = 0
    for row in page.iter_rows(values_only=True):
        n_filled = len(row) - row.count(None)
        cells, filled = cells + len(row), filled + n_filled
        is_blank = cells > max(_MAX_BLANK, 20 * filled)
        if len(row) > MAX_COLUMNS or cells > _MAX_CELLS or len(rows) >= MAX_ROWS or is_blank:
            raise RefusedError(
                f"{source}, sheet {page.title} has {len(row):,} columns and more than {len(rows):,}"
                f" rows, {filled:,} cells of them filled; {MAX_COLUMNS:,} columns, {MAX_ROWS:,} rows"
                f" and {_MAX_CELLS:,} cells are the most. Delete the blank rows and columns, or save"
                " the sheet as CSV."
            )
        rows.append(row)
        if n_filled:
            last = len(rows)
    return rows[:last]


def _tell_formulas(data: bytes, page: Any, source: str) -> list[Finding]:
    """Return what is to be told of the formulas of a sheet; refuse those without a value."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = _count_formulas(_chunks(archive, page._worksheet_path.lstrip("/")))  # noqa: SLF001
        is_stale = found.n > 0 and b'fullCalcOnLoad="1"' in archive.read("xl/workbook.xml")
    if found.n_uncached:
        raise RefusedError(
            f"{source} holds {found.n_uncached:,} formulas without a computed value, first in"
            f" {', '.join(found.uncached) or 'cells without a name'}; they would be read as missing."
            " Open it in a spreadsheet and save it again, or save the sheet as CSV."
        )
    findings = []
    if found.n:
        message = f"{found.n:,} cells are formulas: the values last computed and stored were read"
        if is_stale:
            message += ", and the program that wrote them says that they are to be computed anew"
        findings.append(make_finding("formulas", "warning", message))
    if found.n_outside:
        message = f"{found.n_outside:,} formulas look into another workbook, which was not opened"
        findings.append(make_finding("formulas", "warning", message))
    return findings


def _chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Give the XML of a sheet in pieces that begin with a whole cell."""
    rest = b""
    with archive.open(name) as file:
        while more := file.read(_CHUNK):
            text = rest + more
            starts = [hit.start() for hit in _CELL_START.finditer(text, max(0, len(text) - 65_536))]
            cut = starts[-1] if starts else len(text)
            yield text[:cut]
            rest = text[cut:]
    yield rest


def _count_formulas(chunks: Iterator[bytes]) -> _Formulas:
    found = _Formulas()
    for text in chunks:
        for attributes, formula, value in _FORMULA.findall(text):
            found.n += 1
            found.n_outside += b"[" in formula and b"]" in formula and b"!" in formula
            if not value and not _IS_TEXT.search(attributes):
                found.n_uncached += 1
                place = _PLACE.search(attributes)
                if place and len(found.uncached) < 3:
                    found.uncached.append(place[1].decode())
    return found
