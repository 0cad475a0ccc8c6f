"""The words of the command line: commands, their options, and what each is called with.

The words after `gossan` come in; options with the function that runs them go out. Nothing heavy is
imported before a command runs, so that `gossan --help` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from gossan._checks import did_you_mean

STUDIES = ("genesis", "tailings", "deposit", "region", "transfer")
SHELLS = ("bash", "zsh", "fish")
CODES = """\
exit codes: 0 done; 1 gossan check found problems, or gossan report a run that is not finished;
2 the input is at fault; 3 gossan is; 130 stopped by Ctrl-C. All commands: docs/cli.md"""


class MisuseError(ValueError):
    """Words that make no command."""


class Parser(argparse.ArgumentParser):
    """Parser whose mistakes are a `MisuseError` in one line, with the nearest word."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        settings.setdefault("allow_abbrev", False)
        super().__init__(*arguments, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise a `MisuseError`."""
        bad = re.search(r"(argument .*?): invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if bad:
            choices = [word.strip(" '") for word in bad[3].split(",")]
            what = bad[1].removeprefix("argument ").lower()
            message = f"{what} must be one of {', '.join(choices)}, got {bad[2]!r}."
            message += did_you_mean(bad[2], choices)
        raise MisuseError(f"{_sentence(message)} See {self.prog} --help.")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Options of a command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after `gossan`; by default those of the shell.

    Returns
    -------
    options : Namespace
        With `run`, the function of the command, and `quiet` and `verbose`.

    Raises
    ------
    MisuseError
        If the words make no command; the nearest one is named.
    SystemExit
        After --help and --version.
    """
    parser = make_parser()
    options, more = parser.parse_known_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        raise SystemExit(0)
    if options.command == "init" and len(more) == 1 and not options.section:
        options.section = more.pop()  # argparse asks for both words before or after --explain
    if more:
        known = [word for word in _options_of(parser, options.command) if word.startswith("--")]
        hint = did_you_mean(more[0].partition("=")[0], known) if more[0].startswith("-") else ""
        prog = f"{parser.prog} {options.command}"
        raise MisuseError(f"{prog} knows no {more[0]!r}.{hint} See {prog} --help.")
    options.quiet = getattr(options, "quiet", False)
    options.verbose = getattr(options, "verbose", False)
    return options


def make_parser() -> Parser:
    """The parser of all commands."""
    from gossan import __version__

    parser = Parser(
        prog="gossan",
        description="Where ore lies below, and how far to trust it.",
        epilog=f"example:\n  gossan init deposit --out study.toml\n  gossan check study.toml\n"
        f"  gossan run study.toml\n\n{CODES}",
    )
    parser.add_argument("--version", action="version", version=f"gossan {__version__}")
    _add_talk(parser)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    for add in (_add_demo, _add_init, _add_check, _add_run, _add_report, _add_classify, _add_score,
                _add_data, _add_completion):  # fmt: skip
        add(commands)
    return parser


def _add_demo(commands: Any) -> None:
    demo = _command(
        commands, "demo", "studies", "drill holes of a made-up deposit, from tables to targets",
        example="gossan demo --out demo",
    )  # fmt: skip
    _out(demo, "folder to write; default demo", default=Path("demo"))


def _add_init(commands: Any) -> None:
    init = _command(
        commands, "init", "studies", "write a commented study file to start from",
        example="gossan init deposit --out study.toml\n  gossan init --explain deposit grid",
    )  # fmt: skip
    init.add_argument(
        "study", nargs="?", metavar="KIND", help=f"{' | '.join(STUDIES)}; none: lists them"
    )
    init.add_argument("section", nargs="?", metavar="SECTION", help="with --explain: one section")
    _out(init, "file to write, never over another; default: prints it")
    init.add_argument(
        "--explain", action="store_true", help="print every key: its kind, default and meaning"
    )


def _add_check(commands: Any) -> None:
    check = _command(
        commands, "check", "studies", "find every problem of a study and its data before it runs",
        example="gossan check study.toml",
    )  # fmt: skip
    _study(check)


def _add_run(commands: Any) -> None:
    run = _command(
        commands, "run", "studies", "run a study file; a stopped run goes on",
        example="gossan run study.toml --out runs/first",
    )  # fmt: skip
    _study(run)
    _out(run, "run folder; default runs/NAME beside the study file", is_folder=True)
    _scheduler(run)


def _add_report(commands: Any) -> None:
    report = _command(
        commands, "report", "studies", "summary of a run, and its report written again",
        example="gossan report runs/study --figures figures --open",
    )  # fmt: skip
    _complete(
        report.add_argument("folder", type=Path, metavar="RUN", help="folder of a run"), "dir"
    )
    report.add_argument(
        "--study", type=Path, help="study file; default: where it was when the study ran"
    )
    figures = report.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="every figure as SVG, and its data as CSV"
    )
    _complete(figures, "dir")
    report.add_argument("--open", action="store_true", help="open the report in the browser")


