"""Laws of kriging that hold for all inputs, and inputs that break careless toolkits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.geostat import Kriging, Structure, VariogramModel
from gossan.geostat.covariance import KINDS

TAME = [kind for kind in KINDS if kind not in ("gaussian", "hole_effect")]


@st.composite
def problems(draw, kinds=TAME):
    """Return a model, samples, targets and settings of a Kriging."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_dims = draw(st.sampled_from([2, 3]))
    kind = draw(st.sampled_from(kinds))
    angles = (rng.uniform(0, 360), 0.0, 0.0)
    ranges = tuple(rng.uniform(50, 600, n_dims))
    nugget = draw(st.sampled_from([0.05, 0.5]))
    model = VariogramModel(nugget, Structure(kind, 1.0, ranges, angles, 1.3))
    n = draw(st.integers(14, 60))
    coords, values = rng.uniform(0, 1000, (n, n_dims)), rng.normal(5, 3, n)
    targets = rng.uniform(-100, 1100, (11, n_dims))
    arguments = {
        "method": draw(st.sampled_from(["ordinary", "universal"])),
        "n_neighbours": draw(st.sampled_from([12, 32, None])),
        "sectors": draw(st.sampled_from([None, 4, 8])),
        "block": draw(st.sampled_from([None, 30.0])),
        "block_points": 2,
    }
    return model, coords, values, targets, arguments


def krige(model, coords, values, targets, arguments):
    return Kriging(model, **arguments).fit(coords, values).predict(targets, return_std=True)


def close(found, expected, tolerance=1e-6):
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=tolerance, atol=tolerance)


@given(problems())
def test_order_of_the_samples_does_not_matter(problem):
    model, coords, values, targets, arguments = problem
    order = np.random.default_rng(0).permutation(len(coords))
    found = krige(model, coords[order], values[order], targets, arguments)
    close(found, krige(*problem), 1e-9)


@given(problems())
def test_a_row_alone_is_as_in_the_batch(problem):
    model, coords, values, targets, arguments = problem
    kriging = Kriging(model, **arguments).fit(coords, values)
    batch = kriging.predict(targets, return_std=True)
    for t in (0, 9, 10):
        close(
            kriging.predict(targets[t : t + 1], return_std=True),
            [b[t : t + 1] for b in batch],
            1e-9,
        )


@given(problems(), st.sampled_from([1e3, -1e5, 6e6]))
def test_shifting_everything_changes_nothing(problem, shift):
    model, coords, values, targets, arguments = problem
    found = krige(model, coords + shift, values, targets + shift, arguments)
    close(found, krige(*problem))


