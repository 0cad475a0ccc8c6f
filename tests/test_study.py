"""Study files: what is refused, with which words, and a whole run on a small made-up table."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from gossan.simulate import simulate_mineral_chemistry
from gossan.study import check_study, read_study, run_study, study_template

STUDY = """
study = "genesis"
title = "Made-up magnetite"

[read]
table = "magnetite.csv"

[labels]
deposit = "mine"
type = "kind"

[model]
name = "discriminant"

[validate]
baselines = ["nearest"]
n_splits = 3
n_random_splits = 3
null_permutations = 3
"""


@pytest.fixture(scope="module")
def magnetite():
    """Other elements, other classes, other column names than the shipped model's."""
    simulated = simulate_mineral_chemistry(
        mineral="magnetite", n_deposits=30, n_per_deposit=(5, 12), random_state=3
    )
    return simulated.table.rename(columns={"deposit": "mine", "type": "kind"})


@pytest.fixture
def study_file(tmp_path, magnetite):
    magnetite.to_csv(tmp_path / "magnetite.csv", index=False)
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def edited(path, old, new):
    path.write_text(path.read_text().replace(old, new))
    return path


def test_the_template_is_a_study_that_is_read(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(study_template("genesis"))
    study = read_study(path)
    assert study.kind == "genesis"
    assert study.sections["read"] == {"table": "analyses.csv"}


def test_every_commented_key_of_the_template_is_known(tmp_path):
    lines = study_template("genesis").splitlines()
    is_code = re.compile(r"# (\[\w+\]|\w+ = )")
    keys = [line[2:] if is_code.match(line) else line for line in lines]
    path = tmp_path / "study.toml"
    path.write_text("\n".join(keys))
    assert read_study(path).sections["model"]["coverage"] == 0.9


def test_unknown_studies_have_no_template():
    with pytest.raises(ValueError, match="kind must be one of genesis"):
        study_template("alchemy")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("[labels]", "[lables]", r"unknown section \[lables\].*'labels'"),
        ("type =", "typ =", r"\[labels\] has no key 'typ'.*'type'"),
        ("n_splits", "n_split", r"\[validate\] has no key 'n_split'.*'n_splits'"),
        ("title =", "titel =", r"unknown key 'titel'.*'title'"),
        ('"genesis"', '"geneses"', "study must be one of"),
        ("[read]", "[read", "not valid TOML"),
    ],
)
def test_words_that_nobody_knows_are_refused_with_the_nearest(study_file, old, new, match):
    with pytest.raises(ValueError, match=match):
        read_study(edited(study_file, old, new))


def test_a_missing_study_file_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="gossan init genesis"):
        read_study(tmp_path / "no.toml")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('"mine"', '"mien"', "no column 'mien' for the deposit.*'mine'"),
        ('"magnetite.csv"', '"magnetit.csv"', "magnetit.csv"),
        ('"discriminant"', '"discriminent"', "must be one of.*'discriminant'"),
        ('["nearest"]', '["nearst"]', "'nearest'"),
        ('table = "magnetite.csv"', "", "needs table"),
    ],
)
def test_check_finds_what_would_stop_a_run(study_file, old, new, match):
    assert check_study(study_file) == []
    problems = check_study(edited(study_file, old, new))
    assert len(problems) == 1
    with pytest.raises(ValueError, match=match):
        raise ValueError(problems[0])


def test_one_type_is_refused(study_file, magnetite):
    one = magnetite.assign(kind="IOCG")
    one.to_csv(study_file.parent / "magnetite.csv", index=False)
    assert "one deposit type" in check_study(study_file)[0]


def test_types_of_one_deposit_are_refused_by_name(study_file, magnetite):
    others = magnetite["mine"] != magnetite["mine"][0]
    lone = magnetite.assign(kind=magnetite["kind"].where(others, "BIF?"))
    lone.to_csv(study_file.parent / "magnetite.csv", index=False)
    assert "BIF? (1)" in check_study(study_file)[0]


def test_a_run_writes_its_folder_and_goes_on_where_it_was(study_file, magnetite):
    new = magnetite[magnetite["mine"].isin(magnetite["mine"].unique()[:2])].drop(columns="kind")
    new.to_csv(study_file.parent / "new.csv", index=False)
    study_file.write_text(STUDY + '\n[classify]\ntable = "new.csv"\ndeposit = "mine"\n')
    folder = run_study(study_file)
    for name in ("report.html", "classified.html", "scores.csv", "verdicts.csv", "predictions.csv",
                 "study.toml", "manifest.json", "quality.txt", "model/model.json",
                 "model/weights.safetensors"):  # fmt: skip
        assert (folder / name).stat().st_size > 0, name
    scores = pd.read_csv(folder / "scores.csv").set_index(["model", "protocol"])
    honest = scores.loc[("nearest", "with each deposit held out"), "accuracy"]
    assert scores.loc[("nearest", "random split"), "accuracy"] > honest
    verdicts = pd.read_csv(folder / "verdicts.csv")
    assert len(verdicts) == magnetite["mine"].nunique()
    assert (verdicts["verdict"] == verdicts["type"]).mean() > 0.5
    assert set(pd.read_csv(folder / "classified_verdicts.csv")["deposit"]) == set(new["mine"])

    again = run_study(study_file)
    manifest = json.loads((again / "manifest.json").read_text())
    assert set(manifest["reused"]) >= {"discriminant-random-0", "nearest-deposit-0", "null-test"}
    assert manifest["seconds"] == {}
    pd.testing.assert_frame_equal(pd.read_csv(again / "scores.csv"), scores.reset_index())


def test_a_changed_table_is_not_answered_from_an_old_run(study_file, magnetite):
    folder = run_study(study_file)
    first = np.loadtxt(folder / "predictions.csv", delimiter=",", skiprows=1, usecols=4)
    changed = magnetite.copy()
    changed["Ti"] = changed["Ti"].to_numpy()[::-1]
    changed.to_csv(study_file.parent / "magnetite.csv", index=False)
    run_study(study_file)
    second = np.loadtxt(folder / "predictions.csv", delimiter=",", skiprows=1, usecols=4)
    assert not np.allclose(first, second)


def test_cells_that_a_spreadsheet_would_run_are_quoted(study_file, magnetite):
    evil = magnetite.copy()
    evil.loc[evil["mine"] == evil["mine"][0], "mine"] = "=HYPERLINK(1)"
    evil.to_csv(study_file.parent / "magnetite.csv", index=False)
    folder = run_study(study_file)
    assert "'=HYPERLINK(1)" in (folder / "verdicts.csv").read_text()
