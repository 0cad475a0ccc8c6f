"""Distances against brute force, against hand-worked numbers, and under shifts and turns."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from gossan._checks import GossanWarning
from gossan.data.grids.grid import cell_centres, make_grid
from gossan.data.surfaces.record import Surface
from gossan.evidence.proximity import (
    add_proximity,
    distance_to_lines,
    distance_to_plane,
    distance_to_points,
    distance_to_surface,
)
from gossan.evidence.surfaces import extrude_trace, plane_surface

TRIANGLE = Surface([[0, 0, 0], [10, 0, 0], [0, 10, 0]], [[0, 1, 2]])


def wavy_fault(n_along=15, n_down=12, *, seed=0, size=400.0):
    """A steep, curved, undulating fault: 2 (n_along - 1)(n_down - 1) triangles, some turned over."""
    rng = np.random.default_rng(seed)
    u, v = np.meshgrid(np.linspace(-size, size, n_along), np.linspace(-size, size, n_down))
    bulge = 3e-4 * v**2 + 10 * np.sin(u / 60) * np.cos(v / 70)
    vertices = np.column_stack([bulge.ravel(), u.ravel(), v.ravel()])  # faces east
    at = np.arange(u.size).reshape(u.shape)
    a, b, c, d = at[:-1, :-1].ravel(), at[:-1, 1:].ravel(), at[1:, 1:].ravel(), at[1:, :-1].ravel()
    triangles = np.vstack([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    turned = rng.random(len(triangles)) < 0.5
    triangles[turned] = triangles[turned][:, ::-1]
    return Surface(vertices, triangles)


def slow_distance(point, corners):
    """Distance of a point to a triangle by minimising over its inside."""
    a, b, c = corners

    def squared(shares):
        s, t = shares
        return ((a + s * (b - a) + (1 - s) * t * (c - a) - point) ** 2).sum()

    starts = [(0.3, 0.3), (0.05, 0.9), (0.9, 0.1), (0.05, 0.05)]
    return min(
        np.sqrt(minimize(squared, start, bounds=[(0, 1), (0, 1)], tol=1e-14).fun)
        for start in starts
    )


@pytest.mark.parametrize(
    ("point", "distance"),
    [
        ((2, 2, 7), 7),  # above the inside
        ((-3, 2, 4), 5),  # beside an edge
        ((-3, -4, 0), 5),  # off a corner
        ((10, 10, 0), np.sqrt(50)),  # beside the long edge
        ((13, 0, 4), 5),  # off another corner
        ((0, 0, 0), 0),
    ],
)
def test_a_triangle_by_hand(point, distance):
    assert distance_to_surface([point], TRIANGLE) == pytest.approx([distance])


def test_triangles_of_any_shape_agree_with_minimising():
    rng = np.random.default_rng(1)
    for _ in range(25):
        corners = rng.normal(0, 10, (3, 3)) * rng.choice([1, 0.05], (1, 3))
        point = rng.normal(0, 12, 3)
        found = distance_to_surface([point], Surface(corners, [[0, 1, 2]]))[0]
        assert found == pytest.approx(slow_distance(point, corners), abs=2e-4)


def test_pruning_gives_what_brute_force_gives():
    fault = wavy_fault()
    rng = np.random.default_rng(2)
    points = rng.uniform(-900, 900, (3000, 3))
    each = [Surface(fault.vertices, row[None]) for row in fault.triangles]
    brute = np.min([distance_to_surface(points[:60], one) for one in each], axis=0)
    found = distance_to_surface(points, fault)
    assert_allclose(found[:60], brute, atol=1e-9)
    # The same points one by one meet other boxes, and so other prunings.
    alone = [distance_to_surface(points[i : i + 1], fault)[0] for i in range(200)]
    assert_allclose(found[:200], alone, atol=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(300, 900), st.integers(20, 80))
def test_boxes_of_points_and_soups_of_triangles_agree_with_brute_force(seed, n_points, n_triangles):
    rng = np.random.default_rng(seed)
    corners = rng.normal(0, 50, (n_triangles, 1, 3)) + rng.normal(0, 15, (n_triangles, 3, 3))
    soup = Surface(corners.reshape(-1, 3), np.arange(3 * n_triangles).reshape(-1, 3))
    points = rng.normal(0, 80, (n_points, 3))
    some = rng.choice(n_points, 20, replace=False)
    each = [Surface(three, [[0, 1, 2]]) for three in corners]
    brute = np.min([distance_to_surface(points[some], one) for one in each], axis=0)
    assert_allclose(distance_to_surface(points, soup)[some], brute, atol=1e-9)


def test_distances_do_not_see_shifts_and_large_coordinates():
    fault, points = wavy_fault(), np.random.default_rng(3).uniform(-500, 500, (500, 3))
    shift = np.array([5e5, 5e6, 2000])
    moved = Surface(fault.vertices + shift, fault.triangles)
    here = distance_to_surface(points, fault, signed=True)
    assert_allclose(distance_to_surface(points + shift, moved, signed=True), here, atol=1e-7)


def test_the_sign_is_that_of_the_side_whatever_the_order_of_corners():
    fault = wavy_fault(seed=5)
    rng = np.random.default_rng(4)
    v, u = rng.uniform(-350, 350, (2, 800))
    n = rng.uniform(-60, 60, 800)
    bulge = 3e-4 * v**2 + 10 * np.sin(u / 60) * np.cos(v / 70)
    found = distance_to_surface(np.column_stack([bulge + n, u, v]), fault, signed=True)
    clear = np.abs(n) > 8  # the mesh is coarse
    assert (np.sign(found[clear]) == np.sign(n[clear])).all()
    assert_allclose(
        np.abs(found), distance_to_surface(np.column_stack([bulge + n, u, v]), fault), atol=1e-9
    )


def test_the_side_at_a_sharp_fold_is_that_of_the_triangle_seen_squarely():
    # A roof with its ridge along north: a point just beside the ridge, high above it, is outside.
    roof = Surface(
        [[0, 0, 0], [0, 10, 0], [-1, 0, -9], [-1, 10, -9], [1, 0, -9], [1, 10, -9]],
        [[0, 1, 2], [1, 3, 2], [0, 4, 1], [1, 4, 5]],
    )
    above = [[x, 5, z] for x in (-0.5, 0, 0.5) for z in (0.01, 3)]
    assert (distance_to_surface(above, roof, signed=True) > 0).all()
    assert (distance_to_surface([[0, 5, -3], [0.1, 5, -5]], roof, signed=True) < 0).all()


def test_a_vertical_surface_faces_east_or_north():
    along_north = plane_surface((0, 0, 0), 90, 90, half_length=50, half_height=50)
    along_east = plane_surface((0, 0, 0), 180, 90, half_length=50, half_height=50)
    assert distance_to_surface([[5, 0, 0]], along_north, signed=True) == pytest.approx([5])
    assert distance_to_surface([[0, 7, 0]], along_east, signed=True) == pytest.approx([7])


def test_a_rectangle_is_its_plane_inside_and_its_edge_outside():
    anchor = (100, 200, 300)
    rectangle = plane_surface(anchor, 225, 60, half_length=1000, half_height=1000)
    points = np.random.default_rng(6).uniform(-200, 500, (300, 3))
    plane = distance_to_plane(points, anchor, 225, 60, signed=True)
    assert_allclose(distance_to_surface(points, rectangle, signed=True), plane, atol=1e-9)
    small = plane_surface((0, 0, 0), 90, 0, half_length=3, half_height=4)  # flat: 8 east, 6 north
    assert distance_to_surface([[7, 0, 4], [0, 7, 3]], small) == pytest.approx([5, 5])


def test_the_hanging_wall_of_a_plane_is_positive():
    # Dips 45 degrees to the east: the east, above the plane, hangs.
    found = distance_to_plane([[10, 0, 0], [-10, 0, 0]], (0, 0, 0), 90, 45, signed=True)
    assert_allclose(found, [np.sqrt(50), -np.sqrt(50)])
    surface = plane_surface((0, 0, 0), 90, 45, half_length=100, half_height=100)
    assert_allclose(distance_to_surface([[10, 0, 0]], surface, signed=True), [np.sqrt(50)])


def test_a_trace_goes_down_its_dip():
    surface = extrude_trace([[0, 0], [0, 50], [0, 100]], 60, depth=300, height=20, elevation=1000)
    assert len(surface.triangles) == 4
    below = np.array([[100 / np.tan(np.radians(60)), 50, 900]])
    assert distance_to_surface(below, surface) == pytest.approx([0], abs=1e-9)
    assert surface.vertices[:, 2].max() == 1020
    assert surface.vertices[:, 2].min() == 700
    # Digitised the other way round it dips the other way, unless the side is said.
    other = extrude_trace([[0, 100], [0, 0]], 60, depth=300)
    same = extrude_trace([[0, 100], [0, 0]], 60, depth=300, dip_direction=90)
    assert other.vertices[:, 0].min() < -100
    assert same.vertices[:, 0].max() > 100


def test_lines_by_hand_in_two_and_three_dimensions():
    bent = [[0, 0], [10, 0], [10, 10]]
    found = distance_to_lines([[5, 3], [13, 14], [-3, -4], [7, 5]], [bent])
    assert_allclose(found, [3, 5, 5, 3])
    assert_allclose(distance_to_lines([[5, 3], [5, -3]], [bent], signed=True), [3, -3])
    assert_allclose(distance_to_lines([[0, 3, 4]], [[[-9, 0, 0], [9, 0, 0]]]), [5])


def test_many_lines_agree_with_brute_force():
    rng = np.random.default_rng(7)
    lines = [rng.normal(0, 300, 2) + rng.normal(0, 20, (6, 2)).cumsum(axis=0) for _ in range(60)]
    points = rng.uniform(-600, 600, (2000, 2))
    brute = np.min([distance_to_lines(points[:100], [line]) for line in lines], axis=0)
    assert_allclose(distance_to_lines(points, lines)[:100], brute, atol=1e-9)


def test_layers_of_a_grid():
    grid = make_grid((0, 100, 0, 100), 10, elevations=(-50, 50), crs="EPSG:32650", rotation=30)
    fault = plane_surface((50, 50, 0), 100, 70, half_length=500, half_height=500)
    answer = add_proximity(grid, fault, buffer=30)
    expected = distance_to_plane(cell_centres(grid), (50, 50, 0), 100, 70)
    assert_allclose(answer["fault_distance"].to_numpy().ravel(), expected, atol=1e-9)
    near = answer["fault_buffer"].to_numpy()
    assert near.dtype == np.int8
    np.testing.assert_array_equal(near, answer["fault_distance"].to_numpy() <= 30)
    assert answer.attrs == grid.attrs
    assert set(grid.data_vars) == set()
    signed = add_proximity(grid, [fault], name="F1", buffer=None, signed=True)
    assert list(signed.data_vars) == ["F1_distance"]
    assert (signed["F1_distance"].to_numpy() < 0).any()
    flat = make_grid((0, 30, 0, 10), 10)
    found = add_proximity(flat, [[5, 5]], kind="points", name="granite", buffer=10)
    assert found["granite_distance"].to_numpy().tolist() == [[0, 10, 20]]
    assert found["granite_buffer"].to_numpy().tolist() == [[1, 1, 0]]


def test_a_point_without_a_place_has_no_distance():
    with pytest.warns(GossanWarning, match="1 of 2 points have no place"):
        found = distance_to_surface([[0, np.nan, 0], [0, 0, 3]], TRIANGLE)
    assert_allclose(found, [np.nan, 3])


def test_triangles_without_area_are_left_out_and_counted():
    dented = Surface([[0, 0, 0], [10, 0, 0], [0, 10, 0], [5, 0, 0]], [[0, 1, 2], [0, 3, 1]])
    with pytest.warns(GossanWarning, match="1 of 2 triangles of the surface have no area"):
        assert distance_to_surface([[2, 2, 4]], dented) == pytest.approx([4])
    with pytest.raises(ValueError, match="no triangle with an area"):
        distance_to_surface([[0, 0, 0]], Surface([[0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 1, 2]]))


def test_many_points_in_one_place_end():
    place = np.array([3.0, 2.0, 7.0])
    crowd = np.vstack([np.tile(place, (700, 1)), np.tile(np.nextafter(place, 9), (700, 1))])
    found = distance_to_surface(crowd, wavy_fault())
    assert_allclose(found, distance_to_surface(place[None], wavy_fault())[0])


def test_what_has_triangles_is_a_surface_and_nothing_else_is():
    class Mesh:
        vertices, triangles = TRIANGLE.vertices, TRIANGLE.triangles

    assert_allclose(distance_to_surface([[2, 2, 7]], [Mesh(), TRIANGLE]), [7])
    with pytest.raises(TypeError, match="A surface has vertices and triangles, got list"):
        distance_to_surface([[2, 2, 7]], [[1, 2, 3]])


def test_a_hundred_thousand_cells_and_a_thousand_triangles_are_quick():
    fault = wavy_fault(24, 24)
    grid = make_grid((-460, 460, -460, 460), 20, elevations=(-460, 460))
    start = time.process_time()
    distances = distance_to_surface(cell_centres(grid), fault)
    assert time.process_time() - start < 15  # some 1 s on an idle core
    assert np.isfinite(distances).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distance_to_surface([[0, 0]], TRIANGLE), r"shape \(n, 3\), got \(1, 2\)"),
        (lambda: distance_to_surface([[0, 0, 0]], []), "needs a surface, got none"),
        (lambda: distance_to_lines([[0, 0]], []), "needs a line, got none"),
        (lambda: distance_to_lines([[0, 0]], [[[0, 0]]]), "Line 0 must be finite"),
        (lambda: distance_to_lines([[0, 0, 0]], [[[0, 0, 0], [1, 0, 0]]], signed=True), "no sides"),
        (lambda: distance_to_points([[0, 0]], [[1, 2, 3]]), "Targets must have shape"),
        (lambda: distance_to_points([[0, 0]], [[np.nan, 2]]), "1 of 1 targets are not finite"),
        (lambda: distance_to_plane([[0, 0, 0]], (0, 0, 0), 0, 95), "between 0 and 90"),
        (lambda: Surface([[0, 0]], [[0, 1, 2]]), r"Vertices of the surface must be finite"),
        (lambda: Surface([[0, 0, 0]], [[0.0, 1, 2]]), "whole numbers"),
        (lambda: Surface([[0, 0, 0]], [[0, 1, 2]]), "must name vertices 0 to 0, got 0 to 2"),
        (lambda: extrude_trace([[0, 0], [0, 0]], 60, depth=9), "two different points or more"),
        (lambda: extrude_trace([[0, 0], [1, 1], [0, 0]], 60, depth=9), "its dip has no side"),
        (lambda: extrude_trace([[0, 0], [1, 1]], 0, depth=9), "above 0 and up to 90"),
        (lambda: extrude_trace([[0, 0], [1, 1]], 60, depth=0), "Depth of the fault"),
        (lambda: plane_surface((0, 0), 0, 5, half_length=1, half_height=1), "Anchor of the fault"),
        (lambda: plane_surface((0, 0, 0), 0, 5, half_length=0, half_height=1), "Extents"),
        (lambda: add_proximity(make_grid((0, 9, 0, 9), 3), TRIANGLE), "needs a 3D grid"),
        (lambda: add_proximity(make_grid((0, 9, 0, 9), 3), [], kind="line"), "kind must be one of"),
        (lambda: add_proximity(make_grid((0, 9, 0, 9), 3), TRIANGLE, buffer=0), "Buffer must be"),
        (
            lambda: add_proximity(make_grid((0, 9, 0, 9), 3), [[1, 1]], kind="points", signed=True),
            "A place has no sides",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
