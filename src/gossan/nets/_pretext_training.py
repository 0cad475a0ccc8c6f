"""Training of few-label classifiers: pretext tasks first, then many training sets at once.

Checked tables, labels and training sets come in; the weights of every network go out as arrays.
Networks that die (one output for all rows) are found and trained again from other seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gossan.nets._epochs import Objective
from gossan.nets._forward import dense_hidden, dense_outputs
from gossan.nets._layers import Draws, MemberDense, MemberLinear
from gossan.nets._pretext_network import MemberAutoencoder, PositiveUnlabelled, Redrawing
from gossan.nets._training import CrossEntropy, Member, Recipe, train_members

Array: TypeAlias = NDArray[np.float32]
Weights: TypeAlias = dict[str, Array]
TRIES = 3  # trainings of a network from other seeds, when it is dead
CONSTANT = 1e-6  # spread of outputs below which they are one


@dataclass(frozen=True)
class Pretext:
    """What the pretext task is learned from: rows, and classes of rows where that is the task."""

    rows: NDArray[np.float64]
    codes: NDArray[np.int64] | None = None


class Job:
    """One training set of `fit_many`: its rows, codes, row weights, scaling and members."""

    def __init__(
        self,
        values: NDArray[np.float64],
        labels: NDArray,
        *,
        train: NDArray[np.intp],
        seed: int,
        groups: NDArray | None,
        scaled_by: NDArray[np.float64] | None,
        settings: Mapping[str, Any],
    ) -> None:
        self.classes, codes = np.unique(labels[train], return_inverse=True)
        if len(self.classes) != 2:
            raise ValueError(
                f"Occurrences and background are 2 classes, got {self.classes.tolist()[:9]} in"
                f" {len(train)} rows. Check the labels or the split."
            )
        self.train, self.codes = train, np.zeros(len(labels), dtype=np.float32)
        self.codes[train] = codes
        counts = np.bincount(codes)
        self.row_weights = np.ones(len(labels), dtype=np.float32)
        if settings["loss"] in {"weighted", "focal"}:
            self.row_weights[train] = len(train) / (2.0 * counts[codes])
        # Weights make both classes as likely; this takes the odds back to those of the rows.
        told = settings["loss"] == "weighted" and settings["odds"] == "training"
        self.offset = float(np.log(counts[1] / counts[0])) if told else 0.0
        rows = values[train] if scaled_by is None else scaled_by
        self.center, self.scale = _scaling(rows, settings["scaling"])
        if settings["start"] is not None:  # what goes on learning was trained on this scale
            self.center, self.scale = settings["start"].center_, settings["start"].scale_
        seeds = np.random.default_rng(seed).integers(2**31, size=settings["n_members"])
        self.members = [self._member(int(s), groups, settings) for s in seeds]

    def _member(self, seed: int, groups: NDArray | None, settings: Mapping[str, Any]) -> Member:
        if settings["patience"] is None:
            return Member(self.train, seed)
        of_rows = np.arange(len(self.train)) if groups is None else groups[self.train]
        stop = _stopping_rows(self.codes[self.train], of_rows, settings["stop_share"], seed)
        return Member(self.train[~stop], seed, self.train[stop])


@dataclass(frozen=True)
class Trained:
    """What training gives of a job: weights, losses, and networks that were found dead."""

    weights: Weights
    losses: NDArray[np.float64]
    n_reseeded: int
    n_dead: int


def train_jobs(
    jobs: Sequence[Job],
    values: NDArray[np.float64],
    *,
    pretext: Pretext | None,
    settings: Mapping[str, Any],
    progress: Callable[[int, int], None] | None,
) -> list[Trained]:
    """Learn the pretext task, then train the networks of all jobs at once."""
    each = settings["n_members"]
    seeds = np.array([member.seed for job in jobs for member in job.members])
    bodies, body_of, renewed = _pretrain(jobs, values, seeds, pretext, settings)
    data = _Rows(jobs, values, bodies, body_of, settings)
    living = _Living(partial(_train, data, progress=progress), data.is_dead)
    weights, losses, again, dead = living.train(data.members)
    again += renewed[body_of]
    spans = [slice(i * each, (i + 1) * each) for i in range(len(jobs))]
    return [
        Trained(
            {name: value[span] for name, value in weights.items()},
            losses[span],
            int((again[span] > 0).sum()),
            int(dead[span].sum()),
        )
        for span in spans
    ]


class _Living:
    """Trains networks, and those that come out dead again from other seeds."""

    def __init__(
        self,
        train: Callable[[NDArray[np.intp], list[Member]], tuple[Weights, NDArray[np.float64]]],
        is_dead: Callable[[NDArray[np.intp], Weights], NDArray[np.bool_]],
    ) -> None:
        self._train, self._is_dead = train, is_dead

    def train(
        self, members: list[Member]
    ) -> tuple[Weights, NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
        """Return weights, losses, times that each was trained again, and whether it is dead."""
        which = np.arange(len(members))
        weights, losses = self._train(which, members)
        again, dead = np.zeros(len(members), np.int64), self._is_dead(which, weights)
        for attempt in range(TRIES):
            which = np.flatnonzero(dead)
            if not len(which):
                break
            others = [_reseeded(members[i], attempt) for i in which]
            new, new_losses = self._train(which, others)
            for name, value in new.items():
                weights[name][which] = value
            losses[which] = new_losses
            again[which] += 1
            dead[which] = self._is_dead(which, new)
        return weights, losses, again, dead


def _reseeded(member: Member, attempt: int) -> Member:
    seed = int(np.random.default_rng([member.seed, attempt]).integers(2**31))
    return Member(member.train, seed, member.stop)


# Before the labels


def _pretrain(
    jobs: Sequence[Job],
    values: NDArray[np.float64],
    seeds: NDArray[np.int64],
    pretext: Pretext | None,
    settings: Mapping[str, Any],
) -> tuple[Weights | None, NDArray[np.int64], NDArray[np.int64]]:
    """Return the bodies, that of each network, and how often each had to be trained again.

    Jobs that share the pretext's rows and a seed share the body.
    """
    if settings["start"] is not None:
        weights = settings["start"].weights_
        bodies = {name: value for name, value in weights.items() if name.startswith("linears")}
        n_bodies = len(weights["head.weight"])
        body_of = np.arange(len(seeds)) % settings["n_members"] % n_bodies
        return bodies, body_of, np.zeros(n_bodies, np.int64)
    if settings["pretext"] == "none":
        return None, np.zeros(len(seeds), np.int64), np.zeros(1, np.int64)
    job_of = np.repeat(np.arange(len(jobs)), settings["n_members"])
    set_of = job_of if pretext is None else np.zeros_like(job_of)
    tasks, body_of = np.unique(np.column_stack([set_of, seeds]), axis=0, return_inverse=True)
    sets = [_standard(job, values)[job.train] for job in jobs]
    if pretext is not None:
        sets = [_standard(jobs[0], pretext.rows)]
    learner = _PretextLearner(
        sets, tasks[:, 0], None if pretext is None else pretext.codes, settings
    )
    members = [Member(np.arange(len(sets[i])), int(seed)) for i, seed in tasks]
    weights, _, again, _ = _Living(learner.train, learner.is_dead).train(members)
    return weights, body_of.reshape(-1), again


class _PretextLearner:
    """Trains bodies on a pretext task."""

    def __init__(
        self,
        sets: Sequence[Array],
        set_of: NDArray[np.int64],
        codes: NDArray[np.int64] | None,
        settings: Mapping[str, Any],
    ) -> None:
        self.sets, self.set_of, self.codes, self.settings = sets, set_of, codes, settings
        longest = max(len(rows) for rows in sets)
        padded = [np.resize(rows, (longest, rows.shape[1])) for rows in sets]
        self.values = torch.from_numpy(np.stack(padded))
        self.lengths = np.array([len(sets[i]) for i in set_of])

    def train(
        self, which: NDArray[np.intp], members: list[Member]
    ) -> tuple[Weights, NDArray[np.float64]]:
        """Return the bodies of some tasks, and their losses; each goes by its own batch size."""
        weights: Weights = {}
        losses = np.empty((len(which), self.settings["pretext_epochs"]))
        for length in np.unique(self.lengths[which]):
            own = np.flatnonzero(self.lengths[which] == length)
            trained = train_members(
                self._build,
                self._objective(torch.from_numpy(self.set_of[which[own]])),
                members=[members[i] for i in own],
                recipe=self._recipe(int(length)),
            )
            losses[own] = trained.losses
            for name, value in trained.weights.items():
                if name.startswith("linears"):
                    room = np.empty((len(which), *value.shape[1:]), dtype=np.float32)
                    weights.setdefault(name, room)[own] = value.numpy()
        return weights, losses

    def is_dead(self, which: NDArray[np.intp], weights: Weights) -> NDArray[np.bool_]:
        """Tell which bodies say the same of all rows."""
        activation, dead = self.settings["activation"], np.zeros(len(which), bool)
        for i, task in enumerate(which):
            body = {name: value[i : i + 1] for name, value in weights.items()}
            said = dense_hidden(body, self.sets[self.set_of[task]], activation=activation)
            dead[i] = (np.ptp(said, axis=1) < CONSTANT).all()
        return dead

    def _recipe(self, n_rows: int) -> Recipe:
        return Recipe(
            epochs=self.settings["pretext_epochs"],
            batch_size=min(self.settings["pretext_batch_size"], n_rows),
            learning_rate=self.settings["pretext_learning_rate"],
            schedule=self.settings["schedule"],
            epsilon=self.settings["epsilon"],
        )

    def _build(self, which: Sequence[int]) -> nn.Module:
        n_in = self.values.shape[2]
        shape = {key: self.settings[key] for key in ("hidden", "activation")}
        if self.codes is not None:
            return MemberDense(len(which), n_in, int(self.codes.max()) + 1, **shape)
        is_mirrored = self.settings["pretext"] == "autoencoder"
        decoder = self.settings["hidden"][-2::-1] if is_mirrored else ()
        leaky = self.settings["leaky_decoder"]
        return MemberAutoencoder(len(which), n_in, decoder=decoder, leaky=leaky, **shape)

    def _objective(self, set_of: Tensor) -> Objective:
        if self.codes is None:
            mask = self.settings["mask"] if self.settings["pretext"] == "masked" else 0.0
            return Redrawing(self.values, set_of, mask=mask, noise=self.settings["noise"])
        targets = torch.eye(int(self.codes.max()) + 1)[torch.from_numpy(self.codes)]
        return CrossEntropy(lambda _, rows, __: (self.values[0][rows], targets[rows], None))


# From the labels


class _Rows:
    """The rows of all jobs as the objective needs them, and the networks that learn from them."""

    def __init__(
        self,
        jobs: Sequence[Job],
        values: NDArray[np.float64],
        bodies: Weights | None,
        body_of: NDArray[np.int64],
        settings: Mapping[str, Any],
    ) -> None:
        self.jobs, self.bodies, self.body_of, self.settings = jobs, bodies, body_of, settings
        self.members = [member for job in jobs for member in job.members]
        self.job_of = np.repeat(np.arange(len(jobs)), settings["n_members"])
        self.codes = torch.from_numpy(np.stack([job.codes for job in jobs]))[:, :, None]
        self.row_weights = torch.from_numpy(np.stack([job.row_weights for job in jobs]))
        self.scaled = np.stack([_standard(job, values) for job in jobs])  # (jobs, n, d)
        self.is_probe = settings["tune"] == "probe" and bodies is not None
        if self.is_probe:
            self.inputs, self.input_of = self._features()
        else:
            self.inputs, self.input_of = torch.from_numpy(self.scaled), self.job_of

    def objective(self, which: NDArray[np.intp]) -> Objective:
        """Return the loss of the networks `which`, counted from 0 in it."""
        examples = partial(
            self._examples,
            torch.from_numpy(self.job_of[which]),
            torch.from_numpy(self.input_of[which]),
        )
        if self.settings["loss"] == "pu":
            return PositiveUnlabelled(examples, self.settings["prior"])
        keys = ("head_l1", "head_l2")
        focus = self.settings["focus"] if self.settings["loss"] == "focal" else 0.0
        return CrossEntropy(examples, focus=focus, **{key: self.settings[key] for key in keys})

    def build(self, which: NDArray[np.intp], some: Sequence[int]) -> MemberDense:
        """Return a chunk of the networks `which`, whose layers start from their bodies."""
        hidden = () if self.is_probe else self.settings["hidden"]
        network = MemberDense(
            len(some),
            self.inputs.shape[2],
            1,
            hidden=hidden,
            activation=self.settings["activation"],
            dropout=self.settings["dropout"],
        )
        if self.bodies is not None:
            of_some = self.body_of[which[list(some)]]
            layers: Any = network.linears
            for i, layer in enumerate(layers):
                weight, bias = (
                    self.bodies[f"linears.{i}.{part}"][of_some] for part in ("weight", "bias")
                )
                layer.initialise = partial(_take_over, layer, weight, bias)
        return network

    def whole(self, which: NDArray[np.intp], weights: Weights) -> Weights:
        """Return body and head of the networks `which`."""
        if not self.is_probe or self.bodies is None:
            return weights
        of_these = self.body_of[which]
        return {name: value[of_these] for name, value in self.bodies.items()} | weights

    def is_dead(self, which: NDArray[np.intp], weights: Weights) -> NDArray[np.bool_]:
        """Tell which networks say the same of all their training rows."""
        dead = np.zeros(len(which), bool)
        for j in np.unique(self.job_of[which]):
            own = np.flatnonzero(self.job_of[which] == j)
            rows = self.scaled[j][self.jobs[j].train]
            some = {name: value[own] for name, value in weights.items()}
            said = dense_outputs(some, rows, activation=self.settings["activation"])
            dead[own] = np.ptp(said[:, :, 0], axis=1) < CONSTANT
        return dead

    def _examples(
        self, job_of: Tensor, input_of: Tensor, which: Tensor, rows: Tensor, draws: Draws | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        jobs = job_of[which][:, None]
        x = self.inputs[input_of[which][:, None], rows]  # (members, n, d)
        if draws is not None and self.settings["noise"] > 0 and not self.is_probe:
            x = x + self.settings["noise"] * draws.normal(*x.shape[1:])
        return x, self.codes[jobs, rows], self.row_weights[jobs, rows]

    def _features(self) -> tuple[Tensor, NDArray[np.int64]]:
        """Return what each body says of the rows, and which of that each network learns from."""
        assert self.bodies is not None  # noqa: S101 - told to mypy
        pairs = np.column_stack([self.job_of, self.body_of])
        if all(np.array_equal(job.center, self.jobs[0].center) for job in self.jobs):
            pairs[:, 0] = 0
        pairs, input_of = np.unique(pairs, axis=0, return_inverse=True)
        activation = self.settings["activation"]
        said = [
            dense_hidden(
                {name: value[b : b + 1] for name, value in self.bodies.items()},
                self.scaled[j],
                activation=activation,
            )[0]
            for j, b in pairs
        ]
        return torch.from_numpy(np.stack(said)), input_of.reshape(-1)


def _train(
    data: _Rows,
    which: NDArray[np.intp],
    members: list[Member],
    *,
    progress: Callable[[int, int], None] | None,
) -> tuple[Weights, NDArray[np.float64]]:
    """Return weights and losses of the networks `which`."""
    keys = ("epochs", "batch_size", "learning_rate", "weight_decay", "schedule", "patience")
    trained = train_members(
        partial(data.build, which),
        data.objective(which),
        members=members,
        recipe=Recipe(**{key: data.settings[key] for key in (*keys, "epsilon")}),
        progress=progress,
    )
    weights = {name: value.numpy() for name, value in trained.weights.items()}
    return data.whole(which, weights), trained.losses


def _take_over(layer: MemberLinear, weight: Array, bias: Array, draws: Draws) -> None:  # noqa: ARG001
    """Set the weights that training starts from, in place of drawing them."""
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))


def _standard(job: Job, values: NDArray[np.float64]) -> Array:
    return ((values - job.center) / job.scale).astype(np.float32)


def _scaling(
    rows: NDArray[np.float64], scaling: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centre and scale of each feature; a constant feature is left unscaled."""
    if scaling == "none":
        return np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    spread = rows.std(axis=0)
    return rows.mean(axis=0), np.where(spread > 0, spread, 1.0)


def _stopping_rows(codes: Array, groups: NDArray, share: float, seed: int) -> NDArray[np.bool_]:
    """Mark whole groups, drawn at random, that hold about `share` of each class, but never all."""
    names, of_row = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), 2))
    np.add.at(counts, (of_row, codes.astype(int)), 1)
    wanted, most = share * counts.sum(axis=0), counts.sum(axis=0) - 1
    chosen, held = np.zeros(len(names), bool), np.zeros(2)
    for group in np.random.default_rng([seed, 2]).permutation(len(names)):
        is_of_use = (counts[group] * (held < wanted)).any()
        if is_of_use and (held + counts[group] <= most).all():
            chosen[group], held = True, held + counts[group]
    if (held == 0).any():
        raise ValueError(
            f"Early stopping needs groups that leave both classes on both sides, got {len(names)}"
            f" groups of {len(codes)} rows. Pass finer groups, or patience=None."
        )
    return chosen[of_row]
