"""Templates of the pages, and the one way a page reaches the disk: whole or not at all."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from gossan.report._writing import write_cell

_PERCENT = re.compile(r"(?<=\d) ?%")  # one style, and no line begins with the sign


@cache
def environment() -> Environment:
    """Return the templates, which escape every word they are given."""
    templates = Environment(
        loader=PackageLoader("gossan.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["told"] = lambda text: _PERCENT.sub("\u00a0%", str(text))
    templates.filters["shown"] = lambda value: write_cell(value, "")[0]
    return templates


def as_json(header: Mapping[str, Any]) -> str:
    """Write JSON that no browser can take for markup."""
    text = json.dumps(header, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def write_whole(path: str | os.PathLike[str], page: str, *, what: str) -> Path:
    """Write a page beside its place and move it there, so that no half of it is ever seen."""
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"No folder {str(target.parent)!r} to write the {what} {target.name!r} into. "
            "Create it first, or give another path."
        )
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=target.parent, suffix=".part", delete=False
    ) as part:
        try:
            part.write(page)
        except BaseException:
            Path(part.name).unlink()
            raise
    Path(part.name).chmod(0o644)
    return Path(part.name).replace(target)
