import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gossan import datasets
from gossan._checks import GossanWarning
from gossan.geostat._fit_shape import Shape, usual_angles
from gossan.geostat._fit_spread import block_numbers, jackknife
from gossan.geostat._fit_trust import plane_share
from gossan.geostat._packed import in_three_dimensions, pack_model
from gossan.geostat._random_fields import field_at_points
from gossan.geostat._vecchia import nearest_before, restricted_likelihood
from gossan.geostat.covariance import Structure, VariogramModel, anisotropy_axes
from gossan.geostat.fitting import fit_variogram
from gossan.geostat.variogram import ExperimentalVariogram, experimental_variogram

KINDS = ("spherical", "exponential", "gaussian", "cubic", "matern", "hole_effect")


def exact(model, *, direction=None, last=200.0, n=20, n_dims=2):
    """An experimental variogram without any error."""
    lag = np.linspace(last / n, last, n)
    azimuth = np.deg2rad((direction or (90.0, 0.0))[0])
    offsets = np.outer(lag, [np.sin(azimuth), np.cos(azimuth), 0.0][:n_dims])
    gamma = model.variogram(offsets)
    edges = np.linspace(0, last + 1, n + 1)
    pairs = np.full(n, 400)
    return ExperimentalVariogram(
        lag, gamma, pairs, edges, direction, "matheron", float(model.sill), n_dims
    )


def simulated(model, seed, *, n=1500, size=1200.0, n_dims=2):
    rng = np.random.default_rng(seed)
    coords = rng.uniform(0, size, (n, n_dims))
    noise = np.sqrt(model.nugget) * rng.standard_normal(n)
    return coords, field_at_points(coords, model, rng, n_waves=800) + noise


# Whether a small field is trusted is not what these tests ask.
UNTRUSTED = pytest.mark.filterwarnings("ignore:The variogram .* is not to be trusted")


class TestExactVariograms:
    @pytest.mark.parametrize("kind", KINDS)
    def test_each_kind_comes_back(self, kind):
        truth = VariogramModel(0.3, (Structure(kind, 1.7, 90.0),))
        fitted = fit_variogram(exact(truth), kinds=[kind])
        model = fitted.model
        assert_allclose(
            [model.nugget, model.sill, model.structures[0].ranges[0]], [0.3, 2.0, 90.0], rtol=2e-3
        )
        assert fitted.misfit < 1e-3

    def test_the_kind_is_chosen(self):
        for kind in ("spherical", "exponential", "gaussian"):
            truth = VariogramModel(0.2, (Structure(kind, 1.0, 80.0),))
            assert fit_variogram(exact(truth)).model.structures[0].kind == kind

    def test_two_nested_structures(self):
        truth = VariogramModel(
            0.1, (Structure("spherical", 0.5, 30.0), Structure("spherical", 0.4, 150.0))
        )
        given = exact(truth, n=40)
        model = fit_variogram(given, kinds=["spherical"], n_structures=None).model
        found = sorted((each.ranges[0], each.sill) for each in model.structures)
        assert_allclose(found, [(30.0, 0.5), (150.0, 0.4)], rtol=0.03)

    def test_one_structure_is_kept_where_one_is_enough(self):
        truth = VariogramModel(0.1, (Structure("spherical", 0.9, 80.0),))
        model = fit_variogram(exact(truth), kinds=["spherical"], n_structures=None).model
        assert len(model.structures) == 1

    def test_geometric_anisotropy_from_directional_variograms(self):
        truth = VariogramModel(0.1, (Structure("spherical", 0.9, (120.0, 40.0), (30, 0, 0)),))
        given = [exact(truth, direction=(a, 0.0)) for a in (0.0, 30.0, 60.0, 90.0, 120.0, 150.0)]
        structure = fit_variogram(given, kinds=["spherical"], anisotropy="full").model.structures[0]
        assert_allclose(structure.ranges, [120, 40], rtol=0.01)
        assert structure.angles[0] == pytest.approx(30, abs=1)

    def test_zonal_anisotropy_is_a_range_far_beyond_the_field(self):
        truth = VariogramModel(
            0.1,
            (
                Structure("spherical", 0.5, 60.0),
                Structure("spherical", 0.4, (1e5, 60.0), (0, 0, 0)),
            ),
        )
        given = [exact(truth, direction=(a, 0.0)) for a in (0.0, 45.0, 90.0, 135.0)]
        with pytest.warns(GossanWarning, match="beyond the last lag"):
            model = fit_variogram(
                given, kinds=["spherical"], n_structures=2, anisotropy="full"
            ).model
        north, east = model.variogram([[0.0, 150.0], [150.0, 0.0]])
        assert (north, east) == pytest.approx((0.6, 1.0), abs=0.05)

    def test_a_known_nugget_is_kept(self):
        truth = VariogramModel(0.3, (Structure("spherical", 1.7, 90.0),))
        assert fit_variogram(exact(truth), kinds=["spherical"], nugget=0.3).model.nugget == 0.3

    @pytest.mark.parametrize("weights", ["cressie", "pairs_over_distance", "pairs"])
    def test_weights_do_not_matter_where_the_model_is_right(self, weights):
        truth = VariogramModel(0.3, (Structure("spherical", 1.7, 90.0),))
        model = fit_variogram(exact(truth), kinds=["spherical"], weights=weights).model
        assert model.sill == pytest.approx(2.0, rel=1e-3)

    def test_values_in_another_unit_scale_the_model(self):
        truth = VariogramModel(0.2, (Structure("exponential", 0.8, 100.0),))
        one = simulated(truth, 3, n=400, size=900.0)
        small = fit_variogram(one[0], one[1], kinds=["exponential"])
        large = fit_variogram(one[0], one[1] * 1000, kinds=["exponential"])
        assert large.model.sill == pytest.approx(1e6 * small.model.sill, rel=1e-3)
        assert large.errors["range"] == pytest.approx(small.errors["range"], rel=0.05)


