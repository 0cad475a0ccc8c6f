import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.geochem import thermometry

REFERENCE = Path(__file__).parents[1] / "reference" / "thermometry.toml"
PUBLISHED = tomllib.loads(REFERENCE.read_text(encoding="utf-8"))
ONES = {"Ga": 1, "Ge": 1, "Fe": 1, "Mn": 1, "In": 1}
POSITIVE = st.floats(1e-3, 1e4)


@pytest.mark.parametrize("case", PUBLISHED["ggimfis"])
def test_ggimfis_gives_the_reference_temperature(case):
    result = thermometry.ggimfis(**case["concentrations"])
    score = thermometry.pc1_star(**case["concentrations"])
    assert round(float(score), 4) == case["pc1_star"]
    assert round(float(result.value), 2) == case["temperature"]


def test_ggimfis_carries_the_error_of_both_coefficients():
    # PC1* = 0.22 ln 10 + 0.22 ln 100 + 0.20 ... = 1.1738: hypot(7.3 x 1.1738, 10) = 13.17.
    result = thermometry.ggimfis(Ga=10, Ge=100, Fe=1.0, Mn=20, In=0.1)
    assert float(result.uncertainty) == pytest.approx(13.17, abs=0.01)
    assert float(thermometry.ggimfis(**ONES).uncertainty) == 10.0


def test_ggimfis_scatter_widens_the_error_of_one_deposit():
    result = thermometry.ggimfis(**ONES, include_scatter=True)
    assert float(result.uncertainty) == pytest.approx(np.hypot(10, 50))


def test_iron_in_ppm_gives_the_same_temperature_when_named():
    ppm = thermometry.ggimfis(Ga=1, Ge=1, Fe=80_000, Mn=3000, In=50, fe_unit="ppm")
    assert float(ppm.value) == pytest.approx(360.37, abs=0.005)


def test_iron_in_ppm_passed_as_percent_is_refused():
    with pytest.raises(ValueError, match=r"Fe must be at most 40 wt%.*got 42000.*fe_unit='ppm'"):
        thermometry.ggimfis(Ga=1, Ge=1, Fe=[5.0, 42_000], Mn=1, In=1)


def test_the_guarded_shift_is_185_degrees():
    # -54.4 x -0.37 x ln(1e4): what the guard keeps out.
    assert 54.4 * 0.37 * np.log(1e4) == pytest.approx(185.4, abs=0.05)


def test_iron_in_percent_passed_as_ppm_is_warned_of():
    with pytest.warns(GossanWarning, match="Fe is nowhere above 8 ppm"):
        thermometry.ggimfis(Ga=1, Ge=1, Fe=[1.0, 8.0], Mn=1, In=1, fe_unit="ppm")


def test_iron_unit_must_be_known():
    with pytest.raises(ValueError, match="fe_unit must be one of wt%, ppm, got 'pmm'"):
        thermometry.ggimfis(**ONES, fe_unit="pmm")


def test_zero_concentration_is_refused():
    with pytest.raises(ValueError, match=r"In must be positive \[ppm\], got 0"):
        thermometry.ggimfis(Ga=1, Ge=1, Fe=1, Mn=1, In=0)


def test_ggimfis_flags_temperatures_out_of_its_range():
    # Ga alone moves T: 208 - 54.4 x 0.22 ln Ga.
    result = thermometry.ggimfis(Ga=[1, 1e5, 1e-8, np.nan], Ge=1, Fe=1, Mn=1, In=1)
    assert result.valid.tolist() == [True, False, False, False]
    assert result.reason.tolist() == [
        "",
        "extrapolated below 100 °C",
        "extrapolated above 400 °C",
        "missing",
    ]


@given(Ga=POSITIVE, Ge=POSITIVE, Mn=POSITIVE, In=POSITIVE)
def test_more_gallium_is_cooler_and_more_indium_hotter(Ga, Ge, Mn, In):
    def heat(**change):
        return float(
            thermometry.ggimfis(**({"Ga": Ga, "Ge": Ge, "Mn": Mn, "In": In} | change), Fe=5.0).value
        )

    assert heat(Ga=2 * Ga) < heat() < heat(In=2 * In)


