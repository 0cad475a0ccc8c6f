"""How good, how sure and why: splits by deposit, scores, intervals, explanation, leaks.

Arrays and any scikit-learn estimator go in; scores with intervals come out.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "splits": [
            "block_labels",
            "block_partitions",
            "group_folds",
            "random_folds",
            "BufferedGroupKFold",
        ],
        "crossval": ["cross_validate", "CrossValidation", "group_weights"],
        "protocols": ["compare_protocols", "null_test", "NullTest"],
        "verdicts": [
            "pool_by_group",
            "Verdicts",
            "verdict_scores",
            "VerdictScores",
            "group_units",
            "skill_score",
        ],
        "context": ["share_context"],
        "patterns": ["moved_patterns"],
        "ranking": ["rank_held_out", "RankedOccurrences"],
        "curves": [
            "occurrence_shares",
            "capture_curve",
            "CaptureCurve",
            "prediction_area",
            "PredictionArea",
            "roc_by_ranks",
        ],
        "uncertainty": [
            "cluster_bootstrap",
            "Interval",
            "clopper_pearson",
            "calibration_curve",
            "expected_calibration_error",
            "TemperatureCalibrator",
            "held_out_temperature",
        ],
        "conformal": [
            "ConformalSets",
            "ConformalIntervals",
            "conformal_coverage",
            "ConformalCoverage",
        ],
        "intervals": [
            "crps_gaussian",
            "crps_ensemble",
            "crps_quantiles",
            "interval_coverage",
            "interval_score",
            "conformal_intervals",
        ],
        "novelty": ["OutOfDistribution"],
        "explanation": [
            "permutation_importance",
            "group_attribution",
            "balanced_median",
            "discriminating_elements",
        ],
        "few_labels": [
            "hold_out_blocks",
            "FewLabelScores",
            "blend_held_out",
            "paired_gain",
            "PairedGain",
        ],
        "leakage": ["leakage_report", "LeakageReport", "Leak"],
    },
)
