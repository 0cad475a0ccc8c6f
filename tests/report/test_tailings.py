from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.variogram_maps import VariogramMap
from gossan.report._takeaways import cells_table
from gossan.report.blocks import Details, Fact, Facts, Figure, Finding, Part, Table
from gossan.report.page import Report, render_report, write_report
from gossan.report.tailings import TailingsFindings, tailings_report
from gossan.report.trust import TrustBox

HOSTILE = "<script>alert(1)</script>&\"'$x$"
METHODS = (
    "ordinary kriging",
    "cokriging",
    "regression kriging",
    "random forest",
    "network",
    "blend",
)


def field_of(easting: Any, northing: Any, elevation: Any = 0.0) -> Any:
    """Return a smooth skewed grade."""
    wave = np.sin(easting / 150) + np.cos(northing / 120) + 0.4 * np.sin((easting + northing) / 60)
    return 20 * np.exp(wave + elevation / 60)


def make_grid_of(elements: list[str], n_dims: int, *, rotation: float = 0.0) -> xr.Dataset:
    coords = {
        "easting": np.arange(512_010.0, 513_000.0, 20.0),
        "northing": np.arange(4_510_010.0, 4_510_800.0, 20.0),
    }
    if n_dims == 3:
        coords = {"elevation": np.arange(202.5, 242.5, 5.0), **coords}
    dims = ("elevation", "northing", "easting")[-n_dims:]
    blank = xr.DataArray(np.zeros([len(coords[d]) for d in dims]), coords, dims)
    east, north = blank["easting"] - 512_000, blank["northing"] - 4_510_000
    up = blank["elevation"] - 200 if n_dims == 3 else 0.0
    grid = xr.Dataset(coords=coords)
    if rotation:
        grid.attrs |= {"rotation": rotation, "origin": (512_000.0, 4_510_000.0)}
    for place, element in enumerate(elements):
        grade = (blank + field_of(east + 70 * place, north, up)).transpose(*dims)
        grade = grade.where(east + north < 1500)
        width = 0.3 + 0.25 * np.sin(east / 90) ** 2 + 0.0 * north
        grid[element] = grade
        grid[f"{element}_low"] = grade * (1 - width)
        grid[f"{element}_high"] = grade * (1 + 1.4 * width)
        grid[f"{element}_departure"] = (grade * 0.1 * np.sin(north / 90)).transpose(*dims)
    return grid


def make_samples(elements: list[str], n_dims: int, rng: np.random.Generator) -> pd.DataFrame:
    n_groups, n_each = 26, (1 if n_dims == 2 else 8)
    place = rng.uniform((512_000, 4_510_000), (513_000, 4_510_800), (n_groups * 6, 2))
    if n_dims == 3:
        place = np.repeat(place[:n_groups], n_each, axis=0)
    frame = pd.DataFrame(place, columns=["easting", "northing"])
    up = np.zeros(len(frame))
    if n_dims == 3:
        frame["elevation"] = np.tile(202.5 + 5.0 * np.arange(n_each), n_groups)
        up = frame["elevation"].to_numpy() - 200
    for k, element in enumerate(elements):
        grade = field_of(frame["easting"] - 512_000 + 70 * k, frame["northing"] - 4_510_000, up)
        frame[element] = grade * np.exp(rng.normal(0, 0.3, len(frame)))
    frame["group"] = np.arange(len(frame)) // (n_each if n_dims == 3 else 6)
    return frame


