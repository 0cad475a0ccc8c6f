"""Compositions by which rare-earth and multi-element patterns are normalised, and the normalisation.

A table of concentrations [ppm] comes in; the table over a chondrite, a primitive mantle or the upper
continental crust goes out, its elements in the order of the diagram.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from gossan._checks import check_option, check_positive
from gossan.geochem.enrichment import Reference, enrichment_factors

# ppm. The figures were compared with the tables of another program (pyrolite 0.3.6), those of the
# rare earths in chondrite with three more; the papers themselves have not been compared.
# Phosphorus in chondrite is 1080 ppm: that program has 1.08, a slip of unit.
_CHONDRITE_1995 = """
Cs 0.190 Rb 2.3 Ba 2.41 Th 0.029 U 0.0074 Nb 0.240 Ta 0.0136 K 550 La 0.237 Ce 0.613 Pb 2.47
Pr 0.0928 Sr 7.25 P 1080 Nd 0.457 Zr 3.82 Hf 0.103 Sm 0.148 Eu 0.0563 Ti 440 Gd 0.199 Tb 0.0361
Dy 0.246 Y 1.57 Ho 0.0546 Er 0.160 Tm 0.0247 Yb 0.161 Lu 0.0246
"""
_MANTLE_1995 = """
Cs 0.021 Rb 0.600 Ba 6.600 Th 0.0795 U 0.0203 Nb 0.658 Ta 0.037 K 240 La 0.648 Ce 1.675 Pb 0.150
Pr 0.254 Sr 19.9 P 90 Nd 1.250 Zr 10.5 Hf 0.283 Sm 0.406 Eu 0.154 Ti 1205 Gd 0.544 Tb 0.099
Dy 0.674 Y 4.30 Ho 0.149 Er 0.438 Tm 0.068 Yb 0.441 Lu 0.0675
"""
_MANTLE_1989 = """
Cs 0.032 Rb 0.635 Ba 6.989 Th 0.085 U 0.021 Nb 0.713 Ta 0.041 K 250 La 0.687 Ce 1.775 Pb 0.185
Pr 0.276 Sr 21.1 P 95 Nd 1.354 Zr 11.2 Hf 0.309 Sm 0.444 Eu 0.168 Ti 1300 Gd 0.596 Tb 0.108
Dy 0.737 Y 4.55 Ho 0.164 Er 0.480 Tm 0.074 Yb 0.493 Lu 0.074
"""
# K, P and Ti from 2.80 % K2O, 0.15 % P2O5 and 0.64 % TiO2.
_CRUST_2003 = """
Cs 4.9 Rb 84 Ba 628 Th 10.5 U 2.7 Nb 12 Ta 0.9 K 23244 La 31 Ce 63 Pb 17
Pr 7.1 Sr 320 P 655 Nd 27 Zr 193 Hf 5.3 Sm 4.7 Eu 1.0 Ti 3837 Gd 4.0 Tb 0.7
Dy 3.9 Y 21 Ho 0.83 Er 2.3 Tm 0.30 Yb 1.96 Lu 0.31
"""


def _reference(name: str, source: str, text: str) -> Reference:
    pairs = re.findall(r"([A-Z][a-z]?) ([0-9.]+)", text)
    return Reference(name, source, {element: float(value) for element, value in pairs})


NORMALISING = MappingProxyType(
    {
        "chondrite": _reference("CI chondrite", "McDonoughSun1995", _CHONDRITE_1995),
        "primitive_mantle": _reference("primitive mantle", "McDonoughSun1995", _MANTLE_1995),
        "primitive_mantle_1989": _reference("primitive mantle", "SunMcDonough1989", _MANTLE_1989),
        "upper_crust": _reference("upper continental crust", "RudnickGao2003", _CRUST_2003),
    }
)
"""Compositions [ppm] by name: of 29 elements each, with the key of their source."""

ORDERS = MappingProxyType(
    {
        # By atomic number.
        "rare_earths": tuple(re.findall(r"[A-Z][a-z]", "LaCePrNdSmEuGdTbDyHoErTmYbLu")),
        # From what goes into a mantle melt first, after Sun & McDonough (1989).
        "incompatible": tuple(re.findall(r"[A-Z][a-z]?", _MANTLE_1989)),
    }
)
"""Orders of elements along the diagrams."""


@dataclass(frozen=True)
class Normalised:
    """A table over a composition, ready for `gossan.plot.plot_spider`.

    Attributes
    ----------
    table : DataFrame of shape (n, elements)
        Concentration over that of the reference, the elements in the order of the diagram.
    reference, source : str
        Name of the composition, and its key in the bibliography.
    missing : tuple of str
        Elements of the order that the table lacks.
    """

    table: pd.DataFrame
    reference: str
    source: str
    missing: tuple[str, ...]


def normalise(
    values: pd.DataFrame,
    reference: str | Reference = "chondrite",
    *,
    order: str | Sequence[str] = "rare_earths",
) -> Normalised:
    """Concentrations over those of a chondrite, the primitive mantle or the upper crust.

    The ratios take the zigzag of even and odd atomic numbers out of the pattern, so that what is
    left, such as a europium anomaly, is that of the rock.

    Parameters
    ----------
    values : DataFrame of shape (n, elements)
        Concentrations [ppm] as elements, not oxides; NaN is missing. Zeros are not detected: mark
        them missing or impute them first.
    reference : {"chondrite", "primitive_mantle", "primitive_mantle_1989", "upper_crust"}
        Key of `NORMALISING`, or a `Reference` of your own. Chondrite is the habit for rare earths,
        primitive mantle for incompatible elements.
    order : {"rare_earths", "incompatible"} or sequence of str
        Elements along the diagram.

    Returns
    -------
    normalised : Normalised

    Raises
    ------
    ValueError
        If the reference or order is not known, a concentration is zero or negative, or the table
        has none of the elements.

    Notes
    -----
    [McDonoughSun1995]_ (10.1016/0009-2541(94)00140-4), [SunMcDonough1989]_
    (10.1144/GSL.SP.1989.042.01.19), [RudnickGao2003]_ (10.1016/B0-08-043751-6/03016-4).

    Examples
    --------
    >>> found = normalise(pd.DataFrame({"Yb": [1.61], "La": [23.7], "Cu": [30.0]}))
    >>> found.table.round(1)
          La    Yb
    0  100.0  10.0
    >>> found.reference, found.source
    ('CI chondrite', 'McDonoughSun1995')
    """
    if isinstance(reference, str):
        base = NORMALISING[check_option("reference", reference, NORMALISING)]
    else:
        base = reference
    elements = ORDERS[check_option("order", order, ORDERS)] if isinstance(order, str) else order
    wanted = [name for name in elements if name in base.concentrations]
    present = [name for name in wanted if name in values]
    if not present:
        raise ValueError(
            f"The table has none of the elements {', '.join(elements)}, got columns"
            f" {', '.join(map(str, values.columns)) or 'none'}. Name columns by element symbols."
        )
    check_positive("Concentration", values[present].to_numpy(float), unit="ppm")
    factors = enrichment_factors(values[present], base).factors
    missing = tuple(name for name in elements if name not in present)
    return Normalised(factors[present], base.name, base.source, missing)
