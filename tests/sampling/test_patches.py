"""Patches are what lies round a cell, in the order of the axes, and cells are where points lie."""

import numpy as np
import pytest

from gossan.data.grids.grid import add_layer, cell_centres, make_grid
from gossan.sampling import TrainingSet, cells_of, layer_volume, patches_at

GRID = make_grid((500, 600, 900, 980), (5, 10, 10), elevations=(-20, 20))  # 8 x 8 x 10


@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_the_centre_of_each_cell_lies_in_it(rotation):
    grid = make_grid((500, 600, 900, 980), (5, 10, 10), elevations=(-20, 20), rotation=rotation)
    cells = cells_of(grid, cell_centres(grid))
    expected = np.stack(np.unravel_index(np.arange(640), (8, 8, 10)), axis=1)
    np.testing.assert_array_equal(cells, expected)


def test_points_outside_or_unknown_are_in_no_cell():
    cells = cells_of(GRID, [[499.0, 950.0, 0.0], [550.0, 950.0, 99.0], [np.nan, 950.0, 0.0]])
    assert (cells == -1).all()
    with pytest.raises(ValueError, match=r"shape \(n, 3\)"):
        cells_of(GRID, [[550.0, 950.0]])


def test_a_patch_is_the_block_round_its_cell():
    rng = np.random.default_rng(0)
    grid = add_layer(add_layer(GRID, "Au", rng.normal(size=640)), "Sb", rng.normal(size=640))
    volume = layer_volume(grid, ["Sb", "Au"])
    assert volume.shape == (2, 8, 8, 10)
    patches, is_whole = patches_at(volume, [[3, 4, 5], [0, 4, 5], [7, 7, 9], [2, 2, 2]], 5)
    assert is_whole.tolist() == [True, False, False, True]
    np.testing.assert_array_equal(patches[0], volume[:, 1:6, 2:7, 3:8])
    np.testing.assert_array_equal(patches[1], volume[:, 0:5, 0:5, 0:5])
    with pytest.raises(ValueError, match="no layer 'As'"):
        layer_volume(grid, ["As"])


def test_a_patch_with_a_gap_is_left_out():
    volume = np.ones((1, 7, 7))
    volume[0, 0, 0] = np.nan
    patches, is_whole = patches_at(volume, [[1, 1], [3, 3]], 3)
    assert is_whole.tolist() == [False, True]
    assert patches.shape == (1, 1, 3, 3)


def test_a_volume_smaller_than_a_patch_has_none():
    patches, is_whole = patches_at(np.ones((2, 3, 3)), [[1, 1]], 5)
    assert patches.shape == (0, 2, 5, 5)
    assert not is_whole.any()


def test_sizes_must_be_odd():
    with pytest.raises(ValueError, match="odd size"):
        patches_at(np.ones((1, 9, 9)), [[4, 4]], 4)
    with pytest.raises(ValueError, match="cells must have shape"):
        patches_at(np.ones((1, 9, 9)), [[4, 4, 4]], 3)


def test_a_training_set_is_cut_alike_in_all_its_arrays():
    data = TrainingSet(np.eye(3), [0, 1, 0], np.zeros((3, 2)), list("ABA"), ("a", "b", "c"))
    part = data.part(data.groups == "A")
    assert len(part) == 2
    assert part.X.tolist() == [[1, 0, 0], [0, 0, 1]]
    with pytest.raises(ValueError, match="must match"):
        TrainingSet(np.eye(3), [0, 1], np.zeros((3, 2)), list("ABA"), ("a", "b", "c"))
    with pytest.raises(ValueError, match="2 features that are named"):
        TrainingSet(np.eye(3), [0, 1, 0], np.zeros((3, 2)), list("ABA"), ("a", "b"))
