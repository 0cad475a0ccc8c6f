from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gossan.report._prospect_evidence import missed_sentence, ranked_occurrences
from gossan.report._prospect_maps import shown_grid
from gossan.report._prospect_trust import field_sentence
from gossan.report._prospect_words import is_beyond_null, write_km
from gossan.report.blocks import (
    Details,
    Fact,
    Facts,
    Figure,
    Finding,
    Part,
    SceneLink,
    Table,
    Text,
)
from gossan.report.page import Report, Section, render_report, write_report
from gossan.report.prospect import ProspectFindings, prospect_report
from gossan.report.trust import TrustBox

HOSTILE = "<script>alert(1)</script>&\"'$x$"
EAST, NORTH = 300_000.0, 2_700_000.0
METHODS = {
    "distance to known": ("baseline", 0.61),
    "pathfinder index": ("label-free", 0.94),
    "logistic": ("baseline", 0.92),
    "forest": ("model", 0.93),
    "cnn 5": ("model", 0.80),
}
SHIFTS = {"fit": 0.30, "random": 0.05, "blocks": 0.0}


def make_grid() -> xr.Dataset:
    east = EAST + np.arange(1000.0, 48_000.0, 2000.0)
    north = NORTH + np.arange(1000.0, 32_000.0, 2000.0)
    x, y = np.meshgrid(east - EAST, north - NORTH)
    score = np.exp(-np.hypot(x - 20_000, y - 12_000) / 8000) + 0.3 * np.sin(x / 5000)
    is_supported = x + y < 60_000
    ranked = 100 * pd.Series(np.where(is_supported, score, np.nan).ravel()).rank(pct=True)
    rank = ranked.to_numpy().reshape(score.shape)
    target = np.where(rank > 97, 1, np.where((rank > 93) & (x > 30_000), 2, 0))
    parts = {
        "score": score,
        "percentile": rank,
        "spread": 0.05 + x / 1e6,
        "stability": np.clip(rank / 100, 0, 1),
        "edge_fraction": np.where(x < 2000, 0.4, 0.0),
        "sample_distance": y / 5,
        "label_free": np.cos(x / 9000) + y / 1e5,
        "is_supported": is_supported.astype(float),
        "target": target.astype(float),
    }
    coords = {"northing": north, "easting": east}
    return xr.Dataset({k: (("northing", "easting"), v) for k, v in parts.items()}, coords)


def make_targets(n: int = 3, **changes: object) -> pd.DataFrame:
    rows = [
        {
            "target": k + 1,
            "easting": EAST + 20_000 + 5000 * k,
            "northing": NORTH + 12_000,
            "area": 36.0 / (k + 1),
            "percentile": 99.2 - k,
            "score": 0.91 - 0.01 * k,
            "spread": 0.03,
            "stability": 0.9 - 0.5 * (k == 2),
            "edge_fraction": 0.0,
            "known_distance": 0.0 if k == 0 else 6300.0,
            "contains_known": k == 0,
            "why": "+Li +Be +Sn -Ca -Mg",
        }
        for k in range(n)
    ]
    return pd.DataFrame(rows).assign(**changes)


def make_scores(**aucs: float) -> pd.DataFrame:
    rows = []
    for protocol, shift in SHIFTS.items():
        for method, (kind, auc) in METHODS.items():
            value = min(aucs.get(method.replace(" ", "_"), auc) + shift, 0.999)
            rows.append(
                {
                    "protocol": protocol,
                    "method": method,
                    "kind": kind,
                    "auc": value,
                    "auc_low": value - 0.06,
                    "auc_high": min(value + 0.03, 1.0),
                    "auc_sd": 0.01,
                    "capture_1": 0.1,
                    "capture_5": 0.5,
                    "capture_10": 15 / 21,
                    "capture_20": 0.9,
                    "captured_10": 15,
                    "low_10": 0.478,
                    "high_10": 0.887,
                    "density_10": 7.14,
                    "pa_captured": 0.86,
                    "pa_area": 0.14,
                    "n": 21,
                    "n_runs": 3,
                }
            )
    return pd.DataFrame(rows)


def compare(against: str = "pathfinder index", **rows: tuple[float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"method": name.replace("_", " "), "against": against, "difference": d, "low": low,
             "high": high}
            for name, (d, low, high) in rows.items()
        ]
    )  # fmt: skip


