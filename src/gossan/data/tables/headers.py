"""What the head of a table says: which columns are analyses, of what, in which unit and limit.

Rows of header cells come in; one `Header` per column goes out, and nothing is said about the
numbers below, which `assays` weighs before it believes a header.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from gossan._units import ATOMIC_WEIGHTS, is_unit, normalise_unit

OXIDES = tuple(
    re.findall(
        r"\S+",
        """SiO2 TiO2 Al2O3 Fe2O3 FeO MnO MnO2 Mn3O4 MgO CaO Na2O K2O P2O5 Cr2O3 NiO CoO ZnO CuO Cu2O
        PbO BaO SrO V2O3 V2O5 ZrO2 Nb2O5 Ta2O5 WO3 MoO3 SnO2 SO2 SO3 CO2 H2O As2O3 As2O5 Sb2O3 Li2O
        Rb2O Cs2O B2O3 BeO Ga2O3 GeO2 In2O3 CdO Bi2O3 Ag2O ThO2 UO2 U3O8 Y2O3 La2O3 Ce2O3 CeO2
        Pr2O3 Nd2O3 Sm2O3 Eu2O3 Gd2O3 Tb2O3 Dy2O3 Ho2O3 Er2O3 Tm2O3 Yb2O3 Lu2O3 HfO2 Sc2O3""",
    )
)
"""Oxides that a header may name."""

_NOT_ASSAYED = {"H", "He", "Ne", "Ar", "Kr", "Xe", "O"}
_SYMBOLS = {s: s for s in ATOMIC_WEIGHTS if s not in _NOT_ASSAYED} | {o: o for o in OXIDES}
_ANY_CASE = {word.casefold(): word for word in _SYMBOLS}

_ENGLISH = dict(
    re.findall(
        r"(\w+)=(\w+)",
        """lithium=Li beryllium=Be boron=B carbon=C fluorine=F sodium=Na magnesium=Mg aluminium=Al
        aluminum=Al silicon=Si phosphorus=P sulfur=S sulphur=S chlorine=Cl potassium=K calcium=Ca
        scandium=Sc titanium=Ti vanadium=V chromium=Cr manganese=Mn iron=Fe cobalt=Co nickel=Ni
        copper=Cu zinc=Zn gallium=Ga germanium=Ge arsenic=As selenium=Se strontium=Sr yttrium=Y
        zirconium=Zr niobium=Nb molybdenum=Mo palladium=Pd silver=Ag cadmium=Cd indium=In tin=Sn
        antimony=Sb tellurium=Te barium=Ba lanthanum=La cerium=Ce hafnium=Hf tantalum=Ta tungsten=W
        rhenium=Re platinum=Pt gold=Au mercury=Hg thallium=Tl lead=Pb bismuth=Bi thorium=Th
        uranium=U""",
    )
)
_UNIT_TEXT = re.compile(
    r"(?<![a-z0-9])(?:[unpm]?g\s*[/.]?\s*(?:k?g|t(?:onne)?)\s*-1|[unpmk]?g\s*/\s*(?:100\s?g|kg|g|tonne|t)"
    r"|t?oz\s*/\s*(?:tonne|ton|st|mt|t)|pp[mbt]w?|gpt|opt|(?:wt|mass|weight|at|mol|atomic)?[\s._]*"
    r"(?:%|pct|percent|per\s?cent))(?![a-z0-9])",
    re.IGNORECASE,
)
_GLUED_UNIT = re.compile(r"^([A-Z][A-Za-z0-9]*?)(ppm|ppb|ppt|pct|gpt|%)$")
_LIMIT_WORD = r"(?:l?lod|llod|m?dl|d\.l\.|lld|loq|limit(?:\s+of\s+detection)?|detection\s+limit)"
_LIMIT_TEXT = re.compile(
    rf"(?:\b{_LIMIT_WORD}\s*[:=]?\s*<?\s*|<\s*)([0-9]*[.,]?[0-9]+(?:e-?[0-9]+)?)", re.IGNORECASE
)
_LIMIT_ROW = re.compile(rf"^{_LIMIT_WORD}s?\b", re.IGNORECASE)
_LIMIT_TOKENS = {"lod", "dl", "mdl", "llod", "lld", "loq"}
_FLAG_TOKENS = {"cens", "censored", "bdl", "bd", "flag", "qualifier", "qual"}
_METHOD = re.compile(
    r"(?:(?:la|sf|hr|mc)?icp(?:q?ms|aes|oes|es)?|ms|aes|oes|es|la|[we]?d?xrf|epma|empa|sims|aas?|fa"
    r"|i?naa|me|og|total|tot|t|mean|avg|average|calc|best|raw|final|conc|concentration|content"
    r"|[a-z]{1,5}[0-9]{1,3}[a-z]?|[0-9]{1,2})",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Header:
    """What one header says. `role` is "value", "flag", "limit" or "label".

    `analyte` is the element or oxide as the periodic table writes it, `is_weak` says that the word
    alone proves little ("IN", "Y"), `limit` is the detection limit named in the header (NaN: none).
    """

    text: str
    role: str = "label"
    analyte: str = ""
    unit: str = ""
    limit: float = float("nan")
    isotope: int = 0
    is_weak: bool = False


def parse_header(text: str) -> Header:
    """Read one header: element or oxide, unit, isotope, laboratory suffix, detection limit.

    Parameters
    ----------
    text : str
        Such as ``"Fe_ppm"``, ``"FeO wt%"``, ``"66Zn"``, ``"Ga_ppm (DL 0.5)"`` or ``"cens_Fe"``.

    Returns
    -------
    header : Header
        With role ``"label"`` where no element or oxide is meant.

    Notes
    -----
    A unit that counts atoms ("Fe at%", "FeS mol%") makes a label with the unit ``"at%"``: it
    cannot be converted column by column.

    Examples
    --------
    >>> header = parse_header("FeO (wt%)")
    >>> header.role, header.analyte, header.unit
    ('value', 'FeO', 'wt%')
    >>> parse_header("66Zn").analyte, parse_header("No").role
    ('Zn', 'label')
    """
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()
    plain = plain.replace("\u03bc", "u").replace("\u2212", "-").replace("\u00b5", "u")
    rest, limit = _take_limit(plain)
    rest, unit = _take_unit(rest)
    if unit == "at%":
        return Header(text, unit=unit)
    tokens = [token for token in re.split(r"[\s_,;:|()\[\]{}-]+", rest) if token]
    role, tokens = _take_role(tokens)
    found = _find_analyte(tokens, has_unit=bool(unit))
    if found is None:
        return Header(text, unit=unit)
    return replace(found, text=text, role=role, unit=unit or found.unit, limit=limit)


def read_head(rows: Sequence[Sequence[Any]]) -> tuple[list[Header], int]:
    """Read the head of a table: title rows are passed over, header and unit rows are joined.

    Parameters
    ----------
    rows : sequence of rows of cells
        The first rows of the table (some tens), as text or numbers; None or "" is blank.

    Returns
    -------
    headers : list of Header
        One per column; several header rows are joined ("Fe" over "ppm"), and a row of detection
        limits is taken up. Units and limits of label columns stay empty.
    first : int
        Index of the first row of data.

    Raises
    ------
    ValueError
        If the first row already holds numbers, or every row is blank.
    """
    grid = [[_cell(value) for value in row] for row in rows]
    width = max((len(row) for row in grid), default=0)
    grid = [row + [""] * (width - len(row)) for row in grid]
    first = next((i for i, row in enumerate(grid) if _is_data(row)), None)
    counts = [sum(map(bool, row)) for row in grid]
    end = len(grid) if first is None else first
    top = next(
        (i for i in range(len(grid)) if not _is_title(counts[i : max(end, i + 1)], width)), None
    )
    if top is None:
        raise ValueError("holds no header and no data. Give a table with one header row.")
    if first is not None and first <= top:
        raise ValueError(
            f"has numbers in row {first + 1}, where names of columns are needed."
            " Add one header row, such as 'deposit,Fe_ppm,Mn_ppm'."
        )
    below = _end_of_head(grid, top, end)
    headers = [_join_cells([row[j] for row in grid[top:below]]) for j in range(width)]
    while below < len(grid) and not any(grid[below]):
        below += 1
    if below < len(grid) and _LIMIT_ROW.match(next((cell for cell in grid[below] if cell), "")):
        headers = [_with_limit(h, cell) for h, cell in zip(headers, grid[below], strict=True)]
        below += 1
    return headers, below


def is_number_like(text: str) -> bool:
    """Whether a cell is a number or a value beyond a limit, in any notation."""
    return bool(
        re.match(
            r"^[<>≤≥]?\s*[-+]?[0-9]*[.,]?[0-9]+(?:[.,\s'][0-9]+)*(?:e[-+]?[0-9]+)?$", text, re.I
        )
    )


def _take_limit(text: str) -> tuple[str, float]:
    found = _LIMIT_TEXT.search(text)
    if not found:
        return text, float("nan")
    return text[: found.start()] + " " + text[found.end() :], float(found[1].replace(",", "."))


def _take_unit(text: str) -> tuple[str, str]:
    # A lone underscore is a letter to the eye of a regular expression, not to a laboratory.
    found = _UNIT_TEXT.search(text.replace("_", " "))
    if not found:
        return text, ""
    is_atomic = re.match(r"at|mol", found[0].strip(), re.IGNORECASE)
    unit = "at%" if is_atomic else normalise_unit(found[0])
    return text[: found.start()] + " " + text[found.end() :], unit


def _take_role(tokens: list[str]) -> tuple[str, list[str]]:
    words = [token.casefold() for token in tokens]
    for role, names in (("flag", _FLAG_TOKENS), ("limit", _LIMIT_TOKENS)):
        if len(words) > 1 and (words[0] in names or words[-1] in names):
            return role, tokens[1:] if words[0] in names else tokens[:-1]
    return "value", tokens


def _find_analyte(tokens: list[str], *, has_unit: bool) -> Header | None:
    """Header of the one token that names an analyte, if all others are methods."""
    for i, token in enumerate(tokens):
        header = _read_symbol(token, has_unit=has_unit)
        if header is not None:
            others = tokens[:i] + tokens[i + 1 :]
            isotope = _isotope_of(header.analyte, others)
            is_method = all(_METHOD.fullmatch(word) for word in others)
            return replace(header, isotope=header.isotope or isotope) if is_method else None
        if not _METHOD.fullmatch(token):
            return None
    return None


def _read_symbol(token: str, *, has_unit: bool) -> Header | None:
    token = re.sub(r"\.[0-9]+$", "", token)  # pandas' "Au.1" for a second "Au"
    glued = _GLUED_UNIT.match(token)
    if glued and glued[1].casefold() in _ANY_CASE:
        header = _read_symbol(glued[1], has_unit=True)
        return header and replace(header, unit=normalise_unit(glued[2]))
    isotope = re.fullmatch(r"([0-9]{1,3})([A-Za-z]{1,2})|([A-Za-z]{1,2})([0-9]{2,3})", token)
    if token not in _SYMBOLS and isotope:
        symbol, number = isotope[2] or isotope[3], int(isotope[1] or isotope[4])
        is_known = symbol in _SYMBOLS and _is_isotope(symbol, number)
        return Header(token, analyte=symbol, isotope=number) if is_known else None
    total = re.fullmatch(r"(FeO|Fe2O3|Fe(?!t$))(?:t|T|tot|\*)", token)
    token = total[1] if total else token
    if token in _SYMBOLS:
        return Header(token, analyte=token, is_weak=len(token) == 1 and not has_unit)
    return _read_any_case(token, has_unit=has_unit)


def _read_any_case(token: str, *, has_unit: bool) -> Header | None:
    """Read "CU", "cu" or "copper": with a unit surely, without one perhaps."""
    word = token.casefold()
    symbol = _ENGLISH.get(word) or _ANY_CASE.get(word, "")
    is_mixed = word not in _ENGLISH and not (token.isupper() or token.islower())
    if not symbol or ((len(token) == 1 or is_mixed) and not has_unit):
        return None
    return Header(token, analyte=symbol, is_weak=not has_unit and symbol not in OXIDES)


def _isotope_of(symbol: str, others: list[str]) -> int:
    """Mass number that stands beside a symbol, as in "Zn_66"."""
    numbers = [int(word) for word in others if word.isdigit()]
    return next((n for n in numbers if _is_isotope(symbol, n)), 0)


def _is_isotope(symbol: str, number: int) -> bool:
    weight = ATOMIC_WEIGHTS.get(symbol, 0.0)
    return abs(number - weight) <= max(3.0, 0.1 * weight)


def _cell(value: Any) -> str:
    """Text of a header cell; pandas' names for blank headers are blank again."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = re.sub(r"\s+", " ", str(value)).strip()
    return "" if re.fullmatch(r"Unnamed: [0-9]+(_level_[0-9]+)?", text) else text


