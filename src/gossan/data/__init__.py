"""What we have: analyses from the laboratory, drill holes, grids, and the lines of a map.

Tables and files go in; frozen records, grids and (Geo)DataFrames come out, with units, masks of
censored cells and a report of what was found.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "assays": ["read_assays", "Assays"],
        "quality": ["QualityReport"],
        "screening": ["Finding"],
        "holereading": ["read_drillholes"],
        "drillholes": ["DrillHoles"],
        "holereport": ["HoleReport"],
        "desurvey": ["desurvey_hole", "direction_vectors", "turn_angles"],
        "compositing": ["composite", "Composites"],
        "intercepts": ["significant_intercepts", "Intercepts"],
        "grids": ["make_grid", "grid_at", "check_grid", "add_layer"],
        "gridtables": ["grid_to_table", "table_to_grid"],
        "gridfiles": ["read_grid", "write_grid"],
        "masking": ["grid_mask", "mask_grid"],
        "resampling": ["align_grids", "rotate_grid", "crop"],
        "vectors": ["read_vectors", "read_occurrences"],
        "polydata": ["write_points", "read_points"],
    },
)
