"""Enrichment of trace elements over a named reference, element ratios, and critical metals.

Tables of concentrations [ppm] come in; factors, ratios and flagged tables go out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gossan._checks import check_option, check_positive, did_you_mean

_RATIO = re.compile(r"^\s*[A-Z]\w*(?:\s*[*/]\s*[A-Z]\w*)+\s*$")


@dataclass(frozen=True)
class Reference:
    """A composition against which enrichment is measured.

    Attributes
    ----------
    name, source : str
        In words, and key in the bibliography.
    concentrations : dict
        Element -> concentration [ppm].
    """

    name: str
    source: str
    concentrations: dict[str, float]


REFERENCES = {
    "upper_crust": Reference(
        "upper continental crust",
        "RudnickGao2014",
        {
            "Ga": 17.5,
            "Ge": 1.4,
            "Cd": 0.09,
            "Ag": 0.053,
            "Sb": 0.4,
            "In": 0.056,
            "Sn": 2.1,
            "Co": 17.3,
            "Cu": 28.0,
            "Pb": 17.0,
        },
    ),
    "sphalerite": Reference(
        "median of the medians of 97 sphalerite deposits",
        "Gul2025",
        {
            "Mn": 1080.0,
            "Fe": 31111.0,
            "Co": 1.78,
            "Cu": 148.6,
            "Ga": 3.97,
            "Ge": 2.005,
            "Ag": 7.11,
            "Cd": 3716.0,
            "In": 9.98,
            "Sn": 1.74,
            "Sb": 0.578,
            "Pb": 3.93,
        },
    ),
}

RARE_EARTHS = {
    "La",
    "Ce",
    "Pr",
    "Nd",
    "Sm",
    "Eu",
    "Gd",
    "Tb",
    "Dy",
    "Ho",
    "Er",
    "Tm",
    "Yb",
    "Lu",
    "Y",
}
PLATINUM_GROUP = {"Ru", "Rh", "Pd", "Ir", "Pt"}
# Each list as element symbols; minerals that are no element (graphite, fluorspar) are left out.
CRITICAL_METALS = {
    "EU 2023": frozenset(
        RARE_EARTHS
        | PLATINUM_GROUP
        | {"Al", "As", "B", "Be", "Bi", "Co", "Cu", "Ga", "Ge", "Hf", "Li", "Mg", "Mn"}
        | {"Nb", "Ni", "P", "Sb", "Sc", "Si", "Sr", "Ta", "Ti", "V", "W"}
    ),
    "US 2022": frozenset(
        RARE_EARTHS
        | PLATINUM_GROUP
        | {"Al", "As", "Be", "Bi", "Co", "Cr", "Cs", "Ga", "Ge", "Hf", "In", "Li", "Mg", "Mn"}
        | {"Nb", "Ni", "Rb", "Sb", "Sc", "Sn", "Ta", "Te", "Ti", "V", "W", "Zn", "Zr"}
    ),
}


@dataclass(frozen=True)
class Enrichment:
    """Enrichment factors with the reference that they are measured against.

    Attributes
    ----------
    factors : DataFrame
        Concentration over that of the reference, one column an element of both.
    reference, source : str
        Name of the reference, and its key in the bibliography.
    left_out : tuple of str
        Elements of the table for which the reference has no value.
    """

    factors: pd.DataFrame
    reference: str
    source: str
    left_out: tuple[str, ...]


def enrichment_factors(
    values: pd.DataFrame, reference: str | Mapping[str, float] | Reference
) -> Enrichment:
    """Enrichment (above 1) or depletion (below 1) of each element over a named reference.

    Parameters
    ----------
    values : DataFrame of shape (n, elements)
        Concentrations [ppm]; columns that are not numbers are left out.
    reference : {"upper_crust", "sphalerite"} or Reference or mapping
        Composition to compare with: the upper continental crust, the median of the deposit medians
        of the public sphalerite table, a `Reference` of your own, or element -> ppm. There is no
        default: a factor without its reference says nothing.

    Returns
    -------
    enrichment : Enrichment
        Factors and the name of the reference.

    Raises
    ------
    ValueError
        If the reference is not known or shares no element with the table, or a reference
        concentration is zero or negative.

    Notes
    -----
    Upper crust: [RudnickGao2014]_ (10.1016/B978-0-08-095975-7.00301-6). Sphalerite: computed from
    the table of [Gul2025]_ (10.1016/j.gexplo.2025.107771).

    Examples
    --------
    >>> import pandas as pd
    >>> result = enrichment_factors(pd.DataFrame({"Ge": [140.0], "Cd": [900.0]}), "upper_crust")
    >>> result.factors.round(1)
          Ge       Cd
    0  100.0  10000.0
    >>> result.reference
    'upper continental crust'
    """
    base = _check_reference(reference)
    numeric = values.select_dtypes("number")
    shared = [name for name in numeric.columns if name in base.concentrations]
    if not shared:
        raise ValueError(
            f"The table shares no element with the reference {base.name!r}, which has "
            f"{', '.join(base.concentrations)}; got columns {', '.join(map(str, values.columns))}. "
            f"Name columns by element symbols, or pass a reference of your own."
        )
    amounts = pd.Series({name: base.concentrations[name] for name in shared})
    check_positive(f"Reference concentration of {base.name}", amounts, unit="ppm")
    return Enrichment(
        factors=numeric[shared].astype(float) / amounts,
        reference=base.name,
        source=base.source,
        left_out=tuple(str(name) for name in numeric.columns if name not in shared),
    )


def element_ratios(
    values: pd.DataFrame, ratios: Sequence[str], *, log: bool = False
) -> pd.DataFrame:
    """Ratios of elements, such as Zn/Cd or Ga*Ge/Fe, as new columns.

    Parameters
    ----------
    values : DataFrame of shape (n, elements)
        Concentrations, all in one unit, so that the ratio has none.
    ratios : sequence of str
        Products and quotients of column names, read from the left: "Zn/Cd", "Ga*Ge/Fe".
    log : bool
        Give log10 of the ratio, which spreads evenly over orders of magnitude.

    Returns
    -------
    table : DataFrame of shape (n, ratios)
        One column a ratio, named as asked for ("log Zn/Cd" with `log`); NaN where one of its
        elements is missing.

    Raises
    ------
    ValueError
        If a ratio is not of this form, names a column that is not in the table, or a
        concentration in it is zero or negative.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"Zn": [600_000.0], "Cd": [3000.0], "Fe": [20_000.0]})
    >>> element_ratios(table, ["Zn/Cd", "Zn/Fe"])
       Zn/Cd  Zn/Fe
    0  200.0   30.0
    """
    if isinstance(ratios, str):
        ratios = [ratios]
    columns = {}
    for ratio in ratios:
        log_ratio = _log_ratio(values, ratio)
        columns[f"log {ratio}" if log else ratio] = log_ratio if log else 10.0**log_ratio
    return pd.DataFrame(columns, index=values.index)


def critical_metals(
    values: pd.DataFrame,
    groups: ArrayLike,
    *,
    reference: str | Mapping[str, float] | Reference = "sphalerite",
    critical_list: str = "EU 2023",
    threshold: float = 2.0,
) -> pd.DataFrame:
    """Which metals each deposit is rich in, and which of them are critical.

    Enriched in the mineral is not the same as recoverable: tonnage and metallurgy decide.

    Parameters
    ----------
    values : DataFrame of shape (n, elements)
        Concentrations [ppm].
    groups : array of shape (n,)
        Deposit of each analysis; rows without one are left out.
    reference : {"upper_crust", "sphalerite"} or Reference or mapping
        As in `enrichment_factors`; by default other sphalerite, since nearly every chalcophile
        metal is enriched over the crust in any sphalerite.
    critical_list : {"EU 2023", "US 2022"}
        List of critical raw materials. Cd and Pb are on neither; In and Sn only on that of the US.
    threshold : float
        Enrichment factor from which a metal is flagged; 2 by default, twice the reference.

    Returns
    -------
    table : DataFrame, one row a deposit and metal
        ``group``, ``element``, ``median`` [ppm], ``factor``, ``reference``, ``is_critical``,
        ``is_enriched`` (factor at or above the threshold) and ``flag``, True where both; sorted by
        group and falling factor.

    Raises
    ------
    ValueError
        If the list or reference is not known, the threshold is not positive, or `groups` is not as
        long as `values`.

    Notes
    -----
    [EU2023]_ (10.2873/725585), [US2022]_ (87 FR 10381).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"Ge": [240.0, 200.0], "Cd": [460.0, 500.0]})
    >>> critical_metals(table, ["Gunga", "Gunga"])[["element", "median", "factor", "flag"]].round(1)
      element  median  factor   flag
    0      Ge   220.0   109.7   True
    1      Cd   480.0     0.1  False
    """
    check_option("critical_list", critical_list, CRITICAL_METALS)
    check_positive("threshold", threshold, hint="Give the factor from which a metal is enriched.")
    labels = np.asarray(groups, dtype=object)
    if len(labels) != len(values):
        raise ValueError(
            f"groups must name a deposit for each analysis, got {len(labels)} labels for "
            f"{len(values)} rows. Pass the deposit column of the same table."
        )
    keys = pd.Series(labels, index=values.index, dtype="str")
    medians = values.select_dtypes("number").astype(float).groupby(keys).median()
    enrichment = enrichment_factors(medians, reference)
    shared = list(enrichment.factors.columns)
    table = _long(medians[shared], "median")
    table["factor"] = _long(enrichment.factors, "factor")["factor"]
    table["reference"] = enrichment.reference
    table["is_critical"] = table["element"].isin(CRITICAL_METALS[critical_list])
    table["is_enriched"] = table["factor"] >= threshold
    table["flag"] = table["is_critical"] & table["is_enriched"]
    return table.sort_values(["group", "factor"], ascending=[True, False], ignore_index=True)


def _long(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return one row a group and element."""
    return (
        table.rename_axis(index="group")
        .reset_index()
        .melt("group", var_name="element", value_name=name)
    )


def _check_reference(reference: str | Mapping[str, float] | Reference) -> Reference:
    if isinstance(reference, Reference):
        return reference
    if isinstance(reference, Mapping):
        return Reference("a reference of your own", "", dict(reference))
    check_option("reference", reference, REFERENCES)
    return REFERENCES[reference]


def _log_ratio(values: pd.DataFrame, ratio: str) -> pd.Series:
    """Return log10 of a product and quotient of columns."""
    if not _RATIO.match(ratio):
        raise ValueError(
            f"A ratio must be element symbols joined by * and /, got {ratio!r}. "
            f"Write it as in 'Zn/Cd' or 'Ga*Ge/Fe'."
        )
    total = pd.Series(0.0, index=values.index)
    sign = 1.0
    for part in re.findall(r"[*/]|\w+", ratio):
        if part in "*/":
            sign = 1.0 if part == "*" else -1.0
            continue
        if part not in values.columns:
            hint = did_you_mean(part, [str(name) for name in values.columns])
            raise ValueError(
                f"The ratio {ratio!r} names {part}, which is not in the table; it has "
                f"{', '.join(map(str, values.columns))}.{hint or ' Choose among these.'}"
            )
        total = total + sign * np.log10(check_positive(part, values[part]))
    return total
