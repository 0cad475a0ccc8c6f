"""One self-contained HTML page of a run: it opens without a network and runs nothing it was given.

A `Report` of small frozen records (sections of text, findings, tables and figures) comes in, one
HTML file goes out; every word from a user's table is escaped on the way.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template
from markupsafe import Markup

from gossan.report._takeaways import Takeaways
from gossan.report._templates import environment, write_whole
from gossan.report._writing import file_stem
from gossan.report.blocks import Block, Card, Details, Part, grouped


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading.

    Parameters
    ----------
    title : str
        Heading, also in the table of contents.
    intro : str
        One paragraph that says what the section answers.
    blocks : sequence of block
        What it holds, in order.
    """

    title: str
    intro: str = ""
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Report:
    """A page: the conclusion first, then the sections in order, the run's manifest last.

    Parameters
    ----------
    title, subtitle : str
        What was studied, from which table.
    conclusion : sequence of str
        What was concluded; the first sentence is set large.
    cards : sequence of Card
        One a deposit or target.
    sections : sequence of Section
        The rest.
    manifest : mapping
        Versions, seeds, hashes, timings; may be nested.
    kind : str
        Line above the title ("Ore genesis from mineral chemistry").
    """

    title: str
    subtitle: str = ""
    conclusion: Sequence[str] = ()
    cards: Sequence[Card] = ()
    sections: Sequence[Section] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""

    @property
    def manifest_rows(self) -> list[tuple[str, str]]:
        """Manifest as dotted names and written values."""
        return list(_flatten(self.manifest))


def write_report(path: str | os.PathLike[str], report: Report) -> Path:
    """Write the page to `path`, whole or not at all.

    Parameters
    ----------
    path : path
        HTML file to write; its folder must exist.
    report : Report
        What it says.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    """
    return write_whole(path, render_report(report), what="report")


def render_report(report: Report) -> str:
    """HTML of the page.

    Parameters
    ----------
    report : Report
        What it says.

    Returns
    -------
    html : str
        A complete document. Its content-security policy lets only its own short script run and
        nothing load, so that it stays offline wherever it is opened.

    Examples
    --------
    >>> html = render_report(Report("Gunga <script>", conclusion=["MVT."]))
    >>> "<title>Gunga &lt;script&gt;</title>" in html
    True
    """
    script = environment().get_template("page.js").render()
    sections = [replace(part, blocks=grouped(part.blocks)) for part in report.sections]
    return _template().render(
        report=replace(report, sections=sections),
        anchors=_anchors(sections),
        keep=Takeaways(),
        script=Markup(script),  # noqa: S704 - our own file, no user's word in it
        script_hash=_digest(script),
        kind_of=_kind_of,
        **_map_parts(report),
    )


def _kind_of(block: Block) -> str:
    return type(block).__name__.lower()


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _map_parts(report: Report) -> dict[str, str]:
    """Return style and script of maps, and the leave to run it, for a page that holds one."""
    if not any(_holds_map(section.blocks) for section in report.sections):
        return {"map_style": "", "map_script": "", "map_source": ""}
    from gossan.report.maps import map_script, map_style

    script = map_script()
    source = Markup(" 'sha256-{}'").format(_digest(script))
    return {"map_style": map_style(), "map_script": script, "map_source": source}


def _holds_map(blocks: Sequence[Block]) -> bool:
    return any(
        _kind_of(block) == "mapview"
        or (isinstance(block, (Details, Part)) and _holds_map(block.blocks))
        for block in blocks
    )


@cache
def _template() -> Template:
    return environment().get_template("page.html.j2")


def _anchors(sections: Sequence[Section]) -> list[str]:
    """Name each section for links, no name twice."""
    taken = {"conclusion", "run"}
    anchors = []
    for section in sections:
        stem = file_stem(section.title)
        free = next(f"{stem}{n}" for n in ("", *range(2, 999)) if f"{stem}{n}" not in taken)
        taken.add(free)
        anchors.append(free)
    return anchors


def _flatten(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in mapping.items():
        if isinstance(value, Mapping) and value:
            rows += _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, (list, tuple)):
            rows.append((f"{prefix}{name}", ", ".join(map(str, value)) or "–"))
        else:
            rows.append((f"{prefix}{name}", str(value)))
    return rows
