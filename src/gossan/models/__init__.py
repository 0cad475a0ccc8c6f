"""Estimators without torch: the baselines that every network must beat, and ensembles.

They take a table of shape (n, features) and class names, and give class probabilities.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "baselines": ["BASELINES", "make_baseline", "WeightedClassifier"],
        "hierarchical": ["HierarchicalDiscriminant"],
        "neighbours": ["GroupNeighbours"],
        "boosting": ["BoostedTrees"],
        "ensemble": ["EnsembleClassifier"],
    },
)
