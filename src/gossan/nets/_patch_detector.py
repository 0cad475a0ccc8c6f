"""What the detectors of this room share: patches in, scores of patches and of whole volumes out.

A detector gives the error of each member for scaled patches and for a block of a volume; the checks,
the threshold, the tiles of a volume and the two files of a saved model are written here once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from gossan import saving
from gossan._checks import check_labels, check_option
from gossan._fit_alone import fit_alone

Array = NDArray[np.float32]
INPUTS = ("patch", "vector")
SCALINGS = ("minmax", "standard", "none")
SCHEDULES = ("cosine", "steps", "constant")
THRESHOLDS = ("fpr", "minmax")
EDGES = ("nan", "pad")
PATCH_WIDTHS = (8, 16, 32)
TILE = (16, 32, 32)  # voxels scored at once: some tens of MB whatever the volume


@dataclass(frozen=True, eq=False)
class Job:
    """One training set of `fit_many`: all its rows, its normals to learn from and to judge by."""

    train: NDArray[np.intp]
    normals: NDArray[np.intp]
    held: NDArray[np.intp]
    seed: int
    center: NDArray[np.float64]
    scale: NDArray[np.float64]


class PatchDetector(OutlierMixin, BaseEstimator):
    """Base of the detectors: `_train` and two kinds of errors are theirs, the rest is here."""

    PRESETS: Mapping[str, Mapping[str, Any]] = {}
    input: str
    n_members: int
    random_state: int | None
    preset: str | None
    progress: Callable[[int, int], None] | None

    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Train on one table or set of patches.

        Parameters
        ----------
        X : array of shape (n, channels, side, side, side), or (n, features) for vectors
            Patches about n voxels, axes in the order elevation, northing, easting. No missing values.
        y : array of shape (n,), optional
            0 for what is known to be normal (barren); any other number for the rest, be it ore or
            not known. None: all rows are taken for normal.
        groups : array of shape (n,), optional
            Hole or block of each row; whole groups are held out for the threshold.

        Returns
        -------
        self : estimator
            Fitted.

        Raises
        ------
        ValueError
            If a value is missing or infinite, the shape does not suit, there are fewer than two
            normals, or a setting is wrong.
        """
        return fit_alone(self, X, y, groups=groups)

    def fit_many(
        self,
        X: ArrayLike,
        y: ArrayLike | None,
        members: Sequence[tuple[NDArray[np.intp], int]],
        groups: ArrayLike | None = None,
    ) -> list[Self]:
        """Train on many subsets of the rows at once: the folds and seeds of a cross-validation.

        Parameters
        ----------
        X, y, groups
            As in `fit`.
        members : sequence of (train, seed)
            Row numbers of each training set, and its seed.

        Returns
        -------
        fitted : list of estimators
            One for each of `members`, the same as one fitted alone on its rows.
        """
        settings = self._settings()
        cells = self._cells(X, reset=True, settings=settings)
        is_normal = _normals(y, len(cells))
        labels = None if groups is None else check_labels("groups", groups, len(cells))
        jobs = [
            _job(cells, is_normal, labels, train=np.asarray(train), seed=seed, settings=settings)
            for train, seed in members
        ]
        fitted = [self._blank_copy(job) for job in jobs]
        for model, (weights, losses) in zip(
            fitted, self._train(jobs, cells, settings), strict=True
        ):
            model.weights_, model.losses_ = weights, losses
        for model, job in zip(fitted, jobs, strict=True):
            self._set_offset(model, cells, job, settings)
        return fitted

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how normal each patch is, minus its error (higher is more normal), shape (n,).

        The error is the mean of the members. For a score that rises towards ore, turn the sign.
        """
        check_is_fitted(self, "weights_")
        cells = self._cells(X, reset=False, settings=self._settings())
        return -self._errors(cells)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return `score_samples` less the threshold `offset_`: below zero is anomalous."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return -1 for each anomalous row and 1 for each normal one, shape (n,)."""
        return np.where(self.decision_function(X) < 0.0, -1, 1)

    def score_volume(
        self, volume: ArrayLike, *, edges: str = "nan", tile: tuple[int, int, int] = TILE
    ) -> Array:
        """Return `score_samples` of the patch about every voxel, in bounded memory.

        Parameters
        ----------
        volume : array of shape (channels, nz, ny, nx)
            The block model; a memory map is read tile by tile. NaN is no data.
        edges : {"nan", "pad"}
            Voxels whose patch leaves the volume: NaN, or scored with the outermost voxels repeated.
        tile : tuple of int
            Voxels scored at once; the result does not depend on it but for rounding.

        Returns
        -------
        scores : float32 array of shape (nz, ny, nx)
            Higher is more normal; NaN where the patch touches no data.

        Raises
        ------
        ValueError
            If the detector was fitted on vectors, the shape does not suit, or a value is infinite.
        """
        check_is_fitted(self, "weights_")
        check_option("edges", edges, EDGES)
        cube = self._volume(volume)
        margin = self.side_ // 2
        out = np.full(cube.shape[1:], np.nan, dtype=np.float32)
        for place in _tiles(cube.shape[1:], margin if edges == "nan" else 0, tile):
            block = self._block(cube, place, margin)
            if not np.isnan(block).any(axis=3).all():
                out[place] = -self._block_errors(block)
        return out

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "weights_")
        told = saving.settings_of(self, without=("progress",)) | {"side": self.side_}
        arrays = {name: getattr(self, name) for name in ("center_", "scale_", "losses_")}
        arrays["offset_"] = np.array([self.offset_])
        return told, arrays | {f"network.{name}": value for name, value in self.weights_.items()}

    @classmethod
    def from_arrays(cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]) -> Self:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = saving.blank(cls, settings)
        c, in_force = model.n_features_in_, cls._settings(model)
        model.side_ = int(settings["side"])
        cls._check_side(model, (model.side_,) * 3 * (in_force["input"] == "patch"), in_force)
        model.center_, model.scale_ = (saving.take(arrays, k, (c,)) for k in ("center_", "scale_"))
        model.losses_ = saving.take(arrays, "losses_", (in_force["n_members"], None))
        model.offset_ = float(saving.take(arrays, "offset_", (1,))[0])
        if not (model.scale_ > 0).all() or len(cls._widths(model, in_force)) > len(arrays):
            raise ValueError("a scale is not above zero, or layers have no weights")
        model.weights_ = {
            name: saving.take(arrays, f"network.{name}", shape, np.float32)
            for name, shape in cls._shapes(model, in_force).items()
        }
        return model

    # What a detector must give

    def _train(
        self, jobs: Sequence[Job], cells: Array, settings: dict[str, Any]
    ) -> list[tuple[dict[str, Array], NDArray[np.float64]]]:
        raise NotImplementedError

    def _patch_errors(self, scaled: Array) -> NDArray[np.float64]:
        """Return the error of each member for scaled patches, shape (members, n)."""
        raise NotImplementedError

    def _scaled_block_errors(self, block: Array) -> NDArray[np.float64]:
        """Return the error of each member at each inner voxel, shape (members, nz, ny, nx)."""
        raise NotImplementedError

    def _shapes(self, settings: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all weights of the fitted detector, by name."""
        raise NotImplementedError

    # What the rest is made of

    def _settings(self) -> dict[str, Any]:
        """Return the settings in force (the preset's where one is named), checked."""
        if self.preset is not None:
            check_option("preset", self.preset, self.PRESETS)
        settings = {**self.get_params(deep=False), **self.PRESETS.get(self.preset or "", {})}
        check_option("input", settings["input"], INPUTS)
        check_option("scaling", settings["scaling"], SCALINGS)
        check_option("schedule", settings["schedule"], SCHEDULES)
        check_option("threshold", settings["threshold"], THRESHOLDS)
        for name in ("epochs", "batch_size", "n_members"):
            if settings[name] is not None and int(settings[name]) < 1:
                raise ValueError(f"{name} must be at least 1, got {settings[name]}.")
        for name in ("false_positive_rate", "validation_share", "minmax_level"):
            if not 0.0 < settings[name] < 1.0:
                raise ValueError(f"{name} must lie between 0 and 1, got {settings[name]}.")
        widths = settings["widths"]
        if widths is not None and (not len(widths) or min(widths) < 1):
            raise ValueError(f"widths must be counts of channels above zero, got {widths}.")
        return settings

    def _widths(self, settings: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the widths asked for, or those of the paper; a vector is halved in its code."""
        if settings["widths"] is not None:
            return tuple(int(width) for width in settings["widths"])
        if settings["input"] == "patch":
            return PATCH_WIDTHS
        return (32, 16, max(1, self.n_features_in_ // 2))

    def _cells(self, X: ArrayLike, *, reset: bool, settings: Mapping[str, Any]) -> Array:
        """Return checked rows with the channels last: (n, side, side, side, channels) or (n, d)."""
        if settings["input"] == "vector":
            table = validate_data(self, X, dtype=np.float32, reset=reset)
            names = getattr(self, "feature_names_in_", range(table.shape[1]))
        else:
            patches = check_array(X, dtype=np.float32, allow_nd=True, input_name="X")
            if patches.ndim != 5:
                raise ValueError(
                    f"X must have the shape (n, channels, side, side, side), got {patches.shape}."
                    " Pass input='vector' for a table of one row a sample."
                )
            table = np.ascontiguousarray(np.moveaxis(patches, 1, 4))
            names = range(table.shape[4])
            if reset:
                self.n_features_in_ = table.shape[4]
                self.__dict__.pop("feature_names_in_", None)
        side = table.shape[1:-1]
        if reset:
            self._check_side(side, settings)
            self.side_ = side[0] if side else 1
            self.names_ = [name if isinstance(name, str) else f"x{name}" for name in names]
        elif table.shape[-1] != self.n_features_in_ or side != (self.side_,) * len(side):
            raise ValueError(
                f"X has {table.shape[-1]} channels (features) and patches of {side}, the model"
                f" {self.n_features_in_} and a side of {self.side_}. Cut them as in training."
            )
        return table

    def _check_side(self, side: tuple[int, ...], settings: Mapping[str, Any]) -> None:
        least = 2 * len(self._widths(settings)) + 1
        if side and (len(set(side)) > 1 or side[0] < least or side[0] % 2 == 0):
            raise ValueError(
                f"Patches must be cubes of an odd side of at least {least} voxels (each of the"
                f" {least // 2} convolutions takes one off every face), got {side}. Cut larger"
                " patches or take fewer widths."
            )

    def _volume(self, volume: ArrayLike) -> NDArray:
        cube = volume if isinstance(volume, np.ndarray) else np.asarray(volume)
        is_vector = self._settings()["input"] == "vector"
        if is_vector or cube.ndim != 4 or cube.shape[0] != self.n_features_in_:
            raise ValueError(
                f"volume must have the shape ({self.n_features_in_} channels, nz, ny, nx) and the"
                f" detector be fitted on patches, got {cube.shape} and input="
                f"{self._settings()['input']!r}. Score vectors with score_samples."
            )
        return cube

    def _block(self, cube: NDArray, place: tuple[slice, ...], margin: int) -> Array:
        """Return a tile with its margin, scaled, channels last; beyond the edge the edge is repeated."""
        spans = [
            np.clip(np.arange(span.start - margin, span.stop + margin), 0, length - 1)
            for span, length in zip(place, cube.shape[1:], strict=True)
        ]
        around = tuple(slice(span[0], span[-1] + 1) for span in spans)
        near = np.asarray(cube[(slice(None), *around)], dtype=np.float32)
        if np.isinf(near).any():
            raise ValueError(
                "The volume is infinite somewhere, at a voxel of the tile that starts at"
                f" {tuple(int(span[0]) for span in spans)}. Mark it missing (NaN) or mend it."
            )
        inner = np.ix_(*[span - span[0] for span in spans])
        return self._scaled(np.moveaxis(near, 0, 3)[inner])

    def _scaled(self, cells: Array) -> Array:
        center, factor = self.center_.astype(np.float32), (1.0 / self.scale_).astype(np.float32)
        return (cells - center) * factor

    def _errors(self, cells: Array) -> NDArray[np.float64]:
        return self._patch_errors(self._scaled(cells)).mean(axis=0)

    def _block_errors(self, block: Array) -> NDArray[np.float64]:
        return self._scaled_block_errors(block).mean(axis=0)

    @classmethod
    def _set_offset(cls, model: Self, cells: Array, job: Job, settings: Mapping[str, Any]) -> None:
        """Set the score below which a row is anomalous."""
        if settings["threshold"] == "fpr":
            scores = -cls._errors(model, cells[job.held])
            model.offset_ = float(np.quantile(scores, settings["false_positive_rate"]))
            return
        errors = cls._errors(model, cells[job.train])
        low, high = errors.min(), errors.max()
        model.offset_ = float(-(low + settings["minmax_level"] * (high - low)))

    def _blank_copy(self, job: Job) -> Self:
        model = type(self)(**self.get_params(deep=False))
        for name in ("n_features_in_", "names_", "side_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        model.center_, model.scale_ = job.center, job.scale
        return model


def _normals(y: ArrayLike | None, n: int) -> NDArray[np.bool_]:
    """Return which rows are known to be normal."""
    if y is None:
        return np.ones(n, dtype=bool)
    labels = check_labels("y", y, n)
    if not np.issubdtype(labels.dtype, np.number) and labels.dtype != bool:
        raise ValueError(
            f"y must be numbers, 0 for normal rows, got {labels[0]!r}. Write 0 for barren rows and"
            " 1 for the rest."
        )
    return labels == 0


def _job(
    cells: Array,
    is_normal: NDArray[np.bool_],
    groups: NDArray | None,
    *,
    train: NDArray[np.intp],
    seed: int,
    settings: Mapping[str, Any],
) -> Job:
    """Return a training set with its scaling; part of the normals is held out for a threshold."""
    normals = train[is_normal[train]]
    if len(normals) < 2:
        raise ValueError(
            f"A detector needs at least 2 normal rows (y = 0), got {len(normals)} of {len(train)}."
            " Pass more rows, or y=None to take all for normal."
        )
    held = normals[:0]
    if settings["threshold"] == "fpr":
        labels = np.arange(len(normals)) if groups is None else groups[normals]
        is_held = _held_out(labels, settings["validation_share"], np.random.default_rng([seed, 2]))
        normals, held = normals[~is_held], normals[is_held]
    return Job(train, normals, held, seed, *_scaling(cells, train, settings["scaling"]))


def _held_out(labels: NDArray, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which rows belong to the groups held out: about `share` of the rows, never all."""
    kinds, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(kinds) < 2:
        raise ValueError(
            f"A threshold needs normals of at least 2 groups, got only {kinds.tolist()}. Pass"
            " smaller blocks, or threshold='minmax'."
        )
    order = rng.permutation(len(kinds))
    before = np.cumsum(counts[order]) - counts[order]
    chosen = order[: max(1, int((before < share * len(labels)).sum()))]
    return np.isin(codes, chosen[: len(kinds) - 1])


def _scaling(
    cells: Array, train: NDArray[np.intp], scaling: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centre and scale of each channel over the training rows."""
    c = cells.shape[-1]
    if scaling == "none":
        return np.zeros(c), np.ones(c)
    own = cells[train].reshape(-1, c)
    if scaling == "minmax":
        center, scale = own.min(axis=0).astype(float), np.ptp(own, axis=0).astype(float)
    else:
        center = own.mean(axis=0, dtype=np.float64)
        scale = own.std(axis=0, dtype=np.float64)
    return center, np.where(scale > 0, scale, 1.0)


def _tiles(
    shape: tuple[int, ...], margin: int, tile: tuple[int, int, int]
) -> Iterator[tuple[slice, ...]]:
    """Yield the places of the tiles that cover the volume but for its margin."""
    starts = [range(margin, n - margin, max(1, step)) for n, step in zip(shape, tile, strict=True)]
    for corner in product(*starts):
        yield tuple(
            slice(start, min(start + step, n - margin))
            for start, step, n in zip(corner, tile, shape, strict=True)
        )
