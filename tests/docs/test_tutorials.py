"""The tutorials run as they stand, and what they show is what comes out.

A block of `toml` whose first line is `# NAME.toml` is written to that file. A block of `python` is
run, and what it prints is the block of `text` right after it. In a block of `console` each line
with a `$` is run, and the lines after it are its output. `...` stands for anything, and numbers
need not be equal to the last digit, since machines differ there.
"""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from gossan.cli import main

DOCS = Path(__file__).parents[2] / "docs"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


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


def agrees(told, answer):
    """Tell whether an output is as shown; an empty block shows nothing and asks for nothing."""
    if not told:
        return True
    wanted, answer = " ".join(told.replace("...", "…").split()), " ".join(answer.split())
    pieces = [piece.split("…") for piece in NUMBER.split(re.sub(" ?… ?", "…", wanted))]
    pattern = f"({NUMBER.pattern})".join(".*?".join(map(re.escape, words)) for words in pieces)
    found = re.fullmatch(pattern, answer, re.DOTALL)
    numbers = zip(NUMBER.findall(wanted), found.groups() if found else (), strict=bool(found))
    return bool(found) and all(
        alike(*(float(n.replace(",", "")) for n in pair)) for pair in numbers
    )


def alike(told, answer):
    """Tell whether two numbers are one within 3 % or a few hundredths; counts are exact."""
    return abs(told - answer) <= (0.03 * max(abs(told), 1.0) if told % 1 or answer % 1 else 0.0)


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


def test_the_player_runs_what_a_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = "```toml\n# a.toml\nb = 1\n```\n\n```python\nfrom pathlib import Path\n"
    page += "print(Path('a.toml').read_text())\n```\n\n"
    page += "```text\n3\n```\n\n```console\n$ gossan init genesis\nnothing\n```\n"
    (_, told, answer), (command, shown, said_) = play(page, tmp_path)
    assert (told, answer) == ("3\n", "# a.toml\nb = 1\n\n")
    assert (command, shown) == ("gossan init genesis", "nothing\n")
    assert 'study = "genesis"' in said_


@pytest.mark.parametrize(
    ("told", "answer", "is_alike"),
    [
        ("AUC 0.90 (0.79-0.97)\n", "AUC  0.91 (0.78-0.97)", True),
        ("AUC 0.90\n", "AUC 0.80", False),
        ("16 of 20\n", "15 of 20", False),
        ("16 of 20\n", "16 of 21", False),
        ("...\nb 1\n...\n", "a 5\nb 1\nc", True),
        ("...\nb 1\n...\n", "a 5\nb 2\nc", False),
        ("(95 %).\n...\n", "(95 %). Report", True),
        ("kept\n", "lost", False),
        ("1,024.5 km\n", "1,020.5 km", True),
        ("-0.04\n", "0.04", False),
    ],
)
def test_an_output_is_compared_by_words_and_numbers(told, answer, is_alike):
    assert agrees(told, answer) is is_alike
