"""Drill-hole tables: read in any style, checked against one another, mended only when asked."""

import numpy as np
import pandas as pd
import pytest

from gossan._checks import GossanWarning
from gossan.data import DrillHoles, read_drillholes


def campaign(**changes):
    """Three holes: collar, survey, assay and lithology, with some tables changed."""
    tables = {
        "collar": pd.DataFrame(
            {"BHID": ["A-1", "A-2", "A-3"], "EAST": [1000.0, 1050.0, 1100.0],
             "NORTH": [2000.0, 2000.0, 2050.0], "RL": [300.0, 305.0, 310.0],
             "EOH": [100.0, 60.0, 30.0]}
        ),
        "survey": pd.DataFrame(
            {"HOLE_ID": ["A-1", "A-1", "A-2", "A-3"], "AT": [0.0, 50.0, 0.0, 0.0],
             "AZIMUTH": [359.0, 1.0, 90.0, 0.0], "DIP": [-60.0, -62.0, -70.0, -90.0]}
        ),
        "assay": pd.DataFrame(
            {"holeid": ["A-1", "A-1", "A-1", "A-2", "A-3"], "FROM": [0.0, 10, 20, 0, 0],
             "TO": [10.0, 20, 30, 10, 10], "Au_ppm": ["1.5", "<0.01", "2.5", "NS", "0.5"],
             "Cu_pct": [0.5, 1.5, -0.02, 1.0, np.nan], "SG": ["2.7", "NS", "2.65", "2.8", "2.75"]}
        ),
        "lithology": pd.DataFrame(
            {"hole": ["A-1", "A-1", "A-2", "A-3"], "from_m": [0.0, 15, 0, 0],
             "to_m": [15.0, 100, 60, 30], "rock": ["slate", "dyke", "slate", "slate"]}
        ),
    }  # fmt: skip
    return tables | changes


def read(tables=None, **options):
    return read_drillholes(**(tables or campaign()), **({"dip": "down_negative"} | options))


def changed(table, row, **cells):
    """The campaign with some cells of one row of one table changed."""
    tables = campaign()
    frame = tables[table].astype(object)
    for column, value in cells.items():
        frame.loc[row, column] = value
    return tables | {table: frame}


def kinds(holes, table=None):
    found = holes.report.findings
    if table is not None:
        found = found[found["table"] == table]
    return dict(zip(found["kind"], zip(found["hole"], found["row"], strict=True), strict=True))


# Reading


def test_tables_get_our_names_and_the_rows_of_the_file():
    holes = read()
    assert isinstance(holes, DrillHoles)
    assert holes.holes == ["A-1", "A-2", "A-3"]
    assert list(holes.collars.columns) == ["hole", "easting", "northing", "elevation", "depth"]
    assert list(holes.surveys.columns) == ["hole", "depth", "azimuth", "dip"]
    assert list(holes.intervals["assay"].columns) == ["hole", "from", "to", "Au", "Cu", "SG"]
    assert list(holes.intervals["lithology"].columns) == ["hole", "from", "to", "rock"]
    assert holes.intervals["assay"].index.tolist() == [2, 3, 4, 5, 6]


def test_detection_limits_codes_and_units_are_read_as_for_assays():
    holes = read()
    table, mask = holes.intervals["assay"], holes.censored["assay"]
    assert holes.units["assay"] == {"Au": "ppm", "Cu": "wt%", "SG": ""}
    np.testing.assert_array_equal(table["Au"], [1.5, 0.01, 2.5, np.nan, 0.5])
    assert mask["Au"].tolist() == [False, True, False, False, False]
    assert table["Cu"].tolist()[:4] == [0.5, 1.5, 0.02, 1.0]
    assert mask["Cu"].tolist() == [False, False, True, False, False]
    np.testing.assert_array_equal(table["SG"], [2.7, np.nan, 2.65, 2.8, 2.75])
    ppm = read(convert=True)
    assert ppm.intervals["assay"]["Cu"].tolist()[0] == 5000.0
    assert ppm.units["assay"]["Cu"] == "ppm"


