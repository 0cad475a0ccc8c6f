from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.geochem import plumbotectonics as plumbo
from gossan.geochem.lead_isotopes import RATIOS

PUBLISHED = pd.read_csv(Path(__file__).parents[1] / "reference" / "zartman_doe_1981.csv")


@pytest.mark.parametrize("reservoir", plumbo.RESERVOIRS)
def test_curves_pass_through_the_published_points(reservoir):
    points = PUBLISHED[PUBLISHED["reservoir"] == reservoir]
    curve = plumbo.reservoir_curve(reservoir, points["age"])
    np.testing.assert_allclose(curve, points[list(RATIOS)])
    assert len(points) == (11 if reservoir in {"mantle", "orogene"} else 10)


@given(st.sampled_from(list(plumbo.RESERVOIRS)), st.floats(0, 3500))
def test_lead_grows_with_time(reservoir, age):
    older, younger = plumbo.reservoir_curve(reservoir, [age + 100, age]).to_numpy()
    assert (younger >= older - 1e-12).all()


def test_curves_end_at_their_first_and_last_point():
    ages = [4001, 4000, -1]
    assert plumbo.reservoir_curve("mantle", ages)[RATIOS[0]].isna().tolist() == [True, False, True]
    assert plumbo.reservoir_curve("lower crust", 3601).isna().to_numpy().all()


@given(st.sampled_from(list(plumbo.RESERVOIRS)), st.integers(200, 3000))
def test_lead_of_a_reservoir_is_nearest_to_it(reservoir, age):
    point = plumbo.reservoir_curve(reservoir, age).to_numpy()
    row = plumbo.nearest_reservoir(point[:, 0], point[:, 1], pb208=point[:, 2]).iloc[0]
    assert row["reservoir"] == reservoir
    assert row["distance"] == pytest.approx(0, abs=1e-9)
    assert row["age"] == age
    assert row["next_distance"] > 0


def test_distance_by_hand():
    # Spread of 207Pb/204Pb today: 15.42, 15.63, 15.73, 15.30 have sd 0.19612.
    row = plumbo.nearest_reservoir([18.88], [15.63 + 0.02], pb208=[38.82], age=[0.0]).iloc[0]
    assert row["reservoir"] == "orogene"
    assert row["distance"] == pytest.approx(0.02 / np.std([15.42, 15.63, 15.73, 15.30], ddof=1))
    assert row["valid"]


def test_a_known_age_picks_the_reservoir_of_that_time():
    # The mantle at 400 Ma is older lead of the orogene: with its age known the source changes.
    lead = plumbo.reservoir_curve("mantle", 400).to_numpy()[0]
    row = plumbo.nearest_reservoir([lead[0]], [lead[1]], pb208=[lead[2]], age=400.0).iloc[0]
    assert (row["reservoir"], row["age"]) == ("mantle", 400.0)


def test_lead_far_off_or_past_the_end_is_flagged():
    table = plumbo.nearest_reservoir([24.0, 16.0, np.nan, 18.3], [16.5, 16.0, 15.6, 15.61])
    assert table["reason"].tolist() == [
        "beyond the end of the curve",
        "far from every reservoir",
        "missing",
        "",
    ]
    assert pd.isna(table.loc[2, "reservoir"])
    assert table["valid"].tolist() == [False, False, False, True]


def test_labels_are_kept():
    result = plumbo.nearest_reservoir(pd.Series([18.3], index=["g1"]), [15.61])
    assert result.index.tolist() == ["g1"]


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"reservoir must be one of.*Did you mean 'mantle'"):
        plumbo.reservoir_curve("mantel", 0)
    with pytest.raises(ValueError, match=r"one length, got \[2, 1\]"):
        plumbo.nearest_reservoir([18.3, 18.4], [15.6])
    with pytest.raises(ValueError, match="207Pb/204Pb must be positive"):
        plumbo.nearest_reservoir([18.3], [0.0])
