from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from gossan.plot.estimates import (
    looks_of_splits,
    plot_coverage,
    plot_crps_ratios,
    plot_interval_calibration,
    plot_measured,
)
from gossan.plot.style import new_axes, to_svg

SCORES = pd.DataFrame(
    {
        "method": ["ordinary kriging", "network", "ordinary kriging", "network"],
        "split": ["random rows", "random rows", "holes held out", "holes held out"],
        "crps_ratio": [1.0, 0.7, 1.0, 1.01],
        "crps_ratio_low": [1.0, 0.6, 1.0, 0.97],
        "crps_ratio_high": [1.0, 0.8, 1.0, 1.05],
    }
)


def marks(ax: Axes, gid: str) -> np.ndarray:
    found = [np.asarray(c.get_offsets()) for c in ax.collections if c.get_gid() == gid]
    return np.concatenate(found) if found else np.zeros((0, 2))


def lines(ax: Axes, gid: str) -> list[Any]:
    return [line for line in ax.lines if line.get_gid() == gid]


def test_measured_stand_up_and_estimates_across_with_the_line_of_equals() -> None:
    table = pd.DataFrame({"measured": [1.0, 2.0, np.nan], "estimate": [1.5, 1.8, 2.0]})
    ax = plot_measured(table, unit="g/t", ax=new_axes()[0])
    np.testing.assert_allclose(marks(ax, "measured"), [[1.5, 1], [1.8, 2]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Estimated [g/t]", "Measured [g/t]")
    assert ax.get_aspect() == 1.0
    (line,) = lines(ax, "equal")
    np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())


def test_samples_outside_their_interval_are_orange() -> None:
    table = pd.DataFrame(
        {"measured": [1.0, 9.0], "estimate": [1.5, 1.8], "low": [0.5, 1.0], "high": [2.0, 3.0]}
    )
    ax = plot_measured(table, ax=new_axes()[0])
    drawn = {
        tuple(np.round(c.get_facecolors()[0][:3], 2)): np.asarray(c.get_offsets())
        for c in ax.collections
        if c.get_gid() == "measured"
    }
    np.testing.assert_allclose(drawn[(0.84, 0.37, 0.0)], [[1.8, 9.0]])
    np.testing.assert_allclose(drawn[(0.0, 0.45, 0.7)], [[1.5, 1.0]])


def test_skewed_grades_are_drawn_on_logs_and_censored_ones_open() -> None:
    measured = np.exp(np.random.default_rng(0).normal(2, 1.2, 60))
    table = pd.DataFrame({"measured": measured, "estimate": measured**0.8})
    ax = plot_measured(table, censored=measured < 2, ax=new_axes()[0])
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert ax.get_ylabel() == "Measured [ppm, log scale]"
    assert len(marks(ax, "censored")) == (measured < 2).sum()


@pytest.mark.parametrize("values", [[], [3.0], [-1.0, 2.0], [0.0, 0.0]])
def test_odd_tables_of_predictions_are_drawn(values: list[float]) -> None:
    table = pd.DataFrame({"measured": values, "estimate": values}, dtype=float)
    for scale in ("auto", "linear", "log"):
        to_svg(plot_measured(table, scale=scale, ax=new_axes()[0]))


def test_coverage_stands_beside_what_was_promised() -> None:
    table = pd.DataFrame(
        {"name": ["Cd", "Cu"], "coverage": [0.91, 0.72], "low": [0.86, 0.65], "high": [0.96, 0.79]}
    )
    ax = plot_coverage(table, level=0.9, ax=new_axes()[0])
    np.testing.assert_allclose(marks(ax, "coverage"), [[91, 0], [72, 1]])
    assert ax.lines[0].get_xdata()[0] == 90
    assert ax.get_xlim()[0] < 65
    assert "90 % promised" in ax.get_xlabel()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Cd", "Cu"]
    bare = plot_coverage(table[["name", "coverage"]], ax=new_axes()[0])
    assert len(marks(bare, "coverage")) == 2


def test_calibration_of_intervals_is_drawn_by_method() -> None:
    points = pd.DataFrame(
        {"stated": [0.9, 0.5], "observed": [0.85, 0.45], "low": [0.8, 0.4], "high": [0.9, 0.5],
         "method": ["kriging", "network"]}
    )  # fmt: skip
    ax = plot_interval_calibration(points, ax=new_axes()[0])
    assert [list(line.get_ydata()) for line in lines(ax, "coverage")] == [[85.0], [45.0]]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["kriging", "network"]
    one = plot_interval_calibration(points.drop(columns="method"), ax=new_axes()[0])
    assert list(lines(one, "coverage")[0].get_xdata()) == [50.0, 90.0]
    assert one.get_legend() is None


def test_methods_stand_one_a_row_with_the_reference_at_one() -> None:
    ax = plot_crps_ratios(SCORES, chosen="network", ax=new_axes()[0])
    labels = ax.get_yticklabels()
    assert [label.get_text() for label in labels] == ["ordinary kriging", "network"]
    assert [label.get_fontweight() for label in labels] == ["normal", "bold"]
    assert lines(ax, "reference")[0].get_xdata()[0] == 1
    drawn = marks(ax, "ratio")
    np.testing.assert_allclose(sorted(drawn[:, 0]), [0.7, 1.0, 1.0, 1.01])
    assert set(drawn[:, 1].round()) == {0, 1}
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["random rows", "holes held out"]
    segments = [c.get_segments() for c in ax.collections if hasattr(c, "get_segments")]
    ends = {(round(s[0][0][0], 2), round(s[0][1][0], 2)) for s in segments if len(s)}
    assert {(0.6, 0.8), (0.97, 1.05)} <= ends


def test_random_splits_are_grey_and_honest_ones_are_not() -> None:
    looks = looks_of_splits(["Random rows", "holes held out", "blocks held out"])
    assert looks["Random rows"][1] == "#5b6773"
    assert len(set(looks.values())) == 3


@pytest.mark.parametrize("name", ["$x$ and $y$", "_hidden", "a" * 200, "凡口"])
def test_odd_names_do_no_harm(name: str) -> None:
    scores = pd.DataFrame({"method": [name], "split": [name], "crps_ratio": [0.9]})
    to_svg(plot_crps_ratios(scores, reference=name, chosen=name, ax=new_axes()[0]))
    coverage = pd.DataFrame({"name": [name], "coverage": [0.9]})
    to_svg(plot_coverage(coverage, ax=new_axes()[0]))
