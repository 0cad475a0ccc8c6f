"""Lead isotopes of an ore: model age, and mu, kappa and omega of the source of its lead.

206Pb/204Pb, 207Pb/204Pb and 208Pb/204Pb come in; ages [Ma] and source ratios with flags go out, by
Stacey & Kramers 1975 (two stages), Cumming & Richards 1975 or Albarède & Juteau 1984.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gossan._checks import check_option, check_positive

# Decay constants [1/Ma] of 238U, 235U, 232Th (Steiger & Jäger 1977).
DECAY_238, DECAY_235, DECAY_232 = 1.55125e-4, 9.8485e-4, 4.9475e-5
RATIOS = ("206Pb/204Pb", "207Pb/204Pb", "208Pb/204Pb")
MODELS = ("SK75", "CR75", "AJ84")
# The youngest age looked for [Ma]: radiogenic lead may need a long way into the future.
YOUNGEST = -10_000.0


@dataclass(frozen=True)
class LeadModel:
    """One stage of lead growth in a source whose U/Pb and Th/Pb may grow with time.

    Attributes
    ----------
    name, source : str
        Short name, and key in the bibliography.
    start : float
        Age at which the stage begins [Ma].
    ratios : (float, float, float)
        206Pb/204Pb, 207Pb/204Pb and 208Pb/204Pb at the start.
    mu, omega : float
        238U/204Pb and 232Th/204Pb of the source, as they would be measured today.
    uranium_ratio : float
        238U/235U of today.
    mu_growth, omega_growth : float
        Growth of both [1/Ma]: mu(t) = mu (1 - growth t).
    earlier : LeadModel, optional
        The stage before.
    """

    name: str
    source: str
    start: float
    ratios: tuple[float, float, float]
    mu: float
    omega: float
    uranium_ratio: float
    mu_growth: float = 0.0
    omega_growth: float = 0.0
    earlier: LeadModel | None = None


def lead_model(name: str = "SK75", *, uranium_ratio: float | None = None) -> LeadModel:
    """Constants of a published lead growth curve.

    Parameters
    ----------
    name : {"SK75", "CR75", "AJ84"}
        Stacey & Kramers 1975, Cumming & Richards 1975, or Albarède & Juteau 1984.
    uranium_ratio : float, optional
        238U/235U of today; None (the default) keeps that of the paper: 137.88 for SK75 and CR75,
        137.79 for AJ84. The last is the newer measurement [Goldmann2015]_
        (10.1016/j.gca.2014.09.008) with which GlobaLID computes all three.

    Returns
    -------
    model : LeadModel
        For SK75 the second stage, with the first as `earlier`.

    Raises
    ------
    ValueError
        If the name is not in the list, or the ratio is not positive.

    Notes
    -----
    [StaceyKramers1975]_ (10.1016/0012-821X(75)90088-6), [CummingRichards1975]_
    (10.1016/0012-821X(75)90223-X), [AlbaredeJuteau1984]_ (10.1016/0016-7037(84)90364-8). SK75 is
    used with a mu of 9.74; the unrounded 9.735 shifts the curve, but no model age.

    Examples
    --------
    >>> lead_model("SK75").ratios
    (11.152, 12.998, 31.23)
    """
    check_option("model", name, MODELS)
    if uranium_ratio is not None:
        check_positive("uranium_ratio", uranium_ratio, hint="The natural ratio is near 137.8.")
    if name == "SK75":
        return _stacey_kramers(uranium_ratio or 137.88)
    if name == "CR75":
        return _cumming_richards(uranium_ratio or 137.88)
    return _albarede_juteau(uranium_ratio or 137.79)


def lead_curve(
    age: ArrayLike, model: str = "SK75", *, uranium_ratio: float | None = None
) -> pd.DataFrame:
    """Composition of lead that left the model source at a given age.

    Parameters
    ----------
    age : array of shape (n,)
        Age [Ma]; negative ages lie in the future.
    model : {"SK75", "CR75", "AJ84"}
        The growth curve.
    uranium_ratio : float, optional
        238U/235U of today; None keeps that of the paper.

    Returns
    -------
    curve : DataFrame of n rows
        206Pb/204Pb, 207Pb/204Pb and 208Pb/204Pb; NaN before the model starts (SK75: 4570 Ma, of
        which the first stage lasts to 3700; CR75: 4509; AJ84: 3800).

    Raises
    ------
    ValueError
        If the model is not in the list.

    Notes
    -----
    Sources: see `lead_model`.

    Examples
    --------
    >>> lead_curve([2700, 0]).round(4)
       206Pb/204Pb  207Pb/204Pb  208Pb/204Pb
    0      13.6366      14.6905      33.3655
    1      18.7033      15.6288      38.6305
    """
    ages = np.atleast_1d(np.asarray(age, dtype=float)).ravel()
    stage: LeadModel | None = lead_model(model, uranium_ratio=uranium_ratio)
    curve = np.full((len(ages), 3), np.nan)
    while stage is not None:
        is_open = np.isnan(curve[:, 0]) & (ages <= stage.start)
        curve[is_open] = _compositions(ages[is_open], stage)
        stage = stage.earlier
    return pd.DataFrame(curve, columns=list(RATIOS))


def model_ages(
    pb206: ArrayLike,
    pb207: ArrayLike,
    *,
    pb208: ArrayLike | None = None,
    model: str = "SK75",
    uranium_ratio: float | None = None,
    errors: tuple[ArrayLike, ArrayLike] | None = None,
    correlation: float = 0.0,
) -> pd.DataFrame:
    """Model age of ore lead, and mu, kappa and omega of its source, for thousands at a time.

    The age at which lead left a reservoir that grew as the model says; the age of the ore only
    where the lead was not mixed. Look at ages beside mu: lead from many sources scatters in both.

    Parameters
    ----------
    pb206, pb207 : array of shape (n,)
        206Pb/204Pb and 207Pb/204Pb.
    pb208 : array of shape (n,), optional
        208Pb/204Pb, for kappa and omega (CR75 gives them without).
    model : {"SK75", "CR75", "AJ84"}
        SK75 and AJ84 let mu vary, and seek the age on the isochron through the start of the model;
        CR75 has one curve, and takes the nearest point on it.
    uranium_ratio : float, optional
        238U/235U of today; None keeps that of the paper, see `lead_model`.
    errors : (array, array), optional
        One standard deviation of `pb206` and `pb207`, carried into the age.
    correlation : float
        Correlation of the two errors, -1 to 1; 0 by default, 0.8-0.95 is usual where the error is
        that of mass fractionation.

    Returns
    -------
    ages : DataFrame of n rows, with the index of `pb206` where that is a Series
        ``age`` and ``age_uncertainty`` [Ma], ``mu`` (238U/204Pb), ``kappa`` (232Th/238U),
        ``omega`` (232Th/204Pb), ``valid`` and ``reason``. Future (negative) ages are given, but
        not valid: the lead is more radiogenic than the model (J-type). Ages below -10,000 Ma and
        before the start of the model are NaN.

    Raises
    ------
    ValueError
        If the model is not in the list, a ratio is zero or negative, or the lengths differ.

    Notes
    -----
    Sources: see `lead_model`. The SK75 ages of the GlobaLID table [GlobaLID2021]_
    (10.5880/fidgeo.2021.031) are lower by a near-constant 3.6 Ma than those of the paper, because
    all its models are computed with 238U/235U = 137.79 instead of 137.88. With
    ``uranium_ratio=137.79``, 6,351 of its 6,352 SK75 ages and 6,333 of its 6,334 CR75 ages agree
    to the 0.001 Ma printed, and 6,336 of 6,351 AJ84 ages to 1 Ma; of the other AJ84 ages twelve lie
    below -4,600 Ma, where isochrons hardly turn with age, and two do not solve the model's
    equations. The row that differs in all models (18.5657, 15.6940, 38.746) carries the ages of
    another composition (18.5653, 15.6921, 38.749), on which its SK75 and AJ84 columns agree.

    Examples
    --------
    >>> model_ages([18.5, 18.0], [15.65, 15.6], pb208=[38.6, 38.0]).iloc[:, [0, 2, 3]].round(4)
            age      mu   kappa
    0  198.1918  9.8755  3.9067
    1  470.1221  9.7880  3.9000
    """
    x, y, z = _check_ratios(pb206, pb207, pb208)
    stage = lead_model(model, uranium_ratio=uranium_ratio)
    solve = _nearest_ages if stage.mu_growth else _isochron_ages
    age = solve(x, y, stage)
    mu, omega = _source(age, x, z, stage)
    table = pd.DataFrame(
        {
            "age": age,
            "age_uncertainty": _age_error(solve, (x, y), stage, errors, correlation),
            "mu": mu,
            "kappa": omega / mu,
            "omega": omega,
        },
        index=pb206.index if isinstance(pb206, pd.Series) else None,
    )
    reason = np.select(
        [np.isnan(x) | np.isnan(y), np.isnan(age), age < 0],
        ["missing", "no age in this model", "future age"],
        default="",
    )
    table["valid"] = reason == ""
    table["reason"] = reason.astype(str)
    return table


def _stacey_kramers(uranium_ratio: float) -> LeadModel:
    # The first stage starts from the lead of the Canyon Diablo troilite.
    first = LeadModel(
        "SK75", "StaceyKramers1975", 4570.0, (9.307, 10.294, 29.476), 7.192, 33.21, uranium_ratio
    )
    return LeadModel(
        "SK75",
        "StaceyKramers1975",
        start=3700.0,
        ratios=(11.152, 12.998, 31.23),
        mu=9.74,
        omega=36.84,
        uranium_ratio=uranium_ratio,
        earlier=first,
    )


def _cumming_richards(uranium_ratio: float) -> LeadModel:
    # The paper gives 235U/204Pb (0.07797): 238U/204Pb follows from the uranium ratio.
    return LeadModel(
        "CR75",
        "CummingRichards1975",
        start=4509.0,
        ratios=(9.307, 10.294, 29.476),
        mu=0.07797 * uranium_ratio,
        omega=41.25,
        uranium_ratio=uranium_ratio,
        mu_growth=0.05e-3,
        omega_growth=0.037e-3,
    )


def _albarede_juteau(uranium_ratio: float) -> LeadModel:
    # The paper gives the lead of today: the start follows backwards.
    start, mu, omega = 3800.0, 9.66, 9.66 * 3.90
    ratios = (
        18.750 - mu * np.expm1(DECAY_238 * start),
        15.63 - mu / uranium_ratio * np.expm1(DECAY_235 * start),
        38.86 - omega * np.expm1(DECAY_232 * start),
    )
    return LeadModel("AJ84", "AlbaredeJuteau1984", start, ratios, mu, omega, uranium_ratio)


def _check_ratios(
    pb206: ArrayLike, pb207: ArrayLike, pb208: ArrayLike | None
) -> tuple[NDArray, NDArray, NDArray]:
    given = [pb206, pb207, np.nan if pb208 is None else pb208]
    arrays = [
        check_positive(name, numbers).ravel() for name, numbers in zip(RATIOS, given, strict=True)
    ]
    n = len(arrays[0])
    if len(arrays[1]) != n or len(arrays[2]) not in (1, n):
        raise ValueError(
            f"The lead ratios must be of one length, got {[len(a) for a in arrays]} for "
            f"206, 207 and 208. Pass columns of the same table."
        )
    return arrays[0], arrays[1], np.broadcast_to(arrays[2], n)


def _growth(age: Any, decay: float, slope: float) -> NDArray[np.float64]:
    """Primitive of decay exp(decay t) (1 - slope t), which is exp(decay t) for slope 0."""
    return np.exp(decay * age) * (1.0 - slope * (age - 1.0 / decay))


def _grown(age: Any, stage: LeadModel, decay: float, slope: float) -> NDArray[np.float64]:
    """Daughter grown from the start of the stage to an age, for a parent of 1 today."""
    return _growth(stage.start, decay, slope) - _growth(age, decay, slope)


def _compositions(age: NDArray, stage: LeadModel) -> NDArray[np.float64]:
    """Lead ratios on the curve of one stage, (n, 3)."""
    uranogenic = stage.mu * _grown(age, stage, DECAY_238, stage.mu_growth)
    actinogenic = stage.mu / stage.uranium_ratio * _grown(age, stage, DECAY_235, stage.mu_growth)
    thorogenic = stage.omega * _grown(age, stage, DECAY_232, stage.omega_growth)
    return np.column_stack([uranogenic, actinogenic, thorogenic]) + np.array(stage.ratios)


def _source(
    age: NDArray, pb206: NDArray, pb208: NDArray, stage: LeadModel
) -> tuple[NDArray, NDArray]:
    """Return mu and omega of the source of each lead."""
    if stage.mu_growth:
        return stage.mu * (1 - stage.mu_growth * age), stage.omega * (1 - stage.omega_growth * age)
    with np.errstate(divide="ignore", invalid="ignore"):
        mu = (pb206 - stage.ratios[0]) / _grown(age, stage, DECAY_238, 0.0)
        omega = (pb208 - stage.ratios[2]) / _grown(age, stage, DECAY_232, 0.0)
    return mu, omega


def _isochron_ages(pb206: NDArray, pb207: NDArray, stage: LeadModel) -> NDArray[np.float64]:
    """Age whose isochron through the start of the stage passes through each lead."""
    rise, run = pb207 - stage.ratios[1], pb206 - stage.ratios[0]

    # The slope of the isochron grows with age without a turn, so that there is one root at most;
    # multiplied out, the function stays finite at the start of the stage.
    def misfit(age: NDArray) -> NDArray:
        return stage.uranium_ratio * rise * _grown(age, stage, DECAY_238, 0.0) - run * _grown(
            age, stage, DECAY_235, 0.0
        )

    oldest = stage.start - 1e-3
    low, high = np.full(len(run), YOUNGEST), np.full(len(run), oldest)
    age = _root(misfit, low, high)
    return np.where(run > 0, age, np.nan)


def _nearest_ages(pb206: NDArray, pb207: NDArray, stage: LeadModel) -> NDArray[np.float64]:
    """Age of the point on the curve nearest to each lead."""
    nodes = np.arange(YOUNGEST, stage.start, 5.0)
    tree = cKDTree(_compositions(nodes, stage)[:, :2])
    points = np.column_stack([pb206, pb207])
    is_known = np.isfinite(points).all(axis=1)
    _, nearest = tree.query(np.where(is_known[:, None], points, 0.0))
    mu, slope = stage.mu, stage.mu_growth

    # Half the derivative of the squared distance; it changes sign at the nearest point.
    def misfit(age: NDArray) -> NDArray:
        off = _compositions(age, stage)[:, :2] - points
        pull = off[:, 0] * DECAY_238 * np.exp(DECAY_238 * age)
        pull = pull + off[:, 1] * DECAY_235 / stage.uranium_ratio * np.exp(DECAY_235 * age)
        return mu * (slope * age - 1.0) * pull

    age = _root(misfit, nodes[nearest] - 5.0, np.minimum(nodes[nearest] + 5.0, stage.start))
    is_inside = is_known & (age > YOUNGEST + 1.0) & (age < stage.start - 1.0)
    return np.where(is_inside, age, np.nan)


def _root(
    function: Callable[[NDArray], NDArray], low: NDArray, high: NDArray
) -> NDArray[np.float64]:
    """Root of each element between its bounds by bisection; NaN where the sign does not change."""
    sign = np.sign(function(low))
    has_root = sign * np.sign(function(high)) < 0
    for _ in range(64):
        middle = 0.5 * (low + high)
        is_left = np.sign(function(middle)) == sign
        low, high = np.where(is_left, middle, low), np.where(is_left, high, middle)
    return np.where(has_root, 0.5 * (low + high), np.nan)


def _age_error(
    solve: Callable[[NDArray, NDArray, LeadModel], NDArray],
    ratios: tuple[NDArray, NDArray],
    stage: LeadModel,
    errors: tuple[ArrayLike, ArrayLike] | None,
    correlation: float,
) -> NDArray[np.float64]:
    """Carry the errors of both ratios into the age, by solving one error to either side."""
    if errors is None:
        return np.full(len(ratios[0]), np.nan)
    (x, y), (dx, dy) = ratios, (np.asarray(error, dtype=float) for error in errors)
    by_206 = 0.5 * (solve(x + dx, y, stage) - solve(x - dx, y, stage))
    by_207 = 0.5 * (solve(x, y + dy, stage) - solve(x, y - dy, stage))
    variance = by_206**2 + by_207**2 + 2.0 * correlation * by_206 * by_207
    return np.sqrt(np.maximum(variance, 0.0))
