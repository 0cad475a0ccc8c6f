import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gossan.geochem import sulfur_fugacity as fugacity

REFERENCE = Path(__file__).parents[1] / "reference" / "thermometry.toml"
PUBLISHED = tomllib.loads(REFERENCE.read_text(encoding="utf-8"))
KELVIN = 273.15


def test_fes_of_a_stoichiometric_and_a_measured_grain():
    # 4.2 % Fe: 0.075208 mol; rest ZnS 93.389 / 97.44 = 0.95842 mol; 7.2761 mol%.
    assert round(float(fugacity.fes_in_sphalerite(42_000)), 4) == 7.2761
    assert round(float(fugacity.fes_in_sphalerite(42_000, 620_000)), 4) == 7.3481


def test_fes_does_not_depend_on_the_unit():
    percent = fugacity.fes_in_sphalerite([4.2, 0.1], [62.0, 66.0], unit="wt%")
    np.testing.assert_allclose(percent, fugacity.fes_in_sphalerite([42e3, 1e3], [62e4, 66e4]))


def test_fes_of_pure_iron_sulfide_is_all():
    pure = 1e6 * 55.845 / (55.845 + 32.06)
    assert float(fugacity.fes_in_sphalerite(pure)) == pytest.approx(100)


@given(st.floats(1.0, 6e5))
def test_measured_zinc_of_a_pure_grain_changes_nothing(iron):
    moles = iron / 1e4 / 55.845
    zinc = (100 - moles * 87.905) / 97.44 * 65.38 * 1e4
    assume(zinc > 1.0)
    without = fugacity.fes_in_sphalerite(iron)
    assert float(fugacity.fes_in_sphalerite(iron, zinc)) == pytest.approx(float(without))


def test_impossible_concentrations_are_refused():
    with pytest.raises(ValueError, match=r"Fe must be at most 63.5288 wt%.*got 42000.*unit='ppm'"):
        fugacity.fes_in_sphalerite(42_000, unit="wt%")
    with pytest.raises(ValueError, match=r"Zn must be at most 670977 ppm.*got 700000"):
        fugacity.fes_in_sphalerite(42_000, 700_000)
    with pytest.raises(ValueError, match=r"Fe must be positive \[ppm\], got -1"):
        fugacity.fes_in_sphalerite(-1)
    with pytest.raises(ValueError, match="unit must be one of wt%, ppm"):
        fugacity.fes_in_sphalerite(1, unit="percent")


@pytest.mark.parametrize(("kelvin", "log_fs2", "fes"), PUBLISHED["isopleths"]["forward"])
def test_isopleths_give_the_reference_fes(kelvin, log_fs2, fes):
    result = fugacity.fes_from_sulfur_fugacity(log_fs2, kelvin - KELVIN)
    assert round(float(result.value), 3) == fes


@pytest.mark.parametrize(("kelvin", "fes", "log_fs2"), PUBLISHED["isopleths"]["inverse"])
def test_inverse_isopleths_give_the_reference_fugacity(kelvin, fes, log_fs2):
    result = fugacity.log_sulfur_fugacity(fes, kelvin - KELVIN)
    assert round(float(result.value), 3) == log_fs2


@given(st.floats(100, 700), st.floats(0.01, 20))
def test_fugacity_and_fes_are_inverse(temperature, fes):
    result = fugacity.log_sulfur_fugacity(fes, temperature, impossible="flag")
    assume(np.isfinite(result.value))
    back = fugacity.fes_from_sulfur_fugacity(result.value, temperature)
    assert float(back.value) == pytest.approx(fes, rel=1e-6, abs=1e-6)


@given(st.floats(150, 700), st.floats(0.01, 15))
def test_the_greater_root_is_taken(temperature, fes):
    # Above the turning point, more sulfur means less iron in sphalerite.
    lean, rich = fugacity.log_sulfur_fugacity(
        [fes, fes + 1.0], temperature, impossible="flag"
    ).value
    assume(np.isfinite(rich))
    assert lean > rich


