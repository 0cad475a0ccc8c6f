"""What the chemistry says: log-ratios, censored values, temperature, sulfur, lead, enrichment.

Concentrations, temperatures and isotope ratios go in; numbers with errors and doubts come out.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "compositional": [
            "closure",
            "clr",
            "clr_inverse",
            "alr",
            "alr_inverse",
            "ilr",
            "ilr_inverse",
            "balance",
            "balances",
        ],
        "bases": ["pivot_basis", "partition_basis"],
        "logratios": ["LogRatioTransformer"],
        "robust_scores": ["RobustScores"],
        "levelling": [
            "CatchmentResiduals",
            "Levelled",
            "level_batches",
            "level_by_catchment",
            "level_by_unit",
            "source_concentration",
        ],
        "censoring": ["impute_censored", "fit_censored_lognormal", "CensoredLognormal"],
        "summaries": ["censored_summary"],
        "estimates": ["Estimate"],
        "thermometry": ["ggimfis", "vent_temperature", "summarise_formation"],
        "sulfur_fugacity": [
            "fes_in_sphalerite",
            "fes_from_sulfur_fugacity",
            "log_sulfur_fugacity",
            "sphalerite_pressure",
            "buffered_fes",
            "buffer_temperature",
        ],
        "sulfur_isotopes": [
            "mineral_fractionation",
            "pair_fractionation",
            "sulfate_fractionation",
            "isotope_difference",
            "pair_temperature",
            "temperature_of_fractionation",
            "sulfate_temperature",
        ],
        "sulfur_sources": ["sulfate_reduction", "Rayleigh", "rayleigh"],
        "lead_isotopes": ["LeadModel", "lead_model", "lead_curve", "model_ages"],
        "plumbotectonics": ["reservoir_curve", "nearest_reservoir"],
        "normalising": ["NORMALISING", "ORDERS", "Normalised", "normalise"],
        "enrichment": [
            "Reference",
            "REFERENCES",
            "Enrichment",
            "enrichment_factors",
            "element_ratios",
            "critical_metals",
        ],
    },
)
