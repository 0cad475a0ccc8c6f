"""Figures of tables and results; each takes data first and `ax=None`, and returns the ax.

Nothing here saves or shows; matplotlib is loaded only when a figure is asked for. The surfaces of 3D
views come from here too.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "discrimination": ["plot_discrimination", "plot_ternary", "plot_embedding"],
        "chemistry": [
            "plot_element_by_class",
            "plot_enrichment",
            "plot_temperatures",
            "plot_lead_isotopes",
            "plot_censored_shares",
        ],
        "curves": [
            "plot_confusion",
            "plot_calibration",
            "plot_importance",
            "plot_probabilities",
            "plot_protocols",
            "plot_dominance",
        ],
        "maps": ["plot_map", "plot_spread", "plot_departure", "plot_samples"],
        "furniture": ["add_north", "add_scale_bar", "add_graticule"],
        "variograms": ["plot_variogram", "plot_variogram_map"],
        "estimates": [
            "plot_measured",
            "plot_coverage",
            "plot_interval_calibration",
            "plot_crps_ratios",
        ],
        "prospectivity": ["plot_targets"],
        "regional": ["plot_prospectivity_map", "plot_capture_curves"],
        "ranking": ["plot_roc", "plot_prediction_area"],
        "sections": ["plot_section", "section_line"],
        "strip_logs": ["plot_strip_log"],
        "spiders": ["plot_spider"],
        "trust": ["plot_protocol_scores", "plot_success_rate"],
        "contributions": ["plot_contributions"],
        "evidence": ["plot_fractal", "plot_zoning", "plot_loadings"],
        "volumes": ["isosurface", "simplify_mesh", "Mesh"],
        "scales": ["grade_norm", "departure_norm"],
        "style": ["class_colours", "class_markers", "deposit_looks", "new_axes", "to_svg"],
    },
)
