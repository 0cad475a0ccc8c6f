"""The words of the command line: help, near misses, exit codes, talk before and after, completion."""

import io
import shutil
import signal
import subprocess
import sys

import pytest

from gossan import cli
from gossan.cli import main
from gossan.cli.completion import completion_script
from gossan.cli.talk import Progress
from gossan.cli.words import STUDIES, make_parser, parse, subparsers_of
from gossan.study import KINDS

COMMANDS = sorted(subparsers_of(make_parser()))


def test_the_commands_are_those_of_the_manual():
    assert COMMANDS == ["check", "classify", "completion", "data", "demo", "init", "report", "run",
                        "score"]  # fmt: skip
    assert STUDIES == KINDS  # written twice, so that help loads nothing


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(capsys, command):
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    out = capsys.readouterr().out
    assert left.value.code == 0
    assert f"example:\n  gossan {command}" in out
    assert "--quiet" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs_what_there_is(command):
    import importlib

    options = vars(subparsers_of(make_parser())[command])["_defaults"]
    assert callable(options["run"])
    modules = {"classify": "classify", "score": "score", "data": "data", "completion": "completion"}
    module = importlib.import_module(f"gossan.cli.{modules.get(command, 'studies')}")
    assert callable(getattr(module, f"run_{command}"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["chek", "x"], "Did you mean 'check'?"),
        (["run", "x.toml", "--ot", "y"], "gossan run knows no '--ot'. Did you mean '--out'?"),
        (["run"], "The following arguments are required: STUDY. See gossan run --help."),
        (["completion", "bsh"], "got 'bsh'. Did you mean 'bash'?"),
        (["score", "m", "a.tif", "--out", "b.tif", "--tile", "big"], "invalid int value: 'big'"),
        (["--quiet", "--verbose", "data"], "not allowed with"),
        (["init", "deposti"], "Did you mean 'deposit'?"),
        (["init", "deposit", "--explain", "gird"], "Did you mean 'grid'?"),
        (["init", "deposit", "grid"], "gossan init --explain deposit grid"),
    ],
)
def test_words_that_make_no_command_end_in_one_line_and_code_2(capsys, words, told):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.startswith("gossan: ")
    assert err.count("\n") == 1


def test_no_word_at_all_prints_help(capsys):
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 0
    assert "gossan init deposit --out study.toml" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--quiet", "data"], ["data", "--quiet"], ["data", "-q"]])
def test_quiet_may_stand_before_and_after_the_command(words):
    options = parse(words)
    assert (options.quiet, options.verbose) == (True, False)
    assert parse(["data"]).quiet is False


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ValueError("Mend it."), 2, "gossan: Mend it."),
        (FileNotFoundError("No file."), 2, "gossan: No file."),
        (MemoryError(), 2, "too little memory"),
        (AttributeError("oh"), 3, "not yours. Please report it"),
        (KeyboardInterrupt(), 130, "the same command goes on"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_exit_codes_tell_whose_fault_it_was(monkeypatch, capsys, error, code, told):
    def fail(_):
        raise error

    monkeypatch.setattr("gossan.cli.data.run_data", fail)
    monkeypatch.setattr(cli.os, "dup2", lambda *_: None)
    monkeypatch.setattr(cli.sys.stdout, "fileno", lambda: 1, raising=False)
    assert main(["data"]) == code
    err = capsys.readouterr().err
    assert told in err
    assert "Traceback" not in err


def test_sigterm_ends_as_ctrl_c_does_and_only_while_a_command_runs(monkeypatch, capsys):
    before = signal.getsignal(signal.SIGTERM)

    def wait(_):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("gossan.cli.data.run_data", wait)
    assert main(["data"]) == 143
    assert "the same command goes on" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_verbose_shows_the_traceback(monkeypatch):
    def fail(_):
        raise ValueError("deep down")

    monkeypatch.setattr("gossan.cli.data.run_data", fail)
    with pytest.raises(ValueError, match="deep down"):
        main(["data", "--verbose"])


# Study files


@pytest.mark.parametrize("kind", KINDS)
def test_init_writes_a_file_and_never_over_another(tmp_path, capsys, kind):
    path = tmp_path / "mine.toml"
    assert main(["init", kind, "--out", str(path)]) == 0
    assert f"gossan check {path}" in capsys.readouterr().out
    text = path.read_text(encoding="utf-8")
    assert f'study = "{kind}"' in text
    path.write_text("my own\n", encoding="utf-8")
    assert main(["init", kind, "--out", str(path)]) == 2
    assert "not written over" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "my own\n"


def test_init_alone_lists_the_studies(capsys):
    assert main(["init"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {kind} " in out for kind in KINDS)
    assert "drill holes to ranked 3D targets" in out


def test_init_explains_every_key_of_a_study(capsys):
    assert main(["init", "--explain", "deposit"]) == 0
    out = capsys.readouterr().out
    assert "[ore]  What is ore" in out
    assert "cutoff = ...  (needed)\n      a number: least grade of ore" in out
    assert 'rank_by = "sum"\n' in out
    assert main(["init", "--explain", "deposit", "faults"]) == 0
    assert "[ore]" not in capsys.readouterr().out


# Talk


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal_is_one_line_a_step_with_its_share(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    clock = iter([0.0, 10.0, 20.0])
    monkeypatch.setattr("gossan.cli.talk.time.perf_counter", lambda: next(clock))
    progress = Progress()
    progress("kriging")
    progress.share(1, 4)
    progress.end()
    progress.end()  # an end that has come does not come twice
    assert screen.getvalue() == (
        "  kriging ...\r  kriging 25%, 30 s to go\033[K\r  kriging ... 20.0 s\033[K\n"
    )


def test_progress_in_a_pipe_is_plain_lines_that_end(monkeypatch):
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", pipe)
    with Progress() as progress:
        for step in ("reading", "scoring"):
            progress(step)
            for done in range(50):
                progress.share(done, 50)
    lines = pipe.getvalue().splitlines()
    assert [line.split(" ... ")[0] for line in lines] == ["  reading", "  scoring"]
    assert "\r" not in pipe.getvalue()


def test_quiet_progress_says_nothing(capsys):
    with Progress(is_quiet=True) as progress:
        progress("reading")
        progress.share(1, 2)
        progress("scoring", 1, 2)
    assert capsys.readouterr().out == ""


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_options(shell):
    script = completion_script(shell)
    for word in (*COMMANDS, "figures", "explain"):
        assert word in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_and_options(tmp_path):
    script = tmp_path / "complete.sh"
    script.write_text(completion_script("bash"), encoding="utf-8")
    ask = (
        f"source {script}; COMP_WORDS=(gossan {{words}}); COMP_CWORD={{place}}; COMPREPLY=();"
        " $(complete -p gossan | sed 's/.*-F \\([^ ]*\\).*/\\1/') gossan;"
        ' echo "${{COMPREPLY[@]}}"'
    )

    def completed(words, place):
        told = ask.format(words=words, place=place)
        return subprocess.run(
            [shutil.which("bash"), "-c", told], capture_output=True, text=True, check=True
        ).stdout.split()

    assert completed("re", 1) == ["report"]
    assert completed("report --fi", 2) == ["--figures"]
