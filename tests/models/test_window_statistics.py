"""Statistics of windows against hand-worked numbers and the filters of scipy."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter, uniform_filter

from gossan.models import Forest, PointLogistic, WindowStatistics
from gossan.models.window_statistics import statistics_of

WORDS = ("centre", "mean", "std", "max", "min", "ring")


def test_a_window_by_hand():
    window = np.arange(9.0).reshape(1, 3, 3, 1)
    window[0, 1, 1, 0] = 13.0
    found = statistics_of(window, 3, WORDS)[0, 0, 0]
    values = np.array([0.0, 1, 2, 3, 13, 5, 6, 7, 8])
    np.testing.assert_allclose(found, [13.0, 5.0, values.std(), 13.0, 0.0, 4.0], rtol=1e-6)


def test_the_ring_of_five_is_its_outermost_cells():
    window = np.zeros((1, 5, 5, 2))
    window[0, 1:4, 1:4, 0] = 100.0
    window[0, 0, :, 1] = 16.0
    np.testing.assert_allclose(statistics_of(window, 5, ["ring"])[0, 0, 0], [0.0, 5.0], atol=1e-9)


@pytest.mark.parametrize("field", [1, 3, 5, 9])
def test_a_map_has_the_statistics_of_the_filters_of_scipy(field):
    volume = np.random.default_rng(0).normal(size=(2, 20, 23))
    rim = field // 2
    found = statistics_of(np.moveaxis(volume, 0, 2)[None], field, WORDS)[0]
    found = np.moveaxis(found, 2, 0).reshape(len(WORDS), 2, *found.shape[:2])
    size = (1, field, field)
    mean = uniform_filter(volume, size)
    within = uniform_filter(volume, (1, field - 2, field - 2)) if field > 1 else volume
    n, n_within = field**2, max(field - 2, 0) ** 2
    wanted = {
        "centre": volume,
        "mean": mean,
        "std": np.sqrt(np.maximum(uniform_filter(volume**2, size) - mean**2, 0.0)),
        "max": maximum_filter(volume, size),
        "min": minimum_filter(volume, size),
        "ring": (n * mean - n_within * within) / (n - n_within),
    }
    for word, own in zip(WORDS, found, strict=True):
        expected = wanted[word][:, rim : 20 - rim, rim : 23 - rim]
        np.testing.assert_allclose(own, expected, atol=1e-6, err_msg=word)


def test_many_windows_are_taken_in_blocks_and_give_the_same():
    cells = np.random.default_rng(0).normal(size=(4100, 3, 3, 1))
    found = statistics_of(cells, 3, ["mean", "max"])
    np.testing.assert_array_equal(found[4090:], statistics_of(cells[4090:], 3, ["mean", "max"]))
    np.testing.assert_allclose(found[:, 0, 0, 0], cells.mean(axis=(1, 2, 3)), atol=1e-6)


def rings(n, rng):
    """Return windows whose ore is a ring about a middle that is like that of the background."""
    X, y = rng.normal(size=(n, 2, 7, 7)), np.arange(n) % 2
    along = np.arange(7) - 3
    is_ring = np.maximum(*np.abs(np.meshgrid(along, along))) == 3
    X[y == 1, 1] += 1.0 * is_ring
    return X, y


def test_a_ring_is_seen_by_statistics_and_not_by_points():
    rng = np.random.default_rng(0)
    (X, y), (new, truth) = rings(300, rng), rings(300, rng)
    around = WindowStatistics(field=7).fit(X, y).predict(new)
    point = PointLogistic().fit(X, y).predict(new)
    assert (around == truth).mean() > 0.95
    assert (point == truth).mean() < 0.6


def test_occlusion_takes_a_channel_out_of_every_statistic():
    X, y = rings(200, np.random.default_rng(1))
    model = WindowStatistics(Forest(n_estimators=20, random_state=0), field=7).fit(X, y)
    less = X.astype(np.float32)
    less[:, 1] = model.background_[1]
    wanted = model.decision_function(X) - model.decision_function(less)
    np.testing.assert_allclose(model.occlusion(X)[:, 1], wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"field": 4}, "field must be an odd number of cells"),
        ({"field": 9}, "windows of size 7"),
        ({"statistics": ["median"]}, "statistics must be one of"),
        ({"statistics": []}, "at least one"),
        ({"statistics": ["mean", "mean"]}, "different words"),
    ],
)
def test_wrong_settings_are_told(settings, message):
    X, y = rings(20, np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        WindowStatistics(**settings).fit(X, y)


def test_weights_for_a_model_without_are_told():
    class Plain(PointLogistic):
        def fit(self, X, y):
            return super().fit(X, y)

    X, y = rings(20, np.random.default_rng(0))
    with pytest.raises(ValueError, match="Plain takes no sample_weight"):
        WindowStatistics(Plain(), field=3).fit(X, y, sample_weight=np.ones(20))
