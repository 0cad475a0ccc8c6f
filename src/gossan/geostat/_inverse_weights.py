"""Inverse-distance means of many elements at once, where each element may lack its own samples.

Samples with a table of values come in, NaN where an element was not measured; the mean of each
element at each target goes out, from the nearest samples that know *that* element. Neighbours and
distances are found once for all elements.
"""
# ruff: noqa: PLR0917 - kernels take what they change one by one

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._compile import compiled
from gossan.geostat._search import Search, build_tree, find_neighbours, run_chunks

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

CHUNK = 8192  # targets weighed at once
LEAST_SHARED_FILL = 0.5  # of the samples of a search are known to each of its elements
SPARE = 1.3  # times the neighbours that are needed on average, so that few elements fall short
AT_SAMPLE = 1e200  # weight of a sample at the target's own place: whatever else is there vanishes


@dataclass(frozen=True)
class Weighing:
    """How samples are weighed."""

    power: float
    n_neighbours: int
    min_neighbours: int
    max_distance: float
    n_jobs: int


def weighted_means(
    samples: Floats, values: Floats, targets: Floats, how: Weighing
) -> NDArray[np.float32]:
    """Return the means (n_elements, n_targets) of elements with gaps, float32.

    Each element is what it would be alone: the mean of its own `n_neighbours` nearest known samples.

    Parameters
    ----------
    samples, targets : arrays of shape (n, 2), (m, 2)
        Centred coordinates [m]; no two samples at one place.
    values : array of shape (n, n_elements)
        NaN where not measured; each element is known somewhere.
    how : Weighing
    """
    out = np.full((values.shape[1], len(targets)), np.nan, dtype=np.float32)
    known = ~np.isnan(values)
    for rows, columns in _parties(known):
        part = values[np.ix_(rows, columns)]
        short = _weigh(samples[rows], part, targets, how, out, columns)
        for column, missed in short:
            own = known[:, column]
            alone = np.full((1, len(missed)), np.nan, dtype=np.float32)
            _weigh(
                samples[own],
                values[own][:, [column]],
                targets[missed],
                how,
                alone,
                np.zeros(1, int),
            )
            out[column, missed] = alone[0]
    return out


def _parties(known: NDArray[np.bool_]) -> list[tuple[Whole, Whole]]:
    """Return (rows, columns) of the elements that are searched together.

    An element joins a party if each of its members is then still known at most of the party's rows:
    others would have to look past too many samples that do not know them.
    """
    left = list(np.argsort(-known.sum(axis=0), kind="stable"))
    parties = []
    while left:
        rows, columns = known[:, left[0]].copy(), [left.pop(0)]
        for column in list(left):
            wider = rows | known[:, column]
            fewest = min(int(known[:, each].sum()) for each in (columns[-1], column))
            if fewest >= LEAST_SHARED_FILL * wider.sum():
                rows, columns = wider, [*columns, column]
                left.remove(column)
        parties.append((np.flatnonzero(rows), np.sort(np.array(columns))))
    return parties


def _weigh(
    samples: Floats,
    values: Floats,
    targets: Floats,
    how: Weighing,
    out: NDArray[np.float32],
    columns: Whole,
) -> list[tuple[int, Whole]]:
    """Fill the rows `columns` of `out`; return (column, targets) that need a search of their own."""
    known = ~np.isnan(values)
    k = min(how.n_neighbours, len(samples))
    least_fill = float(known.mean(axis=0).min())
    is_whole = least_fill == 1.0
    wider = k if is_whole else min(len(samples), int(np.ceil(SPARE * k / least_fill)) + 4)
    search = Search(n_neighbours=wider, max_distance=how.max_distance)
    tree = build_tree(samples)
    filled, there = np.where(known, values, 0.0), known.astype(np.float64)
    short = np.zeros((len(columns), 0 if is_whole else len(targets)), dtype=bool)

    def work(start: int) -> None:
        part = slice(start, start + CHUNK)
        places = np.ascontiguousarray(targets[part])
        rows = find_neighbours(tree, places, search)
        means = np.empty((len(places), len(columns)))
        counts = np.empty((len(places), len(columns)))
        _mean_of_neighbours(
            samples,
            filled,
            there,
            places,
            rows,
            how.power,
            k,
            float(how.min_neighbours),
            means,
            counts,
        )
        out[columns, part] = means.T
        if not is_whole:
            # A full row of neighbours that held too few known ones: there may be more farther out.
            is_open = (rows[:, -1] >= 0) & (wider < len(samples))
            short[:, part] = (is_open[:, None] & (counts < k)).T

    run_chunks(work, len(targets), CHUNK, how.n_jobs)
    return [
        (int(column), np.flatnonzero(missed))
        for column, missed in zip(columns, short, strict=True)
        if missed.any()
    ]


@compiled
def _mean_of_neighbours(
    samples: NDArray,
    values: NDArray,
    known: NDArray,
    targets: NDArray,
    rows: NDArray,
    power: float,
    k: int,
    least: float,
    means: NDArray,
    counts: NDArray,
) -> None:
    """Fill the mean (m, n_elements) of the `k` nearest known samples, and how many there were."""
    n_elements = values.shape[1]
    sums = np.empty(n_elements)
    for t in range(targets.shape[0]):
        nearest = 0.0
        for e in range(n_elements):
            means[t, e], sums[e], counts[t, e] = 0.0, 0.0, 0.0
        for j in range(rows.shape[1]):
            i = rows[t, j]
            if i < 0:
                break
            dx, dy = samples[i, 0] - targets[t, 0], samples[i, 1] - targets[t, 1]
            square = dx * dx + dy * dy
            if square == 0.0:
                weight = AT_SAMPLE
            else:
                # Over the nearest distance: no overflow, whatever the power.
                nearest = square if nearest == 0.0 else nearest
                ratio = nearest / square
                weight = ratio if power == 2.0 else ratio ** (0.5 * power)
            for e in range(n_elements):
                taken = known[i, e] if counts[t, e] < k else 0.0
                counts[t, e] += taken
                means[t, e] += weight * taken * values[i, e]
                sums[e] += weight * taken
        for e in range(n_elements):
            means[t, e] = means[t, e] / sums[e] if counts[t, e] >= least else np.nan
