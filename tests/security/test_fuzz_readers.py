"""Damaged files of every format, and forged models: read, or refused in words that name the file.

A few each here; `bench/robustness.py` tries thousands.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BENCH = Path(__file__).parents[2] / "bench"
sys.path.insert(0, str(BENCH))
import _fuzz_seeds  # noqa: E402
import _fuzzing  # noqa: E402

sys.path.remove(str(BENCH))

SEEDS = {seed.name: seed for seed in _fuzz_seeds.all_seeds()}
SLOW = ("DenseClassifier", "DeepAutoencoder")  # whose training takes seconds; the bench has them
QUICK = settings(max_examples=6, suppress_health_check=list(HealthCheck), deadline=None)


def test_every_class_that_can_be_saved_and_every_reader_is_tried():
    from gossan.saving import CLASSES

    assert set(CLASSES) <= set(SEEDS)
    readers = {"read_assays", "read_drillholes", "read_grid", "read_points", "read_surfaces",
               "read_arrays", "RunFolder.kept", "read_study", "summarise_run", "load_model"}  # fmt: skip
    assert readers <= {seed.reader for seed in SEEDS.values()}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="children are forked")
@pytest.mark.parametrize("name", [name for name in SEEDS if name not in SLOW])
def test_damaged_files_are_read_or_named(name):
    outcome = _fuzzing.fuzz(SEEDS[name], 8, random_state=3)
    assert outcome.faults == []
    assert sum(outcome.counts.values()) == 8


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of a sound file of each format, made once."""
    made = {}

    def make(name):
        if name not in made:
            home = tmp_path_factory.mktemp("whole")
            made[name] = (home, SEEDS[name].make(home).relative_to(home))
        return made[name]

    return make


@pytest.mark.parametrize(
    "name", ["assays .csv", "2D grid .vti", "surface .dxf", "study genesis .toml"]
)
@QUICK
@given(data=st.data())
def test_any_edit_of_a_text_is_read_or_named(name, whole, tmp_path, data):
    home, opened = whole(name)
    text = (home / opened).read_bytes()
    place = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(place, min(place + 50, len(text))))
    (tmp_path / opened).write_bytes(text[:place] + data.draw(st.binary(max_size=60)) + text[end:])
    told, said = _fuzzing.open_one(SEEDS[name], tmp_path / opened)
    assert told in {"accepted", "refused"}, said


def test_a_fault_is_seen(tmp_path):
    """The fuzzer itself: what raises, ends the program or does not name the file is counted."""
    import os

    def seed(read):
        return _fuzz_seeds.Seed("planted", "planted", lambda f: write(f / "a.txt"), read)

    def write(path):
        path.write_text("sound")
        return path

    def reading(act):
        return lambda path: act(path) if path.read_text(errors="replace") != "sound" else None

    def no_name(path):
        raise ValueError("this message is long enough, yet it does not say which file it is about")

    def other(path):
        raise KeyError(path.name)

    def crash(path):
        os._exit(9)

    for act, kind in ((no_name, "fault"), (other, "fault"), (crash, "crash")):
        outcome = _fuzzing.fuzz(seed(reading(act)), 6, random_state=1)
        assert outcome.counts[kind] == len(outcome.faults) >= 4
        assert sum(outcome.counts.values()) == 6


def test_damage_changes_what_it_is_given():
    rng = np.random.default_rng(0)
    text = b"easting,northing\n10,20\n" * 9
    changed = [_fuzzing.damage(text, rng, b"other") for _ in range(200)]
    assert sum(each != text for each in changed) > 180
    assert len({len(each) for each in changed}) > 50
