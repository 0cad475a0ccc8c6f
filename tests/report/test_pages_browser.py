"""The pages of all five studies in a real browser without a network, also with hostile tables."""

from __future__ import annotations

import csv
import importlib.util
import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from gossan.report import write_figures, write_report
from gossan.report.deposit import deposit_report
from gossan.report.genesis import GenesisFindings, genesis_report
from gossan.report.page import Report
from gossan.report.prospect import prospect_report
from gossan.report.tailings import tailings_report


def load(name: str) -> ModuleType:
    """Import a module beside this one, which is in no package."""
    spec = importlib.util.spec_from_file_location(
        f"page_{name}", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


Chromium = load("chromium").Chromium
test_deposit, test_prospect, test_tailings = (
    load(f"test_{name}") for name in ("deposit", "prospect", "tailings")
)
STUDIES = ("genesis", "tailings", "deposit", "region", "transfer")
HOSTILE = (
    '<script>window.taken=1</script>"><img src=x onerror=window.taken=2>{{7*7}}</style></script>'
    "<svg onload=window.taken=3>'javascript:window.taken=4"
)
MOST_SMALL_PAGE = 2_500_000  # bytes of the page of a small study
LIGHT: dict[str, Any] = {"grid": None}


def reports_of(make: Callable[..., GenesisFindings], name: str = "") -> dict[str, Report]:
    """Build the five pages; with `name`, every word that comes from a table is that name."""
    transfer: dict[str, Any] = {"n_cells": 0, "area_km2": 0.0, "grid": None, "targets": None,
                                "map_file": "", "n_background": 2977}  # fmt: skip
    if not name:
        return {
            "genesis": genesis_report(make()),
            "tailings": tailings_report(test_tailings.build_findings(3)),
            "deposit": deposit_report(test_deposit.build_findings()),
            "region": prospect_report(test_prospect.build()),
            "transfer": prospect_report(test_prospect.build(**transfer)),
        }
    words = {"title": name, "methods": name, "citations": [name, f"{name} doi:10.1/{name}"]}
    files = {"table_names": {name: name}}
    hostile = {
        key: _renamed(test_prospect.everything()[key], {"forest": name})
        for key in ("scores", "null", "curves", "comparisons")
    }
    known = test_prospect.make_known().assign(name=name, camp=name)
    region = words | files | hostile | {"recommended": name, "advice": name, "notes": [name] * 4,
        "leaks": [name], "occurrence_table": known, "elements": [name],
        "summary": _summary(name)}  # fmt: skip
    rock = {
        key: _renamed(test_deposit.everything()[key], {"maxent": name})
        for key in ("scores", "null", "curves", "comparisons", "folds")
    }
    plane = test_tailings.build_findings(2)
    return {
        "genesis": genesis_report(make(deposit=name, table_name=name, **words)),
        "tailings": tailings_report(
            test_tailings.build_findings(
                2,
                table_name=name,
                summary=_summary(name),
                scores=_renamed(plane.scores, {"blend": name}),
                predictions=_renamed(plane.predictions, {"blend": name}),
                chosen=name,
                **words,
            )
        ),
        "deposit": deposit_report(
            test_deposit.build_findings(
                notes=[name] * 4, recommended=name, summary=_summary(name), rule=name, factor_note=name,
                **rock, **words, **files, **LIGHT,
            )
        ),
        "region": prospect_report(test_prospect.build(**region, **LIGHT)),
        "transfer": prospect_report(test_prospect.build(**region | transfer)),
    }  # fmt: skip


def _renamed(table: Any, names: dict[str, str]) -> Any:
    return table if table is None else table.replace(names)


def _summary(name: str) -> pd.DataFrame:
    row = {"element": name, "n": 9, "below_detection": 1, "mean": 2.0, "median": 1.0, "sd": 1.0}
    return pd.DataFrame([row | {name: name, "cv": 0.5}])


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("chromium")
    try:
        window = Chromium(folder, size=(1280, 900))
    except FileNotFoundError as error:
        pytest.skip(str(error))
    except (RuntimeError, TimeoutError, OSError) as error:
        pytest.skip(f"the browser does not start here: {error}")
    yield window
    window.close()


@pytest.fixture(scope="module")
def pages(
    make_findings: Callable[..., GenesisFindings], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return {
        study: write_report(folder / f"{study}.html", report)
        for study, report in reports_of(make_findings).items()
    }


@pytest.fixture(scope="module")
def hostile_pages(
    make_findings: Callable[..., GenesisFindings], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("hostile")
    return {
        study: write_report(folder / f"{study}.html", report)
        for study, report in reports_of(make_findings, HOSTILE).items()
    }


def opened(browser: Any, page: Path) -> None:
    browser.resize(1280, 900)
    browser.events.clear()
    browser.send("Page.navigate", url=page.as_uri())
    browser.wait(f"location.href.endsWith('/{page.name}') && document.readyState === 'complete'"
                 f" && location.pathname === {str(page)!r}")  # fmt: skip


def saved(browser: Any, selector: str, place: int) -> tuple[str, str]:
    """Press a button that saves, and return the name and the text of what it would save."""
    told = browser.run(
        """(async () => {
          const make = URL.createObjectURL, press = HTMLAnchorElement.prototype.click;
          const done = new Promise((resolve) => {
            let blob = null;
            URL.createObjectURL = (one) => { blob = one; return make.call(URL, one); };
            HTMLAnchorElement.prototype.click = function () {
              blob.arrayBuffer().then((b) => resolve([this.download,
                new TextDecoder("utf-8", { ignoreBOM: true }).decode(b)]));
            };
          });
          document.querySelectorAll(SELECTOR)[PLACE].click();
          const told = await done;
          URL.createObjectURL = make; HTMLAnchorElement.prototype.click = press;
          return told;
        })()""".replace("SELECTOR", repr(selector)).replace("PLACE", str(place))
    )
    return told[0], told[1]


@pytest.mark.parametrize("study", STUDIES)
def test_a_page_opens_offline_without_a_complaint(
    browser: Any, pages: dict[str, Path], study: str
) -> None:
    opened(browser, pages[study])
    assert browser.complaints() == []
    assert {url for url in browser.requests() if not url.startswith("data:")} == {
        pages[study].as_uri()
    }
    assert pages[study].stat().st_size < MOST_SMALL_PAGE


@pytest.mark.parametrize("study", STUDIES)
def test_all_pages_tell_in_one_order_with_one_trust_box(
    browser: Any, pages: dict[str, Path], study: str
) -> None:
    opened(browser, pages[study])
    titles = browser.run(
        "[...document.querySelectorAll('main section > h2')].map(e => e.textContent)"
    )
    answer = {"genesis": "Verdicts", "tailings": "Maps", "deposit": "Targets"}.get(study, "Where")
    whole = ["Conclusion", answer, "How far to trust it", "Why", "The data", "Methods", "The run"]
    assert titles == [title for title in whole if title in titles]
    assert {"Conclusion", answer, "How far to trust it", "Methods"} <= set(titles)
    questions = browser.run(
        "[...document.querySelectorAll('.trustbox dt')].map(e => e.textContent)"
    )
    assert questions == ["The published way", "The honest way", "Gap between them", "Null test",
                         "Best other simple method", "Leaks found", "Prevalence"]  # fmt: skip
    first = "document.querySelector('#how-far-to-trust-it .blocks').firstElementChild"
    assert browser.run(f"{first}.className") == "trustbox"


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("study", STUDIES)
def test_a_page_never_scrolls_sideways(
    browser: Any, pages: dict[str, Path], study: str, width: int
) -> None:
    opened(browser, pages[study])
    browser.resize(width, 900)
    browser.run("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    wide = browser.run("document.documentElement.scrollWidth")
    assert wide <= width


@pytest.mark.parametrize("study", STUDIES)
def test_every_figure_gives_its_svg_and_its_data(
    browser: Any, pages: dict[str, Path], study: str
) -> None:
    opened(browser, pages[study])
    n_figures = browser.run("document.querySelectorAll('figure').length")
    assert n_figures == browser.run("document.querySelectorAll('figure [data-figure]').length")
    assert n_figures == browser.run("document.querySelectorAll('figure [data-table]').length")
    for place in range(n_figures):
        name, text = saved(browser, "figure [data-figure]", place)
        drawing = ET.fromstring(text.encode())  # noqa: S314 - our own drawing
        assert name.endswith(".svg")
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
        assert drawing.find("{http://www.w3.org/2000/svg}title") is not None
        assert not re.findall(r"url\(#(?!drawing-)", text)
        name, text = saved(browser, "figure [data-table]", place)
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
        assert text.startswith("\ufeff")
        assert name.endswith(".csv")
        assert len(rows) > 1
        assert {len(row) for row in rows} == {len(rows[0])}


@pytest.mark.parametrize("study", STUDIES)
def test_figures_speak_with_a_number_and_tables_have_captions(
    browser: Any, pages: dict[str, Path], study: str
) -> None:
    opened(browser, pages[study])
    words = browser.run("[...document.querySelectorAll('figure svg[role=img]')]"
                        ".map(e => e.getAttribute('aria-label'))")  # fmt: skip
    assert len(words) == browser.run("document.querySelectorAll('figure').length")
    silent = [told for told in words if len(told) < 30 or not re.search(r"\d", told)]
    assert silent == []
    assert browser.run("[...document.querySelectorAll('table.sortable')].every(e => e.caption)")
    assert browser.run("[...document.querySelectorAll('th')].every(e => e.scope)")


CONTRAST = r"""(() => {
  const parse = (c) => (c.match(/[\d.]+/g) || []).map(Number);
  const lum = ([r, g, b]) => [r, g, b].map((v) => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; })
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0.9) { return c; } } return [255, 255, 255]; };
  const told = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const own = !e.closest("svg, script, noscript, [hidden], .gmap");
    if (!own || !walker.currentNode.data.trim()) { continue; }
    const a = lum(parse(getComputedStyle(e).color)), b = lum(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) { told.push([walker.currentNode.data.trim().slice(0, 30), ratio]); }
  }
  return told;
})()"""


@pytest.mark.parametrize("study", STUDIES)
def test_all_words_stand_out_from_their_ground(
    browser: Any, pages: dict[str, Path], study: str
) -> None:
    opened(browser, pages[study])
    assert browser.run(CONTRAST) == []
    browser.run("document.querySelector('.conclusion').style.color = '#999'")
    assert browser.run(CONTRAST)  # the measure sees grey words


def test_a_table_is_sorted_with_the_keyboard(browser: Any, pages: dict[str, Path]) -> None:
    opened(browser, pages["region"])
    find = (
        "[...document.querySelectorAll('table')]"
        ".find(table => table.caption && table.caption.textContent === 'All targets')"
    )
    button = f"{find}.querySelectorAll('th button')[5]"
    column = f"[...{find}.tBodies[0].rows].map(row => Number(row.cells[5].textContent))"
    before = browser.run(column)
    browser.run(f"{button}.focus()")
    browser.send("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r",
                 windowsVirtualKeyCode=13)  # fmt: skip
    browser.send("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter",
                 windowsVirtualKeyCode=13)  # fmt: skip
    assert browser.run(f"{button}.closest('th').getAttribute('aria-sort')") == "ascending"
    assert browser.run(column) == sorted(before) != before
    outline = browser.run(f"getComputedStyle({button}).outlineStyle")
    assert outline == "solid"


def test_methods_are_copied_as_plain_text_and_as_bibtex(
    browser: Any, pages: dict[str, Path]
) -> None:
    opened(browser, pages["genesis"])
    told = """(() => {
      let text = "";
      const write = document.execCommand;
      document.execCommand = () => { text = document.activeElement.value; return true; };
      document.querySelectorAll(".methods .copy")[%d].click();
      document.execCommand = write;
      return text;
    })()"""
    plain, bibtex = browser.run(told % 0), browser.run(told % 1)
    assert plain.startswith("Types were assigned by an ensemble")
    assert "\n\nReferences\n1. Frenzel, M., Hirsch, T., Gutzmer, J., 2016. Gallium" in plain
    assert bibtex.startswith("@article{Frenzel2016,\n  author = {Frenzel, M. and Hirsch, T.")
    name, text = saved(browser, ".methods .save", 0)
    assert (name, text.strip()) == ("references.bib", bibtex.strip())
    assert browser.run("document.querySelector('.methods .copy').textContent") == "Copied"


def test_print_leaves_out_what_only_a_screen_can_use(browser: Any, pages: dict[str, Path]) -> None:
    opened(browser, pages["region"])
    browser.send("Emulation.setEmulatedMedia", media="print")
    try:
        seen = "[...document.querySelectorAll('button, nav.contents')].filter(e => e.offsetParent)"
        # Headings of tables keep their words, which stand in buttons.
        assert browser.run(f"{seen}.filter(e => !e.closest('th')).length") == 0
        cut = "[...document.querySelectorAll('figure')].map(e => getComputedStyle(e).breakInside)"
        assert set(browser.run(cut)) == {"avoid"}
        assert (
            browser.run("getComputedStyle(document.querySelector('.scroll')).overflow") == "visible"
        )
        link = "getComputedStyle(document.querySelector('.scenelink a'), '::after').content"
        assert "html" in browser.run(link)
    finally:
        browser.send("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize("study", STUDIES)
def test_nothing_of_a_hostile_table_is_run(
    browser: Any, hostile_pages: dict[str, Path], study: str
) -> None:
    page = hostile_pages[study]
    opened(browser, page)
    browser.run("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    browser.frame()
    assert browser.run("window.taken === undefined")
    assert browser.complaints() == []  # nor did the policy have to stop it
    assert {url for url in browser.requests() if not url.startswith("data:")} == {page.as_uri()}
    assert (
        browser.run(
            "document.querySelectorAll('img, iframe, object, embed, body [onerror]').length"
        )
        == 0
    )
    links = browser.run("[...document.querySelectorAll('a')].map(e => e.protocol)")
    assert set(links) <= {"file:", "https:"}
    assert browser.run("document.body.innerText").count("<script>window.taken=1") > 5
    assert "{{7*7}}" in browser.run("document.querySelector('h1').textContent")


def test_figures_are_written_without_a_browser_as_the_page_has_them(
    pages: dict[str, Path], tmp_path: Path
) -> None:
    written = write_figures(pages["deposit"], tmp_path / "figures")
    drawings = [path for path in written if path.suffix == ".svg"]
    assert len(drawings) == pages["deposit"].read_text(encoding="utf-8").count("<figure")
    for path in drawings:
        root = ET.parse(path).getroot()  # noqa: S314 - our own drawing
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "clipPath" in path.read_text(encoding="utf-8")
    sections = next(
        path for path in written if path.name.startswith("sections") and path.suffix == ".csv"
    )
    assert {"easting", "northing", "elevation", "score"} <= set(pd.read_csv(sections))
    with pytest.raises(FileNotFoundError, match="No report"):
        write_figures(tmp_path / "none.html", tmp_path)
    (tmp_path / "other.html").write_text("<p>Hello</p>", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no figure that gossan drew"):
        write_figures(tmp_path / "other.html", tmp_path)
