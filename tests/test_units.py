"""Units: conversions against figures worked by hand, factors against published tables."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan import _units
from gossan._units import convert_unit, normalise_unit, oxide_to_element_factor

CONCENTRATIONS = ["ppm", "ppb", "ppt", "wt%", "fraction", "oz/t", "oz/tonne"]

# Conversion factors as printed in textbooks of geochemistry, such as Rollinson & Pease (2021),
# Using Geochemical Data, to the four digits printed there.
PRINTED_FACTORS = {
    "SiO2": 0.4674, "TiO2": 0.5993, "Al2O3": 0.5293, "Fe2O3": 0.6994, "FeO": 0.7773,
    "MnO": 0.7745, "MgO": 0.6030, "CaO": 0.7147, "Na2O": 0.7419, "K2O": 0.8302, "P2O5": 0.4364,
    "Cr2O3": 0.6842, "U3O8": 0.8480,
}  # fmt: skip


@pytest.mark.parametrize(("oxide", "factor"), PRINTED_FACTORS.items())
def test_oxide_factors_are_the_printed_ones(oxide, factor):
    assert oxide_to_element_factor(oxide) == pytest.approx(factor, abs=6e-5)


def test_atomic_weights_are_those_of_the_sphalerite_formulae():
    assert _units.atomic_weight("Zn") == 65.38
    assert _units.atomic_weight("Fe") == 55.845
    assert _units.atomic_weight("S") == 32.06
    assert len(_units.ATOMIC_WEIGHTS) == 84  # 92 less Tc, Pm, Po, At, Rn, Fr, Ra, Ac


def test_weights_rise_with_the_atomic_number_but_for_the_known_inversions():
    symbols = list(_units.ATOMIC_WEIGHTS)
    falls = [
        (a, b)
        for a, b in itertools.pairwise(symbols)
        if _units.ATOMIC_WEIGHTS[b] < _units.ATOMIC_WEIGHTS[a]
    ]
    assert falls == [("Ar", "K"), ("Co", "Ni"), ("Te", "I"), ("Th", "Pa")]


def test_molar_mass_of_sphalerite_by_hand():
    assert _units.molar_mass("ZnS") == pytest.approx(65.38 + 32.06)
    assert _units.formula_composition("Fe3O4") == {"Fe": 3, "O": 4}
    assert _units.oxide_element("V2O5") == "V"


@pytest.mark.parametrize("text", ["fe", "Xx", "", "No"])
def test_unknown_symbols_are_refused(text):
    with pytest.raises(ValueError, match="An element's symbol is needed"):
        _units.atomic_weight(text)


def test_formulae_that_are_none_are_refused():
    with pytest.raises(ValueError, match="A chemical formula is needed"):
        _units.formula_composition("Fe-O")
    with pytest.raises(ValueError, match="An oxide of one element is needed"):
        oxide_to_element_factor("FeS2")
    with pytest.raises(ValueError, match="An oxide of one element is needed"):
        oxide_to_element_factor("Fe")


@pytest.mark.parametrize(
    ("value", "unit", "ppm"),
    [
        (1.0, "wt%", 1e4),
        (1.0, "ppb", 1e-3),
        (1.0, "g/t", 1.0),
        (1.0, "mg/kg", 1.0),
        (1.0, "µg/g", 1.0),
        (1.0, "\u03bcg g\u207b\u00b9", 1.0),
        (1.0, "ng/g", 1e-3),
        (1.0, "ppt", 1e-6),
        (1.0, "oz/t", 34.285714),
        (1.0, "oz/tonne", 31.1034768),
        (0.05, "fraction", 5e4),
    ],
)
def test_one_of_each_unit_in_ppm(value, unit, ppm):
    assert convert_unit(value, unit, "ppm") == pytest.approx(ppm, rel=1e-7)


@pytest.mark.parametrize("text", ["wt%", "wt. %", "wt_pct", "Mass %", "weight percent", "%", "PCT"])
def test_per_cent_in_many_spellings(text):
    assert normalise_unit(text) == "wt%"


def test_temperatures():
    assert convert_unit(300.0, "degC", "K") == pytest.approx(573.15)
    assert convert_unit(573.15, "K", "°C") == pytest.approx(300.0)
    assert _units.celsius_to_kelvin([0.0, 100.0]).tolist() == [273.15, 373.15]
    assert _units.kelvin_to_celsius(273.15) == 0.0
    with pytest.raises(ValueError, match="above -273"):
        _units.celsius_to_kelvin(-300.0)
    with pytest.raises(ValueError, match="must not be negative"):
        _units.kelvin_to_celsius(-1.0)


def test_units_that_cannot_be_converted_are_refused():
    with pytest.raises(ValueError, match="counts atoms"):
        normalise_unit("at%")
    with pytest.raises(ValueError, match="The unit must be one of"):
        normalise_unit("furlong")
    with pytest.raises(ValueError, match="one is a concentration"):
        convert_unit(1.0, "ppm", "K")


def test_letters_alone_are_no_unit_of_concentration():
    assert not _units.is_unit("K")
    assert not _units.is_unit("C")
    assert _units.is_unit("(ppm)")


@given(st.floats(1e-6, 1e6), st.sampled_from(CONCENTRATIONS), st.sampled_from(CONCENTRATIONS))
def test_there_and_back_gives_the_same_value(value, first, second):
    there = convert_unit(value, first, second)
    assert convert_unit(there, second, first) == pytest.approx(value, rel=1e-12)


def test_tables_keep_their_kind_and_the_input_stays():
    frame = pd.DataFrame({"Fe": [1.0, np.nan]}, index=[7, 8])
    out = convert_unit(frame, "wt%", "ppm")
    assert out.loc[7, "Fe"] == 1e4
    assert np.isnan(out.loc[8, "Fe"])
    assert frame.loc[7, "Fe"] == 1.0
    same = convert_unit(frame, "ppm", "g/t")
    assert same is not frame
