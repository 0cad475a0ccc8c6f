"""Fake deposits: what a score finds where there is nothing to find.

A trial and a recipe come in; ranks of fake deposits of the same number go out.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gossan._checks import GossanWarning
from gossan.studies.transfer.methods import Recipe
from gossan.studies.transfer.trial import Trial, hold_out, shares_of
from gossan.validation.patterns import moved_patterns

Floats = NDArray[np.float64]


def try_fakes(trial: Trial, recipe: Recipe, n_nulls: int) -> dict[str, Floats]:
    """Ranks of fake deposits by random folds and by blocks; one partition and one seed each.

    Where the background has coordinates, the pattern of the deposits is turned, shifted and laid on
    it anew; else the labels are dealt anew to the sites.

    Parameters
    ----------
    trial : Trial
    recipe : Recipe
    n_nulls : int

    Returns
    -------
    shares : dict of protocol to float64 array of shape (n_fakes, n_occurrences)
        A fake that cannot be held out is left out.
    """
    found: dict[str, list[Floats]] = {"random": [], "blocks": []}
    told = {key: each for key, each in recipe.fit_with.items() if key != "groups"}
    without_groups = replace(recipe, fit_with=told)  # they are of the real sites
    n_lost = 0
    for number, made in enumerate(fake_trials(trial, n_nulls)):
        plan = replace(trial.plan, n_repeats=1, random_state=trial.plan.random_state + number)
        fake = replace(made, plan=plan)
        try:
            own = {
                protocol: shares_of(fake, hold_out(fake, without_groups, protocol, seeds=(0,))[0])[
                    0
                ]
                for protocol in found
            }
        except ValueError:
            n_lost += 1
            continue
        for protocol, shares in own.items():
            found[protocol].append(shares)
    if n_lost:
        warnings.warn(
            f"{n_lost} of {n_nulls} fake patterns could not be held out in blocks and were left out.",
            GossanWarning,
            stacklevel=2,
        )
    n = len(trial.sites.occurrences)
    return {name: np.array(runs).reshape(-1, n) for name, runs in found.items()}


def fake_trials(trial: Trial, n_nulls: int) -> list[Trial]:
    """Trials with fake deposits of the same number.

    Parameters
    ----------
    trial : Trial
    n_nulls : int

    Returns
    -------
    trials : list of Trial
    """
    sites, ground = trial.sites, trial.ground
    rng = np.random.default_rng(trial.plan.random_state)
    n = len(sites.occurrences)
    if ground is None or ground.coords is None or len(ground.coords) < 4 * n:
        return [
            replace(trial, sites=replace(sites, y=rng.permutation(sites.y))) for _ in range(n_nulls)
        ]
    patterns = moved_patterns(
        sites.coords[sites.occurrences], ground.coords, n_patterns=n_nulls, random_state=rng
    )
    barren = sites.y == 0
    found = []
    for rows in patterns:
        left = np.setdiff1d(np.arange(len(ground.X)), rows)
        fake = replace(
            sites,
            X=np.concatenate([ground.X[rows], sites.X[barren]]),
            y=np.concatenate([np.ones(n, dtype=np.int64), sites.y[barren]]),
            coords=np.concatenate([ground.coords[rows], sites.coords[barren]]),
        )
        rest = replace(ground, X=ground.X[left], coords=ground.coords[left])
        found.append(replace(trial, sites=fake, ground=rest))
    return found