TIE = compare(
    forest=(-0.01, -0.05, 0.04), cnn_5=(-0.14, -0.2, -0.07), logistic=(-0.02, -0.06, 0.02)
)
BETTER = compare(forest=(0.04, 0.01, 0.07), cnn_5=(-0.14, -0.2, -0.07))
WORSE = compare(forest=(-0.06, -0.11, -0.02), cnn_5=(-0.14, -0.2, -0.07))


def make_null(random: float = 0.76, blocks: float = 0.49, p: float = 0.048) -> pd.DataFrame:
    rows = [
        {"protocol": protocol, "method": "forest", "auc": auc, "null_mean": mean,
         "null_max": mean + 0.08, "p_value": p, "n_nulls": 20}
        for protocol, auc, mean in (("random", 0.98, random), ("blocks", 0.93, blocks))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def make_curves() -> pd.DataFrame:
    share = np.concatenate([[0.0], np.geomspace(0.001, 1, 30)])
    return pd.concat(
        [
            pd.DataFrame({"protocol": protocol, "method": name, "share": share,
                          "captured": 1 - (1 - share) ** (1 / (1 - auc))})
            for protocol in ("random", "blocks")
            for name, (_, auc) in METHODS.items()
        ]
    )  # fmt: skip


def make_known() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": ["Keshu", "Dachang", "Furong", "Zhengchong"],
            "easting": EAST + np.array([20_500.0, 24_500, 41_000, 8000]),
            "northing": NORTH + np.array([12_500.0, 9000, 4000, 25_000]),
            "camp": [1, 1, 2, 3],
            "share": [0.004, 0.08, 0.31, 0.73],
            "n_merged": [2, 1, 1, 1],
        }
    )


def everything(**changes: object) -> dict[str, Any]:
    elements = ["Li", "Be", "Sn", "Ca"]
    known = make_known()
    given: dict[str, Any] = {
        "title": "Nanling lithium",
        "kind": "Prospectivity map of a region",
        "table_names": {"samples": "samples.csv", "occurrences": "li.csv"},
        "n_samples": 1200,
        "n_cells": 3204,
        "area_km2": 12_816.0,
        "cell": 2000.0,
        "n_occurrences": 21,
        "n_merged": 2,
        "n_outside": 1,
        "elements": elements,
        "variables": ["distance to fault"],
        "units": {"Li": "ppm"},
        "recommended": "forest",
        "advice": "'forest' makes the map: it ranks held-out occurrences best.",
        "ties": ["logistic"],
        "label_free": "pathfinder index",
        "distance": "distance to known",
        "sentence": "15 of 21 held-out occurrences fall in the top 10%.",
        "scores": make_scores(),
        "comparisons": TIE,
        "curves": make_curves(),
        "null": make_null(),
        "folds_words": "blocked 5-fold, 3 repeats, blocks of 80 km",
        "leaks": ["Coordinates are among the layers."],
        "occurrence_table": known,
        "field_table": pd.DataFrame({"field": [1, 3, 9], "auc": [0.93, 0.85, 0.62]}),
        "extra": [Section("What the source brings", blocks=[Text("Much.")])],
        "grid": make_grid(),
        "occurrences": known[["name", "easting", "northing"]].assign(is_known=[True] * 3 + [False]),
        "faults": pd.DataFrame({"fault": ["A", "A", "B", "B"], "vertex": [0, 1, 0, 1],
                                "easting": EAST + np.array([0, 9e3, 2e4, 3e4]),
                                "northing": NORTH + np.array([0, 9e3, 2e4, 9e3])}),
        "targets": make_targets(),
        "targets_note": "5 areas smaller than 16 km² were left out.",
        "map_file": "map.html",
        "attribution": pd.DataFrame({"element": elements, "known": [0.8, 0.3, 0.2, -0.3],
                                     "targets": [0.6, 0.4, 0.1, -0.1]}),
        "importance": pd.DataFrame({"feature": elements, "importance": [0.2, 0.1, 0.05, 0.01]}),
        "notes": ["No geology: levelling was left out."],
        "left_out": ["Te: 80 % below detection."],
        "summary": pd.DataFrame({"element": elements, "n": 1200, "mean": 4.0, "sd": 3.0}),
        "methods": "Samples were gridded.\n\nBlocks were held out.",
        "citations": ("Carranza (2009) doi:10.1016/S1874-2734(09)70004-X",),
        "manifest": {"gossan": "0.1.0"},
    }  # fmt: skip
    return given | changes


