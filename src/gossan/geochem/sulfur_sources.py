"""Where the sulfur of an ore came from: how sulfate was reduced, and closed-system trends.

δ34S values [‰ VCDT] and temperatures [°C] come in; source words and δ34S trends go out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_positive

# Ranges, not proof: δ34S(sulfate) - δ34S(sulfide) [‰], and temperature [°C] as (sure, possible).
BACTERIAL_DIFFERENCE, BACTERIAL_HOTTEST = (15.0, 60.0), (60.0, 80.0)
THERMOCHEMICAL_DIFFERENCE, THERMOCHEMICAL_COLDEST = (0.0, 20.0), (140.0, 100.0)


def sulfate_reduction(
    delta_sulfide: ArrayLike,
    delta_sulfate: ArrayLike,
    *,
    temperature: ArrayLike = np.nan,
    temperature_error: ArrayLike = 0.0,
) -> pd.DataFrame:
    """How sulfate became sulfide: by bacteria (BSR), by heat (TSR), either or neither.

    Ranges, not proof: closed basins, mixing and magmatic sulfur reach the same numbers.

    Parameters
    ----------
    delta_sulfide : array of shape (n,)
        δ34S of the ore sulfide [‰].
    delta_sulfate : array of shape (n,)
        δ34S of the sulfate it is thought to come from (coeval sea water, evaporite, barite) [‰].
    temperature : array of shape (n,), optional
        Temperature of reduction [°C]; NaN (the default) leaves the difference alone to speak.
    temperature_error : array of shape (n,), optional
        One standard deviation [°C]; a way counts as possible within two of them.

    Returns
    -------
    table : DataFrame of n rows, with the index of `delta_sulfide` where that is a Series
        ``difference``, δ34S(sulfate) - δ34S(sulfide) [‰]; ``source``, one of BSR, TSR, either,
        neither (missing where a δ34S is); ``valid``, True where it rests on a temperature inside
        the sure ranges (BSR below 60 °C, TSR above 140 °C); ``reason``.

    Raises
    ------
    ValueError
        If a δ34S is -1000 ‰ or below.

    Notes
    -----
    BSR: 15-60 ‰, below 60-80 °C; TSR: 0-20 ‰, above 100-140 °C, [Machel1995]_
    (10.1016/0883-2927(95)00008-8), [Machel2001]_ (10.1016/S0037-0738(00)00176-7).

    Examples
    --------
    >>> sulfate_reduction([-20.0, 0.0, 12.0], [18.0, 18.0, 18.0])["source"].tolist()
    ['BSR', 'either', 'TSR']
    """
    sulfide, sulfate, heat, margin = (
        np.ravel(part)
        for part in np.broadcast_arrays(
            _delta("delta_sulfide", delta_sulfide),
            _delta("delta_sulfate", delta_sulfate),
            np.asarray(temperature, dtype=float),
            2.0 * np.asarray(temperature_error, dtype=float),
        )
    )
    # Rounded, so that 18 - 3 is 15 and not 14.999...
    difference = np.round(sulfate - sulfide, 9)
    has_no_heat = np.isnan(heat)
    is_cool = has_no_heat | (heat - margin <= BACTERIAL_HOTTEST[1])
    is_hot = has_no_heat | (heat + margin >= THERMOCHEMICAL_COLDEST[1])
    bacterial = _within(difference, BACTERIAL_DIFFERENCE) & is_cool
    thermochemical = _within(difference, THERMOCHEMICAL_DIFFERENCE) & is_hot
    source = np.select(
        [np.isnan(difference), bacterial & thermochemical, bacterial, thermochemical],
        ["", "either", "BSR", "TSR"],
        default="neither",
    )
    is_sure = np.where(
        bacterial, heat + margin <= BACTERIAL_HOTTEST[0], heat - margin >= THERMOCHEMICAL_COLDEST[0]
    )
    valid = is_sure & (bacterial ^ thermochemical)
    reason = np.select(
        [np.isnan(difference), valid, source == "neither", has_no_heat],
        ["missing", "", "outside both ranges", "no temperature"],
        default="temperature between the sure ranges",
    )
    return pd.DataFrame(
        {
            "difference": difference,
            "source": pd.Series(source, dtype="str").where(source != "").to_numpy(),
            "valid": valid,
            "reason": pd.Series(reason, dtype="str").to_numpy(),
        },
        index=delta_sulfide.index if isinstance(delta_sulfide, pd.Series) else None,
    )


@dataclass(frozen=True)
class Rayleigh:
    """δ34S [‰] in a closed system as sulfate is used up.

    Attributes
    ----------
    residual : array
        The sulfate that is left.
    instantaneous : array
        The sulfide that forms at this moment.
    cumulative : array
        All sulfide formed so far.
    """

    residual: NDArray[np.float64]
    instantaneous: NDArray[np.float64]
    cumulative: NDArray[np.float64]


def rayleigh(remaining: ArrayLike, *, initial: float, enrichment: float) -> Rayleigh:
    """δ34S of sulfate and sulfide in a closed system (Rayleigh distillation).

    Parameters
    ----------
    remaining : array of shape (n,)
        Fraction of the sulfate that is left, above 0 and up to 1.
    initial : float
        δ34S of the sulfate at the start [‰].
    enrichment : float
        By how much sulfide is lighter than the sulfate it forms from [‰], α = 1 - ε/1000.

    Returns
    -------
    trend : Rayleigh
        Residual, instantaneous and cumulative δ34S [‰].

    Raises
    ------
    ValueError
        If a fraction is not in (0, 1].

    Notes
    -----
    [Mariotti1981]_ (10.1007/BF02374138).

    Examples
    --------
    >>> trend = rayleigh(0.5, initial=20, enrichment=40)
    >>> float(trend.residual.round(3)), float(trend.cumulative.round(3))
    (48.676, -8.676)
    """
    left = check_positive("remaining", remaining)
    if np.any(left > 1):
        raise ValueError(
            f"remaining must be at most 1, got {np.nanmax(left):g}. "
            f"Give the fraction of sulfate that is left, not per cent."
        )
    alpha = 1.0 - enrichment / 1000.0
    residual = (1000.0 + initial) * left ** (alpha - 1.0) - 1000.0
    instantaneous = (1000.0 + residual) * alpha - 1000.0
    # Mass balance; at the start all sulfide formed so far is that of the first moment.
    used = np.where(left < 1, 1.0 - left, 1.0)
    cumulative = np.where(left < 1, (initial - left * residual) / used, instantaneous)
    return Rayleigh(residual=residual, instantaneous=instantaneous, cumulative=cumulative)


def _delta(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return δ34S values [‰], all above -1000."""
    numbers = np.asarray(values, dtype=float)
    if np.any(numbers <= -1000):
        raise ValueError(
            f"{name} must be above -1000 ‰, got {np.nanmin(numbers):g}. Give δ34S in per mil."
        )
    return numbers


def _within(values: NDArray, limits: tuple[float, float]) -> NDArray[np.bool_]:
    return (values >= limits[0]) & (values <= limits[1])
