"""What a reader takes away from a page: every table once, compressed, under a name of its own.

Tables come in; names by which buttons of the page find them, and their texts, go out. A page without
a table twice stays small however many figures show it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from gossan._spreadsheets import without_formulas

MOST_CELLS = 40_000  # of one table of a map: as many as a map draws
_DIGITS = 5  # of a value of a map; samples are not known better
_AXES = ("easting", "northing", "elevation")


class Takeaways:
    """The tables of one page, each kept once.

    Examples
    --------
    >>> kept = Takeaways()
    >>> table = pd.DataFrame({"x": [1.0, 2.0]})
    >>> kept.key(table) == kept.key(table.copy()), len(kept.texts)
    (True, 1)
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def key(self, frame: pd.DataFrame) -> str:
        """Keep a table and return the name by which the page finds it."""
        text = csv_text(frame)
        name = f"table-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        if name not in self.texts:
            self.texts[name] = packed(text)
        return name


def csv_text(frame: pd.DataFrame) -> str:
    r"""Write a table as CSV, numbers to ten digits; row names only where they say something.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"x": [0.1 + 0.2]}))
    'x\n0.3\n'
    """
    has_names = not isinstance(frame.index, pd.RangeIndex)
    safe = without_formulas(frame)  # a spreadsheet would run them
    return safe.to_csv(index=has_names, float_format="%.10g", lineterminator="\n")


def packed(text: str) -> str:
    """Compress a text and write it in base64; the same text gives the same letters."""
    # Spreadsheets take UTF-8 for something else without the mark.
    told = ("\ufeff" + text).encode("utf-8", "replace")
    return base64.b64encode(gzip.compress(told, 6, mtime=0)).decode()


def unpacked(text: str) -> bytes:
    r"""Bytes of the CSV that `packed` wrote, its mark included.

    Examples
    --------
    >>> unpacked(packed("x\n1\n")).decode("utf-8-sig")
    'x\n1\n'
    """
    return gzip.decompress(base64.b64decode(text, validate=True))


def cells_table(
    grid: xr.Dataset,
    names: Sequence[str],
    *,
    places: Sequence[Mapping[str, float]] = ({},),
    most: int = MOST_CELLS,
) -> pd.DataFrame:
    """Cells of what a map draws as a table: true coordinates [m], and a column a layer.

    Cells without any value are left out. Of large maps every n-th row and column is kept, so that the
    page stays light, and ``attrs["step"]`` says so; the files of the run hold all cells.

    Parameters
    ----------
    grid : Dataset
        With dims (northing, easting) or (elevation, northing, easting).
    names : sequence of str
        Layers that are drawn.
    places : sequence of mapping
        Planes that are drawn, such as ``{"elevation": 120.0}`` [m]; all of the grid by default.
    most : int
        Cells of the table.

    Returns
    -------
    table : DataFrame
        `easting`, `northing`, where there is one `elevation`, and the layers, to five digits.

    Examples
    --------
    >>> layer = xr.DataArray([[0.123456, np.nan]], dims=("northing", "easting"),
    ...                      coords={"northing": [5.0], "easting": [10.0, 20.0]})
    >>> cells_table(xr.Dataset({"score": layer}), ["score"]).to_dict("records")
    [{'easting': 10.0, 'northing': 5.0, 'score': 0.12346}]
    """
    drawn = grid[list(names)]
    planes = [drawn.sel(dict(place), method="nearest") for place in places]
    steps = [_step(plane, max(most // len(planes), 1)) for plane in planes]
    thinned = [_thinned(plane, step) for plane, step in zip(planes, steps, strict=True)]
    table = pd.concat(thinned, ignore_index=True)
    axes = [axis for axis in _AXES if axis in table]
    table = table[[*axes, *names]].dropna(subset=list(names), how="all")
    centres = _true_places(grid, table[axes].to_numpy(float))
    rounded = {name: _rounded(table[name].to_numpy()) for name in names}
    table = table.assign(**dict(zip(axes, centres.round(2).T, strict=True)), **rounded)
    table = table.drop_duplicates(ignore_index=True)
    table.attrs["step"] = max(steps)
    return table


def _step(plane: xr.Dataset, most: int) -> int:
    """Return which rows and columns are kept, so that at most some `most` cells are left."""
    n_cells = int(np.prod([plane.sizes[axis] for axis in plane.dims]))
    return int(np.ceil((n_cells / most) ** (1 / len(plane.dims)))) if n_cells > most else 1


def _thinned(plane: xr.Dataset, step: int) -> pd.DataFrame:
    thin = plane.isel({axis: slice(None, None, step) for axis in plane.dims})
    return thin.to_dataframe().reset_index()


def _true_places(grid: xr.Dataset, points: np.ndarray) -> np.ndarray:
    """Return places on the map of points along the axes of a grid, which may be turned clockwise."""
    angle = np.deg2rad(float(grid.attrs.get("rotation", 0.0)))
    pivot = np.asarray(grid.attrs.get("origin", (0.0, 0.0)), dtype=float)
    east, north = (points[:, :2] - pivot).T
    told = points.copy()
    told[:, 0] = pivot[0] + np.cos(angle) * east + np.sin(angle) * north
    told[:, 1] = pivot[1] - np.sin(angle) * east + np.cos(angle) * north
    return told


def _rounded(values: np.ndarray) -> np.ndarray:
    """Return numbers to five significant digits."""
    numbers = np.asarray(values, dtype=np.float64)
    size = np.abs(numbers)
    with np.errstate(divide="ignore", invalid="ignore"):
        places = _DIGITS - 1 - np.floor(np.log10(size))
        scale = 10.0 ** np.clip(places, -30, 30)
        told = np.round(numbers * scale) / scale
    return np.where(np.isfinite(told), told, numbers)
