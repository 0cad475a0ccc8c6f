"""Training of neighbour networks: many training sets, each with its own scaling and stopping rows.

Sequences, values and training sets come in; the weights of every network go out as arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gossan.nets._layers import Draws
from gossan.nets._recurrent import NeighbourNetwork, gaussian_crps
from gossan.nets._recurrent_forward import MOST_LOG_SPREAD
from gossan.nets._training import Member, Recipe, train_members

Weights: TypeAlias = dict[str, NDArray[np.float32]]


class Job:
    """One training set of `fit_many`: its rows, scaling and stopping rows."""

    def __init__(
        self,
        X: NDArray[np.float32],
        y: NDArray[np.float64],
        *,
        train: NDArray[np.intp],
        seed: int,
        groups: NDArray | None,
        settings: dict[str, Any],
    ) -> None:
        if len(train) < 2:
            raise ValueError(
                f"A regressor needs at least 2 rows to learn from, got {len(train)}. Pass more rows."
            )
        own = X[train]
        there = own.any(axis=2)
        steps = own[there].astype(np.float64)  # (steps of all rows, channels)
        self.center, self.scale = steps.mean(axis=0), _above_zero(steps.std(axis=0))
        self.y_center, self.y_scale = y[train].mean(axis=0), _above_zero(y[train].std(axis=0))
        rng = np.random.default_rng(seed)
        seeds = rng.integers(2**31, size=settings["n_members"])
        stops = _stopping_rows(train, groups, len(seeds), settings["stop_share"], rng)
        self.members = [
            Member(np.setdiff1d(train, stop) if stop is not None else train, int(each), stop)
            for each, stop in zip(seeds, stops, strict=True)
        ]


def train_jobs(
    jobs: list[Job],
    X: NDArray[np.float32],
    y: NDArray[np.float64],
    *,
    settings: dict[str, Any],
    progress: Callable[[int, int], None] | None,
) -> list[tuple[Weights, NDArray[np.float64]]]:
    """Train the networks of all jobs at once; return weights and losses of each job."""
    keys = ("epochs", "batch_size", "learning_rate", "weight_decay", "schedule")
    patience = settings["patience"] if settings["stop_share"] > 0 else None
    recipe = Recipe(**{key: settings[key] for key in keys}, patience=patience)
    options = {
        key: settings[key] for key in ("filters", "width", "hidden", "dropout", "sees_first")
    }
    build = partial(_build, n_in=X.shape[2], n_out=2 * y.shape[1], options=options)
    trained = train_members(
        build,
        _Objective(jobs, X, y, settings),
        members=[member for job in jobs for member in job.members],
        recipe=recipe,
        progress=progress,
    )
    each = settings["n_members"]
    spans = [slice(i * each, (i + 1) * each) for i in range(len(jobs))]
    return [
        (
            {name: value[span].numpy() for name, value in trained.weights.items()},
            trained.losses[span],
        )
        for span in spans
    ]


def _build(
    which: Sequence[int], *, n_in: int, n_out: int, options: dict[str, Any]
) -> NeighbourNetwork:
    return NeighbourNetwork(len(which), n_in, n_out, **options)


class _Objective:
    """CRPS, or squared error, of each row under the networks of its members."""

    def __init__(
        self,
        jobs: list[Job],
        X: NDArray[np.float32],
        y: NDArray[np.float64],
        settings: dict[str, Any],
    ) -> None:
        each, n_elements = settings["n_members"], y.shape[1]
        self.X = torch.from_numpy(X)
        self.is_there = self.X.any(dim=2).float()  # (n, steps)
        self.y = torch.from_numpy(y.astype(np.float32))
        self.base = self.spread = None
        if settings["residual"]:
            self.base = self.X[:, 0, -2 * n_elements : -n_elements]
            self.spread = self.X[:, 0, -n_elements:]
        self.squared = settings["loss"] == "squared"
        self.center, self.scale, self.y_center, self.y_scale = (
            _per_member([getattr(job, name) for job in jobs], each)
            for name in ("center", "scale", "y_center", "y_scale")
        )

    def __call__(self, network: nn.Module, which: Tensor, rows: Tensor, draws: Draws) -> Tensor:
        """Return the loss of each row, shape (members, batch), in spreads of each element."""
        there = self.is_there[rows]  # (members, batch, steps)
        center, scale = self.center[which][:, None], self.scale[which][:, None]
        x = (self.X[rows] - center) / scale * there[..., None]
        outputs = network(x, there, draws)
        unit = self.y_scale[which]  # (members, 1, elements)
        y, base, spread = self.y[rows], self.y_center[which], unit
        if self.base is not None and self.spread is not None:
            base, spread = self.base[rows], self.spread[rows]
        shift, log_spread = outputs.chunk(2, dim=2)
        mean = base + spread * shift
        if self.squared:
            return (((y - mean) / unit) ** 2).mean(2)
        std = spread * torch.exp(MOST_LOG_SPREAD * torch.tanh(log_spread / MOST_LOG_SPREAD))
        return (gaussian_crps(y, mean, std) / unit).mean(2)


def _stopping_rows(
    train: NDArray[np.intp],
    groups: NDArray | None,
    n_members: int,
    share: float,
    rng: np.random.Generator,
) -> list[NDArray[np.intp] | None]:
    """Return rows of whole groups for each member, another part of the groups for each."""
    if share <= 0:
        return [None] * n_members
    labels = np.arange(len(train)) if groups is None else groups[train]
    codes = np.unique(labels, return_inverse=True)[1]
    n_groups = int(codes.max()) + 1
    if n_groups < 2:
        raise ValueError(
            f"Early stopping needs at least 2 groups, got {n_groups}. Pass smaller blocks, or"
            " stop_share=0 to train all epochs."
        )
    count = min(max(1, round(share * n_groups)), n_groups - 1)
    order = np.concatenate([rng.permutation(n_groups) for _ in range(n_members * count)])
    stops: list[NDArray[np.intp] | None] = []
    for i in range(n_members):
        chosen = np.unique(order[i * count : (i + 1) * count])
        stops.append(train[np.isin(codes, chosen)])
    return stops


def _per_member(rows: list[NDArray[np.float64]], each: int) -> Tensor:
    """Return the rows of the jobs repeated for their members, shape (members, 1, n)."""
    return torch.from_numpy(np.repeat(np.stack(rows), each, axis=0).astype(np.float32))[:, None]


def _above_zero(scale: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(scale > 1e-12, scale, 1.0)
