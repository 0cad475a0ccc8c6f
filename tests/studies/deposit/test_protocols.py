"""Folds hide what they say, and a cell is never judged by what it was learned from."""

from dataclasses import replace

import numpy as np
import pytest

from gossan.studies.deposit import protocols
from gossan.studies.deposit.protocols import (
    LEAKS,
    OF_PROTOCOL,
    Drilled,
    block_folds,
    depth_folds,
    hole_folds,
    paper_folds,
    truth_folds,
)


@pytest.fixture(scope="module")
def drilled():
    """Twenty upright holes on a grid; ore at the same depth in every other one."""
    x, y = np.meshgrid(np.arange(5) * 100.0, np.arange(4) * 100.0)
    depths = np.arange(20) * 10.0
    coords = np.array(
        [[a, b, -d] for a, b in zip(x.ravel(), y.ravel(), strict=True) for d in depths]
    )
    holes = np.repeat(np.arange(20), 20)
    is_rich = (holes % 2 == 0) & (np.abs(coords[:, 2] + 95) < 40)
    grades = np.where(is_rich, 5.0, 0.1)
    steps = np.arange(-20, 421, 20.0)
    places = np.stack(np.meshgrid(steps, steps[:18], np.arange(-190, 1, 10.0)), axis=-1).reshape(
        -1, 3
    )
    return Drilled(places, coords, grades, holes, cutoff=1.0, reach=25.0)


def test_the_published_way_hides_no_hole(drilled):
    (fold,) = paper_folds(drilled)
    assert fold.composites.all()
    barren = np.flatnonzero(fold.labels == 0)
    assert len(np.intersect1d(fold.train, barren)) == int(0.7 * len(barren))
    assert set(np.flatnonzero(fold.labels == 1)) <= set(fold.test)


def test_cells_of_hidden_holes_are_tested_and_never_trained_on(drilled):
    folds = hole_folds(drilled, n_splits=4)
    assert sum(len(np.unique(drilled.holes[~fold.composites])) for fold in folds) == 20
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        nearest = np.argmin(
            np.linalg.norm(drilled.places[fold.test][:, None] - drilled.coords, axis=2), axis=1
        )
        assert not fold.composites[nearest].any()
        assert 0 < fold.prevalence < 1


def test_labels_of_training_cells_do_not_know_the_hidden_grades(drilled):
    (first, *_) = hole_folds(drilled, n_splits=4)
    changed = np.where(first.composites, drilled.grades, 99.0)
    other = protocols._fold(replace(drilled, grades=changed), first.composites)
    np.testing.assert_array_equal(first.train, other.train)
    np.testing.assert_array_equal(first.labels[first.train], other.labels[other.train])


def test_a_dead_zone_lies_round_blocks(drilled):
    for fold in block_folds(drilled, size=150.0, dead_zone=110.0, n_splits=3):
        if len(fold.test):
            gap = np.linalg.norm(
                drilled.places[fold.test][:, None, :2] - drilled.coords[fold.composites][:, :2],
                axis=2,
            ).min()
            assert gap > 110.0 - 25.0


def test_below_is_learned_from_above(drilled):
    (fold,) = depth_folds(drilled, share=0.5, dead_zone=20.0)
    assert (
        drilled.coords[fold.composites][:, 2].min() > drilled.places[fold.test][:, 2].max() - 20.0
    )
    assert drilled.places[fold.test][:, 2].max() < -70.0


def test_the_truth_is_asked_far_from_samples(drilled):
    (fold,) = truth_folds(drilled, lambda places: places[:, 2] < -100, clearance=30.0)
    nearest = np.linalg.norm(drilled.places[fold.test][:, None] - drilled.coords, axis=2).min(
        axis=1
    )
    assert nearest.min() > 30.0
    np.testing.assert_array_equal(fold.labels[fold.test], drilled.places[fold.test][:, 2] < -100)
    assert not set(fold.train) & set(fold.test)


def test_a_fold_without_composites_is_refused(drilled):
    with pytest.raises(ValueError, match="to learn from"):
        block_folds(drilled, size=150.0, dead_zone=1e6, n_splits=3)


def test_every_leak_of_a_protocol_has_a_name():
    for leaks in OF_PROTOCOL.values():
        assert set(leaks) <= set(LEAKS)
    assert set(OF_PROTOCOL["holes"]) < set(OF_PROTOCOL["paper"])
