from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_score

from gossan.simulate.chemistry import UNSEEN, simulate_mineral_chemistry
from gossan.simulate.minerals import MAGNETITE, SPHALERITE, MineralTemplate, mineral_template


@pytest.fixture(scope="module", params=["sphalerite", "magnetite"])
def simulated(request):
    return simulate_mineral_chemistry(mineral=request.param)


@pytest.fixture(scope="module")
def messy():
    return simulate_mineral_chemistry(
        n_deposits=30, n_per_deposit=(5, 40), messy=True, wrong_unit="Fe", limit_factor=3.0
    )


class TestShape:
    def test_it_has_the_counts_of_the_published_compilation(self, simulated):
        table, truth = simulated.table, simulated.truth
        sizes = table["deposit"].value_counts()
        assert len(sizes) == 97
        assert table["reference"].nunique() == 36
        assert (sizes.min(), sizes.max()) >= (5, 100)
        assert sizes.max() <= 200
        assert 2000 < len(table) < 4500
        assert list(table.columns[:5]) == ["id", "deposit", "type", "reference", "sample"]
        assert tuple(table.columns[5:]) == simulated.elements
        assert truth.values.index.equals(table.index)

    def test_classes_follow_their_shares(self):
        types = simulate_mineral_chemistry(n_per_deposit=(1, 2)).truth.deposit_types
        expected = {"Epithermal": 30, "MVT": 24, "SEDEX": 5, "Skarn": 26, "VMS": 12}
        assert (types.value_counts() - pd.Series(expected)).abs().max() <= 1

    def test_a_reference_has_one_deposit_or_many_and_mostly_one_class(self, simulated):
        truth = simulated.truth
        per_reference = truth.deposit_references.value_counts()
        assert per_reference.min() == 1
        assert per_reference.max() >= 6
        pairs = pd.crosstab(truth.deposit_references, truth.deposit_types)
        assert ((pairs > 0).sum(axis=1) > 1).sum() <= 4

    def test_the_same_seed_gives_the_same_table(self):
        small = {"n_deposits": 8, "n_per_deposit": (2, 5), "messy": True}
        one = simulate_mineral_chemistry(**small, random_state=3)
        again = simulate_mineral_chemistry(**small, random_state=np.random.default_rng(3))
        pd.testing.assert_frame_equal(one.table, again.table)
        assert not one.table.equals(simulate_mineral_chemistry(**small, random_state=4).table)

    def test_it_is_frozen(self, simulated):
        with pytest.raises(dataclasses.FrozenInstanceError):
            simulated.table = None

    def test_one_class_templates_of_ones_own_work(self):
        template = MineralTemplate(
            elements=("Cu", "Zn"),
            class_means={"A": (1.0, 2.0)},
            class_shares={"A": 1},
            between_sd=(0.1, 0.1),
            within_sd=(0.1, 0.1),
            limits=(0.01, 0.01),
        )
        found = simulate_mineral_chemistry(mineral=template, n_deposits=3, n_per_deposit=(4, 4))
        assert len(found.table) == 12
        assert set(found.table["type"]) == {"A"}


