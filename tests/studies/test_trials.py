"""Trials: what is taught, what is held out, and what fake patterns are."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from gossan.models.label_free import PathfinderIndex
from gossan.models.logistic import PointLogistic
from gossan.studies.judged import field_table, judge_methods, missed_table
from gossan.studies.trials import Cells, Method, Plan, camps_of, deal_blocks, try_fakes, try_method

KM = 1000.0


def make_cells(n_known=24, side=40, seed=0, signal=2.5, n_patterns=3):
    """Cells of a square map; ore raises the first of two channels."""
    rng = np.random.default_rng(seed)
    north, east = np.divmod(np.arange(side * side), side)
    coords = KM * np.column_stack([east, north]).astype(float)
    y = np.zeros(side * side, dtype=np.int64)
    known = rng.choice(len(y), n_known, replace=False)
    y[known] = 1
    windows = rng.normal(size=(len(y), 2, 1, 1)).astype(np.float32)
    windows[known, 0] += signal
    free = np.flatnonzero(y == 0)
    drawn = [rng.choice(free, n_known, replace=False) for _ in range(n_patterns)]
    patterns = np.array(drawn, dtype=np.int64).reshape(n_patterns, n_known)
    places = np.column_stack([north, east])
    return Cells(windows, y, coords, places, np.ones(len(y), dtype=bool), patterns)


PLAN = Plan(n_splits=4, n_repeats=2, block_size=8 * KM, dead_zone=1.5 * KM)


def test_a_planted_signal_is_found_by_every_protocol():
    found = try_method(Method(PointLogistic(), "model"), make_cells(), PLAN)
    assert {name: len(runs) for name, runs in found.items()} == {"fit": 1, "random": 2, "blocks": 2}
    assert all(1.0 - runs.mean() > 0.85 for runs in found.values())


def test_fake_patterns_are_guessed():
    fake = try_fakes(Method(PointLogistic(), "model"), make_cells(n_patterns=8), PLAN)
    assert abs(1.0 - fake["blocks"].mean() - 0.5) < 0.1


def test_training_cells_keep_away_from_test_cells():
    cells = make_cells()
    for repeat in range(3):
        for train, test in deal_blocks(cells, PLAN, repeat)[0]:
            near = cKDTree(cells.coords[test]).query(cells.coords[train])[0]
            assert near.min() > PLAN.dead_zone


def test_cells_that_may_not_teach_are_ranked_but_not_learnt():
    cells = make_cells()
    barred = np.flatnonzero(cells.y == 0)[:300]
    cells.may_teach[barred] = False
    folds = deal_blocks(cells, PLAN, 0)[0]
    assert not any(np.isin(barred, train).any() for train, _ in folds)
    assert np.isin(barred, np.concatenate([test for _, test in folds])).all()


def test_few_occurrences_are_held_out_camp_by_camp():
    cells = make_cells(n_known=6, seed=3)
    folds, blocks = deal_blocks(cells, PLAN, 0)
    assert len(folds) == len(np.unique(blocks[cells.y == 1]))
    tested = np.concatenate([test for _, test in folds])
    assert np.array_equal(np.sort(tested), np.arange(len(cells.y)))


def test_occurrences_in_one_block_cannot_be_held_out():
    cells = make_cells()
    plan = Plan(n_splits=4, n_repeats=1, block_size=1000 * KM, dead_zone=0.0)
    near = np.linalg.norm(cells.coords - cells.coords[0], axis=1) < 9 * KM
    cells.y[:] = 0
    cells.y[np.flatnonzero(near)[:20]] = 1
    with pytest.raises(ValueError, match="Set a smaller block_size"):
        deal_blocks(cells, plan, 0)


def test_a_fake_pattern_leaves_the_real_occurrences_out():
    cells = make_cells()
    fake = cells.as_fake(cells.patterns[0])
    assert fake.y.sum() == len(cells.patterns[0])
    real = {tuple(place) for place in cells.places[cells.y == 1]}
    assert not real & {tuple(place) for place in fake.places}
    wanted = {tuple(place) for place in cells.places[cells.patterns[0]]}
    assert wanted == {tuple(place) for place in fake.places[fake.y == 1]}


def test_near_occurrences_are_one_camp():
    cells = make_cells(n_known=4, seed=1)
    cells.coords[cells.occurrences] = [[0, 0], [3 * KM, 0], [6 * KM, 0], [30 * KM, 0]]
    assert len(set(camps_of(cells, PLAN))) == 2  # a block is 8 km


def test_a_belt_of_occurrences_is_more_than_one_camp():
    cells = make_cells(n_known=9, seed=1)
    cells.coords[cells.occurrences] = [[3 * KM * number, 0.0] for number in range(9)]
    camps = camps_of(cells, PLAN)
    widths = [np.ptp(cells.coords[cells.occurrences][camps == camp, 0]) for camp in set(camps)]
    assert max(widths) <= 8 * KM
    assert len(set(camps)) >= 3


def test_the_verdict_has_its_tables_and_a_failing_method_is_told():
    class Refuses(PointLogistic):
        def fit(self, *_, **__):
            raise ValueError("no luck")

    methods = {
        "distance": Method(PathfinderIndex([1]), "baseline"),
        "index": Method(PathfinderIndex([0]), "label-free"),
        "line": Method(PointLogistic(), "model", field=1),
        "broken": Method(Refuses(), "model", field=3),
    }
    cells = make_cells()
    judged = judge_methods(
        cells, methods, PLAN, silent=("distance",), label_free="index", area_km2=1600.0
    )
    assert judged.choice.method in ("index", "line")
    assert judged.notes == ["broken could not be tried: no luck"]
    assert set(judged.null["method"]) >= {"distance", "index"}
    assert "supported area" in judged.sentence
    names = [f"pit {number}" for number in range(24)]
    missed = missed_table(judged, names, cells.coords[cells.occurrences], np.ones(24, dtype=int))
    assert (np.diff(missed["share"]) <= 0).all()
    assert field_table(judged, {"line": 1, "broken": 3}) is None
    assert field_table(judged, {"line": 1, "index": 3})["field"].tolist() == [1, 3]


def test_a_wish_for_a_method_is_kept():
    methods = {
        "index": Method(PathfinderIndex([0]), "label-free"),
        "line": Method(PointLogistic(), "model"),
    }
    judged = judge_methods(
        make_cells(n_patterns=0), methods, PLAN, silent=(), label_free="index", area_km2=1.0,
        choose="line",
    )  # fmt: skip
    assert judged.choice.method == "line"
    assert "as the study file asks" in judged.choice.why
    assert not len(judged.null)
