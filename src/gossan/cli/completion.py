"""`gossan completion SHELL`: the script that lets the Tab key complete commands, options and files."""

from __future__ import annotations

import argparse
from typing import Any

from gossan.cli.words import make_parser


def run_completion(options: argparse.Namespace) -> int:
    """Print the script of a shell."""
    print(completion_script(options.shell), end="")
    return 0


def completion_script(shell: str) -> str:
    """The script that completes `gossan` in a shell.

    Parameters
    ----------
    shell : {"bash", "zsh", "fish"}

    Returns
    -------
    script : str

    Raises
    ------
    ImportError
        If shtab, which writes it, is not installed.
    """
    try:
        import shtab
    except ImportError as error:
        raise ImportError(
            "Completion needs shtab, which is not installed. Install it:"
            ' pip install "gossan[completion]"'
        ) from error
    parser = make_parser()
    _mark_paths(parser, {"file": shtab.FILE, "dir": shtab.DIRECTORY})
    return str(shtab.complete(parser, shell)) + "\n"


def _mark_paths(parser: argparse.ArgumentParser, kinds: dict[str, Any]) -> None:
    """Tell shtab which arguments are files or folders."""
    for action in parser._actions:  # noqa: SLF001 - argparse tells them nowhere else
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for each in action.choices.values():
                _mark_paths(each, kinds)
        elif hasattr(action, "completes"):
            action.complete = kinds[action.completes]  # type: ignore[attr-defined]
