from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gossan.geochem.bases import partition_basis, partition_signs, pivot_basis
from gossan.geochem.compositional import (
    LogRatioTransformer,
    alr,
    alr_inverse,
    balance,
    balances,
    closure,
    clr,
    clr_inverse,
    ilr,
    ilr_inverse,
)

TABLE = pd.DataFrame(
    {"Fe": [4.0, 1.0, 9.0], "Mn": [2.0, 5.0, 3.0], "Zn": [1.0, 2.0, 7.0]}, index=["a", "b", "c"]
)
KINDS = ("log", "clr", "alr", "ilr")


def compositions(min_parts=2, max_parts=7):
    shapes = st.tuples(st.integers(1, 5), st.integers(min_parts, max_parts))
    return shapes.flatmap(lambda shape: arrays(float, shape, elements=st.floats(1e-4, 1e6)))


class TestHandWorked:
    def test_closure_of_one_to_three_is_a_quarter_and_three_quarters(self):
        assert_allclose(closure([[1.0, 3.0]]), [[0.25, 0.75]])

    def test_closure_keeps_a_zero(self):
        assert_allclose(closure([[0.0, 4.0]], total=100), [[0.0, 100.0]])

    def test_clr_of_powers_of_e(self):
        assert_allclose(clr(np.exp([[1.0, 2.0, 6.0]])), [[-2.0, -1.0, 3.0]])

    def test_alr_of_powers_of_e(self):
        assert_allclose(alr(np.exp([[1.0, 2.0, 6.0]])), [[-5.0, -4.0]])
        assert_allclose(alr(np.exp([[1.0, 2.0, 6.0]]), denominator=0), [[1.0, 5.0]])

    def test_pivot_ilr_of_powers_of_e(self):
        # z1 = sqrt(2/3) (1 - (2 + 6)/2), z2 = sqrt(1/2) (2 - 6)
        expected = [[np.sqrt(2 / 3) * -3.0, np.sqrt(1 / 2) * -4.0]]
        assert_allclose(ilr(np.exp([[1.0, 2.0, 6.0]])), expected)

    def test_front_to_tail_balance_has_the_factor_root_twelve_sevenths(self):
        table = pd.DataFrame([np.exp([3, 3, 3, 1, 1, 1, 1, 0])], columns=list("ABCDEFGH"))
        found = balance(table, list("ABC"), list("DEFG"))
        assert_allclose(found, [np.sqrt(12 / 7) * 2.0])
        assert found.name == "A B C | D E F G"

    def test_balance_against_the_rest(self):
        found = balance(TABLE, ["Fe"], None)
        assert_allclose(found.iloc[0], np.sqrt(2 / 3) * np.log(4 / np.sqrt(2)))
        assert found.name == "Fe | rest"
        assert list(found.index) == ["a", "b", "c"]

    def test_balance_ignores_what_it_does_not_use(self):
        assert_allclose(balance([[1.0, np.e, 0.0]], [1], [0]), [np.sqrt(1 / 2)])

    def test_a_balance_is_a_coordinate_of_its_partition(self):
        splits = {"front": (["Fe"], ["Mn", "Zn"]), "tail": (["Mn"], ["Zn"])}
        coordinates = ilr(TABLE, basis=partition_signs(splits, TABLE.columns.tolist()))
        assert list(coordinates.columns) == ["front", "tail"]
        assert_allclose(coordinates, balances(TABLE, splits))


class TestLaws:
    @given(compositions())
    def test_clr_rows_sum_to_zero(self, x):
        assert_allclose(clr(x).sum(axis=1), 0.0, atol=1e-10)

    @given(compositions(), st.floats(1e-3, 1e3))
    def test_ratios_do_not_see_the_amount(self, x, factor):
        for transform in (clr, alr, ilr):
            assert_allclose(transform(x * factor), transform(x), atol=1e-9)

    @given(compositions())
    def test_ilr_keeps_the_distances_of_clr(self, x):
        assert_allclose(
            np.linalg.norm(ilr(x) - ilr(x[:1]), axis=1),
            np.linalg.norm(clr(x) - clr(x[:1]), axis=1),
            atol=1e-9,
        )

    @given(compositions())
    def test_every_inverse_leads_back_to_the_closed_table(self, x):
        closed = closure(x)
        assert_allclose(clr_inverse(clr(x)), closed, rtol=1e-8)
        assert_allclose(alr_inverse(alr(x)), closed, rtol=1e-8)
        assert_allclose(alr_inverse(alr(x, denominator=0), denominator=0), closed, rtol=1e-8)
        assert_allclose(ilr_inverse(ilr(x)), closed, rtol=1e-8)

    @given(compositions(), st.randoms(use_true_random=False))
    def test_clr_follows_a_permutation_of_the_parts(self, x, random):
        order = list(range(x.shape[1]))
        random.shuffle(order)
        assert_allclose(clr(x[:, order]), clr(x)[:, order], atol=1e-9)

    @given(compositions(min_parts=3))
    def test_the_first_pivot_coordinate_does_not_see_the_order_of_the_others(self, x):
        order = [0, *range(x.shape[1] - 1, 0, -1)]
        assert_allclose(ilr(x[:, order])[:, 0], ilr(x)[:, 0], atol=1e-9)

    @given(st.integers(2, 30))
    def test_pivot_basis_is_orthonormal_and_sums_to_zero(self, n):
        basis = pivot_basis(n)
        assert_allclose(basis @ basis.T, np.eye(n - 1), atol=1e-12)
        assert_allclose(basis.sum(axis=1), 0.0, atol=1e-12)

    @given(compositions(min_parts=3), st.integers(0, 10**6))
    def test_any_orthonormal_basis_is_a_rotation_of_the_pivot_one(self, x, seed):
        n = x.shape[1]
        turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(n - 1, n - 1)))
        basis = turn @ pivot_basis(n)
        assert_allclose(ilr(x, basis=basis), ilr(x) @ turn.T, atol=1e-9)
        assert_allclose(ilr_inverse(ilr(x, basis=basis), basis=basis), closure(x), rtol=1e-7)

    @given(compositions())
    def test_one_composition_gives_what_it_gives_in_a_table(self, x):
        for transform in (closure, clr, alr, ilr):
            assert_allclose(transform(x[0]), transform(x)[0], atol=1e-12)

    def test_inputs_are_left_as_they_were(self):
        before = TABLE.copy()
        for transform in (closure, clr, alr, ilr):
            transform(TABLE)
        pd.testing.assert_frame_equal(TABLE, before)


