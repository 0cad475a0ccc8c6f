"""Targets are connected, ranked, measured in metres, and say why; collars lead holes into them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from gossan.data.grids.grid import add_layer, make_grid
from gossan.prospectivity import find_targets, suggest_collars

GRID = make_grid((0, 100, 0, 80), (5, 10, 10), elevations=(0, 40))  # 8 x 8 x 10 cells


def scored(**layers):
    grid = GRID
    for name, values in layers.items():
        grid = add_layer(grid, name, values)
    return grid


def two_bodies():
    score = np.zeros((8, 8, 10))
    score[1:3, 1:3, 1:3] = 0.7
    score[5, 5, 5:9] = 0.9
    return score


def test_bodies_are_measured_in_metres_and_ranked_by_score():
    found = find_targets(scored(score=two_bodies()), medium=0.5, high=0.8)
    table = found.table
    assert list(table["target"]) == [1, 2]
    assert list(table["level"]) == ["high", "medium"]
    assert list(table["n_cells"]) == [4, 8]
    assert list(table["volume"]) == [2000.0, 4000.0]
    first = table.iloc[0]
    assert (first["west"], first["east"]) == (50, 90)
    assert (first["south"], first["north"]) == (50, 60)
    assert (first["bottom"], first["top"]) == (25, 30)
    assert_allclose(first[["easting", "northing", "elevation"]].astype(float), [70, 55, 27.5])
    assert str(found) == "2 targets, 1 of them high (score 0.8 or more)"


def test_the_sum_puts_a_large_fair_body_first():
    score = two_bodies()
    assert (
        find_targets(scored(score=score), medium=0.5, high=0.8, rank_by="sum").table["n_cells"][0]
        == 4
    )
    score[1:5, 1:5, 1:3] = 0.7
    ranked = find_targets(scored(score=score), medium=0.5, high=0.8, rank_by="sum").table
    assert ranked["n_cells"][0] == 32


def test_corners_join_cells_and_missing_ones_part_them():
    score = np.zeros((8, 8, 10))
    score[1, 1, 1] = score[2, 2, 2] = 1.0
    assert len(find_targets(scored(score=score), medium=0.5, high=0.9)) == 1
    score = np.zeros((8, 8, 10))
    score[1, 1, 1:6] = 1.0
    score[1, 1, 3] = np.nan
    assert len(find_targets(scored(score=score), medium=0.5, high=0.9)) == 2


def test_the_layer_of_numbers_marks_the_cells_of_each_target():
    score = two_bodies()
    found = find_targets(scored(score=score), medium=0.5, high=0.8)
    assert_allclose(
        found.grid["target"].to_numpy(), np.where(score == 0.9, 1, np.where(score == 0.7, 2, 0))
    )
    assert found.cells(2).sum() == 8


def test_small_bodies_are_left_out_and_counted():
    found = find_targets(scored(score=two_bodies()), medium=0.5, high=0.8, least=3000.0)
    assert list(found.table["n_cells"]) == [8]
    assert found.n_small == 1
    assert (found.grid["target"].to_numpy() > 0).sum() == 8


def test_default_thresholds_are_shares_of_the_scored_cells():
    score = np.arange(640.0).reshape(8, 8, 10)
    found = find_targets(scored(score=score), shares=(0.1, 0.01))
    assert found.table["n_cells"].sum() == 64
    assert (score >= found.high).sum() == 7


def test_spread_agreement_samples_and_reasons_are_told():
    score = two_bodies()
    evidence = np.zeros((8, 8, 10))
    evidence[5, 5, 5:9] = 5.0
    fault = np.full((8, 8, 10), 90.0)
    fault[1:3, 1:3, 1:3] = 1.0
    grid = scored(
        score=score, sd=np.full((8, 8, 10), 0.2), other=evidence, Au=evidence, fault=fault
    )
    found = find_targets(
        grid, medium=0.5, high=0.8, spread="sd", others=["other"], reasons={"Au": 1, "fault": -1},
        samples=[[15.0, 15.0, 10.0]], reach=30.0,
    ).table  # fmt: skip
    assert_allclose(found["spread"], 0.2)
    assert list(found["agreement"]) == [1.0, 0.0]
    assert found["sample_distance"][0] > 50 > found["sample_distance"][1]
    assert list(found["is_extrapolated"]) == [True, False]
    assert found["why"][0].startswith("Au above")
    assert found["why"][1].startswith("fault below")


def test_maps_have_areas():
    grid = add_layer(make_grid((0, 30, 0, 20), 10), "score", [[0, 1, 1], [0, 0, 0]])
    row = find_targets(grid, medium=0.5, high=0.9).table.iloc[0]
    assert row["area"] == 200.0
    assert "elevation" not in row


def test_no_target_is_an_answer():
    found = find_targets(scored(score=two_bodies()), medium=2.0, high=3.0)
    assert len(found) == 0
    assert "No target" in str(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"medium": 0.9, "high": 0.5}, "must not exceed high"),
        ({"shares": (0.01, 0.05)}, "shares must be"),
        ({"rank_by": "luck"}, "rank_by must be one of"),
        ({"spread": "sd"}, "no layer 'sd'"),
        ({"samples": [[0.0, 1.0]]}, r"samples must have shape \(n, 3\)"),
    ],
)
def test_faults_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        find_targets(scored(score=two_bodies()), **options)


def test_a_grid_without_scores_is_refused():
    with pytest.raises(ValueError, match="No cell of 'score' has a score"):
        find_targets(scored(score=np.full((8, 8, 10), np.nan)))


def test_holes_start_on_the_ground_and_cross_the_middle():
    found = find_targets(scored(score=two_bodies()), medium=0.5, high=0.8)
    ground = make_grid((-200, 300, -200, 300), 10)
    east = ground["easting"].to_numpy()
    ground = add_layer(ground, "elevation", np.tile(100 + 0.2 * east, (50, 1)))
    holes = suggest_collars(found, ground, dip=-60.0)
    for hole, target in zip(holes.itertuples(), found.table.itertuples(), strict=True):
        assert hole.elevation == pytest.approx(100 + 0.2 * hole.easting, abs=0.5)
        a, d = np.deg2rad([hole.azimuth, hole.dip])
        way = np.array([np.sin(a) * np.cos(d), np.cos(a) * np.cos(d), np.sin(d)])
        start = np.array([hole.easting, hole.northing, hole.elevation])
        middle = np.array([target.easting, target.northing, target.elevation])
        along = (middle - start) @ way
        assert np.linalg.norm(start + along * way - middle) < 0.5
        assert hole.length > along


def test_the_hole_goes_across_the_longer_side():
    found = find_targets(scored(score=two_bodies()), medium=0.8, high=0.8)
    hole = suggest_collars(found, 200.0).iloc[0]
    assert hole["azimuth"] in (0.0, 180.0)  # the body runs east


def test_targets_above_the_ground_get_no_hole():
    found = find_targets(scored(score=two_bodies()), medium=0.5, high=0.8)
    assert suggest_collars(found, 5.0)["length"].isna().all()


def test_collars_need_depth_and_a_dip():
    flat = add_layer(make_grid((0, 30, 0, 20), 10), "score", np.ones((2, 3)))
    with pytest.raises(ValueError, match="no depth"):
        suggest_collars(find_targets(flat, medium=0.5, high=0.9), 0.0)
    found = find_targets(scored(score=two_bodies()), medium=0.5, high=0.8)
    with pytest.raises(ValueError, match="dip must lie"):
        suggest_collars(found, 0.0, dip=60.0)
    assert isinstance(suggest_collars(found, 100.0, most=1), pd.DataFrame)
