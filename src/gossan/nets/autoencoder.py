"""A deep autoencoder as a detector of unusual rock: what it cannot redraw is not barren background.

Patches of a block model (n, channels, side, side, side), or vectors (n, features), and marks of the
known normals come in; scores of patches and of whole volumes go out, higher for more normal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from gossan.nets._patch_detector import Array, Job, PatchDetector
from gossan.nets._patch_forward import network_shapes, reconstruction_errors

__all__ = ["PRESETS", "DeepAutoencoder"]

# Yu et al. (2022): batches of 16 for 500 epochs, and errors scaled between their extremes.
PRESETS: dict[str, dict[str, Any]] = {
    "yu2022": {
        "widths": None,
        "scaling": "minmax",
        "epochs": 500,
        "batch_size": 16,
        "learning_rate": 1e-3,
        "schedule": "steps",
        "threshold": "minmax",
        "minmax_level": 0.75,
        "n_members": 1,
    }
}
SHOWN = 200_000  # patches that a network is shown by default: 35 CPU seconds on 7 x 7 x 7 x 5
SLICE_PATCHES = 4096  # patches cut from a volume at once: 28 MB of 7 x 7 x 7 x 5


class DeepAutoencoder(PatchDetector):
    """Convolutional autoencoder of patches, trained on normals; its error is the anomaly.

    Use it where barren ground is well known and ore is not. Look at the baselines first: on drilled
    deposits an indicator alone, or boosted trees, are often better. Training longer lowers the
    loss, and then the power to tell ore: the network learns to redraw ore, too.

    Parameters
    ----------
    input : {"patch", "vector"}
        Whether a row of `X` is a cube of voxels or a list of features.
    widths : sequence of int or None
        Channels of the encoder; the decoder mirrors it. None: 8, 16, 32 for patches (valid
        3 x 3 x 3 convolutions, so that a patch of 7 voxels ends in a code of one), and dense layers
        of 32, 16 and half the features for vectors.
    scaling : {"minmax", "standard", "none"}
        Of each channel, with the statistics of the training rows.
    epochs : int or None
        Passes over the normals. None: as many as show the network about 200,000 rows, between
        2 and 500.
    batch_size, learning_rate, schedule
        Of the training, see `gossan.nets._training.Recipe`. Larger batches than the published 16
        take the same CPU time an epoch and are no better.
    threshold : {"fpr", "minmax"}
        What `predict` and `decision_function` go by: a false-positive rate among normals held out
        from the training, or a level of the error scaled between its extremes over all training
        rows, as published. One odd row moves the latter.
    false_positive_rate : float
        Share of the held-out normals that are called anomalous, with "fpr".
    validation_share : float
        Share of the normals held out, with "fpr". Patches that overlap are not independent: pass
        `groups` to hold out whole holes or blocks.
    minmax_level : float
        Scaled error above which a row is anomalous, with "minmax".
    n_members : int
        Networks whose errors are averaged; they differ in their seeds.
    preset : {"yu2022"} or None
        The published training; its settings replace all the ones above.
    random_state : int or None
        Seed of weights, batches and held-out normals.
    progress : callable or None
        Called with the member-epochs done and their total.

    Attributes
    ----------
    names_ : list of str
        Names of the channels or features.
    side_ : int
        Voxels along a side of a patch.
    center_, scale_ : arrays of shape (channels,)
        Of the scaling.
    offset_ : float
        Score below which a row is anomalous.
    weights_ : dict of str to float32 array
        Weights of the trained members by layer, first axis the member. Plain arrays: torch is
        needed to train, not to predict.
    losses_ : array of shape (n_members, epochs)
        Mean training loss of each epoch, half the mean squared error.

    Notes
    -----
    The score is minus the mean of (X - X')² over channels and cells. A transposed convolution
    redraws the rim of a patch from fewer cells than its middle, so that the error is not the same
    function at each voxel: `score_volume` cuts every patch out and is exact, but ten times slower
    than that of `StudentTeacherDetector`.

    References
    ----------
    Yu et al. (2022) [Yu2022]_, doi:10.3390/min12111382; autoencoders as detectors: Hinton &
    Salakhutdinov (2006) [HintonSalakhutdinov2006]_, doi:10.1126/science.1127647.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> along = rng.uniform(size=(300, 1))
    >>> X = np.hstack([along, 1 - along, along**2])  # three indicators that go together
    >>> model = DeepAutoencoder(input="vector", random_state=0).fit(X)
    >>> model.predict([[0.5, 0.5, 0.25], [0.9, 0.9, 0.1]])
    array([ 1, -1])
    """

    PRESETS = PRESETS

    def __init__(
        self,
        input: str = "patch",  # noqa: A002 - the field's word, as in CountVectorizer
        *,
        widths: Sequence[int] | None = None,
        scaling: str = "minmax",
        epochs: int | None = None,
        batch_size: int = 64,
        learning_rate: float = 2e-3,
        schedule: str = "cosine",
        threshold: str = "fpr",
        false_positive_rate: float = 0.05,
        validation_share: float = 0.1,
        minmax_level: float = 0.75,
        n_members: int = 1,
        preset: str | None = None,
        random_state: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.input = input
        self.widths = widths
        self.scaling = scaling
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.threshold = threshold
        self.false_positive_rate = false_positive_rate
        self.validation_share = validation_share
        self.minmax_level = minmax_level
        self.n_members = n_members
        self.preset = preset
        self.random_state = random_state
        self.progress = progress

    def _train(
        self, jobs: Sequence[Job], cells: Array, settings: dict[str, Any]
    ) -> list[tuple[dict[str, Array], NDArray[np.float64]]]:
        from gossan.nets._detector_training import Task, stacked, train_networks

        settings = settings | {"widths": self._widths(settings)}
        each = settings["n_members"]
        tasks = [
            Task(job.normals, int(seed), job.center, job.scale)
            for job in jobs
            for seed in np.random.default_rng(job.seed).integers(2**31, size=each)
        ]
        trained = train_networks(
            tasks,
            cells,
            settings=settings,
            epochs=settings["epochs"],
            shown=SHOWN,
            progress=self.progress,
        )
        return stacked(trained, each)

    def _shapes(self, settings: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        return network_shapes(
            self.n_features_in_,
            self._widths(settings),
            n_members=settings["n_members"],
            is_patch=settings["input"] == "patch",
            decodes=True,
        )

    def _patch_errors(self, scaled: Array) -> NDArray[np.float64]:
        return reconstruction_errors(self.weights_, scaled)

    def _scaled_block_errors(self, block: Array) -> NDArray[np.float64]:
        views = sliding_window_view(block, (self.side_,) * 3, axis=(0, 1, 2))
        shape = views.shape[:3]
        step = max(1, SLICE_PATCHES // (shape[1] * shape[2]))
        parts = []
        for z in range(0, shape[0], step):
            patches = np.moveaxis(
                views[z : z + step], 3, -1
            )  # (z, y, x, side, side, side, channels)
            rows = np.ascontiguousarray(patches).reshape(-1, *patches.shape[3:])
            parts.append(reconstruction_errors(self.weights_, rows))
        return np.concatenate(parts, axis=1).reshape(-1, *shape)