class TestRecovery:
    def test_likelihood_finds_range_sill_and_nugget(self):
        truth = VariogramModel(0.3, (Structure("spherical", 0.7, 100.0),))
        fitted = fit_variogram(
            *simulated(truth, 3, n=2000), kinds=["spherical", "gaussian"], method="likelihood"
        )
        model = fitted.model
        assert model.structures[0].kind == "spherical"
        assert_allclose([model.structures[0].ranges[0], model.sill], [100, 1], rtol=0.15)
        assert model.nugget == pytest.approx(0.3, rel=0.2)
        assert fitted.is_trusted
        assert fitted.candidates["loss"].is_monotonic_increasing

    def test_least_squares_finds_an_ellipse_in_the_plane(self):
        truth = VariogramModel(0.1, (Structure("spherical", 0.9, (150.0, 50.0), (60, 0, 0)),))
        model = fit_variogram(*simulated(truth, 5, n=2000), kinds=["spherical"], anisotropy="full")
        structure = model.model.structures[0]
        assert_allclose(structure.ranges, [150, 50], rtol=0.25)
        assert structure.angles[0] == pytest.approx(60, abs=8)

    @UNTRUSTED
    def test_flat_beds_are_found_in_space(self):
        truth = VariogramModel(0.1, (Structure("exponential", 0.9, (300.0, 300.0, 40.0)),))
        coords, values = simulated(truth, 2, n=1200, size=900.0, n_dims=3)
        fitted = fit_variogram(coords, values, kinds=["exponential"], anisotropy="full")
        axes = anisotropy_axes(fitted.model.structures[0].angles, 3)
        assert abs(axes[2, 2]) > 0.97  # the minor axis stands upright
        assert fitted.model.structures[0].ranges[2] == pytest.approx(40, rel=0.4)

    @UNTRUSTED
    @pytest.mark.parametrize("method", ["least_squares", "likelihood"])
    def test_layers_have_a_range_in_the_plane_and_one_upright(self, method):
        truth = VariogramModel(0.1, (Structure("exponential", 0.9, (300.0, 300.0, 40.0)),))
        coords, values = simulated(truth, 2, n=800, size=900.0, n_dims=3)
        asked = {"anisotropy": "vertical", "method": method, "kinds": ["exponential"]}
        structure = fit_variogram(coords, values, **asked).model.structures[0]
        assert structure.angles == (0.0, 0.0, 0.0)
        assert structure.ranges[0] == structure.ranges[1]
        assert_allclose(structure.ranges, [300, 300, 40], rtol=0.4)

    def test_an_upright_range_needs_elevations(self):
        truth = VariogramModel(0.1, (Structure("spherical", 0.9, 100.0),))
        with pytest.raises(ValueError, match="needs elevations"):
            fit_variogram(*simulated(truth, 1, n=100), anisotropy="vertical")
        with pytest.raises(ValueError, match="anisotropy"):
            fit_variogram(*simulated(truth, 1, n=100), anisotropy="zonal")

    @UNTRUSTED
    def test_jura_cobalt_has_the_range_of_the_book(self):
        # Goovaerts (1997), fig. 4.15: structures of 200 m and 1.3 km; one alone lies near 1.2 km
        try:
            path = datasets.find("jura", "prediction.csv", download=False)
        except (FileNotFoundError, KeyError, ValueError) as error:
            pytest.skip(str(error))
        table = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8")
        columns = {name.lower(): name for name in table.dtype.names}
        x, y = (table[columns[name]] for name in ("xloc", "yloc"))
        fitted = fit_variogram(np.column_stack([x, y]), table[columns["co"]], kinds=["spherical"])
        assert 0.9 < fitted.model.structures[0].ranges[0] * (1 if x.max() < 50 else 1e-3) < 1.8


