"""Tables of the tailings study: samples with coordinates and concentrations, and places to estimate.

Files and column names come in; coordinates [m], concentrations, covariates and holes go out.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import GossanWarning, check_option, did_you_mean
from gossan.data.assays import Assays, read_assays
from gossan.data.holes.columns import SYNONYMS, split_unit
from gossan.data.tables.rawtable import RawTable, read_raw
from gossan.data.tables.screening import format_rows
from gossan.geochem import impute_censored
from gossan.report._writing import count_of, join_words
from gossan.studies.tailings.samples import AXES, Samples, check_enough

METRES = {"m": 1.0, "km": 1000.0, "ft": 0.3048}
MOST_KINDS = 12  # a column with more different words is a name, not a kind
DEGREES = {"lon", "long", "longitude", "lat", "latitude"}
# Names that a table of points has besides those of a table of collars.
_MORE_NAMES = {
    "easting": ("xloc", "xc", "xm", "midx", "xmid", "xcentre", "xcenter"),
    "northing": ("yloc", "yc", "ym", "midy", "ymid", "ycentre", "ycenter"),
    "elevation": ("zloc", "zc", "zm", "midz", "zmid", "zcentre", "zcenter"),
    "hole": (),
}


def read_samples(
    read: Mapping[str, Any],
    *,
    easting: str | None = None,
    northing: str | None = None,
    elevation: str | None = None,
    hole: str | None = None,
    covariates: Sequence[str] = (),
    kinds: Sequence[str] = (),
    unit: str = "m",
    method: str = "0.65",
) -> Samples:
    """Read samples with their places.

    Parameters
    ----------
    read : mapping
        Arguments of `gossan.read_assays`, `table` and `elements` among them.
    easting, northing, elevation : str, optional
        Columns of the coordinates; by default the usual names are looked for. A table without
        elevation is taken for 2D, and so is one in which each place has a single elevation and no
        hole is named: it is then the height of the ground, unless it is named here.
    hole : str, optional
        Column that names the drill hole.
    covariates : sequence of str
        Columns of numbers that are known at every place, such as the distance to a river.
    kinds : sequence of str
        Columns of words or codes that are known at every place, such as the rock.
    unit : {"m", "km", "ft"}
        Of the coordinates.
    method : str
        Imputation of values below detection, see `gossan.geochem.impute_censored`.

    Returns
    -------
    samples : Samples

    Raises
    ------
    ValueError
        If a column is not there, coordinates are no numbers or degrees, a concentration is negative,
        or samples are too few.
    """
    assays = read_assays(**read)
    named = {"easting": easting, "northing": northing, "elevation": elevation, "hole": hole}
    columns = {role: find_column(assays, role, name) for role, name in named.items()}
    left_out = []
    if elevation is None and (told := _is_only_relief(assays, columns, (*covariates, *kinds))):
        columns["elevation"] = None
        left_out.append(told)
    coords = _coordinates(assays, columns, METRES[check_option("unit", unit, METRES)])
    known = pd.DataFrame({name: _column(assays, name) for name in (*covariates, *kinds)})
    values = assays.values
    _check_not_negative(assays)
    has_place = np.isfinite(coords).all(axis=1)
    has_values = values.notna().all(axis=1).to_numpy()
    has_known = known.reindex(values.index).notna().all(axis=1).to_numpy()
    lacks = {"coordinates": has_place, "one of the elements": has_values, "a covariate": has_known}
    for lack, is_good in lacks.items():
        if not is_good.all():
            rows = assays.rows[~is_good]
            left_out.append(
                f"{len(rows)} samples without {lack} were left out: {format_rows(rows.tolist())}."
            )
    kept = has_place & has_values & has_known
    check_enough(assays.source, int(kept.sum()))
    filled = values[kept].reset_index(drop=True)
    censored = assays.censored[kept].reset_index(drop=True)
    if censored.to_numpy().any():
        filled = impute_censored(filled, censored, method=method)
    hole_column = columns["hole"]
    holes = None if hole_column is None else _labels(assays, hole_column)[kept]
    left_out += _spelt_twice(holes)
    return Samples(
        coords[kept],
        filled.astype(float),
        as_numbers(known.reindex(values.index)[kept].reset_index(drop=True), kinds=kinds),
        holes,
        assays.source,
        assays.units,
        assays.report,
        censored,
        left_out,
    )


def read_places(
    table: Any,
    *,
    like: Samples,
    columns: Mapping[str, str | None],
    covariates: Sequence[str] = (),
    kinds: Sequence[str] = (),
) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Read the places to estimate: coordinates [m] and the covariates of the samples.

    Parameters
    ----------
    table : path or DataFrame
        One row a place.
    like : Samples
        The samples: the same axes and covariates are asked for.
    columns : mapping of role to name
        `easting`, `northing`, `elevation`, and the `unit` of the coordinates.
    covariates, kinds : sequence of str
        Columns to take, as of the samples.

    Returns
    -------
    coords : array of shape (n, 2 or 3)
    covariates : DataFrame of shape (n, n_covariates)

    Raises
    ------
    ValueError
        If a column is missing, a cell of it is, or kinds are written otherwise than at the samples.

    Warns
    -----
    GossanWarning
        If some places are of a kind that no sample has.
    """
    raw = read_raw(table)
    factor = METRES[check_option("unit", columns.get("unit") or "m", METRES)]
    coords = np.column_stack(
        [_place_column(raw, role, columns.get(role)) * factor for role in like.axes]
    )
    names = (*covariates, *kinds)
    known = pd.DataFrame({name: _raw_column(raw, name) for name in names}, index=range(len(coords)))
    if not np.isfinite(coords).all() or known.isna().to_numpy().any():
        row = int(np.argmax(~np.isfinite(coords).all(axis=1) | known.isna().any(axis=1)))
        raise ValueError(
            f"{raw.source}: a coordinate or covariate is missing, first in row {row + 2}. Fill it in,"
            " or drop the place."
        )
    numbers = as_numbers(known, kinds=kinds)
    _check_kinds(raw.source, numbers, like, kinds)
    return coords, numbers.reindex(columns=like.covariates.columns, fill_value=0.0)


