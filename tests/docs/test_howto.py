"""The how-to pages: their Python runs as it stands, and every command line on any page exists."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from gossan.cli import main

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
HOWTO = sorted((DOCS / "howto").glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def names_of(paths):
    return [path.relative_to(DOCS).as_posix() for path in paths]


@pytest.mark.parametrize("page", [*HOWTO, DOCS / "index.md"], ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::gossan._checks.GossanWarning")
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for number, (language, body) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
        if language == "python":
            exec(compile(body, f"{page.name}, block {number + 1}", "exec"), names)  # noqa: S102


@pytest.mark.parametrize("page", PAGES, ids=names_of(PAGES))
def test_every_command_line_on_a_page_exists(page, capsys):
    lines = [
        line.removeprefix("$ ")
        for language, body in BLOCK.findall(page.read_text(encoding="utf-8"))
        if language in ("", "sh", "console")
        for line in body.splitlines()
        if line.removeprefix("$ ").startswith("gossan ")
    ]
    for line in lines:
        _, *words = shlex.split(line.split(" > ")[0], comments=True)
        options = [word for word in words if word.startswith("-")]
        command = next((word for word in words if not word.startswith("-")), None)
        told = help_of(command, capsys)
        for option in options:
            assert re.search(rf"(?<![\w-]){option}\b", told), f"{line}: there is no {option}"


def help_of(command, capsys):
    """Return the help of a command of gossan, which exits once it is printed."""
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"] if command else ["--help"])
    assert stopped.value.code == 0, f"there is no command {command}"
    return capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=names_of(PAGES))
def test_every_piece_of_a_study_file_on_a_page_has_known_keys(page):
    """A section and a key that a page shows stand in the template of some study."""
    from gossan.study import KINDS, study_template

    templates = [study_template(kind) for kind in KINDS]
    for language, body in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language != "toml":
            continue
        for section, keys in tomllib.loads(body).items():
            if not isinstance(keys, dict):
                continue
            holders = [text for text in templates if re.search(rf"^#? ?\[{section}\]", text, re.M)]
            assert holders, f"{page.name}: no study has a section [{section}]"
            for key in keys:
                found = [text for text in holders if re.search(rf"^(# )?{key} = ", text, re.M)]
                assert found, f"{page.name}: no section [{section}] has the key {key}"


def test_there_is_a_page_for_each_complaint_that_is_loudest():
    assert {path.stem for path in HOWTO} >= {
        "messy-tables", "faulty-holes", "degrees", "rasters", "gis-and-mine-software", "resume",
        "large", "new-data", "published", "quote", "offline", "cluster",
    }  # fmt: skip
