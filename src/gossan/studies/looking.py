"""What a look at a study and its data finds before anything runs: every problem, counts, the effort.

Steps that read one thing each come in; problems, what was found, and an estimate of memory and time go
out.
"""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from gossan._checks import GossanWarning, did_you_mean
from gossan.data.holes.drillholes import DrillHoles
from gossan.data.tables.columns import choose_columns, rename_columns
from gossan.data.tables.rawtable import read_raw
from gossan.studies.record import Study

Read = TypeVar("Read")

FIXED_BYTES = 0.6e9  # Python with its packages
CAUGHT = (ValueError, OSError, ImportError)


@dataclass
class Look:
    """What a look at a study found.

    Attributes
    ----------
    problems : list of str
        What would stop the run, a sentence each.
    found : list of str
        What was read, a line each.
    notes : list of str
        What the reader should know, though the run goes.
    n_bytes : float
        Memory that the run takes, roughly; 0 where it is not known.
    seconds : float
        Time that the run takes, roughly; 0 where it is not known.
    """

    problems: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    n_bytes: float = 0.0
    seconds: float = 0.0

    def attempt(self, step: Callable[..., Read], *arguments: Any) -> Read | None:
        """Return what a step gives; None if it finds a problem, which is kept.

        Parameters
        ----------
        step : callable
            Raises ValueError, OSError or ImportError on a problem; its warnings become notes.
        *arguments
            Of the step.

        Returns
        -------
        given : object or None

        Examples
        --------
        >>> look = Look()
        >>> look.attempt(int, "7"), look.attempt(int, "seven")
        (7, None)
        >>> look.problems
        ["invalid literal for int() with base 10: 'seven'"]
        """
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", GossanWarning)
            try:
                return step(*arguments)
            except CAUGHT as error:
                self.add(str(error))
                return None
            finally:
                for each in told:
                    if issubclass(each.category, GossanWarning):
                        self.notes += [str(each.message)] * (str(each.message) not in self.notes)

    def add(self, problem: str) -> None:
        """Keep a problem, once."""
        if problem not in self.problems:
            self.problems.append(problem)


