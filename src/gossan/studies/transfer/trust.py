"""What scores owe to having seen the answer, and how they fall with larger blocks or fewer labels.

A trial and its recipes come in; findings, tables and sections of the report go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier

from gossan.models.few_labels import make_few_label_model, rankable_scores
from gossan.plot.style import new_axes, to_svg
from gossan.report._display_names import display_name
from gossan.report.blocks import Block, Figure, Table
from gossan.report.page import Section
from gossan.studies.transfer.keeping import Keeper
from gossan.studies.transfer.methods import FLOOR, NEIGHBOURS, Recipe
from gossan.studies.transfer.tables import Floats, Sites, same_sites
from gossan.studies.transfer.trial import Trial, partitions_of
from gossan.studies.trials import Plan
from gossan.validation.curves import roc_by_ranks
from gossan.validation.few_labels import blend_held_out, paired_gain
from gossan.validation.leakage import Leak, leakage_report
from gossan.validation.splits import Folds, random_folds

TIE = 0.01  # of AUC
STEPS = (0.25, 0.5, 1.0, 1.5, 2.5)  # of the block size
OF_ROWS = ("group in train and test", "identical rows", "same position")
AS_READ = "rows as they stand, random folds"


def leaks_of(
    trial: Trial, *, scaling: str, published: tuple[Floats, Floats] | None, name: str = ""
) -> list[Leak]:
    """What leaks in the published protocol, and in the evidence itself.

    Parameters
    ----------
    trial : Trial
    scaling : {"standard", "none"}
        Of the evidence.
    published : (X, y), optional
        Validation rows that somebody else scored on.
    name : str
        Of their file.

    Returns
    -------
    leaks : list of Leak
    """
    sites, rows = trial.sites, trial.sites.rows
    folds = random_folds(rows.y, 5, random_state=0)
    as_read = leakage_report(
        rows.X, rows.y, groups=rows.site, folds=folds, names=sites.names, coords=rows.coords
    )
    own = leakage_report(
        sites.X, sites.y, groups=np.arange(len(sites.y)), folds=trial.partitions("blocks")[0],
        names=sites.names, coords=sites.coords,
    )  # fmt: skip
    found = [
        Leak(
            each.name,
            "note",  # the sites that are held out here are each there once
            each.count,
            f"Split at random as they stand, which is not done here: {_plain(each.sentence)}",
        )
        for each in as_read.findings
        if each.name in OF_ROWS
    ]
    found += [each for each in own.findings if each.name not in OF_ROWS]
    if published is not None:
        found.append(_shared_rows(published[0], sites, name))
    return [*found, _hard_labels(trial, scaling)]


def _plain(sentence: str) -> str:
    return sentence.replace(" (cv='group')", "")


def coordinate_sentence(blocks: pd.DataFrame, size: float) -> str:
    """Say so where coordinates alone do as well as the evidence in blocks of the study's size.

    Parameters
    ----------
    blocks : DataFrame
        Of `block_table`.
    size : float
        Edge of a block [m].

    Returns
    -------
    sentence : str
        "" where the evidence is ahead by more than a hundredth.
    """
    known = blocks[blocks["block"] > 0]
    own = known[np.isclose(known["block"], size / 1000)]
    if not len(own) or own["evidence"].iloc[0] > own["coordinates"].iloc[0] + TIE:
        return ""
    told = (
        f"In blocks of {size / 1000:,.3g} km coordinates alone tell deposits from barren sites as well"
        f" as the evidence (AUC {own['coordinates'].iloc[0]:.2f} and {own['evidence'].iloc[0]:.2f}):"
        " neighbours may still give the answer."
    )
    wide = known.iloc[-1]
    if wide["block"] <= size / 1000:
        return told
    return (
        f"{told} In blocks of {wide['block']:,.3g} km they have {wide['coordinates']:.2f} and"
        f" {wide['evidence']:.2f}."
    )


def _shared_rows(X: Floats, sites: Sites, name: str) -> Leak:
    """Count the validation rows that are training rows by value."""
    both = np.concatenate([sites.rows.X, X])
    apart = np.column_stack([np.arange(len(both)), np.zeros(len(both))]).astype(float)
    site = same_sites(both, apart)  # by value alone
    n = int(np.isin(site[len(sites.rows.X) :], site[: len(sites.rows.X)]).sum())
    told = f"{n} of {len(X)} rows of {name} are training rows, value by value."
    if not n:
        return Leak("rows in training and validation", "note", 0, told)
    return Leak("rows in training and validation", "leak", n,
                f"{told} A score on it is no evidence.")  # fmt: skip


def _hard_labels(trial: Trial, scaling: str) -> Leak:
    """Compare the AUC of a machine's decision values with that of its hard labels."""
    sites = trial.sites
    model = make_few_label_model("balanced_svm", scaling=scaling)
    found = []
    for train, test in trial.partitions("random")[0]:
        fitted = clone(model).fit(sites.X[train], sites.y[train])
        truth = sites.y[test] == 1
        both = (fitted.predict(sites.X[test]), rankable_scores(fitted, sites.X[test]))
        found.append([roc_by_ranks(said, truth)[2] for said in both])
    hard, soft = np.mean(found, axis=0)
    return Leak(
        "hard labels in a score", "note", 0,
        f"An AUC of predicted classes ranks nothing: the balanced machine has {hard:.3f} by its hard"
        f" labels and {soft:.3f} by its decision values (random folds). All scores here come from"
        " probabilities or decision values.",
    )  # fmt: skip