def make_scores(
    elements: list[str], *, network: float = 1.01, blend: float = 0.958
) -> pd.DataFrame:
    ratios = dict(zip(METHODS, (1.0, 0.994, 0.99, 1.06, network, blend), strict=True))
    rows = []
    for split, shift in (("random rows", 0.0), ("whole holes held out", 0.36)):
        for element in ["all", *elements]:
            for method, ratio in ratios.items():
                half = 0.0 if method == METHODS[0] else 0.03
                rows.append(
                    {
                        "element": element,
                        "method": method,
                        "split": split,
                        "n": 208,
                        "crps": 5.1 * ratio,
                        "crps_ratio": ratio,
                        "crps_ratio_low": ratio - half,
                        "crps_ratio_high": ratio + half,
                        "rmse": 11.0 * ratio,
                        "r2": 1.66 - ratio - shift + 0.1,
                        "coverage": 0.905,
                    }
                )
    return pd.DataFrame(rows)


def make_predictions(elements: list[str], samples: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    parts = []
    places = [n for n in ("easting", "northing", "elevation", "group") if n in samples]
    for element in elements:
        for method in ("ordinary kriging", "blend"):
            measured = samples[element].to_numpy()
            estimate = measured**0.7 * 3 * np.exp(rng.normal(0, 0.25, len(measured)))
            parts.append(
                samples[places].assign(
                    element=element,
                    method=method,
                    measured=measured,
                    estimate=estimate,
                    low=estimate * 0.6,
                    high=estimate * 1.65,
                )
            )
    return pd.concat(parts, ignore_index=True)


def make_variogram(*, is_trusted: bool = True, n_dims: int = 2) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    ranges = (320.0, 140.0) if n_dims == 2 else (320.0, 140.0, 20.0)
    model = VariogramModel(0.18, Structure("spherical", 0.82, ranges, angles=(45.0, 0.0, 0.0)))
    tables = []
    directions: list[Any] = [45.0, 135.0] if n_dims == 2 else [(45.0, 0.0), (0.0, -90.0)]
    for direction in directions:
        far = 450.0 if direction in (45.0, 135.0, (45.0, 0.0)) else 35.0
        lag = np.linspace(far / 10, far, 9)
        azimuth, dip = np.deg2rad(direction if isinstance(direction, tuple) else (direction, 0.0))
        unit = [np.sin(azimuth) * np.cos(dip), np.cos(azimuth) * np.cos(dip), np.sin(dip)]
        gamma = model.variogram(lag[:, None] * np.array(unit[:n_dims])) * rng.normal(1, 0.07, 9)
        pairs = np.linspace(20, 600, 9).astype(int)
        table = pd.DataFrame({"lag": lag, "semivariance": gamma, "n_pairs": pairs})
        table["direction"] = [direction] * 9
        tables.append(table)
    reasons = [] if is_trusted else ["the shortest lag has 20 pairs", "the sill is not reached"]
    return {
        "experimental": pd.concat(tables, ignore_index=True),
        "model": model,
        "is_trusted": is_trusted,
        "reasons": reasons,
    }


def make_summary(elements: list[str], samples: pd.DataFrame) -> pd.DataFrame:
    values = samples[elements]
    columns = {"element": elements, "n": len(samples), "below_detection": 12,
               "mean": values.mean().to_numpy(), "declustered_mean": 0.9 * values.mean().to_numpy(),
               "median": values.median().to_numpy(), "sd": values.std().to_numpy(),
               "cv": (values.std() / values.mean()).to_numpy()}  # fmt: skip
    return pd.DataFrame(columns)


def build_findings(
    n_dims: int = 2, *, elements: list[str] | None = None, rotation: float = 0.0, **changes: object
) -> TailingsFindings:
    elements = ["Cu", "Co"] if elements is None else elements
    rng = np.random.default_rng(11)
    samples = make_samples(elements, n_dims, rng)
    grid = make_grid_of(elements, n_dims, rotation=rotation)
    stated = np.array([0.3, 0.5, 0.7, 0.9])
    given: dict[str, Any] = {
        "title": "Copper dump, east heap",
        "table_name": "copper_dump.csv",
        "n_samples": len(samples),
        "n_groups": 26,
        "group_name": "hole" if n_dims == 3 else "block",
        "elements": elements,
        "units": dict.fromkeys(elements, "ppm"),
        "n_dims": n_dims,
        "chosen": "blend",
        "scores": make_scores(elements),
        "predictions": make_predictions(elements, samples),
        "calibration": pd.DataFrame(
            {"stated": stated, "observed": stated - 0.02, "low": stated - 0.08, "high": stated + 0.05}
        ),
        "variograms": {
            element: make_variogram(is_trusted=place == 0, n_dims=n_dims)
            for place, element in enumerate(elements)
        },
        "estimate": grid,
        "samples": samples,
        "censored": samples[elements] < samples[elements].quantile(0.1),
        "published": pd.DataFrame(
            {
                "protocol": ["as published, at places without samples", "leak removed"],
                "r2": [-0.97, 0.008],
                "crps_ratio": [2.9, 1.21],
                "coverage": [0.10, 0.84],
                "note": ["its first input is the target; unknown places get 0",
                         "inputs hold positions and a nearly constant covariance"],
            }
        ),
        "leaks": ["The input 'Concentration' equals the target on every training row."],
        "summary": make_summary(elements, samples),
        "n_unestimated": int(np.isnan(grid[elements[0]]).sum()),
        "methods": "Grades were kriged with anisotropic models.\n\nA blend was chosen on inner folds.",
        "citations": (
            "Goovaerts, P. (1997) Geostatistics for Natural Resources Evaluation.",
            "Gneiting, T. & Raftery, A. (2007) doi:10.1198/016214506000001437",
        ),
        "manifest": {"gossan": "0.2.0", "seconds": 81.0},
    }  # fmt: skip
    return TailingsFindings(**(given | changes))


def bare(**parts: object) -> TailingsFindings:
    given = {"title": "Dump", "table_name": "dump.csv", "n_samples": 439, "n_groups": 26,
             "group_name": "hole", "elements": ["Cu", "Co"]}  # fmt: skip
    return TailingsFindings(**(given | parts))  # type: ignore[arg-type]


def scores_of(**ratios: tuple[float, float, float]) -> pd.DataFrame:
    """Return scores of methods under one honest split: ratio, low, high."""
    rows = [("ordinary kriging", 1.0, 1.0, 1.0), *((name, *r) for name, r in ratios.items())]
    names = ["method", "crps_ratio", "crps_ratio_low", "crps_ratio_high"]
    return pd.DataFrame(rows, columns=names).assign(element="all", split="whole holes held out")


def blocks_of(report: Report, kind: type) -> list:
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


def section_of(report: Report, title: str) -> list:
    parts = [block for block in blocks_of(report, Part) if block.title == title]
    return list(next(s for s in [*report.sections, *parts] if s.title == title).blocks)


def box_of(report: Report) -> TrustBox:
    (box,) = blocks_of(report, TrustBox)
    return box


@pytest.fixture(scope="module")
def flat() -> Report:
    return tailings_report(build_findings(2))


@pytest.fixture(scope="module")
def deep() -> Report:
    return tailings_report(build_findings(3))


SECTIONS = ["Maps", "How far to trust it", "Why", "The data", "Methods"]


def test_sections_stand_in_the_order_of_a_readers_questions(flat: Report, deep: Report) -> None:
    assert [section.title for section in flat.sections] == SECTIONS
    assert [section.title for section in deep.sections] == SECTIONS
    assert flat.subtitle == "copper_dump.csv: 156 samples of 26 blocks, 2 elements, in 2D"


def test_a_plane_is_one_figure_an_element_and_a_block_model_three(
    flat: Report, deep: Report
) -> None:
    def titles(report: Report) -> list[str]:
        return [b.title for b in section_of(report, "Maps") if isinstance(b, Figure)]

    assert titles(flat) == [f"{e}: estimate and how sure it is" for e in ("Cu", "Co")]
    assert titles(deep)[:3] == [
        "Cu: estimate, level by level",
        "Cu: how unsure, level by level",
        "Cu: vertical sections",
    ]
    assert "6 of 8 levels" in section_of(deep, "Maps")[1].caption


def test_figures_have_words_for_those_who_do_not_see_them(flat: Report, deep: Report) -> None:
    for report in (flat, deep):
        figures = blocks_of(report, Figure)
        assert len({figure.title for figure in figures}) == len(figures)
        assert all(len(figure.alt) > 40 for figure in figures)


def test_a_page_of_nothing_says_so() -> None:
    report = tailings_report(bare())
    assert [section.title for section in report.sections] == ["How far to trust it"]
    assert report.cards == []
    assert report.conclusion == ["Nothing was concluded: the run holds no scores and no estimate."]
    render_report(report)


OPTIONAL = [
    field.name
    for field in dataclasses.fields(TailingsFindings)
    if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
]


def test_each_part_alone_makes_a_page() -> None:
    everything = build_findings(2, elements=["Cu"])
    for name in OPTIONAL:
        part = {name: getattr(everything, name)}
        render_report(tailings_report(bare(elements=["Cu"], **part)))


QUICK = {"variograms": {}, "calibration": None, "predictions": None, "scores": None}
LIGHT = {"estimate": None, "variograms": {}, "calibration": None, "predictions": None}


@pytest.mark.parametrize("name", ["scores", "samples", "censored", "published", "summary"])
def test_each_part_may_be_missing(name: str) -> None:
    render_report(tailings_report(build_findings(2, **LIGHT | {name: None})))


def test_without_a_grid_the_samples_are_mapped() -> None:
    report = tailings_report(build_findings(2, **LIGHT))
    assert [b.title for b in section_of(report, "Maps")] == ["Cu: the samples", "Co: the samples"]


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        (
            0.66,
            "Kriging with directions does as well without any network (34 % lower): directions count",
        ),
        (0.60, "Kriging with directions does better still"),
        (0.75, ""),
    ],
)
def test_a_network_gets_no_credit_for_what_plain_kriging_can(plain: float, told: str) -> None:
    scores = scores_of(network=(0.65, 0.6, 0.7))
    row = scores[scores["method"] == "ordinary kriging"].assign(
        method="kriging with directions", crps_ratio=plain
    )
    found = bare(scores=pd.concat([scores, row]), chosen="ordinary kriging")
    sentence = next(s for s in tailings_report(found).conclusion if "network alone" in s)
    assert told in sentence
    assert ("without any network" in sentence) == bool(told)


