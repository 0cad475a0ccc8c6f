from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import pandas as pd
import pytest

from gossan.report.blocks import Details, Figure, Finding, Part, Table
from gossan.report.genesis import GenesisFindings, genesis_report
from gossan.report.page import Report, render_report
from gossan.report.trust import TrustBox

SECTIONS = ["Verdicts", "How far to trust it", "Why", "The data", "Methods"]
HOSTILE = "<script>alert(1)</script>&\"'$x$"
LIGHT = dict.fromkeys(
    ("confusion", "calibration", "discriminating", "censored_shares", "importance", "embedding")
)
Maker = Callable[..., GenesisFindings]


@pytest.fixture(scope="module")
def full(make_findings: Maker) -> Report:
    return genesis_report(make_findings())


def bare(**parts: object) -> GenesisFindings:
    given = {
        "title": "Mine",
        "table_name": "mine.csv",
        "n_analyses": 1,
        "n_deposits": 1,
        "classes": ["MVT", "SEDEX", "VMS"],
        "elements": ["Ge"],
    }
    return GenesisFindings(**(given | parts))  # type: ignore[arg-type]


def one_verdict(**changes: object) -> pd.DataFrame:
    row = {"deposit": "Mine", "verdict": "MVT", "probability": 0.9, "conformal_set": "MVT"}
    return pd.DataFrame([row | changes])


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


def box_of(report: Report) -> TrustBox:
    (box,) = blocks_of(report, TrustBox)
    return box


def test_sections_stand_in_the_order_of_a_readers_questions(full: Report) -> None:
    assert [section.title for section in full.sections] == SECTIONS
    parts = [block.title for block in full.sections[2].blocks if isinstance(block, Part)]
    assert parts == ["How it formed"]


def test_every_section_but_the_methods_shows_a_figure(full: Report) -> None:
    for section in full.sections[:-1]:
        assert any(isinstance(block, Figure) for block in section.blocks), section.title


def test_figures_have_words_for_those_who_do_not_see_them_and_their_data(full: Report) -> None:
    figures = blocks_of(full, Figure)
    assert len(figures) == 14
    assert len({figure.title for figure in figures}) == len(figures)
    for figure in figures:
        assert len(figure.alt) > 20
        assert figure.data is not None


def test_a_page_of_nothing_says_so() -> None:
    report = genesis_report(bare())
    assert [section.title for section in report.sections] == ["How far to trust it"]
    assert box_of(report).honest.detail == "No deposits were held out."
    assert report.conclusion == ["Nothing was concluded: the run holds no verdicts and no scores."]
    assert report.subtitle == "mine.csv: 1 analysis of 1 deposit, 1 element"
    render_report(report)


OPTIONAL = [
    field.name
    for field in dataclasses.fields(GenesisFindings)
    if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
]


def test_each_part_alone_makes_a_page(make_findings: Maker) -> None:
    everything = make_findings()
    for name in OPTIONAL:
        render_report(genesis_report(bare(**{name: getattr(everything, name)})))


@pytest.mark.parametrize("name", ["verdicts", "protocols", "importance", "points", "quality"])
def test_each_part_may_be_missing(make_findings: Maker, name: str) -> None:
    render_report(genesis_report(make_findings(**LIGHT | {name: None})))


def test_a_settled_verdict_is_said_plainly() -> None:
    report = genesis_report(bare(verdicts=one_verdict()))
    assert report.conclusion == ["Mine is an MVT deposit by its chemistry (90 %)."]
    assert report.cards[0].lines == ["The only type left at 90 % coverage"]


def test_a_verdict_with_another_type_possible_names_it() -> None:
    verdicts = one_verdict(conformal_set="MVT, SEDEX", probability=0.6)
    report = genesis_report(bare(verdicts=verdicts))
    assert report.conclusion == ["Mine is most like MVT (60 %); SEDEX stays possible."]


