"""Maximum entropy: a case by hand, its penalties, and the logistic regression it is the limit of."""

import numpy as np
import pytest
import sklearn
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils.fixes import parse_version

from gossan.models import MaxEnt
from gossan.models import _maxent_features as feats
from gossan.models.maxent import fit_coefficients
from gossan.saving import load_model, save_model


@pytest.fixture(scope="module")
def occurrences():
    """Return 120 presences near a fault with high grade of one element, and 1500 background."""
    rng = np.random.default_rng(0)
    background = np.column_stack([rng.uniform(0, 2000, 1500), rng.normal(size=(1500, 2))])
    presences = np.column_stack([rng.exponential(200, 120), rng.normal([1.0, 0.0], 1, (120, 2))])
    return np.vstack([presences, background]), np.repeat([1, 0], [120, 1500])


def test_a_binary_layer_by_hand():
    # One layer, 0 or 1, on half of the background and at 16 of 20 presences. By the optimality
    # condition the fitted share of ones is 0.8 less the penalty.
    X = np.repeat([1.0, 0.0, 1.0, 0.0], [16, 4, 500, 500])[:, None]
    y = np.repeat([1, 0], [20, 1000])
    model = MaxEnt(["linear"], add_presences=False).fit(X, y)
    spread = np.sqrt(16 * 0.04 + 4 * 0.64) / np.sqrt(19)
    share = np.interp(20, [10, 30], [1.0, 0.2])  # 0.6 of the standard error
    beta = spread * share / np.sqrt(20)
    ones = 0.8 - beta
    assert model.coef_[0] == pytest.approx(logit(ones), rel=1e-4)
    # The probability of each of the 500 cells, and the entropy of the distribution.
    q = np.array([ones, 1 - ones]) / 500
    entropy = -(ones * np.log(q[0]) + (1 - ones) * np.log(q[1]))
    assert model.entropy_ == pytest.approx(entropy, rel=1e-6)
    raw = entropy + np.log(q)
    np.testing.assert_allclose(model.decision_function([[1.0], [0.0]]), raw, atol=1e-4)
    cloglog = 1 - np.exp(-np.exp(raw))
    np.testing.assert_allclose(model.predict_proba([[1.0], [0.0]])[:, 1], cloglog, atol=1e-4)
    model.set_params(output="logistic")
    np.testing.assert_allclose(
        model.predict_proba([[1.0], [0.0]])[:, 1], 1 / (1 + np.exp(-raw)), atol=1e-4
    )


def test_penalties_are_those_of_the_published_tables():
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 2, (40, 2))
    for classes, kind, share in (
        (["linear"], feats.LINEAR, np.interp(40, [30, 100], [0.2, 0.05])),
        (["linear", "quadratic"], feats.LINEAR, np.interp(40, [30, 100], [0.25, 0.05])),
        (["linear", "quadratic"], feats.QUADRATIC, np.interp(40, [30, 100], [0.25, 0.05])),
        (["linear", "product"], feats.PRODUCT, np.interp(40, [30, 100], [0.55, 0.05])),
    ):
        features = feats.make_features(X, classes, 5)
        values = features.values(X)
        column = int(np.argmax(features.kind == kind))
        beta = feats.penalties(features, values, values)[column]
        assert beta == pytest.approx(share * values[:, column].std(ddof=1) / np.sqrt(40))
    assert len(feats.make_features(X, feats.FEATURES, 5).kind) == 2 + 2 + 1 + 2 * 8


def test_a_ramp_that_is_flat_at_the_presences_is_still_penalised():
    X = np.linspace(0, 1, 50)[:, None]
    features = feats.make_features(X, ["hinge"], 3)
    at_presences = features.values(np.zeros((25, 1)))
    beta = feats.penalties(features, at_presences, features.values(X))
    np.testing.assert_allclose(beta, 0.5 / 25)  # half of 1 / root n, over root n


def test_hinges_rise_between_their_ends():
    features = feats.make_features(np.array([[0.0], [4.0]]), ["hinge"], 3)
    values = features.values(np.array([[-1.0], [1.0], [3.0], [9.0]]))
    np.testing.assert_allclose(values[:, 0], [0, 0.25, 0.75, 1])  # from 0 to 4
    np.testing.assert_allclose(values[:, 1], [0, 0, 0.5, 1])  # from 2 to 4
    np.testing.assert_allclose(values[:, 2], [0, 0.5, 1, 1])  # from 0 to 2


def test_it_is_the_limit_of_logistic_regression_with_a_heavy_background():
    rng = np.random.default_rng(0)
    background = rng.normal(size=(400, 3))
    presences = rng.normal([0.7, 0.0, -0.4], 1.0, (60, 3))
    ours = fit_coefficients(background, presences.mean(axis=0), np.full(3, 1e-9))
    weights = np.repeat([1.0, 1e5], [60, 400])
    regression = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000)
    regression.fit(np.vstack([presences, background]), np.repeat([1, 0], [60, 400]), weights)
    np.testing.assert_allclose(ours, regression.coef_[0], atol=2e-3)


