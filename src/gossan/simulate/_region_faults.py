"""Faults on a map: lines of a few families of strike, and the distance from them.

Strikes and a region come in; a table of vertices goes out, and distances from it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEP = 4.0  # between vertices [cells]
_LENGTHS = (30.0, 110.0)  # [cells]
_CELLS_EACH = 1300.0  # ground of one fault [cells]
_FEWEST = 4
_FAMILY_SPREAD, _BEND = 6.0, 3.0  # of the strike, and of its change at a vertex [degrees]
_MAIN_SHARE = 0.65  # of the faults in the first family
_CHUNK = 100_000  # pairs of point and segment at a time, so that they stay in the cache


def draw_faults(
    shape: tuple[int, int], spacing: float, strikes: tuple[float, ...], rng: np.random.Generator
) -> pd.DataFrame:
    """Draw faults inside a region that begins at 0, 0: fault, vertex, easting, northing [m]."""
    extent = np.array([shape[1], shape[0]]) * spacing
    others = (1.0 - _MAIN_SHARE) / max(len(strikes) - 1, 1)
    shares = np.array([_MAIN_SHARE, *[others] * (len(strikes) - 1)])
    tables: list[pd.DataFrame] = []
    n_faults = max(_FEWEST, round(shape[0] * shape[1] / _CELLS_EACH))
    while len(tables) < n_faults:
        strike = rng.choice(strikes, p=shares / shares.sum()) + rng.normal(0.0, _FAMILY_SPREAD)
        line = _draw_line(rng.uniform(0.0, 1.0, 2) * extent, strike, rng.uniform(*_LENGTHS), rng)
        line = _inside(line, spacing, extent)
        if len(line) < 3:
            continue
        table = pd.DataFrame(line.round(1), columns=["easting", "northing"])
        table.insert(0, "vertex", np.arange(len(line)))
        table.insert(0, "fault", f"F{len(tables) + 1}")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _draw_line(
    middle: Floats, strike: float, length: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """A middle [m], and offsets (n, 2) from it [cells] of a line that bends a little."""
    n = max(3, round(length / _STEP))
    bends = np.cumsum(rng.normal(0.0, _BEND, n))
    angles = np.deg2rad(strike + bends - bends.mean())
    steps = _STEP * np.column_stack([np.sin(angles), np.cos(angles)])
    path = np.cumsum(steps, axis=0)
    return middle, path - path.mean(axis=0)


def _inside(line: tuple[Floats, Floats], spacing: float, extent: Floats) -> Floats:
    """Vertices (n, 2) [m] of the part of a line about its middle that lies in the region."""
    middle, path = line
    places = middle + path * spacing
    is_in = np.all((places >= 0) & (places <= extent), axis=1)
    half = len(places) // 2
    if not is_in[half]:
        return places[:0]
    first = half - int(np.argmin(np.append(is_in[half::-1], False))) + 1
    last = half + int(np.argmin(np.append(is_in[half:], False)))
    return places[first:last]


def segments_of(faults: pd.DataFrame) -> tuple[Floats, Floats]:
    """Starts and ends (n, 2) [m] of the segments of all faults."""
    places = faults[["easting", "northing"]].to_numpy()
    goes_on = faults["fault"].to_numpy()[1:] == faults["fault"].to_numpy()[:-1]
    return places[:-1][goes_on], places[1:][goes_on]


def nearest_segment(points: Floats, faults: pd.DataFrame) -> tuple[Floats, NDArray[np.int64]]:
    """Distance (n,) [m] of points from the nearest fault, and its segment."""
    starts, ends = segments_of(faults)
    (east, north), (run_east, run_north) = starts.T, (ends - starts).T
    squares = run_east**2 + run_north**2
    distances, index = np.empty(len(points)), np.empty(len(points), dtype=np.int64)
    step = max(1, _CHUNK // len(starts))
    for first in range(0, len(points), step):
        part = slice(first, first + step)
        off_east = points[part, :1] - east
        off_north = points[part, 1:] - north
        share = np.clip((off_east * run_east + off_north * run_north) / squares, 0.0, 1.0)
        gaps = (off_east - share * run_east) ** 2 + (off_north - share * run_north) ** 2
        index[part] = gaps.argmin(axis=1)
        distances[part] = np.sqrt(gaps.min(axis=1))
    return distances, index


def strikes_of(faults: pd.DataFrame) -> Floats:
    """Azimuth (n,) of each segment [degrees from north]."""
    starts, ends = segments_of(faults)
    east, north = (ends - starts).T
    return np.rad2deg(np.arctan2(east, north))
