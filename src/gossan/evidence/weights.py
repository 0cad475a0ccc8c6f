"""Weights of evidence: how much each class of a layer speaks for or against deposits.

A layer of classes or ordered values and the deposits in its cells come in; weights, contrast and
their errors go out, and with them a pattern that `gossan.evidence.posterior` combines.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import GossanWarning, check_option

__all__ = [
    "EvidencePattern",
    "EvidenceWeights",
    "evidence_weights",
    "weights_of_counts",
]

Floats = NDArray[np.float64]

KINDS = ("categorical", "ascending", "descending")
CORRECTIONS = ("half", "arcsdm", "none")
CRITERIA = ("studentised", "contrast")
_MOST_CLASSES = 5000


@dataclass(frozen=True, eq=False)
class EvidencePattern:
    """One layer of evidence, its classes weighed.

    Attributes
    ----------
    kind : {"categorical", "ascending", "descending"}
        How the values of the layer are read.
    threshold : float
        Of an ordered layer: its favourable side reaches from the low ("ascending") or high end up
        to and with it. NaN for a categorical one.
    table : DataFrame
        One row a class ("in" and "out", or the categories): `weight`, `s_weight` (its standard
        error) and `share` (of the known area).
    """

    kind: str
    threshold: float
    table: pd.DataFrame

    def codes(self, values: ArrayLike) -> NDArray[np.int64]:
        """Row number of the class of each value in `table`; -1 where it is missing or unknown.

        Parameters
        ----------
        values : array of any shape

        Returns
        -------
        codes : int array of the shape of `values`
        """
        found = np.asarray(values, dtype=float)
        if self.kind == "categorical":
            order = np.argsort(self.table.index.to_numpy(dtype=float))
            classes = self.table.index.to_numpy(dtype=float)[order]
            place = np.minimum(np.searchsorted(classes, found), len(classes) - 1)
            return np.where(classes[place] == found, order[place], -1)
        is_in = found <= self.threshold if self.kind == "ascending" else found >= self.threshold
        return np.where(np.isnan(found), -1, np.where(is_in, 0, 1))


@dataclass(frozen=True, eq=False)
class EvidenceWeights:
    """Weights of the classes of a layer, or of all its cumulative thresholds.

    Attributes
    ----------
    kind : {"categorical", "ascending", "descending"}
    table : DataFrame
        One row a class, or a threshold in the order of accumulation: `area` [unit areas] and
        `deposits` in it, `w_plus`, `s_plus`, `w_minus`, `s_minus`, `contrast`, `s_contrast` and
        `studentised` (contrast over its standard error).
    area : float
        Known area [unit areas].
    n_deposits : float
        Deposits in the known area.
    n_missing : int
        Cells without evidence.
    n_deposits_missing : float
        Deposits in such cells; they count for nothing here.
    """

    kind: str
    table: pd.DataFrame
    area: float
    n_deposits: float
    n_missing: int
    n_deposits_missing: float

    @property
    def prior(self) -> float:
        """Deposits for each unit area."""
        return self.n_deposits / self.area

    def best_threshold(self, criterion: str = "studentised") -> float:
        """Threshold of an ordered layer with the greatest contrast, plain or studentised.

        Parameters
        ----------
        criterion : {"studentised", "contrast"}, default "studentised"
            The plain contrast is often greatest at the edge of the table, where one deposit
            decides.

        Returns
        -------
        threshold : float
            NaN if the layer is categorical or no contrast is positive.

        Raises
        ------
        ValueError
            If the criterion is unknown.
        """
        check_option("criterion", criterion, CRITERIA)
        score = self.table[criterion]
        if self.kind == "categorical" or not (score > 0).any():
            return float("nan")
        return float(score.idxmax())  # type: ignore[arg-type]

    def pattern(
        self,
        threshold: float | None = None,
        *,
        criterion: str = "studentised",
        least_studentised: float = 0.0,
    ) -> EvidencePattern:
        """Pattern to combine: two classes of an ordered layer, all those of a categorical one.

        Parameters
        ----------
        threshold : float, optional
            A row of `table`. Default: `best_threshold(criterion)`.
        criterion : {"studentised", "contrast"}, default "studentised"
        least_studentised : float, default 0
            Classes whose studentised contrast is nearer to zero than this get weight 0; 1.96 keeps
            what differs from none at 95 %, one class at a time.

        Returns
        -------
        pattern : EvidencePattern

        Raises
        ------
        ValueError
            If the threshold is not in the table, or none has a positive contrast.
        """
        if self.kind == "categorical":
            table = self.table
            pieces = pd.DataFrame(
                {
                    "weight": table["w_plus"],
                    "s_weight": table["s_plus"],
                    "share": table["area"] / self.area,
                }
            )
            silent = ~(table["studentised"].abs() >= least_studentised) | table["w_plus"].isna()
            pieces.loc[silent, ["weight", "s_weight"]] = 0.0
            return EvidencePattern(self.kind, float("nan"), pieces)
        chosen = self.best_threshold(criterion) if threshold is None else float(threshold)
        if chosen not in self.table.index:
            raise ValueError(
                f"Threshold {chosen:g} is not among the {len(self.table)} values of the layer"
                f" ({self.table.index.min():g} to {self.table.index.max():g}), or no contrast is"
                " positive. Give one of them, or another kind."
            )
        row = self.table.loc[chosen]
        pieces = pd.DataFrame(
            {
                "weight": [row["w_plus"], row["w_minus"]],
                "s_weight": [row["s_plus"], row["s_minus"]],
                "share": [row["area"] / self.area, 1 - row["area"] / self.area],
            },
            index=["in", "out"],
        )
        if not abs(row["studentised"]) >= least_studentised:
            pieces[["weight", "s_weight"]] = 0.0
        return EvidencePattern(self.kind, chosen, pieces)


def evidence_weights(
    evidence: ArrayLike,
    deposits: ArrayLike,
    *,
    kind: str = "categorical",
    cell_area: float = 1.0,
    cuts: ArrayLike | int | None = None,
    correction: str = "half",
) -> EvidenceWeights:
    """Weights of evidence of one layer [BonhamCarter1989]_.

    Fit them inside each fold: the deposits that a score is tested on must not weigh the layer.

    Parameters
    ----------
    evidence : array of any shape
        Codes of classes, or ordered values such as a distance; NaN is missing.
    deposits : array of the shape of `evidence`
        Number of deposits in each cell; `count_in_cells` makes it.
    kind : {"categorical", "ascending", "descending"}, default "categorical"
        Ordered values are accumulated from the low end ("ascending", for distances) or from the
        high end ("descending", for concentrations).
    cell_area : float, default 1
        Area of a cell in unit areas. The unit is the ground that one deposit takes: weights hardly
        depend on it, probabilities are for one unit.
    cuts : array or int, optional
        Thresholds tried for ordered values, or how many quantiles of them. Default: every value.
    correction : {"half", "arcsdm", "none"}, default "half"
        Where a class holds no deposit or all of them: "half" adds 0.5 to its four counts, "arcsdm"
        does as the tool of that name (weight 0 without a deposit, 0.99 deposits moved out),
        "none" leaves NaN.

    Returns
    -------
    weights : EvidenceWeights

    Raises
    ------
    ValueError
        If shapes differ, there is no deposit in the known area, deposits are negative or take more
        room than there is, or there are too many classes.

    Examples
    --------
    >>> distance = np.repeat([100.0, 200.0, 300.0], [100, 300, 600])
    >>> deposits = np.zeros(1000)
    >>> deposits[[3, 50, 99, 120, 800]] = 1
    >>> weights = evidence_weights(distance, deposits, kind="ascending")
    >>> weights.table[["area", "deposits", "w_plus", "w_minus", "studentised"]].round(3)
             area  deposits  w_plus  w_minus  studentised
    100.0   100.0       3.0   1.817   -0.814        2.862
    200.0   400.0       4.0   0.698   -1.102        1.607
    300.0  1000.0       5.0  -0.087    5.112       -2.542
    >>> weights.best_threshold()
    100.0
    """
    check_option("kind", kind, KINDS)
    check_option("correction", correction, CORRECTIONS)
    values, counts = _check_cells(evidence, deposits, cell_area)
    known = ~np.isnan(values)
    lost = float(counts[~known].sum())
    if lost:
        warnings.warn(
            f"{lost:g} of {counts.sum():g} deposits lie where the evidence is missing; they are"
            " left out.",
            GossanWarning,
            stacklevel=2,
        )
    values, counts = values[known], counts[known]
    if not counts.sum() > 0:
        raise ValueError(
            "Weights need a deposit in the known area, got none. Check the coordinates and the CRS"
            " of the deposits."
        )
    classes, places = _classes(values, kind, cuts)
    n_cells = np.bincount(places, minlength=len(classes))
    held = np.bincount(places, counts, len(classes))
    area, n_deposits = len(values) * cell_area, float(counts.sum())
    if kind != "categorical":
        n_cells, held = np.cumsum(n_cells), np.cumsum(held)
    table = weights_of_counts(
        n_cells * cell_area, held, area=area, n_deposits=n_deposits, correction=correction
    )
    table.index = pd.Index(classes)
    return EvidenceWeights(kind, table, area, n_deposits, int((~known).sum()), lost)


def weights_of_counts(
    area_in: ArrayLike,
    deposits_in: ArrayLike,
    *,
    area: float,
    n_deposits: float,
    correction: str = "half",
) -> pd.DataFrame:
    """Weights of evidence of patterns given by their areas and deposits.

    W+ = ln[P(in | deposit) / P(in | none)], W- the same for "out", contrast C = W+ - W-; variances
    are sums of one over the counts [BonhamCarter1989]_. Each deposit takes one unit area.

    Parameters
    ----------
    area_in, deposits_in : array of shape (n,)
        Area [unit areas] and deposits of each pattern.
    area, n_deposits : float
        The same for the whole ground.
    correction : {"half", "arcsdm", "none"}, default "half"
        As in `evidence_weights`.

    Returns
    -------
    table : DataFrame of shape (n, 9)
        See `EvidenceWeights`.

    Raises
    ------
    ValueError
        If the deposits take more room than there is, or the correction is unknown.

    Examples
    --------
    >>> table = weights_of_counts([1307.42], [40], area=31311.33, n_deposits=258)
    >>> table[["w_plus", "w_minus", "contrast", "studentised"]].round(4).to_numpy()
    array([[ 1.3346, -0.1268,  1.4614,  8.3806]])
    """
    check_option("correction", correction, CORRECTIONS)
    if not 0 < n_deposits < area:
        raise ValueError(
            f"{n_deposits:g} deposits do not fit into {area:g} unit areas. Take a smaller unit area,"
            " so that each deposit has one."
        )
    b, d = np.atleast_1d(np.asarray(area_in, float)), np.atleast_1d(np.asarray(deposits_in, float))
    inside, with_deposit = b.copy(), d.copy()
    is_empty = d == 0
    if correction == "arcsdm":
        d = np.where(d == n_deposits, d - 0.99, d)
        b = np.where(area - b <= n_deposits - d, area + d - n_deposits - 0.99, b)
        b = np.where(b - d <= 0, d + 1, b)
    # Deposits and barren unit areas, in the pattern and out of it.
    cells = np.array([d, n_deposits - d, b - d, area - b - n_deposits + d])
    if correction == "half":
        cells = cells + 0.5 * (cells <= 0).any(axis=0)
    cells = np.where((cells > 0).all(axis=0), cells, np.nan)
    hit, miss, barren_in, barren_out = cells
    w_plus = np.log(hit / (hit + miss)) - np.log(barren_in / (barren_in + barren_out))
    w_minus = np.log(miss / (hit + miss)) - np.log(barren_out / (barren_in + barren_out))
    v_plus, v_minus = 1 / hit + 1 / barren_in, 1 / miss + 1 / barren_out
    if correction == "arcsdm":
        w_plus, w_minus = (np.where(is_empty, 0.0, w) for w in (w_plus, w_minus))
        v_plus, v_minus = (np.where(is_empty, 0.0, v) for v in (v_plus, v_minus))
    contrast, spread = w_plus - w_minus, np.sqrt(v_plus + v_minus)
    studentised = np.divide(contrast, spread, out=np.zeros_like(contrast), where=spread != 0)
    return pd.DataFrame(
        {
            "area": inside,
            "deposits": with_deposit,
            "w_plus": w_plus,
            "s_plus": np.sqrt(v_plus),
            "w_minus": w_minus,
            "s_minus": np.sqrt(v_minus),
            "contrast": contrast,
            "s_contrast": spread,
            "studentised": studentised,
        }
    )


def _check_cells(
    evidence: ArrayLike, deposits: ArrayLike, cell_area: float
) -> tuple[Floats, Floats]:
    """Return evidence and deposits cell by cell, flat."""
    values, counts = np.asarray(evidence, dtype=float), np.asarray(deposits, dtype=float)
    if values.shape != counts.shape:
        raise ValueError(
            f"Evidence has shape {values.shape}, deposits {counts.shape}. Give the number of"
            " deposits in each cell; count_in_cells makes it."
        )
    if not (counts >= 0).all():
        raise ValueError(
            f"Deposits must be counts, got {(~(counts >= 0)).sum()} that are negative or missing."
            " Give 0 where there is none."
        )
    if not cell_area > 0:
        raise ValueError(f"cell_area must be positive, got {cell_area}. Give it in unit areas.")
    return values.ravel(), counts.ravel()


def _classes(
    values: Floats, kind: str, cuts: ArrayLike | int | None
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the classes, in the order of accumulation, and the place of each value in them."""
    if kind == "categorical" or cuts is None:
        classes, places = np.unique(values, return_inverse=True)
    else:
        edges = np.asarray(cuts, dtype=float)
        if edges.ndim == 0:
            ranks = np.linspace(0, 1, int(edges) + 1)
            edges = np.quantile(values, ranks, method="inverted_cdf")
        ends = np.array([values.min(), values.max()])
        classes = np.unique(np.clip(edges, *ends).tolist() + ends.tolist())
        if kind == "ascending":
            places = np.searchsorted(classes, values, side="left")
        else:
            places = np.searchsorted(classes, values, side="right") - 1
    if len(classes) > _MOST_CLASSES:
        raise ValueError(
            f"The layer has {len(classes)} different values, more than {_MOST_CLASSES}. Give cuts,"
            " such as cuts=100, or check that it holds classes."
        )
    if kind == "descending":
        return classes[::-1], len(classes) - 1 - places
    return classes, places
