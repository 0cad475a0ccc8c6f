"""Surfaces to files and back: what other packages write is read, what we write comes back."""

import struct
import warnings

import numpy as np
import pandas as pd
import pytest

from gossan._checks import GossanWarning
from gossan.data.grids._omf import quiet_omf
from gossan.data.surfaces import files
from gossan.data.surfaces.files import read_surfaces, write_surfaces
from gossan.data.surfaces.record import Surface
from gossan.evidence.proximity import distance_to_surface
from gossan.evidence.surfaces import extrude_trace
from gossan.simulate import simulate_deposit

WRITTEN = [".csv", ".ts", ".obj", ".vtp", ".omf"]

CSV = """Wireframe;Triangle;X [m];Y [m];RL [m]
F1;1;0;0;0
F1;1;100;0;0
F1;1;0;100;0
"F 2";7;0;0;50
"F 2";7;100;0;50
"F 2";7;0;100;50
"""
GOCAD = """GOCAD TSurf 1
HEADER {
name:"Main fault"
*solid*color: 1 0 0 1
}
GOCAD_ORIGINAL_COORDINATE_SYSTEM
NAME Default
AXIS_NAME "X" "Y" "Z"
AXIS_UNIT "m" "m" "m"
ZPOSITIVE Depth
END_ORIGINAL_COORDINATE_SYSTEM
PROPERTIES grade
TFACE
VRTX 1 0 0 10
PVRTX 2 100 0 10 0.5
VRTX 3 0 100 10
TRGL 1 2 3
TFACE
ATOM 4 2
ATOM 5 3
VRTX 6 100 100 10
TRGL 4 6 5
BSTONE 1
BORDER 7 1 2
END
GOCAD VSet 1
HEADER {name: points}
VRTX 1 5 5 5
END
GOCAD TSurf 1
HDR name:other
VRTX 1 0 0 20
VRTX 2 1e2 0 20
VRTX 3 0 1.0E+02 20
TRGL 1 2 3
END
"""
OBJ = """# from a modelling package
mtllib a.mtl
o Main fault
v 0 0 -10
v 100 0 -10
v 100 100 -10 # a comment
v 0 100 -10
vn 0 0 1
f 1//1 2//1 3//1 4//1
g other
v 0 0 20
v 100 0 20
v 0 100 20
usemtl red
f -3/1/1 -2/2/1 \\
 -1/3/1
"""


