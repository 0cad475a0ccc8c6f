"""Samples brought to one level before they are gridded: by the rock they lie on, or by batch.

Logarithms of samples, their places and the study's settings come in; levelled logarithms and what was
done go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan._checks import did_you_mean
from gossan.geochem.levelling import level_batches, level_by_unit
from gossan.studies.places import Places
from gossan.studies.region.geology import rocks_at

ROCKS = "lithology"
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
        By rock: robust scores within each rock, on the scale of all samples. By batch: each batch
        brought to the median of all.
    notes : list of str

    Raises
    ------
    ValueError
        If the column is not there.
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
    names = [str(name) for name in places.table.columns]
    if by not in names:
        raise ValueError(
            f"level_by names {by!r}, and the samples have no such column; they have"
            f" {', '.join(names[:20])}.{did_you_mean(by, names)} Name one, or {ROCKS!r}."
        )
    batches = places.table[by].astype(object).where(places.table[by].notna(), UNKNOWN).astype(str)
    levelled = pd.DataFrame(
        np.asarray(level_batches(logs, batches.to_numpy(dtype=str)).values, dtype=float),
        index=logs.index, columns=logs.columns,
    )  # fmt: skip
    return levelled, [f"Samples were levelled by {by}, {batches.nunique()} groups."]
