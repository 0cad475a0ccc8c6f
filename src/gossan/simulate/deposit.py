"""A gold deposit in 3D with known truth: faults, orebodies, halos, and the holes drilled into it.

The name of a plan and a seed come in; the four tables of a drilling campaign, the faults as they
were interpreted and the ground go out, with the truth as a function of position beside them.

Sources
-------
Yu et al. (2022), Minerals 12, 1382, doi:10.3390/min12111382 (the Zaozigou gold deposit: its holes,
samples, elements and faults, after which the default plan is made).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from gossan._checks import check_option, check_random_state
from gossan.data.grids.grid import add_layer, cell_centres, make_grid
from gossan.data.holes.drillholes import DrillHoles
from gossan.data.holes.files import table_text, write_whole
from gossan.data.holes.reading import read_drillholes
from gossan.simulate._drilling import drill_holes
from gossan.simulate._faults import FaultSurface, interpret, keep_triangles, mesh
from gossan.simulate._halos import ELEMENTS, UNITS
from gossan.simulate._hole_tables import HoleTables, write_down
from gossan.simulate._messy_holes import N_SPOILT, make_messy_holes
from gossan.simulate._plans import PLANS, RANDOM, draw_plan
from gossan.simulate._sample_stops import sample_stops
from gossan.simulate._truth import DepositTruth
from gossan.simulate._world import make_world

__all__ = ["DepositTruth", "FaultSurface", "SimulatedDeposit", "simulate_deposit"]

_TRIANGLE = 40.0  # side of the triangles of faults [m]
_GROUND = 25.0  # cell of the grid of the ground [m]
_NO_DEFECTS = pd.DataFrame(columns=["kind", "table", "hole", "row", "column"])


@dataclass(frozen=True, eq=False)
class SimulatedDeposit:
    """A simulated drilling campaign and its truth.

    Attributes
    ----------
    collar : DataFrame (hole, easting, northing, elevation, depth)
        [m]
    survey : DataFrame (hole, depth, azimuth, dip)
        [m, degrees]; dips are negative downwards.
    assay : DataFrame (hole, from, to, Ag_ppm ... Mo_ppm)
        [m]; gold and mercury in ppb. A cell below detection holds its limit; in a messy table,
        text such as "<0.05".
    lithology : DataFrame (hole, from, to, lithology)
    censored : bool DataFrame (samples, analyses)
        True below detection, row by row as the clean `assay`.
    faults : tuple of FaultSurface
        As interpreted: smooth, some 10 m off the true ones, cut at the ground and the box.
    ground : Dataset
        A 2D grid of 25 m with the layer "elevation" of the ground [m].
    samples : DataFrame
        Truth of each row of the clean `assay`: hole, from, to, true middle (easting, northing,
        elevation) [m], body (-1 outside of ore), ore_share, and the elements without error.
    defects : DataFrame (kind, table, hole, row, column)
        What ``messy=True`` did; kinds as `read_drillholes` reports them, and "missing cell",
        "limit as text" and "wrong unit". Rows are counted from 0 in the messy table; -1 for a hole
        or a column as a whole.
    truth : DepositTruth
    elements : tuple of str
    units : dict of element to unit
    """

    collar: pd.DataFrame
    survey: pd.DataFrame
    assay: pd.DataFrame
    lithology: pd.DataFrame
    censored: pd.DataFrame
    faults: tuple[FaultSurface, ...]
    ground: xr.Dataset
    samples: pd.DataFrame
    defects: pd.DataFrame
    truth: DepositTruth
    elements: tuple[str, ...]
    units: dict[str, str]

    def grid(self, spacing: float | tuple[float, float, float] = 10.0) -> xr.Dataset:
        """Empty grid of blocks that covers the deposit.

        Parameters
        ----------
        spacing : float or (elevation, northing, easting), default 10
            Size of a block [m].

        Returns
        -------
        grid : Dataset
            For ``truth.on_grid(grid)``, or to krige into.
        """
        plan = self.truth.world.plan
        return make_grid(plan.region, spacing, elevations=plan.elevations)

    def drillholes(self) -> DrillHoles:
        """Drill holes as `read_drillholes` reads them from the tables, with what it found wrong.

        Returns
        -------
        holes : DrillHoles
        """
        return read_drillholes(
            self.collar,
            self.survey,
            assay=self._assay_as_text(),
            lithology=self.lithology,
            dip="down_negative",
        )

    def write(self, folder: str | Path) -> dict[str, Path]:
        """Write what a user would get as CSV files, and nothing of the truth.

        Parameters
        ----------
        folder : path
            Made if it is not there; files of the same names are replaced.

        Returns
        -------
        paths : dict
            "collar", "survey", "assay" (with "<0.05" below detection) and "lithology", for
            `read_drillholes`; "faults", three rows a triangle (fault, triangle, easting, northing,
            elevation); "ground" (easting, northing, elevation).

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        places = cell_centres(self.ground)
        ground = pd.DataFrame(places, columns=["easting", "northing"])
        ground["elevation"] = self.ground["elevation"].to_numpy().ravel().round(2)
        paths = {}
        for name, table in {
            "collar": self.collar,
            "survey": self.survey,
            "assay": self._assay_as_text(),
            "lithology": self.lithology,
            "faults": triangle_table(self.faults),
            "ground": ground,
        }.items():
            paths[name] = target / f"{name}.csv"
            write_whole(paths[name], table_text(table))
        return paths

    def _assay_as_text(self) -> pd.DataFrame:
        """Analyses with "<0.05" below detection; a messy table as it is."""
        if len(self.defects):
            return self.assay
        table = self.assay.copy()
        for name in self.censored.columns:
            cells = [
                f"<{value:g}" if hidden else value
                for value, hidden in zip(table[name], self.censored[name], strict=True)
            ]
            table[name] = pd.Series(cells, dtype=object)
        return table


