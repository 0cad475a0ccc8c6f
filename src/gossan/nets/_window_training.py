"""Training of window networks: many training sets, each with its own scaling and weights.

Windows of shape (n, y, x, channels), labels and training sets come in; the weights of every network
go out as arrays, named as `_window_forward` reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from gossan._weights import row_weights
from gossan.nets._convolutions import MemberHeLinear
from gossan.nets._layers import Draws, MemberLinear
from gossan.nets._training import Member, Recipe, train_members
from gossan.nets._window_forward import KERNEL, POOL, Stage, convolutions

Weights: TypeAlias = dict[str, NDArray[np.float32]]
# Along which axes of (members, batch, y, x, channels) a window is turned over, each time at random.
AXES_TURNED = {"none": (), "flips": ((2,), (3,)), "half_turns": ((2, 3),)}


class Job:
    """One training set of `fit_many`: its rows, classes, scaling, background and members."""

    def __init__(
        self,
        windows: NDArray[np.float32],
        labels: NDArray,
        *,
        train: NDArray[np.intp],
        seed: int,
        groups: NDArray | None,
        sample_weight: NDArray[np.float64] | None,
        start: Any,
        settings: Mapping[str, Any],
    ) -> None:
        if sample_weight is not None:
            train = train[sample_weight[train] > 0]
        self.classes, codes = np.unique(labels[train], return_inverse=True)
        if len(self.classes) != 2:
            raise ValueError(
                f"Windows are told apart in 2 classes, got {self.classes.tolist()[:9]} in"
                f" {len(train)} rows of weight. Check the labels or the split."
            )
        self.codes = np.zeros(len(labels), dtype=np.float32)
        self.codes[train] = codes
        own = windows[train]
        self.center, self.scale = scaling_of(own, settings["scaling"])
        if start is not None:  # the network that goes on learning was trained on this scale
            self.center, self.scale = start.center_, start.scale_
        flat = own[codes == 0].reshape(-1, own.shape[3])
        self.background = background_of(flat)
        drawn = _sampling(labels[train], groups, train, sample_weight, settings["weights"])
        seeds = np.random.default_rng(seed).integers(2**31, size=settings["n_members"])
        self.members = [Member(train, int(each), weights=drawn) for each in seeds]


def train_jobs(
    jobs: Sequence[Job],
    windows: NDArray[np.float32],
    stages: Sequence[Stage],
    *,
    settings: Mapping[str, Any],
    start: Weights | None,
    progress: Callable[[int, int], None] | None,
) -> list[tuple[Weights, NDArray[np.float64]]]:
    """Train the networks of all jobs at once; return weights and losses of each job."""
    keys = ("epochs", "batch_size", "learning_rate", "weight_decay", "schedule")
    each = settings["n_members"]
    n_in = windows.shape[3] + (settings["missing"] == "channel")
    build = partial(_build, n_in=n_in, stages=stages, each=each, start=start, tune=settings["tune"])
    trained = train_members(
        build,
        _Objective(jobs, windows, settings),
        members=[member for job in jobs for member in job.members],
        recipe=Recipe(**{key: settings[key] for key in keys}),
        progress=progress,
    )
    spans = [slice(i * each, (i + 1) * each) for i in range(len(jobs))]
    return [
        (
            {name: value[span].numpy() for name, value in trained.weights.items()},
            trained.losses[span],
        )
        for span in spans
    ]


class WindowNetwork(nn.Module):
    """Valid convolutions of every member down to one cell, and a logit of it."""

    def __init__(self, n_members: int, n_in: int, stages: Sequence[Stage]) -> None:
        super().__init__()
        self.stages, layers = tuple(stages), []
        for stage in convolutions(stages):
            layers.append(MemberHeLinear(n_members, stage.kernel**2 * n_in, stage.n_out))
            n_in = stage.n_out
        self.layers = nn.ModuleList(layers)
        self.head = MemberLinear(n_members, n_in, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (members, batch, field, field, n_in) to logits (members, batch)."""
        return self.head(self.features(x))[:, :, 0]

    def features(self, x: Tensor) -> Tensor:
        """Map (members, batch, field, field, n_in) to what the head reads, (members, batch, n)."""
        layers = iter(self.layers)
        for stage in self.stages:
            if stage == POOL:
                x = _pool(x)  # (members, batch, (y - 1) / 2, (x - 1) / 2, width)
                continue
            rows = x if stage.kernel == 1 else _Gather.apply(x)
            flat = torch.relu_(next(layers)(rows.flatten(1, 3)))
            x = flat.view(*rows.shape[:4], -1)  # (members, batch, y, x, width)
        return x.flatten(1, 3)


