"""Files and folders from strangers: no code is run, and nothing outside them is read or written."""

import json
import sqlite3
import struct
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from gossan._spreadsheets import without_formulas
from gossan.data.grids.files import read_grid
from gossan.data.vectors import read_vectors
from gossan.report._takeaways import csv_text, packed, unpacked
from gossan.studies.run_folder import RunFolder, read_manifest
from gossan.study import summarise_run

VRT = (
    '<VRTDataset rasterXSize="4" rasterYSize="4"><SRS>EPSG:32650</SRS>'
    "<GeoTransform>0,10,0,40,0,-10</GeoTransform>"
    '<VRTRasterBand dataType="Byte" band="1"{kind}>{source}</VRTRasterBand></VRTDataset>'
)
RAW = (
    '<SourceFilename relativetoVRT="0">{}</SourceFilename><ImageOffset>0</ImageOffset>'
    "<PixelOffset>1</PixelOffset><LineOffset>4</LineOffset>"
)


@pytest.fixture
def secret(tmp_path):
    """Return a file that lies outside what is opened."""
    path = tmp_path / "secret.bin"
    path.write_bytes(bytes(range(16)))
    return path


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "received"
    folder.mkdir()
    return folder


# Lists of other files


def test_a_list_of_rasters_is_not_read_as_a_geotiff(place, secret):
    pytest.importorskip("rasterio")
    text = VRT.format(kind=' subClass="VRTRawRasterBand"', source=RAW.format(secret))
    (place / "g.tif").write_text(text)
    with pytest.raises(ValueError, match=r"g\.tif cannot be read as GeoTIFF"):
        read_grid(place / "g.tif")


def raster_stack(path):
    from gossan.data.grids._windowed import RasterStack

    with RasterStack([path]) as stack:
        return stack.read((slice(0, 4), slice(0, 4)))


def simple(name, *, is_relative=1):
    return (
        f'<SimpleSource><SourceFilename relativeToVRT="{is_relative}">{name}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource>"
    )


def test_a_list_of_rasters_beside_it_is_read_and_of_others_refused(place, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    values = np.arange(16, dtype=np.uint8).reshape(4, 4)
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "width": 4, "height": 4,
               "crs": "EPSG:32650", "transform": rasterio.Affine(10, 0, 0, 0, -10, 40)}  # fmt: skip
    for folder in (place, tmp_path):
        with rasterio.open(folder / "tile.tif", "w", **profile) as file:
            file.write(values, 1)
    path = place / "all.vrt"
    path.write_text(VRT.format(kind="", source=simple("tile.tif")))
    np.testing.assert_array_equal(raster_stack(path)[0], values[::-1])
    for source in (simple("../tile.tif"), simple(tmp_path / "tile.tif", is_relative=0),
                   simple("/vsicurl/http://127.0.0.1:1/tile.tif"), simple("all.vrt")):  # fmt: skip
        path.write_text(VRT.format(kind="", source=source))
        with pytest.raises(ValueError, match=r"which is no raster in its own folder. Put the"):
            raster_stack(path)
    code = "<PixelFunctionLanguage>Python</PixelFunctionLanguage>" + simple("tile.tif")
    path.write_text(VRT.format(kind=' subClass="VRTDerivedRasterBand"', source=code))
    with pytest.raises(ValueError, match=r"all\.vrt computes its cells"):
        raster_stack(path)
    path.write_text("<!DOCTYPE a [<!ENTITY b 'c'>]>" + VRT.format(kind="", source="&b;"))
    with pytest.raises(ValueError, match=r"all\.vrt is a damaged list of rasters: it holds a docu"):
        raster_stack(path)
    path.rename(place / "all.tif")
    with pytest.raises(ValueError, match="a GeoTIFF or another raster that holds its own cells"):
        raster_stack(place / "all.tif")


def test_a_raster_of_sixty_thousand_bands_of_nothing_is_refused(place):
    rasterio = pytest.importorskip("rasterio")
    profile = {"driver": "GTiff", "dtype": "float64", "count": 60_000, "width": 4, "height": 4,
               "tiled": True, "blockxsize": 256, "blockysize": 256, "sparse_ok": True,
               "interleave": "band", "compress": "deflate", "crs": "EPSG:32650",
               "transform": rasterio.Affine(10, 0, 0, 0, -10, 40)}  # fmt: skip
    with rasterio.open(place / "bands.tif", "w", **profile):
        pass
    told = "a block of each of its 60,000 bands takes"
    with pytest.raises(ValueError, match=r"bands\.tif cannot be read: " + told):
        raster_stack(place / "bands.tif")
    with pytest.raises(ValueError, match=r"bands\.tif cannot be read as GeoTIFF: " + told):
        read_grid(place / "bands.tif")


