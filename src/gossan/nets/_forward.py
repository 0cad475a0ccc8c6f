"""What a trained dense network says of a table, from plain arrays and without torch.

Weights by layer name, first axis the member, and scaled rows come in; outputs of all members go out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, expit

Array = NDArray[np.float32]
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "silu": lambda x: x * expit(x),
    "gelu": lambda x: 0.5 * x * (1.0 + erf(x / np.sqrt(2.0, dtype=np.float32))),
}
EPS = 1e-3  # of batch normalisation, as in training
BLOCK_ROWS = 8192


def dense_shapes(
    n_in: int, n_out: int, *, n_members: int, hidden: Sequence[int], batch_norm: bool
) -> dict[str, tuple[int, int, int]]:
    """Return the name and shape of each array of weights, in the order of the layers."""
    widths = [n_in, *(int(width) for width in hidden)]
    shapes: dict[str, tuple[int, int, int]] = {}
    for i, (wide, narrow) in enumerate(pairwise(widths)):
        shapes[f"linears.{i}.weight"] = (n_members, wide, narrow)
        shapes[f"linears.{i}.bias"] = (n_members, 1, narrow)
        if batch_norm:
            for name in ("gain", "shift", "mean", "variance"):
                shapes[f"norms.{i}.{name}"] = (n_members, 1, narrow)
    shapes["head.weight"] = (n_members, widths[-1], n_out)
    shapes["head.bias"] = (n_members, 1, n_out)
    return shapes


def dense_outputs(weights: Mapping[str, Array], X: Array, *, activation: str) -> Array:
    """Return the outputs of every member for every row, shape (members, n, n_out), by blocks."""
    blocks = [X[start : start + BLOCK_ROWS] for start in range(0, len(X), BLOCK_ROWS)]
    return np.concatenate([_outputs(weights, block, activation) for block in blocks], axis=1)


def dense_hidden(weights: Mapping[str, Array], X: Array, *, activation: str) -> Array:
    """Return the last hidden layer of every member for every row, shape (members, n, width)."""
    blocks = [X[start : start + BLOCK_ROWS] for start in range(0, len(X), BLOCK_ROWS)]
    return np.concatenate([_hidden(weights, block, activation) for block in blocks], axis=1)


def _outputs(weights: Mapping[str, Array], x: Array, activation: str) -> Array:
    x = _hidden(weights, x, activation)
    return np.matmul(x, weights["head.weight"]) + weights["head.bias"]


def _hidden(weights: Mapping[str, Array], x: Array, activation: str) -> Array:
    i = 0
    while f"linears.{i}.weight" in weights:
        x = np.matmul(x, weights[f"linears.{i}.weight"]) + weights[f"linears.{i}.bias"]
        x = ACTIVATIONS[activation](x)  # (members, n, hidden[i])
        if f"norms.{i}.gain" in weights:
            gain, shift, mean, variance = (
                weights[f"norms.{i}.{name}"] for name in ("gain", "shift", "mean", "variance")
            )
            x = (x - mean) * (gain / np.sqrt(variance + np.float32(EPS))) + shift
        i += 1
    return x
