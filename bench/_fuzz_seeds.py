"""Whole files of every format that gossan reads, made small: what the fuzzers damage.

A folder comes in; the file to open in it goes out. Each seed knows the reader that opens it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import json
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Seed:
    """A sound file of a format: how it is made, and what reads it."""

    name: str
    reader: str
    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    is_signed: bool = False  # a saved model, which a forger signs anew


def all_seeds() -> list[Seed]:
    """Return the seeds of all readers whose packages are installed."""
    return [*_tables(), *_holes(), *_grids(), *_vectors(), *_surfaces(), *_own(), *_models()]


# Tables


def analyses(n: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.lognormal(3, 1, (n, 4)).round(3), columns=["Fe_ppm", "Mn", "Ge", "Cd"])
    table.insert(0, "deposit", [f"D{i // 4}" for i in range(n)])
    table["Ge"] = [f"<{v}" if i % 3 == 0 else v for i, v in enumerate(table["Ge"])]
    return table.astype({"Ge": str})


def _tables() -> Iterator[Seed]:
    from gossan.data.assays import read_assays

    def write(path: Path) -> Path:
        table = analyses()
        if path.suffix == ".xlsx":
            table.to_excel(path, index=False)
        elif path.suffix == ".parquet":
            table.to_parquet(path)
        else:
            table.to_csv(path, index=False)
        return path

    for ending in (".csv", ".xlsx", ".parquet"):
        yield Seed(
            f"assays {ending}", "read_assays", lambda f, e=ending: write(f / f"t{e}"), read_assays
        )
    yield Seed("formulas .xlsx", "read_assays", _formulas, read_assays)


def _formulas(folder: Path) -> Path:
    """Write a workbook with a computed formula, as a spreadsheet leaves it."""
    return write_sheet(
        folder / "formulas.xlsx",
        '<row r="1"><c r="A1" t="inlineStr"><is><t>deposit</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>Fe_ppm</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>A</t></is></c>'
        '<c r="B2"><f>2*3.5</f><v>7</v></c></row>'
        '<row r="3"><c r="A3" t="inlineStr"><is><t>B</t></is></c><c r="B3"><v>8.5</v></c></row>',
    )


def write_sheet(path: Path, rows: str | bytes, *, more: dict[str, bytes] | None = None) -> Path:
    """Write a workbook whose one sheet has these rows of XML, and further parts."""
    plain = io.BytesIO()
    pd.DataFrame({"a": [1]}).to_excel(plain, index=False)
    body = rows.encode() if isinstance(rows, str) else rows
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = b'<worksheet xmlns="' + main + b'"><sheetData>' + body + b"</sheetData></worksheet>"
    parts = {"xl/worksheets/sheet1.xml": sheet, **(more or {})}
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part not in parts:
                new.writestr(part, old.read(part))
        for name, data in parts.items():
            new.writestr(name, data)
    return path


# Drill holes


def _holes() -> Iterator[Seed]:
    from gossan.data.holes.reading import read_drillholes

    def make(folder: Path) -> Path:
        collar = pd.DataFrame({"hole": ["A", "B"], "X": [500.0, 550.0], "Y": [900.0, 930.0],
                               "Z": [80.0, 82.0], "depth": [60.0, 40.0]})  # fmt: skip
        survey = pd.DataFrame({"hole": ["A", "A", "B"], "depth": [0, 30, 0], "azimuth": [90, 91, 88],
                               "dip": [-60, -61, -70]})  # fmt: skip
        assay = pd.DataFrame({"hole": ["A"] * 4 + ["B"] * 3, "from": [0, 10, 20, 30, 0, 10, 20],
                              "to": [10, 20, 30, 40, 10, 20, 30],
                              "Au_ppm": ["1.5", "<0.1", "0.3", "2", "4", "0.2", "0.5"]})  # fmt: skip
        for name, table in {"collar": collar, "survey": survey, "assay": assay}.items():
            table.to_csv(folder / f"{name}.csv", index=False)
        return folder

    def read(folder: Path) -> Any:
        survey, assay = folder / "survey.csv", folder / "assay.csv"
        return read_drillholes(folder / "collar.csv", survey, assay=assay)

    yield Seed("drill holes .csv", "read_drillholes", make, read)


# Grids


def _grid(n_dims: int = 3) -> Any:
    from gossan.data.grids.grid import add_layer, cell_centres, make_grid

    heights = (0, 20) if n_dims == 3 else None
    grid = make_grid((0, 40, 0, 30), 10, elevations=heights, crs="EPSG:32650")
    values = cell_centres(grid) @ np.array([1.0, 1e3, 1e6])[:n_dims]
    return add_layer(grid, "v", values, units="ppm")


def _grids() -> Iterator[Seed]:
    from gossan.data.grids.files import read_grid, write_grid
    from gossan.data.grids.polydata import read_points, write_points

    endings = [".csv", ".vti", ".parquet"]
    endings += [
        e for e, p in {".tif": "rasterio", ".omf": "omf", ".zarr": "zarr"}.items() if has(p)
    ]
    for ending in endings:
        for n in (2, 3):
            make = lambda f, e=ending, n=n: write_grid(_grid(n), f / f"g{e}")  # noqa: E731
            yield Seed(f"{n}D grid {ending}", "read_grid", make, read_grid)
    yield Seed("packed grid .vti", "read_grid", _packed_vti, read_grid)
    points = pd.DataFrame({"x": [1.0, 2, 3], "y": [1.0, 2, 3], "hole": ["a", "a", "b"]})
    yield Seed(
        "points .vtp", "read_points", lambda f: write_points(points, f / "p.vtp", line="hole"),
        read_points,
    )  # fmt: skip
    if has("rasterio"):
        from gossan.data.grids._windowed import RasterStack

        def read(path: Path) -> Any:
            with RasterStack([path]) as stack:
                return stack.read((slice(0, 2), slice(0, 2)))

        make = lambda f: write_grid(_grid(2), f / "g.tif")  # noqa: E731
        yield Seed("windows .tif", "RasterStack", make, read)


def _packed_vti(folder: Path) -> Path:
    """Write image data packed with zlib in base64, as ParaView does."""
    import base64
    import zlib

    values = np.arange(12.0)
    packed = zlib.compress(values.tobytes())
    head = np.array([1, 96, 0, len(packed)], "<u4").tobytes()
    text = (base64.b64encode(head) + base64.b64encode(packed)).decode()
    path = folder / "packed.vti"
    path.write_text(
        '<VTKFile type="ImageData" version="0.1" byte_order="LittleEndian"'
        ' compressor="vtkZLibDataCompressor"><ImageData WholeExtent="0 4 0 3 0 0" Origin="0 0 0"'
        ' Spacing="10 10 1"><Piece Extent="0 4 0 3 0 0"><CellData>'
        f'<DataArray type="Float64" Name="v" format="binary">{text}</DataArray>'
        "</CellData></Piece></ImageData></VTKFile>"
    )
    return path


# Vectors


def _vectors() -> Iterator[Seed]:
    if not has("geopandas"):
        return
    import geopandas as gpd
    from shapely.geometry import LineString, Point, Polygon

    from gossan.data.vectors import read_occurrences, read_vectors

    shapes = {
        "points": [Point(500_000 + 10 * i, 4_000_000 + i) for i in range(5)],
        "lines": [LineString([(500_000, 4_000_000 + i), (500_090, 4_000_050)]) for i in range(3)],
        "areas": [Polygon([(500_000, 4_000_000), (500_100, 4_000_000), (500_050, 4_000_090 + i)])
                  for i in range(2)],
    }  # fmt: skip

    def frame(kind: str) -> Any:
        names = [f"name {i}" for i in range(len(shapes[kind]))]
        return gpd.GeoDataFrame({"name": names}, geometry=shapes[kind], crs="EPSG:32650")

    def write(path: Path, kind: str) -> Path:
        if path.suffix == ".parquet":
            frame(kind).to_parquet(path)
        else:
            frame(kind).to_file(path)
        return path

    for ending, kind in ((".gpkg", "areas"), (".geojson", "lines"), (".shp", "areas"),
                         (".parquet", "lines"), (".fgb", "points")):  # fmt: skip
        make = lambda f, e=ending, k=kind: write(f / f"{k}{e}", k)  # noqa: E731
        yield Seed(f"{kind} {ending}", "read_vectors", make, read_vectors)

    def table(folder: Path) -> Path:
        places = pd.DataFrame({"X": [500_000.0, 500_100], "Y": [4e6, 4e6 + 9], "name": ["a", "b"]})
        places.to_csv(folder / "places.csv", index=False)
        return folder / "places.csv"

    yield Seed(
        "occurrences .csv", "read_occurrences", table, lambda p: read_occurrences(p, crs=32650)
    )


# Surfaces


def _surfaces() -> Iterator[Seed]:
    from gossan.data.surfaces.files import read_surfaces, write_surfaces
    from gossan.data.surfaces.record import Surface

    fault = Surface(
        [[0, 0, 0], [100, 0, 0], [0, 100, -80], [90, 95, -80]], [[0, 1, 2], [1, 3, 2]], "F1"
    )
    endings = [".csv", ".ts", ".obj", ".vtp", *([".omf"] if has("omf") else [])]
    for ending in endings:
        make = lambda f, e=ending: write_surfaces([fault], f / f"s{e}")  # noqa: E731
        yield Seed(f"surface {ending}", "read_surfaces", make, read_surfaces)
    corners = fault.corners().reshape(-1, 3).tolist()

    def stl(folder: Path) -> Path:
        lines = ["solid F1"]
        for at in range(0, len(corners), 3):
            lines += ["outer loop", *(f"vertex {x} {y} {z}" for x, y, z in corners[at : at + 3])]
            lines += ["endloop"]
        (folder / "s.stl").write_text("\n".join([*lines, "endsolid"]))
        return folder / "s.stl"

    def dxf(folder: Path) -> Path:
        pairs = ["0", "SECTION", "2", "ENTITIES"]
        for at in range(0, len(corners), 3):
            pairs += ["0", "3DFACE", "8", "F1"]
            for i, place in enumerate([*corners[at : at + 3], corners[at + 2]]):
                for axis in range(3):
                    pairs += [str(10 * (axis + 1) + i), str(place[axis])]
        (folder / "s.dxf").write_text("\n".join([*pairs, "0", "ENDSEC", "0", "EOF", ""]))
        return folder / "s.dxf"

    yield Seed("surface .stl", "read_surfaces", stl, read_surfaces)
    yield Seed("surface .dxf", "read_surfaces", dxf, read_surfaces)


# What gossan itself writes: parts of runs, study files, summaries


def _own() -> Iterator[Seed]:
    from gossan.studies.run_folder import RunFolder
    from gossan.studies.stored_arrays import read_arrays
    from gossan.study import KINDS, read_study, study_template, summarise_run

    def part(folder: Path) -> Path:
        arrays = {"scores": np.arange(12.0).reshape(3, 4), "names": np.array(["a", "bc"])}
        RunFolder(folder).keep("held-out", {"seed": 1}, arrays)
        return folder / "parts" / "held-out.npz"

    yield Seed("part of a run .npz", "read_arrays", part, read_arrays)
    yield Seed(
        "part, by its run", "RunFolder.kept", part,
        lambda p: RunFolder(p.parent.parent).kept("held-out", {"seed": 1}),
    )  # fmt: skip

    def study(folder: Path, kind: str) -> Path:
        (folder / "study.toml").write_text(study_template(kind), encoding="utf-8")
        return folder / "study.toml"

    for kind in KINDS:
        make = lambda f, k=kind: study(f, k)  # noqa: E731
        yield Seed(f"study {kind} .toml", "read_study", make, read_study)

    def run(folder: Path) -> Path:
        study(folder, "genesis")
        scores = {"model": "trees", "protocol": "held-out deposits", "verdict": 0.8,
                  "verdict_low": 0.7, "verdict_high": 0.9, "accuracy": 0.8, "log_loss": 0.5}  # fmt: skip
        pd.DataFrame([scores]).to_csv(folder / "scores.csv", index=False)
        return folder

    yield Seed("summary of a run", "summarise_run", run, summarise_run)


# Saved models


def _models() -> Iterator[Seed]:
    """Give the shipped model, and one of every other class that can be saved."""
    from gossan.saving import CLASSES, load_model, save_model

    def shipped(folder: Path) -> Path:
        home = resources.files("gossan") / "shipped" / "sphalerite"
        with resources.as_file(home) as source:
            return Path(shutil.copytree(source, folder / "model"))

    yield Seed("DepositTypeModel", "load_model", shipped, load_model, is_signed=True)
    for name in CLASSES:
        if name == "DepositTypeModel":
            continue
        make = lambda f, n=name: save_model(fitted(n), f / "model", card={"of": "a bench"})  # noqa: E731
        yield Seed(name, "load_model", make, load_model, is_signed=True)


def fitted(name: str) -> Any:
    """Return a small fitted model of a class."""
    from gossan import models, nets, prospectivity, saving

    rng = np.random.default_rng(7)
    X = np.exp(rng.normal(2, 0.7, (48, 4)))
    y = np.arange(48) % 2
    groups = np.repeat([f"deposit {i}" for i in range(12)], 4)
    if name == "MapModel":
        net = nets.WindowCNN(n_members=1, epochs=1, random_state=0)
        net.fit(rng.normal(size=(30, 2, 3, 3)), np.arange(30) % 2)
        made = {"transform": ["log10", "none"], "center": [1.0, 5.0], "scale": [0.5, 2.0],
                "floor": [0.1, 0.0]}  # fmt: skip
        return prospectivity.MapModel(net, ["Li", "distance"], **made)
    if name == "RobustScores":
        from gossan.geochem.robust_scores import RobustScores

        return RobustScores().fit(pd.DataFrame(X, columns=["Li", "W", "Sn", "Au"]))
    line, far = models.PointLogistic(), models.MahalanobisIndex()
    given: dict[str, dict[str, Any]] = {
        "BoostedTrees": {"max_iter": 3},
        "EnsembleClassifier": {"estimators": [("a", models.HierarchicalDiscriminant()),
                                              ("b", models.GroupNeighbours())]},
        "DeepAutoencoder": {"input": "vector"},
        "StudentTeacherDetector": {"input": "vector", "teacher_epochs": 1},
        "MixtureDetector": {"max_components": 2},
        "PathfinderIndex": {"positive": [0, 1], "negative": [2, 3]},
        "WindowStatistics": {"field": 1},
        "StackedTransfer": {"source": models.PathfinderIndex([0]).fit(np.eye(4)), "field": 1},
        "ScoreBlend": {"estimators": [("line", line), ("far", far)]},
        "PretextClassifier": {"pretext_epochs": 1},
    }  # fmt: skip
    cls = getattr(importlib.import_module(saving.CLASSES[name]), name)
    known = inspect.signature(cls).parameters
    quick = {"epochs": 1, "max_epochs": 1, "n_estimators": 3, "n_members": 1, "batch_size": 16,
             "random_state": 0, "n_draws": 2}  # fmt: skip
    model = cls(**{k: v for k, v in quick.items() if k in known} | given.get(name, {}))
    offered = {"y": X[:, 0] if name == "NeighbourRegressor" else y, "groups": groups}
    takes = inspect.signature(model.fit).parameters
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, **{k: v for k, v in offered.items() if k in takes})


def has(package: str) -> bool:
    """Tell whether a package is installed."""
    return importlib.util.find_spec(package) is not None


def leaves(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside a JSON value."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))


def sign(folder: Path, content: dict[str, Any], weights: bytes) -> None:
    """Write a changed model with the checksum that a forger would give it."""
    from gossan import saving

    with contextlib.suppress(ValueError):
        content["sha256"] = saving._digest(content, weights)  # noqa: SLF001, as a forger would
    (folder / "weights.safetensors").write_bytes(weights)
    (folder / "model.json").write_text(json.dumps(content), encoding="utf-8")
