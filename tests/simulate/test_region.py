from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy.ndimage import maximum_filter, uniform_filter
from scipy.stats import mannwhitneyu
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gossan.data.assays import read_assays
from gossan.data.grids.grid import cell_centres
from gossan.simulate._region_faults import nearest_segment, strikes_of
from gossan.simulate._region_halos import (
    Patch,
    beside,
    core_profile,
    gathered_profile,
    own_radius,
    ring_profile,
    sum_patches,
)
from gossan.simulate._region_plans import ELEMENTS, REGION_PLANS
from gossan.simulate.region import simulate_region

PLAN = REGION_PLANS["porphyry"]
SMALL = {"n_deposits": 20, "n_known": 8, "shape": (64, 80)}


@pytest.fixture(scope="module")
def small():
    return simulate_region(**SMALL)


@pytest.fixture(scope="module")
def pattern():
    return simulate_region(n_deposits=200, n_known=100, n_decoys=200, shape=(160, 160))


@pytest.fixture(scope="module")
def value():
    return simulate_region(signal="value", n_deposits=200, n_known=100, shape=(160, 160))


def places_of(table):
    return table[["easting", "northing"]].to_numpy()


class TestTables:
    def test_the_survey_has_the_sizes_asked_for(self, small):
        assert small.samples.shape == (64 * 80 // 4, 18)
        assert small.censored.shape == (1280, 14)
        assert list(small.samples.columns[:6]) == [
            "sample", "easting", "northing", "lithology", "Cu_ppm", "Mo_ppm"
        ]  # fmt: skip
        assert list(small.censored.columns) == list(small.samples.columns[4:])
        assert small.units["Au"] == "ppb"
        assert list(small.occurrences.columns) == [
            "easting", "northing", "name", "is_known", "type"
        ]  # fmt: skip
        assert (len(small.occurrences), small.occurrences["is_known"].sum()) == (20, 8)
        assert set(small.occurrences["type"]) == {"porphyry"}
        assert len(small.truth.decoys) == 40
        assert len(small.lithology) == 64 * 80
        assert set(small.lithology["lithology"]) == set(small.truth.rocks)
        assert small.faults.groupby("fault").size().min() >= 3

    def test_everything_lies_in_the_district(self, small):
        for table in (small.samples, small.occurrences, small.lithology, small.faults):
            assert table["easting"].between(0, 80 * 500).all()
            assert table["northing"].between(0, 64 * 500).all()
        edge = np.minimum(
            places_of(small.truth.deposits), [40_000, 32_000] - places_of(small.truth.deposits)
        )
        assert edge.min() > 4.4 * 500

    def test_a_censored_cell_holds_its_limit(self, small):
        for name, header in zip(ELEMENTS, small.censored.columns, strict=True):
            limit = small.truth.effects.loc[name, "limit"]
            hidden = small.censored[header]
            assert (small.samples.loc[hidden, header] == limit).all()
            assert (small.samples.loc[~hidden, header] >= limit).all()
        assert 0.02 < small.censored.to_numpy().mean() < 0.3
        assert small.censored.mean().max() < 0.6

    def test_without_errors_and_limits_samples_hold_the_truth_to_three_digits(self):
        exact = simulate_region(**SMALL, error_factor=0, limit_factor=0)
        assert not exact.censored.to_numpy().any()
        assert_allclose(exact.samples.iloc[:, 4:], exact.values, rtol=0.0051)

    def test_errors_are_as_large_as_stated(self, small):
        open_cells = ~small.censored.to_numpy()
        ratio = np.log(small.samples.iloc[:, 4:].to_numpy() / small.values.to_numpy())
        expected = np.hypot(small.truth.effects["error"], 0.3 * small.truth.effects["spread"])
        for k, name in enumerate(ELEMENTS):
            if open_cells[:, k].mean() > 0.97:
                spread = ratio[open_cells[:, k], k].std()
                assert spread == pytest.approx(expected[name], rel=0.1)

    def test_files_hold_what_a_user_would_get(self, small, tmp_path):
        paths = small.write(tmp_path / "new")
        assert set(paths) == {"samples", "occurrences", "faults", "lithology"}
        known = pd.read_csv(paths["occurrences"])
        assert list(known.columns) == ["easting", "northing", "name", "type"]
        assert_allclose(
            places_of(known), places_of(small.occurrences[small.occurrences["is_known"]])
        )
        assays = read_assays(paths["samples"])
        assert list(assays.values.columns) == list(ELEMENTS)
        assert_array_equal(assays.censored.to_numpy(), small.censored.to_numpy())
        assert assays.units["Ag"] == "ppm"  # as all are read
        assert_allclose(1000 * assays.values["Ag"], small.samples["Ag_ppb"])


class TestSeeds:
    def test_the_same_seed_gives_the_same_district(self, small):
        again = simulate_region(**SMALL, random_state=np.random.default_rng(0))
        assert_frame_equal(again.samples, small.samples)
        assert_frame_equal(again.occurrences, small.occurrences)
        other = simulate_region(**SMALL, random_state=1)
        assert not np.array_equal(places_of(other.occurrences), places_of(small.occurrences))

    def test_global_seeds_stay_untouched(self):
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        simulate_region(**SMALL, random_state=None)
        assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002

    def test_errors_and_limits_do_not_change_the_ground(self, small):
        rough = simulate_region(**SMALL, error_factor=2, limit_factor=0)
        assert_frame_equal(rough.values, small.values)

    @pytest.mark.parametrize("kind", ["same", "other"])
    def test_a_source_is_the_same_each_time_and_by_both_ways(self, small, kind):
        source = small.source(kind)
        assert_frame_equal(source.samples, simulate_region(**SMALL, source=kind).samples)
        assert source.occurrences["is_known"].all()
        assert not np.array_equal(places_of(source.occurrences), places_of(small.occurrences))

    def test_the_fields_of_a_source_are_independent(self, small):
        points = np.random.default_rng(0).uniform(0, 32_000, (400, 2))
        own = small.truth.scatter(points)
        for kind in ("same", "other"):
            theirs = small.source(kind).truth.scatter(points)
            correlations = [np.corrcoef(own[:, k], theirs[:, k])[0, 1] for k in range(14)]
            assert np.abs(correlations).mean() < 0.25


class TestHalos:
    def test_profiles_by_hand(self):
        q, w = PLAN.ring_radius, PLAN.ring_width
        assert core_profile(np.array([PLAN.core_radius]), PLAN) == pytest.approx(np.exp(-0.5))
        assert_allclose(ring_profile(np.array([q, q + w, q - w]), PLAN), np.exp([0, -0.5, -0.5]))
        # the same 4πqw of ground lies above exp(-1/2)
        assert_allclose(
            gathered_profile(np.array([0, 2 * np.sqrt(q * w)]), PLAN), np.exp([0, -0.5])
        )
        assert_allclose(gathered_profile(np.array([2 * q]), PLAN), ring_profile(np.zeros(1), PLAN))

    @pytest.mark.parametrize("plan", REGION_PLANS.values())
    def test_a_gathered_ring_has_each_value_on_as_much_ground(self, plan):
        axis = np.arange(-9, 9, 0.03)
        radius = np.hypot(*np.meshgrid(axis, axis))
        ring = np.sort(ring_profile(radius, plan).ravel())
        gathered = np.sort(gathered_profile(radius, plan).ravel())
        assert_allclose(gathered, ring, atol=0.01)

    def test_a_core_declines_and_a_ring_peaks_away_from_the_middle(self):
        radius = np.linspace(0, 6, 121)
        assert (np.diff(core_profile(radius, PLAN)) < 0).all()
        assert (np.diff(gathered_profile(radius, PLAN)) < 0).all()
        assert radius[ring_profile(radius, PLAN).argmax()] == pytest.approx(
            PLAN.ring_radius, abs=0.05
        )

    def test_a_halo_is_longer_along_the_fault(self):
        # azimuth 90: along is east
        points = np.array([[200.0, 0.0], [0.0, 200.0]])
        assert_allclose(own_radius(points, (0.0, 0.0), 90.0, 4.0), [100.0, 400.0])

    def test_in_its_middle_a_decoy_equals_a_deposit_in_all_elements(self):
        middle = (3000.0, 4000.0)
        deposit = [
            Patch(*middle, 30.0, 1.3, "core", PLAN.core),
            Patch(*middle, 30.0, 1.3, "ring", PLAN.ring),
        ]
        for turn in (0.0, 1.0, 4.0):
            aside = beside(middle, 30.0, PLAN, turn=turn, spacing=500.0)
            decoy = [deposit[0], Patch(*aside, 30.0, 1.3, "gathered", PLAN.ring)]
            there = np.array([middle])
            assert_allclose(
                sum_patches(there, decoy, PLAN, 500.0), sum_patches(there, deposit, PLAN, 500.0)
            )

    def test_a_halo_of_strength_one_raises_the_log_by_the_contrast(self):
        patch = Patch(0.0, 0.0, 0.0, 1.0, "core", ("Cu",))
        rise = np.log1p(sum_patches(np.zeros((1, 2)), [patch], PLAN, 500.0))
        assert rise[0, 0] == pytest.approx(PLAN.contrast * 0.5)  # the spread of Cu is 0.5
        assert (rise[0, 1:] == 0).all()

    def test_ring_elements_surround_deposits_but_not_decoys(self, pattern):
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        column = ELEMENTS.index("Zn")

        def lowest_on_ring(table):
            # half the way of `beside` is the ring itself
            half = replace(PLAN, ring_radius=PLAN.ring_radius / 2)
            rings = [
                beside((at.easting, at.northing), at.azimuth, half, turn=turn, spacing=500.0)
                for at in table.itertuples()
                for turn in turns
            ]
            zinc = pattern.truth.halos(rings)[:, column].reshape(len(table), -1)
            return zinc.min(axis=1) / table["strength"].to_numpy()

        peak = np.expm1(PLAN.contrast * pattern.truth.effects.loc["Zn", "spread"])
        assert (lowest_on_ring(pattern.truth.deposits.iloc[:40]) > 0.99 * peak).all()
        assert np.median(lowest_on_ring(pattern.truth.decoys.iloc[:40])) < 0.1 * peak

    def test_deposits_and_decoys_have_the_same_values_at_their_places(self, pattern):
        logs = [
            np.log(pattern.truth.concentrations(places_of(t)))
            for t in (pattern.truth.deposits, pattern.truth.decoys)
        ]
        for name in PLAN.pathfinders:
            k = ELEMENTS.index(name)
            assert mannwhitneyu(logs[0][:, k], logs[1][:, k]).pvalue > 0.005

    def test_a_source_of_the_same_type_shares_the_shape_of_halos(self, small):
        same, other = small.source("same").truth, small.source("other").truth
        assert same.plan == small.truth.plan
        assert other.plan != small.truth.plan
        assert not set(other.plan.core) & set(small.pathfinders)
        for truth, is_alike in ((same, True), (other, False)):
            middle = truth.halos(places_of(truth.deposits))
            assert (middle[:, ELEMENTS.index("Cu")] > 0.2).all() == is_alike
            assert (middle[:, ELEMENTS.index("Sn")] > 0.2).all() != is_alike

    def test_no_halo_at_all_for_a_factor_of_none(self):
        bare = simulate_region(**SMALL, halo_factor=0)
        assert (bare.truth.halos(places_of(bare.truth.deposits)) == 0).all()


class TestTruth:
    def test_the_scatter_has_the_covariance_of_its_model(self):
        found, spread = [], None
        for seed in range(3):
            truth = simulate_region(
                n_deposits=1, n_known=1, shape=(150, 150), random_state=seed
            ).truth
            points = np.random.default_rng(seed).uniform(0, 75_000, (3000, 2))
            scatter = truth.scatter(points)
            found.append(scatter.T @ scatter / len(points))
            spread = truth.effects["spread"].to_numpy()
        scale = np.outer(spread, spread)
        misfit = np.mean(found, axis=0) / scale - truth.model.sill / scale
        assert_allclose(np.diag(truth.model.sill), spread**2)
        assert np.abs(misfit).mean() < 0.07
        assert np.abs(misfit).max() < 0.35

    def test_concentrations_are_positive_and_the_same_alone_or_in_a_batch(self, small):
        points = np.random.default_rng(0).uniform(0, 32_000, (2000, 2))
        values = small.truth.concentrations(points)
        assert (values > 0).all()
        assert_allclose(values[[5, 1999]], small.truth.concentrations(points[[5, 1999]]), rtol=1e-5)

    def test_distance_from_faults_by_hand(self):
        faults = pd.DataFrame(
            {"fault": ["A", "A", "A", "B", "B"], "easting": [0.0, 10, 10, 50, 50],
             "northing": [0.0, 0, 10, 0, 10]}
        )  # fmt: skip
        points = np.array([[5.0, -3], [13, 14], [40, 5], [30, 0]])
        distance, segment = nearest_segment(points, faults)
        # nothing joins A to B
        assert_allclose(distance, [3, 5, 10, 20])
        assert segment.tolist()[:3] == [0, 1, 2]
        assert_allclose(strikes_of(faults), [90, 0, 0])

    def test_faults_strike_as_their_plan_says(self, pattern):
        folded = strikes_of(pattern.faults) % 180
        nearest = np.abs(folded[:, None] - PLAN.strikes).min(axis=1)
        assert np.median(nearest) < 8.0

    def test_density_sums_to_the_deposits_and_is_higher_where_they_lie(self, pattern):
        grid = pattern.truth.on_grid(pattern.grid())
        density = grid["deposit_density"].to_numpy()
        assert density.sum() * 0.25 == pytest.approx(200)  # km² of a cell
        there = pattern.truth.deposit_density(places_of(pattern.truth.deposits))
        assert there.mean() > 1.2 * density[density > 0].mean()
        assert_allclose(grid["deposit_probability"], 1 - np.exp(-density * 0.25))
        assert (grid["fault_distance"] >= 0).all()
        assert grid["Au"].attrs["units"] == "ppb"

    def test_grids_of_any_cell_cover_the_district(self, small):
        grid = small.truth.on_grid(small.grid(2000.0))
        assert grid["Cu"].shape == (16, 20)
        centres = cell_centres(grid)
        assert_allclose(grid["Cu"].to_numpy().ravel(), small.truth.concentrations(centres)[:, 0])
        nearest = np.linalg.norm(centres[7] - places_of(small.truth.deposits), axis=1).min()
        assert grid["deposit_distance"].to_numpy().ravel()[7] == pytest.approx(nearest)

    def test_rocks_have_backgrounds_of_their_own(self, pattern):
        nickel = np.log(pattern.values["Ni"])
        medians = nickel.groupby(pattern.samples["lithology"]).median()
        assert medians["andesite"] - medians["granite"] > 0.6  # 1.1 planted


class TestDiscovery:
    def test_known_deposits_have_the_stronger_halos(self, pattern):
        strength = pattern.truth.deposits["strength"]
        known = pattern.occurrences["is_known"]
        assert mannwhitneyu(strength[known], strength[~known], alternative="greater").pvalue < 1e-4

    def test_without_bias_they_have_not(self):
        fair = simulate_region(
            n_deposits=200, n_known=100, n_decoys=0, shape=(100, 100), discovery_bias=0
        )
        strength, known = fair.truth.deposits["strength"], fair.occurrences["is_known"]
        assert mannwhitneyu(strength[known], strength[~known]).pvalue > 0.01


def standard_layers(simulated):
    """Standard scores of the logs (n_elements, n_northing, n_easting) of the true map."""
    grid = simulated.truth.on_grid(simulated.grid())
    logs = np.log(np.stack([grid[name].to_numpy() for name in ELEMENTS]))
    away = grid["deposit_distance"].to_numpy() > 3 * simulated.settings.spacing
    return (logs - logs.mean((1, 2), keepdims=True)) / logs.std((1, 2), keepdims=True), away


def neighbourhood(layers):
    """Mean, max and sd in 3x3 and 5x5 cells, and how the rims differ from the middle."""
    columns = []
    for layer in layers:
        mean = {k: uniform_filter(layer, k) for k in (3, 5, 7)}
        columns.append(layer)
        for k in (3, 5):
            spread = np.maximum(uniform_filter(layer**2, k) - mean[k] ** 2, 0)
            columns += [mean[k], maximum_filter(layer, k), np.sqrt(spread)]
        columns += [
            (25 * mean[5] - 9 * mean[3]) / 16 - mean[3],
            (49 * mean[7] - 25 * mean[5]) / 24 - mean[3],
        ]
    return np.stack(columns)


def learn(features, simulated, away):
    """Logistic regression of known deposits against other cells."""
    X, cells = features.reshape(len(features), -1).T, cells_of(simulated)
    rows = np.r_[cells[simulated.occurrences["is_known"]], others_of(away)[:2000]]
    # neighbourhoods have ten times as many columns
    strength = 0.1 if len(features) == len(ELEMENTS) else 0.003
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=500)
    is_ore = np.arange(len(rows)) < simulated.settings.n_known
    return make_pipeline(StandardScaler(), model).fit(X[rows], is_ore)


