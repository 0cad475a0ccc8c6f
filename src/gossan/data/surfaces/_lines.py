"""Lines of the text formats: read whole, never taken on trust, each error with its line.

A path comes in and lines go out; words come in and numbers go out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gossan.data.surfaces._mesh import RefusedError

_NUMBER = re.compile(
    r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?(?:nan|inf)", re.I
)
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file of any encoding and line ends.

    Raises
    ------
    RefusedError
        If it is empty or no text.
    """
    data = path.read_bytes()
    if not data.strip():
        raise RefusedError(f"it is empty ({len(data)} bytes). Export it again")
    if b"\0" in data:
        raise RefusedError(
            f"it is no text: byte {data.index(0)} is zero, it starts with {data[:8]!r}. Export it"
            " as text (ASCII)"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def to_numbers(words: Sequence[str], n: int, number: int, line: str) -> list[float]:
    """Return `n` numbers of a line."""
    if len(words) < n or not all(_NUMBER.fullmatch(word) for word in words[:n]):
        raise bad_line(number, f"{n} numbers are needed", line)
    return [float(word) for word in words[:n]]


def to_whole(word: str, number: int, line: str) -> int:
    """Return a whole number of a line."""
    if not _WHOLE.fullmatch(word):
        raise bad_line(number, "a whole number is needed", line)
    return int(word)


def bare_name(name: str) -> str:
    """Return a name without the marks that mean something in text formats."""
    return re.sub(r'[{}"\\]', "", name).strip() or "surface"


def bad_line(number: int, what: str, line: str) -> RefusedError:
    """Return the error of a line (the first is 1): what is wrong, and how the line begins."""
    shown = line.strip()
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return RefusedError(f"line {number}: {what}, got {shown!r}. Mend the line, or export it again")
