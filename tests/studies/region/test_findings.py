"""What a region study hands to its report and to its map page."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from gossan.data.grids.grid import add_layer, make_grid
from gossan.studies.map_files import target_table
from gossan.studies.region.findings import with_targets

gpd = pytest.importorskip("geopandas")


def region_grid():
    """Return 3 x 5 cells of 1 km, two areas of high score that touch by no corner."""
    score = np.array(
        [[0.9, 0.1, 0.1, 0.1, 0.8], [0.1, 0.95, 0.1, 0.1, 0.8], [np.nan, 0.1, 0.1, 0.9, 0.1]]
    )
    grid = add_layer(make_grid((0, 5000, 0, 3000), 1000), "score", score)
    supported = np.ones_like(score)
    supported[2, 3] = 0  # a high score off the support belongs to no target
    return add_layer(grid, "is_supported", supported)


def found(threshold=0.75):
    from shapely.geometry import box

    table = gpd.GeoDataFrame(
        {
            "rank": [1, 2],
            "easting": [1500.0, 4500.0],
            "northing": [1500.0, 500.0],
            "elements": "+Cu 0.1",
        },
        geometry=[box(0, 0, 1, 1)] * 2,
    )
    table.attrs["threshold"] = threshold
    return table


def test_cells_bear_the_number_of_their_target():
    grid = with_targets(region_grid(), target_table(found(), 5))
    np.testing.assert_array_equal(
        grid["target"], [[1, 0, 0, 0, 2], [0, 1, 0, 0, 2], [0, 0, 0, 0, 0]]
    )


def test_areas_that_are_no_target_bear_none():
    grid = with_targets(region_grid(), target_table(found(), 1))  # only the first is kept
    assert set(np.unique(grid["target"])) == {0.0, 1.0}
    assert grid["target"].to_numpy().sum() == 2.0


def test_without_a_threshold_or_a_target_the_grid_is_left_as_it_is():
    assert "target" not in with_targets(region_grid(), pd.DataFrame({"target": []}))
    table = target_table(found(), 5)
    table.attrs = {}
    assert "target" not in with_targets(region_grid(), table)


def test_the_outlines_of_the_report_are_the_cells_of_the_targets(finished):
    from gossan.data.grids.files import read_grid

    run = finished / "runs" / "study"
    targets = pd.read_csv(run / "targets.csv")
    grid = read_grid(run / "prospectivity.tif")
    supported = np.isfinite(grid["score"])
    table = targets.copy()
    best = np.sort(grid["score"].to_numpy()[supported])[::-1]
    table.attrs["threshold"] = best[round(0.05 * len(best)) - 1]
    numbered = with_targets(grid.assign(is_supported=supported.astype(float)), table)["target"]
    for row in targets.itertuples():
        n_cells = int((numbered == row.target).sum())
        assert n_cells == pytest.approx(row.area, abs=1.0)  # cells of 1 km2
    page = (run / "report.html").read_text(encoding="utf-8")
    assert f"Targets ({len(targets)})" in page


def test_layers_of_the_map_page_have_names_for_people(finished):
    page = (finished / "runs" / "study" / "map.html").read_text(encoding="utf-8")
    for name in ("Rank of the ground", "Spread of the score",
                 "Distance to samples", "Fault distance", "What Cu adds"):  # fmt: skip
        assert json.dumps(name) in page, name
    named = re.findall(r'"name": ?"([^"]+)"', page)
    assert not [name for name in named if "_" in name]


def test_notes_on_the_tables_stand_with_the_data(finished):
    page = (finished / "runs" / "study" / "report.html").read_text(encoding="utf-8")
    data = page.index('id="the-data"')
    note = "nearest known samples."
    assert page.index(note) > data
    assert "1,000 x 1,000 m" in page
    shown = re.sub(r"<script.*?</script>|<svg.*?</svg>", "", page, flags=re.DOTALL)
    assert not re.search(r"captures? \d+%", shown)
