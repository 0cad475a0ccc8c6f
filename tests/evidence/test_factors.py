"""Factors: planted loadings recovered, laws of rotation and scores, choice by content."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from gossan.evidence.factors import VarimaxFactors, parallel_analysis, varimax
from gossan.geochem.compositional import clr
from gossan.geochem.logratios import LogRatioTransformer

ELEMENTS = ["Ag", "As", "Au", "Cu", "Hg", "Pb", "Zn", "Sb", "W", "Bi", "Co", "Mo"]
GROUPS = [["Hg", "Sb", "As"], ["W", "Bi", "Mo"], ["Cu", "Zn", "Co"], ["Ag", "Pb", "Au"]]


def true_loadings():
    """Four groups of three elements, one factor a group, 0.8 to 0.9 on it and little elsewhere."""
    rng = np.random.default_rng(42)
    table = pd.DataFrame(rng.uniform(-0.15, 0.15, (12, 4)), ELEMENTS)
    for number, group in enumerate(GROUPS):
        table.loc[group, number] = [0.9, 0.85, 0.8]
    return table


def planted(n=3000, seed=0):
    """Standard normal table with these loadings on independent factors; and the factors."""
    rng = np.random.default_rng(seed)
    loadings = true_loadings().to_numpy()
    factors = rng.normal(size=(n, 4))
    own = np.sqrt(1 - (loadings**2).sum(axis=1))
    values = factors @ loadings.T + rng.normal(size=(n, 12)) * own
    return pd.DataFrame(values, columns=ELEMENTS), factors


def congruence(first, second):
    """Tucker's congruence of columns, the best match of each column of `second`."""
    a, b = (np.asarray(x) / np.linalg.norm(x, axis=0) for x in (first, second))
    return np.abs(a.T @ b).max(axis=0)


class TestVarimax:
    def test_a_turned_simple_structure_is_turned_back(self):
        simple = np.array([[0.9, 0], [0.8, 0], [0, 0.7], [0, 0.6]])
        turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
        rotated, rotation = varimax(simple @ turn)
        assert_allclose(np.abs(rotated).max(axis=1), [0.9, 0.8, 0.7, 0.6], atol=1e-9)
        assert_allclose(np.abs(rotated).min(axis=1), 0, atol=1e-9)
        assert_allclose(rotation @ rotation.T, np.eye(2), atol=1e-12)

    def test_it_leaves_a_saddle_that_stops_gradient_steps(self):
        rotated, _ = varimax([[0.5, 0.5], [0.5, -0.5], [0.6, 0.6], [0.6, -0.6]])
        assert_allclose(np.abs(rotated).min(axis=1), 0, atol=1e-9)

    @settings(max_examples=25)
    @given(st.integers(0, 10**6), st.booleans())
    def test_no_small_turn_of_two_factors_does_better(self, seed, normalise):
        loadings = np.random.default_rng(seed).normal(size=(9, 3))

        def criterion(table):
            if normalise:
                table = table / np.linalg.norm(loadings, axis=1, keepdims=True)
            return (table**2).var(axis=0).sum()

        rotated, rotation = varimax(loadings, normalise=normalise)
        assert_allclose(rotated, loadings @ rotation, atol=1e-12)
        # Communalities do not change.
        assert_allclose((rotated**2).sum(axis=1), (loadings**2).sum(axis=1), atol=1e-9)
        best = criterion(rotated)
        for i, j in ((0, 1), (0, 2), (1, 2)):
            for angle in (-0.05, 0.05, np.pi / 8):
                turn = np.eye(3)
                turn[[i, i, j, j], [i, j, i, j]] = (
                    np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle),
                )  # fmt: skip
                assert criterion(rotated @ turn) <= best + 1e-9


class TestRecovery:
    @pytest.mark.parametrize("method", ["components", "principal_axis"])
    @pytest.mark.parametrize("scaling", ["standard", "robust"])
    def test_planted_loadings_and_scores(self, method, scaling):
        table, factors = planted()
        model = VarimaxFactors(4, method=method, scaling=scaling).fit(table)
        assert (congruence(model.loadings_, true_loadings()) > 0.97).all()
        scores = model.transform(table)
        match = np.abs(np.corrcoef(scores.T, factors.T)[:4, 4:])
        assert (match.max(axis=0) > 0.9).all()
        if method == "principal_axis":  # components overstate loadings by what is an element's own
            communalities = (true_loadings() ** 2).sum(axis=1)
            assert_allclose(model.communalities_, communalities, atol=0.1)

    def test_outliers_do_not_move_robust_loadings(self):
        table, _ = planted()
        spoilt = table.copy()
        rng = np.random.default_rng(1)
        rows = rng.choice(3000, 60, replace=False)
        spoilt.iloc[rows] += rng.normal(0, 30, (60, 12))
        truth = true_loadings()
        robust = VarimaxFactors(4, scaling="robust").fit(spoilt)
        standard = VarimaxFactors(4).fit(spoilt)
        assert (congruence(robust.loadings_, truth) > 0.95).all()
        assert (
            congruence(standard.loadings_, truth).min() < congruence(robust.loadings_, truth).min()
        )

    def test_parallel_analysis_finds_the_number(self):
        table, _ = planted()
        analysis = parallel_analysis(table)
        assert analysis.n_factors == 4
        assert (analysis.eigenvalues[:4] > analysis.by_chance[:4]).all()
        assert VarimaxFactors("parallel").fit(table).n_factors_ == 4
        noise = np.random.default_rng(0).normal(size=(2000, 8))
        assert parallel_analysis(noise).n_factors == 1

    def test_the_same_through_concentrations_and_log_ratios(self):
        # One group varies together, the other elements each alone; four equal groups would lose a
        # factor to closure, as nothing is left to compare the last with.
        rng = np.random.default_rng(3)
        common = rng.normal(size=2000)
        logs = pd.DataFrame(rng.normal(size=(2000, 12)), columns=ELEMENTS)
        logs[GROUPS[0]] = 0.4 * logs[GROUPS[0]] + common[:, None]
        concentrations = np.exp(logs + 2)
        model = make_pipeline(LogRatioTransformer("clr"), VarimaxFactors(5)).fit(concentrations)
        ratios = clr(concentrations).to_numpy()
        scores = model[-1].scores_of(ratios, ["x4", "x7"])  # Hg, Sb
        assert np.corrcoef(scores, common)[0, 1] > 0.9

    def test_closure_makes_no_factor_in_parallel_analysis_of_log_ratios(self):
        rng = np.random.default_rng(2)
        ratios = clr(np.exp(rng.normal(size=(2000, 6))))
        assert parallel_analysis(ratios).n_factors == 1


