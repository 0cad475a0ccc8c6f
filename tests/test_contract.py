"""The contract of every estimator of gossan; new ones are found, not registered.

A class with `fit` in a public module of the rooms below is an estimator. What its `fit` takes first
(`X`, `probabilities` or `predictions`) tells which table it is tried on.
"""

import importlib
import inspect
import pkgutil

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.utils import get_tags

from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.idw import InverseDistance
from gossan.models.hierarchical import HierarchicalDiscriminant
from gossan.models.label_free import MahalanobisIndex, PathfinderIndex
from gossan.models.logistic import PointLogistic
from gossan.models.neighbours import GroupNeighbours

ROOMS = ("geochem", "geostat", "evidence", "models", "nets", "validation")
SCORERS = ("predict_proba", "score_samples", "decision_function", "transform", "predict")

MODEL = VariogramModel(0.2, (Structure("spherical", 1.0, (5.0,)),))

# Small, fast settings by class name, where the defaults would take long.
FAST: dict[str, dict] = {
    "BoostedTrees": {"max_iter": 15},
    "EnsembleClassifier": {
        "estimators": [("discriminant", HierarchicalDiscriminant()), ("near", GroupNeighbours())]
    },
    "WeightedClassifier": {"estimator": LogisticRegression()},
    "OutOfDistribution": {"level": 0.2},  # twelve deposits cannot speak at 0.05
    "Kriging": {"model": MODEL},
    "ConditionalSimulation": {"model": MODEL},
    "IndicatorKriging": {"kriging": InverseDistance()},
    "RegressionKriging": {"kriging": InverseDistance()},
    "VarimaxFactors": {"n_factors": 2},
    "DeepAutoencoder": {"input": "vector"},
    "StudentTeacherDetector": {"input": "vector", "teacher_epochs": 15},
    "MixtureDetector": {"max_components": 2},
    "WindowCNN": {"epochs": 60, "learning_rate": 0.01},
    "PathfinderIndex": {"positive": [0, 1], "negative": [2, 3]},
    "WindowStatistics": {"field": 1},
    "StackedTransfer": {"source": PathfinderIndex([0]).fit(np.eye(4)), "field": 1},
    "ScoreBlend": {"estimators": [("line", PointLogistic()), ("far", MahalanobisIndex())]},
    "RankBlend": {"estimators": [("logistic", LogisticRegression()), ("svm", SVC())]},
    "PretextClassifier": {"epochs": 60, "learning_rate": 0.01, "pretext_epochs": 5},
    "NormalsOnly": {"detector": IsolationForest(n_estimators=20, random_state=0)},
}
# Detectors that take y = 0 for normal rows, and any other number for the rest.
TAKES_NORMALS = ("DeepAutoencoder", "StudentTeacherDetector", "MixtureDetector", "NormalsOnly")
# Estimators of geostat/ whose X are coordinates alone.
IN_SPACE = ("Kriging", "InverseDistance", "IndicatorKriging", "ConditionalSimulation")

# Settings that make a network or an ensemble quick, passed wherever an estimator has them.
FAST_ANYWHERE = {
    "epochs": 15,
    "max_epochs": 15,
    "n_estimators": 10,
    "n_members": 2,
    "n_seeds": 1,
    "batch_size": 32,
}


def public_modules(room):
    """Yield the modules of a room whose names are public; none if the room does not exist yet."""
    try:
        package = importlib.import_module(f"gossan.{room}")
    except ModuleNotFoundError:
        return
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"gossan.{room}."):
        if not any(part.startswith("_") for part in info.name.split(".")):
            yield importlib.import_module(info.name)


def discover():
    """Return the estimators of gossan by class name."""
    return {
        name: thing
        for room in ROOMS
        for module in public_modules(room)
        for name, thing in vars(module).items()
        if inspect.isclass(thing)
        and thing.__module__ == module.__name__
        and hasattr(thing, "fit")
        and not name.startswith("_")
    }


ESTIMATORS = discover()
NAMES = ["Mn", "Fe", "Ge", "Cd"]  # of the columns of X


def first_argument(cls):
    """Return the name of what `fit` takes first."""
    return list(inspect.signature(cls.fit).parameters)[1]


FROM_FEATURES = [name for name, cls in ESTIMATORS.items() if first_argument(cls) == "X"]
EVERY = pytest.mark.parametrize("name", ESTIMATORS)
EVERY_FROM_FEATURES = pytest.mark.parametrize("name", FROM_FEATURES)


