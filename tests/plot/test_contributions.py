from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gossan.plot.contributions import plot_contributions
from gossan.plot.style import new_axes

TABLE = pd.DataFrame(
    {"element": ["Li", "Be", "Ca"], "known": [0.8, 0.3, -0.2], "targets": [0.6, np.nan, 0.1]}
)
WORDS = {"known": "at known occurrences", "targets": "at targets"}


def test_bars_are_as_long_as_the_contributions_and_stand_beside_one_another() -> None:
    ax = plot_contributions(TABLE, WORDS, ax=new_axes()[0])
    widths = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(widths, [0.8, 0.3, -0.2, 0.6, np.nan, 0.1])
    first, second = ax.patches[0], ax.patches[3]
    assert first.get_y() + first.get_height() <= second.get_y() + 1e-9  # no bar covers another
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Li", "Be", "Ca"]
    top, bottom = ax.get_ylim()[1], ax.get_ylim()[0]
    assert top < bottom  # the first row is on top


def test_the_legend_names_the_places_and_is_left_out_for_one() -> None:
    ax = plot_contributions(TABLE, WORDS, ax=new_axes()[0])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(WORDS.values())
    assert plot_contributions(TABLE, {"known": "known"}, ax=new_axes()[0]).get_legend() is None


def test_a_missing_column_and_too_many_series_are_refused() -> None:
    with pytest.raises(KeyError, match="no column 'camps', only element, known, targets"):
        plot_contributions(TABLE, {"camps": "in camps"}, ax=new_axes()[0])
    with pytest.raises(ValueError, match="one to 4 series of bars, got 0"):
        plot_contributions(TABLE, {}, ax=new_axes()[0])
