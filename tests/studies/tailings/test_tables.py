"""Samples in space from messy tables: columns found, covariates as numbers, nothing lost silently."""

import numpy as np
import pandas as pd
import pytest

from gossan._checks import GossanWarning
from gossan.studies.tailings.tables import as_numbers, read_places, read_samples


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    n = 40
    return pd.DataFrame(
        {
            "X": 5000 + rng.uniform(0, 900, n),
            "Y": 9000 + rng.uniform(0, 900, n),
            "Cu (ppm)": rng.lognormal(4, 1, n),
            "Zn_ppm": rng.lognormal(5, 1, n),
            "soil": ["clay", "sand"] * 20,
            "distance": np.arange(n, dtype=float),
        }
    )


def test_usual_names_of_coordinates_are_found(table):
    samples = read_samples({"table": table})
    assert samples.elements == ["Cu", "Zn"]
    np.testing.assert_allclose(samples.coords, table[["X", "Y"]])
    assert samples.axes == ("easting", "northing")
    assert samples.holes is None


def test_elevation_makes_it_3d_and_holes_are_named(table):
    deep = table.assign(RL=100.0, BHID=["A", "B"] * 20)
    samples = read_samples({"table": deep})
    assert samples.n_dims == 3
    assert set(samples.holes) == {"A", "B"}


def test_kilometres_become_metres(table):
    near = table.assign(X=table["X"] / 1000, Y=table["Y"] / 1000)
    with pytest.raises(ValueError, match="look like degrees or kilometres"):
        read_samples({"table": near})
    samples = read_samples({"table": near}, unit="km")
    np.testing.assert_allclose(samples.coords, table[["X", "Y"]])


def test_kinds_become_columns_and_numbers_stay(table):
    samples = read_samples({"table": table}, covariates=["distance"], kinds=["soil"])
    assert list(samples.covariates) == ["distance", "soil=clay", "soil=sand"]
    assert samples.covariates["soil=clay"].sum() == 20


def test_rows_that_lack_something_are_left_out_and_told(table):
    table.loc[3, "X"] = np.nan
    table.loc[5, "Zn_ppm"] = np.nan
    table.loc[6, "distance"] = np.nan
    samples = read_samples({"table": table}, covariates=["distance"])
    assert len(samples.coords) == len(samples.values) == len(samples.covariates) == 37
    told = " ".join(samples.left_out)
    for lack in ("coordinates were left out: row 5", "elements were left out: row 7",
                 "covariate were left out: row 8"):  # fmt: skip
        assert lack in told


def test_values_below_detection_are_imputed_and_flagged(table):
    words = table.astype({"Cu (ppm)": object})
    words.loc[2, "Cu (ppm)"] = "<2"
    samples = read_samples({"table": words})
    assert samples.values.loc[2, "Cu"] == pytest.approx(1.3)
    assert samples.is_censored["Cu"].sum() == 1


def test_places_have_the_covariates_of_the_samples(table):
    samples = read_samples({"table": table}, kinds=["soil"])
    places = pd.DataFrame({"X": [5.0], "Y": [6.0], "soil": ["clay"]})
    coords, known = read_places(places, like=samples, columns={}, kinds=["soil"])
    assert coords.tolist() == [[5.0, 6.0]]
    assert known.iloc[0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("change", "more", "told"),
    [
        (lambda t: t.rename(columns={"X": "foo"}), {}, "no column that looks like the easting"),
        (lambda t: t, {"hole": "BH"}, "no column 'BH' for the hole"),
        (lambda t: t, {"covariates": ["distanc"]}, "Did you mean 'distance'"),
        (lambda t: t, {"covariates": ["soil"]}, "which is no number. Name it among kinds"),
        (lambda t: t, {"kinds": ["distance"]}, "has 40 kinds"),
        (lambda t: t.head(12), {}, "needs 30"),
        (lambda t: t, {"unit": "miles"}, "unit must be one of"),
        (lambda t: t.assign(hole=["", *["A"] * 39]), {}, "names no hole in row 2"),
    ],
)
def test_what_cannot_be_used_is_named(table, change, more, told):
    with pytest.raises(ValueError, match=told):
        read_samples({"table": change(table)}, **more)


def test_missing_cells_of_places_are_named(table):
    samples = read_samples({"table": table}, covariates=["distance"])
    places = pd.DataFrame({"X": [5.0, 6.0], "Y": [6.0, 6.0], "distance": [1.0, np.nan]})
    with pytest.raises(ValueError, match="first in row 3"):
        read_places(places, like=samples, columns={}, covariates=["distance"])
    with pytest.raises(ValueError, match="no column 'distance'"):
        read_places(places[["X", "Y"]], like=samples, columns={}, covariates=["distance"])


def test_words_are_no_numbers():
    with pytest.raises(ValueError, match="holds 'clay'"):
        as_numbers(pd.DataFrame({"soil": ["clay"]}))


def test_one_height_for_each_place_is_relief_and_no_third_coordinate(table):
    ground = table.assign(elev=np.linspace(5, 10, len(table)))
    samples = read_samples({"table": ground})
    assert samples.n_dims == 2
    assert "'elev' is taken for the height of the ground" in samples.left_out[0]
    assert read_samples({"table": ground}, elevation="elev").n_dims == 3


def test_an_elevation_named_as_a_covariate_is_no_coordinate(table):
    twice = pd.concat([table.assign(elev=5.0), table.assign(elev=8.0)], ignore_index=True)
    assert read_samples({"table": twice}).n_dims == 3
    samples = read_samples({"table": twice}, covariates=["elev"])
    assert samples.n_dims == 2
    assert list(samples.covariates) == ["elev"]


def test_a_negative_concentration_is_named_with_its_row(table):
    coded = table.rename(columns={"Cu (ppm)": "Z"}).drop(columns="Zn_ppm")
    coded.loc[[4, 5], "Z"] = -995.0
    with pytest.raises(ValueError, match=r"Z is negative in rows 6, 7, such as -995"):
        read_samples({"table": coded, "elements": ["Z"]})
    known = read_samples({"table": coded, "elements": ["Z"], "missing": [-995]})
    assert len(known.coords) == 38


def test_hole_names_that_differ_by_case_are_told(table):
    deep = table.assign(RL=100.0, BHID=["DH-01", "dh01", "DH-02", "DH-02"] * 10)
    told = read_samples({"table": deep}).left_out
    assert told[0].startswith("1 hole spelt in more ways than one, such as 'DH-01' and 'dh01'")


def test_degrees_are_named_where_metres_are_looked_for(table):
    angles = table.rename(columns={"X": "long", "Y": "lat"})
    with pytest.raises(ValueError, match="but long and lat, which are degrees"):
        read_samples({"table": angles})


def test_kinds_written_as_codes_at_one_table_and_words_at_the_other_are_refused(table):
    samples = read_samples({"table": table}, kinds=["soil"])
    columns = {"easting": None, "northing": None, "unit": "m"}
    places = table[["X", "Y"]].assign(soil=[1, 2] * 20)
    with pytest.raises(ValueError, match="soil is 1 and 2, and at the samples it is clay and sand"):
        read_places(places, like=samples, columns=columns, kinds=["soil"])
    some = table[["X", "Y"]].assign(soil=["clay", "peat"] * 20)
    with pytest.warns(GossanWarning, match="soil is peat in 20 places, which no sample has"):
        read_places(some, like=samples, columns=columns, kinds=["soil"])