@pytest.mark.parametrize(
    "names",
    [
        ["HOLE-ID", "X", "Y", "Z"],
        ["hole_id", "Easting", "Northing", "Elevation"],
        ["DHID", "XCOLLAR", "YCOLLAR", "ZCOLLAR"],
        ["Hole ID", "utm_e", "utm_n", "RL (m)"],
        ["Drillhole", "E", "N", "elev"],
    ],
)
def test_collars_are_known_by_many_names(names):
    frame = campaign()["collar"].rename(
        columns=dict(zip(["BHID", "EAST", "NORTH", "RL"], names, strict=True))
    )
    assert read(campaign(collar=frame)).collars["elevation"].tolist() == [300.0, 305.0, 310.0]


@pytest.mark.parametrize(
    ("at", "azimuth", "dip"),
    [("depth", "AZ", "INC"), ("Depth (m)", "BRG", "Dip"), ("AT", "Bearing", "DIP_deg"),
     ("survey_depth", "azi°", "Inclination")],
)  # fmt: skip
def test_azimuth_may_stand_before_or_after_dip(at, azimuth, dip):
    frame = campaign()["survey"].set_axis(["bhid", at, azimuth, dip], axis=1)
    one = read(campaign(survey=frame))
    two = read(campaign(survey=frame[[dip, "bhid", azimuth, at]]))
    pd.testing.assert_frame_equal(one.surveys, two.surveys)
    assert one.surveys["azimuth"].tolist() == [359.0, 1.0, 90.0, 0.0]


def test_columns_name_what_no_synonym_knows():
    frame = campaign()["assay"].rename(columns={"FROM": "D1", "TO": "D2"})
    with pytest.raises(ValueError, match="no column for 'from' and 'to'"):
        read(campaign(assay=frame))
    holes = read(campaign(assay=frame), columns={"assay": {"from": "D1", "to": "D2"}})
    pd.testing.assert_frame_equal(holes.intervals["assay"], read().intervals["assay"])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"assays": {}}, "speak of the table 'assays'.*Did you mean 'assay'"),
        ({"assay": {"form": "FROM"}}, "got 'form' in columns=.*Did you mean 'from'"),
        ({"assay": {"from": "FRM"}}, "has no column 'FRM'.*Did you mean 'FROM'"),
        ({"assay": {"from": "TO", "to": "TO"}}, "cannot be both 'from' and 'to'"),
    ],
)
def test_a_wrong_word_in_columns_is_named(columns, words):
    with pytest.raises(ValueError, match=words):
        read(columns=columns)


def test_two_columns_for_one_thing_are_told_or_refused():
    frame = campaign()["collar"].assign(X=5.0, Y=6.0)
    holes = read(campaign(collar=frame))
    assert holes.collars["easting"].tolist() == [1000.0, 1050.0, 1100.0]
    assert "'X' could be too" in holes.report.of_kind("two columns")["message"].iloc[0]
    with pytest.raises(ValueError, match="two columns for 'easting', 'EAST' and 'East'"):
        read(campaign(collar=frame.rename(columns={"X": "East"})))


def test_swapped_tables_are_recognised():
    tables = campaign()
    with pytest.raises(ValueError, match="It looks like the table of surveys: are tables swapped"):
        read(tables | {"collar": tables["survey"], "survey": tables["collar"]})
    with pytest.raises(ValueError, match="It looks like the table of intervals"):
        read(tables | {"survey": tables["assay"]})
    with pytest.raises(ValueError, match="No column of analyses is recognised"):
        read(tables | {"assay": tables["lithology"], "lithology": tables["assay"]})


def test_feet_become_metres_with_a_note_and_feet_of_coordinates_are_refused():
    tables = campaign()
    frame = tables["assay"].assign(FROM=[0, 100, 200, 0, 0], TO=[100, 200, 300, 100, 50])
    holes = read(tables | {"assay": frame.rename(columns={"FROM": "From (ft)", "TO": "To_ft"})})
    assert holes.intervals["assay"]["to"].iloc[0] == pytest.approx(30.48)
    assert len(holes.report.of_kind("feet")) == 2
    with pytest.raises(ValueError, match="coordinates in feet"):
        read(tables | {"collar": tables["collar"].rename(columns={"EAST": "EAST_ft"})})


