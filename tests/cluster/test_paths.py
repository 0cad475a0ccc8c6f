"""The heavy paths on a cluster: as here to the bit, also when a worker is killed midway."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from slow_jobs import Killer, ManyAtOnce, NotedClassifier, NotedKriging, NotedMap

from gossan import on_cluster
from gossan.data.grids.grid import make_grid
from gossan.evidence import plane_surface, proximity
from gossan.geostat import gridding
from gossan.geostat.chunked import krige_grid
from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.gridding import grid_points
from gossan.geostat.kriging import Kriging
from gossan.models.baselines import make_baseline
from gossan.nets.dense import DenseClassifier
from gossan.prospectivity import MapModel, score_rasters
from gossan.studies.deposit import indicators
from gossan.studies.trials import Cells, Method, Plan, try_fakes, try_method
from gossan.validation import block_partitions, hold_out_blocks, rank_held_out
from gossan.validation.crossval import cross_validate

MODEL = VariogramModel(0.1, Structure("spherical", 0.9, 60.0))


class Midway:
    """On the cluster, with a process killed in the middle of a job: checked at the end."""

    def __init__(self, address, diary):
        self.cluster, self.diary, self.killer = on_cluster(address), diary, Killer(diary)

    def __enter__(self):
        self.killer.start()
        self.cluster.__enter__()

    def __exit__(self, *error):
        self.cluster.__exit__(*error)
        if error[0] is None:
            self.killer.join()
            begun, ended = self.diary.counts()
            assert begun[self.killer.victim] == ended[self.killer.victim] + 1
            assert len(begun) >= 3
            assert sum(ended.values()) > 3


def samples(n=80, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform([0, 100, -60], [110, 170, 0], (n, 3)), rng.normal(size=(n, 2))


# Kriging


def test_kriging(address, diary):
    kriging = Kriging(MODEL, n_neighbours=12).fit(*samples())
    grid = xr.Dataset(
        coords={"elevation": -50.0 + 5 * np.arange(4), "northing": 105.0 + 10 * np.arange(6),
                "easting": 5.0 + 10 * np.arange(9)}
    )  # fmt: skip
    how = {"block_cells": 20, "return_std": True}
    here = krige_grid(kriging, grid, **how)
    with Midway(address, diary):
        there = krige_grid(NotedKriging(kriging, diary), grid, **how)
    xr.testing.assert_identical(there, here)


# Evidence


def test_evidence_of_a_deposit(address, diary, monkeypatch):
    """Indicators kriged onto a cube, and distances to faults, each in blocks."""
    X, _ = samples(120, seed=1)
    rng = np.random.default_rng(2)
    composites = pd.DataFrame(X, columns=["easting", "northing", "elevation"])
    composites["hole"] = np.repeat([f"H{i}" for i in range(12)], 10)
    elements = ("Au", "As", "Sb", "Hg", "Cu", "Mo")
    for name in elements:
        composites[name] = np.exp(rng.normal(size=len(X)) + X[:, 0] / 50)
    grid = make_grid((0, 110, 100, 170), 10.0, elevations=(-60, 0))
    faults = [plane_surface((50, 130, -30), 90, 70, half_length=100, half_height=100)]
    monkeypatch.setattr(indicators, "BLOCK_CELLS", 40)
    monkeypatch.setattr(proximity, "PLACES_AT_ONCE", 60)
    told = {"elements": elements, "settings": indicators.Settings(), "faults": faults}
    here = indicators.make_cube(composites, grid, **told)
    kriging_of = indicators.kriging_of

    def noted(*arguments, **keywords):
        return NotedKriging(kriging_of(*arguments, **keywords), diary)

    monkeypatch.setattr(indicators, "kriging_of", noted)
    with Midway(address, diary):
        there = indicators.make_cube(composites, grid, **told)
    assert there.names == here.names
    xr.testing.assert_identical(there.grid, here.grid)


def test_distances_to_faults(address, monkeypatch):
    grid = make_grid((0, 110, 100, 170), 10.0, elevations=(-60, 0))
    faults = [
        plane_surface((50, 130, -30), azimuth, 70, half_length=100, half_height=100)
        for azimuth in (20, 140, 260)
    ]
    here = proximity.add_proximity(grid, faults, signed=True)
    monkeypatch.setattr(proximity, "PLACES_AT_ONCE", 40)
    with on_cluster(address):
        there = proximity.add_proximity(grid, faults, signed=True)
    xr.testing.assert_identical(there, here)


@pytest.mark.filterwarnings("ignore:The variogram")  # of noise
@pytest.mark.parametrize("method", ["kriging", "minimum_curvature"])
def test_elements_gridded(address, method, monkeypatch):
    monkeypatch.setattr(gridding, "BLOCK_CELLS", 20)
    coords, values = samples()
    values = np.column_stack([values, values[:, 0]])
    values[:5, 1] = np.nan
    grid = make_grid((0, 110, 100, 170), 10.0)
    here = grid_points(coords[:, :2], values, grid=grid, method=method)
    with on_cluster(address):
        there = grid_points(coords[:, :2], values, grid=grid, method=method)
    xr.testing.assert_identical(there.grid, here.grid)


# Dense scores


def test_dense_scores_of_rasters(address, diary, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    rng = np.random.default_rng(0)
    for name in ("Cu", "Li"):
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", driver="GTiff", width=50, height=40, count=1,
            dtype="float32", crs="EPSG:32650",
            transform=rasterio.Affine(100.0, 0, 5e5, 0, -100.0, 4e6),
        ) as file:  # fmt: skip
            file.write(rng.normal(size=(1, 40, 50)).astype(np.float32))
    files = [tmp_path / "Cu.tif", tmp_path / "Li.tif"]
    score_rasters(MapModel(NotedMap(), ["Cu", "Li"]), files, tmp_path / "here.tif", tile=12)
    noted = MapModel(NotedMap(diary), ["Cu", "Li"])
    with Midway(address, diary):
        score_rasters(noted, files, tmp_path / "there.tif", tile=12)
    bands = []
    for name in ("here.tif", "there.tif"):
        with rasterio.open(tmp_path / name) as file:
            bands.append(file.read())
    np.testing.assert_array_equal(*bands)
    assert np.isfinite(bands[0][0]).sum() > 1900


# Cross-validation


def table(n=120):
    rng = np.random.default_rng(0)
    X = np.exp(rng.normal(size=(n, 4)))
    y = np.where(np.log(X[:, 0]) + rng.normal(size=n) > 0, "VMS", "MVT")
    return X, y, np.repeat(np.arange(n // 10), 10)


def test_cross_validation_of_one_fit_at_a_time(address, diary):
    X, y, groups = table()
    how = {"groups": groups, "n_splits": 6, "seeds": (0, 1)}
    here = cross_validate(NotedClassifier(), X, y, **how)
    told = []
    with Midway(address, diary):
        there = cross_validate(
            NotedClassifier(diary), X, y, **how, keep_estimators=True,
            progress=lambda done, n: told.append((done, n)),
        )  # fmt: skip
    np.testing.assert_array_equal(there.by_seed, here.by_seed)
    assert not np.array_equal(here.by_seed[0], here.by_seed[1])
    assert told == [(i, 12) for i in range(1, 13)]
    assert [len(of_fold) for of_fold in there.estimators] == [2] * 6
    test = here.folds[3][1]
    np.testing.assert_array_equal(
        there.estimators[3][1].predict_proba(X[test]), here.by_seed[1, test]
    )


@pytest.mark.slow
def test_cross_validation_of_many_networks_at_once(address):
    X, y, groups = table()
    net = DenseClassifier(hidden=(8,), epochs=5, n_members=2)
    here = cross_validate(net, X, y, groups=groups, n_splits=4, seeds=(0, 1))
    with on_cluster(address):
        there = cross_validate(net, X, y, groups=groups, n_splits=4, seeds=(0, 1))
    np.testing.assert_array_equal(there.by_seed, here.by_seed)


def test_an_estimator_without_seeds_is_fitted_once_for_all_of_them(address):
    X, y, groups = table()
    how = {"groups": groups, "n_splits": 3, "seeds": (5, 6)}
    here = cross_validate(make_baseline("lda"), X, y, **how)
    with on_cluster(address):
        there = cross_validate(make_baseline("lda"), X, y, **how)
    np.testing.assert_array_equal(there.by_seed, here.by_seed)
    np.testing.assert_array_equal(there.by_seed[0], there.by_seed[1])


def test_what_fits_many_at_once_is_dealt_to_as_many_sets_as_workers(address, diary):
    X, y, groups = table()
    how = {"groups": groups, "n_splits": 4, "seeds": (0, 1)}
    here = cross_validate(ManyAtOnce(), X, y, **how)
    with on_cluster(address):
        there = cross_validate(ManyAtOnce(diary), X, y, **how)
    np.testing.assert_array_equal(there.by_seed, here.by_seed)
    told = Path(diary.path).read_text(encoding="utf-8").split()[::2]
    assert sorted(told) == ["call2", "call3", "call3"]


def cells(n_known=24, side=30):
    rng = np.random.default_rng(0)
    north, east = np.divmod(np.arange(side * side), side)
    y = np.zeros(side * side, dtype=np.int64)
    y[rng.choice(len(y), n_known, replace=False)] = 1
    windows = rng.normal(size=(len(y), 2, 1, 1)).astype(np.float32)
    windows[y == 1, 0] += 1.5
    free = np.flatnonzero(y == 0)
    patterns = np.array([rng.choice(free, n_known, replace=False) for _ in range(3)])
    coords = 1000.0 * np.column_stack([east, north])
    places = np.column_stack([north, east])
    return Cells(windows, y, coords, places, np.ones(len(y), dtype=bool), patterns)


def test_trials_and_fake_patterns_of_the_studies(address):
    plan = Plan(n_splits=3, n_repeats=3, block_size=6000.0, dead_zone=1000.0, seeds=(0, 1))
    found = cells()
    method = Method(NotedClassifier(), "model")
    here = try_method(method, found, plan), try_fakes(method, found, plan)
    with on_cluster(address):
        there = try_method(method, found, plan), try_fakes(method, found, plan)
    for own, other in zip(here, there, strict=True):
        assert list(own) == list(other)
        for protocol, shares in own.items():
            np.testing.assert_array_equal(other[protocol], shares)


def test_ranks_and_few_labels(address):
    found = cells()
    folds = [
        (np.flatnonzero(found.coords[:, 0] // 1000 % 3 != i),
         np.flatnonzero(found.coords[:, 0] // 1000 % 3 == i))
        for i in range(3)
    ]  # fmt: skip
    X = np.ascontiguousarray(found.windows[:, :, 0, 0], dtype=float)
    parts = block_partitions(found.coords, found.y, size=6000.0, n_partitions=2, n_splits=3)

    def both(model):
        ranked = rank_held_out(model, X, found.y, folds=folds, seeds=(0, 1, 2))
        held = hold_out_blocks(model, X, found.y, parts, background=X[:50], seeds=(0, 1))
        return ranked.shares, ranked.fold, held.scores, held.background

    here = both(NotedClassifier())
    with on_cluster(address):
        there = both(NotedClassifier())
    for own, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(other, own)
