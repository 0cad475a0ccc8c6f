"""Where the samples of drill holes begin and end: short in ore and long in waste, a given number.

Stretches of holes come in; the depths between their samples go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LONGEST, _SHORTEST = 10.0, 1.0  # of a sample [m]
_SHORT = np.array([1.0, 1.5, 2.0, 3.0])  # in ore [m]
_SHARES = np.array([0.2, 0.2, 0.35, 0.25])
_COARSENESS = (0.0, 0.25, 0.5, 0.75, 1.0)
_ASIDE = 4.0  # beside ore that is sampled like it [m]


@dataclass(frozen=True)
class Stretch:
    """A part of a hole [m], near ore or not."""

    top: float
    end: float
    is_near: bool


def find_stretches(is_ore: NDArray[np.bool_], step: float, length: float) -> tuple[Stretch, ...]:
    """Divide a hole by ore that was seen every `step` [m] into what is near ore and what is not."""
    reach = round(_ASIDE / step)
    near = np.convolve(is_ore, np.ones(2 * reach + 1), mode="same") > 0 if len(is_ore) else is_ore
    edges = np.flatnonzero(np.diff(near)) + 1
    stops = [0.0, *(edges * step).tolist(), length]
    kinds = near[np.append(0, edges)].tolist()
    return tuple(
        Stretch(top, end, kind) for top, end, kind in zip(stops[:-1], stops[1:], kinds, strict=True)
    )


def sample_stops(
    holes: Sequence[Sequence[Stretch]],
    n_samples: int,
    *,
    is_exact: bool,
    rng: np.random.Generator,
) -> list[Floats]:
    """Depths (n_samples of the hole + 1,) [m] between the samples of each hole, `n_samples` in all.

    Raises
    ------
    ValueError
        If so few would be longer than 10 m, or so many shorter than 1 m, and `is_exact`; otherwise
        the nearest number that will do is taken.
    """
    stretches = [(k, stretch) for k, hole in enumerate(holes) for stretch in hole]
    near = [i for i, (_, stretch) in enumerate(stretches) if stretch.is_near]
    far = [i for i, (_, stretch) in enumerate(stretches) if not stretch.is_near]
    lengths = np.array([stretches[i][1].end - stretches[i][1].top for i in far])
    fewest = np.ceil(lengths / _LONGEST - 1e-9).astype(np.int64)
    most = np.maximum(fewest, np.floor(lengths / _SHORTEST).astype(np.int64))
    for coarse in _COARSENESS:  # ore is sampled as finely as the number allows
        stops = {i: _short_stops(stretches[i][1], coarse, rng) for i in near}
        n_near = sum(len(each) - 1 for each in stops.values())
        if n_near + fewest.sum() <= n_samples:
            break
    least, greatest = int(n_near + fewest.sum()), int(n_near + most.sum())
    if is_exact and not least <= n_samples <= greatest:
        raise ValueError(
            f"n_samples must lie between {least} and {greatest} for these holes, got {n_samples}."
            " Samples are 1 to 10 m long; change n_holes or n_samples."
        )
    n_far = int(np.clip(n_samples, least, greatest)) - n_near
    counts = _share_out(lengths, n_far, fewest, most)
    for i, count in zip(far, counts.tolist(), strict=True):
        stops[i] = np.round(np.linspace(stretches[i][1].top, stretches[i][1].end, count + 1), 1)
    return [
        np.concatenate(
            [[0.0], *(stops[i][1:] for i, (hole, _) in enumerate(stretches) if hole == k)]
        )
        for k in range(len(holes))
    ]


def _short_stops(stretch: Stretch, coarse: float, rng: np.random.Generator) -> Floats:
    """Depths between samples of 1 to 3 m; all of 3 m if `coarse` is 1."""
    length = stretch.end - stretch.top
    n = int(length / _SHORTEST) + 1
    pieces = np.where(rng.random(n) < coarse, _SHORT[-1], rng.choice(_SHORT, size=n, p=_SHARES))
    inside = stretch.top + np.cumsum(pieces)
    inside = inside[inside <= stretch.end - _SHORTEST]
    return np.concatenate([[stretch.top], inside, [stretch.end]])


def _share_out(
    lengths: Floats, n: int, fewest: NDArray[np.int64], most: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Samples of each stretch, `n` in all: as even as can be, between the fewest and the most."""
    low, high = _SHORTEST, _LONGEST
    for _ in range(60):
        middle = (low + high) / 2
        counts = np.clip(np.ceil(lengths / middle).astype(np.int64), fewest, most)
        low, high = (low, middle) if counts.sum() <= n else (middle, high)
    counts = np.clip(np.ceil(lengths / high).astype(np.int64), fewest, most)
    while counts.sum() < n:  # the longest samples are divided first
        size = np.where(counts < most, lengths / counts, 0.0)
        counts[int(np.argmax(size))] += 1
    return counts
