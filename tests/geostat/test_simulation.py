import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gossan._checks import GossanWarning
from gossan.geostat._random_fields import field_at_points, field_on_grid, random_waves
from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.simulation import ConditionalSimulation
from gossan.geostat.variogram import experimental_variogram

MODEL = VariogramModel(0.1, (Structure("spherical", 0.9, 60.0),))
KINDS = [("spherical", 1), ("exponential", 1), ("gaussian", 1), ("cubic", 1), ("hole_effect", 1)]
KINDS += [("matern", 0.5), ("matern", 1.5), ("matern", 2.7)]


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    coords = rng.uniform(0, 400, (150, 2))
    scores = field_at_points(coords, MODEL, rng, n_waves=500) + rng.normal(0, 0.1**0.5, 150)
    return coords, np.exp(scores)


@pytest.fixture(scope="module")
def fitted(samples):
    return ConditionalSimulation(MODEL, lower=0.0, upper=80.0, n_waves=300).fit(*samples)


class TestWaves:
    @pytest.mark.parametrize(("kind", "shape"), KINDS)
    def test_the_mean_cosine_is_the_covariance(self, kind, shape):
        structure = Structure(kind, 1.0, 1.0, shape=shape)
        steps = np.array([[0.0, 0.02, 0.0], [0.3, 0.0, 0.0], [0.3, 0.4, 0.5], [0.0, 0.0, 1.1]])
        waves = random_waves(structure, 200_000, np.random.default_rng(0))
        assert_allclose(
            np.cos(steps @ waves.T).mean(axis=1), structure.covariance(steps), atol=0.009
        )

    def test_anisotropy_follows_the_axes(self):
        model = VariogramModel(0.0, (Structure("spherical", 2.0, (80.0, 20.0), (90, 0, 0)),))
        points = np.array([[0.0, 0.0], [15.0, 0.0], [0.0, 15.0]])
        rng = np.random.default_rng(0)
        drawn = np.array([field_at_points(points, model, rng, n_waves=40) for _ in range(6000)])
        expected = model.covariance(points[:, None] - points[None])
        assert_allclose(drawn.T @ drawn / 6000, expected, atol=0.12)

    @pytest.mark.parametrize("shape", [(24, 30), (6, 9, 8)])
    def test_grids_have_the_covariance_along_each_axis(self, shape):
        ranges, angles = (
            ((9.0, 4.0), (0, 0, 0)) if len(shape) == 2 else ((6.0, 4.0, 2.5), (0, 0, 0))
        )
        model = VariogramModel(0.0, (Structure("spherical", 1.0, ranges, angles),))
        rng = np.random.default_rng(0)
        drawn = np.array(
            [field_on_grid(shape, (1.0,) * len(shape), model, rng) for _ in range(1200)]
        )
        # the last axis is easting, the one before northing: the major axis of azimuth 0
        east = (drawn[..., :-2] * drawn[..., 2:]).mean()
        north = (drawn[..., :-2, :] * drawn[..., 2:, :]).mean()
        offsets = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])[:, : len(shape)]
        assert_allclose([east, north], model.covariance(offsets), atol=0.03)

    def test_a_grid_short_beside_the_ranges_is_warned_of(self):
        model = VariogramModel(0.0, (Structure("hole_effect", 1.0, 3.0),))
        with pytest.warns(GossanWarning, match="short beside the ranges"):
            field_on_grid((4, 4), (1.0, 1.0), model, np.random.default_rng(0))


