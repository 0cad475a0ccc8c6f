"""The unknowns of a variogram model as one flat vector: logs of ranges and ratios, then angles.

Kinds, the number of dimensions and a vector come in; structures go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gossan.geostat.covariance import Structure, anisotropy_axes

Floats = NDArray[np.float64]

LEAST_RATIO = 0.02  # of the minor to the major range, or of the vertical to the horizontal
MOST_RATIO = 5.0  # of the vertical to the horizontal range
ANISOTROPIES = ("none", "vertical", "full")


@dataclass(frozen=True)
class Shape:
    """Kinds of the structures, and how their ranges and angles stand in a vector.

    Each structure has its own ranges; all share the angles. Anisotropy "none": a log range each.
    "vertical": then a log ratio each (vertical over horizontal). "full" in 2D: then a log ratio each,
    and the azimuth; in 3D: two log ratios each (semi over major, minor over semi), and azimuth, dip
    and rake [radians].
    """

    kinds: tuple[str, ...]
    n_dims: int
    anisotropy: str = "none"

    @property
    def n_ratios(self) -> int:
        """Number of ratios of each structure."""
        return {"none": 0, "vertical": 1, "full": self.n_dims - 1}[self.anisotropy]

    @property
    def n_angles(self) -> int:
        """Number of angles: 0, 1 (azimuth) or 3."""
        if self.anisotropy != "full":
            return 0
        return 1 if self.n_dims == 2 else 3

    @property
    def size(self) -> int:
        """Length of the vector."""
        return len(self.kinds) * (1 + self.n_ratios) + self.n_angles

    def structures(self, theta: Floats, sills: Sequence[float] | Floats) -> tuple[Structure, ...]:
        """Return the structures of a vector, with angles in their usual bounds."""
        n = len(self.kinds)
        logs = theta[:n, None]
        if self.n_ratios:
            ratios = theta[n : n * (1 + self.n_ratios)]
            steps = np.clip(ratios, *self._ratio_bounds()).reshape(n, self.n_ratios)
            others = logs + np.cumsum(steps, axis=1)
            logs = np.hstack([logs, *([logs] * (self.anisotropy == "vertical")), others])
        angles = self._angles(theta)
        return tuple(
            Structure(kind, float(sill), tuple(np.exp(row).tolist()), angles)
            for kind, sill, row in zip(self.kinds, sills, logs, strict=True)
        )

    def _angles(self, theta: Floats) -> tuple[float, float, float]:
        if not self.n_angles:
            return 0.0, 0.0, 0.0
        degrees = np.rad2deg(theta[-self.n_angles :])
        if self.n_dims == 2:
            return float(np.round(degrees[0] % 180.0, 6) % 180.0), 0.0, 0.0
        return usual_angles(anisotropy_axes(degrees, 3))

    def bounds(self, shortest: float, longest: float) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the vector, for ranges between two lengths [m]."""
        n, n_ratios = len(self.kinds), len(self.kinds) * self.n_ratios
        least, most = self._ratio_bounds()
        low = [np.log(shortest)] * n + [least] * n_ratios + [-np.inf] * self.n_angles
        high = [np.log(longest)] * n + [most] * n_ratios + [np.inf] * self.n_angles
        return np.array(low), np.array(high)

    def _ratio_bounds(self) -> tuple[float, float]:
        return np.log(LEAST_RATIO), np.log(MOST_RATIO) if self.anisotropy == "vertical" else 0.0

    def starts(self, shortest: float, longest: float) -> list[Floats]:
        """Return vectors to begin the search at, spread over ranges and directions."""
        n = len(self.kinds)
        lengths = np.log(np.geomspace(shortest, longest, 7)[1:-1])
        if n == 1:
            ranges = [[each] for each in lengths]
        else:  # a short and a long structure
            ranges = [[lengths[i], lengths[j]] for i in range(4) for j in range(i + 1, 5)]
        if self.anisotropy == "none":
            return [np.array(each) for each in ranges]
        if self.anisotropy == "vertical":
            ratios = np.log([1.0, 0.3, 0.1])
            return [np.array([*each, *[ratio] * n]) for each in ranges for ratio in ratios]
        thin = [np.log(0.5)] * (n * self.n_ratios)
        return [
            np.array([*each, *thin, *angles])
            for each in ranges[1::2]
            for angles in self._start_angles()
        ]

    def _start_angles(self) -> list[tuple[float, ...]]:
        quarters = [0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
        if self.n_dims == 2:
            return [(azimuth,) for azimuth in quarters]
        flat = [(azimuth, 0.0, rake) for azimuth in quarters for rake in (0.0, np.pi / 2)]
        steep = [(azimuth, -np.pi / 4, 0.0) for azimuth in (0.0, np.pi / 2, np.pi, 3 * np.pi / 2)]
        return [*flat, *steep, (0.0, -np.pi / 2, 0.0)]


def usual_angles(axes: Floats) -> tuple[float, float, float]:
    """Azimuth (0 to 360), dip (0 to -90) and rake (0 to 180) [degrees] of three axes in rows.

    Examples
    --------
    >>> usual_angles(anisotropy_axes((210.0, 35.0, -20.0), 3))
    (30.0, -35.0, 20.0)
    """
    major = axes[0] if axes[0, 2] <= 0 else -axes[0]
    dip = np.arcsin(np.clip(major[2], -1.0, 1.0))
    azimuth = np.arctan2(major[0], major[1]) if np.hypot(*major[:2]) > 1e-9 else 0.0
    turned = np.rad2deg([azimuth % (2 * np.pi), dip])
    _, across, above = anisotropy_axes((*turned, 0.0), 3)
    rake = np.rad2deg(np.arctan2(axes[1] @ above, axes[1] @ across)) % 180.0
    rounded = np.round([turned[0] % 360.0, turned[1], rake], 9) + 0.0
    return float(rounded[0]), float(rounded[1]), float(rounded[2] % 180.0)
