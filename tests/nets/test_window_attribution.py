"""Integrated gradients of window networks: shares that add up to what the network says."""

import numpy as np
import pytest
from scipy.special import logit

from gossan.nets import WindowCNN
from gossan.nets._window_attribution import path_gradients
from gossan.nets._window_forward import logits, stages_of


def planted(seed=6):
    """Return windows (200, 3, 5, 5) and labels: ore raises the second element."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(3.0, 2.0, size=(200, 3, 5, 5)), np.arange(200) % 2
    X[y == 1, 1] += 3.0
    return X, y


@pytest.fixture(scope="module")
def fitted():
    return WindowCNN(n_members=2, epochs=15, random_state=0).fit(*planted())


def mean_logit(model, X):
    return logit(model.member_probabilities(X)).mean(axis=0)


def of_background(model):
    size = model.field_
    middle = np.broadcast_to(model.background_[None, :, None, None], (1, 3, size, size))
    return mean_logit(model, middle)[0]


def test_shares_add_up_to_what_is_said_above_the_background(fitted):
    X, _ = planted(seed=8)
    expected = mean_logit(fitted, X) - of_background(fitted)
    off = {
        steps: np.abs(fitted.integrated_gradients(X, steps).sum(axis=1) - expected)
        for steps in (8, 32, 256)
    }
    assert off[32].max() < 0.03 * np.ptp(expected)
    assert off[256].mean() < 0.3 * off[32].mean() < 0.3 * off[8].mean()
    assert off[256].max() < 0.005 * np.ptp(expected)


def test_the_element_of_the_ore_has_the_largest_share(fitted):
    X, y = planted(seed=8)
    shares = fitted.integrated_gradients(X[y == 1])
    assert shares.shape == (100, 3)
    assert shares.dtype == np.float64
    assert (shares.argmax(axis=1) == 1).mean() > 0.95
    agreement = np.corrcoef(shares.ravel(), fitted.occlusion(X[y == 1]).ravel())[0, 1]
    assert agreement > 0.9


def test_the_background_has_no_shares_and_a_row_is_the_same_alone(fitted):
    X, _ = planted(seed=9)
    X[0] = fitted.background_[:, None, None]
    shares = fitted.integrated_gradients(X)
    np.testing.assert_allclose(shares[0], 0.0, atol=1e-6)
    np.testing.assert_allclose(shares[[150]], fitted.integrated_gradients(X[[150]]), atol=1e-5)


def test_a_network_worked_by_hand():
    # Two elements, one member: relu(2 a - b) and relu(b - 1), added with weights 3 and 5.
    weights = {
        "layers.0.weight": np.array([[[2.0, 0.0], [-1.0, 1.0]]], dtype=np.float32),
        "layers.0.bias": np.array([[[0.0, -1.0]]], dtype=np.float32),
        "head.weight": np.array([[[3.0], [5.0]]], dtype=np.float32),
        "head.bias": np.array([[[7.0]]], dtype=np.float32),
    }
    stages = stages_of("small", 1, (2, 16))
    cells = np.array([2.0, 3.0], dtype=np.float32).reshape(1, 1, 1, 2)
    assert logits(weights, stages, cells)[0, 0, 0, 0] == 7.0 + 3.0 * 1.0 + 5.0 * 2.0
    # On the way from 0: a gives 3 * 2 * 2 = 12; b gives -3 * 3 = -9, and 5 * (3 - 1) = 10 from a
    # third of the way on.
    shares = path_gradients(weights, stages, cells, np.zeros_like(cells), steps=300)
    np.testing.assert_allclose(shares, [[12.0, 1.0]], atol=1e-5)


def test_members_and_other_networks_are_explained_alike():
    X, y = planted()
    for settings in ({"architecture": "lenet"}, {"field": 1}, {"missing": "channel"}):
        model = WindowCNN(**settings, n_members=3, epochs=3, random_state=0).fit(X, y)
        if settings.get("missing"):
            X = X.copy()
            X[5, 2, 1, 1], X[6, 0] = np.nan, np.nan
        rows = X[:8]
        shares = model.integrated_gradients(rows, 128)
        background = np.where(np.isnan(rows), np.nan, model.background_[:, None, None])
        expected = mean_logit(model, rows) - mean_logit(model, background)
        np.testing.assert_allclose(shares.sum(axis=1), expected, atol=0.02)
    assert shares[6, 0] == 0.0  # what misses adds nothing


def test_wrong_steps_are_told(fitted):
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        fitted.integrated_gradients(planted()[0], steps=0)
