import math

import numpy as np
import pytest
import torch

from gossan.nets._compiled import (
    ACTIVATION_CODES,
    _activate,
    fill_mask,
    kept_of_65536,
    later,
    words_for,
)
from gossan.nets._layers import (
    ACTIVATIONS,
    Draws,
    MemberBatchNorm,
    MemberDense,
    MemberLinear,
    _Affine,
    _NormaliseBatch,
    initialise,
)

MEMBERS, BATCH, N_IN, N_OUT = 3, 6, 5, 4


def leaf(*shape, seed=0):
    """Return normal numbers that collect a gradient."""
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return numbers.requires_grad_()


def gradients(outputs, leaves):
    """Return the gradient of a fixed weighted sum of the outputs at each leaf."""
    weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(9))
    (outputs * weights).sum().backward()
    found = [leaf.grad.clone() for leaf in leaves]
    for each in leaves:
        each.grad = None
    return found


def test_affine_and_its_gradients_equal_those_of_torch():
    x, weight, bias = (
        leaf(MEMBERS, BATCH, N_IN),
        leaf(MEMBERS, N_IN, N_OUT),
        leaf(MEMBERS, 1, N_OUT),
    )
    ours, theirs = _Affine.apply(x, weight, bias), torch.baddbmm(bias, x, weight)
    torch.testing.assert_close(ours, theirs)
    for a, b in zip(
        gradients(ours, (x, weight, bias)), gradients(theirs, (x, weight, bias)), strict=True
    ):
        torch.testing.assert_close(a, b)


def test_affine_leaves_frozen_weights_without_a_gradient():
    x, weight, bias = (
        leaf(MEMBERS, BATCH, N_IN),
        leaf(MEMBERS, N_IN, N_OUT),
        leaf(MEMBERS, 1, N_OUT),
    )
    _Affine.apply(x, weight.detach(), bias).sum().backward()
    assert weight.grad is None
    torch.testing.assert_close(x.grad, weight.detach().sum(2)[:, None].expand_as(x))


def test_batch_norm_and_its_gradients_equal_those_of_torch():
    x, gain, shift = leaf(1, BATCH, N_IN), leaf(1, 1, N_IN, seed=1), leaf(1, 1, N_IN, seed=2)
    ours, mean, variance = _NormaliseBatch.apply(x, gain, shift, 1e-3)
    theirs = torch.nn.functional.batch_norm(
        x[0], None, None, gain.flatten(), shift.flatten(), training=True, eps=1e-3
    )[None]
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(mean, x.mean(1, keepdim=True))
    torch.testing.assert_close(variance, x.var(1, keepdim=True, correction=0))
    pairs = zip(gradients(ours, (x, gain, shift)), gradients(theirs, (x, gain, shift)), strict=True)
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_batch_norm_follows_the_batches_and_uses_them_when_not_training():
    norm = MemberBatchNorm(1, 1, momentum=0.25, eps=0.0)
    norm.initialise(Draws([0]))
    norm(torch.tensor([[[1.0], [3.0]]]))  # mean 2, variance 1
    assert norm.mean.item() == pytest.approx(0.5)
    assert norm.variance.item() == pytest.approx(1.0)
    norm.eval()
    assert norm(torch.tensor([[[2.5]]])).item() == pytest.approx(2.0)


