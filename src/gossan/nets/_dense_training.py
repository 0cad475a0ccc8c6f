"""Training of dense classifiers: many training sets, each with its own scaling, classes and weights.

Transformed concentrations and training sets come in; the weights of every network go out as arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv
from torch import Tensor, nn

from gossan._weights import row_weights
from gossan.nets._layers import Draws, MemberDense
from gossan.nets._training import CrossEntropy, Member, Recipe, train_members

Weights: TypeAlias = dict[str, NDArray[np.float32]]
LAMBDA_STEPS = 512


class Job:
    """One training set of `fit_many`: its rows, classes, scaling and sampling weights."""

    def __init__(
        self,
        values: NDArray[np.float64],
        labels: NDArray,
        *,
        train: NDArray[np.intp],
        seed: int,
        groups: ArrayLike | None,
        settings: dict[str, Any],
    ) -> None:
        own, self.train = labels[train], train
        self.classes, codes = np.unique(own, return_inverse=True)
        if len(self.classes) < 2:
            raise ValueError(
                f"A classifier needs at least 2 classes, got only {self.classes.tolist()} in "
                f"{len(train)} rows. Check the label column or the split."
            )
        self.codes = np.zeros(len(labels), dtype=np.int64)
        self.codes[train] = codes
        of_rows = None if groups is None else np.asarray(groups)[train]
        self.weights = row_weights(own, of_rows, weights=settings["weights"])
        self.center, self.scale = _scaling(values[train], self.weights, settings["scaling"])
        seeds = np.random.default_rng(seed).integers(2**31, size=settings["n_members"])
        weighted = settings["weights"] != "none"
        self.members = [
            Member(train, int(s), weights=self.weights if weighted else None) for s in seeds
        ]


def train_jobs(
    jobs: list[Job],
    values: NDArray[np.float64],
    settings: dict[str, Any],
    progress: Callable[[int, int], None] | None,
) -> list[tuple[Job, tuple[Weights, NDArray[np.float64]]]]:
    """Train the jobs of equal class count together; their nets differ in nothing but weights."""
    keys = ("epochs", "batch_size", "learning_rate", "weight_decay", "schedule")
    recipe = Recipe(**{key: settings[key] for key in keys})
    options = {key: settings[key] for key in ("hidden", "activation", "dropout", "batch_norm")}
    results: dict[int, tuple[Weights, NDArray[np.float64]]] = {}
    for n_classes in sorted({len(job.classes) for job in jobs}):
        chosen = [i for i, job in enumerate(jobs) if len(job.classes) == n_classes]
        data = _Data([jobs[i] for i in chosen], values, settings["mixup"])
        build = partial(_build, n_in=values.shape[1], n_out=n_classes, options=options)
        trained = train_members(
            build,
            CrossEntropy(data.examples),
            members=[member for i in chosen for member in jobs[i].members],
            recipe=recipe,
            progress=progress,
        )
        each = settings["n_members"]
        for place, i in enumerate(chosen):
            span = slice(place * each, (place + 1) * each)
            weights = {name: value[span].numpy() for name, value in trained.weights.items()}
            results[i] = (weights, trained.losses[span])
    return [(job, results[i]) for i, job in enumerate(jobs)]


def _build(which: Sequence[int], *, n_in: int, n_out: int, options: dict[str, Any]) -> MemberDense:
    return MemberDense(len(which), n_in, n_out, **options)


class _Data:
    """The rows of all jobs as the objective needs them: scaled per job, mixed, compared."""

    def __init__(self, jobs: list[Job], values: NDArray[np.float64], mixup: float) -> None:
        each = len(jobs[0].members)
        self.values = torch.from_numpy(values.astype(np.float32))
        self.center = _per_member([job.center for job in jobs], each)[:, None]  # (members, 1, d)
        self.scale = _per_member([job.scale for job in jobs], each)[:, None]
        codes = torch.from_numpy(np.stack([job.codes for job in jobs]))
        self.targets = nn.functional.one_hot(codes, len(jobs[0].classes)).float()  # (jobs, n, k)
        self.job_of = torch.arange(len(jobs)).repeat_interleave(each)
        self.mixup = mixup
        shares = (np.arange(LAMBDA_STEPS) + 0.5) / LAMBDA_STEPS
        quantiles = betaincinv(mixup, mixup, shares) if mixup > 0 else shares
        self.quantiles = torch.from_numpy(quantiles.astype(np.float32))

    def examples(
        self, which: Tensor, rows: Tensor, draws: Draws | None
    ) -> tuple[Tensor, Tensor, None]:
        """Return inputs (members, n, d) and targets (members, n, k), mixed if there are draws."""
        x = (self.values[rows] - self.center[which]) / self.scale[which]  # (members, n, d)
        targets = self.targets[self.job_of[which][:, None], rows]  # (members, n, k)
        if draws is None or self.mixup <= 0:
            return x, targets, None
        steps = draws.uniform(rows.shape[1]).mul_(LAMBDA_STEPS).long()
        share = self.quantiles[steps][:, :, None]  # (members, n, 1)
        # Rows are drawn at random, so the neighbour is a random partner.
        return (
            torch.lerp(x.roll(1, 1), x, share),
            torch.lerp(targets.roll(1, 1), targets, share),
            None,
        )


def _per_member(rows: list[NDArray[np.float64]], each: int) -> Tensor:
    return torch.from_numpy(np.repeat(np.stack(rows), each, axis=0).astype(np.float32))


def _scaling(
    values: NDArray[np.float64], weights: NDArray[np.float64], scaling: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centre and scale of each column; a constant column is left unscaled."""
    if scaling == "none":
        return np.zeros(values.shape[1]), np.ones(values.shape[1])
    if scaling == "minmax":
        center, scale = values.min(axis=0), np.ptp(values, axis=0)
    else:
        center = np.average(values, axis=0, weights=weights)
        scale = np.sqrt(np.average((values - center) ** 2, axis=0, weights=weights))
    return center, np.where(scale > 0, scale, 1.0)
