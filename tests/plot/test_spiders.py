from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from gossan.geochem import normalise
from gossan.plot.spiders import plot_spider
from gossan.plot.style import class_colours, new_axes

TABLE = pd.DataFrame({"La": [100.0, 50.0], "Ce": [80.0, np.nan], "Eu": [9.0, 20.0]})


def lines(ax: Axes, gid: str) -> list:
    return [line for line in ax.lines if line.get_gid() == gid]


def legend_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_pattern_runs_through_its_ratios_in_the_order_of_the_table():
    ax = plot_spider(TABLE[["Eu", "La"]], ax=new_axes()[0])
    np.testing.assert_array_equal(lines(ax, "pattern")[0].get_xydata(), [(0, 9), (1, 100)])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Eu", "La"]
    assert ax.get_yscale() == "log"


def test_a_gap_is_bridged_by_a_dashed_line_and_bears_no_marker():
    ax = plot_spider(TABLE, ax=new_axes()[0])
    (bridge,) = lines(ax, "bridge")
    np.testing.assert_array_equal(bridge.get_xydata(), [(0, 50), (2, 20)])
    assert bridge.get_linestyle() == "--"
    assert np.isnan(lines(ax, "pattern")[1].get_ydata()[1])
    np.testing.assert_array_equal(lines(ax, "measured")[1].get_xdata(), [0, 2])


def test_values_below_their_limit_are_open():
    flags = pd.DataFrame({"Eu": [True, False]})
    ax = plot_spider(TABLE, censored=flags, ax=new_axes()[0])
    shown = [line for line in lines(ax, "censored") if len(line.get_xdata())]
    assert [line.get_xydata().tolist() for line in shown] == [[[2.0, 9.0]]]
    assert to_hex(shown[0].get_markerfacecolor()) == "#ffffff"
    assert legend_of(ax)[-1] == "open: below the limit"


def test_axes_span_whole_decades_with_one_within():
    ax = plot_spider(TABLE, reference="CI chondrite", ax=new_axes()[0])
    assert ax.get_ylim() == (1.0, 100.0)
    assert ax.get_ylabel() == "Sample / CI chondrite [ratio, log scale]"
    low, high = plot_spider(TABLE / 1000, ax=new_axes()[0]).get_ylim()
    assert (low, high) == (pytest.approx(0.001), 10.0)


def test_classes_have_the_colours_of_the_other_figures():
    ax = plot_spider(TABLE, classes=["VMS", "MVT"], ax=new_axes()[0])
    colours = class_colours(["VMS", "MVT"])
    assert [line.get_color() for line in lines(ax, "pattern")] == [colours["MVT"], colours["VMS"]]
    assert legend_of(ax) == ["MVT (n = 1)", "VMS (n = 1)"]


def test_a_band_holds_its_share_of_many_samples():
    many = pd.DataFrame({"La": np.arange(1.0, 102.0), "Ce": np.full(101, 7.0)})
    ax = plot_spider(many, share=0.8, ax=new_axes()[0])
    (band,) = [own for own in ax.collections if own.get_gid() == "band"]
    corners = band.get_paths()[0].vertices
    assert set(corners[corners[:, 0] == 0][:, 1]) == {11.0, 91.0}
    np.testing.assert_array_equal(lines(ax, "median")[0].get_ydata(), [51, 7])
    assert legend_of(ax) == ["samples (n = 101, median and 80 %)"]
    assert len(lines(plot_spider(many, draw="lines", ax=new_axes()[0]), "pattern")) == 101


def test_a_column_without_values_is_left_out_of_a_band():
    many = pd.DataFrame({"La": [2.0] * 30, "Ce": [np.nan] * 30, "Pr": [3.0] * 30})
    ax = plot_spider(many, ax=new_axes()[0])
    np.testing.assert_array_equal(lines(ax, "median")[0].get_xydata(), [(0, 2), (2, 3)])


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="needs ratios above zero"):
        plot_spider(pd.DataFrame({"La": [0.0]}), ax=new_axes()[0])
    with pytest.raises(ValueError, match="Classes have length 1 for 2 rows"):
        plot_spider(TABLE, classes=["a"], ax=new_axes()[0])
    with pytest.raises(ValueError, match="draw"):
        plot_spider(TABLE, draw="dots", ax=new_axes()[0])


def test_chondrite_itself_is_flat_at_one():
    from gossan.geochem import NORMALISING

    own = pd.DataFrame([NORMALISING["chondrite"].concentrations])
    found = normalise(own)
    ax = plot_spider(found.table, reference=found.reference, ax=new_axes()[0])
    np.testing.assert_allclose(lines(ax, "pattern")[0].get_ydata(), 1.0)
