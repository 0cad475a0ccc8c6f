"""Reading assays: every format, unit and detection limit gives the same numbers, or a clear no."""

import io
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gossan import datasets
from gossan.data.assays import Assays, read_assays

CSV = "deposit,type,Fe_ppm,Ga_ppm\nA,MVT,1500.5,12.25\nA,MVT,2000,<0.5\nB,VMS,,7\n"


def write(folder, content, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def check_plain(assays):
    """The table of `CSV`, whatever it was written in."""
    assert assays.elements == ["Fe", "Ga"]
    np.testing.assert_array_equal(assays.values["Fe"], [1500.5, 2000.0, np.nan])
    np.testing.assert_array_equal(assays.values["Ga"], [12.25, 0.5, 7.0])
    assert assays.censored["Ga"].tolist() == [False, True, False]
    assert assays.units == {"Fe": "ppm", "Ga": "ppm"}
    assert assays.sites["deposit"].tolist() == ["A", "A", "B"]
    assert assays.sites["type"].tolist() == ["MVT", "MVT", "VMS"]
    assert assays.rows.tolist() == [2, 3, 4]


def find_data(name, file):
    try:
        return datasets.find(name, file, download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))


# Formats ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
def test_encodings(tmp_path, encoding):
    check_plain(read_assays(write(tmp_path, CSV, encoding=encoding)))


@pytest.mark.parametrize(("encoding", "word"), [("cp1252", "Noa\u00eflhac"), ("utf-8", "\u0416")])
def test_names_keep_their_letters(tmp_path, encoding, word):
    text = CSV.replace("B,", f"{word},")
    assays = read_assays(write(tmp_path, text, encoding=encoding))
    assert assays.sites["deposit"][2] == word
    assert bool(assays.report.of_kind("encoding")) == (encoding == "cp1252")


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path, separator, newline):
    text = CSV.replace(",", separator).replace("\n", newline)
    check_plain(read_assays(write(tmp_path, text)))


def test_decimal_commas(tmp_path):
    text = CSV.replace(",", ";").replace(".", ",")
    check_plain(read_assays(write(tmp_path, text)))
    check_plain(read_assays(write(tmp_path, text.replace("1500,5", "1.500,5"))))
    quoted = CSV.replace("1500.5", '"1500,5"').replace("12.25", '"12,25"').replace("0.5\n", "0\n")
    assays = read_assays(write(tmp_path, quoted.replace("<0", '"<0,5"')))
    check_plain(assays)


def test_thousands_separators_are_read_or_refused(tmp_path):
    text = CSV.replace("1500.5", '"1,500.5"').replace("2000", '"2,000"')
    assays = read_assays(write(tmp_path, text))
    check_plain(assays)
    assert assays.report.of_kind("thousands")[0].rows == (2, 3)
    frame = pd.DataFrame({"Fe_ppm": ["1,500", "2,000"]})
    with pytest.raises(ValueError, match="decimal mark cannot be told"):
        read_assays(frame)
    assert read_assays(frame, decimal=".").values["Fe"].tolist() == [1500.0, 2000.0]
    assert read_assays(frame, decimal=",").values["Fe"].tolist() == [1.5, 2.0]


def test_blank_and_short_rows_keep_the_row_numbers(tmp_path):
    text = CSV.replace("A,MVT,2000", "\n,,,\nA,MVT,2000").replace("B,VMS,,7", "B,VMS")
    assays = read_assays(write(tmp_path, text))
    assert assays.rows.tolist() == [2, 5, 6]
    assert assays.report.of_kind("short rows")[0].rows == (6,)
    assert np.isnan(assays.values["Ga"][2])


def test_long_rows_are_refused_with_their_number(tmp_path):
    with pytest.raises(ValueError, match=r"row 3 has 5 cells where the header has 4"):
        read_assays(write(tmp_path, CSV.replace("2000", "2000,5")))


def test_quoted_cells_may_hold_separators_and_line_ends(tmp_path):
    text = CSV.replace("B,", '"B, the\nsecond",')
    assays = read_assays(write(tmp_path, text))
    assert assays.sites["deposit"][2] == "B, the\nsecond"
    assert assays.rows.tolist() == [2, 3, 4]


def write_workbook(path, rows, title="Data"):
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    book.active["A1"] = "About this table"
    page = book.create_sheet(title)
    for row in rows:
        page.append(row)
    book.save(path)
    return path


