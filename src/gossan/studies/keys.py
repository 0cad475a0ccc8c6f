"""Keys of a study file against the functions that take them: known words of the right kind.

The name of a section, its arguments and its function come in; nothing, or a ValueError, goes out.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from gossan._checks import did_you_mean

LISTS = (Sequence, Iterable, list, tuple)
KINDS: dict[Any, Any] = {Any: object, int: int, float: (int, float), str: str, Path: str}
WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text in quotes",
    Path: "text in quotes",
}


def check_keys(
    where: str,
    arguments: Mapping[str, Any],
    *,
    functions: Sequence[Callable[..., Any]],
    without: Sequence[str] = (),
) -> None:
    """Refuse keys that no function takes and values of another kind than it takes.

    Parameters
    ----------
    where : str
        File and section, for messages.
    arguments : mapping
        Keys and values as TOML gives them.
    functions : sequence of callable
        That take the keys as keyword arguments, the first one that knows a key.
    without : sequence of str
        Arguments that a study file may not set.

    Raises
    ------
    ValueError
        If a key is not known, with the nearest one, or a value is of the wrong kind.

    Examples
    --------
    >>> def fold(*, n_splits: int = 5) -> None: ...
    >>> check_keys("study.toml: [validate]", {"n_splits": "5"}, functions=[fold])
    Traceback (most recent call last):
        ...
    ValueError: study.toml: [validate] n_splits must be a whole number, got '5'. Write n_splits = 5.
    """
    hints: dict[str, Any] = {}
    for function in functions:
        told = get_type_hints(function)
        for key, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is not parameter.VAR_KEYWORD and key not in without:
                hints.setdefault(key, told.get(key, Any))
    for key, value in arguments.items():
        if key not in hints:
            raise ValueError(
                f"{where} has no key {key!r}.{did_you_mean(key, list(hints))} "
                f"Known are {', '.join(hints)}."
            )
        hint = str if key == "table" else hints[key]
        if not fits(value, hint):
            raise ValueError(
                f"{where} {key} must be {kind_of(hint)}, got {value!r}.{_as_written(key, value, hint)}"
            )


def check_needed(
    where: str,
    arguments: Mapping[str, Any],
    *,
    function: Callable[..., Any],
    without: Sequence[str] = (),
) -> None:
    """Refuse a section that lacks a key which its function cannot do without.

    Parameters
    ----------
    where : str
        File and section, for messages.
    arguments : mapping
        Keys and values as TOML gives them.
    function : callable
        Its keyword-only arguments without a default are needed.
    without : sequence of str
        Arguments that a study file may not set.

    Raises
    ------
    ValueError
        If one is missing.

    Examples
    --------
    >>> def ore(*, cutoff: float, element: str = "Au") -> None: ...
    >>> check_needed("study.toml: [ore]", {"element": "Cu"}, function=ore)
    Traceback (most recent call last):
        ...
    ValueError: study.toml: [ore] needs cutoff, a number. Add the line cutoff = ...
    """
    hints = get_type_hints(function)
    for key, parameter in inspect.signature(function).parameters.items():
        is_needed = (
            parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
        )
        if is_needed and key not in arguments and key not in without:
            raise ValueError(
                f"{where} needs {key}, {kind_of(hints.get(key, Any)) or 'a value'}. Add the line"
                f" {key} = ..."
            )


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value that TOML gave is of the kind that a type hint asks for.

    Parameters
    ----------
    value : object
        Text, number, list or table.
    hint : type
        As `typing.get_type_hints` gives it.

    Returns
    -------
    fits : bool

    Examples
    --------
    >>> fits([0, 1], Sequence[int]), fits("0", Sequence[int]), fits(True, int)
    (True, False, False)
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in inner)
    if origin is tuple and Ellipsis not in inner:
        is_list = isinstance(value, list) and len(value) == len(inner)
        return is_list and all(map(fits, value, inner))
    if origin in LISTS:
        return isinstance(value, list) and all(fits(each, inner[0]) for each in value)
    if origin is Mapping:
        return isinstance(value, dict) and all(fits(each, inner[1]) for each in value.values())
    if isinstance(value, bool) and hint is not Any:
        return hint is bool
    return isinstance(value, KINDS.get(hint, ()))


def kind_of(hint: Any) -> str:
    """Return what a type hint asks for, in the words of a study file.

    Parameters
    ----------
    hint : type
        As `typing.get_type_hints` gives it.

    Returns
    -------
    words : str

    Examples
    --------
    >>> kind_of(Sequence[int]), kind_of(str | None)
    ('a list such as [a whole number, ...]', 'text in quotes')
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        told = [kind_of(each) for each in inner]
        return " or ".join(dict.fromkeys(word for word in told if word))
    if origin is tuple and Ellipsis not in inner:
        return f"a list [{', '.join(map(kind_of, inner))}]"
    if origin in LISTS:
        return f"a list such as [{kind_of(inner[0])}, ...]"
    if origin is Mapping:
        return f"a table such as {{ Fe = {kind_of(inner[1]) or '...'} }}"
    return WORDS.get(hint, "")


def _as_written(key: str, value: Any, hint: Any) -> str:
    """Return how the value would be right, where a slip of quotes or brackets is plain."""
    if hint in (int, float) and isinstance(value, str) and value.strip().isdigit():
        return f" Write {key} = {value.strip()}."
    if hint is str and isinstance(value, int | float):
        return f' Write {key} = "{value}".'
    if get_origin(hint) in LISTS and fits(value, get_args(hint)[0]):
        shown = f'"{value}"' if isinstance(value, str) else value
        return f" Write {key} = [{shown}]."
    return f" Mend the value of {key}, or leave the line out for the default."
