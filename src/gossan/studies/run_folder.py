"""A run is a folder: its parts are written whole, and what is done is not done again.

A folder and what a part depends on come in; arrays, tables and the manifest go out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan import __version__
from gossan._spreadsheets import without_formulas
from gossan.data._replacing import replacing
from gossan.report import Report, write_report
from gossan.report.figures import write_figures
from gossan.studies.stored_arrays import read_arrays

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch")
TEMPORARY = re.compile(r"^\..+\.[a-z0-9_]{8}$")  # as `replacing` names what it writes
MOST_MANIFEST = 20_000_000  # bytes
Arrays = dict[str, NDArray]


class RunFolder:
    """The folder of one run, made if it is not there.

    Parameters
    ----------
    path : path
        The folder; one that the same owner left is continued.
    owner : str, optional
        What writes it, such as "run of magnetite.toml". A folder that belongs to something else is
        refused, so that no file of the user is overwritten. None takes any folder.
    source : path, optional
        The study file; the manifest names it, from the folder.
    only_kept : bool
        Compute no part: what is not kept is a ValueError. Parts of another version of gossan are taken.
    figures : path, optional
        Folder that the figures of reports are written to, besides.

    Raises
    ------
    ValueError
        If the folder holds something else, or another process is writing it.
    OSError
        If it cannot be made or written.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        owner: str | None = None,
        source: Path | None = None,
        only_kept: bool = False,
        figures: Path | None = None,
    ) -> None:
        self.path = Path(path)
        self.owner = owner
        self.source = source
        self.only_kept = only_kept
        self.figures = figures
        self.seconds: dict[str, float] = {}
        self.reused: list[str] = []
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.path).close()
        except OSError as error:
            raise type(error)(
                f"{self.path} cannot be written as a folder ({error.strerror or error}). Name "
                "another with --out, or mend its permissions."
            ) from error
        if owner is not None:
            self._claim(owner)
            lock = lock_folder(self.path)
            if lock is not None:  # held as long as this object lives
                weakref.finalize(self, os.close, lock)
            remove_leftovers(self.path)

    def _claim(self, owner: str) -> None:
        """Refuse the folder of another owner; leave a manifest that names this one."""
        found = sorted(file.name for file in self.path.iterdir())
        if not found:
            start = {"gossan": __version__, "owner": owner, **self._origin()}
            self.write_text("manifest.json", json.dumps(start))
            return
        try:
            manifest = read_manifest(self.path)
            known = manifest.get("owner", owner) if "gossan" in manifest else ""
        except (OSError, ValueError):
            known = ""
        if known != owner:
            holds = f"the {known}" if known else "things that gossan did not write"
            shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
            raise ValueError(
                f"{self.path} holds {holds} ({shown}), and the {owner} would overwrite it. Name a "
                "new or empty folder with --out."
            )
        if "finished" in manifest and not self.only_kept:  # until this run is, too
            del manifest["finished"]
            self.write_text("manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False))

    def _origin(self) -> dict[str, str]:
        """Return where the study file lies, from this folder; nothing if that cannot be told."""
        if self.source is None:
            return {}
        try:
            path = os.path.relpath(self.source.resolve(), self.path.resolve())
        except ValueError:  # another drive of Windows
            path = str(self.source.resolve())
        return {"study_file": Path(path).as_posix()}

    def plan(self, names: Sequence[str]) -> None:
        """Leave the names of the parts that this run will make, for those who ask how far it is."""
        file, text = self.path / "parts" / "plan.json", json.dumps(list(dict.fromkeys(names)))
        if not self.only_kept and not (file.is_file() and file.read_text("utf-8") == text):
            self.write_text("parts/plan.json", text)

    def _place(self, name: str) -> Path:
        """Return where a file of the run lies: in its folder, through no link that leads elsewhere."""
        file = self.path / name
        if not file.parent.resolve().is_relative_to(self.path.resolve()):
            raise ValueError(
                f"{file} lies outside the run folder {self.path}: its name, or a link in the folder,"
                " leads elsewhere. Remove the link, or name a new folder with --out."
            )
        return file

    def part(self, name: str, depends: Mapping[str, Any], compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a part, from the folder if an earlier run left them there.

        Parameters
        ----------
        name : str
            Of the part, a file name.
        depends : mapping
            All that its result depends on, JSON-able; another dependency computes it anew.
        compute : callable
            Gives the arrays.
        """
        stored = self.kept(name, depends)
        if stored is not None:
            return stored
        if self.only_kept:
            self.refuse(name)
        start = time.perf_counter()
        arrays = compute()
        self.seconds[name] = round(time.perf_counter() - start, 2)
        logger.info("%s: %.1f s", name, self.seconds[name])
        self.keep(name, depends, arrays)
        return arrays

    def refuse(self, name: str) -> NoReturn:
        """Raise ValueError: a part would have to be computed, and only kept ones are wanted."""
        raise ValueError(
            f"{self.path} does not hold the part {name!r} of what the study file asks for: the run is"
            " not finished, or the study file or a table was changed since. Go on with gossan run,"
            " which does again only what it must."
        )

    def kept(self, name: str, depends: Mapping[str, Any]) -> Arrays | None:
        """Return the arrays of a part that an earlier run left, None if it did not."""
        stored = self._stored(name, depends)
        if stored is not None:
            self.reused.append(name)
        return stored

    def keep_once(self, name: str, depends: Mapping[str, Any], arrays: Arrays) -> None:
        """Leave the arrays of a part that was made anyway, unless an earlier run left the same."""
        if self._stored(name, depends) is None:
            self.keep(name, depends, arrays)

    def _stored(self, name: str, depends: Mapping[str, Any]) -> Arrays | None:
        stored = _read_part(self._place(f"parts/{name}.npz"))
        made_by = str(stored.pop("gossan", ""))
        is_same = str(stored.pop("key", "")) == _key_of(name, depends)
        if not is_same or (made_by != __version__ and not self.only_kept):
            return None
        return stored

    def keep(self, name: str, depends: Mapping[str, Any], arrays: Arrays) -> None:
        """Leave the arrays of a part for a later run."""
        file = self._place(f"parts/{name}.npz")
        file.parent.mkdir(exist_ok=True)
        marks = {"key": np.array(_key_of(name, depends)), "gossan": np.array(__version__)}
        kept: dict[str, Any] = {**marks, **arrays}
        _write_whole(file, partial(np.savez_compressed, **kept))

    def write_report(self, name: str, report: Report) -> Path:
        """Write a page, whole, and its figures where they were asked for."""
        page = write_report(self._place(name), report)
        if self.figures is not None:
            write_figures(page, self.figures)
        return page

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file whole: a reader finds the old one or the new one, never half."""
        file = self._place(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(file, lambda stream: stream.write(text.encode("utf-8")))
        return file

    def write_table(self, name: str, table: pd.DataFrame) -> Path:
        """Write a table as CSV, whole; cells that a spreadsheet would run as formulas are quoted."""
        return self.write_text(name, without_formulas(table).to_csv(index=False))

    def write_tables(
        self, tables: Mapping[str, pd.DataFrame], *, also_empty: Sequence[str] = ()
    ) -> None:
        """Write tables that have rows; of the others nothing that an earlier run left remains.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            File name to table.
        also_empty : sequence of str
            Names of those that are written even without rows.
        """
        for name, table in tables.items():
            self.remove(name)
            if len(table) or name in also_empty:
                self.write_table(name, table)

    def remove(self, *names: str) -> None:
        """Remove files that an earlier run left and this one may not write again."""
        for name in names:
            self._place(name).unlink(missing_ok=True)

    def write_manifest(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Write `manifest.json`: versions, time, machine, seconds of each part, and `facts`."""
        manifest = {
            "gossan": __version__,
            "owner": self.owner,
            **self._origin(),
            "python": platform.python_version(),
            "packages": {name: version(name) for name in PACKAGES},
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": self.seconds,
            "reused": self.reused,
            **facts,
        }
        if self.only_kept:
            manifest |= self._earlier()
        self.write_text("manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        return manifest

    def _earlier(self) -> dict[str, Any]:
        """Return what the manifest tells of the run itself, which writing a page leaves as it is."""
        told = read_manifest(self.path)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        names = (
            "gossan",
            "owner",
            "python",
            "packages",
            "machine",
            "finished",
            "seconds",
            "reused",
        )
        kept = {name: told[name] for name in names if name in told}
        return kept | {"page_written": f"{now} by gossan {__version__}"}


def lock_folder(path: Path) -> int | None:
    """Lock a folder against another process that would write it, until the answer is closed.

    Parameters
    ----------
    path : Path

    Returns
    -------
    lock : int or None
        File descriptor; None where the system, or the disk, knows no locks. The system lifts the lock
        of a process that was killed.

    Raises
    ------
    ValueError
        If another process holds it.
    """
    if fcntl is None:
        return None
    lock = os.open(path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(lock)
        raise ValueError(
            f"{path} is being written by another gossan run. Wait for it, or name another folder with"
            " --out."
        ) from None
    except OSError:
        logger.debug("%s cannot be locked", path)
    return lock


def remove_leftovers(path: Path) -> list[str]:
    """Remove the half-written files that a killed run left; call it on a locked folder only.

    Parameters
    ----------
    path : Path

    Returns
    -------
    names : list of str
        Of what was removed.
    """
    found = [each for folder in (path, path / "parts") for each in folder.glob(".?*.*")]
    gone = [each for each in found if each.is_dir() and TEMPORARY.search(each.name)]
    for each in gone:
        old = each / "old"  # a folder that was about to be replaced when the run was killed
        place = path / each.name[1 : each.name.rindex(".")]
        if old.is_dir() and not place.exists():
            old.rename(place)
        shutil.rmtree(each, ignore_errors=True)
    return [each.name for each in gone]


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what `manifest.json` of a run folder tells.

    Raises
    ------
    OSError
        If there is none.
    ValueError
        If it is too large, or no JSON mapping; the message names it.
    """
    file = folder / "manifest.json"
    told: Any = None
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_MANIFEST + 1)
        told = json.loads(data) if len(data) <= MOST_MANIFEST else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise ValueError(  # noqa: TRY004, a bad file is a bad value
            f"{file} is no manifest of a run, a JSON mapping of at most {MOST_MANIFEST:,} bytes. Run"
            " the study again."
        )
    return told


def _key_of(name: str, depends: Mapping[str, Any]) -> str:
    return fingerprint({"part": name, **depends})


def _read_part(file: Path) -> Arrays:
    """Return the arrays of a part; none if it is not there, or damaged and to be done again."""
    try:
        return read_arrays(file)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        logger.warning("%s is damaged and is computed again: %s", file.name, error)
        return {}


def _write_whole(file: Path, write: Callable[[Any], Any]) -> None:
    """Write a file beside its place and move it there; nothing is left of one that was stopped."""
    with replacing(file) as part, part.open("wb") as stream:
        write(stream)


def fingerprint(thing: Any) -> str:
    """Return a short SHA-256 of a JSON-able value or a DataFrame.

    Examples
    --------
    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    if isinstance(thing, pd.DataFrame):
        data = pd.util.hash_pandas_object(thing, index=False).to_numpy().tobytes()
        data += "|".join(map(str, thing.columns)).encode()
    else:
        data = json.dumps(thing, sort_keys=True, default=str).encode()
    return hashlib.sha256(data).hexdigest()[:16]
