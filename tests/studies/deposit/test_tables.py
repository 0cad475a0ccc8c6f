"""What stops a deposit study is told before it runs: what is wrong, what was given, what to do."""

import numpy as np
import pandas as pd
import pytest

from gossan.data.grids.grid import grid_shape
from gossan.studies.deposit import sections, tables
from gossan.studies.deposit.look import PATIENCE, seconds_of
from gossan.studies.deposit.methods import BASELINES, RECOMMENDED
from gossan.studies.deposit.tables import choose_spacing
from gossan.study import check_study, look_at_study

CUTOFF = "cutoff = 1000"
HOLES = """\
[holes]
collar = "collar.csv"
survey = "survey.csv"
assay = "assay.csv"
dip = "down_negative"
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[ore]\ncutoff = 1000\n", "", r"no section \[ore\]. Add it, with cutoff = NUMBER"),
        (HOLES, "", r"no section \[holes\]. Add it, with collar = "),
        ('assay = "assay.csv"', "", r"\[holes\] needs assay, text in quotes. Add the line assay = "),
        (CUTOFF, 'element = "Au"', r"\[ore\] needs cutoff, a number. Add the line cutoff = "),
        ('"assay.csv"', '"asay.csv"', r"asay.csv"),
        ('"faults.csv"', '"fault.csv"', r"fault.csv"),
        ('"ground.csv"', '"grund.csv"', r"grund.csv"),
        (CUTOFF, "cutoff = 0", r"cutoff must be above 0, got 0: the least grade"),
        (CUTOFF, "cutoff = -1.5", r"cutoff must be above 0, got -1.5"),
        (CUTOFF, "cutoff = 1e9", (r"0 of \d+ composites, in 0 holes, have 1e\+09 ppb Au or more"
         r" \(the richest has .*check cutoff under \[ore\]; it is in ppb")),
        (CUTOFF, "cutoff = 1e-3", r"361 of 361 composites.*some rock must be barren"),
        (CUTOFF, 'cutoff = 10\nelement = "Zz"', r"no analyses of 'Zz'; it has Ag, As"),
        (CUTOFF, 'cutoff = 10\nelement = "au"', r"no analyses of 'au'.*Did you mean 'Au'\?"),
        ('assay = "assay.csv"', 'assay = "assay.csv"\nelements = ["Cu", "mo"]',
         r"no analyses of 'mo'.*Did you mean 'Mo'"),
        (CUTOFF, CUTOFF + "\nreach = 0", r"reach must be 0.1 or more, got 0: 15 m is usual"),
        (CUTOFF, CUTOFF + "\nreach = 0.5", r"0 cells are ore.*needed.*reach under \[ore\] \(0.5 m\)"),
        (CUTOFF, CUTOFF + "\nbuffer = -1", r"buffer must be 0 or more, got -1: the wider, the easier"),
        ('table = "faults.csv"', 'table = "faults.csv"\nbuffer = 0', r"buffer must be 0.1 or more"),
        ('table = "faults.csv"', "", r"\[faults\] needs table"),
        ('table = "ground.csv"', 'table = "ground.csv"\nlevel = 3000',
         "table and level both say where the ground is. Keep one."),
        ('table = "ground.csv"', "level = 100", (r"No cell of the grid lies below the ground"
         r" \(ground at 100 m; .*Check that both are in metres")),
        ("spacing = 30", "spacing = -1", r"spacing must be 0 or more, got -1: 0 chooses it"),
        ("spacing = 30", "spacing = 0.4", (r"would have [\d,]+ cells of 0.4 x 0.4 x 0.4 m,"
         r" some [\d,]+ GB to work on. Take a larger spacing")),
        ("spacing = 30", "spacing = 30\nvertical_spacing = -2", "vertical_spacing must be 0 or more"),
        ("margin = 40", "margin = -40", r"margin must be 0 or more, got -40: how far beyond"),
        ("depth = 40", "depth = -40", r"depth must be 0 or more"),
        ("margin = 40", "region = [0, 1, 2]", r"region must be \[west, east, south, north\]"),
        ("margin = 40", "region = [600, 0, 500, 0]", r"would have no extent: region \[600.*Write"),
        ("margin = 40", "region = [9000, 9600, 0, 500]", (r"No cell of the grid lies below the ground.*"
         r"in one system of coordinates, and region")),
        ("margin = 40", "region = [500, 600, 0, 90]", r"0 cells are ore.*region under \[grid\]"),
        ("depth = 40", "elevations = [2700]", r"elevations must be \[lowest, highest\]"),
        ("depth = 40", "elevations = [3000, 2700]", r"no extent.*elevations as \[lowest, highest\]"),
        ("depth = 40", "elevations = [2000.0, inf]", r"elevations must be finite numbers \[m\]"),
        ("margin = 40", "region = [0.0, nan, 0.0, 1.0]", r"region must be finite numbers \[m\]"),
        ("spacing = 30", "spacing = inf", r"spacing must be 0 or more, got inf"),
        ('table = "ground.csv"', "level = nan", r"level must be -100000 to 100000, got nan"),
        ('names = ["maxent"]', 'names = ["maxnet"]', r"Did you mean 'maxent'"),
        ("n_seeds = 1", "n_seeds = 0", r"n_seeds must be 1 to 20, got 0: 3 tell a spread"),
        ("n_seeds = 1", 'choose = "DEA"', r"Did you mean 'DAE'"),
        ("most_cells = 200", "most_cells = 5", r"most_cells must be 100 to"),
        ("most_cells = 200", "random_state = -1", r"random_state must be 0 to"),
        ('protocols = ["holes"]', 'protocols = ["hole"]', r"Did you mean 'holes'"),
        ('protocols = ["holes"]', 'protocols = "holes"', r'Write protocols = \["holes"\]'),
        ('protocols = ["holes"]', 'protocols = ["truth"]', r"protocols must be one of"),
        ("n_splits = 3", "n_splits = 1", r"n_splits must be 2 to 100, got 1: 5 is usual"),
        ("n_splits = 3", "block_size = -5", r"block_size must be 0 or more"),
        ("n_nulls = 9", "n_nulls = -1", r"n_nulls must be 0 to 10000"),
        ("n_jobs = 1", "n_jobs = 0", r"n_jobs must be 1 to 256"),
        ("[validate]", "[targets]\nmedium = 0.9\nhigh = 0.5\n[validate]",
         r"0 < medium <= high < 1, got 0.9 and 0.5: 0.99 is the best hundredth"),
        ("[validate]", "[targets]\nleast = -1.0\n[validate]", r"least must be 0 or more"),
        ("[validate]", '[targets]\nrank_by = "sums"\n[validate]', r"Did you mean 'sum'"),
        ("[validate]", "[targets]\ndip = 60\n[validate]", r"dip must be -90 to -20, got 60"),
        ("[validate]", "[targets]\nmost = 0\n[validate]", r"most must be 1 to 1000"),
        ("[validate]", '[impute]\nmethod = "hlf"\n[validate]', r"Did you mean 'half'"),
        ("[validate]", "[indicators]\nn_factors = 0\n[validate]", r"n_factors must be 1 to 50"),
        ("[validate]", "[indicators]\nfront = 3\n[validate]", r"front must be a list such as"),
        ('assay = "assay.csv"', 'assay = "assay.csv"\ncomposite = -1', r"composite must be 0 or more"),
        ('assay = "assay.csv"', 'assay = "assay.csv"\nmin_coverage = 2', r"min_coverage must be 0 to 1"),
        ('assay = "assay.csv"', 'assay = "assay.csv"\nfix = ["overlap"]', r"overlaps"),
        ('assay = "assay.csv"', 'assay = "assay.csv"\ncomposite = 900', r"composites of"),
        ("[validate]", "[validat]", r"unknown section \[validat\]"),
    ],
)  # fmt: skip
def test_faults_of_the_file_are_named_before_anything_runs(study, old, new, told):
    problems = check_study(study((old, new)))
    assert len(problems) == 1, problems
    problem = problems[0]
    assert pd.Series(problem).str.contains(told).all(), problem
    assert problem.rstrip()[-1] in ".?=", problem


def shift(column, by):
    return lambda table: table.assign(**{column: table[column].astype(float) + by})


@pytest.mark.parametrize(
    ("name", "how", "told"),
    [
        ("faults", shift("easting", 5e5), (r"faults.csv: the nearest fault is [\d,]+ m from the grid."
         r" Check that faults and holes have one system")),
        ("ground", shift("elevation", -4000.0), r"No cell of the grid lies below the ground"),
        ("assay", lambda t: t[t["hole"].isin(["ZK001", "ZK002"])], r"of 2 holes.*takes 60 of 6"),
        ("assay", lambda t: t.drop(columns="Au_ppb"), r"no analyses of 'Au'"),
        ("assay", lambda t: t.assign(to=t["from"]), (r"750 samples have no from, to or length.*"
         r"fix = \[.empty intervals.\]")),
        ("assay", lambda t: t.assign(**{"from": t["to"], "to": t["from"]}),
         r"750 samples end above their start, first in row 2, hole ZK001.*reversed intervals"),
        ("assay", lambda t: pd.concat([t, t.iloc[:3]]), r"3 samples overlap.*duplicate intervals"),
        ("collar", lambda t: t.iloc[:4], r"composites of 4 holes"),
        ("collar", lambda t: t.drop(columns="easting"), r"easting"),
    ],
)  # fmt: skip
def test_faults_of_the_tables_are_named(study, edit, name, how, told):
    path = study()
    edit(name, how)
    (problem,) = check_study(path)
    assert pd.Series(problem).str.contains(told).all(), problem


def test_a_sound_study_has_no_problem(study):
    assert check_study(study()) == []
    assert check_study(study(('table = "ground.csv"', "level = 3200"))) == []


def test_a_ground_far_away_is_refused(study, edit):
    """In another system of coordinates it says nothing of the holes."""
    path = study()
    edit("ground", shift("easting", 5e5))
    (problem,) = check_study(path)
    assert "ground" in problem


def test_a_distance_to_faults_that_are_not_given_makes_no_map(study):
    path = study(
        ('[faults]\ntable = "faults.csv"\n', ""),
        ("n_seeds", 'choose = "distance to fault"\nn_seeds'),
    )
    (problem,) = check_study(path)
    assert "needs faults" in problem
    assert "[faults]" in problem


def test_where_no_protocol_can_be_run_check_says_why(study, edit):
    path = study(("cutoff = 1000", "cutoff = 4000"), ('["holes"]', '["depth"]'))
    edit(
        "assay",
        lambda t: t.assign(Au_ppb=np.where(pd.to_numeric(t["from"]) > 40, "3", t["Au_ppb"])),
    )
    problems = check_study(path)
    assert problems
    assert "depth" in problems[0] or "Ore must be met" in problems[0]


def test_what_was_read_is_what_was_given(field, simulated):
    assert field.files == {
        "collar": "collar.csv", "survey": "survey.csv", "assay": "assay.csv",
        "faults": "faults.csv", "ground": "ground.csv",
    }  # fmt: skip
    assert field.ground_note == "ground from ground.csv"
    assert len(field.faults) == len(simulated.faults)
    assert field.campaign.elements == tuple(simulated.elements)
    assert field.campaign.cutoff == 1000.0
    steps = [np.diff(field.campaign.grid[axis]) for axis in field.campaign.grid.dims]
    assert all(np.allclose(step, 30.0) for step in steps)


def test_the_grid_holds_all_composites_with_a_margin(field):
    table, grid = field.campaign.composites, field.campaign.grid
    for axis in ("easting", "northing"):
        assert grid[axis].min() - 15 <= table[axis].min() - 40
        assert grid[axis].max() + 15 >= table[axis].max() + 40
    assert grid["elevation"].min() - 15 <= table["elevation"].min() - 40


def test_rock_lies_below_the_ground(field, simulated):
    rock = field.campaign.grid["rock"]
    places = field.campaign.drilled().places
    assert simulated.truth.is_ground(places - [0, 0, 30.0]).all()
    assert 0 < rock.to_numpy().mean() < 1


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ('[ground]\ntable = "ground.csv"\n', "ground sketched from the collars"),
        ('table = "ground.csv"', "ground at 3100 m"),
    ],
)
def test_the_ground_may_be_a_level_or_sketched(study, change, note):
    from gossan.studies.deposit.run import settings_of
    from gossan.study import read_study

    path = study((change, "level = 3100" if "3100" in note else ""))
    told = settings_of(read_study(path))
    found = tables.read_field(told, path.parent)
    assert found.ground_note == note
    assert "ground" not in found.files


def test_the_spacing_keeps_the_grid_within_bounds():
    assert choose_spacing(np.array([1400.0, 1200.0, 1200.0])) == 10.0
    assert choose_spacing(np.array([10.0, 10.0, 10.0])) == 10.0
    assert choose_spacing(np.array([2000.0, 6000.0, 6000.0])) == 40.0
    huge = np.array([5e3, 1e5, 1e5])
    assert np.prod(huge / choose_spacing(huge)) <= tables.MOST_CELLS


def test_baselines_and_what_makes_the_map_are_always_tried():
    told = sections.methods(names=["mixture"])
    assert set(told["names"]) == {*BASELINES, "mixture", RECOMMENDED}
    assert told["choose"] == ""
    told = sections.methods(names=["mixture"], choose="maxent")
    assert set(told["names"]) == {*BASELINES, "mixture", "maxent"}


def test_protocols_are_run_in_one_order_and_once():
    told = sections.validate(protocols=["depth", "holes", "depth"])
    assert told["protocols"] == ("holes", "depth")


def test_blocks_may_be_flat(field):
    assert grid_shape(field.campaign.grid) == field.campaign.grid["rock"].shape


def test_contacts_need_the_lithology_that_they_are_columns_of():
    with pytest.raises(ValueError, match="contacts names a column of the lithology"):
        sections.holes(collar="collar.csv", assay="assay.csv", contacts="rock")


def test_a_study_names_headers_that_are_not_recognised(study, edit):
    path = study((HOLES, HOLES + 'columns = { collar = { easting = "Where E" } }\n'))
    edit("collar", lambda table: table.rename(columns={"easting": "Where E", "east": "Where E"}))
    assert check_study(path) == []


def test_rows_of_a_hole_in_another_spelling_are_told_with_what_keeps_them(study, edit):
    path = study()

    def respelt(table):
        first = table["hole"].iloc[0]
        return table.assign(hole=table["hole"].where(table["hole"] != first, first.lower()))

    edit("assay", respelt)
    look = look_at_study(path)
    told = next(note for note in look.notes if "unknown hole" in note)
    assert '(these rows are left out; fix = ["names"] under [holes] keeps' in told


def test_a_long_run_is_told_with_what_makes_a_first_one_short(study):
    path = study(("spacing = 30", "spacing = 6"), ("n_seeds = 1", "n_seeds = 20"))
    look = look_at_study(path)
    assert look.problems == []
    assert "n_seeds = 1 under [methods] would take" in look.notes[0]
    assert look.seconds > PATIENCE
    assert not any("A first run" in note for note in look_at_study(study()).notes)


def test_longer_work_takes_longer():
    once = seconds_of(["maxent", "DAE"], 50_000, 10, 1)
    assert seconds_of(["maxent", "DAE"], 50_000, 10, 3) > 2 * once
    assert seconds_of(["maxent"], 50_000, 10, 1) < once
    assert seconds_of(["maxent", "DAE"], 50_000, 10, 1, n_jobs=2) < once


@pytest.mark.parametrize(("cutoff", "is_told"), [(2, True), (1000, False)])
def test_a_cutoff_that_most_rock_reaches_is_told(study, cutoff, is_told):
    look = look_at_study(study((CUTOFF, f"cutoff = {cutoff}")))
    assert any("of the composites are ore" in note for note in look.notes) is is_told


@pytest.mark.parametrize(("reach", "is_told"), [(10, True), (15, False)])
def test_a_reach_below_half_a_block_is_told_with_the_blocks_it_leaves(study, reach, is_told):
    notes = look_at_study(study((CUTOFF, f"{CUTOFF}\nreach = {reach}"))).notes  # blocks of 30 m
    told = [note for note in notes if "less than half a block of 30 m" in note]
    assert bool(told) is is_told
    assert all("reach = 15 takes more" in note for note in told)
