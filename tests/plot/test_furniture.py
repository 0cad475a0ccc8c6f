from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes

from gossan.plot.furniture import add_graticule, add_north, add_scale_bar
from gossan.plot.style import new_axes


def make(width: float = 9000.0, height: float = 4000.0) -> Axes:
    ax = new_axes()[0]
    ax.set(xlim=(500_000, 500_000 + width), ylim=(0, height), aspect="equal")
    return ax


def line_of(ax: Axes, gid: str):
    return next(line for line in ax.lines if line.get_gid() == gid)


def words(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(
    ("width", "length", "text"), [(9000, 2000, "2 km"), (3999, 500, "500 m"), (4000, 1000, "1 km")]
)
def test_the_bar_is_the_longest_round_one_within_a_quarter(width, length, text):
    ax = add_scale_bar(make(width))
    assert np.ptp(line_of(ax, "scale bar").get_xdata()) * width == pytest.approx(length)
    assert words(ax) == [text]


def test_the_bar_measures_metres_on_the_drawn_map():
    ax = add_scale_bar(make(), where="lower right")
    ax.get_figure(root=True).draw_without_rendering()
    bar = line_of(ax, "scale bar")
    ends = bar.get_transform().transform(bar.get_xydata())
    pixels = ax.transData.transform([(500_000, 0), (502_000, 0)])
    assert np.ptp(ends[:, 0]) == pytest.approx(np.ptp(pixels[:, 0]))


def test_half_of_the_bar_is_white():
    ax = add_scale_bar(make())
    whole, half = line_of(ax, "scale bar"), line_of(ax, "half")
    assert np.ptp(half.get_xdata()) == pytest.approx(np.ptp(whole.get_xdata()) / 2)
    assert half.get_color() == "white"


def test_axes_in_kilometres_are_told():
    ax = add_scale_bar(make(9.0, 4.0), metres=1000)
    assert words(ax) == ["2 km"]
    assert np.ptp(line_of(ax, "scale bar").get_xdata()) == pytest.approx(2 / 9)


def test_the_bar_of_a_given_length():
    assert words(add_scale_bar(make(), length=1500)) == ["1.5 km"]


def test_what_stands_outside_the_frame_hides_nothing():
    ax = add_scale_bar(make(), north=True)
    ax.get_figure(root=True).draw_without_rendering()
    top = ax.get_window_extent().y1
    for text in ax.texts:
        assert text.get_window_extent().y0 >= top


def test_words_of_the_bar_do_not_overlap():
    for where in ("above", "below", "upper left", "lower right"):
        ax = add_scale_bar(make(), where=where, north=True)
        ax.get_figure(root=True).draw_without_rendering()
        first, second = (text.get_window_extent() for text in ax.texts)
        assert not first.overlaps(second)


def test_the_arrow_points_north_where_the_map_is_turned():
    """On a map whose top looks east, north is left: the tip goes to the left."""
    ax = add_north(make(), azimuth=90)
    tip = line_of(ax, "north").get_marker().vertices[1]
    np.testing.assert_allclose(tip, [-0.5, 0.0], atol=1e-12)
    upright = line_of(add_north(make()), "north").get_marker().vertices[1]
    np.testing.assert_allclose(upright, [0.0, 0.5])


def test_crosses_stand_where_ticks_meet_within_the_map():
    ax = make()
    ax.set(xticks=[500_000, 503_000, 506_000], yticks=[1000, 2000, 9000])
    ax.set_ylim(0, 4000)
    crosses = line_of(add_graticule(ax), "graticule").get_xydata()
    expected = [(503_000, 1000), (506_000, 1000), (503_000, 2000), (506_000, 2000)]
    np.testing.assert_array_equal(crosses, expected)


def test_wrong_places_and_lengths_are_refused():
    with pytest.raises(ValueError, match="where"):
        add_scale_bar(make(), where="middle")
    with pytest.raises(ValueError, match="where"):
        add_north(make(), where="centre")
    with pytest.raises(ValueError, match="length must be positive"):
        add_scale_bar(make(), length=0)
    with pytest.raises(ValueError, match="metres must be positive"):
        add_scale_bar(make(), metres=-1)
