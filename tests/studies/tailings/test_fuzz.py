"""Tables of samples and of drill holes at random: samples in space, or a ValueError in words."""

import warnings

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.simulate import simulate_tailings
from gossan.studies.tailings.holes import read_hole_samples
from gossan.studies.tailings.tables import read_samples

MADE = simulate_tailings("dump", n_samples=80, random_state=0).table
FIRST = MADE.drop_duplicates("hole")
HOLES = {
    "collar": FIRST[["hole", "easting", "northing"]].assign(elevation=100.0),
    "survey": pd.DataFrame({"hole": FIRST["hole"], "depth": 0.0, "azimuth": 0.0, "dip": -90.0}),
    "assay": MADE[["hole", "from", "to", "Cu", "Mo"]].reset_index(drop=True),
}
FIXES = [
    "unknown holes",
    "duplicate intervals",
    "reversed intervals",
    "empty intervals",
    "overlaps",
]
cells = st.sampled_from(
    ["", "<5", "-5", "bdl", "n/a", "-9999", "0", "1e9", "12..5", "x", "inf", ">100", "3,5", None]
)
quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def spoil(table, draw, n_cells):
    """Return the table as text with some cells replaced at random."""
    words = table.astype(object)
    for _ in range(n_cells):
        row = draw(st.integers(0, len(words) - 1))
        words.iloc[row, draw(st.integers(0, words.shape[1] - 1))] = draw(cells)
    return words


def check(read):
    """Samples whose parts fit and hold no gap, or a message; all else fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)
        try:
            samples = read()
        except ValueError as error:
            message = str(error)
        else:
            message = ""
    if message:
        assert message.rstrip()[-1] in ".?"
        return
    n = len(samples.coords)
    assert n == len(samples.values) == len(samples.covariates) == len(samples.is_censored) >= 30
    assert np.isfinite(samples.coords).all()
    assert np.isfinite(samples.values.to_numpy()).all()
    assert (samples.values.to_numpy() >= 0).all()
    assert samples.holes is None or len(samples.holes) == n


@quick
@given(st.data())
def test_points_are_read_or_refused_in_words(data):
    table = spoil(MADE.drop(columns=["from", "to"]), data.draw, data.draw(st.integers(0, 8)))
    kept = data.draw(st.permutations(list(table.columns)))[
        : data.draw(st.integers(4, len(table.columns)))
    ]
    errors = data.draw(st.sampled_from(["raise", "missing"]))
    check(lambda: read_samples({"table": table[kept], "errors": errors}))


@quick
@given(st.data())
def test_drill_holes_are_read_or_refused_in_words(data):
    which = data.draw(st.sampled_from(list(HOLES)))
    tables = {**HOLES, which: spoil(HOLES[which], data.draw, data.draw(st.integers(0, 5)))}
    errors = data.draw(st.sampled_from(["raise", "missing"]))
    check(
        lambda: read_hole_samples(
            {**tables, "dip": "down_negative", "errors": errors},
            composite=4.0,
            min_coverage=0.1,
            fix=FIXES,
        )
    )


def test_the_tables_as_they_are_can_be_read():
    assert len(read_samples({"table": MADE.drop(columns=["from", "to"])}).coords) == len(MADE)
    assert len(read_hole_samples({**HOLES, "dip": "down_negative"}).coords) == len(MADE)
