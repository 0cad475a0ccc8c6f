"""Elements on one scale: robust scores of logarithms or log-ratios, elements that say little left out.

A table of concentrations comes in, a table of scores goes out: 0 at the median, 1 at a robust
standard deviation above it. The upper tail is kept: pathfinders live in it.

Source
------
Rousseeuw & Croux (1993), Alternatives to the median absolute deviation, Journal of the American
Statistical Association 88, 1273-1283, doi:10.1080/01621459.1993.10476408.
"""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan._checks import GossanWarning, check_option
from gossan.geochem._parts import names_of, refuse_cells
from gossan.geochem._robust import median_and_spread
from gossan.saving import blank, settings_of, take

__all__ = ["RobustScores"]

KINDS = ("log", "clr", "none")

Floats = NDArray[np.float64]


class RobustScores(TransformerMixin, BaseEstimator):
    """Robust z-scores of elements: logarithm or log-ratio, less the median, over the MAD.

    Scores are clipped far out, never winsorised at a quantile: a rule that flattens the top two per
    cent of lithium flattens the deposits. Fit it on the training rows or on the whole map, which has
    no labels; volumes are reshaped to (n_cells, n_elements) by the caller.

    Parameters
    ----------
    kind : {"log", "clr", "none"}, default "log"
        "log": log10 of each element; "clr": centred log-ratios of the kept elements in one unit;
        "none": values are logarithms, ratios or residuals already.
    clip : float or None, default 6.0
        Largest score either way; None: no limit. A normal law has two values in a billion beyond 6.
    max_censored : float, default 0.5
        Elements of which a larger share is below detection are left out, with a warning that names
        each and its share.

    Attributes
    ----------
    kept_ : int64 array of shape (n_kept,)
        Columns of `X` that have scores.
    parts_ : int64 array
        Columns that are read: the kept ones, and those without spread, which still are parts of the
        log-ratios.
    left_out_ : dict
        Name of each column left out, and why.
    centre_, spread_ : arrays of shape (n_kept,)
        Median and 1.4826 times the median absolute deviation, of the transformed values. Where more
        than half of the values are equal, the spread is that of the values that differ.
    names_ : list of str
        Names of all columns of `X`.
    n_features_in_ : int
    feature_names_in_ : array
        Only if `X` had names.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"Li": [10.0, 20.0, 40.0, 80.0, 1e9]})
    >>> RobustScores().fit_transform(table).ravel().round(3)
    array([-1.349, -0.674,  0.   ,  0.674,  6.   ])
    """

    def __init__(
        self, kind: str = "log", *, clip: float | None = 6.0, max_censored: float = 0.5
    ) -> None:
        self.kind = kind
        self.clip = clip
        self.max_censored = max_censored

    def fit(self, X: ArrayLike, y: Any = None, *, censored: ArrayLike | None = None) -> Self:  # noqa: ARG002
        """Learn the median and the spread of each element; `y` is ignored.

        Parameters
        ----------
        X : array or DataFrame of shape (n, n_elements)
            Concentrations, above zero for "log" and "clr"; NaN where not measured. For "clr" a row
            is known throughout or not at all.
        y : None
            Not used; there for pipelines.
        censored : bool array or DataFrame of shape (n, n_elements), optional
            Cells below detection, which hold a limit or an imputed value.

        Returns
        -------
        self : RobustScores

        Raises
        ------
        ValueError
            If a setting is out of range, a concentration is not positive (the cells are named),
            shapes differ, or no element is left.
        """
        check_option("kind", self.kind, KINDS)
        _check_settings(self.clip, self.max_censored)
        table = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        self.names_ = [str(name) for name in names_of(X)]
        self.left_out_ = _too_censored(table, censored, self.names_, self.max_censored)
        columns = [i for i, name in enumerate(self.names_) if name not in self.left_out_]
        values = self._transformed(X, table, np.array(columns, dtype=np.int64))
        centre, spread = median_and_spread(values)
        for i, column in enumerate(columns):
            if not spread[i] > 0:
                self.left_out_[self.names_[column]] = (
                    "never measured" if np.isnan(centre[i]) else "one value throughout"
                )
        good = spread > 0
        # A log-ratio needs all its parts, those that do not vary too.
        self.parts_ = np.array(columns, dtype=np.int64)
        self.kept_ = self.parts_[good]
        self.centre_, self.spread_ = centre[good], spread[good]
        self._tell_of_left_out()
        return self

    def transform(self, X: ArrayLike) -> Floats:
        """Scores of each row, the elements left out missing.

        Parameters
        ----------
        X : array or DataFrame of shape (n, n_elements)
            All columns of `fit`, those left out too.

        Returns
        -------
        scores : array of shape (n, n_kept)
            NaN where not measured.

        Raises
        ------
        ValueError
            If the columns are not those of `fit`, or a concentration is not positive.
        """
        check_is_fitted(self, "kept_")
        table = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        values = self._transformed(X, table, self.parts_)
        scores = (values[:, np.isin(self.parts_, self.kept_)] - self.centre_) / self.spread_
        return scores if self.clip is None else np.clip(scores, -self.clip, self.clip)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names of the elements that have scores."""
        check_is_fitted(self, "kept_")
        return np.array([self.names_[column] for column in self.kept_], dtype=object)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `from_arrays` needs: settings as JSON, and arrays."""
        check_is_fitted(self, "kept_")
        settings = settings_of(self) | {"left_out": dict(self.left_out_)}
        arrays = {
            "parts": self.parts_,
            "kept": self.kept_,
            "centre": self.centre_,
            "spread": self.spread_,
        }
        return settings, arrays

    @classmethod
    def from_arrays(cls, settings: dict[str, Any], arrays: dict[str, NDArray]) -> RobustScores:
        """Return the fitted scores of `to_arrays`; ValueError if settings and arrays do not fit."""
        scores = blank(cls, settings)
        check_option("kind", scores.kind, KINDS)
        _check_settings(scores.clip, scores.max_censored)
        parts = take(arrays, "parts", (None,), np.int64)
        scores.kept_ = take(arrays, "kept", (None,), np.int64)
        n = len(scores.kept_)
        scores.centre_, scores.spread_ = (take(arrays, name, (n,)) for name in ("centre", "spread"))
        numbers = np.arange(scores.n_features_in_)
        for columns, among in ((parts, numbers), (scores.kept_, parts)):
            if not _are_among(columns, among):
                raise ValueError("the columns that are kept are not among those of the table")
        if not (scores.spread_ > 0).all():
            raise ValueError("a spread is not above zero")
        left_out = settings["left_out"]
        if not isinstance(left_out, dict) or not all(isinstance(v, str) for v in left_out.values()):
            raise ValueError("left_out must tell why of each name")
        scores.left_out_ = dict(left_out)
        scores.parts_ = parts
        return scores

    def _transformed(self, X: ArrayLike, table: Floats, columns: NDArray[np.int64]) -> Floats:
        """Return logs or log-ratios of some columns."""
        if self.kind == "none":
            return table[:, columns]
        is_bad = np.zeros(table.shape, dtype=bool)
        is_bad[:, columns] = table[:, columns] <= 0
        refuse_cells(X, table, is_bad, f"RobustScores(kind={self.kind!r}) needs positive values")  # type: ignore[arg-type]
        if self.kind == "log":
            return np.asarray(np.log10(table[:, columns]))
        is_bad[:, columns] = np.isnan(table[:, columns])
        is_bad[is_bad[:, columns].all(axis=1)] = False
        refuse_cells(X, table, is_bad, "Log-ratios need all parts of a row")  # type: ignore[arg-type]
        logs = np.log(table[:, columns])
        return np.asarray(logs - logs.mean(axis=1, keepdims=True))

    def _tell_of_left_out(self) -> None:
        told = "; ".join(f"{name}: {why}" for name, why in self.left_out_.items())
        if not len(self.kept_):
            raise ValueError(
                f"No element is left to score ({told}). Raise max_censored, or check the table."
            )
        if told:
            warnings.warn(
                f"{len(self.left_out_)} of {len(self.names_)} elements are left out ({told}).",
                GossanWarning,
                stacklevel=3,
            )


