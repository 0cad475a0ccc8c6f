"""Sequences of the nearest samples of a place, for networks that read a neighbourhood.

Coordinates, values and variogram models come in; arrays of shape (places, steps, channels) go out,
with the kriging estimate that the network corrects. A sample is never its own neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_labels, check_option, check_table
from gossan.geostat._search import Search, build_tree, find_neighbours, search_frame
from gossan.geostat.covariance import Structure, VariogramModel

__all__ = ["NeighbourSequences", "leaking_sequences", "neighbour_sequences"]

ORDERS = ("covariance", "distance")
PLACES_AT_ONCE = 2048
JITTER = 1e-9  # of the sill: two samples in one place and no nugget still have weights
AXES = ("easting", "northing", "elevation")


@dataclass(frozen=True, eq=False)
class NeighbourSequences:
    """The nearest samples of each place, in the order of their likeness, and what kriging says.

    Attributes
    ----------
    X : float32 array of shape (n, steps, n_channels)
        One row a place, one step a sample, the most alike first. A step for which there is no
        sample is zero in every channel. The channels, named in `names`: 1 for a sample; its offset
        from the place and distance [m]; covariance to the place and kriging weight for each model;
        values of the elements; covariates at the sample and at the place; kriging estimates;
        kriging standard deviations (the last two the same in every step).
    names : tuple of str
        Names of the channels.
    neighbours : int64 array of shape (n, steps)
        Row number of each sample; -1 where there is none.
    estimate, std : float64 arrays of shape (n, n_elements)
        Ordinary kriging of each element from these samples alone, and its standard deviation for a
        new sample at the place.
    """

    X: NDArray[np.float32]
    names: tuple[str, ...]
    neighbours: NDArray[np.int64]
    estimate: NDArray[np.float64]
    std: NDArray[np.float64]


def neighbour_sequences(
    coords: ArrayLike,
    values: ArrayLike,
    *,
    model: VariogramModel | Sequence[VariogramModel],
    places: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    place_groups: ArrayLike | None = None,
    steps: int = 16,
    order: str = "covariance",
    n_per_group: int | None = None,
    covariates: ArrayLike | None = None,
    place_covariates: ArrayLike | None = None,
    elements: Sequence[str] | None = None,
) -> NeighbourSequences:
    """Nearest samples of each place with offset, covariance, kriging weight and values.

    Without `places` the samples are the places, to train on: each leaves itself out, and with
    `groups` also every sample of its block or hole, so that the network sees in training what it
    will see where nothing is known. Use the same `groups` that validation holds out.

    Parameters
    ----------
    coords : array of shape (n_samples, 2) or (n_samples, 3)
        Easting, northing and, if given, elevation of the samples [m].
    values : array of shape (n_samples,) or (n_samples, n_elements)
        What was measured, best as normal scores; none missing.
    model : VariogramModel or sequence of n_elements of them
        One for all elements, or one for each; each with a sill.
    places : array of shape (n_places, n_dims), optional
        Where to estimate [m]. None: at the samples, each left out of its own sequence.
    groups : array of shape (n_samples,), optional
        Block or hole of each sample.
    place_groups : array of shape (n_places,), optional
        Group of each place, whose samples it must not see. With `places` only; None: it may see
        all samples.
    steps : int
        Samples a place. Kriging uses the same ones.
    order : {"covariance", "distance"}
        What makes a sample near: its covariance to the place (ranges in all directions count) or
        its distance.
    n_per_group : int, optional
        Most samples of one group in a sequence. Set it for drill holes, where the nearest samples
        are otherwise all of one hole.
    covariates, place_covariates : arrays of shape (n_samples, m) and (n_places, m), optional
        What is known at the samples and at the places (distance to the river, rock). Without
        `places` the first is enough.
    elements : sequence of str, optional
        Names of the columns of `values`.

    Returns
    -------
    sequences : NeighbourSequences

    Raises
    ------
    ValueError
        If arrays are missing values or do not fit one another, an option is unknown, a model has no
        sill, or a place has no sample left.

    Examples
    --------
    >>> model = VariogramModel(0.0, Structure("spherical", 1.0, 100.0))
    >>> found = neighbour_sequences([[0, 0], [0, 10], [0, 30]], [1.0, 2.0, 4.0], model=model, steps=2)
    >>> found.neighbours
    array([[1, 2],
           [0, 2],
           [1, 0]])
    >>> found.estimate.round(2).ravel()
    array([2.03, 2.  , 1.97])
    """
    samples = _Samples(
        coords, values, model=model, groups=groups, covariates=covariates, elements=elements
    )
    check_option("order", order, ORDERS)
    if steps < 1 or (n_per_group is not None and n_per_group < 1):
        raise ValueError(
            f"steps and n_per_group must be at least 1, got {steps} and {n_per_group}."
            " Sixteen samples a place suit most data."
        )
    if n_per_group is not None and groups is None:
        raise ValueError("n_per_group needs groups, got None. Pass the hole of each sample.")
    wanted = _Places(samples, places, place_groups, place_covariates)
    nearest = _nearest(samples, wanted, steps=steps, order=order, n_per_group=n_per_group)
    parts = []
    for start in range(0, len(wanted.points), PLACES_AT_ONCE):
        some = slice(start, start + PLACES_AT_ONCE)
        chosen = nearest[some]
        if order == "covariance":
            chosen = _by_likeness(samples, wanted.points[some], chosen)
        parts.append(_describe(samples, wanted, some, chosen))
    X, chosen, estimate, std = (np.concatenate(each) for each in zip(*parts, strict=True))
    return NeighbourSequences(X, samples.channel_names(), chosen, estimate, std)


def leaking_sequences(
    coords: ArrayLike,
    values: ArrayLike,
    *,
    model: VariogramModel,
    places: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Inputs of the published GCNN-RNN template, the target among them: never for estimation.

    Its inputs are concentration, coordinates and the mean covariance to all samples, in sequences
    of one step; its target is the same concentration. A network learns to repeat its first input,
    which is unknown, and set to 0, where an estimate is wanted. Kept to show that leak, with
    `NeighbourRegressor(preset="anvari")`.

    Parameters
    ----------
    coords : array of shape (n_samples, 2) or (n_samples, 3)
        Easting, northing and, if given, elevation of the samples [m].
    values : array of shape (n_samples,)
        Concentration of one element; none missing.
    model : VariogramModel
        With a sill.
    places : array of shape (n_places, n_dims), optional
        Unknown points [m]. None: the samples themselves.

    Returns
    -------
    X : array of shape (n, 1, 2 + n_dims)
        Concentration (0 at unknown points), coordinates, mean covariance.

    Raises
    ------
    ValueError
        If arrays are missing values or do not fit one another, or the model has no sill.

    Examples
    --------
    >>> model = VariogramModel(0.0, Structure("spherical", 1.0, 100.0))
    >>> leaking_sequences([[0, 0], [0, 50]], [3.0, 5.0], model=model, places=[[0, 25]]).round(3)
    array([[[ 0.   ,  0.   , 25.   ,  0.633]]])
    """
    samples = _Samples(coords, values, model=model, groups=None, covariates=None, elements=None)
    wanted = _Places(samples, places, None, None)
    if samples.values.shape[1] != 1:
        raise ValueError(
            f"The template takes one element at a time, got {samples.values.shape[1]}. Pass a column."
        )
    known = samples.values[:, 0] if places is None else np.zeros(len(wanted.points))
    likeness = np.array(
        [_structured(model, samples.points - each).mean() for each in wanted.points]
    )
    return np.column_stack([known, wanted.points, likeness])[:, None]


