"""What looks wrong in a table of analyses: one function for each kind of doubt.

Values, masks and labels come in; `Finding` records with row numbers go out, and no value is ever
changed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option
from gossan._units import convert_unit, oxide_element
from gossan.data.tables.names import similar_names

SEVERITIES = ("error", "warning", "note")
_MAX_ROWS = 1000  # row numbers that one finding keeps; `n_cells` counts them all
_NO_NAMES = (pd.DatetimeTZDtype, pd.PeriodDtype, pd.IntervalDtype)
_MAX_PAIRS = 20  # pairs of similar names told of one column
# Slips between units that laboratories and keyboards make: ppb, ppm, wt% taken for one another.
_SLIPS = {1e3: "ppb taken for ppm", 1e4: "ppm taken for wt%", 1e7: "ppb taken for wt%"}


@dataclass(frozen=True)
class Finding:
    """One thing found in a table.

    Parameters
    ----------
    kind : str
        A short word: "negative", "duplicate rows".
    severity : {"error", "warning", "note"}
        How bad it is.
    rows : tuple of int
        The first thousand rows concerned, as numbered in the file (header = row 1).
    column : str
        Analyte or column; empty where the whole row is meant.
    message : str
        What was found, in a few words.
    n_cells : int
        How many cells are concerned in all; 0 where it is the column as a whole.
    """

    kind: str
    severity: str
    rows: tuple[int, ...]
    column: str
    message: str
    n_cells: int = 0

    def __post_init__(self) -> None:
        check_option("severity", self.severity, SEVERITIES)


def make_finding(
    kind: str, severity: str, message: str, *, rows: ArrayLike = (), column: str = ""
) -> Finding:
    """Build a finding from all its row numbers, of which it keeps the first thousand."""
    numbers = np.asarray(rows, dtype=np.int64)
    kept = tuple(int(row) for row in numbers[:_MAX_ROWS])
    return Finding(kind, severity, kept, column, message, n_cells=len(numbers))


def format_rows(rows: Iterable[int], n_cells: int = 0) -> str:
    """First rows and a count: "rows 4, 9, 12, ... (331 in all)".

    Examples
    --------
    >>> format_rows([4, 9, 12, 17, 20, 31, 40], 331)
    'rows 4, 9, 12, 17, 20, ... (331 in all)'
    """
    numbers = list(rows)
    total = max(n_cells, len(numbers))
    if not numbers:
        return ""
    if total == 1:
        return f"row {numbers[0]}"
    shown = ", ".join(str(number) for number in numbers[:5])
    return f"rows {shown}" if total <= 5 else f"rows {shown}, ... ({total} in all)"


def refuse_errors(source: str, findings: Iterable[Finding], errors: str, *, hint: str = "") -> None:
    """Raise one error for all cells that cannot be used, unless they are to be left out.

    Parameters
    ----------
    source : str
        File, for the message.
    findings : iterable of Finding
    errors : {"raise", "missing"}
    hint : str
        What may lie behind it.

    Raises
    ------
    ValueError
        If a finding is an error and `errors` is not "missing".
    """
    bad = [finding for finding in findings if finding.severity == "error"]
    if errors == "missing" or not bad:
        return
    lines = [f"column {f.column!r}: {f.message}; {format_rows(f.rows, f.n_cells)}" for f in bad[:6]]
    if len(bad) > 6:
        lines.append(f"and {len(bad) - 6} more columns")
    told = "\n  ".join([*lines, hint] if hint else lines)
    raise ValueError(
        f"{source} holds cells that cannot be used.\n  {told}\nCorrect them, name words that mean"
        " 'missing' with missing=(...), or pass errors='missing' to leave them out."
    )


def find_impossible(
    values: pd.DataFrame,
    units: Mapping[str, str],
    *,
    rows: NDArray[np.int64],
    cells_only: bool = False,
) -> list[Finding]:
    """Negative concentrations, more than 100 % of one thing, and rows that sum to more than 102 %.

    Two per cent are allowed for the error of a good total; `cells_only` leaves the sums out.
    """
    shares = pd.DataFrame(index=values.index)
    findings = []
    for name in values.columns:
        if units.get(name):
            shares[name] = convert_unit(values[name], units[name], "wt%")
    for name in shares.columns:
        for bad, what, why in (
            (shares[name] < 0, "negative concentration", ""),
            (shares[name] > 102, "more than 100 %", ": wrong unit?"),
        ):
            if bad.any():
                first = values[name][bad].iloc[0]
                message = f"{what}, such as {first:g} {units[name]}{why}"
                places = rows[bad.to_numpy()]
                findings.append(
                    make_finding("impossible", "error", message, rows=places, column=name)
                )
    if cells_only or findings:
        return findings
    total = _row_totals(shares)
    over = total > 102
    if over.any():
        message = f"analytes sum to more than 100 %, up to {total.max():.4g} %: check the units"
        findings.append(make_finding("row sum", "warning", message, rows=rows[over]))
    return findings


def find_wrong_units(
    values: pd.DataFrame, units: Mapping[str, str], expected: Mapping[str, tuple[float, float]]
) -> list[Finding]:
    """Columns whose median lies outside the expected range by a slip between units.

    Examples
    --------
    >>> values = pd.DataFrame({"Fe": [3.1, 4.2, 5.0]})
    >>> find_wrong_units(values, {"Fe": "ppm"}, {"Fe": (1000, 150000)})[0].message
    'median 4.2 ppm where 1000 to 150000 is expected; times 1e3 (ppm taken for ppb?) or times 1e4
    (wt% taken for ppm?) it fits'
    """
    findings = []
    for name, (low, high) in expected.items():
        if not low < high:
            raise ValueError(
                f"The expected range of {name} must be (low, high), got ({low}, {high})."
                " Give the lower end first, in the unit of the values."
            )
        middle = values[name].median() if name in values.columns else np.nan
        if np.isnan(middle) or low <= middle <= high:
            continue
        unit = units.get(name, "")
        message = f"median {middle:g} {unit} where {low:g} to {high:g} is expected"
        slip = _find_slip(middle, low, high)
        kind = "wrong unit?" if slip else "unusual level"
        findings.append(make_finding(kind, "warning", message + slip, column=name))
    return findings


def find_flat_columns(values: pd.DataFrame, censored: pd.DataFrame) -> list[Finding]:
    """Columns without any value, with one value only, or censored in more than half the rows."""
    findings = []
    for name in values.columns:
        present = values[name].dropna()
        share = censored[name].mean() if len(values) else 0.0
        if present.empty:
            findings.append(make_finding("empty", "warning", "no value at all", column=name))
        elif len(present) > 2 and present.iloc[0] == present.min() == present.max():
            message = f"the same value, {present.iloc[0]:g}, in all {len(present)} rows"
            findings.append(make_finding("constant", "warning", message, column=name))
        elif share > 0.5:
            message = f"{share:.0%} of the values are below detection"
            findings.append(make_finding("mostly censored", "note", message, column=name))
    return findings


def find_duplicates(
    values: pd.DataFrame, sites: pd.DataFrame, *, rows: NDArray[np.int64]
) -> list[Finding]:
    """Rows with the same analyses (three values or more, or all labels too), and repeated ids."""
    findings = []
    is_rich = (values.notna().sum(axis=1) >= 3).to_numpy()
    again = values.duplicated(keep="first").to_numpy() & is_rich
    if not is_rich.all() and sites.shape[1]:
        labels = [pd.factorize(_as_labels(sites[name]))[0] for name in sites.columns]
        whole = pd.concat([values, pd.DataFrame(dict(enumerate(labels)), values.index)], axis=1)
        again |= whole.duplicated(keep="first").to_numpy()
    if again.any():
        message = "the same analyses as an earlier row"
        findings.append(make_finding("duplicate rows", "warning", message, rows=rows[again]))
    for name in sites.columns:
        if _is_id(str(name)):
            column = _as_labels(sites[name])
            twice = (column.duplicated(keep="first") & column.notna()).to_numpy()
            # A column that repeats itself everywhere (sample, hole) is a label and not an id.
            if twice.any() and twice.mean() < 0.2:
                first = column[twice].iloc[0]
                shown = repr(first) if isinstance(first, str) else str(first)
                message = f"id occurs before, such as {shown}"
                findings.append(
                    make_finding(
                        "duplicate ids", "warning", message, rows=rows[twice], column=str(name)
                    )
                )
    return findings


def find_substitutes(
    values: pd.DataFrame,
    groups: pd.Series | None = None,
    *,
    min_count: int = 5,
    min_share: float = 0.1,
) -> pd.DataFrame:
    """Mask of repeated values that look like substitutes for values below detection.

    Compilers write the limit, or half of it, where a laboratory wrote "<". Such a value tells the
    study and not the mineral. It is suspected where exactly the same number stands in at least
    `min_count` rows and at least `min_share` of the rows of one study, in the lower half of that
    study's values. Rounded values look the same, and limits of their own for each analysis are
    missed: this is a suspicion and never a censored mask.

    Parameters
    ----------
    values : DataFrame of shape (n_rows, n_analytes)
    groups : Series of n_rows, optional
        Study of each row; default: all rows are one study.
    min_count, min_share : int, float
        The defaults are the rule by which the public sphalerite table was flagged.

    Returns
    -------
    mask : bool DataFrame of shape (n_rows, n_analytes)

    Examples
    --------
    >>> values = pd.DataFrame({"In": [0.01] * 5 + [0.2, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]})
    >>> int(find_substitutes(values)["In"].sum())
    5
    """
    labels = np.zeros(len(values)) if groups is None else groups.to_numpy()
    codes, studies = pd.factorize(labels, use_na_sentinel=False)
    sizes = np.bincount(codes, minlength=len(studies))
    mask = np.zeros(values.shape, dtype=bool)
    for j, name in enumerate(values.columns):
        present = np.flatnonzero(values[name].notna())
        column, study = values[name].to_numpy(dtype=float)[present], codes[present]
        frame = pd.DataFrame({"study": study, "value": column})
        count = frame.groupby(["study", "value"])["value"].transform("size").to_numpy()
        middle = frame.groupby("study")["value"].transform("median").to_numpy()
        is_repeated = (count >= min_count) & (count >= min_share * sizes[study])
        mask[present, j] = is_repeated & (column <= middle)
    return pd.DataFrame(mask, index=values.index, columns=values.columns)


def find_similar_names(sites: pd.DataFrame, *, rows: NDArray[np.int64]) -> list[Finding]:
    """Names of groups that differ by a letter, an accent, the case or a blank.

    The same letters written differently are a warning. One or two different letters are a warning
    between long words ("Mauer", "Maurer") and a note between short codes ("Freiberg kb",
    "Freiberg eb"), which may well be two things; names that differ in a digit are two things.
    """
    findings = []
    for name in sites.columns:
        if isinstance(sites[name].dtype, _NO_NAMES) or sites[name].dtype.kind in "biufcmM":
            continue
        codes, names = pd.factorize(_as_labels(sites[name]))
        if not 2 <= len(names) <= max(20, len(codes) // 2):
            continue
        words, counts = [str(word) for word in names], np.bincount(codes[codes >= 0])
        place = {word: code for code, word in enumerate(words)}
        pairs = sorted(similar_names(words), key=lambda pair: pair[2], reverse=True)
        for first, second, severity in pairs[:_MAX_PAIRS]:
            common, rare = sorted((first, second), key=lambda word: (-counts[place[word]], word))
            message = (
                f"{common!r} ({counts[place[common]]} rows) and {rare!r} ({counts[place[rare]]})"
                " may be the same"
            )
            where = rows[codes == place[rare]]
            findings.append(
                make_finding("similar names", severity, message, rows=where, column=str(name))
            )
        if len(pairs) > _MAX_PAIRS:
            message = f"{len(pairs) - _MAX_PAIRS} more pairs of similar names: a scheme of codes?"
            findings.append(make_finding("similar names", "note", message, column=str(name)))
    return findings


def _as_labels(column: pd.Series) -> pd.Series:
    """Cells that can be compared: lists and the like as text."""
    if not pd.api.types.is_object_dtype(column.dtype):
        return column
    return column.map(str, na_action="ignore")


def _row_totals(shares: pd.DataFrame) -> NDArray[np.float64]:
    """Sum of each row [%], an element left out where one of its oxides is there."""
    oxides = {name for name in shares.columns if len(name) > 2 and name[-1:] in "O0123456789"}
    covered = set()
    for name in oxides:
        try:
            covered.add(oxide_element(name))
        except ValueError:
            continue
    names = [name for name in shares.columns if name not in covered]
    return shares[names].sum(axis=1).to_numpy(dtype=float)


def _find_slip(middle: float, low: float, high: float) -> str:
    """Words for the slip between units that would bring a median into its range, or ''."""
    fits = []
    for factor, words in _SLIPS.items():
        name = np.format_float_scientific(factor, trim="-", exp_digits=1).replace("+", "")
        first, second = words.split(" taken for ")
        if low <= middle / factor <= high:
            fits.append(f"divided by {name} ({first} taken for {second}?)")
        if low <= middle * factor <= high:
            fits.append(f"times {name} ({second} taken for {first}?)")
    return f"; {' or '.join(fits)} it fits" if fits else ""


def _is_id(name: str) -> bool:
    word = name.casefold().replace("_", "").replace(" ", "").replace(".", "")
    return word in {"id", "no", "nr", "number", "serialno", "serial", "labno"} or (
        word.endswith("id")
        and word[:-2] in {"sample", "lab", "analysis", "spot", "field", "f", "o"}
    )
