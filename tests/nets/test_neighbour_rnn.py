"""The neighbour network: it starts as kriging, learns what kriging misses, and shows the leak."""

import json

import numpy as np
import pandas as pd
import pytest

from gossan import datasets, saving
from gossan.geostat.covariance import Structure, VariogramModel
from gossan.nets.neighbour_rnn import PRESETS, NeighbourRegressor
from gossan.sampling import leaking_sequences, neighbour_sequences
from gossan.validation.intervals import crps_gaussian, crps_quantiles

MODEL = VariogramModel(0.1, Structure("exponential", 0.9, 40.0))
LEVELS = (np.arange(20) + 0.5) / 20


@pytest.fixture(scope="module")
def jumps():
    """Return sequences of two elements in a field that is kriged too smoothly: two flat sides."""
    rng = np.random.default_rng(1)
    coords = rng.uniform(0, 100, (400, 2))
    side = np.where(coords[:, 0] > 50 + 20 * np.sin(coords[:, 1] / 15), 1.0, -1.0)
    values = np.column_stack([side, -side]) + rng.normal(0, 0.15, (400, 2))
    known, new = np.arange(300), np.arange(300, 400)
    given = {"model": MODEL, "steps": 8}
    train = neighbour_sequences(coords[known], values[known], **given)
    test = neighbour_sequences(coords[known], values[known], places=coords[new], **given)
    return train, values[known], test, values[new]


@pytest.fixture(scope="module")
def fitted(jumps):
    train, y, _, _ = jumps
    return NeighbourRegressor(n_members=3, epochs=40, random_state=0).fit(train.X, y)


def test_it_learns_what_kriging_misses(jumps, fitted):
    _, _, test, y = jumps
    estimate, std = fitted.predict(test.X, return_std=True)
    ours = crps_gaussian(y, estimate, std).mean()
    assert ours < 0.75 * crps_gaussian(y, test.estimate, test.std).mean()
    assert estimate.shape == std.shape == (100, 2)


def test_quantiles_increase_and_cover(jumps, fitted):
    _, _, test, y = jumps
    quantiles = fitted.predict_quantiles(test.X, LEVELS)
    assert quantiles.shape == (100, 20, 2)
    assert (np.diff(quantiles, axis=1) > 0).all()
    inside = (y >= quantiles[:, 1]) & (y <= quantiles[:, 18])  # 7.5 % to 92.5 %
    assert 0.75 < inside.mean() < 0.97
    score = crps_quantiles(y[:, 0], quantiles[:, :, 0], LEVELS).mean()
    estimate, std = fitted.predict(test.X, return_std=True)
    assert score == pytest.approx(crps_gaussian(y[:, 0], estimate[:, 0], std[:, 0]).mean(), rel=0.1)


def test_before_training_it_is_kriging_itself(jumps):
    train, y, test, _ = jumps
    model = NeighbourRegressor(epochs=1, learning_rate=1e-9, n_members=2, random_state=0)
    estimate, std = model.fit(train.X, y).predict(test.X, return_std=True)
    np.testing.assert_allclose(estimate, test.estimate, atol=1e-4)
    np.testing.assert_allclose(std, test.std, rtol=1e-4)


def test_where_kriging_is_right_it_does_little_harm():
    rng = np.random.default_rng(0)
    coords = rng.uniform(0, 100, (250, 2))
    covariance = MODEL.covariance(coords[:, None] - coords)
    values = np.linalg.cholesky(covariance) @ rng.normal(size=250)
    train = neighbour_sequences(coords[:150], values[:150], model=MODEL, steps=8)
    test = neighbour_sequences(
        coords[:150], values[:150], model=MODEL, places=coords[150:], steps=8
    )
    model = NeighbourRegressor(n_members=4, random_state=0).fit(train.X, values[:150])
    estimate, std = model.predict(test.X, return_std=True)
    kriged = crps_gaussian(values[150:], test.estimate[:, 0], test.std[:, 0]).mean()
    assert crps_gaussian(values[150:], estimate, std).mean() < 1.06 * kriged


def test_many_fits_equal_single_fits(jumps):
    train, y, test, _ = jumps
    half = np.arange(0, 300, 2)
    groups = np.arange(300) // 10
    model = NeighbourRegressor(epochs=4, n_members=2)
    many = model.fit_many(train.X, y, [(half, 5), (np.arange(300), 6)], groups=groups)
    alone = model.fit_many(train.X[half], y[half], [(np.arange(150), 5)], groups=groups[half])[0]
    np.testing.assert_allclose(many[0].predict(test.X), alone.predict(test.X), atol=1e-4)
    assert not np.allclose(many[0].predict(test.X), many[1].predict(test.X))


def test_whole_groups_stop_the_training(jumps):
    from gossan.nets._neighbour_training import Job

    train, y, _, _ = jumps
    groups = np.arange(300) // 30
    settings = {"n_members": 5, "stop_share": 0.2}
    job = Job(train.X, y, train=np.arange(300), seed=0, groups=groups, settings=settings)
    stopped = [np.unique(groups[member.stop]) for member in job.members]
    for member, names in zip(job.members, stopped, strict=True):
        assert len(names) == 2
        assert not set(groups[member.train]) & set(names)
    assert set(np.concatenate(stopped)) == set(range(10))  # each group stops one member


