"""Every link of the site is followed, and what a page would fetch from elsewhere is named.

A folder of HTML files goes in; a line for each fault comes out.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

FETCHED = re.compile(
    r'<(?:link|script|img|source|iframe)\b[^>]*?(?:href|src)="([a-z]+:[^"]*|//[^"]*)"'
)

CODE = re.compile(r"<pre.*?</pre>", flags=re.DOTALL)


def faults(out: Path) -> list[str]:
    """Return links without a page or an anchor, anchors that stand twice, and outside resources."""
    texts = {
        # Code that is shown may hold what looks like a link.
        path.relative_to(out).as_posix(): CODE.sub("", path.read_text(encoding="utf-8"))
        for path in sorted(out.rglob("*.html"))
    }
    anchors = {place: re.findall(r'\bid="([^"]+)"', text) for place, text in texts.items()}
    found = []
    for place, text in texts.items():
        found += [f"{place} -> {link}" for link in _broken(place, text, anchors, out)]
        twice = [name for name, times in Counter(anchors[place]).items() if times > 1]
        found += [f"{place} has the anchor #{name} twice" for name in twice]
        found += [f"{place} would fetch {link}" for link in FETCHED.findall(text)]
    return found


def _broken(place: str, text: str, anchors: dict[str, list[str]], out: Path) -> list[str]:
    broken = []
    for link in dict.fromkeys(re.findall(r'\b(?:href|src)="([^"]*)"', text)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(target)))
        path = path if target else place
        has_page = path in anchors or (out / path).is_file()
        if (
            not has_page
            or path.startswith("..")
            or (anchor and unquote(anchor) not in anchors.get(path, ()))
        ):
            broken.append(link)
    return broken
