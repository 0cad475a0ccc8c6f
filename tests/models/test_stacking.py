"""Transfer by stacking: a source of the same type helps, one of another does not harm."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from gossan.models import BackgroundEnsemble, PointLogistic, StackedTransfer, WindowStatistics
from gossan.simulate import simulate_region

N_CHANNELS = 12
SAME, OTHER = np.arange(6), np.arange(6, 12)  # elements that tell the one type, and the other


def district(seed, elements, n=3000):
    """Return a table and where ore is: some elements together, none of them alone."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, N_CHANNELS))
    is_ore = X[:, elements].sum(axis=1) + rng.normal(size=n) > 4.5
    return X, is_ore


@pytest.fixture(scope="module")
def sources():
    return {
        kind: PointLogistic(C=1.0).fit(*district(seed, elements))
        for seed, (kind, elements) in enumerate([("same", SAME), ("other", OTHER)], start=50)
    }


def local_rows(seed, n_ore=8):
    """Return rows of few occurrences and some background, and those to be tested on."""
    X, is_ore = district(seed, SAME)
    few = np.flatnonzero(is_ore)[:n_ore]
    rows = np.append(few, np.flatnonzero(~is_ore)[:300])
    rest = np.setdiff1d(np.arange(len(X)), rows)
    return (X[rows], is_ore[rows]), (X[rest], is_ore[rest])


def stacked(source, **more):
    settings = {"field": 1, "statistics": ["centre"], "random_state": 0} | more
    return StackedTransfer(source, **settings)


def auc(model, test):
    return roc_auc_score(test[1], model.predict_proba(test[0])[:, 1])


def test_a_source_of_the_same_type_gives_its_gain_and_one_of_another_costs_nothing(sources):
    found = []
    for seed in range(6):
        train, test = local_rows(seed)
        models = [stacked(sources[kind]).fit(*train) for kind in ("same", "other")]
        local = PointLogistic().fit(*train)
        found.append([auc(m, test) for m in (*models, local, sources["same"])])
    same, other, local, there = np.mean(found, axis=0)
    assert same > there - 0.01  # nearly all that the source knows
    assert same > local + 0.03
    assert other > local - 0.01


def test_trust_is_what_the_likelihood_of_rows_held_out_makes_it(sources):
    train, _ = local_rows(0, n_ore=15)
    same, other = (stacked(sources[kind]).fit(*train) for kind in ("same", "other"))
    assert same.trust_ >= 1.0
    assert other.coef_[-1] < 0.1 * same.coef_[-1]


def test_without_trust_it_is_the_local_regression(sources):
    train, test = local_rows(1)
    model, local = stacked(sources["same"], trust=0.0).fit(*train), PointLogistic().fit(*train)
    assert model.coef_[-1] == 0.0
    expected = local.decision_function(test[0])
    np.testing.assert_allclose(model.decision_function(test[0]), expected, atol=1e-6)


def test_what_the_source_calls_ore_is_never_made_barren(sources):
    X, is_ore = district(2, SAME)
    model = stacked(sources["same"], trust=10.0).fit(X[:400], ~is_ore[:400])
    assert model.coef_[-1] == 0.0


def test_the_source_stays_as_it_was_and_clones_keep_it(sources):
    before = sources["same"].coef_.copy()
    train, test = local_rows(3)
    model = stacked(sources["same"])
    assert clone(model).source is sources["same"]
    draws = BackgroundEnsemble(model, n_draws=2, random_state=0).fit(*train)
    assert all(each.source is sources["same"] for each in draws.estimators_)
    np.testing.assert_array_equal(sources["same"].coef_, before)
    assert auc(draws, test) > 0.8


def test_blocks_are_held_out_together(sources):
    train, _ = local_rows(4, n_ore=15)
    codes, blocks = train[1].astype(int), np.arange(len(train[1])) // 5
    folds = stacked(sources["same"])._folds(codes, blocks)
    assert all(len(set(folds[blocks == block])) == 1 for block in np.unique(blocks))
    with_ore = {int(folds[blocks == block][0]) for block in np.unique(blocks[codes == 1])}
    assert len(with_ore) == 3  # three blocks hold the ore: three folds test it


def test_what_will_not_do_is_told(sources):
    (X, y), _ = local_rows(5)
    with pytest.raises(ValueError, match="trust must be 'auto' or a number of 0 or more"):
        stacked(sources["same"], trust=-1.0).fit(X, y)
    with pytest.raises(ValueError, match="trust must be 'auto'"):
        stacked(sources["same"], trust="full").fit(X, y)
    with pytest.raises(ValueError, match="source has 12 channels"):
        stacked(sources["same"]).fit(X[:, :5], y)
    with pytest.raises(ValueError, match="not fitted"):
        stacked(PointLogistic()).fit(X, y)


# A simulated district and its sources


def layers_of(region):
    """Return the elements of a survey on its cells, as z-scores (elements, 48, 48)."""
    cells = region.settings.shape
    spacing = region.settings.spacing
    middles = (np.indices(cells).reshape(2, -1).T[:, ::-1] + 0.5) * spacing
    table = region.samples
    columns = [c for c in table if c.split("_")[0] in region.elements]
    tree = cKDTree(table[["easting", "northing"]].to_numpy())
    far, near = tree.query(middles, k=6)
    weight = 1.0 / (far + 0.2 * spacing) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    logs = np.log(table[columns].to_numpy(dtype=float))
    grid = np.einsum("nk,nkc->cn", weight, logs[near]).reshape(len(columns), *cells)
    center = np.median(grid, axis=(1, 2), keepdims=True)
    spread = 1.4826 * np.median(np.abs(grid - center), axis=(1, 2), keepdims=True)
    return np.clip((grid - center) / spread, -6, 6).astype(np.float32)


def cut(volume, places):
    padded = np.pad(volume, [(0, 0), (2, 2), (2, 2)], mode="reflect")
    views = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(1, 2))
    return views[:, places[:, 0], places[:, 1]].transpose(1, 0, 2, 3)


def places_of(region, which):
    points = region.occurrences.loc[which, ["northing", "easting"]].to_numpy()
    return np.floor(points / region.settings.spacing).astype(int)


def training(region, volume, rng):
    places = places_of(region, region.occurrences["is_known"])
    ground = rng.integers(0, volume.shape[1], size=(500, 2))
    return cut(volume, np.vstack([places, ground])), np.repeat([1, 0], [len(places), 500])


def test_a_simulated_source_of_the_same_type_helps_and_another_does_not_harm():
    rng = np.random.default_rng(0)
    settings = {"n_deposits": 60, "n_decoys": 60, "shape": (100, 100), "halo_factor": 1.5}
    region = simulate_region(n_known=6, random_state=4, **settings)
    here = layers_of(region)
    hidden = tuple(places_of(region, ~region.occurrences["is_known"]).T)
    X, y = training(region, here, rng)

    def capture(model):
        scores = model.score_map(here, edges="reflect")
        return np.mean([(scores < at).mean() for at in scores[hidden]])

    found = {"none": capture(WindowStatistics().fit(X, y))}
    for kind in ("same", "other"):
        there = region.source(kind)
        source = WindowStatistics(PointLogistic(C=1.0))
        source.fit(*training(there, layers_of(there), rng))
        found[kind] = capture(StackedTransfer(source, random_state=0).fit(X, y))
    assert found["same"] > found["none"] + 0.02
    assert found["other"] > found["none"] - 0.01
