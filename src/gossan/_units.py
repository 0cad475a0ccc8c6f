"""Units of concentration and temperature, atomic weights, and factors from oxide to element.

Names of units and formulae come in, numbers go out; every figure here has its source.

Sources
-------
Atomic weights: Prohaska et al. (2022), Standard atomic weights of the elements 2021 (IUPAC
technical report), Pure Appl. Chem. 94, 573-600, doi:10.1515/pac-2019-0603; abridged to five
significant digits, the conventional value where IUPAC gives an interval. The troy ounce is
31.1034768 g and the short ton 907.18474 kg, both exact by definition.
"""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gossan._checks import did_you_mean

_WEIGHTS = """
H 1.008 He 4.0026 Li 6.94 Be 9.0122 B 10.81 C 12.011 N 14.007 O 15.999 F 18.998 Ne 20.180
Na 22.990 Mg 24.305 Al 26.982 Si 28.085 P 30.974 S 32.06 Cl 35.45 Ar 39.95 K 39.098 Ca 40.078
Sc 44.956 Ti 47.867 V 50.942 Cr 51.996 Mn 54.938 Fe 55.845 Co 58.933 Ni 58.693 Cu 63.546 Zn 65.38
Ga 69.723 Ge 72.630 As 74.922 Se 78.971 Br 79.904 Kr 83.798 Rb 85.468 Sr 87.62 Y 88.906 Zr 91.224
Nb 92.906 Mo 95.95 Ru 101.07 Rh 102.91 Pd 106.42 Ag 107.87 Cd 112.41 In 114.82 Sn 118.71 Sb 121.76
Te 127.60 I 126.90 Xe 131.29 Cs 132.91 Ba 137.33 La 138.91 Ce 140.12 Pr 140.91 Nd 144.24 Sm 150.36
Eu 151.96 Gd 157.25 Tb 158.93 Dy 162.50 Ho 164.93 Er 167.26 Tm 168.93 Yb 173.05 Lu 174.97 Hf 178.49
Ta 180.95 W 183.84 Re 186.21 Os 190.23 Ir 192.22 Pt 195.08 Au 196.97 Hg 200.59 Tl 204.38 Pb 207.2
Bi 208.98 Th 232.04 Pa 231.04 U 238.03
"""

ATOMIC_WEIGHTS = MappingProxyType(
    {symbol: float(weight) for symbol, weight in re.findall(r"([A-Z][a-z]?) ([0-9.]+)", _WEIGHTS)}
)
"""Atomic weight of each element with a standard value [g/mol]."""

_TROY_OUNCE = 31.1034768  # g
_SHORT_TON = 0.90718474  # t

# One unit of each, in ppm by mass. "ppt" is parts per trillion, the laboratory's use.
_PPM = MappingProxyType(
    {
        "ppm": 1.0,
        "ppb": 1e-3,
        "ppt": 1e-6,
        "wt%": 1e4,
        "fraction": 1e6,
        "oz/t": _TROY_OUNCE / _SHORT_TON,
        "oz/tonne": _TROY_OUNCE,
    }
)
_SPELLINGS = MappingProxyType(
    {
        "ppm": ("ppm", "ppmw", "g/t", "gpt", "g/tonne", "gt-1", "ug/g", "ugg-1", "mg/kg", "mgkg-1"),
        "ppb": ("ppb", "ppbw", "mg/t", "ug/kg", "ugkg-1", "ng/g", "ngg-1"),
        "ppt": ("ppt", "pptw", "ng/kg", "pg/g", "ngkg-1", "pgg-1"),
        "wt%": (
            "wt%",
            "%",
            "pct",
            "percent",
            "wtpct",
            "wtpercent",
            "weight%",
            "weightpercent",
            "mass%",
            "masspct",
            "m/m%",
            "%m/m",
            "g/100g",
        ),
        "fraction": ("fraction", "massfraction", "g/g", "kg/kg"),
        "oz/t": ("oz/t", "opt", "oz/st", "oz/ton", "ozt", "toz/t"),
        "oz/tonne": ("oz/tonne", "oz/mt"),
        "degC": ("degc", "°c", "c", "celsius"),
        "K": ("k", "kelvin"),
    }
)
_UNIT_OF = MappingProxyType({word: unit for unit, words in _SPELLINGS.items() for word in words})