def make(name, **more):
    """Return a new estimator with fast settings and a fixed seed."""
    known = inspect.signature(ESTIMATORS[name]).parameters
    settings = {k: v for k, v in FAST_ANYWHERE.items() if k in known}
    if "random_state" in known:
        settings["random_state"] = 0
    return ESTIMATORS[name](**settings | FAST.get(name, {}) | more)


def table_for(name):
    """Return (first argument, y, groups) that suit an estimator: 72 rows of 12 deposits."""
    rng = np.random.default_rng(7)
    kinds = np.repeat(["MVT", "SEDEX", "VMS"], 24)
    groups = np.repeat([f"deposit {i:02d}" for i in range(12)], 6)
    means = {"MVT": [1, 3, 5, 4], "SEDEX": [3, 1, 4, 6], "VMS": [5, 5, 2, 2]}
    X = np.exp(rng.normal([means[kind] for kind in kinds], 0.6))
    taken = first_argument(ESTIMATORS[name])
    if taken == "probabilities":
        shares = rng.dirichlet([1.0, 1.0, 1.0], 72) + np.eye(3)[np.repeat([0, 1, 2], 24)]
        return shares / shares.sum(axis=1, keepdims=True), np.repeat([0, 1, 2], 24), groups
    if taken == "predictions":
        return X[:, 0], X[:, 0] + rng.normal(0, 0.3, 72), groups
    tags = get_tags(make(name))
    X = X[:, :3] if name in IN_SPACE else X
    if name in TAKES_NORMALS:
        return X, (kinds == "VMS").astype(int), groups
    if tags.estimator_type == "classifier" and not tags.classifier_tags.multi_class:
        kinds = np.where(kinds == "SEDEX", "MVT", kinds)
    return X, X[:, 0] * 2 if tags.estimator_type == "regressor" else kinds, groups


def fit(estimator, X, y, groups=None):
    """Fit as `cross_validate` does, labels and groups going to those that take them."""
    offered = {"y": y, "groups": groups}
    known = inspect.signature(estimator.fit).parameters
    estimator.fit(X, **{key: value for key, value in offered.items() if key in known})
    return estimator


def scores(estimator, X):
    """Return what the estimator says of rows, whatever it calls that."""
    method = next(m for m in SCORERS if hasattr(estimator, m))
    return np.asarray(getattr(estimator, method)(X))


def close(first, second):
    """Tell whether two results are equal up to single precision."""
    np.testing.assert_allclose(
        np.asarray(first, dtype=float), np.asarray(second, dtype=float), rtol=1e-5, atol=1e-5
    )


def is_classifier(name):
    return get_tags(make(name)).estimator_type == "classifier"


def test_estimators_are_found_once_there_is_a_module_that_holds_them():
    rooms_found = {cls.__module__.split(".")[1] for cls in ESTIMATORS.values()}
    for room in ("models", "nets"):
        assert room in rooms_found or len(list(public_modules(room))) <= 1, room
    assert set(FAST) <= set(ESTIMATORS), "FAST names an estimator that is not there"


def test_classes_of_one_name_are_not_in_two_rooms():
    names = [
        name
        for room in ROOMS
        for module in public_modules(room)
        for name, thing in vars(module).items()
        if inspect.isclass(thing) and thing.__module__ == module.__name__ and hasattr(thing, "fit")
    ]
    assert len(names) == len(set(names))


@EVERY
def test_it_is_a_scikit_learn_estimator(name):
    assert issubclass(ESTIMATORS[name], BaseEstimator)
    assert first_argument(ESTIMATORS[name]) in {"X", "probabilities", "predictions"}


@EVERY
def test_init_stores_its_arguments_and_nothing_else(name):
    estimator = make(name)
    assert vars(estimator).keys() == estimator.get_params(deep=False).keys()
    for key, parameter in inspect.signature(ESTIMATORS[name]).parameters.items():
        assert parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
        default = object()
        assert getattr(make(name, **{key: default}), key) is default


@EVERY
def test_a_clone_has_the_same_settings_and_is_not_fitted(name):
    X, y, groups = table_for(name)
    fitted = fit(make(name), X, y, groups)
    copy = clone(fitted)
    assert copy.get_params(deep=False).keys() == fitted.get_params(deep=False).keys()
    assert not [key for key in vars(copy) if key.endswith("_")]
    assert repr(copy) == repr(clone(make(name)))


@EVERY
def test_fit_returns_self_and_learns_something(name):
    X, y, _ = table_for(name)
    estimator = make(name)
    assert estimator.fit(X, y) is estimator
    assert [key for key in vars(estimator) if key.endswith("_") and not key.startswith("_")]


