"""Quality checks: planted faults are found, with their rows, and clean tables stay clean."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.data.tables.names import edit_distance, similar_names
from gossan.data.tables.quality import QualityReport, quality_report, summarise
from gossan.data.tables.screening import (
    Finding,
    find_duplicates,
    find_flat_columns,
    find_impossible,
    find_similar_names,
    find_substitutes,
    find_wrong_units,
    format_rows,
    make_finding,
)

ELEMENTS = ["Mn", "Fe", "Co", "Cu", "Ga", "Ge", "Ag", "Cd", "In", "Sn", "Sb", "Pb"]


def rows_of(table):
    return np.arange(len(table)) + 2


def clean_table(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.lognormal(3, 1, size=(n, 3)), columns=["Fe", "Mn", "Ga"])


# Repeated values --------------------------------------------------------------------------------


def test_substitutes_of_the_real_table_are_the_969_of_its_provenance(sphalerite):
    mask = find_substitutes(sphalerite[ELEMENTS], sphalerite["reference"])
    counts = mask.sum()
    assert counts[counts > 0].to_dict() == {
        "Co": 402, "Ga": 32, "Ge": 106, "In": 235, "Sn": 110, "Sb": 84,
    }  # fmt: skip
    assert int(counts.sum()) == 969
    for name in ELEMENTS:  # cell by cell, not only in number
        assert (mask[name] == (sphalerite[f"cens_{name}"] == 2)).all()


def test_a_planted_substitute_is_found_in_its_study_only():
    values = clean_table(100)
    values.loc[:11, "Ga"] = 0.01
    values.loc[50:53, "Ga"] = 0.02  # four rows: too few
    groups = pd.Series(["A"] * 50 + ["B"] * 50)
    mask = find_substitutes(values, groups)
    assert np.flatnonzero(mask["Ga"]).tolist() == list(range(12))
    assert not mask[["Fe", "Mn"]].any(axis=None)


def test_high_repeated_values_are_no_substitutes():
    values = pd.DataFrame({"Fe": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] + [100.0] * 5})
    assert not find_substitutes(values)["Fe"].any()


@given(st.randoms(use_true_random=False))
def test_substitutes_do_not_depend_on_the_order_of_rows(random):
    values = pd.DataFrame({"Ga": [0.5] * 6 + [float(i) for i in range(1, 21)]})
    order = list(range(len(values)))
    random.shuffle(order)
    shuffled = find_substitutes(values.iloc[order])
    assert shuffled.sort_index().equals(find_substitutes(values))


# Impossible values and units --------------------------------------------------------------------


def test_impossible_values_name_their_rows():
    values = pd.DataFrame({"Fe": [10.0, -1.0, 20.0], "Zn": [5.0, 6.0, 2e6]})
    found = find_impossible(values, {"Fe": "ppm", "Zn": "ppm"}, rows=rows_of(values))
    assert [(f.column, f.rows, f.severity) for f in found] == [
        ("Fe", (3,), "error"),
        ("Zn", (4,), "error"),
    ]
    assert "negative" in found[0].message
    assert "more than 100 %" in found[1].message


def test_row_sums_above_100_per_cent_are_a_warning_and_oxides_count_once():
    values = pd.DataFrame({"SiO2": [60.0, 50.0], "Al2O3": [30.0, 50.0], "Si": [28.0, 23.0]})
    units = dict.fromkeys(values.columns, "wt%")
    found = find_impossible(values, units, rows=rows_of(values))
    assert found == []
    values["CaO"] = [5.0, 12.0]
    found = find_impossible(values, units | {"CaO": "wt%"}, rows=rows_of(values))
    assert [(f.kind, f.rows) for f in found] == [("row sum", (3,))]


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1e-4, "times 1e4 (wt% taken for ppm?)"),
        (1e4, "divided by 1e4 (ppm taken for wt%?)"),
        (1e3, "divided by 1e3 (ppb taken for ppm?)"),
    ],
)
def test_a_column_in_the_wrong_unit_is_suspected(factor, words):
    values = pd.DataFrame({"Fe": np.array([2e4, 3e4, 5e4]) * factor})
    found = find_wrong_units(values, {"Fe": "ppm"}, {"Fe": (1e4, 9e4)})
    assert found[0].kind == "wrong unit?"
    assert words in found[0].message


def test_a_median_in_its_range_is_no_finding_and_a_mere_outlier_is_no_unit_slip():
    values = pd.DataFrame({"Fe": [2e4, 3e4]})
    assert find_wrong_units(values, {"Fe": "ppm"}, {"Fe": (1e4, 9e4), "Mn": (1, 2)}) == []
    found = find_wrong_units(values, {"Fe": "ppm"}, {"Fe": (3e5, 4e5)})
    assert found[0].kind == "unusual level"
    with pytest.raises(ValueError, match="The expected range of Fe"):
        find_wrong_units(values, {"Fe": "ppm"}, {"Fe": (5, 1)})


# Columns, duplicates, names ---------------------------------------------------------------------


def test_empty_constant_and_mostly_censored_columns():
    values = pd.DataFrame({"Fe": [np.nan] * 4, "Mn": [7.0] * 4, "Ga": [1.0, 1.0, 1.0, 3.0]})
    censored = pd.DataFrame({"Fe": [False] * 4, "Mn": [False] * 4, "Ga": [True] * 3 + [False]})
    found = find_flat_columns(values, censored)
    assert [(f.kind, f.column) for f in found] == [
        ("empty", "Fe"),
        ("constant", "Mn"),
        ("mostly censored", "Ga"),
    ]
    assert "75%" in found[2].message


def test_duplicate_rows_and_ids():
    values = clean_table(20)
    values.loc[9] = values.loc[3]
    sites = pd.DataFrame({"id": [*range(19), 0], "sample": ["a"] * 20})
    found = find_duplicates(values, sites, rows=rows_of(values))
    assert [(f.kind, f.rows, f.column) for f in found] == [
        ("duplicate rows", (11,), ""),
        ("duplicate ids", (21,), "id"),
    ]


def test_equal_values_of_one_element_are_no_duplicate_rows():
    values = pd.DataFrame({"Cu": [0.2, 0.2, 0.2]})
    sites = pd.DataFrame({"depth": [1, 2, 2]})
    found = find_duplicates(values, sites, rows=rows_of(values))
    assert [f.rows for f in found] == [(4,)]  # the same label and value


@pytest.mark.parametrize(
    ("pair", "severity"),
    [
        (("Mauer", "Maurer"), "warning"),
        (("Bauer et al., 2019", "Mauer et al., 2019"), "warning"),
        (("Saint-Salvy", "saint salvy"), "warning"),
        (("Noailhac", "Noa\u00eflhac"), "warning"),
        (("OR-1", "OR1"), "warning"),
        (("Fankou mine", "Fankuo mine"), "warning"),
        (("Freiberg kb", "Freiberg eb"), "note"),
    ],
)
def test_names_that_may_be_one(pair, severity):
    assert similar_names(pair) == [(*pair, severity)]


@pytest.mark.parametrize(
    "pair",
    [
        ("Zone 1", "Zone 2"),
        ("BH19", "BH20"),
        ("S-21", "S-2-1"),
        ("MVT", "VMS"),
        ("WB-5R", "PB-5R"),
        ("Huize", "Gunga"),
        ("Cook et al., 2009", "Cook et al., 2008"),
        ("Skarn", "SEDEX"),
    ],
)
def test_names_that_are_two(pair):
    assert similar_names(pair) == []


def test_edit_distances_by_hand():
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance("abcd", "abdc") == 1
    assert edit_distance("", "abc") == 3


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_edit_distance_is_symmetric_and_zero_only_for_equals(a, b, c):
    assert edit_distance(a, b) == edit_distance(b, a)
    assert (edit_distance(a, b) == 0) == (a == b)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))
    assert edit_distance(a + c, b + c) <= edit_distance(a, b)


def test_similar_names_point_at_the_rarer_one():
    sites = pd.DataFrame({"deposit": ["Maurer"] * 30 + ["Mauer"] * 2 + ["Huize"] * 10})
    found = find_similar_names(sites, rows=rows_of(sites))
    assert len(found) == 1
    assert found[0].rows == (32, 33)
    assert "'Maurer' (30 rows) and 'Mauer' (2)" in found[0].message


def test_many_similar_codes_are_told_once():
    codes = [f"Deposit {a}{b}" for a in "abcdefgh" for b in "xyzuvw"]
    sites = pd.DataFrame({"deposit": np.repeat(codes, 3)})
    found = find_similar_names(sites, rows=rows_of(sites))
    assert len(found) == 21
    assert "scheme of codes" in found[-1].message


# The report -------------------------------------------------------------------------------------


def test_a_clean_table_has_no_findings():
    values = clean_table()
    censored = pd.DataFrame(False, index=values.index, columns=values.columns)
    report = quality_report(values, censored, units=dict.fromkeys(values.columns, "ppm"))
    assert report.findings == ()
    assert str(report).startswith("table: 60 rows, 3 columns, 3 analytes; 0 errors")


def test_the_summary_by_hand():
    values = pd.DataFrame({"Fe": [1.0, 2.0, 4.0, np.nan], "Mn": [np.nan] * 4})
    censored = pd.DataFrame({"Fe": [True, False, False, False], "Mn": [False] * 4})
    table = summarise(values, censored, {"Fe": "ppm"})
    fe = table.loc["Fe"]
    assert (fe["n"], fe["missing"], fe["min"], fe["median"], fe["max"]) == (3, 1, 1.0, 2.0, 4.0)
    assert fe["censored"] == pytest.approx(100 / 3)
    assert table.loc["Mn", "n"] == 0
    assert np.isnan(table.loc["Mn", "median"])


def test_the_printed_report_is_aligned_and_sorted():
    values = clean_table(20)
    values.loc[4] = values.loc[3]
    values["In"] = np.nan
    censored = values.lt(5.0)
    finding = make_finding("sheet", "note", "sheet 'a' was read")
    report = quality_report(
        values, censored, units=dict.fromkeys(values.columns, "ppm"), findings=[finding]
    )
    text = str(report)
    table = [line for line in text.splitlines() if " ppm " in line or "analyte " in line]
    assert len({len(line) for line in table}) == 1
    assert text.index("warnings") < text.index("notes")
    assert max(len(line) for line in text.splitlines()) <= 100
    frame = report.to_frame()
    assert list(frame.columns) == ["severity", "kind", "column", "n_cells", "rows", "message"]
    assert frame["severity"].tolist() == ["warning", "warning", "note"]
    assert report.of_kind("empty")[0].column == "In"
    assert len(report.of_severity("note")) == 1


def test_one_kind_in_many_columns_is_told_in_two_lines():
    names = ["Fe", "Mn", "Ga", "Ge", "In", "Sn"]
    found = tuple(make_finding("negative", "warning", "m", rows=[2, 3], column=n) for n in names)
    report = QualityReport("t", 2, 6, pd.DataFrame(), found)
    assert "Fe 2, Mn 2, Ga 2, Ge 2, In 2, Sn 2 (12 cells in 6 columns)" in str(report)


def test_findings_keep_a_thousand_rows_and_count_all():
    finding = make_finding("negative", "warning", "m", rows=np.arange(5000))
    assert len(finding.rows) == 1000
    assert finding.n_cells == 5000
    assert format_rows(finding.rows, finding.n_cells) == "rows 0, 1, 2, 3, 4, ... (5000 in all)"
    assert format_rows([7]) == "row 7"
    assert format_rows([]) == ""


def test_severities_and_references_are_checked():
    with pytest.raises(ValueError, match="severity must be one of"):
        Finding("x", "fatal", (), "", "m")
    values = clean_table(5)
    with pytest.raises(ValueError, match="The reference column must be one of deposit"):
        quality_report(
            values,
            values.lt(0),
            units={},
            sites=pd.DataFrame({"deposit": list("abcde")}),
            reference="paper",
        )
