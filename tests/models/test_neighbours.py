"""GroupNeighbours: against a plain loop, and laws of a vote of deposits."""

import numpy as np
import pytest

from gossan.models import GroupNeighbours, neighbours


def by_hand(train, y, groups, X, *, cap=3, bandwidth=0.5):
    """The vote written as a loop over rows and deposits."""
    a, b = np.log10(train), np.log10(X)
    a, b = (z - np.log10(train).mean(axis=0) for z in (a, b))
    a, b = (z / np.log10(train).std(axis=0) for z in (a, b))
    classes, names = np.unique(y), np.unique(groups)
    owners = np.array([y[groups == name][0] for name in names])
    out = []
    for row in b:
        squares = ((a - row) ** 2).sum(axis=1)
        d = np.array([np.sort(squares[groups == name])[:cap].mean() for name in names])
        kernel = np.exp(-d / (bandwidth * np.sort(d)[min(3, len(d) - 1)]))
        score = [kernel[owners == k].sum() / np.sqrt((owners == k).sum()) for k in classes]
        out.append(np.array(score) / np.sum(score))
    return np.array(out)


@pytest.fixture
def world(plant):
    return plant(4, n_deposits=7, n_per_deposit=(1, 9))


def test_it_is_the_vote_written_as_a_loop(world, monkeypatch):
    monkeypatch.setattr(neighbours, "MOST_DISTANCES", 500)  # several chunks
    model = GroupNeighbours().fit(world.X, world.y, groups=world.groups)
    X = world.X[::5] * 1.1
    expected = by_hand(world.X, world.y, world.groups, X)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)


def test_without_groups_each_row_is_a_deposit(world):
    model = GroupNeighbours(bandwidth=1.5).fit(world.X, world.y)
    rows = np.arange(len(world.X))
    expected = by_hand(world.X, world.y, rows, world.X[:9] * 1.2, bandwidth=1.5)
    np.testing.assert_allclose(model.predict_proba(world.X[:9] * 1.2), expected, atol=1e-4)


def test_analyses_measured_twice_change_no_nearest_deposit(world):
    once = GroupNeighbours(n_nearest=1).fit(world.X, world.y, groups=world.groups)
    twice = (np.concatenate([each, each]) for each in (world.X, world.y, world.groups))
    X, y, groups = twice
    again = GroupNeighbours(n_nearest=1).fit(X, y, groups=groups)
    X = world.X[:20] * 1.3
    np.testing.assert_allclose(again.predict_proba(X), once.predict_proba(X), atol=1e-5)


def test_a_row_that_stands_in_many_deposits_is_no_division_by_zero():
    X, y = np.ones((10, 2)), ["a"] * 5 + ["b"] * 5
    model = GroupNeighbours().fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), 0.5)


def test_far_rows_still_have_probabilities(world):
    model = GroupNeighbours(bandwidth=1e-3).fit(world.X, world.y, groups=world.groups)
    assert np.isfinite(model.predict_proba([[1e30, 1e-30, 1e30]])).all()


def test_wrong_arguments_are_told(world):
    for settings in ({"n_nearest": 0}, {"n_nearest": 1.5}, {"bandwidth": 0.0}):
        with pytest.raises(ValueError, match=f"{next(iter(settings))} must be"):
            GroupNeighbours(**settings).fit(world.X, world.y)
