"""Build the pages of gossan as plain static HTML: docs/*.md and the reference from the docstrings.

In go the Markdown files of this folder and the public names of the package; out comes a folder of
HTML files that need no server and no script.
"""

from __future__ import annotations

import argparse
import html
import importlib
import inspect
import re
import sys
from pathlib import Path

import gossan

HERE = Path(__file__).parent
DOI = re.compile(r"doi:(10\.\S+?)(?=[.,;)]*(?:\s|$))")
SECTIONS = re.compile(r"^(\w[\w ]*)\n-{3,}$", flags=re.MULTILINE)
STYLE = """
:root { color-scheme: light dark; --ink: #1d2730; --paper: #fff; --quiet: #5b6770; --rule: #d8dde1;
        --code: #f4f6f7; --link: #0b6e8f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8eb; --paper: #14191d; --quiet: #9aa6ae;
        --rule: #313a41; --code: #1e252a; --link: #6bc1dd; } }
body { font: 17px/1.55 Georgia, serif; color: var(--ink); background: var(--paper);
       max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
nav, h1, h2, h3, h4, dt, th { font-family: system-ui, sans-serif; }
nav { border-bottom: 1px solid var(--rule); padding-bottom: .6rem; font-size: .9rem; }
nav a { margin-right: 1rem; } a { color: var(--link); }
pre, code { font: .85rem/1.45 ui-monospace, monospace; background: var(--code); }
pre { padding: .7rem .9rem; overflow-x: auto; } dt { margin-top: .6rem; font-size: .95rem; }
dd { margin: .1rem 0 0 1.5rem; } h3 { margin-top: 2.4rem; border-top: 1px solid var(--rule);
padding-top: .8rem; } h4 { color: var(--quiet); margin-bottom: .2rem; }
table { border-collapse: collapse; } td, th { border-bottom: 1px solid var(--rule);
padding: .25rem .7rem; text-align: left; vertical-align: top; }
"""


def main(arguments: list[str] | None = None) -> None:
    """Build all pages into the folder that `--out` names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("site"))
    out = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    pages = {path.stem: markdown_page(path) for path in sorted(HERE.glob("*.md"))}
    pages["index"] = markdown_page(HERE.parent / "README.md")
    pages |= {f"reference-{room}": reference_page(room) for room in rooms()}
    links = navigation(pages)
    for name, (title, body) in pages.items():
        out.joinpath(f"{name}.html").write_text(frame(title, links, body), encoding="utf-8")
    broken = sorted(set(broken_links(out)))
    print(f"{len(pages)} pages in {out}")
    if broken:
        sys.exit("Links that lead nowhere: " + ", ".join(broken))


def rooms() -> list[str]:
    """Return the rooms of the package, in the order of its face."""
    return [name for name in gossan.__all__ if inspect.ismodule(getattr(gossan, name))]


def markdown_page(path: Path) -> tuple[str, str]:
    """Return the title and the HTML of a Markdown file, its links to .md files leading to .html."""
    from markdown import markdown

    text = path.read_text(encoding="utf-8")
    titles = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    body = markdown(text, extensions=["tables", "fenced_code", "toc", "def_list"])
    title = titles[0] if titles else path.stem
    body = re.sub(r"<li><strong>(\w+)</strong>", r'<li id="\1"><strong>\1</strong>', body)
    return title, re.sub(r'href="(?:docs/)?([\w-]+)\.md(#[^"]*)?"', link_to_page, body)


def link_to_page(match: re.Match[str]) -> str:
    """Point a link at the page of this site, or leave it if the file has none."""
    has_page = HERE.joinpath(f"{match[1]}.md").exists()
    return f'href="{match[1]}.html{match[2] or ""}"' if has_page else match[0]


def reference_page(room: str) -> tuple[str, str]:
    """Return the title and the HTML of the public names of a room."""
    module = importlib.import_module(f"gossan.{room}")
    names = list(module.__all__)
    listing = "".join(f'<li><a href="#{name}"><code>{name}</code></a></li>' for name in names)
    body = f"<h1>gossan.{room}</h1>{paragraphs(inspect.getdoc(module) or '')}<ul>{listing}</ul>"
    return f"gossan.{room}", body + "".join(entry(name, getattr(module, name)) for name in names)


def entry(name: str, thing: object) -> str:
    """Return one public name: its signature, its docstring and, of a class, its public methods."""
    if not callable(thing):
        return (
            f'<h3 id="{name}"><code>{name}</code></h3><pre>{html.escape(repr(thing)[:400])}</pre>'
        )
    body = f'<h3 id="{name}">{name}</h3><pre>{name}{html.escape(signature(thing))}</pre>'
    body += docstring(thing)
    if inspect.isclass(thing):
        for key, method in vars(thing).items():
            if inspect.isfunction(method) and not key.startswith("_"):
                body += f"<h4><code>{key}{html.escape(signature(method))}</code></h4>"
                body += docstring(method)
    return body


def signature(thing: object) -> str:
    """Return the parameters of a function, a method or a class, without self."""
    try:
        parameters = inspect.signature(thing)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(...)"
    kept = [
        parameter.replace(annotation=Plain(parameter.annotation))
        if isinstance(parameter.annotation, str)
        else parameter
        for name, parameter in parameters.parameters.items()
        if name != "self"
    ]
    result = parameters.return_annotation
    shown = Plain(result) if isinstance(result, str) else result
    return str(parameters.replace(parameters=kept, return_annotation=shown))


class Plain(str):
    """An annotation that is shown as it was typed, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def docstring(thing: object) -> str:
    """Return a numpydoc docstring as HTML: prose, lists of parameters, and examples as typed."""
    pieces = SECTIONS.split(inspect.getdoc(thing) or "")
    body = paragraphs(pieces[0])
    for title, text in zip(pieces[1::2], pieces[2::2], strict=True):
        shown = f"<pre>{html.escape(text.strip())}</pre>" if title == "Examples" else None
        if title in {"Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns"}:
            shown = definitions(text)
        body += f"<h4>{title}</h4>{shown or paragraphs(text)}"
    return body


