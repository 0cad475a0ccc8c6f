"""Places along many holes at once: which station lies above a depth, which intervals meet.

Codes of holes and depths come in, sorted or not; places in the sorted arrays go out. All holes are
looked through together, so that a hundred thousand intervals take a fraction of a second.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]
MAX_PIECES = 50_000_000


def last_at_or_above(
    codes: Codes, depths: Numbers, at_codes: Codes, at_depths: Numbers
) -> NDArray[np.int64]:
    """Place of the deepest station at or above each depth of the same hole; -1 where there is none.

    Parameters
    ----------
    codes, depths : array of shape (n_stations,)
        Hole and depth [m] of each station, sorted by hole and depth.
    at_codes, at_depths : array of shape (n_depths,)
        Hole and depth [m] that are asked for, in any order.

    Returns
    -------
    places : int64 array of shape (n_depths,)

    Examples
    --------
    >>> last_at_or_above(np.array([0, 0, 1]), np.array([0.0, 30.0, 0.0]),
    ...                  np.array([0, 0, 1, 2]), np.array([10.0, 30.0, 99.0, 5.0]))
    array([ 0,  1,  2, -1])
    """
    n = len(codes)
    is_query = np.arange(n + len(at_codes)) >= n
    keys = is_query, np.concatenate([depths, at_depths]), np.concatenate([codes, at_codes])
    order = np.lexsort(keys)
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.cumsum(~is_query[order]) - 1
    places = places[n:]
    if not n:
        return places
    return np.where((places >= 0) & (codes[places] == at_codes), places, -1)


def reach_above(codes: Codes, ends: Numbers) -> Numbers:
    """Deepest end of the earlier intervals of the same hole; -inf for the first of a hole.

    Parameters
    ----------
    codes, ends : array of shape (n_intervals,)
        Hole and lower end [m] of each interval, sorted by hole and upper end.

    Returns
    -------
    reach : array of shape (n_intervals,)

    Examples
    --------
    >>> reach_above(np.array([0, 0, 0, 1]), np.array([5.0, 2.0, 7.0, 3.0]))
    array([-inf,   5.,   5., -inf])
    """
    reach = np.full(len(codes), -np.inf)
    for start, stop in runs_of(codes):
        reach[start + 1 : stop] = np.fmax.accumulate(ends[start : stop - 1])
    return reach


def runs_of(codes: Codes) -> list[tuple[int, int]]:
    """First place and one past the last of each run of equal codes.

    Examples
    --------
    >>> runs_of(np.array([3, 3, 5]))
    [(0, 2), (2, 3)]
    """
    if not len(codes):
        return []
    starts = np.flatnonzero(np.diff(codes)) + 1
    edges = [0, *starts.tolist(), len(codes)]
    return list(pairwise(edges))


def meeting_pairs(
    codes: Codes, starts: Numbers, ends: Numbers, *, bins: tuple[Codes, Numbers, Numbers]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers]:
    """Pairs of intervals and bins that share a stretch of hole, and the length of that stretch.

    Parameters
    ----------
    codes, starts, ends : array of shape (n_intervals,)
        Hole, upper and lower end [m], in any order.
    bins : codes, starts and ends of shape (n_bins,)
        Sorted by hole and depth, without overlaps.

    Returns
    -------
    interval, bin : int64 array of shape (n_pairs,)
        Places in the two lists.
    length : array of shape (n_pairs,)
        Common length [m], positive.

    Examples
    --------
    >>> zero = np.zeros(2, dtype=int)
    >>> pairs = meeting_pairs(zero[:1], np.array([4.0]), np.array([12.0]),
    ...                       bins=(zero, np.array([0.0, 10.0]), np.array([10.0, 20.0])))
    >>> [array.tolist() for array in pairs]
    [[0, 0], [0, 1], [6.0, 2.0]]
    """
    bin_codes, bin_starts, bin_ends = bins
    if not len(bin_codes) or not len(codes):
        none = np.empty(0, dtype=np.int64)
        return none, none, np.empty(0)
    last = last_at_or_above(bin_codes, bin_starts, codes, ends)
    first = last_at_or_above(bin_codes, bin_starts, codes, starts)
    heads = np.searchsorted(bin_codes, codes)  # the first bin of the hole, for starts above it
    first = np.where(first < 0, heads, first)
    count = np.where(last < 0, 0, last - first + 1)
    interval = np.repeat(np.arange(len(codes)), count)
    steps = np.arange(len(interval)) - np.repeat(np.cumsum(count) - count, count)
    place = first[interval] + steps
    top = np.maximum(starts[interval], bin_starts[place])
    length = np.minimum(ends[interval], bin_ends[place]) - top
    keep = length > 0
    return interval[keep], place[keep], length[keep]


def count_pieces(lengths: Numbers, step: float) -> NDArray[np.int64]:
    """Number of pieces of at most `step` metres that each length is cut into.

    Raises
    ------
    ValueError
        If there would be more than `MAX_PIECES`.

    Examples
    --------
    >>> count_pieces(np.array([10.0, 10.1]), 5.0)
    array([2, 3])
    """
    count = np.ceil(lengths / step - 1e-9)
    if not count.sum() <= MAX_PIECES:
        raise ValueError(
            f"Cutting {lengths.sum():,.4g} m of hole, {lengths.max():,.4g} m in one, every {step:g}"
            f" m makes more than {MAX_PIECES:,} pieces. Check the depths, or take a longer step."
        )
    return count.astype(np.int64)


def stops_along(ends: Numbers, step: float | None) -> list[pd.DataFrame]:
    """Both ends of each hole, and depths at every step.

    Parameters
    ----------
    ends : array of shape (n_holes,)
        Depth of each hole [m].
    step : float or None
        [m]; None for the ends alone.

    Returns
    -------
    stops : list of DataFrame
        Columns code (place of the hole) and depth, in no order.

    Raises
    ------
    ValueError
        If there would be more stops than memory holds.
    """
    codes = np.arange(len(ends))
    stops = [pd.DataFrame({"code": codes, "depth": depths}) for depths in (0.0, ends)]
    if step is not None:
        count = count_pieces(np.nan_to_num(ends), step)
        hole = np.repeat(codes, count)
        place = np.arange(len(hole)) - np.repeat(np.cumsum(count) - count, count)
        stops.append(pd.DataFrame({"code": hole, "depth": place * step}))
    return stops
