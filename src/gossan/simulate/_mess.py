"""A clean table written the way that tables arrive: limits as text, commas, stray blanks, twins.

A table, its mask and its limits come in; a table of text and a list of what was done go out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

# One way of writing "below detection" for each laboratory in turn.
_LIMIT_STYLES = ("<{}", "< {}", "-{}", "bdl", "<{} ppm")
_N_BLANKS = 5
_N_LOST = 6


def make_messy(
    table: pd.DataFrame,
    censored: pd.DataFrame,
    *,
    wrong_unit: str | None,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table as text and one row (kind, row, column) for each defect put in.

    `table` holds the limit in censored cells. Rows are counted from 0; the last is the duplicate.
    """
    elements = list(censored.columns)
    defects: list[tuple[str, int, str]] = []
    messy = table.copy()
    if wrong_unit is not None:
        messy[wrong_unit] = messy[wrong_unit] / 1e4
        defects.append(("wrong unit", -1, wrong_unit))
    cells = _as_text(messy, censored, defects)
    lost = rng.choice(len(messy), size=min(_N_LOST, len(messy)), replace=False)
    for i, row in enumerate(lost.tolist()):
        column = int(rng.integers(len(elements)))
        cells[row, column] = "" if i % 2 else "-9999"
        defects.append(("missing", row, elements[column]))
    # One mark for the whole table: two in one table leave "1,234" open to two readings.
    cells = np.char.replace(cells.astype(str), ".", ",").astype(object)
    defects.append(("decimal comma", -1, ""))
    messy[elements] = pd.DataFrame(cells, columns=elements, index=messy.index)
    _spoil_names(messy, defects, rng)
    twin = int(rng.integers(len(messy)))
    defects.append(("duplicate row", len(messy), f"copy of row {twin}"))
    messy = pd.concat([messy, messy.iloc[[twin]]], ignore_index=True)
    return messy, pd.DataFrame(defects, columns=["kind", "row", "column"])


def _as_text(
    table: pd.DataFrame, censored: pd.DataFrame, defects: list[tuple[str, int, str]]
) -> np.ndarray:
    """Cells as text with five digits, those below detection in the style of their laboratory."""
    laboratories = {name: i for i, name in enumerate(pd.unique(table["reference"]))}
    cells = np.empty(censored.shape, dtype=object)
    numbers, mask = table[censored.columns].to_numpy(), censored.to_numpy()
    for row, laboratory in enumerate(table["reference"]):
        style = _LIMIT_STYLES[laboratories[laboratory] % len(_LIMIT_STYLES)]
        for column, number in enumerate(numbers[row]):
            text = np.format_float_positional(number, precision=5, fractional=False, trim="-")
            if mask[row, column]:
                text = style.format(text)
                defects.append((f"limit as {style.format('0.5')!r}", row, censored.columns[column]))
            cells[row, column] = text
    return cells


def _spoil_names(
    messy: pd.DataFrame, defects: list[tuple[str, int, str]], rng: np.random.Generator
) -> None:
    """Put blanks behind some names, and spell one deposit in two ways."""
    for row in rng.choice(len(messy), size=min(_N_BLANKS, len(messy)), replace=False).tolist():
        column = "deposit" if rng.random() < 0.5 else "type"
        place = messy.columns.get_loc(column)
        messy.iloc[row, place] = messy.iloc[row, place] + " "
        defects.append(("trailing blank", row, column))
    rows = _pick(messy["deposit"].str.strip(), rng)
    place = messy.columns.get_loc("deposit")
    for row in rows[: max(1, len(rows) // 3)].tolist():
        name = messy.iloc[row, place]
        messy.iloc[row, place] = name[:3] + name[2] + name[3:]  # "Karvol" -> "Karrvol"
        defects.append(("near-duplicate name", row, "deposit"))


def _pick(labels: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """Rows of one label drawn at random among those with at least the median count."""
    counts = labels.value_counts().sort_index()
    common = counts.index[counts >= counts.median()]
    return np.flatnonzero(labels == common[int(rng.integers(len(common)))])
