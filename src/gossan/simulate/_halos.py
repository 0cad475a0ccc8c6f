"""What the elements do: backgrounds, axial zoning of the halos about ore, faults, barren intrusions.

Coordinates about the bodies, distances and standard normal fields come in; concentrations go out.

Sources
-------
Yu et al. (2022), Minerals 12, 1382, doi:10.3390/min12111382 (the twelve elements of a gold deposit
and its halos).
Beus & Grigorian (1977), Geochemical Exploration Methods for Mineral Deposits, Applied Publishing
(axial zoning of primary halos).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.simulate._orebodies import Body

Floats = NDArray[np.float64]

ELEMENTS = ("Ag", "As", "Au", "Cu", "Hg", "Pb", "Zn", "Sb", "W", "Bi", "Co", "Mo")
UNITS: Mapping[str, str] = MappingProxyType(
    {name: "ppb" if name in ("Au", "Hg") else "ppm" for name in ELEMENTS}
)
ROCKS = ("slate", "diorite porphyrite", "granodiorite", "dyke")
N_COMMON = 4  # fields that all elements share
ORE_MEDIAN, ORE_SPREAD = 2600.0, 0.95  # gold in ore [ppb], and the sd of its log

# One row a property, one column an element: Ag As Au Cu Hg Pb Zn Sb W Bi Co Mo.
_EFFECTS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "background": (0.07, 14.0, 2.0, 26.0, 20.0, 20.0, 75.0, 0.8, 1.8, 0.25, 12.0, 0.7),
        "spread": (0.55, 0.75, 0.9, 0.5, 0.75, 0.5, 0.42, 0.8, 0.6, 0.65, 0.42, 0.6),
        "limit": (0.05, 1.0, 1.0, 2.0, 5.0, 5.0, 5.0, 0.2, 0.5, 0.1, 2.0, 0.3),
        "error": (0.1, 0.08, 0.18, 0.07, 0.1, 0.07, 0.06, 0.1, 0.09, 0.1, 0.06, 0.09),
        "halo": (18.0, 50.0, 200.0, 4.0, 9.0, 6.0, 3.0, 40.0, 6.0, 10.0, 2.0, 5.0),
        "level": (0.2, 0.75, 0.0, -0.15, 1.5, 0.15, 0.05, 1.15, -0.85, -1.0, -0.7, -1.2),
        "reach": (15.0, 28.0, 9.0, 14.0, 32.0, 16.0, 18.0, 28.0, 18.0, 16.0, 20.0, 18.0),
        "fault": (0.3, 1.5, 0.5, 0.0, 4.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0),
        "intrusion": (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 9.0, 12.0, 0.0, 14.0),
        "slate": (0.0,) * 12,
        "diorite porphyrite": (0.1, -0.3, 0.1, 0.3, -0.2, 0.1, 0.1, -0.3, 0.1, 0.0, 0.35, 0.1),
        "granodiorite": (0.0, -0.6, 0.0, -0.4, -0.3, 0.3, -0.2, -0.5, 0.4, 0.4, -0.5, 0.5),
        "dyke": (0.1, 0.2, 0.2, 0.4, 0.0, 0.0, 0.2, 0.1, -0.2, -0.1, 0.5, -0.1),
    }
)
# Loadings on the common fields: mafic minerals, cool fluids, hot fluids, sulfides.
_LOADINGS = np.array(
    [
        (0.0, 0.15, 0.0, 0.5),
        (0.0, 0.5, 0.0, 0.3),
        (0.0, 0.1, 0.0, 0.4),
        (0.55, 0.0, 0.0, 0.2),
        (0.0, 0.5, 0.0, 0.0),
        (0.2, 0.0, 0.0, 0.5),
        (0.55, 0.0, 0.0, 0.3),
        (0.0, 0.55, 0.0, 0.0),
        (0.0, 0.0, 0.55, 0.0),
        (0.0, 0.0, 0.5, 0.2),
        (0.6, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.55, 0.0),
    ]
)
_OWN = np.sqrt(1.0 - (_LOADINGS**2).sum(axis=1))
_FAULT_REACH, _INTRUSION_REACH = 25.0, 60.0  # m
_ALONG_STRIKE = 0.75  # of half the length of a body
_FARTHEST = (2.0, 5.5, 400.0)  # r, t and n [m] beyond which a halo is less than a thousandth


def effects_table() -> pd.DataFrame:
    """Properties of the elements, one row an element.

    Background [in the unit of the element], spread of its log, limit and relative error of an
    analysis; strength of the halo [backgrounds], level of its middle up the dip [half heights of
    the body] and reach across [m]; strength of the halos of faults and of the barren intrusion;
    shift of the log in each rock.
    """
    return pd.DataFrame(dict(_EFFECTS), index=pd.Index(ELEMENTS, name="element"))


def loadings_table() -> pd.DataFrame:
    """Loadings of the background (12, 5) on the common fields and on an element's own field."""
    names = [f"common {k + 1}" for k in range(N_COMMON)]
    table = pd.DataFrame(_LOADINGS, index=pd.Index(ELEMENTS, name="element"), columns=names)
    return table.assign(own=_OWN)


