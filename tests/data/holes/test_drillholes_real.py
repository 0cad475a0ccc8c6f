"""Two public drilling campaigns: Wolfpass to the millimetre, Copper Creek with all its faults."""

import time

import numpy as np
import pandas as pd
import pytest

from gossan import datasets
from gossan.data import read_drillholes


def folder_of(name):
    try:
        return datasets.find(name, download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def wolfpass():
    folder = folder_of("wolfpass")
    return read_drillholes(
        folder / "Wolfpass_collar.csv",
        folder / "Wolfpass_survey.csv",
        assay=folder / "Wolfpass_WP_assay.csv",
        lithology=folder / "Wolfpass_WP_lith.csv",
        dip="down_positive",
    )


@pytest.fixture(scope="module")
def copper_creek():
    folder = folder_of("copper_creek")
    paths = {name: folder / f"{name}.csv" for name in ("collar", "survey", "assay", "lithology")}
    start = time.process_time()
    holes = read_drillholes(**paths, dip="down_negative")
    assert time.process_time() - start < 10  # seconds; about 1
    return holes


@pytest.fixture(scope="module")
def mended(copper_creek):
    return copper_creek.fixed(["long intervals", "duplicate intervals", "overlaps"])


def test_wolfpass_points_are_those_of_the_reference(wolfpass):
    ours = wolfpass.points()
    theirs = pd.read_csv(folder_of("wolfpass") / "WP_assay_desurveyed_points.csv")
    assert ours["hole"].nunique() == 55
    for hole, mine in ours.groupby("hole"):
        expected = theirs[theirs["Hole ID"] == hole].sort_values("Z", ascending=False)
        points = mine.sort_values("elevation", ascending=False)
        assert len(points) == len(expected)
        # The collar of WP001 is written to the millimetre and lies 1 mm from the reference's.
        plan = points[["easting", "northing"]].to_numpy() - expected[["X", "Y"]].to_numpy()
        assert np.abs(plan).max() < (0.001 + 1e-6 if hole == "WP001" else 2e-6)
        above = points["elevation"].to_numpy() - expected["Z"].to_numpy()
        assert np.ptp(above) < 2e-6  # one constant a hole: their collars lie on a surface


def test_wolfpass_samples_in_place_have_the_grades_of_the_reference(wolfpass):
    ours = wolfpass.points()
    theirs = pd.read_csv(folder_of("wolfpass") / "WP_assay_desurveyed_points.csv")
    keys = {"hole": ours["hole"], "x": (ours["easting"] / 0.01).round()}
    one = pd.DataFrame({**keys, "y": (ours["northing"] / 0.01).round(), "Cu": ours["Cu"]})
    two = pd.DataFrame(
        {"hole": theirs["Hole ID"], "x": (theirs["X"] / 0.01).round(),
         "y": (theirs["Y"] / 0.01).round(), "theirs": theirs["CU_pct"].abs()}
    )  # fmt: skip
    both = one.merge(two, on=["hole", "x", "y"]).dropna()
    assert len(both) > 7000
    assert (both["Cu"] != both["theirs"]).mean() < 0.01


def test_wolfpass_is_sound_and_its_codes_are_missing(wolfpass):
    assert wolfpass.report.of_severity("error").empty
    table, mask = wolfpass.intervals["assay"], wolfpass.censored["assay"]
    assert table[["Cu", "Au", "DENSITY"]].isna().sum().tolist() == [381, 83, 460]
    assert mask[["Cu", "Au"]].sum().tolist() == [7, 16]
    assert wolfpass.units["assay"]["Cu"] == "wt%"
    assert wolfpass.surveys["dip"].between(-81, -36).all()


@pytest.mark.filterwarnings("ignore:.*samples have no density")
@pytest.mark.parametrize("density", [None, "DENSITY"])
def test_wolfpass_composites_lose_no_metal(wolfpass, density):
    made = wolfpass.composite(10, domain=("lithology", "grouped_lith"), density=density)
    balance = made.balance
    np.testing.assert_allclose(balance["kept"] + balance["dropped"], balance["total"], rtol=1e-12)
    table = wolfpass.intervals["assay"]
    if density is None:
        total = ((table["to"] - table["from"]) * table["Au"]).sum()
        assert balance.loc["Au", "total"] == pytest.approx(total, rel=1e-12)


def test_copper_creek_is_read_whole(copper_creek):
    assert len(copper_creek) == 545
    table, mask = copper_creek.intervals["assay"], copper_creek.censored["assay"]
    assert len(table) == 67_321
    assert table["hole"].nunique() == 488
    assert mask.sum().to_dict() == {"Cu": 331, "Mo": 7804, "Ag": 311, "Au": 1489}
    assert (table[["Cu", "Mo", "Ag", "Au"]].min() >= 0).all()
    surveys = copper_creek.surveys
    assert surveys["dip"].agg(["min", "max"]).tolist() == [-90.0, 45.0]
    assert surveys["azimuth"].max() == 360.0


def test_the_faults_of_copper_creek_are_found(copper_creek):
    report = copper_creek.report
    assert report.of_kind("unknown hole").empty
    assert len(report.of_kind("no assay")) == 57
    long = report.of_kind("long interval")
    assert long[["hole", "row"]].values.tolist() == [["REX-10-049B", 46344]]
    assert "1,063 m" in long["message"].iloc[0]
    assert report.of_kind("negative")["n_cells"].tolist() == [331, 7804, 311, 1489]
    contacts = report.findings[report.findings["table"] == "assay"]["kind"].value_counts()
    assert (contacts["duplicate interval"], contacts["overlap"]) == (141, 26)
    file = pd.read_csv(folder_of("copper_creek") / "assay.csv", encoding="utf-8-sig")
    # Neighbours alone show 159; the eight more lie under an interval further up.
    ordered = file.sort_values(["hole_ID", "depth_from"], kind="stable")
    above = ordered.groupby("hole_ID")["depth_to"].shift()
    assert (ordered["depth_from"] < above).sum() == 159
    for row in report.of_kind("overlap").query("table == 'assay'").itertuples():
        mine = file.iloc[row.row - 2]
        others = file[(file["hole_ID"] == row.hole) & (file.index != row.row - 2)]
        meets = (others["depth_from"] < mine["depth_to"]) & (
            others["depth_to"] > mine["depth_from"]
        )
        assert mine["hole_ID"] == row.hole
        assert meets.any()
    assert len(str(report)) < 8000


def test_copper_creek_is_mended_row_by_row(copper_creek, mended):
    n = len(copper_creek.intervals["assay"]) - len(mended.intervals["assay"])
    dropped = mended.changes[mended.changes["message"].str.startswith("dropped")]
    assert n == (dropped["table"] == "assay").sum()
    lost = set(copper_creek.intervals["assay"].index) - set(mended.intervals["assay"].index)
    assert lost == set(dropped[dropped["table"] == "assay"]["row"])
    assert mended.report.of_kind("overlap").empty
    with pytest.raises(ValueError, match="167 samples overlap those above them: CA28_PLUS_8"):
        copper_creek.composite(15)


def test_copper_creek_is_composited_and_placed_in_seconds(mended):
    start = time.process_time()
    made = mended.composite(15, domain=("lithology", "rock code"))
    points = mended.points(made.table)
    assert time.process_time() - start < 10  # seconds; about 0.4
    assert len(points) > 11_000
    assert points[["easting", "northing", "elevation"]].notna().all(axis=None)
    balance = made.balance
    np.testing.assert_allclose(balance["kept"] + balance["dropped"], balance["total"], rtol=1e-12)
    table = mended.intervals["assay"]
    total = ((table["to"] - table["from"]) * table["Cu"]).sum()
    assert balance.loc["Cu", "total"] == pytest.approx(total, rel=1e-12)


def test_holes_drilled_upwards_rise(copper_creek):
    lines = copper_creek.traces()
    upward = lines[lines["hole"] == "UG7"]
    assert upward["elevation"].diff().dropna().gt(0).all()


def test_both_campaigns_read_back_from_what_is_written(tmp_path, wolfpass, copper_creek):
    for holes in (wolfpass, copper_creek):
        folder = tmp_path / str(len(holes))
        back = read_drillholes(**holes.to_csv(folder))
        pd.testing.assert_frame_equal(back.collars, holes.collars)
        pd.testing.assert_frame_equal(back.surveys, holes.surveys)
        for name, table in holes.intervals.items():
            pd.testing.assert_frame_equal(back.intervals[name], table)
            pd.testing.assert_frame_equal(back.censored[name], holes.censored[name])