def find_column(assays: Assays, role: str, name: str | None) -> str | None:
    """Name of the column of a role: as given, or the first that is usually called so.

    Parameters
    ----------
    assays : Assays
        What was read.
    role : {"easting", "northing", "elevation", "hole"}
    name : str or None
        Column that the user names.

    Returns
    -------
    column : str or None
        None where none is there and none is needed.

    Raises
    ------
    ValueError
        If the named column, or an easting or northing, is not there.
    """
    there = [*map(str, assays.sites.columns), *map(str, assays.values.columns)]
    if name is not None:
        if name not in there:
            raise ValueError(
                f"{assays.source} has no column {name!r} for the {role}; it has"
                f" {', '.join(there)}.{did_you_mean(name, there)} Name the right one as {role}."
            )
        return name
    found = _usual(role, [str(column) for column in assays.sites.columns])
    if found is None and role in AXES[:2]:
        if angles := [str(c) for c in assays.sites.columns if split_unit(str(c))[0] in DEGREES]:
            raise ValueError(
                f"{assays.source} has no column that looks like the {role} in metres, but"
                f" {join_words(angles)}, which are degrees. Project them to metres first, as"
                f' docs/howto/degrees.md tells, and name the result: {role} = "COLUMN" under [points].'
            )
        others = ", ".join(map(str, assays.sites.columns)) or "none"
        raise ValueError(
            f"{assays.source} has no column that looks like the {role}; besides its analyses it has"
            f' {others}. Name it: {role} = "COLUMN" under [points].'
        )
    return found


