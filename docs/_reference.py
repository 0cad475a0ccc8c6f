"""Pages of the API reference, made from the docstrings: a page a room, and one that lists them all.

A room of the package goes in; HTML comes out in which types, names of the bibliography and other
public names are links.
"""

from __future__ import annotations

import html
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from _page import Page

import gossan

SECTIONS = re.compile(r"^(\w[\w ]*)\n-{3,}$", flags=re.MULTILINE)
TABLES = {"Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns"}
DOI = re.compile(r"doi:(10\.\S+?)(?=[.,;)]*(?:\s|$))")
WIDEST = 88  # characters of a signature on one line


@dataclass(frozen=True)
class Entry:
    """A public name: its room, what it is called there, and the thing itself."""

    room: str
    name: str
    thing: Any

    @property
    def summary(self) -> str:
        """First paragraph of the docstring; of a constant, what it holds."""
        if not callable(self.thing):
            return f"Constant of type {type(self.thing).__name__}."
        return " ".join((inspect.getdoc(self.thing) or "").split("\n\n")[0].split())

    @property
    def module(self) -> str:
        """Name of the module that defines it, within its room."""
        made = getattr(self.thing, "__module__", None) or f"gossan.{self.room}"
        return made.removeprefix(f"gossan.{self.room}").strip(".") or self.room


def rooms() -> list[str]:
    """Return the rooms of the package, in the order of its face."""
    return [name for name in gossan.__all__ if inspect.ismodule(getattr(gossan, name))]


@cache
def entries(room: str) -> tuple[Entry, ...]:
    """Return the public names of a room, in the order of its face."""
    module = importlib.import_module(f"gossan.{room}")
    return tuple(Entry(room, name, getattr(module, name)) for name in module.__all__)


@cache
def addresses() -> Mapping[str, str]:
    """Return where each name stands: `name` if it is the only one, and `gossan.name`, `room.name`."""
    found: dict[str, str] = {}
    for room in rooms():
        found[f"gossan.{room}"] = f"reference/{room}.html"
        for entry in entries(room):
            place = f"reference/{room}.html#{entry.name}"
            # One thing may stand in two rooms: the first in the order of the work is its home.
            found.setdefault(entry.name, place)
            found[f"{room}.{entry.name}"] = found[f"gossan.{room}.{entry.name}"] = place
            if hasattr(gossan, entry.name):
                found.setdefault(f"gossan.{entry.name}", place)
    return found


def index_page() -> Page:
    """Return the page that lists the rooms and, from A to Z, all names."""
    body = '<h1 id="reference">API reference</h1><p>Made from the docstrings of this version. '
    body += "Rooms stand in the order of the work; <code>gossan.NAME</code> is the short way to "
    body += "the names used most.</p><dl class='rooms'>"
    everything = []
    for room in rooms():
        doc = inspect.getdoc(importlib.import_module(f"gossan.{room}")) or ""
        body += f'<dt><a href="reference/{room}.html"><code>gossan.{room}</code></a>'
        body += f" <small>{len(entries(room))} names</small></dt>"
        body += f"<dd>{inline(doc.split(chr(10) * 2)[0])}</dd>"
        everything += [(entry.name, room) for entry in entries(room)]
    body += '</dl><h2 id="names">All names</h2><ul class="names">'
    for name, room in sorted(everything, key=lambda pair: (pair[0].lower(), pair[1])):
        body += f'<li><a href="reference/{room}.html#{name}"><code>{name}</code></a>'
        body += f" <small>{room}</small></li>"
    return Page("reference.html", "API reference", body + "</ul>")