@EVERY
def test_fit_leaves_the_settings_as_they_were(name):
    estimator = make(name)
    before = repr(estimator.get_params())
    fit(estimator, *table_for(name))
    assert repr(estimator.get_params()) == before


@EVERY
def test_an_estimator_that_is_not_fitted_says_so(name):
    X, _, _ = table_for(name)
    with pytest.raises((NotFittedError, ValueError), match="fit"):
        scores(make(name), X)


@EVERY
def test_fitting_twice_equals_fitting_once(name):
    X, y, groups = table_for(name)
    once = scores(fit(make(name), X, y, groups), X)
    estimator = fit(make(name), X[::-1], y[::-1], groups[::-1])
    close(scores(fit(estimator, X, y, groups), X), once)


@EVERY
def test_the_same_seed_gives_the_same_scores(name):
    X, y, groups = table_for(name)
    first, second = (scores(fit(make(name), X, y, groups), X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@EVERY
def test_global_seeds_stay_untouched(name):
    X, y, groups = table_for(name)
    before = np.random.get_state()[1].copy()  # noqa: NPY002, the legacy state is what is guarded
    scores(fit(make(name), X, y, groups), X)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@EVERY
def test_a_row_scores_the_same_alone_or_in_a_batch(name):
    X, y, groups = table_for(name)
    estimator = fit(make(name), X, y, groups)
    batch = scores(estimator, X)
    for row in (0, 40):
        close(scores(estimator, X[row : row + 1])[0], batch[row])


@EVERY
def test_the_callers_arrays_stay_equal(name):
    X, y, groups = table_for(name)
    copies = X.copy(), y.copy(), groups.copy()
    scores(fit(make(name), X, y, groups), X)
    for given, copy in zip((X, y, groups), copies, strict=True):
        np.testing.assert_array_equal(given, copy)


@EVERY
def test_read_only_and_column_ordered_arrays_give_the_same(name):
    X, y, groups = table_for(name)
    expected = scores(fit(make(name), X, y, groups), X)
    X = np.asfortranarray(X)
    for array in (X, y, groups):
        array.setflags(write=False)
    close(scores(fit(make(name), X, y, groups), X), expected)


@EVERY
def test_tables_of_unequal_length_are_a_value_error(name):
    X, y, groups = table_for(name)
    if "y" not in inspect.signature(ESTIMATORS[name].fit).parameters:
        pytest.skip("fit takes no labels")
    if get_tags(make(name)).target_tags.required or first_argument(ESTIMATORS[name]) != "X":
        with pytest.raises(ValueError, match=r"\d"):
            fit(make(name), X, y[:-1], groups)


@EVERY
def test_no_rows_are_a_value_error(name):
    X, y, groups = table_for(name)
    with pytest.raises(ValueError, match=r"(?i)\w+ \w+"):
        fit(make(name), X[:0], y[:0], groups[:0])


@EVERY_FROM_FEATURES
@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinite_values_are_a_value_error(name, bad):
    X, y, groups = table_for(name)
    broken = X.copy()
    broken[3, 1] = bad
    with pytest.raises(ValueError, match=r"(?i)inf|finite|positive|negative"):
        fit(make(name), broken, y, groups)
    estimator = fit(make(name), X, y, groups)
    with pytest.raises(ValueError, match=r"(?i)inf|finite|positive|negative"):
        scores(estimator, broken)


@EVERY_FROM_FEATURES
def test_missing_values_are_a_value_error_or_are_handled(name):
    X, y, groups = table_for(name)
    broken = X.copy()
    broken[3, 1] = np.nan
    if get_tags(make(name)).input_tags.allow_nan:
        estimator = fit(make(name), broken, y, groups)
        assert len(scores(estimator, broken)) == len(broken)
        if is_classifier(name):
            assert np.isfinite(scores(estimator, broken)).all()
        return
    with pytest.raises(ValueError, match=r"(?i)nan|missing"):
        fit(make(name), broken, y, groups)
    estimator = fit(make(name), X, y, groups)
    with pytest.raises(ValueError, match=r"(?i)nan|missing"):
        scores(estimator, broken)


@EVERY_FROM_FEATURES
def test_text_in_the_numbers_is_a_value_error(name):
    X, y, groups = table_for(name)
    broken = X.astype(object)
    broken[2, 0] = "<0.5"
    with pytest.raises(ValueError, match=r"<0\.5|convert|numeric|number|text"):
        fit(make(name), broken, y, groups)


@EVERY_FROM_FEATURES
def test_a_flat_array_is_a_value_error(name):
    X, y, groups = table_for(name)
    with pytest.raises(ValueError, match=r"(?i)2D|dimension|shape|table"):
        fit(make(name), X[:, 0], y, groups)


@EVERY_FROM_FEATURES
def test_another_number_of_features_is_a_value_error(name):
    X, y, groups = table_for(name)
    estimator = fit(make(name), X, y, groups)
    assert getattr(estimator, "n_features_in_", X.shape[1]) == X.shape[1]
    with pytest.raises(ValueError, match=r"(?i)features|columns|parts|elements"):
        scores(estimator, X[:, :-1])


@EVERY_FROM_FEATURES
def test_a_table_with_names_keeps_them(name):
    X, y, groups = table_for(name)
    frame = pd.DataFrame(X, columns=NAMES[: X.shape[1]], index=np.arange(5, 77))
    estimator = fit(make(name), frame, y, groups)
    names = getattr(estimator, "feature_names_in_", getattr(estimator, "names_", None))
    assert list(names) == NAMES[: X.shape[1]]
    close(scores(estimator, frame), scores(fit(make(name), X, y, groups), X))


@EVERY_FROM_FEATURES
def test_columns_in_another_order_are_never_silently_taken_for_the_first(name):
    X, y, groups = table_for(name)
    frame = pd.DataFrame(X, columns=NAMES[: X.shape[1]])
    estimator = fit(make(name), frame, y, groups)
    try:
        shuffled = scores(estimator, frame[list(frame.columns[::-1])])
    except ValueError as error:
        assert "name" in str(error) or "order" in str(error)  # noqa: PT017, either answer is right
    else:
        close(shuffled, scores(estimator, frame))


@EVERY_FROM_FEATURES
def test_one_class_only_is_a_value_error(name):
    if not is_classifier(name):
        pytest.skip("not a classifier")
    X, y, groups = table_for(name)
    with pytest.raises(ValueError, match=r"(?i)class"):
        fit(make(name), X[:24], y[:24], groups[:24])


@EVERY_FROM_FEATURES
def test_one_row_only_is_a_value_error(name):
    if not is_classifier(name):
        pytest.skip("not a classifier")
    X, y, groups = table_for(name)
    with pytest.raises(ValueError, match=r"(?i)class|row|sample"):
        fit(make(name), X[:1], y[:1], groups[:1])


@EVERY_FROM_FEATURES
def test_classes_are_sorted_names_and_probabilities_follow_them(name):
    if not is_classifier(name):
        pytest.skip("not a classifier")
    X, y, groups = table_for(name)
    estimator = fit(make(name), X, y, groups)
    assert list(estimator.classes_) == sorted(set(y))
    probabilities = estimator.predict_proba(X)
    assert probabilities.shape == (72, len(set(y)))
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    best = estimator.classes_[probabilities.argmax(axis=1)]
    assert (estimator.predict(X) == best).mean() > 0.95


@EVERY_FROM_FEATURES
def test_numbered_classes_come_back_as_numbers(name):
    if not is_classifier(name):
        pytest.skip("not a classifier")
    X, y, groups = table_for(name)
    numbers = np.where(y == "MVT", 10, np.where(y == "VMS", 20, 30))
    estimator = fit(make(name), X, numbers, groups)
    assert list(estimator.classes_) == sorted(set(numbers))
    assert set(estimator.predict(X)) <= {10, 20, 30}


@EVERY_FROM_FEATURES
def test_an_easy_planted_truth_is_learned(name):
    if not is_classifier(name):
        pytest.skip("not a classifier")
    X, y, groups = table_for(name)
    assert (fit(make(name), X, y, groups).predict(X) == y).mean() > 0.8


def test_the_contract_catches_an_estimator_that_breaks_it(monkeypatch):
    class Careless(BaseEstimator):
        def __init__(self, scale=1.0):
            self.scale = float(scale)

        def fit(self, X, y=None):
            self.n_fits_ = getattr(self, "n_fits_", 0) + 1
            X *= self.scale

        def transform(self, X):
            return X - X.mean(axis=0) + self.n_fits_

    monkeypatch.setitem(ESTIMATORS, "Careless", Careless)
    for law in (
        test_fit_returns_self_and_learns_something,
        test_fitting_twice_equals_fitting_once,
        test_a_row_scores_the_same_alone_or_in_a_batch,
        test_missing_values_are_a_value_error_or_are_handled,
    ):
        with pytest.raises((AssertionError, AttributeError, pytest.fail.Exception)):
            law("Careless")
    with pytest.raises((AssertionError, TypeError)):
        test_init_stores_its_arguments_and_nothing_else("Careless")
