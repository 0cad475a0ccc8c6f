"""Tables of labels and of ground at random: sites in order, or a ValueError in words."""

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gossan.studies.transfer import sections
from gossan.studies.transfer.tables import read_sites
from gossan.studies.transfer.unlabelled import read_ground

rng = np.random.default_rng(3)
LABELS = pd.DataFrame(rng.normal(size=(20, 3)).round(3), columns=["A", "B", "C"])
LABELS = LABELS.assign(easting=rng.uniform(0, 9e4, 20), northing=rng.uniform(0, 9e4, 20))
LABELS.insert(0, "label", np.repeat([1, 0], 10))
GROUND = pd.DataFrame(rng.normal(size=(25, 3)).round(3), columns=["C", "A", "B"])
cells = st.sampled_from(
    ["", "<5", "n/a", "-9999", "0", "1e9", "12..5", "x", "inf", "nan", "3,5", "=1+1", "é\u202e", None,
     "</script>", "-3.4028235e+38", "1", "yes"]
)  # fmt: skip
quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def spoil(table, draw, n_cells):
    """Return the table as text with some cells replaced at random."""
    words = table.astype(object)
    for _ in range(n_cells):
        row = draw(st.integers(0, len(words) - 1))
        words.iloc[row, draw(st.integers(0, words.shape[1] - 1))] = draw(cells)
    return words


@quick
@given(data=st.data())
def test_spoiled_tables_are_read_or_refused_in_words(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    separator = data.draw(st.sampled_from([",", ";", "\t"]))
    spoiled = spoil(LABELS, data.draw, data.draw(st.integers(0, 6)))
    spoiled.to_csv(folder / "labels.csv", index=False, sep=separator)
    ground = spoil(GROUND, data.draw, data.draw(st.integers(0, 3)))
    ground.to_csv(folder / "ground.csv", index=False)
    try:
        sites = read_sites(sections.labels(table="labels.csv"), folder)
        found = read_ground(sections.background(table="ground.csv"), folder, sites)
    except ValueError as error:
        told = str(error)
    else:
        told = ""
    if told:
        assert len(told) > 30  # says what is wrong and what to do
        return
    assert np.isfinite(sites.X).all()
    assert np.isfinite(sites.coords).all()
    assert set(sites.y) == {0, 1}
    assert sites.counts.sum() == len(sites.rows.y) <= len(LABELS)
    assert found.X.shape[1] == sites.X.shape[1] == len(sites.names)
    assert np.isfinite(found.X).all()