def test_feet_that_no_header_tells_are_suspected():
    tables = campaign()
    deep = tables["collar"]["EOH"].to_numpy() / 0.3048
    frame = pd.DataFrame({"hole": tables["collar"]["BHID"], "from": 0.0, "to": deep, "rock": "x"})
    found = read(tables | {"lithology": frame}).report.of_kind("wrong unit?")
    assert "3.28 times those of the collars: feet, not metres?" in found["message"].iloc[0]


def test_text_where_a_number_belongs_is_refused_with_its_row_or_left_out():
    tables = changed("survey", 1, DIP="steep")
    with pytest.raises(ValueError, match=r"column 'DIP': 'steep' and the like .*; row 3"):
        read(tables)
    holes = read(tables, errors="missing")
    assert np.isnan(holes.surveys["dip"].iloc[1])
    assert kinds(holes)["missing dip"] == ("A-1", 3)
    with pytest.raises(ValueError, match="column 'Au': 'x1' cannot be read"):
        read(changed("assay", 0, Au_ppm="x1"))


def test_ids_stay_whole_and_labels_stay_text():
    frame = campaign()["assay"].assign(sample=range(5), code=list("ABCDE"), lab=["007"] * 5)
    holes = read(campaign(assay=frame))
    table = holes.intervals["assay"]
    assert table["sample"].dtype == np.int64
    assert table["lab"].tolist() == ["007"] * 5
    assert list(holes.units["assay"]) == ["Au", "Cu", "SG"]


def test_numbered_holes_have_one_name_in_every_table():
    tables = campaign()
    number = {"A-1": 1, "A-2": 2, "A-3": 3}
    tables["collar"] = tables["collar"].assign(BHID=[1, 2, 3])
    tables["survey"] = tables["survey"].assign(
        HOLE_ID=tables["survey"]["HOLE_ID"].map(number) * 1.0
    )
    tables["assay"] = tables["assay"].assign(
        holeid=tables["assay"]["holeid"].map(number).astype(str)
    )
    tables["lithology"] = tables["lithology"].assign(hole=tables["lithology"]["hole"].map(number))
    assert read(tables).report.of_kind("unknown hole").empty


def test_two_columns_of_one_element_both_stay():
    frame = campaign()["assay"].assign(**{"Au_FA (ppb)": 1500.0})
    holes = read(campaign(assay=frame))
    assert holes.units["assay"]["Au_2"] == "ppb"
    assert "'Au_FA (ppb)' holds Au again" in holes.report.of_kind("two columns")["message"].iloc[0]
    ppm = read(campaign(assay=frame), convert=True)
    assert ppm.intervals["assay"]["Au_2"].tolist() == [1.5] * 5


@pytest.mark.parametrize("options", [{"units": {"Cuu": "ppm"}}, {"limits": {"Cuu": 0.1}}])
def test_a_unit_or_limit_for_no_column_is_refused(options):
    with pytest.raises(ValueError, match=r"is given for 'Cuu'.*Did you mean 'Cu'"):
        read(**options)


def test_a_limit_is_used_in_the_table_that_has_the_element():
    geotech = pd.DataFrame({"hole": ["A-1"], "from": [0.0], "to": [3.0], "RQD": ["87.5"]})
    tables = changed("assay", 0, Au_ppm="bdl")
    holes = read(tables, limits={"Au": 0.02}, intervals={"geotech": geotech})
    assert holes.intervals["assay"]["Au"].iloc[0] == 0.02
    assert holes.censored["assay"]["Au"].iloc[0]


def test_names_that_differ_by_more_than_spelling_are_two_holes():
    from gossan.data.holes.checks import plain_name

    assert plain_name("WP-001") == plain_name("wp 1") == "wp1"
    assert plain_name("12.0") == plain_name("12") != plain_name("120")
    assert plain_name("D1-12") != plain_name("D11-2")
    assert plain_name("D1-012") == plain_name("d 1_12")


def test_more_tables_of_intervals_have_names_of_their_own():
    rqd = pd.DataFrame({"hole": ["A-1"], "from": [0.0], "to": [3.0], "RQD": ["87.5"]})
    holes = read(intervals={"geotech": rqd})
    assert holes.intervals["geotech"]["RQD"].tolist() == [87.5]
    with pytest.raises(ValueError, match="cannot be called 'survey'"):
        read(intervals={"survey": rqd})


