from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from gossan.report.citing import Methods, bibliography, full_reference, to_bibtex

REFERENCES = Path(__file__).parents[2] / "docs" / "references.md"
STUDIES = ("genesis", "tailings", "deposit", "region", "transfer")


def citations_of(study: str) -> tuple[str, ...]:
    return tuple(import_module(f"gossan.studies.{study}.findings").CITATIONS)


def test_the_shipped_references_are_those_of_the_one_bibliography() -> None:
    lines = REFERENCES.read_text(encoding="utf-8").splitlines()
    for key, reference in bibliography().items():
        (line,) = [line for line in lines if line.startswith(f"- **{key}**")]
        assert line.startswith(f"- **{key}** {reference}")


@pytest.mark.parametrize("study", STUDIES)
def test_whatever_a_study_cites_is_given_in_full(study: str) -> None:
    for citation in citations_of(study):
        reference, key = full_reference(citation)
        assert key in bibliography(), citation
        year = re.search(r"\b(19|20)\d\d\b", citation)
        assert year is not None
        assert year[0] in reference


def test_a_citation_without_a_doi_is_found_by_author_and_year() -> None:
    assert full_reference("Goovaerts 1997, Geostatistics.")[1] == "Goovaerts1997"
    assert full_reference("Goovaerts 1998, Geostatistics.")[1] == ""


def test_an_article_has_all_its_fields() -> None:
    assert to_bibtex(["Yousefi & Carranza 2015, doi:10.1016/j.cageo.2015.03.007 (P-A plot)."]) == (
        "@article{YousefiCarranza2015,\n"
        "  author = {Yousefi, M. and Carranza, E.J.M.},\n"
        "  title = {{Prediction-area (P-A) plot and C-A fractal analysis to classify and evaluate"
        " evidential maps for mineral prospectivity modeling}},\n"
        "  year = {2015},\n"
        "  journal = {Computers \\& Geosciences},\n"
        "  volume = {79},\n"
        "  pages = {69--81},\n"
        "  doi = {10.1016/j.cageo.2015.03.007}\n"
        "}"
    )


def test_what_is_unknown_is_kept_whole_and_cannot_break_the_file() -> None:
    told = to_bibtex(["Somebody, unpublished } % $x$ \\input{x}", "Somebody, unpublished again"])
    assert told.startswith("@misc{Somebody,\n  note = {Somebody, unpublished \\} \\% \\$x\\$ ")
    assert r"\textbackslash{}input\{x\}" in told
    assert "@misc{Somebodya," in told


@pytest.mark.parametrize("study", STUDIES)
def test_bibtex_is_balanced_and_no_key_stands_twice(study: str) -> None:
    told = to_bibtex(citations_of(study))
    plain = told.replace("\\{", "").replace("\\}", "")
    assert plain.count("{") == plain.count("}")
    keys = re.findall(r"^@\w+\{(.+),$", told, re.MULTILINE)
    assert len(keys) == len(set(keys)) == len(citations_of(study))


def test_what_is_copied_ends_with_numbered_references() -> None:
    methods = Methods("First.\n\nSecond.", ["Breiman 2001 (forests).", "Own report, 2024."])
    assert (
        methods.plain
        == "First.\n\nSecond.\n\nReferences\n1. Breiman 2001 (forests).\n2. Own report, 2024."
    )
    assert Methods("Only words.").plain == "Only words."
