"""From a table of samples to layers: places, values below detection, levels, gridding, support.

The section [samples] of a region study and its folder come in; layers of concentrations and the cells
that samples support go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan._machine import check_room
from gossan.data.assays import Assays, read_assays
from gossan.data.grids.grid import make_grid
from gossan.geochem import impute_censored
from gossan.geostat.gridding import grid_points
from gossan.geostat.support import sample_reach, support_mask
from gossan.studies.places import Places, place_table
from gossan.studies.region.levelling import level_samples

MOST_CELLS = 4_000_000
BYTES_A_VALUE = 60.0  # of memory that a run takes for each cell and layer
ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
LEVELLED, STD = "_levelled", "_std"  # after the name of an element, in names of bands
MOST_REPEATED = 0.5  # of the values of an element, above which one value is told
MOST_BELOW = 0.25  # of them that are lower than that value: it is no limit otherwise
CENSORED_AS = "0.65"  # of the limit: the logarithm must be there

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Sampled:
    """Layers made of samples.

    Attributes
    ----------
    grid : Dataset
        Concentrations, and "sample_distance" [m].
    beside : Dataset
        Layers that no method reads: concentrations as they were before levelling ("Cu"), and the
        kriging standard deviations of common logarithms ("Cu_std", "Cu_levelled_std").
    is_levelled : bool
        Whether the concentrations of `grid` were levelled.
    supported : bool array of shape (northing, easting)
    elements : tuple of str
        Those that are mostly measured.
    reach : float
        Radius within which samples support a cell [m].
    assays : Assays
    places : Places
        Of the samples.
    summary : DataFrame
        One row an element.
    notes, left_out : list of str
    """

    grid: xr.Dataset
    beside: xr.Dataset
    is_levelled: bool
    supported: NDArray[np.bool_]
    elements: tuple[str, ...]
    reach: float
    assays: Assays
    places: Places
    summary: pd.DataFrame
    notes: list[str]
    left_out: list[str]


def grid_samples(settings: Settings, folder: Path) -> Sampled:
    """Read samples and grid their elements.

    Parameters
    ----------
    settings : mapping of section to arguments
        Complete, see `sections`.
    folder : Path
        Of the study file.

    Returns
    -------
    sampled : Sampled

    Raises
    ------
    ValueError
        If no element is mostly measured, or the samples cover too many cells.
    """
    told = settings["samples"]
    read = dict(told["read"])
    read["table"] = folder / read["table"]
    assays = read_assays(**read)
    keys = ("crs", "to_crs", "easting", "northing")
    places = place_table(assays.sites, source=assays.source, **{key: told[key] for key in keys})
    values, censored = assays.values.iloc[places.rows], assays.censored.iloc[places.rows]
    values, censored = values.reset_index(drop=True), censored.reset_index(drop=True)
    elements, left_out = _usable(values, censored, settings["elements"]["most_censored"])
    if len(elements) < 1:
        raise ValueError(
            f"{assays.source} has no element to map: {' '.join(left_out) or 'none was found'}"
        )
    raw = np.log10(_imputed(values[elements], censored[elements]))
    logs, levelled = level_samples(raw, places, settings, folder)
    gridding = settings["grid"]
    spacing = gridding["spacing"] or _round_spacing(sample_reach(places.coords, k=1) / 4.0)
    grid = _empty_grid(places, spacing, gridding["region"])
    n_values = float(grid.sizes["northing"] * grid.sizes["easting"] * len(elements))
    check_room(
        BYTES_A_VALUE * n_values,
        "Take a larger spacing or fewer elements, or a smaller region under [grid]; a saved model"
        " scores rasters of any size by tiles: gossan score.",
    )
    layers, beside, rule = _gridded(logs, places, grid, gridding, assays.units)
    if levelled:
        beside = beside.rename({f"{name}{STD}": f"{name}{LEVELLED}{STD}" for name in elements
                                if f"{name}{STD}" in beside})  # fmt: skip
        both = _gridded(raw, places, grid, gridding, assays.units)
        beside = both[0].assign({**both[1].data_vars, **beside.data_vars})
    support = support_mask(
        places.coords, grid, k=gridding["support"], reach=gridding["reach"] or None
    )
    layers["sample_distance"] = support["support_distance"]
    return Sampled(
        grid=layers,
        beside=beside,
        is_levelled=bool(levelled),
        supported=np.asarray(support["supported"], dtype=bool),
        elements=tuple(elements),
        reach=float(support["supported"].attrs["reach"]),
        assays=assays,
        places=places,
        summary=_summary(values[elements], censored[elements]),
        notes=[*_put_in(values[elements], censored[elements]), *places.notes, *levelled, rule],
        left_out=left_out,
    )


def _usable(
    values: pd.DataFrame, censored: pd.DataFrame, most_censored: float
) -> tuple[list[str], list[str]]:
    """Return elements that are mostly measured, and why others are left out."""
    kept, left_out = [], []
    for name in values.columns:
        known = values[name].notna()
        share = float(censored[name][known].mean()) if known.any() else 1.0
        if not known.any() or known.mean() < 0.2:
            left_out.append(f"{name} is left out: {known.mean():.0%} of the samples have it.")
        elif share > most_censored:
            left_out.append(
                f"{name} is left out: {share:.0%} of its values lie below detection (at most"
                f" {most_censored:.0%} are allowed)."
            )
        elif np.nanstd(values[name].to_numpy(dtype=float)) == 0:
            left_out.append(f"{name} is left out: it never varies.")
        else:
            kept.append(str(name))
    return kept, left_out


def _put_in(values: pd.DataFrame, censored: pd.DataFrame) -> list[str]:
    """Name the elements of which one low value fills most samples, as where a limit was put in."""
    shares = {}
    for name in values.columns:
        own = values[name][values[name].notna() & ~censored[name]]
        if len(own):
            most = own.value_counts()
            is_low = (own < most.index[0]).mean() < MOST_BELOW
            if is_low and most.iloc[0] > MOST_REPEATED * len(own):
                shares[str(name)] = most.iloc[0] / len(own)
    if not shares:
        return []
    told = ", ".join(f"{name} ({share:.0%})" for name, share in shares.items())
    sentence = (
        f"One low value fills most samples of {told}: it may stand for below detection, which nothing"
        " in the table says. Where such an element raises a score, see how many samples measured it;"
        " elements = [...] under [samples] leaves it out."
    )
    return [sentence]


def _gridded(
    logs: pd.DataFrame,
    places: Places,
    grid: xr.Dataset,
    gridding: Mapping[str, Any],
    units: Mapping[str, str],
) -> tuple[xr.Dataset, xr.Dataset, str]:
    """Return concentrations of gridded logarithms, their standard deviations, and the rule."""
    made = grid_points(
        places.coords, logs, grid=grid, method=gridding["method"],
        n_neighbours=gridding["n_neighbours"],
    )  # fmt: skip
    names = list(logs.columns)
    layers = made.grid[names]
    for name in names:
        layers[name] = 10.0 ** layers[name]  # back to concentrations
        layers[name].attrs["units"] = units.get(name, "")
    spreads = made.grid.drop_vars(names)  # of logarithms: there is none of concentrations
    for spread in spreads.data_vars.values():
        spread.attrs["units"] = "log10"
    return layers, spreads, str(made).splitlines()[0]


def _imputed(values: pd.DataFrame, censored: pd.DataFrame) -> pd.DataFrame:
    """Return values above zero; what lies below detection becomes a share of its limit."""
    filled = values.astype(float)
    if censored.to_numpy().any():
        filled = impute_censored(filled, censored, method=CENSORED_AS)
    return filled.where(filled > 0)


def _empty_grid(places: Places, spacing: float, region: Sequence[float]) -> xr.Dataset:
    if region:
        bounds = tuple(region)
    else:
        low, high = places.coords.min(axis=0), places.coords.max(axis=0)
        low, high = np.floor(low / spacing) * spacing, np.ceil(high / spacing) * spacing
        bounds = (low[0], high[0], low[1], high[1])
    with np.errstate(over="ignore"):  # an absurd region is infinitely many, and refused below
        n = ((bounds[1] - bounds[0]) / spacing) * ((bounds[3] - bounds[2]) / spacing)
    if n > MOST_CELLS:
        raise ValueError(
            f"The samples cover {n:,.0f} cells of {spacing:g} m, and {MOST_CELLS:,} are the most. Set"
            " a larger spacing under [grid], or a smaller region; a place far off may be a slip."
        )
    return make_grid(bounds, spacing, crs=places.crs)


def _round_spacing(length: float) -> float:
    """Return the largest round number [m] that is no more than a length.

    Examples
    --------
    >>> _round_spacing(437.0), _round_spacing(2600.0)
    (250.0, 2500.0)
    """
    base = 10.0 ** np.floor(np.log10(length))
    return float(max(step * base for step in ROUND_STEPS if step * base <= length * (1 + 1e-9)))


def _summary(values: pd.DataFrame, censored: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name in values.columns:
        own = values[name].dropna().to_numpy(dtype=float)
        mean = float(own.mean())
        rows.append(
            {"element": name, "n": len(own), "below_detection": int(censored[name].sum()),
             "mean": mean, "median": float(np.median(own)), "sd": float(own.std(ddof=1)),
             "cv": float(own.std(ddof=1)) / mean}
        )  # fmt: skip
    return pd.DataFrame(rows)
