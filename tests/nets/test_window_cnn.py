"""The window network: it reads shapes, and a map says what its windows say."""

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from gossan.nets import WindowCNN
from gossan.nets._layers import Draws, initialise
from gossan.nets._window_forward import FIELDS, WIDTHS, logits, stages_of
from gossan.nets._window_training import WindowNetwork
from gossan.saving import load_model, save_model

NETWORKS = [(name, field) for name, fields in FIELDS.items() for field in fields]
QUICK = {"epochs": 2, "n_members": 2, "random_state": 0}


def rings(n, rng):
    """Return windows (n, 3, 9, 9) and labels: ore is a core of x0 in a ring of x1, decoys reversed.

    The cell in the middle is noise of the same kind in both.
    """
    y = np.arange(n) % 2
    along = np.arange(9) - 4
    far = np.hypot(*np.meshgrid(along, along))
    X = rng.normal(size=(n, 3, 9, 9))
    for window, is_ore in zip(X, y, strict=True):
        strength = rng.uniform(1.0, 2.5)
        window[1 - is_ore] += strength * (far < 1.5)
        window[is_ore] += strength * ((far > 1.8) & (far < 3.6))
        window[:2, 4, 4] = rng.normal(size=2)
    return X, y


def cut(volume, size):
    """Return all windows of a map in reading order, (n, channels, size, size)."""
    views = sliding_window_view(volume, (size, size), axis=(1, 2))
    return views.transpose(1, 2, 0, 3, 4).reshape(-1, len(volume), size, size)


def small(architecture="small", field=5, n_channels=4, **more):
    """Return a network trained for a moment on noise."""
    rng = np.random.default_rng(1)
    X = rng.normal(1.0, 2.0, size=(40, n_channels, field, field))
    return WindowCNN(architecture, **(QUICK | more)).fit(X, np.arange(40) % 2)


def noise(*shape, seed=2):
    return np.random.default_rng(seed).normal(1.0, 2.0, size=shape)


@pytest.fixture(scope="module")
def shown():
    rng = np.random.default_rng(0)
    return (*rings(200, rng), *rings(300, rng))


@pytest.fixture(scope="module")
def fitted(shown):
    return WindowCNN(epochs=25, n_members=3, random_state=0).fit(*shown[:2])


def auc(model, X, y):
    return roc_auc_score(y, model.predict_proba(X)[:, 1])


def test_a_ring_that_point_values_do_not_tell_is_found(shown, fitted):
    X, y, X_new, y_new = shown
    points = WindowCNN(field=1, epochs=25, n_members=3, random_state=0).fit(X, y)
    assert points.field_ == 1
    assert 0.4 < auc(points, X_new, y_new) < 0.6
    assert auc(fitted, X_new, y_new) > 0.97
    lenet = WindowCNN("lenet", epochs=25, n_members=1, random_state=0).fit(X, y)
    assert auc(lenet, X_new, y_new) > 0.97


def strided(model, window, member):
    """Return the logit of one window by the book: plain loops, pooling with a stride of two."""
    x = ((window.transpose(1, 2, 0) - model.center_) / model.scale_).astype(float)
    widths = WIDTHS[model.architecture]
    layer = 0
    for stage in stages_of(model.architecture, model.field_, widths):
        step, k = (1 if stage.n_out else 2), stage.kernel
        places = range(0, len(x) - k + 1, step)
        patches = [[x[i : i + k, j : j + k] for j in places] for i in places]
        if stage.n_out == 0:
            x = np.array([[patch.max(axis=(0, 1)) for patch in row] for row in patches])
            continue
        weight = model.weights_[f"layers.{layer}.weight"][member]
        bias = model.weights_[f"layers.{layer}.bias"][member, 0]
        x = np.array([[patch.ravel() @ weight + bias for patch in row] for row in patches])
        x, layer = np.maximum(x, 0.0), layer + 1
    assert x.shape[:2] == (1, 1)
    return float(x[0, 0] @ model.weights_["head.weight"][member, :, 0]) + float(
        model.weights_["head.bias"][member, 0, 0]
    )


