"""What models that hold other models ask of them, be they of this room or not.

Estimators with `fit`, `predict_proba` and, of maps, `score_map` come in; fitted clones, and what they
say of windows and maps, go out.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit
from sklearn.base import clone

from gossan.models._map_estimator import LEAST, Array, Floats, MapEstimator

FROZEN = {"source", "start"}  # fitted elsewhere, and shared by all clones


def seeded(estimator: Any, seed: int | None) -> Any:
    """Return a clone of an estimator, and of all it holds, with a seed."""
    copy = clone(estimator)
    if seed is not None:
        keys = [k.split("__") for k in copy.get_params()]
        own = [k for k in keys if k[-1] == "random_state" and not FROZEN & set(k)]
        copy.set_params(**{"__".join(k): int(seed) for k in own})
    return copy


def fit_one(
    estimator: Any,
    X: NDArray,
    y: NDArray,
    *,
    sample_weight: NDArray | None = None,
    groups: NDArray | None = None,
) -> Any:
    """Fit an estimator in place, with weights and groups where it takes them."""
    taken = inspect.signature(estimator.fit).parameters
    more = {"sample_weight": sample_weight, "groups": groups}
    if sample_weight is not None and "sample_weight" not in taken:
        raise ValueError(
            f"{type(estimator).__name__} takes no sample_weight. Leave it out, or take an estimator"
            " that weighs its rows, such as PointLogistic."
        )
    return estimator.fit(X, y, **{k: v for k, v in more.items() if v is not None and k in taken})


def fit_each(
    estimator: Any,
    X: NDArray,
    y: NDArray,
    members: Sequence[tuple[NDArray[np.intp], int | None]],
    *,
    sample_weight: NDArray | None = None,
    groups: NDArray | None = None,
) -> list[Any]:
    """Return clones fitted on subsets of the rows: all at once where the estimator can."""
    if hasattr(estimator, "fit_many"):
        offered = {"sample_weight": sample_weight, "groups": groups}
        more = {k: v for k, v in offered.items() if v is not None}
        return clone(estimator).fit_many(X, y, list(members), **more)
    fitted = []
    for train, seed in members:
        of_train = {
            "sample_weight": None if sample_weight is None else sample_weight[train],
            "groups": None if groups is None else groups[train],
        }
        fitted.append(fit_one(seeded(estimator, seed), X[train], y[train], **of_train))
    return fitted


def spread_of(estimator: Any, X: NDArray) -> Floats:
    """Return mean probability and spread of windows by any estimator, shape (2, n)."""
    if hasattr(estimator, "probability_and_spread"):
        return estimator.probability_and_spread(X)
    if hasattr(estimator, "member_probabilities"):
        members = estimator.member_probabilities(X)
        return np.stack([members.mean(axis=0), members.std(axis=0)])
    ore = estimator.predict_proba(X)[:, 1]
    return np.stack([ore, np.zeros_like(ore)])


def logit_of(estimator: Any, X: NDArray) -> Floats:
    """Return the logit of windows by any estimator, shape (n,)."""
    if hasattr(estimator, "decision_function"):
        return estimator.decision_function(X)
    return logit(np.clip(estimator.predict_proba(X)[:, 1], LEAST, 1.0 - LEAST))


def logit_map_of(estimator: Any, volume: ArrayLike, **options: Any) -> NDArray:
    """Return the logit at every cell of a map by any map estimator, shape (ny, nx)."""
    if hasattr(estimator, "logit_map"):
        return estimator.logit_map(volume, **options)
    scores = estimator.score_map(volume, **options).astype(np.float64)
    return logit(np.clip(scores, LEAST, 1.0 - LEAST))


def wanted_field(estimator: Any, size: int) -> int:
    """Return the cells along a side that an estimator, fitted or not, reads of such windows."""
    if hasattr(estimator, "field_"):
        return estimator.field_
    if isinstance(estimator, MapEstimator):
        return estimator._wanted_field(size)  # noqa: SLF001 - of the family
    field = getattr(estimator, "field", 1)
    return size if field is None else field


def given_to_parts(model: MapEstimator, X: ArrayLike) -> Array:
    """Return checked windows (n, channels, field, field) of a composite for the models it holds."""
    check = model._cells(X)  # noqa: SLF001 - of the family
    windows = np.moveaxis(check, 3, 1)
    return windows[:, :, 0, 0] if model.field_ == 1 else windows


def check_parts(model: MapEstimator, parts: Sequence[Any]) -> None:
    """Raise unless saved parts have the channels and classes of the whole, and its field holds them."""
    for part in parts:
        same = part.n_features_in_ == model.n_features_in_ and not hasattr(
            part, "feature_names_in_"
        )
        same = same and part.classes_.tolist() == model.classes_.tolist()
        if not same or getattr(part, "field_", 1) > model.field_:
            raise ValueError(
                "a part of the saved model has other channels, classes or a wider field"
            )


def members_of(estimator: Any, X: NDArray) -> Floats:
    if hasattr(estimator, "member_probabilities"):
        return estimator.member_probabilities(X)
    return estimator.predict_proba(X)[None, :, 1]
