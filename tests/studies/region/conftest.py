"""A small made-up district as the folder that a user would have."""

import pytest

from gossan.simulate import simulate_region

STUDY = """
study = "region"
title = "A small <b>district</b>"
[samples]
table = "samples.csv"
[occurrences]
table = "occurrences.csv"
[faults]
table = "faults.csv"
[lithology]
table = "lithology.csv"
[grid]
spacing = 1000
[elements]
pathfinders = ["Cu", "Mo", "Au"]
[background]
n_draws = 2
[methods]
names = ["logistic", "cnn 3"]
choose = "logistic"
most_cells = 400
[validate]
n_splits = 3
n_repeats = 1
n_nulls = 2
block_size = 7000
dead_zone = 1500
"""


@pytest.fixture(scope="session")
def district():
    return simulate_region(
        signal="value", n_deposits=24, n_known=20, n_decoys=4, n_samples=900, shape=(64, 70),
        random_state=2,
    )  # fmt: skip


@pytest.fixture
def folder(district, tmp_path):
    district.write(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def finished(district, tmp_path_factory):
    """A folder with a finished run."""
    from gossan.study import run_study

    place = tmp_path_factory.mktemp("region")
    district.write(place)
    (place / "study.toml").write_text(STUDY, encoding="utf-8")
    run_study(place / "study.toml")
    return place