def test_orientation_may_stand_with_the_collars():
    frame = campaign()["collar"].assign(AZI=[0.0, 90.0, 0.0], DIP=[-60.0, -70.0, -90.0])
    tables = campaign(collar=frame)
    del tables["survey"]
    holes = read(tables)
    assert holes.surveys[["depth", "dip"]].values.tolist() == [[0, -60], [0, -70], [0, -90]]
    assert "dip" not in holes.collars
    with pytest.raises(ValueError, match="has no azimuth and dip, and no survey table was given"):
        read(tables | {"collar": campaign()["collar"]})


@pytest.mark.parametrize("name", ["sheets", "csv", "parquet", "utf16"])
def test_every_format_gives_the_same_holes(tmp_path, name):
    tables = campaign()
    if name == "sheets":
        path = tmp_path / "holes.xlsx"
        with pd.ExcelWriter(path) as book:
            for sheet, frame in tables.items():
                frame.to_excel(book, sheet_name=sheet.title(), index=False)
        holes = read(dict.fromkeys(tables, path), sheets={t: t.title() for t in tables})
    else:
        paths = {t: tmp_path / f"{t}.txt" for t in tables}
        for t, frame in tables.items():
            if name == "parquet":
                frame.to_parquet(paths[t])
            elif name == "csv":
                frame.to_csv(paths[t], sep=";", decimal=",", index=False, encoding="utf-8-sig")
            else:
                frame.to_csv(paths[t], sep="\t", index=False, encoding="utf-16")
        if name == "csv":
            text = paths["assay"].read_text("utf-8-sig")
            paths["assay"].write_text(text.replace(".", ","), "utf-8-sig")
        holes = read(paths)
    plain = read()
    pd.testing.assert_frame_equal(holes.surveys, plain.surveys)
    pd.testing.assert_frame_equal(holes.collars, plain.collars)
    pd.testing.assert_frame_equal(holes.intervals["assay"], plain.intervals["assay"])
    pd.testing.assert_frame_equal(holes.censored["assay"], plain.censored["assay"])


# The dip


def test_the_dip_is_asked_for_or_inferred_with_a_warning():
    tables = campaign()
    with pytest.warns(GossanWarning, match="read as down_negative, since 4 of 4 are negative"):
        holes = read(tables, dip=None)
    assert holes.surveys["dip"].tolist() == [-60, -62, -70, -90]
    positive = tables | {"survey": tables["survey"].assign(DIP=[60.0, 62, 70, 90])}
    with pytest.warns(GossanWarning, match="read as down_positive, since 4 of 4 are positive"):
        turned = read(positive, dip=None)
    pd.testing.assert_frame_equal(turned.surveys, holes.surveys)
    assert not turned.report.of_kind("dip convention").empty
    vertical = tables | {"survey": tables["survey"].assign(DIP=[30.0, 28, 20, 0])}
    pd.testing.assert_frame_equal(read(vertical, dip="from_vertical").surveys, holes.surveys)


@pytest.mark.parametrize(
    "dips", [[60, -60, 50, -50], [0, 0, 0, 0], [30, 28, 20, 0], [100, 120, 90, 60], [np.nan] * 4]
)
def test_a_dip_that_cannot_be_told_must_be_asked_for(dips):
    tables = campaign()
    with pytest.raises(ValueError, match="Pass dip= with one of"):
        read(tables | {"survey": tables["survey"].assign(DIP=[float(d) for d in dips])}, dip=None)


def test_a_wrong_word_for_the_dip_is_refused():
    with pytest.raises(ValueError, match="dip must be one of"):
        read(dip="positive")


# Checks: one planted fault each, found with its hole and row


