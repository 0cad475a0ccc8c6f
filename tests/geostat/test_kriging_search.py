"""The search for neighbours against a walk over all samples: sectors, caps, folds, ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from gossan.geostat import Structure
from gossan.geostat._compile import _kernels_of_room
from gossan.geostat._search import Search, build_tree, find_neighbours, search_frame


def sector_of(offset, search):
    x, y, z = np.append(offset, 0.0)[:3]
    quadrant = (x >= 0) + 2 * (y >= 0)
    if search.sectors == 1:
        return 0
    if search.sectors == 4:
        return quadrant
    return quadrant + 4 * (z >= 0 if len(offset) == 3 else abs(x) > abs(y))


def walk(coords, target, search, groups, folds, fold):  # noqa: PLR0917
    """Take samples one by one, nearest first, then in the order of the rows."""
    offsets = coords - target
    squares = (offsets**2).sum(axis=1)
    k = min(search.n_neighbours, len(coords))
    room = len(coords) if search.sectors == 1 else -(-k // search.sectors)
    room = search.max_per_sector or room
    taken, in_sector, in_group = [], {}, {}
    for i in np.lexsort((np.arange(len(coords)), squares)):
        if len(taken) == k or squares[i] > search.max_distance**2:
            break
        sector, group = sector_of(offsets[i], search), groups[i]
        is_full = search.n_per_group is not None and in_group.get(group, 0) >= search.n_per_group
        if folds[i] == fold or is_full or in_sector.get(sector, 0) >= room:
            continue
        in_sector[sector] = in_sector.get(sector, 0) + 1
        in_group[group] = in_group.get(group, 0) + 1
        taken.append(i)
    return taken if len(taken) >= search.min_neighbours else []


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([2, 3]),
    st.sampled_from([1, 4, 8]),
    st.sampled_from([None, 1, 3]),
    st.sampled_from([np.inf, 300.0]),
    st.booleans(),
)
def test_search_equals_a_walk_over_all_samples(seed, n_dims, sectors, cap, reach, is_coarse):  # noqa: PLR0917
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 150))
    coords, targets = rng.uniform(0, 1000, (n, n_dims)), rng.uniform(-200, 1200, (9, n_dims))
    if is_coarse:  # many ties and twins
        coords, targets = coords.round(-2), targets.round(-2)
    groups, folds = rng.integers(0, 12, n), rng.integers(0, 4, n)
    target_folds = rng.integers(-1, 4, 9)
    search = Search(16, 3, reach, sectors, n_per_group=cap)
    tree = build_tree(coords, groups=groups, folds=folds)
    found = find_neighbours(tree, targets, search, target_folds=target_folds)
    for t, target in enumerate(targets):
        expected = walk(coords, target, search, groups, folds, target_folds[t])
        assert found[t][found[t] >= 0].tolist() == expected
        assert (found[t, len(expected) :] == -1).all()


@pytest.mark.parametrize("n_dims", [2, 3])
def test_plain_search_equals_scipy_on_many_samples(n_dims):
    rng = np.random.default_rng(1)
    coords, targets = rng.normal(size=(20_000, n_dims)), rng.normal(size=(9_000, n_dims))
    found = find_neighbours(build_tree(coords), targets, Search(32), n_jobs=2)
    np.testing.assert_array_equal(found, cKDTree(coords).query(targets, 32)[1])


def test_search_follows_the_ellipsoid_in_metres_along_its_major_axis():
    frame = search_frame(Structure("spherical", 1.0, (100.0, 25.0), (90.0, 0, 0)).transform(2))
    coords = np.array([[30.0, 0.0], [0.0, 10.0], [0.0, -8.0], [-45.0, 0.0]])
    found = find_neighbours(build_tree(coords, frame), np.zeros((1, 2)), Search(4))
    assert found.tolist() == [[0, 2, 1, 3]]  # 30, 8 x 4, 10 x 4, 45
    near = find_neighbours(build_tree(coords, frame), np.zeros((1, 2)), Search(4, max_distance=35))
    assert near.tolist() == [[0, 2, -1, -1]]


def test_max_per_sector_and_empty_trees():
    coords = np.array([[1.0, 1.0], [2.0, 2.0], [-1.0, 1.0]])
    search = Search(3, sectors=4, max_per_sector=1)
    assert find_neighbours(build_tree(coords), np.zeros((1, 2)), search).tolist() == [[0, 2, -1]]
    assert find_neighbours(build_tree(coords[:0]), np.zeros((1, 2)), Search()).tolist() == [[-1]]


def test_a_cap_reaches_the_next_hole_even_if_the_nearest_is_long():
    depth = np.arange(0.0, 500.0)
    holes = [np.column_stack([np.full(500, x), np.zeros(500), -depth]) for x in (0.0, 60.0, 130.0)]
    groups = np.repeat([0, 1, 2], 500)
    search = Search(24, n_per_group=8)
    found = find_neighbours(
        build_tree(np.vstack(holes), groups=groups), np.array([[5.0, 0.0, -250.0]]), search
    )
    assert np.bincount(groups[found[0]]).tolist() == [8, 8, 8]


def test_kept_code_depends_on_all_kernels_of_the_room():
    # numba looks at one file; a private attribute tells it of the others, and must not be renamed
    from gossan.geostat._search import _find

    assert _find._cache._cache_file._source_stamp == _kernels_of_room()