def missing_files(
    study: Study, files: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Files that a study names and that are not there.

    Parameters
    ----------
    study : Study
    files : mapping of section to keys
        Whose values name a file, or several with patterns.

    Returns
    -------
    missing : dict of (section, key) to (problem, meant)
        The problem in words, and the file that was surely meant; empty if none is near enough.
    """
    missing = {}
    for section, keys in files.items():
        given = study.sections.get(section, {})
        for key in keys:
            named = given.get(key) or []
            for name in [named] if isinstance(named, str) else named:
                path = study.path.parent / name
                if not (path.exists() or (set("*?[") & set(name) and _matches(path))):
                    problem, meant = _not_there(study, f"{study.path}: [{section}] {key}", path)
                    missing[section, key] = (problem, meant if isinstance(named, str) else "")
    return missing


def _not_there(study: Study, where: str, path: Path) -> tuple[str, str]:
    """Return the words for a file that is not there, and the name of the one that was meant."""
    folder = path.parent
    if not folder.is_dir():
        return f"{where}: there is no folder {folder}, for {path.name}. Mend the path.", ""
    if set("*?[") & set(path.name):
        return (
            f"{where}: No file is called {path.name} in {folder.resolve()}. Mend the pattern.",
            "",
        )
    there = sorted(file.name for file in folder.iterdir() if file.is_file())
    hint = _near_name(path, there)
    near = difflib.get_close_matches(path.name, there, n=1, cutoff=0.85)
    meant = os.path.relpath(folder / near[0], study.path.parent) if near else ""
    return f"{where}: there is no file {path.name} in {folder.resolve()}.{hint}", meant


def _near_name(path: Path, there: Sequence[str], most: int = 8) -> str:
    """Return ' Did you mean ...?' for a file whose stem is near, else the files of its kind.

    The stem alone is compared: 'assay.csv' and 'sph.csv' have half of their letters in common.
    """
    files = {Path(name).stem.lower(): name for name in there}
    near = difflib.get_close_matches(path.stem.lower(), list(files), n=1, cutoff=0.6)
    if near:
        return f" Did you mean {files[near[0]]!r}?"
    like = [name for name in there if Path(name).suffix.lower() == path.suffix.lower()]
    more = ", ..." if len(like) > most else ""
    told = f" There are {', '.join(like[:most])}{more}." if like else ""
    return f"{told} Mend the name; it is relative to the study file."


def _matches(path: Path) -> bool:
    try:
        return any(path.parent.glob(path.name))
    except (ValueError, OSError):
        return False


def missing_columns(
    study: Study, section: str, read: Mapping[str, Any], named: Mapping[str, Any]
) -> list[str]:
    """Columns that a section names and that its table does not have.

    Parameters
    ----------
    study : Study
    section : str
    read : mapping
        Arguments of `gossan.read_assays`: `table`, and `sheet` and `rename` if given.
    named : mapping of key to column or columns
        None and empty ones are passed over.

    Returns
    -------
    problems : list of str
        With the nearest column.
    """
    raw = rename_columns(read_raw(read["table"], sheet=read.get("sheet")), read.get("rename") or {})
    problems = []
    for key, value in named.items():
        for name in [value] if isinstance(value, str) else value or ():
            if name and name not in raw.names:
                shown = ", ".join(raw.names[:20]) + (", ..." if len(raw.names) > 20 else "")
                problems.append(
                    f"{study.path}: [{section}] {raw.source} has no column {name!r} for the {key}; it"
                    f" has {shown}.{did_you_mean(name, raw.names)}"
                )
    return problems


def missing_elements(read: Mapping[str, Any]) -> list[str]:
    """Elements that are asked of a table and that it does not have.

    Parameters
    ----------
    read : mapping
        Arguments of `gossan.read_assays`.

    Returns
    -------
    problems : list of str
    """
    if not read.get("elements"):
        return []
    raw = rename_columns(read_raw(read["table"], sheet=read.get("sheet")), read.get("rename") or {})
    look = Look()
    for name in read["elements"]:
        look.attempt(choose_columns, raw, [name])
    return look.problems


def hole_notes(holes: DrillHoles, *, most: int = 10) -> list[str]:
    """Faults of drill holes that do not stop a study: a line a kind, with the first row and hole.

    Parameters
    ----------
    holes : DrillHoles
        As mended.
    most : int
        Number of lines before the rest is counted only.

    Returns
    -------
    notes : list of str
    """
    found = holes.report.findings
    found = found[(found["severity"] != "note") & (found["kind"] != "dip convention")]
    notes = []
    for (kind, table), rows in found.groupby(["kind", "table"], sort=False, observed=True):
        first = rows.iloc[0]
        row = f", row {first['row']}" if first["row"] else ""
        hole = f", hole {first['hole']}" if first["hole"] else ""
        count = f" ({len(rows):,} rows)" if len(rows) > 1 else ""
        notes.append(f"{table}{row}{hole}: {kind}{count}: {first['message']}{_cure(rows)}")
    if len(notes) > most:
        notes = [*notes[:most], f"... and {len(notes) - most} more kinds; the report lists all"]
    return notes


def _cure(rows: pd.DataFrame) -> str:
    """Say what becomes of the rows of holes that have no collar, and how they are kept."""
    if rows["kind"].iloc[0] != "unknown hole":
        return ""
    told = "these rows are left out"
    is_spelt = rows["message"].str.contains("; is it ", regex=False)
    if is_spelt.any():
        told += f'; fix = ["names"] under [holes] keeps {int(is_spelt.sum()):,} of them'
    return f" ({told})"


def write_time(seconds: float) -> str:
    """Write a rough time in words.

    Examples
    --------
    >>> [write_time(each) for each in (20, 130, 1500, 9000)]
    ['under a minute', 'some 2 minutes', 'some 25 minutes', 'some 2.5 hours']
    """
    if seconds < 50:
        return "under a minute"
    if seconds < 5400:
        minutes = round(seconds / 60)
        return "about a minute" if minutes <= 1 else f"some {minutes} minutes"
    return f"some {seconds / 3600:.2g} hours"
