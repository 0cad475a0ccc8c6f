"""Rasters are scored as grids are, north up, in bounded memory, and a killed run goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from region_rasters import NorthMinusSouth, layers_of, placed, write_layers, write_raster
from sklearn.linear_model import LinearRegression

import gossan
from gossan._checks import GossanWarning
from gossan.data.grids.files import read_grid
from gossan.nets.window_cnn import WindowCNN
from gossan.prospectivity import MapModel, plan_rasters, score_grid, score_rasters
from gossan.saving import save_model

rasterio = pytest.importorskip("rasterio")

SOURCE = Path(gossan.__file__).parents[1]
NAMES = ["Cu", "Li"]


@pytest.fixture(scope="module")
def net():
    """Return a small network fitted on raw concentrations, within its preparation."""
    rng = np.random.default_rng(0)
    raw = 10 ** rng.normal(1.0, 0.3, size=(80, 2, 3, 3))
    made = {"transform": ["log10", "none"], "center": [1.0, 12.0], "scale": [0.3, 9.0]}
    blank = MapModel(NorthMinusSouth(3), NAMES, floor=0.1, **made)
    model = WindowCNN(n_members=2, epochs=2, random_state=0)
    fitted = model.fit(blank.prepare(raw), np.arange(80) % 2)
    return MapModel(fitted, NAMES, floor=0.1, cell_size=100.0, **made)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a raster each of Cu and Li."""
    write_layers(tmp_path, layers_of())
    return tmp_path


def files(folder):
    return [folder / f"{name}.tif" for name in NAMES]


def grid_of(paths):
    grid = read_grid(paths[0])
    for path in paths[1:]:
        grid = grid.merge(read_grid(path))
    return grid


@pytest.mark.parametrize("field", [1, 3, 7])
@pytest.mark.parametrize(("edges", "same"), [("nearest", "nearest"), ("nan", "nan")])
def test_tiles_of_a_raster_score_as_the_whole_grid_does(folder, field, edges, same):
    model = NorthMinusSouth(field)
    score_rasters(model, files(folder), folder / "out.tif", tile=17, edges=edges)
    found = read_grid(folder / "out.tif")
    whole = score_grid(model, grid_of(files(folder)), NAMES, spread="sd", edges=same)
    assert_array_equal(found["score"], whole["score"])
    assert_array_equal(found["spread"], whole["sd"])
    assert np.isfinite(found["score"]).sum() > 1000


def test_the_map_is_not_upside_down_nor_shifted_by_a_cell(tmp_path):
    volume = np.zeros((2, 40, 30), dtype=np.float32)
    volume[0, 31, 7] = 5.0  # far north, in the west
    write_layers(tmp_path, volume)
    out = score_rasters(NorthMinusSouth(3), files(tmp_path), tmp_path / "out.tif", tile=16).path
    with rasterio.open(out) as file:
        row, column = np.unravel_index(np.nanargmax(file.read(1)), file.shape)
        place = file.xy(row, column)
    # The anomaly is north of the cell that scores best.
    assert place == (500_000 + 7.5 * 100, 4_000_000 + 30.5 * 100)


def test_a_raster_that_runs_northwards_gives_the_same_places(folder, tmp_path):
    south_up = []
    for path in files(folder):
        with rasterio.open(path) as file:
            a, _, c, _, e, f = tuple(file.transform)[:6]
            turned = rasterio.Affine(a, 0, c, 0, -e, f + e * file.height)
            band = file.read()[:, ::-1]
        target = tmp_path / f"{path.stem}_n.tif"
        write_raster(target, band[:, ::-1], names=[path.stem], transform=turned)
        south_up.append(target)
    with rasterio.open(south_up[0], "r+") as file:
        assert file.transform.e > 0
    model = NorthMinusSouth(3)
    score_rasters(model, files(folder), folder / "a.tif", tile=20)
    score_rasters(model, south_up, folder / "b.tif", tile=20)
    assert_array_equal(read_grid(folder / "a.tif")["score"], read_grid(folder / "b.tif")["score"])


