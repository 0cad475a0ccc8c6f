"""The command line: gossan demo | init | check | run | report | classify | score | data | completion.

Words in, files and a few plain lines out; every mistake of the user ends in one clear message and
exit code 2, and the traceback stays hidden.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gossan._checks import GossanWarning
from gossan.cli.words import MisuseError, parse

DONE, PROBLEMS, INPUT, OURS, STOPPED = 0, 1, 2, 3, 130
TERMINATED = 143  # by SIGTERM, as shells tell it


class _TerminatedError(KeyboardInterrupt):
    """The process was asked to end; what `finally` cleans up is cleaned up."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after `gossan`; by default those of the shell.

    Returns
    -------
    code : int
        0 when all went well, 1 when `check` found problems or `report` an unfinished run, 2 when the
        input is at fault, 3 when gossan is, 130 when stopped by Ctrl-C, 143 by SIGTERM.
    """
    try:
        options = parse(arguments)
    except MisuseError as error:
        print(f"gossan: {error}", file=sys.stderr)
        return INPUT
    level = logging.DEBUG if options.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot write
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", GossanWarning)
            warnings.showwarning = _show_warning
            with _ending_tidily():
                return int(options.run(options))
    except KeyboardInterrupt as stop:
        print("\nStopped. What is finished is kept: the same command goes on.", file=sys.stderr)
        return TERMINATED if isinstance(stop, _TerminatedError) else STOPPED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if options.verbose:
            raise
        code, message = _told(error)
        print(f"gossan: {message}", file=sys.stderr)
        return code


@contextmanager
def _ending_tidily() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: half-written files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: Any) -> None:
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _told(error: Exception) -> tuple[int, str]:
    """Return exit code and words for an error: the input's, the machine's, or our own."""
    if isinstance(error, MemoryError):
        return INPUT, (
            "The machine has too little memory for this. Take a larger spacing or fewer rows, split the"
            " table, or score rasters by tiles: gossan check tells what a study takes."
        )
    if isinstance(error, (ValueError, OSError, ImportError)):
        return INPUT, str(error)
    return OURS, (
        f"Something went wrong inside gossan ({type(error).__name__}: {error}); the fault is not"
        " yours. Please report it with what this shows: gossan --verbose and the same words."
    )


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)
