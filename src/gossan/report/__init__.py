"""One self-contained HTML page of a run: the verdict, how sure, why, and the data's state.

Texts, tables and figures go in as blocks; one file without links to elsewhere comes out. Beside it
may lie a 3D view, as self-contained: layers of a `Scene` go in. A map to explore (`MapView`) lies
beside it or in it.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "genesis": ["GenesisFindings", "genesis_report"],
        "deposit": ["DepositFindings", "deposit_report"],
        "tailings": ["TailingsFindings", "tailings_report"],
        "prospect": ["ProspectFindings", "prospect_report"],
        "page": ["write_report", "render_report", "Report", "Section"],
        "blocks": [
            "Text",
            "Finding",
            "Citations",
            "Table",
            "Figure",
            "Fact",
            "Facts",
            "Card",
            "Details",
            "SceneLink",
            "FindingList",
            "Part",
        ],
        "citing": ["Methods", "to_bibtex"],
        "figures": ["write_figures"],
        "trust": ["Answer", "TrustBox"],
        "scene": [
            "write_scene",
            "render_scene",
            "Scene",
            "Surface",
            "Traces",
            "Points",
            "Boxes",
            "Slices",
        ],
        "maps": [
            "map_view",
            "write_map",
            "render_map",
            "MapView",
            "MapLayer",
            "MapPoints",
            "MapLines",
            "MapPolygons",
        ],
        "scene_layers": ["score_shells", "grade_traces", "grid_slices", "target_boxes"],
    },
)
