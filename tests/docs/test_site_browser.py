"""The site in a real browser, opened from disk without a network: search, menu, no complaint."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("markdown")
TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of three pages, in the frame of all."""
    before, known = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(DOCS))
    import _frame
    import _page

    out = tmp_path_factory.mktemp("site")
    pages = [
        _page.Page(
            place,
            title,
            f'<h1 id="top">{title}</h1><p>Words on {title}.</p><h2 id="a">Part</h2>'
            '<div class="code"><pre>$ gossan demo\nwritten</pre></div><p>'
            + "long " * 3000
            + "</p>",
            ((1, "top", title), (2, "a", "Part")),
            group,
        )
        for place, title, group in (
            ("index.html", "Start", "Start"),
            ("howto/holes.html", "Faulty holes", "How to"),
            ("glossary.html", "Glossary", "Ground"),
        )
    ]
    (out / "howto").mkdir()
    for page in pages:
        (out / page.place).write_text(_frame.frame(page, pages), encoding="utf-8")
    _frame.write_assets(out, pages)
    yield out
    sys.path[:] = before
    for name in set(sys.modules) - known:
        if name.startswith("_") and hasattr(sys.modules[name], "__file__"):
            path = sys.modules[name].__file__
            if path and Path(path).parent == DOCS:
                del sys.modules[name]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    path = TESTS / "report" / "chromium.py"
    spec = importlib.util.spec_from_file_location("chromium", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        window = module.Chromium(tmp_path_factory.mktemp("browser"))
    except (FileNotFoundError, OSError, RuntimeError, TimeoutError) as error:
        pytest.skip(str(error))
    yield window
    window.close()


def visit(browser, path):
    browser.events.clear()
    browser.send("Page.navigate", url=path.as_uri())
    browser.wait(f"location.href === '{path.as_uri()}' && document.readyState === 'complete'")


def search(browser, words):
    """Type words, and return what is listed as (title, address)."""
    browser.run(
        f"query.focus(), query.value = '{words}', query.dispatchEvent(new Event('input')), 0"
    )
    script = (
        "[...found.querySelectorAll('a')].map(a => [a.querySelector('strong').textContent, a.href])"
    )
    return browser.run(script)


def test_search_finds_pages_parts_and_names_from_disk(site, browser):
    visit(browser, site / "howto" / "holes.html")
    found = search(browser, "faulty")
    assert found[0] == ["Faulty holes", (site / "howto" / "holes.html").as_uri() + "#top"]
    names = search(browser, "Kriging")
    assert names[0] == ["Kriging", (site / "reference" / "geostat.html").as_uri() + "#Kriging"]
    assert search(browser, "xyzzy") == []
    assert "Nothing found" in browser.run("found.textContent")
    assert all(address.startswith("file:") for address in browser.requests())
    assert browser.complaints() == []


def test_a_key_opens_search_and_escape_leaves_it(site, browser):
    visit(browser, site / "index.html")
    browser.key("/")
    assert browser.run("document.activeElement.id") == "query"
    search(browser, "glossary")
    assert not browser.run("found.hidden")
    browser.key("Escape")
    assert browser.run("found.hidden")


@pytest.mark.parametrize("width", [360, 1300])
def test_no_page_is_wider_than_its_window_and_the_menu_opens(site, browser, width):
    browser.resize(width, 800)
    visit(browser, site / "index.html")
    assert browser.run("document.documentElement.scrollWidth") <= width
    shown = "getComputedStyle(document.querySelector('.side')).display !== 'none'"
    assert browser.run(shown) is (width > 1000)
    browser.run("document.querySelector('.menu-button').click(), 0")
    assert browser.run(shown)
    browser.resize(1280, 800)


def test_code_is_copied_without_its_prompt(site, browser):
    visit(browser, site / "index.html")
    browser.run(
        "Object.defineProperty(navigator, 'clipboard',"
        " {configurable: true, value: {writeText: async text => { window.copied = text; }}}), 0"
    )
    browser.run("document.querySelector('.copy').click(), 0")
    assert browser.run("window.copied") == "gossan demo"