def test_vent_temperature_by_hand():
    # (0.0947 + 0.2953) / 0.0013 = 300
    result = thermometry.vent_temperature([0.0947, 0.13], [1.0, 1.0])
    np.testing.assert_allclose(result.value, [300, (0.13 + 0.2953) / 0.0013])


def test_vent_temperature_refuses_iron_poor_sphalerite():
    with pytest.raises(
        ValueError, match=r"Fe/Zn must be at least 0.03.*got 0.01 \(1 of 2 values\)"
    ):
        thermometry.vent_temperature([1.0, 10.0], 100.0)
    flagged = thermometry.vent_temperature([1.0, 10.0], 100.0, impossible="flag")
    assert np.isnan(flagged.value[0])
    assert flagged.reason.tolist() == ["Fe/Zn below 0.03", ""]


def test_class_means_of_the_public_table_are_the_published_ones(sphalerite):
    names = sphalerite["deposit"] + "|" + sphalerite["type"]
    table = thermometry.summarise_formation(sphalerite, names)
    types = table.index.str.split("|").str[1]
    means = table["temperature"].groupby(types).mean()
    assert len(table) == 97
    for name, expected in PUBLISHED["class_temperature"].items():
        if name != "source":
            assert means[name] == pytest.approx(expected, abs=0.5), name


def test_summary_agrees_with_its_parts():
    values = pd.DataFrame(
        {"Ga": [1.0] * 3, "Ge": [1.0] * 3, "Fe": [79e3, 80e3, 81e3], "Mn": [3000.0] * 3}
        | {"In": [50.0] * 3}
    )
    row = thermometry.summarise_formation(values, ["A"] * 3).loc["A"]
    assert row["n_analyses"] == 3
    assert row["temperature"] == pytest.approx(360.37, abs=0.005)
    assert row["temperature_scatter"] == pytest.approx(np.hypot(row["temperature_uncertainty"], 50))
    assert row["log_fs2_valid"]
    back = thermometry.log_sulfur_fugacity(row["fes"], row["temperature"])
    assert row["log_fs2"] == pytest.approx(float(back.value))
    assert row["log_fs2_uncertainty"] > 0


def test_summary_names_what_is_missing_and_leaves_no_row_out():
    values = pd.DataFrame(
        {
            "Ga": [10.0, np.nan, 1e6, 10.0],
            "Ge": [100.0, 1, 1e6, 1],
            "Fe": [1e4, 1e4, 1e3, 1e4],
            "Mn": [20.0, 1, 1, 0.0],
        }
    ).assign(In=[0.1, 1, 1, 1])
    table = thermometry.summarise_formation(values, ["a", "b", "c", "d"])
    assert table["temperature_reason"].tolist() == [
        "",
        "no Ga",
        "extrapolated below 100 °C",
        "no Mn",
    ]
    assert table["log_fs2_reason"].tolist()[1:] == ["no valid temperature"] * 3
    assert table["log_fs2"].notna().tolist() == [True, False, False, False]
    without = thermometry.summarise_formation(values[["Ga", "Fe"]], ["a"] * 4)
    assert without["temperature_reason"].tolist() == ["no Ge, Mn, In"]


def test_summary_uses_measured_zinc_where_there_is_some():
    values = pd.DataFrame({"Fe": [42e3, 42e3], "Zn": [62e4, np.nan]})
    table = thermometry.summarise_formation(values, ["a", "b"])
    np.testing.assert_allclose(table["fes"], [7.3481, 7.2761], atol=5e-5)


def test_summary_leaves_its_input_as_it_was():
    values = pd.DataFrame({"Fe": [42e3, 1e3], "type": ["x", "y"]})
    before = values.copy()
    thermometry.summarise_formation(values, ["a", None])
    pd.testing.assert_frame_equal(values, before)


def test_summary_refuses_labels_of_another_length():
    with pytest.raises(ValueError, match="got 1 labels for 2 rows"):
        thermometry.summarise_formation(pd.DataFrame({"Fe": [1e3, 1e3]}), ["a"])


def test_summary_refuses_a_table_without_deposits():
    with pytest.raises(ValueError, match="No analysis has a deposit: all 2 labels"):
        thermometry.summarise_formation(pd.DataFrame({"Fe": [1e3, 1e3]}), [None, None])