@pytest.mark.parametrize(("architecture", "field"), NETWORKS)
def test_a_map_says_what_its_windows_say(architecture, field):
    model = small(architecture, field)
    volume = noise(4, field + 9, field + 6)
    ore = model.predict_proba(cut(volume, field))[:, 1].reshape(10, 7)
    probability, std = model.score_map(volume, return_std=True)
    rim = field // 2
    inner = (slice(rim, rim + 10), slice(rim, rim + 7))
    np.testing.assert_allclose(probability[inner], ore, atol=1e-6)
    assert np.isfinite(probability).sum() == 70
    members = model.member_probabilities(cut(volume, field))
    np.testing.assert_allclose(std[inner].ravel(), members.std(axis=0), atol=1e-6)
    for member in range(2):
        by_hand = strided(model, volume[:, :field, :field], member)
        assert members[member, 0] == pytest.approx(1 / (1 + np.exp(-by_hand)), abs=1e-6)


@pytest.mark.parametrize(("architecture", "field"), [("small", 7), ("lenet", 9)])
@pytest.mark.parametrize("edges", ["nan", "reflect"])
def test_tiles_do_not_show(architecture, field, edges):
    model = small(architecture, field)
    volume = noise(4, 23, 31).astype(np.float32)
    whole = model.score_map(volume, edges=edges)
    for tile in ((1, 7), (5, 4), (100, 3)):
        tiled = model.score_map(volume, edges=edges, tile=tile)
        np.testing.assert_allclose(tiled, whole, atol=1e-6)


def test_reflected_edges_are_those_of_a_map_that_is_mirrored():
    model = small(field=5)
    volume = noise(4, 6, 2)
    mirrored = np.pad(volume, ((0, 0), (2, 2), (2, 2)), mode="reflect")
    expected = model.score_map(mirrored)[2:-2, 2:-2]
    np.testing.assert_allclose(model.score_map(volume, edges="reflect"), expected, atol=1e-6)
    assert np.isnan(model.score_map(volume)).all()  # two columns hold no window of five


def test_a_missing_value_spoils_the_windows_that_touch_it_only():
    model = small(field=5)
    volume = noise(4, 12, 13)
    whole = model.score_map(volume, edges="reflect")
    volume[2, 6, 1] = np.nan
    scores = model.score_map(volume, edges="reflect", tile=(4, 5))
    touched = np.zeros((12, 13), dtype=bool)
    touched[4:9, :4] = True
    np.testing.assert_array_equal(np.isnan(scores), touched)
    np.testing.assert_allclose(scores[~touched], whole[~touched], atol=1e-6)
    with pytest.raises(ValueError, match="NaN"):
        model.predict_proba(cut(volume, 5))


def test_with_a_channel_of_what_is_there_missing_values_are_scored():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(80, 3, 3, 3))
    y = np.arange(80) % 2
    X[y == 1, :2, 1, 1] = np.nan  # ore is where nobody sampled: only the channel can tell
    settings = {"missing": "channel", "element_dropout": 0.0, "weight_decay": 0.1, "n_members": 2}
    model = WindowCNN(**settings, epochs=40, random_state=0).fit(X, y)
    assert auc(model, X, y) > 0.99
    volume = noise(3, 9, 8)
    volume[:, 4, 4] = volume[1, 2, 3] = np.nan
    scores = model.score_map(volume)
    expected = model.predict_proba(cut(volume, 3))[:, 1]
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(scores[1:-1, 1:-1].ravel(), expected, atol=1e-6)
    gains = model.occlusion(cut(volume, 3))
    assert gains[3 * 6 + 3, 0] != 0.0
    lone = np.full((1, 3, 3, 3), np.nan)
    np.testing.assert_array_equal(model.occlusion(lone), 0.0)  # what misses cannot be taken away


def test_the_same_seed_gives_the_same_weights_and_members_differ():
    first, second, other = (small(random_state=seed).weights_ for seed in (0, 0, 1))
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
    weight = first["layers.0.weight"]
    assert not np.allclose(weight, other["layers.0.weight"])
    assert not np.allclose(weight[0], weight[1])


