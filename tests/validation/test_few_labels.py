import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from gossan.validation import (
    FewLabelScores,
    blend_held_out,
    block_labels,
    block_partitions,
    hold_out_blocks,
    paired_gain,
)

SIZE = 10e3


@pytest.fixture(scope="module")
def ground():
    """Return evidence (160, 3), labels, coordinates and 400 background rows; column 0 tells ore."""
    rng = np.random.default_rng(0)
    y = (np.arange(160) % 4 == 0).astype(int)
    X = rng.normal(size=(160, 3))
    X[:, 0] += 1.5 * y
    return X, y, rng.uniform(0, 100e3, (160, 2)), rng.normal(size=(400, 3))


@pytest.fixture(scope="module")
def partitions(ground):
    _, y, coords, _ = ground
    return block_partitions(coords, y, size=SIZE, n_partitions=3, n_splits=4, random_state=5)


@pytest.fixture(scope="module")
def by_svm(ground, partitions):
    X, y, _, background = ground
    return hold_out_blocks(SVC(), X, y, partitions, background=background)


def by_hand(scores, background, *, is_probability=True):
    """Return one partition of two folds of four rows: ore, barren, ore, barren."""
    folds = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    is_ore = np.array([True, False, True, False])
    arrays = np.array(scores, float)[None, None], np.array(background, float)[None, None]
    return FewLabelScores(is_ore, [folds], *arrays, is_probability)


def test_measures_are_those_worked_by_hand():
    held = by_hand([0.9, 0.2, 0.4, 0.6], [[0.1, 0.2, 0.95, 0.3], [0.5, 0.4, 0.1, 0.2]])
    np.testing.assert_allclose(held.shares()[0, 0], [0.25, 0.375])  # one tie counts half
    row = held.measures().iloc[0]
    assert row["capture_auc"] == pytest.approx(1 - 0.3125)
    assert row["auc"] == pytest.approx(0.5)  # 1 in the first fold, 0 in the second
    assert row["precision"] == pytest.approx((1.0 + 0.5) / 2)
    assert row["brier"] == pytest.approx((0.01 + 0.04 + 0.36 + 0.36) / 4)
    assert row[["recall_05", "recall_20"]].tolist() == [0.0, 0.0]


def test_folds_on_other_scales_change_nothing():
    one = by_hand([0.9, 0.2, 0.4, 0.6], [[0.1, 0.2, 0.95, 0.3], [0.5, 0.4, 0.1, 0.2]])
    scaled = by_hand([0.9, 0.2, 40.0, 60.0], [[0.1, 0.2, 0.95, 0.3], [50, 40, 10, 20]])
    for measure in ("auc", "capture_auc", "precision"):
        assert one.measures()[measure].item() == pytest.approx(scaled.measures()[measure].item())


def test_decision_values_have_no_brier_score(by_svm):
    assert not by_svm.is_probability
    assert by_svm.measures()["brier"].isna().all()
    assert by_svm.summary().loc["auc", "mean"] > 0.75


def test_every_row_is_scored_by_a_model_that_had_not_seen_its_block(ground, partitions):
    _, y, coords, _ = ground
    told = np.column_stack([y, np.arange(160)]).astype(float)

    class Memory(DummyClassifier):
        def fit(self, X, y):
            self.seen_ = set(X[:, 1])
            return super().fit(X, y)

        def predict_proba(self, X):
            ore = np.array([0.99 if row in self.seen_ else 0.5 for row in X[:, 1]])
            return np.column_stack([1 - ore, ore])

    held = hold_out_blocks(Memory(), told, y, partitions, background=-told)
    assert (held.scores == 0.5).all()
    for folds, seed in zip(partitions, (5, 6, 7), strict=True):
        blocks = block_labels(coords, SIZE, random_state=seed)
        for train, test in folds:
            assert not set(blocks[train]) & set(blocks[test])


def test_fewer_labels_teach_and_all_occurrences_are_tested(ground, partitions):
    X, y, _, background = ground
    few = (y == 0) | (np.arange(160) < 60)
    counts = []

    class Counting(LogisticRegression):
        def fit(self, X, y):
            counts.append(int(y.sum()))
            return super().fit(X, y)

    given = {"background": background, "may_train": [np.ones(160, bool), few]}
    full, less = hold_out_blocks(Counting(), X, y, partitions, **given)
    assert sum(counts[:12]) == 3 * 3 * y.sum()  # each of three partitions tests each ore once
    assert sum(counts[12:]) == 3 * 3 * y[few].sum()
    assert np.isfinite(less.scores).all()
    assert less.shares().shape == full.shares().shape == (3, 1, 40)


