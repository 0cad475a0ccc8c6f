"""A map to explore, as one HTML file that opens without a network or as a block of a report.

A grid of layers (scores, how far to trust them, elements, reasons) comes in with occurrences, targets
and faults; a page of our own script goes out, north up, in which every cell can be read. 300 x 300
cells of 50 layers weigh 4.5 MB where they are smooth, as kriged maps are, and 9 MB where half of them
are noise; `bench/maps.py` measures it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import xarray as xr
from markupsafe import Markup

from gossan._checks import GossanWarning
from gossan.report._map_checks import (
    check_grid_of_map,
    check_limits,
    check_look,
    check_options,
    check_table,
)
from gossan.report._map_packing import PackedMap, pack_map
from gossan.report._templates import as_json, environment, write_whole

__all__ = [
    "MapLayer",
    "MapLines",
    "MapPoints",
    "MapPolygons",
    "MapView",
    "map_view",
    "render_map",
    "write_map",
]

MOST_CELLS = 1_500_000
_HEAVY = 40e6  # bytes of a page, from which it is worth a warning


@dataclass(frozen=True)
class MapLayer:
    """A layer of the grid and how it is shown; what is left empty is read from the layer or guessed.

    Parameters
    ----------
    layer : str
        In the grid.
    name : str
        In the list; by default the layer's `long_name`, or its own.
    group : str
        Heading in the list: "Prospectivity", "Trust", "Elements", "Attribution", "Evidence" or any
        other. By default guessed from the layer's name.
    unit : str
        By default the layer's `units`.
    scale : {"auto", "linear", "log", "percentile"}
        Colours at first; the reader can change them. "auto" is linear in the first, second and
        fourth of these groups, else as `gossan.plot.grade_norm`; "percentile" gives each colour as
        much ground.
    limits : (low, high), optional
        Ends of the colours; by default the 2nd and 98th percentile, of departures both alike.
    colours : {"", "grade", "spread", "departure"}
        As on the maps of `gossan.plot`; by default "spread" for doubt (spread, edge fraction),
        "departure" for reasons, "grade" for the rest.
    classes : sequence of str, or mapping of int to str
        Names of the codes of a layer of classes (geology). By default the layer's `categories`.
    note : str
        What it is, a sentence.
    is_fine : bool
        Keep values in 16 bits, as scores always are, where other layers have 12.
    """

    layer: str
    name: str = ""
    group: str = ""
    unit: str = ""
    scale: str = "auto"
    limits: tuple[float, float] | None = None
    colours: str = ""
    classes: Sequence[str] | Mapping[int, str] = ()
    note: str = ""
    is_fine: bool = False

    def __post_init__(self) -> None:
        check_options(self.scale, self.colours)
        check_limits(self.layer, self.limits)


@dataclass(frozen=True, eq=False)
class MapPoints:
    """Occurrences, samples or collars, each kind with a symbol of its own.

    Parameters
    ----------
    table : DataFrame
        Columns `easting` and `northing` [m], or a GeoDataFrame of points; other columns are facts.
    symbol : {"", "circle", "square", "triangle", "diamond", "star", "cross", "plus", "down"}
        By default the next one that no other set has.
    colour : str
        Hexadecimal code, by default the next.
    label : str
        Column with their names; by default the first of `name`, `label` ...
    told : mapping, optional
        Columns to tell and their headings with unit; by default all but coordinates.
    is_filled : bool
        False draws them open: what is less sure.
    is_visible : bool
        Whether they are shown at first.
    """

    table: pd.DataFrame
    symbol: str = ""
    colour: str = ""
    label: str = ""
    told: Mapping[str, str] | None = None
    is_filled: bool = True
    is_visible: bool = True

    def __post_init__(self) -> None:
        check_table("Points", self.table)
        check_look(self.colour, symbol=self.symbol)


@dataclass(frozen=True, eq=False)
class MapLines:
    """Faults, contacts or roads.

    Parameters
    ----------
    table : DataFrame
        One row a vertex: `easting`, `northing` [m] and a column of names (`fault`, `name` ...); or a
        GeoDataFrame of lines.
    colour : str
        Hexadecimal code.
    dash : {"", "solid", "dashed", "dotted"}
        By default the next one.
    label : str
        Column with their names.
    is_visible : bool
        Whether they are shown at first.
    """

    table: pd.DataFrame
    colour: str = "#2b2f36"
    dash: str = ""
    label: str = ""
    is_visible: bool = True

    def __post_init__(self) -> None:
        check_table("Lines", self.table)
        check_look(self.colour, dash=self.dash)


@dataclass(frozen=True, eq=False)
class MapPolygons:
    """Targets, licences or ground already drilled, each with a card that tells what is known of it.

    Parameters
    ----------
    table : DataFrame
        One row a polygon: a GeoDataFrame, as of `find_map_targets` (areas in km²); or the table of
        `find_targets` (areas in m²), whose outlines are traced from `layer`. A column `why` or
        `elements` is shown as it is, or as bars to either side where it holds mappings of names to
        numbers, or words such as "+Li 0.31, -K 0.05".
    layer : str
        Layer of the grid with the number (`target`) of each cell's polygon; default "target".
    colour : str
        Hexadecimal code.
    dash : {"", "solid", "dashed", "dotted"}
        By default the next one.
    label : str
        Column with their names.
    told : mapping, optional
        Columns to tell and their headings with unit; by default those of targets (areas in km²,
        distances in km), then the others.
    is_listed : bool
        List them beside the map, to be zoomed to.
    is_visible : bool
        Whether they are shown at first.
    """

    table: pd.DataFrame
    layer: str = ""
    colour: str = "#1d2733"
    dash: str = ""
    label: str = ""
    told: Mapping[str, str] | None = None
    is_listed: bool = True
    is_visible: bool = True

    def __post_init__(self) -> None:
        check_table("Polygons", self.table)
        check_look(self.colour, dash=self.dash)


Points: TypeAlias = Mapping[str, pd.DataFrame | MapPoints]
Lines: TypeAlias = Mapping[str, pd.DataFrame | MapLines]
Polygons: TypeAlias = Mapping[str, pd.DataFrame | MapPolygons]


@dataclass(frozen=True, eq=False)
class MapView:
    """What a map shows; also a block of a report, which then holds the map itself.

    Parameters
    ----------
    grid : Dataset
        2D grid, also turned.
    layers : sequence of str or MapLayer
        Layers to choose from; all of the grid by default. The first one given is shown at first.
    points, lines, polygons : mapping of str to table
        Sets by name, each a table or a `MapPoints`, `MapLines`, `MapPolygons`.
    title : str
        Heading.
    units : mapping of str to str
        Units of layers that do not say theirs.
    support : str
        Layer that is true (not 0) where samples support the map; elsewhere it is hatched, and the
        cells say that they are extrapolated.
    note : str
        A sentence or two on what is shown and what to beware of.
    most_cells : int
        Of each layer; beyond, blocks of 2 x 2, 3 x 3 ... cells become their mean, and the page says
        so.

    Raises
    ------
    TypeError
        If the grid is no Dataset.
    ValueError
        If the grid is 3D or no regular grid.
    """

    grid: xr.Dataset
    layers: Sequence[str | MapLayer] = ()
    points: Points = field(default_factory=dict)
    lines: Lines = field(default_factory=dict)
    polygons: Polygons = field(default_factory=dict)
    title: str = "Map"
    units: Mapping[str, str] = field(default_factory=dict)
    support: str = ""
    note: str = ""
    most_cells: int = MOST_CELLS

    def __post_init__(self) -> None:
        check_grid_of_map(self.grid, self.support, self.most_cells)

    def fragment(self, key: str) -> Markup:
        """Return the map as an element to set into a page that holds `map_style` and `map_script`.

        Parameters
        ----------
        key : str
            What no other map of the page has.

        Returns
        -------
        html : Markup
        """
        return _fragment(self, key, is_whole=False)


def map_view(
    grid: xr.Dataset,
    layers: Sequence[str | MapLayer] = (),
    *,
    points: Points | None = None,
    lines: Lines | None = None,
    polygons: Polygons | None = None,
    title: str = "Map",
    units: Mapping[str, str] | None = None,
    support: str = "",
    note: str = "",
    most_cells: int = MOST_CELLS,
    report: str = "",
) -> str:
    """HTML of an interactive map: the short way to `render_map` of a `MapView`.

    Parameters
    ----------
    grid, layers, points, lines, polygons, title, units, support, note, most_cells
        As of `MapView`.
    report : str
        File beside it to link back to ("report.html").

    Returns
    -------
    html : str
        A complete document.

    Raises
    ------
    KeyError
        If the grid lacks a layer, or a table a column.
    ValueError
        If the grid is 3D, a table holds other geometries than its set needs or is in another CRS,
        or a class has no name.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> grid = add_layer(make_grid((0, 20, 0, 10), 10), "score", [0.2, 0.9])
    >>> known = pd.DataFrame({"easting": [5.0], "northing": [5.0], "name": ["<b>Old pit</b>"]})
    >>> "<b>" in map_view(grid, points={"Occurrences": known})
    False
    """
    shown = MapView(grid, layers, points or {}, lines or {}, polygons or {}, title, units or {},
                    support, note, most_cells)  # fmt: skip
    return render_map(shown, report=report)


def write_map(path: str | os.PathLike[str], shown: MapView, *, report: str = "") -> Path:
    """Write a map to one HTML file, whole or not at all. The same map gives the same bytes.

    Parameters
    ----------
    path : path
        HTML file to write ("map.html"); its folder must exist.
    shown : MapView
        What it shows.
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
    KeyError, ValueError
        As `map_view`.

    Warns
    -----
    GossanWarning
        If the page is larger than 40 MB.
    """
    page = render_map(shown, report=report)
    if len(page) > _HEAVY:
        warnings.warn(
            f"The map {Path(path).name!r} has {len(page) / 1e6:.0f} MB and opens slowly. Show fewer"
            f" layers, or set most_cells below {shown.most_cells:,}.",
            GossanWarning,
            stacklevel=2,
        )
    return write_whole(path, page, what="map")


def render_map(shown: MapView, *, report: str = "") -> str:
    """HTML of a map.

    Parameters
    ----------
    shown, report
        As of `write_map`.

    Returns
    -------
    html : str
        A complete document. Its content-security policy lets only its own script run and nothing
        load; words from tables are data, never markup.

    Raises
    ------
    KeyError, ValueError
        As `map_view`.
    """
    script = map_script()
    return environment().get_template("map.html.j2").render(
        title=shown.title,
        report=report,
        fragment=_fragment(shown, "map", is_whole=True),
        style=map_style(),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )  # fmt: skip


def map_script() -> Markup:
    """Return the script of the maps, our own file without a user's word in it."""
    return Markup(environment().get_template("map.js").render())  # noqa: S704


def map_style() -> Markup:
    """Return the style of the maps, whose rules reach nothing else of a page."""
    return Markup(environment().get_template("map.css").render())  # noqa: S704


def _fragment(shown: MapView, key: str, *, is_whole: bool) -> Markup:
    points = _as_records(shown.points, MapPoints)
    lines = _as_records(shown.lines, MapLines)
    polygons = _as_records(shown.polygons, MapPolygons)
    packed: PackedMap = pack_map(shown, points, lines, polygons)
    html = environment().get_template("map_fragment.html.j2").render(
        key=key,
        title=shown.title,
        is_whole=is_whole,
        packed=packed,
        header=Markup(as_json(packed.header)),  # noqa: S704 - "<", ">", "&" are escaped in it
    )  # fmt: skip
    return Markup(html)  # noqa: S704 - a template that escapes what it is given


def _as_records(given: Mapping[str, Any], kind: type) -> dict[str, Any]:
    return {
        str(name): part if isinstance(part, kind) else kind(part) for name, part in given.items()
    }