def test_the_ensemble_is_the_mean_of_its_members(fitted, shown):
    X = shown[2][:20]
    members = fitted.member_probabilities(X)
    assert members.shape == (3, 20)
    np.testing.assert_allclose(fitted.predict_proba(X)[:, 1], members.mean(axis=0))
    assert fitted.losses_.shape == (3, 25)
    assert members.std(axis=0).max() > 0.0


def one_sided(n, rng):
    """Return windows whose ore lies in the west of the first channel."""
    X, y = rng.normal(size=(n, 2, 3, 3)), np.arange(n) % 2
    X[y == 1, 0, :, 0] += 3.0
    return X, y


def test_flips_teach_the_mirrored_pattern_and_do_not_touch_prediction():
    rng = np.random.default_rng(3)
    X, y = one_sided(200, rng)
    X_new, y_new = one_sided(200, rng)
    mirrored = X_new[..., ::-1]
    settings = {"epochs": 20, "n_members": 1, "random_state": 0}
    plain = WindowCNN(augment="none", **settings).fit(X, y)
    flips = WindowCNN(augment="flips", **settings).fit(X, y)
    assert auc(plain, mirrored, y_new) < 0.8
    assert min(auc(flips, mirrored, y_new), auc(flips, X_new, y_new)) > 0.95
    said = flips.predict_proba(X_new)
    np.testing.assert_array_equal(said, flips.predict_proba(X_new))
    flips.augment = "none"
    np.testing.assert_array_equal(said, flips.predict_proba(X_new))


def test_half_turns_keep_the_strike():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(300, 1, 3, 3)), np.arange(300) % 2
    corners = X.reshape(300, 9)[:, [0, 8, 2, 6]]
    corners += np.where(y == 1, 1.0, -1.0)[:, None] * [3.0, 0.0, 0.0, 0.0]
    X.reshape(300, 9)[:, [0, 8, 2, 6]] = corners  # ore lies in the north-west
    settings = {"epochs": 20, "n_members": 1, "random_state": 0}
    turned = WindowCNN(augment="half_turns", **settings).fit(X[:200], y[:200])
    scores = [auc(turned, each, y[200:]) for each in (X[200:], X[200:, :, ::-1, ::-1])]
    assert min(scores) > 0.95
    across = auc(turned, X[200:, :, ::-1], y[200:])
    assert across < 0.7  # north-east or south-west is another strike
    flips = WindowCNN(augment="flips", **settings).fit(X[:200], y[:200])
    assert auc(flips, X[200:, :, ::-1], y[200:]) > 0.9


@pytest.mark.parametrize("augment", ["none", "flips", "half_turns"])
def test_folds_trained_at_once_are_those_trained_alone(shown, augment):
    X, y = shown[0][:90], shown[1][:90]
    folds = [(np.arange(0, 80), 5), (np.arange(10, 90), 6), (np.arange(0, 40), 7)]
    model = WindowCNN(epochs=2, n_members=2, augment=augment)
    together = model.fit_many(X, y, folds)
    for one, fold in zip(together, folds, strict=True):
        (alone,) = model.fit_many(X, y, [fold])
        np.testing.assert_allclose(one.predict_proba(X), alone.predict_proba(X), atol=1e-5)
        np.testing.assert_allclose(one.background_, alone.background_)
    again = WindowCNN(epochs=2, n_members=2, augment=augment, random_state=3).fit(X[:80], y[:80])
    seed = int(np.random.default_rng(3).integers(2**31))
    (same,) = model.fit_many(X, y, [(np.arange(80), seed)])
    np.testing.assert_allclose(again.predict_proba(X), same.predict_proba(X), atol=1e-6)


