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
            f" ({len(bad)} of {numbers.size} values). {hint or 'Mark it missing (NaN) or impute it first.'}"
        )
    return numbers


def check_random_state(random_state: int | np.random.Generator | None) -> np.random.Generator:
    """Return a numpy Generator for None, a seed, or a Generator."""
    return np.random.default_rng(random_state)
