"""Looks of rocks on logs and sections: a pale colour and a pattern each, the same in every figure.

Names of rocks come in; a fill and a hatch go out, so that rocks can be told apart in print as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from matplotlib.patches import Patch

from gossan.plot.style import QUIET, plain

# Pale enough for dark patterns and grades beside them. Neighbours in the list differ in lightness as
# well as in hue; where two are near for some eyes, the pattern parts them.
_FILLS = ("#f3dca3", "#8fb3c9", "#d9a58b", "#cfe0b4", "#a79bc0", "#e9e4da", "#7fa58f", "#dcb7cb")
_HATCHES = ("....", "---", "////", "++", "\\\\\\\\", "", "xxx", "oo")


def rock_looks(
    rocks: Iterable[Any], colours: Mapping[str, str] | None = None
) -> dict[str, tuple[str, str]]:
    """Fill and hatch of each rock, in the order of the alphabet whatever order they come in.

    Parameters
    ----------
    rocks : iterable of str
        Names, repeated or not; missing ones are left out.
    colours : mapping, optional
        Rock to colour, of one's own; the hatch stays.

    Returns
    -------
    looks : dict
        Rock to (fill, hatch); from the ninth rock on fills repeat with another hatch.

    Examples
    --------
    >>> rock_looks(["slate", "diorite", "slate"])
    {'diorite': ('#f3dca3', '....'), 'slate': ('#8fb3c9', '---')}
    """
    names = sorted({str(rock) for rock in rocks if not pd.isna(rock)}, key=str.casefold)
    looks = {}
    for place, name in enumerate(names):
        turn = place // len(_FILLS)
        own = (_FILLS[place % len(_FILLS)], _HATCHES[(place + 3 * turn) % len(_HATCHES)])
        looks[name] = ((colours or {}).get(name, own[0]), own[1])
    return looks


def rock_patches(looks: Mapping[str, tuple[str, str]], *, hatched: bool = True) -> list[Patch]:
    """Return a labelled patch a rock, for legends."""
    return [
        Patch(facecolor=fill, hatch=hatch if hatched else None, edgecolor=QUIET, linewidth=0.4,
              label=plain(name, longest=28))
        for name, (fill, hatch) in looks.items()
    ]  # fmt: skip
