"""Convolution and LSTM whose every weight has a leading member axis, and the network built of them.

Sequences of shape (members, batch, steps, channels) and the steps that are there come in; outputs
of shape (members, batch, n_out) go out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gossan.nets._layers import Draws, MemberLinear

FORGET_BIAS = 1.0  # an LSTM remembers at first (Gers et al. 2000)


class MemberConv1d(nn.Module):
    """Convolution along the steps, as long as its input: zeros stand beyond both ends."""

    def __init__(self, n_members: int, n_in: int, n_out: int, *, width: int) -> None:
        super().__init__()
        self.width = width
        self.linear = MemberLinear(n_members, n_in * width, n_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (members, batch, steps, n_in) to (members, batch, steps, n_out)."""
        members, batch, steps, _ = x.shape
        before = (self.width - 1) // 2
        padded = nn.functional.pad(x, (0, 0, before, self.width - 1 - before))
        windows = [padded[:, :, i : i + steps] for i in range(self.width)]
        out = self.linear(torch.cat(windows, dim=3).view(members, batch * steps, -1))
        return out.view(members, batch, steps, -1)


class MemberBiLSTM(nn.Module):
    """Long short-term memory read in both directions: the last state of each."""

    def __init__(self, n_members: int, n_in: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.inputs = MemberLinear(n_members, n_in, 8 * hidden)  # four gates, two directions
        self.first = _Recurrence(n_members, hidden)
        self.last = _Recurrence(n_members, hidden)

    def forward(self, x: Tensor, is_there: Tensor) -> Tensor:
        """Map (members, batch, steps, n_in) to (members, batch, 2 hidden).

        A step that is not there (`is_there` (members, batch, steps) is 0) leaves the state as it
        was.
        """
        members, batch, steps, n_in = x.shape
        gates = self.inputs(x.reshape(members, batch * steps, n_in))
        gates = gates.view(members, batch, steps, 2, 4 * self.hidden)
        both = torch.stack([gates[:, :, :, 0], gates[:, :, :, 1].flip(2)], dim=1)
        both = both + torch.stack([self.first.bias, self.last.bias], dim=1)[:, :, :, None]
        both = both.view(2 * members, batch, steps, -1).permute(2, 0, 1, 3)
        there = torch.stack([is_there, is_there.flip(2)], dim=1)
        there = there.view(2 * members, batch, steps, 1).permute(2, 0, 1, 3)
        weight = torch.stack([self.first.weight, self.last.weight], dim=1).view(
            2 * members, self.hidden, -1
        )
        state = memory = x.new_zeros(2 * members, batch, self.hidden)
        for now, keep in zip(both.unbind(0), there.unbind(0), strict=True):
            gate = torch.baddbmm(now, state, weight)  # (2 members, batch, 4 hidden)
            opened, new = (
                gate[..., : 3 * self.hidden].sigmoid(),
                gate[..., 3 * self.hidden :].tanh(),
            )
            enter, forget, leave = opened.chunk(3, dim=2)
            memory = torch.lerp(memory, forget * memory + enter * new, keep)
            state = torch.lerp(state, leave * memory.tanh(), keep)
        ends = state.view(members, 2, batch, self.hidden)
        return torch.cat([ends[:, 0], ends[:, 1]], dim=2)


class _Recurrence(MemberLinear):
    """Weights of one direction from state to gates (enter, forget, leave, new)."""

    def __init__(self, n_members: int, hidden: int) -> None:
        super().__init__(n_members, hidden, 4 * hidden)

    def initialise(self, draws: Draws) -> None:
        """Draw orthogonal weights for each gate; the forget gate starts open."""
        members, hidden, _ = self.weight.shape
        with torch.no_grad():
            normal = draws.normal(4, hidden, hidden)  # (members, 4, hidden, hidden)
            orthogonal, upper = torch.linalg.qr(normal)
            signs = torch.diagonal(upper, dim1=2, dim2=3).sign()[:, :, None]
            self.weight.copy_((orthogonal * signs).permute(0, 2, 1, 3).reshape(members, hidden, -1))
            self.bias.zero_()
            self.bias[:, :, hidden : 2 * hidden] = FORGET_BIAS


class _QuietHead(MemberLinear):
    """Last layer that says nothing at first: the network starts as its baseline."""

    def initialise(self, draws: Draws) -> None:
        """Set weights and biases to zero; a draw is made and dropped as every layer makes one."""
        draws.uniform(1)
        with torch.no_grad():
            self.weight.zero_()
            self.bias.zero_()


class NeighbourNetwork(nn.Module):
    """Conv1D, BiLSTM and a head: shift and log spread of each element.

    Parameters
    ----------
    n_members, n_in, n_out : int
        Networks side by side, channels, outputs a row.
    filters, width : int
        Channels and steps of the convolution.
    hidden : int
        Size of the LSTM state, of each direction.
    dropout : float
        Share of the LSTM's answer dropped in training.
    sees_first : bool
        Whether the head also sees the first step; it then starts at zero, as the baseline.
    """

    def __init__(
        self,
        n_members: int,
        n_in: int,
        n_out: int,
        *,
        filters: int,
        width: int,
        hidden: int,
        dropout: float,
        sees_first: bool = True,
    ) -> None:
        super().__init__()
        self.dropout, self.sees_first = dropout, sees_first
        self.conv = MemberConv1d(n_members, n_in, filters, width=width)
        self.lstm = MemberBiLSTM(n_members, filters, hidden)
        head, extra = (_QuietHead, n_in) if sees_first else (MemberLinear, 0)
        self.head = head(n_members, 2 * hidden + extra, n_out)

    def forward(self, x: Tensor, is_there: Tensor, draws: Draws | None = None) -> Tensor:
        """Map (members, batch, steps, n_in) to (members, batch, n_out); dropout in training."""
        steps = torch.relu(self.conv(x))  # (members, batch, steps, filters)
        read = self.lstm(steps, is_there)  # (members, batch, 2 hidden)
        if self.training and self.dropout > 0.0 and draws is not None:
            read = read * draws.kept(1.0 - self.dropout, *read.shape[1:])
        return self.head(torch.cat([read, x[:, :, 0]], dim=2) if self.sees_first else read)


def gaussian_crps(y: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Return the CRPS of normal distributions (Gneiting & Raftery 2007, Eq. 21)."""
    z = (y - mean) / std
    density = torch.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    below = 0.5 * (1.0 + torch.erf(z / math.sqrt(2.0)))
    return std * (z * (2.0 * below - 1.0) + 2.0 * density - 1.0 / math.sqrt(math.pi))
