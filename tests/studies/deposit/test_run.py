"""A deposit study from check to report: clean and messy tables, few elements, stopped and gone on."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gossan.cli import main
from gossan.simulate import simulate_deposit
from gossan.studies.deposit import run
from gossan.studies.deposit.mapping import Scores
from gossan.studies.deposit.methods import BASELINES, RECOMMENDED
from gossan.studies.deposit.run import settings_of
from gossan.studies.run_folder import RunFolder
from gossan.study import check_study, read_study, run_study, summarise_run

pytestmark = pytest.mark.filterwarnings("ignore::gossan._checks.GossanWarning")

FILES = (
    "report.html", "view3d.html", "targets.csv", "blocks.csv", "blocks.vti", "blocks.omf",
    "score_levels.tif", "holes.vtp", "scores.csv", "comparisons.csv", "folds.csv", "null.csv",
    "composites.csv", "quality.txt", "study.toml", "manifest.json",
)  # fmt: skip
FIXES = (
    'fix = ["names", "unknown holes", "duplicate collars", "missing surveys", "duplicate surveys",'
    ' "vertical", "reversed intervals", "empty intervals", "duplicate intervals", "overlaps"]'
)


def test_messy_tables_run_to_the_report_and_a_second_run_does_nothing_again(study):
    messy = simulate_deposit("small", messy=True, random_state=0)
    path = study(made=messy)
    problems = check_study(path)
    assert len(problems) > 1  # all kinds of faults in one go
    assert all("under [holes]" in problem and "fix = [" in problem for problem in problems)
    path = study(
        ('assay = "assay.csv"', f'assay = "assay.csv"\nlithology = "lithology.csv"\n{FIXES}'),
        ('["holes"]\nn_splits = 3', '["paper", "holes"]\nn_splits = 2'),
        made=messy,
    )
    assert check_study(path) == []
    lines = []
    folder = run_study(path, progress=lines.append)
    for name in (*FILES, "faults.vtp", "changes.csv"):
        assert (folder / name).stat().st_size > 0, name
    assert any(line.startswith("map: held-out trees, once") for line in lines)
    scores = pd.read_csv(folder / "scores.csv")
    assert set(scores["method"]) == {*BASELINES, RECOMMENDED, "maxent"}
    assert set(scores["protocol"]) == {"paper", "holes"}
    assert scores["auc"].between(0, 1).all()
    assert (scores["auc_low"] <= scores["auc_high"]).all()
    told = scores.set_index(["protocol", "method"])["auc"]
    assert told["paper", "kriged ore"] > told["holes", "kriged ore"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "A small field" in page
    assert "view3d.html" in page
    assert "Mended, overlaps" in page
    assert "nan" not in summarise_run(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["tables"]["lithology"] == "lithology.csv"

    tables = {
        name: (folder / name).read_bytes() for name in ("scores.csv", "targets.csv", "blocks.csv")
    }
    again = run_study(path)
    second = json.loads((again / "manifest.json").read_text(encoding="utf-8"))
    assert set(second["reused"]) == {"paper_0", "holes_0", "holes_1", "map"}
    for name, content in tables.items():
        assert (again / name).read_bytes() == content, name


def test_one_element_and_nothing_else_are_enough(study, edit, capsys):
    path = study(
        ('[faults]\ntable = "faults.csv"\n[ground]\ntable = "ground.csv"\n', ""),
        ("cutoff = 1000", 'cutoff = 60\nelement = "Cu"'),
        ('names = ["maxent"]', "names = []"),
        ("n_splits = 3", "n_splits = 2"),
    )
    edit("assay", lambda table: table[["hole", "from", "to", "Cu_ppm"]])
    assert main(["check", str(path)]) == 0
    assert main(["run", str(path)]) == 0
    out = capsys.readouterr().out
    assert RECOMMENDED in out
    assert "distance to fault" not in out
    folder = path.parent / "runs" / "study"
    for name in FILES:
        assert (folder / name).stat().st_size > 0, name
    assert not (folder / "faults.vtp").exists()
    page = (folder / "report.html").read_text(encoding="utf-8")
    for words in ("No balances", "No factor", "No faults were given", "sketched from the collars"):
        assert words in page
    blocks = pd.read_csv(folder / "blocks.csv")
    assert "near" not in blocks
    assert "fault_distance" not in blocks


def test_a_run_that_was_stopped_goes_on_where_it_was(study, monkeypatch, capsys):
    path = study(
        ('["maxent"]', "[]"),
        ("n_splits = 3", "n_splits = 2"),
        ("[validate]", "[targets]\nleast = 1e9\n[validate]"),
    )

    def stopped(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "make_map", stopped)
        with pytest.raises(KeyboardInterrupt):
            run_study(path)
    monkeypatch.setattr(run, "score_rock", stopped)
    assert main(["run", str(path)]) == 0
    manifest = json.loads(
        (path.parent / "runs" / "study" / "manifest.json").read_text(encoding="utf-8")
    )
    assert manifest["reused"] == ["holes_0", "holes_1", "map"]
    assert "0 targets." in capsys.readouterr().out  # none is that large


def test_without_protocols_there_is_a_map_and_no_scores(study):
    path = study(('["holes"]', "[]"), ('names = ["maxent"]', 'choose = "kriged ore"\nnames = []'))
    assert check_study(path) == []
    folder = run_study(path)
    summary = summarise_run(folder)
    assert "no method was tried" in summary
    assert "targets" in summary
    assert "study file asks" in (folder / "report.html").read_text(encoding="utf-8")


def settled(path):
    return settings_of(read_study(path))


def test_a_map_is_not_answered_from_a_run_of_other_faults_ground_or_labels(
    field, study, tmp_path, monkeypatch
):
    calls = []
    made = Scores(np.zeros((1, len(field.campaign.rock_cells())), np.float32), {})
    monkeypatch.setattr(run, "score_rock", lambda *_, **__: calls.append(1) or made)
    told = settled(study())
    trust = type("Trust", (), {"chosen": "maxent"})()
    campaign, grid = field.campaign, field.campaign.grid
    near = grid.assign(fault_distance=grid["fault_distance"] * 0.5)
    rock = grid.assign(rock=grid["rock"] & (grid["elevation"] < 3000))
    more = settled(study(("cutoff = 1000", "cutoff = 1000\nreach = 20")))
    for other, settings in (
        (campaign, told),
        (replace(campaign, grid=near), told),
        (replace(campaign, grid=rock), told),
        (campaign, more),
        (campaign, settled(study(("most_cells = 200", "most_cells = 201")))),
        (campaign, settled(study(("n_seeds = 1", "n_seeds = 2")))),
    ):
        n_calls = len(calls)
        for _ in range(2):
            run._scores(
                replace(field, campaign=other), settings, trust, RunFolder(tmp_path / "x"), print
            )
        assert len(calls) == n_calls + 1
