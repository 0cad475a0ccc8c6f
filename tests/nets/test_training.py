import numpy as np
import pytest
import threadpoolctl
import torch
from torch import nn

from gossan.nets import _epochs, _training
from gossan.nets._epochs import AutogradEpochs, CompiledEpochs, CrossEntropy
from gossan.nets._layers import Draws, MemberDense, initialise
from gossan.nets._training import Member, Recipe, predict_members, train_members

N, N_IN, CLASSES = 300, 6, 3


@pytest.fixture(scope="module")
def table():
    """Return inputs (n, 6) and one-hot targets (n, 3) of three overlapping clouds."""
    rng = np.random.default_rng(0)
    codes = rng.integers(CLASSES, size=N)
    X = rng.normal(size=(N, N_IN)) + 0.8 * rng.normal(size=(CLASSES, N_IN))[codes]
    return torch.from_numpy(X.astype(np.float32)), torch.eye(CLASSES)[codes]


@pytest.fixture
def objective(table):
    return CrossEntropy(plain_examples(table))


def plain_examples(table, weights=None):
    X, targets = table
    return lambda which, rows, draws: (
        X[rows],
        targets[rows],
        None if weights is None else weights[rows],
    )


def uncompiled(objective):
    """Return the same objective in a form that only autograd can train."""
    return objective.__call__


def builder(**options):
    settings = {"hidden": (16, 8), "dropout": 0.1, "batch_norm": True, **options}
    return lambda which: MemberDense(len(which), N_IN, CLASSES, **settings)


def folds(count, *, stop=False, weighted=False):
    """Return members that leave out different numbers of rows, two seeds each."""
    members = []
    for i in range(count):
        train = np.setdiff1d(np.arange(N), np.arange(i * 17, i * 17 + 5 + 11 * i))
        share = np.random.default_rng(i).uniform(size=len(train)) if weighted else None
        held_out = np.arange(i * 17, i * 17 + 5 + 3 * i) if stop else None
        members += [Member(train, seed, held_out, share) for seed in (i, 100)]
    return members


def assert_same(ours, theirs, *, atol=2e-5):
    """Compare all that two trainings returned."""
    assert ours.weights.keys() == theirs.weights.keys()
    for name, value in ours.weights.items():
        torch.testing.assert_close(value, theirs.weights[name], rtol=0, atol=atol, msg=name)
    np.testing.assert_allclose(ours.losses, theirs.losses, atol=atol)
    if ours.stopping_losses is not None:
        np.testing.assert_allclose(ours.stopping_losses, theirs.stopping_losses, atol=atol)


def members_of(trained, which):
    """Return a part of the members of a training."""
    weights = {name: value[which] for name, value in trained.weights.items()}
    stopping = trained.stopping_losses
    return _training.Trained(
        weights, trained.losses[which], None if stopping is None else stopping[which]
    )


