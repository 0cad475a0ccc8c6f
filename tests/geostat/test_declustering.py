import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gossan.geostat.declustering import decluster_cells, decluster_polygons


def clustered(seed, *, rich=True):
    """A square whose value rises to the east, sampled evenly, and again where it is rich."""
    rng = np.random.default_rng(seed)
    even = rng.uniform(0, 100, (100, 2))
    crowd = rng.uniform([85, 40], [95, 60], (200, 2))
    if not rich:
        crowd[:, 0] -= 80
    coords = np.vstack([even, crowd])
    return coords, coords[:, 0] + rng.normal(0, 2, 300)  # its mean is 50


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rich", [True, False])
def test_both_find_the_planted_mean(seed, rich):
    coords, values = clustered(seed, rich=rich)
    assert abs(values.mean() - 50) > 20
    for found in (decluster_cells(coords, values), decluster_polygons(coords)):
        assert found.mean(values) == pytest.approx(50, abs=6)
        assert found.weights.mean() == pytest.approx(1)
        assert found.weights[100:].mean() < 0.4


def test_the_size_is_near_the_spacing_of_the_even_samples():
    coords, values = clustered(0)
    found = decluster_cells(coords, values)
    assert 5 < found.size < 25
    assert found.curve["mean"].min() == pytest.approx(found.mean(values))
    assert len(found.curve) == 24


def test_cells_by_hand():
    # cells far smaller than the spacing see no crowd; one far larger sees all alike
    coords = [[0, 0], [1, 0], [50, 0], [100, 0]]
    assert_allclose(decluster_cells(coords, size=0.01).weights, 1)
    assert_allclose(decluster_cells(coords, size=10.0).weights.sum(), 4)
    pair = decluster_cells(coords, size=10.0, n_offsets=400, random_state=0).weights
    # the pair is parted by one shift in ten
    assert pair[0] / pair[2] == pytest.approx(0.9 * 0.5 + 0.1, abs=0.05)


def test_the_target_can_be_named():
    coords, values = clustered(1)
    least = decluster_cells(coords, values, target="minimum").mean(values)
    most = decluster_cells(coords, values, target="maximum").mean(values)
    assert least < 60 < most


def test_polygons_by_hand_in_the_plane_and_in_space():
    square = [[2.5, 2.5], [7.5, 2.5], [2.5, 7.5], [7.5, 7.5]]
    assert_allclose(decluster_polygons(square, region=(0, 10, 0, 10)).weights, 1)
    box = [[5.0, 5.0, 1.0], [5.0, 5.0, 5.0]]  # parted at 3 m of 10
    found = decluster_polygons(box, region=(0, 10, 0, 10, 0, 10))
    assert_allclose(found.weights, [0.6, 1.4])


def test_samples_in_one_place_share_its_area():
    found = decluster_polygons([[2.0, 5.0], [2.0, 5.0], [8.0, 5.0]], region=(0, 10, 0, 10))
    assert_allclose(found.weights, [0.75, 0.75, 1.5])
    assert_allclose(decluster_polygons([[1.0, 1.0], [1.0, 1.0]]).weights, 1)


@given(st.integers(0, 50), st.sampled_from([2, 3]))
def test_areas_fill_the_region(seed, n_dims):
    points = np.random.default_rng(seed).uniform(0, 1, (12, n_dims))
    from gossan.geostat.declustering import _influence

    sizes = _influence(points, np.zeros(n_dims), np.ones(n_dims))
    assert sizes.sum() == pytest.approx(1, abs=1e-6)


def test_a_sample_on_the_rim_has_its_area():
    found = decluster_polygons([[0.0, 5.0], [10.0, 5.0]], region=(0, 10, 0, 10))
    assert_allclose(found.weights, 1, atol=1e-6)


def test_missing_values_have_weights_and_no_say():
    coords, values = clustered(0)
    values[:5] = np.nan
    assert decluster_cells(coords, values).mean(values) == pytest.approx(50, abs=6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "size or values"),
        ({"size": 0.0}, "size must be positive"),
        ({"size": 1.0, "n_offsets": 0}, "n_offsets must be 1"),
        ({"size": 1.0, "target": "least"}, "target must be one of"),
        ({"values": [np.nan, np.nan]}, "known values"),
        ({"values": [1.0]}, "one row for each"),
    ],
)
def test_cells_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        decluster_cells([[0.0, 0.0], [1.0, 1.0]], **arguments)


@pytest.mark.parametrize(
    ("coords", "region", "message"),
    [
        ([[0.0, np.nan]], None, "coords must be finite"),
        ([[0.0, 0.0], [1.0, 1.0]], (0, 1), "region must be"),
        ([[0.0, 0.0], [1.0, 1.0]], (0, 0.5, 0, 2), "does not hold all"),
    ],
)
def test_polygons_refuse(coords, region, message):
    with pytest.raises(ValueError, match=message):
        decluster_polygons(coords, region=region)


def test_one_place_has_no_size():
    with pytest.raises(ValueError, match="two places"):
        decluster_cells([[0.0, 0.0], [0.0, 0.0]], [1.0, 2.0])
