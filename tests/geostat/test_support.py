"""Where a map is more than extrapolation: hand-worked distances, gaps, and the reach of patterns."""

import numpy as np
import pytest

from gossan.data import cell_centres, make_grid
from gossan.geostat import sample_reach, support_mask


def test_distance_is_to_the_third_nearest_sample():
    grid = make_grid((0, 30, 0, 10), 10)
    coords = [[5.0, 5.0], [5.0, 9.0], [25.0, 5.0], [5.0, 105.0]]
    support = support_mask(coords, grid, k=3, reach=20.0)
    # From the centres (5, 5), (15, 5), (25, 5): third distances 20, sqrt(116), sqrt(416).
    np.testing.assert_allclose(
        support["support_distance"].values, [[20.0, np.sqrt(116), np.sqrt(416)]], rtol=1e-6
    )
    assert support["supported"].values.tolist() == [[True, True, False]]
    assert support["support_distance"].attrs["units"] == "m"


def test_rows_run_to_the_north():
    coords = [[x, y] for x in (5, 15, 25) for y in (85, 95)]
    mask = support_mask(coords, make_grid((0, 30, 0, 100), 10), reach=20.0)["supported"]
    assert not mask.sel(northing=slice(0, 50)).any()
    assert mask.sel(northing=slice(80, 100)).all()


def test_twins_are_one_sample_and_rows_without_a_place_none():
    lattice = np.stack(np.meshgrid(np.arange(5) * 100.0, np.arange(5) * 100.0), -1).reshape(-1, 2)
    messy = np.vstack([lattice, lattice[:20], [[np.nan, 3.0]]])
    assert sample_reach(messy, k=3) == sample_reach(lattice, k=3) == 200.0
    grid = make_grid((0, 400, 0, 400), 50)
    here, there = (support_mask(each, grid) for each in (lattice, messy))
    np.testing.assert_array_equal(here["support_distance"], there["support_distance"])


def test_nearly_all_of_a_random_pattern_is_supported_and_a_gap_is_not():
    coords = np.random.default_rng(1).uniform(0, 1000, (2000, 2))
    grid = make_grid((100, 900, 100, 900), 5)
    assert support_mask(coords, grid)["supported"].mean() > 0.99
    is_gap = (np.abs(coords - 500) < 150).all(axis=1)
    mask = support_mask(coords[~is_gap], grid)["supported"].values.ravel()
    middle = (np.abs(cell_centres(grid) - 500) < 50).all(axis=1)
    assert not mask[middle].any()


def test_a_raster_wider_than_its_samples_is_mostly_extrapolation():
    coords = np.random.default_rng(1).uniform(0, 1000, (500, 2))
    mask = support_mask(coords, make_grid((-500, 1500, -500, 1500), 20))["supported"]
    assert 0.25 < float(mask.mean()) < 0.36  # a quarter of the raster, and a rim


def test_a_turned_grid_measures_true_distances():
    grid = make_grid((0, 100, 0, 100), 10, rotation=40.0, origin=(20.0, -30.0))
    coords = np.random.default_rng(3).uniform(-50, 150, (30, 2))
    found = support_mask(coords, grid, k=1)["support_distance"].values.ravel()
    gaps = cell_centres(grid)[:, None] - coords
    np.testing.assert_allclose(found, np.sqrt((gaps**2).sum(axis=2)).min(axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coords": [[0.0, 0.0]] * 9}, "more than 3 different places, got 1"),
        ({"coords": [1.0, 2.0]}, r"shape \(n, 2\)"),
        ({"reach": -1.0}, "reach must be above zero"),
        ({"k": 0}, "Take a smaller k"),
    ],
)
def test_what_supports_nothing_is_said(change, message):
    given = {"coords": np.random.default_rng(0).uniform(0, 9, (9, 2)), "k": 3} | change
    with pytest.raises(ValueError, match=message):
        support_mask(given.pop("coords"), make_grid((0, 9, 0, 9), 3), **given)