def test_rows_without_weight_are_not_learned_from(shown):
    X, y = shown[0][:60].copy(), shown[1][:60]
    weight = np.repeat([1.0, 0.0], [40, 20])
    model = WindowCNN(**QUICK).fit(X, y, sample_weight=weight)
    X[40:] = 99.0
    other = WindowCNN(**QUICK).fit(X, 1 - np.where(weight, 1 - y, y), sample_weight=weight)
    np.testing.assert_array_equal(model.losses_, other.losses_)
    np.testing.assert_array_equal(model.center_, other.center_)


def test_few_occurrences_weigh_as_much_as_all_the_background():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(300, 2))
    y = (np.arange(300) < 10).astype(int)
    settings = {"epochs": 30, "weight_decay": 0.1, "n_members": 2, "random_state": 0}
    balanced = WindowCNN(**settings).fit(X, y).predict_proba(X)[:, 1].mean()
    as_found = WindowCNN(weights="none", **settings).fit(X, y).predict_proba(X)[:, 1].mean()
    assert as_found < 0.2
    assert 0.35 < balanced < 0.65


def test_the_network_that_learns_is_the_one_that_predicts():
    for architecture, field in NETWORKS:
        stages = stages_of(architecture, field, WIDTHS[architecture])
        network = WindowNetwork(2, 3, stages)
        initialise(network, Draws([1, 2]))
        weights = {name: value.numpy() for name, value in network.state_dict().items()}
        x = noise(5, field, field, 3).astype(np.float32)
        with torch.no_grad():
            learning = network(torch.from_numpy(x).expand(2, *x.shape)).numpy()
        predicting = logits(weights, stages, x)[:, :, 0, 0]
        np.testing.assert_allclose(predicting, learning, rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_torch():
    network = WindowNetwork(1, 3, stages_of("small", 5, (8, 16)))
    initialise(network, Draws([1]))
    x = torch.from_numpy(noise(1, 6, 5, 5, 3).astype(np.float32))
    network(x).sum().backward()
    weights = [w.detach().clone().requires_grad_() for w in network.parameters()]
    z = x[0].permute(0, 3, 1, 2)
    for layer in range(3):
        weight, bias = weights[2 * layer : 2 * layer + 2]
        k = 1 if layer == 0 else 3
        kernel = weight[0].view(k, k, -1, weight.shape[2]).permute(3, 2, 0, 1)
        z = torch.relu(torch.nn.functional.conv2d(z, kernel, bias[0, 0]))
    (z.flatten(1) @ weights[6][0] + weights[7][0]).sum().backward()
    for own, plain in zip(network.parameters(), weights, strict=True):
        np.testing.assert_allclose(own.grad, plain.grad, rtol=1e-3, atol=1e-4)


def test_the_head_alone_or_all_layers_go_on_from_a_start(fitted, shown):
    X, y = shown[2][:40], shown[3][:40]
    head = WindowCNN(start=fitted, tune="head", **QUICK).fit(X, y)
    every = WindowCNN(start=fitted, tune="all", **QUICK).fit(X, y)
    for name, value in fitted.weights_.items():
        is_same = np.array_equal(head.weights_[name], value[:2])
        assert is_same == (not name.startswith("head"))
        assert not np.array_equal(every.weights_[name], value[:2])
    np.testing.assert_array_equal(head.center_, fitted.center_)
    still = WindowCNN(start=fitted, learning_rate=1e-12, **(QUICK | {"n_members": 5})).fit(X, y)
    members = fitted.member_probabilities(X)[[0, 1, 2, 0, 1]]
    np.testing.assert_allclose(still.member_probabilities(X), members, atol=1e-5)


def test_a_start_from_the_same_kind_of_ore_helps_where_few_are_known(fitted, shown):
    X, y, X_new, y_new = *shown[2:], *shown[:2]
    rng = np.random.default_rng(8)
    X, X_new = (each + 3.0 * rng.normal(size=each.shape) for each in (X, X_new))
    settings = {"epochs": 10, "n_members": 2, "random_state": 0}
    scores = [
        [auc(each.fit(X[i : i + 2], y[i : i + 2]), X_new, y_new) for i in range(0, 12, 2)]
        for each in (WindowCNN(start=fitted, **settings), WindowCNN(**settings))
    ]
    assert np.mean(scores[0]) > max(0.85, np.mean(scores[1]) + 0.1)


def test_what_has_learned_ore_goes_on_at_a_tenth_of_the_rate(fitted, shown):
    X, y = shown[2][:40], shown[3][:40]
    empty = clone(fitted).fit(*shown[:2])
    empty.weights_["head.weight"] = np.zeros_like(empty.weights_["head.weight"])
    for start, tune, rate in (
        (None, "all", 5e-3),
        (fitted, "all", 5e-4),
        (fitted, "head", 5e-3),
        (empty, "all", 5e-3),
    ):
        usual = WindowCNN(start=start, tune=tune, **QUICK).fit(X, y)
        told = WindowCNN(start=start, tune=tune, learning_rate=rate, **QUICK).fit(X, y)
        np.testing.assert_array_equal(usual.losses_, told.losses_)
        assert usual.learning_rate is None


def test_a_clone_keeps_the_start_and_folds_use_it(fitted, shown):
    model = WindowCNN(start=fitted, tune="head", **QUICK)
    copy = clone(model)
    assert copy.start is fitted
    assert not hasattr(copy, "weights_")
    (fold,) = copy.fit_many(*shown[:2], [(np.arange(50), 1)])
    name = "layers.0.weight"
    np.testing.assert_array_equal(fold.weights_[name], fitted.weights_[name][:2])


def test_a_start_of_another_shape_is_told(fitted, shown):
    X, y = shown[0][:20], shown[1][:20]
    with pytest.raises(ValueError, match="start has field 9, the new model 5"):
        WindowCNN(field=5, start=fitted).fit(X, y)
    with pytest.raises(ValueError, match="start has channels"):
        WindowCNN(start=fitted).fit(X[:, :2], y)
    with pytest.raises(ValueError, match="start has architecture small"):
        WindowCNN("lenet", start=fitted).fit(X, y)
    with pytest.raises(ValueError, match="not fitted"):
        WindowCNN(start=WindowCNN()).fit(X, y)


def test_occlusion_tells_the_element_that_speaks_for_ore():
    rng = np.random.default_rng(6)
    X, y = rng.normal(size=(200, 3, 3, 3)), np.arange(200) % 2
    X[y == 1, 1] += 2.0
    model = WindowCNN(n_members=2, random_state=0).fit(X, y)
    gains = model.occlusion(X[y == 1])
    assert gains.shape == (100, 3)
    assert (gains.argmax(axis=1) == 1).mean() > 0.95
    assert gains[:, 1].mean() > 1.0
    np.testing.assert_allclose(model.background_, np.median(X[y == 0], axis=(0, 2, 3)), atol=1e-6)
    volume = noise(3, 7, 6)
    expected = model.occlusion(cut(volume, 3)).T.reshape(3, 5, 4)
    found = model.occlusion_map(volume, tile=(2, 3))
    np.testing.assert_allclose(found[:, 1:-1, 1:-1], expected, atol=1e-5)
    assert np.isnan(found[:, 0]).all()


def test_larger_windows_are_used_by_their_middle(shown):
    X, y = shown[0][:60], shown[1][:60]
    wide = WindowCNN(field=3, **QUICK).fit(X, y)
    narrow = WindowCNN(**QUICK).fit(X[:, :, 3:6, 3:6], y)
    np.testing.assert_array_equal(wide.predict_proba(X), narrow.predict_proba(X))
    np.testing.assert_array_equal(wide.predict_proba(X), wide.predict_proba(X[:, :, 2:7, 2:7]))


def test_the_memory_of_a_map_is_that_of_a_tile():
    model = small(field=9)
    volume = noise(4, 300, 300).astype(np.float32)
    model.score_map(volume[:, :20, :20])
    tracemalloc.start()
    model.score_map(volume, tile=(16, 16))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6  # of which the answer is 0.7; the windows of the map would be 117 MB


def test_a_saved_model_scores_the_same_and_without_torch(fitted, shown, tmp_path):
    X = shown[2][:9]
    tuned = WindowCNN(start=fitted, **QUICK).fit(X, shown[3][:9])
    for i, model in enumerate(
        (fitted, tuned, small("lenet", 5, missing="channel"), small(field=1))
    ):
        folder = save_model(
            model, tmp_path / f"model {i}", card={"title": "test"}, units="log10 ppm"
        )
        loaded, _ = load_model(folder)
        volume = noise(len(model.names_), 12, 11)
        np.testing.assert_array_equal(loaded.score_map(volume), model.score_map(volume))
        np.testing.assert_array_equal(loaded.background_, model.background_)
    code = (
        "import sys; from gossan.saving import load_model; import numpy as np;"
        f"m, _ = load_model({str(tmp_path / 'model 0')!r}); m.predict(np.zeros((1, 3, 9, 9)));"
        "m.score_map(np.zeros((3, 10, 10))); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_what_is_not_a_sound_model_is_refused(fitted):
    def load(change=None, drop=None, **put):
        told, arrays = fitted.to_arrays()
        told = json.loads(json.dumps(told)) | (change or {})
        arrays = {name: value for name, value in arrays.items() if name != drop} | put
        return WindowCNN.from_arrays(told, arrays)

    assert load().field_ == 9
    with pytest.raises(ValueError, match="cells a side"):
        load({"field": 4})
    with pytest.raises(ValueError, match="is missing"):
        load(drop="network.layers.2.weight")
    with pytest.raises(ValueError, match="not above zero"):
        load(scale_=np.zeros(3))
    with pytest.raises(ValueError, match="must have shape"):
        load({"params": {"n_members": 2}})
    with pytest.raises(ValueError, match="not two classes"):
        load({"classes": [0, 1, 2]})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"architecture": "same"}, "All convolutions are valid: with 'same' padding"),
        ({"architecture": "le-net"}, "Did you mean 'lenet'"),
        ({"field": 4}, "sees 1, 3, 5, 7, 9 cells a side"),
        ({"architecture": "lenet", "field": 3}, "sees 5, 9, 13 cells a side"),
        ({"widths": (8, 16, 32)}, "widths must be 2 counts"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"element_dropout": 1.0}, "element_dropout must lie"),
        ({"label_smoothing": -0.1}, "label_smoothing must lie"),
        ({"augment": "flip"}, "Did you mean 'flips'"),
        ({"missing": "zero"}, "missing must be one of"),
        ({"tune": "last"}, "tune must be one of"),
    ],
)
def test_wrong_settings_are_told(shown, settings, message):
    with pytest.raises(ValueError, match=message):
        WindowCNN(**settings).fit(shown[0][:10], shown[1][:10])


