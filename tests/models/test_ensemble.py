"""EnsembleClassifier: averages worked by hand, many fits at once, missing values."""

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from gossan.models import (
    BoostedTrees,
    EnsembleClassifier,
    GroupNeighbours,
    HierarchicalDiscriminant,
    make_baseline,
)


class Fixed(ClassifierMixin, BaseEstimator):
    """Gives the same probabilities for every row."""

    def __init__(self, shares=(0.5, 0.5)):
        self.shares = shares

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.tile(self.shares, (len(X), 1))


class ManyAtOnce(Fixed):
    """Tells that it was fitted many at once, and on which table."""

    def fit_many(self, X, y, members, groups=None):
        fitted = []
        for train, seed in members:
            one = ManyAtOnce(self.shares).fit(X[train], y[train])
            one.seed_, one.table_, one.groups_ = seed, X[train], groups[train]
            fitted.append(one)
        return fitted


@pytest.fixture
def world(plant):
    return plant(0, n_deposits=6, n_per_deposit=(3, 9), apart=2.0)


def members():
    return [
        ("discriminant", HierarchicalDiscriminant()),
        ("near", GroupNeighbours()),
        ("trees", BoostedTrees(max_iter=5, random_state=0)),
    ]


def test_averages_worked_by_hand():
    X, y = [[1.0], [2.0]], ["a", "b"]
    pair = [("one", Fixed((0.9, 0.1))), ("two", Fixed((0.2, 0.8)))]
    mean = EnsembleClassifier(pair, rule="mean").fit(X, y)
    np.testing.assert_allclose(mean.predict_proba(X)[0], [0.55, 0.45])
    geometric = EnsembleClassifier(pair).fit(X, y)
    odds = np.sqrt(0.9 * 0.2) / np.sqrt(0.1 * 0.8)  # 1.5
    np.testing.assert_allclose(geometric.predict_proba(X)[0], [odds / (1 + odds), 1 / (1 + odds)])
    assert geometric.predict(X).tolist() == ["a", "a"]


def test_no_member_can_veto_a_class():
    pair = [("one", Fixed((1.0, 0.0))), ("two", Fixed((0.0, 1.0)))]
    model = EnsembleClassifier(pair).fit([[1.0], [2.0]], ["a", "b"])
    np.testing.assert_allclose(model.predict_proba([[1.0]])[0], [0.5, 0.5])


def test_members_are_told_by_name(world):
    model = EnsembleClassifier(members()).fit(world.X, world.y, groups=world.groups)
    told = model.predict_members(world.X)
    assert list(told) == ["discriminant", "near", "trees"]
    alone = GroupNeighbours().fit(world.X, world.y, groups=world.groups)
    np.testing.assert_array_equal(told["near"], alone.predict_proba(world.X))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_fitting_many_is_fitting_each(world, n_jobs):
    rng = np.random.default_rng(0)
    jobs = [(np.sort(rng.permutation(len(world.X))[:70]), seed) for seed in (5, 6)]
    ensemble = EnsembleClassifier(members(), n_jobs=n_jobs)
    with joblib.parallel_config("threading"):
        many = ensemble.fit_many(world.X, world.y, jobs, groups=world.groups)
    for (train, seed), model in zip(jobs, many, strict=True):
        alone = EnsembleClassifier(members(), random_state=seed)
        alone.fit(world.X[train], world.y[train], groups=world.groups[train])
        np.testing.assert_array_equal(model.predict_proba(world.X), alone.predict_proba(world.X))


def test_a_member_that_can_fits_many_at_once_on_tables_filled_for_each_job(world):
    X = world.X.copy()
    X[::4, 1] = np.nan
    jobs = [(np.arange(0, 60), 1), (np.arange(20, len(X)), 2)]
    pair = [("many", ManyAtOnce((0.3, 0.3, 0.4))), ("discriminant", HierarchicalDiscriminant())]
    fitted = EnsembleClassifier(pair).fit_many(X, world.y, jobs, groups=world.groups)
    for (train, seed), model in zip(jobs, fitted, strict=True):
        many, discriminant = model.estimators_
        assert many.seed_ == seed
        np.testing.assert_array_equal(many.groups_, world.groups[train])
        np.testing.assert_array_equal(many.table_, discriminant.conditional_fill(X[train]))


def test_a_fold_without_a_class_has_its_own_classes(world):
    train = np.flatnonzero(world.y != "VMS")
    model = EnsembleClassifier(members()).fit_many(world.X, world.y, [(train, 0)])[0]
    assert model.classes_.tolist() == ["MVT", "SEDEX"]
    assert model.predict_proba(world.X).shape == (len(world.X), 2)


def test_missing_values_are_filled_for_the_others(world):
    model = EnsembleClassifier(members()).fit(world.X, world.y, groups=world.groups)
    X = world.X.copy()
    X[::3, 0] = np.nan
    told = model.predict_members(X)
    discriminant, near, _ = model.estimators_
    filled = discriminant.conditional_fill(X)
    np.testing.assert_array_equal(told["near"], near.predict_proba(filled))
    np.testing.assert_array_equal(told["discriminant"], discriminant.predict_proba(X))
    assert (model.predict(X) == world.y).mean() > 0.75


def test_rows_that_miss_more_than_half_are_refused(world):
    model = EnsembleClassifier(members()).fit(world.X, world.y, groups=world.groups)
    X = world.X.copy()
    X[7, :2] = np.nan
    with pytest.raises(ValueError, match=r"More than half .* row 7 \(2 of 3\)\. Drop these rows"):
        model.predict_proba(X)
    with pytest.raises(ValueError, match="More than half"):
        EnsembleClassifier(members()).fit(X, world.y)


def test_without_a_discriminant_missing_values_are_refused(world):
    X = world.X.copy()
    X[7, 0] = np.nan
    ensemble = EnsembleClassifier([("near", GroupNeighbours())])
    assert not ensemble.__sklearn_tags__().input_tags.allow_nan
    with pytest.raises(ValueError, match="NaN"):
        ensemble.fit(X, world.y)


def test_the_seed_reaches_members_inside_members(world):
    pair = [("forest", make_baseline("extra_trees", random_state=1)), ("near", GroupNeighbours())]
    pair[0][1].estimator.set_params(n_estimators=5)
    model = EnsembleClassifier(pair, random_state=9).fit(world.X, world.y, groups=world.groups)
    assert model.estimators_[0].estimator.random_state == 9
    assert pair[0][1].estimator.random_state != 9


def test_wrong_arguments_are_told(world):
    with pytest.raises(ValueError, match="rule must be one of"):
        EnsembleClassifier(members(), rule="median").fit(world.X, world.y)
    with pytest.raises(ValueError, match="of different names"):
        EnsembleClassifier([*members(), members()[0]]).fit(world.X, world.y)
    with pytest.raises(ValueError, match="of different names"):
        EnsembleClassifier([]).fit(world.X, world.y)
