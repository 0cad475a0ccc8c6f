"""Out-of-distribution p-values are uniform for new deposits of the same kind, small for others."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from gossan._checks import GossanWarning
from gossan.validation.novelty import OutOfDistribution

ELEMENTS = ["Mn", "Fe", "Co", "Cu", "Ga", "Ge", "Ag", "Cd", "In", "Sn", "Sb", "Pb"]


def _deposits(rng, n_groups, n_features=6):
    """Skewed log concentrations: correlated deposit means, spread within, sizes 1 to 20."""
    groups = np.repeat(np.arange(n_groups), rng.integers(1, 21, n_groups))
    mix = np.eye(n_features) + 0.5
    means = rng.standard_t(5, size=(n_groups, n_features)) @ mix
    return np.exp(means[groups] + 0.6 * rng.normal(size=(len(groups), n_features))), groups


def test_p_values_of_new_deposits_are_uniform():
    rng = np.random.default_rng(0)
    by_deposit, by_row = [], []
    for _ in range(40):
        table, groups = _deposits(rng, 60)
        known = groups < 40
        model = OutOfDistribution().fit(table[known], groups=groups[known])
        by_deposit.append(model.score_groups(table[~known], groups[~known])["p_value"])
        p = pd.Series(model.p_values(table[~known])).groupby(groups[~known])
        by_row.append(p.apply(lambda one: (one <= 0.1).mean()))
    p_values = np.concatenate(by_deposit)
    assert (p_values <= 0.1).mean() == pytest.approx(0.1, abs=0.035)
    assert (p_values <= 0.5).mean() == pytest.approx(0.5, abs=0.06)
    assert np.concatenate(by_row).mean() == pytest.approx(0.1, abs=0.04)


def test_a_planted_stranger_is_found_and_its_element_named():
    rng = np.random.default_rng(1)
    table, groups = _deposits(rng, 50)
    frame = pd.DataFrame(table, columns=list("ABCDEF"))
    model = OutOfDistribution().fit(frame, groups=groups)
    stranger = pd.DataFrame([frame.median()] * 8)
    stranger["C"] = 1e9
    judged = model.score_groups(stranger, ["new"] * 8)
    assert judged.loc["new", "is_outside"]
    assert judged.loc["new", "features_outside"] == "C"
    assert judged.loc["new", "p_value"] == pytest.approx(1 / 51)
    assert "further from the training table than all 50 held-out groups" in judged.sentence["new"]
    assert (model.predict(stranger) == -1).all()
    assert (model.decision_function(stranger) < 0).all()
    assert model.outside_features(stranger).index[0] == "C"


def test_a_broken_correlation_is_found_though_no_single_feature_is_odd():
    rng = np.random.default_rng(2)
    base = rng.normal(size=(80, 1))
    table = np.exp(base + 0.05 * rng.normal(size=(80, 4)))
    odd = np.exp([[1.5, 1.5, -1.5, -1.5]])
    model = OutOfDistribution().fit(table)
    assert model.predict(odd)[0] == -1
    assert not model.outside_features(odd)["is_outside"].any()


def test_scores_do_not_depend_on_units_or_on_the_batch():
    rng = np.random.default_rng(3)
    table, groups = _deposits(rng, 30)
    units = np.array([1.0, 1e4, 1e-3, 7.0, 1.0, 2.0])
    model = OutOfDistribution().fit(table, groups=groups)
    rescaled = OutOfDistribution().fit(table * units, groups=groups)
    assert np.allclose(model.score_samples(table), rescaled.score_samples(table * units))
    assert np.allclose(model.score_samples(table)[5], model.score_samples(table[5:6])[0])
    assert np.array_equal(
        model.score_samples(table), clone(model).fit(table, groups=groups).score_samples(table)
    )


def test_groups_weigh_the_same_however_often_they_were_analysed():
    rng = np.random.default_rng(4)
    table, groups = _deposits(rng, 30)
    copies = np.append(np.arange(len(table)), np.repeat(np.flatnonzero(groups == 2), 20))
    one = OutOfDistribution().fit(table, groups=groups)
    other = OutOfDistribution().fit(table[copies], groups=groups[copies])
    assert np.allclose(one.score_samples(table), other.score_samples(table))


def test_missing_features_are_allowed_and_an_empty_row_is_no_judgement():
    table, groups = _deposits(np.random.default_rng(5), 40)
    table[::7, 1] = np.nan
    model = OutOfDistribution().fit(table, groups=groups)
    some = table[:3].copy()
    some[0] = np.nan
    some[1, :2] = np.nan
    judged = model.score_groups(some)
    assert np.isnan(judged.p_value[0])
    assert judged.sentence[0] == "no measured feature: nothing can be said"
    assert judged.p_value[1:].between(0, 1).all()


def test_more_groups_than_folds_gives_nearly_the_same_answer():
    table, groups = _deposits(np.random.default_rng(6), 120)
    exact = OutOfDistribution(max_folds=1000).fit(table, groups=groups)
    quick = OutOfDistribution(max_folds=20).fit(table, groups=groups)
    assert np.abs(exact.p_values(table) - quick.p_values(table)).mean() < 0.02


def test_a_linear_scale_is_possible():
    table = np.random.default_rng(7).normal(size=(60, 3))
    model = OutOfDistribution(transform="none").fit(table)
    assert model.predict([[0.0, 0.0, 0.0], [0.0, 0.0, 50.0]]).tolist() == [1, -1]
    assert model.outside_features([[0.0, 0.0, 50.0]]).loc["feature 2", "value"] == 50.0


def test_what_cannot_be_learnt_is_refused_or_said():
    table, groups = _deposits(np.random.default_rng(8), 30)
    with pytest.raises(ValueError, match="at least 5 training groups, got 2"):
        OutOfDistribution().fit(table, groups=groups % 2)
    with pytest.raises(ValueError, match="Concentrations must be positive, got 0 at row 0"):
        OutOfDistribution().fit(np.zeros((9, 2)))
    with pytest.raises(ValueError, match="transform must be one of log, none"):
        OutOfDistribution(transform="ln").fit(table)
    with pytest.warns(GossanWarning, match="With 10 groups no p-value is below 0.09"):
        OutOfDistribution().fit(table, groups=groups % 10)


@pytest.mark.filterwarnings("error")
def test_shuffled_columns_are_refused():
    table, _ = _deposits(np.random.default_rng(9), 30)
    frame = pd.DataFrame(table, columns=list("ABCDEF"))
    model = OutOfDistribution().fit(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[list("BACDEF")])


@pytest.mark.parametrize("like", ["MVT", "SEDEX"])
def test_gunga_lies_outside_the_table_in_cadmium(sphalerite, like):
    """Published medians of the Gunga deposit: Ge ~240, Cd ~460 ppm; the rest as in its types."""
    model = OutOfDistribution().fit(sphalerite[ELEMENTS], groups=sphalerite["deposit"])
    gunga = sphalerite.loc[sphalerite["type"] == like, ELEMENTS].median().to_frame().T
    typical = model.score_groups(gunga)
    gunga[["Ge", "Cd"]] = [240.0, 460.0]
    found = model.outside_features(gunga)
    assert found.index[0] == "Cd"
    assert found.loc["Cd", "is_outside"]
    assert found.loc["Cd", "share_below"] == 0.0
    assert found.loc["Cd", "low"] > 460.0
    assert found.loc["Ge", "share_below"] > 0.97
    judged = model.score_groups(gunga)
    assert judged.features_outside[0] == "Cd"
    assert judged.sentence[0].startswith("outside the training data in Cd")
    assert judged.p_value[0] < 0.2
    assert judged.p_value[0] < typical.p_value[0]
    # Judged by its chemistry as a whole it is unusual, not beyond every deposit: 17 of the 96
    # training deposits are themselves beyond the others in some element.
    assert model.n_edge_ == 17
