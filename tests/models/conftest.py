"""A planted world: deposits differ inside a class, analyses inside a deposit."""

from types import SimpleNamespace

import numpy as np
import pytest

BETWEEN = np.array([[0.30, 0.12, 0.0], [0.12, 0.20, -0.05], [0.0, -0.05, 0.25]])
WITHIN = np.array([[0.04, 0.01, 0.0], [0.01, 0.06, 0.02], [0.0, 0.02, 0.05]])


@pytest.fixture
def plant():
    """Return a maker of tables with known B and W: X, y, groups, and the truth."""

    def make(seed=0, *, n_deposits=30, n_per_deposit=(2, 40), apart=1.0):
        rng = np.random.default_rng(seed)
        means = apart * np.array([[0.0, 0, 0], [1, 0, 0.5], [0, 1, -0.5]])
        X, y, groups = [], [], []
        for k, kind in enumerate(["MVT", "SEDEX", "VMS"]):
            for i in range(n_deposits):
                n = rng.integers(*n_per_deposit)
                centre = rng.multivariate_normal(means[k], BETWEEN)
                X.append(10.0 ** rng.multivariate_normal(centre, WITHIN, n))
                y += [kind] * n
                groups += [f"{kind} {i}"] * n
        return SimpleNamespace(
            X=np.vstack(X),
            y=np.array(y),
            groups=np.array(groups),
            between=BETWEEN,
            within=WITHIN,
            means=means,
        )

    return make
