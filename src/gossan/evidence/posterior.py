"""Posterior probability: layers of evidence combined, and whether they may be combined at all.

Layers and their weighed patterns come in; the probability of a deposit in each unit area, its
standard error, and tests of conditional independence go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import chi2, norm

from gossan.data.grids.grid import add_layer, check_grid
from gossan.evidence.weights import EvidencePattern

__all__ = ["Posterior", "add_posterior", "combine_evidence", "pairwise_independence"]

Floats = NDArray[np.float64]

_MOST_KEYS = 5_000_000  # combinations of classes that a table may hold


@dataclass(frozen=True, eq=False)
class Posterior:
    """Probability of a deposit in a unit area, cell by cell.

    Attributes
    ----------
    probability : array of the shape of the layers
        NaN where all layers are missing.
    std : array of the same shape
        Standard error, from the weights and from what is missing.
    conditions : DataFrame
        One row for each combination of classes that occurs: class numbers of each layer (-1 is
        missing), `cells`, `probability`, `std`, and `std_missing`, the part of the error that
        comes from missing layers.
    prior : float
        Probability before any evidence.
    n_deposits : float
        Deposits that made the weights.
    cell_area : float
        Area of a cell [unit areas].
    """

    probability: Floats
    std: Floats
    conditions: pd.DataFrame
    prior: float
    n_deposits: float
    cell_area: float

    @property
    def expected(self) -> float:
        """Deposits that the probabilities add up to, over the whole ground."""
        cells = self.conditions["cells"] * self.cell_area
        return float((cells * self.conditions["probability"]).sum())

    def independence(self) -> pd.Series:
        """Tests of conditional independence: whether the probabilities add up to the deposits.

        Layers that say the same twice make probabilities too high. The omnibus test is the ratio of
        observed to expected deposits, the Agterberg-Cheng test the one-sided significance of their
        difference [AgterbergCheng2002]_. A violation leaves the ranks of the cells of use, but not
        their probabilities.

        Returns
        -------
        tests : Series
            `observed`, `expected`, `ratio` (observed over expected; below 0.85 is a usual alarm),
            `std` (of expected), `z`, and `p_value` of an excess this large under independence.
        """
        table = self.conditions
        std = float(np.sqrt(((table["cells"] * self.cell_area * table["std"]) ** 2).sum()))
        z = (self.expected - self.n_deposits) / std if std > 0 else np.nan
        return pd.Series(
            {
                "observed": self.n_deposits,
                "expected": self.expected,
                "ratio": self.n_deposits / self.expected,
                "std": std,
                "z": z,
                "p_value": float(norm.sf(z)),
            }
        )


def combine_evidence(
    layers: Mapping[str, ArrayLike],
    patterns: Mapping[str, EvidencePattern],
    *,
    n_deposits: float,
    cell_area: float = 1.0,
    prior: float | None = None,
) -> Posterior:
    """Posterior probability of a deposit, the weights of all layers added to the prior logit.

    A layer that is missing in a cell adds nothing but error [Agterberg1990]_. The sum holds if the
    layers are independent of each other among deposits and among barren ground: see
    `Posterior.independence` and `pairwise_independence`.

    Parameters
    ----------
    layers : mapping of name to array
        Values of each layer, all of one shape; NaN is missing.
    patterns : mapping of name to EvidencePattern
        For each layer, from `EvidenceWeights.pattern`.
    n_deposits : float
        Deposits that made the weights.
    cell_area : float, default 1
        Area of a cell [unit areas], as in `evidence_weights`.
    prior : float, optional
        Default: deposits over the area in which a layer is known.

    Returns
    -------
    posterior : Posterior

    Raises
    ------
    ValueError
        If names or shapes differ, no cell is known, or the prior is no probability.

    Examples
    --------
    >>> table = pd.DataFrame({"weight": [1.0, -0.5], "s_weight": [0.3, 0.2], "share": [0.2, 0.8]})
    >>> near = EvidencePattern("ascending", 500.0, table)
    >>> layers, patterns = {"fault": [[100.0, 900.0]]}, {"fault": near}
    >>> answer = combine_evidence(layers, patterns, n_deposits=20, prior=0.01)
    >>> answer.probability.round(4), answer.std.round(4)
    (array([[0.0267, 0.0061]]), array([[0.01  , 0.0018]]))
    """
    _check_names(layers, patterns)
    codes = {name: patterns[name].codes(np.asarray(layers[name])) for name in patterns}
    shapes = {name: found.shape for name, found in codes.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"Layers differ in shape: {shapes}. Bring them onto one grid.")
    shape = next(iter(shapes.values()))
    rows = np.column_stack([found.ravel() for found in codes.values()])
    known = (rows >= 0).any(axis=1)
    if not known.any():
        raise ValueError("No cell has evidence: all layers are missing. Check their no-data value.")
    if prior is None:
        prior = n_deposits / (known.sum() * cell_area)
    if not 0 < prior < 1:
        raise ValueError(
            f"The prior must be between 0 and 1, got {prior:g}. Check n_deposits and cell_area."
        )
    unique, place, cells = _unique_rows(rows[known])
    table = _probabilities(unique, list(patterns.values()), prior, n_deposits)
    conditions = pd.DataFrame(unique, columns=list(patterns)).assign(cells=cells, **table)
    probability, std = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    probability[known], std[known] = table["probability"][place], table["std"][place]
    return Posterior(
        probability.reshape(shape), std.reshape(shape), conditions, prior, n_deposits, cell_area
    )


def pairwise_independence(
    layers: Mapping[str, ArrayLike], patterns: Mapping[str, EvidencePattern], deposits: ArrayLike
) -> pd.DataFrame:
    """Chi-squared test, for each pair of layers, of whether they are independent at the deposits.

    Parameters
    ----------
    layers, patterns : mapping of name to array, of name to EvidencePattern
        As in `combine_evidence`.
    deposits : array of the shape of a layer
        Number of deposits in each cell.

    Returns
    -------
    tests : DataFrame
        One row a pair: `first`, `second`, `deposits` (where both are known), `chi2` (with Yates'
        correction for two by two classes), `df` and `p_value`; NaN where a class is all there is.

    Raises
    ------
    ValueError
        If names or shapes differ.
    """
    _check_names(layers, patterns)
    counts = np.asarray(deposits, dtype=float).ravel()
    at = np.flatnonzero(counts > 0)
    codes = {}
    for name, pattern in patterns.items():
        found = np.asarray(layers[name], dtype=float).ravel()
        if len(found) != len(counts):
            raise ValueError(
                f"Layer {name!r} has {len(found)} cells, deposits {len(counts)}. Bring them onto"
                " one grid."
            )
        codes[name] = pattern.codes(found[at])
    names = list(codes)
    rows = []
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            both = (codes[first] >= 0) & (codes[second] >= 0)
            crossed = pd.crosstab(
                codes[first][both], codes[second][both], counts[at][both], aggfunc="sum"
            )
            statistic, freedom = _chi_squared(np.nan_to_num(crossed.to_numpy(dtype=float)))
            rows.append(
                {
                    "first": first,
                    "second": second,
                    "deposits": float(counts[at][both].sum()),
                    "chi2": statistic,
                    "df": freedom,
                    "p_value": float(chi2.sf(statistic, freedom)) if freedom else np.nan,
                }
            )
    return pd.DataFrame(rows)


def add_posterior(
    grid: xr.Dataset,
    patterns: Mapping[str, EvidencePattern],
    *,
    n_deposits: float,
    cell_area: float = 1.0,
    prior: float | None = None,
    name: str = "posterior",
) -> tuple[xr.Dataset, Posterior]:
    """Grid with the posterior probability of its layers and the standard error.

    Parameters
    ----------
    grid : Dataset
        With a layer for each pattern.
    patterns : mapping of layer name to EvidencePattern
    n_deposits, cell_area, prior : float
        As in `combine_evidence`.
    name : str, default "posterior"
        The layers are called "<name>" and "<name>_std".

    Returns
    -------
    grid : Dataset
        With two float64 layers.
    posterior : Posterior

    Raises
    ------
    ValueError
        If the grid lacks a layer, or as `combine_evidence`.
    """
    grid = check_grid(grid)
    layers = {key: grid[key].to_numpy() for key in patterns if key in grid}
    answer = combine_evidence(
        layers, patterns, n_deposits=n_deposits, cell_area=cell_area, prior=prior
    )
    grid = add_layer(grid, name, answer.probability, long_name="posterior probability")
    return add_layer(grid, f"{name}_std", answer.std, long_name="its standard error"), answer


def _check_names(layers: Mapping[str, ArrayLike], patterns: Mapping[str, EvidencePattern]) -> None:
    absent = [name for name in patterns if name not in layers]
    if absent or not patterns:
        raise ValueError(
            f"Each pattern needs a layer of its name; without one: {absent or 'no pattern given'}."
            f" There are layers {list(layers)}."
        )


def _unique_rows(
    rows: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the different rows, which of them each row is, and how often each occurs."""
    bases = rows.max(axis=0) + 2  # -1 is a code too
    if np.prod(bases.astype(float)) > _MOST_KEYS:
        unique, place, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
        return unique, place.ravel(), counts
    keys = np.ravel_multi_index(tuple(rows.T + 1), tuple(bases))
    counts = np.bincount(keys)
    held = np.flatnonzero(counts)
    place = np.empty(len(counts), dtype=np.int64)
    place[held] = np.arange(len(held))
    unique = np.column_stack(np.unravel_index(held, tuple(bases))) - 1
    return unique, place[keys], counts[held]


