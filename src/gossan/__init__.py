"""gossan: from what an exploration team has to where ore may be, with an honest measure of trust.

The rooms, in the order of the work, and the names used most; each loads when it is first used.
"""

from gossan._lazy import attach

__version__ = "0.1.0.dev0"

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "datasets": ["list_datasets", "load_sphalerite"],
        "simulate.chemistry": ["simulate_mineral_chemistry"],
        "simulate.tailings": ["simulate_tailings"],
        "data.assays": ["read_assays", "Assays"],
        "data.holes.reading": ["read_drillholes"],
        "data.holes.drillholes": ["DrillHoles"],
        "data.grids.grid": ["make_grid"],
        "data.grids.files": ["read_grid", "write_grid"],
        "geochem.censoring": ["impute_censored"],
        "geostat.fitting": ["fit_variogram"],
        "geostat.kriging": ["Kriging"],
        "geostat.chunked": ["krige_grid"],
        "models.baselines": ["make_baseline"],
        "models.ensemble": ["EnsembleClassifier"],
        "nets.dense": ["DenseClassifier"],
        "saving": ["save_model", "load_model"],
        "validation.splits": ["block_labels", "group_folds"],
        "validation.crossval": ["cross_validate"],
        "validation.protocols": ["compare_protocols", "null_test"],
        "validation.verdicts": ["pool_by_group", "verdict_scores"],
        "validation.conformal": ["ConformalSets"],
        "validation.novelty": ["OutOfDistribution"],
        "validation.leakage": ["leakage_report"],
        "report.page": ["write_report"],
        "cluster": ["on_cluster"],
        "study": ["read_study", "check_study", "run_study"],
    },
    modules=[
        "datasets",
        "simulate",
        "data",
        "geochem",
        "geostat",
        "evidence",
        "sampling",
        "models",
        "nets",
        "saving",
        "validation",
        "prospectivity",
        "plot",
        "report",
        "cluster",
        "study",
    ],
)
