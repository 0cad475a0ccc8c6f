"""Files and folders that are written whole or not at all.

The path of a file comes in; a temporary one goes out, which takes its place in the end.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place once all is written.

    The ending stays, as writers choose a format by it. A file of old stays whole if writing fails.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {path.parent} to write {path.name} into. Make it first."
        )
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    temporary = folder / path.name
    try:
        yield temporary
        if path.is_dir():  # which no rename replaces
            _swap_folders(temporary, path, folder / "old")
        else:
            temporary.replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _swap_folders(fresh: Path, path: Path, old: Path) -> None:
    """Put a folder in the place of another, or leave that one where it is."""
    path.rename(old)
    try:
        fresh.replace(path)
    except OSError:
        old.rename(path)
        raise
