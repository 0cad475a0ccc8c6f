"""Surfaces through block models: volumes known by hand, closed where they should be, thinned."""

import numpy as np
import pytest

from gossan.data.grids.grid import add_layer, cell_centres, make_grid
from gossan.plot.volumes import Mesh, isosurface, simplify_mesh

RADIUS = 30.0
VOLUME, AREA = 4 / 3 * np.pi * RADIUS**3, 4 * np.pi * RADIUS**2


def ball(spacing=2.0, rotation=0.0, shift=(0.0, 0.0, 0.0)):
    """Return a grid of depths below the face of a ball in its middle, and the middle."""
    grid = make_grid(
        (5000, 5100, 800, 900), spacing, elevations=(-50, 50), rotation=rotation, crs="EPSG:32648"
    )
    places = cell_centres(grid)
    middle = places.mean(axis=0) + shift
    depth = RADIUS - np.linalg.norm(places - middle, axis=1)
    shape = [grid.sizes[axis] for axis in ("elevation", "northing", "easting")]
    return add_layer(grid, "depth", depth.reshape(shape)), middle


def edges_of(mesh):
    """Return how often each edge is used."""
    corners = mesh.triangles
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    return np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)[1]


@pytest.mark.parametrize("rotation", [0.0, 33.0])
@pytest.mark.parametrize("spacing", [2.0, (1.0, 2.0, 4.0)])
def test_a_ball_has_the_volume_area_and_place_of_a_ball(spacing, rotation):
    grid, middle = ball(spacing, rotation)
    mesh = isosurface(grid, "depth", 0.0)
    assert mesh.volume == pytest.approx(VOLUME, rel=0.012)
    assert mesh.area == pytest.approx(AREA, rel=0.012)
    away = np.linalg.norm(mesh.vertices - middle, axis=1)
    assert np.abs(away - RADIUS).max() < 0.5
    assert set(edges_of(mesh)) == {2}


def test_each_halving_of_the_cells_quarters_the_error():
    errors = [1 - isosurface(ball(step)[0], "depth", 0.0).volume / VOLUME for step in (4, 2)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)


def test_a_body_at_the_edge_is_closed_by_the_outer_faces_of_its_cells():
    grid, _ = ball()
    mesh = isosurface(grid, "depth", -1e3)  # all cells
    assert set(edges_of(mesh)) == {2}
    assert mesh.vertices.min(axis=0) == pytest.approx([5000, 800, -50])
    assert mesh.vertices.max(axis=0) == pytest.approx([5100, 900, 50])
    assert mesh.volume == pytest.approx(1e6, rel=0.01)


def test_unknown_cells_have_no_surface_if_bodies_stay_open():
    grid, middle = ball()
    depth = grid["depth"].to_numpy().copy()
    places = cell_centres(grid).reshape(*depth.shape, 3)
    is_east = places[..., 0] > middle[0]
    depth[is_east] = np.nan
    half = add_layer(grid[["depth"]].drop_vars("depth"), "depth", depth)
    mesh = isosurface(half, "depth", 0.0, closed=False)
    assert mesh.vertices[:, 0].max() <= middle[0]
    assert mesh.area == pytest.approx(AREA / 2, rel=0.08)  # up to two cells are lost there
    capped = isosurface(half, "depth", 0.0)
    assert set(edges_of(capped)) == {2}
    assert capped.volume == pytest.approx(VOLUME / 2, rel=0.03)


def test_a_level_that_nothing_reaches_has_no_surface():
    mesh = isosurface(ball(10)[0], "depth", 99.0)
    assert len(mesh) == 0
    assert mesh.area == mesh.volume == 0.0


def test_a_single_cell_makes_a_closed_body():
    grid = make_grid((0, 30, 0, 30), 10, elevations=(0, 30))
    values = np.zeros((3, 3, 3))
    values[1, 1, 1] = 2.0
    mesh = isosurface(add_layer(grid, "score", values), "score", 1.0)
    assert (len(mesh.vertices), len(mesh)) == (8, 12)
    assert mesh.volume > 0


def test_a_layer_of_one_level_is_a_slab():
    grid = add_layer(make_grid((0, 40, 0, 40), 10, elevations=(0, 10)), "score", np.ones((1, 4, 4)))
    mesh = isosurface(grid, "score", 0.5)
    assert set(edges_of(mesh)) == {2}
    assert np.ptp(mesh.vertices[:, 2]) == pytest.approx(10.0)


def test_infinite_values_do_not_move_vertices_beyond_their_cells():
    grid = make_grid((0, 30, 0, 30), 10, elevations=(0, 30))
    values = np.full((3, 3, 3), -np.inf)
    values[1, 1, 1] = np.inf
    mesh = isosurface(add_layer(grid, "score", values), "score", 1.0)
    assert np.isfinite(mesh.vertices).all()


def test_a_simplified_ball_keeps_its_shape_within_the_shift_it_tells():
    grid, middle = ball(1.0)
    whole = isosurface(grid, "depth", 0.0)
    small = simplify_mesh(whole.vertices, whole.triangles, 2000)
    assert 1000 < len(small) <= 2000
    assert small.volume == pytest.approx(VOLUME, rel=0.04)
    away = np.linalg.norm(small.vertices - middle, axis=1)
    assert np.abs(away - RADIUS).max() <= small.shift


def test_a_small_mesh_stays_as_it_is():
    mesh = isosurface(ball(10)[0], "depth", 0.0)
    same = simplify_mesh(mesh.vertices, mesh.triangles, 10_000)
    assert same.shift == 0.0
    assert np.array_equal(same.triangles, mesh.triangles)


def test_one_triangle_can_be_asked_for():
    mesh = isosurface(ball(10)[0], "depth", 0.0)
    assert len(simplify_mesh(mesh.vertices, mesh.triangles, 1)) <= 1
    assert isinstance(mesh, Mesh)


def test_wrong_questions_are_answered_in_three_parts():
    grid, _ = ball(20)
    with pytest.raises(KeyError, match=r"no layer 'dept', only depth\. .*Did you mean 'depth'"):
        isosurface(grid, "dept", 0.0)
    with pytest.raises(ValueError, match="level must be a number, got nan"):
        isosurface(grid, "depth", np.nan)
    flat = add_layer(make_grid((0, 100, 0, 100), 10), "depth", np.zeros((10, 10)))
    with pytest.raises(ValueError, match="needs a grid with elevations, got a map"):
        isosurface(flat, "depth", 0.0)
    with pytest.raises(ValueError, match="most must be at least one triangle, got 0"):
        simplify_mesh([[0, 0, 0]], np.zeros((0, 3), int), 0)
