import numpy as np
import pytest
import torch
from sklearn.base import clone

from gossan import saving
from gossan._checks import GossanWarning
from gossan.nets import PretextClassifier
from gossan.nets._layers import Draws
from gossan.nets._pretext_checks import PRESETS
from gossan.nets._pretext_network import MemberAutoencoder, PositiveUnlabelled, Redrawing
from gossan.nets._pretext_training import _stopping_rows

QUICK = {"epochs": 40, "pretext_epochs": 10, "n_members": 2, "random_state": 0}


@pytest.fixture(scope="module")
def world():
    """Return 60 rows with 12 of ore, blocks, and 300 rows of ground; ore is high in column 0."""
    rng = np.random.default_rng(0)
    ground = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    y = (np.arange(60) % 5 == 0).astype(int)
    X = ground[:60].copy()
    X[:, 0] += 4.0 * X[:, 0].std() * y
    return X, y, np.arange(60) // 4, ground


def ranks_ore(model, X, y):
    """Return the share of pairs of ore and barren that the model orders rightly."""
    ore = model.predict_proba(X)[:, 1]
    return (ore[y == 1][:, None] > ore[y == 0]).mean()


@pytest.mark.parametrize("pretext", ["masked", "autoencoder", "none"])
@pytest.mark.parametrize("loss", ["weighted", "plain", "focal", "pu"])
def test_every_task_and_loss_learns_a_planted_rule(world, pretext, loss):
    X, y, _, ground = world
    model = PretextClassifier(pretext=pretext, loss=loss, learning_rate=5e-3, **QUICK)
    assert ranks_ore(model.fit(X, y, background=ground), X, y) > 0.9


def test_a_probe_leaves_what_the_pretext_task_taught(world):
    X, y, _, ground = world
    probe = PretextClassifier(tune="probe", learning_rate=0.02, **QUICK).fit(
        X, y, background=ground
    )
    other = PretextClassifier(tune="probe", learning_rate=0.01, **QUICK).fit(
        X, 1 - y, background=ground
    )
    for name in ("linears.0.weight", "linears.1.bias"):
        np.testing.assert_array_equal(probe.weights_[name], other.weights_[name])
    assert np.abs(probe.weights_["head.weight"] - other.weights_["head.weight"]).max() > 0.01
    assert ranks_ore(probe, X, y) > 0.8


def test_classes_of_the_ground_can_be_the_pretext_task(world):
    X, y, _, ground = world
    kinds = np.where(ground[:, 0] > 0, "granite", "schist")
    model = PretextClassifier(pretext="classes", **QUICK)
    model.fit(X, y, background=ground, background_classes=kinds)
    assert ranks_ore(model, X, y) > 0.8
    with pytest.raises(ValueError, match="got no background_classes"):
        model.fit(X, y, background=ground)
    with pytest.raises(ValueError, match=r"got no background\. Pass both"):
        model.fit(X, y, background_classes=kinds)
    with pytest.raises(ValueError, match="2 classes or more, got only"):
        model.fit(X, y, background=ground, background_classes=["granite"] * 300)


@pytest.mark.parametrize("options", [{}, {"tune": "probe"}, {"patience": 5}])
@pytest.mark.parametrize("has_ground", [True, False])
def test_many_fits_equal_single_fits(world, options, has_ground):
    X, y, groups, ground = world
    model = PretextClassifier(**QUICK | {"epochs": 15}, **options)
    more = {"background": ground} if has_ground else {}
    members = [(np.arange(0, 50), 3), (np.arange(5, 60), 3), (np.arange(0, 45), 4)]
    together = model.fit_many(X, y, members, groups=groups, **more)
    for fitted, member in zip(together, members, strict=True):
        alone = model.fit_many(X, y, [member], groups=groups, **more)[0]
        for name, weights in alone.weights_.items():
            np.testing.assert_allclose(fitted.weights_[name], weights, atol=2e-4)
        np.testing.assert_allclose(fitted.predict_proba(X), alone.predict_proba(X), atol=1e-4)


def test_scaling_goes_by_the_ground_where_there_is_some(world):
    X, y, _, ground = world
    model = PretextClassifier(**QUICK | {"epochs": 1, "pretext_epochs": 1})
    np.testing.assert_allclose(model.fit(X, y, background=ground).center_, ground.mean(axis=0))
    np.testing.assert_allclose(model.fit(X, y).center_, X.mean(axis=0))
    assert (model.set_params(scaling="none").fit(X, y).scale_ == 1).all()


