"""Damaged and forged files by the thousand: each must be read, or refused in words that name it.

Seeds and a number come in; counts of what became of the files go out. Every file is opened in a child
process with a limit on its memory, so that a crash or a file that never ends is counted, too.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import multiprocessing
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from _fuzz_seeds import Seed, leaves, sign

Files = dict[str, bytes]

MEMORY = 1 << 30  # bytes that reading one small file may take beyond what the program has
SECONDS = 20.0  # after which a file is taken for one that never ends
ODD = (
    b"\0", b"\xff" * 8, b"-", b"9" * 30, b"1e999", b"nan", b"\n", b'"', b"<", b"[" * 64, b"{", b"../",
    b"=cmd|' /C calc'!A0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"&a;", b"\xc3\x28",
)  # fmt: skip
JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 2**40, -(2**70), 1e308, "", "os.system", "../..", [], {}, [0, 0], ["a"],
    {"class": "BoostedTrees"}, [10**9, 10**9], "x" * 5000,
)  # fmt: skip


@dataclass
class Outcome:
    """What became of the files of a reader."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def add(self, other: Outcome) -> None:
        """Take in the counts of another."""
        self.counts.update(other.counts)
        self.faults += other.faults
        self.slowest = max(self.slowest, other.slowest)


def files_of(home: Path) -> Files:
    """Return the files of a folder by their path in it."""
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def damage(data: bytes, rng: np.random.Generator, other: bytes = b"") -> bytes:
    """Return bytes cut short, or with some changed, dropped, doubled, blanked or spliced in."""
    if data[:4] == b"PK\3\4" and rng.random() < 0.6:
        with contextlib.suppress(Exception):  # spoilt before, so that it cannot be unpacked
            return _damage_inside(data, rng)
    place, length = int(rng.integers(len(data) + 1)), int(rng.integers(1, 64))
    before, after = data[:place], data[place + length :]
    odd = ODD[int(rng.integers(len(ODD)))]
    start = int(rng.integers(len(other) + 1))
    ways = (
        lambda: before,
        lambda: before + after,
        lambda: data[: place + length] + data[place:],
        lambda: before + odd + data[place + len(odd) * int(rng.integers(2)) :],
        lambda: before + other[start : start + 40 * length] + after,
        lambda: _other_number(data, rng),
        lambda: before + after[:length] + data[place : place + length] + after[length:],
        lambda: rng.integers(0, 256, int(rng.integers(1, 2000)), dtype=np.uint8).tobytes(),
        lambda: _other_bytes(data, rng),
    )
    return ways[int(rng.integers(len(ways)))]()


def _other_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for at in rng.integers(0, max(len(data), 1), int(rng.integers(1, 12))):
        changed[at : at + 1] = bytes([int(rng.integers(256))])
    return bytes(changed)


def _damage_inside(data: bytes, rng: np.random.Generator) -> bytes:
    """Return an archive with one part damaged and packed anew, so that no checksum tells."""
    fresh = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(fresh, "w", 8) as new:
        names = old.namelist()
        victim = names[int(rng.integers(len(names)))]
        for name in names:
            part = old.read(name)
            new.writestr(name, damage(part, rng) if name == victim else part)
    return fresh.getvalue()


