"""A mineral district on a map with known truth: rocks, faults, haloes, decoys, and a survey of it.

The name of a plan and a seed come in; stream sediments, occurrences, faults and a geological map go
out, with the truth as a function of position beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from gossan._checks import check_option, check_random_state
from gossan.data.grids.grid import make_grid
from gossan.data.holes.files import table_text, write_whole
from gossan.simulate._region_plans import ELEMENTS, OTHER_PLAN, REGION_PLANS, SIGNALS, UNITS
from gossan.simulate._region_samples import take_samples
from gossan.simulate._region_truth import RegionTruth
from gossan.simulate._region_world import EDGE, RegionSettings, lattice_of, make_region

__all__ = ["RegionTruth", "SimulatedRegion", "simulate_region"]

SOURCES = ("same", "other")
_SMALLEST = 32  # cells along a side
_CELLS_OF_A_BODY = 25  # that a deposit or a decoy needs
_CELLS_OF_A_SAMPLE = 4


@dataclass(frozen=True, eq=False)
class SimulatedRegion:
    """A simulated survey of a district and its truth.

    Attributes
    ----------
    samples : DataFrame (sample, easting, northing, lithology, Cu_ppm ... Co_ppm)
        Stream sediments; coordinates [m], gold and silver in ppb. A cell below detection holds its
        limit.
    censored : bool DataFrame (samples, analyses)
        True below detection, row by row as `samples`.
    units : dict of element to unit
    occurrences : DataFrame (easting, northing, name, is_known, type)
        All deposits; those that are not known are the answer, and are not written.
    lithology : DataFrame (easting, northing, lithology)
        The geological map, at the middles of its cells.
    faults : DataFrame (fault, vertex, easting, northing)
        Lines [m].
    values : DataFrame (samples, elements)
        What the samples would hold without nugget and error.
    truth : RegionTruth
    settings : RegionSettings
        What was asked for.
    elements, pathfinders : tuple of str
    """

    samples: pd.DataFrame
    censored: pd.DataFrame
    units: dict[str, str]
    occurrences: pd.DataFrame
    lithology: pd.DataFrame
    faults: pd.DataFrame
    values: pd.DataFrame
    truth: RegionTruth
    settings: RegionSettings

    @property
    def elements(self) -> tuple[str, ...]:
        """All elements, in the order of the table."""
        return ELEMENTS

    @property
    def pathfinders(self) -> tuple[str, ...]:
        """Elements that deposits of the plan raise."""
        return self.truth.plan.pathfinders

    def grid(self, spacing: float | tuple[float, float] | None = None) -> xr.Dataset:
        """Empty grid that covers the district.

        Parameters
        ----------
        spacing : float or (northing, easting), optional
            Size of a cell [m]; default that of the district.

        Returns
        -------
        grid : Dataset
            For ``truth.on_grid(grid)``, or to krige into.
        """
        return make_grid(
            self.settings.region, self.settings.spacing if spacing is None else spacing
        )

    def source(self, kind: str = "same") -> SimulatedRegion:
        """A well explored district to learn from, of the same or of another type of deposit.

        Parameters
        ----------
        kind : {"same", "other"}, default "same"
            "same" shares the elements and the shape of the haloes with this district, "other" does
            not. All else, fields, rocks, faults and places, is drawn anew.

        Returns
        -------
        source : SimulatedRegion
            The same each time; all of its deposits are known.

        Raises
        ------
        ValueError
            If `kind` is neither.
        """
        check_option("kind", kind, SOURCES)
        return _simulate(_as_source(self.settings, kind), SOURCES.index(kind) + 1)

    def write(self, folder: str | Path) -> dict[str, Path]:
        """Write what a user would get as CSV files, and nothing of the truth.

        Parameters
        ----------
        folder : path
            Made if it is not there; files of the same names are replaced.

        Returns
        -------
        paths : dict
            "samples", with "<0.1" below detection; "occurrences", only the known ones; "faults",
            one row a vertex; "lithology", one row a cell of the geological map.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        known = self.occurrences[self.occurrences["is_known"]].drop(columns="is_known")
        texts = {
            "samples": table_text(self.samples, censored=self.censored),
            "occurrences": table_text(known),
            "faults": table_text(self.faults),
            "lithology": table_text(self.lithology),
        }
        paths = {name: target / f"{name}.csv" for name in texts}
        for name, text in texts.items():
            write_whole(paths[name], text)
        return paths


