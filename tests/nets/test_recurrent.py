"""Member-axis Conv1D and BiLSTM: equal to torch's own, to numpy's answer, and blind to padding."""

import numpy as np
import pytest
import torch
from torch import nn

from gossan.nets._layers import Draws, initialise
from gossan.nets._recurrent import MemberBiLSTM, MemberConv1d, NeighbourNetwork, gaussian_crps
from gossan.nets._recurrent_forward import recurrent_outputs, recurrent_shapes
from gossan.validation.intervals import crps_gaussian

MEMBERS, BATCH, STEPS, CHANNELS, HIDDEN = 3, 7, 5, 4, 6
SIZES = {"filters": 8, "width": 3, "hidden": HIDDEN}


@pytest.fixture
def x():
    return torch.randn(MEMBERS, BATCH, STEPS, CHANNELS, generator=torch.Generator().manual_seed(0))


def drawn(module):
    """Return the module with weights drawn, and none of them zero."""
    initialise(module, Draws([1, 2, 3]))
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.01)
    return module


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_the_convolution_is_that_of_torch(x, width):
    ours = drawn(MemberConv1d(MEMBERS, CHANNELS, 2, width=width))
    result = ours(x)
    for member in range(MEMBERS):
        theirs = nn.Conv1d(CHANNELS, 2, width)
        kernel = ours.linear.weight[member].view(width, CHANNELS, 2).permute(2, 1, 0)
        with torch.no_grad():
            theirs.weight.copy_(kernel)
            theirs.bias.copy_(ours.linear.bias[member, 0])
        before = (width - 1) // 2
        padded = nn.functional.pad(x[member].transpose(1, 2), (before, width - 1 - before))
        torch.testing.assert_close(
            theirs(padded).transpose(1, 2), result[member], atol=1e-5, rtol=1e-5
        )


def torch_lstm(ours, member):
    """Return torch's LSTM with the weights of one member; its gates are enter, forget, new, leave."""
    theirs = nn.LSTM(CHANNELS, HIDDEN, bidirectional=True, batch_first=True)
    weight, bias = ours.inputs.weight[member], ours.inputs.bias[member, 0]

    def order(gates):
        enter, forget, leave, new = gates.split(HIDDEN)
        return torch.cat([enter, forget, new, leave])

    with torch.no_grad():
        for place, (suffix, own) in enumerate((("", ours.first), ("_reverse", ours.last))):
            part = slice(place * 4 * HIDDEN, (place + 1) * 4 * HIDDEN)
            getattr(theirs, f"weight_ih_l0{suffix}").copy_(order(weight[:, part].T))
            getattr(theirs, f"bias_ih_l0{suffix}").copy_(order(bias[part]))
            getattr(theirs, f"weight_hh_l0{suffix}").copy_(order(own.weight[member].T))
            getattr(theirs, f"bias_hh_l0{suffix}").copy_(order(own.bias[member, 0]))
    return theirs


def test_the_lstm_is_that_of_torch_in_both_directions(x):
    ours = drawn(MemberBiLSTM(MEMBERS, CHANNELS, HIDDEN))
    result = ours(x, torch.ones(MEMBERS, BATCH, STEPS))
    for member in range(MEMBERS):
        ends = torch_lstm(ours, member)(x[member])[1][0]  # (2, batch, hidden)
        torch.testing.assert_close(
            torch.cat([ends[0], ends[1]], dim=1), result[member], atol=1e-5, rtol=1e-5
        )


def test_steps_that_are_not_there_leave_the_state_as_it_was(x):
    lstm = drawn(MemberBiLSTM(MEMBERS, CHANNELS, HIDDEN))
    there = torch.ones(MEMBERS, BATCH, STEPS)
    there[:, :, 3:] = 0.0
    changed = x.clone()
    changed[:, :, 3:] += 100.0
    short = lstm(x[:, :, :3], there[:, :, :3])
    torch.testing.assert_close(lstm(x, there), short)
    torch.testing.assert_close(lstm(changed, there), short)


def test_gradients_are_those_of_finite_differences(x):
    network = drawn(NeighbourNetwork(MEMBERS, CHANNELS, 2, dropout=0.0, **SIZES))
    there = torch.ones(MEMBERS, BATCH, STEPS)
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    (network(x, there) ** 2).sum().backward()
    for weight in network.parameters():
        place = tuple(size // 2 for size in weight.shape)
        step, sums = 1e-2, []
        for sign in (1.0, -1.0):
            with torch.no_grad():
                weight[place] += sign * step
                sums.append(float((network(x, there) ** 2).sum()))
                weight[place] -= sign * step
        numeric = (sums[0] - sums[1]) / (2 * step)
        assert float(weight.grad[place]) == pytest.approx(numeric, rel=2e-2, abs=2e-2)


def test_members_do_not_depend_on_their_neighbours(x):
    together = NeighbourNetwork(2, CHANNELS, 2, dropout=0.0, sees_first=False, **SIZES)
    initialise(together, Draws([4, 5]))
    alone = NeighbourNetwork(1, CHANNELS, 2, dropout=0.0, sees_first=False, **SIZES)
    initialise(alone, Draws([5]))
    there = torch.ones(2, BATCH, STEPS)
    torch.testing.assert_close(
        together(x[:2], there)[1:], alone(x[1:2], there[:1]), atol=1e-6, rtol=1e-5
    )


def test_weights_are_orthogonal_and_the_forget_gate_is_open_at_first():
    lstm = MemberBiLSTM(2, CHANNELS, HIDDEN)
    initialise(lstm, Draws([1, 2]))
    for gate in lstm.first.weight.split(HIDDEN, dim=2):
        product = gate.transpose(1, 2) @ gate
        torch.testing.assert_close(
            product, torch.eye(HIDDEN).expand(2, -1, -1), atol=1e-5, rtol=0.0
        )
    assert lstm.last.bias[:, 0, HIDDEN : 2 * HIDDEN].eq(1.0).all()


@pytest.mark.parametrize("sees_first", [True, False])
def test_the_answer_without_torch_equals_that_of_the_network(x, sees_first):
    network = drawn(
        NeighbourNetwork(MEMBERS, CHANNELS, 2, dropout=0.5, sees_first=sees_first, **SIZES)
    )
    network.eval()
    there = torch.ones(BATCH, STEPS)
    there[2, 1:] = there[4, 4:] = 0.0
    rows = x[0] * there[..., None]
    with torch.no_grad():
        expected = network(rows.expand(MEMBERS, *rows.shape), there.expand(MEMBERS, -1, -1))
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    shapes = recurrent_shapes(CHANNELS, 2, n_members=MEMBERS, sees_first=sees_first, **SIZES)
    assert {name: value.shape for name, value in weights.items()} == shapes
    ours = recurrent_outputs(weights, rows.numpy(), there.numpy() > 0)
    np.testing.assert_allclose(ours, expected.numpy(), atol=2e-6)


def test_a_network_that_corrects_says_nothing_at_first(x):
    network = NeighbourNetwork(MEMBERS, CHANNELS, 2, dropout=0.0, **SIZES)
    initialise(network, Draws([1, 2, 3]))
    assert not network(x, torch.ones(MEMBERS, BATCH, STEPS)).any()


def test_the_score_in_training_is_the_one_in_validation():
    rng = np.random.default_rng(0)
    y, mean, std = rng.normal(size=(3, 50))
    ours = gaussian_crps(*(torch.from_numpy(each) for each in (y, mean, np.abs(std) + 0.1)))
    np.testing.assert_allclose(ours.numpy(), crps_gaussian(y, mean, np.abs(std) + 0.1))
