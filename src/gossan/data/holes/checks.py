"""What is wrong with drill-hole tables: one function for each kind of fault.

Collars, surveys and intervals come in; findings with hole and row go out, and nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.data.holes.alonghole import reach_above
from gossan.data.holes.desurvey import MAX_TURN, direction_vectors, turn_angles
from gossan.data.holes.report import join_findings, place_findings

TOLERANCE = 1e-6  # m; depths that are closer are the same depth
MAX_DOGLEG = 10.0  # degrees per 30 m; drill rods bend little more
MAX_DEPTH = 13_000.0  # m; the deepest hole on Earth has 12,262 m
_COURSE = 30.0  # m
_ROUNDING = 0.01  # m by which an interval may end below its hole
_LONG, _TIMES_MEDIAN = 30.0, 20.0  # an analysis of more metres and times the median is doubted
_FEET = (3.1, 3.5)  # depths over depth of collar that say feet
_LEAST_ANALYSES, _LEAST_HOLES, _QUARTER = 10, 5, 0.25  # that a comparison of holes needs
_UNIT_FACTOR = 5.0  # by which that quarter lies beyond the values of all other holes
_FAR, _TIMES_SPREAD = 20_000.0, 20.0  # m and times the median distance: a collar far from the rest


def check_holes(
    collars: pd.DataFrame,
    surveys: pd.DataFrame,
    intervals: Mapping[str, pd.DataFrame],
    *,
    analyses: Mapping[str, list[str]] | None = None,
) -> pd.DataFrame:
    """Every fault of the tables of drill holes.

    Parameters
    ----------
    collars : DataFrame
        Columns hole, easting, northing, elevation, depth; indexed by the rows of the file.
    surveys : DataFrame
        Columns hole, depth, azimuth, dip (negative downwards).
    intervals : mapping of name to DataFrame
        Columns hole, from, to.
    analyses : mapping of name to columns, optional
        Columns that are measured; in tables that have some, over-long intervals are doubted.

    Returns
    -------
    findings : DataFrame
        As in `HoleReport.findings`, errors first.
    """
    parts = [*_check_collars(collars), *_check_surveys(surveys, collars)]
    for name, table in intervals.items():
        parts += _check_intervals(name, table, collars)
        parts += _check_long(name, table) if (analyses or {}).get(name) else []
        parts += _check_units(name, table, (analyses or {}).get(name, []))
        parts += _check_holes_without(name, table, collars, severity="note")
    parts += _check_holes_without("survey", surveys, collars, severity="error")
    return join_findings(parts)


def sort_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Intervals with a hole, both depths and a length, sorted by hole, from and to."""
    usable = table["hole"].notna() & (table["from"] < table["to"])
    return table[usable].sort_values(["hole", "from", "to"], kind="stable")


def overlap_of(table: pd.DataFrame) -> NDArray[np.float64]:
    """Metres by which each of the sorted intervals starts above the end of those before it.

    Parameters
    ----------
    table : DataFrame of n_intervals
        From `sort_intervals`.

    Returns
    -------
    overlap : array of shape (n_intervals,)
        Negative for a gap; -inf for the first interval of a hole.
    """
    codes = pd.factorize(table["hole"])[0].astype(np.int64)
    reach = reach_above(codes, table["to"].to_numpy(dtype=float))
    return reach - table["from"].to_numpy(dtype=float)


def long_limit(lengths: pd.Series) -> float:
    """Length above which one analysis is implausible: 30 m, or 20 times the median [m]."""
    middle = lengths[lengths > 0].median()
    return max(_LONG, _TIMES_MEDIAN * float(middle)) if pd.notna(middle) else np.inf


def plain_name(name: str) -> str:
    """Name of a hole without case, blanks, signs and leading zeros: "WP-001" is "wp1".

    A sign between two numbers stays, since "D1-12" and "D11-2" are two holes.
    """
    word = re.sub(r"\.0+$", "", str(name).casefold().strip())  # 12.0 is 12
    word = re.sub(r"(?<=[0-9])[\W_]+(?=[0-9])", "\0", word)
    word = re.sub(r"[^\w\0]|_", "", word).replace("\0", "-")
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", word)


def _check_collars(collars: pd.DataFrame) -> Iterator[pd.DataFrame]:
    names, places = collars["hole"], collars[["easting", "northing", "elevation"]]
    again = (names.notna() & names.duplicated()).to_numpy()
    first = places.groupby(names).first().reindex(names).set_axis(places.index)
    moved = ((places - first).abs() > TOLERANCE).any(axis=1).to_numpy()
    lacking = places.isna().any(axis=1).to_numpy()
    shared = ~again & ~lacking & (places.duplicated(keep=False) & names.notna()).to_numpy()
    distance = _distance_from_middle(places)
    middle = 0.0 if lacking.all() else float(np.median(distance[~lacking]))
    far = max(_FAR, _TIMES_SPREAD * middle)
    table = collars.assign(
        lacking=[", ".join(places.columns[row]) for row in places.isna().to_numpy()],
        distance=distance / 1000,
    )
    for hit, kind, severity, message in (
        (names.isna(), "no hole name", "error", "a collar without a name"),
        (again & moved, "duplicate collar", "error", "named before, at another place"),
        (again & ~moved, "duplicate collar", "error", "named before, at the same place"),
        (lacking, "missing coordinates", "error", "it has no {lacking}"),
        (shared, "same place", "note", "shares its collar with another hole: a wedge?"),
        (collars["depth"] <= 0, "no depth", "error", "its depth is {depth:g} m"),
        (distance > far, "far away", "warning", "{distance:,.0f} km from the middle of the holes"),
    ):
        yield place_findings("collar", table, hit, kind=kind, severity=severity, message=message)


