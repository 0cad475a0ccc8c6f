"""What every simple model of windows and maps shares: how it reads them, and how it answers.

Windows (n, channels, size, size) or tables (n, channels) come in, and whole maps (channels, ny, nx);
probabilities, their spread, and what each channel adds to them go out. A window is a map of one
cell: both pass through the same features, so that a map equals its windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from gossan import saving
from gossan._checks import check_labels, check_sample_weight
from gossan._map_tiles import TILE, check_layers, map_tiles

Floats = NDArray[np.float64]
Array = NDArray[np.float32]
Own = TypeVar("Own", bound="MapEstimator")
LEAST = 1e-6  # of a probability whose logit is taken


class Windows(NamedTuple):
    """Checked training windows: cells (n, field, field, channels), class codes and weights."""

    cells: Array
    codes: NDArray[np.int64]
    weight: Floats


class MapEstimator(ClassifierMixin, BaseEstimator):
    """A classifier of windows that also scores whole maps.

    A model tells, of rows that hold the features of a cell, its mean probability and spread
    (`_say`); where it can, its members (`_members`) and its logit (`_logit`); and where it reads
    more than the cell itself, its field (`_wanted_field`) and its features (`_features`).
    """

    classes_: NDArray
    names_: list[str]
    n_features_in_: int
    field_: int
    background_: Floats

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the class probabilities of each window, shape (n, 2)."""
        ore = self.probability_and_spread(X)[0]
        return np.column_stack([1.0 - ore, ore])

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the more probable class of each window, shape (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return the logit of the second class at each window, shape (n,)."""
        return self._on_windows(X, lambda rows: self._logit(rows)[None])[0]

    def probability_and_spread(self, X: ArrayLike) -> Floats:
        """Return the mean probability over the members and its standard deviation, shape (2, n)."""
        return self._on_windows(X, self._say)

    def member_probabilities(self, X: ArrayLike) -> Floats:
        """Return the probability of the second class by each member, shape (n_members, n)."""
        return self._on_windows(X, self._members)

    def score_map(
        self,
        volume: ArrayLike,
        *,
        edges: str = "nan",
        return_std: bool = False,
        tile: tuple[int, int] = TILE,
    ) -> Array | tuple[Array, Array]:
        """Return the probability at every cell of a map, in bounded memory.

        Parameters
        ----------
        volume : array of shape (channels, ny, nx)
            The layers; a memory map is read tile by tile. NaN is no data.
        edges : {"nan", "reflect"}
            Cells whose window leaves the map: NaN, or scored with the map mirrored at its edge.
        return_std : bool
            Whether to return the standard deviation over the members too; 0 if there is one.
        tile : tuple of int
            Cells scored at once; the result does not depend on it.

        Returns
        -------
        probability, std : float32 arrays of shape (ny, nx)
            What `predict_proba` says of each window; NaN where it touches no data.

        Raises
        ------
        ValueError
            If the shape does not suit or a value is infinite.
        """
        out = self._on_map(volume, self._say, 2, edges=edges, tile=tile)
        return (out[0], out[1]) if return_std else out[0]

    def logit_map(
        self, volume: ArrayLike, *, edges: str = "nan", tile: tuple[int, int] = TILE
    ) -> Array:
        """Return `decision_function` at every cell of a map, float32 of shape (ny, nx).

        Parameters
        ----------
        volume, edges, tile
            As in `score_map`.

        Returns
        -------
        logit : float32 array of shape (ny, nx)
        """
        say = lambda rows: self._logit(rows)[None]  # noqa: E731 - a name for the line below
        return self._on_map(volume, say, 1, edges=edges, tile=tile)[0]

    def occlusion(self, X: ArrayLike) -> Floats:
        """Return what each channel adds to the logit of each window, shape (n, channels).

        The logit less the one with the channel at its background median in the whole window
        [ZeilerFergus2014]_: above zero, the channel speaks for ore.
        """
        return self._on_windows(X, self._gains).T

    def occlusion_map(
        self, volume: ArrayLike, *, edges: str = "nan", tile: tuple[int, int] = TILE
    ) -> Array:
        """Return `occlusion` at every cell of a map, float32 of shape (channels, ny, nx).

        Parameters
        ----------
        volume, edges, tile
            As in `score_map`, which this costs once more for each channel.

        Returns
        -------
        gains : float32 array of shape (channels, ny, nx)
        """
        check_is_fitted(self, "background_")
        return self._on_map(volume, self._gains, self.n_features_in_, edges=edges, tile=tile)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that there are two classes."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    # What a model tells of itself

    def _wanted_field(self, size: int) -> int:
        """Return the cells along a side that the model reads of windows of this size."""
        return min(1, size)

    def _features(self, cells: Array) -> NDArray:
        """Return the features (n, y', x', p) of cells (n, y, x, channels) whose field is there."""
        return cells

    def _say(self, rows: NDArray) -> Floats:
        """Return the mean probability and its spread over the members, shape (2, m)."""
        raise NotImplementedError

    def _members(self, rows: NDArray) -> Floats:
        """Return the probability by each member, shape (members, m)."""
        return self._say(rows)[:1]

    def _logit(self, rows: NDArray) -> Floats:
        """Return the logit of the mean probability, shape (m,)."""
        return logit(np.clip(self._say(rows)[0], LEAST, 1.0 - LEAST))

    def _without_each(self, rows: NDArray) -> Iterator[NDArray]:
        """Yield the rows with one channel after the other at its background."""
        less = rows.copy()
        for i, level in enumerate(self.background_):
            less[:, i] = level
            yield less
            less[:, i] = rows[:, i]

    # How it is asked

    def _gains(self, rows: NDArray) -> Floats:
        whole = self._logit(rows)
        return np.stack([whole - self._logit(less) for less in self._without_each(rows)])

    def _on_windows(self, X: ArrayLike, function: Callable[[NDArray], Floats]) -> Floats:
        check_is_fitted(self, "background_")
        return function(self._features(self._cells(X))[:, 0, 0])

    def _on_map(
        self,
        volume: ArrayLike,
        function: Callable[[NDArray], Floats],
        n_out: int,
        *,
        edges: str,
        tile: tuple[int, int],
    ) -> Array:
        """Return what a function says of the features of each whole cell, (n_out, ny, nx)."""
        check_is_fitted(self, "background_")
        layers = check_layers(volume, self.n_features_in_, edges)
        out = np.full((n_out, *layers.shape[1:]), np.nan, dtype=np.float32)
        for (rows, columns), cells in map_tiles(layers, self.field_ // 2, edges=edges, tile=tile):
            is_whole = whole_fields(cells, self.field_)[0]
            if is_whole.any():
                said = function(self._features(cells)[0][is_whole])
                out[:, rows, columns][:, is_whole] = said
        return out

    def _read(
        self, X: ArrayLike, y: ArrayLike | None, sample_weight: ArrayLike | None = None
    ) -> Windows:
        """Return the checked training windows; what they tell of the layers is set."""
        cells = self._cells(X, reset=True)
        weight = check_sample_weight(sample_weight, len(cells))
        weight = np.ones(len(cells)) if weight is None else weight
        self.classes_, codes = read_classes(y, len(cells))
        if y is not None and not all((weight[codes == code] > 0).any() for code in (0, 1)):
            raise ValueError(
                "A class has no row with a weight above zero. Give sample_weight above zero to some"
                " row of each class."
            )
        centre = cells[:, self.field_ // 2, self.field_ // 2]
        self.background_ = np.median(centre[codes == 0], axis=0).astype(np.float64)
        return Windows(cells, codes, weight)

    def _cells(self, X: ArrayLike, *, reset: bool = False) -> Array:
        """Return checked windows cut to the field, channels last: (n, field, field, channels)."""
        windows = read_windows(self, X, reset=reset)
        size = windows.shape[2]
        if reset:
            self.field_ = self._wanted_field(size)
        if self.field_ > size:
            raise ValueError(
                f"{type(self).__name__} reads {self.field_} cells a side, got windows of size"
                f" {size}. Cut larger windows, or pass a smaller field."
            )
        rim = (size - self.field_) // 2
        inner = windows[:, :, rim : size - rim, rim : size - rim]
        return np.ascontiguousarray(np.moveaxis(inner, 1, 3))

    # How it is saved

    def _settings(self, *, without: Sequence[str] = ()) -> dict[str, Any]:
        """Return the settings that `_revived` reads."""
        check_is_fitted(self, "background_")
        return saving.settings_of(self, without=without) | {"field": self.field_}

    @classmethod
    def _revived(
        cls: type[Own], settings: Mapping[str, Any], arrays: dict[str, NDArray], **more: Any
    ) -> Own:
        """Return the estimator with its settings and background, as far as all models share them."""
        model = saving.blank(cls, settings, **more)
        field = settings["field"]
        if len(model.classes_) != 2 or type(field) is not int or not 1 <= field <= 999:
            raise ValueError(f"there are not two classes, or the field is {str(field)[:40]}")
        if field % 2 == 0:
            raise ValueError(f"the field must be odd, got {field}")
        model.field_ = field
        model.background_ = saving.take(arrays, "background_", (model.n_features_in_,))
        return model


def read_windows(model: Any, X: ArrayLike, *, reset: bool) -> Array:
    """Return windows (n, channels, size, size) of an odd size; names and channels are set."""
    if np.ndim(X) == 4:
        windows = check_array(X, dtype=np.float32, allow_nd=True, input_name="X")
        if reset:
            model.n_features_in_ = windows.shape[1]
            model.__dict__.pop("feature_names_in_", None)
    else:
        windows = validate_data(model, X, reset=reset, dtype=np.float32)[:, :, None, None]
    c, ny, nx = windows.shape[1:]
    if ny != nx or ny % 2 == 0 or c != model.n_features_in_:
        raise ValueError(
            f"X must be windows (n, {model.n_features_in_} channels (features), size, size) of an"
            f" odd size, got shape {windows.shape}. Cut them as in training."
        )
    if reset:
        names = getattr(model, "feature_names_in_", [f"x{i}" for i in range(c)])
        model.names_ = [str(name) for name in names]
    return windows


def read_classes(y: ArrayLike | None, n: int) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the two classes and the code of each row; without labels all is background."""
    if y is None:
        return np.array([0, 1]), np.zeros(n, dtype=np.int64)
    classes, codes = np.unique(check_labels("y", y, n), return_inverse=True)
    if len(classes) != 2:
        raise ValueError(
            f"y must hold two classes, known occurrences and background, got {len(classes)}:"
            f" {classes.tolist()[:5]}. Check the labels or the split."
        )
    return classes, codes.astype(np.int64)


def whole_fields(cells: Array, field: int) -> NDArray[np.bool_]:
    """Return where nothing is missing in the field of a cell: (n, y', x') of (n, y, x, channels)."""
    ok = np.asarray(~np.isnan(cells).any(axis=3))
    for axis in (1, 2):
        n = ok.shape[axis] - field + 1
        shifted = np.stack([np.take(ok, range(i, i + n), axis=axis) for i in range(field)])
        ok = np.asarray(shifted.all(axis=0))
    return ok
