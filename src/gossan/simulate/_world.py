"""A world drawn from a plan and a seed: faults, bodies, dykes and fields, before anyone drills.

A plan and a generator come in; everything that the truth is a function of goes out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gossan.simulate._bands import BandFields, draw_bands
from gossan.simulate._faults import Sheet, undulate
from gossan.simulate._halos import ELEMENTS, N_COMMON
from gossan.simulate._orebodies import Body
from gossan.simulate._plans import Plan, place_spot
from gossan.simulate._rocks import Dyke, draw_dykes

Floats = NDArray[np.float64]

_COMMON_RANGES = (160.0, 160.0, 220.0)  # easting, northing, elevation [m]
_OWN_RANGES = (45.0, 45.0, 70.0)
_ORE_RANGES = (35.0, 35.0, 50.0)
_SHAPE_RANGES = (120.0, 120.0, 120.0)
_JITTER = 15.0  # of the place of a body along its fault [m]
_GRADE_SPREAD = 0.25  # of the log
_BREADTHS = (0.7, 0.8)
_APART = 260.0  # between bodies that no fault binds [m]


@dataclass(frozen=True, eq=False)
class World:
    """All that is drawn once.

    Attributes
    ----------
    plan : Plan
    sheets : tuple of Sheet
        The faults, then sheets that carry bodies without being faults.
    n_faults : int
    bodies : tuple of Body
    dykes : tuple of Dyke
    slip : array of shape (3,)
        By which the hanging wall of the last fault moved after the ore was formed [m].
    shape, common, own, ore : BandFields
        Of the shape of bodies, the background together and one by one, and the gold in ore.
    """

    plan: Plan
    sheets: tuple[Sheet, ...]
    n_faults: int
    bodies: tuple[Body, ...]
    dykes: tuple[Dyke, ...]
    slip: Floats
    shape: BandFields
    common: BandFields
    own: BandFields
    ore: BandFields

    @property
    def faults(self) -> tuple[Sheet, ...]:
        return self.sheets[: self.n_faults]

    def restore(self, points: Floats) -> Floats:
        """Where points (n, 3) lay when the ore was formed."""
        if not self.slip.any():
            return points
        is_hanging = self.faults[-1].own(points)[:, 2] > 0
        return points - is_hanging[:, None] * self.slip

    def displace(self, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Where points (n, 3) of the time of the ore lie today, and which of them moved."""
        is_hanging = self.faults[-1].own(points)[:, 2] > 0
        if not self.slip.any():
            return points, np.zeros(len(points), dtype=bool)
        return points + is_hanging[:, None] * self.slip, is_hanging


def make_world(
    plan: Plan, *, is_fault_bound: bool, displacement: float, rng: np.random.Generator
) -> World:
    """Draw a world."""
    faults = tuple(undulate(fault, rng) for fault in plan.faults)
    bodies, sheets = _draw_bodies(plan, faults, rng)
    if not is_fault_bound:
        bodies, sheets = _unbind(plan, bodies, sheets, rng)
    extent = plan.high - plan.low
    last = faults[-1]
    # a normal fault: the hanging wall goes down the dip
    slip = -displacement * last.axes[1]
    return World(
        plan,
        sheets,
        len(faults),
        bodies,
        draw_dykes(plan.n_dykes, plan.low, plan.high, rng),
        slip,
        shape=draw_bands(_SHAPE_RANGES, 1, extent, rng, kind="gaussian"),
        common=draw_bands(_COMMON_RANGES, N_COMMON, extent, rng),
        own=draw_bands(_OWN_RANGES, len(ELEMENTS), extent, rng),
        ore=draw_bands(_ORE_RANGES, 1, extent, rng),
    )


def _draw_bodies(
    plan: Plan, faults: tuple[Sheet, ...], rng: np.random.Generator
) -> tuple[tuple[Body, ...], tuple[Sheet, ...]]:
    """Bodies of the sizes of a plan about the places that it names, and the sheets they lie on."""
    names = [fault.name for fault in faults]
    bodies = []
    for k, spot in enumerate(plan.spots):
        sheet = names.index(spot.fault)
        moved = replace(spot, u=spot.u + rng.uniform(-_JITTER, _JITTER))
        body = Body(
            f"Body {k + 1}",
            sheet,
            moved.u,
            place_spot(moved, faults[sheet])[1],
            rng.uniform(*plan.half_lengths),
            rng.uniform(*plan.half_heights),
            rng.uniform(*plan.half_thicknesses),
            grade=float(np.exp(rng.normal(0.0, _GRADE_SPREAD))),
            breadth=rng.uniform(*_BREADTHS),
            is_blind=spot.is_blind,
        )
        bodies.append(body)
    return tuple(bodies), faults


def _unbind(
    plan: Plan, bodies: tuple[Body, ...], faults: tuple[Sheet, ...], rng: np.random.Generator
) -> tuple[tuple[Body, ...], tuple[Sheet, ...]]:
    """Move each body to a sheet of its own, anywhere on the map, at the elevation it had."""
    west, east, south, north = plan.region
    inset = 0.8 * min(plan.half_lengths)
    freed, sheets = [], list(faults)
    taken: list[Floats] = []
    apart = _APART * min(1.0, (east - west) / 1400.0)
    for body in bodies:
        elevation = faults[body.sheet].place(np.array([body.u]), np.array([body.v]))[0, 2]
        while True:
            place = np.array(
                [rng.uniform(west + inset, east - inset), rng.uniform(south + inset, north - inset),
                 elevation]
            )  # fmt: skip
            if all(np.linalg.norm(place - other) > apart for other in taken):
                break
            apart *= 0.995
        taken.append(place)
        sheet = Sheet(
            body.name, tuple(place), strike=rng.uniform(0.0, 360.0), dip=rng.uniform(25.0, 85.0),
            half_length=body.half_length, half_height=body.half_height,
        )  # fmt: skip
        sheets.append(undulate(sheet, rng))
        freed.append(replace(body, sheet=len(sheets) - 1, u=0.0, v=0.0))
    return tuple(freed), tuple(sheets)