def simulate_region(
    plan: str = "porphyry",
    *,
    signal: str = "pattern",
    n_deposits: int = 150,
    n_known: int = 30,
    n_decoys: int | None = None,
    n_samples: int | None = None,
    source: str | None = None,
    spacing: float = 500.0,
    shape: Sequence[int] = (200, 200),
    discovery_bias: float = 1.0,
    halo_factor: float = 1.0,
    error_factor: float = 1.0,
    limit_factor: float = 1.0,
    random_state: int | np.random.Generator | None = 0,
) -> SimulatedRegion:
    """A survey of a district whose deposits are known to us, though not all to its explorers.

    Fourteen elements vary together, step at the contacts of four rocks, rise at faults, and more so
    about deposits, which lie near faults. Use "pattern" where a method shall find shapes, and
    "value" where none is to be found, as on many a coarse map: a method that wins in the first
    world must not lose in the second.

    Parameters
    ----------
    plan : {"porphyry", "tin"}, default "porphyry"
        Type of the deposits: Cu, Mo and Au within a ring of Pb, Zn, Ag and As; or Sn, W and Li
        within one of Bi, Sb and As, wider and rounder.
    signal : {"pattern", "value"}, default "pattern"
        "pattern": haloes are zoned, and decoys have all their values without their ring. "value":
        haloes are no wider than a cell or two and unzoned, a smooth fertility raises pathfinders
        and deposits alike, and decoys raise one element.
    n_deposits, n_known : int, default 150 and 30
        Deposits in all, and those discovered.
    n_decoys : int, optional
        Default twice the deposits.
    n_samples : int, optional
        Default one on four cells.
    source : {"same", "other"}, optional
        Simulate in place of the district the one that its `SimulatedRegion.source` gives, of the
        same settings and seed.
    spacing : float, default 500
        Size of a cell [m]. All lengths of the district follow it.
    shape : (n_northing, n_easting), default (200, 200)
        Cells; 32 or more a side. The south-west corner is at 0, 0.
    discovery_bias : float, default 1
        How much rather strong haloes are discovered: change of the log of the odds with one
        standard deviation of the log of the strength. 0 for none.
    halo_factor : float, default 1
        Factor on all haloes; 0 for none, so that there is nothing to find in a "pattern".
    error_factor, limit_factor : float, default 1
        Factors on nugget and errors of the samples and on limits of detection; 0 for none.
    random_state : int, Generator or None, default 0

    Returns
    -------
    simulated : SimulatedRegion

    Raises
    ------
    ValueError
        If an option is unknown, a number is out of range, or deposits and decoys find no room.

    Notes
    -----
    ln c = ln(background) + rock + fault exp(-d / 1 cell) + scatter + ln(1 + halo), where a halo is
    g A f(r): g its strength, A = exp(contrast spread) - 1, and r the radius in an ellipse along the
    fault [cells]. Cores are f = exp(-½ (r / s)²), rings f = exp(-½ ((r - q) / w)²). The ring of a
    decoy is gathered into a patch with f = exp(-½ (r² / 4qw)²) up to r = 2q and as the ring beyond,
    whose middle lies 2q away: as much ground has each value, and in its middle a decoy equals a
    deposit in all elements.

    Examples
    --------
    >>> simulated = simulate_region(n_deposits=20, n_known=5, shape=(60, 60))
    >>> simulated.samples.shape, simulated.occurrences["is_known"].sum()
    ((900, 18), np.int64(5))
    >>> simulated.pathfinders
    ('Cu', 'Mo', 'Au', 'Pb', 'Zn', 'Ag', 'As')
    >>> simulated.source("other").pathfinders
    ('Bi', 'As', 'Sb', 'Sn', 'W', 'Li')
    """
    check_option("plan", plan, list(REGION_PLANS))
    check_option("signal", signal, SIGNALS)
    if source is not None:
        check_option("source", source, SOURCES)
    rows, columns = _check_shape(shape)
    settings = RegionSettings(
        plan=plan,
        signal=signal,
        shape=(rows, columns),
        spacing=float(spacing),
        n_deposits=n_deposits,
        n_known=n_known,
        n_decoys=2 * n_deposits if n_decoys is None else n_decoys,
        n_samples=rows * columns // _CELLS_OF_A_SAMPLE if n_samples is None else n_samples,
        discovery_bias=discovery_bias,
        halo_factor=halo_factor,
        error_factor=error_factor,
        limit_factor=limit_factor,
        family=int(check_random_state(random_state).integers(2**62)),
    )
    _check_settings(settings)
    if source is None:
        return _simulate(settings, 0)
    return _simulate(_as_source(settings, source), SOURCES.index(source) + 1)


