"""A small block model with planted ore: five smooth indicators that part company in the ore."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter

SIDE = 7


def cut(volume, places):
    """Return the patches whose first voxels are at `places`, shape (n, channels, 7, 7, 7)."""
    views = sliding_window_view(volume, (SIDE,) * 3, axis=(1, 2, 3))
    picked = views[:, places[:, 0], places[:, 1], places[:, 2]]
    return np.ascontiguousarray(picked.transpose(1, 0, 2, 3, 4))


@pytest.fixture(scope="session")
def deposit():
    """Return a volume (5, 30, 30, 30) in [0, 1], its ore, and patches: 700 barren and 150 of ore."""
    rng = np.random.default_rng(3)
    common = gaussian_filter(rng.normal(size=(30, 30, 30)), 3.0)
    fields = [common + 0.3 * gaussian_filter(rng.normal(size=common.shape), 3.0) for _ in range(5)]
    volume = np.stack([field / field.std() for field in fields])
    z, y, x = np.indices(common.shape)
    ore = (np.abs(z - 15) < 4) & (np.hypot(y - 14, x - 16) < 8)
    volume[2] -= np.where(ore, 3.0, 0.0)
    volume[0] += np.where(ore, 2.0, 0.0)
    low, high = (f(volume, axis=(1, 2, 3), keepdims=True) for f in (np.min, np.max))
    volume = ((volume - low) / (high - low)).astype(np.float32)
    inner = ore[3:-3, 3:-3, 3:-3]
    barren = rng.permutation(np.argwhere(~inner))[:700]
    rich = rng.permutation(np.argwhere(inner))[:150]
    X = np.concatenate([cut(volume, barren), cut(volume, rich)])
    return SimpleNamespace(volume=volume, ore=ore, X=X, y=np.repeat([0, 1], [700, 150]), cut=cut)
