"""`import gossan` costs next to nothing, and the rooms load what they need only when entered."""

import json
import statistics
import subprocess
import sys

import pytest

import gossan

HEAVY = ("torch", "matplotlib", "pandas", "sklearn", "scipy", "numpy", "lightgbm")
PROBE = """
import json, sys, time
start = time.perf_counter()
{statement}
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorted({{name.split(".")[0] for name in sys.modules}})]))
"""


def run_fresh(statement):
    """Return the seconds that a statement takes in a fresh interpreter and what it loaded."""
    answer = subprocess.run(
        [sys.executable, "-c", PROBE.format(statement=statement)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    seconds, modules = json.loads(answer.stdout)
    return seconds, set(modules)


def test_import_gossan_takes_under_half_a_second():
    assert statistics.median(run_fresh("import gossan")[0] for _ in range(3)) < 0.5


def test_import_gossan_loads_no_heavy_dependency():
    _, modules = run_fresh("import gossan")
    assert modules & set(HEAVY) == set()


def test_listing_the_face_loads_no_heavy_dependency():
    _, modules = run_fresh("import gossan; dir(gossan); gossan.__all__")
    assert modules & set(HEAVY) == set()


@pytest.mark.parametrize(
    "room", ["data", "geochem", "evidence", "models", "validation", "simulate"]
)
def test_entering_a_room_loads_neither_torch_nor_matplotlib(room):
    _, modules = run_fresh(
        f"import gossan; [getattr(gossan.{room}, n) for n in gossan.{room}.__all__]"
    )
    assert modules & {"torch", "matplotlib"} == set()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'gossan' has no attribute 'no_such_name'"):
        _ = gossan.no_such_name
