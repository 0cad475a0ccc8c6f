"""The record that every model learns from: features, labels, places and groups, row by row.

Arrays of one length come in, checked; parts of them go out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["TrainingSet"]


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What an estimator is fitted to; the first axis of every array is the sample.

    Attributes
    ----------
    X : array of shape (n, ...)
        Features: a table (n, features) or windows (n, channels, ...).
    y : array of shape (n,)
        Labels.
    coords : array of shape (n, 2 or 3)
        Easting, northing and, in 3D, elevation [m].
    groups : array of shape (n,)
        Hole, block or deposit: what validation holds out together.
    names : tuple of str
        Of the features, or channels.

    Raises
    ------
    ValueError
        If lengths differ, or there is not a name for each feature.

    Examples
    --------
    >>> data = TrainingSet([[1.0], [2.0]], [0, 1], [[0, 0], [9, 9]], ["A", "B"], ("Au",))
    >>> len(data), data.part([1]).groups.tolist()
    (2, ['B'])
    """

    X: NDArray
    y: NDArray
    coords: NDArray[np.float64]
    groups: NDArray
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("X", "y", "coords", "groups"):
            object.__setattr__(self, name, np.asarray(getattr(self, name)))
        object.__setattr__(self, "names", tuple(self.names))
        lengths = {name: len(getattr(self, name)) for name in ("X", "y", "coords", "groups")}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {n}" for name, n in lengths.items())
            raise ValueError(f"Rows of a training set must match, got {told}. Check the masks.")
        if self.X.ndim < 2 or self.X.shape[1] != len(self.names):
            raise ValueError(
                f"X of shape {self.X.shape} has not the {len(self.names)} features that are named."
                " Name each column, or channel."
            )

    def __len__(self) -> int:
        return len(self.X)

    def part(self, rows: ArrayLike) -> TrainingSet:
        """Return some rows, by number or mask."""
        chosen = np.asarray(rows)
        kept = {name: getattr(self, name)[chosen] for name in ("X", "y", "coords", "groups")}
        return replace(self, **kept)
