"""Damaged grid files and messy vectors: a right answer or a ValueError that names the file."""

import functools
import io
import shutil
import tempfile
import warnings
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.data.grids.files import read_grid, write_grid
from gossan.data.grids.grid import add_layer, cell_centres, check_grid, make_grid
from gossan.data.grids.polydata import read_points, write_points
from gossan.data.grids.tables import grid_to_table, table_to_grid

NEEDS = {".tif": "rasterio", ".omf": "omf", ".zarr": "zarr"}
FORMATS = [".tif", ".vti", ".csv", ".omf", ".parquet"]
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def planted(n_dims, rotation=0.0):
    grid = make_grid(
        (0, 40, 0, 30), 10, elevations=(0, 20) if n_dims == 3 else None, crs="EPSG:32650",
        rotation=rotation,
    )  # fmt: skip
    values = cell_centres(grid) @ np.array([1.0, 1e3, 1e6])[:n_dims]
    return add_layer(grid, "v", values, units="ppm")


@functools.cache
def whole(ending, n_dims):
    """Return the bytes of a whole file, and the note beside it."""
    if ending in NEEDS:
        pytest.importorskip(NEEDS[ending])
    with tempfile.TemporaryDirectory() as folder:
        grid = planted(n_dims, 30.0 * (n_dims == 3))
        path = write_grid(grid, Path(folder) / f"g{ending}")
        note = path.with_name(f"{path.name}.json")
        return path.read_bytes(), note.read_text() if note.exists() else ""


def damage(data, rng, kind):
    """Return bytes cut short, with bytes changed, dropped, doubled or blanked."""
    place = int(rng.integers(0, len(data)))
    length = int(rng.integers(1, 40))
    if kind == "cut":
        return data[:place]
    if kind == "drop":
        return data[:place] + data[place + length :]
    if kind == "double":
        return data[: place + length] + data[place:]
    if kind == "blank":
        return data[:place] + b"\0" * length + data[place + length :]
    changed = bytearray(data)
    for at in rng.integers(0, len(data), 8):
        changed[at] = int(rng.integers(0, 256))
    return bytes(changed)


def read_or_say_why(path, reader=read_grid, **options):
    """Return what is read, None where a ValueError names the file; anything else fails."""
    try:
        with redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", GossanWarning)
            return reader(path, **options)
    except ValueError as error:
        assert path.name in str(error), error  # noqa: PT017, either answer is right
        assert len(str(error)) > 40  # noqa: PT017
        return None


# What rasterio logs of a damaged file may itself be no text; nobody can catch that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("n_dims", [2, 3])
@given(
    seed=st.integers(0, 2**31),
    kind=st.sampled_from(["cut", "change", "drop", "double", "blank"]),
    with_note=st.booleans(),
)
@FUZZ
def test_a_damaged_file_is_read_or_named(  # noqa: PLR0917
    tmp_path, ending, n_dims, seed, kind, with_note
):
    data, note = whole(ending, n_dims)
    path = tmp_path / f"g{ending}"
    path.write_bytes(damage(data, np.random.default_rng(seed), kind))
    if note and with_note:
        (tmp_path / f"g{ending}.json").write_text(note)
    grid = read_or_say_why(path)
    if grid is not None:
        check_grid(grid)


