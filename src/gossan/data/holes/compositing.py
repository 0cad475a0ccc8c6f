"""Samples of many lengths made into composites of one, so that each counts for the same ground.

Intervals with grades come in; composites with their grades, coverage and the balance of metal go
out. Every metre times grade that goes in comes out, in a composite or in the list of what is left.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import GossanWarning, check_option
from gossan.data.holes.alonghole import count_pieces, meeting_pairs
from gossan.data.holes.checks import TOLERANCE, overlap_of, sort_intervals
from gossan.data.holes.fixes import fix_tables

_DUST = 1e-9  # m; what rounding leaves over is no composite


@dataclass(frozen=True, eq=False)
class Composites:
    """Composites of one length.

    Attributes
    ----------
    table : DataFrame of n_composites
        hole, from, to [m], domain (if asked for), covered [m] (sampled for at least one column),
        coverage (its share of the composite length), and the mean of each column; NaN where less
        than the least coverage holds a value of it.
    censored : DataFrame of n_composites
        Share of each mean that comes from values below detection, 0 to 1.
    lengths : DataFrame of n_composites
        Metres (tonnes per unit area if weighted by density) that each mean stands for.
    dropped : DataFrame
        What was left out, in the same columns: ends of holes and domains, and stretches with too
        little sampled.
    balance : DataFrame
        One row a column: metres times grade of the samples (total), of the composites (kept) and of
        what was left out (dropped).
    length : float
        Composite length [m].
    """

    table: pd.DataFrame
    censored: pd.DataFrame
    lengths: pd.DataFrame = field(repr=False)
    dropped: pd.DataFrame = field(repr=False)
    balance: pd.DataFrame = field(repr=False)
    length: float

    def __str__(self) -> str:
        share = self.balance["kept"] / self.balance["total"].replace(0, np.nan)
        held = ", ".join(f"{name} {part:.1%}" for name, part in share.dropna().items())
        return (
            f"{len(self.table):,} composites of {self.length:g} m in"
            f" {self.table['hole'].nunique():,} holes; {len(self.dropped):,} stretches left out."
            f" Share of metres times grade that is kept: {held or 'none'}"
        )


def composite(
    table: pd.DataFrame,
    length: float,
    *,
    columns: Sequence[str],
    censored: pd.DataFrame | None = None,
    domains: pd.DataFrame | None = None,
    density: str | None = None,
    min_coverage: float = 0.5,
    origin: str = "collar",
    overlaps: str = "raise",
) -> Composites:
    """Length-weighted means over stretches of constant length.

    Parameters
    ----------
    table : DataFrame of n_samples
        Columns hole, from, to [m] and the grades; missing is NaN, a value below detection its
        limit.
    length : float
        Composite length [m].
    columns : sequence of str
        Grades to be averaged.
    censored : bool DataFrame of n_samples, optional
        Mask of what is below detection; its share is carried along.
    domains : DataFrame, optional
        Columns hole, from, to and domain: a composite ends where the domain changes, and the next
        one starts there. What no domain covers is composited by itself, with a missing domain.
    density : str, optional
        Column of densities by which lengths are weighted. Samples without one take the mean, with
        a warning.
    min_coverage : float
        A mean is kept where this share of `length` holds values; 0.5 by custom, 0 keeps all.
    origin : "collar" or "first"
        Whether composites are counted from depth 0 or from the first sample of the hole; domains
        have origins of their own.
    overlaps : "raise" or "upper"
        "upper" cuts an interval off at the end of those above it, and keeps the fuller of two with
        the same ends.

    Returns
    -------
    composites : Composites

    Raises
    ------
    ValueError
        If the length is not positive, a column is missing or no number, an interval has no hole or
        length, intervals overlap and nothing was said about it, or there would be more composites
        than memory holds.

    Examples
    --------
    >>> samples = pd.DataFrame({"hole": "A", "from": [0.0, 4, 8], "to": [4.0, 8, 12],
    ...                         "Au": [1.0, 2.0, 9.0]})
    >>> made = composite(samples, 6.0, columns=["Au"])
    >>> made.table[["from", "to", "Au"]]
       from    to        Au
    0   0.0   6.0  1.333333
    1   6.0  12.0  6.666667
    >>> made.balance.loc["Au", "total"]
    np.float64(48.0)
    """
    check_option("origin", origin, ("collar", "first"))
    check_option("overlaps", overlaps, ("raise", "upper"))
    columns = [columns] if isinstance(columns, str) else list(columns)
    _check_arguments(table, length, columns, min_coverage)
    samples = usable_samples(table, overlaps, what="samples")
    if domains is not None:
        domains = usable_samples(domains, overlaps, what="domains")
    holes, codes = _code_holes(samples)
    bins = _make_bins(samples, codes, length, domains=domains, holes=holes, origin=origin)
    weights = _densities(samples, density)
    sums = _sum_pieces(samples, codes, bins, columns=columns, censored=censored, density=weights)
    return _assemble(sums, bins, holes, columns, length=length, min_coverage=min_coverage)


@dataclass(frozen=True)
class _Bins:
    """Stretches to average over, sorted by hole and depth; `domains` is None if none were given."""

    codes: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    domains: NDArray[Any] | None


@dataclass(frozen=True)
class _Sums:
    """Per bin and column: metres with a value, weight, weight times grade, weight censored."""

    metres: NDArray[np.float64]
    weight: NDArray[np.float64]
    metal: NDArray[np.float64]
    below: NDArray[np.float64]
    covered: NDArray[np.float64]  # metres with a value of any column
    total: NDArray[np.float64]  # weight times grade of the samples


def _check_arguments(
    table: pd.DataFrame, length: float, columns: Iterable[str], min_coverage: float
) -> None:
    if not np.isfinite(length) or length <= 0:
        raise ValueError(
            f"The composite length must be positive, got {length}. Give it in metres; twice the"
            " usual sample length or more."
        )
    if not 0 <= min_coverage <= 1:
        raise ValueError(f"min_coverage must be from 0 to 1, got {min_coverage}. Half is 0.5.")
    for name in columns:
        if name not in table.columns:
            known = ", ".join(map(str, table.columns))
            raise ValueError(f"There is no column {name!r} to composite; there are {known}.")
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise ValueError(
                f"Column {name!r} holds text and cannot be averaged. Choose columns of numbers, or"
                " pass a column of labels as domain."
            )


def usable_samples(table: pd.DataFrame, overlaps: str, *, what: str) -> pd.DataFrame:
    """Return the intervals sorted, each with a length and without overlaps.

    Raises
    ------
    ValueError
        If one has no hole or length, or they overlap and may not be cut.
    """
    faulty = table["hole"].isna() | ~(table["from"] < table["to"])
    if faulty.any():
        _refuse(table[faulty], f"{what} have no hole or from >= to")
    if overlaps == "upper":
        fixed, changes = fix_tables({what: table}, ["duplicate intervals", "overlaps"])
        table = fixed[what]
        if len(changes):
            warnings.warn(
                f"{len(changes):,} {what} that overlap those above them were cut or left out;"
                " DrillHoles.fixed lists such rows.",
                GossanWarning,
                stacklevel=4,
            )
    ordered = sort_intervals(table)
    over = overlap_of(ordered) > TOLERANCE
    if over.any():
        _refuse(ordered[over], f"{what} overlap those above them", "pass overlaps='upper' or ")
    return ordered


def _refuse(rows: pd.DataFrame, what: str, advice: str = "") -> None:
    first = [
        f"{row['hole']} {row['from']:g} to {row['to']:g} m (row {place})"
        for place, row in rows.head(4).iterrows()
    ]
    more = f" and {len(rows) - 4:,} more" if len(rows) > 4 else ""
    raise ValueError(
        f"{len(rows):,} {what}: {', '.join(first)}{more}. Correct them, {advice or 'or '}use"
        " DrillHoles.fixed, which lists each row that it touches."
    )


def _code_holes(samples: pd.DataFrame) -> tuple[pd.Index, NDArray[np.int64]]:
    codes, holes = pd.factorize(samples["hole"])
    return pd.Index(holes), codes.astype(np.int64)


def _make_bins(
    samples: pd.DataFrame,
    codes: NDArray[np.int64],
    length: float,
    *,
    domains: pd.DataFrame | None,
    holes: pd.Index,
    origin: str,
) -> _Bins:
    """Cut each run of a domain, or each hole, into stretches of the composite length."""
    ends = samples.groupby(codes)["to"].max().to_numpy(dtype=float)
    starts = samples.groupby(codes)["from"].min().to_numpy(dtype=float)
    if origin == "collar":
        starts = np.minimum(starts, np.floor(starts / length + _DUST) * length)
    if domains is None:
        runs: list[tuple] = [(i, starts[i], ends[i], None) for i in range(len(holes))]
    else:
        groups = dict(list(domains.groupby("hole", sort=False)))
        runs = [
            (i, *run)
            for i, hole in enumerate(holes)
            for run in _domain_runs(groups.get(hole), starts[i], ends[i])
        ]
    run_starts = np.array([run[1] for run in runs], dtype=float)
    run_ends = np.array([run[2] for run in runs], dtype=float)
    count = np.maximum(count_pieces(run_ends - run_starts, length), 1)
    run = np.repeat(np.arange(len(runs)), count)
    step = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count)
    is_last = step == count[run] - 1
    return _Bins(
        np.array([code for code, *_ in runs], dtype=np.int64)[run],
        run_starts[run] + step * length,
        np.where(is_last, run_ends[run], run_starts[run] + (step + 1) * length),
        None if domains is None else np.array([r[3] for r in runs], dtype=object)[run],
    )


def _domain_runs(
    rows: pd.DataFrame | None, start: float, end: float
) -> list[tuple[float, float, Any]]:
    """Stretches of one domain down a hole, and the unmapped ones between them."""
    runs: list[tuple[float, float, Any]] = []
    spans = [] if rows is None else rows[["from", "to", "domain"]].itertuples(index=False)
    for top, bottom, label in spans:
        name = None if pd.isna(label) else label
        above = runs[-1][1] if runs else min(start, top)
        begin = above if top - above <= TOLERANCE else top  # rounding opens no gap
        if begin > above:
            runs.append((above, begin, None))
        if runs and runs[-1][2] == name:  # the same domain goes on
            begin = runs.pop()[0]
        runs.append((begin, bottom, name))
    above = runs[-1][1] if runs else start
    if end > above:
        runs.append((above, end, None))
    return runs


def _densities(samples: pd.DataFrame, density: str | None) -> NDArray[np.float64]:
    """Density of each sample; 1 if none is asked for, the mean where it is missing."""
    if density is None:
        return np.ones(len(samples))
    _check_arguments(samples, 1.0, [density], 0.0)
    values = samples[density].to_numpy(dtype=float)
    lacking = ~(values > 0)
    if lacking.all():
        raise ValueError(f"Column {density!r} holds no positive density. Leave density out.")
    lengths = (samples["to"] - samples["from"]).to_numpy(dtype=float)
    mean = float(np.average(values[~lacking], weights=lengths[~lacking]))
    if lacking.any():
        warnings.warn(
            f"{lacking.sum():,} of {len(values):,} samples have no density and take the mean,"
            f" {mean:.4g}.",
            GossanWarning,
            stacklevel=4,
        )
    return np.where(lacking, mean, values)


def _sum_pieces(
    samples: pd.DataFrame,
    codes: NDArray[np.int64],
    bins: _Bins,
    *,
    columns: list[str],
    censored: pd.DataFrame | None,
    density: NDArray[np.float64],
) -> _Sums:
    """Add up what each bin holds of each sample."""
    tops, ends = (samples[name].to_numpy(dtype=float) for name in ("from", "to"))
    sample, place, metres = meeting_pairs(
        codes, tops, ends, bins=(bins.codes, bins.starts, bins.ends)
    )
    grades = samples[columns].to_numpy(dtype=float)
    has = ~np.isnan(grades)
    grades = np.where(has, grades, 0.0)
    is_below = np.zeros(grades.shape, dtype=bool)
    if censored is not None:
        known = censored.reindex(index=samples.index, columns=columns, fill_value=False)
        is_below = known.to_numpy(dtype=bool) & has

    def add(share: NDArray, weight: NDArray) -> NDArray[np.float64]:
        parts = (weight * column[sample] for column in share.T)
        return np.stack([np.bincount(place, part, len(bins.codes)) for part in parts], axis=1)

    tonnes = metres * density[sample]
    has_any = np.asarray(has.any(axis=1), dtype=float)
    any_value = np.bincount(place, metres * has_any[sample], len(bins.codes)).astype(float)
    total: NDArray[np.float64] = ((ends - tops) * density) @ grades
    return _Sums(
        add(has, metres), add(has, tonnes), add(grades, tonnes), add(is_below, tonnes), any_value, total
    )  # fmt: skip


def _assemble(
    sums: _Sums,
    bins: _Bins,
    holes: pd.Index,
    columns: list[str],
    *,
    length: float,
    min_coverage: float,
) -> Composites:
    filled = sums.weight > 0
    keep = filled & (sums.metres >= min_coverage * length - _DUST)
    mean = np.divide(sums.metal, sums.weight, where=filled, out=np.full(filled.shape, np.nan))
    below = np.divide(sums.below, sums.weight, where=filled, out=np.zeros(filled.shape))
    keys = pd.DataFrame({"hole": holes[bins.codes], "from": bins.starts, "to": bins.ends})
    if bins.domains is not None:
        keys["domain"] = pd.Series(bins.domains, dtype=object).infer_objects()
    keys["covered"], keys["coverage"] = sums.covered, sums.covered / length
    is_kept = np.asarray(keep.any(axis=1))
    is_left = np.asarray((filled & ~keep & (sums.metres > _DUST)).any(axis=1))

    def tabulate(array: NDArray, rows: NDArray[np.bool_]) -> pd.DataFrame:
        return pd.DataFrame(array[rows], columns=columns)

    def join(rows: NDArray[np.bool_], mask: NDArray[np.bool_]) -> pd.DataFrame:
        grades = tabulate(np.where(mask, mean, np.nan), rows)
        return pd.concat([keys[rows].reset_index(drop=True), grades], axis=1)

    balance = pd.DataFrame(
        {
            "total": sums.total,
            "kept": np.where(keep, sums.metal, 0.0).sum(axis=0),
            "dropped": np.where(keep, 0.0, sums.metal).sum(axis=0),
        },
        index=columns,
    )
    return Composites(
        join(is_kept, keep),
        tabulate(np.where(keep, below, 0.0), is_kept),
        tabulate(np.where(keep, sums.weight, 0.0), is_kept),
        join(is_left, filled & ~keep),
        balance,
        float(length),
    )
