"""Importance, attribution and discriminating elements recover what was planted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from gossan.validation.crossval import cross_validate
from gossan.validation.explanation import (
    balanced_median,
    discriminating_elements,
    group_attribution,
    permutation_importance,
)


@pytest.fixture
def planted():
    """Feature B tells the types apart, C half as much, A and D say nothing."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), rng.integers(3, 12, 40))
    kind = (np.arange(40) % 2)[groups]
    X = rng.normal(size=(40, 4))[groups] * 0.7 + 0.4 * rng.normal(size=(len(groups), 4))
    X[:, 1] += 3.0 * kind
    X[:, 2] += 1.5 * kind
    frame = pd.DataFrame(np.exp(X), columns=list("ABCD"))
    return frame, np.where(kind == 1, "VMS", "MVT"), groups


@pytest.fixture
def fitted(planted):
    X, y, groups = planted
    return cross_validate(
        GaussianNB(), np.log(X), y, groups=groups, seeds=(0, 1), keep_estimators=True
    )


def test_held_out_importance_ranks_the_planted_features(planted, fitted):
    X, y, groups = planted
    for score in ("log_loss", "accuracy"):
        table = permutation_importance(
            fitted.estimators, np.log(X), y, groups=groups, folds=fitted.folds, score=score
        )
        assert table.index[:2].tolist() == ["B", "C"]
        assert table.loc["B", "low"] > 0
        assert table.loc[["A", "D"], "low"].max() <= 0.01
        assert (table["low"] <= table["importance"]).all()
        assert (table["importance"] <= table["high"]).all()


def test_importance_of_a_set_is_that_of_its_members_together(planted, fitted):
    X, y, groups = planted
    table = permutation_importance(
        fitted.estimators, np.log(X), y, groups=groups, folds=fitted.folds,
        feature_sets={"both": ["B", "C"], "noise": [0, 3]},
    )  # fmt: skip
    alone = permutation_importance(
        fitted.estimators, np.log(X), y, groups=groups, folds=fitted.folds
    )
    assert table.loc["both", "importance"] > alone["importance"].max()
    assert abs(table.loc["noise", "importance"]) < 0.1


def test_importance_takes_callables_and_equals_a_plain_loop(planted):
    X, y, groups = planted
    table = np.log(X.to_numpy())
    model = LogisticRegression().fit(table, y)
    rows = np.arange(len(y))
    found = permutation_importance(
        [model.predict_proba], table, y, groups=groups, folds=[([], rows)], n_repeats=2
    )
    assert found.index[0] == "feature 1"
    loss = lambda p: -np.log(np.maximum(p[rows, (y == "VMS").astype(int)], 1e-3))  # noqa: E731
    # A model of one feature loses nothing by another.
    one = lambda t: model.predict_proba(t * [0, 1, 0, 0])  # noqa: E731
    found = permutation_importance([one], table, y, groups=groups, folds=[([], rows)])
    assert (found.loc[["feature 0", "feature 2", "feature 3"], "importance"] == 0).all()
    assert found.loc["feature 1", "importance"] > loss(one(table)).mean()


def test_importance_refuses_too_few_models_or_groups(planted, fitted):
    X, y, groups = planted
    common = {"y": y, "groups": groups, "folds": fitted.folds}
    with pytest.raises(ValueError, match="2 models for 40 folds"):
        permutation_importance(fitted.estimators[:2], X, **common)
    with pytest.raises(ValueError, match="Values are exchanged between held-out groups"):
        permutation_importance(fitted.estimators[:1], X, y, groups=groups, folds=fitted.folds[:1])
    with pytest.raises(ValueError, match="unknown feature 'Z'"):
        permutation_importance(fitted.estimators, X, feature_sets={"s": ["Z"]}, **common)
    with pytest.raises(ValueError, match="score must be one of log_loss, accuracy"):
        permutation_importance(fitted.estimators, X, score="f1", **common)


def test_shapley_parts_sum_to_the_difference_and_find_the_feature(planted):
    X, y, groups = planted
    model = LogisticRegression().fit(np.log(X), y)
    reference = np.log(balanced_median(X, y, groups))
    found = group_attribution(
        model, np.log(X), groups, reference=reference, classes=model.classes_, n_draws=8
    )
    parts = found[list("ABCD")].sum(axis=1)
    assert np.allclose(parts, found["probability"] - found["reference_probability"])
    vms = found[found["label"] == "VMS"]
    assert (vms[list("ABCD")].idxmax(axis=1).isin(["B", "C"])).mean() > 0.9


