"""Coordinate reference systems as text: read by pyproj where it is there, never required.

A number, a text or a CRS object of another library comes in; its text goes out, or a message that
says how to name one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

GIS_HINT = 'pip install "gossan[gis]"'


def crs_text(crs: Any, *, name: str = "crs") -> str | None:
    """Return a CRS of projected metres as text; None stays None (a local grid).

    Parameters
    ----------
    crs : str, int, CRS object or None
        "EPSG:32650", 32650, WKT, or what pyproj, rasterio or geopandas hold.
    name : str
        What it is the CRS of, for messages.

    Returns
    -------
    text : str or None

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If pyproj cannot read it, or it counts degrees.
    """
    text = plain_crs(crs, name=name)
    if text is not None and is_geographic(text):
        raise ValueError(
            f"{name} is {short_crs(text)}, which counts degrees; distances need metres. Reproject"
            " first (to_crs='EPSG:32650', say, the UTM zone of the area), or name the projected CRS"
            " that the coordinates are really in."
        )
    return text


def plain_crs(crs: Any, *, name: str = "crs") -> str | None:
    """Return any readable CRS as text, geographic ones too."""
    if crs is None or (isinstance(crs, str) and not crs.strip()):
        return None
    if isinstance(crs, int | np.integer) and not isinstance(crs, bool):
        text = f"EPSG:{crs}"
    elif isinstance(crs, str):
        text = crs.strip()
    elif callable(getattr(crs, "to_string", None)):
        text = str(crs.to_string())
    else:
        raise TypeError(
            f"{name} must be a text such as 'EPSG:32650' or its number, got {type(crs).__name__}."
            " Leave it None for a local grid."
        )
    _parse(text, name)
    return text


def same_crs(first: str | None, second: str | None) -> bool:
    """Whether two texts mean one CRS; an unknown one (None) contradicts nothing."""
    if first is None or second is None or first == second:
        return True
    one, other = _parse(first, "crs"), _parse(second, "crs")
    if one is None or other is None:
        return first.casefold() == second.casefold()
    return bool(one.equals(other, ignore_axis_order=True)) or (
        one.to_epsg() is not None and one.to_epsg() == other.to_epsg()
    )


def is_geographic(text: str | None) -> bool:
    """Whether coordinates in this CRS are degrees; False where pyproj is not there to tell."""
    parsed = None if text is None else _parse(text, "crs")
    return parsed is not None and bool(parsed.is_geographic)


def short_crs(text: str | None) -> str:
    """Return a CRS as a word or two for messages."""
    if text is None or len(text) <= 40:
        return str(text)
    parsed = _parse(text, "crs")
    return f"{text[:37]}..." if parsed is None else str(parsed.name)


def utm_hint(longitude: float, latitude: float) -> str:
    """Return the UTM zone of a place as "EPSG:32650".

    Examples
    --------
    >>> utm_hint(115.0, -30.0)
    'EPSG:32750'
    """
    zone = int((longitude + 180.0) // 6.0) % 60 + 1
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


@lru_cache(maxsize=256)
def _parse(text: str, name: str) -> Any:
    """Return pyproj's CRS, None without pyproj."""
    try:
        import pyproj
    except ImportError:
        return None
    try:
        return pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError:
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise ValueError(
            f"{name} must be one that pyproj knows, got {shown!r}. Write it as 'EPSG:32650' or"
            " WKT; leave it None for a local mine grid."
        ) from None
