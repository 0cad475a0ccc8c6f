"""A drilling campaign read from its files: collars, surveys and any number of interval tables.

Paths or DataFrames come in; one `DrillHoles` record with its report goes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gossan._checks import did_you_mean
from gossan.data.holes.drillholes import DrillHoles, build_holes
from gossan.data.holes.report import cell_findings, join_findings
from gossan.data.holes.tables import (
    HoleTable,
    read_collars,
    read_intervals,
    read_surveys,
    to_our_dip,
)
from gossan.data.holes.values import ReadOptions
from gossan.data.tables.limits import MISSING


def read_drillholes(
    collar: Any,
    survey: Any = None,
    *,
    assay: Any = None,
    lithology: Any = None,
    intervals: Mapping[str, Any] | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    dip: str | None = None,
    units: Mapping[str, str] | str | None = None,
    sheets: Mapping[str, str | int] | None = None,
    missing: Iterable[float | str] = MISSING,
    limits: Mapping[str, float] | None = None,
    convert: bool = False,
    decimal: str | None = None,
    negatives: str = "limit",
    errors: str = "raise",
) -> DrillHoles:
    """Read the tables of a drilling campaign, and check them against one another.

    Columns are known by their names in any style (BHID, HOLE-ID; EAST, X; RL; EOH; AT; BRG; INC;
    depth_from ...), analyses and detection limits as in `read_assays`. Faults are reported with
    hole and row and left as they are: read ``print(holes.report)``, then mend what you choose with
    `DrillHoles.fixed`.

    Parameters
    ----------
    collar : path or DataFrame
        Hole, easting, northing, elevation [m] and, if known, depth. CSV in any encoding, Excel,
        Parquet or a DataFrame, like all tables here.
    survey : path or DataFrame, optional
        Hole, depth, azimuth and dip [degrees]. Default: the azimuth and dip of the collar table.
    assay, lithology : path or DataFrame, optional
        Tables of intervals: hole, from, to [m] and what was measured or logged.
    intervals : mapping of name to path or DataFrame, optional
        More of them.
    columns : mapping of table to mapping of column to header, optional
        Where a name is not recognised: ``{"collar": {"easting": "X_LOCAL"}, "assay": {"from":
        "D1"}}``. Columns are hole, easting, northing, elevation, depth; hole, depth, azimuth, dip;
        hole, from, to.
    dip : "down_negative", "down_positive" or "from_vertical", optional
        How dips are written: -60, 60 or 30 for a hole 60° below the horizontal. Default: inferred
        from the sign of the bulk of them, with a warning.
    units : str or mapping of analyte or header to unit, optional
        Overrides the headers of the analyses.
    sheets : mapping of table to sheet, optional
        Sheets of a workbook.
    missing, limits, decimal, negatives, errors
        As in `read_assays`; `errors` holds for depths, angles and coordinates, too.
    convert : bool
        True: concentrations come out in ppm. False: in the unit of the table, as reports on
        drilling give them.

    Returns
    -------
    holes : DrillHoles
        Depths and coordinates in metres (feet in a header, as in "From (ft)", are converted, with
        a note), dips negative downwards.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file is no table, a column is missing or could be either of two, a cell holds text
        where a number belongs, an assay table holds no analyses, or the dip convention cannot be
        told.

    Warns
    -----
    GossanWarning
        If the dip convention was inferred.

    Examples
    --------
    >>> import pandas as pd
    >>> collar = pd.DataFrame({"BHID": ["A1"], "X": [500.0], "Y": [900.0], "RL": [80.0]})
    >>> survey = pd.DataFrame({"BHID": ["A1"], "AT": [0.0], "BRG": [90.0], "DIP": [60.0]})
    >>> assay = pd.DataFrame({"BHID": "A1", "FROM": [0, 10], "TO": [10, 20],
    ...                       "Au_ppm": ["1.5", "<0.1"]})
    >>> holes = read_drillholes(collar, survey, assay=assay, dip="down_positive")
    >>> holes.points()[["Au", "easting", "elevation"]].round(2)
          Au  easting  elevation
    row
    2    1.5    502.5      75.67
    3    0.1    507.5      67.01
    """
    named = {"assay": assay, "lithology": lithology, **dict(intervals or {})}
    given = {name: table for name, table in named.items() if table is not None}
    columns, sheets = dict(columns or {}), dict(sheets or {})
    _check_table_names(given, [*columns, *sheets])
    options = ReadOptions(
        units=units, missing=tuple(missing), limits=limits, decimal=decimal, negatives=negatives,
        errors=errors, convert=convert,
    )  # fmt: skip

    def where(name: str) -> dict[str, Any]:
        return {"columns": columns.get(name), "sheet": sheets.get(name)}

    collars = read_collars(collar, options, **where("collar"))
    if survey is None:
        collars, surveys = _surveys_of_collars(collars)
    else:
        surveys = read_surveys(survey, options, **where("survey"))
    surveys = to_our_dip(surveys, dip)
    read = {name: read_intervals(table, options, **where(name)) for name, table in given.items()}
    _check_words_used(read, units if isinstance(units, Mapping) else {}, "unit")
    _check_words_used(read, limits or {}, "limit")
    if assay is not None and not read["assay"].units:
        raise ValueError(
            f"No column of analyses is recognised in {read['assay'].source}; it has"
            f" {', '.join(map(str, read['assay'].frame.columns))}. Name columns as in 'Au_ppm', or"
            " pass the table as lithology= or in intervals=."
        )
    return _combine({"collar": collars, "survey": surveys, **read})


def _check_table_names(given: Mapping[str, Any], words: Iterable[str]) -> None:
    for name in given:
        if name in ("collar", "survey"):
            raise ValueError(f"A table of intervals cannot be called {name!r}. Rename it.")
    tables = ["collar", "survey", *given]
    for word in words:
        if word not in tables:
            raise ValueError(
                f"columns= and sheets= speak of the table {word!r}; the tables are"
                f" {', '.join(tables)}. Use these names.{did_you_mean(str(word), tables)}"
            )


def _check_words_used(read: Mapping[str, HoleTable], given: Iterable[str], what: str) -> None:
    words = sorted({word for table in read.values() for word in table.words if word})
    for name in given:
        if name not in words:
            raise ValueError(
                f"A {what} is given for {name!r}, which is no column of the tables of intervals;"
                f" these are {', '.join(words[:20])}. Check the spelling."
                f"{did_you_mean(str(name), words)}"
            )


def _surveys_of_collars(collars: HoleTable) -> tuple[HoleTable, HoleTable]:
    """Take azimuth and dip out of the collars, as surveys at depth 0.

    Raises
    ------
    ValueError
        If the collars have none.
    """
    frame = collars.frame
    if not {"azimuth", "dip"} <= set(frame.columns):
        raise ValueError(
            f"{collars.source} has no azimuth and dip, and no survey table was given. Pass"
            " survey= with hole, depth, azimuth and dip."
        )
    surveys = frame[["hole"]].assign(depth=0.0, azimuth=frame["azimuth"], dip=frame["dip"])
    rest = replace(collars, frame=frame.drop(columns=["azimuth", "dip"]))
    return rest, HoleTable(surveys[surveys["hole"].notna()], collars.source)


def _combine(tables: Mapping[str, HoleTable]) -> DrillHoles:
    names = [name for name in tables if name not in ("collar", "survey")]
    reading = [cell_findings(name, t.frame, t.findings) for name, t in tables.items()]
    return build_holes(
        tables["collar"].frame,
        tables["survey"].frame,
        {name: tables[name].frame for name in names},
        censored={name: tables[name].censored for name in names},
        units={name: tables[name].units for name in names},
        sources={name: table.source for name, table in tables.items()},
        reading=join_findings(reading),
        changes=join_findings([]),
    )