def test_fes_above_the_ceiling_is_refused():
    # 100 °C: c0 + c1^2 / (4 x 0.34486) is -249.8 + 270.0 = about 20 mol%.
    with pytest.raises(ValueError, match=r"FeS must be at most .* mol% at 100 °C.*got 90 at index"):
        fugacity.log_sulfur_fugacity([5.0, 90.0], 100.0)
    flagged = fugacity.log_sulfur_fugacity([5.0, 90.0], 100.0, impossible="flag")
    assert np.isnan(flagged.value[1])
    assert flagged.reason.tolist() == ["extrapolated below 300 °C", "above the ceiling"]


def test_the_ceiling_is_the_highest_fes_of_the_isopleths():
    log_fs2 = np.linspace(-60, 0, 60_001)
    highest = np.nanmax(fugacity.fes_from_sulfur_fugacity(log_fs2, 250.0).value)
    below = fugacity.log_sulfur_fugacity(highest - 1e-6, 250.0)
    assert np.isfinite(below.value)
    with pytest.raises(ValueError, match=f"at most {highest:.4g}"):
        fugacity.log_sulfur_fugacity(highest + 1e-3, 250.0)


def test_flags_of_the_isopleths():
    forward = fugacity.fes_from_sulfur_fugacity([-9, -30, 5, -12, -10.7], [300, 300, 300, 250, 300])
    assert forward.reason.tolist() == [
        "",
        "below the turning point",
        "outside 0-100 mol%",
        "extrapolated below 300 °C",
        "in the field of pyrrhotite",
    ]
    inverse = fugacity.log_sulfur_fugacity([10, 10, 21, np.nan], [300, 299, 300, 300])
    assert inverse.valid.tolist() == [True, False, False, False]
    assert inverse.reason.tolist() == [
        "",
        "extrapolated below 300 °C",
        "in the field of pyrrhotite",
        "missing",
    ]


def test_fugacity_error_is_that_of_a_small_step():
    step = 1e-4
    high, low = fugacity.log_sulfur_fugacity([10 + step, 10 - step], 300).value
    by_fes = abs(high - low) / (2 * step)
    hot, cold = fugacity.log_sulfur_fugacity(10, [300 + step, 300 - step]).value
    by_heat = abs(hot - cold) / (2 * step)

    def error(**errors):
        return float(fugacity.log_sulfur_fugacity(10, 300, **errors).uncertainty)

    assert error(fes_error=0.5) == pytest.approx(0.5 * by_fes, rel=1e-5)
    assert error(temperature_error=20) == pytest.approx(20 * by_heat, rel=1e-5)
    both = error(fes_error=0.5, temperature_error=20)
    assert both == pytest.approx(np.hypot(0.5 * by_fes, 20 * by_heat), rel=1e-5)
    assert np.isnan(error())


def test_temperature_in_kelvin_below_zero_is_refused():
    with pytest.raises(ValueError, match=r"Temperature must be above -273\.15 °C, got -300"):
        fugacity.log_sulfur_fugacity(10, -300)


@pytest.mark.parametrize(("fes", "pressure"), PUBLISHED["barometer"]["values"])
def test_barometer_gives_the_reference_pressure(fes, pressure):
    assert round(float(fugacity.sphalerite_pressure(fes).value), 3) == pressure


def test_barometer_flags_and_error():
    result = fugacity.sphalerite_pressure([25, 17, 5], fes_error=1.0)
    assert result.reason.tolist() == ["negative pressure", "", "extrapolated above 10 kbar"]
    # 32.10 / ln 10 / 17
    assert result.uncertainty[1] == pytest.approx(0.820, abs=0.001)


@pytest.mark.parametrize(("temperature", "fes"), PUBLISHED["buffer"]["values"])
def test_buffer_gives_the_reference_fes(temperature, fes):
    result = fugacity.buffered_fes(temperature)
    assert round(float(result.value), 3) == fes
    assert result.valid


@given(st.floats(100, 600))
def test_buffer_temperature_and_fes_are_inverse(temperature):
    fes = fugacity.buffered_fes(temperature).value
    assert float(fugacity.buffer_temperature(fes).value) == pytest.approx(temperature)


def test_buffer_refuses_what_it_cannot_reach():
    with pytest.raises(ValueError, match=r"FeS must be below 58.9 mol%.*got 60"):
        fugacity.buffer_temperature([1.0, 60.0])
    with pytest.raises(ValueError, match="FeS must be positive"):
        fugacity.buffer_temperature(0.0)
    assert fugacity.buffer_temperature(5.0).reason == "extrapolated above 395 °C"
