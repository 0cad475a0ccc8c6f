"""Formation temperature of sphalerite from its trace elements, and a summary for each deposit.

Concentrations come in; temperatures [°C] with error, flags and reasons go out.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import GossanWarning, check_option, check_positive
from gossan.geochem.estimates import MISSING, Estimate, estimate, outside
from gossan.geochem.sulfur_fugacity import fes_in_sphalerite, log_sulfur_fugacity

# Frenzel et al. (2016): weights of ln C in PC1*; Fe in wt%, the others in ppm.
PC1_WEIGHTS = {"Ga": 0.22, "Ge": 0.22, "Fe": -0.37, "Mn": -0.20, "In": -0.11}
SLOPE, SLOPE_ERROR = 54.4, 7.3
INTERCEPT, INTERCEPT_ERROR = 208.0, 10.0
# Scatter of deposits about the line [°C], and the temperatures between which it was drawn [°C].
GGIMFIS_SCATTER = 50.0
GGIMFIS_RANGE = (100.0, 400.0)
# More iron than any sphalerite holds [wt%] (56 mol% FeS, the most there is, is 34 wt%).
MOST_IRON = 40.0
# Keith et al. (2014): below this mass ratio (250 °C) every iron-poor sphalerite reads 227-250 °C.
LOWEST_VENT_RATIO = 0.03


def ggimfis(
    *,
    Ga: ArrayLike,
    Ge: ArrayLike,
    Fe: ArrayLike,
    Mn: ArrayLike,
    In: ArrayLike,
    fe_unit: str = "wt%",
    include_scatter: bool = False,
) -> Estimate:
    """Temperature at which a sphalerite deposit formed, from Ga, Ge, In, Mn and Fe (GGIMFis).

    Meant for means (or medians) of a deposit; for a single analysis the answer is a hint at most.
    Metamorphism resets it. Deposits scatter by ±50 °C about the line.

    Parameters
    ----------
    Ga, Ge, Mn, In : array of shape (n,)
        Concentrations in sphalerite [ppm].
    Fe : array of shape (n,)
        Iron in sphalerite [`fe_unit`].
    fe_unit : {"wt%", "ppm"}
        Unit of iron; weight per cent as in the paper. Iron in ppm read as wt% would shift every
        temperature by +185 °C, so iron above 40 "wt%" is refused.
    include_scatter : bool
        Add the scatter of ±50 °C to the error, which then tells where one more deposit may lie;
        left out by default, when it tells how well the line itself is known.

    Returns
    -------
    temperature : Estimate
        Temperature [°C] with the error of slope and intercept (taken as independent, one
        standard deviation each). Not valid outside 100-400 °C.

    Raises
    ------
    ValueError
        If a concentration is zero or negative, or iron above 40 wt%.

    Warns
    -----
    GossanWarning
        If iron is given as ppm but nowhere exceeds 40: it may be in wt%.

    Notes
    -----
    T = -(54.4 ± 7.3) PC1* + (208 ± 10) °C, with PC1* = 0.22 ln Ga + 0.22 ln Ge - 0.37 ln Fe -
    0.20 ln Mn - 0.11 ln In, [Frenzel2016]_ (10.1016/j.oregeorev.2015.12.017).

    Examples
    --------
    >>> float(ggimfis(Ga=10, Ge=100, Fe=1.0, Mn=20, In=0.1).value.round(2))
    144.14
    >>> float(ggimfis(Ga=10, Ge=100, Fe=10_000, Mn=20, In=0.1, fe_unit="ppm").value.round(2))
    144.14
    """
    score = pc1_star(Ga=Ga, Ge=Ge, Fe=_iron_percent(Fe, fe_unit), Mn=Mn, In=In)
    return _temperature_of(score, include_scatter=include_scatter)


def pc1_star(
    *, Ga: ArrayLike, Ge: ArrayLike, Fe: ArrayLike, Mn: ArrayLike, In: ArrayLike
) -> NDArray[np.float64]:
    """Score of a sphalerite on the component that follows temperature (high means cool).

    Parameters
    ----------
    Ga, Ge, Mn, In : array of shape (n,)
        Concentrations [ppm].
    Fe : array of shape (n,)
        Iron [wt%].

    Returns
    -------
    score : array of shape (n,)
        PC1* of [Frenzel2016]_ (10.1016/j.oregeorev.2015.12.017), without unit.

    Raises
    ------
    ValueError
        If a concentration is zero or negative.

    Examples
    --------
    >>> float(pc1_star(Ga=1, Ge=1, Fe=8.0, Mn=3000, In=50).round(4))
    -2.801
    """
    concentrations = {"Ga": Ga, "Ge": Ge, "Fe": Fe, "Mn": Mn, "In": In}
    terms = [
        weight * np.log(check_positive(name, concentrations[name], unit=_unit_of(name)))
        for name, weight in PC1_WEIGHTS.items()
    ]
    return np.asarray(sum(terms), dtype=float)


def vent_temperature(
    Fe: ArrayLike,
    Zn: ArrayLike,
    *,
    lowest_ratio: float = LOWEST_VENT_RATIO,
    impossible: str = "raise",
) -> Estimate:
    """Temperature of a sea-floor vent from the Fe/Zn ratio of its sphalerite.

    For active and fossil sea-floor vents only. The line meets the axis at 227 °C, so that any
    iron-poor sphalerite, however cool, would read 227 °C: low ratios are refused.

    Parameters
    ----------
    Fe, Zn : array of shape (n,)
        Iron and zinc in the same unit; their ratio is by mass.
    lowest_ratio : float
        Fe/Zn below which there is no answer; 0.03 by default, where the line reads 250 °C.
    impossible : {"raise", "flag"}
        What to do below it: refuse the call (the default), or give NaN with the reason (for
        tables).

    Returns
    -------
    temperature : Estimate
        Temperature [°C]; the source gives no error.

    Raises
    ------
    ValueError
        If a concentration is zero or negative, or a ratio is too low with ``impossible="raise"``.

    Notes
    -----
    Fe/Zn = 0.0013 T - 0.2953, [Keith2014]_ (10.1130/G35655.1); coefficients not checked against
    the paper.

    Examples
    --------
    >>> float(vent_temperature(9.47, 100.0).value.round(1))
    300.0
    """
    check_option("impossible", impossible, ("raise", "flag"))
    ratio = np.asarray(check_positive("Fe", Fe) / check_positive("Zn", Zn))
    is_low = ratio < lowest_ratio
    if impossible == "raise" and is_low.any():
        raise ValueError(
            f"Fe/Zn must be at least {lowest_ratio:g} for the vent thermometer, got "
            f"{np.nanmin(ratio):.3g} ({int(is_low.sum())} of {ratio.size} values). Use ggimfis for "
            f"iron-poor sphalerite, or pass impossible='flag' to leave such rows without an answer."
        )
    temperature = np.where(is_low, np.nan, (ratio + 0.2953) / 0.0013)
    doubts = [
        (is_low, f"Fe/Zn below {lowest_ratio:g}"),
        (temperature > 400, "extrapolated above 400 °C"),
    ]
    return estimate("temperature", temperature, unit="°C", source="Keith2014", doubts=doubts)


def summarise_formation(values: pd.DataFrame, groups: ArrayLike) -> pd.DataFrame:
    """How each deposit formed: temperature, FeS in sphalerite and sulfur fugacity, with flags.

    The median over its analyses (of PC1*, and of FeS) stands for the deposit. An analysis in which
    an element is missing, zero or negative does not count; where none is left, the answer is empty
    and the elements at fault are named.

    Parameters
    ----------
    values : DataFrame of shape (n, elements)
        Sphalerite analyses [ppm]; Ga, Ge, Fe, Mn and In are used, and Zn where present.
    groups : array of shape (n,)
        Deposit of each analysis; rows without one are left out.

    Returns
    -------
    table : DataFrame, one row a deposit
        ``n_analyses``, and ``n_temperature`` of them that have all five elements; ``temperature``
        by GGIMFis, its ``temperature_uncertainty`` (of the line) and ``temperature_scatter`` (of
        one more deposit, ±50 °C included) [°C]; ``fes`` [mol%]; ``log_fs2`` [log10 bar] at that
        temperature, given only where the temperature is valid, and its ``log_fs2_uncertainty``
        (from the scatter of the temperature); for temperature and log_fs2 each a ``_valid`` flag
        and a ``_reason``.

    Raises
    ------
    ValueError
        If `groups` is not as long as `values`, if no analysis has a deposit, or if iron is higher
        than in any sphalerite (40 wt%).

    Warns
    -----
    GossanWarning
        If iron nowhere exceeds 40 ppm: it may be in wt%.

    Examples
    --------
    >>> table = pd.DataFrame({"Ga": [10.0, 10], "Ge": [100.0, 100], "Fe": [9e3, 11e3],
    ...                       "Mn": [20.0, 20], "In": [0.1, 0.1]})
    >>> summarise_formation(table, ["Gunga", "Gunga"])[["temperature", "fes"]].round(1)
           temperature  fes
    Gunga        144.0  1.7
    """
    labels = _check_groups(values, groups)
    elements = pd.DataFrame({name: _positive(values, name) for name in PC1_WEIGHTS}).set_index(
        values.index
    )
    iron = _iron_percent(elements["Fe"], "ppm")
    per_analysis = pd.DataFrame(
        {
            "score": pc1_star(**{**elements.to_dict("series"), "Fe": iron}),
            "fes": _fes(elements["Fe"].to_numpy(), _positive(values, "Zn")),
        },
        index=values.index,
    )
    deposits = per_analysis.groupby(labels)
    medians = deposits.median().rename_axis(index=None)
    heat = _temperature_of(medians["score"].to_numpy(), include_scatter=False)
    scatter = np.hypot(heat.uncertainty, GGIMFIS_SCATTER)
    fugacity = log_sulfur_fugacity(
        medians["fes"],
        np.where(heat.valid, heat.value, np.nan),
        temperature_error=scatter,
        impossible="flag",
    )
    table = heat.to_frame(medians.index)
    table.insert(0, "n_analyses", deposits.size().to_numpy())
    table.insert(1, "n_temperature", deposits["score"].count().to_numpy())
    table.insert(4, "temperature_scatter", scatter)
    table["temperature_reason"] = _name_missing(elements.groupby(labels).count(), heat.reason)
    table["fes"] = medians["fes"]
    table = table.join(fugacity.to_frame(medians.index).rename(columns=str.lower))
    has_no_heat = ~table["temperature_valid"] & table["fes"].notna()
    return table.assign(
        log_fs2_reason=table["log_fs2_reason"].mask(has_no_heat, "no valid temperature")
    )


def _temperature_of(score: NDArray[np.float64], *, include_scatter: bool) -> Estimate:
    temperature = INTERCEPT - SLOPE * score
    error = np.hypot(SLOPE_ERROR * score, INTERCEPT_ERROR)
    if include_scatter:
        error = np.hypot(error, GGIMFIS_SCATTER)
    return estimate(
        "temperature",
        temperature,
        unit="°C",
        source="Frenzel2016",
        uncertainty=error,
        doubts=outside(temperature, *GGIMFIS_RANGE, "°C"),
    )


def _iron_percent(iron: ArrayLike, unit: str) -> NDArray[np.float64]:
    """Return iron in wt%, refusing what can only be ppm."""
    check_option("fe_unit", unit, ("wt%", "ppm"))
    numbers = check_positive("Fe", iron, unit=unit)
    percent = numbers / 1e4 if unit == "ppm" else numbers
    if np.any(percent > MOST_IRON):
        hint = "Pass fe_unit='ppm'." if unit == "wt%" else "Check the unit of iron."
        raise ValueError(
            f"Fe must be at most {MOST_IRON:g} wt% in sphalerite, got {np.nanmax(numbers):g} {unit}"
            f" ({int((percent > MOST_IRON).sum())} of {percent.size} values). {hint}"
        )
    if unit == "ppm" and np.isfinite(numbers).any() and np.nanmax(numbers) <= MOST_IRON:
        warnings.warn(
            f"Fe is nowhere above {np.nanmax(numbers):g} ppm: if it is in wt%, temperatures are "
            f"185 °C too low. Pass fe_unit='wt%', or convert the table to ppm.",
            GossanWarning,
            stacklevel=3,
        )
    return percent


def _unit_of(element: str) -> str:
    return "wt%" if element == "Fe" else "ppm"


def _check_groups(values: pd.DataFrame, groups: ArrayLike) -> pd.Series:
    """Return the deposit of each analysis as text, missing where there is none."""
    labels = np.asarray(groups, dtype=object)
    if len(labels) != len(values):
        raise ValueError(
            f"groups must name a deposit for each analysis, got {len(labels)} labels for "
            f"{len(values)} rows. Pass the deposit column of the same table."
        )
    names = pd.Series(labels, index=values.index, dtype="str")
    if names.isna().all():
        raise ValueError(
            f"No analysis has a deposit: all {len(values)} labels are missing. "
            f"Name the column that holds the deposits."
        )
    return names


def _positive(values: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Concentrations of one element, NaN where it is absent, zero or negative."""
    if name not in values:
        return np.full(len(values), np.nan)
    numbers = values[name].to_numpy(dtype=float)
    return np.where(numbers > 0, numbers, np.nan)


def _fes(iron: NDArray, zinc: NDArray) -> NDArray[np.float64]:
    """FeS with measured zinc where there is some, stoichiometric elsewhere."""
    return np.where(np.isnan(zinc), fes_in_sphalerite(iron), fes_in_sphalerite(iron, zinc))


def _name_missing(counts: pd.DataFrame, reasons: NDArray) -> list[str]:
    """Say which elements are never there where a temperature is missing."""
    named = []
    for reason, row in zip(reasons, counts.itertuples(index=False), strict=True):
        lost = [name for name, count in zip(counts.columns, row, strict=True) if count == 0]
        together = f"no {', '.join(lost)}" if lost else "never all five elements together"
        named.append(together if reason == MISSING else str(reason))
    return named
