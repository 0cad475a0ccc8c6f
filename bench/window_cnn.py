"""Time of scoring a map with a window network, and how far map and windows are apart.

A map of 1000 x 1000 cells and 39 elements is scored by one network and by the default ensemble of
five, in CPU seconds of one thread, one row an architecture and field. The peer is the same network
run by torch window by window, on a sample of the windows, told for all of them. A quick run takes a
map of 250 x 250 cells and tells the time of sixteen.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from _table import Options, parse_options, report
from gossan.nets import WindowCNN
from gossan.nets._window_forward import WIDTHS, stages_of
from gossan.nets._window_training import WindowNetwork

N_ELEMENTS, N_WINDOWS = 39, 4096
NETWORKS = (("small", 1), ("small", 3), ("small", 5), ("small", 9), ("lenet", 9), ("lenet", 13))


def fit_for_a_moment(architecture: str, field: int, n_members: int) -> WindowCNN:
    """Return a network trained on noise: its time and its agreement do not depend on what it knows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, N_ELEMENTS, field, field))
    model = WindowCNN(architecture, epochs=2, n_members=n_members, random_state=0)
    return model.fit(X, np.arange(64) % 2)


def time_of_torch(model: WindowCNN, windows: NDArray[np.float32]) -> float:
    """Return the CPU seconds that torch takes for a window."""
    stages = stages_of(model.architecture, model.field_, WIDTHS[model.architecture])
    network = WindowNetwork(1, N_ELEMENTS, stages)
    network.load_state_dict({k: torch.from_numpy(v) for k, v in model.weights_.items()})
    rows = torch.from_numpy(np.ascontiguousarray(np.moveaxis(windows, 1, 3)))
    start = time.process_time()
    with torch.no_grad():
        for block in rows.split(256):
            network(block[None])
    return (time.process_time() - start) / len(windows)


def compare(architecture: str, field: int, options: Options) -> list[dict[str, Any]]:
    """Return the rows of one network: the time of a map, and how far windows are from it."""
    side = 250 if options.quick else 1000
    volume = np.random.default_rng(1).normal(size=(N_ELEMENTS, side, side)).astype(np.float32)
    scale, name = 1e6 / side**2, f"{architecture} {field}"
    views = sliding_window_view(volume, (field, field), axis=(1, 2)).transpose(1, 2, 0, 3, 4)
    n_down, n_across = views.shape[:2]
    rng = np.random.default_rng(2)
    rows, columns = rng.integers(n_down, size=N_WINDOWS), rng.integers(n_across, size=N_WINDOWS)
    windows = np.ascontiguousarray(views[rows, columns])
    found = []
    for n_members in (1, 5):
        model = fit_for_a_moment(architecture, field, n_members)
        model.score_map(volume[:, :64, :64])
        start = time.process_time()
        scores = np.asarray(model.score_map(volume))
        seconds = (time.process_time() - start) * scale
        peer = time_of_torch(model, windows) * 1e6 if n_members == 1 else None
        goal = "<=3" if n_members == 1 else None
        label = f"{name}: map, {n_members} net{'s' * (n_members > 1)}"
        common = {"unit": "CPU s", "seeds": 1}
        found.append({"id": label, "ours": seconds, "peer": peer, "goal": goal, **common})
    said = model.predict_proba(windows)[:, 1]
    apart = float(np.abs(scores[rows + field // 2, columns + field // 2] - said).max())
    common = {"peer": None, "goal": "<=1e-6", "unit": "probability", "seeds": 1}
    return [*found, {"id": f"{name}: apart", "ours": apart, **common}]


def main() -> None:
    options = parse_options(__doc__, seeds=1)
    with threadpool_limits(1):
        torch.set_num_threads(1)
        rows = [row for network in NETWORKS for row in compare(*network, options)]
    report("window_cnn", rows, options)


if __name__ == "__main__":
    main()
