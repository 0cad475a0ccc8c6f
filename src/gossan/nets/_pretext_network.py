"""What is learned without labels, or before them: networks and losses of the pretext tasks.

Rows of shape (members, batch, features) come in; reconstructions, and the loss of each row, go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, softplus

from gossan.nets._epochs import Examples
from gossan.nets._layers import ACTIVATIONS, Draws, MemberLinear

LEAK = 0.3  # of the published decoder


class MemberAutoencoder(nn.Module):
    """Dense encoder and decoder of every member; the encoder's layers are named as a classifier's.

    Parameters
    ----------
    n_members, n_in : int
        Networks side by side, features.
    hidden : sequence of int
        Widths of the encoder.
    decoder : sequence of int
        Widths of the decoder's hidden layers.
    activation : str
        Of the encoder and, unless `leaky`, of the decoder.
    leaky : bool
        Whether all layers of the decoder, the last too, end with a leaky ReLU, as published.
    """

    def __init__(
        self,
        n_members: int,
        n_in: int,
        *,
        hidden: Sequence[int],
        decoder: Sequence[int],
        activation: str,
        leaky: bool = False,
    ) -> None:
        super().__init__()
        self.activation, self.leaky = activation, leaky
        self.linears = _stack(n_members, [n_in, *hidden])
        self.decoder = _stack(n_members, [hidden[-1], *decoder])
        self.head = MemberLinear(n_members, [*hidden, *decoder][-1], n_in)

    def forward(self, x: Tensor, draws: Draws | None = None) -> Tensor:  # noqa: ARG002
        """Redraw (members, batch, features)."""
        for linear in self.linears:
            x = ACTIVATIONS[self.activation](linear(x))  # (members, batch, hidden[i])
        for linear in self.decoder:
            x = self._decode(linear(x))
        out = self.head(x)  # (members, batch, features)
        return self._decode(out) if self.leaky else out

    def _decode(self, x: Tensor) -> Tensor:
        return leaky_relu(x, LEAK) if self.leaky else ACTIVATIONS[self.activation](x)


def _stack(n_members: int, widths: Sequence[int]) -> nn.ModuleList:
    return nn.ModuleList([MemberLinear(n_members, a, b) for a, b in pairwise(widths)])


class Redrawing:
    """Objective: redraw rows, whole or from those of their features that were not hidden.

    Parameters
    ----------
    values : Tensor of shape (n_sets, n, features)
        Scaled rows of each set.
    set_of : Tensor of shape (n_tasks,)
        The set of each task.
    mask : float
        Share of features that are hidden (set to their mean); the loss counts these alone. With 0
        it counts all.
    noise : float
        Standard deviation of what is added to the inputs.
    """

    def __init__(self, values: Tensor, set_of: Tensor, *, mask: float, noise: float) -> None:
        self.values, self.set_of, self.mask, self.noise = values, set_of, mask, noise

    def __call__(self, network: nn.Module, which: Tensor, rows: Tensor, draws: Draws) -> Tensor:
        """Return the mean squared error of each row, shape (members, batch)."""
        x = self.values[self.set_of[which][:, None], rows]  # (members, batch, features)
        given, counts = x, torch.ones(())
        if self.mask > 0:
            is_seen = draws.uniform(*x.shape[1:]) >= self.mask
            given, counts = x * is_seen, (~is_seen).float() / self.mask
        if self.noise > 0:
            given = given + self.noise * draws.normal(*x.shape[1:])
        return ((network(given, draws) - x).square() * counts).mean(2)


class PositiveUnlabelled:
    """Objective: the non-negative risk of learning from positives and unlabelled rows [Kiryo2017]_.

    Parameters
    ----------
    examples : callable
        As of `CrossEntropy`, targets (members, batch, 1): 1 for positives, 0 for unlabelled.
    prior : float
        Share of positives among the unlabelled rows.
    """

    def __init__(self, examples: Examples, prior: float) -> None:
        self.examples, self.prior = examples, prior

    def __call__(self, network: nn.Module, which: Tensor, rows: Tensor, draws: Draws) -> Tensor:
        """Return the risk of each member, shape (members, batch): the same for all of its rows."""
        inputs, targets, _ = self.examples(which, rows, draws if network.training else None)
        logits, is_known = network(inputs, draws)[:, :, 0], targets[:, :, 0]
        missed = self.prior * _mean(softplus(-logits), is_known)
        of_known = self.prior * _mean(softplus(logits), is_known)
        false = _mean(softplus(logits), 1.0 - is_known) - of_known
        # Below zero the network has begun to learn the known by heart: that step is taken back.
        risk = torch.where(false >= 0, missed + false, -false if network.training else missed)
        return risk[:, None].expand(rows.shape)


def _mean(values: Tensor, share: Tensor) -> Tensor:
    """Return the mean of each member's values over its rows of that share, 0 without any."""
    return (values * share).sum(1) / share.sum(1).clamp(min=1.0)