@pytest.mark.parametrize(
    ("ratio", "start"),
    [
        ((1.01, 0.97, 1.05), "Kriging is as good as the network here: the network's error is 1 %"),
        ((1.06, 1.02, 1.1), "Kriging is better than the network here: the network's error is 6 %"),
        (
            (0.95, 0.92, 0.98),
            "The network alone predicts better than ordinary kriging: the network's error",
        ),
    ],
)
def test_kriging_is_named_plainly_beside_the_network(
    ratio: tuple[float, float, float], start: str
) -> None:
    found = bare(scores=scores_of(network=ratio), chosen="ordinary kriging")
    told = tailings_report(found).conclusion
    assert any(sentence.startswith(start) for sentence in told)
    if "as good" not in start:
        assert told[0] == "Ordinary kriging is the method for these samples."


@pytest.mark.parametrize(
    ("ratio", "lead"),
    [
        (
            (0.958, 0.93, 0.985),
            (
                "The blend predicts better than ordinary kriging: its error is 4.2 % lower"
                " (95 % interval: 1.5 to 7 %), with whole holes held out."
            ),
        ),
        (
            (0.99, 0.95, 1.03),
            (
                "Ordinary kriging is as good as the blend here: the blend's error is 1 % lower"
                " (95 % interval: 5 % lower to 3 % higher), with whole holes held out."
            ),
        ),
        (
            (1.05, 1.01, 1.12),
            (
                "The blend predicts worse than ordinary kriging: its error is 5 % higher"
                " (95 % interval: 1 to 12 %), with whole holes held out."
            ),
        ),
    ],
)
def test_the_lead_says_how_much_and_how_sure(ratio: tuple[float, float, float], lead: str) -> None:
    report = tailings_report(bare(scores=scores_of(blend=ratio), chosen="blend"))
    assert report.conclusion[0] == lead