@pytest.mark.parametrize("ending", [".geojson", ".gpkg", ".shp", ".xml", ".gml"])
def test_a_list_of_vectors_is_not_followed(place, tmp_path, ending):
    pytest.importorskip("geopandas")
    (tmp_path / "secret.csv").write_text("x,y,word\n1,2,hidden\n")
    path = place / f"list{ending}"
    path.write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>'
        f"{tmp_path / 'secret.csv'}</SrcDataSource><GeometryType>wkbPoint</GeometryType>"
        "<LayerSRS>EPSG:32650</LayerSRS>"
        '<GeometryField encoding="PointFromColumns" x="x" y="y"/></OGRVRTLayer></OGRVRTDataSource>'
    )
    with pytest.raises(ValueError, match=rf"list{ending} cannot be read.*XML that names other fil"):
        read_vectors(path)


def areas(path, *, layer="areas"):
    gpd = pytest.importorskip("geopandas")
    from shapely.geometry import box

    shape = [box(0, 0, 10, 10), box(20, 0, 30, 10)]
    frame = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=shape, crs="EPSG:32650")
    frame.to_file(path, layer=layer)
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("ALTER TABLE areas RENAME TO base",
          ("CREATE VIEW areas AS WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t)"
          " SELECT t.i AS fid, base.geom, base.name FROM t, base")),
         "its layer 'areas' is computed"),
        (("ALTER TABLE areas ADD COLUMN more AS (hex(zeroblob(100000000))) VIRTUAL",),
         "its layer 'areas' is computed"),
        (("ALTER TABLE gpkg_contents RENAME TO base",
          ("CREATE VIEW gpkg_contents AS WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM"
          " t) SELECT base.* FROM t, base")),
         "its table 'gpkg_contents' is a view"),
    ],
)  # fmt: skip
def test_rows_that_a_geopackage_computes_are_refused(place, change, told):
    path = areas(place / "areas.gpkg")
    file = sqlite3.connect(path)
    triggers = file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        file.execute(f'DROP TRIGGER "{name}"')
    file.execute("PRAGMA legacy_alter_table = ON")
    for command in change:
        file.execute(command)
    file.commit()
    file.close()
    with pytest.raises(ValueError, match=r"areas\.gpkg cannot be read as a vector file: " + told):
        read_vectors(path, layer="areas")


def test_an_archive_of_vectors_is_weighed_and_stays_inside(place):
    pytest.importorskip("geopandas")
    for name, data, told in (("a.shp", bytes(200 << 20), "unpacks to"),
                             ("../../a.shp", b"x", "a place outside the archive"),
                             ("list.vrt", b"<OGRVRTDataSource/>", "a list of other files")):  # fmt: skip
        path = place / "areas.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, data)
        with pytest.raises(ValueError, match=r"areas\.zip cannot be read.*" + told):
            read_vectors(path)


@pytest.mark.parametrize("beside", [b"", bytes.fromhex("0101000000" + "00" * 16)])
def test_a_geometry_nested_a_million_deep_does_not_end_the_program(place, beside):
    gpd = pytest.importorskip("geopandas")
    pq = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    from shapely.geometry import Point

    path = place / "deep.parquet"
    gpd.GeoDataFrame(geometry=[Point(0, 0)], crs="EPSG:32650").to_parquet(path)
    table = pq.read_table(path)
    n = 2 if beside else 1
    deep = (struct.pack("<BII", 1, 7, n) + beside) * 1_000_000 + struct.pack("<BII", 1, 7, 0)
    changed = table.set_column(0, table.field(0), pa.array([deep], table.field(0).type))
    pq.write_table(changed, path)
    with pytest.raises(ValueError, match="collections in collections, more than 32 deep"):
        read_vectors(path)


