"""Grids in the Open Mining Format 1.0.1: block models as volumes, 2D grids as grid surfaces.

A grid and a path come in and a file goes out, or the reverse. The values of a volume run along w
(elevation) fastest, those of a surface along u (easting), as viewers of the format read them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.data.grids._axes import axes_of, grid_shape
from gossan.data.grids._meta import geometry, pack, rebuild, restore_layer, unpack
from gossan.data.grids._omf_checks import check_omf

_OMF_HINT = 'pip install "gossan[omf]"'


def write_omf(grid: xr.Dataset, path: Path) -> None:
    """Write a checked grid as a project of one element, called as the file."""
    with quiet_omf() as omf:
        corner, spacing, rotation = geometry(grid)
        u, v = _axes_at(rotation)
        north, east = spacing[-2:]
        shape = grid_shape(grid)
        sides = {
            "origin": [*corner, 0.0][:3],
            "tensor_u": np.full(shape[-1], east), "tensor_v": np.full(shape[-2], north),
            "axis_u": u, "axis_v": v,
        }  # fmt: skip
        if len(shape) == 3:
            body = omf.VolumeGridGeometry(tensor_w=np.full(shape[0], spacing[0]), **sides)
            kind, place = omf.VolumeElement, "cells"
        else:
            body, kind, place = omf.SurfaceGridGeometry(**sides), omf.SurfaceElement, "faces"
        layers = [
            omf.ScalarData(name=str(name), location=place, array=_to_omf(layer.to_numpy()),
                           description=str(layer.attrs.get("units", "")))
            for name, layer in grid.data_vars.items()
        ]  # fmt: skip
        element = kind(name=path.stem, description=pack(grid), geometry=body, data=layers)
        project = omf.Project(name=path.stem, units="m", elements=[element])
        project.validate()
        omf.OMFWriter(project, str(path))


def read_omf(path: Path, *, element: str | None = None) -> xr.Dataset:
    """Read a volume or a grid surface; `element` names which, where a file holds several."""
    with quiet_omf() as omf, path.open("rb") as file:
        check_omf(path)
        project = omf.OMFReader(file).get_project()
        kinds = (omf.VolumeGridGeometry, omf.SurfaceGridGeometry)
        grids = [e for e in project.elements if isinstance(e.geometry, kinds)]
        chosen = _choose(grids, element)
        told = _told(chosen.description)
        body = chosen.geometry
        sides = [body.tensor_u, body.tensor_v]
        if isinstance(body, omf.VolumeGridGeometry):
            sides.append(body.tensor_w)
        elif getattr(body, "offset_w", None) is not None and np.ptp(body.offset_w.array) > 0:
            raise ValueError(
                f"the surface {chosen.name!r} is not flat; drape it in its own software"
            )
        corner = np.asarray(body.origin, float) + np.asarray(project.origin, float)
        grid = rebuild(
            tuple(corner[: len(sides)].tolist()), _spacing(sides, chosen.name),
            tuple(len(side) for side in sides[::-1]), rotation=_rotation(body),
            crs=told.get("attrs", {}).get("crs"), told=told,
        )  # fmt: skip
        return _with_layers(grid, chosen, told)


@contextmanager
def quiet_omf() -> Iterator[Any]:
    """Give the package omf; what its old dependencies say to new NumPy is no user's concern."""
    with warnings.catch_warnings():
        for module in ("vectormath", "properties", "numpy", "omf"):
            warnings.filterwarnings("ignore", category=DeprecationWarning, module=module)
        try:
            import omf
        except ImportError as error:
            raise ImportError(f"OMF files need the package omf. Install: {_OMF_HINT}") from error
        yield omf


def _axes_at(rotation: float) -> tuple[list[float], list[float]]:
    angle = math.radians(rotation)
    cosine, sine = math.cos(angle), math.sin(angle)
    return [cosine, -sine, 0.0], [sine, cosine, 0.0]


def _to_omf(values: NDArray) -> NDArray:
    """Return values in the format's order and in one of its two types."""
    ordered = values.transpose(2, 1, 0) if values.ndim == 3 else values
    kind = float if values.dtype.kind == "f" else np.int64
    return np.ascontiguousarray(ordered, dtype=kind).ravel()


def _choose(grids: list[Any], element: str | None) -> Any:
    names = [str(each.name) for each in grids]
    if not grids:
        raise ValueError("it holds no block model and no grid surface")
    if element is None and len(grids) > 1:
        raise ValueError(f"it holds several grids, {', '.join(names)}. Name one: element=...")
    if element is not None and element not in names:
        raise ValueError(
            f"it holds no grid {element!r}; it holds {', '.join(names)}."
            f"{did_you_mean(element, names)}"
        )
    return grids[0 if element is None else names.index(element)]


def _told(description: str) -> dict[str, Any]:
    return unpack(description) if description.startswith('{"format": "gossan') else {}


def _spacing(sides: list[Any], name: str) -> tuple[float, ...]:
    """Return the size of the cells, (elevation,) northing, easting; they must be equal."""
    for side in sides:
        if not len(side) or np.ptp(side) > 1e-6 * np.max(side):
            raise ValueError(f"the grid {name!r} has cells of several sizes. Regularise it first")
    return tuple(float(np.mean(side)) for side in sides[::-1])


def _rotation(body: Any) -> float:
    """Return the clockwise turn of the axes; tilted ones are refused."""
    u, v = np.asarray(body.axis_u, float), np.asarray(body.axis_v, float)
    w = np.asarray(getattr(body, "axis_w", (0.0, 0.0, 1.0)), float)
    rotation = math.degrees(math.atan2(-u[1], u[0]))
    expected = [*_axes_at(rotation), [0.0, 0.0, 1.0]]
    if not np.allclose([u, v, w], expected, atol=1e-6):
        raise ValueError("its axes are tilted or mirrored; a grid may be turned about the vertical")
    return rotation


def _with_layers(grid: xr.Dataset, element: Any, told: dict[str, Any]) -> xr.Dataset:
    shape = grid_shape(grid)
    for data in element.data:
        values = np.asarray(getattr(getattr(data, "array", None), "array", ()))
        if data.location == "vertices" or values.ndim != 1 or values.dtype.kind not in "if":
            continue  # values of corners, colours and texts are no layers
        if values.size != math.prod(shape):
            raise ValueError(f"layer {data.name!r} has {values.size} values for {shape} cells")
        cells = values.reshape(shape[::-1]).transpose(2, 1, 0) if len(shape) == 3 else values
        layer, attrs = restore_layer(str(data.name), cells.reshape(shape), told)
        if not told and data.description:
            attrs["long_name"] = str(data.description)
        grid[str(data.name)] = (axes_of(grid), np.array(layer), attrs)
    return grid
