"""From a messy table of labelled rows to sites, each once.

The section [labels] of a transfer study file and its folder come in; `Sites` go out, with what was
merged, left out and assumed on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gossan.data._coordinates import format_places
from gossan.report._writing import count_of
from gossan.studies.places import place_table
from gossan.studies.transfer.cells import (
    Sheet,
    coordinates_of,
    evidence_columns,
    labels_of,
    read_sheet,
)

Floats = NDArray[np.float64]
NAMES = ("name", "site", "deposit", "occurrence", "prospect", "mine")
LEAST = 6  # of deposits, and of negatives: fewer cannot be held out and learned from
SAME = 7  # digits to which two rows of evidence are one pixel


@dataclass(frozen=True, eq=False)
class Rows:
    """Labelled rows as they stand in the table, before duplicates are merged.

    Attributes
    ----------
    X : float64 array of shape (n_rows, n_features)
    y : int64 array of shape (n_rows,)
    coords : float64 array of shape (n_rows, 2)
        [m].
    site : int64 array of shape (n_rows,)
        Site of each row.
    """

    X: Floats
    y: NDArray[np.int64]
    coords: Floats
    site: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sites:
    """Labelled places, each once.

    Attributes
    ----------
    X : float64 array of shape (n, n_features)
        Evidence.
    y : int64 array of shape (n,)
        1 for a deposit, 0 for barren ground.
    coords : float64 array of shape (n, 2)
        Easting and northing [m].
    names : tuple of str
        Of the evidence, in order.
    titles : list of str
        Name of each site, a number without one.
    counts : int64 array of shape (n,)
        Rows of the table that each stands for.
    rows : Rows
    crs : str or None
    source : str
        File.
    notes, left_out : list of str
    """

    X: Floats
    y: NDArray[np.int64]
    coords: Floats
    names: tuple[str, ...]
    titles: list[str]
    counts: NDArray[np.int64]
    rows: Rows
    crs: str | None
    source: str
    notes: list[str]
    left_out: list[str]

    @property
    def occurrences(self) -> NDArray[np.int64]:
        """Rows of the deposits."""
        return np.flatnonzero(self.y == 1)


def read_sites(told: Mapping[str, Any], folder: Path, *, to_crs: str | None = None) -> Sites:
    """Read the labelled places.

    Parameters
    ----------
    told : mapping
        Arguments of the section [labels].
    folder : Path
        Of the study file.
    to_crs : str, optional
        CRS of the rasters, where the section names none.

    Returns
    -------
    sites : Sites

    Raises
    ------
    ValueError, FileNotFoundError
        If a file or column cannot be read, or too few labels are left.
    """
    sheet = read_sheet(folder / told["table"], decimal=told["decimal"])
    labels = labels_of(sheet, told["label"])
    places = coordinates_of(
        sheet, easting=told["easting"], northing=told["northing"], needed=True
    ) or ("", "")
    names, left_out = evidence_columns(sheet, told["evidence"], label=told["label"], places=places)
    X = sheet.numbers[names].to_numpy()
    usable, notes = _usable(sheet, labels, X)
    table = with_places(sheet, places).iloc[usable].reset_index(drop=True)
    wanted = told["to_crs"] or (to_crs if told["crs"] else None)
    placed = place_table(
        table, source=sheet.source, crs=told["crs"], to_crs=wanted, easting=places[0],
        northing=places[1],
    )  # fmt: skip
    kept = usable[placed.rows]
    y = labels[kept].astype(np.int64)
    site = same_sites(X[kept], placed.coords)
    firsts, counts, merged = _merged(site, y, sheet.source)
    _check_labels(y[firsts], sheet.source)
    n_lost = len(usable) - len(kept)
    notes = [*notes, *_counted(placed.notes, n_lost, sheet.source), *merged]
    return Sites(
        X=X[kept][firsts],
        y=y[firsts],
        coords=placed.coords[firsts],
        names=tuple(names),
        titles=_titles(placed.table, firsts),
        counts=counts,
        rows=Rows(X[kept], y, placed.coords, site),
        crs=placed.crs,
        source=sheet.source,
        notes=notes,
        left_out=left_out,
    )


def same_sites(X: Floats, coords: Floats) -> NDArray[np.int64]:
    """Number of the site of each row: rows of one evidence, or of one place, are one site.

    Parameters
    ----------
    X : array of shape (n, n_features)
    coords : array of shape (n, 2)
        [m].

    Returns
    -------
    site : int64 array of shape (n,)

    Examples
    --------
    >>> X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [5.0, 6.0]])
    >>> same_sites(X, np.array([[0.0, 0.0], [9.0, 9.0], [5.0, 0.0], [9.0, 9.0]]))
    array([0, 1, 0, 1])
    """
    n = len(X)
    links = [np.unique(rounded(part), axis=0, return_inverse=True)[1].ravel()
             for part in (X, np.round(coords, 3))]  # fmt: skip
    ends = np.concatenate([n + links[0], n + links[0].max() + 1 + links[1]])
    size = int(ends.max()) + 1
    graph = coo_array((np.ones(2 * n), (np.tile(np.arange(n), 2), ends)), shape=(size, size))
    found = connected_components(graph, directed=False)[1][:n]
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def rounded(X: Floats) -> Floats:
    """Return rows rounded to some digits, so that copies of a pixel are equal."""
    with np.errstate(divide="ignore"):
        size = np.where(X == 0, 0.0, np.floor(np.log10(np.abs(X))))
    scale = 10.0 ** (SAME - 1 - size)
    return np.ascontiguousarray(np.round(X * scale) / scale + 0.0)


def _usable(sheet: Sheet, labels: Floats, X: Floats) -> tuple[NDArray[np.int64], list[str]]:
    """Return rows with a label and whole evidence, and how many have none."""
    notes = []
    has_label, is_whole = np.isfinite(labels), np.isfinite(X).all(axis=1)
    if (~has_label).any():
        rows = np.flatnonzero(~has_label)
        notes.append(
            f"{sheet.source}: {count_of(len(rows), 'row')} without a label left out,"
            f" {format_places(rows, sheet.rows)}."
        )
    if (has_label & ~is_whole).any():
        rows = np.flatnonzero(has_label & ~is_whole)
        notes.append(
            f"{sheet.source}: {count_of(len(rows), 'row')} with blank evidence left out,"
            f" {format_places(rows, sheet.rows)}."
        )
    usable = np.flatnonzero(has_label & is_whole)
    if not len(usable):
        raise ValueError(
            f"{sheet.source}: no row has a label and all evidence. Name fewer columns of evidence under"
            ' [labels]: evidence = ["..."].'
        )
    return usable, notes


def with_places(sheet: Sheet, places: Sequence[str]) -> pd.DataFrame:
    """Return the text of a table, its coordinates as numbers; 0, 0 is no place."""
    for name in places:
        if name in sheet.bad:
            raise ValueError(
                f"{sheet.source}: coordinates {name!r} hold {sheet.bad[name]}, which is no number. Mend"
                ' it, or name other columns: easting = "...", northing = "...".'
            )
    table = sheet.text.copy()
    numbers = sheet.numbers[list(places)]
    is_nowhere = (numbers == 0).all(axis=1)
    for name in places:
        table[name] = numbers[name].mask(is_nowhere)
    return table


def _counted(notes: Sequence[str], n_lost: int, source: str) -> list[str]:
    """Return notes on places; rows are counted, as those left out before shift their numbers."""
    told = [note for note in notes if "without coordinates are left out" not in note]
    if n_lost:
        told.insert(0, f"{source}: {count_of(n_lost, 'row')} without coordinates left out.")
    return told


def _merged(
    site: NDArray[np.int64], y: NDArray[np.int64], source: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Return the row that stands for each site, a deposit first, the rows of each, and notes."""
    order = np.lexsort((np.arange(len(site)), -y, site))
    is_first = np.append(True, np.diff(site[order]) != 0)
    firsts, counts = order[is_first], np.bincount(site)
    by_row = np.argsort(firsts, kind="stable")
    notes = []
    if len(firsts) < len(site):
        n_ore, n_of_ore = int((y[firsts] == 1).sum()), int((y == 1).sum())
        notes.append(
            f"{source}: {len(site)} rows are {len(firsts)} sites, as rows of one place or of the very"
            f" same evidence are one; {n_of_ore} rows of deposits are {n_ore} sites."
        )
    lowest = np.ones(len(counts), dtype=np.int64)
    np.minimum.at(lowest, site, y)
    n_both = int((y[firsts] != lowest).sum())
    if n_both:
        notes.append(
            f"{source}: {count_of(n_both, 'site')} labelled both 1 and 0, counted as deposits. Check"
            " them."
        )
    return firsts[by_row], counts[by_row], notes


def _check_labels(y: NDArray[np.int64], source: str) -> None:
    n_ore = int((y == 1).sum())
    if n_ore >= LEAST and len(y) - n_ore >= LEAST:
        return
    raise ValueError(
        f"{source} has {n_ore} sites of deposits and {len(y) - n_ore} of barren ground; {LEAST} of each"
        " are the fewest to hold out some and learn from others. Add labels; unlabelled ground may"
        " stand for barren with the label 0."
    )


def _titles(table: pd.DataFrame, firsts: NDArray[np.int64]) -> list[str]:
    words = [name for name in table.columns if str(name).strip().casefold() in NAMES]
    found = table[words[0]].iloc[firsts].tolist() if words else [None] * len(firsts)
    return [
        f"site {number}" if cell is None or cell != cell or not str(cell).strip() else str(cell)  # noqa: PLR0124
        for number, cell in enumerate(found, start=1)
    ]
