"""The gallery: scripts that run end to end, each with its first words, its pictures and its code.

A folder of scripts goes in; a page that lists them and a page for each come out.
"""

from __future__ import annotations

import ast
import html
from pathlib import Path

from _page import Page
from _prose import to_html
from _reference import coloured

PICTURES = Path(__file__).parent / "pictures"


def gallery_pages(folder: Path) -> list[Page]:
    """Return the page that lists the scripts, and a page for each of them."""
    scripts = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
    pages = [script_page(path) for path in scripts]
    body = '<h1 id="gallery">Gallery</h1><p>Each script runs as it stands, from a clone: '
    body += "<code>python gallery/NAME.py --out FOLDER</code>. With <code>--quick</code> it takes "
    body += "seconds, and CI runs it so; <code>make gallery</code> runs them all.</p>"
    body += '<div class="cards">'
    for page, path in zip(pages, scripts, strict=True):
        body += f'<a class="card" href="{page.place}">{picture(path.stem)}'
        body += f"<strong>{html.escape(first_line(path))}</strong>"
        body += f"<span><code>gallery/{path.name}</code></span></a>"
    return [Page("gallery.html", "All scripts", body + "</div>", (), "Gallery"), *pages]


def script_page(path: Path) -> Page:
    """Return the page of a script: what it is for, its pictures, its code."""
    text = path.read_text(encoding="utf-8")
    doc = ast.get_docstring(ast.parse(text)) or path.stem
    first, _, rest = doc.partition("\n")
    words, _ = to_html(rest)
    body = f'<h1 id="{path.stem}">{html.escape(first.rstrip("."))}</h1>{words}{picture(path.stem)}'
    body += f'<h2 id="code">gallery/{path.name}</h2>{coloured(text, "python")}'
    return Page(f"gallery/{path.stem}.html", path.stem.replace("_", " "), body)


def first_line(path: Path) -> str:
    """Return the first words of a script."""
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem
    return doc.splitlines()[0].rstrip(".")


def picture(stem: str) -> str:
    """Return the picture that a script made for these pages, if it made one."""
    for path in sorted(PICTURES.glob(f"{stem}.*")):
        return f'<img src="pictures/{path.name}" alt="" loading="lazy">'
    return ""
