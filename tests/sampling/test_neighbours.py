"""Neighbour sequences: never the sample itself nor its group, and kriging as by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.geostat.covariance import Structure, VariogramModel
from gossan.sampling import leaking_sequences, neighbour_sequences

MODEL = VariogramModel(0.2, Structure("spherical", 0.8, 60.0))
ALONG_NORTH = VariogramModel(0.1, Structure("exponential", 0.9, (100.0, 10.0)))


@pytest.fixture(scope="module")
def field():
    """Return coordinates (80, 2), values (80, 2) and a hole for each sample."""
    rng = np.random.default_rng(0)
    coords = rng.uniform(0, 100, (80, 2))
    return coords, rng.normal(size=(80, 2)), np.repeat(np.arange(20), 4)


def channel(found, name):
    """Return one channel, shape (n, steps)."""
    return found.X[:, :, found.names.index(name)]


def kriged_by_hand(model, coords, values, place):
    """Return the ordinary kriging estimate and variance of a new sample, by the textbook."""
    n = len(coords)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = model.covariance(coords[:, None] - coords)
    system[n, n] = 0.0
    right = np.ones(n + 1)
    right[:n] = model.covariance(coords - place)
    weights = np.linalg.solve(system, right)
    return weights[:n] @ values, model.sill - weights @ right


def test_estimates_are_those_of_ordinary_kriging_without_the_sample(field):
    coords, values, _ = field
    found = neighbour_sequences(coords, values, model=MODEL, steps=10, order="distance")
    for row in (0, 33):
        near = found.neighbours[row]
        apart = np.linalg.norm(coords - coords[row], axis=1)
        assert set(near) == set(np.argsort(apart)[1:11])
        estimate, variance = kriged_by_hand(MODEL, coords[near], values[near], coords[row])
        np.testing.assert_allclose(found.estimate[row], estimate, atol=1e-6)
        np.testing.assert_allclose(found.std[row] ** 2, variance, atol=1e-6)


@given(st.integers(0, 10_000), st.integers(1, 12), st.sampled_from(["distance", "covariance"]))
def test_no_sequence_holds_the_sample_or_its_group(seed, steps, order):
    rng = np.random.default_rng(seed)
    coords = rng.integers(0, 6, (30, 2)).astype(float)  # many in one place
    groups = rng.integers(0, 4, 30)
    alone = neighbour_sequences(coords, rng.normal(size=30), model=MODEL, steps=steps, order=order)
    assert not (alone.neighbours == np.arange(30)[:, None]).any()
    apart = neighbour_sequences(
        coords, rng.normal(size=30), model=MODEL, steps=steps, order=order, groups=groups
    )
    there = apart.neighbours >= 0
    assert not ((groups[apart.neighbours] == groups[:, None]) & there).any()


def test_its_own_value_never_reaches_a_sequence(field):
    coords, values, groups = field
    before = neighbour_sequences(coords, values, model=MODEL, groups=groups, steps=8)
    changed = values.copy()
    changed[groups == 3] += 100.0
    after = neighbour_sequences(coords, changed, model=MODEL, groups=groups, steps=8)
    own = groups == 3
    np.testing.assert_array_equal(after.X[own], before.X[own])
    assert not np.array_equal(after.X[~own], before.X[~own])


def test_places_see_all_samples_but_those_of_their_group(field):
    coords, values, groups = field
    given_ = {"model": MODEL, "groups": groups, "steps": 6}
    inside = neighbour_sequences(coords, values, **given_)
    outside = neighbour_sequences(coords, values, places=coords, place_groups=groups, **given_)
    np.testing.assert_array_equal(outside.X, inside.X)
    free = neighbour_sequences(coords, values, places=coords, **given_)
    np.testing.assert_array_equal(free.neighbours[:, 0], np.arange(80))
    stranger = neighbour_sequences(coords, values, places=coords[:1], place_groups=[99], **given_)
    assert stranger.neighbours[0, 0] == 0


def test_the_nearest_comes_first_and_anisotropy_says_what_is_near():
    coords = np.array([[0.0, 0.0], [0.0, 30.0], [8.0, 0.0], [0.0, -60.0]])
    given_ = {"values": [0.0, 1.0, 2.0, 3.0], "model": ALONG_NORTH, "steps": 3}
    by_distance = neighbour_sequences(coords, order="distance", **given_)
    by_covariance = neighbour_sequences(coords, order="covariance", **given_)
    assert by_distance.neighbours[0].tolist() == [2, 1, 3]
    assert by_covariance.neighbours[0].tolist() == [1, 3, 2]
    falling = np.diff(channel(by_covariance, "covariance"), axis=1)
    assert (falling <= 1e-7).all()


def test_channels_say_what_they_are_named(field):
    coords, values, _ = field
    found = neighbour_sequences(
        coords,
        values,
        model=[MODEL, ALONG_NORTH],
        steps=5,
        covariates=coords[:, :1],
        elements=["Cu", "Zn"],
    )
    near = found.neighbours
    assert found.X.shape == (80, 5, len(found.names)) == (80, 5, 16)
    np.testing.assert_allclose(channel(found, "present"), 1.0)
    apart = coords[near] - coords[:, None]
    np.testing.assert_allclose(channel(found, "offset northing"), apart[:, :, 1], rtol=1e-5)
    np.testing.assert_allclose(channel(found, "distance"), np.hypot(*apart.T).T, rtol=1e-5)
    np.testing.assert_allclose(channel(found, "Zn"), values[near, 1], rtol=1e-5)
    expected = ALONG_NORTH.covariance(apart)
    np.testing.assert_allclose(channel(found, "covariance of Zn"), expected, atol=1e-6)
    weighted = (channel(found, "weight of Zn") * values[near, 1]).sum(axis=1)
    np.testing.assert_allclose(weighted, found.estimate[:, 1], atol=1e-5)
    np.testing.assert_allclose(channel(found, "weight of Zn").sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(
        channel(found, "covariate 0 of the sample"), coords[near, 0], rtol=1e-5
    )
    np.testing.assert_allclose(
        channel(found, "covariate 0 of the place")[:, 2], coords[:, 0], rtol=1e-5
    )
    np.testing.assert_allclose(channel(found, "Cu kriged")[:, 4], found.estimate[:, 0], atol=1e-5)
    np.testing.assert_allclose(channel(found, "Zn kriging std")[:, 0], found.std[:, 1], rtol=1e-5)


def test_steps_without_a_sample_are_zero_in_every_channel():
    coords = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 5.0], [9.0, 0.0, 0.0]])
    found = neighbour_sequences(coords, [1.0, 2.0, 4.0], model=MODEL, steps=4)
    assert (found.neighbours[:, 2:] == -1).all()
    assert not found.X[:, 2:].any()
    assert np.isfinite(found.estimate).all()
    estimate, _ = kriged_by_hand(MODEL, coords[1:], np.array([2.0, 4.0]), coords[0])
    np.testing.assert_allclose(found.estimate[0, 0], estimate, atol=1e-6)


def test_no_more_than_the_cap_comes_from_one_hole(field):
    coords, values, groups = field
    found = neighbour_sequences(coords, values, model=MODEL, groups=groups, n_per_group=2, steps=12)
    for row in found.neighbours:
        assert np.bincount(groups[row[row >= 0]]).max() <= 2


def test_shifting_all_coordinates_changes_nothing(field):
    coords, values, _ = field
    here = neighbour_sequences(coords, values, model=ALONG_NORTH)
    there = neighbour_sequences(coords + np.array([7e5, 6.2e6]), values, model=ALONG_NORTH)
    np.testing.assert_array_equal(there.neighbours, here.neighbours)
    np.testing.assert_allclose(there.estimate, here.estimate, atol=1e-5)


def test_samples_in_one_place_without_a_nugget_share_their_weight():
    model = VariogramModel(0.0, Structure("spherical", 1.0, 50.0))
    coords = [[0.0, 0.0], [10.0, 0.0], [10.0, 0.0]]
    found = neighbour_sequences(coords, [0.0, 1.0, 3.0], model=model, steps=2)
    np.testing.assert_allclose(found.estimate[0], 2.0, atol=1e-4)


def test_the_callers_arrays_stay_equal(field):
    coords, values, groups = (each.copy() for each in field)
    neighbour_sequences(coords, values, model=MODEL, groups=groups)
    for ours, given_ in zip((coords, values, groups), field, strict=True):
        np.testing.assert_array_equal(ours, given_)


def test_the_leaking_template_holds_the_target_and_zero_where_it_is_unknown(field):
    coords, values, _ = field
    known = leaking_sequences(coords, values[:, 0], model=MODEL)
    np.testing.assert_array_equal(known[:, 0, 0], values[:, 0])
    unknown = leaking_sequences(coords, values[:, 0], model=MODEL, places=coords[:3] + 1.0)
    assert unknown.shape == (3, 1, 4)
    assert not unknown[:, 0, 0].any()
    np.testing.assert_array_equal(unknown[:, 0, 1:3], coords[:3] + 1.0)
    with pytest.raises(ValueError, match="one element at a time, got 2"):
        leaking_sequences(coords, values, model=MODEL)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"coords": [[0.0], [1.0], [2.0]]}, "columns easting, northing"),
        ({"coords": [[0.0, np.nan], [1.0, 1.0], [2.0, 2.0]]}, "1 missing"),
        ({"values": [1.0, np.nan, 2.0]}, "values must be a finite table of 3 rows"),
        ({"values": [1.0, 2.0]}, "values must be a finite table of 3 rows"),
        ({"model": [MODEL, MODEL]}, "2 variogram models do not fit 1 elements"),
        (
            {"model": VariogramModel(0.0, Structure("power", 1.0, 5.0))},
            "need a model with a sill",
        ),
        ({"order": "near"}, "order must be one of"),
        ({"steps": 0}, "must be at least 1, got 0"),
        ({"n_per_group": 2}, "n_per_group needs groups"),
        ({"place_groups": [1]}, "need places"),
        ({"places": [[0.0, 0.0, 0.0]]}, "places have 3 coordinates, the samples 2"),
        ({"places": [[0.0, 0.0]], "place_groups": [1]}, "place_groups needs groups"),
        ({"places": [[0.0, 0.0]], "covariates": np.ones((3, 1))}, "0 covariates, the samples 1"),
        ({"covariates": np.ones((2, 1))}, "covariates must be a finite table of 3 rows"),
        ({"groups": [1, 1, 1]}, "no sample left outside its own group"),
        ({"elements": ["Cu", "Zn"]}, "2 elements were named for 1"),
    ],
)
def test_what_does_not_fit_is_told(change, match):
    given_ = {"coords": [[0, 0], [1, 1], [2, 2]], "values": [1.0, 2.0, 3.0], "model": MODEL}
    with pytest.raises(ValueError, match=match):
        neighbour_sequences(**given_ | change)
