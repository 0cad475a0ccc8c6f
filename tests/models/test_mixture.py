"""Mixtures as detectors: densities by hand, planted parts found, both forms saved."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture

from gossan.models import MixtureDetector
from gossan.saving import load_model, save_model


@pytest.fixture(scope="module")
def ground():
    """Return two kinds of barren rock and ore that is rich in the last column."""
    rng = np.random.default_rng(0)
    parts = [((0, 0, 0), 300), ((5, -3, 0), 200), ((2, 1, 6), 80)]
    X = np.vstack([rng.normal(mean, 0.7, (n, 3)) for mean, n in parts])
    return X, np.repeat([0, 0, 1], [300, 200, 80])


def test_one_part_is_the_normal_density():
    X = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]])
    model = MixtureDetector(n_components=1, regularisation=1e-9).fit(X)
    # Standardised columns: independent, mean 0 and variance 1.
    expected = multivariate_normal([0, 0], np.eye(2)).logpdf([[0, 0], [2, 0]])
    np.testing.assert_allclose(model.score_samples([[1.0, 2.0], [3.0, 2.0]]), expected, atol=1e-6)


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_scores_are_those_of_the_mixture_it_was_fitted_as(ground, covariance):
    X, _ = ground
    model = MixtureDetector(n_components=3, covariance=covariance, random_state=0).fit(X)
    rows = (X - model.center_) / model.scale_
    seed = int(np.random.default_rng(0).integers(2**31))
    mixture = GaussianMixture(
        3, covariance_type=covariance, reg_covar=1e-3, n_init=2, random_state=seed
    ).fit(rows)
    np.testing.assert_allclose(model.score_samples(X), mixture.score_samples(rows), rtol=1e-8)


def test_bic_finds_the_number_of_parts(ground):
    X, y = ground
    assert MixtureDetector(random_state=0).fit(X, y).n_components_ == 2
    model = MixtureDetector("posterior", random_state=0).fit(X)
    assert model.n_components_ == 3
    assert len(model.bic_) == 5
    assert np.argmin(model.bic_) == 1


def test_ore_is_unlikely_among_normals(ground):
    X, y = ground
    model = MixtureDetector(random_state=0).fit(X, y)
    assert roc_auc_score(y, -model.score_samples(X)) > 0.99
    assert (model.predict(X[y == 0]) == -1).mean() == pytest.approx(0.05, abs=0.003)
    assert (model.predict(X[y == 1]) == -1).all()


@pytest.mark.parametrize(
    ("y", "ore_features"), [(None, [2]), (None, ["Au"]), (True, None), (None, None)]
)
def test_the_ore_rich_part_is_found(ground, y, ore_features):
    X, truth = ground
    if ore_features == ["Au"]:
        import pandas as pd

        X = pd.DataFrame(X, columns=["Hg", "Sb", "Au"])
    model = MixtureDetector("posterior", ore_features=ore_features, random_state=0)
    model.fit(X, truth if y else None)
    assert roc_auc_score(truth, -model.score_samples(X)) > 0.99
    assert ((model.predict(X) == -1) == (truth == 1)).mean() > 0.99


def test_the_posterior_score_is_the_log_odds():
    X = np.concatenate([np.linspace(-1, 1, 50), np.linspace(9, 11, 50)])[:, None]
    model = MixtureDetector("posterior", n_components=2, random_state=0).fit(X)
    assert model.score_samples([[5.0]])[0] == pytest.approx(0.0, abs=0.2)  # midway: even odds
    assert model.score_samples([[0.0]])[0] > 5 > -5 > model.score_samples([[10.0]])[0]


@pytest.mark.parametrize("form", ["normals", "posterior"])
def test_a_saved_model_scores_the_same(ground, form, tmp_path):
    X, y = ground
    model = MixtureDetector(form, n_components=3, random_state=0).fit(X, y)
    loaded, _ = load_model(save_model(model, tmp_path / "m", card={}, units="share"))
    np.testing.assert_array_equal(loaded.score_samples(X), model.score_samples(X))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_binary_column_does_not_break_it(ground):
    X, y = ground
    X = np.column_stack([X, X[:, 0] > 2])
    assert np.isfinite(MixtureDetector(random_state=0).fit(X, y).score_samples(X)).all()


def test_wrong_arguments_are_told(ground):
    X, y = ground
    for settings, message in (
        ({"form": "density"}, "form must be one of"),
        ({"covariance": "block"}, "covariance must be one of"),
        ({"form": "posterior", "n_components": 1}, "at least 2"),
        ({"false_positive_rate": 0.0}, "between 0 and 1"),
        ({"form": "posterior", "ore_features": ["Au"]}, "ore_features must be one of"),
    ):
        with pytest.raises(ValueError, match=message):
            MixtureDetector(**settings).fit(X)
    with pytest.raises(ValueError, match="at least 2 rows"):
        MixtureDetector().fit(X, np.ones(len(y)))
