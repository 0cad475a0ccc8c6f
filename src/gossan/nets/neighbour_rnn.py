"""A recurrent network that reads the nearest samples of a place and corrects kriging.

Neighbour sequences of shape (n, steps, channels) and the values of one or several elements come in;
predictive distributions go out. The published template, with its leak, is a preset.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from gossan import saving
from gossan._checks import check_labels, check_option
from gossan._fit_alone import fit_alone
from gossan.nets._recurrent_forward import (
    MOST_LOG_SPREAD,
    mixture_quantile,
    recurrent_outputs,
    recurrent_shapes,
)

__all__ = ["PRESETS", "NeighbourRegressor"]

# The template as published: one step, the target among its own inputs, rows split at random.
PRESETS: dict[str, dict[str, Any]] = {
    "anvari": {
        "filters": 64,
        "width": 1,
        "hidden": 64,
        "dropout": 0.2,
        "residual": False,
        "loss": "squared",
        "epochs": 100,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "schedule": "constant",
        "stop_share": 0.2,
        "patience": 100,
        "n_members": 1,
        "ignore_groups": True,
        "sees_first": False,
    }
}
UNSEEN = {"sees_first": True, "ignore_groups": False}  # what presets alone may change
LOSSES = ("crps", "squared")
SCHEDULES = ("constant", "cosine", "steps")
SIZES = ("n_members", "filters", "width", "hidden", "sees_first")
SCALINGS = ("center_", "scale_", "y_center_", "y_scale_", "spread_")


class NeighbourRegressor(RegressorMixin, BaseEstimator):
    """Conv1D and BiLSTM over the nearest samples of a place, as a correction of kriging.

    Use it beside kriging, never instead of it: it gains a few per cent where samples are dense and
    the variogram does not say all, and ties elsewhere. Each member starts as kriging itself and
    stops when held-out groups no longer gain.

    Parameters
    ----------
    filters, width : int
        Channels of the convolution, and steps it spans.
    hidden : int
        Size of the LSTM state, in each direction.
    dropout : float
        Share of the LSTM's answer dropped in training, in [0, 1).
    residual : bool
        True: the last channels of `X` are the kriging estimate of each element and then its
        standard deviation, as `gossan.sampling.neighbour_sequences` writes them, and the network
        tells how far the truth lies from them. False: it starts from mean and spread of `y`.
    loss : {"crps", "squared"}
        What is minimised: the score of the distribution, or the squared error alone.
    epochs, batch_size, learning_rate, weight_decay, schedule
        Of the training, see `gossan.nets._training.Recipe`.
    stop_share : float
        Share of the groups that each member does not learn from but stops by; 0 trains all epochs.
    patience : int
        Epochs without gain before a member stops.
    n_members : int
        Networks whose distributions are mixed; they differ in seed and stopping groups.
    preset : {"anvari"} or None
        The published template; its settings replace all the ones above, and rows that stop the
        training are drawn at random whatever the groups.
    random_state : int or None
        Seed of weights, batches, dropout and stopping groups.
    progress : callable or None
        Called with the epochs done and their total.

    Attributes
    ----------
    names_ : list of str
        Names of the channels.
    weights_ : dict of str to float32 array
        Weights of the trained members by layer, first axis the member. Plain arrays: torch is
        needed to train, not to predict.
    losses_ : array of shape (n_members, epochs)
        Mean training loss of each epoch; NaN after a member had stopped.
    n_elements_ : int
        Columns of `y`.

    References
    ----------
    Hochreiter & Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735; trained by the score of Gneiting
    & Raftery (2007), doi:10.1198/016214506000001437.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> kriged = rng.normal(size=300)
    >>> truth = kriged + 0.5 * np.sign(kriged)  # kriging is too smooth here
    >>> X = np.stack([kriged, np.ones(300)], axis=1)[:, None]  # one step: estimate and its std
    >>> model = NeighbourRegressor(n_members=2, epochs=30, random_state=0).fit(X, truth)
    >>> model.predict([[[1.2, 1.0]], [[-1.2, 1.0]]]).round()
    array([ 2., -2.])
    """

    def __init__(
        self,
        filters: int = 16,
        *,
        width: int = 3,
        hidden: int = 16,
        dropout: float = 0.2,
        residual: bool = True,
        loss: str = "crps",
        epochs: int = 60,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        schedule: str = "cosine",
        stop_share: float = 0.2,
        patience: int = 6,
        n_members: int = 8,
        preset: str | None = None,
        random_state: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.filters = filters
        self.width = width
        self.hidden = hidden
        self.dropout = dropout
        self.residual = residual
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.stop_share = stop_share
        self.patience = patience
        self.n_members = n_members
        self.preset = preset
        self.random_state = random_state
        self.progress = progress

    def fit(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None
    ) -> NeighbourRegressor:
        """Train on all rows.

        Parameters
        ----------
        X : array of shape (n, steps, n_channels) or (n, n_channels)
            Neighbour sequences; a step that is zero in all channels is not there. A table is taken
            for sequences of one step.
        y : array of shape (n,) or (n, n_elements)
            Measured values, best as normal scores.
        groups : array of shape (n,), optional
            Block or hole of each row; whole groups stop the training.

        Returns
        -------
        self : NeighbourRegressor

        Raises
        ------
        ValueError
            If a value is missing or infinite, a row has no first step, or a setting is wrong.
        """
        return fit_alone(self, X, y, groups=groups)

    def fit_many(
        self,
        X: ArrayLike,
        y: ArrayLike,
        members: Sequence[tuple[NDArray[np.intp], int]],
        groups: ArrayLike | None = None,
    ) -> list[NeighbourRegressor]:
        """Train on many subsets of the rows at once: the folds and seeds of a cross-validation.

        Where each fold has sequences of its own (kriged without its held-out block), lay the folds
        end to end in `X` and let each member train on its part.

        Parameters
        ----------
        X, y, groups
            As in `fit`.
        members : sequence of (train, seed)
            Row numbers of each training set, and its seed.

        Returns
        -------
        fitted : list of NeighbourRegressor
            One for each of `members`, the same as `n_members` networks fitted alone on its rows.
        """
        settings = self._settings()
        sequences, values = self._training(X, y, settings)
        labels = None if groups is None else check_labels("groups", groups, len(sequences))
        if settings["ignore_groups"]:
            labels = None
        from gossan.nets._neighbour_training import Job, train_jobs  # torch is needed to train only

        jobs = [
            Job(
                sequences,
                values,
                train=np.asarray(train),
                seed=seed,
                groups=labels,
                settings=settings,
            )
            for train, seed in members
        ]
        trained = train_jobs(jobs, sequences, values, settings=settings, progress=self.progress)
        return [
            self._fitted(job, weights, losses, sequences[train], values[train])
            for job, (weights, losses), (train, _) in zip(jobs, trained, members, strict=True)
        ]

    def predict(
        self, X: ArrayLike, *, return_std: bool = False
    ) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the estimate and, if asked, its standard deviation, both of the mixture.

        Parameters
        ----------
        X : array of shape (n, steps, n_channels) or (n, n_channels)
            Neighbour sequences of the places.
        return_std : bool
            Whether to return the standard deviation too.

        Returns
        -------
        estimate, std : float64 arrays of shape (n,) or (n, n_elements)
            In the unit of `y`.
        """
        check_is_fitted(self, "weights_")
        means, stds = self._members_say(self._sequences(X, reset=False))
        mean = means.mean(axis=0)
        if not return_std:
            return self._as_given(mean)
        variance = (stds**2 + (means - mean) ** 2).mean(axis=0)
        return self._as_given(mean), self._as_given(np.sqrt(variance))

    def predict_quantiles(self, X: ArrayLike, levels: ArrayLike) -> NDArray[np.float64]:
        """Return quantiles of the mixture, shape (n, n_levels) or (n, n_levels, n_elements).

        Parameters
        ----------
        X : array of shape (n, steps, n_channels) or (n, n_channels)
            Neighbour sequences of the places.
        levels : array of shape (n_levels,)
            Probabilities in (0, 1).

        Returns
        -------
        quantiles : float64 array
            In the unit of `y`.

        Raises
        ------
        ValueError
            If a level is not between 0 and 1.
        """
        check_is_fitted(self, "weights_")
        shares = np.atleast_1d(np.asarray(levels, dtype=float))
        if shares.ndim != 1 or not ((shares > 0) & (shares < 1)).all():
            raise ValueError(f"levels must lie between 0 and 1, got {shares}. Use 0.05 for 5 %.")
        means, stds = self._members_say(self._sequences(X, reset=False))
        columns = [mixture_quantile(means, stds, level) for level in shares]
        return self._as_given(np.stack(columns, axis=1))

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "weights_")
        params = {k: v for k, v in self.get_params(deep=False).items() if k != "progress"}
        if not isinstance(self.random_state, int | None):
            params["random_state"] = None  # a stream cannot be told in a number
        told = {
            "params": params,
            "names": self.names_,
            "is_named": hasattr(self, "feature_names_in_"),
            "is_flat": self.is_flat_,
        }
        arrays = {name: getattr(self, name) for name in (*SCALINGS, "losses_")}
        return told, arrays | {f"network.{name}": value for name, value in self.weights_.items()}

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> NeighbourRegressor:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        names, params = settings["names"], settings["params"]
        sound = isinstance(names, list) and names and all(isinstance(each, str) for each in names)
        if not sound or not all(isinstance(settings[k], bool) for k in ("is_named", "is_flat")):
            raise ValueError(f"names must be a list of texts, got {str(names)[:80]}")
        model = cls(**params)
        model.names_, model.n_features_in_ = list(names), len(names)
        if settings["is_named"]:
            model.feature_names_in_ = np.array(names, dtype=object)
        model.is_flat_, in_force = settings["is_flat"], model._settings()
        c, n_elements = len(names), len(arrays["y_center_"])
        for name in SCALINGS:
            length = c if name in ("center_", "scale_") else n_elements
            setattr(model, name, saving.take(arrays, name, (length,)))
        if not (model.scale_ > 0).all() or not (model.y_scale_ > 0).all():
            raise ValueError("a scale is not above zero")
        if (model.is_flat_ and n_elements != 1) or (in_force["residual"] and c < 2 * n_elements):
            raise ValueError(f"{c} channels and {n_elements} elements do not fit the settings")
        model.n_elements_ = n_elements
        n_members = in_force["n_members"]
        model.losses_ = arrays.pop("losses_")  # NaN after a member had stopped
        if model.losses_.dtype != np.float64 or model.losses_.shape[:1] != (n_members,):
            raise ValueError("the losses do not fit the members")
        sizes = {key: in_force[key] for key in SIZES}
        shapes = recurrent_shapes(c, 2 * n_elements, **sizes)
        model.weights_ = {
            name: saving.take(arrays, f"network.{name}", shape, np.float32)
            for name, shape in shapes.items()
        }
        return model

    def _settings(self) -> dict[str, Any]:
        """Return the settings in force (the preset's where one is named), checked."""
        if self.preset is not None:
            check_option("preset", self.preset, PRESETS)
        settings = {**UNSEEN, **self.get_params(deep=False), **PRESETS.get(self.preset or "", {})}
        check_option("loss", settings["loss"], LOSSES)
        check_option("schedule", settings["schedule"], SCHEDULES)
        for name in ("filters", "width", "hidden", "epochs", "batch_size", "patience", "n_members"):
            if int(settings[name]) < 1:
                raise ValueError(f"{name} must be at least 1, got {settings[name]}.")
        for name in ("dropout", "stop_share"):
            if not 0.0 <= settings[name] < 1.0:
                raise ValueError(f"{name} must lie in [0, 1), got {settings[name]}.")
        return settings

    def _training(
        self, X: ArrayLike, y: ArrayLike, settings: dict[str, Any]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return the checked sequences and values (n, n_elements); set the names of the channels."""
        sequences = self._sequences(X, reset=True)
        values = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
        if len(values) != len(sequences):
            raise ValueError(
                f"y has {len(values)} rows for {len(sequences)} sequences. Take both from one table."
            )
        self.is_flat_ = values.ndim == 1
        values = values.reshape(len(values), -1)
        self.n_elements_ = values.shape[1]
        if settings["residual"]:
            self._check_baseline(sequences)
        return sequences, values

    def _sequences(self, X: ArrayLike, *, reset: bool) -> NDArray[np.float32]:
        """Return (n, steps, channels), finite, with a first step in every row."""
        if np.ndim(X) == 3:
            table = check_array(X, dtype=np.float32, allow_nd=True, input_name="X")
            if reset:
                self.n_features_in_ = table.shape[2]
                self.__dict__.pop("feature_names_in_", None)
        else:
            table = validate_data(self, X, dtype=np.float32, reset=reset)[:, None]
        if reset:
            default = [f"x{i}" for i in range(table.shape[2])]
            self.names_ = [str(name) for name in getattr(self, "feature_names_in_", default)]
        elif table.shape[2] != self.n_features_in_:
            raise ValueError(
                f"X has {table.shape[2]} channels (features), the model {self.n_features_in_}."
                " Build the sequences with the arguments used in training."
            )
        elif getattr(self, "residual", False) and self.preset is None:
            self._check_baseline(table)
        return table

    def _check_baseline(self, sequences: NDArray[np.float32]) -> None:
        n_channels, e = sequences.shape[2], self.n_elements_
        spread = sequences[:, 0, -e:] if n_channels >= 2 * e else np.zeros(1)
        if not (spread > 0).all():
            raise ValueError(
                f"With residual=True the last {e} of the channels (features) must be kriging"
                f" standard deviations above zero, got {n_channels} channels and a least value of"
                f" {spread.min():g}. Take X from neighbour_sequences, or pass residual=False."
            )

    def _fitted(
        self,
        job: Any,
        weights: dict[str, NDArray[np.float32]],
        losses: NDArray[np.float64],
        own: NDArray[np.float32],
        values: NDArray[np.float64],
    ) -> NeighbourRegressor:
        model = type(self)(**self.get_params(deep=False))
        for name in ("n_features_in_", "names_", "is_flat_", "n_elements_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(model, name, getattr(self, name))
        model.center_, model.scale_ = job.center, job.scale
        model.y_center_, model.y_scale_ = job.y_center, job.y_scale
        model.weights_, model.losses_ = weights, losses
        model.spread_ = np.zeros(values.shape[1])
        if self._settings()["loss"] == "squared":  # its distribution is what it missed in training
            errors = np.asarray(model.predict(own)).reshape(values.shape) - values
            model.spread_ = np.sqrt((errors**2).mean(axis=0))
        return model

    def _members_say(
        self, sequences: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and standard deviation of each member, shape (members, n, n_elements)."""
        settings, e = self._settings(), self.n_elements_
        is_there: NDArray[np.bool_] = (sequences != 0).any(axis=2)
        scaled = (sequences - self.center_) / self.scale_ * is_there[:, :, None]
        outputs = recurrent_outputs(self.weights_, scaled.astype(np.float32), is_there)
        shift, log_spread = np.split(outputs.astype(np.float64), 2, axis=2)
        base: NDArray = self.y_center_
        spread: NDArray = self.y_scale_
        if settings["residual"]:
            last = sequences[:, 0, -2 * e :].astype(np.float64)
            base, spread = last[:, :e], last[:, e:]
        mean = base + spread * shift
        if settings["loss"] == "squared":
            return mean, np.broadcast_to(self.spread_, mean.shape)
        return mean, spread * np.exp(MOST_LOG_SPREAD * np.tanh(log_spread / MOST_LOG_SPREAD))

    def _as_given(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values[..., 0] if self.is_flat_ else values
