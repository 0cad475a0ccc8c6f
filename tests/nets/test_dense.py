"""The dense classifier: the numpy answer equals torch's, members are independent, truth is found."""

import numpy as np
import pytest
import torch

from gossan.nets import DenseClassifier
from gossan.nets._forward import ACTIVATIONS, dense_outputs, dense_shapes
from gossan.nets._layers import Draws, MemberDense, initialise
from gossan.nets.dense import PRESETS
from gossan.simulate import simulate_mineral_chemistry


@pytest.fixture(scope="module")
def table():
    simulated = simulate_mineral_chemistry(n_deposits=40, n_per_deposit=(5, 12), random_state=0)
    frame = simulated.table
    X = frame[list(simulated.elements)].to_numpy(dtype=float)
    return X, frame["type"].to_numpy(dtype=str), frame["deposit"].to_numpy(dtype=str)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_answer_without_torch_equals_that_of_the_trained_network(activation, batch_norm):
    network = MemberDense(3, 4, 2, hidden=(6, 5), activation=activation, batch_norm=batch_norm)
    draws = Draws([1, 2, 3])
    initialise(network, draws)
    x = draws.normal(50, 4)
    network.train()
    network(x, draws)  # gives batch norm running statistics worth testing
    network.eval()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    shapes = dense_shapes(4, 2, n_members=3, hidden=(6, 5), batch_norm=batch_norm)
    assert {name: value.shape for name, value in weights.items()} == shapes
    rows = x[0]
    with torch.no_grad():
        expected = network(rows.expand(3, *rows.shape)).numpy()
    np.testing.assert_allclose(
        dense_outputs(weights, rows.numpy(), activation=activation), expected, atol=2e-6
    )


def test_the_published_preset_has_the_published_number_of_parameters():
    published = PRESETS["gul2025"]
    shapes = dense_shapes(
        12, 5, n_members=1, hidden=published["hidden"], batch_norm=published["batch_norm"]
    )
    assert sum(np.prod(shape) for shape in shapes.values()) == 124_187


def test_many_fits_equal_single_fits(table):
    X, y, groups = table
    half = np.flatnonzero(np.arange(len(y)) % 2)
    model = DenseClassifier(hidden=(16,), epochs=3, n_members=2)
    many = model.fit_many(X, y, [(half, 5), (np.arange(len(y)), 6)], groups=groups)
    alone = model.fit_many(X[half], y[half], [(np.arange(len(half)), 5)], groups=groups[half])[0]
    np.testing.assert_allclose(many[0].predict_proba(X), alone.predict_proba(X), atol=1e-5)
    assert not np.allclose(many[0].predict_proba(X), many[1].predict_proba(X))


def test_it_tells_simulated_types_of_held_out_deposits_far_better_than_chance(table):
    X, y, groups = table
    names = np.unique(groups)
    held_out = np.isin(groups, names[::4])
    model = DenseClassifier(random_state=0, epochs=30).fit(
        X[~held_out], y[~held_out], groups=groups[~held_out]
    )
    right = (model.predict(X[held_out]) == y[held_out]).mean()
    assert right > 0.6 > 2 * np.unique(y, return_counts=True)[1].max() / len(y) - 0.2


def test_weights_by_group_make_a_large_deposit_count_once():
    rng = np.random.default_rng(0)
    X = np.exp(np.concatenate([rng.normal(0, 0.3, (400, 2)), rng.normal(1, 0.3, (40, 2))]))
    y = np.array(["A"] * 200 + ["B"] * 200 + ["B"] * 40)
    groups = np.array(["big A"] * 200 + ["big B"] * 200 + [f"small {i}" for i in range(40)])
    shares = [
        DenseClassifier(weights=weights, epochs=20, random_state=0)
        .fit(X, y, groups=groups)
        .predict_proba([[1.0, 1.0]])[0, 1]
        for weights in ("none", "class_group")
    ]
    assert shares[1] < shares[0] - 0.1


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"activation": "tangent"}, "activation must be one of"),
        ({"transform": "logg"}, "transform must be one of.*'log'"),
        ({"preset": "gul2024"}, "preset must be one of gul2025.*'gul2025'"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\)"),
        ({"weights": "deposit"}, "weights must be one of"),
    ],
)
def test_settings_that_make_no_sense_are_refused(table, settings, match):
    X, y, groups = table
    with pytest.raises(ValueError, match=match):
        DenseClassifier(**settings).fit(X, y, groups=groups)


def test_values_below_detection_must_be_imputed_first(table):
    X, y, _ = table
    broken = X.copy()
    broken[7, 2] = 0.0
    with pytest.raises(ValueError, match=r"got 0 at row 7, column 2.*Impute"):
        DenseClassifier().fit(broken, y)


def test_one_class_is_refused(table):
    X, _, _ = table
    with pytest.raises(ValueError, match=r"at least 2 classes, got only \['MVT'\]"):
        DenseClassifier().fit(X, ["MVT"] * len(X))