def test_with_penalties_it_is_the_limit_of_the_lasso():
    rng = np.random.default_rng(1)
    background = rng.normal(size=(300, 4))
    presences = rng.normal([0.8, 0.05, -0.5, 0.0], 1.0, (80, 4))
    beta = np.array([0.1, 0.15, 0.05, 0.2])
    ours = fit_coefficients(background, presences.mean(axis=0), beta)
    is_new = parse_version(sklearn.__version__) >= parse_version("1.8")  # there "penalty" went
    lasso = LogisticRegression(
        **({"l1_ratio": 1.0} if is_new else {"penalty": "l1"}),
        C=1 / 80,
        solver="liblinear",
        intercept_scaling=1e3,
        tol=1e-9,
        max_iter=20000,
    )
    X = np.vstack([presences, background]) / beta
    lasso.fit(X, np.repeat([1, 0], [80, 300]), np.repeat([1.0, 300.0], [80, 300]))
    np.testing.assert_allclose(ours, lasso.coef_[0] / beta, atol=0.01)
    assert ours[3] == 0.0


def test_the_optimality_conditions_hold_for_many_features(occurrences):
    X, y = occurrences
    features = feats.make_features(X, feats.FEATURES, 20)
    values = features.values(X)
    mean, beta = values[y == 1].mean(axis=0), feats.penalties(features, values[y == 1], values)
    coef = fit_coefficients(values, mean, beta)
    raw = values @ coef
    share = np.exp(raw - raw.max()) / np.exp(raw - raw.max()).sum()
    slope = (share @ values - mean) / beta
    assert np.abs(slope).max() < 1 + 1e-3
    np.testing.assert_allclose(slope[coef != 0], -np.sign(coef[coef != 0]), atol=1e-3)
    assert (coef != 0).sum() < 40 < len(coef)


def test_it_ranks_ground_like_that_of_the_occurrences_first(occurrences):
    X, y = occurrences
    model = MaxEnt(random_state=0).fit(X, y)
    assert roc_auc_score(y, model.decision_function(X)) > 0.85
    shares = model.predict_proba([[50.0, 1.0, 0.0], [1800.0, -1.0, 0.0]])[:, 1]
    assert shares[0] > 0.6
    assert shares[1] < 0.1


def test_clamping_holds_new_values_in_the_range_of_training(occurrences):
    X, y = occurrences
    model = MaxEnt(["linear", "quadratic"]).fit(X, y)
    far, edge = X[:1].copy(), X[:1].copy()
    far[0, 1] += 90.0
    edge[0, 1] = X[:, 1].max()
    assert model.decision_function(far)[0] == pytest.approx(model.decision_function(edge)[0])
    model.set_params(clamp=False)
    assert model.decision_function(far)[0] != pytest.approx(model.decision_function(edge)[0])


def test_more_penalty_leaves_fewer_features_and_at_last_none(occurrences):
    X, y = occurrences
    counts = [len(MaxEnt(regularization=r).fit(X, y).coef_) for r in (0.5, 3.0, 1e3)]
    assert counts[0] > counts[1] > counts[2] == 0
    flat = MaxEnt(regularization=1e3).fit(X, y)
    np.testing.assert_allclose(flat.predict_proba(X[:5])[:, 1], 1 - np.exp(-1))


def test_features_follow_the_number_of_presences():
    assert [len(feats.classes_for(n)) for n in (9, 14, 79, 80)] == [1, 2, 3, 4]


def test_a_drawn_background_follows_the_seed(occurrences):
    X, y = occurrences
    first, second, other = (
        MaxEnt(n_background=300, random_state=seed).fit(X, y).decision_function(X[:9])
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)


def test_a_saved_model_answers_the_same(occurrences, tmp_path):
    X, y = occurrences
    model = MaxEnt().fit(X, y)
    loaded, _ = load_model(save_model(model, tmp_path / "m", card={}, units="m"))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_wrong_arguments_are_told(occurrences):
    X, y = occurrences
    for settings, message in (
        ({"features": ["threshold"]}, "features must be one of"),
        ({"features": ["auto", "linear"]}, "features must be 'auto' or"),
        ({"features": []}, "features must be 'auto' or"),
        ({"output": "raw"}, "output must be one of"),
        ({"regularization": 0}, "above 0"),
    ):
        with pytest.raises(ValueError, match=message):
            MaxEnt(**settings).fit(X, y)
    with pytest.raises(ValueError, match="two classes"):
        MaxEnt().fit(X, np.arange(len(y)) % 3)
    with pytest.raises(ValueError, match="at least 2 rows"):
        MaxEnt().fit(X, np.arange(len(y)) == 0)
