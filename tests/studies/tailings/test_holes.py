"""Samples from the tables of drill holes: composited, placed, faults named or mended as asked."""

import numpy as np
import pandas as pd
import pytest

from gossan.cli import main
from gossan.simulate import simulate_tailings
from gossan.studies.tailings.holes import read_hole_samples
from gossan.study import check_study

STUDY = """
study = "tailings"
[holes]
collar = "collar.csv"
survey = "survey.csv"
assay = "assay.csv"
elements = ["Cu"]
composite = 4.0
dip = "down_negative"
[methods]
names = ["kriging"]
[validate]
n_splits = 3
n_inner_splits = 2
published = false
"""


@pytest.fixture(scope="module")
def tables():
    made = simulate_tailings("dump", n_samples=240, random_state=0).table
    first = made.drop_duplicates("hole")
    collar = first[["hole", "easting", "northing"]].assign(RL=100.0)
    survey = pd.DataFrame({"hole": first["hole"], "depth": 0.0, "azimuth": 0.0, "dip": -90.0})
    assay = made[["hole", "from", "to", "Cu", "Mo"]].reset_index(drop=True)
    return {"collar": collar, "survey": survey, "assay": assay, "dip": "down_negative"}


def overlapping(assay):
    """Return the assays with one interval that reaches into the next, row 2 of a file."""
    return assay.assign(to=assay["to"].where(assay.index > 0, assay["to"] + 1.0))


def test_composites_are_placed_below_their_collars(tables):
    samples = read_hole_samples(tables, composite=2.0)
    assert samples.elements == ["Cu", "Mo"]
    assert samples.n_dims == 3
    assert (samples.coords[:, 2] < 100.0).all()
    depth = 100.0 - samples.coords[:, 2]
    np.testing.assert_allclose(depth % 2.0, 1.0)  # the middle of a composite
    collar = tables["collar"].set_index("hole").loc[samples.holes]
    np.testing.assert_allclose(samples.coords[:, :2], collar[["easting", "northing"]])


def test_the_default_length_is_that_of_the_samples(tables):
    samples = read_hole_samples(tables, elements=["Cu"])
    assay = tables["assay"]
    assert len(samples.coords) == len(assay)
    assert samples.values["Cu"].mean() == pytest.approx(assay["Cu"].mean())


def test_values_below_detection_are_imputed_before_they_are_averaged(tables):
    assay = tables["assay"].astype({"Cu": object})
    assay.loc[:1, "Cu"] = "<10"  # both halves of the first composite
    samples = read_hole_samples(
        {**tables, "assay": assay}, elements=["Cu"], composite=4.0, method="half"
    )
    assert samples.values["Cu"][0] == pytest.approx(5.0)
    assert samples.is_censored["Cu"][0]


def test_overlaps_stop_it_until_they_are_mended_and_listed(tables):
    faulty = {**tables, "assay": overlapping(tables["assay"])}
    with pytest.raises(ValueError, match=r"1 samples overlap.*row 3.*fix = \[.overlaps.\]"):
        read_hole_samples(faulty)
    samples = read_hole_samples(faulty, fix=["overlaps"])
    assert len(samples.changes) == 1
    assert any("Mended, overlaps: 1 rows" in line for line in samples.left_out)


def test_holes_without_a_collar_are_told(tables):
    few = {**tables, "collar": tables["collar"].iloc[1:]}
    samples = read_hole_samples(few)
    name = tables["collar"]["hole"].iloc[0]
    assert name not in set(samples.holes)
    assert any("without a place" in line and name in line for line in samples.left_out)


def test_an_unknown_element_is_named(tables):
    with pytest.raises(ValueError, match="no analyses of 'Cuu'"):
        read_hole_samples(tables, elements=["Cuu"])


@pytest.fixture
def folder(tables, tmp_path):
    for name in ("collar", "survey", "assay"):
        tables[name].to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def test_a_study_runs_from_the_tables_to_a_block_model(folder):
    overlapping(pd.read_csv(folder / "assay.csv")).to_csv(folder / "assay.csv", index=False)
    path = folder / "study.toml"
    (problem,) = check_study(path)
    assert "row 3" in problem
    path.write_text(STUDY.replace("composite", 'fix = ["overlaps"]\ncomposite'), encoding="utf-8")
    assert main(["run", str(path)]) == 0
    run = folder / "runs" / "study"
    blocks = pd.read_csv(run / "estimates.csv")
    assert (blocks["Cu_low"] <= blocks["Cu_high"]).all()
    assert len(pd.read_csv(run / "changes.csv")) == 1
    assert "overlap" in (run / "quality.txt").read_text(encoding="utf-8")
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Overlap, assay" in page


def test_points_and_holes_cannot_both_be_given(folder):
    text = STUDY + '[read]\ntable = "assay.csv"\n'
    (folder / "study.toml").write_text(text, encoding="utf-8")
    assert any("Keep one of the two" in each for each in check_study(folder / "study.toml"))
