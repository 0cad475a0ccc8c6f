"""All methods tried on known occurrences, the verdict on them, and which makes the map.

Cells, methods and how is held out come in; tables, a choice and the sentence to quote go out. Parts
that an earlier run finished are not done again. The transfer and the region study judge alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.studies import occurrence_scores as scoring
from gossan.studies.occurrence_scores import HONEST, Choice
from gossan.studies.run_folder import RunFolder
from gossan.studies.trials import Cells, Method, Plan, camps_of, kinds_of, try_fakes, try_method

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """What trials say of the methods.

    Attributes
    ----------
    shares : dict
        (protocol, method) to p_i of shape (n_runs, n_occurrences).
    nulls : dict
        (protocol, method) to p_i of fake patterns, shape (n_patterns, n_occurrences).
    camps : int64 array of shape (n_occurrences,)
    scores, comparisons, curves, null : DataFrame
        See `occurrence_scores`.
    choice : Choice
    sentence : str
    notes : list of str
        Methods that could not be tried, and why.
    """

    shares: dict[tuple[str, str], Floats]
    nulls: dict[tuple[str, str], Floats]
    camps: NDArray[np.int64]
    scores: pd.DataFrame
    comparisons: pd.DataFrame
    curves: pd.DataFrame
    null: pd.DataFrame
    choice: Choice
    sentence: str
    notes: list[str]

    def held_out(self, method: str) -> Floats:
        """Mean p_i of the occurrences under the honest protocol, shape (n_occurrences,)."""
        return self.shares[HONEST, method].mean(axis=0)


def judge_methods(
    cells: Cells,
    methods: Mapping[str, Method],
    plan: Plan,
    *,
    silent: Sequence[str],
    label_free: str,
    area_km2: float,
    choose: str = "",
    folder: RunFolder | None = None,
    depends: Mapping[str, Any] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Judged:
    """Try every method, choose the one that makes the map, and hold it against fake patterns.

    Parameters
    ----------
    cells : Cells
    methods : mapping of str to Method
        The simplest first.
    plan : Plan
    silent : sequence of str
        Baselines that make no map.
    label_free : str
        The method without labels that stands in the sentence.
    area_km2 : float
        Supported area.
    choose : str
        Method that the user wants; "" takes the simplest that is as good as the best.
    folder : RunFolder, optional
        Keeps finished parts.
    depends : mapping, optional
        What they depend on.
    say : callable
        Called with a line a step.

    Returns
    -------
    judged : Judged

    Raises
    ------
    ValueError
        If no method could be tried; of the others the reason is noted.
    """
    shares: dict[tuple[str, str], Floats] = {}
    notes: list[str] = []
    if folder is not None:
        folder.plan([_stem(f"trial {name}") for name in methods])
    for number, (name, method) in enumerate(methods.items(), start=1):
        say(f"trying {name} ({number} of {len(methods)})")
        try:
            found = _kept(
                folder, f"trial {name}", depends, partial(try_method, method, cells, plan, say=say)
            )
        except ValueError as error:
            if number == len(methods) and not shares:
                raise
            notes.append(f"{name} could not be tried: {error}")
            continue
        shares |= {(protocol, name): runs for protocol, runs in found.items()}
    kinds, camps = kinds_of(methods), camps_of(cells, plan)
    able = [name for name in methods if name not in silent]
    choice = scoring.choose(shares, camps, able, random_state=plan.random_state)
    if choose and (HONEST, choose) in shares:
        why = f"{choose!r} makes the map, as the study file asks. {choice.why}"
        choice = replace(choice, method=choose, why=why)
    nulls: dict[tuple[str, str], Floats] = {}
    if len(cells.patterns):
        for name in dict.fromkeys([*silent, label_free, choice.method]):
            if name in methods and (HONEST, name) in shares:
                say(f"fake patterns: {name}")
                found = _kept(
                    folder, f"null {name}", depends,
                    partial(try_fakes, methods[name], cells, plan, say=say),
                )  # fmt: skip
                nulls |= {(protocol, name): runs for protocol, runs in found.items()}
    return Judged(
        shares=shares,
        nulls=nulls,
        camps=camps,
        scores=scoring.score_table(shares, camps, kinds),
        comparisons=scoring.comparison_table(shares, camps, kinds),
        curves=scoring.curve_table(shares),
        null=scoring.null_table(shares, nulls),
        choice=choice,
        sentence=scoring.sentence(
            shares, choice.method, km2=area_km2, folds=plan.describe(), nulls=nulls,
            label_free=label_free, is_taught=kinds[choice.method] != "label-free",
        ),
        notes=notes,
    )  # fmt: skip


def missed_table(
    judged: Judged, names: Sequence[str], coords: Floats, counts: NDArray[np.int64]
) -> pd.DataFrame:
    """Known occurrences by how much of the area the map ranks above them when held out.

    Parameters
    ----------
    judged : Judged
    names : sequence of str
    coords : array of shape (n_occurrences, 2)
        [m].
    counts : int64 array of shape (n_occurrences,)
        Occurrences in the cell of each.

    Returns
    -------
    table : DataFrame
        `name`, `easting`, `northing`, `camp`, `share` (0 to 1), `n_merged`; the worst missed first.
    """
    table = pd.DataFrame(
        {
            "name": list(names),
            "easting": coords[:, 0],
            "northing": coords[:, 1],
            "camp": judged.camps + 1,
            "share": judged.held_out(judged.choice.method),
            "n_merged": counts,
        }
    )
    return table.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)


def field_table(judged: Judged, fields: Mapping[str, int]) -> pd.DataFrame | None:
    """Whether the window helps: held-out AUC of the same network with windows of several sizes.

    Parameters
    ----------
    judged : Judged
    fields : mapping of method to int
        Cells along the side of its window.

    Returns
    -------
    table : DataFrame or None
        `method`, `field`, `auc`, `auc_low`, `auc_high`; None with fewer than two fields.
    """
    own = judged.scores[
        (judged.scores["protocol"] == HONEST) & judged.scores["method"].isin(list(fields))
    ]
    if len(own) < 2:
        return None
    table = own[["method", "auc", "auc_low", "auc_high"]].copy()
    table.insert(1, "field", [fields[name] for name in own["method"]])
    return table.sort_values("field").reset_index(drop=True)


def _kept(
    folder: RunFolder | None,
    name: str,
    depends: Mapping[str, Any] | None,
    compute: Callable[[], dict[str, Floats]],
) -> dict[str, Floats]:
    """Return the arrays of a part, from the folder if an earlier run left them there."""
    if folder is None:
        return compute()
    return folder.part(_stem(name), dict(depends or {}), compute)


def _stem(name: str) -> str:
    """Return the name of a part as a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
