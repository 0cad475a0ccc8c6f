"""What trained encoders and decoders say of patches and volumes, from plain arrays, without torch.

Weights by layer name, first axis the member, and scaled patches (batch, z, y, x, channels) or
vectors (batch, features) come in; features, reconstructions and errors go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gossan.nets._unfold import KERNEL, banded, gather, scatter, windows

Array = NDArray[np.float32]
Weights = Mapping[str, Array]
BLOCK_ROWS = 128  # patches at once: their rows stay in the cache
SHORTEST = np.float32(1e-12)


def network_shapes(
    n_in: int, widths: Sequence[int], *, n_members: int, is_patch: bool, decodes: bool
) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of each array of weights, in the order of the layers."""
    cells = (KERNEL,) * 3 if is_patch else ()
    shapes: dict[str, tuple[int, ...]] = {}
    for i, (a, b) in enumerate(pairwise((n_in, *widths))):
        shapes[f"encoder.{i}.weight"] = (n_members, *cells, a, b)
        shapes[f"encoder.{i}.bias"] = (n_members, 1, b)
    for i, (a, b) in enumerate(pairwise((*widths[::-1], n_in))):
        if decodes:  # the kernel of a transposed convolution goes from its output to its input
            shapes[f"decoder.{i}.weight"] = (n_members, *cells, *((b, a) if is_patch else (a, b)))
            shapes[f"decoder.{i}.bias"] = (n_members, 1, b)
    return shapes


def convolve(x: Array, weight: Array, bias: Array) -> Array:
    """Return the valid convolution of patches (members, batch, z, y, x, channels)."""
    n, nz, ny, nx = x.shape[1:5]
    out = np.matmul(gather(x), banded(weight, nx))  # (members, batch z' y', x' channels)
    return out.reshape(len(weight), n, nz - 2, ny - 2, nx - 2, -1) + _by_cell(bias)


def spread(x: Array, weight: Array, bias: Array) -> Array:
    """Return the transposed convolution of patches, each side two cells longer."""
    m, n, nz, ny, nx, c = x.shape
    band = banded(weight, nx + 2).transpose(0, 2, 1)
    rows = np.matmul(x.reshape(m, n * nz * ny, nx * c), band)
    return scatter(rows, (m, n, nz + 2, ny + 2, nx + 2, weight.shape[4])) + _by_cell(bias)


def encode(weights: Weights, x: Array) -> list[Array]:
    """Return the output of each encoder layer, (members, batch, ..., width), for one block."""
    features, last = [], _count(weights, "encoder") - 1
    for i in range(last + 1):
        weight, bias = weights[f"encoder.{i}.weight"], weights[f"encoder.{i}.bias"]
        is_patch = weight.ndim > 3
        x = convolve(x, weight, bias) if is_patch else np.matmul(x, weight) + bias
        if is_patch or i < last:  # the code of a vector is not rectified: see MemberAutoencoder
            np.maximum(x, 0.0, out=x)
        features.append(x)
    return features


def decode(weights: Weights, code: Array) -> Array:
    """Return the reconstruction of one block, (members, batch, ..., channels)."""
    x, last = code, _count(weights, "decoder") - 1
    for i in range(last + 1):
        weight, bias = weights[f"decoder.{i}.weight"], weights[f"decoder.{i}.bias"]
        x = spread(x, weight, bias) if weight.ndim > 3 else np.matmul(x, weight) + bias
        if i < last:
            np.maximum(x, 0.0, out=x)
    return x


def reconstruction_errors(weights: Weights, x: Array) -> NDArray[np.float64]:
    """Return the mean squared error of each reconstruction, shape (members, batch)."""
    parts = []
    for start in range(0, len(x), BLOCK_ROWS):
        block = x[None, start : start + BLOCK_ROWS]
        wrong = decode(weights, encode(weights, block)[-1])
        wrong -= block
        parts.append(_mean_square(wrong))
    return np.concatenate(parts, axis=1)


