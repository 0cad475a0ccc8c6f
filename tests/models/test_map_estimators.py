"""The contract of map estimators: a map says what its windows say, and a saved model says the same."""

import json
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import load, save
from sklearn.base import clone

from gossan import saving
from gossan.models import (
    BackgroundEnsemble,
    BoostedTrees,
    Forest,
    IsolationIndex,
    MahalanobisIndex,
    PathfinderIndex,
    PointLogistic,
    ScoreBlend,
    StackedTransfer,
    WindowStatistics,
)
from gossan.saving import load_model, save_model

SIZE, RIM = 5, 2


def windows_of(volume):
    """Return all windows of a map in reading order, (n, channels, 5, 5)."""
    views = sliding_window_view(volume, (SIZE, SIZE), axis=(1, 2))
    return views.transpose(1, 2, 0, 3, 4).reshape(-1, len(volume), SIZE, SIZE)


def make_shown():
    """Return windows of 3 channels with ore in x0, and a map with one cell of no data."""
    rng = np.random.default_rng(3)
    X = rng.normal(1.0, 2.0, size=(150, 3, SIZE, SIZE))
    y = (np.arange(150) % 3 == 0).astype(int)
    X[y == 1, 0, 1:4, 1:4] += 2.0
    volume = rng.normal(1.0, 2.0, size=(3, 14, 17)).astype(np.float32)
    volume[1, 6, 8] = np.nan
    return SimpleNamespace(X=X, y=y, volume=volume)


@pytest.fixture(scope="module")
def shown():
    return make_shown()


def trees(**more):
    return Forest(n_estimators=8, random_state=0, **more)


def source():
    shown = make_shown()
    return WindowStatistics(field=3, statistics=["mean"]).fit(shown.X, shown.y)


def members():
    return [("index", PathfinderIndex([0])), ("around", WindowStatistics(trees(), field=3))]


MODELS = {
    "index": lambda: PathfinderIndex([0], [2]),
    "mahalanobis": MahalanobisIndex,
    "isolation": lambda: IsolationIndex(8, random_state=0),
    "logistic": PointLogistic,
    "random forest": trees,
    "extra trees": lambda: trees(trees="extra"),
    "statistics": lambda: WindowStatistics(statistics=["centre", "std", "max", "min", "ring"]),
    "statistics, one cell": lambda: WindowStatistics(field=1, statistics=["ring", "mean"]),
    "statistics, forest": lambda: WindowStatistics(trees(), field=3),
    "statistics, boosted": lambda: WindowStatistics(
        BoostedTrees(max_iter=5, transform="none", random_state=0), field=3
    ),
    "draws": lambda: BackgroundEnsemble(n_draws=3, least=60, per_positive=1.0, random_state=0),
    "draws of statistics": lambda: BackgroundEnsemble(
        WindowStatistics(trees(), field=3), n_draws=2, least=60, per_positive=1.0, random_state=0
    ),
    "statistics of draws": lambda: WindowStatistics(
        BackgroundEnsemble(trees(), n_draws=2, least=60, per_positive=1.0, random_state=0)
    ),
    "blend": lambda: ScoreBlend(members()),
    "blend of ranks": lambda: ScoreBlend(members(), rule="ranks", random_state=1),
    "draws of a blend": lambda: BackgroundEnsemble(ScoreBlend(members()), n_draws=2),
    "stack": lambda: StackedTransfer(source(), field=5, statistics=["centre", "std"]),
    "stack, small": lambda: StackedTransfer(source(), field=1, statistics=["centre"], trust=1.0),
}
EVERY = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def fitted(shown):
    return {name: make().fit(shown.X, shown.y) for name, make in MODELS.items()}


# A map and its windows


@EVERY
def test_a_map_says_what_its_windows_say(name, fitted, shown):
    model, rim = fitted[name], fitted[name].field_ // 2
    mean, std = model.score_map(shown.volume, return_std=True)
    assert mean.dtype == std.dtype == np.float32
    windows = windows_of(shown.volume)
    middle = windows[:, :, RIM - rim : SIZE - (RIM - rim), RIM - rim : SIZE - (RIM - rim)]
    is_whole = ~np.isnan(middle).any(axis=(1, 2, 3))
    there = windows[is_whole] if model.field_ == SIZE else middle[is_whole]
    inner = (slice(RIM, -RIM), slice(RIM, -RIM))
    said = model.probability_and_spread(there)
    for found, wanted in zip((mean, std), said, strict=True):
        np.testing.assert_allclose(found[inner].ravel()[is_whole], wanted, atol=1e-6)
        assert np.isnan(found[inner].ravel()[~is_whole]).all()
    np.testing.assert_allclose(model.predict_proba(there)[:, 1], said[0], atol=1e-12)
    gains = model.occlusion_map(shown.volume)[:, RIM:-RIM, RIM:-RIM].reshape(3, -1)
    np.testing.assert_allclose(gains[:, is_whole], model.occlusion(there).T, atol=2e-5)
    logits = model.logit_map(shown.volume)[inner].ravel()[is_whole]
    np.testing.assert_allclose(logits, model.decision_function(there), atol=1e-4)


