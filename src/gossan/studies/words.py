"""The words of a study file against its sections: all that is wrong, and what was meant.

Keys and values as TOML gives them come in; problems in words, and mended arguments, go out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gossan._checks import did_you_mean
from gossan.studies.explaining import COMPUTED, READING, functions_of
from gossan.studies.keys import as_meant, fits, key_problems, lacks, value_problems


def top_problems(
    path: Path, words: Mapping[str, Any], known: Sequence[str], sections: Mapping[str, Any]
) -> list[str]:
    """What is wrong with the words before the first section.

    Parameters
    ----------
    path : Path
        Study file.
    words : mapping
    known : sequence of str
        Words that may stand there.
    sections : mapping of section to function

    Returns
    -------
    problems : list of str
    """
    problems = []
    for word, value in words.items():
        if word in sections:
            problems.append(
                f"{path}: {word} must be a section, got {str(value)[:40]}. Write [{word}] on a line of"
                " its own, in one pair of brackets, and its keys below."
            )
        elif word not in known:
            problems.append(
                f"{path}: unknown key {word!r} before the first section."
                f"{did_you_mean(word, known)} Known are {', '.join(known)}."
            )
        elif not fits(value, str):
            problems.append(
                f'{path}: {word} must be text in quotes, got {value!r}. Write {word} = "...".'
            )
    return problems


def section_words(
    where: str,
    name: str,
    arguments: Mapping[str, Any],
    *,
    sections: Mapping[str, Callable[..., Any]],
    called: Sequence[str],
) -> tuple[list[str], dict[str, Any]]:
    """What is wrong with a section, and its arguments as they were meant.

    Parameters
    ----------
    where : str
        File and section as it is written, for messages.
    name : str
        Section as it was meant.
    arguments : mapping
    sections : mapping of section to function
    called : sequence of str
        Sections whose functions are cheap: called to check values.

    Returns
    -------
    problems : list of str
    meant : dict
    """
    function = sections[name]
    functions = functions_of(name, sections)
    without = () if name in READING else COMPUTED
    problems = key_problems(where, arguments, functions=functions, without=without)
    meant = as_meant(arguments, functions=functions, without=without)
    problems += lacks(where, meant, function=function, without=without)
    if name in called:
        told, meant = value_problems(where, meant, function=function)
        problems += told
    return problems, meant


def is_incomplete(name: str, arguments: Mapping[str, Any], function: Callable[..., Any]) -> bool:
    """Whether a section lacks what its function cannot do without.

    Parameters
    ----------
    name : str
    arguments : mapping
    function : callable

    Returns
    -------
    is_incomplete : bool
    """
    without = () if name in READING else COMPUTED
    return bool(lacks(name, arguments, function=function, without=without))
