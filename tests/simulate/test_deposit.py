import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import spearmanr

from gossan.data.grids.grid import cell_centres
from gossan.data.holes.reading import read_drillholes
from gossan.simulate._bands import draw_bands, line_covariance
from gossan.simulate._faults import Sheet, mesh
from gossan.simulate._halos import ELEMENTS, combine, halo_of
from gossan.simulate._orebodies import Body, body_index, ore_margin
from gossan.simulate._plans import PLANS
from gossan.simulate._rocks import Stock
from gossan.simulate._sample_stops import Stretch, find_stretches, sample_stops
from gossan.simulate.deposit import simulate_deposit

TABLES = ("collar", "survey", "assay", "lithology")


@pytest.fixture(scope="module")
def simulated():
    return simulate_deposit()


@pytest.fixture(scope="module")
def small():
    return simulate_deposit("small")


@pytest.fixture(scope="module")
def messy():
    return simulate_deposit("small", messy=True)


@pytest.fixture(scope="module", params=["sheeted", "conjugate", "random", "small"])
def other(request):
    return simulate_deposit(request.param, random_state=2)


def random_points(simulated, n, seed=1):
    """Points below the ground, evenly spread over the box."""
    plan = simulated.truth.world.plan
    points = np.random.default_rng(seed).uniform(plan.low, plan.high, (n, 3))
    return points[simulated.truth.is_ground(points)]


def tables_of(simulated):
    return {name: getattr(simulated, name) for name in TABLES}


class TestFields:
    def test_fields_have_the_covariance_that_was_asked_for(self):
        rng = np.random.default_rng(0)
        fields = draw_bands((45.0, 45.0, 70.0), 12, np.array([900.0, 900.0, 900.0]), rng)
        points = rng.uniform(0.0, 900.0, (20_000, 3))
        values = fields.at(points)
        assert_allclose(values.var(axis=0), 1.0, atol=0.08)
        for lag in (5.0, 15.0, 30.0):
            for step in ([lag, 0, 0], [0, 0, lag * 70 / 45]):
                covariance = np.mean(values * fields.at(points + step))
                assert covariance == pytest.approx(np.exp(-3 * lag / 45), abs=0.02)

    def test_a_value_is_the_same_alone_or_in_a_batch(self):
        rng = np.random.default_rng(0)
        fields = draw_bands((50.0, 50.0, 50.0), 2, np.array([300.0] * 3), rng, kind="gaussian")
        points = rng.uniform(-50.0, 350.0, (40_000, 3))
        assert_allclose(fields.at(points)[[7, 39_999]], fields.at(points[[7, 39_999]]), atol=1e-6)

    def test_turning_a_line_covariance_gives_the_one_in_space(self):
        # C(h) = ∫ C1(h s) ds over s from 0 to 1
        shares = (np.arange(4000) + 0.5) / 4000
        assert np.mean(line_covariance("exponential", 0.8 * shares)) == pytest.approx(np.exp(-0.8))
        assert np.mean(line_covariance("gaussian", 0.8 * shares)) == pytest.approx(np.exp(-0.64))


