"""Repairs of drill-hole tables, done only when asked for and listed row by row.

Tables and the names of repairs come in; repaired copies and the list of every row touched go out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType

import numpy as np
import pandas as pd

from gossan._checks import check_option
from gossan.data.holes.checks import TOLERANCE, long_limit, overlap_of, plain_name, sort_intervals
from gossan.data.holes.report import join_findings, place_findings

Tables = dict[str, pd.DataFrame]  # "collar", "survey" and the tables of intervals by name
Fix = Callable[[Tables, set[str]], list[pd.DataFrame]]


def fix_tables(
    tables: Tables, fixes: Iterable[str], *, measured: Iterable[str] = ()
) -> tuple[Tables, pd.DataFrame]:
    """Repaired tables, and what was done to which row.

    Parameters
    ----------
    tables : dict of name to DataFrame
        "collar", "survey" and the tables of intervals.
    fixes : iterable of str
        Names of `FIXES`; they are done in the order of that list.
    measured : iterable of str
        The tables that hold analyses, whose over-long intervals may be dropped.

    Returns
    -------
    tables : dict of name to DataFrame
    changes : DataFrame
        Columns as in `HoleReport.findings`; `kind` is the repair.

    Raises
    ------
    ValueError
        If a repair is not known.
    """
    asked = [fixes] if isinstance(fixes, str) else list(fixes)
    for name in asked:
        check_option("fixes", name, tuple(FIXES))
    tables = dict(tables)
    changes: list[pd.DataFrame] = []
    for name in FIXES:
        if name in asked:
            changes += FIXES[name](tables, set(measured))
    return tables, join_findings(changes)


def _report(table: str, rows: pd.DataFrame, fix: str, message: str) -> pd.DataFrame:
    hit = np.ones(len(rows), dtype=bool)
    return place_findings(table, rows, hit, kind=fix, severity="note", message=message)


def _drop(tables: Tables, name: str, hit: pd.Series, *, fix: str, message: str) -> pd.DataFrame:
    """Drop the rows of a mask from one table."""
    rows = tables[name][hit]
    tables[name] = tables[name][~hit]
    return _report(name, rows, fix, f"dropped: {message}")


def _interval_tables(tables: Tables) -> list[str]:
    return [name for name in tables if name not in ("collar", "survey")]


def _fix_names(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Write a hole as its collar does where only case, blanks, signs or zeros differ."""
    known = tables["collar"]["hole"].dropna()
    plain = known.map(plain_name)
    alike = dict(zip(plain, known, strict=True))
    for word in plain[plain.duplicated()]:  # two collars that differ by no more: leave both
        alike.pop(word, None)
    changes = []
    for name in [name for name in tables if name != "collar"]:
        table = tables[name]
        strange = ~table["hole"].isin(known) & table["hole"].notna()
        new = table["hole"].where(~strange, [alike.get(plain_name(h)) for h in table["hole"]])
        new = new.fillna(table["hole"])
        changed = strange & (new != table["hole"])
        tables[name] = table.assign(hole=new)
        rows = table[changed].assign(new=new[changed])
        changes.append(_report(name, rows, "names", "{hole!r} is now {new!r}"))
    return changes


