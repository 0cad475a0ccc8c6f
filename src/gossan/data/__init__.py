"""What we have: analyses from the laboratory, drill holes, grids, and the lines of a map.

Tables and files go in; frozen records, grids and (Geo)DataFrames come out, with units, masks of
censored cells and a report of what was found.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "assays": ["read_assays", "Assays"],
        "tables.quality": ["QualityReport"],
        "tables.screening": ["Finding"],
        "holes.reading": ["read_drillholes"],
        "holes.drillholes": ["DrillHoles"],
        "holes.report": ["HoleReport"],
        "holes.desurvey": ["desurvey_hole", "direction_vectors", "turn_angles"],
        "holes.compositing": ["composite", "Composites"],
        "holes.intercepts": ["significant_intercepts", "Intercepts"],
        "grids.grid": [
            "make_grid",
            "grid_at",
            "check_grid",
            "add_layer",
            "cell_centres",
            "cell_volume",
            "region_of",
            "same_grid",
            "check_same_grid",
        ],
        "grids.tables": ["grid_to_table", "table_to_grid"],
        "grids.files": ["read_grid", "write_grid"],
        "grids.outlines": ["outline_cells", "distances_to"],
        "grids.styles": ["write_percentile_style"],
        "grids.masking": ["grid_mask", "mask_grid"],
        "grids.resampling": ["align_grids", "rotate_grid", "crop"],
        "grids.stacking": ["stack_layers", "grid_differences"],
        "grids.marked_cells": ["read_marked_cells"],
        "grids.rasterising": ["rasterise", "match_crs"],
        "surfaces.record": ["Surface"],
        "surfaces.files": ["read_surfaces", "write_surfaces"],
        "ground": ["read_ground", "ground_of_collars"],
        "vectors": ["read_vectors", "read_occurrences"],
        "vector_writing": ["write_vectors"],
        "grids.polydata": ["write_points", "read_points"],
    },
)