def block_table(trial: Trial, *, scaling: str) -> pd.DataFrame:
    """AUC against the size of the blocks: of the evidence, and of coordinates alone.

    Parameters
    ----------
    trial : Trial
    scaling : {"standard", "none"}

    Returns
    -------
    table : DataFrame
        `held_out`, `block` [km] (0: random folds), `evidence` (balanced machine), `coordinates`:
        mean AUC over folds against labelled negatives. Sizes that cannot be held out are left out.
    """
    machine = make_few_label_model("balanced_svm", scaling=scaling)
    rows, sites, plan = trial.sites.rows, trial.sites, trial.plan
    n = min(plan.n_repeats, 5)
    least = int(np.bincount(rows.y).min())
    as_read = [random_folds(rows.y, min(plan.n_splits, least), random_state=i) for i in range(n)]
    random = partitions_of(sites.y, sites.coords, _with(plan, n), "random")
    own = (sites.X, sites.coords, sites.y)
    told = [
        _row(AS_READ, 0.0, machine=machine, rows=(rows.X, rows.coords, rows.y), partitions=as_read),
        _row("sites, random folds", 0.0, machine=machine, rows=own, partitions=random),
    ]
    for step in STEPS:
        size = step * plan.block_size
        try:
            folds = partitions_of(sites.y, sites.coords, _with(plan, n, size), "blocks")
        except ValueError:
            continue
        name = f"blocks of {size / 1000:,.3g} km"
        told.append(_row(name, size / 1000, machine=machine, rows=own, partitions=folds))
    return pd.DataFrame(told)


def _with(plan: Plan, n: int, size: float | None = None) -> Plan:
    return Plan(plan.n_splits, n, size or plan.block_size, 0.0, random_state=plan.random_state)


def _row(
    name: str,
    km: float,
    *,
    machine: Any,
    rows: tuple[Floats, Floats, NDArray],
    partitions: Sequence[Folds],
) -> dict[str, Any]:  # fmt: skip
    near = KNeighborsClassifier(NEIGHBOURS)
    X, coords, y = rows
    found = {}
    for what, model, table in (("evidence", machine, X), ("coordinates", near, coords)):
        aucs = [
            roc_by_ranks(
                rankable_scores(clone(model).fit(table[train], y[train]), table[test]), y[test] == 1
            )[2]
            for folds in partitions
            for train, test in folds
        ]
        found[what] = float(np.mean(aucs))
    return {"held_out": name, "block": km, **found}


def level_table(
    keeper: Keeper, recipes: Mapping[str, Recipe], levels: Sequence[int]
) -> pd.DataFrame:
    """How scores fall with fewer labelled deposits; all are tested at every level.

    Parameters
    ----------
    keeper : Keeper
    recipes : mapping of str to Recipe
    levels : sequence of int
        Deposits that may be learned from; the sets are nested, negatives always may.

    Returns
    -------
    table : DataFrame
        `n_deposits`, `method`, `auc`, `sd` (over partitions), `capture_auc` (NaN without a
        background), and `gain`, `gain_sd`, `n_better` of pretraining on the row of "pretrained net".
    """
    trial = keeper.trial
    n = len(trial.sites.occurrences)
    wanted = [level for level in levels if level < n] + [n]
    order = np.random.default_rng(trial.plan.random_state).permutation(trial.sites.occurrences)
    masks = [(trial.sites.y == 0) | np.isin(np.arange(len(trial.sites.y)), order[:level])
             for level in wanted]  # fmt: skip
    found: dict[str, list[Any]] = {}
    rows = []
    for name, recipe in recipes.items():
        if name == FLOOR:
            continue
        if recipe.parts and all(part in found for part in recipe.parts):
            found[name] = [blend_held_out(list(parts)) for parts in
                           zip(*(found[part] for part in recipe.parts), strict=True)]  # fmt: skip
        else:
            found[name] = keeper.scores(name, recipe, "blocks", masks)
        for place, (level, held) in enumerate(zip(wanted, found[name], strict=True)):
            told = held.summary()
            row = {"n_deposits": level, "method": name, "auc": told["mean"]["auc"],
                   "sd": told["sd"]["auc"],
                   "capture_auc": told["mean"]["capture_auc"] if trial.ground else np.nan}  # fmt: skip
            if name == "pretrained net" and "net" in found:
                gain = paired_gain(held, found["net"][place], measure="auc")
                row |= {"gain": gain.mean, "gain_sd": gain.sd, "n_better": gain.n_better}
            rows.append(row)
    return pd.DataFrame(rows)


