"""Indicators are those that the elements allow, and bounds come from the cells that are named."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gossan.studies.deposit import indicators
from gossan.studies.deposit.indicators import (
    Settings,
    indicator_table,
    kriging_of,
    make_cube,
    ore_variogram,
    scaled,
)


@pytest.fixture(scope="module")
def cube(campaign):
    return make_cube(
        campaign.composites, campaign.grid, elements=campaign.elements, settings=Settings()
    )


def test_indicators_are_those_that_the_elements_allow(campaign):
    table, notes = indicator_table(campaign.composites, campaign.elements, Settings())
    assert list(table) == ["ore", "near", "front_tail", "factor"]
    assert notes == []
    few = ("Cu", "Mo", "Ag")
    table, notes = indicator_table(campaign.composites, few, Settings(ore="Cu"))
    assert list(table) == ["ore"]
    assert notes == [
        "No balances: no element of the group front was analysed.",
        "No factor: it needs two of its elements and four in all.",
    ]


def test_ore_must_have_been_analysed(campaign):
    with pytest.raises(ValueError, match=r"ore element 'Au' is none.*Cu, Mo.*ore ="):
        indicator_table(campaign.composites, ("Cu", "Mo"), Settings())


def test_the_unit_of_an_element_shifts_indicators_and_no_more(campaign):
    percent = campaign.composites.assign(As=campaign.composites["As"] / 1e4)
    first, other = (
        indicator_table(table, campaign.elements, Settings())[0]
        for table in (campaign.composites, percent)
    )
    assert_allclose(np.ptp(first - other, axis=0), 0.0, atol=1e-9)


def test_the_front_tail_balance_is_that_of_the_logs(campaign):
    table, _ = indicator_table(campaign.composites, campaign.elements, Settings())
    logs = np.log(campaign.composites[list(campaign.elements)])
    front, tail = logs[["As", "Sb", "Hg"]].mean(axis=1), logs[["W", "Bi", "Co", "Mo"]].mean(axis=1)
    assert_allclose(table["front_tail"], np.sqrt(12 / 7) * (front - tail), atol=1e-9)


def test_layers_stay_empty_where_none_are_asked_for(campaign):
    made = make_cube(
        campaign.composites, campaign.grid, elements=campaign.elements, settings=Settings(),
        where="rock",
    )  # fmt: skip
    assert_array_equal(np.isfinite(made.grid["ore"]), campaign.grid["rock"])


def test_without_faults_there_is_no_layer_of_them(campaign):
    bare = campaign.grid.drop_vars(["fault_distance", "fault_buffer"])
    made = make_cube(campaign.composites, bare, elements=campaign.elements, settings=Settings())
    assert made.names == ("ore", "near", "front_tail", "factor")
    assert "No faults were given." in made.notes


def test_bounds_come_from_the_cells_that_are_named(cube):
    cells = np.zeros(cube.grid["ore"].shape, dtype=bool)
    cells[5:8, 5:8, 5:8] = True
    volume = scaled(cube, cells)
    assert volume.shape == (5, *cells.shape)
    assert_allclose([volume[1][cells].min(), volume[1][cells].max()], [0, 1])
    assert np.nanmin(volume) >= 0
    assert np.nanmax(volume) <= 1
    with pytest.raises(ValueError, match="No cell gives the bounds"):
        scaled(cube, np.zeros_like(cells))


def test_many_composites_are_kriged_from_their_neighbours_nearly_as_from_all(campaign, monkeypatch):
    coords = campaign.composites[["easting", "northing", "elevation"]].to_numpy()
    logs = np.log(campaign.composites[["Au"]].to_numpy())
    holes = campaign.composites["hole"].to_numpy(dtype=str)
    model = ore_variogram(campaign.composites, "Au").model
    places = coords[::7] + 13.0
    exact = kriging_of(coords, logs, holes=holes, model=model).predict(places)
    monkeypatch.setattr(indicators, "MOST_GLOBAL", 10)
    near = kriging_of(coords, logs, holes=holes, model=model).predict(places)
    assert np.corrcoef(np.ravel(exact), np.ravel(near))[0, 1] > 0.97
    assert not np.array_equal(exact, near)
