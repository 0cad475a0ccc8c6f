"""Tables on ranks of held-out occurrences, by hand."""

import numpy as np
import pytest

from gossan.studies import occurrence_scores as scoring

CAMPS = np.array([0, 0, 1, 1])
SHARES = {
    ("fit", "forest"): np.array([[0.0, 0.0, 0.0, 0.0]]),
    ("blocks", "index"): np.array([[0.2, 0.3, 0.05, 0.25]]),
    ("blocks", "forest"): np.array([[0.0, 0.1, 0.0, 0.3], [0.2, 0.1, 0.0, 0.1]]),
    ("blocks", "distance"): np.array([[0.5, 0.6, 0.4, 0.5]]),
}
KINDS = {"index": "label-free", "forest": "model", "distance": "baseline"}


def test_auc_and_capture_follow_from_the_shares():
    table = scoring.score_table(SHARES, CAMPS, KINDS).set_index(["protocol", "method"])
    forest = table.loc["blocks", "forest"]
    # means over the two runs: 0.1, 0.1, 0.0, 0.2
    assert forest["auc"] == pytest.approx(0.9)
    assert (forest["captured_10"], forest["n"], forest["n_runs"]) == (3, 4, 2)
    assert forest["density_10"] == pytest.approx(7.5)
    assert forest["auc_low"] <= 0.9 <= forest["auc_high"]


def test_each_method_is_compared_with_the_best_simple_one():
    table = scoring.comparison_table(SHARES, CAMPS, KINDS).set_index("method")
    assert set(table["against"]) == {"index"}
    assert table.loc["forest", "difference"] == pytest.approx(0.1)
    assert table.loc["distance", "difference"] == pytest.approx(-0.3)


def test_the_simplest_within_a_hundredth_of_the_best_is_chosen():
    shares = {
        ("blocks", "index"): np.array([[0.105, 0.1, 0.1, 0.1]]),
        ("blocks", "forest"): np.array([[0.1, 0.1, 0.1, 0.1]]),
    }
    choice = scoring.choose(shares, CAMPS, ["index", "forest"])
    assert (choice.method, choice.best) == ("index", "forest")
    assert "simplest within 0.01" in choice.why


def test_a_clear_winner_is_chosen_and_no_loser_ties():
    choice = scoring.choose(SHARES, CAMPS, ["distance", "forest"])
    assert choice.method == "forest"
    assert choice.ties == ()


def test_the_null_counts_itself_in_its_p_value():
    nulls = {("blocks", "forest"): np.array([[0.5, 0.5, 0.5, 0.5], [0.05, 0.1, 0.0, 0.1]])}
    row = scoring.null_table(SHARES, nulls).iloc[0]
    assert row["null_mean"] == pytest.approx((0.5 + 0.9375) / 2)
    assert row["p_value"] == pytest.approx(2 / 3)  # one of two fakes ranks as high


def test_the_sentence_tells_count_interval_null_and_what_is_no_evidence():
    nulls = {("blocks", "forest"): np.full((3, 4), 0.5)}
    told = scoring.sentence(
        SHARES, "forest", km2=1234.0, folds="blocked 2-fold", nulls=nulls, label_free="index"
    )
    assert told.startswith("3 of 4 held-out occurrences (75 %, 95 % CI 19 % to 99 %;")
    assert "top 10 % of the 1,234 km² supported area" in told
    assert "fake patterns capture 0 % there (at most 0 %)" in told
    assert "index, which needs no labels, captures 1" in told
    assert "captures 100 % (not evidence)" in told
    untaught = scoring.sentence(
        SHARES, "forest", km2=1234.0, folds="blocked 2-fold", nulls=nulls, label_free="index",
        is_taught=False,
    )  # fmt: skip
    assert untaught == told.partition("; on the occurrences it was trained on")[0] + "."


def test_curves_rise_from_nothing_to_all():
    table = scoring.curve_table(SHARES)
    own = table[(table["protocol"] == "blocks") & (table["method"] == "index")]
    assert own["captured"].iloc[0] == 0.0
    assert own["captured"].iloc[-1] == 1.0
    assert (np.diff(own["captured"]) >= 0).all()


def test_curves_bear_the_exact_interval_of_each_share():
    table = scoring.curve_table(SHARES)
    own = table[(table["protocol"] == "blocks") & (table["method"] == "index")]
    none, everything = own.iloc[0], own.iloc[-1]
    # None or all of four: the other end is the fourth root of 0.025 away.
    assert (none["captured_low"], everything["captured_high"]) == (0.0, 1.0)
    assert everything["captured_low"] == pytest.approx(0.025**0.25)
    assert none["captured_high"] == pytest.approx(1 - 0.025**0.25)
