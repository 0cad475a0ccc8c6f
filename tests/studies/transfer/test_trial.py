"""Folds, ranks, fakes and levels of a transfer study, on made-up sites whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from gossan.studies.run_folder import RunFolder
from gossan.studies.transfer.fakes import fake_trials, try_fakes
from gossan.studies.transfer.judging import judge
from gossan.studies.transfer.keeping import Keeper
from gossan.studies.transfer.methods import METHODS, Recipe, Wishes, make_recipes
from gossan.studies.transfer.tables import Rows, Sites
from gossan.studies.transfer.trial import Trial, hold_out, partitions_of, shares_of
from gossan.studies.transfer.trust import block_table, leaks_of, level_table
from gossan.studies.transfer.unlabelled import Ground
from gossan.studies.transfer.unusual import UnusualGround
from gossan.studies.trials import Plan

PLAN = Plan(n_splits=3, n_repeats=2, block_size=20e3, dead_zone=0.0)


def sites_of(X, y, coords):
    """Return sites that stand for one row each."""
    n = len(y)
    rows = Rows(X, y, coords, np.arange(n))
    names = tuple(f"v{i}" for i in range(X.shape[1]))
    return Sites(X, y, coords, names, [f"s{i}" for i in range(n)], np.ones(n, dtype=np.int64), rows,
                 None, "labels.csv", [], [])  # fmt: skip


@pytest.fixture
def trial():
    """Return 24 deposits, 40 barren sites and 300 background rows; v0 tells deposits apart."""
    rng = np.random.default_rng(2)
    y = np.repeat([1, 0], [24, 40])
    X = rng.normal(size=(64, 3))
    X[:, 0] += 1.8 * y
    coords = rng.uniform(0, 120e3, (64, 2))
    ground = Ground(rng.normal(size=(300, 3)), rng.uniform(0, 120e3, (300, 2)), "ground.csv", [])
    return Trial(sites_of(X, y, coords), ground, lambda X: X, PLAN)


LINE = Recipe(LogisticRegression(), "baseline")


def test_every_site_is_tested_once_and_never_taught_with_its_block(trial):
    for folds in trial.partitions("blocks"):
        tested = np.concatenate([test for _, test in folds])
        assert sorted(tested) == list(range(64))
        for train, test in folds:
            assert not set(train) & set(test)
            near = np.abs(trial.sites.coords[train, None] - trial.sites.coords[test]).max(axis=2)
            assert near.shape == (len(train), len(test))
    assert len(trial.partitions("blocks")) == 2
    assert [len(folds) for folds in trial.partitions("fit")] == [1]


def test_folds_without_barren_sites_are_refused():
    # Five folds of six blocks of deposits and four of barren sites: one fold has no barren site.
    coords = np.repeat(np.arange(10)[:, None] * 90e3, 3, axis=0) + np.zeros((30, 2))
    y = np.repeat([1, 1, 1, 1, 1, 1, 0, 0, 0, 0], 3)
    plan = replace(PLAN, n_repeats=1, n_splits=5, block_size=1e3)
    with pytest.raises(ValueError, match=r"has a fold without barren sites\. Set fewer n_splits"):
        partitions_of(y, coords, plan, "blocks")


def test_sites_of_one_block_cannot_be_held_out():
    coords, y = np.arange(24.0).reshape(12, 2), np.tile([0, 1], 6)
    with pytest.raises(ValueError, match=r"cannot be held out in blocks of 20,000 m.*\[validate\]"):
        partitions_of(y, coords, PLAN, "blocks")


def test_without_ground_the_ranks_are_those_among_the_negatives_of_the_fold(trial):
    bare = replace(trial, ground=None)
    held = hold_out(bare, LINE, "blocks", seeds=(0,))[0]
    shares = shares_of(bare, held)
    assert shares.shape == (2, 24)
    for p, folds in enumerate(held.partitions):
        for _, test in folds:
            ore = test[held.is_ore[test]]
            auc = roc_auc_score(held.is_ore[test], held.scores[p, 0, test])
            assert 1.0 - shares[p, ore].mean() == pytest.approx(auc)  # deposits are the first rows


def test_planted_evidence_is_found_by_all_protocols_and_noise_is_not(trial):
    noise = replace(trial, sites=replace(trial.sites, X=trial.ground.X[:64]))
    for protocol in ("random", "blocks"):
        found, nothing = (
            1.0 - shares_of(each, hold_out(each, LINE, protocol, seeds=(0,))[0]).mean()
            for each in (trial, noise)
        )
        assert found > 0.8
        assert nothing < 0.65


def test_what_is_label_free_says_the_same_whatever_the_labels_are(trial):
    turned = replace(trial, sites=replace(trial.sites, y=trial.sites.y[::-1].copy()))
    for ground in (trial.ground, None):
        wishes = Wishes(background=None if ground is None else ground.X)
        recipe = make_recipes(["mahalanobis"], wishes)["mahalanobis"]
        one, other = (
            hold_out(replace(each, ground=ground), recipe, "fit", seeds=(0,))[0].scores
            for each in (trial, turned)
        )
        np.testing.assert_array_equal(one, other)


def test_unusual_ground_is_told_from_usual_by_its_distance():
    # Of a round cloud of standard deviation 1 a row at 5 is unusual whichever way it lies.
    ground = np.random.default_rng(0).normal(size=(2000, 3))
    model = UnusualGround().fit(np.zeros((2, 3)), ["ore", "barren"], background=ground)
    scores = model.decision_function(np.vstack([5.0 * np.eye(3), -5.0 * np.eye(3), 0 * np.eye(3)]))
    assert scores[:6].min() > 0.0 > scores[6:].max()
    assert np.ptp(scores[:6]) < 0.2 * (scores[:6].min() - scores[6:].max())
    assert model.predict([[9.0, 0.0, 0.0], [0.0, 0.0, 0.0]]).tolist() == ["ore", "barren"]
    with pytest.raises(NotFittedError):
        UnusualGround().decision_function(ground)


def test_fakes_keep_the_number_of_deposits_and_lie_on_the_ground(trial):
    fakes = fake_trials(trial, 3)
    assert len(fakes) == 3
    known = {tuple(row) for row in trial.ground.coords}
    for fake in fakes:
        assert fake.sites.y.sum() == 24
        assert {tuple(row) for row in fake.sites.coords[:24]} <= known
        assert len(fake.ground.X) == 300 - 24  # what is a fake deposit is no background
        np.testing.assert_array_equal(fake.sites.X[24:], trial.sites.X[24:])


def test_labels_are_dealt_anew_where_the_ground_has_no_places(trial):
    bare = replace(trial, ground=replace(trial.ground, coords=None))
    fakes = fake_trials(bare, 4)
    assert all(fake.sites.y.sum() == 24 for fake in fakes)
    assert any((fake.sites.y != trial.sites.y).any() for fake in fakes)
    np.testing.assert_array_equal(fakes[0].sites.X, trial.sites.X)


def test_fakes_score_like_a_coin(trial):
    found = try_fakes(trial, LINE, 10)
    assert found["blocks"].shape == (10, 24)
    assert abs(0.5 - found["blocks"].mean()) < 0.1


@pytest.mark.parametrize("has_ground", [True, False])
def test_the_simplest_method_within_a_hundredth_is_chosen(trial, tmp_path, has_ground):
    trial = trial if has_ground else replace(trial, ground=None)
    recipes = {
        "coordinates": METHODS["coordinates"](Wishes()),
        "dull": Recipe(LogisticRegression(C=1e-9), "baseline"),
        "line": LINE,
        "the same line": Recipe(LogisticRegression(), "model"),
    }
    # A penalty so strong leaves the order; its evidence is noise instead.
    recipes["dull"] = replace(recipes["dull"], reads="coords")
    keeper = Keeper(RunFolder(tmp_path / "run"), trial, (0,), {})
    verdict = judge(keeper, recipes, n_nulls=2, choose="", has_map=False, say=lambda _: None)
    assert verdict.judged.choice.method == "line"
    assert "the same line" in verdict.judged.choice.ties
    assert "is the one to use" in verdict.judged.choice.why
    assert ("captured_10" in verdict.judged.scores) == has_ground
    assert set(verdict.judged.null["method"]) == {"coordinates", "line"}


def test_a_method_that_the_user_chooses_is_taken_and_the_rule_told(trial, tmp_path):
    recipes = {"line": LINE, "same": Recipe(LogisticRegression(), "model")}
    keeper = Keeper(RunFolder(tmp_path / "run"), trial, (0,), {})
    choice = judge(
        keeper, recipes, n_nulls=0, choose="same", has_map=True, say=lambda _: None
    ).judged.choice
    assert choice.method == "same"
    assert choice.why.startswith(
        "'same' makes the map, as the study file asks. 'line' would have been"
    )


@pytest.mark.parametrize("has_ground", [True, False])
def test_a_method_that_looks_at_no_label_has_no_fitting_rate(trial, tmp_path, has_ground):
    trial = trial if has_ground else replace(trial, ground=None)
    recipes = {**make_recipes(["mahalanobis"], Wishes()), "line": LINE}
    keeper = Keeper(RunFolder(tmp_path / "run"), trial, (0,), {})
    for choose, is_taught in (("line", True), ("mahalanobis", False)):
        told = judge(
            keeper, recipes, n_nulls=0, choose=choose, has_map=True, say=lambda _: None
        ).judged.sentence
        assert ("taught" in told) == is_taught
        assert ("mahalanobis, which needs no labels," in told) == is_taught


def test_parts_are_kept_and_computed_anew_where_settings_changed(trial, tmp_path):
    keeper = Keeper(RunFolder(tmp_path / "run"), trial, (0,), {"a": 1})
    first = keeper.scores("line", LINE, "blocks")[0]
    again = Keeper(RunFolder(tmp_path / "run"), trial, (0,), {"a": 1})
    np.testing.assert_array_equal(again.scores("line", LINE, "blocks")[0].scores, first.scores)
    assert again.folder.reused == ["trial-line-blocks"]
    other = Keeper(RunFolder(tmp_path / "run"), trial, (0,), {"a": 2})
    other.scores("line", LINE, "blocks")
    assert other.folder.reused == []


def test_fewer_labels_are_nested_and_all_are_tested(trial, tmp_path):
    keeper = Keeper(RunFolder(tmp_path / "run"), trial, (0,), {})
    table = level_table(keeper, {"line": LINE}, [9, 500])
    assert table["n_deposits"].tolist() == [9, 24]  # a level beyond what there is, is all
    full = hold_out(trial, LINE, "blocks", seeds=(0,))[0].summary()["mean"]
    assert table["auc"].iloc[1] == pytest.approx(full["auc"])
    assert table["capture_auc"].iloc[1] == pytest.approx(full["capture_auc"])


def test_leaks_name_copies_and_coordinates_among_the_evidence(trial):
    sites = trial.sites
    X = np.column_stack([sites.X, sites.coords[:, 0]])
    copied = Rows(
        np.concatenate([X, X[:8]]), np.concatenate([sites.y, sites.y[:8]]),
        np.concatenate([sites.coords, sites.coords[:8]]), np.concatenate([np.arange(64), np.arange(8)]),
    )  # fmt: skip
    own = replace(sites, X=X, names=(*sites.names, "easting"), rows=copied)
    ground = replace(trial.ground, X=np.column_stack([trial.ground.X, trial.ground.coords[:, 0]]))
    worse = replace(trial, sites=own, ground=ground)
    published = (np.concatenate([X[:5], X[:3] + 10.0]), np.ones(8))
    found = {leak.name: leak for leak in leaks_of(worse, scaling="standard", published=published,
                                                  name="valid.csv")}  # fmt: skip
    assert {"identical rows", "same position", "coordinates among the features"} <= set(found)
    shared = found["rows in training and validation"]
    assert shared.count == 5
    assert shared.sentence.startswith("5 of 8 rows of valid.csv are training rows")
    clean = leaks_of(trial, scaling="standard", published=None)
    assert {leak.name for leak in clean} == {"hard labels in a score"}


def test_auc_against_block_size_shows_what_neighbours_give_away():
    # Deposits in tight camps, barren sites in others, evidence of noise: only places tell them apart.
    rng = np.random.default_rng(4)
    centres = rng.uniform(0, 200e3, (24, 2))
    coords = np.repeat(centres, 4, axis=0) + rng.normal(0, 300.0, (96, 2))
    y = np.repeat(np.arange(24) % 2, 4)
    trial = Trial(sites_of(rng.normal(size=(96, 2)), y, coords), None, lambda X: X, PLAN)
    table = block_table(trial, scaling="standard").set_index("block")
    assert table.loc[0.0, "coordinates"].min() > 0.9
    assert table.loc[20.0, "coordinates"] < 0.75
    assert abs(table.loc[20.0, "evidence"] - 0.5) < 0.15


def test_methods_that_learn_classes_need_a_table_of_them():
    with pytest.raises(ValueError, match="A pretext task of classes needs a table of them"):
        make_recipes(["published gcp_ft"], Wishes())
    rows = (np.zeros((4, 2)), np.array(["a", "b", "a", "b"]))
    made = make_recipes(["pretrained net"], Wishes(pretext="classes", classed=rows, n_members=1))
    assert made["pretrained net"].fit_with["background_classes"].tolist() == ["a", "b", "a", "b"]
