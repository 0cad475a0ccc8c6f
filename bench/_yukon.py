"""The Yukon tables of Mantilla-Dulcey et al. (2024) as arrays, and what leaks in them.

The published files, found locally, come in; unique pixels with coordinates, levels of fewer labels,
background rows and figures of the leaks go out. The files are not redistributable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier

from gossan.datasets import find
from gossan.models.few_labels import make_few_label_model
from gossan.validation.curves import roc_by_ranks
from gossan.validation.few_labels import hold_out_blocks
from gossan.validation.leakage import LeakageReport, leakage_report
from gossan.validation.splits import block_partitions, random_folds

COMPONENTS = [f"PC{i}" for i in range(1, 8)]
LEVELS = ("full", *(f"exp{k}" for k in range(1, 9)))
BLOCKS = (5e3, 10e3, 20e3, 30e3, 50e3)


@dataclass(frozen=True, eq=False)
class Yukon:
    """Unique labelled pixels and the ground around them.

    Attributes
    ----------
    X : float64 array of shape (289, 7)
        Principal components of the seven variables.
    y : int64 array of shape (289,)
        1 for the 71 deposits, 0 for the 218 negatives.
    coords : float64 array of shape (289, 2)
        Easting and northing, EPSG:3578 [m].
    background : float64 array of shape (3000, 7)
        Unlabelled pixels.
    levels : dict of str to bool array of shape (289,)
        Rows that may be learned from; negatives always may.
    classed, classes : arrays of shape (550, 7) and (550,)
        Pixels of five geological classes.
    classed_coords : array of shape (550, 2)
        Their coordinates [m].
    """

    X: np.ndarray
    y: np.ndarray
    coords: np.ndarray
    background: np.ndarray
    levels: dict[str, np.ndarray]
    classed: np.ndarray
    classes: np.ndarray
    classed_coords: np.ndarray


def read_yukon() -> Yukon:
    """Return the tables as arrays; pixels that stand twice by value are taken once."""
    folder = find("yukon", download=False)
    table = labelled(folder)
    placed = table[table["ESTE"] > 0].drop_duplicates(COMPONENTS)
    y = placed["DEP"].to_numpy()
    keys = _keys(placed)
    levels = {"full": np.ones(len(y), dtype=bool)}
    for k in range(1, 9):
        path = next(folder.glob(f"*exp{k}.csv"))
        few = pd.read_csv(path, sep=";")
        known = set(_keys(few[few["DEP"] == 1]))
        levels[f"exp{k}"] = (y == 0) | np.array([key in known for key in keys])
    classed = pd.read_csv(folder / "03_Train_Pretext.csv")
    return Yukon(
        placed[COMPONENTS].to_numpy(),
        y,
        placed[["ESTE", "NORTE"]].to_numpy(),
        pd.read_csv(folder / "013_Random.csv")[COMPONENTS].to_numpy(),
        levels,
        classed[COMPONENTS].to_numpy(),
        classed["ETIQUETA"].to_numpy().astype(int),
        classed[["E", "N"]].to_numpy(),
    )


def labelled(folder) -> pd.DataFrame:
    """Return the 313 training rows with places and components."""
    places = pd.read_csv(folder / "01_Train_VO.csv")[["DEP", "ESTE", "NORTE"]]
    return places.join(pd.read_csv(folder / "02_Train_PCA.csv")[COMPONENTS])


@dataclass(frozen=True, eq=False)
class Leaks:
    """Figures of what the published protocol owes to having seen the answer."""

    report: LeakageReport
    n_validation: int
    n_validation_in_training: int
    n_deposits: int
    n_deposit_pixels: int
    coordinates_random_auc: float
    coordinates_blocks_auc: float
    coordinates_blocks_capture: float
    svm_label_auc: float | None
    svm_decision_auc: float | None
    by_block: pd.DataFrame


def leaks_of(yukon: Yukon, partitions, *, n_partitions: int) -> Leaks:
    """Return the leaks: shared rows, duplicates, coordinates alone, hard labels, block size."""
    folder = find("yukon", download=False)
    table = labelled(folder)
    shown = pd.read_csv(folder / "04_Validation_Points.csv")
    both = pd.concat([table[["DEP", *COMPONENTS]], shown], ignore_index=True)
    rows = np.arange(len(both))
    report = leakage_report(
        both[COMPONENTS],
        both["DEP"],
        groups=np.unique(_keys(both), return_inverse=True)[1],
        folds=[(rows[: len(table)], rows[len(table) :])],
    )
    known = set(_keys(table))
    deposits = table[table["DEP"] == 1]
    placed = table[table["ESTE"] > 0]
    at_random = _fold_auc(
        placed[["ESTE", "NORTE"]].to_numpy(),
        placed["DEP"].to_numpy(),
        [random_folds(placed["DEP"], 5, random_state=i) for i in range(n_partitions)],
    )
    near = KNeighborsClassifier(5)
    by_place = hold_out_blocks(
        near, yukon.coords, yukon.y, partitions, background=yukon.classed_coords
    ).summary()["mean"]
    return Leaks(
        report,
        len(shown),
        sum(key in known for key in _keys(shown)),
        len(deposits),
        len(set(_keys(deposits))),
        at_random,
        float(by_place["auc"]),
        float(by_place["capture_auc"]),
        *_hard_labels(),
        _by_block(yukon, n_partitions),
    )


def _keys(table: pd.DataFrame) -> list[str]:
    """Return the components of each row as one text: pixels that stand twice have the same."""
    return [" ".join(f"{value:.5f}" for value in row) for row in table[COMPONENTS].to_numpy()]


def _fold_auc(X: np.ndarray, y: np.ndarray, partitions) -> float:
    """Return the fold-mean AUC of five neighbours."""
    found = []
    for folds in partitions:
        for train, test in folds:
            model = KNeighborsClassifier(5).fit(X[train], y[train])
            found.append(roc_by_ranks(model.predict_proba(X[test])[:, 1], y[test] == 1)[2])
    return float(np.mean(found))


def _hard_labels() -> tuple[float | None, float | None]:
    """Return the AUC of the published machine from its labels, and from its decision values."""
    try:
        path = find("yukon_conformance", "EXPERIMENT_II__svm.npz", download=False)
    except FileNotFoundError:
        return None, None
    with np.load(path, allow_pickle=False) as file:
        decision, truth = file["dec_val"], file["y_val"] == 1
    return roc_by_ranks(decision > 0, truth)[2], roc_by_ranks(decision, truth)[2]


def _by_block(yukon: Yukon, n_partitions: int) -> pd.DataFrame:
    """Return the fold-mean AUC of the evidence and of the coordinates alone, by size of block."""
    machine, near = make_few_label_model("balanced_svm"), KNeighborsClassifier(5)
    rows = {}
    for size in (0.0, *BLOCKS):
        if size:
            partitions = block_partitions(
                yukon.coords, yukon.y, size=size, n_partitions=n_partitions
            )
        else:
            partitions = [random_folds(yukon.y, 5, random_state=i) for i in range(n_partitions)]
        by_evidence, by_place = (
            hold_out_blocks(model, X, yukon.y, partitions, background=X).summary()["mean"]["auc"]
            for model, X in ((machine, yukon.X), (near, yukon.coords))
        )
        rows[size / 1e3] = {"evidence": by_evidence, "coordinates": by_place}
    return pd.DataFrame(rows).T.rename_axis("block [km]")
