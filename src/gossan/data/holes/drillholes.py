"""Drill holes: collars, surveys and intervals, read, checked, mended, placed and composited.

Tables of any format come in; a `DrillHoles` record goes out, whose methods give points in space,
traces, composites and significant intercepts, and new records with faults mended on request.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import GossanWarning, did_you_mean
from gossan.data.holes.alonghole import stops_along
from gossan.data.holes.checks import check_holes
from gossan.data.holes.compositing import Composites, composite
from gossan.data.holes.desurvey import place_holes
from gossan.data.holes.files import reading_words, table_text, write_whole
from gossan.data.holes.fixes import fix_tables
from gossan.data.holes.intercepts import Intercepts, significant_intercepts
from gossan.data.holes.report import HoleReport, describe_tables, join_findings, summarise_holes

_ASSAY = "assay"


@dataclass(frozen=True, eq=False)
class DrillHoles:
    """Drill holes; every method returns a new record and leaves this one as it is.

    Attributes
    ----------
    collars : DataFrame of n_holes
        hole, easting, northing, elevation, depth [m] and whatever else the table held.
    surveys : DataFrame of n_surveys
        hole, depth [m], azimuth (clockwise from north), dip (negative downwards) [degrees].
    intervals : dict of name to DataFrame
        hole, from, to [m], then analyses, other numbers and labels. Missing is NaN, and a value
        below detection is its limit. All tables are indexed by the rows of their files.
    censored : dict of name to bool DataFrame
        The mask of what is below detection, for the measured columns of each table.
    units : dict of name to dict of column to unit
    report : HoleReport
        What was found: ``print(holes.report)``.
    changes : DataFrame
        What `fixed` did, row by row.
    sources : dict of name to str
        The files.
    """

    collars: pd.DataFrame
    surveys: pd.DataFrame
    intervals: dict[str, pd.DataFrame]
    censored: dict[str, pd.DataFrame]
    units: dict[str, dict[str, str]]
    report: HoleReport = field(repr=False)
    changes: pd.DataFrame = field(default_factory=lambda: join_findings([]), repr=False)
    sources: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def holes(self) -> list[str]:
        """Names of the holes that have a collar, in the order of the table."""
        return self.collars["hole"].dropna().drop_duplicates().tolist()

    def __len__(self) -> int:
        return len(self.holes)

    def __str__(self) -> str:
        return summarise_holes(
            self.collars, self.surveys, self.intervals,
            censored=self.censored, units=self.units, report=self.report,
        )  # fmt: skip

    def select(self, holes: Iterable[str]) -> DrillHoles:
        """Return some of the holes.

        Raises
        ------
        ValueError
            If one has no collar.
        """
        names, known = [holes] if isinstance(holes, str) else list(holes), self.holes
        for name in sorted(set(map(str, names)) - set(known)):
            raise ValueError(
                f"There is no hole {name!r} among {len(known)} holes. Write it as in the collars."
                f"{did_you_mean(name, known)}"
            )
        tables = {n: t[t["hole"].isin(names)] for n, t in self._tables().items()}
        return self._with(tables, self.changes)

    def fixed(self, fixes: Iterable[str]) -> DrillHoles:
        """Return the holes with some faults mended; `changes` lists each row touched.

        Parameters
        ----------
        fixes : iterable of str
            Any of "names" (case, blanks and signs as in the collars), "duplicate collars" (the
            first stays), "unknown holes" (rows dropped), "azimuths" (into 0 to 360°), "missing
            surveys" and "duplicate surveys" (dropped), "vertical" (for holes without survey),
            "reversed intervals" (turned round), "empty intervals" and "long intervals" (dropped),
            "duplicate intervals" (the fullest stays), "beyond depth" (cut at the hole's depth),
            "overlaps" (the upper interval stays whole). They are done in this order.

        Returns
        -------
        holes : DrillHoles
            With a new report.

        Raises
        ------
        ValueError
            If a repair is not known.
        """
        measured = [name for name, units in self.units.items() if units]
        tables, done = fix_tables(self._tables(), fixes, measured=measured)
        return self._with(tables, join_findings([self.changes, done]))

    def with_intervals(
        self,
        name: str,
        table: pd.DataFrame,
        *,
        censored: pd.DataFrame | None = None,
        units: Mapping[str, str] | None = None,
    ) -> DrillHoles:
        """Return the holes with one more table of intervals, or another in its place.

        Parameters
        ----------
        name : str
        table : DataFrame
            Columns hole, from, to [m].
        censored : bool DataFrame, optional
            Of the same rows.
        units : mapping of column to unit, optional

        Returns
        -------
        holes : DrillHoles

        Raises
        ------
        ValueError
            If a column is missing, the name is that of the collars or surveys, or two rows have
            one number or two columns one name.
        """
        if not table.index.is_unique:
            raise ValueError(
                f"Rows of the table {name!r} share numbers. Call reset_index(drop=True)."
            )
        table = table.set_axis(table.columns.astype(str), axis="columns")
        if name in ("collar", "survey") or not {"hole", "from", "to"} <= set(table.columns):
            raise ValueError(
                f"A table of intervals needs the columns hole, from and to and a name of its own,"
                f" got {name!r} with {', '.join(map(str, table.columns))}. Rename them."
            )
        mask = pd.DataFrame(index=table.index) if censored is None else censored
        holes = replace(
            self,
            intervals={**self.intervals, name: table},
            censored={**self.censored, name: mask},
            units={**self.units, name: dict(units or {})},
        )
        return holes.fixed([])  # checked anew

    def points(
        self, table: str | pd.DataFrame = _ASSAY, *, method: str = "minimum_curvature"
    ) -> pd.DataFrame:
        """Place intervals in space: their mid points and both ends.

        Parameters
        ----------
        table : str or DataFrame
            Name of a table of intervals, or one with the columns hole, from, to.
        method : "minimum_curvature", "balanced_tangential" or "tangential"

        Returns
        -------
        points : DataFrame
            The table with easting, northing, elevation of the mid points and, with the endings
            `_from` and `_to`, of the ends [m]. NaN, with a warning that names the holes, where a
            hole cannot be placed.

        Raises
        ------
        ValueError
            If there is no such table or method.
        """
        frame = self._interval_table(table)
        paths, faults = place_holes(self.collars, self.surveys, method=method)
        codes = self._codes(frame["hole"])
        top, end = (frame[name].to_numpy(dtype=float) for name in ("from", "to"))
        points = frame.copy()
        for depths, ending in (((top + end) / 2, ""), (top, "_from"), (end, "_to")):
            places = paths.at(codes, depths)
            for j, axis in enumerate(("easting", "northing", "elevation")):
                points[axis + ending] = places[:, j]
        self._warn_unplaced(frame["hole"], faults)
        return points

    def traces(
        self, *, step: float | None = None, method: str = "minimum_curvature"
    ) -> pd.DataFrame:
        """Lines of the holes, from the collar to the deepest thing known of them.

        Parameters
        ----------
        step : float, optional
            Distance of the points along the hole [m]; default only the surveys and both ends.
        method : str
            As in `points`.

        Returns
        -------
        traces : DataFrame
            hole, depth, easting, northing, elevation [m], down each hole.

        Raises
        ------
        ValueError
            If the step is not positive.
        """
        if step is not None and not step > 0:
            raise ValueError(f"step must be positive, got {step}. Give it in metres.")
        paths, faults = place_holes(self.collars, self.surveys, method=method)
        ends = self._ends()
        stations = pd.DataFrame({"code": paths.codes, "depth": paths.depths})
        line = pd.concat([stations, *stops_along(ends.to_numpy(dtype=float), step)]).dropna()
        line = line.drop_duplicates().sort_values(["code", "depth"], ignore_index=True)
        xyz = paths.at(line["code"].to_numpy(), line["depth"].to_numpy())
        self._warn_unplaced(self.collars["hole"], faults)
        line.insert(0, "hole", ends.index.to_numpy()[line.pop("code")])
        return line.assign(easting=xyz[:, 0], northing=xyz[:, 1], elevation=xyz[:, 2])

    def composite(
        self,
        length: float,
        table: str = _ASSAY,
        *,
        columns: Sequence[str] | None = None,
        domain: tuple[str, str] | None = None,
        density: str | None = None,
        min_coverage: float = 0.5,
        origin: str = "collar",
        overlaps: str = "raise",
    ) -> Composites:
        """Return composites of constant length; see `gossan.data.composite` for the rules.

        Parameters
        ----------
        length : float
            [m]
        table : str
            Table of intervals.
        columns : sequence of str, optional
            Default all that was measured.
        domain : (table, column), optional
            Composites break where this label changes: ``("lithology", "rock code")``.
        density, min_coverage, origin, overlaps
            As in `gossan.data.composite`.

        Returns
        -------
        composites : Composites

        Raises
        ------
        ValueError
            If a table or column is missing, or intervals overlap and nothing was said about it.
        """
        frame, domains = self._interval_table(table), None
        if columns is None:
            columns = [name for name in self.units.get(table, {}) if name != density]
        if domain is not None:
            source, label = domain
            labels = self._interval_table(source)
            if label not in labels.columns:
                raise ValueError(
                    f"The table {source!r} has no column {label!r}; it has"
                    f" {', '.join(map(str, labels.columns))}. Name one of these."
                )
            domains = labels[["hole", "from", "to"]].assign(domain=labels[label])
        return composite(
            frame, length, columns=columns, censored=self.censored.get(table), domains=domains,
            density=density, min_coverage=min_coverage, origin=origin, overlaps=overlaps,
        )  # fmt: skip

    def intercepts(
        self, column: str, cutoff: float, table: str = _ASSAY, **rule: Any
    ) -> Intercepts:
        """Return significant intercepts; see `gossan.data.significant_intercepts` for the rule.

        Parameters
        ----------
        column : str
            Grade.
        cutoff : float
            In the unit of the grade.
        table : str
            Table of intervals.
        **rule
            Keywords of `gossan.data.significant_intercepts`.

        Returns
        -------
        intercepts : Intercepts
        """
        frame, mask = self._interval_table(table), self.censored.get(table)
        below = mask[column] if mask is not None and column in mask else None
        rule.setdefault("unit", self.units.get(table, {}).get(column, ""))
        return significant_intercepts(frame, column, cutoff, censored=below, **rule)

    def to_csv(self, folder: str | Path) -> dict[str, Any]:
        """Write one CSV file a table into a folder, each whole or not at all.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there; files of the same names are replaced.

        Returns
        -------
        paths : dict
            Such that ``read_drillholes(**paths)`` reads the holes back as they are.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        paths: dict[str, Path] = {}
        for name, table in self._tables().items():
            path = target / (re.sub(r"[^\w-]", "_", name) + ".csv")
            while path in paths.values():
                path = path.with_stem(path.stem + "_")
            units = self.units.get(name, {})
            write_whole(path, table_text(table, censored=self.censored.get(name), units=units))
            paths[name] = path
        return {
            "collar": paths.pop("collar"),
            "survey": paths.pop("survey"),
            "intervals": paths,
            **reading_words(self._tables(), self.units),
        }

    def _tables(self) -> dict[str, pd.DataFrame]:
        return {"collar": self.collars, "survey": self.surveys, **self.intervals}

    def _with(self, tables: Mapping[str, pd.DataFrame], changes: pd.DataFrame) -> DrillHoles:
        """Return the record of other rows of these tables, checked anew."""
        intervals = {name: tables[name] for name in self.intervals}
        masks = {name: self.censored[name].loc[intervals[name].index] for name in intervals}
        return build_holes(
            tables["collar"], tables["survey"], intervals, censored=masks, units=self.units,
            sources=self.sources, reading=self.report.reading, changes=changes,
        )  # fmt: skip

    def _interval_table(self, table: str | pd.DataFrame) -> pd.DataFrame:
        if isinstance(table, pd.DataFrame):
            if {"hole", "from", "to"} <= set(table.columns):
                return table
            raise ValueError(
                "A table of intervals needs the columns hole, from and to, got"
                f" {', '.join(map(str, table.columns))}. Rename them."
            )
        if table not in self.intervals:
            names = list(self.intervals)
            raise ValueError(
                f"There is no table of intervals {table!r}; there are {', '.join(names) or 'none'}."
                f" Name one of these.{did_you_mean(str(table), names)}"
            )
        return self.intervals[table]

    def _codes(self, names: pd.Series) -> NDArray[np.int64]:
        """Place of each hole in `holes`; -1 for strangers."""
        return pd.Index(self.holes).get_indexer(pd.Index(names)).astype(np.int64)

    def _ends(self) -> pd.Series:
        """Deepest thing known of each hole [m]."""
        depths = [self.collars.groupby("hole")["depth"].max()]
        depths += [self.surveys.groupby("hole")["depth"].max()]
        depths += [table.groupby("hole")["to"].max() for table in self.intervals.values()]
        return pd.concat([deep.reindex(self.holes) for deep in depths], axis=1).max(axis=1)

    def _warn_unplaced(self, names: pd.Series, faults: Mapping[str, str]) -> None:
        """Warn of the holes of a table that have no place in space, and say why."""
        present = pd.unique(names.fillna("a row without a hole"))
        why = {name: faults.get(name, "no collar") for name in present}
        lost = {name: reason for name, reason in why.items() if reason}
        if lost:
            first = "; ".join(f"{name}: {reason}" for name, reason in list(lost.items())[:5])
            more = f"; and {len(lost) - 5} more" if len(lost) > 5 else ""
            warnings.warn(
                f"{len(lost)} of {len(present)} holes cannot be placed and are NaN ({first}{more})."
                " See print(holes.report) and holes.fixed.",
                GossanWarning,
                stacklevel=3,
            )


def build_holes(
    collars: pd.DataFrame,
    surveys: pd.DataFrame,
    intervals: Mapping[str, pd.DataFrame],
    *,
    censored: Mapping[str, pd.DataFrame],
    units: Mapping[str, dict[str, str]],
    sources: Mapping[str, str],
    reading: pd.DataFrame,
    changes: pd.DataFrame,
) -> DrillHoles:
    """Drill holes from tables with our column names, with the report on them.

    Parameters
    ----------
    collars, surveys, intervals, censored, units, sources, changes
        As the attributes of `DrillHoles`.
    reading : DataFrame
        What was found cell by cell while the tables were read.

    Returns
    -------
    holes : DrillHoles
    """
    analyses = {name: list(columns) for name, columns in units.items()}
    found = check_holes(collars, surveys, intervals, analyses=analyses)
    tables = {"collar": collars, "survey": surveys, **intervals}
    contents = describe_tables({n: (sources.get(n, ""), t) for n, t in tables.items()})
    report = HoleReport(join_findings([reading, found]), contents, reading)
    return DrillHoles(
        collars, surveys, dict(intervals), dict(censored), dict(units), report, changes, dict(sources)
    )  # fmt: skip
