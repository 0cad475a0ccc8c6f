"""Features of maximum-entropy models and the penalty of each: formulae alone.

A table of shape (n, variables) comes in; features of shape (n, n_features) go out, among them the
penalties that Phillips & Dudík (2008) tuned, as later software carries them on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEATURES = ("linear", "quadratic", "product", "hinge")
LINEAR, QUADRATIC, PRODUCT, HINGE = range(4)
# Presences, and the penalty at so many, in standard deviations over the root of the presences. The
# richest class in use sets the table of linear, quadratic and product features alike.
PENALTIES = {
    LINEAR: ((0, 10, 30, 100), (1.0, 1.0, 0.2, 0.05)),
    QUADRATIC: ((0, 10, 17, 30, 100), (1.3, 0.8, 0.5, 0.25, 0.05)),
    PRODUCT: ((0, 10, 17, 30, 100), (2.6, 1.6, 0.9, 0.55, 0.05)),
    HINGE: ((0, 1), (0.5, 0.5)),
}
LEAST_OF_RANGE = 0.001  # no penalty is below this share of the feature's range


@dataclass(frozen=True, eq=False)
class Features:
    """What each feature is: its kind, one or two variables, and the ends of its ramp."""

    kind: NDArray[np.int64]  # (n_features,)
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def values(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the features of a table, shape (n, n_features)."""
        a, b = X[:, self.first], X[:, self.second]
        ramp = np.clip((a - self.low) / (self.high - self.low), 0.0, 1.0)
        is_double = (self.kind == QUADRATIC) | (self.kind == PRODUCT)
        return np.where(self.kind == HINGE, ramp, np.where(is_double, a * b, a))

    def chosen(self, which: NDArray) -> Features:
        """Return some of the features."""
        parts = (self.kind, self.first, self.second, self.low, self.high)
        return Features(*(part[which] for part in parts))


def classes_for(n_presences: int) -> tuple[str, ...]:
    """Return the classes of features that so many presences can bear."""
    if n_presences < 10:
        return FEATURES[:1]
    if n_presences < 15:
        return FEATURES[:2]
    if n_presences < 80:
        return ("linear", "quadratic", "hinge")
    return FEATURES


def make_features(X: NDArray[np.float64], classes: Sequence[str], n_knots: int) -> Features:
    """Return the features of the wanted classes for the ranges of a table."""
    d = X.shape[1]
    rows: list[tuple[int, int, int, float, float]] = []
    if "linear" in classes:
        rows += [(LINEAR, i, i, 0.0, 1.0) for i in range(d)]
    if "quadratic" in classes:
        rows += [(QUADRATIC, i, i, 0.0, 1.0) for i in range(d)]
    if "product" in classes:
        rows += [(PRODUCT, i, j, 0.0, 1.0) for i in range(d) for j in range(i + 1, d)]
    if "hinge" in classes:
        for i in range(d):
            low, high = X[:, i].min(), X[:, i].max()
            if high > low:
                knots = np.linspace(low, high, n_knots)
                rows += [(HINGE, i, i, knot, high) for knot in knots[:-1]]
                rows += [(HINGE, i, i, low, knot) for knot in knots[1:]]
    kind, first, second, lows, highs = (np.array(column) for column in zip(*rows, strict=True))
    return Features(kind, first, second, lows.astype(float), highs.astype(float))


def penalties(
    features: Features, at_presences: NDArray[np.float64], everywhere: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the penalty of each feature from its values at presences and everywhere."""
    n = len(at_presences)
    spread = at_presences.std(axis=0, ddof=1)
    doubles = [kind for kind in (LINEAR, QUADRATIC, PRODUCT) if (features.kind == kind).any()]
    of_kind = {kind: max(doubles, default=LINEAR) for kind in (LINEAR, QUADRATIC, PRODUCT)}
    tables = [PENALTIES[of_kind.get(int(kind), HINGE)] for kind in features.kind]
    shares = np.array([np.interp(n, *table) for table in tables])
    out = np.maximum(spread * shares / np.sqrt(n), LEAST_OF_RANGE * np.ptp(everywhere, axis=0))
    # A ramp that is flat at all presences would be free: its spread is not taken below 1 / root n.
    least = 0.5 * np.maximum(spread, 1.0 / np.sqrt(n)) / np.sqrt(n)
    return np.where(features.kind == HINGE, np.maximum(out, least), out)
