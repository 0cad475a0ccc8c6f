"""The schema of a study file: its sections and keys, their kinds, defaults and meanings.

The functions behind the sections and the commented template come in; rows of text go out.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gossan.studies.keys import hints_of, kind_of, needed_keys

READING = ("read", "holes", "samples", "layers")  # sections that say what is read
COMPUTED = ("elements", "training")  # what the other sections' steps work out themselves
# What keys mean wherever they stand, where neither the template nor a docstring of theirs says more.
USUAL = {
    "random_state": "seed: the same one gives the same run",
    "seeds": "seeds of the model, averaged",
    "n_seeds": "seeds that are averaged, and whose spread is told",
    "n_random_splits": "folds of random rows, the split that flatters",
    "n_splits": "folds that are held out",
    "n_draws": "draws of the background, whose spread is told",
    "n_neighbours": "samples that speak for a cell",
    "n_factors": "factors that are looked for",
    "per_positive": "background cells for each occurrence",
    "most": "targets that are told at most",
    "collar": "table of the collars: hole, easting, northing, elevation, depth",
    "survey": "table of the surveys",
    "assay": "table of the assays: hole, from, to, analytes",
    "lithology": "table of the rocks: hole, from, to, and words",
    "samples": "table of samples with coordinates and analyses",
    "occurrences": "table or vector file of known occurrences",
    "elements": "analytes to take; default: all",
    "element": "the element whose grade makes ore",
    "near": "elements that rise at ore",
    "min_coverage": "least share of a composite that must be assayed",
    "table": "file to read, relative to the study file",
    "column": "column of the table",
    "words": "rows count whose column holds one of these",
    "names": "methods to compare",
    "protocols": "ways to hold out",
    "units": "of the analytes, where headers do not say; one for all, or each its own",
    "decimal": "decimal mark, where it cannot be told",
    "negatives": 'what -0.5 means: "limit" (below 0.5), "missing" or "error"',
    "columns": 'headers that are not recognised: { collar = { easting = "X_LOCAL" } }',
    "sheets": 'of a workbook: { collar = "Collars", assay = "Assays" }',
    "errors": 'text that is no number: "raise" or "missing"',
    "easting": "column of the easting, where it has an unusual name",
    "northing": "column of the northing, where it has an unusual name",
    "crs": 'system of the coordinates, such as "EPSG:26911"',
    "to_crs": "system that longitudes and latitudes are brought to",
    "nodata": "value that means no data, besides what the files say",
}


@dataclass(frozen=True)
class Key:
    """A key of a section.

    Attributes
    ----------
    section, name : str
    kind : str
        What its value is, in the words of a study file.
    default : str
        As it is written in TOML; empty where there is none.
    is_needed : bool
        Whether the section cannot do without it.
    meaning : str
        One line.
    """

    section: str
    name: str
    kind: str
    default: str
    is_needed: bool
    meaning: str


def functions_of(name: str, sections: Mapping[str, Callable[..., Any]]) -> list[Callable[..., Any]]:
    """The functions that take the keys of a section: its own and, where that hands on, the reader.

    Parameters
    ----------
    name : str
        Of the section.
    sections : mapping of section to function

    Returns
    -------
    functions : list of callable
    """
    functions = [sections[name]]
    if "read" in inspect.signature(sections[name]).parameters:
        functions.append(sections["read"])  # what it does not know itself goes on to reading
    return functions


def keys_of(name: str, sections: Mapping[str, Callable[..., Any]], *, template: str) -> list[Key]:
    """Every key that a section may hold.

    Parameters
    ----------
    name : str
        Of the section.
    sections : mapping of section to function
    template : str
        The commented study file: its comments say what keys mean, where docstrings do not.

    Returns
    -------
    keys : list of Key
        In the order of the signature, those that are needed marked.
    """
    functions = functions_of(name, sections)
    hints = hints_of(functions, () if name in READING else COMPUTED)
    needed = {key for function in functions[:1] for key in needed_keys(function)} | _first(
        functions[0]
    )
    comments = comments_of(template)
    told: dict[str, str] = {}
    for function in reversed(functions):
        told |= parameters_of(function)
    found = []
    for key, hint in hints.items():
        meaning = comments.get((name, key)) or told.get(key) or USUAL.get(key, "")
        kind = kind_of(hint) or "a value"
        found.append(Key(name, key, kind, _default_of(functions, key), key in needed, meaning))
    return found


def comments_of(template: str) -> dict[tuple[str, str], str]:
    r"""What the comments of a template say of its keys.

    Parameters
    ----------
    template : str

    Returns
    -------
    comments : dict of (section, key) to str

    Examples
    --------
    >>> comments_of("[ore]\n# reach = 15   # how far a composite speaks [m]\n")
    {('ore', 'reach'): 'how far a composite speaks [m]'}
    """
    section, comments = "", {}
    lines = template.splitlines()
    for number, line in enumerate(lines):
        head = re.match(r"(?:# )?\[(\w+)\]", line)
        section = head[1] if head else section
        key = re.match(r"(?:# )?(\w+) = (.*)$", line)
        if key and section:
            place = number
            # a list that goes on over lines has its comment after the last of them
            while _is_open(lines[number : place + 1]) and place + 1 < len(lines):
                place += 1
            comment = lines[place].rpartition("  # ")[2] if "  # " in lines[place] else ""
            if comment:
                comments[section, key[1]] = comment.strip()
    return comments


def parameters_of(function: Callable[..., Any]) -> dict[str, str]:
    """First sentence of what a numpydoc docstring says of each parameter.

    Parameters
    ----------
    function : callable

    Returns
    -------
    meanings : dict of str to str

    Examples
    --------
    >>> parameters_of(functions_of)["name"]
    'Of the section'
    """
    text = inspect.getdoc(function) or ""
    block = re.search(r"Parameters\n-+\n(.*?)(?:\n\n[A-Z]\w+\n-+|\Z)", text, re.DOTALL)
    meanings: dict[str, str] = {}
    names: list[str] = []
    for line in (block[1] if block else "").splitlines():
        if line and not line.startswith(" "):
            names = [name.strip(" *") for name in line.partition(" : ")[0].split(",")]
        elif line.strip():
            for name in names:
                meanings[name] = f"{meanings.get(name, '')} {line.strip()}".strip()
    return {name: _first_sentence(told) for name, told in meanings.items()}


def write_keys(keys: Sequence[Key], *, heading: str) -> str:
    """Write the keys of a section as lines to print.

    Parameters
    ----------
    keys : sequence of Key
    heading : str
        What the section is for.

    Returns
    -------
    text : str

    Examples
    --------
    >>> print(write_keys([Key("ore", "cutoff", "a number", "", True, "least grade of ore")],
    ...                  heading="What is ore."))
    [ore]  What is ore.
      cutoff = ...  (needed)
          a number: least grade of ore
    """
    lines = [f"[{keys[0].section}]  {heading}"]
    for key in keys:
        value = key.default or "..."
        lines.append(f"  {key.name} = {value}" + "  (needed)" * key.is_needed)
        lines.append(f"      {key.kind}: {key.meaning}" if key.meaning else f"      {key.kind}")
    return "\n".join(lines)


def _first(function: Callable[..., Any]) -> set[str]:
    """Return the positional arguments without a default: a table to read."""
    return {
        key
        for key, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        and parameter.default is parameter.empty
    }


def _is_open(lines: Sequence[str]) -> bool:
    code = " ".join(line.split("  #")[0] for line in lines)
    return code.count("[") > code.count("]")


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.;])\s", text)[0].rstrip(".;")


def _default_of(functions: Sequence[Callable[..., Any]], key: str) -> str:
    for function in functions:
        parameter = inspect.signature(function).parameters.get(key)
        if parameter is not None and parameter.kind is not parameter.VAR_KEYWORD:
            return _as_toml(parameter.default) if parameter.default is not parameter.empty else ""
    return ""


def _as_toml(value: Any) -> str:
    """Return a default as TOML writes it; empty for None, which is to leave the line out."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_as_toml, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else f"{value:g}"
