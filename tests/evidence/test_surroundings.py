"""Means round places: a Gaussian of the distance, by brute force and by laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gossan.evidence.surroundings import mean_around

BOX = np.array([600.0, 500.0, 400.0])


def by_hand(coords, values, places, radius, prior=0.5):
    """Return the means as the definition has them, all distances at once."""
    squares = ((places[:, None] - coords) ** 2).sum(axis=-1)
    weights = np.exp(-0.5 * squares / radius**2)
    mean = values.mean(axis=0)
    return (weights @ (values - mean)) / (weights.sum(axis=1) + prior)[:, None] + mean


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    coords = rng.uniform(0, BOX, (400, 3))
    trend = np.sin(coords[:, 0] / 100) + coords[:, 2] / 300
    return coords, np.column_stack([trend + rng.normal(0, 0.3, 400), rng.normal(5, 2, 400)])


@pytest.mark.parametrize("radius", [40.0, 60.0, 150.0])
@pytest.mark.parametrize("beyond", [0.0, 200.0, 700.0])
def test_means_are_those_of_all_distances(samples, radius, beyond):
    coords, values = samples
    places = np.random.default_rng(1).uniform(-beyond, BOX + beyond, (500, 3))
    error = mean_around(coords, values, places, radius=radius) - by_hand(
        coords, values, places, radius
    )
    assert (np.abs(error).max(axis=0) < 0.06 * values.std(axis=0)).all()
    assert (np.sqrt((error**2).mean(axis=0)) < 0.015 * values.std(axis=0)).all()


def test_two_samples_by_hand():
    """Two radii away the second weighs exp(-2); the mean of both, 2, counts as one sample."""
    near = np.exp(-2.0)
    expected = (-1.0 + near) / (1.0 + near + 1.0) + 2.0
    found = mean_around([[0, 0, 0], [0, 0, 100]], [1.0, 3.0], [[0, 0, 0]], radius=50, prior=1.0)
    assert found.shape == (1,)
    assert_allclose(found, expected, atol=0.03)


def test_far_from_all_samples_stands_their_mean(samples):
    coords, values = samples
    found = mean_around(coords, values, [[5e4, 0, 0]], radius=50.0)
    assert_allclose(found[0], values.mean(axis=0))


def test_an_offset_asks_elsewhere(samples):
    coords, values = samples
    places = coords[:30] + 10.0
    above = mean_around(coords, values, places, radius=60.0, offset=(0, 0, 120))
    assert_allclose(above, mean_around(coords, values, places + np.array([0, 0, 120]), radius=60.0))


def test_above_the_topmost_sample_what_lies_below_still_speaks():
    """One radius and a half over a rich sample, a third of its weight is left."""
    coords = [[0, 0, 0], [1000.0, 0, 0]]
    found = mean_around(coords, [10.0, 0.0], [[0, 0, 0]], radius=80.0, offset=(0, 0, 120))
    weight = np.exp(-0.5 * 1.5**2)
    assert_allclose(found, 5.0 + 5.0 * weight / (weight + 0.5), atol=0.15)


@given(st.tuples(*[st.floats(-1e6, 1e6)] * 3))
def test_a_shift_of_all_places_changes_nothing(shift):
    rng = np.random.default_rng(2)
    coords, places = rng.uniform(0, 300, (40, 3)), rng.uniform(-50, 350, (20, 3))
    values = rng.normal(size=40)
    first = mean_around(coords, values, places, radius=50.0)
    moved = mean_around(coords + np.array(shift), values, places + np.array(shift), radius=50.0)
    assert_allclose(moved, first, atol=1e-4)


@given(st.floats(-1e3, 1e3), st.floats(5.0, 500.0))
def test_constant_values_give_the_constant(constant, radius):
    rng = np.random.default_rng(3)
    coords, places = rng.uniform(0, 300, (30, 3)), rng.uniform(-500, 800, (20, 3))
    found = mean_around(coords, np.full(30, constant), places, radius=radius)
    assert_allclose(found, constant, atol=1e-9 * max(1.0, abs(constant)))


def test_means_lie_between_the_values(samples):
    coords, values = samples
    places = np.random.default_rng(4).uniform(-200, BOX + 200, (300, 3))
    found = mean_around(coords, values, places, radius=60.0)
    assert (found >= values.min(axis=0)).all()
    assert (found <= values.max(axis=0)).all()


def test_one_sample_is_enough():
    assert_allclose(mean_around([[0, 0, 0]], [4.0], [[1, 2, 3], [900, 0, 0]], radius=10.0), 4.0)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"coords": np.zeros((4, 2))}, r"coords \(4, 2\), values.*do not fit.*Pass \(n, 3\)"),
        ({"values": np.zeros(3)}, r"values \(3, 1\).*do not fit"),
        ({"places": np.zeros(3)}, r"places \(3,\).*do not fit"),
        ({"coords": np.zeros((0, 3)), "values": np.zeros(0)}, "do not fit"),
        ({"values": np.array([1, 2, np.nan, 4])}, "value is missing. Impute or drop it"),
        ({"places": np.array([[0, np.inf, 0]])}, "coordinate or value is missing"),
        ({"radius": 0.0}, "radius"),
        ({"radius": -5.0}, "radius"),
    ],
)
def test_faults_are_refused(changed, match):
    given_ = {"coords": np.eye(4, 3), "values": np.arange(4.0), "places": np.eye(3), "radius": 1.0}
    with pytest.raises(ValueError, match=match):
        mean_around(**(given_ | changed))