def dxf(*entities):
    pairs = [(0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1015"), (0, "ENDSEC")]
    pairs += [(0, "SECTION"), (2, "ENTITIES"), *(pair for one in entities for pair in one)]
    pairs += [(0, "ENDSEC"), (0, "EOF")]
    return "".join(f"{code:3d}\r\n{value}\r\n" for code, value in pairs)


def face(layer, corners):
    codes = [(10 * (axis + 1) + i, x) for i, p in enumerate(corners) for axis, x in enumerate(p)]
    return [(0, "3DFACE"), (5, "1F"), (8, layer), *codes]


def vertex(flag, place=(0, 0, 0), **faces):
    codes = [(int(key[1:]), value) for key, value in faces.items()]
    return [(0, "VERTEX"), (8, "mesh"), *zip((10, 20, 30), place, strict=True), (70, flag), *codes]


SQUARE = [(0, 0, -10), (100, 0, -10), (100, 100, -10), (0, 100, -10)]
POLYFACE = [
    [(0, "POLYLINE"), (8, "other"), (66, 1), (70, 64)],
    *(vertex(192, place) for place in [(0, 0, 20), (100, 0, 20), (0, 100, 20)]),
    vertex(128, c71=1, c72=-2, c73=3),
    [(0, "SEQEND")],
]
DXF = dxf(
    face("Main fault", [*SQUARE]), [(0, "LINE"), (8, "0"), (10, 1), (20, 2), (30, 3)], *POLYFACE
)
STL = """solid Main fault
facet normal 0 0 1
 outer loop
  vertex 0 0 -10
  vertex 100 0 -10
  vertex 100 100 -10
 endloop
endfacet
facet normal 0 0 1
 outer loop
  vertex 0 0 -10
  vertex 100 100 -10
  vertex 0 1e2 -10
 endloop
endfacet
endsolid
solid other
 facet normal 0 0 1
  outer loop
   vertex 0 0 20
   vertex 100 0 20
   vertex 0 100 20
  endloop
 endfacet
endsolid other
"""
VTP = """<?xml version="1.0"?>
<VTKFile type="PolyData" version="0.1" byte_order="LittleEndian">
<PolyData><Piece NumberOfPoints="7" NumberOfVerts="1" NumberOfLines="0" NumberOfStrips="1"
 NumberOfPolys="1">
<CellData><DataArray type="Int32" Name="dip" format="ascii">1 2 3</DataArray>
<DataArray type="Int32" Name="Fault_ID" format="ascii">9 4 5</DataArray></CellData>
<Points><DataArray type="Float32" NumberOfComponents="3" format="ascii">
0 0 -10 100 0 -10 100 100 -10 0 100 -10 0 0 20 100 0 20 0 100 20</DataArray></Points>
<Verts><DataArray type="Int32" Name="connectivity" format="ascii">0</DataArray>
<DataArray type="Int32" Name="offsets" format="ascii">1</DataArray></Verts>
<Strips><DataArray type="Int32" Name="connectivity" format="ascii">4 5 6</DataArray>
<DataArray type="Int32" Name="offsets" format="ascii">3</DataArray></Strips>
<Polys><DataArray type="Int32" Name="connectivity" format="ascii">0 1 2 3</DataArray>
<DataArray type="Int32" Name="offsets" format="ascii">4</DataArray></Polys>
</Piece></PolyData></VTKFile>
"""


def binary_stl(corners):
    records = b"".join(
        struct.pack("<12fH", 0, 0, 1, *np.ravel(three).tolist(), 0) for three in corners
    )
    return (
        b"solid, says the head of a binary file".ljust(80)
        + struct.pack("<I", len(corners))
        + records
    )


def write(folder, ending, content):
    path = folder / f"faults{ending}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def area(surface):
    a, b, c = surface.vertices[surface.triangles].transpose(1, 0, 2)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def fault(name="F1", seed=0):
    """Return a curved fault of sharp coordinates."""
    rng = np.random.default_rng(seed)
    along = np.linspace(0, 500, 9)
    trace = np.column_stack([400_000 + along, 4_000_000 + 30 * np.sin(along / 90), along / 10])
    surface = extrude_trace(trace, 60, depth=300, name=name)
    return Surface(surface.vertices + rng.normal(size=(18, 3)), surface.triangles, name)


# Reading what others write


@pytest.mark.parametrize(
    ("ending", "content", "names"),
    [
        (".ts", GOCAD, ["Main fault", "other"]),
        (".ts", GOCAD.replace("\n", "\r\n"), ["Main fault", "other"]),
        (".obj", OBJ, ["Main fault", "other"]),
        (".dxf", DXF, ["Main fault", "other"]),
        (".stl", STL, ["Main fault", "other"]),
        (".vtp", VTP, ["4", "5"]),
    ],
)
def test_a_square_and_a_triangle_are_read_from_each_format(tmp_path, ending, content, names):
    square, triangle = read_surfaces(write(tmp_path, ending, content))
    assert [square.name, triangle.name] == names
    assert area(square) == pytest.approx(100 * 100)
    assert area(triangle) == pytest.approx(100 * 50)
    assert sorted(map(tuple, square.vertices.tolist())) == sorted(SQUARE)
    assert set(triangle.vertices[:, 2]) == {20.0}
    np.testing.assert_array_equal(square.facing_up().triangles.shape, (2, 3))


def test_a_table_of_triangles_is_read_under_any_usual_words(tmp_path):
    first, second = read_surfaces(write(tmp_path, ".csv", CSV))
    assert (first.name, second.name) == ("F1", "F 2")
    assert second.vertices.tolist() == [[0, 0, 50], [100, 0, 50], [0, 100, 50]]


def test_a_table_without_names_and_numbers_is_read_three_rows_by_three(tmp_path):
    text = "east,north,elev\n" + "0,0,0\n9,0,0\n0,9,0\n\n9,0,0\n9,9,0\n0,9,0\n"
    (one,) = read_surfaces(write(tmp_path, ".txt", text))
    assert one.name == "faults"
    assert len(one.vertices) == 4  # the corners of a shared edge are one
    assert area(one) == 81


def test_rows_of_a_triangle_may_stand_apart(tmp_path):
    rows = CSV.splitlines()
    shuffled = "\n".join([rows[0], *(rows[i] for i in (4, 1, 5, 2, 6, 3))])
    second, first = read_surfaces(write(tmp_path, ".csv", shuffled))
    assert (first.name, area(first), area(second)) == ("F1", 5000, 5000)


@pytest.mark.parametrize("ending", [".xlsx", ".parquet"])
def test_a_table_of_triangles_is_read_from_excel_and_parquet(tmp_path, ending):
    table = pd.DataFrame(
        {"surface": [7.0] * 3, "E": [0.0, 100, 0], "N": [0.0, 0, 100], "Z": [5.0, 5, 5]}
    )
    path = tmp_path / f"faults{ending}"
    (table.to_excel if ending == ".xlsx" else table.to_parquet)(path, index=False)
    (one,) = read_surfaces(path)
    assert (one.name, area(one)) == ("7", 5000)


def test_a_binary_stl_is_read_even_if_it_begins_like_text(tmp_path):
    corners = np.array([[[0, 0, 0], [100, 0, 0], [0, 100, 0]]], dtype=float)
    (one,) = read_surfaces(write(tmp_path, ".stl", binary_stl(corners)))
    assert (one.name, area(one)) == ("faults", 5000)


def test_a_second_object_of_a_name_is_numbered(tmp_path):
    twice = GOCAD.replace("HDR name:other", 'HDR name:"Main fault"')
    assert [s.name for s in read_surfaces(write(tmp_path, ".ts", twice))] == [
        "Main fault", "Main fault (2)",
    ]  # fmt: skip


def test_a_triangle_of_3dface_repeats_its_third_corner(tmp_path):
    corners = [*SQUARE[:3], SQUARE[2]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (one,) = read_surfaces(write(tmp_path, ".dxf", dxf(face("F1", corners))))
    assert len(one.triangles) == 1


# Round trips


@pytest.mark.parametrize("ending", WRITTEN)
def test_surfaces_come_back_as_they_were(tmp_path, ending):
    if ending == ".omf":
        pytest.importorskip("omf")
    given = [fault("F1"), fault("Nord-Störung, 2", seed=1)]
    path = write_surfaces(given, tmp_path / f"a{ending}")
    back = read_surfaces(path)
    assert [s.name for s in back] == [s.name for s in given]
    places = given[0].vertices.mean(axis=0) + np.random.default_rng(2).normal(size=(50, 3)) * 200
    for one, other in zip(given, back, strict=True):
        # Some releases of pandas miss the last bit of a number in a text.
        np.testing.assert_allclose(
            one.vertices[one.triangles], other.vertices[other.triangles], rtol=4e-16, atol=0
        )
        assert area(one) == pytest.approx(area(other), rel=1e-12)
        for signed in (False, True):
            np.testing.assert_allclose(
                distance_to_surface(places, other, signed=signed),
                distance_to_surface(places, one, signed=signed), rtol=0, atol=1e-9,
            )  # fmt: skip
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", WRITTEN)
def test_odd_names_come_back(tmp_path, ending):
    if ending == ".omf":
        pytest.importorskip("omf")
    names = ["NA", "007", "1.50", "a,b;c", "x#y", "Größe", "o 1", "END"]
    given = [Surface(fault().vertices, fault().triangles, name) for name in names]
    assert [s.name for s in read_surfaces(write_surfaces(given, tmp_path / f"a{ending}"))] == names


@pytest.mark.parametrize("ending", [".ts", ".obj"])
def test_marks_of_the_format_are_left_out_of_a_name(tmp_path, ending):
    given = Surface(fault().vertices, fault().triangles, '{"F1"}\\')
    (back,) = read_surfaces(write_surfaces(given, tmp_path / f"a{ending}"))
    assert back.name == "F1"


def test_one_surface_is_written_as_well_as_a_list(tmp_path):
    (back,) = read_surfaces(write_surfaces(fault(), tmp_path / "a.obj"))
    assert back.name == "F1"


def test_the_faults_of_a_made_up_deposit_come_back_with_their_distances(tmp_path):
    made = simulate_deposit("small", random_state=0)
    paths = made.write(tmp_path)
    back = read_surfaces(paths["faults"])
    assert [s.name for s in back] == [f.name for f in made.faults]
    middle = np.mean([f.vertices.mean(axis=0) for f in made.faults], axis=0)
    places = middle + np.random.default_rng(0).uniform(-300, 300, (400, 3))
    for one, other in zip(made.faults, back, strict=True):
        # Coordinates are written to the centimetre.
        np.testing.assert_allclose(
            distance_to_surface(places, other), distance_to_surface(places, one), atol=0.02
        )


def test_what_stands_there_stays_if_writing_fails(tmp_path, monkeypatch):
    path = write_surfaces(fault(), tmp_path / "a.ts")
    old = path.read_bytes()

    def broken(surfaces, target):
        target.write_text("half")
        raise OSError("disk full")

    monkeypatch.setitem(
        files._FORMATS, ".ts", files._Format("GOCAD TSurf", files.read_gocad, broken)
    )
    with pytest.raises(OSError, match="disk full"):
        write_surfaces(fault(), path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


# What is merged and dropped


def test_flat_triangles_and_repeated_vertices_are_counted(tmp_path):
    text = (
        "v 0 0 0\nv 100 0 0\nv 0 100 0\nv 0 0 0\nv 50 0 0\nf 1 2 3\nf 4 2 3\nf 1 5 2\nv 9 nan 9\n"
    )
    with pytest.warns(
        GossanWarning, match=r"1 of 3 triangles have no area.*1 of 4 vertices repeat"
    ):
        (one,) = read_surfaces(write(tmp_path, ".obj", text))
    assert len(one.vertices) == 3  # that of no triangle is left out, whatever it is
    assert one.triangles.tolist() == [[0, 1, 2], [0, 1, 2]]


def test_a_surface_that_is_lost_is_told(tmp_path):
    flat = CSV.replace('"F 2";7;0;100;50', '"F 2";7;50;0;50')
    with pytest.warns(GossanWarning, match="1 of 2 triangles have no area.*1 surfaces consist of"):
        (one,) = read_surfaces(write(tmp_path, ".csv", flat))
    assert one.name == "F1"


# What is refused

VRTX = GOCAD.partition("TFACE")[0] + "VRTX 1 0 0 0\nVRTX 2 9 0 0\nVRTX 3 0 9 0\n"
REFUSED = {
    "line 16: there is no vertex 4 above, got 'TRGL 1 2 4'": (".ts", VRTX + "TRGL 1 2 4\nEND\n"),
    "line 16: a whole number is needed, got 'TRGL 1 2 x'": (".ts", VRTX + "TRGL 1 2 x\nEND\n"),
    "line 16: TRGL needs more numbers": (".ts", VRTX + "TRGL 1 2\nEND\n"),
    "line 16: vertex 3 is there already": (".ts", VRTX + "VRTX 3 1 1 1\nEND\n"),
    "line 16: 3 numbers are needed, got 'VRTX 4 1 1'": (".ts", VRTX + "VRTX 4 1 1\nEND\n"),
    "line 14: 1 vertices of 'Main fault' are no places, the first is .9, nan, 0.": (
        ".ts", VRTX.replace("2 9 0 0", "2 9 nan 0") + "TRGL 1 2 3\nEND\n",
    ),
    "line 9: axes must count metres": (".ts", GOCAD.replace('"m" "m" "m"', '"ft" "ft" "ft"')),
    "its last object has no END": (".ts", VRTX + "TRGL 1 2 3\n"),
    "an object begins before END": (".ts", VRTX + GOCAD),
    "it holds no TSurf, but VSet": (".ts", "GOCAD VSet 1\nVRTX 1 0 0 0\nEND\n"),
    "no line that begins with GOCAD": (".ts", "hello\n"),
    "line 4: there is no vertex 4 among the 3": (".obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n"),
    "there is no vertex -4 among": (".obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 -4\n"),
    "a face needs three corners": (".obj", "v 0 0 0\nv 1 0 0\nf 1 2\n"),
    "it holds 1 vertices and no face": (".obj", "v 0 0 0\n"),
    "line 1: 3 numbers are needed, got 'v 0 1_0 0'": (".obj", "v 0 1_0 0\n"),
    "none of its 1 triangles has an area": (".obj", "v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n"),
    "eastings .115.1 to 115.102. .* look like degrees": (
        ".obj", "v 115.1 -30.2 0\nv 115.102 -30.2 0\nv 115.1 -30.201 -300\nf 1 2 3\n",
    ),
    "it is empty .2 bytes.": (".obj", " \n"),
    "it is no text: byte 0 is zero": (".ts", b"\0\1\2\3"),
    "it is a binary DXF. Save it as text": (".dxf", b"AutoCAD Binary DXF\r\n\x1a\0..."),
    "no 3DFACE and no polyface mesh, but 1 LINE": (".dxf", dxf([(0, "LINE"), (8, "0")])),
    "does not end with EOF": (".dxf", "0\nSECTION\n2\nENTITIES\n"),
    "a code has no value": (".dxf", "0\nSECTION\n2\n"),
    "line 1: a whole number is needed, got 'x'": (".dxf", "x\nSECTION\n0\nEOF\n"),
    "3DFACE has no coordinate of code 32": (
        ".dxf", dxf([pair for pair in face("0", SQUARE[:3]) if pair[0] != 32]),
    ),
    "a face names a vertex that is not there": (
        ".dxf", dxf(*POLYFACE[:4], vertex(128, c71=1, c72=2, c73=9), POLYFACE[-1]),
    ),
    "tells 2 triangles, which take 184 bytes, but it has 134": (
        ".stl", binary_stl(np.zeros((1, 3, 3))).replace(b"\1\0\0\0", b"\2\0\0\0", 1),
    ),
    "a triangle has 2 corners": (".stl", STL.replace("  vertex 100 0 -10\n", "", 1)),
    "does not end with endsolid": (".stl", STL[: STL.rindex("endsolid")]),
    "it holds no triangle. Export it again as STL": (".stl", "solid a\nendsolid a\n"),
    "only points or lines. Read these with read_points": (
        ".vtp", VTP.replace("4 5 6<", "<").replace(">3<", "><").replace("0 1 2 3<", "<").replace(
            ">4<", "><"),
    ),
    "Polys name 4 of 7 points in 1 cells that do not agree": (
        ".vtp", VTP.replace("0 1 2 3<", "0 1 2 7<"),
    ),
    "it has 0 pieces": (".vtp", VTP.replace("Piece", "Peace")),
    "holds no points of three coordinates": (
        ".vtp", VTP.replace('NumberOfComponents="3"', 'NumberOfComponents="1"'),
    ),
    "not a VTKFile of type": (".vtp", VTP.replace('"PolyData"', '"ImageData"', 1)),
    "row 3: column 'X .m.' holds no number in 1 rows, the first is 'x'": (
        ".csv", CSV.replace("F1;1;100", "F1;1;x"),
    ),
    "row 4: column 'Y .m.' holds no number": (".csv", CSV.replace("0;100;0\n", "0;;0\n", 1)),
    "row 7: 1 vertices of 'F 2' are no places": (".csv", CSV.replace("100;50\n", "1e12;50\n")),
    "row 5: triangle 7 has 2 rows": (".csv", CSV[: CSV.rindex('"F 2"')]),
    "row 2: a surface has 4 rows": (".csv", "x,y,z\n" + "1,2,3\n" * 4),
    "has no column of elevation; it has x, y, rock": (".csv", "x,y,rock\n1,2,3\n"),
    "longitudes and latitudes .Lon, Lat., which are degrees": (
        ".csv", "Lon,Lat,z\n" + "115.2,-30.1,3\n" * 3,
    ),
    "has coordinates in feet .X .ft... Export it in metres": (".csv", CSV.replace("X [m]", "X (ft)")),
    "is empty": (".csv", ""),
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_a_file_is_refused_with_its_line_and_the_remedy(tmp_path, message):
    ending, content = REFUSED[message]
    with pytest.raises(ValueError, match=rf"faults\{ending}.*{message}") as said:
        read_surfaces(write(tmp_path, ending, content))
    assert str(said.value).count(".") > 1  # what is wrong, what was given; what to do
    assert str(said.value).endswith(".")


@pytest.fixture
def omf():
    pytest.importorskip("omf")
    with quiet_omf() as module:
        yield module


def test_an_omf_without_surfaces_is_refused(tmp_path, omf):
    points = omf.PointSetElement(name="p", geometry=omf.PointSetGeometry(vertices=np.zeros((1, 3))))
    omf.OMFWriter(omf.Project(name="a", elements=[points]), str(tmp_path / "a.omf"))
    with pytest.raises(ValueError, match="holds no triangulated surface, but PointSetElement"):
        read_surfaces(tmp_path / "a.omf")


def test_an_omf_in_feet_is_refused(tmp_path, omf):
    omf.OMFWriter(omf.Project(name="a", units="ft", elements=[]), str(tmp_path / "a.omf"))
    with pytest.raises(ValueError, match="its units are 'ft', not metres"):
        read_surfaces(tmp_path / "a.omf")


def test_origins_of_project_and_surface_are_added(tmp_path, omf):
    body = omf.SurfaceGeometry(
        vertices=np.array(SQUARE[:3], float), triangles=np.array([[0, 1, 2]]), origin=[1.0, 2, 3]
    )
    element = omf.SurfaceElement(name="F1", geometry=body)
    project = omf.Project(name="a", origin=[1000.0, 2000, 0], elements=[element])
    omf.OMFWriter(project, str(tmp_path / "a.omf"))
    (one,) = read_surfaces(tmp_path / "a.omf")
    assert one.vertices[0].tolist() == [1001, 2002, -7]


def test_what_is_no_file_of_surfaces_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of .csv, .* got 'a.tts'.*mean '.ts'"):
        read_surfaces("a.tts")
    (tmp_path / "fault.ts").touch()
    with pytest.raises(FileNotFoundError, match=r"There is no file .*Did you mean 'fault.ts'"):
        read_surfaces(tmp_path / "faults.ts")


def test_what_is_no_surface_is_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"no surface to write to a.ts, got none"):
        write_surfaces([], tmp_path / "a.ts")
    with pytest.raises(TypeError, match="has vertices and triangles, got str"):
        write_surfaces(["F1"], tmp_path / "a.ts")
    with pytest.raises(ValueError, match="a name of its own, got 2 called 'F1'"):
        write_surfaces([fault(), fault(" F1 ")], tmp_path / "a.ts")
    with pytest.raises(ValueError, match=r"must end in one of .csv, .ts.* got 'a.dxf'"):
        write_surfaces(fault(), tmp_path / "a.dxf")
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        write_surfaces(fault(), tmp_path / "b" / "a.ts")
    (tmp_path / "c.ts").mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        write_surfaces(fault(), tmp_path / "c.ts")
