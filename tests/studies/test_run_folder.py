"""Run folders: finished parts are not done again, files are whole, formulas are harmless."""

import json

import numpy as np
import pandas as pd
import pytest

from gossan.studies.run_folder import RunFolder, fingerprint


def test_a_finished_part_is_not_done_again(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"x": np.arange(3)}

    for _ in range(2):
        folder = RunFolder(tmp_path / "run")
        np.testing.assert_array_equal(folder.part("a", {"seed": 1}, compute)["x"], [0, 1, 2])
    assert len(calls) == 1
    assert folder.reused == ["a"]


def test_another_dependency_is_computed_anew(tmp_path):
    folder = RunFolder(tmp_path)
    folder.part("a", {"seed": 1}, lambda: {"x": np.array(1)})
    assert folder.part("a", {"seed": 2}, lambda: {"x": np.array(2)})["x"] == 2


def test_a_part_that_fails_leaves_nothing_behind(tmp_path):
    folder = RunFolder(tmp_path)

    def fail():
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        folder.part("a", {}, fail)
    assert folder.part("a", {}, lambda: {"x": np.array(5)})["x"] == 5


def test_what_is_kept_is_found_under_its_name_and_key_only(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.kept("a", {"seed": 1}) is None
    folder.keep("a", {"seed": 1}, {"x": np.arange(3.0), "names": np.array(["ore", "fault"])})
    again = RunFolder(tmp_path)
    found = again.kept("a", {"seed": 1})
    assert set(found) == {"x", "names"}
    np.testing.assert_array_equal(found["x"], [0.0, 1.0, 2.0])
    assert found["names"].tolist() == ["ore", "fault"]
    assert again.reused == ["a"]
    assert again.kept("a", {"seed": 2}) is None
    assert again.kept("b", {"seed": 1}) is None
    assert again.reused == ["a"]


def test_a_part_of_another_name_does_not_pass_for_this_one(tmp_path):
    folder = RunFolder(tmp_path)
    folder.keep("a", {}, {"x": np.array(1)})
    (tmp_path / "parts" / "a.npz").rename(tmp_path / "parts" / "b.npz")
    assert folder.kept("b", {}) is None


def test_a_damaged_part_is_as_if_it_were_not_there(tmp_path):
    folder = RunFolder(tmp_path)
    folder.keep("a", {}, {"x": np.arange(1000)})
    file = tmp_path / "parts" / "a.npz"
    for damaged in (file.read_bytes()[:200], b"", b"no zip at all"):
        file.write_bytes(damaged)
        assert folder.kept("a", {}) is None
    folder.keep("a", {}, {"x": np.array(7)})
    assert folder.kept("a", {})["x"] == 7


def test_a_part_without_arrays_is_kept_too(tmp_path):
    folder = RunFolder(tmp_path)
    folder.keep("a", {}, {})
    assert folder.kept("a", {}) == {}


def test_files_of_an_earlier_run_are_removed_and_missing_ones_are_no_fault(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_text("old.csv", "x")
    folder.remove("old.csv", "never.csv")
    assert not (tmp_path / "old.csv").exists()


def test_a_file_is_no_run_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileExistsError, match=r"cannot be written as a folder.*--out"):
        RunFolder(tmp_path / "file")


def test_text_replaces_the_old_whole(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_text("a.txt", "old")
    assert folder.write_text("a.txt", "new").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_formulas_are_quoted_and_numbers_are_not(tmp_path):
    table = pd.DataFrame({"name": ["=1+1", "@x", "Huize"], "value": [-1.0, 2.0, 3.0]})
    path = RunFolder(tmp_path).write_table("t.csv", table)
    assert path.read_text().splitlines()[1:] == ["'=1+1,-1.0", "'@x,2.0", "Huize,3.0"]


def test_the_manifest_names_versions(tmp_path):
    RunFolder(tmp_path).write_manifest({"study": "genesis"})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["study"] == "genesis"
    assert {"numpy", "torch"} <= set(manifest["packages"])


def test_fingerprints_see_every_cell_and_name():
    table = pd.DataFrame({"a": [1.0, 2.0]})
    changed = table.assign(a=[1.0, 2.0000001])
    assert fingerprint(table) == fingerprint(table.copy())
    assert len({fingerprint(t) for t in (table, changed, table.rename(columns={"a": "b"}))}) == 3


def test_of_tables_without_rows_nothing_old_remains(tmp_path):
    folder = RunFolder(tmp_path)
    full, empty = pd.DataFrame({"x": [1]}), pd.DataFrame({"x": []})
    folder.write_tables({"a.csv": full, "b.csv": full, "c.csv": empty})
    assert sorted(file.name for file in tmp_path.glob("*.csv")) == ["a.csv", "b.csv"]
    folder.write_tables({"a.csv": empty, "b.csv": empty}, also_empty=("b.csv",))
    assert [file.name for file in tmp_path.glob("*.csv")] == ["b.csv"]
    assert (tmp_path / "b.csv").read_text() == "x\n"
