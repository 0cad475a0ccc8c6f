"""Damaged files of surfaces: surfaces that are whole, or a ValueError that names the file."""

import functools
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gossan._checks import GossanWarning
from gossan.data.surfaces.files import MESHES, read_surfaces, write_surfaces
from gossan.data.surfaces.record import Surface
from gossan.evidence.surfaces import extrude_trace

ENDINGS = [".csv", ".xlsx", ".parquet", *MESHES, ".stl+"]
N_EACH = 200
BITS = [
    b"\0",
    b"\xff",
    b"-",
    b"9" * 30,
    b"1e999",
    b"nan",
    b"\n",
    b" ",
    b'"',
    b"<",
    b"END",
    b",",
    b"{",
]


def faults():
    trace = [[0, 0, 0], [0, 50, 5], [20, 90, 9]]
    return [
        Surface((one := extrude_trace(trace, dip, depth=80)).vertices, one.triangles, f"F{dip}")
        for dip in (40, 70)
    ]


def write_frame(corners, path):
    table = pd.concat(
        [pd.DataFrame(c, columns=["x", "y", "z"]).assign(fault=i) for i, c in enumerate(corners)]
    )
    (table.to_excel if path.suffix == ".xlsx" else table.to_parquet)(path, index=False)


def write_dxf(corners, path):
    def place_at(place, corner=0):
        return [str(x) for axis in range(3) for x in (10 * (axis + 1) + corner, place[axis])]

    pairs = ["0", "SECTION", "2", "ENTITIES"]
    for name, some in enumerate(corners):
        for three in some.reshape(-1, 3, 3).tolist():
            pairs += ["0", "3DFACE", "8", f"F{name}"]
            for corner, place in enumerate([*three, three[2]]):
                pairs += place_at(place, corner)
    pairs += ["0", "POLYLINE", "8", "mesh", "70", "64"]
    for place in corners[0][:3].tolist():
        pairs += ["0", "VERTEX", "70", "192", *place_at(place)]
    pairs += ["0", "VERTEX", "70", "128", "71", "1", "72", "2", "73", "3", "0", "SEQEND"]
    path.write_text("\n".join([*pairs, "0", "ENDSEC", "0", "EOF", ""]))


def write_stl(corners, path):
    rows = [f"vertex {x} {y} {z}" for x, y, z in corners[0].tolist()]
    for at in range(len(rows), 0, -3):
        rows.insert(at, "endloop")
    path.write_text("\n".join(["solid F1", *rows, "endsolid"]))


def write_binary_stl(corners, path):
    kind = [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("mark", "<u2")]
    record = np.zeros(len(corners[0]) // 3, kind)
    record["corners"] = corners[0].reshape(-1, 3, 3)
    path.write_bytes(bytes(80) + np.uint32(len(record)).tobytes() + record.tobytes())


MADE_HERE = {
    ".xlsx": write_frame, ".parquet": write_frame, ".dxf": write_dxf, ".stl": write_stl,
    ".stl+": write_binary_stl,
}  # fmt: skip


@functools.cache
def whole(ending):
    """Return the bytes of a whole file."""
    if ending == ".omf":
        pytest.importorskip("omf")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{ending}"
        if ending in MADE_HERE:
            corners = [s.vertices[s.triangles].reshape(-1, 3) for s in faults()]
            MADE_HERE[ending](corners, path)
        else:
            write_surfaces(faults(), path)
        return path.read_bytes()


def damage(data, rng):
    """Return bytes cut short, with bytes changed, dropped, doubled or replaced by odd ones."""
    place, length = int(rng.integers(len(data))), int(rng.integers(1, 40))
    kind = rng.choice(
        ["cut", "flip", "drop", "double", "odd", "garbage"], p=[0.3, 0.3, 0.1, 0.1, 0.15, 0.05]
    )
    if kind == "cut":
        return data[:place]
    if kind == "drop":
        return data[:place] + data[place + length :]
    if kind == "double":
        return data[: place + length] + data[place:]
    if kind == "odd":
        odd = BITS[int(rng.integers(len(BITS)))]
        return data[:place] + odd + data[place + len(odd) :]
    if kind == "garbage":
        return rng.integers(0, 256, int(rng.integers(1, 2000)), dtype=np.uint8).tobytes()
    changed = bytearray(data)
    for at in rng.integers(0, len(data), int(rng.integers(1, 6))):
        changed[at] ^= 1 << int(rng.integers(8))
    return bytes(changed)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_whole_file_is_read(tmp_path, ending):
    path = tmp_path / f"a{ending.strip('+')}"
    path.write_bytes(whole(ending))
    assert sum(len(s.triangles) for s in read_surfaces(path)) >= 4


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_damaged_file_is_read_or_named(tmp_path, ending):
    data = whole(ending)
    path = tmp_path / f"a{ending.strip('+')}"
    rng = np.random.default_rng(0)
    n_read = 0
    for _ in range(N_EACH):
        path.write_bytes(damage(data, rng))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GossanWarning)
                found = read_surfaces(path)
        except ValueError as error:
            assert str(error).startswith(path.name), error  # noqa: PT017
            assert len(str(error)) > 40  # noqa: PT017
            continue
        n_read += 1
        for surface in found:
            assert np.abs(surface.vertices).max() < 1e10
            assert len(surface.corners()) == len(surface.triangles) > 0
    assert n_read < N_EACH