def definitions(text: str) -> str:
    """Return lines at the margin as terms and what is indented below each as its meaning."""
    body = ""
    for block in re.split(r"\n(?=\S)", text.strip("\n")):
        term, _, meaning = block.partition("\n")
        body += f"<dt><code>{html.escape(term)}</code></dt><dd>{inline(meaning)}</dd>"
    return f"<dl>{body}</dl>"


def paragraphs(text: str) -> str:
    """Return prose as paragraphs, indented blocks and tables as they were typed."""
    body = ""
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        is_typed = block.startswith(("  ", "=", ">>>"))
        body += f"<pre>{html.escape(block)}</pre>" if is_typed else f"<p>{inline(block)}</p>"
    return body


def inline(text: str) -> str:
    """Return escaped text with its code marked and its DOIs linked."""
    text = html.escape(inspect.cleandoc(text), quote=False)
    text = re.sub(r"``?([^`]+)``?", r"<code>\1</code>", text)
    text = re.sub(
        r"doi:(10\.\S+?)(?=[.,;)]*(?:\s|$))", r'<a href="https://doi.org/\1">doi:\1</a>', text
    )
    text = re.sub(r"\[([A-Z]\w+\d{4}\w?)\]_", r'[<a href="references.html#\1">\1</a>]', text)
    return re.sub(r"\[(\d+)\]_", r"[\1]", text)


def navigation(pages: dict[str, tuple[str, str]]) -> str:
    """Return the links that stand on every page: the pages first, then the reference."""
    order = sorted(pages, key=lambda name: (name != "index", name.startswith("reference-")))
    titles = {name: name.removeprefix("reference-") for name in pages} | {"index": "gossan"}
    return "".join(f'<a href="{name}.html">{titles[name]}</a>' for name in order)


def frame(title: str, links: str, body: str) -> str:
    """Return a whole page."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<nav>{links}</nav><main>{body}</main></html>\n"
    )


def broken_links(out: Path) -> list[str]:
    """Return the links between pages that have no page, so that the build can fail on them."""
    return [
        f"{page.name} -> {target}"
        for page in sorted(out.glob("*.html"))
        for target in re.findall(r'href="([^":#]+)(?:#[^"]*)?"', page.read_text(encoding="utf-8"))
        if not out.joinpath(target).exists() and not HERE.parent.joinpath(target).exists()
    ]


if __name__ == "__main__":
    main()
