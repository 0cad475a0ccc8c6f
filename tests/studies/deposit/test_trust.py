"""The cube of a fold knows nothing of what is held out, and the leak of the published way shows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from gossan.data.grids.grid import add_layer, cell_centres
from gossan.evidence.proximity import add_proximity
from gossan.nets import DeepAutoencoder, StudentTeacherDetector
from gossan.simulate import simulate_deposit
from gossan.studies.deposit import methods
from gossan.studies.deposit.indicators import Settings, indicator_table, make_cube, scaled
from gossan.studies.deposit.protocols import hole_folds, paper_folds
from gossan.studies.deposit.trust import Campaign, judge, score_protocol

pytestmark = pytest.mark.filterwarnings("ignore::gossan._checks.GossanWarning")


@pytest.fixture(scope="module")
def campaign():
    made = simulate_deposit("small", random_state=0)
    holes = made.drillholes()
    elements = tuple(made.elements)
    points = holes.points(holes.composite(10.0).table)
    points = points.dropna(subset=[*elements, "easting"]).reset_index(drop=True)
    grid = made.grid(spacing=30.0)
    grid = add_layer(grid, "rock", made.truth.is_ground(cell_centres(grid)))
    grid = add_proximity(grid, list(made.faults))
    return Campaign(points, elements, grid, Settings(), cutoff=1000.0)


def test_indicators_are_those_that_the_elements_allow(campaign):
    table, notes = indicator_table(campaign.composites, campaign.elements, Settings())
    assert list(table) == ["ore", "near", "front_tail", "factor"]
    assert notes == []
    few = ("Cu", "Mo", "Ag")
    table, notes = indicator_table(campaign.composites, few, Settings(ore="Cu"))
    assert list(table) == ["ore"]
    assert len(notes) == 2
    with pytest.raises(ValueError, match="ore element 'Au' is none"):
        indicator_table(campaign.composites, few, Settings())


def test_a_cube_does_not_change_with_what_is_held_out(campaign):
    fold = hole_folds(campaign.drilled(), n_splits=3)[0]
    changed = campaign.composites.copy()
    changed.loc[~fold.composites, "Au"] *= 50.0
    cubes = [
        make_cube(
            table[fold.composites], campaign.grid, elements=campaign.elements, settings=Settings()
        )
        for table in (campaign.composites, changed)
    ]
    for name in cubes[0].names:
        assert_allclose(cubes[0].grid[name], cubes[1].grid[name])


def test_bounds_come_from_the_cells_that_are_named(campaign):
    cube = make_cube(
        campaign.composites, campaign.grid, elements=campaign.elements, settings=Settings()
    )
    cells = np.zeros(cube.grid["ore"].shape, dtype=bool)
    cells[5:8, 5:8, 5:8] = True
    volume = scaled(cube, cells)
    assert volume.shape == (5, *cells.shape)
    assert_allclose([volume[1][cells].min(), volume[1][cells].max()], [0, 1])
    assert np.nanmin(volume) >= 0
    assert np.nanmax(volume) <= 1
    with pytest.raises(ValueError, match="No cell gives the bounds"):
        scaled(cube, np.zeros_like(cells))


def test_held_out_holes_lower_the_score_of_kriged_ore(campaign):
    drilled = campaign.drilled()
    names = ("kriged ore", "distance to sample", "maxent")
    paper = score_protocol(campaign, paper_folds(drilled), protocol="paper", names=names, seeds=[0])
    folds = hole_folds(drilled, n_splits=3)
    honest = score_protocol(campaign, folds, protocol="holes", names=names, seeds=[0])
    means = [table.groupby("method")["auc"].mean() for table in (paper, honest)]
    assert means[0]["kriged ore"] > 0.97
    assert means[1]["kriged ore"] < means[0]["kriged ore"] - 0.02
    assert set(honest["method"]) == set(names)
    assert (honest["f1_all_ore"] > honest["prevalence"]).all()


def test_networks_read_the_patches_round_the_same_cells(campaign, monkeypatch):
    quick = {
        "DAE": DeepAutoencoder(epochs=2),
        "STOAD": StudentTeacherDetector(epochs=2, teacher_epochs=2),
    }
    for name, model in quick.items():
        monkeypatch.setitem(
            methods.METHODS,
            name,
            methods.patch_model(lambda seed, model=model: model.set_params(random_state=seed)),
        )
    folds = hole_folds(campaign.drilled(), n_splits=3)[:1]
    found = score_protocol(
        campaign, folds, protocol="holes", names=tuple(quick), seeds=[0], most_cells=200
    )
    assert list(found["method"]) == ["DAE", "STOAD"]
    assert found["auc"].between(0.0, 1.0).all()


def test_a_ranking_is_judged_by_hand():
    is_ore = np.zeros(1000, dtype=bool)
    is_ore[:20] = True
    scores = -np.arange(1000.0)
    found = judge(is_ore, scores)
    assert found["auc"] == 1.0
    assert found["capture_1"] == 0.5
    assert found["enrichment_1"] == 50.0
    assert found["capture_0.2"] == 0.1
    scores[:10] = np.nan  # not scored: last
    assert judge(is_ore, scores)["auc"] == pytest.approx(0.5)
    assert isinstance(pd.Series(found)["ap"], float)
