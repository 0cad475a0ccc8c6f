"""A classifier for few labelled occurrences: learned first from ground without labels.

Tables of evidence (n, features) with a few labels, and unlabelled rows of the same ground, come in;
the probability of ore goes out, with its spread over the networks. The published networks of
Mantilla-Dulcey et al. (2024) are presets.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan import saving
from gossan._checks import GossanWarning, check_labels
from gossan._fit_alone import fit_alone
from gossan.nets._forward import dense_outputs, dense_shapes
from gossan.nets._pretext_checks import (
    PRESETS,
    check_background,
    check_classes,
    check_settings,
    check_start,
)

if TYPE_CHECKING:
    from gossan.nets._pretext_training import Job, Trained

__all__ = ["PRESETS", "PretextClassifier"]


class PretextClassifier(ClassifierMixin, BaseEstimator):
    """Ensemble of dense networks for few labels, taught by unlabelled rows before the labels.

    Use it where tens of occurrences are known and thousands of rows are not labelled. On the
    published Yukon tables, in blocks of 20 km, the masked pretext task adds some 0.02 to the AUC
    with fifteen occurrences and 0.01 with seventy. Run the simple models of
    `gossan.models.make_few_label_model` beside it: a balanced support vector machine and a Gaussian
    process come within 0.01.

    Parameters
    ----------
    hidden : sequence of int
        Widths of the hidden layers.
    activation : {"silu", "relu", "tanh", "gelu"}
        Non-linearity.
    pretext : {"masked", "autoencoder", "classes", "none"}
        What is learned before the labels. "masked": hidden features from those that are seen;
        "autoencoder": the row itself, through the layers and back; "classes": classes of the
        background rows, such as rock units; on the published data that does harm.
    tune : {"fine", "probe"}
        With the labels all layers go on learning, or a new head alone ("probe", linear).
    loss : {"weighted", "plain", "focal", "pu"}
        "weighted": cross-entropy, both classes with the same say; "focal": with the same weights,
        easy rows count less [Lin2017]_; "pu": class 0 is unlabelled, a share `prior` of it ore
        [Kiryo2017]_.
    odds : {"training", "balanced"}
        With loss="weighted", whether the probabilities go by the share of ore among the training
        rows, or take both classes for equally common. The order hardly changes.
    focus, prior : float
        Exponent of the focal loss; share of ore among the unlabelled rows.
    dropout, noise : float
        Share of hidden values dropped in training, in [0, 1); standard deviation of what is added
        to the (scaled) features.
    mask : float
        Share of features hidden with pretext="masked", in [0, 1).
    scaling : {"standard", "none"}
        By mean and standard deviation of the background rows if there are any, else of the
        training rows.
    head_l1, head_l2 : float
        Penalties of the absolute and squared weights of the head.
    epochs, batch_size, learning_rate, weight_decay, schedule
        Of the training, see `gossan.nets._training.Recipe`.
    patience : int or None
        Epochs without a better loss on held-out groups of the training rows before a network
        stops and its best weights are kept. None trains to the end.
    stop_share : float
        Share of the groups' rows held out for that, drawn anew for each network.
    pretext_epochs, pretext_batch_size, pretext_learning_rate
        Of the training of the pretext task.
    n_members : int
        Networks whose probabilities are averaged; they differ in their seeds.
    preset : {"fde_ft", "fde_lp", "gcp_ft", "gcp_lp", "scratch"} or None
        A published network (1,703 weights); its settings replace all the ones above. "fde": an
        autoencoder first; "gcp": geological classes first; "ft", "lp": fine-tuned, linear probe.
    start : PretextClassifier or None
        Fitted elsewhere, on the same features and with the same hidden layers: what these and its
        scaling hold takes the place of a pretext task. A clone keeps it; a saved model does not
        need it.
    random_state : int or None
        Seed of weights, batches and noise.
    progress : callable or None
        Called with the member-epochs done and their total.

    Attributes
    ----------
    classes_ : array of shape (2,)
        Class names, sorted; the second is the ore.
    names_ : list of str
        Names of the features.
    center_, scale_ : arrays of shape (n_features,)
        Of the scaling.
    offset_ : float
        Added to the log-odds, see `odds`.
    weights_ : dict of str to float32 array
        Weights of the trained networks by layer, first axis the network. Plain arrays: torch is
        needed to train, not to predict.
    losses_ : array of shape (n_members, epochs)
        Mean training loss of each epoch.
    n_reseeded_, n_dead_ : int
        Networks that had died (the same output for every row) and were trained again from other
        seeds; networks that are dead all the same.

    References
    ----------
    Mantilla-Dulcey et al. (2024) [Mantilla2024]_; masked features: Yoon et al. (2020)
    [Yoon2020]_; focal loss: Lin et al. (2017) [Lin2017]_; non-negative risk of positives and
    unlabelled rows: Kiryo et al. (2017) [Kiryo2017]_.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> ground = rng.normal(size=(500, 2)) @ [[1.0, 0.5], [0.0, 0.5]]
    >>> X = np.vstack([ground[:60], rng.normal(size=(8, 2)) * 0.3 + [0.0, 2.0]])
    >>> model = PretextClassifier(epochs=60, n_members=2, random_state=0)
    >>> model = model.fit(X, [0] * 60 + [1] * 8, background=ground)
    >>> model.predict([[0.0, 2.1], [0.0, -0.2]]).tolist()
    [1, 0]
    """

    def __init__(
        self,
        hidden: Sequence[int] = (64, 64),
        *,
        activation: str = "silu",
        pretext: str = "masked",
        tune: str = "fine",
        loss: str = "weighted",
        odds: str = "training",
        focus: float = 2.0,
        prior: float = 0.05,
        dropout: float = 0.2,
        noise: float = 0.1,
        mask: float = 0.3,
        scaling: str = "standard",
        head_l1: float = 0.0,
        head_l2: float = 0.0,
        epochs: int = 100,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        schedule: str = "cosine",
        patience: int | None = None,
        stop_share: float = 0.2,
        pretext_epochs: int = 300,
        pretext_batch_size: int = 256,
        pretext_learning_rate: float = 2e-3,
        n_members: int = 10,
        preset: str | None = None,
        start: PretextClassifier | None = None,
        random_state: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.pretext = pretext
        self.tune = tune
        self.loss = loss
        self.odds = odds
        self.focus = focus
        self.prior = prior
        self.dropout = dropout
        self.noise = noise
        self.mask = mask
        self.scaling = scaling
        self.head_l1 = head_l1
        self.head_l2 = head_l2
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.patience = patience
        self.stop_share = stop_share
        self.pretext_epochs = pretext_epochs
        self.pretext_batch_size = pretext_batch_size
        self.pretext_learning_rate = pretext_learning_rate
        self.n_members = n_members
        self.preset = preset
        self.start = start
        self.random_state = random_state
        self.progress = progress

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        background: ArrayLike | None = None,
        background_classes: ArrayLike | None = None,
    ) -> PretextClassifier:
        """Learn the pretext task from the background rows, then the labels.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Evidence at the labelled places; no value may be missing.
        y : array of shape (n,)
            Two classes; 1 for ore, 0 for barren or (with loss="pu") unlabelled.
        groups : array of shape (n,), optional
            Block of each row; early stopping holds out whole ones.
        background : array of shape (n_background, n_features), optional
            Rows of the same ground without labels, for the pretext task and the scaling. They may
            be of the ground that is scored later (transductive), as no label is told. None: the
            training rows.
        background_classes : array of shape (n_background,), optional
            Class of each background row, for pretext="classes".

        Returns
        -------
        self : PretextClassifier

        Raises
        ------
        ValueError
            If values are missing or infinite, there are not two classes, shapes differ or a
            setting is wrong.
        """
        ground = {"background": background, "background_classes": background_classes}
        return fit_alone(self, X, y, groups=groups, **ground)

    def fit_many(
        self,
        X: ArrayLike,
        y: ArrayLike,
        members: Sequence[tuple[NDArray[np.intp], int]],
        *,
        groups: ArrayLike | None = None,
        background: ArrayLike | None = None,
        background_classes: ArrayLike | None = None,
    ) -> list[PretextClassifier]:
        """Train on many subsets of the rows at once: the folds and seeds of a cross-validation.

        With a background, members of one seed share what was learned from it: give all folds the
        same seed, and the pretext task is learned once.

        Parameters
        ----------
        X, y, groups, background, background_classes
            As in `fit`.
        members : sequence of (train, seed)
            Row numbers of each training set, and its seed.

        Returns
        -------
        fitted : list of PretextClassifier
            One for each of `members`, the same as one fitted alone on its rows.
        """
        settings = check_settings(self.get_params(deep=False))
        table = validate_data(self, X, dtype=np.float64)
        labels = check_labels("y", y, len(table))
        check_start(self.start, getattr(self, "feature_names_in_", None), table, settings)
        of_rows = None if groups is None else check_labels("groups", groups, len(table))
        ground = check_background(background, table.shape[1])
        codes = check_classes(ground, background_classes, settings["pretext"])
        from gossan.nets._pretext_training import Job, Pretext, train_jobs  # torch: to train only

        jobs = [
            Job(
                table,
                labels,
                train=np.asarray(train),
                seed=seed,
                groups=of_rows,
                scaled_by=ground,
                settings=settings,
            )
            for train, seed in members
        ]
        pretext = None if ground is None else Pretext(ground, codes)
        trained = train_jobs(
            jobs, table, pretext=pretext, settings=settings, progress=self.progress
        )
        _tell_of_the_dead(trained, settings["n_members"])
        return [self._fitted(job, each) for job, each in zip(jobs, trained, strict=True)]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities, the mean of the networks, shape (n, 2)."""
        ore = self.member_probabilities(X).mean(axis=0)
        return np.column_stack([1.0 - ore, ore])

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the more probable class of each row, shape (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def member_probabilities(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of ore by each network, shape (n_members, n)."""
        check_is_fitted(self, "weights_")
        table = validate_data(self, X, dtype=np.float64, reset=False)
        scaled = ((table - self.center_) / self.scale_).astype(np.float32)
        activation = check_settings(self.get_params(deep=False))["activation"]
        said = dense_outputs(self.weights_, scaled, activation=activation)[:, :, 0]
        return expit(said.astype(np.float64) + self.offset_)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "weights_")
        told = {key: getattr(self, key) for key in ("n_reseeded_", "n_dead_", "offset_")}
        arrays = {name: getattr(self, name) for name in ("center_", "scale_", "losses_")}
        weights = {f"network.{name}": value for name, value in self.weights_.items()}
        return saving.settings_of(self, without=("progress", "start")) | told, arrays | weights

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> PretextClassifier:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = saving.blank(cls, settings, start=None)
        d, in_force = model.n_features_in_, check_settings(model.get_params(deep=False))
        model.n_reseeded_, model.n_dead_ = (int(settings[k]) for k in ("n_reseeded_", "n_dead_"))
        model.offset_ = float(settings["offset_"])
        model.center_, model.scale_ = (saving.take(arrays, k, (d,)) for k in ("center_", "scale_"))
        model.losses_ = saving.take(arrays, "losses_", (in_force["n_members"], None))
        is_sound = (model.scale_ > 0).all() and np.isfinite(model.offset_)
        if not is_sound or len(model.classes_) != 2 or len(in_force["hidden"]) > len(arrays):
            raise ValueError("a scale is not above zero, or layers or classes are missing")
        shapes = dense_shapes(
            d, 1, n_members=in_force["n_members"], hidden=in_force["hidden"], batch_norm=False
        )
        model.weights_ = {
            name: saving.take(arrays, f"network.{name}", shape, np.float32)
            for name, shape in shapes.items()
        }
        return model

    def __sklearn_clone__(self) -> PretextClassifier:
        copy = super().__sklearn_clone__()
        copy.start = self.start  # what was learned elsewhere is data: a clone does not forget it
        return copy

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _fitted(self, job: Job, trained: Trained) -> PretextClassifier:
        model = type(self)(**self.get_params(deep=False))
        model.n_features_in_ = self.n_features_in_
        if hasattr(self, "feature_names_in_"):
            model.feature_names_in_ = self.feature_names_in_
        default = [f"x{i}" for i in range(self.n_features_in_)]
        model.names_ = [str(name) for name in getattr(self, "feature_names_in_", default)]
        model.classes_, model.center_, model.scale_ = job.classes, job.center, job.scale
        model.weights_, model.losses_, model.offset_ = trained.weights, trained.losses, job.offset
        model.n_reseeded_, model.n_dead_ = trained.n_reseeded, trained.n_dead
        return model


def _tell_of_the_dead(trained: Sequence[Trained], each: int) -> None:
    """Warn where networks had died, and where some still are."""
    n_reseeded, n_dead = (sum(getattr(t, k) for t in trained) for k in ("n_reseeded", "n_dead"))
    if n_reseeded:
        warnings.warn(
            f"{n_reseeded} of {each * len(trained)} networks had died (the same output for every"
            f" row) and were trained again from other seeds; {n_dead} are dead all the same. Wider"
            " layers or activation='silu' avoid it.",
            GossanWarning,
            stacklevel=4,
        )