def build(**changes: object) -> ProspectFindings:
    return ProspectFindings(**everything(**changes))


def bare(**parts: object) -> ProspectFindings:
    given = {"title": "Ridge", "table_names": {}, "n_cells": 1000, "area_km2": 4000.0,
             "n_occurrences": 10}  # fmt: skip
    return ProspectFindings(**(given | parts))  # type: ignore[arg-type]


def told(**parts: object) -> str:
    return " ".join(prospect_report(bare(**parts)).conclusion)


def blocks_of(report: Report, kind: type, section: str = "") -> list[Any]:
    found = []
    parts = [block for part in report.sections for block in part.blocks if isinstance(block, Part)]
    for part in [*report.sections, *(parts if section else [])]:
        waiting = list(part.blocks) if section in ("", part.title) else []
        while waiting:
            block = waiting.pop(0)
            waiting += block.blocks if isinstance(block, (Details, Part)) else []
            found += [block] if isinstance(block, kind) else []
    return found


def box_of(report: Report) -> TrustBox:
    (box,) = blocks_of(report, TrustBox)
    return box


def facts_of(report: Report) -> dict[str, Fact]:
    return {fact.label: fact for facts in blocks_of(report, Facts) for fact in facts.facts}


NEEDED = ("title", "table_names", "n_cells", "area_km2", "n_occurrences")
OPTIONAL = [f.name for f in dataclasses.fields(ProspectFindings) if f.name not in NEEDED]
TRUST = "How far to trust it"
MISSED = "Which known deposits it would have missed"


@pytest.fixture(scope="module")
def report() -> Report:
    return prospect_report(build())


def test_the_page_goes_from_what_to_do_to_how_it_was_done(report: Report) -> None:
    assert [section.title for section in report.sections] == [
        "Where", TRUST, "Why", "The data", "Methods"
    ]  # fmt: skip
    parts = [block.title for block in report.sections[1].blocks if isinstance(block, Part)]
    assert parts == [MISSED, "What the source brings"]
    assert report.kind == "Prospectivity map of a region"
    assert report.subtitle == (
        "1,200 samples, 4 elements, 1 other layer, 3,204 supported cells of 2 km, 23 known"
        " occurrences in 21 cells; 12,816 km²"
    )


def test_a_page_of_nothing_says_so() -> None:
    found = prospect_report(bare())
    assert ([part.title for part in found.sections], found.cards) == ([TRUST], [])
    assert found.conclusion == ["Nothing was concluded: the run holds no targets and no scores."]
    render_report(found)


@pytest.mark.parametrize("name", OPTIONAL)
def test_each_part_alone_makes_a_page(name: str) -> None:
    part = {name: everything()[name]} if name in everything() else {}
    render_report(prospect_report(bare(**part)))


LIGHT: dict[str, Any] = {"grid": None, "importance": None}


@pytest.mark.parametrize(
    "name", ["scores", "targets", "null", "comparisons", "curves", "occurrence_table", "attribution",
             "occurrences", "field_table"])  # fmt: skip
def test_each_part_may_be_missing(name: str) -> None:
    render_report(prospect_report(build(**LIGHT | {name: None})))


@pytest.mark.parametrize("name", ["percentile", "spread", "target", "is_supported", "label_free"])
def test_a_layer_of_the_grid_may_be_missing(name: str) -> None:
    found = prospect_report(bare(grid=make_grid().drop_vars(name), targets=make_targets()))
    assert blocks_of(found, Figure, "Where")[0].title == "Rank of the ground"


def test_a_grid_without_ranks_or_scores_is_not_drawn() -> None:
    grid = make_grid()[["spread", "is_supported"]]
    assert blocks_of(prospect_report(bare(grid=grid)), Figure) == []


def test_figures_have_words_for_those_who_do_not_see_them(report: Report) -> None:
    figures = blocks_of(report, Figure)
    assert len({figure.title for figure in figures}) == len(figures) == 8
    assert all(len(figure.alt) > 40 for figure in figures)


# What to do


