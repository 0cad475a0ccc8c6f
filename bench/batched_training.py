"""Speed of training all folds at once, against a plain loop over the folds in PyTorch.

The published network (12-400-200-150-32-16-5, tanh, batch norm, dropout 0.1, Adam 1e-4, batches of
32, 100 epochs) is trained for every held-out deposit of the sphalerite table and every seed. Ours
trains all members for a fifth of the epochs, and its time is multiplied by five; the plain loops
run some epochs before and after ours, and the fastest of them (other work on the machine slows a
plain loop most) is multiplied by the members and epochs. Two plain loops are timed: the usual one
with a DataLoader, and the leanest that we could write, which indexes tensors. Held-out scores of
both are compared on some deposits.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from _table import Options, parse_options, report
from gossan.datasets import load_sphalerite
from gossan.nets._layers import Draws, MemberDense
from gossan.nets._training import CrossEntropy, Member, Recipe, predict_members, train_members

HIDDEN = (400, 200, 150, 32, 16)
BATCH, RATE = 32, 1e-4
EPOCHS, OUR_EPOCHS = 100, 20  # of the claim, and of those timed
PLAIN_EPOCHS = 12  # of each loop, one on each of as many folds, before and after ours

Batches = Iterator[tuple[Tensor, Tensor]]


class Folds:
    """The sphalerite table, and the members that each leave one deposit out, scaled per fold."""

    def __init__(self) -> None:
        assays = load_sphalerite()
        values = assays.values.to_numpy(dtype=np.float32, copy=True)
        self.classes, self.codes = np.unique(assays.sites["type"], return_inverse=True)
        self.deposits = assays.sites["deposit"].to_numpy()
        self.names, counts = np.unique(self.deposits, return_counts=True)
        # Held out for the scores: deposits with enough analyses to score, evenly by size.
        self.large = self.names[np.argsort(-counts, kind="stable")][: (counts >= 20).sum()]
        self.values = torch.from_numpy(values)
        self.targets = torch.eye(len(self.classes))[self.codes]

    def train(self, name: str) -> NDArray[np.intp]:
        """Return the rows of all other deposits."""
        return np.flatnonzero(self.deposits != name)

    def test(self, name: str) -> NDArray[np.intp]:
        """Return the rows of the deposit."""
        return np.flatnonzero(self.deposits == name)

    def scaled(self, name: str) -> Tensor:
        """Return all rows, scaled to [0, 1] by the rows of the fold, as published."""
        train = self.values[self.train(name)]
        low, high = train.min(0).values, train.max(0).values
        return (self.values - low) / (high - low)


def train_ours(folds: Folds, names: list[str], seeds: list[int], epochs: int) -> dict[str, Tensor]:
    """Train a member for each name and seed (seeds of a fold side by side); return the weights."""
    scaled = torch.stack([folds.scaled(name) for name in dict.fromkeys(names)])
    fold_of = torch.arange(len(scaled)).repeat_interleave(len(seeds))

    def examples(
        which: Tensor,
        rows: Tensor,
        draws: Draws | None,  # noqa: ARG001 - nothing is mixed
    ) -> tuple[Tensor, Tensor, None]:
        return scaled[fold_of[which][:, None], rows], folds.targets[rows], None

    members = [Member(folds.train(name), seed) for name in names for seed in seeds]
    recipe = Recipe(epochs=epochs, batch_size=BATCH, learning_rate=RATE)
    objective = CrossEntropy(examples)
    return train_members(our_network, objective, members=members, recipe=recipe).weights


def our_network(which: object) -> MemberDense:
    return MemberDense(len(which), 12, 5, hidden=HIDDEN, dropout=0.1, batch_norm=True)  # type: ignore[arg-type]


def plain_network() -> nn.Sequential:
    """Return the same network in torch's own layers, with the same distribution of weights."""
    layers: list[nn.Module] = []
    widths = (12, *HIDDEN)
    for n_in, width in zip(widths[:-1], HIDDEN, strict=True):
        layers += [nn.Linear(n_in, width), nn.Tanh()]
        layers += [nn.BatchNorm1d(width, eps=1e-3, momentum=0.01), nn.Dropout(0.1)]
    network = nn.Sequential(*layers, nn.Linear(widths[-1], 5))
    for layer in network:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return network


def loaded_batches(X: Tensor, codes: Tensor) -> Callable[[], Batches]:
    """Return the usual source of batches; a last batch of one row cannot be normalised."""
    lonely = len(X) % BATCH == 1
    loader = DataLoader(TensorDataset(X, codes), batch_size=BATCH, shuffle=True, drop_last=lonely)
    return lambda: iter(loader)


def indexed_batches(X: Tensor, codes: Tensor) -> Callable[[], Batches]:
    """Return the leanest source of batches: full ones, by indexing."""
    steps = len(X) // BATCH

    def batches() -> Batches:
        for rows in torch.randperm(len(X))[: steps * BATCH].view(steps, BATCH):
            yield X[rows], codes[rows]

    return batches


def train_plain(
    folds: Folds, name: str, seed: int, epochs: int, source: Callable = indexed_batches
) -> nn.Sequential:
    """Train one network on one fold, as one would write it."""
    torch.manual_seed(seed)
    train = folds.train(name)
    batches = source(folds.scaled(name)[train], torch.from_numpy(folds.codes[train]))
    network, loss = plain_network(), nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    network.train()
    for _ in range(epochs):
        for x, codes in batches():
            optimiser.zero_grad()
            loss(network(x), codes).backward()
            optimiser.step()
    return network.eval()


