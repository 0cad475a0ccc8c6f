"""Stream sediments of a simulated district: where they are taken, and what the laboratory finds.

The truth and a number come in; the table of samples, its censored cells and its truth go out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.simulate._region_plans import ELEMENTS, UNITS
from gossan.simulate._region_truth import RegionTruth

Floats = NDArray[np.float64]

_N_UPSTREAM = 5  # points of ground that a sediment mixes
_CATCHMENT = 0.4  # its reach upstream [cells]
_WANDER = 0.35  # of a sample from a regular net, over the distance of samples
_NUGGET = 0.3  # of the log, over the spread of the element


@dataclass(frozen=True, eq=False)
class RegionSamples:
    """Samples as a survey brings them home.

    Attributes
    ----------
    table : DataFrame (sample, easting, northing, lithology, Cu_ppm ... Co_ppm)
    censored : bool DataFrame (samples, analyses)
    values : DataFrame (samples, elements)
        Of the sediments, without nugget or error.
    """

    table: pd.DataFrame
    censored: pd.DataFrame
    values: pd.DataFrame


def take_samples(truth: RegionTruth, rng: np.random.Generator) -> RegionSamples:
    """Sample the sediments of a district: about an even net, each from a little way upstream."""
    settings, effects = truth.world.settings, truth.effects
    places = _places(settings.n_samples, settings.region, rng).round(1)
    values = _mix_upstream(truth, places, rng)
    nugget = _NUGGET * effects["spread"].to_numpy() * rng.standard_normal(values.shape)
    # the draw is the same whatever the factor, so that only errors differ
    noise = effects["error"].to_numpy() * rng.standard_normal(values.shape)
    found = _three_digits(values * np.exp(settings.error_factor * (nugget + noise)))
    limits = settings.limit_factor * effects["limit"].to_numpy()
    hidden = found < limits
    headers = [f"{name}_{UNITS[name]}" for name in ELEMENTS]
    table = pd.DataFrame(np.where(hidden, limits, found), columns=headers)
    table.insert(0, "lithology", truth.lithology(places))
    table.insert(0, "northing", places[:, 1])
    table.insert(0, "easting", places[:, 0])
    table.insert(0, "sample", [f"S{k + 1:05d}" for k in range(len(places))])
    return RegionSamples(
        table, pd.DataFrame(hidden, columns=headers), pd.DataFrame(values, columns=list(ELEMENTS))
    )


def _places(n: int, region: tuple[float, float, float, float], rng: np.random.Generator) -> Floats:
    """Exactly n places (n, 2) [m] about a net, each of them off it."""
    west, east, south, north = region
    width, height = east - west, north - south
    n_columns = max(1, int(np.ceil(np.sqrt(n * width / height))))
    n_rows = int(np.ceil(n / n_columns))
    rows, columns = np.indices((n_rows, n_columns))
    net = np.column_stack([columns.ravel(), rows.ravel()]) + 0.5
    kept = np.sort(rng.choice(len(net), n, replace=False))
    net = net[kept] + rng.normal(0.0, _WANDER, (n, 2))
    places = net / (n_columns, n_rows) * (width, height) + (west, south)
    return np.clip(places, (west, south), (east, north))


def _mix_upstream(truth: RegionTruth, places: Floats, rng: np.random.Generator) -> Floats:
    """Mean (n, 14) of some points from each place upstream."""
    angles = rng.uniform(0.0, 2 * np.pi, len(places))
    ways = np.column_stack([np.sin(angles), np.cos(angles)])
    reach = _CATCHMENT * truth.world.settings.spacing
    steps = np.linspace(0.0, reach, _N_UPSTREAM)
    return np.mean([truth.concentrations(places + step * ways) for step in steps], axis=0)


def _three_digits(values: Floats) -> Floats:
    # divided by a power of ten, so that 1.64 is written so and not as 1.6400000000000001
    scale = 10.0 ** (2 - np.floor(np.log10(values)))
    return np.round(values * scale) / scale
