from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from gossan.plot.curves import (
    plot_calibration,
    plot_confusion,
    plot_dominance,
    plot_importance,
    plot_probabilities,
    plot_protocols,
)
from gossan.plot.style import new_axes, to_svg


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def ticks(ax: Axes, which: str = "y") -> list[str]:
    return [label.get_text() for label in getattr(ax, f"get_{which}ticklabels")()]


def legend_of(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


COUNTS = pd.DataFrame(
    [[9, 1, 0], [6, 8, 1]], index=["MVT", "VMS"], columns=["MVT", "VMS", "none of these"]
)


def test_a_confusion_matrix_counts_deposits_and_names_the_wrong_ones() -> None:
    wrong = pd.DataFrame(
        {"deposit": ["Red Dog", *"abcdef", "Odd"], "type": ["MVT"] + ["VMS"] * 7,
         "verdict": ["VMS"] + ["MVT"] * 6 + ["none of these"]}
    )  # fmt: skip
    ax = plot_confusion(COUNTS, names=wrong, ax=new_axes()[0])
    written = texts(ax)
    assert written == ["9", "1", "Red Dog", "0", "6", "a\nb\nc\n+ 3 more", "8", "1", "Odd"]
    assert ticks(ax) == ["MVT (n = 10)", "VMS (n = 15)"]
    assert ticks(ax, "x") == ["MVT", "VMS", "none of these"]
    assert ax.get_ylabel() == "Stated type [number of deposits]"
    assert len(ax.patches) == 6


def test_numbers_in_dark_cells_are_white() -> None:
    counts = pd.DataFrame([[10, 0], [1, 1]], index=["a", "b"], columns=["a", "b"])
    ax = plot_confusion(counts, ax=new_axes()[0])
    assert ax.texts[0].get_color() == "white"
    assert ax.texts[1].get_color() != "white"


def test_a_calibration_curve_draws_intervals_and_numbers() -> None:
    points = pd.DataFrame(
        {"stated": [0.4, 0.9], "observed": [0.5, 0.8], "low": [0.2, 0.6], "high": [0.8, 0.95],
         "n": [10, 20]}
    )  # fmt: skip
    ax = plot_calibration(points, ax=new_axes()[0])
    segments = ax.collections[0].get_segments()
    np.testing.assert_allclose(segments[1], [[0.9, 0.6], [0.9, 0.95]])
    assert texts(ax)[1:] == ["10", "20"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Stated probability", "Share that was right")
    assert ax.get_aspect() == 1.0


def test_importance_stands_with_the_greatest_on_top_and_its_interval() -> None:
    table = pd.DataFrame(
        {"feature": ["In", "Ge"], "importance": [0.1, 0.3], "low": [0.0, 0.2], "high": [0.2, 0.4]}
    )
    ax = plot_importance(table, label="Rise of log-loss", ax=new_axes()[0])
    assert ticks(ax) == ["Ge", "In"]
    assert [bar.get_width() for bar in ax.patches] == [0.3, 0.1]
    np.testing.assert_allclose(ax.collections[0].get_segments()[0], [[0.2, 0], [0.4, 0]])
    assert ax.get_xlabel() == "Rise of log-loss"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_probabilities_fill_the_row_and_the_possible_types_are_underlined() -> None:
    table = pd.DataFrame(
        {"MVT": [0.7, 0.2], "SEDEX": [0.25, 0.2], "VMS": [0.05, 0.6]}, index=["Mine", "Pit"]
    )
    sets = {"Mine": ["MVT", "SEDEX"], "Pit": []}
    ax = plot_probabilities(table, conformal_sets=sets, ax=new_axes()[0])
    for row in (0, 1):
        bars = [bar for bar in ax.patches if round(bar.get_y() + bar.get_height() / 2) == row]
        assert sum(bar.get_width() for bar in bars) == pytest.approx(100)
    assert sum(line.get_gid() == "possible" for line in ax.lines) == 2
    assert legend_of(ax)[-1] == "stays possible"
    assert ax.get_xlabel() == "Probability of each type [%]"


def test_protocols_stand_side_by_side_with_the_gap() -> None:
    scores = pd.DataFrame(
        {"model": ["net"] * 3 + ["trees"], "protocol": ["random", "deposit", "reference", "random"],
         "score": [0.98, 0.79, 0.65, 0.97], "low": [0.96, 0.7, 0.55, 0.95],
         "high": [0.99, 0.87, 0.75, 0.99]}
    )  # fmt: skip
    ax = plot_protocols(scores, label="Share right [0 to 1]", chance=0.37, ax=new_axes()[0])
    assert texts(ax) == ["gap 0.19"]
    assert legend_of(ax) == ["random", "deposit", "reference", "guessing"]
    assert ticks(ax) == ["net", "trees"]
    drawn = [c for c in ax.collections if c.get_gid() == "score"]
    assert sum(len(c.get_offsets()) for c in drawn) == 4
    assert [line.get_xdata()[0] for line in ax.lines if line.get_gid() == "chance"] == [0.37]


def test_scores_without_intervals_are_drawn_as_points() -> None:
    scores = pd.DataFrame({"model": ["net"], "protocol": ["by deposit"], "score": [0.8]})
    assert texts(plot_protocols(scores, ax=new_axes()[0])) == []


def test_dominance_writes_what_is_clear_and_leaves_the_rest_blank() -> None:
    deltas = pd.DataFrame({"Ge": [0.9, -0.84], "In": [np.nan, 0.2]}, index=["MVT", "VMS"])
    ax = plot_dominance(deltas, ax=new_axes()[0])
    assert texts(ax) == ["+0.9", "", "−0.8", "+0.2"]
    assert "−1 low … +1 high" in ax.get_xlabel()


@pytest.mark.parametrize("name", ["$x$ and $y$", "_hidden", "a" * 200, "凡口"])
def test_odd_names_do_no_harm(name: str) -> None:
    bars = pd.DataFrame({name: [0.5], "b": [0.5]}, index=[name])
    to_svg(plot_probabilities(bars, conformal_sets={name: [name]}, ax=new_axes()[0]))
    table = pd.DataFrame({"model": [name], "protocol": [name], "score": [0.5]})
    to_svg(plot_protocols(table, ax=new_axes()[0]))
    counts = pd.DataFrame([[1, 2], [0, 1]], index=[name, "b"], columns=[name, "b"])
    wrong = pd.DataFrame({"deposit": [name], "type": [name], "verdict": ["b"]})
    to_svg(plot_confusion(counts, names=wrong, ax=new_axes()[0]))