def _fix_unknown_holes(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Drop surveys and intervals of holes that have no collar."""
    known = tables["collar"]["hole"].dropna()
    return [
        _drop(tables, name, ~tables[name]["hole"].isin(known), fix="unknown holes",
              message="the hole has no collar")
        for name in tables if name != "collar"
    ]  # fmt: skip


def _fix_duplicate_collars(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Keep the first collar of each hole."""
    names = tables["collar"]["hole"]
    again = names.notna() & names.duplicated()
    return [_drop(tables, "collar", again, fix="duplicate collars", message="not the first")]


def _fix_missing_surveys(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Drop surveys that lack their depth, dip or azimuth; a vertical one needs no azimuth."""
    table = tables["survey"]
    upright = table["azimuth"].isna() & (table["dip"].abs() == 90)
    tables["survey"] = table.assign(azimuth=table["azimuth"].where(~upright, 0.0))
    numbers = tables["survey"][["depth", "azimuth", "dip"]]
    message = "depth {depth:g} m, azimuth {azimuth:g}°, dip {dip:g}°"
    lacking = numbers.isna().any(axis=1)
    return [
        _report("survey", table[upright], "missing surveys", "vertical: azimuth set to 0°"),
        _drop(tables, "survey", lacking, fix="missing surveys", message=message),
    ]


def _fix_duplicate_surveys(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Keep the first survey of each depth of a hole."""
    again = tables["survey"].duplicated(["hole", "depth"]) & tables["survey"]["depth"].notna()
    message = "not the first of {depth:g} m"
    return [_drop(tables, "survey", again, fix="duplicate surveys", message=message)]


def _fix_azimuths(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Bring azimuths into 0 to 360°."""
    table = tables["survey"]
    azimuth = table["azimuth"]
    hit = (azimuth < 0) | (azimuth > 360)
    tables["survey"] = table.assign(azimuth=azimuth.where(~hit, azimuth % 360))
    rows = table[hit].assign(new=azimuth[hit] % 360)
    return [_report("survey", rows, "azimuths", "{azimuth:g}° is now {new:g}°")]


def _fix_vertical(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Give holes without a survey a vertical one at the collar; their rows follow the file's."""
    collars, surveys = tables["collar"], tables["survey"]
    lacking = collars[collars["hole"].notna() & ~collars["hole"].isin(surveys["hole"])]
    lacking = lacking.drop_duplicates("hole")
    new = pd.DataFrame({"hole": lacking["hole"], "depth": 0.0, "azimuth": 0.0, "dip": -90.0})
    last = int(surveys.index.max()) if len(surveys) else 1
    # Rows of their own: below the last of the file, so that no two have one number.
    new.index = pd.RangeIndex(last + 1, last + 1 + len(new), name=surveys.index.name)
    tables["survey"] = pd.concat([surveys, new]) if len(new) else surveys
    return [_report("collar", lacking, "vertical", "taken to be vertical")]


def _fix_reversed(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Turn intervals round that run upwards."""
    changes = []
    for name in _interval_tables(tables):
        table = tables[name]
        hit = table["from"] > table["to"]
        top, end = table["from"].where(~hit, table["to"]), table["to"].where(~hit, table["from"])
        tables[name] = table.assign(**{"from": top, "to": end})
        message = "{from:g} to {to:g} m turned round"
        changes.append(_report(name, table[hit], "reversed intervals", message))
    return changes


def _fix_empty(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Drop intervals without from, to or length."""
    return [
        _drop(tables, name, ~(tables[name]["from"] != tables[name]["to"])
              | tables[name][["from", "to"]].isna().any(axis=1),
              fix="empty intervals", message="from {from:g} to {to:g} m")
        for name in _interval_tables(tables)
    ]  # fmt: skip


def _fix_duplicate_intervals(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Of intervals with the same ends keep the one with most cells filled, the first of equals."""
    changes = []
    for name in _interval_tables(tables):
        table = tables[name]
        filled = table.notna().sum(axis=1).sort_values(ascending=False, kind="stable")
        again = table.loc[filled.index].duplicated(["hole", "from", "to"]).reindex(table.index)
        again &= table[["hole", "from", "to"]].notna().all(axis=1)
        message = "{from:g} to {to:g} m is there in another row"
        changes.append(_drop(tables, name, again, fix="duplicate intervals", message=message))
    return changes


def _fix_long(tables: Tables, measured: set[str]) -> list[pd.DataFrame]:
    """Drop analyses of implausibly many metres."""
    changes = []
    for name in [name for name in _interval_tables(tables) if name in measured]:
        length = tables[name]["to"] - tables[name]["from"]
        hit = length > long_limit(length)
        message = "one analysis from {from:g} to {to:g} m"
        changes.append(_drop(tables, name, hit, fix="long intervals", message=message))
    return changes


def _fix_beyond(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Cut intervals off at the depth of their hole."""
    depth = tables["collar"].groupby("hole")["depth"].max()
    changes = []
    for name in _interval_tables(tables):
        table = tables[name].assign(eoh=tables[name]["hole"].map(depth).astype(float))
        below = table["from"] >= table["eoh"]
        cut = (table["to"] > table["eoh"]) & ~below
        tables[name] = tables[name].assign(to=table["to"].where(~cut, table["eoh"]))
        message = "{from:g} to {to:g} m, cut at {eoh:g} m"
        changes.append(_report(name, table[cut], "beyond depth", message))
        message = "{from:g} to {to:g} m is below the end of the hole"
        changes.append(_drop(tables, name, below, fix="beyond depth", message=message))
    return changes


def _fix_overlaps(tables: Tables, _measured: set[str]) -> list[pd.DataFrame]:
    """Cut each interval off at the end of those above it; drop it where nothing is left."""
    changes = []
    for name in _interval_tables(tables):
        ordered = sort_intervals(tables[name])
        over = pd.Series(overlap_of(ordered), index=ordered.index)
        top = (ordered["from"] + over.clip(lower=0)).where(over > TOLERANCE, ordered["from"])
        rows = ordered.assign(new=top)
        covered = top >= ordered["to"] - TOLERANCE
        cut = (over > TOLERANCE) & ~covered
        starts = tables[name]["from"].copy()
        starts.loc[rows.index[cut]] = rows["new"][cut]
        message = "{from:g} to {to:g} m now starts at {new:g} m"
        changes.append(_report(name, rows[cut], "overlaps", message))
        gone = pd.Series(tables[name].index.isin(rows.index[covered]), index=tables[name].index)
        tables[name] = tables[name].assign(**{"from": starts})
        message = "{from:g} to {to:g} m lies inside intervals above it"
        changes.append(_drop(tables, name, gone, fix="overlaps", message=message))
    return changes


FIXES: MappingProxyType[str, Fix] = MappingProxyType(
    {
        "names": _fix_names,
        "duplicate collars": _fix_duplicate_collars,
        "unknown holes": _fix_unknown_holes,
        "azimuths": _fix_azimuths,
        "missing surveys": _fix_missing_surveys,
        "duplicate surveys": _fix_duplicate_surveys,
        "vertical": _fix_vertical,
        "reversed intervals": _fix_reversed,
        "empty intervals": _fix_empty,
        "long intervals": _fix_long,
        "duplicate intervals": _fix_duplicate_intervals,
        "beyond depth": _fix_beyond,
        "overlaps": _fix_overlaps,
    }
)
"""The repairs by name, in the order in which they are done."""
