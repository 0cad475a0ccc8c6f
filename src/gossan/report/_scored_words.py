"""Words that pages with scores of methods under protocols share: rows, places, AUC, signs.

The findings of a study, with its table of `scores`, or a row of it come in; rows and words go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from gossan.report._writing import number_of


class Scored(Protocol):
    """Findings with a table of scores, a row a method and protocol, and the method that is used."""

    @property
    def scores(self) -> pd.DataFrame | None: ...

    @property
    def recommended(self) -> str: ...


# Rows


def scored_under(findings: Scored, protocol: str) -> pd.DataFrame:
    """Return the scores under one protocol that are numbers."""
    table = findings.scores
    if table is None or not len(table):
        return pd.DataFrame({"protocol": [], "method": [], "auc": []})
    return table[(table["protocol"].astype(str) == protocol) & table["auc"].notna()]


def best_under(findings: Scored, protocol: str) -> str:
    """Return the method that made the map, or the best under a protocol where none is told."""
    own = scored_under(findings, protocol)
    if findings.recommended or not len(own):
        return findings.recommended
    return str(own.loc[own["auc"].idxmax(), "method"])


def row_of(findings: Scored, protocol: str, method: str) -> pd.Series | None:
    """Return the scores of a method under a protocol, None without them."""
    own = scored_under(findings, protocol)
    own = own[own["method"].astype(str) == method]
    return own.iloc[0] if len(own) else None


def kinds_of(findings: Scored) -> dict[str, str]:
    """Return "model", "baseline" or "label-free" of each method, where it is told."""
    table = findings.scores
    if table is None or "kind" not in table:
        return {}
    return dict(zip(table["method"].astype(str), table["kind"].astype(str), strict=True))


def columns_of(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return those names that the table has, and that are not empty throughout."""
    return [name for name in names if name in table and table[name].notna().any()]


# Words


def place_of(row: pd.Series) -> str:
    """Easting and northing of a target, to the metre."""
    return f"{row['easting']:,.0f} E, {row['northing']:,.0f} N".replace("-", "−")


def written_gap(loose: float, honest: float) -> float:
    """Return the difference of two scores as they are written, so that a reader can subtract.

    Examples
    --------
    >>> written_gap(0.884, 0.736), round(0.884 - 0.736, 2)
    (0.14, 0.15)
    """
    return round(round(loose, 2) - round(honest, 2), 2)


def signed(value: float) -> str:
    """Write a difference with its sign.

    Examples
    --------
    >>> signed(0.05), signed(-0.031), signed(0.001)
    ('+0.05', '−0.03', '0.00')
    """
    told = f"{value:+.2f}".replace("-", "−")
    return "0.00" if told in ("+0.00", "−0.00") else told


def auc_words(row: pd.Series | None) -> str:
    """Write an AUC with its interval if it has one."""
    return ", ".join([f"{number_of(row, 'auc'):.2f}", *interval_words(row)])


def interval_words(row: pd.Series | None) -> list[str]:
    """Write the 95 % interval of an AUC, nothing where it is not known."""
    low, high = number_of(row, "auc_low"), number_of(row, "auc_high")
    return [f"95 % interval {low:.2f} to {high:.2f}"] if np.isfinite([low, high]).all() else []
