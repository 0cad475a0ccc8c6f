"""Checks at the public door: each cleans its argument and returns it, or raises in three parts."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class GossanWarning(UserWarning):
    """The answer stands, but the reader should know this about it."""


def check_option(name: str, value: Any, options: Collection[Any]) -> Any:
    """Return `value` if it is one of the closed list `options`, else raise with the nearest word."""
    if value in options:
        return value
    words = [str(option) for option in options]
    hint = did_you_mean(str(value), words)
    raise ValueError(f"{name} must be one of {', '.join(words)}, got {value!r}.{hint}")


def did_you_mean(word: str, words: Sequence[str]) -> str:
    """Return ' Did you mean ...?' for the nearest of `words`, or an empty string."""
    lowered = {candidate.lower(): candidate for candidate in words}
    near = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return f" Did you mean {lowered[near[0]]!r}?" if near else ""


def check_positive(name: str, values: ArrayLike, *, unit: str = "", hint: str = "") -> NDArray:
    """Return `values` as float64 if every finite one is above zero (NaN passes as missing)."""
    numbers = np.asarray(values, dtype=float)
    bad = np.argwhere(numbers <= 0)
    if len(bad):
        place = tuple(int(i) for i in bad[0])
        given = numbers[place]
        raise ValueError(
            f"{name} must be positive{f' [{unit}]' if unit else ''}, got {given:g} at index {place}"
            f" ({len(bad)} of {numbers.size} values). "
            f"{hint or 'Mark it missing (NaN) or impute it first.'}"
        )
    return numbers


def check_random_state(random_state: int | np.random.Generator | None) -> np.random.Generator:
    """Return a numpy Generator for None, a seed, or a Generator."""
    return np.random.default_rng(random_state)


def check_table(X: ArrayLike, *, name: str = "X") -> NDArray[np.float64]:
    """Return `X` as a float64 array of shape (n_samples, n_features); NaN passes as missing."""
    try:
        table = np.asarray(X, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must hold numbers only ({error}). Keep the measured columns and turn text such"
            " as '<0.5' into a number and a mask first (gossan.read_assays does)."
        ) from error
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(
            f"{name} must be a table with rows and columns, got shape {table.shape}."
            " Reshape one column with X.reshape(-1, 1)."
        )
    if np.isinf(table).any():
        row, column = (int(i) for i in np.argwhere(np.isinf(table))[0])
        raise ValueError(
            f"{name} is infinite at row {row}, column {column}. Mark it missing (NaN) or mend it."
        )
    return table


def check_labels(name: str, labels: ArrayLike, n: int | None = None) -> NDArray:
    """Return `labels` as a 1-D array of text or numbers, none missing, `n` long if given."""
    found = np.asarray(labels)
    if found.ndim != 1 or not len(found):
        raise ValueError(
            f"{name} must be one label per row, got shape {found.shape}. Pass a single column."
        )
    if n is not None and len(found) != n:
        raise ValueError(
            f"{name} has {len(found)} labels for {n} rows. Take both from the same table."
        )
    from pandas import isna

    missing = isna(found)
    if missing.any():
        raise ValueError(
            f"{name} is missing in {missing.sum()} of {len(found)} rows, first at row"
            f" {int(np.argmax(missing))}. Drop these rows or name them."
        )
    if found.dtype != object:
        return found
    whole = all(isinstance(label, (bool, int, float)) for label in found)
    return np.array(found.tolist() if whole else [str(label) for label in found])


def check_sample_weight(sample_weight: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """Return a finite weight of each row, none below zero, or None."""
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n,) or not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError(
            f"sample_weight must be {n} finite numbers, none below zero, got shape {weight.shape}."
            " Give each window one; zero leaves it out."
        )
    return weight


def check_probabilities(probabilities: ArrayLike, n_classes: int | None = None) -> NDArray:
    """Return an (n, n_classes) float64 array whose rows sum to 1 or are wholly NaN (untested)."""
    table = np.asarray(probabilities, dtype=float)
    if table.ndim != 2 or (n_classes is not None and table.shape[1] != n_classes):
        wanted = "n_classes" if n_classes is None else n_classes
        raise ValueError(
            f"Probabilities must have shape (n, {wanted}), got {table.shape}."
            " Pass predict_proba's answer and its classes."
        )
    tested = ~np.isnan(table).all(axis=1)
    sums = table[tested].sum(axis=1)
    bad = ~(np.abs(sums - 1.0) < 1e-3) | (table[tested] < -1e-9).any(axis=1)
    if bad.any():
        row = int(np.flatnonzero(tested)[np.argmax(bad)])
        raise ValueError(
            f"Probabilities of row {row} do not sum to 1 or are negative: {table[row]}."
            " Pass predict_proba's answer, not decision scores."
        )
    return table


def check_class_codes(
    labels: ArrayLike, classes: ArrayLike | None, n_classes: int
) -> NDArray[np.int64]:
    """Return the column number of each label; `classes` None: labels are column numbers."""
    found = check_labels("labels", labels)
    names = np.arange(n_classes) if classes is None else check_labels("classes", classes)
    if len(names) != n_classes:
        raise ValueError(
            f"{len(names)} classes were named for {n_classes} probability columns. Name each once."
        )
    place: dict[Any, int] = {name: i for i, name in enumerate(names.tolist())}
    unknown = [label for label in found.tolist() if label not in place]
    if unknown:
        raise ValueError(
            f"Label {unknown[0]!r} is none of the classes {list(place)}. Pass classes in the order"
            " of the probability columns."
        )
    return np.array([place[label] for label in found.tolist()], dtype=np.int64)
