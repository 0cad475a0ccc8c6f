"""HierarchicalDiscriminant: planted covariances, brute-force posteriors, missing values."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from gossan._checks import GossanWarning
from gossan.models import HierarchicalDiscriminant


@pytest.fixture
def world(plant):
    return plant(3)


def fitted(world, **settings):
    return HierarchicalDiscriminant(**settings).fit(world.X, world.y, groups=world.groups)


def test_between_and_within_covariances_are_recovered(plant):
    world = plant(1, n_deposits=400, n_per_deposit=(15, 40))
    model = fitted(world, shrinkage=0.0)
    np.testing.assert_allclose(model.between_, world.between, atol=0.03)
    np.testing.assert_allclose(model.within_, world.within, atol=0.003)
    np.testing.assert_allclose(model.means_, world.means, atol=0.08)


def test_within_covariance_is_unbiased_where_deposits_have_two_analyses(plant):
    world = plant(2, n_deposits=1500, n_per_deposit=(2, 3))
    np.testing.assert_allclose(fitted(world).within_, world.within, atol=0.004)


def log_scores(probabilities, classes, truth):
    """Return the log probability that each row gives to its true class, at least 1e-12."""
    told = probabilities[np.arange(len(truth)), np.searchsorted(classes, truth)]
    return np.log(np.maximum(told, 1e-12))


def test_it_beats_an_ordinary_discriminant_where_deposits_cluster(plant):
    of_analyses, of_deposits = [], []
    for seed in range(20):
        train, test = plant(seed, n_deposits=8), plant(seed + 100, n_deposits=30)
        model = fitted(train, prior="equal")
        lda = LinearDiscriminantAnalysis(priors=[1 / 3] * 3).fit(np.log10(train.X), train.y)
        theirs = lda.predict_log_proba(np.log10(test.X))
        ours = log_scores(model.predict_proba(test.X), model.classes_, test.y)
        of_analyses.append((ours - log_scores(np.exp(theirs), lda.classes_, test.y)).mean())
        names, pooled = model.predict_group_proba(test.X, test.groups)
        products = softmax([theirs[test.groups == name].sum(axis=0) for name in names], axis=1)
        truth = np.array([name.split()[0] for name in names])
        gain = log_scores(pooled, model.classes_, truth) - log_scores(products, lda.classes_, truth)
        of_deposits.append(gain.mean())
    standard_error = np.std(of_analyses, ddof=1) / np.sqrt(len(of_analyses))
    assert np.mean(of_analyses) > 2 * standard_error
    assert min(of_deposits) > 1.0  # who counts analyses as witnesses is sure, and often wrong


def test_one_analysis_has_the_posterior_of_the_normal_law(world):
    model = fitted(world)
    row = np.log10(world.X[0])
    scores = [
        0.5 * np.log(n)
        + multivariate_normal.logpdf(row, mean, model.between_ * (1 + 1 / n) + model.within_)
        for mean, n in zip(model.means_, model.n_groups_, strict=True)
    ]
    np.testing.assert_allclose(model.predict_proba(world.X[:1])[0], softmax(scores), rtol=1e-9)


def test_a_deposit_has_the_posterior_of_all_its_analyses_written_out(world):
    model = fitted(world, prior="groups")
    values = np.log10(world.X[:4])  # four analyses of one deposit: a normal law in 12 dimensions
    scores = []
    for mean, n in zip(model.means_, model.n_groups_, strict=True):
        effect = np.kron(np.ones((4, 4)), model.between_ * (1 + 1 / n))
        law = multivariate_normal(np.tile(mean, 4), effect + np.kron(np.eye(4), model.within_))
        scores.append(np.log(n) + law.logpdf(values.ravel()))
    names, probabilities = model.predict_group_proba(world.X[:4], ["a"] * 4)
    assert names.tolist() == ["a"]
    np.testing.assert_allclose(probabilities[0], softmax(scores), rtol=1e-7)


def test_a_deposit_of_one_analysis_is_that_analysis(world):
    model = fitted(world)
    names, of_groups = model.predict_group_proba(world.X[:5], list("ebadc"))
    alone = model.predict_proba(world.X[:5])
    assert names.tolist() == list("abcde")
    np.testing.assert_allclose(of_groups, alone[[2, 1, 4, 3, 0]], rtol=1e-9)


def test_missing_elements_are_left_out_exactly(world):
    model = fitted(world)
    broken = world.X.copy()
    broken[::3, 1] = np.nan
    broken[1::3, [0, 2]] = np.nan
    probabilities = model.predict_proba(broken)
    for row, seen in ((0, [0, 2]), (1, [1]), (2, [0, 1, 2])):
        scores = [
            0.5 * np.log(n)
            + multivariate_normal.logpdf(
                np.log10(world.X[row, seen]),
                mean[seen],
                (model.between_ * (1 + 1 / n) + model.within_)[np.ix_(seen, seen)],
            )
            for mean, n in zip(model.means_, model.n_groups_, strict=True)
        ]
        np.testing.assert_allclose(probabilities[row], softmax(scores), rtol=1e-9)


def test_a_row_without_values_gets_the_prior(world):
    X = np.vstack([world.X[world.y != "VMS"], world.X[world.groups == "VMS 0"]])
    keep = (world.y != "VMS") | (world.groups == "VMS 0")
    order = np.argsort(world.y == "VMS", kind="stable")
    y, groups = (labels[order][keep[order]] for labels in (world.y, world.groups))
    model = HierarchicalDiscriminant().fit(X, y, groups=groups)
    empty = np.full((1, 3), np.nan)
    expected = np.sqrt([30, 30, 1]) / np.sqrt([30, 30, 1]).sum()
    np.testing.assert_allclose(model.predict_proba(empty)[0], expected, rtol=1e-12)


def test_the_covariance_of_a_mean_with_gaps_is_that_of_the_rows_behind_it(world):
    model = fitted(world, prior="equal")
    X = world.X[:3].copy()
    X[0, 0] = np.nan
    values, has = np.log10(X), ~np.isnan(X)
    pick = has / has.sum(axis=0)  # the mean of each element as a sum over rows
    scores = []
    for mean, n in zip(model.means_, model.n_groups_, strict=True):
        noise = model.within_ * (pick.T @ pick)
        away = np.nanmean(values, axis=0)
        law = multivariate_normal(mean, model.between_ * (1 + 1 / n) + noise)
        scores.append(law.logpdf(away))
    np.testing.assert_allclose(
        model.predict_group_proba(X, ["a"] * 3)[1][0], softmax(scores), rtol=1e-8
    )


def test_filling_is_the_expectation_over_classes(world):
    model = fitted(world)
    X = world.X[:1].copy()
    X[0, 2] = np.nan
    shares = model.predict_proba(X)[0]
    value, seen = 0.0, [0, 1]
    for share, mean, n in zip(shares, model.means_, model.n_groups_, strict=True):
        c = model.between_ * (1 + 1 / n) + model.within_
        slope = np.linalg.solve(c[np.ix_(seen, seen)], c[seen, 2])
        value += share * (mean[2] + slope @ (np.log10(X[0, seen]) - mean[seen]))
    filled = model.conditional_fill(X)
    assert np.log10(filled[0, 2]) == pytest.approx(value, rel=1e-9)
    np.testing.assert_array_equal(filled[0, :2], X[0, :2])


def test_filling_keeps_what_was_measured_and_the_callers_table(world):
    X = world.X.copy()
    X[np.random.default_rng(0).random(X.shape) < 0.3] = np.nan
    before = X.copy()
    filled = fitted(world).conditional_fill(X)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(filled[~np.isnan(X)], X[~np.isnan(X)])
    assert (filled > 0).all()


def test_training_with_gaps_recovers_the_covariances(plant):
    world = plant(5, n_deposits=200, n_per_deposit=(8, 20))
    X = world.X.copy()
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    model = HierarchicalDiscriminant(shrinkage=0.0).fit(X, world.y, groups=world.groups)
    np.testing.assert_allclose(model.within_, world.within, atol=0.006)
    np.testing.assert_allclose(model.between_, world.between, atol=0.05)


def test_an_element_that_whole_deposits_lack_follows_their_class(plant):
    world = plant(6, n_deposits=60)
    X = world.X.copy()
    X[np.char.endswith(world.groups, "1"), 2] = np.nan
    model = HierarchicalDiscriminant().fit(X, world.y, groups=world.groups)
    assert np.abs(model.means_ - fitted(world).means_).max() < 0.1
    assert np.isfinite(model.predict_proba(X)).all()


def test_without_groups_the_noise_is_nil_and_rows_are_deposits(world):
    model = HierarchicalDiscriminant().fit(world.X, world.y)
    assert np.abs(model.within_).max() == 0
    assert model.n_groups_.sum() == len(world.X)


@pytest.mark.parametrize("prior", ["equal", "sqrt", "groups"])
def test_units_do_not_matter(world, prior):
    factors = np.array([1e4, 1.0, 1e-3])
    first = fitted(world, prior=prior).predict_proba(world.X)
    model = HierarchicalDiscriminant(prior=prior)
    second = model.fit(world.X * factors, world.y, groups=world.groups)
    np.testing.assert_allclose(second.predict_proba(world.X * factors), first, atol=1e-9)


def test_a_constant_element_changes_nothing_much(world):
    X = np.column_stack([world.X, np.full(len(world.X), 7.0)])
    model = HierarchicalDiscriminant().fit(X, world.y, groups=world.groups)
    np.testing.assert_allclose(
        model.predict_proba(X), fitted(world).predict_proba(world.X), atol=1e-6
    )


def test_one_deposit_a_class_is_a_warning(world):
    with pytest.warns(GossanWarning, match="No class has two deposits"):
        HierarchicalDiscriminant().fit(world.X, world.y, groups=world.y)


def test_wrong_arguments_are_told(world):
    with pytest.raises(ValueError, match="prior must be one of"):
        fitted(world, prior="squirt")
    with pytest.raises(ValueError, match=r"shrinkage must lie in \[0, 1\], got 2"):
        fitted(world, shrinkage=2)
    X = world.X.copy()
    X[4, 1] = 0.0
    with pytest.raises(ValueError, match="must be positive, got 0 at row 4, column 'x1'"):
        HierarchicalDiscriminant().fit(X, world.y)
    X[:, 1] = np.nan
    with pytest.raises(ValueError, match="Feature 'x1' is missing in all"):
        HierarchicalDiscriminant().fit(X, world.y)
