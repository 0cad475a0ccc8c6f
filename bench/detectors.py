"""Time and quality of the deposit detectors at the size of the published study.

A made-up block model with thin bodies of ore gives about 35,000 barren patches of 7 x 7 x 7 x 5 to
learn from. Timed in CPU seconds of one thread: the default fit of each detector, and whole volumes.
Checked: the score of a volume against that of its patches. Compared: the default training and the
published one (batches of 16, falling rate; fewer epochs and patches, the whole takes hours) by the
area under the ROC curve, ore against barren patches that neither saw. A quick run is a tenth.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from _table import Options, parse_options, report
from gossan.nets import DeepAutoencoder, StudentTeacherDetector

SIDE, MARGIN = 7, 3
GAP = 2  # voxels between ore and the nearest barren patch: the score depends on it
PUBLISHED = {"batch_size": 16, "learning_rate": 1e-3, "schedule": "steps", "epochs": 60}
MIXING = np.array(  # of five independent fields into five indicators
    [
        [1.0, 0.5, 0.3, 0.0, 0.2],
        [0.4, 1.0, 0.0, 0.3, 0.1],
        [0.2, 0.3, 1.0, 0.5, 0.2],
        [0.0, 0.2, 0.3, 1.0, 0.3],
        [0.3, 0.1, 0.2, 0.3, 1.0],
    ]
)
HALO = np.array([1.8, 1.5, 2.2, -0.4, 0.6])  # of each indicator about ore


class World(NamedTuple):
    """A volume, patches to learn from with their marks, and patches to judge by."""

    volume: NDArray[np.float32]
    X: NDArray[np.float32]
    y: NDArray[np.int64]
    X_test: NDArray[np.float32]
    y_test: NDArray[np.int64]


def make_world(seed: int, n: int, n_barren: int) -> World:
    """Return a block model of n x n x n voxels, and patches of it."""
    rng = np.random.default_rng(seed)
    fields = np.stack([gaussian_filter(rng.normal(size=(n, n, n)), s) for s in (4, 4, 3, 2.5, 3)])
    volume = np.einsum("ij,jzyx->izyx", MIXING, fields / fields.std(axis=(1, 2, 3), keepdims=True))
    cells = np.stack(np.indices((n, n, n)), axis=-1).astype(float)
    ore, halo = np.zeros((n, n, n), dtype=bool), np.zeros((n, n, n))
    for _ in range(max(3, round(14 * (n / 72) ** 3))):
        centre, normal = rng.uniform(8, n - 8, 3), rng.normal(size=3)
        away = (cells - centre) @ (normal / np.linalg.norm(normal))
        along = np.sqrt(np.maximum(((cells - centre) ** 2).sum(axis=-1) - away**2, 0.0))
        halo += np.exp(-np.abs(away) / 2.5 - (along / 10) ** 2)
        ore |= (np.abs(away) < 2) & (along < 9)
    volume += halo * HALO[:, None, None, None]
    inner = (slice(MARGIN, -MARGIN),) * 3
    barren = rng.permutation(np.argwhere(distance_transform_edt(~ore)[inner] > GAP))
    rich = rng.permutation(np.argwhere(ore[inner]))[: n_barren // 5]
    volume = volume.astype(np.float32)
    n_train, half = int(0.9 * min(n_barren, len(barren))), len(rich) // 2
    parts = (barren[:n_train], rich[:half], barren[n_train:n_barren], rich[half:])
    patches = [cut(volume, places) for places in parts]
    marks = [np.full(len(part), i % 2) for i, part in enumerate(patches)]
    return World(
        volume,
        np.concatenate(patches[:2]),
        np.concatenate(marks[:2]),
        np.concatenate(patches[2:]),
        np.concatenate(marks[2:]),
    )


def compare_speed(options: Options) -> list[dict[str, Any]]:
    """Return rows for the fit, the volume and the agreement of volume and patches."""
    world = make_world(0, 40 if options.quick else 72, 3900 if options.quick else 39_000)
    scale = 10.0 if options.quick else 1.0
    rows = []
    for kind in (DeepAutoencoder, StudentTeacherDetector):
        name = kind.__name__
        # A tenth of the patches would be shown ten times as often: the epochs are those of all.
        epochs = {"epochs": 7} | ({"teacher_epochs": 6} if kind is StudentTeacherDetector else {})
        start = time.process_time()
        model = kind(random_state=0, **(epochs if options.quick else {})).fit(world.X, world.y)
        seconds = (time.process_time() - start) * scale
        start = time.process_time()
        scores = model.score_volume(world.volume[:, :36, :36, :36])
        speed = np.isfinite(scores).sum() / (time.process_time() - start)
        places = np.argwhere(np.ones((10, 10, 10)))
        patches = model.score_samples(cut(world.volume, places)).reshape(10, 10, 10)
        apart = float(np.abs(scores[3:13, 3:13, 3:13] - patches).max())
        fast = ">=200000" if kind is StudentTeacherDetector else None
        common = {"peer": None, "seeds": 1}
        rows += [
            {"id": f"{name}: fit", "ours": seconds, "goal": "<=60", "unit": "CPU s", **common},
            {"id": f"{name}: volume", "ours": speed, "goal": fast, "unit": "voxels/s", **common},
            {"id": f"{name}: apart", "ours": apart, "goal": "<=1e-6", "unit": "score", **common},
        ]
    return rows


def compare_scores(options: Options) -> list[dict[str, Any]]:
    """Return rows for the area under the curve of the default training and the published one."""
    n_barren = 1500 if options.quick else 6000
    published = PUBLISHED | ({"epochs": 10} if options.quick else {})
    worlds = [
        make_world(seed, 40 if options.quick else 72, n_barren) for seed in range(options.seeds)
    ]
    rows = []
    for kind in (DeepAutoencoder, StudentTeacherDetector):
        areas = [both_areas(kind, world, seed, published) for seed, world in enumerate(worlds)]
        ours, peer = np.mean(areas, axis=0)
        rows.append(
            {
                "id": f"{kind.__name__}: AUC",
                "ours": float(ours),
                "peer": float(peer),
                "goal": f">={peer - 0.02:.3f}",
                "unit": "area",
                "seeds": options.seeds,
            }
        )
    return rows


def both_areas(
    kind: type, world: World, seed: int, published: Mapping[str, Any], **ours: Any
) -> tuple[float, float]:
    """Return the area under the curve of the default training (or `ours`) and of the published."""
    is_student = kind is StudentTeacherDetector
    teacher = {"teacher_epochs": published["epochs"]} if is_student else {}
    areas = []
    for settings in (ours, {**published, **teacher}):
        model = kind(random_state=seed, **settings).fit(world.X, world.y)
        areas.append(float(roc_auc_score(world.y_test, -model.score_samples(world.X_test))))
    return areas[0], areas[1]


def cut(volume: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the patches whose first corners are given."""
    views = sliding_window_view(volume, (SIDE,) * 3, axis=(1, 2, 3))
    picked = views[:, places[:, 0], places[:, 1], places[:, 2]]
    return np.ascontiguousarray(picked.transpose(1, 0, 2, 3, 4))


def main() -> None:
    options = parse_options(__doc__, seeds=3)
    with threadpool_limits(1):
        rows = [*compare_speed(options), *compare_scores(options)]
    report("detectors", rows, options)


if __name__ == "__main__":
    main()
