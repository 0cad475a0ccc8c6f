"""Held-out estimates: nothing of the test part is used, weights and intervals do what they promise."""

from dataclasses import replace

import numpy as np
import pytest

from gossan.simulate import simulate_roughness, simulate_tailings
from gossan.studies.run_folder import RunFolder
from gossan.studies.tailings import methods
from gossan.studies.tailings.published import published_template
from gossan.studies.tailings.tables import read_samples
from gossan.studies.tailings.trust import hold_out, hold_out_groups, score_table, training_of

QUICK = ("kriging", "forest")


@pytest.fixture(scope="module")
def samples():
    made = simulate_tailings("surface", n_samples=120, random_state=3)
    return read_samples({"table": made.table, "elements": list(made.elements[:2])})


@pytest.fixture(scope="module")
def held_out(samples, tmp_path_factory):
    groups, folds, _ = hold_out_groups(samples, n_splits=3)
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    return hold_out(
        samples, folds, groups=groups, names=QUICK, n_inner_splits=2, folder=folder,
        key={"protocol": "blocks"},
    )  # fmt: skip


def test_blocks_are_held_out_where_there_are_no_holes(samples):
    groups, folds, name = hold_out_groups(samples, n_splits=3)
    assert name == "block"
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(samples.coords)))
    for train, test in folds:
        assert set(groups[train]).isdisjoint(groups[test])


def test_every_sample_is_told_by_every_method_and_the_blend(samples, held_out):
    assert list(held_out.quantiles) == [*QUICK, "blend"]
    for told in held_out.quantiles.values():
        assert np.isfinite(told).all()
        assert (np.diff(told, axis=1) >= -1e-9).all()
    assert (held_out.low <= held_out.high).all()
    np.testing.assert_allclose(held_out.weights.sum(axis=1), 1.0)


def test_the_test_part_has_no_say_in_its_own_estimate(samples, held_out, tmp_path):
    """A held-out value that is changed wildly changes none of its own fold's estimates."""
    groups, folds, _ = hold_out_groups(samples, n_splits=3)
    test = folds[0][1]
    values = samples.values.copy()
    values.iloc[test] = values.iloc[test] * 50.0
    spoilt = type(samples)(**{**vars(samples), "values": values})
    again = hold_out(
        spoilt, folds[:1], groups=groups, names=QUICK, n_inner_splits=2,
        folder=RunFolder(tmp_path / "run"), key={"protocol": "blocks"},
    )  # fmt: skip
    for name in (*QUICK, "blend"):
        np.testing.assert_allclose(
            again.quantiles[name][test], held_out.quantiles[name][test], rtol=1e-5
        )
    np.testing.assert_allclose(again.low[test], held_out.low[test], rtol=1e-5)


def test_scores_stand_beside_ordinary_kriging(samples, held_out):
    scores = score_table(samples, held_out, split="blocks").set_index(["method", "element"])
    assert scores.loc[("ordinary kriging", "all"), "crps_ratio"] == 1.0
    blend = scores.loc[("blend", "all")]
    assert blend["crps_ratio_low"] <= blend["crps_ratio"] <= blend["crps_ratio_high"]
    assert blend["crps_ratio"] < 1.05
    assert 0.8 <= blend["coverage"] <= 1.0


def test_what_is_done_is_not_done_again(samples, tmp_path):
    groups, folds, _ = hold_out_groups(samples, n_splits=2)
    shared = {"groups": groups, "names": ("kriging",), "n_inner_splits": 2}
    first = hold_out(
        samples, folds, folder=RunFolder(tmp_path / "run"), key={"protocol": "b"}, **shared
    )
    folder = RunFolder(tmp_path / "run")
    second = hold_out(samples, folds, folder=folder, key={"protocol": "b"}, **shared)
    assert folder.reused == ["b-kriging"]
    np.testing.assert_array_equal(first.quantiles["blend"], second.quantiles["blend"])


def test_the_network_never_reads_the_sample_itself_or_its_block(samples):
    """A sample whose whole block is changed gets the same sequence as before."""
    groups, _, _ = hold_out_groups(samples, n_splits=3)
    training = training_of(samples, np.arange(len(samples.coords)), groups)
    before = methods._sequences(training)
    own = groups == groups[0]
    scores = np.where(own[:, None], 9.0, training.scores)
    after = methods._sequences(replace(training, scores=scores, whole=training))
    np.testing.assert_allclose(after[own], before[own], rtol=1e-6)
    assert not np.allclose(after[~own], before[~own])


