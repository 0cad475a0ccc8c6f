"""The frame of every page: side navigation in groups, contents of the page, search, prev and next.

Pages come in; whole HTML files go out, whose links are relative, so that the folder works from disk
and on any server alike.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from pathlib import Path

from _page import Page
from _reference import entries, rooms

THEME = Path(__file__).parent / "theme"
GROUPS = (
    "Start",
    "Tutorials",
    "How to",
    "Studies in depth",
    "Tried on real data",
    "Ground",
    "Reference",
    "Gallery",
    "Project",
)


def write_assets(out: Path, pages: Sequence[Page]) -> None:
    """Write the style, the script and the search index beside the pages."""
    for name in ("site.css", "site.js"):
        text = (THEME / name).read_text(encoding="utf-8")
        out.joinpath(name).write_text(text, encoding="utf-8")
    index = json.dumps(search_index(pages), ensure_ascii=False, separators=(",", ":"))
    # A script and not a JSON file: browsers do not fetch files from disk.
    out.joinpath("search.js").write_text(f"window.gossanIndex={index};\n", encoding="utf-8")


def search_index(pages: Sequence[Page]) -> list[list[str]]:
    """Return [title, place, where, text] of each section of the pages and each public name."""
    found = []
    for page in pages:
        if page.place.startswith(("reference/", "reference.html")):
            continue
        marks = [*re.finditer(r'<h[1-3][^>]*\bid="([^"]+)"', page.body)]
        ends = [*(mark.start() for mark in marks[1:]), len(page.body)]
        words = {anchor: told for _, anchor, told in page.headings}
        for mark, end in zip(marks, ends, strict=True):
            text = plain_text(page.body[mark.start() : end])
            title = html.unescape(plain_text(words.get(mark[1], page.title)))
            found.append([title, f"{page.place}#{mark[1]}", page.title, text[:600]])
    for room in rooms():
        for entry in entries(room):
            place = f"reference/{room}.html#{entry.name}"
            found.append([entry.name, place, f"gossan.{room}", entry.summary])
    return found


def plain_text(body: str) -> str:
    """Return the words of HTML, without the marks beside headings."""
    body = re.sub(r'<a class="anchor".*?</a>', "", body)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split()))


def frame(page: Page, pages: Sequence[Page]) -> str:
    """Return a whole page."""
    up = "../" * page.place.count("/")
    where = [other.place for other in pages].index(page.place)
    title = page.title if page.place == "index.html" else f"{page.title} - gossan"
    inner = (
        f'<header class="top"><label for="menu" class="menu-button">Menu</label>'
        f'<a class="home" href="index.html">gossan</a>'
        f'<div class="search" role="search" hidden><input type="search" id="query" '
        f'placeholder="Search ( / )" aria-label="Search" autocomplete="off">'
        f'<ol id="found" hidden></ol></div></header>'
        f'<input type="checkbox" id="menu" hidden><div class="columns">'
        f'<nav class="side" aria-label="Pages">{navigation(page, pages)}</nav>'
        f"<main>{page.body}{neighbours(where, pages)}</main>{contents(page)}</div>"
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title>"
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="{up}site.css"></head>'
        f'<body data-up="{up}">{relative(inner, up)}'
        f'<script src="{up}search.js" defer></script><script src="{up}site.js" defer></script>'
        f"</body></html>\n"
    )


def navigation(page: Page, pages: Sequence[Page]) -> str:
    """Return the links in groups; the reference lists its rooms only when one of them is open."""
    body = ""
    for group in GROUPS:
        members = [other for other in pages if other.group == group]
        if not members:
            continue
        links = "".join(_link(other, page) for other in members)
        body += f"<p>{group}</p><ul>{links}</ul>"
    return body


def _link(other: Page, page: Page) -> str:
    here = ' aria-current="page"' if other.place == page.place else ""
    return f'<li><a href="{other.place}"{here}>{html.escape(other.title)}</a></li>'


def contents(page: Page) -> str:
    """Return the headings of the page as links, where there are enough to look for one."""
    told = [(level, anchor, words) for level, anchor, words in page.headings if level in (2, 3)]
    if len(told) < 3:
        return '<aside class="contents"></aside>'
    links = "".join(
        f'<li class="level-{level}"><a href="#{anchor}">{words}</a></li>'
        for level, anchor, words in told
    )
    inner = f"<p>On this page</p><ul>{links}</ul>"
    return f'<aside class="contents" aria-label="On this page">{inner}</aside>'


def neighbours(where: int, pages: Sequence[Page]) -> str:
    """Return the links to the page before and the page after."""
    body = ""
    for step, rel, word in ((-1, "prev", "Before"), (1, "next", "Next")):
        if 0 <= where + step < len(pages):
            other = pages[where + step]
            words = f"<small>{word}</small>{html.escape(other.title)}"
            body += f'<a rel="{rel}" href="{other.place}">{words}</a>'
    return f'<nav class="neighbours" aria-label="Before and next">{body}</nav>'


def relative(body: str, up: str) -> str:
    """Turn links from the top of the site into relative ones."""
    body = body.replace('href="site:', 'href="')
    parts = re.split(r"(<pre.*?</pre>)", body, flags=re.DOTALL)
    for i in range(0, len(parts), 2):  # code that is shown stays as it is
        parts[i] = re.sub(r'\b(href|src)="(?![a-z]+:|#)([^"]*)"', rf'\1="{up}\2"', parts[i])
    return "".join(parts)
