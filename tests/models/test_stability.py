"""Overlap and stability of the best ground, by hand."""

import numpy as np
import pytest

from gossan.models import stability_of, top_overlap

NAN = np.nan
FIRST = [[9.0, 8.0, 1.0], [2.0, 3.0, NAN]]
SECOND = [[9.0, 1.0, 2.0], [8.0, 3.0, NAN]]
THIRD = [[1.0, 8.0, 2.0], [9.0, 3.0, NAN]]


def test_by_hand():
    # Of five cells two are the best 40 %: {0, 1}, {0, 3} and {1, 3}; each pair shares one of three.
    maps = [FIRST, SECOND, THIRD]
    assert top_overlap(maps, share=0.4) == pytest.approx(1 / 3)
    wanted = np.array([[2, 2, 0], [2, 0, NAN]]) / 3
    np.testing.assert_allclose(stability_of(maps, share=0.4), wanted, atol=1e-7)


def test_a_map_agrees_with_itself_however_it_is_stretched():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20, 30))
    assert top_overlap([scores, np.exp(scores)], share=0.1) == 1.0
    stability = stability_of([scores, scores * 2.0], share=0.1)
    assert stability.sum() == 60
    assert set(np.unique(stability)) == {0.0, 1.0}


def test_maps_by_chance_overlap_as_chance_has_it():
    maps = np.random.default_rng(0).random((8, 100, 100))
    assert top_overlap(list(maps), share=0.1) == pytest.approx(0.1 / 1.9, abs=0.01)


def test_equal_scores_do_not_make_the_best_ground_larger():
    assert stability_of([np.zeros((5, 4))], share=0.25).sum() == 5


def test_maps_that_will_not_do_are_told():
    with pytest.raises(ValueError, match="of one shape and miss the same cells"):
        top_overlap([FIRST, np.zeros((2, 3))])
    with pytest.raises(ValueError, match="got 0 maps"):
        stability_of([])
    with pytest.raises(ValueError, match="share must lie in"):
        stability_of([FIRST], share=1.0)
    with pytest.raises(ValueError, match="One map overlaps with nothing"):
        top_overlap([FIRST])