OPTIONS = [
    {"activation": "tanh"},
    {"activation": "relu", "batch_norm": False},
    {"activation": "silu", "dropout": 0.0},
    {"activation": "silu", "batch_norm": False, "dropout": 0.0, "hidden": (12,)},
    {"activation": "tanh", "hidden": ()},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_compiled_training_equals_autograd(table, options, weight_decay):
    weights = torch.rand(N, generator=torch.Generator().manual_seed(0))
    objective = CrossEntropy(plain_examples(table, weights))
    recipe = Recipe(epochs=3, batch_size=25, weight_decay=weight_decay, schedule="cosine")
    build, members = builder(**options), folds(2)
    assert CompiledEpochs.fits(build([0]), objective)
    ours = train_members(build, objective, members=members, recipe=recipe)
    theirs = train_members(build, uncompiled(objective), members=members, recipe=recipe)
    assert_same(ours, theirs)


@pytest.mark.parametrize("focus", [0.0, 2.0])
@pytest.mark.parametrize("penalty", [0.0, 0.05])
def test_compiled_training_of_one_output_equals_autograd(table, focus, penalty):
    X, targets = table

    def examples(which, rows, draws):
        return X[rows], 0.9 * targets[rows, :1] + 0.05, 1.0 + targets[rows, 1]

    objective = CrossEntropy(examples, focus=focus, head_l1=penalty, head_l2=2 * penalty)
    recipe = Recipe(epochs=3, batch_size=25, epsilon=1e-7)

    def build(which):
        return MemberDense(len(which), N_IN, 1, hidden=(16, 8), dropout=0.1)

    assert CompiledEpochs.fits(build([0]), objective)
    ours = train_members(build, objective, members=folds(2), recipe=recipe)
    theirs = train_members(build, uncompiled(objective), members=folds(2), recipe=recipe)
    assert_same(ours, theirs)


def test_one_output_is_a_logistic_network_and_focus_spares_easy_rows():
    logits, truth = torch.tensor([[-2.0, 0.5, 3.0]]), torch.tensor([[0.0, 1.0, 1.0]])
    plain = nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    torch.testing.assert_close(_epochs.binary_losses(logits, truth), plain)
    wrong = torch.sigmoid(logits) * (1 - truth) + torch.sigmoid(-logits) * truth
    torch.testing.assert_close(_epochs.binary_losses(logits, truth, 2.0), wrong**2 * plain)


def test_compiled_training_equals_autograd_with_soft_targets(table, monkeypatch):
    monkeypatch.setattr(_epochs, "STEPS_AT_ONCE", 4)
    X, targets = table

    def mixed(which, rows, draws):
        return 0.5 * (X[rows] + X[(rows + 1) % N]), 0.7 * targets[rows] + 0.1, None

    objective, recipe = CrossEntropy(mixed), Recipe(epochs=2)
    given = {"members": folds(1), "recipe": recipe}
    ours = train_members(builder(), objective, **given)
    assert_same(ours, train_members(builder(), uncompiled(objective), **given))


def test_members_that_the_kernels_do_not_know_are_trained_by_autograd(objective):
    network = builder(activation="gelu")([0])
    assert not CompiledEpochs.fits(network, objective)
    assert not CompiledEpochs.fits(builder()([0]), uncompiled(objective))
    trained = train_members(
        builder(activation="gelu"),
        objective,
        members=folds(1),
        recipe=Recipe(epochs=5, learning_rate=1e-2),
    )
    assert trained.losses[:, -1].max() < trained.losses[:, 0].min()


@pytest.mark.parametrize("way", ["compiled", "autograd"])
@pytest.mark.parametrize("kind", ["shuffled", "weighted", "stopping"])
def test_members_trained_together_equal_members_trained_alone(objective, way, kind):
    objective = objective if way == "compiled" else uncompiled(objective)
    members = folds(3, stop=kind == "stopping", weighted=kind == "weighted")
    patience = 2 if kind == "stopping" else None
    recipe = Recipe(epochs=6, learning_rate=1e-2, patience=patience)
    together = train_members(builder(), objective, members=members, recipe=recipe)
    for i in (0, 3, 5):
        # The objective is told the member's number in the call, which it does not use here.
        alone = train_members(builder(), objective, members=[members[i]], recipe=recipe)
        assert_same(alone, members_of(together, [i]))


@pytest.mark.parametrize("way", ["compiled", "autograd"])
def test_result_does_not_depend_on_chunks_or_threads(objective, way, monkeypatch):
    objective = objective if way == "compiled" else uncompiled(objective)
    given = {"members": folds(3), "recipe": Recipe(epochs=3)}
    one = train_members(builder(), objective, n_threads=1, **given)
    assert_same(one, train_members(builder(), objective, n_threads=3, **given))
    monkeypatch.setattr(_training, "LARGEST_CHUNK", 1)
    assert_same(one, train_members(builder(), objective, n_threads=2, **given))


def test_same_seed_gives_the_same_weights_and_another_seed_others(objective):
    members = [Member(np.arange(N), 5), Member(np.arange(N), 5), Member(np.arange(N), 6)]
    runs = [
        train_members(builder(), objective, members=members, recipe=Recipe(epochs=2))
        for _ in range(2)
    ]
    for name, value in runs[0].weights.items():
        assert torch.equal(value, runs[1].weights[name]), name
        assert torch.equal(value[0], value[1]), name
        assert not torch.equal(value[0], value[2]), name


@pytest.mark.parametrize("way", [CompiledEpochs, AutogradEpochs])
def test_training_equals_a_plain_loop_of_torch(table, objective, way):
    network = builder(dropout=0.0)([0])
    draws = Draws([3])
    initialise(network, draws)
    plain = copied(network)
    optimiser = torch.optim.Adam(plain.parameters(), lr=1e-2)
    rows = np.random.default_rng(0).integers(N, size=(1, 20, 32))
    for batch in rows[0]:
        optimiser.zero_grad()
        X, codes = table[0][batch], table[1][batch].argmax(1)
        nn.functional.cross_entropy(plain(X), codes).backward()
        optimiser.step()
    way(network, objective, torch.tensor([0]), draws, weight_decay=0.0).train(rows, 1e-2)
    linears = [layer for layer in plain if isinstance(layer, nn.Linear)]
    for ours, theirs in zip([*network.linears, network.head], linears, strict=True):
        torch.testing.assert_close(ours.weight[0].T, theirs.weight, rtol=0, atol=2e-4)
        torch.testing.assert_close(ours.bias[0, 0], theirs.bias, rtol=0, atol=2e-4)
    norms = [layer for layer in plain if isinstance(layer, nn.BatchNorm1d)]
    for ours, theirs in zip(network.norms, norms, strict=True):
        torch.testing.assert_close(ours.mean[0, 0], theirs.running_mean, rtol=0, atol=2e-4)
        # torch keeps the unbiased variance of a batch, we (as Keras) the plain one
        start = 0.99**20
        unbiased = start + (ours.variance[0, 0] - start) * 32 / 31
        torch.testing.assert_close(unbiased, theirs.running_var, rtol=0, atol=2e-4)


def copied(network):
    """Return the only member of a tanh network with batch norm, in torch's own layers."""
    layers = []
    for ours in network.linears:
        n_in, width = ours.weight.shape[1:]
        layers += [nn.Linear(n_in, width), nn.Tanh()]
        layers.append(nn.BatchNorm1d(width, eps=1e-3, momentum=0.01))
    layers.append(nn.Linear(*network.head.weight.shape[1:]))
    linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
    for ours, theirs in zip([*network.linears, network.head], linears, strict=True):
        theirs.weight.data = ours.weight[0].detach().T.clone()
        theirs.bias.data = ours.bias[0, 0].detach().clone()
    return nn.Sequential(*layers)


@pytest.mark.parametrize("way", ["compiled", "autograd"])
def test_training_learns_a_planted_rule(way):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, N_IN)).astype(np.float32)
    codes = (X[:, 0] * X[:, 1] > 0).astype(int)  # no line separates this
    objective = CrossEntropy(plain_examples((torch.from_numpy(X), torch.eye(2)[codes])))
    objective = objective if way == "compiled" else uncompiled(objective)
    build = lambda which: MemberDense(len(which), N_IN, 2, hidden=(32, 32))  # noqa: E731
    recipe = Recipe(epochs=40, learning_rate=1e-2)
    members = [Member(np.arange(300), seed) for seed in range(2)]
    trained = train_members(build, objective, members=members, recipe=recipe)
    network = build([0, 1])
    network.load_state_dict(trained.weights)
    right = predict_members(network, X[300:]).argmax(2) == codes[300:]
    assert right.mean(axis=1).min() > 0.85


