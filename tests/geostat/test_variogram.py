from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gossan.geostat._semivariance import dowd_semivariance, genton_semivariance
from gossan.geostat.variogram import (
    ESTIMATORS,
    cross_variograms,
    experimental_variogram,
)

# Isaaks-like line: values 1 2 4 3 6 at 0 10 20 30 40 m. Differences at one step: 1 2 -1 3, at two
# steps 3 1 2, at three 2 4, at four 5.
LINE = np.column_stack([10.0 * np.arange(5), np.zeros(5)])
VALUES = np.array([1.0, 2.0, 4.0, 3.0, 6.0])
EDGES = [5.0, 15.0, 25.0, 35.0, 45.0]


def by_brute_force(coords, values, edges):
    """Matheron's semivariances from every pair, one after the other."""
    first, second = np.triu_indices(len(coords), 1)
    distance = np.linalg.norm(coords[first] - coords[second], axis=1)
    squares = (values[first] - values[second]) ** 2
    inside = [(distance > low) & (distance <= high) for low, high in pairwise(edges)]
    return (
        np.array([squares[at].mean() / 2 if at.any() else np.nan for at in inside]),
        np.array([at.sum() for at in inside]),
        np.array([distance[at].mean() if at.any() else np.nan for at in inside]),
    )


@pytest.fixture(scope="module")
def scattered():
    rng = np.random.default_rng(4)
    return rng.uniform(0, 100, (120, 3)), rng.normal(size=120)


class TestByHand:
    def test_matheron(self):
        found = experimental_variogram(LINE, VALUES, lags=EDGES)
        assert_allclose(found.semivariance, [15 / 8, 14 / 6, 20 / 4, 25 / 2])
        assert found.n_pairs.tolist() == [4, 3, 2, 1]
        assert_allclose(found.lag, [10, 20, 30, 40])
        assert found.variance == pytest.approx(VALUES.var())

    def test_cressie(self):
        found = experimental_variogram(LINE, VALUES, lags=EDGES, estimator="cressie")
        mean = (1 + np.sqrt(2) + 1 + np.sqrt(3)) / 4
        expected = mean**4 / (0.457 + 0.494 / 4 + 0.045 / 16) / 2
        assert found.semivariance[0] == pytest.approx(expected)

    def test_dowd_is_the_squared_median(self):
        found = experimental_variogram(LINE, VALUES, lags=EDGES, estimator="dowd")
        assert found.semivariance[0] == pytest.approx(2.198 * 1.5**2 / 2)
        assert found.semivariance[1] == pytest.approx(2.198 * 2.0**2 / 2)

    def test_genton_is_an_order_statistic_of_differences(self):
        # differences -1 1 2 3: distances 1 1 2 2 3 4; the third, C(3, 2), is 2
        found = experimental_variogram(LINE, VALUES, lags=EDGES, estimator="genton")
        assert found.semivariance[0] == pytest.approx((2.2191 * 2) ** 2 / 2)
        assert np.isnan(found.semivariance[3])  # one pair has no scale

    def test_madogram(self):
        found = experimental_variogram(LINE, VALUES, lags=EDGES, estimator="madogram")
        assert_allclose(found.semivariance[:2], [7 / 8, 6 / 6])

    def test_a_pair_on_an_edge_belongs_to_the_lower_class(self):
        found = experimental_variogram(LINE, VALUES, lags=[0, 10, 20])
        assert found.n_pairs.tolist() == [4, 3]

    def test_cross_variogram(self):
        other = np.array([2.0, 1.0, 1.0, 4.0, 2.0])  # steps -1 0 3 -2
        found = cross_variograms(LINE, np.column_stack([VALUES, other]), lags=EDGES)
        assert found.semivariance[0, 0, 1] == pytest.approx((-1 + 0 - 3 - 6) / 8)
        assert found.semivariance[0, 1, 1] == pytest.approx((1 + 0 + 9 + 4) / 8)
        assert_allclose(found.variable(0, 0).semivariance, [15 / 8, 14 / 6, 20 / 4, 25 / 2])


