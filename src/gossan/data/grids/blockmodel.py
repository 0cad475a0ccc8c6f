"""Block models as CSV: XC, YC, ZC, XINC, YINC, ZINC and one column a layer, under one header line.

A grid and a path come in and a table goes out, or the reverse. Mining software reads no more than
that; units, CRS, turn and long names are kept in a small JSON file beside it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import GossanWarning, check_option
from gossan.data._coordinates import list_words, plain_header
from gossan.data._replacing import replacing
from gossan.data.grids._axes import axes_of, grid_shape, rotation_of, spacing_of
from gossan.data.grids._meta import pack, rebuild, restore_layer, unpack
from gossan.data.grids.grid import add_layer
from gossan.data.grids.resampling import align_grids
from gossan.data.grids.tables import grid_to_table, table_to_grid

HEADERS = ("XC", "YC", "ZC", "XINC", "YINC", "ZINC")
"""Centres and sizes of the blocks, as mining software calls them."""

LONGEST_NAME = 24
"""Characters that a column may have in mining software."""

MISSING = (-9999.0, -999.25, -999.0, -99.0)
"""Numbers that mean "missing" in block models of other software."""

_SIZES = {
    "XINC": "xinc dx xsize sizex xlength lengthx dimx xdim blocksizex xworldsize",
    "YINC": "yinc dy ysize sizey ylength lengthy dimy ydim blocksizey yworldsize",
    "ZINC": "zinc dz zsize sizez zlength lengthz dimz zdim blocksizez zworldsize",
}
_AXES = ("easting", "northing", "elevation")
_CELLS_AT_ONCE = 1_000_000


def write_block_model(grid: xr.Dataset, path: Path, *, drop_empty: bool = False) -> None:
    """Write a checked grid as CSV, and beside it what a CSV cannot hold.

    A 2D grid has ZC and ZINC 0. Layer names longer than 24 characters, or with marks that CSV
    readers stumble over, are shortened; the JSON file beside it keeps the long ones.

    Parameters
    ----------
    grid : Dataset
        A checked grid.
    path : Path
        The CSV file; "<path>.json" goes beside it.
    drop_empty : bool
        Leave out cells in which every layer is missing, as is usual for air blocks.
    """
    names = short_names([str(name) for name in grid.data_vars])
    with replacing(_note_of(path)) as note:
        note.write_text(pack(grid, names, drop_empty=drop_empty), encoding="utf-8")
        with replacing(path) as temporary, temporary.open("wb") as file:
            file.write((",".join([*HEADERS, *names.values()]) + "\r\n").encode())
            options = pacsv.WriteOptions(include_header=False, quoting_style="needed")
            for part in slabs(grid):
                table = _block_table(part, drop_empty)
                if len(table):
                    pacsv.write_csv(
                        pa.Table.from_pandas(table, preserve_index=False), file, options
                    )


def read_block_model(
    path: Path,
    *,
    missing: str | None = None,
    rotation: float | None = None,
    missing_values: Sequence[float] | None = None,
) -> xr.Dataset:
    """Read a block model of equal blocks from CSV, in any order of the rows.

    Parameters
    ----------
    path : Path
    missing : "error" or "nan", optional
        What to do with blocks that no row fills; default "error" unless the file's own note says
        that empty blocks were left out.
    rotation : float, optional
        Clockwise turn of the model [°] where the file's own note does not tell it.
    missing_values : sequence of float, optional
        Numbers that mean "missing"; default -9999, -999.25, -999 and -99 in files of other
        software, none in our own.

    Returns
    -------
    grid : Dataset
        2D if all ZINC are 0 and all ZC equal.
    """
    check_option("missing", missing, (None, "error", "nan"))
    data = path.read_bytes()
    told = _read_note(path, data)
    table = _read_csv(data, told)
    sizes, columns = _find_sizes(table, path.name)
    table = table.drop(columns=list(columns.values()))
    codes = (() if told else MISSING) if missing_values is None else tuple(missing_values)
    attrs = told.get("attrs", {})
    steps = [sizes[name] for name in ("ZINC", "YINC", "XINC")] if sizes else None
    is_flat = len(told["dims"]) == 2 if told else steps is not None and steps[0] == 0
    if steps is not None and is_flat:
        steps = steps[1:]
    n_dims = 2 if is_flat else None if steps is None else 3
    centres = {axis: c for axis, c in zip(_AXES, HEADERS, strict=False) if c in table.columns}
    grid = table_to_grid(
        table, **centres, spacing=steps, n_dims=n_dims, crs=attrs.get("crs"),
        rotation=attrs.get("rotation", 0.0) if rotation is None else rotation,
        origin=attrs.get("origin"), source=path.name,
        missing=missing or ("nan" if told.get("drop_empty") else "error"),
    )  # fmt: skip
    grid = grid.map(lambda layer: _without_codes(layer, codes), keep_attrs=True)
    _refuse_new_words(grid, told)
    grid = _as_it_was(grid, told)
    return onto_noted_cells(grid, told) if told.get("drop_empty") else grid


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return a column name of at most 24 plain characters for each layer, all different.

    Examples
    --------
    >>> short_names(["Au, ppm", "probability_of_mineralisation", "probability_of_mineral_x"])
    {'Au, ppm': 'Au_ppm', 'probability_of_mineralisation': 'probability_of_mineralis',
     'probability_of_mineral_x': 'probability_of_mineral_x'}
    """
    taken = {header.casefold() for header in HEADERS}
    found = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_.%-]+", "_", name).strip("_") or "layer"
        short, number = plain[:LONGEST_NAME], 2
        while short.casefold() in taken:
            ending = f"_{number}"
            short, number = plain[: LONGEST_NAME - len(ending)] + ending, number + 1
        taken.add(short.casefold())
        found[name] = short
    return found


