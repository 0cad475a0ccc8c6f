"""The two ways to train a stack of members for an epoch: by autograd, or compiled.

A network, an objective and the rows of an epoch's batches go in; the weights change in place and
the mean loss of each member comes out. Autograd takes any network and objective; `CompiledEpochs`
takes a `MemberDense` with `CrossEntropy`, and is several times as fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from gossan.nets._compiled import (
    ACTIVATION_CODES,
    Adam,
    Batches,
    Plan,
    State,
    kept_of_65536,
    later,
    train_steps,
    words_a_step,
)
from gossan.nets._layers import EPS, MOMENTUM, Draws, MemberDense

Objective = Callable[[nn.Module, Tensor, Tensor, Draws], Tensor]
Examples = Callable[[Tensor, Tensor, Draws | None], tuple[Tensor, Tensor, Tensor | None]]

STEPS_AT_ONCE = 128  # whose batches are laid out in memory before the kernels run


class CrossEntropy:
    """Objective: cross-entropy of the network's outputs against (soft) class probabilities.

    Parameters
    ----------
    examples : callable
        `examples(which, rows, draws)` gives what to learn from `rows` of shape (members, n):
        inputs (members, n, n_in), targets (members, n, n_classes) and the weights of the rows
        (members, n) or None. `draws` is None when the network is only used, not trained; in
        training n may be one batch, or many batches in a row. A network of one output is a
        logistic one, and its targets (members, n, 1) the chance of a one.
    focus : float
        Exponent of the focal loss [Lin2017]_ of a logistic network; 0 is plain cross-entropy.
    head_l1, head_l2 : float
        Penalties of a `MemberDense`: the sums of the absolute and of the squared weights of its
        head, times these, are added to the loss in training.
    """

    def __init__(
        self, examples: Examples, *, focus: float = 0.0, head_l1: float = 0.0, head_l2: float = 0.0
    ) -> None:
        self.examples, self.focus = examples, focus
        self.head_l1, self.head_l2 = head_l1, head_l2

    def __call__(self, network: nn.Module, which: Tensor, rows: Tensor, draws: Draws) -> Tensor:
        """Return the loss of each row, shape (members, n)."""
        inputs, targets, weights = self.examples(which, rows, draws if network.training else None)
        outputs = network(inputs, draws)
        if outputs.shape[2] == 1:
            losses = binary_losses(outputs[:, :, 0], targets[:, :, 0], self.focus)
        else:
            losses = -(targets * outputs.log_softmax(2)).sum(2)
        losses = losses if weights is None else losses * weights
        if network.training and (self.head_l1 or self.head_l2):
            head = network.head.weight.flatten(1)  # type: ignore[union-attr, operator]
            penalty = self.head_l1 * head.abs().sum(1) + self.head_l2 * head.square().sum(1)
            losses = losses + penalty[:, None]
        return losses


def binary_losses(logits: Tensor, targets: Tensor, focus: float = 0.0) -> Tensor:
    """Return the (focal) cross-entropy of each logit against the chance of a one."""
    log_p, log_q = logsigmoid(logits), logsigmoid(-logits)
    if focus > 0:
        return -(
            targets * log_q.exp() ** focus * log_p + (1.0 - targets) * log_p.exp() ** focus * log_q
        )
    return -(targets * log_p + (1.0 - targets) * log_q)


class AutogradEpochs:
    """Epochs of Adam over all members at once, for any network and objective."""

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        which: Tensor,
        draws: Draws,
        *,
        weight_decay: float,
        epsilon: float = 1e-8,
    ) -> None:
        self.network, self.objective, self.which, self.draws = network, objective, which, draws
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        self.flat = nn.Parameter(lay_end_to_end(weights, axis=0))
        self.flat.grad = self.grads = torch.zeros_like(self.flat)
        for weight, grad in zip(weights, _views(self.grads, weights, axis=0), strict=True):
            weight.grad = grad
        # Fused Adam makes one pass over the weights; AdamW decouples the decay.
        kind = torch.optim.AdamW if weight_decay > 0.0 else torch.optim.Adam
        options = {"weight_decay": weight_decay, "eps": epsilon, "fused": True}
        self.optimiser = kind([self.flat], **options)  # type: ignore[arg-type]

    def train(self, rows: NDArray[np.intp], rate: float) -> NDArray[np.float64]:
        """Take a step for each batch of `rows` (members, steps, batch); return the mean losses."""
        self.optimiser.param_groups[0]["lr"] = rate
        self.network.train()
        total = torch.zeros(len(rows))
        for batch in torch.from_numpy(rows).unbind(1):  # (members, batch)
            losses = self.objective(self.network, self.which, batch, self.draws).mean(1)
            losses.sum().backward()
            self.optimiser.step()
            self.grads.zero_()
            total += losses.detach()
        return (total / rows.shape[1]).double().numpy()


class CompiledEpochs:
    """Epochs of Adam over one member after the other, for dense networks with cross-entropy."""

    def __init__(
        self,
        network: MemberDense,
        objective: CrossEntropy,
        which: Tensor,
        draws: Draws,
        *,
        weight_decay: float,
        epsilon: float = 1e-8,
    ) -> None:
        self.network, self.objective, self.which, self.draws = network, objective, which, draws
        self.weight_decay, self.epsilon, self.steps_done = weight_decay, epsilon, 0
        weights = lay_end_to_end(network.parameters(), axis=1).numpy()  # (members, n_weights)
        first, second = np.zeros_like(weights), np.zeros_like(weights)
        running = weights[:, :0]
        if len(network.norms):
            running = lay_end_to_end(network.buffers(), axis=1).numpy()  # (members, n_statistics)
        self.states = [State(*each) for each in zip(weights, first, second, running, strict=True)]
        self.plan = _plan(network, objective)

    @staticmethod
    def fits(network: nn.Module, objective: Objective) -> bool:
        """Tell whether the compiled way exists for this network and objective."""
        return (
            type(network) is MemberDense
            and isinstance(objective, CrossEntropy)
            and network.activation in ACTIVATION_CODES
            and all(weight.requires_grad for weight in network.parameters())
        )

    def train(self, rows: NDArray[np.intp], rate: float) -> NDArray[np.float64]:
        """Take a step for each batch of `rows` (members, steps, batch); return the mean losses."""
        total = np.zeros(len(rows))
        for start in range(0, rows.shape[1], STEPS_AT_ONCE):
            total += self._train_steps(rows[:, start : start + STEPS_AT_ONCE], rate)
        return total / rows.shape[1]

    def _train_steps(self, rows: NDArray[np.intp], rate: float) -> NDArray[np.float64]:
        """Prepare the batches of some steps, take the steps and return the sums of their losses."""
        steps, batch = rows.shape[1:]
        flat = torch.from_numpy(rows.reshape(len(rows), -1))  # (members, steps x batch)
        inputs, targets, weights = self.objective.examples(self.which, flat, self.draws)
        weights = torch.ones(flat.shape) if weights is None else weights
        data = [_batches(part, rows.shape) for part in (inputs, targets, weights)]
        adam = Adam(self.steps_done, rate, self.weight_decay, self.epsilon)
        losses = [
            train_steps(self.plan, state, Batches(x, t, w), key, adam)
            for state, x, t, w, key in zip(self.states, *data, self.draws.keys, strict=True)
        ]
        self.draws.keys = later(self.draws.keys, steps * words_a_step(self.plan, batch))
        self.steps_done += steps
        return np.array(losses)


def lay_end_to_end(tensors: Iterable[Tensor], *, axis: int) -> Tensor:
    """Make all tensors (members, ...) views of one new array, and return it.

    The array is (total,) with axis 0, one tensor after the other, and (members, total) with axis 1,
    one member after the other.
    """
    tensors = list(tensors)
    flat = torch.cat([tensor.detach().flatten(axis) for tensor in tensors], dim=axis)
    for tensor, view in zip(tensors, _views(flat, tensors, axis=axis), strict=True):
        tensor.data = view
    return flat


def _views(flat: Tensor, tensors: Sequence[Tensor], *, axis: int) -> list[Tensor]:
    """Return a part of `flat` for each tensor, in its shape."""
    sizes = [tensor.flatten(axis).shape[axis] for tensor in tensors]
    parts = flat.detach().split(sizes, dim=axis)
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


def _batches(part: Tensor, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return (members, steps x batch, ...) as a contiguous (members, steps, batch, ...)."""
    return np.ascontiguousarray(part.detach().float().numpy()).reshape(*shape, *part.shape[2:])


