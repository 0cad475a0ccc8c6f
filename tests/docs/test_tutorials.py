"""The tutorials run as they stand, and what they show is what comes out.

A block of `toml` whose first line is `# NAME.toml` is written to that file. A block of `python` is
run, and what it prints is the block of `text` right after it. In a block of `console` each line
with a `$` is run, and the lines after it are its output. `...` stands for anything.
"""

import contextlib
import doctest
import io
import re
import shlex
from pathlib import Path

import pytest

from gossan.cli import main

DOCS = Path(__file__).parents[2] / "docs"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def play(text, folder):
    """Do what a page says, in this folder; yield (what was run, what it should say, what it said)."""
    blocks = BLOCK.findall(text)
    names = {"__name__": "__main__"}
    for number, (language, body) in enumerate(blocks):
        after = blocks[number + 1] if number + 1 < len(blocks) else ("", "")
        if language == "toml":
            name = body.splitlines()[0].removeprefix("# ")
            assert re.fullmatch(r"\w+\.toml", name), "the first line of a block tells its file"
            (folder / name).write_text(body, encoding="utf-8")
        elif language == "python":
            with said() as stream:
                exec(compile(body, f"block {number + 1}", "exec"), names)  # noqa: S102
            yield body, after[1] if after[0] == "text" else None, stream.getvalue()
        elif language == "console":
            for command, told in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", body, re.MULTILINE):
                yield command, told, run(command)


def run(command):
    """Run a command line of gossan here, and return what it says."""
    program, *words = shlex.split(command, comments=True)
    assert program == "gossan", command
    with said() as stream:
        main(words)
    return stream.getvalue()


@contextlib.contextmanager
def said():
    """Catch what is said on both streams, in order."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        yield stream


def agrees(told, said_):
    """Tell whether an output is as shown; an empty block shows nothing and asks for nothing."""
    return not told or doctest.OutputChecker().check_output(told, said_, FLAGS)


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=[path.stem for path in TUTORIALS])
@pytest.mark.filterwarnings("ignore::gossan._checks.GossanWarning")
def test_a_tutorial_runs_as_it_stands(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = 0
    for what, told, answer in play(page.read_text(encoding="utf-8"), tmp_path):
        assert agrees(told, answer), f"{what}\nshould say:\n{told}\nbut says:\n{answer}"
        shown += bool(told)
    assert shown >= 4, "a tutorial shows what comes out"
    assert list(tmp_path.rglob("report.html"))


def test_there_is_a_tutorial_for_each_study():
    from gossan.study import KINDS

    assert {path.stem for path in TUTORIALS} >= set(KINDS)


def test_the_player_finds_a_wrong_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (
        "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n\n```console\n$ gossan --nonsense\n```\n"
    )
    (_, told, answer), *_ = play(page.split("```console")[0], tmp_path)
    assert answer == "2\n"
    assert not agrees(told, answer)
    assert agrees("2\n", answer)
