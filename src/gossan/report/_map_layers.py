"""Which layers of a grid a map shows, under what name, in which group, colours and unit.

A grid and what the caller said of its layers come in; a `ShownLayer` each goes out. What was left
unsaid is read from the layer's attrs, or guessed from its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from gossan._checks import did_you_mean
from gossan._units import ATOMIC_WEIGHTS
from gossan.plot.style import class_colours

GROUPS = ("Prospectivity", "Trust", "Elements", "Attribution", "Evidence")
_TRUST = re.compile(
    r"spread|std|\bsd\b|_sd$|stabil|edge|uncertain|agree|variance|novel|extrapol|support|confiden|disagree|error"
)
_SCORE = re.compile(r"score|percentile|prospectiv|favou?rab|probab|posterior|potential|\brank")
_ATTRIBUTION = re.compile(r"attribut|shap|contribution|^why|importance|saliency")
_SURE_IS_HIGH = re.compile(r"stabil|agree|support|confiden")
_MOST_CLASSES = 40


@dataclass(frozen=True)
class ShownLayer:
    """A layer of the grid with all that its map needs.

    Attributes
    ----------
    key : str
        In the grid.
    name, group, unit, note : str
    scale, colours : str
    limits : (low, high), optional
    classes : dict of int to (name, colour)
        Empty for numbers.
    is_fine : bool
        Kept in 16 bits.
    title : str
        Its name where it stands alone: with its group, if another layer is called so too.
    """

    key: str
    name: str
    group: str
    unit: str
    note: str
    scale: str
    colours: str
    limits: tuple[float, float] | None
    classes: dict[int, tuple[str, str]]
    is_fine: bool
    title: str = ""


def shown_layers(
    grid: xr.Dataset, layers: Sequence[Any], units: Mapping[str, str]
) -> list[ShownLayer]:
    """Return the layers to show in the order of their groups; all of the grid if none is named."""
    known = [str(name) for name in grid.data_vars]
    asked = list(layers) or known
    shown = [_shown(grid, layer, units, known) for layer in asked]
    if not shown:
        raise ValueError("A map needs a layer, but the grid has none. Add one with add_layer.")
    keys = [layer.key for layer in shown]
    twice = next((key for key in keys if keys.count(key) > 1), "")
    if twice:
        raise ValueError(f"The layer {twice!r} is named twice. Name each layer once.")
    names = [layer.name for layer in shown]
    shown = [
        replace(own, title=f"{own.group}: {own.name}" if names.count(own.name) > 1 else own.name)
        for own in shown
    ]
    order = dict.fromkeys((*GROUPS, *(layer.group for layer in shown)))
    return [layer for group in order for layer in shown if layer.group == group]


def _shown(
    grid: xr.Dataset, layer: Any, units: Mapping[str, str], known: Sequence[str]
) -> ShownLayer:
    key = layer if isinstance(layer, str) else str(layer.layer)
    if key not in known:
        raise KeyError(
            f"The grid has no layer {key!r} to show, only {', '.join(known) or 'none'}. Name one of"
            f" them.{did_you_mean(key, known)}"
        )
    said: dict[str, Any] = {} if isinstance(layer, str) else vars(layer)
    attrs = grid[key].attrs
    name = said.get("name") or str(attrs.get("long_name") or key.replace("_", " "))
    group = said.get("group") or guess_group(key)
    classes = _classes(said.get("classes") or attrs.get("categories"), grid[key])
    return ShownLayer(
        key,
        name,
        group,
        said.get("unit") or units.get(key) or str(attrs.get("units") or ""),
        said.get("note", ""),
        _scale(said.get("scale", "auto"), group),
        said.get("colours") or guess_colours(key, group),
        said.get("limits"),
        classes,
        said.get("is_fine") is True or group in ("Prospectivity", "Trust"),
    )


def _scale(asked: str, group: str) -> str:
    """Return the colours at first; of scores, spreads and reasons a logarithm would mislead."""
    is_plain = group in ("Prospectivity", "Trust", "Attribution")
    return "linear" if asked == "auto" and is_plain else asked


def guess_group(key: str) -> str:
    """Return the group that the name of a layer speaks for.

    Examples
    --------
    >>> [guess_group(key) for key in ("score", "score_spread", "Cu_ppm", "attribution_As", "faults")]
    ['Prospectivity', 'Trust', 'Elements', 'Attribution', 'Evidence']
    """
    word = key.lower()
    if _ATTRIBUTION.search(word):
        return "Attribution"
    if _TRUST.search(word):
        return "Trust"
    if _SCORE.search(word):
        return "Prospectivity"
    # "Cu", "Cu_ppm", "clr_Cu", "Al2O3": an element or an oxide among the words of the name
    parts = re.split(r"[_\s\[\]().-]+", key)
    return "Elements" if any(_is_element(part) for part in parts) else "Evidence"


def _is_element(part: str) -> bool:
    return part in ATOMIC_WEIGHTS or bool(
        re.fullmatch(r"([A-Z][a-z]?)\d?O\d?", part)
        and re.match(r"[A-Z][a-z]?", part)[0] in ATOMIC_WEIGHTS  # type: ignore[index]
    )


def guess_colours(key: str, group: str) -> str:
    """Return the colours of a layer: pale for sure and dark for unsure, two-sided for reasons.

    Examples
    --------
    >>> guess_colours("spread", "Trust"), guess_colours("stability", "Trust")
    ('spread', 'grade')
    """
    if group == "Attribution":
        return "departure"
    is_doubt = group == "Trust" and not _SURE_IS_HIGH.search(key.lower())
    return "spread" if is_doubt else "grade"


def _classes(given: Any, layer: xr.DataArray) -> dict[int, tuple[str, str]]:
    """Return name and colour of each class of a layer of codes."""
    if not given:
        return {}
    pairs = given.items() if isinstance(given, Mapping) else enumerate(given)
    names = {int(code): str(name) for code, name in pairs}
    values = layer.to_numpy()
    found = {int(code) for code in np.unique(values[np.isfinite(values.astype(float))])}
    missing = sorted(found - set(names))
    if missing:
        raise ValueError(
            f"Layer {layer.name!r} holds the code {missing[0]}, which has no class; its classes are"
            f" {sorted(names)[:12]}. Name every code."
        )
    shown = {code: name for code, name in sorted(names.items()) if code in found}
    if len(shown) > _MOST_CLASSES:
        raise ValueError(
            f"Layer {layer.name!r} has {len(shown)} classes, more than the {_MOST_CLASSES} that a"
            " legend can tell apart. Group them, or leave `classes` out."
        )
    colours = class_colours(shown.values())
    return {code: (name, _paler(colours.get(name, "#7a7f85"))) for code, name in shown.items()}


def _paler(colour: str) -> str:
    """Blend a colour with paper, so that symbols stand out on ground of that colour."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + bytes(round(0.55 * part + 0.45 * 255) for part in parts).hex()