def _probabilities(
    unique: NDArray[np.int64], patterns: list[EvidencePattern], prior: float, n_deposits: float
) -> dict[str, Floats]:
    """Return probability and errors of each combination of classes."""
    total, variance = np.full(len(unique), logit(prior)), np.full(len(unique), 1 / n_deposits)
    for codes, pattern in zip(unique.T, patterns, strict=True):
        has = codes >= 0
        total[has] += pattern.table["weight"].to_numpy()[codes[has]]
        variance[has] += pattern.table["s_weight"].to_numpy()[codes[has]] ** 2
    probability = expit(total)
    missing = np.zeros(len(unique))
    for codes, pattern in zip(unique.T, patterns, strict=True):
        # What the layer would have said, class by class, weighed by the share of the class.
        told = expit(total[:, None] + pattern.table["weight"].to_numpy())
        spread = ((told - probability[:, None]) ** 2) @ pattern.table["share"].to_numpy()
        missing += np.where(codes < 0, spread, 0.0)
    return {
        "probability": probability,
        "std": np.sqrt(variance * probability**2 + missing),
        "std_missing": np.sqrt(missing),
    }


def _chi_squared(table: Floats) -> tuple[float, int]:
    """Return chi-squared and its degrees of freedom; NaN and 0 if a side has one class only."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    if freedom < 1:
        return np.nan, 0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    gaps = np.abs(table - expected)
    if freedom == 1:
        gaps = np.maximum(gaps - 0.5, 0.0)
    return float((gaps**2 / expected).sum()), freedom
