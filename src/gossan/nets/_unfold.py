"""Convolutions of small patches as matrix products: what is gathered, and what is scattered back.

Patches of shape (members, batch, z, y, x, channels) and kernels of shape (members, 3, 3, 3, in, out)
come in; matrices for BLAS go out. Rows of a patch are taken whole: the kernel becomes a band matrix
from one row to the next, which does twice the arithmetic and yet is faster, since little is copied.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Array = NDArray[np.float32]
KERNEL = 3  # cells a side


def gather(x: Array) -> Array:
    """Return the 3 x 3 rows about each row, shape (members, batch z' y', 9 x channels)."""
    x = np.ascontiguousarray(x)
    m, n, nz, ny, nx, c = x.shape
    s = x.strides  # that of a single channel is arbitrary: cells of a row lie an item apart
    shape = (m, n, nz - 2, ny - 2, KERNEL, KERNEL * nx * c)  # three rows of one slice lie together
    rows = as_strided(x, shape, (s[0], s[1], s[2], s[3], s[2], x.itemsize), writeable=False)
    return np.ascontiguousarray(rows).reshape(m, n * (nz - 2) * (ny - 2), -1)


def scatter(rows: Array, shape: tuple[int, ...]) -> Array:
    """Return the sums of overlapping rows, the transpose of `gather`, in the shape of its patches."""
    m, n, nz, ny, nx, c = shape
    parts = rows.reshape(m, n, nz - 2, ny - 2, KERNEL, KERNEL, nx * c)
    out = np.zeros((m, n, nz, ny, nx * c), dtype=rows.dtype)
    for i in range(KERNEL):
        for j in range(KERNEL):
            out[:, :, i : i + nz - 2, j : j + ny - 2] += parts[:, :, :, :, i, j]
    return out.reshape(shape)


def banded(kernel: Array, nx: int) -> Array:
    """Return the kernel as matrices from 9 rows of `nx` cells to one of nx - 2, (members, in, out)."""
    m, _, _, _, c_in, c_out = kernel.shape
    band = np.zeros((m, KERNEL, KERNEL, nx, c_in, nx - 2, c_out), dtype=kernel.dtype)
    for k in range(nx - 2):
        band[:, :, :, k : k + KERNEL, :, k] = kernel
    return band.reshape(m, KERNEL * KERNEL * nx * c_in, (nx - 2) * c_out)


def unbanded(band: Array, nx: int, c_in: int) -> Array:
    """Return the sums along the band, the transpose of `banded`: the gradient of the kernel."""
    m = len(band)
    parts = band.reshape(m, KERNEL, KERNEL, nx, c_in, nx - 2, -1)
    kernel = np.zeros((m, KERNEL, KERNEL, KERNEL, c_in, parts.shape[-1]), dtype=band.dtype)
    for k in range(nx - 2):
        kernel += parts[:, :, :, k : k + KERNEL, :, k]
    return kernel


def windows(x: Array) -> Array:
    """Return the 3 x 3 x 3 cells about each cell of a block (z, y, x, channels), one row a cell."""
    x = np.ascontiguousarray(x)
    nz, ny, nx, c = x.shape
    s = x.strides
    shape = (nz - 2, ny - 2, nx - 2, KERNEL, KERNEL, KERNEL * c)
    cells = as_strided(x, shape, (s[0], s[1], s[2], s[0], s[1], x.itemsize), writeable=False)
    return np.ascontiguousarray(cells).reshape(-1, KERNEL**3 * c)