def _plan(network: MemberDense, objective: CrossEntropy) -> Plan:
    """Describe a dense network, whose arrays lie end to end, to the kernels."""
    weights, running = _starts(network.named_parameters()), _starts(network.named_buffers())
    layers = [*(f"linears.{i}" for i in range(len(network.linears))), "head"]
    norms = [f"norms.{i}" for i in range(len(network.norms))]
    widths = [linear.weight.shape[1] for linear in (*network.linears, network.head)]
    return Plan(
        widths=_integers([*widths, network.head.weight.shape[2]]),
        column=_integers([sum(widths[1:i]) for i in range(1, len(widths))]),
        weight=_integers([weights[f"{name}.weight"] for name in layers]),
        bias=_integers([weights[f"{name}.bias"] for name in layers]),
        gain=_integers([weights[f"{name}.gain"] for name in norms]),
        shift=_integers([weights[f"{name}.shift"] for name in norms]),
        mean=_integers([running[f"{name}.mean"] for name in norms]),
        variance=_integers([running[f"{name}.variance"] for name in norms]),
        normalise=bool(norms),
        momentum=np.float32(MOMENTUM),
        eps=np.float32(EPS),
        activation=ACTIVATION_CODES[network.activation],
        keep=kept_of_65536(1.0 - network.dropout) if network.dropout > 0.0 else 0,
        focus=np.float32(objective.focus),
        head_l1=np.float32(objective.head_l1),
        head_l2=np.float32(objective.head_l2),
    )


def _starts(named: Iterable[tuple[str, Tensor]]) -> dict[str, int]:
    """Return where each array starts when they lie end to end, by its name."""
    starts, at = {}, 0
    for name, tensor in named:
        starts[name], at = at, at + tensor[0].numel()
    return starts


def _integers(values: Sequence[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)