class _Samples:
    """The checked samples: points, values, models, groups and covariates."""

    def __init__(
        self,
        coords: ArrayLike,
        values: ArrayLike,
        *,
        model: VariogramModel | Sequence[VariogramModel],
        groups: ArrayLike | None,
        covariates: ArrayLike | None,
        elements: Sequence[str] | None,
    ) -> None:
        self.points = _check_points("coords", coords)
        n = len(self.points)
        measured = np.asarray(values, dtype=float)
        self.values = _check_rows("values", measured.reshape(len(measured), -1), n)
        n_elements = self.values.shape[1]
        self.names = tuple(elements or (f"element {i}" for i in range(n_elements)))
        if len(self.names) != n_elements:
            raise ValueError(
                f"{len(self.names)} elements were named for {n_elements} columns of values."
                " Name each column once."
            )
        self.models, self.model_of = _check_models(model, n_elements)
        self.groups = None if groups is None else _codes(check_labels("groups", groups, n))
        self.labels = None if groups is None else np.asarray(groups)
        self.folds = np.arange(n) if self.groups is None else self.groups
        self.covariates = (
            np.empty((n, 0)) if covariates is None else _check_rows("covariates", covariates, n)
        )

    @property
    def frame(self) -> NDArray[np.float64] | None:
        """Return the search frame of the structure with the largest sill, a sphere without one."""
        structures = [each for model in self.models for each in model.structures]
        if not structures:
            return None
        main: Structure = max(structures, key=lambda each: each.sill)
        return search_frame(main.transform(self.points.shape[1]))

    def channel_names(self) -> tuple[str, ...]:
        """Return the names of the channels, in the order of `_describe`."""
        shared = len(self.models) == 1
        of = [""] if shared else [f" of {self.names[i]}" for i in _first_of(self.model_of)]
        covariates = range(self.covariates.shape[1])
        return (
            "present",
            *(f"offset {axis}" for axis in AXES[: self.points.shape[1]]),
            "distance",
            *(f"covariance{each}" for each in of),
            *(f"weight{each}" for each in of),
            *self.names,
            *(f"covariate {i} of the sample" for i in covariates),
            *(f"covariate {i} of the place" for i in covariates),
            *(f"{name} kriged" for name in self.names),
            *(f"{name} kriging std" for name in self.names),
        )