class _Gather(torch.autograd.Function):
    """The 3 x 3 cells about each cell, (members, batch, y - 2, x - 2, 9 channels).

    Its gradient adds nine slices; that of torch's `unfold` is several times as slow.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.shape = x.shape
        views = x.unfold(2, KERNEL, 1).unfold(3, KERNEL, 1)  # (..., channels, 3, 3)
        return views.permute(0, 1, 2, 3, 5, 6, 4).flatten(4)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        parts = grads[0].unflatten(4, (KERNEL, KERNEL, -1))
        ny, nx = parts.shape[2:4]
        out = torch.zeros(ctx.shape)
        for i in range(KERNEL):
            for j in range(KERNEL):
                out[:, :, i : i + ny, j : j + nx] += parts[:, :, :, :, i, j]
        return out


def _pool(x: Tensor) -> Tensor:
    """Return the largest of 3 x 3 cells at every second place."""
    for axis in (2, 3):
        views = x.unfold(axis, KERNEL, 2)
        x = views.amax(dim=-1)
    return x


def _build(
    which: Sequence[int],
    *,
    n_in: int,
    stages: Sequence[Stage],
    each: int,
    start: Weights | None,
    tune: str,
) -> WindowNetwork:
    network = WindowNetwork(len(which), n_in, stages)
    if start is None:
        return network
    for name, layer in network.named_modules():
        if isinstance(layer, MemberLinear):
            chosen = np.asarray(which) % each % len(start[f"{name}.weight"])
            weight, bias = (
                torch.from_numpy(start[f"{name}.{part}"][chosen]) for part in ("weight", "bias")
            )
            layer.initialise = partial(_take_over, layer, weight, bias)  # type: ignore[method-assign]
            layer.requires_grad_(tune == "all" or name == "head")
    return network


def _take_over(layer: MemberLinear, weight: Tensor, bias: Tensor, draws: Draws) -> None:  # noqa: ARG001
    """Set the weights that training starts from, in place of drawing them."""
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)


class _Objective:
    """Cross-entropy of each window, with smooth labels, under the networks of its members."""

    def __init__(
        self, jobs: Sequence[Job], windows: NDArray[np.float32], settings: Mapping[str, Any]
    ) -> None:
        each = settings["n_members"]
        self.X = torch.from_numpy(windows)
        self.share = None  # of the elements that are measured in each cell
        if settings["missing"] == "channel":
            self.share = (~self.X.isnan()).float().mean(3, keepdim=True)
        smooth = settings["label_smoothing"]
        codes = _per_member([job.codes for job in jobs], each)
        self.targets = codes * (1.0 - smooth) + 0.5 * smooth  # (members, n)
        self.center = _per_member([job.center for job in jobs], each)
        self.factor = _per_member([1.0 / job.scale for job in jobs], each)
        self.kept = 1.0 - settings["element_dropout"]
        self.turned = AXES_TURNED[settings["augment"]]

    def __call__(self, network: nn.Module, which: Tensor, rows: Tensor, draws: Draws) -> Tensor:
        """Return the loss of each row, shape (members, batch)."""
        factor = self.factor[which][:, None]  # (members, 1, channels)
        if network.training and self.kept < 1.0:  # an element is dropped in the whole window
            factor = factor * draws.kept(self.kept, rows.shape[1], factor.shape[2])
        x = self.X[rows]  # (members, batch, y, x, channels)
        x = x.sub_(self.center[which][:, None, None, None]).mul_(factor[:, :, None, None])
        if self.share is not None:
            x = torch.cat([x.nan_to_num_(nan=0.0), self.share[rows]], dim=4)
        if network.training and self.turned:
            x = turned_over(x, self.turned, draws)
        targets = self.targets[which].gather(1, rows)
        return binary_cross_entropy_with_logits(network(x), targets, reduction="none")


def turned_over(x: Tensor, axes: Sequence[tuple[int, ...]], draws: Draws) -> Tensor:
    """Return windows (members, batch, y, x, channels), each turned over along some axes or not."""
    turned = draws.uniform(x.shape[1], len(axes)) < 0.5  # (members, batch, len(axes))
    for i, together in enumerate(axes):
        x = torch.where(turned[:, :, i, None, None, None], x.flip(together), x)
    return x


def _sampling(
    labels: NDArray,
    groups: NDArray | None,
    train: NDArray[np.intp],
    sample_weight: NDArray[np.float64] | None,
    weights: str,
) -> NDArray[np.float64] | None:
    """Return how often each training row is drawn; None: each once an epoch."""
    if weights == "none" and sample_weight is None:
        return None
    drawn = row_weights(labels, None if groups is None else groups[train], weights=weights)
    return drawn if sample_weight is None else drawn * sample_weight[train]


def scaling_of(
    own: NDArray[np.float32], scaling: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centre and scale of each channel over the cells of the training windows."""
    flat = own.reshape(-1, own.shape[3])
    if scaling == "none":
        return np.zeros(flat.shape[1]), np.ones(flat.shape[1])
    center = np.nan_to_num(_quietly(np.nanmean, flat), nan=0.0)
    scale = _quietly(np.nanstd, flat)
    return center, np.where(scale > 1e-12, scale, 1.0)  # 1 too where nothing was measured


def background_of(flat: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the median of each channel over cells (n, channels); 0 where nothing was measured."""
    return np.nan_to_num(_quietly(np.nanmedian, flat), nan=0.0)


def _quietly(statistic: Callable[..., NDArray], flat: NDArray) -> NDArray[np.float64]:
    """Return a statistic of each channel; of one that is missing throughout NaN, and no warning."""
    found = np.full(flat.shape[1], np.nan)
    has_some = ~np.isnan(flat).all(axis=0)
    found[has_some] = statistic(flat[:, has_some].astype(np.float64), axis=0)
    return found


def _per_member(rows: Sequence[NDArray], each: int) -> Tensor:
    """Return the rows of the jobs repeated for their members, shape (members, n)."""
    return torch.from_numpy(np.repeat(np.stack(rows), each, axis=0).astype(np.float32))
