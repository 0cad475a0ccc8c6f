"""How values, references and tables are written on a page: numbers, cells, DOIs, file names.

Single values and tables come in; escaped HTML, or plain text goes out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|\bdoi:\s*)?\b(10\.\d{4,9}/[^\s<>\"']*[\w)])")


def write_number(value: float) -> str:
    """Write a number with three significant digits, plain and with a true minus.

    Examples
    --------
    >>> write_number(42000.0), write_number(-0.01234), write_number(3.0)
    ('42,000', '−0.0123', '3')
    """
    if not np.isfinite(value):
        return str(value)
    is_small = value != 0 and abs(value) < 1e-4
    if is_small:
        text = f"{value:.1e}"
    elif abs(value) >= 100 or value == int(value):
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return text.replace("-", "−")


def number_of(row: pd.Series | None, name: str) -> float:
    """Return a number of a row of a table, NaN where it is missing."""
    value = np.nan if row is None else row.get(name, np.nan)
    return float(value) if value is not None and not pd.isna(value) else float("nan")


def metres(place: float) -> str:
    """Write a coordinate to the decimetre.

    Examples
    --------
    >>> metres(606.791691), metres(3_620_628.0)
    ('606.8', '3,620,628')
    """
    return f"{round(place, 1):,.10g}".replace("-", "−")


def write_cell(value: Any, pattern: str) -> tuple[str, str]:
    """Write a value for reading, and for sorting."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(map(str, value)), ""
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124
        return "–", ""
    if isinstance(value, (bool, np.bool_)):
        return ("yes" if value else "no"), str(int(value))
    if isinstance(value, (int, float, np.integer, np.floating)):
        told = pattern.format(value).replace("-", "−") if pattern else write_number(float(value))
        told = told.replace("%", " %")  # as in the sentences
        return told, repr(float(value))
    return str(value), ""


def link_dois(entry: str) -> Markup:
    """Escape a reference and turn its DOIs into links.

    Examples
    --------
    >>> link_dois("Gul 2025 <i>, doi:10.1016/j.gexplo.2025.107771.")
    Markup('Gul 2025 &lt;i&gt;, <a href="https://doi.org/10.1016/j.gexplo.2025.107771" \
rel="noopener noreferrer">doi:10.1016/j.gexplo.2025.107771</a>.')
    """
    linked, end = Markup(""), 0
    for found in DOI.finditer(entry):
        linked += escape(entry[end : found.start()])
        linked += Markup(
            '<a href="https://doi.org/{}" rel="noopener noreferrer">doi:{}</a>'
        ).format(quote(found[1], safe="/().:;-_"), found[1])
        end = found.end()
    return linked + escape(entry[end:])


def file_stem(title: str) -> str:
    """Lower-case name for a file or an anchor, from a title.

    Examples
    --------
    >>> file_stem("How sure? (held-out deposits)")
    'how-sure-held-out-deposits'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "part"


def write_percent(probability: float) -> str:
    """Whole percent of a probability, which is never wholly certain.

    Examples
    --------
    >>> write_percent(0.914), write_percent(0.9996), write_percent(0.0004)
    ('91', '> 99', '< 1')
    """
    if probability > 0.995:
        return "> 99"
    return "< 1" if probability < 0.005 else f"{100 * probability:.0f}"


def join_words(words: Sequence[str], *, longest: int = 12) -> str:
    """Join words with commas and "and", the rest of a long list counted.

    Examples
    --------
    >>> join_words(["Cd", "Cu", "Zn"])
    'Cd, Cu and Zn'
    """
    shown = list(words[:longest])
    if len(words) > longest:
        shown = [*shown, f"{len(words) - longest} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def capitalised(text: str) -> str:
    """Return a text with its first letter large, the others as they are.

    Examples
    --------
    >>> capitalised("random forest of Cu"), capitalised("")
    ('Random forest of Cu', '')
    """
    return text[:1].upper() + text[1:]


def count_of(n: int, one: str, many: str = "") -> str:
    """Write a number of things.

    Examples
    --------
    >>> count_of(1, "analysis", "analyses"), count_of(1200, "hole")
    ('1 analysis', '1,200 holes')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"
