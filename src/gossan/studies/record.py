"""A study file as a record: what was asked for, section by section.

`gossan.study.read_study` makes it from a TOML file; the steps of the studies read it.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


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

    @property
    def text(self) -> str:
        """The file as it stands, comments and all."""
        return study_text(self.path)


def study_text(path: Path) -> str:
    """Text of a study file in UTF-8 or, as the `>` of PowerShell writes it, in UTF-16.

    Parameters
    ----------
    path : Path

    Returns
    -------
    text : str

    Raises
    ------
    UnicodeDecodeError
        If it is neither.
    """
    data = path.read_bytes()
    text = data.decode("utf-16" if data.startswith(UTF_16) else "utf-8-sig")
    return text.replace("\r\n", "\n")
