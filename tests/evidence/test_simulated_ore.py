"""The steps of the evidence on a simulated gold deposit, whose truth is known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gossan.evidence.balances import front_tail
from gossan.evidence.factors import VarimaxFactors
from gossan.evidence.fractal import fractal_thresholds
from gossan.evidence.halos import zoning_sequence
from gossan.evidence.proximity import distance_to_surface
from gossan.geochem.compositional import clr


@pytest.mark.parametrize(("method", "least"), [("grigorian", 0.9), ("centre_of_mass", 0.93)])
def test_the_zoning_in_the_frame_of_the_ore_is_the_planted_one(campaigns, method, least):
    for one in campaigns:
        truth = one.deposit.truth
        frames = np.array([truth.ore_frame(one.points, i) for i in range(len(truth.bodies))])
        r, t, n = frames.transpose(2, 0, 1)
        near = (np.abs(r) < 1) & (np.abs(t) < 2) & (np.abs(n) < 60)
        own = np.where(near, np.abs(n), np.inf).argmin(axis=0)
        zone, height = near.any(axis=0), t[own, np.arange(len(own))]
        zoning = zoning_sequence(
            one.values[zone], height[zone], one.lengths[zone], n_levels=6, method=method
        )
        assert zoning.agreement(truth.zoning) >= least


def test_fractal_thresholds_of_two_halves_of_the_holes_agree(campaigns):
    for one in campaigns:
        is_even = one.deposit.assay["hole"].astype("category").cat.codes.to_numpy() % 2 == 0
        gold = one.values["Au"].to_numpy()
        halves = [
            fractal_thresholds(gold[half], one.lengths[half], n_bootstrap=0).thresholds
            for half in (is_even, ~is_even)
        ]
        # A factor of 1.5 where concentrations span five orders of magnitude.
        assert_allclose(np.log(halves[0]), np.log(halves[1]), atol=np.log(1.6))


def test_the_inner_and_middle_anomaly_of_gold_are_ore_and_the_background_is_not(campaigns):
    for one in campaigns:
        holes = one.deposit.assay["hole"]
        model = fractal_thresholds(one.values["Au"], one.lengths, groups=holes)
        classes = model.classify(one.values["Au"])
        share = one.deposit.samples["ore_share"].groupby(classes).mean()
        assert share[0] < 0.02
        assert share[2] > 0.9
        assert share[3] > 0.9
        inside = (model.intervals[:, 0] <= model.thresholds) & (
            model.thresholds <= model.intervals[:, 1]
        )
        assert inside.all()


@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_antimony_and_mercury_share_a_factor(campaigns, scaling):
    for one in campaigns:
        model = VarimaxFactors(5, scaling=scaling).fit(clr(one.ppm))
        chosen = model.factor_of(("Sb", "Hg"))
        assert set(chosen.loadings.index[:2]) == {"clr(Sb)", "clr(Hg)"}
        assert (chosen.loadings[["clr(Sb)", "clr(Hg)"]] > 0.4).all()


def test_front_against_tail_rises_up_the_dip_of_the_ore(campaigns):
    for one in campaigns:
        body = int((~one.deposit.truth.bodies["is_blind"]).to_numpy().argmax())
        r, t, n = one.deposit.truth.ore_frame(one.points, body).T
        near = (np.abs(r) < 1) & (np.abs(t) < 1.5) & (np.abs(n) < 40)
        assert np.corrcoef(t[near], front_tail(one.ppm)[near])[0, 1] > 0.5


def test_interpreted_faults_are_some_metres_off_the_true_ones(campaigns):
    for one in campaigns:
        true = one.deposit.truth.distance_to_faults(one.points)
        found = distance_to_surface(one.points, one.deposit.faults)
        near = true < 150
        assert 1 < np.median(np.abs(found - true)[near]) < 15
        assert np.corrcoef(found, true)[0, 1] > 0.93
