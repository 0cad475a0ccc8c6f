"""A saved map model makes its channels of raw layers by numbers that are checked."""

import json
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from gossan.nets.window_cnn import WindowCNN
from gossan.prospectivity import MapModel
from gossan.saving import load_model, save_model

LAYERS = ["Li", "distance"]
MADE = {
    "transform": ["log10", "none"],
    "center": [1.0, 500.0],
    "scale": [0.5, 250.0],
    "floor": [0.1, 0.0],
}


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    net = WindowCNN(n_members=2, epochs=1, random_state=0)
    net.fit(rng.normal(size=(30, 2, 3, 3)), np.arange(30) % 2)
    return MapModel(net, LAYERS, **MADE, cell_size=50.0, units={"Li": "ppm", "distance": "m"})


def raw(shape=(9, 8)):
    rng = np.random.default_rng(1)
    return np.stack([10 ** rng.normal(1, 0.5, shape), rng.uniform(0, 4000, shape)])


def test_channels_by_hand(model):
    volume = np.array([[[10.0, 100.0, 0.0, -5.0, np.nan]], [[500.0, 0.0, 1e4, np.nan, 750.0]]])
    expected = [[[0.0, 2.0, -4.0, -4.0, np.nan]], [[0.0, -2.0, 6.0, np.nan, 1.0]]]
    assert_allclose(model.prepare(volume), expected, atol=1e-6)


def test_zero_without_a_floor_is_missing():
    bare = MapModel(LogisticRegression(), ["Li"], transform="log10")
    assert_array_equal(bare.prepare([[[0.0, 1.0]]]), [[[np.nan, 0.0]]])


def test_log_ratios_by_hand_are_whole_or_missing():
    bare = MapModel(None, ["a", "b", "c"], transform=["clr", "none", "clr"], floor=[0.5, 0.0, 0.0])
    rows = [[np.e**3, 7.0, np.e], [0.0, 1.0, 0.5], [1.0, 2.0, 0.0], [np.nan, 3.0, 1.0]]
    expected = [[1.0, 6.0, -1.0], [0.0, 1.0, 0.0], [np.nan, 2.0, np.nan], [np.nan, 3.0, np.nan]]
    assert_allclose(bare.prepare(rows), expected, atol=1e-6)


class Scores:
    """Robust scores as they are fitted: the second column was left out."""

    kind, clip, names_ = "log", 6.0, ["Li", "Au", "Cs"]
    parts_ = kept_ = np.array([0, 2])
    centre_, spread_ = np.array([1.0, 0.5]), np.array([0.5, 0.25])


def test_fitted_scores_become_a_model_of_the_layers_that_were_kept():
    model = MapModel.of_scores(None, Scores(), floor=0.1, units="ppm", cell_size=10.0)
    assert model.layers == ["Li", "Cs"]
    assert model.units_ == {"Li": "ppm", "Cs": "ppm"}
    assert_allclose(model.prepare([[100.0, 10.0]]), [[2.0, 2.0]], atol=1e-6)
    ratios = Scores()
    ratios.kind, ratios.parts_ = "clr", np.array([0, 1, 2])
    with pytest.raises(ValueError, match="Log-ratios need Au, which has one value"):
        MapModel.of_scores(None, ratios)


def test_windows_and_rows_are_prepared_as_the_map_is(model):
    volume = raw()
    whole = model.prepare(volume)
    windows = np.stack([volume[:, 0:3, 0:3], volume[:, 4:7, 2:5]])
    assert_array_equal(model.prepare(windows)[1], whole[:, 4:7, 2:5])
    assert_array_equal(model.prepare(volume[:, 3].T), whole[:, 3].T)


def test_raw_maps_score_as_prepared_ones_do(model):
    volume = raw()
    assert_array_equal(model.score_map(volume), model.estimator.score_map(model.prepare(volume)))
    said = model.predict_proba(volume[None, :, 2:5, 3:6])[0, 1]
    assert model.score_map(volume)[3, 4] == pytest.approx(said, abs=1e-6)