def test_probabilities_go_by_the_share_of_ore_or_by_equal_classes():
    rng = np.random.default_rng(0)
    y = (np.arange(400) % 8 == 0).astype(int)
    X = rng.normal(size=(400, 2))  # nothing to learn
    told = {"pretext": "none", "weight_decay": 1.0, "noise": 1.0}
    given = QUICK | told
    fair = PretextClassifier(odds="training", **given).fit(X, y)
    even = PretextClassifier(odds="balanced", **given).fit(X, y)
    assert fair.predict_proba(X)[:, 1].mean() == pytest.approx(0.125, abs=0.03)
    assert even.predict_proba(X)[:, 1].mean() == pytest.approx(0.5, abs=0.08)
    assert fair.offset_ == pytest.approx(np.log(50 / 350))


def test_early_stopping_holds_out_whole_groups_of_both_classes():
    groups = np.repeat(np.arange(20), 5)
    codes = (np.arange(100) % 10 == 0).astype(np.float32)
    for seed in range(5):
        stop = _stopping_rows(codes, groups, 0.2, seed)
        assert 15 <= stop.sum() <= 35
        assert 2 <= codes[stop].sum() <= 4
        assert {stop[groups == g].all() or not stop[groups == g].any() for g in range(20)} == {True}
    with pytest.raises(ValueError, match="leave both classes on both sides"):
        _stopping_rows(codes, np.zeros(100), 0.2, 0)


def test_early_stopping_ends_before_the_last_epoch(world):
    X, y, groups, ground = world
    rng = np.random.default_rng(1)
    model = PretextClassifier(patience=4, **QUICK | {"epochs": 200}, learning_rate=0.02)
    model.fit(rng.normal(size=X.shape), y, groups=groups, background=ground)
    assert np.isnan(model.losses_[:, -1]).all()


def test_dead_networks_are_trained_again_and_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = (X[:, 0] > 0).astype(int)
    narrow = {"hidden": (3, 1), "activation": "relu", "pretext": "none", "dropout": 0.0}
    model = PretextClassifier(**narrow, n_members=20, epochs=3, random_state=0)
    with pytest.warns(GossanWarning, match="networks had died"):
        model.fit(X, y)
    assert model.n_reseeded_ > 1
    spread = np.ptp(model.member_probabilities(X), axis=1)
    assert (spread < 1e-7).sum() == model.n_dead_ < model.n_reseeded_


def test_wide_smooth_networks_do_not_die(world):
    X, y, _, ground = world
    model = PretextClassifier(**QUICK).fit(X, y, background=ground)
    assert (model.n_reseeded_, model.n_dead_) == (0, 0)


@pytest.mark.filterwarnings("ignore::gossan._checks.GossanWarning")
@pytest.mark.parametrize("preset", ["fde_ft", "fde_lp", "scratch"])
def test_a_published_network_has_its_shape_and_no_scaling(world, monkeypatch, preset):
    X, y, _, _ = world
    fewer = PRESETS[preset] | {"epochs": 3, "pretext_epochs": 2}
    monkeypatch.setitem(PRESETS, preset, fewer)
    model = PretextClassifier(preset=preset, random_state=1).fit(X, y)
    shapes = [model.weights_[f"linears.{i}.weight"].shape[1:] for i in range(5)]
    assert shapes == [(4, 100), (100, 8), (8, 6), (6, 4), (4, 2)]
    assert (model.scale_ == 1).all()


def test_a_network_fitted_elsewhere_can_be_the_start(world, tmp_path):
    X, y, _, ground = world
    first = PretextClassifier(**QUICK).fit(X, y, background=ground)
    none = {"learning_rate": 1e-12, "weight_decay": 0.0}
    again = PretextClassifier(start=first, scaling="none", **QUICK | none).fit(X[:30], y[:30])
    np.testing.assert_allclose(
        again.weights_["linears.1.weight"], first.weights_["linears.1.weight"], atol=1e-9
    )
    np.testing.assert_array_equal(again.center_, first.center_)
    assert clone(again).start is first
    folder = saving.save_model(again, tmp_path / "model", card={"of": "a test"}, units="1")
    loaded, _ = saving.load_model(folder)
    np.testing.assert_array_equal(loaded.predict_proba(X), again.predict_proba(X))
    with pytest.raises(ValueError, match=r"start has hidden \(64, 64\), the new model \(8,\)"):
        PretextClassifier((8,), start=first, **QUICK).fit(X, y)
    with pytest.raises(ValueError, match="start has 4 features, X has 3"):
        PretextClassifier(start=first, **QUICK).fit(X[:, :3], y)


def test_a_saved_network_says_the_same(world, tmp_path):
    X, y, _, ground = world
    model = PretextClassifier(**QUICK).fit(X, y, background=ground)
    folder = saving.save_model(model, tmp_path / "model", card={"of": "a test"}, units="1")
    again, _ = saving.load_model(folder)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.offset_ == model.offset_


