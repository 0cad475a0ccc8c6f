from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes

from gossan.plot._classes import highest_density
from gossan.plot.discrimination import (
    _multipliers,
    _one_two_five,
    _to_plane,
    plot_discrimination,
    plot_embedding,
    plot_ternary,
)
from gossan.plot.style import new_axes, to_svg


def make_table(n: int = 60) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(1)
    values = pd.DataFrame(np.exp(rng.normal(2, 1, (n, 3))), columns=["Ga", "Ge", "In"])
    return values, pd.Series(np.where(np.arange(n) % 3, "MVT", "VMS"))


def count(ax: Axes, gid: str) -> int:
    return sum(len(c.get_offsets()) for c in ax.collections if c.get_gid() == gid)


def legend_of(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def test_every_analysis_is_drawn_and_censored_ones_open() -> None:
    values, classes = make_table()
    censored = pd.DataFrame(False, index=values.index, columns=values.columns)
    censored.loc[:6, "Ge"] = True
    censored.loc[0, "Ga"] = True  # not on either axis
    ax = plot_discrimination(
        values, ("Ge", "In"), classes=classes, censored=censored, ax=new_axes()[0]
    )
    assert count(ax, "censored") == 7
    assert count(ax, "measured") == 53
    for artist in ax.collections:
        if artist.get_gid() == "censored":
            assert len(artist.get_facecolor()) == 0
    assert legend_of(ax) == ["MVT (n = 40)", "VMS (n = 20)", "open: below the limit"]


def test_axes_state_unit_and_scale() -> None:
    values, _ = make_table()
    ax = plot_discrimination(values, ("Ge", "Ga/In"), ax=new_axes()[0])
    assert ax.get_xlabel() == "Ge [ppm, log scale]"
    assert ax.get_ylabel() == "Ga/In [ratio, log scale]"
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_values_that_have_no_logarithm_are_left_out() -> None:
    values = pd.DataFrame({"Ge": [1.0, 0.0, np.nan, 2.0], "In": [1.0, 1.0, 1.0, -3.0]})
    ax = plot_discrimination(values, ("Ge", "In"), ax=new_axes()[0])
    assert count(ax, "measured") == 1
    to_svg(ax)


def test_new_points_are_stars_on_top_each_deposit_in_its_own_tone() -> None:
    values, classes = make_table()
    points, hidden = values.head(5), values.head(5) < 0
    hidden.iloc[0, 1] = True
    ax = plot_discrimination(
        values, ("Ge", "In"), classes=classes, points=points, points_censored=hidden,
        labels=["Gunga", "Gunga", "Mine", "Mine", "Mine"], ax=new_axes()[0],
    )  # fmt: skip
    assert count(ax, "new measured") == 4
    assert count(ax, "new censored") == 1
    stars = [c for c in ax.collections if (c.get_gid() or "").startswith("new")]
    others = [c for c in ax.collections if c not in stars]
    assert min(c.get_zorder() for c in stars) > max(c.get_zorder() for c in others)
    assert legend_of(ax)[:2] == ["Gunga (n = 2)", "Mine (n = 3)"]


def test_many_deposits_share_one_star() -> None:
    values, classes = make_table()
    ax = plot_discrimination(
        values, ("Ge", "In"), classes=classes, points=values.head(9), labels=list("abcdefghi"),
        ax=new_axes()[0],
    )  # fmt: skip
    assert legend_of(ax)[0] == "yours (n = 9)"
    assert count(ax, "new measured") == 9


def test_a_missing_element_is_named() -> None:
    values, _ = make_table()
    with pytest.raises(KeyError, match=r"No column 'Cd' to draw.*Choose one of them"):
        plot_discrimination(values, ("Ge", "Cd"), ax=new_axes()[0])
    with pytest.raises(KeyError, match="No column 'Cd' to draw"):
        plot_ternary(values, ("Ge", "Cd", "In"), ax=new_axes()[0])


def test_the_table_is_left_alone() -> None:
    values, classes = make_table()
    before = values.copy()
    plot_discrimination(values, ("Ge", "In"), classes=classes, ax=new_axes()[0])
    plot_ternary(values, ("Ga", "Ge", "In"), classes=classes, ax=new_axes()[0])
    pd.testing.assert_frame_equal(values, before)


def test_corners_of_the_triangle_are_pure_elements() -> None:
    corners = _to_plane(np.array([[5.0, 0, 0], [0, 2.0, 0], [0, 0, 0.1], [1, 1, 1]]))
    np.testing.assert_allclose(corners[0], [0.5, np.sqrt(3) / 2])
    np.testing.assert_allclose(corners[1], [0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(corners[2], [1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(corners[3], [0.5, np.sqrt(3) / 6])


@given(st.lists(st.floats(0.01, 1e5), min_size=3, max_size=3), st.floats(0.01, 100))
def test_the_triangle_does_not_depend_on_the_unit(parts: list[float], factor: float) -> None:
    row = np.array([parts])
    np.testing.assert_allclose(_to_plane(row * factor), _to_plane(row), atol=1e-9)


def test_multipliers_bring_the_middle_of_the_table_near_the_middle() -> None:
    rng = np.random.default_rng(0)
    parts = np.exp(rng.normal(0, 0.5, (200, 3))) * [3e4, 4.0, 200.0]
    factors = _multipliers(parts, ["Fe", "Ga", "Mn"], "centred")
    middle = np.exp(np.log(parts * factors).mean(axis=0))
    assert (middle / middle.sum()).min() > 0.15


def test_multipliers_are_one_two_or_five() -> None:
    assert [_one_two_five(v) for v in (0.9, 2.4, 4.1, 8.0, 0.03)] == [1.0, 2.0, 5.0, 10.0, 0.02]


def test_multipliers_may_be_given_or_left_out() -> None:
    values, _ = make_table()
    ax = plot_ternary(values, ("Ga", "Ge", "In"), scale={"Ga": 10, "In": 0.01}, ax=new_axes()[0])
    assert [t.get_text() for t in ax.texts[:3]] == ["Ga × 10", "Ge", "In / 100"]
    ax = plot_ternary(values, ("Ga", "Ge", "In"), scale="amount", ax=new_axes()[0])
    assert [t.get_text() for t in ax.texts[:3]] == ["Ga", "Ge", "In"]


def test_an_unknown_scale_is_refused() -> None:
    values, _ = make_table()
    with pytest.raises(ValueError, match=r"scale must be one of centred, amount.*Did you mean"):
        plot_ternary(values, ("Ga", "Ge", "In"), scale="centered", ax=new_axes()[0])


def test_rows_without_a_part_are_not_drawn_in_the_triangle() -> None:
    values = pd.DataFrame({"a": [1.0, np.nan, 0.0], "b": [1.0, 1.0, 0.0], "c": [1.0, 1.0, 0.0]})
    ax = plot_ternary(values, ("a", "b", "c"), ax=new_axes()[0])
    assert count(ax, "measured") == 1


def test_an_outline_holds_its_share_of_a_planted_cloud() -> None:
    rng = np.random.default_rng(3)
    cloud = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 4000)
    x, y, density, levels = highest_density(*cloud.T, shares=(0.5, 0.9))
    column = np.abs(x - cloud[:, :1]).argmin(axis=1)
    row = np.abs(y - cloud[:, 1:]).argmin(axis=1)
    inside = [(density[row, column] >= level).mean() for level in levels]
    np.testing.assert_allclose(inside, [0.9, 0.5], atol=0.005)


def test_the_median_radius_of_a_round_cloud_is_that_of_the_normal_law() -> None:
    rng = np.random.default_rng(4)
    x, y, density, (level,) = highest_density(*rng.normal(size=(2, 20000)), shares=(0.5,))
    area = (density >= level).sum() * (x[1] - x[0]) * (y[1] - y[0])
    assert np.sqrt(area / np.pi) == pytest.approx(np.sqrt(2 * np.log(2)), rel=0.06)


def test_an_outline_of_equal_points_does_no_harm() -> None:
    values = pd.DataFrame({"Ge": [1.0] * 20, "In": [2.0] * 20})
    to_svg(plot_discrimination(values, ("Ge", "In"), classes=["MVT"] * 20, ax=new_axes()[0]))


def test_a_map_takes_its_labels_from_the_coordinates_and_draws_arrows() -> None:
    rng = np.random.default_rng(5)
    place = pd.DataFrame(rng.normal(size=(30, 2)), columns=["PC1 (43 %)", "PC2 (20 %)"])
    arrows = pd.DataFrame([[1.0, 0.0], [0.0, -1.0]], index=["Ge", "In"])
    ax = plot_embedding(
        place, classes=["MVT"] * 30, points=place.head(2), labels=["Gunga", "Gunga"],
        loadings=arrows, ax=new_axes()[0],
    )  # fmt: skip
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("PC1 (43 %)", "PC2 (20 %)")
    assert [t.get_text() for t in ax.texts if t.get_text()] == ["Ge", "In"]
    assert count(ax, "measured") == 30
    assert count(ax, "new measured") == 2


def test_the_real_table_makes_a_small_picture(sphalerite: pd.DataFrame) -> None:
    ax = plot_discrimination(sphalerite, ("Ge", "In"), classes=sphalerite["type"], ax=new_axes()[0])
    assert len(to_svg(ax)) < 600_000


def test_numbers_of_a_ternary_stand_at_their_lines_and_lean_along_them() -> None:
    """20 % of the top part: a level line, whose number stands right of its right end."""
    table = pd.DataFrame({"a": [1.0], "b": [1.0], "c": [1.0]})
    ax = plot_ternary(table, ("a", "b", "c"), scale="amount", ax=new_axes()[0])
    numbers = [text for text in ax.texts if text.get_gid() == "number"]
    assert sorted(text.get_text() for text in numbers) == sorted(
        3 * ["20 %", "40 %", "60 %", "80 %"]
    )
    level = [text for text in numbers if round(text.get_rotation()) == 0]
    height = np.sqrt(3) / 2
    for text in level:
        share = float(text.get_text()[:2]) / 100
        x, y = text.get_position()
        assert y == pytest.approx(share * height)
        assert x > 1 - share / 2
    assert {round(text.get_rotation()) for text in numbers} == {0, 60, 300}


def test_a_field_of_a_ternary_lies_where_its_corners_say() -> None:
    table = pd.DataFrame({"a": [1.0], "b": [1.0], "c": [1.0]})
    fields = {"upper": [[1, 0, 0], [1, 1, 0], [5, 0, 5]]}
    ax = plot_ternary(table, ("a", "b", "c"), scale="amount", fields=fields, ax=new_axes()[0])
    (patch,) = [own for own in ax.patches if own.get_gid() == "field"]
    height = np.sqrt(3) / 2
    expected = [(0.5, height), (0.25, height / 2), (0.75, height / 2)]
    np.testing.assert_allclose(patch.get_xy()[:3], expected, atol=1e-12)
    (name,) = [text for text in ax.texts if text.get_gid() == "field"]
    assert name.get_text() == "upper"
    np.testing.assert_allclose(name.get_position(), np.mean(expected, axis=0))


def test_a_field_without_three_corners_is_refused() -> None:
    table = pd.DataFrame({"a": [1.0], "b": [1.0], "c": [1.0]})
    with pytest.raises(ValueError, match="three corners or more"):
        plot_ternary(table, ("a", "b", "c"), fields={"x": [[1, 0, 0]]}, ax=new_axes()[0])
