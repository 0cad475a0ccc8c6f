"""Columns of coordinates, however a table calls them.

Headers come in; the columns of easting, northing and elevation go out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import did_you_mean

SYNONYMS = MappingProxyType(
    {
        "easting": "easting east x xc xcentre xcenter xcentroid centroidx centrex centerx xcoord"
        " xcoordinate coordx utme utmeasting eastings xutm utmx xworld midx xmid pointx xloc longitude"
        " lon long e este",
        "northing": "northing north y yc ycentre ycenter ycentroid centroidy centrey centery"
        " ycoord ycoordinate coordy utmn utmnorthing northings yutm utmy yworld midy ymid pointy yloc"
        " latitude lat n norte",
        "elevation": "elevation elev z zc zcentre zcenter zcentroid centroidz centrez centerz zcoord"
        " zcoordinate coordz rl reducedlevel altitude masl midz zmid pointz zloc zworld",
    }
)
"""Headers of each coordinate, in lower case without blanks, marks and units."""

FARTHEST = 1e10
"""No coordinate lies farther from its origin [m]."""

DEGREES = ("longitude", "lon", "long", "latitude", "lat")
_UNIT = re.compile(r"[\[(][^\])]*[\])]|(?<=[_ ])(?:m|metres|meters|metre|meter)$")


def find_coordinates(
    names: Sequence[Any],
    given: Mapping[str, str | None],
    *,
    source: str,
    need_elevation: bool = False,
) -> dict[str, str]:
    """Return the column of each coordinate: the one named in `given`, else the first synonym.

    Raises
    ------
    ValueError
        If a named column is not there, or easting or northing is not found.
    """
    headers = [str(name) for name in names]
    plain = {header: plain_header(header) for header in headers}
    found: dict[str, str] = {}
    for axis, words in SYNONYMS.items():
        asked = given.get(axis)
        if asked is not None and asked not in headers:
            raise ValueError(
                f"{source} has no column {asked!r} for {axis}; it has {list_words(headers)}."
                f" Check the spelling.{did_you_mean(asked, headers)}"
            )
        ranked = [h for word in words.split() for h in headers if plain[h] == word]
        if asked is not None or ranked:
            found[axis] = ranked[0] if asked is None else asked
        elif axis != "elevation" or need_elevation:
            raise ValueError(
                f"{source} has no column for {axis}; it has {list_words(headers)}. Name it:"
                f" {axis}='column', or call it {axis!r} or {words.split()[2]!r}."
            )
    return found


def plain_header(header: str) -> str:
    """Return a header in lower case, without units, blanks and marks.

    Examples
    --------
    >>> plain_header("X_Coord (m)"), plain_header("UTM-E [m]"), plain_header("East_m")
    ('xcoord', 'utme', 'east')
    """
    return re.sub(r"[^a-z0-9]", "", _UNIT.sub("", header.strip().lower()))


def read_numbers(table: pd.DataFrame, column: str, *, source: str) -> NDArray[np.float64]:
    """Return a column of coordinates as float64, or name the first rows that hold none."""
    numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = np.flatnonzero(~(np.abs(numbers) < FARTHEST))
    if len(bad):
        cells = table[column].iloc[bad[:3]].tolist()
        raise ValueError(
            f"{source} has no coordinate in column {column!r} in {len(bad)} rows, first"
            f" {format_places(bad)}: {cells}. Mend or drop these rows."
        )
    return numbers


def format_places(places: NDArray[np.int64], rows: NDArray[np.int64] | None = None) -> str:
    """Return rows as a file numbers them: by `rows`, the number of each, else the header is row 1.

    Examples
    --------
    >>> format_places(np.array([0, 4, 5, 6, 9]))
    'row 2, 6, 7, 8 ...'
    """
    numbers = places + 2 if rows is None else rows[places]
    shown = ", ".join(str(int(number)) for number in numbers[:4])
    return f"row {shown}{' ...' if len(places) > 4 else ''}"


def list_words(words: Sequence[str], most: int = 12) -> str:
    """Return the first words of a list and how many there are."""
    shown = ", ".join(map(str, words[:most]))
    return shown if len(words) <= most else f"{shown} ... ({len(words)} in all)"
