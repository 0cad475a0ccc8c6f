from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from gossan.plot.style import new_axes, to_svg
from gossan.plot.trust import plot_protocol_scores, plot_success_rate

SCORES = pd.DataFrame(
    {
        "method": ["kriged ore", "maxent", "STOAD"] * 2,
        "kind": ["baseline", "model", "model"] * 2,
        "protocol": ["as published"] * 3 + ["holes"] * 3,
        "auc": [0.98, 0.99, 0.97, 0.8, 0.82, 0.7],
        "auc_low": [0.97, 0.98, 0.96, 0.7, 0.75, 0.6],
        "auc_high": [0.99, 1.0, 0.98, 0.9, 0.9, 0.8],
    }
)
CURVES = pd.DataFrame(
    {
        "method": ["kriged ore"] * 3 + ["maxent"] * 3,
        "share": [0.0, 0.05, 1.0] * 2,
        "captured": [0.0, 0.3, 1.0, 0.0, 0.4, 1.0],
    }
)


def names(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_yticklabels()]


def legend(ax: Axes) -> list[str]:
    shown = ax.get_legend()
    assert shown is not None
    return [text.get_text() for text in shown.get_texts()]


def test_models_stand_above_baselines_on_a_band_of_their_own() -> None:
    ax = new_axes()[0]
    assert plot_protocol_scores(SCORES, ax=ax) is ax
    assert names(ax) == ["maxent", "STOAD", "kriged ore"]
    (band,) = [patch for patch in ax.patches if patch.get_gid() == "baselines"]
    assert band.get_y() == 1.5  # type: ignore[attr-defined]
    assert {text.get_text() for text in ax.texts} == {"Models", "Baselines"}


def test_each_score_is_a_dot_with_its_interval() -> None:
    ax = plot_protocol_scores(SCORES, ax=new_axes()[0])
    dots = np.concatenate(
        [np.asarray(c.get_offsets()) for c in ax.collections if c.get_gid() == "score"]
    )
    assert sorted(dots[:, 0]) == sorted(SCORES["auc"])
    segments = [c.get_segments()[0] for c in ax.collections if hasattr(c, "get_segments")]
    assert (0.7, 0.9) in {(float(s[0, 0]), float(s[1, 0])) for s in segments}


def test_the_published_protocol_is_open_and_the_chosen_method_bold() -> None:
    ax = plot_protocol_scores(SCORES, published="as published", chosen="STOAD", ax=new_axes()[0])
    faces = {
        float(np.asarray(c.get_offsets())[0, 0]): to_hex(c.get_facecolors()[0])  # type: ignore[attr-defined]
        for c in ax.collections
        if c.get_gid() == "score"
    }
    assert faces[0.99] == "#ffffff"
    assert faces[0.82] != "#ffffff"
    assert [t.get_fontweight() for t in ax.get_yticklabels()] == ["normal", "bold", "normal"]
    assert legend(ax) == ["as published", "holes", "guessing"]


def test_scores_without_kinds_intervals_or_chance_are_drawn() -> None:
    ax = plot_protocol_scores(SCORES[["method", "protocol", "auc"]], chance=None, ax=new_axes()[0])
    assert names(ax) == ["kriged ore", "maxent", "STOAD"]
    assert len(ax.texts) == 0
    assert "guessing" not in legend(ax)


def test_only_baselines_need_no_word_for_models() -> None:
    own = SCORES[SCORES["kind"] == "baseline"]
    ax = plot_protocol_scores(own, ax=new_axes()[0])
    assert [text.get_text() for text in ax.texts] == ["Baselines"]


def test_names_of_methods_are_no_formula() -> None:
    ax = plot_protocol_scores(SCORES.assign(method="$a$ <i>"), ax=new_axes()[0])
    assert "&lt;i&gt;" in to_svg(ax)


def test_success_rates_stand_in_percent_on_a_log_scale_with_guessing() -> None:
    ax = plot_success_rate(CURVES, marks=(0.01, 0.05), ax=new_axes()[0])
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "Best-scored rock [% of the tested cells, log scale]"
    assert ax.get_ylabel() == "Ore that it holds [%]"
    curves = [line for line in ax.lines if line.get_gid() == "curve"]
    np.testing.assert_allclose(np.asarray(curves[1].get_ydata()), [0, 40, 100])
    (guess,) = [line for line in ax.lines if line.get_gid() == "chance"]
    np.testing.assert_array_equal(guess.get_xdata(), guess.get_ydata())
    assert [f"{tick:g}" for tick in ax.get_xticks()] == ["0.1", "1", "5", "10", "100"]


def test_baselines_are_dashed_and_said_so_and_the_chosen_method_is_strong() -> None:
    kinds = {"kriged ore": "baseline", "maxent": "model"}
    ax = plot_success_rate(CURVES, kinds=kinds, chosen="maxent", ax=new_axes()[0])
    base, model = (line for line in ax.lines if line.get_gid() == "curve")
    assert base.get_linestyle() == "--"
    assert model.get_linestyle() == "-"
    assert model.get_linewidth() > base.get_linewidth()
    assert legend(ax) == ["kriged ore (baseline)", "maxent", "guessing"]


def test_percentages_are_refused_where_shares_belong() -> None:
    with pytest.raises(ValueError, match="Shares lie between 0 and 1, got 0 to 40"):
        plot_success_rate(CURVES.assign(captured=40.0), ax=new_axes()[0])


def test_a_missing_column_is_named() -> None:
    with pytest.raises(KeyError, match="scores needs a column 'auc'"):
        plot_protocol_scores(SCORES.drop(columns="auc"), ax=new_axes()[0])
    with pytest.raises(KeyError, match="curves needs a column 'captured'"):
        plot_success_rate(CURVES.drop(columns="captured"), ax=new_axes()[0])
