"""Cells of a column of analyses, in every way that laboratories write a detection limit.

Cells come in as text or numbers; numbers and a kind per cell go out ("<0.5" is 0.5, below), then
values with a censored mask, once the unknown limits have been looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gossan._units import convert_unit, is_unit

MISSING = (-9999, -999.25, -999, -99, "NS", "NSS", "LNR", "not analysed", "not analyzed")
"""What stands for "missing" in a table, besides blanks and words such as "n/a" or "NaN"."""

_MISSING_WORDS = {"", "na", "n/a", "nan", "null", "none", "#n/a", "#na", "<na>", "nil", "missing"}
_BELOW_WORDS = (
    set("bdl bd bld blod bql bloq lod mdl dl lld loq nd n/d ud udl tr trace traces".split())  # noqa: SIM905
    | {"notdetected", "belowdetection", "belowdetectionlimit", "belowdl", "belowlod", "belowmdl"}
    | {"underdetection", "belowlimit", "belowlimitofdetection", "<"}
)
_NUMBERS = (int, float, Decimal, np.integer, np.floating)
_DASHES = {"-", "--", "---", "\u2013", "\u2014"}
# Signs that keyboards and journals write for the plain ones; superscripts are left alone, since
# "0.5\u00b2" is a footnote mark and never 0.52.
_PLAIN = str.maketrans(
    {"\u2212": "-", "\uff0d": "-", "\u2010": "-", "\u2011": "-", "\u00a0": " ", "\u202f": " "}
    | {"\u2009": " ", "\uff1c": "<", "\uff1e": ">", "\u2264": "<", "\u2265": ">", "\u2019": "'"}
    | {"\u2a7d": "<", "\u2a7e": ">", "\uff0c": ",", "\uff0e": "."}
    | {chr(0xFF10 + i): str(i) for i in range(10)}
)
_CELL = re.compile(r"([<>]=?)?\s*([-+]?)\s*([0-9.,' ]*[0-9][.,]?)(e[-+]?[0-9]{1,3})?\s*(\D*)", re.I)


class Kind(IntEnum):
    """What a cell says."""

    NUMBER = 0
    BELOW = 1  # below the limit that the cell states
    ABOVE = 2  # above the upper limit that the cell states
    UNKNOWN = 3  # below a limit that the cell does not state: "bdl", 0
    DASH = 4  # "-": below a limit if one is known, else missing
    MISSING = 5
    BAD = 6  # text that is no number


@dataclass(frozen=True)
class ParsedCells:
    """Numbers and kinds of a column of cells, both arrays of shape (n_cells,).

    `values` is NaN where a cell states no number; `kinds` holds `Kind` codes; `thousands` marks
    cells in which a thousands separator was removed.
    """

    values: NDArray[np.float64]
    kinds: NDArray[np.uint8]
    thousands: NDArray[np.bool_]

    def is_kind(self, *kinds: Kind) -> NDArray[np.bool_]:
        """Mask of the cells of these kinds."""
        return np.isin(self.kinds, kinds)


def parse_cells(
    cells: Any,
    *,
    decimal: str = ".",
    unit: str = "",
    missing: Iterable[float | str] = MISSING,
) -> ParsedCells:
    """Read the cells of one column of analyses; a negative number stays negative here.

    Parameters
    ----------
    cells : Series or array of shape (n_cells,)
        Text, numbers or both.
    decimal : "." or ","
        Decimal mark of the text.
    unit : str
        Unit of the column; a cell with a unit of its own ("<500 ppb") is converted to it.
    missing : iterable of numbers and words
        What stands for "missing", besides blanks.

    Returns
    -------
    parsed : ParsedCells

    Examples
    --------
    >>> parsed = parse_cells(["12.5", "<0.5", "bdl", "", "O.5"])
    >>> parsed.values
    array([12.5,  0.5,  nan,  nan,  nan])
    >>> [Kind(kind).name for kind in parsed.kinds]
    ['NUMBER', 'BELOW', 'UNKNOWN', 'MISSING', 'BAD']
    """
    words = [str(word).casefold() for word in missing if isinstance(word, str)]
    codes = [float(word) for word in missing if not isinstance(word, str)]
    values, texts = split_cells(cells)
    kinds = np.where(np.isnan(values), Kind.MISSING, Kind.NUMBER).astype(np.uint8)
    thousands = np.zeros(len(values), dtype=bool)
    if texts is not None:
        reader = _TextReader(decimal, unit, {_key(word) for word in words})
        reader.read(texts, values, kinds, thousands)
    kinds[np.isinf(values)] = Kind.BAD
    if codes:
        kinds[np.isin(values, codes) & (kinds == Kind.NUMBER)] = Kind.MISSING
    values[np.isin(kinds, (Kind.MISSING, Kind.BAD))] = np.nan
    return ParsedCells(values, kinds, thousands)


def resolve_limits(
    parsed: ParsedCells,
    known: NDArray[np.float64],
    *,
    labs: NDArray[Any] | None = None,
    negatives: str = "limit",
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.uint8]]:
    """Values, censored mask and where each unknown limit was found.

    Parameters
    ----------
    parsed : ParsedCells of n_cells
    known : array of shape (n_cells,)
        Limit known for each cell, in the unit of the column; NaN where none is.
    labs : array of shape (n_cells,), optional
        Laboratory of each cell; limits are then looked for within one laboratory.
    negatives : "limit" or "keep"
        ``"limit"``: a negative number is below its absolute value. ``"keep"``: negative numbers
        and zeros are numbers (isotope deltas).

    Returns
    -------
    values : array of shape (n_cells,)
        NaN where missing; a censored cell holds its limit.
    censored : bool array of shape (n_cells,)
    origin : uint8 array of shape (n_cells,)
        0: stated by the cell or nothing to look up, 1: the known limit, 2: the smallest limit
        stated in the column, 3: the smallest value measured in the column, 4: nowhere (missing).
    """
    values, kinds = parsed.values.copy(), parsed.kinds
    is_number = kinds == Kind.NUMBER
    keep = negatives == "keep"
    negative = is_number & (values < 0) & (not keep)
    values[negative] *= -1
    censored = (kinds == Kind.BELOW) | negative
    zero = (is_number | (kinds == Kind.BELOW)) & (values == 0) & (not keep)
    ask = (kinds == Kind.UNKNOWN) | (kinds == Kind.DASH) | zero
    origin = np.zeros(len(values), dtype=np.uint8)
    if ask.any():
        _look_up(values, censored, origin, ask=ask, known=known, labs=labs, kinds=kinds)
    return values, censored, origin


def find_decimal(columns: Sequence[Any], *, separator: str = "") -> str:
    """Decimal mark of a table, from the cells that can be read in one way only.

    Parameters
    ----------
    columns : sequence of Series or arrays
        The columns of analyses.
    separator : str
        Separator of the text file: "," between cells says that quoted "1,234" is a thousand.

    Returns
    -------
    decimal : "." or ","

    Raises
    ------
    ValueError
        If "1,234" might be 1.234 or 1234 and nothing in the table tells which.

    Examples
    --------
    >>> find_decimal([["0,52", "1,5"], ["1.250,5", "12"]])
    ','
    """
    texts = [split_cells(column)[1] for column in columns]
    filled = [text for text in texts if text is not None]
    if not any(_count(text, ",") for text in filled):
        return "."
    counts = np.zeros(5, dtype=int)  # comma, dot, both marks, three digits after comma, after dot
    for text in filled:
        marks = {mark: _count(text, mark) for mark in ",."}
        for j, (pattern, needed) in enumerate(_DECIMAL_PATTERNS):
            if all(marks[mark] for mark in needed):
                counts[j] += pc.sum(_matches(text, pattern)).as_py() or 0
    comma, dot, both, three_comma, three_dot = counts
    if comma > dot:
        if three_dot and not both:
            _refuse_marks("1.234", "1,5")
        return ","
    if three_comma and not both and separator != ",":
        if dot == 0 and separator == ";" and not three_dot:
            return ","
        _refuse_marks("1,234", "1.5" if dot or three_dot else "")
    return "."


def split_cells(cells: Any) -> tuple[NDArray[np.float64], pa.Array | None]:
    """Numbers of a column (NaN where a cell is text or blank), and its texts (null elsewhere)."""
    series = cells if isinstance(cells, pd.Series) else pd.Series(cells)
    dtype = series.dtype
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        if pd.api.types.is_complex_dtype(dtype):
            return np.full(len(series), np.nan), pa.array(series.astype(str), pa.large_string())
        return series.to_numpy(dtype=float, na_value=np.nan, copy=True), None
    values = np.full(len(series), np.nan)
    if isinstance(dtype, pd.StringDtype):
        return values, pa.array(series, type=pa.large_string(), from_pandas=True)
    if not pd.api.types.is_object_dtype(dtype):
        series = series.astype(object)
    texts: list[str | None] = [None] * len(series)
    for i, cell in enumerate(series):
        if isinstance(cell, str):
            texts[i] = cell
        elif isinstance(cell, _NUMBERS) and not isinstance(cell, bool | np.bool_):
            values[i] = _as_float(cell)
        elif cell is not None and cell is not pd.NA and cell is not pd.NaT:
            texts[i] = f"{cell}"
    return values, pa.array(texts, type=pa.large_string())


class _TextReader:
    """Reads texts into numbers: plain numbers and "<number" at once, the rest word by word."""

    def __init__(self, decimal: str, unit: str, missing_words: set[str]) -> None:
        self.decimal, self.unit, self.missing_words = decimal, unit, missing_words
        mark = re.escape(decimal)
        number = rf"([0-9]+{mark}?[0-9]*|{mark}[0-9]+)([eE][-+]?[0-9]+)?"
        self.plain, self.below = rf"^[-+]?{number}$", rf"^<\s*{number}$"

    def read(
        self,
        texts: pa.Array,
        values: NDArray[np.float64],
        kinds: NDArray[np.uint8],
        thousands: NDArray[np.bool_],
    ) -> None:
        """Fill `values`, `kinds` and `thousands` where `texts` is not null."""
        texts = _valid_text(texts)
        trimmed = pc.utf8_trim_whitespace(texts)
        done = np.asarray(pc.is_null(trimmed))
        for pattern, kind in ((self.plain, Kind.NUMBER), (self.below, Kind.BELOW)):
            hit = _matches(trimmed, pattern)
            mask = np.asarray(hit)
            if mask.any():
                values[mask] = self._cast(pc.filter(trimmed, hit))
                kinds[mask] = kind
                done = done | mask
        if not done.all():
            self._read_words(trimmed, np.flatnonzero(~done), values, kinds, thousands)

    def _cast(self, texts: pa.Array) -> NDArray[np.float64]:
        texts = pc.utf8_trim(texts, characters="< \t\u00a0")
        if self.decimal == ",":
            texts = pc.replace_substring(texts, ",", ".")
        return np.asarray(pc.cast(texts, pa.float64()))

    def _read_words(
        self,
        texts: pa.Array,
        places: NDArray[np.intp],
        values: NDArray[np.float64],
        kinds: NDArray[np.uint8],
        thousands: NDArray[np.bool_],
    ) -> None:
        """Read each different text once."""
        coded = pc.dictionary_encode(texts.take(pa.array(places)))
        read = [self.read_word(word) for word in coded.dictionary.to_pylist()]
        codes = np.asarray(coded.indices)
        kinds[places] = np.array([kind for kind, _, _ in read], dtype=np.uint8)[codes]
        values[places] = np.array([value for _, value, _ in read], dtype=float)[codes]
        thousands[places] = np.array([mark for _, _, mark in read], dtype=bool)[codes]

    def read_word(self, text: str) -> tuple[Kind, float, bool]:
        """Kind and value of one text, and whether it had a thousands separator."""
        text = text.replace("&lt;", "<").replace("&gt;", ">").translate(_PLAIN).strip()
        key = _key(text)
        if key in _MISSING_WORDS or key in self.missing_words:
            return Kind.MISSING, np.nan, False
        if key in _BELOW_WORDS or key.lstrip("<(").rstrip(")") in _BELOW_WORDS - {"<"}:
            return Kind.UNKNOWN, np.nan, False
        if text in _DASHES:
            return Kind.DASH, np.nan, False
        found = _CELL.fullmatch(text)
        if not found:
            return Kind.BAD, np.nan, False
        return self._read_parts(*found.groups(default=""))

    def _read_parts(
        self, mark: str, sign: str, digits: str, exponent: str, unit: str
    ) -> tuple[Kind, float, bool]:
        number, has_thousands = _plain_number(digits.strip(), self.decimal)
        if not number or (unit and not is_unit(unit)) or (mark and sign):
            return Kind.BAD, np.nan, False
        value = float(sign + number + exponent)
        if unit and self.unit:
            value = float(convert_unit(value, unit, self.unit))
        if not np.isfinite(value):
            return Kind.BAD, np.nan, False
        kind = {"<": Kind.BELOW, ">": Kind.ABOVE, "": Kind.NUMBER}[mark[:1]]
        return kind, value, has_thousands


def _plain_number(digits: str, decimal: str) -> tuple[str, bool]:
    """Digits with a point ("" if they are no number), and whether thousands were marked."""
    whole, _, part = digits.partition(decimal)
    if not re.fullmatch(r"[0-9]*", part) or not whole + part:
        return "", False
    number = f"{whole}.{part}" if part else whole
    if re.fullmatch(r"[0-9]*", whole):
        return number, False
    other = "," if decimal == "." else "."
    group = r"[1-9][0-9]{0,2}(?:%s[0-9]{3})+"
    if not any(re.fullmatch(group % re.escape(mark), whole) for mark in (other, " ", "'")):
        return "", False
    plain = re.sub(r"[^0-9]", "", whole)
    return (f"{plain}.{part}" if part else plain), True


def _look_up(
    values: NDArray[np.float64],
    censored: NDArray[np.bool_],
    origin: NDArray[np.uint8],
    *,
    ask: NDArray[np.bool_],
    known: NDArray[np.float64],
    labs: NDArray[Any] | None,
    kinds: NDArray[np.uint8],
) -> None:
    """Fill the unknown limits: the known one, the smallest stated, the smallest measured."""
    stated = np.where(censored & ~ask & (values > 0), values, np.inf)
    is_measured = (kinds == Kind.NUMBER) & ~censored & (values > 0)
    measured = np.where(is_measured, values, np.inf)
    known = np.where(known > 0, known, np.inf)
    sources = (known, _smallest(stated, labs), _smallest(measured, labs))
    values[ask], censored[ask], origin[ask] = np.nan, False, 4
    for number, source in enumerate(sources, start=1):
        use = ask & (origin == 4) & np.isfinite(source)
        if number == 3:  # a dash is a limit only where a limit is written somewhere
            use &= kinds != Kind.DASH
        values[use], censored[use], origin[use] = source[use], True, number


def _smallest(numbers: NDArray[np.float64], labs: NDArray[Any] | None) -> NDArray[np.float64]:
    """Smallest number of each laboratory (or of all), at every cell."""
    if labs is None:
        return np.full(len(numbers), numbers.min(initial=np.inf))
    codes = pd.factorize(labs, use_na_sentinel=False)[0]
    lowest = np.full(codes.max(initial=-1) + 1, np.inf)
    np.minimum.at(lowest, codes, numbers)
    return lowest[codes]


def _decimal_pattern(mark: str, other: str) -> str:
    """Cells in which `mark` can only be the decimal mark."""
    m, o = re.escape(mark), re.escape(other)
    return (
        rf"^[<>]?\s*[-+]?(?:[0-9]*{m}(?:[0-9]{{1,2}}|[0-9]{{4,}})|0?{m}[0-9]+|[0-9]{{4,}}{m}[0-9]+"
        rf"|[0-9]{{1,3}}(?:{o}[0-9]{{3}})+{m}[0-9]+)(?:[eE][-+]?[0-9]+)?$"
    )


_DECIMAL_PATTERNS = (  # each with the marks that it needs
    (_decimal_pattern(",", "."), ","),
    (_decimal_pattern(".", ","), "."),
    (r"^[<>]?\s*[-+]?[0-9]{1,3}(?:(?:\.[0-9]{3})+,[0-9]+|(?:,[0-9]{3})+\.[0-9]+)$", ",."),
    (r"^[<>]?\s*[-+]?[1-9][0-9]{0,2},[0-9]{3}$", ","),
    (r"^[<>]?\s*[-+]?[1-9][0-9]{0,2}\.[0-9]{3}$", "."),
)


def _refuse_marks(cell: str, beside: str) -> None:
    seen = f" beside cells such as {beside!r}" if beside else ""
    raise ValueError(
        f"The decimal mark cannot be told: cells such as {cell!r} stand{seen}, and may be a"
        " thousand or a fraction. Pass decimal='.' or decimal=','."
    )


def _count(texts: pa.Array, mark: str) -> int:
    return int(pc.sum(pc.match_substring(texts, mark)).as_py() or 0)


def _matches(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(texts, pattern), False)


def _valid_text(texts: pa.Array) -> pa.Array:
    """One contiguous array of text."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    return texts.cast(pa.large_string())


def _key(text: str) -> str:
    return re.sub(r"[\s._]", "", text).casefold()


def _as_float(cell: Any) -> float:
    try:
        return float(cell)
    except (OverflowError, TypeError):  # an integer beyond 1e308, a complex number
        return np.inf
