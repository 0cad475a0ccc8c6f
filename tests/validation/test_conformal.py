"""Conformal sets and intervals hold the truth as often as promised, for new groups."""

import numpy as np
import pytest
from scipy import special

from gossan._checks import GossanWarning
from gossan.validation._groups import group_quantile
from gossan.validation.conformal import (
    ConformalIntervals,
    ConformalSets,
    conformal_coverage,
)


def _world(rng, n_groups, *, n_rows=1, shift=1.5):
    """Over-sure probabilities with a deposit effect, and the true classes (0..3)."""
    groups = np.repeat(np.arange(n_groups), n_rows)
    y = rng.integers(0, 4, n_groups)[groups]
    logits = 1.5 * np.eye(4)[y] + shift * rng.normal(size=(n_groups, 4))[groups]
    return special.softmax(2.0 * (logits + 0.3 * rng.normal(size=logits.shape)), axis=1), y, groups


def test_the_group_quantile_of_one_row_per_group_is_the_textbook_one():
    scores = np.random.default_rng(0).random(50)
    expected = np.sort(scores)[int(np.ceil(51 * 0.9)) - 1]
    assert group_quantile(scores, np.arange(50), 0.9) == expected
    assert group_quantile(scores[:8], np.arange(8), 0.9) == np.inf
    assert group_quantile(scores[:9], np.arange(9), 0.9) == scores[:9].max()


def test_groups_count_once_however_many_rows_they_have():
    scores, codes = np.array([1.0, 2.0, 3.0, 4.0, 9.0]), np.array([0, 1, 2, 3, 4])
    many, many_codes = np.append(scores, np.full(100, 9.0)), np.append(codes, np.full(100, 4))
    assert group_quantile(scores, codes, 0.6) == group_quantile(many, many_codes, 0.6) == 4.0


@pytest.mark.parametrize("score", ["lac", "aps", "raps"])
@pytest.mark.parametrize("per_class", [False, True])
def test_coverage_holds_for_new_deposits(score, per_class):
    rng = np.random.default_rng(2)
    hits, sizes, rare = [], [], []
    for _ in range(60):
        p, y, _ = _world(rng, 300)
        sets = ConformalSets(0.9, score=score, per_class=per_class).fit(p[:100], y[:100])
        members = sets.predict(p[100:])
        hit = members[np.arange(200), y[100:]]
        hits.append(hit.mean())
        sizes.append(members.sum(axis=1).mean())
        rare.append([hit[y[100:] == k].mean() for k in range(4)])
    # n = 100: the expected coverage lies in 0.9 to 0.9 + 1/101 (per class: + 1/26).
    assert 0.89 <= np.mean(hits) <= (0.95 if per_class else 0.925)
    assert np.mean(sizes) < 3.6
    if per_class:
        assert (np.mean(rare, axis=0) > 0.885).all()


def test_coverage_holds_for_rows_of_new_groups_where_row_calibration_fails():
    rng = np.random.default_rng(3)
    by_group, by_row = [], []
    for _ in range(250):
        p, y, groups = _world(rng, 26, n_rows=40)
        known = groups < 25
        new = ~known
        for hits, names in ((by_group, groups[known]), (by_row, None)):
            sets = ConformalSets(0.9).fit(p[known], y[known], names)
            hits.append(sets.predict(p[new])[:, y[new][0]].mean())
    assert np.mean(by_group) >= 0.88
    assert np.mean(by_group) > np.mean(by_row)


def test_measured_coverage_is_that_of_groups_left_out():
    rng = np.random.default_rng(4)
    p, y, _ = _world(rng, 400)
    found = conformal_coverage(p, y)
    assert found.observed == pytest.approx(0.9, abs=0.04)
    assert found.low < 0.9 < found.high
    assert found.per_class["n_groups"].sum() == 400
    assert found.mean_size == pytest.approx(found.members.sum(axis=1).mean())
    assert "Asked 90%, observed" in str(found)


