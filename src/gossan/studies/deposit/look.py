"""What a look at a deposit study finds before it runs: holes, faults, ground, folds and effort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gossan.data.grids.grid import spacing_of
from gossan.data.ground import read_ground
from gossan.data.surfaces.files import read_surfaces
from gossan.report._writing import count_of
from gossan.studies.composites import hole_problems
from gossan.studies.deposit.methods import METHODS
from gossan.studies.deposit.run import Settings, settings_of
from gossan.studies.deposit.tables import BYTES_A_CELL, SIZES, Field, read_field
from gossan.studies.deposit.validation import deal_folds
from gossan.studies.looking import FIXED_BYTES, Look, hole_notes, write_time
from gossan.studies.record import Study

ROLES = ("collar", "survey", "assay", "lithology")
FILES = {"holes": ROLES, "faults": ("table",), "ground": ("table",)}
# Seconds that a method takes for a fold of ten thousand cells of rock.
SECONDS = {"DAE": 6.0, "STOAD": 9.0, "held-out trees": 6.0, "boosted trees": 3.0}
USUAL_SECONDS = 1.0
# Parts of that time which a fold takes, whose rock is thinned, and the map, which two processes share:
# read off runs of 58,000 to 165,000 cells.
A_FOLD, THE_MAP = 0.17, 0.15
PATIENCE = 1800.0  # s, beyond which a check says what makes a first run shorter
SHORT = 600.0  # s, of a first run
MOSTLY_ORE = 0.5  # share of the composites, above which a score says little


def look_at(study: Study, look: Look, absent: set[tuple[str, str]]) -> None:
    """Look at the tables of a deposit study.

    Parameters
    ----------
    study : Study
        As it was meant.
    look : Look
        What is found is added to it.
    absent : set of (section, key)
        Files that are not there.
    """
    settings = look.attempt(settings_of, study)
    if settings is None:
        return
    n_before = len(look.problems)
    _look_at_files(study, look, settings, absent)
    if absent or len(look.problems) > n_before:
        return
    field = look.attempt(read_field, settings, study.path.parent)
    if field is not None:
        _look_at_folds(look, field, settings)


def _look_at_files(
    study: Study, look: Look, settings: Settings, absent: set[tuple[str, str]]
) -> None:
    """Look at each table by itself, so that one at fault hides no other."""
    told, base = settings["holes"], study.path.parent
    files = told["tables"]
    named = {role: base / files[role] for role in ROLES if files.get(role)}
    lost = {key for section, key in absent if section == "holes"}
    if not lost & {"collar", "assay"}:
        there = files | {role: None if role in lost else path for role, path in named.items()}
        found = look.attempt(
            lambda: hole_problems(
                there, elements=told["elements"], fix=told["fix"], ore=settings["ore"]["element"]
            )
        )
        for problem in found[0] if found else ():
            look.add(problem)
        if found:
            look.notes += hole_notes(found[1])
    if "faults" in settings and ("faults", "table") not in absent:
        look.attempt(read_surfaces, base / settings["faults"]["table"])
    if settings["ground"]["table"] and ("ground", "table") not in absent:
        look.attempt(read_ground, base / settings["ground"]["table"])


def _look_at_folds(look: Look, field: Field, settings: Settings) -> None:
    told = settings["validate"]
    dealt = look.attempt(
        lambda: deal_folds(
            field.campaign, told["protocols"], n_splits=told["n_splits"],
            block_size=told["block_size"],
        )
    )  # fmt: skip
    if dealt is None:
        return
    folds, notes = dealt
    if told["protocols"] and not folds:
        for note in notes:
            look.add(note)
    else:
        look.notes += notes
    look.notes += field.composites.left_out
    _describe(look, field, settings)
    n_folds = sum(len(each) for each in folds.values())
    n_rock = int(np.asarray(field.campaign.grid["rock"]).sum())
    names = [name for name in settings["methods"]["names"] if name in METHODS]
    often = settings["methods"]["n_seeds"]
    look.found.append(f"{n_folds} folds, {len(names)} methods, {count_of(often, 'seed')}")
    look.seconds = seconds_of(names, n_rock, n_folds, often, n_jobs=told["n_jobs"])
    if look.seconds > PATIENCE:
        edge = spacing_of(field.campaign.grid)[1]
        look.notes.insert(0, _shorter(names, n_rock, n_folds, edge, n_jobs=told["n_jobs"]))
    n_cells = float(np.asarray(field.campaign.grid["rock"]).size)
    look.n_bytes = FIXED_BYTES * told["n_jobs"] + BYTES_A_CELL * n_cells * min(told["n_jobs"], 2)


def seconds_of(
    names: Sequence[str], n_rock: int, n_folds: int, n_seeds: int, *, n_jobs: int = 1
) -> float:
    """Time that a run takes, roughly.

    Parameters
    ----------
    names : sequence of str
        Methods.
    n_rock : int
        Cells of rock.
    n_folds, n_seeds, n_jobs : int

    Returns
    -------
    seconds : float

    Examples
    --------
    >>> round(seconds_of(["maxent"], 97_000, 10, 1, n_jobs=2))
    25
    """
    once = sum(SECONDS.get(name, USUAL_SECONDS) for name in names)
    work = once * n_seeds * (0.3 + n_rock / 10_000.0)
    return 15 + work * (n_folds / max(1, n_jobs) * A_FOLD + THE_MAP)


def _shorter(names: Sequence[str], n_rock: int, n_folds: int, edge: float, *, n_jobs: int) -> str:
    """Say which spacing, with one seed, makes a first run of a few minutes, and how long it takes."""
    wider = edge
    for size in SIZES:
        wider = max(size, edge)
        seconds = seconds_of(names, int(n_rock * (edge / wider) ** 3), n_folds, 1, n_jobs=n_jobs)
        if seconds <= SHORT:
            break
    where = f"spacing = {wider:g} under [grid] and " if wider > edge else ""
    return (
        f"A first run with {where}n_seeds = 1 under [methods] would take {write_time(seconds)};"
        " what it finds tells whether the long one is worth its time."
    )


def _describe(look: Look, field: Field, settings: Settings) -> None:
    composites, grid = field.composites, field.campaign.grid
    ore: dict[str, Any] = settings["ore"]
    is_rich = composites.table[ore["element"]] >= ore["cutoff"]
    unit = composites.units.get(ore["element"], "")
    sizes = " x ".join(f"{grid.sizes[axis]:,}" for axis in grid.sizes)
    edges = " x ".join(f"{edge:g}" for edge in reversed(spacing_of(grid)))
    rock = np.asarray(grid["rock"])
    n, n_holes = len(composites.table), composites.table["hole"].nunique()
    look.found += [
        f"{composites.source}: {n:,} composites of {composites.length:g} m in {n_holes:,} holes",
        f"{count_of(len(composites.elements), 'element')}: {', '.join(composites.elements)}",
        f"{int(is_rich.sum()):,} composites have {ore['cutoff']:g} {unit} {ore['element']} or more"
        .replace("  ", " "),
        f"grid of {sizes} blocks of {edges} m, {int(rock.sum()):,} of them rock; {field.ground_note}",
    ]  # fmt: skip
    if is_rich.mean() > MOSTLY_ORE:
        look.notes.insert(
            0,
            f"{is_rich.mean():.0%} of the composites are ore, and targets tell little where most rock"
            " is. A higher cutoff under [ore] asks for the rich rock.",
        )
    edge = spacing_of(grid)[1]
    if ore["reach"] < edge / 2:
        drilled = field.campaign.drilled()
        labels = drilled.label(np.ones(len(drilled.coords), dtype=bool)).labels
        look.notes.insert(
            0,
            f"reach = {ore['reach']:g} under [ore] is less than half a block of {edge:g} m:"
            f" {int((labels == 1).sum()):,} blocks of ore and {int((labels == 0).sum()):,} barren ones"
            f" are all that is learned from. reach = {edge / 2:g} takes more of them.",
        )
    if field.faults:
        look.found.append(f"{field.files['faults']}: {len(field.faults)} faults")
