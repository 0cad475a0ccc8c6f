"""Draws of background: never ore, never in the buffer, by the rule, and the same by seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.data import cell_centres, make_grid
from gossan.sampling import draw_background

PLACES = cell_centres(make_grid((0, 200, 0, 100), 10))  # 200 cells


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 9999),
    buffer=st.floats(0, 35),
    n=st.integers(1, 60),
    n_ore=st.integers(1, 4),
    n_sure=st.integers(0, 5),
)
def test_no_draw_holds_ore_or_a_cell_of_the_buffer(seed, buffer, n, n_ore, n_sure):
    rng = np.random.default_rng(seed)
    allowed = rng.random(200) < 0.8
    cells = rng.permutation(200)
    ore, sure = cells[:n_ore], cells[n_ore : n_ore + n_sure]
    background = draw_background(
        allowed, n, places=PLACES, occurrences=ore, buffer=buffer, sure_negatives=sure, n_draws=4,
        random_state=seed,
    )  # fmt: skip
    near = np.linalg.norm(PLACES[:, None] - PLACES[ore], axis=2).min(axis=1)
    assert len(background) == 4
    for draw in background:
        assert len(np.unique(draw)) == len(draw) == n + n_sure
        assert not np.isin(draw, ore).any()
        assert np.isin(sure, draw).all()
        drawn = np.setdiff1d(draw, sure)
        assert allowed[drawn].all()
        assert (near[drawn] > buffer).all()


def test_the_pool_by_hand():
    places = np.column_stack([np.arange(6) * 10.0, np.zeros(6)])
    allowed = np.array([True, True, True, True, False, True])
    background = draw_background(
        allowed,
        1,
        places=places,
        occurrences=[1],
        buffer=10.0,
        sure_negatives=[2, 3],
        random_state=0,
    )
    assert background.pool.tolist() == [5]
    assert [draw.tolist() for draw in background] == [[2, 3, 5]] * 10
    assert "none within 10 m of one" in background.rule
    assert "2 cells known to be barren" in str(background)


def test_draws_differ_and_a_seed_repeats_them():
    call = {"places": PLACES, "occurrences": [0], "n_draws": 20}
    allowed = np.ones(200, dtype=bool)
    one, two = (draw_background(allowed, 50, random_state=3, **call) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert len({tuple(draw) for draw in one}) == 20
    # Each of 199 cells comes in a quarter of the draws, 5 of 20: more than 16 would be no chance.
    counts = np.bincount(np.concatenate(one.draws), minlength=200)
    assert counts[0] == 0
    assert counts.max() <= 16


def test_strata_are_drawn_from_alike():
    rock = np.where(np.arange(200) < 20, "granite", "slate")
    background = draw_background(
        np.ones(200, dtype=bool), 30, places=PLACES, occurrences=[150], strata=rock, random_state=0
    )
    for draw in background:
        assert (rock[draw] == "granite").sum() == 15
    assert "all strata alike" in background.rule


def test_a_mask_of_the_shape_of_the_grid_is_read_row_by_row():
    allowed = np.zeros((10, 20), dtype=bool)
    allowed[7, 3:9] = True
    background = draw_background(allowed, 6, places=PLACES, occurrences=[0], n_draws=1)
    assert background.draws[0].tolist() == list(range(143, 149))


def test_too_few_cells_are_warned_of():
    allowed = np.arange(200) < 10
    with pytest.warns(GossanWarning, match="Only 9 cells can be drawn, 20 were asked for"):
        background = draw_background(allowed, 20, places=PLACES, occurrences=[0])
    assert background.draws[0].tolist() == list(range(1, 10))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidates": np.ones(200)}, "candidates must be Boolean"),
        ({"candidates": np.ones(9, dtype=bool)}, "one value for each of the places"),
        ({"n": 0}, "must be 1 or more"),
        ({"buffer": -1.0}, "buffer 0 or more"),
        ({"occurrences": []}, "got 0 occurrences"),
        ({"sure_negatives": [3, 4]}, "1 cells in both, first 3"),
        ({"occurrences": [200]}, "must lie between 0 and 199"),
        ({"occurrences": [0.5]}, "must be numbers of cells"),
        ({"buffer": 900.0}, "No cell is left to draw from: 200 are allowed"),
        ({"strata": ["a"] * 3}, "groups has 3 labels for 200 rows"),
    ],
)
def test_what_cannot_be_drawn_is_said(change, message):
    call = {"candidates": np.ones(200, dtype=bool), "n": 5, "places": PLACES, "occurrences": [3]}
    call |= change
    with pytest.raises(ValueError, match=message):
        draw_background(call.pop("candidates"), call.pop("n"), **call)
