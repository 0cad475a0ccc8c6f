import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.geochem import sulfur_sources as sources

REFERENCE = Path(__file__).parents[1] / "reference" / "sulfur_isotopes.toml"
PUBLISHED = tomllib.loads(REFERENCE.read_text(encoding="utf-8"))["rayleigh"]
FRACTION = st.floats(0.01, 1.0)


@pytest.mark.parametrize(
    ("difference", "temperature", "source", "valid"),
    [
        (40, np.nan, "BSR", False),
        (40, 50, "BSR", True),
        (40, 70, "BSR", False),
        (40, 90, "neither", False),
        (40, 150, "neither", False),
        (10, np.nan, "TSR", False),
        (10, 150, "TSR", True),
        (10, 120, "TSR", False),
        (10, 50, "neither", False),
        (17, np.nan, "either", False),
        (17, 50, "BSR", True),
        (17, 200, "TSR", True),
        (17, 90, "neither", False),
        (15, np.nan, "either", False),
        (20, np.nan, "either", False),
        (60, np.nan, "BSR", False),
        (61, np.nan, "neither", False),
        (0, np.nan, "TSR", False),
        (-1, np.nan, "neither", False),
    ],
)
def test_ranges_of_sulfate_reduction(difference, temperature, source, valid):
    row = sources.sulfate_reduction(20.0 - difference, 20.0, temperature=temperature).iloc[0]
    assert (row["source"], row["valid"]) == (source, valid)
    assert row["difference"] == pytest.approx(difference)
    assert (row["reason"] == "") == valid


def test_an_uncertain_temperature_leaves_both_ways_open():
    row = sources.sulfate_reduction(3.0, 20.0, temperature=90, temperature_error=50).iloc[0]
    assert row["source"] == "either"
    assert not row["valid"]


def test_a_missing_delta_has_no_source_and_labels_are_kept():
    table = sources.sulfate_reduction(pd.Series([np.nan, -20.0], index=["a", "b"]), 20.0)
    assert table.index.tolist() == ["a", "b"]
    assert pd.isna(table.loc["a", "source"])
    assert table.loc["a", "reason"] == "missing"
    assert table.loc["b", "source"] == "BSR"


def test_rayleigh_gives_the_reference_values():
    trend = sources.rayleigh(
        PUBLISHED["remaining"], initial=PUBLISHED["initial"], enrichment=PUBLISHED["enrichment"]
    )
    assert round(float(trend.residual), 3) == PUBLISHED["residual"]
    assert round(float(trend.cumulative), 3) == PUBLISHED["cumulative"]


@given(FRACTION, st.floats(-20, 40), st.floats(-10, 60))
def test_rayleigh_keeps_the_sulfur_balance(remaining, initial, enrichment):
    trend = sources.rayleigh(remaining, initial=initial, enrichment=enrichment)
    total = remaining * trend.residual + (1 - remaining) * trend.cumulative
    assert float(total) == pytest.approx(initial, abs=1e-6)


def test_rayleigh_starts_with_the_full_enrichment():
    # 1020 x 0.96 - 1000
    trend = sources.rayleigh([1.0, 0.999999], initial=20, enrichment=40)
    np.testing.assert_allclose(trend.residual, 20, atol=1e-3)
    np.testing.assert_allclose(trend.cumulative, -20.8, atol=1e-3)
    np.testing.assert_allclose(trend.instantaneous, -20.8, atol=1e-3)


def test_rayleigh_refuses_fractions_that_are_none():
    with pytest.raises(ValueError, match="remaining must be at most 1, got 50"):
        sources.rayleigh(50.0, initial=20, enrichment=40)
    with pytest.raises(ValueError, match="remaining must be positive, got 0"):
        sources.rayleigh(0.0, initial=20, enrichment=40)


def test_delta_below_the_lowest_is_refused():
    with pytest.raises(ValueError, match="delta_sulfide must be above -1000 ‰, got -2000"):
        sources.sulfate_reduction(-2000.0, 20.0)
