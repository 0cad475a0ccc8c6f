from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gossan.geostat.covariance import Structure, VariogramModel
from gossan.report._deposit_cards import plain_reasons
from gossan.report._deposit_maps import _first_collars, best_place, planned_traces, score_norm
from gossan.report._deposit_words import write_volume
from gossan.report.blocks import Details, Figure, Finding, Part, SceneLink, Table
from gossan.report.deposit import DepositFindings, deposit_report
from gossan.report.page import Report, render_report, write_report
from gossan.report.trust import TrustBox

HOSTILE = "<script>alert(1)</script>&\"'$x$"
EAST, NORTH = 604_000.0, 3_862_000.0
METHODS = {
    "kriged ore": ("baseline", 0.78),
    "distance to fault": ("baseline", 0.83),
    "boosted trees": ("baseline", 0.80),
    "maxent": ("model", 0.84),
    "STOAD": ("model", 0.71),
}
SHIFTS = {"paper": 0.14, "holes": 0.0, "depth": -0.08}
LEAKS = {
    "paper": ["L1 support: cells share samples", "L9 faults: drawn from the same holes"],
    "holes": ["L9 faults: drawn from the same holes"],
    "depth": [],
}


def make_grid() -> xr.Dataset:
    coords = {
        "elevation": np.arange(2110.0, 2700.0, 20.0),
        "northing": NORTH + np.arange(10.0, 700.0, 20.0),
        "easting": EAST + np.arange(10.0, 900.0, 20.0),
    }
    blank = xr.DataArray(np.zeros([len(c) for c in coords.values()]), coords, tuple(coords))
    east, north = blank["easting"] - EAST, blank["northing"] - NORTH
    up = blank["elevation"] - 2100
    fault = np.abs(east - 300 - 0.4 * up + 0.2 * north) / 1.1 + blank
    near = np.hypot(np.hypot(east - 420, north - 250), up - 300) + blank
    rank = (-fault - 0.3 * near).where(up < 540 + 30 * np.sin(east / 150))
    score = rank.copy(
        data=pd.Series(rank.to_numpy().ravel()).rank(pct=True).to_numpy().reshape(rank.shape)
    )
    target = xr.where(score > 0.99, 1, 0) + xr.where((score > 0.97) & (near > 330), 2, 0)
    target = xr.where(target == 3, 1, target)
    parts = {
        "score": score,
        "target": target.where(np.isfinite(score), 0),
        "spread": (0.1 + 0.0003 * near).where(np.isfinite(score)),
        "fault_distance": fault,
        "sample_distance": near.where(np.isfinite(score)),
        "is_extrapolated": (near > 150).astype(float),
    }
    return xr.Dataset({name: part.transpose(*coords) for name, part in parts.items()})