@EVERY
@pytest.mark.parametrize("edges", ["nan", "reflect"])
def test_tiles_do_not_show_and_only_what_touches_no_data_is_missing(name, fitted, shown, edges):
    model, rim = fitted[name], fitted[name].field_ // 2
    whole = model.score_map(shown.volume, edges=edges, tile=(99, 99))
    tiled = model.score_map(shown.volume, edges=edges, tile=(4, 5))
    np.testing.assert_allclose(tiled, whole, atol=1e-6)
    missing = np.zeros(shown.volume.shape[1:], dtype=bool)
    missing[6 - rim : 7 + rim, 8 - rim : 9 + rim] = True
    if edges == "nan" and rim:
        missing[:rim] = missing[-rim:] = missing[:, :rim] = missing[:, -rim:] = True
    np.testing.assert_array_equal(np.isnan(whole), missing)


@EVERY
def test_larger_windows_are_used_by_their_middle(name, fitted, shown):
    wider = np.pad(shown.X, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=9.0)
    expected = fitted[name].predict_proba(shown.X)
    np.testing.assert_allclose(fitted[name].predict_proba(wider), expected, atol=1e-12)


@EVERY
def test_spread_and_mean_are_those_of_the_members(name, fitted, shown):
    if name == "draws of a blend":
        pytest.skip("the mean of its members' logits is not that of their probabilities")
    members = fitted[name].member_probabilities(shown.X[:20])
    mean, std = fitted[name].probability_and_spread(shown.X[:20])
    np.testing.assert_allclose(members.std(axis=0), std, atol=1e-7)
    if name != "blend":  # its mean is that of logits
        np.testing.assert_allclose(members.mean(axis=0), mean, atol=1e-7)


@EVERY
def test_more_of_the_ore_element_speaks_for_ore_and_others_do_not(name, fitted, shown):
    if name in ("mahalanobis", "isolation", "index"):
        pytest.skip("learns nothing from labels")
    gains = fitted[name].occlusion(shown.X[shown.y == 1]).mean(axis=0)
    assert gains[0] > 2 * np.abs(gains[1:]).max()


def test_a_channel_at_its_background_adds_nothing(fitted, shown):
    for name in ("logistic", "statistics", "random forest", "stack"):
        windows = shown.X.copy().astype(np.float32)
        windows[:, 1] = fitted[name].background_[1]
        np.testing.assert_allclose(fitted[name].occlusion(windows)[:, 1], 0.0, atol=1e-5)


@pytest.mark.parametrize("name", ["logistic", "statistics", "random forest", "blend"])
def test_the_memory_of_a_map_on_disk_is_that_of_a_tile(name, fitted, tmp_path):
    path = tmp_path / "layers.npy"
    layers = np.lib.format.open_memmap(path, "w+", np.float32, (3, 700, 700))
    layers[:] = 1.0
    layers.flush()
    on_disk = np.load(path, mmap_mode="r")
    fitted[name].score_map(on_disk[:, :20, :20])
    tracemalloc.start()
    fitted[name].score_map(on_disk, tile=(32, 32))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    of_maps = (
        700 * 700 * 8 * (12 if name == "blend" else 2)
    )  # a blend holds the maps of its members
    assert peak < of_maps + 3e6


# Data that will not do


@EVERY
def test_what_is_no_map_is_told(name, fitted, shown):
    with pytest.raises(ValueError, match="3 channels"):
        fitted[name].score_map(shown.volume[:2])
    with pytest.raises(ValueError, match="edges must be one of"):
        fitted[name].score_map(shown.volume, edges="zero")
    broken = shown.volume.copy()
    broken[0, 3, 3] = np.inf
    with pytest.raises(ValueError, match="infinite"):
        fitted[name].score_map(broken)


def test_windows_that_will_not_do_are_told(shown):
    with pytest.raises(ValueError, match="odd size"):
        PointLogistic().fit(shown.X[:, :, :4, :4], shown.y)
    with pytest.raises(ValueError, match="field must be an odd number"):
        WindowStatistics(field=7).fit(shown.X, shown.y)
    with pytest.raises(ValueError, match="reads 5 cells a side, got windows of size 3"):
        WindowStatistics().fit(shown.X, shown.y).predict(shown.X[:, :, 1:4, 1:4])
    with pytest.raises(ValueError, match="two classes"):
        PointLogistic().fit(shown.X, np.arange(150) % 3)
    with pytest.raises(ValueError, match="no row with a weight above zero"):
        PointLogistic().fit(shown.X, shown.y, sample_weight=1.0 - shown.y)


# Weights, seeds, many at once


@pytest.mark.parametrize("name", ["logistic", "statistics", "random forest", "draws", "blend"])
def test_rows_without_weight_are_not_learned_from(name, shown):
    X, y = np.concatenate([shown.X, shown.X]), np.concatenate([shown.y, 1 - shown.y])
    model = MODELS[name]()
    for weight, truth in (((1.0, 0.0), shown.y), ((0.0, 1.0), 1 - shown.y)):
        model.fit(X, y, sample_weight=np.repeat(weight, 150))
        assert (model.predict(shown.X) == truth).mean() > 0.65


