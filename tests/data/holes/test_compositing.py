"""Composites and intercepts: hand-worked means, the balance of metal, and what a report lists."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.data.holes.compositing import composite
from gossan.data.holes.intercepts import significant_intercepts

GRADES = ["Au", "Cu"]
sample = st.tuples(
    st.floats(0, 3).map(lambda x: round(x, 2)),  # gap above it, often none
    st.floats(0.01, 40),
    st.one_of(st.just(np.nan), st.floats(0, 50)),
    st.floats(0, 5),
)


def core(rows, hole="A"):
    """Samples of one hole from (gap, length, Au, Cu)."""
    gap, length, gold, copper = np.array(rows, dtype=float).T
    gap = np.where(gap > 2, gap, 0.0)
    ends = np.cumsum(gap + length)
    tops = np.concatenate([[0.0], ends[:-1]]) + gap
    return pd.DataFrame({"hole": hole, "from": tops, "to": ends, "Au": gold, "Cu": copper})


def samples(values, tops=None, step=2.0, hole="A"):
    tops = np.arange(len(values)) * step if tops is None else np.array(tops, dtype=float)
    return pd.DataFrame({"hole": hole, "from": tops, "to": tops + step, "Au": values})


def metal(table, column):
    return float(((table["to"] - table["from"]) * table[column]).sum())


def test_a_sample_across_a_bound_is_shared_by_length():
    table = pd.DataFrame({"hole": "A", "from": [0.0, 7], "to": [7.0, 20], "Au": [1.0, 4.0]})
    made = composite(table, 10, columns=["Au"])
    assert made.table["Au"].tolist() == pytest.approx([(7 + 3 * 4) / 10, 4.0])
    assert made.table[["from", "to"]].to_numpy().tolist() == [[0, 10], [10, 20]]
    assert made.lengths["Au"].tolist() == [10, 10]


def test_missing_grades_neither_count_nor_dilute():
    made = composite(samples([2.0, np.nan, 4.0, 6.0, np.nan]), 10, columns=["Au"])
    assert made.table["Au"].tolist() == [4.0]
    assert made.lengths["Au"].tolist() == [6.0]


def test_half_a_composite_is_kept_and_less_is_left_out_and_told():
    table = samples([1.0] * 5 + [3.0] * 2)
    made = composite(table, 10, columns=["Au"])
    assert made.table["Au"].tolist() == [1.0]
    assert made.dropped[["from", "to", "covered", "coverage", "Au"]].to_numpy().tolist() == [
        [10.0, 14.0, 4.0, 0.4, 3.0]
    ]
    assert made.balance.loc["Au"].to_dict() == {"total": 22.0, "kept": 10.0, "dropped": 12.0}
    kept = composite(samples([1.0] * 5 + [3.0] * 2 + [np.nan] * 3), 8, columns=["Au"])
    assert kept.table["coverage"].tolist() == [1.0, 0.75]


def test_each_grade_has_its_own_coverage():
    table = samples([1.0] * 5).assign(Cu=[2.0, 2.0, np.nan, np.nan, np.nan])
    made = composite(table, 10, columns=GRADES)
    assert made.table["Au"].tolist() == [1.0]
    assert np.isnan(made.table["Cu"]).all()
    assert made.dropped["Cu"].tolist() == [2.0]
    assert np.isnan(made.dropped["Au"]).all()
    assert made.balance.loc["Cu", "dropped"] == 8.0


def test_composites_break_where_the_rock_changes():
    rocks = pd.DataFrame(
        {"hole": "A", "from": [0.0, 6, 9, 15], "to": [6.0, 9, 15, 24],
         "domain": ["slate", "dyke", "dyke", "slate"]}
    )  # fmt: skip
    made = composite(samples(np.arange(13.0)), 6, columns=["Au"], domains=rocks)
    assert made.table[["from", "to", "domain"]].values.tolist() == [
        [0, 6, "slate"], [6, 12, "dyke"], [12, 15, "dyke"], [15, 21, "slate"], [21, 24, "slate"],
    ]  # fmt: skip
    assert made.table["Au"].tolist() == pytest.approx([1, 4, 6 + 1 / 3, 8.5, 32 / 3])
    assert made.dropped[["from", "to"]].values.tolist() == [[24, 26]]
    assert made.dropped["domain"].isna().all()


def test_unlogged_ground_is_composited_by_itself():
    rocks = pd.DataFrame({"hole": ["A", "B"], "from": [4.0, 0], "to": [8.0, 4], "domain": "dyke"})
    made = composite(samples([1.0] * 6), 4, columns=["Au"], domains=rocks)
    assert made.table["domain"].fillna("-").tolist() == ["-", "dyke", "-"]


def test_the_share_below_detection_is_carried():
    table = samples([0.5, 0.5, 2.0, 2.0])
    mask = pd.DataFrame({"Au": [True, False, False, False]})
    made = composite(table, 4, columns=["Au"], censored=mask)
    assert made.censored["Au"].tolist() == [0.5, 0.0]
    assert made.table["Au"].tolist() == [0.5, 2.0]


def test_density_weighs_and_a_missing_one_is_the_mean_with_a_warning():
    table = samples([1.0, 4.0]).assign(sg=[2.0, 4.0])
    assert composite(table, 4, columns=["Au"], density="sg").table["Au"].tolist() == [3.0]
    with pytest.warns(GossanWarning, match="1 of 2 samples have no density and take the mean, 2"):
        made = composite(table.assign(sg=[2.0, 0.0]), 4, columns=["Au"], density="sg")
    assert made.table["Au"].tolist() == [2.5]
    with pytest.raises(ValueError, match="no positive density"):
        composite(table.assign(sg=0.0), 4, columns=["Au"], density="sg")


def test_the_origin_is_the_collar_or_the_first_sample():
    table = samples([1.0] * 4, tops=[7, 9, 11, 13])
    collar = composite(table, 5, columns=["Au"]).table
    assert collar["from"].tolist() == [5.0, 10.0]
    first = composite(table, 5, columns=["Au"], origin="first").table
    assert first[["from", "to"]].values.tolist() == [[7, 12], [12, 15]]


@given(
    st.lists(st.lists(sample, min_size=1, max_size=12), min_size=1, max_size=3),
    st.floats(0.3, 25),
    st.sampled_from(["collar", "first"]),
    st.floats(0, 1),
    st.booleans(),
)
def test_no_metal_is_lost_whatever_the_cores_look_like(holes, length, origin, least, by_rock):
    table = pd.concat([core(rows, f"H{i}") for i, rows in enumerate(holes)], ignore_index=True)
    rocks = table[["hole", "from", "to"]].assign(domain=(table["Cu"] * 2).round().astype(str))
    rocks = rocks.iloc[::2] if by_rock else None
    made = composite(
        table, length, columns=GRADES, origin=origin, min_coverage=least, domains=rocks
    )
    for name in GRADES:
        total = metal(table.dropna(subset=[name]), name)
        kept, dropped = made.balance.loc[name, ["kept", "dropped"]]
        assert made.balance.loc[name, "total"] == pytest.approx(total, rel=1e-9, abs=1e-9)
        assert kept + dropped == pytest.approx(total, rel=1e-9, abs=1e-9)
        from_table = float((made.table[name] * made.lengths[name]).sum())
        assert from_table == pytest.approx(kept, rel=1e-9, abs=1e-9)
        grades = made.table[name].dropna()
        assert grades.between(table[name].min() - 1e-9, table[name].max() + 1e-9).all()
    span = made.table["to"] - made.table["from"]
    assert (span <= length * (1 + 1e-8)).all()
    assert (made.table["covered"] <= span + 1e-9).all()


@given(st.lists(sample, min_size=1, max_size=12), st.integers(0, 100))
def test_a_grade_that_is_everywhere_stays(rows, n):
    table = core(rows).assign(Au=0.25)
    made = composite(table, 3.0, columns=["Au"])
    np.testing.assert_allclose(made.table["Au"], 0.25, rtol=1e-12)


def test_the_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(1)
    table = pd.concat([samples(rng.random(30), hole=h) for h in "AB"], ignore_index=True)
    one = composite(table, 5, columns=["Au"]).table.sort_values(["hole", "from"])
    two = composite(table.sample(frac=1, random_state=0), 5, columns=["Au"]).table
    two = two.sort_values(["hole", "from"])
    pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))


def test_overlaps_are_refused_by_name_or_cut_when_asked():
    table = samples([1.0, 9.0], tops=[0, 1])
    with pytest.raises(
        ValueError, match=r"1 samples overlap those above them: A 1 to 3 m \(row 1\)"
    ):
        composite(table, 4, columns=["Au"])
    with pytest.warns(GossanWarning, match="1 samples that overlap"):
        made = composite(table, 4, columns=["Au"], overlaps="upper")
    assert made.table["Au"].tolist() == pytest.approx([(2 * 1 + 1 * 9) / 3])


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({}, {"length": 0}, "composite length must be positive"),
        ({}, {"columns": ["Pb"]}, "no column 'Pb'"),
        ({"Au": ["x", "y"]}, {}, "holds text"),
        ({}, {"min_coverage": 2}, "min_coverage must be from 0 to 1"),
        ({"to": [0.0, 4.0]}, {}, "1 samples have no hole or from >= to"),
        ({"to": [np.nan, 4.0]}, {}, "no hole or from >= to"),
        ({"hole": [None, "A"]}, {}, "no hole or from >= to"),
        ({}, {"origin": "top"}, "origin must be one of"),
    ],
)
def test_what_cannot_be_composited_is_refused(change, options, words):
    table = samples([1.0, 2.0]).assign(**change)
    options = {"length": 4.0, "columns": ["Au"]} | options
    with pytest.raises(ValueError, match=words):
        composite(table, **options)


def test_the_tables_that_come_in_stay_as_they_are():
    table = samples([1.0, np.nan, 3.0])
    before = table.copy()
    composite(table, 4, columns=["Au"])
    significant_intercepts(table, "Au", 1.0, top_cut=2.0)
    pd.testing.assert_frame_equal(table, before)


def test_composites_say_how_much_metal_they_hold():
    text = str(composite(samples([1.0] * 5 + [3.0] * 2), 10, columns=["Au"]))
    assert text.startswith("1 composites of 10 m in 1 holes; 1 stretches left out")
    assert "Au 45.5%" in text


# Significant intercepts


def found(values, cutoff=1.0, **rule):
    table = significant_intercepts(samples(values), "Au", cutoff, **rule).table
    return table[["from", "to"]].to_numpy().tolist()


def test_waste_is_taken_in_up_to_its_limit():
    values = [0, 2, 0.2, 3, 0, 0, 0, 4, 0]
    assert found(values) == [[2, 8], [14, 16]]
    assert found(values, max_dilution=0) == [[2, 4], [6, 8], [14, 16]]
    assert found(values, max_dilution=6, min_grade=0.5) == [[2, 16]]


def test_waste_that_drags_the_mean_below_the_grade_parts_two_intercepts():
    assert found([1.1, 0, 1.1]) == [[0, 2], [4, 6]]
    assert found([5.0, 0, 1.1]) == [[0, 6]]


def test_short_ore_is_left_out():
    assert found([0, 3, 0, 0, 2, 2, 0], min_length=4) == [[8, 12]]


def test_the_longest_comes_first_and_its_neighbours_after():
    # All five hold 2.24 on average, the lower three 3.37.
    values = [1.1, 0, 1.1, 0, 9.0]
    assert found(values) == [[0, 10]]
    assert found(values, min_grade=3.0) == [[4, 10]]


def test_gaps_and_missing_grades_are_waste_without_metal():
    table = samples([2.0, 2.0, 2.0], tops=[0, 2, 6])
    made = significant_intercepts(table, "Au", 1.0).table.iloc[0]
    assert (made["from"], made["to"], made["grade"], made["dilution"]) == (0, 8, 1.5, 2)
    assert found([2.0, np.nan, 2.0, 2.0]) == [[0, 8]]


def test_a_value_below_detection_counts_as_nothing_unless_asked():
    mask = pd.Series([True, False])
    table = samples([2.0, 2.0])
    zero = significant_intercepts(table, "Au", 1.0, censored=mask).table
    assert zero[["from", "to"]].values.tolist() == [[2, 4]]
    limit = significant_intercepts(table, "Au", 1.0, censored=mask, below="limit").table
    assert limit[["from", "to"]].values.tolist() == [[0, 4]]


def test_a_top_cut_holds_a_nugget_down():
    made = significant_intercepts(samples([1.0, 101.0]), "Au", 0.5, top_cut=31.0).table
    assert made["grade"].tolist() == [16.0]
    assert made["metal"].tolist() == [64.0]


def test_richer_stretches_stand_under_their_intercept():
    made = significant_intercepts(samples([1, 6, 1, 7, 7, 1.0]), "Au", 1, including=[5], unit="ppm")
    assert made.table[["from", "to", "including"]].values.tolist() == [
        [0, 12, False], [2, 10, True],
    ]  # fmt: skip
    lines = str(made).splitlines()
    assert lines[0] == "A: 12.0 m at 3.83 ppm Au from 0.0 m to 12.0 m"
    assert lines[1].startswith("  including 8.0 m at 5.25 ppm Au")


@given(
    st.lists(st.floats(0, 5), min_size=1, max_size=25),
    st.floats(0.5, 3),
    st.sampled_from([0.0, 2.0, 5.0]),
    st.sampled_from([0.0, 3.0]),
)
def test_every_intercept_keeps_the_rule(values, cutoff, dilution, least):
    table = significant_intercepts(
        samples(values), "Au", cutoff, max_dilution=dilution, min_length=least
    ).table
    grades = np.array(values)
    inside = np.zeros(len(values), dtype=bool)
    for row in table.itertuples():
        part = slice(int(row[2] // 2), int(row[3] // 2))
        assert grades[part][0] >= cutoff
        assert grades[part][-1] >= cutoff
        assert row.length >= least
        assert row.grade == pytest.approx(grades[part].mean())
        assert row.grade >= cutoff - 1e-9
        waste = "".join("1" if g >= cutoff else "0" for g in grades[part]).split("1")
        assert max(map(len, waste)) * 2 <= dilution
        assert not inside[part].any()
        inside[part] = True
    if least == 0:
        assert inside[grades >= cutoff].all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"column": "Pb"}, "'Pb' is no column of grades; columns of numbers are from, to, Au"),
        ({"cutoff": 0}, "cut-off must be positive"),
        ({"min_length": -1}, "min_length must not be negative"),
        ({"including": [0.5]}, "must be above 1"),
        ({"below": "half"}, "below must be one of"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(arguments, words):
    rule = {"column": "Au", "cutoff": 1.0} | arguments
    with pytest.raises(ValueError, match=words):
        significant_intercepts(samples([1.0]), **rule)


def test_barren_core_has_no_intercept():
    made = significant_intercepts(samples([0.0, 0.1]), "Au", 1.0)
    assert made.table.empty
    assert str(made).startswith("no significant intercept")


def test_many_intercepts_print_on_a_page_and_count_the_rest():
    table = pd.DataFrame({"hole": [f"H{n}" for n in range(60)], "from": 0.0, "to": 4.0, "Au": 3.0})
    lines = str(significant_intercepts(table, "Au", 1.0)).splitlines()
    assert lines[40] == "... and 20 more: .table has them all"
    assert len(lines) == 42  # the rule stands last
