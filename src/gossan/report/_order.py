"""One order for all pages: the answer, how far to trust it, why, the data, the methods.

Sections of a study come in; the same under the names that all studies share, what belongs together in
one section, goes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gossan.report.blocks import Part
from gossan.report.page import Section

TRUST, WHY, DATA, METHODS = "How far to trust it", "Why", "The data", "Methods"


def in_order(
    answer: Section | None,
    *,
    trust: Sequence[Section],
    why: Sequence[Section],
    data: Section,
    methods: Section,
) -> list[Section]:
    """Sections of a page, those without content left out.

    Parameters
    ----------
    answer : Section or None
        Under its own title ("Verdicts", "Maps", "Targets", "Where").
    trust, why : sequence of Section
        The first opens the section; the others are parts of it under their own titles.
    data, methods : Section

    Returns
    -------
    sections : list of Section

    Examples
    --------
    >>> from gossan.report.blocks import Text
    >>> told = Section("Null test", "", [Text("Passed.")])
    >>> page = in_order(None, trust=[Section("Scores"), told], why=[], data=Section(""),
    ...                 methods=Section(""))
    >>> page[0].title, page[0].blocks[0].title
    ('How far to trust it', 'Null test')
    """
    sections = [
        *([answer] if answer is not None else []),
        _joined(TRUST, trust),
        _joined(WHY, why),
        replace(data, title=DATA),
        replace(methods, title=METHODS),
    ]
    return [section for section in sections if section.blocks]


def _joined(title: str, sections: Sequence[Section]) -> Section:
    if not sections:
        return Section(title)
    first, *rest = sections
    parts = [Part(part.title, part.intro, part.blocks) for part in rest if part.blocks]
    return Section(title, first.intro, [*first.blocks, *parts])
