"""Stream sediments levelled by what their catchments are made of, with numbers worked by hand."""

import re

import numpy as np
import pandas as pd
import pytest

from gossan.studies.region.geology import rock_shares
from gossan.studies.region.levelling import undiluted
from gossan.studies.region.run import settings_of
from gossan.studies.region.tables import read_region
from gossan.study import check_study, read_study

SIDE = 24  # cells of 1 km
ANOMALY = 5 * SIDE + 3  # on granite

STUDY = """
study = "region"
[samples]
table = "samples.csv"
[occurrences]
table = "occurrences.csv"
[catchments]
table = "catchments.csv"
{more}
[grid]
spacing = 1000
region = [0, 24000, 0, 24000]
[elements]
level_by = "catchment"
[methods]
names = ["logistic"]
"""


def survey():
    """Return samples in the middles of cells, and the catchment of each.

    Granite bears 10 ppm Cu, schist 1000, and mixed catchments 100, all times or over 10^0.1 in turn;
    the anomaly has four times its granite and drains three times the area of the others.
    """
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    schist = np.repeat([0.0, 0.5, 1.0], SIDE // 3)[column]
    swing = 0.1 * (-1.0) ** (row + column)
    swing[ANOMALY] = np.log10(4.0)
    samples = pd.DataFrame(
        {"easting": 500.0 + 1000 * column, "northing": 500.0 + 1000 * row,
         "catchment": np.arange(len(row)) + 1, "Cu_ppm": 10 ** (1 + 2 * schist + swing),
         "Zn_ppm": 10 ** (2 - schist - swing)}
    )  # fmt: skip
    catchments = pd.DataFrame(
        {"catchment": samples["catchment"], "km2": 2.0, "granite": 1 - schist, "schist": schist}
    )
    catchments.loc[ANOMALY, "km2"] = 6.0
    return samples, catchments.iloc[::-1]  # in another order than the samples


def write(folder, samples, catchments, more="", **options):
    samples.to_csv(folder / "samples.csv", index=False)
    catchments.to_csv(folder / "catchments.csv", index=False, **options)
    samples.iloc[::97][["easting", "northing"]].to_csv(folder / "occurrences.csv", index=False)
    path = folder / "study.toml"
    path.write_text(STUDY.format(more=more), encoding="utf-8")
    return path


def read(path):
    return read_region(settings_of(read_study(path)), path.parent)


def cells(region, name="Cu"):
    """Return the layer row by row as the samples lie."""
    layer = region.grid[name].sortby("northing").sortby("easting")
    return layer.transpose("northing", "easting").to_numpy().ravel()


@pytest.mark.parametrize(
    ("more", "peak", "words"),
    [
        # The median of all samples is 100 ppm: 4 times the background becomes 400 ppm,
        ("rocks = ['granite', 'schist']", 400.0, "Dilution downstream was not undone"),
        # and 3 x (4 - 1) backgrounds more than the background where dilution is undone.
        ('area = "km2"', 1000.0, "brought to the dilution of a catchment of the median area, 2"),
    ],
)
def test_what_the_rocks_explain_is_taken_off_and_what_dilutes_given_back(
    tmp_path, more, peak, words
):
    samples, catchments = survey()
    region = read(write(tmp_path, samples, catchments, more))
    swing = samples["Cu_ppm"] / 10 ** (1 + 2 * catchments.sort_index()["schist"])
    expected = 100.0 * swing.to_numpy()
    expected[ANOMALY] = peak
    np.testing.assert_allclose(cells(region), expected, rtol=5e-3)
    beside = region.beside["Cu"].transpose("northing", "easting").to_numpy().ravel()
    np.testing.assert_allclose(beside, samples["Cu_ppm"], rtol=1e-5)
    (note,) = [note for note in region.notes if note.startswith("Samples were levelled")]
    assert words in note
    # MAD 0.9 before and 0.1 after for copper, 0.3 and 0.1 for zinc: 1 - 1/81 and 1 - 1/9, on average
    assert "the rocks of 576 catchments explain 94% of the variance" in note
    assert region.files["catchments"] == "catchments.csv"


def test_rare_rocks_are_pooled_and_told(tmp_path):
    samples, catchments = survey()
    catchments["marble"] = 0.0
    catchments.loc[[0, 1, 2], ["marble", "granite"]] = [1.0, 0.0]
    path = write(tmp_path, samples, catchments, 'area = "km2"')
    assert "Rocks of few catchments were pooled: marble." in " ".join(read(path).notes)


def test_a_table_with_semicolons_has_decimal_commas(tmp_path):
    samples, catchments = survey()
    plain = read(write(tmp_path, samples, catchments, 'area = "km2"'))
    commas = read(write(tmp_path, samples, catchments, 'area = "km2"', sep=";", decimal=","))
    np.testing.assert_array_equal(plain.grid["Cu"], commas.grid["Cu"])


def test_dilution_moves_only_what_exceeds_the_background():
    rng = np.random.default_rng(0)
    left, areas = rng.normal(0.0, 0.5, (200, 3)), rng.lognormal(size=200)
    found = undiluted(left, areas)
    is_above = left > 0
    np.testing.assert_array_equal(found[~is_above], left[~is_above])
    assert (found[is_above] > 0).all()
    larger = (areas > np.median(areas))[:, None]
    assert (found >= left)[np.broadcast_to(larger, left.shape)].all()
    assert (found <= left)[np.broadcast_to(~larger, left.shape)].all()
    # What a source delivers, (C - background) x area, is what ranks samples of one background.
    delivered = (10.0**left - 1) * areas[:, None]
    order = np.argsort(delivered[is_above[:, 0], 0])
    assert (np.diff(found[is_above[:, 0], 0][order]) >= 0).all()


def change(samples, catchments, case):
    """Spoil one cell: rows of catchments are those of the file, header 1."""
    catchments = catchments.reset_index(drop=True)
    if case == "unknown":
        samples["catchment"] = samples["catchment"].astype(str)
        samples.loc[4, "catchment"] = "5b"
    elif case == "blank":
        samples["catchment"] = samples["catchment"].astype(object)
        samples.loc[7, "catchment"] = None
    elif case == "twice":
        catchments.loc[3, "catchment"] = catchments.loc[2, "catchment"]
    elif case == "percent":
        catchments["granite"] *= 100
    elif case == "sum":
        catchments.loc[10, ["granite", "schist"]] = [0.8, 0.7]
    elif case == "text":
        catchments["schist"] = catchments["schist"].astype(object)
        catchments.loc[2, "schist"] = "some"
    elif case == "area":
        catchments.loc[6, "km2"] = 0.0
    elif case == "column":
        samples = samples.rename(columns={"catchment": "basin"})
    return samples, catchments


@pytest.mark.parametrize(
    ("case", "more", "message"),
    [
        ("unknown", 'area = "km2"', "samples.csv, row 6: .* names catchment '5b', which catchments.csv"),
        ("blank", 'area = "km2"', "samples.csv, row 9: column 'catchment' names no catchment"),
        ("twice", "", r"catchments.csv, row 5: column 'catchment' names catchment '574' again"),
        ("percent", 'area = "km2"', "row 10: column 'granite' holds 50, .* Divide per cent by 100"),
        ("sum", 'area = "km2"', "row 12: the shares of granite, schist add up to 1.5"),
        ("text", 'area = "km2"', "row 4: column 'schist' holds 'some', which is no number"),
        ("area", 'area = "km2"', "catchments.csv, row 8: column 'km2' holds 0, and an area is above"),
        ("column", 'area = "km2"', "samples.csv has no column 'catchment' of catchments"),
        ("", 'area = "km"', "catchments.csv has no column 'km', as area .* asks.* mean 'km2'"),
        ("", 'rocks = ["granit"]', "no column 'granit', as rocks .* asks.* mean 'granite'"),
        ("", "", "column 'km2' holds 2, which is no share .* rocks under"),
        ("", 'area = "polygons"', "measures polygons, and catchments.csv is a table"),
        ("", "min_catchments = 0", "min_catchments must be 1 or more"),
        ("", 'table = "a.gpkg"', "a.gpkg holds polygons of catchments, and their rocks need"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_catchments_is_told_with_file_column_and_row(
    tmp_path, case, more, message
):
    path = write(tmp_path, *change(*survey(), case), more=more)
    if more.startswith("table"):
        text = path.read_text(encoding="utf-8").replace('table = "catchments.csv"\n', "")
        path.write_text(text, encoding="utf-8")
    problems = check_study(path)
    assert len(problems) == 1 + ("a.gpkg" in more)  # which is not there, besides
    assert any(re.search(message, told) for told in problems), problems


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('level_by = "catchment"', "", r"\[catchments\] is there for level_by"),
        ('[catchments]\ntable = "catchments.csv"\n', "", r"needs a section \[catchments\]"),
    ],
)
def test_levelling_and_its_section_go_together(tmp_path, old, new, message):
    path = write(tmp_path, *survey())
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    (told,) = check_study(path)
    assert re.search(message, told), told


@pytest.mark.parametrize("by", ["lithology", "catchment", "sheet"])
def test_maps_alone_have_no_samples_to_level(tmp_path, by):
    path = tmp_path / "study.toml"
    path.write_text(
        'study = "region"\n[rasters]\nfiles = ["Cu.tif"]\n[occurrences]\ntable = "known.csv"\n'
        f'[elements]\nlevel_by = "{by}"\n',
        encoding="utf-8",
    )
    for name in ("Cu.tif", "known.csv"):
        (tmp_path / name).write_text("", encoding="utf-8")
    assert any("this study has maps alone" in told for told in check_study(path))


CRS = "EPSG:32650"


def write_squares(folder, samples, name="catchments.gpkg"):
    """Write the cell of each sample as its catchment, one of them in two parts."""
    gpd = pytest.importorskip("geopandas")
    from shapely.geometry import box

    squares = [box(e - 500, n - 500, e + 500, n + 500)
               for e, n in samples[["easting", "northing"]].to_numpy()]  # fmt: skip
    ids = samples["catchment"].to_list()
    first = squares[0].bounds
    squares[0] = box(first[0], first[1], first[0] + 400, first[3])
    squares.append(box(first[0] + 400, *first[1:]))
    ids.append(ids[0])
    gpd.GeoDataFrame({"catchment": ids}, geometry=squares, crs=CRS).to_file(folder / name)


def write_rocks(folder):
    """Write a geological map: granite west of 8.5 km, schist to 16 km, nothing beyond."""
    gpd = pytest.importorskip("geopandas")
    from shapely.geometry import box

    gpd.GeoDataFrame(
        {"rock": ["granite", "schist"]},
        geometry=[box(0, 0, 8500, 24000), box(8500, 0, 16000, 24000)], crs=CRS,
    ).to_file(folder / "rocks.gpkg")  # fmt: skip


def test_polygons_and_a_geological_map_make_the_same_table(tmp_path):
    samples = survey()[0]
    write_rocks(tmp_path)
    write_squares(tmp_path, samples)
    km = samples["easting"].to_numpy() / 1000
    shares = pd.DataFrame(
        {"catchment": samples["catchment"], "km2": 1.0,
         "granite": np.select([km < 8, km < 9], [1.0, 0.5], 0.0),
         "schist": np.select([km < 8, km < 9, km < 16], [0.0, 0.5, 1.0], 0.0)}
    )  # fmt: skip
    path = write(tmp_path, samples, shares, 'area = "km2"')
    text = path.read_text(encoding="utf-8").replace(
        '[samples]\n', f'[samples]\ncrs = "{CRS}"\n'
    ).replace('[occurrences]\n', f'[occurrences]\ncrs = "{CRS}"\n')  # fmt: skip
    path.write_text(text, encoding="utf-8")
    by_table = read(path)
    text = text.replace("catchments.csv", "catchments.gpkg").replace('"km2"', '"polygons"')
    path.write_text(text + '[lithology]\ntable = "rocks.gpkg"\ncolumn = "rock"\n', encoding="utf-8")
    by_polygons = read(path)
    np.testing.assert_allclose(cells(by_polygons), cells(by_table), rtol=1e-6)
    assert "median area, 1 (" in " ".join(by_polygons.notes)


def test_shares_of_rocks_are_cut_from_polygons_or_counted_in_cells(tmp_path):
    gpd = pytest.importorskip("geopandas")
    from shapely.geometry import box

    write_rocks(tmp_path)
    shapes = gpd.GeoDataFrame(
        index=["a", "b", "c", "d"],
        geometry=[box(8000, 0, 10000, 1000), box(15000, 0, 19000, 2000), box(20000, 0, 21000, 500),
                  box(3100, 3100, 3200, 3200)], crs=CRS,
    )  # fmt: skip
    cut = rock_shares(tmp_path / "rocks.gpkg", {"column": "rock", "crs": None}, shapes, CRS)
    assert cut.loc["a"].to_dict() == pytest.approx({"granite": 0.25, "schist": 0.75})
    assert cut.loc["b"].to_dict() == pytest.approx({"granite": 0.0, "schist": 0.25})  # unmapped
    assert cut.loc["c"].sum() == 0.0
    assert cut.loc["d", "granite"] == pytest.approx(1.0)

    east, north = (axis.ravel() for axis in np.meshgrid(np.arange(250, 24000, 500.0),
                                                        np.arange(250, 24000, 500.0)))  # fmt: skip
    rock = np.select([east < 8500, east < 16000], ["granite", "schist"], "")
    table = pd.DataFrame({"easting": east, "northing": north, "rock": rock})
    table.to_csv(tmp_path / "rocks.csv", index=False)
    told = {"column": "rock", "crs": CRS}
    counted = rock_shares(tmp_path / "rocks.csv", told, shapes, CRS)
    pd.testing.assert_frame_equal(counted, cut, check_exact=False, atol=1e-9)  # "d" lies between
    far = shapes.set_geometry(shapes.translate(1e6))
    with pytest.raises(ValueError, match="no rock lies in a catchment"):
        rock_shares(tmp_path / "rocks.gpkg", {"column": "rock", "crs": None}, far, CRS)
