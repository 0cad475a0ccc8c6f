"""A tailings study file from check to report, in 2D and 3D, and what stops it."""

import numpy as np
import pandas as pd
import pytest

from gossan.cli import main
from gossan.simulate import simulate_tailings
from gossan.study import check_study, study_template

STUDY = """
study = "tailings"
title = "A surface"
[read]
table = "samples.csv"
elements = ["Cu", "Zn"]
[methods]
names = ["kriging", "forest"]
[validate]
n_splits = 3
n_inner_splits = 2
random_split = false
published = false
"""


@pytest.fixture
def study(tmp_path):
    """Return a function that writes a table and a study file, and returns the path of the latter."""

    def write(text=STUDY, *, scenario="surface", n=120, change=lambda table: table):
        made = simulate_tailings(scenario, n_samples=n, messy=True, random_state=2)
        change(made.table).to_csv(tmp_path / "samples.csv", index=False)
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_study_of_a_messy_table_runs_to_its_report(study, tmp_path, capsys):
    path = study(STUDY + "block_size = 80\n")
    assert check_study(path) == []
    assert main(["run", str(path)]) == 0
    out = capsys.readouterr().out
    assert "blend" in out
    folder = tmp_path / "runs" / "study"
    page = (folder / "report.html").read_text()
    assert "A surface" in page
    scores = pd.read_csv(folder / "scores.csv")
    assert np.isfinite(scores.loc[scores["element"] == "all", "crps_ratio"]).all()
    cells = pd.read_csv(folder / "estimates.csv")
    assert len(cells) > 100
    predictions = pd.read_csv(folder / "predictions.csv")
    assert set(predictions["element"]) == {"Cu", "Zn"}


def test_a_dump_in_3d_gives_a_block_model(study, tmp_path):
    path = study(STUDY.replace('["Cu", "Zn"]', '["Cu"]'), scenario="dump", n=120)
    assert main(["run", str(path)]) == 0
    folder = tmp_path / "runs" / "study"
    assert (folder / "estimates.vti").exists()
    assert "whole holes held out" in (folder / "scores.csv").read_text()


def test_places_with_covariates_are_estimated(study, tmp_path):
    def near(table):
        return table.assign(distance=np.arange(len(table), dtype=float))

    text = STUDY.replace("[methods]", '[points]\ncovariates = ["distance"]\n[methods]')
    text = text.replace('["Cu", "Zn"]', '["Cu"]') + "block_size = 80\n"
    path = study(text + '[grid]\ntable = "cells.csv"\n', change=near)
    cells = {"easting": [100.0, 150.0, 150.0], "northing": [100.0, 100.0, 150.0]}
    pd.DataFrame({**cells, "distance": 3.0}).to_csv(tmp_path / "cells.csv", index=False)
    assert main(["run", str(path)]) == 0
    told = pd.read_csv(tmp_path / "runs" / "study" / "estimates.csv")
    assert len(told) == 3
    assert (told["Cu_low"] <= told["Cu"]).all()
    page = (tmp_path / "runs" / "study" / "report.html").read_text(encoding="utf-8")
    assert "Cu: estimate and how sure it is" in page  # three of four cells of a raster: drawn
    assert "left blank" not in page  # nobody asked for the fourth


def test_the_template_is_a_valid_study_file(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(study_template("tailings"), encoding="utf-8")
    (problem,) = check_study(path)
    assert "no file samples.csv" in problem


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("n_splits = 3", "n_splits = 1", "n_splits must be 2 to 100"),
        ('names = ["kriging"', 'names = ["krigging"', "Did you mean 'kriging'"),
        ("[validate]", "[validat]", "unknown section"),
        ('elements = ["Cu", "Zn"]', 'elements = ["Cu", "Zz"]', "no column for 'Zz'"),
        ("random_split = false", "random_split = 0", "must be true or false"),
        ("[methods]", "[grid]\nspacing = -5.0\n[methods]", "spacing must be 0 or more"),
        ("[methods]", '[points]\nhole = "BH"\n[methods]', "no column 'BH'"),
        ("[methods]", '[grid]\ntable = "none.csv"\n[methods]', "no file none.csv"),
        ('table = "samples.csv"', 'units = "ppm"', "needs table"),
    ],
)
def test_faults_of_the_file_are_named_before_anything_runs(study, old, new, told):
    assert old in STUDY
    problems = check_study(study(STUDY.replace(old, new)))
    assert any(told in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.head(10), "needs 30"),
        (lambda t: t.drop(columns="easting"), "looks like the easting"),
        (lambda t: t.assign(easting="x"), "coordinates"),
    ],
)
def test_faults_of_the_table_are_named(study, change, told):
    made = simulate_tailings("surface", n_samples=60, random_state=2)
    problems = check_study(study(change=lambda _: change(made.table)))
    assert told in problems[0]
