"""Intervals cover what they say on simulated deposits; calibration recovers a known temperature."""

import numpy as np
import pytest
from scipy import special, stats

from gossan.validation._groups import expanded_percentiles, group_draws
from gossan.validation.uncertainty import (
    TemperatureCalibrator,
    calibration_curve,
    clopper_pearson,
    cluster_bootstrap,
    expected_calibration_error,
    held_out_temperature,
)


def _deposits(rng, n_groups=40):
    """Rows with a strong deposit effect round a true mean of 0."""
    groups = np.repeat(np.arange(n_groups), rng.integers(1, 25, n_groups))
    return rng.normal(size=n_groups)[groups] + 0.3 * rng.normal(size=len(groups)), groups


def test_cluster_bootstrap_covers_the_truth_where_a_row_bootstrap_does_not():
    rng = np.random.default_rng(1)
    inside, inside_rows, n_tables = 0, 0, 150
    for _ in range(n_tables):
        values, groups = _deposits(rng)
        means = lambda rows, v=values: v[rows].mean()  # noqa: E731
        found = cluster_bootstrap(means, groups, n_resamples=200, random_state=rng)
        inside += found.low <= 0.0 <= found.high
        half = 1.96 * values.std() / np.sqrt(len(values))
        inside_rows += abs(values.mean()) <= half
    assert 0.90 <= inside / n_tables <= 0.99
    assert inside_rows / n_tables < 0.6


@pytest.mark.parametrize("n_groups", [6, 12, 97])
def test_the_expanded_interval_covers_a_mean_of_few_groups(n_groups):
    rng = np.random.default_rng(n_groups)
    n_tables = 400
    samples = rng.normal(size=(n_tables, n_groups))
    hits = 0
    for sample in samples:
        draws = group_draws(n_groups, 400, rng) @ sample / n_groups
        low, high = expanded_percentiles(draws, n_groups)
        hits += low <= 0.0 <= high
    assert hits / n_tables == pytest.approx(0.95, abs=0.035)


def test_a_cluster_bootstrap_is_seeded_and_prints():
    values, groups = _deposits(np.random.default_rng(0), 10)
    one = cluster_bootstrap(lambda rows: values[rows].mean(), groups, n_resamples=50)
    assert one == cluster_bootstrap(lambda rows: values[rows].mean(), groups, n_resamples=50)
    assert "95 % interval over 10 groups" in str(one)
    assert one.value == pytest.approx(values.mean())


def test_draws_without_a_value_are_left_out():
    assert np.isnan(expanded_percentiles(np.full(5, np.nan), 5)).all()
    assert np.isfinite(expanded_percentiles([1.0, np.nan, 2.0], 5)).all()


def test_intervals_refuse_one_group_and_odd_coverage():
    with pytest.raises(ValueError, match="at least two groups, got 1"):
        cluster_bootstrap(lambda rows: 0.0, ["a", "a"], n_resamples=3)
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1, got 95"):
        clopper_pearson(1, 2, coverage=95)


def test_clopper_pearson_agrees_with_published_and_scipy_values():
    # Clopper & Pearson's interval of 0 of 10 is 1 - 0.025**(1/10).
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 1 - 0.025**0.1))
    assert clopper_pearson(10, 10) == pytest.approx((0.025**0.1, 1.0))
    exact = stats.binomtest(81, 97).proportion_ci(0.95, method="exact")
    assert clopper_pearson(81, 97) == pytest.approx((exact.low, exact.high))


def test_clopper_pearson_refuses_impossible_counts():
    with pytest.raises(ValueError, match="5 of 4 is no share"):
        clopper_pearson(5, 4)


def _drawn_labels(rng, probabilities):
    return (rng.random((len(probabilities), 1)) > probabilities.cumsum(axis=1)).sum(axis=1)