def make_traces() -> pd.DataFrame:
    rows = []
    for number in range(12):
        depth = np.arange(0, 320.0, 20.0)
        rows.append(
            pd.DataFrame(
                {
                    "hole": f"ZK{number:03d}",
                    "depth": depth,
                    "easting": EAST + 250 + 30 * number + 0.4 * depth,
                    "northing": NORTH + 150 + 17 * number,
                    "elevation": 2650 - 0.9 * depth,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def make_targets(n: int = 2, **changes: object) -> pd.DataFrame:
    rows = [
        {
            "target": k + 1,
            "level": "high" if k == 0 else "medium",
            "n_cells": 120,
            "volume": 960_000.0 / (k + 1),
            "easting": EAST + 420 + 90 * k,
            "northing": NORTH + 250 + 40 * k,
            "elevation": 2400.0 - 80 * k,
            "west": EAST + 380,
            "east": EAST + 470,
            "south": NORTH + 200,
            "north": NORTH + 300,
            "bottom": 2360.0 - 90 * k,
            "top": 2480.0 - 90 * k,
            "score": 0.993 - 0.01 * k,
            "score_p10": 0.985 - 0.01 * k,
            "score_p90": 0.999 - 0.01 * k,
            "spread": 0.02,
            "agreement": 0.667,
            "sample_distance": 42.0 + 80 * k,
            "is_extrapolated": k > 0,
            "why": "ore_grade above 98.7% of cells, fault_distance below 97.5% of cells",
        }
        for k in range(n)
    ]
    return pd.DataFrame(rows).assign(**changes)


def make_collars() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target": [1, 2],
            "easting": [EAST + 300, np.nan],
            "northing": [NORTH + 180, np.nan],
            "elevation": [2640.0, np.nan],
            "azimuth": [61.0, np.nan],
            "dip": [-60.0, -60.0],
            "length": [312.0, np.nan],
        }
    )


def make_scores(**aucs: float) -> pd.DataFrame:
    rows = []
    for protocol, shift in SHIFTS.items():
        for method, (kind, auc) in METHODS.items():
            value = min(aucs.get(method.replace(" ", "_"), auc) + shift, 0.995)
            rows.append(
                {
                    "protocol": protocol,
                    "method": method,
                    "kind": kind,
                    "auc": value,
                    "auc_low": value - 0.05,
                    "auc_high": min(value + 0.04, 1.0),
                    "auc_sd": 0.01,
                    "ap": value / 2,
                    "capture_0.2": 0.01,
                    "capture_1": 0.06,
                    "capture_5": 0.26,
                    "enrichment_1": 6.0,
                    "prevalence": 0.14,
                    "f1_all_ore": 0.246,
                    "n": 2200,
                    "n_ore": 300,
                    "n_folds": 5,
                    "n_seeds": 3,
                }
            )
    return pd.DataFrame(rows)


def compare(**differences: tuple[float, float, float]) -> pd.DataFrame:
    rows = [
        {"protocol": "holes", "method": name, "best_baseline": "distance to fault",
         "difference": d, "low": low, "high": high}
        for name, (d, low, high) in differences.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


TIE = compare(maxent=(0.01, -0.04, 0.06), STOAD=(-0.12, -0.18, -0.07))
BETTER = compare(maxent=(0.06, 0.01, 0.1), STOAD=(-0.12, -0.18, -0.07))
WORSE = compare(maxent=(-0.05, -0.09, -0.01), STOAD=(-0.12, -0.18, -0.07))


def make_curves() -> pd.DataFrame:
    share = np.concatenate([[0.0], np.geomspace(0.001, 1, 30)])
    return pd.concat(
        [
            pd.DataFrame({"protocol": protocol, "method": name, "share": share,
                          "captured": 1 - (1 - share) ** (1 / (1 - auc))})
            for protocol in ("paper", "holes")
            for name, (_, auc) in METHODS.items()
        ]
    )  # fmt: skip


def make_fractal() -> dict[str, Any]:
    value = np.geomspace(1, 3000, 60)
    curve = pd.DataFrame({"value": value, "volume": 1e8 * value**-1.2})
    breaks = pd.DataFrame({"name": ["outer", "middle", "inner"], "value": [10.0, 85.0, 900.0],
                           "low": [8.0, 60.0, 700.0], "high": [13.0, 110.0, np.nan]})  # fmt: skip
    return {"curve": curve.assign(fitted=curve["volume"] * 1.02), "breaks": breaks, "unit": "ppb",
            "on": "cells"}  # fmt: skip


def make_variogram() -> dict[str, Any]:
    lag = np.linspace(10, 200, 9)
    model = VariogramModel(0.2, Structure("spherical", 0.8, (120.0, 120.0, 60.0)))
    table = pd.DataFrame({"lag": lag, "semivariance": np.minimum(lag / 120, 1), "n_pairs": 200})
    return {"experimental": table, "model": model, "is_trusted": False, "reasons": ["few lags"]}


def everything(**changes: object) -> dict[str, Any]:
    traces = make_traces()
    composites = traces.rename(columns={"depth": "from"}).assign(
        Au=np.linspace(1, 2500, len(traces))
    )
    elements = ["Au", "As", "Sb", "Hg", "W"]
    given: dict[str, Any] = {
        "title": "North ridge, gold",
        "table_names": {"collar": "collar.csv", "assay": "assay.csv"},
        "n_holes": 12,
        "n_composites": len(composites),
        "elements": elements,
        "ore": "Au",
        "cutoff": 1000.0,
        "units": {"Au": "ppb", "Hg": "ppb"},
        "composite_length": 10.0,
        "n_cells": 38_000,
        "cell": (20.0, 20.0, 20.0),
        "rule": "ore where the nearest composite holds 1,000 ppb or more.",
        "recommended": "distance to fault",
        "advice": "No model beats the distance to faults, so that was taken.",
        "scores": make_scores(),
        "comparisons": TIE,
        "folds": pd.DataFrame({"protocol": "holes", "fold": [0, 1], "method": "maxent", "seed": 0,
                               "n": 400, "prevalence": 0.14, "auc": [0.8, 0.88], "ap": 0.4}),
        "curves": make_curves(),
        "null": pd.DataFrame({"protocol": ["holes"], "method": ["distance to fault"], "auc": [0.83],
                              "null_mean": [0.52], "null_max": [0.66], "p_value": [0.048],
                              "n_nulls": [20]}),
        "leaks": LEAKS,
        "fractal": {"Au": make_fractal()},
        "zoning": pd.DataFrame({"element": elements, "rank": [3, 2, 1, 4, 5],
                                "level": [2400.0, 2500, 2550, 2380, 2200],
                                "centre": [2410.0, 2480, 2500, 2390, 2260]}),
        "zoning_note": "Antimony above, tungsten below.",
        "loadings": pd.DataFrame({"element": elements, "factor_1": [0.1, 0.3, 0.9, 0.8, -0.6],
                                  "factor_2": [0.9, 0.2, 0.0, 0.1, 0.1]}),
        "factor": "factor_1",
        "factor_note": "Chosen by Sb and Hg.",
        "variogram": {"ln Au": make_variogram()},
        "indicators": pd.DataFrame({"name": ["ore_grade", "fault_distance"],
                                    "meaning": ["kriged gold", "distance to the nearest fault"]}),
        "notes": ["No cobalt: the tail is W alone."],
        "grid": make_grid(),
        "composites": composites,
        "traces": traces,
        "targets": make_targets(),
        "collars": make_collars(),
        "targets_note": "2 bodies smaller than 20,000 m³ were left out.",
        "scene": "view3d.html",
        "changes": pd.DataFrame({"table": ["assay"], "row": [17], "what": ["overlap cut"]}),
        "left_out": ["3 intervals without any assay."],
        "summary": pd.DataFrame({"element": elements, "n": 192, "below_detection": 3, "mean": 4.0,
                                 "median": 2.0, "sd": 3.0, "cv": 0.75}),
        "truth": pd.DataFrame({"body": ["A", "B"], "is_blind": [False, True],
                               "is_hit": [True, False], "hit_by": [1.0, np.nan],
                               "volume": [4e5, 5e5]}),
        "methods": "Holes were desurveyed.\n\nIndicators were kriged.",
        "citations": ("Yu, Z. et al. (2022) doi:10.3390/min12111382",),
        "manifest": {"gossan": "0.1.0"},
    }  # fmt: skip
    return given | changes


def build_findings(**changes: object) -> DepositFindings:
    return DepositFindings(**everything(**changes))


NEEDED = [
    field.name
    for field in dataclasses.fields(DepositFindings)
    if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
]
OPTIONAL = [f.name for f in dataclasses.fields(DepositFindings) if f.name not in NEEDED]


def bare(**parts: object) -> DepositFindings:
    given = {"title": "Ridge", "table_names": {}, "n_holes": 12, "n_composites": 240,
             "elements": ["Au", "As"], "ore": "Au", "cutoff": 1.0}  # fmt: skip
    return DepositFindings(**(given | parts))  # type: ignore[arg-type]


def told(**parts: object) -> str:
    return " ".join(deposit_report(bare(**parts)).conclusion)


def blocks_of(report: Report, kind: type) -> list[Any]:
    found = []
    for section in report.sections:
        waiting = list(section.blocks)
        while waiting:
            block = waiting.pop(0)
            if isinstance(block, (Details, Part)):
                waiting += block.blocks
            if isinstance(block, kind):
                found.append(block)
    return found


def box_of(report: Report) -> TrustBox:
    (box,) = blocks_of(report, TrustBox)
    return box


def titles(report: Report, section: str, kind: type) -> list[str]:
    part = next(s for s in report.sections if s.title == section)
    return [block.title for block in part.blocks if isinstance(block, kind)]


@pytest.fixture(scope="module")
def report() -> Report:
    return deposit_report(build_findings())


def test_sections_stand_in_the_order_of_a_geologists_questions(report: Report) -> None:
    assert [section.title for section in report.sections] == [
        "Targets", "How far to trust it", "Why", "The data", "Methods"
    ]  # fmt: skip
    assert report.subtitle == (
        "12 drill holes, 192 samples of 10 m, 5 elements; ore is Au of 1,000 ppb or more"
    )


def test_a_page_of_nothing_says_so() -> None:
    found = deposit_report(bare())
    assert [section.title for section in found.sections] == ["How far to trust it"]
    assert found.cards == []
    assert found.conclusion == ["Nothing was concluded: the run holds no targets and no scores."]
    render_report(found)


@pytest.mark.parametrize("name", OPTIONAL)
def test_each_part_alone_makes_a_page(name: str) -> None:
    render_report(
        deposit_report(bare(**{name: everything()[name]} if name in everything() else {}))
    )


LIGHT: dict[str, Any] = {"grid": None, "variogram": {}, "zoning": None}


@pytest.mark.parametrize("name", ["scores", "targets", "collars", "traces", "composites", "null",
                                  "comparisons", "indicators", "curves"])  # fmt: skip
def test_each_part_may_be_missing(name: str) -> None:
    render_report(deposit_report(build_findings(**LIGHT | {name: None})))


@pytest.mark.parametrize("layer", ["target", "spread", "fault_distance", "sample_distance"])
def test_a_layer_of_the_grid_may_be_missing(layer: str) -> None:
    found = deposit_report(bare(grid=make_grid().drop_vars(layer)))
    best = "score" if layer == "target" else "target"
    assert f"Sections through the best {best}" in titles(found, "Targets", Figure)


def test_figures_have_words_for_those_who_do_not_see_them(report: Report) -> None:
    figures = blocks_of(report, Figure)
    assert len({figure.title for figure in figures}) == len(figures)
    assert all(len(figure.alt) > 40 for figure in figures)


# The conclusion


def test_the_lead_says_how_many_targets_there_are_and_where_the_best_lies() -> None:
    lead = deposit_report(bare(targets=make_targets())).conclusion[0]
    assert lead == (
        "Two targets stand out; the best lies at 604,420 E, 3,862,250 N, 2,360 to 2,480 m elevation,"
        " about 42 m from the nearest sample."
    )


def test_one_target_is_not_called_the_best_of_one() -> None:
    lead, reach, *_ = deposit_report(bare(targets=make_targets(1))).conclusion
    assert lead.startswith("One target stands out; it lies at 604,420 E")
    assert reach.startswith("It lies within reach of samples")


def test_without_a_target_the_lead_says_so() -> None:
    assert deposit_report(bare(targets=make_targets()[:0])).conclusion[0] == (
        "No target stands out: no body of rock is large enough and scores high enough."
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([False, True], "1 of the 2 (33 % of their volume) is extrapolation"),
        ([False, False], "none is extrapolation alone"),
        ([True, True], "All of this is extrapolation"),
    ],
)
def test_the_conclusion_tells_how_much_is_extrapolation(flags: list[bool], words: str) -> None:
    assert words in told(targets=make_targets(is_extrapolated=flags))


def test_the_skill_is_that_of_unseen_holes_and_of_the_rock_below_them() -> None:
    words = told(scores=make_scores(), recommended="distance to fault")
    assert (
        "In drill holes that it never saw, distance to fault ranks ore above barren rock in 83 of 100"
        " pairs (AUC 0.83, 95 % interval 0.78 to 0.87; a coin gets 50); below the drilling it learned"
        " from, in 75." in words
    )
    assert "would claim 0.97; 0.14 of that is the test knowing the answer, not skill." in words


def test_a_published_score_that_is_not_higher_is_not_accused() -> None:
    scores = make_scores().assign(auc=0.83)
    assert "here that way flatters little" in told(scores=scores, recommended="maxent")


def test_only_the_published_score_is_no_held_out_score() -> None:
    scores = make_scores()
    words = told(scores=scores[scores["protocol"] == "paper"], targets=make_targets(),
                 recommended="maxent")  # fmt: skip
    assert "How good the map is was not tested on rock that it never saw." in words
    assert "AUC" not in words


@pytest.mark.parametrize(
    ("comparisons", "used", "sentence"),
    [
        (
            TIE,
            "distance to fault",
            (
                "No model beats the best simple baseline, distance to fault, beyond its interval: MaxEnt"
                " differs by +0.01 AUC (−0.04 to +0.06). So distance to fault is what to use, and what"
                " made the map."
            ),
        ),
        (
            TIE,
            "maxent",
            "(−0.04 to +0.06). Distance to fault is enough; the map is that of MaxEnt.",
        ),
        (
            BETTER,
            "maxent",
            (
                "MaxEnt beats the best simple baseline, distance to fault, by 0.06 AUC with whole holes"
                " held out (95 % interval +0.01 to +0.10)."
            ),
        ),
        (
            WORSE,
            "distance to fault",
            (
                "Every model does worse than the simple baseline distance to fault: the best of them,"
                " MaxEnt, by 0.05 AUC (95 % interval −0.09 to −0.01). So distance to fault is what to"
            ),
        ),
    ],
)
def test_the_verdict_on_models_is_plain(
    comparisons: pd.DataFrame, used: str, sentence: str
) -> None:
    assert sentence in told(scores=make_scores(), comparisons=comparisons, recommended=used)


def test_without_kinds_the_best_baseline_is_not_compared_with_itself() -> None:
    scores = make_scores().drop(columns="kind")
    own = compare(**{"distance to fault": (0.0, 0.0, 0.0), "maxent": (-0.1, -0.2, -0.05)})
    assert "Every model does worse" in told(scores=scores, comparisons=own)


def test_a_baseline_never_counts_as_a_model_that_wins() -> None:
    table = pd.concat([TIE, compare(**{"boosted trees": (0.2, 0.1, 0.3)})])
    assert "No model beats" in told(scores=make_scores(), comparisons=table)


def test_the_advice_stands_in_where_nothing_was_compared() -> None:
    assert "Because it is simple." in told(scores=make_scores(), advice="Because it is simple.")


def test_the_truth_of_a_simulation_is_told_with_its_blind_bodies() -> None:
    words = told(truth=everything()["truth"])
    assert words.endswith("the targets hit 1 of 2 orebodies; the blind one was missed.")


def test_given_sentences_replace_the_written_ones() -> None:
    assert deposit_report(build_findings(conclusion=["Drill here."])).conclusion == ["Drill here."]


# Cards


def test_a_card_tells_place_size_score_reasons_and_the_hole(report: Report) -> None:
    card = report.cards[0]
    assert (card.title, card.verdict) == ("Target 1 · high", "960,000 m³")
    assert card.facts == [
        ("Place", "604,420 E, 3,862,250 N"),
        ("Elevation", "2,360 to 2,480 m"),
        ("Sample", "42 m away"),
        ("Score", "0.993 (0.985 to 0.999)"),
        ("Methods", "67 % of the others"),
        ("Why", "kriged gold (highest 1.3 %), distance to the nearest fault (lowest 2.5 %)"),
        ("Hole", "azimuth 061°, dip −60°, 312 m"),
    ]
    assert card.findings == []


def test_a_target_without_samples_near_warns_and_one_without_a_collar_plans_no_hole(
    report: Report,
) -> None:
    card = report.cards[1]
    assert "Extrapolated" in card.findings[0].message
    assert "Hole" not in dict(card.facts)


@pytest.mark.parametrize(("n", "shown"), [(1, 1), (3, 3), (4, 3), (40, 3)])
def test_cards_fill_one_row(n: int, shown: int) -> None:
    assert len(deposit_report(bare(targets=make_targets(n))).cards) == shown


def test_reasons_without_a_table_of_indicators_are_still_readable() -> None:
    assert plain_reasons("front_tail above 99.9% of cells", None) == "front tail (highest 0.1 %)"
    assert plain_reasons("nothing alone", None) == "nothing alone"


@pytest.mark.parametrize(
    ("volume", "words"),
    [(0.0, "0 m³"), (99.0, "99 m³"), (1_004_000.0, "1 million m³"), (2.4e8, "240 million m³")],
)
def test_volumes_are_written_for_reading(volume: float, words: str) -> None:
    assert write_volume(volume) == words


# Targets


def test_targets_are_shown_from_above_in_sections_and_with_their_doubt(report: Report) -> None:
    assert titles(report, "Targets", Figure) == [
        "Targets from above", "Sections through the best target", "How unsure the score is"
    ]  # fmt: skip
    assert titles(report, "Targets", Table) == [
        "All targets", "Holes to test them", "The orebodies of the simulation"
    ]  # fmt: skip
    assert [link.file for link in blocks_of(report, SceneLink)] == ["view3d.html"]


@pytest.mark.parametrize(("flags", "is_told"), [([True, False], True), ([False, True], False)])
def test_much_extrapolation_says_what_to_drill_first(flags: list[bool], is_told: bool) -> None:
    told = deposit_report(bare(targets=make_targets(is_extrapolated=flags))).conclusion[1]
    assert f"1 of the 2 ({67 if is_told else 33} % of their volume)" in told
    assert ("Drill those near samples first" in told) is is_told


def test_holes_without_samples_are_counted_beside_those_with() -> None:
    assert deposit_report(bare(n_holes=16, n_collars=18)).subtitle.startswith(
        "16 of 18 drill holes"
    )
    assert deposit_report(bare(n_holes=16, n_collars=16)).subtitle.startswith("16 drill holes")


def test_only_the_holes_of_the_first_targets_are_drawn() -> None:
    collars = make_collars().iloc[[0] * 9].assign(target=range(1, 10))
    kept = _first_collars(build_findings(collars=collars))
    assert list(kept["target"]) == [1, 2, 3, 4, 5]


def test_sections_pass_through_most_cells_of_the_first_target() -> None:
    grid = make_grid()
    place = best_place(grid)
    is_best = grid["target"] == 1
    for axis, centre in place.items():
        counts = is_best.sum([other for other in place if other != axis])
        assert int(counts.sel({axis: centre})) == int(counts.max())


def test_planned_holes_run_from_the_collar_along_azimuth_and_dip() -> None:
    collars = make_collars().assign(azimuth=[90.0, 0.0], dip=-60.0)
    path = planned_traces(collars)
    assert path is not None
    assert path["hole"].unique().tolist() == ["to target 1"]
    end = path.iloc[-1]
    np.testing.assert_allclose(end["easting"] - EAST, 300 + 312 * 0.5)
    np.testing.assert_allclose(end["northing"] - NORTH, 180.0)
    np.testing.assert_allclose(end["elevation"], 2640 - 312 * np.sqrt(0.75))


def test_colours_of_ranks_start_at_the_middle_and_of_other_scores_where_they_lie() -> None:
    assert (score_norm(np.array([0.0, 1.0, np.nan])).vmin) == 0.5
    assert score_norm(np.array([-4.0, 9.0])).vmin < 0


def test_a_turned_grid_is_drawn() -> None:
    grid = make_grid()
    grid.attrs |= {"rotation": 30.0, "origin": (EAST, NORTH)}
    found = deposit_report(bare(grid=grid, traces=make_traces()))
    figure = next(f for f in blocks_of(found, Figure) if f.title == "Targets from above")
    assert "Dashed black" not in figure.caption


# Trust


def test_facts_set_the_published_score_beside_the_held_out_one(report: Report) -> None:
    box = box_of(report)
    assert (box.honest.value, box.honest.label) == ("0.83", "AUC, whole holes held out")
    assert "0.78 to 0.87" in box.honest.detail
    assert "below the drilling 0.75 (0.70 to 0.79)" in box.honest.detail
    assert (box.published.value, box.published.tone) == ("0.97", "warning")
    assert (box.gap.value, box.gap.tone) == ("+0.14", "warning")
    assert (box.null.value, box.null.label) == ("0.52", "AUC with the ore moved elsewhere")
    assert '"all is ore" would score F1 0.25' in box.prevalence.detail


def test_a_protocol_that_scores_moved_ore_high_is_called_invalid() -> None:
    null = everything()["null"].assign(protocol="paper", null_mean=0.72)
    found = deposit_report(bare(scores=make_scores(), null=null))
    assert box_of(found).null.value == "not applicable"
    (warning,) = [f for f in blocks_of(found, Finding) if f.severity == "warning"]
    assert warning.message.startswith(
        "Even with the ore moved elsewhere, distance to fault scores 0.72 (the published way)"
    )


def test_the_rule_of_labels_stands_with_the_scores(report: Report) -> None:
    table = next(t for t in blocks_of(report, Table) if t.title == "All scores")
    assert "the nearest composite holds 1,000 ppb" in table.note
    assert any("What counted as ore" in finding.message for finding in blocks_of(report, Finding))


def test_scores_start_with_the_honest_protocol_and_its_best_method(report: Report) -> None:
    table = next(t for t in blocks_of(report, Table) if t.title == "All scores").frame
    assert tuple(table[["protocol", "method"]].iloc[0]) == ("whole holes held out", "MaxEnt")


def test_the_curve_is_that_of_the_honest_protocol(report: Report) -> None:
    figure = next(f for f in blocks_of(report, Figure) if f.title.startswith("How much ore"))
    assert set(figure.data["protocol"]) == {"holes"}
    assert "cannot hold more than 7.1 % of it" in figure.caption


def test_each_leak_is_a_row_and_says_where_it_is_in_force(report: Report) -> None:
    table = next(t for t in blocks_of(report, Table) if t.title == "What leaks, and where").frame
    assert list(table.columns) == ["leak", "published", "holes", "depth"]
    assert table.loc[0].tolist() == ["L1 support: cells share samples", "leaks", "–", "–"]
    assert table.loc[1].tolist()[1:] == ["leaks", "leaks", "–"]


def test_without_intervals_and_columns_the_trust_section_still_stands() -> None:
    scores = make_scores()[["protocol", "method", "auc"]]
    found = deposit_report(bare(scores=scores, comparisons=TIE))
    assert box_of(found).honest.label == "AUC, whole holes held out"
    assert "MaxEnt ranks ore" in " ".join(found.conclusion)


def test_a_method_without_a_score_is_left_out_of_the_figure() -> None:
    scores = make_scores()
    scores.loc[scores["method"] == "STOAD", ["auc", "auc_low", "auc_high"]] = np.nan
    found = deposit_report(bare(scores=scores))
    figure = next(f for f in blocks_of(found, Figure) if f.title.startswith("Every method"))
    assert "STOAD" not in figure.alt


def test_an_unknown_protocol_keeps_its_name() -> None:
    scores = make_scores().assign(protocol="next year")
    assert "In rock (next year) that it never saw" in told(scores=scores, recommended="maxent")


# Evidence, data


def test_evidence_shows_thresholds_factor_zoning_and_variogram(report: Report) -> None:
    assert titles(report, "Why", Figure) == [
        "Au: volume by concentration",
        "The chosen factor: factor 1",
        "Zoning: which elements peak where",
        "Variograms and their models",
    ]
    figure = blocks_of(report, Figure)
    alts = " ".join(f.alt for f in figure)
    assert "Thresholds: outer 10 ppb, middle 85 ppb, inner 900 ppb." in alts
    assert "Elements from top to bottom: Sb, As, Au, Hg, W" in alts


def test_data_tells_units_what_was_mended_and_what_was_left_out(report: Report) -> None:
    tables = {table.title: table.frame for table in blocks_of(report, Table)}
    assert list(tables["The samples"]["unit"]) == ["ppb", "ppm", "ppm", "ppb", "ppm"]
    assert len(tables["Rows that were mended"]) == 1
    messages = [finding.message for finding in blocks_of(report, Finding)]
    assert "Left out: 3 intervals without any assay." in messages


def test_names_from_tables_cannot_become_markup(tmp_path: Path) -> None:
    traces = make_traces().assign(hole=HOSTILE)
    scores = make_scores().replace({"method": {"maxent": HOSTILE}})
    found = build_findings(
        title=HOSTILE, traces=traces, scores=scores, rule=HOSTILE, recommended=HOSTILE,
        table_names={"assay": HOSTILE}, notes=[HOSTILE], leaks={"holes": [HOSTILE]},
        fractal={HOSTILE: make_fractal()}, elements=[HOSTILE], left_out=[HOSTILE],
        comparisons=TIE.replace({"method": {"maxent": HOSTILE}}),
        targets=make_targets(why=HOSTILE, level=HOSTILE), factor_note=HOSTILE,
        truth=pd.DataFrame({"body": [HOSTILE], "is_blind": True, "is_hit": True, "hit_by": 1,
                            "volume": 1.0}),
    )  # fmt: skip
    page = write_report(tmp_path / "report.html", deposit_report(found)).read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert len(re.findall("<script>", page)) == 1
