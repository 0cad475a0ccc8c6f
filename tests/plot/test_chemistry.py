from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from gossan.plot.chemistry import (
    plot_censored_shares,
    plot_element_by_class,
    plot_enrichment,
    plot_lead_isotopes,
    plot_temperatures,
)
from gossan.plot.style import class_colours, new_axes, to_svg


def count(ax: Axes, gid: str) -> int:
    return sum(len(c.get_offsets()) for c in ax.collections if c.get_gid() == gid)


def ticks(ax: Axes, which: str = "y") -> list[str]:
    return [label.get_text() for label in getattr(ax, f"get_{which}ticklabels")()]


def legend_of(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_boxes_stand_on_the_quartiles() -> None:
    values = pd.Series([1.0, 2.0, 3.0, 4.0, 5.0], name="Ge")
    ax = plot_element_by_class(values, ["MVT"] * 5, ax=new_axes()[0])
    (box,) = ax.patches
    assert (box.get_x(), box.get_x() + box.get_width()) == (2.0, 4.0)
    assert ax.get_xlabel() == "Ge [ppm, log scale]"


def test_censored_and_unusable_values_of_an_element() -> None:
    values = pd.Series([1.0, 2.0, 0.0, np.nan, 3.0], name="In")
    ax = plot_element_by_class(
        values, ["MVT"] * 5, censored=[True, False, True, False, False],
        points={"Mine": [5.0, 6.0]}, points_censored={"Mine": [False, True]}, ax=new_axes()[0],
    )  # fmt: skip
    assert (count(ax, "measured"), count(ax, "censored")) == (2, 1)
    assert (count(ax, "new measured"), count(ax, "new censored")) == (1, 1)
    assert ticks(ax) == ["Mine", "MVT (n = 3)"]
    bottom, top = ax.get_ylim()
    assert bottom > top  # the first row on top


def test_a_spider_names_its_reference_and_marks_one() -> None:
    ratios = pd.DataFrame({"Ga": [2.0, 0.5], "Ge": [90.0, np.nan]}, index=["Mine", "Pit"])
    hidden = pd.DataFrame({"Ga": [False, True], "Ge": [False, False]}, index=ratios.index)
    band = pd.DataFrame({"low": [0.5], "high": [3.0]}, index=["Ge"])
    colours = class_colours(["MVT", "VMS"])
    ax = plot_enrichment(
        ratios, "upper crust (Rudnick & Gao 2014)", censored=hidden, ranges={"VMS": band},
        colours=colours, ax=new_axes()[0],
    )  # fmt: skip
    assert "upper crust (Rudnick" in ax.get_ylabel().replace("\n", " ")
    assert "[ratio, log scale]" in ax.get_ylabel()
    assert ticks(ax, "x") == ["Ga", "Ge"]
    assert legend_of(ax) == ["VMS", "Mine", "Pit"]
    assert count(ax, "censored") == 1
    assert any(np.allclose(line.get_ydata(), 1) for line in ax.lines)
    to_svg(ax)


def test_temperatures_stand_above_the_ranges_of_the_classes() -> None:
    mine = pd.DataFrame(
        {"deposit": ["Mine", "Pit"], "temperature": [144.0, 300.0], "low": [94.0, 250.0],
         "high": [194.0, 350.0], "class": ["MVT", None]}
    )  # fmt: skip
    ranges = pd.DataFrame(
        {"class": ["MVT", "VMS"], "low": [110, 250], "middle": [163, 294], "high": [220, 340]}
    )
    ax = plot_temperatures(mine, class_ranges=ranges, valid_range=(150.0, 320.0), ax=new_axes()[0])
    assert ticks(ax) == ["Mine", "Pit", "MVT (table)", "VMS (table)"]
    assert ax.get_xlabel() == "Temperature [°C]"
    assert count(ax, "temperature") == 2
    bars = [patch for patch in ax.patches if patch.get_gid() == "class range"]
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(110, 110), (250, 90)]
    assert sum(patch.get_gid() == "outside calibration" for patch in ax.patches) == 2
    assert ax.lines[0].get_xdata().tolist() == [94.0, 194.0]


@pytest.mark.parametrize(
    ("against", "label"), [("207/204", "²⁰⁷Pb/²⁰⁴Pb"), ("208/204", "²⁰⁸Pb/²⁰⁴Pb")]
)
def test_lead_samples_and_the_ages_on_the_curve(against: str, label: str) -> None:
    samples = pd.DataFrame(
        {"deposit": ["A", "A", "B"], "206/204": [18.4, 18.5, 18.6], against: [15.60, 15.65, 15.70],
         "error_x": [0.01] * 3, "error_y": [0.01] * 3}
    )  # fmt: skip
    age = np.arange(0.0, 1000.0, 50.0)
    curve = pd.DataFrame({"206/204": 18.7 - age / 1500, against: 15.65 - age / 1e4, "age": age})
    ax = plot_lead_isotopes(samples, curves={"Growth": curve}, against=against, ax=new_axes()[0])
    assert ax.get_xlabel() == "²⁰⁶Pb/²⁰⁴Pb [ratio]"
    assert ax.get_ylabel() == f"{label} [ratio]"
    assert count(ax, "samples") == 3
    assert legend_of(ax) == ["A (n = 2)", "B (n = 1)", "Growth"]
    marked = [text.get_text() for text in ax.texts]
    assert len(marked) >= 3
    assert marked[0] == "0 Ma"


def test_shares_below_detection_are_stacked_in_percent() -> None:
    shares = pd.DataFrame(
        {"below_limit": [0.25, 0.0], "missing": [0.10, 0.004]}, index=["In", "Ge"]
    )
    ax = plot_censored_shares(shares, ax=new_axes()[0])
    assert [text.get_text() for text in ax.texts] == ["35", "<1"]
    assert ax.get_ylabel() == "Share of analyses [%]"
    assert legend_of(ax) == ["below limit", "missing"]
    assert ax.patches[2].get_y() == pytest.approx(25.0)
    assert ax.get_ylim()[1] <= 100


def test_no_shares_at_all_make_an_empty_chart() -> None:
    to_svg(
        plot_censored_shares(pd.DataFrame({"below_limit": [0.0]}, index=["In"]), ax=new_axes()[0])
    )


def test_the_same_chemistry_gives_the_same_svg() -> None:
    values = pd.Series(np.arange(1.0, 50.0), name="Ge")
    pictures = [
        to_svg(plot_element_by_class(values, ["MVT"] * 49, ax=new_axes()[0])) for _ in range(2)
    ]
    assert pictures[0] == pictures[1]
