"""A dense neural network for tables of concentrations, as a scikit-learn classifier.

Concentrations of shape (n, elements) and class names come in; class probabilities go out. The
published network of Gul et al. (2025) is a preset; the default is a small ensemble that is weighted
by class and deposit and trained on mixtures of analyses of different deposits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from gossan import saving
from gossan._checks import check_labels, check_option
from gossan._weights import row_weights
from gossan.nets._layers import ACTIVATIONS, Draws, MemberDense
from gossan.nets._training import CrossEntropy, Member, Recipe, predict_members, train_members

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
LAMBDA_STEPS = 512


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
    network_ : torch.nn.Module
        The trained members.
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
        n = len(np.asarray(y))
        seed = np.random.default_rng(self.random_state).integers(2**31)
        everything = (np.arange(n), int(seed))
        _become(self, self.fit_many(X, y, [everything], groups=groups)[0])
        return self

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
        jobs = [
            _Job(
                values,
                labels,
                train=np.asarray(train),
                seed=seed,
                groups=groups,
                settings=settings,
            )
            for train, seed in members
        ]
        trained = _train_jobs(jobs, values, settings, self.progress)
        return [self._fitted(job, weights, losses) for job, (weights, losses) in trained]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities, the mean of the members, shape (n, n_classes)."""
        check_is_fitted(self, "network_")
        table = validate_data(self, X, dtype=np.float64, reset=False)
        values = _transformed(table, self._settings()["transform"])
        scaled = ((values - self.center_) / self.scale_).astype(np.float32)
        outputs = predict_members(self.network_, scaled)  # (members, n, n_classes)
        return softmax(outputs.astype(np.float64), axis=2).mean(axis=0)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable class of each row, shape (n,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "network_")
        arrays = {name: getattr(self, name) for name in ("center_", "scale_", "losses_")}
        weights = {f"network.{k}": v.numpy() for k, v in self.network_.state_dict().items()}
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
        with torch.device("meta"):  # shapes without memory: the file is measured before it is used
            model.network_ = cls._network(model, in_force["n_members"], len(model.classes_))
        weights = {
            key: torch.from_numpy(saving.take(arrays, f"network.{key}", value.shape, np.float32))
            for key, value in model.network_.state_dict().items()
        }
        model.network_.load_state_dict(weights, assign=True)
        model.network_.eval()
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
        self, job: _Job, weights: dict[str, Tensor], losses: NDArray[np.float64]
    ) -> DenseClassifier:
        fitted = type(self)(**self.get_params(deep=False))
        fitted.classes_, fitted.center_, fitted.scale_ = job.classes, job.center, job.scale
        fitted.n_features_in_ = self.n_features_in_
        if hasattr(self, "feature_names_in_"):
            fitted.feature_names_in_ = self.feature_names_in_
        default = [f"x{i}" for i in range(self.n_features_in_)]
        fitted.names_ = list(getattr(self, "feature_names_in_", default))
        fitted.losses_ = losses
        fitted.network_ = self._network(len(losses), len(job.classes))
        fitted.network_.load_state_dict(weights)
        fitted.network_.eval()
        return fitted

    def _network(self, n_members: int, n_classes: int) -> MemberDense:
        settings = self._settings()
        keys = ("hidden", "activation", "dropout", "batch_norm")
        options = {key: settings[key] for key in keys}
        return MemberDense(n_members, self.n_features_in_, n_classes, **options)


class _Job:
    """One training set of `fit_many`: its rows, classes, scaling and sampling weights."""

    def __init__(
        self,
        values: NDArray[np.float64],
        labels: NDArray,
        *,
        train: NDArray[np.intp],
        seed: int,
        groups: ArrayLike | None,
        settings: dict[str, Any],
    ) -> None:
        own, self.train = labels[train], train
        self.classes, codes = np.unique(own, return_inverse=True)
        if len(self.classes) < 2:
            raise ValueError(
                f"A classifier needs at least 2 classes, got only {self.classes.tolist()} in "
                f"{len(train)} rows. Check the label column or the split."
            )
        self.codes = np.zeros(len(labels), dtype=np.int64)
        self.codes[train] = codes
        of_rows = None if groups is None else np.asarray(groups)[train]
        self.weights = row_weights(own, of_rows, weights=settings["weights"])
        self.center, self.scale = _scaling(values[train], self.weights, settings["scaling"])
        seeds = np.random.default_rng(seed).integers(2**31, size=settings["n_members"])
        weighted = settings["weights"] != "none"
        self.members = [
            Member(train, int(s), weights=self.weights if weighted else None) for s in seeds
        ]