def plain_seconds(folds: Folds, source: Callable, epochs: int) -> list[float]:
    """Return the wall times of single epochs of a plain loop, each on another fold."""
    times = []
    for name in folds.names[:: len(folds.names) // epochs][:epochs]:
        start = time.perf_counter()
        train_plain(folds, name, 0, 1, source)
        times.append(time.perf_counter() - start)
    return times


def compare_speed(folds: Folds, options: Options) -> tuple[list[dict], dict]:
    """Time ours on all members between two samples of the plain loops."""
    names = list(folds.names[::8] if options.quick else folds.names)
    seeds, epochs = list(range(options.seeds)), 5 if options.quick else OUR_EPOCHS
    sample = PLAIN_EPOCHS // 4 if options.quick else PLAIN_EPOCHS
    train_ours(folds, names[:1], [0], 1)  # compiles, once on a machine
    train_plain(folds, names[0], 0, 1)
    sources = {"usual loop": loaded_batches, "leanest loop": indexed_batches}
    plain = {key: plain_seconds(folds, source, sample) for key, source in sources.items()}
    memory, processor, start = peak_memory(), time.process_time(), time.perf_counter()
    train_ours(folds, names, seeds, epochs)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    peak = peak_memory()
    for key, source in sources.items():
        plain[key] += plain_seconds(folds, source, sample)
    member_epochs, ours = len(names) * len(seeds) * EPOCHS, seconds * EPOCHS / epochs
    rows = []
    given = {"seeds": options.seeds}
    for key, goal in (("usual loop", ">=8"), ("leanest loop", None)):
        other = min(plain[key]) * member_epochs
        rows += [
            row(f"time of the {key}", ours, other, goal=None, unit="s", **given),
            row(
                f"speed over the {key}", other / ours, 1.0, goal=goal, unit="x", seeds=options.seeds
            ),
        ]
    rows.append(row("peak memory", peak, None, goal=None, unit="MB", **given))
    facts = {
        "members": len(names) * len(seeds),
        "epochs": EPOCHS,
        "our_epochs_timed": epochs,
        "our_seconds_timed": round(seconds, 1),
        "our_processor_seconds_timed": round(processor, 1),
        "peak_memory_before_training_MB": round(memory),
        "threads": torch.get_num_threads(),
        "plain_seconds_an_epoch": plain,
        "plain_total": "the fastest of these epochs, times members and epochs",
    }
    return rows, facts


def compare_scores(folds: Folds, options: Options) -> tuple[list[dict], dict]:
    """Train some folds in both ways and compare the scores of the deposits held out."""
    n_folds, epochs = (2, 4) if options.quick else (6, 20)
    names = list(folds.large[:: len(folds.large) // n_folds][:n_folds])
    seeds = list(range(max(2, options.seeds)))
    network = our_network(names * len(seeds))
    network.load_state_dict(train_ours(folds, names, seeds, epochs))
    tests = [folds.test(name) for name in names]
    held_out = [folds.scaled(name)[test] for name, test in zip(names, tests, strict=True)]
    codes = folds.codes[np.concatenate(tests)]
    scores: dict[str, list] = {"ours": [], "plain": []}
    for i, seed in enumerate(seeds):
        ours = [
            predict_members(network, X.numpy())[k * len(seeds) + i] for k, X in enumerate(held_out)
        ]
        plain = [
            train_plain(folds, name, seed, epochs)(X).detach().numpy()
            for name, X in zip(names, held_out, strict=True)
        ]
        scores["ours"].append(score(ours, codes))
        scores["plain"].append(score(plain, codes))
    ours, theirs = (np.mean(each, axis=0) for each in scores.values())
    variances = [np.var(each, axis=0, ddof=1) / len(seeds) for each in scores.values()]
    gap = np.abs(ours - theirs) / np.sqrt(np.sum(variances, axis=0))
    rows = []
    for k, name in enumerate(("log-loss", "accuracy")):
        given = {"seeds": len(seeds)}
        rows += [
            row(f"held-out {name}", ours[k], theirs[k], goal=None, unit="", **given),
            row(f"gap of {name}", gap[k], None, goal="<=3", unit="standard errors", **given),
        ]
    facts = {"score_deposits": names, "score_epochs": epochs, "score_seeds": len(seeds)}
    return rows, {**facts, "scores": scores}


def score(outputs: list[NDArray[np.float32]], codes: NDArray[np.intp]) -> tuple[float, float]:
    """Return log-loss and accuracy of the outputs of all folds, each (n, n_classes)."""
    joined = torch.from_numpy(np.concatenate(outputs))
    loss = nn.functional.cross_entropy(joined, torch.from_numpy(codes))
    return loss.item(), float((joined.argmax(1).numpy() == codes).mean())


def peak_memory() -> float:
    """Return the largest memory that the process has had so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row(
    name: str, ours: float, peer: float | None, *, goal: str | None, unit: str, seeds: int
) -> dict:
    peer = None if peer is None else float(peer)
    goals = {"goal": goal, "unit": unit, "seeds": seeds}
    return {"id": name, "ours": float(ours), "peer": peer, **goals}


def main() -> None:
    options = parse_options(__doc__, seeds=5)
    folds = Folds()
    speed, facts = compare_speed(folds, options)
    scores, more = compare_scores(folds, options)
    report("batched_training", [*speed, *scores], options, **facts, **more)


if __name__ == "__main__":
    main()
