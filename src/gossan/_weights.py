"""Row weights that give every class, and every group (deposit) inside it, the same say.

Labels and groups come in; positive weights with mean one go out. Shared by models and nets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option

WEIGHTS = ("class_group", "group", "class", "none")


def row_weights(
    y: ArrayLike, groups: ArrayLike | None = None, *, weights: str = "class_group"
) -> NDArray[np.float64]:
    """Return the weight of each row, mean one.

    Parameters
    ----------
    y : array of shape (n,)
        Class of each row.
    groups : array of shape (n,), optional
        Group of each row (deposit). Without groups every row is a group of its own.
    weights : {"class_group", "group", "class", "none"}
        "class_group": each class weighs the same, and so does each group inside a class;
        "group": each group of a class weighs the same, classes weigh by their number of groups;
        "class": each class weighs the same, rows of a class are alike; "none": all ones.

    Returns
    -------
    weights : float64 array of shape (n,)

    Examples
    --------
    >>> row_weights(["MVT", "MVT", "VMS"], ["Huize", "Huize", "Palma"])
    array([0.75, 0.75, 1.5 ])
    """
    check_option("weights", weights, WEIGHTS)
    labels = np.unique(np.asarray(y).astype(str), return_inverse=True)[1]
    out = np.ones(len(labels))
    if weights in {"class_group", "group"} and groups is not None:
        names = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
        pairs = np.unique(np.column_stack([labels, names]), axis=0, return_inverse=True)[1]
        out /= np.bincount(pairs)[pairs]
    if weights in {"class_group", "class"}:
        out /= np.bincount(labels, weights=out)[labels]
    return out * len(out) / out.sum()
