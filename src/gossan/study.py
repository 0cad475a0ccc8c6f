"""Study files: a TOML section is a call, its keys are keyword arguments.

The path of a study file comes in; problems, or a run folder with a report, go out.
"""

from __future__ import annotations

import importlib
import inspect
import tomllib
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from gossan._checks import check_option, did_you_mean
from gossan.cluster import on_cluster
from gossan.studies.explaining import keys_of, write_keys
from gossan.studies.keys import nearest
from gossan.studies.looking import CAUGHT, Look, missing_files
from gossan.studies.record import Study, study_text
from gossan.studies.run_folder import RunFolder
from gossan.studies.run_state import RunState, read_state
from gossan.studies.words import is_incomplete, section_words, top_problems

__all__ = [
    "KINDS",
    "Look",
    "RunState",
    "Study",
    "check_study",
    "explain_study",
    "look_at_study",
    "read_study",
    "run_study",
    "state_of_run",
    "study_template",
    "summarise_run",
    "write_report_again",
]

KINDS = ("genesis", "tailings", "deposit", "region", "transfer")
TOP_KEYS = ("study", "title")
MOST_BYTES = 250_000  # of a study file; the longest template has a fiftieth
MOST_DOTS = 20_000_000  # squared and summed over the lines: what dotted keys cost the parser


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


def explain_study(kind: str, section: str = "") -> str:
    """The schema of a study file: every key with its kind, default and meaning.

    Parameters
    ----------
    kind : {"genesis", "tailings", "deposit", "region", "transfer"}
        Which study.
    section : str
        One section of it; empty for all.

    Returns
    -------
    text : str

    Raises
    ------
    ValueError
        If the kind or the section is not known; the nearest one is named.

    Examples
    --------
    >>> print(explain_study("deposit", "faults"))
    [faults]  File of triangulated faults, and the half width of the zone round them [m].
      table = ...  (needed)
          text in quotes: triangles: CSV, GOCAD .ts, .dxf, .obj, .vtp, .stl, .omf
      buffer = 30
          a number: half width of the zone round faults [m]
    """
    template = study_template(kind)
    sections = _steps(kind).SECTIONS
    if section:
        check_option("section", section, tuple(sections))
    parts = []
    for name in [section] if section else sections:
        keys = keys_of(name, sections, template=template)
        heading = (inspect.getdoc(sections[name]) or "").splitlines()[0]
        parts.append(write_keys(keys, heading=heading))
    return "\n\n".join(parts)


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
        If it is no TOML, or a section or key is not known; the nearest known word is named. Where
        there are more problems than one, their number is told; `check_study` lists them.
    """
    study, problems = _read(Path(path))
    if problems:
        n_more = len(problems) - 1
        more = f" {n_more} more: see gossan check {Path(path).name}." if n_more else ""
        raise ValueError(f"{problems[0]}{more}")
    return study


def check_study(path: str | Path) -> list[str]:
    """Find everything that would stop a study before anything slow runs.

    Parameters
    ----------
    path : path
        Study file.

    Returns
    -------
    problems : list of str
        One sentence each; empty if it can run.
    """
    return look_at_study(path).problems


def look_at_study(path: str | Path) -> Look:
    """Look at a study file and its data: every problem, what was read, and what a run takes.

    A key that is misspelt is taken for the nearest one, and a file that is not there is passed over, so
    that what lies behind them is found in the same go.

    Parameters
    ----------
    path : path
        Study file.

    Returns
    -------
    look : Look
        `problems`, `found`, `notes`, `n_bytes` and `seconds`.
    """
    try:
        study, problems = _read(Path(path))
    except CAUGHT as error:
        return Look([str(error)])
    look = Look(problems)
    eyes = importlib.import_module(f"gossan.studies.{study.kind}.look")
    absent = set()
    for (section, key), (problem, meant) in missing_files(study, eyes.FILES).items():
        look.add(problem)
        if meant:
            study.sections[section][key] = meant
        else:
            absent.add((section, key))
    known = _steps(study.kind).SECTIONS
    incomplete = [n for n, told in study.sections.items() if is_incomplete(n, told, known[n])]
    for name in incomplete:
        del study.sections[name]
    eyes.look_at(study, look, absent)
    # That such a section is not there is no problem besides the one that was told of it.
    told = [f"no section [{name}]" for name in incomplete]
    told += [f"neither a section [{name}]" for name in incomplete]
    look.problems = [each for each in look.problems if not any(part in each for part in told)]
    return look


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
    opened = partial(RunFolder, source=study.path)
    with on_cluster(scheduler):
        folder: Path = _steps(study.kind).run(study, target, progress=progress, opened=opened)
    return folder


def state_of_run(folder: str | Path) -> RunState:
    """How far a run is: finished, or what is done and what is left.

    Parameters
    ----------
    folder : path
        Run folder.

    Returns
    -------
    state : RunState

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder is not there, or is no run's.
    """
    return read_state(Path(folder))


def write_report_again(
    folder: str | Path,
    *,
    study: str | Path | None = None,
    figures: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write the report of a finished run again from its kept parts: after an edited title, or an update.

    Nothing that takes long is computed; tables are read again, and what follows from the kept parts.

    Parameters
    ----------
    folder : path
        Run folder.
    study : path, optional
        Study file; by default the one that the run names in its manifest.
    figures : path, optional
        Folder for every figure as SVG, and its data as CSV.
    progress : callable, optional
        Called with a line before each step.

    Returns
    -------
    report : Path

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder is no finished run's, the study file is not where it was, or asks for other parts
        than the run made.
    """
    folder = Path(folder)
    state = read_state(folder)
    if not state.is_finished:
        raise ValueError(
            f"{folder} holds a run that is not finished ({state}). Go on: gossan run {state.study_file}"
        )
    told = read_study(study if study is not None else state.study_file)
    kept = partial(
        RunFolder, owner=state.owner, source=told.path, only_kept=True,
        figures=None if figures is None else Path(figures),
    )  # fmt: skip
    # The study file may have another name by now: the folder stays that of its run.
    _steps(told.kind).run(told, folder, progress=progress, opened=lambda path, **_: kept(path))
    return folder / "report.html"


