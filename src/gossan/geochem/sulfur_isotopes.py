"""Sulfur isotope thermometers: sulfide pairs, and sulfate with H2S.

δ34S values [‰ VCDT] or temperatures [°C] come in; fractionations [‰] or temperatures with error and
flags go out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option, check_positive
from gossan._units import celsius_to_kelvin, kelvin_to_celsius
from gossan.geochem.estimates import Estimate, estimate, outside

# Ohmoto & Rye (1979): 1000 ln alpha(mineral - H2S) = A 1e6 / T^2, T in K.
FRACTIONATION = {
    "pyrite": 0.40,
    "sphalerite": 0.10,
    "pyrrhotite": 0.10,
    "chalcopyrite": -0.05,
    "galena": -0.63,
}
# Temperatures [°C] between which a pair is read as a thermometer: below them exchange is too slow.
PAIR_RANGE = (50.0, 700.0)
# Ohmoto & Lasaga (1982): 1000 ln alpha(sulfate - H2S) = slope 1e6 / T^2 + offset.
SULFATE_SLOPE, SULFATE_OFFSET = 6.463, 0.56
SULFATE_RANGE = (100.0, 400.0)


def mineral_fractionation(mineral: str, temperature: ArrayLike) -> NDArray[np.float64]:
    """Equilibrium enrichment of 34S in a sulfide over dissolved H2S.

    Parameters
    ----------
    mineral : {"pyrite", "sphalerite", "pyrrhotite", "chalcopyrite", "galena"}
        The sulfide.
    temperature : array of shape (n,)
        Temperature [°C].

    Returns
    -------
    fractionation : array of shape (n,)
        1000 ln α(mineral - H2S) [‰].

    Raises
    ------
    ValueError
        If the mineral is not in the list, or a temperature is below absolute zero.

    Notes
    -----
    A 1e6 / T², [OhmotoRye1979]_; coefficients not checked against the paper.

    Examples
    --------
    >>> float(mineral_fractionation("galena", 200).round(3))
    -2.814
    """
    check_option("mineral", mineral, FRACTIONATION)
    return FRACTIONATION[mineral] * 1e6 / celsius_to_kelvin(temperature) ** 2


def pair_fractionation(first: str, second: str, *, temperature: ArrayLike) -> NDArray[np.float64]:
    """Equilibrium difference in 34S between two sulfides.

    Parameters
    ----------
    first, second : str
        Two of the sulfides of `mineral_fractionation`.
    temperature : array of shape (n,)
        Temperature [°C].

    Returns
    -------
    fractionation : array of shape (n,)
        1000 ln α(first - second) [‰].

    Raises
    ------
    ValueError
        If a mineral is not in the list, or a temperature is below absolute zero.

    Notes
    -----
    [OhmotoRye1979]_; coefficients not checked against the paper.

    Examples
    --------
    >>> float(pair_fractionation("sphalerite", "galena", temperature=200).round(3))
    3.261
    """
    return mineral_fractionation(first, temperature) - mineral_fractionation(second, temperature)


def sulfate_fractionation(temperature: ArrayLike) -> NDArray[np.float64]:
    """Equilibrium enrichment of 34S in dissolved sulfate over H2S.

    Parameters
    ----------
    temperature : array of shape (n,)
        Temperature [°C].

    Returns
    -------
    fractionation : array of shape (n,)
        1000 ln α(sulfate - H2S) [‰].

    Raises
    ------
    ValueError
        If a temperature is below absolute zero.

    Notes
    -----
    6.463e6 / T² + 0.56, [OhmotoLasaga1982]_ (10.1016/0016-7037(82)90113-2); coefficients not
    checked against the paper.

    Examples
    --------
    >>> sulfate_fractionation([100, 150, 200, 300]).round(2)
    array([46.98, 36.65, 29.43, 20.23])
    """
    return SULFATE_SLOPE * 1e6 / celsius_to_kelvin(temperature) ** 2 + SULFATE_OFFSET


def isotope_difference(delta_first: ArrayLike, delta_second: ArrayLike) -> NDArray[np.float64]:
    """Difference between two δ34S values as a fractionation, exact at any size.

    Parameters
    ----------
    delta_first, delta_second : array of shape (n,)
        δ34S [‰], above -1000.

    Returns
    -------
    difference : array of shape (n,)
        1000 ln((1000 + δ first) / (1000 + δ second)) [‰].

    Raises
    ------
    ValueError
        If a δ34S is -1000 ‰ or below.

    Examples
    --------
    >>> float(isotope_difference(10.0, 8.0).round(4))
    1.9822
    """
    return 1000.0 * np.log(_ratio(delta_first) / _ratio(delta_second))


def pair_temperature(
    delta_first: ArrayLike,
    delta_second: ArrayLike,
    *,
    pair: tuple[str, str] = ("sphalerite", "galena"),
    analytical_error: ArrayLike = 0.2,
) -> Estimate:
    """Temperature at which two sulfides shared their sulfur, from their δ34S.

    Only for minerals grown together and in equilibrium. Equal values and a reversed order (the
    second heavier than it should be) are a sign of disequilibrium and give no temperature.

    Parameters
    ----------
    delta_first, delta_second : array of shape (n,)
        δ34S of the first and the second mineral of `pair` [‰].
    pair : (str, str)
        The two sulfides, by default sphalerite and galena, the most used pair in Pb-Zn ore.
    analytical_error : array of shape (n,)
        One standard deviation of a single δ34S [‰]; 0.2 by default, usual for a modern laboratory.

    Returns
    -------
    temperature : Estimate
        Temperature [°C] with the error that the analyses alone give; the calibration adds to it.
        Not valid outside 50-700 °C.

    Raises
    ------
    ValueError
        If the two minerals do not fractionate (sphalerite and pyrrhotite), a δ34S is -1000 ‰ or
        below, or the error is negative.

    Notes
    -----
    T = sqrt(A 1e6 / Δ) K, [OhmotoRye1979]_; coefficients not checked against the paper.

    Examples
    --------
    >>> result = pair_temperature(10.0, 8.0)
    >>> float(result.value.round(1)), float(result.uncertainty.round(1))
    (333.7, 42.9)
    """
    slope = _pair_slope(pair)
    difference = isotope_difference(delta_first, delta_second)
    kelvin = _kelvin_of(difference, slope)
    error = _analytical(kelvin, difference, (delta_first, delta_second), analytical_error)
    return _temperature(
        kelvin, error, is_reversed=difference * slope <= 0, limits=PAIR_RANGE, key="OhmotoRye1979"
    )


def temperature_of_fractionation(
    fractionation: ArrayLike, *, pair: tuple[str, str] = ("sphalerite", "galena")
) -> NDArray[np.float64]:
    """Temperature at which two sulfides fractionate by so much, from `pair_fractionation`.

    Parameters
    ----------
    fractionation : array of shape (n,)
        1000 ln α(first - second) [‰].
    pair : (str, str)
        The two sulfides.

    Returns
    -------
    temperature : array of shape (n,)
        Temperature [°C]; NaN where the fractionation is zero or has the wrong sign.

    Raises
    ------
    ValueError
        If a mineral is not in the list, or the two do not fractionate.

    Notes
    -----
    [OhmotoRye1979]_; coefficients not checked against the paper.

    Examples
    --------
    >>> float(temperature_of_fractionation(2.0).round(1))
    331.0
    >>> float(temperature_of_fractionation(3.0, pair=("pyrite", "galena")).round(1))
    312.8
    """
    slope = _pair_slope(pair)
    return kelvin_to_celsius(_kelvin_of(np.asarray(fractionation, dtype=float), slope))


def sulfate_temperature(
    delta_sulfate: ArrayLike, delta_h2s: ArrayLike, *, analytical_error: ArrayLike = 0.2
) -> Estimate:
    """Temperature at which sulfate and H2S (or sulfide corrected to H2S) were in equilibrium.

    Below about 200 °C the exchange is slower than most ore systems last: expect disequilibrium.

    Parameters
    ----------
    delta_sulfate, delta_h2s : array of shape (n,)
        δ34S of sulfate and of H2S [‰].
    analytical_error : array of shape (n,)
        One standard deviation of a single δ34S [‰].

    Returns
    -------
    temperature : Estimate
        Temperature [°C] with the error that the analyses alone give. Not valid outside 100-400 °C.

    Raises
    ------
    ValueError
        If a δ34S is -1000 ‰ or below, or the error is negative.

    Notes
    -----
    [OhmotoLasaga1982]_ (10.1016/0016-7037(82)90113-2); coefficients not checked against the paper.

    Examples
    --------
    >>> float(sulfate_temperature(20.0, -9.0).value.round(0))
    205.0
    """
    excess = isotope_difference(delta_sulfate, delta_h2s) - SULFATE_OFFSET
    kelvin = _kelvin_of(excess, SULFATE_SLOPE)
    error = _analytical(kelvin, excess, (delta_sulfate, delta_h2s), analytical_error)
    return _temperature(
        kelvin, error, is_reversed=excess <= 0, limits=SULFATE_RANGE, key="OhmotoLasaga1982"
    )


def _pair_slope(pair: tuple[str, str]) -> float:
    """Return A of the first mineral over the second."""
    for mineral in pair:
        check_option("pair", mineral, FRACTIONATION)
    slope = FRACTIONATION[pair[0]] - FRACTIONATION[pair[1]]
    if slope == 0:
        raise ValueError(
            f"pair must be two minerals that fractionate, got {pair[0]} and {pair[1]} (A = 0). "
            f"Pair one of them with galena or pyrite."
        )
    return slope


def _ratio(delta: ArrayLike) -> NDArray[np.float64]:
    """34S/32S over that of the standard."""
    return check_positive(
        "1 + δ34S/1000",
        1.0 + np.asarray(delta, dtype=float) / 1000.0,
        hint="Give δ34S in per mil, above -1000.",
    )


def _kelvin_of(fractionation: NDArray[np.float64], slope: float) -> NDArray[np.float64]:
    """T = sqrt(A 1e6 / Δ) [K], NaN where Δ and A differ in sign."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = slope * 1e6 / fractionation
    return np.sqrt(np.where((quotient > 0) & np.isfinite(quotient), quotient, np.nan))


def _analytical(
    kelvin: NDArray, difference: NDArray, deltas: tuple[ArrayLike, ArrayLike], error: ArrayLike
) -> NDArray[np.float64]:
    """Error of the temperature from that of the two analyses: dT = T / (2 Δ) dΔ."""
    single = np.asarray(error, dtype=float)
    if np.any(single < 0):
        raise ValueError(
            f"analytical_error must not be negative, got {np.nanmin(single):g}. "
            f"Give one standard deviation in per mil."
        )
    spread = single * np.hypot(1.0 / _ratio(deltas[0]), 1.0 / _ratio(deltas[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(kelvin * spread / (2.0 * np.abs(difference)))


def _temperature(
    kelvin: NDArray, error: NDArray, *, is_reversed: NDArray, limits: tuple[float, float], key: str
) -> Estimate:
    degrees = kelvin_to_celsius(kelvin)
    return estimate(
        "temperature",
        degrees,
        unit="°C",
        source=key,
        uncertainty=error,
        doubts=[(is_reversed, "not in equilibrium"), *outside(degrees, *limits, "°C")],
    )
