"""Folds keep groups together, balance classes, and say what to change when they cannot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from gossan.validation.splits import BufferedGroupKFold, block_labels, group_folds, random_folds


def test_block_labels_put_points_closer_than_a_block_apart_in_few_blocks():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1000, (500, 2))
    labels = block_labels(points, 250.0, random_state=1)
    for label in np.unique(labels):
        assert np.ptp(points[labels == label], axis=0).max() <= 250.0
    assert 16 <= len(np.unique(labels)) <= 25


def test_block_offset_is_random_but_seeded():
    points = np.random.default_rng(0).uniform(0, 1000, (200, 2))
    first = block_labels(points, 300.0, random_state=1)
    assert np.array_equal(first, block_labels(points, 300.0, random_state=1))
    assert not np.array_equal(first, block_labels(points, 300.0, random_state=2))


def test_block_labels_of_3d_points_take_one_size_per_axis():
    points = [[0, 0, 0], [0, 0, 90], [0, 0, 1000]]
    labels = block_labels(points, [100.0, 100.0, 2000.0], random_state=3)
    assert len(np.unique(labels)) <= 2


def test_shifting_all_coordinates_shifts_no_label():
    points = np.random.default_rng(0).uniform(0, 1000, (50, 2))
    shifted = block_labels(points + np.array([500_000.0, 4_000_000.0]), 300.0, random_state=1)
    assert np.array_equal(block_labels(points, 300.0, random_state=1), shifted)


@pytest.mark.parametrize("coords", [[[0.0]], [[0.0, np.nan]], [0.0, 1.0]])
def test_block_labels_refuse_bad_coordinates(coords):
    with pytest.raises(ValueError, match="coords must be finite"):
        block_labels(coords, 10.0)


def test_block_labels_refuse_a_size_of_zero():
    with pytest.raises(ValueError, match="size must be positive"):
        block_labels([[0, 0], [1, 1]], 0.0)


@given(
    st.lists(st.integers(0, 9), min_size=12, max_size=60).filter(lambda g: len(set(g)) >= 3),
    st.integers(2, 3),
)
def test_every_row_is_tested_once_and_no_group_stands_on_both_sides(groups, n_splits):
    groups = np.array(groups)
    folds = group_folds(groups, n_splits=n_splits)
    assert np.array_equal(np.sort(np.concatenate([t for _, t in folds])), np.arange(len(groups)))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
        assert len(train) + len(test) == len(groups)


def test_leave_one_group_out_holds_out_each_group():
    folds = group_folds(np.array(["b", "a", "b", "c"]))
    assert [test.tolist() for _, test in folds] == [[1], [0, 2], [3]]


def test_classes_are_balanced_over_grouped_folds():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), rng.integers(1, 30, 60))
    y = np.where(groups % 6 == 0, "rare", "common")
    shares = [(y[test] == "rare").mean() for _, test in group_folds(groups, y, n_splits=5)]
    assert np.ptp(shares) < 0.08
    sizes = [len(test) for _, test in group_folds(groups, y, n_splits=5)]
    assert max(sizes) < 1.25 * min(sizes)


def test_a_class_of_few_deposits_is_an_error_that_says_what_to_change():
    groups, y = np.arange(8), np.array(["A"] * 5 + ["B"] * 3)
    with pytest.raises(ValueError, match=r"Class B keeps 2 training groups.*min_groups=2"):
        group_folds(groups, y)
    assert len(group_folds(groups, y, min_groups=2)) == 8


def test_a_fold_without_positives_is_an_error():
    y = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    with pytest.raises(ValueError, match="has 0 positives to test and 4 to learn from"):
        group_folds(np.arange(8), y, positive=1)
    with pytest.raises(ValueError, match="1 positives to test and 2 to learn"):
        group_folds(np.arange(6), [1, 1, 1, 0, 0, 0], n_splits=3, positive=1, min_groups=1)
    assert len(group_folds(np.arange(8), y, n_splits=4, positive=1, min_groups=1)) == 4


def test_positive_must_be_a_label():
    with pytest.raises(ValueError, match="No row has the positive label 'ore'"):
        group_folds(np.arange(8), [0, 1] * 4, n_splits=2, min_groups=1, positive="ore")


def test_more_folds_than_groups_is_an_error():
    with pytest.raises(ValueError, match="5 folds cannot be dealt from 2 groups"):
        group_folds(["a", "a", "b", "b"], n_splits=5)


def test_missing_groups_are_an_error():
    with pytest.raises(ValueError, match="groups is missing in 1 of 3 rows, first at row 1"):
        group_folds(np.array(["a", None, "b"], dtype=object))
    with pytest.raises(ValueError, match="Grouped folds need groups"):
        next(BufferedGroupKFold([[0, 0], [1, 1]]).split([0, 1]))


def test_the_dead_zone_keeps_training_points_away_from_test_points():
    rng = np.random.default_rng(2)
    points = rng.uniform(0, 1000, (400, 2))
    groups = block_labels(points, 250.0, random_state=0)
    folds = group_folds(groups, coords=points, buffer=60.0, n_splits=4)
    for train, test in folds:
        gaps = np.linalg.norm(points[train][:, None] - points[test][None], axis=2)
        assert gaps.min() > 60.0
    assert sum(len(test) for _, test in folds) == 400


def test_a_dead_zone_that_leaves_nothing_is_an_error():
    with pytest.raises(ValueError, match="leaves no training point"):
        group_folds([0, 1], coords=[[0, 0], [1, 0]], buffer=5.0)
    with pytest.raises(ValueError, match="needs coordinates"):
        group_folds([0, 1], buffer=5.0)


def test_the_splitter_serves_scikit_learn():
    rng = np.random.default_rng(0)
    points, y = rng.uniform(0, 100, (90, 2)), np.arange(90) % 2
    groups = np.repeat(np.arange(9), 10)
    splitter = BufferedGroupKFold(points, n_splits=3, buffer=2.0)
    assert splitter.get_n_splits(points, y, groups) == 3
    assert BufferedGroupKFold(points, n_splits=None).get_n_splits(points, y, groups) == 9
    scores = cross_val_score(LogisticRegression(), points, y, groups=groups, cv=splitter)
    assert scores.shape == (3,)
    with pytest.raises(ValueError, match="coords has 90 points for 5 rows"):
        next(splitter.split(np.zeros((5, 2)), groups=groups))


def test_random_folds_deal_every_class_evenly():
    y = np.repeat(["A", "B", "C"], [50, 25, 10])
    for _, test in random_folds(y, 5, random_state=0):
        assert [(y[test] == k).sum() for k in "ABC"] == [10, 5, 2]
    again = random_folds(y, 5, random_state=0)
    assert np.array_equal(again[0][1], random_folds(y, 5, random_state=0)[0][1])
    with pytest.raises(ValueError, match="n_splits must lie between 2 and the 3 rows"):
        random_folds([0, 1, 0], 4)


def test_leave_one_deposit_out_of_the_real_table(sphalerite):
    folds = group_folds(sphalerite["deposit"], sphalerite["type"])
    assert len(folds) == 96
    assert sum(len(test) for _, test in folds) == 3794
    by_reference = group_folds(sphalerite["reference"], sphalerite["type"])
    assert len(by_reference) == 36