def test_geojson_nested_a_million_deep_is_refused(place):
    pytest.importorskip("geopandas")
    path = place / "deep.geojson"
    path.write_text('{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},'
                    '"geometry":{"type":"Polygon","coordinates":' + "[" * 1_000_000)  # fmt: skip
    with pytest.raises(ValueError, match=r"deep\.geojson cannot be read as a vector file"):
        read_vectors(path)


# Run folders


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_run_folder_is_not_written_through_a_link(place, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (place / "parts").symlink_to(elsewhere)
    run = RunFolder(place)
    for call in (lambda: run.keep("fold", {}, {"a": np.ones(2)}), lambda: run.kept("fold", {}),
                 lambda: run.write_text("parts/x.txt", "x"), lambda: run.write_text("../x", "x"),
                 lambda: run.remove("../secret.bin")):  # fmt: skip
        with pytest.raises(ValueError, match="lies outside the run folder"):
            call()
    assert not list(elsewhere.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_file_that_is_a_link_is_replaced_and_not_written_through(place, secret):
    (place / "scores.csv").symlink_to(secret)
    RunFolder(place).write_table("scores.csv", pd.DataFrame({"a": [1]}))
    assert secret.read_bytes() == bytes(range(16))
    assert not (place / "scores.csv").is_symlink()


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 200_000, "{}" * 20_000_000])
def test_a_manifest_that_is_none_is_refused(place, text):
    (place / "manifest.json").write_text(text[:20_000_002])
    with pytest.raises(ValueError, match=r"manifest\.json is no manifest of a run"):
        read_manifest(place)


@pytest.mark.parametrize(
    ("study", "scores", "told"),
    [
        ("study = 'genesis'", None, "is no sound run folder"),
        ("study = 'genesis'", "model\ntrees\n", "is no sound run folder"),
        ("study = '..evil'", "", "study must be one of"),
        ("study = ['genesis']", "", "study must be one of"),
        ("study = 'region'", "method,protocol,auc,auc_low,auc_high,captured_10,n\na,b,x,1,1,1,1\n",
         "is no sound run folder"),
    ],
)  # fmt: skip
def test_a_run_folder_that_is_none_is_not_summarised(place, study, scores, told):
    (place / "study.toml").write_text(study)
    if scores is not None:
        (place / "scores.csv").write_text(scores)
    with pytest.raises((ValueError, OSError), match=told if scores is not None else "scores.csv"):
        summarise_run(place)


def test_an_empty_folder_is_no_run(place):
    with pytest.raises(FileNotFoundError, match=r"holds no study\.toml: it is no finished run"):
        summarise_run(place)


# Cells that a spreadsheet would run


EVIL = ["=cmd|' /C calc'!A0", "@SUM(1)", "+1+1", "-2+3", "\t=1", "\r=1"]


def test_no_cell_header_or_row_name_that_is_written_is_a_formula(place):
    table = pd.DataFrame({"name": EVIL, "=cmd": [-1.0] * 6, "=cmd2": EVIL}, index=EVIL)
    table = table.set_axis(["name", "=cmd", "=cmd"], axis=1)
    safe = without_formulas(table)
    for cells in (safe.iloc[:, 0], safe.iloc[:, 2], safe.index):
        assert list(cells) == [f"'{cell}" for cell in EVIL]
    assert list(safe.columns) == ["name", "'=cmd", "'=cmd"]
    assert safe.iloc[0, 1] == -1.0
    assert table.iloc[0, 0] == EVIL[0]
    RunFolder(place).write_table("t.csv", table)
    assert b"\n=" not in (place / "t.csv").read_bytes()
    text = unpacked(packed(csv_text(table))).decode("utf-8-sig")
    assert text.startswith(",name,'=cmd,'=cmd\n'=cmd|")


def test_a_model_folder_names_no_other_place(tmp_path):
    from importlib import resources

    from gossan.saving import _digest, load_model

    home = resources.files("gossan") / "shipped" / "sphalerite"
    content = json.loads((home / "model.json").read_text(encoding="utf-8"))
    weights = (home / "weights.safetensors").read_bytes()
    content["model"]["class"] = "../../evil"
    content["sha256"] = _digest(content, weights)
    (tmp_path / "model.json").write_text(json.dumps(content))
    (tmp_path / "weights.safetensors").write_bytes(weights)
    with pytest.raises(ValueError, match=r"the class '../../evil' is none that can be loaded"):
        load_model(tmp_path)
