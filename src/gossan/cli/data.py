"""`gossan data`: the public data sets, where they were found, under which licence."""

from __future__ import annotations

import argparse


def run_data(options: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes its options
    """List the data sets."""
    from gossan.datasets import list_datasets

    for row in list_datasets().itertuples():
        where = row.found or ("can be downloaded" if row.download else "not found, local only")
        print(
            f"{row.name}\n    {row.title}\n    {where}; licence: {row.licence}\n    {row.citation}"
        )
    print("\nSet GOSSAN_DATA to a folder that holds them, each in a folder of its name.")
    return 0