@pytest.mark.parametrize(
    "outside", [{"p_value": 0.01}, {"p_value": 0.5, "out_of_distribution": True}]
)
def test_a_deposit_unlike_all_others_is_not_given_a_type(outside: dict) -> None:
    verdicts = one_verdict(**outside, nearest="MVT", outside_elements="Cd")
    report = genesis_report(bare(verdicts=verdicts))
    assert report.conclusion == [
        "Mine lies outside what the model has seen; nearest is MVT (90 %)."
    ]
    assert report.cards[0].findings[0].message.startswith("Outside the training data (p = 0.")


def test_none_of_these_is_a_verdict() -> None:
    verdicts = one_verdict(verdict="none of these", conformal_set="none of these", nearest="VMS")
    report = genesis_report(bare(verdicts=verdicts))
    assert report.cards[0].verdict == "None of these"
    assert report.cards[0].lines == ["No type is left at 90 % coverage"]


def test_many_deposits_are_counted_instead_of_listed_as_cards() -> None:
    verdicts = pd.concat([one_verdict(deposit=f"D{i}") for i in range(12)], ignore_index=True)
    verdicts.loc[0, "conformal_set"] = "MVT, VMS"
    verdicts["p_value"] = [0.5] * 11 + [0.001]
    report = genesis_report(bare(verdicts=verdicts))
    assert report.cards == []
    assert report.conclusion[0] == (
        "10 of 12 deposits get a single type, 1 keeps several types possible and 1 lies outside what"
        " the model has seen."
    )


def test_known_types_are_counted_as_found_again() -> None:
    verdicts = pd.DataFrame({"deposit": ["A", "B"], "type": ["MVT", "VMS"], "verdict": "MVT"})
    report = genesis_report(bare(verdicts=verdicts))
    assert report.conclusion[0].startswith("The stated type of 1 of 2 deposits was found again")


def test_the_honest_score_is_never_without_its_gap(full: Report) -> None:
    assert full.conclusion[1] == (
        "Tested with each deposit held out, the model gives 83 % of deposits the right type; the"
        " 95 % interval is 75 to 90 %. On a random split it reaches 98 %, which measures memory of"
        " the deposits and not skill."
    )
    box = box_of(full)
    assert (box.published.value, box.honest.value, box.gap.value) == ("0.98", "0.83", "0.15")
    assert box.gap.tone == "warning"
    assert box.honest.detail.endswith("95 % interval 0.75 to 0.90")
    assert (box.baseline.value, box.baseline.tone) == ("0.77", "plain")
    assert box.baseline.detail.startswith("Boosted trees, with each deposit held out")
    assert (box.null.value, box.leaks.value) == ("p = 0.02", "1")
    assert box.prevalence.value == "0.37"  # 36 of 97 deposits are MVT
    assert "MVT 37 %, Epithermal 26 %" in box.prevalence.detail


def test_a_shipped_model_points_to_its_card_instead_of_scores() -> None:
    box = box_of(genesis_report(bare(verdicts=one_verdict(), trained_on="3,794 analyses")))
    assert {answer.value for name, _, answer in box.answers if name != "leaks"} == {
        "not applicable"
    }
    assert "model card" in box.honest.detail


def test_wrong_deposits_are_named_in_the_figure_and_in_a_table(full: Report) -> None:
    figure = next(f for f in blocks_of(full, Figure) if f.title.startswith("Stated type"))
    assert "Eskay Creek" in figure.svg
    assert "84 of 97 deposits are right" in figure.caption
    table = next(t for t in blocks_of(full, Table) if t.title == "Deposits with a wrong verdict")
    assert len(table.frame) == 13


def test_findings_of_the_check_stand_worst_first(full: Report) -> None:
    data = next(section for section in full.sections if section.title == "The data")
    found = [block for block in data.blocks if isinstance(block, Finding)]
    assert [finding.severity for finding in found] == ["error", "warning", "warning", "note"]
    assert found[0].where == "column Cd, row 17"
    assert found[2].where == "column In, rows 2, 3, 4, 5, 6, 7, 8, 9 …"


def test_the_shipped_model_is_named(make_findings: Maker) -> None:
    report = genesis_report(make_findings(trained_on="the table of Gul et al. (2025)", **LIGHT))
    assert "trained on the table of Gul et al. (2025)" in report.subtitle
    assert "the shipped model gives 83 %" in report.conclusion[1]


