"""Levelling: hand-worked steps, and planted batches, lithologies and sources that come back."""

import numpy as np
import pandas as pd
import pytest

from gossan.geochem import (
    level_batches,
    level_by_catchment,
    level_by_unit,
    source_concentration,
)

ROCKS = ["granite", "slate", "basalt"]
NORMAL = np.array([[20.0, 5.0], [60.0, 30.0], [10.0, 90.0]])  # Pb and Ni of each rock [ppm]


def catchments(n=600, seed=0, noise=0.05):
    """Return shares, areas and concentrations of catchments of three rocks, mixed in logarithms."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet([0.6, 0.6, 0.6], n)
    logs = shares @ np.log10(NORMAL) + rng.normal(0, noise, (n, 2))
    return pd.DataFrame(shares, columns=ROCKS), rng.uniform(1, 60, n), 10.0**logs


def test_the_background_of_each_rock_is_found():
    shares, _, values = catchments()
    levelled = level_by_catchment(pd.DataFrame(values, columns=["Pb", "Ni"]), shares)
    assert list(levelled.coefficients.index) == ROCKS
    np.testing.assert_allclose(levelled.coefficients, np.log10(NORMAL), atol=0.02)
    assert (levelled.explained > 0.9).all()
    assert levelled.residuals["Pb"].std() == pytest.approx(0.05, rel=0.1)


def test_residuals_no_longer_know_the_rock():
    shares, _, values = catchments(seed=3)
    residuals = level_by_catchment(values, shares).residuals
    logs = np.log10(values[:, 1])
    assert np.corrcoef(logs, shares["basalt"])[0, 1] > 0.5
    assert np.corrcoef(logs, shares["granite"])[0, 1] < -0.5
    for rock in ROCKS:
        assert abs(np.corrcoef(residuals[:, 1], shares[rock])[0, 1]) < 0.08


def test_anomalies_do_not_raise_their_own_background():
    shares, _, values = catchments()
    rich = np.flatnonzero(shares["slate"] > 0.7)[:40]
    broken = values.copy()
    broken[rich, 0] *= 20.0
    levelled = level_by_catchment(broken, shares)
    # Least squares would lift slate by a factor of two; twenty times is 1.3 in log10.
    assert levelled.coefficients.loc["slate", "x0"] == pytest.approx(np.log10(60.0), abs=0.06)
    assert np.median(levelled.residuals[rich, 0]) == pytest.approx(np.log10(20.0), abs=0.06)


def test_a_planted_source_delivers_the_same_whatever_dilutes_it():
    # Hawkes: C A = C_source A_source + C_background (A - A_source).
    shares, areas, values = catchments(noise=0.0)
    source, size = 5000.0, 0.2
    fed = np.arange(0, 600, 6)
    background = values[fed, 0]
    values[fed, 0] = (source * size + background * (areas[fed] - size)) / areas[fed]
    levelled = level_by_catchment(values, shares, areas=areas)
    delivered = levelled.productivity[fed, 0]
    np.testing.assert_allclose(delivered, (source - background) * size, rtol=0.02)
    raw = values[fed, 0] - background
    assert raw.max() / raw.min() > 20  # the anomaly itself is diluted from 1 to 60 km²
    unmixed = source_concentration(values[fed, 0], background, areas[fed], source_area=size)
    np.testing.assert_allclose(unmixed, source, rtol=1e-9)


def test_gaps_stay_gaps_and_harm_no_other_element():
    shares, _, values = catchments()
    broken = values.copy()
    broken[:50, 0] = np.nan
    whole, part = level_by_catchment(values, shares), level_by_catchment(broken, shares)
    np.testing.assert_array_equal(np.isnan(part.residuals), np.isnan(broken))
    np.testing.assert_array_equal(part.residuals[:, 1], whole.residuals[:, 1])


def test_rare_rocks_are_pooled_and_unmapped_ground_is_a_unit():
    shares, _, values = catchments()
    shares["skarn"] = 0.0
    shares.iloc[:3, [0, 1, 2, 3]] = [0.0, 0.0, 0.0, 1.0]
    levelled = level_by_catchment(values, shares)
    assert levelled.pooled == ("skarn",)
    assert list(levelled.coefficients.index) == [*ROCKS, "other"]
    unmapped = level_by_catchment(values, shares[["granite", "slate"]])
    assert list(unmapped.coefficients.index) == ["granite", "slate", "other"]
    np.testing.assert_allclose(unmapped.coefficients.loc["other"], np.log10(NORMAL[2]), atol=0.05)


def test_the_raw_values_stay_as_they_were():
    shares, areas, values = catchments(50)
    before = values.copy()
    levelled = level_by_catchment(values, shares, areas=areas, min_catchments=5)
    np.testing.assert_array_equal(values, before)
    np.testing.assert_array_equal(levelled.raw, before)
    assert levelled.raw is not values
    product = levelled.background * 10.0**levelled.residuals
    np.testing.assert_allclose(product, values)


def test_scores_within_rocks_by_hand():
    # a: median 2, MAD 1; b: median 20, MAD 10; c has too few: all of 1 2 3 10 20 30 7, median 7, MAD 5.
    values = np.array([[1.0], [2.0], [3.0], [10.0], [20.0], [30.0], [7.0]])
    levelled = level_by_unit(values, list("aaabbbc"), min_count=3)
    np.testing.assert_allclose(
        levelled.values.ravel() * 1.4826022, [-1, 0, 1, -1, 0, 1, 0], atol=1e-6
    )
    assert levelled.fallback == ("c",)
    assert levelled.levels.loc[("c", "x0"), "centre"] == 7.0
    assert levelled.levels.loc[("c", "x0"), "n"] == 1
    assert "Too few samples: c" in str(levelled)


def test_a_lithology_step_is_taken_off_and_the_anomaly_stays():
    rng = np.random.default_rng(2)
    units = rng.choice(["granite", "slate"], 800, p=[0.3, 0.7])
    logs = rng.normal(0, 0.1, (800, 1)) + np.where(units == "granite", 2.0, 1.0)[:, None]
    ore = np.flatnonzero(units == "slate")[:10]
    logs[ore] += 0.6  # high for slate, low against any granite
    values = level_by_unit(logs, units).values
    assert abs(np.median(values[units == "granite"]) - np.median(values[units == "slate"])) < 0.01
    assert (logs[ore] < np.median(logs[units == "granite"])).all()
    assert (values[ore, 0] > np.quantile(values, 0.98)).all()


def test_a_unit_of_equal_values_takes_the_level_of_all():
    rng = np.random.default_rng(0)
    values = np.r_[rng.normal(size=40), np.full(40, 2.0)][:, None]
    levelled = level_by_unit(values, np.repeat(["a", "b"], 40))
    assert levelled.fallback == ("b",)
    assert np.isfinite(levelled.values).all()


def test_planted_batch_offsets_are_found():
    rng = np.random.default_rng(4)
    batches = rng.choice(["1987", "1991", "2004"], 6000)
    planted = {"1987": 0.30, "1991": -0.10, "2004": 0.0}
    truth = rng.normal(1.0, 0.2, (6000, 2))
    shift = np.array([planted[each] for each in batches])
    levelled = level_batches(truth + shift[:, None] * [1.0, 0.0], batches)
    found = levelled.levels["centre"].xs("x0", level="element")
    assert found["1987"] - found["2004"] == pytest.approx(0.30, abs=0.025)
    assert found["1991"] - found["2004"] == pytest.approx(-0.10, abs=0.025)
    spread = levelled.values - truth
    assert np.ptp(spread[:, 0]) < 0.025
    assert np.ptp(spread[:, 1]) < 0.025


def test_a_small_batch_is_left_as_it_is_and_named():
    values = np.arange(45.0)[:, None]
    batches = np.repeat(["a", "b", "tiny"], [20, 20, 5])
    levelled = level_batches(pd.DataFrame(values, columns=["As"]), batches)
    assert levelled.fallback == ("tiny",)
    np.testing.assert_array_equal(levelled.values["As"][40:], values[40:, 0])
    # Medians 9.5 and 29.5, of all 22: a rises by 12.5, b falls by 7.5.
    assert levelled.values["As"][0] == 12.5
    assert levelled.values["As"][20] == 12.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s, v: level_by_catchment(-v, s), "positive concentrations, got"),
        (lambda s, v: level_by_catchment(v, 100 * s), "add up to 1 at most"),
        (lambda s, v: level_by_catchment(v, s[:5]), "a row for each of 60 samples"),
        (lambda s, v: level_by_catchment(v, s, areas=np.zeros(60)), "areas must be positive"),
        (lambda s, v: level_by_catchment(v[:3], s[:3], min_catchments=0), "known in 3 catchments"),
        (lambda s, v: level_by_catchment(v[:, 0], s), "One element is"),
        (lambda _, v: level_by_unit(v, [None] * 60), "units is missing in 60"),
        (lambda _, v: level_by_unit(v, ["a"] * 60, min_count=1), "min_count must be 2 or more"),
        (lambda _, v: level_by_unit(0 * v, ["a"] * 60), "x0 has one value throughout"),
        (lambda _, v: level_batches(v, ["a"] * 3), "3 labels for 60 rows"),
        (lambda _, v: source_concentration(v[:, 0], v[:, 0], [0.5] * 60), "does not fit into"),
    ],
)
def test_what_cannot_be_levelled_is_said(call, message):
    shares, _, values = catchments(60)
    with pytest.raises(ValueError, match=message):
        call(shares, values)
