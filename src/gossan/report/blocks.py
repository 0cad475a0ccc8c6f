"""The blocks of a report: text, findings, facts, tables, figures, cards, each a frozen record.

Plain values and DataFrames come in; the page template reads the records' properties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from gossan._checks import check_option
from gossan.report._writing import file_stem, link_dois, write_cell, write_percent

if TYPE_CHECKING:  # a map brings matplotlib's colours along
    from gossan.report.citing import Methods
    from gossan.report.maps import MapView
    from gossan.report.trust import TrustBox

_SEVERITIES = {"error": "Error", "warning": "Warning", "note": "Note", "good": "Good"}
_FEWEST_GROUPED = 3  # findings in a row that share a box
_OPEN_NOTES = 2  # beyond these the notes of a box are behind a fold


@dataclass(frozen=True)
class Text:
    """A paragraph; blank lines part paragraphs.

    Parameters
    ----------
    text : str
        Plain text, no markup.
    copyable : bool
        Offer a button that copies it (methods, citations).
    """

    text: str
    copyable: bool = False

    @property
    def paragraphs(self) -> list[str]:
        """Paragraphs without blank ones."""
        return [part.strip() for part in re.split(r"\n\s*\n", self.text) if part.strip()]


@dataclass(frozen=True)
class Finding:
    """One thing the reader should know, with how grave it is.

    Parameters
    ----------
    severity : {"error", "warning", "note", "good"}
        How grave.
    message : str
        One or two sentences.
    where : str
        Rows, column or fold it concerns, may be empty.
    """

    severity: str
    message: str
    where: str = ""

    def __post_init__(self) -> None:
        check_option("severity", self.severity, tuple(_SEVERITIES))

    @property
    def word(self) -> str:
        """Severity as a word, so that colour is never alone."""
        return _SEVERITIES[self.severity]


@dataclass(frozen=True)
class Citations:
    """References to paste, with their DOIs as links.

    Parameters
    ----------
    entries : sequence of str
        One reference each.
    """

    entries: Sequence[str]

    @property
    def linked(self) -> list[Markup]:
        """Entries as HTML, escaped, each DOI a link."""
        return [link_dois(entry) for entry in self.entries]


@dataclass(frozen=True)
class Table:
    """A table that sorts by its headings and can be taken away as CSV.

    Parameters
    ----------
    title : str
        Caption.
    frame : DataFrame
        Rows and columns; the index is not shown.
    note : str
        A sentence under the table, may be empty.
    headings : mapping
        Column name to heading with unit; others have underscores turned into blanks.
    formats : mapping
        Column name to a format such as "{:.2f}" or "{:.0%}"; other numbers get three digits.
    max_rows : int
        Rows shown; the CSV always holds all.
    width : {"wide", "half"}
        Share of the column.
    """

    title: str
    frame: pd.DataFrame
    note: str = ""
    headings: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    max_rows: int = 200
    width: str = "wide"

    def __post_init__(self) -> None:
        check_option("width", self.width, ("wide", "half"))

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """Heading of each column and whether it holds numbers."""
        return [
            (self.headings.get(name, str(name).replace("_", " ")), _is_number(self.frame[name]))
            for name in self.frame.columns
        ]

    @property
    def rows(self) -> list[list[tuple[str, str]]]:
        """Rows shown: for each cell what is written and what it sorts by."""
        shown = self.frame.head(self.max_rows)
        columns = [
            [write_cell(value, self.formats.get(str(name), "")) for value in shown[name]]
            for name in shown.columns
        ]
        return [list(row) for row in zip(*columns, strict=True)]

    @property
    def n_hidden(self) -> int:
        """Rows that only the CSV holds."""
        return max(len(self.frame) - self.max_rows, 0)

    @property
    def file(self) -> str:
        """File name for the download."""
        return file_stem(self.title) + ".csv"


@dataclass(frozen=True)
class Figure:
    """An SVG with its caption, its words for those who do not see it, and its data.

    Parameters
    ----------
    title : str
        What the figure shows.
    svg : str
        From `gossan.plot.style.to_svg`.
    alt : str
        The picture in a sentence or two.
    caption : str
        How to read it.
    data : DataFrame, optional
        What was drawn, for the CSV download.
    width : {"wide", "half"}
        Share of the column; two halves stand side by side on a wide screen.
    """

    title: str
    svg: str
    alt: str
    caption: str = ""
    data: pd.DataFrame | None = None
    width: str = "wide"

    def __post_init__(self) -> None:
        check_option("width", self.width, ("wide", "half"))

    def inline(self, key: str) -> Markup:
        """SVG to set into the page, with ids that start with `key` and a name for screen readers.

        Parameters
        ----------
        key : str
            What no other figure of the page has.

        Returns
        -------
        svg : Markup
            The element.
        """
        prefix = f"{key}-"
        svg = re.sub(r"<[^<>]*>", lambda tag: _prefix_ids(tag[0], prefix), self.svg)
        opening = f'<svg role="img" aria-label="{escape(self.alt)}" '
        # The SVG is drawn by us: matplotlib has escaped every label in it.
        return Markup(svg.replace("<svg ", opening, 1))  # noqa: S704

    @property
    def data_note(self) -> str:
        """What the CSV leaves out, empty where it holds all that is drawn."""
        step = 1 if self.data is None else int(self.data.attrs.get("step", 1))
        return f"The CSV has each {step}. row and column of cells." if step > 1 else ""

    @property
    def file(self) -> str:
        """File name without its ending."""
        return file_stem(self.title)


@dataclass(frozen=True)
class Fact:
    """A number that a reader takes along: large figure, what it is, and what to hold against it.

    Parameters
    ----------
    value : str
        The number as written ("0.81", "144 ± 50 °C").
    label : str
        What it is.
    detail : str
        Interval, comparison or caution.
    tone : {"plain", "good", "warning", "error"}
        Colour of the edge; the words must carry the meaning too.
    """

    value: str
    label: str
    detail: str = ""
    tone: str = "plain"


@dataclass(frozen=True)
class Facts:
    """A row of facts.

    Parameters
    ----------
    facts : sequence of Fact
        Two to six.
    """

    facts: Sequence[Fact]


@dataclass(frozen=True)
class Card:
    """What was concluded about one deposit or target.

    Parameters
    ----------
    title : str
        Its name.
    verdict : str
        The conclusion in a word or two.
    probability : float, optional
        0 to 1.
    colour : str
        Colour of the verdict, as a hexadecimal code.
    lines : sequence of str
        Short facts under it.
    findings : sequence of Finding
        Cautions.
    facts : sequence of (str, str)
        What is known of it, each a word and what is to be said: set as two columns.
    """

    title: str
    verdict: str
    probability: float | None = None
    colour: str = "#5b6773"
    lines: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    facts: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", self.colour):
            raise ValueError(
                f"A card's colour must be a code like #0072B2, got {self.colour!r}. "
                "Take it from gossan.plot.style.class_colours."
            )

    @property
    def percent(self) -> str:
        """Probability in whole percent, empty without one; no verdict is wholly certain."""
        if self.probability is None or not np.isfinite(self.probability):
            return ""
        return write_percent(self.probability)

    @property
    def width(self) -> float:
        """Length of the bar [%]."""
        return 100 * float(self.probability or 0.0)


@dataclass(frozen=True)
class Details:
    """Blocks behind a fold that opens on a click; a closed fold is not printed.

    Parameters
    ----------
    summary : str
        What is behind it.
    blocks : sequence of block
        What the fold holds.
    """

    summary: str
    blocks: Sequence[Any]


@dataclass(frozen=True)
class Part:
    """A part of a section under a smaller heading.

    Parameters
    ----------
    title : str
        Heading.
    intro : str
        One paragraph that says what the part answers.
    blocks : sequence of block
        What it holds.
    """

    title: str
    intro: str
    blocks: Sequence[Any]


@dataclass(frozen=True)
class FindingList:
    """Findings that follow one another, in one box, the worst first; many notes behind a fold.

    Parameters
    ----------
    findings : sequence of Finding
        What to know.
    """

    findings: Sequence[Finding]

    @property
    def grave(self) -> list[Finding]:
        """Those that stand open."""
        ranked = sorted(self.findings, key=lambda found: list(_SEVERITIES).index(found.severity))
        n_notes = sum(found.severity == "note" for found in ranked)
        return [found for found in ranked if found.severity != "note" or n_notes <= _OPEN_NOTES]

    @property
    def notes(self) -> list[Finding]:
        """Those behind the fold."""
        return [found for found in self.findings if found not in self.grave]


def grouped(blocks: Sequence[Any]) -> list[Any]:
    """Put findings that follow one another into one box; what holds blocks is searched too.

    Parameters
    ----------
    blocks : sequence of block

    Returns
    -------
    blocks : list of block

    Examples
    --------
    >>> one, two = Finding("note", "One."), Finding("error", "Two.")
    >>> [type(block).__name__ for block in grouped([one, two, one, Text("End.")])]
    ['FindingList', 'Text']
    """
    told: list[Any] = []
    for is_run, run in groupby(blocks, key=lambda block: isinstance(block, Finding)):
        members = list(run)
        if is_run and len(members) >= _FEWEST_GROUPED:
            told.append(FindingList(members))
        elif is_run:
            told += members
        else:
            told += [
                replace(block, blocks=grouped(block.blocks))
                if isinstance(block, (Part, Details))
                else block
                for block in members
            ]
    return told


@dataclass(frozen=True)
class SceneLink:
    """A link to the 3D view beside the page, as `gossan.report.write_scene` wrote it.

    Parameters
    ----------
    file : str
        Name of the file in the folder of the report.
    note : str
        What it shows.
    title : str
        Text of the link.
    """

    file: str = "view3d.html"
    note: str = ""
    title: str = "Open the 3D view"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w][\w .-]*\.html", self.file):
            raise ValueError(
                f"A 3D view is a file beside the report, got {self.file!r}. Give its name only,"
                " such as 'view3d.html'."
            )


Block: TypeAlias = Union[
    "Text",
    "Finding",
    "FindingList",
    "Facts",
    "Table",
    "Figure",
    "Citations",
    "Methods",
    "Details",
    "Part",
    "SceneLink",
    "MapView",
    "TrustBox",
]


def _prefix_ids(tag: str, prefix: str) -> str:
    tag = re.sub(r'(?<=\sid=")', prefix, tag)
    return re.sub(r'(?<=url\(#)|(?<=href="#)', prefix, tag)


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
