"""Clean tables of drill holes spoilt the way that tables arrive, with a list of what was done.

Tables come in; spoilt ones go out, with one row for each defect. The kinds are those that
`read_drillholes` reports, and "missing cell", "limit as text" and "wrong unit".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

Tables = dict[str, pd.DataFrame]
Defects = list[tuple[str, str, str, int, str]]

N_SPOILT = 17  # holes, each in a way of its own
_LIMIT_STYLES = ("<{:g}", "< {:g}", "-{:g}")
_N_LOST = 6


def make_messy_holes(
    tables: Tables, censored: pd.DataFrame, rng: np.random.Generator
) -> tuple[Tables, pd.DataFrame]:
    """Return spoilt copies of "collar", "survey", "assay" and "lithology", and the defects.

    Each defect has a kind, table, hole (as it was), row (counted from 0 in the spoilt table, -1 for
    a hole or a whole column) and column. A hole is spoilt in one way only.
    """
    messy = {name: table.copy() for name, table in tables.items()}
    names = rng.permutation(tables["collar"]["hole"].to_numpy()).tolist()
    defects: Defects = []
    _spoil_units(messy, names.pop(), defects)
    _write_limits(messy, censored, defects)
    _lose_cells(messy, censored, defects, rng)
    for spoil in (_spoil_surveys, _spoil_names, _spoil_intervals, _spoil_collars):
        spoil(messy, names, defects, rng)
    found = pd.DataFrame(defects, columns=["kind", "table", "hole", "row", "column"])
    return messy, _locate(found, messy)


def _locate(defects: pd.DataFrame, messy: Tables) -> pd.DataFrame:
    """Turn index labels, which stay with their rows, into places in the spoilt tables."""
    places = {
        name: dict(zip(table.index, range(len(table)), strict=True))
        for name, table in messy.items()
    }
    rows = [
        places[table].get(row, -1)
        for table, row in zip(defects["table"], defects["row"], strict=True)
    ]
    for name in messy:
        messy[name] = messy[name].reset_index(drop=True)
    return defects.assign(row=rows)


def _rows_of(table: pd.DataFrame, hole: str) -> list[int]:
    return table.index[table["hole"] == hole].tolist()


def _spoil_units(messy: Tables, hole: str, defects: Defects) -> None:
    """One hole has its gold in ppm under a header that says ppb."""
    table = messy["assay"]
    column = next(name for name in table.columns if name.startswith("Au"))
    table.loc[table["hole"] == hole, column] /= 1000.0
    defects.append(("wrong unit", "assay", hole, -1, column))


def _write_limits(messy: Tables, censored: pd.DataFrame, defects: Defects) -> None:
    """Cells below detection as text, each element in the style of its method."""
    table = messy["assay"]
    for k, name in enumerate(censored.columns):
        style = _LIMIT_STYLES[k % len(_LIMIT_STYLES)]
        cells = [
            style.format(value) if hidden else f"{value:.6g}"
            for value, hidden in zip(table[name], censored[name], strict=True)
        ]
        table[name] = np.array(cells, dtype=object)
        if censored[name].any():
            defects.append(("limit as text", "assay", "", -1, name))


def _lose_cells(
    messy: Tables, censored: pd.DataFrame, defects: Defects, rng: np.random.Generator
) -> None:
    table = messy["assay"]
    for k, row in enumerate(rng.choice(len(table), size=_N_LOST, replace=False).tolist()):
        column = censored.columns[int(rng.integers(len(censored.columns)))]
        table.loc[row, column] = "" if k % 2 else "-9999"
        defects.append(("missing cell", "assay", str(table.loc[row, "hole"]), row, column))


def _spoil_surveys(
    messy: Tables, names: list[str], defects: Defects, rng: np.random.Generator
) -> None:
    table = messy["survey"]
    lost = names.pop()
    table = table[table["hole"] != lost]
    defects.append(("no survey", "survey", lost, -1, ""))
    for kind, column, change in (
        ("missing dip", "dip", lambda _: np.nan),
        ("missing azimuth", "azimuth", lambda _: np.nan),
        ("survey out of range", "dip", lambda dip: dip - 100.0),
        ("azimuth wrap", "azimuth", lambda azimuth: azimuth + 360.0),
    ):
        hole = names.pop()
        row = _inner_row(table, hole, rng)
        table.loc[row, column] = change(table.loc[row, column])
        defects.append((kind, "survey", hole, row, column))
    hole = names.pop()
    row = _inner_row(table, hole, rng)
    twin = table.loc[[row]].assign(azimuth=(table.loc[row, "azimuth"] + 7.0) % 360.0)
    messy["survey"], fresh = _insert_after(table, row, twin)
    defects.append(("duplicate survey", "survey", hole, fresh, ""))


def _spoil_names(
    messy: Tables, names: list[str], defects: Defects, rng: np.random.Generator
) -> None:
    """Spell holes in other ways: their case, a dash, leading zeros; and invent one."""
    del rng
    changes: list[tuple[str, Callable[[str], str]]] = [
        ("survey", str.lower),
        ("assay", lambda name: f"{name[:2]}-{name[2:]}"),
        ("lithology", lambda name: f"{name[:2]} {int(name[2:])}"),
    ]
    for name, change in changes:
        hole = names.pop()
        table = messy[name]
        rows = _rows_of(table, hole)
        table.loc[rows, "hole"] = change(hole)
        defects += [("unknown hole", name, hole, row, "hole") for row in rows]
    stray = messy["assay"].tail(1).assign(hole="ZK999")
    messy["assay"], fresh = _insert_after(messy["assay"], messy["assay"].index[-1], stray)
    defects.append(("unknown hole", "assay", "ZK999", fresh, "hole"))


def _spoil_intervals(
    messy: Tables, names: list[str], defects: Defects, rng: np.random.Generator
) -> None:
    table = messy["assay"]
    for kind in ("overlap", "from >= to", "duplicate interval", "gap", "beyond collar depth"):
        hole = names.pop()
        row = _inner_row(table, hole, rng)
        top, end = table.loc[row, "from"], table.loc[row, "to"]
        if kind == "overlap":
            table.loc[row, "from"] = round(top - 0.6 * (end - top), 1)
        elif kind == "from >= to":
            table.loc[row, ["from", "to"]] = [end, top]
        elif kind == "duplicate interval":
            table, row = _insert_after(table, row, table.loc[[row]])
        elif kind == "gap":
            below = table.index[table.index.get_loc(row) + 1]
            table, row = table.drop(index=row), below
        else:
            row = _rows_of(table, hole)[-1]
            table.loc[row, "to"] = round(table.loc[row, "to"] + 50.0, 1)
        column = {"beyond collar depth": "to", "overlap": "from"}.get(kind, "")
        defects.append((kind, "assay", hole, row, column))
    messy["assay"] = table


def _spoil_collars(
    messy: Tables, names: list[str], defects: Defects, rng: np.random.Generator
) -> None:
    """Give one hole a second collar, some metres off; put blanks about names, which is no harm."""
    table = messy["collar"]
    hole = names.pop()
    row = _rows_of(table, hole)[0]
    shift = round(float(rng.uniform(3.0, 9.0)), 2)
    twin = table.loc[[row]].assign(easting=table.loc[row, "easting"] + shift)
    table, fresh = _insert_after(table, row, twin)
    defects.append(("duplicate collar", "collar", hole, fresh, ""))
    blank = table["hole"] == names.pop()
    table.loc[blank, "hole"] = " " + table.loc[blank, "hole"] + "  "
    messy["collar"] = table


def _inner_row(table: pd.DataFrame, hole: str, rng: np.random.Generator) -> int:
    """Label of a row of a hole that is neither its first nor its last, where there is one."""
    rows = _rows_of(table, hole)
    return rows[int(rng.integers(1, max(2, len(rows) - 1)))]


def _insert_after(table: pd.DataFrame, row: int, twin: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Put a row behind another; return the table and the label of the new row."""
    fresh = int(table.index.max()) + 1
    place = int(table.index.get_loc(row)) + 1  # type: ignore[arg-type]
    twin = twin.set_axis([fresh])
    return pd.concat([table.iloc[:place], twin, table.iloc[place:]]), fresh