def _add_classify(commands: Any) -> None:
    classify = _command(
        commands, "classify", "classify", "deposit type of each deposit in a table",
        example="gossan classify analyses.csv --units ppm --out verdicts",
    )  # fmt: skip
    table = classify.add_argument("table", type=Path, help="CSV, Excel or Parquet of analyses")
    _complete(table, "file")
    classify.add_argument("--mineral", default="sphalerite", help="a shipped model: sphalerite")
    model = classify.add_argument("--model", type=Path, help="model folder of a run, instead")
    _complete(model, "dir")
    classify.add_argument(
        "--deposit", help="column that names the deposit; default 'deposit' if there"
    )
    classify.add_argument("--units", help="unit of columns whose header names none, e.g. ppm")
    classify.add_argument(
        "--decimal", choices=(".", ","), help="decimal mark, if it cannot be told"
    )
    classify.add_argument("--sheet", help="sheet of a workbook")
    _out(classify, "folder for CSV tables and the HTML report", is_folder=True)


def _add_score(commands: Any) -> None:
    score = _command(
        commands, "score", "score", "a map of prospectivity from rasters of any size",
        example="gossan score runs/study/model Cu.tif Zn.tif --out map.tif --targets targets.gpkg",
    )  # fmt: skip
    model = score.add_argument("model", type=Path, help="folder of a saved map model")
    _complete(model, "dir")
    rasters = score.add_argument(
        "rasters", nargs="+", help="a file a layer, FILE or LAYER=FILE, or one file"
    )
    _complete(rasters, "file")
    _out(score, "GeoTIFF to write", required=True)
    score.add_argument("--tile", type=int, help="cells along a side of a tile; default by layers")
    score.add_argument("--edges", default="nearest", help="nearest (fill a rim) | nan")
    score.add_argument("--workers", type=int, default=1, help="tiles scored at once in threads")
    _scheduler(score)
    targets = score.add_argument(
        "--targets", type=Path, help="GeoPackage or GeoJSON of ranked targets"
    )
    _complete(targets, "file")
    score.add_argument("--share", type=float, default=0.05, help="of the area, for targets")
    known = score.add_argument(
        "--known", type=Path, help="known occurrences: vector file, table, or raster of ones"
    )
    _complete(known, "file")


def _add_data(commands: Any) -> None:
    _command(
        commands, "data", "data", "the public data sets: where found, licence, citation",
        example="gossan data",
    )  # fmt: skip


def _add_completion(commands: Any) -> None:
    completion = _command(
        commands, "completion", "completion", "what lets the Tab key complete commands in a shell",
        example="gossan completion bash >> ~/.bashrc",
    )  # fmt: skip
    completion.add_argument("shell", choices=SHELLS, help=" | ".join(SHELLS))


def _command(commands: Any, name: str, module: str, told: str, *, example: str) -> Parser:
    """Add a command that the function of its name, in a module of this package, runs."""
    parser: Parser = commands.add_parser(
        name,
        help=told,
        description=f"{told[0].upper()}{told[1:]}.",
        epilog=f"example:\n  {example}",
    )
    _add_talk(parser)
    parser.set_defaults(run=_runner(module, name))
    return parser


def _runner(module: str, name: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        found = importlib.import_module(f"gossan.cli.{module}")
        return int(getattr(found, f"run_{name}")(options))

    return run


def _add_talk(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command has, before its word and after it."""
    talk = parser.add_mutually_exclusive_group()
    talk.add_argument(
        "--quiet", "-q", action="store_true", default=argparse.SUPPRESS,
        help="only results and warnings, no progress",
    )  # fmt: skip
    talk.add_argument(
        "--verbose", "-v", action="store_true", default=argparse.SUPPRESS,
        help="show every step, and tracebacks",
    )  # fmt: skip


def _study(parser: argparse.ArgumentParser) -> None:
    _complete(parser.add_argument("study", type=Path, metavar="STUDY", help="study file"), "file")


def _scheduler(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scheduler", help="address of a Dask cluster, tcp://HOST:PORT")


def _out(
    parser: argparse.ArgumentParser, told: str, *, is_folder: bool = False, **settings: Any
) -> None:
    word = parser.add_argument("--out", type=Path, metavar="PATH", help=told, **settings)
    _complete(word, "dir" if is_folder else "file")


def _complete(action: Any, kind: str) -> None:
    """Mark an argument as a path, for `gossan completion`."""
    action.completes = kind


def _options_of(parser: argparse.ArgumentParser, command: str) -> list[str]:
    found = subparsers_of(parser)[command]
    return list(found._option_string_actions)  # noqa: SLF001


def subparsers_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    actions = parser._actions  # noqa: SLF001 - argparse tells its commands nowhere else
    choices = [a.choices for a in actions if isinstance(a, argparse._SubParsersAction)]  # noqa: SLF001
    return dict(choices[0]) if choices and choices[0] else {}


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?")) else f"{text}."
