"""What a look at a study finds: every problem in one go, and what a run will take."""

import json

import numpy as np
import pandas as pd
import pytest

from gossan._machine import check_room, memory_there, write_gb
from gossan.cli import main
from gossan.simulate import simulate_deposit, simulate_mineral_chemistry
from gossan.studies.keys import value_problems
from gossan.studies.looking import Look, write_time
from gossan.studies.run_folder import RunFolder, lock_folder, remove_leftovers
from gossan.study import (
    check_study,
    look_at_study,
    read_study,
    run_study,
    state_of_run,
    study_template,
    write_report_again,
)

STUDY = """
study = "genesis"
title = "Made-up magnetite"
[read]
table = "magnetite.csv"
[model]
name = "discriminant"
[validate]
baselines = ["nearest"]
n_splits = 3
n_random_splits = 3
null_permutations = 2
"""
HOLES = """
study = "deposit"
titel = "A field"
[holes]
collar = "collar.csv"
survey = "survy.csv"
assay = "assay.csv"
dip = "down_negative"
elements = ["Au", "Sbb", "Cuu"]
fx = ["names"]
[ore]
cutoff = "1000"
reach = -1
[fault]
table = "fault.csv"
[validate]
n_splits = 1
n_nulls = -3
"""


@pytest.fixture(scope="module")
def magnetite():
    return simulate_mineral_chemistry(
        mineral="magnetite", n_deposits=20, n_per_deposit=(4, 8), random_state=3
    ).table


@pytest.fixture
def study_file(tmp_path, magnetite):
    magnetite.to_csv(tmp_path / "magnetite.csv", index=False)
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory, magnetite):
    place = tmp_path_factory.mktemp("finished")
    magnetite.to_csv(place / "magnetite.csv", index=False)
    (place / "study.toml").write_text(STUDY, encoding="utf-8")
    return run_study(place / "study.toml")


# Every problem in one go


def test_check_lists_every_problem_of_words_values_files_and_tables(tmp_path, capsys):
    simulate_deposit("small", random_state=0).write(tmp_path)
    path = tmp_path / "study.toml"
    path.write_text(HOLES, encoding="utf-8")
    problems = check_study(path)
    for told in (
        "unknown key 'titel' before the first section. Did you mean 'title'?",
        "[holes] has no key 'fx'. Did you mean 'fix'?",
        "[holes] survey: there is no file survy.csv",
        "Did you mean 'survey.csv'?",
        "[ore] cutoff must be a number, got '1000'. Write cutoff = 1000.",
        "[ore] reach must be 0.1 or more, got -1",
        "unknown section [fault]. Did you mean 'faults'?",
        "[faults] table: there is no file fault.csv",
        "[validate] n_splits must be 2 to 100, got 1",
        "[validate] n_nulls must be 0 to 10000, got -3",
        "no analyses of 'Sbb'",
        "no analyses of 'Cuu'",
    ):
        assert any(told in problem for problem in problems), told
    assert len(problems) == 11
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert "11 problems to mend" in out
    assert out.count("\n- ") == 10


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("assay.csv", "There are grid.csv, sph.csv. Mend the name"),  # of another name altogether
        ("sphal.csv", "Did you mean 'sph.csv'?"),
        ("SPH.txt", "Did you mean 'sph.csv'?"),
        ("assay.xlsx", ". Mend the name; it is relative to the study file."),
    ],
)
def test_a_missing_file_is_told_with_the_nearest_name_or_those_that_are_there(tmp_path, name, told):
    for there in ("sph.csv", "grid.csv"):
        (tmp_path / there).write_text("Zn\n1\n", encoding="utf-8")
    path = tmp_path / "study.toml"
    path.write_text(f'study = "genesis"\n[read]\ntable = "{name}"\n', encoding="utf-8")
    problem = next(told for told in check_study(path) if f"there is no file {name}" in told)
    assert told in problem, problem