def test_masked_redrawing_counts_hidden_features_alone():
    values = torch.randn(1, 50, 4, generator=torch.Generator().manual_seed(0))
    task = Redrawing(values, torch.tensor([0]), mask=0.5, noise=0.0)
    seen = []

    def network(given, draws):
        seen.append(given)
        return given

    rows = torch.arange(50)[None]
    losses = task(network, torch.tensor([0]), rows, Draws([0]))
    is_hidden = seen[0] == 0
    assert 60 < is_hidden.sum() < 140
    expected = (values[0] ** 2 * is_hidden[0]).mean(1) / 0.5
    torch.testing.assert_close(losses[0], expected)


def test_the_autoencoder_learns_a_line():
    rng = np.random.default_rng(0)
    along = rng.uniform(-1, 1, size=(200, 1))
    X = along @ np.array([[1.0, -1.0, 0.5]])
    y = (along[:, 0] > 0).astype(int)
    longer = QUICK | {"pretext_epochs": 60, "pretext_learning_rate": 0.01, "learning_rate": 0.02}
    model = PretextClassifier((8, 2), pretext="autoencoder", **longer)
    assert ranks_ore(model.fit(X, y), X, y) > 0.95


def test_the_positive_unlabelled_risk_is_that_worked_by_hand():
    logits = torch.tensor([[2.0, -1.0, 0.0]])
    targets = torch.tensor([[[1.0], [0.0], [0.0]]])

    class Fixed(torch.nn.Module):
        def forward(self, x, draws):
            return x

    task = PositiveUnlabelled(lambda which, rows, draws: (logits[:, :, None], targets, None), 0.3)
    network, rows = Fixed().eval(), torch.arange(3)[None]
    losses = task(network, torch.tensor([0]), rows, Draws([0]))
    softplus = np.logaddexp(0.0, [2.0, -1.0, 0.0])
    missed = 0.3 * np.logaddexp(0.0, -2.0)
    false = softplus[1:].mean() - 0.3 * softplus[0]
    assert losses.shape == (1, 3)
    assert losses[0, 0].item() == pytest.approx(missed + max(false, 0.0), abs=1e-6)
    too_sure = PositiveUnlabelled(
        lambda which, rows, draws: (logits[:, :, None] * 5 - 3, targets, None), 0.9
    )
    network.train()
    softplus = np.logaddexp(0.0, np.array([10.0, -5.0, 0.0]) - 3)
    back = 0.9 * softplus[0] - softplus[1:].mean()
    assert back > 0
    assert too_sure(network, torch.tensor([0]), rows, Draws([0]))[0, 0].item() == pytest.approx(
        back, abs=1e-5
    )


def test_the_published_autoencoder_has_a_leaky_decoder():
    network = MemberAutoencoder(1, 3, hidden=(4, 2), decoder=(4,), activation="relu", leaky=True)
    with torch.no_grad():
        for layer in (*network.linears, *network.decoder, network.head):
            layer.weight.fill_(-1.0)
            layer.bias.fill_(1.0)
        out = network(torch.zeros(1, 1, 3))
    # Encoder: 1, then max(0, 1 - 4) = 0; decoder: 1, then leaky(1 - 4) = -0.9.
    torch.testing.assert_close(out, torch.full((1, 1, 3), -0.9))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"pretext": "mask"}, "Did you mean 'masked'"),
        ({"preset": "fde"}, "preset must be one of"),
        ({"pretext": "none", "tune": "probe"}, "freezes what a pretext task taught"),
        ({"n_members": 0}, "n_members must be at least 1, got 0"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), got 1.0"),
        ({"noise": -0.1}, "noise must be zero or more, got -0.1"),
        ({"prior": 0.0}, "prior must lie between 0 and 1, got 0.0"),
        ({"hidden": ()}, r"hidden must be widths above zero, got \(\)"),
    ],
)
def test_settings_that_make_no_sense_are_refused(world, settings, match):
    X, y, _, _ = world
    with pytest.raises(ValueError, match=match):
        PretextClassifier(**settings).fit(X, y)


def test_ground_that_does_not_suit_is_refused(world):
    X, y, _, ground = world
    model = PretextClassifier(**QUICK)
    with pytest.raises(ValueError, match=r"same 4 features, got shape \(300, 3\)"):
        model.fit(X, y, background=ground[:, :3])
    with pytest.raises(ValueError, match="background has 300 values that are missing"):
        model.fit(X, y, background=np.where([[1, 0, 0, 0]], np.nan, ground))
    with pytest.raises(ValueError, match=r"2 classes, got \[0\]"):
        model.fit(X, np.zeros(60, int), background=ground)