def _train_jobs(
    jobs: list[_Job],
    values: NDArray[np.float64],
    settings: dict[str, Any],
    progress: Callable[[int, int], None] | None,
) -> list[tuple[_Job, tuple[dict[str, Tensor], NDArray[np.float64]]]]:
    """Train the jobs of equal class count together; their nets differ in nothing but weights."""
    keys = ("epochs", "batch_size", "learning_rate", "weight_decay", "schedule")
    recipe = Recipe(**{key: settings[key] for key in keys})
    options = {key: settings[key] for key in ("hidden", "activation", "dropout", "batch_norm")}
    results: dict[int, tuple[dict[str, Tensor], NDArray[np.float64]]] = {}
    for n_classes in sorted({len(job.classes) for job in jobs}):
        chosen = [i for i, job in enumerate(jobs) if len(job.classes) == n_classes]
        data = _Data([jobs[i] for i in chosen], values, settings["mixup"])
        build = partial(_build, n_in=values.shape[1], n_out=n_classes, options=options)
        trained = train_members(
            build,
            CrossEntropy(data.examples),
            members=[member for i in chosen for member in jobs[i].members],
            recipe=recipe,
            progress=progress,
        )
        each = settings["n_members"]
        for place, i in enumerate(chosen):
            span = slice(place * each, (place + 1) * each)
            weights = {name: value[span] for name, value in trained.weights.items()}
            results[i] = (weights, trained.losses[span])
    return [(job, results[i]) for i, job in enumerate(jobs)]


def _build(which: Sequence[int], *, n_in: int, n_out: int, options: dict[str, Any]) -> MemberDense:
    return MemberDense(len(which), n_in, n_out, **options)


class _Data:
    """The rows of all jobs as the objective needs them: scaled per job, mixed, compared."""

    def __init__(self, jobs: list[_Job], values: NDArray[np.float64], mixup: float) -> None:
        each = len(jobs[0].members)
        self.values = torch.from_numpy(values.astype(np.float32))
        self.center = _per_member([job.center for job in jobs], each)[:, None]  # (members, 1, d)
        self.scale = _per_member([job.scale for job in jobs], each)[:, None]
        codes = torch.from_numpy(np.stack([job.codes for job in jobs]))
        self.targets = nn.functional.one_hot(codes, len(jobs[0].classes)).float()  # (jobs, n, k)
        self.job_of = torch.arange(len(jobs)).repeat_interleave(each)
        self.mixup = mixup
        shares = (np.arange(LAMBDA_STEPS) + 0.5) / LAMBDA_STEPS
        quantiles = betaincinv(mixup, mixup, shares) if mixup > 0 else shares
        self.quantiles = torch.from_numpy(quantiles.astype(np.float32))

    def examples(
        self, which: Tensor, rows: Tensor, draws: Draws | None
    ) -> tuple[Tensor, Tensor, None]:
        """Return inputs (members, n, d) and targets (members, n, k), mixed if there are draws."""
        x = (self.values[rows] - self.center[which]) / self.scale[which]  # (members, n, d)
        targets = self.targets[self.job_of[which][:, None], rows]  # (members, n, k)
        if draws is None or self.mixup <= 0:
            return x, targets, None
        steps = draws.uniform(rows.shape[1]).mul_(LAMBDA_STEPS).long()
        share = self.quantiles[steps][:, :, None]  # (members, n, 1)
        # Rows are drawn at random, so the neighbour is a random partner.
        return (
            torch.lerp(x.roll(1, 1), x, share),
            torch.lerp(targets.roll(1, 1), targets, share),
            None,
        )


def _per_member(rows: list[NDArray[np.float64]], each: int) -> Tensor:
    return torch.from_numpy(np.repeat(np.stack(rows), each, axis=0).astype(np.float32))


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


def _scaling(
    values: NDArray[np.float64], weights: NDArray[np.float64], scaling: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centre and scale of each column; a constant column is left unscaled."""
    if scaling == "none":
        return np.zeros(values.shape[1]), np.ones(values.shape[1])
    if scaling == "minmax":
        center, scale = values.min(axis=0), np.ptp(values, axis=0)
    else:
        center = np.average(values, axis=0, weights=weights)
        scale = np.sqrt(np.average((values - center) ** 2, axis=0, weights=weights))
    return center, np.where(scale > 0, scale, 1.0)


def _become(estimator: DenseClassifier, fitted: DenseClassifier) -> None:
    """Take over what was fitted."""
    for key, value in vars(fitted).items():
        if key.endswith("_"):
            setattr(estimator, key, value)