@given(seed=st.integers(0, 2**31), part=st.integers(0, 200))
@settings(FUZZ, max_examples=40)
def test_a_damaged_store_is_read_or_named(tmp_path, seed, part):
    pytest.importorskip("zarr")
    path = tmp_path / "g.zarr"
    shutil.rmtree(path, ignore_errors=True)
    write_grid(planted(3), path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    rng = np.random.default_rng(seed)
    victim = files[part % len(files)]
    if rng.random() < 0.3:
        victim.unlink()
    else:
        victim.write_bytes(
            damage(victim.read_bytes(), rng, "cut" if rng.random() < 0.5 else "blank")
        )
    grid = read_or_say_why(path)
    if grid is not None:
        check_grid(grid)


@given(seed=st.integers(0, 2**31), kind=st.sampled_from(["cut", "change", "drop", "blank"]))
@FUZZ
def test_damaged_points_are_read_or_named(tmp_path, seed, kind):
    table = pd.DataFrame({"x": [1.0, 2, 3], "y": [1.0, 2, 3], "hole": ["a", "a", "b"]})
    path = write_points(table, tmp_path / "p.vtp", line="hole")
    path.write_bytes(damage(path.read_bytes(), np.random.default_rng(seed), kind))
    read_or_say_why(path, read_points)


BAD_CELLS = ["", "x", "-", "1e400", "NaN", "inf", "9" * 400, "5,5", '"', "0", "\0", "5;15"]


@given(
    row=st.integers(0, 12), column=st.integers(0, 6), cell=st.sampled_from(BAD_CELLS),
    with_note=st.booleans(),
)  # fmt: skip
@FUZZ
def test_a_spoilt_cell_of_a_block_model_is_never_taken_for_a_place(
    tmp_path, row, column, cell, with_note
):
    data, note = whole(".csv", 2)
    rows = [line.split(",") for line in data.decode().splitlines()]
    rows[row][column] = cell
    path = tmp_path / "g.csv"
    path.write_text("".join(",".join(cells) + "\n" for cells in rows))
    (tmp_path / "g.csv.json").write_text(note) if with_note else None
    grid = read_or_say_why(path)
    (tmp_path / "g.csv.json").unlink(missing_ok=True)
    if grid is None or row == 0:
        return
    assert "categories" not in grid["v"].attrs
    assert grid.sizes["easting"] * grid.sizes["northing"] == 12
    values = grid["v"].values.ravel().astype(float)
    right = np.isclose(values, cell_centres(grid) @ [1.0, 1e3], atol=1e-3)
    if column < 6 or cell == "":  # a missing value is missing, any other number is what it says
        assert right.sum() >= 12 - (column == 6)
        assert np.isnan(values[~right]).all()


@given(
    seed=st.integers(0, 2**31),
    mess=st.sampled_from(["shift", "drop", "double", "text", "nan", "swap", "scale"]),
)
@FUZZ
def test_messy_tables_make_the_right_grid_or_none(seed, mess):
    rng = np.random.default_rng(seed)
    table = grid_to_table(planted(3)).sample(frac=1, random_state=seed % 1000)
    table = table.reset_index(drop=True)
    row, axis = int(rng.integers(len(table))), str(rng.choice(["easting", "northing", "elevation"]))
    if mess == "shift":
        table.loc[row, axis] += rng.normal() * 10
    elif mess == "drop":
        table = table.drop(index=row)
    elif mess == "double":
        table = pd.concat([table, table.iloc[[row]]])
    elif mess in ("text", "nan"):
        table[axis] = table[axis].astype(object)
        table.loc[row, axis] = "here" if mess == "text" else None
    elif mess == "swap":
        table = table.rename(columns={"easting": "northing", "northing": "easting"})
    else:
        table[axis] *= 1000
    try:
        grid = table_to_grid(table)
    except ValueError as error:
        assert "table" in str(error)  # noqa: PT017, either answer is right
        assert mess not in ("swap", "scale")
        return
    assert mess in ("swap", "scale", "shift")
    again = grid_to_table(grid).sort_values("v")["v"].to_numpy()
    np.testing.assert_array_equal(again, np.sort(table["v"].to_numpy()))


@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=2, max_size=12),
    rotation=st.one_of(st.none(), st.floats(), st.text(max_size=3)),
)
@FUZZ
def test_any_axis_is_a_grid_or_is_refused(values, rotation):
    grid = planted(2)
    n = len(values)
    odd = grid.isel(easting=[0] * n).assign_coords(easting=("easting", values))
    if rotation is not None:
        odd = odd.assign_attrs(rotation=rotation, origin=[0.0, 0.0])
    try:
        with np.errstate(all="ignore"):
            checked = check_grid(odd)
    except ValueError as error:
        assert len(str(error)) > 40  # noqa: PT017, either answer is right
        return
    assert (np.diff(checked["easting"].values) > 0).all()