@pytest.mark.parametrize(
    ("tables", "kind", "hole", "row"),
    [
        (changed("assay", 3, holeid="B-9"), "unknown hole", "B-9", 5),
        (changed("assay", 3, holeid=None), "unknown hole", "", 5),
        (changed("survey", 3, HOLE_ID="a3"), "unknown hole", "a3", 5),
        (changed("assay", 1, FROM=20.0, TO=10.0), "from >= to", "A-1", 3),
        (changed("assay", 1, FROM=10.0, TO=10.0), "from >= to", "A-1", 3),
        (changed("assay", 1, FROM=None), "missing from or to", "A-1", 3),
        (changed("assay", 0, FROM=-3.0), "above the collar", "A-1", 2),
        (changed("assay", 2, FROM=18.0), "overlap", "A-1", 4),
        (changed("assay", 2, FROM=10.0, TO=20.0), "duplicate interval", "A-1", 4),
        (changed("assay", 2, FROM=22.0), "gap", "A-1", 4),
        (changed("assay", 4, TO=31.0), "beyond collar depth", "A-3", 6),
        (changed("survey", 2, AT=61.0), "beyond collar depth", "A-2", 4),
        (changed("assay", 3, TO=240.0), "long interval", "A-2", 5),
        (changed("collar", 1, BHID="A-1"), "duplicate collar", "A-1", 3),
        (changed("collar", 1, BHID=None), "no hole name", "", 3),
        (changed("collar", 1, RL=None), "missing coordinates", "A-2", 3),
        (changed("collar", 1, EAST=99000.0), "far away", "A-2", 3),
        (changed("collar", 1, EOH=0.0), "no depth", "A-2", 3),
        (changed("collar", 1, EAST=1000.0, RL=300.0), "same place", "A-2", 3),
        (changed("survey", 1, AT=0.0), "duplicate survey", "A-1", 3),
        (changed("survey", 1, AZIMUTH=400.0), "azimuth wrap", "A-1", 3),
        (changed("survey", 1, AZIMUTH=-1.0), "azimuth wrap", "A-1", 3),
        (changed("survey", 1, AZIMUTH=5000.0), "survey out of range", "A-1", 3),
        (changed("survey", 1, DIP=-95.0), "survey out of range", "A-1", 3),
        (changed("survey", 1, AT=-50.0), "survey out of range", "A-1", 3),
        (changed("survey", 1, DIP=-30.0), "dog-leg", "A-1", 3),
        (changed("survey", 1, AZIMUTH=181.0, DIP=60.0), "turn back", "A-1", 3),
        (changed("survey", 1, DIP=None), "missing dip", "A-1", 3),
        (changed("survey", 1, AZIMUTH=None), "missing azimuth", "A-1", 3),
        (changed("survey", 3, AZIMUTH=None), "missing azimuth", "A-3", 5),
        (changed("survey", 1, AT=None), "missing depth", "A-1", 3),
        (changed("survey", 3, HOLE_ID="A-2"), "no survey", "A-3", 4),
        (changed("assay", 4, holeid="A-2", FROM=10, TO=20), "no assay", "A-3", 4),
    ],
)
def test_a_planted_fault_is_found_with_hole_and_row(tables, kind, hole, row):
    assert kind not in kinds(read())
    assert kinds(read(tables)).get(kind) == (hole, row)


def test_sound_tables_have_nothing_but_what_is_known():
    assert set(read().report.findings["kind"]) == {"negative"}
    assert read().report.of_severity("error").empty


def test_a_name_written_otherwise_is_suggested():
    found = read(changed("survey", 3, HOLE_ID="a 03")).report.of_kind("unknown hole")
    assert found["message"].iloc[0] == "a hole without a collar; is it 'A-3'?"


def test_the_report_prints_and_counts():
    holes = read(changed("assay", 2, FROM=18.0))
    text = str(holes.report)
    assert "1 error, 1 warning, 0 notes" in text
    assert "assay, A-1, row 4: 18 to 30 m starts 2 m above the end of an interval before it" in text
    counts = holes.report.counts()
    assert counts.iloc[0][["severity", "kind", "table", "n"]].tolist() == [
        "error",
        "overlap",
        "assay",
        1,
    ]
    assert holes.report.to_frame().equals(holes.report.findings)
    with pytest.raises(ValueError, match="severity must be one of"):
        holes.report.of_severity("bad")


# Repairs


