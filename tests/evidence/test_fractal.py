"""Fractal thresholds: planted breaks, the best of all segmentations, and laws."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gossan._checks import GossanWarning
from gossan.data.grids.grid import add_layer, make_grid
from gossan.evidence._segments import best_segments, fit_lines, meeting_points
from gossan.evidence.fractal import add_fractal_classes, fractal_thresholds

BREAKS, EXPONENTS = (3.0, 12.0, 50.0), (0.3, 1.0, 2.0, 4.0)


def planted(n, rng=None):
    """Concentrations whose survival is a power law with known breaks; evenly spaced without rng."""
    edges = np.array([1.0, *BREAKS])
    above = np.cumprod([1.0, *(edges[1:] / edges[:-1]) ** -np.array(EXPONENTS[:-1])])
    share = (np.arange(n) + 0.5) / n if rng is None else rng.random(n)
    k = np.searchsorted(-above, -share) - 1
    return edges[k] * (above[k] / share) ** (1 / np.array(EXPONENTS)[k])


def squares_left(x, y, starts):
    return ((y - fit_lines(x, y, np.array(starts))[2]) ** 2).sum()


class TestSegments:
    def test_two_lines_by_hand(self):
        x = np.arange(12.0)
        y = np.where(x < 6, -x, -6 - 3 * (x - 6))
        starts = best_segments(x, y, 2, 3)
        assert squares_left(x, y, starts) == pytest.approx(0, abs=1e-20)
        assert_allclose(meeting_points(x, y, starts), [6])
        assert_allclose(fit_lines(x, y, starts)[0], [-1, -3])

    @settings(max_examples=30)
    @given(st.integers(0, 10**6), st.sampled_from([2, 3]))
    def test_no_other_segmentation_leaves_less(self, seed, n_segments):
        rng = np.random.default_rng(seed)
        x, y = np.arange(14.0), rng.normal(size=14).cumsum()
        best = best_segments(x, y, n_segments, 3)
        assert (np.diff([*best, 14]) >= 3).all()
        others = [
            squares_left(x, y, (0, *cuts))
            for cuts in itertools.combinations(range(3, 12), n_segments - 1)
            if (np.diff([0, *cuts, 14]) >= 3).all()
        ]
        assert squares_left(x, y, best) == pytest.approx(min(others), rel=1e-9)

    def test_lines_of_one_slope_meet_in_the_gap_between_them(self):
        x, y = np.arange(12.0), -np.arange(12.0)
        assert 1 <= meeting_points(x, y, np.array([0, 5]))[0] <= 6


def test_planted_breaks_and_exponents_are_found():
    model = fractal_thresholds(planted(200_000), n_bootstrap=0)
    assert_allclose(model.thresholds, BREAKS, rtol=0.02)
    assert_allclose(-model.slopes, EXPONENTS, rtol=0.05)
    assert model.r2 > 0.9999
    assert model.names == ("background", "outer", "middle", "inner")
    assert np.isnan(model.intervals).all()


@pytest.mark.parametrize("seed", range(4))
def test_breaks_of_random_samples_are_reproducible_and_within_their_intervals(seed):
    values = planted(30_000, np.random.default_rng(seed))
    model = fractal_thresholds(values, random_state=seed)
    assert_allclose(model.thresholds, BREAKS, rtol=0.08)
    slack = 0.05 * np.array(BREAKS)
    assert (model.intervals[:, 0] - slack <= BREAKS).all()
    assert (model.intervals[:, 1] + slack >= BREAKS).all()
    again = fractal_thresholds(values, random_state=seed)
    np.testing.assert_array_equal(again.intervals, model.intervals)


def test_three_segments_have_other_names():
    model = fractal_thresholds(planted(5000), n_segments=3, n_bootstrap=0)
    assert model.names == ("background", "outer", "inner")
    assert len(fractal_thresholds(planted(5000), n_segments=5, n_bootstrap=0).names) == 5


@settings(max_examples=15)
@given(st.floats(1e-3, 1e4), st.floats(0.01, 1e6), st.integers(0, 100))
def test_units_of_concentration_and_of_volume_do_not_matter(unit, volume, seed):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, 1.2, 1500)
    model = fractal_thresholds(values, n_bootstrap=0)
    other = fractal_thresholds(values * unit, volume, n_bootstrap=0)
    assert_allclose(other.thresholds, model.thresholds * unit, rtol=1e-6)
    assert_allclose(other.slopes, model.slopes, rtol=1e-6)


def test_a_sample_of_length_two_counts_as_two_of_length_one():
    values = np.sort(planted(3000))[::-1]
    lengths = np.where(np.arange(3000) % 3, 1.0, 2.0)
    lengths[:60] = 1.0  # the 50 largest are counted, not weighed
    twice = np.repeat(values, lengths.astype(int))
    by_length = fractal_thresholds(values, lengths, n_bootstrap=0)
    by_number = fractal_thresholds(twice, n_bootstrap=0)
    assert_allclose(by_length.thresholds, by_number.thresholds, rtol=1e-9)


def test_lengths_of_samples_are_resampled_with_them():
    rng = np.random.default_rng(0)
    values, lengths = planted(4000, rng), rng.uniform(1, 10, 4000)
    model = fractal_thresholds(values, lengths, n_segments=3, n_bootstrap=60)
    assert (model.intervals[:, 0] <= model.thresholds * 1.05).all()
    assert (model.intervals[:, 1] >= model.thresholds * 0.95).all()


def test_resampling_whole_holes_gives_wider_intervals_than_single_samples():
    rng = np.random.default_rng(1)
    holes = np.repeat(np.arange(1000), 20)
    values = np.repeat(planted(1000, rng), 20)  # a hole says one thing twenty times
    settings = {"n_segments": 3, "n_largest": 800}
    alone = fractal_thresholds(values, **settings)
    grouped = fractal_thresholds(values, **settings, groups=holes)
    assert_allclose(grouped.thresholds, alone.thresholds)
    width, wide = (np.ptp(np.log(m.intervals), axis=1).sum() for m in (alone, grouped))
    assert wide > 1.5 * width


def test_classes_begin_at_their_threshold_and_missing_stays_missing():
    model = fractal_thresholds(planted(50_000), n_bootstrap=0)
    low, middle, high = model.thresholds
    values = [0.1, low * 0.999, low, middle, high, 1e9, np.nan]
    assert_allclose(model.classify(values), [0, 0, 1, 2, 3, 3, np.nan])
    assert model.classify([[1.0, 2.0]]).shape == (1, 2)


def test_the_summary_adds_up():
    model = fractal_thresholds(planted(50_000))
    table = model.summary()
    assert list(table.index) == list(model.names)
    assert table["share"].sum() == pytest.approx(1)
    shares = np.bincount(model.classify(planted(50_000)).astype(int)) / 50_000
    assert_allclose(table["share"], shares, atol=0.01)
    assert (table["from_low"][1:] <= table["from_high"][1:]).all()


def test_missing_and_negative_values_are_counted():
    values = np.concatenate([planted(5000), [np.nan] * 7, [-0.5] * 3, [0.0]])
    with pytest.warns(GossanWarning, match="4 of 5004 values are zero or negative"):
        model = fractal_thresholds(values, n_bootstrap=0)
    assert (model.n, model.n_missing, model.n_not_positive) == (5004, 7, 4)
    assert_allclose(model.thresholds, fractal_thresholds(planted(5000)).thresholds, rtol=0.02)


@pytest.mark.parametrize("elevations", [None, (0, 100)])
def test_a_grid_gets_a_layer_of_classes_by_area_or_volume(elevations):
    grid = make_grid((0, 1000, 0, 500), 10, elevations=elevations)
    values = planted(5000 if elevations is None else 50_000)
    values[17] = np.nan
    grid = add_layer(grid, "Au", values)
    answer, model = add_fractal_classes(grid, "Au", n_bootstrap=0)
    layer = answer["Au_class"].to_numpy()
    assert layer.dtype == np.float32
    assert np.isnan(layer).sum() == 1
    assert_allclose(layer, model.classify(grid["Au"].to_numpy()))
    assert "3 inner" in answer["Au_class"].attrs["long_name"]
    assert model.n_missing == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"n_segments": 1}, "n_segments must be 2 to 6"),
        ({"n_values": 20}, "do not fit 20 values"),
        ({"level": 1.0}, "level must be between 0 and 1"),
        ({"sizes": np.ones(3)}, r"Sizes have shape \(3,\)"),
        ({"sizes": -1.0}, "Sizes must be positive"),
        ({"n_largest": 5000}, "more than 5000 positive values"),
        ({"groups": ["a"]}, "1 labels for 900 rows"),
    ],
)
def test_what_cannot_be_is_refused(more, message):
    with pytest.raises(ValueError, match=message):
        fractal_thresholds(planted(900), **more)


def test_values_that_do_not_vary_or_are_infinite_are_refused():
    with pytest.raises(ValueError, match="nothing lies between"):
        fractal_thresholds(np.ones(900))
    with pytest.raises(ValueError, match="got 1 infinite"):
        fractal_thresholds([*planted(900), np.inf])
    with pytest.raises(ValueError, match="has no layer 'Au', only Ag"):
        add_fractal_classes(add_layer(make_grid((0, 20, 0, 20), 10), "Ag", np.ones(4)), "Au")
