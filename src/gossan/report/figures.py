"""The figures of a report as files: each an SVG, and what was drawn as CSV.

A `Report` comes in; numbered files in a folder go out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gossan.report._writing import file_stem
from gossan.report.blocks import Block, Details, Figure
from gossan.report.page import Report


def figures_of(report: Report) -> Iterator[Figure]:
    """Every figure of a page, in its order.

    Parameters
    ----------
    report : Report

    Yields
    ------
    figure : Figure
    """
    for section in report.sections:
        yield from _among(section.blocks)


def write_figures(folder: Path, report: Report) -> list[Path]:
    """Write every figure of a page as SVG, and what was drawn in it as CSV.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    report : Report

    Returns
    -------
    paths : list of Path
        `NUMBER-TITLE.svg` and, where the figure knows its data, `NUMBER-TITLE.csv`.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, figure in enumerate(figures_of(report), start=1):
        stem = f"{number:02d}-{file_stem(figure.title)}"
        paths.append(folder / f"{stem}.svg")
        paths[-1].write_text(figure.svg, encoding="utf-8")
        if figure.data is not None:
            paths.append(folder / f"{stem}.csv")
            has_names = figure.data.index.name is not None
            figure.data.to_csv(paths[-1], index=has_names, encoding="utf-8")
    return paths


def _among(blocks: Sequence[Block]) -> Iterator[Figure]:
    for block in blocks:
        if isinstance(block, Figure):
            yield block
        elif isinstance(block, Details):
            yield from _among(block.blocks)
