"""What a study tells of its progress: a line before each step and, within it, its share.

The callable that the caller of a study gave comes in; calls of it, and callables made of it, go out.
"""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], None]


def tell_share(say: Say, done: int, total: int) -> None:
    """Tell how far the present step is, to a callable that can show it.

    Parameters
    ----------
    say : callable
        Called with a line before each step; if it has a method `share`, that is called with `done` and
        `total`. Any other callable, such as `print`, hears of steps alone.
    done, total : int

    Examples
    --------
    >>> class Bar:
    ...     def __call__(self, line): ...
    ...     def share(self, done, total): print(f"{done} of {total}")
    >>> tell_share(Bar(), 2, 5)
    2 of 5
    >>> tell_share(print, 2, 5)
    """
    share = getattr(say, "share", None)
    if share is not None:
        share(done, total)


def sharer(say: Say) -> Callable[[int, int], None]:
    """A callable of `done` and `total`, as estimators and cross-validation take it.

    A plain function: estimators that hold one are cloned, and a function is not copied then.

    Parameters
    ----------
    say : callable

    Returns
    -------
    share : callable
    """

    def share(done: int, total: int) -> None:
        tell_share(say, done, total)

    return share


class Led:
    """The callable of a study with words before each line; shares go through as they are.

    Parameters
    ----------
    say : callable
    lead : str

    Examples
    --------
    >>> Led(print, "random split, ")("kriging")
    random split, kriging
    """

    def __init__(self, say: Say, lead: str) -> None:
        self.say, self.lead = say, lead

    def __call__(self, line: str) -> None:
        """Say a line."""
        self.say(f"{self.lead}{line}")

    def share(self, done: int, total: int) -> None:
        """Tell a share."""
        tell_share(self.say, done, total)