def test_the_lead_says_how_much_ground_the_targets_cover_and_where_the_first_lies() -> None:
    lead, following = prospect_report(bare(targets=make_targets())).conclusion[:2]
    assert lead == (
        "Two targets on new ground deserve a look: 30 km², 0.75 % of the supported 4,000 km²; the"
        " first, target 2, lies at 325,000 E, 2,712,000 N, 6.3 km from the nearest known occurrence."
    )
    assert following == (
        "One more (36 km²) holds a known occurrence, which the map was taught: it shows where it"
        " learned, not what it can find."
    )


@pytest.mark.parametrize(
    ("contains", "words"),
    [
        (
            [True] * 3,
            (
                "Three targets stand out, each round a known occurrence: 66 km², 1.6 % of the"
                " supported 4,000 km²; the map finds no new ground."
            ),
        ),
        ([False] * 3, "Three targets on new ground deserve a look: 66 km²"),
        (
            [True, True, False],
            (
                "One target on new ground deserves a look: 12 km², 0.3 % of the"
                " supported 4,000 km²; it lies at 330,000 E, 2,712,000 N, 6.3 km"
            ),
        ),
    ],
)
def test_targets_on_known_ground_are_told_from_new_ones(contains: list[bool], words: str) -> None:
    assert words in told(targets=make_targets(contains_known=contains))


def test_a_target_nearer_to_what_is_known_than_it_is_wide_is_no_new_ground() -> None:
    # 36, 18 and 12 km2 are 6, 4.2 and 3.5 km wide.
    near = make_targets(known_distance=[0.0, 4200.0, 1300.0])
    page = prospect_report(bare(targets=near))
    assert page.conclusion[0].startswith("Two targets beside known ground deserve a look: 30 km²")
    assert [card.title.partition(" · ")[2] for card in page.cards] == [
        "beside known ground", "beside known ground", "known ground",
    ]  # fmt: skip
    far = make_targets(known_distance=[0.0, 4300.0, 1300.0])
    assert prospect_report(bare(targets=far)).conclusion[0].startswith("Two targets on new ground")


def test_a_study_without_a_map_does_not_speak_of_one() -> None:
    words = "Labels dealt anew to the sites."
    page = prospect_report(
        bare(n_cells=0, n_background=3000, area_km2=0.0, scores=make_scores(), null_words=words,
             recommended="logistic", occurrence_table=make_known(), curves=make_curves(),
             null=make_null())
    )  # fmt: skip
    text = " ".join(
        [*page.conclusion, *(part.intro for part in page.sections)]
        + [figure.caption for figure in blocks_of(page, Figure)]
        + [table.note for table in blocks_of(page, Table)]
    )
    assert missed_sentence(make_known(), has_map=False).startswith("By models taught without them")
    assert words in text
    assert "% of the area" not in text
    assert "made the map" not in text
    assert "over the map" not in text


def test_targets_of_whose_ground_nothing_is_known_are_told_together() -> None:
    table = make_targets().drop(columns="contains_known")
    assert told(targets=table).startswith(
        "Three targets deserve a look: 66 km², 1.6 % of the supported 4,000 km²; the first, target 1,"
    )


def test_a_known_occurrence_that_was_not_taught_was_found() -> None:
    words = told(targets=make_targets(), scores=make_scores(), recommended="pathfinder index")
    assert "One more (36 km²) holds a known occurrence, which the map was not taught." in words


def test_that_a_map_is_no_better_than_chance_is_said_before_its_targets() -> None:
    null = make_null(blocks=0.9, p=0.4)
    words = told(targets=make_targets(), scores=make_scores(), recommended="forest", null=null)
    assert words.startswith("The map cannot be told from chance")


def test_without_a_target_the_lead_says_so() -> None:
    assert told(targets=make_targets()[:0]).startswith("No target stands out:")


def test_targets_larger_than_the_area_are_refused() -> None:
    in_square_metres = make_targets(area=36e6)
    with pytest.raises(ValueError, match="Give their `area` in km², not in m²"):
        bare(targets=in_square_metres)


def test_given_sentences_replace_the_written_ones() -> None:
    assert prospect_report(build(conclusion=["Walk here."])).conclusion == ["Walk here."]


# How far to trust it


