"""Which column of a drill-hole table is the hole, the depth, the azimuth: by its name, in any style.

A `RawTable` and the roles that a table needs come in; the place of each role's column goes out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.data.tables.limits import Kind, parse_cells
from gossan.data.tables.rawtable import RawTable
from gossan.data.tables.screening import Finding, make_finding

FOOT = 0.3048  # m, the international foot, exact by definition

# Role -> names without case, blanks, signs and unit; the first of two that are there is taken.
_HOLE = """holeid bhid dhid holename holenumber holeno hole drillholeid drillholename drillholeno
    drillhole boreholeid boreholename boreholeno borehole ddhid ddh dhname dhno bhname bhno collarid
    wellid sondaje forage 孔号 钻孔编号 钻孔号"""
_DEPTH_AT = """depth at surveydepth depthat atdepth measureddepth surveyat svydepth downholedepth
    md mdepth depthmd distance dist 测深 深度"""
SYNONYMS: dict[str, tuple[str, ...]] = {
    role: tuple(words.split())
    for role, words in {
        "hole": _HOLE,
        "easting": """easting east xcollar eastingm utme utmeast eastutm xutm utmx collareasting
            collareast collarx xcoord xcoordinate coordx gridx gride x e""",
        "northing": """northing north ycollar northingm utmn utmnorth northutm yutm utmy
            collarnorthing collarnorth collary ycoord ycoordinate coordy gridy gridn y n""",
        "elevation": """elevation elev rl zcollar collarelevation collarelev collarrl collarz height
            altitude zcoord zcoordinate coordz orthort msl z""",
        "eoh": """eoh eohdepth depth maxdepth totaldepth finaldepth holedepth enddepth endofhole
            depthmax depthtotal lengthofhole holelength length td eohm 孔深 终孔深度""",
        "at": _DEPTH_AT,
        "azimuth": """azimuth azi azim az azimuthtrue trueazimuth azimuthgrid gridazimuth azimuthutm
            utmazimuth azgrid aztrue holeazimuth brg bearing truebearing direction 方位角 方位""",
        "dip": """dip holedip dipangle dipdeg inclination incl inc inclin plunge 倾角""",
        "from": """from depthfrom fromdepth mfrom sampfrom samplefrom assayfrom geolfrom lithfrom
            intervalfrom start startdepth depthstart desde top depthtop 自""",
        "to": """to depthto todepth mto sampto sampleto assayto geolto lithto intervalto end enddepth
            depthend hasta bottom base depthbottom depthbase 至""",
    }.items()
}
ROLES = {
    "collar": ("hole", "easting", "northing", "elevation"),
    "survey": ("hole", "at", "azimuth", "dip"),
    "interval": ("hole", "from", "to"),
}
OPTIONAL = {"collar": ("eoh", "azimuth", "dip"), "survey": (), "interval": ()}
LABELS = {"eoh": "depth", "at": "depth"}  # role -> name in our tables, where they differ
_UNIT = re.compile(
    r"[\W_]+(m|metres?|meters?|ft|feet|foot|deg|degs?|degrees?)[\W_]*$|[\W_]*(°)[\W_]*$",
    re.IGNORECASE,
)
# A depth of -99 is nonsense, an elevation of -99 m is the Dead Sea's shore.
_DEGREES = ("longitude", "lon", "long", "latitude", "lat")
_MISSING = (-9999, -999.25, "NS", "NSS", "LNR")


@dataclass(frozen=True)
class KeyColumn:
    """Where a role's column is: `place` in the table, its `header`, its unit "m", "ft" or ""."""

    role: str
    place: int
    header: str
    unit: str


def find_columns(
    raw: RawTable, kind: str, given: Mapping[str, str] | None = None
) -> tuple[dict[str, KeyColumn], list[Finding]]:
    """Columns of a table by role.

    Parameters
    ----------
    raw : RawTable
    kind : "collar", "survey" or "interval"
    given : mapping of role to header, optional
        Overrides the search: ``{"easting": "X_LOCAL"}``.

    Returns
    -------
    columns : dict of role to KeyColumn
    findings : list of Finding
        A warning for each role that two columns might play.

    Raises
    ------
    ValueError
        If a needed column is missing or could be either of two, or `given` names what is not there.
    """
    roles = (*ROLES[kind], *OPTIONAL[kind])
    columns = _given_columns(raw, kind, dict(given or {}), roles)
    findings: list[Finding] = []
    for role in roles:
        if role in columns:
            continue
        taken = {column.place for column in columns.values()}
        names = _ranked(raw, role, taken)
        if names:
            columns[role] = _key_column(raw, role, names[0])
            findings += _report_rivals(raw, role, names)
    _check_complete(raw, kind, columns)
    return {role: columns[role] for role in roles if role in columns}, findings