def simulate_deposit(
    plan: str = "zaozigou",
    *,
    n_holes: int | None = None,
    n_samples: int | None = None,
    is_fault_bound: bool = True,
    displacement: float = 0.0,
    aimed_share: float = 0.75,
    has_deep_hole: bool = False,
    error_factor: float = 1.0,
    limit_factor: float = 1.0,
    messy: bool = False,
    random_state: int | np.random.Generator | None = 0,
) -> SimulatedDeposit:
    """Drill-hole tables of a gold deposit with shallow and blind orebodies, and the whole truth.

    Ore makes up some 1.3 % of the rock, in lenses on faults, half of them shallow and drilled, half
    blind. Twelve elements zone about it, from Hg and Sb above to Bi and Mo below; some faults are
    barren, and a deep intrusion raises W, Bi and Mo without ore. As the truth is a function of
    position, a target can be judged in rock that no hole has seen.

    Parameters
    ----------
    plan : {"zaozigou", "sheeted", "conjugate", "random", "small"}, default "zaozigou"
        Faults and bodies: after the deposit of that name; five parallel faults; two crossing
        families; drawn from the seed. All in 1400 x 1200 x 1200 m with ten bodies; "small", for
        demonstrations, in 600 x 500 x 600 m with four.
    n_holes : int, optional
        Default 72, of "small" 18.
    n_samples : int, optional
        Exactly; default 5,028 for 72 holes and in proportion, of "small" 750 for 18.
    is_fault_bound : bool, default True
        False: bodies lie anywhere, so that the distance from a fault says nothing about ore.
    displacement : float, default 0
        Slip of the last fault after the ore was formed, its hanging wall down the dip [m].
    aimed_share : float, default 0.75
        Share of the holes aimed at shallow ore; the others are wildcats. Less: fewer intercepts.
    has_deep_hole : bool, default False
        The last hole goes to the bottom of the box, and may hit a blind body; no other does.
    error_factor, limit_factor : float, default 1.0
        Factors on the errors of analyses and on limits of detection; 0 for none.
    messy : bool, default False
        Spoil the tables as they arrive: overlaps, missing surveys, hole names in other spellings,
        one hole with gold in ppm, limits as text, and so on; `defects` lists it.
    random_state : int, Generator or None, default 0

    Returns
    -------
    simulated : SimulatedDeposit

    Raises
    ------
    ValueError
        If the plan is unknown, a number is out of range, the samples would be longer than 10 m or
        shorter than 1 m, or a hole does not fit.

    Notes
    -----
    A concentration is that of a point: the exponential of background, scatter (four common Gaussian
    fields and one of the element) and rock, raised by halos about ore, faults and the intrusion.
    The halo of an element about a body is g A exp(-|n| / λ) exp(-½ ((t - τ) / ω)²)
    exp(-½ (r / 0.75)⁴) exp(0.7 G - 0.245) backgrounds, with r and t along strike and up the dip
    (1 at the ends of the body) and n across it. An assay is the mean of five points along a sample,
    with a lognormal error.

    Examples
    --------
    >>> simulated = simulate_deposit("small", random_state=1)
    >>> len(simulated.collar), len(simulated.assay)
    (18, 750)
    >>> simulated.truth.bodies["is_blind"].tolist()
    [False, False, True, True]
    >>> " ".join(simulated.truth.zoning)
    'Hg Sb As Ag Pb Zn Au Cu Co W Bi Mo'
    """
    check_option("plan", plan, [*PLANS, RANDOM])
    _check_numbers(n_holes, aimed_share, displacement, error_factor, limit_factor)
    rng = check_random_state(random_state)
    chosen = draw_plan(rng) if plan == RANDOM else PLANS[plan]
    count = chosen.n_holes if n_holes is None else n_holes
    if messy and count < N_SPOILT:
        raise ValueError(
            f"messy=True needs {N_SPOILT} holes or more, each to be spoilt in its own way, got"
            f" n_holes={count}. Ask for more."
        )
    world = make_world(chosen, is_fault_bound=is_fault_bound, displacement=displacement, rng=rng)
    truth = DepositTruth(world)
    faults = interpret_faults(truth, rng)
    holes = drill_holes(
        truth, n_holes=count, aimed_share=aimed_share, has_deep_hole=has_deep_hole, rng=rng
    )
    stops = sample_stops(
        [hole.stretches for hole in holes],
        round(chosen.n_samples * count / chosen.n_holes) if n_samples is None else n_samples,
        is_exact=n_samples is not None,
        rng=rng,
    )
    tables = write_down(
        truth, holes, stops, error_factor=error_factor, limit_factor=limit_factor, rng=rng
    )
    clean = {name: vars(tables)[name] for name in ("collar", "survey", "assay", "lithology")}
    shown, defects = (
        make_messy_holes(clean, tables.censored, rng) if messy else (clean, _NO_DEFECTS)
    )
    return _gather(shown, defects, tables, truth, faults)