def _is_data(row: list[str]) -> bool:
    filled = [cell for cell in row if cell]
    numbers = sum(is_number_like(cell) for cell in filled)
    return numbers >= 1 and numbers >= 0.3 * len(filled)


def _is_title(counts: list[int], width: int) -> bool:
    """Whether the first of the rows of a head, with these counts of filled cells, is a title.

    A title fills one cell, or at most a third of the table over a row that fills twice as many.
    """
    filled = counts[0]
    is_sparse = filled <= width / 3 and max(counts[1:], default=0) > 2 * filled
    return filled == 0 or (width >= 3 and (filled == 1 or is_sparse))


def _end_of_head(grid: list[list[str]], top: int, first: int) -> int:
    """One past the last header row: a row goes on the head if it brings units, symbols or gaps."""
    end = top + 1
    for row in grid[top + 1 : first]:
        above = grid[top:end]
        if not any(row):
            if not _is_next_head(grid[end + 1 : first][:1]):
                break
        elif not (_is_next_head([row]) or _fills_gaps(row, above)):
            break
        end += 1
    return end


def _is_next_head(rows: list[list[str]]) -> bool:
    """Whether a row holds units, or at least three symbols."""
    cells = [cell for row in rows for cell in row if cell]
    units = sum(is_unit(cell) for cell in cells)
    symbols = sum(cell in _SYMBOLS for cell in cells)
    return units >= max(1, 0.2 * len(cells)) or symbols >= max(3, 0.3 * len(cells))


