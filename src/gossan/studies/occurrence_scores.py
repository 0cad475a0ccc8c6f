"""What ranks of held-out occurrences are worth: AUC, capture, intervals over camps, the sentence.

Shares p_i of the occurrences, by protocol and method, come in; tables, a choice of method and a
sentence go out. The transfer and the region study judge alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.validation.curves import capture_curve
from gossan.validation.uncertainty import clopper_pearson, cluster_bootstrap

Floats = NDArray[np.float64]
Shares = Mapping[tuple[str, str], Floats]  # (protocol, method) -> (n_runs, n_occurrences)

AREAS = (0.01, 0.05, 0.1, 0.2)  # shares of the supported area
CURVE = np.concatenate([[0.0], np.geomspace(0.001, 1.0, 61)])
HONEST = "blocks"
AS_GOOD = 0.01  # AUC: less is no reason for a more complicated method


def score_table(
    shares: Shares, camps: NDArray, kinds: Mapping[str, str], *, random_state: int = 0
) -> pd.DataFrame:
    """Scores of every method under every protocol, with intervals over whole camps.

    Parameters
    ----------
    shares : mapping
        (protocol, method) to p_i of shape (n_runs, n_occurrences); a run is a partition and a seed.
    camps : array of shape (n_occurrences,)
        Camp (cluster, block) of each occurrence: what is drawn again for the interval.
    kinds : mapping
        Method to "baseline", "label-free" or "model".
    random_state : int
        Of the draws.

    Returns
    -------
    table : DataFrame
        `protocol`, `method`, `kind`, `auc`, `auc_low`, `auc_high` (95 %, camps drawn again),
        `auc_sd` (over runs: luck, not the uncertainty), `capture_1` ... `capture_20` (shares of the
        occurrences in the best 1 to 20 % of the area), `captured_10`, `low_10`, `high_10` (number in
        the best 10 %, Clopper-Pearson), `density_10` (Nd), `pa_captured`, `pa_area`, `n`, `n_runs`.
    """
    rows = []
    for (protocol, method), runs in shares.items():
        mean = runs.mean(axis=0)
        curve = capture_curve(mean)
        low, high = _interval(1.0 - mean, camps, random_state)
        n_inside = round(float(curve.capture(0.1)) * len(mean))
        sure = clopper_pearson(n_inside, len(mean))
        rows.append(
            {
                "protocol": protocol,
                "method": method,
                "kind": kinds.get(method, "model"),
                "auc": curve.auc,
                "auc_low": low,
                "auc_high": high,
                "auc_sd": float((1.0 - runs.mean(axis=1)).std(ddof=1)) if len(runs) > 1 else 0.0,
                **{f"capture_{100 * area:g}": float(curve.capture(area)) for area in AREAS},
                "captured_10": n_inside,
                "low_10": sure[0],
                "high_10": sure[1],
                "density_10": float(curve.density(0.1)),
                "pa_captured": curve.pa_point[0],
                "pa_area": curve.pa_point[1],
                "n": len(mean),
                "n_runs": len(runs),
            }
        )
    return pd.DataFrame(rows)


def comparison_table(
    shares: Shares,
    camps: NDArray,
    kinds: Mapping[str, str],
    *,
    protocol: str = HONEST,
    random_state: int = 0,
) -> pd.DataFrame:
    """AUC of each method minus that of the best simple one, paired by occurrence.

    Parameters
    ----------
    shares, camps, kinds, random_state
        As of `score_table`.
    protocol : str

    Returns
    -------
    table : DataFrame
        `method`, `against`, `difference`, `low`, `high` (95 %, camps drawn again).
    """
    own = _means(shares, protocol)
    simple = [name for name in own if kinds.get(name, "model") != "model"]
    if not simple:
        return pd.DataFrame()
    best = min(simple, key=lambda name: float(own[name].mean()))
    rows = []
    for name, mean in own.items():
        if name != best:
            gain = own[best] - mean
            low, high = _interval(gain, camps, random_state)
            rows.append(
                {"method": name, "against": best, "difference": float(gain.mean()),
                 "low": low, "high": high}
            )  # fmt: skip
    return pd.DataFrame(rows)


def curve_table(shares: Shares) -> pd.DataFrame:
    """Share of the occurrences captured by the best share of the area, by protocol and method.

    Parameters
    ----------
    shares : mapping
        As of `score_table`.

    Returns
    -------
    table : DataFrame
        `protocol`, `method`, `share` (of the area), `captured`, `captured_low`, `captured_high`
        (95 %, Clopper-Pearson).
    """
    tables = []
    for (protocol, method), runs in shares.items():
        captured = capture_curve(runs.mean(axis=0)).capture(CURVE)
        n = runs.shape[1]
        sure = {k: clopper_pearson(k, n) for k in np.unique(np.rint(captured * n).astype(int))}
        ends = np.array([sure[k] for k in np.rint(captured * n).astype(int)])
        tables.append(
            pd.DataFrame(
                {"protocol": protocol, "method": method, "share": CURVE, "captured": captured,
                 "captured_low": ends[:, 0], "captured_high": ends[:, 1]}
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def null_table(shares: Shares, nulls: Mapping[tuple[str, str], Floats]) -> pd.DataFrame:
    """AUC against fake patterns of the same clustering.

    Parameters
    ----------
    shares : mapping
        As of `score_table`.
    nulls : mapping
        (protocol, method) to p_i of shape (n_patterns, n_occurrences).

    Returns
    -------
    table : DataFrame
        `protocol`, `method`, `auc` (of the real occurrences), `null_mean`, `null_max`, `p_value`,
        `n_nulls`. Where the random null exceeds 0.6, random cross-validation is invalid here.
    """
    rows = []
    for key, fake in nulls.items():
        found = 1.0 - np.nanmean(fake, axis=1)
        real = float(1.0 - shares[key].mean())
        rows.append(
            {
                "protocol": key[0],
                "method": key[1],
                "auc": real,
                "null_mean": float(found.mean()),
                "null_max": float(found.max()),
                "p_value": float((1 + (found >= real).sum()) / (1 + len(found))),
                "n_nulls": len(found),
            }
        )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Choice:
    """The method that makes the map, and why.

    Attributes
    ----------
    method : str
        The simplest that is as good as the best.
    best : str
        The one with the highest held-out AUC.
    ties : tuple of str
        Others that the interval cannot tell from it, the simplest first.
    why : str
        A sentence or two.
    """

    method: str
    best: str
    ties: tuple[str, ...]
    why: str


def choose(
    shares: Shares,
    camps: NDArray,
    simplest_first: Sequence[str],
    *,
    protocol: str = HONEST,
    random_state: int = 0,
) -> Choice:
    """The simplest method whose held-out AUC is within a hundredth of the best.

    Intervals over a handful of camps are wide: nearly everything ties by them. They tell which other
    methods do as well as far as one can know; they do not choose.

    Parameters
    ----------
    shares, camps, random_state
        As of `score_table`.
    simplest_first : sequence of str
        Methods that may make a map, the simplest first.
    protocol : str

    Returns
    -------
    choice : Choice
    """
    own = _means(shares, protocol)
    able = [name for name in simplest_first if name in own]
    best = min(able, key=lambda name: float(own[name].mean()))
    auc = {name: 1.0 - float(own[name].mean()) for name in able}
    chosen = next(name for name in able if auc[name] >= auc[best] - AS_GOOD)
    ties = []
    for name in able:
        low, _ = _interval(own[name] - own[chosen], camps, random_state)
        if name != chosen and not low > 0.0:
            ties.append(name)
    if chosen == best:
        why = (
            f"{chosen!r} makes the map: it ranks held-out occurrences best (AUC {auc[chosen]:.3f})"
        )
    else:
        why = (
            f"{chosen!r} makes the map: it is the simplest within {AS_GOOD:g} of the best held-out AUC"
            f" ({auc[chosen]:.3f}; {best!r} has {auc[best]:.3f})"
        )
    why += f". By the interval, {_listed(ties)} cannot be told from it." if ties else "."
    return Choice(chosen, best, tuple(ties), why)


def sentence(
    shares: Shares,
    method: str,
    *,
    area: float = 0.1,
    km2: float,
    folds: str,
    nulls: Mapping[tuple[str, str], Floats] | None = None,
    label_free: str = "",
    is_taught: bool = True,
    protocol: str = HONEST,
) -> str:
    """The figure that a reader may quote, with all that keeps it honest.

    Parameters
    ----------
    shares, nulls
        As of `null_table`.
    method : str
        That makes the map.
    area : float
        Share of the area looked at.
    km2 : float
        Supported area [km2].
    folds : str
        How was held out, such as "blocked 5-fold, 3 repeats, blocks of 80 km".
    label_free : str
        Method without labels to stand beside.
    is_taught : bool
        False for a method that looks at no label: it has no fitting rate.

    Returns
    -------
    text : str
    """
    mean = _means(shares, protocol)[method]
    n, inside = len(mean), int((mean <= area).sum())
    low, high = clopper_pearson(inside, n)
    told = [
        (
            f"{inside} of {n} held-out occurrences ({_percent(inside / n)}, 95 % CI"
            f" {_percent(low)} to {_percent(high)}; {folds}) fall in the top {_percent(area)} of the"
            f" {km2:,.0f} km² supported area"
        ),
        f"{inside / n / area:.1f} times chance (normalised density)",
    ]
    fake = (nulls or {}).get((protocol, method))
    if fake is not None and len(fake):
        caught = (fake <= area).mean(axis=1)
        told.append(
            f"fake patterns capture {_percent(caught.mean())} there (at most {_percent(caught.max())})"
        )
    plain = _means(shares, protocol).get(label_free)
    if plain is not None and label_free != method:
        told.append(f"{label_free}, which needs no labels, captures {int((plain <= area).sum())}")
    fitted = _means(shares, "fit").get(method)
    if fitted is not None and is_taught:
        told.append(
            f"on the occurrences it was trained on it captures"
            f" {_percent((fitted <= area).mean())} (not evidence)"
        )
    return "; ".join(told) + "."


def _means(shares: Shares, protocol: str) -> dict[str, Floats]:
    return {name: runs.mean(axis=0) for (of, name), runs in shares.items() if of == protocol}


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _interval(values: Floats, camps: NDArray, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of a mean when whole camps are drawn again."""
    if len(np.unique(camps)) < 2:
        return float("nan"), float("nan")
    found = cluster_bootstrap(
        lambda rows: float(values[rows].mean()), camps, n_resamples=1000, random_state=seed
    )
    return found.low, found.high


def _listed(names: Sequence[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
