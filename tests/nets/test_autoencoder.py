"""The autoencoder: it finds planted ore, alone or in stacks, and scores volumes as patches."""

import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gossan.nets import DeepAutoencoder
from gossan.nets._patch_detector import _held_out
from gossan.saving import load_model, save_model


@pytest.fixture(scope="module")
def fitted(deposit):
    return DeepAutoencoder(epochs=12, random_state=0).fit(deposit.X[:550], deposit.y[:550])


def auc(model, deposit, start=550):
    return roc_auc_score(deposit.y[start:], -model.score_samples(deposit.X[start:]))


def test_planted_ore_is_found_among_patches_not_seen(fitted, deposit):
    assert auc(fitted, deposit) > 0.9
    assert fitted.losses_[0, -1] < 0.5 * fitted.losses_[0, 0]


def test_the_error_of_a_vector_by_hand():
    model = DeepAutoencoder("vector", widths=(1,), scaling="none", epochs=1, random_state=0)
    model.fit(np.array([[1.0, 2.0], [2.0, 1.0]]))
    model.weights_ = {
        "encoder.0.weight": np.array([[[1.0], [1.0]]], np.float32),
        "encoder.0.bias": np.array([[[-1.0]]], np.float32),
        "decoder.0.weight": np.array([[[0.5, 0.25]]], np.float32),
        "decoder.0.bias": np.array([[[0.0, 0.25]]], np.float32),
    }
    # code 1 + 2 - 1 = 2, drawn as (1, 0.75): errors 0 and 1.25, mean of squares 0.78125
    assert model.score_samples([[1.0, 2.0]])[0] == pytest.approx(-0.78125)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(deposit):
    X = deposit.X[:100]
    first, second, other = (
        DeepAutoencoder(epochs=1, random_state=seed).fit(X).weights_ for seed in (0, 0, 1)
    )
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
    assert not np.allclose(first["encoder.0.weight"], other["encoder.0.weight"])


def test_folds_trained_at_once_are_those_trained_alone(deposit):
    X, y = deposit.X[600:800], deposit.y[600:800]
    folds = [(np.arange(0, 180), 5), (np.arange(20, 200), 6)]
    together = DeepAutoencoder(epochs=2, n_members=2).fit_many(X, y, folds)
    for model, fold in zip(together, folds, strict=True):
        (alone,) = DeepAutoencoder(epochs=2, n_members=2).fit_many(X, y, [fold])
        np.testing.assert_allclose(model.score_samples(X), alone.score_samples(X), rtol=1e-4)
        assert model.offset_ == pytest.approx(alone.offset_, rel=1e-4)
    assert together[0].losses_.shape == (2, 2)


def test_ore_is_not_learned_from(deposit):
    y = deposit.y[600:]
    model = DeepAutoencoder(epochs=1, threshold="minmax", random_state=0, scaling="none")
    with_ore = model.fit(deposit.X[600:], y).weights_
    without = model.fit(deposit.X[600:][y == 0]).weights_
    for name, value in with_ore.items():
        np.testing.assert_allclose(value, without[name], atol=1e-6)


def test_a_volume_is_scored_as_its_patches(fitted, deposit):
    volume = deposit.volume[:, :9, :10, :11]
    scores = fitted.score_volume(volume, tile=(2, 3, 4))
    places = np.argwhere(np.ones((3, 4, 5)))
    expected = fitted.score_samples(deposit.cut(volume, places)).reshape(3, 4, 5)
    np.testing.assert_allclose(scores[3:-3, 3:-3, 3:-3], expected, atol=1e-6)
    assert np.isfinite(scores).sum() == 60
    assert scores.dtype == np.float32


def test_missing_voxels_spoil_the_patches_that_touch_them_only(fitted, deposit):
    volume = deposit.volume[:, :9, :9, :9].copy()
    whole = fitted.score_volume(volume)
    volume[3, 0, 4, 8] = np.nan
    scores = fitted.score_volume(volume)
    inner = scores[3:-3, 3:-3, 3:-3]
    z, _, x = np.indices((3, 3, 3))
    spoiled = (z == 0) & (x == 2)  # the only patches that reach the corner edge
    np.testing.assert_array_equal(np.isnan(inner), spoiled)
    np.testing.assert_allclose(inner[~spoiled], whole[3:-3, 3:-3, 3:-3][~spoiled], rtol=1e-5)


def test_the_threshold_keeps_its_false_positive_rate(fitted, deposit):
    barren = deposit.X[550:700]
    assert (fitted.predict(barren) == -1).mean() < 0.15
    assert (fitted.decision_function(barren) < 0).sum() == (fitted.predict(barren) == -1).sum()


def test_the_published_threshold_is_a_level_between_the_extremes(deposit):
    X = deposit.X[:60]
    model = DeepAutoencoder(epochs=1, threshold="minmax", minmax_level=0.6, random_state=0).fit(X)
    errors = -model.score_samples(X)
    level = (-model.offset_ - errors.min()) / (errors.max() - errors.min())
    assert level == pytest.approx(0.6, abs=1e-6)


def test_whole_groups_are_held_out():
    labels = np.repeat(["a", "b", "c", "d"], [5, 5, 5, 85])
    for seed in range(20):
        is_held = _held_out(labels, 0.1, np.random.default_rng(seed))
        held = set(labels[is_held])
        assert held
        assert held.isdisjoint(labels[~is_held])
        assert len(held) < 4
    with pytest.raises(ValueError, match="at least 2 groups"):
        _held_out(np.array(["a", "a"]), 0.1, np.random.default_rng(0))


