"""The published networks of Mantilla-Dulcey et al. (2024): the same weights give the same numbers.

The files are not redistributable, so these tests skip where they are absent.
"""

import json

import numpy as np
import pytest
import torch
from scipy.special import expit, logit, softmax
from sklearn.svm import SVC

from gossan import datasets
from gossan.nets._forward import dense_outputs
from gossan.nets._pretext_network import MemberAutoencoder
from gossan.nets.pretext import PRESETS, PretextClassifier
from gossan.validation.curves import roc_by_ranks

NETWORKS = {
    "EXPERIMENT_I__from_scratch": "scratch",
    "EXPERIMENT_I__autoencoder_fine": "fde_ft",
    "EXPERIMENT_I__autoencoder_linear": "fde_lp",
    "EXPERIMENT_I__pretext_fine": "gcp_ft",
    "EXPERIMENT_I__pretext_linear": "gcp_lp",
    **{f"EXPERIMENT_III__autoencoder_fine_exp{k}": "fde_ft" for k in range(1, 9)},
}
PRINTED = [
    "EXPERIMENT_I__from_scratch",
    "EXPERIMENT_I__autoencoder_linear",
    "EXPERIMENT_I__pretext_fine",
    "EXPERIMENT_I__pretext_linear",
    "EXPERIMENT_III__autoencoder_fine_exp7",
    "EXPERIMENT_II__regresion_logistica",
]
PARTS = [("X_train", "out_train"), ("X_val", "out_val"), ("X_rand", "out_rand")]
AS_PRINTED = ("X_val_asprinted_PC5twice", "out_val_asprinted")


@pytest.fixture(scope="module")
def read():
    """Return a function that reads the arrays of a published model."""
    try:
        folder = datasets.find("yukon_conformance", download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))

    def arrays_of(name):
        with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
            return dict(file)

    return arrays_of


def layers_of(published):
    """Return weights (1, n_in, width) and biases (1, 1, width) of each layer."""
    count = sum(key.startswith("W") for key in published)
    return [(published[f"W{i}"][None], published[f"b{i}"][None, None]) for i in range(count)]


def named(layers):
    """Return the layers as our networks name them: hidden ones, and a head."""
    names = [f"linears.{i}" for i in range(len(layers) - 1)] + ["head"]
    return {
        f"{name}.{part}": array
        for name, layer in zip(names, layers, strict=True)
        for part, array in zip(("weight", "bias"), layer, strict=True)
    }


def classifier(published, preset):
    """Return our estimator with the published weights."""
    weights = {f"network.{name}": w for name, w in named(layers_of(published)).items()}
    settings = {
        "params": {"preset": preset},
        "names": [f"PC{i}" for i in range(1, 8)],
        "is_named": False,
        "classes": [0, 1],
        "n_reseeded_": 0,
        "n_dead_": 0,
        "offset_": 0.0,
    }
    rest = {"center_": np.zeros(7), "scale_": np.ones(7), "losses_": np.zeros((1, 1))}
    return PretextClassifier.from_arrays(settings, weights | rest)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_published_weights_give_the_published_outputs(read, name):
    published = read(name)
    model = classifier(published, NETWORKS[name])
    for rows, outputs in (*PARTS, AS_PRINTED):
        ours = model.predict_proba(published[rows])[:, 1]
        np.testing.assert_allclose(ours, published[outputs][:, 0], rtol=0, atol=1e-5)


def test_the_published_networks_have_the_published_number_of_weights(read):
    published = read("EXPERIMENT_I__from_scratch")
    n_weights = sum(w.size + b.size for w, b in layers_of(published))
    model = classifier(published, "scratch")
    assert sum(w.size for w in model.weights_.values()) == n_weights == 1703


