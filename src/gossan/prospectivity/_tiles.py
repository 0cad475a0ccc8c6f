"""Finished tiles of a map in a folder, so that a broken run goes on; and the area rank of its cells.

Tiles of numbers come in one at a time and are found again by whoever does the same work later; the
percentile of any score among all of them goes out, exact, with the scores sorted on disk.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gossan._checks import GossanWarning

Floats = NDArray[np.float32]
JOB, SORTED = "job.json", "sorted.f32"


class TileFolder:
    """Tiles of shape (n_maps, ny, nx) by their number, each written whole or not at all.

    Parameters
    ----------
    folder : Path
        Made if it is not there; what another job left in it is discarded with a warning.
    fingerprint : str
        Of all that the tiles depend on.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        if folder.exists() and self._known() != fingerprint:
            warnings.warn(
                f"Unfinished tiles in {folder} are of another model, other rasters or options and"
                " are discarded. Write to another file to keep both.",
                GossanWarning,
                stacklevel=3,
            )
            shutil.rmtree(folder)
        if not folder.exists():
            folder.mkdir()
            (folder / JOB).write_text(json.dumps({"fingerprint": fingerprint}), encoding="utf-8")

    def _known(self) -> str | None:
        try:
            return str(json.loads((self.folder / JOB).read_text(encoding="utf-8"))["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def done(self) -> set[int]:
        """Return the numbers of the tiles that are there."""
        return {int(path.stem) for path in self.folder.glob("*.npy") if path.stem.isdigit()}

    def write(self, number: int, maps: Floats) -> None:
        """Keep a tile; killed in between, it is not there."""
        draft = self.folder / f"{number}.part"
        with draft.open("wb") as file:
            np.save(file, maps)
        draft.replace(self.folder / f"{number}.npy")

    def read(self, number: int) -> Floats:
        """Return a tile."""
        return np.load(self.folder / f"{number}.npy", allow_pickle=False)

    def discard(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder)


class AreaRanks:
    """Ranks among all scores of finished tiles; the scores lie sorted on disk, not in memory.

    Parameters
    ----------
    tiles : TileFolder
    numbers : iterable of int
        Of the tiles; the first map of each is the score.
    """

    def __init__(self, tiles: TileFolder, numbers: list[int]) -> None:
        path = tiles.folder / SORTED
        self.n = 0
        with path.open("wb") as file:
            for known in _scores(tiles, numbers):
                known.tofile(file)
                self.n += len(known)
        self._scores = np.empty(0, dtype=np.float32)
        if self.n:
            self._scores = np.memmap(path, dtype=np.float32, mode="r+")
            self._scores.sort()

    def percentile(self, score: Floats) -> Floats:
        """Return the share of all scored cells [%] that score less, ties half; NaN stays NaN."""
        out = np.full(score.shape, np.nan, dtype=np.float32)
        is_known = ~np.isnan(score)
        values, inverse = np.unique(score[is_known], return_inverse=True)
        below = np.searchsorted(self._scores, values, side="left")
        up_to = np.searchsorted(self._scores, values, side="right")
        out[is_known] = (50.0 * (below + up_to) / max(self.n, 1))[inverse]
        return out


def _scores(tiles: TileFolder, numbers: list[int]) -> Iterator[Floats]:
    for number in numbers:
        score = tiles.read(number)[0]
        yield score[~np.isnan(score)]