def without_columns(raw: RawTable, places: Collection[int]) -> RawTable:
    """Return the table without the columns at some places."""
    keep = [place for place in range(len(raw.headers)) if place not in places]
    columns = raw.columns[keep].set_axis(range(len(keep)), axis="columns")
    return replace(raw, headers=[raw.headers[place] for place in keep], columns=columns)


def read_number(
    raw: RawTable, column: KeyColumn, *, decimal: str
) -> tuple[NDArray[np.float64], list[Finding]]:
    """Numbers of a depth, angle or coordinate, in metres or degrees; NaN where there is none.

    Parameters
    ----------
    raw : RawTable
    column : KeyColumn
    decimal : "." or ","

    Returns
    -------
    numbers : array of shape (n_rows,)
    findings : list of Finding
        An error for text that is no number, a note where feet were turned into metres.

    Raises
    ------
    ValueError
        If eastings or northings are in feet.
    """
    parsed = parse_cells(raw.columns[column.place], decimal=decimal, missing=_MISSING)
    bad = parsed.is_kind(Kind.BAD, Kind.BELOW, Kind.ABOVE)
    values = np.where(bad, np.nan, parsed.values)
    findings = []
    if bad.any():
        cell = raw.columns[column.place][bad].iloc[0]
        message = f"{str(cell)[:30]!r} and the like cannot be read as a number"
        findings.append(
            make_finding("not a number", "error", message, rows=raw.rows[bad], column=column.header)
        )
    if column.unit == "ft":
        if column.role in ("easting", "northing"):
            raise ValueError(
                f"{raw.source}, column {column.header!r} holds coordinates in feet, which may be of"
                " two kinds. Project the collars to metres first."
            )
        values = values * FOOT
        message = "feet are turned into metres (1 ft = 0.3048 m)"
        findings.append(make_finding("feet", "note", message, column=column.header))
    return values, findings


def read_names(raw: RawTable, column: KeyColumn) -> pd.Series:
    """Names of the holes as text without blanks around it; 12 and 12.0 are both "12".

    Examples
    --------
    >>> from gossan.data.tables.rawtable import read_raw
    >>> raw = read_raw(pd.DataFrame({"HOLE-ID": [12.0, " A-1 ", None]}))
    >>> read_names(raw, KeyColumn("hole", 0, "HOLE-ID", "")).tolist()
    ['12', 'A-1', nan]
    """
    cells = raw.columns[column.place]
    return pd.Series([_name(cell) for cell in cells], index=cells.index, dtype=str)


def split_unit(text: str) -> tuple[str, str]:
    """Bare name and unit of a header: "From (ft)" is "from" in "ft".

    Examples
    --------
    >>> split_unit("Hole_ID"), split_unit("RL (m)")
    (('holeid', ''), ('rl', 'm'))
    """
    found = _UNIT.search(text)
    bare = text[: found.start()] if found and found.start() else text
    unit = (found[1] or "").casefold() if found and found.start() else ""
    key = re.sub(r"[\W_]", "", bare.casefold())
    return key, "ft" if unit[:2] in ("ft", "fe", "fo") else "m" if unit[:1] == "m" else ""


def _name(cell: object) -> str | None:
    if cell is None or cell is pd.NaT or cell is pd.NA or cell != cell:  # noqa: PLR0124 (NaN)
        return None
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip() or None


def _key_column(raw: RawTable, role: str, header: str) -> KeyColumn:
    return KeyColumn(role, raw.names.index(header), header, split_unit(header)[1])