def test_leave_one_out_coverage_equals_refitting_by_hand():
    rng = np.random.default_rng(5)
    p, y, groups = _world(rng, 15, n_rows=3)
    sets = ConformalSets(0.8, score="aps")
    found = conformal_coverage(p, y, groups=groups, sets=sets)
    for g in range(15):
        own = groups == g
        members = (
            ConformalSets(0.8, score="aps").fit(p[~own], y[~own], groups[~own]).predict(p[own])
        )
        assert np.array_equal(found.members[own], members)


def test_untested_rows_do_not_calibrate_and_have_full_sets():
    p, y, _ = _world(np.random.default_rng(6), 60)
    p[7] = np.nan
    found = conformal_coverage(p, y)
    assert found.members[7].all()
    assert found.per_class["n_groups"].sum() == 59


def test_sets_are_named_most_probable_first_and_may_be_empty_if_allowed():
    p, y, _ = _world(np.random.default_rng(7), 200, shift=0.1)
    names = np.array(["A", "B", "C", "D"])
    sets = ConformalSets(0.9, allow_empty=True).fit(p, names[y], classes=names)
    assert sets.predict_sets([[0.02, 0.96, 0.01, 0.01]]) == [("B",)]
    assert sets.predict_sets([[0.25, 0.25, 0.25, 0.25]]) == [()]
    full = ConformalSets(0.9).fit(p, names[y], classes=names)
    assert full.predict([[0.25, 0.25, 0.25, 0.25]]).sum() == 1


def test_a_row_has_the_same_set_alone_and_in_a_batch():
    p, y, _ = _world(np.random.default_rng(8), 100)
    sets = ConformalSets(score="raps").fit(p, y)
    batch = sets.predict(p)
    assert np.array_equal(batch[3], sets.predict(p[3:4])[0])


def test_too_few_groups_warn_and_keep_the_class_in():
    p, y, _ = _world(np.random.default_rng(9), 6)
    with pytest.warns(GossanWarning, match="Too few calibration groups for 90% coverage"):
        sets = ConformalSets(0.9).fit(p, y)
    assert sets.predict(p).all()


def test_regression_intervals_cover_new_groups_and_follow_the_scale():
    rng = np.random.default_rng(10)
    hits = []
    for _ in range(200):
        groups = np.repeat(np.arange(41), 10)
        scale = np.exp(0.5 * rng.normal(size=410))
        y = scale * (rng.normal(size=41)[groups] + 0.3 * rng.normal(size=410))
        known = groups < 40
        model = ConformalIntervals(0.9).fit(
            np.zeros(known.sum()), y[known], groups[known], scale=scale[known]
        )
        ends = model.predict(np.zeros(10), scale=scale[~known])
        hits.append(((ends[:, 0] <= y[~known]) & (y[~known] <= ends[:, 1])).mean())
    assert 0.88 <= np.mean(hits) <= 0.95
    with pytest.warns(GossanWarning, match="3 groups are too few for 90% coverage"):
        ConformalIntervals(0.9).fit([1.0, 2.0, 3.0], [1.0, 2.0, 3.5])


def test_what_cannot_be_calibrated_is_refused():
    p, y, _ = _world(np.random.default_rng(0), 20)
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1, got 90"):
        ConformalSets(90).fit(p, y)
    with pytest.raises(ValueError, match="score must be one of lac, aps, raps"):
        ConformalSets(score="lca").fit(p, y)
    with pytest.raises(ValueError, match="Nothing to calibrate on"):
        ConformalSets().fit(np.full((3, 2), np.nan), [0, 1, 0])
    with pytest.raises(ValueError, match="needs two groups, got 1"):
        conformal_coverage(p, y, groups=["a"] * 20)
    with pytest.raises(ValueError, match="must be finite and of one length"):
        ConformalIntervals().fit([1.0, np.nan], [1.0, 2.0])
    with pytest.raises(ValueError, match="scale must be positive"):
        ConformalIntervals().fit([1.0, 2.0], [1.0, 2.0], scale=[1.0, 0.0])
