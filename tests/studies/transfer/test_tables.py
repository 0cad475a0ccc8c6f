"""Labelled sites and ground: duplicates merged and counted, places mended, rows matched by name."""

import numpy as np
import pandas as pd
import pytest

from gossan.studies.transfer import sections
from gossan.studies.transfer.tables import read_sites, same_sites
from gossan.studies.transfer.trust import coordinate_sentence
from gossan.studies.transfer.unlabelled import read_classes, read_ground, read_published

N = 8  # deposits, and as many barren sites


@pytest.fixture
def table():
    """Return sixteen sites of two columns of evidence, no two alike."""
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "label": np.repeat([1, 0], N),
            "easting": rng.uniform(0, 9e4, 2 * N).round(1),
            "northing": rng.uniform(0, 9e4, 2 * N).round(1),
            "A": rng.normal(size=2 * N),
            "B": rng.normal(size=2 * N),
        }
    )


@pytest.fixture
def sites_of(tmp_path):
    """Return a function that writes a table of labels and reads its sites."""

    def read(table, **more):
        table.to_csv(tmp_path / "labels.csv", index=False)
        return read_sites(sections.labels(table="labels.csv", **more), tmp_path)

    return read


def test_a_clean_table_is_its_sites(sites_of, table):
    sites = sites_of(table)
    np.testing.assert_allclose(sites.X, table[["A", "B"]])
    np.testing.assert_allclose(sites.coords, table[["easting", "northing"]])
    assert sites.y.tolist() == table["label"].tolist()
    assert sites.counts.tolist() == [1] * (2 * N)
    assert sites.notes == []


def test_rows_left_out_are_numbered_as_in_the_file_below_a_title(table, tmp_path):
    pytest.importorskip("openpyxl")
    table.loc[3, "A"] = np.nan
    with pd.ExcelWriter(tmp_path / "labels.xlsx") as book:
        table.to_excel(book, index=False, startrow=2)
        book.sheets["Sheet1"]["A1"] = "Labels of the district, compiled by hand"
    sites = read_sites(sections.labels(table="labels.xlsx"), tmp_path)
    assert any("1 row with blank evidence left out, row 7." in note for note in sites.notes)


def test_spanish_headers_of_coordinates_are_known(sites_of, table):
    sites = sites_of(table.rename(columns={"easting": "ESTE (m)", "northing": "NORTE (m)"}))
    np.testing.assert_allclose(sites.coords, table[["easting", "northing"]])
    assert sites.names == ("A", "B")


def test_coordinates_that_do_as_well_as_the_evidence_are_told():
    blocks = pd.DataFrame({"held_out": "", "block": [0.0, 10.0, 20.0, 50.0],
                           "evidence": [0.88, 0.86, 0.842, 0.81],
                           "coordinates": [0.97, 0.91, 0.843, 0.73]})  # fmt: skip
    told = coordinate_sentence(blocks, 20e3)
    assert "In blocks of 20 km coordinates alone tell deposits from barren sites as well" in told
    assert told.endswith("(AUC 0.84 and 0.84): neighbours may still give the answer. In blocks of"
                         " 50 km they have 0.73 and 0.81.")  # fmt: skip
    assert coordinate_sentence(blocks, 50e3) == ""  # the evidence is ahead
    assert coordinate_sentence(blocks, 30e3) == ""  # not measured


def test_copies_by_value_and_by_place_are_one_site_and_counted(sites_of, table):
    by_value = table.iloc[[0]].assign(easting=5.0, northing=6.0)
    by_place = table.iloc[[1]].assign(A=9.0)
    sites = sites_of(pd.concat([table, by_value, by_place, table.iloc[[0]]], ignore_index=True))
    assert len(sites.y) == 2 * N
    assert sites.counts.tolist() == [3, 2, *[1] * (2 * N - 2)]
    np.testing.assert_allclose(sites.X, table[["A", "B"]])  # the first row stands for the site
    assert "19 rows are 16 sites" in sites.notes[0]
    assert "11 rows of deposits are 8 sites" in sites.notes[0]


def test_a_chain_of_copies_is_one_site():
    # Rows 0 and 1 share their evidence, 1 and 2 their place: all three are one site.
    X = np.array([[1.0], [1.0], [2.0], [3.0]])
    coords = np.array([[0.0, 0.0], [5.0, 5.0], [5.0, 5.0], [9.0, 9.0]])
    assert same_sites(X, coords).tolist() == [0, 0, 0, 1]


def test_evidence_that_differs_in_the_seventh_digit_is_another_pixel():
    X = np.array([[1234567.0], [1234568.0], [1234567.0 + 1e-4]])
    coords = np.arange(6.0).reshape(3, 2)
    assert same_sites(X, coords).tolist() == [0, 1, 0]


def test_a_site_that_is_both_counts_as_a_deposit_and_is_told(sites_of, table):
    sites = sites_of(pd.concat([table.iloc[[0]].assign(label=0), table], ignore_index=True))
    assert sites.y.sum() == N
    assert any("1 site labelled both 1 and 0" in note for note in sites.notes)


def test_rows_without_a_place_a_label_or_evidence_are_left_out_and_said(sites_of, table):
    worse = pd.concat([table, table.iloc[:4] + 0.5], ignore_index=True).astype(object)
    worse.loc[2 * N :, "label"] = 1
    worse.loc[2 * N, ["easting", "northing"]] = 0
    worse.loc[2 * N + 1, "easting"] = ""
    worse.loc[2 * N + 2, "label"] = ""
    worse.loc[2 * N + 3, "A"] = ""
    sites = sites_of(worse)
    assert len(sites.y) == 2 * N
    told = " ".join(sites.notes)
    assert "2 rows without coordinates left out" in told
    assert "1 row without a label left out, row 20" in told
    assert "1 row with blank evidence left out, row 21" in told