class TestDirections:
    # A square of 10 m: north and east pairs, and both diagonals.
    SQUARE = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    HEIGHTS = np.array([0.0, 1.0, 3.0, 7.0])

    @pytest.mark.parametrize(
        ("azimuth", "differences"),
        [(0, [3, 6]), (90, [1, 4]), (45, [7]), (135, [2]), (180, [3, 6]), (-45, [2])],
    )
    def test_azimuth_runs_clockwise_from_north(self, azimuth, differences):
        found = experimental_variogram(
            self.SQUARE, self.HEIGHTS, lags=[0, 20], direction=azimuth, tolerance=10
        )
        assert found.n_pairs[0] == len(differences)
        assert found.semivariance[0] == pytest.approx(np.mean(np.square(differences)) / 2)

    def test_dip_is_negative_downwards(self):
        # the second point lies east of and below the first
        points = [[0.0, 0.0, 0.0], [10.0, 0.0, -10.0]]
        found = experimental_variogram(
            points, [0.0, 2.0], lags=[0, 20], direction=(90, -45), tolerance=5
        )
        assert found.n_pairs[0] == 1
        with pytest.raises(ValueError, match="No pair"):
            experimental_variogram(
                points, [0.0, 2.0], lags=[0, 20], direction=(90, 45), tolerance=5
            )

    def test_the_edge_of_the_tolerance_is_inside(self):
        found = experimental_variogram(
            self.SQUARE, self.HEIGHTS, lags=[0, 20], direction=0, tolerance=45
        )
        assert found.n_pairs[0] == 4

    def test_bandwidth_cuts_off_wide_pairs(self):
        points = [[0.0, 0.0], [3.0, 10.0], [0.0, 20.0]]
        wide = experimental_variogram(points, [0, 1, 5], lags=[0, 30], direction=0, tolerance=30)
        narrow = experimental_variogram(
            points, [0, 1, 5], lags=[0, 30], direction=0, tolerance=30, bandwidth=2.9
        )
        assert (wide.n_pairs[0], narrow.n_pairs[0]) == (3, 1)
        assert narrow.semivariance[0] == pytest.approx(12.5)

    def test_sectors_share_out_all_pairs(self, scattered):
        coords, values = scattered[0][:, :2], scattered[1]
        whole = experimental_variogram(coords, values, lags=[0, 30])
        parts = [
            experimental_variogram(coords, values, lags=[0, 30], direction=azimuth)
            for azimuth in (0, 45, 90, 135)
        ]
        assert sum(part.n_pairs[0] for part in parts) == whole.n_pairs[0]


class TestGroups:
    def test_only_pairs_inside_a_hole_count(self):
        coords = [[0, 0, 0], [0, 0, -1], [1, 0, 0], [1, 0, -1]]
        found = experimental_variogram(
            coords, [0.0, 1.0, 10.0, 13.0], lags=[0, 1.2], groups=["A", "A", "B", "B"]
        )
        assert found.n_pairs[0] == 2
        assert found.semivariance[0] == pytest.approx((1 + 9) / 4)

    def test_groups_of_one_sample_have_no_pair(self):
        with pytest.raises(ValueError, match="do not spread"):
            experimental_variogram(LINE, VALUES, groups=list("ABCDE"))


class TestLaws:
    def test_it_equals_every_pair_taken_one_by_one(self, scattered):
        coords, values = scattered
        edges = np.array([0.0, 3.0, 11.0, 12.0, 40.0, 90.0])
        gamma, counts, lag = by_brute_force(coords, values, edges)
        found = experimental_variogram(coords, values, lags=edges)
        assert_allclose(found.semivariance, gamma)
        assert_allclose(found.n_pairs, counts)
        assert_allclose(found.lag[counts > 0], lag[counts > 0])

    @given(st.floats(0.1, 10.0), st.floats(-1e5, 1e5))
    def test_scale_and_shift_of_the_values(self, scale, shift):
        rng = np.random.default_rng(1)
        coords, values = rng.uniform(0, 50, (30, 2)), rng.normal(size=30)
        for name in ESTIMATORS:
            power = 1 if name == "madogram" else 2
            one = experimental_variogram(coords, values, lags=4, estimator=name)
            other = experimental_variogram(coords, scale * values + shift, lags=4, estimator=name)
            assert_allclose(other.semivariance, scale**power * one.semivariance, rtol=1e-6)

    def test_order_of_the_samples_and_far_places_do_not_matter(self, scattered):
        coords, values = scattered
        one = experimental_variogram(coords, values, lags=6)
        order = np.random.default_rng(0).permutation(len(values))
        other = experimental_variogram(coords[order] + 4e6, values[order], lags=6)
        assert_allclose(one.semivariance, other.semivariance, rtol=1e-6)

    def test_robust_estimators_are_unbiased_for_normal_values(self):
        rng = np.random.default_rng(0)
        coords, values = rng.uniform(0, 100, (1500, 2)), rng.normal(0, 3, 1500)
        for name in ("matheron", "cressie", "dowd", "genton"):
            found = experimental_variogram(coords, values, lags=4, estimator=name)
            assert_allclose(found.semivariance, 9, rtol=0.07)

    def test_robust_estimators_shrug_off_an_outlier(self, scattered):
        coords, values = scattered
        spoiled = values.copy()
        spoiled[7] = 100.0
        rise = {
            name: experimental_variogram(coords, spoiled, lags=3, estimator=name).semivariance
            / experimental_variogram(coords, values, lags=3, estimator=name).semivariance
            for name in ("matheron", "dowd", "genton")
        }
        assert (rise["matheron"] > 10).all()
        assert (rise["dowd"] < 1.3).all()
        assert (rise["genton"] < 1.3).all()

    def test_the_arrays_are_left_alone(self, scattered):
        coords, values = scattered[0].copy(), scattered[1].copy()
        experimental_variogram(coords, values)
        assert_allclose(coords, scattered[0])
        assert_allclose(values, scattered[1])