class TestFrames:
    def test_columns_say_what_they_are_and_rows_keep_their_names(self):
        assert list(clr(TABLE).columns) == ["clr(Fe)", "clr(Mn)", "clr(Zn)"]
        assert list(alr(TABLE, denominator="Zn").columns) == ["ln(Fe/Zn)", "ln(Mn/Zn)"]
        assert list(ilr(TABLE).columns) == ["ilr1: Fe | rest", "ilr2: Mn | Zn"]
        assert list(closure(TABLE).columns) == ["Fe", "Mn", "Zn"]
        for transform in (closure, clr, alr, ilr):
            assert list(transform(TABLE).index) == ["a", "b", "c"]

    def test_frames_come_back_with_their_names(self):
        closed = closure(TABLE)
        pd.testing.assert_frame_equal(clr_inverse(clr(TABLE)), closed)
        pd.testing.assert_frame_equal(alr_inverse(alr(TABLE)), closed)
        middle = alr(TABLE, denominator="Mn")
        pd.testing.assert_frame_equal(alr_inverse(middle, denominator=1), closed)
        pd.testing.assert_frame_equal(
            alr_inverse(middle, denominator="Mn", parts=["Fe", "Mn", "Zn"]), closed
        )
        parts = list(TABLE.columns)
        pd.testing.assert_frame_equal(ilr_inverse(ilr(TABLE), parts=parts), closed)

    def test_a_basis_frame_is_matched_by_name(self):
        signs = partition_signs(
            {"one": (["Zn"], ["Fe", "Mn"]), "two": (["Fe"], ["Mn"])}, ["Zn", "Mn", "Fe"]
        )
        by_name = ilr(TABLE, basis=signs)
        assert_allclose(by_name["one"], balance(TABLE, ["Zn"], ["Fe", "Mn"]))
        back = ilr_inverse(by_name, basis=signs)
        assert_allclose(back[["Fe", "Mn", "Zn"]], closure(TABLE))

    def test_unequal_contrasts_are_only_numbered(self):
        turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
        assert list(ilr(TABLE, basis=turn @ pivot_basis(3)).columns) == ["ilr1", "ilr2"]