class TestLikelihood:
    def test_it_equals_the_dense_restricted_likelihood(self):
        rng = np.random.default_rng(0)
        coords, values = rng.uniform(0, 100, (25, 2)), rng.normal(size=25)
        model = VariogramModel(0.2, (Structure("spherical", 0.8, (60.0, 30.0), (20, 0, 0)),))
        points = in_three_dimensions(coords)
        packed = pack_model(model, 2, 200.0)
        found, variance = restricted_likelihood(packed, points, values, nearest_before(points, 24))
        matrix = model.covariance(coords[:, None] - coords[None])
        inverse, one = np.linalg.inv(matrix), np.ones(25)
        weighted = inverse - np.outer(inverse @ one, inverse @ one) / (one @ inverse @ one)
        expected = values @ weighted @ values / 24
        assert variance == pytest.approx(expected)
        deviance = 24 * (np.log(2 * np.pi * expected) + 1) + np.linalg.slogdet(matrix)[1]
        assert found == pytest.approx(-0.5 * (deviance + np.log(one @ inverse @ one / 25)))

    def test_neighbours_come_before_and_are_nearest(self):
        rng = np.random.default_rng(1)
        points = rng.uniform(size=(60, 3))
        before = nearest_before(points, 5)
        assert (before[0] == -1).all()
        for i in (7, 30, 59):
            nearest = np.argsort(np.linalg.norm(points[:i] - points[i], axis=1))[:5]
            assert set(before[i]) == set(nearest)

    def test_many_samples_are_thinned_with_a_warning(self, monkeypatch):
        monkeypatch.setattr("gossan.geostat.fitting.MOST_IN_LIKELIHOOD", 200)
        truth = VariogramModel(0.2, (Structure("spherical", 0.8, 100.0),))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit_variogram(*simulated(truth, 0, n=300), kinds=["spherical"], method="likelihood")
        assert "200 of 300 samples" in str(caught[0].message)


class TestTrust:
    def test_white_noise_is_a_pure_nugget(self):
        rng = np.random.default_rng(0)
        coords, values = rng.uniform(0, 1000, (800, 2)), rng.normal(size=800)
        with pytest.warns(GossanWarning, match="not to be trusted"):
            fitted = fit_variogram(coords, values, kinds=["spherical"])
        assert not fitted.is_trusted
        assert any("pure nugget" in reason for reason in fitted.reasons)
        assert "not to be trusted" in str(fitted)

    def test_a_trend_is_suspected(self):
        rng = np.random.default_rng(0)
        coords = rng.uniform(0, 1000, (300, 2))
        values = coords[:, 0] / 200 + rng.normal(0, 0.3, 300)
        with pytest.warns(GossanWarning, match="trend suspected: a plane"):
            fitted = fit_variogram(coords, values)
        assert fitted.reasons[0].startswith("trend suspected")
        with pytest.warns(GossanWarning, match="no sill"):
            fit_variogram(
                experimental_variogram(coords, values, direction=90, lags=[0, 300, 600, 900])
            )

    def test_few_samples_in_a_small_field(self):
        truth = VariogramModel(0.2, (Structure("spherical", 0.8, 100.0),))
        with pytest.warns(GossanWarning, match="only 40 samples"):
            fitted = fit_variogram(*simulated(truth, 0, n=40, size=150.0))
        assert not fitted.is_trusted

    def test_a_range_beyond_the_last_lag(self):
        truth = VariogramModel(0.1, (Structure("spherical", 0.9, 400.0),))
        with pytest.warns(GossanWarning, match="beyond the last lag"):
            fit_variogram(exact(truth), kinds=["spherical"])

    def test_a_sill_far_from_the_variance(self):
        given = exact(VariogramModel(0.1, (Structure("spherical", 0.9, 100.0),)))
        odd = ExperimentalVariogram(
            given.lag, given.semivariance, given.n_pairs, given.edges, None, "matheron", 2.0, 2
        )
        with pytest.warns(GossanWarning, match="0.50 times the variance"):
            fit_variogram(odd)

    def test_a_smooth_model_without_a_nugget(self):
        truth = VariogramModel(0.0, (Structure("gaussian", 1.0, 100.0),))
        with pytest.warns(GossanWarning, match="nugget at its bound"):
            fit_variogram(exact(truth), kinds=["gaussian"], nugget=0.0)

    def test_too_few_pairs_within_the_range(self):
        truth = VariogramModel(0.1, (Structure("spherical", 0.9, 15.0),))
        with pytest.warns(GossanWarning, match="too few pairs"):
            fit_variogram(exact(truth), kinds=["spherical"])

    def test_a_good_field_is_trusted_and_silent(self):
        truth = VariogramModel(0.2, (Structure("spherical", 0.8, 100.0),))
        fitted = fit_variogram(*simulated(truth, 8, n=1500), kinds=["spherical"])
        assert fitted.is_trusted
        assert fitted.reasons == ()
        assert set(fitted.errors) == {"range", "sill", "nugget"}
        assert str(fitted) == str(fitted.model)

    def test_a_plane_explains_a_plane(self):
        x = np.random.default_rng(0).uniform(size=(50, 2))
        assert plane_share(x, x @ [1.0, 2.0]) == pytest.approx(1)
        assert plane_share(x, np.random.default_rng(1).normal(size=50)) < 0.2


