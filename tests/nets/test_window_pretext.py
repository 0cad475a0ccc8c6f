"""Pretraining of window networks: what is learned without labels, and what starts from it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.metrics import roc_auc_score

from gossan.nets import WindowCNN, plant_haloes, pretrain_windows
from gossan.nets._window_pretraining import _Reconstruction
from gossan.saving import load_model, save_model

QUICK = {"field": 3, "n_members": 2, "epochs": 3, "n_windows": 200, "random_state": 0}


def one_factor(n, seed):
    """Return a table (n, 40) and labels: half of the elements say, each with much noise, one thing.

    No element tells ore; who knows which of them vary together needs few labels.
    """
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 2))
    X = np.repeat(factors, 20, axis=1) + 2.0 * rng.normal(size=(n, 40))
    return X, (factors[:, 0] > 0).astype(int)


@pytest.fixture(scope="module")
def ground():
    """Return a smooth map (4, 40, 50) whose first two elements vary together."""
    rng = np.random.default_rng(5)
    fields = np.stack([gaussian_filter(rng.normal(size=(40, 50)), 2.0) for _ in range(4)])
    fields[1] = fields[0] + 0.05 * fields[1]
    return (fields / fields.std(axis=(1, 2), keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def masked(ground):
    return pretrain_windows(ground, **QUICK)


@pytest.fixture(scope="module")
def haloed(ground):
    return pretrain_windows(ground, "haloes", **QUICK | {"epochs": 10, "n_windows": 600})


def test_what_hides_is_told_from_the_rest(ground):
    settings = QUICK | {"epochs": 30, "n_windows": 800, "learning_rate": 0.01}
    smooth = pretrain_windows(ground, **settings).losses_
    assert (smooth[:, -1] < 0.5 * smooth[:, 0]).all()
    rng = np.random.default_rng(0)
    noise = pretrain_windows(rng.normal(size=ground.shape), **settings).losses_
    # Of noise nothing can be told: its variance is one. In some windows nothing is asked.
    assert noise[:, -1].min() > 0.95 * (1.0 - 0.5 * 0.7**4)


class Echo:
    """A network that says nothing else than zero."""

    training = True

    def __init__(self, n_channels):
        self.n_channels = n_channels

    def __call__(self, x):
        self.seen = x
        return x.new_zeros(*x.shape[:2], self.n_channels)


def test_the_loss_is_the_mean_square_of_the_values_that_are_hidden(ground):
    import torch

    from gossan.nets._layers import Draws

    windows = np.arange(1.0, 37.0, dtype=np.float32).reshape(1, 3, 3, 4)
    windows[0, 1, 1, 3] = np.nan
    settings = {"missing": "channel", "augment": "none"}
    told = (windows, np.zeros(4), np.full(4, 2.0))
    objective, echo = _Reconstruction(*told, hidden=0.5, settings=settings), Echo(4)
    rows = torch.zeros((1, 400), dtype=torch.int64)
    losses = objective(echo, torch.tensor([0]), rows, Draws([3]))[0].numpy()
    seen = echo.seen[0].numpy()  # (400, 3, 3, 5)
    middle = np.array([17.0, 18.0, 19.0, np.nan]) / 2.0
    for loss, window in zip(losses, seen, strict=True):
        asked = (window[1, 1, :4] == 0.0) & np.isfinite(middle)
        expected = np.mean(middle[asked] ** 2) if asked.any() else 0.0
        assert loss == pytest.approx(expected, rel=1e-5)
        is_hidden = (window[..., :4] == 0.0).all(axis=(0, 1))
        np.testing.assert_allclose(window[0, 0, :4][~is_hidden], (windows[0, 0, 0])[~is_hidden])
    np.testing.assert_allclose(seen[:, 1, 1, 4], 0.75)  # what was measured, not what is hidden
    is_bored = (seen[:, 1, 1, :4] == 0.0).all(axis=1) & (seen[:, 0, 0, :4] != 0.0).any(axis=1)
    assert 0.35 < is_bored.mean() < 0.65


def test_after_masking_few_labels_are_enough():
    X, y = one_factor(2000, seed=0)
    X_new, y_new = one_factor(1000, seed=1)
    settings = {"n_members": 2, "random_state": 0}
    start = pretrain_windows(X, epochs=20, learning_rate=0.01, **settings)
    assert start.field_ == 1
    gains = []
    for first in range(0, 80, 16):
        few, labels = X[first : first + 16], y[first : first + 16]
        alone = WindowCNN(**settings).fit(few, labels)
        helped = WindowCNN(start=start, **settings).fit(few, labels)
        scores = [roc_auc_score(y_new, m.predict_proba(X_new)[:, 1]) for m in (alone, helped)]
        gains.append(scores[1] - scores[0])
    assert np.mean(gains) > 0.02


@pytest.mark.parametrize("kind", ["masked", "haloed"])
def test_a_start_knows_no_ore_until_it_is_fitted(kind, request, ground):
    start = request.getfixturevalue(kind)
    np.testing.assert_array_equal(start.score_map(ground)[1:-1, 1:-1], 0.5)
    assert start.classes_.tolist() == [0, 1]
    X = np.random.default_rng(0).normal(size=(40, 4, 3, 3))
    head = WindowCNN(start=start, tune="head", n_members=2, epochs=3, random_state=0)
    head.fit(X, np.arange(40) % 2)
    for name, value in start.weights_.items():
        assert np.array_equal(head.weights_[name], value) == (not name.startswith("head"))
    assert np.ptp(head.predict_proba(X)) > 0.0


def test_a_model_of_a_deposit_finds_it_without_a_label():
    rng = np.random.default_rng(3)
    windows = rng.normal(size=(900, 5, 9, 9))
    zoned = {"core": [1], "ring": [3, 4]}
    ore = plant_haloes(windows[:100], **zoned, random_state=1)
    others = {
        "bare": windows[100:200],
        "decoy": plant_haloes(windows[200:300], **zoned, shape="decoy", random_state=2),
        "reversed": plant_haloes(windows[300:400], core=[3, 4], ring=[1], random_state=3),
    }
    settings = {"n_members": 2, "epochs": 25, "random_state": 0}
    start = pretrain_windows(windows[400:], "haloes", **zoned, **settings)
    assert start.losses_[:, -1].max() < 0.8 * start.losses_[:, 0].min()
    for each in others.values():
        both = np.concatenate([ore, each])
        assert roc_auc_score(np.repeat([1, 0], 100), start.predict_proba(both)[:, 1]) > 0.8
    assert start.occlusion(ore)[:, [0, 2]].mean() < 0.2 * start.occlusion(ore)[:, 1].mean()


def rises(shape="halo", **zoning):
    """Return what is planted in 400 windows of noise, (400, 10, 9, 9), in standard deviations."""
    flat = np.random.default_rng(0).normal(size=(400, 10, 9, 9))
    return plant_haloes(flat, shape=shape, **zoning, random_state=0) - flat


def test_a_halo_is_a_core_about_the_middle_and_at_times_a_ring():
    rise = rises()
    middle, most = rise[:, :, 4, 4], rise.max(axis=(2, 3))
    is_core = (middle > 0.99 * most) & (middle > 0.1)
    assert set(np.unique(is_core.sum(axis=1))) == {2, 3, 4, 5}
    assert 0.45 < middle[is_core].min() < middle[is_core].max() < 3.3
    is_ring = (most > 0.4) & ~is_core
    assert 0.35 < is_ring.any(axis=1).mean() < 0.65
    assert middle[is_ring].mean() < 0.3 * most[is_ring].mean()
    np.testing.assert_allclose(rise, rise[:, :, ::-1, ::-1], atol=1e-5)  # ellipses


def test_only_the_elements_that_are_told_rise():
    rise = rises(core=[1, 3], ring=[8])
    np.testing.assert_allclose(rise[:, [0, 2, 4, 5, 6, 7, 9]], 0.0, atol=1e-6)
    assert (rise[:, [1, 3], 4, 4] > 0.45).all()
    assert (rise[:, 8].max(axis=(1, 2)) > 2.0 * rise[:, 8, 4, 4]).mean() > 0.9
    assert (rises(core=[1])[:, 1, 4, 4] > 0.45).all()


def test_a_decoy_has_the_elements_of_a_halo_but_not_its_shape():
    decoy = rises("decoy", core=[1, 3], ring=[8])
    np.testing.assert_allclose(decoy[:, [0, 2, 4, 5, 6, 7, 9]], 0.0, atol=1e-6)
    is_centred = decoy[:, 1, 4, 4] > 0.99 * decoy[:, 1].max(axis=(1, 2))
    assert 0.4 < is_centred.mean() < 0.65
    together = np.corrcoef(decoy[~is_centred, 1].ravel(), decoy[~is_centred, 3].ravel())[0, 1]
    assert together > 0.8
    places = decoy[:, 8].reshape(400, 81).argmax(axis=1)
    assert len(np.unique(places)) > 60
    assert np.abs(decoy[:, 8].mean(axis=0)[[0, -1]].mean() / decoy[:, 8].mean()) > 0.4


def test_windows_and_maps_that_miss_values_are_taken(ground):
    holed = ground.copy()
    holed[2, :, :20] = np.nan
    from_whole = pretrain_windows(holed, **QUICK)
    assert from_whole.center_[2] == pytest.approx(ground[2, :, 20:].mean(), abs=0.3)
    told = pretrain_windows(holed, **QUICK, missing="channel")
    assert told.weights_["layers.0.weight"].shape == (2, 5, 8)
    assert np.isfinite(told.losses_).all()
    holed[3] = np.nan  # an element that nobody measured
    planted = plant_haloes(holed[None, :, 5:14, 12:21], random_state=0)
    np.testing.assert_array_equal(np.isnan(planted[0]), np.isnan(holed[:, 5:14, 12:21]))
    assert pretrain_windows(ground, n_windows=50, epochs=1, n_members=1).field_ == 9


@pytest.mark.parametrize("kind", ["masked", "haloed"])
def test_a_pretrained_network_scores_maps_as_windows_and_is_saved(kind, request, ground, tmp_path):
    start = request.getfixturevalue(kind)
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(40, 4, 3, 3)), np.arange(40) % 2
    model = WindowCNN(start=start, n_members=2, epochs=3, random_state=0).fit(X, y)
    windows = np.stack([ground[:, i : i + 3, 4:7] for i in range(10)])
    expected = model.predict_proba(windows)[:, 1]
    np.testing.assert_allclose(model.score_map(ground)[1:11, 5], expected, atol=1e-6)
    for i, each in enumerate((start, model)):
        folder = save_model(each, tmp_path / str(i), card={"title": "test"}, units="log10 ppm")
        loaded, _ = load_model(folder)
        np.testing.assert_array_equal(loaded.score_map(ground), each.score_map(ground))
    again = WindowCNN(start=loaded, n_members=2, epochs=3).fit(X, y)
    assert again.field_ == 3


def test_the_same_seed_gives_the_same_start(ground, masked):
    again = pretrain_windows(ground, **QUICK)
    for name, value in masked.weights_.items():
        np.testing.assert_array_equal(again.weights_[name], value)
    other = pretrain_windows(ground, **QUICK | {"random_state": 1})
    assert not np.allclose(other.weights_["layers.0.weight"], masked.weights_["layers.0.weight"])


def test_what_is_given_does_not_change(ground):
    before = ground.copy()
    for method in ("masked", "haloes"):
        pretrain_windows(ground, method, **QUICK | {"epochs": 1})
    np.testing.assert_array_equal(ground, before)


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        ("mask", {}, "Did you mean 'masked'"),
        ("masked", {"hidden": 1.0}, r"hidden must lie in \(0, 1\)"),
        ("masked", {"architecture": "same"}, "with 'same' padding"),
        ("masked", {"field": 4}, "sees 1, 3, 5, 7, 9 cells a side"),
        ("masked", {"field": 45}, "holds no window of 45"),
        ("haloes", {"core": [4]}, "core and ring must be channels from 0 to 3"),
        ("haloes", {"core": [1], "ring": [2, 1]}, "each once"),
        ("haloes", {"ring": [2]}, "one or more in the core"),
        ("masked", {"core": [2]}, "Masking knows no core or ring"),
        ("haloes", {"n_windows": 1}, "needs 2 or more whole windows"),
    ],
)
def test_wrong_wishes_are_told(ground, method, settings, message):
    with pytest.raises(ValueError, match=message):
        pretrain_windows(ground, method, **QUICK | settings)


def test_wrong_maps_are_told(ground):
    with pytest.raises(ValueError, match="X must be a map"):
        pretrain_windows(ground[0, 0], **QUICK)
    with pytest.raises(ValueError, match="got 0"):
        pretrain_windows(np.full((2, 9, 9), np.nan), **QUICK)
    with pytest.raises(ValueError, match="windows must have shape"):
        plant_haloes(ground)
    spoiled = ground[None, :, :3, :3].repeat(5, axis=0)
    spoiled[0, 0, 0, 0] = np.inf
    for method in ("masked", "haloes"):
        with pytest.raises(ValueError, match="infinity"):
            pretrain_windows(spoiled, method, **QUICK)