ROWS = [
    ["deposit", "type", "Fe_ppm", "Ga_ppm"],
    ["A", "MVT", 1500.5, 12.25],
    ["A", "MVT", 2000, "<0.5"],
    ["B", "VMS", None, 7],
]


def test_a_workbook_by_sheet(tmp_path):
    path = write_workbook(tmp_path / "table.xlsx", ROWS)
    check_plain(read_assays(path, sheet="Data"))
    check_plain(read_assays(path, sheet=1))
    with pytest.raises(ValueError, match=r"has no sheet 'Dat'.*Did you mean 'Data'"):
        read_assays(path, sheet="Dat")


def test_a_workbook_with_title_and_unit_rows(tmp_path):
    rows = [["Table S1"], [], ["deposit", "type", "Fe", "Ga"], [None, None, "wt%", "ppm"]]
    rows += [["A", "MVT", 0.15, 12.25], ["B", "VMS", None, "b.d.l."]]
    path = write_workbook(tmp_path / "table.xlsx", rows, title="S1")
    assays = read_assays(path, sheet="S1", limits={"Ga": 0.1})
    assert assays.values["Fe"][0] == pytest.approx(1500.0)
    assert assays.values["Ga"].tolist() == [12.25, 0.1]
    assert assays.rows.tolist() == [5, 6]
    assert assays.source == "table.xlsx, sheet S1"


def test_the_first_sheet_is_the_default_and_the_others_are_named(tmp_path):
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.create_sheet("Notes")
    book.save(tmp_path / "t.xlsx")
    assays = read_assays(tmp_path / "t.xlsx")
    check_plain(assays)
    assert "Notes" in assays.report.of_kind("sheet")[0].message


def test_a_date_in_a_column_of_numbers_is_refused(tmp_path):
    rows = [*ROWS, ["C", "VMS", pd.Timestamp("2024-05-01").to_pydatetime(), 3]]
    path = write_workbook(tmp_path / "t.xlsx", rows)
    with pytest.raises(ValueError, match=r"column 'Fe': '2024-05-01.*row 5"):
        read_assays(path, sheet="Data")


def test_a_zip_bomb_is_refused(tmp_path):
    path = write_workbook(tmp_path / "bomb.xlsx", ROWS)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b"0" * (80 << 20))
    with pytest.raises(ValueError, match="more than a table of analyses needs"):
        read_assays(path)


def test_absurd_dimensions_are_refused_and_false_ones_not_believed(tmp_path):
    wide = write_workbook(tmp_path / "wide.xlsx", [["x"] * 6000, [1] * 6000])
    with pytest.raises(ValueError, match=r"6,000 columns.*Delete the blank rows"):
        read_assays(wide, sheet="Data")
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    lying = io.BytesIO()
    with zipfile.ZipFile(tmp_path / "t.xlsx") as old, zipfile.ZipFile(lying, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            if part.endswith("sheet1.xml"):
                content = content.replace(b'ref="A1:D4"', b'ref="A1:XFD1048576"')
                assert b"XFD1048576" in content
            new.writestr(part, content)
    check_plain(read_assays(write(tmp_path, lying.getvalue(), "lying.xlsx")))


def test_parquet_and_frames(tmp_path):
    frame = pd.read_csv(io.StringIO(CSV))
    frame.to_parquet(tmp_path / "table.parquet")
    check_plain(read_assays(tmp_path / "table.parquet"))
    before = frame.copy()
    check_plain(read_assays(frame))
    pd.testing.assert_frame_equal(frame, before)


def test_the_index_of_a_frame_is_kept():
    frame = pd.read_csv(io.StringIO(CSV)).set_index(pd.Index([10, 10, 30]))
    assays = read_assays(frame)
    for part in (assays.values, assays.censored, assays.sites):
        assert part.index.tolist() == [10, 10, 30]


def test_the_format_is_known_from_the_content(tmp_path):
    path = write_workbook(tmp_path / "table.xlsx", ROWS)
    check_plain(read_assays(write(tmp_path, path.read_bytes(), "table.csv"), sheet="Data"))


# Refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"deposit,Fe_ppm\n", "holds a header and no data"),
        (b"deposit,Fe_ppm\n,\n,\n", "holds a header and no data"),
        (b"1,2\n3,4\n", "has numbers in row 1"),
        (bytes(range(256)) * 20, "is not a text table"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(200)), "is not a text table"),
        (b"PK\x03\x04 broken", "is a zip archive and no complete workbook"),
        (b"PAR1 broken PAR1", "is a broken Parquet file"),
        (b"\xd0\xcf\x11\xe0 old", "old format"),
        (b"deposit,name\nA,x\nB,y\n", "No column of analyses is recognised"),
        (b'deposit,Fe_ppm\n"A,1\n', "quotation mark that is never closed"),
        (b"deposit,Fe_ppm\n" + b"A,1\n" * 100 + b'"A,1\n', "row 102.*never closed"),
    ],
)
def test_files_that_are_no_tables_are_refused_in_words(tmp_path, content, words):
    with pytest.raises(ValueError, match=words):
        read_assays(write(tmp_path, content))


