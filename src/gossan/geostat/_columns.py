"""How the estimators of this room read their rows: coordinates first, then what else is known.

A table of shape (n, n_dims + n_features) comes in; checked coordinates and features go out.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import validate_data

from gossan._checks import GossanWarning, check_option

Floats = NDArray[np.float64]


def read_columns(
    estimator: Any, X: ArrayLike, n_dims: int | None, *, reset: bool, allow_nan: bool = False
) -> tuple[Floats, Floats]:
    """Return coordinates (n, n_dims) and the columns after them; None: all are coordinates.

    With `allow_nan` a feature may be missing, a coordinate never.
    """
    finite = "allow-nan" if allow_nan else True
    table = validate_data(
        estimator, X, dtype=np.float64, reset=reset, ensure_all_finite=finite, ensure_min_samples=1
    )
    n_coords = table.shape[1] if n_dims is None else n_dims
    if n_coords not in (2, 3) or table.shape[1] < n_coords:
        raise ValueError(
            f"X must begin with 2 or 3 columns of coordinates (easting, northing[, elevation]), got"
            f" {table.shape[1]} columns and n_dims={n_dims}. Pass projected coordinates [m] first."
        )
    coords, features = table[:, :n_coords], table[:, n_coords:]
    if allow_nan and np.isnan(coords).any():
        row, column = (int(i) for i in np.argwhere(np.isnan(coords))[0])
        raise ValueError(
            f"A coordinate is missing (NaN) at row {row}, column {column}. Drop the rows without"
            " coordinates."
        )
    return coords, features


def read_values(y: ArrayLike, n: int, *, name: str = "y") -> Floats:
    """Return the values (n,) or (n, n_variables) as float64; NaN passes as missing."""
    try:
        values = np.asarray(y, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must hold numbers only ({error}). Turn text into numbers."
        ) from error
    if values.ndim not in (1, 2) or 0 in values.shape or len(values) != n:
        raise ValueError(
            f"{name} must have one row for each of {n} rows of X, got shape {values.shape}. Take"
            " both from the same table."
        )
    if np.isinf(values).any():
        raise ValueError(
            f"{name} is infinite at row {int(np.argwhere(np.isinf(values))[0][0])}. Mark it missing"
            " (NaN) or mend it."
        )
    return values


def known_rows(values: Floats, *, stacklevel: int = 2) -> NDArray[np.bool_]:
    """Return True for the rows whose values are all known; warn of the others."""
    known = np.asarray(~np.isnan(values.reshape(len(values), -1)).any(axis=1))
    if not known.any():
        raise ValueError(
            f"No row of y is known: all {len(values)} are missing (NaN). Check the column."
        )
    if not known.all():
        warnings.warn(
            f"{int((~known).sum())} of {len(values)} rows have no value (NaN) and are left out.",
            GossanWarning,
            stacklevel=stacklevel + 1,
        )
    return known


def hole_cap(cap: int | str | None, n_neighbours: int, *, has_holes: bool) -> int | None:
    """Return the most samples of one hole; "auto": a quarter of the neighbours, if holes are known."""
    if cap is None:
        return None
    if isinstance(cap, str):
        check_option("n_per_group", cap, ("auto",))
        return max(1, n_neighbours // 4) if has_holes else None
    if not cap >= 1:
        raise ValueError(
            f"n_per_group must be above zero, got {cap!r}. Leave it out for its default."
        )
    if not has_holes:
        raise ValueError(
            f"n_per_group={cap} caps the samples of a hole, but fit was given no groups. Pass the"
            " hole of each sample as groups."
        )
    return int(cap)
