"""The code on the pages runs as it stands, block after block."""

import re
from pathlib import Path

import pytest
from matplotlib import pyplot as plt

from gossan import plot

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.filterwarnings("ignore::gossan._checks.GossanWarning")
def test_the_code_on_drill_holes_and_kriging_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "space.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) > 5
    names = {}
    for number, block in enumerate(blocks):
        exec(compile(block, f"space.md, block {number + 1}", "exec"), names)  # noqa: S102
    assert "composites of 4 m" in capsys.readouterr().out
    assert (tmp_path / "blocks.csv").exists()


def test_the_page_of_figures_lists_every_figure_and_its_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (DOCS / "plots.md").read_text("utf-8")
    public = {name for name in plot.__all__ if name.startswith(("plot_", "add_"))}
    assert public == set(re.findall(r"`((?:plot|add)_\w+)`", text))
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    try:
        for number, block in enumerate(blocks):
            exec(compile(block, f"plots.md, block {number + 1}", "exec"), {})  # noqa: S102
    finally:
        plt.close("all")
    assert (tmp_path / "copper.png").exists()