def _distance_from_middle(places: pd.DataFrame) -> NDArray[np.float64]:
    """Distance on the map from the median collar [m]."""
    offsets = places[["easting", "northing"]] - places[["easting", "northing"]].dropna().median()
    return np.hypot(offsets["easting"], offsets["northing"]).to_numpy(dtype=float)


def _check_surveys(surveys: pd.DataFrame, collars: pd.DataFrame) -> Iterator[pd.DataFrame]:
    depth, azimuth, dip = (surveys[name] for name in ("depth", "azimuth", "dip"))
    upright = dip.abs() == 90
    wild = (azimuth < -360) | (azimuth > 720)
    turned = ((azimuth < 0) | (azimuth > 360)) & ~wild
    table = surveys.assign(wrapped=azimuth % 360)
    yield _find_strangers("survey", surveys, collars)
    for hit, kind, severity, message, column in (
        (depth.isna(), "missing depth", "error", "a survey without depth", "depth"),
        (dip.isna(), "missing dip", "error", "a survey without dip", "dip"),
        (azimuth.isna() & ~upright, "missing azimuth", "error", "a survey without azimuth", "azimuth"),
        (azimuth.isna() & upright, "missing azimuth", "note",
         "no azimuth, which a vertical hole does not need", "azimuth"),
        (dip.abs() > 90, "survey out of range", "error", "a dip of {dip:g}°", "dip"),
        (wild, "survey out of range", "error", "an azimuth of {azimuth:g}°", "azimuth"),
        (depth < 0, "survey out of range", "error", "{depth:g} m, above the collar", "depth"),
        (turned, "azimuth wrap", "warning", "{azimuth:g}° is read as {wrapped:g}°", "azimuth"),
    ):  # fmt: skip
        yield place_findings(
            "survey", table, hit, kind=kind, severity=severity, message=message, column=column
        )
    yield from _check_beyond("survey", surveys, collars, column="depth")
    yield from _check_bends(surveys)