@pytest.mark.parametrize(
    ("comparisons", "used", "words"),
    [
        (TIE, "forest", ("A simple method ties: forest cannot be told from pathfinder index (which needs"
         " no labels); it differs by −0.01 AUC, 95 % interval −0.05 to +0.04.")),
        (BETTER, "forest", ("Forest beats the best simple method, pathfinder index (which needs no"
         " labels), by +0.04 AUC, 95 % interval +0.01 to +0.07.")),
        (WORSE, "forest", ("A simple method wins: pathfinder index (which needs no labels) does better"
         " than forest by +0.06 AUC, 95 % interval +0.02 to +0.11. Use its map.")),
        (TIE, "pathfinder index", ("A simple method is enough: no model beats pathfinder index (which"
         " needs no labels) beyond the interval; the best of them, forest, differs by −0.01 AUC, 95 %"
         " interval −0.05 to +0.04. So it makes the map.")),
        (WORSE, "pathfinder index", "A simple method wins: no model reaches pathfinder index"),
        (TIE, "logistic", "Logistic cannot be told from pathfinder index and makes the map."),
        (BETTER, "pathfinder index", "Forest beats the best simple method, pathfinder index"),
        (compare(forest=(0.1, np.nan, np.nan)), "forest", ("whether that is more than luck is not"
         " known")),
    ],
)  # fmt: skip
def test_where_a_simple_method_wins_or_ties_the_conclusion_says_so(
    comparisons: pd.DataFrame, used: str, words: str
) -> None:
    assert words in told(scores=make_scores(), comparisons=comparisons, recommended=used)


def test_the_five_numbers_stand_side_by_side_and_the_fit_is_no_evidence(report: Report) -> None:
    box, first = box_of(report), blocks_of(report, Facts)[0].facts
    assert [(fact.value, fact.label) for fact in first[:3]] == [
        ("1.00", "AUC on what it was taught"),
        ("0.61", "AUC of distance to known"),
        ("0.94", "AUC of pathfinder index"),
    ]
    assert first[0].detail == "fitting rate, not evidence"
    assert (box.published.value, box.published.label) == ("0.98", "AUC, random cross-validation")
    told = "invalid here: fake patterns score 0.76"
    assert (box.published.tone, box.published.detail) == ("error", told)
    assert (box.honest.value, box.honest.label) == ("0.93", "AUC, whole blocks held out")
    assert (box.honest.tone, first[2].tone) == ("good", "warning")
    assert "95 % interval 0.87 to 0.96" in box.honest.detail
    assert (box.gap.value, box.gap.tone) == ("+0.05", "plain")  # 0.98 less 0.93 is not above 0.05
    assert (box.baseline.value, box.baseline.tone) == ("0.94", "warning")
    assert box.baseline.detail.startswith("pathfinder index, whole blocks held out")


def test_a_method_without_labels_has_no_fitting_rate() -> None:
    found = prospect_report(build(**LIGHT, recommended="pathfinder index"))
    assert "AUC on what it was taught" not in facts_of(found)
    assert "AUC of pathfinder index" not in facts_of(found)  # the box has it
    box = box_of(found)
    assert "invalid here: fake patterns score 0.76 with forest" in box.published.detail
    assert box.baseline.detail.endswith("pathfinder index, which made the map, is simple too")


def test_capture_nulls_and_prevalence_are_told(report: Report) -> None:
    facts = facts_of(report)
    inside = facts["Held-out occurrences in the best 10 % of the area"]
    assert (inside.value, inside.detail) == (
        "15 of 21", "71 %; 95 % interval 48 to 89 %; 7.1 times chance"
    )  # fmt: skip
    box = box_of(report)
    assert box.null.label == "AUC of fake patterns, whole blocks held out"
    assert (box.null.value, box.null.detail) == ("0.49", "highest 0.57; p = 0.048; 20 patterns")
    assert box.prevalence.label == "Supported cells with a known occurrence"
    assert box.prevalence.value == "1 in 153"
    assert facts["Normalised density at the P-A point"].value == "6.1"


def test_random_cross_validation_that_finds_fakes_is_called_invalid(report: Report) -> None:
    words = (
        "Random cross-validation is invalid here: fake patterns of the same clustering score 0.76 under"
        " it with forest, where 0.5 is right. Do not quote its figures."
    )
    assert words in report.conclusion
    assert Finding("warning", words) in blocks_of(report, Finding, TRUST)
    assert build().random_null_invalid
    quiet = build(null=make_null(random=0.6))
    assert not quiet.random_null_invalid
    assert "invalid" not in " ".join(prospect_report(quiet).conclusion)


