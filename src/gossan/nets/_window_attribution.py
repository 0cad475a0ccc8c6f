"""What each element adds to what a window network says, by the gradients of the network.

Weights by layer, scaled windows (n, y, x, channels) and a baseline come in; a share of the logit for
each element goes out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gossan.nets._window_forward import Array, Stage, Weights
from gossan.nets._window_training import WindowNetwork

BLOCK = 1024  # windows on their ways at once: some tens of MB of the largest network


def path_gradients(
    weights: Weights, stages: Sequence[Stage], cells: Array, baseline: Array, *, steps: int
) -> NDArray[np.float64]:
    """Return the integral of the gradient on the straight way from the baseline, shape (n, channels).

    Parameters
    ----------
    weights, stages
        As in `logits`; the mean of the members is explained.
    cells, baseline : array of shape (n, field, field, channels)
        Scaled.
    steps : int
        Points of the midpoint rule. A network of rectified units is piecewise linear, so that
        more of them only find its corners better.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}. 32 is usual.")
    network = _network(weights, stages, cells.shape[3])
    shares = (torch.arange(steps, dtype=torch.float32) + 0.5) / steps
    at_once, parts = max(1, BLOCK // steps), []
    for start in range(0, len(cells), at_once):
        ends, begins = (
            torch.from_numpy(np.ascontiguousarray(each[start : start + at_once]))
            for each in (cells, baseline)
        )
        change = ends - begins  # (n, y, x, channels)
        points = begins[:, None] + shares[:, None, None, None] * change[:, None]
        gradient = _gradient(network, points.flatten(0, 1)).unflatten(0, (len(ends), steps))
        parts.append((gradient.double().mean(1) * change).sum((1, 2)).numpy())
    return np.concatenate(parts)


def _network(weights: Weights, stages: Sequence[Stage], n_in: int) -> WindowNetwork:
    """Return the trained members as a network of torch that learns no more."""
    network = WindowNetwork(len(weights["head.bias"]), n_in, stages)
    network.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    return network.requires_grad_(requires_grad=False).eval()


def _gradient(network: WindowNetwork, points: Tensor) -> Tensor:
    """Return the gradient of the mean logit of the members at points (n, y, x, channels)."""
    n_members = len(network.head.weight)
    points = points.requires_grad_()
    said = network(points.expand(n_members, *points.shape))  # (members, n)
    return torch.autograd.grad(said.mean(0).sum(), points)[0]