def slabs(grid: xr.Dataset) -> Iterator[xr.Dataset]:
    """Yield the grid in slabs along its first axis of about a million cells, loaded one by one."""
    axis = axes_of(grid)[0]
    shape = grid_shape(grid)
    step = max(1, _CELLS_AT_ONCE // max(1, int(np.prod(shape[1:]))))
    spacing = {**grid[axis].attrs, "spacing": spacing_of(grid)[0]}
    noted = grid.assign_coords({axis: (axis, grid[axis].data, spacing)})
    for start in range(0, shape[0], step):
        yield noted.isel({axis: slice(start, start + step)})


def onto_noted_cells(grid: xr.Dataset, told: dict[str, Any]) -> xr.Dataset:
    """Return the grid with the outer cells that were left out as empty."""
    attrs = told["attrs"]
    whole = rebuild(
        tuple(told["corner"]), tuple(told["spacing"]), tuple(told["shape"]),
        rotation=attrs.get("rotation", 0.0), crs=attrs.get("crs"), told=told,
    )  # fmt: skip
    return align_grids(grid, whole, method="nearest")


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _block_table(grid: xr.Dataset, drop_empty: bool) -> pd.DataFrame:
    table = grid_to_table(grid, drop_empty=drop_empty)
    steps = spacing_of(grid)
    is_flat = len(steps) == 2
    head = {"XC": table["easting"], "YC": table["northing"]}
    head |= {"ZC": 0.0 if is_flat else table["elevation"], "XINC": steps[-1], "YINC": steps[-2]}
    head |= {"ZINC": 0.0 if is_flat else steps[0]}
    rest = table.iloc[:, len(steps) :]
    digits = _digits(grid)
    blocks = pd.DataFrame(head, index=table.index)
    blocks[["XC", "YC", "ZC"]] = blocks[["XC", "YC", "ZC"]].round(digits)
    return pd.concat([blocks, rest.set_axis([f"layer {j}" for j in range(rest.shape[1])], axis=1)],
                     axis=1)  # fmt: skip


def _digits(grid: xr.Dataset) -> int:
    """Return decimals that keep a centre to a millionth of a cell."""
    smallest = min(spacing_of(grid))
    return max(6, int(np.ceil(6 - np.log10(smallest)))) if rotation_of(grid) or smallest < 1 else 6


def _read_note(path: Path, data: bytes) -> dict[str, Any]:
    """Return what the note beside a file tells; one of another table is not used."""
    note = _note_of(path)
    if not note.is_file():
        return {}
    told = unpack(note.read_bytes())
    columns = [said.get("column", name) for name, said in told["layers"].items()]
    header = data[: data.find(b"\n")].decode(errors="replace").strip()
    if header == ",".join([*HEADERS, *columns]):
        return told
    warnings.warn(
        f"{note.name} describes another table than {path.name}, which has the columns {header[:80]};"
        " it is not used. Delete it, or pass crs= and rotation= where they are needed.",
        GossanWarning,
        stacklevel=4,
    )
    return {}


def _read_csv(data: bytes, told: dict[str, Any]) -> pd.DataFrame:
    """Return the columns of a CSV file in which every row has as many cells as the header."""
    if told and not data.endswith(b"\n"):
        raise ValueError("it is cut short in its last row")
    if data.count(b'"') % 2:  # it would swallow the rows after it
        raise ValueError("a quotation mark is never closed")
    head = data[: data.find(b"\n") + 1].removeprefix(b"\xef\xbb\xbf")
    separator = max(b",;\t", key=head.count)  # bytes count up as whole numbers
    nulls = [""] if told else [*pacsv.ConvertOptions().null_values, "-", "*"]
    table = pacsv.read_csv(
        pa.BufferReader(data),
        read_options=pacsv.ReadOptions(encoding=_encoding(data)),
        parse_options=pacsv.ParseOptions(delimiter=chr(separator)),
        convert_options=pacsv.ConvertOptions(null_values=nulls, strings_can_be_null=True),
    ).to_pandas()
    if table.shape[1] < 3:
        raise ValueError(
            f"it has {table.shape[1]} columns, {list_words([str(c) for c in table.columns])};"
            " a block model has XC, YC, ZC and layers"
        )
    return table.set_axis([str(name).strip() for name in table.columns], axis="columns")


def _encoding(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _find_sizes(table: pd.DataFrame, source: str) -> tuple[dict[str, float] | None, dict[str, str]]:
    """Return the size of the blocks, None where the file does not tell, and its columns."""
    columns = {}
    for name, words in _SIZES.items():
        hits = [c for word in words.split() for c in table.columns if plain_header(c) == word]
        if hits:
            columns[name] = hits[0]
    sizes = {}
    for name, column in columns.items():
        values = pd.to_numeric(table[column], errors="coerce").unique()
        if len(values) and np.isfinite(values).all() and np.ptp(values) <= 1e-6 * values.max():
            sizes[name] = float(values[0])
            continue
        raise ValueError(
            f"{source} has blocks of {len(values)} sizes in column {column!r}"
            f" ({list_words([f'{v:g}' for v in values], 4)}). Regularise sub-blocks to equal blocks"
            " first"
        )
    return (sizes if len(sizes) == 3 else None), columns


def _refuse_new_words(grid: xr.Dataset, told: dict[str, Any]) -> None:
    """Raise if a layer of numbers holds text: a cell was spoilt after we wrote it."""
    columns = {said.get("column", name): said for name, said in told.get("layers", {}).items()}
    for name, layer in grid.data_vars.items():
        is_new = "categories" not in columns.get(name, {}).get("attrs", {"categories": 0})
        if is_new and layer.attrs.get("categories"):
            words = list_words(layer.attrs["categories"], 3)
            raise ValueError(f"column {name!r} was written with numbers and holds text, {words}")


def _without_codes(layer: xr.DataArray, codes: tuple[float, ...]) -> xr.DataArray:
    if not codes or layer.dtype.kind not in "iuf":
        return layer
    hit = layer.isin(codes)
    return layer.where(~hit) if bool(hit.any()) else layer


def _as_it_was(grid: xr.Dataset, told: dict[str, Any]) -> xr.Dataset:
    """Return the grid with the names, types and attrs that its note tells."""
    if not told:
        return grid
    columns = {said.get("column", name): name for name, said in told["layers"].items()}
    bare = grid.drop_vars(list(grid.data_vars))
    others = {key: said for key, said in told["attrs"].items() if key not in grid.attrs}
    bare = bare.assign_attrs({k: v for k, v in others.items() if k not in ("rotation", "origin")})
    for column, layer in grid.data_vars.items():
        name = columns.get(str(column), str(column))
        values: NDArray = layer.to_numpy()
        values, attrs = restore_layer(name, _recode(values, layer.attrs, told, name), told)
        bare = add_layer(bare, name, values)
        bare[name].attrs.update({**layer.attrs, **attrs})
    return bare


def _recode(values: NDArray, found: dict[str, Any], told: dict[str, Any], name: str) -> NDArray:
    """Return codes by the list of words that the note tells: a word may be in no cell."""
    words = told["layers"].get(name, {}).get("attrs", {}).get("categories")
    if words is None or "categories" not in found:
        return values
    place = {word: code for code, word in enumerate(words)}
    codes = np.array([place.get(word, np.nan) for word in found["categories"]] + [np.nan])
    whole = np.where(np.isfinite(values), values, -1).astype(np.int64)
    return codes[whole]