def as_numbers(table: pd.DataFrame, *, kinds: Sequence[str] = ()) -> pd.DataFrame:
    """Covariates as numbers: words and codes become a column of 0 and 1 for each kind.

    Parameters
    ----------
    table : DataFrame
        Covariates, none missing.
    kinds : sequence of str
        Columns of words or codes.

    Returns
    -------
    numbers : DataFrame of float64

    Raises
    ------
    ValueError
        If a column of numbers holds words, or one of kinds has more than a dozen.

    Examples
    --------
    >>> as_numbers(pd.DataFrame({"depth": [1, 2], "soil": ["clay", "sand"]}), kinds=["soil"])
       depth  soil=clay  soil=sand
    0    1.0        1.0        0.0
    1    2.0        0.0        1.0
    """
    parts = [pd.DataFrame(index=table.index)]
    for name in table.columns:
        words = table[name].astype(str).str.strip()
        if name not in kinds:
            numbers = pd.to_numeric(table[name], errors="coerce")
            if numbers.isna().any():
                raise ValueError(
                    f"Covariate {name!r} holds {words[numbers.isna()].iloc[0]!r}, which is no"
                    " number. Name it among kinds, or mend the cell."
                )
            parts.append(numbers.astype(float).to_frame(str(name)))
            continue
        if words.nunique() > MOST_KINDS:
            raise ValueError(
                f"Covariate {name!r} has {words.nunique()} kinds, such as {words.iloc[0]!r}. Name"
                f" numbers as covariates; of kinds there can be {MOST_KINDS}."
            )
        parts.append(pd.get_dummies(words, prefix=str(name), prefix_sep="=").astype(float))
    return pd.concat(parts, axis=1)


def _usual(role: str, headers: Sequence[str]) -> str | None:
    """Return the header that is most usual for a role, in any style of writing; None if none is."""
    bare = {split_unit(header)[0]: header for header in reversed(headers)}
    words = (*SYNONYMS[role], *_MORE_NAMES[role])
    return next((bare[word] for word in words if word in bare), None)


def _check_kinds(source: str, numbers: pd.DataFrame, like: Samples, kinds: Sequence[str]) -> None:
    """Hold the kinds of places against those of the samples: codes beside words match nowhere."""
    for name in kinds:
        lead = f"{name}="
        there = [column for column in numbers if column.startswith(lead)]
        known = [column for column in like.covariates if column.startswith(lead)]
        new = [column for column in there if column not in known]
        if not new:
            continue
        told, usual = (
            join_words([each.removeprefix(lead) for each in columns], longest=6)
            for columns in (new, known)
        )
        if len(new) == len(there):
            raise ValueError(
                f"{source}: {name} is {told}, and at the samples it is {usual}: no kind is in both."
                " Write the kinds alike in both tables."
            )
        n = int(numbers[new].to_numpy().sum())
        warnings.warn(
            f"{source}: {name} is {told} in {count_of(n, 'place')}, which no sample has: these are"
            " estimated as of no kind. Drop them, or sample that kind.",
            GossanWarning,
            stacklevel=3,
        )


def _is_only_relief(assays: Assays, columns: Mapping[str, str | None], known: Sequence[str]) -> str:
    """Return why an elevation that was found is no third coordinate; empty if it is one."""
    east, north, found = (columns[role] for role in AXES)
    if east is None or north is None or found is None:
        return ""
    if found in known:
        return f"{found!r} is a covariate and no coordinate: the study is 2D."
    plane = pd.DataFrame({"east": _column(assays, east), "north": _column(assays, north)})
    if columns["hole"] is not None or plane.dropna().duplicated().any():
        return ""
    return (
        f"{found!r} is taken for the height of the ground, as each place has one sample: the study is"
        f' 2D. Set elevation = "{found}" under [points] to make it 3D.'
    )


