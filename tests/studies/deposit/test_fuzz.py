"""Tables and study files damaged at random: problems in words, or a campaign that can be worked on."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.studies.deposit.run import settings_of
from gossan.studies.deposit.tables import read_field
from gossan.studies.deposit.validation import deal_folds
from gossan.study import read_study

FIXES = (
    'fix = ["unknown holes", "duplicate intervals", "reversed intervals", "empty intervals",'
    ' "overlaps"]'
)
TABLES = ("collar", "survey", "assay", "faults", "ground")
cells = st.sampled_from(
    ["", "<5", "-5", "bdl", "n/a", "-9999", "0", "1e9", "12..5", "x", "inf", ">100", "3,5", "1e300"]
)
values = st.sampled_from(
    ["-1", "0", "1e-9", "0.5", "1", "7", "1e9", "1e300", "nan", "inf", "true", '"x"', '""', "[]",
     "[1, 2]", "[1.0, 2.0, 3.0, 4.0]", '["Au"]', '["Cu", "Xx"]', "{ Au = 1 }", '"nothing.csv"']
)  # fmt: skip
quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def base(simulated, tmp_path_factory):
    """Return a folder to spoil, its sound tables as text, and its study file."""
    folder = tmp_path_factory.mktemp("fuzz")
    simulated.write(folder)
    made = {name: pd.read_csv(folder / f"{name}.csv", dtype=str) for name in TABLES}
    return folder, {name: table.fillna("") for name, table in made.items()}


STUDY = f"""
study = "deposit"
[holes]
collar = "collar.csv"
survey = "survey.csv"
assay = "assay.csv"
dip = "down_negative"
{FIXES}
[ore]
cutoff = 1000
[faults]
table = "faults.csv"
[ground]
table = "ground.csv"
[grid]
spacing = 40
[methods]
names = ["maxent"]
[validate]
protocols = ["paper", "holes", "blocks", "depth"]
n_splits = 3
[targets]
medium = 0.99
"""


def check(folder, text):
    """Folds of a campaign that hangs together, or a message; all else fails the test."""
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)
        message = ""
        try:
            told = settings_of(read_study(path))
            campaign = read_field(told, folder).campaign
        except (ValueError, OSError) as error:
            message = str(error)
        if message:
            assert len(message) > 20
            assert message.rstrip()[-1] in ".?=", message
            return
        wanted = told["validate"]
        folds, notes = deal_folds(
            campaign, wanted["protocols"], n_splits=wanted["n_splits"],
            block_size=wanted["block_size"],
        )  # fmt: skip
    table = campaign.composites[list(campaign.elements)].to_numpy(dtype=float)
    assert np.isfinite(table).all()
    assert (table > 0).all()
    assert np.isfinite(campaign.drilled().coords).all()
    assert np.isfinite(campaign.drilled().places).all()
    if "fault_distance" in campaign.grid:
        assert np.isfinite(campaign.grid["fault_distance"]).all()
    assert len(folds) + len(notes) >= len(wanted["protocols"])
    for some in folds.values():
        for fold in some:
            assert {0, 1} <= set(fold.labels[fold.train]) & set(fold.labels[fold.test])


def spoil(table, draw):
    """Return the table with some cells, rows or a column spoilt."""
    words = table.copy()
    for _ in range(draw(st.integers(1, 6))):
        row, column = draw(st.integers(0, len(words) - 1)), draw(st.integers(0, words.shape[1] - 1))
        rows = slice(row, row + draw(st.sampled_from([1, 1, 1, 30, 1000])))
        words.iloc[rows, column] = draw(cells)
    how = draw(st.sampled_from(["", "", "", "twice", "few", "column", "none"]))
    if how == "twice":
        words = pd.concat([words, words.iloc[:5]])
    elif how == "few":
        words = words.sample(frac=draw(st.floats(0.02, 0.9)), random_state=0)
    elif how == "column":
        words = words.drop(columns=draw(st.sampled_from(list(words))))
    elif how == "none":
        words = words.iloc[:0]
    return words


@quick
@given(st.data())
def test_damaged_tables_are_read_or_refused_in_words(base, data):
    folder, sound = base
    spoilt = {data.draw(st.sampled_from(TABLES)), data.draw(st.sampled_from(TABLES))}
    try:
        for name in spoilt:
            spoil(sound[name], data.draw).to_csv(folder / f"{name}.csv", index=False)
        check(folder, STUDY)
    finally:
        for name in spoilt:
            sound[name].to_csv(folder / f"{name}.csv", index=False)


KEYS = [
    ("holes", "composite"), ("holes", "min_coverage"), ("holes", "elements"), ("holes", "units"),
    ("holes", "decimal"), ("holes", "negatives"), ("holes", "errors"), ("holes", "lithology"),
    ("ore", "cutoff"), ("ore", "element"), ("ore", "reach"), ("ore", "buffer"),
    ("faults", "table"), ("faults", "buffer"), ("ground", "table"), ("ground", "level"),
    ("grid", "spacing"), ("grid", "vertical_spacing"), ("grid", "margin"), ("grid", "depth"),
    ("grid", "region"), ("grid", "elevations"), ("methods", "names"), ("methods", "choose"),
    ("methods", "n_seeds"), ("methods", "random_state"), ("validate", "block_size"),
    ("validate", "n_splits"), ("validate", "protocols"), ("targets", "high"),
    ("targets", "reach"), ("targets", "least"), ("targets", "dip"), ("ore", "x"), ("x", "y"),
]  # fmt: skip


@quick
@given(st.lists(st.tuples(st.sampled_from(KEYS), values), min_size=1, max_size=3))
def test_damaged_study_files_are_refused_in_words(base, changes):
    folder, _ = base
    text = STUDY
    for (section, key), value in changes:
        lines = [line for line in text.splitlines() if not line.startswith(f"{key} = ")]
        text = "\n".join(lines)
        head = f"[{section}]"
        text = text.replace(head, f"{head}\n{key} = {value}") if head in text else (
            f"{text}\n{head}\n{key} = {value}\n"
        )  # fmt: skip
    check(folder, text)


def test_the_tables_as_they_are_can_be_read(base):
    folder, _ = base
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    assert len(read_field(settings_of(read_study(folder / "study.toml")), folder).faults) > 0
