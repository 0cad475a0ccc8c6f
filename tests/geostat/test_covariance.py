"""Models of continuity: hand-worked values, laws, directions, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.geostat import Structure, VariogramModel
from gossan.geostat._packed import in_three_dimensions, pack_model, structural_covariances
from gossan.geostat.covariance import KINDS, anisotropy_axes

STATIONARY = [kind for kind in KINDS if kind != "power"]


@pytest.mark.parametrize(
    ("kind", "shape", "expected"),
    [
        ("spherical", 1.0, 1 - 0.75 + 0.0625),
        ("exponential", 1.0, math.exp(-1.5)),
        ("gaussian", 1.0, math.exp(-0.75)),
        ("cubic", 1.0, 1 - 7 / 4 + 8.75 / 8 - 3.5 / 32 + 0.75 / 128),
        ("hole_effect", 1.0, 2 / math.pi),
    ],
)
def test_correlation_at_half_the_range_is_the_hand_worked_one(kind, shape, expected):
    structure = Structure(kind, 2.0, 100.0, shape=shape)
    assert structure.covariance([30.0, 40.0]) == pytest.approx(2 * expected, rel=1e-14)
    assert structure.variogram([30.0, 40.0]) == pytest.approx(2 - 2 * expected, rel=1e-13)


def test_matern_of_smoothness_one_half_is_exponential_and_of_three_halves_has_its_formula():
    h = np.column_stack([np.linspace(0, 200, 50), np.zeros(50)])
    half = Structure("matern", 1.0, 100.0, shape=0.5).covariance(h)
    np.testing.assert_allclose(half, 0.05 ** (h[:, 0] / 100), rtol=1e-12)
    x = h[:, 0] / 100 * 4.743864518390562  # (1 + x) exp(-x) = 0.05
    three = Structure("matern", 1.0, 100.0, shape=1.5).covariance(h)
    np.testing.assert_allclose(three, (1 + x) * np.exp(-x), rtol=1e-10)


@pytest.mark.parametrize("kind", ["exponential", "gaussian", "matern"])
def test_practical_range_leaves_five_per_cent(kind):
    structure = Structure(kind, 1.0, 100.0, shape=1.3)
    assert structure.covariance([100.0, 0.0]) == pytest.approx(0.05, abs=3e-4)


def test_power_grows_without_end_and_has_no_covariance():
    structure = Structure("power", 2.0, 10.0, shape=1.5)
    assert structure.variogram([40.0, 0.0]) == pytest.approx(2 * 4**1.5)
    with pytest.raises(ValueError, match="no covariance"):
        structure.covariance([1.0, 0.0])
    model = VariogramModel(0.1, structure)
    assert math.isinf(model.sill)
    assert not model.is_stationary
    with pytest.raises(ValueError, match="no covariance"):
        model.covariance([1.0, 0.0])


def test_nugget_is_there_at_any_offset_but_none():
    model = VariogramModel(0.3, Structure("spherical", 0.7, 10.0))
    offsets = [[0.0, 0.0], [1e-9, 0.0], [50.0, 0.0]]
    np.testing.assert_allclose(model.variogram(offsets), [0, 0.3, 1], atol=1e-9)
    np.testing.assert_allclose(model.covariance(offsets), [1, 0.7, 0], atol=1e-9)
    assert model.sill == pytest.approx(1.0)
    assert VariogramModel(1.0).covariance(offsets).tolist() == [1, 0, 0]


def test_azimuth_turns_clockwise_from_north_and_dip_is_negative_downwards():
    plane = Structure("spherical", 1.0, (100.0, 10.0), angles=(90.0, 0.0, 0.0))
    assert plane.variogram([50.0, 0.0]) < plane.variogram([0.0, 50.0]) == 1.0
    down = Structure("spherical", 1.0, (100.0, 10.0, 10.0), angles=(0.0, -90.0, 0.0))
    assert down.variogram([0, 0, -50.0]) < down.variogram([0, 50.0, 0]) == 1.0
    tilted = anisotropy_axes((90.0, -30.0, 0.0), 3)
    np.testing.assert_allclose(tilted[0], [math.sqrt(0.75), 0, -0.5], atol=1e-15)
    np.testing.assert_allclose(anisotropy_axes((0, 0, 90.0), 3)[1], [0, 0, 1], atol=1e-15)


@given(st.floats(-360, 360), st.floats(-90, 90), st.floats(-180, 180))
def test_axes_are_orthonormal_and_keep_their_hand(azimuth, dip, rake):
    axes = anisotropy_axes((azimuth, dip, rake), 3)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(-1.0)  # major, semi, minor: north, east, up


@given(
    st.sampled_from(STATIONARY),
    st.floats(0.2, 3.0),
    st.integers(0, 2**32 - 1),
    st.sampled_from([2, 3]),
)
def test_covariance_matrices_are_positive_semidefinite(kind, shape, seed, n_dims):
    rng = np.random.default_rng(seed)
    structure = Structure(
        kind, 1.0, tuple(rng.uniform(5, 50, n_dims)), (rng.uniform(0, 360), 0, 0), shape
    )
    points = rng.uniform(0, 60, (12, n_dims))
    matrix = structure.covariance(points[:, None] - points[None])
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-15)
    assert np.linalg.eigvalsh(matrix).min() > -1e-8


@given(st.sampled_from(KINDS), st.floats(0.06, 1.95), st.integers(0, 2**32 - 1))
def test_compiled_covariances_equal_the_plain_ones(kind, shape, seed):
    rng = np.random.default_rng(seed)
    angles = tuple(rng.uniform(-90, 90, 3))
    structure = Structure(kind, 1.7, tuple(rng.uniform(1, 100, 3)), angles, shape)
    left, right = rng.normal(0, 30, (5, 3)), rng.normal(0, 30, (7, 3))
    packed = pack_model(VariogramModel(0.5, structure), 3, 100.0)
    found = structural_covariances(packed, left, right)
    plain = packed.structural - structure.variogram(left[:, None] - right[None])
    np.testing.assert_allclose(found, plain, rtol=1e-10, atol=1e-11 * packed.structural)


@pytest.mark.parametrize("shape", [0.5, 1.5, 2.5, 3.7, 20.0])
def test_compiled_matern_is_right_at_all_distances(shape):
    structure = Structure("matern", 1.0, 1.0, shape=shape)
    points = np.column_stack([np.logspace(-30, 2, 400), np.zeros(400)])
    packed = pack_model(VariogramModel(0.0, structure), 2, 1.0)
    found = structural_covariances(packed, np.zeros((1, 3)), in_three_dimensions(points))
    np.testing.assert_allclose(found[0], structure.covariance(points), atol=2e-13)


def test_scaled_multiplies_every_variance():
    model = VariogramModel(0.2, (Structure("spherical", 0.8, 10.0),)).scaled(5.0)
    assert (model.nugget, model.structures[0].sill) == (1.0, 4.0)
    with pytest.raises(ValueError, match="factor must be positive"):
        model.scaled(-1.0)


def test_models_read_like_sentences():
    model = VariogramModel(
        0.2,
        (
            Structure("spherical", 0.8, (100.0, 50.0), (30.0, 0.0, 0.0)),
            Structure("matern", 0.5, 40.0, shape=1.5),
        ),
    )
    assert str(model) == (
        "0.2 nugget + 0.8 spherical (100 x 50 m, azimuth 30, dip 0, rake 0)"
        " + 0.5 matern (40 m, shape 1.5)"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sphericle", 1.0, 10.0), "Did you mean 'spherical'"),
        (("spherical", -1.0, 10.0), "must be zero or more"),
        (("spherical", math.nan, 10.0), "must be zero or more"),
        (("spherical", 1.0, -10.0), "Ranges must be positive"),
        (("spherical", 1.0, (10.0, 0.0)), "Ranges must be positive"),
        (("spherical", 1.0, (10.0, math.inf)), "Ranges must be positive"),
        (("spherical", 1.0, ()), "one to three numbers"),
        (("spherical", 1.0, (1.0, 2.0, 3.0, 4.0)), "one to three numbers"),
        (("spherical", 1.0, 10.0, (0.0, 0.0)), "azimuth, dip and rake"),
        (("spherical", 1.0, 10.0, (0.0, math.nan, 0.0)), "azimuth, dip and rake"),
        (("power", 1.0, 10.0, (0.0, 0.0, 0.0), 2.0), "Shape of a power"),
        (("matern", 1.0, 10.0, (0.0, 0.0, 0.0), 0.0), "Shape of a matern"),
        (("matern", 1.0, 10.0, (0.0, 0.0, 0.0), 80.0), "Shape of a matern"),
    ],
)
def test_a_structure_that_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Structure(*arguments)


def test_a_model_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="Nugget must be zero or more"):
        VariogramModel(-0.1)
    with pytest.raises(ValueError, match="no variance"):
        VariogramModel(0.0)
    with pytest.raises(TypeError, match="Structure records"):
        VariogramModel(0.1, ("spherical",))


@pytest.mark.parametrize(
    ("structure", "offset", "message"),
    [
        (Structure("spherical", 1.0, (10.0, 5.0)), (1.0, 0.0, 0.0), "does not suit"),
        (Structure("spherical", 1.0, (10.0, 5.0, 2.0)), (1.0, 0.0), "does not suit"),
        (Structure("spherical", 1.0, (10.0, 5.0), (0.0, 10.0, 0.0)), (1.0, 0.0), "Dip and rake"),
        (Structure("spherical", 1.0, 10.0), (1.0,), "Offsets must have shape"),
    ],
)
def test_offsets_that_do_not_suit_the_structure_are_refused(structure, offset, message):
    with pytest.raises(ValueError, match=message):
        structure.variogram(offset)
