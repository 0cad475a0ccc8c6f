"""Composites as studies work on them: ore is never lost, and all that is left out is told."""

import numpy as np
import pandas as pd
import pytest

from gossan.studies.composites import read_composites

pytestmark = pytest.mark.filterwarnings("ignore::gossan._checks.GossanWarning")


@pytest.fixture
def tables():
    """Four upright holes of ten samples of 2 m."""
    holes = [f"H{number}" for number in range(4)]
    collar = pd.DataFrame(
        {
            "hole": holes, "easting": np.arange(4) * 100.0, "northing": 0.0, "elevation": 500.0,
            "depth": 20.0,
        }
    )  # fmt: skip
    survey = pd.DataFrame({"hole": holes, "depth": 0.0, "azimuth": 0.0, "dip": -90.0})
    top = np.tile(np.arange(10) * 2.0, 4)
    rng = np.random.default_rng(0)
    assay = pd.DataFrame({"hole": np.repeat(holes, 10), "from": top, "to": top + 2.0})
    for name in ("Au_ppb", "As_ppm", "Sb_ppm"):
        assay[name] = rng.lognormal(1.0, 1.0, 40).round(3)
    return {"collar": collar, "survey": survey, "assay": assay, "dip": "down_negative"}


def changed(tables, **columns):
    return {**tables, "assay": tables["assay"].assign(**columns)}


def without(tables, element, share):
    """Return the tables with an element missing in the first part of every hole."""
    values = tables["assay"][element].where(tables["assay"]["from"] >= 20.0 * share)
    return changed(tables, **{element: values})


def test_a_composite_is_the_mean_of_its_samples_in_its_place(tables):
    made = read_composites(tables, composite=4.0)
    first = made.table.iloc[0]
    assert first["Au"] == pytest.approx(tables["assay"]["Au_ppb"][:2].mean())
    place = first[["easting", "northing", "elevation"]].tolist()
    assert place == pytest.approx([0.0, 0.0, 498.0], abs=1e-9)
    assert len(made.table) == 20
    assert made.length == 4.0
    assert made.units == {"Au": "ppb", "As": "ppm", "Sb": "ppm"}


def test_the_default_length_is_the_median_of_the_samples(tables):
    assert read_composites(tables).length == 2.0


def test_an_element_that_few_composites_have_is_left_out_and_told(tables):
    made = read_composites(without(tables, "Sb_ppm", 0.5), composite=2.0, least_share=0.8)
    assert made.elements == ("Au", "As")
    assert len(made.table) == 40
    assert any(
        line.startswith("Sb was left out: only 50% of the composites have it. Name it under")
        for line in made.left_out
    )


def test_an_element_that_most_composites_have_costs_those_without_it(tables):
    made = read_composites(without(tables, "Sb_ppm", 0.1), composite=2.0, least_share=0.8)
    assert made.elements == ("Au", "As", "Sb")
    assert len(made.table) == 36
    (line,) = [line for line in made.left_out if "composites without" in line]
    assert line == (
        "4 composites without one of the elements were left out, of the holes H0, H1, H2, H3."
    )


def test_ore_is_kept_however_few_have_it(tables):
    made = read_composites(without(tables, "Au_ppb", 0.5), composite=2.0, least_share=0.8, ore="Au")
    assert made.elements == ("Au", "As", "Sb")
    assert len(made.table) == 20


def test_named_elements_are_all_taken_and_ore_with_them(tables):
    few = without(tables, "Sb_ppm", 0.5)
    made = read_composites(few, elements=["Sb"], composite=2.0, least_share=0.8, ore="Au")
    assert made.elements == ("Sb", "Au")
    assert len(made.table) == 20
    assert read_composites(tables, elements=["As", "Au"], ore="Au").elements == ("As", "Au")


def test_ore_that_was_not_analysed_is_named(tables):
    with pytest.raises(ValueError, match=r"no analyses of 'Ag'; it has Au, As, Sb"):
        read_composites(tables, ore="Ag")
    with pytest.raises(ValueError, match=r"no analyses of 'sb'.*Did you mean 'Sb'"):
        read_composites(tables, elements=["sb"])


