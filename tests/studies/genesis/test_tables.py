"""Tables of analyses: the column of deposits is found, and what the model knows already is told."""

import numpy as np
import pandas as pd
import pytest

from gossan.studies.genesis.tables import read_unknown

ELEMENTS = ["Fe", "Mn", "Ga", "Ge"]


@pytest.fixture
def training():
    rng = np.random.default_rng(0)
    values = pd.DataFrame(rng.lognormal(3, 1, (30, 4)), columns=ELEMENTS)
    return values.assign(deposit=["A", "B", "C"] * 10, type=["MVT", "VMS", "VMS"] * 10)


def test_analyses_of_the_training_table_are_told(training):
    new = training.drop(columns="type").copy()
    new.loc[4:, ELEMENTS] *= 1.5
    _, _, assays = read_unknown(new, elements=ELEMENTS, training=training)
    [known] = assays.report.of_kind("known analyses")
    assert known.message.startswith("4 of 30 analyses stand in the training table of the model")
    assert list(known.rows) == [2, 3, 4, 5]


def test_new_analyses_are_not_taken_for_known_ones(training):
    new = training.assign(**{name: training[name] * 1.5 for name in ELEMENTS})
    _, _, assays = read_unknown(new, elements=ELEMENTS, training=training)
    assert not assays.report.of_kind("known analyses")


@pytest.mark.parametrize("header", ["Deposit", "Deposit name", "deposit_name", "Mine"])
def test_the_column_of_deposits_is_found_as_it_is_usually_written(training, header):
    new = training.drop(columns="type").rename(columns={"deposit": header})
    _, deposits, _ = read_unknown(new, elements=ELEMENTS)
    assert set(deposits) == {"A", "B", "C"}


def test_a_run_that_is_too_large_is_refused_with_both_numbers(monkeypatch, tmp_path, training):
    from gossan import _machine
    from gossan.study import look_at_study

    ten = training.assign(deposit=[f"D{n % 10}" for n in range(30)], type=["MVT", "VMS"] * 15)
    ten.to_csv(tmp_path / "analyses.csv", index=False)
    study = tmp_path / "study.toml"
    study.write_text(
        'study = "genesis"\n[read]\ntable = "analyses.csv"\n'
        '[labels]\ndeposit = "deposit"\ntype = "type"\n',
        encoding="utf-8",
    )
    assert look_at_study(study).problems == []
    monkeypatch.setattr(_machine, "memory_there", lambda: 1e8)
    [problem] = look_at_study(study).problems
    assert "This needs about 0.6 GB of memory, this machine has 0.1 GB free." in problem