def label_section(labels: pd.DataFrame, blocks: pd.DataFrame) -> Section:
    """Section on scores against labelled negatives, and on the size of blocks."""
    found: list[Block] = [
        _label_block(labels),
        Table("AUC by what was held out", blocks,
              formats=dict.fromkeys(("evidence", "coordinates"), "{:.3f}"),
              headings={"held_out": "held out", "block": "block [km]",
                        "evidence": "evidence (balanced svm)", "coordinates": "coordinates alone"},
              note="Where coordinates alone score high, deposits are found by their neighbours, and a"
              " random split says nothing about new ground."),
    ]  # fmt: skip
    known = blocks[blocks["block"] > 0]
    if len(known) > 1:
        lines = {name: known[["block", name]].set_axis(["x", "y"], axis="columns")
                 for name in ("evidence", "coordinates")}  # fmt: skip
        found.append(_lines("AUC falls with larger blocks", lines, "Edge of a block [km]", blocks))
    return Section("Against labelled barren ground", "", found)


def _label_block(labels: pd.DataFrame) -> Table:
    """Return the AUC of each method under the three protocols, side by side."""
    wide = labels.pivot_table(index="method", columns="protocol", values="auc").reset_index()
    blocked = labels[labels["protocol"] == "blocks"].drop(columns=["protocol", "auc"])
    shown = wide.merge(blocked, on="method").sort_values("blocks", ascending=False, kind="stable")
    columns = ["fit", "random", "blocks", "sd", "brier", "precision"]
    return Table(
        "Against labelled barren sites",
        shown[["method", *columns]],
        formats=dict.fromkeys(columns, "{:.3f}"),
        headings={
            "fit": "AUC on what was taught",
            "random": "AUC, random folds",
            "blocks": "AUC, blocks",
            "sd": "sd over partitions",
            "brier": "Brier score",
            "precision": "average precision",
        },
        note="Means over folds, never pooled. What was taught is no evidence; the sd, the Brier score"
        " and the precision are of blocks, the sd the luck of the partition.",
    )


def level_section(table: pd.DataFrame) -> Section:
    """Section on fewer labels."""
    if not len(table):
        return Section("With fewer labels")
    three = dict.fromkeys(("auc", "sd", "capture_auc"), "{:.3f}")
    signed = dict.fromkeys(("gain", "gain_sd"), "{:+.3f}")
    shown = table.dropna(axis="columns", how="all")
    lines = {str(name): own[["n_deposits", "auc"]].set_axis(["x", "y"], axis="columns")
             for name, own in table.groupby("method", sort=False)}  # fmt: skip
    ranked = shown.sort_values(["n_deposits", "auc"], ascending=[True, False], kind="stable")
    found: list[Block] = [
        _lines("How scores fall with fewer deposits", lines, "Deposits that are learned from", table),
        Table("Scores by number of deposits", ranked, formats=three | signed,
              headings={"n_deposits": "deposits", "auc": "AUC, mean of folds",
                        "sd": "sd over partitions", "capture_auc": "AUC among the background",
                        "gain": "gain of pretraining", "gain_sd": "its sd",
                        "n_better": "partitions in which it gains"}),
    ]  # fmt: skip
    told = "All deposits are tested at every level; the sets that teach are nested, drawn once."
    return Section("With fewer labels", told, found)


def _lines(title: str, lines: Mapping[str, pd.DataFrame], label: str, data: pd.DataFrame) -> Figure:
    ax = new_axes(8, 3.7)[0]
    dashes = ("-", "--", "-.", ":")
    for number, (name, own) in enumerate(lines.items()):
        ax.plot(
            own["x"],
            own["y"],
            dashes[number // 8 % 4],
            marker="o",
            markersize=4,
            label=display_name(name),
        )
    ax.set_xlabel(label)
    ax.set_ylabel("AUC, whole blocks held out")
    ax.axhline(0.5, color="0.6", linewidth=0.8)
    ax.legend(fontsize=8, ncols=2)
    ends = "; ".join(
        f"{display_name(name)} {own['y'].iloc[0]:.2f} to {own['y'].iloc[-1]:.2f}"
        for name, own in lines.items()
    )
    return Figure(title, to_svg(ax), alt=f"AUC from left to right: {ends}.",
                  caption="A coin has 0.5.", data=data)  # fmt: skip
