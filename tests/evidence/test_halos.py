"""Zoning: numbers by hand, laws, and a planted sequence."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gossan._checks import GossanWarning
from gossan.evidence.halos import (
    sequence_agreement,
    up_dip_distance,
    variability_gradient,
    zoning_index,
    zoning_sequence,
)

TRUE_LEVELS = {"Hg": 1.5, "Sb": 1.15, "As": 0.75, "Ag": 0.2, "Au": 0.0, "W": -0.85, "Mo": -1.2}


def planted(seed=0, n=1500):
    """Samples about one ore whose halos lie at known levels of an axis [m]."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(-2.2, 2.2, n)
    halos = {
        name: np.exp(rng.normal(0, 0.5, n)) * (1 + 20 * np.exp(-0.5 * ((t - level) / 0.7) ** 2))
        for name, level in TRUE_LEVELS.items()
    }
    return pd.DataFrame(halos), 200 * t, rng.uniform(1, 10, n)


class TestByHand:
    def test_productivity_is_excess_times_length(self):
        table = pd.DataFrame({"Au": [1.0, 5, 3, 1], "Hg": [8.0, 2, 2, np.nan]})
        zoning = zoning_sequence(
            table,
            [30, 30, 10, 10],
            [2, 1, 4, 9],
            edges=[0, 20, 40],
            background={"Au": 1, "Hg": 2},
            threshold={"Au": 2, "Hg": 2},
        )
        assert zoning.levels.tolist() == [30, 10]
        assert zoning.productivity["Au"].tolist() == [4, 8]  # (5-1)1; (3-1)4
        assert zoning.productivity["Hg"].tolist() == [12, 0]
        assert zoning.lengths.tolist() == [3, 13]
        assert zoning.n_missing["Hg"] == 1
        # Au has one decade less: times ten.
        assert_allclose(zoning.zoning_index.loc[30.0], [40 / 52, 12 / 52])
        assert zoning.sequence == ("Hg", "Au")

    def test_ties_go_by_the_variability_gradient(self):
        # Both are greatest in the middle; A fades faster upwards, so its bulk is below.
        index = pd.DataFrame({"A": [0.1, 0.5, 0.4], "B": [0.4, 0.5, 0.1]})
        assert_allclose(variability_gradient(index), [0.5 / 0.1 - 0.5 / 0.4, 5 / 4 - 5])
        table = pd.DataFrame({"A": [1.0, 5, 4], "B": [4.0, 5, 1], "C": [9.0, 1, 9]})
        base = dict.fromkeys("ABC", 0)
        zoning = zoning_sequence(table, [3, 2, 1], n_levels=3, background=base)
        assert_allclose(zoning.placement[["A", "B"]], 2)
        assert zoning.sequence == ("C", "B", "A")

    def test_an_element_absent_from_a_level_does_not_make_the_gradient_infinite(self):
        assert np.isfinite(variability_gradient(pd.DataFrame({"A": [0.0, 1.0, 0.0]}))).all()

    def test_the_centre_of_mass_is_per_sampled_metre(self):
        table = pd.DataFrame({"Au": [2.0, 2, 2, 2], "Hg": [2.0, 1, 1, 1]})
        zoning = zoning_sequence(
            table,
            [30, 10, 10, 10],
            edges=[0, 20, 40],
            background={"Au": 1, "Hg": 0},
            method="centre_of_mass",
        )
        assert zoning.placement["Au"] == pytest.approx(20)  # alike above and below
        assert zoning.placement["Hg"] == pytest.approx((2 * 30 + 1 * 10) / 3)

    def test_the_index_of_a_barren_level_is_zero(self):
        index = zoning_index(pd.DataFrame({"A": [0.0, 2.0], "B": [0.0, 6.0]}), scale="sum")
        assert_allclose(index, [[0, 0], [0.5, 0.5]])

    def test_up_the_dip(self):
        # Dip 30 degrees to the north: 100 m up the dip is 86.6 m south and 50 m up.
        point = [[0, -100 * np.cos(np.pi / 6), 50], [77, 0, 0]]
        assert_allclose(up_dip_distance(point, (0, 0, 0), 0, 30), [100, 0], atol=1e-9)


