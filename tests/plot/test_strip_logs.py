from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from gossan.plot._rocks import rock_looks
from gossan.plot.strip_logs import plot_strip_log
from gossan.plot.style import new_axes

TABLE = pd.DataFrame(
    {"hole": "A", "from": [0.0, 10.0, 30.0], "to": [10.0, 20.0, 40.0], "Au": [0.5, 2.5, np.nan],
     "Cu": [10.0, 20.0, 40.0]}
)  # fmt: skip
ROCKS = pd.DataFrame(
    {"hole": "A", "from": [0.0, 15.0], "to": [15.0, 50.0], "lithology": ["slate", "dyke"]}
)


def bars(track: Axes, gid: str) -> list[tuple[float, float, float]]:
    """Return (top, bottom, grade at the end) of the bars."""
    own = [patch for patch in track.patches if patch.get_gid() == gid]
    return [(b.get_y(), b.get_y() + b.get_height(), b.get_x() + b.get_width()) for b in own]


def legend_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_depth_runs_downwards_and_all_tracks_share_it():
    ax = plot_strip_log(TABLE, ["Au", "Cu"], lithology=ROCKS, ax=new_axes()[0])
    assert ax.get_ylim() == (50, 0)
    assert [track.get_ylim() for track in ax.child_axes] == [(50, 0)] * 3
    assert ax.get_ylabel() == "Depth down the hole [m]"
    assert ax.get_title(loc="left") == "A"


def test_a_bar_is_a_sample():
    ax = plot_strip_log(TABLE, ["Au", "Cu"], scale="linear", ax=new_axes()[0])
    gold, copper = ax.child_axes
    assert bars(gold, "measured") == [(0, 10, 0.5), (10, 20, 2.5)]
    assert bars(copper, "measured") == [(0, 10, 10), (10, 20, 20), (30, 40, 40)]
    assert gold.get_xlim()[0] == 0


def test_tracks_do_not_overlap():
    ax = plot_strip_log(TABLE, ["Au", "Cu"], lithology=ROCKS, ax=new_axes(6, 8)[0])
    ax.get_figure(root=True).draw_without_rendering()
    boxes = [track.get_window_extent() for track in ax.child_axes]
    for left, right in itertools.pairwise(boxes):
        assert left.x1 < right.x0
    assert boxes[-1].x1 == pytest.approx(ax.get_window_extent().x1)


def test_heads_bear_units_and_say_log():
    ax = plot_strip_log(TABLE, ["Au", "Cu"], units={"Au": "g/t", "Cu": "ppm"},
                        scale={"Au": "linear", "Cu": "log"}, ax=new_axes()[0])  # fmt: skip
    gold, copper = ax.child_axes
    assert (gold.get_xlabel(), copper.get_xlabel()) == ("Au\n[g/t]", "Cu\n[ppm, log]")
    assert copper.get_xscale() == "log"
    assert copper.get_xlim() == pytest.approx((5, 50))


def test_a_skewed_grade_is_on_a_log_scale_by_itself():
    table = pd.DataFrame(
        {"from": np.arange(8.0), "to": np.arange(1.0, 9.0), "Au": np.exp(np.arange(8.0))}
    )
    assert plot_strip_log(table, "Au", ax=new_axes()[0]).child_axes[0].get_xscale() == "log"


def test_values_below_their_limit_are_open():
    flags = pd.DataFrame({"Au": [True, False, False]})
    ax = plot_strip_log(TABLE, "Au", censored=flags, scale="linear", ax=new_axes()[0])
    track = ax.child_axes[0]
    assert bars(track, "censored") == [(0, 10, 0.5)]
    (patch,) = [own for own in track.patches if own.get_gid() == "censored"]
    assert to_hex(patch.get_facecolor()) == "#ffffff"
    assert "open: below the limit" in legend_of(ax)


def test_ground_that_was_not_sampled_is_hatched():
    """Between 20 and 30 m there is no sample, from 30 m on none was analysed for gold."""
    ax = plot_strip_log(TABLE, ["Au", "Cu"], scale="linear", ax=new_axes()[0])
    gold, copper = ax.child_axes
    assert [(top, end) for top, end, _ in bars(gold, "not sampled")] == [(20, 40)]
    assert [(top, end) for top, end, _ in bars(copper, "not sampled")] == [(20, 30)]
    assert "not sampled" in legend_of(ax)


