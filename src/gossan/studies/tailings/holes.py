"""Samples of the tailings study from the tables of drill holes.

Collar, survey and assay files come in; composites of one length as `Samples` go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gossan.studies.composites import read_composites
from gossan.studies.tailings.samples import AXES, Samples, check_enough


def read_hole_samples(
    tables: Mapping[str, Any],
    *,
    elements: Sequence[str] | None = None,
    composite: float = 0.0,
    min_coverage: float = 0.5,
    fix: Sequence[str] = (),
    method: str = "0.65",
) -> Samples:
    """Read drill holes and composite them.

    Parameters
    ----------
    tables : mapping
        Arguments of `gossan.read_drillholes`: collar, survey, assay and how to read them.
    elements : sequence of str, optional
        Analytes to estimate; default all.
    composite, min_coverage, fix, method
        As of `gossan.studies.composites.read_composites`; each row mended stands in the run folder.

    Returns
    -------
    samples : Samples
        In 3D, their holes named.

    Raises
    ------
    ValueError
        If an element is not in the table, faults stand in the way of compositing, or the composites
        are too few.
    """
    made = read_composites(
        tables,
        elements=elements,
        composite=composite,
        min_coverage=min_coverage,
        fix=fix,
        method=method,
    )
    check_enough(made.source, len(made.table))
    return Samples(
        made.table[list(AXES)].to_numpy(),
        made.table[list(made.elements)],
        pd.DataFrame(index=made.table.index),
        made.table["hole"].to_numpy(dtype=str),
        made.source,
        made.units,
        made.report,
        made.censored,
        made.left_out,
        made.holes.changes,
    )