def test_the_published_autoencoder_redraws_as_published(read):
    published = read("PRETRAINED_MODELS__modelo_encoder")
    shape = {"hidden": PRESETS["fde_ft"]["hidden"], "decoder": (4, 6, 8, 100)}
    network = MemberAutoencoder(1, 7, **shape, activation="relu", leaky=True)
    ours = [*network.linears, *network.decoder, network.head]
    with torch.no_grad():
        for layer, (weight, bias) in zip(ours, layers_of(published), strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
        for rows, outputs in (*PARTS, AS_PRINTED):
            x = torch.from_numpy(published[rows].astype(np.float32))[None]
            np.testing.assert_allclose(network(x)[0].numpy(), published[outputs], rtol=0, atol=1e-5)


def test_the_published_network_of_geological_classes_says_as_published(read):
    published = read("PRETRAINED_MODELS__modelo_pretext")
    weights = named(layers_of(published))
    for rows, outputs in (*PARTS, AS_PRINTED):
        said = dense_outputs(weights, published[rows].astype(np.float32), activation="relu")
        np.testing.assert_allclose(softmax(said[0], axis=1), published[outputs], rtol=0, atol=1e-5)


def test_the_published_logistic_regression_says_as_published(read):
    published = read("EXPERIMENT_II__regresion_logistica")
    weights = named(layers_of(published))
    for rows, outputs in (*PARTS, AS_PRINTED):
        said = dense_outputs(weights, published[rows].astype(np.float32), activation="relu")
        np.testing.assert_allclose(expit(said[0]), published[outputs], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", PRINTED)
def test_the_printed_figures_are_obtained_again(read, name):
    published = read(name)
    printed = json.loads(str(published["printed"]))
    said = dense_outputs(
        named(layers_of(published)), published["X_train"].astype(np.float32), activation="relu"
    )
    odds, truth = said[0, :, 0].astype(float), published["y_train"]
    chance = expit(odds)
    head = published[max(key for key in published if key.startswith("W"))]
    loss = np.mean(np.logaddexp(0.0, odds) - truth * odds)
    if "fine" in name or "linear" in name:
        loss += 0.01 * np.abs(head).sum() + 0.01 * np.square(head).sum()
    assert loss == pytest.approx(printed["loss"], abs=2e-5)
    is_ore = chance > 0.5
    table = [int(((truth == t) & (is_ore == p)).sum()) for t in (0, 1) for p in (False, True)]
    assert table == printed["cm"]
    assert (is_ore == truth).mean() == pytest.approx(printed["acc"], abs=1e-6)
    assert roc_by_ranks(chance, truth == 1)[2] == pytest.approx(printed["auc"], abs=1e-3)


def test_the_printed_thresholds_are_scores_of_the_published_network(read):
    thresholds, published = read("exp7_printed_thresholds"), read(PRINTED[4])
    model = classifier(published, "fde_ft")
    for kind, rows in (("train", "X_train"), ("val_asprinted", AS_PRINTED[0])):
        finite = thresholds[kind][np.isfinite(thresholds[kind]) & (thresholds[kind] <= 1.0)]
        ours = model.predict_proba(published[rows])[:, 1]
        away = np.abs(finite[:, None] - ours).min(axis=1)
        assert len(finite) > 10
        assert away.max() < 1e-5


def test_the_published_machine_says_as_published(read):
    published = read("EXPERIMENT_II__svm")
    model = SVC(C=10.0, gamma=float(published["gamma"])).fit(
        published["X_train"], published["y_train"]
    )
    np.testing.assert_allclose(
        model.decision_function(published["X_val"]), published["dec_val"], atol=5e-3
    )
    away = published["X_val"][:, None] - published["support_vectors"]
    kernel = np.exp(-published["gamma"] * (away**2).sum(axis=2))
    ours = kernel @ published["dual_coef"][0] + published["intercept"]
    np.testing.assert_allclose(ours, published["dec_val"], rtol=0, atol=1e-5)


def test_the_machine_beats_the_network_once_its_decision_values_are_ranked(read):
    machine, network = read("EXPERIMENT_II__svm"), read("EXPERIMENT_I__autoencoder_fine")
    truth = machine["y_val"] == 1
    assert roc_by_ranks(machine["dec_val"] > 0, truth)[2] == pytest.approx(0.775, abs=1e-6)
    assert roc_by_ranks(machine["dec_val"], truth)[2] == pytest.approx(0.9625, abs=1e-6)
    by_network = roc_by_ranks(logit(network["out_val"][:, 0]), truth)[2]
    assert by_network == pytest.approx(0.9275, abs=1e-6)
