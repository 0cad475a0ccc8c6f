"""Verdicts and scores by hand, by law, and against a plain bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from gossan.validation._groups import expanded_percentiles
from gossan.validation.uncertainty import clopper_pearson
from gossan.validation.verdicts import (
    POOLING,
    group_units,
    pool_by_group,
    skill_score,
    verdict_scores,
)

P = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.2, 0.6, 0.2],
        [0.6, 0.2, 0.2],
        [0.1, 0.2, 0.7],
        [0.3, 0.4, 0.3],
        [0.1, 0.7, 0.2],
    ]
)
GROUPS = ["a", "a", "a", "b", "c", "c"]
Y = ["X", "X", "X", "Z", "X", "X"]


def test_pooling_by_hand():
    mean = pool_by_group(P, GROUPS, classes=["X", "Y", "Z"])
    assert np.allclose(mean.probabilities[0], [1.6 / 3, 0.3, 0.5 / 3])
    assert mean.labels.tolist() == ["X", "Z", "Y"]
    assert mean.n_analyses.tolist() == [3, 1, 2]
    assert np.allclose(mean.agreement, [2 / 3, 1, 1])
    assert np.allclose(mean.confidence, [1.6 / 3, 0.7, 0.55])
    vote = pool_by_group(P, GROUPS, method="vote")
    assert np.allclose(vote.probabilities[0], [2 / 3, 1 / 3, 0])
    median = pool_by_group(P, GROUPS, method="median")
    assert np.allclose(median.probabilities[0], np.array([0.6, 0.2, 0.2]))
    log_mean = pool_by_group(P, GROUPS, method="log_mean")
    raw = np.prod(P[:3], axis=0) ** (1 / 3)
    assert np.allclose(log_mean.probabilities[0], raw / raw.sum())


def test_a_median_of_three_opposed_certainties_falls_back_to_the_mean():
    pooled = pool_by_group(np.eye(3), ["a"] * 3, method="median")
    assert np.allclose(pooled.probabilities, 1 / 3)


def test_a_prior_is_divided_out():
    pooled = pool_by_group([[0.8, 0.2]], ["a"], prior=[0.8, 0.2])
    assert np.allclose(pooled.probabilities, 0.5)
    with pytest.raises(ValueError, match="prior must be one positive share per class"):
        pool_by_group([[0.8, 0.2]], ["a"], prior=[1.0, 0.0])


@given(st.integers(0, 2**31), st.sampled_from(POOLING))
def test_pooling_ignores_the_order_of_the_analyses_and_sums_to_one(seed, method):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(4), 30)
    groups = rng.integers(0, 6, 30)
    shuffle = rng.permutation(30)
    one = pool_by_group(p, groups, method=method)
    other = pool_by_group(p[shuffle], groups[shuffle], method=method)
    assert np.allclose(one.probabilities, other.probabilities)
    assert np.allclose(one.probabilities.sum(axis=1), 1.0)


def test_untested_analyses_are_left_out():
    p = np.vstack([P, np.full((2, 3), np.nan)])
    pooled = pool_by_group(p, [*GROUPS, "c", "d"])
    assert pooled.names.tolist() == ["a", "b", "c"]
    assert pooled.n_analyses.tolist() == [3, 1, 2]
    frame = pooled.to_frame()
    assert frame.loc["b", "verdict"] == 2
    assert frame.loc["b", 2] == 0.7
    with pytest.raises(ValueError, match="No analysis has a probability"):
        pool_by_group(np.full((2, 3), np.nan), ["a", "b"])


def test_scores_by_hand():
    scores = verdict_scores(Y, P, groups=GROUPS, classes=["X", "Y", "Z"])
    assert scores["accuracy"] == pytest.approx(3 / 6)
    assert scores["group_recall"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert scores["verdict"] == pytest.approx(2 / 3)
    assert scores["balanced_verdict"] == pytest.approx((0.5 + 1) / 2)
    assert scores["balanced_accuracy"] == pytest.approx((2 / 5 + 1) / 2)
    assert scores["pooled_accuracy"] == pytest.approx(4 / 6)
    assert scores["pooled_recall"] == pytest.approx(2 / 3)
    # The two most confident of the three are b (right) and c (wrong, 0.55 against 0.533 for a).
    assert scores["confident_half"] == pytest.approx(0.5)
    # Classes X and Z are there: recall (1/3 + 1) / 2 = 2/3, chance 1/2.
    assert scores["skill"] == pytest.approx(0.5 + 0.5 * (2 / 3 - 0.5) / 0.5)
    truth = np.array([0, 0, 0, 2, 0, 0])
    assert scores["log_loss"] == pytest.approx(log_loss(truth, P, labels=[0, 1, 2]))
    assert tuple(scores.table.loc["verdict", ["low", "high"]]) == pytest.approx(
        clopper_pearson(2, 3)
    )
    assert scores.confusion.loc["X", "Y"] == 1
    assert scores.units.loc["c", "right"] == False  # noqa: E712
    assert "6 analyses, 3 groups, 3 units (X 2, Z 1)" in str(scores)


def test_a_deposit_with_two_labels_is_two_units_but_one_group():
    groups, y = np.array(["a", "a", "b", "b"]), np.array([0, 0, 0, 1])
    assert group_units(groups, y).tolist() == ["a", "a", "b | 0", "b | 1"]
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.1, 0.9]])
    scores = verdict_scores(y, p, groups=groups)
    named = verdict_scores(np.array(["X", "Z"])[y], p, groups=groups, classes=["X", "Z"])
    assert named.units.index.tolist() == ["a", "b | X", "b | Z"]
    assert scores["verdict"] == 1.0
    # As one deposit b is called 1: its analysis of class 0 is then wrong.
    assert scores["pooled_accuracy"] == 0.75
    assert scores.n_groups == 2
    assert len(scores.units) == 3


def test_the_real_table_has_97_units(sphalerite):
    units = group_units(sphalerite["deposit"], sphalerite["type"])
    names, counts = np.unique(units, return_counts=True)
    assert len(names) == 97
    of = dict(zip(names.tolist(), counts.tolist(), strict=True))
    assert of["Yaojialing | Epithermal"] == 179
    assert of["Yaojialing | Skarn"] == 56


def test_units_must_lie_within_a_group_and_a_label():
    with pytest.raises(ValueError, match="A unit holds rows of several groups or labels"):
        verdict_scores([0, 1], [[1, 0], [1, 0]], groups=["a", "b"], units=["u", "u"])
    with pytest.raises(ValueError, match="units"):
        verdict_scores([0, 1], [[1, 0], [1, 0]], groups=["a", "b"], units=["u"])


def test_the_vectorised_intervals_equal_a_plain_cluster_bootstrap():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), rng.integers(1, 12, 30))
    y = (groups % 3).astype(int)
    p = rng.dirichlet(np.ones(3), len(y)) + 0.7 * np.eye(3)[y] * rng.random((len(y), 1))
    p /= p.sum(axis=1, keepdims=True)
    found = verdict_scores(y, p, groups=groups, n_resamples=80, random_state=5).table
    rows = [np.flatnonzero(groups == g) for g in range(30)]
    counts = np.random.default_rng(5).multinomial(30, np.full(30, 1 / 30), 80)
    plain = {"accuracy": [], "log_loss": [], "confident_half": [], "balanced_verdict": []}
    for draw in counts:
        # Every draw of a group is a group of its own.
        copies = [rows[g] for g, n in enumerate(draw) for _ in range(n)]
        picked = np.concatenate(copies)
        renamed = np.repeat(np.arange(len(copies)), [len(c) for c in copies])
        one = verdict_scores(y[picked], p[picked], groups=renamed, n_resamples=1)
        for name, values in plain.items():
            values.append(one[name])
    for name in ("accuracy", "log_loss", "balanced_verdict"):
        expected = expanded_percentiles(plain[name], 30)
        assert np.allclose(found.loc[name, ["low", "high"]].astype(float), expected)
    # Equal confidences of copies may be cut at the half in another order.
    expected = expanded_percentiles(plain["confident_half"], 30)
    assert np.allclose(found.loc["confident_half", ["low", "high"]].astype(float), expected)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_skill_of_a_constant_answer_is_a_half_and_of_the_truth_one(n_classes):
    y = np.arange(30) % n_classes
    groups = np.arange(30) // n_classes
    constant = np.tile(np.eye(n_classes)[0], (30, 1))
    assert skill_score(y, constant, groups=groups) == pytest.approx(0.5)
    assert skill_score(y, np.eye(n_classes)[y], groups=groups) == pytest.approx(1.0)


def test_skill_equals_the_score_of_the_table():
    rng = np.random.default_rng(1)
    y, groups = rng.integers(0, 3, 80), rng.integers(0, 12, 80)
    p = rng.dirichlet(np.ones(3), 80)
    assert skill_score(y, p, groups=groups) == pytest.approx(
        verdict_scores(y, p, groups=groups, n_resamples=5)["skill"]
    )


def test_scores_refuse_unknown_labels_and_empty_tests():
    with pytest.raises(ValueError, match="Label 'W' is none of the classes"):
        verdict_scores(["W"], [[1.0, 0.0]], groups=["a"], classes=["X", "Y"])
    with pytest.raises(ValueError, match="0 tested rows of 1"):
        verdict_scores([0], [[np.nan, np.nan]], groups=["a"])
    with pytest.raises(ValueError, match="method must be one of"):
        pool_by_group(P, GROUPS, method="average")
    with pytest.raises(ValueError, match="groups has 2 labels for 6 rows"):
        pool_by_group(P, ["a", "b"])
