"""Rows beside the labelled sites: the ground, classes for a pretext task, what others scored on.

Sections of a transfer study file, its folder and the sites come in; rows of the same evidence in the
same order, matched by name, go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan.report._writing import count_of
from gossan.studies.places import place_table
from gossan.studies.transfer.cells import coordinates_of, labels_of, match_columns, read_sheet
from gossan.studies.transfer.tables import Sites, rounded, with_places

Floats = NDArray[np.float64]
MOST_GROUND = 50_000  # rows that every held-out model scores: more tell no rank better


@dataclass(frozen=True, eq=False)
class Ground:
    """Unlabelled rows of the ground.

    Attributes
    ----------
    X : float64 array of shape (m, n_features)
    coords : float64 array of shape (m, 2), optional
        [m].
    source : str
        Where they come from.
    notes : list of str
    """

    X: Floats
    coords: Floats | None
    source: str
    notes: list[str]


def read_ground(told: Mapping[str, Any], folder: Path, sites: Sites) -> Ground:
    """Read unlabelled rows of a table, matched to the evidence by name.

    Parameters
    ----------
    told : mapping
        Arguments of the section [background], with a table.
    folder : Path
    sites : Sites

    Returns
    -------
    ground : Ground

    Raises
    ------
    ValueError, FileNotFoundError
        If the file or a column cannot be read, or fewer than twenty rows are whole.
    """
    sheet = read_sheet(folder / told["table"], decimal=told["decimal"])
    X = sheet.numbers.reindex(columns=sheet.names)[
        match_columns(sheet, sites.names, role="[background]")
    ].to_numpy()
    notes = []
    coords = None
    places = coordinates_of(sheet, easting=told["easting"], northing=told["northing"], needed=False)
    whole = np.isfinite(X).all(axis=1)
    if (~whole).any():
        notes.append(
            f"{sheet.source}: {count_of(int((~whole).sum()), 'row')} with blank evidence left out."
        )
    if places is not None and not {*places} & {*sites.names}:
        placed = place_table(
            with_places(sheet, places)[whole].reset_index(drop=True), source=sheet.source,
            crs=told["crs"] or sites.crs, to_crs=sites.crs if told["crs"] else None,
            easting=places[0], northing=places[1],
        )  # fmt: skip
        X, coords = X[whole][placed.rows], placed.coords
        notes += placed.notes
    else:
        X = X[whole]
        notes.append(
            f"{sheet.source} has no coordinates: what coordinates alone capture of the background"
            " cannot be told, and fake labels cannot be laid on it."
        )
    return without_known(Ground(X, coords, sheet.source, notes), sites)


def without_known(ground: Ground, sites: Sites) -> Ground:
    """The ground without rows that are a labelled deposit's own, and no more than can be held.

    Parameters
    ----------
    ground : Ground
    sites : Sites

    Returns
    -------
    ground : Ground

    Raises
    ------
    ValueError
        If fewer than twenty rows are left.
    """
    known = set(map(bytes, rounded(sites.X[sites.occurrences])))
    is_known = np.array([bytes(row) in known for row in rounded(ground.X)], dtype=bool)
    notes = list(ground.notes)
    if is_known.any():
        notes.append(
            f"{count_of(int(is_known.sum()), 'background row')} left out: a labelled deposit's own"
            " pixel."
        )
    if (~is_known).sum() < 20:
        raise ValueError(
            f"{ground.source}: {int((~is_known).sum())} whole background rows are left, and 20 are the"
            " fewest to rank deposits among. Give more, or leave [background] out."
        )
    kept = np.flatnonzero(~is_known)
    if len(kept) > MOST_GROUND:
        notes.append(
            f"{ground.source}: {MOST_GROUND:,} of {len(kept):,} background rows were drawn at random."
        )
        kept = np.sort(np.random.default_rng(0).choice(kept, size=MOST_GROUND, replace=False))
    coords = None if ground.coords is None else ground.coords[kept]
    return Ground(ground.X[kept], coords, ground.source, notes)


def read_classes(
    told: Mapping[str, Any], folder: Path, sites: Sites
) -> tuple[Floats, NDArray] | None:
    """Rows of known classes (rock units) for the pretext task; None where none is named.

    Parameters
    ----------
    told : mapping
        Arguments of the section [pretext].
    folder : Path
    sites : Sites

    Returns
    -------
    rows, classes : arrays of shape (m, n_features) and (m,), or None

    Raises
    ------
    ValueError, FileNotFoundError
        If the file or a column cannot be read, or there are fewer than two classes.
    """
    if not told["classes"]:
        return None
    sheet = read_sheet(folder / told["classes"])
    name = sheet.column(told["column"], key="column under [pretext]")
    X = sheet.numbers.reindex(columns=sheet.names)[
        match_columns(sheet, sites.names, role="[pretext]")
    ].to_numpy()
    classes = sheet.text[name].astype(str).to_numpy()
    whole = np.isfinite(X).all(axis=1) & sheet.text[name].notna().to_numpy()
    kinds = np.unique(classes[whole])
    if len(kinds) < 2:
        raise ValueError(
            f"{sheet.source}: column {name!r} holds {len(kinds)} class in whole rows, and two are the"
            ' fewest to learn. Name another column, or take method = "masked".'
        )
    return X[whole], classes[whole]


def read_published(path: Path, sites: Sites, told: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """Evidence and labels of a validation table that somebody else scored on.

    Parameters
    ----------
    path : Path
    sites : Sites
    told : mapping
        Arguments of the section [labels].

    Returns
    -------
    X, y : float64 arrays
    """
    sheet = read_sheet(path, decimal=told["decimal"])
    y = labels_of(sheet, told["label"])
    columns = match_columns(sheet, sites.names, role="[validate] published")
    X = sheet.numbers.reindex(columns=sheet.names)[columns].to_numpy()
    whole = np.isfinite(X).all(axis=1) & np.isfinite(y)
    return X[whole], y[whole]
