"""The column or array that names the surface to which a triangle belongs.

Headers come in; the one that holds names goes out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gossan.data._coordinates import plain_header

_NAMES = re.findall(
    r"\S+",
    """fault faultname faultid surface surfacename surfaceid name object objectname objectid
    wireframe wireframename structure structurename contact horizon unit domain solid layer group
    part mesh""",
)
_TRIANGLES = re.findall(
    r"\S+",
    """triangle triangleid triangleno triangleindex tri triid trino trgl facet facetid face faceid
    element elementid polygon polygonid cell cellid""",
)


def is_name_header(header: str) -> bool:
    """Tell whether a header is one of those that name a surface.

    Examples
    --------
    >>> is_name_header("Fault Name"), is_name_header("dip")
    (True, False)
    """
    return plain_header(header) in _NAMES


def find_names(headers: Sequence[str]) -> str | None:
    """Return the header of the column of names, None if there is none."""
    return _first(headers, _NAMES)


def find_triangles(headers: Sequence[str]) -> str | None:
    """Return the header of the column of triangle numbers, None if there is none."""
    return _first(headers, _TRIANGLES)


def _first(headers: Sequence[str], words: Sequence[str]) -> str | None:
    return next((h for word in words for h in headers if plain_header(h) == word), None)