def test_the_percentile_is_the_share_of_scored_cells_below_ties_half(tmp_path):
    values = np.arange(30.0, dtype=np.float32).reshape(1, 5, 6)
    values[0, 0] = 0.0  # six cells alike
    values[0, 4, 5] = np.nan
    write_raster(tmp_path / "a.tif", values, names=["a"])

    itself = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])  # reads points: no score_map
    model = MapModel(itself, ["a"], clip=np.inf)
    score_rasters(model, [tmp_path / "a.tif"], tmp_path / "out.tif", tile=4)
    found = read_grid(tmp_path / "out.tif")["percentile"].to_numpy()
    assert_allclose(found[0], 100 * 3 / 29, rtol=1e-6)
    assert found[1, 0] == pytest.approx(100 * 6.5 / 29)
    assert found[4, 4] == pytest.approx(100 * 28.5 / 29)
    assert np.isnan(found[4, 5])


def test_the_file_is_what_a_gis_wants(folder, net):
    done = score_rasters(net, files(folder), folder / "out.tif", tile=32)
    with rasterio.open(done.path) as file:
        assert file.descriptions == ("score", "percentile", "spread", "edge_fraction")
        assert file.crs.to_epsg() == 32650
        assert np.isnan(file.nodata)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.tags()["GOSSAN_LAYERS"] == "Cu, Li"
        assert file.transform == rasterio.open(files(folder)[0]).transform
    assert done.n_scored == int(np.isfinite(read_grid(done.path)["score"]).sum())
    assert done.area == pytest.approx(done.n_scored * 0.01)
    assert f"{done.n_scored:,} of 4,800 cells scored" in str(done)
    assert sorted(p.name for p in folder.iterdir()) == ["Cu.tif", "Li.tif", "out.qml", "out.tif"]