class TestFaults:
    def test_a_sheet_that_strikes_north_dips_east(self):
        sheet = Sheet("A", (0.0, 0.0, 0.0), strike=0.0, dip=60.0)
        half, root = 0.5, np.sqrt(0.75)
        assert_allclose(sheet.axes, [[0, 1, 0], [-half, 0, root], [root, 0, half]], atol=1e-12)
        # 10 m east of a plane that dips 60° is 10 sin 60° from it
        assert_allclose(sheet.distance(sheet.own(np.array([[10.0, 5.0, 0.0]]))), 10 * root)

    def test_beyond_its_edge_a_sheet_is_as_far_as_its_edge(self):
        sheet = Sheet("A", (0.0, 0.0, 0.0), 0.0, 90.0, half_length=100.0, half_height=50.0)
        points = np.array([[3.0, 104.0, 0.0], [0.0, 0.0, -80.0], [12.0, 104.0, 53.0]])
        assert_allclose(sheet.distance(sheet.own(points)), [5.0, 30.0, 13.0])

    def test_bending_makes_the_main_fault_gentler_above_and_steeper_below(self):
        main = PLANS["zaozigou"].faults[0]
        u = np.zeros(2)
        for v, dip in ((400.0, 82 - 5.03), (-400.0, 82 + 5.03)):
            top, foot = main.place(u, np.array([v + 1.0, v - 1.0]))
            flat = np.linalg.norm((top - foot)[:2])
            assert np.degrees(np.arctan2((top - foot)[2], flat)) == pytest.approx(dip, abs=0.05)
            assert (top - foot)[0] > 0 > (top - foot)[1]  # up is south-east: it dips north-west

    def test_places_and_coordinates_of_a_sheet_undo_each_other(self, simulated):
        sheet = simulated.truth.world.faults[0]
        own = np.random.default_rng(0).uniform(-300.0, 300.0, (50, 3))
        assert_allclose(sheet.own(sheet.place(*own.T)), own, atol=1e-9)

    def test_distance_from_a_waving_fault_is_that_from_its_triangles(self, simulated):
        fault = simulated.truth.world.faults[0]
        corners = mesh(fault, 6.0).vertices
        points = fault.place(*np.array([[100.0, 40.0, 12.0], [-200.0, 150.0, -25.0]]).T)
        nearest = [np.linalg.norm(corners - point, axis=1).min() for point in points]
        assert_allclose(fault.distance(fault.own(points)), nearest, rtol=0.06)

    def test_interpreted_faults_are_about_ten_metres_off(self, simulated):
        truth = simulated.truth
        misses = [truth.distance_to_fault(fault.vertices, fault.name) for fault in simulated.faults]
        assert 6.0 < np.mean(np.concatenate(misses)) < 14.0
        assert max(each.max() for each in misses) < 80.0

    def test_interpreted_faults_are_triangles_inside_the_rock(self, simulated):
        plan = simulated.truth.world.plan
        assert [fault.name for fault in simulated.faults] == [f"F{k}" for k in range(1, 10)]
        for fault, true in zip(simulated.faults, simulated.truth.world.faults, strict=True):
            corners = fault.vertices[fault.triangles]
            assert np.unique(fault.triangles).tolist() == list(range(len(fault.vertices)))
            middles = corners.mean(axis=1)
            assert ((middles > plan.low) & (middles < plan.high)).all()
            assert simulated.truth.is_ground(middles).all()
            normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            assert (normals @ true.axes[2] > 0).all()
            assert 600 < np.linalg.norm(normals, axis=1).max() / 2 < 1000  # half of 40 x 40 m


