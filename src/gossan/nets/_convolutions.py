"""Convolutional encoders and decoders of many members at once, for patches of a block model.

Patches of shape (members, batch, z, y, x, channels), or vectors of shape (members, batch,
features), come in; features and reconstructions go out. Weights are named as `_patch_forward`
reads them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gossan.nets._layers import Draws, MemberLinear
from gossan.nets._patch_forward import convolve, spread
from gossan.nets._unfold import KERNEL, banded, gather, scatter, unbanded

LEAK = 0.1  # slope of a student's gradient where its unit is silent


class MemberAutoencoder(nn.Module):
    """Convolutions down to a code and transposed ones back up; ReLU after all but the last.

    The code of a vector is not rectified either: of its two or three units, ReLU would kill one
    for good in half of all starts. The first batch in training sets the biases so that each hidden
    unit answers zero on average: indicators are all positive, and without this half of the units
    would be silent from the start, or never, and a student could not learn what its teacher says.

    Parameters
    ----------
    n_members, n_in : int
        Networks side by side, channels (or features) of the input.
    widths : sequence of int
        Channels of the encoder layers; the decoder mirrors them.
    is_patch : bool
        Whether layers are 3 x 3 x 3 convolutions; else they are dense.
    decodes : bool
        Whether there is a decoder.
    """

    def __init__(
        self,
        n_members: int,
        n_in: int,
        *,
        widths: Sequence[int],
        is_patch: bool = True,
        decodes: bool = True,
    ) -> None:
        super().__init__()
        self.is_patch, self.is_awake = is_patch, False
        down, up = (MemberConv, MemberDeconv) if is_patch else (MemberHeLinear, MemberHeLinear)
        pairs = list(pairwise((n_in, *widths)))
        self.encoder = nn.ModuleList([down(n_members, a, b) for a, b in pairs])
        mirrored = [(b, a) for a, b in pairs[::-1]] if decodes else []
        self.decoder = nn.ModuleList([up(n_members, a, b) for a, b in mirrored])

    def encode(self, x: Tensor) -> list[Tensor]:
        """Return the output of each encoder layer."""
        features = []
        for i, layer in enumerate(self.encoder):
            x = self._awake(layer, x)  # (members, batch, z - 2, y - 2, x - 2, width)
            if self.is_patch or i + 1 < len(self.encoder):
                x = torch.relu_(x) if len(self.decoder) else _LeakingRelu.apply(x)
            features.append(x)
        self.is_awake = self.is_awake or not len(self.decoder)
        return features

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction of `x`, of its shape."""
        x = self.encode(x)[-1]
        for i, layer in enumerate(self.decoder):
            x = self._awake(layer, x)
            if i + 1 < len(self.decoder):
                x = torch.relu_(x)
        self.is_awake = True
        return x

    def _awake(self, layer: Any, x: Tensor) -> Tensor:
        """Return what a layer answers; the first batch sets its biases before it does."""
        if self.training and not self.is_awake:
            with torch.no_grad():
                layer.bias.sub_(layer(x).flatten(1, -2).mean(1, keepdim=True))
        return layer(x)


class MemberConv(nn.Module):
    """Valid 3 x 3 x 3 convolution of every member."""

    transposed = False

    def __init__(self, n_members: int, n_in: int, n_out: int) -> None:
        super().__init__()
        ends = (n_out, n_in) if self.transposed else (n_in, n_out)
        self.fan_in = KERNEL**3 * n_in
        self.weight = nn.Parameter(torch.empty(n_members, KERNEL, KERNEL, KERNEL, *ends))
        self.bias = nn.Parameter(torch.zeros(n_members, 1, n_out))

    def initialise(self, draws: Draws) -> None:
        """Draw He-uniform weights and set the biases to zero."""
        _he_uniform(self.weight, draws, self.fan_in)
        with torch.no_grad():
            self.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Map (members, batch, z, y, x, n_in) to (members, batch, z - 2, y - 2, x - 2, n_out)."""
        return _Convolve.apply(x, self.weight, self.bias)


class MemberDeconv(MemberConv):
    """Transposed 3 x 3 x 3 convolution of every member: each side two cells longer."""

    transposed = True

    def forward(self, x: Tensor) -> Tensor:
        """Map (members, batch, z, y, x, n_in) to (members, batch, z + 2, y + 2, x + 2, n_out)."""
        return _Spread.apply(x, self.weight, self.bias)


class MemberHeLinear(MemberLinear):
    """Dense layer of every member, for ReLU."""

    def initialise(self, draws: Draws) -> None:
        """Draw He-uniform weights and set the biases to zero."""
        _he_uniform(self.weight, draws, self.weight.shape[1])
        with torch.no_grad():
            self.bias.zero_()


class _LeakingRelu(torch.autograd.Function):
    """ReLU in place, whose gradient leaks through silent units: they can still learn to speak.

    For students, each of whose units has a unit of the teacher to follow. An autoencoder would run
    away with it.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        out = x.clamp_min_(0.0)
        ctx.mark_dirty(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (out,) = ctx.saved_tensors
        return torch.ops.aten.leaky_relu_backward(grads[0], out, LEAK, True)


class _Convolve(torch.autograd.Function):
    """Valid convolution by numpy's BLAS (torch's own is slow on the transposed one)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        values, kernel, shift = (each.detach().numpy() for each in (x, weight, bias))
        return torch.from_numpy(convolve(values, kernel, shift))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = (saved.detach().numpy() for saved in ctx.saved_tensors)
        nx, c = x.shape[4:]
        grad = grads[0].contiguous().numpy()
        rows = grad.reshape(len(grad), -1, grad.shape[4] * grad.shape[5])
        grad_weight = unbanded(np.matmul(gather(x).transpose(0, 2, 1), rows), nx, c)
        grad_x = None
        if ctx.needs_input_grad[0]:
            back = np.matmul(rows, banded(weight, nx).transpose(0, 2, 1))
            grad_x = torch.from_numpy(scatter(back, x.shape))
        return grad_x, torch.from_numpy(grad_weight), grads[0].flatten(1, 4).sum(1, keepdim=True)


class _Spread(torch.autograd.Function):
    """Transposed convolution: the backward pass of `_Convolve` as the forward one."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        values, kernel, shift = (each.detach().numpy() for each in (x, weight, bias))
        return torch.from_numpy(spread(values, kernel, shift))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = (saved.detach().numpy() for saved in ctx.saved_tensors)
        nx = x.shape[4] + 2
        rows = gather(grads[0].contiguous().numpy())  # (members, batch z y, 9 x channels)
        inner = x.reshape(len(x), -1, x.shape[4] * x.shape[5])
        grad_weight = unbanded(np.matmul(rows.transpose(0, 2, 1), inner), nx, weight.shape[4])
        grad_x = torch.from_numpy(np.matmul(rows, banded(weight, nx)).reshape(x.shape))
        return grad_x, torch.from_numpy(grad_weight), grads[0].flatten(1, 4).sum(1, keepdim=True)


def _he_uniform(weight: Tensor, draws: Draws, fan_in: int) -> None:
    bound = math.sqrt(6.0 / fan_in)
    with torch.no_grad():
        weight.copy_((2.0 * draws.uniform(*weight.shape[1:]) - 1.0) * bound)