def test_large_maps_have_overviews(tmp_path):
    write_layers(tmp_path, np.ones((2, 700, 1100), dtype=np.float32))
    score_rasters(NorthMinusSouth(1), files(tmp_path), tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as file:
        assert file.overviews(1)


def test_a_saved_model_scores_raw_rasters_without_the_training_data(folder, net):
    for path in files(folder):  # as concentrations
        with rasterio.open(path, "r+") as file:
            file.write(10 ** (1 + file.read()))
    saved = save_model(net, folder / "model", card={"about": "a test"})
    score_rasters(saved, files(folder), folder / "out.tif", tile=25)
    grid = grid_of(files(folder))
    expected = score_grid(net, grid, NAMES, spread="sd", edges="nan")
    found = read_grid(folder / "out.tif")
    whole = np.isfinite(expected["score"].to_numpy())
    assert_allclose(
        found["score"].to_numpy()[whole], expected["score"].to_numpy()[whole], atol=1e-6
    )
    assert_allclose(found["spread"].to_numpy()[whole], expected["sd"].to_numpy()[whole], atol=1e-6)
    assert whole.sum() > 2000
    windows = np.lib.stride_tricks.sliding_window_view(
        np.stack([grid[name].to_numpy() for name in NAMES]), (3, 3), axis=(1, 2)
    )[:, 29, 9]
    said = net.predict_proba(windows[None])[0, 1]
    assert found["score"].to_numpy()[30, 10] == pytest.approx(said, abs=1e-6)


def test_cells_that_a_model_does_not_know_are_told(folder, net):
    net_of_others = MapModel(net.estimator, NAMES, cell_size=4000.0)
    with pytest.warns(GossanWarning, match=r"Cells of 100 m are given to a model of 4000 m"):
        score_rasters(net_of_others, files(folder), folder / "out.tif")


# Which raster is which layer


def test_bands_are_found_by_their_names_whatever_the_case_and_order(tmp_path):
    volume = layers_of()
    write_layers(tmp_path, volume)
    write_raster(tmp_path / "both.tif", volume[::-1], names=["LI", "cu"])
    score_rasters(NorthMinusSouth(3), files(tmp_path), tmp_path / "a.tif")
    score_rasters(NorthMinusSouth(3), [tmp_path / "both.tif"], tmp_path / "b.tif")
    named = {"Li": tmp_path / "both.tif", "Cu": tmp_path / "Cu.tif"}
    score_rasters(NorthMinusSouth(3), named, tmp_path / "c.tif")
    first = read_grid(tmp_path / "a.tif")["score"]
    assert_array_equal(read_grid(tmp_path / "b.tif")["score"], first)
    assert_array_equal(read_grid(tmp_path / "c.tif")["score"], first)


def test_units_are_converted_where_both_are_known(folder):
    volume = layers_of()
    model = MapModel(NorthMinusSouth(3), NAMES, units="ppm")
    score_rasters(model, files(folder), folder / "a.tif")
    write_raster(folder / "Cu_ppb.tif", volume[:1] * 1000, names=["Cu"], units=["ppb"])
    score_rasters(model, [folder / "Cu_ppb.tif", folder / "Li.tif"], folder / "b.tif")
    one, other = (read_grid(folder / f"{name}.tif")["score"] for name in "ab")
    assert_allclose(one, other, atol=1e-6)
    write_raster(folder / "Cu_m.tif", volume[:1], names=["Cu"], units=["m"])
    with pytest.raises(
        ValueError, match=r"'Cu' is in 'm' in Cu_m.tif, the model reads it in 'ppm'"
    ):
        score_rasters(model, [folder / "Cu_m.tif", folder / "Li.tif"], folder / "c.tif")


def test_whole_numbers_nodata_and_undeclared_signs_for_nothing_are_missing(tmp_path):
    counts = np.full((1, 9, 9), 7, dtype=np.int16)
    counts[0, 4, 4] = -9999
    write_raster(tmp_path / "Cu.tif", counts, nodata=-9999)
    odd = np.ones((1, 9, 9), dtype=np.float32)
    odd[0, 0, 0] = -3.4e38
    write_raster(tmp_path / "Li.tif", odd, nodata=None)
    score_rasters(NorthMinusSouth(1), files(tmp_path), tmp_path / "out.tif")
    score = read_grid(tmp_path / "out.tif")["score"].to_numpy()
    assert np.isnan(score[[4, 0], [4, 0]]).all()
    assert np.isfinite(score).sum() == 79


def test_a_missing_layer_is_named_with_the_nearest(folder):
    model = NorthMinusSouth(3, names=["Cu", "Lithium"])
    write_raster(folder / "Litium.tif", layers_of()[:1])
    with pytest.raises(
        ValueError, match=r"No raster holds the layer 'Lithium'.*Did you mean 'Litium'"
    ):
        score_rasters(model, [folder / "Cu.tif", folder / "Litium.tif"], folder / "out.tif")


def test_a_layer_answers_to_the_end_of_the_name_of_its_file(folder):
    # As a study names it whose files all began with Idw_.
    (folder / "Li.tif").rename(folder / "Idw_Li.tif")
    words = [folder / "Cu.tif", folder / "Idw_Li.tif"]
    score_rasters(NorthMinusSouth(3), words, folder / "o.tif")
    (folder / "Xrf_Li.tif").write_bytes((folder / "Idw_Li.tif").read_bytes())
    with pytest.raises(ValueError, match=r"'Li' is there 2 times: Idw_Li.tif band 1, Xrf_Li.tif"):
        score_rasters(NorthMinusSouth(3), [*words, folder / "Xrf_Li.tif"], folder / "p.tif")


def test_a_layer_that_is_there_twice_is_refused(folder):
    write_raster(folder / "more.tif", layers_of(), names=["cu", "Sn"])
    with pytest.raises(ValueError, match=r"'Cu' is there 2 times: Cu.tif band 1, more.tif band 1"):
        score_rasters(NorthMinusSouth(3), [*files(folder), folder / "more.tif"], folder / "o.tif")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": (60, 81)}, "Li.tif lies on other cells than Cu.tif: 60 x 81 against 60 x 80"),
        ({"crs": "EPSG:32651"}, "CRS EPSG:32651 against EPSG:32650"),
        ({"cell": 50.0}, "cells of 50 x 50 m against 100 x 100 m"),
        ({"east": 30.0}, "corners 30 m apart"),
    ],
)
def test_rasters_on_other_cells_are_refused_with_what_differs(folder, change, message):
    cell = change.get("cell", 100.0)
    shift = 500_000 + change.get("east", 0.0)
    write_raster(
        folder / "Li.tif", layers_of(change.get("shape", (60, 80)))[:1],
        crs=change.get("crs", "EPSG:32650"),
        transform=placed(shift, 4_006_000, cell),
    )  # fmt: skip
    with pytest.raises(ValueError, match=message):
        score_rasters(NorthMinusSouth(3), files(folder), folder / "out.tif")


def test_degrees_and_no_place_are_refused(folder):
    degrees = placed(110.0, 30.0, 0.01)
    write_raster(folder / "Cu.tif", layers_of()[:1], crs="EPSG:4326", transform=degrees)
    with pytest.raises(ValueError, match=r"Cu.tif cannot be scored: it is in EPSG:4326.*degrees"):
        score_rasters(NorthMinusSouth(3), files(folder), folder / "out.tif")
    nowhere = rasterio.Affine.identity()
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        write_raster(folder / "Cu.tif", layers_of()[:1], crs=None, transform=nowhere)
    with pytest.raises(ValueError, match="no georeference"):
        score_rasters(NorthMinusSouth(3), files(folder), folder / "out.tif")


