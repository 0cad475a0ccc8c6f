"""A network learned in another district, and networks that begin from the unlabelled map.

The section [source] and the channels of the region come in; fitted window networks go out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gossan.nets.window_cnn import WindowCNN
from gossan.nets.window_pretext import pretrain_windows
from gossan.studies.region.mapping import make_cells
from gossan.studies.region.tables import Region, read_region

FIELD = 5  # of a source network: haloes of a few cells
MEMBERS = 3


def learn_source(
    settings: Mapping[str, Mapping[str, Any]],
    region: Region,
    folder: Path,
    *,
    most_cells: int,
    random_state: int,
) -> tuple[WindowCNN, Region]:
    """A network that learned the occurrences of the source district, on the region's channels.

    Parameters
    ----------
    settings : mapping of section to arguments
        Of the study; the source is gridded at the region's spacing and prepared alike, with its own
        medians: what is compared are anomalies, not concentrations.
    region : Region
    folder : Path
        Of the study file.
    most_cells : int
        Unlabelled cells that are learnt.
    random_state : int

    Returns
    -------
    network : WindowCNN
        Fitted.
    source : Region

    Raises
    ------
    ValueError
        If the source lacks an element of the region.
    """
    source = read_region(_as_study(settings, region), folder)
    missing = [name for name in region.channels if name not in source.channels]
    if missing:
        raise ValueError(
            f"The source district lacks {', '.join(missing[:8])}, which the region has. Name the"
            " elements that both have: elements = [...] under [samples]; leave [faults] and [layers]"
            " out, or give them to both."
        )
    order = [source.channels.index(name) for name in region.channels]
    cells = make_cells(
        source, field=FIELD, most_cells=most_cells, n_patterns=0, buffer=0.0, rocks=[],
        random_state=random_state,
    )  # fmt: skip
    network = WindowCNN(field=FIELD, n_members=MEMBERS, random_state=random_state)
    return network.fit(cells.windows[:, order], cells.y), source


def pretrainer(
    region: Region,
    random_state: int,
    *,
    core: Sequence[str] = (),
    ring: Sequence[str] = (),
) -> Callable[[int, str], WindowCNN]:
    """Function of field and method that lets a network begin from the unlabelled map.

    Parameters
    ----------
    region : Region
    random_state : int
    core, ring : sequence of str
        Channels that a halo raises in its middle and round it; empty for any.

    Returns
    -------
    pretrained : callable
    """

    def places(names: Sequence[str]) -> list[int] | None:
        return [region.channels.index(name) for name in names] or None

    def pretrained(field: int, method: str) -> WindowCNN:
        zoned: dict[str, Any] = {}
        if method == "haloes":
            zoned = {"core": places(core), "ring": places(ring)}
        return pretrain_windows(
            region.filled(field)[0], method=method, field=field, random_state=random_state, **zoned
        )

    return pretrained


def _as_study(
    settings: Mapping[str, Mapping[str, Any]], region: Region
) -> dict[str, dict[str, Any]]:
    """Return the sections that read the source as a region of its own."""
    told = settings["source"]
    own = {name: dict(arguments) for name, arguments in settings.items()}
    for name in ("layers", "faults", "lithology", "catchments", "source"):
        own.pop(name, None)
    keys = ("crs", "to_crs", "easting", "northing")
    read = dict(own["samples"]["read"]) | {"table": told["samples"]}
    read["elements"] = [name for name in region.channels if name in region.elements]
    if told["units"] is not None:
        read["units"] = told["units"]
    own["samples"] = {"read": read, **{key: told[key] for key in keys}}
    own["occurrences"] = dict(own["occurrences"]) | {
        "table": told["occurrences"], "crs": told["crs"], "easting": told["easting"],
        "northing": told["northing"],
    }  # fmt: skip
    own["grid"] = dict(own["grid"]) | {"spacing": region.spacing, "region": ()}
    own["background"] = dict(own["background"]) | {"barren": "", "rocks": []}
    own["elements"] = dict(own["elements"]) | {"most_censored": 1.0, "level_by": ""}
    return own
