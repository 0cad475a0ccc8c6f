"""The template as it was published, run as written: what it reports, and what it does where it matters.

Its inputs are concentration, coordinates and an average covariance; its target is the same
concentration. At places where nothing is known the first input is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from gossan.geostat.covariance import VariogramModel
from gossan.nets.neighbour_rnn import NeighbourRegressor
from gossan.studies.tailings.methods import Share
from gossan.studies.tailings.samples import Samples
from gossan.studies.tailings.trust import Folds, training_of
from gossan.validation import random_folds

LEAK = (
    "The published template has its target among its own inputs: it is given the concentration that"
    " it is to predict. At a new place that input is unknown and set to 0."
)


def published_template(
    samples: Samples,
    folds: Folds,
    *,
    random_state: int = 0,
    n_splits: int = 5,
    share: Share | None = None,
) -> pd.DataFrame:
    """Scores of the published Conv1D + BiLSTM as written, and with its leak removed.

    Parameters
    ----------
    samples : Samples
    folds : sequence of (train, test)
        Honest folds, of whole holes or blocks.
    random_state : int
        Seed.
    n_splits : int
        Folds of its own, random split.
    share : callable, optional
        Called with the work done and the whole.

    Returns
    -------
    table : DataFrame
        `protocol`, `r2` (mean over elements) and `note`, a row a way to test it.
    """
    shuffled = random_folds(
        np.zeros(len(samples.coords)), n_splits=n_splits, random_state=random_state
    )
    tests = [
        ("as published, random split, target among the inputs", shuffled, True, False,
         "what the paper's way of testing reports"),
        ("as published, at places without a sample", folds, True, True,
         "the first input is 0, as in the published map"),
        ("without the leak, at places without a sample", folds, False, True,
         "coordinates and average covariance alone"),
    ]  # fmt: skip
    rows = []
    for number, (protocol, parts, has_target, is_unknown, note) in enumerate(tests):
        told = _held_out(
            samples, parts, has_target=has_target, is_unknown=is_unknown,
            random_state=random_state, share=_part_of(share, number, len(tests)),
        )  # fmt: skip
        tested = np.isfinite(told).all(axis=1)
        scores = r2_score(samples.values[tested], told[tested], multioutput="raw_values")
        rows.append({"protocol": protocol, "r2": float(np.mean(scores)), "note": note})
    return pd.DataFrame(rows)


def _part_of(share: Share | None, number: int, n_parts: int) -> Share | None:
    """Return what a part tells, as a share of the whole."""
    if share is None:
        return None
    return lambda done, total: share(number * total + done, n_parts * total)


def _held_out(
    samples: Samples,
    folds: Folds,
    *,
    has_target: bool,
    is_unknown: bool,
    random_state: int,
    share: Share | None,
) -> NDArray[np.float64]:
    """Return the estimates of held-out samples; all folds and elements are trained at once."""
    values = samples.values.to_numpy()
    told = np.full(values.shape, np.nan)
    inputs: list[NDArray] = []
    targets: list[NDArray] = []
    members: list[tuple[NDArray, int]] = []
    places: list[tuple[NDArray, int, NDArray]] = []
    for train, test in folds:
        fits = training_of(samples, train, None, random_state).isotropic
        models = [each.model for each in fits]
        for element, model in enumerate(models):
            column = values[:, element]
            start = sum(len(each) for each in inputs)
            known = _inputs(samples.coords, column, train, rows=train, model=model)
            inputs.append(known if has_target else known[:, 1:])
            targets.append(column[train])
            members.append((np.arange(start, start + len(train)), random_state))
            asked = _inputs(samples.coords, column, train, rows=test, model=model)
            if is_unknown:
                asked[:, 0] = 0.0
            places.append((test, element, asked if has_target else asked[:, 1:]))
    model = NeighbourRegressor(preset="anvari", random_state=random_state, progress=share)
    fitted = model.fit_many(np.concatenate(inputs), np.concatenate(targets), members)
    for one, (test, element, asked) in zip(fitted, places, strict=True):
        told[test, element] = one.predict(asked)
    return told


def _inputs(
    coords: NDArray[np.float64],
    column: NDArray[np.float64],
    train: NDArray[np.int64],
    *,
    rows: NDArray[np.int64],
    model: VariogramModel,
) -> NDArray[np.float64]:
    """Return concentration, coordinates and mean covariance to the training samples."""
    average = _average_covariance(coords[rows], coords[train], model)
    return np.column_stack([column[rows], coords[rows], average])


def _average_covariance(
    places: NDArray[np.float64], samples: NDArray[np.float64], model: VariogramModel
) -> NDArray[np.float64]:
    blocks: Sequence[NDArray] = np.array_split(places, max(1, len(places) * len(samples) // 10**6))
    return np.concatenate(
        [model.covariance(block[:, None] - samples[None]).mean(axis=1) for block in blocks]
    )
