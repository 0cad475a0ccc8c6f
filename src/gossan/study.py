"""Study files: a TOML section is a call, its keys are keyword arguments.

The path of a study file comes in; problems, or a run folder with a report, go out.
"""

from __future__ import annotations

import importlib
import inspect
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from gossan._checks import check_option, did_you_mean
from gossan.cluster import on_cluster
from gossan.studies.keys import check_keys, check_needed, fits
from gossan.studies.record import Study

__all__ = [
    "KINDS",
    "Study",
    "check_study",
    "read_study",
    "run_study",
    "study_template",
    "summarise_run",
]

KINDS = ("genesis", "tailings", "deposit", "region", "transfer")
READING = ("read", "holes", "samples", "layers")  # sections that say what is read
TOP_KEYS = ("study", "title")


def study_template(kind: str) -> str:
    """Text of the commented study file of a kind, ready to edit.

    Parameters
    ----------
    kind : {"genesis", "tailings", "deposit", "region", "transfer"}
        Which study.

    Returns
    -------
    text : str
    """
    check_option("kind", kind, KINDS)
    template = resources.files("gossan.studies").joinpath(kind, "study.toml")
    return template.read_text(encoding="utf-8")


def read_study(path: str | Path) -> Study:
    """Read a study file and refuse sections and keys that no function takes.

    Parameters
    ----------
    path : path
        TOML file, as `gossan init` writes it.

    Returns
    -------
    study : Study

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no TOML, or a section or key is not known; the nearest known word is named.
    """
    path = Path(path)
    if path.is_dir():
        raise FileNotFoundError(f"{path} is a folder, not a study file. Name the .toml file in it.")
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no study file {path}. Make one: gossan init genesis > {path}"
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is not valid TOML: {error}. Mend that line.") from error
    kind = content.get("study", "")
    if kind not in KINDS:
        raise ValueError(f"{path}: study must be one of {', '.join(KINDS)}, got {kind!r}.")
    steps = _steps(kind)
    known = (*TOP_KEYS, *steps.TOP_KEYS)
    sections = {key: value for key, value in content.items() if isinstance(value, dict)}
    _check_top(path, {k: v for k, v in content.items() if k not in sections}, known, steps)
    for name, arguments in sections.items():
        _check_section(path, name, arguments, steps)
    return Study(kind, content.get("title", kind), content.get("mineral", ""), path, sections)


def check_study(path: str | Path) -> list[str]:
    """Find what would stop a study before anything slow runs.

    Parameters
    ----------
    path : path
        Study file.

    Returns
    -------
    problems : list of str
        One sentence each; empty if it can run.
    """
    try:
        study = read_study(path)
    except (ValueError, OSError, ImportError) as error:
        return [str(error)]
    problems: list[str] = _steps(study.kind).check(study)
    return problems


def run_study(
    path: str | Path,
    *,
    out: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
    scheduler: str | None = None,
) -> Path:
    """Run a study and write its folder; a run that was stopped goes on where it was.

    Parameters
    ----------
    path : path
        Study file.
    out : path, optional
        Run folder; by default `runs/NAME` beside the study file.
    progress : callable, optional
        Called with a line before each step.
    scheduler : str, optional
        Address of a Dask cluster that does the heavy parts, see `gossan.on_cluster`.

    Returns
    -------
    folder : Path
        With `report.html`, `scores.csv`, `verdicts.csv`, `predictions.csv`, `model/`,
        `manifest.json`, and a copy of the study file.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_study`, or if the data do not fit the study.
    ConnectionError, ImportError
        As `gossan.on_cluster`.
    """
    study = read_study(path)
    target = Path(out) if out is not None else study.path.parent / "runs" / study.path.stem
    with on_cluster(scheduler):
        folder: Path = _steps(study.kind).run(study, target, progress=progress)
    return folder


def summarise_run(folder: str | Path) -> str:
    """Scores of a finished run as a few lines to print.

    Parameters
    ----------
    folder : path
        Run folder.

    Returns
    -------
    lines : str
    """
    folder = Path(folder)
    kind = tomllib.loads((folder / "study.toml").read_text(encoding="utf-8"))["study"]
    lines: str = _steps(kind).summarise(folder)
    return lines


def _steps(kind: str) -> Any:
    """Return the module of a study: its `SECTIONS`, and how it is checked, run and summarised."""
    return importlib.import_module(f"gossan.studies.{kind}.run")


def _check_top(path: Path, words: Mapping[str, Any], known: Sequence[str], steps: Any) -> None:
    """Refuse what stands before the first section and is none of the known words."""
    unknown = [word for word in words if word not in known]
    if unknown and unknown[0] in steps.SECTIONS:
        raise ValueError(
            f"{path}: {unknown[0]} must be a section, got {str(words[unknown[0]])[:40]}. Write "
            f"[{unknown[0]}] on a line of its own, in one pair of brackets, and its keys below."
        )
    if unknown:
        raise ValueError(
            f"{path}: unknown key {unknown[0]!r} before the first section."
            f"{did_you_mean(unknown[0], known)} Known are {', '.join(known)}."
        )
    for name in words:
        if not fits(words[name], str):
            raise ValueError(
                f'{path}: {name} must be text in quotes, got {words[name]!r}. Write {name} = "...".'
            )


def _check_section(path: Path, name: str, arguments: Mapping[str, Any], steps: Any) -> None:
    sections = steps.SECTIONS
    if name not in sections:
        raise ValueError(
            f"{path}: unknown section [{name}].{did_you_mean(name, list(sections))} "
            f"Known are {', '.join(sections)}."
        )
    functions = [sections[name]]
    if "read" in inspect.signature(sections[name]).parameters:
        functions.append(sections["read"])  # what it does not know itself goes on to reading
    without = () if name in READING else ("elements", "training")  # what a step computes itself
    where = f"{path}: [{name}]"
    check_keys(where, arguments, functions=functions, without=without)
    check_needed(where, arguments, function=sections[name], without=without)
    if name in steps.CALLED:
        _with_place(where, partial(sections[name], **arguments))


def _with_place(where: str, call: Callable[[], Any]) -> None:
    """Call, and put file and section before what it complains of."""
    try:
        call()
    except ValueError as error:
        raise ValueError(f"{where} {error}") from error