def _simulate(settings: RegionSettings, district: int) -> SimulatedRegion:
    """Simulate one district of a family of seeds."""
    rng = np.random.default_rng([settings.family, district])
    truth = RegionTruth(make_region(settings, rng))
    occurrences = _discover(truth, rng)
    taken = take_samples(truth, rng)
    cells = lattice_of(settings)
    lithology = pd.DataFrame(cells, columns=["easting", "northing"])
    lithology["lithology"] = truth.lithology(cells)
    return SimulatedRegion(
        samples=taken.table,
        censored=taken.censored,
        units=dict(UNITS),
        occurrences=occurrences,
        lithology=lithology,
        faults=truth.world.faults,
        values=taken.values,
        truth=truth,
        settings=settings,
    )


def _as_source(settings: RegionSettings, kind: str) -> RegionSettings:
    """Settings of the source of a district: all of its deposits are known."""
    plan = settings.plan if kind == "same" else OTHER_PLAN[settings.plan]
    return replace(settings, plan=plan, n_known=settings.n_deposits)


def _discover(truth: RegionTruth, rng: np.random.Generator) -> pd.DataFrame:
    """Deposits, row by row as in the truth, and which of them are known: rather the strong."""
    settings = truth.world.settings
    logs = np.log(truth.deposits["strength"].to_numpy())
    scores = (logs - logs.mean()) / max(logs.std(), 1e-12)
    # Gumbel's trick: the order of a weighted draw without replacement
    order = np.argsort(-(settings.discovery_bias * scores + rng.gumbel(size=len(scores))))
    is_known = np.zeros(len(scores), dtype=bool)
    is_known[order[: settings.n_known]] = True
    table = truth.deposits[["easting", "northing"]].copy()
    table["name"] = [f"Prospect {k + 1}" for k in range(len(table))]
    table["is_known"] = is_known
    table["type"] = settings.plan
    return table


def _check_shape(shape: Sequence[int]) -> tuple[int, int]:
    sides = tuple(int(n) for n in shape)
    if len(sides) != 2 or min(sides) < _SMALLEST or sides != tuple(shape):
        raise ValueError(
            f"shape must be two whole numbers of cells (n_northing, n_easting), {_SMALLEST} or more"
            f" each, got {shape}. Take a smaller spacing for a small district."
        )
    return sides[0], sides[1]


def _check_settings(settings: RegionSettings) -> None:
    counts = (settings.n_deposits, settings.n_known, settings.n_decoys, settings.n_samples)
    if not (1 <= settings.n_known <= settings.n_deposits and counts[2] >= 0 and counts[3] >= 10):
        raise ValueError(
            "n_deposits must be 1 or more, n_known from 1 to n_deposits, n_decoys 0 or more and"
            f" n_samples 10 or more, got {counts}. Use the defaults."
        )
    room = int(np.prod([n - 2 * EDGE for n in settings.shape]) // _CELLS_OF_A_BODY)
    if settings.n_deposits + settings.n_decoys > room:
        raise ValueError(
            f"There is room for {room} deposits and decoys, got"
            f" {settings.n_deposits + settings.n_decoys}. Ask for fewer, or for a larger shape."
        )
    if not (np.isfinite(settings.spacing) and settings.spacing > 0):
        raise ValueError(f"spacing must be positive [m], got {settings.spacing}. 500 is usual.")
    for name in ("discovery_bias", "halo_factor", "error_factor", "limit_factor"):
        value = getattr(settings, name)
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{name} must be 0 or more, got {value}. 1 is usual.")
