"""Worlds with known truth, to try a method where the answer is planted.

A seed and a few sizes go in; tables like real ones come out, with the truth beside them.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "chemistry": ["simulate_mineral_chemistry", "SimulatedChemistry"],
        "deposit": ["simulate_deposit", "SimulatedDeposit", "DepositTruth", "FaultSurface"],
        "fields": ["simulate_field", "simulate_roughness", "SimulatedField"],
        "region": ["simulate_region", "SimulatedRegion", "RegionTruth"],
        "tailings": ["simulate_tailings", "SimulatedTailings", "TailingsTruth"],
    },
)
