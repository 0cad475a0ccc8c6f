import numpy as np
import pytest
from numpy.testing import assert_allclose

from gossan.data.grids.grid import make_grid
from gossan.geostat.coregionalization import Coregionalization
from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.variogram import cross_variograms, experimental_variogram
from gossan.simulate.fields import simulate_field, simulate_roughness

MODEL = VariogramModel(0.2, (Structure("spherical", 0.8, 10.0),))
TWO = Coregionalization(
    np.diag([0.1, 0.3]),
    (Structure("spherical", 1.0, 8.0), Structure("exponential", 1.0, 15.0)),
    [[[0.5, 0.4], [0.4, 0.7]], [[0.4, -0.2], [-0.2, 1.0]]],
)


def test_a_grid_holds_its_layer_and_its_truth():
    grid = make_grid((0, 60, 0, 40), 1.0, elevations=(0, 5))
    found = simulate_field(MODEL, grid, names=["Cu"])
    assert found.values["Cu"].dims == ("elevation", "northing", "easting")
    assert_allclose(found.values["Cu"].to_numpy(), found.gaussian[0])
    assert found.model is MODEL
    assert "Cu" not in grid


def test_points_and_grid_have_the_variogram_of_the_model():
    steps = np.array([1.0, 3.0, 6.0, 12.0])
    expected = MODEL.variogram(np.column_stack([steps, 0 * steps]))
    fields = [
        simulate_field(MODEL, make_grid((0, 200, 0, 200), 1.0), random_state=k).gaussian[0]
        for k in range(3)
    ]
    found = [np.mean([(f[:, int(s) :] - f[:, : -int(s)]) ** 2 for f in fields]) / 2 for s in steps]
    assert_allclose(found, expected, rtol=0.06)
    coords = np.random.default_rng(0).uniform(0, 200, (3000, 2))
    drawn = simulate_field(MODEL, coords, n_waves=500).values["value"]
    variogram = experimental_variogram(coords, drawn, lags=[0, 2, 4, 8, 12])
    expected = MODEL.variogram(np.column_stack([variogram.lag, 0 * variogram.lag]))
    assert_allclose(variogram.semivariance, expected, rtol=0.12)


def test_several_variables_go_together_as_the_model_says():
    coords = np.random.default_rng(0).uniform(0, 150, (2500, 2))
    found = simulate_field(TWO, coords, names=["Cu", "Zn"], n_waves=400)
    table = found.values[["Cu", "Zn"]].to_numpy()
    variogram = cross_variograms(coords, table, lags=[0, 3, 6, 10, 20])
    lag = variogram.lag[:, 0, 0]
    expected = TWO.variogram(np.column_stack([lag, 0 * lag]))
    assert_allclose(variogram.semivariance, expected, atol=0.2)
    assert_allclose(np.cov(table.T), TWO.sill, atol=0.25)


def test_lognormal_fields_are_the_exponential_of_the_normal_ones():
    coords = np.random.default_rng(0).uniform(0, 50, (40, 3))
    found = simulate_field(TWO, coords, mean=[2.0, 5.0], transform="lognormal")
    assert list(found.values.columns[3:]) == ["value1", "value2"]
    assert_allclose(np.log(found.values["value2"]), 5 + found.gaussian[1])


def test_a_turned_grid_is_simulated_in_true_places():
    grid = make_grid((0, 20, 0, 10), 1.0, rotation=30.0)
    field = simulate_field(MODEL, grid, n_waves=200)
    assert field.gaussian.shape == (1, 10, 20)
    assert field.values["value"].dims == ("northing", "easting")


def test_the_same_seed_gives_the_same_field():
    coords = np.random.default_rng(0).uniform(0, 50, (10, 2))
    one, again = (simulate_field(MODEL, coords, random_state=4).gaussian for _ in range(2))
    assert_allclose(one, again)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"transform": "log"}, "transform must be one of"),
        ({"names": ["a", "b"]}, "names must be 1"),
        ({"n_waves": 0}, "n_waves must be 1"),
        ({"where": [[0.0, np.nan]]}, "Places must be"),
        ({"model": VariogramModel(0, (Structure("power", 1.0, 9.0),))}, "with a sill"),
    ],
)
def test_what_cannot_be_simulated(arguments, message):
    settings = {"model": MODEL, "where": [[0.0, 1.0], [2.0, 3.0]]} | arguments
    with pytest.raises(ValueError, match=message):
        simulate_field(settings.pop("model"), settings.pop("where"), **settings)


def test_roughness_is_skewed_patchy_and_has_a_direction():
    grid = simulate_roughness((120, 120), azimuth=0.0, random_state=3)
    values = grid["V"].to_numpy()
    logs = np.log(values)
    assert (values > 0).all()
    assert ((values - values.mean()) ** 3).mean() / values.std() ** 3 > 1.0
    north = ((logs[10:] - logs[:-10]) ** 2).mean()
    east = ((logs[:, 10:] - logs[:, :-10]) ** 2).mean()
    assert north < 0.9 * east
    # where values are high they vary more
    blocks = values.reshape(12, 10, 12, 10).transpose(0, 2, 1, 3).reshape(144, 100)
    assert np.corrcoef(blocks.mean(axis=1), blocks.std(axis=1))[0, 1] > 0.5
    again = simulate_roughness((120, 120), azimuth=0.0, random_state=3)
    assert_allclose(again["V"], values)