def test_paths_that_lead_nowhere_are_refused(folder):
    model = NorthMinusSouth(3)
    with pytest.raises(FileNotFoundError, match=r"no file .*Cus.tif.*Did you mean 'Cu.tif'"):
        score_rasters(model, [folder / "Cus.tif"], folder / "out.tif")
    with pytest.raises(ValueError, match=r"Let it end in .tif"):
        score_rasters(model, files(folder), folder / "out.png")
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        score_rasters(model, files(folder), folder / "none" / "out.tif")
    with pytest.raises(ValueError, match="No raster was named"):
        score_rasters(model, [], folder / "out.tif")
    (folder / "bad.tif").write_bytes(b"no raster")
    with pytest.raises(ValueError, match=r"bad.tif cannot be read as a raster"):
        score_rasters(model, [folder / "bad.tif"], folder / "out.tif")
    with pytest.raises(ValueError, match="does not name its layers"):
        score_rasters(object(), files(folder), folder / "out.tif")
    with pytest.raises(ValueError, match="at least 1, got 0"):
        score_rasters(model, files(folder), folder / "out.tif", tile=0)


# Size, and going on


def test_the_plan_tells_cells_tiles_memory_and_disk(folder):
    plan = plan_rasters(NorthMinusSouth(5), files(folder), tile=32)
    assert (plan.n_cells, plan.n_tiles, plan.field, plan.n_layers) == (4800, 6, 5, 2)
    assert plan.disk == 4800 * 48
    assert str(plan).startswith("4,800 cells of 2 layers in 6 tiles of 32 x 32 cells, field 5 x 5")


def test_too_little_memory_or_disk_is_told_before_work(folder, monkeypatch):
    monkeypatch.setattr("gossan._machine.memory_there", lambda: 1000.0)
    with pytest.raises(
        ValueError, match=r"of memory, this machine has 0\.0 GB free\. Take smaller"
    ):
        score_rasters(NorthMinusSouth(3), files(folder), folder / "out.tif")
    monkeypatch.undo()
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(ValueError, match=r"GB of disk in .*Write to another disk"):
        score_rasters(NorthMinusSouth(3), files(folder), folder / "out.tif")


def test_progress_ends_at_all_cells_and_threads_change_nothing(folder):
    seen = []
    model = NorthMinusSouth(3)
    score_rasters(
        model, files(folder), folder / "a.tif", tile=16, workers=3,
        progress=lambda *told: seen.append(told),
    )  # fmt: skip
    assert seen[0] == ("scoring", 0, 4800)
    for step in ("scoring", "ranking", "writing", "finishing"):
        done = [told[1] for told in seen if told[0] == step]
        assert done == sorted(done)
        assert done[-1] == 4800
    assert seen[-1] == ("finishing", 4800, 4800)
    score_rasters(model, files(folder), folder / "b.tif", tile=16)
    assert (folder / "a.tif").read_bytes() == (folder / "b.tif").read_bytes()


RUN = """
import sys
sys.path.insert(0, {tests!r})
from region_rasters import NorthMinusSouth
from gossan.prospectivity import score_rasters
slow, out = float(sys.argv[1]), sys.argv[2]
score_rasters(NorthMinusSouth(3, slow=slow), sys.argv[3:], out, tile=10)
"""


def run(slow, out, paths):
    script = RUN.format(tests=str(Path(__file__).parent))
    words = [sys.executable, "-c", script, str(slow), str(out), *map(str, paths)]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(SOURCE)})


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no kill -9")
def test_a_run_that_is_killed_goes_on_and_gives_the_same_file(folder, monkeypatch):
    out, tiles = folder / "out.tif", folder / ".out.tif.tiles"
    running = run(0.1, out, files(folder))
    for _ in range(600):
        if len(list(tiles.glob("*.npy"))) >= 5:
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    kept = {path.name: path.stat().st_mtime_ns for path in tiles.glob("*.npy")}
    assert 5 <= len(kept) < 48
    assert not out.exists()
    (tiles / "47.part").write_bytes(b"half a tile")
    scored, score_map = [], NorthMinusSouth.score_map

    def counting(self, *args, **more):
        scored.append(1)
        return score_map(self, *args, **more)

    monkeypatch.setattr(NorthMinusSouth, "score_map", counting)
    score_rasters(NorthMinusSouth(3, slow=0.1), files(folder), out, tile=10)
    assert 0 < len(scored) <= 48 - len(kept)
    assert not tiles.exists()
    whole = folder / "whole.tif"
    score_rasters(NorthMinusSouth(3, slow=0.1), files(folder), whole, tile=10)
    assert out.read_bytes() == whole.read_bytes()