def test_leaks_of_the_leakage_report_keep_their_gravity() -> None:
    from gossan.validation.leakage import Leak

    leaks = [Leak("group in train and test", "refused", 3, "Three groups leak. Split by group.")]
    report = genesis_report(bare(leaks=leaks))
    assert blocks_of(report, Finding) == [
        Finding("error", "Three groups leak. Split by group.", "group in train and test")
    ]


def test_a_hostile_deposit_name_stays_a_name(make_findings: Maker) -> None:
    html = render_report(genesis_report(make_findings(deposit=HOSTILE)))
    assert html.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in html
    drawings = re.findall(r"<svg role.*?</svg>", html, re.DOTALL)
    named = [drawing for drawing in drawings if "&lt;script&gt;" in drawing]
    assert len(named) >= 3
    assert not any("<script" in drawing for drawing in drawings)


@pytest.mark.parametrize("name", ["_private", "凡口", "a" * 300, "100 $ and 50 $", "O'Brien\n2"])
def test_odd_deposit_names_are_drawn(make_findings: Maker, name: str) -> None:
    html = render_report(genesis_report(make_findings(deposit=name, **LIGHT)))
    assert html.endswith("</html>")


def test_the_page_is_the_same_each_time(make_findings: Maker) -> None:
    pages = [render_report(genesis_report(make_findings(**LIGHT))) for _ in range(2)]
    assert pages[0] == pages[1]


def test_findings_are_not_changed(make_findings: Maker) -> None:
    findings = make_findings()
    before = {
        field.name: getattr(findings, field.name).copy()
        for field in dataclasses.fields(findings)
        if isinstance(getattr(findings, field.name), pd.DataFrame)
    }
    genesis_report(findings)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(getattr(findings, name), frame)


def test_other_minerals_and_other_classes_work() -> None:
    training = pd.DataFrame(
        {
            "Ti": [1.0, 2.0, 3.0, 4.0],
            "V": [9.0, 8.0, 7.0, 6.0],
            "Mg": [1.0, 1.0, 2.0, 2.0],
            "type": ["a", "a", "b", "b"],
            "deposit": ["p", "p", "q", "q"],
        }
    )
    found = bare(classes=["a", "b"], elements=["Ti", "V", "Mg"], training=training)
    titles = [figure.title for figure in blocks_of(genesis_report(found), Figure)]
    assert titles == ["Ternary diagram Ti – V – Mg", "The leading elements, type by type"]


def protocols(own: float, other: float) -> pd.DataFrame:
    rows = [
        (model, protocol, score)
        for protocol in ("random_split", "deposit_held_out")
        for model, score in (("discriminant", own), ("nearest", other))
    ]
    return pd.DataFrame(rows, columns=["model", "protocol", "verdict"])


@pytest.mark.parametrize(("other", "is_told"), [(0.78, True), (0.70, False)])
def test_the_conclusion_names_a_simpler_model_that_is_ahead(other: float, is_told: bool) -> None:
    found = bare(protocols=protocols(0.74, other), main_model="discriminant", headline="verdict")
    told = " ".join(genesis_report(found).conclusion)
    sentence = "A simpler model does as well or better: nearest, with 78 % on the same deposits."
    assert (sentence in told) is is_told


def test_too_few_shuffles_are_no_failed_test() -> None:
    null = {"score": 0.76, "mean": 0.5, "maximum": 0.53, "p_value": 0.25, "n": 3}
    found = bare(
        protocols=protocols(0.74, 0.7), main_model="discriminant", headline="verdict", null=null
    )
    box = box_of(genesis_report(found))
    assert (box.null.value, box.null.tone, box.honest.tone) == ("p ≤ 0.25", "warning", "plain")
    assert box.null.detail.endswith("no fewer than 19 shuffles can show p = 0.05")
    grave = box_of(genesis_report(bare(protocols=protocols(0.74, 0.7), main_model="discriminant",
                                       headline="verdict", null=null | {"p_value": 0.5})))  # fmt: skip
    assert (grave.null.value, grave.null.tone) == ("p = 0.5", "error")
