"""What held-out scores are worth: AUC, capture, intervals over holes, comparisons, null tests.

`FoldScores` of the folds of a protocol come in; tables go out. Scores of different folds are on
different scales: ranks within each fold are pooled, never raw scores (Airola et al. 2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from gossan.studies.deposit.methods import BASELINES, SILENT
from gossan.studies.deposit.trust import FoldScores
from gossan.validation.curves import occurrence_shares

CAPTURES = (0.002, 0.01, 0.05)  # shares of the tested volume
N_RESAMPLES = 1000
CURVE = np.concatenate([[0.0], np.geomspace(0.001, 1.0, 61)])


def judge(is_ore: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, float]:
    """Scores of one ranking of cells; a cell without a score ranks last.

    Parameters
    ----------
    is_ore : bool array of shape (n,)
    scores : array of shape (n,)

    Returns
    -------
    found : dict
        `n`, `n_ore`, `prevalence`, `auc`, `ap` (average precision), `f1_all_ore` (what "all is
        ore" would score), `capture_0.2`, `capture_1`, `capture_5` (shares of the ore in the best
        0.2, 1 and 5 % of the cells) and `enrichment_1`.

    Examples
    --------
    >>> found = judge(np.array([True, False, False, False]), np.array([3.0, 1.0, 2.0, np.nan]))
    >>> found["auc"], found["ap"], found["prevalence"], found["f1_all_ore"]
    (1.0, 1.0, 0.25, 0.4)
    """
    ranked = _ranked(scores)
    share = float(is_ore.mean())
    order = np.argsort(-ranked, kind="stable")
    captures = {}
    for part in CAPTURES:
        best = order[: max(1, round(part * len(order)))]
        captures[f"capture_{100 * part:g}"] = float(is_ore[best].sum() / is_ore.sum())
    mixed = 0.0 < share < 1.0
    shares = occurrence_shares(ranked[is_ore], ranked[~is_ore]) if mixed else np.array([np.nan])
    return {
        "n": len(is_ore),
        "n_ore": int(is_ore.sum()),
        "prevalence": share,
        "auc": float(1.0 - shares.mean()),
        "ap": float(average_precision_score(is_ore, ranked)),
        "f1_all_ore": 2.0 * share / (1.0 + share),
        **captures,
        "enrichment_1": captures["capture_1"] / 0.01,
    }


def fold_table(protocol: str, folds: Sequence[FoldScores]) -> pd.DataFrame:
    """Scores of every fold, method and seed.

    Parameters
    ----------
    protocol : str
    folds : sequence of FoldScores

    Returns
    -------
    table : DataFrame
        `protocol`, `fold`, `method`, `seed` and the columns of `judge`.
    """
    rows: list[dict[str, Any]] = []
    for number, fold in enumerate(folds):
        for name, seed, scores in zip(fold.methods, fold.seeds, fold.scores, strict=True):
            told = judge(fold.is_ore, scores)
            key = {"protocol": protocol, "fold": number, "method": str(name), "seed": int(seed)}
            rows.append({**key, **told})
    return pd.DataFrame(rows)


def score_table(
    protocol: str, folds: Sequence[FoldScores], *, random_state: int = 0
) -> pd.DataFrame:
    """Scores of every method under a protocol, with intervals over holes.

    Parameters
    ----------
    protocol : str
    folds : sequence of FoldScores
    random_state : int
        Of the bootstrap.

    Returns
    -------
    table : DataFrame
        One row a method: `protocol`, `method`, `kind` ("baseline" or "model"), `auc` (ranks of all
        ore cells pooled over folds, mean over seeds), `auc_low`, `auc_high` (95 %, whole holes
        resampled), `auc_sd` (over seeds), `ap`, `ap_sd`, captures, `enrichment_1`, `prevalence`,
        `f1_all_ore`, `n`, `n_ore`, `n_folds`, `n_seeds`.
    """
    raw = fold_table(protocol, folds)
    if not len(raw):
        return raw
    pooled, holes = _pooled(folds)
    draws = _draws(holes, random_state)
    rows = []
    for name, per_seed in pooled.items():
        own = raw[raw["method"] == name]
        by_seed = own.groupby("seed")[
            ["ap", "capture_0.2", "capture_1", "capture_5", "enrichment_1"]
        ].mean()
        aucs = 1.0 - per_seed.mean(axis=1)
        low, high = _interval(1.0 - draws @ per_seed.mean(axis=0))
        first = own[own["seed"] == own["seed"].iloc[0]]
        share = first["n_ore"].sum() / first["n"].sum()
        rows.append(
            {
                "protocol": protocol,
                "method": name,
                "kind": "baseline" if name in BASELINES else "model",
                "auc": float(aucs.mean()),
                "auc_low": low,
                "auc_high": high,
                "auc_sd": float(aucs.std(ddof=1)) if len(aucs) > 1 else 0.0,
                "ap_sd": float(by_seed["ap"].std(ddof=1)) if len(by_seed) > 1 else 0.0,
                **by_seed.mean().to_dict(),
                "prevalence": share,
                "f1_all_ore": 2.0 * share / (1.0 + share),
                "n": int(first["n"].sum()),
                "n_ore": int(first["n_ore"].sum()),
                "n_folds": len(first),
                "n_seeds": len(aucs),
            }
        )
    return pd.DataFrame(rows)


def compare_to_baselines(
    protocol: str, folds: Sequence[FoldScores], *, random_state: int = 0
) -> pd.DataFrame:
    """AUC of each model minus that of the best baseline, with an interval over holes.

    Parameters
    ----------
    protocol : str
    folds : sequence of FoldScores
    random_state : int

    Returns
    -------
    table : DataFrame
        `protocol`, `method`, `best_baseline`, `difference`, `low`, `high` (95 %, whole holes
        resampled).
    """
    pooled, holes = _pooled(folds)
    means = {name: per_seed.mean(axis=0) for name, per_seed in pooled.items()}
    there = [name for name in BASELINES if name in means]
    if not there:
        return pd.DataFrame()
    best = min(there, key=lambda name: float(means[name].mean()))
    draws = _draws(holes, random_state)
    rows = []
    for name, shares in means.items():
        if name not in BASELINES:
            gain = means[best] - shares
            low, high = _interval(draws @ gain)
            rows.append(
                {
                    "protocol": protocol,
                    "method": name,
                    "best_baseline": best,
                    "difference": float(gain.mean()),
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(rows)


def success_rates(protocol: str, folds: Sequence[FoldScores]) -> pd.DataFrame:
    """Share of the ore that the best share of the tested cells holds, by method.

    Parameters
    ----------
    protocol : str
    folds : sequence of FoldScores

    Returns
    -------
    table : DataFrame
        `protocol`, `method`, `share`, `captured`.
    """
    tables = []
    pooled, _ = _pooled(folds, against_all=True)
    for name, per_seed in pooled.items():
        sorted_shares = np.sort(per_seed, axis=1)
        captured = np.mean(
            [np.searchsorted(own, CURVE, side="right") / len(own) for own in sorted_shares], axis=0
        )
        tables.append(
            pd.DataFrame(
                {"protocol": protocol, "method": name, "share": CURVE, "captured": captured}
            )
        )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def null_table(
    protocol: str,
    folds: Sequence[FoldScores],
    is_rich: NDArray[np.bool_],
    holes: NDArray,
    *,
    names: Sequence[str],
    n_nulls: int = 99,
    random_state: int = 0,
) -> pd.DataFrame:
    """AUC against ore that was moved: each hole gets the ore of another, shifted along it.

    Clusters keep their length and the field its share of ore; where the ore lies is gone.

    Parameters
    ----------
    protocol : str
    folds : sequence of FoldScores
    is_rich : bool array of shape (n_composites,)
        Ore or not, in order down each hole.
    holes : array of shape (n_composites,)
    names : sequence of str
        Methods to try.
    n_nulls : int
    random_state : int

    Returns
    -------
    table : DataFrame
        `protocol`, `method`, `auc`, `null_mean`, `null_max`, `p_value`, `n_nulls`. A mean above
        0.5 is what the pattern of the holes alone gives.
    """
    rng = np.random.default_rng(random_state)
    members = [np.flatnonzero(holes == hole) for hole in np.unique(holes)]
    shifted = [_moved(is_rich, members, rng) for _ in range(n_nulls)]
    rows = []
    for name in names:
        parts = [
            (_ranked(fold.scores[np.flatnonzero(fold.methods == name)[0]]), fold)
            for fold in folds
            if (fold.methods == name).any()
        ]
        if parts and n_nulls:
            true = _pooled_auc((scores, fold.is_ore) for scores, fold in parts)
            nulls = np.array(
                [
                    _pooled_auc((scores, moved[fold.composites]) for scores, fold in parts)
                    for moved in shifted
                ]
            )
            rows.append(
                {
                    "protocol": protocol,
                    "method": name,
                    "auc": true,
                    "null_mean": float(np.nanmean(nulls)),
                    "null_max": float(np.nanmax(nulls)),
                    "p_value": float((1 + (nulls >= true).sum()) / (1 + n_nulls)),
                    "n_nulls": n_nulls,
                }
            )
    return pd.DataFrame(rows)


def advise(comparisons: Mapping[str, pd.DataFrame], recommended: str) -> tuple[str, str]:
    """The method that should make the map, and why.

    Parameters
    ----------
    comparisons : mapping of protocol to DataFrame
        Of the honest protocols, see `compare_to_baselines`.
    recommended : str
        Model that is taken unless a baseline beats it beyond its interval.

    Returns
    -------
    method : str
    why : str
    """
    told = []
    for protocol, table in comparisons.items():
        own = table[table["method"] == recommended]
        if len(own):
            row = own.iloc[0]
            told.append((protocol, row))
    beaten = [(protocol, row) for protocol, row in told if row["high"] < 0]
    worse = [each for each in beaten if each[1]["best_baseline"] not in SILENT]
    near = [protocol for protocol, row in beaten if row["best_baseline"] in SILENT]
    caution = (
        f" Under {' and '.join(near)} the mere nearness of samples ranks better still: there the map"
        " adds nothing to knowing where was drilled."
        if near
        else ""
    )
    better = [protocol for protocol, row in told if row["low"] > 0]
    if worse:
        protocol, row = worse[0]
        return str(row["best_baseline"]), (
            f"The baseline {row['best_baseline']!r} makes the map: under the protocol"
            f" {protocol!r} it ranks better than {recommended!r} by"
            f" {-row['difference']:.3f} of AUC (95 %: {-row['high']:.3f} to {-row['low']:.3f}).{caution}"
        )
    if better:
        return recommended, (
            f"{recommended!r} makes the map: it beats the best baseline beyond its interval under"
            f" {' and '.join(better)}" + (f".{caution}" if near else ", and no baseline beats it.")
        )
    bests = sorted({str(row["best_baseline"]) for _, row in told})
    return recommended, (
        f"{recommended!r} makes the map, but does not beat the best baseline"
        f" ({', '.join(bests) or 'none'}) beyond its interval: the baseline is as good a guide.{caution}"
    )


def _moved(
    is_rich: NDArray[np.bool_], members: Sequence[NDArray[np.int64]], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Give each hole the ore of another one, stretched to its length and shifted along it."""
    moved = np.empty_like(is_rich)
    for own, number in zip(members, rng.permutation(len(members)), strict=True):
        other = is_rich[members[number]]
        stretched = other[np.arange(len(own)) * len(other) // len(own)]
        moved[own] = np.roll(stretched, rng.integers(len(own)))
    return moved


def _ranked(scores: NDArray) -> NDArray[np.float64]:
    """Return scores with the missing ones below all others."""
    values = np.asarray(scores, dtype=float)
    least = np.nanmin(values, initial=0.0) - 1.0
    return np.where(np.isfinite(values), values, least)


def _pooled(
    folds: Sequence[FoldScores], *, against_all: bool = False
) -> tuple[dict[str, NDArray[np.float64]], NDArray]:
    """Return shares of barren cells above each ore cell (n_seeds, n_ore) by method, and holes."""
    told: dict[tuple[str, int], list[NDArray[np.float64]]] = {}
    holes = [fold.holes[fold.is_ore] for fold in folds if len(fold.methods)]
    for fold in folds:
        for name, seed, scores in zip(fold.methods, fold.seeds, fold.scores, strict=True):
            ranked = _ranked(scores)
            others = ranked if against_all else ranked[~fold.is_ore]
            shares = occurrence_shares(ranked[fold.is_ore], others)
            told.setdefault((str(name), int(seed)), []).append(shares)
    n_folds = len(holes)
    by_method: dict[str, list[NDArray[np.float64]]] = {}
    for (name, _), parts in told.items():
        if len(parts) == n_folds:  # a method that failed in a fold is not compared
            by_method.setdefault(name, []).append(np.concatenate(parts))
    stacked = {name: np.stack(parts) for name, parts in by_method.items()}
    return stacked, np.concatenate(holes) if holes else np.array([], dtype=str)


def _pooled_auc(parts: Any) -> float:
    shares = [
        occurrence_shares(ranked[ore], ranked[~ore])
        for ranked, ore in parts
        if ore.any() and not ore.all()
    ]
    return float(1.0 - np.concatenate(shares).mean()) if shares else float("nan")


def _draws(holes: NDArray, seed: int) -> NDArray[np.float64]:
    """Return weights (N_RESAMPLES, n_ore) that resample whole holes; each row sums to one."""
    names, codes = np.unique(holes, return_inverse=True)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=N_RESAMPLES)
    weights = counts[:, codes.reshape(-1)].astype(float)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