class TestOre:
    BODY = Body("B", 0, 0.0, 0.0, 200.0, 150.0, 15.0, grade=1.0, breadth=0.75, is_blind=False)

    def test_a_body_is_as_thick_as_its_formula_says(self):
        frame = np.array([[0, 0, 0.0], [0.6, 0, 0], [0, 0.8, 10.0], [0.999, 0, 0], [1.2, 0, 0]])
        margin = ore_margin(self.BODY, frame, np.zeros(5))
        # 15 sqrt(1 - 0.36), 15 sqrt(1 - 0.64) - 10, thinner than 2 m, beyond the end
        assert_allclose(margin, [15.0, 12.0, -1.0, 0.0, 0.0])
        raised = ore_margin(self.BODY, frame[-1:], np.array([2.0]))
        assert_allclose(raised, 15 * np.sqrt(1 - 1.44 + 0.7))

    def test_the_deeper_of_two_bodies_owns_a_place(self):
        frames = [np.array([[0.0, 0, 8.0]]), np.array([[0.0, 0, 3.0]])]
        assert body_index([self.BODY] * 2, frames, np.zeros(1)).tolist() == [1]
        assert body_index([self.BODY] * 2, [frames[0] + 20] * 2, np.zeros(1)).tolist() == [-1]

    def test_a_halo_falls_by_e_over_its_reach(self):
        frame = np.array([[0.0, 0.75, 0.0], [0.0, 0.75, 28.0], [0.0, 0.0, 0.0], [0.75, 0.75, 0.0]])
        arsenic = halo_of(self.BODY, frame, np.full(4, 0.35))[:, ELEMENTS.index("As")]
        # 50 backgrounds at its own level, where 0.7 * 0.35 = 0.245
        assert_allclose(arsenic, [50.0, 50 / np.e, 50 * np.exp(-0.5), 50 * np.exp(-0.5)])

    def test_about_1_3_percent_of_the_rock_is_ore(self, simulated, other):
        for each in (simulated, other):
            assert 0.010 < each.truth.is_ore(random_points(each, 60_000)).mean() < 0.017

    def test_volumes_of_bodies_add_up_to_the_ore(self, simulated):
        plan = simulated.truth.world.plan
        points = np.random.default_rng(3).uniform(plan.low, plan.high, (150_000, 3))
        share = simulated.truth.is_ore(points).mean()
        box = float(np.prod(plan.high - plan.low))
        assert simulated.truth.bodies["volume"].sum() == pytest.approx(share * box, rel=0.07)

    def test_half_of_the_bodies_are_blind_and_deep(self, simulated):
        bodies = simulated.truth.bodies
        assert bodies["is_blind"].sum() == 5 == len(bodies) / 2
        assert bodies.loc[bodies["is_blind"], "elevation"].max() < 2500
        assert bodies.loc[~bodies["is_blind"], "elevation"].min() > 2780

    def test_gold_in_ore_is_rich(self, simulated):
        truth = simulated.truth
        points = random_points(simulated, 60_000)
        ore = points[truth.is_ore(points)]
        gold = truth.concentrations(ore)[:, ELEMENTS.index("Au")]
        assert np.median(gold) == pytest.approx(2600, rel=0.3)
        assert np.log(gold).std() == pytest.approx(0.95, rel=0.2)

    def test_ore_lies_on_faults_unless_it_is_told_not_to(self, simulated):
        free = simulate_deposit("small", is_fault_bound=False, random_state=3)
        assert (free.truth.bodies["fault"] == "").all()
        points = random_points(free, 60_000)
        ore = free.truth.is_ore(points)
        distance = free.truth.distance_to_faults(points)
        assert np.median(distance[ore]) > 0.4 * np.median(distance)
        bound = random_points(simulated, 60_000)
        ore = bound[simulated.truth.is_ore(bound)]
        assert np.median(simulated.truth.distance_to_faults(ore)) < 10


class TestChemistry:
    def test_a_concentration_is_background_where_nothing_else_is(self):
        parts = {
            "common": np.zeros((4, 4)),
            "own": np.zeros((4, 12)),
            "halos": np.zeros((4, 12)),
            "fault_distance": np.array([np.inf, 0.0, np.inf, np.inf]),
            "intrusion_distance": np.array([np.inf, np.inf, 0.0, np.inf]),
            "rocks": np.zeros(4, dtype=np.int64),
        }
        parts["halos"][3] = 9.0
        found = pd.DataFrame(combine(**parts), columns=ELEMENTS)
        assert_allclose(found.loc[0, ["Ag", "Au", "Hg"]].to_numpy(dtype=float), [0.07, 2.0, 20.0])
        assert_allclose(found.loc[1, "Hg"], 20 * 5)  # 1 + 4 on a fault
        assert_allclose(found.loc[2, "W"], 1.8 * 10)
        assert_allclose(found.loc[3, "Zn"], 75 * 10)

    def test_logs_of_the_background_scatter_as_planned(self, simulated):
        truth = simulated.truth
        points = random_points(simulated, 40_000)
        far = points[truth.distance_to_faults(points) > 110]
        assert len(far) > 2000
        logs = pd.DataFrame(np.log(truth.concentrations(far)), columns=ELEMENTS)
        for name in ("Zn", "Co", "Cu"):  # whose halos are weak
            assert logs[name].mean() == pytest.approx(
                np.log(truth.effects.loc[name, "background"]), abs=0.15
            )
            assert logs[name].std() == pytest.approx(truth.effects.loc[name, "spread"], rel=0.2)
        assert logs["Zn"].corr(logs["Co"]) == pytest.approx(0.55 * 0.6, abs=0.12)

    def test_the_sequence_of_zoning_is_found_again_in_the_truth(self, simulated, other):
        for each in (simulated, other):
            truth = each.truth
            points = random_points(each, 40_000)
            excess = truth.concentrations(points) - truth.effects["background"].to_numpy()
            weight, moment = np.zeros(12), np.zeros(12)
            for body in range(len(truth.bodies)):
                r, t, n = truth.ore_frame(points, body).T
                near = (np.abs(r) < 1) & (np.abs(t) < 2) & (np.abs(n) < 40)
                mass = np.maximum(excess[near], 0.0)
                weight, moment = weight + mass.sum(axis=0), moment + mass.T @ t[near]
            assert spearmanr(moment / weight, truth.effects["level"])[0] > 0.93

    def test_the_zoning_is_that_of_the_literature(self, simulated):
        assert " ".join(simulated.truth.zoning) == "Hg Sb As Ag Pb Zn Au Cu Co W Bi Mo"

    def test_a_barren_intrusion_is_rich_in_tungsten_and_bismuth_but_not_in_gold(self, simulated):
        truth = simulated.truth
        stock = next(each for each in truth.world.plan.stocks if each.is_barren)
        turn = np.random.default_rng(0).standard_normal((4000, 3))
        turn /= np.linalg.norm(turn, axis=1)[:, None]
        shell = np.asarray(stock.centre) + turn * stock.semi_axes
        shell = shell[shell[:, 2] > 2000]
        median = pd.Series(np.median(truth.concentrations(shell), axis=0), index=ELEMENTS)
        assert (median / truth.effects["background"])[["W", "Bi", "Mo"]].min() > 5
        assert (median / truth.effects["background"])["Au"] < 3

    def test_distance_from_a_stock_is_hand_worked(self):
        stock = Stock("granodiorite", (0.0, 0.0, 0.0), (100.0, 100.0, 100.0))
        found = stock.distance(np.array([[130.0, 0, 0], [0, 0, -60.0], [0, 100.0, 0], [0, 0, 0]]))
        assert_allclose(found, [30.0, 40.0, 0.0, 100.0], atol=1e-4)


