"""Maps of a region: what is drawn lies where it should, sets differ by shape, curves step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gossan.data.grids.grid import add_layer, make_grid
from gossan.plot import new_axes, plot_capture_curves, plot_prospectivity_map, to_svg

KNOWN = pd.DataFrame({"easting": [150.0, 250.0], "northing": [50.0, 350.0]})


def region():
    """Return a grid of 4 x 5 cells of 100 m, north highest, the south-west corner without data."""
    grid = make_grid((0, 500, 0, 400), 100)
    score = np.repeat(np.arange(4.0)[:, None], 5, axis=1)
    score[0, 0] = np.nan
    grid = add_layer(grid, "score", score)
    grid = add_layer(grid, "target", (score == 3) & (np.arange(5) > 2))
    return add_layer(grid, "supported", np.arange(20).reshape(4, 5) % 5 > 0)


def by_gid(ax, gid):
    """Return the artists of a name."""
    return list(ax.findobj(lambda artist: artist.get_gid() == gid))


def words(ax):
    """Return what the legend says."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_map_shows_all_that_was_given_and_names_it():
    faults = pd.DataFrame(
        {
            "fault": ["F1", "F1", "F2", "F2"],
            "vertex": [1, 0, 0, 1],
            "easting": [500.0, 0, 0, 500],
            "northing": [400.0, 0, 400, 0],
        }
    )
    ax = plot_prospectivity_map(
        region(), occurrences=KNOWN, faults=faults, support="supported", ax=new_axes()[0]
    )
    assert words(ax) == [
        "no data", "not supported by samples", "Faults (2)", "Targets (1)", "Occurrences (2)",
    ]  # fmt: skip
    (points,) = by_gid(ax, "occurrences")
    np.testing.assert_array_equal(points.get_offsets(), KNOWN.to_numpy())
    lines = by_gid(ax, "faults")[-1].get_segments()
    np.testing.assert_array_equal(lines[0], [[0, 0], [500, 400]])  # in the order of the vertices
    assert [text.get_text() for text in ax.texts if text.get_gid() == "target"] == ["1"]


def test_north_is_up():
    ax = plot_prospectivity_map(region(), ax=new_axes()[0])
    (image,) = by_gid(ax, "cells")
    assert image.origin == "lower"
    assert image.get_array()[-1].mean() == 3.0  # the northernmost row
    assert image.get_extent() == [0, 500, 0, 400]
    assert "N" in [text.get_text() for text in ax.texts]
    assert any(line.get_gid() == "north" for line in ax.lines)


def test_ground_without_support_is_hatched_where_it_lies():
    ax = plot_prospectivity_map(region(), support="supported", ax=new_axes()[0])
    (bare,) = by_gid(ax, "unsupported")
    path = bare.get_paths()[0]
    assert path.contains_point((50, 250))
    assert not path.contains_point((50, 50))  # there is no data at all
    assert not path.contains_point((250, 250))


def test_sets_of_occurrences_differ_by_shape():
    sets = {"Known": KNOWN, "Held out": KNOWN[:1], "Later $x$": KNOWN}
    ax = plot_prospectivity_map(region(), occurrences=sets, targets="", ax=new_axes()[0])
    drawn = by_gid(ax, "occurrences")
    shapes = {own.get_paths()[0].vertices.tobytes() for own in drawn}
    assert len(shapes) == 3
    assert words(ax)[1:] == ["Known (2)", "Held out (1)", r"Later \$x\$ (2)"]


def test_the_look_and_the_size_of_a_set_can_be_given():
    looks = {"Missed": ("X", "#D55E00")}
    sets = {"Found": KNOWN, "Missed": KNOWN[:1], "None": KNOWN[:0]}
    ax = plot_prospectivity_map(
        region(), occurrences=sets, looks=looks, size=10.0, targets="", ax=new_axes()[0]
    )
    found, missed, _ = by_gid(ax, "occurrences")
    assert found.get_sizes() == [10.0]
    assert tuple(found.get_facecolor()[0]) == (1.0, 1.0, 1.0, 1.0)  # white with a dark rim
    assert missed.get_facecolor()[0][:3] == pytest.approx([0xD5 / 255, 0x5E / 255, 0])
    assert len(missed.get_paths()[0].vertices) > 10  # a cross, no triangle
    assert words(ax) == ["no data", "Found (2)", "Missed (1)"]  # an empty set is not named


def test_a_set_of_many_has_smaller_symbols():
    many = pd.DataFrame({"easting": np.linspace(0, 500, 61), "northing": 200.0})
    ax = plot_prospectivity_map(region(), occurrences=many, size=20.0, ax=new_axes()[0])
    assert by_gid(ax, "occurrences")[0].get_sizes() == [10.0]


def test_targets_given_as_points_bear_their_numbers():
    points = pd.DataFrame({"target": range(1, 14), "easting": 250.0, "northing": 200.0})
    ax = plot_prospectivity_map(
        region(), targets=points.assign(target=points["target"].astype(float)), ax=new_axes()[0]
    )
    numbers = [text.get_text() for text in ax.texts if text.get_gid() == "target"]
    assert numbers == [str(k) for k in range(1, 13)]
    with pytest.raises(KeyError, match="The table of targets needs a column 'target'"):
        plot_prospectivity_map(region(), targets=KNOWN, ax=new_axes()[0])


