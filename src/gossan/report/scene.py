"""A 3D view as one HTML file that opens without a network: holes, shells, faults, targets, slices.

A `Scene` of small frozen layers, plain arrays in metres, comes in; a page of our own script on the
browser's WebGL 2 goes out, to lie beside `report.html` as `view3d.html` and be linked from there by
a `SceneLink` block. Our own page weighs 76 kB where a library would add 1 to 6 MB to every file,
and draws what they do not: 50,000 graded pieces as pipes with their holes to pick, slices that
move. A file at the limits below has 3.9 MB; `bench/scene.py` measures it.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from markupsafe import Markup
from numpy.typing import ArrayLike

from gossan.report._scene_checks import (
    check_boxes,
    check_colour,
    check_layers,
    check_points,
    check_slices,
    check_surface,
    check_traces,
    check_unit_range,
)
from gossan.report._scene_packing import pack_scene
from gossan.report._templates import as_json, environment, write_whole

__all__ = ["Boxes", "Points", "Scene", "Slices", "Surface", "Traces", "render_scene", "write_scene"]

MOST_TRIANGLES = 300_000
MOST_SEGMENTS = 50_000
MOST_CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles in one colour: a shell of score, a fault, a geological contact.

    Parameters
    ----------
    name : str
        In the list of layers.
    vertices : array of shape (n, 3)
        Easting, northing, elevation [m].
    triangles : array of shape (m, 3)
        Row numbers of their vertices.
    colour : str
        Hexadecimal code.
    opacity : float
        0 to 1.
    is_visible : bool
        Whether it is shown at first.
    note : str
        What it is, for the list ("score 0.8 or more").
    """

    name: str
    vertices: ArrayLike
    triangles: ArrayLike
    colour: str = "#8f3f14"
    opacity: float = 1.0
    is_visible: bool = True
    note: str = ""

    def __post_init__(self) -> None:
        check_surface(self.name, self.vertices, self.triangles)
        check_colour(self.name, self.colour)
        check_unit_range(self.name, self.opacity)


@dataclass(frozen=True, eq=False)
class Traces:
    """Drill traces, each piece in the colour of its grade; missing grades thin and grey.

    Parameters
    ----------
    name : str
        In the list of layers.
    holes : array of shape (n,)
        Hole of each point; a line runs through the points of one hole in their order and breaks
        where the name changes or a point is missing (NaN).
    points : array of shape (n, 3)
        Easting, northing, elevation [m].
    values : array of shape (n,), optional
        Grade of the piece from each point to the next one of its hole; that of the last is unused.
    depths : array of shape (n,), optional
        Depth along the hole [m], shown when a piece is pointed at.
    quantity, unit : str
        What the values are ("Au", "ppm").
    scale : {"auto", "linear", "log"}
        As in `gossan.plot.grade_norm`.
    limits : (low, high), optional
        Ends of the colours.
    colours : {"grade", "spread", "departure"}
        As on the maps.
    colour : str
        Hexadecimal code of traces without values.
    is_visible : bool
        Whether they are shown at first.
    """

    name: str
    holes: ArrayLike
    points: ArrayLike
    values: ArrayLike | None = None
    depths: ArrayLike | None = None
    quantity: str = ""
    unit: str = ""
    scale: str = "auto"
    limits: tuple[float, float] | None = None
    colours: str = "grade"
    colour: str = "#5b6773"
    is_visible: bool = True

    def __post_init__(self) -> None:
        check_traces(self.name, self.holes, self.points, self.values, self.depths)
        check_colour(self.name, self.colour)


@dataclass(frozen=True, eq=False)
class Points:
    """Samples, occurrences or collars as small balls.

    Parameters
    ----------
    name : str
        In the list of layers.
    points : array of shape (n, 3)
        Easting, northing, elevation [m].
    labels : sequence of str
        Names shown when a point is pointed at; none or one each.
    values : array of shape (n,), optional
        Colours them.
    quantity, unit, scale, limits, colours
        As of `Traces`.
    colour : str
        Hexadecimal code of points without values.
    size : float
        Diameter on the screen [px].
    is_visible : bool
        Whether they are shown at first.
    """

    name: str
    points: ArrayLike
    labels: Sequence[str] = ()
    values: ArrayLike | None = None
    quantity: str = ""
    unit: str = ""
    scale: str = "auto"
    limits: tuple[float, float] | None = None
    colours: str = "grade"
    colour: str = "#1d2733"
    size: float = 8.0
    is_visible: bool = True

    def __post_init__(self) -> None:
        check_points(self.name, self.points, self.labels, self.values)
        check_colour(self.name, self.colour)


@dataclass(frozen=True, eq=False)
class Boxes:
    """Targets as the edges of boxes with a label each, and what is known of them.

    Parameters
    ----------
    name : str
        In the list of layers.
    lows, highs : array of shape (n, 3)
        West, south, bottom and east, north, top of each [m].
    labels : sequence of str
        One each, short: it stands in the view.
    facts : sequence of mapping
        One each, or none: name to value, shown in the card and in the page's table.
    colour : str
        Hexadecimal code.
    is_visible : bool
        Whether they are shown at first.
    """

    name: str
    lows: ArrayLike
    highs: ArrayLike
    labels: Sequence[str]
    facts: Sequence[Mapping[str, Any]] = ()
    colour: str = "#a3161c"
    is_visible: bool = True

    def __post_init__(self) -> None:
        check_boxes(self.name, self.lows, self.highs, self.labels, self.facts)
        check_colour(self.name, self.colour)


