"""Training of window networks without labels: what hides is told from what is seen.

Windows of shape (n, y, x, channels) come in; the arrays of a `WindowCNN` go out, whose
body has learned from the map and whose head has learned nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gossan.nets._layers import Draws, MemberLinear
from gossan.nets._training import Member, Recipe, train_members
from gossan.nets._window_forward import HEAD, Stage
from gossan.nets._window_training import (
    AXES_TURNED,
    WindowNetwork,
    background_of,
    scaling_of,
    turned_over,
)

RECIPE = ("epochs", "batch_size", "learning_rate", "weight_decay", "schedule")


def train_to_reconstruct(
    windows: NDArray[np.float32],
    stages: Sequence[Stage],
    *,
    hidden: float,
    seed: int,
    settings: Mapping[str, Any],
    progress: Callable[[int, int], None] | None,
) -> dict[str, NDArray]:
    """Return the arrays of a `WindowCNN` whose body reconstructs hidden values; its head is zero."""
    n_channels = windows.shape[3]
    n_in = n_channels + (settings["missing"] == "channel")
    center, scale = scaling_of(windows, settings["scaling"])
    seeds = np.random.default_rng(seed).integers(2**31, size=settings["n_members"])
    trained = train_members(
        partial(_build, n_in=n_in, n_channels=n_channels, stages=stages),
        _Reconstruction(windows, center, scale, hidden=hidden, settings=settings),
        members=[Member(np.arange(len(windows)), int(each)) for each in seeds],
        recipe=Recipe(**{key: settings[key] for key in RECIPE}),
        progress=progress,
    )
    weights = {f"network.{name}": value.numpy() for name, value in trained.weights.items()}
    for name in HEAD:
        weights[f"network.{name}"] = np.zeros_like(weights[f"network.{name}"][..., :1])
    background = background_of(windows.reshape(-1, n_channels))
    told = {"center_": center, "scale_": scale, "background_": background}
    return weights | told | {"losses_": trained.losses}


class _Decoder(WindowNetwork):
    """A window network whose head tells the values of all channels in the middle cell."""

    def __init__(
        self, n_members: int, n_in: int, n_channels: int, *, stages: Sequence[Stage]
    ) -> None:
        super().__init__(n_members, n_in, stages)
        self.head = MemberLinear(n_members, self.head.weight.shape[1], n_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (members, batch, field, field, n_in) to values (members, batch, n_channels)."""
        return self.head(self.features(x))


def _build(
    which: Sequence[int], *, n_in: int, n_channels: int, stages: Sequence[Stage]
) -> _Decoder:
    return _Decoder(len(which), n_in, n_channels, stages=stages)


class _Reconstruction:
    """Mean squared error of the hidden values in the middle of each window, in scaled units.

    Some elements are hidden in the whole window, so that they are told from the others; in half of
    the windows the middle cell is hidden as well, so that it is told from what lies around it.
    """

    def __init__(
        self,
        windows: NDArray[np.float32],
        center: NDArray[np.float64],
        scale: NDArray[np.float64],
        *,
        hidden: float,
        settings: Mapping[str, Any],
    ) -> None:
        X = torch.from_numpy(windows)
        is_there = ~X.isnan()
        self.share = None  # of the elements that are measured in each cell
        if settings["missing"] == "channel":
            self.share = is_there.float().mean(3, keepdim=True)
        shift, factor = (torch.from_numpy(v.astype(np.float32)) for v in (center, 1.0 / scale))
        self.X = ((X - shift) * factor).nan_to_num_(nan=0.0)
        middle = windows.shape[1] // 2
        self.values = self.X[:, middle, middle].clone()  # (n, channels)
        self.is_there = is_there[:, middle, middle].float()
        self.hidden, self.middle = hidden, middle
        self.turned = AXES_TURNED[settings["augment"]]

    def __call__(self, network: nn.Module, which: Tensor, rows: Tensor, draws: Draws) -> Tensor:  # noqa: ARG002
        """Return the loss of each row, shape (members, batch)."""
        n_batch, n_channels = rows.shape[1], self.values.shape[1]
        is_seen = (draws.uniform(n_batch, n_channels) >= self.hidden).float()
        x = self.X[rows] * (is_seen / (1.0 - self.hidden))[:, :, None, None]
        is_bored = (draws.uniform(n_batch, 1) < 0.5).float()  # its middle cell is hidden
        if self.middle:
            x[:, :, self.middle, self.middle] *= 1.0 - is_bored
            is_seen = is_seen * (1.0 - is_bored)
        if self.share is not None:
            x = torch.cat([x, self.share[rows]], dim=4)
        asked = (1.0 - is_seen) * self.is_there[rows]
        error = (network(turned_over(x, self.turned, draws)) - self.values[rows]).square()
        return (error * asked).sum(2) / asked.sum(2).clamp_min(1.0)
