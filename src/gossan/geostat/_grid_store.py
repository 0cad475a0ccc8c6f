"""Where the blocks of an estimated grid go: into memory, or into a Zarr folder that can be resumed.

Blocks of layers come in, one at a time; an xarray Dataset with the axes of the grid goes out.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Slices = tuple[slice, ...]

NOT_DONE = -1
FINGERPRINT = "gossan_fingerprint"


@dataclass(frozen=True)
class Layout:
    """The grid as the stores see it: axes, shape of a block, layers and their type."""

    axes: Mapping[str, NDArray[np.float64]]  # dim -> coordinates, in order
    block: tuple[int, ...]
    names: tuple[str, ...]
    dtype: str
    attrs: Mapping[str, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of cells along each axis."""
        return tuple(len(axis) for axis in self.axes.values())

    @property
    def n_cells(self) -> int:
        """Number of cells in all."""
        return int(np.prod(self.shape))

    @property
    def n_blocks(self) -> int:
        """Number of blocks that cover the grid."""
        return int(np.prod(self._counts()))

    def slices(self, number: int) -> Slices:
        """Return where block `number` lies."""
        places = np.unravel_index(number, self._counts())
        return tuple(
            slice(int(i) * step, min((int(i) + 1) * step, n))
            for i, step, n in zip(places, self.block, self.shape, strict=True)
        )

    def size(self, number: int) -> int:
        """Return the number of cells of a block."""
        return int(np.prod([each.stop - each.start for each in self.slices(number)]))

    def _counts(self) -> tuple[int, ...]:
        return tuple(-(-n // step) for n, step in zip(self.shape, self.block, strict=True))


class MemoryStore:
    """Layers as arrays in memory."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.layers = {
            name: np.full(layout.shape, np.nan, dtype=layout.dtype) for name in layout.names
        }
        self.n_missing = np.full(layout.n_blocks, NOT_DONE, dtype=np.int64)

    def write(self, number: int, layers: Sequence[NDArray], n_missing: int) -> None:
        """Keep a block and how many of its cells were not estimated."""
        where = self.layout.slices(number)
        for name, values in zip(self.layout.names, layers, strict=True):
            self.layers[name][where] = values
        self.n_missing[number] = n_missing

    def dataset(self, n_missing: int) -> xr.Dataset:
        """Return the grid, with the number of cells not estimated."""
        dims = tuple(self.layout.axes)
        layers = {name: (dims, values) for name, values in self.layers.items()}
        attrs = {**self.layout.attrs, "n_unestimated": n_missing}
        return xr.Dataset(layers, coords=dict(self.layout.axes), attrs=attrs)


class ZarrStore:
    """Layers as arrays of a Zarr folder; each block is marked when it is written."""

    def __init__(
        self, layout: Layout, out: str | Path, fingerprint: str, *, overwrite: bool
    ) -> None:
        self.layout, self.path = layout, Path(out)
        zarr = _zarr()
        if self.path.exists() and not self._is_same(fingerprint, overwrite=overwrite):
            shutil.rmtree(self.path)
        if not self.path.exists():
            self._create(fingerprint)
        self.root = zarr.open_group(str(self.path), mode="r+")
        self.marks = self.root["progress/n_missing"]
        self.n_missing = np.asarray(self.marks[:])

    def write(self, number: int, layers: Sequence[NDArray], n_missing: int) -> None:
        """Write a block, and then that it is done."""
        where = self.layout.slices(number)
        for name, values in zip(self.layout.names, layers, strict=True):
            self.root[name][where] = values
        self.marks[number] = self.n_missing[number] = n_missing

    def dataset(self, n_missing: int) -> xr.Dataset:
        """Return the grid, read lazily, with the number of cells not estimated."""
        self.root.attrs["n_unestimated"] = n_missing
        grid = xr.open_zarr(self.path, consolidated=False)
        del grid.attrs[FINGERPRINT]
        return grid

    def _is_same(self, fingerprint: str, *, overwrite: bool) -> bool:
        """Tell whether what is there was begun by the same call; raise if it may not be replaced."""
        try:
            known = _zarr().open_group(str(self.path), mode="r").attrs.get(FINGERPRINT)
        except (FileNotFoundError, ValueError, KeyError, NotADirectoryError):
            known = None
        if known is None:
            raise ValueError(
                f"{self.path} exists and is no grid written by krige_grid. Give another path."
            )
        if known != fingerprint and not overwrite:
            raise ValueError(
                f"{self.path} holds another grid: the model, its data, the cells or the options"
                " differ. Give another path, or overwrite=True."
            )
        return bool(known == fingerprint)

    def _create(self, fingerprint: str) -> None:
        """Create the empty arrays beside the target, then rename: they appear at once."""
        layout = self.layout
        draft = self.path.with_name(f".{self.path.name}.part")
        shutil.rmtree(draft, ignore_errors=True)
        root = _zarr().create_group(str(draft), zarr_format=3)
        for dim, values in layout.axes.items():
            axis = root.create_array(
                dim, shape=values.shape, dtype="float64", dimension_names=(dim,)
            )
            axis[:] = values
        for name in layout.names:
            root.create_array(
                name,
                shape=layout.shape,
                chunks=layout.block,
                dtype=layout.dtype,
                fill_value=np.nan,
                dimension_names=tuple(layout.axes),
            )
        root.create_group("progress").create_array(
            "n_missing", shape=(layout.n_blocks,), chunks=(1,), dtype="int64", fill_value=NOT_DONE
        )
        root.attrs.update({**layout.attrs, FINGERPRINT: fingerprint})
        draft.rename(self.path)


def _zarr() -> Any:
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            'Writing a grid chunk by chunk needs zarr. Run: pip install "gossan[large]"'
        ) from error
    return zarr
