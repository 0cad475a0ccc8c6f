"""Drill-hole tables with faults of every kind: a correct record or a sentence, never anything else."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.data import read_drillholes
from gossan.data.holes.fixes import FIXES

TABLES = ("collar", "survey", "assay", "lithology")
quick = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
words = st.one_of(
    st.sampled_from(["", "x", "-", "NS", "<1", "-99", "1,5", "1.5m", "nan", "inf", "1e400", "0"]),
    st.text(max_size=5),
    st.floats(-500, 500).map(str),
)


def campaign(n_holes=3, seed=0):
    """Tables of text, as a CSV file holds them."""
    rng = np.random.default_rng(seed)
    names = [f"D{i:02d}" for i in range(n_holes)]
    place = rng.uniform(1000, 2000, (n_holes, 3)).round(2)
    collar = pd.DataFrame({"hole_id": names, "x": place[:, 0], "y": place[:, 1], "z": place[:, 2]})
    survey = pd.DataFrame(
        {"hole_id": np.repeat(names, 2), "depth": [0.0, 30.0] * n_holes,
         "azimuth": rng.uniform(20, 25, 2 * n_holes).round(1),
         "dip": -rng.uniform(60, 65, 2 * n_holes).round(1)}
    )  # fmt: skip
    tops = np.tile(np.arange(6) * 5.0, n_holes)
    assay = pd.DataFrame(
        {"hole_id": np.repeat(names, 6), "from": tops, "to": tops + 5,
         "Au_ppm": rng.lognormal(0, 1, 6 * n_holes).round(3)}
    )  # fmt: skip
    log = pd.DataFrame(
        {"hole_id": np.repeat(names, 2), "from": [0.0, 12.0] * n_holes,
         "to": [12.0, 30.0] * n_holes, "rock": ["slate", "dyke"] * n_holes}
    )  # fmt: skip
    frames = dict(zip(TABLES, (collar, survey, assay, log), strict=True))
    return {name: frame.astype(str) for name, frame in frames.items()}


def use(tables, **options):
    """Do all that can be done with tables."""
    holes = read_drillholes(**tables, **({"dip": "down_negative"} | options))
    assert str(holes)
    assert str(holes.report)
    holes.points()
    holes.traces(step=10)
    mended = holes.fixed(FIXES)
    assert mended.report.of_kind("overlap").empty
    assert mended.report.of_kind("unknown hole").empty
    made = mended.composite(10.0)
    total = made.balance["kept"] + made.balance["dropped"]
    np.testing.assert_allclose(total, made.balance["total"], rtol=1e-9, atol=1e-9)
    mended.intercepts("Au", 1.0)
    return holes


def use_or_refuse(tables, **options):
    """Holes that can be used; None where a ValueError says in a sentence why not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)
        try:
            return use(tables, **options)
        except ValueError as error:
            message = str(error)
    assert "." in message
    assert len(message) > 30
    return None


def test_the_sound_campaign_is_used():
    holes = use_or_refuse(campaign())
    assert holes.report.of_severity("error").empty
    assert len(holes.points()) == 18


@quick
@given(st.sampled_from(TABLES), st.randoms(use_true_random=False))
def test_shuffled_columns_and_rows_give_the_same_holes(name, shuffle):
    tables = campaign()
    frame = tables[name]
    columns, rows = list(frame.columns), list(frame.index)
    shuffle.shuffle(columns)
    shuffle.shuffle(rows)
    mixed = tables | {name: frame.loc[rows, columns].reset_index(drop=True)}
    one, two = use_or_refuse(tables), use_or_refuse(mixed)
    keys = ["hole", "from"]
    expected = one.points().sort_values(keys).reset_index(drop=True)
    found = two.points().sort_values(keys).reset_index(drop=True)[expected.columns]
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    ("name", "column"),
    [(name, column) for name, frame in campaign().items() for column in frame.columns],
)
def test_a_missing_column_is_named(name, column):
    tables = campaign()
    tables[name] = tables[name].drop(columns=column)
    if column == "rock":
        assert use_or_refuse(tables) is not None
        return
    label = {"hole_id": "hole", "x": "easting", "y": "northing", "z": "elevation"}.get(
        column, column
    )
    label = "analyses" if column == "Au_ppm" else f"'{label}'"
    with pytest.raises(ValueError, match=label):
        read_drillholes(**tables, dip="down_negative")


