"""Cells become ore or barren by the rule that is printed, and draws are fair."""

import numpy as np
import pytest

from gossan.sampling import draw_cells, label_cells

COORDS = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 10.0], [100.0, 0.0, 0.0]])
GRADES = np.array([3.0, 0.1, 0.2])
HOLES = ["A", "A", "B"]


def labelled(places, **options):
    return label_cells(places, COORDS, GRADES, HOLES, cutoff=1.0, **options)


def test_a_cell_is_what_its_nearest_composite_is():
    found = labelled([[1, 0, 1], [0, 1, 9], [101, 0, 0], [50, 0, 0]])
    assert found.labels.tolist() == [1, 0, 0, -1]
    assert found.groups.tolist() == ["A", "A", "B", "A"]
    assert found.distance[3] == 50.0
    assert found.prevalence == pytest.approx(1 / 3)


def test_a_buffer_makes_barren_cells_near_ore_unknown():
    found = labelled([[0, 1, 9], [101, 0, 0]], buffer=40.0)
    assert found.labels.tolist() == [-1, 0]
    assert "within 40 m" in found.rule
    assert str(found).startswith("0 ore, 1 barren, 1 unknown cells. Ore:")


def test_a_composite_without_a_grade_says_nothing():
    found = label_cells([[0, 0, 0]], COORDS, [np.nan, 0.1, 0.2], HOLES, cutoff=1.0)
    assert found.labels.tolist() == [0]
    with pytest.raises(ValueError, match="need a known grade"):
        label_cells([[0, 0, 0]], COORDS, [np.nan] * 3, HOLES, cutoff=1.0)


def test_labels_do_not_move_with_the_origin():
    rng = np.random.default_rng(0)
    places, coords = rng.uniform(0, 90, (200, 3)), rng.uniform(0, 90, (30, 3))
    grades, holes = rng.lognormal(size=30), np.arange(30) % 5
    moved = np.array([5e5, 4e6, -100.0])
    one = label_cells(places, coords, grades, holes, cutoff=1.0, buffer=20.0)
    two = label_cells(places + moved, coords + moved, grades, holes, cutoff=1.0, buffer=20.0)
    np.testing.assert_array_equal(one.labels, two.labels)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit one another"):
        label_cells([[0, 0]], COORDS, GRADES, HOLES, cutoff=1.0)
    with pytest.raises(ValueError, match=r"places must have shape \(n, 2\)"):
        labelled([0.0, 1.0])
    with pytest.raises(ValueError, match="reach must be positive"):
        labelled([[0, 0, 0]], reach=0.0)


LABELS = np.array([1] * 10 + [0] * 90 + [-1] * 50)


def test_draws_hold_no_unknown_cell_and_no_cell_twice():
    for rows in draw_cells(LABELS, 5, 20, n_draws=4, random_state=0):
        assert len(set(rows)) == 25
        assert (LABELS[rows] == 1).sum() == 5
        assert (LABELS[rows] >= 0).all()


def test_draws_differ_from_one_another_and_not_from_run_to_run():
    first, second = draw_cells(LABELS, 5, 20, n_draws=2, random_state=3)
    again, _ = draw_cells(LABELS, 5, 20, n_draws=2, random_state=3)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, again)


def test_even_draws_take_of_all_holes_alike():
    holes = np.where(np.arange(150) < 95, "long", "short")
    (rows,) = draw_cells(LABELS, None, 10, groups=holes, spread="even", random_state=0)
    barren = rows[LABELS[rows] == 0]
    assert (holes[barren] == "short").sum() == 5  # all there are
    holes = np.array(["A", "B"])[np.arange(150) % 2]
    (rows,) = draw_cells(LABELS, None, 10, groups=holes, spread="even", random_state=0)
    assert (holes[rows[LABELS[rows] == 0]] == "A").sum() == 5


def test_a_class_without_a_cell_is_refused():
    with pytest.raises(ValueError, match="Both classes need a cell"):
        draw_cells([0, 0, -1], 1, 1)
    with pytest.raises(ValueError, match="needs groups"):
        draw_cells(LABELS, 1, 1, spread="even")