def test_a_chosen_network_that_only_ties_leads_with_kriging() -> None:
    found = bare(scores=scores_of(network=(0.99, 0.96, 1.02)), chosen="network")
    assert tailings_report(found).conclusion[0].startswith("Kriging is as good as the network")


def test_without_intervals_small_differences_are_ties() -> None:
    table = scores_of(network=(0.985, 0.0, 0.0)).drop(columns=["crps_ratio_low", "crps_ratio_high"])
    found = bare(scores=table, chosen="ordinary kriging")
    assert tailings_report(found).conclusion[0] == (
        "Kriging is as good as the network here: the network's error is 1.5 % lower, with whole"
        " holes held out."
    )


def test_a_method_that_did_better_than_the_chosen_one_is_named() -> None:
    table = scores_of(blend=(0.96, 0.93, 0.99), RFsp=(0.94, 0.9, 0.98))
    told = tailings_report(bare(scores=table, chosen="blend")).conclusion
    assert told[1] == (
        "Inner folds chose the blend; on the samples held out RFsp did best (0.940 against 0.960"
        " of the error of ordinary kriging), which nobody could know beforehand."
    )


@pytest.mark.parametrize(
    ("coverage", "words", "tone"),
    [(0.91, "they mean what they say", "good"), (0.72, "too narrow", "warning"),
     (0.97, "wider than", "warning")],
)  # fmt: skip
def test_intervals_that_do_not_hold_are_called_so(coverage: float, words: str, tone: str) -> None:
    table = scores_of(blend=(0.96, 0.93, 0.99)).assign(coverage=coverage, n=439)
    report = tailings_report(bare(scores=table, chosen="blend"))
    told = next(sentence for sentence in report.conclusion if "intervals" in sentence)
    assert words in told
    assert f"hold {100 * coverage:.0f} % of the 439 samples held out" in told
    fact = blocks_of(report, Facts)[0].facts[-1]
    assert (fact.value, fact.tone) == (f"{100 * coverage:.0f} %", tone)


