"""Fit one estimator by the way that fits many: on all rows, then take over what was learned.

An estimator with `fit_many` and its training set come in; the same estimator, fitted, goes out. Shared
by models and nets.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

Estimator = TypeVar("Estimator")


def fit_alone(estimator: Estimator, X: Any, y: Any, **options: Any) -> Estimator:
    """Return the estimator, fitted on all rows by its own `fit_many`.

    Parameters
    ----------
    estimator : estimator
        With `fit_many` and `random_state`, from which the seed of its one member is drawn.
    X, y
        As its `fit` has them; y may be None.
    **options
        As its `fit_many` has them, such as `groups`.

    Returns
    -------
    estimator : estimator
        The same object.
    """
    own: Any = estimator
    n = _n_rows(X) if y is None else len(np.asarray(y))
    seed = int(np.random.default_rng(own.random_state).integers(2**31))
    (fitted,) = own.fit_many(X, y, [(np.arange(n), seed)], **options)
    return take_over(estimator, fitted)


def take_over(estimator: Estimator, fitted: Estimator) -> Estimator:
    """Return the estimator with what another of its kind learned: all that ends in "_"."""
    for key, value in vars(fitted).items():
        if key.endswith("_"):
            setattr(estimator, key, value)
    return estimator


def _n_rows(values: Any) -> int:
    return values.shape[0] if hasattr(values, "shape") else len(np.asarray(values))