def test_a_saved_model_scores_the_same_and_without_torch(fitted, deposit, tmp_path):
    folder = save_model(fitted, tmp_path / "model", card={"title": "test"}, units="share")
    model, _ = load_model(folder)
    np.testing.assert_array_equal(
        model.score_samples(deposit.X[:9]), fitted.score_samples(deposit.X[:9])
    )
    assert model.offset_ == fitted.offset_
    code = (
        "import sys; from gossan.saving import load_model; import numpy as np;"
        f"m, _ = load_model({str(folder)!r}); m.predict(np.zeros((1, 5, 7, 7, 7)));"
        "m.score_volume(np.zeros((5, 8, 8, 8))); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_what_is_not_a_sound_model_is_refused(fitted):
    def load(change=None, drop=None, **put):
        told, arrays = fitted.to_arrays()
        told = json.loads(json.dumps(told)) | (change or {})
        arrays = {name: value for name, value in arrays.items() if name != drop} | put
        return DeepAutoencoder.from_arrays(told, arrays)

    assert load().offset_ == fitted.offset_
    with pytest.raises(ValueError, match="odd side"):
        load({"side": 6})
    with pytest.raises(ValueError, match="is missing"):
        load(drop="network.decoder.2.weight")
    with pytest.raises(ValueError, match="not finite"):
        load(offset_=np.array([np.nan]))
    with pytest.raises(ValueError, match="not above zero"):
        load(scale_=np.zeros(5))
    with pytest.raises(ValueError, match="must have shape"):
        load({"params": {"n_members": 2}})


def test_the_callers_patches_stay_as_they_are(deposit):
    kept = deposit.X[:60].copy()
    channels_last = np.moveaxis(np.ascontiguousarray(np.moveaxis(kept, 1, 4)), 4, 1)
    channels_last.setflags(write=False)
    settings = {"epochs": 1, "random_state": 0}
    first = DeepAutoencoder(**settings).fit(channels_last)
    np.testing.assert_array_equal(channels_last, kept)
    second = DeepAutoencoder(**settings).fit(kept.astype(np.float64))
    np.testing.assert_array_equal(first.score_samples(kept), second.score_samples(kept))


def test_groups_that_are_held_out_are_not_learned_from(deposit):
    X, groups = deposit.X[:60].copy(), np.repeat(["h1", "h2"], 30)
    settings = {"epochs": 1, "scaling": "none", "random_state": 0}
    model = DeepAutoencoder(**settings).fit(X, groups=groups)
    changed = []
    for hole in ("h1", "h2"):
        other = X.copy()
        other[groups == hole] *= 0.5
        again = DeepAutoencoder(**settings).fit(other, groups=groups)
        same = np.array_equal(model.losses_, again.losses_)
        changed.append(not same)
        assert again.offset_ != model.offset_
    assert sorted(changed) == [False, True]


def test_the_preset_is_the_published_training():
    settings = DeepAutoencoder(preset="yu2022", n_members=3)._settings()
    assert (settings["batch_size"], settings["epochs"], settings["n_members"]) == (16, 500, 1)
    assert (settings["schedule"], settings["learning_rate"]) == ("steps", 1e-3)


def test_patches_of_another_size_are_taken_where_the_layers_fit(deposit):
    X = deposit.X[:40, :, 1:6, 1:6, 1:6]
    model = DeepAutoencoder(widths=(4, 6), epochs=1, random_state=0).fit(X)
    assert model.side_ == 5
    assert np.isfinite(model.score_samples(X)).all()
    with pytest.raises(ValueError, match="odd side of at least 7"):
        DeepAutoencoder(epochs=1).fit(X)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"input": "patches"}, "Did you mean 'patch'"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"threshold": "rank"}, "threshold must be one of"),
        ({"false_positive_rate": 1.0}, "between 0 and 1"),
        ({"widths": (8, 0)}, "widths must be"),
        ({"preset": "yu2023"}, "preset must be one of"),
    ],
)
def test_wrong_settings_are_told(deposit, settings, message):
    with pytest.raises(ValueError, match=message):
        DeepAutoencoder(**settings).fit(deposit.X[:10])


def test_wrong_data_are_told(fitted, deposit):
    X = deposit.X[:10]
    with pytest.raises(ValueError, match="input='vector'"):
        DeepAutoencoder().fit(X[:, :, 3, 3, 3])
    with pytest.raises(ValueError, match="at least 2 normal"):
        DeepAutoencoder().fit(X, np.ones(10))
    with pytest.raises(ValueError, match="Write 0 for barren"):
        DeepAutoencoder().fit(X, ["ore"] * 10)
    with pytest.raises(ValueError, match="channels"):
        fitted.score_samples(X[:, :4])
    with pytest.raises(ValueError, match="volume must have the shape"):
        fitted.score_volume(deposit.volume[:3])
    with pytest.raises(ValueError, match="edges must be one of"):
        fitted.score_volume(deposit.volume, edges="mirror")
    broken = deposit.volume[:, :8, :8, :8].copy()
    broken[0, 4, 4, 4] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        fitted.score_volume(broken)