def test_the_random_split_stands_beside_the_honest_one_with_its_gap(deep: Report) -> None:
    assert (
        "Scored on random rows, the blend would claim R² 0.80; with whole holes held out it is"
        " 0.44. The difference is the neighbours of the same hole, not skill."
    ) in deep.conclusion
    box = box_of(deep)
    assert (box.published.value, box.published.label) == ("0.80", "R², random rows")
    assert (box.honest.value, box.honest.label) == ("0.44", "R², whole holes held out")
    assert (box.gap.value, box.gap.tone) == ("+0.36", "warning")
    assert (box.baseline.label, box.baseline.detail.split(",")[0]) == ("R²", "regression kriging")
    assert box.null.value == box.prevalence.value == "not applicable"
    assert "Grades are numbers, not classes" in box.prevalence.detail


def test_the_best_method_stands_first(flat: Report) -> None:
    table = next(t for t in blocks_of(flat, Table) if t.title.startswith("All methods"))
    assert table.title == "All methods, with whole holes held out"
    assert list(table.frame["method"])[:2] == ["blend", "regression kriging"]
    assert table.frame["crps_ratio"].is_monotonic_increasing
    figure = next(f for f in blocks_of(flat, Figure) if f.title == "Every method against kriging")
    assert figure.data is not None
    assert set(figure.data["element"]) == {"all"}