class TestPlaces:
    def test_truth_is_a_function_of_position(self, small):
        points = random_points(small, 3000)
        values = small.truth.concentrations(points)
        assert_allclose(small.truth.concentrations(points[::-1])[::-1], values, rtol=1e-5)
        assert_array_equal(small.truth.body_index(points)[:9], small.truth.body_index(points[:9]))

    def test_there_is_nothing_above_the_ground(self, small):
        points = np.array([[300.0, 250.0, 3195.0]])
        assert np.isnan(small.truth.concentrations(points)).all()
        assert small.truth.lithology(points).tolist() == [""]
        assert not small.truth.is_ore(points).any()

    def test_the_ground_is_the_published_formula(self, simulated):
        level = 3080 + 55 * np.sin(0.4) + 25 * np.sin(0.0)
        assert simulated.truth.ground_level(0.0, 0.0) == pytest.approx(level)
        assert simulated.truth.ground_level(310.0, 290.0) == pytest.approx(
            3080 + 55 * np.sin(1.4) * np.cos(290 / 270) + 25 * np.sin(4.0)
        )
        centres = cell_centres(simulated.ground)
        assert_allclose(
            simulated.ground["elevation"].to_numpy().ravel(),
            simulated.truth.ground_level(*centres.T),
        )

    def test_a_grid_holds_the_truth_at_its_centres(self, small):
        grid = small.truth.on_grid(small.grid(30.0))
        cell = {"elevation": 5, "northing": 4, "easting": 9}
        at = np.array(
            [[float(grid[axis][cell[axis]]) for axis in ("easting", "northing", "elevation")]]
        )
        assert float(grid["As"].isel(cell)) == pytest.approx(small.truth.concentrations(at)[0, 1])
        assert grid["Au"].attrs["units"] == "ppb"
        assert_array_equal(grid["is_ore"].to_numpy(), grid["body"].to_numpy() >= 0)
        assert np.isnan(grid["Au"].to_numpy()[~grid["is_ground"].to_numpy()]).all()

    def test_rocks_are_those_of_the_plan(self, simulated):
        rocks = pd.Series(simulated.truth.lithology(random_points(simulated, 30_000)))
        shares = rocks.value_counts(normalize=True)
        assert set(shares.index) == {"slate", "diorite porphyrite", "granodiorite", "dyke"}
        assert 0.75 < shares["slate"] < 0.95
        assert shares.min() > 0.01

    def test_a_displaced_deposit_is_the_other_one_moved_down_its_last_fault(self, small):
        moved = simulate_deposit("small", displacement=40.0)
        fault = small.truth.world.faults[-1]
        points = random_points(small, 4000)
        down = -40.0 * fault.axes[1]
        hanging = fault.own(points)[:, 2] > 0
        now = points + hanging[:, None] * down
        safe = moved.truth.is_ground(now) & (np.abs(fault.own(points)[:, 2]) > 40)
        assert 0.2 < hanging.mean() < 0.8
        assert down[2] < -30
        assert_allclose(
            moved.truth.concentrations(now[safe]),
            small.truth.concentrations(points[safe]),
            rtol=1e-4,
        )


