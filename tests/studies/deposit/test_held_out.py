"""Evidence of a training cell is what it would be had the hole beside it not been drilled."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from gossan.sampling.cells import ORE
from gossan.studies.deposit import held_out
from gossan.studies.deposit.held_out import (
    ABOVE,
    LEVELS,
    N_HIDDEN,
    Evidence,
    held_out_rows,
    near_columns,
)
from gossan.studies.deposit.indicators import indicator_table, ore_variogram

NEAR = ["ore", "near", "front_tail", "factor", "fault distance", "sample distance"]


@pytest.fixture(scope="module")
def evidence(campaign):
    model = ore_variogram(campaign.composites, "Au").model
    return Evidence(campaign.composites, campaign.elements, campaign.settings, model)


@pytest.fixture(scope="module")
def cells(campaign):
    """Return places, labels, holes and distances to faults of some training cells."""
    drilled = campaign.drilled()
    told = drilled.label(np.ones(len(drilled.coords), dtype=bool))
    ore, barren = np.flatnonzero(told.labels == ORE), np.flatnonzero(told.labels == 0)[::4]
    rows = np.concatenate([ore, barren])
    faults = campaign.grid["fault_distance"].to_numpy().ravel()[campaign.rock_cells()]
    return drilled.places[rows], told.labels[rows], told.groups[rows], faults[rows]


@pytest.fixture(scope="module")
def rows(evidence, cells):
    return held_out_rows(evidence, *cells, random_state=1)


def raised(evidence, hidden):
    """Return the evidence with other grades in some composites."""
    table = evidence.composites.copy()
    names = list(evidence.elements)
    table.loc[hidden, names] = table.loc[hidden, names].to_numpy()[::-1] * 7.0
    return replace(evidence, composites=table)


def test_columns_are_those_from_near_by_and_those_around(rows, campaign):
    names = list(rows.table)
    assert near_columns(names) == names[: len(NEAR)] == NEAR
    around = [name for name in names if name not in NEAR]
    assert len(around) == 4 * len(campaign.elements)
    assert {"around Hg", "around Hg, 60 m", "around Hg, 150 m", "around Hg, above"} <= set(around)
    assert np.isfinite(rows.table.to_numpy()).all()


def test_each_cell_stands_once_for_its_hole_and_once_for_each_level_above_it(rows, cells, evidence):
    places, labels, *_ = cells
    counts = np.bincount(rows.rows, minlength=len(places))
    levels = np.quantile(evidence.composites["elevation"], LEVELS)
    below = [places[:, 2] < level for level in levels]
    asked = sum(part.astype(int) for part in below if labels[part].sum() >= held_out.LEAST_ORE)
    assert_array_equal(counts, 1 + asked)
    assert len(rows.table) == len(rows.rows)


@pytest.mark.parametrize("number", [0, 20, -1])
def test_the_grades_of_its_own_hole_change_nothing(rows, evidence, cells, number):
    hole = cells[2][number]
    changed = held_out_rows(
        raised(evidence, evidence.composites["hole"] == hole), *cells, random_state=1
    )
    own = np.flatnonzero(cells[2] == hole)
    once = np.flatnonzero(np.isin(rows.rows, own))
    first = once[np.unique(rows.rows[once], return_index=True)[1]]  # the row of its hole
    pd.testing.assert_frame_equal(rows.table.iloc[first], changed.table.iloc[first])
    others = np.setdiff1d(np.arange(len(rows.rows)), once)
    assert not rows.table.iloc[others].equals(changed.table.iloc[others])


def test_the_rows_of_a_level_know_nothing_below_it(rows, evidence, cells):
    level = np.quantile(evidence.composites["elevation"], LEVELS[0])
    changed = held_out_rows(
        raised(evidence, evidence.composites["elevation"] < level), *cells, random_state=1
    )
    n_levels = len(rows.rows) - len(cells[0])
    pd.testing.assert_frame_equal(rows.table[-n_levels:], changed.table[-n_levels:])


def test_evidence_at_a_composite_is_its_own(evidence):
    coords = evidence.composites[["easting", "northing", "elevation"]].to_numpy()[:5]
    table = evidence.at(coords, None)
    assert "fault distance" not in table
    assert_array_equal(table["sample distance"], 0.0)
    own = np.log(evidence.composites["Au"].to_numpy()[:5])
    far = np.abs(own - np.log(evidence.composites["Au"]).mean())
    assert (np.abs(table["ore"] - own) <= far + 1e-9).all()


def test_above_looks_above(evidence):
    """Only what lies above has changed: the mean above hears of it, that below does not."""
    coords = evidence.composites[["easting", "northing", "elevation"]].to_numpy()
    place = np.array([[*coords[:, :2].mean(axis=0), np.median(coords[:, 2])]])
    higher = raised(evidence, evidence.composites["elevation"] > place[0, 2] + ABOVE)
    first, second = (each.at(place, None).iloc[0] for each in (evidence, higher))
    change = (second - first).abs()
    assert change["around Hg, above"] > 3 * change["around Hg, 60 m"]


def test_places_are_asked_some_at_a_time_with_the_same_answer(evidence, cells, monkeypatch):
    first = evidence.at(cells[0][:50], None)
    monkeypatch.setattr(held_out, "PLACES_AT_ONCE", 7)
    pd.testing.assert_frame_equal(first, evidence.at(cells[0][:50], None))


def test_an_indicator_that_a_part_lacks_is_left_out_of_all(evidence, cells, monkeypatch):
    """A factor of other elements may come out of fewer holes."""

    def fickle(composites, elements, settings):
        table, notes = indicator_table(composites, elements, settings)
        is_whole = len(composites) == len(evidence.composites)
        return (table if is_whole else table.drop(columns="factor")), notes

    monkeypatch.setattr(held_out, "indicator_table", fickle)
    told = held_out_rows(replace(evidence), *cells)
    assert "factor" not in told.table
    assert np.isfinite(told.table.to_numpy()).all()


def test_an_indicator_that_the_whole_lacks_is_not_learned_from(evidence, cells, monkeypatch):
    def fickle(composites, elements, settings):
        table, notes = indicator_table(composites, elements, settings)
        is_whole = len(composites) == len(evidence.composites)
        return (table.drop(columns="factor") if is_whole else table), notes

    monkeypatch.setattr(held_out, "indicator_table", fickle)
    whole = replace(evidence)
    told = held_out_rows(whole, *cells)
    assert set(told.table) <= set(whole.at(cells[0][:2], cells[3][:2]))


def test_holes_are_hidden_some_at_a_time(evidence, cells, monkeypatch):
    hidden = []
    of = Evidence.of
    monkeypatch.setattr(Evidence, "of", lambda self, kept: hidden.append(~kept) or of(self, kept))
    held_out_rows(evidence, *cells)
    names = evidence.composites["hole"].to_numpy()
    parts = [set(names[each]) for each in hidden[:N_HIDDEN]]
    assert sum(len(part) for part in parts) == len(set(names))
    assert set().union(*parts) == set(names)
