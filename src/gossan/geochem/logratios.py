"""Logs and log-ratios as a step of a scikit-learn pipeline.

A table of positive parts comes in, an array of coordinates goes out; `set_output` gives DataFrames.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan._checks import check_option
from gossan.geochem._parts import close_exp, finite_of, logs_of, names_of
from gossan.geochem.bases import alr_contrasts, ilr_contrasts

KINDS = ("log", "clr", "alr", "ilr")


class LogRatioTransformer(TransformerMixin, BaseEstimator):
    """Logs or log-ratios of a table of concentrations, as a step of a scikit-learn pipeline.

    For trace elements of a mineral, whose level carries signal and which do not fill the whole,
    plain logs often tell more than ratios; for whole-rock and soil chemistry, which closes, take
    log-ratios. Nothing is learned from the rows, so the step leaks nothing across folds.

    Parameters
    ----------
    kind : {"log", "clr", "alr", "ilr"}, default "clr"
        "log" is the natural logarithm and keeps the amounts; the others are scale-free.
    denominator : column name or position, default -1
        For "alr".
    basis : "pivot", a sign matrix, or an orthonormal matrix, default "pivot"
        For "ilr", as in `ilr`.
    total : float, default 1.0
        Sum of each row after `inverse_transform`, except for "log".

    Attributes
    ----------
    contrasts_ : array of shape (n_coordinates, n_features_in_)
        The coordinates are ``log(X) @ contrasts_.T``.
    names_ : list of str
        Names of the coordinates, such as "ln(Fe)", "clr(Fe)", "ln(Fe/Zn)", "ilr1: Fe | rest".

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"Fe": [4.0, 1.0], "Mn": [1.0, 1.0]})
    >>> LogRatioTransformer("ilr").set_output(transform="pandas").fit_transform(table).round(3)
       ilr1: Fe | Mn
    0           0.98
    1           0.00
    """

    def __init__(
        self,
        kind: str = "clr",
        *,
        denominator: Hashable = -1,
        basis: str | ArrayLike | pd.DataFrame = "pivot",
        total: float = 1.0,
    ) -> None:
        self.kind = kind
        self.denominator = denominator
        self.basis = basis
        self.total = total

    def fit(self, X: ArrayLike | pd.DataFrame, y: Any = None) -> LogRatioTransformer:  # noqa: ARG002
        """Remember the columns of `X` and build the contrasts; `y` is ignored.

        Raises
        ------
        ValueError
            If there are no rows, a part is not positive (the cells are named), or the kind or the
            basis is unknown.
        KeyError
            If the denominator is not among the columns.
        """
        check_option("kind", self.kind, KINDS)
        self._logs(X, reset=True)
        names = names_of(X)
        if self.kind == "log":
            self.contrasts_ = np.eye(len(names))
            columns = [f"ln({name})" for name in names]
        elif self.kind == "clr":
            self.contrasts_ = np.eye(len(names)) - 1 / len(names)
            columns = [f"clr({name})" for name in names]
        elif self.kind == "alr":
            self.contrasts_, columns = alr_contrasts(names, self.denominator)
        else:
            self.contrasts_, columns = ilr_contrasts(self.basis, names)
        self.names_ = columns
        return self

    def transform(self, X: ArrayLike | pd.DataFrame) -> NDArray[np.float64]:
        """Coordinates of each row of `X`, shape (n_samples, n_coordinates)."""
        check_is_fitted(self)
        return self._logs(X, reset=False) @ self.contrasts_.T

    def inverse_transform(self, X: ArrayLike | pd.DataFrame) -> NDArray[np.float64]:
        """Parts that have the coordinates `X`, closed to `total` (amounts themselves for "log").

        Raises
        ------
        ValueError
            If `X` does not have one column for each coordinate, or is not finite.
        """
        check_is_fitted(self)
        numbers = np.atleast_2d(finite_of(X, "inverse_transform"))
        if numbers.shape[1] != len(self.contrasts_):
            raise ValueError(
                f"inverse_transform needs {len(self.contrasts_)} coordinates, got"
                f" {numbers.shape[1]} columns. Pass what transform gave back."
            )
        if self.kind == "log":
            return np.exp(numbers)
        return close_exp(numbers @ np.linalg.pinv(self.contrasts_).T, self.total)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names of the coordinates; those of the columns seen by `fit` are built in."""
        check_is_fitted(self)
        return np.asarray(self.names_, dtype=object)

    def _logs(self, X: ArrayLike | pd.DataFrame, *, reset: bool) -> NDArray[np.float64]:
        numbers = logs_of(X, f"LogRatioTransformer(kind={self.kind!r})")
        if numbers.ndim != 2:
            raise ValueError(
                f"X must be a table with rows and columns, got shape {numbers.shape}."
                " Reshape one sample with X.reshape(1, -1)."
            )
        if reset and not len(numbers):
            raise ValueError(
                f"X must have rows to fit on, got shape {numbers.shape}. Check what was filtered out."
            )
        validate_data(self, X, reset=reset, skip_check_array=True)
        return numbers
