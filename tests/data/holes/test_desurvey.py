"""Depths to points: hand-worked numbers, the formulae of the books, and the laws of an arc."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.data.holes.alonghole import last_at_or_above, meeting_pairs, reach_above
from gossan.data.holes.desurvey import (
    METHODS,
    desurvey_hole,
    direction_vectors,
    place_holes,
    segment_offsets,
    turn_angles,
)

angles = st.tuples(st.floats(0, 360), st.floats(-90, 90))
surveys = st.lists(st.tuples(st.floats(0.1, 100), angles), min_size=1, max_size=6)


def hole_of(drawn):
    """Depths, azimuths and dips of a hole that never turns by more than 120 degrees."""
    steps, pairs = zip(*drawn, strict=True)
    azimuths, dips = np.array(pairs).T
    directions = direction_vectors(azimuths, dips)
    keep = [0]
    for i in range(1, len(drawn)):
        if turn_angles(directions[keep[-1]], directions[i]) < 120:
            keep.append(i)
    return np.cumsum(steps)[keep], azimuths[keep], dips[keep]


def test_directions_are_those_of_a_compass():
    found = direction_vectors([0, 90, 180, 270, 0], [0, 0, 0, 0, -90])
    expected = [[0, 1, 0], [1, 0, 0], [0, -1, 0], [-1, 0, 0], [0, 0, -1]]
    np.testing.assert_allclose(found, expected, atol=1e-15)


@pytest.mark.parametrize("method", METHODS)
def test_a_straight_hole_is_a_straight_line_by_every_method(method):
    points = desurvey_hole([0, 50, 90], [30] * 3, [-60] * 3, [0, 20, 70, 300], method=method)
    expected = np.array([[0.0], [20], [70], [300]]) * direction_vectors([30], [-60])
    np.testing.assert_allclose(points, expected, atol=1e-12)


def test_the_classic_methods_give_the_sums_of_the_books():
    first, second = direction_vectors([0.0, 90.0], [-90.0, -30.0])
    here = np.array([100.0])
    low = segment_offsets(first[None], second[None], here, method="tangential")
    np.testing.assert_allclose(low[0], 100 * second)
    mean = segment_offsets(first[None], second[None], here, method="balanced_tangential")
    np.testing.assert_allclose(mean[0], 50 * (first + second))
    upper = segment_offsets(first[None], second[None], here, 0.5, method="balanced_tangential")
    np.testing.assert_allclose(upper[0], 50 * first)


@given(angles, angles, st.floats(1e-3, 1), st.floats(1, 500))
def test_minimum_curvature_is_the_formula_of_the_method_page(one, two, fraction, length):
    t1, t2 = direction_vectors(*np.array([one, two]).T)
    turn = 2 * np.arcsin(min(np.linalg.norm(t2 - t1) / 2, 1))
    if not 1e-3 < turn < 2.5:
        return
    upper = (np.cos(turn * (1 - fraction)) - np.cos(turn)) / np.sin(turn)
    lower = (1 - np.cos(turn * fraction)) / np.sin(turn)
    expected = length / turn * (upper * t1 + lower * t2)
    found = segment_offsets(t1[None], t2[None], np.array([length]), fraction)[0]
    np.testing.assert_allclose(found, expected, atol=1e-8 * length)
    ratio = np.tan(turn / 2) / (turn / 2)
    whole = segment_offsets(t1[None], t2[None], np.array([length]))[0]
    np.testing.assert_allclose(whole, length * (t1 + t2) / 2 * ratio, atol=1e-9 * length)


@pytest.mark.parametrize("radius", [30.0, 500.0, 1e5])
@pytest.mark.parametrize("strike", [0.0, 37.0, 181.0])
def test_a_circle_is_exact_to_a_nanometre_at_every_depth(radius, strike):
    # From straight down, bending up in the plane of the strike: dip rises by s / radius.
    turn = np.radians(85)
    depths = np.linspace(0, radius * turn, 7)
    at = np.linspace(0, radius * turn, 101)
    found = desurvey_hole(depths, [strike] * 7, -90 + np.degrees(depths / radius), at)
    out = radius * (1 - np.cos(at / radius))
    azimuth = np.radians(strike)
    expected = np.stack(
        [out * np.sin(azimuth), out * np.cos(azimuth), -radius * np.sin(at / radius)], axis=1
    )
    np.testing.assert_allclose(found, expected, atol=1e-9 * max(1, radius / 1000), rtol=0)


def test_the_sides_of_north_are_neighbours():
    points = desurvey_hole([0, 100], [359.0, 1.0], [-45, -45], [0, 50, 100])
    assert abs(points[2, 0]) < 1e-9
    assert points[1, 0] == pytest.approx(-0.3085, abs=1e-3)
    np.testing.assert_allclose(turn_angles(*direction_vectors([359, 1], [0, 0])[:, None]), 2)


def test_tiny_bends_lose_no_digits():
    dips = [-60.0, -60.0 + 1e-9]
    points = desurvey_hole([0, 1000], [10, 10], dips, [1000.0])
    straight = desurvey_hole([0], [10], [-60], [1000.0])
    np.testing.assert_allclose(points, straight, atol=1e-7)
    assert not np.array_equal(points, straight)


def test_the_hole_is_straight_above_the_first_survey_and_below_the_last():
    points = desurvey_hole([40, 60], [90, 90], [-90, -60], [0, 20, 40, 60, 160])
    np.testing.assert_allclose(points[:3], [[0, 0, 0], [0, 0, -20], [0, 0, -40]], atol=1e-12)
    step = points[4] - points[3]
    np.testing.assert_allclose(step, 100 * direction_vectors([90], [-60])[0], atol=1e-12)


@given(surveys, st.lists(st.floats(0, 700), min_size=2, max_size=8), st.sampled_from(METHODS))
def test_moving_the_collar_moves_the_hole_and_turning_the_compass_turns_it(drawn, at, method):
    depths, azimuths, dips = hole_of(drawn)
    points = desurvey_hole(depths, azimuths, dips, at, method=method)
    moved = desurvey_hole(depths, azimuths, dips, at, collar=(500, -20, 7), method=method)
    np.testing.assert_allclose(moved, points + np.array([500, -20, 7]), atol=1e-9)
    turned = desurvey_hole(depths, azimuths + 90, dips, at, method=method)
    np.testing.assert_allclose(turned[:, 0], points[:, 1], atol=1e-9)
    np.testing.assert_allclose(turned[:, 1], -points[:, 0], atol=1e-9)


@given(surveys, st.lists(st.floats(0, 700), min_size=2, max_size=30))
def test_no_two_points_are_further_apart_than_the_rods_between_them(drawn, at):
    depths, azimuths, dips = hole_of(drawn)
    at = np.sort(at)
    points = desurvey_hole(depths, azimuths, dips, at)
    chord = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert (chord <= np.diff(at) + 1e-9).all()


@given(surveys, st.floats(0, 700), st.sampled_from(METHODS))
def test_the_hole_is_in_one_piece(drawn, at, method):
    depths, azimuths, dips = hole_of(drawn)
    for place in (at, float(depths[-1])):
        both = desurvey_hole(depths, azimuths, dips, [place, place + 1e-7], method=method)
        assert np.linalg.norm(both[1] - both[0]) < 1e-6


@given(surveys, st.lists(st.floats(0, 700), min_size=1, max_size=8))
def test_a_survey_on_the_arc_changes_nothing(drawn, at):
    depths, azimuths, dips = hole_of(drawn)
    if len(depths) < 2:
        return
    middle = (depths[0] + depths[1]) / 2
    t = direction_vectors(azimuths[:2], dips[:2]).sum(axis=0)
    t /= np.linalg.norm(t)
    dip, azimuth = np.degrees(np.arcsin(t[2])), np.degrees(np.arctan2(t[0], t[1]))
    more = [np.insert(a, 1, b) for a, b in ((depths, middle), (azimuths, azimuth), (dips, dip))]
    before = desurvey_hole(depths, azimuths, dips, at)
    np.testing.assert_allclose(desurvey_hole(*more, at), before, atol=1e-5)


@given(surveys, st.randoms(use_true_random=False))
def test_the_order_of_the_surveys_does_not_matter(drawn, random):
    depths, azimuths, dips = hole_of(drawn)
    order = list(range(len(depths)))
    random.shuffle(order)
    at = np.linspace(0, 600, 9)
    one = desurvey_hole(depths, azimuths, dips, at)
    np.testing.assert_array_equal(
        one, desurvey_hole(depths[order], azimuths[order], dips[order], at)
    )


@pytest.mark.parametrize(
    ("depths", "azimuths", "dips", "words"),
    [
        ([], [], [], "no survey"),
        ([0, 10], [0, np.nan], [-60, -60], "without depth, azimuth or dip"),
        ([0, 0], [0, 10], [-60, -60], "two surveys of one depth disagree"),
        ([0, 10], [0, 0], [-90, 90], "turns back"),
        ([0], [0], [-95], "a dip beyond 90°"),
        ([-5], [0], [-60], "above the collar"),
    ],
)
def test_a_hole_that_cannot_be_placed_says_why(depths, azimuths, dips, words):
    with pytest.raises(ValueError, match=words):
        desurvey_hole(depths, azimuths, dips, [10.0])


def test_a_wrong_method_and_a_lost_collar_are_refused():
    with pytest.raises(ValueError, match="method must be one of"):
        desurvey_hole([0], [0], [-90], [1.0], method="average")
    with pytest.raises(ValueError, match="no coordinates"):
        desurvey_hole([0], [0], [-90], [1.0], collar=(np.nan, 0, 0))


def test_above_the_collar_there_is_nothing():
    assert np.isnan(desurvey_hole([10], [0], [-90], [-1.0, np.nan])).all()


def test_many_holes_at_once_are_as_one_by_one():
    rng = np.random.default_rng(0)
    names = [f"H{i}" for i in range(40)]
    collars = pd.DataFrame(
        {"hole": names, **dict.fromkeys(("easting", "northing", "elevation"), 0.0)}
    )
    collars["easting"] = rng.uniform(4e5, 5e5, 40)
    rows = pd.DataFrame(
        {"hole": rng.choice(names, 400), "depth": rng.uniform(0, 500, 400).round(3),
         "azimuth": rng.uniform(80, 100, 400), "dip": rng.uniform(-80, -50, 400)}
    )  # fmt: skip
    paths, faults = place_holes(collars, rows)
    assert set(faults.values()) == {""}
    codes, at = rng.integers(0, 40, 200), rng.uniform(0, 600, 200)
    found = paths.at(codes, at)
    for i in range(200):
        mine = rows[rows["hole"] == names[codes[i]]]
        one = desurvey_hole(
            mine["depth"], mine["azimuth"], mine["dip"], [at[i]],
            collar=(collars["easting"][codes[i]], 0, 0),
        )  # fmt: skip
        np.testing.assert_allclose(found[i], one[0], atol=1e-9)


depth_lists = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=12)


@given(depth_lists, depth_lists)
def test_the_station_above_is_found_as_by_looking_at_each(stations, asked):
    stations = sorted(stations)
    codes = np.array([code for code, _ in stations], dtype=np.int64)
    depths = np.array([float(depth) for _, depth in stations])
    at_codes = np.array([code for code, _ in asked], dtype=np.int64)
    at_depths = np.array([float(depth) for _, depth in asked])
    expected = [
        max((i for i, (c, d) in enumerate(stations) if c == code and d <= depth), default=-1)
        for code, depth in asked
    ]
    assert last_at_or_above(codes, depths, at_codes, at_depths).tolist() == expected


@given(depth_lists, st.lists(st.integers(1, 9), min_size=12, max_size=12))
def test_pairs_are_all_that_meet(intervals, lengths):
    bins = [(code, 10.0 * k, 10.0 * k + 10) for code in range(3) for k in range(2)]
    b_codes, b_tops, b_ends = (np.array(column) for column in zip(*bins, strict=True))
    rows = [(c, float(d), float(d + n)) for (c, d), n in zip(intervals, lengths, strict=False)]
    expected = {
        (i, j): min(end, b_end) - max(top, b_top)
        for i, (code, top, end) in enumerate(rows)
        for j, (b_code, b_top, b_end) in enumerate(bins)
        if code == b_code and min(end, b_end) > max(top, b_top)
    }
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    codes, tops, ends = (np.array(column, dtype=float) for column in columns)
    found = meeting_pairs(codes.astype(np.int64), tops, ends, bins=(b_codes, b_tops, b_ends))
    assert {(int(i), int(j)): float(n) for i, j, n in zip(*found, strict=True)} == expected


def test_an_interval_far_up_still_reaches_down():
    codes, ends = np.zeros(3, dtype=np.int64), np.array([50.0, 5.0, 6.0])
    assert reach_above(codes, ends).tolist() == [-np.inf, 50.0, 50.0]
