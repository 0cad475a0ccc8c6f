from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from gossan.plot.ranking import plot_prediction_area, plot_roc
from gossan.plot.style import new_axes
from gossan.validation.curves import prediction_area, roc_by_ranks

CURVES = pd.DataFrame(
    {
        "method": ["CNN"] * 3 + ["distance"] * 3,
        "false_share": [0.0, 0.2, 1.0, 0.0, 0.5, 1.0],
        "true_share": [0.0, 0.8, 1.0, 0.0, 0.6, 1.0],
        "true_low": [0.0, 0.7, 1.0, 0.0, 0.5, 1.0],
        "true_high": [0.0, 0.9, 1.0, 0.0, 0.7, 1.0],
    }
)


def lines(ax: Axes, gid: str) -> list:
    return [line for line in ax.lines if line.get_gid() == gid]


def legend_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_each_method_has_its_curve_and_guessing_the_diagonal():
    ax = plot_roc(CURVES, ax=new_axes()[0])
    first, second = lines(ax, "curve")
    np.testing.assert_array_equal(first.get_xydata(), [(0, 0), (0.2, 0.8), (1, 1)])
    assert first.get_color() != second.get_color()
    np.testing.assert_array_equal(lines(ax, "chance")[0].get_xydata(), [(0, 0), (1, 1)])
    assert ax.get_aspect() == 1.0
    assert legend_of(ax) == ["CNN", "distance", "guessing: 0.50"]


def test_areas_stand_in_the_legend_with_their_interval():
    ax = plot_roc(CURVES, aucs={"CNN": (0.8, 0.71, 0.88), "distance": 0.55},
                  kinds={"distance": "baseline"}, ax=new_axes()[0])  # fmt: skip
    words = legend_of(ax)
    assert words[:2] == ["CNN: AUC 0.80 (0.71–0.88)", "distance (baseline): AUC 0.55"]
    assert lines(ax, "curve")[1].get_linestyle() == "--"


def test_the_chosen_method_is_strong_and_has_its_band():
    ax = plot_roc(CURVES, chosen="CNN", ax=new_axes()[0])
    first, second = lines(ax, "curve")
    assert first.get_linewidth() > second.get_linewidth()
    (band,) = [c for c in ax.collections if c.get_gid() == "band"]
    assert band.get_datalim(ax.transData).y1 == pytest.approx(1.0)
    assert not plot_roc(CURVES, ax=new_axes()[0]).collections


def test_rows_in_any_order_give_the_same_roc():
    shuffled = CURVES.sample(frac=1, random_state=1)
    one, two = (plot_roc(table, ax=new_axes()[0]) for table in (CURVES, shuffled))
    by_end = [sorted(map(tuple, np.vstack([c.get_xydata() for c in lines(ax, "curve")])))
              for ax in (one, two)]  # fmt: skip
    assert by_end[0] == by_end[1]
    for line in lines(two, "curve"):
        assert (np.diff(line.get_xdata()) >= 0).all()


def test_what_roc_by_ranks_gives_can_be_drawn():
    false_share, true_share, auc = roc_by_ranks([3.0, 2.0, 1.0, 0.0], [True, True, False, False])
    table = pd.DataFrame({"method": "a", "false_share": false_share, "true_share": true_share})
    assert legend_of(plot_roc(table, aucs={"a": auc}, ax=new_axes()[0]))[0] == "a: AUC 1.00"


def test_a_roc_of_percentages_or_without_columns_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        plot_roc(CURVES.assign(true_share=80.0), ax=new_axes()[0])
    with pytest.raises(KeyError, match="no column 'false_share'"):
        plot_roc(CURVES.drop(columns="false_share"), ax=new_axes()[0])


def test_the_curves_cross_at_the_marked_point():
    found = prediction_area([10.0, 9.0, 4.0], range(1, 11))
    ax = plot_prediction_area(found, ax=new_axes()[0])
    captured, area = lines(ax, "captured")[0], lines(ax, "area")[0]
    score = found.point[0]
    for line in (captured, area):  # both curves pass through the crossing
        assert np.interp(score, *line.get_xydata()[:-1].T) == pytest.approx(100 * 2 / 3)
    (point,) = [c for c in ax.collections if c.get_gid() == "crossing"]
    np.testing.assert_allclose(point.get_offsets(), [[score, 200 / 3]])


def test_the_axis_of_the_area_hangs_from_the_top():
    ax = plot_prediction_area(prediction_area([3.0], [1.0, 2.0, 3.0, 4.0]), ax=new_axes()[0])
    ax.get_figure(root=True).draw_without_rendering()
    right = ax.child_axes[0]
    for area, height in ((0, 100), (25, 75), (100, 0)):
        found = right.transData.transform((0, area))[1]
        assert found == pytest.approx(ax.transData.transform((0, height))[1])
    assert right.get_ylabel() == "Area at or above it [%]"
    assert ax.get_ylabel() == "Occurrences at or above it [%]"


def test_the_words_at_the_crossing_stay_within_the_axes():
    for scores in ([10.0, 9.0, 4.0], [1.0, 2.0, 1.0]):
        ax = plot_prediction_area(prediction_area(scores, range(1, 11)), ax=new_axes(6, 4)[0])
        ax.get_figure(root=True).draw_without_rendering()
        box, frame = ax.texts[0].get_window_extent(), ax.get_window_extent()
        assert box.x0 >= frame.x0
        assert box.x1 <= frame.x1