class TestPlantedTruth:
    def test_deposit_means_are_the_sum_of_their_parts(self, simulated):
        truth = simulated.truth
        logs = np.log(truth.values)
        sizes = truth.deposits.value_counts()
        found = logs.groupby(truth.deposits).mean()
        expected = (
            truth.class_means.loc[truth.deposit_types].to_numpy()
            + truth.deposit_effects.to_numpy()
            + truth.reference_effects.loc[truth.deposit_references].to_numpy()
        )
        expected = pd.DataFrame(expected, index=truth.deposit_types.index, columns=found.columns)
        error = (found - expected.loc[found.index]).mul(np.sqrt(sizes[found.index]), axis=0)
        sd = np.sqrt(np.diag(truth.within_covariance))
        scaled = error.div(truth.within_scale[found.index], axis=0) / sd
        assert_allclose(scaled.std(), 1.0, atol=0.25)
        assert_allclose(scaled.mean(), 0.0, atol=0.4)

    def test_scatter_within_deposits_has_the_planted_covariance(self, simulated):
        truth = simulated.truth
        logs = np.log(truth.values)
        scatter = logs - logs.groupby(truth.deposits).transform("mean")
        scatter = scatter.div(truth.deposits.map(truth.within_scale), axis=0)
        n, groups = len(scatter), truth.deposits.nunique()
        found = scatter.T @ scatter / (n - groups)
        sd = np.sqrt(np.diag(truth.within_covariance))
        assert_allclose(
            found / np.outer(sd, sd), truth.within_covariance / np.outer(sd, sd), atol=0.1
        )

    def test_effects_have_the_planted_spread_and_share(self):
        truth = simulate_mineral_chemistry(
            n_deposits=600, n_per_deposit=(1, 1), n_references=300
        ).truth
        between = np.array(SPHALERITE.between_sd)
        assert_allclose(truth.deposit_effects.std() / between, np.sqrt(0.8), atol=0.08)
        assert_allclose(truth.reference_effects.std() / between, np.sqrt(0.2), atol=0.06)
        assert_allclose(np.diag(truth.between_covariance), 0.8 * between**2)

    def test_values_under_the_laboratory_limit_show_the_limit(self, simulated):
        table, truth = simulated.table, simulated.truth
        limits = truth.limits.loc[table["reference"]].set_axis(table.index)
        shown = table[list(simulated.elements)]
        assert (truth.values < limits).equals(truth.censored)
        assert_allclose(shown.where(~truth.censored), truth.values.where(~truth.censored))
        assert_allclose(shown.where(truth.censored), limits.where(truth.censored))
        assert 0.01 < truth.censored.to_numpy().mean() < 0.2

    def test_no_analysis_is_more_than_the_whole(self):
        for mineral in ("sphalerite", "magnetite"):
            for seed in range(5):
                found = simulate_mineral_chemistry(mineral=mineral, random_state=seed, n_unknown=5)
                assert found.truth.values.to_numpy().max() < 1e6

    def test_no_limits_censor_nothing(self):
        found = simulate_mineral_chemistry(n_deposits=6, n_per_deposit=(2, 3), limit_factor=0.0)
        assert not found.truth.censored.to_numpy().any()

    def test_separation_moves_the_class_means(self):
        small = {"n_deposits": 6, "n_per_deposit": (2, 3)}
        one = simulate_mineral_chemistry(**small).truth.class_means
        two = simulate_mineral_chemistry(**small, separation=2.0).truth.class_means
        assert_allclose(two - two.mean(), 2 * (one - one.mean()))
        assert_allclose(one.loc["MVT"], SPHALERITE.class_means["MVT"])

    def test_unknown_deposits_lie_far_from_every_class(self):
        truth = simulate_mineral_chemistry(n_deposits=40, n_unknown=4).truth
        assert truth.is_unseen.sum() == 4
        assert (truth.deposit_types[truth.is_unseen] == UNSEEN).all()
        distance = (truth.class_means.drop(UNSEEN) - truth.class_means.loc[UNSEEN]) / np.array(
            SPHALERITE.between_sd
        )
        assert np.sqrt((distance**2).mean(axis=1)).min() > 1.2

    def test_a_random_split_flatters_and_a_split_by_deposit_does_not(self):
        found = simulate_mineral_chemistry(n_deposits=60, n_per_deposit=(5, 60))
        X, y = np.log(found.table[list(found.elements)]), found.table["type"]
        trees = ExtraTreesClassifier(60, min_samples_leaf=2, random_state=0)
        random = cross_val_score(trees, X, y, cv=StratifiedKFold(5, shuffle=True, random_state=0))
        honest = cross_val_score(trees, X, y, groups=found.table["deposit"], cv=GroupKFold(10))
        assert random.mean() > 0.9
        assert 0.5 < honest.mean() < 0.9
        assert random.mean() - honest.mean() > 0.1


