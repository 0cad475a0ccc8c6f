"""All methods tried on the labelled sites, fitted, by random folds and in blocks, and the verdict.

Sites, ground and recipes come in; held-out scores, ranks of deposits among the background, a choice
and the sentence to quote go out. What an earlier run finished is not done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.studies import occurrence_scores as scoring
from gossan.studies.judged import Judged
from gossan.studies.occurrence_scores import HONEST, Choice
from gossan.studies.telling import tell_share
from gossan.studies.transfer.keeping import Keeper, part_name
from gossan.studies.transfer.methods import FLOOR, UNTAUGHT, Recipe
from gossan.studies.transfer.trial import Trial, as_cells, describe, shares_of
from gossan.studies.trials import camps_of
from gossan.validation.few_labels import FewLabelScores, blend_held_out
from gossan.validation.uncertainty import clopper_pearson

Floats = NDArray[np.float64]
Say = Callable[[str], None]

PROTOCOLS = ("fit", "random", "blocks")
CAPTURE = ("capture_1", "capture_5", "capture_10", "capture_20", "captured_10", "low_10", "high_10",
           "density_10", "pa_captured", "pa_area")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Verdict:
    """What trials say of the methods.

    Attributes
    ----------
    judged : Judged
        Ranks among the background, tables, the choice.
    held : dict
        (protocol, method) to FewLabelScores.
    labels : DataFrame
        Against labelled negatives: `protocol`, `method`, `auc` (mean over folds), `sd`, `brier`,
        `precision`.
    """

    judged: Judged
    held: dict[tuple[str, str], FewLabelScores]
    labels: pd.DataFrame


def judge(
    keeper: Keeper,
    recipes: Mapping[str, Recipe],
    *,
    n_nulls: int,
    choose: str,
    has_map: bool,
    say: Say,
) -> Verdict:
    """Try every method, choose one, and hold it against fake labels.

    Parameters
    ----------
    keeper : Keeper
        Tries a method, unless an earlier run did.
    recipes : mapping of str to Recipe
        The simplest first.
    n_nulls : int
        Fake labels.
    choose : str
        Method that the user wants; "" takes the simplest within 0.01 of the best.
    has_map : bool
        Whether a map will be made.
    say : callable
        Called with a line a step.

    Returns
    -------
    verdict : Verdict
    """
    trial = keeper.trial
    held: dict[tuple[str, str], FewLabelScores] = {}
    keeper.folder.plan(
        [part_name(f"trial {name} {each}") for name in recipes for each in PROTOCOLS
         if not recipes[name].parts]
    )  # fmt: skip
    for number, (name, recipe) in enumerate(recipes.items(), start=1):
        say(f"trying {name} ({number} of {len(recipes)})")
        for place, protocol in enumerate(PROTOCOLS):
            tell_share(say, place, len(PROTOCOLS))
            parts = [held.get((protocol, part)) for part in recipe.parts]
            known = [part for part in parts if part is not None]
            if known and len(known) == len(parts):
                held[protocol, name] = blend_held_out(known)
            else:
                held[protocol, name] = keeper.scores(name, recipe, protocol)[0]
    kinds = {name: recipe.kind for name, recipe in recipes.items()}
    ranked = [name for name in recipes if trial.rows(recipes[name].reads)[1] is not None]
    shares = {key: shares_of(trial, each) for key, each in held.items() if key[1] in ranked}
    camps = camps_of(as_cells(trial.sites), trial.plan)
    able = [name for name in ranked if name != FLOOR]
    choice = _choice(shares, camps, able, choose, trial.plan.random_state, has_map=has_map)
    nulls: dict[tuple[str, str], Floats] = {}
    if n_nulls:
        for name in dict.fromkeys([FLOOR, choice.method]):
            if name in ranked:
                say(f"fake labels: {name}")
                nulls |= keeper.fakes(name, recipes[name], n_nulls)
    scores = scoring.score_table(shares, camps, kinds)
    curves = scoring.curve_table(shares)
    if trial.ground is None:
        scores, curves = scores.drop(columns=list(CAPTURE)), curves.iloc[:0]
    judged = Judged(
        shares=shares, nulls=nulls, camps=camps, scores=scores,
        comparisons=scoring.comparison_table(shares, camps, kinds), curves=curves,
        null=scoring.null_table(shares, nulls), choice=choice,
        sentence=_sentence(trial, shares, nulls, choice.method), notes=[],
    )  # fmt: skip
    return Verdict(judged, held, label_table(held))


def label_table(held: Mapping[tuple[str, str], FewLabelScores]) -> pd.DataFrame:
    """Scores against labelled negatives, mean over folds, by protocol and method."""
    rows = []
    for (protocol, method), each in held.items():
        told = each.summary()
        mean = told["mean"]
        rows.append({"protocol": protocol, "method": method, "auc": mean["auc"],
                     "sd": told["sd"]["auc"], "brier": mean["brier"],
                     "precision": mean["precision"]})  # fmt: skip
    return pd.DataFrame(rows)


def _choice(
    shares: scoring.Shares,
    camps: NDArray,
    able: Sequence[str],
    choose: str,
    seed: int,
    *,
    has_map: bool,
) -> Choice:
    choice = scoring.choose(shares, camps, able, random_state=seed)
    if choose:
        otherwise = choice.why.replace("makes the map", "would have been taken")
        why = f"{choose!r} makes the map, as the study file asks."
        why += f" {otherwise}" * (choose != choice.method)
        ties = tuple(name for name in (choice.method, *choice.ties) if name != choose)
        choice = replace(choice, method=choose, ties=ties, why=why)
    if not has_map:
        choice = replace(choice, why=choice.why.replace("makes the map", "is the one to use"))
    return choice


def _sentence(
    trial: Trial,
    shares: scoring.Shares,
    nulls: Mapping[tuple[str, str], Floats],
    method: str,
    *,
    area: float = 0.1,
) -> str:
    """Return the figure that a reader may quote, with all that keeps it honest."""
    mean = shares[HONEST, method].mean(axis=0)
    fitted = shares["fit", method].mean(axis=0)
    untaught = shares.get((HONEST, UNTAUGHT))
    n, ground, folds = len(mean), trial.ground, describe(trial.plan)
    fake = nulls.get((HONEST, method), np.zeros((0, n)))
    if ground is None:
        told = [
            (
                f"AUC {1 - mean.mean():.3f} for {n} held-out deposits against labelled barren sites"
                f" ({method}; {folds}); how much ground holds them cannot be told without a background"
            )
        ]
        if untaught is not None and method != UNTAUGHT:
            told.append(f"{UNTAUGHT}, which needs no labels, scores {1 - untaught.mean():.3f}")
        told += [f"fake labels score {1 - fake.mean():.3f}"] if len(fake) else []
        if method != UNTAUGHT:
            told.append(
                f"on the deposits it was taught it scores {1 - fitted.mean():.3f} (not evidence)"
            )
        return "; ".join(told) + "."
    inside = int((mean <= area).sum())
    low, high = clopper_pearson(inside, n)
    told = [
        (
            f"{inside} of {n} held-out deposits ({100 * inside / n:.0f} %, 95 % CI {100 * low:.0f} to"
            f" {100 * high:.0f} %; {method}; {folds}) rank in the top {100 * area:g} % of"
            f" {len(ground.X):,} background rows"
        ),
        f"{inside / n / area:.1f} times chance (normalised density)",
    ]
    if untaught is not None and method != UNTAUGHT:
        n_plain = int((untaught.mean(axis=0) <= area).sum())
        told.append(f"{UNTAUGHT}, which needs no labels, has {n_plain} there")
    if len(fake):
        caught = (fake <= area).mean(axis=1)
        told.append(
            f"fake deposits: {100 * caught.mean():.0f} % there (at most {100 * caught.max():.0f} %)"
        )
    if method != UNTAUGHT:
        told.append(
            f"of the deposits it was taught, {100 * (fitted <= area).mean():.0f} % (not evidence)"
        )
    return "; ".join(told) + "."
