"""Trees on near and on wide evidence, pooled with the grade itself: a probability of ore.

A table of evidence (n, features) with y = 1 for ore comes in; probabilities go out.

Sources
-------
Geurts, Ernst & Wehenkel (2006), Extremely randomized trees, Machine Learning 63, 3-42,
doi:10.1007/s10994-006-6226-1.
Genest & Zidek (1986), Combining probability distributions, Statistical Science 1, 114-135,
doi:10.1214/ss/1177013825 (the logarithmic opinion pool: means of log-odds).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from gossan._checks import check_random_state

__all__ = ["PooledTrees"]

LEAST_LEAF = 20  # rows in a leaf of the forests
SURE = 0.002  # no member may be surer than that, or one tree's leaf would outvote all


class PooledTrees(ClassifierMixin, BaseEstimator):
    """Probability of ore from four members whose log-odds are averaged.

    A forest of extremely randomised trees on the near evidence, another on all of it, boosted trees on
    the near evidence that may only rise with the grade, and a logistic curve of the grade alone. Each
    fails where another holds: wide evidence helps between holes and misleads below them, the grade
    alone orders the richest rock best. Train it on evidence that was held out, or it learns to trust
    what its training cells alone can know.

    Parameters
    ----------
    n_near : int or None
        Leading columns that are near evidence. None: all.
    grade : int
        Column that speaks for ore the more, the higher it is.
    n_estimators : int
        Trees of each forest.
    random_state : int, Generator or None

    Attributes
    ----------
    classes_ : array of shape (2,)
        The second one is ore.
    n_features_in_ : int
    members_ : tuple of fitted estimators

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3))
    >>> y = (X[:, 0] + 0.3 * rng.normal(size=400) > 1).astype(int)
    >>> model = PooledTrees(random_state=0).fit(X, y)
    >>> model.predict_proba([[-1.0, 0, 0], [2.0, 0, 0]])[:, 1].round(1)
    array([0. , 0.7])
    """

    def __init__(
        self,
        n_near: int | None = None,
        *,
        grade: int = 0,
        n_estimators: int = 100,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.n_near = n_near
        self.grade = grade
        self.n_estimators = n_estimators
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> PooledTrees:
        """Fit all members.

        Parameters
        ----------
        X : array of shape (n, features)
            Evidence, none missing.
        y : array of shape (n,)
            Two classes; the one that sorts last is ore.

        Returns
        -------
        self : PooledTrees

        Raises
        ------
        ValueError
            If a value is missing, there are not two classes, or `grade` and `n_near` name columns
            that are not there.
        """
        table, labels = validate_data(self, X, y)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(
                f"PooledTrees needs two classes, ore and barren, got {len(self.classes_)} class(es)."
                " Label cells of both."
            )
        n_columns = table.shape[1]
        n_near = n_columns if self.n_near is None else self.n_near
        if not (0 < n_near <= n_columns and 0 <= self.grade < n_near):
            raise ValueError(
                f"n_near must be 1 to {n_columns} and grade one of these columns, got n_near={n_near}"
                f" and grade={self.grade}. Put the near evidence first."
            )
        seeds = check_random_state(self.random_state).integers(2**31 - 1, size=3)
        near, wide = slice(0, n_near), slice(0, n_columns)
        grade = slice(self.grade, self.grade + 1)
        forests = [
            ExtraTreesClassifier(
                self.n_estimators,
                min_samples_leaf=min(LEAST_LEAF, max(1, len(table) // 20)),
                max_features=0.5,
                random_state=int(seed),
            )
            for seed in seeds[:2]
        ]
        boosted = HistGradientBoostingClassifier(
            max_iter=150,
            learning_rate=0.05,
            max_leaf_nodes=8,
            min_samples_leaf=40,
            l2_regularization=5.0,
            monotonic_cst=(np.arange(n_near) == self.grade).astype(int),
            random_state=int(seeds[2]),
        )
        curve = make_pipeline(StandardScaler(), LogisticRegression())
        members = zip((*forests, boosted, curve), (near, wide, near, grade), strict=True)
        with threadpool_limits(1):  # threads cost more than they bring on trees so small
            self.members_ = tuple((model.fit(table[:, own], codes), own) for model, own in members)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities of barren and ore.

        Parameters
        ----------
        X : array of shape (n, features)

        Returns
        -------
        probabilities : array of shape (n, 2)
        """
        check_is_fitted(self)
        table = validate_data(self, X, reset=False)
        odds = [
            logit(np.clip(model.predict_proba(table[:, own])[:, 1], SURE, 1.0 - SURE))
            for model, own in self.members_
        ]
        ore = expit(np.mean(odds, axis=0))
        return np.column_stack([1.0 - ore, ore])

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the likelier class of each row.

        Parameters
        ----------
        X : array of shape (n, features)

        Returns
        -------
        classes : array of shape (n,)
        """
        return np.asarray(self.classes_[(self.predict_proba(X)[:, 1] >= 0.5).astype(int)])

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that there are two classes only."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
