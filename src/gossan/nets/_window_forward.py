"""What trained window networks say of windows and whole maps, from plain arrays and without torch.

Weights by layer name, first axis the member, and scaled cells (n, y, x, channels) come in; the logit
of each member at each cell whose field lies inside goes out. A window is a map of one such cell:
there is one code for both, and pooling with a stride becomes dilation of what follows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Array = NDArray[np.float32]
Weights = Mapping[str, Array]
KERNEL = 3  # cells a side, of convolutions that look around and of pooling
FIELDS = {"small": (1, 3, 5, 7, 9), "lenet": (5, 9, 13)}
WIDTHS = {"small": (8, 16), "lenet": (16, 32, 64)}
BLOCK_WINDOWS = 256
GATHERED_CELLS = 1024  # whose surroundings are laid out at once: they stay in the cache


class Stage(NamedTuple):
    """A layer before the head: a convolution (rectified), or where `n_out` is 0 pooling."""

    kernel: int
    n_out: int


POOL = Stage(KERNEL, 0)
HEAD = ("head.weight", "head.bias")


def stages_of(architecture: str, field: int, widths: Sequence[int]) -> tuple[Stage, ...]:
    """Return the stages of a network that sees `field` cells a side."""
    if architecture == "small":
        mixed, wide = widths
        return (Stage(1, mixed), *[Stage(KERNEL, wide)] * (field // 2))
    first, second, dense = (Stage(k, w) for k, w in zip((KERNEL, KERNEL, 1), widths, strict=True))
    between = {5: (POOL,), 9: (POOL, second), 13: (POOL, second, POOL)}
    return (first, *between[field], dense)


def window_shapes(
    stages: Sequence[Stage], n_in: int, *, n_members: int
) -> dict[str, tuple[int, int, int]]:
    """Return the name and shape of each array of weights, in the order of the layers."""
    shapes: dict[str, tuple[int, int, int]] = {}
    for i, stage in enumerate(convolutions(stages)):
        shapes[f"layers.{i}.weight"] = (n_members, stage.kernel**2 * n_in, stage.n_out)
        shapes[f"layers.{i}.bias"] = (n_members, 1, stage.n_out)
        n_in = stage.n_out
    return shapes | {"head.weight": (n_members, n_in, 1), "head.bias": (n_members, 1, 1)}


def convolutions(stages: Sequence[Stage]) -> list[Stage]:
    """Return the stages that have weights."""
    return [stage for stage in stages if stage.n_out]


def middle_of(windows: Array, field: int) -> Array:
    """Return the middle of windows (n, channels, size, size), the channels last."""
    rim = (windows.shape[2] - field) // 2
    inner = windows[:, :, rim : rim + field, rim : rim + field]
    return np.ascontiguousarray(np.moveaxis(inner, 1, 3))


def ready(cells: Array, center: NDArray, scale: NDArray, *, tells_missing: bool) -> Array:
    """Return cells scaled; if asked, none missing, with the share of elements that are there."""
    scaled = cells - center.astype(np.float32)
    scaled *= (1.0 / scale).astype(np.float32)
    if not tells_missing:
        return scaled
    share = (~np.isnan(cells)).mean(axis=-1, keepdims=True, dtype=np.float32)
    return np.concatenate([np.nan_to_num(scaled, nan=0.0), share], axis=-1)


def without_each(cells: Array, background: NDArray) -> Iterator[Array]:
    """Yield the cells with one element after the other at its background; what misses stays so."""
    for i, level in enumerate(background.astype(np.float32)):
        less = cells.copy(order="K")
        less[..., i] = np.where(np.isnan(cells[..., i]), np.nan, level)
        yield less


def at_background(cells: Array, background: NDArray) -> Array:
    """Return cells that are background throughout; what misses stays so."""
    return np.where(np.isnan(cells), cells, background.astype(np.float32))


def logits(weights: Weights, stages: Sequence[Stage], cells: Array) -> Array:
    """Return the logits (members, n, y', x') of the cells whose field lies in (n, y, x, channels)."""
    members = range(len(weights["head.bias"]))
    parts = []
    for start in range(0, len(cells), BLOCK_WINDOWS):
        block = cells[start : start + BLOCK_WINDOWS]
        if stages[0].kernel > 1:
            block = np.ascontiguousarray(block)
        parts.append(np.stack([_of_member(weights, stages, block, m) for m in members]))
    return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]


def _of_member(weights: Weights, stages: Sequence[Stage], x: Array, member: int) -> Array:
    layer, dilation = 0, 1
    for stage in stages:
        if stage == POOL:
            x = _pool(_pool(x, 1, dilation), 2, dilation)
            dilation *= 2  # a stride of 2 halves the cells; here all stay, and steps are doubled
            continue
        weight, bias = (weights[f"layers.{layer}.{part}"][member] for part in ("weight", "bias"))
        x = _convolve(x, weight, bias, dilation if stage.kernel > 1 else 0)
        layer += 1
    head, bias = weights["head.weight"][member], weights["head.bias"][member]
    return (x.reshape(-1, x.shape[-1]) @ head + bias).reshape(x.shape[:-1])


def _convolve(x: Array, weight: Array, bias: Array, step: int) -> Array:
    """Return the rectified valid convolution; `step` 0 is a convolution of single cells."""
    n, ny, nx, c = x.shape
    if step == 0:
        return _rectified(x.reshape(-1, c) @ weight, bias).reshape(n, ny, nx, -1)
    ny, nx, s = ny - 2 * step, nx - 2 * step, x.strides
    strides = (*s[:3], s[1] * step, s[2] * step, s[3])
    around = as_strided(x, (n, ny, nx, KERNEL, KERNEL, c), strides, writeable=False)
    lines = around[0] if n == 1 else around  # of a map its rows, else whole windows
    each = nx if n == 1 else ny * nx
    at_once = max(1, GATHERED_CELLS // each)
    out = np.empty((n * ny * nx, weight.shape[1]), dtype=np.float32)
    for i in range(0, len(lines), at_once):
        rows = np.ascontiguousarray(lines[i : i + at_once]).reshape(-1, KERNEL**2 * c)
        part = out[i * each : i * each + len(rows)]
        _rectified(np.matmul(rows, weight, out=part), bias)
    return out.reshape(n, ny, nx, -1)


def _rectified(x: Array, bias: Array) -> Array:
    x += bias
    return np.maximum(x, 0.0, out=x)  # NaN stays NaN


def _pool(x: Array, axis: int, step: int) -> Array:
    """Return the largest of three cells, `step` apart, along an axis."""
    moved = np.moveaxis(x, axis, 0)
    n = len(moved) - 2 * step
    most = np.maximum(np.maximum(moved[:n], moved[step : step + n]), moved[2 * step :])
    return np.ascontiguousarray(np.moveaxis(most, 0, axis))
