"""Outlines are the borders of cells, in true places, and distances are from them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gossan.data.grids.grid import cell_centres, make_grid
from gossan.data.grids.outlines import distances_to, outline_cells

pytest.importorskip("geopandas")
GRID = make_grid((500_000, 500_300, 4_000_000, 4_000_200), 10, crs="EPSG:32650")


def areas():
    numbers = np.zeros((20, 30), dtype=int)
    numbers[2:6, 3:9] = 2
    numbers[3, 5] = 0  # a hole
    numbers[10, 10] = numbers[11, 11] = 1  # a corner in common
    return numbers


def test_areas_and_extents_are_those_of_the_cells():
    found = outline_cells(GRID, areas())
    assert found["number"].tolist() == [1, 2]
    assert_allclose(found.area, [200.0, 2300.0])
    assert tuple(found.geometry[1].bounds) == (500_030, 4_000_020, 500_090, 4_000_060)
    assert found.geometry.is_valid.all()
    assert found.crs.to_epsg() == 32650


@pytest.mark.parametrize("rotation", [0.0, 35.0])
def test_outlines_hold_the_centres_of_their_cells_and_no_others(rotation):
    shapely = pytest.importorskip("shapely")
    grid = make_grid((1000, 1300, 2000, 2200), 10, rotation=rotation)
    found = outline_cells(grid, areas())
    points = shapely.points(cell_centres(grid))
    for number, outline in zip(found["number"], found.geometry, strict=True):
        inside = shapely.contains(outline, points).reshape(20, 30)
        assert (inside == (areas() == number)).all()


def test_distances_by_hand():
    found = outline_cells(GRID, areas())
    # From the east border of the second area (500 090) and into it; the first begins at 500 100.
    points = [[500_093.0, 4_000_030.0]]
    assert_allclose(distances_to(found, points), [np.hypot(7.0, 70.0), 3.0])
    assert_allclose(distances_to(found, [*points, [500_035.0, 4_000_025.0]])[1], 0.0)
    assert np.isnan(distances_to(found, np.empty((0, 2)))).all()


def test_no_area_is_an_answer():
    assert len(outline_cells(GRID, np.zeros((20, 30), dtype=int))) == 0


@pytest.mark.parametrize("numbers", [np.zeros((3, 3), int), np.zeros((20, 30)), -areas()])
def test_what_are_no_numbers_of_cells_is_refused(numbers):
    with pytest.raises(ValueError, match="Numbers must be whole, not negative and one a cell"):
        outline_cells(GRID, numbers)
