"""What we have: assay tables as they come from the laboratory.

Tables go in; frozen records come out, with units, censored cells and a report of what was found.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "assays": ["read_assays", "Assays"],
        "quality": ["QualityReport"],
        "screening": ["Finding"],
    },
)