class _Places:
    """The checked places: points, the fold of samples each must not see (-1: none), covariates."""

    def __init__(
        self,
        samples: _Samples,
        places: ArrayLike | None,
        place_groups: ArrayLike | None,
        place_covariates: ArrayLike | None,
    ) -> None:
        if places is None and (place_groups is not None or place_covariates is not None):
            raise ValueError(
                "place_groups and place_covariates need places, got None. Without places the"
                " samples are the places: pass groups and covariates."
            )
        at_samples = places is None
        self.points = samples.points if places is None else _check_points("places", places)
        n, n_dims = self.points.shape
        if n_dims != samples.points.shape[1]:
            raise ValueError(
                f"places have {n_dims} coordinates, the samples {samples.points.shape[1]}."
                " Give both in 2D or both in 3D."
            )
        self.folds = samples.folds if at_samples else _known_groups(samples, place_groups, n)
        given = samples.covariates if at_samples else place_covariates
        given = np.empty((n, 0)) if given is None else given
        self.covariates = _check_rows("place_covariates", given, n)
        if self.covariates.shape[1] != samples.covariates.shape[1]:
            raise ValueError(
                f"The places have {self.covariates.shape[1]} covariates, the samples"
                f" {samples.covariates.shape[1]}. Give the same columns for both."
            )


