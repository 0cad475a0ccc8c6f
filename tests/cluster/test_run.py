"""Whole studies on a cluster, from the command line: the same tables as here."""

import json
import tomllib

import pytest

from gossan.cli import main
from gossan.simulate import simulate_deposit, simulate_mineral_chemistry, simulate_region
from gossan.study import run_study

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::gossan._checks.GossanWarning")]

DEPOSIT = """
study = "deposit"
[holes]
collar = "collar.csv"
survey = "survey.csv"
assay = "assay.csv"
dip = "down_negative"
[ore]
cutoff = 1000
[faults]
table = "faults.csv"
[ground]
table = "ground.csv"
[grid]
spacing = 30
margin = 40
depth = 40
[methods]
names = ["maxent"]
n_seeds = 1
most_cells = 200
[validate]
protocols = ["holes"]
n_splits = 2
n_nulls = 3
n_jobs = 1
"""
REGION = """
study = "region"
[samples]
table = "samples.csv"
[occurrences]
table = "occurrences.csv"
[grid]
spacing = 1000
[elements]
pathfinders = ["Cu", "Mo", "Au"]
[background]
n_draws = 2
[methods]
names = ["logistic"]
choose = "logistic"
most_cells = 400
[validate]
n_splits = 3
n_repeats = 2
n_nulls = 3
block_size = 7000
dead_zone = 1500
"""
GENESIS = """
study = "genesis"
[read]
table = "table.csv"
[labels]
deposit = "deposit"
type = "type"
[model]
name = "network"
[validate]
baselines = ["nearest"]
n_splits = 3
n_random_splits = 2
null_permutations = 2
"""


class Minerals:
    """A table of mineral analyses, written as the worlds are."""

    def write(self, folder):
        made = simulate_mineral_chemistry(n_deposits=45, n_per_deposit=(4, 7), random_state=3)
        made.table.to_csv(folder / "table.csv", index=False)


STUDIES = {
    "genesis": (GENESIS, Minerals),
    "deposit": (DEPOSIT, lambda: simulate_deposit("small", random_state=0)),
    "region": (
        REGION,
        lambda: simulate_region(
            signal="value", n_deposits=24, n_known=20, n_decoys=4, n_samples=900, shape=(64, 70),
            random_state=2,
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(STUDIES))
def test_a_study_gives_the_same_tables_on_a_cluster(kind, address, tmp_path, capsys):
    text, simulate = STUDIES[kind]
    simulate().write(tmp_path)
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    here = run_study(path, out=tmp_path / "here")
    there = tmp_path / "there"
    assert main(["run", str(path), "--out", str(there), "--scheduler", address]) == 0
    assert "Report: " in capsys.readouterr().out
    tables = sorted(file.name for file in here.glob("*.csv"))
    more = {"verdicts.csv"} if kind == "genesis" else {"targets.csv", "null.csv"}
    assert {"scores.csv", *more} <= set(tables)
    for name in tables:
        assert (there / name).read_bytes() == (here / name).read_bytes(), name
    chosen = [
        json.loads((each / "manifest.json").read_text()).get("chosen") for each in (here, there)
    ]
    assert chosen[0] == chosen[1]
    assert tomllib.loads((there / "study.toml").read_text())["study"] == kind
