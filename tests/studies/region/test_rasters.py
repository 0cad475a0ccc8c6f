"""Rasters as users have them: the answer among the layers, prefixes, other cells, odd marks."""

import re

import numpy as np
import pandas as pd
import pytest

from gossan.cli import main
from gossan.data.grids.files import read_grid, write_grid
from gossan.data.grids.grid import add_layer, cell_centres, make_grid
from gossan.studies.region.layers import find_rasters, read_layers, refuse_labels
from gossan.studies.region.look import look_at
from gossan.studies.region.samples import _put_in
from gossan.study import check_study

pytest.importorskip("rasterio")

TOLD = {"files": ["Idw_*.tif", "granite.tif"], "elements": None, "resample": "mean", "nodata": None}
RNG = np.random.default_rng(0)


@pytest.fixture
def rasters(tmp_path):
    """Three elements on 40 x 40 cells of 2 km, granite on cells of 1 km, and a raster of deposits."""
    coarse = make_grid((0, 80_000, 0, 80_000), 2000, crs="EPSG:32650")
    for name in ("Li", "Sn", "W"):
        layer = RNG.lognormal(3.0, size=1600)
        write_grid(add_layer(coarse, f"Idw_{name}", layer), tmp_path / f"Idw_{name}.tif")
    fine = make_grid((0, 80_000, 0, 80_000), 1000, crs="EPSG:32650")
    write_grid(add_layer(fine, "granite", RNG.random(6400)), tmp_path / "granite.tif")
    marks = np.zeros(1600)
    marks[RNG.choice(1600, 20, replace=False)] = 1
    write_grid(add_layer(coarse, "deposits", marks), tmp_path / "deposits.tif")
    write_grid(add_layer(coarse, "none_here", 1 - marks), tmp_path / "none_here.tif")
    east = cell_centres(coarse)[:, 0]
    bend = RNG.normal(0, 0.01, size=1600)
    write_grid(add_layer(coarse, "Idw_xx", 110 + east / 1e5 + bend), tmp_path / "Idw_xx.tif")
    return tmp_path


def study_of(folder, files, more=""):
    path = folder / "study.toml"
    path.write_text(
        f'study = "region"\n[layers]\nfiles = {files}\nresample = "mean"\n'
        f'[occurrences]\ntable = "deposits.tif"\ncrs = "EPSG:32650"\n{more}',
        encoding="utf-8",
    )
    return path


def test_names_lose_what_the_files_of_their_own_pattern_begin_with(rasters):
    (rasters / "Idw_xx.tif").unlink()
    grid, elements, _, notes = read_layers(TOLD, rasters, None)
    assert list(grid.data_vars) == list(elements) == ["Li", "Sn", "W", "granite"]
    assert "Brought to this grid (mean, from cells of 1000 x 1000 m): granite." in notes
    assert grid["granite"].shape == (40, 40)


def test_files_named_one_by_one_count_as_one_pattern(rasters):
    told = TOLD | {"files": ["Idw_Li.tif", "Idw_Sn.tif", "Idw_W.tif"]}
    assert read_layers(told, rasters, None)[1] == ("Li", "Sn", "W")
    told["files"] = ["Idw_Li.tif", "Idw_Sn.tif"]  # two alike are no pattern
    assert read_layers(told, rasters, None)[1] == ("Idw_Li", "Idw_Sn")


def test_names_that_would_fall_together_are_left_whole(rasters):
    for name in ("Li", "Sn", "W"):
        same = read_grid(rasters / f"Idw_{name}.tif").rename({f"Idw_{name}": f"Xrf_{name}"})
        write_grid(same, rasters / f"Xrf_{name}.tif")
    found = find_rasters(["Idw_*.tif", "Xrf_*.tif"], rasters)
    assert [len(own) for own in found.values()] == [4, 3]
    names = read_layers(TOLD | {"files": ["Idw_*.tif", "Xrf_*.tif"]}, rasters, None)[1]
    assert len(set(names)) == 7


