"""A student network that knows barren rock only, beside its teacher: where they differ may be ore.

Patches of a block model (n, channels, side, side, side), or vectors (n, features), and marks of the
known normals come in; scores of patches and of whole volumes go out, higher for more normal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan._checks import check_option
from gossan.nets._patch_detector import Array, Job, PatchDetector
from gossan.nets._patch_forward import (
    BLOCK_ROWS,
    box_mean,
    encode,
    features_of_block,
    imitation_errors,
    network_shapes,
)
from gossan.nets.autoencoder import PRESETS as TEACHERS

__all__ = ["PRESETS", "StudentTeacherDetector"]

# Yu et al. (2022): the teacher is trained as their autoencoder, on all samples; so is the student.
PRESETS: dict[str, dict[str, Any]] = {
    "yu2022": {
        **TEACHERS["yu2022"],
        "teacher": "all",
        "teacher_epochs": 500,
        "feature_scaling": "none",
    }
}
TEACHERS_DATA = ("all", "normals", "random")
FEATURE_SCALINGS = ("none", "standard", "stfpm")
# Rows shown by default, in a CPU minute: a student that follows well matters, a good teacher less.
TEACHER_SHOWN, STUDENT_SHOWN = 80_000, 350_000
SPREAD_ROWS = 4096  # normals that tell how much a teacher's channels vary
LEAST_SPREAD = 0.05  # of the largest in its layer: a channel that is dead on normals stays finite


class StudentTeacherDetector(PatchDetector):
    """Student-teacher ore-induced anomaly detection (STOAD) on three scales of a patch.

    The teacher is the encoder of an autoencoder of all rows; the student learns its features on
    normals only, and fails elsewhere. Use it for maps of whole volumes, where it is fast; mind that
    its score moves with the seeds of both, so look at several (`n_members`). Where the teacher saw
    the anomalies that it is tested on (the published way), the test flatters.

    Parameters
    ----------
    input : {"patch", "vector"}
        Whether a row of `X` is a cube of voxels or a list of features.
    teacher : {"all", "normals", "random"}
        What the teacher learned from: all rows, as published, normals only, or nothing at all.
    feature_scaling : {"none", "standard", "stfpm"}
        How features are compared: as they are; each channel in its standard deviation on normals;
        or as directions, and the three scales multiplied instead of averaged.
    widths : sequence of int or None
        Channels of the encoder. None: 8, 16, 32 for patches (valid 3 x 3 x 3 convolutions), and
        dense layers of 32, 16 and half the features for vectors.
    scaling : {"minmax", "standard", "none"}
        Of each channel, with the statistics of the training rows.
    epochs, teacher_epochs : int or None
        Passes of the student over the normals, and of the teacher over its rows. None: as many as
        show 350,000 rows to the student and 80,000 to the teacher, between 2 and 500.
    batch_size, learning_rate, schedule
        Of both trainings, see `gossan.nets._training.Recipe`. Larger than the published rate, since
        a student that has not learned to follow on normals tells nothing by failing elsewhere.
    threshold : {"fpr", "minmax"}
        What `predict` and `decision_function` go by: a false-positive rate among normals held out
        from the student, or a level of the error scaled between its extremes over all training
        rows, as published. One odd row moves the latter.
    false_positive_rate : float
        Share of the held-out normals that are called anomalous, with "fpr".
    validation_share : float
        Share of the normals held out, with "fpr"; with `groups` whole holes or blocks.
    minmax_level : float
        Scaled error above which a row is anomalous, with "minmax".
    n_members : int
        Pairs of teacher and student whose errors are averaged; they differ in their seeds.
    preset : {"yu2022"} or None
        The published training; its settings replace all the ones above.
    random_state : int or None
        Seed of weights, batches and held-out normals.
    progress : callable or None
        Called with the member-epochs done and their total, for teachers and then for students.

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
        Weights of teachers and students by layer, first axis the member, and with "standard" the
        spread of each channel. Plain arrays: torch is needed to train, not to predict.
    losses_ : array of shape (n_members, epochs)
        Mean training loss of the students in each epoch.

    Notes
    -----
    With T and S the features of teacher and student in layer i, the score is minus
    sum(h_i mean (T_i - S_i)²), h_i = 1 / 3, the mean over channels and cells. As the convolutions
    are valid, the features of a patch are those of the volume, and the score of all patches is
    sum(h_i box(mean over channels of (T_i - S_i)²)) with boxes of 5, 3 and 1 voxels: `score_volume`
    computes each feature once and gives the same numbers as `score_samples`.

    References
    ----------
    Yu et al. (2022) [Yu2022]_, doi:10.3390/min12111382; "stfpm": Wang et al. (2021) [Wang2021]_,
    arXiv:2103.04257; students of a teacher's features: Bergmann et al. (2020) [Bergmann2020]_,
    doi:10.1109/CVPR42600.2020.00424.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> along = rng.uniform(size=(400, 1))
    >>> X = np.hstack([along, 1 - along, along**2])
    >>> X[300:, 1] = rng.uniform(size=100)  # a hundred rows that do not go together
    >>> model = StudentTeacherDetector(input="vector", random_state=0)
    >>> model.fit(X, y=np.arange(400) >= 300).predict([[0.5, 0.5, 0.25], [0.9, 0.9, 0.8]])
    array([ 1, -1])
    """

    PRESETS = PRESETS

    def __init__(
        self,
        input: str = "patch",  # noqa: A002 - the field's word, as in CountVectorizer
        *,
        teacher: str = "all",
        feature_scaling: str = "none",
        widths: Sequence[int] | None = None,
        scaling: str = "minmax",
        epochs: int | None = None,
        teacher_epochs: int | None = None,
        batch_size: int = 32,
        learning_rate: float = 4e-3,
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
        self.teacher = teacher
        self.feature_scaling = feature_scaling
        self.widths = widths
        self.scaling = scaling
        self.epochs = epochs
        self.teacher_epochs = teacher_epochs
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

    def _settings(self) -> dict[str, Any]:
        settings = super()._settings()
        check_option("teacher", settings["teacher"], TEACHERS_DATA)
        check_option("feature_scaling", settings["feature_scaling"], FEATURE_SCALINGS)
        if settings["teacher_epochs"] is not None and int(settings["teacher_epochs"]) < 1:
            raise ValueError(
                f"teacher_epochs must be at least 1, got {settings['teacher_epochs']}. Pass"
                " teacher='random' for one that is not trained."
            )
        return settings

    def _train(
        self, jobs: Sequence[Job], cells: Array, settings: dict[str, Any]
    ) -> list[tuple[dict[str, Array], NDArray[np.float64]]]:
        from gossan.nets._detector_training import Task, stacked, train_networks

        settings = settings | {"widths": self._widths(settings)}
        each = settings["n_members"]
        seeds = [
            pair
            for job in jobs
            for pair in np.random.default_rng(job.seed).integers(2**31, size=(each, 2)).tolist()
        ]
        of_member = [job for job in jobs for _ in range(each)]
        teachers = self._teachers(of_member, [first for first, _ in seeds], cells, settings)
        spreads = [
            self._spreads(teacher, cells, job, settings)
            for teacher, job in zip(teachers, of_member, strict=True)
        ]
        tasks = [
            Task(job.normals, second, job.center, job.scale, teacher, spread)
            for job, (_, second), teacher, spread in zip(
                of_member, seeds, teachers, spreads, strict=True
            )
        ]
        students = train_networks(
            tasks,
            cells,
            settings=settings,
            epochs=settings["epochs"],
            shown=STUDENT_SHOWN,
            progress=self.progress,
        )
        pairs = [
            (_named(task.teacher or {}, student, task.spreads), losses)
            for task, (student, losses) in zip(tasks, students, strict=True)
        ]
        return stacked(pairs, each)

    def _teachers(
        self, jobs: Sequence[Job], seeds: Sequence[int], cells: Array, settings: dict[str, Any]
    ) -> list[dict[str, Array]]:
        """Return the encoder of a teacher for each member, member axis of length one."""
        from gossan.nets._detector_training import Task, random_encoder, train_networks

        if settings["teacher"] == "random":
            return [random_encoder(seed, cells, settings) for seed in seeds]
        tasks = [
            Task(
                # The normals held out for the threshold stay unseen by the student alone.
                job.train if settings["teacher"] == "all" else job.normals,
                seed,
                job.center,
                job.scale,
            )
            for job, seed in zip(jobs, seeds, strict=True)
        ]
        epochs = settings["teacher_epochs"]
        trained = train_networks(
            tasks,
            cells,
            settings=settings,
            epochs=epochs,
            shown=TEACHER_SHOWN,
            progress=self.progress,
        )
        return [_part(weights, "encoder.", keep=True) for weights, _ in trained]

    def _spreads(
        self, teacher: dict[str, Array], cells: Array, job: Job, settings: dict[str, Any]
    ) -> tuple[Array, ...]:
        """Return the standard deviation of each of the teacher's channels on normals."""
        if settings["feature_scaling"] != "standard":
            return ()
        rows = job.normals[:: max(1, len(job.normals) // SPREAD_ROWS)]
        scaled = ((cells[rows] - job.center) / job.scale).astype(np.float32)
        found = []
        for features in encode(teacher, scaled[None]):
            spread = features.std(axis=tuple(range(1, features.ndim - 1)), dtype=np.float64)
            floor = max(LEAST_SPREAD * float(spread.max()), float(np.finfo(np.float32).tiny))
            found.append(np.maximum(spread, floor).astype(np.float32))
        return tuple(found)

    def _shapes(self, settings: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        widths, m = self._widths(settings), settings["n_members"]
        encoder = network_shapes(
            self.n_features_in_,
            widths,
            n_members=m,
            is_patch=settings["input"] == "patch",
            decodes=False,
        )
        shapes = {
            f"{who}.{name}": shape
            for who in ("teacher", "student")
            for name, shape in encoder.items()
        }
        if settings["feature_scaling"] == "standard":
            shapes |= {f"spread.{i}": (m, width) for i, width in enumerate(widths)}
        return shapes

    def _patch_errors(self, scaled: Array) -> NDArray[np.float64]:
        teacher, student = (_part(self.weights_, f"{who}.") for who in ("teacher", "student"))
        parts = []
        for start in range(0, len(scaled), BLOCK_ROWS):
            block = scaled[None, start : start + BLOCK_ROWS]
            cells = self._compare(encode(teacher, block), encode(student, block))
            means = [each.reshape(*each.shape[:2], -1).mean(axis=2) for each in cells]
            parts.append(self._combined(means))
        return np.concatenate(parts, axis=1)

    def _scaled_block_errors(self, block: Array) -> NDArray[np.float64]:
        teacher, student = (_part(self.weights_, f"{who}.") for who in ("teacher", "student"))
        cells = self._compare(features_of_block(teacher, block), features_of_block(student, block))
        wide = self.side_ - 2  # cells of the first layer in a patch
        return self._combined([box_mean(each, wide - 2 * i) for i, each in enumerate(cells)])

    def _compare(
        self, taught: Sequence[Array], learned: Sequence[Array]
    ) -> list[NDArray[np.float64]]:
        spreads = [self.weights_[f"spread.{i}"] for i in range(len(taught)) if self._is_standard()]
        unit = self._settings()["feature_scaling"] == "stfpm"
        return imitation_errors(taught, learned, spreads, unit=unit)

    def _is_standard(self) -> bool:
        return self._settings()["feature_scaling"] == "standard"

    def _combined(self, layers: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return one error of the scales: their mean (h = 1 / 3, eq. 19), or their product."""
        if self._settings()["feature_scaling"] == "stfpm":
            return np.prod(layers, axis=0)
        return np.mean(layers, axis=0)


def _part(weights: Mapping[str, Array], start: str, *, keep: bool = False) -> dict[str, Array]:
    """Return the weights whose names begin with `start`, which is cut off unless kept."""
    return {
        name if keep else name.removeprefix(start): value
        for name, value in weights.items()
        if name.startswith(start)
    }


def _named(
    teacher: Mapping[str, Array], student: Mapping[str, Array], spreads: Sequence[Array]
) -> dict[str, Array]:
    return {
        **{f"teacher.{name}": value for name, value in teacher.items()},
        **{f"student.{name}": value for name, value in student.items()},
        **{f"spread.{i}": value for i, value in enumerate(spreads)},
    }