def test_of_many_targets_those_named_first_are_numbered():
    grid = make_grid((0, 2000, 0, 400), 100)
    number = np.zeros((4, 20))
    number[1, :14] = np.arange(1, 15)
    grid = add_layer(add_layer(grid, "score", np.ones((4, 20))), "target", number)

    def numbers(map_):
        ax = plot_prospectivity_map(map_, ax=new_axes()[0])
        return {int(text.get_text()) for text in ax.texts if text.get_gid() == "target"}

    assert numbers(grid) == set(range(1, 13))
    grid["target"].attrs["first"] = [14, 3, 99]  # 99 lies on no cell
    assert numbers(grid) == {*range(1, 12), 14}


def test_geometries_are_drawn_as_tables_are():
    gpd = pytest.importorskip("geopandas")
    from shapely.geometry import LineString, MultiPolygon, Point, box

    targets = gpd.GeoDataFrame(geometry=[MultiPolygon([box(0, 0, 9, 9), box(20, 0, 30, 9)])])
    faults = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (9, 9)])])
    points = gpd.GeoDataFrame(geometry=[Point(150, 50)])
    ax = plot_prospectivity_map(
        region(), occurrences=points, targets=targets, faults=faults, ax=new_axes()[0]
    )
    assert words(ax)[1:] == ["Faults (1)", "Targets (1)", "Occurrences (1)"]
    assert len(by_gid(ax, "outline")[0].get_segments()) == 2
    np.testing.assert_array_equal(by_gid(ax, "occurrences")[0].get_offsets(), [[150, 50]])


def test_the_map_is_drawn_as_svg_without_warnings():
    svg = to_svg(plot_prospectivity_map(region(), kind="spread", ax=new_axes()[0]))
    assert svg.startswith("<svg")
    with pytest.raises(ValueError, match="kind"):
        plot_prospectivity_map(region(), kind="rainbow", ax=new_axes()[0])
    with pytest.raises(KeyError, match="no layer 'scor'"):
        plot_prospectivity_map(region(), "scor", ax=new_axes()[0])
    with pytest.raises(KeyError, match="The table of faults needs a column 'easting'"):
        plot_prospectivity_map(region(), faults=pd.DataFrame({"x": [1]}), ax=new_axes()[0])


def test_a_capture_curve_steps_up_where_an_occurrence_is_found():
    # p = 0.02, 0.1, 0.5: a third each
    curves = pd.DataFrame(
        {
            "method": "CNN",
            "area": [0.0, 0.02, 0.1, 0.5, 1.0],
            "captured": [0.0, 1 / 3, 2 / 3, 1.0, 1.0],
        }
    )
    base = pd.DataFrame({"method": "distance", "area": [0.0, 1.0], "captured": [0.0, 1.0]})
    ax = plot_capture_curves(
        pd.concat([curves, base]), kinds={"distance": "baseline"}, chosen="CNN", ax=new_axes()[0]
    )
    chosen, other = by_gid(ax, "curve")
    assert chosen.get_drawstyle() == "steps-post"
    np.testing.assert_allclose(chosen.get_xdata(), [0, 2, 10, 50, 100])
    np.testing.assert_allclose(chosen.get_ydata(), [0, 100 / 3, 200 / 3, 100, 100])
    assert chosen.get_linewidth() > other.get_linewidth()
    assert words(ax) == ["CNN", "distance (baseline)", "guessing"]
    assert not by_gid(ax, "band")


def test_a_capture_curve_shows_the_interval_of_the_chosen_method():
    curves = pd.DataFrame(
        {"method": "CNN", "area": [0.0, 0.1, 1.0], "captured": [0.0, 0.5, 1.0]}
    ).assign(captured_low=[0.0, 0.3, 1.0], captured_high=[0.0, 0.7, 1.0])
    ax = plot_capture_curves(curves, chosen="CNN", log=False, ax=new_axes()[0])
    (band,) = by_gid(ax, "band")
    corners = band.get_paths()[0].vertices
    assert {30.0, 70.0} <= set(corners[corners[:, 0] == 10.0][:, 1].round(6))
    assert ax.get_xscale() == "linear"
    assert ax.get_xlabel() == "Best-scored area [% of the cells]"
    ax = plot_capture_curves(curves, of="supported area", ax=new_axes()[0])
    assert ax.get_xlabel() == "Best-scored area [% of the supported area, log scale]"


def test_curves_that_are_none_are_refused():
    with pytest.raises(KeyError, match="The table of curves needs a column 'area'"):
        plot_capture_curves(pd.DataFrame({"method": ["a"]}), ax=new_axes()[0])
    wrong = pd.DataFrame({"method": ["a"], "area": [5.0], "captured": [0.5]})
    with pytest.raises(ValueError, match=r"between 0 and 1, got 0.5 to 5"):
        plot_capture_curves(wrong, ax=new_axes()[0])
