"""The gallery's scripts run, in their small form, on the real data that they show."""

import importlib.util
import re
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from gossan import datasets, plot
from gossan.data import read_grid

GALLERY = Path(__file__).parents[1] / "gallery"


def run(name, monkeypatch, *arguments):
    """Run the `main` of a script of the gallery with these words of the command line."""
    spec = importlib.util.spec_from_file_location(name, GALLERY / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.syspath_prepend(GALLERY)  # as for a script: its neighbours can be imported
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    module.main()


def test_copper_creek_goes_from_its_tables_to_a_block_model(tmp_path, monkeypatch, capsys):
    try:
        datasets.find("copper_creek", download=False)
    except (FileNotFoundError, KeyError, ValueError) as error:
        pytest.skip(str(error))
    run("copper_creek", monkeypatch, "--quick", "--out", tmp_path)
    assert "545 drill holes" in capsys.readouterr().out
    quality = (tmp_path / "quality.txt").read_text(encoding="utf-8")
    assert "1,063 m" in quality or "1063" in quality  # the one long interval
    changes = pd.read_csv(tmp_path / "changes.csv")
    assert {"overlap", "overlaps"} & set(changes["kind"])
    composites = pd.read_csv(tmp_path / "composites.csv")
    blocks = read_grid(tmp_path / "blocks.vti")
    for element in ("Cu", "Mo"):
        assert 0 < float(blocks[element].mean()) < 2 * composites[element].mean()
        assert float(blocks[element].max()) <= 1.3 * composites[element].max()


def test_the_page_of_figures_shows_every_figure(tmp_path, monkeypatch, capsys):
    run("plots", monkeypatch, "--quick", "--out", tmp_path)
    public = {name for name in plot.__all__ if name.startswith("plot_")}
    drawn = {path.stem for path in tmp_path.glob("*.svg")}
    assert public <= drawn
    assert f"{len(drawn)} figures" in capsys.readouterr().out
    page = (tmp_path / "plots.html").read_text(encoding="utf-8")
    assert page.count("<svg") == len(drawn)
    assert all(f"<code>{name}</code>" in page for name in public)
    assert "http" not in page.replace("http://www.w3.org", "")  # nothing is fetched
    marks = Counter(re.findall(r' id="([^"]+)"', page))
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', page))
    assert {marks[name] for name in used} == {1}  # no figure borrows a mark of another
    assert (tmp_path / "contact_sheet.png").read_bytes()[:4] == b"\x89PNG"