class TestHoles:
    def test_the_default_has_72_holes_and_5028_samples(self, simulated):
        assert len(simulated.collar) == simulated.collar["hole"].nunique() == 72
        assert len(simulated.assay) == len(simulated.samples) == len(simulated.censored) == 5028

    def test_other_plans_have_as_many_samples_as_they_say(self, other):
        expected = (18, 750) if len(other.collar) == 18 else (72, 5028)
        assert (len(other.collar), len(other.assay)) == expected

    def test_samples_are_ten_metres_at_most_and_short_in_ore(self, simulated):
        length = simulated.assay["to"] - simulated.assay["from"]
        assert length.max() <= 10.0
        assert length.min() >= 0.9
        ore = simulated.samples["ore_share"] == 1
        assert length[ore].max() <= 4.0
        assert length[ore].mean() < 2.5 < length[~ore].mean()
        for _, hole in simulated.assay.groupby("hole"):
            assert_allclose(hole["from"].iloc[1:], hole["to"].iloc[:-1])
        depth = simulated.collar.set_index("hole")["depth"]
        assert_allclose(simulated.assay.groupby("hole")["to"].max(), depth)
        assert depth.between(180, 900).all()

    def test_holes_start_on_the_ground_and_are_steep(self, simulated):
        collar = simulated.collar
        level = simulated.truth.ground_level(collar["easting"], collar["northing"])
        assert_allclose(collar["elevation"], level, atol=0.02)
        first = simulated.survey.groupby("hole").first()
        assert first["depth"].eq(0).all()
        assert first["dip"].between(-87, -61).all()

    def test_holes_hit_the_shallow_bodies_and_no_blind_one(self, simulated, other):
        for each in (simulated, other):
            hit = set(each.samples["body"]) - {-1}
            shallow = np.flatnonzero(~each.truth.bodies["is_blind"])
            assert hit == set(shallow.tolist())

    def test_surveys_every_forty_metres_are_a_little_wrong(self, simulated):
        inner = simulated.survey.groupby("hole")["depth"].diff().dropna()
        assert (inner[inner < 40] > 9.9).all()
        assert inner.max() == 40
        points = simulated.drillholes().points()
        axes = ["easting", "northing", "elevation"]
        off = np.linalg.norm(points[axes].to_numpy() - simulated.samples[axes].to_numpy(), axis=1)
        assert 0.01 < np.median(off) < 2.0
        assert off.max() < 8.0

    def test_clean_tables_read_without_a_fault(self, simulated):
        tables = tables_of(simulated)
        holes = read_drillholes(
            tables.pop("collar"), tables.pop("survey"), **tables, dip="down_negative"
        )
        assert holes.report.findings.empty
        assert holes.units["assay"] == simulated.units
        assert simulated.drillholes().report.of_severity("error").empty

    def test_limits_are_reported_and_known(self, simulated):
        effects = simulated.truth.effects
        for header in simulated.censored.columns:
            name, unit = header.split("_")
            assert unit == simulated.units[name]
            hidden = simulated.censored[header]
            assert (simulated.assay.loc[hidden, header] == effects.loc[name, "limit"]).all()
            assert (simulated.assay.loc[~hidden, header] >= effects.loc[name, "limit"]).all()
        holes = simulated.drillholes()
        assert_array_equal(holes.censored["assay"].to_numpy(), simulated.censored.to_numpy())
        assert 0.02 < simulated.censored["Ag_ppm"].mean() < 0.3

    def test_assays_differ_from_the_truth_by_their_error(self, simulated):
        for name in ("Au", "As", "Zn"):
            header = f"{name}_{simulated.units[name]}"
            seen = ~simulated.censored[header]
            error = np.log(simulated.assay[header] / simulated.samples[name])[seen]
            assert error.std() == pytest.approx(simulated.truth.effects.loc[name, "error"], rel=0.1)

    def test_a_sample_is_the_mean_of_the_truth_along_it(self):
        exact = simulate_deposit("small", error_factor=0, limit_factor=0)
        assert not exact.censored.to_numpy().any()
        assert_allclose(exact.assay["Zn_ppm"], exact.samples["Zn"], rtol=6e-3)
        middles = exact.samples[["easting", "northing", "elevation"]].to_numpy()
        assert_array_equal(
            exact.samples["body"] >= exact.truth.body_index(middles), np.ones(len(middles), bool)
        )

    def test_the_log_of_rocks_is_the_truth(self, simulated):
        log = simulated.lithology
        for _, hole in log.groupby("hole"):
            assert_allclose(hole["from"].iloc[1:], hole["to"].iloc[:-1])
            assert (hole["lithology"].iloc[1:].to_numpy() != hole["lithology"].iloc[:-1]).all()
        axes = ["easting", "northing", "elevation"]
        true = simulated.truth.lithology(simulated.samples[axes].to_numpy())
        middle = (simulated.assay["from"] + simulated.assay["to"]).to_numpy() / 2
        rows = dict(iter(log.groupby("hole")))
        logged = [
            hole["lithology"].iloc[int(np.searchsorted(hole["to"], depth))]
            for hole, depth in zip(
                (rows[name] for name in simulated.assay["hole"]), middle, strict=True
            )
        ]
        assert np.mean(np.array(logged) == true) > 0.98

    def test_fewer_aimed_holes_hit_less_ore(self, simulated):
        sparse = simulate_deposit(aimed_share=0.2)
        assert len(sparse.assay) == 5028
        ore = [(each.samples["ore_share"] > 0).mean() for each in (sparse, simulated)]
        assert ore[0] < 0.5 * ore[1]

    def test_the_deep_hole_reaches_the_bottom(self):
        deep = simulate_deposit("small", has_deep_hole=True)
        assert len(deep.collar) == 18
        last = deep.samples[deep.samples["hole"] == "ZK018"]
        assert last["elevation"].min() < deep.truth.world.plan.low[2] + 60

    def test_numbers_of_holes_and_samples_are_exact(self):
        few = simulate_deposit("small", n_holes=6, n_samples=301)
        assert (len(few.collar), len(few.assay)) == (6, 301)

    def test_the_same_seed_gives_the_same_tables(self, small, messy):
        again = simulate_deposit("small", random_state=np.random.default_rng(0))
        for name in TABLES:
            pd.testing.assert_frame_equal(getattr(small, name), getattr(again, name))
        assert_array_equal(small.faults[0].vertices, again.faults[0].vertices)
        other = simulate_deposit("small", random_state=1)
        assert not np.allclose(small.collar["easting"], other.collar["easting"])
        pd.testing.assert_frame_equal(small.samples, messy.samples)


