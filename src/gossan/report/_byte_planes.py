"""Arrays as the text that a page carries: alike bytes side by side, compressed, in base64.

Bytes of arrays come in; bytes in planes, and one text of them all, go out.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def planes_of(flat: NDArray[np.uint8], size: int) -> bytes:
    r"""Return all first bytes, then all second ones: alike bytes together compress better.

    Parameters
    ----------
    flat : uint8 array of shape (n * size,)
        Bytes of n values.
    size : int
        Bytes of a value.

    Returns
    -------
    planes : bytes

    Examples
    --------
    >>> planes_of(np.array([1, 10, 2, 20, 3, 30], dtype=np.uint8), 2)
    b'\x01\x02\x03\n\x14\x1e'
    """
    return np.ascontiguousarray(flat.reshape(-1, size).T).tobytes()


def payload_of(parts: Sequence[bytes]) -> str:
    """Return parts one after the other, compressed and in base64; the same parts, the same text."""
    return base64.b64encode(gzip.compress(b"".join(parts), 6, mtime=0)).decode()
