"""What speaks against a fitted variogram: each doubt as a sentence with its number.

A model, the cells it was fitted to and, where known, the samples come in; reasons go out.

Sources
-------
Webster & Oliver (1992), Sample adequately to estimate variograms of soil properties, Journal of
Soil Science 43, 177-192, doi:10.1111/j.1365-2389.1992.tb00128.x (100 samples or more).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._fit_cells import Cells
from gossan.geostat.covariance import VariogramModel

Floats = NDArray[np.float64]

FEW_SAMPLES = 100
FEW_RANGES = 3  # along the longest side of the field
FEW_PAIRS = 100  # within the shortest range
FEW_LAGS = 3
MOST_ERROR = {"range": 0.3, "sill": 0.25, "nugget": 0.12}  # of a jackknife
FAR_FROM_VARIANCE = 0.35  # sill over variance, less one
PURE_NUGGET = 0.1  # share of the structures in the sill
TREND_SHARE = 0.3  # of the variance that a plane explains
RISING = 1.3  # semivariance of the last lags over the variance
ROUGH = 0.35  # relative misfit


def doubts(
    model: VariogramModel,
    cells: Cells,
    *,
    misfit: float,
    errors: dict[str, float],
    points: Floats | None,
    values: Floats | None,
) -> tuple[str, ...]:
    """Return the reasons not to trust a fit, the gravest first; none if it can be trusted."""
    found = [
        _trend(cells, points, values),
        _pure_nugget(model),
        _long_range(model, cells),
        _small_field(model, points),
        _short_range(model, cells),
        _far_sill(model, cells),
        _smooth_without_nugget(model),
        _unsteady(errors),
        _few_samples(values),
        _rough(misfit),
    ]
    return tuple(reason for reason in found if reason)


def _trend(cells: Cells, points: Floats | None, values: Floats | None) -> str:
    if points is not None and values is not None:
        share = plane_share(points, values)
        if share > TREND_SHARE:
            return (
                f"trend suspected: a plane through the field explains {share:.0%} of the variance;"
                " fit the residuals of the trend"
            )
    far = cells.distances > 0.75 * cells.distances.max()
    level = float(np.average(cells.gammas[far], weights=cells.n_pairs[far]))
    if level > RISING * cells.variance:
        return (
            f"trend suspected, no sill: the last lags stand at {level / cells.variance:.2f} times"
            " the variance"
        )
    return ""


def plane_share(points: Floats, values: Floats) -> float:
    """Share of the variance that a plane in the coordinates explains (adjusted R²)."""
    design = np.column_stack([np.ones(len(points)), points - points.mean(axis=0)])
    if len(points) <= design.shape[1] + 1 or values.var() == 0:
        return 0.0
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    n, p = design.shape
    return float(1 - (left @ left / (n - p)) / values.var(ddof=1))


def _pure_nugget(model: VariogramModel) -> str:
    share = 1.0 - model.nugget / model.sill
    if share >= PURE_NUGGET:
        return ""
    return f"pure nugget: only {share:.0%} of the sill has a structure; neighbours tell next to nothing"


def _long_range(model: VariogramModel, cells: Cells) -> str:
    longest = max((max(each.ranges) for each in model.structures if each.sill > 0), default=0.0)
    last = float(cells.distances.max())
    if longest <= last:
        return ""
    return f"range {longest:.4g} m lies beyond the last lag, {last:.4g} m: the sill is not seen"


def _small_field(model: VariogramModel, points: Floats | None) -> str:
    structures = [each for each in model.structures if each.sill > 0]
    if points is None or not structures:
        return ""
    longest = max(max(each.ranges) for each in structures)
    n_ranges = float(np.ptp(points, axis=0).max()) / longest
    if n_ranges >= FEW_RANGES:
        return ""
    return (
        f"the field is only {n_ranges:.1f} ranges long: its sill and range are those of one chance"
    )


def _short_range(model: VariogramModel, cells: Cells) -> str:
    shares = [each for each in model.structures if each.sill > 0.05 * model.sill]
    if not shares:
        return ""
    shortest = min(max(each.ranges) for each in shares)
    within = cells.distances < shortest
    n_pairs = int(cells.n_pairs[within].sum())
    n_lags = len(np.unique(np.round(cells.distances[within] / shortest * 20)))
    if n_pairs >= FEW_PAIRS and n_lags >= FEW_LAGS:
        return ""
    return f"range {shortest:.4g} m rests on too few pairs: {n_pairs} pairs in {n_lags} lags are shorter"


def _far_sill(model: VariogramModel, cells: Cells) -> str:
    ratio = model.sill / cells.variance if cells.variance > 0 else np.inf
    if abs(ratio - 1) <= FAR_FROM_VARIANCE:
        return ""
    return f"sill is {ratio:.2f} times the variance of the values"


def _smooth_without_nugget(model: VariogramModel) -> str:
    smooth = any(each.kind in ("gaussian", "cubic") and each.sill > 0 for each in model.structures)
    if not smooth or model.nugget > 1e-4 * model.sill:
        return ""
    return "nugget at its bound, 0, under a smooth model: kriging with it is unstable"


def _unsteady(errors: dict[str, float]) -> str:
    """Doubt a fit that moves much when a ninth of the field is left out."""
    words = [
        f"{name} by {errors[name]:.0%}"
        for name in MOST_ERROR
        if errors.get(name, 0.0) > MOST_ERROR[name]
    ]
    if not words:
        return ""
    return f"unsteady: a part of the field more or less moves the {', the '.join(words)}"


def _few_samples(values: Floats | None) -> str:
    if values is None or len(values) >= FEW_SAMPLES:
        return ""
    return f"only {len(values)} samples: about {FEW_SAMPLES} or more are needed"


def _rough(misfit: float) -> str:
    if misfit <= ROUGH:
        return ""
    return f"the lags scatter about the model by {misfit:.0%}: outliers, or another kind of model"
