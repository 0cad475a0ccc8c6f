"""What a figure needs of its table before it draws: columns, and shares that are shares.

A table comes in; nothing or an error goes out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def need_columns(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Raise KeyError with the first column that a table lacks.

    Parameters
    ----------
    table : DataFrame
    columns : sequence of str
    what : str
        What the table is, such as "The table of curves".
    """
    missing = [name for name in columns if name not in table]
    if missing:
        raise KeyError(
            f"{what} needs a column {missing[0]!r}, got {', '.join(map(str, table)) or 'none'}. Add"
            " or rename it."
        )


def check_shares(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise ValueError if a number of these columns is no share of one."""
    shares = table[list(columns)].to_numpy(float)
    if ((shares < 0) | (shares > 1)).any():
        raise ValueError(
            f"Shares lie between 0 and 1, got {np.nanmin(shares):g} to {np.nanmax(shares):g}. Divide"
            " percentages by 100."
        )