def _check_settings(clip: float | None, max_censored: float) -> None:
    if clip is not None and not clip > 0:
        raise ValueError(f"clip must be above zero, got {clip!r}. None sets no limit.")
    if not 0 <= max_censored <= 1:
        raise ValueError(
            f"max_censored must be a share between 0 and 1, got {max_censored!r}. 0.5 leaves out"
            " elements that are mostly below detection."
        )


def _are_among(columns: NDArray[np.int64], among: NDArray[np.int64]) -> bool:
    """Tell whether columns are there, ascend, and are all among others."""
    is_sorted = bool((np.diff(columns) > 0).all())
    return len(columns) > 0 and is_sorted and bool(np.isin(columns, among).all())


def _too_censored(
    table: Floats, censored: ArrayLike | None, names: list[str], most: float
) -> dict[str, str]:
    """Return the elements too much of which is below detection, with their shares."""
    if censored is None:
        return {}
    below = np.asarray(censored)
    if below.shape != table.shape or below.dtype != bool:
        raise ValueError(
            f"censored must be Boolean of the shape of X {table.shape}, got {below.dtype} of"
            f" {below.shape}. Pass the mask of the same table."
        )
    known = ~np.isnan(table)
    shares = (below & known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return {
        name: f"{share:.0%} below detection"
        for name, share in zip(names, shares, strict=True)
        if share > most
    }
