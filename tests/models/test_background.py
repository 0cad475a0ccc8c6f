"""Many draws of the background: what each is trained on, and what the mean is worth."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import roc_auc_score

from gossan.models import BackgroundEnsemble, Forest, PointLogistic, top_overlap
from gossan.nets import WindowCNN


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers the rows that it was trained on."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_, self.rows_, self.y_ = np.unique(y), X[:, 0].astype(int), y
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def test_each_draw_has_all_occurrences_and_another_share_of_the_background():
    X, y = np.arange(1000.0)[:, None], (np.arange(1000) % 50 == 0).astype(int)
    model = BackgroundEnsemble(Recorder(), n_draws=4, per_positive=15.0, random_state=0).fit(X, y)
    drawn = [set(each.rows_[each.y_ == 0]) for each in model.estimators_]
    for each, ground in zip(model.estimators_, drawn, strict=True):
        assert set(each.rows_[each.y_ == 1]) == set(range(0, 1000, 50))
        assert len(ground) == (each.y_ == 0).sum() == 300
        assert all(row % 50 for row in ground)
    assert len(set.union(*drawn)) > 650  # chance: 980 (1 - 0.694^4) = 753
    assert len({each.random_state for each in model.estimators_}) == 4


@pytest.mark.parametrize(("settings", "n"), [({"least": 400}, 400), ({"per_positive": 1e6}, 980)])
def test_the_least_and_all_there_is_bound_a_draw(settings, n):
    X, y = np.arange(1000.0)[:, None], (np.arange(1000) % 50 == 0).astype(int)
    model = BackgroundEnsemble(Recorder(), n_draws=1, random_state=0, **settings).fit(X, y)
    assert (model.estimators_[0].y_ == 0).sum() == n


def hidden_world(rng, n=3000):
    """Return a table whose background holds ore that nobody labelled, labels, and the truth."""
    X = rng.normal(size=(n, 6))
    truth = X[:, 0] + X[:, 1] > 2.6
    y = (truth & (rng.random(n) < 0.3)).astype(int)
    return X, y, truth


def test_the_mean_is_better_than_a_draw_and_steadier():
    X, y, truth = hidden_world(np.random.default_rng(0))
    forest = Forest(n_estimators=15, min_samples_leaf=1)
    model = BackgroundEnsemble(forest, n_draws=12, least=60, per_positive=1.0, random_state=0)
    hidden = y == 0
    model.fit(X, y)
    alone = [roc_auc_score(truth[hidden], e.predict_proba(X)[hidden, 1]) for e in model.estimators_]
    together = roc_auc_score(truth[hidden], model.predict_proba(X)[hidden, 1])
    assert together > max(alone)
    again = BackgroundEnsemble(forest, n_draws=12, least=60, per_positive=1.0, random_state=1)
    ensembles = [m.predict_proba(X)[:, 1] for m in (model, again.fit(X, y))]
    singles = [e.predict_proba(X)[:, 1] for e in model.estimators_]
    assert top_overlap(ensembles) > top_overlap(singles) + 0.1


def test_stability_is_the_share_of_draws_that_choose_a_cell():
    X, y, _ = hidden_world(np.random.default_rng(1))
    volume = np.random.default_rng(2).normal(size=(6, 20, 25)).astype(np.float32)
    volume[:, 4, 4] = np.nan
    model = BackgroundEnsemble(n_draws=4, least=60, per_positive=1.0, random_state=0).fit(X, y)
    stability = model.stability_map(volume, share=0.1)
    maps = list(model.member_maps(volume))
    assert np.isnan(stability[4, 4])
    assert np.nansum(stability) * 4 == 4 * 50  # each draw has its own best 50 of 499
    best = np.argsort(-np.nan_to_num(maps[0], nan=-1.0).ravel())[0]
    assert stability.ravel()[best] >= 0.25
    mean = np.mean(maps, axis=0)
    np.testing.assert_allclose(model.score_map(volume), mean, atol=1e-6)


def test_networks_of_all_draws_and_folds_are_trained_at_once():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 2, 3, 3)), np.repeat([1, 0], [20, 100])
    X[:20, 0, 1, 1] += 4.0
    network = WindowCNN(epochs=40, learning_rate=0.01, n_members=2)
    model = BackgroundEnsemble(network, n_draws=3, least=40, per_positive=2.0, random_state=0)
    folds = [(np.arange(0, 120, 2), 0), (np.arange(1, 120, 2), 1)]
    first, second = model.fit_many(X, y, folds)
    assert first.member_probabilities(X).shape == (6, 120)
    assert roc_auc_score(y[1::2], first.predict_proba(X[1::2])[:, 1]) > 0.9
    assert roc_auc_score(y[0::2], second.predict_proba(X[0::2])[:, 1]) > 0.9
    volume = rng.normal(size=(2, 9, 9)).astype(np.float32)
    mean, std = first.score_map(volume, return_std=True)
    members = np.concatenate(
        [e.member_probabilities(volume[None, :, 3:6, 3:6]) for e in first.estimators_]
    )
    assert mean[4, 4] == pytest.approx(members.mean(), abs=1e-6)
    assert std[4, 4] == pytest.approx(members.std(), abs=1e-6)


def test_what_will_not_do_is_told():
    X, y, _ = hidden_world(np.random.default_rng(0), n=200)
    with pytest.raises(ValueError, match="n_draws must be a whole number above 0, got 0"):
        BackgroundEnsemble(n_draws=0).fit(X, y)
    with pytest.raises(ValueError, match="per_positive must be a number above 0"):
        BackgroundEnsemble(per_positive=-1).fit(X, y)
    with pytest.raises(ValueError, match="got 0 occurrences and"):
        BackgroundEnsemble(PointLogistic()).fit_many(X, y, [(np.flatnonzero(y == 0), 0)])
