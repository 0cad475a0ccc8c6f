"""What a command says while it works: a line a step with its share and the time to go, and its end.

Steps and shares come in from the work; one line that is written over on a terminal, plain lines
elsewhere, go out.
"""

from __future__ import annotations

import sys
import time

AGAIN = 0.1  # s between two pictures of a share
WORTH = 3.0  # s of work after which the time to go is told
PLAIN_AGAIN = 30.0  # s between two lines of a share where there is no terminal


class Progress:
    """Tells what a command is doing, as `gossan.study.run_study` and `score_rasters` report it.

    Parameters
    ----------
    is_quiet : bool
        Say nothing.

    Notes
    -----
    Called with a line, it begins a step; called with a step, a number done and a total, it also tells
    the share. `share` tells how far the present step is. `end` closes the last line.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self.is_quiet = is_quiet
        self.is_terminal = sys.stdout.isatty()
        self.step, self.start, self.before = "", 0.0, 0
        self.shown = 0.0

    def __call__(self, step: str, done: int | None = None, total: int = 0) -> None:
        """Begin a step, or tell how far it is."""
        if done is None or step != self.step:
            self.end()
            self.step, self.start, self.before = step, time.perf_counter(), done or 0
            self.shown = self.start if done is None else 0.0
            if self.is_terminal and not self.is_quiet:
                print(f"  {step} ...", end="", flush=True)
        if done is not None:
            self.share(done, total)

    def share(self, done: int, total: int) -> None:
        """Tell how far the present step is.

        Parameters
        ----------
        done, total : int
        """
        now = time.perf_counter()
        wait = AGAIN if self.is_terminal else PLAIN_AGAIN
        if self.is_quiet or not total or now - self.shown < wait:
            return
        is_first = self.shown == self.start or not self.shown
        self.shown = now
        spent = now - self.start
        left = spent / max(done - self.before, 1) * (total - done)
        is_known = self.before < done < total and spent > WORTH
        to_go = f", {write_seconds(left)} to go" if is_known else ""
        if self.is_terminal:
            print(f"\r  {self.step} {done / total:.0%}{to_go}\033[K", end="", flush=True)
        elif not is_first or spent > PLAIN_AGAIN:
            print(f"  {self.step} {done / total:.0%}{to_go}", flush=True)

    def end(self) -> None:
        """Close the line of the last step."""
        if self.step and not self.is_quiet:
            lead, tail = ("\r", "\033[K") if self.is_terminal else ("", "")
            spent = time.perf_counter() - self.start
            print(f"{lead}  {self.step} ... {spent:.1f} s{tail}", flush=True)
        self.step = ""

    def __enter__(self) -> Progress:
        """Return itself; the last line is closed whatever happens."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.end()
        elif self.step and self.is_terminal and not self.is_quiet:
            print(flush=True)  # what went wrong begins on a line of its own


def write_seconds(seconds: float) -> str:
    """Write a time to go.

    Examples
    --------
    >>> write_seconds(42.0), write_seconds(130.0), write_seconds(7800.0)
    ('42 s', '2 min', '2.2 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def plain(text: str) -> str:
    r"""The text without characters that move the cursor or colour the terminal.

    Examples
    --------
    >>> plain("Red\x1b[31m mine")
    'Red [31m mine'
    """
    return "".join(letter if letter.isprintable() else " " for letter in text)