def test_a_map_no_better_than_fakes_is_not_to_be_drilled() -> None:
    words = told(scores=make_scores(), recommended="forest", null=make_null(blocks=0.9, p=0.4))
    assert "The map cannot be told from chance" in words
    assert "score up to 0.98 where the real ones score 0.93 (p = 0.4)" in words


def test_few_fakes_must_all_score_lower() -> None:
    few = {"auc": 0.8, "p_value": 0.17}
    assert is_beyond_null(pd.Series(few | {"null_max": 0.7})) is True
    assert is_beyond_null(pd.Series(few | {"null_max": 0.81})) is False
    assert is_beyond_null(None) is None


def test_without_a_sentence_the_skill_is_written_from_the_scores() -> None:
    assert (
        "With whole blocks held out, forest ranks a known occurrence above unlabelled ground in 93 of"
        " 100 pairs (AUC 0.93, 95 % interval 0.87 to 0.96; a coin gets 50)."
    ) in told(scores=make_scores(), recommended="forest")


def test_a_map_that_was_never_tested_says_so() -> None:
    scores = make_scores()
    words = told(targets=make_targets(), scores=scores[scores["protocol"] != "blocks"])
    assert "was not tested on ground that it never saw" in words


def test_fitting_rates_are_not_drawn_and_random_folds_are_open(report: Report) -> None:
    svg = next(f for f in blocks_of(report, Figure) if f.title.startswith("Every method")).svg
    assert "random cross-validation" in svg
    assert "fitted" not in svg


def test_curves_speak_of_occurrences_and_of_the_supported_area(report: Report) -> None:
    figure = next(f for f in blocks_of(report, Figure) if f.title.startswith("How many"))
    assert "Held-out occurrences within it [%]" in figure.svg
    assert "Best-scored area [% of the supported area, log scale]" in figure.svg
    assert "interval" not in figure.caption  # none was given
    assert set(figure.data["protocol"]) == {"blocks"}


def test_the_interval_of_the_curve_is_drawn_and_told() -> None:
    curves = make_curves().assign(captured_low=lambda c: 0.8 * c["captured"], captured_high=1.0)
    findings = bare(curves=curves, recommended="forest")
    (figure,) = blocks_of(prospect_report(findings), Figure)
    assert 'id="band"' in figure.svg
    assert "with the 95 % interval of each share" in figure.caption


def test_tables_of_scores_name_protocols_shortly_and_say_what_they_mean(report: Report) -> None:
    table = next(t for t in blocks_of(report, Table) if t.title == "All scores")
    assert set(table.frame["protocol"]) == {"fit", "random", "blocks"}
    assert "blocks: whole blocks held out" in table.note
    assert ("71 %", repr(15 / 21)) in table.rows[0]


def test_many_methods_are_drawn_as_far_as_colours_tell_them_apart() -> None:
    curves = pd.concat([make_curves().assign(method=f"m{k}") for k in range(12)])
    found = prospect_report(bare(curves=pd.concat([make_curves(), curves])))
    assert "9 more in the CSV." in blocks_of(found, Figure)[0].caption


def test_ties_that_the_advice_names_are_not_told_twice() -> None:
    advice = "'forest' makes the map; 'logistic' cannot be told from it."
    found = prospect_report(build(**LIGHT, advice=advice))
    notes = [f.message for f in blocks_of(found, Finding, TRUST) if "makes the map;" in f.message]
    assert notes == [advice]
    found = prospect_report(build(**LIGHT))
    assert any(
        f.message.endswith("Logistic cannot be told from forest on what was held out.")
        for f in blocks_of(found, Finding, TRUST)
    )


def test_a_larger_window_must_earn_its_place() -> None:
    table = pd.DataFrame({"field": [3, 1], "auc": [0.95, 0.93]})
    assert field_sentence(table) == "3 x 3 cells get 0.95, a single cell 0.93 (+0.02)."
    assert field_sentence(table[1:]) == ""


# Which it would have missed


