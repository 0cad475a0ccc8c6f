import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from gossan.geostat.declustering import decluster_cells
from gossan.geostat.variogram import experimental_variogram
from gossan.simulate.tailings import SCENARIOS, simulate_tailings


@pytest.fixture(scope="module", params=list(SCENARIOS))
def simulated(request):
    return simulate_tailings(request.param, n_samples=300)


@pytest.fixture(scope="module")
def impoundment():
    return simulate_tailings(n_samples=700)


class TestShape:
    def test_tables_have_places_and_elements(self, simulated):
        table, truth = simulated.table, simulated.truth
        assert list(table.columns[-len(simulated.elements) :]) == list(simulated.elements)
        assert 150 < len(table) < 500
        assert len(truth.values) == len(table) == len(truth.bedding)
        assert (table[list(simulated.elements)] > 0).all().all()
        assert table.notna().all().all()

    def test_the_grid_is_filled_inside_and_empty_outside(self, simulated):
        grid = simulated.truth.grid
        assert set(simulated.elements) | {"age", "fineness", "distance"} == set(grid.data_vars)
        share = np.isfinite(grid[simulated.elements[0]].to_numpy()).mean()
        assert share == 1.0 if "elevation" not in grid.dims else 0.7 < share < 1.0

    def test_ages_and_grains_lie_between_zero_and_one(self, simulated):
        laid = simulated.truth.deposition
        for name in ("age", "fineness"):
            assert laid[name].between(0, 1).all()

    def test_the_same_seed_gives_the_same_table(self):
        one, again = (simulate_tailings("surface", n_samples=40, random_state=3) for _ in range(2))
        pd.testing.assert_frame_equal(one.table, again.table)


class TestTruth:
    def test_logs_are_the_sum_of_their_parts(self, simulated):
        truth = simulated.truth
        laid, effects = truth.deposition, truth.effects
        feed = np.interp(laid["age"], truth.feed["age"], truth.feed["feed"])
        expected = (
            np.log(effects["median"].to_numpy())
            + np.outer(laid["fineness"], effects["fineness"])
            + np.outer(feed, effects["feed"])
            + truth.residuals.to_numpy()
        )
        assert_allclose(np.log(truth.values), expected)

    def test_assays_differ_by_their_error_and_hide_below_their_limits(self, impoundment):
        truth, table = impoundment.truth, impoundment.table
        for name in impoundment.elements:
            seen = ~truth.censored[name]
            error = np.log(table[name] / truth.values[name])[seen]
            # a few near the limit are seen only when their error is upwards
            assert error.std() == pytest.approx(truth.effects.loc[name, "error"], rel=0.2)
            assert (table[name][~seen] == truth.effects.loc[name, "limit"]).all()
        assert truth.censored["In"].mean() > 0.05

    def test_without_errors_and_limits_the_table_is_the_truth(self):
        simulated = simulate_tailings("dump", n_samples=60, error_factor=0, limit_factor=0)
        assert_allclose(simulated.table[["Cu"]], simulated.truth.values[["Cu"]], rtol=6e-3)
        assert not simulated.truth.censored.any().any()

    def test_effects_of_grain_and_feed_can_be_recovered(self, impoundment):
        truth = impoundment.truth
        laid = truth.deposition
        feed = np.interp(laid["age"], truth.feed["age"], truth.feed["feed"])
        design = np.column_stack([np.ones(len(laid)), laid["fineness"], feed])
        logs = np.log(impoundment.table[list(impoundment.elements)].to_numpy())
        found = np.linalg.lstsq(design, logs, rcond=None)[0]
        planted = truth.effects[["fineness", "feed"]].to_numpy().T
        assert_allclose(found[2], planted[1], atol=0.25)
        assert np.corrcoef(found[1], planted[0])[0, 1] > 0.8

    def test_residuals_vary_as_the_model_along_the_beds_and_across(self):
        found, expected = [], []
        for seed in range(2):
            simulated = simulate_tailings(n_samples=900, random_state=seed)
            truth = simulated.truth
            across = experimental_variogram(
                truth.bedding,
                truth.residuals["Cu"],
                lags=[0.0, 2.5, 4.5, 8.5],
                groups=simulated.table["hole"],
            )
            found.append(across.semivariance)
            steps = np.column_stack([0 * across.lag, 0 * across.lag, across.lag])
            expected.append(truth.model.model(0).variogram(steps))
        assert_allclose(np.mean(found, axis=0), np.mean(expected, axis=0), rtol=0.3)

    def test_the_grid_is_the_truth_of_the_samples(self):
        simulated = simulate_tailings("surface", n_samples=300)
        table = simulated.table
        at = simulated.truth.grid["Cu"].sel(
            easting=table["easting"].to_xarray(),
            northing=table["northing"].to_xarray(),
            method="nearest",
        )
        assert np.corrcoef(np.log(at), np.log(simulated.truth.values["Cu"]))[0, 1] > 0.6

    def test_coarse_grains_lie_before_the_spigots(self, impoundment):
        laid = impoundment.truth.deposition
        assert laid["distance"].corr(laid["fineness"]) > 0.85


class TestSampling:
    def test_samples_of_a_hole_lie_one_above_the_other(self, impoundment):
        table = impoundment.table
        assert_allclose(table["to"] - table["from"], 2.0)
        for _, hole in table.groupby("hole"):
            assert np.ptp(hole["easting"]) == 0
            assert_allclose(np.diff(hole["elevation"]), -2.0)

    def test_a_crowd_before_a_spigot_can_be_declustered(self):
        plain, crowded = [], []
        for seed in range(3):
            simulated = simulate_tailings(
                "surface", n_samples=150, n_clustered=150, random_state=seed
            )
            coords = simulated.table[["easting", "northing"]].to_numpy()
            logs = np.log(simulated.truth.values["Cu"].to_numpy())
            true = float(np.log(simulated.truth.grid["Cu"]).mean())
            weights = decluster_cells(coords, size=80.0)
            plain.append(logs.mean() - true)
            crowded.append(weights.mean(logs) - true)
        assert np.abs(crowded).mean() < 0.5 * np.abs(plain).mean()

    def test_a_messy_table_can_be_traced_back(self):
        clean = simulate_tailings("surface", n_samples=60, random_state=2)
        messy = simulate_tailings("surface", n_samples=60, random_state=2, messy=True)
        headers = messy.truth.headers
        assert [headers[name] for name in messy.table.columns] == list(clean.table.columns)
        assert "Cu (ppm)" in messy.table.columns
        cells = messy.table.rename(columns=headers)
        assert (cells[list(clean.elements)] == "-9999").to_numpy().sum() == 5
        hidden = clean.truth.censored["In"] & (cells["In"] != "-9999")
        assert cells["In"][hidden].str.startswith("< ").all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scenario": "damp"}, "Did you mean 'dump'"),
        ({"n_samples": 3}, "n_samples must be 10"),
        ({"sample_length": 0.0}, "sample_length positive"),
        ({"n_clustered": -1}, "n_clustered 0 or more"),
        ({"error_factor": -1.0}, "error_factor and limit_factor"),
    ],
)
def test_what_cannot_be_simulated(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_tailings(**arguments)
