"""A small convolutional network that tells ore from background by the map around a place.

Windows of shape (n, channels, size, size) cut from multi-element maps, or tables of one row a cell,
and labels come in; probabilities of windows and of whole maps go out, with their spread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from gossan._checks import check_labels, check_sample_weight
from gossan._fit_alone import fit_alone
from gossan._map_tiles import TILE, check_layers, map_tiles
from gossan.nets._window_checks import (
    check_field,
    check_settings,
    check_start,
    form_of,
    read_windows,
    usual_rate,
)
from gossan.nets._window_forward import (
    Array,
    Stage,
    at_background,
    logits,
    middle_of,
    ready,
    stages_of,
    without_each,
)
from gossan.nets._window_saving import put_together, taken_apart

if TYPE_CHECKING:
    from gossan.nets._window_training import Job

__all__ = ["WindowCNN"]


class WindowCNN(ClassifierMixin, BaseEstimator):
    """Ensemble of small convolutional networks over windows of multi-element maps.

    Use it where ore shows in the shape of an anomaly, such as zoned haloes among barren anomalies
    of the same elements, and tens of occurrences are known. Where haloes are smaller than a cell,
    or ten occurrences are known, point values and simpler models are as good or better: compare
    fields of 1, 3, 5 and 9 cells on blocks held out, and take the smallest that does. Background
    is unlabelled, not barren: with balanced classes the probability is a rank, not a rate.

    Parameters
    ----------
    architecture : {"small", "lenet"}
        "small": a 1 x 1 convolution that mixes the elements, then 3 x 3 ones down to one cell.
        "lenet": 3 x 3 convolutions with max pooling between, and a dense layer. All convolutions
        are valid; with zero padding a map would not equal its windows.
    field : int or None
        Cells along a side that the network sees: 1, 3, 5, 7 or 9; with "lenet" 5, 9 or 13. Larger
        windows are used by their middle, so that fields can be compared on the same windows. None:
        the size of the windows.
    widths : sequence of int or None
        Channels of the layers. None: 8 mixtures and 16 of each 3 x 3 convolution; with "lenet" 16
        and 32 of the convolutions and 64 of the dense layer (a field of 5 has one convolution).
    element_dropout : float
        Share of elements dropped from a window in training, in [0, 1): none is relied on alone.
    weight_decay : float
        Of AdamW, decoupled from the gradient: each step takes this share of the learning rate off
        each weight.
    label_smoothing : float
        Share of a label given to both classes alike, in [0, 1).
    weights : {"class", "class_group", "group", "none"}
        Which rows are drawn more often (see `gossan._weights`). "class" because occurrences are
        few; `sample_weight` comes on top.
    scaling : {"standard", "none"}
        Of each channel, by mean and standard deviation over the training windows.
    augment : {"none", "half_turns", "flips"}
        Of training windows, at random; prediction is never augmented. "half_turns" turns them by
        180 degrees, which keeps the strike of what is in them; not where one side differs from the
        other (slope, ice, dip). "flips" turns them over, north to south and east to west: only
        where strike does not matter either.
    missing : {"refuse", "channel"}
        What a missing value does: windows with one are refused and their cells are NaN in a map, or
        it is set to the mean and a further channel tells the share of elements that are there.
    epochs, batch_size, schedule
        Of the training, see `gossan.nets._training.Recipe`.
    learning_rate : float or None
        None: 0.005, and a tenth of it where all layers go on from a `start` that has learned ore.
        A few labels at the full rate would make it forget.
    n_members : int
        Networks whose probabilities are averaged; they differ in their seeds. All are trained at
        once. Their spread is the uncertainty; dropout at prediction tells something else.
    start : WindowCNN or None
        Fitted elsewhere on the same elements, or by `pretrain_windows`: its weights and scaling
        are what training begins with, and architecture, widths and missing must be its own. A clone
        keeps it; a saved model does not need it.
    tune : {"all", "head"}
        With a `start`, whether all layers go on learning or the last alone. To learn nothing here
        (zero-shot), score this map with the model from elsewhere as it is.
    random_state : int or None
        Seed of weights, batches, dropout and flips.
    progress : callable or None
        Called with the member-epochs done and their total.

    Attributes
    ----------
    classes_ : array of shape (2,)
        Class names, sorted; the second is the ore.
    names_ : list of str
        Names of the channels.
    field_ : int
        Cells along a side that the network sees.
    center_, scale_ : arrays of shape (channels,)
        Of the scaling.
    background_ : array of shape (channels,)
        Median of each channel over the background windows.
    weights_ : dict of str to float32 array
        Weights of the trained members by layer, first axis the member. Plain arrays: torch is
        needed to train, not to predict.
    losses_ : array of shape (n_members, epochs)
        Mean training loss of each epoch.

    Notes
    -----
    A map is scored once for all its windows, every stride turned into dilation [Giusti2013]_: the
    same numbers as window by window, tens of times as fast.

    References
    ----------
    The method described in the abstract of Li et al. (2020) [Li2020]_. LeNet: LeCun et al. (1998)
    [LeCun1998]_; dropout of whole channels: Tompson et al. (2015) [Tompson2015]_; AdamW: Loshchilov
    & Hutter (2019) [LoshchilovHutter2019]_; label smoothing: Szegedy et al. (2016) [Szegedy2016]_.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(120, 2, 3, 3))
    >>> X[:60, 0, 1, 1] -= 4.0  # ore is a hole in the first element
    >>> model = WindowCNN(n_members=2, random_state=0).fit(X, [1] * 60 + [0] * 60)
    >>> volume = rng.normal(size=(2, 5, 6))
    >>> volume[0, 2, 3] = -4.0
    >>> np.unravel_index(np.nanargmax(model.score_map(volume)), (5, 6))
    (np.int64(2), np.int64(3))
    """

    def __init__(
        self,
        architecture: str = "small",
        *,
        field: int | None = None,
        widths: Sequence[int] | None = None,
        element_dropout: float = 0.5,
        weight_decay: float = 1.0,
        label_smoothing: float = 0.1,
        weights: str = "class",
        scaling: str = "standard",
        augment: str = "half_turns",
        missing: str = "refuse",
        epochs: int = 30,
        batch_size: int = 64,
        learning_rate: float | None = None,
        schedule: str = "cosine",
        n_members: int = 5,
        start: WindowCNN | None = None,
        tune: str = "all",
        random_state: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.architecture = architecture
        self.field = field
        self.widths = widths
        self.element_dropout = element_dropout
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.weights = weights
        self.scaling = scaling
        self.augment = augment
        self.missing = missing
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.n_members = n_members
        self.start = start
        self.tune = tune
        self.random_state = random_state
        self.progress = progress

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> WindowCNN:
        """Train on all windows.

        Parameters
        ----------
        X : array of shape (n, channels, size, size), or (n, channels) for a field of one cell
            Windows about n cells, best as logarithms or log-ratios; size odd, at least `field`.
        y : array of shape (n,)
            Two classes; 1 for ore and 0 for background, unlabelled or barren.
        sample_weight : array of shape (n,), optional
            How often each row is drawn, times what `weights` says; zero leaves it out.
        groups : array of shape (n,), optional
            Deposit or block of each row, for the weights by group.

        Returns
        -------
        self : WindowCNN

        Raises
        ------
        ValueError
            If a value is infinite (or missing, where that is refused), the shape does not suit,
            there are not two classes, or a setting is wrong.
        """
        return fit_alone(self, X, y, groups=groups, sample_weight=sample_weight)

    def fit_many(
        self,
        X: ArrayLike,
        y: ArrayLike,
        members: Sequence[tuple[NDArray[np.intp], int]],
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> list[WindowCNN]:
        """Train on many subsets of the windows at once: the folds and seeds of a cross-validation.

        Parameters
        ----------
        X, y, groups, sample_weight
            As in `fit`.
        members : sequence of (train, seed)
            Row numbers of each training set, and its seed.

        Returns
        -------
        fitted : list of WindowCNN
            One for each of `members`, the same as one fitted alone on its rows.
        """
        settings = check_settings(self.get_params(deep=False))
        cells = self._cells(X, reset=True)
        if settings["learning_rate"] is None:
            settings["learning_rate"] = usual_rate(self.start, self.tune)
        labels = check_labels("y", y, len(cells))
        of_rows = None if groups is None else check_labels("groups", groups, len(cells))
        weight = check_sample_weight(sample_weight, len(cells))
        from gossan.nets._window_training import Job, train_jobs  # torch is needed to train only

        given: dict[str, Any] = {"groups": of_rows, "sample_weight": weight, "start": self.start}
        job = partial(Job, cells, labels, settings=settings, **given)
        jobs = [job(train=np.asarray(train), seed=seed) for train, seed in members]
        trained = train_jobs(
            jobs,
            cells,
            stages_of(settings["architecture"], self.field_, settings["widths"]),
            settings=settings,
            start=None if self.start is None else self.start.weights_,
            progress=self.progress,
        )
        return [self._fitted(job, *result) for job, result in zip(jobs, trained, strict=True)]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities of windows, the mean of the members, shape (n, 2)."""
        ore = self.member_probabilities(X).mean(axis=0)
        return np.column_stack([1.0 - ore, ore])

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the more probable class of each window, shape (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def member_probabilities(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of ore by each member, shape (n_members, n)."""
        check_is_fitted(self, "weights_")
        said = self._say(self._cells(X, reset=False))[:, :, 0, 0]
        return expit(said.astype(np.float64))

    def score_map(
        self,
        volume: ArrayLike,
        *,
        edges: str = "nan",
        return_std: bool = False,
        tile: tuple[int, int] = TILE,
    ) -> Array | tuple[Array, Array]:
        """Return the probability of ore at every cell of a map, in bounded memory.

        Parameters
        ----------
        volume : array of shape (channels, ny, nx)
            The layers; a memory map is read tile by tile. NaN is no data.
        edges : {"nan", "reflect"}
            Cells whose window leaves the map: NaN, or scored with the map mirrored at its edge.
        return_std : bool
            Whether to return the standard deviation over the members too.
        tile : tuple of int
            Cells scored at once; the result does not depend on it but for rounding.

        Returns
        -------
        probability, std : float32 arrays of shape (ny, nx)
            The same numbers as `predict_proba` gives for each window. With missing="refuse" NaN
            where the window touches no data.

        Raises
        ------
        ValueError
            If the shape does not suit or a value is infinite.
        """
        check_is_fitted(self, "weights_")
        layers = check_layers(volume, self.n_features_in_, edges)
        out = np.full((2, *layers.shape[1:]), np.nan, dtype=np.float32)
        for (rows, columns), cells in map_tiles(layers, self.field_ // 2, edges=edges, tile=tile):
            chances = expit(self._say(cells)[:, 0].astype(np.float64))  # (members, y, x)
            out[:, rows, columns] = chances.mean(axis=0), chances.std(axis=0)
        return (out[0], out[1]) if return_std else out[0]

    def occlusion(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return what each element adds to the logit of each window, shape (n, channels).

        The logit (mean of the members) less the one with the element at its background median in
        the whole window [ZeilerFergus2014]_: above zero, the element speaks for ore.
        """
        check_is_fitted(self, "weights_")
        gains = self._gains(self._cells(X, reset=False))
        return gains[:, :, 0, 0].T.astype(np.float64)

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
        check_is_fitted(self, "weights_")
        layers = check_layers(volume, self.n_features_in_, edges)
        out = np.full(layers.shape, np.nan, dtype=np.float32)
        for (rows, columns), cells in map_tiles(layers, self.field_ // 2, edges=edges, tile=tile):
            out[:, rows, columns] = self._gains(cells)[:, 0]
        return out

    def integrated_gradients(self, X: ArrayLike, steps: int = 32) -> NDArray[np.float64]:
        """Return the share of each element in the logit of each window, shape (n, channels).

        The gradient of the logit (mean of the members), summed on the straight way from a window
        that is background throughout [Sundararajan2017]_. Unlike those of `occlusion`, the shares
        add up: to the logit less that of the background, the closer the more `steps`. Needs torch.
        """
        check_is_fitted(self, "weights_")
        cells = self._cells(X, reset=False)
        from gossan.nets._window_attribution import path_gradients

        ends = [self._ready(each) for each in (cells, at_background(cells, self.background_))]
        shares = path_gradients(self.weights_, self._stages(), *ends, steps=steps)
        return shares[:, : self.n_features_in_]  # what is there does not change on the way

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "weights_")
        return taken_apart(self)

    @classmethod
    def from_arrays(cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]) -> WindowCNN:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model: WindowCNN = put_together(cls, settings, arrays)
        return model

    def __sklearn_clone__(self) -> WindowCNN:
        copy = super().__sklearn_clone__()
        copy.start = self.start  # what was learned elsewhere is data: a clone does not forget it
        return copy

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = self.missing == "channel"
        return tags

    def _cells(self, X: ArrayLike, *, reset: bool) -> Array:
        """Return checked windows, cut to the field, with the channels last: (n, y, x, channels)."""
        windows = read_windows(self, X, reset=reset)
        c, size = windows.shape[1:3]
        if reset:
            names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(c)])
            self.names_ = [str(name) for name in names]
            of_start = getattr(self.start, "field_", None)
            self.field_ = next((f for f in (self.field, of_start) if f is not None), size)
        check_field(self.architecture, self.field_, size)
        if reset and self.start is not None:
            check_is_fitted(self.start, "weights_")
            check_start(form_of(self.start), form_of(self))
        return middle_of(windows, self.field_)

    def _say(self, cells: Array) -> Array:
        """Return the logit of each member at each cell whose field is there, (members, n, y, x)."""
        return logits(self.weights_, self._stages(), self._ready(cells))

    def _ready(self, cells: Array) -> Array:
        """Return scaled cells, and how much is there where that is told."""
        is_told = self.missing == "channel"
        return ready(cells, self.center_, self.scale_, tells_missing=is_told)

    def _stages(self) -> tuple[Stage, ...]:
        widths = check_settings(self.get_params(deep=False))["widths"]
        return stages_of(self.architecture, self.field_, widths)

    def _gains(self, cells: Array) -> Array:
        """Return what each element adds to the mean logit, shape (channels, n, y, x)."""
        whole = self._say(cells).mean(axis=0)
        each = without_each(cells, self.background_)
        return np.stack([whole - self._say(less).mean(axis=0) for less in each])

    def _fitted(self, job: Job, weights: dict[str, Array], losses: NDArray) -> WindowCNN:
        model = type(self)(**self.get_params(deep=False))
        for name in ("n_features_in_", "names_", "field_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        model.classes_, model.background_ = job.classes, job.background
        model.center_, model.scale_ = job.center, job.scale
        model.weights_, model.losses_ = weights, losses
        return model