def test_missing_files_folders_and_wrong_types(tmp_path):
    write(tmp_path, CSV, "assays.csv")
    with pytest.raises(FileNotFoundError, match=r"There is no file assay.csv.*'assays.csv'"):
        read_assays(tmp_path / "assay.csv")
    with pytest.raises(ValueError, match="is a folder, not a table"):
        read_assays(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=r"is no path|There is no file"):
        read_assays("a\0b")
    with pytest.raises(TypeError, match="must be a path or a DataFrame, got int"):
        read_assays(3)
    with pytest.raises(ValueError, match="0 rows and 1 columns"):
        read_assays(pd.DataFrame({"Fe": []}))


def test_text_in_numbers_names_file_row_and_column(tmp_path):
    text = CSV.replace("2000", "12..5").replace(",7\n", ",O.5\n")
    path = write(tmp_path, text, "my table.csv")
    with pytest.raises(ValueError, match=r"my table.csv holds cells") as caught:
        read_assays(path)
    message = str(caught.value)
    assert "column 'Fe': '12..5' cannot be read as a number; row 3" in message
    assert "column 'Ga': 'O.5' cannot be read as a number; row 4" in message
    assert "errors='missing'" in message
    assays = read_assays(path, errors="missing")
    assert np.isnan(assays.values["Fe"][1])
    assert [f.rows for f in assays.report.of_severity("error")] == [(3,), (4,)]
    assert read_assays(path, missing=("12..5", "O.5")).report.of_severity("error") == ()


@pytest.mark.parametrize("option", ["negatives", "errors", "duplicates", "convert", "decimal"])
def test_options_are_closed_lists(option):
    with pytest.raises(ValueError, match=f"{option} must be one of"):
        read_assays(pd.DataFrame({"Fe": [1.0]}), **{option: "perhaps"})


# Columns and units ------------------------------------------------------------------------------


def test_units_from_headers_mapping_and_default():
    frame = pd.DataFrame({"Fe_pct": [4.2], "Au_ppb": [12.0], "Ag oz/t": [1.0], "Mn": [300.0]})
    assays = read_assays(frame)
    expected = [42000.0, 0.012, 34.285714, 300.0]
    np.testing.assert_allclose(assays.values.iloc[0], expected, rtol=1e-7)
    assert "ppm is assumed" in assays.report.of_kind("unit assumed")[0].message


def test_a_mapping_of_units_overrides_headers():
    frame = pd.DataFrame({"Fe_ppm": [4.2], "Mn": [0.5]})
    assays = read_assays(frame, units={"Fe": "wt%", "Mn": "%"})
    assert assays.values.iloc[0].tolist() == [42000.0, 5000.0]
    assert assays.report.of_kind("unit assumed") == ()
    with pytest.raises(ValueError, match="A unit is given for 'Mg'"):
        read_assays(frame, units={"Mg": "ppm"})
    with pytest.raises(ValueError, match="The unit must be one of"):
        read_assays(frame, units={"Fe": "stone"})


def test_convert_false_keeps_units_and_element_turns_oxides():
    frame = pd.DataFrame({"FeO wt%": [10.0], "Mn_ppm": [5.0]})
    kept = read_assays(frame, convert=False)
    assert kept.units == {"FeO": "wt%", "Mn": "ppm"}
    assert kept.values["FeO"][0] == 10.0
    assert read_assays(frame).values["FeO"][0] == 1e5
    as_element = read_assays(frame, convert="element")
    assert as_element.values["Fe"][0] == pytest.approx(77731, abs=1)
    asked = read_assays(frame, elements=["Fe", "Mn"])
    assert asked.elements == ["Fe", "Mn"]
    assert asked.values["Fe"][0] == pytest.approx(77731, abs=1)


