"""A transfer study file from check to report, with a map and without, and what stops it."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from gossan import datasets
from gossan.cli import main
from gossan.data.grids.files import read_grid
from gossan.saving import load_model
from gossan.studies.transfer.methods import BASELINES, DEFAULT
from gossan.study import check_study, read_study, run_study, study_template

MAP = '[map]\nrasters = ["Idw_*.tif"]\n'
QUICK = 'names = ["logistic", "balanced svm"]'
NAMES = 'names = ["logistic", "balanced svm", "gp", "svm + gp", "net", "pretrained net", "blend"]'


def scores_of(folder):
    """Return the scores of a run, by protocol and method."""
    return pd.read_csv(folder / "scores.csv").set_index(["protocol", "method"])


def manifest_of(folder):
    """Return the manifest of a run."""
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_a_study_of_messy_tables_runs_to_its_report(study, tmp_path, capsys):
    path = study()
    assert check_study(path) == []
    assert main(["run", str(path)]) == 0
    assert "is the one to use" in capsys.readouterr().out
    folder = tmp_path / "runs" / "study"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Few deposits" in page
    assert "makes the map" not in page  # there is none
    assert "The map is that of" not in page
    assert "supported area" not in page.split("<style")[0]
    told = manifest_of(folder)
    # 26 deposits, one of them without coordinates; three copies of deposits and one of a barren site.
    assert (told["n_deposits"], told["n_barren"]) == (25, 49)
    assert told["evidence"] == ["Mag nT", "log Cu", "K"]
    assert any("78 rows are 74 sites" in note for note in told["notes"])
    scores = scores_of(folder)
    assert scores.loc[("blocks", "logistic"), "auc"] > 0.8  # the evidence was planted
    assert scores.loc[("blocks", "coordinates"), "auc"] < scores.loc[("blocks", "logistic"), "auc"]
    assert set(BASELINES) < set(scores.index.get_level_values("method"))  # named or not
    assert scores.loc[("blocks", "mahalanobis"), "kind"] == "label-free"
    assert re.search(r"mahalanobis, which needs no labels, has \d+ there", told["sentence"])
    assert set(scores.index.get_level_values("protocol")) == {"fit", "random", "blocks"}
    assert not (folder / "map.html").exists()


def test_a_map_is_made_with_its_targets_and_the_net_scores_rasters_again(study, tmp_path):
    text = study.text.replace("n_members = 2", 'choose = "pretrained net"\nn_members = 2')
    text = text.replace(NAMES, QUICK).replace("n_nulls = 2", "n_nulls = 0")
    path = study(text + MAP, rasters=True)
    assert check_study(path) == []
    folder = run_study(path)
    grid = read_grid(folder / "prospectivity.tif")
    assert set(grid.data_vars) == {"score", "percentile", "spread", "stability"}
    percentile = grid["percentile"].to_numpy()
    assert np.isfinite(percentile).all()
    assert abs(percentile.mean() - 50.0) < 0.5
    # Ground along the planted belt scores higher than ground off it.
    row, column = np.mgrid[:60, :60] / 60
    belt = np.exp(-(((row - 0.3 - 0.4 * column) / 0.12) ** 2))
    north_up = grid["northing"].to_numpy()[0] < grid["northing"].to_numpy()[-1]
    belt = belt if north_up else belt[::-1]
    assert percentile[belt > 0.8].mean() > 80.0
    assert percentile[belt < 0.05].mean() < 60.0
    targets = pd.read_csv(folder / "targets.csv")
    assert targets["percentile"].iloc[0] > 99.0
    page = (folder / "map.html").read_text(encoding="utf-8")
    for name in ("Rank of the ground", "Spread of the score", "Log Cu", "Area [km²]"):
        assert json.dumps(name, ensure_ascii=False) in page or json.dumps(name) in page, name
    assert "makes the map, as the study file asks" in manifest_of(folder)["why"]
    model, card = load_model(folder / "model")
    assert card["method"] == "pretrained net"
    layers = [read_grid(tmp_path / f"Idw_{name}.tif") for name in model.layers]
    volume = [grid[name].to_numpy() for grid, name in zip(layers, model.layers, strict=True)]
    rows = np.stack(volume, axis=-1).reshape(-1, 3)
    again = model.predict_proba(rows)[:, 1].reshape(60, 60)
    np.testing.assert_allclose(again, grid["score"], atol=1e-5)
    files = [f"{name}={tmp_path / f'Idw_{name}.tif'}" for name in model.layers]
    out = tmp_path / "again.tif"
    assert main(["score", str(folder / "model"), *files, "--out", str(out)]) == 0
    scored = read_grid(out)
    np.testing.assert_allclose(scored[next(iter(scored.data_vars))], grid["score"], atol=1e-5)


def test_what_is_done_is_not_done_again(study):
    path = study(study.text.replace(NAMES, QUICK))
    first = run_study(path)
    scores = (first / "scores.csv").read_text()
    assert manifest_of(first)["reused"] == []
    again = run_study(path)
    n_methods = len({*BASELINES, "balanced svm"})
    assert len(manifest_of(again)["reused"]) == 3 * n_methods + 2  # by protocol, and fake labels
    assert (again / "scores.csv").read_text() == scores
    path.write_text(path.read_text().replace("block_size = 12000", "block_size = 9000"))
    assert manifest_of(run_study(path))["reused"] == []


def test_without_background_capture_is_not_told(study, tmp_path):
    text = study.text.replace('[background]\ntable = "ground.csv"\n', "").replace(NAMES, QUICK)
    folder = run_study(study(text))
    scores = pd.read_csv(folder / "scores.csv")
    assert "capture_10" not in scores
    assert "coordinates" in set(scores["method"])  # places are ranked among those of barren sites
    told = manifest_of(folder)
    assert "cannot be told without a background" in told["sentence"]
    assert re.search(r"mahalanobis, which needs no labels, scores 0\.\d{3}", told["sentence"])
    assert any("There is no background" in note for note in told["notes"])
    assert "best 10 % of the area" not in (folder / "report.html").read_text(encoding="utf-8")
    assert not (folder / "capture.csv").exists()


def test_the_background_is_drawn_from_rasters_where_no_table_is_named(study):
    text = study.text.replace('table = "ground.csv"\n', 'rasters = ["Idw_*.tif"]\nn = 100\n')
    folder = run_study(study(text.replace(NAMES, QUICK), rasters=True))
    told = manifest_of(folder)
    n_left = int(re.search(r"top 10 % of (\d+) background rows", told["sentence"])[1])
    assert 95 <= n_left <= 100  # a deposit's own pixel is no background
    assert told["tables"]["background"] == "Idw_*.tif"
    assert not (folder / "map.html").exists()


def test_ground_without_places_has_no_floor_among_its_ranks(study):
    path = study(
        study.text.replace(NAMES, QUICK), ground=lambda table: table.drop(columns=["X", "Y"])
    )
    folder = run_study(path)
    assert "coordinates" not in set(pd.read_csv(folder / "scores.csv")["method"])
    against_labels = pd.read_csv(folder / "label_scores.csv").set_index(["protocol", "method"])
    assert 0.5 < against_labels.loc[("blocks", "coordinates"), "auc"] < 1.0


def test_fewer_labels_and_published_validation_rows_are_told(study, tmp_path, world):
    text = study.text.replace(NAMES, 'names = ["logistic", "net", "pretrained net"]')
    text = text.replace("n_nulls = 2", 'n_nulls = 0\nlabel_levels = [12]\npublished = "valid.csv"')
    path = study(text)
    world[1].iloc[20:32].to_csv(tmp_path / "valid.csv", index=False)
    folder = run_study(path)
    levels = pd.read_csv(folder / "levels.csv")
    assert set(levels["n_deposits"]) == {12, 25}
    assert levels.loc[levels["method"] == "pretrained net", "gain"].notna().all()
    leaks = pd.read_csv(folder / "leaks.csv").set_index("name")
    assert leaks.loc["rows in training and validation", "count"] == 12
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "How scores fall with fewer deposits" in page
    assert "no gain that can be relied on" in page


def test_classes_are_learned_first_and_no_help_is_claimed(study, tmp_path, world):
    text = study.text.replace(NAMES, 'names = ["logistic", "pretrained net"]')
    text += '[pretext]\nmethod = "classes"\nclasses = "rocks.csv"\ncolumn = "unit"\n'
    path = study(text)
    rocks = world[2].assign(unit=np.where(world[2]["K"] > 4.0, "granite", "basalt"))
    rocks.to_csv(tmp_path / "rocks.csv", index=False)
    folder = run_study(path)
    assert ("blocks", "pretrained net") in scores_of(folder).index
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "is not known to help" in page


def test_words_of_a_user_do_nothing_in_the_report(study):
    evil = "</script><script>alert(1)</script>"

    def spoiled(table):
        text = study.messy(table)
        text["name"] = [f"{evil}{i}" for i in range(len(text))]
        text.loc[1, "name"] = "=HYPERLINK(1)"
        return text

    text = study.text.replace("Few deposits", f"T {evil}").replace(NAMES, QUICK)
    folder = run_study(study(text + MAP, labels=spoiled, rasters=True))
    for name in ("report.html", "map.html"):
        assert "<script>alert(1)" not in (folder / name).read_text(encoding="utf-8")
    assert "\n=HYPERLINK" not in (folder / "held_out.csv").read_text()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[labels]", "[label]", r"unknown section \[label\]. Did you mean 'labels'"),
        ('label = "DEP"', 'label = "DEB"', "no column 'DEB'.*Did you mean 'DEP'"),
        ('label = "DEP"', 'labl = "DEP"', "has no key 'labl'. Did you mean 'label'"),
        ('table = "ground.csv"', 'table = "grond.csv"', "no file grond.csv"),
        ("n_splits = 3", "n_splits = 1", r"\[validate\] n_splits must be 2 to 50, got 1"),
        ("n_splits = 3", 'n_splits = "3"', "must be a whole number"),
        ("block_size = 12000", "block_size = 9e8", "cannot be held out in blocks of 900,000,000 m"),
        ("n_nulls = 2", "label_levels = [2]", "label_levels must be 3 to 1e"),
        ('"gp"', '"gpp"', r"\[methods\] names.*gpp"),
        ("n_members = 2", 'choose = "coordinates"', "paints what is known and makes no map"),
        ("n_members = 2", 'choose = "forst"', "choose.*Did you mean 'forest'"),
        ("n_members = 2", 'scaling = "log"', "scaling"),
        (NAMES, 'names = ["logstic"]', "names.*Did you mean 'logistic'"),
        (NAMES, 'names = ["published gcp_ft"]', "learns geological classes first, and .pretext"),
        ("[methods]", '[pretext]\nmethod = "classes"\n[methods]', '"classes" needs a table'),
        ("[methods]", '[pretext]\nmethod = "clases"\n[methods]', "Did you mean 'classes'"),
        ("[methods]", '[pretext]\nclasses = "a.csv"\n[methods]', "classes and column go together"),
        ("[methods]", 'rasters = ["a.tif"]\n[methods]', "Keep one of the two"),
        ("[methods]", "n = 5\n[methods]", r"\[background\] n must be 20 to"),
        ("[methods]", "[map]\nrasters = []\n[methods]", "rasters names no file"),
        ("[methods]", '[map]\nrasters = ["x*.tif"]\n[methods]', r"No file is called x\*\.tif"),
        ("[methods]", "[targets]\nshare = 0.9\n[methods]", r"share must be 0.0001 to 0.5, got 0.9"),
        ('label = "DEP"', 'label = "DEP"\nevidence = []', "evidence names no column"),
        ('label = "DEP"', 'label = "DEP"\ndecimal = ";"', "decimal"),
        ('label = "DEP"', 'label = "DEP"\nevidence = ["K", "Zn"]', "no column 'Zn'"),
    ],
)
def test_what_is_wrong_is_told_before_anything_runs(study, old, new, told):
    assert old in study.text
    problems = check_study(study(study.text.replace(old, new)))
    assert len(problems) == 1 + ("a.tif" in new)  # a file that is not there, besides
    assert any(re.search(told, problem, re.DOTALL) for problem in problems), problems


def test_a_study_without_labels_is_told(study):
    text = study.text.replace('[labels]\ntable = "labels.csv"\nlabel = "DEP"\n', "")
    assert "there is no section [labels]" in check_study(study(text))[0]


def test_a_background_that_lacks_evidence_is_told(study):
    path = study(ground=lambda table: table.drop(columns="K"))
    (problem,) = check_study(path)
    assert "ground.csv ([background]) has no column 'K'" in problem


def test_rasters_that_lie_elsewhere_are_told(study):
    moved = study.text + MAP

    def away(table):
        return table.assign(X=table["X"] + 5e6)

    (problem,) = check_study(study(moved, labels=away, rasters=True))
    assert "No labelled site lies on the rasters" in problem


def test_rasters_that_lack_evidence_are_told(study, tmp_path):
    path = study(study.text + MAP, rasters=True)
    (tmp_path / "Idw_K.tif").unlink()
    (problem,) = check_study(path)
    assert "[map] rasters has no layer 'K'" in problem


def test_a_pretext_of_none_leaves_pretrained_methods_out(study):
    path = study(study.text + '[pretext]\nmethod = "none"\n')
    from gossan.studies.transfer.run import settings_of

    names = settings_of(read_study(path))["methods"]["names"]
    assert "net" in names
    assert "pretrained net" not in names
    assert "blend" not in names


def test_names_add_to_the_methods_that_are_always_run(study):
    from gossan.studies.transfer.run import settings_of

    def names_of(new):
        path = study(study.text.replace(NAMES, new))
        return settings_of(read_study(path))["methods"]["names"]

    always = ("coordinates", "mahalanobis", "logistic", "boosted trees")
    assert names_of('names = ["coordinates"]') == always
    assert names_of('names = ["gp"]') == (*always, "gp")
    assert set(names_of('choose = "svm"')) == {*DEFAULT, "svm"}
    assert set(names_of("names = []")) == set(DEFAULT)


def test_the_template_is_a_study_that_asks_for_its_files(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(study_template("transfer"), encoding="utf-8")
    assert read_study(path).kind == "transfer"
    (problem,) = check_study(path)
    assert "no file labels.csv" in problem


@pytest.fixture(scope="session")
def yukon():
    """Folder of the Yukon tables."""
    try:
        return datasets.find("yukon", download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_the_yukon_labels_are_clumped_copied_and_shared(yukon, tmp_path):
    # Figures of the published tables: 95 deposits of which one has no place, 71 pixels, 24 of 40
    # validation rows that were trained on.
    places = pd.read_csv(yukon / "01_Train_VO.csv")[["DEP", "ESTE", "NORTE"]]
    parts = pd.read_csv(yukon / "02_Train_PCA.csv").drop(columns="DEP")
    places.join(parts).to_csv(tmp_path / "labels.csv", index=False)
    path = tmp_path / "study.toml"
    path.write_text(
        'study = "transfer"\n[labels]\ntable = "labels.csv"\nlabel = "DEP"\neasting = "ESTE"\n'
        f'northing = "NORTE"\n[background]\ntable = "{(yukon / "013_Random.csv").as_posix()}"\n'
        '[methods]\nnames = ["logistic", "balanced svm"]\nscaling = "none"\n[validate]\n'
        "n_partitions = 1\nn_nulls = 0\n"
        f'published = "{(yukon / "04_Validation_Points.csv").as_posix()}"\n',
        encoding="utf-8",
    )
    folder = run_study(path)
    told = manifest_of(folder)
    assert (told["n_deposits"], told["n_barren"]) == (71, 218)
    leaks = pd.read_csv(folder / "leaks.csv").set_index("name")
    assert leaks.loc["rows in training and validation", "count"] == 24
    blocks = pd.read_csv(folder / "blocks.csv").set_index("held_out")
    assert blocks.loc["rows as they stand, random folds", "coordinates"] == pytest.approx(
        0.968, abs=0.02
    )
    assert blocks.loc["blocks of 20 km", "coordinates"] == pytest.approx(0.83, abs=0.06)
    against_labels = pd.read_csv(folder / "label_scores.csv").set_index(["protocol", "method"])
    assert against_labels.loc[("blocks", "balanced svm"), "auc"] == pytest.approx(0.84, abs=0.05)
    scores = scores_of(folder)
    assert scores.loc[("blocks", "balanced svm"), "auc"] == pytest.approx(0.78, abs=0.04)
