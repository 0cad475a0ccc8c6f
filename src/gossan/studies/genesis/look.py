"""What a look at a genesis study finds before it runs: its tables, labels, folds and effort."""

from __future__ import annotations

from typing import Any

from gossan.data.assays import read_assays
from gossan.report._writing import count_of
from gossan.studies.genesis.run import (
    SECTIONS,
    beside,
    check_fit,
    memory_of,
    read_new_deposits,
    read_table,
)
from gossan.studies.genesis.sections import labels, model, validate
from gossan.studies.genesis.tables import LabelledTable, doubts
from gossan.studies.genesis.trust import protocol_folds
from gossan.studies.looking import Look, missing_columns, missing_elements
from gossan.studies.record import Study

FILES = {"read": ("table",), "classify": ("table",)}
# Seconds that a fit of a model takes on a thousand analyses, on one core of 2020's.
SECONDS = {"network": 9.0, "recommended": 9.0, "gul2025": 25.0}
USUAL_SECONDS = 0.3


def look_at(study: Study, look: Look, absent: set[tuple[str, str]]) -> None:
    """Look at the tables of a genesis study.

    Parameters
    ----------
    study : Study
        As it was meant.
    look : Look
        What is found is added to it.
    absent : set of (section, key)
        Files that are not there.
    """
    labelled = None
    if ("read", "table") not in absent:
        labelled = _labelled(study, look)
    if labelled is not None:
        look.attempt(check_fit, study, labelled)
        _describe(study, look, labelled)
    if "classify" in study.sections and ("classify", "table") not in absent:
        _new(study, look, labelled)


def _labelled(study: Study, look: Look) -> LabelledTable | None:
    read = study.sections.get("read", {})
    if "table" in read:
        there = read | {"table": beside(study, read["table"])}
        named = labels(**study.sections.get("labels", {}))
        faults = [
            *(look.attempt(missing_columns, study, "labels", there, named) or []),
            *(look.attempt(missing_elements, there) or []),
        ]
        for fault in faults:
            look.add(fault)
        if faults:
            left: dict[str, Any] = {k: v for k, v in there.items() if k != "elements"}
            look.attempt(lambda: read_assays(**left))  # its cells may be at fault besides
            return None
    return look.attempt(read_table, study)


def _describe(study: Study, look: Look, labelled: LabelledTable) -> None:
    table, how = labelled.table, validate(**study.sections.get("validate", {}))
    name = model(**study.sections.get("model", {}))["name"]
    kinds = table.groupby("type")["deposit"].nunique()
    told, n = ", ".join(f"{kind} {n}" for kind, n in kinds.items()), table["deposit"].nunique()
    look.found += [
        f"{labelled.assays.source}: {len(table):,} analyses of {n:,} deposits ({told})",
        f"{count_of(len(labelled.elements), 'element')}: {', '.join(labelled.elements)}",
    ]
    look.notes += [*labelled.left_out, *_doubts(labelled)]
    if look.problems:
        return
    parts = protocol_folds(
        labelled, n_splits=how["n_splits"], n_random_splits=how["n_random_splits"]
    )
    n_folds = sum(len(folds) for folds in parts.values())
    names = dict.fromkeys([*how["baselines"], name])
    each = sum(SECONDS.get(one, USUAL_SECONDS) for one in names) * len(how["seeds"])
    each += SECONDS.get(name, USUAL_SECONDS) * 10 / n_folds  # the importance of elements
    look.found.append(f"{n_folds} folds of {len(names)} models")
    look.seconds = 10 + each * n_folds * (0.2 + len(table) / 1000)
    look.n_bytes = memory_of(labelled)


def _doubts(labelled: LabelledTable) -> list[str]:
    """Return what is doubtful about the table, and deposits of two types, which count twice."""
    table = labelled.table
    kinds = table.groupby("deposit", sort=False)["type"].agg(lambda of: sorted(set(of)))
    told = [
        f"deposit {name!r} has {len(of)} types ({', '.join(of)}): each of them is judged as a deposit"
        " of its own"
        for name, of in kinds.items()
        if len(of) > 1
    ]
    return told + [line.removeprefix("warning: ") for line in doubts(labelled.assays)]


def _new(study: Study, look: Look, labelled: LabelledTable | None) -> None:
    told = study.sections["classify"]
    if labelled is not None or "table" not in told:
        new = None if labelled is None else look.attempt(read_new_deposits, study, labelled)
        if new is not None:
            deposits = len(set(new[1]))
            look.found.append(
                f"{new[2].source}: {len(new[0]):,} analyses of {deposits:,} new deposits"
            )
        return
    read = {key: value for key, value in told.items() if key in _reading()}
    look.attempt(lambda: read_assays(**read | {"table": beside(study, told["table"])}))


def _reading() -> set[str]:
    import inspect

    return set(inspect.signature(SECTIONS["read"]).parameters)
