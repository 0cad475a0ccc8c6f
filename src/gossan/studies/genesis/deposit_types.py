"""A model of deposit types that can be shipped: classifier, calibration, doubt and training table.

Analyses of shape (n, elements) [ppm] with deposit names come in; verdicts per deposit go out, each
with a calibrated probability, a set of types at a stated coverage and a test of "none of these".
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from gossan import saving
from gossan.models.boosting import BoostedTrees
from gossan.models.ensemble import EnsembleClassifier
from gossan.models.hierarchical import HierarchicalDiscriminant
from gossan.models.neighbours import GroupNeighbours
from gossan.nets.dense import DenseClassifier
from gossan.validation import (
    ConformalSets,
    CrossValidation,
    OutOfDistribution,
    TemperatureCalibrator,
    group_units,
    pool_by_group,
    share_context,
)

__all__ = ["DepositTypeModel", "recommended_classifier"]

POOLING = "log_mean"


def recommended_classifier(random_state: int | None = 0) -> EnsembleClassifier:
    """The ensemble that held-out deposits favour: four families that err in different places.

    A hierarchical discriminant, the nearest deposits, boosted trees and a small network trained on
    mixtures of deposits; their probabilities are averaged geometrically with equal weights.
    `bench/genesis.py` shows it beside its members and the baselines.
    """
    return EnsembleClassifier(
        [
            ("discriminant", HierarchicalDiscriminant()),
            ("neighbours", GroupNeighbours()),
            ("trees", BoostedTrees(random_state=random_state)),
            ("network", DenseClassifier(random_state=random_state)),
        ]
    )


class DepositTypeModel:
    """A fitted classifier of deposit types with all that an honest answer needs.

    Parameters
    ----------
    classifier : fitted classifier
        Anything with `predict_proba`; its features are `elements`.
    elements : list of str
        Elements [ppm], in the order of the features.
    training : DataFrame
        The training table: `elements`, and the columns `deposit` and `type`.
    held_out : DataFrame
        Pooled probabilities of each training deposit from models that never saw it: one column a
        class, and `type`. They calibrate the probabilities and the sets.
    coverage : float
        Share of deposits whose set shall hold the true type.
    """

    def __init__(
        self,
        classifier: Any,
        *,
        elements: list[str],
        training: pd.DataFrame,
        held_out: pd.DataFrame,
        coverage: float = 0.9,
    ) -> None:
        self.classifier = classifier
        self.elements = elements
        self.training = training
        self.held_out = held_out
        self.coverage = coverage

    @classmethod
    def train(
        cls,
        classifier: Any,
        table: pd.DataFrame,
        *,
        elements: list[str],
        validation: CrossValidation,
        coverage: float = 0.9,
    ) -> DepositTypeModel:
        """Fit on the whole table and calibrate on the held-out probabilities of a validation.

        Parameters
        ----------
        classifier : classifier
            Not fitted; is cloned.
        table : DataFrame
            `elements` [ppm] and the columns `deposit` and `type`.
        elements : list of str
            Features.
        validation : CrossValidation
            Of the same classifier on the same rows, whole deposits held out.
        coverage : float
            Of the conformal sets.
        """
        fitted = clone(classifier).fit(
            table[elements].to_numpy(), table["type"].to_numpy(), groups=table["deposit"].to_numpy()
        )
        held_out = pooled_by_unit(validation)
        training = table[[*elements, "deposit", "type"]].reset_index(drop=True)
        return cls(
            fitted, elements=elements, training=training, held_out=held_out, coverage=coverage
        )

    @property
    def classes_(self) -> NDArray:
        """Deposit types, as a classifier names them."""
        return self.classifier.classes_

    @property
    def names_(self) -> list[str]:
        """Elements, as a classifier names its features."""
        return self.elements

    @property
    def n_features_in_(self) -> int:
        """Number of elements."""
        return len(self.elements)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities of analyses [ppm], shape (n, n_classes)."""
        return self.classifier.predict_proba(np.asarray(X, dtype=float))

    @property
    def classes(self) -> list[str]:
        """Deposit types, sorted."""
        return [str(name) for name in self.classifier.classes_]

    @cached_property
    def calibrator(self) -> TemperatureCalibrator:
        """Temperature that makes the held-out probabilities of deposits honest."""
        return TemperatureCalibrator(self.classes).fit(
            self.held_out[self.classes].to_numpy(), self.held_out["type"].to_numpy()
        )

    @cached_property
    def sets(self) -> ConformalSets:
        """Conformal sets calibrated on held-out deposits."""
        calibrated = self.calibrator.predict_proba(self.held_out[self.classes].to_numpy())
        kinds = self.held_out["type"].to_numpy()
        return ConformalSets(self.coverage).fit(calibrated, kinds, classes=self.classes)

    @cached_property
    def novelty(self) -> OutOfDistribution:
        """How far a deposit may lie from the training table."""
        table = self.training
        return OutOfDistribution().fit(
            table[self.elements], groups=table["deposit"].to_numpy().astype(str)
        )

    def predictions(self, values: pd.DataFrame) -> pd.DataFrame:
        """Class probabilities of each analysis, with the most probable class as `prediction`.

        Parameters
        ----------
        values : DataFrame of shape (n, elements)
            Concentrations [ppm]; missing elements are NaN.

        Returns
        -------
        predictions : DataFrame of shape (n, n_classes + 1)
        """
        probabilities = self.classifier.predict_proba(values[self.elements].to_numpy())
        out = pd.DataFrame(probabilities, columns=self.classes, index=values.index)
        out.insert(0, "prediction", np.array(self.classes)[probabilities.argmax(axis=1)])
        return out

    def in_context(self, predictions: pd.DataFrame, deposits: ArrayLike) -> pd.DataFrame:
        """Predictions of analyses that also hear the others of their deposit.

        Parameters
        ----------
        predictions : DataFrame
            Result of `predictions`.
        deposits : array of shape (n,)
            Deposit of each analysis.

        Returns
        -------
        predictions : DataFrame
            In the same columns, see `gossan.validation.share_context`.
        """
        shared = share_context(
            predictions[self.classes].to_numpy(), np.asarray(deposits).astype(str)
        )
        out = pd.DataFrame(shared, columns=self.classes, index=predictions.index)
        out.insert(0, "prediction", np.array(self.classes)[shared.argmax(axis=1)])
        return out

    def verdicts(
        self,
        values: pd.DataFrame,
        deposits: ArrayLike,
        *,
        predictions: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """The type of each deposit, and how far to trust it.

        Parameters
        ----------
        values : DataFrame of shape (n, elements)
            Concentrations [ppm]; missing elements are NaN.
        deposits : array of shape (n,)
            Deposit of each analysis.
        predictions : DataFrame, optional
            Result of `predictions` for the same rows, if at hand.

        Returns
        -------
        verdicts : DataFrame
            One row a deposit: `deposit`, `verdict`, `probability` (NaN for "none of these", whose
            probability no classifier can tell), `conformal_set`, `nearest`,
            `p_value`, `out_of_distribution`, `outside_elements`, `n_analyses`, `n_disagree`, and
            the calibrated probability of each class.
        """
        if predictions is None:
            predictions = self.predictions(values)
        names = np.asarray(deposits).astype(str)
        pooled = pool_by_group(
            predictions[self.classes].to_numpy(), names, classes=self.classes, method=POOLING
        )
        probabilities = self.calibrator.predict_proba(pooled.probabilities)
        novelty = self._novelty(values, names).reindex(pooled.names)
        nearest = np.array(self.classes)[probabilities.argmax(axis=1)]
        outside = novelty["is_outside"].to_numpy(dtype=bool)
        own = predictions["prediction"].to_numpy()
        differs = own != nearest[np.searchsorted(pooled.names, names)]
        table = pd.DataFrame(
            {
                "deposit": pooled.names,
                "verdict": np.where(outside, "none of these", nearest),
                "probability": np.where(outside, np.nan, probabilities.max(axis=1)),
                "conformal_set": self._sets(probabilities, outside),
                "nearest": nearest,
                "p_value": novelty["p_value"].to_numpy(),
                "out_of_distribution": outside,
                "outside_elements": [_words(x) for x in novelty["features_outside"]],
                "n_analyses": pooled.n_analyses,
                "n_disagree": [int(differs[names == name].sum()) for name in pooled.names],
            }
        )
        return pd.concat([table, pd.DataFrame(probabilities, columns=self.classes)], axis=1)

    def _sets(self, probabilities: NDArray[np.float64], outside: NDArray[np.bool_]) -> list[str]:
        sets = self.sets.predict_sets(probabilities)
        pairs = zip(sets, outside, strict=True)
        return ["none of these" if out else ", ".join(map(str, s)) for s, out in pairs]

    def _novelty(self, values: pd.DataFrame, names: NDArray) -> pd.DataFrame:
        """Judge each deposit by the elements that were measured in it."""
        medians = values[self.elements].groupby(names).median()
        filled = medians.fillna(self.training[self.elements].median())
        return self.novelty.score_groups(filled).set_index(medians.index)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return the JSON part and the arrays of everything, for `gossan.saving`."""
        told, arrays = saving.pack(self.classifier, "classifier", inside="DepositTypeModel")
        names, codes = np.unique(self.training["deposit"].astype(str), return_inverse=True)
        kinds = np.searchsorted(self.classes, self.training["type"].astype(str))
        known = np.searchsorted(self.classes, self.held_out["type"].astype(str))
        arrays |= {
            "training": self.training[self.elements].to_numpy(dtype=np.float64),
            "deposit": codes.astype(np.int64),
            "type": kinds.astype(np.int64),
            "held_out": self.held_out[self.classes].to_numpy(dtype=np.float64),
            "held_out_type": known.astype(np.int64),
        }
        settings = {
            "names": list(self.elements),
            **told,
            "deposits": names.tolist(),
            "coverage": self.coverage,
        }
        return settings, arrays

    @classmethod
    def from_arrays(cls, settings: dict[str, Any], arrays: dict[str, NDArray]) -> DepositTypeModel:
        """Rebuild a model from what `to_arrays` gave, checking what hangs together.

        Raises
        ------
        ValueError
            If shapes, codes or names do not fit one another.
        """
        classifier = saving.unpack(settings, arrays, "classifier", inside="DepositTypeModel")
        classes = [str(name) for name in classifier.classes_]
        elements, names = list(settings["names"]), np.array(settings["deposits"], dtype=str)
        n, d = arrays["training"].shape
        fits = (
            d == len(elements)
            and arrays["deposit"].shape == arrays["type"].shape == (n,)
            and arrays["held_out"].shape == (len(arrays["held_out_type"]), len(classes))
            and _are_codes(arrays["deposit"], len(names))
            and _are_codes(arrays["type"], len(classes))
            and _are_codes(arrays["held_out_type"], len(classes))
        )
        if not fits:
            raise ValueError(
                "The model's training table, names and held-out probabilities do not fit together. "
                "The folder is damaged or was edited; get it again from its source."
            )
        training = pd.DataFrame(arrays["training"], columns=elements)
        training["deposit"] = names[arrays["deposit"]]
        training["type"] = np.array(classes)[arrays["type"]]
        held_out = pd.DataFrame(arrays["held_out"], columns=classes)
        held_out["type"] = np.array(classes)[arrays["held_out_type"]]
        coverage = float(settings["coverage"])
        return cls(
            classifier, elements=elements, training=training, held_out=held_out, coverage=coverage
        )


def pooled_by_unit(validation: CrossValidation) -> pd.DataFrame:
    """Held-out probabilities of each (deposit, type) unit: `deposit`, `type`, a column a class."""
    units = group_units(validation.groups, validation.y)
    pooled = pool_by_group(
        validation.probabilities, units, classes=validation.classes, method=POOLING
    )
    _, first = np.unique(units, return_index=True)
    table = pd.DataFrame(pooled.probabilities, columns=[str(c) for c in validation.classes])
    table.insert(0, "type", np.asarray(validation.y)[first].astype(str))
    table.insert(0, "deposit", np.asarray(validation.groups)[first].astype(str))
    return table


def _words(features: Any) -> str:
    return features if isinstance(features, str) else ", ".join(map(str, features))


def _are_codes(codes: NDArray, count: int) -> bool:
    return bool(len(codes) and codes.min() >= 0 and codes.max() < count)