@dataclass(frozen=True, eq=False)
class Slices:
    """A layer of a block model, shown on one level and two sections that can be moved.

    Parameters
    ----------
    name : str
        In the list of layers.
    values : array of shape (n_elevations, n_northings, n_eastings)
        NaN where unknown: nothing is drawn there.
    elevations, northings, eastings : array
        Centres of the cells along the model's own axes, evenly spaced, ascending [m].
    rotation : float
        Clockwise turn of the model [°] about `pivot`.
    pivot : (easting, northing)
        [m]
    quantity, unit, scale, limits, colours
        As of `Traces`.
    shown : sequence of {"elevation", "northing", "easting"}
        Planes shown at first.
    is_visible : bool
        Whether they are shown at first.
    """

    name: str
    values: ArrayLike
    elevations: ArrayLike
    northings: ArrayLike
    eastings: ArrayLike
    rotation: float = 0.0
    pivot: tuple[float, float] = (0.0, 0.0)
    quantity: str = ""
    unit: str = ""
    scale: str = "auto"
    limits: tuple[float, float] | None = None
    colours: str = "grade"
    shown: Sequence[str] = ("elevation",)
    is_visible: bool = True

    def __post_init__(self) -> None:
        check_slices(
            self.name, self.values, (self.elevations, self.northings, self.eastings), self.shown
        )


Layer: TypeAlias = Surface | Traces | Points | Boxes | Slices


@dataclass(frozen=True, eq=False)
class Scene:
    """What a 3D view shows.

    Parameters
    ----------
    title : str
        Of the page.
    layers : sequence of Surface, Traces, Points, Boxes, Slices
        In the order of the list.
    note : str
        A sentence or two on what is shown and what to beware of.
    crs : str
        Name of the coordinates ("EPSG:32648"), may be empty.
    """

    title: str
    layers: Sequence[Layer]
    note: str = ""
    crs: str = ""

    def __post_init__(self) -> None:
        check_layers(self.layers, (Surface, Traces, Points, Boxes, Slices))


def write_scene(
    path: str | os.PathLike[str],
    scene: Scene,
    *,
    most_triangles: int = MOST_TRIANGLES,
    most_segments: int = MOST_SEGMENTS,
    most_cells: int = MOST_CELLS,
    report: str = "",
) -> Path:
    """Write the 3D view to one HTML file, whole or not at all.

    Positions are kept to 1/65,535 of each layer's extent (2 cm in 1.4 km). What exceeds a limit is
    thinned, and the page says by how much. The same scene gives the same bytes.

    Parameters
    ----------
    path : path
        HTML file to write ("view3d.html"); its folder must exist.
    scene : Scene
        What it shows.
    most_triangles : int
        Of all surfaces together; 300,000 turn smoothly on a laptop. Beyond, vertices are merged.
    most_segments : int
        Of all traces together; beyond, neighbouring pieces of a hole become one with their
        length-weighted mean.
    most_cells : int
        Of each block model; beyond, every second (third, ...) cell each way is shown.
    report : str
        File beside it to link back to ("report.html").

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If a limit is not positive.
    """
    page = render_scene(
        scene,
        most_triangles=most_triangles,
        most_segments=most_segments,
        most_cells=most_cells,
        report=report,
    )
    return write_whole(path, page, what="3D view")


def render_scene(
    scene: Scene,
    *,
    most_triangles: int = MOST_TRIANGLES,
    most_segments: int = MOST_SEGMENTS,
    most_cells: int = MOST_CELLS,
    report: str = "",
) -> str:
    """HTML of the 3D view.

    Parameters
    ----------
    scene, most_triangles, most_segments, most_cells, report
        As of `write_scene`.

    Returns
    -------
    html : str
        A complete document. Its content-security policy lets only its own script run and nothing
        load; words from tables are data, never markup.

    Raises
    ------
    ValueError
        If a limit is not positive.

    Examples
    --------
    >>> hole = Traces("Holes", ["<b>"] * 2, [[0, 0, 0], [0, 0, -90]])
    >>> "<b>" in render_scene(Scene("Zaozigou", [hole]))
    False
    """
    limits = {"triangle": most_triangles, "segment": most_segments, "cell": most_cells}
    for thing, most in limits.items():
        if most < 1:
            raise ValueError(
                f"most_{thing}s must be positive, got {most}. Leave it out for the usual limit."
            )
    packed = pack_scene(scene, most_triangles, most_segments, most_cells)
    script = environment().get_template("scene.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment().get_template("scene.html.j2").render(
        scene=scene,
        header=Markup(as_json(packed.header)),  # noqa: S704 - "<", ">", "&" are escaped in it
        payload=packed.payload,
        summary=packed.summary,
        boxes=[layer for layer in scene.layers if isinstance(layer, Boxes)],
        report=report,
        script=Markup(script),  # noqa: S704 - our own file, no user's word in it
        script_hash=digest,
    )  # fmt: skip