@given(problems(), st.floats(-3, 3))
def test_turning_everything_changes_nothing(problem, angle):
    model, coords, values, targets, arguments = problem
    arguments = {**arguments, "block": None, "sectors": None}
    turn = np.eye(coords.shape[1])
    turn[:2, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    each = model.structures[0]
    azimuth = each.angles[0] + np.degrees(angle)
    turned = VariogramModel(
        model.nugget, Structure(each.kind, each.sill, each.ranges, (azimuth, 0, 0), each.shape)
    )
    found = krige(turned, coords @ turn.T, values, targets @ turn.T, arguments)
    close(found, krige(model, coords, values, targets, arguments))


@given(problems(), st.sampled_from([1e-3, 7.0, 1e4]), st.floats(-100, 100))
def test_scale_laws(problem, factor, offset):
    model, coords, values, targets, arguments = problem
    estimate, std = krige(*problem)
    found = krige(model, coords, factor * values + offset, targets, arguments)
    np.testing.assert_allclose(found[0], factor * estimate + offset, rtol=1e-6, atol=1e-6 * factor)
    np.testing.assert_allclose(found[1], std)
    scaled = krige(model.scaled(factor), coords, values, targets, arguments)
    np.testing.assert_allclose(scaled[0], estimate, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(scaled[1], std * np.sqrt(factor), rtol=1e-6, atol=1e-9)
    each = model.structures[0]
    longer = tuple(factor * length for length in each.ranges)
    wide = VariogramModel(model.nugget, Structure(each.kind, 1.0, longer, each.angles, each.shape))
    block = None if arguments["block"] is None else factor * arguments["block"]
    found = krige(wide, factor * coords, values, factor * targets, {**arguments, "block": block})
    close(found, (estimate, std))


@given(problems())
def test_weights_add_up_to_one_and_give_the_estimate(problem):
    model, coords, values, targets, arguments = problem
    kriging = Kriging(model, **{**arguments, "n_neighbours": 16}).fit(coords, values)
    rows, weights = kriging.weights(targets)
    estimate = kriging.predict(targets)
    known = ~np.isnan(estimate)
    np.testing.assert_allclose(weights[known].sum(axis=1), 1, atol=1e-9)
    products = np.where(rows >= 0, weights * values[rows], 0).sum(axis=1)
    np.testing.assert_allclose(products[known], estimate[known], atol=1e-9)


@given(problems(kinds=KINDS))
def test_data_come_back_at_the_data_points_with_no_variance(problem):
    model, coords, values, _, arguments = problem
    estimate, std = krige(model, coords, values, coords, {**arguments, "block": None})
    known = ~np.isnan(estimate)
    assert known.all() or arguments["method"] == "universal"
    np.testing.assert_allclose(estimate[known], values[known], atol=1e-6)
    np.testing.assert_allclose(std[known], 0, atol=1e-5)


@given(problems())
def test_a_constant_stays_a_constant(problem):
    model, coords, _, targets, arguments = problem
    estimate, _ = krige(model, coords, np.full(len(coords), 7.0), targets, arguments)
    np.testing.assert_allclose(estimate[~np.isnan(estimate)], 7.0, rtol=1e-9)


@given(problems())
def test_a_plane_is_returned_by_universal_kriging(problem):
    model, coords, _, targets, arguments = problem
    slopes = np.arange(1.0, coords.shape[1] + 1)
    found = krige(model, coords, coords @ slopes, targets, {**arguments, "method": "universal"})[0]
    known = ~np.isnan(found)
    np.testing.assert_allclose(found[known], (targets @ slopes)[known], rtol=1e-6, atol=1e-4)


MODEL = VariogramModel(0.1, Structure("spherical", 0.9, 300.0))


@given(st.integers(1, 6), st.sampled_from(["ordinary", "universal"]), st.sampled_from([None, 32]))
@settings(max_examples=20)
def test_few_samples_give_numbers_or_nan(n, method, n_neighbours):
    rng = np.random.default_rng(n)
    coords, values = rng.uniform(0, 100, (n, 2)), rng.normal(size=n)
    kriging = Kriging(MODEL, method, n_neighbours=n_neighbours).fit(coords, values)
    estimate, std = kriging.predict([[50.0, 50.0], [60.0, 10.0]], return_std=True)
    if method == "ordinary" or n >= 3:
        assert np.isfinite(estimate).all()
        assert (std > 0).all()
    else:
        assert np.isnan(estimate).all()
        assert kriging.n_unestimated_ == 2


def test_one_sample_is_the_estimate_everywhere():
    estimate, std = (
        Kriging(MODEL).fit([[0.0, 0.0]], [4.0]).predict([[0.0, 0.0], [9e9, 0.0]], return_std=True)
    )
    np.testing.assert_allclose(estimate, 4.0)
    np.testing.assert_allclose(std, [0, np.sqrt(2)])


@pytest.mark.parametrize("n_neighbours", [None, 32])
def test_coordinates_of_a_map_with_millimetre_spacing(n_neighbours):
    rng = np.random.default_rng(0)
    small = rng.uniform(0, 0.05, (40, 2)).round(6)
    values = rng.normal(size=40)
    model = VariogramModel(0.1, Structure("exponential", 0.9, 0.02))
    origin = np.array([5e5, 6e6])
    near = Kriging(model, n_neighbours=n_neighbours).fit(small, values)
    far = Kriging(model, n_neighbours=n_neighbours).fit(small + origin, values)
    targets = rng.uniform(0, 0.05, (9, 2)).round(6)
    np.testing.assert_allclose(far.predict(targets + origin), near.predict(targets), rtol=1e-4)
    np.testing.assert_allclose(far.predict(small + origin), values, atol=1e-4)


@pytest.mark.parametrize("kind", ["gaussian", "spherical", "cubic"])
def test_near_twins_do_not_blow_up(kind):
    rng = np.random.default_rng(1)
    coords = rng.uniform(0, 1000, (30, 2))
    twins = np.vstack([coords, coords + 1e-7])
    values = np.sin(np.append(coords[:, 0], coords[:, 0]) / 200)
    kriging = Kriging(VariogramModel(0.0, Structure(kind, 1.0, 400.0))).fit(twins, values)
    estimate, std = kriging.predict(rng.uniform(0, 1000, (200, 2)), return_std=True)
    assert np.abs(estimate).max() < 3
    assert (std <= 1.5).all()


@pytest.mark.parametrize("n_neighbours", [None, 16])
def test_samples_on_a_line_and_in_one_place(n_neighbours):
    line = np.column_stack([np.arange(20.0), np.zeros(20), np.zeros(20)])
    kriging = Kriging(MODEL, n_neighbours=n_neighbours).fit(line, np.arange(20.0))
    assert np.isfinite(kriging.predict([[3.0, 4.0, 5.0]])).all()
    with pytest.warns(GossanWarning, match="5 samples lie at 1 places"):
        one = Kriging(MODEL, n_neighbours=n_neighbours).fit(np.zeros((5, 2)), np.arange(5.0))
    np.testing.assert_allclose(one.predict([[0.0, 0.0], [1.0, 1.0]]), 2.0)


def test_an_external_drift_that_is_constant_near_the_target():
    rng = np.random.default_rng(2)
    coords, values = rng.uniform(0, 1000, (40, 2)), rng.normal(size=40)
    X = np.column_stack([coords, np.ones(40)])
    kriging = Kriging(MODEL, "external", n_dims=2).fit(X, values)
    plain = Kriging(MODEL).fit(coords, values)
    targets = rng.uniform(0, 1000, (5, 2))
    same = kriging.predict(np.column_stack([targets, np.ones(5)]))
    np.testing.assert_allclose(same, plain.predict(targets), rtol=1e-8)
    assert np.isnan(kriging.predict(np.column_stack([targets, np.full(5, 2.0)]))).all()


def test_inputs_are_not_changed():
    rng = np.random.default_rng(3)
    coords, values = rng.uniform(0, 1000, (40, 2)), rng.normal(size=(40, 2))
    values[3, 1] = np.nan
    copies = coords.copy(), values.copy()
    for k in (None, 8):
        Kriging(MODEL, n_neighbours=k).fit(coords, values).predict(coords, return_std=True)
    np.testing.assert_array_equal(coords, copies[0])
    np.testing.assert_array_equal(values, copies[1])