@quick
@given(st.sampled_from(TABLES), st.integers(0, 5), st.integers(0, 3), words)
def test_any_text_in_any_cell_is_read_or_refused(name, row, column, word):
    tables = campaign()
    frame = tables[name].copy()
    frame.iloc[row % len(frame), column] = word
    for errors in ("raise", "missing"):
        use_or_refuse(tables | {name: frame}, errors=errors, decimal=".")


@quick
@given(st.sampled_from(TABLES), st.integers(0, 5), st.integers(1, 3), st.floats(-1e4, 1e4))
def test_any_number_in_any_cell_is_used_or_reported(name, row, column, number):
    tables = campaign()
    frame = tables[name].copy()
    row %= len(frame)
    frame.iloc[row, column] = repr(round(number, 3))
    holes = use_or_refuse(tables | {name: frame})
    assert holes is not None or number > 9e5
    if name == "survey" and column == 3 and abs(number) > 90:
        found = holes.report.of_kind("survey out of range")
        assert found["row"].tolist() == [row + 2]
    if name == "survey" and column == 1 and number < 0:
        missing = round(number, 3) in (-9999, -999.25)
        assert missing or (row + 2) in holes.report.of_kind("survey out of range")["row"].tolist()


@pytest.mark.parametrize("one", TABLES)
@pytest.mark.parametrize("two", TABLES)
def test_swapped_tables_are_refused_or_told(one, two):
    tables = campaign()
    tables[one], tables[two] = tables[two], tables[one]
    holes = use_or_refuse(tables)
    assert (holes is not None) == (one == two)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_is_refused(name):
    tables = campaign()
    tables[name] = tables[name].iloc[:0]
    with pytest.raises(ValueError, match="0 rows"):
        read_drillholes(**tables, dip="down_negative")


@pytest.mark.parametrize("n_holes", [1, 2, 40])
def test_any_number_of_holes_will_do(n_holes):
    holes = use_or_refuse(campaign(n_holes))
    assert len(holes) == n_holes


@quick
@given(st.lists(st.integers(0, 2), min_size=1, max_size=6), st.sampled_from(TABLES))
def test_holes_that_lack_a_table_are_named(keep, name):
    tables = campaign()
    kept = [f"D{i:02d}" for i in sorted(set(keep))]
    tables[name] = tables[name][tables[name]["hole_id"].isin(kept)]
    holes = use_or_refuse(tables)
    lost = {"D00", "D01", "D02"} - set(kept)
    kind = "unknown hole" if name == "collar" else f"no {name}"
    assert set(holes.report.of_kind(kind)["hole"]) == lost


@quick
@given(st.sampled_from(TABLES), st.integers(0, 5), st.integers(0, 5))
def test_a_row_written_twice_is_found(name, row, copy):
    tables = campaign()
    frame = tables[name]
    tables[name] = pd.concat([frame, frame.iloc[[row % len(frame)]]], ignore_index=True)
    holes = use_or_refuse(tables)
    kind = {"collar": "duplicate collar", "survey": "duplicate survey"}
    found = holes.report.of_kind(kind.get(name, "duplicate interval"))
    assert found["row"].tolist() == [len(frame) + 2]


