"""What trained neighbour networks say of sequences, from plain arrays and without torch.

Weights by layer name, first axis the member, and scaled sequences come in; outputs go out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

Array = NDArray[np.float32]
MOST_LOG_SPREAD = 1.5  # a network widens or narrows kriging's spread by e^1.5 at most
BISECTIONS = 40
BLOCK_VALUES = 1 << 22  # numbers of the widest array of a block


def recurrent_shapes(
    n_in: int,
    n_out: int,
    *,
    n_members: int,
    filters: int,
    width: int,
    hidden: int,
    sees_first: bool,
) -> dict[str, tuple[int, int, int]]:
    """Return the name and shape of each array of weights, in the order of the layers."""
    m = n_members
    shapes = {
        "conv.linear.weight": (m, n_in * width, filters),
        "conv.linear.bias": (m, 1, filters),
        "lstm.inputs.weight": (m, filters, 8 * hidden),
        "lstm.inputs.bias": (m, 1, 8 * hidden),
    }
    for name in ("first", "last"):
        shapes[f"lstm.{name}.weight"] = (m, hidden, 4 * hidden)
        shapes[f"lstm.{name}.bias"] = (m, 1, 4 * hidden)
    shapes["head.weight"] = (m, 2 * hidden + n_in * sees_first, n_out)
    shapes["head.bias"] = (m, 1, n_out)
    return shapes


def recurrent_outputs(weights: Mapping[str, Array], X: Array, is_there: NDArray[np.bool_]) -> Array:
    """Return the outputs of every member for every row, shape (members, n, n_out), by blocks."""
    widest = weights["lstm.inputs.weight"].shape[0] * weights["lstm.inputs.weight"].shape[2]
    rows = max(1, BLOCK_VALUES // (widest * X.shape[1]))
    starts = range(0, len(X), rows)
    blocks = [_outputs(weights, X[i : i + rows], is_there[i : i + rows]) for i in starts]
    return np.concatenate(blocks, axis=1)


def mixture_quantile(
    means: NDArray[np.float64], stds: NDArray[np.float64], level: float
) -> NDArray[np.float64]:
    """Return a quantile of equal mixtures of normal distributions along the first axis."""
    stds = np.maximum(stds, 1e-12)
    ends = means + stds * ndtri(level)
    low, high = ends.min(axis=0), ends.max(axis=0)  # the quantile of a mixture lies between
    for _ in range(BISECTIONS if len(means) > 1 else 0):
        middle = 0.5 * (low + high)
        is_below = ndtr((middle - means) / stds).mean(axis=0) < level
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return 0.5 * (low + high)


def _outputs(weights: Mapping[str, Array], x: Array, is_there: NDArray[np.bool_]) -> Array:
    n, steps, n_in = x.shape
    kernel = weights["conv.linear.weight"]
    members, width = len(kernel), kernel.shape[1] // n_in
    before = (width - 1) // 2
    padded = np.pad(x, ((0, 0), (before, width - 1 - before), (0, 0)))
    windows = np.concatenate([padded[:, i : i + steps] for i in range(width)], axis=2)
    read = np.matmul(windows.reshape(n * steps, -1), kernel) + weights["conv.linear.bias"]
    read = np.maximum(read, 0.0)  # (members, n steps, filters)
    gates = np.matmul(read, weights["lstm.inputs.weight"]) + weights["lstm.inputs.bias"]
    first, last = np.split(gates.reshape(members, n, steps, -1), 2, axis=3)
    ends = [
        _last_state(weights, "first", first, is_there),
        _last_state(weights, "last", last[:, :, ::-1], is_there[:, ::-1]),
    ]
    if weights["head.weight"].shape[1] > 2 * ends[0].shape[2]:  # the head sees the first step
        ends.append(np.broadcast_to(x[:, 0], (members, n, n_in)))
    return np.matmul(np.concatenate(ends, axis=2), weights["head.weight"]) + weights["head.bias"]


def _last_state(
    weights: Mapping[str, Array], name: str, gates: Array, is_there: NDArray[np.bool_]
) -> Array:
    """Return the state of one direction after all steps, shape (members, n, hidden)."""
    weight, bias = weights[f"lstm.{name}.weight"], weights[f"lstm.{name}.bias"]
    hidden = weight.shape[1]
    state = memory = np.zeros((*gates.shape[:2], hidden), dtype=np.float32)
    for step in range(gates.shape[2]):
        gate = gates[:, :, step] + bias + np.matmul(state, weight)
        enter, forget, leave = np.split(expit(gate[..., : 3 * hidden]), 3, axis=2)
        fresh = forget * memory + enter * np.tanh(gate[..., 3 * hidden :])
        keep = is_there[None, :, step, None]
        memory = np.where(keep, fresh, memory)
        state = np.where(keep, leave * np.tanh(memory), state)
    return state
