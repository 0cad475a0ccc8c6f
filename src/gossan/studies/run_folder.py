"""A run is a folder: its parts are written whole, and what is done is not done again.

A folder and what a part depends on come in; arrays, tables and the manifest go out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan import __version__
from gossan.data._replacing import replacing

logger = logging.getLogger(__name__)

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch")
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

    Raises
    ------
    ValueError
        If the folder holds something else.
    OSError
        If it cannot be made or written.
    """

    def __init__(self, path: str | Path, *, owner: str | None = None) -> None:
        self.path = Path(path)
        self.owner = owner
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

    def _claim(self, owner: str) -> None:
        """Refuse the folder of another owner; leave a manifest that names this one."""
        found = sorted(file.name for file in self.path.iterdir())
        if not found:
            self.write_text("manifest.json", json.dumps({"gossan": __version__, "owner": owner}))
            return
        try:
            manifest = json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))
            known = manifest.get("owner", owner) if "gossan" in manifest else ""
        except (OSError, ValueError, AttributeError, TypeError):
            known = ""
        if known != owner:
            holds = f"the {known}" if known else "things that gossan did not write"
            shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
            raise ValueError(
                f"{self.path} holds {holds} ({shown}), and the {owner} would overwrite it. Name a "
                "new or empty folder with --out."
            )

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
        start = time.perf_counter()
        arrays = compute()
        self.seconds[name] = round(time.perf_counter() - start, 2)
        logger.info("%s: %.1f s", name, self.seconds[name])
        self.keep(name, depends, arrays)
        return arrays

    def kept(self, name: str, depends: Mapping[str, Any]) -> Arrays | None:
        """Return the arrays of a part that an earlier run left, None if it did not."""
        stored = _read_part(self.path / "parts" / f"{name}.npz")
        if str(stored.pop("key", "")) != _key_of(name, depends):
            return None
        self.reused.append(name)
        return stored

    def keep(self, name: str, depends: Mapping[str, Any], arrays: Arrays) -> None:
        """Leave the arrays of a part for a later run."""
        file = self.path / "parts" / f"{name}.npz"
        file.parent.mkdir(exist_ok=True)
        kept: dict[str, Any] = {"key": np.array(_key_of(name, depends)), **arrays}
        _write_whole(file, partial(np.savez_compressed, **kept))

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file whole: a reader finds the old one or the new one, never half."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(file, lambda stream: stream.write(text.encode("utf-8")))
        return file

    def write_table(self, name: str, table: pd.DataFrame) -> Path:
        """Write a table as CSV, whole; cells that a spreadsheet would run as formulas are quoted."""
        safe = table.copy()
        for column in safe.columns:
            if not pd.api.types.is_numeric_dtype(safe[column]):
                safe[column] = safe[column].map(_without_formula)
        return self.write_text(name, safe.to_csv(index=False))

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
            (self.path / name).unlink(missing_ok=True)

    def write_manifest(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Write `manifest.json`: versions, time, machine, seconds of each part, and `facts`."""
        manifest = {
            "gossan": __version__,
            "owner": self.owner,
            "python": platform.python_version(),
            "packages": {name: version(name) for name in PACKAGES},
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": self.seconds,
            "reused": self.reused,
            **facts,
        }
        self.write_text("manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        return manifest


def _key_of(name: str, depends: Mapping[str, Any]) -> str:
    return fingerprint({"part": name, "gossan": __version__, **depends})


def _read_part(file: Path) -> Arrays:
    """Return the arrays of a part; none if it is not there, or damaged and to be done again."""
    try:
        # Opened here, as numpy leaves the file of a damaged archive open.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        logger.warning("%s is damaged (%s) and is computed again", file.name, error)
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


def _without_formula(cell: Any) -> Any:
    is_formula = isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"}
    return f"'{cell}" if is_formula else cell
