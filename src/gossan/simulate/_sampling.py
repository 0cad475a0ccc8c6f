"""Holes, samples and their analyses, written as a campaign brings them home.

The geometry of a deposit and the true concentrations come in; tables of samples go out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.simulate._deposition import Geometry, spigots

Floats = NDArray[np.float64]

_CROWD = 0.06  # spread of the extra holes, of the width of the deposit
_N_LOST = 5
_HEADERS = {"easting": "X", "northing": "Y", "elevation": "RL", "hole": "Hole ID", "from": "From"}
_LIMIT_STYLES = ("<{:g}", "< {:g}", "-{:g}")


@dataclass(frozen=True, eq=False)
class Assayed:
    """Assays of the samples [ppm], what they would be without error, and what hides below a limit."""

    table: pd.DataFrame
    values: pd.DataFrame
    censored: pd.DataFrame


def sample_surface(
    geometry: Geometry, n: int, n_clustered: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return n samples on a rough grid, and some that crowd: sample, easting, northing."""
    collars = np.vstack([_rough_grid(geometry, n, rng), _crowd(geometry, n_clustered, rng)])
    names = [f"S{i + 1:04d}" for i in range(len(collars))]
    return pd.DataFrame({"sample": names, "easting": collars[:, 0], "northing": collars[:, 1]})


def drill(
    geometry: Geometry,
    is_inside: Callable[[Floats], NDArray[np.bool_]],
    *,
    n_samples: int,
    length: float,
    n_clustered: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the samples of vertical holes: hole, from, to, easting, northing, elevation (middle).

    Holes stand on a rough grid, so many that they give about `n_samples`, and reach the ground.
    """
    steps = np.arange(length / 2, geometry.height, length)

    def samples_of(collars: Floats) -> list[tuple[Floats, Floats]]:
        columns = []
        for collar in collars:
            levels = geometry.height - steps
            points = np.column_stack([np.tile(collar, (len(levels), 1)), levels])
            kept = is_inside(points)
            columns.append((points[kept], np.arange(kept.sum()) * length))
        return columns

    trial = samples_of(_rough_grid(geometry, 100, np.random.default_rng(0)))
    per_hole = max(1.0, float(np.mean([len(points) for points, _ in trial])))
    collars = _rough_grid(geometry, max(4, round(n_samples / per_hole)), rng)
    collars = np.vstack([collars, _crowd(geometry, n_clustered, rng)])
    tables = []
    for number, (points, depths) in enumerate(samples_of(collars)):
        table = pd.DataFrame(points, columns=["easting", "northing", "elevation"])
        table.insert(0, "hole", f"TD{number + 1:03d}")
        table.insert(1, "from", depths)
        table.insert(2, "to", depths + length)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _rough_grid(geometry: Geometry, n: int, rng: np.random.Generator) -> Floats:
    """Exactly n places on a grid, each moved by up to a quarter of the spacing."""
    spacing = np.sqrt(geometry.width * geometry.length / n)
    n_columns = max(1, int(np.ceil(geometry.width / spacing)))
    n_rows = int(np.ceil(n / n_columns))
    columns, rows = np.meshgrid(np.arange(n_columns), np.arange(n_rows))
    grid = np.column_stack([columns.ravel(), rows.ravel()]) + 0.5
    grid += rng.uniform(-0.25, 0.25, grid.shape)
    places = grid / [n_columns, n_rows] * [geometry.width, geometry.length]
    kept = np.sort(rng.choice(len(places), n, replace=False))
    return places[kept]


def _crowd(geometry: Geometry, n: int, rng: np.random.Generator) -> Floats:
    """Return n places that crowd about one: before a spigot, or on the crest of a dump."""
    centre = np.array([geometry.width * rng.uniform(0.2, 0.8), geometry.length * 0.5])
    if geometry.kind == "impoundment":
        centre = spigots(geometry)[rng.integers(geometry.n_spigots)] + (0.0, 0.1 * geometry.length)
    spread = _CROWD * geometry.width
    places = centre + rng.normal(0.0, spread, (n, 2))
    return np.clip(places, 0.0, [geometry.width, geometry.length])


def assay(
    values: pd.DataFrame,
    effects: pd.DataFrame,
    error_factor: float,
    limit_factor: float,
    rng: np.random.Generator,
) -> Assayed:
    """Return analyses with error, three digits, and limits in place of what lies below them."""
    errors = error_factor * effects["error"].to_numpy()
    limits = limit_factor * effects["limit"].to_numpy()
    found = values.to_numpy() * np.exp(errors * rng.standard_normal(values.shape))
    digits = 10.0 ** (np.floor(np.log10(found)) - 2)
    found = np.round(found / digits) * digits
    censored = found < limits
    table = pd.DataFrame(np.where(censored, limits, found), columns=values.columns)
    return Assayed(table, values, pd.DataFrame(censored, columns=values.columns))


def write_messy(
    table: pd.DataFrame, censored: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the table as text with odd headers, and the plain name of each header."""
    messy = table.astype(object)
    for k, name in enumerate(censored.columns):
        style = _LIMIT_STYLES[k % len(_LIMIT_STYLES)]
        cells = [
            style.format(value) if hidden else f"{value:g}"
            for value, hidden in zip(table[name], censored[name], strict=True)
        ]
        messy[name] = np.array(cells, dtype=object)
    elements = list(censored.columns)
    for row in rng.choice(len(messy), size=min(_N_LOST, len(messy)), replace=False).tolist():
        messy.loc[row, elements[int(rng.integers(len(elements)))]] = "-9999"
    odd = {name: _HEADERS.get(name, name) for name in messy.columns}
    for k, name in enumerate(elements):
        odd[name] = (f"{name} (ppm)", f"{name}_ppm", f"{name.upper()} ppm ")[k % 3]
    return messy.rename(columns=odd), {odd[name]: name for name in table.columns}
