"""A dense neural network for tables of concentrations, as a scikit-learn classifier.

Concentrations of shape (n, elements) and class names come in; class probabilities go out. The
published network of Gul et al. (2025) is a preset; the default is a small ensemble that is weighted
by class and deposit and trained on mixtures of analyses of different deposits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan import saving
from gossan._checks import check_labels, check_option
from gossan._fit_alone import fit_alone
from gossan.nets._forward import ACTIVATIONS, dense_outputs, dense_shapes

if TYPE_CHECKING:
    from gossan.nets._dense_training import Job

__all__ = ["PRESETS", "DenseClassifier"]

# Gul et al. (2025), as their code has it: raw concentrations, scaled to [0, 1], no weights.
PRESETS: dict[str, dict[str, Any]] = {
    "gul2025": {
        "hidden": (400, 200, 150, 32, 16),
        "activation": "tanh",
        "batch_norm": True,
        "dropout": 0.1,
        "transform": "none",
        "scaling": "minmax",
        "weights": "none",
        "mixup": 0.0,
        "epochs": 100,
        "batch_size": 32,
        "learning_rate": 1e-4,
        "weight_decay": 0.0,
        "schedule": "constant",
        "n_members": 1,
    }
}
TRANSFORMS = ("log", "none")
SCALINGS = ("standard", "minmax", "none")


class DenseClassifier(ClassifierMixin, BaseEstimator):
    """Dense neural network for class probabilities from a table of concentrations.

    Use it beside the baselines, never instead of them: on tables of some thousand analyses boosted
    trees and a linear discriminant are as good. Scaling and logarithm are part of the estimator, so
    that they are fitted inside each fold.

    Parameters
    ----------
    hidden : sequence of int
        Widths of the hidden layers.
    activation : {"silu", "tanh", "relu", "gelu"}
        Non-linearity.
    batch_norm : bool
        Whether each hidden layer ends with batch normalisation.
    dropout : float
        Share of hidden values dropped in training, in [0, 1).
    transform : {"log", "none"}
        "log" takes log10 of the concentrations, which must then be positive.
    scaling : {"standard", "minmax", "none"}
        Applied after the transform, with the statistics of the training rows.
    weights : {"class_group", "group", "class", "none"}
        Which rows are drawn more often (see `gossan._weights`); `groups` are the deposits.
    mixup : float
        Parameter of the Beta distribution that mixes pairs of rows; 0 turns it off.
    epochs, batch_size, learning_rate, weight_decay, schedule
        Of the training, see `gossan.nets._training.Recipe`.
    n_members : int
        Networks whose probabilities are averaged; they differ in their seeds.
    preset : {"gul2025"} or None
        A published network; its settings replace all the ones above.
    random_state : int or None
        Seed of weights, batches and dropout.
    progress : callable or None
        Called with the epochs done and their total.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        Class names, sorted.
    names_ : list of str
        Names of the features.
    weights_ : dict of str to float32 array
        Weights of the trained members by layer, first axis the member. Plain arrays: torch is
        needed to train, not to predict.
    losses_ : array of shape (n_members, epochs)
        Mean training loss of each epoch.

    References
    ----------
    Gul et al. (2025), doi:10.1016/j.gexplo.2025.107771; mixup: Zhang et al. (2018),
    arXiv:1710.09412.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.exp(np.vstack([rng.normal(0, 1, (40, 2)), rng.normal(2, 1, (40, 2))]))
    >>> y = ["MVT"] * 40 + ["VMS"] * 40
    >>> model = DenseClassifier(epochs=20, n_members=2, random_state=0).fit(X, y)
    >>> model.predict([[0.4, 0.5], [12.0, 9.0]]).tolist()
    ['MVT', 'VMS']
    """

    def __init__(
        self,
        hidden: Sequence[int] = (64, 64),
        *,
        activation: str = "silu",
        batch_norm: bool = False,
        dropout: float = 0.1,
        transform: str = "log",
        scaling: str = "standard",
        weights: str = "class_group",
        mixup: float = 1.0,
        epochs: int = 20,
        batch_size: int = 64,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-2,
        schedule: str = "cosine",
        n_members: int = 4,
        preset: str | None = None,
        random_state: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.batch_norm = batch_norm
        self.dropout = dropout
        self.transform = transform
        self.scaling = scaling
        self.weights = weights
        self.mixup = mixup
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.n_members = n_members
        self.preset = preset
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> DenseClassifier:
        """Train on all rows.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Concentrations [any one unit a column]; positive where `transform` is "log".
        y : array of shape (n,)
            Class names.
        groups : array of shape (n,), optional
            Deposit of each row, for the weights.

        Returns
        -------
        self : DenseClassifier

        Raises
        ------
        ValueError
            If the table has missing, infinite or (with "log") non-positive values, or one class.
        """
        return fit_alone(self, X, y, groups=groups)

    def fit_many(
        self,
        X: ArrayLike,
        y: ArrayLike,
        members: Sequence[tuple[NDArray[np.intp], int]],
        groups: ArrayLike | None = None,
    ) -> list[DenseClassifier]:
        """Train on many subsets of the rows at once: the folds and seeds of a cross-validation.

        Parameters
        ----------
        X, y, groups
            As in `fit`.
        members : sequence of (train, seed)
            Row numbers of each training set, and its seed.

        Returns
        -------
        fitted : list of DenseClassifier
            One for each of `members`, the same as `n_members` networks fitted alone on its rows.
        """
        table = validate_data(self, X, dtype=np.float64, ensure_min_samples=1)
        labels = check_labels("y", y, len(table))
        settings = self._settings()
        values = _transformed(table, settings["transform"])
        from gossan.nets._dense_training import Job, train_jobs  # torch is needed to train only

        jobs = [
            Job(
                values,
                labels,
                train=np.asarray(train),
                seed=seed,
                groups=groups,
                settings=settings,
            )
            for train, seed in members
        ]
        trained = train_jobs(jobs, values, settings, self.progress)
        return [self._fitted(job, weights, losses) for job, (weights, losses) in trained]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities, the mean of the members, shape (n, n_classes)."""
        check_is_fitted(self, "weights_")
        table = validate_data(self, X, dtype=np.float64, reset=False)
        values = _transformed(table, self._settings()["transform"])
        scaled = ((values - self.center_) / self.scale_).astype(np.float32)
        activation = self._settings()["activation"]
        outputs = dense_outputs(self.weights_, scaled, activation=activation)
        return softmax(outputs.astype(np.float64), axis=2).mean(axis=0)  # (n, n_classes)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable class of each row, shape (n,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "weights_")
        arrays = {name: getattr(self, name) for name in ("center_", "scale_", "losses_")}
        weights = {f"network.{name}": value for name, value in self.weights_.items()}
        return saving.settings_of(self, without=("progress",)), arrays | weights

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> DenseClassifier:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = saving.blank(cls, settings)
        d, in_force = model.n_features_in_, cls._settings(model)
        model.center_, model.scale_ = (saving.take(arrays, k, (d,)) for k in ("center_", "scale_"))
        model.losses_ = saving.take(arrays, "losses_", (in_force["n_members"], None))
        if not (model.scale_ > 0).all() or len(in_force["hidden"]) > len(arrays):
            raise ValueError("a scale is not above zero, or layers have no weights")
        shapes = dense_shapes(
            d,
            len(model.classes_),
            n_members=in_force["n_members"],
            hidden=in_force["hidden"],
            batch_norm=in_force["batch_norm"],
        )
        model.weights_ = {
            name: saving.take(arrays, f"network.{name}", shape, np.float32)
            for name, shape in shapes.items()
        }
        return model

    def _settings(self) -> dict[str, Any]:
        """Return the settings in force (the preset's where one is named), checked."""
        if self.preset is not None:
            check_option("preset", self.preset, PRESETS)
        settings = {**self.get_params(deep=False), **PRESETS.get(self.preset or "", {})}
        check_option("activation", settings["activation"], ACTIVATIONS)
        check_option("transform", settings["transform"], TRANSFORMS)
        check_option("scaling", settings["scaling"], SCALINGS)
        for name in ("epochs", "batch_size", "n_members"):
            if int(settings[name]) < 1:
                raise ValueError(f"{name} must be at least 1, got {settings[name]}.")
        if not 0.0 <= settings["dropout"] < 1.0:
            raise ValueError(f"dropout must lie in [0, 1), got {settings['dropout']}.")
        return settings

    def _fitted(
        self, job: Job, weights: dict[str, NDArray[np.float32]], losses: NDArray[np.float64]
    ) -> DenseClassifier:
        fitted = type(self)(**self.get_params(deep=False))
        fitted.classes_, fitted.center_, fitted.scale_ = job.classes, job.center, job.scale
        fitted.n_features_in_ = self.n_features_in_
        if hasattr(self, "feature_names_in_"):
            fitted.feature_names_in_ = self.feature_names_in_
        default = [f"x{i}" for i in range(self.n_features_in_)]
        fitted.names_ = list(getattr(self, "feature_names_in_", default))
        fitted.losses_ = losses
        fitted.weights_ = weights
        return fitted


def _transformed(table: NDArray[np.float64], transform: str) -> NDArray[np.float64]:
    if transform == "none":
        return table
    bad = np.argwhere(table <= 0)
    if len(bad):
        row, column = (int(i) for i in bad[0])
        raise ValueError(
            f"Concentrations must be positive for transform='log', got {table[row, column]:g} at "
            f"row {row}, column {column} ({len(bad)} values). Impute values below detection first, "
            "or pass transform='none'."
        )
    return np.log10(table)
