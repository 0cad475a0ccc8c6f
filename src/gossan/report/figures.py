"""The figures of a page as files: each as SVG, and what it draws as CSV.

A page that `write_report` wrote comes in; files go out. Nothing of the page is run.
"""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path

from gossan.report._takeaways import unpacked

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def write_figures(report: str | os.PathLike[str], folder: str | os.PathLike[str]) -> list[Path]:
    """Write every figure of a report as SVG and its data as CSV.

    Parameters
    ----------
    report : path
        A page that `gossan.report.write_report` wrote.
    folder : path
        Where the files go; it is made where there is none. Files of the same name are replaced.

    Returns
    -------
    paths : list of Path
        In the order of the page; a figure's SVG, then its CSV.

    Raises
    ------
    FileNotFoundError
        If there is no such report.
    ValueError
        If the file holds no figure of gossan.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from gossan.plot.style import new_axes, to_svg
    >>> from gossan.report import Figure, Report, Section, write_report
    >>> figure = Figure("A line", to_svg(new_axes(4, 3)[0]), alt="", data=pd.DataFrame({"x": [1]}))
    >>> with tempfile.TemporaryDirectory() as run:
    ...     page = write_report(f"{run}/report.html", Report("A", sections=[Section("B", "", [figure])]))
    ...     [path.name for path in write_figures(page, f"{run}/figures")]
    ['a-line.svg', 'a-line.csv']
    """
    page, target = Path(report), Path(folder)
    if not page.is_file():
        raise FileNotFoundError(
            f"No report {str(page)!r}. Run the study first, or give the path of its report.html."
        )
    html = page.read_text(encoding="utf-8")
    figures = _figures_of(html)
    if not figures:
        raise ValueError(
            f"{str(page)!r} holds no figure that gossan drew. Give the report.html of a run, written by"
            f" this version of gossan."
        )
    target.mkdir(parents=True, exist_ok=True)
    written, taken = [], set()
    for stem, svg, table in figures:
        free = next(f"{stem}{n}" for n in ("", *range(2, 9999)) if f"{stem}{n}" not in taken)
        taken.add(free)
        written.append(target / f"{free}.svg")
        written[-1].write_text(_HEAD + svg + "\n", encoding="utf-8", newline="\n")
        if table:
            written.append(target / f"{free}.csv")
            written[-1].write_bytes(unpacked(table))
    return written


def _figures_of(html: str) -> list[tuple[str, str, str]]:
    """Return stem of the file, SVG and packed table of each figure, empty where it has none."""
    reader = _FigureReader()
    reader.feed(html)
    reader.close()
    return [
        (re.sub(r"[^a-z0-9-]", "", stem) or "figure", svg, reader.tables.get(key, ""))
        for stem, svg, key in reader.figures
    ]


class _FigureReader(HTMLParser):
    """Collect the drawings of a page as they stand, and the tables that it keeps."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.figures: list[tuple[str, str, str]] = []
        self.tables: dict[str, str] = {}
        self._drawing: list[str] = []
        self._depth, self._is_figure, self._key = 0, False, ""
        self._stem, self._table = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "figure":
            self._is_figure, self._drawing, self._stem, self._table = True, [], "", ""
        elif tag == "svg" and self._is_figure:
            self._depth += 1
        elif tag == "button" and self._is_figure and "save" in (told.get("class") or ""):
            name = told.get("data-file") or ""
            self._stem = name.rpartition(".")[0] or self._stem
            self._table = told.get("data-table") or self._table
        elif tag == "script" and told.get("class") == "kept":
            self._key = told.get("id") or ""
        if self._depth:
            self._drawing.append(self.get_starttag_text() or "")

    def handle_startendtag(self, *_: object) -> None:
        if self._depth:
            self._drawing.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if self._depth:
            # Names of SVG have capitals, which the parser takes away: the tag was opened as it is.
            self._drawing.append(f"</{_as_opened(tag, self._drawing)}>")
        if tag == "svg" and self._depth:
            self._depth -= 1
        elif tag == "figure" and self._is_figure:
            self._is_figure = False
            self.figures.append((self._stem, "".join(self._drawing), self._table))
        elif tag == "script":
            self._key = ""

    def handle_data(self, data: str) -> None:
        if self._depth:
            self._drawing.append(data)
        elif self._key:
            self.tables[self._key] = self.tables.get(self._key, "") + data.strip()

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")


def _as_opened(tag: str, parts: list[str]) -> str:
    for part in reversed(parts):
        found = re.match(r"<([A-Za-z]+)", part)
        if found and found[1].lower() == tag:
            return found[1]
    return tag
