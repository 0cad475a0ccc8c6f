"""Significant intercepts: the stretches of core above a cut-off that a drilling report lists.

Intervals with grades come in; one row an intercept goes out, with the richer stretches inside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import check_option
from gossan.data.holes.alonghole import runs_of
from gossan.data.holes.compositing import usable_samples

_COLUMNS = ["hole", "from", "to", "length", "grade", "metal", "dilution", "cutoff", "including"]
_PRINTED = 40  # intercepts; the table has all


@dataclass(frozen=True, eq=False)
class Intercepts:
    """Significant intercepts; `print` them as a report lists them.

    Attributes
    ----------
    table : DataFrame of n_intercepts
        hole, from, to, length [m down the hole], grade, metal (grade times length), dilution [m of
        it below the cut-off], cutoff, and including: False for an intercept, True for a richer
        stretch inside the one above it.
    column, unit : str
        What was assayed.
    rule : str
        Cut-off and limits in words, to stand under the table.
    """

    table: pd.DataFrame
    column: str
    unit: str
    rule: str

    def __str__(self) -> str:
        lines = []
        for row in self.table.head(_PRINTED).itertuples(index=False):
            hole, top, end, length, grade, *_, including = row
            head = "  including" if including else f"{hole}:"
            unit = f" {self.unit}" if self.unit else ""
            lines.append(
                f"{head} {length:.1f} m at {grade:.3g}{unit} {self.column} from {top:.1f} m"
                f" to {end:.1f} m"
            )
        n_more = len(self.table) - _PRINTED
        if n_more > 0:
            lines.append(f"... and {n_more:,} more: .table has them all")
        return "\n".join([*(lines or ["no significant intercept"]), self.rule])


def significant_intercepts(
    table: pd.DataFrame,
    column: str,
    cutoff: float,
    *,
    min_length: float = 2.0,
    max_dilution: float = 2.0,
    min_grade: float | None = None,
    top_cut: float | None = None,
    including: Sequence[float] = (),
    censored: pd.Series | None = None,
    below: str = "zero",
    unit: str = "",
    overlaps: str = "raise",
) -> Intercepts:
    """Stretches whose mean grade reaches the cut-off, each as long as the rule allows.

    An intercept begins and ends with a sample at or above the cut-off; the waste inside it comes in
    stretches of at most `max_dilution`, and its mean, waste included, reaches `min_grade`. In each
    hole the longest such stretch is taken first, then the longest beside it. Core that was not
    sampled or not analysed counts as waste without metal, so that no gap makes an intercept richer.

    Parameters
    ----------
    table : DataFrame of n_samples
        Columns hole, from, to [m] and `column`.
    column : str
        Grade.
    cutoff : float
        In the unit of the grade.
    min_length : float
        Least length of an intercept [m]; a common choice is 2.
    max_dilution : float
        Most metres of waste in one piece inside an intercept.
    min_grade : float, optional
        Least mean grade; default the cut-off.
    top_cut : float, optional
        Higher grades count as this one.
    including : sequence of float
        Higher cut-offs, for the richer stretches inside each intercept.
    censored : bool Series of n_samples, optional
        What is below detection.
    below : "zero" or "limit"
        Whether a value below detection counts as 0, so that a coarse limit is no ore, or as its
        limit.
    unit : str
        For the print.
    overlaps : "raise" or "upper"
        As in `composite`.

    Returns
    -------
    intercepts : Intercepts
        Lengths are measured down the hole and are no true widths.

    Raises
    ------
    ValueError
        If the column is missing, a number is out of range, or intervals overlap.

    Examples
    --------
    >>> samples = pd.DataFrame({"hole": "WP7", "from": [0.0, 2, 4, 6, 8], "to": [2.0, 4, 6, 8, 10],
    ...                         "Au": [0.1, 1.5, 0.2, 4.0, 0.1]})
    >>> print(significant_intercepts(samples, "Au", 0.5, including=[3.0], unit="ppm"))
    WP7: 6.0 m at 1.9 ppm Au from 2.0 m to 8.0 m
      including 2.0 m at 4 ppm Au from 6.0 m to 8.0 m
    Cut-off 0.5, at least 2 m long, at most 2 m of waste in one piece, mean at least 0.5; down-hole
    lengths.
    """
    check_option("below", below, ("zero", "limit"))
    _check_rule(table, column, cutoff, min_length, max_dilution, including=including)
    samples = usable_samples(table, overlaps, what="samples")
    grade = samples[column].astype(float).fillna(0.0).to_numpy(copy=True)
    if censored is not None and below == "zero":
        grade[censored.reindex(samples.index, fill_value=False).to_numpy(dtype=bool)] = 0.0
    if top_cut is not None:
        grade = np.minimum(grade, top_cut)
    least = cutoff if min_grade is None else min_grade
    records: list[tuple] = []
    for hole, core in _cores(samples, grade):
        for found in _find_stretches(core, cutoff, least, min_length, max_dilution):
            records.append((hole, *_describe(core, found, cutoff), cutoff, False))
            for higher in sorted(including):
                inside = _Core(core.tops[found], core.ends[found], core.grades[found])
                records += [
                    (hole, *_describe(inside, part, higher), higher, True)
                    for part in _find_stretches(inside, higher, higher, 0.0, max_dilution)
                ]
    rule = (
        f"Cut-off {cutoff:g}, at least {min_length:g} m long, at most {max_dilution:g} m of waste in"
        f" one piece, mean at least {least:g}{f', top cut {top_cut:g}' if top_cut else ''};"
        " down-hole lengths."
    )
    return Intercepts(pd.DataFrame(records, columns=_COLUMNS), column, unit, rule)


@dataclass(frozen=True)
class _Core:
    """Upper and lower ends [m] and grades of the samples of one hole, without gaps."""

    tops: NDArray[np.float64]
    ends: NDArray[np.float64]
    grades: NDArray[np.float64]


def _check_rule(
    table: pd.DataFrame,
    column: str,
    cutoff: float,
    min_length: float,
    max_dilution: float,
    *,
    including: Sequence[float],
) -> None:
    if column not in table.columns or not pd.api.types.is_numeric_dtype(table[column]):
        numbers = ", ".join(map(str, table.select_dtypes("number").columns))
        raise ValueError(f"{column!r} is no column of grades; columns of numbers are {numbers}.")
    for name, number in (("min_length", min_length), ("max_dilution", max_dilution)):
        if not number >= 0:
            raise ValueError(f"{name} must not be negative, got {number}. Give it in metres.")
    if not cutoff > 0:
        raise ValueError(f"The cut-off must be positive, got {cutoff}. Give it as the grades are.")
    if any(higher <= cutoff for higher in including):
        raise ValueError(
            f"Cut-offs of including= must be above {cutoff:g}, got {list(including)}. Leave the"
            " lower ones out."
        )


def _cores(samples: pd.DataFrame, grade: NDArray[np.float64]) -> Iterator[tuple[str, _Core]]:
    """Yield each hole with its samples, gaps filled with barren pieces."""
    codes = pd.factorize(samples["hole"])[0].astype(np.int64)
    tops, ends = (samples[name].to_numpy(dtype=float) for name in ("from", "to"))
    for start, stop in runs_of(codes):
        top, end = tops[start:stop], ends[start:stop]
        gap = np.flatnonzero(top[1:] > end[:-1]) + 1
        core = _Core(
            np.insert(top, gap, end[gap - 1]),
            np.insert(end, gap, top[gap]),
            np.insert(grade[start:stop], gap, 0.0),
        )
        yield str(samples["hole"].iloc[start]), core


def _find_stretches(
    core: _Core, cutoff: float, min_grade: float, min_length: float, max_dilution: float
) -> list[slice]:
    """Slices of the samples that are intercepts, from the top down."""
    is_ore = core.grades >= cutoff
    flips = [stretch for stretch in runs_of(is_ore.astype(np.int64)) if is_ore[stretch[0]]]
    groups: list[list[tuple[int, int]]] = []
    for stretch in flips:
        if (
            groups
            and core.tops[stretch[0]] - core.ends[groups[-1][-1][1] - 1] <= max_dilution + 1e-9
        ):
            groups[-1].append(stretch)
        else:
            groups.append([stretch])
    found = [
        part for group in groups for part in _longest_first(core, group, min_grade, min_length)
    ]
    return sorted(found, key=lambda part: part.start)


def _longest_first(
    core: _Core, stretches: list[tuple[int, int]], min_grade: float, min_length: float
) -> list[slice]:
    """Split stretches of ore, with little waste between them, into intercepts that hold the grade.

    Among all spans from one stretch to another the longest that reaches the grade is taken, then
    the longest on either side of it, and so on.
    """
    lengths = core.ends - core.tops
    metres = np.append(0.0, np.cumsum(lengths))
    metal = np.append(0.0, np.cumsum(lengths * core.grades))
    found, waiting = [], [stretches]
    while waiting:
        part = waiting.pop()
        starts, stops = np.array([a for a, _ in part]), np.array([b for _, b in part])
        span = metres[stops][None, :] - metres[starts][:, None]
        content = metal[stops][None, :] - metal[starts][:, None]
        fits = (
            (span > 0) & (content >= min_grade * span * (1 - 1e-12)) & (span >= min_length - 1e-9)
        )
        if not fits.any():
            continue
        first, last = np.unravel_index(np.argmax(np.where(fits, span, -1.0)), span.shape)
        found.append(slice(int(starts[first]), int(stops[last])))
        waiting += [rest for rest in (part[:first], part[last + 1 :]) if rest]
    return found


def _describe(core: _Core, part: slice, cutoff: float) -> tuple[float, ...]:
    """Top, end, length, mean grade, grade times length, and metres below the cut-off."""
    lengths = core.ends[part] - core.tops[part]
    metal = float(lengths @ core.grades[part])
    top, end = float(core.tops[part][0]), float(core.ends[part][-1])
    waste = float(lengths[core.grades[part] < cutoff].sum())
    return top, end, end - top, metal / (end - top), metal, waste
