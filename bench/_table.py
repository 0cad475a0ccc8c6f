"""What every bench shares: two options, one aligned table, one results file.

Rows of measurements come in; a table is printed and ``bench/results/NAME.json`` written. A row is
``{"id", "ours", "peer", "goal", "unit", "seeds"}``; ``peer`` and ``goal`` may be None, and further
keys (an interval, the peer's name) are kept in the file. The goal of a row is a number with a sign
in front: ">=8", "<=0.05".

    from _table import parse_options, report

    options = parse_options(__doc__, seeds=5)
    rows = [{"id": "speed", "ours": 9.1, "peer": 1.0, "goal": ">=8", "unit": "x", "seeds": 5}]
    report("batched_training", rows, options)
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
COLUMNS = ("id", "ours", "peer", "goal", "unit", "seeds")


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line: how many seeds, and whether only a quick look."""

    seeds: int
    quick: bool


def parse_options(
    doc: str | None = None,
    *,
    seeds: int = 5,
    quick_seeds: int = 1,
    argv: Sequence[str] | None = None,
) -> Options:
    """Read ``--quick`` and ``--seeds N``; a quick run uses `quick_seeds` unless told otherwise."""
    parser = argparse.ArgumentParser(description=(doc or "").strip().split("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="a small run; prints, and leaves the results file"
    )
    parser.add_argument("--seeds", type=int, help=f"number of seeds (default {seeds})")
    given = parser.parse_args(argv)
    if given.seeds is not None and given.seeds < 1:
        parser.error(f"--seeds must be 1 or more, got {given.seeds}")
    fallback = quick_seeds if given.quick else seeds
    return Options(seeds=fallback if given.seeds is None else given.seeds, quick=given.quick)


def report(name: str, rows: Sequence[Mapping[str, Any]], options: Options, **facts: Any) -> None:
    """Print the rows; unless the run was a quick one, write them to ``results/NAME.json``.

    `facts` (timings, the size of the data, a note) go into every row of the file.
    """
    print(table(rows))
    if options.quick:
        print(f"quick run: {name}.json is left as it is")
        return
    document = [{**row, **facts} for row in rows]
    print(f"written: {write_json(name, document).relative_to(RESULTS.parents[1])}")


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as text in aligned columns, with a last column that says whether the goal is met."""
    lines = [[*COLUMNS, "met"]]
    lines += [[*(_cell(row.get(key)) for key in COLUMNS), _verdict(row)] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = [
        "  ".join(
            cell.ljust(width) if i in {0, 4, 6} else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])


def is_met(ours: float | None, goal: str | None) -> bool | None:
    """Whether `ours` meets a goal such as ">=8"; None where there is nothing to compare."""
    if goal is None or ours is None:
        return None
    if goal.startswith(">="):
        return bool(ours >= float(goal[2:]))
    if goal.startswith("<="):
        return bool(ours <= float(goal[2:]))
    raise ValueError(f"A goal starts with >= or <=, got {goal!r}. Write it as '>=8' or '<=0.05'.")


def write_json(name: str, document: Sequence[Mapping[str, Any]]) -> Path:
    """Write ``results/NAME.json`` in one step, so that a broken run leaves the old file whole."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    handle, draft = tempfile.mkstemp(dir=RESULTS, prefix=f".{name}", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2, ensure_ascii=False, allow_nan=False)
            file.write("\n")
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return path


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _verdict(row: Mapping[str, Any]) -> str:
    met = is_met(row.get("ours"), row.get("goal"))
    return "" if met is None else ("yes" if met else "NO")
