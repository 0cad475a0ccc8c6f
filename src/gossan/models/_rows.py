"""What every estimator of this room does with its arguments: check them, take the logarithm, count.

Concentrations of shape (n, elements), class names and deposits go in; checked log10 values, class
codes and units (the analyses of one deposit that have one class) come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import validate_data

from gossan._checks import check_labels

TRANSFORMS = ("log10", "none")


@dataclass(frozen=True)
class Training:
    """Checked training rows: n analyses of n_units deposits in n_classes classes."""

    values: NDArray[np.float64]  # (n, features), log10 or as they are
    labels: NDArray  # (n,), class names
    groups: NDArray  # (n,), deposits
    classes: NDArray  # (n_classes,), sorted
    codes: NDArray[np.int64]  # (n,), number of the class
    units: NDArray[np.int64]  # (n,), number of the unit
    unit_codes: NDArray[np.int64]  # (n_units,), class of each unit

    @property
    def n_units(self) -> NDArray[np.int64]:
        """Return the number of units of each class."""
        return np.bincount(self.unit_codes, minlength=len(self.classes))


def read_training(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None,
    *,
    allow_nan: bool = False,
    transform: str = "log10",
) -> Training:
    """Return the checked training rows; `classes_` and `names_` are set on the estimator."""
    values = read_rows(estimator, X, reset=True, allow_nan=allow_nan, transform=transform)
    labels = check_labels("y", y, len(values))
    of_rows = np.arange(len(values)) if groups is None else groups
    deposits = check_labels("groups", of_rows, len(values))
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"A classifier needs at least 2 classes, got only {classes.tolist()} in {len(labels)} "
            "rows. Check the label column or the split."
        )
    numbers = np.unique(deposits, return_inverse=True)[1]
    pairs, units = np.unique(np.column_stack([codes, numbers]), axis=0, return_inverse=True)
    estimator.classes_ = classes
    return Training(values, labels, deposits, classes, codes, units.ravel(), pairs[:, 0])


def read_rows(
    estimator: Any,
    X: ArrayLike,
    *,
    reset: bool = False,
    allow_nan: bool = False,
    transform: str = "log10",
) -> NDArray[np.float64]:
    """Return log10 of the concentrations, shape (n, n_features), all positive or missing.

    With transform "none" any numbers, as they are.
    """
    finite = "allow-nan" if allow_nan else True
    table = validate_data(
        estimator, X, dtype=np.float64, reset=reset, ensure_all_finite=finite, ensure_min_samples=1
    )
    if reset:
        default = [f"x{i}" for i in range(table.shape[1])]
        estimator.names_ = [str(n) for n in getattr(estimator, "feature_names_in_", default)]
    if transform == "none":
        return table
    bad = np.argwhere(table <= 0)
    if len(bad):
        row, column = (int(i) for i in bad[0])
        raise ValueError(
            f"Concentrations must be positive, got {table[row, column]:g} at row {row}, column "
            f"{estimator.names_[column]!r} ({len(bad)} of {table.size} values). Impute values "
            "below detection first (gossan.impute_censored)."
        )
    return np.log10(table)


def check_above_zero(name: str, value: Any) -> None:
    """Raise unless a setting is a finite number above zero."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.number)
        or not (0 < value < np.inf)
    ):
        raise ValueError(
            f"{name} must be a number above 0, got {value!r}. Leave it out for its default."
        )


def check_share(name: str, value: Any) -> None:
    """Raise unless a setting lies in [0, 1]."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.number)
        or not (0 <= value <= 1)
    ):
        raise ValueError(f"{name} must lie in [0, 1], got {value!r}. Leave it out for its default.")