class TestStops:
    def test_waste_is_divided_evenly(self):
        hole = (Stretch(0.0, 25.0, is_near=False),)
        stops = sample_stops([hole], 3, is_exact=True, rng=np.random.default_rng(0))
        assert_allclose(stops[0], [0.0, 8.3, 16.7, 25.0])

    def test_the_longest_stretch_is_divided_first(self):
        hole = tuple(Stretch(a, b, is_near=False) for a, b in ((0.0, 9.0), (9.0, 17.0)))
        stops = sample_stops([hole], 3, is_exact=True, rng=np.random.default_rng(0))
        assert_allclose(stops[0], [0.0, 4.5, 9.0, 17.0])

    def test_ore_is_divided_into_one_to_three_metres(self):
        hole = (Stretch(0.0, 40.0, is_near=True), Stretch(40.0, 60.0, is_near=False))
        stops = sample_stops([hole], 25, is_exact=False, rng=np.random.default_rng(0))[0]
        ore = np.diff(stops[stops <= 40.0])
        assert ore.min() >= 1.0
        assert ore.max() < 4.0

    def test_what_lies_beside_ore_is_sampled_like_it(self):
        is_ore = np.zeros(50, dtype=bool)
        is_ore[20:25] = True  # 40 to 50 m
        assert find_stretches(is_ore, 2.0, 100.0) == (
            Stretch(0.0, 36.0, is_near=False),
            Stretch(36.0, 54.0, is_near=True),
            Stretch(54.0, 100.0, is_near=False),
        )


