"""A run that is killed goes on to the same scores, and leaves no half-written file.

One study of five: `bench/robustness.py --quick` kills a run of each.
"""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="kill -9 is a thing of POSIX"),
]


@pytest.fixture(scope="module")
def kills():
    sys.path.insert(0, str(BENCH))
    try:
        spec = importlib.util.spec_from_file_location("_kills", BENCH / "_kills.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["_kills"] = module
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(BENCH))
        sys.modules.pop("_kills", None)


def test_a_killed_run_goes_on_to_the_same_scores_and_leaves_no_half_file(kills):
    found = kills.kill_study("transfer", 1, random_state=1, n_kills=1)
    assert found.killed == 1
    assert (found.resumed, found.equal) == (1, 1)
    assert found.lost == 0
    assert found.codes_wrong == 0


def test_a_half_written_file_would_be_seen(kills, tmp_path):
    (tmp_path / "scores.csv").write_text("a,b\n1,", encoding="utf-8")
    (tmp_path / "report.html").write_text("<html>", encoding="utf-8")
    (tmp_path / ".scores.csv.ab12cd_3").mkdir()
    (tmp_path / "whole.csv").write_text("a\n1\n", encoding="utf-8")
    assert kills.damaged_files(tmp_path) == [
        ".scores.csv.ab12cd_3",
        "report.html",
        "scores.csv",
    ]
