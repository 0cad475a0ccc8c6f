"""Pooled trees: a probability of ore that rises with the grade and finds a planted truth."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from gossan.models import PooledTrees
from gossan.models.pooled import SURE

N_NEAR = 4


@pytest.fixture(scope="module")
def planted():
    """Ore is made by the grade, a second near column and a wide one; the others are noise."""
    rng = np.random.default_rng(0)

    def draw(n):
        X = rng.normal(size=(n, 8))
        odds = 2.0 * X[:, 0] + 1.5 * np.abs(X[:, 1]) + 1.5 * X[:, 6] - 3.5
        return X, (rng.random(n) < expit(odds)).astype(int), odds

    return draw(1500), draw(1500)


@pytest.fixture(scope="module")
def model(planted):
    (X, y, _), _ = planted
    return PooledTrees(N_NEAR, random_state=0).fit(X, y)


def test_the_planted_truth_is_found(planted, model):
    _, (X, y, odds) = planted
    auc = roc_auc_score(y, model.predict_proba(X)[:, 1])
    assert auc > roc_auc_score(y, odds) - 0.06
    assert auc > roc_auc_score(y, X[:, 0]) + 0.03


def test_wide_columns_are_read_where_there_are_any(planted, model):
    (X, y, _), (asked, truth, _) = planted
    near = PooledTrees(N_NEAR, random_state=0).fit(X[:, :N_NEAR], y)
    wide = roc_auc_score(truth, model.predict_proba(asked)[:, 1])
    assert wide > roc_auc_score(truth, near.predict_proba(asked[:, :N_NEAR])[:, 1])


def test_only_one_member_reads_the_wide_columns(planted, model):
    _, (X, *_) = planted
    changed = X.copy()
    changed[:, N_NEAR:] = changed[::-1, N_NEAR:]
    for number, (member, own) in enumerate(model.members_):
        told = [member.predict_proba(each[:, own]) for each in (X, changed)]
        assert np.array_equal(*told) == (number != 1)


def test_boosted_trees_and_curve_only_rise_with_the_grade(planted, model):
    _, (X, *_) = planted
    steps = np.linspace(-4.0, 4.0, 60)
    for member, own in model.members_[2:]:
        for row in X[:20]:
            asked = np.repeat(row[None], len(steps), axis=0)
            asked[:, 0] = steps
            assert (np.diff(member.predict_proba(asked[:, own])[:, 1]) >= -1e-12).all()
    assert (np.diff(model.members_[3][0].predict_proba(steps[:, None])[:, 1]) > 0).all()


def test_the_grade_may_stand_anywhere_among_the_near_columns(planted):
    (X, y, _), (asked, *_) = planted
    order = [1, 2, 0, 3, 4, 5, 6, 7]
    model = PooledTrees(N_NEAR, grade=2, random_state=0).fit(X[:, order], y)
    member, own = model.members_[3]
    assert own == slice(2, 3)
    told = member.predict_proba(asked[:, order][:, own])[:, 1]
    assert np.array_equal(np.argsort(told, kind="stable"), np.argsort(asked[:, 0], kind="stable"))


def test_the_pool_is_the_mean_of_log_odds(planted, model):
    _, (X, *_) = planted
    odds = [
        logit(np.clip(member.predict_proba(X[:, own])[:, 1], SURE, 1 - SURE))
        for member, own in model.members_
    ]
    told = model.predict_proba(X)
    np.testing.assert_allclose(logit(told[:, 1]), np.mean(odds, axis=0), atol=1e-9)
    np.testing.assert_allclose(told.sum(axis=1), 1.0)
    assert told[:, 1].min() >= SURE
    assert told[:, 1].max() <= 1 - SURE


def test_the_likelier_class_is_told_by_its_name(planted):
    (X, y, _), (asked, *_) = planted
    words = np.where(y == 1, "ore", "barren")
    model = PooledTrees(random_state=0, n_estimators=10).fit(X, words)
    assert model.classes_.tolist() == ["barren", "ore"]
    told = model.predict(asked)
    assert ((told == "ore") == (model.predict_proba(asked)[:, 1] >= 0.5)).all()


def test_a_row_scores_the_same_alone_and_a_seed_gives_the_same_model(planted, model):
    (X, y, _), (asked, *_) = planted
    again = PooledTrees(N_NEAR, random_state=0).fit(X, y)
    every = model.predict_proba(asked)
    np.testing.assert_array_equal(every, again.predict_proba(asked))
    np.testing.assert_allclose(model.predict_proba(asked[7:8]), every[7:8], rtol=1e-12)
    other = PooledTrees(N_NEAR, random_state=1).fit(X, y)
    assert not np.array_equal(every, other.predict_proba(asked))


def test_a_few_cells_of_ore_are_enough():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.zeros(60, dtype=int)
    y[np.argsort(X[:, 0])[-2:]] = 1
    told = PooledTrees(random_state=0).fit(X, y).predict_proba(X)[:, 1]
    assert told[y == 1].min() > np.median(told[y == 0])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"n_near": 0}, r"n_near must be 1 to 3.*got n_near=0 and grade=0. Put the near"),
        ({"n_near": 4}, r"n_near must be 1 to 3"),
        ({"n_near": 2, "grade": 2}, r"got n_near=2 and grade=2"),
        ({"grade": -1}, r"grade=-1"),
    ],
)
def test_columns_that_are_not_there_are_refused(options, match):
    X, y = np.zeros((6, 3)), [0, 1] * 3
    with pytest.raises(ValueError, match=match):
        PooledTrees(**options).fit(X, y)


@pytest.mark.parametrize("labels", [[0] * 6, [0, 1, 2] * 2])
def test_two_classes_are_needed(labels):
    with pytest.raises(ValueError, match=r"two classes, ore and barren.*Label cells of both"):
        PooledTrees().fit(np.zeros((6, 3)), labels)


def test_missing_values_are_refused():
    X = np.zeros((6, 3))
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        PooledTrees().fit(X, [0, 1] * 3)