class TestPieces:
    @pytest.mark.parametrize("angles", [(30, -20, 40), (200, 10, -30), (0, -90, 25), (90, 0, 0)])
    def test_usual_angles_keep_the_axes(self, angles):
        axes = anisotropy_axes(angles, 3)
        found = usual_angles(axes)
        assert 0 <= found[0] < 360
        assert -90 <= found[1] <= 0
        assert 0 <= found[2] < 180
        again = anisotropy_axes(found, 3)
        assert_allclose(np.abs((again * axes).sum(axis=1)), 1, atol=1e-9)

    def test_ranges_of_a_shape_fall_from_major_to_minor(self):
        shape = Shape(("spherical",), 3, anisotropy="full")
        theta = np.array([np.log(100), np.log(0.5), np.log(0.2), 0.0, 0.0, 0.0])
        assert shape.size == 6
        assert_allclose(shape.structures(theta, [1.0])[0].ranges, [100, 50, 10])

    def test_blocks_of_the_jackknife_are_even(self):
        points = np.random.default_rng(0).uniform(size=(90, 3))
        assert np.bincount(block_numbers(points)).min() >= 5
        assert len(np.unique(block_numbers(points))) == 9

    def test_jackknife_of_a_steady_model_is_zero(self):
        model = VariogramModel(0.1, (Structure("spherical", 0.9, 10.0),))
        points = np.random.default_rng(0).uniform(size=(90, 2))
        assert_allclose(list(jackknife(points, lambda kept: model).values()), 0, atol=1e-12)


class TestRefusals:
    GIVEN = exact(VariogramModel(0.3, (Structure("spherical", 1.7, 90.0),)))
    COORDS = np.random.default_rng(0).uniform(size=(20, 2))
    VALUES = np.random.default_rng(1).normal(size=20)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"kinds": ["sperical"]}, "Did you mean 'spherical'"),
            ({"kinds": ["power"]}, "kind must be one of"),
            ({"kinds": "spherical"}, "kinds must be a list"),
            ({"n_structures": 3}, "n_structures must be one of"),
            ({"method": "guess"}, "method must be one of"),
            ({"weights": "none"}, "weights must be one of"),
            ({"method": "likelihood"}, "likelihood needs coordinates"),
            ({"anisotropy": "full"}, "two directions or more"),
        ],
    )
    def test_options_that_do_not_suit(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            fit_variogram(self.GIVEN, **arguments)

    @pytest.mark.parametrize(
        ("coords", "values", "message"),
        [
            (COORDS, None, "must be experimental variograms"),
            (COORDS[:5], VALUES[:5], "ten known values"),
            (COORDS, np.ones(20), "ten known values that differ"),
            (COORDS, np.column_stack([VALUES, VALUES]), "must be one variable"),
        ],
    )
    def test_samples_that_cannot_be_fitted(self, coords, values, message):
        with pytest.raises(ValueError, match=message):
            fit_variogram(coords, values)

    def test_lags_that_cannot_be_fitted(self):
        with pytest.raises(ValueError, match="three lags"):
            fit_variogram(self.COORDS, self.VALUES, lags=[0.0, 0.5, 1.0])
        with pytest.raises(ValueError, match="No pair of samples lies within"):
            fit_variogram(self.COORDS, self.VALUES, lags=[0.0, 1e-9, 2e-9])

    def test_a_madogram_is_no_semivariance(self):
        given = experimental_variogram(self.COORDS, self.VALUES, estimator="madogram")
        with pytest.raises(ValueError, match="semivariance of one variable"):
            fit_variogram(given)