class TestLaws:
    def test_scores_of_components_are_standard_and_uncorrelated(self):
        table, _ = planted(800)
        scores = VarimaxFactors(4).fit_transform(table)
        assert_allclose(scores.mean(axis=0), 0, atol=1e-12)
        assert_allclose(np.cov(scores.T, bias=True), np.eye(4), atol=1e-8)

    def test_loadings_of_components_are_correlations_with_the_scores(self):
        table, _ = planted(800)
        model = VarimaxFactors(4).fit(table)
        together = np.corrcoef(table.T, model.transform(table).T)[:12, 12:]
        assert_allclose(model.loadings_, together, atol=1e-8)
        assert model.explained_.sum() == pytest.approx(model.communalities_.mean())
        assert (np.diff(model.explained_) <= 0).all()
        assert (model.loadings_.sum() >= 0).all()

    @settings(max_examples=10)
    @given(st.integers(0, 11), st.floats(0.01, 100), st.floats(-50, 50))
    def test_units_of_a_column_do_not_matter(self, column, unit, shift):
        table, _ = planted(300)
        other = table.copy()
        other.iloc[:, column] = other.iloc[:, column] * unit + shift
        one, two = (VarimaxFactors(3).fit(each) for each in (table, other))
        assert_allclose(one.loadings_, two.loadings_, atol=1e-6)
        assert_allclose(one.transform(table), two.transform(other), atol=1e-6)


class TestChoice:
    def test_a_factor_is_found_by_its_elements_and_signed_by_the_first(self):
        table, factors = planted()
        model = VarimaxFactors(4).fit(clr_names(-table))
        chosen = model.factor_of(("Sb", "Hg"))
        assert chosen.loadings.index[:3].tolist() == ["clr(Hg)", "clr(Sb)", "clr(As)"]
        assert (chosen.loadings[:2] > 0.7).all()
        assert chosen.name == model.loadings_.columns[chosen.number]
        scores = model.scores_of(clr_names(-table), ("Sb", "Hg"))
        assert np.corrcoef(scores, -factors[:, 0])[0, 1] > 0.9
        assert model.factor_of(("W", "Bi", "Mo")).number != chosen.number

    def test_the_rule_is_the_largest_same_signed_product(self):
        table, _ = planted(500)
        model = VarimaxFactors(2).fit(table)
        model.loadings_ = pd.DataFrame(0.0, ELEMENTS, ["factor1", "factor2"])
        model.loadings_.loc[["Sb", "Hg"], "factor1"] = [0.9, -0.9]  # larger, but of two signs
        model.loadings_.loc[["Sb", "Hg"], "factor2"] = [-0.3, -0.4]
        chosen = model.factor_of()
        assert (chosen.number, chosen.sign) == (1, -1)
        assert chosen.loadings["Sb"] == 0.3
        model.loadings_["factor2"] = 0.0
        with pytest.raises(ValueError, match="No factor holds Sb, Hg with one sign"):
            model.factor_of()

    def test_an_unknown_element_is_named(self):
        table, _ = planted(100)
        with pytest.raises(KeyError, match=r"'Sn' is not among the columns"):
            VarimaxFactors(2).fit(table).factor_of(("Sn",))


def clr_names(table):
    return table.rename(columns=lambda name: f"clr({name})")


def test_frames_out_and_clones():
    table, _ = planted(100)
    model = VarimaxFactors(3).set_output(transform="pandas")
    answer = clone(model).set_output(transform="pandas").fit_transform(table)
    assert list(answer.columns) == ["factor1", "factor2", "factor3"]


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"n_factors": 13}, "n_factors must be 'parallel' or 1 to 12"),
        ({"n_factors": "many"}, "n_factors must be 'parallel'"),
        ({"method": "ml"}, "method must be one of"),
        ({"scaling": "none"}, "scaling must be one of"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings_, message):
    with pytest.raises(ValueError, match=message):
        VarimaxFactors(**settings_).fit(planted(60)[0])


def test_tables_that_cannot_be_are_refused():
    table, _ = planted(60)
    with pytest.raises(ValueError, match="Columns Au do not vary"):
        VarimaxFactors(2).fit(table.assign(Au=0.1))
    with pytest.raises(ValueError, match=r"1 to 11 for these 12 columns"):
        VarimaxFactors(12).fit(clr(np.exp(table)))
    with pytest.raises(ValueError, match="1 missing"):
        parallel_analysis(table.replace(table.iloc[0, 0], np.nan))
    with pytest.raises(ValueError, match="Column 2 does not vary"):
        parallel_analysis(table.assign(Au=1.0))