def test_coverage_counts_whole_groups_as_drawn_together() -> None:
    from gossan.report._tailings_trust import coverage_table

    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 10)
    hit = np.repeat(rng.random(30) < 0.8, 10)  # a hole is inside or outside as a whole
    rows = pd.DataFrame(
        {"element": "Cu", "measured": np.where(hit, 1.0, 9.0), "low": 0.0, "high": 2.0,
         "group": groups}
    )  # fmt: skip
    share = hit.mean()
    table = coverage_table(rows, 0.9)
    error = np.sqrt(share * (1 - share) / 29)
    assert table["coverage"].iloc[0] == pytest.approx(share)
    assert table["low"].iloc[0] == pytest.approx(share - 1.96 * error)
    alone = coverage_table(rows.drop(columns="group"), 0.9)
    assert alone["low"].iloc[0] == pytest.approx(share - 1.96 * error * np.sqrt(29 / 299))


def test_untrusted_variograms_are_warned_of_together_with_their_reasons() -> None:
    bad = make_variogram(is_trusted=False)
    found = bare(variograms={"Cu": make_variogram(), "Co": bad, "Zn": bad})
    report = tailings_report(found)
    assert blocks_of(report, Finding) == [
        Finding(
            "warning",
            "The variograms of Co and Zn are not to be trusted: the shortest lag has 20 pairs; the"
            " sill is not reached.",
        )
    ]
    table = next(t for t in blocks_of(report, Table) if t.title == "Models")
    assert list(table.frame["trusted"]) == [True, False, False]
    assert table.frame["model"].iloc[0].startswith("0.18 nugget + 0.82 spherical (320 x 140 m")


def test_steep_directions_get_a_panel_of_their_own(deep: Report) -> None:
    svg = next(f for f in blocks_of(deep, Figure) if f.title.startswith("Variograms")).svg
    assert "Cu, across" in svg
    assert "Cu, up and down" in svg


def test_a_variogram_map_is_drawn_where_there_is_one() -> None:
    steps = np.arange(-20.0, 21.0, 10.0)
    counts = np.full((5, 5), 40)
    shown = VariogramMap(np.ones((5, 5)), counts, steps, ("easting", "northing"), 1.0)
    report = tailings_report(bare(variograms={"Cu": make_variogram() | {"map": shown}}))
    assert "Cu: variogram map" in [figure.title for figure in blocks_of(report, Figure)]


def test_the_published_template_is_shown_with_its_leak(flat: Report) -> None:
    blocks = section_of(flat, "The published template")
    assert blocks[0].facts[0] == Fact(
        "R² −0.97",
        "as published, at places without samples",
        "10 % inside the interval; error 2.90 of kriging's",
        "error",
    )
    leak = "The input 'Concentration' equals the target on every training row."
    assert blocks[1] == Finding("warning", leak)


def test_leaks_without_the_template_stand_with_the_scores() -> None:
    report = tailings_report(bare(leaks=["A leak."]))
    assert section_of(report, "How far to trust it")[1:] == [Finding("warning", "A leak.")]
    assert (box_of(report).leaks.value, box_of(report).leaks.tone) == ("1", "warning")


def test_blank_cells_are_counted_and_never_zero(flat: Report) -> None:
    assert (
        "120 of 2,000 cells are left blank: no sample is near enough to say anything."
        in flat.conclusion
    )
    note = section_of(flat, "Maps")[0]
    assert note.message.startswith("120 of 2,000 cells (6 %) were not estimated")


def test_cards_give_the_mean_grade_its_range_and_its_caution(flat: Report) -> None:
    copper, cobalt = flat.cards
    cells = build_findings(2).estimate["Cu"].to_numpy()  # type: ignore[index]
    assert copper.title == "Cu, mean of the cells"
    assert float(copper.verdict.removesuffix(" ppm")) == pytest.approx(np.nanmean(cells), rel=0.01)
    assert copper.lines[2] == "The blend better than ordinary kriging (error 4.2 % lower)"
    assert copper.findings == []
    assert cobalt.findings[0].message == "Its variogram is not to be trusted; see Variograms."


