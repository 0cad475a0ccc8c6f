"""The one training loop of all nets: many trainings of one architecture run at once.

Every weight has a leading member axis (one member = one fold x seed); a single fit is one member.
In goes a network builder, an objective and the members; out come the trained weights and histories.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from gossan.nets._epochs import AutogradEpochs, CompiledEpochs, CrossEntropy, Objective
from gossan.nets._layers import Draws, initialise

__all__ = ["CrossEntropy", "Member", "Recipe", "Trained", "predict_members", "train_members"]

logger = logging.getLogger(__name__)

CHUNK_BYTES = 12 << 20  # weights, gradients and both Adam moments of a chunk stay in the cache
LARGEST_CHUNK = 64


@dataclass(frozen=True)
class Member:
    """One training: the rows it may learn from, its seed, and the rows that decide when to stop."""

    train: NDArray[np.intp]
    seed: int
    stop: NDArray[np.intp] | None = None
    weights: NDArray[np.float64] | None = None  # sampling weights of `train`; None: shuffled epochs


@dataclass(frozen=True)
class Recipe:
    """How to train: the numbers of an optimiser run, the same for every member.

    Parameters
    ----------
    epochs : int
        Passes over a member's training rows.
    batch_size : int
        Rows a step. Batches are always full: one shuffle runs on into the next.
    learning_rate, weight_decay : float
        Of Adam; a weight decay above zero is decoupled (AdamW).
    schedule : {"constant", "cosine", "steps"}
        "cosine" falls to zero over the epochs; "steps" multiplies by 0.9 every 5 epochs.
    patience : int or None
        Epochs without a better stopping loss before a member stops and its best weights are kept.
        None trains to the end.
    epsilon : float
        Of Adam, beside the root of the second moment; Keras has 1e-7.
    """

    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: str = "constant"
    patience: int | None = None
    epsilon: float = 1e-8

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch (counted from 0)."""
        if self.schedule == "cosine":
            return self.learning_rate * 0.5 * (1.0 + math.cos(math.pi * epoch / self.epochs))
        if self.schedule == "steps":
            return self.learning_rate * 0.9 ** (epoch // 5)
        return self.learning_rate


@dataclass(frozen=True)
class Trained:
    """What training gives: weights by name (first axis the member) and losses (members, epochs)."""

    weights: dict[str, Tensor]
    losses: NDArray[np.float64]
    stopping_losses: NDArray[np.float64] | None = None


def train_members(
    build: Callable[[Sequence[int]], nn.Module],
    objective: Objective,
    *,
    members: Sequence[Member],
    recipe: Recipe,
    progress: Callable[[int, int], None] | None = None,
    n_threads: int | None = None,
) -> Trained:
    """Train every member and return the weights of all.

    Parameters
    ----------
    build : callable
        Takes the indices of the members of a chunk and returns their network, whose parameters and
        buffers all have the member as their first axis.
    objective : callable
        `objective(network, which, rows, draws)` gives the loss of each row, shape (members, batch),
        for `which` (indices of the members) and `rows` of shape (members, batch) into the data.
        With a `CrossEntropy` a `MemberDense` is trained several times as fast (compiled).
    members : sequence of Member
        The trainings to run.
    recipe : Recipe
        Optimiser, epochs, stopping.
    progress : callable, optional
        Called with the member-epochs done and their total, after each chunk's epoch.
    n_threads : int, optional
        Chunks trained side by side; by default torch's number of threads.

    Returns
    -------
    trained : Trained
        In the order of `members`. The same whatever the chunks, within float tolerance.

    Raises
    ------
    ValueError
        If the recipe has a patience and a member has no stopping rows.
    """
    _check_stops(members, recipe)
    threads = n_threads or torch.get_num_threads()
    pattern = build([0])
    chunks = _chunks(pattern, members, recipe, threads)
    trained = _room(pattern, len(members), recipe)
    done = _Counter(len(members) * recipe.epochs, progress)

    def run(chunk: list[int]) -> None:
        torch.set_num_threads(1 if len(chunks) > 1 else threads)
        own = [members[i] for i in chunk]
        _put(trained, chunk, _Chunk(build(chunk), objective, chunk, own, recipe).train(done))

    with _threads_restored(), threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, chunks))
    return trained


def predict_members(
    network: nn.Module, X: NDArray[np.float32], *, batch_rows: int = 8192
) -> NDArray[np.float32]:
    """Return the outputs of every member for every row, shape (members, n, n_out), by blocks."""
    network.eval()
    n_members = next(network.parameters()).shape[0]
    outputs = []
    with torch.no_grad():
        for start in range(0, len(X), batch_rows):
            rows = torch.from_numpy(X[start : start + batch_rows])
            outputs.append(network(rows.expand(n_members, *rows.shape)).numpy())
    return np.concatenate(outputs, axis=1)


