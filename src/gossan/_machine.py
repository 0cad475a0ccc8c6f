"""What this machine has: memory that is free, and work that is refused before it begins.

Bytes that a piece of work takes come in; nothing, or a ValueError with both numbers, goes out.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path


def memory_there() -> float:
    """Memory that a run may take on this machine [bytes]: what is free, within the limits set.

    Returns
    -------
    n_bytes : float
        Infinite where it cannot be told.
    """
    return min(_free_memory(), _allowed_memory())


def _free_memory() -> float:
    if sys.platform == "win32":
        return _windows_memory()
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(1024.0 * float(line.split()[1]) for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return float("inf")


def _windows_memory() -> float:
    """Return the free memory that Windows tells."""
    names = ("length", "load", "total", "free", "total_page", "free_page", "all", "virtual", "more")

    class Status(ctypes.Structure):
        _fields_ = tuple(
            (name, ctypes.c_ulong if place < 2 else ctypes.c_ulonglong)
            for place, name in enumerate(names)
        )

    status = Status()
    status.length = ctypes.sizeof(Status)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - only Windows has it
    return float(status.free) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else float("inf")


def _allowed_memory() -> float:
    """Return what is left of the limit of a container."""
    folder = Path("/sys/fs/cgroup")
    for limit, used in (
        (folder / "memory.max", folder / "memory.current"),
        (folder / "memory/memory.limit_in_bytes", folder / "memory/memory.usage_in_bytes"),
    ):
        try:
            return float(limit.read_text()) - float(used.read_text())
        except (OSError, ValueError):
            continue
    return float("inf")


def check_room(n_bytes: float, advice: str) -> None:
    """Raise ValueError where a run would take more memory than there is.

    Parameters
    ----------
    n_bytes : float
        That it takes, roughly.
    advice : str
        What makes it smaller, an imperative sentence.

    Raises
    ------
    ValueError
        With both numbers and the advice.

    Examples
    --------
    >>> check_room(1e15, "Take a larger spacing under [grid].")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: This needs about 1000000 GB of memory, this machine has ... Take a larger spacing ...
    """
    there = memory_there()
    if n_bytes > there:
        raise ValueError(
            f"This needs about {write_gb(n_bytes)} of memory, this machine has {write_gb(there)} free."
            f" {advice}"
        )


def write_gb(n_bytes: float) -> str:
    """Write bytes as GB, with two digits.

    Examples
    --------
    >>> write_gb(41.2e9), write_gb(0.63e9), write_gb(1.24e9)
    ('41 GB', '0.6 GB', '1.2 GB')
    """
    size = n_bytes / 1e9
    return f"{size:.0f} GB" if size >= 10 else f"{size:.1f} GB"
