"""What gossan does with damaged and hostile files: each is read, or refused in words that name it.

Thousands of damaged and forged copies of sound files go through every reader, each in a child process
with a limit on its memory. The goals: no crash, no hang, no error but a ValueError or an OSError that
names the file. Further parts of this bench (PARTS) each give rows of their own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _fuzz_seeds import all_seeds
from _fuzzing import Outcome, by_reader
from _kills import killed_runs
from _table import Options, is_met, parse_options, report

FILES_A_SEED = 120  # for each seed of the random numbers; a quick run takes QUICK
QUICK = 4
KEEP = Path(os.environ["GOSSAN_FAULTS"]) if "GOSSAN_FAULTS" in os.environ else None
"""Folder into which files that are at fault are put, to be looked at."""


def fuzzed_readers(options: Options) -> list[dict[str, Any]]:
    """Rows of the fuzzing: one a reader, then the sum of all."""
    n = QUICK if options.quick else FILES_A_SEED * options.seeds
    total, rows = Outcome(), []
    for reader, outcome in by_reader(all_seeds(), n, keep=KEEP):
        total.add(outcome)
        rows.append(_row(reader, outcome, options))
        print(f"{reader}: {_counts(outcome)}", flush=True)
        for fault in outcome.faults:
            print(f"    {fault}")
    n_files = sum(total.counts.values())
    print(f"readers fuzzed {len(rows)}, files tried {n_files}, {_counts(total)}")
    return [*rows, _row("all readers", total, options, readers=len(rows))]


def _row(reader: str, outcome: Outcome, options: Options, **more: Any) -> dict[str, Any]:
    counts = outcome.counts
    return {
        "id": f"{reader}: crashes, hangs, other errors",
        "ours": counts["crash"] + counts["hang"] + counts["fault"],
        "peer": None,
        "goal": "<=0",
        "unit": "files",
        "seeds": options.seeds,
        "files_tried": sum(counts.values()),
        "clean_refusals": counts["refused"],
        "accepted": counts["accepted"],
        "crashes": counts["crash"],
        "hangs": counts["hang"],
        "other_errors": counts["fault"],
        "slowest_seconds": round(outcome.slowest, 2),
        **more,
    }


def _counts(outcome: Outcome) -> str:
    counts = outcome.counts
    bad = f"crashes {counts['crash']}, hangs {counts['hang']}, other errors {counts['fault']}"
    return f"clean refusals {counts['refused']}, accepted {counts['accepted']}, {bad}"


PARTS: list[Callable[[Options], list[dict[str, Any]]]] = [killed_runs, fuzzed_readers]


def main() -> None:
    options = parse_options(__doc__, seeds=2)
    rows = [row for part in PARTS for row in part(options)]
    report("robustness", rows, options)
    if any(is_met(row["ours"], row["goal"]) is False for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
