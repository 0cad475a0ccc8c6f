"""`gossan demo | init | check | run | report`: studies from a file to a report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gossan.cli.talk import Progress, plain
from gossan.cli.words import STUDIES

DEMO_SEED = 7
MOST_NOTES = 12


def run_demo(options: argparse.Namespace) -> int:
    """Write the tables of a made-up deposit, and run their study."""
    from gossan.studies.demo import write_demo
    from gossan.study import run_study, summarise_run

    if not options.quiet:
        print(
            "A made-up gold deposit: 18 holes, four bodies, two of them blind; its tables have faults."
            "\nIt takes two to four minutes."
        )
    study = write_demo(options.out, random_state=DEMO_SEED)
    with Progress(is_quiet=options.quiet) as progress:
        folder = run_study(study, out=options.out / "run", progress=progress)
    print(f"\n{summarise_run(folder)}")
    print(f"\nReport:  {folder / 'report.html'}")
    print(f"3D view: {folder / 'view3d.html'}")
    return 0


def run_init(options: argparse.Namespace) -> int:
    """Print or write a study file, list the studies, or explain their keys."""
    from gossan.study import explain_study, study_template

    if options.study is None:
        _list_studies()
        return 0
    if options.explain:
        print(explain_study(options.study, options.section or ""))
        return 0
    if options.section:
        raise ValueError(
            f"{options.section!r} is a section, which only --explain takes. Write: gossan init"
            f" --explain {options.study} {options.section}"
        )
    text = study_template(options.study)
    if options.out is None:
        print(text, end="")
        return 0
    _write_new(options.out, text)
    print(f"{options.out}: edit its tables and columns, then: gossan check {options.out}")
    return 0


def run_check(options: argparse.Namespace) -> int:
    """List every problem of a study, or what it will do and what that takes."""
    from gossan._machine import memory_there, write_gb
    from gossan.studies.looking import write_time
    from gossan.study import look_at_study

    look = look_at_study(options.study)
    for problem in look.problems:
        print(f"- {plain_lines(problem.removeprefix(f'{options.study}: '))}")
    for note in look.notes[:MOST_NOTES] if not options.quiet else ():
        print(f"note: {plain_lines(note)}", file=sys.stderr)
    n_more = len(look.notes) - MOST_NOTES
    if n_more > 0 and not options.quiet:
        print(f"note: ... and {n_more} more; the report tells all", file=sys.stderr)
    if look.problems:
        n = len(look.problems)
        print(f"{n} problem{'s' * (n > 1)} to mend in {options.study} before it can run.")
        return 1
    for line in look.found if not options.quiet else ():
        print(plain(line))
    if look.seconds and not options.quiet:
        print(
            f"The run takes {write_time(look.seconds)} and {write_gb(look.n_bytes)} of memory, roughly;"
            f" {write_gb(memory_there())} are free."
        )
    print("No problems found.")
    return 0


def run_run(options: argparse.Namespace) -> int:
    """Run a study, or go on with it."""
    from gossan.study import run_study, summarise_run

    with Progress(is_quiet=options.quiet) as progress:
        folder = run_study(
            options.study, out=options.out, progress=progress, scheduler=options.scheduler
        )
    print(f"\n{summarise_run(folder)}" if not options.quiet else summarise_run(folder))
    print(f"Report: {folder / 'report.html'}")
    if (folder / "view3d.html").exists():
        print(f"3D view: {folder / 'view3d.html'}")
    return 0


def run_report(options: argparse.Namespace) -> int:
    """Print what a run found and write its report again; tell how far one is that is not finished."""
    from gossan.study import state_of_run, summarise_run, write_report_again

    state = state_of_run(options.folder)
    if not state.is_finished:
        print(f"{options.folder} is not finished: {state}.")
        print(f"done: {', '.join(state.done) or 'nothing yet'}")
        print(f"left: {', '.join(state.left) or 'what follows from the parts, and the report'}")
        print(f"Go on: gossan run {state.study_file} --out {options.folder}")
        return 1
    with Progress(is_quiet=options.quiet) as progress:
        page = write_report_again(
            options.folder, study=options.study, figures=options.figures, progress=progress
        )
    print(summarise_run(options.folder))
    print(f"Report: {page}")
    if options.figures is not None:
        print(f"Figures: {options.figures}")
    if options.open:
        _open(page)
    return 0


def _open(page: Path) -> None:
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        print("No browser was found: open the report yourself.", file=sys.stderr)


def _list_studies() -> None:
    from gossan.study import study_template

    print("Which study? Each is a commented file to edit: gossan init KIND --out study.toml\n")
    for kind in STUDIES:
        head = [line.lstrip("# ") for line in study_template(kind).splitlines() if line[:1] == "#"]
        text = " ".join(head).partition(": ")[2]
        print(f"  {kind:9s} {text.partition('. ')[0].partition(': ')[0]}")


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    if path.is_dir():
        path = path / "study.toml"
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise FileExistsError(
            f"{path} is there already and is not written over. Name another file with --out."
        ) from None
    except FileNotFoundError:
        raise FileNotFoundError(
            f"There is no folder {path.parent} to write {path.name} into. Make it first."
        ) from None


def plain_lines(text: str) -> str:
    """Text of several lines, each without characters that move the cursor."""
    return "\n  ".join(plain(line.strip()) for line in text.splitlines())