def test_the_callers_layers_stay_as_they_were(model):
    volume = raw().astype(np.float32)
    before = volume.copy()
    model.prepare(volume)
    assert_array_equal(volume, before)


def test_a_saved_model_comes_back_whole(model, tmp_path):
    back, card = load_model(save_model(model, tmp_path / "m", card={"source": "made up"}))
    assert_array_equal(back.score_map(raw()), model.score_map(raw()))
    assert card == {"source": "made up"}
    assert back.units_ == {"Li": "ppm", "distance": "m"}
    assert (back.layers, back.transform, back.clip) == (LAYERS, ["log10", "none"], 6.0)
    assert (back.cell_size, back.field_) == (50.0, 3)
    assert_array_equal(back.floor, [0.1, 0.0])


def test_an_infinite_clip_and_no_cell_size_come_back(model, tmp_path):
    plain = MapModel(model.estimator, LAYERS, clip=np.inf)
    back, _ = load_model(save_model(plain, tmp_path / "m", card={}))
    assert (back.clip, back.cell_size) == (np.inf, None)
    assert back.units_ == {"Li": "", "distance": ""}


@pytest.mark.parametrize(
    ("old", "new"), [('"log10"', '"log2"'), ('"cell_size": 50.0', '"cell_size": -1.0')]
)
def test_an_edited_folder_is_refused(model, tmp_path, old, new):
    folder = save_model(model, tmp_path / "m", card={})
    text = (folder / "model.json").read_text(encoding="utf-8")
    assert old in text
    (folder / "model.json").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match="SHA-256 does not match"):
        load_model(folder)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"transform": ["log10", "log2"]}, "transform must be one of none, log10, clr, got 'log2'"),
        ({"scale": [0.0, 1.0]}, "must be positive"),
        ({"cell_size": -1.0}, "must be positive"),
        ({"layers": ["Li"]}, "reads 2 channels, 1 layers were named: Li"),
    ],
)
def test_forged_settings_are_refused(model, settings, message):
    told, arrays = model.to_arrays()
    numbers = {key: np.array(value) for key, value in settings.items() if key in arrays}
    told = json.loads(json.dumps(told)) | {k: v for k, v in settings.items() if k not in arrays}
    arrays = dict(arrays) | numbers
    if "layers" in settings:
        arrays |= {key: arrays[key][:1] for key in ("center", "scale", "floor")}
        told["transform"] = told["transform"][:1]
    with pytest.raises(ValueError, match=re.escape(message)):
        MapModel.from_arrays(told, arrays)


def test_a_model_within_a_model_and_one_that_is_not_known_are_not_saved(model, tmp_path):
    with pytest.raises(ValueError, match="MapModel inside MapModel cannot be saved"):
        save_model(MapModel(model, LAYERS), tmp_path / "m", card={})
    other = MapModel(LogisticRegression(), ["Li"])
    with pytest.raises(ValueError, match="LogisticRegression inside MapModel cannot be saved"):
        save_model(other, tmp_path / "m", card={})


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        ([], {}, "layers must be names"),
        ("Li", {}, "layers must be names"),
        (["Li", "LI"], {}, "differ by more than their case"),
        (["Li"], {"scale": 0.0}, "leave it out"),
        (["Li"], {"floor": -1.0}, "floor not negative"),
        (["Li"], {"center": [1.0, 2.0]}, "center must be one finite number, or one for each of 1"),
        (["Li"], {"center": np.nan}, "center must be one finite number"),
        (["Li"], {"transform": ["none", "none"]}, "transform has 2 words for 1 layers"),
        (["Li"], {"units": {"li": "ppm"}}, "units names 'li', .*Did you mean 'Li'"),
    ],
)
def test_faults_are_named(layers, options, message):
    with pytest.raises(ValueError, match=message):
        MapModel(LogisticRegression(), layers, **options)


def test_a_volume_of_other_layers_is_refused(model):
    with pytest.raises(ValueError, match=r"must have 2 channels \(Li, distance\), got shape"):
        model.prepare(np.ones((3, 4, 4)))