@pytest.mark.parametrize(
    ("tables", "fix", "kind", "message"),
    [
        (changed("survey", 3, HOLE_ID="a3"), "names", "unknown hole", "'a3' is now 'A-3'"),
        (changed("assay", 3, holeid="B"), "unknown holes", "unknown hole", "dropped: the hole has"),
        (
            changed("collar", 1, BHID="A-1"),
            "duplicate collars",
            "duplicate collar",
            "not the first",
        ),
        (changed("survey", 1, AZIMUTH=361.0), "azimuths", "azimuth wrap", "361° is now 1°"),
        (changed("survey", 1, DIP=None), "missing surveys", "missing dip", "azimuth 1°, dip nan°"),
        (changed("survey", 3, AZIMUTH=None), "missing surveys", "missing azimuth", "set to 0°"),
        (changed("survey", 1, AT=0.0), "duplicate surveys", "duplicate survey", "first of 0 m"),
        (changed("survey", 3, HOLE_ID="A-2"), "vertical", "no survey", "taken to be vertical"),
        (changed("assay", 1, FROM=20.0, TO=10.0), "reversed intervals", "from >= to", "turned"),
        (changed("assay", 1, FROM=10.0, TO=10.0), "empty intervals", "from >= to", "dropped"),
        (changed("assay", 1, FROM=None), "empty intervals", "missing from or to", "dropped"),
        (changed("assay", 3, TO=240.0), "long intervals", "long interval", "0 to 240 m"),
        (changed("assay", 2, FROM=10, TO=20), "duplicate intervals", "duplicate interval", "other"),
        (changed("assay", 4, TO=31.0), "beyond depth", "beyond collar depth", "cut at 30 m"),
        (
            changed("assay", 4, FROM=40, TO=50),
            "beyond depth",
            "beyond collar depth",
            "below the end",
        ),
        (changed("assay", 2, FROM=18.0), "overlaps", "overlap", "18 to 30 m now starts at 20 m"),
        (changed("assay", 2, FROM=12, TO=18), "overlaps", "overlap", "dropped: 12 to 18 m lies"),
    ],
)
def test_a_repair_mends_its_fault_and_is_listed(tables, fix, kind, message):
    holes = read(tables)
    mended = holes.fixed([fix])
    assert kind in kinds(holes)
    assert kind not in kinds(mended)
    assert len(mended.changes) == 1
    assert message in mended.changes["message"].iloc[0]
    assert mended.changes["kind"].iloc[0] == fix
    assert mended.changes["row"].iloc[0] > 1
    assert kind in kinds(holes)  # the record that was mended is as it was
    for name, table in mended.intervals.items():
        assert mended.censored[name].index.equals(table.index)


def test_every_repair_leaves_sound_tables_alone():
    from gossan.data.holes.fixes import FIXES

    holes = read()
    mended = holes.fixed(FIXES)
    assert mended.changes.empty
    for name, table in holes.intervals.items():
        pd.testing.assert_frame_equal(table, mended.intervals[name])
    pd.testing.assert_frame_equal(holes.surveys, mended.surveys)


def test_of_duplicate_intervals_the_fuller_stays():
    tables = changed("assay", 1, FROM=20, TO=30, Au_ppm="", SG="")
    assert read(tables).fixed("duplicate intervals").changes["row"].tolist() == [3]


def test_repairs_add_up_in_the_list_of_changes():
    tables = changed("assay", 2, FROM=18.0)
    holes = read(tables).fixed("overlaps").fixed(["unknown holes", "azimuths"])
    assert len(holes.changes) == 1
    with pytest.raises(ValueError, match=r"fixes must be one of .* Did you mean 'overlaps'"):
        holes.fixed(["overlap"])


# Places in space