def test_a_calibrated_model_has_little_calibration_error_and_a_sure_one_much():
    rng = np.random.default_rng(0)
    true = special.softmax(1.5 * rng.normal(size=(20_000, 4)), axis=1)
    labels = _drawn_labels(rng, true)
    assert expected_calibration_error(true, labels) < 0.015
    assert expected_calibration_error(true, labels, strategy="uniform") < 0.015
    sharp = special.softmax(np.log(true) * 3.0, axis=1)
    assert expected_calibration_error(sharp, labels) > 0.1


def test_the_calibration_curve_by_hand():
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    curve = calibration_curve(p, ["A", "A", "A", "B"], classes=["A", "B"], n_bins=2)
    assert curve["stated"].tolist() == pytest.approx([0.6, 0.9])
    assert curve["observed"].tolist() == [0.5, 1.0]
    assert curve["n"].tolist() == [2, 2]
    assert curve["low"][0] == pytest.approx(clopper_pearson(1, 2)[0])
    weighted = calibration_curve(
        p, ["A", "A", "A", "B"], classes=["A", "B"], strategy="uniform", weights=[1, 1, 3, 1]
    )
    assert weighted["observed"].tolist() == pytest.approx([0.75, 1.0])
    error = expected_calibration_error(p, [0, 0, 0, 1], n_bins=2)
    assert error == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)


def test_the_temperature_of_an_over_sure_model_is_recovered():
    rng = np.random.default_rng(3)
    true = special.softmax(rng.normal(size=(20_000, 3)), axis=1)
    labels = _drawn_labels(rng, true)
    sharp = special.softmax(np.log(true) * 2.5, axis=1)
    model = TemperatureCalibrator().fit(sharp, labels)
    assert model.temperature_ == pytest.approx(2.5, rel=0.06)
    calibrated = model.predict_proba(sharp)
    assert np.array_equal(calibrated.argmax(axis=1), sharp.argmax(axis=1))
    assert np.abs(calibrated - true).max() < 0.05


def test_held_out_temperature_never_sees_its_own_group():
    rng = np.random.default_rng(4)
    p = special.softmax(2 * rng.normal(size=(60, 3)), axis=1)
    labels, groups = _drawn_labels(rng, p), np.repeat(np.arange(12), 5)
    before = held_out_temperature(p, labels, groups)
    changed = labels.copy()
    changed[groups == 3] = (changed[groups == 3] + 1) % 3
    after = held_out_temperature(p, changed, groups)
    assert np.array_equal(before[groups == 3], after[groups == 3])
    assert not np.allclose(before[groups == 4], after[groups == 4])


def test_untested_rows_stay_untested_and_do_not_count():
    p = np.array([[0.9, 0.1], [np.nan, np.nan], [0.2, 0.8], [0.7, 0.3]])
    model = TemperatureCalibrator(["A", "B"]).fit(p, ["A", "A", "B", "B"])
    assert np.isnan(model.predict_proba(p)[1]).all()
    assert calibration_curve(p, [0, 0, 1, 1], n_bins=1)["n"].tolist() == [3]


def test_calibration_refuses_what_it_cannot_read():
    p = [[0.5, 0.5], [0.2, 0.8]]
    with pytest.raises(ValueError, match="Label 'C' is none of the classes"):
        calibration_curve(p, ["A", "C"], classes=["A", "B"])
    with pytest.raises(ValueError, match="do not sum to 1"):
        calibration_curve([[0.5, 0.9]], [0])
    with pytest.raises(ValueError, match="3 classes were named for 2"):
        TemperatureCalibrator(["A", "B", "C"]).fit(p, ["A", "B"])
    with pytest.raises(ValueError, match="strategy must be one of quantile, uniform"):
        calibration_curve(p, [0, 1], strategy="equal")
    with pytest.raises(ValueError, match="Nothing to calibrate"):
        calibration_curve(np.full((2, 2), np.nan), [0, 1])
    with pytest.raises(ValueError, match="needs two groups"):
        held_out_temperature(p, [0, 1], ["a", "a"])