class TestManyAndMissing:
    def test_each_variable_uses_the_rows_where_it_is_known(self, scattered):
        coords, values = scattered
        table = np.column_stack([values, values * 2])
        table[:30, 1] = np.nan
        both = experimental_variogram(coords, table, lags=5)
        assert both.semivariance.shape == (5, 2)
        alone = experimental_variogram(coords[30:], values[30:] * 2, lags=both.edges)
        assert_allclose(both.variable(1).semivariance, alone.semivariance)
        assert_allclose(both.n_pairs[:, 1], alone.n_pairs)

    def test_samples_in_one_place_make_no_pair(self):
        twice = np.vstack([LINE, LINE])
        found = experimental_variogram(twice, np.r_[VALUES, VALUES], lags=[0, 15])
        assert found.n_pairs[0] == 16

    def test_fifty_thousand_points_take_a_stated_random_subset(self):
        rng = np.random.default_rng(0)
        coords, values = rng.uniform(0, 1000, (50_000, 2)), rng.normal(size=50_000)
        found = experimental_variogram(coords, values, max_pairs=2_000_000)
        assert 0 < found.share < 0.01
        assert 500_000 < found.n_pairs.sum() < 3_000_000
        assert_allclose(found.semivariance, 1, atol=0.06)
        again = experimental_variogram(coords, values, max_pairs=2_000_000)
        assert_allclose(found.semivariance, again.semivariance)

    def test_the_table_of_a_variogram(self):
        table = experimental_variogram(LINE, VALUES, lags=EDGES).table()
        assert list(table.columns) == ["lag", "semivariance", "n_pairs"]
        assert len(table) == 4


class TestLags:
    def test_by_default_they_reach_a_third_of_the_diagonal(self):
        x, y = np.meshgrid(np.arange(31.0), np.arange(41.0))
        coords = np.column_stack([x.ravel(), y.ravel()])
        found = experimental_variogram(coords, x.ravel())
        assert found.edges[-1] == pytest.approx(50 / 3)
        assert len(found.lag) == 16  # a little wider than the spacing
        assert (found.n_pairs > 0).all()

    def test_along_a_direction_they_reach_half_of_the_field(self):
        found = experimental_variogram(LINE, VALUES, direction=90, lags=4)
        assert found.edges[-1] == pytest.approx(20)


class TestScales:
    def test_dowd_and_genton_of_few_differences(self):
        assert np.isnan(dowd_semivariance(np.array([])))
        assert np.isnan(genton_semivariance(np.array([1.0])))
        assert genton_semivariance(np.zeros(5)) == 0


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"estimator": "mathron"}, "Did you mean 'matheron'"),
            ({"lags": [3, 2, 1]}, "lags must increase"),
            ({"lags": 0}, "lags must be a number"),
            ({"direction": (1, 2, 3)}, "direction must be an azimuth"),
            ({"direction": 90, "tolerance": 0}, "tolerance must lie"),
            ({"direction": 90, "bandwidth": -1}, "bandwidth must be positive"),
            ({"max_pairs": 0}, "max_pairs must be positive"),
            ({"groups": ["A"]}, "groups has 1 labels"),
        ],
    )
    def test_options_out_of_range(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            experimental_variogram(LINE, VALUES, **arguments)

    @pytest.mark.parametrize(
        ("coords", "values", "message"),
        [
            ([[np.nan, 0], [1, 1]], [1, 2], "coords must be finite"),
            ([[0], [1]], [1, 2], "coords must be finite"),
            ([[0, 0], [1, 1]], [1, 2, 3], "one row for each"),
            ([[0, 0], [1, 1]], [1, np.nan], "two known values"),
            ([[0, 0], [1, 1]], [1, np.inf], "infinite"),
            ([[0, 0], [0, 0]], [1, 2], "do not spread"),
        ],
    )
    def test_samples_that_cannot_be_used(self, coords, values, message):
        with pytest.raises(ValueError, match=message):
            experimental_variogram(coords, values)

    def test_cross_variograms_need_two_variables(self):
        with pytest.raises(ValueError, match="two or more variables"):
            cross_variograms(LINE, VALUES)
