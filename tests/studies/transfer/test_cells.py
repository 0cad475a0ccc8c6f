"""Cells of messy tables as numbers, labels and evidence matched by name."""

import numpy as np
import pandas as pd
import pytest

from gossan.studies.transfer.cells import (
    coordinates_of,
    evidence_columns,
    labels_of,
    match_columns,
    match_names,
    read_sheet,
)


@pytest.fixture
def sheet(tmp_path):
    """Return a function that writes text as a table and reads it."""

    def read(text, **options):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return read_sheet(path, **options)

    return read


def test_decimal_commas_and_codes_for_missing_are_read(sheet):
    read = sheet("DEP;X;Cu ppm;note\n1;100,5;1.250,75;a\n0;200,25;-9999;b\n0;300,5;;c\n")
    assert read.numbers["X"].tolist() == [100.5, 200.25, 300.5]
    np.testing.assert_array_equal(read.numbers["Cu ppm"], [1250.75, np.nan, np.nan])
    assert "note" in read.bad


def test_a_thousand_that_may_be_a_fraction_is_refused(sheet):
    with pytest.raises(ValueError, match="decimal mark cannot be told"):
        sheet("DEP\tX\n1\t1,234\n0\t2,345\n")
    assert sheet("DEP\tX\n1\t1,234\n0\t2,345\n", decimal=",").numbers["X"].tolist() == [
        1.234,
        2.345,
    ]


def test_what_rasters_write_for_no_data_is_missing(sheet):
    read = sheet("DEP,Mag\n1,-3.4028235e+38\n0,12.5\n")
    np.testing.assert_array_equal(read.numbers["Mag"], [np.nan, 12.5])


@pytest.mark.parametrize("words", [("1", "0"), ("Yes", "no"), ("TRUE", "False"), ("1.0", " 0 ")])
def test_labels_are_read_in_words(sheet, words):
    read = sheet(f"label,x\n{words[0]},1\n{words[1]},2\n,3\n")
    np.testing.assert_array_equal(labels_of(read, "label"), [1.0, 0.0, np.nan])


def test_labels_with_decimal_commas_are_labels(sheet):
    np.testing.assert_array_equal(labels_of(sheet("d;x\n1,0;2,5\n0,0;3,5\n"), "d"), [1.0, 0.0])


def test_a_label_that_is_no_label_is_named_with_its_row(sheet):
    read = sheet("label,x\n1,1\nmaybe,2\n")
    with pytest.raises(ValueError, match="row 3: column 'label' holds 'maybe', which is neither 1"):
        labels_of(read, "label")


def test_a_column_of_labels_that_is_not_there_is_told_with_the_nearest(sheet):
    with pytest.raises(ValueError, match=r"no column 'lable'.*Did you mean 'label'\?"):
        labels_of(sheet("label,x\n1,1\n0,2\n"), "lable")


def test_evidence_is_all_numbers_but_places_labels_and_numbers_of_rows(sheet):
    read = sheet(
        "FID,DEP,E,N,lon,Cu,flat,blank,rock\n1,1,10,20,-120.5,3,7,,a\n2,0,11,21,-120.4,4,7,5,b\n"
        "3,0,12,22,-120.3,5,7,,c\n"
    )
    names, notes = evidence_columns(read, None, label="DEP", places=("E", "N"))
    assert names == ["Cu"]
    told = " ".join(notes)
    assert "FID is left out: it numbers the rows" in told
    assert "flat is left out: it never varies" in told
    assert "blank is left out: 67% of its cells are blank" in told
    assert "columns of text are no evidence: rock" in told


def test_named_evidence_is_taken_as_named(sheet):
    read = sheet("DEP,E,N,Cu,Au\n1,1,2,3,4\n0,2,3,4,5\n")
    assert evidence_columns(read, ["Au", "E", "Au"], label="DEP", places=("E", "N"))[0] == [
        "Au",
        "E",
    ]


def test_evidence_that_cannot_be_used_is_refused(sheet):
    read = sheet("DEP,E,N,Cu,rock\n1,1,2,<3,a\n0,2,3,4,b\n")
    with pytest.raises(ValueError, match=r"evidence 'Cu' holds '<3' in row 2, which is no number"):
        evidence_columns(read, ["Cu"], label="DEP", places=("E", "N"))
    with pytest.raises(ValueError, match="'DEP' is the label and cannot be evidence"):
        evidence_columns(read, ["DEP"], label="DEP", places=("E", "N"))
    with pytest.raises(ValueError, match=r"no column 'Cux'.*Did you mean 'Cu'\?"):
        evidence_columns(read, ["Cux"], label="DEP", places=("E", "N"))
    with pytest.raises(ValueError, match="has no column of numbers for evidence"):
        evidence_columns(read, None, label="DEP", places=("E", "N"))


def test_columns_are_matched_by_name_whatever_their_order_case_and_marks(sheet):
    read = sheet("pc_2,PC-1,other\n1,2,3\n4,5,6\n")
    assert match_columns(read, ["PC1", "PC2"], role="[background]") == ["PC-1", "pc_2"]


def test_columns_that_cannot_be_matched_are_told():
    options = {"source": "ground.csv", "what": "column"}
    with pytest.raises(ValueError, match=r"has no column 'PC1'; it has PC2.*Did you mean 'PC2'\?"):
        match_names(["PC1"], ["PC2"], bad={}, **options)
    with pytest.raises(ValueError, match="has column 'PC1' 2 times: pc1, PC_1"):
        match_names(["PC1"], ["pc1", "PC_1"], bad={}, **options)
    with pytest.raises(ValueError, match="column 'PC1' holds 'x' in row 2, which is no number"):
        match_names(["PC1"], ["PC1"], bad={"PC1": "'x' in row 2"}, **options)


def test_an_exact_name_goes_before_a_similar_one():
    told = {"source": "s", "bad": {}, "what": "column"}
    assert match_names(["pc1"], ["PC1", "pc1"], **told) == ["pc1"]


def test_coordinates_are_found_or_not_needed(sheet):
    read = sheet("DEP,RECHTS,HOCH,Cu\n1,1,2,3\n0,2,3,4\n")
    assert coordinates_of(read, easting=None, northing=None, needed=False) is None
    assert coordinates_of(read, easting="RECHTS", northing="HOCH", needed=True) == (
        "RECHTS",
        "HOCH",
    )
    with pytest.raises(ValueError, match="has no column for easting"):
        coordinates_of(read, easting=None, northing=None, needed=True)
    with pytest.raises(ValueError, match=r"no column 'RECHT' for easting.*Did you mean 'RECHTS'\?"):
        coordinates_of(read, easting="RECHT", northing="HOCH", needed=False)


def test_a_workbook_says_what_the_csv_says(tmp_path, sheet):
    table = pd.DataFrame({"DEP": [1, 0], "X": [1.5, 2.5], "Y": [3.0, 4.0], "Cu": [0.1, None]})
    table.to_excel(tmp_path / "table.xlsx", index=False)
    table.to_csv(tmp_path / "other.csv", index=False)
    one, other = (read_sheet(tmp_path / name) for name in ("table.xlsx", "other.csv"))
    pd.testing.assert_frame_equal(one.numbers, other.numbers)
