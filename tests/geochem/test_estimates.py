import numpy as np
import pytest

from gossan.geochem.estimates import estimate, outside


def test_the_first_doubt_that_holds_is_the_reason():
    result = estimate(
        "temperature",
        [50.0, 150.0, np.nan],
        unit="°C",
        source="x",
        doubts=[([True, False, False], "wet"), ([True, True, False], "old")],
    )
    assert result.reason.tolist() == ["wet", "old", "missing"]
    assert not result.valid.any()


def test_outside_names_the_limit_that_was_crossed():
    result = estimate(
        "pressure",
        [-1.0, 5.0, 11.0],
        unit="kbar",
        source="x",
        doubts=outside([-1.0, 5.0, 11.0], 0, 10, "kbar"),
    )
    assert result.reason.tolist() == ["extrapolated below 0 kbar", "", "extrapolated above 10 kbar"]
    assert result.valid.tolist() == [False, True, False]


def test_a_table_keeps_labels_unit_and_source():
    result = estimate("log fS2", [1.0, 2.0], unit="bar", source="Key", uncertainty=0.5)
    table = result.to_frame(["a", "b"])
    assert table.index.tolist() == ["a", "b"]
    assert table["log_fS2_uncertainty"].tolist() == [0.5, 0.5]
    assert table.attrs == {"unit": "bar", "source": "Key"}


def test_a_missing_value_has_no_error():
    assert np.isnan(estimate("x", [np.nan], unit="", source="", uncertainty=1.0).uncertainty[0])


def test_an_estimate_cannot_be_changed():
    result = estimate("x", 1.0, unit="", source="")
    with pytest.raises(AttributeError, match="cannot assign"):
        result.unit = "ppm"
