"""FeS in sphalerite and what it says: sulfur fugacity, pressure, and the pyrite-bornite buffer.

Concentrations or mole per cent FeS with a temperature [°C] come in; mole per cent, log10 fS2 [bar],
kbar or °C go out, each with flags.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option, check_positive
from gossan._units import atomic_weight, celsius_to_kelvin, kelvin_to_celsius
from gossan.geochem.estimates import Doubts, Estimate, estimate, outside

ZINC, IRON, SULFUR = (atomic_weight(symbol) for symbol in ("Zn", "Fe", "S"))
PER_PERCENT = {"wt%": 1.0, "ppm": 1e4}
# Scott & Barnes (1971): the calibration stands on experiments above about 300 °C.
ISOPLETH_COLDEST = 300.0
# Czamanske (1974): the two runs with analysed sphalerite [°C].
BUFFER_RANGE = (271.0, 395.0)
BAROMETER_INTERCEPT, BAROMETER_SLOPE = 42.30, 32.10
# Where the barometer reads 0 kbar: sphalerite with pyrite and pyrrhotite [mol% FeS].
PYRRHOTITE_FIELD = 10.0 ** (BAROMETER_INTERCEPT / BAROMETER_SLOPE)

Refusal = Literal["raise", "flag"]


class _Quadratic(NamedTuple):
    """X = constant + linear L - square L^2, with the derivatives by temperature."""

    constant: NDArray[np.float64]
    linear: NDArray[np.float64]
    square: float
    constant_per_kelvin: NDArray[np.float64]
    linear_per_kelvin: NDArray[np.float64]


def fes_in_sphalerite(
    Fe: ArrayLike, Zn: ArrayLike | None = None, *, unit: str = "ppm"
) -> NDArray[np.float64]:
    """FeS content of sphalerite, the number from which its sulfur fugacity is read.

    Without a zinc analysis the grain is taken as pure (Zn,Fe)S: fitting for laser-ablation data,
    where zinc is the internal standard; too low by a few per cent where Cd, Mn and Cu are high.

    Parameters
    ----------
    Fe : array of shape (n,)
        Iron [`unit`].
    Zn : array of shape (n,), optional
        Measured zinc [`unit`]; None (the default) for a stoichiometric grain.
    unit : {"ppm", "wt%"}
        Unit of both; ppm by default, the unit of a table of assays.

    Returns
    -------
    fes : array of shape (n,)
        FeS / (FeS + ZnS) [mol%].

    Raises
    ------
    ValueError
        If iron or zinc is zero or negative, or iron above that of pure FeS (63.5 wt%), zinc above
        that of pure ZnS (67.1 wt%).

    Examples
    --------
    >>> float(fes_in_sphalerite(42_000).round(4))
    7.2761
    >>> float(fes_in_sphalerite(4.2, 62.0, unit="wt%").round(4))
    7.3481
    """
    scale = PER_PERCENT[check_option("unit", unit, PER_PERCENT)]
    iron = _check_ceiling("Fe", Fe, unit, 100 * IRON / (IRON + SULFUR)) / scale
    moles_fes = iron / IRON
    if Zn is None:
        # 100 g of grain are n_FeS M_FeS + n_ZnS M_ZnS.
        moles_zns = (100.0 - moles_fes * (IRON + SULFUR)) / (ZINC + SULFUR)
    else:
        moles_zns = _check_ceiling("Zn", Zn, unit, 100 * ZINC / (ZINC + SULFUR)) / scale / ZINC
    return 100.0 * moles_fes / (moles_fes + moles_zns)


def fes_from_sulfur_fugacity(log_fs2: ArrayLike, temperature: ArrayLike) -> Estimate:
    """FeS content of sphalerite with pyrite at a sulfur fugacity and temperature.

    The isopleths of a temperature-fugacity diagram. The quadratic turns over at low fugacity, in
    the field of pyrrhotite, where it means nothing: such values are flagged.

    Parameters
    ----------
    log_fs2 : array of shape (n,)
        log10 of the sulfur fugacity [bar].
    temperature : array of shape (n,)
        Temperature [°C].

    Returns
    -------
    fes : Estimate
        FeS [mol%]. Not valid below the turning point, in the field of pyrrhotite (above 20.8
        mol%), outside 0-100 mol%, and where extrapolated below 300 °C. The source gives no error.

    Raises
    ------
    ValueError
        If a temperature is below absolute zero.

    Notes
    -----
    [ScottBarnes1971]_ (10.2113/gsecongeo.66.4.653) in the form of [HanningtonScott1989]_
    (10.2113/gsecongeo.84.7.1978).

    Examples
    --------
    >>> fes_from_sulfur_fugacity([-9, -10], 300).value.round(3)
    array([11.135, 17.14 ])
    """
    fugacities, degrees = _numbers(log_fs2, temperature)
    c = _isopleth(celsius_to_kelvin(degrees))
    fes = c.constant + c.linear * fugacities - c.square * fugacities**2
    doubts = [
        (fugacities < c.linear / (2 * c.square), "below the turning point"),
        ((fes < 0) | (fes > 100), "outside 0-100 mol%"),
        *_isopleth_doubts(fes, degrees),
    ]
    return estimate("FeS", fes, unit="mol%", source="ScottBarnes1971", doubts=doubts)


def log_sulfur_fugacity(
    fes: ArrayLike,
    temperature: ArrayLike,
    *,
    fes_error: ArrayLike = np.nan,
    temperature_error: ArrayLike = np.nan,
    impossible: Refusal = "raise",
) -> Estimate:
    """Sulfur fugacity from FeS in sphalerite grown with pyrite, at a known temperature.

    Needs pyrite beside the sphalerite, and a temperature from another source. The greater of the
    two roots is taken: the other lies in the field of pyrrhotite.

    Parameters
    ----------
    fes : array of shape (n,)
        FeS in sphalerite [mol%].
    temperature : array of shape (n,)
        Temperature [°C].
    fes_error, temperature_error : array of shape (n,), optional
        One standard deviation of each [mol%, °C]; with either given they are carried into the
        result (a missing one counts as exact). The source itself gives no error.
    impossible : {"raise", "flag"}
        What to do with FeS above the ceiling that the equation can reach: refuse the call (the
        default), or give NaN with the reason "above the ceiling" (for tables).

    Returns
    -------
    log_fs2 : Estimate
        log10 of the sulfur fugacity [bar]. Not valid in the field of pyrrhotite (FeS above 20.8
        mol%) and where extrapolated below 300 °C.

    Raises
    ------
    ValueError
        If FeS is zero or negative, or above the ceiling with ``impossible="raise"``; if a
        temperature is below absolute zero.

    Notes
    -----
    [ScottBarnes1971]_ (10.2113/gsecongeo.66.4.653) in the form of [HanningtonScott1989]_
    (10.2113/gsecongeo.84.7.1978).

    Examples
    --------
    >>> float(log_sulfur_fugacity(10, 300).value.round(3))
    -8.823
    >>> print(log_sulfur_fugacity(3, 180))
    log fS2 [log10 bar], 1 values, 0 valid (ScottBarnes1971); extrapolated below 300 °C: 1
    """
    check_option("impossible", impossible, ("raise", "flag"))
    contents, degrees = _numbers(check_positive("FeS", fes, unit="mol%"), temperature)
    c = _isopleth(celsius_to_kelvin(degrees))
    ceiling = c.constant + c.linear**2 / (4 * c.square)
    is_above = contents > ceiling
    if impossible == "raise" and is_above.any():
        _refuse_ceiling(contents, ceiling, degrees, is_above)
    depth = np.sqrt(np.where(is_above, np.nan, 4 * c.square * (ceiling - contents)))
    log_fs2 = (c.linear + depth) / (2 * c.square)
    # dX/dL = linear - 2 square L = -depth; dL/dT at constant X by the implicit function.
    with np.errstate(divide="ignore", invalid="ignore"):
        per_fes = -1.0 / depth
        per_kelvin = (c.constant_per_kelvin + c.linear_per_kelvin * log_fs2) / depth
    doubts = [(is_above, "above the ceiling"), *_isopleth_doubts(contents, degrees)]
    error = _combine((per_fes, fes_error), (per_kelvin, temperature_error))
    return estimate(
        "log fS2",
        log_fs2,
        unit="log10 bar",
        source="ScottBarnes1971",
        uncertainty=error,
        doubts=doubts,
    )


def sphalerite_pressure(fes: ArrayLike, *, fes_error: ArrayLike = np.nan) -> Estimate:
    """Pressure from FeS in sphalerite that is locked between pyrite and hexagonal pyrrhotite.

    Only for grains that touch both, or are sealed in pyrite; re-equilibration with monoclinic
    pyrrhotite or chalcopyrite lowers FeS and makes the pressure too high. That the composition
    does not depend on temperature is disputed [Toulmin1991]_.

    Parameters
    ----------
    fes : array of shape (n,)
        FeS in sphalerite [mol%].
    fes_error : array of shape (n,), optional
        One standard deviation [mol%], carried into the result. The source itself gives no error.

    Returns
    -------
    pressure : Estimate
        Pressure [kbar]. Not valid where negative, and above the 10 kbar of the experiments.

    Raises
    ------
    ValueError
        If FeS is zero or negative.

    Notes
    -----
    [HutchisonScott1981]_ (10.2113/gsecongeo.76.1.143); coefficients not checked against the paper.

    Examples
    --------
    >>> sphalerite_pressure([17.0, 14.0]).value.round(3)
    array([2.803, 5.509])
    """
    contents = check_positive("FeS", fes, unit="mol%")
    pressure = BAROMETER_INTERCEPT - BAROMETER_SLOPE * np.log10(contents)
    error = BAROMETER_SLOPE / np.log(10) * np.asarray(fes_error, dtype=float) / contents
    doubts = [(pressure < 0, "negative pressure"), (pressure > 10, "extrapolated above 10 kbar")]
    return estimate(
        "pressure",
        pressure,
        unit="kbar",
        source="HutchisonScott1981",
        uncertainty=error,
        doubts=doubts,
    )


def buffered_fes(temperature: ArrayLike) -> Estimate:
    """FeS content of sphalerite grown with chalcopyrite, pyrite and bornite at a temperature.

    Parameters
    ----------
    temperature : array of shape (n,)
        Temperature [°C].

    Returns
    -------
    fes : Estimate
        FeS [mol%]. Not valid outside the 271-395 °C of the two runs. The source gives no error.

    Raises
    ------
    ValueError
        If a temperature is below absolute zero.

    Notes
    -----
    [Czamanske1974]_ (10.2113/gsecongeo.69.8.1328).

    Examples
    --------
    >>> buffered_fes([271, 395]).value.round(3)
    array([0.192, 0.556])
    """
    degrees = np.asarray(temperature, dtype=float)
    fes = 10.0 ** (-1353.0 / celsius_to_kelvin(degrees) + 1.77)
    doubts = outside(degrees, *BUFFER_RANGE, "°C")
    return estimate("FeS", fes, unit="mol%", source="Czamanske1974", doubts=doubts)


def buffer_temperature(fes: ArrayLike) -> Estimate:
    """Temperature from FeS in sphalerite grown with chalcopyrite, pyrite and bornite.

    Parameters
    ----------
    fes : array of shape (n,)
        FeS in sphalerite [mol%], below the 58.9 mol% that the equation reaches at infinite heat.

    Returns
    -------
    temperature : Estimate
        Temperature [°C]. Not valid outside the 271-395 °C of the two runs. No error in the source.

    Raises
    ------
    ValueError
        If FeS is zero or negative, or 58.9 mol% or above.

    Notes
    -----
    [Czamanske1974]_ (10.2113/gsecongeo.69.8.1328).

    Examples
    --------
    >>> float(buffer_temperature(0.192).value.round(0))
    271.0
    """
    contents = check_positive("FeS", fes, unit="mol%")
    if np.any(contents >= 10.0**1.77):
        raise ValueError(
            f"FeS must be below 58.9 mol% on the chalcopyrite-pyrite-bornite buffer, got "
            f"{np.nanmax(contents):g}. Use log_sulfur_fugacity for sphalerite off the buffer."
        )
    degrees = kelvin_to_celsius(1353.0 / (1.77 - np.log10(contents)))
    doubts = outside(degrees, *BUFFER_RANGE, "°C")
    return estimate("temperature", degrees, unit="°C", source="Czamanske1974", doubts=doubts)


def _check_ceiling(
    element: str, values: ArrayLike, unit: str, ceiling: float
) -> NDArray[np.float64]:
    """Return positive concentrations that are no higher than in the pure sulfide [wt%]."""
    numbers = check_positive(element, values, unit=unit)
    most = ceiling * PER_PERCENT[unit]
    if np.any(numbers > most * (1 + 1e-9)):
        other = "ppm" if unit == "wt%" else "wt%"
        raise ValueError(
            f"{element} must be at most {most:.6g} {unit} in a sulfide, got "
            f"{np.nanmax(numbers):g}. Check the unit: unit={other!r}?"
        )
    return numbers


def _isopleth(kelvin: NDArray[np.float64]) -> _Quadratic:
    """Coefficients of the quadratic in L = log10 fS2 at a temperature [K]."""
    return _Quadratic(
        constant=72.26695 - 15900.5 / kelvin - 0.38918e8 / kelvin**2,
        linear=0.01448 - 7205.5 / kelvin,
        square=0.34486,
        constant_per_kelvin=15900.5 / kelvin**2 + 2 * 0.38918e8 / kelvin**3,
        linear_per_kelvin=7205.5 / kelvin**2,
    )


def _isopleth_doubts(fes: NDArray, degrees: NDArray) -> Doubts:
    return [
        (fes > PYRRHOTITE_FIELD, "in the field of pyrrhotite"),
        (degrees < ISOPLETH_COLDEST, f"extrapolated below {ISOPLETH_COLDEST:g} °C"),
    ]


def _refuse_ceiling(fes: NDArray, ceiling: NDArray, degrees: NDArray, is_above: NDArray) -> None:
    first = tuple(np.argwhere(is_above)[0])
    raise ValueError(
        f"FeS must be at most {ceiling[first]:.4g} mol% at {degrees[first]:g} °C (the ceiling of "
        f"the isopleths), got {fes[first]:g} at index {tuple(int(i) for i in first)}. Check the "
        f"temperature, or pass impossible='flag' to leave such rows without an answer."
    )


def _numbers(*arrays: ArrayLike) -> list[NDArray[np.float64]]:
    return [np.array(part) for part in np.broadcast_arrays(*[np.asarray(a, float) for a in arrays])]


def _combine(*terms: tuple[NDArray, ArrayLike]) -> NDArray[np.float64]:
    """Add independent errors in quadrature; NaN where none is known, exact where only one is."""
    parts = [np.asarray(slope * np.asarray(error, dtype=float)) for slope, error in terms]
    known = np.any([np.broadcast_to(~np.isnan(part), parts[0].shape) for part in parts], axis=0)
    total = np.sqrt(sum(np.where(np.isnan(part), 0.0, part) ** 2 for part in parts))
    return np.where(known, total, np.nan)
