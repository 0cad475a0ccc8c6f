import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.geochem import sulfur_isotopes as sulfur

REFERENCE = Path(__file__).parents[1] / "reference" / "sulfur_isotopes.toml"
PUBLISHED = tomllib.loads(REFERENCE.read_text(encoding="utf-8"))
PAIRS = [("sphalerite", "galena"), ("pyrite", "galena"), ("pyrite", "sphalerite")]
PAIRS += [("pyrite", "chalcopyrite"), ("galena", "pyrite")]


@pytest.mark.parametrize("mineral", sulfur.FRACTIONATION)
def test_mineral_fractionation_is_the_reference_one(mineral):
    # At 726.85 °C, 1000 K, the fractionation is A itself.
    at_1000_kelvin = float(sulfur.mineral_fractionation(mineral, 726.85))
    assert at_1000_kelvin == pytest.approx(PUBLISHED["mineral_h2s"][mineral])


@pytest.mark.parametrize("case", PUBLISHED["pair"])
def test_pair_fractionation_at_200_is_the_reference_one(case):
    result = sulfur.pair_fractionation(*case["minerals"], temperature=200)
    assert round(float(result), 3) == case["at_200"]


@pytest.mark.parametrize("case", [case for case in PUBLISHED["pair"] if "inverse" in case])
def test_pair_temperature_is_the_reference_one(case):
    fractionation, temperature = case["inverse"]
    result = sulfur.temperature_of_fractionation(fractionation, pair=tuple(case["minerals"]))
    assert round(float(result), 1) == temperature


@pytest.mark.parametrize(("temperature", "fractionation"), PUBLISHED["sulfate_h2s"]["values"])
def test_sulfate_fractionation_is_the_reference_one(temperature, fractionation):
    assert round(float(sulfur.sulfate_fractionation(temperature)), 2) == fractionation


def test_difference_by_hand():
    # 1000 ln(1010 / 1008)
    assert round(float(sulfur.isotope_difference(10.0, 8.0)), 4) == 1.9822


@given(st.sampled_from(PAIRS), st.floats(0, 1000))
def test_temperature_and_fractionation_are_inverse(pair, temperature):
    fractionation = sulfur.pair_fractionation(*pair, temperature=temperature)
    back = sulfur.temperature_of_fractionation(fractionation, pair=pair)
    assert float(back) == pytest.approx(temperature, abs=1e-6)


@given(st.floats(20, 800), st.floats(-40, 40))
def test_deltas_give_back_the_temperature_they_were_made_at(temperature, delta):
    shift = sulfur.pair_fractionation("sphalerite", "galena", temperature=temperature)
    sphalerite = (1000 + delta) * np.exp(shift / 1000) - 1000
    result = sulfur.pair_temperature(sphalerite, delta)
    assert float(result.value) == pytest.approx(temperature, abs=1e-4)


@given(st.floats(50, 600))
def test_sulfate_temperature_is_the_inverse_of_its_fractionation(temperature):
    sulfate = 1000 * np.exp(sulfur.sulfate_fractionation(temperature) / 1000) - 1000
    result = sulfur.sulfate_temperature(sulfate, 0.0)
    assert float(result.value) == pytest.approx(temperature, abs=1e-5)


def test_temperature_error_recovers_the_spread_of_repeated_analyses():
    rng = np.random.default_rng(0)
    shift = sulfur.pair_fractionation("pyrite", "galena", temperature=250)
    pyrite = 1000 * np.exp(shift / 1000) - 1000
    noise = rng.normal(0, 0.1, (2, 20_000))
    repeated = sulfur.pair_temperature(pyrite + noise[0], noise[1], pair=("pyrite", "galena"))
    one = sulfur.pair_temperature(pyrite, 0.0, pair=("pyrite", "galena"), analytical_error=0.1)
    assert float(one.uncertainty) == pytest.approx(np.std(repeated.value), rel=0.03)


def test_sulfate_error_recovers_the_spread_of_repeated_analyses():
    noise = np.random.default_rng(1).normal(0, 0.3, (2, 20_000))
    repeated = sulfur.sulfate_temperature(25 + noise[0], noise[1])
    one = sulfur.sulfate_temperature(25.0, 0.0, analytical_error=0.3)
    assert float(one.uncertainty) == pytest.approx(np.std(repeated.value), rel=0.03)


def test_equal_and_reversed_pairs_give_no_temperature():
    result = sulfur.pair_temperature([5.0, 3.0, np.nan, 8.0], [5.0, 5.0, 5.0, 5.0])
    assert result.reason.tolist()[:3] == ["not in equilibrium", "not in equilibrium", "missing"]
    assert np.isnan(result.value[:3]).all()
    assert result.valid.tolist() == [False, False, False, True]
    assert sulfur.sulfate_temperature(0.3, 0.0).reason == "not in equilibrium"


def test_temperatures_outside_the_calibration_are_flagged():
    result = sulfur.pair_temperature([0.5, 12.0], [0.0, 0.0])
    assert result.reason.tolist() == ["extrapolated above 700 °C", "extrapolated below 50 °C"]
    assert sulfur.sulfate_temperature(60.0, 0.0).reason == "extrapolated below 100 °C"


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"mineral must be one of .*Did you mean 'galena'"):
        sulfur.mineral_fractionation("galina", 200)
    with pytest.raises(ValueError, match="pair must be one of"):
        sulfur.pair_temperature(1.0, 0.0, pair=("pyrite", "gold"))
    with pytest.raises(ValueError, match="pair must be two minerals that fractionate"):
        sulfur.pair_temperature(1.0, 0.0, pair=("sphalerite", "pyrrhotite"))
    with pytest.raises(ValueError, match="pair must be two minerals that fractionate"):
        sulfur.temperature_of_fractionation(1.0, pair=("sphalerite", "sphalerite"))
    with pytest.raises(ValueError, match="Give δ34S in per mil, above -1000"):
        sulfur.isotope_difference(-1000.0, 0.0)
    with pytest.raises(ValueError, match=r"analytical_error must not be negative, got -0\.1"):
        sulfur.pair_temperature(1.0, 0.0, analytical_error=-0.1)
    with pytest.raises(ValueError, match=r"Temperature must be above -273\.15"):
        sulfur.sulfate_fractionation(-274)