def test_words_that_are_symbols_by_chance_are_not_analytes():
    frame = pd.DataFrame(
        {"No": [1, 2], "X": [5.0, 6.0], "Y": [7.0, 8.0], "In": ["yes", "no"], "As": ["x", "y"],
         "I": ["a", "b"], "Fe": [1.0, 2.0], "Mn": [3.0, 4.0], "Zn": [5.0, 6.0]}
    )  # fmt: skip
    assays = read_assays(frame)
    assert assays.elements == ["Fe", "Mn", "Zn"]
    assert "Y" in assays.sites.columns
    assert {f.column for f in assays.report.of_kind("not an analysis")} >= {"In", "As"}


def test_the_same_words_are_analytes_where_they_hold_numbers():
    frame = pd.DataFrame({"In": [1.0], "As": [2.0], "Y": [3.0], "I": [4.0], "Fe": [5.0]})
    assert read_assays(frame).elements == ["In", "As", "Y", "I", "Fe"]


def test_elements_may_have_any_name():
    frame = pd.DataFrame({"eisen": [1.0, 2.0], "d34S": [-3.5, 0.0], "Fe": [7.0, 8.0]})
    assays = read_assays(frame, elements=["eisen", "d34S"], units={"eisen": "wt%"})
    assert assays.values["eisen"].tolist() == [1e4, 2e4]
    assert assays.values["d34S"].tolist() == [-3.5, 0.0]
    assert not assays.censored["d34S"].any()
    assert assays.units["d34S"] == ""
    assert "Fe" in assays.sites
    with pytest.raises(ValueError, match=r"has no column for 'Iron'.*rename="):
        read_assays(frame, elements=["Iron"])


def test_atomic_per_cent_stays_with_the_sites():
    frame = pd.DataFrame({"Fe wt%": [4.2], "Fe at%": [3.7], "FeS (mol%)": [7.3]})
    assays = read_assays(frame)
    assert assays.values["Fe"][0] == 42000.0
    assert list(assays.sites.columns) == ["Fe at%", "FeS (mol%)"]
    assert len(assays.report.of_kind("not an analysis")) == 2


def test_rename_comes_first():
    frame = pd.DataFrame({"eisen": [1.0], "Mn": [2.0]})
    assert read_assays(frame, rename={"eisen": "Fe_pct"}).values["Fe"][0] == 1e4
    with pytest.raises(ValueError, match=r"no column 'eisn' to rename.*Did you mean 'eisen'"):
        read_assays(frame, rename={"eisn": "Fe"})
    with pytest.raises(ValueError, match="two columns the name 'Mn'"):
        read_assays(frame, rename={"eisen": "Mn"})


def test_two_columns_of_one_element_agree_or_are_refused():
    frame = pd.DataFrame({"Fe_ppm": [10000.0, 20000.0], "Fe_pct": [1.0, 2.01]})
    assays = read_assays(frame)
    assert assays.values["Fe"].tolist() == [10000.0, 20000.0]
    assert "agrees" in assays.report.of_kind("two columns")[0].message
    frame["Fe_pct"] = [5.0, 9.0]
    with pytest.raises(ValueError, match="two columns for Fe that disagree, 'Fe_ppm' and 'Fe_pct'"):
        read_assays(frame)
    first = read_assays(frame, duplicates="first")
    assert first.report.of_kind("two columns")[0].severity == "warning"
    assert read_assays(frame, elements=["Fe_pct"]).values["Fe"].tolist() == [5e4, 9e4]