@pytest.mark.parametrize("name", ["statistics, forest", "draws", "draws of statistics", "blend"])
def test_subsets_fitted_at_once_are_those_fitted_alone(name, shown):
    rows = [np.arange(0, 120), np.arange(30, 150)]
    model = MODELS[name]()
    many = model.fit_many(shown.X, shown.y, [(rows[0], 4), (rows[1], 5)])
    for (train, seed), one in zip(zip(rows, (4, 5), strict=True), many, strict=True):
        alone = clone(model).fit_many(shown.X[train], shown.y[train], [(np.arange(120), seed)])[0]
        expected = alone.score_map(shown.volume)
        np.testing.assert_allclose(one.score_map(shown.volume), expected, atol=1e-6)
        np.testing.assert_allclose(one.background_, alone.background_)
    assert not hasattr(clone(model), "classes_")


@EVERY
def test_another_seed_gives_another_model_only_where_chance_has_a_part(name, shown):
    make = MODELS[name]
    if "random_state" not in make().get_params():
        first, second = (make().fit(shown.X, shown.y).predict_proba(shown.X) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        return
    by_seed = [
        make().set_params(random_state=seed).fit(shown.X, shown.y).score_map(shown.volume)
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(by_seed[0], by_seed[1])
    if not name.startswith("stack"):  # its seed deals folds alone
        assert np.nanmax(np.abs(by_seed[0] - by_seed[2])) > 1e-3


# Saved models


@EVERY
def test_a_saved_model_says_the_same(name, fitted, shown, tmp_path):
    model, _ = load_model(save_model(fitted[name], tmp_path / "model", card={}, units="z"))
    for method in ("score_map", "occlusion_map", "logit_map"):
        expected = getattr(fitted[name], method)(shown.volume)
        np.testing.assert_array_equal(getattr(model, method)(shown.volume), expected)
    np.testing.assert_array_equal(model.predict(shown.X), fitted[name].predict(shown.X))
    again = save_model(model, tmp_path / "again", card={}, units="z")
    for path in (tmp_path / "model").iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()


def forged(folder, change=lambda content: None, arrays=lambda weights: None):
    """Change a saved model and sign it anew, as a forger would."""
    content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    weights = load((folder / "weights.safetensors").read_bytes())
    arrays(weights)
    weights = {key: np.ascontiguousarray(value) for key, value in weights.items()}
    content["arrays"] = {n: [str(a.dtype), list(a.shape)] for n, a in weights.items()}
    change(content)
    data = save(weights)
    content["sha256"] = saving._digest(content, data)
    (folder / "weights.safetensors").write_bytes(data)
    (folder / "model.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def put(name, value):
    return lambda weights: weights.update({name: value(weights[name])})


@pytest.mark.parametrize(
    ("name", "arrays"),
    [
        ("logistic", put("model/scale_", lambda a: -a)),
        ("logistic", put("model/coef_", lambda a: a[:-1])),
        ("random forest", put("model/left_", lambda a: a * 0)),
        ("random forest", put("model/feature_", lambda a: a + 7)),
        ("random forest", put("model/value_", lambda a: a + 2.0)),
        ("isolation", put("model/usual_", lambda a: a * 0)),
        ("mahalanobis", put("model/level_spread_", lambda a: a * 0)),
        ("statistics", put("model/inner/coef_", lambda a: a[:4])),
        ("draws", put("model/draw1/background_", lambda a: a[:2])),
        ("blend", put("model/scale_", lambda a: a * 0)),
        ("blend", put("model/levels_", lambda a: a[:, ::-1])),
        ("stack", put("model/scale_", lambda a: a * 0)),
        ("index", put("model/background_", lambda a: a * np.nan)),
    ],
)
def test_a_forged_array_is_refused(name, arrays, fitted, tmp_path):
    folder = save_model(fitted[name], tmp_path / "model", card={})
    with pytest.raises(ValueError, match="not a sound saved model"):
        load_model(forged(folder, arrays=arrays))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("logistic", lambda s: s.update(field=3)),
        ("logistic", lambda s: s.update(field=True)),
        ("statistics", lambda s: s.update(field=9)),
        ("statistics", lambda s: s["params"].update(statistics=["centre"])),
        ("draws", lambda s: s["params"].update(n_draws=2)),
        ("draws", lambda s: s["draw0"]["settings"].update(classes=[1, 2])),
        ("draws", lambda s: s["draw0"].update({"class": "BackgroundEnsemble"})),
        ("blend", lambda s: s.update(field=1)),
        ("blend", lambda s: s["params"].update(rule="median")),
        ("stack", lambda s: s.update(field=7)),
        ("stack", lambda s: s["source"].update({"class": "os.system"})),
        ("extra trees", lambda s: s["params"].update(trees="oak")),
    ],
)
def test_forged_settings_are_refused(name, change, fitted, tmp_path):
    folder = save_model(fitted[name], tmp_path / "model", card={})
    with pytest.raises(ValueError, match="not a sound saved model"):
        load_model(forged(folder, change=lambda content: change(content["model"]["settings"])))
