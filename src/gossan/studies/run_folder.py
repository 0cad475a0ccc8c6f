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
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan import __version__

logger = logging.getLogger(__name__)

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch")
Arrays = dict[str, NDArray]


class RunFolder:
    """The folder of one run, made if it is not there.

    Parameters
    ----------
    path : path
        The folder; another run's folder is continued.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(
                f"{self.path} is a file, not a folder for a run. Name another with --out."
            )
        self.path.mkdir(parents=True, exist_ok=True)
        self.seconds: dict[str, float] = {}
        self.reused: list[str] = []

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
        key = fingerprint({"part": name, "gossan": __version__, **depends})
        file = self.path / "parts" / f"{name}.npz"
        if file.exists():
            with np.load(file, allow_pickle=False) as stored:
                if str(stored["key"]) == key:
                    self.reused.append(name)
                    return {k: stored[k] for k in stored.files if k != "key"}
        start = time.perf_counter()
        arrays = compute()
        self.seconds[name] = round(time.perf_counter() - start, 2)
        logger.info("%s: %.1f s", name, self.seconds[name])
        file.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as stream:
            kept: dict[str, Any] = {"key": np.array(key), **arrays}
            np.savez_compressed(stream, **kept)
        Path(stream.name).replace(file)
        return arrays

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file whole: a reader finds the old one or the new one, never half."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=file.parent, suffix=".part", delete=False, encoding="utf-8"
        ) as stream:
            stream.write(text)
        Path(stream.name).chmod(0o644)
        Path(stream.name).replace(file)
        return file

    def write_table(self, name: str, table: pd.DataFrame) -> Path:
        """Write a table as CSV, whole; cells that a spreadsheet would run as formulas are quoted."""
        safe = table.copy()
        for column in safe.columns:
            if not pd.api.types.is_numeric_dtype(safe[column]):
                safe[column] = safe[column].map(_without_formula)
        return self.write_text(name, safe.to_csv(index=False))

    def write_manifest(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Write `manifest.json`: versions, time, machine, seconds of each part, and `facts`."""
        manifest = {
            "gossan": __version__,
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
