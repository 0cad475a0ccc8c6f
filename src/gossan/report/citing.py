"""References that can be pasted: in full, as plain text, and as BibTeX.

Citations as a study tells them come in; the full references of the bibliography that gossan ships,
found by their DOI or by author and year, go out. An unknown citation is kept as it stands.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from markupsafe import Markup

from gossan.report._writing import DOI, link_dois

_FORM = re.compile(r"(?P<authors>.+?),? (?P<year>\d{4})\. (?P<rest>.+)", re.DOTALL)
_JOURNAL = re.compile(
    r"(?P<name>.+?) (?P<volume>\d+)(?: \((?P<number>[^)]+)\))?(?:, (?P<pages>\S+))?"
)
_AUTHOR = re.compile(r"((?:[^,]|,(?= (?:Jr|Sr|I+)\b))+), ((?:[^\W\d_]\.?-?)+)(?:, |$)")
_SPECIAL = {letter: f"\\{letter}" for letter in "&%$#_{}"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
}


@dataclass(frozen=True)
class Methods:
    """Paragraphs to paste into a paper, with their references as text and as BibTeX.

    Parameters
    ----------
    text : str
        Plain text; blank lines part paragraphs.
    citations : sequence of str
        References, as a study tells them.
    """

    text: str
    citations: Sequence[str] = ()

    @property
    def paragraphs(self) -> list[str]:
        """Paragraphs without blank ones."""
        return [part.strip() for part in re.split(r"\n\s*\n", self.text) if part.strip()]

    @property
    def references(self) -> list[str]:
        """References in full."""
        return [full_reference(citation)[0] for citation in self.citations]

    @property
    def linked(self) -> list[Markup]:
        """References as HTML, escaped, each DOI a link."""
        return [link_dois(reference) for reference in self.references]

    @property
    def plain(self) -> str:
        """What the button copies: paragraphs, then numbered references."""
        listed = [f"{n}. {told}" for n, told in enumerate(self.references, 1)]
        parts = [*self.paragraphs, *(["\n".join(["References", *listed])] if listed else [])]
        return "\n\n".join(parts)

    @property
    def bibtex(self) -> str:
        """References as BibTeX entries."""
        return to_bibtex(self.citations)


def to_bibtex(citations: Sequence[str]) -> str:
    """BibTeX entries of citations, each key once.

    Parameters
    ----------
    citations : sequence of str
        As a study tells them, or references in full.

    Returns
    -------
    bibtex : str
        Entries of the shipped bibliography; what it does not hold is parsed if it has the form
        "Authors, year. Title. Journal volume, pages. doi:...", else kept whole as a note.

    Examples
    --------
    >>> print(to_bibtex(["Breiman, L., 2001. Random forests. Machine Learning 45, 5-32."]))
    @article{Breiman2001,
      author = {Breiman, L.},
      title = {{Random forests}},
      year = {2001},
      journal = {Machine Learning},
      volume = {45},
      pages = {5--32}
    }
    """
    entries: dict[str, str] = {}
    for citation in citations:
        reference, key, _ = _found(citation)
        fields = _fields_of(reference)
        name = stem = key or _key_of(reference, fields)
        for letter in "abcdefghij":
            if name not in entries:
                break
            name = f"{stem}{letter}"
        entries[name] = _entry(name, fields)
    return "\n\n".join(entries.values())


def full_reference(citation: str) -> tuple[str, str]:
    """Full reference of a citation, with what the study says of it in brackets, and its key.

    Examples
    --------
    >>> full_reference("Wolpert 1992, doi:10.1016/S0893-6080(05)80023-1 (blend).")[1]
    'Wolpert1992'
    >>> full_reference("Goovaerts 1997 (kriging).")[0]
    'Goovaerts, P., 1997. Geostatistics for Natural Resources Evaluation. Oxford University Press, \
New York. (kriging)'
    """
    reference, key, note = _found(citation)
    return (f"{reference} ({note})" if note and key else reference), key


def _found(citation: str) -> tuple[str, str, str]:
    """Return the full reference, its key (empty where it is unknown), and the note of a citation."""
    note = re.search(r"\(([^()]+)\)\.?\s*$", citation)
    doi, own = DOI.search(citation), _first_and_year(citation)
    for key, reference in bibliography().items():
        known = DOI.search(reference)
        if doi and known:
            is_same = doi[1].lower().rstrip(".") == known[1].lower().rstrip(".")
        else:
            is_same = bool(own[1]) and own == _first_and_year(reference)
        if is_same:
            return reference, key, note[1] if note else ""
    return citation, "", ""


@cache
def bibliography() -> dict[str, str]:
    """Key to full reference, as docs/references.md has them; those that the studies cite."""
    text = files("gossan.report").joinpath("bibliography.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _first_and_year(text: str) -> tuple[str, str]:
    first, year = re.match(r"[^\W\d_]+", text), re.search(r"\b(1[89]|20)\d\d\b", text)
    return (first[0].lower() if first else "", year[0] if year else "")


def _fields_of(reference: str) -> dict[str, str]:
    """Return the fields of a reference of the house's form; all of any other as a note."""
    doi = DOI.search(reference)
    text = re.sub(r"\s*\((?:DOI )?not checked[^)]*\)", "", reference)
    text = DOI.sub("", text).strip().rstrip(".")
    found = _FORM.fullmatch(text)
    if found is None:
        return {"note": text, **({"doi": doi[1]} if doi else {})}
    fields = {"author": _authors(found["authors"]), "year": found["year"]}
    title, _, place = found["rest"].partition(". ")
    fields["title"] = title.strip()
    place, _, preprint = place.partition("arXiv:")
    fields |= _place_fields(place.strip().rstrip(". "))
    if preprint:
        fields |= {"eprint": preprint.strip(), "archiveprefix": "arXiv"}
    return fields | ({"doi": doi[1]} if doi else {})


def _place_fields(place: str) -> dict[str, str]:
    """Return where a work stands: a journal with volume and pages, or as it is written."""
    found = _JOURNAL.fullmatch(place)
    if found is None:
        return {"howpublished": place} if place else {}
    told = {"journal": found["name"], "volume": found["volume"], "number": found["number"],
            "pages": found["pages"]}  # fmt: skip
    return {name: value.rstrip(",") for name, value in told.items() if value}


def _authors(text: str) -> str:
    others = ", et al." in f"{text}." or "et al" in text
    names = [f"{m[1].strip()}, {m[2]}" for m in _AUTHOR.finditer(text.replace(", et al.", ""))]
    return " and ".join([*(names or [text.replace(" et al", "").strip(" .,")]),
                         *(["others"] if others else [])])  # fmt: skip


def _key_of(reference: str, fields: dict[str, str]) -> str:
    first, year = _first_and_year(reference)
    plain = unicodedata.normalize("NFKD", first).encode("ascii", "ignore").decode()
    return f"{plain.capitalize() or 'reference'}{fields.get('year', year)}"


def _entry(key: str, fields: dict[str, str]) -> str:
    kind = "article" if "journal" in fields else "misc"
    order = ("author", "title", "year", "journal", "volume", "number", "pages", "howpublished",
             "eprint", "archiveprefix", "note", "doi")  # fmt: skip
    lines = []
    for name in order:
        if name not in fields:
            continue
        raw = fields[name]
        value = raw if name == "doi" else "".join(_SPECIAL.get(letter, letter) for letter in raw)
        if name == "pages":
            value = re.sub(r"(?<=\w)[-–](?=\w)", "--", value)
        lines.append(f"  {name} = {{{f'{{{value}}}' if name == 'title' else value}}}")
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}"