def test_points_lie_on_their_holes():
    holes = read()
    points = holes.points("lithology")
    row = points.loc[5]
    assert (row["easting"], row["northing"]) == (1100.0, 2050.0)
    assert (row["elevation"], row["elevation_from"], row["elevation_to"]) == (295.0, 310.0, 280.0)
    again = holes.points(holes.intervals["assay"])
    pd.testing.assert_frame_equal(again, holes.points())
    straight = holes.points(method="tangential")
    assert not np.allclose(straight["easting"], again["easting"])


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        (changed("survey", 1, DIP=None), "A-1: a survey without depth, azimuth or dip"),
        (changed("survey", 1, AT=0.0), "A-1: two surveys of one depth disagree"),
        (changed("survey", 3, HOLE_ID="A-2", AT=30.0), "A-3: no survey"),
        (changed("collar", 0, RL=None), "A-1: no coordinates"),
        (changed("collar", 1, BHID="A-1"), "A-1: two collars that differ"),
        (changed("assay", 0, holeid="B"), "B: no collar"),
        (changed("assay", 0, holeid=None), "a row without a hole: no collar"),
    ],
)
def test_a_hole_without_a_place_is_nan_and_named(tables, why):
    holes = read(tables)
    with pytest.warns(GossanWarning, match=why):
        points = holes.points()
    assert points["easting"].isna().any()
    assert len(points) == 5


def test_traces_go_from_the_collar_to_the_end():
    lines = read().traces()
    first = lines[lines["hole"] == "A-1"]
    assert first["depth"].tolist() == [0.0, 50.0, 100.0]
    assert first.iloc[0][["easting", "northing", "elevation"]].tolist() == [1000, 2000, 300]
    fine = read().traces(step=7.0)
    assert fine[fine["hole"] == "A-3"]["depth"].tolist() == [0, 7, 14, 21, 28, 30]
    with pytest.raises(ValueError, match="step must be positive"):
        read().traces(step=0)


# What follows


def test_composites_and_intercepts_know_units_limits_and_rocks():
    holes = read()
    made = holes.composite(10, domain=("lithology", "rock"))
    assert list(made.table.columns[6:]) == ["Au", "Cu", "SG"]
    assert made.table["domain"].tolist()[:3] == ["slate", "slate", "dyke"]
    assert made.censored["Au"].tolist()[:2] == [0.0, 1.0]
    text = str(holes.intercepts("Au", 1.0, min_length=5, max_dilution=10))
    assert text.startswith("A-1: 30.0 m at 1.33 ppm Au from 0.0 m to 30.0 m")
    with pytest.raises(ValueError, match="no column 'rocks'"):
        holes.composite(10, domain=("lithology", "rocks"))
    with pytest.raises(ValueError, match=r"no table of intervals 'essay'.*Did you mean 'assay'"):
        holes.composite(10, "essay")


def test_composites_can_be_placed_and_kept():
    holes = read()
    made = holes.composite(10)
    more = holes.with_intervals("composites", made.table, units={"Au": "ppm"})
    assert len(more.points("composites").dropna(subset=["easting"])) == len(made.table)
    assert "composites" not in holes.intervals
    with pytest.raises(ValueError, match="needs the columns hole, from and to"):
        holes.with_intervals("more", made.table[["hole"]])
    with pytest.raises(ValueError, match="share numbers"):
        holes.with_intervals("more", pd.concat([made.table, made.table]))
    with pytest.raises(ValueError, match="needs the columns hole, from and to"):
        holes.points(made.table[["hole"]])


def test_some_of_the_holes_can_be_chosen():
    some = read().select(["A-3", "A-1"])
    assert len(some) == 2
    assert set(some.intervals["assay"]["hole"]) == {"A-1", "A-3"}
    assert some.censored["assay"].index.tolist() == [2, 3, 4, 6]
    with pytest.raises(ValueError, match="no hole 'A-9' among 3 holes"):
        read().select("A-9")


def test_holes_print_on_half_a_page():
    text = str(read())
    assert text.startswith("3 drill holes: easting 1,000 to 1,100 m, northing 2,000 to 2,050 m")
    assert "dips -90 to -60° (negative downwards), 4 surveys" in text
    assert "Au     ppm   4        1       25  0.01       1  2.5" in text
    assert text.endswith("0 errors, 1 warning, 0 notes: print(holes.report)")