def test_wrong_data_are_told(fitted, shown):
    X, y = shown[0][:10], shown[1][:10]
    with pytest.raises(ValueError, match="2 classes"):
        WindowCNN().fit(X, np.zeros(10))
    with pytest.raises(ValueError, match="2 classes"):
        WindowCNN().fit(X, np.arange(10) % 3)
    with pytest.raises(ValueError, match="sample_weight must be 10"):
        WindowCNN().fit(X, y, sample_weight=-np.ones(10))
    with pytest.raises(ValueError, match="X must be windows"):
        WindowCNN().fit(X[..., :7], y)
    with pytest.raises(ValueError, match="windows of size 8"):
        WindowCNN().fit(X[..., :8, :8], y)
    with pytest.raises(ValueError, match="channels"):
        fitted.predict(X[:, :2])
    with pytest.raises(ValueError, match="windows of size 5"):
        fitted.predict(X[..., :5, :5])
    volume = noise(3, 12, 12)
    with pytest.raises(ValueError, match="volume must have the shape"):
        fitted.score_map(volume[:2])
    with pytest.raises(ValueError, match="edges must be one of"):
        fitted.score_map(volume, edges="same")
    volume[0, 11, 3] = np.inf
    with pytest.raises(ValueError, match="infinite somewhere in rows 0 to 11"):
        fitted.score_map(volume)
