"""Files for other programs hold what the study found: read back, they say the same."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gossan
import gossan.data
from gossan.data.grids.grid import add_layer, cell_centres
from gossan.studies.deposit import outputs
from gossan.studies.deposit.indicators import quietly
from gossan.studies.deposit.mapping import Scores, as_ranks, make_map, plan_holes, rank_targets
from gossan.studies.deposit.outputs import (
    BEST,
    PLANNED,
    SCENE,
    planned_traces,
    rich_limits,
    target_table,
    write_map,
    write_view,
)
from gossan.studies.run_folder import RunFolder


@pytest.fixture(scope="module")
def found(field):
    """Return targets of two planted bodies, with the holes planned through them."""
    campaign = field.campaign
    places = cell_centres(campaign.grid)[campaign.rock_cells()]
    high = [
        np.linalg.norm(places - middle, axis=1) for middle in ([200, 150, 2850], [420, 390, 2900])
    ]
    ranks = as_ranks(-np.min(high, axis=0))
    scores = Scores(np.stack([ranks, ranks]), {"kriged ore": ranks})
    grid, _ = make_map(campaign, scores)
    targets = rank_targets(campaign, grid, scores, medium=0.99, high=0.998, reach=1e6)
    collars = plan_holes(targets, field.ground, dip=-60.0, most=1)
    traces = quietly(field.composites.holes.traces, step=10.0).dropna()
    return targets, collars, traces


@pytest.fixture(scope="module")
def folder(field, found, tmp_path_factory):
    run = RunFolder(tmp_path_factory.mktemp("run"))
    assert write_map(run, field, *found) == []
    write_view(run, field, *found, title="A <small> field")
    return run.path


def test_every_format_is_there(folder):
    files = {file.name for file in folder.iterdir()}
    assert files == {
        "targets.csv", "planned_holes.csv", "blocks.csv", "blocks.csv.json", "blocks.vti",
        "blocks.omf", "score_levels.tif", "holes.vtp", "faults.vtp", SCENE,
    }  # fmt: skip


@pytest.mark.parametrize("file", ["blocks.vti", "blocks.omf"])
def test_block_models_are_read_back_as_they_were(folder, found, file):
    grid = found[0].grid
    again = gossan.read_grid(folder / file)
    assert set(again.data_vars) == set(grid.data_vars)
    for name in grid.data_vars:
        assert_allclose(again[name], grid[name], rtol=1e-6, err_msg=name)
    for axis in grid.dims:
        assert_allclose(again[axis], grid[axis])


def test_the_levels_hold_the_score(folder, found):
    again = gossan.read_grid(folder / "score_levels.tif")
    grid = found[0].grid
    layers = again["score"] if "score" in again else again.to_array().squeeze()
    assert_allclose(np.sort(np.ravel(layers)), np.sort(np.ravel(grid["score"])), rtol=1e-6)


def test_the_table_of_blocks_holds_the_best_tenth_under_short_names(folder, found):
    grid = found[0].grid
    table = pd.read_csv(folder / "blocks.csv")
    assert all(len(name) <= 24 and re.fullmatch(r"\w+", name) for name in table)
    assert {"XC", "YC", "ZC"} <= set(table)
    best = grid["score"].to_numpy() >= BEST
    assert len(table) == best.sum()
    assert table["score"].min() >= BEST
    places = cell_centres(grid)[best.ravel()]
    order = np.lexsort(places.T)
    own = table[["XC", "YC", "ZC"]].to_numpy()
    assert_allclose(own[np.lexsort(own.T)], places[order], atol=0.01)
    again = gossan.read_grid(folder / "blocks.csv", missing="nan")
    assert np.nansum(again["target"] > 0) == (grid["target"].to_numpy() > 0).sum()


def test_traces_and_faults_are_where_they_were(folder, found, field):
    lines = gossan.data.read_points(folder / "holes.vtp")
    traces = found[2]
    assert_allclose(
        lines[["easting", "northing", "elevation"]], traces[["easting", "northing", "elevation"]]
    )
    assert lines["hole"].tolist() == traces["hole"].tolist()
    faults = gossan.data.read_surfaces(folder / "faults.vtp")
    assert [fault.name for fault in faults] == [fault.name for fault in field.faults]
    for one, other in zip(faults, field.faults, strict=True):
        corners = [
            np.sort(each.vertices[each.triangles].reshape(-1, 3), axis=0) for each in (one, other)
        ]
        assert_allclose(*corners, atol=0.01)


def test_targets_are_told_with_the_hole_through_each(folder, found):
    targets, collars, _ = found
    table = pd.read_csv(folder / "targets.csv")
    assert table["target"].tolist() == [1, 2]
    assert table["hole_dip"].tolist()[0] == -60.0
    assert table.loc[0, "collar_easting"] == pytest.approx(collars.loc[0, "easting"])
    assert table["hole_length"].isna().tolist() == [False, True]  # one hole was asked for
    assert_allclose(table["easting"], targets.table["easting"])
    assert len(pd.read_csv(folder / "planned_holes.csv")) == 1


def test_the_view_is_a_page_of_its_own(folder):
    page = (folder / SCENE).read_text(encoding="utf-8")
    assert "A &lt;small&gt; field" in page
    assert "A <small> field" not in page
    assert "report.html" in page
    assert not re.search(r"(src|href)=[\"']https?://", page)


def test_without_targets_the_files_say_so_and_old_plans_are_gone(field, found, tmp_path):
    targets, collars, traces = found
    run = RunFolder(tmp_path)
    write_map(run, field, targets, collars, traces)
    bare = replace(field, faults=())
    none = replace(
        targets,
        table=targets.table.iloc[:0][["target", "level"]],
        grid=add_layer(targets.grid, "target", np.zeros_like(targets.grid["target"])),
    )
    write_map(run, bare, none, None, traces)
    write_view(run, bare, none, None, traces, title="None")
    table = pd.read_csv(tmp_path / "targets.csv")
    assert len(table) == 0
    assert {"easting", "bottom", "why"} <= set(table)
    assert not (tmp_path / "planned_holes.csv").exists()
    assert not (tmp_path / "faults.vtp").exists()


def test_a_format_that_needs_a_package_is_noted(field, found, tmp_path, monkeypatch):
    real = outputs.write_grid

    def lacking(grid, path, **options):
        if path.suffix == ".omf":
            raise ImportError("Writing OMF needs omf. Install it.")
        return real(grid, path, **options)

    monkeypatch.setattr(outputs, "write_grid", lacking)
    (note,) = write_map(RunFolder(tmp_path), field, *found)
    assert note == "blocks.omf was not written: Writing OMF needs omf. Install it."
    assert (tmp_path / "score_levels.tif").exists()


def test_a_planned_hole_ends_at_its_length():
    collars = pd.DataFrame(
        {
            "target": [1, 2], "easting": [0.0, np.nan], "northing": [0.0, np.nan],
            "elevation": [100.0, np.nan], "azimuth": [90.0, np.nan], "dip": [-60.0, -60.0],
            "length": [200.0, np.nan],
        }
    )  # fmt: skip
    line = planned_traces(collars)
    assert line["hole"].tolist() == ["planned 1", "planned 1"]
    assert_allclose(
        line.iloc[1][["easting", "northing", "elevation"]].astype(float),
        [100.0, 0.0, 100 - 200 * np.sin(np.pi / 3)],
        atol=1e-9,
    )


def test_a_table_without_planned_holes_is_that_of_the_targets(found):
    assert_array_equal(target_table(found[0], None)["target"], [1, 2])
    assert "collar_easting" not in target_table(found[0], None)


def test_planned_holes_and_rich_rock_are_told_apart_in_the_view(folder):
    page = (folder / "view3d.html").read_text(encoding="utf-8")
    assert page.count(PLANNED) == 1
    low, high = rich_limits(np.array([0.0, 2.0, 4.0, np.nan]))
    assert (low, high) == (2.0, 4.0)
    assert rich_limits(np.array([3.0, 3.0])) is None  # no grades to tell apart