class TestMess:
    def kinds(self, messy):
        return messy.truth.defects.groupby("kind").size()

    def test_every_kind_of_defect_is_there_and_recorded(self, messy):
        kinds = set(self.kinds(messy).index)
        assert {"decimal comma", "duplicate row", "missing", "trailing blank"} <= kinds
        assert {"near-duplicate name", "wrong unit", "limit as 'bdl'", "limit as '<0.5'"} <= kinds

    def test_cells_are_text_and_the_clean_ones_hold_the_value(self, messy):
        table, truth, elements = messy.table, messy.truth, list(messy.elements)
        for element in elements:
            assert all(isinstance(cell, str) for cell in table[element])
        touched = set(truth.defects["row"])
        clean = [row for row in range(len(table)) if row not in touched]
        assert len(clean) > 10
        numbers = table.loc[clean, elements].apply(lambda cells: cells.str.replace(",", "."))
        numbers = numbers.astype(float)
        numbers["Fe"] *= 1e4
        assert_allclose(numbers, truth.values.loc[clean], rtol=1e-4)

    def test_censored_cells_are_written_as_recorded(self, messy):
        table, truth = messy.table, messy.truth
        limits = truth.defects[truth.defects["kind"].str.startswith("limit as '<0.5'")]
        for _, (_, row, element) in limits.iterrows():
            cell = table.loc[row, element]
            if cell in ("", "-9999"):
                continue
            limit = truth.limits.loc[table.loc[row, "reference"], element]
            stated = float(cell.lstrip("<").replace(",", ".")) * (1e4 if element == "Fe" else 1)
            assert cell.startswith("<")
            assert_allclose(stated, limit, rtol=1e-4)

    def test_names_are_spoilt_where_recorded_only(self, messy):
        table, truth = messy.table, messy.truth
        differs = table["deposit"] != truth.deposits
        spoilt = truth.defects["kind"].isin(["near-duplicate name", "trailing blank"])
        rows = set(truth.defects.loc[spoilt, "row"])
        source = int(truth.defects.iloc[-1]["column"].removeprefix("copy of row "))
        assert set(np.flatnonzero(differs[:-1])) <= rows
        assert differs.sum() >= 1
        pd.testing.assert_series_equal(table.iloc[-1], table.iloc[source], check_names=False)
        assert truth.values.iloc[-1].equals(truth.values.iloc[source])

    def test_the_truth_has_a_row_for_each_row_of_the_table(self, messy):
        n = len(messy.table)
        truth = messy.truth
        assert len(truth.values) == len(truth.censored) == len(truth.deposits) == n


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"mineral": "sphalerit"}, "mineral must be one of .*Did you mean 'sphalerite'"),
            ({"n_deposits": 3}, "n_deposits must be 5 or more, one a class, got 3"),
            ({"n_per_deposit": (9, 5)}, r"1 <= fewest <= most, got \(9, 5\)"),
            ({"n_per_deposit": (0, 5)}, r"got \(0, 5\)"),
            ({"n_references": 98}, r"n_references must lie between 1 and the 97 \+ 0 deposits"),
            ({"n_unknown": -1}, "n_references must lie between"),
            ({"separation": -1.0}, "must be 0 or more and reference_share between 0 and 1"),
            ({"reference_share": 1.5}, "got 1.0, 1.0 and 1.5"),
            ({"wrong_unit": "Fe"}, "needs messy=True, got 'Fe' with messy=False"),
            ({"wrong_unit": "Xx", "messy": True}, "wrong_unit must be one of Mn, Fe"),
        ],
    )
    def test_what_cannot_be_drawn_is_refused(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            simulate_mineral_chemistry(**arguments)

    def test_a_lopsided_template_is_refused(self):
        with pytest.raises(ValueError, match="needs as many means, spreads and limits"):
            dataclasses.replace(SPHALERITE, limits=(1.0,))
        with pytest.raises(ValueError, match="name different classes"):
            dataclasses.replace(SPHALERITE, class_shares={"MVT": 1})


def test_templates_are_correlation_matrices():
    for template in (SPHALERITE, MAGNETITE):
        assert mineral_template(template) is template
        matrix = template.correlation
        assert_allclose(np.diag(matrix), 1.0)
        assert np.linalg.eigvalsh(matrix).min() > 0.05
        ag, sb = (SPHALERITE.elements.index(e) for e in ("Ag", "Sb"))
    assert_allclose(SPHALERITE.correlation[ag, sb], 0.65**2)