def _fills_gaps(row: list[str], above: list[list[str]]) -> bool:
    """Whether a row only names columns under a merged cell ("Depth" over "From", "To")."""
    named = [any(line[j] for line in above) for j in range(len(row))]
    gaps = {j for j, cell in enumerate(row) if cell and not named[j]}
    merged = {j - 1 for j in gaps} | gaps
    return bool(gaps) and all(j in merged for j, cell in enumerate(row) if cell)


def _join_cells(cells: list[str]) -> Header:
    """One header out of the cells above a column: the last name, with the unit under or over it."""
    texts = [cell for cell in cells if cell]
    units = [cell for cell in texts if is_unit(cell)]
    names = [cell for cell in texts if not is_unit(cell)]
    if not names:
        return Header(texts[0] if texts else "")
    headers = [parse_header(name) for name in names]
    chosen = next((h for h in reversed(headers) if h.role != "label"), headers[-1])
    if not units:
        return chosen
    has_symbol = chosen.role != "label"
    if not has_symbol:  # a unit in the row below makes "CU" or "u" a name of an element
        chosen = replace(parse_header(f"{chosen.text} {units[-1]}"), text=chosen.text)
    return replace(chosen, unit=chosen.unit or normalise_unit(units[-1]), is_weak=False)


def _with_limit(header: Header, cell: str) -> Header:
    found = re.fullmatch(r"<?\s*([0-9]*[.,]?[0-9]+(?:e-?[0-9]+)?)", cell, re.IGNORECASE)
    if header.role == "label" or not found:
        return header
    return replace(header, limit=float(found[1].replace(",", ".")))
