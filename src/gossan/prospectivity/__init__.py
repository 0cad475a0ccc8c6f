"""From scores to places: favourability of every cell, and the targets worth a hole.

Fitted estimators and grids of layers come in; grids of scores and ranked targets go out.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "scoring": ["favourability", "area_rank", "score_grid"],
        "targets": ["Targets", "find_targets"],
        "collars": ["suggest_collars"],
        "map_model": ["MapModel"],
        "map_targets": [
            "TargetsOnFile",
            "find_map_targets",
            "write_map_targets",
            "write_raster_targets",
        ],
        "rasters": ["ScoringPlan", "ScoredRasters", "plan_rasters", "score_rasters"],
    },
)
