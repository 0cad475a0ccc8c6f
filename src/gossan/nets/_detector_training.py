"""Training of autoencoders and of students: many training sets, each with its own scaling.

Patches (n, z, y, x, channels) or vectors (n, features) and a task for each network come in; the
weights and losses of every network go out as arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gossan.nets._convolutions import MemberAutoencoder
from gossan.nets._layers import Draws, initialise
from gossan.nets._patch_forward import encode, unit_length
from gossan.nets._training import Member, Recipe, train_members

Array: TypeAlias = NDArray[np.float32]
Weights: TypeAlias = dict[str, Array]
RECIPE = ("batch_size", "learning_rate", "schedule")
FEWEST, MOST = 2, 500  # epochs, whatever the number of rows


@dataclass(frozen=True, eq=False)
class Task:
    """One network to train: its rows, seed and scaling, and for a student its teacher."""

    rows: NDArray[np.intp]
    seed: int
    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    teacher: Weights | None = None  # member axis of length one
    spreads: tuple[Array, ...] = ()  # of the teacher's channels, layer by layer


def epochs_for(n_rows: int, epochs: int | None, shown: int) -> int:
    """Return the epochs asked for, or as many as show the network about `shown` rows."""
    if epochs is not None:
        return epochs
    return min(max(round(shown / n_rows), FEWEST), MOST)


def train_networks(
    tasks: Sequence[Task],
    X: Array,
    *,
    settings: dict[str, Any],
    epochs: int | None,
    shown: int,
    progress: Callable[[int, int], None] | None,
) -> list[tuple[Weights, NDArray[np.float64]]]:
    """Train the networks of equal epochs at once; return weights (1, ...) and losses of each."""
    lengths = [epochs_for(len(task.rows), epochs, shown) for task in tasks]
    results: dict[int, tuple[Weights, NDArray[np.float64]]] = {}
    for length in sorted(set(lengths)):
        places = [i for i, each in enumerate(lengths) if each == length]
        chosen = [tasks[i] for i in places]
        is_student = chosen[0].teacher is not None
        build = partial(
            _build, n_in=X.shape[-1], settings=settings, decodes=not is_student, ndim=X.ndim
        )
        trained = train_members(
            build,
            (_Imitation if is_student else _Reconstruction)(chosen, X, settings),
            members=[Member(task.rows, task.seed) for task in chosen],
            recipe=Recipe(epochs=length, **{key: settings[key] for key in RECIPE}),
            progress=progress,
        )
        for k, i in enumerate(places):
            own = {name: value[k : k + 1].numpy() for name, value in trained.weights.items()}
            results[i] = (own, trained.losses[k])
    return [results[i] for i in range(len(tasks))]


def random_encoder(seed: int, X: Array, settings: dict[str, Any]) -> Weights:
    """Return an encoder as it is before training."""
    network = _build([0], n_in=X.shape[-1], settings=settings, decodes=False, ndim=X.ndim)
    initialise(network, Draws([seed]))
    return {name: value.detach().numpy() for name, value in network.state_dict().items()}


def _build(
    which: Sequence[int], *, n_in: int, settings: dict[str, Any], decodes: bool, ndim: int
) -> MemberAutoencoder:
    options = {"widths": settings["widths"], "is_patch": ndim > 2, "decodes": decodes}
    return MemberAutoencoder(len(which), n_in, **options)


class _Scaled:
    """The rows of all tasks, scaled for each."""

    def __init__(self, tasks: Sequence[Task], X: Array, settings: dict[str, Any]) -> None:
        self.X = torch.from_numpy(X if X.flags.writeable else X.copy())
        lead = (len(tasks), *(1,) * (X.ndim - 1), X.shape[-1])
        self.center = _stack([task.center for task in tasks]).view(lead)
        self.factor = 1.0 / _stack([task.scale for task in tasks]).view(lead)
        self.tasks, self.feature_scaling = tasks, settings.get("feature_scaling")

    def batch(self, which: Tensor, rows: Tensor) -> Tensor:
        """Return the scaled patches of `rows`, shape (members, batch, ...)."""
        x = self.X[rows]
        return x.sub_(self.center[which]).mul_(self.factor[which])


class _Reconstruction(_Scaled):
    """Objective: half the mean squared error of the reconstruction of each row."""

    def __call__(self, network: nn.Module, which: Tensor, rows: Tensor, _: Draws) -> Tensor:
        x = self.batch(which, rows)
        return 0.5 * (network(x) - x).flatten(2).square().mean(2)


class _Imitation(_Scaled):
    """Objective: half the weighted distance of the student's features from the teacher's (eq. 11)."""

    def __call__(self, network: nn.Module, which: Tensor, rows: Tensor, _: Draws) -> Tensor:
        own = [self.tasks[int(i)] for i in which]
        x = self.batch(which, rows)
        teachers = [task.teacher or {} for task in own]
        weights = {name: np.concatenate([t[name] for t in teachers]) for name in teachers[0]}
        taught = encode(weights, x.numpy())  # the teacher is frozen: only the student learns
        learned = network.encode(x)  # type: ignore[operator]
        pairs = enumerate(zip(taught, learned, strict=True))
        losses = [self._of_layer(own, i, teacher, student) for i, (teacher, student) in pairs]
        return 0.5 * torch.stack(losses).mean(0)

    def _of_layer(self, own: Sequence[Task], layer: int, teacher: Array, student: Tensor) -> Tensor:
        """Return the mean squared difference in a layer, shape (members, batch)."""
        if self.feature_scaling == "stfpm":
            unit = nn.functional.normalize(student, dim=-1)
            wrong = unit - torch.from_numpy(unit_length(teacher))
        else:
            wrong = student - torch.from_numpy(teacher)
        if own[0].spreads:
            spread = torch.from_numpy(np.concatenate([task.spreads[layer] for task in own]))
            wrong = wrong / spread.view(len(own), *(1,) * (wrong.ndim - 2), -1)
        return wrong.flatten(2).square().mean(2)


def _stack(rows: Sequence[NDArray[np.float64]]) -> Tensor:
    return torch.from_numpy(np.stack(rows).astype(np.float32))


def stacked(
    trained: Sequence[tuple[Weights, NDArray[np.float64]]], each: int
) -> list[tuple[Weights, NDArray[np.float64]]]:
    """Return the networks of each job as one stack of `each` members, and their losses."""
    jobs = [trained[i : i + each] for i in range(0, len(trained), each)]
    return [
        (
            {name: np.concatenate([own[name] for own, _ in job]) for name in job[0][0]},
            np.stack([losses for _, losses in job]),
        )
        for job in jobs
    ]
