"""Held-out ranks: by hand, against fit_many, and what the dead zone promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from gossan.validation import block_labels, group_folds, rank_held_out


class Recorder(LogisticRegression):
    """Notes which rows it was taught, by their number in the only column."""

    taught: list[set[int]] = []  # noqa: RUF012

    def fit(self, X, y):
        Recorder.taught.append(set(X[:, 0].astype(int)))
        return super().fit(X, y)


def _folds(y, n_splits=2):
    fold_of = np.arange(len(y)) % n_splits
    return [(np.flatnonzero(fold_of != k), np.flatnonzero(fold_of == k)) for k in range(n_splits)]


def test_shares_are_counted_among_the_cells_of_the_own_fold():
    x = np.array([[9.0], [5.0], [9.0], [5.0], [6.0], [0.0], [1.0], [0.0]])
    y = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    ranked = rank_held_out(LogisticRegression(), x, y, folds=_folds(y))
    # fold 0 tests rows 0, 2 (9, 9) against 4, 6 (6, 1); fold 1 rows 1, 3 (5, 5) against 5, 7 (0, 0)
    assert ranked.shares.tolist() == [[0.0, 0.0, 0.0, 0.0]]
    assert ranked.fold.tolist() == [0, 1, 0, 1]
    assert ranked.auc == 1.0


def test_no_model_is_taught_what_it_ranks():
    y = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    X = np.arange(10.0)[:, None]
    folds = _folds(y)
    Recorder.taught = []
    rank_held_out(Recorder(), X, y, folds=folds)
    for taught, (_, test) in zip(Recorder.taught, folds, strict=True):
        assert not taught & set(test.tolist())


def test_seeds_count_once_for_a_model_without_chance():
    y = np.array([1, 1, 0, 0, 1, 0])
    X = np.arange(6.0)[:, None]
    assert len(rank_held_out(GaussianNB(), X, y, folds=_folds(y), seeds=(0, 1)).shares) == 1
    tree = DecisionTreeClassifier(random_state=0)
    assert len(rank_held_out(tree, X, y, folds=_folds(y), seeds=(0, 1, 2)).shares) == 3


def test_a_table_without_occurrences_is_refused():
    with pytest.raises(ValueError, match="No row is an occurrence"):
        rank_held_out(LogisticRegression(), np.zeros((4, 1)), np.zeros(4), folds=[])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31 - 1), st.floats(50.0, 900.0))
def test_no_training_cell_lies_within_the_dead_zone_of_a_test_cell(seed, buffer):
    rng = np.random.default_rng(seed)
    coords = rng.uniform(0, 20_000, (400, 2))
    y = np.zeros(400, dtype=int)
    y[rng.choice(400, 40, replace=False)] = 1
    blocks = block_labels(coords, 4000.0, random_state=seed)
    for train, test in group_folds(blocks, y, n_splits=4, coords=coords, buffer=buffer):
        assert cKDTree(coords[test]).query(coords[train])[0].min() > buffer
        assert not set(train) & set(test)
