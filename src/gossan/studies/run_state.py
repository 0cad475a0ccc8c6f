"""How far a run is, told from its folder alone.

The folder of a run comes in; whether it is finished, what is done and what is left go out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gossan.studies.run_folder import MOST_MANIFEST, read_manifest


@dataclass(frozen=True)
class RunState:
    """How far a run is.

    Attributes
    ----------
    folder : Path
    owner : str
        What writes the folder, such as "run of study.toml".
    study_file : Path
        Where the study file was, as the run saw it.
    is_finished : bool
    done, left : list of str
        Parts that are kept, and those that were planned besides.
    version : str
        Of gossan.
    """

    folder: Path
    owner: str
    study_file: Path
    is_finished: bool
    done: list[str]
    left: list[str]
    version: str

    def __str__(self) -> str:
        n = len(self.done) + len(self.left)
        return (
            f"{len(self.done)} of {n} parts done" if self.left else f"{len(self.done)} parts done"
        )


def read_state(folder: Path) -> RunState:
    """Read how far a run is.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    state : RunState

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it is not the folder of a run.
    """
    manifest = _manifest(folder)
    owner = str(manifest.get("owner") or "")
    if not owner.startswith("run of "):
        what = f"the {owner}" if owner else "no run of gossan"
        raise ValueError(
            f"{folder} holds {what}. Name the folder of a run: the one that gossan run printed last,"
            " usually runs/NAME beside the study file."
        )
    parts = folder / "parts"
    done = sorted(file.stem for file in parts.glob("*.npz"))
    planned = _planned(parts / "plan.json")
    named = str(manifest.get("study_file") or "")
    beside = folder.parent.parent / owner.removeprefix("run of ")  # as runs of old lay
    return RunState(
        folder,
        owner,
        (folder / named).resolve() if named else beside,
        "finished" in manifest,
        [name for name in done if not planned or name in planned],
        [name for name in planned if name not in done],
        str(manifest.get("gossan", "")),
    )


def _manifest(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "is not there"
        raise FileNotFoundError(f"{folder} {what}. Name the folder of a run, such as runs/study.")
    try:
        return read_manifest(folder)
    except FileNotFoundError:
        inside = sorted(path.parent.name for path in folder.glob("*/manifest.json"))
        more = f" It holds runs: {', '.join(inside[:5])}." if inside else ""
        raise ValueError(
            f"{folder} is no folder of a run: it has no manifest.json.{more} Name the folder that"
            " gossan run wrote, such as runs/study."
        ) from None


def _planned(file: Path) -> list[str]:
    try:
        told = json.loads(file.read_text("utf-8")) if file.stat().st_size <= MOST_MANIFEST else []
    except (OSError, ValueError, RecursionError):
        return []
    return [str(name) for name in told] if isinstance(told, list) else []
