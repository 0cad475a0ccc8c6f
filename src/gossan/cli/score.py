"""`gossan score`: a saved map model over rasters of any size, by tiles."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gossan.cli.talk import Progress


def run_score(options: argparse.Namespace) -> int:
    """Score rasters, and write a map with its style and, if asked for, targets."""
    from gossan.prospectivity import plan_rasters, score_rasters, write_raster_targets
    from gossan.prospectivity.map_targets import read_known
    from gossan.saving import load_model

    if options.known is not None:
        read_known(options.known, None)  # a fault is told before the long work, not after it
    model, _ = load_model(options.model)
    rasters = [_raster(word) for word in options.rasters]
    plan = plan_rasters(model, rasters, tile=options.tile, workers=options.workers)
    if not options.quiet:
        print(plan)
    with Progress(is_quiet=options.quiet) as progress:
        done = score_rasters(
            model, rasters, options.out, tile=options.tile, edges=options.edges,
            workers=options.workers, scheduler=options.scheduler, progress=progress,
        )  # fmt: skip
    print(f"{done}\nQGIS style: {done.style.name}")
    if options.targets is not None:
        found = write_raster_targets(
            options.out, options.targets, share=options.share, known=options.known
        )
        print(f"{found}: {options.targets.name}")
    return 0


def _raster(word: str) -> Any:
    """Return the path of a raster, or (layer, path) of one that is named LAYER=FILE."""
    layer, sign, path = word.partition("=")
    return (layer, Path(path)) if sign and layer and not Path(word).exists() else Path(word)
