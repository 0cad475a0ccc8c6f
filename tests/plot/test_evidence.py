from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gossan.plot.evidence import plot_fractal, plot_loadings, plot_zoning
from gossan.plot.style import new_axes

CURVE = pd.DataFrame({"value": [1.0, 10.0, 100.0], "volume": [1e6, 1e5, 1e3]})
BREAKS = pd.DataFrame(
    {"name": ["outer", "inner"], "value": [10.0, 1020.4], "low": [8.0, np.nan], "high": [12.0, 1.0]}
)
ZONING = pd.DataFrame(
    {"element": ["W", "Hg", "Au"], "rank": [3, 1, 2], "level": [10.0, 90.0, 50.0],
     "centre": [20.0, 80.0, 50.0]}
)  # fmt: skip
LOADINGS = pd.DataFrame({"element": ["W", "Sb", "Hg"], "factor_1": [-0.8, 0.9, 0.3]})


def test_a_fractal_curve_stands_on_two_log_scales_with_units() -> None:
    ax = new_axes()[0]
    assert plot_fractal(CURVE, name="Au", unit="ppb", ax=ax) is ax
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "Au [ppb, log scale]"
    assert ax.get_ylabel() == "Volume at or above it [m³, log scale]"


def test_thresholds_are_lines_with_their_names_and_intervals_where_they_are_known() -> None:
    ax = plot_fractal(CURVE, BREAKS, unit="ppb", ax=new_axes()[0])
    assert [line.get_xdata()[0] for line in ax.lines if line.get_gid() == "break"] == [10, 1020.4]  # type: ignore[index]
    assert [text.get_text() for text in ax.texts] == ["outer 10", "inner 1,020"]
    assert len([patch for patch in ax.patches if patch.get_gid() == "interval"]) == 1


def test_fitted_segments_are_a_line() -> None:
    ax = plot_fractal(CURVE.assign(fitted=CURVE["volume"]), ax=new_axes()[0])
    assert [line.get_gid() for line in ax.lines] == ["fitted"]


def test_points_that_have_no_logarithm_are_left_out_and_nothing_else_is_refused() -> None:
    zero = pd.DataFrame({"value": [0.0], "volume": [5.0]})
    ax = plot_fractal(pd.concat([zero, CURVE]), ax=new_axes()[0])
    (points,) = [c for c in ax.collections if c.get_gid() == "curve"]
    assert len(np.asarray(points.get_offsets())) == 3
    with pytest.raises(ValueError, match="needs positive values and volumes"):
        plot_fractal(zero, ax=new_axes()[0])


def test_zoning_runs_from_the_top_of_the_sequence_at_the_left() -> None:
    ax = plot_zoning(ZONING, ax=new_axes()[0])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["Hg", "Au", "W"]
    assert ax.get_ylabel() == "Elevation [m]"
    (levels,) = [c for c in ax.collections if c.get_gid() == "level"]
    np.testing.assert_array_equal(np.asarray(levels.get_offsets())[:, 1], [90, 50, 10])
    assert ax.get_legend() is not None


def test_one_measure_of_zoning_needs_no_legend() -> None:
    assert plot_zoning(ZONING.drop(columns="level"), ax=new_axes()[0]).get_legend() is None


def test_loadings_are_ranked_and_weak_ones_pale() -> None:
    ax = plot_loadings(LOADINGS, "factor_1", marked=["Sb"], ax=new_axes()[0])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Sb", "Hg", "W"]
    assert [text.get_fontweight() for text in ax.get_yticklabels()] == ["bold", "normal", "normal"]
    alphas = {round(bar.get_width(), 1): bar.get_alpha() for bar in ax.patches}  # type: ignore[attr-defined]
    assert alphas[0.3] < alphas[0.9]
    assert alphas[-0.8] == alphas[0.9]
    assert ax.get_xlim() == (-1.0, 1.0)
    assert ax.get_xlabel() == "Loading [correlation, −1 to 1]"


def test_a_missing_column_is_named() -> None:
    with pytest.raises(KeyError, match="fractal curve needs a column 'volume'"):
        plot_fractal(CURVE[["value"]], ax=new_axes()[0])
    with pytest.raises(KeyError, match="zoning sequence needs a column 'level'"):
        plot_zoning(ZONING[["element", "rank"]], ax=new_axes()[0])
    with pytest.raises(KeyError, match="loadings needs a column 'factor_9'"):
        plot_loadings(LOADINGS, "factor_9", ax=new_axes()[0])
