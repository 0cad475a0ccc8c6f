"""Names of deposits, studies or samples that may be one name written in two ways.

A list of names comes in; pairs of names go out, with how far each pair deserves a look.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MAX_NAMES = 3000  # pairs grow with the square; beyond this a column is no list of groups


def similar_names(names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Pairs of names that may be the same, each with "warning" or "note".

    Parameters
    ----------
    names : sequence of str
        Different names.

    Returns
    -------
    pairs : list of (first, second, severity)
        ``"warning"``: the same letters (case, accents, blanks and punctuation apart), or one
        letter of difference (two in names of ten or more) between words of five letters or more.
        ``"note"``: such a difference between shorter words, often codes that mean two things;
        nothing is said about codes with digits.

    Examples
    --------
    >>> similar_names(["Mauer", "Maurer", "Zone 1", "Zone 2", "Freiberg kb", "Freiberg eb"])
    [('Mauer', 'Maurer', 'warning'), ('Freiberg kb', 'Freiberg eb', 'note')]
    """
    if len(names) > _MAX_NAMES:
        return []
    plain = [_plain(name) for name in names]
    pairs = []
    for i, j in _candidates(plain):
        severity = _compare(plain[i], plain[j])
        if severity:
            pairs.append((names[i], names[j], severity))
    return pairs


def edit_distance(first: str, second: str) -> int:
    """Count the letters to insert, delete, change or swap to turn one word into another.

    The optimal string alignment distance (Damerau 1964, doi:10.1145/363958.363994).

    Examples
    --------
    >>> edit_distance("Mauer", "Maurer"), edit_distance("Pinguet", "Pingeut")
    (1, 1)
    """
    before: list[int] = []
    above = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        row = [i]
        for j, b in enumerate(second, start=1):
            cost = min(row[j - 1] + 1, above[j] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
    return above[-1]


def _plain(name: str) -> str:
    """Lower case, no accents, and a blank between words, codes and numbers: "OR-1" to "or 1"."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return " ".join(re.findall(r"[0-9]+|[^\W0-9_]+", letters))


def _compare(first: str, second: str) -> str:
    """How far two plain names deserve a look: "warning", "note" or ""."""
    has_digits = bool(re.search(r"[0-9]", first + second))
    if first == second or (not has_digits and first.replace(" ", "") == second.replace(" ", "")):
        return "warning" if first else ""
    shorter = min(len(first), len(second))
    if shorter < 5 or edit_distance(first, second) > (2 if shorter >= 10 else 1):
        return ""
    ours, theirs = first.split(), second.split()
    changed = [word for word in ours if word not in theirs] + [w for w in theirs if w not in ours]
    if any(word.isdigit() for word in changed) or not changed:
        return ""
    if min(len(word) for word in changed) >= 5:
        return "warning"
    return "" if has_digits else "note"  # "WB-5R" and "PB-5R" are codes of two things


def _candidates(plain: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs whose letters differ by four at most: only these can be two edits apart."""
    letters = sorted({letter for name in plain for letter in name if letter != " "})
    place = {letter: j for j, letter in enumerate(letters)}
    counts: NDArray[np.int16] = np.zeros((len(plain), len(letters) + 1), dtype=np.int16)
    for i, name in enumerate(plain):
        for letter in name:
            if letter != " ":
                counts[i, place[letter]] += 1
    pairs = []
    for i in range(len(plain) - 1):
        apart = np.abs(counts[i + 1 :] - counts[i]).sum(axis=1)
        pairs += [(i, i + 1 + int(j)) for j in np.flatnonzero(apart <= 4)]
    return pairs
