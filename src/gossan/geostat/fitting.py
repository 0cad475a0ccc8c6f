"""Variogram models fitted automatically, each with a check on whether it can be trusted.

Experimental variograms, or coordinates [m] and values, come in; a model with a nugget and one or two
structures, isotropic or not, goes out together with what speaks against it.

Sources
-------
Cressie (1985), Fitting variogram models by weighted least squares, Mathematical Geology 17,
563-586, doi:10.1007/BF01032109.
Zhang, van Eijkeren & Heemink (1995), On the weighted least-squares method for fitting a
semivariogram model, Computers & Geosciences 21, 605-608, doi:10.1016/0098-3004(94)00086-G (weights
n / h²).
Vecchia (1988), Estimation and model identification for continuous spatial processes, Journal of the
Royal Statistical Society B 50, 297-312, doi:10.1111/j.2517-6161.1988.tb01729.x (likelihood).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import GossanWarning, check_option, check_random_state
from gossan.geostat._fit_cells import (
    Cells,
    cells_of_samples,
    cells_of_variograms,
    growing_edges,
)
from gossan.geostat._fit_search import WEIGHTS, Found, fit_cells, fit_likelihood, relative_misfit
from gossan.geostat._fit_shape import ANISOTROPIES, Shape
from gossan.geostat._fit_spread import jackknife
from gossan.geostat._fit_trust import doubts
from gossan.geostat._lags import lag_edges
from gossan.geostat.covariance import KINDS, VariogramModel
from gossan.geostat.variogram import ExperimentalVariogram, check_samples

__all__ = ["FittedVariogram", "fit_variogram"]

Floats = NDArray[np.float64]
Variograms = ExperimentalVariogram | Sequence[ExperimentalVariogram]

METHODS = ("least_squares", "likelihood")
DEFAULT_KINDS = ("spherical", "exponential", "gaussian")
MOST_IN_LIKELIHOOD = 5000
_GAIN = 0.9  # a second structure must bring the loss below this share of that of one
_LIKELIHOOD_GAIN = 4.0  # or raise the log-likelihood by this


class _Samples(NamedTuple):
    """Known samples, one variable."""

    points: Floats
    values: Floats
    groups: NDArray[np.int64] | None


@dataclass(frozen=True, eq=False)
class FittedVariogram:
    """A fitted variogram model, and whether it can be trusted.

    Attributes
    ----------
    model : VariogramModel
    is_trusted : bool
        Nothing speaks against it.
    reasons : tuple of str
        What does.
    misfit : float
        Root mean square of experimental over modelled semivariance minus one, weighted by pairs.
    errors : dict
        Standard errors of the longest "range" and the "sill" (relative), and of the "nugget" (share
        of the sill), from nine fits without a ninth of the field each; empty without samples.
    method : str
    candidates : DataFrame
        Each combination of kinds that was tried: its model and its loss (weighted least squares, or
        minus the restricted log-likelihood), the best first.
    cells : DataFrame
        What was fitted: mean offset [m], distance [m], semivariance, n_pairs, and the model there.
    """

    model: VariogramModel
    is_trusted: bool
    reasons: tuple[str, ...]
    misfit: float
    errors: dict[str, float]
    method: str
    candidates: pd.DataFrame
    cells: pd.DataFrame

    def __str__(self) -> str:
        if self.is_trusted:
            return str(self.model)
        return f"{self.model} (not to be trusted: {'; '.join(self.reasons)})"


def fit_variogram(
    data: ArrayLike | Variograms,
    values: ArrayLike | None = None,
    *,
    kinds: Sequence[str] = DEFAULT_KINDS,
    n_structures: int | None = 1,
    anisotropy: str = "none",
    method: str = "least_squares",
    weights: str = "pairs_over_distance",
    nugget: float | None = None,
    lags: int | ArrayLike | None = None,
    groups: ArrayLike | None = None,
    random_state: int | np.random.Generator | None = 0,
) -> FittedVariogram:
    """Variogram model that fits best among some kinds, with a warning where it is not trustworthy.

    Look at `reasons` before kriging with the model. One realisation of a field fixes its range only
    to about the field's length over the range: with less than ten ranges across the field, no
    method gives it to better than a tenth.

    Parameters
    ----------
    data : ExperimentalVariogram, a sequence of directional ones, or array of shape (n, 2 or 3)
        Experimental variograms, or coordinates of the samples [m].
    values : array of shape (n,), optional
        Values at the coordinates; a missing one is NaN.
    kinds : sequence of str, default ("spherical", "exponential", "gaussian")
        Kinds to choose among, all but "power"; "matern" has a smoothness of 1.
    n_structures : 1, 2 or None, default 1
        Structures beside the nugget; None takes two where they lower the loss by a tenth (with
        likelihood: by four).
    anisotropy : {"none", "vertical", "full"}, default "none"
        "vertical" (3D): one range in the plane and one along the vertical, as in what was laid down in
        layers; "full": any direction in which the variable is more continuous. Both need
        coordinates, or directional variograms. "full" in 3D asks much of few samples. A structure
        whose major range lies far beyond the field is zonal anisotropy.
    method : {"least_squares", "likelihood"}, default "least_squares"
        "likelihood": restricted maximum likelihood (each sample given its 30 nearest of those
        before it in a random order). Sharper, above all for the nugget, but only for values that
        are nearly normal (normal scores), and about a second per thousand samples. Needs coordinates.
    weights : {"pairs_over_distance", "cressie", "pairs"}, default "pairs_over_distance"
        Of least squares: n / h², which makes the short lags count; n / γ²; n.
    nugget : float, optional
        Known nugget (from duplicates, or a down-hole variogram), for least squares.
    lags : int or array, optional
        Number of classes, or their bounds [m]. Default: 18 that grow with distance, from the
        spacing of the samples to a third of the diagonal of the field.
    groups : array of shape (n,), optional
        Only pairs inside a group count, as in `experimental_variogram`.
    random_state : int, Generator or None, default 0
        Seed of the order in the likelihood, and of the subset where there are too many pairs.

    Returns
    -------
    fitted : FittedVariogram

    Raises
    ------
    ValueError
        If an option is unknown, values are missing throughout or constant, there are fewer than ten
        samples or three lags, or the method does not suit the data.

    Examples
    --------
    >>> from gossan.geostat.covariance import Structure
    >>> lag = np.arange(10.0, 210.0, 10.0)
    >>> truth = VariogramModel(0.2, Structure("spherical", 0.8, 100.0))
    >>> gamma = truth.variogram(np.column_stack([lag, 0 * lag]))
    >>> n_pairs, edges = np.full(20, 500), np.arange(5.0, 206.0, 10.0)
    >>> given = ExperimentalVariogram(lag, gamma, n_pairs, edges, None, "matheron", 1.0, 2)
    >>> print(fit_variogram(given).model)
    0.2 nugget + 0.8 spherical (100 m)
    """
    _check_options(kinds, n_structures, method, weights)
    check_option("anisotropy", anisotropy, ANISOTROPIES)
    rng = check_random_state(random_state)
    samples = None if values is None else _read_samples(data, values, groups)
    if samples is None:
        cells = cells_of_variograms(_read_variograms(data, anisotropy != "none"))
    else:
        edges = (
            None if lags is None else lag_edges(samples.points, lags=lags, groups=samples.groups)
        )
        cells = cells_of_samples(*samples, edges=edges, by_direction=anisotropy != "none", rng=rng)
    if anisotropy == "vertical" and cells.n_dims == 2:
        raise ValueError(
            'anisotropy="vertical" needs elevations, got coordinates in 2D. Use "none" or "full".'
        )
    if len(np.unique(cells.distances)) < 3:
        raise ValueError(
            f"A model needs three lags with pairs, got {len(cells.gammas)}. Ask for more lags."
        )
    if method == "likelihood" and (samples is None or nugget is not None or groups is not None):
        raise ValueError(
            "The likelihood needs coordinates and values, and takes neither nugget nor groups, got"
            f" nugget={nugget}. Use method='least_squares'."
        )
    tried = {}
    for names in _combinations(kinds, n_structures):
        shape = Shape(names, cells.n_dims, anisotropy)
        found = fit_cells(cells, shape, weights, nugget)
        if method == "likelihood" and samples is not None:
            found = fit_likelihood(*_subset(samples, rng), shape, found, rng)
        tried[names] = found
    errors = {}
    if samples is not None:
        shape = Shape(_choose(tried, method), cells.n_dims, anisotropy="none")
        errors = _errors(samples, shape, weights, nugget, rng)
    fitted = _describe(tried, cells, samples, method, errors)
    if not fitted.is_trusted:
        warnings.warn(
            f"The variogram {fitted.model} is not to be trusted: {'; '.join(fitted.reasons)}.",
            GossanWarning,
            stacklevel=2,
        )
    return fitted


def _check_options(
    kinds: Sequence[str], n_structures: int | None, method: str, weights: str
) -> None:
    check_option("method", method, METHODS)
    check_option("weights", weights, WEIGHTS)
    check_option("n_structures", n_structures, (1, 2, None))
    if isinstance(kinds, str) or not len(kinds):
        raise ValueError(f"kinds must be a list of kinds, got {kinds!r}. Write ['spherical'].")
    for kind in kinds:
        check_option("kind", kind, [name for name in KINDS if name != "power"])


def _read_samples(coords: object, values: ArrayLike, groups: ArrayLike | None) -> _Samples:
    points, table, labels = check_samples(np.asarray(coords), values, groups)
    if table.ndim != 1:
        raise ValueError(
            f"values must be one variable, got shape {table.shape}. Fit one after the other, or"
            " use fit_coregionalization."
        )
    if len(table) < 10 or np.ptp(table) == 0:
        raise ValueError(
            f"A fit needs ten known values that differ, got {len(table)} from {table.min():g} to"
            f" {table.max():g}. Check the column."
        )
    return _Samples(points, table, labels)


def _read_variograms(data: object, anisotropic: bool) -> list[ExperimentalVariogram]:
    given = list(data) if isinstance(data, Sequence) else [data]
    variograms = [each for each in given if isinstance(each, ExperimentalVariogram)]
    if not given or len(variograms) < len(given):
        raise ValueError(
            f"Without values the data must be experimental variograms, got {type(data).__name__}."
            " Pass coordinates and values."
        )
    if anisotropic and len({each.direction for each in variograms} - {None}) < 2:
        raise ValueError(
            f"Anisotropy needs variograms of two directions or more, got {len(variograms)}. Pass"
            " them as a list, or pass coordinates and values."
        )
    return variograms


def _subset(samples: _Samples, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return points and values, of a random subset where there are too many for the likelihood."""
    n = len(samples.values)
    if n <= MOST_IN_LIKELIHOOD:
        return samples.points, samples.values
    warnings.warn(
        f"The likelihood is that of {MOST_IN_LIKELIHOOD:,} of {n:,} samples, taken at random.",
        GossanWarning,
        stacklevel=3,
    )
    kept = np.sort(rng.choice(n, MOST_IN_LIKELIHOOD, replace=False))
    return samples.points[kept], samples.values[kept]


