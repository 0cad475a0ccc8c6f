"""Porphyry prospectivity in Yukon with few labels: our network, the published ones, simple models.

Protocol "Y20": unique pixels in 20-km blocks of random offset, five folds, five partitions, at nine
levels of fewer labelled deposits. Every held-out deposit is ranked among 3000 background pixels
under the model that had not seen its block. Prints all methods and levels, the gain of the pretext
task over the same network from random weights, and what leaks in the published protocol; then ours
beside the figures to beat and the goals.

    python bench/transfer.py [--quick] [--seeds N]

What is done is kept in runs/ and taken over by the next call.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from _table import parse_options, report
from _yukon import LEVELS, Yukon, leaks_of, read_yukon
from gossan._checks import GossanWarning
from gossan.datasets import find
from gossan.models import make_few_label_model
from gossan.nets import PretextClassifier
from gossan.validation import (
    FewLabelScores,
    blend_held_out,
    block_labels,
    block_partitions,
    hold_out_blocks,
    paired_gain,
)

SIZE, WIDER = 20e3, 30e3
FIRST_OFFSET = 2024  # the recipe was chosen on partitions 100 to 103, and on no other
RECIPE = {"scaling": "none", "pretext_epochs": 300}
ENDS = ("full", "exp8")
NOTE = "peers were measured on other partitions of 20 km; on these, compare the paired gains"
BLENDS = {
    "svm + gp": ("balanced svm", "gp"),
    "svm + gp + nets": ("balanced svm", "gp", "ours"),
}
# method -> (levels, makes the estimator, what else its fit takes)
Job = tuple[tuple[str, ...], object, dict]
# figure to beat (prototypes of the paper's recipe, a ten-net mean or a simple model), and goal
BARS = {
    ("full", "ours", "auc"): (0.841, ">=0.84"),
    ("full", "ours", "capture_auc"): (0.784, ">=0.78"),
    ("exp8", "ours", "auc"): (0.813, ">=0.815"),
    ("exp8", "ours", "capture_auc"): (0.772, ">=0.775"),
    ("full", "svm + gp + nets", "auc"): (0.837, ">=0.845"),
    ("full", "svm + gp + nets", "capture_auc"): (0.782, ">=0.785"),
    ("exp8", "svm + gp + nets", "auc"): (0.825, ">=0.83"),
    ("exp8", "svm + gp + nets", "capture_auc"): (0.782, ">=0.785"),
}
SHOWN = ("auc", "capture_auc", "recall_05", "recall_10", "recall_20", "brier", "precision")


@dataclass(frozen=True, eq=False)
class Bench:
    """What every method is held out on."""

    yukon: Yukon
    partitions: list
    seeds: tuple[int, ...]
    folder: Path


def main():
    options = parse_options(__doc__, seeds=1)
    warnings.simplefilter("ignore", GossanWarning)
    try:
        yukon = read_yukon()
    except FileNotFoundError as error:
        print(f"left out: {error}")
        return
    n_partitions = 2 if options.quick else 5
    cut = partial(
        block_partitions,
        yukon.coords,
        yukon.y,
        n_partitions=n_partitions,
        random_state=FIRST_OFFSET,
    )
    bench = Bench(yukon, cut(size=SIZE), tuple(range(options.seeds)), Path("runs/bench-transfer"))
    found = held_out(bench, methods(yukon, quick=options.quick))
    show(found)
    leaks = leaks_of(yukon, bench.partitions, n_partitions=n_partitions)
    print(leaks.report, leaks.by_block.round(3), sep="\n\n", end="\n\n")
    wider = Bench(yukon, cut(size=WIDER), bench.seeds, bench.folder)
    few = dict.fromkeys(("balanced svm", "gp", "ours"), ENDS[:1])
    at_30 = held_out(
        wider,
        {
            k: (few[k], *job[1:])
            for k, job in methods(yukon, quick=options.quick).items()
            if k in few
        },
    )
    rows = [
        *bar_rows(found),
        *gain_rows(found),
        *interval_rows(found, yukon),
        *every_row(found, "Y20"),
        *every_row(at_30, "30 km"),
        *leak_rows(leaks),
    ]
    rows = [{**row, "seeds": options.seeds} for row in rows]
    report("transfer", rows, options, note=NOTE)


def methods(yukon: Yukon, *, quick: bool) -> dict[str, Job]:
    """Return the levels, the estimator and the further arguments of `fit` of each method."""
    levels = ENDS if quick else LEVELS
    ground = {"background": yukon.background}
    blocks = {"groups": block_labels(yukon.coords, SIZE, random_state=0)}
    recipe = RECIPE | ({"n_members": 3} if quick else {})
    ours = PretextClassifier(**recipe)
    simple = {
        "logistic": make_few_label_model("logistic"),
        "forest": make_few_label_model("forest", n_trees=50 if quick else 100, random_state=0),
        "svm": make_few_label_model("svm"),
        "balanced svm": make_few_label_model("balanced_svm"),
        "gp": make_few_label_model("gp"),
    }
    found: dict[str, Job] = {name: (levels, model, {}) for name, model in simple.items()}
    found["ours"] = (levels, ours, ground | blocks)
    found["ours, no pretext"] = (
        levels,
        PretextClassifier(**recipe | {"pretext": "none"}),
        ground | blocks,
    )
    if quick:
        return found
    # The published encoder was fitted to the labelled rows, without their labels.
    encoded, classed = (
        {"background": yukon.X},
        {"background": yukon.classed, "background_classes": yukon.classes},
    )
    found["published fde_ft"] = (ENDS, PretextClassifier(preset="fde_ft"), encoded)
    shipped = shipped_encoder()
    if shipped is not None:
        again = PretextClassifier(preset="fde_ft", start=shipped)
        found["published fde_ft, shipped encoder"] = (levels, again, {})
    found["published fde_lp"] = (ENDS, PretextClassifier(preset="fde_lp"), encoded)
    found["published gcp_ft"] = (ENDS, PretextClassifier(preset="gcp_ft"), classed)
    found["published gcp_lp"] = (ENDS, PretextClassifier(preset="gcp_lp"), classed)
    found["published scratch"] = (ENDS, PretextClassifier(preset="scratch"), {})
    return found


def shipped_encoder() -> PretextClassifier | None:
    """Return the published encoder as the start of a network, where its weights are found."""
    try:
        path = find("yukon_conformance", "PRETRAINED_MODELS__modelo_encoder.npz", download=False)
    except FileNotFoundError:
        return None
    with np.load(path, allow_pickle=False) as file:
        layers = [(file[f"W{i}"][None], file[f"b{i}"][None, None]) for i in range(5)]
    weights = {f"network.linears.{i}.{part}": array for i, layer in enumerate(layers)
               for part, array in zip(("weight", "bias"), layer, strict=True)}  # fmt: skip
    settings = {"params": {"preset": "fde_ft"}, "names": [f"x{i}" for i in range(7)], "is_named": False,
                "classes": [0, 1], "n_reseeded_": 0, "n_dead_": 0, "offset_": 0.0}  # fmt: skip
    head = {"network.head.weight": np.zeros((1, 2, 1), np.float32),
            "network.head.bias": np.zeros((1, 1, 1), np.float32)}  # fmt: skip
    rest = {"center_": np.zeros(7), "scale_": np.ones(7), "losses_": np.zeros((1, 1))}
    return PretextClassifier.from_arrays(settings, weights | head | rest)


def held_out(bench: Bench, jobs: dict[str, Job]) -> dict[tuple[str, str], FewLabelScores]:
    """Return the held-out scores by (level, method); the blends are made of those of others."""
    found = {}
    for name, (levels, estimator, more) in jobs.items():
        start = time.perf_counter()
        for level, scores in zip(
            levels, _of_levels(bench, name, levels, estimator, more), strict=True
        ):
            found[level, name] = scores
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    for blend, parts in BLENDS.items():
        for level in LEVELS:
            if all((level, part) in found for part in parts):
                found[level, blend] = blend_held_out([found[level, part] for part in parts])
    return found


def _of_levels(bench: Bench, name: str, levels, estimator, more) -> list[FewLabelScores]:
    """Return the scores of a method at all levels; those that are in runs/ are not made again."""
    has_seed = "random_state" in "".join(estimator.get_params())
    seeds = bench.seeds if has_seed else (0,)
    told = {k: v for k, v in estimator.get_params().items() if not k.startswith("start")}
    paths = {level: _path(bench, name, (level, told, seeds)) for level in levels}
    missing = [level for level in levels if not paths[level].is_file()]
    if missing:
        made = hold_out_blocks(
            estimator,
            bench.yukon.X,
            bench.yukon.y,
            bench.partitions,
            background=bench.yukon.background,
            may_train=[bench.yukon.levels[level] for level in missing],
            seeds=seeds,
            fit_with=more,
        )
        for level, each in zip(missing, made, strict=True):
            arrays = {key: getattr(each, key) for key in ("scores", "background", "is_probability")}
            np.savez(paths[level], **arrays)
    return [_read(paths[level], bench) for level in levels]


def _path(bench: Bench, name: str, settings) -> Path:
    """Return where the scores of a method are kept: the name tells its settings and partitions."""
    tests = [test.tolist() for folds in bench.partitions for _, test in folds]
    bench.folder.mkdir(parents=True, exist_ok=True)
    return (
        bench.folder
        / f"{name}-{hashlib.sha256(repr((settings, tests)).encode()).hexdigest()[:12]}.npz"
    )


def _read(path: Path, bench: Bench) -> FewLabelScores:
    with np.load(path) as file:
        parts = file["scores"], file["background"], bool(file["is_probability"])
        return FewLabelScores(bench.yukon.y == 1, bench.partitions, *parts)


def show(found) -> None:
    """Print the mean and spread of every method at every level."""
    rows = []
    for (level, name), scores in found.items():
        summary = scores.summary()
        rows.append({"level": level, "method": name, "sd": summary["sd"]["auc"], **summary["mean"]})
    table = pd.DataFrame(rows)
    table["level"] = pd.Categorical(table["level"], LEVELS, ordered=True)
    shown = table.sort_values(["level", "auc"], ascending=[True, False], kind="stable")
    print(shown.to_string(index=False, float_format="{:.3f}".format), end="\n\n")


def bar_rows(found) -> list[dict]:
    """Return ours beside the figures to beat and the goals."""
    rows = []
    for (level, name, measure), (peer, goal) in BARS.items():
        summary = found[level, name].summary().loc[measure]
        rows.append(
            {"id": f"{name}, {level}: {measure}", "ours": float(summary["mean"]), "peer": peer,
             "goal": goal, "unit": "", "sd_partitions": float(summary["sd"])}
        )  # fmt: skip
    full = found["full", "ours"].summary()
    rows += [
        {"id": "ours, full: sd of auc over partitions", "ours": float(full["sd"]["auc"]),
         "peer": 0.05, "goal": "<=0.03", "unit": ""},
        {"id": "ours, full: Brier score", "ours": float(full["mean"]["brier"]), "peer": 0.18,
         "goal": "<=0.145", "unit": ""},
    ]  # fmt: skip
    return rows


def gain_rows(found) -> list[dict]:
    """Return what pretraining adds to the same network, and ours to the best simple model, paired."""
    rows = []
    for level in LEVELS:
        for other in ("ours, no pretext", "balanced svm", "published fde_ft, shipped encoder"):
            if (level, "ours") not in found or (level, other) not in found:
                continue
            for measure in ("auc", "capture_auc"):
                gain = paired_gain(found[level, "ours"], found[level, other], measure=measure)
                rows.append(
                    {"id": f"ours less {other}, {level}: {measure}", "ours": gain.mean, "peer": None,
                     "goal": None, "unit": "", "sd_partitions": gain.sd, "n_better": gain.n_better,
                     "n_partitions": gain.n_partitions}
                )  # fmt: skip
    return rows


def interval_rows(found, yukon: Yukon) -> list[dict]:
    """Return the intervals of ours and of the best simple model over sites (blocks of 20 km)."""
    sites, rows = block_labels(yukon.coords, SIZE, random_state=0), []
    for name in ("ours", "balanced svm"):
        for measure in ("auc", "capture_auc"):
            interval = found["full", name].interval(sites, measure=measure)
            print(f"{name}, full, {measure}: {interval}")
            rows += [
                {"id": f"{name}, full: {measure}, {end} over sites", "ours": getattr(interval, end),
                 "peer": None, "goal": None, "unit": ""}
                for end in ("low", "high")
            ]  # fmt: skip
    return rows


def every_row(found, protocol: str) -> list[dict]:
    """Return a row a method and level: the fold-mean AUC, and in the file all measures."""
    rows = []
    for (level, name), scores in found.items():
        summary = scores.summary()
        told = {measure: float(summary["mean"][measure]) for measure in SHOWN}
        rows.append(
            {"id": f"{protocol}, {level}, {name}: auc", "ours": told["auc"], "peer": None,
             "goal": None, "unit": "", "sd_partitions": float(summary["sd"]["auc"]),
             **{key: value for key, value in told.items() if np.isfinite(value)}}
        )  # fmt: skip
    return rows


def leak_rows(leaks) -> list[dict]:
    """Return the figures of the leaks."""
    told = {
        "validation rows that are training rows": (leaks.n_validation_in_training, 24),
        "of validation rows": (leaks.n_validation, 40),
        "deposits": (leaks.n_deposits, 95),
        "unique pixels of deposits": (leaks.n_deposit_pixels, 72),
        "coordinates alone, random split: auc": (leaks.coordinates_random_auc, 0.968),
        "coordinates alone, 20-km blocks: auc": (leaks.coordinates_blocks_auc, 0.831),
        "coordinates alone, 20-km blocks: capture_auc": (leaks.coordinates_blocks_capture, 0.720),
        "published svm, hard labels: auc": (leaks.svm_label_auc, 0.775),
        "published svm, decision values: auc": (leaks.svm_decision_auc, 0.9625),
    }
    for size, row in leaks.by_block.iterrows():
        told |= {
            f"{key}, blocks of {size:g} km: auc": (float(value), None) for key, value in row.items()
        }
    return [
        {"id": name, "ours": ours, "peer": peer, "goal": None, "unit": ""}
        for name, (ours, peer) in told.items()
    ]


if __name__ == "__main__":
    main()
