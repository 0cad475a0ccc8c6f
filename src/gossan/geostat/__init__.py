"""How it varies in space: variograms, declustering, kriging, simulation.

Coordinates [m] and values come in; models of continuity, estimates and their errors go out.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "covariance": ["Structure", "VariogramModel"],
        "variogram": ["ExperimentalVariogram", "experimental_variogram", "cross_variograms"],
        "variogram_maps": ["VariogramMap", "variogram_map"],
        "fitting": ["FittedVariogram", "fit_variogram"],
        "declustering": ["Declustering", "decluster_cells", "decluster_polygons"],
        "normal_scores": ["NormalScores"],
        "kriging": ["Kriging", "KrigingResult"],
        "crossval": ["KrigingCrossval", "kriging_crossval"],
        "idw": ["InverseDistance"],
        "indicator": ["IndicatorKriging"],
        "local_distribution": ["LocalDistributions"],
        "regression_kriging": ["RegressionKriging"],
        "coregionalization": ["Coregionalization", "fit_coregionalization"],
        "cokriging": ["Cokriging"],
        "chunked": ["krige_grid"],
        "gridding": ["GriddedPoints", "grid_points"],
        "support": ["sample_reach", "support_mask"],
        "simulation": ["ConditionalSimulation", "Realisations"],
        "warming": ["warm_up"],
    },
)
