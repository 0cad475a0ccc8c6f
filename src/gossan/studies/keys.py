"""Keys of a study file against the functions that take them: known words of the right kind.

The name of a section, its arguments and its function come in; nothing, or a ValueError, goes out.
"""

from __future__ import annotations

import difflib
import inspect
import re
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
    for problem in key_problems(where, arguments, functions=functions, without=without):
        raise ValueError(problem)


def key_problems(
    where: str,
    arguments: Mapping[str, Any],
    *,
    functions: Sequence[Callable[..., Any]],
    without: Sequence[str] = (),
) -> list[str]:
    r"""All keys that no function takes and all values of another kind than it takes, in words.

    Parameters
    ----------
    where, arguments, functions, without
        As of `check_keys`.

    Returns
    -------
    problems : list of str
        A sentence each, in the order of the file.

    Examples
    --------
    >>> def fold(*, n_splits: int = 5, seed: int = 0) -> None: ...
    >>> told = key_problems("[validate]", {"n_split": 4, "seed": "1"}, functions=[fold])
    >>> print("\n".join(told))
    [validate] has no key 'n_split'. Did you mean 'n_splits'? Known are n_splits, seed.
    [validate] seed must be a whole number, got '1'. Write seed = 1.
    """
    hints = hints_of(functions, without)
    problems = []
    for key, value in arguments.items():
        if key not in hints:
            problems.append(
                f"{where} has no key {key!r}.{did_you_mean(key, list(hints))} "
                f"Known are {', '.join(hints)}."
            )
        elif not fits(value, hints[key]):
            hint = hints[key]
            shown = _as_written(key, value, hint)
            problems.append(f"{where} {key} must be {kind_of(hint)}, got {value!r}.{shown}")
    return problems


def hints_of(
    functions: Sequence[Callable[..., Any]], without: Sequence[str] = ()
) -> dict[str, Any]:
    """Keys that functions take, each with the type hint of the first that knows it.

    Parameters
    ----------
    functions : sequence of callable
    without : sequence of str
        Arguments that a study file may not set.

    Returns
    -------
    hints : dict of str to type

    Examples
    --------
    >>> def fold(*, n_splits: int = 5, **more) -> None: ...
    >>> hints_of([fold])
    {'n_splits': <class 'int'>}
    """
    hints: dict[str, Any] = {}
    for function in functions:
        told = get_type_hints(function)
        for key, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is not parameter.VAR_KEYWORD and key not in without:
                hints.setdefault(key, str if key == "table" else told.get(key, Any))
    return hints


def as_meant(
    arguments: Mapping[str, Any],
    *,
    functions: Sequence[Callable[..., Any]],
    without: Sequence[str] = (),
) -> dict[str, Any]:
    """Arguments as they were probably meant, so that a check can look beyond a slip.

    Parameters
    ----------
    arguments, functions, without
        As of `check_keys`.

    Returns
    -------
    meant : dict
        A key that is misspelt stands under the nearest one, a number in quotes is a number; what
        cannot be guessed is left out.

    Examples
    --------
    >>> def fold(*, n_splits: int = 5, seeds: Sequence[int] = (0,)) -> None: ...
    >>> as_meant({"n_split": "4", "seeds": 3, "colour": "red"}, functions=[fold])
    {'n_splits': 4, 'seeds': [3]}
    """
    hints = hints_of(functions, without)
    meant: dict[str, Any] = {}
    for key, value in arguments.items():
        name = (
            key if key in hints else nearest(key, [name for name in hints if name not in arguments])
        )
        if name:
            turned = _turned(value, hints[name])
            if fits(turned, hints[name]):
                meant[name] = turned
    return meant


def _turned(value: Any, hint: Any) -> Any:
    """Return a value with its slip of quotes or brackets mended, as `_as_written` tells it."""
    if fits(value, hint):
        return value
    if hint in (int, float) and isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if hint is str and isinstance(value, int | float):
        return str(value)
    return [value] if get_origin(hint) in LISTS else value


def value_problems(
    where: str, arguments: Mapping[str, Any], *, function: Callable[..., Any]
) -> tuple[list[str], dict[str, Any]]:
    """All values that a function refuses, found by leaving out what it complains of.

    Parameters
    ----------
    where : str
        File and section, for messages.
    arguments : mapping
        Of the right kinds.
    function : callable
        Cheap; raises ValueError on the first value that it refuses.

    Returns
    -------
    problems : list of str
    left : dict
        The arguments that it takes.

    Examples
    --------
    >>> from gossan.studies.tailings.sections import validate
    >>> problems, left = value_problems("[validate]", {"n_splits": 1, "block_size": -5.0},
    ...                                 function=validate)
    >>> len(problems), left
    (2, {})
    """
    left = dict(arguments)
    problems: list[str] = []
    while True:
        told = _complaint(function, left)
        if told is None:
            return problems, left
        problems.append(f"{where} {told}")
        blamed = [
            key
            for key in left
            if _complaint(function, {k: v for k, v in left.items() if k != key}) != told
        ]
        if not blamed:
            return problems, {}
        # Keys that are wrong together (medium above high) go together: with one of them and the
        # default of the other there would be a fault that the file does not have.
        named = [key for key in blamed if re.search(rf"\b{re.escape(key)}\b", told)]
        for key in named or blamed[:1]:
            del left[key]


def _complaint(function: Callable[..., Any], arguments: Mapping[str, Any]) -> str | None:
    """Return what a function says against arguments; None if it takes them."""
    try:
        function(**arguments)
    except ValueError as error:
        return str(error)
    except TypeError:  # without a key that it cannot do without: `lacks` tells that
        return None
    return None


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
    for problem in lacks(where, arguments, function=function, without=without):
        raise ValueError(problem)


def lacks(
    where: str,
    arguments: Mapping[str, Any],
    *,
    function: Callable[..., Any],
    without: Sequence[str] = (),
) -> list[str]:
    """All keys that a section lacks and its function cannot do without, in words.

    Parameters
    ----------
    where, arguments, function, without
        As of `check_needed`.

    Returns
    -------
    problems : list of str
    """
    hints = get_type_hints(function)
    return [
        f"{where} needs {key}, {kind_of(hints.get(key, Any)) or 'a value'}. Add the line {key} = ..."
        for key in needed_keys(function)
        if key not in arguments and key not in without
    ]


def needed_keys(function: Callable[..., Any]) -> list[str]:
    """Keyword-only arguments without a default.

    Examples
    --------
    >>> def ore(*, cutoff: float, element: str = "Au") -> None: ...
    >>> needed_keys(ore)
    ['cutoff']
    """
    return [
        key
        for key, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
    ]


def nearest(word: str, words: Sequence[str]) -> str:
    """The nearest of words that resembles a word, empty if none does.

    Examples
    --------
    >>> nearest("n_split", ["n_splits", "seeds"]), nearest("red", ["n_splits"])
    ('n_splits', '')
    """
    near = difflib.get_close_matches(word.lower(), [each.lower() for each in words], n=1)
    return next((each for each in words if near and each.lower() == near[0]), "")


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
