"""Longitude and latitude of any place of a map, as a formula that its page can work out.

A CRS and the frame of a map come in; coefficients of two polynomials of fourth degree go out, or none
where they would be off by more than a metre or pyproj is not there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_POWERS = tuple((i, j) for i in range(5) for j in range(5 - i))
_WORST = 1e-5  # degrees, about a metre


def degree_formula(
    crs: str | None, extent: tuple[float, float, float, float]
) -> dict[str, Any] | None:
    """Return the formula of longitude and latitude within `extent` (west, east, south, north) [m].

    With x and y from -1 to 1 across the frame, each is the sum of c[k] x**i y**j over `powers`.
    """
    if not crs:
        return None
    try:
        import pyproj
    except ImportError:
        return None
    west, east, south, north = extent
    middle, half = ((west + east) / 2, (south + north) / 2), max(east - west, north - south) / 2
    x, y = (part.ravel() for part in np.meshgrid(*[np.linspace(-1, 1, 21)] * 2))
    to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    found = np.array(to_degrees.transform(middle[0] + half * x, middle[1] + half * y))
    if not np.isfinite(found).all() or np.ptp(found[0]) > 180:
        return None
    terms = _terms(x, y)
    fits = [np.linalg.lstsq(terms, degrees, rcond=None)[0] for degrees in found]
    worst = max(np.abs(terms @ fit - own).max() for fit, own in zip(fits, found, strict=True))
    if worst > _WORST:
        return None
    return {
        "middle": list(middle),
        "half": half,
        "powers": [list(pair) for pair in _POWERS],
        "lon": fits[0].tolist(),
        "lat": fits[1].tolist(),
    }


def _terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([x**i * y**j for i, j in _POWERS], axis=1)
