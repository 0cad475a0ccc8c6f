"""Grids as VTK image data (.vti), cell values, for ParaView and its kin.

A grid and a path come in and a file goes out, or the reverse. VTK runs x fastest, then y, then z,
which is the order of our axes; a turned grid has a `Direction`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan.data.grids._axes import axes_of, grid_shape
from gossan.data.grids._meta import geometry, pack, rebuild, restore_layer, unpack
from gossan.data.grids._vtkxml import Appended, VtkFile, read_file, write_file

_FIELD = "gossan"


def write_vti(grid: xr.Dataset, path: Path) -> None:
    """Write a checked grid; a 2D one lies flat at elevation 0."""
    corner, spacing, rotation = geometry(grid)
    shape = grid_shape(grid)[::-1]  # along x, y, z
    flat = [0] * (3 - len(shape))
    extent = " ".join(f"0 {n}" for n in [*shape, *flat])
    place = _numbers([*corner, *(0.0 for _ in flat)])
    steps = _numbers([*spacing[::-1], *(1.0 for _ in flat)])
    axes = f'Direction="{_numbers(_direction(rotation).ravel())}"'
    appended = Appended()
    field = appended.add_texts(_FIELD, [pack(grid)])
    layers = [appended.add(str(name), layer) for name, layer in grid.data_vars.items()]
    body = [
        f'<ImageData WholeExtent="{extent}" Origin="{place}" Spacing="{steps}" {axes}>',
        f"<FieldData>{field}</FieldData>",
        f'<Piece Extent="{extent}">', "<PointData/>", "<CellData>", *layers, "</CellData>",
        "</Piece>", "</ImageData>",
    ]  # fmt: skip
    write_file(path, "ImageData", body, appended)


def read_vti(path: Path) -> xr.Dataset:
    """Read image data: values of cells, or of points, which are then the centres of cells."""
    file = read_file(path, "ImageData")
    told = unpack(next(iter(file.arrays("FieldData").get(_FIELD, [])), None))
    image = file.root[0]
    extent = np.array(image.get("WholeExtent", "").split(), dtype=np.int64)
    steps = np.array(image.get("Spacing", "1 1 1").split(), dtype=float)
    place = np.array(image.get("Origin", "0 0 0").split(), dtype=float)
    if extent.shape != (6,) or steps.shape != (3,) or place.shape != (3,):
        raise ValueError("its WholeExtent, Spacing or Origin is not whole")
    if len(image.findall("Piece")) != 1:
        raise ValueError(f"it has {len(image.findall('Piece'))} pieces; save it as one")
    direction = np.array(image.get("Direction", "1 0 0 0 1 0 0 0 1").split(), dtype=float)
    rotation = _rotation_of(direction)
    arrays, is_of_points = _values_of(file)
    counts = np.diff(extent.reshape(3, 2)).ravel() + (1 if is_of_points else 0)
    is_flat = counts[2] == (1 if is_of_points else 0)
    shift = extent[::2] * steps - (steps / 2 if is_of_points else 0.0)
    corner = place + _direction(rotation) @ shift
    n_dims = 2 if is_flat else 3
    if (counts[:n_dims] < 1).any():
        raise ValueError(f"it has no cells: extent {extent.tolist()}")
    n_cells = math.prod(counts[:n_dims].tolist())
    for name, values in arrays.items():
        if values.ndim == 1 and values.dtype != object and values.size != n_cells:
            raise ValueError(f"array {name!r} has {values.size} values for {n_cells} cells")
    grid = rebuild(
        tuple(corner[:n_dims].tolist()), tuple(steps[:n_dims][::-1].tolist()),
        tuple(counts[:n_dims][::-1].tolist()), rotation=rotation,
        crs=told.get("attrs", {}).get("crs"), told=told,
    )  # fmt: skip
    return _with_layers(grid, arrays, told)


def _numbers(values: Any) -> str:
    return " ".join(repr(float(value)) for value in values)


def _direction(rotation: float) -> NDArray[np.float64]:
    """Return the matrix whose columns are the directions of the own axes in space."""
    angle = math.radians(rotation)
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _rotation_of(direction: NDArray[np.float64]) -> float:
    """Return the clockwise turn of a Direction; one about another axis is refused."""
    if direction.shape != (9,):
        raise ValueError("its Direction is not nine numbers")
    rotation = math.degrees(math.atan2(-direction[3], direction[0]))
    if not np.allclose(_direction(rotation).ravel(), direction, atol=1e-6):
        raise ValueError(
            f"its axes are tilted or mirrored (Direction {direction.round(4).tolist()}); a grid may"
            " be turned about the vertical only. Resample it in ParaView first"
        )
    return rotation


def _values_of(file: VtkFile) -> tuple[dict[str, NDArray], bool]:
    """Return the arrays, and whether they belong to points."""
    cells, points = file.arrays("Piece/CellData"), file.arrays("Piece/PointData")
    if cells or not points:
        return cells, False
    return points, True


def _with_layers(grid: xr.Dataset, arrays: dict[str, NDArray], told: dict[str, Any]) -> xr.Dataset:
    shape = grid_shape(grid)
    for name, values in arrays.items():
        if values.ndim > 1 or values.dtype == object:
            continue  # vectors and texts are no layers
        layer, attrs = restore_layer(name, values, told)
        grid[name] = (axes_of(grid), layer.reshape(shape), attrs)
    return grid
