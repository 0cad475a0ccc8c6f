"""Pages from Markdown files: their titles, their links, and the names of the API in them.

A file goes in; its title, its HTML and the headings of it come out. Links are written from the top
of the site; the frame turns them into relative ones.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path

from _page import Page
from _reference import name_link


def to_html(text: str) -> tuple[str, tuple[tuple[int, str, str], ...]]:
    """Return Markdown as HTML, and its headings."""
    from markdown import Markdown

    extensions = [
        "tables",
        "fenced_code",
        "toc",
        "def_list",
        "attr_list",
        "codehilite",
        "md_in_html",
    ]
    settings = {
        "toc": {"permalink": "#", "permalink_class": "anchor", "permalink_title": "link to this"},
        "codehilite": {"css_class": "code", "guess_lang": False},
    }
    machine = Markdown(extensions=extensions, extension_configs=settings)
    body = machine.convert(text)
    return body, tuple(_flat(machine.toc_tokens))


def _flat(tokens: list[dict]) -> list[tuple[int, str, str]]:
    found = []
    for token in tokens:
        found.append((token["level"], token["id"], token["name"]))
        found += _flat(token["children"])
    return found


def markdown_page(
    text: str, *, source: str, place: str, places: Mapping[str, str], root: Path
) -> Page:
    """Return the page of a Markdown text.

    `source` is where it lies in the project and `places` tells where each source comes to lie in
    the site; a link to another file of the project is copied beside the pages.
    """
    body, headings = to_html(text)
    # Entries of the bibliography and terms of the glossary are anchors.
    body = re.sub(r"<li><strong>(\w+)</strong>", r'<li id="\1"><strong>\1</strong>', body)
    body = re.sub(r"<dt>(.*?)</dt>", _term, body)
    body = _wide_tables(_link_names(body))
    copied: list[str] = []

    def point(match: re.Match[str]) -> str:
        target, hash_, anchor = match[2].partition("#")
        if ":" in target or not target:
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if path in places:
            return f'{match[1]}="{places[path]}{hash_}{anchor}"'
        if not (root / path).is_file():
            return f'{match[1]}="{path}{hash_}{anchor}"'  # the check of links will name it
        copied.append(path)
        return f'{match[1]}="files/{path}{hash_}{anchor}"'

    body = re.sub(r'\b(href|src)="([^"]+)"', point, body)
    title = next((words for level, _, words in headings if level == 1), Path(source).stem)
    return Page(place, title, body, headings, copied=tuple(copied))


def _term(match: re.Match[str]) -> str:
    words = re.sub(r"<[^>]+>", "", match[1]).lower()
    return f'<dt id="{re.sub(r"[^a-z0-9]+", "-", words).strip("-")}">{match[1]}</dt>'


def _link_names(body: str) -> str:
    """Link inline code that names something public, outside of links, headings and blocks."""
    parts = re.split(r"(<pre.*?</pre>|<a\b.*?</a>|<h\d.*?</h\d>)", body, flags=re.DOTALL)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"<code>([^<]+)</code>", _linked, parts[i])
    return "".join(parts)


def _linked(match: re.Match[str]) -> str:
    # From the top of the site, so that `point` must not take it for a file beside the page.
    return name_link(match[1]).replace('href="', 'href="site:')


def _wide_tables(body: str) -> str:
    """Let wide tables be scrolled on their own, not the whole page."""
    body = body.replace("<table>", '<div class="scroll"><table>')
    return body.replace("</table>", "</table></div>")
