"""The four tables of a drilling campaign, as a mine keeps them: collar, survey, assay, lithology.

The truth, the holes and the depths of their samples come in; tables go out, with the truth about
each sample beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.simulate._drilling import Hole, paths_of
from gossan.simulate._halos import ELEMENTS, UNITS
from gossan.simulate._sampling import assay
from gossan.simulate._truth import DepositTruth

Floats = NDArray[np.float64]

_EVERY = 40.0  # m between surveys
_AZIMUTH_ERROR, _DIP_ERROR = 0.23, 0.09  # of a survey [degrees]
_N_POINTS = 5  # along each sample
_LOG_STEP = 1.0  # m between the looks at the rock


@dataclass(frozen=True, eq=False)
class HoleTables:
    """Tables of a campaign.

    Attributes
    ----------
    collar, survey, assay, lithology : DataFrame
    censored : bool DataFrame
        Of the analyses, row by row as `assay`.
    samples : DataFrame
        Truth of each row of `assay`.
    """

    collar: pd.DataFrame
    survey: pd.DataFrame
    assay: pd.DataFrame
    lithology: pd.DataFrame
    censored: pd.DataFrame
    samples: pd.DataFrame


def write_down(
    truth: DepositTruth,
    holes: Sequence[Hole],
    stops: Sequence[Floats],
    *,
    error_factor: float,
    limit_factor: float,
    rng: np.random.Generator,
) -> HoleTables:
    """Survey, sample, analyse and log the holes."""
    collar, survey = _collars(holes), _surveys(holes, rng)
    places = _intervals(holes, stops)
    samples, values = _sample(truth, holes, places)
    assayed = assay(values, truth.effects, error_factor, limit_factor, rng)
    headers = {name: f"{name}_{UNITS[name]}" for name in ELEMENTS}
    return HoleTables(
        collar,
        survey,
        pd.concat([places, assayed.table.rename(columns=headers)], axis=1),
        _log(truth, holes),
        assayed.censored.rename(columns=headers),
        pd.concat([places, samples, values], axis=1),
    )


def _collars(holes: Sequence[Hole]) -> pd.DataFrame:
    places = np.round([hole.collar for hole in holes], 2)
    table = pd.DataFrame(places, columns=["easting", "northing", "elevation"])
    table.insert(0, "hole", [hole.name for hole in holes])
    return table.assign(depth=[hole.length for hole in holes])


def _surveys(holes: Sequence[Hole], rng: np.random.Generator) -> pd.DataFrame:
    """Direction every 40 m, and at the end of a hole, with the error of the instrument."""
    tables = []
    for hole in holes:
        depths = np.arange(0.0, hole.length, _EVERY)
        if hole.length - depths[-1] > _EVERY / 4:
            depths = np.append(depths, hole.length)
        turns = np.unwrap(hole.azimuths, period=360.0)
        azimuth = np.interp(depths, hole.depths, turns) + rng.normal(0, _AZIMUTH_ERROR, len(depths))
        dip = np.interp(depths, hole.depths, hole.dips) + rng.normal(0, _DIP_ERROR, len(depths))
        columns = {
            "hole": hole.name,
            "depth": depths,
            "azimuth": np.round(azimuth, 1) % 360.0,
            "dip": np.round(dip, 1),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def _intervals(holes: Sequence[Hole], stops: Sequence[Floats]) -> pd.DataFrame:
    """Columns hole, from, to [m] of all samples."""
    names = np.repeat([hole.name for hole in holes], [len(each) - 1 for each in stops])
    top, end = (np.round(np.concatenate(part), 1) for part in
                zip(*((each[:-1], each[1:]) for each in stops), strict=True))  # fmt: skip
    return pd.DataFrame({"hole": names.astype(object), "from": top, "to": end})


def _sample(
    truth: DepositTruth, holes: Sequence[Hole], places: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """True middle and ore of each sample, and its true concentrations: means of points along it."""
    names = {hole.name: k for k, hole in enumerate(holes)}
    codes = places["hole"].map(names).to_numpy(dtype=np.int64)
    shares = (np.arange(_N_POINTS) + 0.5) / _N_POINTS
    top, end = places["from"].to_numpy(), places["to"].to_numpy()
    depths = top[:, None] + (end - top)[:, None] * shares
    points = _sink(truth, paths_of(holes).at(np.repeat(codes, _N_POINTS), depths.ravel()))
    values = truth.concentrations(points).reshape(len(places), _N_POINTS, -1)
    bodies = truth.body_index(points).reshape(len(places), _N_POINTS)
    middles = points.reshape(len(places), _N_POINTS, 3)[:, _N_POINTS // 2]
    samples = pd.DataFrame(middles, columns=["easting", "northing", "elevation"])
    samples["body"] = bodies.max(axis=1)
    samples["ore_share"] = (bodies >= 0).mean(axis=1)
    return samples, pd.DataFrame(values.mean(axis=1), columns=list(ELEMENTS))


def _sink(truth: DepositTruth, points: Floats) -> Floats:
    """Return points, those that a bent path or a slope lifts out of the ground put back on it."""
    ground = truth.ground_level(points[:, 0], points[:, 1])
    return np.column_stack([points[:, :2], np.minimum(points[:, 2], ground)])


def _log(truth: DepositTruth, holes: Sequence[Hole]) -> pd.DataFrame:
    """Log of the rocks: hole, from, to [m] and lithology, looked at every metre."""
    paths = paths_of(holes)
    tables = []
    for k, hole in enumerate(holes):
        looks = np.arange(_LOG_STEP / 2, hole.length, _LOG_STEP)
        points = paths.at(np.full(len(looks), k), looks)
        rocks = truth.lithology(_sink(truth, points))
        edges = np.flatnonzero(rocks[1:] != rocks[:-1]) + 1
        columns = {
            "hole": hole.name,
            "from": np.append(0.0, edges * _LOG_STEP),
            "to": np.append(edges * _LOG_STEP, hole.length),
            "lithology": rocks[np.append(0, edges)],
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
