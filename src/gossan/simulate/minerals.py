"""What a mineral's chemistry looks like by deposit class: the templates that tables are drawn from.

A name comes in; a frozen template of means, spreads and detection limits goes out. The sphalerite
template follows the orders of magnitude of a published compilation, rounded; the magnetite one is
made up, with plausible levels, to show that nothing is built in about sphalerite. Neither is data.

Sources
-------
Sphalerite: Gul et al. (2025), J. Geochem. Explor. 275, 107771, doi:10.1016/j.gexplo.2025.107771,
Supplementary Table S1 (CC BY 4.0): means and spreads of ln(ppm) of deposit means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gossan._checks import check_option


@dataclass(frozen=True)
class MineralTemplate:
    """Means, spreads and limits from which `simulate_mineral_chemistry` draws.

    Attributes
    ----------
    elements : tuple of str
        Columns of the table.
    class_means : mapping of class to tuple
        Mean of ln(ppm) of each element over the deposits of the class.
    class_shares : mapping of class to number
        Share of the deposits (any scale).
    between_sd, within_sd : tuples
        Spread of ln(ppm) between deposits of a class and among analyses of a deposit.
    limits : tuple
        Typical limit of detection of each element [ppm].
    associations : tuple of (elements, loading)
        Elements that go together; a loading is the root of the share of variance in common.
    ceiling : float
        Level that the middle of a deposit stays three sds of its scatter below [ppm].
    """

    elements: tuple[str, ...]
    class_means: Mapping[str, tuple[float, ...]]
    class_shares: Mapping[str, float]
    between_sd: tuple[float, ...]
    within_sd: tuple[float, ...]
    limits: tuple[float, ...]
    associations: tuple[tuple[tuple[str, ...], float], ...] = ()
    ceiling: float = 4e5

    def __post_init__(self) -> None:
        sizes = {len(self.between_sd), len(self.within_sd), len(self.limits)}
        sizes |= {len(means) for means in self.class_means.values()}
        if sizes != {len(self.elements)}:
            raise ValueError(
                f"A template of {len(self.elements)} elements needs as many means, spreads and"
                f" limits, got {sorted(sizes)}. Give one number for each element."
            )
        if set(self.class_means) != set(self.class_shares):
            raise ValueError(
                f"class_means and class_shares name different classes: {sorted(self.class_means)}"
                f" and {sorted(self.class_shares)}. Give each class both."
            )

    @property
    def correlation(self) -> NDArray[np.float64]:
        """Correlation of ln(ppm), from the associations; shape (n_elements, n_elements)."""
        loadings = np.zeros((len(self.elements), len(self.associations)))
        for column, (members, loading) in enumerate(self.associations):
            loadings[[self.elements.index(element) for element in members], column] = loading
        common = loadings @ loadings.T
        # What is not common is the element's own; at least a fifth, so that it can be inverted.
        matrix = common + np.diag(np.maximum(1 - np.diag(common), 0.2))
        scale = np.sqrt(np.diag(matrix))
        return matrix / np.outer(scale, scale)


SPHALERITE = MineralTemplate(
    elements=("Mn", "Fe", "Co", "Cu", "Ga", "Ge", "Ag", "Cd", "In", "Sn", "Sb", "Pb"),
    class_means=MappingProxyType(
        {
            "Epithermal": (7.4, 9.7, -0.4, 6.0, 2.4, -0.2, 2.4, 8.2, 3.2, 2.7, -0.6, 1.0),
            "MVT": (2.7, 8.9, -1.8, 4.2, 1.3, 3.3, 2.7, 7.8, -2.6, -0.6, 1.2, 3.4),
            "SEDEX": (3.7, 10.0, -0.4, 4.6, -0.1, -0.8, 3.1, 7.5, 1.3, 0.4, 2.9, 4.9),
            "Skarn": (7.8, 10.7, 3.7, 5.2, -0.1, 0.2, 1.5, 8.3, 3.1, 0.5, -1.6, 0.8),
            "VMS": (7.5, 10.1, 0.5, 4.7, 2.0, 0.0, 1.9, 8.2, 1.1, -0.6, -0.8, 1.2),
        }
    ),
    class_shares=MappingProxyType(
        {"Epithermal": 30, "MVT": 24, "SEDEX": 5, "Skarn": 26, "VMS": 12}
    ),
    between_sd=(1.3, 0.8, 2.7, 1.5, 1.8, 1.4, 1.1, 0.6, 2.3, 1.8, 2.0, 1.9),
    within_sd=(0.66, 0.34, 0.71, 1.19, 1.03, 0.70, 0.76, 0.17, 1.20, 1.10, 1.62, 1.60),
    limits=(1.0, 10.0, 0.05, 0.3, 0.05, 0.3, 0.1, 1.0, 0.01, 0.1, 0.05, 0.05),
    associations=(
        (("Cu", "Ag", "Sb", "Pb"), 0.65),
        (("Cu", "Ga", "In", "Sn"), 0.55),
        (("Mn", "Fe"), 0.65),
    ),
)
"""Sphalerite of five deposit classes, after the rounded figures of a compilation."""

MAGNETITE = MineralTemplate(
    elements=("Mg", "Al", "Si", "Ti", "V", "Cr", "Mn", "Co", "Ni", "Zn", "Ga", "Sn"),
    class_means=MappingProxyType(
        {
            "BIF": (5.0, 5.6, 7.6, 3.9, 2.8, 2.4, 5.3, 1.2, 2.3, 2.9, 1.4, -0.9),
            "IOCG": (5.5, 7.0, 7.0, 6.2, 5.9, 3.0, 5.9, 3.4, 4.1, 3.7, 2.7, 1.1),
            "Kiruna": (6.6, 6.5, 6.3, 6.7, 7.3, 2.7, 6.2, 4.2, 4.9, 4.0, 3.4, 0.6),
            "Porphyry": (6.4, 7.9, 6.6, 8.0, 7.2, 4.6, 6.9, 3.5, 3.8, 5.8, 3.8, 0.9),
            "Skarn": (8.0, 7.7, 8.2, 5.2, 4.2, 2.2, 7.8, 2.9, 2.7, 5.5, 3.0, 1.9),
        }
    ),
    class_shares=MappingProxyType(
        {"BIF": 8, "IOCG": 14, "Kiruna": 12, "Porphyry": 10, "Skarn": 16}
    ),
    between_sd=(1.2, 1.0, 0.95, 1.4, 1.3, 1.7, 1.0, 1.2, 1.3, 1.3, 0.8, 1.2),
    within_sd=(0.80, 0.60, 0.80, 0.50, 0.25, 0.90, 0.35, 0.30, 0.40, 0.50, 0.15, 0.50),
    limits=(5.0, 5.0, 300.0, 3.0, 0.2, 1.0, 2.0, 0.1, 0.5, 1.0, 0.1, 0.3),
    associations=(
        (("Mg", "Al", "Si", "Mn", "Zn"), 0.6),
        (("Ti", "V", "Al", "Ga"), 0.55),
        (("Co", "Ni", "Cr"), 0.6),
    ),
)
"""Magnetite of five deposit classes: made up, with plausible levels."""

MINERALS = MappingProxyType({"sphalerite": SPHALERITE, "magnetite": MAGNETITE})
"""The templates by name."""


def mineral_template(mineral: str | MineralTemplate) -> MineralTemplate:
    """Template of a mineral given by name, or the template itself.

    Parameters
    ----------
    mineral : {"sphalerite", "magnetite"} or MineralTemplate

    Returns
    -------
    template : MineralTemplate

    Raises
    ------
    ValueError
        If there is no template of that name.

    Examples
    --------
    >>> mineral_template("magnetite").elements[:4]
    ('Mg', 'Al', 'Si', 'Ti')
    """
    if isinstance(mineral, MineralTemplate):
        return mineral
    return MINERALS[check_option("mineral", mineral, tuple(MINERALS))]
