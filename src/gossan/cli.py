"""The command line: gossan demo | init | check | run | classify | score | data.

Words in, files and a few plain lines out; every mistake of the user ends in one clear message and
exit code 2, and the traceback stays hidden.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import time
import warnings
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gossan._checks import GossanWarning, check_option

if TYPE_CHECKING:
    import pandas as pd

MINERALS = ("sphalerite",)
DEMO_SEED = 7


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after `gossan`; by default those of the shell.

    Returns
    -------
    code : int
        0 when all went well, 1 when `check` found problems, 2 when the input is at fault, 3 when
        gossan is, 130 when stopped by Ctrl-C.
    """
    options = _parser().parse_args(arguments)
    level = logging.DEBUG if options.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(name)s: %(message)s")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal cannot write
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", GossanWarning)
            warnings.showwarning = _show_warning
            return int(options.run(options))
    except KeyboardInterrupt:
        print("\nStopped. What is finished is kept: the same command goes on.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if options.verbose:
            raise
        code, message = _told(error)
        print(f"gossan: {message}", file=sys.stderr)
        return code


def _told(error: Exception) -> tuple[int, str]:
    """Return exit code and words for an error: the input's, the machine's, or our own."""
    if isinstance(error, MemoryError):
        return 2, "The machine has too little memory for this table. Split it, by deposit."
    if isinstance(error, (ValueError, OSError, ImportError)):
        return 2, str(error)
    return 3, (
        f"Something went wrong inside gossan ({type(error).__name__}: {error}); the fault is not"
        " yours. Please report it with what this shows: gossan --verbose and the same words."
    )


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    from gossan import __version__

    parser = argparse.ArgumentParser(
        prog="gossan", description="Where ore lies below, and how far to trust it."
    )
    parser.add_argument("--version", action="version", version=f"gossan {__version__}")
    parser.add_argument("--verbose", action="store_true", help="show every step, and tracebacks")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    demo = commands.add_parser(
        "demo", help="drill holes of a made-up deposit, from tables to targets"
    )
    demo.add_argument("--out", type=Path, default=Path("demo"), help="folder to write")
    demo.set_defaults(run=_demo)

    init = commands.add_parser("init", help="print a commented study file to start from")
    init.add_argument("study", help="genesis | tailings | deposit | region | transfer")
    init.set_defaults(run=_init)

    check = commands.add_parser("check", help="find what is wrong before anything runs")
    check.add_argument("study", type=Path, help="study file")
    check.set_defaults(run=_check)

    run = commands.add_parser("run", help="run a study file; a stopped run goes on")
    run.add_argument("study", type=Path, help="study file")
    run.add_argument("--out", type=Path, help="run folder; default runs/NAME beside the file")
    run.add_argument("--scheduler", help="address of a Dask cluster, tcp://HOST:PORT")
    run.set_defaults(run=_run)

    classify = commands.add_parser("classify", help="deposit type of each deposit in a table")
    classify.add_argument("table", type=Path, help="CSV, Excel or Parquet of analyses")
    classify.add_argument("--mineral", default="sphalerite", help="a shipped model: sphalerite")
    classify.add_argument("--model", type=Path, help="model folder of a run, instead")
    classify.add_argument(
        "--deposit", help="column that names the deposit; default 'deposit' if there"
    )
    classify.add_argument("--units", help="unit of columns whose header names none, e.g. ppm")
    classify.add_argument("--sheet", help="sheet of a workbook")
    classify.add_argument("--out", type=Path, help="folder for CSV tables and the HTML report")
    classify.set_defaults(run=_classify)

    _add_score(commands)

    data = commands.add_parser("data", help="the public data sets: where found, licence, citation")
    data.set_defaults(run=_data)
    return parser


def _add_score(commands: Any) -> None:
    score = commands.add_parser("score", help="a map of prospectivity from rasters of any size")
    score.add_argument("model", type=Path, help="folder of a saved map model")
    score.add_argument("rasters", nargs="+", help="a file a layer, FILE or LAYER=FILE, or one file")
    score.add_argument("--out", type=Path, required=True, help="GeoTIFF to write")
    score.add_argument("--tile", type=int, help="cells along a side of a tile; default by layers")
    score.add_argument("--edges", default="nearest", help="nearest (fill a rim) | nan")
    score.add_argument("--workers", type=int, default=1, help="tiles scored at once in threads")
    score.add_argument("--scheduler", help="address of a Dask cluster, tcp://HOST:PORT")
    score.add_argument("--targets", type=Path, help="GeoPackage or GeoJSON of ranked targets")
    score.add_argument("--share", type=float, default=0.05, help="of the area, for targets")
    score.add_argument("--known", type=Path, help="known occurrences, any vector file or table")
    score.set_defaults(run=_score)


def _init(options: argparse.Namespace) -> int:
    from gossan.study import study_template

    print(study_template(options.study), end="")
    return 0


def _check(options: argparse.Namespace) -> int:
    from gossan.study import check_study

    problems = check_study(options.study)
    for problem in problems:
        print(f"- {problem}")
    print("No problems found." if not problems else f"{len(problems)} to mend before it can run.")
    return 1 if problems else 0


def _run(options: argparse.Namespace) -> int:
    from gossan.study import run_study, summarise_run

    steps = _Steps()
    folder = run_study(options.study, out=options.out, progress=steps, scheduler=options.scheduler)
    steps.end()
    print(f"\n{summarise_run(folder)}")
    print(f"Report: {folder / 'report.html'}")
    return 0


def _demo(options: argparse.Namespace) -> int:
    from gossan.studies.demo import write_demo
    from gossan.study import run_study, summarise_run

    print(
        "A made-up gold deposit: 18 holes, four bodies, two of them blind; its tables have faults."
    )
    study = write_demo(options.out, random_state=DEMO_SEED)
    steps = _Steps()
    folder = run_study(study, out=options.out / "run", progress=steps)
    steps.end()
    print(f"\n{summarise_run(folder)}")
    print(f"\nReport:  {folder / 'report.html'}")
    print(f"3D view: {folder / 'view3d.html'}")
    return 0


def _classify(options: argparse.Namespace) -> int:
    from gossan.saving import load_model
    from gossan.studies.genesis.deposit_types import DepositTypeModel
    from gossan.studies.genesis.tables import doubts, read_unknown
    from gossan.studies.run_folder import RunFolder

    source = options.model or _shipped(options.mineral)
    fitted, card = load_model(source)
    if not isinstance(fitted, DepositTypeModel):
        raise ValueError(  # noqa: TRY004 - what is wrong is the folder
            f"{source} holds a {type(fitted).__name__}, which gives no verdicts on deposits. Name "
            "the folder model/ of a run."
        )
    folder = None if options.out is None else RunFolder(options.out, owner="classification")
    read: dict[str, Any] = {"units": options.units, "sheet": options.sheet}
    read = {key: value for key, value in read.items() if value is not None}
    values, deposits, assays = read_unknown(
        options.table, elements=fitted.elements, deposit=options.deposit,
        training=fitted.training, **read,
    )  # fmt: skip
    for line in doubts(assays):
        print(_plain(line))
    missing = [name for name in fitted.elements if values[name].isna().all()]
    if missing:
        print(f"warning: {', '.join(missing)} not in the table; filled in from the other elements.")
    if folder is None:
        verdicts = fitted.verdicts(values, deposits)
    else:
        from gossan.studies.genesis.run import classify_into

        mineral = options.mineral if options.model is None else ""
        verdicts = classify_into(
            folder, fitted, card=card, values=values, deposits=deposits, assays=assays,
            title="Deposit types", mineral=mineral,
        )  # fmt: skip
        folder.write_manifest({"model": str(source.name), "table": assays.source})
    print(_verdict_lines(verdicts, where=options.out))
    honest = card.get("right verdicts, each deposit held out")
    if honest:
        print(f"\nThe model finds the type of a deposit it never saw in {honest} of cases (95 %).")
    if options.out is not None:
        print(f"Report: {options.out / 'report.html'}")
    return 0


def _score(options: argparse.Namespace) -> int:
    from gossan.prospectivity import plan_rasters, score_rasters, write_raster_targets
    from gossan.saving import load_model

    model, _ = load_model(options.model)
    rasters = [_raster(word) for word in options.rasters]
    print(plan_rasters(model, rasters, tile=options.tile, workers=options.workers))
    progress = _Progress()
    try:
        done = score_rasters(
            model, rasters, options.out, tile=options.tile, edges=options.edges,
            workers=options.workers, scheduler=options.scheduler, progress=progress,
        )  # fmt: skip
    finally:
        progress.end()
    print(f"{done}\nQGIS style: {done.style.name}")
    if options.targets is not None:
        found = write_raster_targets(
            options.out, options.targets, share=options.share, known=options.known
        )
        print(f"{found}: {options.targets.name}")
    return 0


def _raster(word: str) -> Any:
    """Return the path of a raster, or (layer, path) of one that is named LAYER=FILE."""
    layer, sign, path = word.partition("=")
    return (layer, Path(path)) if sign and layer and not Path(word).exists() else Path(word)


def _data(options: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes its options
    from gossan.datasets import list_datasets

    for row in list_datasets().itertuples():
        where = row.found or ("can be downloaded" if row.download else "not found, local only")
        print(
            f"{row.name}\n    {row.title}\n    {where}; licence: {row.licence}\n    {row.citation}"
        )
    print("\nSet GOSSAN_DATA to a folder that holds them, each in a folder of its name.")
    return 0


def _shipped(mineral: str) -> Path:
    check_option("mineral", mineral, MINERALS)
    return Path(str(resources.files("gossan") / "shipped" / mineral))


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(path)


def _verdict_lines(verdicts: pd.DataFrame, *, where: Path | None = None) -> str:
    """Return the verdicts, a line a deposit; the first fifty."""
    width = min(28, max(7, *(len(str(name)) for name in verdicts["deposit"])))
    head = f"{'deposit':{width}s}  {'verdict':14s} probability  {'possible types':26s} analyses"
    head += "  beyond all training data in"
    lines = [f"\n{head}"]
    for row in verdicts.head(50).itertuples():
        name = _plain(str(row.deposit))[:width]
        nearest = f" (nearest {row.nearest})" if row.verdict == "none of these" else ""
        outside = "" if str(row.outside_elements) == "nan" else str(row.outside_elements)
        lines.append(
            f"{name:{width}s}  {row.verdict:14s} {_number(row.probability):>11s}  "
            f"{row.conformal_set + nearest:26s} {row.n_analyses:8d}  {outside}".rstrip()
        )
    if len(verdicts) > 50:
        told = f"see {where / 'verdicts.csv'}" if where else "write all with --out FOLDER"
        lines.append(f"... and {len(verdicts) - 50} more; {told}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Return the text without characters that move the cursor or colour the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124 - NaN is not equal to itself
        return "-"
    return "> 0.99" if value > 0.995 else f"{value:.2f}"


class _Steps:
    """Prints the line of each step and, when the next begins, how long it took."""

    def __init__(self) -> None:
        self.start: float | None = None

    def __call__(self, line: str) -> None:
        self.end()
        print(f"  {line} ...", end="", flush=True)
        self.start = time.perf_counter()

    def end(self) -> None:
        """Close the line of the last step."""
        if self.start is not None:
            print(f" {time.perf_counter() - self.start:.1f} s", flush=True)
        self.start = None


class _Progress:
    """Shows a step with its share and the time to go: on one line of a terminal, else at its end."""

    def __init__(self) -> None:
        self.step, self.start, self.before = "", 0.0, 0

    def __call__(self, step: str, done: int, total: int) -> None:
        if step != self.step:
            self.end()
            self.step, self.start, self.before = step, time.perf_counter(), done
        if sys.stdout.isatty():
            spent = time.perf_counter() - self.start
            left = spent / max(done - self.before, 1) * (total - done)
            to_go = f", {left:.0f} s to go" if self.before < done < total else ""
            print(f"\r  {step} {done / total:.0%}{to_go}\033[K", end="", flush=True)

    def end(self) -> None:
        """Close the line of the last step."""
        if self.step:
            lead = "\r" if sys.stdout.isatty() else ""
            spent = time.perf_counter() - self.start
            print(f"{lead}  {self.step} ... {spent:.1f} s", flush=True)
        self.step = ""


if __name__ == "__main__":
    sys.exit(main())
