"""Samples brought to one level before they are gridded: by rock, by catchment, or by batch.

Logarithms of samples, their places and the study's settings come in; levelled logarithms and what was
done go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import did_you_mean
from gossan.geochem.levelling import level_batches, level_by_catchment, level_by_unit
from gossan.studies.places import Places
from gossan.studies.region.catchments import Drained, read_drained
from gossan.studies.region.geology import rocks_at

ROCKS = "lithology"
CATCHMENT = "catchment"
UNKNOWN = "unknown"


def level_samples(
    logs: pd.DataFrame, places: Places, settings: Mapping[str, Mapping[str, Any]], folder: Path
) -> tuple[pd.DataFrame, list[str]]:
    """Level the samples as `level_by` under [elements] says.

    Parameters
    ----------
    logs : DataFrame of shape (n, n_elements)
        Common logarithms.
    places : Places
        Of the samples, with the other columns of their table.
    settings : mapping of section to arguments
    folder : Path
        Of the study file.

    Returns
    -------
    levelled : DataFrame of shape (n, n_elements)
        By rock: robust scores within each rock, on the scale of all samples. By catchment: what the
        rocks upstream do not explain, above the median of all. By batch: each batch brought to the
        median of all.
    notes : list of str

    Raises
    ------
    ValueError
        If the column is not there, or catchments are not known of every sample.
    """
    by = settings["elements"]["level_by"]
    if not by:
        return logs, []
    if by == ROCKS:
        told = settings["lithology"]
        rocks = rocks_at(folder / told["table"], told, places)
        units = np.where(rocks == "", UNKNOWN, rocks)
        scores = np.asarray(level_by_unit(logs, units).values, dtype=float)
        centre = logs.median()
        spread = 1.4826 * (logs - centre).abs().median()
        levelled = pd.DataFrame(scores, index=logs.index, columns=logs.columns)
        done = levelled * spread + centre
        return done, [f"Samples were levelled by rock, {len(np.unique(units))} kinds."]
    if by == CATCHMENT:
        drained = read_drained(places, settings, folder)
        return _by_catchment(logs, drained, settings["catchments"]["min_catchments"])
    names = [str(name) for name in places.table.columns]
    if by not in names:
        raise ValueError(
            f"level_by names {by!r}, and the samples have no such column; they have"
            f" {', '.join(names[:20])}.{did_you_mean(by, names)} Name one, {ROCKS!r} or {CATCHMENT!r}."
        )
    batches = places.table[by].astype(object).where(places.table[by].notna(), UNKNOWN).astype(str)
    levelled = pd.DataFrame(
        np.asarray(level_batches(logs, batches.to_numpy(dtype=str)).values, dtype=float),
        index=logs.index, columns=logs.columns,
    )  # fmt: skip
    return levelled, [f"Samples were levelled by {by}, {batches.nunique()} groups."]


def _by_catchment(
    logs: pd.DataFrame, drained: Drained, min_catchments: float
) -> tuple[pd.DataFrame, list[str]]:
    """Return logarithms without what the rocks upstream explain, and what was done."""
    found = level_by_catchment(10.0**logs, drained.shares, min_catchments=min_catchments)
    left = found.residuals.to_numpy(dtype=float)  # type: ignore[union-attr]
    told = (
        f"Samples were levelled by catchment: the rocks of {drained.n_catchments:,} catchments explain"
        f" {np.median(found.explained):.0%} of the variance of an element (median)."
    )
    if found.pooled:
        told += f" Rocks of few catchments were pooled: {', '.join(found.pooled)}."
    if drained.areas is None:
        told += " Dilution downstream was not undone."
    else:
        left = undiluted(left, drained.areas)
        told += (
            " What exceeds the background was brought to the dilution of a catchment of the median"
            f" area, {np.median(drained.areas):.4g} (Hawkes 1976)."
        )
    return pd.DataFrame(left, logs.index, logs.columns) + logs.median(), [told]


def undiluted(residuals: ArrayLike, areas: ArrayLike) -> NDArray[np.float64]:
    """Residuals above the background as a catchment of the median area would have them [Hawkes1976]_.

    A source delivers (C - C_background) A, whatever the area A of the catchment dilutes it with. At or
    below the background nothing is diluted.

    Parameters
    ----------
    residuals : array of shape (n, n_elements)
        log10(C / C_background).
    areas : array of shape (n,)
        Of the catchments, above zero.

    Returns
    -------
    residuals : array of shape (n, n_elements)

    Examples
    --------
    >>> undiluted([[np.log10(2.0)], [np.log10(2.0)], [-0.5]], [9.0, 1.0, 1.0]).round(3).ravel()
    array([ 1.   ,  0.301, -0.5  ])
    """
    left, sizes = np.asarray(residuals, dtype=float), np.asarray(areas, dtype=float)
    excess = (10.0**left - 1.0) * (sizes / np.median(sizes))[:, None]
    return np.where(left > 0, np.log10(1.0 + np.maximum(excess, 0.0)), left)
