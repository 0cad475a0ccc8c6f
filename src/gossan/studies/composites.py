"""Composites of drill holes, as studies work on them: checked, imputed, of one length, placed in space.

Collar, survey and assay files come in; composites with their places [m] go out. Every fault is in the
report, and a fault that would spoil the composites stops the study.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan._checks import GossanWarning, did_you_mean
from gossan.data.holes.drillholes import DrillHoles
from gossan.data.holes.reading import read_drillholes
from gossan.geochem import impute_censored

AXES = ("easting", "northing", "elevation")
OVERLAPS = ("duplicate interval", "overlap")


@dataclass(frozen=True, eq=False)
class Composites:
    """Composites of drill holes.

    Attributes
    ----------
    table : DataFrame of n_composites
        `hole`, `from`, `to`, `easting`, `northing`, `elevation` [m] and the elements; no place and
        no element is missing, none is below detection any more.
    censored : bool DataFrame of shape (n_composites, n_elements)
        Where more than half of the composite was below detection.
    elements : tuple of str
    units : mapping of element to unit
    length : float
        Of the composites [m].
    holes : DrillHoles
        As mended.
    report : HoleReport
        What the check of the tables found, before anything was mended.
    left_out : list of str
        Sentences on what was left out, or mended.
    source : str
        Name of the collar table.
    """

    table: pd.DataFrame
    censored: pd.DataFrame
    elements: tuple[str, ...]
    units: Mapping[str, str]
    length: float
    holes: DrillHoles
    report: Any
    left_out: list[str]
    source: str


def read_composites(
    tables: Mapping[str, Any],
    *,
    elements: Sequence[str] | None = None,
    composite: float = 0.0,
    min_coverage: float = 0.5,
    fix: Sequence[str] = (),
    method: str = "0.65",
    contacts: str = "",
    least_share: float = 0.0,
    ore: str = "",
) -> Composites:
    """Read drill holes and composite them.

    Parameters
    ----------
    tables : mapping
        Arguments of `gossan.read_drillholes`: collar, survey, assay and how to read them.
    elements : sequence of str, optional
        Analytes to take; default all.
    composite : float
        Length of the composites [m]; 0 takes the median length of the samples.
    min_coverage : float
        Least share of a composite that must hold values.
    fix : sequence of str
        Faults to mend, see `DrillHoles.fixed`.
    method : str
        Imputation of values below detection, before they are averaged.
    contacts : str
        Column of the lithology at whose changes composites break; empty: nowhere.
    least_share : float
        Where `elements` names none: elements known in a smaller share of the composites are left
        out, rather than the composites that lack them.
    ore : str
        Element that is never left out.

    Returns
    -------
    composites : Composites

    Raises
    ------
    ValueError
        If an element is not in the table, or samples without a length or overlaps stand in the way
        of compositing.
    """
    found = read_drillholes(**tables)
    holes = found.fixed(fix)
    names = _elements(holes, [*elements, ore] if elements and ore else elements)
    if ore:
        _elements(holes, [ore])
    for problem in [*_length_problems(holes), *_overlap_problems(holes)]:
        raise ValueError(problem)
    length = composite or _median_length(holes)
    made = _imputed(holes, names, method).composite(
        length,
        columns=names,
        min_coverage=min_coverage,
        domain=("lithology", contacts) if contacts else None,
    )
    told = [str(made)]
    if elements is None and least_share:
        names, others = _concentrations(names, holes.units["assay"], ore=ore)
        names, dropped = _common(made.table, names, least_share=least_share, ore=ore)
        told += [*others, *dropped]
    with warnings.catch_warnings():  # holes without a place are told in `left_out`
        warnings.simplefilter("ignore", GossanWarning)
        placed = holes.points(made.table)
    lacks = {
        f"{names[0] if len(names) == 1 else 'one of the elements'}": (
            made.table[names].isna().any(axis=1)
        ),
        "a place": placed[list(AXES)].isna().any(axis=1).set_axis(made.table.index),
    }
    kept = ~np.logical_or.reduce([lack.to_numpy() for lack in lacks.values()])
    table = placed[kept][["hole", "from", "to", *AXES, *names]].reset_index(drop=True)
    return Composites(
        table.astype(dict.fromkeys((*AXES, *names), float)),
        (made.censored[names][kept] > 0.5).reset_index(drop=True),
        tuple(names),
        {name: holes.units["assay"].get(name, "") for name in names},
        length,
        holes,
        found.report,
        [*told, *_left_out(lacks, made.table["hole"]), *_changed(holes)],
        Path(str(tables["collar"])).name if isinstance(tables["collar"], str | Path) else "holes",
    )


def _elements(holes: DrillHoles, elements: Sequence[str] | None) -> list[str]:
    there = list(holes.units.get("assay", {}))
    if not there:
        raise ValueError(
            "The drill holes have no analyses. Name their table: assay = ... in [holes]."
        )
    for name in elements or ():
        if name not in there:
            raise ValueError(_no_element(name, there))
    return list(dict.fromkeys(elements or there))


def hole_problems(
    tables: Mapping[str, Any], *, elements: Sequence[str] | None, fix: Sequence[str], ore: str = ""
) -> tuple[list[str], DrillHoles]:
    """All that stands in the way of compositing, and the holes as they are mended.

    Parameters
    ----------
    tables, elements, fix, ore
        As of `read_composites`.

    Returns
    -------
    problems : list of str
        With file, row and hole.
    holes : DrillHoles

    Raises
    ------
    ValueError, FileNotFoundError
        If a table cannot be read at all.
    """
    holes = read_drillholes(**tables).fixed(fix)
    there = list(holes.units.get("assay", {}))
    wanted = dict.fromkeys([*(elements or ()), *([ore] if ore else [])])
    absent = [_no_element(name, there) for name in wanted if there and name not in there]
    return [*absent, *_length_problems(holes), *_overlap_problems(holes)], holes


def _no_element(name: str, there: Sequence[str]) -> str:
    return (
        f"The assay table has no analyses of {name!r}; it has {', '.join(there)}."
        f"{did_you_mean(name, there)}"
    )


def _length_problems(holes: DrillHoles) -> list[str]:
    table = holes.intervals["assay"]
    top, end = table["from"], table["to"]
    problems = []
    for is_faulty, what, fix in (
        (table["hole"].isna(), "name no hole", "unknown holes"),
        (top > end, "end above their start", "reversed intervals"),
        (~(top != end) | top.isna() | end.isna(), "have no from, to or length", "empty intervals"),
    ):
        if is_faulty.any():
            first = table[is_faulty].iloc[0]
            problems.append(
                f"{holes.sources.get('assay', 'assay')}: {int(is_faulty.sum()):,} samples {what},"
                f" first in row {first.name}, hole {first['hole']}, {first['from']:g} to"
                f' {first["to"]:g} m. Correct them, or write fix = ["{fix}"] under [holes]: each'
                " row that it touches is listed."
            )
    return problems


def _overlap_problems(holes: DrillHoles) -> list[str]:
    found = holes.report.findings
    found = found[found["kind"].isin(OVERLAPS) & (found["table"] == "assay")]
    if not len(found):
        return []
    first = found.iloc[0]
    kinds = ", ".join(f'"{kind}s"' for kind in OVERLAPS if kind in set(found["kind"]))
    told = (
        f"{holes.sources.get('assay', 'assay')}: {len(found):,} samples overlap those above them,"
        f" first in row {first['row']}, hole {first['hole']}. Correct them, or write"
        f" fix = [{kinds}] under [holes]: of two with the same ends the fuller stays, else the"
        " upper one stays whole."
    )
    return [told]


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


def _concentrations(
    names: Sequence[str], units: Mapping[str, str], *, ore: str
) -> tuple[list[str], list[str]]:
    """Return what is measured as a concentration, and a sentence on each other column."""
    kept = [name for name in names if name == ore or units.get(name)]
    told = [
        f"{name} was left out: it is no concentration. Name it under elements to take it."
        for name in names
        if name not in kept
    ]
    return kept, told


def _common(
    table: pd.DataFrame, names: Sequence[str], *, least_share: float, ore: str
) -> tuple[list[str], list[str]]:
    """Return the elements that most composites have, and a sentence on each other one."""
    shares = table[list(names)].notna().mean()
    kept = [name for name in names if name == ore or shares[name] >= least_share]
    told = [
        f"{name} was left out: only {_below(shares[name], least_share)} of the composites have it."
        " Name it under elements to take it, and the composites without it are left out."
        for name in names
        if name not in kept
    ]
    return kept, told


def _below(share: float, least: float) -> str:
    """Write a share that is too small in as many digits as tell it from the least.

    Examples
    --------
    >>> _below(0.104, 0.8), _below(0.796, 0.8)
    ('10%', '79.6%')
    """
    return f"{share:.0%}" if round(share, 2) < least else f"{share:.1%}"


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