class TestMess:
    def test_the_reader_finds_what_was_planted(self, messy):
        findings = messy.drillholes().report.findings
        planted = messy.defects[
            ~messy.defects["kind"].isin(["missing cell", "limit as text", "wrong unit"])
        ]
        assert planted["kind"].nunique() == 13
        for one in planted.itertuples():
            alike = findings[(findings["kind"] == one.kind)]
            if one.kind == "no survey":
                assert one.hole in alike["hole"].tolist()
                continue
            alike = alike[alike["table"] == one.table]
            assert one.row + 2 in alike["row"].tolist(), one  # the header is row 1
            if one.kind != "unknown hole":
                assert alike.loc[alike["row"] == one.row + 2, "hole"].tolist() == [one.hole]

    def test_nothing_else_is_an_error(self, messy):
        errors = messy.drillholes().report.of_severity("error")
        assert set(errors["kind"]) <= set(messy.defects["kind"])

    def test_gold_of_one_hole_is_in_another_unit(self, small, messy):
        hole = messy.defects.set_index("kind").loc["wrong unit", "hole"]
        spoilt = pd.to_numeric(
            messy.assay.loc[messy.assay["hole"] == hole, "Au_ppb"], errors="coerce"
        )
        clean = small.assay.loc[small.assay["hole"] == hole, "Au_ppb"]
        assert spoilt.median() == pytest.approx(clean.median() / 1000, rel=0.05)

    def test_missing_cells_and_limits_are_text(self, messy):
        for one in messy.defects[messy.defects["kind"] == "missing cell"].itertuples():
            assert messy.assay.loc[one.row, one.column] in ("", "-9999")
        for one in messy.defects[messy.defects["kind"] == "limit as text"].itertuples():
            assert messy.assay[one.column].str.match("<|-").any()


class TestFiles:
    def test_written_tables_read_back(self, small, tmp_path):
        paths = small.write(tmp_path / "deposit")
        holes = read_drillholes(
            *(paths[name] for name in ("collar", "survey")),
            assay=paths["assay"],
            lithology=paths["lithology"],
            dip="down_negative",
        )
        assert holes.report.of_severity("error").empty
        assert_allclose(holes.intervals["assay"]["Au"], small.assay["Au_ppb"])
        assert_array_equal(holes.censored["assay"]["Ag"], small.censored["Ag_ppm"])

    def test_faults_and_ground_are_written(self, small, tmp_path):
        paths = small.write(tmp_path)
        corners = pd.read_csv(paths["faults"])
        first = small.faults[0]
        own = corners[corners["fault"] == first.name]
        assert len(own) == 3 * len(first.triangles)
        expected = first.vertices[first.triangles].reshape(-1, 3)
        assert_allclose(own[["easting", "northing", "elevation"]], expected, atol=0.006)
        assert len(pd.read_csv(paths["ground"])) == small.ground["elevation"].size

    def test_a_messy_campaign_is_written_as_it_is(self, messy, tmp_path):
        paths = messy.write(tmp_path)
        holes = read_drillholes(
            paths["collar"], paths["survey"], assay=paths["assay"], dip="down_negative"
        )
        assert len(holes.report.of_kind("unknown hole")) > 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"plan": "smal"}, "Did you mean 'small'"),
        ({"n_holes": 2}, "n_holes must be 4 or more"),
        ({"n_samples": 20, "plan": "small"}, "n_samples must lie between"),
        ({"aimed_share": 1.5}, "aimed_share must lie between"),
        ({"displacement": -3.0}, "displacement must lie between"),
        ({"error_factor": -1.0}, "error_factor and limit_factor"),
        ({"plan": "small", "n_holes": 8, "messy": True}, "messy=True needs 17 holes"),
    ],
)
def test_what_cannot_be_simulated(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_deposit(**arguments)


def test_points_must_have_three_coordinates(small):
    with pytest.raises(ValueError, match="Points must be finite"):
        small.truth.concentrations([[1.0, 2.0]])
    with pytest.raises(ValueError, match="Did you mean 'F1'"):
        small.truth.distance_to_fault([[0.0, 0.0, 2900.0]], "f1")