def _check_bends(surveys: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Duplicate surveys, dog-legs and holes that turn back."""
    azimuth = surveys["azimuth"].where(surveys["dip"].abs() != 90, 0.0)
    table = surveys.assign(azimuth=azimuth).dropna(subset=["hole", "depth", "azimuth", "dip"])
    table = table.sort_values(["hole", "depth"], kind="stable")
    if len(table) < 2:
        return
    direction = direction_vectors(table["azimuth"], table["dip"])
    turn = np.append(0.0, turn_angles(direction[:-1], direction[1:]))
    course = table["depth"].diff().to_numpy(dtype=float)
    same = (table["hole"] == table["hole"].shift()).to_numpy()
    twice, apart = same & (course == 0), same & (course > 0)
    rate = np.divide(_COURSE * turn, course, where=apart, out=np.zeros(len(table)))
    bent = rate > MAX_DOGLEG
    table = table.assign(turn=turn, course=course, rate=rate)
    for hit, kind, severity, message in (
        (twice & (turn > 1e-6), "duplicate survey", "error",
         "a second survey of {depth:g} m, which differs by {turn:.3g}°"),
        (twice & (turn <= 1e-6), "duplicate survey", "note", "the same survey of {depth:g} m again"),
        (bent & (turn > MAX_TURN), "turn back", "error",
         "the hole turns by {turn:.0f}° in {course:g} m"),
        (bent & (turn <= MAX_TURN), "dog-leg", "warning",
         "{turn:.3g}° in {course:g} m, or {rate:.3g}° in 30 m"),
    ):  # fmt: skip
        yield place_findings("survey", table, hit, kind=kind, severity=severity, message=message)


def _check_intervals(
    name: str, table: pd.DataFrame, collars: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    top, end = table["from"], table["to"]
    yield _find_strangers(name, table, collars)
    span = "from {from:g} to {to:g} m"
    for hit, kind, severity, message in (
        (top.isna() | end.isna(), "missing from or to", "error", span),
        (top > end, "from >= to", "error", span),
        (top == end, "from >= to", "error", "no length at {from:g} m"),
        (top < 0, "above the collar", "error", span),
    ):
        yield place_findings(name, table, hit, kind=kind, severity=severity, message=message)
    yield from _check_beyond(name, table, collars, column="to")
    yield from _check_contacts(name, table)


def _check_contacts(name: str, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Duplicates, overlaps and gaps between the intervals of a hole."""
    ordered = sort_intervals(table)
    if ordered.empty:
        return
    again = ordered.duplicated(["hole", "from", "to"]).to_numpy()
    overlap = overlap_of(ordered)
    ordered = ordered.assign(over=overlap, gap=-overlap)
    is_gap = np.isfinite(overlap) & (overlap < -TOLERANCE)
    for hit, kind, severity, message in (
        (again, "duplicate interval", "error", "{from:g} to {to:g} m is there before"),
        (~again & (overlap > TOLERANCE), "overlap", "error",
         "{from:g} to {to:g} m starts {over:.4g} m above the end of an interval before it"),
        (is_gap, "gap", "note", "nothing for {gap:.4g} m above {from:g} m"),
    ):  # fmt: skip
        yield place_findings(name, ordered, hit, kind=kind, severity=severity, message=message)


def _check_long(name: str, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    length = table["to"] - table["from"]
    yield place_findings(
        name, table.assign(metres=length, usual=length[length > 0].median()),
        length > long_limit(length),
        kind="long interval", severity="warning",
        message="{metres:,.4g} m in one analysis, where {usual:.3g} m is usual",
    )  # fmt: skip


def _check_units(name: str, table: pd.DataFrame, columns: list[str]) -> Iterator[pd.DataFrame]:
    """Holes a quarter of whose analyses lie far beyond all that other holes have, as in another unit."""
    for column in columns:
        known = table.loc[table["hole"].notna() & (table[column] > 0), ["hole", column]]
        by_hole = known.groupby("hole")[column]
        for share, way in ((_QUARTER, "below"), (1.0 - _QUARTER, "above")):
            ends = by_hole.min() if way == "below" else -by_hole.max()
            ends = ends[by_hole.count() >= _LEAST_ANALYSES].sort_values(kind="stable")
            if len(ends) < _LEAST_HOLES:
                continue
            hole, bound = str(ends.index[0]), abs(float(ends.iloc[1]))
            own = float(by_hole.get_group(hole).quantile(share))
            factor = bound / own if way == "below" else own / bound
            yield place_findings(
                name, pd.DataFrame({"hole": [hole]}, index=[0]), [factor >= _UNIT_FACTOR],
                kind="wrong unit?", severity="warning", column=column,
                message=f"a quarter of its values lie {way} {own:.3g}, those of all other holes end at"
                f" {bound:.3g}: another unit?",
            )  # fmt: skip


def _check_beyond(
    name: str, table: pd.DataFrame, collars: pd.DataFrame, *, column: str
) -> Iterator[pd.DataFrame]:
    """Depths below the end of the hole, and the sign that they are in feet."""
    yield place_findings(
        name, table, table[column] > MAX_DEPTH, kind="implausible depth", severity="error",
        column=column, message=f"{{{column}:,.6g}} m: no hole is as deep",
    )  # fmt: skip
    depth = collars.groupby("hole")["depth"].max()
    table = table.assign(eoh=table["hole"].map(depth).astype(float))
    yield place_findings(
        name, table, table[column] > table["eoh"] + _ROUNDING, kind="beyond collar depth",
        severity="warning", column=column,
        message=f"{{{column}:g}} m in a hole of {{eoh:g}} m",
    )  # fmt: skip
    deepest = table[table["eoh"] > 0].groupby("hole")[[column, "eoh"]].max()
    ratio = (deepest[column] / deepest["eoh"]).median()
    if len(deepest) >= 3 and _FEET[0] < ratio < _FEET[1]:
        message = f"depths are {ratio:.3g} times those of the collars: feet, not metres?"
        yield place_findings(
            name, pd.DataFrame({"hole": [""]}), [True], kind="wrong unit?", severity="warning",
            message=message, column=column,
        )  # fmt: skip


def _find_strangers(name: str, table: pd.DataFrame, collars: pd.DataFrame) -> pd.DataFrame:
    """Rows of holes that have no collar, with the collar that may be meant."""
    known = collars["hole"].dropna()
    alike = dict(zip(known.map(plain_name), known, strict=True))
    rows = table[~table["hole"].isin(known)]
    rows = rows.assign(why=[_stranger_words(hole, alike) for hole in rows["hole"]])
    return place_findings(
        name, rows, np.ones(len(rows)), kind="unknown hole", severity="error", message="{why}"
    )


def _stranger_words(hole: object, alike: Mapping[str, str]) -> str:
    if not isinstance(hole, str):
        return "a row without the name of a hole"
    near = alike.get(plain_name(hole))
    return "a hole without a collar" + (f"; is it {near!r}?" if near else "")


def _check_holes_without(
    name: str, table: pd.DataFrame, collars: pd.DataFrame, *, severity: str
) -> Iterator[pd.DataFrame]:
    """Holes with a collar and no row in a table."""
    lacking = collars["hole"].notna() & ~collars["hole"].isin(table["hole"])
    yield place_findings(
        "collar", collars.assign(table=name), lacking, kind=f"no {name}", severity=severity,
        message="the hole is not in the table {table!r}",
    )  # fmt: skip