def atomic_weight(symbol: str) -> float:
    """Atomic weight of an element.

    Parameters
    ----------
    symbol : str
        Symbol as in the periodic table, such as ``"Fe"``.

    Returns
    -------
    weight : float
        Standard atomic weight, abridged to five digits [g/mol] (doi:10.1515/pac-2019-0603).

    Raises
    ------
    ValueError
        If no element with a standard atomic weight has this symbol.

    Examples
    --------
    >>> atomic_weight("Zn")
    65.38
    """
    if symbol not in ATOMIC_WEIGHTS:
        hint = did_you_mean(str(symbol), list(ATOMIC_WEIGHTS))
        raise ValueError(
            f"An element's symbol is needed, got {symbol!r}. Write it as in the periodic table,"
            f" such as 'Fe'.{hint}"
        )
    return ATOMIC_WEIGHTS[symbol]


def formula_composition(formula: str) -> dict[str, int]:
    """Atoms of each element in a formula without brackets.

    Parameters
    ----------
    formula : str
        Such as ``"Fe2O3"`` or ``"ZnS"``.

    Returns
    -------
    atoms : dict of str to int
        Number of atoms of each element.

    Raises
    ------
    ValueError
        If the text is not a formula of known elements.

    Examples
    --------
    >>> formula_composition("Fe2O3")
    {'Fe': 2, 'O': 3}
    """
    if not re.fullmatch(r"(?:[A-Z][a-z]?[0-9]*)+", formula):
        raise ValueError(
            f"A chemical formula is needed, got {formula!r}. Write it as in 'Fe2O3' or 'ZnS'."
        )
    atoms: dict[str, int] = {}
    for symbol, count in re.findall(r"([A-Z][a-z]?)([0-9]*)", formula):
        atomic_weight(symbol)
        atoms[symbol] = atoms.get(symbol, 0) + int(count or 1)
    return atoms


def molar_mass(formula: str) -> float:
    """Molar mass of a formula [g/mol]; a symbol alone gives the atomic weight.

    Raises
    ------
    ValueError
        If the text is not a formula of known elements.

    Examples
    --------
    >>> round(molar_mass("ZnS"), 2)
    97.44
    """
    return sum(
        count * ATOMIC_WEIGHTS[symbol] for symbol, count in formula_composition(formula).items()
    )


def oxide_element(oxide: str) -> str:
    """Element that an oxide is the oxide of: ``"Fe"`` for ``"Fe2O3"``.

    Raises
    ------
    ValueError
        If the formula is not one element and oxygen.

    Examples
    --------
    >>> oxide_element("P2O5")
    'P'
    """
    elements = list(formula_composition(oxide))
    if len(elements) != 2 or elements[1] != "O":
        raise ValueError(
            f"An oxide of one element is needed, got {oxide!r}. Write it as in 'FeO' or 'SiO2'."
        )
    return elements[0]


def oxide_to_element_factor(oxide: str) -> float:
    """Mass of the element in one mass of its oxide: multiply FeO by it to get Fe.

    Parameters
    ----------
    oxide : str
        Formula of one element and oxygen, such as ``"FeO"``.

    Returns
    -------
    factor : float
        Mass fraction of the element, from the atomic weights (doi:10.1515/pac-2019-0603).

    Raises
    ------
    ValueError
        If the formula is not one element and oxygen.

    Examples
    --------
    >>> round(oxide_to_element_factor("FeO"), 4)
    0.7773
    """
    element = oxide_element(oxide)
    return formula_composition(oxide)[element] * ATOMIC_WEIGHTS[element] / molar_mass(oxide)