def test_known_occurrences_stand_with_the_worst_missed_first(report: Report) -> None:
    table = blocks_of(report, Table, MISSED)[0].frame
    assert table["name"].tolist() == ["Zhengchong", "Furong", "Dachang", "Keshu"]
    assert table["rank"].tolist() == ["lower half", "best 50 %", "best 10 %", "best 1 %"]
    assert table["n_merged"].tolist() == [1, 1, 1, 2]
    intro = next(
        b.intro for b in report.sections[1].blocks if isinstance(b, Part) and b.title == MISSED
    )
    assert intro == (
        "On maps made without them, 2 of 4 known occurrences lie in the best 10 % of the area and 2 are"
        " missed; 1 lies even in the lower half: Zhengchong."
    )


def test_given_words_for_a_rank_are_kept_and_lone_occurrences_are_not_counted() -> None:
    table = make_known().assign(rank="so so", n_merged=1)
    ranked = ranked_occurrences(table)
    assert set(ranked["rank"]) == {"so so"}
    assert "n_merged" not in ranked
    assert missed_sentence(ranked[1:]).endswith("none lies in the lower half.")


# Cards and maps


def test_a_card_tells_place_rank_reasons_and_doubts(report: Report) -> None:
    first, second, last = report.cards
    assert (first.title, first.verdict) == ("Target 2 · new ground", "18 km²")
    assert first.lines == [
        "325,000 E, 2,712,000 N",
        "Its best cell ranks in the best 1.8 % of the area",
        "Why: +Li +Be +Sn −Ca −Mg",
        "Score 0.90 ± 0.03",
        "Among the best ground in 90 % of the runs",
        "Nearest known occurrence 6.3 km away",
    ]
    assert first.findings == []
    assert second.findings[0].severity == "warning"
    assert last.title == "Target 1 · known ground"  # new ground stands before it
    assert "its rank is no test" in last.findings[0].message


def test_names_of_layers_are_written_for_reading() -> None:
    targets = make_targets(why="+fault_distance 0.17, -Ca 0.1", stability=1.0)
    card = prospect_report(bare(targets=targets)).cards[0]
    assert "Why: +fault distance 0.17, −Ca 0.1" in card.lines
    assert "Among the best ground in every run" in card.lines


def test_contributions_are_written_with_their_signs() -> None:
    why = [{"Li": 1.24, "Ca": -0.4}] * 3
    card = prospect_report(bare(targets=make_targets(why=why))).cards[0]
    assert "Why: Li +1.2, Ca −0.4" in card.lines


@pytest.mark.parametrize(("n", "shown"), [(1, 1), (3, 3), (4, 3), (6, 6), (40, 6)])
def test_cards_fill_whole_rows(n: int, shown: int) -> None:
    assert len(prospect_report(bare(targets=make_targets(n))).cards) == shown


def test_the_map_bears_occurrences_targets_faults_and_a_link_to_explore_it(report: Report) -> None:
    assert [(link.file, link.title) for link in blocks_of(report, SceneLink)] == [
        ("map.html", "Open the map")
    ]
    figure = blocks_of(report, Figure, "Where")[0]
    for part in ("occurrences", "faults", "target"):
        assert f'id="{part}"' in figure.svg, part
    for word in (
        "Known occurrences (3)",
        "Hidden from all methods (1)",
        "Faults (2)",
        "Targets (1)",
    ):
        assert word in figure.svg, word


def test_targets_without_cells_of_their_own_bear_their_numbers() -> None:
    found = prospect_report(bare(grid=make_grid().drop_vars("target"), targets=make_targets()))
    svg = blocks_of(found, Figure, "Where")[0].svg
    assert svg.count('id="target"') == 3
    assert 'id="outline"' not in svg


def test_ranks_may_be_shares_and_ground_without_support_is_blank() -> None:
    grid = make_grid()
    is_off = grid["is_supported"].to_numpy() == 0
    shares = grid.assign(percentile=grid["percentile"] / 100)
    # Scores off the support are high here: they must take part in no rank.
    scores = grid.drop_vars("percentile").assign(score=grid["score"].where(~is_off, 9.0))
    for given in (grid, shares, scores):
        shown = shown_grid(bare(grid=given))
        assert shown is not None
        np.testing.assert_allclose(shown["percentile"], grid["percentile"])
        assert np.isnan(shown["percentile"].to_numpy()[is_off]).all()
    assert float(grid["sample_distance"].max()) == 31_000.0 / 5  # the caller's grid is unchanged


