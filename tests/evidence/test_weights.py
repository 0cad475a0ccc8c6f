"""Weights of evidence against numbers by hand, laws, a planted truth and published tables."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import expit, logit

from gossan import datasets
from gossan._checks import GossanWarning
from gossan.data.grids.files import read_grid
from gossan.data.grids.grid import add_layer, cell_centres, make_grid
from gossan.evidence.occurrences import count_in_cells
from gossan.evidence.posterior import add_posterior, combine_evidence, pairwise_independence
from gossan.evidence.weights import EvidencePattern, evidence_weights, weights_of_counts

CLONCURRY = "cloncurry_iocg_wofe"
COLUMNS = {
    "area": "AREA_SQ_KM",
    "deposits": "NO_POINTS",
    "w_plus": "WPLUS",
    "s_plus": "S_WPLUS",
    "w_minus": "WMINUS",
    "s_minus": "S_WMINUS",
    "contrast": "CONTRAST",
    "s_contrast": "S_CONTRAST",
    "studentised": "STUDC",
}


def world(n=40_000, seed=0, prior=0.004, *, copied=False):
    """Two binary layers and deposits drawn with known weights; `copied`: the second is the first."""
    rng = np.random.default_rng(seed)
    first = rng.random(n) < 0.2
    second = first if copied else rng.random(n) < 0.4
    deposits = rng.random(n) < expit(logit(prior) + 1.8 * first + 0.9 * second)
    return {"first": first * 1.0, "second": second * 1.0}, deposits.astype(float)


def fit(layers, deposits):
    weights = {name: evidence_weights(values, deposits) for name, values in layers.items()}
    return {name: each.pattern() for name, each in weights.items()}


class TestCounts:
    def test_by_hand(self):
        # 10 of 20 deposits in 100 of 1000 units: 0.5/(90/980), 0.5/(890/980).
        row = weights_of_counts([100], [10], area=1000, n_deposits=20).iloc[0]
        assert row["w_plus"] == pytest.approx(np.log(0.5 * 980 / 90))
        assert row["w_minus"] == pytest.approx(np.log(0.5 * 980 / 890))
        assert row["contrast"] == pytest.approx(np.log(890 / 90))
        assert row["s_plus"] == pytest.approx(np.sqrt(1 / 10 + 1 / 90))
        assert row["s_minus"] == pytest.approx(np.sqrt(1 / 10 + 1 / 890))
        assert row["studentised"] == pytest.approx(
            np.log(890 / 90) / np.sqrt(0.2 + 1 / 90 + 1 / 890)
        )

    @given(st.integers(1, 19), st.integers(1, 900), st.integers(1, 900))
    def test_in_and_out_swap_their_weights(self, hits, barren_in, barren_out):
        area = 20 + barren_in + barren_out
        inside = weights_of_counts([hits + barren_in], [hits], area=area, n_deposits=20).iloc[0]
        outside = weights_of_counts(
            [area - hits - barren_in], [20 - hits], area=area, n_deposits=20
        ).iloc[0]
        assert outside["w_plus"] == pytest.approx(inside["w_minus"], abs=1e-9)
        assert outside["contrast"] == pytest.approx(-inside["contrast"], abs=1e-9)
        # The contrast is the log odds ratio of the four counts.
        odds = hits * barren_out / ((20 - hits) * barren_in)
        assert inside["contrast"] == pytest.approx(np.log(odds), abs=1e-9)

    def test_a_class_without_deposits(self):
        def row(correction):
            table = weights_of_counts([100], [0], area=1000, n_deposits=20, correction=correction)
            return table.iloc[0]

        half = row("half")
        assert half["w_plus"] == pytest.approx(np.log((0.5 / 21) / (100.5 / 981)))
        assert half["s_plus"] == pytest.approx(np.sqrt(2 + 1 / 100.5))
        assert row("arcsdm")["w_plus"] == 0
        assert np.isnan(row("none")["w_plus"])
        assert half["deposits"] == 0
        assert half["area"] == 100


class TestLayers:
    def test_ordered_evidence_is_accumulated_from_its_favourable_end(self):
        values = np.array([1.0, 2, 2, 3, 3, 3, 3, 3, 3, 3])
        deposits = np.array([1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
        low = evidence_weights(values, deposits, kind="ascending").table
        high = evidence_weights(values, deposits, kind="descending").table
        assert low.index.tolist() == [1, 2, 3]
        assert low["area"].tolist() == [1, 3, 10]
        assert low["deposits"].tolist() == [1, 2, 2]
        assert high.index.tolist() == [3, 2, 1]
        assert high["area"].tolist() == [7, 9, 10]
        assert high["deposits"].tolist() == [0, 1, 2]

    def test_cuts_choose_rows_of_the_full_table(self):
        rng = np.random.default_rng(0)
        values = rng.integers(0, 50, 5000) * 100.0
        deposits = (rng.random(5000) < 0.01 * np.exp(-values / 1000)).astype(float)
        for kind in ("ascending", "descending"):
            full = evidence_weights(values, deposits, kind=kind).table
            cuts = full.index.to_numpy()[5::9]
            some = evidence_weights(values, deposits, kind=kind, cuts=cuts).table
            pd.testing.assert_frame_equal(some.loc[cuts], full.loc[cuts])
            assert len(evidence_weights(values, deposits, kind=kind, cuts=10).table) <= 11

    def test_a_planted_threshold_is_found(self):
        rng = np.random.default_rng(1)
        distance = rng.uniform(0, 10_000, 60_000).round(-2)
        deposits = (rng.random(60_000) < np.where(distance <= 1500, 0.02, 0.002)).astype(float)
        weights = evidence_weights(distance, deposits, kind="ascending")
        assert weights.best_threshold() == pytest.approx(1500, abs=200)
        row = weights.table.loc[1500.0]
        assert row["contrast"] == pytest.approx(logit(0.02) - logit(0.002), abs=0.4)
        pattern = weights.pattern()
        assert pattern.threshold == weights.best_threshold()
        np.testing.assert_array_equal(pattern.codes([0.0, 9000.0, np.nan]), [0, 1, -1])

    def test_missing_evidence_is_left_out_and_counted(self):
        values = np.array([1.0, 1, 2, 2, 2, 2, np.nan, np.nan])
        deposits = np.array([1.0, 0, 1, 0, 0, 0, 1, 0])
        with pytest.warns(GossanWarning, match="1 of 3 deposits lie where the evidence is missing"):
            weights = evidence_weights(values, deposits)
        assert (weights.n_missing, weights.n_deposits_missing) == (2, 1)
        assert (weights.area, weights.n_deposits, weights.prior) == (6, 2, 1 / 3)

    def test_the_unit_area_hardly_moves_the_weights(self):
        layers, deposits = world(200_000, prior=0.0005)
        fine = evidence_weights(layers["first"], deposits, cell_area=1.0).table
        coarse = evidence_weights(layers["first"], deposits, cell_area=0.25).table
        assert_allclose(fine["contrast"], coarse["contrast"], atol=0.05)

    def test_classes_near_no_contrast_can_be_silenced(self):
        layers, deposits = world()
        rng = np.random.default_rng(5)
        noise = evidence_weights(rng.integers(0, 2, len(deposits)), deposits)
        assert (noise.pattern(least_studentised=3).table["weight"] == 0).all()
        loud = evidence_weights(layers["first"], deposits).pattern(least_studentised=3)
        assert (loud.table["weight"] != 0).all()
        assert np.isnan(noise.best_threshold())


class TestPosterior:
    def test_by_hand_with_a_missing_layer(self):
        def pattern(plus, minus, share):
            index = ["in", "out"]
            table = pd.DataFrame(
                {"weight": [plus, minus], "s_weight": [0.3, 0.1], "share": [share, 1 - share]},
                index,
            )
            return EvidencePattern("ascending", 0.5, table)

        patterns = {"a": pattern(1.0, -0.4, 0.3), "b": pattern(0.6, -0.2, 0.25)}
        layers = {"a": np.array([0.0, 1.0, np.nan]), "b": np.array([0.0, np.nan, np.nan])}
        answer = combine_evidence(layers, patterns, n_deposits=25, prior=0.02)
        first, second = expit(logit(0.02) + 1.6), expit(logit(0.02) - 0.4)
        assert_allclose(answer.probability, [first, second, np.nan])
        told = expit(logit(second) + np.array([0.6, -0.2]))
        missing = 0.25 * (told[0] - second) ** 2 + 0.75 * (told[1] - second) ** 2
        expected = [
            first * np.sqrt(1 / 25 + 0.09 + 0.09),
            np.sqrt(second**2 * (1 / 25 + 0.01) + missing),
            np.nan,
        ]
        assert_allclose(answer.std, expected)
        assert answer.conditions["cells"].sum() == 2
        assert_allclose(sorted(answer.conditions["std_missing"]), [0, np.sqrt(missing)])

    def test_independent_layers_give_back_the_planted_odds_and_the_deposits(self):
        layers, deposits = world(200_000)
        answer = combine_evidence(layers, fit(layers, deposits), n_deposits=deposits.sum())
        both = (layers["first"] == 1) & (layers["second"] == 1)
        assert answer.probability[both].mean() == pytest.approx(expit(logit(0.004) + 2.7), rel=0.15)
        tests = answer.independence()
        assert tests["ratio"] == pytest.approx(1, abs=0.05)
        assert tests["p_value"] > 0.05
        assert pairwise_independence(layers, fit(layers, deposits), deposits)["p_value"][0] > 0.01

    def test_a_layer_given_twice_is_found_out(self):
        layers, deposits = world(copied=True)
        answer = combine_evidence(layers, fit(layers, deposits), n_deposits=deposits.sum())
        tests = answer.independence()
        assert tests["ratio"] < 0.85
        assert tests["p_value"] < 0.05
        pair = pairwise_independence(layers, fit(layers, deposits), deposits)
        assert pair["p_value"][0] < 1e-6
        assert pair["deposits"][0] == deposits.sum()

    def test_one_layer_adds_up_to_its_deposits(self):
        # With one layer there is nothing to depend on: P sums to n but for the prior's odds.
        layers, deposits = world()
        patterns = fit({"first": layers["first"]}, deposits)
        answer = combine_evidence(layers, patterns, n_deposits=deposits.sum())
        assert answer.expected == pytest.approx(deposits.sum(), rel=1e-9)

    def test_chi_squared_by_hand(self):
        pattern = EvidencePattern(
            "categorical", np.nan, pd.DataFrame({"weight": [0.0, 0.0]}, index=[0.0, 1.0])
        )
        first, second = (
            np.repeat([0.0, 0, 1, 1], [12, 5, 3, 10]),
            np.repeat([0.0, 1] * 2, [12, 5, 3, 10]),
        )
        answer = pairwise_independence(
            {"a": first, "b": second}, {"a": pattern, "b": pattern}, np.ones(30)
        ).iloc[0]
        expected = 30 * (abs(12 * 10 - 5 * 3) - 15) ** 2 / (17 * 13 * 15 * 15)  # Yates
        assert answer["chi2"] == pytest.approx(expected)
        assert answer["df"] == 1

    def test_a_grid_gets_probability_and_error(self):
        grid = make_grid((0, 200, 0, 200), 1)
        layers, deposits = world(40_000)
        for name, values in layers.items():
            grid = add_layer(grid, name, values)
        patterns = fit(layers, deposits)
        answer, posterior = add_posterior(grid, patterns, n_deposits=deposits.sum())
        assert_allclose(answer["posterior"].to_numpy(), posterior.probability)
        assert_allclose(answer["posterior_std"].to_numpy(), posterior.std)
        assert posterior.prior == deposits.sum() / 40_000


class TestOccurrences:
    def test_each_centre_lies_in_its_own_cell_of_a_turned_grid(self):
        for elevations in (None, (0, 30)):
            grid = make_grid((0, 50, 0, 30), 10, elevations=elevations, rotation=25)
            assert (count_in_cells(grid, cell_centres(grid)) == 1).all()

    def test_points_outside_are_counted(self):
        grid = make_grid((0, 20, 0, 20), 10)
        with pytest.warns(GossanWarning, match="2 of 4 points lie outside"):
            counts = count_in_cells(grid, [[1, 1], [2, 2], [-1, 5], [np.nan, 5]])
        assert counts.tolist() == [[2, 0], [0, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evidence_weights([1, 2], [1]), "Evidence has shape"),
        (lambda: evidence_weights([1, 2], [1, -1]), "Deposits must be counts, got 1"),
        (lambda: evidence_weights([1, 2], [0, 0]), "need a deposit in the known area"),
        (lambda: evidence_weights([1, 2], [1, 1]), "2 deposits do not fit into 2 unit areas"),
        (lambda: evidence_weights([1, 2], [1, 0], cell_area=0), "cell_area must be positive"),
        (lambda: evidence_weights([1, 2], [1, 0], kind="up"), "kind must be one of"),
        (
            lambda: evidence_weights(np.arange(9000), np.arange(9000) == 3, kind="ascending"),
            "9000 different values, more than 5000. Give cuts",
        ),
        (
            lambda: evidence_weights([1, 2, 3], [1, 0, 0], kind="ascending").pattern(2.5),
            "Threshold 2.5 is not among the 3 values",
        ),
        (lambda: combine_evidence({}, {}, n_deposits=1), "Each pattern needs a layer"),
        (lambda: count_in_cells(make_grid((0, 9, 0, 9), 3), [[1, 2, 3]]), r"shape \(n, 2\)"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_layers_that_do_not_match_are_refused():
    layers, deposits = world(500, prior=0.05)
    patterns = fit(layers, deposits)
    short = {"first": layers["first"], "second": layers["second"][:-1]}
    with pytest.raises(ValueError, match="Layers differ in shape"):
        combine_evidence(short, patterns, n_deposits=9)
    with pytest.raises(ValueError, match="Layer 'second' has 499 cells"):
        pairwise_independence(short, patterns, deposits)
    empty = dict.fromkeys(layers, np.full(3, np.nan))
    with pytest.raises(ValueError, match="No cell has evidence"):
        combine_evidence(empty, patterns, n_deposits=9)
    with pytest.raises(ValueError, match="prior must be between 0 and 1, got 18"):
        combine_evidence(layers, patterns, n_deposits=9000)


# Published: GeoscienceAustralia/MPM-WofE (2023), TESTDATA.


@pytest.fixture(scope="module")
def cloncurry():
    """Return a reader of published maps and tables, and the deposits; skip where they are absent."""
    pytest.importorskip("rasterio", reason="the published maps are GeoTIFF; install gossan[gis]")
    geopandas = pytest.importorskip("geopandas", reason="the deposits are a Shapefile")
    try:
        points = datasets.find(CLONCURRY, "CalculateWeights/IOCG_Deposits.shp", download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    geometry = geopandas.read_file(points).geometry
    deposits = np.column_stack([geometry.x, geometry.y])

    def read(folder, name, table):
        file = datasets.find(CLONCURRY, f"{folder}/{name}.tif", download=False)
        with warnings.catch_warnings(action="ignore"):
            grid = read_grid(file)
        layer = next(iter(grid.data_vars))
        answer = pd.read_csv(datasets.find(CLONCURRY, f"{folder}/{name}_{table}.csv"), index_col=0)
        return grid, grid[layer].to_numpy().astype(float), answer.set_index("CLASS")

    return read, deposits


@pytest.mark.parametrize(
    ("name", "kind", "table"),
    [
        ("Dist2Breccia", "ascending", "CA"),
        ("FaultDensity", "descending", "CD"),
        ("StratNo", "categorical", "CT"),
    ],
)
def test_published_weights_to_the_last_digit(cloncurry, name, kind, table):
    read, deposits = cloncurry
    grid, values, published = read("CalculateWeights", name, table)
    weights = evidence_weights(
        values, count_in_cells(grid, deposits), kind=kind, cell_area=0.01, correction="arcsdm"
    )
    assert weights.table.index.tolist() == published.index.tolist()
    assert weights.n_deposits == 258
    for ours, theirs in COLUMNS.items():
        assert_allclose(weights.table[ours], published[theirs], rtol=1e-9, atol=1e-9, err_msg=ours)
    if kind != "categorical":
        # They cut where the plain contrast is greatest, and say themselves that it is too wide.
        pattern = weights.pattern(criterion="contrast")
        assert_allclose(pattern.table["weight"], published["WEIGHT"].iloc[[0, -1]], rtol=1e-9)
        assert_allclose(pattern.table["s_weight"], published["W_STD"].iloc[[0, -1]], rtol=1e-9)


def test_published_posterior_probability_and_its_error(cloncurry):
    read, deposits = cloncurry
    layers, patterns = {}, {}
    for name in ("Dist2Breccia", "Dist2Fault", "FaultDensity", "StratNo"):
        grid, values, published = read("CalculateResponse", name, "CT")
        counts = count_in_cells(grid, deposits)
        weights = evidence_weights(values, counts, cell_area=0.01)
        layers[name], patterns[name] = values, weights.pattern()
        assert_allclose(patterns[name].table["weight"], published["WEIGHT"], rtol=1e-9)
    answer = combine_evidence(layers, patterns, n_deposits=258, cell_area=0.01)
    for found, file in (
        (answer.probability, "PosteriorProbability"),
        (answer.std, "PosteriorProbability_StdDev"),
    ):
        path = datasets.find(CLONCURRY, f"CalculateResponse/{file}.tif")
        with warnings.catch_warnings(action="ignore"):
            theirs = read_grid(path)
        assert_allclose(found, theirs[next(iter(theirs.data_vars))].to_numpy(), rtol=2e-5)
    # Two maps of faults: their sum overstates, as the omnibus test says.
    assert answer.independence()["ratio"] < 1