@quick
@given(st.sampled_from(TABLES), st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_any_damage_to_a_file_is_read_or_refused(name, place, damage):
    tables = campaign()
    data = bytearray(tables[name].to_csv(index=False).encode())
    place %= len(data)
    data[place : place + len(damage)] = damage
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(bytes(data))
        use_or_refuse(tables | {name: path})


@quick
@given(st.lists(st.text(max_size=8), min_size=1, max_size=6), st.sampled_from(TABLES))
def test_any_headers_give_holes_or_a_value_error(names, name):
    frame = pd.DataFrame([["1.5"] * len(names)], columns=names)
    use_or_refuse(campaign() | {name: frame})


@quick
@given(st.integers(0, 10_000))
def test_many_faults_at_once_are_reported_and_mended(seed):
    rng = np.random.default_rng(seed)
    tables = campaign(4, seed)
    for _ in range(rng.integers(1, 9)):
        name = str(rng.choice(TABLES))
        frame = tables[name].copy()
        row = int(rng.integers(len(frame)))
        match str(rng.choice(["blank", "swap", "double", "shift", "rename"])):
            case "blank":
                frame.iloc[row, int(rng.integers(4))] = ""
            case "swap":
                frame.iloc[row, 1], frame.iloc[row, 2] = frame.iloc[row, 2], frame.iloc[row, 1]
            case "double":
                frame = pd.concat([frame, frame.iloc[[row]]], ignore_index=True)
            case "shift" if frame.iloc[row, 1]:
                frame.iloc[row, 1] = str(float(frame.iloc[row, 1]) + rng.choice([-7, 3, 1000]))
            case "rename":
                frame.iloc[row, 0] = str(rng.choice(["d-1", "D 02", "Q9", ""]))
        tables[name] = frame
    holes = use_or_refuse(tables)
    if holes is not None:
        mended = holes.fixed(FIXES)
        n_before = sum(len(table) for table in holes.intervals.values())
        n_after = sum(len(table) for table in mended.intervals.values())
        changes = mended.changes[~mended.changes["table"].isin(["collar", "survey"])]
        assert n_before - n_after == changes["message"].str.startswith("dropped").sum()


@pytest.mark.parametrize("table", [None, 5, b"x", ["a"]])
def test_what_is_no_table_is_a_type_error(table):
    with pytest.raises(TypeError, match="must be a path or a DataFrame"):
        read_drillholes(table, dip="down_negative")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file collars\.csv"):
        read_drillholes(tmp_path / "collars.csv")


@pytest.mark.parametrize(
    "options", [{"errors": "x"}, {"negatives": "x"}, {"decimal": ";"}, {"dip": "x"}]
)
def test_a_wrong_option_is_refused(options):
    with pytest.raises(ValueError, match="must be one of"):
        read_drillholes(**campaign(), **({"dip": "down_negative"} | options))


@pytest.mark.parametrize(
    ("name", "change", "kind"),
    [
        ("assay", {"hole_id": "Z"}, "unknown hole"),
        ("survey", {"hole_id": "Z"}, "no survey"),
        ("collar", {"x": ""}, "missing coordinates"),
        ("collar", {"hole_id": "D00"}, "duplicate collar"),
        ("assay", {"to": ""}, "missing from or to"),
        ("assay", {"to": "0"}, "from >= to"),
        ("assay", {"to": "20000"}, "implausible depth"),
        ("assay", {"Au_ppm": "<0.5"}, None),
        ("lithology", {"rock": ""}, None),
        ("lithology", {"hole_id": "q"}, "no lithology"),
        ("survey", {"dip": "-90", "azimuth": ""}, "missing azimuth"),
        ("survey", {"azimuth": "-20"}, "azimuth wrap"),
        ("survey", {"depth": "10"}, "duplicate survey"),
        ("collar", {"x{y}": "a{b}", "lacking": "c", "distance": "d"}, None),
        ("assay", {"over": "a", "gap": "b", "why": "c", "new": "1.5", "eoh": "d"}, None),
    ],
)
def test_a_whole_column_of_faults_is_told(name, change, kind):
    tables = campaign()
    tables[name] = tables[name].assign(**change)
    holes = use_or_refuse(tables)
    assert kind is None or not holes.report.of_kind(kind).empty


def test_depths_beyond_all_memory_are_refused():
    tables = campaign()
    tables["assay"] = tables["assay"].iloc[::6].assign(to="1e300")
    holes = read_drillholes(**tables, dip="down_negative")
    for cut in (lambda: holes.traces(step=1.0), lambda: holes.composite(1.0)):
        with pytest.raises(ValueError, match="makes more than 50,000,000 pieces"):
            cut()


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_names_no_hole_is_refused(name):
    tables = campaign()
    tables[name] = tables[name].assign(hole_id="")
    with pytest.raises(ValueError, match="column 'hole_id' names no hole"):
        read_drillholes(**tables, dip="down_negative")


@pytest.mark.parametrize(
    "cells", ["category", "Int64", "Float32", "datetime64[ns]", "bool", "object", "complex"]
)
def test_columns_of_any_type_may_stand_beside(cells):
    tables = campaign()
    column = pd.Series(range(1, 19)).astype(cells)
    holes = use_or_refuse(tables | {"assay": tables["assay"].assign(more=column)})
    assert "more" in holes.intervals["assay"]
