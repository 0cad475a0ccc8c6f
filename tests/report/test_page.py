from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan.data.grids.grid import cell_centres, make_grid
from gossan.plot.style import new_axes, to_svg
from gossan.report._takeaways import cells_table, csv_text, packed, unpacked
from gossan.report._writing import link_dois, write_cell, write_number
from gossan.report.blocks import (
    Card,
    Citations,
    Details,
    Fact,
    Facts,
    Figure,
    Finding,
    Table,
    Text,
    grouped,
)
from gossan.report.page import Report, Section, render_report, write_report

VOID = {"meta", "link", "br", "img", "input", "hr"}
SVG_VOID = {"path", "use", "rect", "circle", "image", "line"}


class Reader(HTMLParser):
    """Collect tags, check that they close in order, and keep every attribute."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def executed(page: Reader) -> list[dict[str, str | None]]:
    """Return the scripts that a browser runs; tables are kept in scripts of plain text."""
    kinds = [attrs.get("type") for attrs in page.all("script")]
    assert set(kinds) <= {None, "text/plain"}
    return [attrs for attrs in page.all("script") if "type" not in attrs]


def kept(html: str) -> list[str]:
    """Return the CSV tables that a page holds."""
    texts = re.findall(r'class="kept" id="table-[0-9a-f]{12}">([^<]*)<', html)
    return [unpacked(text).decode("utf-8-sig") for text in texts]


def make_figure(label: str = "A [ppm]") -> Figure:
    ax = new_axes(4, 3)[0]
    ax.set_xlabel(label)
    ax.plot([0, 1], [0, 1])
    return Figure("A line", to_svg(ax), alt="A rising line.", data=pd.DataFrame({"x": [0, 1]}))


def make_report() -> Report:
    frame = pd.DataFrame({"deposit": ["Gunga", "Mine"], "Ge_ppm": [240.0, np.nan]})
    blocks = [
        Text("First.\n\nSecond.", copyable=True),
        Finding("warning", "Look here.", "row 3"),
        Facts([Fact("0.81", "Score", "0.7 to 0.9", "good")]),
        Table("Medians", frame, headings={"Ge_ppm": "Ge [ppm]"}),
        make_figure(),
        Citations(["Gul 2025. doi:10.1016/j.gexplo.2025.107771"]),
        Details("More", [Text("Inside."), Table("Again", frame)]),
    ]
    return Report(
        "Title",
        "subtitle",
        conclusion=["It is an MVT deposit.", "Rather sure."],
        cards=[Card("Gunga", "MVT", 0.64, "#0072B2", ["40 analyses"])],
        sections=[Section("How sure", "Intro.", blocks)],
        manifest={"seed": 1, "data": {"sha256": "ab"}},
    )


def test_the_page_is_well_formed_and_has_one_main_heading() -> None:
    page = read(render_report(make_report()))
    assert len(page.all("h1")) == 1
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("main")) == 1


def test_headings_never_skip_a_level() -> None:
    page = read(render_report(make_report()))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_page_loads_nothing_and_links_only_to_dois() -> None:
    page = read(render_report(make_report()))
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href", "action", "srcset", "data", "poster"):
            target = attrs.get(name) or ""
            if target and not target.startswith(("#", "data:")):
                assert tag == "a"
                assert target.startswith("https://doi.org/10.")
    style = re.search(r"<style>(.*?)</style>", render_report(make_report()), re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_policy_lets_only_the_pages_own_script_run() -> None:
    html = render_report(make_report())
    policy = read(html).all("meta")[1]["content"] or ""
    assert "default-src 'none'" in policy
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert html.count("<script>") == 1


def test_ids_are_unique_and_every_inner_link_has_its_target() -> None:
    page = read(render_report(make_report()))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for attrs in page.all("a"):
        target = attrs.get("href") or ""
        if target.startswith("#"):
            assert target[1:] in ids


def test_two_figures_of_the_same_drawing_do_not_share_ids() -> None:
    first = make_figure()
    second = Figure("Another line", first.svg, alt="The same.")
    page = read(render_report(Report("T", sections=[Section("S", "", [first, second])])))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for attrs in page.all("use"):
        assert (attrs.get("xlink:href") or "#")[1:] in ids


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></svg><b>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "--><!--",
]


@pytest.mark.parametrize("word", HOSTILE)
def test_a_hostile_word_stays_a_word_wherever_it_stands(word: str) -> None:
    frame = pd.DataFrame({word: [word], "n": [1]})
    figure = make_figure(label=word)
    report = Report(
        word,
        word,
        conclusion=[word],
        cards=[Card(word, word, 0.5, lines=[word], findings=[Finding("note", word, word)])],
        sections=[
            Section(
                word,
                word,
                [Text(word, copyable=True), Table(word, frame, note=word), Citations([word]),
                 Facts([Fact(word, word, word)]), Details(word, [Text(word)]), figure,
                 Figure(word, figure.svg, alt=word, caption=word, data=frame)],
            )
        ],
        manifest={word: {word: word}},
        kind=word,
    )  # fmt: skip
    page = read(render_report(report))
    assert len(executed(page)) == 1
    assert not page.all("img")
    assert not page.all("b")
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert not any((attrs.get("href") or "").startswith("javascript") for _, attrs in page.tags)
    assert word in "".join(page.words)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=30))
def test_any_word_can_be_a_title_a_name_and_a_cell(word: str) -> None:
    frame = pd.DataFrame({"deposit": [word]})
    report = Report(word, sections=[Section(word, "", [Table(word, frame), Text(word)])])
    assert len(executed(read(render_report(report)))) == 1


def test_a_table_sorts_by_the_full_value_and_writes_missing_as_a_dash() -> None:
    frame = pd.DataFrame({"Ge": [0.123456, np.nan], "is new": [True, False]})
    table = Table("T", frame)
    assert table.rows == [[("0.123", "0.123456"), ("yes", "1")], [("–", ""), ("no", "0")]]
    assert table.columns == [("Ge", True), ("is new", False)]


def test_a_long_table_shows_its_first_rows_and_its_csv_holds_all() -> None:
    table = Table("T", pd.DataFrame({"x": range(10)}), max_rows=3)
    assert len(table.rows) == 3
    assert table.n_hidden == 7
    html = render_report(Report("T", sections=[Section("S", "", [table])]))
    (text,) = kept(html)
    assert pd.read_csv(io.StringIO(text))["x"].tolist() == list(range(10))
    assert "First 3 of 10 rows; the CSV holds all." in html


def test_an_empty_table_is_a_table() -> None:
    table = Table("T", pd.DataFrame({"x": []}))
    assert table.rows == []
    read(render_report(Report("T", sections=[Section("S", "", [table])])))


def test_a_table_that_is_shown_often_is_held_once() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    blocks = [Table("A", frame), Table("B", frame.copy()), Details("C", [Table("D", frame)])]
    html = render_report(Report("T", sections=[Section("S", "", blocks)]))
    assert len(kept(html)) == 1
    assert len(re.findall(r'data-table="(table-\w+)"', html)) == 3


def test_numbers_of_a_csv_are_written_to_ten_digits_and_letters_survive() -> None:
    frame = pd.DataFrame({"deposit": ['Säntis, "A"', None], "x": [0.1 + 0.2, 3_620_628.25]})
    told = pd.read_csv(io.BytesIO(unpacked(packed(csv_text(frame)))))
    assert told["deposit"].iloc[0] == 'Säntis, "A"'
    assert told["x"].tolist() == [0.3, 3_620_628.25]


def test_cells_of_a_turned_grid_stand_at_their_true_places() -> None:
    grid = make_grid((0, 20, 0, 20), 10, rotation=90)
    values = np.array([[1.0, 2.0], [3.0, np.nan]])
    grid = grid.assign(score=(("northing", "easting"), values))
    table = cells_table(grid, ["score"])
    places = cell_centres(grid)[:3]
    assert table[["easting", "northing"]].to_numpy().tolist() == places.round(2).tolist()
    assert table["score"].tolist() == [1.0, 2.0, 3.0]


def test_planes_through_a_block_model_come_one_below_the_other() -> None:
    grid = make_grid((0, 30, 0, 20), 10, elevations=(0, 20))
    values = np.arange(12.0).reshape(2, 2, 3)
    grid = grid.assign(score=(("elevation", "northing", "easting"), values))
    table = cells_table(grid, ["score"], places=[{"elevation": 5.0}, {"northing": 5.0}])
    assert len(table) == 6 + 6 - 3  # the row where both planes meet stands once
    assert table.query("elevation == 15")["score"].tolist() == [6.0, 7.0, 8.0]


def test_findings_in_a_row_share_a_box_with_the_worst_first_and_many_notes_folded() -> None:
    notes = [Finding("note", f"Note {n}.") for n in range(4)]
    blocks = [*notes, Finding("warning", "Careful."), Text("End."), Finding("note", "Alone.")]
    first, text, alone = grouped(blocks)
    assert [found.message for found in first.grave] == ["Careful."]
    assert [found.message for found in first.notes] == [f"Note {n}." for n in range(4)]
    assert (text, alone) == (blocks[5], blocks[6])
    html = render_report(Report("T", sections=[Section("S", "", blocks)]))
    assert "<summary>4 notes</summary>" in html
    assert html.index("Careful.") < html.index("Note 0.")


def test_a_figure_speaks_through_its_alternative_text() -> None:
    page = read(render_report(Report("T", sections=[Section("S", "", [make_figure()])])))
    drawings = [attrs for attrs in page.all("svg") if attrs.get("role") == "img"]
    assert [attrs["aria-label"] for attrs in drawings] == ["A rising line."]


def test_write_report_leaves_one_file_with_the_page(tmp_path: Path) -> None:
    path = write_report(tmp_path / "report.html", make_report())
    assert path.read_text(encoding="utf-8") == render_report(make_report())
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render_report(make_report()) == render_report(make_report())


def test_write_report_names_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"No folder .*nowhere.* to write the report"):
        write_report(tmp_path / "nowhere" / "report.html", make_report())


def test_unknown_words_are_refused() -> None:
    with pytest.raises(ValueError, match="severity must be one of"):
        Finding("warnin", "x")
    with pytest.raises(ValueError, match="width must be one of"):
        Figure("t", "<svg></svg>", alt="", width="third")
    with pytest.raises(ValueError, match="card's colour must be a code like #0072B2"):
        Card("a", "b", colour="red; background: url(x)")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1234567.0, "1,234,567"), (0.00001234, "1.2e−05"), (12.345, "12.3"),
     (float("inf"), "inf"), (99.96, "100"), (-3.0, "−3")],
)  # fmt: skip
def test_numbers_are_written_for_reading(value: float, text: str) -> None:
    assert write_number(value) == text


def test_cells_of_every_kind_are_written() -> None:
    assert write_cell(None, "") == ("–", "")
    assert write_cell(pd.NA, "") == ("–", "")
    assert write_cell(["Cd", "Ge"], "") == ("Cd, Ge", "")
    assert write_cell(np.int64(4000), "") == ("4,000", "4000.0")
    assert write_cell(0.5, "{:.0%}") == ("50 %", "0.5")


def test_dois_become_links_and_the_rest_is_escaped() -> None:
    assert 'href="https://doi.org/10.1016/0012-821X(75)90088-6"' in link_dois(
        "Stacey & Kramers 1975, 10.1016/0012-821X(75)90088-6."
    )
    assert link_dois("no <b> here") == "no &lt;b&gt; here"
