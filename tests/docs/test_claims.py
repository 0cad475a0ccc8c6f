"""The page of claims: every row of every results file, in the house's format."""

import importlib
import json
import re
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def claims():
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module("claims")
    sys.path.remove(str(BENCH))
    for name in ("claims", "_table"):
        sys.modules.pop(name, None)


@pytest.fixture
def folder(tmp_path):
    row = {"id": "speed", "ours": 9.0, "peer": 2.0, "goal": ">=4", "unit": "x", "seeds": 5}
    rows = [row, {**row, "id": "error", "ours": 0.5, "peer": None, "goal": "<=0.1"}]
    (tmp_path / "kriging.json").write_text(json.dumps(rows), encoding="utf-8")
    return tmp_path


def test_every_results_file_is_in_the_format_and_names_a_command_that_exists(claims):
    benches = claims.read_benches()
    assert {bench.name for bench in benches} == {
        path.stem for path in claims.RESULTS.glob("*.json")
    }
    for bench in benches:
        script = re.fullmatch(r"python bench/(\w+\.py)( --\w+ \w+)?", bench.command)
        assert (BENCH / script[1]).is_file(), bench.command
        for row in bench.rows:
            assert isinstance(row["id"], str)
            assert isinstance(row["seeds"], int)
            assert all(row[key] is None or float(row[key]) is not None for key in ("ours", "peer"))


def test_every_claim_is_printed_with_its_ratio(claims, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["claims.py", "--quick"])
    claims.main()
    told = capsys.readouterr().out
    page = claims.as_markdown()
    for bench in claims.read_benches():
        assert bench.command in told
        assert bench.command in page
        for row in bench.rows:
            assert row["id"] in told
            assert row["id"].replace("<", "&lt;").replace("|", "\\|") in page


def test_ratio_goal_and_tally_are_worked_out(claims, folder):
    [bench] = claims.read_benches(folder)
    assert bench.tally == "1 of 2 goals reached"
    assert claims.cells(bench.rows[0]) == ("speed", "9", "2", "4.5", ">=4", "x", "5", "yes")
    assert claims.cells(bench.rows[1])[3:] == ("-", "<=0.1", "x", "5", "no")
    assert claims.ratio(1.0, 0) is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "kriging.json must hold a list of rows"),
        ({"id": "x"}, "kriging.json must hold a list of rows, got dict"),
        ([{"id": "x", "ours": 1, "peer": 1, "goal": None, "unit": ""}], "row 0, has no seeds"),
        ([{"id": "x", "ours": 1, "peer": 1, "goal": "8", "unit": "", "seeds": 1}], "A goal starts"),
    ],
)
def test_another_format_is_refused(claims, tmp_path, rows, message):
    (tmp_path / "kriging.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        claims.read_benches(tmp_path)