def test_a_reader_hears_of_the_first_problem_and_how_many_more_there_are(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(HOLES, encoding="utf-8")
    with pytest.raises(ValueError, match=r"'titel'.* 6 more: see gossan check "):
        read_study(path)


def test_cells_at_fault_are_told_with_their_rows_beside_missing_columns(study_file, magnetite):
    broken = magnetite.astype({"Ti": object})
    broken.loc[broken.index[4], "Ti"] = "12..5"
    broken.to_csv(study_file.parent / "magnetite.csv", index=False)
    study_file.write_text(STUDY + '[labels]\ntype = "typ"\ndeposit = "mien"\n', encoding="utf-8")
    problems = check_study(study_file)
    assert len(problems) == 3
    assert "no column 'mien' for the deposit" in problems[0]
    assert "no column 'typ' for the type" in problems[1]
    assert "Did you mean 'type'?" in problems[1]
    assert "12..5" in problems[2]
    assert "row 6" in problems[2]


def test_overlaps_and_reversed_samples_are_told_together(tmp_path):
    made = simulate_deposit("small", random_state=0)
    made.write(tmp_path)
    table = pd.read_csv(tmp_path / "assay.csv")
    start, end = [name for name in table if name.lower().startswith(("from", "to"))][:2]
    table.loc[3, [start, end]] = table.loc[3, [end, start]].to_numpy()
    table.loc[40, end] = table.loc[41, end] - 0.1
    table.to_csv(tmp_path / "assay.csv", index=False)
    text = '[holes]\ncollar = "collar.csv"\nassay = "assay.csv"\nsurvey = "survey.csv"\n'
    path = tmp_path / "study.toml"
    path.write_text(f'study = "deposit"\n{text}dip = "down_negative"\n[ore]\ncutoff = 1000\n')
    problems = check_study(path)
    assert any("end above their start, first in row" in problem for problem in problems)
    assert any("overlap those above them, first in row" in problem for problem in problems)
    assert all("hole" in problem for problem in problems)


def test_value_problems_blame_each_key_once():
    def taken(*, low: float = 0.0, high: float = 1.0, word: str = "a"):
        if low < 0:
            raise ValueError("low must be 0 or more")
        if high > 1:
            raise ValueError("high must be 1 or less")
        if word and low == high:
            raise ValueError("low and high must differ")

    problems, left = value_problems("[x]", {"low": -1.0, "high": 3.0, "word": "b"}, function=taken)
    assert problems == ["[x] low must be 0 or more", "[x] high must be 1 or less"]
    assert left == {"word": "b"}


# What was found, and what it takes


def test_a_study_without_problems_tells_what_it_read_and_what_it_takes(study_file, capsys):
    look = look_at_study(study_file)
    assert look.problems == []
    assert "20 deposits" in look.found[0]
    assert look.seconds > 0
    assert look.n_bytes > 0
    assert main(["check", str(study_file)]) == 0
    out = capsys.readouterr().out
    assert "12 elements" in out
    assert "The run takes under a minute" in out
    assert out.endswith("No problems found.\n")


def test_a_run_that_needs_more_memory_than_there_is_is_refused_with_both_numbers(monkeypatch):
    assert 1e8 < memory_there() < 1e14
    monkeypatch.setattr("gossan._machine.memory_there", lambda: 24e9)
    check_room(23e9, "Take a larger spacing.")
    with pytest.raises(
        ValueError, match=r"about 41 GB of memory, this machine has 24 GB free\. Take"
    ):
        check_room(41e9, "Take a larger spacing.")


def test_sizes_and_times_are_written_for_people():
    assert (write_gb(41e9), write_gb(0.64e9)) == ("41 GB", "0.6 GB")
    assert (write_time(3), write_time(65), write_time(7200)) == (
        "under a minute", "about a minute", "some 2 hours",
    )  # fmt: skip


def test_a_look_keeps_a_problem_once():
    look = Look()
    for _ in range(2):
        assert look.attempt(int, "x") is None
    assert len(look.problems) == 1


# Study files of other systems


def test_a_study_file_of_powershell_is_read(tmp_path):
    path = tmp_path / "study.toml"
    text = study_template("genesis").replace("Deposit types", "Größe und 矿")
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-16"))
    study = read_study(path)
    assert study.title.startswith("Größe und 矿")
    assert study.text == text
    path.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))
    assert read_study(path).text == text


def test_a_file_of_another_encoding_says_so(tmp_path):
    path = tmp_path / "study.toml"
    path.write_bytes('study = "genesis"\ntitle = "Gr\u00f6\u00dfe"\n'.encode("cp1252"))
    (problem,) = check_study(path)
    assert "no UTF-8 text" in problem
    assert "Save it as UTF-8" in problem


# Reports again


