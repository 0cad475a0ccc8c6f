from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.variogram_maps import VariogramMap
from gossan.plot.style import new_axes, to_svg
from gossan.plot.variograms import (
    direction_name,
    direction_of,
    model_curve,
    plot_variogram,
    plot_variogram_map,
)

MODEL = VariogramModel(0.2, Structure("spherical", 0.8, (100.0, 50.0), (90.0, 0.0, 0.0)))


def points(**columns: Any) -> pd.DataFrame:
    given = {"lag": [25.0, 50, 75], "semivariance": [0.5, 0.75, 0.9], "n_pairs": [20, 100, 400]}
    return pd.DataFrame(given | columns)


def marks(ax: Axes, gid: str) -> list[Any]:
    return [c for c in ax.collections if c.get_gid() == gid]


def curves(ax: Axes) -> list[Any]:
    return [line for line in ax.lines if line.get_gid() == "model"]


def legend_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_points_are_as_large_as_their_pairs_and_few_pairs_are_open() -> None:
    ax = plot_variogram(points(), ax=new_axes()[0])
    sizes = marks(ax, "enough pairs")[0].get_sizes()
    assert (sizes - 8)[1] == pytest.approx(4 * (sizes - 8)[0])
    few = marks(ax, "few pairs")[0]
    np.testing.assert_allclose(few.get_offsets(), [[25, 0.5]])
    np.testing.assert_allclose(few.get_facecolors(), [[1, 1, 1, 1]])
    assert legend_of(ax)[-2:] == ["open: under 30 pairs", "largest: 400 pairs"]
    written = {text.get_text() for text in ax.texts if text.get_gid() == "pairs"}
    assert "400" in written
    assert not plot_variogram(points(), pairs=False, ax=new_axes()[0]).texts


def test_the_model_is_drawn_along_each_direction() -> None:
    table = pd.concat([points(direction=90.0), points(direction=0.0)], ignore_index=True)
    ax = plot_variogram(table, model=MODEL, ax=new_axes()[0])
    along, across = curves(ax)
    at = np.searchsorted(along.get_xdata(), 50.0)
    h = along.get_xdata()[at]
    assert along.get_ydata()[at] == pytest.approx(
        0.2 + 0.8 * (1.5 * h / 100 - 0.5 * (h / 100) ** 3)
    )
    assert across.get_ydata()[at] == pytest.approx(1.0)
    assert legend_of(ax)[:2] == ["azimuth 90°", "azimuth 0°"]
    assert along.get_color() != across.get_color()


def test_without_a_direction_the_model_is_its_mean_over_all() -> None:
    lags = np.array([30.0, 80.0])
    mean = model_curve(MODEL, lags)
    angles = np.deg2rad(np.arange(0, 180, 0.25))
    units = np.column_stack([np.sin(angles), np.cos(angles)])
    expected = MODEL.variogram(lags[:, None, None] * units).mean(axis=1)
    np.testing.assert_allclose(mean, expected, rtol=1e-3)


def test_in_three_dimensions_directions_are_spread_over_the_sphere() -> None:
    flat = VariogramModel(0.0, Structure("gaussian", 1.0, (100.0, 100.0, 10.0)))
    rng = np.random.default_rng(0)
    units = rng.normal(size=(40_000, 3))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    expected = flat.variogram(20.0 * units).mean()
    assert model_curve(flat, np.array([20.0]), n_dims=3)[0] == pytest.approx(expected, rel=0.02)
    assert model_curve(flat, np.array([10.0]), (0.0, -90.0), n_dims=3)[0] == pytest.approx(
        1 - np.exp(-3)
    )


def test_an_isotropic_model_is_the_same_in_every_direction() -> None:
    model = VariogramModel(0.1, Structure("exponential", 0.9, 60.0))
    lags = np.linspace(1, 100, 7)
    for angles in (None, (0.0, 0.0), (33.0, 0.0)):
        np.testing.assert_allclose(
            model_curve(model, lags, angles), 0.1 + 0.9 * (1 - np.exp(-3 * lags / 60))
        )


