"""Folds dealt, kept and used again, in one process or two; what could not be run is told."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gossan.studies.deposit import validation
from gossan.studies.deposit.methods import RECOMMENDED
from gossan.studies.deposit.protocols import Fold, hole_folds
from gossan.studies.deposit.sections import PROTOCOLS
from gossan.studies.deposit.trust import Campaign
from gossan.studies.deposit.validation import (
    deal_folds,
    fingerprint_grid,
    score_folds,
    validate,
)
from gossan.studies.run_folder import RunFolder

QUICK = {"names": ("kriged ore", "boosted trees", "maxent"), "seeds": [0], "most_cells": 80}


@pytest.fixture(scope="module")
def folds(campaign):
    return {"holes": hole_folds(campaign.drilled(), n_splits=3)}


@pytest.fixture(scope="module")
def told(campaign, folds):
    return score_folds(campaign, folds, **QUICK)


def without(campaign, kept):
    """Return the campaign with some composites only."""
    return replace(campaign, composites=campaign.composites[kept].reset_index(drop=True))


def test_every_protocol_has_folds_with_ore_on_both_sides(campaign):
    folds, notes = deal_folds(campaign, PROTOCOLS, n_splits=3)
    assert list(folds) == list(PROTOCOLS)
    for some in folds.values():
        for fold in some:
            for part in (fold.train, fold.test):
                assert {0, 1} <= set(fold.labels[part])
    assert all("have no ore to find" in note for note in notes)


def test_there_are_no_more_folds_than_holes_with_ore(campaign):
    rich = campaign.composites["Au"] >= campaign.cutoff
    names = campaign.composites.loc[rich, "hole"].value_counts().index[:3]
    some = without(campaign, ~rich | campaign.composites["hole"].isin(names))
    folds, _ = deal_folds(some, ["holes"], n_splits=10)
    assert len(folds["holes"]) == 3


def test_one_hole_with_ore_leaves_no_fold_of_holes_and_says_so(campaign):
    rich = campaign.composites["Au"] >= campaign.cutoff
    first = campaign.composites.loc[rich, "hole"].iloc[0]
    some = without(campaign, ~rich | (campaign.composites["hole"] == first))
    folds, notes = deal_folds(some, ["paper", "holes"], n_splits=5)
    assert list(folds) == ["paper"]
    assert "'holes' could not be run" in notes[0]


def test_ore_at_one_level_leaves_no_fold_of_depth_and_says_so(campaign):
    level = campaign.composites["elevation"].median() + 50.0
    deep = (campaign.composites["Au"] >= campaign.cutoff) & (
        campaign.composites["elevation"] < level
    )
    folds, notes = deal_folds(without(campaign, ~deep), ["depth"], n_splits=3)
    assert folds == {}
    assert notes == ["The protocol 'depth' could not be run: no fold has ore on both sides."]


def test_blocks_that_leave_nothing_to_learn_from_are_told(campaign):
    folds, notes = deal_folds(campaign, ["blocks"], block_size=1e5)
    assert folds == {}
    assert notes[0].startswith("The protocol 'blocks' could not be run: ")


def test_a_fold_that_learns_from_one_hole_is_left_out(campaign, monkeypatch):
    (lone, *others) = hole_folds(campaign.drilled(), n_splits=3)
    hole = campaign.composites.loc[campaign.composites["Au"] >= campaign.cutoff, "hole"].iloc[0]
    kept = (campaign.composites["hole"] == hole).to_numpy()
    made = [replace(lone, composites=kept), *others]
    monkeypatch.setattr(validation, "hole_folds", lambda *_, **__: made)
    folds, notes = deal_folds(campaign, ["holes"])
    assert len(folds["holes"]) == 2
    assert "holes: 1 of 3 folds" in notes[0]


def test_a_grid_one_block_wide_has_blocks_too(campaign):
    slim = replace(campaign, grid=campaign.grid.isel(easting=slice(10, 11)))
    slim.grid["easting"].attrs["spacing"] = 30.0
    folds, notes = deal_folds(slim, ["blocks"])
    assert folds or notes


def assert_same(one, other):
    for first, second in zip(one["holes"], other["holes"], strict=True):
        for name, array in first.arrays().items():
            assert_array_equal(array, second.arrays()[name], err_msg=name)


def others(campaign: Campaign, fold: Fold):
    """Return what the scores of a fold depend on, changed one by one."""
    table, grid = campaign.composites, campaign.grid
    moved = grid.assign_coords(easting=grid["easting"] + 1.0)
    near = grid.assign(fault_distance=grid["fault_distance"] + 1.0)
    yield "grades", replace(campaign, composites=table.assign(Hg=table["Hg"] * 1.01)), fold, {}
    yield "places", replace(campaign, grid=moved), fold, {}
    yield "faults", replace(campaign, grid=near), fold, {}
    yield (
        "indicators",
        replace(campaign, settings=replace(campaign.settings, tail=("W",))),
        fold,
        {},
    )
    yield "fewer train", campaign, replace(fold, train=fold.train[1:]), {}
    yield "labels", campaign, replace(fold, labels=np.abs(fold.labels)), {}
    yield "seeds", campaign, fold, {"seeds": [1]}
    yield "names", campaign, fold, {"names": ("kriged ore",)}
    yield "cells", campaign, fold, {"most_cells": 81}


def test_a_changed_setting_is_not_answered_from_an_old_run(campaign, folds, tmp_path, monkeypatch):
    calls = []
    fold = folds["holes"][0]
    empty = validation.FoldScores(
        np.zeros(0, bool), np.zeros(0, "U1"), np.zeros(0, int), np.zeros((0, 0), np.float32),
        np.zeros(0, "U1"), np.zeros(0, int),
    )  # fmt: skip
    monkeypatch.setattr(validation, "score_fold", lambda *_, **__: calls.append(1) or empty)
    score_folds(campaign, {"holes": [fold]}, **QUICK, folder=RunFolder(tmp_path))
    for what, other, changed, options in others(campaign, fold):
        n_calls = len(calls)
        score_folds(other, {"holes": [changed]}, **{**QUICK, **options}, folder=RunFolder(tmp_path))
        assert len(calls) == n_calls + 1, what
    score_folds(campaign, {"depth": [fold]}, **QUICK, folder=RunFolder(tmp_path))
    assert len(calls) == n_calls + 2


def test_a_run_that_was_killed_between_folds_goes_on_where_it_was(
    campaign, folds, told, tmp_path, monkeypatch
):
    calls = []

    def dies(_, fold, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        number = next(n for n, each in enumerate(folds["holes"]) if each is fold)
        return told["holes"][number]

    monkeypatch.setattr(validation, "score_fold", dies)
    with pytest.raises(KeyboardInterrupt):
        score_folds(campaign, folds, **QUICK, folder=RunFolder(tmp_path))
    assert_same(score_folds(campaign, folds, **QUICK, folder=RunFolder(tmp_path)), told)
    assert len(calls) == 4  # one before, one that died, two after
    folder = RunFolder(tmp_path)
    assert_same(score_folds(campaign, folds, **QUICK, folder=folder), told)
    assert len(calls) == 4
    assert folder.reused == ["holes_0", "holes_1", "holes_2"]


@pytest.mark.slow
def test_two_processes_find_what_one_does(campaign, folds):
    some = {"holes": folds["holes"][:2]}
    options = {**QUICK, "names": ("boosted trees", "held-out trees"), "most_cells": 50}
    assert_same(*(score_folds(campaign, some, **options, n_jobs=n) for n in (1, 2)))


def test_what_was_found_is_judged_in_tables(campaign, folds, told, monkeypatch):
    monkeypatch.setattr(validation, "score_folds", lambda *_, **__: told)
    options = {**QUICK, "n_nulls": 9, "n_jobs": 1}
    trust = validate(campaign, folds, **options, choose="maxent", notes=["A."])
    assert trust.chosen == "maxent"
    assert trust.advice == "'maxent' makes the map, as the study file asks."
    assert set(trust.scores["method"]) == set(QUICK["names"])
    assert trust.comparisons["method"].tolist() == ["maxent"]
    assert len(trust.folds) == 9
    assert trust.null["method"].tolist() == ["maxent", "kriged ore", "boosted trees"]
    assert trust.notes == ["A."]
    baseline = validate(campaign, folds, **options, choose="kriged ore")
    assert baseline.null["method"].tolist() == ["kriged ore", "boosted trees"]


def test_a_baseline_that_beats_the_recommended_method_makes_the_map(
    campaign, folds, told, monkeypatch
):
    def renamed(fold):
        sure = np.where(fold.is_ore, 1.0, 0.0).astype(np.float32)
        names = {"maxent": RECOMMENDED, "boosted trees": "distance to sample"}
        return replace(
            fold,
            methods=np.array([names.get(name, name) for name in fold.methods]),
            scores=np.array([sure if name == "kriged ore" else -sure for name in fold.methods]),
        )

    found = {"holes": [renamed(fold) for fold in told["holes"]]}
    monkeypatch.setattr(validation, "score_folds", lambda *_, **__: found)
    options = {**QUICK, "n_nulls": 0, "n_jobs": 1}
    assert validate(campaign, folds, **options, choose="").chosen == "kriged ore"
    assert validate(campaign, folds, **options, choose=RECOMMENDED).chosen == RECOMMENDED


def test_without_protocols_the_recommended_method_makes_the_map(campaign):
    trust = validate(campaign, {}, **QUICK, choose="", n_nulls=9, n_jobs=1)
    assert trust.chosen == RECOMMENDED
    assert "nothing was held out" in trust.advice
    assert not len(trust.scores)


def test_a_grid_is_known_by_its_axes_and_layers(campaign):
    grid = campaign.grid
    same = fingerprint_grid(grid.copy(deep=True))
    assert fingerprint_grid(grid) == same
    assert fingerprint_grid(grid.assign_coords(northing=grid["northing"] + 1.0)) != same
    assert fingerprint_grid(grid.drop_vars("fault_buffer")) != same


@pytest.mark.parametrize(("n_ore", "is_enough"), [(0, False), (1, False), (2, True)])
def test_a_fold_learns_from_several_cells_of_ore_or_not_at_all(campaign, n_ore, is_enough):
    fold, *_ = hole_folds(campaign.drilled(), n_splits=3)
    ore = fold.train[fold.labels[fold.train] == 1]
    poor = fold.labels.copy()
    poor[ore[n_ore:]] = 0
    fewer = replace(fold, labels=poor)
    assert validation._can_learn(campaign.drilled(), fewer) is is_enough