@pytest.mark.parametrize("name", ACTIVATION_CODES)
def test_activations_and_their_slopes_equal_those_of_torch(name):
    x = torch.linspace(-12.0, 12.0, 4001, requires_grad=True)
    theirs = getattr(torch.nn.functional, name)(x)
    theirs.sum().backward()
    torch.testing.assert_close(ACTIVATIONS[name](x), theirs, rtol=1e-5, atol=2e-7)
    z, slope = x.detach().numpy().copy(), np.empty(4001, np.float32)
    _activate(z, slope, ACTIVATION_CODES[name])
    np.testing.assert_allclose(z, theirs.detach(), rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(slope, x.grad, atol=3e-6)


def test_compiled_tanh_is_exact_to_float32_and_lets_nan_through():
    x = np.linspace(-20.0, 20.0, 100_001).astype(np.float32)
    exact, ours = np.tanh(x.astype(np.float64)), x.copy()
    _activate(ours, np.empty_like(x), ACTIVATION_CODES["tanh"])
    assert np.abs(ours - exact).max() < 4e-7
    lost = np.array([np.nan, 0.0], dtype=np.float32)
    _activate(lost, np.empty_like(lost), ACTIVATION_CODES["tanh"])
    assert np.isnan(lost[0])
    assert lost[1] == 0.0


def test_dropout_keeps_its_share_and_the_mean():
    mask = Draws([1, 2]).kept(0.9, 1000, 50)
    kept = (mask > 0).float().mean((1, 2))
    error = 4 * math.sqrt(0.9 * 0.1 / 50_000)
    assert kept.tolist() == pytest.approx([0.9, 0.9], abs=error)
    assert mask.mean().item() == pytest.approx(1.0, abs=2 * error)
    assert mask.unique().tolist() == pytest.approx([0.0, 1 / 0.9], rel=1e-4)


def test_dropout_masks_do_not_repeat_between_steps_columns_or_members():
    draws = Draws([1, 2])
    masks = torch.stack([draws.kept(0.5, 64, 64) for _ in range(4)]).transpose(0, 1).flatten(0, 1)
    signs = (masks.flatten(1) > 0).float() * 2 - 1  # (masks, 4096)
    overlap = (signs @ signs.T / 4096 - torch.eye(8)).abs().max().item()
    assert overlap < 5 / math.sqrt(4096)
    neighbours = (signs[:, 1:] * signs[:, :-1]).mean(1).abs().max().item()
    assert neighbours < 5 / math.sqrt(4096)


def test_random_bits_are_those_of_splitmix64():
    # First outputs of the reference implementation for the seed 1234567 (Vigna).
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    bits, mask = np.empty(3, np.uint64), np.empty(12, np.float32)
    fill_mask(mask, bits, np.uint64(1234567), 32768)
    assert bits.tolist() == published
    after = later(np.array([1234567], dtype=np.uint64), 2)
    fill_mask(mask[:4], bits[:1], after[0], 32768)
    assert bits[0] == published[2]


def test_a_member_draws_the_same_whatever_its_neighbours():
    alone, together = Draws([7]), Draws([3, 7, 9])
    for draw in (
        lambda d: d.kept(0.8, 3, 5),
        lambda d: d.uniform(4),
        lambda d: d.normal(2, 2),
        lambda d: d.kept(0.8, 2),
    ):
        torch.testing.assert_close(draw(alone)[0], draw(together)[1], rtol=0, atol=0)
    assert words_for(5) == 2
    assert kept_of_65536(0.0) == 1


def test_initial_weights_are_glorot_uniform_and_differ_between_members():
    linear = MemberLinear(2, 300, 200)
    linear.initialise(Draws([0, 1]))
    bound = math.sqrt(6 / 500)
    assert linear.weight.abs().max().item() <= bound
    assert linear.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert not torch.equal(linear.weight[0], linear.weight[1])
    assert not linear.bias.any()


@pytest.mark.parametrize("batch_norm", [True, False])
def test_dense_network_equals_the_plain_one_of_torch(batch_norm):
    network = MemberDense(2, 5, 3, hidden=(8, 4), batch_norm=batch_norm, dropout=0.5)
    initialise(network, Draws([0, 1]))
    network.eval()
    x = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
    for member in range(2):
        plain = plain_network(network, member).eval()
        torch.testing.assert_close(network(x)[member], plain(x[member]), rtol=1e-5, atol=1e-6)


def plain_network(network, member):
    """Return one member of a tanh network without its dropout, in torch's own layers."""
    layers = []
    for i, ours in enumerate([*network.linears, network.head]):
        linear = torch.nn.Linear(*ours.weight.shape[1:])
        linear.weight.data = ours.weight[member].detach().T.contiguous()
        linear.bias.data = ours.bias[member, 0].detach().clone()
        layers.append(linear)
        if ours is not network.head:
            layers.append(torch.nn.Tanh())
            if len(network.norms):
                width = ours.weight.shape[2]
                layers.append(torch.nn.BatchNorm1d(width, eps=1e-3, momentum=0.01))
                assert network.norms[i].gain.shape == (len(ours.weight), 1, width)
    return torch.nn.Sequential(*layers)
