"""Cells of analyses: every way to write a detection limit, a missing value or a number."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan.data.tables.limits import (
    Kind,
    ParsedCells,
    find_decimal,
    parse_cells,
    resolve_limits,
    split_cells,
)


def parse_one(text, **options):
    parsed = parse_cells([text], **options)
    return Kind(parsed.kinds[0]), parsed.values[0]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("12.5", Kind.NUMBER, 12.5),
        (" 12.5 ", Kind.NUMBER, 12.5),
        ("+3", Kind.NUMBER, 3.0),
        (".5", Kind.NUMBER, 0.5),
        ("5.", Kind.NUMBER, 5.0),
        ("1.5E-3", Kind.NUMBER, 0.0015),
        ("\u22120.5", Kind.NUMBER, -0.5),
        ("1,234.5", Kind.NUMBER, 1234.5),
        ("1 234", Kind.NUMBER, 1234.0),
        ("12\u00a0345.6", Kind.NUMBER, 12345.6),
        ("1'234'567", Kind.NUMBER, 1234567.0),
        ("\uff11\uff12", Kind.NUMBER, 12.0),
        ("<0.5", Kind.BELOW, 0.5),
        ("< 0.5", Kind.BELOW, 0.5),
        ("< 0.5 ppm", Kind.BELOW, 0.5),
        ("\u22640.5", Kind.BELOW, 0.5),
        ("<=0.5", Kind.BELOW, 0.5),
        ("&lt;0.5", Kind.BELOW, 0.5),
        ("<.5", Kind.BELOW, 0.5),
        (">100", Kind.ABOVE, 100.0),
        ("> 10,000", Kind.ABOVE, 10000.0),
    ],
)
def test_numbers_and_stated_limits(text, kind, value):
    assert parse_one(text) == (kind, value)


@pytest.mark.parametrize(
    "text",
    [
        "bdl",
        "B.D.L.",
        "b.d.",
        "nd",
        "n.d.",
        "n/d",
        "<MDL",
        "<LOD",
        "< DL",
        "<bdl",
        "trace",
        "tr.",
        "Below Detection",
        "not detected",
        "<",
        "b.d.l",
        "(bdl)",
        "LOD",
        "<l.o.d.",
    ],
)
def test_words_for_below_an_unstated_limit(text):
    assert parse_one(text)[0] == Kind.UNKNOWN


@pytest.mark.parametrize(
    "text", ["", "  ", "NA", "n/a", "NaN", "null", "None", "#N/A", "NS", "-9999"]
)
def test_words_for_missing(text):
    assert parse_one(text)[0] == Kind.MISSING


def test_codes_for_missing_count_as_numbers_and_can_be_chosen():
    parsed = parse_cells(pd.Series([-99.0, -0.5, 3.0]))
    assert parsed.kinds.tolist() == [Kind.MISSING, Kind.NUMBER, Kind.NUMBER]
    parsed = parse_cells(["-99.0", "x", "3"], missing=("X",))
    assert parsed.kinds.tolist() == [Kind.NUMBER, Kind.MISSING, Kind.NUMBER]


@pytest.mark.parametrize(
    "text",
    [
        "12..5",
        "n/a?",
        "O.5",
        "1.2.3",
        "0.5²",
        "1,23",
        "12 34",
        "5%%",
        "abc",
        "<-1",
        "1e",
        "inf",
        "1e999",
        "0x1A",
        "1_000",
        "5±1",
        "~5",
        "1.5*",
        "=A1",
        "--5",
        "2021-05-01",
        "#DIV/0!",
        "1-2",
    ],
)
def test_text_that_is_no_number_is_bad(text):
    assert parse_one(text)[0] == Kind.BAD


def test_a_dash_is_a_kind_of_its_own():
    assert {parse_one(text)[0] for text in ("-", "--", "\u2013", "\u2014")} == {Kind.DASH}


def test_decimal_commas():
    cells = ["0,5", "<0,5", "1.234,5", "12", ",5", "1.5", "1 234,5"]
    parsed = parse_cells(cells, decimal=",")
    expected = [0.5, 0.5, 1234.5, 12.0, 0.5, np.nan, 1234.5]
    np.testing.assert_array_equal(parsed.values, expected)
    assert parsed.kinds[5] == Kind.BAD
    assert parsed.thousands.tolist() == [False, False, True, False, False, False, True]


def test_a_unit_in_the_cell_is_converted_to_that_of_the_column():
    assert parse_one("<500 ppb", unit="ppm") == (Kind.BELOW, 0.5)
    assert parse_one("1.5 %", unit="ppm") == (Kind.NUMBER, 15000.0)


def test_cells_of_a_workbook_may_be_of_any_type():
    cells = [1, 2.5, None, "<0.5", True, np.float32(3), pd.Timestamp("2024-05-01"), np.nan, pd.NA]
    parsed = parse_cells(pd.Series(cells, dtype=object))
    names = [Kind(kind).name for kind in parsed.kinds]
    assert (
        names == ["NUMBER", "NUMBER", "MISSING", "BELOW", "BAD", "NUMBER", "BAD"] + ["MISSING"] * 2
    )
    assert parsed.values[:2].tolist() == [1.0, 2.5]


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float32", "Float64", "category", "object"])
def test_numbers_of_any_dtype(dtype):
    values, texts = split_cells(pd.Series([1, 2, 3]).astype(dtype))
    assert values.tolist() == [1.0, 2.0, 3.0]
    assert texts is None or texts.null_count == 3


@given(st.floats(0, 1e9, allow_nan=False).map(lambda x: float(f"{x:.6g}")))
def test_a_number_survives_every_way_to_write_it(number):
    ways = [repr(number), f"{number:.12g}", f"{number:e}", f" {number!r} ", f"+{number!r}"]
    for text in ways:
        assert parse_one(text)[1] == pytest.approx(number, rel=1e-6)
    assert parse_one(repr(number).replace(".", ","), decimal=",")[1] == number
    assert parse_one(f"<{number!r}") == (Kind.BELOW, number)
    assert parse_one(f"{number:,.2f}")[1] == pytest.approx(number, abs=0.006)


@given(st.text(max_size=12), st.sampled_from([".", ","]))
def test_no_text_raises_and_what_is_no_number_has_no_value(text, decimal):
    kind, value = parse_one(text, decimal=decimal)
    assert np.isnan(value) == (kind in {Kind.UNKNOWN, Kind.DASH, Kind.MISSING, Kind.BAD})


@given(st.lists(st.sampled_from(["1", "<2", "bdl", "", "-", "x", "3.5"]), min_size=1, max_size=30))
def test_a_column_reads_like_its_cells_one_by_one(cells):
    parsed = parse_cells(cells)
    for cell, kind, value in zip(cells, parsed.kinds, parsed.values, strict=True):
        alone, number = parse_one(cell)
        assert kind == alone
        assert value == number or (np.isnan(value) and np.isnan(number))


# The decimal mark -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "decimal"),
    [
        (["1.5", "2.25"], "."),
        (["1,5", "2,25"], ","),
        (["1.234", "2.345"], "."),
        (["1.234,5", "1.234"], ","),
        (["1,234.5", "1,234"], "."),
        (["0,125"], ","),
        (["12", "x", ""], "."),
        (["1.5", "1.25", "0,5"], "."),
    ],
)
def test_the_decimal_mark_is_found(cells, decimal):
    assert find_decimal([cells]) == decimal


def test_a_thousand_or_a_fraction_is_refused_where_nothing_tells():
    with pytest.raises(ValueError, match="The decimal mark cannot be told"):
        find_decimal([["1,234", "2,345"]])
    with pytest.raises(ValueError, match="The decimal mark cannot be told"):
        find_decimal([["1,5", "0,25"], ["1.234"]])
    assert find_decimal([["1,234", "2,345"]], separator=",") == "."
    assert find_decimal([["1,234", "2,345"]], separator=";") == ","


# Unknown limits ---------------------------------------------------------------------------------


def resolve(cells, known=np.nan, **options):
    parsed = parse_cells(cells)
    limits = np.broadcast_to(np.asarray(known, dtype=float), len(cells))
    return resolve_limits(parsed, limits, **options)


def test_stated_limits_and_negative_numbers_are_censored_at_their_value():
    values, censored, origin = resolve(["5", "<0.5", "-0.2", ">9"])
    assert values.tolist() == [5.0, 0.5, 0.2, 9.0]
    assert censored.tolist() == [False, True, True, False]
    assert origin.tolist() == [0, 0, 0, 0]


def test_an_unstated_limit_is_the_known_one_first():
    values, censored, origin = resolve(["5", "<0.5", "bdl", "0", "-"], known=0.3)
    assert values.tolist() == [5.0, 0.5, 0.3, 0.3, 0.3]
    assert censored.tolist() == [False, True, True, True, True]
    assert origin.tolist() == [0, 0, 1, 1, 1]


def test_then_the_smallest_stated_one():
    values, censored, origin = resolve(["5", "<0.7", "<0.5", "bdl", "0", "-"])
    assert values[3:].tolist() == [0.5, 0.5, 0.5]
    assert origin[3:].tolist() == [2, 2, 2]
    assert censored[3:].all()


def test_then_the_smallest_measured_one_but_not_for_a_dash():
    values, censored, origin = resolve(["5", "2", "bdl", "0", "-"])
    assert values[2:4].tolist() == [2.0, 2.0]
    assert np.isnan(values[4])
    assert origin.tolist() == [0, 0, 3, 3, 4]
    assert censored.tolist() == [False, False, True, True, False]


def test_where_no_limit_is_to_be_found_the_value_is_missing_and_not_censored():
    values, censored, origin = resolve(["bdl", "0", "nd"])
    assert np.isnan(values).all()
    assert not censored.any()
    assert origin.tolist() == [4, 4, 4]


def test_limits_are_looked_for_in_one_laboratory():
    labs = np.array(["A", "A", "B", "B"])
    values, _, _ = resolve(["<0.5", "bdl", "<3", "bdl"], labs=labs)
    assert values.tolist() == [0.5, 0.5, 3.0, 3.0]


def test_isotope_deltas_keep_their_sign():
    values, censored, _ = resolve(["-3.5", "0", "2"], negatives="keep")
    assert values.tolist() == [-3.5, 0.0, 2.0]
    assert not censored.any()


@given(
    st.lists(
        st.sampled_from(["1.5", "20", "<0.5", "<3", "bdl", "0", "-0.2", "-", "", "-9999", ">50"]),
        min_size=1,
        max_size=25,
    )
)
def test_a_censored_value_is_always_positive(cells):
    values, censored, _ = resolve(cells)
    assert (values[censored] > 0).all()
    assert not (values <= 0).any()


def test_input_is_not_changed():
    parsed = ParsedCells(np.array([-1.0, 2.0]), np.zeros(2, np.uint8), np.zeros(2, bool))
    resolve_limits(parsed, np.full(2, np.nan))
    assert parsed.values.tolist() == [-1.0, 2.0]