def normalise_unit(unit: str) -> str:
    """Short name of a unit, however it is spelled: ``"ppm"`` for ``"µg/g"`` or ``"g/t"``.

    Parameters
    ----------
    unit : str
        A unit of mass concentration (ppm, ppb, ppt, wt%, oz/t ...) or temperature (K, °C).
        ``"oz/t"`` is troy ounces per short ton (34.286 ppm), ``"oz/tonne"`` per metric tonne
        (31.103 ppm); ``"ppt"`` is parts per trillion.

    Returns
    -------
    unit : str
        One of ``"ppm", "ppb", "ppt", "wt%", "fraction", "oz/t", "oz/tonne", "degC", "K"``.

    Raises
    ------
    ValueError
        If the unit is not known; atomic per cent is refused, as it needs the whole analysis.

    Examples
    --------
    >>> normalise_unit("µg g⁻¹"), normalise_unit("wt. %"), normalise_unit("g/t")
    ('ppm', 'wt%', 'ppm')
    """
    word = _plain_unit(unit)
    if word in _UNIT_OF:
        return _UNIT_OF[word]
    if word in {"at%", "atpct", "atomic%", "mol%", "molpct", "apfu"}:
        raise ValueError(
            f"Unit {unit!r} counts atoms and cannot be turned into a mass concentration column by"
            " column. Export the analyses in wt% or ppm."
        )
    hint = did_you_mean(word, list(_UNIT_OF))
    raise ValueError(
        f"The unit must be one of {', '.join([*_PPM, 'degC', 'K'])}, got {unit!r}.{hint}"
        " Spell it as one of these."
    )


def is_unit(text: str) -> bool:
    """Whether a text is a unit of concentration (letters such as "K" alone are not)."""
    return _UNIT_OF.get(_plain_unit(text)) in _PPM


def convert_unit(values: ArrayLike, from_: str, to: str) -> Any:
    """Values in another unit of concentration or temperature.

    Parameters
    ----------
    values : array of any shape, Series, DataFrame or float
        Values in unit `from_`; missing (NaN) stays missing.
    from_, to : str
        Units, in any spelling that `normalise_unit` knows.

    Returns
    -------
    values : same kind as `values`, float64
        A new object; the input is never changed.

    Raises
    ------
    ValueError
        If a unit is unknown, or one is a concentration and the other a temperature.

    Examples
    --------
    >>> float(convert_unit(4.2, "wt%", "ppm"))
    42000.0
    >>> float(convert_unit(25.0, "°C", "K"))
    298.15
    """
    source, target = normalise_unit(from_), normalise_unit(to)
    numbers: Any = values if hasattr(values, "iloc") else np.asarray(values, dtype=float)[()]
    if source == target:
        return numbers * 1.0
    if source in _PPM and target in _PPM:
        return numbers * (_PPM[source] / _PPM[target])
    if {source, target} == {"K", "degC"}:
        return numbers + (273.15 if target == "K" else -273.15)
    raise ValueError(
        f"{from_!r} cannot be turned into {to!r}: one is a concentration and the other a"
        " temperature. Check which column the unit belongs to."
    )


def celsius_to_kelvin(temperature: ArrayLike) -> NDArray[np.float64]:
    """Temperature [K] from temperature [°C].

    Raises
    ------
    ValueError
        If a temperature is below absolute zero.

    Examples
    --------
    >>> float(celsius_to_kelvin(300.0))
    573.15
    """
    kelvin = np.asarray(temperature, dtype=float) + 273.15
    if np.any(kelvin < 0):
        raise ValueError(
            f"Temperature must be above -273.15 °C, got {float(np.nanmin(kelvin)) - 273.15:g}."
            " Check that it is in degrees Celsius."
        )
    return kelvin[()]


def kelvin_to_celsius(temperature: ArrayLike) -> NDArray[np.float64]:
    """Temperature [°C] from temperature [K].

    Raises
    ------
    ValueError
        If a temperature is negative.

    Examples
    --------
    >>> float(kelvin_to_celsius(573.15))
    300.0
    """
    kelvin = np.asarray(temperature, dtype=float)
    if np.any(kelvin < 0):
        raise ValueError(
            f"Temperature in kelvin must not be negative, got {float(np.nanmin(kelvin)):g}."
            " Check that it is in kelvin."
        )
    return (kelvin - 273.15)[()]


def _plain_unit(unit: str) -> str:
    """Lower case, without blanks, dots, brackets and typographic signs."""
    # NFKC turns superscripts into digits and the micro sign into mu; the minus sign is U+2212.
    word = unicodedata.normalize("NFKC", str(unit)).casefold()
    word = word.replace("\u03bc", "u").replace("\u2212", "-")
    return re.sub(r"[\s._()\[\]*]", "", word)
