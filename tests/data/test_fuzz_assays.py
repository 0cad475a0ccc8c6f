"""Tables at random: a correct result or a ValueError in words, never anything else."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gossan.data.assays import read_assays

ELEMENTS = ["Fe", "Mn", "Ga", "Ge", "In", "Cd"]
numbers = st.floats(1e-4, 1e5).map(lambda x: float(f"{x:.5g}"))
cells = st.one_of(
    numbers.map(repr),
    numbers.map(lambda x: f"<{x!r}"),
    st.sampled_from(["", "bdl", "-", "0", "-0.5", "-9999", ">100", "n/a", "12..5", "O.5", "1,5"]),
    st.text(max_size=6),
)
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_bytes(content, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        return read_assays(path, **options)


def tables():
    return st.tuples(st.integers(1, 12), st.integers(1, 6)).flatmap(
        lambda shape: st.lists(
            st.lists(numbers, min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        )
    )


def read_or_refuse(read):
    """Assays, or None where a ValueError says in a sentence why not; all else fails the test."""
    try:
        return read()
    except ValueError as error:
        message = str(error)
    assert "." in message
    return None


@quick
@given(tables(), st.randoms(use_true_random=False))
def test_shuffled_columns_give_the_same_assays(rows, random):
    frame = pd.DataFrame(rows).set_axis([f"{e}_ppm" for e in ELEMENTS[: len(rows[0])]], axis=1)
    frame["deposit"] = "A"
    order = list(frame.columns)
    random.shuffle(order)
    one, two = read_assays(frame), read_assays(frame[order])
    pd.testing.assert_frame_equal(one.values, two.values[one.elements])
    pd.testing.assert_frame_equal(one.censored, two.censored[one.elements])
    assert one.units == {name: two.units[name] for name in one.elements}


@quick
@given(
    tables(),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([".", ","]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
    st.booleans(),
)
def test_numbers_survive_every_text_format(rows, separator, decimal, encoding, has_title):
    if separator == decimal:
        decimal = "."
    frame = pd.DataFrame(rows).set_axis([f"{e} (ppm)" for e in ELEMENTS[: len(rows[0])]], axis=1)
    frame.insert(0, "d\u00e9p\u00f4t", "A")
    frame.insert(1, "type", "MVT")
    text = frame.to_csv(index=False, sep=separator, decimal=decimal)
    if has_title:
        text = "Table S1\n\n" + text
    assays = read_bytes(text.encode(encoding), decimal=decimal)
    np.testing.assert_array_equal(assays.values.to_numpy(), frame.iloc[:, 2:].to_numpy())
    assert list(assays.sites.columns) == ["d\u00e9p\u00f4t", "type"]
    assert assays.rows[0] == (4 if has_title else 2)


@quick
@given(tables(), st.sampled_from(["ppm", "ppb", "wt%", "ug/g", "ppt"]))
def test_units_do_not_change_what_is_read(rows, unit):
    from gossan._units import convert_unit

    names = ELEMENTS[: len(rows[0])]
    ppm = pd.DataFrame(rows, columns=names)
    written = convert_unit(ppm, "ppm", unit).set_axis([f"{e}_{unit}" for e in names], axis=1)
    np.testing.assert_allclose(read_assays(written).values, ppm, rtol=1e-12)


@quick
@given(
    st.lists(st.tuples(cells, cells, st.text(max_size=5)), min_size=1, max_size=8), st.booleans()
)
def test_any_cell_is_read_or_refused_with_a_value_error(rows, is_file):
    frame = pd.DataFrame(rows, columns=["Fe_ppm", "Ga", "deposit"])
    content = frame.to_csv(index=False).encode("utf-8", "replace")
    assays = read_or_refuse(lambda: read_bytes(content) if is_file else read_assays(frame))
    if assays is None:
        return
    values, censored = assays.values.to_numpy(), assays.censored.to_numpy()
    assert (values[censored] > 0).all()
    assert not (values <= 0).any()
    assert str(assays.report)


@quick
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_bad_cells_can_always_be_left_out(rows):
    frame = pd.DataFrame(rows, columns=["Fe_ppm", "Ga_ppm"])
    try:
        assays = read_assays(frame, errors="missing", decimal=".")
    except ValueError as error:
        pytest.fail(str(error))
    assert assays.n_samples == len(rows)


@quick
@given(st.binary(max_size=400))
def test_any_bytes_give_assays_or_a_value_error(content):
    read_or_refuse(lambda: read_bytes(content))


@quick
@given(st.text(max_size=200))
def test_any_text_gives_assays_or_a_value_error(text):
    read_or_refuse(lambda: read_bytes(("Fe_ppm,Mn_ppm\n1,2\n" + text).encode("utf-8", "replace")))


@quick
@given(st.integers(0, 4000), st.integers(0, 255))
def test_a_broken_workbook_gives_assays_or_a_value_error(place, byte):
    frame = pd.DataFrame({"deposit": ["A"], "Fe_ppm": [1.0]})
    buffer = io.BytesIO()
    frame.to_excel(buffer, index=False)
    content = bytearray(buffer.getvalue())
    content[place % len(content)] = byte
    read_or_refuse(lambda: read_bytes(bytes(content)))


@quick
@given(st.lists(st.text(max_size=10), min_size=1, max_size=6))
def test_any_headers_give_assays_or_a_value_error(names):
    frame = pd.DataFrame([[1.5] * len(names)], columns=names)
    assays = read_or_refuse(lambda: read_assays(frame))
    if assays is not None:
        assert assays.values.shape[1] + assays.sites.shape[1] <= len(names)
