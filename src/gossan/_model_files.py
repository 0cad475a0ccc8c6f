"""The two files of a saved model, as bytes: written whole or not at all, measured before read.

Arrays and JSON text go in and come out; `gossan.saving` says what they mean.
"""

from __future__ import annotations

import json
import math
import shutil
import stat
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODEL, WEIGHTS = "model.json", "weights.safetensors"
MOST_BYTES = {MODEL: 5_000_000, WEIGHTS: 500_000_000}
MOST_HEADER_BYTES = 4_000_000
DTYPES = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64}


def weights_bytes(arrays: Mapping[str, NDArray]) -> bytes:
    """Return arrays of the types that are stored as the bytes of a safetensors file."""
    from safetensors.numpy import save

    for name, array in arrays.items():
        if array.dtype not in {np.dtype(each) for each in DTYPES.values()}:
            raise ValueError(f"The array {name!r} is {array.dtype}. Store one of {list(DTYPES)}.")
    return save(dict(arrays))


def check_target(target: Path, *, overwrite: bool) -> None:
    """Raise if something is in the way that may not be replaced."""
    if not target.exists() and not target.is_symlink():
        return
    if not overwrite:
        raise ValueError(f"{target} exists already. Pass overwrite=True or another folder.")
    if (
        target.is_symlink()
        or not target.is_dir()
        or {p.name for p in target.iterdir()}
        != {
            MODEL,
            WEIGHTS,
        }
    ):
        raise ValueError(f"{target} is no saved model and is not overwritten. Pass another folder.")


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write the files beside the target, then rename: no half-written model is ever seen."""
    target.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex[:12]
    fresh = target.with_name(f".{target.name}.{mark}.new")
    old = target.with_name(f".{target.name}.{mark}.old")
    fresh.mkdir()
    try:
        for name, data in files.items():
            (fresh / name).write_bytes(data)
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except OSError:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def check_size(path: Path, n_bytes: int) -> None:
    """Raise if a file is larger than any sound one."""
    if n_bytes > MOST_BYTES[path.name]:
        raise ValueError(
            f"{path} is too large: {n_bytes} bytes, at most {MOST_BYTES[path.name]} are taken. "
            "Check that it is a saved model, or save a smaller one."
        )


def read_folder(home: Path) -> dict[str, bytes]:
    """Return the bytes of the two files; sizes and kinds are checked before anything is read."""
    found = sorted(path.name for path in home.iterdir()) if home.is_dir() else None
    if found != sorted(MOST_BYTES):
        raise ValueError(
            f"{home} must be a folder with exactly {MODEL} and {WEIGHTS}, got "
            f"{'no folder' if found is None else str(found)[:200]}. Pass the folder that "
            "save_model wrote."
        )
    for name in MOST_BYTES:
        about = (home / name).lstat()
        if not stat.S_ISREG(about.st_mode):
            raise ValueError(
                f"{home / name} is no plain file but a link or device. Copy the file itself."
            )
        check_size(home / name, about.st_size)
    data = {}
    for name, most in MOST_BYTES.items():
        with (home / name).open("rb") as file:
            data[name] = file.read(most + 1)
        check_size(home / name, len(data[name]))  # it may have grown since
    return data


def read_json(data: bytes) -> dict[str, Any]:
    """Return the mapping in strict JSON: no NaN, no infinity."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    content = json.loads(data.decode("utf-8"), parse_constant=refuse)
    if not isinstance(content, dict):
        raise ValueError("the JSON is not a mapping")  # noqa: TRY004, a bad file is a bad value
    return content


def read_weights(data: bytes, declared: Mapping[str, Any]) -> dict[str, NDArray]:
    """Return the arrays if header, sizes and what model.json declares agree."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, MOST_HEADER_BYTES):
        raise ValueError(f"the header of {WEIGHTS} is said to have {length} bytes: no safetensors")
    header = read_json(data[8 : 8 + length])
    told = {
        name: [np.dtype(DTYPES[entry["dtype"]]).name, entry["shape"]]
        for name, entry in header.items()
    }
    if told != declared:
        raise ValueError(f"the arrays of {WEIGHTS} are not those that {MODEL} declares")
    n_bytes = sum(math.prod(shape) * np.dtype(kind).itemsize for kind, shape in told.values())
    if n_bytes != len(data) - 8 - length:
        raise ValueError(f"the arrays need {n_bytes} bytes, the file has {len(data) - 8 - length}")
    try:
        arrays = load(data)
    except SafetensorError as error:
        raise ValueError(f"{WEIGHTS} is no safetensors file ({error})") from error
    read = {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}
    if read != told:
        raise ValueError(f"the arrays of {WEIGHTS} are not those of its header")
    return arrays
