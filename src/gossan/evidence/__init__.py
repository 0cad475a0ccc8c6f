"""What may point to ore: proximity, fractal thresholds, factors, halos, weights of evidence.

Grids, points and tables of chemistry come in; layers, indicators and their weights go out.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "surfaces": ["extrude_trace", "plane_surface"],
        "proximity": [
            "distance_to_surface",
            "distance_to_plane",
            "distance_to_lines",
            "distance_to_points",
            "add_proximity",
        ],
        "fractal": ["FractalModel", "fractal_thresholds", "add_fractal_classes"],
        "factors": [
            "VarimaxFactors",
            "ChosenFactor",
            "ParallelAnalysis",
            "parallel_analysis",
            "varimax",
        ],
        "balances": ["halo_balances", "front_tail", "halo_ratio", "halo_partition"],
        "halos": ["Zoning", "zoning_sequence", "sequence_agreement", "up_dip_distance"],
        "surroundings": ["mean_around"],
        "occurrences": ["count_in_cells"],
        "weights": [
            "EvidencePattern",
            "EvidenceWeights",
            "evidence_weights",
            "weights_of_counts",
        ],
        "posterior": ["Posterior", "combine_evidence", "pairwise_independence", "add_posterior"],
    },
)
