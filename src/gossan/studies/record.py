"""A study file as a record: what was asked for, section by section.

`gossan.study.read_study` makes it from a TOML file; the steps of the studies read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Study:
    """A study file, read and checked for words that nobody knows.

    Attributes
    ----------
    kind : str
        Which study: one of `KINDS`.
    title : str
        Heading of the report.
    mineral : str
        Mineral of the analyses; "sphalerite" adds its thermometers.
    sections : dict of str to dict
        Arguments of each call.
    path : Path
        The file.
    """

    kind: str
    title: str
    mineral: str
    path: Path
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