def test_many_elements_are_folded_and_the_cells_of_large_maps_are_thinned() -> None:
    elements = ["Cu", "Co", "Zn", "Pb", "Ni"]
    small = make_grid_of(elements, 2)[elements]
    report = tailings_report(build_findings(2, elements=elements, estimate=small, **QUICK))
    fold = next(b for b in section_of(report, "Maps") if isinstance(b, Details))
    assert fold.summary == "Maps of 2 more: Pb, Ni"
    large = build_findings(2, elements=["Cu"], **QUICK, estimate=make_grid_of(["Cu"], 2).interp(
        easting=np.arange(512_010.0, 512_990.0, 5.0), northing=np.arange(4_510_010.0, 4_510_790, 5.0)
    ))  # fmt: skip
    figure = section_of(tailings_report(large), "Maps")[1]
    assert 5_000 < len(figure.data) <= 40_000
    assert figure.data.attrs["step"] == 1
    thin = cells_table(large.estimate, ["Cu"], most=5_000)
    assert (thin.attrs["step"], len(thin) < 5_000) == (3, True)


def test_the_cells_of_a_small_map_can_be_taken_away(flat: Report) -> None:
    data = section_of(flat, "Maps")[1].data
    assert list(data) == ["easting", "northing", "Cu", "Cu_low", "Cu_high", "Cu_departure"]
    assert len(data) == 2000 - 120


def test_the_page_stays_light(tmp_path: Any, deep: Report) -> None:
    page = write_report(tmp_path / "report.html", deep)
    assert page.stat().st_size < 5_000_000
    html = page.read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="http(?!s://doi\.org)', html)


@pytest.mark.parametrize("shape", [(10, 60), (60, 10), (1, 5)])
def test_long_tall_and_tiny_maps_are_drawn(shape: tuple[int, int]) -> None:
    coords = {"northing": 5.0 + 10 * np.arange(shape[0]), "easting": 5.0 + 10 * np.arange(shape[1])}
    blank = xr.DataArray(np.ones(shape), coords, ("northing", "easting"))
    grid = xr.Dataset(dict.fromkeys(("Cu", "Cu_low", "Cu_high", "Cu_departure"), blank))
    for axis in ("northing", "easting"):
        grid[axis].attrs["spacing"] = 10.0
    render_report(tailings_report(bare(elements=["Cu"], estimate=grid)))


def test_turned_grids_and_empty_estimates_are_drawn() -> None:
    turned = build_findings(3, elements=["Cu"], rotation=30.0, **QUICK)
    assert "along the grid" in section_of(tailings_report(turned), "Maps")[3].svg
    empty = turned.estimate * np.nan  # type: ignore[operator]
    render_report(tailings_report(bare(elements=["Cu"], estimate=empty)))


def test_a_hostile_name_stays_a_name() -> None:
    table = make_scores(["Cu"]).replace("network", HOSTILE)
    found = build_findings(
        2,
        **LIGHT | {"elements": ["Cu"], "scores": table},
        title=HOSTILE,
        units={"Cu": HOSTILE},
        group_name=HOSTILE,
    )
    html = render_report(tailings_report(found))
    assert html.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in html


def test_the_page_is_the_same_each_time() -> None:
    pages = [
        render_report(tailings_report(build_findings(2, elements=["Cu"], **QUICK)))
        for _ in range(2)
    ]
    assert pages[0] == pages[1]


def test_findings_are_not_changed() -> None:
    findings = build_findings(2, elements=["Cu"])
    frames = {n: v.copy() for n, v in vars(findings).items() if isinstance(v, pd.DataFrame)}
    grid = findings.estimate.copy(deep=True)  # type: ignore[union-attr]
    tailings_report(findings)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(getattr(findings, name), frame)
    xr.testing.assert_identical(findings.estimate, grid)
