"""Samples of the tailings study from the tables of drill holes: checked, composited, placed in space.

Collar, survey and assay files come in; composites of one length with their places [m] go out. Every
fault is in the report, and a fault that would spoil the composites stops the study.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan._checks import GossanWarning, did_you_mean
from gossan.data.holes.drillholes import DrillHoles
from gossan.data.holes.reading import read_drillholes
from gossan.geochem import impute_censored
from gossan.studies.tailings.samples import AXES, Samples, check_enough

OVERLAPS = ("duplicate interval", "overlap")


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
    composite : float
        Length of the composites [m]; 0 takes the median length of the samples.
    min_coverage : float
        Least share of a composite that must hold values.
    fix : sequence of str
        Faults to mend, see `DrillHoles.fixed`; each row touched stands in the run folder.
    method : str
        Imputation of values below detection, before they are averaged.

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
    found = read_drillholes(**tables)
    holes = found.fixed(fix)
    names = _elements(holes, elements)
    _check_overlaps(holes)
    length = composite or _median_length(holes)
    made = _imputed(holes, names, method).composite(
        length, columns=names, min_coverage=min_coverage
    )
    with warnings.catch_warnings():  # holes without a place are told in `left_out`
        warnings.simplefilter("ignore", GossanWarning)
        placed = holes.points(made.table)
    coords = placed[list(AXES)].to_numpy(dtype=float)
    values = made.table[names]
    lacks = {
        f"{names[0] if len(names) == 1 else 'one of the elements'}": values.isna().any(axis=1),
        "a place": pd.Series(~np.isfinite(coords).all(axis=1), index=values.index),
    }
    kept = ~np.logical_or.reduce([lack.to_numpy() for lack in lacks.values()])
    source = (
        Path(str(tables["collar"])).name if isinstance(tables["collar"], str | Path) else "holes"
    )
    check_enough(source, int(kept.sum()))
    return Samples(
        coords[kept],
        values[kept].reset_index(drop=True).astype(float),
        pd.DataFrame(index=range(int(kept.sum()))),
        made.table["hole"].to_numpy(dtype=str)[kept],
        source,
        {name: holes.units["assay"].get(name, "") for name in names},
        found.report,
        (made.censored[names][kept] > 0.5).reset_index(drop=True),
        [str(made), *_left_out(lacks, made.table["hole"]), *_changed(holes)],
        holes.changes,
    )


def _elements(holes: DrillHoles, elements: Sequence[str] | None) -> list[str]:
    there = list(holes.units.get("assay", {}))
    if not there:
        raise ValueError(
            "The drill holes have no analyses. Name their table: assay = ... in [holes]."
        )
    for name in elements or ():
        if name not in there:
            raise ValueError(
                f"The assay table has no analyses of {name!r}; it has {', '.join(there)}."
                f"{did_you_mean(name, there)}"
            )
    return list(elements or there)


def _check_overlaps(holes: DrillHoles) -> None:
    found = holes.report.findings
    found = found[found["kind"].isin(OVERLAPS) & (found["table"] == "assay")]
    if len(found):
        first = found.iloc[0]
        kinds = ", ".join(f'"{kind}s"' for kind in OVERLAPS if kind in set(found["kind"]))
        raise ValueError(
            f"{holes.sources.get('assay', 'assay')}: {len(found):,} samples overlap those above them,"
            f" first in row {first['row']}, hole {first['hole']}. Correct them, or write"
            f" fix = [{kinds}] under [holes]: of two with the same ends the fuller stays, else the"
            " upper one stays whole."
        )


def _median_length(holes: DrillHoles) -> float:
    table = holes.intervals["assay"]
    lengths = (table["to"] - table["from"]).to_numpy(dtype=float)
    return float(np.median(lengths[lengths > 0])) if (lengths > 0).any() else 1.0


def _imputed(holes: DrillHoles, names: Sequence[str], method: str) -> DrillHoles:
    """Return the holes with values below detection imputed, their flags kept for the shares."""
    table, masks = holes.intervals["assay"], holes.censored["assay"]
    flags = masks[list(names)]
    if not flags.to_numpy().any():
        return holes
    filled = impute_censored(table[list(names)].astype(float), flags, method=method)
    units = holes.units["assay"]
    changed = table.assign(**{name: filled[name] for name in names})
    return holes.with_intervals("assay", changed, censored=masks, units=units)


def _left_out(lacks: Mapping[str, pd.Series], holes: pd.Series) -> list[str]:
    told = []
    for lack, is_lacking in lacks.items():
        if is_lacking.any():
            names = pd.unique(holes[is_lacking.to_numpy()].astype(str))
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            told.append(
                f"{int(is_lacking.sum()):,} composites without {lack} were left out, of the holes"
                f" {', '.join(names[:5])}{more}."
            )
    return told


def _changed(holes: DrillHoles) -> list[str]:
    counts = holes.changes["kind"].value_counts()
    return [f"Mended, {kind}: {n:,} rows." for kind, n in counts.items()]
