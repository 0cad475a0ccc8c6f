"""Moved patterns: they keep the shape, stay on the map, and are never where they were by design."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from gossan.validation.patterns import moved_patterns


def _cells(n=40, spacing=100.0):
    axis = spacing * np.arange(n)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def test_a_pattern_keeps_its_distances_but_for_the_snap_to_cells():
    points = np.array([[500.0, 500.0], [900.0, 500.0], [900.0, 1500.0]])
    for rows in moved_patterns(points, _cells(), n_patterns=10, random_state=1):
        moved = pdist(_cells()[rows])
        assert np.abs(moved - pdist(points)).max() <= 100.0 * np.sqrt(2)


def test_patterns_differ_and_a_seed_repeats_them():
    points = np.array([[0.0, 0.0], [300.0, 0.0]])
    first = moved_patterns(points, _cells(), n_patterns=8, random_state=3)
    assert np.array_equal(first, moved_patterns(points, _cells(), n_patterns=8, random_state=3))
    assert len({tuple(row) for row in first}) > 4


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(0, 2**31 - 1))
def test_a_cell_is_used_once_whatever_the_pattern(n, seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 4000, (n, 2))
    cells = _cells()[rng.random(1600) < 0.3]
    rows = moved_patterns(points, cells, n_patterns=3, random_state=seed)
    assert rows.shape == (3, n)
    assert all(len(set(row)) == n for row in rows)


def test_more_occurrences_than_cells_are_refused():
    with pytest.raises(ValueError, match="cannot be moved among 2 cells"):
        moved_patterns([[0.0, 0.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 0.0]])


def test_no_pattern_and_bad_places_are_refused():
    with pytest.raises(ValueError, match="n_patterns must be at least 1"):
        moved_patterns([[0.0, 0.0]], _cells(), n_patterns=0)
    with pytest.raises(ValueError, match="occurrences must be finite"):
        moved_patterns([[np.nan, 0.0]], _cells())