def halo_of(body: Body, frame: Floats, shape: Floats) -> Floats:
    """Halo (n, 12) [backgrounds] of one body at r, t, n (n, 3), given the field of its shape (n,).

    g A exp(-|n| / λ) exp(-½ ((t - τ) / ω)²) exp(-½ (r / 0.75)⁴) exp(0.7 G - 0.245)
    """
    r, t, n = frame.T
    effects = {name: np.asarray(_EFFECTS[name]) for name in ("halo", "level", "reach")}
    common = body.grade * np.exp(0.7 * shape - 0.245 - 0.5 * (r / _ALONG_STRIKE) ** 4)
    exponent = -np.abs(n)[:, None] / effects["reach"]
    exponent -= 0.5 * ((t[:, None] - effects["level"]) / body.breadth) ** 2
    return common[:, None] * effects["halo"] * np.exp(exponent)


def sum_halos(bodies: Sequence[Body], frames: Sequence[Floats], shape: Floats) -> Floats:
    """Halos (n, 12) of all bodies [backgrounds], left out where they are less than a thousandth."""
    total = np.zeros((len(shape), len(ELEMENTS)))
    for body, frame in zip(bodies, frames, strict=True):
        near = np.flatnonzero((np.abs(frame) < _FARTHEST).all(axis=1))
        total[near] += halo_of(body, frame[near], shape[near])
    return total


def combine(
    *,
    common: Floats,
    own: Floats,
    halos: Floats,
    fault_distance: Floats,
    intrusion_distance: Floats,
    rocks: NDArray[np.int64],
) -> Floats:
    """Concentrations (n, 12): background and its scatter, rock, halos, faults and intrusion.

    ln c = ln(background) + spread z + rock + ln(1 + halos) + ln(1 + A_F exp(-d / 25))
    + ln(1 + A_I exp(-d / 60))
    """
    effects = {name: np.asarray(values) for name, values in _EFFECTS.items()}
    shifts = np.stack([effects[rock] for rock in ROCKS])
    logs = effects["spread"] * (common @ _LOADINGS.T + own * _OWN)
    logs += (np.log(effects["background"]) + shifts)[rocks]
    logs += np.log1p(halos)
    fault = np.exp(-fault_distance / _FAULT_REACH)
    intrusion = np.exp(-intrusion_distance / _INTRUSION_REACH)
    for distance_term, name in ((fault, "fault"), (intrusion, "intrusion")):
        touched = np.flatnonzero(effects[name])
        logs[:, touched] += np.log1p(distance_term[:, None] * effects[name][touched])
    return np.exp(logs)