def test_what_is_written_reads_back_to_the_last_digit(tmp_path):
    frame = campaign()["assay"].assign(
        Cu_pct=[1 / 3, 2e-7, -1e-9, 12345.678e-4, np.nan], sample=range(5),
        lab=["a,b", 'c"d', " e", "NA", ""],
    )  # fmt: skip
    holes = read(campaign(assay=frame))
    back = read_drillholes(**holes.to_csv(tmp_path / "out"))
    pd.testing.assert_frame_equal(back.collars, holes.collars)
    pd.testing.assert_frame_equal(back.surveys, holes.surveys)
    assert back.units == holes.units
    for name in holes.intervals:
        pd.testing.assert_frame_equal(back.intervals[name], holes.intervals[name])
        pd.testing.assert_frame_equal(back.censored[name], holes.censored[name])
    again = tmp_path / "again"
    back.to_csv(again)
    for file in (tmp_path / "out").iterdir():
        assert file.read_bytes() == (again / file.name).read_bytes()
    assert sorted(file.name for file in again.iterdir()) == [
        "assay.csv", "collar.csv", "lithology.csv", "survey.csv",
    ]  # fmt: skip


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    from gossan.data.holes import drillholes

    holes = read()
    holes.to_csv(tmp_path)
    before = (tmp_path / "assay.csv").read_bytes()

    def broken(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        drillholes.write_whole(tmp_path / "assay.csv", "x")
    assert (tmp_path / "assay.csv").read_bytes() == before
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_the_tables_that_come_in_stay_as_they_are():
    tables = campaign()
    copies = {name: table.copy(deep=True) for name, table in tables.items()}
    holes = read(tables)
    holes.fixed(["overlaps", "vertical", "names"]).points()
    holes.composite(10, domain=("lithology", "rock"))
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, copies[name])


def test_one_hole_of_one_sample_is_enough():
    collar = pd.DataFrame({"hole": [7], "x": [0], "y": [0], "z": [0]})
    survey = pd.DataFrame({"hole": [7], "depth": [0], "azimuth": [0], "dip": [-90]})
    assay = pd.DataFrame({"hole": [7], "from": [0], "to": [1], "Au_ppm": [1.0]})
    holes = read_drillholes(collar, survey, assay=assay, dip="down_negative")
    assert holes.holes == ["7"]
    assert holes.points()["elevation"].tolist() == [-0.5]
    assert len(holes.composite(1.0).table) == 1
    assert str(holes)


def test_a_hole_in_another_unit_is_suspected_and_rich_holes_are_not():
    rng = np.random.default_rng(0)
    names = np.repeat([f"H{number}" for number in range(8)], 20)
    gold = np.maximum(1.0, rng.lognormal(2.0, 1.5, 160))  # ppb, 1 is the limit
    gold[names == "H1"] *= 50.0  # a rich hole
    gold[names == "H5"] /= 1000.0  # ppm
    depths = np.tile(np.arange(20.0), 8)
    assay = pd.DataFrame({"hole": names, "from": depths, "to": depths + 1.0, "Au_ppb": gold})
    collar = pd.DataFrame(
        {
            "hole": np.unique(names),
            "easting": np.arange(8.0),
            "northing": 0.0,
            "elevation": 100.0,
            "azimuth": 0.0,
            "dip": -90.0,
            "depth": 20.0,
        }
    )
    holes = read_drillholes(collar, assay=assay, dip="down_negative")
    found = holes.report.of_kind("wrong unit?")
    assert found[["hole", "column"]].to_numpy().tolist() == [["H5", "Au"]]
    assert "those of all other holes end at 1" in found["message"].iloc[0]


def test_collars_in_degrees_are_told_to_be_projected():
    collar = campaign()["collar"].rename(columns={"EAST": "Longitude", "NORTH": "Latitude"})
    with pytest.raises(ValueError, match=r"longitudes and latitudes \(Longitude, Latitude\).*UTM"):
        read(campaign(collar=collar))


def test_a_workbook_without_the_columns_names_its_other_sheets(tmp_path):
    tables = campaign()
    path = tmp_path / "campaign.xlsx"
    with pd.ExcelWriter(path) as book:
        tables["assay"].to_excel(book, sheet_name="Assays", index=False)
        tables["collar"].to_excel(book, sheet_name="Collars", index=False)
    told = r"the others are Collars: name it as in sheets = \{collar: 'SHEET'\}"
    with pytest.raises(ValueError, match=told):
        read(campaign(collar=path))
    holes = read(campaign(collar=path), sheets={"collar": "Collars"})
    assert len(holes.collars) == len(tables["collar"])
