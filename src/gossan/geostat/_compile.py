"""Compilation of the kernels of the room: without Python's lock, kept on disk, vectorised.

A plain function comes in; a compiled one goes out. Below stand the few pieces that must reach the
processor's vector registers by hand: the step of a Cholesky factorisation of `LANES` matrices side
by side, and the exponential function.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg  # noqa: F401 - its BLAS is loaded first, so that its threads can be limited
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# Not "nnan" and "ninf": a NaN must come out as a NaN.
SAFE_MATHS = {"reassoc", "contract", "arcp", "nsz", "afn"}
LANES = 8  # targets solved side by side: one AVX-512 register, two of AVX2

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` to run without Python's lock, and keep it on disk if any folder allows."""
    compile_: Any = partial(njit, nogil=True, error_model="numpy", fastmath=SAFE_MATHS)
    try:
        kernel = compile_(cache=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return compile_()(function)
    # What a kernel calls is compiled into it, but numba looks for changes in its own file alone.
    kept: Any = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if hasattr(kept, "_source_stamp"):
        kept._source_stamp = _kernels_of_room()  # noqa: SLF001
    return kernel


@cache
def _kernels_of_room() -> str:
    """Return a fingerprint of all files of this folder that hold kernels."""
    sources = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    kernels = [source for source in sources if b"geostat._compile import" in source]
    return hashlib.sha256(b"".join([Path(__file__).read_bytes(), *kernels])).hexdigest()


def _elimination(n_rows: int) -> Any:
    """Return an intrinsic for one step of `n_rows` rows of a Cholesky factorisation, all lanes.

    With `matrix` of shape (rows * stride, LANES), rows i to i + n_rows - 1 become, at column j,
    (A[i, j] - sum over q < j of L[i, q] L[j, q]) times A[j, j], which holds 1 / L[j, j]. The sums
    stay in registers: a plain loop would store them at every step, at half the speed.
    """

    def eliminate(_typing: Any, matrix: Any, _i: Any, _j: Any, _stride: Any) -> Any:
        signature = types.void(matrix, types.int64, types.int64, types.int64)
        return signature, partial(_eliminate_code, n_rows)

    return intrinsic(eliminate)


def _eliminate_code(n_rows: int, context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, args[0])
    _, i, j, stride = args
    base = builder.bitcast(array.data, _VECTOR.as_pointer())

    def row(number: Any) -> Any:
        return builder.gep(base, [builder.mul(number, stride)])

    def at(start: Any, column: Any) -> Any:
        return builder.gep(start, [column])

    rows = [row(builder.add(i, ir.Constant(i.type, r))) for r in range(n_rows)]
    other, fuse = row(j), ("contract",)
    sums = [cgutils.alloca_once_value(builder, builder.load(at(r, j), align=8)) for r in rows]
    with cgutils.for_range(builder, j) as loop:
        factor = builder.load(at(other, loop.index), align=8)
        for start, total in zip(rows, sums, strict=True):
            left = builder.load(at(start, loop.index), align=8)
            product = builder.fmul(left, factor, flags=fuse)
            builder.store(builder.fsub(builder.load(total), product, flags=fuse), total)
    inverse = builder.load(at(other, j), align=8)
    for start, total in zip(rows, sums, strict=True):
        builder.store(builder.fmul(builder.load(total), inverse), at(start, j), align=8)
    return context.get_dummy_value()


eliminate_one, eliminate_four = _elimination(1), _elimination(4)


@intrinsic
def _float_of_bits(_typing: Any, _bits: Any) -> Any:
    """Return the float64 that has the bits of an int64."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), code


@compiled
def exp_of_negative(x: float) -> float:
    """Return exp(x) for x <= 0 to the last digits, as code that runs in vector registers.

    x = n ln 2 + r with |r| <= ln(2) / 2, and the Taylor series of r to its 13th power.
    """
    x = max(x, -700.0)
    n = np.floor(x * _LOG2_E + 0.5)
    r = x - n * _LN2_HIGH - n * _LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * _float_of_bits((np.int64(n) + np.int64(1023)) << np.int64(52))  # type: ignore[call-arg]