def room_page(room: str) -> Page:
    """Return the page of a room: its names with a line each, by module; then each in full."""
    doc = inspect.getdoc(importlib.import_module(f"gossan.{room}")) or ""
    body = f'<h1 id="{room}-room"><code>gossan.{room}</code></h1>{paragraphs(doc)}'
    for module, members in by_module(room):
        body += f'<table class="summary"><caption>{html.escape(module)}</caption>'
        for member in members:
            link = f'<a href="#{member.name}"><code>{member.name}</code></a>'
            body += f"<tr><td>{link}</td><td>{inline(member.summary)}</td></tr>"
        body += "</table>"
    body += "".join(full(entry) for entry in entries(room))
    headings = tuple((2, entry.name, f"<code>{entry.name}</code>") for entry in entries(room))
    return Page(f"reference/{room}.html", f"gossan.{room}", body, headings)


def by_module(room: str) -> Iterator[tuple[str, list[Entry]]]:
    """Yield what a group of names is about, in words, and its names."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries(room):
        # A private module is named for what its public neighbour does, not for itself.
        last = entry.module.split(".")[-1]
        groups.setdefault(last if not last.startswith("_") else "more", []).append(entry)
    for module in sorted(groups, key=lambda name: name == "more"):
        yield module.replace("_", " "), groups[module]


def full(entry: Entry) -> str:
    """Return one public name: its signature, its docstring and, of a class, its public methods."""
    kind = "class" if inspect.isclass(entry.thing) else ""
    heading = f'<h2 id="{entry.name}" class="name">{entry.name}'
    heading += f'<a class="anchor" href="#{entry.name}" aria-label="link to this">#</a></h2>'
    if not callable(entry.thing):
        shown = html.escape(repr(entry.thing)[:400])
        return f'<section class="entry">{heading}<pre>{shown}</pre></section>'
    body = f"{heading}{typed(entry.name, entry.thing, kind)}{docstring(entry.thing)}"
    if kind:
        body += "".join(method(entry.name, key, thing) for key, thing in methods(entry.thing))
    return f'<section class="entry">{body}</section>'


def methods(thing: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties that a class itself defines."""
    for key, member in vars(thing).items():
        inner = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if not key.startswith("_") and (inspect.isfunction(inner) or isinstance(inner, property)):
            yield key, inner


def method(owner: str, key: str, thing: Any) -> str:
    """Return a method of a class, or a property."""
    place = f"{owner}.{key}"
    shown = f"<code>{owner}.<b>{key}</b></code>"
    body = f'<h3 id="{place}" class="method">{shown}'
    body += f'<a class="anchor" href="#{place}" aria-label="link to this">#</a></h3>'
    if not isinstance(thing, property):
        body += typed(key, thing, "")
    return body + docstring(thing)


def typed(name: str, thing: Any, kind: str) -> str:
    """Return the signature as code, a line for each parameter where it is long."""
    text = f"{name}{signature(thing)}"
    if len(text) > WIDEST:
        text = f"{name}{signature(thing, apart=True)}"
    return f'<div class="signature">{coloured(f"{kind} {text}".strip(), "python")}</div>'


def signature(thing: Any, *, apart: bool = False) -> str:
    """Return the parameters of a function, a method or a class, without self."""
    try:
        told = inspect.signature(thing)
    except (TypeError, ValueError):
        return "(...)"
    parts, has_star = [], False
    for name, parameter in told.parameters.items():
        if name in {"self", "cls"}:
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not has_star:
            parts.append("*")
            has_star = True
        has_star = has_star or parameter.kind is parameter.VAR_POSITIONAL
        parts.append(parameter_text(parameter))
    has_result = told.return_annotation is not told.empty and not inspect.isclass(thing)
    result = f" -> {plain(told.return_annotation)}" if has_result else ""
    if apart:
        return "(\n" + "".join(f"    {part},\n" for part in parts) + f"){result}"
    return f"({', '.join(parts)}){result}"


def parameter_text(parameter: inspect.Parameter) -> str:
    """Return a parameter as it was typed: name, annotation, default."""
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = f"{stars}{parameter.name}"
    if parameter.annotation is not parameter.empty:
        text += f": {plain(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        equals = " = " if parameter.annotation is not parameter.empty else "="
        text += f"{equals}{default_text(parameter.default)}"
    return text