def _check_not_negative(assays: Assays) -> None:
    """Raise ValueError if a concentration is negative: a code for missing, most often."""
    for element in assays.values.columns:
        is_low = (assays.values[element] < 0).to_numpy()
        if is_low.any():
            first = assays.values[element][is_low].iloc[0]
            rows = format_rows(assays.rows[is_low].tolist())
            raise ValueError(
                f"{assays.source}: {element} is negative in {rows}, such as {first:g}, and no limit. If"
                " it is a code for missing, name all such codes under [read]:"
                f" missing = [{first:g}, -99, -999, -9999]; else mend the cell."
            )


def _spelt_twice(holes: NDArray | None) -> list[str]:
    """Return a sentence on holes whose names differ by case or blanks alone, if there are any."""
    if holes is None:
        return []
    names = pd.Series(np.unique(holes))
    bare = names.str.replace(r"[\s_-]+", "", regex=True).str.lower()
    alike = names.groupby(bare).agg(list)
    pairs = [each for each in alike if len(each) > 1]
    if not pairs:
        return []
    told = (
        f"{count_of(len(pairs), 'hole')} spelt in more ways than one, such as"
        f" {' and '.join(map(repr, pairs[0][:2]))}: each spelling counts as a hole, so that one stays"
        " in training while the other is held out. Mend the names if they are one hole."
    )
    return [told]


def _coordinates(
    assays: Assays, columns: Mapping[str, str | None], factor: float
) -> NDArray[np.float64]:
    named = [column for role in AXES if (column := columns[role]) is not None]
    table = [pd.to_numeric(_column(assays, column), errors="coerce") for column in named]
    coords = np.column_stack([column.to_numpy(dtype=float) for column in table]) * factor
    known = coords[np.isfinite(coords).all(axis=1), :2]
    if not len(known):
        raise ValueError(
            f"{assays.source}: no row has all coordinates ({', '.join(named)}) as numbers. Name their"
            " columns under [points]."
        )
    spread = np.ptp(known, axis=0)
    if factor == 1.0 and np.abs(known).max() <= 180.0 and (spread < 5.0).all():
        raise ValueError(
            f"{assays.source}: {named[0]} and {named[1]} span {spread[0]:.3g} by {spread[1]:.3g} and"
            ' look like degrees or kilometres, not metres. Project them, or set unit = "km" under'
            " [points]."
        )
    return coords


def _column(assays: Assays, name: str) -> pd.Series:
    for table in (assays.sites, assays.values):
        if name in table.columns:
            return table[name]
    there = [*map(str, assays.sites.columns), *map(str, assays.values.columns)]
    raise ValueError(
        f"{assays.source} has no column {name!r}; it has {', '.join(there)}."
        f"{did_you_mean(name, there)}"
    )


def _labels(assays: Assays, column: str) -> NDArray:
    names = _column(assays, column).astype("string").str.strip()
    blank = names.isna() | (names == "")
    if blank.any():
        rows = assays.rows[blank.to_numpy(dtype=bool)]
        raise ValueError(
            f"{assays.source}: {column} names no hole in {format_rows(rows.tolist())}. Fill it in, or"
            " drop these rows."
        )
    return names.to_numpy(dtype=str)


def _place_column(raw: RawTable, role: str, name: str | None) -> NDArray[np.float64]:
    found = name or _usual(role, raw.names) or role
    return _raw_column(raw, found).to_numpy(dtype=float)


def _raw_column(raw: RawTable, name: str) -> pd.Series:
    if name not in raw.names:
        raise ValueError(
            f"{raw.source} has no column {name!r}; it has {', '.join(raw.names)}."
            f"{did_you_mean(name, raw.names)} It needs the coordinates and covariates of the samples."
        )
    cells = raw.columns[raw.names.index(name)].reset_index(drop=True)
    numbers = pd.to_numeric(cells, errors="coerce")
    return numbers if numbers.notna().sum() == cells.notna().sum() else cells
