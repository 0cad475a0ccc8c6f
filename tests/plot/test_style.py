from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.plot.style import (
    add_legend,
    axes_or_new,
    class_colours,
    class_markers,
    deposit_looks,
    frame_logs,
    log_scale,
    new_axes,
    plain,
    style,
    to_svg,
)

NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=12)


@given(NAMES, st.randoms())
def test_a_class_keeps_its_colour_whatever_the_order(names: list[str], random: object) -> None:
    mixed = list(names)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert class_colours(names) == class_colours(mixed)
    assert class_markers(names) == class_markers(mixed)


def test_eight_classes_have_eight_colours_that_differ_in_lightness_or_hue() -> None:
    colours = class_colours("abcdefgh").values()
    assert len(set(colours)) == 8
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in colours)


def test_fifty_classes_can_be_told_apart_by_colour_and_marker() -> None:
    names = [f"class {i:02d}" for i in range(50)]
    colours, markers = class_colours(names), class_markers(names)
    assert len({(colours[name], markers[name]) for name in names}) == 50


def test_missing_classes_get_no_colour_and_none_of_these_is_grey() -> None:
    assert class_colours([None, float("nan")]) == {}
    assert class_colours(["none of these"]) == {"none of these": "#7a7f85"}
    assert class_markers(["none of these"]) == {"none of these": "x"}


def test_deposits_do_not_wear_the_colours_of_classes() -> None:
    names = [str(i) for i in range(8)]
    worn = {look[0].lower() for look in deposit_looks(names).values()}
    assert len(worn) == 8
    assert not worn & {colour.lower() for colour in class_colours(names).values()}


@given(st.text(max_size=80))
def test_any_word_draws_as_text_and_not_as_a_formula(word: str) -> None:
    from matplotlib.cbook import is_math_text

    shown = plain(word)
    assert not is_math_text(shown)
    assert "\n" not in shown
    assert len(shown.replace(r"\$", "$")) <= 60


def test_the_style_leaves_the_readers_settings_alone() -> None:
    before = dict(mpl.rcParams)
    with style():
        assert mpl.rcParams["svg.fonttype"] == "none"
    new_axes()
    assert dict(mpl.rcParams) == before


def draw(label: str) -> str:
    ax = new_axes(4, 3)[0]
    ax.set_xlabel(plain(label))
    ax.plot([0, 1], [1, 0], marker="o")
    add_legend(ax, ax.lines, [label])
    return to_svg(ax)


def test_svg_is_the_same_each_time_and_holds_text() -> None:
    assert draw("Ge [ppm]") == draw("Ge [ppm]")
    assert "Ge [ppm]" in draw("Ge [ppm]")


def test_svg_is_well_formed_and_carries_no_date_style_or_outside_link() -> None:
    svg = draw("x")
    root = ET.fromstring(svg)  # noqa: S314 - drawn a line above
    assert root.tag.endswith("svg")
    assert "<style" not in svg
    assert "<metadata" not in svg
    links = re.findall(r'href="([^"]*)"', svg)
    assert links
    assert all(link.startswith("#") for link in links)


@pytest.mark.parametrize("word", ["<script>alert(1)</script>", "a & b", '"quoted"', "凡口 & Co"])
def test_svg_escapes_words(word: str) -> None:
    svg = draw(word)
    ET.fromstring(svg)  # noqa: S314 - drawn a line above
    assert "<script" not in svg


def test_a_name_that_starts_with_an_underscore_stays_in_the_legend() -> None:
    assert "_private" in draw("_private")


def test_log_axes_are_numbered_plainly_and_framed_to_the_bulk() -> None:
    ax = new_axes()[0]
    log_scale(ax, "x")
    frame_logs(ax, "x", np.array([0.01, 1.0, 20000.0, np.nan, 0.0, -5.0]))
    low, high = ax.get_xlim()
    assert 0.001 < low < 0.011
    assert 19000 < high < 60000
    number = ax.xaxis.get_major_formatter()
    assert [number(v) for v in (0.001, 0.1, 1, 20000)] == ["0.001", "0.1", "1", "20,000"]


def test_without_axes_a_pyplot_figure_is_made_for_notebooks() -> None:
    from matplotlib import pyplot as plt

    before = len(plt.get_fignums())
    ax = axes_or_new(None, (3, 2))
    assert len(plt.get_fignums()) == before + 1
    plt.close(ax.figure)
    assert axes_or_new(ax, (3, 2)) is ax