class TestConditioning:
    def test_realisations_pass_through_the_samples(self, samples, fitted):
        drawn = fitted.sample(samples[0], 3)
        assert_allclose(drawn.values, np.tile(samples[1], (3, 1)), rtol=1e-6)

    def test_their_histogram_and_variogram_are_those_of_the_samples(self, samples, fitted):
        rng = np.random.default_rng(1)
        places = rng.uniform(0, 400, (700, 2))
        drawn = fitted.sample(places, 12)
        shares = [0.1, 0.25, 0.5, 0.75, 0.9]
        assert_allclose(
            np.log(np.quantile(drawn.values, shares)),
            np.log(np.quantile(samples[1], shares)),
            atol=0.25,
        )
        scores = fitted.scores_.transform(drawn.values.reshape(-1, 1)).reshape(12, -1)
        found = experimental_variogram(places, scores.T, lags=[0, 10, 20, 30, 40, 60, 90])
        expected = MODEL.variogram(np.column_stack([found.lag[:, 0], 0 * found.lag[:, 0]]))
        assert_allclose(found.semivariance.mean(axis=1), expected, rtol=0.2)

    def test_the_mean_of_realisations_is_the_predicted_mean(self, fitted):
        places = np.random.default_rng(2).uniform(50, 350, (30, 2))
        drawn = fitted.sample(places, 600)
        mean, std = fitted.predict(places, return_std=True)
        assert_allclose(drawn.mean, mean, atol=(5 * std / 600**0.5).max())
        assert np.median(drawn.std / std) == pytest.approx(1, abs=0.06)
        assert_allclose(fitted.predict(places[:3]), mean[:3])

    def test_samples_far_away_do_not_count(self, fitted):
        drawn = fitted.sample([[1e5, 1e5]], 600)
        scores = fitted.scores_.transform(drawn.values)
        assert (scores.mean(), scores.std()) == pytest.approx((0, 1), abs=0.12)

    def test_questions_to_realisations(self, fitted):
        drawn = fitted.sample([[5.0, 5.0], [300.0, 100.0]], 50)
        assert_allclose(drawn.quantile(0.5), np.median(drawn.values, axis=0))
        assert drawn.quantile([0.1, 0.9]).shape == (2, 2)
        assert_allclose(drawn.probability_above(1.0), (drawn.values > 1).sum(axis=0) / 50)

    def test_the_same_seed_gives_the_same_fields(self, fitted):
        places = [[5.0, 5.0], [300.0, 100.0]]
        one, again = fitted.sample(places, 4), fitted.sample(places, 4)
        assert_array_equal(one.values, again.values)
        assert not np.allclose(one.values, fitted.sample(places, 4, random_state=5).values)

    def test_values_as_they_are(self, samples):
        values = np.log(samples[1])
        simulation = ConditionalSimulation(MODEL, normal_scores=False, n_waves=200, lower=-3.0)
        simulation.fit(samples[0], values)
        assert_allclose(simulation.sample(samples[0][:9], 2).values[0], np.maximum(values[:9], -3))
        assert simulation.sample([[1e5, 1e5]], 400).mean[0] == pytest.approx(values.mean(), abs=0.2)

    def test_without_the_nugget_places_are_smoother(self, samples):
        noisy = VariogramModel(0.6, (Structure("spherical", 0.4, 60.0),))
        places = samples[0][:40] + 0.5
        spread = [
            ConditionalSimulation(noisy, nugget=nugget, n_waves=100)
            .fit(*samples)
            .sample(places, 40)
            .std.mean()
            for nugget in (True, False)
        ]
        assert spread[1] < 0.8 * spread[0]

    def test_a_model_is_fitted_where_none_is_given(self, samples):
        with pytest.warns(GossanWarning) as caught:
            simulation = ConditionalSimulation().fit(samples[0], np.r_[samples[1][:-1], np.nan])
        assert any("have no value" in str(each.message) for each in caught)
        assert simulation.model_.sill == pytest.approx(1)


class TestRefusals:
    @pytest.mark.parametrize(
        ("settings", "y", "message"),
        [
            (
                {"model": VariogramModel(0, (Structure("power", 1.0, 9.0),))},
                [1, 2, 3],
                "with a sill",
            ),
            ({"n_waves": 0}, [1, 2, 3], "one wave or more"),
            ({}, [[1, 2], [3, 4], [5, 6]], "one variable"),
            ({}, [1, 2], "one row for each"),
        ],
    )
    def test_what_cannot_be_fitted(self, settings, y, message):
        settings = {"model": MODEL} | settings
        with pytest.raises(ValueError, match=message):
            ConditionalSimulation(**settings).fit([[0, 0], [1, 1], [5, 2]], y)

    def test_no_realisation(self, fitted):
        with pytest.raises(ValueError, match="n_realisations must be 1"):
            fitted.sample([[0.0, 0.0]], 0)