def test_one_group_cannot_stop_a_training(jumps):
    train, y, _, _ = jumps
    with pytest.raises(ValueError, match="needs at least 2 groups, got 1"):
        NeighbourRegressor(epochs=1).fit(train.X, y, groups=np.zeros(300))
    free = NeighbourRegressor(epochs=1, n_members=1, stop_share=0.0)
    assert free.fit(train.X, y, groups=np.zeros(300)).losses_.shape == (1, 1)


def test_a_shorter_sequence_and_a_padded_one_are_the_same(jumps, fitted):
    _, _, test, _ = jumps
    short = test.X[:, :5]
    padded = np.concatenate([short, np.zeros_like(test.X[:, :3])], axis=1)
    np.testing.assert_allclose(fitted.predict(padded), fitted.predict(short), atol=1e-2)


def test_a_saved_model_comes_back_bit_for_bit(jumps, fitted):
    _, _, test, _ = jumps
    settings, arrays = fitted.to_arrays()
    told = json.loads(json.dumps(settings, allow_nan=False))
    again = NeighbourRegressor.from_arrays(told, dict(arrays))
    np.testing.assert_array_equal(again.predict(test.X), fitted.predict(test.X))
    for broken in (
        {"scale_": np.zeros_like(arrays["scale_"])},
        {"network.head.weight": arrays["network.head.weight"][:, :-1]},
        {"y_center_": np.zeros(3)},
        {"losses_": arrays["losses_"][:1]},
    ):
        with pytest.raises(ValueError, match=r"scale|shape|fit"):
            NeighbourRegressor.from_arrays(told, {**arrays, **broken})
    with pytest.raises(ValueError, match="names must be"):
        NeighbourRegressor.from_arrays({**told, "names": []}, dict(arrays))


def test_it_is_saved_in_a_folder_and_loaded_again(jumps, fitted, tmp_path):
    _, _, test, _ = jumps
    folder = saving.save_model(fitted, tmp_path / "net", card={"source": "simulated"})
    again, card = saving.load_model(folder)
    np.testing.assert_array_equal(again.predict(test.X), fitted.predict(test.X))
    assert card == {"source": "simulated"}


def test_the_published_template_repeats_its_target_and_fails_where_it_is_unknown(monkeypatch):
    monkeypatch.setitem(PRESETS["anvari"], "epochs", 40)
    rng = np.random.default_rng(0)
    coords = rng.uniform(0, 100, (200, 2))
    values = 20.0 + 4.0 * np.linalg.cholesky(
        MODEL.covariance(coords[:, None] - coords)
    ) @ rng.normal(size=200)
    model = NeighbourRegressor(preset="anvari", random_state=0)
    known = leaking_sequences(coords[:150], values[:150], model=MODEL)
    unknown = leaking_sequences(coords[:150], values[:150], model=MODEL, places=coords[150:])
    model.fit(known, values[:150])
    assert model.score(known, values[:150]) > 0.99
    assert model.score(unknown, values[150:]) < -1.0
    quantiles = model.predict_quantiles(unknown, [0.05, 0.95])
    assert (values[150:] > quantiles[:, 1]).mean() > 0.9  # certain, and wrong


def test_the_published_template_on_the_jura_data(monkeypatch):
    monkeypatch.setitem(PRESETS["anvari"], "epochs", 40)
    try:
        folder = datasets.find("jura", download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    prediction, validation = (
        pd.read_csv(folder / f"{n}.csv") for n in ("prediction", "validation")
    )
    places = [table[["Xloc", "Yloc"]].to_numpy() * 1000.0 for table in (prediction, validation)]
    given = {"model": VariogramModel(0.3, Structure("spherical", 0.7, 1000.0))}
    y = prediction["Ni"].to_numpy()
    known = leaking_sequences(places[0], y, **given)
    unknown = leaking_sequences(places[0], y, places=places[1], **given)
    model = NeighbourRegressor(preset="anvari", random_state=0).fit(known, y)
    assert model.score(known, y) > 0.99
    assert model.score(unknown, validation["Ni"]) < -1.0


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"preset": "none such"}, "preset must be one of anvari"),
        ({"loss": "absolute"}, "loss must be one of crps, squared"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"filters": 0}, "filters must be at least 1, got 0"),
        ({"n_members": 0}, "n_members must be at least 1"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), got 1.0"),
        ({"stop_share": -0.1}, "stop_share must lie in"),
    ],
)
def test_a_wrong_setting_is_told(jumps, settings, match):
    train, y, _, _ = jumps
    with pytest.raises(ValueError, match=match):
        NeighbourRegressor(**settings).fit(train.X, y)


def test_sequences_that_do_not_fit_are_told(jumps, fitted):
    train, y, test, _ = jumps
    broken = train.X.copy()
    broken[3, 0, -1] = 0.0
    model = NeighbourRegressor(epochs=1)
    with pytest.raises(ValueError, match="standard deviations above zero"):
        model.fit(broken, y)
    with pytest.raises(ValueError, match="y has 299 rows for 300 sequences"):
        model.fit(train.X, y[1:])
    with pytest.raises(ValueError, match="at least 2 rows"):
        model.fit_many(train.X, y, [(np.array([3]), 0)])
    with pytest.raises(ValueError, match=r"channels \(features\), the model"):
        fitted.predict(test.X[:, :, 1:])
    with pytest.raises(ValueError, match="levels must lie between"):
        fitted.predict_quantiles(test.X, [0.5, 1.0])


def test_the_preset_changes_settings_that_exist():
    known = set(NeighbourRegressor().get_params()) | {"ignore_groups", "sees_first"}
    assert set(PRESETS["anvari"]) <= known