@pytest.mark.parametrize("word", ["Idw_*", "[A-Z]*", "Idw_Li"])
def test_elements_may_be_a_pattern_and_answer_to_the_names_of_their_files(rasters, word):
    (rasters / "Idw_xx.tif").unlink()
    _, elements, others, _ = read_layers(TOLD | {"elements": [word]}, rasters, None)
    assert elements == (("Li",) if word == "Idw_Li" else ("Li", "Sn", "W"))
    assert "granite" in others
    with pytest.raises(ValueError, match="elements names 'Cu_\\*', and the rasters hold Li, Sn, W"):
        read_layers(TOLD | {"elements": ["Cu_*"]}, rasters, None)


def test_a_layer_that_rises_evenly_across_the_map_is_told(rasters):
    notes = read_layers(TOLD, rasters, None)[3]
    told = [note for note in notes if "as coordinates do" in note]
    assert len(told) == 1
    assert told[0].startswith("xx: ")


def test_the_raster_of_occurrences_is_no_layer(rasters):
    settings = {
        "layers": {"files": ["*.tif"]},
        "occurrences": {"table": "deposits.tif"},
        "background": {"barren": ""},
    }
    with pytest.raises(ValueError, match=r"finds deposits.tif, which is \[occurrences\] table"):
        refuse_labels(settings, rasters)
    settings["occurrences"]["table"] = "elsewhere.csv"
    refuse_labels(settings, rasters)
    settings["background"]["barren"] = "none_here.tif"
    with pytest.raises(ValueError, match=r"which is \[background\] barren.*Idw_\*.tif"):
        refuse_labels(settings, rasters)
    (told,) = check_study(study_of(rasters, ["*.tif"]))
    assert "methods would read the answer off it" in told


def test_a_mark_of_barren_ground_that_fills_the_map_is_refused(rasters):
    path = study_of(rasters, ["Idw_*.tif"], '[background]\nbarren = "none_here.tif"\n')
    (told,) = check_study(path)
    assert re.search("none_here.tif: 1,580 of 1,600 cells hold 1, which is most of", told)


def test_a_pathfinder_by_the_name_of_its_file_is_told_the_layer(rasters):
    path = study_of(rasters, ["Idw_*.tif"], '[elements]\npathfinders = ["Idw_Li"]\n')
    (told,) = check_study(path)
    assert "Did you mean 'Li'? Name those that are there." in told


def test_check_tells_cells_and_area_in_plain_numbers_and_the_barren_ground(rasters):
    from gossan.studies.looking import Look
    from gossan.study import read_study

    table = pd.DataFrame({"easting": np.arange(1000.0, 79_000, 2000), "northing": 41_000.0})
    table.to_csv(rasters / "drilled.csv", index=False)
    path = study_of(rasters, ["Idw_*.tif"], '[background]\nbarren = "drilled.csv"\n')
    look = Look()
    look_at(read_study(path), look, set())
    assert "grid of 40 x 40 cells of 2,000 m, 1,600 supported (6,400 km²)" in look.found
    assert any(re.match(r"barren ground: 3\d cells, alone the background", f) for f in look.found)
    assert 15 < look.seconds < 300


def test_elements_filled_with_one_low_value_are_told():
    values = pd.DataFrame({"Ag": [0.17] * 7 + [2.0, 3.0, 4.0], "Cu": np.arange(1.0, 11.0),
                           "As": [9.0] * 6 + [1.0, 2.0, 3.0, 4.0]})  # fmt: skip
    none = values > 1e9
    (told,) = _put_in(values, none)
    assert told.startswith("One low value fills most samples of Ag (70%): ")  # 9 is no low value
    assert _put_in(values, values == 0.17) == []  # known as below detection: nothing to suspect


def test_layers_are_blank_off_the_supported_cells_and_score_as_the_map(finished, tmp_path):
    run = finished / "runs" / "study"
    layers, map_ = read_grid(run / "layers.tif"), read_grid(run / "prospectivity.tif")
    blank = np.isnan(layers["Cu"].to_numpy())
    assert np.isnan(map_["score"].to_numpy()[blank]).all()
    words = ["score", run / "model", run / "layers.tif", "--out", tmp_path / "again.tif"]
    assert main([*map(str, words)]) == 0
    again = read_grid(tmp_path / "again.tif")["score"].to_numpy()
    told = map_["score"].to_numpy()
    both = np.isfinite(told)
    np.testing.assert_allclose(again[both], told[both], atol=1e-6)