class _Chunk:
    """The members that are trained in one stack: their network, row streams and best weights."""

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        which: list[int],
        members: list[Member],
        recipe: Recipe,
    ) -> None:
        self.network, self.objective, self.members, self.recipe = (
            network,
            objective,
            members,
            recipe,
        )
        self.which = torch.tensor(which)
        self.draws = Draws([member.seed for member in members])
        initialise(network, self.draws)
        self.streams = [_RowStream(member, recipe) for member in members]
        way = CompiledEpochs if CompiledEpochs.fits(network, objective) else AutogradEpochs
        given = (network, objective, self.which, self.draws)
        options = {"weight_decay": recipe.weight_decay, "epsilon": recipe.epsilon}
        self.epochs = way(*given, **options)  # type: ignore[arg-type]
        self.best_losses = np.full(len(members), np.inf)
        self.best_epochs = np.zeros(len(members), dtype=int)
        self.best_weights: dict[str, Tensor] = {}

    def train(self, done: _Counter) -> Trained:
        recipe, count = self.recipe, len(self.members)
        losses = np.full((count, recipe.epochs), np.nan)
        stopping = np.full((count, recipe.epochs), np.nan)
        for epoch in range(recipe.epochs):
            rows = np.stack([stream.epoch() for stream in self.streams])  # (members, steps, batch)
            losses[:, epoch] = self.epochs.train(rows, recipe.rate(epoch))
            logger.debug("epoch %d: mean loss %.4f", epoch + 1, losses[:, epoch].mean())
            done.add(count)
            if recipe.patience is not None:
                stopping[:, epoch] = self._stopping_losses()
                self._keep_best(stopping[:, epoch], epoch)
                if np.all(epoch - self.best_epochs >= recipe.patience):
                    done.add(count * (recipe.epochs - epoch - 1))
                    break
        if recipe.patience is None:
            return Trained(_weights(self.network), losses)
        # A member that had stopped was carried along by its neighbours: that is not told.
        after = np.arange(recipe.epochs) > self.best_epochs[:, None] + recipe.patience
        losses[after] = stopping[after] = np.nan
        return Trained(self.best_weights, losses, stopping)

    def _stopping_losses(self) -> NDArray[np.float64]:
        """Return the mean loss of each member over its stopping rows (padded to one length)."""
        stops = [np.asarray(member.stop) for member in self.members]
        length = max(len(rows) for rows in stops)
        rows = torch.from_numpy(np.stack([np.resize(rows, length) for rows in stops]))
        own = torch.arange(length) < torch.tensor([len(rows) for rows in stops])[:, None]
        self.network.eval()
        with torch.no_grad():
            losses = self.objective(self.network, self.which, rows, self.draws)
        return ((losses * own).sum(1) / own.sum(1)).double().numpy()

    def _keep_best(self, losses: NDArray[np.float64], epoch: int) -> None:
        waiting = epoch - self.best_epochs <= (self.recipe.patience or 0)
        better = waiting & (losses < self.best_losses) if epoch else losses < np.inf
        self.best_losses[better], self.best_epochs[better] = losses[better], epoch
        now, index = _weights(self.network), torch.from_numpy(np.flatnonzero(better))
        if not self.best_weights:
            self.best_weights = now
        for name, best in self.best_weights.items():
            best[index] = now[name][index]


class _RowStream:
    """The order in which one member sees its rows: shuffles laid end to end, or weighted draws."""

    def __init__(self, member: Member, recipe: Recipe) -> None:
        self.rows, self.weights = np.asarray(member.train), member.weights
        self.shape = (_steps(member, recipe), recipe.batch_size)
        self.rng = np.random.default_rng([member.seed, 1])
        self.left = np.empty(0, dtype=self.rows.dtype)

    def epoch(self) -> NDArray[np.intp]:
        """Return the rows of one epoch's batches, shape (steps, batch)."""
        count = self.shape[0] * self.shape[1]
        if self.weights is not None:
            share = self.weights / self.weights.sum()
            return self.rng.choice(self.rows, size=count, p=share).reshape(self.shape)
        while len(self.left) < count:
            self.left = np.concatenate([self.left, self.rng.permutation(self.rows)])
        drawn, self.left = self.left[:count], self.left[count:]
        return drawn.reshape(self.shape)


class _Counter:
    """Counts member-epochs over all threads and tells them to the caller's progress function."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self.done, self.total, self.progress = 0, total, progress
        self.lock = Lock()

    def add(self, count: int) -> None:
        with self.lock:
            self.done += count
            if self.progress is not None:
                self.progress(self.done, self.total)


def _check_stops(members: Sequence[Member], recipe: Recipe) -> None:
    missing = [i for i, member in enumerate(members) if member.stop is None]
    if recipe.patience is not None and missing:
        raise ValueError(
            f"Early stopping needs stopping rows in every member, got none in {len(missing)} of "
            f"{len(members)} (first: member {missing[0]}). Give Member(stop=...) or patience=None."
        )


def _chunks(
    pattern: nn.Module, members: Sequence[Member], recipe: Recipe, threads: int
) -> list[list[int]]:
    """Split the members so that a chunk fits the cache and all in it take the same steps."""
    bytes_each = 16 * sum(weight.numel() for weight in pattern.parameters())
    largest = max(1, min(LARGEST_CHUNK, CHUNK_BYTES // bytes_each, -(-len(members) // threads)))
    by_steps: dict[int, list[int]] = {}
    for i, member in enumerate(members):
        by_steps.setdefault(_steps(member, recipe), []).append(i)
    return [
        group[start : start + largest]
        for group in by_steps.values()
        for start in range(0, len(group), largest)
    ]


def _steps(member: Member, recipe: Recipe) -> int:
    return max(1, math.ceil(len(member.train) / recipe.batch_size))


def _weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _room(pattern: nn.Module, n_members: int, recipe: Recipe) -> Trained:
    """Return empty arrays for the result, in the shapes of a network of one member."""
    shapes = {name: value.shape[1:] for name, value in pattern.state_dict().items()}
    weights = {name: torch.empty(n_members, *shape) for name, shape in shapes.items()}
    losses = np.full((n_members, recipe.epochs), np.nan)
    return Trained(weights, losses, None if recipe.patience is None else losses.copy())


def _put(trained: Trained, chunk: list[int], part: Trained) -> None:
    """Write the result of a chunk at its members' places."""
    for name, value in part.weights.items():
        trained.weights[name][chunk] = value
    trained.losses[chunk] = part.losses
    if trained.stopping_losses is not None and part.stopping_losses is not None:
        trained.stopping_losses[chunk] = part.stopping_losses


@contextmanager
def _threads_restored() -> Iterator[None]:
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
