"""From samples and grids to arrays: what estimators learn from, first axis the sample.

Coordinates, composites and grids of layers come in; labels, patches, sequences and training sets go
out. With `prospectivity`, which leads back, the only room that knows both geography and arrays.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "training_set": ["TrainingSet"],
        "cells": ["CellLabels", "label_cells", "draw_cells"],
        "occurrences": ["PlacedOccurrences", "place_occurrences"],
        "patches": ["layer_volume", "patches_at", "cells_of"],
        "edges": ["fill_edges", "edge_fraction"],
        "neighbours": ["NeighbourSequences", "neighbour_sequences", "leaking_sequences"],
    },
)