def _combinations(kinds: Sequence[str], n_structures: int | None) -> list[tuple[str, ...]]:
    """Return the kinds of the structures to try, one structure before two."""
    sizes = (1, 2) if n_structures is None else (n_structures,)
    return [
        names for n in sizes for names in combinations_with_replacement(dict.fromkeys(kinds), n)
    ]


def _choose(tried: Mapping[tuple[str, ...], Found], method: str) -> tuple[str, ...]:
    """Return the best combination; a second structure must earn its place."""

    def price(names: tuple[str, ...]) -> float:
        loss, is_double = tried[names].loss, len(names) == 2
        if method == "likelihood":
            return loss + _LIKELIHOOD_GAIN * is_double
        if not is_double:
            return loss
        return loss / _GAIN + 1e-6 * tried[names].model.sill ** 2  # rounding is no gain

    return min(tried, key=price)


def _errors(
    samples: _Samples,
    shape: Shape,
    weights: str,
    nugget: float | None,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Return standard errors of an isotropic least-squares fit of the chosen kinds."""
    edges = growing_edges(samples.points)

    def fit(kept: NDArray[np.bool_]) -> VariogramModel:
        groups = None if samples.groups is None else samples.groups[kept]
        part = samples.points[kept], samples.values[kept], groups
        cells = cells_of_samples(*part, edges=edges, by_direction=False, rng=rng, max_pairs=3e6)
        return fit_cells(cells, shape, weights, nugget).model

    return jackknife(samples.points, fit)


def _describe(
    tried: Mapping[tuple[str, ...], Found],
    cells: Cells,
    samples: _Samples | None,
    method: str,
    errors: dict[str, float],
) -> FittedVariogram:
    names = _choose(tried, method)
    model = _without_empty(tried[names].model)
    misfit = relative_misfit(cells, model)
    reasons = doubts(
        model,
        cells,
        misfit=misfit,
        errors=errors,
        points=None if samples is None else samples.points,
        values=None if samples is None else samples.values,
    )
    rows = [(" + ".join(key), str(found.model), found.loss) for key, found in tried.items()]
    candidates = pd.DataFrame(rows, columns=["kinds", "model", "loss"]).sort_values("loss")
    return FittedVariogram(
        model, not reasons, reasons, misfit, errors, method, candidates, _cell_table(cells, model)
    )


def _without_empty(model: VariogramModel) -> VariogramModel:
    """Return the model without structures of no sill; a pure nugget if none has one."""
    return VariogramModel(model.nugget, tuple(each for each in model.structures if each.sill > 0))


def _cell_table(cells: Cells, model: VariogramModel) -> pd.DataFrame:
    axes = ("easting", "northing", "elevation")[: cells.n_dims]
    table = pd.DataFrame(cells.offsets, columns=list(axes))
    return table.assign(
        distance=cells.distances,
        semivariance=cells.gammas,
        n_pairs=cells.n_pairs,
        model=model.variogram(cells.offsets),
    )