def test_holes_without_a_place_are_told_with_no_more_than_five_names(tables):
    lost = {**tables, "collar": tables["collar"].iloc[2:]}
    made = read_composites(lost, composite=2.0)
    assert set(made.table["hole"]) == {"H2", "H3"}
    assert "20 composites without a place were left out, of the holes H0, H1." in made.left_out


def test_values_below_detection_are_imputed_and_their_composites_flagged(tables):
    words = tables["assay"]["As_ppm"].astype(object)
    words[:3] = "<2"
    made = read_composites(changed(tables, As_ppm=words), composite=4.0, method="half")
    assert made.table["As"][0] == pytest.approx(1.0)
    assert made.censored["As"].tolist()[:3] == [True, False, False]  # the second is half hidden
    assert (made.table[["Au", "As", "Sb"]] > 0).all(axis=None)


@pytest.mark.parametrize(
    ("columns", "match", "fix"),
    [
        ({"to": lambda t: t["to"].where(t.index > 0, t["from"])},
         r"1 samples have no from, to or length, first in row \d+, hole H0, 0 to 0 m",
         "empty intervals"),
        ({"from": lambda t: t["from"] + 2.0, "to": lambda t: t["to"] - 2.0},
         r"40 samples end above their start, first in row \d+, hole H0, 2 to 0 m",
         "reversed intervals"),
        ({"to": lambda t: t["to"].where(t.index > 0, 3.0)}, r"1 samples overlap", "overlaps"),
    ],
)  # fmt: skip
def test_samples_that_cannot_be_composited_name_their_repair(tables, columns, match, fix):
    faulty = changed(tables, **columns)
    with pytest.raises(ValueError, match=rf"{match}.*fix = \[.{fix}.\] under \[holes\]"):
        read_composites(faulty)
    mended = read_composites(faulty, fix=[fix], composite=2.0)
    assert any(line.startswith(f"Mended, {fix}") for line in mended.left_out)
    assert len(mended.table) >= 38


def test_tables_without_analyses_are_refused(tables):
    bare = {name: table for name, table in tables.items() if name != "assay"}
    with pytest.raises(ValueError, match=r"drill holes have no analyses. Name their table"):
        read_composites(bare)


def test_composites_break_where_the_rock_changes_if_asked(tables):
    holes = tables["collar"]["hole"].tolist()
    rock = pd.DataFrame(
        {
            "hole": np.repeat(holes, 2),
            "from": [0.0, 6.0] * 4,
            "to": [6.0, 20.0] * 4,
            "rock": ["slate", "dyke"] * 4,
        }
    )
    told = {**tables, "lithology": rock}
    straight = read_composites(told, composite=4.0).table
    broken = read_composites(told, composite=4.0, contacts="rock").table
    assert ((straight["from"] < 6.0) & (straight["to"] > 6.0)).sum() == 4
    assert ((broken["from"] < 6.0) & (broken["to"] > 6.0)).sum() == 0
    with pytest.raises(ValueError, match="has no column 'stone'"):
        read_composites(told, composite=4.0, contacts="stone")


def test_what_is_no_concentration_is_left_out_and_told_unless_it_is_named(tables):
    dense = changed(tables, DENSITY=2.7)
    made = read_composites(dense, composite=2.0, least_share=0.8)
    assert made.elements == ("Au", "As", "Sb")
    assert "DENSITY was left out: it is no concentration. Name it under elements to take it." in (
        made.left_out
    )
    named = read_composites(dense, elements=["Au", "DENSITY"], composite=2.0, least_share=0.8)
    assert named.elements == ("Au", "DENSITY")


def test_a_share_just_below_the_least_is_not_rounded_up_to_it(tables):
    rows = tables["assay"].index
    made = read_composites(
        changed(tables, Sb_ppm=tables["assay"]["Sb_ppm"].where(rows > 8)),
        composite=2.0, least_share=0.776,
    )  # fmt: skip
    assert "Sb was left out: only 77.5% of the composites have it." in " ".join(made.left_out)
