"""What a tailings study found out, gathered for its report.

Samples, held-out predictions, scores and the map come in; `TailingsFindings` go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan.geostat.declustering import decluster_cells
from gossan.report.tailings import TailingsFindings
from gossan.studies.tailings.methods import LEVELS, NAMES
from gossan.studies.tailings.published import LEAK
from gossan.studies.tailings.samples import Samples
from gossan.studies.tailings.trust import HeldOut, ScoredTraining
from gossan.studies.variograms import experimental_along
from gossan.validation.intervals import interval_coverage

CITATIONS = (
    "Goovaerts 1997, Geostatistics for Natural Resources Evaluation, Oxford University Press.",
    "Hengl et al. 2018, PeerJ 6, e5518, doi:10.7717/peerj.5518 (random forest on distances).",
    "Hochreiter & Schmidhuber 1997, Neural Computation 9, 1735-1780, doi:10.1162/neco.1997.9.8.1735.",
    "Gneiting & Raftery 2007, JASA 102, 359-378, doi:10.1198/016214506000001437 (CRPS).",
    "Romano, Patterson & Candes 2019, arXiv:1905.03222 (conformal intervals).",
)
STATED = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # intervals whose coverage is drawn


def study_findings(
    samples: Samples,
    held_out: HeldOut,
    scores: pd.DataFrame,
    *,
    title: str,
    group_name: str,
    split: str,
    weights: Mapping[str, float],
    training: ScoredTraining,
    grid: xr.Dataset | None,
    is_named: bool = False,
    published: pd.DataFrame | None,
    coverage: float,
) -> TailingsFindings:
    """Gather what the report shows.

    Parameters
    ----------
    samples : Samples
    held_out : HeldOut
        Of the honest split.
    scores : DataFrame
        Of all splits, see `score_table`.
    title : str
    group_name, split : str
        What was held out, and how the scores call it.
    weights : mapping of method to float
        Of the blend that made the map.
    training : ScoredTraining
        All samples.
    grid : Dataset or None
        The map.
    is_named : bool
        Whether its cells are places that were named: the others are blank as nobody asked for them.
    published : DataFrame or None
        Of `published_template`.
    coverage : float
        Of the intervals.

    Returns
    -------
    findings : TailingsFindings
    """
    elements = samples.elements
    return TailingsFindings(
        title=title,
        table_name=samples.source,
        n_samples=len(samples.coords),
        n_groups=len(np.unique(held_out.groups)),
        group_name=group_name,
        elements=elements,
        units={name: samples.units.get(name, "") for name in elements},
        n_dims=samples.n_dims,
        chosen=NAMES["blend"],
        network=NAMES["network"],
        scores=scores,
        split=split,
        level=coverage,
        predictions=_predictions(samples, held_out),
        calibration=_calibration(samples, held_out),
        variograms=_variograms(samples, training),
        estimate=grid,
        samples=_table(samples, held_out.groups),
        censored=samples.is_censored,
        published=published,
        leaks=() if published is None else (LEAK,),
        summary=_summary(samples),
        n_unestimated=0 if grid is None or is_named else _n_empty(grid, elements[0]),
        quality=samples.quality,
        methods=_methods(samples, weights, group_name, coverage),
        citations=CITATIONS,
    )


def _table(samples: Samples, groups: NDArray) -> pd.DataFrame:
    places = pd.DataFrame(samples.coords, columns=samples.axes)
    return pd.concat([places.assign(group=groups), samples.values], axis=1)


def _predictions(samples: Samples, held_out: HeldOut) -> pd.DataFrame:
    """Return the held-out estimate and interval of each sample and element by the blend."""
    mean = held_out.quantiles["blend"].mean(axis=1)
    tested = np.isfinite(mean).all(axis=1)
    places = pd.DataFrame(samples.coords[tested], columns=samples.axes)
    parts = [
        places.assign(
            element=element,
            method=NAMES["blend"],
            group=held_out.groups[tested],
            measured=samples.values[element].to_numpy()[tested],
            estimate=mean[tested, e],
            low=held_out.low[tested, e],
            high=held_out.high[tested, e],
        )
        for e, element in enumerate(samples.elements)
    ]
    return pd.concat(parts, ignore_index=True)


def _calibration(samples: Samples, held_out: HeldOut) -> pd.DataFrame:
    """Return the coverage of the blend's own intervals, all elements together."""
    told = held_out.quantiles["blend"]
    tested = np.isfinite(told).all(axis=(1, 2))
    rows = []
    for stated in STATED:
        tail = 0.5 * (1.0 - stated)
        low, high = (_quantile(told[tested], share) for share in (tail, 1.0 - tail))
        columns = zip(samples.values.to_numpy()[tested].T, low.T, high.T, strict=True)
        observed = np.mean([interval_coverage(*column) for column in columns])
        rows.append({"stated": stated, "observed": float(observed), "method": NAMES["blend"]})
    return pd.DataFrame(rows)


def _quantile(told: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return a quantile between the levels that were kept."""
    place = np.interp(share, LEVELS, np.arange(len(LEVELS)))
    below, part = int(place), place - int(place)
    above = min(below + 1, len(LEVELS) - 1)
    return np.asarray((1.0 - part) * told[:, below] + part * told[:, above])


def _variograms(samples: Samples, training: ScoredTraining) -> dict[str, dict[str, Any]]:
    """Return experimental variograms and fitted models of the normal scores."""
    told = {}
    for column, element, fitted in zip(
        training.scores.T, samples.elements, training.usual, strict=True
    ):
        told[element] = {
            "experimental": experimental_along(samples.coords, column, fitted.model),
            "model": fitted.model,
            "is_trusted": fitted.is_trusted,
            "reasons": list(fitted.reasons),
            "unit": "normal scores",
        }
    return told


def _summary(samples: Samples) -> pd.DataFrame:
    rows = []
    for element in samples.elements:
        values = samples.values[element].to_numpy()
        rows.append(
            {
                "element": element,
                "n": len(values),
                "below_detection": int(samples.is_censored[element].sum()),
                "mean": values.mean(),
                "declustered_mean": decluster_cells(samples.coords, values).mean(values),
                "median": float(np.median(values)),
                "sd": values.std(ddof=1),
                "cv": values.std(ddof=1) / values.mean(),
            }
        )
    return pd.DataFrame(rows)


def _n_empty(grid: xr.Dataset, element: str) -> int:
    return int(np.isnan(grid[element].to_numpy()).sum())


def _methods(
    samples: Samples, weights: Mapping[str, float], group_name: str, coverage: float
) -> str:
    used = ", ".join(
        f"{NAMES[name]} {100 * share:.0f} %" for name, share in weights.items() if share > 0
    )
    left_out = " ".join(samples.left_out)
    return (
        f"Concentrations became normal scores; variogram models of these were fitted by restricted"
        f" likelihood, and every method estimated the scores and their quantiles. Whole {group_name}s"
        " were held out; all that is fitted was fitted again without them. The blend weights the"
        f" quantiles of the methods by their score on inner folds ({used}), and its intervals are"
        f" calibrated on {group_name}s that were held out inside each fold ({100 * coverage:.0f} %"
        " asked)."
        f" The network reads the nearest samples of a place, never the place's own {group_name}, and"
        f" corrects kriging. {left_out}"
    ).strip()