def test_prediction_by_blocks_equals_prediction_at_once(table):
    network = builder()([0, 1])
    initialise(network, Draws([0, 1]))
    X = table[0].numpy()
    at_once = predict_members(network, X)
    assert at_once.shape == (2, N, CLASSES)
    np.testing.assert_allclose(predict_members(network, X, batch_rows=7), at_once, atol=1e-6)


@pytest.mark.parametrize("way", ["compiled", "autograd"])
def test_early_stopping_restores_the_best_weights(table, objective, way):
    members, recipe = folds(3, stop=True), Recipe(epochs=60, learning_rate=3e-2, patience=4)
    given = objective if way == "compiled" else uncompiled(objective)
    trained = train_members(builder(), given, members=members, recipe=recipe)
    network = builder()([0] * len(members))
    network.load_state_dict(trained.weights)
    outputs = torch.from_numpy(predict_members(network, table[0].numpy()))
    for i, member in enumerate(members):
        told = trained.stopping_losses[i]
        best = np.nanargmin(told)
        rows = member.stop
        loss = nn.functional.cross_entropy(outputs[i, rows], table[1][rows])
        assert loss.item() == pytest.approx(told[best], abs=1e-5)
        assert np.isfinite(told).sum() == min(best + recipe.patience + 1, recipe.epochs)
        assert (np.isnan(told) == np.isnan(trained.losses[i])).all()
    assert np.isnan(trained.losses).any(), "no member stopped: the test shows nothing"


