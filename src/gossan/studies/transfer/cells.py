"""Cells of a table as numbers: messy headers, decimal commas, codes for missing, labels in words.

The path of a table comes in; columns of numbers where all cells are numbers, and text elsewhere, go
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.data._coordinates import SYNONYMS, find_coordinates, list_words, plain_header
from gossan.data.tables.limits import Kind, ParsedCells, find_decimal, parse_cells
from gossan.data.tables.rawtable import RawTable, read_raw
from gossan.data.tables.sites import clean_text

YES = {"1", "1.0", "true", "t", "yes", "y"}
NO = {"0", "0.0", "false", "f", "no", "n"}
NUMBERS_OF_ROWS = {"id", "fid", "oid", "objectid", "index", "row", "rowid", "no", "nr", "unnamed0"}
MOST_BLANK = 0.2  # share of blank cells beyond which a column costs more rows than it is worth
NO_VALUE = 1e30  # rasters' words for no data, sampled into a table
PLACES = set(f"{SYNONYMS['easting']} {SYNONYMS['northing']}".split())


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table whose cells are understood.

    Attributes
    ----------
    source : str
        Its file, for messages.
    text : DataFrame
        All columns, cleaned text.
    numbers : DataFrame
        Columns all of whose cells are numbers or blank, float64.
    bad : dict of str to str
        Other columns and their first cell that is no number.
    rows : int64 array of shape (n_rows,)
        Number of each row in the file, where a title may stand above the header.
    """

    source: str
    text: pd.DataFrame
    numbers: pd.DataFrame
    bad: dict[str, str]
    rows: NDArray[np.int64]

    @property
    def names(self) -> list[str]:
        """Headers of all columns."""
        return [str(name) for name in self.text.columns]

    def column(self, name: str, *, key: str) -> str:
        """Return a named column, or raise with the nearest one."""
        if name not in self.names:
            raise ValueError(
                f"{self.source} has no column {name!r}; it has {list_words(self.names)}. Mend {key}."
                f"{did_you_mean(name, self.names)}"
            )
        return name


def read_sheet(path: Path, *, decimal: str | None = None) -> Sheet:
    """Read a table, every cell as number or text.

    Parameters
    ----------
    path : Path
        CSV with any separator, Excel or Parquet.
    decimal : {".", ","}, optional
        Decimal mark of text; found if not told.

    Returns
    -------
    sheet : Sheet

    Raises
    ------
    ValueError, FileNotFoundError
        If it cannot be read, or the decimal mark cannot be told.
    """
    raw = read_raw(path)
    mark = decimal or _decimal_of(raw)
    numbers: dict[str, NDArray[np.float64]] = {}
    bad: dict[str, str] = {}
    for place, name in enumerate(raw.names):
        cells = raw.columns[place]
        parsed = parse_cells(cells, decimal=mark)
        wrong = np.flatnonzero(~parsed.is_kind(Kind.NUMBER, Kind.MISSING, Kind.DASH))
        if len(wrong):
            bad[name] = f"{str(cells.iloc[wrong[0]])[:40]!r} in row {raw.rows[wrong[0]]}"
        elif parsed.is_kind(Kind.NUMBER).any():
            numbers[name] = _values(parsed)
        else:
            bad[name] = "no number at all"
    text = {name: clean_text(raw.columns[place]) for place, name in enumerate(raw.names)}
    return Sheet(raw.source, pd.DataFrame(text), pd.DataFrame(numbers), bad, raw.rows)


def _decimal_of(raw: RawTable) -> str:
    """Return the decimal mark that the columns of numbers have."""
    able = []
    for place in range(len(raw.names)):
        cells = raw.columns[place]
        if any((parse_cells(cells, decimal=mark).kinds != Kind.BAD).all() for mark in ".,"):
            able.append(cells)
    try:
        return find_decimal(able, separator=raw.separator)
    except ValueError as error:
        raise ValueError(f"{raw.source}: {error}") from None


def _values(parsed: ParsedCells) -> NDArray[np.float64]:
    values = np.where(parsed.is_kind(Kind.NUMBER), parsed.values, np.nan)
    return np.where(np.abs(values) > NO_VALUE, np.nan, values)


def labels_of(sheet: Sheet, name: str) -> NDArray[np.float64]:
    """Labels as 1, 0 or NaN where the cell is blank.

    Parameters
    ----------
    sheet : Sheet
    name : str
        Column of labels.

    Returns
    -------
    labels : float64 array of shape (n,)

    Raises
    ------
    ValueError
        If a cell is neither yes nor no.
    """
    sheet.column(name, key="label under [labels]")
    cells = sheet.text[name]
    words = [plain_word(cell) for cell in cells]
    found = np.full(len(words), np.nan)
    for row, word in enumerate(words):
        if word in YES:
            found[row] = 1.0
        elif word in NO:
            found[row] = 0.0
        elif word:
            raise ValueError(
                f"{sheet.source}, row {row + 2}: column {name!r} holds {str(cells.iloc[row])[:40]!r},"
                " which is neither 1 (a deposit) nor 0 (barren). Name the column of labels: label ="
                ' "..." under [labels].'
            )
    return found