class TestLaws:
    @settings(max_examples=15)
    @given(st.integers(0, 1000), st.sampled_from(["grigorian", "centre_of_mass"]))
    def test_units_and_places_do_not_matter(self, seed, method):
        table, places, lengths = planted(seed, 400)
        one = zoning_sequence(table, places, lengths, method=method, scale="sum")
        units = pd.Series({name: 10.0**k for k, name in enumerate(table.columns)})
        two = zoning_sequence(table * units, places + 3000, lengths, method=method, scale="sum")
        assert one.sequence == two.sequence
        assert_allclose(two.placement - one.placement, 3000)

    def test_powers_of_ten_change_nothing_in_decades(self):
        table, places, lengths = planted()
        one = zoning_sequence(table, places, lengths)
        two = zoning_sequence(table.assign(Hg=table["Hg"] * 1000), places, lengths)
        assert_allclose(one.zoning_index, two.zoning_index)

    def test_upside_down_the_sequence_is_reversed(self):
        table, places, lengths = planted()
        one = zoning_sequence(table, places, lengths, method="centre_of_mass")
        two = zoning_sequence(table, -places, lengths, method="centre_of_mass")
        assert one.sequence == two.sequence[::-1]
        assert one.agreement(two.sequence) == -1

    def test_rows_of_the_index_add_up_to_one(self):
        table, places, lengths = planted()
        assert_allclose(zoning_sequence(table, places, lengths).zoning_index.sum(axis=1), 1)


class TestRecovery:
    @pytest.mark.parametrize("method", ["grigorian", "centre_of_mass"])
    @pytest.mark.parametrize("scale", ["decade", "sum"])
    def test_a_planted_sequence(self, method, scale):
        for seed in range(3):
            table, places, lengths = planted(seed)
            zoning = zoning_sequence(table, places, lengths, method=method, scale=scale)
            assert zoning.agreement(list(TRUE_LEVELS)) >= 0.95


class TestDoubts:
    def test_samples_without_place_and_elements_without_anomaly_are_counted(self):
        table, places, lengths = planted()
        places[:3] = np.nan
        lengths[5] = 0
        with pytest.warns(GossanWarning, match="4 of 1500 samples have no place or no length"):
            zoning_sequence(table, places, lengths)
        table, places, lengths = planted()
        with pytest.warns(GossanWarning, match="Mo have no anomalous sample"):
            zoning = zoning_sequence(table, places, lengths, threshold={"Mo": 1e9})
        assert "Mo" not in zoning.sequence
        assert zoning.threshold["Mo"] == 1e9

    def test_thinly_sampled_levels_can_be_left_out(self):
        table, places, lengths = planted()
        lengths[places > 300] *= 0.001
        zoning = zoning_sequence(table, places, lengths, min_length=50)
        assert zoning.levels.max() < 320
        assert (zoning.lengths >= 50).all()

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"n_levels": 1}, "two levels or more"),
            ({"edges": [0, 5, 5]}, "ascending numbers"),
            ({"edges": [1e6, 2e6, 3e6]}, "samples in two levels or more, got 0 of 2"),
            ({"background": {"Sn": 1}}, "The background names Sn, no column"),
            ({"threshold": dict.fromkeys(TRUE_LEVELS, 1e9)}, "No element has a sample above"),
            ({"method": "mean"}, "method must be one of"),
            ({"lengths": [1.0]}, r"lengths of \(1,\)"),
        ],
    )
    def test_what_cannot_be_is_refused(self, more, message):
        table, places, _ = planted(n=50)
        with pytest.raises(ValueError, match=message):
            zoning_sequence(table, places, **more)

    def test_sequences_that_cannot_be_compared_are_refused(self):
        with pytest.raises(ValueError, match="share 1 elements"):
            sequence_agreement(["Hg", "Sb"], ["Hg", "Mo", "W"])
        with pytest.raises(ValueError, match="stands twice"):
            sequence_agreement(["Hg", "Hg", "Sb"], ["Hg", "Mo", "W"])
        with pytest.raises(ValueError, match=r"Points must have shape \(n, 3\)"):
            up_dip_distance([[0, 0]], (0, 0, 0), 0, 30)