def test_patience_without_stopping_rows_is_refused(objective):
    with pytest.raises(ValueError, match="Early stopping needs stopping rows in every member"):
        train_members(builder(), objective, members=folds(1), recipe=Recipe(epochs=1, patience=1))


@pytest.mark.parametrize("patience", [None, 1])
def test_progress_counts_to_its_total(objective, patience):
    told = []
    recipe = Recipe(epochs=30, learning_rate=0.1, patience=patience)
    train_members(
        builder(),
        objective,
        members=folds(3, stop=True),
        recipe=recipe,
        progress=lambda *count: told.append(count),
    )
    done, totals = zip(*told, strict=True)
    assert set(totals) == {6 * 30}
    assert list(done) == sorted(done)
    assert done[-1] == 6 * 30


def test_global_random_state_and_threads_stay_as_they_were(objective):
    np_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    threads, libraries = torch.get_num_threads(), blas_threads()
    for given in (objective, uncompiled(objective)):
        train_members(builder(), given, members=folds(2), recipe=Recipe(epochs=1))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == np_state).all()  # noqa: NPY002
    assert torch.get_num_threads() == threads
    assert blas_threads() == libraries


def blas_threads():
    return [(each["filepath"], each["num_threads"]) for each in threadpoolctl.threadpool_info()]


def test_an_error_in_the_objective_reaches_the_caller(table):
    def broken(which, rows, draws):
        raise KeyError("no such rows")

    with pytest.raises(KeyError, match="no such rows"):
        train_members(builder(), CrossEntropy(broken), members=folds(2), recipe=Recipe(epochs=1))


def test_a_lost_value_shows_as_nan_and_stays_in_its_member(table):
    X = table[0].clone()
    X[0, 0] = torch.nan
    objective = CrossEntropy(plain_examples((X, table[1])))
    members = [
        Member(np.arange(N), 0),
        Member(np.arange(1, N + 1) % N, 0),
        Member(np.arange(9, N), 0),
    ]
    trained = train_members(builder(), objective, members=members, recipe=Recipe(epochs=2))
    assert np.isnan(trained.losses[:, -1]).tolist() == [True, True, False]


def test_frozen_weights_stay_and_the_others_learn(objective):
    def build(which):
        network = builder()(which)
        network.linears[0].weight.requires_grad_(False)
        return network

    members = folds(1)
    trained = train_members(build, objective, members=members, recipe=Recipe(epochs=2))
    first = build([0, 1])
    initialise(first, Draws([member.seed for member in members]))
    start = first.state_dict()
    assert torch.equal(trained.weights["linears.0.weight"], start["linears.0.weight"])
    for name in ("linears.0.bias", "linears.1.weight", "head.weight"):
        assert not torch.equal(trained.weights[name], start[name]), name


def test_an_epoch_shows_every_row_about_once():
    member, recipe = Member(np.arange(70), 0), Recipe(batch_size=32)
    stream = _training._RowStream(member, recipe)
    epochs = [stream.epoch() for _ in range(35)]
    assert epochs[0].shape == (3, 32)
    counts = np.bincount(np.concatenate(epochs).ravel(), minlength=70)
    assert counts.sum() == 35 * 96
    assert set(counts) == {48}  # 3,360 = 48 x 70


def test_weighted_rows_are_drawn_in_proportion():
    member = Member(np.array([4, 9]), 0, weights=np.array([3.0, 1.0]))
    stream = _training._RowStream(member, Recipe(batch_size=4000))
    assert (stream.epoch() == 4).mean() == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize(
    ("schedule", "epoch", "share"),
    [
        ("constant", 99, 1.0),
        ("cosine", 0, 1.0),
        ("cosine", 50, 0.5),
        ("cosine", 100, 0.0),
        ("steps", 4, 1.0),
        ("steps", 5, 0.9),
        ("steps", 14, 0.81),
    ],
)
def test_learning_rate_schedules(schedule, epoch, share):
    recipe = Recipe(epochs=100, learning_rate=0.02, schedule=schedule)
    assert recipe.rate(epoch) == pytest.approx(0.02 * share, abs=1e-12)
