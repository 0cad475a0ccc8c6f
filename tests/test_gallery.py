"""The gallery's scripts run, in their small form, on the real data that they show."""

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest

from gossan import datasets
from gossan.data import read_grid

GALLERY = Path(__file__).parents[1] / "gallery"


def run(name, monkeypatch, *arguments):
    """Run the `main` of a script of the gallery with these words of the command line."""
    spec = importlib.util.spec_from_file_location(name, GALLERY / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
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


def test_copper_creek_goes_from_its_tables_to_targets(tmp_path, monkeypatch, capsys):
    try:
        datasets.find("copper_creek", download=False)
    except (FileNotFoundError, KeyError, ValueError) as error:
        pytest.skip(str(error))
    run("copper_creek_targets", monkeypatch, "--quick", "--out", tmp_path)
    assert "held-out trees       holes" in capsys.readouterr().out
    scores = pd.read_csv(tmp_path / "run" / "scores.csv").set_index("method")
    assert scores.loc["held-out trees", "auc"] > 0.6
    targets = pd.read_csv(tmp_path / "run" / "targets.csv")
    assert len(targets) > 1
    assert set(targets["kind"]) <= {"extension", "new ground"}
    assert (tmp_path / "run" / "view3d.html").stat().st_size > 100_000
