"""The deposit study on simulated deposits: every model under every protocol, and what was promised.

Deposits of three plans, with ore bound to faults and with ore anywhere, are drilled, read, composited
and scored in blocks of 20 m under five protocols: the published one, whole holes, blocks and the
deeper half held out, and the truth in rock far from any sample. A seed draws a deposit (its ore,
rock, holes and errors); models have one seed in each. Printed: all methods under all protocols; the
recommended model beside the best of four baselines; and the bars of speed, memory, evidence and
targets, ours beside the figure to beat.

    python bench/deposit.py [--quick] [--seeds 3] [--cache runs/bench-deposit]

Scored folds, maps and timings are kept in the cache and taken over by the next call: remove it after
a change of the models.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from scipy import stats

from _deposit_bars import speed_rows, study_rows
from _deposit_sites import Site, Told, study_site
from _table import Options, parse_options, report
from gossan.studies.deposit.methods import BASELINES, METHODS, RECOMMENDED
from gossan.studies.run_folder import RunFolder

PLANS = ("zaozigou", "sheeted", "conjugate")
PROTOCOLS = ("paper", "holes", "blocks", "depth", "truth")
JUDGED = ("holes", "depth")  # protocols by which a model is recommended
CLAIMED = {"DAE": 0.92, "STOAD": 0.97}  # AUC that the paper reports under its protocol
KINDS = {True: "faults", False: "anywhere"}  # where ore lies
N_JOBS = 2
# Figures of evidence: the goal of their mean over deposits, and whether the worst is the least.
EVIDENCE_GOALS = {
    "zoning, Grigorian's index": ("Spearman", ">=0.9", True),
    "zoning, centre of mass": ("Spearman", ">=0.9", True),
    "breaks, by another seed": ("relative", "<=1e-9", False),
    "breaks, inside their interval": ("share", ">=1", True),
    "breaks, half width of the interval": ("factor", None, False),
    "breaks, halves of the holes apart": ("factor", "<=1.6", False),
    "factor, Sb and Hg lead": ("share of deposits", ">=1", True),
    "factor, lesser loading of the two": ("loading", ">=0.4", True),
}


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--cache", type=Path)
    given, rest = parser.parse_known_args()
    options = parse_options(__doc__, seeds=3, argv=rest)
    cache = given.cache or Path("runs") / f"bench-deposit{'-quick' * options.quick}"
    told = study_sites(options, cache)
    print_scores(told)
    print_gains(told)
    print_targets(told)
    rows = [*score_rows(told), *gain_rows(told), *kept(cache, speed_rows, options), *evidence_rows(told),
            *leak_rows(told), *kept(cache, study_rows, options), *target_rows(told)]  # fmt: skip
    report("deposit", rows, options, n_deposits=len(told), cells="20 m")


def study_sites(options: Options, cache: Path) -> list[Told]:
    """Study all deposits, several at a time."""
    how = {"spacing": 30.0, "n_splits": 2, "most_cells": 300} if options.quick else {}
    sites = [
        Site(plan, seed, is_fault_bound, **how)
        for seed in range(options.seeds)
        for plan in (("small",) if options.quick else PLANS)
        for is_fault_bound in KINDS
    ]
    methods = [name for name in METHODS if name in {*BASELINES, RECOMMENDED} or not options.quick]
    work = joblib.Parallel(n_jobs=1 if options.quick else N_JOBS, return_as="generator_unordered")(
        joblib.delayed(study_site)(site, methods, cache) for site in sites
    )
    told = []
    for number, one in enumerate(work, start=1):
        told.append(one)
        print(f"{number} of {len(sites)} deposits", flush=True)
    return sorted(told, key=lambda one: sites.index(one.site))


def kept(
    cache: Path, measure: Callable[[Options], list[dict[str, Any]]], options: Options
) -> list[dict[str, Any]]:
    """Return rows that an earlier call left, or measure and leave them."""
    file = f"{measure.__name__}-{options.seeds}.json"
    if (cache / file).exists():
        return json.loads((cache / file).read_text(encoding="utf-8"))
    print(f"{measure.__name__} ...", flush=True)
    rows = measure(options)
    RunFolder(cache).write_text(file, json.dumps(rows, indent=1))
    return rows


# Scores


def scores_of(told: Sequence[Told]) -> pd.DataFrame:
    """Return the scores of all deposits, with where the ore lies and which deposit it is."""
    return pd.concat([_marked(one, one.scores) for one in told], ignore_index=True)


def gains_of(told: Sequence[Told]) -> pd.DataFrame:
    """Return AUC of the recommended model less that of the best baseline in each deposit."""
    every = pd.concat([_marked(one, one.gains) for one in told], ignore_index=True)
    return every[every["method"] == RECOMMENDED].reset_index(drop=True)


def print_scores(told: Sequence[Told]) -> None:
    for kind, scores in scores_of(told).groupby("ore", sort=False):
        n = scores["deposit"].nunique()
        print(f"\nOre {_words(kind)}, {n} deposits: AUC (least-most), AP, ore in the best 1 %")
        print(f"{'':19s}" + "".join(f"{name:31s}" for name in PROTOCOLS).rstrip())
        for method in METHODS:
            own = scores[scores["method"] == method].set_index("protocol")
            if len(own):
                cells = "".join(f"{_cell(own, protocol):31s}" for protocol in PROTOCOLS)
                print(f"{method:19s}{cells}".rstrip())
        share = scores.groupby("protocol")["prevalence"].mean()
        print(f"{'ore in the test':19s}" + "".join(
            f"{share.get(name, np.nan):<31.3f}" for name in PROTOCOLS).rstrip())  # fmt: skip
        paper = scores[scores["protocol"] == "paper"].groupby("method")["auc"].mean()
        for name, claimed in CLAIMED.items():
            if name in paper:
                print(f"{name} under 'paper': {paper[name]:.3f}; the paper reports {claimed}")


def _cell(own: pd.DataFrame, protocol: str) -> str:
    if protocol not in own.index:
        return "-"
    found = own.loc[[protocol]]
    auc = found["auc"]
    return (
        f"{auc.mean():.3f} ({auc.min():.2f}-{auc.max():.2f}) {found['ap'].mean():.3f}"
        f" {found['capture_1'].mean():4.0%}"
    )


def score_rows(told: Sequence[Told]) -> Iterator[dict[str, Any]]:
    """Yield a row for each method and protocol: its mean AUC over the deposits."""
    keys = ["ore", "protocol", "method"]
    for (kind, protocol, method), own in scores_of(told).groupby(keys, sort=False):
        claimed = CLAIMED.get(method) if protocol == "paper" and kind == KINDS[True] else None
        yield {
            "id": f"ore {_words(kind)}, {protocol}: {method}, AUC", "ours": own["auc"].mean(),
            "peer": claimed, "goal": None, "unit": "area", "seeds": _seeds_of(own),
            "least": own["auc"].min(), "most": own["auc"].max(), "ap": own["ap"].mean(),
            "capture_1": own["capture_1"].mean(), "prevalence": own["prevalence"].mean(),
        }  # fmt: skip


# The recommended model beside the baselines


def print_gains(told: Sequence[Told]) -> None:
    print(f"\n{RECOMMENDED!r} less the best baseline, AUC (95 %, whole holes drawn again)")
    gains = gains_of(told)
    for (kind, protocol), own in gains.groupby(["ore", "protocol"], sort=False):
        if protocol in JUDGED:
            for row in own.itertuples():
                print(f"  ore {_words(kind)}, {protocol}, {row.deposit}: {row.difference:+.3f}"
                      f" ({row.low:+.3f} to {row.high:+.3f}) than {row.best_baseline}")  # fmt: skip
        mean, low, high = _mean_interval(own["difference"])
        print(f"ore {_words(kind)}, {protocol}: mean {mean:+.3f} (95 % over deposits: {low:+.3f} to"
              f" {high:+.3f}); beyond its interval better in {(own['low'] > 0).sum()}, worse in"
              f" {(own['high'] < 0).sum()} of {len(own)}")  # fmt: skip


def gain_rows(told: Sequence[Told]) -> Iterator[dict[str, Any]]:
    """Yield rows: the gain must lie above zero over deposits, and no deposit be worse."""
    for (kind, protocol), own in gains_of(told).groupby(["ore", "protocol"], sort=False):
        if protocol == "paper":
            continue
        mean, low, high = _mean_interval(own["difference"])
        is_asked = protocol in JUDGED
        what = f"ore {_words(kind)}, {protocol}: {RECOMMENDED} less the best baseline"
        common = {"seeds": _seeds_of(own), "peer": 0.0}
        beats = ">=0" if is_asked and kind == KINDS[False] else None
        yield {"id": f"{what}, mean", "ours": mean, "goal": None, "unit": "AUC", "low": low,
               "high": high, **common}  # fmt: skip
        yield {"id": f"{what}, lower bound", "ours": low, "goal": beats, "unit": "AUC", **common}
        yield {"id": f"{what}, worse beyond its interval", "ours": int((own["high"] < 0).sum()),
               "goal": "<=0" if is_asked else None, "unit": f"of {len(own)}",
               "better": int((own["low"] > 0).sum()), **common}  # fmt: skip


def leak_rows(told: Sequence[Told]) -> Iterator[dict[str, Any]]:
    """Yield bar 5: what kriged ore loses when it is kriged without the holes that are tested."""
    ore = scores_of(told).query("method == 'kriged ore'")
    for kind, own in ore.groupby("ore", sort=False):
        auc = own.pivot_table(index="deposit", columns="protocol", values="auc")
        drop = auc["paper"] - auc["holes"]
        yield {"id": f"5 ore {_words(kind)}: kriged ore, AUC of paper less holes",
               "ours": drop.mean(), "peer": None, "goal": ">=0.1", "unit": "AUC",
               "seeds": _n_seeds(told), "least": drop.min(), "most": drop.max()}  # fmt: skip


# Evidence and targets


def evidence_rows(told: Sequence[Told]) -> Iterator[dict[str, Any]]:
    """Yield bar 4: the mean of each figure over the deposits, and the worst deposit."""
    for name, (unit, goal, is_least_worst) in EVIDENCE_GOALS.items():
        figures = np.array([one.evidence[name] for one in told])
        worst = figures.min() if is_least_worst else figures.max()
        common = {"peer": None, "unit": unit, "seeds": _n_seeds(told)}
        yield {"id": f"4 {name}: mean", "ours": float(figures.mean()), "goal": goal, **common}
        yield {"id": f"4 {name}: worst deposit", "ours": float(worst), "goal": None, **common}


def targets_of(told: Sequence[Told]) -> pd.DataFrame:
    """Return the hits of all deposits, meaned by where the ore lies, list, and method."""
    every = pd.concat([_marked(one, one.targets) for one in told], ignore_index=True)
    every["blind_hit"] = every["blind_hit"] / every["n_blind"]
    return every.groupby(["ore", "asked", "method"], sort=False)[
        ["blind_hit", "volume", "blind_share", "n_targets"]
    ].mean()


def print_targets(told: Sequence[Told]) -> None:
    print("\nFirst ten targets: share of the blind bodies hit, their volume in million m³, share of"
          "\nit in blind ore, and targets in all")  # fmt: skip
    for (kind, asked, method), row in targets_of(told).iterrows():
        print(f"ore {_words(kind)}, {asked:12s} {method:19s} {row['blind_hit']:5.0%}"
              f" {row['volume']:6.1f} {row['blind_share']:6.1%} {row['n_targets']:5.0f}")  # fmt: skip


def target_rows(told: Sequence[Told]) -> Iterator[dict[str, Any]]:
    """Yield bar 7: blind bodies hit by the recommended model, beside the best baseline.

    A baseline whose targets take more than twice the volume hits by size, and is left out.
    """
    means = targets_of(told)
    for (kind, asked), own in means.groupby(level=["ore", "asked"], sort=False):
        hits = own.droplevel(["ore", "asked"])
        fair = hits.loc[list(BASELINES)]
        best = fair.loc[fair["volume"] <= 2 * hits.loc[RECOMMENDED, "volume"], "blind_hit"]
        if not len(best):
            continue
        yield {"id": f"7 ore {_words(kind)}, {asked}: blind bodies hit by ten targets",
               "ours": hits.loc[RECOMMENDED, "blind_hit"], "peer": best.max(),
               "goal": f">={best.max():.3g}", "unit": "share", "seeds": _n_seeds(told),
               "best_baseline": best.idxmax(), "volume": hits.loc[RECOMMENDED, "volume"],
               "best_volume": hits.loc[best.idxmax(), "volume"]}  # fmt: skip


def _marked(one: Told, table: pd.DataFrame) -> pd.DataFrame:
    site = one.site
    return table.assign(ore=KINDS[site.is_fault_bound], deposit=f"{site.plan} {site.seed}")


def _words(kind: Any) -> str:
    return "on faults" if kind == KINDS[True] else str(kind)


def _n_seeds(told: Sequence[Told]) -> int:
    return len({one.site.seed for one in told})


def _seeds_of(rows: pd.DataFrame) -> int:
    """Return the number of seeds among rows of several deposits ("zaozigou 2")."""
    return int(rows["deposit"].str.rsplit(" ", n=1).str[-1].nunique())


def _mean_interval(values: pd.Series) -> tuple[float, float, float]:
    """Return the mean and its 95 % interval over deposits; the mean alone of a single one."""
    mean, n = float(values.mean()), len(values)
    if n < 2:
        return mean, mean, mean
    half = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half


if __name__ == "__main__":
    main()
