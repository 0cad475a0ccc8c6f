"""The runner of the gallery, and what every script of it must tell the page that shows it."""

import ast
import importlib.util
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[2] / "gallery"
SCRIPTS = sorted(GALLERY.glob("[!_]*.py"))


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """The runner, over a folder of its own with two small scripts."""
    spec = importlib.util.spec_from_file_location("_all", GALLERY / "_all.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path / "gallery"
    folder.mkdir()
    (folder / "good.py").write_text("import sys; print(sys.argv[1:])", encoding="utf-8")
    (folder / "_part.py").write_text("raise SystemExit(9)", encoding="utf-8")
    monkeypatch.setattr(module, "HERE", folder)
    return module


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_tells_what_it_shows_and_how_it_is_run(path):
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert doc.splitlines()[0].endswith(".")
    assert f"python gallery/{path.name} [--out FOLDER]" in doc


def test_there_is_a_script_for_each_study_and_its_picture():
    from gossan.study import KINDS

    assert {path.stem for path in SCRIPTS} >= set(KINDS)
    pictures = GALLERY.parent / "docs" / "pictures"
    assert {path.stem for path in pictures.iterdir()} >= set(KINDS)


def test_all_scripts_are_run_each_into_its_folder(runner, tmp_path, capsys):
    runner.main(["--quick", "--out", str(tmp_path / "out")])
    assert capsys.readouterr().out.startswith("good.py: done in")


def test_a_script_that_fails_is_named_with_what_it_said(runner, tmp_path, capfd):
    (runner.HERE / "bad.py").write_text("print('I tried'); raise SystemExit(3)", encoding="utf-8")
    with pytest.raises(SystemExit, match="These failed: bad"):
        runner.main(["--out", str(tmp_path / "out")])
    told = capfd.readouterr().out
    assert "bad.py: failed" in told
    assert "I tried" in told
    assert "good.py: done" in told


def test_a_script_without_its_data_is_left_out(runner, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(runner, "REAL", {"good": "no_such_data"})
    runner.main(["--out", str(tmp_path / "out")])
    assert "good.py: left out, its data are not here" in capsys.readouterr().out