def test_a_layer_that_says_one_thing_is_no_map() -> None:
    found = prospect_report(bare(grid=make_grid().assign(edge_fraction=lambda g: 0 * g["score"])))
    figure = next(f for f in blocks_of(found, Figure) if f.title.startswith("How sure"))
    named = re.findall(r"(?::| and) ([a-z ]+), median", figure.alt)
    assert named == ["spread of the score", "stability", "distance to samples"]


def test_the_map_without_labels_is_not_shown_beside_itself() -> None:
    findings = bare(grid=make_grid(), recommended="index", label_free="index")
    names = [figure.title for figure in blocks_of(prospect_report(findings), Figure)]
    assert "Rank of the ground" in names
    assert "Beside a map without labels" not in names


def test_distances_are_written_for_reading() -> None:
    assert [write_km(d) for d in (0.0, 999.4, 999.6, 4200.0, 99_600.0)] == [
        "0 m", "999 m", "1 km", "4.2 km", "100 km"
    ]  # fmt: skip


def test_the_data_tell_what_does_not_count_on_its_own(report: Report) -> None:
    notes = [finding.message for finding in blocks_of(report, Finding, "The data")]
    assert notes == [
        "2 occurrences share a cell with another: a cell counts once, so that 21 are left.",
        "1 occurrence lies off the supported area and neither taught nor tested anything.",
        "No geology: levelling was left out.",
        "Left out: Te: 80 % below detection.",
    ]


def test_how_tables_became_layers_is_told_with_the_data() -> None:
    found = prospect_report(bare(data_notes=["Inverse distances."], notes=["No model."]))
    told = [f.message for f in blocks_of(found, Finding, "The data")]
    assert told == ["Inverse distances.", "No model."]


def test_a_study_without_a_map_says_so_and_what_to_add() -> None:
    found = prospect_report(bare(n_cells=0, area_km2=0.0, n_background=2100, n_occurrences=21))
    (words,) = blocks_of(found, Text, "Where")
    assert words.text.startswith("There is no map: the study was given tables")
    assert 'rasters = ["evidence/*.tif"] under [map]' in words.text
    assert box_of(found).prevalence.value == "1 to 100"


def test_acronyms_of_methods_are_written_as_a_reader_knows_them() -> None:
    scores = make_scores().replace({"method": {"forest": "balanced svm"}})
    found = prospect_report(
        bare(scores=scores, recommended="balanced svm", advice="'balanced svm' is the simplest.",
             leaks=["With balanced svm all is known."], notes=["No svms here."])
    )  # fmt: skip
    words = " ".join([*found.conclusion, *(f.message for f in blocks_of(found, Finding))])
    assert "balanced SVM ranks a known occurrence" in words
    assert "'balanced SVM' is the simplest." in words
    assert "With balanced SVM all is known." in words
    assert "balanced svm" not in words
    assert "No svms here." in words


# Words from strangers


def test_no_word_of_a_table_becomes_markup(tmp_path: Path) -> None:
    known = make_known().assign(name=HOSTILE, camp=HOSTILE)
    scores = make_scores().replace({"method": {"forest": HOSTILE}})
    findings = build(
        title=HOSTILE,
        kind=HOSTILE,
        recommended=HOSTILE,
        label_free=HOSTILE,
        advice=HOSTILE,
        ties=[HOSTILE, "a"],
        scores=scores,
        comparisons=TIE.replace({"forest": HOSTILE}),
        null=make_null().assign(method=HOSTILE),
        curves=make_curves().replace({"method": {"forest": HOSTILE}}),
        occurrence_table=known,
        targets=make_targets(target=HOSTILE, why=HOSTILE),
        grid=make_grid().drop_vars("target"),
        attribution=everything()["attribution"].assign(element=HOSTILE),
        notes=[HOSTILE],
        leaks=[HOSTILE],
        targets_note=HOSTILE,
        table_names={HOSTILE: HOSTILE},
    )
    page = write_report(tmp_path / "report.html", prospect_report(findings)).read_text("utf-8")
    without_script = re.sub(r"<script>.*?</script>\s*</body>", "", page, flags=re.DOTALL)
    assert "<script>alert" not in without_script
    assert "&lt;script&gt;alert(1)" in without_script
