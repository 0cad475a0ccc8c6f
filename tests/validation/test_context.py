"""Analyses judged in the company of their deposit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.validation import pool_by_group, share_context


def table(seed, n=30):
    rng = np.random.default_rng(seed)
    return rng.dirichlet([1.0, 1.0, 1.0], n), rng.integers(0, 5, n).astype(str)


@given(st.integers(0, 1000), st.floats(0.0, 1.0))
def test_rows_stay_probabilities(seed, share):
    shared = share_context(*table(seed), share=share)
    np.testing.assert_allclose(shared.sum(axis=1), 1.0)
    assert (shared > 0).all()


def test_share_zero_is_the_analysis_and_share_one_is_the_deposit():
    probabilities, groups = table(1)
    probabilities = np.maximum(probabilities, 0.01)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(share_context(probabilities, groups, share=0.0), probabilities)
    pooled = pool_by_group(probabilities, groups, method="log_mean")
    of_row = pooled.probabilities[np.searchsorted(pooled.names, groups)]
    np.testing.assert_allclose(share_context(probabilities, groups, share=1.0), of_row)


def test_hand_worked_number():
    # pooled odds are sqrt(9 * 1/4) = 1.5; own odds 1/4 and 1.5 meet at sqrt(0.375)
    shared = share_context([[0.9, 0.1], [0.2, 0.8]], ["a", "a"])
    assert shared[1, 0] / shared[1, 1] == pytest.approx(np.sqrt(0.375))


def test_a_lone_analysis_keeps_its_probabilities():
    np.testing.assert_allclose(share_context([[0.7, 0.3]], ["a"]), [[0.7, 0.3]])


def test_untested_rows_stay_missing():
    shared = share_context([[0.7, 0.3], [np.nan, np.nan]], ["a", "a"])
    assert np.isnan(shared[1]).all()


def test_context_helps_when_deposits_have_one_type():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, 60)
    groups = np.repeat(np.arange(60), 10)
    logits = 0.8 * np.eye(3)[kinds][groups // 1] + rng.normal(0, 1.0, (600, 3))
    own = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = kinds[groups]
    shared = share_context(own, groups.astype(str))
    assert (shared.argmax(1) == truth).mean() > (own.argmax(1) == truth).mean() + 0.1


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_zero_to_one_is_refused(share):
    with pytest.raises(ValueError, match=r"share must lie in \[0, 1\]"):
        share_context(*table(0), share=share)