def test_the_sill_is_a_line_and_a_power_model_has_none() -> None:
    ax = plot_variogram(points(), model=MODEL, ax=new_axes()[0])
    assert [line.get_ydata()[0] for line in ax.lines if line.get_gid() == "sill"] == [1.0]
    power = VariogramModel(0.1, Structure("power", 0.5, 100.0))
    assert not [
        line
        for line in plot_variogram(points(), model=power, ax=new_axes()[0]).lines
        if line.get_gid() == "sill"
    ]


@pytest.mark.parametrize(
    ("value", "angles", "name"),
    [
        (None, None, "all directions"),
        (float("nan"), None, "all directions"),
        ("omnidirectional", None, "all directions"),
        (45, (45.0, 0.0), "azimuth 45°"),
        ((30.0, -20.0), (30.0, -20.0), "azimuth 30°, dip −20°"),
        ("azimuth 30, dip -20", (30.0, -20.0), "azimuth 30°, dip −20°"),
        ((0.0, -90.0), (0.0, -90.0), "vertical"),
    ],
)
def test_directions_are_read_however_they_are_written(
    value: Any, angles: tuple[float, float] | None, name: str
) -> None:
    assert direction_of(value) == angles
    assert direction_name(direction_of(value)) == name


def test_axes_carry_units_and_start_at_zero() -> None:
    ax = plot_variogram(points(), unit="ppm", ax=new_axes()[0])
    assert ax.get_xlabel() == "Distance [m]"
    assert ax.get_ylabel() == "Semivariance [ppm²]"
    assert ax.get_xlim()[0] == ax.get_ylim()[0] == 0
    assert plot_variogram(points(), ax=new_axes()[0]).get_ylabel() == (
        "Semivariance [(normal scores)²]"
    )


def test_lags_without_pairs_are_left_out() -> None:
    table = points(semivariance=[0.5, np.nan, 0.9])
    ax = plot_variogram(table.drop(columns="n_pairs"), ax=new_axes()[0])
    assert len(marks(ax, "enough pairs")[0].get_offsets()) == 2
    to_svg(plot_variogram(table.iloc[:0], model=MODEL, ax=new_axes()[0]))


def make_map(axes: tuple[str, str] = ("easting", "northing")) -> VariogramMap:
    steps = np.arange(-40.0, 41.0, 10.0)
    values = np.abs(steps)[:, None] + 0.0 * steps  # rises away from the middle row
    return VariogramMap(values, np.full((9, 9), 60), steps, axes, 1.0)


def test_a_variogram_map_is_north_up_with_offsets_in_metres() -> None:
    ax = plot_variogram_map(make_map(), unit="ppm", ax=new_axes()[0])
    assert ax.get_aspect() == 1.0
    assert ax.images[0].origin == "lower"
    np.testing.assert_array_equal(ax.images[0].get_array()[:, 0], np.abs(np.arange(-40, 41, 10)))
    assert ax.get_ylim() == (-45.0, 45.0)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Offset east [m]", "Offset north [m]")
    assert ax.child_axes[0].get_ylabel() == "Semivariance [ppm²]"
    upright = plot_variogram_map(make_map(("northing", "elevation")), ax=new_axes()[0])
    assert (upright.get_xlabel(), upright.get_ylabel()) == ("Offset north [m]", "Offset up [m]")


def test_wrong_tables_are_refused() -> None:
    with pytest.raises(KeyError, match="A variogram needs a column 'semivariance'"):
        plot_variogram(pd.DataFrame({"lag": [1.0]}), ax=new_axes()[0])
    several = dataclasses.replace(make_map(), semivariance=np.zeros((9, 9, 2)))
    with pytest.raises(ValueError, match="A variogram map is drawn of one variable"):
        plot_variogram_map(several, ax=new_axes()[0])
