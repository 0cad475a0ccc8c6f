"""Styles are XML as QGIS 3 writes it: its readers take names and values literally."""

from xml.etree import ElementTree as ET

import pytest

from gossan.data.grids.styles import (
    DOCTYPE,
    class_colours,
    fill_style,
    pseudocolour_style,
    write_percentile_style,
)


def parsed(text):
    assert text.startswith(DOCTYPE)
    return ET.fromstring(text)  # noqa: S314 - our own


def test_the_percentile_style_is_beside_the_raster_and_names_its_band(tmp_path):
    style = write_percentile_style(tmp_path / "score.tif", band=2)
    assert style == tmp_path / "score.qml"
    root = parsed(style.read_text(encoding="utf-8"))
    assert root.tag == "qgis"
    assert root.get("version", "").startswith("3.")
    renderer = root.find("pipe/rasterrenderer")
    assert (renderer.get("type"), renderer.get("band")) == ("singlebandpseudocolor", "2")
    shader = renderer.find("rastershader/colorrampshader")
    assert shader.get("colorRampType") == "DISCRETE"
    items = shader.findall("item")
    assert [item.get("value") for item in items] == ["50", "80", "90", "95", "98", "99", "inf"]
    assert items[0].get("label") == "below 50 %"
    assert items[3].get("label") == "90 to 95 %"
    assert items[-1].get("label") == "best 1 %"
    assert (items[0].get("color"), items[-1].get("color")) == ("#440154", "#fde725")


def lightness(colour):
    """Relative luminance of a colour, as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("n", [1, 2, 7, 10, 23])
def test_colours_rise_in_lightness(n):
    colours = class_colours(n)
    assert len(set(colours)) == n
    steps = [lightness(colour) for colour in colours]
    assert steps == sorted(steps)


def test_labels_are_escaped():
    root = parsed(pseudocolour_style([1.0, 2.0], ["< 1 & more", "rest"], band=1, low=0.0))
    assert root.find(".//item").get("label") == "< 1 & more"


def test_polygons_are_filled_by_class_and_labelled():
    root = parsed(fill_style("rank", [(0.5, 5.5, "first"), (5.5, 99.0, "rest")]))
    renderer = root.find("renderer-v2")
    assert (renderer.get("type"), renderer.get("attr")) == ("graduatedSymbol", "rank")
    ranges = renderer.findall("ranges/range")
    assert [float(each.get("lower")) for each in ranges] == [0.5, 5.5]
    names = [symbol.get("name") for symbol in renderer.findall("symbols/symbol")]
    assert names == [each.get("symbol") for each in ranges] == ["0", "1"]
    fills = [
        option.get("value") for option in renderer.iter("Option") if option.get("name") == "color"
    ]
    assert fills[0] == "253,231,37,110"  # the first class is the brightest
    assert root.get("labelsEnabled") == "1"
    assert root.find("labeling/settings/text-style").get("fieldName") == "rank"
