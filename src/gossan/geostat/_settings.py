"""The settings of `Kriging`, checked: search, trend and support.

An estimator's arguments come in; a `Setup` goes out, or an error that says what to change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gossan._checks import check_option
from gossan.geostat._local import Support, Trend, block_offsets
from gossan.geostat._samples import Floats
from gossan.geostat._search import Search
from gossan.geostat._systems import Setup
from gossan.geostat.covariance import Structure, VariogramModel

METHODS = ("ordinary", "simple", "universal", "external")
DUPLICATES = ("average", "replicates")
GLOBAL_NEIGHBOURS = 64  # for the variance of global kriging, which the dual form does not give
MOST_NEIGHBOURS = 1000


def read_setup(
    kriging: Any,
    n_dims: int,
    n_external: int,
    models: Sequence[VariogramModel],
    has_holes: bool,
) -> Setup:
    """Return the settings of an estimator for coordinates in `n_dims` with `n_external` drifts."""
    check_option("method", kriging.method, METHODS)
    check_option("duplicates", kriging.duplicates, DUPLICATES)
    keep_twins = kriging.duplicates == "replicates"
    if keep_twins and not all(model.nugget > 0 for model in models):
        raise ValueError(
            "duplicates='replicates' needs a nugget above zero, which is the error of each sample,"
            f" got {min(model.nugget for model in models):g}. Average them, or give a nugget."
        )
    return Setup(
        _search(kriging, has_holes),
        _trend(kriging, n_external, models),
        Support(bool(kriging.exact), _block(kriging, n_dims)),
        _ellipsoid(kriging),
        kriging.n_neighbours is None,
        keep_twins,
        kriging._n_threads,  # noqa: SLF001 - the settings are the estimator's own
    )


def _search(kriging: Any, has_holes: bool) -> Search:
    is_global = kriging.n_neighbours is None
    k = GLOBAL_NEIGHBOURS if is_global else _whole("n_neighbours", kriging.n_neighbours)
    if k > MOST_NEIGHBOURS:
        raise ValueError(
            f"n_neighbours must be at most {MOST_NEIGHBOURS}, got {k}. Take fewer, or None for the"
            " exact system of all samples."
        )
    least = _whole("min_neighbours", kriging.min_neighbours)
    if least > k:
        raise ValueError(
            f"min_neighbours must not exceed n_neighbours, got {least} of {k}. Lower it."
        )
    distance = math.inf if kriging.max_distance is None else float(kriging.max_distance)
    if not distance > 0:
        raise ValueError(
            f"max_distance must be positive [m], got {kriging.max_distance}. Pass None for no limit."
        )
    sectors = check_option("sectors", kriging.sectors, (None, 4, 8)) or 1
    most = kriging.max_per_sector
    return Search(
        k,
        least,
        distance,
        sectors,
        None if most is None else _whole("max_per_sector", most),
        _cap(kriging, k, has_holes),
    )


def _cap(kriging: Any, k: int, has_holes: bool) -> int | None:
    """Return the most samples of one hole."""
    cap = kriging.n_per_group
    if isinstance(cap, str):
        check_option("n_per_group", cap, ("auto",))
        return max(1, k // 4) if has_holes else None
    if cap is None:
        return None
    if not has_holes:
        raise ValueError(
            f"n_per_group={cap} caps the samples of a hole, but fit was given no groups. Pass the"
            " hole of each sample as groups."
        )
    return _whole("n_per_group", cap)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or int(value) != value or value < 1:
        raise ValueError(f"{name} must be a whole number above zero, got {value!r}. Correct it.")
    return int(value)


def _trend(kriging: Any, n_external: int, models: Sequence[VariogramModel]) -> Trend:
    if (kriging.method == "external") != (n_external > 0):
        raise ValueError(
            f"method={kriging.method!r} with {n_external} columns of X after the coordinates. For"
            " external drift set n_dims and pass the drifts after the coordinates; else pass"
            " coordinates only."
        )
    if kriging.method == "universal":
        return Trend(order=check_option("drift", kriging.drift, (1, 2)))
    if kriging.method != "simple":
        return Trend()
    if kriging.mean is None:
        raise ValueError(
            "Simple kriging needs the mean, got mean=None. Pass it (0 for normal scores), or take"
            " method='ordinary'."
        )
    if not all(model.is_stationary for model in models):
        raise ValueError(
            "Simple kriging needs a covariance, got a model with a power structure. Take"
            " method='ordinary', or a model with a sill."
        )
    means = np.asarray(kriging.mean, dtype=float)
    if means.shape not in {(), (1,), (len(models),)} or not np.isfinite(means).all():
        raise ValueError(
            f"mean must be one number, or one a variable ({len(models)}), got {kriging.mean!r}."
            " Pass finite numbers."
        )
    return Trend(is_simple=True, means=np.broadcast_to(means, len(models)).copy())


def _ellipsoid(kriging: Any) -> Structure | None:
    if kriging.search_ranges is None:
        return None
    return Structure("spherical", 1.0, kriging.search_ranges, kriging.search_angles)


def _block(kriging: Any, n_dims: int) -> Floats | None:
    if kriging.block is None:
        return None
    size = np.broadcast_to(np.asarray(kriging.block, dtype=float), _sides(kriging.block, n_dims))
    if not (np.isfinite(size) & (size >= 0)).all() or not size.any():
        raise ValueError(
            f"block must be sizes above zero [m], got {kriging.block!r}. Pass None for points."
        )
    counts = np.broadcast_to(kriging.block_points, _sides(kriging.block_points, n_dims))
    numbers = [_whole("block_points", count) for count in counts.tolist()]
    return block_offsets(size.tolist(), numbers)


def _sides(given: Any, n_dims: int) -> int:
    if np.ndim(given) > 1 or np.size(given) not in (1, n_dims):
        raise ValueError(
            f"A block in {n_dims}D has one or {n_dims} sides, got {given!r}. Give easting,"
            " northing[, elevation]."
        )
    return n_dims