class TestErrors:
    @pytest.mark.parametrize("transform", [clr, alr, ilr])
    def test_bad_cells_are_named(self, transform):
        table = TABLE.copy()
        table.loc["b", "Mn"], table.loc["c", "Zn"] = 0.0, np.nan
        message = r"0 at row 'b', column 'Mn'; nan at row 'c', column 'Zn' \(2 of 9 cells\)"
        with pytest.raises(ValueError, match=message):
            transform(table)

    def test_bad_cells_of_an_array_are_named_by_position(self):
        with pytest.raises(ValueError, match=r"-1 at row 0, column 1 .*Impute values below"):
            clr([[1.0, -1.0]])

    def test_a_long_list_of_cells_is_cut(self):
        with pytest.raises(ValueError, match=r"and 15 more \(20 of 20 cells\)"):
            clr(np.zeros((10, 2)))

    def test_closure_refuses_negative_and_empty_rows(self):
        with pytest.raises(ValueError, match="closure needs parts >= 0, got -1 at row 0"):
            closure([[-1.0, 2.0]])
        with pytest.raises(ValueError, match="a part above zero in each row, got 0 at row 1"):
            closure([[1.0, 2.0], [0.0, 0.0]])

    def test_text_in_numbers_is_named(self):
        with pytest.raises(ValueError, match=r"must hold numbers only .*'<0.5'"):
            clr(pd.DataFrame({"Fe": ["<0.5", "2"], "Mn": [1.0, 2.0]}))

    def test_a_table_needs_columns(self):
        with pytest.raises(ValueError, match="must have rows and columns"):
            clr(np.ones((3, 0)))

    def test_an_unknown_denominator_is_guessed_at(self):
        with pytest.raises(KeyError, match=r"'zn' is not among .*Did you mean 'Zn'"):
            alr(TABLE, denominator="zn")

    @pytest.mark.parametrize(
        ("basis", "message"),
        [
            ("piwot", "basis must be 'pivot' or a matrix"),
            (np.ones((2, 2)), r"has shape \(2, 3\)"),
            (np.ones((2, 3)) * 0.5, "not orthonormal"),
            ([[1, -1, 0], [1, 0, -1]], "Split 2 cuts across split 1"),
            ([[1, 1, 1], [1, -1, 0]], "Split 1 has nothing on one side"),
            (pd.DataFrame(pivot_basis(3), columns=["Fe", "Mn", "Pb"]), "Pb, Zn in one only"),
        ],
    )
    def test_a_basis_that_is_none_is_refused(self, basis, message):
        with pytest.raises(ValueError, match=message):
            ilr(TABLE, basis=basis)

    def test_other_bad_bases(self):
        with pytest.raises(ValueError, match="A sign matrix has shape"):
            partition_basis([[2, -1]])
        with pytest.raises(ValueError, match="needs 2 parts or more, got 1"):
            pivot_basis(1)
        with pytest.raises(ValueError, match="The basis has 2 coordinates, the table 1"):
            ilr_inverse([[1.0]], basis=pivot_basis(3), parts=["a", "b", "c"])

    def test_bad_groups_are_refused(self):
        with pytest.raises(ValueError, match=r"share \['Fe'\]"):
            balance(TABLE, ["Fe"], ["Fe", "Mn"])
        with pytest.raises(ValueError, match="leave one side empty"):
            balance(TABLE, [], ["Fe"])

    def test_coordinates_must_be_finite(self):
        with pytest.raises(ValueError, match="clr_inverse needs finite coordinates"):
            clr_inverse([[np.nan, 1.0]])


class TestTransformer:
    @pytest.mark.parametrize("kind", KINDS)
    def test_it_does_what_the_function_does(self, kind):
        functions = {"log": np.log, "clr": clr, "alr": alr, "ilr": ilr}
        found = LogRatioTransformer(kind).set_output(transform="pandas").fit_transform(TABLE)
        expected = functions[kind](TABLE)
        assert_allclose(found, expected, atol=1e-12)
        assert list(found.index) == ["a", "b", "c"]
        if kind != "log":
            assert list(found.columns) == list(expected.columns)

    @settings(max_examples=25)
    @given(compositions())
    def test_inverse_transform_leads_back(self, x):
        for kind in KINDS:
            step = LogRatioTransformer(kind, total=100.0).fit(x)
            expected = x if kind == "log" else closure(x, total=100.0)
            assert_allclose(step.inverse_transform(step.transform(x)), expected, rtol=1e-7)

    def test_it_works_in_a_pipeline_and_can_be_cloned(self):
        signs = partition_signs(
            {"one": (["Zn"], ["Fe", "Mn"]), "two": (["Fe"], ["Mn"])}, list(TABLE.columns)
        )
        pipe = clone(make_pipeline(LogRatioTransformer("ilr", basis=signs), StandardScaler()))
        assert_allclose(pipe.fit_transform(TABLE).mean(axis=0), 0.0, atol=1e-12)
        assert list(pipe.get_feature_names_out()) == ["one", "two"]

    def test_a_row_scores_the_same_alone(self):
        step = LogRatioTransformer("ilr").fit(TABLE)
        assert_allclose(step.transform(TABLE.iloc[1:2]), step.transform(TABLE)[1:2])

    def test_arrays_get_numbered_names(self):
        step = LogRatioTransformer("alr").fit(TABLE.to_numpy())
        assert list(step.get_feature_names_out()) == ["ln(x0/x2)", "ln(x1/x2)"]

    def test_errors(self):
        with pytest.raises(ValueError, match=r"kind must be one of .* Did you mean 'clr'"):
            LogRatioTransformer("clrr").fit(TABLE)
        with pytest.raises(ValueError, match="needs positive parts, got 0 at row 'a', column 'Fe'"):
            LogRatioTransformer("log").fit(TABLE.replace(4.0, 0.0))
        step = LogRatioTransformer("clr").fit(TABLE)
        with pytest.raises(ValueError, match="feature names should match"):
            step.transform(TABLE[["Zn", "Mn", "Fe"]])
        with pytest.raises(ValueError, match="needs 3 coordinates, got 2 columns"):
            step.inverse_transform([[0.0, 1.0]])
        with pytest.raises(ValueError, match="must be a table with rows and columns"):
            step.transform([1.0, 2.0, 3.0])