def summarise_run(folder: str | Path) -> str:
    """Scores of a finished run as a few lines to print.

    Parameters
    ----------
    folder : path
        Run folder.

    Returns
    -------
    lines : str

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder is no finished run, or one that was damaged; the message names it.
    """
    folder = Path(folder)
    if not (folder / "study.toml").is_file():
        raise FileNotFoundError(
            f"{folder} holds no study.toml: it is no finished run. Name the folder that gossan run"
            " wrote."
        )
    kind = _read_toml(folder / "study.toml").get("study")
    if kind not in KINDS:
        raise ValueError(
            f"{folder / 'study.toml'}: study must be one of {', '.join(KINDS)}, got"
            f" {str(kind)[:40]!r}. Name the folder that gossan run wrote."
        )
    try:
        lines: str = _steps(kind).summarise(folder)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(
            f"{folder} is no sound run folder: {error or type(error).__name__}. Run the study again."
        ) from error
    return lines


def _read(path: Path) -> tuple[Study, list[str]]:
    """Return a study as it was meant, and all that is wrong with its words."""
    content = _content(path)
    kind = content.get("study", "")
    if kind not in KINDS:
        near = did_you_mean(str(kind), KINDS)
        raise ValueError(f"{path}: study must be one of {', '.join(KINDS)}, got {kind!r}.{near}")
    steps = _steps(kind)
    given = {key: value for key, value in content.items() if isinstance(value, dict)}
    words = {key: value for key, value in content.items() if key not in given}
    problems = top_problems(path, words, (*TOP_KEYS, *steps.TOP_KEYS), steps.SECTIONS)
    sections: dict[str, dict[str, Any]] = {}
    for name, arguments in given.items():
        meant = (
            name
            if name in steps.SECTIONS
            else nearest(name, [n for n in steps.SECTIONS if n not in given])
        )
        if name not in steps.SECTIONS:
            problems.append(
                f"{path}: unknown section [{name}].{did_you_mean(name, list(steps.SECTIONS))} "
                f"Known are {', '.join(steps.SECTIONS)}."
            )
        if meant:
            told, sections[meant] = section_words(
                f"{path}: [{name}]", meant, arguments, sections=steps.SECTIONS, called=steps.CALLED
            )
            problems += told
    texts = {key: str(words.get(key, "")) for key in ("title", "mineral")}
    return Study(kind, texts["title"] or kind, texts["mineral"], path, sections), problems


def _content(path: Path) -> dict[str, Any]:
    """Return what TOML makes of a file."""
    if path.is_dir():
        raise FileNotFoundError(f"{path} is a folder, not a study file. Name the .toml file in it.")
    if not path.is_file():
        there = sorted(each.name for each in path.parent.glob("*.toml"))
        near = did_you_mean(path.name, there)
        raise FileNotFoundError(
            f"There is no study file {path}.{near} Make one: gossan init genesis --out {path}"
        )
    return _read_toml(path)


def _read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file of a size that someone may have written."""
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(
            f"{path} has {path.stat().st_size:,} bytes, more than the {MOST_BYTES:,} that a study file"
            " may have. Check that it is one."
        )
    try:
        text = study_text(path)
        if sum(line.count(".") ** 2 for line in text.splitlines()) > MOST_DOTS:
            raise ValueError("a key of thousands of words")  # noqa: TRY301
        content = tomllib.loads(text)
        _check_whole_numbers(content)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not valid TOML: it is no UTF-8 text ({error.reason} at byte {error.start})."
            " Save it as UTF-8."
        ) from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, or a number beyond all use
        raise ValueError(f"{path} is not valid TOML: {error}. Mend that line.") from error
    return content


def _check_whole_numbers(value: Any) -> None:
    """Refuse whole numbers beyond 64 bits, more than TOML promises and a message can print."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("a whole number of more than 64 bits")
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _check_whole_numbers(each)


def _steps(kind: str) -> Any:
    """Return the module of a study: its `SECTIONS`, and how it is checked, run and summarised."""
    return importlib.import_module(f"gossan.studies.{kind}.run")