def test_many_fits_at_once_equal_fits_one_by_one(ground, partitions):
    X, y, _, background = ground

    class Many(LogisticRegression):
        def fit_many(self, X, y, members, **more):
            assert more == {"groups": "asked for"}
            return [LogisticRegression().fit(X[train], y[train]) for train, _ in members]

    given = {"background": background, "seeds": (0, 1)}
    ours = hold_out_blocks(Many(), X, y, partitions, **given, fit_with={"groups": "asked for"})
    theirs = hold_out_blocks(LogisticRegression(), X, y, partitions, **given)
    np.testing.assert_array_equal(ours.scores, theirs.scores)
    assert ours.scores.shape == (3, 2, 160)


def test_duplicates_share_a_fold(ground):
    _, y, coords, _ = ground
    same = np.arange(160)
    same[[4, 8, 12]] = 999  # one pixel, three times, far apart
    for folds in block_partitions(coords, y, size=SIZE, n_splits=4, same=same):
        for _, test in folds:
            assert len(set(test) & {4, 8, 12}) in {0, 3}


def test_partitions_differ_and_follow_the_seed(ground, partitions):
    _, y, coords, _ = ground
    again = block_partitions(coords, y, size=SIZE, n_partitions=2, n_splits=4, random_state=6)
    np.testing.assert_array_equal(again[0][0][1], partitions[1][0][1])
    assert not np.array_equal(partitions[0][0][1], partitions[1][0][1])


def test_a_blend_of_one_by_rank_keeps_every_order(by_svm):
    alone = blend_held_out([by_svm])
    np.testing.assert_allclose(alone.shares(), by_svm.shares(), atol=1e-12)
    assert alone.summary()["mean"]["auc"] == pytest.approx(
        by_svm.summary()["mean"]["auc"], abs=0.01
    )


def test_a_blend_by_rank_does_not_mind_the_scale_of_a_member(ground, partitions, by_svm):
    X, y, _, background = ground
    linear = hold_out_blocks(LogisticRegression(), X, y, partitions, background=background)
    louder = FewLabelScores(
        linear.is_ore, linear.partitions, 100 * linear.scores, 100 * linear.background
    )
    one, other = (blend_held_out([by_svm, each]) for each in (linear, louder))
    np.testing.assert_allclose(one.shares(), other.shares(), atol=1e-12)
    mean = blend_held_out([linear, linear], how="probability")
    np.testing.assert_allclose(mean.scores, linear.scores)
    assert mean.is_probability
    assert not one.is_probability


def test_a_paired_gain_is_the_mean_of_the_differences_and_counts_the_better(by_svm, ground):
    X, y, _, background = ground
    chance = hold_out_blocks(DummyClassifier(), X, y, by_svm.partitions, background=background)
    gain = paired_gain(by_svm, chance)
    both = [each.measures()["capture_auc"].to_numpy() for each in (by_svm, chance)]
    assert gain.mean == pytest.approx((both[0] - both[1]).mean())
    assert (gain.n_better, gain.n_partitions) == (3, 3)
    assert str(gain).endswith("(better in 3 of 3 partitions)")
    assert paired_gain(chance, chance, measure="brier").n_better == 0


def test_the_interval_over_sites_holds_the_value_and_widens_with_fewer_sites(by_svm, ground):
    _, _, coords, _ = ground
    fine, coarse = (
        block_labels(coords, 5e3, random_state=0),
        block_labels(coords, 4e4, random_state=0),
    )
    many, few = (by_svm.interval(sites) for sites in (fine, coarse))
    assert many.low < many.value < many.high
    assert many.value == pytest.approx(by_svm.summary()["mean"]["capture_auc"])
    assert few.n_groups < many.n_groups
    by_pairs = by_svm.interval(fine, measure="auc")
    assert by_pairs.value == pytest.approx(by_svm.summary()["mean"]["auc"], abs=0.02)


def test_what_does_not_fit_is_refused(ground, partitions, by_svm):
    X, y, coords, background = ground
    only_barren = y == 0
    with pytest.raises(ValueError, match=r"classes \[0\]; two are needed"):
        hold_out_blocks(SVC(), X, y, partitions, background=background, may_train=only_barren)
    with pytest.raises(ValueError, match="may_train must be True or False for each of 160"):
        hold_out_blocks(SVC(), X, y, partitions, background=background, may_train=y)
    others = block_partitions(coords, y, size=SIZE, n_partitions=3, n_splits=4, random_state=50)
    other = hold_out_blocks(SVC(), X, y, others, background=background)
    with pytest.raises(ValueError, match="same rows and partitions"):
        paired_gain(by_svm, other)
    with pytest.raises(ValueError, match="same rows and partitions"):
        blend_held_out([by_svm, other])
    with pytest.raises(ValueError, match="measure must be one of"):
        paired_gain(by_svm, by_svm, measure="accuracy")
