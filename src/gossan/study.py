"""Study files: a TOML section is a call, its keys are keyword arguments.

The path of a study file comes in; problems, or a run folder with a report, go out.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from gossan._checks import check_option, did_you_mean
from gossan.studies.keys import check_keys, fits
from gossan.studies.record import Study

__all__ = ["KINDS", "Study", "check_study", "read_study", "run_study", "study_template"]

KINDS = ("genesis",)
TOP_KEYS = ("study", "title", "mineral")


def study_template(kind: str) -> str:
    """Text of the commented study file of a kind, ready to edit.

    Parameters
    ----------
    kind : {"genesis"}
        Which study.

    Returns
    -------
    text : str
    """
    check_option("kind", kind, KINDS)
    return resources.files("gossan.studies").joinpath(f"{kind}.toml").read_text(encoding="utf-8")


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
    sections = {key: value for key, value in content.items() if isinstance(value, dict)}
    unknown = [k for k in content if k not in sections and k not in TOP_KEYS]
    if unknown and unknown[0] in _sections():
        raise ValueError(
            f"{path}: {unknown[0]} must be a section, got {str(content[unknown[0]])[:40]}. Write "
            f"[{unknown[0]}] on a line of its own, in one pair of brackets, and its keys below."
        )
    if unknown:
        raise ValueError(
            f"{path}: unknown key {unknown[0]!r} before the first section."
            f"{did_you_mean(unknown[0], TOP_KEYS)} Known are {', '.join(TOP_KEYS)}."
        )
    for name in TOP_KEYS:
        if not fits(content.get(name, ""), str):
            raise ValueError(
                f"{path}: {name} must be text in quotes, got {content[name]!r}. "
                f'Write {name} = "...".'
            )
    for name, arguments in sections.items():
        _check_section(path, name, arguments)
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
    from gossan.studies import genesis_run

    try:
        study = read_study(path)
        labelled = genesis_run.read_table(study)
    except (ValueError, OSError, ImportError) as error:
        return [str(error)]
    checks: list[Callable[..., Any]] = [genesis_run.check_fit]
    if "classify" in study.sections:
        checks.append(genesis_run.read_new_deposits)
    problems = []
    for check in checks:
        try:
            check(study, labelled)
        except (ValueError, OSError, ImportError) as error:
            problems.append(str(error))
    return problems


def run_study(
    path: str | Path,
    *,
    out: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
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

    Returns
    -------
    folder : Path
        With `report.html`, `scores.csv`, `verdicts.csv`, `predictions.csv`, `model/`,
        `manifest.json`, and a copy of the study file.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_study`, or if the data do not fit the study.
    """
    from gossan.studies.genesis_run import run_genesis

    study = read_study(path)
    target = Path(out) if out is not None else study.path.parent / "runs" / study.path.stem
    return run_genesis(study, target, progress=progress)


def _sections() -> Mapping[str, Callable[..., Any]]:
    """Return the function behind each section; its keyword arguments are the keys."""
    from gossan.data.assays import read_assays
    from gossan.studies import genesis_run
    from gossan.studies.genesis_tables import read_unknown

    return {
        "read": read_assays,
        "labels": genesis_run.labels,
        "impute": genesis_run.impute,
        "model": genesis_run.model,
        "validate": genesis_run.validate,
        "classify": read_unknown,
    }


def _check_section(path: Path, name: str, arguments: Mapping[str, Any]) -> None:
    sections = _sections()
    if name not in sections:
        raise ValueError(
            f"{path}: unknown section [{name}].{did_you_mean(name, list(sections))} "
            f"Known are {', '.join(sections)}."
        )
    functions = [sections[name]]
    if "read" in inspect.signature(sections[name]).parameters:
        functions.append(sections["read"])  # what it does not know itself goes on to read_assays
    without = () if name == "read" else ("elements", "training")
    check_keys(f"{path}: [{name}]", arguments, functions=functions, without=without)
    if name in {"labels", "impute", "model", "validate"}:
        _with_place(f"{path}: [{name}]", partial(sections[name], **arguments))


def _with_place(where: str, call: Callable[[], Any]) -> None:
    """Call, and put file and section before what it complains of."""
    try:
        call()
    except ValueError as error:
        raise ValueError(f"{where} {error}") from error
