from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gossan._units import ATOMIC_WEIGHTS
from gossan.geochem import NORMALISING, ORDERS, Reference, normalise


def test_a_pattern_by_hand():
    """0.4 ppm Eu between 3 ppm Sm and 4 ppm Gd, over McDonough & Sun's chondrite."""
    found = normalise(pd.DataFrame({"Sm": [2.96], "Eu": [0.563], "Gd": [3.98]}))
    np.testing.assert_allclose(found.table.to_numpy(), [[20.0, 10.0, 20.0]])
    assert (found.reference, found.source) == ("CI chondrite", "McDonoughSun1995")
    assert found.missing[:2] == ("La", "Ce")


def test_the_elements_stand_in_the_order_of_the_diagram():
    table = pd.DataFrame({"Lu": [1.0], "La": [1.0], "Zr": [1.0], "Cs": [1.0]})
    assert list(normalise(table).table) == ["La", "Lu"]
    spider = normalise(table, "primitive_mantle", order="incompatible")
    assert list(spider.table) == ["Cs", "La", "Zr", "Lu"]
    assert list(normalise(table, order=("Zr", "La")).table) == ["Zr", "La"]


@pytest.mark.parametrize("name", sorted(NORMALISING))
def test_each_composition_over_itself_is_one(name):
    own = pd.DataFrame([NORMALISING[name].concentrations])
    found = normalise(own, name, order="incompatible")
    np.testing.assert_allclose(found.table.to_numpy(), 1.0)
    assert found.missing == ()
    assert found.table.shape == (1, 29)


def test_orders_hold_each_element_once_and_those_of_every_composition():
    assert len(set(ORDERS["incompatible"])) == 29
    assert set(ORDERS["rare_earths"]) < set(ORDERS["incompatible"])
    for reference in NORMALISING.values():
        assert set(reference.concentrations) == set(ORDERS["incompatible"])


def test_rare_earths_of_the_primitive_mantle_are_chondritic():
    """McDonough & Sun (1995) build it on chondritic ratios of refractory elements, 2.75 times CI."""
    mantle, chondrite = (
        NORMALISING[name].concentrations for name in ("primitive_mantle", "chondrite")
    )
    for element in (
        *ORDERS["rare_earths"],
        "Ba",
        "Th",
        "U",
        "Sr",
        "Zr",
        "Hf",
        "Ti",
        "Nb",
        "Ta",
        "Y",
    ):
        assert mantle[element] / chondrite[element] == pytest.approx(2.74, rel=0.02), element


def test_both_primitive_mantles_are_alike():
    """The older estimate differs by less than a fifth, but for Cs and K-like volatile elements."""
    old, new = (
        NORMALISING[name].concentrations for name in ("primitive_mantle_1989", "primitive_mantle")
    )
    for element in set(old) - {"Cs", "Pb"}:
        assert old[element] / new[element] == pytest.approx(1, abs=0.12), element


def test_potassium_phosphorus_and_titanium_of_the_crust_follow_from_their_oxides():
    weight, crust = ATOMIC_WEIGHTS, NORMALISING["upper_crust"].concentrations
    for element, n_metal, n_oxygen, percent in (
        ("K", 2, 1, 2.80),
        ("P", 2, 5, 0.15),
        ("Ti", 1, 2, 0.64),
    ):
        metal = n_metal * weight[element]
        share = metal / (metal + n_oxygen * weight["O"])
        assert crust[element] == pytest.approx(1e4 * percent * share, rel=1e-3), element


def test_even_elements_outweigh_their_odd_neighbours():
    """Oddo and Harkins: a slip of a digit or a swap of rows would break the zigzag."""
    for reference in NORMALISING.values():
        held = reference.concentrations
        for left, odd, right in (("Ce", "Pr", "Nd"), ("Sm", "Eu", "Gd"), ("Gd", "Tb", "Dy"),
                                 ("Dy", "Ho", "Er"), ("Er", "Tm", "Yb")):  # fmt: skip
            assert held[odd] < min(held[left], held[right]) / 2


def test_a_reference_of_ones_own():
    own = Reference("my basalt", "", {"La": 2.0, "Ce": 4.0})
    found = normalise(pd.DataFrame({"La": [4.0], "Ce": [np.nan]}), own)
    assert found.reference == "my basalt"
    assert found.table.loc[0, "La"] == 2.0
    assert np.isnan(found.table.loc[0, "Ce"])


def test_what_cannot_be_normalised_is_refused():
    with pytest.raises(ValueError, match="Concentration must be positive"):
        normalise(pd.DataFrame({"La": [0.0]}))
    with pytest.raises(ValueError, match="none of the elements"):
        normalise(pd.DataFrame({"Cu": [1.0]}))
    with pytest.raises(ValueError, match="reference"):
        normalise(pd.DataFrame({"La": [1.0]}), "chondrites")
    with pytest.raises(ValueError, match="order"):
        normalise(pd.DataFrame({"La": [1.0]}), order="ree")