def test_a_finished_file_is_not_made_again_unless_a_raster_changed(folder):
    model, out = NorthMinusSouth(3), folder / "out.tif"
    first = score_rasters(model, files(folder), out)
    before = out.stat().st_mtime_ns
    assert score_rasters(model, files(folder), out) == first
    assert out.stat().st_mtime_ns == before
    write_layers(folder, layers_of(seed=5))
    score_rasters(model, files(folder), out)
    assert out.stat().st_mtime_ns > before


def test_tiles_of_another_model_are_discarded_with_a_warning(folder):
    tiles = folder / ".out.tif.tiles"
    tiles.mkdir()
    (tiles / "job.json").write_text(json.dumps({"fingerprint": "of another"}))
    np.save(tiles / "0.npy", np.zeros((3, 60, 80), dtype=np.float32))
    with pytest.warns(GossanWarning, match=r"Unfinished tiles .* are of another model"):
        score_rasters(NorthMinusSouth(3), files(folder), folder / "out.tif")
    assert np.nanmax(read_grid(folder / "out.tif")["score"]) > 0


def test_an_old_file_stays_whole_when_writing_fails(folder, monkeypatch):
    out = folder / "out.tif"
    out.write_bytes(b"old")

    def full(*args, **more):
        raise OSError("No space left")

    monkeypatch.setattr("rasterio.shutil.copy", full)
    with pytest.raises(OSError, match="No space left"):
        score_rasters(NorthMinusSouth(3), files(folder), out)
    assert out.read_bytes() == b"old"


MEASURE = """
import resource, sys
sys.path.insert(0, {tests!r})
import numpy as np
from gossan.prospectivity import MapModel, score_rasters

class Mean:
    field_ = 3

    def score_map(self, volume, *, edges="nan", return_std=False):
        score = volume.mean(axis=0)
        return score, np.zeros_like(score)

model = MapModel(Mean(), ["a", "b", "c"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
score_rasters(model, [sys.argv[1]], sys.argv[2], tile=512)
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_raster(tmp_path):
    pytest.importorskip("resource")
    grown = []
    for side in (1000, 2400):
        path = tmp_path / f"{side}.tif"
        rng = np.random.default_rng(0)
        profile = {"tiled": True, "blockxsize": 512, "blockysize": 512, "interleave": "band"}
        layers = rng.normal(size=(3, side, side)).astype(np.float32)
        write_raster(path, layers, names="abc", **profile)
        del layers
        script = MEASURE.format(tests=str(Path(__file__).parent))
        words = [sys.executable, "-c", script, str(path), str(tmp_path / f"out{side}.tif")]
        env = {**os.environ, "PYTHONPATH": str(SOURCE)}
        done = subprocess.run(words, env=env, check=True, capture_output=True, text=True)
        before, after = map(int, done.stdout.split())
        grown.append((after - before) / 1024)
    # The large raster's layers are 69 MB and its bands 92. What may grow is GDAL's cache, set to
    # 128 MB, and the pages of the sorted scores (23 MB) that the system keeps while it has room.
    assert grown[1] < 350, grown
    assert grown[1] - grown[0] < 120, grown


# On a cluster


@pytest.fixture
def cluster():
    distributed = pytest.importorskip("dask.distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, protocol="tcp"
    ) as running:
        yield running


@pytest.mark.slow
def test_a_cluster_by_its_address_gives_the_same_file(cluster, folder, net):
    score_rasters(net, files(folder), folder / "a.tif", tile=16)
    score_rasters(
        net, files(folder), folder / "b.tif", tile=16, scheduler=cluster.scheduler_address
    )
    assert (folder / "a.tif").read_bytes() == (folder / "b.tif").read_bytes()


def test_without_dask_the_error_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with pytest.raises(ImportError, match=r'pip install "gossan\[large\]"'):
        score_rasters(
            NorthMinusSouth(3), files(folder), folder / "out.tif", scheduler="tcp://127.0.0.1:1"
        )
