"""What a district is like before a seed fills it in: elements, rocks, and the zoning of its deposits.

The name of a plan comes in and its record goes out; tables tell what distinguishes the elements.

Sources
-------
Sillitoe (2010), Porphyry copper systems, Economic Geology 105, 3-41, doi:10.2113/gsecongeo.105.1.3
(Cu, Mo and Au in the middle; Zn, Pb, Ag and As about it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.geostat.coregionalization import Coregionalization
from gossan.geostat.covariance import Structure

Floats = NDArray[np.float64]

ELEMENTS = ("Cu", "Mo", "Au", "Bi", "Pb", "Zn", "Ag", "As", "Sb", "Sn", "W", "Li", "Ni", "Co")
UNITS: Mapping[str, str] = MappingProxyType(
    {name: "ppb" if name in ("Au", "Ag") else "ppm" for name in ELEMENTS}
)
ROCKS = ("sandstone", "limestone", "andesite", "granite")
FAVOUR = (0.7, 0.8, 1.3, 1.2)  # for deposits, of each rock
SIGNALS = ("pattern", "value")
N_COMMON = 4  # fields that all elements share
LONG, SHORT = 24.0, 3.0  # practical ranges of the scatter [cells]

# One row a property, one column an element, in the order of ELEMENTS.
_EFFECTS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "background": (24, 0.8, 1.5, 0.3, 22, 70, 75, 9, 0.7, 3.0, 1.8, 32, 24, 11),
        "spread": (0.5, 0.6, 0.8, 0.6, 0.5, 0.4, 0.6, 0.7, 0.7, 0.5, 0.6, 0.45, 0.5, 0.4),
        "limit": (2, 0.3, 1.0, 0.1, 3, 5, 30, 1.0, 0.2, 1.0, 0.8, 5, 2, 1),
        "error": (0.06, 0.1, 0.2, 0.1, 0.07, 0.06, 0.1, 0.08, 0.1, 0.1, 0.1, 0.06, 0.06, 0.06),
        "fault": (0, 0, 0.2, 0, 0, 0, 0, 0.4, 0.5, 0, 0, 0, 0, 0),
        "sandstone": (0.0,) * 14,
        "limestone": (-0.3, -0.2, 0, -0.1, 0.2, 0.2, 0, 0.2, 0.1, -0.4, -0.3, -0.3, -0.3, -0.3),
        "andesite": (0.4, -0.1, 0.1, -0.2, -0.2, 0.2, 0, -0.1, 0, -0.3, -0.3, -0.3, 0.4, 0.5),
        "granite": (-0.4, 0.3, -0.1, 0.3, 0.3, -0.1, 0, -0.2, -0.2, 0.5, 0.5, 0.5, -0.7, -0.6),
    }
)
# Loadings of the long structure on the common fields: mafic, felsic, sulfide, cool fluids.
_LOADINGS = np.array(
    [
        (0.4, 0.0, 0.4, 0.0),
        (0.0, 0.3, 0.4, 0.0),
        (0.0, 0.0, 0.3, 0.3),
        (0.0, 0.4, 0.3, 0.0),
        (0.0, 0.3, 0.4, 0.2),
        (0.4, 0.0, 0.4, 0.0),
        (0.0, 0.0, 0.5, 0.2),
        (0.0, 0.0, 0.3, 0.5),
        (0.0, 0.0, 0.2, 0.5),
        (0.0, 0.6, 0.0, 0.0),
        (0.0, 0.5, 0.0, 0.1),
        (0.0, 0.6, 0.0, 0.0),
        (0.7, 0.0, 0.0, 0.0),
        (0.7, 0.0, 0.0, 0.0),
    ]
)


@dataclass(frozen=True)
class RegionPlan:
    """A type of deposit: what its haloes are made of, and how they are shaped.

    Attributes
    ----------
    core, ring : tuple of str
        Elements in the middle of a halo, and in the ring about it.
    core_radius, ring_radius, ring_width : float
        Standard deviation of the core, radius of the ring and its standard deviation [cells].
    aspect : float
        Length over width of a halo, along the fault over across it.
    strikes : tuple of float
        Of the families of faults, the first the most frequent [degrees from north].
    contrast : float
        Peak of the log of a halo of strength 1, over the spread of the element.
    """

    core: tuple[str, ...]
    ring: tuple[str, ...]
    core_radius: float
    ring_radius: float
    ring_width: float
    aspect: float
    strikes: tuple[float, ...]
    contrast: float

    @property
    def pathfinders(self) -> tuple[str, ...]:
        """Elements of core and ring, in the order of `ELEMENTS`."""
        return tuple(name for name in ELEMENTS if name in (*self.core, *self.ring))


REGION_PLANS: Mapping[str, RegionPlan] = MappingProxyType(
    {
        "porphyry": RegionPlan(
            core=("Cu", "Mo", "Au"),
            ring=("Pb", "Zn", "Ag", "As"),
            core_radius=1.0,
            ring_radius=2.4,
            ring_width=0.7,
            aspect=2.0,
            strikes=(40.0, 70.0),
            contrast=0.9,
        ),
        "tin": RegionPlan(
            core=("Sn", "W", "Li"),
            ring=("Bi", "Sb", "As"),
            core_radius=1.5,
            ring_radius=3.2,
            ring_width=0.8,
            aspect=1.2,
            strikes=(150.0, 100.0),
            contrast=0.9,
        ),
    }
)
OTHER_PLAN: Mapping[str, str] = MappingProxyType({"porphyry": "tin", "tin": "porphyry"})


def region_effects() -> pd.DataFrame:
    """Properties of the elements, one row an element.

    Background [in the unit of the element], spread of its log, limit and relative error of an
    analysis, rise of the log on a fault, and shift of the log in each rock.
    """
    return pd.DataFrame(dict(_EFFECTS), index=pd.Index(ELEMENTS, name="element"), dtype=float)


def mixing_of_elements() -> tuple[Floats, Floats]:
    """Loadings (14, 4) on the common fields and (14,) on an element's own, for a spread of 1."""
    return _LOADINGS, np.sqrt(1.0 - (_LOADINGS**2).sum(axis=1))


def scatter_model(spacing: float) -> Coregionalization:
    """Coregionalization of the scatter of the logs: common over long ranges, own over short ones."""
    spreads = np.array(_EFFECTS["spread"])
    common, own = mixing_of_elements()
    together, alone = spreads[:, None] * common, spreads * own
    return Coregionalization(
        np.zeros((len(spreads), len(spreads))),
        (
            Structure("exponential", 1.0, (LONG * spacing,)),
            Structure("exponential", 1.0, (SHORT * spacing,)),
        ),
        np.stack([together @ together.T, np.diag(alone**2)]),
    )
