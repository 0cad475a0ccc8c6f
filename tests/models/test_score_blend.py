"""Blends: one scale for all, and no member decides alone."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from gossan.models import Forest, PathfinderIndex, PointLogistic, ScoreBlend

rng = np.random.default_rng(0)
X = rng.normal(size=(600, 4))
TRUTH = X[:, 0] + X[:, 1] + 0.8 * rng.normal(size=600) > 2.0
Y = TRUTH.astype(int)


def test_the_blend_is_the_mean_of_logits_over_their_spread():
    blend = ScoreBlend([("a", PathfinderIndex([0])), ("b", PathfinderIndex([1]))]).fit(X, Y)
    values = X.astype(np.float32).astype(float)
    spread = values[Y == 0][:, :2].std(axis=0)
    np.testing.assert_allclose(blend.scale_, spread, rtol=1e-6)
    wanted = (values[:, :2] / spread).mean(axis=1) * spread.mean()
    np.testing.assert_allclose(blend.decision_function(X), wanted, atol=1e-6)
    np.testing.assert_allclose(blend.predict_proba(X)[:, 1], expit(wanted), atol=1e-6)


def test_a_bold_member_counts_no_more_than_a_shy_one():
    members = [("a", PathfinderIndex([0])), ("b", PathfinderIndex([1]))]
    stretched = X * [2.0, 1.0, 1.0, 1.0]
    plain = ScoreBlend(members).fit(X, Y).decision_function(X)
    bold = ScoreBlend(members).fit(stretched, Y).decision_function(stretched)
    assert np.corrcoef(plain, bold)[0, 1] > 0.99999
    naive = (X[:, 0] * 2.0 + X[:, 1]) / 2.0
    assert np.corrcoef(plain, naive)[0, 1] < 0.96


@pytest.mark.parametrize("rule", ["logits", "ranks"])
def test_members_that_err_differently_are_better_together(rule):
    members = [("a", PathfinderIndex([0])), ("b", PathfinderIndex([1]))]
    blend = ScoreBlend(members, rule=rule).fit(X, Y)
    together = roc_auc_score(Y, blend.predict_proba(X)[:, 1])
    assert together > max(roc_auc_score(Y, X[:, i]) for i in (0, 1)) + 0.05


def test_ranks_are_shares_of_the_background_and_rise_beyond_it():
    blend = ScoreBlend([("a", PathfinderIndex([0]))], rule="ranks").fit(X, Y)
    median, top = np.quantile(X[Y == 0, 0], [0.5, 1.0])
    at = np.zeros((4, 4))
    at[:, 0] = [median, top, top + 0.5, top + 1.0]
    ranks = blend.predict_proba(at)[:, 1]
    assert ranks[0] == pytest.approx(0.5, abs=0.003)
    assert ranks[1] == pytest.approx(0.9975, abs=1e-4)
    assert (np.diff(ranks) > 0).all()
    assert ranks[3] < 1.0


def test_no_member_is_surer_than_one_in_a_thousand():
    blend = ScoreBlend([("a", PathfinderIndex([0])), ("b", PathfinderIndex([1]))]).fit(X, Y)
    sure, surer = blend.decision_function([[50.0, 0.0, 0.0, 0.0], [500.0, 0.0, 0.0, 0.0]])
    assert sure == surer
    assert sure == pytest.approx(logit(0.999) / 2 * blend.scale_.mean() / blend.scale_[0])


def test_a_seed_reaches_all_members_and_is_not_written_into_them():
    members = [("f", Forest(n_estimators=5)), ("g", Forest("extra", n_estimators=5))]
    first, second = (ScoreBlend(members, random_state=3).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    assert members[0][1].random_state is None
    assert {each.random_state for each in first.estimators_} == {3}


def test_members_that_will_not_do_are_told():
    twice = [("a", PointLogistic()), ("a", PathfinderIndex())]
    with pytest.raises(ValueError, match="pairs of different names"):
        ScoreBlend(twice).fit(X, Y)
    with pytest.raises(ValueError, match="rule must be one of logits, ranks"):
        ScoreBlend([("a", PointLogistic())], rule="median").fit(X, Y)
