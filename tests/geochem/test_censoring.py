from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import quad

from gossan._checks import GossanWarning
from gossan.geochem._order_statistics import fit_lognormal, kaplan_meier, plotting_positions
from gossan.geochem.censoring import (
    IMPUTATION_METHODS,
    censored_summary,
    fit_censored_lognormal,
    impute_censored,
)

# Dissolved arsenic in streams of Oahu [ug/L]: Helsel (2005), Nondetects and Data Analysis, Wiley.
OAHU = np.array([3.2, 2.8] + [2.0] * 8 + [1.7, 1.5] + [1.0] * 4 + [0.9, 0.9, 0.7, 0.7, 0.6])
OAHU = np.append(OAHU, [0.5, 0.5, 0.5])
OAHU_BELOW = np.zeros(24, dtype=bool)
OAHU_BELOW[[*range(2, 10), *range(12, 16), 17]] = True


def correlated_world(share, *, n=3000, n_parts=6, seed=0):
    """Logs of a correlated table, its true moments, and three limits for each element."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n_parts, 2))
    covariance = loadings @ loadings.T + 0.4 * np.eye(n_parts)
    mean = rng.normal(2.0, 2.0, n_parts)
    logs = rng.multivariate_normal(mean, covariance, n)
    laboratory = rng.integers(3, size=n)
    levels = [np.quantile(logs, share * factor, axis=0) for factor in (0.5, 1.0, 1.5)]
    limits = np.stack(levels)[laboratory]
    return logs, mean, covariance, limits


def censor(logs, limits):
    return np.exp(np.maximum(logs, limits)), logs < limits


def closed_world(*, n=3000, n_parts=5, seed=0):
    """Log-ratios to a main part that is always seen, their limits, and the table itself."""
    logs = correlated_world(0.3, n=n, n_parts=n_parts, seed=seed)[0]
    ratios = logs[:, 1:] - logs[:, :1]
    cut = np.quantile(ratios, 0.3, axis=0)
    amount = np.random.default_rng(seed).normal(0, 2.0, (n, 1))
    table = np.hstack([amount, amount + np.maximum(ratios, cut)])
    return ratios, cut, np.exp(table), np.hstack([np.zeros((n, 1), dtype=bool), ratios < cut])


class TestSubstitution:
    @pytest.mark.parametrize(
        ("method", "expected"), [("none", 2.0), ("half", 1.0), ("0.65", 1.3), ("sqrt2", 2**0.5)]
    )
    def test_the_limit_is_multiplied(self, method, expected):
        answer = impute_censored([[2.0, 5.0]], [[True, False]], method=method)
        assert_allclose(answer, [[expected, 5.0]])


class TestRegressionOnOrderStatistics:
    def test_plotting_positions_worked_by_hand(self):
        # One limit 1.5: A = 2 above, B = 2 below, so the chance of exceeding it is 1/2.
        values, below = np.array([1.0, 1.5, 4.0, 2.0]), np.array([False, True, False, False])
        found = plotting_positions(values, below, np.random.default_rng(0))
        assert_allclose(found, [0.25, 0.25, 0.5 + 0.5 * 2 / 3, 0.5 + 0.5 / 3])

    def test_without_limits_positions_are_those_of_weibull(self):
        found = plotting_positions(
            np.array([3.0, 1.0, 2.0]), np.zeros(3, dtype=bool), np.random.default_rng(0)
        )
        assert_allclose(found, [0.75, 0.25, 0.5])

    def test_oahu_arsenic_gives_the_values_helsel_prints(self):
        found = impute_censored(OAHU, OAHU_BELOW, method="ros")
        assert_allclose(
            np.sort(found[2:10]), [0.35, 0.46, 0.57, 0.68, 0.81, 0.95, 1.14, 1.42], atol=0.006
        )
        assert_allclose(np.sort(found[12:16]), [0.41, 0.58, 0.76, 0.98], atol=0.006)
        assert_allclose(found[17], 0.61, atol=0.006)

    def test_oahu_arsenic_summary(self):
        ros = censored_summary(OAHU, OAHU_BELOW, method="ros").iloc[0]
        assert_allclose([ros["mean"], ros["sd"], ros["median"]], [0.972, 0.718, 0.700], atol=0.006)
        assert ros["n"] == 24
        assert ros["n_censored"] == 13
        assert (ros["lowest_limit"], ros["highest_limit"]) == (0.9, 2.0)

    def test_ranks_are_dealt_out_by_the_seed(self):
        values, below = np.array([2.5, 6.0, 15.0, 2.0, 2.0, 2.0]), np.array([0, 0, 0, 1, 1, 1])
        one = impute_censored(values, below, method="ros", random_state=1)
        again = impute_censored(values, below, method="ros", random_state=1)
        others = [impute_censored(values, below, method="ros", random_state=k) for k in range(9)]
        assert_allclose(one, again)
        assert any(not np.allclose(one, other) for other in others)
        assert all(np.allclose(np.sort(one), np.sort(other)) for other in others)


class TestKaplanMeier:
    def test_masses_worked_by_hand(self):
        # 1, <1.5, 2, 4: F(2-) = 3/4 · 2/3 = 1/2, and nothing is below 1.
        points, masses = kaplan_meier(
            np.array([1.0, 1.5, 2.0, 4.0]), np.array([False, True, False, False])
        )
        assert_allclose(points[1:], [1.0, 2.0, 4.0])
        assert_allclose(masses, [0.0, 0.5, 0.25, 0.25])

    def test_mass_below_the_lowest_value_goes_to_the_lowest_limit(self):
        values, below = np.array([0.5, 0.7, 2.0, 4.0]), np.array([True, True, False, False])
        points, masses = kaplan_meier(values, below)
        assert_allclose(points, [0.5, 2.0, 4.0])
        assert_allclose(masses, [0.5, 0.25, 0.25])

    def test_without_limits_it_is_the_sample(self):
        x = np.random.default_rng(0).lognormal(size=(50, 1))
        found = censored_summary(x, np.zeros_like(x, dtype=bool)).iloc[0]
        assert_allclose([found["mean"], found["sd"]], [x.mean(), x.std(ddof=1)])
        assert_allclose(found["median"], np.sort(x.ravel())[24])

    def test_oahu_arsenic_mean(self):
        # Helsel (2005): Kaplan-Meier mean 0.949, sd 0.807 from R's NADA, median 0.70.
        found = censored_summary(OAHU, OAHU_BELOW).iloc[0]
        assert_allclose([found["mean"], found["median"]], [0.949, 0.700], atol=0.001)

    def test_a_median_below_the_lowest_limit_is_unknown(self):
        below = np.array([[True], [True], [True], [False], [False], [False], [True]])
        found = censored_summary(np.array([[1.0], [1], [1], [2], [3], [4], [1]]), below)
        assert np.isnan(found["median"].iloc[0])


class TestMaximumLikelihood:
    def test_without_limits_it_is_mean_and_sd_of_the_logs(self):
        logs = np.random.default_rng(1).normal(2, 0.7, 300)
        assert_allclose(
            fit_lognormal(np.exp(logs), np.zeros(300, dtype=bool)), [logs.mean(), logs.std()]
        )

    def test_the_slope_of_the_likelihood_is_zero_at_the_answer(self):
        logs, _, _, limits = correlated_world(0.4, n=500, n_parts=1)
        values, below = censor(logs[:, 0], limits[:, 0])
        mean, sd = fit_lognormal(values, below)

        def loss(mu, s):
            seen = stats.norm.logpdf(np.log(values[~below]), mu, s).sum()
            return -seen - stats.norm.logcdf(np.log(values[below]), mu, s).sum()

        best = loss(mean, sd)
        nearby = [loss(mean + a, sd + b) for a in (-0.01, 0, 0.01) for b in (-0.01, 0, 0.01)]
        assert best <= min(nearby) + 1e-6

    def test_summary_recovers_a_known_lognormal(self):
        rng = np.random.default_rng(3)
        x = rng.lognormal(1.0, 0.8, (20_000, 1))
        found = censored_summary(np.maximum(x, 2.0), x < 2.0, method="mle").iloc[0]
        assert_allclose([found["mean_log"], found["sd_log"]], [1.0, 0.8], atol=0.02)
        assert_allclose(found["mean"], np.exp(1.0 + 0.32), rtol=0.02)
        assert_allclose(found["median"], np.e, rtol=0.02)


class TestMultivariateLognormal:
    def test_one_hidden_cell_gets_the_textbook_conditional_mean(self):
        logs, _, _, limits = correlated_world(0.3, n=400, n_parts=3)
        limits[:, :2] = -50.0  # only the last element is ever hidden
        values, below = censor(logs, limits)
        model = fit_censored_lognormal(values, below)
        row = np.flatnonzero(below[:, 2])[0]
        s = model.covariance
        weights = np.linalg.solve(s[:2, :2], s[:2, 2])
        centre = model.mean[2] + (logs[row, :2] - model.mean[:2]) @ weights
        sd = np.sqrt(s[2, 2] - s[:2, 2] @ weights)
        expected = stats.truncnorm(-np.inf, (limits[row, 2] - centre) / sd, centre, sd).mean()
        found = impute_censored(values, below, model=model)
        assert_allclose(np.log(found[row, 2]), expected, atol=1e-6)

    def test_two_hidden_cells_get_the_moments_of_the_truncated_normal(self):
        values = np.array([[1.0, 1.0]])
        model = fit_censored_lognormal(*censor(*correlated_world(0.2, n=300, n_parts=2)[::3]))
        rho = model.covariance[0, 1] / model.covariance[1, 1]
        sd = np.sqrt(model.covariance[0, 0] - rho * model.covariance[0, 1])
        prior = stats.norm(model.mean[1], np.sqrt(model.covariance[1, 1]))

        def given_other(y):
            inner = stats.norm(model.mean[0] + rho * (y - model.mean[1]), sd)
            return prior.pdf(y) * inner.cdf(0.0)

        lowest = model.mean[1] - 9 * prior.std()
        mass = quad(given_other, lowest, 0.0, epsabs=1e-13)[0]
        expected = quad(lambda y: y * given_other(y), lowest, 0.0, epsabs=1e-13)[0] / mass
        many = np.repeat(values, 400, axis=0)
        found = np.log(impute_censored(many, np.ones_like(many, dtype=bool), model=model))
        assert_allclose(found[:, 1].mean(), expected, atol=0.02)

    @pytest.mark.parametrize(("share", "tolerance"), [(0.1, 0.05), (0.3, 0.05), (0.6, 0.05)])
    def test_it_recovers_the_mean_log_under_several_limits(self, share, tolerance):
        errors = []
        for seed in range(3):
            logs, _, _, limits = correlated_world(share, seed=seed)
            values, below = censor(logs, limits)
            assert abs(below.mean() - share) < 0.03
            imputed = np.log(impute_censored(values, below))
            errors.append(imputed.mean(axis=0) - logs.mean(axis=0))
        assert np.abs(errors).max() < tolerance

    def test_the_model_recovers_spread_and_correlation(self):
        logs, mean, covariance, limits = correlated_world(0.5, n=6000)
        model = fit_censored_lognormal(*censor(logs, limits))
        assert_allclose(model.mean, mean, atol=0.08)
        assert_allclose(np.diag(model.covariance) / np.diag(covariance), 1.0, atol=0.1)
        sd, true = np.sqrt(np.diag(model.covariance)), np.sqrt(np.diag(covariance))
        assert_allclose(
            model.covariance / np.outer(sd, sd), covariance / np.outer(true, true), atol=0.06
        )

    def test_draws_keep_the_spread_and_means_narrow_it(self):
        logs, _, _, limits = correlated_world(0.5)
        values, below = censor(logs, limits)
        drawn = np.log(impute_censored(values, below, draw=True))
        meant = np.log(impute_censored(values, below))
        assert_allclose(drawn.std(axis=0) / logs.std(axis=0), 1.0, atol=0.05)
        assert (meant.std(axis=0) < 0.99 * logs.std(axis=0)).all()
        assert_allclose(drawn.mean(axis=0), logs.mean(axis=0), atol=0.06)

    def test_draws_differ_by_seed_and_repeat_with_it(self):
        values, below = censor(*correlated_world(0.3, n=100)[::3])
        one = impute_censored(values, below, draw=True, random_state=1)
        assert_allclose(one, impute_censored(values, below, draw=True, random_state=1))
        assert not np.allclose(one, impute_censored(values, below, draw=True, random_state=2))

    def test_logratios_recover_a_closed_composition(self):
        ratios, _, values, below = closed_world(seed=5)
        found = np.log(impute_censored(values, below, coordinates="logratio"))
        error = (found - found[:, :1]).mean(axis=0)[1:] - ratios.mean(axis=0)
        assert np.abs(error / ratios.std(axis=0)).max() < 0.05

    def test_logratios_to_a_part_always_seen_are_the_additive_ones(self):
        ratios, cut, values, below = closed_world(seed=6)
        whole = fit_censored_lognormal(values, below, coordinates="logratio")
        part = fit_censored_lognormal(np.exp(np.maximum(ratios, cut)), below[:, 1:])
        assert_allclose((whole.mean - whole.mean[0])[1:], part.mean, atol=1e-3)

    def test_a_constant_main_component_is_what_ratios_are_taken_to(self):
        ratios, cut, _, below = closed_world(seed=7)
        table = np.hstack([np.full((len(ratios), 1), 9e5), np.exp(np.maximum(ratios, cut))])
        found = np.log(impute_censored(table, below, coordinates="logratio")[:, 1:])
        assert_allclose(found, np.log(impute_censored(table[:, 1:], below[:, 1:])), atol=1e-3)

    def test_logratios_do_not_see_the_amount(self):
        values, below = censor(*correlated_world(0.2, n=300)[::3])
        seen = ~below.all(axis=1)
        values, below = values[seen], below[seen]
        factor = np.random.default_rng(0).lognormal(size=(len(values), 1))
        one = impute_censored(values, below, coordinates="logratio")
        two = impute_censored(values * factor, below, coordinates="logratio") / factor
        # Only the very first guess, one element at a time, sees the amount; the sweeps forget it.
        assert_allclose(np.log(two), np.log(one), atol=0.6)
        assert_allclose(np.log(two[below]).mean(), np.log(one[below]).mean(), atol=0.02)

    def test_missing_cells_stay_missing_and_do_not_bias(self):
        logs, _, _, limits = correlated_world(0.3)
        values, below = censor(logs, limits)
        lost = np.random.default_rng(0).random(values.shape) < 0.2
        values[lost], below[lost] = np.nan, False
        found = impute_censored(values, below)
        assert np.isnan(found[lost]).all()
        assert np.isfinite(found[~lost]).all()
        model = fit_censored_lognormal(values, below)
        assert_allclose(model.mean, logs.mean(axis=0), atol=0.08)

    def test_a_model_of_training_rows_serves_test_rows_alone_or_together(self):
        logs, _, _, limits = correlated_world(0.3, n=2000)
        values, below = censor(logs, limits)
        model = fit_censored_lognormal(values[:1500], below[:1500])
        found = impute_censored(values[1500:], below[1500:], model=model)
        assert_allclose(np.log(found).mean(axis=0), logs[1500:].mean(axis=0), atol=0.1)
        assert model.n_rows == 1500

    def test_few_rows_and_many_columns_still_give_an_answer(self):
        values, below = censor(*correlated_world(0.3, n=12, n_parts=10)[::3])
        found = impute_censored(values, below)
        assert np.isfinite(found).all()
        assert (found <= values).all()

    def test_nothing_censored_changes_nothing(self):
        values = np.exp(correlated_world(0.3, n=20)[0])
        for method in IMPUTATION_METHODS:
            found = impute_censored(values, np.zeros_like(values, dtype=bool), method=method)
            assert_allclose(found, values)


class TestGroups:
    """Deposits with levels of their own: x = level of the deposit + scatter."""

    def world(self, *, n_groups=80, seed=0):
        rng = np.random.default_rng(seed)
        between = np.array([[4.0, 1.5, 0.0], [1.5, 2.0, 0.0], [0.0, 0.0, 3.0]])
        within = np.array([[0.5, 0.3, 0.1], [0.3, 0.5, 0.0], [0.1, 0.0, 0.5]])
        sizes = rng.integers(5, 60, n_groups)
        groups = np.repeat(np.arange(n_groups), sizes)
        levels = rng.multivariate_normal([1.0, 2.0, 3.0], between, n_groups)
        logs = levels[groups] + rng.multivariate_normal(np.zeros(3), within, len(groups))
        laboratory = rng.integers(3, size=n_groups)[groups]
        limits = np.stack([np.quantile(logs, q, axis=0) for q in (0.15, 0.3, 0.45)])[laboratory]
        return logs, limits, groups, between, within

    def test_levels_and_scatter_are_told_apart(self):
        logs, limits, groups, _, within = self.world(n_groups=300)
        names = np.array([f"deposit {g}" for g in groups])
        model = fit_censored_lognormal(*censor(logs, limits), groups=names)
        levels = np.array([logs[groups == g].mean(axis=0) for g in range(300)])
        assert_allclose(model.mean, levels.mean(axis=0), atol=0.06)
        assert_allclose(np.diag(model.between) / levels.var(axis=0), 1.0, atol=0.15)
        assert_allclose(np.diag(model.covariance - model.between), np.diag(within), atol=0.06)

    def test_groups_guess_closer_than_one_lognormal_for_all(self):
        logs, limits, groups, _, _ = self.world()
        values, below = censor(logs, limits)
        pooled = np.log(impute_censored(values, below))
        grouped = np.log(impute_censored(values, below, groups=groups))

        def error(imputed):
            return np.sqrt(np.mean((imputed - logs)[below] ** 2))

        assert error(grouped) < 0.85 * error(pooled)
        assert_allclose(grouped.mean(axis=0), logs.mean(axis=0), atol=0.06)

    def test_a_model_with_groups_serves_new_groups_and_rows_without(self):
        logs, limits, groups, _, _ = self.world()
        values, below = censor(logs, limits)
        old = groups < 60
        model = fit_censored_lognormal(values[old], below[old], groups=groups[old])
        for arguments in ({"groups": groups[~old]}, {}):
            found = impute_censored(values[~old], below[~old], model=model, **arguments)
            assert (found <= values[~old]).all()

    def test_errors(self):
        logs, limits, groups, _, _ = self.world(n_groups=5)
        values, below = censor(logs, limits)
        with pytest.raises(ValueError, match="groups need coordinates 'log', got 'logratio'"):
            impute_censored(values, below, groups=groups, coordinates="logratio")
        with pytest.raises(ValueError, match="groups has 3 labels for"):
            impute_censored(values, below, groups=groups[:3])
        model = fit_censored_lognormal(values, below)
        with pytest.raises(ValueError, match="the model was fitted without groups"):
            impute_censored(values, below, groups=groups, model=model)


class TestLaws:
    @settings(max_examples=30, deadline=None)
    @given(
        seed=st.integers(0, 10**6),
        method=st.sampled_from(IMPUTATION_METHODS),
        share=st.floats(0.05, 0.5),
    )
    def test_only_censored_cells_change_and_stay_below_their_limit(self, seed, method, share):
        values, below = censor(*correlated_world(share, n=60, n_parts=3, seed=seed)[::3])
        before = values.copy()
        found = impute_censored(values, below, method=method)
        assert_allclose(values, before)
        assert_allclose(found[~below], values[~below])
        assert (found[below] <= values[below]).all()
        assert (found > 0).all()

    @pytest.mark.parametrize("method", IMPUTATION_METHODS)
    def test_the_unit_does_not_matter(self, method):
        values, below = censor(*correlated_world(0.3, n=200, n_parts=3)[::3])
        one = impute_censored(values, below, method=method)
        two = impute_censored(values * 1e4, below, method=method)
        assert_allclose(two / 1e4, one, rtol=1e-5)

    def test_frames_and_series_come_back_as_they_were(self):
        values, below = censor(*correlated_world(0.3, n=30, n_parts=3)[::3])
        index = [f"s{i}" for i in range(30)]
        frame = pd.DataFrame(values, columns=["In", "Ge", "Sn"], index=index)
        mask = pd.DataFrame(below, columns=["In", "Ge", "Sn"], index=index)
        found = impute_censored(frame, mask[["Sn", "In", "Ge"]])
        assert list(found.columns) == ["In", "Ge", "Sn"]
        assert list(found.index) == index
        assert_allclose(found, impute_censored(values, below))
        series = impute_censored(frame["In"], mask["In"], method="half")
        assert series.name == "In"
        summary = censored_summary(frame, mask)
        assert list(summary.index) == ["In", "Ge", "Sn"]
        assert_allclose(summary["censored_share"], below.mean(axis=0))


class TestMessages:
    def test_a_column_without_observed_values_gets_a_factor_and_a_warning(self):
        values, below = censor(*correlated_world(0.3, n=50, n_parts=3)[::3])
        frame, mask = pd.DataFrame(values, columns=list("ABC")), pd.DataFrame(below)
        mask.columns = list("ABC")
        frame["B"], mask["B"] = 2.0, True
        for method in ("ros", "lognormal_em"):
            with pytest.warns(GossanWarning, match=r"Fewer than 3 .* in \['B'\]: 0.65") as caught:
                found = impute_censored(frame, mask, method=method)
            assert caught[0].filename == __file__
            assert_allclose(found["B"], 1.3)
        with pytest.raises(ValueError, match=r"Columns \['B'\] have fewer than 3"):
            fit_censored_lognormal(frame, mask)
        assert np.isnan(censored_summary(frame, mask).loc["B", "mean"])

    def test_a_column_mostly_below_detection_is_named(self):
        logs, _, _, limits = correlated_world(0.3, n=100, n_parts=2)
        limits[:, 0] = np.quantile(logs[:, 0], 0.9)
        with pytest.warns(GossanWarning, match=r"Over 80% of \['x0'\] is below detection"):
            impute_censored(*censor(logs, limits))

    def test_rows_without_observed_values_have_no_ratios(self):
        values, below = censor(*correlated_world(0.2, n=100, n_parts=3)[::3])
        below[0] = True
        n_empty = int(below.all(axis=1).sum())
        with pytest.warns(GossanWarning, match=f"^{n_empty} of 100 rows have no observed value"):
            found = impute_censored(values, below, coordinates="logratio")
        assert_allclose(found[0], 0.65 * values[0])

    def test_a_table_wholly_below_detection(self):
        with pytest.warns(GossanWarning, match="Fewer than 3"):
            found = impute_censored([[2.0, 4.0]] * 3, np.ones((3, 2), dtype=bool))
        assert_allclose(found, [[1.3, 2.6]] * 3)

    def test_errors_name_the_cells_and_the_way_out(self):
        frame = pd.DataFrame({"In": [1.0, np.nan], "Sn": [0.0, 2.0]}, index=["s1", "s2"])
        mask = pd.DataFrame({"In": [False, True], "Sn": [False, False]}, index=["s1", "s2"])
        with pytest.raises(ValueError, match=r"needs its limit.* got nan at row 's2', column 'In'"):
            impute_censored(frame, mask)
        with pytest.raises(ValueError, match=r"got 0 at row 's1', column 'Sn'.*A zero is mostly"):
            impute_censored(frame, mask & False, method="ros")
        with pytest.raises(ValueError, match=r"shape \(2, 2\), the censored mask \(2, 1\)"):
            impute_censored(frame, mask[["In"]].to_numpy())
        with pytest.raises(ValueError, match=r"columns \['Pb', 'Sn'\] are in one only"):
            impute_censored(frame, mask.rename(columns={"Sn": "Pb"}))
        with pytest.raises(ValueError, match="the rows are not the same"):
            impute_censored(frame, mask.iloc[::-1])
        with pytest.raises(ValueError, match="mask must be Boolean"):
            impute_censored([1.0, 2.0], [0.5, 2.0])

    def test_options_are_checked(self):
        values, below = [[1.0], [2.0], [3.0]], [[True], [False], [False]]
        with pytest.raises(ValueError, match=r"method must be one of .*Did you mean 'half'"):
            impute_censored(values, below, method="halve")
        with pytest.raises(ValueError, match="coordinates must be one of log, logratio"):
            impute_censored(values, below, coordinates="clr")
        with pytest.raises(ValueError, match="draw, groups and model belong to method"):
            impute_censored(values, below, method="ros", draw=True)
        with pytest.raises(ValueError, match="method must be one of kaplan_meier, ros, mle"):
            censored_summary(values, below, method="mean")
        with pytest.raises(ValueError, match="n_sweeps must be 2 or more, got 1"):
            fit_censored_lognormal(values, below, n_sweeps=1)

    def test_a_model_of_other_columns_is_refused(self):
        values, below = censor(*correlated_world(0.3, n=50, n_parts=3)[::3])
        model = fit_censored_lognormal(values, below)
        with pytest.raises(ValueError, match="The model was fitted to columns"):
            impute_censored(values[:, :2], below[:, :2], model=model)


def test_four_thousand_analyses_of_twelve_elements_raise_no_warning():
    values, below = censor(*correlated_world(0.3, n=4000, n_parts=12)[::3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(impute_censored(values, below)).all()
