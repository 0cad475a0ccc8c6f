"""Cross-validation gives every row a probability from models that never saw its group."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from gossan.validation.crossval import aligned_probabilities, cross_validate, group_weights
from gossan.validation.protocols import compare_protocols, null_test


def _table(seed=0, n_groups=24, *, signal=1.5, effect=1.0):
    """Deposits of three types with a type signal and a deposit effect in four features."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), rng.integers(4, 15, n_groups))
    kind = np.arange(n_groups) % 3
    centres = signal * rng.normal(size=(3, 4))[kind] + effect * rng.normal(size=(n_groups, 4))
    X = centres[groups] + 0.3 * rng.normal(size=(len(groups), 4))
    return X, np.array(["MVT", "SEDEX", "VMS"])[kind[groups]], np.char.add("d", groups.astype(str))


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers what it was fitted on."""

    seen: list = []  # noqa: RUF012

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y, groups=None, sample_weight=None):
        self.classes_ = np.unique(y)
        Recorder.seen.append((len(X), self.random_state, set(groups), sample_weight))
        return self

    def predict_proba(self, X):
        rng = np.random.default_rng(self.random_state)
        return rng.dirichlet(np.ones(len(self.classes_)), len(X))


class Many(LogisticRegression):
    """Fits all members in one call."""

    calls = 0

    def fit_many(self, X, y, members, groups=None):
        Many.calls += 1
        assert len(groups) == len(X)
        return [LogisticRegression().fit(X[rows], y[rows]) for rows, _ in members]


@pytest.fixture
def table():
    return _table()


def test_grouped_probabilities_equal_a_plain_loop(table):
    X, y, groups = table
    result = cross_validate(GaussianNB(), X, y, groups=groups)
    for train, test in LeaveOneGroupOut().split(X, y, groups):
        expected = GaussianNB().fit(X[train], y[train]).predict_proba(X[test])
        assert np.allclose(result.probabilities[test], expected)
    assert len(result.folds) == 24
    assert result.protocol == "group"
    assert result.classes.tolist() == ["MVT", "SEDEX", "VMS"]
    assert result.by_seed.shape == (1, len(X), 3)
    assert result.seconds > 0


@pytest.mark.parametrize("cv", [LeaveOneGroupOut(), "list", "mask"])
def test_splitters_lists_and_masks_are_folds_too(table, cv):
    X, y, groups = table
    expected = cross_validate(GaussianNB(), X, y, groups=groups).probabilities
    if cv == "list":
        cv = list(LeaveOneGroupOut().split(X, y, groups))
    elif cv == "mask":
        cv = [(groups != g, groups == g) for g in np.unique(groups)]
    result = cross_validate(GaussianNB(), X, y, groups=groups, cv=cv)
    assert np.allclose(result.probabilities, expected)
    assert result.protocol == "given"


def test_an_estimator_that_fits_many_is_called_once(table):
    X, y, groups = table
    Many.calls = 0
    done = []
    many = cross_validate(
        Many(), X, y, groups=groups, seeds=(0, 1), n_splits=4,
        progress=lambda i, n: done.append((i, n)),
    )  # fmt: skip
    one = cross_validate(LogisticRegression(), X, y, groups=groups, n_splits=4)
    assert Many.calls == 1
    assert np.allclose(many.by_seed[1], one.probabilities)
    assert done[-1] == (8, 8)
    with pytest.raises(TypeError, match="fits many members at once and weighs by groups itself"):
        cross_validate(Many(), X, y, groups=groups, weights="group")


def test_groups_seeds_and_weights_reach_the_estimator_also_in_a_pipeline(table):
    X, y, groups = table
    for estimator in (Recorder(), make_pipeline(StandardScaler(), Recorder())):
        Recorder.seen = []
        result = cross_validate(
            estimator, X, y, groups=groups, n_splits=3, seeds=(5, 6), weights="class_group"
        )
        assert [seed for _, seed, _, _ in Recorder.seen] == [5, 6] * 3
        for (train, _), (n, _, given, weights) in zip(
            np.repeat(np.array(result.folds, dtype=object), 2, axis=0), Recorder.seen, strict=True
        ):
            assert n == len(train)
            assert given == set(groups[train])
            assert np.allclose(weights, group_weights(y[train], groups[train]))
        assert not np.allclose(result.by_seed[0], result.by_seed[1])
        assert np.allclose(result.probabilities, result.by_seed.mean(axis=0))


def test_an_estimator_without_a_seed_is_fitted_once_for_all_seeds(table):
    X, y, groups = table
    result = cross_validate(GaussianNB(), X, y, groups=groups, seeds=range(3), n_splits=3)
    assert result.by_seed.shape[0] == 3
    assert np.array_equal(result.by_seed[0], result.by_seed[2])


def test_the_same_seed_gives_the_same_answer_in_parallel_too(table):
    X, y, groups = table
    forest = RandomForestClassifier(n_estimators=5)
    runs = [
        cross_validate(forest, X, y, groups=groups, n_splits=3, seeds=(1, 2), n_jobs=n).by_seed
        for n in (None, 1, 2)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert np.array_equal(runs[0], runs[2])
    assert forest.random_state is None


def test_inputs_are_not_changed_and_a_frame_stays_a_frame(table):
    X, y, groups = table
    frame = pd.DataFrame(X, columns=list("ABCD"), index=np.arange(len(X))[::-1])
    before = frame.copy()
    result = cross_validate(
        LogisticRegression(), frame, pd.Series(y), groups=pd.Series(groups), n_splits=3,
        keep_estimators=True,
    )  # fmt: skip
    pd.testing.assert_frame_equal(frame, before)
    assert result.estimators[0][0].feature_names_in_.tolist() == list("ABCD")
    assert len(result.estimators) == 3


def test_a_class_missing_from_training_gets_probability_zero():
    X, y = np.arange(8.0)[:, None], np.array(["A", "A", "B", "B", "A", "B", "C", "C"])
    folds = [(np.arange(6), np.array([6, 7]))]
    result = cross_validate(GaussianNB(), X, y, groups=y, cv=folds)
    assert np.allclose(result.probabilities[6:, 2], 0.0)
    assert np.allclose(result.probabilities[6:].sum(axis=1), 1.0)
    assert np.isnan(result.probabilities[:6]).all()
    assert result.fold.tolist() == [-1] * 6 + [0, 0]


def test_rows_tested_twice_get_the_mean():
    X, y, groups = _table(n_groups=9)
    one = [cross_validate(GaussianNB(), X, y, groups=groups, cv="random", random_state=s)
           for s in (0, 1)]  # fmt: skip
    both = cross_validate(GaussianNB(), X, y, groups=groups, cv=one[0].folds + one[1].folds)
    mean = (one[0].probabilities + one[1].probabilities) / 2
    assert np.allclose(both.probabilities, mean)


def test_references_can_be_held_out_while_deposits_are_scored(table):
    X, y, groups = table
    reference = np.array([f"study {int(g[1:]) // 3 % 4}" for g in groups])
    result = cross_validate(GaussianNB(), X, y, groups=groups, held_out=reference)
    assert len(result.folds) == 4
    assert result.scores().n_groups == 24


def test_scores_by_seed_have_one_row_a_seed(table):
    X, y, groups = table
    tree = DecisionTreeClassifier(max_features=1)
    result = cross_validate(tree, X, y, groups=groups, n_splits=3, seeds=(3, 4, 5))
    by_seed = result.scores_by_seed()
    assert by_seed.index.tolist() == [3, 4, 5]
    right = result.classes[result.by_seed[1].argmax(axis=1)] == y
    assert by_seed.loc[4, "accuracy"] == pytest.approx(right.mean())


def test_group_weights_let_classes_and_deposits_count_the_same():
    y = np.array(["A"] * 6 + ["B"] * 2)
    groups = np.array(["a", "a", "a", "a", "a", "b", "c", "c"])
    weights = group_weights(y, groups)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[:5].sum() == pytest.approx(weights[5])
    assert weights[:6].sum() == pytest.approx(weights[6:].sum())
    flat = group_weights(y, groups, balance="group")
    assert flat[:5].sum() == pytest.approx(flat[6:].sum()) == pytest.approx(flat[5])


def test_a_callable_answers_in_the_order_of_the_classes():
    answer = aligned_probabilities(lambda X: [[0.2, 0.8]] * len(X), np.zeros((3, 1)), np.arange(2))
    assert answer.shape == (3, 2)


def test_what_cannot_be_cross_validated_is_refused(table):
    X, y, groups = table
    with pytest.raises(TypeError, match="LinearSVC has no predict_proba"):
        cross_validate(LinearSVC(), X, y, groups=groups)
    with pytest.raises(ValueError, match="y holds one class only"):
        cross_validate(GaussianNB(), X, ["A"] * len(X), groups=groups)
    with pytest.raises(ValueError, match="y has 3 labels for"):
        cross_validate(GaussianNB(), X, ["A", "B", "A"], groups=groups)
    with pytest.raises(ValueError, match="cv must be one of group, random, got 'grouped'"):
        cross_validate(GaussianNB(), X, y, groups=groups, cv="grouped")
    with pytest.raises(ValueError, match="Fold 0 has 3 training and 2 test rows, 1 of them"):
        cross_validate(GaussianNB(), X, y, groups=groups, cv=[([0, 1, 2], [2, 3])])
    with pytest.raises(ValueError, match="row numbers outside 0 to"):
        cross_validate(GaussianNB(), X, y, groups=groups, cv=[([0, 1], [10**6])])
    with pytest.raises(ValueError, match="cv holds no fold"):
        cross_validate(GaussianNB(), X, y, groups=groups, cv=[])
    with pytest.raises(TypeError, match="accepts no sample weights"):
        cross_validate(KNeighborsClassifier(), X, y, groups=groups, weights="group")
    with pytest.raises(ValueError, match="weights must have one value per row"):
        cross_validate(GaussianNB(), X, y, groups=groups, weights=[1.0, 2.0])


def test_a_failing_fit_names_the_fold(table):
    X, y, groups = table
    X = X.copy()
    X[groups == "d3"] = np.nan
    with pytest.raises(ValueError, match="NaN") as error:
        cross_validate(GaussianNB(), X, y, groups=groups, n_splits=3)
    assert "were held out, seed 0" in error.value.__notes__[0]


def test_protocols_side_by_side_show_the_gap():
    X, y, groups = _table(1, n_groups=30, signal=0.3, effect=2.0)
    models = {"1-NN": KNeighborsClassifier(1), "LDA": LinearDiscriminantAnalysis()}
    table = compare_protocols(models, X, y, groups=groups, scores=("accuracy", "verdict"))
    near = table.loc[("1-NN", "accuracy")]
    assert near["random"] > 0.95
    assert near["grouped"] < 0.6
    assert near["gap"] == pytest.approx(near["random"] - near["grouped"])
    assert "group in train and test" in near["leaks"]
    assert "memory of the group" in near["leaks"]
    assert "nothing found" in table.attrs["leakage"]["grouped"]
    assert table.index.names == ["model", "score"]


def test_the_null_test_finds_that_random_folds_see_skill_in_nothing():
    X, y, groups = _table(2, n_groups=30, signal=2.0, effect=0.7)
    found = null_test(KNeighborsClassifier(1), X, y, groups=groups, n_permutations=19)
    assert found.random > 0.9
    assert found.null_random.mean() > 0.8
    assert found.is_random_invalid
    assert "Random CV is invalid here" in str(found)
    assert abs(found.null_grouped.mean() - 0.5) < 0.08
    assert found.p_value == pytest.approx(1 / 20)


def test_the_null_test_is_at_peace_where_groups_mean_nothing():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(20) % 2, 10)
    X = y[:, None] + rng.normal(size=(200, 3))
    found = null_test(LinearDiscriminantAnalysis(), X, y, groups=np.repeat(np.arange(20), 10))
    assert not found.is_random_invalid
    assert "invalid" not in str(found)
    with pytest.raises(ValueError, match="n_permutations must be at least 1"):
        null_test(GaussianNB(), X, y, groups=y, n_permutations=0)


def test_null_p_values_are_uniform_where_there_is_nothing_to_find():
    rng = np.random.default_rng(1)
    p_values = []
    for seed in range(30):
        X, y, groups = _table(seed, n_groups=12, signal=0.0)
        found = null_test(
            GaussianNB(), X, y, groups=groups, n_permutations=9, n_splits=3, random_state=rng
        )
        p_values.append(found.p_value)
    assert np.mean(np.array(p_values) <= 0.2) < 0.45
    assert 0.35 < np.mean(p_values) < 0.75
