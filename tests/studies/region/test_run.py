"""The region study from tables to report, as a user runs it."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from gossan.data.grids.files import read_grid
from gossan.saving import load_model
from gossan.studies.region.methods import BASELINES, METHODS
from gossan.study import check_study, run_study, summarise_run

pytest.importorskip("rasterio")
pytest.importorskip("geopandas")


def run_of(folder):
    return folder / "runs" / "study"


def rewrite(folder, old, new):
    path = folder / "study.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_a_run_leaves_report_maps_targets_and_a_model(finished):
    run = finished / "runs" / "study"
    names = {path.name for path in run.iterdir()}
    assert {"report.html", "map.html", "prospectivity.tif", "prospectivity.qml", "layers.tif",
            "attribution.tif", "targets.gpkg", "targets.csv", "scores.csv", "occurrences.csv",
            "model", "manifest.json", "study.toml"} <= names  # fmt: skip
    told = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert told["chosen"] == "logistic"  # as the study asks
    assert "supported area" in told["sentence"]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "A small &lt;b&gt;district&lt;/b&gt;" in page
    assert "<b>district" not in page


def test_every_protocol_stands_beside_the_baselines(finished):
    scores = pd.read_csv(finished / "runs" / "study" / "scores.csv")
    table = scores.set_index(["method", "protocol"])["auc"].unstack()  # noqa: PD010 - two names
    assert set(table.columns) == {"fit", "random", "blocks"}
    assert {*BASELINES, "cnn 3"} == set(table.index)  # logistic is one of them
    assert table.loc["distance to known", "fit"] == pytest.approx(1.0)
    assert table.loc["logistic", "blocks"] > 0.55  # a planted signal
    assert (table.loc["logistic"] <= 1.0).all()
    kinds = dict(zip(scores["method"], scores["kind"], strict=True))
    assert kinds["single element"] == kinds["isolation forest"] == "label-free"
    assert kinds["logistic"] == kinds["boosted trees"] == "baseline"
    assert kinds["cnn 3"] == "model"
    assert set(pd.read_csv(run_of(finished) / "comparisons.csv")["against"]) <= set(BASELINES)


def test_the_map_is_a_rank_of_supported_ground_with_band_names(finished):
    grid = read_grid(finished / "runs" / "study" / "prospectivity.tif")
    assert {"score", "percentile", "spread", "edge_fraction"} <= set(grid.data_vars)
    ranks = grid["percentile"].to_numpy()
    known = ranks[np.isfinite(ranks)]
    assert known.min() >= 0.0
    assert known.max() <= 100.0
    assert np.median(known) == pytest.approx(50.0, abs=1.0)
    best = np.unravel_index(np.nanargmax(grid["score"].to_numpy()), ranks.shape)
    assert ranks[best] == np.nanmax(ranks)


def test_a_planted_anomaly_lies_where_it_was_planted(finished, district):
    """North is up: the map ranks known deposits high at their own places."""
    grid = read_grid(finished / "runs" / "study" / "prospectivity.tif")
    known = district.occurrences[district.occurrences["is_known"]]
    own = grid["percentile"].sel(
        northing=known["northing"].to_xarray(), easting=known["easting"].to_xarray(),
        method="nearest",
    )  # fmt: skip
    flipped = grid["percentile"].isel(northing=slice(None, None, -1))
    flipped = flipped.assign_coords(northing=grid["northing"])
    other = flipped.sel(
        northing=known["northing"].to_xarray(), easting=known["easting"].to_xarray(),
        method="nearest",
    )  # fmt: skip
    assert float(own.mean()) > 70.0 > float(other.mean())


def test_the_model_scores_the_layers_as_the_map_was_scored(finished):
    run = finished / "runs" / "study"
    model, card = load_model(run / "model")
    assert "held-out" in card["held_out"]
    layers = read_grid(run / "layers.tif")
    volume = np.stack([layers[name].to_numpy() for name in model.layers])
    ours = model.score_map(volume, edges="nan")
    told = read_grid(run / "prospectivity.tif")["score"].to_numpy()
    both = np.isfinite(ours) & np.isfinite(told)
    assert both.mean() > 0.5
    assert np.abs(ours - told)[both].max() < 1e-4


def test_targets_are_told_with_size_reasons_and_neighbours(finished):
    table = pd.read_csv(finished / "runs" / "study" / "targets.csv")
    assert {"target", "area", "percentile", "why", "contains_known", "known_distance"} <= set(table)
    assert table["area"].between(4.0, 500.0).all()  # km2, four cells at least
    assert table["why"].str.match(r"'?[+-]\w+ [\d.]+").all()  # no formula for a spreadsheet


def test_a_second_run_does_nothing_twice_and_gives_the_same(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    first = pd.read_csv(finished / "runs" / "study" / "scores.csv")
    parts = tmp_path / "copy" / "runs" / "study" / "parts"
    before = {path.name: path.stat().st_mtime_ns for path in parts.iterdir()}
    run_study(tmp_path / "copy" / "study.toml")
    assert {path.name: path.stat().st_mtime_ns for path in parts.iterdir()} == before
    again = pd.read_csv(tmp_path / "copy" / "runs" / "study" / "scores.csv")
    pd.testing.assert_frame_equal(first, again)


def test_the_summary_tells_scores_sentence_and_targets(finished):
    told = summarise_run(finished / "runs" / "study")
    assert "distance to known" in told
    assert "held-out occurrences" in told
    assert "km²" in told


def test_a_good_study_has_no_problems(folder):
    assert check_study(folder / "study.toml") == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('pathfinders = ["Cu", "Mo", "Au"]', 'pathfinders = ["Cuu"]', "Did you mean 'Cu'"),
        ('table = "occurrences.csv"', 'table = "known.csv"', "known.csv"),
        ('names = ["logistic", "cnn 3"]', 'names = ["logstic"]', "Did you mean 'logistic'"),
        ('names = ["logistic", "cnn 3"]', 'names = ["stacked"]', "no section \\[source\\]"),
        ("n_splits = 3", "n_split = 3", "Did you mean 'n_splits'"),
        ("spacing = 1000", "spacing = -5", "spacing must be 0 or more"),
        ("spacing = 1000", "spacing = 1", "Set a larger spacing"),
        ("[elements]", '[elements]\nlevel_by = "batch"', "no such column"),
        ("[occurrences]", '[occurrences]\ncolumn = "type"', "column and words go together"),
        ("[background]", '[background]\nper_positive = 0.1', "per_positive must be"),
        ('choose = "logistic"', 'choose = "distance to known"', "makes no map. Name another"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_runs(folder, old, new, message):
    path = rewrite(folder, old, new)
    problems = check_study(path)
    assert len(problems) == 1
    import re

    assert re.search(message, problems[0]), problems


def test_background_may_be_drilled_ground_of_one_rock_away_from_ore(folder, district):
    from gossan.studies.region.mapping import make_cells
    from gossan.studies.region.run import settings_of
    from gossan.studies.region.tables import read_region
    from gossan.study import read_study

    places = district.samples[["easting", "northing"]].iloc[::3]
    places.to_csv(folder / "barren.csv", index=False)
    rocks = district.lithology["lithology"].value_counts().index[:2].tolist()
    path = rewrite(
        folder, "[background]",
        f"[background]\nbarren = \"barren.csv\"\nbuffer = 2000\nrocks = {rocks}".replace("'", '"'),
    )  # fmt: skip
    settings = settings_of(read_study(path))
    region = read_region(settings, folder)
    told = settings["background"]
    cells = make_cells(region, field=1, most_cells=500, n_patterns=0, buffer=told["buffer"],
                       rocks=told["rocks"], random_state=0)  # fmt: skip
    taught = cells.may_teach & (cells.y == 0)
    assert 30 <= taught.sum() < 500
    assert region.barren[tuple(cells.places[taught].T)].all()
    assert np.isin(region.rocks[tuple(cells.places[taught].T)], rocks).all()
    known = cells.coords[cells.y == 1]
    gaps = np.linalg.norm(cells.coords[taught][:, None] - known[None], axis=2).min(axis=1)
    assert gaps.min() > 2000
    with pytest.raises(ValueError, match="Loosen buffer, rocks or barren"):
        make_cells(region, field=1, most_cells=500, n_patterns=0, buffer=1e6, rocks=[],
                   random_state=0)  # fmt: skip


def single_of(path):
    """Return the element that stands alone, and why, without a run."""
    from gossan.studies.region.plan import single_channel
    from gossan.studies.region.run import settings_of
    from gossan.studies.region.tables import read_region
    from gossan.study import read_study

    study = read_study(path)
    settings = settings_of(study)
    return single_channel(read_region(settings, path.parent), settings, study)


def test_the_single_element_is_the_first_pathfinder_and_knows_no_label(finished):
    """Its rank is that of the concentration, whatever is known."""
    channel, why = single_of(finished / "study.toml")
    assert (channel, why) == ("Cu", "single element is Cu, the first of the pathfinders.")
    assert why in (run_of(finished) / "report.html").read_text(encoding="utf-8")
    from gossan.studies.region.methods import Wishes, make_methods

    wishes = Wishes(("Zn", "Cu"), ("Cu", "Zn"), single="Cu")
    model = make_methods(["single element"], wishes)["single element"].estimator
    X = np.random.default_rng(0).normal(size=(40, 2))
    for y in (np.arange(40) % 2, np.arange(40) < 5):
        scores = model.fit(X, y.astype(int)).predict_proba(X)[:, 1]
        np.testing.assert_array_equal(np.argsort(scores), np.argsort(X[:, 1]))


def test_without_pathfinders_the_single_element_is_the_one_that_is_sought(folder, district):
    path = rewrite(folder, 'pathfinders = ["Cu", "Mo", "Au"]', "")
    assert single_of(path)[0] == ""
    assert "To choose it by the occurrences would be to use labels" in single_of(path)[1]
    table = district.occurrences[["easting", "northing"]].assign(metal=" au ")
    table.to_csv(folder / "occurrences.csv", index=False)
    rewrite(folder, "[occurrences]", '[occurrences]\ncolumn = "metal"\nwords = ["ore", "AU"]')
    assert single_of(path) == ("Au", "single element is Au, by which the occurrences were kept.")


def test_a_single_element_that_nobody_told_is_left_out_or_refused_where_asked_for(folder):
    from gossan.studies.region.methods import Wishes, make_methods

    path = rewrite(folder, 'pathfinders = ["Cu", "Mo", "Au"]', "")
    rewrite(folder, "n_nulls = 2", "n_nulls = 0")
    run = run_study(rewrite(folder, '"logistic", "cnn 3"', '"logistic"'))
    assert set(pd.read_csv(run / "scores.csv")["method"]) == {*BASELINES} - {"single element"}
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "single element was left out: no pathfinder is named" in page
    for old, new in (
        ('choose = "logistic"', 'choose = "single element"'),
        ('choose = "single element"\n', ""),
    ):
        rewrite(folder, old, new)
        if not new:
            rewrite(folder, 'names = ["logistic"]', 'names = ["single element"]')
        (problem,) = check_study(path)
        assert "asks for 'single element', and no element is told. Name pathfinders" in problem
    with pytest.raises(ValueError, match="needs the element, and none is told"):
        make_methods(["single element"], Wishes(("Cu",)))


def test_names_add_to_the_methods_that_are_always_run(folder):
    from gossan.studies.region.run import settings_of
    from gossan.study import read_study

    path = rewrite(folder, 'names = ["logistic", "cnn 3"]', 'names = ["forest"]')
    names = settings_of(read_study(path))["methods"]["names"]
    assert set(names) == {
        "distance to known", "single element", "pathfinder index", "isolation forest",
        "mahalanobis", "logistic", "boosted trees", "forest",
    }  # fmt: skip
    assert names == tuple(name for name in METHODS if name in names)  # the simplest first


def test_a_study_that_names_no_method_compares_the_usual_ones(folder):
    from gossan.studies.region.run import settings_of
    from gossan.study import read_study

    path = rewrite(folder, 'names = ["logistic", "cnn 3"]\n', "")
    names = settings_of(read_study(path))["methods"]["names"]
    assert names[0] == "distance to known"
    assert "stacked" not in names
    text = path.read_text(encoding="utf-8") + '\n[source]\nsamples = "a"\noccurrences = "b"\n'
    path.write_text(text, encoding="utf-8")
    assert "stacked" in settings_of(read_study(path))["methods"]["names"]


def test_messy_samples_are_read_and_what_is_left_out_is_told(district, tmp_path):
    """Semicolons, decimal commas, an element below detection, a gap, a far slip, two twins."""
    table = district.samples.copy().iloc[:700]
    mostly = table.columns[table.columns.str.startswith("Sn")][0]
    table[mostly] = "<5"
    table = table.rename(columns={"easting": "X (m)", "northing": "Y (m)"}).astype(object)
    table.iloc[3, table.columns.get_loc("X (m)")] = None
    table = pd.concat([table, table.iloc[[10, 11]]], ignore_index=True)
    table["remark"] = "=HYPERLINK(1)"
    district.write(tmp_path)
    table.to_csv(tmp_path / "samples.csv", index=False, sep=";", decimal=",")
    text = (
        'study = "region"\n[samples]\ntable = "samples.csv"\n[occurrences]\n'
        'table = "occurrences.csv"\n[grid]\nspacing = 1000\n[methods]\nnames = ["logistic"]\n'
        "most_cells = 300\n[background]\nn_draws = 2\n"
        "[validate]\nn_splits = 2\nn_repeats = 1\nn_nulls = 0\n"
    )
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    run = run_study(tmp_path / "study.toml")
    told = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert any("Sn is left out: 100%" in why for why in told["left_out"])
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "rows without coordinates are left out, row 5" in page


def test_a_study_without_samples_or_layers_is_refused(folder):
    path = rewrite(folder, '[samples]\ntable = "samples.csv"\n', "")
    assert "neither a section [samples] nor [layers]" in check_study(path)[0]


def test_a_study_without_occurrences_is_refused(folder):
    path = rewrite(folder, '[occurrences]\ntable = "occurrences.csv"\n', "")
    assert "no section [occurrences]" in check_study(path)[0]


def test_another_district_and_pretraining_are_tried(folder, district):
    """Every method that learns elsewhere or from unlabelled ground runs through."""
    district.source("same").write(folder / "other")
    path = rewrite(
        folder, 'names = ["logistic", "cnn 3"]',
        'names = ["zero-shot", "stacked", "head", "masked cnn"]',
    )  # fmt: skip
    rewrite(folder, '[faults]\ntable = "faults.csv"\n', "")
    text = path.read_text(encoding="utf-8").replace("n_nulls = 2", "n_nulls = 0")
    path.write_text(
        text + '\n[source]\nsamples = "other/samples.csv"\noccurrences = "other/occurrences.csv"\n',
        encoding="utf-8",
    )
    run = run_study(path)
    scores = pd.read_csv(run / "scores.csv")
    assert {"zero-shot", "stacked", "head", "masked cnn"} <= set(scores["method"])
    assert not (run / "null.csv").exists()


def test_ground_without_samples_is_neither_learnt_nor_ranked_nor_a_target(folder, district):
    """An extrapolated cell never counts in an area share."""
    from gossan.studies.region.mapping import make_cells
    from gossan.studies.region.run import settings_of
    from gossan.studies.region.tables import read_region
    from gossan.study import read_study

    table = district.samples
    is_west = table["easting"] < table["easting"].median()
    (pd.concat([table[is_west], table[~is_west].iloc[::60]])).to_csv(
        folder / "samples.csv", index=False
    )
    settings = settings_of(read_study(folder / "study.toml"))
    region = read_region(settings, folder)
    assert 0.2 < region.is_supported.mean() < 0.9
    assert np.isnan(region.volume[:, ~region.is_supported]).all()
    cells = make_cells(region, field=3, most_cells=10_000, n_patterns=2, buffer=0.0, rocks=[],
                       random_state=0)  # fmt: skip
    assert region.is_supported[tuple(cells.places.T)].all()
    assert region.area == pytest.approx(region.is_supported.sum() * 1.0)  # cells of 1 km2
    assert len(region.occurrences.masked) > 0
