import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC

from gossan.models import FEW_LABEL_MODELS, RankBlend, make_few_label_model
from gossan.models.few_labels import rankable_scores


@pytest.fixture(scope="module")
def world():
    """Return 90 rows with 18 of ore, high in column 0, and 200 rows of ground."""
    rng = np.random.default_rng(0)
    y = (np.arange(90) % 5 == 0).astype(int)
    X = rng.normal(size=(90, 3))
    X[:, 0] += 2.5 * y
    return X, y, rng.normal(size=(200, 3))


class Says(ClassifierMixin, BaseEstimator):
    """A classifier whose score is one column, times a factor."""

    def __init__(self, column=0, factor=1.0):
        self.column = column
        self.factor = factor

    def fit(self, X, y, background=None):
        self.classes_, self.had_background_ = np.unique(y), background is not None
        return self

    def decision_function(self, X):
        return self.factor * X[:, self.column]


@pytest.mark.parametrize("name", FEW_LABEL_MODELS)
def test_every_model_ranks_a_planted_rule(world, name):
    X, y, _ = world
    model = make_few_label_model(name, n_trees=50, random_state=0).fit(X[::2], y[::2])
    said = rankable_scores(model, X[1::2])
    ore = y[1::2] == 1
    assert len(np.unique(said)) > 5  # no hard labels
    assert (said[ore][:, None] > said[~ore]).mean() > 0.85


def test_the_published_settings_are_those_of_the_paper():
    svm = make_few_label_model("svm")
    assert (svm.C, svm.gamma, svm.class_weight) == (10.0, 0.01, None)
    balanced = make_few_label_model("balanced_svm")
    assert (balanced.C, balanced.gamma, balanced.class_weight) == (1.0, 0.05, "balanced")
    assert make_few_label_model("forest", n_trees=2000).n_estimators == 2000


def test_standard_scaling_makes_units_of_no_account(world):
    X, y, _ = world
    for name in ("gp", "balanced_svm"):
        small, large = (
            rankable_scores(make_few_label_model(name, scaling="standard").fit(Z, y), Z)
            for Z in (X, X * [1.0, 1e3, 1e-3])
        )
        np.testing.assert_allclose(small, large, atol=1e-6)


def test_a_blend_is_the_mean_of_the_ranks_among_the_ground():
    ground = np.array([[0.0, 3.0], [1.0, 2.0], [2.0, 1.0], [3.0, 0.0]])
    X, y = np.array([[0.5, 0.5], [2.5, 3.5]]), [0, 1]
    blend = RankBlend([("first", Says(0)), ("second", Says(1))]).fit(X, y, background=ground)
    # Ranks by the first: 1/4, 3/4; by the second: 1/4, 4/4; means 0.25 and 0.875.
    assert blend.threshold_ == pytest.approx((0.25 + 0.875) / 2)
    odds = np.array([0.25 / 0.75, 0.875 / 0.125]) / (0.5625 / 0.4375)
    np.testing.assert_allclose(blend.predict_proba(X)[:, 1], odds / (1 + odds))
    assert all(model.had_background_ for model in blend.estimators_)


def test_a_blend_does_not_mind_the_scale_of_a_member(world):
    X, y, ground = world
    one, other = (
        RankBlend([("svm", SVC()), ("column", Says(0, factor))]).fit(X, y, background=ground)
        for factor in (1.0, 1e6)
    )
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_a_blend_calls_the_share_of_the_training_rows_ore(world):
    X, y, ground = world
    blend = RankBlend([("svm", SVC()), ("gp", make_few_label_model("gp"))])
    assert blend.fit(X, y, background=ground).predict(X).sum() == y.sum()


def test_what_does_not_fit_is_refused(world):
    X, y, _ = world
    with pytest.raises(ValueError, match=r"name must be one of.*Did you mean 'forest'"):
        make_few_label_model("forrest")
    with pytest.raises(ValueError, match="scaling must be one of standard, none"):
        make_few_label_model("gp", scaling="minmax")
    with pytest.raises(ValueError, match=r"2 classes apart, got \[0\]"):
        RankBlend([("svm", SVC())]).fit(X, np.zeros(len(y), int))
