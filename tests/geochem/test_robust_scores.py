"""Robust scores: hand-worked medians, tails that stay, censored elements named, saved and loaded."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.geochem import RobustScores, clr
from gossan.saving import load_model, save_model

MAD = 1.4826022


def some_table(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(10.0 ** rng.normal([1.0, 2.0, 0.5], 0.4, (n, 3)), columns=["Li", "W", "Sn"])


def test_scores_by_hand():
    # log10: 0 1 2 3 4, median 2, MAD 1.
    scores = RobustScores().fit_transform([[1.0], [10.0], [100.0], [1e3], [1e4]])
    np.testing.assert_allclose(scores.ravel(), np.array([-2, -1, 0, 1, 2]) / MAD, rtol=1e-6)


def test_the_upper_tail_keeps_its_order_up_to_the_clip():
    """A rule that flattens the top two per cent flattens the deposits."""
    table = some_table(1000)
    table.iloc[:30, 0] = 10.0 ** np.linspace(2.2, 3.2, 30)
    scores = RobustScores().fit_transform(table)
    assert (np.diff(scores[:30, 0]) > 0).all()
    assert np.abs(RobustScores(clip=2.0).fit_transform(table)).max() == 2.0
    far = table.copy()
    far.iloc[0, 0] = 1e30
    assert RobustScores().fit_transform(far).max() == 6.0
    assert RobustScores(clip=None).fit_transform(far).max() > 50


def test_anomalies_do_not_move_the_scale():
    table = some_table(1000)
    broken = table.copy()
    broken.iloc[:100, 0] *= 1e4
    one, other = RobustScores().fit(table), RobustScores().fit(broken)
    assert abs(one.centre_[0] - other.centre_[0]) < 0.25 * one.spread_[0]
    assert other.spread_[0] < 1.4 * one.spread_[0]


def test_an_element_mostly_below_detection_is_left_out_and_named():
    table = some_table()
    censored = np.zeros((200, 3), dtype=bool)
    censored[:130, 1] = True  # 65 %
    censored[:100, 2] = True  # 50 %, which is not more than half
    with pytest.warns(
        GossanWarning, match=r"1 of 3 elements are left out \(W: 65% below detection\)"
    ):
        scores = RobustScores().fit(table, censored=censored)
    assert scores.get_feature_names_out().tolist() == ["Li", "Sn"]
    assert scores.transform(table).shape == (200, 2)
    np.testing.assert_array_equal(
        scores.transform(table), RobustScores().fit_transform(table)[:, [0, 2]]
    )


def test_shares_count_measured_cells_only():
    table = some_table()
    table.iloc[:150, 1] = np.nan
    censored = np.zeros((200, 3), dtype=bool)
    censored[160:, 1] = True  # 40 of the 50 measured
    with pytest.warns(GossanWarning, match="W: 80% below detection"):
        RobustScores().fit(table, censored=censored)


def test_elements_that_do_not_vary_or_were_never_measured_are_named():
    table = some_table().assign(Au=1.0, Pt=np.nan)
    with pytest.warns(GossanWarning, match="Au: one value throughout; Pt: never measured"):
        scores = RobustScores().fit(table)
    assert scores.transform(table).shape == (200, 3)


def test_many_equal_values_leave_a_spread():
    """Half-detection values: the MAD is zero, the others still tell of the scale."""
    values = np.r_[np.full(60, 0.5), 10.0 ** np.random.default_rng(0).normal(1, 0.3, 40)][:, None]
    scores = RobustScores().fit(values)
    assert 0.5 < scores.spread_[0] < 3.0


def test_log_ratios_do_not_know_the_total():
    table = some_table()
    factor = np.random.default_rng(1).uniform(0.1, 10.0, (200, 1))
    one, other = (RobustScores("clr").fit_transform(each) for each in (table, table * factor))
    np.testing.assert_allclose(one, other, atol=1e-9)
    ratios = clr(table).to_numpy()
    centre = np.median(ratios, axis=0)
    expected = (ratios - centre) / (MAD * np.median(np.abs(ratios - centre), axis=0))
    np.testing.assert_allclose(one, np.clip(expected, -6, 6), rtol=1e-6)


def test_gaps_stay_gaps_and_a_volume_is_scored_as_its_cells():
    table = some_table().to_numpy().copy()
    table[5, 1] = np.nan
    scores = RobustScores().fit(table)
    assert np.isnan(scores.transform(table)).sum() == 1
    volume = np.full((3, 10, 20), np.nan)
    volume[:, :, 3:] = table.T.reshape(3, 10, 20)[:, :, 3:]
    scored = scores.transform(volume.reshape(3, -1).T).T.reshape(volume.shape)
    assert np.isnan(scored[:, :, :3]).all()
    np.testing.assert_array_equal(
        scored[0, :, 3:].ravel(), scores.transform(table)[:, 0].reshape(10, 20)[:, 3:].ravel()
    )


def test_log_ratios_pass_rows_without_any_value_and_refuse_broken_ones():
    table = some_table()
    table.iloc[3] = np.nan
    assert np.isnan(RobustScores("clr").fit_transform(table)[3]).all()
    table.iloc[4, 1] = np.nan
    with pytest.raises(ValueError, match="all parts of a row, got nan at row 4, column 'W'"):
        RobustScores("clr").fit(table)


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(1e-3, 1e3), power=st.floats(0.2, 5.0))
def test_scores_do_not_know_units_or_powers(scale, power):
    table = some_table().to_numpy()
    one, other = (RobustScores().fit_transform(each) for each in (table, scale * table**power))
    np.testing.assert_allclose(one, other, atol=1e-7)


@pytest.mark.parametrize("kind", ["log", "none"])
def test_a_saved_scorer_gives_the_same_scores(tmp_path, kind):
    table = some_table().assign(Au=2.0)
    with pytest.warns(GossanWarning, match="Au"):
        scores = RobustScores(kind, clip=3.0).fit(table)
    save_model(scores, tmp_path / "scores", card={"data": "made up"}, units="ppm")
    loaded, card = load_model(tmp_path / "scores")
    np.testing.assert_array_equal(loaded.transform(table), scores.transform(table))
    assert loaded.left_out_ == {"Au": "one value throughout"}
    assert card == {"data": "made up"}


def test_a_part_that_does_not_vary_still_counts_in_the_ratios_of_a_saved_scorer(tmp_path):
    table = some_table()
    table["Au"] = np.exp(np.log(table).mean(axis=1))  # its log-ratio is zero in each row
    table["W"] *= 1.0
    with pytest.warns(GossanWarning, match="Au: one value throughout"):
        scores = RobustScores("clr").fit(table)
    np.testing.assert_allclose(
        scores.transform(table),
        RobustScores("clr").fit_transform(table[["Li", "W", "Sn"]]),
        atol=1e-9,
    )
    save_model(scores, tmp_path / "scores", card={})
    np.testing.assert_array_equal(
        load_model(tmp_path / "scores")[0].transform(table), scores.transform(table)
    )


def test_a_forged_scorer_is_refused():
    settings_, arrays = RobustScores().fit(some_table()).to_arrays()
    for change, message in (
        ({"kept": np.array([0, 1, 7])}, "not among those of the table"),
        ({"spread": np.zeros(3)}, "spread is not above zero"),
        ({"centre": np.zeros(2)}, "must have shape"),
    ):
        with pytest.raises(ValueError, match=message):
            RobustScores.from_arrays(settings_, arrays | change)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"kind": "lgo"}, "kind must be one of log, clr, none"),
        ({"clip": 0.0}, "clip must be above zero"),
        ({"max_censored": 1.5}, "max_censored must be a share"),
    ],
)
def test_wrong_settings_are_said(settings_, message):
    with pytest.raises(ValueError, match=message):
        RobustScores(**settings_).fit(some_table())


def test_wrong_tables_are_said():
    table = some_table()
    with pytest.raises(ValueError, match="positive values, got 0 at row 2, column 'W'"):
        RobustScores().fit(table.assign(W=np.where(table.index == 2, 0.0, table["W"])))
    with pytest.raises(ValueError, match="censored must be Boolean of the shape"):
        RobustScores().fit(table, censored=np.zeros((200, 2), dtype=bool))
    with pytest.raises(ValueError, match="No element is left to score"):
        RobustScores().fit(table, censored=np.ones((200, 3), dtype=bool))
