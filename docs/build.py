"""Build the site of gossan: pages of this folder, gallery, claims, and the reference from docstrings.

    python docs/build.py [--out site]

Every .md file below docs/ becomes a page, whatever its name; so do README, CHANGELOG and
CONTRIBUTING. Out comes a folder that works from disk: no server, nothing from the net. The build
fails if a link or an anchor leads nowhere.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "bench")]

from _frame import GROUPS, frame, write_assets  # noqa: E402 - found through the line above
from _gallery import gallery_pages  # noqa: E402
from _links import faults  # noqa: E402
from _page import Page  # noqa: E402
from _prose import markdown_page  # noqa: E402
from _reference import index_page, room_page, rooms  # noqa: E402

from claims import as_markdown  # noqa: E402

# Files outside of docs/ that are pages, and where they come to lie.
OUTSIDE = {
    "README.md": "overview.html",
    "CHANGELOG.md": "changelog.html",
    "CONTRIBUTING.md": "contributing.html",
}
# The group of a page and its place there; whatever is not named comes after, by title.
STUDIES = ("deposit", "region", "transfer", "genesis", "tailings", "space")
ORDER = {
    "Start": ("index", "install", "overview", "cli"),
    "How to": tuple(
        f"howto/{name}"
        for name in (
            "messy-tables",
            "faulty-holes",
            "degrees",
            "rasters",
            "resume",
            "large",
            "cluster",
            "offline",
            "new-data",
            "one-layer",
            "gis-and-mine-software",
            "published",
            "quote",
        )
    ),
    "Tutorials": tuple(f"tutorials/{name}" for name in STUDIES),
    "Studies in depth": STUDIES,
    "Tried on real data": ("tried", "tried/minerals", "tried/holes", "tried/maps"),
    "Ground": ("conventions", "glossary", "plots", "scale", "security", "claims", "references"),
    "Gallery": ("gallery",),
    "Project": ("changelog", "contributing"),
}
SHORT = {"overview": "What it does, and how well", "changelog": "Changes", "index": "gossan"}


def main(arguments: list[str] | None = None) -> None:
    """Build all pages into the folder that `--out` names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("site"), help="folder to write")
    out = parser.parse_args(arguments).out
    pages = site_pages()
    empty(out)
    for page in pages:
        path = out / page.place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(frame(page, pages), encoding="utf-8")
        for name in page.copied:
            copy(ROOT / name, out / "files" / name)
    for path in sorted((HERE / "pictures").glob("*.*")):
        copy(path, out / "pictures" / path.name)
    write_assets(out, pages)
    found = faults(out)
    print(f"{len(pages)} pages in {out}")
    if found:
        sys.exit("Links that lead nowhere, and the like:\n  " + "\n  ".join(found))


def site_pages() -> list[Page]:
    """Return all pages of the site, in the order in which they are read."""
    texts = dict(sources())
    places = {source: place_of(source) for source in texts}
    pages = [
        markdown_page(text, source=source, place=places[source], places=places, root=ROOT)
        for source, text in texts.items()
    ]
    pages += [index_page()]
    pages += [room_page(room) for room in rooms()]
    pages += gallery_pages(ROOT / "gallery")
    return sorted((placed(page) for page in pages), key=rank)


def sources() -> Iterator[tuple[str, str]]:
    """Yield each Markdown file of the project that is a page, and what is made while building."""
    for path in sorted(HERE.rglob("*.md")):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for name in OUTSIDE:
        yield name, (ROOT / name).read_text(encoding="utf-8")
    yield "docs/claims.md", as_markdown()


def place_of(source: str) -> str:
    """Return where the page of a source comes to lie."""
    if source in OUTSIDE:
        return OUTSIDE[source]
    return source.removeprefix("docs/").removesuffix(".md") + ".html"


def placed(page: Page) -> Page:
    """Return the page with its group, and with its short title if it has one."""
    stem = page.place.removesuffix(".html")
    group = page.group or next((group for group, stems in ORDER.items() if stem in stems), "")
    if not group:
        folder = stem.rpartition("/")[0]
        group = {
            "tutorials": "Tutorials", "howto": "How to", "gallery": "Gallery", "": "Ground",
        }.get(folder, "Reference")  # fmt: skip
        group = "Reference" if stem == "reference" else group
    return replace(page, group=group, title=SHORT.get(stem, page.title))


def rank(page: Page) -> tuple[int, int, str]:
    """Return what puts pages in order: group, place in it, title."""
    stem = page.place.removesuffix(".html")
    named = ORDER.get(page.group, ())
    if page.group == "Reference":
        named = ("reference", *(f"reference/{room}" for room in rooms()))
    return GROUPS.index(page.group), named.index(stem) if stem in named else len(named), page.title


def empty(out: Path) -> None:
    """Make the folder, without the pages of an earlier build; a folder of others is refused."""
    if out.exists() and any(out.iterdir()):
        if not (out / "search.js").is_file() and not (out / "conventions.html").is_file():
            sys.exit(f"{out} holds other files. Name an empty folder with --out.")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)


def copy(path: Path, target: Path) -> None:
    """Copy a file, with the folders above it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


if __name__ == "__main__":
    main()