def test_impossible_concentrations_are_refused():
    frame = pd.DataFrame({"Zn_pct": [65.0, 650000.0], "Fe_ppm": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"column 'Zn': more than 100 %.*wrong unit\?; row 3"):
        read_assays(frame)
    assays = read_assays(frame, errors="missing")
    np.testing.assert_array_equal(assays.values["Zn"], [650000.0, np.nan])


def test_a_wrong_unit_is_suspected_from_the_expected_range():
    frame = pd.DataFrame({"Fe": [3.1, 4.2, 5.0]})
    assays = read_assays(frame, expected={"Fe": (1e4, 1e5)})
    assert assays.report.of_kind("wrong unit?")[0].column == "Fe"


# Detection limits -------------------------------------------------------------------------------


def read_ga(cells, header="Ga_ppm", **options):
    return read_assays(
        pd.DataFrame({header: cells, "lab": ["A", "B"] * (len(cells) // 2)}), **options
    )


def test_a_limit_in_the_header():
    assays = read_ga(["12", "bdl"], "Ga_ppm (DL 0.5)")
    assert assays.values["Ga"].tolist() == [12.0, 0.5]
    assert assays.censored["Ga"].tolist() == [False, True]


def test_limits_by_analyte_and_by_laboratory():
    cells = ["12", "30", "bdl", "0"]
    assert read_ga(cells, limits={"Ga": 0.5}).values["Ga"].tolist() == [12.0, 30.0, 0.5, 0.5]
    by_lab = {"A": {"Ga": 0.5}, "B": {"Ga": 2.0}}
    assert read_ga(cells, limits=by_lab, lab="lab").values["Ga"].tolist() == [12, 30, 0.5, 2.0]
    with pytest.raises(ValueError, match="no column of laboratories"):
        read_ga(cells, limits=by_lab)
    with pytest.raises(ValueError, match="has no column 'labo' of laboratories"):
        read_ga(cells, limits=by_lab, lab="labo")
    with pytest.raises(ValueError, match="laboratory 'C'"):
        read_ga(cells, limits={"C": {"Ga": 1.0}}, lab="lab")
    with pytest.raises(ValueError, match="A limit is given for 'Ge'"):
        read_ga(cells, limits={"Ge": 1.0})
    for limit in (0, -1.0, "0.5", np.nan):
        with pytest.raises(ValueError, match="limit of Ga must be a positive number"):
            read_ga(cells, limits={"Ga": limit})


def test_limits_are_in_the_unit_of_the_column():
    assays = read_ga(["0.12", "bdl"], "Ga_pct", limits={"Ga": 0.005})
    np.testing.assert_allclose(assays.values["Ga"], [1200.0, 50.0])


def test_a_column_of_limits_beside_the_values():
    frame = pd.DataFrame({"Ga_ppm": ["5", "bdl", "bdl"], "Ga_LOD": [0.1, 0.2, np.nan]})
    assays = read_assays(frame)
    assert assays.values["Ga"].tolist() == [5.0, 0.2, 5.0]
    assert "Ga_LOD" not in assays.sites


def test_unknown_limits_are_found_in_the_column_with_a_warning():
    assays = read_ga(["12", "<0.7", "0", "nd"])
    assert assays.values["Ga"].tolist() == [12.0, 0.7, 0.7, 0.7]
    finding = assays.report.of_kind("unknown limit")[0]
    assert finding.rows == (4, 5)
    assert "the smallest one stated, 0.7 ppm" in finding.message
    assays = read_ga(["12", "3", "0", "nd"])
    assert assays.values["Ga"].tolist() == [12.0, 3.0, 3.0, 3.0]
    assert "smallest value measured, 3 ppm" in assays.report.of_kind("unknown limit")[0].message
    assays = read_ga(["nd", "0"])
    assert assays.values["Ga"].isna().all()
    assert not assays.censored["Ga"].any()


def test_negative_numbers_are_limits_or_refused():
    cells = [12.0, -0.5, 8.0, -9999.0]
    assays = read_ga(cells)
    np.testing.assert_array_equal(assays.values["Ga"], [12.0, 0.5, 8.0, np.nan])
    assert assays.censored["Ga"].tolist() == [False, True, False, False]
    assert assays.report.of_kind("negative")[0].rows == (3,)
    assert read_ga(cells, negatives="auto").censored["Ga"].sum() == 1
    with pytest.raises(ValueError, match=r"negative concentrations, such as -0.5"):
        read_ga(cells, negatives="error")
    noise = [12.0, 3.0, -0.1, -0.23, -0.37, -0.05, -0.41, -0.9]
    with pytest.raises(ValueError, match="too varied to be detection limits"):
        read_ga(noise, negatives="auto")


def test_values_above_an_upper_limit_are_kept_with_a_warning():
    assays = read_ga(["12", ">500"])
    assert assays.values["Ga"].tolist() == [12.0, 500.0]
    assert not assays.censored["Ga"].any()
    assert assays.report.of_kind("above limit")[0].rows == (3,)


def test_flags_of_a_twin_column_are_honoured():
    frame = pd.DataFrame(
        {"Ga": [5.0, 0.5, 0.1, 3.0], "cens_Ga": [0, 1, 2, 0], "Fe": [1.0, 2.0, 3.0, 4.0],
         "Fe_bdl": ["", "<", "no", "perhaps"]}
    )  # fmt: skip
    assays = read_assays(frame)
    assert assays.censored["Ga"].tolist() == [False, True, False, False]
    assert assays.values["Ga"].tolist() == [5.0, 0.5, 0.1, 3.0]
    assert assays.report.of_kind("suspected substitute")[0].rows == (4,)
    assert assays.censored["Fe"].tolist() == [False, True, False, False]
    assert assays.report.of_kind("unknown flag")[0].rows == (5,)
    assert list(assays.sites.columns) == []


def test_values_below_a_known_limit_are_noted_and_left_alone():
    assays = read_ga([12.0, 0.25], limits={"Ga": 0.5})
    assert assays.values["Ga"].tolist() == [12.0, 0.25]
    assert assays.report.of_kind("below its limit")[0].rows == (3,)


# Sites ------------------------------------------------------------------------------------------


def test_labels_lose_stray_blanks_and_numbers_become_numbers(tmp_path):
    text = "deposit,hole,depth,lab no,Fe_ppm\n Mauer ,007,1.5,NA,3\nMauer,008,2,None,4\n"
    assays = read_assays(write(tmp_path, text))
    assert assays.sites["deposit"].tolist() == ["Mauer", "Mauer"]
    assert assays.sites["hole"].tolist() == ["007", "008"]
    assert assays.sites["depth"].tolist() == [1.5, 2.0]
    assert assays.sites["lab no"].tolist() == ["NA", "None"]  # labels are never guessed away
    assert assays.report.of_kind("stray blanks")[0].rows == (2,)


def test_labels_of_any_type_do_no_harm(tmp_path):
    frame = pd.DataFrame(
        {"id": [[1], [2], [1]], "when": pd.date_range("2024-01-01", periods=3, tz="UTC"),
         "kind": pd.Categorical(["a", "b", "a"]), "ok": [True, False, True],
         "Fe": [1.0, 2.0, 3.0], "cens_Fe": [True, False, pd.NA]}
    )  # fmt: skip
    assays = read_assays(frame)
    assert assays.censored["Fe"].tolist() == [True, False, False]
    assert assays.sites.dtypes["kind"] == "category"
    text = "sample,x\n12E3,4.98e5\n12E4,5.0e5\n"
    sites = read_assays(write(tmp_path, text.replace("x", "x,Fe").replace("e5\n", "e5,1\n"))).sites
    assert sites["sample"].tolist() == ["12E3", "12E4"]
    assert sites["x"].tolist() == [498000.0, 500000.0]


def test_similar_names_and_duplicates_reach_the_report(tmp_path):
    lines = [
        f"{i},{'Mauer' if i < 3 else 'Maurer'},{i + 0.5},{i * 2 + 0.1},{i + 7}" for i in range(30)
    ]
    lines.append(lines[4])
    text = "id,deposit,Fe_ppm,Mn_ppm,Zn_ppm\n" + "\n".join(lines)
    report = read_assays(write(tmp_path, text)).report
    assert report.of_kind("similar names")[0].rows == (2, 3, 4)
    assert report.of_kind("duplicate rows")[0].rows == (32,)
    assert report.of_kind("duplicate ids")[0].rows == (32,)


# The record -------------------------------------------------------------------------------------


def test_methods_of_the_record():
    assays = read_assays(pd.read_csv(io.StringIO(CSV)))
    assert assays.n_samples == 3
    only = assays.select(["Ga"])
    assert only.elements == ["Ga"]
    assert only.units == {"Ga": "ppm"}
    with pytest.raises(ValueError, match=r"has no analyte 'ga'.*Did you mean 'Ga'"):
        assays.select(["ga"])
    imputed = assays.with_values(assays.values.fillna(1.0))
    assert imputed.values["Fe"][2] == 1.0
    assert np.isnan(assays.values["Fe"][2])
    with pytest.raises(ValueError, match="New values must have the shape"):
        assays.with_values(np.ones((3, 1)))
    two = assays.take([True, False, True])
    assert two.rows.tolist() == [2, 4]
    assert two.sites["deposit"].tolist() == ["A", "B"]


def test_a_written_record_reads_back(tmp_path):
    assays = read_assays(pd.read_csv(io.StringIO(CSV)))
    assays.to_frame().to_csv(tmp_path / "out.csv", index=False)
    again = read_assays(tmp_path / "out.csv")
    pd.testing.assert_frame_equal(again.values, assays.values)
    pd.testing.assert_frame_equal(again.censored, assays.censored)


def test_parts_that_do_not_fit_are_refused():
    assays = read_assays(pd.DataFrame({"Fe": [1.0, 2.0]}))
    with pytest.raises(ValueError, match="must have the same rows"):
        Assays(assays.values, assays.censored[:1], {}, assays.sites, "t", assays.report)


# Real tables ------------------------------------------------------------------------------------


def test_the_sphalerite_table(sphalerite_file):
    assays = read_assays(sphalerite_file)
    assert assays.values.shape == (3794, 12)
    assert not assays.values.isna().any(axis=None)
    counts = assays.censored.sum()
    assert counts[counts > 0].to_dict() == {"Mn": 1, "In": 2, "Sb": 2}
    suspected = assays.report.of_kind("suspected substitute")
    assert sum(finding.n_cells for finding in suspected) == 969
    repeated = assays.report.of_kind("repeated value")
    assert sum(finding.n_cells for finding in repeated) == 969
    names = [f.message for f in assays.report.of_kind("similar names")]
    assert any("Bauer et al., 2019" in name and "Mauer et al., 2019" in name for name in names)
    assert assays.sites["deposit"].nunique() == 96
    assert assays.report.of_severity("error") == ()


def test_copper_creek_has_a_mark_of_order_and_negative_limits():
    assays = read_assays(find_data("copper_creek", "assay.csv"))
    assert assays.n_samples == 67321
    assert assays.sites.columns[0] == "hole_ID"
    expected = {"Cu": 331, "Mo": 7804, "Ag": 311, "Au": 1489}  # as its provenance counts them
    assert assays.censored.sum().to_dict() == expected
    assert assays.values["Cu"].max() == pytest.approx(219000.0)  # 21.9 %
    assert (assays.values.min() > 0).all()


def test_shamkya_has_two_header_rows_and_text_limits():
    path = find_data("shamkya_gold", "raw/An1-RC.csv")
    with pytest.raises(ValueError, match=r"column 'Au': '1.5\*' cannot be read as a number; row"):
        read_assays(path)
    options = {"missing": ("1.5*",)}
    with pytest.raises(ValueError, match=r"two columns for Au that disagree, 'Au' and 'Au\.1'"):
        read_assays(path, **options)
    majors = dict.fromkeys(["Al", "Ca", "Fe", "K", "Mg", "Na", "S", "Ti"], "%")
    assays = read_assays(path, duplicates="first", units=majors, **options)
    raw = pd.read_csv(path, dtype=str, skiprows=[1])
    below = raw["Au"].str.startswith("<").fillna(value=False)
    assert assays.censored["Au"].tolist() == below[: assays.n_samples].tolist()
    assert int(assays.censored["Au"].sum()) == 413
    assert int(assays.censored["Hg"].sum()) == 362
    assert assays.report.of_kind("above limit")[0].column == "Ce"
    assert {"From", "To", "x", "y", "z"} <= set(assays.sites.columns)
    assert assays.values["Fe"].median() > 1e4
    assert assays.rows[0] == 3


def test_shamkya_has_units_in_its_second_row():
    assays = read_assays(find_data("shamkya_gold", "raw/An7_Chip.csv"), duplicates="first")
    assert set(assays.units.values()) == {"ppm"}
    assert assays.values["Fe"][0] == pytest.approx(28300.0)  # 2.83 %
    assert assays.values["Cu"][0] == pytest.approx(97.1)
    assert assays.report.of_kind("unit assumed") == ()


def test_points_in_a_table_of_decimal_commas_are_explained(tmp_path):
    path = tmp_path / "mixed.csv"
    path.write_text("Fe;Mn;Ga\n1,5;2,5;80000.0\n2,5;3,5;1400.0\n")
    with pytest.raises(ValueError, match=r"'80000\.0'.*\n.*decimal commas"):
        read_assays(path)