def features_of_block(weights: Weights, block: Array) -> list[Array]:
    """Return the output of each encoder layer in a block of a volume (z, y, x, channels).

    The same numbers as `encode` gives for each patch of it, each computed once: layer i has
    shape (members, z - 2i, y - 2i, x - 2i, width).
    """
    first = weights["encoder.0.weight"]
    of_member: list[Array] = [block] * len(first)
    features = []
    for i in range(_count(weights, "encoder")):
        weight, bias = weights[f"encoder.{i}.weight"], weights[f"encoder.{i}.bias"]
        # Every member reads the same block in the first layer: it is copied out once.
        of_member = _convolve_same(block, weight) if i == 0 else _convolve_each(of_member, weight)
        for part, shift in zip(of_member, bias, strict=True):
            np.maximum(np.add(part, shift, out=part), 0.0, out=part)
        features.append(np.stack(of_member) if len(of_member) > 1 else of_member[0][None])
    return features


def imitation_errors(
    taught: Sequence[Array], learned: Sequence[Array], spreads: Sequence[Array], *, unit: bool
) -> list[NDArray[np.float64]]:
    """Return how far a student is from its teacher in each cell, layer by layer, (members, ...).

    The mean over the channels of the squared difference, each in its `spreads` (members, width) if
    there are any; with `unit` half the squared distance of the directions, as STFPM has it.
    """
    errors = []
    for i, (teacher, student) in enumerate(zip(taught, learned, strict=True)):
        wrong = unit_length(teacher) - unit_length(student) if unit else teacher - student
        if len(spreads):
            wrong /= spreads[i].reshape(len(wrong), *(1,) * (wrong.ndim - 2), -1)
        squares = np.einsum("...k,...k->...", wrong, wrong).astype(np.float64)
        errors.append(0.5 * squares if unit else squares / wrong.shape[-1])
    return errors


def unit_length(features: Array) -> Array:
    """Return features whose channels have length one in each cell (or none, where all are zero)."""
    length = np.sqrt(np.einsum("...k,...k->...", features, features))[..., None]
    return features / np.maximum(length, SHORTEST)


def box_mean(values: NDArray, width: int) -> NDArray[np.float64]:
    """Return the mean over cubes of `width` cells along the last three axes (no padding).

    Sums are taken anew for each cube, not run on: a missing value spoils its own cubes only.
    """
    out = np.asarray(values, dtype=np.float64)
    for axis in (-3, -2, -1):
        length = out.shape[axis] - width + 1
        moved = np.moveaxis(out, axis, 0)
        summed = sum(moved[k : k + length] for k in range(width))
        out = np.moveaxis(np.asarray(summed), 0, axis)
    return out / width**3


def _convolve_same(block: Array, weight: Array) -> list[Array]:
    kernels = weight.reshape(len(weight), -1, weight.shape[-1])
    side_by_side = np.concatenate(list(kernels), axis=1)  # (27 channels, members width)
    out = _by_slices(block, side_by_side)
    return [np.ascontiguousarray(part) for part in np.split(out, len(weight), axis=3)]


def _convolve_each(blocks: list[Array], weight: Array) -> list[Array]:
    kernels = weight.reshape(len(weight), -1, weight.shape[-1])
    return [_by_slices(block, kernel) for block, kernel in zip(blocks, kernels, strict=True)]


def _by_slices(block: Array, kernel: Array) -> Array:
    """Convolve a block slice by slice: the windows of a slice stay in the cache."""
    nz, ny, nx, _ = block.shape
    out = np.empty((nz - 2, ny - 2, nx - 2, kernel.shape[1]), dtype=np.float32)
    for z in range(nz - 2):
        np.matmul(windows(block[z : z + 3]), kernel, out=out[z].reshape(-1, kernel.shape[1]))
    return out


def _mean_square(wrong: Array) -> NDArray[np.float64]:
    flat = wrong.reshape(*wrong.shape[:2], -1)
    return np.einsum("mbk,mbk->mb", flat, flat).astype(np.float64) / flat.shape[2]


def _by_cell(bias: Array) -> Array:
    return bias[:, :, None, None, None]  # (members, 1, 1, 1, 1, width)


def _count(weights: Weights, part: str) -> int:
    return sum(name.startswith(f"{part}.") and name.endswith(".weight") for name in weights)
