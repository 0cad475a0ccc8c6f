"""How large a file may become when it is unpacked: more than any sound one, and it is refused.

The size of a file and what it says it holds come in; nothing, or a ValueError in words, goes out.
A few kilobytes can claim terabytes (zip bombs, sparse rasters, run-length tables), so what a file
declares is weighed before memory is asked for.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "GOSSAN_MOST_MIB"
"""Environment variable that sets what one file may unpack to [MiB], whatever its own size."""

HARMLESS = 128 << 20
"""Bytes that any file may unpack to, however small it is."""

MOST_RATIO = 200
"""Times its own size that a larger file may unpack to; deflate cannot pack beyond 1,032."""


class TooLargeError(ValueError):
    """A file that claims to hold far more than its size makes likely."""


def check_unpacked(
    source: str, n_bytes: int, packed: int, *, what: str = "it unpacks to", times: int = 1
) -> None:
    """Raise if a file unpacks to far more than its size makes likely.

    Parameters
    ----------
    source : str
        Name of the file, for the message; "" where the caller puts it before.
    n_bytes : int
        What it says it unpacks to.
    packed : int
        Size of the file.
    what : str
        How it does so.
    times : int
        How much more is harmless, of what is not held in memory at once.

    Raises
    ------
    ValueError
        If it is more than 128 MiB and 200 times the file, or than `GOSSAN_MOST_MIB` allows.

    Examples
    --------
    >>> check_unpacked("small.tif", 4_000_000, 12_000)
    >>> check_unpacked("bomb.tif", 8 * 10**18, 12_000, what="its cells take")
    Traceback (most recent call last):
        ...
    gossan.data._limits.TooLargeError: bomb.tif: its cells take 7,629,394,531,250 MiB from a file \
of 12,000 bytes, more than a sound one does. Get it again from its source; if you trust it, set \
GOSSAN_MOST_MIB to 7629394531250.
    """
    raised = most_bytes()
    most = times * max(HARMLESS, MOST_RATIO * packed) if raised is None else raised
    if n_bytes > most:
        mib = -(-n_bytes // 2**20)
        raise TooLargeError(
            f"{source + ': ' if source else ''}{what} {mib:,} MiB from a file of {packed:,} bytes,"
            " more than a sound one does. Get it again from its source; if you trust it, set"
            f" {VARIABLE} to {mib}."
        )


def most_bytes() -> int | None:
    """Return the bytes that the user allows one file to unpack to, None where nothing is set.

    Raises
    ------
    ValueError
        If the variable is no whole number above zero.
    """
    told = os.environ.get(VARIABLE)
    if not told:
        return None
    if not told.isdecimal() or int(told) < 1:
        raise ValueError(
            f"{VARIABLE} must be a whole number of MiB, got {told!r}. Set it to 4000, say."
        )
    return int(told) << 20


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size
