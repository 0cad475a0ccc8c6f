"""Balances of halo groups: numbers by hand, laws, and what is missing."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from gossan._checks import GossanWarning
from gossan.evidence.balances import (
    FRONT,
    NEAR,
    TAIL,
    front_tail,
    halo_balances,
    halo_partition,
    halo_ratio,
)
from gossan.geochem.compositional import clr, ilr

PARTS = [*FRONT, *NEAR, *TAIL]


@pytest.fixture
def table():
    values = np.random.default_rng(0).lognormal(1, 1, (40, 12))
    return pd.DataFrame(values, columns=PARTS, index=np.arange(100, 140))


def test_front_against_tail_by_hand(table):
    front = np.log(table[list(FRONT)]).mean(axis=1)
    tail = np.log(table[list(TAIL)]).mean(axis=1)
    assert_allclose(front_tail(table), np.sqrt(12 / 7) * (front - tail))
    assert_allclose(halo_balances(table)["FT"], front_tail(table))
    assert list(front_tail(table).index) == list(table.index)


def test_balances_against_the_rest_by_hand(table):
    found = halo_balances(table)
    logs = np.log(table)
    for column, group in (("B1", FRONT), ("B2", NEAR), ("B3", TAIL)):
        r = len(group)
        rest = [name for name in PARTS if name not in group]
        gap = logs[list(group)].mean(axis=1) - logs[rest].mean(axis=1)
        assert_allclose(found[column], np.sqrt(r * (12 - r) / 12) * gap)


def test_a_dilution_changes_no_balance(table):
    thinner = table.mul(np.random.default_rng(1).uniform(0.1, 5, 40), axis=0)
    assert_allclose(halo_balances(thinner), halo_balances(table), atol=1e-12)
    for kind in ("balance", "quotient"):
        assert_allclose(front_tail(thinner, kind=kind), front_tail(table, kind=kind), rtol=1e-7)


def test_other_columns_take_no_part_except_in_the_quotient(table):
    more = table.assign(Ni=7.0)
    assert_allclose(halo_balances(more), halo_balances(table))
    assert_allclose(front_tail(more), front_tail(table))
    assert not np.allclose(front_tail(more, kind="quotient"), front_tail(table, kind="quotient"))


def test_missing_elements_leave_the_balance_of_the_others(table):
    with pytest.warns(GossanWarning, match="Hg, Co are no columns; .* other 5 elements"):
        found = front_tail(table.drop(columns=["Hg", "Co"]))
    logs = np.log(table)
    gap = logs[["As", "Sb"]].mean(axis=1) - logs[["W", "Bi", "Mo"]].mean(axis=1)
    assert_allclose(found, np.sqrt(6 / 5) * gap)


def test_rows_with_a_missing_value_are_nan_and_counted(table):
    table.iloc[3, 0] = np.nan
    with pytest.warns(GossanWarning, match="1 of 40 rows lack an element"):
        found = halo_balances(table)
    assert np.isnan(found.iloc[3]).all()
    assert found.drop(index=103).notna().all(axis=None)


def test_the_literal_quotient_flips_its_sign_where_the_balance_does_not(table):
    # As the tail passes its geometric mean, B3 passes zero while FT goes on falling.
    row = pd.DataFrame(1.0, index=range(2), columns=PARTS)
    row[list(FRONT)] = 5.0
    rest = np.exp(np.log(row.drop(columns=list(TAIL))).mean(axis=1)[0])
    for name in TAIL:
        row[name] = [rest * 0.99, rest * 1.01]
    quotient, balance = front_tail(row, kind="quotient"), front_tail(row)
    assert quotient[0] < 0 < quotient[1]
    assert balance[0] > balance[1] > 0


def test_the_ratio_is_one_at_the_medians():
    front, tail = [[1.0, 5], [2, 10], [4, 20]], [[3.0], [3], [3]]
    assert_allclose(halo_ratio(front, tail), [0.25, 1, 4])


def test_the_partition_is_orthonormal_and_keeps_the_indicators(table):
    signs = halo_partition(PARTS)
    coordinates = ilr(table, basis=signs)
    assert coordinates.shape == (40, 11)
    assert_allclose(coordinates["front|tail"], front_tail(table))
    # Orthonormal: lengths of the log-ratios are kept.
    assert_allclose((coordinates**2).sum(axis=1), (clr(table) ** 2).sum(axis=1))
    assert list(coordinates.columns)[:3] == ["near|halos", "front|tail", "As|Sb Hg"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: front_tail(t.drop(columns=list(TAIL))), "No element of the group 'tail'"),
        (lambda t: halo_balances(t, front=("As", "Au")), "Au stand in two groups"),
        (lambda t: front_tail(t, kind="product"), "kind must be one of"),
        (lambda t: front_tail(t.assign(W=0.0)), "needs positive parts, got 0 at row 100"),
        (lambda t: halo_partition([*PARTS, "Ni"]), "Ni belong to no group"),
        (lambda t: halo_ratio(t[["As"]], t[["W"]][:5]), "tables of equal length"),
        (lambda t: halo_ratio(t[["As"]], t[["W"]] * 0), "Tail elements must be positive, got 40"),
    ],
)
def test_what_cannot_be_is_refused(table, call, message):
    with warnings.catch_warnings(action="ignore"), pytest.raises(ValueError, match=message):
        call(table)
