"""What a look at a study and its data finds before anything runs: every problem, counts, the effort.

Steps that read one thing each come in; problems, what was found, and an estimate of memory and time go
out.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

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


def missing_files(study: Study, files: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], str]:
    """Files that a study names and that are not there.

    Parameters
    ----------
    study : Study
    files : mapping of section to keys
        Whose values name a file, or several with patterns.

    Returns
    -------
    problems : dict of (section, key) to str
        With the nearest name of a file that is there.
    """
    problems = {}
    for section, keys in files.items():
        given = study.sections.get(section, {})
        for key in keys:
            named = given.get(key) or []
            for name in [named] if isinstance(named, str) else named:
                told = _missing(study, section, key, name)
                if told:
                    problems[section, key] = told
    return problems


def _missing(study: Study, section: str, key: str, name: str) -> str:
    path = study.path.parent / name
    if path.exists() or (any(letter in name for letter in "*?[") and _matches(path)):
        return ""
    folder = path.parent
    where = f"{study.path}: [{section}] {key}"
    if not folder.is_dir():
        return f"{where} names {name!r}, and there is no folder {folder}. Mend the path."
    there = sorted(file.name for file in folder.iterdir() if file.is_file())
    hint = did_you_mean(path.name, there) or " Mend the name; it is relative to the study file."
    return f"{where}: there is no file {name} in {study.path.parent.resolve()}.{hint}"


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
    found = found[found["severity"] != "note"]
    notes = []
    for (kind, table), rows in found.groupby(["kind", "table"], sort=False, observed=True):
        first = rows.iloc[0]
        row = f", row {first['row']}" if first["row"] else ""
        hole = f", hole {first['hole']}" if first["hole"] else ""
        count = f" ({len(rows):,} rows)" if len(rows) > 1 else ""
        notes.append(f"{table}{row}{hole}: {kind}{count}: {first['message']}")
    if len(notes) > most:
        notes = [*notes[:most], f"... and {len(notes) - most} more kinds; the report lists all"]
    return notes


def memory_there() -> float:
    """Memory that a run may take on this machine [bytes]: what is free, within the limits set.

    Returns
    -------
    n_bytes : float
        Infinite where it cannot be told.
    """
    return min(_free_memory(), _allowed_memory())


def _free_memory() -> float:
    if sys.platform == "win32":
        return _windows_memory()
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(1024.0 * float(line.split()[1]) for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return float("inf")


def _windows_memory() -> float:
    """Return the free memory that Windows tells."""
    names = ("length", "load", "total", "free", "total_page", "free_page", "all", "virtual", "more")

    class Status(ctypes.Structure):
        _fields_ = tuple(
            (name, ctypes.c_ulong if place < 2 else ctypes.c_ulonglong)
            for place, name in enumerate(names)
        )

    status = Status()
    status.length = ctypes.sizeof(Status)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - only Windows has it
    return float(status.free) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else float("inf")


def _allowed_memory() -> float:
    """Return what is left of the limit of a container."""
    folder = Path("/sys/fs/cgroup")
    for limit, used in (
        (folder / "memory.max", folder / "memory.current"),
        (folder / "memory/memory.limit_in_bytes", folder / "memory/memory.usage_in_bytes"),
    ):
        try:
            return float(limit.read_text()) - float(used.read_text())
        except (OSError, ValueError):
            continue
    return float("inf")


def check_room(n_bytes: float, advice: str) -> None:
    """Raise ValueError where a run would take more memory than there is.

    Parameters
    ----------
    n_bytes : float
        That it takes, roughly.
    advice : str
        What makes it smaller, an imperative sentence.

    Raises
    ------
    ValueError
        With both numbers and the advice.

    Examples
    --------
    >>> check_room(1e15, "Take a larger spacing under [grid].")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: This needs about 1000000 GB of memory, this machine has ... Take a larger spacing ...
    """
    there = memory_there()
    if n_bytes > there:
        raise ValueError(
            f"This needs about {write_gb(n_bytes)} of memory, this machine has {write_gb(there)} free."
            f" {advice}"
        )


def write_gb(n_bytes: float) -> str:
    """Write bytes as GB, with two digits.

    Examples
    --------
    >>> write_gb(41.2e9), write_gb(0.63e9), write_gb(1.24e9)
    ('41 GB', '0.6 GB', '1.2 GB')
    """
    size = n_bytes / 1e9
    return f"{size:.0f} GB" if size >= 10 else f"{size:.1f} GB"


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
