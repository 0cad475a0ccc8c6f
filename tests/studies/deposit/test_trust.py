"""What a fold is scored by knows nothing of what is held out; in the published way it does."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gossan.sampling.cells import ORE
from gossan.studies.deposit import methods
from gossan.studies.deposit.methods import METHODS, RANDOM
from gossan.studies.deposit.protocols import block_folds, depth_folds, hole_folds, paper_folds
from gossan.studies.deposit.sections import PROTOCOLS
from gossan.studies.deposit.trust import cells_of_rock, make_lessons, possible, score_fold
from gossan.studies.deposit.validation import deal_folds

TABLES = ("kriged ore", "distance to fault", "distance to sample", "boosted trees", "maxent")


@pytest.fixture(scope="module")
def fold(campaign):
    return max(hole_folds(campaign.drilled(), n_splits=3), key=lambda each: each.prevalence)


def spoilt(campaign, hidden):
    """Return the campaign with the analyses of some composites mixed up and raised at random."""
    rng = np.random.default_rng(0)
    table = campaign.composites.copy()
    rows = np.flatnonzero(hidden)
    names = list(campaign.elements)
    mixed = table.loc[rng.permutation(rows), names].to_numpy()
    table.loc[rows, names] = mixed * rng.lognormal(2.0, 1.0, mixed.shape)
    return replace(campaign, composites=table)


@pytest.mark.slow
def test_no_method_sees_the_grades_that_are_held_out(campaign, fold, monkeypatch):
    monkeypatch.setattr(methods, "SHOWN", 1)
    other = spoilt(campaign, ~fold.composites)
    found, again = (
        score_fold(each, fold, protocol="holes", seeds=[0], most_cells=150)
        for each in (campaign, other)
    )
    assert set(found.methods) == set(METHODS)
    for name, first, second in zip(found.methods, found.scores, again.scores, strict=True):
        assert np.isfinite(first).all(), name
        assert np.ptp(first) > 0, name
        assert_array_equal(first, second, err_msg=name)
    assert_array_equal(found.is_ore, again.is_ore)


def test_nor_in_blocks_and_at_depth(campaign):
    drilled = campaign.drilled()
    blocks = block_folds(drilled, size=200.0, dead_zone=60.0, n_splits=2)
    for each in (max(blocks, key=lambda some: len(some.test)), *depth_folds(drilled)):
        asked = replace(each, test=each.test[:50])
        found, again = (
            score_fold(
                some, asked, protocol="blocks", names=("kriged ore", "held-out trees"), seeds=[0],
                most_cells=50,
            )
            for some in (campaign, spoilt(campaign, ~each.composites))
        )  # fmt: skip
        assert_array_equal(found.scores, again.scores)


def test_what_is_learned_from_has_no_trace_of_the_held_out_grades(campaign, fold):
    lessons = [
        make_lessons(each, fold, seeds=[3], most_cells=100)[3]
        for each in (campaign, spoilt(campaign, ~fold.composites))
    ]
    first, second = lessons
    assert_array_equal(first.volume, second.volume)
    assert_array_equal(first.cells, second.cells)
    assert_array_equal(first.labels, second.labels)
    for name, layer in first.layers.items():
        assert_array_equal(layer, second.layers[name], err_msg=name)
    assert first.held_out().table.equals(second.held_out().table)
    assert set(first.groups) <= set(campaign.composites["hole"][fold.composites])


def test_the_published_way_sees_them(campaign):
    (paper,) = paper_folds(campaign.drilled())
    names = ("kriged ore", "maxent", "held-out trees")
    found, again = (
        score_fold(each, paper, protocol="paper", names=names, seeds=[0], most_cells=150)
        for each in (campaign, spoilt(campaign, campaign.composites["hole"] == "ZK001"))
    )
    for first, second in zip(found.scores, again.scores, strict=True):
        assert not np.allclose(first, second)


def test_the_published_way_flatters_kriged_ore(campaign):
    def auc(protocol, folds):
        shares = []
        for each in folds:
            told = score_fold(campaign, each, protocol=protocol, names=TABLES[:1], seeds=[0])
            ore, barren = told.scores[0][told.is_ore], told.scores[0][~told.is_ore]
            shares += [(barren < score).mean() for score in ore]
        return np.mean(shares)

    drilled = campaign.drilled()
    assert auc("paper", paper_folds(drilled)) > 0.97
    assert auc("holes", hole_folds(drilled, n_splits=3)) < 0.9


def test_the_published_way_scales_by_all_cells_and_the_others_by_training_cells(campaign, fold):
    train = tuple(cells_of_rock(campaign, fold.train).T)
    rock = campaign.grid["rock"].to_numpy()
    for is_published, inside in ((False, train), (True, rock)):
        lesson = make_lessons(campaign, fold, is_published=is_published, most_cells=50)[0]
        for channel in lesson.volume:
            assert_allclose([channel[inside].min(), channel[inside].max()], [0.0, 1.0])


def test_a_cell_that_is_not_asked_for_changes_no_score(campaign, fold):
    """The cube is kriged near the cells that are asked about: elsewhere nothing is lost."""
    some = replace(fold, test=fold.test[::3])
    options = {"protocol": "holes", "names": TABLES, "seeds": [0], "most_cells": 80}
    every, part = (score_fold(campaign, each, **options) for each in (fold, some))
    assert_allclose(part.scores, every.scores[:, ::3], rtol=1e-5)


def test_each_cell_is_told_by_the_composite_that_labels_it(campaign):
    drilled = campaign.drilled()
    is_rich = drilled.grades >= drilled.cutoff
    folds, _ = deal_folds(campaign, PROTOCOLS, n_splits=3)
    assert list(folds) == list(PROTOCOLS)
    for protocol, some in folds.items():
        for each in some:
            told = score_fold(
                campaign, each, protocol=protocol, names=["distance to sample"], seeds=[0],
                most_cells=20,
            )  # fmt: skip
            assert_array_equal(told.is_ore, each.labels[each.test] == ORE)
            assert_array_equal(is_rich[told.composites], told.is_ore)
            assert_array_equal(drilled.holes[told.composites], told.holes)


def test_random_methods_have_a_run_a_seed_and_the_others_one(campaign, fold):
    found = score_fold(
        campaign, fold, protocol="holes", names=("kriged ore", "boosted trees", "maxent"),
        seeds=[4, 5], most_cells=60,
    )  # fmt: skip
    runs = list(zip(found.methods, found.seeds, strict=True))
    assert sorted(runs) == [
        ("boosted trees", 4),
        ("boosted trees", 5),
        ("kriged ore", 4),
        ("maxent", 4),
    ]
    assert "maxent" not in RANDOM
    assert found.scores.shape == (4, len(fold.test))


def test_training_cells_are_drawn_evenly_over_holes(campaign, fold):
    lesson = make_lessons(campaign, fold, most_cells=20)[0]
    labels = fold.labels[fold.train]
    assert (lesson.labels == 1).sum() == (labels == ORE).sum()
    near = campaign.drilled().label(fold.composites).groups[fold.train][labels == 0]
    there = dict(zip(*np.unique(near, return_counts=True), strict=True))
    drawn = dict(
        zip(*np.unique(lesson.groups[lesson.labels == 0], return_counts=True), strict=True)
    )
    assert sum(drawn.values()) == 20
    most = max(drawn.values())
    assert all(drawn.get(hole, 0) >= min(there[hole], most - 1) for hole in there)


def test_a_fold_with_nothing_to_find_has_no_scores(campaign, fold):
    found = score_fold(campaign, replace(fold, test=fold.test[:0]), protocol="holes")
    assert found.scores.shape == (0, 0)
    assert len(found.methods) == len(found.is_ore) == 0


def test_without_faults_their_distance_is_no_method(campaign, fold):
    bare = replace(campaign, grid=campaign.grid.drop_vars(["fault_distance", "fault_buffer"]))
    found = score_fold(
        bare, fold, protocol="holes", names=("distance to fault", "held-out trees"), seeds=[0],
        most_cells=60,
    )  # fmt: skip
    assert list(found.methods) == ["held-out trees"]
    assert possible(TABLES, {}) == [name for name in TABLES if name != "distance to fault"]