def score_hidden(scores, simulated, away):
    """AUC of hidden deposits among cells that no model has learnt from."""
    hidden = cells_of(simulated)[~simulated.occurrences["is_known"]]
    rows = np.r_[hidden, others_of(away)[2000:8000]]
    return roc_auc_score(np.arange(len(rows)) < len(hidden), scores[rows])


def cells_of(simulated):
    row, column = (places_of(simulated.occurrences)[:, ::-1].T // 500).astype(int)
    return row * simulated.settings.shape[1] + column


def others_of(away):
    return np.random.default_rng(0).permutation(np.flatnonzero(away.ravel()))


def hidden_scores(simulated):
    layers, away = standard_layers(simulated)
    index = layers[[ELEMENTS.index(name) for name in simulated.pathfinders]].mean(axis=0).ravel()
    found = {"index": score_hidden(index, simulated, away)}
    for name, features in (("point", layers), ("around", neighbourhood(layers))):
        model = learn(features, simulated, away)
        scores = model.decision_function(features.reshape(len(features), -1).T)
        found[name] = score_hidden(scores, simulated, away)
    return found


def test_where_the_pattern_matters_the_neighbourhood_finds_what_points_do_not(pattern):
    scores = hidden_scores(pattern)
    assert scores["around"] > 0.85
    assert scores["around"] > scores["point"] + 0.08
    assert scores["index"] < 0.7


def test_where_single_values_suffice_the_neighbourhood_adds_nothing(value):
    scores = hidden_scores(value)
    assert scores["index"] > 0.88
    assert abs(scores["around"] - scores["index"]) < 0.03
    assert abs(scores["point"] - scores["index"]) < 0.03


def test_a_source_of_the_same_type_finds_deposits_and_one_of_the_other_type_does_not():
    simulated = simulate_region(n_deposits=90, n_known=10, n_decoys=90, shape=(112, 112))
    layers, away = standard_layers(simulated)
    X = neighbourhood(layers).reshape(-1, layers[0].size).T
    found = {}
    for kind in ("same", "other"):
        source = simulated.source(kind)
        theirs, far = standard_layers(source)
        scores = learn(neighbourhood(theirs), source, far).decision_function(X)
        found[kind] = score_hidden(scores, simulated, away)
    assert found["same"] > 0.85
    assert found["other"] < 0.62


def test_without_halos_nothing_is_found():
    bare = simulate_region(
        n_deposits=200, n_known=100, n_decoys=200, shape=(160, 160), halo_factor=0
    )
    scores = hidden_scores(bare)
    assert scores["point"] < 0.62
    assert scores["around"] < 0.65


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plan": "gold"}, "plan"),
        ({"signal": "both"}, "signal"),
        ({"source": "near"}, "source"),
        ({"shape": (20, 100)}, "shape must be two whole numbers"),
        ({"shape": (100.5, 100)}, "shape must be two whole numbers"),
        ({"n_known": 0}, "n_known from 1"),
        ({"n_deposits": 5, "n_known": 6}, "n_known from 1"),
        ({"n_samples": 3}, "n_samples 10 or more"),
        ({"shape": (40, 40)}, "There is room for 36"),
        ({"spacing": 0.0}, "spacing must be positive"),
        ({"halo_factor": -1.0}, "halo_factor must be 0 or more"),
        ({"error_factor": np.nan}, "error_factor must be 0 or more"),
    ],
)
def test_what_cannot_be_simulated_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        simulate_region(**options)


def test_a_source_of_an_unknown_kind_is_refused(small):
    with pytest.raises(ValueError, match="kind"):
        small.source("near")


def test_points_without_a_place_are_refused(small):
    with pytest.raises(ValueError, match="Points must be finite"):
        small.truth.concentrations([[np.nan, 0.0]])
