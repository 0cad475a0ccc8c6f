"""Edges are filled with what is nearest, told as a share, and the same in tiles as in one piece."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gossan.sampling import edge_fraction, fill_edges

FIELDS = st.sampled_from([1, 3, 5, 9])


def holed(seed, shape=(23, 31), share=0.3, channels=2):
    """Return layers with speckles and a large hole without data."""
    rng = np.random.default_rng(seed)
    volume = rng.normal(size=(channels, *shape)).astype(np.float32)
    volume[:, rng.random(shape) < share * rng.random()] = np.nan
    y, x = rng.integers(shape[0]), rng.integers(shape[1])
    volume[:, max(0, y - 6) : y + 6, max(0, x - 6) : x + 6] = np.nan
    return volume


def test_a_straight_edge_by_hand():
    volume = np.arange(12.0).reshape(1, 2, 6)
    volume[:, :, 3:] = np.nan
    filled, share = fill_edges(volume, 3)
    assert_array_equal(filled[0], [[0, 1, 2, 2, 2, np.nan], [6, 7, 8, 8, 8, np.nan]])
    # Two rows of a map: a third of each field lies beyond it; then a column, then two.
    assert_allclose(share[0], [5 / 9, 3 / 9, 5 / 9, 7 / 9, 1, 1], rtol=1e-6)


def test_the_nearest_is_by_distance_on_the_ground_and_ties_go_to_the_first_row():
    volume = np.full((1, 5, 5), np.nan)
    volume[0, 2, 0], volume[0, 0, 2], volume[0, 3, 3] = 1.0, 2.0, 3.0
    assert fill_edges(volume, 5)[0][0, 2, 2] == 3.0  # a diagonal step is nearer than two straight
    volume[0, 3, 3] = np.nan
    assert fill_edges(volume, 5)[0][0, 2, 2] == 2.0


def test_a_cell_keeps_the_layers_that_it_has():
    volume = np.ones((2, 3, 3))
    volume[0, 1, 1], volume[1, 1, 1] = np.nan, 7.0
    filled, share = fill_edges(volume, 3)
    assert_array_equal(filled[:, 1, 1], [1.0, 7.0])
    assert share[1, 1] == pytest.approx(1 / 9)


def test_a_field_of_one_cell_needs_no_neighbours():
    volume = holed(0)
    filled, share = fill_edges(volume, 1)
    assert_array_equal(filled, volume)
    assert_array_equal(share, np.isnan(volume[0]))


@given(st.integers(0, 10_000), FIELDS)
def test_the_share_is_that_of_each_window_counted_one_by_one(seed, field):
    missing = np.isnan(holed(seed)[0])
    half = field // 2
    padded = np.pad(missing, half, constant_values=True)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (field, field))
    assert_allclose(edge_fraction(~missing, field), windows.mean(axis=(2, 3)), atol=1e-6)


@given(st.integers(0, 10_000), FIELDS, st.integers(4, 16))
def test_tiles_with_a_halo_of_the_field_give_what_the_whole_gives(seed, field, tile):
    volume = holed(seed)
    half, (ny, nx) = field // 2, volume.shape[1:]
    around = ((0, 0), (half, half), (half, half))
    whole, share = fill_edges(np.pad(volume, around, constant_values=np.nan), field)
    halo = np.pad(volume, ((0, 0), (field, field), (field, field)), constant_values=np.nan)
    for y in range(0, ny, tile):
        for x in range(0, nx, tile):
            h, w = min(tile, ny - y), min(tile, nx - x)
            filled, part = fill_edges(halo[:, y : y + h + 2 * field, x : x + w + 2 * field], field)
            # What the windows of the tile's cells read: half a field more on each side.
            rim = field - half
            assert_array_equal(
                filled[:, rim : rim + h + 2 * half, rim : rim + w + 2 * half],
                whole[:, y : y + h + 2 * half, x : x + w + 2 * half],
            )
            assert_array_equal(
                part[field : field + h, field : field + w],
                share[half + y : half + y + h, half + x : half + x + w],
            )


@given(st.integers(0, 10_000), st.sampled_from([3, 5]))
def test_every_cell_with_half_its_field_has_a_whole_window(seed, field):
    volume, half = holed(seed), field // 2
    around = ((0, 0), (half, half), (half, half))
    filled, share = fill_edges(np.pad(volume, around, constant_values=np.nan), field)
    windows = np.lib.stride_tricks.sliding_window_view(filled[0], (field, field))
    inner = (slice(half, -half), slice(half, -half))
    assert not np.isnan(windows[share[inner] <= 0.5]).any()


def test_the_callers_layers_stay_as_they_were():
    volume = holed(1)
    before = volume.copy()
    fill_edges(volume, 5)
    assert_array_equal(volume, before)


@pytest.mark.parametrize(
    ("volume", "field", "message"),
    [
        (np.ones((3, 3)), 3, r"shape \(channels, ny, nx\), got \(3, 3\)"),
        (np.ones((1, 3, 3)), 4, "odd number of cells, got 4"),
        (np.ones((1, 3, 3)), -1, "odd number of cells, got -1"),
    ],
)
def test_what_is_no_volume_or_field_is_refused(volume, field, message):
    with pytest.raises(ValueError, match=message):
        fill_edges(volume, field)
