"""Plans of deposits: the box, the faults, where ore lies on them, the rocks, and how much is drilled.

The name of a plan comes in and its record goes out; "random" draws one.

Sources
-------
Yu et al. (2022), Minerals 12, 1382, doi:10.3390/min12111382 ("zaozigou": strikes and dips of the
faults, depth of the box, number of holes and samples).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gossan.simulate._faults import Sheet
from gossan.simulate._rocks import Stock

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spot:
    """Where a body lies: the name of its fault, along strike [m], its elevation [m], and if blind."""

    fault: str
    u: float
    elevation: float
    is_blind: bool


@dataclass(frozen=True)
class Plan:
    """What a simulated deposit is like before a seed fills in the rest.

    Attributes
    ----------
    region : (west, east, south, north)
        [m]
    elevations : (low, high)
        [m]
    base : float
        Mean elevation of the ground [m].
    faults : tuple of Sheet
        Smooth; the seed undulates them. The last is barren, and may move after the ore was formed.
    spots : tuple of Spot
        Of the bodies.
    half_lengths, half_heights, half_thicknesses : (low, high)
        Of the bodies [m].
    stocks : tuple of Stock
    n_dykes : int
    n_holes, n_samples : int
        By default.
    hole_lengths : (low, high)
        [m]
    """

    region: tuple[float, float, float, float]
    elevations: tuple[float, float]
    base: float
    faults: tuple[Sheet, ...]
    spots: tuple[Spot, ...]
    half_lengths: tuple[float, float]
    half_heights: tuple[float, float]
    half_thicknesses: tuple[float, float]
    stocks: tuple[Stock, ...]
    n_dykes: int
    n_holes: int
    n_samples: int
    hole_lengths: tuple[float, float]

    @property
    def low(self) -> Floats:
        """Lowest south-west corner (3,) [m]."""
        return np.array([self.region[0], self.region[2], self.elevations[0]])

    @property
    def high(self) -> Floats:
        """Highest north-east corner (3,) [m]."""
        return np.array([self.region[1], self.region[3], self.elevations[1]])


_BIG = Plan(
    region=(0.0, 1400.0, 0.0, 1200.0),
    elevations=(2000.0, 3200.0),
    base=3080.0,
    faults=(),
    spots=(),
    half_lengths=(180.0, 280.0),
    half_heights=(145.0, 190.0),
    half_thicknesses=(13.0, 17.0),
    stocks=(
        Stock("diorite porphyrite", (420.0, 820.0, 2750.0), (200.0, 120.0, 600.0)),
        Stock("diorite porphyrite", (960.0, 660.0, 2500.0), (120.0, 210.0, 520.0)),
        Stock("granodiorite", (1080.0, 330.0, 1950.0), (330.0, 280.0, 350.0), is_barren=True),
    ),
    n_dykes=5,
    n_holes=72,
    n_samples=5028,
    hole_lengths=(180.0, 900.0),
)

_ZAOZIGOU = replace(
    _BIG,
    faults=(
        Sheet("F1", (700.0, 600.0, 2650.0), 225.0, 82.0, -2.2e-4),
        Sheet("F2", (560.0, 730.0, 2650.0), 222.0, 80.0, -2.2e-4, 600.0),
        Sheet("F3", (830.0, 470.0, 2650.0), 228.0, 84.0, -2.2e-4, 600.0),
        Sheet("F4", (900.0, 640.0, 2900.0), 112.0, 17.0, 0.0, 450.0, 350.0),
        Sheet("F5", (720.0, 640.0, 2430.0), 115.0, 20.0, 0.0, 500.0, 400.0),
        Sheet("F6", (260.0, 560.0, 2650.0), 355.0, 81.0, 0.0, 550.0),
        Sheet("F7", (120.0, 600.0, 2600.0), 4.0, 78.0, 0.0, 500.0),
        Sheet("F8", (1120.0, 260.0, 2650.0), 250.0, 70.0, 0.0, 500.0, 700.0, is_mineralised=False),
        Sheet("F9", (700.0, 760.0, 2650.0), 292.0, 62.0, 0.0, 650.0, 700.0, is_mineralised=False),
    ),
    spots=(
        Spot("F1", 190.0, 2880.0, is_blind=False),
        Spot("F2", -160.0, 2890.0, is_blind=False),
        Spot("F3", -70.0, 2860.0, is_blind=False),
        Spot("F4", 0.0, 2900.0, is_blind=False),
        Spot("F6", 60.0, 2860.0, is_blind=False),
        Spot("F1", -210.0, 2380.0, is_blind=True),
        Spot("F2", 180.0, 2320.0, is_blind=True),
        Spot("F3", 160.0, 2430.0, is_blind=True),
        Spot("F5", -60.0, 2430.0, is_blind=True),
        Spot("F7", -80.0, 2400.0, is_blind=True),
    ),
)

_SHEETED = replace(
    _BIG,
    faults=(
        *(
            Sheet(f"F{k + 1}", (east, 600.0, 2650.0), strike, dip, -1.2e-4, 560.0)
            for k, (east, strike, dip) in enumerate(
                [(230, 18, 76), (450, 22, 74), (690, 20, 77), (920, 16, 73), (1150, 23, 75)]
            )
        ),
        Sheet("F6", (500.0, 250.0, 2650.0), 100.0, 65.0, 0.0, 700.0, is_mineralised=False),
        Sheet("F7", (800.0, 700.0, 2650.0), 95.0, 80.0, 0.0, 700.0, is_mineralised=False),
    ),
    spots=(
        Spot("F1", 120.0, 2870.0, is_blind=False),
        Spot("F2", -180.0, 2880.0, is_blind=False),
        Spot("F3", 60.0, 2860.0, is_blind=False),
        Spot("F4", -100.0, 2890.0, is_blind=False),
        Spot("F5", 150.0, 2870.0, is_blind=False),
        Spot("F1", -140.0, 2400.0, is_blind=True),
        Spot("F2", 200.0, 2340.0, is_blind=True),
        Spot("F3", -220.0, 2420.0, is_blind=True),
        Spot("F4", 190.0, 2380.0, is_blind=True),
        Spot("F5", -170.0, 2440.0, is_blind=True),
    ),
)

_CONJUGATE = replace(
    _BIG,
    faults=(
        Sheet("F1", (480.0, 480.0, 2650.0), 55.0, 68.0, -1.5e-4, 600.0),
        Sheet("F2", (760.0, 860.0, 2650.0), 62.0, 72.0, -1.5e-4, 600.0),
        Sheet("F3", (520.0, 760.0, 2650.0), 140.0, 66.0, 1.5e-4, 600.0),
        Sheet("F4", (900.0, 480.0, 2650.0), 147.0, 70.0, 1.5e-4, 600.0),
        Sheet("F5", (700.0, 600.0, 2400.0), 80.0, 12.0, 0.0, 550.0, 450.0),
        Sheet("F6", (830.0, 640.0, 2650.0), 5.0, 85.0, 0.0, 500.0, 700.0, is_mineralised=False),
    ),
    spots=(
        Spot("F1", -120.0, 2880.0, is_blind=False),
        Spot("F2", 60.0, 2890.0, is_blind=False),
        Spot("F3", -180.0, 2860.0, is_blind=False),
        Spot("F3", 270.0, 2880.0, is_blind=False),
        Spot("F4", 80.0, 2870.0, is_blind=False),
        Spot("F1", 210.0, 2360.0, is_blind=True),
        Spot("F2", -190.0, 2320.0, is_blind=True),
        Spot("F4", -200.0, 2420.0, is_blind=True),
        Spot("F5", 220.0, 2400.0, is_blind=True),
        Spot("F5", -230.0, 2400.0, is_blind=True),
    ),
)

_SMALL = Plan(
    region=(0.0, 600.0, 0.0, 500.0),
    elevations=(2600.0, 3200.0),
    base=3080.0,
    faults=(
        Sheet("F1", (340.0, 230.0, 2900.0), 225.0, 82.0, -4e-4, 300.0, 350.0),
        Sheet("F2", (220.0, 310.0, 2900.0), 221.0, 79.0, -4e-4, 260.0, 350.0),
        Sheet("F3", (330.0, 270.0, 2790.0), 112.0, 20.0, 0.0, 200.0, 180.0),
        Sheet("F4", (300.0, 340.0, 2900.0), 292.0, 62.0, 0.0, 300.0, 350.0, is_mineralised=False),
    ),
    spots=(
        Spot("F1", 60.0, 2980.0, is_blind=False),
        Spot("F2", -30.0, 2985.0, is_blind=False),
        Spot("F1", -110.0, 2740.0, is_blind=True),
        Spot("F2", 90.0, 2700.0, is_blind=True),
    ),
    half_lengths=(95.0, 135.0),
    half_heights=(70.0, 95.0),
    half_thicknesses=(11.0, 13.0),
    stocks=(
        Stock("diorite porphyrite", (150.0, 400.0, 2900.0), (60.0, 45.0, 350.0)),
        Stock("granodiorite", (480.0, 120.0, 2560.0), (150.0, 120.0, 170.0), is_barren=True),
    ),
    n_dykes=3,
    n_holes=18,
    n_samples=750,
    hole_lengths=(120.0, 420.0),
)

PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "zaozigou": _ZAOZIGOU,
        "sheeted": _SHEETED,
        "conjugate": _CONJUGATE,
        "small": _SMALL,
    }
)
RANDOM = "random"


def draw_plan(rng: np.random.Generator) -> Plan:
    """Draw a plan of the size of "zaozigou": two families of faults, ten bodies, a barren stock."""
    families = rng.uniform(0.0, 360.0) + np.array([0.0, rng.uniform(50.0, 130.0)])
    dips = rng.uniform([60.0, 15.0], [86.0, 80.0])
    faults = []
    n_faults = int(rng.integers(6, 10))
    for k in range(n_faults):
        family = int(rng.random() < 0.4)
        faults.append(
            Sheet(
                f"F{k + 1}",
                (
                    rng.uniform(250.0, 1150.0),
                    rng.uniform(250.0, 950.0),
                    rng.uniform(2450.0, 2800.0),
                ),
                strike=float(families[family] + rng.normal(0.0, 6.0)) % 360.0,
                dip=float(np.clip(dips[family] + rng.normal(0.0, 4.0), 10.0, 88.0)),
                curvature=rng.uniform(-2.5e-4, 1e-4),
                half_length=rng.uniform(450.0, 700.0),
                is_mineralised=k < 4 or (rng.random() < 0.7 and k < n_faults - 1),
            )
        )
    stocks = tuple(
        replace(
            stock, centre=(rng.uniform(200.0, 1200.0), rng.uniform(200.0, 1000.0), stock.centre[2])
        )
        for stock in _BIG.stocks
    )
    plan = replace(_BIG, faults=tuple(faults), stocks=stocks)
    return replace(plan, spots=_draw_spots(plan, rng))


def _draw_spots(plan: Plan, rng: np.random.Generator) -> tuple[Spot, ...]:
    """Five shallow and five blind places on mineralised faults, inside the box and apart."""
    hosts = [fault for fault in plan.faults if fault.is_mineralised]
    spots: list[Spot] = []
    taken: list[Floats] = []
    apart = 350.0
    while len(spots) < 10:
        host = hosts[int(rng.integers(len(hosts)))]
        is_blind = len(spots) >= 5
        elevation = rng.uniform(2300.0, 2460.0) if is_blind else rng.uniform(2840.0, 2900.0)
        spot = Spot(host.name, rng.uniform(-0.7, 0.7) * host.half_length, elevation, is_blind)
        place = place_spot(spot, host)[0]
        margin = np.minimum(place - plan.low, plan.high - place)[:2].min()
        far = min((float(np.linalg.norm(place - other)) for other in taken), default=np.inf)
        if margin > 150.0 and far > apart:
            spots.append(spot)
            taken.append(place)
        apart *= 0.997  # crowded plans are let crowd
    return tuple(spots)


def place_spot(spot: Spot, fault: Sheet) -> tuple[Floats, float]:
    """Place (3,) [m] of a spot on its fault, and its coordinate up the dip [m].

    A gentle or bent fault may not reach the elevation inside its extent; it is met as near as can be.
    """
    heights = np.linspace(-fault.half_height, fault.half_height, 401)
    places = fault.place(np.full_like(heights, spot.u), heights)
    nearest = int(np.argmin(np.abs(places[:, 2] - spot.elevation)))
    return places[nearest], float(heights[nearest])
