"""Estimators without torch: the baselines that every network must beat, and ensembles.

Tables of shape (n, features) come in; class probabilities, predictive distributions or scores of what
is normal go out.
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
        "spatial": ["SpatialForest", "SpatialProcess"],
        "blending": ["blend_weights", "blend_quantiles"],
        "few_labels": ["FEW_LABEL_MODELS", "make_few_label_model", "RankBlend"],
        "maxent": ["MaxEnt"],
        "mixture": ["MixtureDetector"],
        "pooled": ["PooledTrees"],
        "label_free": ["PathfinderIndex", "MahalanobisIndex", "IsolationIndex"],
        "logistic": ["PointLogistic"],
        "window_statistics": ["WindowStatistics"],
        "forest": ["Forest"],
        "background": ["BackgroundEnsemble"],
        "stability": ["stability_of", "top_overlap"],
        "stacking": ["StackedTransfer"],
        "score_blend": ["ScoreBlend"],
        "known": ["DistanceToKnown"],
        "detection": ["DETECTORS", "make_detector", "NormalsOnly", "PatchTable"],
    },
)