def test_names_of_deposits_are_kept(sites_of, table):
    named = table.assign(Deposit=["Casino", "", *[f"d{i}" for i in range(2 * N - 2)]])
    assert sites_of(named).titles[:3] == ["Casino", "site 2", "d0"]


def test_too_few_labels_are_refused(sites_of, table):
    with pytest.raises(
        ValueError, match="has 5 sites of deposits and 8 of barren ground; 6 of each"
    ):
        sites_of(table.iloc[3:])


def test_a_table_of_blank_evidence_is_refused(sites_of, table):
    blank = table.assign(A=np.where(table["label"] == 1, np.nan, 1.0), C=np.nan)
    blank["C"] = np.where(table["label"] == 0, np.nan, 2.0)
    with pytest.raises(ValueError, match="no row has a label and all evidence"):
        sites_of(blank, evidence=["A", "C"])


def test_coordinates_that_are_text_are_refused(sites_of, table):
    with pytest.raises(ValueError, match="coordinates 'easting' hold 'east' in row 2"):
        sites_of(table.astype(object).replace({"easting": {table["easting"][0]: "east"}}))


def test_longitudes_are_brought_to_metres(sites_of, table):
    degrees = table.rename(columns={"easting": "lon", "northing": "lat"})
    degrees["lon"], degrees["lat"] = -137.0 + table["easting"] / 1e6, 62.0 + table["northing"] / 1e6
    sites = sites_of(degrees)
    assert sites.crs == "EPSG:32608"
    assert sites.coords[:, 1].min() > 6e6


@pytest.fixture
def ground_of(tmp_path):
    """Return a function that writes background rows and reads them for some sites."""

    def read(table, sites, **more):
        table.to_csv(tmp_path / "ground.csv", index=False, sep=";", decimal=",")
        return read_ground(sections.background(table="ground.csv", **more), tmp_path, sites)

    return read


@pytest.fixture
def rows():
    """Return thirty background rows."""
    rng = np.random.default_rng(6)
    table = pd.DataFrame(rng.normal(size=(30, 2)), columns=["A", "B"])
    return table.assign(X=np.arange(30) + 0.5, Y=np.arange(30) * 2.0 + 0.5)


def test_the_order_of_columns_of_the_ground_does_not_matter(sites_of, ground_of, table, rows):
    sites = sites_of(table)
    one = ground_of(rows, sites)
    other = ground_of(rows[["Y", "B", "X", "A"]], sites)
    np.testing.assert_allclose(one.X, rows[["A", "B"]])
    np.testing.assert_array_equal(one.X, other.X)
    np.testing.assert_array_equal(one.coords, other.coords)


def test_ground_without_coordinates_says_so(sites_of, ground_of, table, rows):
    ground = ground_of(rows[["A", "B"]], sites_of(table))
    assert ground.coords is None
    assert any("has no coordinates" in note for note in ground.notes)


def test_ground_that_is_a_deposit_or_blank_is_left_out(sites_of, ground_of, table, rows):
    worse = rows.copy()
    worse.loc[3, ["A", "B"]] = table.loc[0, ["A", "B"]].to_numpy(float)
    worse.loc[4, "A"] = np.nan
    ground = ground_of(worse, sites_of(table))
    assert len(ground.X) == 28
    told = " ".join(ground.notes)
    assert "1 background row left out: a labelled deposit's own pixel" in told
    assert "1 row with blank evidence" in told


def test_too_little_ground_is_refused(sites_of, ground_of, table, rows):
    with pytest.raises(
        ValueError, match="19 whole background rows are left, and 20 are the fewest"
    ):
        ground_of(rows.iloc[:19], sites_of(table))


def test_classes_are_read_by_name(tmp_path, sites_of, table, rows):
    rows.assign(unit=["granite", "basalt", ""] * 10).to_csv(tmp_path / "rocks.csv", index=False)
    X, kinds = read_classes(
        sections.pretext(method="classes", classes="rocks.csv", column="unit"),
        tmp_path,
        sites_of(table),
    )
    assert X.shape == (20, 2)
    assert set(kinds) == {"granite", "basalt"}


def test_one_class_is_refused(tmp_path, sites_of, table, rows):
    rows.assign(unit="granite").to_csv(tmp_path / "rocks.csv", index=False)
    told = sections.pretext(method="classes", classes="rocks.csv", column="unit")
    with pytest.raises(ValueError, match="holds 1 class in whole rows, and two are the fewest"):
        read_classes(told, tmp_path, sites_of(table))
    with pytest.raises(ValueError, match="has no column 'units'"):
        read_classes(told | {"column": "units"}, tmp_path, sites_of(table))


def test_published_rows_are_matched_by_name(tmp_path, sites_of, table):
    sites = sites_of(table)
    table[["B", "label", "A"]].iloc[:5].to_csv(tmp_path / "valid.csv", index=False)
    X, y = read_published(tmp_path / "valid.csv", sites, sections.labels(table="labels.csv"))
    np.testing.assert_allclose(X, table[["A", "B"]].iloc[:5])
    assert y.tolist() == [1.0] * 5
