"""Held-out scores that an earlier run left, so that what is done is not done again.

A run folder, a trial and recipes come in; held-out scores go out, read from the folder or computed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan.studies.run_folder import RunFolder
from gossan.studies.transfer.fakes import try_fakes
from gossan.studies.transfer.methods import Recipe
from gossan.studies.transfer.trial import Floats, Trial, hold_out
from gossan.validation.few_labels import FewLabelScores


@dataclass(frozen=True, eq=False)
class Keeper:
    """Tries methods, unless the folder has it.

    Attributes
    ----------
    folder : RunFolder
    trial : Trial
    seeds : tuple of int
        Of the methods that have one.
    depends : mapping
        What all parts depend on besides the method.
    """

    folder: RunFolder
    trial: Trial
    seeds: tuple[int, ...]
    depends: Mapping[str, Any]

    def scores(
        self,
        name: str,
        recipe: Recipe,
        protocol: str,
        may_train: Sequence[NDArray[np.bool_]] | None = None,
    ) -> list[FewLabelScores]:
        """Held-out scores of a method, one for each of `may_train`.

        Parameters
        ----------
        name : str
            Of the method.
        recipe : Recipe
        protocol : {"fit", "random", "blocks"}
        may_train : sequence of bool arrays of shape (n,), optional
            Rows that may be learned from.

        Returns
        -------
        held_out : list of FewLabelScores
        """

        def compute() -> dict[str, NDArray]:
            found = hold_out(self.trial, recipe, protocol, seeds=self.seeds, may_train=may_train)
            return {
                "scores": np.stack([each.scores for each in found]),
                "background": np.stack([each.background for each in found]),
                "is_probability": np.array(found[0].is_probability),
            }

        levels = [] if may_train is None else [int(mask.sum()) for mask in may_train]
        told = {**self._depends(recipe), "levels": levels}
        what = "levels" if levels else "trial"
        stored = self.folder.part(part_name(f"{what} {name} {protocol}"), told, compute)
        is_ore, folds = self.trial.sites.y == 1, self.trial.partitions(protocol)
        return [
            FewLabelScores(is_ore, folds, own, ground, bool(stored["is_probability"]))
            for own, ground in zip(stored["scores"], stored["background"], strict=True)
        ]

    def fakes(self, name: str, recipe: Recipe, n_nulls: int) -> dict[tuple[str, str], Floats]:
        """Ranks of fake deposits by a method, by (protocol, method); see `try_fakes`."""
        stored = self.folder.part(
            part_name(f"null {name}"),
            {**self._depends(recipe), "n_nulls": n_nulls},
            lambda: dict(try_fakes(self.trial, recipe, n_nulls)),
        )
        return {(protocol, name): runs for protocol, runs in stored.items() if len(runs)}

    def _depends(self, recipe: Recipe) -> dict[str, Any]:
        settings = repr(recipe.estimator.get_params())
        return {**self.depends, "estimator": settings, "seeds": list(self.seeds)}


def part_name(name: str) -> str:
    """Name of a part as a file name.

    Examples
    --------
    >>> part_name("trial svm + gp blocks")
    'trial-svm-gp-blocks'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
