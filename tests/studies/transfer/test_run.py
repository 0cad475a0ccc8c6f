"""A transfer study file from check to report, with a map and without, and what stops it."""

import json

import numpy as np
import pandas as pd
import pytest

from gossan.cli import main
from gossan.study import check_study, read_study, study_template


def scores_of(folder):
    """Return the scores of a run, by protocol and method."""
    return pd.read_csv(folder / "scores.csv").set_index(["protocol", "method"])


def test_a_study_of_messy_tables_runs_to_its_report(study, tmp_path, capsys):
    path = study()
    assert check_study(path) == []
    assert main(["run", str(path)]) == 0
    assert "is the one to use" in capsys.readouterr().out
    folder = tmp_path / "runs" / "study"
    page = (folder / "report.html").read_text()
    assert "Few deposits" in page
    assert "makes the map" not in page  # there is none
    assert "km² supported area" not in page
    manifest = json.loads((folder / "manifest.json").read_text())
    # 26 deposits, three copies of them and one row without coordinates.
    assert manifest["n_deposits"] == 25
    assert manifest["evidence"] == ["Mag nT", "log Cu", "K"]
    assert any("78 rows are 74 sites" in note for note in manifest["notes"])
    scores = scores_of(folder)
    assert scores.loc[("blocks", "logistic"), "auc"] > 0.8  # the evidence was planted
    assert not (folder / "map.html").exists()