def test_a_report_is_written_again_with_its_edited_title_and_nothing_computed(
    finished, monkeypatch, tmp_path
):
    study = finished.parent.parent / "study.toml"
    old = study.read_text(encoding="utf-8")
    study.write_text(old.replace("Made-up magnetite", "A better title"), encoding="utf-8")
    scores = (finished / "scores.csv").read_bytes()
    monkeypatch.setattr("gossan.studies.run_folder.__version__", "99.0")  # after an update
    page = write_report_again(finished, figures=tmp_path / "figures")
    assert "A better title" in page.read_text(encoding="utf-8")
    assert (finished / "scores.csv").read_bytes() == scores
    told = json.loads((finished / "manifest.json").read_text(encoding="utf-8"))
    assert told["gossan"] != "99.0"  # what made the parts
    assert "99.0" in told["page_written"]
    assert told["seconds"]
    figures = sorted((tmp_path / "figures").iterdir())
    assert all(
        "<svg" in path.read_text(encoding="utf-8") for path in figures if path.suffix == ".svg"
    )
    with_data = [path for path in figures if path.suffix == ".csv"]
    assert with_data
    assert all(len(pd.read_csv(path)) for path in with_data)
    study.write_text(old, encoding="utf-8")


def test_a_report_of_changed_settings_asks_for_a_run(finished):
    study = finished.parent.parent / "study.toml"
    old = study.read_text(encoding="utf-8")
    study.write_text(
        old.replace("n_splits = 3\nn_random", "n_splits = 4\nn_random"), encoding="utf-8"
    )
    with pytest.raises(ValueError, match=r"does not hold the part .* Go on with gossan run"):
        write_report_again(finished)
    study.write_text(old, encoding="utf-8")


def test_report_tells_what_is_done_and_left_of_a_run_that_was_stopped(study_file, capsys):
    def stop(line):
        if line.startswith("discriminant, with each deposit"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(study_file, progress=stop)
    folder = study_file.parent / "runs" / "study"
    state = state_of_run(folder)
    assert not state.is_finished
    assert state.done == ["discriminant-random-0", "nearest-deposit-0", "nearest-random-0"]
    assert state.left == ["discriminant-deposit-0", "null-test", "importance"]
    assert main(["report", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "not finished: 3 of 6 parts done" in out
    assert f"gossan run {study_file}" in out
    with pytest.raises(ValueError, match="not finished"):
        write_report_again(folder)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, "is not there"),
        (lambda path: path.mkdir(), "is no folder of a run: it has no manifest.json"),
        (lambda path: path.write_text("x"), "is a file, not a folder"),
        (lambda path: RunFolder(path, owner="demo"), "holds the demo"),
    ],
)
def test_a_folder_that_is_no_run_is_told(tmp_path, capsys, make, told):
    make(tmp_path / "run")
    assert main(["report", str(tmp_path / "run")]) == 2
    assert told in capsys.readouterr().err


def test_a_run_that_goes_on_is_not_finished_until_it_is(finished, tmp_path):
    RunFolder(finished, owner="run of study.toml")
    assert not state_of_run(finished).is_finished
    run_study(finished.parent.parent / "study.toml")
    assert state_of_run(finished).is_finished


# Run folders of killed runs


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    folder = RunFolder(tmp_path / "run", owner="run of a.toml")
    folder.keep("a", {}, {"x": np.arange(3)})
    for half in (tmp_path / "run" / ".scores.csv.ab12cd_9", tmp_path / "run/parts/.a.npz.x1y2z3_0"):
        half.mkdir()
        (half / "scores.csv").write_text("a,")
    (tmp_path / "run" / ".mine").mkdir()
    assert len(remove_leftovers(tmp_path / "run")) == 2
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"manifest.json", "parts", ".lock", ".mine"}


def test_a_folder_that_was_being_replaced_comes_back(tmp_path):
    old = tmp_path / ".model.ab12cd_9" / "old"
    old.mkdir(parents=True)
    (old / "model.json").write_text("{}")
    remove_leftovers(tmp_path)
    assert (tmp_path / "model" / "model.json").exists()


def test_a_folder_that_another_process_writes_is_refused(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    import subprocess
    import sys

    code = (
        "import fcntl, sys\n"
        f"stream = open({str(tmp_path / '.lock')!r}, 'ab')\n"
        "fcntl.lockf(stream, fcntl.LOCK_EX)\n"
        "print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(ValueError, match="being written by another gossan run"):
            lock_folder(tmp_path)
        other.communicate()
    lock = lock_folder(tmp_path)
    assert lock is not None
    fcntl.lockf(lock, fcntl.LOCK_UN)
    import os

    os.close(lock)
