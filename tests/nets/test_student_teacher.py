"""The student: it fails on planted ore, and whole volumes are scored exactly as their patches."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gossan.nets import StudentTeacherDetector
from gossan.nets._patch_forward import encode
from gossan.saving import load_model, save_model

WAYS = [
    {},
    {"feature_scaling": "standard"},
    {"feature_scaling": "stfpm"},
    {"teacher": "random", "n_members": 2},
    {"teacher": "normals"},
]


def make(**more):
    settings = {"epochs": 10, "teacher_epochs": 6, "random_state": 0} | more
    return StudentTeacherDetector(**settings)


@pytest.fixture(scope="module")
def fitted(deposit):
    """Return a detector for each way, trained on most patches."""
    part = np.r_[:500, 750:850]
    return [make(**way).fit(deposit.X[part], deposit.y[part]) for way in WAYS]


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_planted_ore_is_found_among_patches_not_seen(way, fitted, deposit):
    scores = fitted[way].score_samples(deposit.X[500:750])
    assert roc_auc_score(deposit.y[500:750], -scores) > 0.65
    if way == 0:  # the published way; the score of the others moves more with the seed
        assert roc_auc_score(deposit.y[500:750], -scores) > 0.85


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_a_volume_is_scored_as_its_patches(way, fitted, deposit):
    volume = deposit.volume[:, 8:18, 5:16, 6:18]
    model = fitted[way]
    places = np.argwhere(np.ones((4, 5, 6)))
    expected = model.score_samples(deposit.cut(volume, places)).reshape(4, 5, 6)
    for tile in ((2, 3, 4), (16, 32, 32)):
        scores = model.score_volume(volume, tile=tile)[3:-3, 3:-3, 3:-3]
        np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-7)
    if way == 0:
        assert np.abs(scores - expected).max() < 1e-6


def test_the_score_is_the_mean_of_three_scales(fitted, deposit):
    model, patch = fitted[0], deposit.X[700]
    scaled = np.moveaxis((patch - model.center_[:, None, None, None]), 0, 3) / model.scale_
    features = [
        encode(
            {k.removeprefix(who): v for k, v in model.weights_.items() if k.startswith(who)},
            scaled[None, None].astype(np.float32),
        )
        for who in ("teacher.", "student.")
    ]
    parts = [((t - s) ** 2).mean() for t, s in zip(*features, strict=True)]
    assert [t.shape[2] for t in features[0]] == [5, 3, 1]
    assert model.score_samples(patch[None])[0] == pytest.approx(-sum(parts) / 3, rel=1e-5)


def test_missing_voxels_spoil_the_patches_that_touch_them_only(fitted, deposit):
    volume = deposit.volume[:, :18, :18, :18].copy()
    whole = fitted[0].score_volume(volume)
    volume[1, 4, 9, 9] = np.nan
    scores = fitted[0].score_volume(volume, tile=(4, 5, 6))
    spoiled = np.isnan(scores[3:-3, 3:-3, 3:-3])
    expected = np.zeros((12, 12, 12), bool)
    expected[:5, 3:10, 3:10] = True  # centres within 3 voxels of (4, 9, 9)
    np.testing.assert_array_equal(spoiled, expected)
    np.testing.assert_allclose(
        scores[3:-3, 3:-3, 3:-3][~spoiled], whole[3:-3, 3:-3, 3:-3][~spoiled], rtol=1e-4
    )
    volume[:] = np.nan
    assert np.isnan(fitted[0].score_volume(volume)).all()


def test_padding_repeats_the_edge(fitted, deposit):
    volume = deposit.volume[:, :9, :9, :9]
    padded = np.pad(volume, ((0, 0), (3, 3), (3, 3), (3, 3)), mode="edge")
    scores = fitted[0].score_volume(volume, edges="pad", tile=(4, 4, 5))
    expected = fitted[0].score_volume(padded)[3:-3, 3:-3, 3:-3]
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


def test_a_volume_thinner_than_a_patch_has_no_scores(fitted):
    assert np.isnan(fitted[0].score_volume(np.zeros((5, 6, 20, 20)))).all()


def test_a_memory_map_is_read_and_left_as_it_is(fitted, deposit, tmp_path):
    path = tmp_path / "volume.npy"
    np.save(path, deposit.volume[:, :10].astype(np.float64))
    scores = fitted[0].score_volume(np.load(path, mmap_mode="r"))
    np.testing.assert_array_equal(scores, fitted[0].score_volume(deposit.volume[:, :10]))
    np.testing.assert_array_equal(np.load(path), deposit.volume[:, :10])


def test_a_student_of_a_silent_difference_has_no_error(fitted, deposit):
    model = make(epochs=1, teacher_epochs=1).fit(deposit.X[:50])
    for name in list(model.weights_):
        if name.startswith("student."):
            model.weights_[name] = model.weights_[name.replace("student", "teacher")]
    np.testing.assert_array_equal(model.score_samples(deposit.X[:5]), np.zeros(5))


def test_members_are_averaged(deposit):
    model = make(n_members=2, epochs=2, teacher_epochs=1).fit(deposit.X[:80])
    both, parts = model.score_samples(deposit.X[:5]), []
    whole = model.weights_
    for i in range(2):
        model.weights_ = {name: value[i : i + 1] for name, value in whole.items()}
        parts.append(model.score_samples(deposit.X[:5]))
    np.testing.assert_allclose(both, np.mean(parts, axis=0), rtol=1e-5)


def test_folds_trained_at_once_are_those_trained_alone(deposit):
    X, y = deposit.X[600:800], deposit.y[600:800]
    folds = [(np.arange(0, 180), 5), (np.arange(20, 200), 6)]
    together = make(epochs=2, teacher_epochs=2).fit_many(X, y, folds)
    for model, fold in zip(together, folds, strict=True):
        (alone,) = make(epochs=2, teacher_epochs=2).fit_many(X, y, [fold])
        np.testing.assert_allclose(model.score_samples(X), alone.score_samples(X), rtol=1e-3)


def test_the_same_seed_gives_the_same_weights(deposit):
    first, second = (
        make(epochs=1, teacher_epochs=1).fit(deposit.X[:60]).weights_ for _ in range(2)
    )
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])


@pytest.mark.parametrize("way", [1, 3])
def test_a_saved_model_scores_the_same(way, fitted, deposit, tmp_path):
    folder = save_model(fitted[way], tmp_path / "model", card={}, units="share")
    model, _ = load_model(folder)
    np.testing.assert_array_equal(
        model.score_samples(deposit.X[:5]), fitted[way].score_samples(deposit.X[:5])
    )
    volume = deposit.volume[:, :8, :9, :9]
    np.testing.assert_array_equal(model.score_volume(volume), fitted[way].score_volume(volume))


def test_the_vector_form_finds_what_does_not_go_together():
    rng = np.random.default_rng(0)
    along = rng.uniform(size=(600, 1))
    X = np.hstack([along, 1 - along, along**2, np.sqrt(along), 0.5 + 0 * along])
    X[400:, 1] = rng.uniform(size=200)
    y = np.arange(600) >= 400
    model = make(input="vector", epochs=None, teacher_epochs=None).fit(X, y)
    assert roc_auc_score(y, -model.score_samples(X)) > 0.85
    with pytest.raises(ValueError, match="input='vector'"):
        model.score_volume(np.zeros((5, 9, 9, 9)))


def test_wrong_settings_are_told(deposit):
    for settings, message in (
        ({"teacher": "ore"}, "teacher must be one of"),
        ({"feature_scaling": "l2"}, "feature_scaling must be one of"),
        ({"teacher_epochs": 0}, "teacher='random'"),
    ):
        with pytest.raises(ValueError, match=message):
            make(**settings).fit(deposit.X[:20])


def test_the_preset_is_the_published_training():
    settings = StudentTeacherDetector(preset="yu2022")._settings()
    assert (settings["epochs"], settings["teacher_epochs"], settings["teacher"]) == (
        500,
        500,
        "all",
    )