def test_the_network_gives_quantiles_of_every_element(samples):
    groups, _, _ = hold_out_groups(samples, n_splits=3)
    training = training_of(samples, np.arange(len(samples.coords)), groups)
    (predict,) = methods.network([training])
    told = predict(samples.coords[:5] + 1.0, training.covariates[:5])
    assert told.shape == (5, len(methods.LEVELS), 2)
    assert (np.diff(told, axis=1) >= 0).all()


def test_the_published_template_leaks(samples):
    folds = hold_out_groups(samples, n_splits=3)[1]
    table = published_template(samples, folds, n_splits=3).set_index("protocol")["r2"]
    leaky, unknown, clean = table
    assert leaky > 0.8
    assert unknown < 0.0
    assert clean < leaky - 0.3


def test_methods_that_would_be_kriging_are_left_out():
    every = tuple(methods.METHODS)
    one = methods.applicable(every, n_elements=1, n_covariates=0)
    assert set(every) - set(one) == {"cokriging", "regression_kriging"}
    assert methods.applicable(every, n_elements=2, n_covariates=1) == list(every)


@pytest.mark.parametrize("is_grouped", [True, False])
def test_the_network_reads_drill_holes_held_out_or_not(is_grouped):
    made = simulate_tailings("dump", n_samples=150, random_state=1)
    drilled = read_samples({"table": made.table, "elements": ["Cu"]})
    groups = drilled.holes if is_grouped else None
    training = training_of(drilled, np.arange(len(drilled.coords)), groups)
    (predict,) = methods.network([training])
    assert np.isfinite(predict(drilled.coords[:4] + 1.0, training.covariates[:4])).all()


def test_layers_are_stretched_until_upright_and_flat_are_alike():
    made = simulate_tailings("dump", n_samples=150, random_state=1)
    drilled = read_samples({"table": made.table, "elements": ["Cu"]})
    training = training_of(drilled, np.arange(len(drilled.coords)), drilled.holes)
    ranges = training.models()[0].structures[0].ranges
    moved = training.stretched(np.diag([1.0, 1.0, 1.0]))
    np.testing.assert_allclose(np.diag(moved), [1.0, 1.0, ranges[0] / ranges[2]])
    inner = replace(training, whole=training, coords=training.coords[:40])
    np.testing.assert_array_equal(inner.stretch, training.stretch)


def test_directions_count_in_the_plane_where_they_clearly_fit_better():
    grid = simulate_roughness((100, 100), azimuth=30.0, random_state=2)
    table = grid["V"].to_dataframe().reset_index().sample(300, random_state=0)
    samples = read_samples({"table": table, "elements": ["V"]})
    training = training_of(samples, np.arange(300), None)
    structure = training.models()[0].structures[0]
    assert structure.ranges[0] > 1.3 * structure.ranges[1]
    along = np.array(
        [[np.sin(np.deg2rad(structure.angles[0])), np.cos(np.deg2rad(structure.angles[0]))]]
    )
    np.testing.assert_allclose(np.linalg.norm(training.stretched(along)), 1.0)
    noise = training_of(
        replace(samples, values=samples.values.sample(frac=1.0, random_state=0).reset_index(drop=True)),
        np.arange(300), None,
    )  # fmt: skip
    np.testing.assert_array_equal(noise.stretch, np.eye(2))


def test_fits_tell_how_far_they_are(samples, tmp_path):
    told = []

    class Bar:
        def __call__(self, line): ...

        def share(self, done, total):
            told.append(done / total)

    groups, folds, _ = hold_out_groups(samples, n_splits=2)
    hold_out(
        samples, folds, groups=groups, names=["kriging"], n_inner_splits=2,
        folder=RunFolder(tmp_path / "run"), key={"protocol": "blocks"}, progress=Bar(),
    )  # fmt: skip
    # Two folds and two inner folds of each are six fits in four fifths of the step, then two tests.
    np.testing.assert_allclose(told, [*(0.8 * np.arange(1, 7) / 6), 0.9, 1.0])


def test_the_published_template_tells_its_share_of_three_tests(monkeypatch, samples):
    from gossan.studies.tailings import published

    def quick(samples, folds, *, share, **_):
        share(1, 2)
        share(2, 2)
        return samples.values.to_numpy()

    told = []
    monkeypatch.setattr(published, "_held_out", quick)
    _, folds, _ = hold_out_groups(samples, n_splits=2)
    published_template(samples, folds, share=lambda done, total: told.append((done, total)))
    assert told == [(1, 6), (2, 6), (3, 6), (4, 6), (5, 6), (6, 6)]
