import numpy as np
import pytest
from numpy.testing import assert_allclose

from gossan.geostat._random_fields import field_at_points
from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.variogram_maps import variogram_map

SQUARE = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def test_each_pair_stands_on_both_sides_of_the_centre():
    found = variogram_map(SQUARE, [0.0, 2.0, 4.0], n_cells=1, max_distance=10.0)
    assert found.axes == ("easting", "northing")
    # rows run from south to north, columns from west to east
    assert found.n_pairs.tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert found.semivariance[1, 2] == pytest.approx(2.0)
    assert found.semivariance[2, 1] == pytest.approx(8.0)
    assert found.semivariance[2, 0] == pytest.approx(2.0)
    assert np.isnan(found.semivariance[1, 1])


def test_it_is_symmetric_about_its_centre():
    rng = np.random.default_rng(0)
    found = variogram_map(rng.uniform(0, 50, (200, 2)), rng.normal(size=200))
    assert_allclose(found.semivariance, found.semivariance[::-1, ::-1])
    assert_allclose(found.offsets, -found.offsets[::-1])


@pytest.mark.parametrize("azimuth", [20.0, 110.0])
def test_it_finds_a_planted_direction(azimuth):
    rng = np.random.default_rng(2)
    coords = rng.uniform(0, 1000, (1500, 2))
    model = VariogramModel(0.0, (Structure("spherical", 1.0, (180.0, 50.0), (azimuth, 0, 0)),))
    values = field_at_points(coords, model, rng, n_waves=500)
    found = variogram_map(coords, values, max_distance=200.0).major_azimuth()
    assert abs((found - azimuth + 90) % 180 - 90) < 15


@pytest.mark.parametrize(("plane", "axis"), [("east", 0), ("north", 1)])
def test_vertical_planes_have_elevation_upwards(plane, axis):
    points = np.zeros((2, 3))
    points[1, axis], points[1, 2] = 10.0, 10.0
    found = variogram_map(points, [0.0, 2.0], plane=plane, n_cells=1, max_distance=10.0)
    assert found.n_pairs.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
    across = variogram_map(
        points, [0.0, 2.0], plane={"east": "north", "north": "east"}[plane], max_distance=10.0
    )
    assert across.n_pairs.sum() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"plane": "easst"}, "Did you mean 'east'"),
        ({"plane": "east"}, "needs elevations"),
        ({"n_cells": 0}, "n_cells must be 1"),
        ({"max_distance": 0}, "max_distance must be positive"),
    ],
)
def test_options_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        variogram_map(SQUARE, [0.0, 2.0, 4.0], **arguments)
