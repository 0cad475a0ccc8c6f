"""Occurrences as cells: duplicates merged, outsiders named, degrees refused, turned grids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan.data import cell_centres, make_grid, read_occurrences
from gossan.sampling import place_occurrences

GRID = make_grid((500_000, 500_300, 4_000_000, 4_000_200), 100, crs="EPSG:32650")
MESSY = [
    [500_050, 4_000_050],
    [500_010, 4_000_090],
    [500_250, 4_000_150],
    [np.nan, 4_000_050],
    [499_999, 4_000_050],
    [500_150, 4_000_150],
    [500_050, 4_000_050],
]


def test_messy_points_by_hand():
    mask = np.ones((2, 3), dtype=bool)
    mask[1, 1] = False
    placed = place_occurrences(GRID, MESSY, mask=mask)
    assert placed.cells.tolist() == [0, 5]
    assert placed.counts.tolist() == [3, 1]
    assert [rows.tolist() for rows in placed.members] == [[0, 1, 6], [2]]
    assert placed.outside.tolist() == [4]
    assert placed.masked.tolist() == [5]
    assert placed.unplaced.tolist() == [3]
    assert placed.layer.tolist() == [[True, False, False], [False, False, True]]
    told = str(placed)
    assert "4 occurrences in 2 cells. 1 cells hold 3 of them." in told
    assert "1 in cells that the mask leaves out (rows 5)" in told


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 9999), angle=st.floats(-180, 180))
def test_each_point_is_counted_once_and_lies_in_its_cell(seed, angle):
    grid = make_grid((0, 90, 0, 60), (10, 15), rotation=angle, origin=(40.0, 30.0))
    rng = np.random.default_rng(seed)
    points = rng.uniform(-30, 120, (40, 2))
    points[0] = [40.0, 30.0]  # on the grid, whatever the turn
    points[rng.random(40) < 0.1, 0] = np.nan
    points[0] = [40.0, 30.0]
    mask = rng.random((6, 6)) < 0.7
    placed = place_occurrences(grid, points, mask=mask)
    parts = [*placed.members, placed.outside, placed.masked, placed.unplaced]
    assert sorted(np.concatenate(parts).tolist()) == list(range(40))
    assert mask.ravel()[placed.cells].all()
    centres = cell_centres(grid)
    for cell, rows in zip(placed.cells, placed.members, strict=True):
        gaps = np.linalg.norm(points[rows] - centres[cell], axis=1)
        assert (gaps <= np.hypot(5, 7.5) + 1e-6).all()


def test_degrees_in_a_projected_grid_are_a_clear_error():
    with pytest.raises(ValueError, match=r"longitudes and latitudes \(first \(117.0, 36.1\)\)"):
        place_occurrences(GRID, [[117.0, 36.1], [117.1, 36.2]])
    small = make_grid((0, 100, 0, 100), 10)  # small numbers may be metres
    assert len(place_occurrences(small, [[17.0, 36.1]]).cells) == 1


def test_swapped_or_distant_points_are_a_clear_error():
    with pytest.raises(ValueError, match="None of 1 occurrences falls on the grid, which covers"):
        place_occurrences(GRID, [[4_000_050, 500_050]])


def test_geodataframes_must_be_in_the_crs_of_the_grid():
    pytest.importorskip("geopandas")
    table = {"X": [500_050.0, 500_250.0], "Y": [4_000_050.0, 4_000_150.0]}
    import pandas as pd

    frame = read_occurrences(pd.DataFrame(table), crs="EPSG:32650")
    assert place_occurrences(GRID, frame).cells.tolist() == [0, 5]
    with pytest.raises(ValueError, match="Reproject them"):
        place_occurrences(GRID, frame.to_crs("EPSG:32651"))
    lines = frame.set_geometry(frame.buffer(10))
    with pytest.raises(ValueError, match="must be points, got Polygon"):
        place_occurrences(GRID, lines)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((3, 2), dtype=bool), r"grid's shape \(2, 3\), got bool of \(3, 2\)"),
        (np.ones((2, 3)), "must be Boolean"),
    ],
)
def test_a_mask_that_does_not_fit_is_said(mask, message):
    with pytest.raises(ValueError, match=message):
        place_occurrences(GRID, MESSY, mask=mask)


def test_points_of_a_wrong_shape_are_said():
    with pytest.raises(ValueError, match=r"shape \(n, 2\), got \(3,\)"):
        place_occurrences(GRID, [1.0, 2.0, 3.0])