def _other_number(data: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes in which a number, in digits or in binary, is another, mostly absurd one."""
    value = int(
        rng.choice([0, 1, 255, 65_535, 10**6, 10**9, 2**31 - 1, 2**32 - 1, 10**12, 2**63 - 1])
    )
    numbers = list(re.finditer(rb"-?[0-9]+", data))
    if numbers and rng.random() < 0.5:
        hit = numbers[int(rng.integers(len(numbers)))]
        sign_of = b"-" if rng.random() < 0.2 else b""
        return data[: hit.start()] + sign_of + str(value).encode() + data[hit.end() :]
    width = int(rng.choice([2, 4, 8]))
    order = "little" if rng.random() < 0.7 else "big"
    place = int(rng.integers(max(len(data) - width, 1)))
    bits = (value & ((1 << 8 * width) - 1)).to_bytes(width, order)  # type: ignore[arg-type]
    return data[:place] + bits + data[place + width :]


def spoil(files: Files, rng: np.random.Generator) -> Files:
    """Return the files with one, or sometimes two, damaged or missing."""
    spoilt = dict(files)
    for _ in range(1 + (rng.random() < 0.15)):
        names = sorted(spoilt)
        victim = names[int(rng.integers(len(names)))]
        if len(names) > 1 and rng.random() < 0.08:
            del spoilt[victim]
            continue
        other = files[names[int(rng.integers(len(names)))]] if rng.random() < 0.5 else files[victim]
        spoilt[victim] = damage(spoilt[victim], rng, other)
    return spoilt


def forge(home: Path, rng: np.random.Generator) -> None:
    """Change what a saved model says or the arrays that it holds, and sign it anew."""
    from safetensors.numpy import load, save

    content = json.loads((home / "model.json").read_text(encoding="utf-8"))
    weights = load((home / "weights.safetensors").read_bytes())
    for _ in range(int(rng.integers(1, 4))):
        if weights and rng.random() < 0.5:
            _spoil_array(weights, rng)
            content["arrays"] = {n: [str(a.dtype), list(a.shape)] for n, a in weights.items()}
            continue
        places = list(leaves(content))
        path = places[int(rng.integers(len(places)))]
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        if rng.random() < 0.2 and isinstance(inner, dict):
            del inner[path[-1]]
        else:
            inner[path[-1]] = JUNK[int(rng.integers(len(JUNK)))]
    with contextlib.suppress(Exception):
        sign(home, content, save(weights))


def _spoil_array(weights: dict[str, Any], rng: np.random.Generator) -> None:
    name = sorted(weights)[int(rng.integers(len(weights)))]
    array = weights[name].copy()
    kind = rng.choice(["value", "cut", "cast", "flip", "drop", "turn"])
    if kind == "drop":
        del weights[name]
        return
    if kind == "value" and array.size:
        odd = (
            [-1, 0, 1, 2**31 - 1, -(2**31)]
            if array.dtype.kind == "i"
            else [np.nan, -1, 0, 1e300, np.inf]
        )
        with np.errstate(all="ignore"):
            array.flat[int(rng.integers(array.size))] = odd[int(rng.integers(len(odd)))]
    elif kind == "cut" and array.ndim:
        array = array[:-1]
    elif kind == "cast":
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = array.astype(rng.choice(["f4", "f8", "i4", "i8"]))
    elif kind == "flip":
        array = np.flip(array)
    elif kind == "turn":
        array = array.T
    weights[name] = np.ascontiguousarray(array)


def fuzz(seed: Seed, n: int, *, random_state: int = 0, keep: Path | None = None) -> Outcome:
    """Open `n` damaged copies of a seed, each in a child process with limits.

    Parameters
    ----------
    seed : Seed
    n : int
    random_state : int
        The same number damages the same way.
    keep : Path, optional
        Folder into which files that were at fault are put.

    Returns
    -------
    outcome : Outcome
        Counts of "accepted", "refused", "fault", "crash" and "hang".
    """
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "whole"
        home.mkdir()
        opened = seed.make(home).relative_to(home)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seed.read(home / opened)  # warms up, so that a child pays for the file alone
        start = 0
        while start < n:
            start = _run_child(seed, (home, opened), (start, n, random_state), outcome, keep)
    return outcome


def _run_child(
    seed: Seed,
    places: tuple[Path, Path],
    job: tuple[int, int, int],
    outcome: Outcome,
    keep: Path | None,
) -> int:
    """Let a child open files until it is done, dies or hangs; return where to go on."""
    home, opened = places
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(theirs, seed, home, opened, job))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads
        child.start()
    theirs.close()
    at, begun = job[0], time.perf_counter()
    while True:
        try:
            told = ours.recv() if ours.poll(SECONDS) else ("hang", "")
        except EOFError:
            told = ("crash", "") if at < job[1] else ("done", "")
        if told[0] == "done":
            break
        seconds = time.perf_counter() - begun
        outcome.counts[told[0]] += 1
        outcome.slowest = max(outcome.slowest, seconds)
        if told[0] not in {"accepted", "refused"}:
            outcome.faults.append(f"{seed.name} #{at}: {told[0]} {told[1]}".strip())
            if keep is not None:
                _keep(
                    keep / f"{re.sub(r'[^a-zA-Z0-9]+', '-', seed.name)}-{at}",
                    seed,
                    home,
                    at,
                    job[2],
                )
        at, begun = at + 1, time.perf_counter()
        if told[0] in {"crash", "hang"}:
            break
    if child.is_alive():
        child.kill()
    child.join()
    ours.close()
    return at


def _keep(place: Path, seed: Seed, home: Path, at: int, random_state: int) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    _lay_out(seed, files_of(home), place, np.random.default_rng([random_state, at]))


def _lay_out(seed: Seed, files: Files, place: Path, rng: np.random.Generator) -> None:
    """Write a damaged copy of the files."""
    is_forged = seed.is_signed and rng.random() < 0.7
    for name, data in (files if is_forged else spoil(files, rng)).items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if is_forged:
        forge(place / "model", rng)


def _work(pipe: Any, seed: Seed, home: Path, opened: Path, job: tuple[int, int, int]) -> None:
    """Open damaged files one after the other and tell what became of each."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    limit_memory(MEMORY)
    logging.disable(logging.CRITICAL)
    for number in (1, 2):  # what GDAL prints of a damaged file is no concern here
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    files = files_of(home)
    with tempfile.TemporaryDirectory() as folder:
        for at in range(job[0], job[1]):
            place = Path(folder) / "copy"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            _lay_out(seed, files, place, np.random.default_rng([job[2], at]))
            pipe.send(open_one(seed, place / opened))
    pipe.send(("done", ""))
    pipe.close()
    os._exit(0)


def open_one(seed: Seed, path: Path) -> tuple[str, str]:
    """Return what became of a file: accepted, refused, or at fault, with the words of the error."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            seed.read(path)
    except (ValueError, OSError) as error:
        said = str(error)
        names = {path.name, path.parent.name, *(each.name for each in path.parent.iterdir())}
        if path.is_dir():
            names |= {each.name for each in path.rglob("*")}
        if any(name in said for name in names) and len(said) > 40:
            return "refused", ""
        return "fault", f"does not name the file: {type(error).__name__}: {said[:200]}"
    except BaseException as error:  # noqa: BLE001, whatever else is raised is a fault to be counted
        return "fault", f"{type(error).__name__}: {str(error)[:200]}"
    return "accepted", ""


def limit_memory(n_bytes: int) -> None:
    """Allow this process so many bytes more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    if pages:
        most = pages * resource.getpagesize() + n_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def by_reader(
    seeds: Sequence[Seed], n: int, *, keep: Path | None = None
) -> Iterator[tuple[str, Outcome]]:
    """Fuzz all seeds and give the outcome of each reader, `n` files a seed."""
    for reader in dict.fromkeys(seed.reader for seed in seeds):
        total = Outcome()
        for seed in (each for each in seeds if each.reader == reader):
            total.add(fuzz(seed, n, keep=keep))
        yield reader, total
