"""Styles that QGIS takes up by itself: colours and legend of a map of percentiles, and of targets.

A path comes in; a .qml file beside it goes out, which QGIS reads when the layer is opened.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from gossan.data._replacing import replacing

__all__ = ["class_colours", "fill_style", "pseudocolour_style", "write_percentile_style"]

# Ten colours of viridis, dark to bright: even steps to the eye, and to the colour-blind.
VIRIDIS = (
    "#440154", "#482878", "#3e4989", "#31688e", "#26828e",
    "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
)  # fmt: skip
PERCENTILES = (50.0, 80.0, 90.0, 95.0, 98.0, 99.0)
DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
VERSION = "3.22.0"


def write_percentile_style(path: str | Path, *, band: int = 2) -> Path:
    """Write a style beside a GeoTIFF that colours a band of percentiles in classes, with a legend.

    Parameters
    ----------
    path : path
        Of the GeoTIFF, `score.tif`; the style is `score.qml`, and replaces an old one.
    band : int
        Number of the band, from 1.

    Returns
    -------
    style : Path

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> write_percentile_style(Path(folder) / "score.tif").name
    'score.qml'
    """
    bounds = [*PERCENTILES, 100.0]
    labels = [
        "below 50 %",
        *(f"{a:g} to {b:g} %" for a, b in itertools.pairwise(bounds)),
    ]
    labels[-1] = f"best {100 - PERCENTILES[-1]:g} %"
    style = Path(path).with_suffix(".qml")
    with replacing(style) as temporary:
        text = pseudocolour_style(bounds, labels, band=band, low=0.0)
        temporary.write_text(text, encoding="utf-8")
    return style


def class_colours(n: int) -> list[str]:
    """Return `n` colours, dark to bright, as #rrggbb.

    Parameters
    ----------
    n : int
        At least one.

    Returns
    -------
    colours : list of str

    Examples
    --------
    >>> class_colours(2)
    ['#440154', '#fde725']
    """
    steps = [(len(VIRIDIS) - 1) * i / max(n - 1, 1) for i in range(n)]
    return [_between(*VIRIDIS[math.floor(s) : math.floor(s) + 2], share=s % 1) for s in steps]


def pseudocolour_style(
    bounds: Sequence[float], labels: Sequence[str], *, band: int, low: float
) -> str:
    """Return the text of a .qml that colours a band in classes.

    Parameters
    ----------
    bounds : sequence of float
        Upper bound of each class, ascending; the last is the largest value.
    labels : sequence of str
        Of each class, for the legend.
    band : int
        Number of the band, from 1.
    low : float
        Smallest value.

    Returns
    -------
    text : str
        XML.
    """
    root = ET.Element("qgis", version=VERSION, styleCategories="AllStyleCategories")
    pipe = ET.SubElement(root, "pipe")
    renderer = ET.SubElement(
        pipe, "rasterrenderer", type="singlebandpseudocolor", band=str(band), opacity="1",
        alphaBand="-1", nodataColor="", classificationMin=_number(low),
        classificationMax=_number(bounds[-1]),
    )  # fmt: skip
    ET.SubElement(renderer, "rasterTransparency")
    origin = ET.SubElement(renderer, "minMaxOrigin")
    ET.SubElement(origin, "limits").text = "None"  # the classes stay, whatever is in view
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"), "colorrampshader", colorRampType="DISCRETE",
        classificationMode="1", clip="0", minimumValue=_number(low),
        maximumValue=_number(bounds[-1]), labelPrecision="4",
    )  # fmt: skip
    # Of a discrete ramp QGIS takes the value as the upper bound of its class.
    tops = [*map(_number, bounds[:-1]), "inf"]
    for top, label, colour in zip(tops, labels, class_colours(len(bounds)), strict=True):
        ET.SubElement(shader, "item", value=top, label=label, color=colour, alpha="255")
    ET.SubElement(pipe, "brightnesscontrast", brightness="0", contrast="0", gamma="1")
    ET.SubElement(pipe, "huesaturation", saturation="0", grayscaleMode="0", colorizeOn="0")
    ET.SubElement(pipe, "rasterresampler", maxOversampling="2")
    ET.SubElement(root, "blendMode").text = "0"
    return _text(root)


def fill_style(attribute: str, bounds: Sequence[tuple[float, float, str]]) -> str:
    """Return the text of a .qml that fills polygons by classes of an attribute, and labels them.

    Parameters
    ----------
    attribute : str
        Column of numbers; it is the label too.
    bounds : sequence of (low, high, label)
        Classes, the one that matters most first: it is the brightest.

    Returns
    -------
    text : str
        XML.
    """
    root = ET.Element(
        "qgis", version=VERSION, styleCategories="Symbology|Labeling", labelsEnabled="1"
    )
    renderer = ET.SubElement(
        root, "renderer-v2", type="graduatedSymbol", attr=attribute,
        graduatedMethod="GraduatedColor", symbollevels="0", enableorderby="0", forceraster="0",
    )  # fmt: skip
    ranges, symbols = ET.SubElement(renderer, "ranges"), ET.SubElement(renderer, "symbols")
    for i, (low, high, label) in enumerate(bounds):
        ET.SubElement(
            ranges, "range", lower=f"{low:.15f}", upper=f"{high:.15f}", symbol=str(i), label=label,
            render="true",
        )  # fmt: skip
    for i, colour in enumerate(class_colours(len(bounds) + 1)[:0:-1]):
        symbol = ET.SubElement(symbols, "symbol", type="fill", name=str(i), alpha="1")
        layer = ET.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0"})
        options = ET.SubElement(layer, "Option", type="Map")
        look = {
            "color": f"{_rgb(colour)},110", "style": "solid", "outline_color": "30,30,30,255",
            "outline_style": "solid", "outline_width": "0.4", "outline_width_unit": "MM",
        }  # fmt: skip
        for name, value in look.items():
            ET.SubElement(options, "Option", name=name, type="QString", value=value)
    _label(root, attribute)
    return _text(root)


def _label(root: ET.Element, attribute: str) -> None:
    settings = ET.SubElement(ET.SubElement(root, "labeling", type="simple"), "settings")
    style = ET.SubElement(
        settings, "text-style", fieldName=attribute, isExpression="0", fontSize="9",
        fontFamily="Open Sans", fontWeight="50", textColor="20,20,20,255",
    )  # fmt: skip
    ET.SubElement(
        style, "text-buffer", bufferDraw="1", bufferSize="0.8", bufferSizeUnits="MM",
        bufferColor="255,255,255,255",
    )  # fmt: skip
    ET.SubElement(settings, "placement", placement="1")


def _between(first: str, second: str = "", *, share: float) -> str:
    """Return a colour between two."""
    if not second:
        return first
    parts = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in parts)


def _rgb(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))


def _number(value: float) -> str:
    return f"{value:.10g}"


def _text(root: ET.Element) -> str:
    ET.indent(root)
    return DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"
