"""BoostedTrees: the walked arrays are scikit-learn's trees."""

import numpy as np
import pytest

from gossan._weights import row_weights
from gossan.models import BoostedTrees, boosting
from gossan.saving import load_model, save_model


def twin(model, X, y, groups):
    """Scikit-learn's own classifier, grown alike."""
    weights = row_weights(y, groups)
    return model._grow(np.log10(X), np.unique(y, return_inverse=True)[1], weights)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_are_those_of_scikit_learn(plant, n_classes, monkeypatch):
    monkeypatch.setattr(boosting, "MOST_STEPS", 2000)  # several chunks
    world = plant(0, n_deposits=10, n_per_deposit=(3, 9))
    keep = world.y != "VMS" if n_classes == 2 else slice(None)
    X, y, groups = world.X[keep], world.y[keep], world.groups[keep]
    model = BoostedTrees(max_iter=25, random_state=1).fit(X, y, groups=groups)
    new = np.vstack([X, plant(9, n_deposits=9).X, X[:5] * 1e6])
    theirs = twin(model, X, y, groups).predict_proba(np.log10(new))
    np.testing.assert_allclose(model.predict_proba(new), theirs, rtol=0, atol=1e-12)


def test_values_at_a_threshold_go_the_same_way(plant):
    world = plant(0, n_deposits=6, n_per_deposit=(3, 9))
    model = BoostedTrees(max_iter=10, random_state=1).fit(world.X, world.y, groups=world.groups)
    edges = model.threshold_[model.left_ != np.arange(model.left_.shape[1])]
    X = 10.0 ** np.repeat(edges[:60, None], 3, axis=1)
    theirs = twin(model, world.X, world.y, world.groups).predict_proba(np.log10(X))
    np.testing.assert_allclose(model.predict_proba(X), theirs, rtol=0, atol=1e-12)


def test_no_seed_leaves_the_global_seed_alone(plant):
    world = plant(0, n_deposits=4)
    before = np.random.get_state()[1].copy()  # noqa: NPY002, the legacy state is what is guarded
    BoostedTrees(max_iter=2).fit(world.X, world.y)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_groups_change_the_weights(plant):
    world = plant(0, n_deposits=6)
    with_groups = BoostedTrees(max_iter=5, random_state=0).fit(
        world.X, world.y, groups=world.groups
    )
    without = BoostedTrees(max_iter=5, random_state=0).fit(world.X, world.y)
    assert np.abs(with_groups.predict_proba(world.X) - without.predict_proba(world.X)).max() > 1e-3


def test_wrong_arguments_are_told(plant):
    world = plant(0, n_deposits=4)
    with pytest.raises(ValueError, match="weights must be one of"):
        BoostedTrees(weights="klass").fit(world.X, world.y)
    with pytest.raises(ValueError, match="learning_rate"):
        BoostedTrees(learning_rate=-1.0).fit(world.X, world.y)
    rng = np.random.default_rng(0)
    X, y = 10.0 ** rng.normal(size=(3000, 4)), rng.integers(0, 2, 3000)
    settings = {"max_leaf_nodes": 400, "min_samples_leaf": 1, "max_bins": 255}
    model = BoostedTrees(max_iter=1, l2_regularization=0.0, **settings)
    with pytest.raises(ValueError, match="limit of 509 nodes"):
        model.fit(X, y)


def test_without_logarithm_any_numbers_are_taken_and_the_trees_are_the_same(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = (X[:, 0] > 0.5).astype(int)
    plain = BoostedTrees(max_iter=10, transform="none", random_state=0).fit(X, y)
    logged = BoostedTrees(max_iter=10, random_state=0).fit(10.0**X, y)
    np.testing.assert_allclose(plain.predict_proba(X), logged.predict_proba(10.0**X), atol=1e-9)
    back, _ = load_model(save_model(plain, tmp_path / "model", card={}, units="z"))
    np.testing.assert_array_equal(back.predict_proba(X), plain.predict_proba(X))
    with pytest.raises(ValueError, match="transform must be one of log10, none"):
        BoostedTrees(transform="log").fit(X, y)
    with pytest.raises(ValueError, match="must be positive"):
        BoostedTrees().fit(X, y)


def test_a_model_saved_before_there_was_a_choice_takes_the_logarithm(tmp_path):
    rng = np.random.default_rng(0)
    X = 10.0 ** rng.normal(size=(80, 2))
    model = BoostedTrees(max_iter=5, random_state=0).fit(X, X[:, 0] > 1)
    settings, arrays = model.to_arrays()
    del settings["params"]["transform"]
    old = BoostedTrees.from_arrays(settings, dict(arrays))
    np.testing.assert_array_equal(old.predict_proba(X), model.predict_proba(X))
