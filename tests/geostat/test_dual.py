"""Exact global kriging: brute force, tiles, leaving out by algebra, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.geostat import Kriging, Structure, VariogramModel
from gossan.geostat._tiles import TILE, _tiles
from gossan.geostat.covariance import KINDS

MODEL = VariogramModel(0.1, Structure("spherical", 0.9, 150.0))


def samples(n=80, n_dims=2, seed=0, n_variables=3):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1000, (n, n_dims)), rng.normal(10, 2, (n, n_variables))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "power"])
@pytest.mark.parametrize("method", ["ordinary", "simple", "universal", "external"])
@pytest.mark.parametrize("n_dims", [2, 3])
def test_global_kriging_equals_the_dense_reference(dense, kind, method, n_dims):
    ranges = (300.0, 200.0, 120.0)[:n_dims]
    structure = Structure(kind, 1.3, ranges, (35.0, 0.0, 0.0), 1.4)
    model = VariogramModel(0.2, structure)
    coords, values = samples(60, n_dims)
    targets = samples(9, n_dims, seed=1)[0]
    settings, more, drift = {"method": method}, {}, None
    if method == "simple":
        settings["mean"], more = 9.5, {"mean": 9.5}
    if method == "external":
        settings["n_dims"] = n_dims
        drift, target_drift = np.sin(coords[:, 0]), np.sin(targets[:, 0])
    X = coords if drift is None else np.column_stack([coords, drift])
    T = targets if drift is None else np.column_stack([targets, target_drift])
    found = Kriging(model, n_neighbours=None, **settings).fit(X, values).predict(T)
    for t, target in enumerate(targets):
        if drift is not None:
            more = {"drift": drift, "target_drift": target_drift[t]}
        order = int(method == "universal")
        expected = dense(model, coords, values[:, 1], target, order=order, **more)
        assert found[t, 1] == pytest.approx(expected[0], rel=1e-8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", [{}, {"exact": False}, {"block": 60.0}, {"drift": 2}])
def test_global_kriging_equals_local_kriging_of_all_samples(kind, settings):
    method = "universal" if "drift" in settings else "ordinary"
    model = VariogramModel(0.3, Structure(kind, 1.0, (300.0, 90.0), (60.0, 0.0, 0.0), 1.2))
    coords, values = samples(50)
    targets = np.vstack([samples(700, seed=2)[0], coords[:3]])
    whole = Kriging(model, method, n_neighbours=None, **settings).fit(coords, values)
    local = Kriging(model, method, n_neighbours=50, **settings).fit(coords, values)
    np.testing.assert_allclose(whole.predict(targets), local.predict(targets), rtol=1e-8)
    np.testing.assert_allclose(  # fifty samples: the variance is exact
        whole.predict(targets, return_std=True)[1], local.predict(targets, return_std=True)[1]
    )


def test_compact_and_endless_models_are_summed_right_over_many_tiles():
    coords, values = samples(400, 3, n_variables=2)
    targets = np.random.default_rng(1).uniform(-300, 1300, (5000, 3))
    for kind in ("spherical", "cubic", "exponential", "gaussian"):
        model = VariogramModel(0.1, Structure(kind, 0.9, (150.0, 100.0, 40.0), (10.0, 20.0, 30.0)))
        kriging = Kriging(model, n_neighbours=None, n_jobs=2).fit(coords, values)
        dual = kriging._systems[0].dual
        offsets = (targets[:200] - kriging._centre)[:, None] - dual.samples.coords[None]
        plain = model.covariance(offsets) @ dual.coefficients + dual.slopes
        np.testing.assert_allclose(kriging.predict(targets)[:200], plain, atol=1e-8)


@given(st.integers(1, 3000), st.integers(0, 2**32 - 1))
def test_tiles_hold_every_target_once_and_not_too_many(m, seed):
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=(m, 3)) ** 3 * [1.0, 0.0, 1e3]
    order, starts = _tiles(targets)
    assert sorted(order) == list(range(m))
    assert starts[0] == 0
    assert starts[-1] == m
    assert np.diff(starts).min() > 0
    assert np.diff(starts).max() <= TILE


def test_a_target_alone_is_as_in_the_batch():
    coords, values = samples(100)
    targets = samples(600, seed=4)[0]
    kriging = Kriging(MODEL, n_neighbours=None).fit(coords, values)
    batch = kriging.predict(targets)
    alone = np.vstack([kriging.predict(target[None]) for target in targets[:20]])
    np.testing.assert_allclose(batch[:20], alone, rtol=1e-11)


def test_exact_returns_the_data_and_far_targets_the_mean_or_nothing():
    coords, values = samples(100)
    kriging = Kriging(MODEL, n_neighbours=None).fit(coords, values)
    np.testing.assert_allclose(kriging.predict(coords), values, atol=1e-9)
    own = MODEL.covariance(coords[:, None] - coords[None])
    ones = np.linalg.solve(own, np.ones(100))
    mean = ones @ values / ones.sum()
    np.testing.assert_allclose(kriging.predict([[9e5, 0.0]])[0], mean, rtol=1e-12)
    near = Kriging(MODEL, n_neighbours=None, max_distance=100.0).fit(coords, values)
    assert np.isnan(near.predict([[9e5, 0.0]])).all()
    assert near.n_unestimated_ == 1
    assert np.isfinite(near.predict(coords)).all()


def test_the_deviation_of_global_kriging_is_never_too_small(dense):
    coords, values = samples(150)
    kriging = Kriging(MODEL, n_neighbours=None).fit(coords, values)
    targets = samples(10, seed=5)[0]
    _, std = kriging.predict(targets, return_std=True)
    for t, target in enumerate(targets):
        variance = dense(MODEL, coords, values[:, 0], target)[1]
        assert variance - 1e-12 <= std[t, 0] ** 2 <= 1.02 * variance


def test_a_singular_matrix_gets_a_warned_jitter():
    coords, values = samples(80)
    model = VariogramModel(0.0, Structure("gaussian", 1.0, 3000.0))
    with pytest.warns(GossanWarning, match="singular to rounding"):
        kriging = Kriging(model, n_neighbours=None).fit(coords, values[:, :1] * 0 + 3)
    np.testing.assert_allclose(kriging.predict(coords), 3.0, rtol=1e-5)


def test_too_many_samples_are_refused_with_what_to_do():
    coords = np.random.default_rng(0).uniform(size=(20_001, 2))
    with pytest.raises(ValueError, match=r"(?s)20001 samples .* Composite the samples, or set"):
        Kriging(MODEL, n_neighbours=None).fit(coords, coords[:, 0])
    with pytest.raises(ValueError, match="one local system, but this kriging is global"):
        Kriging(MODEL, n_neighbours=None).fit(coords[:9], coords[:9, 0]).weights(coords[:1])


def test_a_drift_that_the_samples_cannot_tell_leaves_targets_off_their_line_missing():
    line = np.column_stack([np.arange(10.0) * 50, np.arange(10.0) * 50])
    values = 3.0 + line[:, 0] / 100
    for k in (None, 10):
        kriging = Kriging(MODEL, "universal", n_neighbours=k).fit(line, values)
        found = kriging.predict([[510.0, 510.0], [510.0, 0.0]])
        assert found[0] == pytest.approx(8.1)
        assert np.isnan(found[1])
        assert kriging.n_unestimated_ == 1
