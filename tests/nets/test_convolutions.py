"""Convolutions as matrix products give what torch's give, forwards and backwards."""

import numpy as np
import pytest
import torch

from gossan.nets import DeepAutoencoder, StudentTeacherDetector, _patch_forward, _unfold
from gossan.nets._convolutions import MemberAutoencoder, MemberConv, MemberDeconv
from gossan.nets._layers import Draws, initialise


def layer_and_input(kind, shape, n_in, n_out, members=2):
    layer = kind(members, n_in, n_out)
    layer.initialise(Draws(range(members)))
    with torch.no_grad():
        layer.bias.copy_(torch.randn(layer.bias.shape, generator=torch.Generator().manual_seed(0)))
    x = torch.randn((members, 3, *shape, n_in), generator=torch.Generator().manual_seed(1))
    return layer, x.requires_grad_()


def by_torch(layer, x, transposed):
    """Return the same by torch's own convolution, member by member."""
    run = torch.nn.functional.conv_transpose3d if transposed else torch.nn.functional.conv3d
    parts = [
        run(part.permute(0, 4, 1, 2, 3), weight.permute(4, 3, 0, 1, 2), bias[0])
        for part, weight, bias in zip(x, layer.weight, layer.bias, strict=True)
    ]
    return torch.stack(parts).permute(0, 1, 3, 4, 5, 2)


@pytest.mark.parametrize("shape", [(3, 3, 3), (7, 7, 7), (4, 6, 5)])
@pytest.mark.parametrize("kind", [MemberConv, MemberDeconv])
def test_convolutions_and_their_gradients_are_those_of_torch(kind, shape):
    layer, x = layer_and_input(kind, shape, 2, 3)
    out, expected = layer(x), by_torch(layer, x, kind is MemberDeconv)
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)
    slope = torch.randn(out.shape, generator=torch.Generator().manual_seed(2))
    wanted = (x, layer.weight, layer.bias)
    for ours, theirs in zip(
        torch.autograd.grad(out, wanted, slope),
        torch.autograd.grad(expected, wanted, slope),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_a_convolution_of_ones_counts_its_cells():
    out = _patch_forward.convolve(
        np.ones((1, 1, 3, 3, 3, 2), np.float32),
        np.ones((1, 3, 3, 3, 2, 1), np.float32),
        np.full((1, 1, 1), 0.5, np.float32),
    )
    assert out.ravel().tolist() == [27 * 2 + 0.5]


def test_scatter_is_the_transpose_of_gather_and_unbanded_of_banded():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 4, 5, 6, 2)).astype(np.float32)
    rows = _unfold.gather(x)
    other = rng.normal(size=rows.shape).astype(np.float32)
    back = _unfold.scatter(other, x.shape)
    assert np.vdot(rows, other) == pytest.approx(np.vdot(x, back), rel=1e-4)
    kernel = rng.normal(size=(2, 3, 3, 3, 2, 4)).astype(np.float32)
    band = _unfold.banded(kernel, 6)
    other = rng.normal(size=band.shape).astype(np.float32)
    back = _unfold.unbanded(other, 6, 2)
    assert np.vdot(band, other) == pytest.approx(np.vdot(kernel, back), rel=1e-4)


def test_the_plain_arrays_say_what_the_network_says():
    network = MemberAutoencoder(2, 3, widths=(4, 5), is_patch=True)
    initialise(network, Draws([0, 1]))
    weights = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    x = np.random.default_rng(0).normal(size=(6, 7, 7, 7, 3)).astype(np.float32)
    shapes = _patch_forward.network_shapes(3, (4, 5), n_members=2, is_patch=True, decodes=True)
    assert {name: value.shape for name, value in weights.items()} == shapes
    given = torch.from_numpy(np.stack([x, x]))
    with torch.no_grad():
        out, features = network(given).numpy(), network.encode(given)
    ours = _patch_forward.encode(weights, x[None])
    for theirs, own in zip(features, ours, strict=True):
        np.testing.assert_allclose(own, theirs.numpy(), atol=1e-5)
    np.testing.assert_allclose(_patch_forward.decode(weights, ours[-1]), out, atol=1e-5)
    errors = _patch_forward.reconstruction_errors(weights, x)
    np.testing.assert_allclose(errors, ((out - x) ** 2).mean(axis=(2, 3, 4, 5)), rtol=1e-4)


def test_features_of_a_block_are_those_of_its_patches():
    network = MemberAutoencoder(2, 2, widths=(3, 4), decodes=False)
    initialise(network, Draws([0, 1]))
    weights = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    block = np.random.default_rng(0).normal(size=(6, 7, 8, 2)).astype(np.float32)
    of_block = _patch_forward.features_of_block(weights, block)
    patch = _patch_forward.encode(weights, block[None, None, 1:6, 2:7, 3:8])
    np.testing.assert_allclose(of_block[0][:, 1:4, 2:5, 3:6], patch[0][:, 0], atol=1e-5)
    np.testing.assert_allclose(of_block[1][:, 1, 2, 3], patch[1][:, 0, 0, 0, 0], atol=1e-5)


def test_a_box_mean_is_the_mean_of_its_cube_and_a_gap_spoils_its_cubes_only():
    values = np.arange(4.0**3).reshape(4, 4, 4)
    means = _patch_forward.box_mean(values, 3)
    assert means.shape == (2, 2, 2)
    assert means[1, 0, 1] == pytest.approx(values[1:4, 0:3, 1:4].mean())
    values[0, 0, 0] = np.nan
    means = _patch_forward.box_mean(values, 3)
    assert np.isnan(means).sum() == 1
    assert np.isnan(means[0, 0, 0])


def test_unit_length_leaves_a_silent_cell_at_zero():
    found = _patch_forward.unit_length(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0.0, 0.0]], atol=1e-7)


def test_a_single_channel_is_gathered_whatever_its_stride_says():
    cells = np.arange(2 * 5 * 5 * 5, dtype=np.float32).reshape(1, 2, 5, 5, 5, 1)
    shown = np.lib.stride_tricks.as_strided(cells, cells.shape, (*cells.strides[:5], 4096))
    assert shown.flags.c_contiguous  # an axis of one has any stride
    assert np.array_equal(_unfold.gather(shown), _unfold.gather(cells))
    assert np.array_equal(_unfold.windows(shown[0, 0]), _unfold.windows(cells[0, 0]))


def test_networks_learn_from_a_single_channel():
    X = np.random.default_rng(0).uniform(size=(60, 1, 7, 7, 7)).astype(np.float32)
    for model in (
        DeepAutoencoder(epochs=2, random_state=0),
        StudentTeacherDetector(epochs=2, teacher_epochs=2, random_state=0),
    ):
        assert np.isfinite(model.fit(X).score_samples(X)).all()
