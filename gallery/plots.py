"""Every figure of gossan on one page, drawn from simulated data: what there is, and how it looks.

    python gallery/plots.py [--out FOLDER] [--quick]

Writes plots.html (one self-contained page with vector figures), contact_sheet.png, and an SVG a
figure. Deposit, district and chemistry are simulated, and the scores of the models are made up: the
figures show what can be drawn, not what was found.
"""

from __future__ import annotations

import argparse
import html
import inspect
import io
import re
import time
from pathlib import Path

from _panels import PANELS
from _worlds import Worlds
from matplotlib.image import imread

from gossan import plot
from gossan.plot.style import new_axes, to_svg

DPI = 110
STYLE = """
:root { color-scheme: light; } body { font: 15px/1.5 system-ui, sans-serif; color: #1d2733;
background: #f6f7f8; margin: 1.5rem; } main { display: flex; flex-wrap: wrap; gap: 1rem;
align-items: start; } h2 { flex-basis: 100%; margin: 1rem 0 0; }
figure { margin: 0; padding: .8rem; background: #fff; border: 1px solid #d8dde1; }
figure svg { display: block; width: 34rem; max-width: 100%; height: auto; font-family: "DejaVu Sans",
Verdana, Arial, sans-serif; } figcaption { max-width: 34rem; font-size: .9rem; }
code { color: #8f3f14; }
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path("runs/plots"))
    parser.add_argument("--quick", action="store_true", help="small worlds")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    worlds, drawn = Worlds(quick=options.quick), {}
    for name, (_, size, draw) in PANELS.items():
        ax = new_axes(*size)[0]
        draw(worlds, ax)
        svg, picture = to_svg(ax), io.BytesIO()
        (options.out / f"{name}.svg").write_text(svg, encoding="utf-8")
        ax.get_figure(root=True).savefig(picture, format="png", dpi=DPI)
        drawn[name] = (svg, picture)
    (options.out / "plots.html").write_text(
        page({n: svg for n, (svg, _) in drawn.items()}), "utf-8"
    )
    contact_sheet(
        {n: picture for n, (_, picture) in drawn.items()}, options.out / "contact_sheet.png"
    )
    print(
        f"{len(drawn)} figures in {options.out / 'plots.html'}, {time.perf_counter() - started:.0f} s"
    )


def page(drawn):
    """Return one page with all figures and the first line of what the manual says of each."""
    parts, last = [], ""
    for name, svg in drawn.items():
        group = PANELS[name][0]
        parts.append(f"<h2>{group}</h2>" if group != last else "")
        last = group
        base = re.sub("_(of_blocks|by_direction|as_bands)$", "", name)
        says = (inspect.getdoc(getattr(plot, base)) or "").split("\n", maxsplit=1)[0]
        # Each figure has marks of its own: what one refers to by name must not be in another.
        own = re.sub(r'(id="|url\(#|href="#)', rf"\1{name}-", svg)
        parts.append(f"<figure>{own}<figcaption><code>{base}</code><br>{html.escape(says)}"
                     "</figcaption></figure>")  # fmt: skip
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Figures of gossan</title>'
        f"<style>{STYLE}</style><h1>Figures of gossan</h1><p>Worlds are simulated and the scores of"
        f" models made up.</p><main>{''.join(parts)}</main></html>"
    )


def contact_sheet(pictures, path, columns=5):
    """Write all figures as small pictures on one sheet."""
    rows = -(-len(pictures) // columns)
    axes = new_axes(4.2 * columns, 3.4 * rows, n_rows=rows, n_columns=columns)
    for ax in axes:
        ax.set_axis_off()
    for ax, (name, picture) in zip(axes, pictures.items(), strict=False):
        picture.seek(0)
        ax.imshow(imread(picture), interpolation="antialiased")
        ax.set_title(name, fontsize=8)
    axes[0].get_figure(root=True).savefig(path, dpi=DPI)


if __name__ == "__main__":
    main()
