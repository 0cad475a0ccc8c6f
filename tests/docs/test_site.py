"""The site: built once, then looked at as a reader does, from disk and without a network."""

import importlib
import inspect
import json
import re
import sys
from pathlib import Path

import pytest

import gossan

pytest.importorskip("markdown")
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def builder():
    """The builder as a module; what it puts on the path is taken off again."""
    before, known = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(DOCS))
    yield importlib.import_module("build")
    sys.path[:] = before
    for name in set(sys.modules) - known:
        if not name.startswith(("gossan", "markdown", "pygments")) and "." not in name:
            path = getattr(sys.modules[name], "__file__", None) or ""
            if Path(path).parent in (DOCS, DOCS.parent / "bench"):
                del sys.modules[name]


@pytest.fixture(scope="module")
def site(builder, tmp_path_factory):
    out = tmp_path_factory.mktemp("site") / "site"
    builder.main(["--out", str(out)])
    return out


@pytest.fixture(scope="module")
def texts(site):
    return {
        path.relative_to(site).as_posix(): path.read_text(encoding="utf-8")
        for path in site.rglob("*.html")
    }


def public_names():
    rooms = [name for name in gossan.__all__ if inspect.ismodule(getattr(gossan, name))]
    return [(room, name) for room in rooms for name in getattr(gossan, room).__all__]


def test_every_markdown_file_is_a_page(texts):
    for path in DOCS.rglob("*.md"):
        assert path.relative_to(DOCS).with_suffix(".html").as_posix() in texts
    assert {"overview.html", "changelog.html", "claims.html", "reference.html"} <= set(texts)


def test_every_public_name_has_its_place_and_its_line(texts):
    for room, name in public_names():
        page = texts[f"reference/{room}.html"]
        assert f'id="{name}"' in page, f"{room}.{name}"
        assert f'href="#{name}"' in page
        assert f'href="reference/{room}.html#{name}"' in texts["reference.html"]


def test_public_methods_stand_under_their_class(texts):
    page = texts["reference/data.html"]
    assert 'id="DrillHoles.fixed"' in page
    assert 'id="DrillHoles._' not in page


def test_signatures_are_shown_without_self_and_without_addresses(texts):
    for room in {room for room, _ in public_names()}:
        page = texts[f"reference/{room}.html"]
        assert " at 0x" not in page
        assert not re.search(r'class="signature">.{0,200}>self<', page)


def test_docstrings_become_lists_links_and_coloured_examples(texts):
    page = texts["reference/geostat.html"]
    entry = page[page.index('id="Kriging"') :]
    assert '<p class="part-title">Parameters</p><div><dl><dt><code>' in entry
    assert '<span class="gp">&gt;&gt;&gt; </span>' in entry
    assert '<a href="../references.html#' in texts["reference/geochem.html"]
    assert re.search(r'<a href="\.\./reference/\w+\.html#\w+"><code>', page)


def test_search_finds_every_public_name_and_every_page(site, texts):
    text = (site / "search.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("window.gossanIndex=").rstrip(";\n"))
    found = {place for _, place, _, _ in index}
    assert {f"reference/{room}.html#{name}" for room, name in public_names()} <= found
    pages = {place.split("#")[0] for place in found}
    assert set(texts) <= pages | {"reference.html"}
    assert len(text) < 1_500_000


def test_each_page_can_be_left_and_nothing_is_fetched_from_elsewhere(texts):
    for place, text in texts.items():
        assert 'class="side"' in text, place
        assert 'rel="prev"' in text or 'rel="next"' in text, place
        assert "<h1" in text, place
        assert "<script>" not in text, place
    assert sum('rel="prev"' not in text for text in texts.values()) == 1
    assert sum('rel="next"' not in text for text in texts.values()) == 1


def test_the_navigation_is_in_groups_and_marks_the_page(texts):
    page = texts["tutorials/region.html"]
    groups = re.findall(r"<p>([^<]+)</p><ul>", page[: page.index("</nav>")])
    assert groups[:3] == ["Start", "Tutorials", "How to"]
    assert page.count('aria-current="page"') == 1


def test_pictures_are_small_and_made_by_scripts():
    gallery = {path.stem for path in (DOCS.parent / "gallery").glob("*.py")}
    for path in (DOCS / "pictures").iterdir():
        assert path.stem in gallery, f"no script of the gallery makes {path.name}"
        assert path.stat().st_size < 150_000


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="nowhere.html">x</a>', "a.html -> nowhere.html"),
        ('<a href="b.html#gone">x</a>', "a.html -> b.html#gone"),
        ('<a href="#gone">x</a>', "a.html -> #gone"),
        ('<img src="gone.svg">', "a.html -> gone.svg"),
        ('<a href="../a.html">x</a>', "a.html -> ../a.html"),
        ('<p id="x"></p><p id="x"></p>', "a.html has the anchor #x twice"),
        ('<script src="https://example.org/x.js"></script>', "a.html would fetch https:"),
    ],
)
def test_a_fault_of_a_page_is_named(builder, tmp_path, body, fault):
    (tmp_path / "a.html").write_text(body, encoding="utf-8")
    (tmp_path / "b.html").write_text('<p id="here"></p>', encoding="utf-8")
    assert [told for told in builder.faults(tmp_path) if told.startswith(fault)]


def test_good_links_are_no_faults(builder, tmp_path):
    body = '<a href="b.html#here">x</a><a href="https://example.org">x</a><a id="y" href="#y">x</a>'
    (tmp_path / "a.html").write_text(body, encoding="utf-8")
    (tmp_path / "b.html").write_text('<p id="here"></p>', encoding="utf-8")
    assert builder.faults(tmp_path) == []


def test_a_folder_of_others_is_not_emptied(builder, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit, match="holds other files"):
        builder.main(["--out", str(tmp_path)])
    assert (tmp_path / "thesis.txt").exists()