def interpret_faults(truth: DepositTruth, rng: np.random.Generator) -> tuple[FaultSurface, ...]:
    """Return the faults as triangles of about 40 m, off by some 10 m, inside the box and the ground.

    Triangles that a later displacement tears apart are left out.
    """
    world, plan = truth.world, truth.world.plan
    surfaces = []
    for number, fault in enumerate(world.faults):
        drawn = mesh(interpret(fault, rng), _TRIANGLE)
        vertices, has_moved = drawn.vertices, np.zeros(len(drawn.vertices), dtype=bool)
        if number < len(world.faults) - 1:
            vertices, has_moved = world.displace(vertices)
        middles = vertices[drawn.triangles].mean(axis=1)
        inside = ((middles >= plan.low) & (middles <= plan.high)).all(axis=1)
        torn = np.ptp(has_moved[drawn.triangles].astype(int), axis=1) > 0
        moved = FaultSurface(drawn.name, vertices, drawn.triangles)
        surfaces.append(keep_triangles(moved, inside & ~torn & truth.is_ground(middles)))
    return tuple(surfaces)


def triangle_table(faults: tuple[FaultSurface, ...]) -> pd.DataFrame:
    """Return three rows a triangle: fault, triangle, easting, northing, elevation [m]."""
    tables = []
    for fault in faults:
        corners = fault.vertices[fault.triangles].reshape(-1, 3).round(2)
        table = pd.DataFrame(corners, columns=["easting", "northing", "elevation"])
        table.insert(0, "triangle", np.repeat(np.arange(len(fault.triangles)), 3))
        table.insert(0, "fault", fault.name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _gather(
    shown: Mapping[str, pd.DataFrame],
    defects: pd.DataFrame,
    tables: HoleTables,
    truth: DepositTruth,
    faults: tuple[FaultSurface, ...],
) -> SimulatedDeposit:
    return SimulatedDeposit(
        **shown,
        censored=tables.censored,
        faults=faults,
        ground=_ground_grid(truth),
        samples=tables.samples,
        defects=defects,
        truth=truth,
        elements=ELEMENTS,
        units=dict(UNITS),
    )


def _ground_grid(truth: DepositTruth) -> xr.Dataset:
    grid = make_grid(truth.world.plan.region, _GROUND)
    levels = truth.ground_level(*cell_centres(grid).T)
    return add_layer(grid, "elevation", levels, units="m")


def _check_numbers(
    n_holes: int | None,
    aimed_share: float,
    displacement: float,
    error_factor: float,
    limit_factor: float,
) -> None:
    if n_holes is not None and n_holes < 4:
        raise ValueError(f"n_holes must be 4 or more, got {n_holes}. 72 are the default.")
    if not 0 <= aimed_share <= 1:
        raise ValueError(f"aimed_share must lie between 0 and 1, got {aimed_share}. 0.75 is usual.")
    if not 0 <= displacement <= 200:
        raise ValueError(
            f"displacement must lie between 0 and 200 m, got {displacement}. 0 is none."
        )
    if not (error_factor >= 0 and limit_factor >= 0):
        raise ValueError(
            f"error_factor and limit_factor must be 0 or more, got {error_factor} and"
            f" {limit_factor}. 1 is usual."
        )