def _known_groups(samples: _Samples, place_groups: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """Return the number of the group of each place, -1 where no sample has it."""
    if place_groups is None:
        return np.full(n, -1)
    if samples.labels is None:
        raise ValueError("place_groups needs groups, got None. Pass the group of each sample.")
    numbers = {label: i for i, label in enumerate(np.unique(samples.labels).tolist())}
    labels = check_labels("place_groups", place_groups, n).tolist()
    return np.array([numbers.get(label, -1) for label in labels], dtype=np.int64)


def _nearest(
    samples: _Samples, places: _Places, *, steps: int, order: str, n_per_group: int | None
) -> NDArray[np.int64]:
    """Return the row numbers of the samples of each place, -1 where there are no more."""
    center = samples.points.mean(axis=0)
    frame = samples.frame if order == "covariance" else None
    tree = build_tree(samples.points - center, frame, groups=samples.groups, folds=samples.folds)
    search = Search(n_neighbours=steps, n_per_group=n_per_group)
    targets = places.points - center
    found = find_neighbours(tree, targets, search, target_folds=places.folds)
    alone = np.flatnonzero(found[:, 0] < 0)
    if len(alone):
        raise ValueError(
            f"Place {int(alone[0])} has no sample left outside its own group ({len(alone)} such"
            " places). Use smaller groups or more samples."
        )
    chosen = np.full((len(found), steps), -1)
    chosen[:, : found.shape[1]] = found
    return chosen


def _by_likeness(
    samples: _Samples, points: NDArray[np.float64], chosen: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the samples of each place, that of the highest mean correlation first."""
    offsets = samples.points[chosen] - points[:, None]
    likeness = sum(_structured(model, offsets) / model.sill for model in samples.models)
    keys = np.where(chosen < 0, np.inf, -likeness)
    return np.take_along_axis(chosen, np.argsort(keys, axis=1, kind="stable"), axis=1)


def _describe(
    samples: _Samples, places: _Places, some: slice, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the channels, the samples, the kriging estimates and standard deviations."""
    is_there = chosen >= 0
    points, values = samples.points[chosen], samples.values[chosen]  # (m, steps, d), (m, steps, e)
    offsets = points - places.points[some][:, None]
    solved = [_krige(model, points, offsets, is_there) for model in samples.models]
    weights = np.stack([weight for _, weight, _ in solved], axis=2)  # (m, steps, models)
    covariances = np.stack([covariance for covariance, _, _ in solved], axis=2)
    spread = np.sqrt(np.stack([variance for _, _, variance in solved], axis=1))
    estimate = (weights[:, :, samples.model_of] * values).sum(axis=1)  # (m, e)
    std = spread[:, samples.model_of]
    m, steps = chosen.shape
    whole = (places.covariates[some], estimate, std)
    of_place = [np.broadcast_to(each[:, None], (m, steps, each.shape[1])) for each in whole]
    channels = [
        np.ones((m, steps, 1)),
        offsets,
        np.linalg.norm(offsets, axis=2, keepdims=True),
        covariances,
        weights,
        values,
        samples.covariates[chosen],
        *of_place,
    ]
    X = np.concatenate(channels, axis=2) * is_there[:, :, None]
    return X.astype(np.float32), chosen, estimate, std


def _krige(
    model: VariogramModel, points: NDArray, offsets: NDArray, is_there: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return covariances to the place, ordinary kriging weights, and the variance of a new sample.

    The system of a step without a sample is that of a weight of zero.
    """
    m, k = is_there.shape
    pairs = is_there[:, :, None] & is_there[:, None, :]
    system = np.zeros((m, k + 1, k + 1))
    between = _structured(model, points[:, :, None] - points[:, None, :])
    system[:, :k, :k] = np.where(pairs, between, 0.0)
    own = np.where(is_there, model.sill * (1.0 + JITTER), 1.0)
    system[:, np.arange(k), np.arange(k)] = own
    system[:, :k, k] = system[:, k, :k] = is_there
    right = np.ones((m, k + 1))
    right[:, :k] = np.where(is_there, _structured(model, offsets), 0.0)
    solved = np.linalg.solve(system, right[:, :, None])[:, :, 0]
    weights, multiplier = solved[:, :k], solved[:, k]
    variance = model.sill - (weights * right[:, :k]).sum(axis=1) - multiplier
    return right[:, :k], weights, np.maximum(variance, JITTER * model.sill)


def _structured(model: VariogramModel, offsets: NDArray) -> NDArray[np.float64]:
    """Return the covariance without the nugget, which two samples never share."""
    total = np.zeros(offsets.shape[:-1])
    for structure in model.structures:
        total += structure.covariance(offsets)
    return total


def _first_of(model_of: NDArray[np.int64]) -> list[int]:
    return [int(np.argmax(model_of == i)) for i in range(int(model_of.max()) + 1)]


def _codes(labels: NDArray) -> NDArray[np.int64]:
    return np.unique(labels, return_inverse=True)[1]


def _check_models(
    model: VariogramModel | Sequence[VariogramModel], n_elements: int
) -> tuple[list[VariogramModel], NDArray[np.int64]]:
    """Return the models and which of them each element has."""
    given = [model] if isinstance(model, VariogramModel) else list(model)
    if len(given) not in (1, n_elements):
        raise ValueError(
            f"{len(given)} variogram models do not fit {n_elements} elements. Give one for all, or"
            " one for each."
        )
    for each in given:
        if not each.is_stationary:
            raise ValueError(
                f"Neighbour sequences need a model with a sill, got {each}. Fit a spherical or"
                " exponential model."
            )
    many = len(given) > 1
    return given, np.arange(n_elements) if many else np.zeros(n_elements, dtype=np.int64)


def _check_points(name: str, coords: ArrayLike) -> NDArray[np.float64]:
    points = check_table(coords, name=name)
    if points.shape[1] not in (2, 3) or not np.isfinite(points).all():
        raise ValueError(
            f"{name} must be finite with columns easting, northing[, elevation], got shape"
            f" {points.shape} with {int(np.isnan(points).sum())} missing. Drop rows without a place."
        )
    return points


def _check_rows(name: str, table: ArrayLike, n: int) -> NDArray[np.float64]:
    rows = np.asarray(table, dtype=float)
    if rows.ndim != 2 or len(rows) != n or not np.isfinite(rows).all():
        raise ValueError(
            f"{name} must be a finite table of {n} rows, got shape {rows.shape} with"
            f" {int((~np.isfinite(rows)).sum())} values missing or infinite. Drop or impute them"
            " first."
        )
    return rows
