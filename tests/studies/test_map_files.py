"""Files of every study with a map: what is told where a file cannot be made, and names for people."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from gossan.data.grids.files import read_grid
from gossan.data.grids.grid import add_layer, make_grid
from gossan.studies import map_files
from gossan.studies.map_files import (
    LAYERS,
    evidence_layer,
    score_layers,
    summary_of_map_run,
    target_polygons,
    target_table,
    write_score_raster,
    write_targets,
)
from gossan.studies.run_folder import RunFolder


@pytest.fixture
def grid():
    """Three by three cells with a score and its percentile, in that order."""
    made = make_grid((0.0, 3000.0, 0.0, 3000.0), spacing=1000.0, crs="EPSG:32630")
    shape = (made.sizes["northing"], made.sizes["easting"])
    score = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    return add_layer(add_layer(made, "score", score), "percentile", 100 * score / score.max())


@pytest.fixture
def found():
    """Two targets, the first with a known occurrence."""
    table = gpd.GeoDataFrame(
        {"rank": [1, 2], "easting": [500.0, 2500.0], "northing": [500.0, 2500.0],
         "area": [1.0, 2.0], "percentile": [99.0, 95.5], "contains_known": [True, False],
         "elements": ["+fault_distance 0.31", "+Cu 0.10"]},
        geometry=[box(0, 0, 1000, 1000), box(2000, 2000, 3000, 3000)], crs="EPSG:32630",
    )  # fmt: skip
    table.attrs["threshold"] = 7.0
    return table


def test_the_style_colours_the_band_of_the_percentile(tmp_path, grid):
    assert write_score_raster(RunFolder(tmp_path), grid) == []
    assert list(read_grid(tmp_path / "prospectivity.tif").data_vars) == ["score", "percentile"]
    assert 'band="2"' in (tmp_path / "prospectivity.qml").read_text(encoding="utf-8")


def test_without_rasterio_the_map_is_a_table_and_the_reason_is_told(tmp_path, grid, monkeypatch):
    write_grid = map_files.write_grid

    def only_tables(own, path, **options):
        if path.suffix == ".tif":
            raise ImportError("rasterio is not installed")
        write_grid(own, path, **options)

    monkeypatch.setattr(map_files, "write_grid", only_tables)
    notes = write_score_raster(RunFolder(tmp_path), grid)
    assert notes == ["prospectivity.tif was not written: rasterio is not installed"]
    assert len(pd.read_csv(tmp_path / "prospectivity.csv")) == 9
    assert not (tmp_path / "prospectivity.qml").exists()


def test_targets_leave_no_file_of_an_earlier_run(tmp_path, found):
    folder = RunFolder(tmp_path)
    assert write_targets(folder, found) == []
    assert (tmp_path / "targets.gpkg").exists()
    assert write_targets(folder, found.head(0)) == [
        "There is no target, so that no targets.gpkg was written."
    ]
    assert not (tmp_path / "targets.gpkg").exists()


def test_the_table_of_targets_keeps_the_best_and_the_threshold(found):
    table = target_table(found, 1)
    assert table["target"].tolist() == [1]
    assert table["why"].tolist() == ["+fault_distance 0.31"]
    assert "geometry" not in table
    assert table.attrs["threshold"] == 7.0


def test_layers_have_names_for_people_in_the_order_of_the_notes(grid):
    layers = score_layers(grid, {"percentile": "Rank.", "spread": "Not there.", "score": "Score."})
    assert [layer.layer for layer in layers] == ["percentile", "score"]
    assert [layer.name for layer in layers] == ["Rank of the ground", "Score"]
    assert layers[0].limits == (0.0, 100.0)
    assert not [name for _, name, _ in LAYERS.values() if "_" in name]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("fault_distance", "Fault distance"), ("mag_RTP", "Mag RTP"), ("K", "K"), ("", "")],
)
def test_evidence_keeps_its_abbreviations(name, shown):
    assert evidence_layer(name).name == shown


def test_targets_are_told_as_new_or_known_ground(found):
    own = target_polygons(found)["Targets"]
    assert own.table["ground"].tolist() == ["known", "new"]
    assert own.table["why"].iloc[0] == "+fault distance 0.31"
    assert own.told["area"] == "Area [km²]"
    assert "spread" not in own.told
    assert target_polygons(found.head(0)) == {}


def test_the_summary_lines_up_its_columns(tmp_path, found):
    scores = pd.DataFrame(
        {"method": ["logistic"], "protocol": ["blocks"], "auc": [0.8], "auc_low": [0.7],
         "auc_high": [0.9], "captured_10": [7], "n": [20]}
    )  # fmt: skip
    scores.to_csv(tmp_path / "scores.csv", index=False)
    told = json.dumps({"why": "It is the best.", "sentence": "It found 7 of 20."})
    (tmp_path / "manifest.json").write_text(told, encoding="utf-8")
    lines = summary_of_map_run(tmp_path, known="deposit").splitlines()
    assert lines[0].index("AUC") == lines[1].index("0.800")
    assert lines[0].index("in the best") == lines[1].index("7 of 20")
    assert lines[2:] == ["", "It is the best.", "It found 7 of 20."]
    target_table(found, 2).to_csv(tmp_path / "targets.csv", index=False)
    lines = summary_of_map_run(tmp_path, known="deposit").splitlines()
    assert lines[6] == "2 targets, the first:"
    assert lines[7].endswith("1.0 km², percentile 99.0, holds a known deposit")
    assert lines[8].endswith("percentile 95.5")
