"""Headers of tables: what is an analysis, of what, in which unit."""

import numpy as np
import pytest

from gossan.data.tables.headers import parse_header, read_head


@pytest.mark.parametrize(
    ("text", "analyte", "unit"),
    [
        ("Fe_ppm", "Fe", "ppm"),
        ("Fe (ppm)", "Fe", "ppm"),
        ("Fe ppm", "Fe", "ppm"),
        ("Fe, ppm", "Fe", "ppm"),
        ("66Zn", "Zn", ""),
        ("Zn66", "Zn", ""),
        ("Zn_66", "Zn", ""),
        ("115In_ppm", "In", "ppm"),
        ("FeO wt%", "FeO", "wt%"),
        ("SiO\u2082 (wt. %)", "SiO2", "wt%"),
        ("Au_ppb", "Au", "ppb"),
        ("SiO2_pct", "SiO2", "wt%"),
        ("CU_pct", "Cu", "wt%"),
        ("Cu%", "Cu", "wt%"),
        ("Auppb", "Au", "ppb"),
        ("AU_gpt", "Au", "ppm"),
        ("Ag oz/t", "Ag", "oz/t"),
        ("Zn (\u00b5g/g)", "Zn", "ppm"),
        ("Zn \u00b5g g\u207b\u00b9", "Zn", "ppm"),
        ("Zn mg/kg", "Zn", "ppm"),
        ("ME-ICP61 Cu ppm", "Cu", "ppm"),
        ("Au_AA23_ppm", "Au", "ppm"),
        ("Fe2O3(T)", "Fe2O3", ""),
        ("FeO*", "FeO", ""),
        ("In", "In", ""),
        ("As", "As", ""),
        ("Au.1", "Au", ""),
        ("cadmium", "Cd", ""),
        ("Zinc (ppm)", "Zn", "ppm"),
    ],
)
def test_headers_of_analyses(text, analyte, unit):
    header = parse_header(text)
    assert (header.role, header.analyte, header.unit) == ("value", analyte, unit)


@pytest.mark.parametrize(
    "text",
    [
        "No",
        "no",
        "id",
        "x",
        "y",
        "Sample",
        "depth_m",
        "FROM",
        "TO",
        "206Pb/204Pb",
        "Fe/Zn",
        "Fe_2SE",
        "Fe ppm 1σ",
        "LOI_pct",
        "DENSITY",
        "d34S",
        "Total",
        "Landuse",
        "PC1",
        "Hm_ppm",
        "",
        "Co2",
    ],
)
def test_headers_of_labels(text):
    assert parse_header(text).role == "label"


@pytest.mark.parametrize("text", ["Y", "S", "I", "CU", "NO"[::-1], "sn", "lead"])
def test_words_that_prove_little_are_weak(text):
    header = parse_header(text)
    assert header.role == "label" or header.is_weak


@pytest.mark.parametrize("text", ["Y_ppm", "S (wt%)", "I ppm", "CU_ppm", "lead ppm"])
def test_a_unit_makes_any_symbol_strong(text):
    assert not parse_header(text).is_weak


def test_limits_and_twin_columns():
    assert parse_header("Ga_ppm (DL 0.5)").limit == 0.5
    assert parse_header("Ga ppm (<0,05)").limit == 0.05
    assert parse_header("Ga [LOD: 0.02]").limit == 0.02
    assert np.isnan(parse_header("Ga_ppm").limit)
    for text in ("cens_Fe", "Fe_bdl", "Fe_flag"):
        assert (parse_header(text).role, parse_header(text).analyte) == ("flag", "Fe")
    for text in ("Fe_LOD", "Fe ppm dl", "MDL Fe (ppm)"):
        assert (parse_header(text).role, parse_header(text).analyte) == ("limit", "Fe")


def test_isotopes_are_kept_and_impossible_ones_are_no_element():
    assert parse_header("66Zn").isotope == 66
    assert parse_header("Zn_68").isotope == 68
    assert parse_header("Zn99").role == "label"


@pytest.mark.parametrize("text", ["Fe at%", "FeS (mol%)", "Fe atomic %", "mol% FeS"])
def test_counts_of_atoms_are_no_analyses_by_mass(text):
    header = parse_header(text)
    assert (header.role, header.unit) == ("label", "at%")


def test_units_in_the_second_row():
    headers, first = read_head([["id", "Fe", "CU"], ["", "%", "ppm"], ["a", "1.5", "20"]])
    assert first == 2
    assert [(h.analyte, h.unit) for h in headers] == [("", ""), ("Fe", "wt%"), ("Cu", "ppm")]


def test_title_and_blank_rows_are_passed_over():
    rows = [["Table S1. Analyses", "", ""], ["", "", ""], ["id", "Fe_ppm", "Mn_ppm"], ["a", 1, 2]]
    headers, first = read_head(rows)
    assert first == 3
    assert [h.text for h in headers] == ["id", "Fe_ppm", "Mn_ppm"]


def test_a_sparse_row_above_the_names_is_a_title():
    rows = [["Table 2", "in ppm", "", "", "", ""], ["id", "hole", "Fe_ppm", "Mn_ppm", "Ga", "Ge"]]
    headers, first = read_head([*rows, ["a", "H1", 1, 2, 3, 4]])
    assert first == 2
    assert [h.text for h in headers][:3] == ["id", "hole", "Fe_ppm"]


def test_merged_cells_name_what_stands_below_them():
    rows = [["id", "Depth (m)", None, "Fe"], [None, "From", "To", None], ["a", 1.0, 2.0, 3.0]]
    headers, first = read_head(rows)
    assert [h.text for h in headers] == ["id", "From", "To", "Fe"]
    assert first == 2


def test_a_row_of_limits_is_taken_up():
    rows = [["id", "Fe_ppm", "Ga_ppm"], ["MDL", "5", "<0.5"], ["a", "10", "20"]]
    headers, first = read_head(rows)
    assert [h.limit for h in headers[1:]] == [5.0, 0.5]
    assert first == 2


def test_a_row_of_labels_is_data_and_no_second_header():
    rows = [["id", "deposit", "Fe_ppm"], ["a", "Mauer", ""], ["b", "Mauer", "3"]]
    assert read_head(rows)[1] == 1


def test_a_table_without_a_header_is_refused():
    with pytest.raises(ValueError, match="has numbers in row 1"):
        read_head([["1", "2.5", "3"], ["4", "5", "6"]])
    with pytest.raises(ValueError, match="no header and no data"):
        read_head([["", ""], ["", ""]])