def plain_word(cell: object) -> str:
    """Return a cell as a word to compare: "1,0" and " 1.0 " are "1.0".

    Examples
    --------
    >>> plain_word(" Yes "), plain_word(1.0), plain_word("1,0"), plain_word(None)
    ('yes', '1.0', '1.0', '')
    """
    if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
        return ""
    word = str(cell).strip().casefold().replace(",", ".")
    head, point, tail = word.partition(".")
    return f"{head}.0" if point and head in {"0", "1"} and not tail.strip("0") else word


def coordinates_of(
    sheet: Sheet, *, easting: str | None, northing: str | None, needed: bool
) -> tuple[str, str] | None:
    """Columns of easting and northing; None if they are not needed and not there.

    Parameters
    ----------
    sheet : Sheet
    easting, northing : str, optional
        Where they have unusual names.
    needed : bool

    Returns
    -------
    columns : (str, str) or None

    Raises
    ------
    ValueError
        If a named column is not there, or none is found and they are needed.
    """
    given = {"easting": easting, "northing": northing}
    try:
        found = find_coordinates(sheet.names, given, source=sheet.source)
    except ValueError:
        if needed or easting or northing:
            raise
        return None
    return found["easting"], found["northing"]


def evidence_columns(
    sheet: Sheet, named: Sequence[str] | None, *, label: str, places: tuple[str, str] | None
) -> tuple[list[str], list[str]]:
    """Columns of evidence, and what was left out and why.

    Parameters
    ----------
    sheet : Sheet
    named : sequence of str, optional
        Default: all columns of numbers that are no coordinates, no label and no row number.
    label : str
    places : (str, str), optional
        Columns of the coordinates.

    Returns
    -------
    names, notes : lists of str

    Raises
    ------
    ValueError
        If a named column is not there or holds text, or none is left.
    """
    if named is not None:
        return _named_evidence(sheet, named, label), []
    no_evidence = {label, *(places or ())}
    kept, notes = [], []
    for name in sheet.numbers.columns:
        if name in no_evidence or plain_header(name) in PLACES:
            continue
        why = _why_not(name, sheet.numbers[name].to_numpy())
        if why:
            notes.append(f"{name} is left out: {why}.")
        else:
            kept.append(str(name))
    words = [name for name in sheet.bad if name not in no_evidence]
    if words:
        notes.append(f"{sheet.source}: columns of text are no evidence: {list_words(words)}.")
    if not kept:
        raise ValueError(
            f"{sheet.source} has no column of numbers for evidence; it has {list_words(sheet.names)}."
            ' Name some under [labels]: evidence = ["..."].'
        )
    return kept, notes


def _named_evidence(sheet: Sheet, named: Sequence[str], label: str) -> list[str]:
    for name in named:
        sheet.column(name, key="evidence under [labels]")
        if name in sheet.bad:
            raise ValueError(
                f"{sheet.source}: evidence {name!r} holds {sheet.bad[name]}, which is no number."
                ' Mend the cell, or set decimal = "," if the table has decimal commas.'
            )
        if name == label:
            raise ValueError(
                f"{sheet.source}: {name!r} is the label and cannot be evidence too. Take it out."
            )
    return list(dict.fromkeys(named))


def _why_not(name: str, values: NDArray[np.float64]) -> str:
    """Return why a column of numbers is no evidence; "" if it is."""
    is_whole = bool(np.isfinite(values).all())
    if plain_header(name) in NUMBERS_OF_ROWS and is_whole:
        return "it numbers the rows" if len(np.unique(values)) == len(values) else ""
    if np.isnan(values).mean() > MOST_BLANK:
        return f"{np.isnan(values).mean():.0%} of its cells are blank"
    return "it never varies" if np.nanstd(values) == 0 else ""


def match_columns(sheet: Sheet, names: Sequence[str], *, role: str) -> list[str]:
    """Columns of another table for the evidence, by name and never by position.

    Parameters
    ----------
    sheet : Sheet
    names : sequence of str
        Of the evidence.
    role : str
        Section, for messages.

    Returns
    -------
    columns : list of str
        One a name; "PC 1" and "pc1" are the same.

    Raises
    ------
    ValueError
        If one is not there, stands twice, or holds text.
    """
    return match_names(
        names, sheet.names, source=f"{sheet.source} ({role})", bad=sheet.bad, what="column"
    )


def match_names(
    names: Sequence[str], there: Sequence[str], *, source: str, bad: dict[str, str], what: str
) -> list[str]:
    """Return for each name the one that is there, whatever its case and marks."""
    found = []
    for name in names:
        same = [each for each in there if each == name]
        same = same or [each for each in there if plain_header(each) == plain_header(name)]
        if len(same) != 1:
            own = (
                f"{what} {name!r} {len(same)} times: {', '.join(same)}"
                if same
                else f"no {what} {name!r}"
            )
            raise ValueError(
                f"{source} has {own}; it has {list_words(list(there))}. Evidence is"
                f" matched by name: rename the {what}.{did_you_mean(name, list(there))}"
            )
        if same[0] in bad:
            raise ValueError(
                f"{source}: {what} {same[0]!r} holds {bad[same[0]]}, which is no number. Mend it."
            )
        found.append(same[0])
    return found
