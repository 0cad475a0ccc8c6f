"""Every claim about speed and score on one page: what is claimed, beside whom, and how to repeat it.

    python bench/claims.py [--quick]

Reads the results that the benches left in bench/results and measures nothing, so that `--quick`
changes nothing. A row is reached if it meets its goal; rows without a goal are told as they are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _table import COLUMNS, RESULTS, is_met

# Results whose name is not that of their bench.
COMMANDS = {"kriging_cells": "python bench/kriging.py --cells 1e8"}
HEADERS = ("claim", "ours", "peer", "ratio", "goal", "unit", "seeds", "reached")


@dataclass(frozen=True)
class Bench:
    """The rows that one command printed."""

    name: str
    command: str
    rows: tuple[Mapping[str, Any], ...]

    @property
    def tally(self) -> str:
        """How many of the goals are reached."""
        verdicts = [is_met(row["ours"], row["goal"]) for row in self.rows]
        asked = [verdict for verdict in verdicts if verdict is not None]
        return f"{sum(asked)} of {len(asked)} goals reached" if asked else "no goals set"


def main() -> None:
    """Print a table for each bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the same: nothing is measured here")
    parser.parse_args()
    for bench in read_benches():
        print(f"{bench.name}: {bench.tally}\n  {bench.command}\n")
        print(aligned([HEADERS, *map(cells, bench.rows)]) + "\n")


def read_benches(folder: Path = RESULTS) -> list[Bench]:
    """Return what the benches left, by name; a file that is not in the house's format is refused."""
    return [
        Bench(path.stem, command_of(path.stem), tuple(read_rows(path)))
        for path in sorted(folder.glob("*.json"))
    ]


def command_of(name: str) -> str:
    """Return the command that makes the results of this name."""
    return COMMANDS.get(name, f"python bench/{name}.py")


def read_rows(path: Path) -> list[Mapping[str, Any]]:
    """Return the rows of a results file."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"{path.name} must hold a list of rows, got {type(rows).__name__}. "
                         f"Write it again: {command_of(path.stem)}")  # fmt: skip
    for number, row in enumerate(rows):
        missing = [key for key in COLUMNS if key not in row]
        if missing:
            raise ValueError(f"{path.name}, row {number}, has no {', '.join(missing)}. "
                             f"Write it again: {command_of(path.stem)}")  # fmt: skip
        is_met(row["ours"], row["goal"])  # refuses a goal that is no number with a sign
    return rows


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a row as text."""
    met = is_met(row["ours"], row["goal"])
    return (
        str(row["id"]),
        number(row["ours"]),
        number(row["peer"]),
        number(ratio(row["ours"], row["peer"])),
        row["goal"] or "-",
        row["unit"] or "-",
        str(row["seeds"]),
        "-" if met is None else ("yes" if met else "no"),
    )


def ratio(ours: float | None, peer: float | None) -> float | None:
    """Return ours over the peer's, where both are known and there is something to divide by."""
    if ours is None or peer is None or peer == 0:
        return None
    return ours / peer


def number(value: float | None) -> str:
    """Return a number with three digits, and a dash where there is none."""
    return "-" if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells in columns, the claim at the left."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) if i else cell.ljust(width)
                  for i, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
        for line in lines
    )  # fmt: skip


def as_markdown(benches: Sequence[Bench] | None = None) -> str:
    """Return the same page as Markdown, for the site."""
    benches = read_benches() if benches is None else benches
    text = (
        "# Claims, and how to repeat them\n\n"
        "Every figure that gossan quotes was printed by a command of the folder `bench/` and is in "
        "its results file. This page is made from these files when the site is built.\n\n"
        "*Ratio* is ours over the peer's: above 1 is better for scores and speeds, below 1 for "
        "times, errors and memory; the sign of the goal says which. *Reached* is told where a goal "
        "was set before measuring; a goal that was missed says so. Times are of the machine on "
        "which the bench ran last, both sides in one run.\n\n"
        "| bench | command | goals |\n|---|---|---|\n"
    )
    for bench in benches:
        text += f"| [{bench.name}](#{bench.name}) | `{bench.command}` | {bench.tally} |\n"
    for bench in benches:
        text += f"\n## {bench.name.replace('_', ' ')} {{#{bench.name}}}\n\n`{bench.command}`\n\n"
        text += f"| {' | '.join(HEADERS)} |\n|{'---|' * len(HEADERS)}\n"
        for row in bench.rows:
            safe = (cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells(row))
            text += f"| {' | '.join(safe)} |\n"
    return text


if __name__ == "__main__":
    main()
