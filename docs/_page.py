"""A page of the site, before it gets its frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A page: where it lies in the site, its title, HTML, and (level, id, words) of headings."""

    place: str
    title: str
    body: str
    headings: tuple[tuple[int, str, str], ...] = ()
    group: str = ""
    copied: tuple[str, ...] = ()  # files of the project that it links to