def default_text(value: Any) -> str:
    """Return a default without the address of a thing in memory."""
    text = getattr(value, "__name__", None) if callable(value) else None
    text = text or re.sub(r" at 0x[0-9a-f]+", "", repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def plain(annotation: Any) -> str:
    """Return an annotation as it was typed, without quotes."""
    if isinstance(annotation, str):
        return annotation
    return getattr(annotation, "__name__", None) or str(annotation)


def docstring(thing: Any) -> str:
    """Return a numpydoc docstring as HTML: prose, tables of parameters, and coloured examples."""
    pieces = SECTIONS.split(inspect.getdoc(thing) or "")
    body = paragraphs(pieces[0])
    for title, text in zip(pieces[1::2], pieces[2::2], strict=True):
        if title == "Examples":
            shown = examples(text)
        elif title in TABLES:
            shown = definitions(text)
        else:
            shown = paragraphs(text)
        body += f'<div class="part"><p class="part-title">{title}</p><div>{shown}</div></div>'
    return body


def examples(text: str) -> str:
    """Return examples as coloured code, and the words between them as prose."""
    body = ""
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        body += coloured(block, "pycon") if block.startswith(">>>") else paragraphs(block)
    return body


def definitions(text: str) -> str:
    """Return lines at the margin as terms with their types, and what is indented as the meaning."""
    body = ""
    for block in re.split(r"\n(?=\S)", text.strip("\n")):
        term, _, meaning = block.partition("\n")
        name, colon, kind = term.partition(" : ")
        shown = f"<code>{html.escape(name)}</code>"
        shown += f' <span class="type">{linked_type(kind)}</span>' if colon else ""
        body += f"<dt>{shown}</dt><dd>{paragraphs(inspect.cleandoc(meaning))}</dd>"
    return f"<dl>{body}</dl>"


def linked_type(text: str) -> str:
    """Return the type of a parameter, with the classes of the package linked."""

    def link(match: re.Match[str]) -> str:
        place = addresses().get(match[0])
        return f'<a href="{place}">{match[0]}</a>' if place else match[0]

    parts = re.split(r"(<[^>]+>)", inline(text))
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"\b[A-Z]\w+\b", link, parts[i])
    return "".join(parts)


def paragraphs(text: str) -> str:
    """Return prose as paragraphs and lists; indented blocks and tables as they were typed."""
    body = ""
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if not block.strip():
            continue
        if block.startswith(">>>"):
            body += coloured(block, "pycon")
        elif block.startswith(("  ", "=")):
            body += f"<pre>{html.escape(inspect.cleandoc(block))}</pre>"
        elif block.startswith(("- ", "* ")):
            items = re.split(r"\n(?=[-*] )", block)
            body += "<ul>" + "".join(f"<li>{inline(item[2:])}</li>" for item in items) + "</ul>"
        else:
            body += f"<p>{inline(block.removesuffix('::'))}</p>"
    return body


def inline(text: str) -> str:
    """Return escaped text with code marked, and names, sources and DOIs linked."""
    text = html.escape(inspect.cleandoc(text), quote=False)
    text = re.sub(r"``?([^`]+)``?", lambda match: name_link(match[1]), text)
    text = DOI.sub(r'<a href="https://doi.org/\1">doi:\1</a>', text)
    text = re.sub(r"\[([A-Z]\w+\d{4}\w?)\]_", r'[<a href="references.html#\1">\1</a>]', text)
    text = re.sub(r"\*\*([^*\s][^*]*)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"\[(\d+)\]_", r"[\1]", text)


def name_link(text: str) -> str:
    """Return text as code, linked if it is a public name that cannot be taken for a word."""
    name = text.split("(", maxsplit=1)[0]
    place = addresses().get(name)
    is_word = name.islower() and "_" not in name and "." not in name
    if place is None or is_word:
        return f"<code>{text}</code>"
    return f'<a href="{place}"><code>{text}</code></a>'


def coloured(text: str, language: str) -> str:
    """Return code with its parts marked for colours."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    return str(highlight(text, get_lexer_by_name(language), HtmlFormatter(cssclass="code")))
