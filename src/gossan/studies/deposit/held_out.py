"""Evidence of cells as it would stand had the holes beside them not been drilled.

Composites, places and labels come in; tables of evidence go out. A model that learns from the kriged
grade beside the hole that it was kriged from learns to read that hole, not the rock: its training
cells know their answer, and the cells it is asked about do not. So each training cell gets the
evidence of the other holes, and once more that of the holes above it.

Sources
-------
Wolpert (1992), Stacked generalization, Neural Networks 5, 241-259,
doi:10.1016/S0893-6080(05)80023-1 (learning from predictions that were held out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gossan.evidence.surroundings import mean_around
from gossan.geostat.covariance import VariogramModel
from gossan.geostat.kriging import Kriging
from gossan.studies.composites import AXES
from gossan.studies.deposit.indicators import Settings, indicator_table, kriging_of, quietly

N_HIDDEN = 5  # folds of holes that are hidden in turn
LEVELS = (0.3, 0.5, 0.7)  # shares of the composites below a level, hidden together
GAP = 30.0  # m above such a level, hidden too
LEAST_ORE = 5  # ore cells that a hidden part must have to teach anything
RADII = (60.0, 150.0)  # of the surroundings [m]
ABOVE, ABOVE_RADIUS = 120.0, 80.0  # of what lies above [m]
PLACES_AT_ONCE = 200_000


@dataclass(frozen=True, eq=False)
class Evidence:
    """What some composites tell of any place.

    Attributes
    ----------
    composites : DataFrame
        `hole`, the coordinates [m] and the elements.
    elements : tuple of str
    settings : Settings
    model : VariogramModel
        That all indicators share.
    """

    composites: pd.DataFrame
    elements: tuple[str, ...]
    settings: Settings
    model: VariogramModel

    def at(
        self, places: NDArray[np.float64], fault_distance: NDArray[np.float64] | None
    ) -> pd.DataFrame:
        """Evidence at places.

        Parameters
        ----------
        places : array of shape (n, 3)
            [m]
        fault_distance : array of shape (n,) or None
            [m]; None where no faults are known.

        Returns
        -------
        table : DataFrame of n rows
            First what is told from near by: the kriged indicators, "ore" leading, the distance to
            a fault and to a sample; then, in columns that begin with "around ", the kriged logs of
            the elements and their means round and above the place.
        """
        coords, logs = self._coords, self._logs
        kriged = np.concatenate(
            [
                np.asarray(quietly(self._kriging.predict, places[start : start + PLACES_AT_ONCE]))
                for start in range(0, len(places), PLACES_AT_ONCE)
            ]
        )
        near = dict(zip(self._indicators.columns, kriged.T, strict=False))
        if fault_distance is not None:
            near["fault distance"] = fault_distance
        near["sample distance"] = cKDTree(coords).query(places, workers=-1)[0]
        return pd.DataFrame({**near, **self._around(places, kriged[:, -logs.shape[1] :])})

    @cached_property
    def _indicators(self) -> pd.DataFrame:
        return indicator_table(self.composites, self.elements, self.settings)[0]

    @cached_property
    def _coords(self) -> NDArray[np.float64]:
        return self.composites[list(AXES)].to_numpy(dtype=float)

    @cached_property
    def _logs(self) -> NDArray[np.float64]:
        return np.log(self.composites[list(self.elements)].to_numpy(dtype=float))

    @cached_property
    def _kriging(self) -> Kriging:
        table = np.column_stack([self._indicators.to_numpy(), self._logs])
        holes = self.composites["hole"].to_numpy(dtype=str)
        return kriging_of(self._coords, table, holes=holes, model=self.model)

    def _around(
        self, places: NDArray[np.float64], kriged: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        coords, logs = self._coords, self._logs
        wide = {"": kriged}
        for radius in RADII:
            wide[f", {radius:g} m"] = mean_around(coords, logs, places, radius=radius)
        wide[", above"] = mean_around(
            coords, logs, places, radius=ABOVE_RADIUS, offset=(0.0, 0.0, ABOVE)
        )
        return {
            f"around {element}{how}": column
            for how, table in wide.items()
            for element, column in zip(self.elements, table.T, strict=True)
        }

    def of(self, kept: NDArray[np.bool_]) -> Evidence:
        """Return the evidence of some of the composites; the variogram stays."""
        return Evidence(self.composites[kept], self.elements, self.settings, self.model)


@dataclass(frozen=True, eq=False)
class HeldOutRows:
    """Training cells, each with the evidence of others.

    Attributes
    ----------
    table : DataFrame of n rows
        As of `Evidence.at`, the columns that all parts and the whole have.
    rows : int64 array of shape (n,)
        Which training cell each row is; a cell stands here once for its hole and once for each
        level that it lies below.
    """

    table: pd.DataFrame
    rows: NDArray[np.int64]


def held_out_rows(
    evidence: Evidence,
    places: NDArray[np.float64],
    labels: NDArray[np.int64],
    holes: NDArray,
    fault_distance: NDArray[np.float64] | None,
    *,
    random_state: int = 0,
) -> HeldOutRows:
    """Evidence of training cells, without the hole beside each and without the holes below.

    Parameters
    ----------
    evidence : Evidence
        Of all composites that may be learned from.
    places : array of shape (n, 3)
        Training cells [m].
    labels : int array of shape (n,)
        1 ore, 0 barren.
    holes : array of shape (n,)
        Hole beside each.
    fault_distance : array of shape (n,) or None
    random_state : int
        Of the folds of holes.

    Returns
    -------
    rows : HeldOutRows
    """
    own = evidence.composites["hole"].to_numpy(dtype=str)
    names = np.unique(own)
    fold_of = np.random.default_rng(random_state).permutation(len(names)) % N_HIDDEN
    of_composites = fold_of[np.searchsorted(names, own)]
    of_cells = fold_of[np.searchsorted(names, np.asarray(holes, dtype=str))]
    parts = [(of_composites != fold, of_cells == fold) for fold in range(N_HIDDEN)]
    levels = evidence.composites["elevation"].to_numpy(dtype=float)
    for share in LEVELS:
        level = np.quantile(levels, share)
        below = places[:, 2] < level
        if labels[below].sum() >= LEAST_ORE:
            parts.append((levels >= level + GAP, below))
    told = [
        (
            evidence.of(kept).at(
                places[asked], None if fault_distance is None else fault_distance[asked]
            ),
            np.flatnonzero(asked),
        )
        for kept, asked in parts
        if asked.any() and kept.any()
    ]
    # A part may lack an indicator that another has: its factor may be of other elements.
    whole = evidence.at(places[:1], None if fault_distance is None else fault_distance[:1])
    shared = [name for name in whole if all(name in table for table, _ in told)]
    return HeldOutRows(
        pd.concat([table[shared] for table, _ in told], ignore_index=True),
        np.concatenate([rows for _, rows in told]),
    )


def near_columns(names: Sequence[str]) -> list[str]:
    """Columns of evidence from near by.

    Examples
    --------
    >>> near_columns(["ore", "around As"])
    ['ore']
    """
    return [name for name in names if not name.startswith("around ")]
