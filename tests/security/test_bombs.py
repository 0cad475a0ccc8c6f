"""Files that claim to hold far more than they do: refused in words, before memory is asked for.

Each hostile file is made here. A child process with a limit on its memory opens it, so that what
asks first and checks afterwards is caught.
"""

import base64
import contextlib
import io
import json
import multiprocessing
import resource
import struct
import sys
import time
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gossan.data.assays import read_assays
from gossan.data.grids.files import read_grid, write_grid
from gossan.data.grids.grid import add_layer, make_grid
from gossan.data.surfaces.files import read_surfaces
from gossan.data.tables.workbook import check_workbook
from gossan.data.vectors import read_vectors
from gossan.saving import load_model
from gossan.studies.stored_arrays import read_arrays
from gossan.study import read_study

MEMORY = 500 << 20
SECONDS = 4.0  # of the processor; two on a machine of its own
MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def opened(pipe, read, path):
    """Open a file with a limit on memory; tell the error, and how long it took."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    begun = time.process_time()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            read(path)
        told = ("read", "")
    except BaseException as error:  # noqa: BLE001, whatever it is, the test names it
        kind = "ValueError" if isinstance(error, ValueError) else type(error).__name__
        told = (kind, str(error))
    pipe.send((*told, time.process_time() - begun))


def refusal(read, path):
    """Return the words of the ValueError with which a file is refused, soon and in little memory."""
    if not sys.platform.startswith("linux"):
        with pytest.raises(ValueError, match=r"\w") as caught:
            read(path)
        return str(caught.value)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=opened, args=(theirs, read, path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads
        child.start()
    theirs.close()
    try:
        assert ours.poll(60), "it does not end"
        kind, said, seconds = ours.recv()
    except EOFError:
        pytest.fail("it ends the program")
    finally:
        child.kill()
        child.join()
        ours.close()
    assert kind == "ValueError", (kind, said[:300])
    assert seconds < SECONDS
    assert len(said) > 40
    return said


# Workbooks


def workbook(path, rows=b"", **parts):
    """Write a workbook with these rows of XML; a part is bytes, or (chunk, times) for a large one."""
    plain = io.BytesIO()
    pd.DataFrame({"a": [1]}).to_excel(plain, index=False)
    sheet = b'<worksheet xmlns="' + MAIN + b'"><sheetData>%s</sheetData></worksheet>'
    named = {name.replace("__", "/"): data for name, data in parts.items()}
    named.setdefault("xl/worksheets/sheet1.xml", sheet % rows)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in named:
                new.writestr(name, old.read(name))
        for name, data in named.items():
            chunk, times = data if isinstance(data, tuple) else (data, 1)
            about = zipfile.ZipInfo(name)
            about.compress_type = zipfile.ZIP_DEFLATED
            with new.open(about, "w") as part:
                for _ in range(times):
                    part.write(chunk)
    return path


HEAD = b'<row r="1"><c r="A1" t="str"><v>deposit</v></c><c r="B1" t="str"><v>Fe_ppm</v></c></row>'


def filled(row, cell):
    return b'<row r="%d"><c r="A%d" t="str"><v>X</v></c>%s</row>' % (row, row, cell)


def test_a_workbook_that_unpacks_to_a_thousand_times_its_size_is_refused(tmp_path):
    bomb = (b" " * (16 << 20), 16)
    path = workbook(tmp_path / "bomb.xlsx", **{"xl__sharedStrings.xml": bomb})
    assert path.stat().st_size < 1 << 20
    assert "bomb.xlsx unpacks to 256 MiB" in refusal(read_assays, path)


def test_a_workbook_of_a_million_empty_cells_in_ten_kilobytes_is_refused(tmp_path):
    path = workbook(tmp_path / "cells.xlsx", b"<row>" + b"<c/>" * 4_000_000 + b"</row>")
    assert "times its size" in refusal(read_assays, path)


@pytest.mark.parametrize(
    ("row", "told"),
    [(b'<row r="999999999"><c r="A999999999"><v>1</v></c></row>', "1,048,576 rows"),
     (b'<row r="2"><c r="ZZZ2"><v>1</v></c></row>', "18,278 columns")],
)  # fmt: skip
def test_a_cell_far_out_is_refused(tmp_path, row, told):
    assert told in refusal(read_assays, workbook(tmp_path / "far.xlsx", HEAD + row))


def test_a_sheet_of_blanks_with_a_cell_at_the_end_of_each_row_is_refused(tmp_path):
    rows = b"".join(b'<row r="%d"><c r="GZZ%d"><v>%d</v></c></row>' % (i, i, i * 7919)
                    for i in range(2, 4000))  # fmt: skip
    assert "columns" in refusal(read_assays, workbook(tmp_path / "wide.xlsx", HEAD + rows))


def test_the_size_that_a_sheet_tells_is_not_believed(tmp_path):
    rows = HEAD + filled(2, b'<c r="B2"><v>7</v></c>') + filled(3, b'<c r="B3"><v>8</v></c>')
    sheet = (b'<worksheet xmlns="' + MAIN + b'"><dimension ref="A1:XFD1048576"/><sheetData>' + rows
             + b"</sheetData></worksheet>")  # fmt: skip
    path = workbook(tmp_path / "small.xlsx", **{"xl__worksheets__sheet1.xml": sheet})
    assert read_assays(path).values["Fe"].tolist() == [7.0, 8.0]


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_in_a_workbook_are_refused(tmp_path, encoding):
    body = "<worksheet xmlns='{}'><sheetData>&b;</sheetData></worksheet>"
    text = LAUGHS.decode() + body.format(MAIN.decode())
    part = {"xl__worksheets__sheet1.xml": text.encode(encoding)}
    assert "document type" in refusal(read_assays, workbook(tmp_path / "laughs.xlsx", **part))


def test_the_limit_can_be_raised_by_who_trusts_the_file(tmp_path, monkeypatch):
    path = workbook(tmp_path / "blank.xlsx", HEAD + filled(2, b'<c r="B2"><v>7</v></c>'),
                    **{"xl__comments1.xml": b"<a/>" + b" " * (3 << 20)})  # fmt: skip
    with pytest.raises(ValueError, match="set GOSSAN_MOST_MIB to 4"):
        read_assays(path)
    monkeypatch.setenv("GOSSAN_MOST_MIB", "4")
    assert read_assays(path).values["Fe"].tolist() == [7.0]
    monkeypatch.setenv("GOSSAN_MOST_MIB", "lots")
    with pytest.raises(ValueError, match="must be a whole number of MiB, got 'lots'"):
        read_assays(path)


# Formulas


def test_formulas_that_were_computed_are_read_and_counted(tmp_path):
    rows = HEAD + b"".join(
        filled(i, b'<c r="B%d"><f>B1*2</f><v>%d</v></c>' % (i, i)) for i in range(2, 7)
    )
    assays = read_assays(workbook(tmp_path / "computed.xlsx", rows))
    assert assays.values["Fe"].tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]
    (told,) = assays.report.of_kind("formulas")
    assert told.severity == "warning"
    assert told.message.startswith("5 cells are formulas: the values last computed")


@pytest.mark.parametrize("value", [b"", b"<v/>", b"<v></v>"])
def test_formulas_without_a_value_are_refused(tmp_path, value):
    rows = HEAD + filled(2, b'<c r="B2"><f>1+1</f>' + value + b"</c>")
    with pytest.raises(ValueError, match=r"1 formulas without a computed value, first in B2; they"):
        read_assays(workbook(tmp_path / "uncached.xlsx", rows))


def test_a_formula_as_openpyxl_writes_it_is_refused(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["deposit", "Fe_ppm"], ["A", 5.0], ["B", "=B2*2"]):
        book.active.append(row)
    book.save(tmp_path / "made.xlsx")
    with pytest.raises(ValueError, match="first in B3; they would be read as missing"):
        read_assays(tmp_path / "made.xlsx")


def test_a_formula_whose_answer_is_no_text_is_a_blank(tmp_path):
    rows = HEAD + filled(2, b'<c r="B2"><v>7</v></c>')
    rows += filled(3, b'<c r="B3" t="str"><f>IF(A1=1,2,"")</f><v></v></c>')
    assays = read_assays(workbook(tmp_path / "blank.xlsx", rows))
    assert np.isnan(assays.values["Fe"].iloc[1])


def test_values_of_other_workbooks_and_stale_ones_are_told(tmp_path):
    rows = HEAD + filled(2, b'<c r="B2"><f>[1]Sheet1!B2</f><v>7</v></c>')
    plain = workbook(tmp_path / "plain.xlsx", rows)
    with zipfile.ZipFile(plain) as archive:
        book = archive.read("xl/workbook.xml")
    stale = book.replace(b"</workbook>", b'<calcPr calcId="1" fullCalcOnLoad="1"/></workbook>')
    stale = stale if b"fullCalcOnLoad" not in book else book
    report = read_assays(
        workbook(tmp_path / "linked.xlsx", rows, **{"xl__workbook.xml": stale})
    ).report
    said = " ".join(finding.message for finding in report.of_kind("formulas"))
    assert "1 formulas look into another workbook, which was not opened" in said
    assert "to be computed anew" in said


def test_a_link_that_starts_a_program_is_refused(tmp_path):
    link = (b'<externalLink xmlns="' + MAIN + b'"><ddeLink ddeService="cmd" ddeTopic="/C calc">'
            b"</ddeLink></externalLink>")  # fmt: skip
    part = {"xl__externalLinks__externalLink1.xml": link}
    path = workbook(tmp_path / "dde.xlsx", HEAD + filled(2, b'<c r="B2"><v>7</v></c>'), **part)
    assert "link to another program (DDE or OLE" in refusal(read_assays, path)


def test_a_sheet_of_unclosed_formulas_in_a_comment_is_scanned_once(tmp_path):
    noise = b"<c ><f>" * 100_000 + b"<c " * 100_000
    rows = HEAD + filled(2, b'<c r="B2"><v>7</v></c>') + b"<!--" + noise + b"-->"
    begun = time.process_time()
    assert read_assays(workbook(tmp_path / "noise.xlsx", rows)).n_samples == 1
    assert time.process_time() - begun < SECONDS


def test_what_a_server_sends_for_a_workbook_is_weighed(tmp_path):
    path = workbook(tmp_path / "sent.xlsx", **{"xl__sharedStrings.xml": (b" " * (1 << 20), 40)})
    with pytest.raises(ValueError, match="The sheet unpacks to 40 MiB"):
        check_workbook(path.read_bytes(), "The sheet")


# Parquet


def test_a_parquet_of_forty_million_rows_is_refused(tmp_path):
    path = tmp_path / "rows.parquet"
    table = pa.table({"Fe_ppm": pa.array(np.ones(1_000_000))})
    with pq.ParquetWriter(path, table.schema) as writer:
        for _ in range(40):
            writer.write_table(table)
    assert path.stat().st_size < 1 << 20
    for read in (read_assays, read_grid, read_vectors):
        assert "its 40,000,000 rows of 1 columns take" in refusal(read, path)


@pytest.mark.parametrize("encoding", ["dictionary", "delta"])
def test_a_parquet_that_says_one_long_text_often_is_refused(tmp_path, encoding):
    path = tmp_path / "words.parquet"
    word = "x" * 1_000_000
    if encoding == "dictionary":
        index = pa.array(np.zeros(100_000, np.int32))
        words = pa.DictionaryArray.from_arrays(index, pa.array([word]))
        pq.write_table(pa.table({"a": words}), path, store_schema=False)
    else:
        words = pa.array([f"{word}{i}" for i in range(140)])
        pq.write_table(pa.table({"a": words}), path, use_dictionary=False,
                       column_encoding={"a": "DELTA_BYTE_ARRAY"})  # fmt: skip
    assert "take at least" in refusal(read_assays, path)


def test_a_parquet_with_many_honest_words_is_read(tmp_path):
    n = 200_000
    table = pd.DataFrame({"deposit": ["Mount Isa"] * n, "sample": [f"S{i}" for i in range(n)],
                          "Fe_ppm": np.linspace(1.0, 9.0, n)})  # fmt: skip
    table.to_parquet(tmp_path / "honest.parquet")
    assert read_assays(tmp_path / "honest.parquet").n_samples == n


# Grids


def test_a_geotiff_of_ten_to_the_eighteen_cells_is_refused(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    path = tmp_path / "vast.tif"
    profile = {"driver": "GTiff", "dtype": "float64", "count": 1, "tiled": True, "sparse_ok": True,
               "crs": "EPSG:32650", "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 4e6),
               "blockxsize": 4096, "blockysize": 4096, "bigtiff": True}  # fmt: skip
    with rasterio.open(path, "w", width=200_000, height=200_000, **profile):
        pass
    for read in (read_grid, lambda p: read_grid(p, to_crs="EPSG:32651")):
        said = refusal(read, path)
        assert "bands of" in said
        assert "MiB from a file of" in said
    # The header is made to say 10^9 by 10^9 cells of one strip each, as no writer would.
    bits = bytearray(tiff_header(1_000_000_000, 1_000_000_000))
    path.write_bytes(bits)
    assert "vast.tif" in refusal(read_grid, path)


def tiff_header(width, height):
    """Return a classic TIFF of one strip of nothing."""
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
            (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 1)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)


def vti(path, extent, data="", **words):
    head = ' compressor="vtkZLibDataCompressor"' if words.get("packed") else ""
    path.write_text(
        f'<VTKFile type="ImageData" byte_order="LittleEndian"{head}><ImageData WholeExtent="{extent}"'
        f' Origin="0 0 0" Spacing="1 1 1"><Piece Extent="{extent}"><CellData>{data}</CellData></Piece>'
        "</ImageData></VTKFile>"
    )
    return path


@pytest.mark.parametrize("n", [10**5, 10**9, 10**18])
def test_image_data_of_absurd_extent_is_refused(tmp_path, n):
    data = '<DataArray type="Float64" Name="v" format="ascii">1 2 3</DataArray>'
    path = vti(tmp_path / "vast.vti", f"0 {n} 0 {n} 0 {n}", data)
    assert "has 3 values for" in refusal(read_grid, path)
    bare = vti(tmp_path / "bare.vti", f"0 {10**9} 0 {10**9} 0 {10**9}")
    assert "would have 1000000000 cells" in refusal(read_grid, bare)


@pytest.mark.parametrize("told", [8, 1 << 31])
def test_packed_image_data_is_weighed(tmp_path, told):
    packed = zlib.compress(bytes(1 << 26), 9)
    head = struct.pack("<IIII", 1, told, 0, len(packed))
    text = (base64.b64encode(head) + base64.b64encode(packed)).decode()
    data = f'<DataArray type="Float64" Name="v" format="binary">{text}</DataArray>'
    path = vti(tmp_path / "packed.vti", "0 1 0 1 0 0", data, packed=True)
    said = refusal(read_grid, path)
    assert ("does not unpack to the 8 bytes" if told == 8 else "MiB from a file of") in said


def test_many_arrays_of_the_same_bytes_are_weighed(tmp_path):
    arrays = "".join(
        f'<DataArray type="Float64" Name="v{i}" format="appended" offset="0"/>' for i in range(400)
    )
    path = vti(tmp_path / "same.vti", "0 1 0 1 0 0", arrays)
    body = struct.pack("<I", 1 << 20) + bytes(1 << 20)
    text = path.read_bytes().replace(b"</VTKFile>", b'<AppendedData encoding="raw">_')
    path.write_bytes(text + body + b"</AppendedData></VTKFile>")
    assert "its arrays take" in refusal(read_grid, path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_in_image_data_are_refused(tmp_path, encoding):
    path = tmp_path / "laughs.vti"
    path.write_bytes((LAUGHS.decode() + "<VTKFile>&b;</VTKFile>").encode(encoding))
    assert "document type" in refusal(read_grid, path)


def test_an_omf_whose_arrays_unpack_to_far_more_is_refused(tmp_path):
    pytest.importorskip("omf")
    packed = zlib.compress(bytes(1 << 26), 9)
    index = json.dumps({"a": [{"array": {"start": 60, "length": len(packed), "dtype": "<f8"}}] * 9})
    head = struct.pack(
        "<4s32s16sQ", b"\x84\x83\x82\x81", b"OMF-v0.9.0", bytes(16), 60 + len(packed)
    )
    path = tmp_path / "packed.omf"
    path.write_bytes(head + packed + index.encode())
    for read in (read_grid, read_surfaces):
        assert "its arrays take" in refusal(read, path)


def store(tmp_path, change):
    pytest.importorskip("zarr")
    grid = add_layer(make_grid((0, 40, 0, 30), 10, crs="EPSG:32650"), "v", np.ones(12))
    path = write_grid(grid, tmp_path / "g.zarr")
    file = path / "v" / "zarr.json"
    told = json.loads(file.read_text())
    change(told)
    file.write_text(json.dumps(told))
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [(lambda z: z.update(shape=[10**9, 10**9]), "its arrays take"),
     (lambda z: z.update(shape=[-1, 4]), "no whole numbers"),
     (lambda z: z["chunk_grid"]["configuration"].update(chunk_shape=[10**6, 10**6]), "MiB from"),
     (lambda z: z.update(codecs=[{"name": "numcodecs.pickle"}]), "packed by 'numcodecs.pickle'")],
)  # fmt: skip
def test_a_zarr_store_that_lies_or_runs_code_is_refused(tmp_path, change, told):
    assert told in refusal(read_grid, store(tmp_path, change))


def test_a_zarr_store_of_format_2_runs_no_pickle(tmp_path):
    pytest.importorskip("zarr")
    path = tmp_path / "old.zarr"
    (path / "v").mkdir(parents=True)
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    told = {"zarr_format": 2, "shape": [2, 2], "chunks": [2, 2], "dtype": "|O", "fill_value": "",
            "order": "C", "compressor": {"id": "pickle"}, "filters": [{"id": "vlen-utf8"}]}  # fmt: skip
    (path / "v" / ".zarray").write_text(json.dumps(told))
    assert "is packed by 'pickle'" in refusal(read_grid, path)


def test_links_in_a_zarr_store_are_refused(tmp_path):
    path = store(tmp_path, lambda z: None)
    (path / "v" / "c").rename(tmp_path / "elsewhere")
    (path / "v" / "c").symlink_to(tmp_path / "elsewhere")
    assert "is a link to another place" in refusal(read_grid, path)


# What gossan keeps itself


def arrays_file(path, shape, body=b"", kind="<f8"):
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + body
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", data)
    return path


@pytest.mark.parametrize(
    ("shape", "kind", "told"),
    [("(1000000000000,)", "<f8", "declares the shape"), ("(2, 2)", "<f8", "declares the shape"),
     ("(1,)", "|O", "holds objects"), ("(-1,)", "<f8", "declares the shape"),
     ("(" * 300 + ")" * 300, "<f8", "part.npz")],
)  # fmt: skip
def test_a_part_that_lies_about_its_shape_is_refused(tmp_path, shape, kind, told):
    path = arrays_file(tmp_path / "part.npz", shape, b"\x80\x04K\x01.", kind)
    assert told in refusal(read_arrays, path)


def test_a_part_that_unpacks_to_far_more_is_refused(tmp_path):
    path = tmp_path / "part.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(4):
            archive.writestr(f"a{i}.npy", bytes(1 << 26))
    assert "it unpacks to 256 MiB" in refusal(read_arrays, path)


def test_parts_come_back_as_they_were_kept(tmp_path):
    kept = {"a": np.arange(6.0).reshape(2, 3), "b": np.asfortranarray(np.eye(3, 2)), "c": np.empty(0),
            "d": np.array(["x", "yz"]), "e": np.array(True), "f": np.array("")}  # fmt: skip
    np.savez_compressed(tmp_path / "p.npz", **kept)
    for name, array in read_arrays(tmp_path / "p.npz").items():
        np.testing.assert_array_equal(array, kept[name])
        assert (array.dtype, array.shape) == (kept[name].dtype, kept[name].shape)
        assert array.flags.writeable


@pytest.mark.parametrize(
    ("text", "told"),
    [("a." * 60_000 + "b = 1", "a key of thousands of words"), ("a = " + "[" * 100_000, "recursion"),
     ("title = 0x" + "f" * 100_000, "more than 64 bits"), ("a = " + "9" * 100_000, "not valid TOML"),
     ("#" * 300_000, "more than the 250,000")],
)  # fmt: skip
def test_a_study_file_that_would_never_end_is_refused(tmp_path, text, told):
    (tmp_path / "study.toml").write_text(text)
    assert told in refusal(read_study, tmp_path / "study.toml")


@pytest.mark.parametrize(
    "text", ["[" * 4_000_000, '{"a":' * 900_000, "[" + "[]," * 800_000 + "[]]"]
)
def test_a_model_of_nested_lists_is_refused(tmp_path, text):
    (tmp_path / "weights.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    (tmp_path / "model.json").write_text(text)
    assert "is not a sound saved model" in refusal(load_model, tmp_path)
