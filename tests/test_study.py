"""Study files: what is refused, with which words, and a whole run on a small made-up table."""

import importlib
import inspect
import json
import re

import numpy as np
import pandas as pd
import pytest

from gossan.simulate import simulate_mineral_chemistry
from gossan.study import KINDS, check_study, read_study, run_study, study_template

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


def uncommented(kind):
    """Return the template with its commented keys as if they were set, and their names."""
    lines, names, is_open = [], set(), False
    for line in study_template(kind).splitlines():
        key = re.match(r"# (\[\w+\]|\w+ = )", line)
        code = line[1:] if key or is_open else line
        if key:
            names.add(key[1].removesuffix(" = "))
        if key or is_open:  # a list may go on over the next lines
            ends = code.split("  #")[0].rstrip().endswith("]")
            is_open = not ends if is_open else code.count("[") > code.count("]")
        lines.append(code)
    return "\n".join(lines), names


@pytest.mark.parametrize("kind", KINDS)
def test_every_commented_key_of_a_template_is_known_and_shows_its_default(kind, tmp_path):
    text, names = uncommented(kind)
    if kind == "deposit":
        text = text.replace("level = 3000", "")  # the ground is a table or a level
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    sections = importlib.import_module(f"gossan.studies.{kind}.run").SECTIONS
    n_shown = 0
    for name, arguments in read_study(path).sections.items():
        known = inspect.signature(sections[name]).parameters
        for key in names & set(arguments) & set(known):
            default = known[key].default
            if default not in (None, "", (), inspect.Parameter.empty):  # others show an example
                shown = arguments[key]
                assert shown == (list(default) if isinstance(default, tuple) else default), key
                n_shown += 1
    assert n_shown > 10


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_is_checked_up_to_its_tables(kind, tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(study_template(kind), encoding="utf-8")
    assert read_study(path).kind == kind
    problems = check_study(path)
    named = {"deposit": 3, "region": 2}.get(kind, 1)  # tables, none of which is there
    assert len(problems) == named
    assert all(".csv" in problem for problem in problems)


@pytest.mark.parametrize(
    ("kind", "text", "match"),
    [
        ("deposit", '[holes]\ncollar = "a.csv"', r"\[holes\] needs assay, text in quotes"),
        ("tailings", '[holes]\nassay = "a.csv"', r"\[holes\] needs collar, text in quotes"),
        ("deposit", '[ore]\nelement = "Cu"', r"\[ore\] needs cutoff, a number"),
    ],
)
def test_a_key_that_a_section_cannot_do_without_is_named(tmp_path, kind, text, match):
    path = tmp_path / "study.toml"
    path.write_text(f'study = "{kind}"\n{text}\n')
    with pytest.raises(ValueError, match=match):
        read_study(path)


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
