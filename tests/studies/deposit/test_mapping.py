"""Scores become ranks, ranks become targets, and planned holes meet them."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gossan.data.grids.grid import add_layer, cell_centres, grid_shape, make_grid
from gossan.geostat.covariance import VariogramModel
from gossan.studies.deposit.indicators import ore_variogram, reach_of
from gossan.studies.deposit.mapping import (
    Scores,
    as_ranks,
    make_map,
    plan_holes,
    rank_targets,
    reason_words,
    sample_distance,
    score_rock,
)
from gossan.studies.deposit.outputs import planned_traces

numbers = st.floats(-1e6, 1e6, allow_nan=False, width=32)
EVERYWHERE = 1e6  # m: all rock is near samples, and targets are of one kind
MIDDLE = np.array([300.0, 250.0, 2800.0])


@pytest.fixture(scope="module")
def places(campaign):
    return cell_centres(campaign.grid)[campaign.rock_cells()]


@pytest.fixture(scope="module")
def scores(places):
    """Return a planted ball of high score, 60 m wide either way, and a method that agrees."""
    distance = np.linalg.norm(places - MIDDLE, axis=1)
    return Scores(
        np.stack([as_ranks(-distance), as_ranks(-distance)]),
        {"kriged ore": as_ranks(-distance), "maxent": as_ranks(distance)},
    )


@pytest.fixture(scope="module")
def found(campaign, scores):
    grid, _ = make_map(campaign, scores)
    return rank_targets(campaign, grid, scores, medium=0.99, high=0.998, reach=EVERYWHERE)


@given(st.lists(numbers | st.just(np.nan), min_size=1, max_size=40))
def test_ranks_keep_the_order_and_lie_in_between(values):
    scores = np.array(values)
    ranks = as_ranks(scores)
    known = np.isfinite(scores)
    assert_array_equal(np.isnan(ranks), ~known)
    if known.any():
        assert ((ranks[known] > 0) & (ranks[known] < 1)).all()
        assert_allclose(ranks[known].mean(), 0.5, atol=1e-6)
        order = np.argsort(scores[known], kind="stable")
        assert (np.diff(ranks[known][order]) >= 0).all()
        assert len(np.unique(ranks[known])) == len(np.unique(scores[known]))


@given(st.lists(numbers, min_size=2, max_size=40, unique=True))
def test_ranks_do_not_know_the_scale(values):
    scores = np.array(values)
    assert_array_equal(as_ranks(scores), as_ranks(np.cbrt(scores)))


def test_the_planted_body_is_the_one_target(found, campaign):
    assert len(found) == 1
    target = found.table.iloc[0]
    assert_allclose(target[["easting", "northing", "elevation"]].astype(float), MIDDLE, atol=30.0)
    n_rock = len(campaign.rock_cells())
    assert target["n_cells"] == pytest.approx(
        0.01 * n_rock, abs=6
    )  # rings of one distance are tied
    assert target["level"] == "high"
    assert target["agreement"] == 0.5
    assert target["spread"] == 0.0
    assert "target" in found.grid
    assert not [name for name in found.grid if name.startswith("by ")]


def test_the_map_is_empty_above_the_ground_and_tells_what_it_rests_on(found, campaign):
    rock = campaign.grid["rock"].to_numpy()
    layers = ("score", "spread", "ore_grade", "near", "front_tail", "factor", "fault_distance",
              "sample_distance", "is_extrapolated")  # fmt: skip
    for name in layers:
        assert_array_equal(np.isfinite(found.grid[name].to_numpy()), rock, err_msg=name)
    assert (found.grid["target"].to_numpy()[~rock] == 0).all()
    grades = found.grid["ore_grade"].to_numpy()[rock]
    own = campaign.composites["Au"]
    assert own.min() / 2 <= grades.min() <= own.median() <= grades.max() <= own.max() * 2


def test_kriged_grades_of_the_map_are_in_the_unit_of_the_table(campaign, found):
    """A block about a rich composite is rich, one about a poor composite poor."""
    coords = campaign.composites[["easting", "northing", "elevation"]]
    told = found.grid["ore_grade"].sel(
        {axis: xr.DataArray(coords[axis].to_numpy()) for axis in coords}, method="nearest"
    )
    logs = np.log(campaign.composites["Au"])
    known = np.isfinite(told.to_numpy())
    assert np.corrcoef(np.log(told.to_numpy()[known]), logs[known])[0, 1] > 0.7


def test_extrapolated_is_what_lies_beyond_the_reach(campaign, scores, found):
    rock = campaign.grid["rock"].to_numpy()
    distance = sample_distance(campaign)
    assert_allclose(found.grid["sample_distance"].to_numpy()[rock], distance, rtol=1e-5)
    grid, _ = make_map(campaign, scores, reach=70.0)
    assert_array_equal(grid["is_extrapolated"].to_numpy()[rock] == 1, distance > 70.0)


def test_a_variogram_without_structure_reaches_nowhere(campaign):
    assert reach_of(VariogramModel(1.0, [])) == 0.0
    model = ore_variogram(campaign.composites, "Au").model
    assert reach_of(model) == max(max(each.ranges[:2]) for each in model.structures)


def test_new_ground_and_extensions_take_turns(campaign):
    """Rock near samples scores higher throughout; the best of the rest is a target all the same."""
    distance = sample_distance(campaign)
    rng = np.random.default_rng(0)
    scores = Scores(as_ranks(-distance + rng.normal(0, 1e-3, len(distance)))[None], {})
    grid, _ = make_map(campaign, scores, reach=100.0)
    found = rank_targets(campaign, grid, scores, medium=0.9, high=0.95, new_ground=0.9, reach=100.0)
    assert found.table["kind"].tolist()[:2] == ["extension", "new ground"]
    assert found.table["target"].tolist() == list(range(1, len(found) + 1))
    away = found.grid["sample_distance"].to_numpy()
    for target, kind in zip(found.table["target"], found.table["kind"], strict=True):
        inside = found.cells(target)
        assert inside.sum() == found.table.loc[target - 1, "n_cells"]
        assert ((away[inside] > 100.0) == (kind == "new ground")).all()
    assert found.table["is_extrapolated"].tolist() == (found.table["kind"] == "new ground").tolist()


def test_where_all_rock_is_near_samples_there_is_no_new_ground(campaign, found):
    assert set(found.table["kind"]) == {"extension"}


def test_small_bodies_are_left_out(campaign, scores):
    grid, _ = make_map(campaign, scores)
    none = rank_targets(campaign, grid, scores, reach=EVERYWHERE, least=1e9)
    assert len(none) == 0
    assert none.n_small == 1
    assert (none.grid["target"] == 0).all()


def test_planned_holes_pass_through_their_targets(campaign, found):
    ground = add_layer(
        make_grid((-2000, 2600, -2000, 2500), 50), "elevation", np.full((90, 92), 3100.0)
    )
    collars = plan_holes(found, ground, dip=-60.0, most=5)
    assert collars["target"].tolist() == [1]
    line = planned_traces(collars)
    start, end = line[["easting", "northing", "elevation"]].to_numpy()
    assert start[2] == pytest.approx(3100.0, abs=0.1)
    way = (end - start) / np.linalg.norm(end - start)
    assert np.rad2deg(np.arcsin(way[2])) == pytest.approx(-60.0)
    inside = cell_centres(found.grid)[found.cells(1).ravel()]
    along = (inside - start) @ way
    off = np.linalg.norm(inside - start - along[:, None] * way, axis=1)
    assert off.min() < 30.0
    assert along.max() < np.linalg.norm(end - start)
    assert np.linalg.norm(np.cross(inside.mean(axis=0) - start, way)) < 1.0


def test_without_targets_no_hole_is_planned(campaign, scores):
    grid, _ = make_map(campaign, scores)
    none = rank_targets(campaign, grid, scores, least=1e9)
    assert plan_holes(none, grid, dip=-60.0, most=5) is None


def test_all_rock_is_scored_by_all_holes_and_once_a_seed(campaign):
    lines = []
    made = score_rock(
        campaign, "isolation forest", names=("kriged ore", "maxent", "distance to sample"),
        seeds=[0, 1], most_cells=100, progress=lines.append,
    )  # fmt: skip
    assert made.chosen.shape == (2, len(campaign.rock_cells()))
    assert not np.array_equal(*made.chosen)
    assert list(made.others) == ["kriged ore", "maxent"]
    assert lines == ["map: isolation forest, with 2 seeds; beside it kriged ore, maxent"]
    twice = score_rock(
        campaign, "isolation forest", names=("kriged ore", "maxent"), seeds=[0, 1], most_cells=100,
        n_jobs=2,
    )  # fmt: skip
    assert_array_equal(twice.chosen, made.chosen)
    assert_array_equal(twice.others["maxent"], made.others["maxent"])
    alone = score_rock(
        campaign, "kriged ore", names=(), seeds=[0, 1], most_cells=100
    )  # a method without chance has one run
    assert alone.chosen.shape[0] == 1
    assert_array_equal(alone.chosen[0], made.others["kriged ore"])


def test_ranks_of_kriged_ore_are_those_of_the_map(campaign):
    made = score_rock(campaign, "kriged ore", names=(), seeds=[0], most_cells=100)
    grid, _ = make_map(campaign, made)
    assert "spread" not in grid
    rock = campaign.grid["rock"].to_numpy()
    grades = grid["ore_grade"].to_numpy()[rock]
    order = np.argsort(grades, kind="stable")
    assert (np.diff(grid["score"].to_numpy()[rock][order]) > -1e-3).all()
    assert grid_shape(grid) == grid_shape(campaign.grid)


def test_reasons_are_in_words_and_only_of_layers_that_are_there(campaign, found):
    words = reason_words(campaign, found.grid)
    assert words["ore_grade"] == ("kriged Au", 1)
    assert words["factor"] == ("Sb-Hg factor", 1)
    assert words["fault_distance"][1] == -1
    assert list(reason_words(campaign, found.grid[["ore_grade"]])) == ["ore_grade"]
    few = replace(campaign, settings=replace(campaign.settings, ore="Cu"))
    assert reason_words(few, found.grid)["ore_grade"] == ("kriged Cu", 1)