def test_the_cut_off_is_a_line_and_open_bars_never_reach_it():
    flags = pd.DataFrame({"Cu": [False, False, True]})
    ax = plot_strip_log(TABLE, "Cu", censored=flags, cutoffs={"Cu": 15.0}, scale="linear",
                        ax=new_axes()[0])  # fmt: skip
    track = ax.child_axes[0]
    assert bars(track, "at or above the cut-off") == [(10, 20, 20)]
    (line,) = [own for own in track.lines if own.get_gid() == "cut-off"]
    assert list(line.get_xdata()) == [15, 15]


def test_rocks_fill_their_stretch_with_their_look():
    ax = plot_strip_log(TABLE, "Au", lithology=ROCKS, ax=new_axes()[0])
    column = ax.child_axes[0]
    rocks = [patch for patch in column.patches if patch.get_gid() == "rock"]
    assert [(b.get_y(), b.get_height()) for b in rocks] == [(0, 15), (15, 35)]
    looks = rock_looks(["slate", "dyke"])
    assert [(to_hex(b.get_facecolor()), b.get_hatch()) for b in rocks] == [
        looks["slate"],
        looks["dyke"],
    ]
    assert legend_of(ax)[:2] == ["dyke", "slate"]


def test_rocks_look_alike_in_every_hole():
    """The looks are those of the whole table, though this hole has but one of the rocks."""
    more = pd.concat(
        [ROCKS, pd.DataFrame({"hole": "B", "from": [0.0], "to": [9.0], "lithology": "basalt"})]
    )
    one, all_holes = (
        plot_strip_log(TABLE, "Au", hole="A", lithology=table, ax=new_axes()[0])
        for table in (more, ROCKS)
    )
    assert rock_looks(more["lithology"])["slate"] != rock_looks(ROCKS["lithology"])["slate"]
    fills = [own.get_facecolor() for own in one.child_axes[0].patches]
    assert to_hex(fills[0]) == rock_looks(more["lithology"])["slate"][0]
    assert legend_of(one)[:2] == legend_of(all_holes)[:2] == ["dyke", "slate"]


def test_twenty_rocks_have_twenty_looks():
    looks = rock_looks([f"rock {i}" for i in range(20)])
    assert len(set(looks.values())) == 20


def test_intercepts_are_bracketed_with_their_grade():
    found = pd.DataFrame(
        {"hole": ["A", "B"], "from": [0.0, 5.0], "to": [20.0, 9.0], "grade": [1.234, 9.0]}
    )
    ax = plot_strip_log(
        TABLE, "Au", intercepts=found, lithology=ROCKS, units="g/t", ax=new_axes()[0]
    )
    track = ax.child_axes[1]
    (bracket,) = [own for own in track.lines if own.get_gid() == "intercept"]
    assert list(bracket.get_ydata()) == [0, 0, 20, 20]
    (words,) = [own.get_text() for own in track.texts]
    assert words == "20.0 m\nat 1.23 g/t"


def test_one_hole_is_picked_out_of_many():
    both = pd.concat([TABLE, TABLE.assign(hole="B", Cu=TABLE["Cu"] * 3)], ignore_index=True)
    flags = pd.DataFrame({"Cu": [False] * 3 + [True] * 3})
    ax = plot_strip_log(both, "Cu", hole="B", censored=flags, scale="linear", ax=new_axes()[0])
    assert [grade for *_, grade in bars(ax.child_axes[0], "censored")] == [30, 60, 120]
    assert ax.get_title(loc="left") == "B"
    with pytest.raises(ValueError, match="the table has 2"):
        plot_strip_log(both, "Cu", ax=new_axes()[0])
    with pytest.raises(ValueError, match="no hole 'C'"):
        plot_strip_log(both, "Cu", hole="C", ax=new_axes()[0])


def test_depths_may_be_given():
    ax = plot_strip_log(TABLE, "Au", depths=(5, 25), ax=new_axes()[0])
    assert ax.get_ylim() == (25, 5)


def test_wrong_tables_and_scales_are_refused():
    with pytest.raises(KeyError, match="needs a column 'Zn'"):
        plot_strip_log(TABLE, "Zn", ax=new_axes()[0])
    with pytest.raises(KeyError, match="needs a column 'rock'"):
        plot_strip_log(TABLE, "Au", lithology=ROCKS, column="rock", ax=new_axes()[0])
    with pytest.raises(ValueError, match="scale"):
        plot_strip_log(TABLE, "Au", scale="square", ax=new_axes()[0])
    with pytest.raises(ValueError, match="log scale needs values above zero"):
        plot_strip_log(TABLE.assign(Au=0.0), "Au", scale="log", ax=new_axes()[0])
