"""What a score may owe to having seen the answer: every leak between train and test, by name.

A table, labels, groups and folds come in; a printed report of findings goes out, each with how
many rows it touches and what to do about it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.spatial import cKDTree
from sklearn.tree import DecisionTreeClassifier

from gossan._checks import check_labels, check_table

_MOST_ROWS = 20_000  # enough to see that one column tells the classes apart
SEVERITIES = ("refused", "leak", "note")
_POSITION = re.compile(
    r"(easting|northing|longitude|latitude|lat|lon|long|elevation|coord\w*|utm\w*|"
    r"[xyz]_?(coord\w*|m|utm)|(coord\w*|utm)_?[xyz])",
    re.IGNORECASE,
)
_DISTANCE = re.compile(
    r"(dist|prox|near).*(known|deposit|mine|occurrence|ore|prospect|showing|target)", re.IGNORECASE
)


@dataclass(frozen=True)
class Leak:
    """One finding of the leakage report.

    Attributes
    ----------
    name : str
        Short name, such as "group in train and test".
    severity : {"refused", "leak", "note"}
        "refused": the score must not be reported; "leak": it is too good; "note": know this.
    count : int
        Rows, columns or groups touched.
    sentence : str
        What was found and what to do.
    """

    name: str
    severity: str
    count: int
    sentence: str

    def __str__(self) -> str:
        return f"[{self.severity}] {self.name}: {self.sentence}"


@dataclass(frozen=True)
class LeakageReport:
    """All findings, the worst first.

    Attributes
    ----------
    findings : tuple of Leak
        Empty when nothing was found.
    n_rows, n_folds : int
        What was looked at.
    """

    findings: tuple[Leak, ...]
    n_rows: int
    n_folds: int

    @property
    def is_clean(self) -> bool:
        """Whether there is neither a refused finding nor a leak (notes pass)."""
        return all(finding.severity == "note" for finding in self.findings)

    @property
    def refused(self) -> tuple[Leak, ...]:
        """Findings that forbid reporting the score."""
        return tuple(f for f in self.findings if f.severity == "refused")

    def to_frame(self) -> pd.DataFrame:
        """One row a finding: name, severity, count, sentence."""
        rows = [(f.name, f.severity, f.count, f.sentence) for f in self.findings]
        return pd.DataFrame(rows, columns=["name", "severity", "count", "sentence"])

    def raise_if_refused(self) -> None:
        """Raise ValueError with the refused findings, if there are any."""
        if self.refused:
            raise ValueError("\n".join(str(finding) for finding in self.refused))

    def __str__(self) -> str:
        head = f"Leakage report: {self.n_rows} rows, {self.n_folds} folds"
        if not self.findings:
            return f"{head}: nothing found"
        return "\n".join([head, *(f"  {finding}" for finding in self.findings)])


def leakage_report(
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike,
    folds: Sequence[tuple[ArrayLike, ArrayLike]],
    names: Sequence[str] | None = None,
    coords: ArrayLike | None = None,
    shared: Mapping[str, ArrayLike] | None = None,
) -> LeakageReport:
    """Find what leaks from train to test, or from the target into the features.

    Parameters
    ----------
    X : array or DataFrame of shape (n, n_features)
        The table as it is handed to the estimator; NaN is missing.
    y : array of shape (n,)
        Classes, or values of a regression.
    groups : array of shape (n,)
        Deposit, hole or block of each row.
    folds : sequence of (train, test)
        Row numbers.
    names : sequence of str, optional
        Feature names; taken from a DataFrame.
    coords : array of shape (n, 2) or (n, 3), optional
        Coordinates of the rows [m].
    shared : mapping of name to array of shape (n,), optional
        Other labels that should not stand on both sides, such as reference or laboratory.

    Returns
    -------
    report : LeakageReport
        Looked for: the same group, identical rows or the same position in train and test; rows
        whose nearest training neighbour is of their own group; shared references; coordinates or
        distances to known deposits among the features; a target among its inputs; scaling, PCA or
        balancing done on the whole table.

    Raises
    ------
    ValueError
        If lengths differ or the table holds text.

    Examples
    --------
    >>> x = np.array([[5.0, 1.0], [5.0, 1.0], [9.0, 4.0], [7.0, 3.0]])
    >>> print(leakage_report(x, ["A", "A", "B", "B"], groups=["a", "a", "b", "b"],
    ...                      folds=[([0, 2], [1, 3])]))  # doctest: +ELLIPSIS
    Leakage report: 4 rows, 1 folds
      [leak] group in train and test: 2 of 2 test rows ...
    """
    columns = _names(X, names)
    table = check_table(X)
    truth = check_labels("y", y, len(table))
    labels = check_labels("groups", groups, len(table))
    if len(columns) != table.shape[1]:
        raise ValueError(f"{len(columns)} names for {table.shape[1]} columns. Name each once.")
    parts = [(np.asarray(train), np.asarray(test)) for train, test in folds]
    found: list[Leak | None] = [
        _shared_labels(labels, parts, "group", "Hold out whole groups (cv='group')."),
        _identical_rows(table, parts),
        _memory(table, labels, parts),
    ]
    if coords is not None:
        points = check_table(coords, name="coords")
        found.append(_same_position(points, parts))
        found.append(_follows_position(table, columns, points))
    for name, values in (shared or {}).items():
        keys = check_labels(name, values, len(table))
        found.append(_shared_labels(keys, parts, name, f"Also report the score by {name}."))
    found += [
        _named_position(columns),
        _named_distance(columns),
        *(_target_among_inputs(table[:, j], columns[j], truth) for j in range(len(columns))),
        _scaled_outside(table),
        _rotated_outside(table),
        _balanced_outside(truth, table),
    ]
    kept = [finding for finding in found if finding is not None]
    kept.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return LeakageReport(tuple(kept), len(table), len(parts))


def _names(X: Any, names: Sequence[str] | None) -> list[str]:
    if names is not None:
        return [str(name) for name in names]
    if hasattr(X, "columns"):
        return [str(name) for name in X.columns]
    return [f"column {j}" for j in range(np.shape(X)[1] if np.ndim(X) == 2 else 0)]


def _hits(keys: NDArray[np.int64], parts: list[tuple[NDArray, NDArray]]) -> tuple[int, int, int]:
    """Test rows whose key is also in training, all test rows, and distinct keys concerned."""
    n_hit = n_test = 0
    touched = np.zeros(keys.max() + 1, dtype=bool)
    for train, test in parts:
        known = np.zeros(len(touched), dtype=bool)
        known[keys[train]] = True
        hit = known[keys[test]]
        n_hit, n_test = n_hit + int(hit.sum()), n_test + len(hit)
        touched[keys[test][hit]] = True
    return n_hit, n_test, int(touched.sum())


def _shared_labels(
    labels: NDArray, parts: list[tuple[NDArray, NDArray]], name: str, advice: str
) -> Leak | None:
    kinds, keys = np.unique(labels, return_inverse=True)
    n_hit, n_test, n_keys = _hits(keys, parts)
    if not n_hit:
        return None
    sentence = (
        f"{n_hit} of {n_test} test rows share their {name} with training rows ({n_keys} of"
        f" {len(kinds)}). {advice}"
    )
    return Leak(f"{name} in train and test", "leak" if name == "group" else "note", n_hit, sentence)


def _row_keys(table: NDArray) -> NDArray[np.int64]:
    hashed = pd.util.hash_pandas_object(pd.DataFrame(table + 0.0), index=False)  # -0.0 is 0.0
    return np.unique(hashed.to_numpy(), return_inverse=True)[1]


def _identical_rows(table: NDArray, parts: list[tuple[NDArray, NDArray]]) -> Leak | None:
    n_hit, n_test, _ = _hits(_row_keys(table), parts)
    if not n_hit:
        return None
    sentence = f"{n_hit} of {n_test} test rows stand in training too. Drop the copies first."
    return Leak("identical rows", "leak", n_hit, sentence)


def _same_position(points: NDArray, parts: list[tuple[NDArray, NDArray]]) -> Leak | None:
    n_hit, n_test, _ = _hits(_row_keys(points), parts)
    if not n_hit:
        return None
    sentence = f"{n_hit} of {n_test} test rows lie on a training point. Group by place or block."
    return Leak("same position", "leak", n_hit, sentence)


def _memory(
    table: NDArray, labels: NDArray, parts: list[tuple[NDArray, NDArray]], *, limit: int = 2000
) -> Leak | None:
    """Memory index: share of test rows whose nearest training row is of their own group."""
    codes = np.unique(labels, return_inverse=True)[1]
    if not _hits(codes, parts)[0]:
        return None
    ranks = stats.rankdata(table, axis=0, nan_policy="omit") / len(table)
    ranks = np.where(np.isnan(ranks), 0.5, ranks)
    rng = np.random.default_rng(0)
    n_same = n_test = 0
    expected = 0.0
    for train, test in parts:
        size = min(len(test), max(1, limit // len(parts)))
        some = rng.choice(test, size, replace=False)
        nearest = train[cKDTree(ranks[train]).query(ranks[some])[1]]
        n_same += int((codes[nearest] == codes[some]).sum())
        n_test += size
        expected += (np.bincount(codes[train], minlength=codes.max() + 1)[codes[some]]).sum() / len(
            train
        )
    index, chance = n_same / n_test, expected / n_test
    if index < 2.0 * chance and index < 0.5:
        return None
    sentence = (
        f"the nearest training row of {index:.0%} of the test rows is of their own group (by"
        f" chance {chance:.0%}): memory of the group passes for skill. Hold out whole groups."
    )
    return Leak("memory of the group", "leak", n_same, sentence)


def _named_position(columns: list[str]) -> Leak | None:
    named = [name for name in columns if _POSITION.fullmatch(name.strip())]
    lowered = {name.strip().lower(): name for name in columns}
    if {"x", "y"} <= set(lowered):  # Y alone is yttrium
        named += [lowered["x"], lowered["y"]]
    if not named:
        return None
    sentence = f"{', '.join(named)} among the features: the model can learn the map. Leave out."
    return Leak("coordinates among the features", "leak", len(named), sentence)


def _named_distance(columns: list[str]) -> Leak | None:
    named = [name for name in columns if _DISTANCE.search(name)]
    if not named:
        return None
    sentence = f"{', '.join(named)}: made from the occurrences that are to be found. Leave out."
    return Leak("distance to known deposits", "refused", len(named), sentence)


def _follows_position(table: NDArray, columns: list[str], points: NDArray) -> Leak | None:
    if len(table) < 10:
        return None
    named = [
        columns[j]
        for j in range(table.shape[1])
        for axis in points.T
        if abs(_rank_correlation(table[:, j], axis)) > 0.999
    ]
    if not named:
        return None
    sentence = f"{', '.join(named)} follows a coordinate one to one. Leave it out."
    return Leak("coordinate in disguise", "leak", len(named), sentence)


def _rank_correlation(a: NDArray, b: NDArray) -> float:
    keep = ~(np.isnan(a) | np.isnan(b))
    if keep.sum() < 10 or np.ptp(a[keep]) == 0 or np.ptp(b[keep]) == 0:
        return 0.0
    return float(np.corrcoef(stats.rankdata(a[keep]), stats.rankdata(b[keep]))[0, 1])


def _target_among_inputs(values: NDArray, name: str, y: NDArray) -> Leak | None:
    """Find a column that alone gives the class, or a continuous target, away."""
    keep = ~np.isnan(values)
    is_number = y.dtype.kind == "f" or (y.dtype.kind in "iu" and len(np.unique(y)) > 20)
    if keep.sum() < 20:
        return None
    if is_number:
        if abs(_rank_correlation(values, y.astype(float))) < 0.999:
            return None
        how = "rises or falls with the target one to one"
        return Leak("target among its inputs", "refused", 1, f"{name} {how}. Leave it out.")
    if keep.sum() > _MOST_ROWS:
        some = np.random.default_rng(0).choice(np.flatnonzero(keep), _MOST_ROWS, replace=False)
        keep = np.isin(np.arange(len(keep)), some)
    kinds = np.unique(y[keep])
    if len(kinds) < 2:
        return None
    leaves = min(2 * len(kinds), 20)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=leaves, class_weight="balanced", min_samples_leaf=2, random_state=0
    )
    answer = tree.fit(values[keep, None], y[keep]).predict(values[keep, None])
    recall = np.mean([(answer[y[keep] == kind] == kind).mean() for kind in kinds])
    if recall < 0.995:
        return None
    is_code = len(np.unique(values[keep])) <= len(kinds)
    advice = (
        "It is the target in other words: leave it out."
        if is_code
        else "Make sure that it was not made from the target; report the score without it."
    )
    sentence = f"{name} alone tells {recall:.1%} of the classes apart. {advice}"
    return Leak("target among its inputs", "refused" if is_code else "leak", 1, sentence)


def _scaled_outside(table: NDArray) -> Leak | None:
    if len(table) < 10:
        return None
    spread = np.nanstd(table, axis=0)
    varies = spread > 0
    if not varies.any():
        return None
    some = table[:, varies]
    is_standard = (np.abs(np.nanmean(some, axis=0)) < 1e-6) & (np.abs(spread[varies] - 1) < 0.01)
    is_ranged = (np.nanmin(some, axis=0) == 0) & (np.abs(np.nanmax(some, axis=0) - 1) < 1e-9)
    n_values = np.array([len(np.unique(column[~np.isnan(column)])) for column in some.T])
    is_ranged &= n_values > 2  # flags of 0 and 1 are no scaling
    n_scaled = int(max(is_standard.sum(), is_ranged.sum()))
    if 2 * n_scaled <= some.shape[1]:
        return None
    how = "standardised" if is_standard.sum() >= is_ranged.sum() else "scaled to 0..1"
    sentence = (
        f"{n_scaled} of {table.shape[1]} columns are {how} over the whole table, test rows"
        " included. Pass raw values; scale inside the estimator (a Pipeline)."
    )
    return Leak("preprocessing fitted outside", "leak", n_scaled, sentence)


def _rotated_outside(table: NDArray) -> Leak | None:
    """Columns centred and without any correlation over the whole table: a PCA fitted outside."""
    some = table[~np.isnan(table).any(axis=1)]
    n_columns = table.shape[1]
    if n_columns < 2 or len(some) <= 2 * n_columns or (some.std(axis=0) == 0).any():
        return None
    if (np.abs(some.mean(axis=0)) > 1e-6 * some.std(axis=0)).any():
        return None
    correlation = np.corrcoef(some, rowvar=False) - np.eye(n_columns)
    if np.abs(correlation).max() > 1e-6:
        return None
    sentence = "the columns are principal components of the whole table. Fit PCA inside the fold."
    return Leak("PCA fitted outside", "leak", n_columns, sentence)


def _balanced_outside(y: NDArray, table: NDArray) -> Leak | None:
    """Classes of exactly one size and no copies: likely SMOTE before the split."""
    kinds, counts = np.unique(y, return_counts=True)
    if len(kinds) < 2 or y.dtype.kind == "f" or len(table) < 100 or np.ptp(counts) > 0:
        return None
    sentence = (
        f"all {len(kinds)} classes have exactly {counts[0]} rows. If they were balanced by SMOTE or"
        " copies, do that inside the training part only."
    )
    return Leak("classes balanced beforehand", "note", len(table), sentence)