def test_shapley_of_a_product_is_exact_with_both_directions():
    # f = a b from (0, 0) to (1, 1): each order books 1 to the last; the pair of orders gives half.
    def predict(table):
        product = table[:, 0] * table[:, 1]
        return np.stack([1 - product, product], axis=1)

    found = group_attribution(
        predict, [[1.0, 1.0]], ["g"], reference=[0.0, 0.0], classes=[0, 1], n_draws=1
    )
    assert found.loc["g", ["feature 0", "feature 1"]].tolist() == [0.5, 0.5]
    replaced = group_attribution(
        predict, [[1.0, 1.0]], ["g"], reference=[0.0, 0.0], classes=[0, 1], method="replace"
    )
    assert replaced.loc["g", ["feature 0", "feature 1"]].tolist() == [1.0, 1.0]


def test_another_class_than_the_verdict_can_be_explained(planted):
    X, y, groups = planted
    model = LogisticRegression().fit(np.log(X), y)
    reference = np.log(X).median().to_numpy()
    some = np.log(X)[groups == 1]
    found = group_attribution(
        model, some, groups[groups == 1], reference=reference, classes=model.classes_,
        labels={1: "MVT"},
    )  # fmt: skip
    assert found.loc[1, "label"] == "MVT"
    assert found.loc[1, "B"] < 0
    with pytest.raises(ValueError, match="reference must have one value per feature"):
        group_attribution(model, some, groups[groups == 1], reference=[1.0], classes=["a", "b"])


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=25))
def test_the_balanced_median_of_single_rows_is_the_median(values):
    X = np.array(values)[:, None]
    n = len(values)
    assert balanced_median(X, ["A"] * n, np.arange(n))[0] == pytest.approx(np.median(values))


def test_discriminating_elements_recover_the_planted_ones(planted):
    X, y, groups = planted
    table = discriminating_elements(X, y, groups=groups, n_resamples=300)
    vms = table.loc["VMS"]
    assert vms.index[0] == "B"
    assert vms.loc["B", "direction"] == "high"
    assert table.loc[("MVT", "B"), "direction"] == "low"
    assert vms.loc["A", "direction"] == "unclear"
    assert vms.loc["B", "p_holm"] < 0.001
    assert vms.loc["A", "p_holm"] > 0.05
    assert np.allclose(table["delta"], 2 * table["auc"] - 1)
    assert table.loc[("MVT", "C"), "delta"] == pytest.approx(-vms.loc["C", "delta"])


def test_the_auc_of_group_medians_by_hand():
    X = np.array([[1.0], [3.0], [2.0], [9.0], [5.0]])
    y = ["A", "A", "B", "B", "B"]
    table = discriminating_elements(
        X, y, groups=["a", "a", "b", "c", "d"], names=["Zn"], n_resamples=10
    )
    # Medians: A 2; B 2, 9, 5: one tie and two losses.
    assert table.loc[("A", "Zn"), "auc"] == pytest.approx(0.5 / 3)
    assert table.loc[("A", "Zn"), "n_groups"] == 1
    assert np.isnan(table.loc[("A", "Zn"), "low"])
    with pytest.raises(ValueError, match="y holds one class only"):
        discriminating_elements(X, ["A"] * 5, groups=np.arange(5))


def test_intervals_of_delta_cover_the_truth():
    rng = np.random.default_rng(5)
    shift, inside = 1.0, 0
    truth = 2 * stats.norm.cdf(shift / np.sqrt(2)) - 1
    for _ in range(150):
        X = rng.normal(size=(24, 1))
        X[:12] += shift
        table = discriminating_elements(
            X, ["A"] * 12 + ["B"] * 12, groups=np.arange(24), n_resamples=200, random_state=rng
        )
        row = table.loc["A"].iloc[0]
        inside += row["low"] <= truth <= row["high"]
    assert 0.9 <= inside / 150 <= 0.995


def test_mvt_sphalerite_is_rich_in_germanium_and_poor_in_manganese(sphalerite):
    elements = ["Mn", "Fe", "Co", "Cu", "Ga", "Ge", "Ag", "Cd", "In", "Sn", "Sb", "Pb"]
    table = discriminating_elements(
        sphalerite[elements], sphalerite["type"], groups=sphalerite["deposit"], n_resamples=300
    )
    assert table.loc[("MVT", "Ge"), "direction"] == "high"
    assert table.loc[("MVT", "Mn"), "direction"] == "low"
    assert table.loc[("MVT", "Ge"), "n_groups"] == 24
