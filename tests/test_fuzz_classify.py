"""Bad tables: a clear error or a right answer, never a traceback and never a silent wrong answer."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan.cli import main
from gossan.simulate import simulate_mineral_chemistry

ELEMENTS = ["Mn", "Fe", "Co", "Cu", "Ga", "Ge", "Ag", "Cd", "In", "Sn", "Sb", "Pb"]
VERDICTS = {"Epithermal", "MVT", "SEDEX", "Skarn", "VMS", "none of these"}
NOTICED = re.compile(r"ppm taken for wt%|wt% taken for ppm|is expected|more than 100 %")


def simulated(n_deposits=8, n_per_deposit=(5, 8), seed=1):
    """Return a table of several deposits without censored values."""
    made = simulate_mineral_chemistry(
        n_deposits=n_deposits, n_per_deposit=n_per_deposit, limit_factor=0.0, random_state=seed
    )
    return made.table.drop(columns=["type", "reference"])


TABLE = simulated()


@pytest.fixture
def classify(tmp_path_factory, capsys):
    """Return a function that classifies a table: exit code, what was printed, verdicts."""

    def run(table, *more, **options):
        path = tmp_path_factory.mktemp("table") / "new.csv"
        table.to_csv(path, index=False, **options)
        return outcome(["classify", str(path), *more], capsys)

    return run


def outcome(words, capsys):
    """Run the command line; return its code, all that it printed, and the verdicts."""
    code = main(words)
    printed = capsys.readouterr()
    assert code in {0, 1, 2}, printed.err
    assert "Traceback" not in printed.out + printed.err
    assert "went wrong inside" not in printed.err
    if code == 2:
        assert printed.err.startswith("gossan: ")
        assert len(printed.err) > 40  # says what is wrong, what was given and what to do
    return code, printed.out + printed.err, verdicts_of(printed.out)


def verdicts_of(out):
    """Return {deposit: verdict} of the printed table."""
    lines = out.splitlines()
    heads = [i for i, line in enumerate(lines) if line.startswith("deposit ")]
    if not heads:
        return {}
    cells = [re.split(r"\s{2,}", line) for line in lines[heads[0] + 1 :] if line]
    found = {row[0]: row[1] for row in cells if len(row) > 2}
    assert set(found.values()) <= VERDICTS
    return found


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """Verdicts of the table as it should be."""
    import contextlib
    import io

    path = tmp_path_factory.mktemp("right") / "new.csv"
    TABLE.to_csv(path, index=False)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["classify", str(path)]) == 0
    return verdicts_of(out.getvalue())


# What must not change the answer


def shuffled_rows(table):
    return table.sample(frac=1, random_state=3)


def shuffled_columns(table):
    return table[list(np.random.default_rng(4).permutation(table.columns))]


def iron_in_percent(table):
    return table.assign(Fe=table["Fe"] / 1e4).rename(columns={"Fe": "Fe_wt%"})


def all_in_ppb(table):
    ppb = table.assign(**{name: table[name] * 1e3 for name in ELEMENTS})
    return ppb.rename(columns={name: f"{name} (ppb)" for name in ELEMENTS})


def manganese_as_oxide(table):
    return table.assign(Mn=table["Mn"] * 1.29122).rename(columns={"Mn": "MnO ppm"})


def isotopes(table):
    return table.rename(columns={"Fe": "57Fe_ppm", "Ge": "72Ge", "In": "In115"})


def blank_lines(table):
    return table.reindex([*table.index[:9], -1, -2, *table.index[9:]])


def foreign_columns(table):
    more = {"Zn": 6e5, "remark": "=cmd|' /C calc'!A0", "when": "2020-01-01", "Fe/Zn": 0.1}
    return table.assign(**more)


def one_type_beside(table):
    return table.assign(type="MVT")


HARMLESS = (
    shuffled_rows, shuffled_columns, iron_in_percent, all_in_ppb, manganese_as_oxide, isotopes,
    blank_lines, foreign_columns, one_type_beside,
)  # fmt: skip


@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: change.__name__)
def test_what_must_not_change_the_answer_does_not(classify, right, change):
    code, _, verdicts = classify(change(TABLE))
    assert code == 0
    assert {name: verdicts[name] for name in right} == right


@pytest.mark.parametrize(
    "options", [{"sep": ";", "decimal": ","}, {"sep": "\t"}, {"encoding": "utf-16"}], ids=str
)
def test_the_form_of_the_file_does_not_change_the_answer(classify, right, options):
    code, _, verdicts = classify(TABLE, **options)
    assert (code, verdicts) == (0, right)


# Wrong units


@pytest.mark.parametrize("factor", [1e4, 1e-4])
def test_units_that_are_wrong_by_ten_thousand_are_noticed(classify, factor):
    tables = [TABLE, simulated(seed=2)]
    noticed = {}
    for i, table in enumerate(tables):
        for name in ELEMENTS:
            code, out, _ = classify(table.assign(**{name: table[name] * factor}))
            seen = "none of these" in out or f"{name}: median" in out
            noticed[i, name] = seen or (code == 2 and "more than 100 %" in out)
    missed = [case for case, seen in noticed.items() if not seen]
    assert len(missed) <= 1, missed  # 23 of 24 and 24 of 24 when written


def test_right_units_are_not_doubted(classify):
    for seed in range(1, 5):
        _, out, _ = classify(simulated(seed=seed))
        assert not NOTICED.search(out)


@pytest.mark.parametrize("factor", [1e4, 1e-4])
def test_a_whole_table_in_the_wrong_unit_is_noticed(classify, factor):
    wrong = TABLE.assign(**{name: TABLE[name] * factor for name in ELEMENTS})
    code, out, _ = classify(wrong)
    assert NOTICED.search(out)
    assert code == 2 or out.count("is expected") >= 10


# Elements and cells


@pytest.mark.parametrize("n_missing", range(1, 13))
def test_missing_elements_are_named_or_refused(classify, n_missing):
    code, out, verdicts = classify(TABLE.drop(columns=ELEMENTS[-n_missing:]))
    if n_missing <= 6:
        assert code == 0
        assert ", ".join(ELEMENTS[-n_missing:]) + " not in the table" in out
        assert set(verdicts) == set(TABLE["deposit"])
    else:
        assert code == 2
        assert "elements that the model needs" in out or "No column of analyses" in out


@pytest.mark.parametrize(
    "cell", ["12..5", "twelve", "1,2,3", "0x10", "1e", "#REF!", "5 ppm?", "--", "∞", "1/2"]
)
def test_text_in_numbers_is_named_with_row_and_column(classify, cell):
    broken = TABLE.astype({"Fe": object})
    broken.loc[broken.index[4], "Fe"] = cell
    code, out, verdicts = classify(broken)
    if code == 0:  # read as missing: then it is told, and one cell changes no verdict of the rest
        assert len(verdicts) == TABLE["deposit"].nunique()
        return
    assert code == 2
    for told in (cell, "row 6", "Fe"):
        assert told in out


def test_cells_that_mean_missing_do_not_stop_it(classify):
    holes = TABLE.astype(dict.fromkeys(ELEMENTS, object))
    for i, word in enumerate(["", "n/a", "NaN", "-9999", "not analysed"[:3] + "", "bdl", "<0.1"]):
        holes.loc[holes.index[i], ELEMENTS[i]] = word
    code, out, verdicts = classify(holes)
    assert code == 0 or "cannot be used" in out
    assert code == 2 or set(verdicts) == set(TABLE["deposit"])


def test_rows_with_too_few_elements_are_left_out_and_named(classify, right):
    holes = TABLE.copy()
    holes.loc[holes.index[3], ELEMENTS[:7]] = np.nan
    code, out, verdicts = classify(holes)
    assert code == 0
    assert "less than half of the model's elements: left out; row 5" in out
    assert set(verdicts) == set(right)


def test_a_table_whose_rows_all_have_too_few_elements_is_refused(classify):
    holes = TABLE.copy()
    holes.loc[::2, ELEMENTS[:7]] = np.nan
    holes.loc[1::2, ELEMENTS[5:]] = np.nan
    code, out, _ = classify(holes)
    assert code == 2
    assert "no analysis with half of the 12 elements" in out


@pytest.mark.parametrize("value", [-5.0, 0.0, np.inf, 1e300, 1e-300])
def test_impossible_numbers_are_told_or_harmless(classify, right, value):
    odd = TABLE.copy()
    odd.loc[odd.index[0], "Cd"] = value
    code, out, verdicts = classify(odd)
    first = TABLE["deposit"].iloc[0]
    if code == 2:
        assert "Cd" in out
        assert "row 2" in out
    else:
        assert {k: v for k, v in verdicts.items() if k != first} == {
            k: v for k, v in right.items() if k != first
        }


# Rows and deposits


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_rows_are_enough(classify, n):
    code, _, verdicts = classify(TABLE.head(n))
    assert code == 0
    assert set(verdicts) == set(TABLE["deposit"].head(n))


def test_no_rows_are_refused(classify):
    code, out, _ = classify(TABLE.head(0))
    assert code == 2
    assert "row" in out


def test_one_deposit_gets_the_verdict_it_gets_among_others(classify, right):
    name = TABLE["deposit"].iloc[0]
    code, _, verdicts = classify(TABLE[TABLE["deposit"] == name])
    assert code == 0
    assert verdicts == {name: right[name]}


def test_a_table_that_names_no_deposit_is_said_to_be_taken_as_one(classify):
    code, out, verdicts = classify(TABLE.drop(columns="deposit"))
    assert code == 0
    assert list(verdicts) == ["all analyses"]
    assert "taken as one deposit" in out
    assert "--deposit" in out


def test_rows_without_a_deposit_are_counted_and_told(classify):
    blank = TABLE.copy()
    blank.loc[blank.index[:2], "deposit"] = ["", "  "]
    code, out, verdicts = classify(blank)
    assert code == 0
    assert "(no deposit named)" in verdicts
    assert "deposit: no deposit named: these analyses are taken together as one; rows 2, 3" in out


def test_a_name_that_moves_the_cursor_is_printed_without_it(classify):
    name = "Evil\x1b[2J"
    code, out, _ = classify(TABLE.assign(deposit=name))
    assert code == 0
    assert "\x1b" not in out


def test_many_rows_are_classified(classify):
    big = TABLE.sample(30_000, replace=True, random_state=0).reset_index(drop=True)
    noise = np.random.default_rng(0).lognormal(0, 0.02, (len(big), 12))
    big[ELEMENTS] = big[ELEMENTS] * noise
    code, _, verdicts = classify(big)
    assert code == 0
    assert len(verdicts) == TABLE["deposit"].nunique()


def test_the_page_of_many_rows_and_deposits_stays_small(classify, tmp_path):
    big = TABLE.sample(9_000, replace=True, random_state=0).reset_index(drop=True)
    big["deposit"] = np.arange(9_000) // 10
    code, _, _ = classify(big, "--out", str(tmp_path / "out"))
    assert code == 0
    assert len(pd.read_csv(tmp_path / "out" / "verdicts.csv")) == 900
    assert (tmp_path / "out" / "report.html").stat().st_size < 15e6


def test_a_report_of_deposits_that_are_all_outside_is_written(classify, tmp_path):
    strange = simulated(n_deposits=40, n_per_deposit=(5, 6))
    strange["Ga"], strange["Mn"] = strange["Ga"] * 1e-6, strange["Mn"] * 1e-6
    code, out, _ = classify(strange, "--out", str(tmp_path / "out"))
    assert code == 0
    assert "wt% taken for ppm" in out
    verdicts = pd.read_csv(tmp_path / "out" / "verdicts.csv")
    assert (verdicts["verdict"] == "none of these").mean() > 0.9
    assert "wt% taken for ppm" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"\x00\x01\x02" * 99, b"deposit", b"PK\x03\x04 no zip", b"<html></html>",
     b"a,b\n1,2\n", b'"' * 50, b"\xff\xfe"],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_files_that_are_no_table_are_refused(tmp_path, capsys, content, suffix):
    path = tmp_path / f"new{suffix}"
    path.write_bytes(content)
    code, out, _ = outcome(["classify", str(path)], capsys)
    assert code == 2
    assert f"new{suffix}" in out


# Faults together


def text_cell(table, rng):
    broken = table.astype({"Sn": object})
    broken.iloc[rng.integers(len(table)), broken.columns.get_loc("Sn")] = "1.2.3"
    return broken


def wrong_unit(table, rng):
    name = rng.choice([name for name in ELEMENTS if name in table and name != "Sn"])
    return table.assign(**{name: table[name] * rng.choice([1e4, 1e-4])})


def fewer_elements(table, rng):
    count = rng.integers(1, 9)
    return table.drop(columns=rng.permutation(ELEMENTS[:9])[:count].tolist())


def three_rows(table, rng):
    return table.iloc[np.sort(rng.permutation(len(table))[:3])]


def one_deposit(table, rng):
    return table[table["deposit"] == rng.choice(table["deposit"].unique())]


def holes(table, rng):
    names = [name for name in ELEMENTS if name in table and name != "Sn"]
    hit = rng.random((len(table), len(names))) < rng.choice([0.05, 0.4, 0.9])
    return table.assign(**table[names].mask(hit))


def no_names(table, _):
    return table.drop(columns="deposit")


def doubled(table, _):
    return pd.concat([table, table])


FAULTS = (fewer_elements, wrong_unit, holes, three_rows, one_deposit, text_cell, doubled, no_names)


def spoilt(faults, seed):
    """Return the table with the faults, in the order of `FAULTS`, columns shuffled."""
    rng, table = np.random.default_rng(seed), TABLE
    for fault in FAULTS:
        if fault in faults:
            table = fault(table, rng)
    return table[rng.permutation(table.columns)]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(faults=st.sets(st.sampled_from(FAULTS), min_size=2), seed=st.integers(0, 999))
def test_faults_together_end_in_a_message_or_verdicts(tmp_path_factory, faults, seed):
    table = spoilt(faults, seed)
    path = tmp_path_factory.mktemp("fuzz") / "new.csv"
    table.to_csv(path, index=False)
    with pytest.MonkeyPatch.context() as patch:
        code, out, verdicts = captured(["classify", str(path)], patch)
    if text_cell in faults:
        assert code == 2
        assert re.search(r"1\.2\.3|of the model|the model needs|more than 100 %", out)
    if code == 0:
        named = set(table["deposit"]) if "deposit" in table else {"all analyses"}
        assert set(verdicts) <= named
        assert set(verdicts) == named or "left out" in out
        lacking = [name for name in ELEMENTS if name not in table]
        assert not lacking or f"{', '.join(lacking)} not in the table" in out or holes in faults


def captured(words, patch):
    """Like `outcome`, where hypothesis allows no capsys."""
    import io

    out, err = io.StringIO(), io.StringIO()
    patch.setattr("sys.stdout", out)
    patch.setattr("sys.stderr", err)
    code = main(words)
    told = out.getvalue() + err.getvalue()
    assert code in {0, 1, 2}, told
    assert "Traceback" not in told
    return code, told, verdicts_of(out.getvalue())


# Study files: check, and run what check lets pass

STUDY = """
study = "genesis"
[read]
table = "analyses.csv"
[model]
name = "discriminant"
[validate]
baselines = []
n_splits = 3
n_random_splits = 2
null_permutations = 0
"""


@pytest.fixture(scope="module")
def labelled():
    made = simulate_mineral_chemistry(
        n_deposits=16, n_per_deposit=(5, 8), limit_factor=0.0, random_state=6
    )
    counts = made.table.groupby("type")["deposit"].transform("nunique")
    return made.table[counts >= 3].reset_index(drop=True)


@pytest.fixture
def study(tmp_path, capsys):
    """Return a function that checks, and then runs, a study of a table."""

    def run(table, text=STUDY, *, command="check"):
        table.to_csv(tmp_path / "analyses.csv", index=False)
        (tmp_path / "study.toml").write_text(text, encoding="utf-8")
        return outcome([command, str(tmp_path / "study.toml")], capsys)[:2]

    return run


BAD_STUDIES = {
    "one class": (lambda t: t.assign(type="MVT"), "one deposit type"),
    "one deposit": (lambda t: t.assign(deposit="A"), "at least 3 deposits"),
    "one deposit a type": (lambda t: t.assign(deposit=t["type"]), "at least 3 deposits"),
    "3 rows": (lambda t: t.head(3), "deposit"),
    "no rows": (lambda t: t.head(0), "row"),
    "no labels": (lambda t: t.assign(type=""), "type"),
    "no type column": (lambda t: t.drop(columns="type"), "no column 'type'"),
    "no elements": (lambda t: t[["deposit", "type"]], "analys"),
    "text": (lambda t: t.astype({"Fe": object}).assign(Fe=["1.2.3", *t["Fe"][1:]]), "1.2.3"),
    "one row without values": (lambda t: t.assign(**dict.fromkeys(ELEMENTS, np.nan)), "missing"),
    "above 100 %": (lambda t: t.assign(Fe=t["Fe"] * 1e4), "more than 100 %"),
}


@pytest.mark.parametrize("case", BAD_STUDIES)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_bad_training_table_is_refused_before_anything_runs(study, labelled, case, command):
    change, told = BAD_STUDIES[case]
    code, out = study(change(labelled), command=command)
    assert code == {"check": 1, "run": 2}[command]
    assert told in out


GOOD_STUDIES = {
    "as it is": lambda t: t,
    "shuffled columns": shuffled_columns,
    "shuffled rows": shuffled_rows,
    "missing elements": lambda t: t[["deposit", "type", "Fe", "Mn", "Ga", "Cd"]],
    "one element": lambda t: t[["deposit", "type", "Ge"]],
    "wrong unit": lambda t: t.assign(Fe=t["Fe"] / 1e4),
    "a constant element": lambda t: t.assign(Cd=2000.0),
    "holes": lambda t: t.assign(**t[ELEMENTS].mask(np.eye(len(t), 12, dtype=bool))),
    "sparse row": lambda t: t.assign(**t[ELEMENTS].where(t.index.to_numpy()[:, None] != [3] * 12)),
    "numbers as types": lambda t: t.assign(type=t["type"].factorize()[0]),
    "odd names": lambda t: t.assign(deposit="<b>" + t["deposit"] + ", 'x'\n"),
    "two types": lambda t: t[t["type"].isin(t["type"].unique()[:2])],
}


@pytest.mark.parametrize("case", GOOD_STUDIES)
def test_what_check_lets_pass_runs(study, labelled, tmp_path, case):
    table = GOOD_STUDIES[case](labelled)
    code, out = study(table)
    assert code == 0, out
    code, out = study(table, command="run")
    assert code == 0, out
    scores = pd.read_csv(tmp_path / "runs" / "study" / "scores.csv")
    assert np.isfinite(scores["verdict"]).all()


def test_a_unit_that_is_wrong_in_training_only_moves_all_alike(study, labelled, tmp_path):
    found = []
    for table in (labelled, labelled.assign(Fe=labelled["Fe"] / 1e4)):
        assert study(table, command="run")[0] == 0
        found.append(pd.read_csv(tmp_path / "runs" / "study" / "verdicts.csv")["verdict"].tolist())
    assert found[0] == found[1]


def test_new_deposits_in_another_unit_than_training_are_doubted(study, labelled, tmp_path):
    new = labelled.drop(columns="type").assign(Fe=labelled["Fe"] / 1e4)
    new.to_csv(tmp_path / "new.csv", index=False)
    code, out = study(labelled, STUDY + '[classify]\ntable = "new.csv"\n')
    assert code == 0
    assert "new.csv: Fe: median" in out
    assert "wt% taken for ppm" in out
