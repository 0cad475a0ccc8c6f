"""Inverse-distance weighting: hand-worked means, laws, caps and settings."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.geostat.covariance import Structure
from gossan.geostat.idw import InverseDistance


def some_samples(n=60, n_dims=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 100, (n, n_dims)), rng.lognormal(0, 1, n)


def test_two_samples_weigh_by_their_squared_distances():
    # Weights 1/10² and 1/20²: (4 x 1 + 1 x 6) / 5.
    idw = InverseDistance().fit([[0.0, 0.0], [30.0, 0.0]], [1.0, 6.0])
    np.testing.assert_allclose(idw.predict([[10.0, 0.0]]), [2.0])


def test_the_power_sharpens_the_weights():
    X, y = [[0.0, 0.0], [30.0, 0.0]], [0.0, 1.0]
    at = [[10.0, 0.0]]
    answers = [InverseDistance(power=p).fit(X, y).predict(at)[0] for p in (1, 2, 3)]
    np.testing.assert_allclose(answers, [1 / 3, 1 / 5, 1 / 9])


def test_samples_are_returned_at_their_places_and_averaged_where_they_coincide():
    X = [[0.0, 0.0], [0.0, 0.0], [5.0, 0.0]]
    idw = InverseDistance().fit(X, [1.0, 3.0, 7.0])
    np.testing.assert_allclose(idw.predict([[0.0, 0.0], [5.0, 0.0]]), [2.0, 7.0])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), power=st.floats(0.5, 8.0), k=st.integers(1, 12))
def test_estimates_lie_between_the_least_and_the_most_of_the_samples(seed, power, k):
    X, y = some_samples(20, 3, seed)
    targets = np.random.default_rng(seed + 1).uniform(-50, 150, (10, 3))
    estimate = InverseDistance(power, n_neighbours=k).fit(X, y).predict(targets)
    assert (estimate >= y.min() - 1e-12).all()
    assert (estimate <= y.max() + 1e-12).all()


def test_a_shift_of_all_coordinates_changes_nothing():
    X, y = some_samples()
    targets = some_samples(20, seed=3)[0]
    shift = np.array([4_600_000.0, 7_200_000.0])
    here = InverseDistance().fit(X, y).predict(targets)
    there = InverseDistance().fit(X + shift, y).predict(targets + shift)
    np.testing.assert_allclose(here, there, rtol=1e-7)


def test_several_variables_are_those_of_each_alone():
    X, y = some_samples()
    both = np.column_stack([y, y**2])
    targets = some_samples(20, seed=3)[0]
    together = InverseDistance().fit(X, both).predict(targets)
    alone = [InverseDistance().fit(X, column).predict(targets) for column in both.T]
    np.testing.assert_allclose(together, np.column_stack(alone))


def test_no_sample_within_reach_is_missing_and_never_zero():
    idw = InverseDistance(max_distance=10.0).fit([[0.0, 0.0]], [5.0])
    np.testing.assert_array_equal(idw.predict([[3.0, 0.0], [50.0, 0.0]]), [5.0, np.nan])


def test_too_few_samples_within_reach_are_missing():
    X = [[0.0, 0.0], [4.0, 0.0], [100.0, 0.0]]
    idw = InverseDistance(max_distance=10.0, min_neighbours=2).fit(X, [1.0, 3.0, 9.0])
    np.testing.assert_array_equal(idw.predict([[2.0, 0.0], [100.0, 1.0]]), [2.0, np.nan])


def test_a_hole_gives_no_more_samples_than_its_cap():
    hole = np.column_stack([np.zeros(20), np.zeros(20), -np.arange(20.0)])
    other = np.array([[50.0, 0.0, -10.0]])
    X, y = np.vstack([hole, other]), np.r_[np.ones(20), 5.0]
    groups = ["A"] * 20 + ["B"]
    target = [[10.0, 0.0, -10.0]]
    uncapped = InverseDistance(n_neighbours=5, n_per_group=None).fit(X, y).predict(target)
    capped = InverseDistance(n_neighbours=5, n_per_group=2).fit(X, y, groups).predict(target)
    assert uncapped[0] == 1.0
    weights = 1 / np.array([10**2, 10**2 + 1, 40**2])
    assert capped[0] == pytest.approx(weights @ [1, 1, 5] / weights.sum())


def test_anisotropy_brings_samples_along_the_major_axis_nearer():
    east = Structure("spherical", 1.0, (100.0, 50.0), angles=(90.0, 0.0, 0.0))
    idw = InverseDistance(anisotropy=east).fit([[20.0, 0.0], [0.0, 10.0]], [1.0, 3.0])
    np.testing.assert_allclose(idw.predict([[0.0, 0.0]]), [2.0])  # 20 m east is as near as 10 north


def test_rows_without_a_value_are_left_out_with_a_warning():
    with pytest.warns(GossanWarning, match="1 of 3 rows have no value"):
        idw = InverseDistance().fit([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], [1.0, np.nan, 3.0])
    assert idw.n_samples_ == 2


def test_a_table_with_names_refuses_other_names():
    frame = pd.DataFrame({"easting": [0.0, 1.0], "northing": [0.0, 1.0]})
    idw = InverseDistance().fit(frame, [1.0, 2.0])
    with pytest.raises(ValueError, match="name"):
        idw.predict(frame[["northing", "easting"]])


@pytest.mark.parametrize("name", ["power", "n_neighbours", "min_neighbours"])
def test_settings_out_of_range_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be above zero, got 0"):
        InverseDistance(**{name: 0}).fit([[0.0, 0.0]], [1.0])


def test_caps_that_cannot_be_are_refused():
    X, y = some_samples()
    for cap, words in ((0, "n_per_group must be above zero"), (3, "fit was given no groups")):
        with pytest.raises(ValueError, match=words):
            InverseDistance(n_per_group=cap).fit(X, y)
    with pytest.raises(ValueError, match="n_per_group must be one of auto, got 'automatic'"):
        InverseDistance(n_per_group="automatic").fit(X, y)


def test_samples_on_vertical_lines_are_taken_for_holes_with_a_warning():
    lines = [[x, 0.0, -z] for x in (0.0, 50.0, 100.0) for z in range(20)]
    with pytest.warns(GossanWarning, match="stand on vertical lines"):
        guessed = InverseDistance().fit(lines, np.arange(60.0))
    told = InverseDistance().fit(lines, np.arange(60.0), groups=np.repeat([0, 1, 2], 20))
    target = [[20.0, 0.0, -7.3]]
    np.testing.assert_allclose(guessed.predict(target), told.predict(target))
    uncapped = InverseDistance(n_per_group=None).fit(lines, np.arange(60.0)).predict(target)
    assert uncapped[0] != pytest.approx(told.predict(target)[0])


def test_bad_samples_are_refused():
    with pytest.raises(ValueError, match="2 or 3 columns of coordinates"):
        InverseDistance().fit([[0.0], [1.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match="one row for each of 2 rows"):
        InverseDistance().fit([[0.0, 0.0], [1.0, 0.0]], [1.0])
    with pytest.raises(ValueError, match="NaN"):
        InverseDistance().fit([[0.0, np.nan], [1.0, 0.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match="infinite at row 1"):
        InverseDistance().fit([[0.0, 0.0], [1.0, 0.0]], [1.0, np.inf])
    with pytest.raises(ValueError, match="numbers only"):
        InverseDistance().fit([[0.0, 0.0], [1.0, 0.0]], ["1.0", "<2"])
    with pytest.raises(ValueError, match="No row of y is known"):
        InverseDistance().fit([[0.0, 0.0], [1.0, 0.0]], [np.nan, np.nan])