def _given_columns(
    raw: RawTable, kind: str, given: dict[str, str], roles: tuple[str, ...]
) -> dict[str, KeyColumn]:
    by_label = {LABELS.get(role, role): role for role in roles} | {role: role for role in roles}
    columns: dict[str, KeyColumn] = {}
    for word, header in given.items():
        if word not in by_label:
            words = [LABELS.get(role, role) for role in roles]
            raise ValueError(
                f"A {kind} table has the columns {', '.join(words)}, got {word!r} in columns=."
                f" Use these words.{did_you_mean(str(word), words)}"
            )
        if header not in raw.names:
            raise ValueError(
                f"{raw.source} has no column {header!r}; it has {', '.join(raw.names[:20])}."
                f" Give headers as written in the table.{did_you_mean(str(header), raw.names)}"
            )
        columns[by_label[word]] = _key_column(raw, by_label[word], header)
    seen: dict[int, str] = {}
    for role, column in columns.items():
        if column.place in seen:
            raise ValueError(
                f"{raw.source}: the column {column.header!r} cannot be both {seen[column.place]!r}"
                f" and {role!r}. Name another in columns=."
            )
        seen[column.place] = role
    return columns


def _ranked(raw: RawTable, role: str, taken: set[int]) -> list[str]:
    """Headers that may play a role, the best first.

    Raises
    ------
    ValueError
        If the two best have the same name but for case and signs.
    """
    words = {word: rank for rank, word in enumerate(SYNONYMS[role])}
    keys = {name: split_unit(name)[0] for i, name in enumerate(raw.names) if i not in taken}
    names = sorted((n for n in keys if keys[n] in words), key=lambda n: words[keys[n]])
    if len(names) > 1 and keys[names[0]] == keys[names[1]]:
        raise ValueError(
            f"{raw.source} has two columns for {LABELS.get(role, role)!r}, {names[0]!r} and"
            f" {names[1]!r}. Name the one that counts in columns=."
        )
    return names


def _report_rivals(raw: RawTable, role: str, names: list[str]) -> list[Finding]:
    label = LABELS.get(role, role)
    # "X" beside "Easting" is another grid; "Length" beside "EOH" is most often the same number.
    return [
        make_finding(
            "two columns",
            "warning",
            f"{names[0]!r} is used for {label!r}; {other!r} could be too (columns= says otherwise)",
            column=raw.names[raw.names.index(other)],
        )
        for other in names[1:]
    ]


def _check_complete(raw: RawTable, kind: str, columns: Mapping[str, KeyColumn]) -> None:
    lacking = [role for role in ROLES[kind] if role not in columns]
    if not lacking:
        return
    words = [LABELS.get(role, role) for role in lacking]
    others = [name for name in ROLES if name != kind and _fits(raw, name)]
    hint = f" It looks like the table of {others[0]}s: are tables swapped?" if others else ""
    _refuse_degrees(raw, lacking)
    table = kind if kind in ("collar", "survey") else "assay"
    raise ValueError(
        f"{raw.source} has no column for {' and '.join(map(repr, words))}, which the table of"
        f" {kind}s needs; it has {', '.join(raw.names[:20])}. Name the columns as in"
        f" columns = {{{table}: {{{words[0]}: 'HEADER'}}}}"
        f' (columns = {{ {table} = {{ {words[0]} = "HEADER" }} }} in a study file).'
        f"{_sheets_hint(raw, table)}{hint}"
    )


def _refuse_degrees(raw: RawTable, lacking: Collection[str]) -> None:
    """Say that collars are in degrees, where longitude and latitude stand for what is lacking."""
    there = {split_unit(name)[0]: name for name in raw.names}
    found = [there[key] for key in _DEGREES if key in there]
    if "easting" in lacking and len(found) > 1:
        raise ValueError(
            f"{raw.source} has longitudes and latitudes ({', '.join(found)}), which are degrees, and"
            " holes need metres. Export the collars in projected coordinates (UTM, say)."
        )


def _sheets_hint(raw: RawTable, table: str) -> str:
    """Tell the other sheets of a workbook: the table may stand in one of them."""
    told = [str(each.message) for each in raw.findings if each.kind == "sheet"]
    return (
        f" Of the workbook {told[0]}: name it as in sheets = {{{table}: 'SHEET'}}." if told else ""
    )


def _fits(raw: RawTable, kind: str) -> bool:
    """Whether a table has all columns of another kind."""
    keys = {split_unit(name)[0] for name in raw.names}
    return all(keys & set(SYNONYMS[role]) for role in ROLES[kind])
