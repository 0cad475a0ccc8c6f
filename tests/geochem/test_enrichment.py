import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.geochem import enrichment

ELEMENTS = ["Mn", "Fe", "Co", "Cu", "Ga", "Ge", "Ag", "Cd", "In", "Sn", "Sb", "Pb"]


def test_a_table_equal_to_the_reference_is_neither_rich_nor_poor():
    for reference in enrichment.REFERENCES.values():
        table = pd.DataFrame([reference.concentrations])
        factors = enrichment.enrichment_factors(table, reference).factors
        np.testing.assert_allclose(factors, 1.0)


def test_factors_by_hand_and_their_reference():
    table = pd.DataFrame({"Ge": [240.0], "Cd": [460.0], "Zn": [600_000.0], "type": ["MVT"]})
    result = enrichment.enrichment_factors(table, "upper_crust")
    assert result.factors["Ge"].iloc[0] == pytest.approx(240 / 1.4)
    assert result.factors["Cd"].iloc[0] == pytest.approx(460 / 0.09)
    assert result.reference == "upper continental crust"
    assert result.source == "RudnickGao2014"
    assert result.left_out == ("Zn",)
    assert enrichment.enrichment_factors(table, {"Zn": 6e5}).factors["Zn"].iloc[0] == 1


@given(st.floats(1e-3, 1e6), st.floats(0.1, 10))
def test_factors_scale_with_the_concentration(amount, times):
    table = pd.DataFrame({"Ge": [amount, amount * times]})
    once, more = enrichment.enrichment_factors(table, "sphalerite").factors["Ge"]
    assert more == pytest.approx(once * times)


def test_the_sphalerite_reference_is_that_of_the_public_table(sphalerite):
    medians = sphalerite.groupby(["deposit", "type"])[ELEMENTS].median()
    assert len(medians) == 97
    expected = enrichment.REFERENCES["sphalerite"].concentrations
    for element, value in medians.median().items():
        assert value == pytest.approx(expected[element], rel=1e-3), element


def test_ratios_by_hand():
    table = pd.DataFrame({"Ga": [2.0], "Ge": [10.0], "Fe": [5.0]}, index=["a"])
    result = enrichment.element_ratios(table, ["Ga/Ge", "Ga*Ge/Fe", "Ga / Ge / Fe"])
    np.testing.assert_allclose(result.loc["a"], [0.2, 4.0, 0.04])
    logged = enrichment.element_ratios(table, "Ga/Ge", log=True)
    assert logged.loc["a", "log Ga/Ge"] == pytest.approx(np.log10(0.2))


def test_a_missing_element_gives_a_missing_ratio():
    table = pd.DataFrame({"Ga": [np.nan, 1.0], "Ge": [1.0, 2.0]})
    assert enrichment.element_ratios(table, ["Ga/Ge"])["Ga/Ge"].isna().tolist() == [True, False]


def test_critical_metals_flag_needs_both_words():
    table = pd.DataFrame(
        {"Ge": [240.0, 200.0, 2.0], "Cd": [8000.0, 8000.0, 100.0], "In": [100.0, 100.0, 1.0]}
    )
    result = enrichment.critical_metals(table, ["A", "A", "B"]).set_index(["group", "element"])
    assert result.loc[("A", "Ge"), "median"] == 220
    assert result.loc[("A", "Ge"), "factor"] == pytest.approx(220 / 2.005)
    flags = result["flag"]
    assert flags[("A", "Ge")]
    assert not flags[("B", "Ge")]  # critical, not enriched
    assert not flags[("A", "Cd")]  # enriched, not critical
    assert result.loc[("A", "Cd"), "is_enriched"]
    assert not flags[("A", "In")]  # not on the list of the EU
    of_the_us = enrichment.critical_metals(table, ["A", "A", "B"], critical_list="US 2022")
    assert of_the_us.set_index(["group", "element"]).loc[("A", "In"), "flag"]
    assert result["reference"].unique().tolist() == [enrichment.REFERENCES["sphalerite"].name]


def test_critical_lists_are_of_the_published_length():
    # US: 50 with barite, fluorspar and graphite. EU: the 15 rare earths beside scandium, 5 PGM.
    assert len(enrichment.CRITICAL_METALS["US 2022"]) == 50 - 3
    assert {"Cu", "Ni", "Ga", "Ge", "Sb", "Co"} <= enrichment.CRITICAL_METALS["EU 2023"]
    assert not {"In", "Sn", "Cd", "Pb", "Ag"} & enrichment.CRITICAL_METALS["EU 2023"]


def test_inputs_are_left_alone():
    table = pd.DataFrame({"Ge": [240.0, 3.0], "type": ["a", "b"]})
    before = table.copy()
    enrichment.enrichment_factors(table, "upper_crust")
    enrichment.critical_metals(table, ["a", "b"])
    pd.testing.assert_frame_equal(table, before)


def test_wrong_arguments_are_refused():
    table = pd.DataFrame({"Ge": [1.0], "Zn": [0.0]})
    with pytest.raises(ValueError, match=r"reference must be one of.*Did you mean 'upper_crust'"):
        enrichment.enrichment_factors(table, "uper_crust")
    with pytest.raises(ValueError, match="shares no element with the reference"):
        enrichment.enrichment_factors(table[["Zn"]], "upper_crust")
    with pytest.raises(ValueError, match="Reference concentration of a reference of your own"):
        enrichment.enrichment_factors(table, {"Ge": 0.0})
    with pytest.raises(
        ValueError, match=r"names Gee, which is not in the table.*Did you mean 'Ge'"
    ):
        enrichment.element_ratios(table, ["Gee/Zn"])
    with pytest.raises(ValueError, match=r"joined by \* and /, got 'Ge-Zn'"):
        enrichment.element_ratios(table, ["Ge-Zn"])
    with pytest.raises(ValueError, match="Zn must be positive, got 0"):
        enrichment.element_ratios(table, ["Ge/Zn"])
    with pytest.raises(ValueError, match="critical_list must be one of"):
        enrichment.critical_metals(table, ["a"], critical_list="EU")
    with pytest.raises(ValueError, match="threshold must be positive"):
        enrichment.critical_metals(table, ["a"], threshold=0)
    with pytest.raises(ValueError, match="got 2 labels for 1 rows"):
        enrichment.critical_metals(table, ["a", "b"])
