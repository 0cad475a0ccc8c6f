"""Held-out scores judged: numbers by hand, ranks and not raw scores, intervals over whole holes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gossan.studies.deposit import judging
from gossan.studies.deposit.judging import (
    advise,
    compare_to_baselines,
    fold_table,
    judge,
    null_table,
    score_table,
    success_rates,
)
from gossan.studies.deposit.trust import FoldScores


def made(is_ore, holes, **scores):
    """Return a fold with a run a method; "maxent_1" is its seed 1."""
    runs = [(name.replace("_1", "").replace("_", " "), int(name.endswith("_1"))) for name in scores]
    return FoldScores(
        np.asarray(is_ore, dtype=bool),
        np.asarray(holes, dtype=str),
        np.arange(len(is_ore)),
        np.array(list(scores.values()), dtype=np.float32),
        np.array([name for name, _ in runs]),
        np.array([seed for _, seed in runs]),
    )


@pytest.fixture
def folds():
    """Two folds: in the first, maxent ranks all ore first; in the second, all of it last."""
    first = made([1, 1, 0, 0, 0], list("AABBB"), kriged_ore=[5, 0, 1, 2, 3], maxent=[9, 8, 1, 2, 3])
    second = made([1, 0, 0], list("CCD"), kriged_ore=[1, 0, 0], maxent=[0, 5, 6])
    return [first, second]


@pytest.fixture
def field():
    """Forty holes of ten cells each in four folds, ore in a run of three in every second hole."""
    rng = np.random.default_rng(0)
    parts = []
    for part in range(4):
        holes = np.repeat([f"H{part}{hole}" for hole in range(10)], 10)
        is_ore = np.tile(np.r_[np.arange(10) // 3 == 1, np.zeros(10, dtype=bool)], 5)
        noise = rng.normal(size=100)
        parts.append(
            replace(
                made(
                    is_ore, holes,
                    kriged_ore=noise, maxent=noise + 2.0 * is_ore, mixture=rng.normal(size=100),
                ),
                composites=np.arange(100) + 100 * part,
            )
        )  # fmt: skip
    return parts


def rich(parts):
    return np.concatenate([part.is_ore for part in parts])


def holes_of(parts):
    return np.concatenate([part.holes for part in parts])


def test_a_ranking_is_judged_by_hand():
    is_ore = np.zeros(1000, dtype=bool)
    is_ore[:20] = True
    scores = -np.arange(1000.0)
    found = judge(is_ore, scores)
    assert found["auc"] == 1.0
    assert found["ap"] == 1.0
    assert found["capture_0.2"] == 0.1
    assert found["capture_1"] == 0.5
    assert found["capture_5"] == 1.0
    assert found["enrichment_1"] == 50.0
    assert found["prevalence"] == 0.02
    assert found["f1_all_ore"] == pytest.approx(0.04 / 1.02)
    scores[:10] = np.nan  # not scored: last
    assert judge(is_ore, scores)["auc"] == pytest.approx(0.5)


def test_average_precision_by_hand():
    found = judge(np.array([True, False, True, False]), np.array([4.0, 3.0, 2.0, 1.0]))
    assert found["ap"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["auc"] == pytest.approx(0.75)


def test_ties_count_half():
    assert judge(np.array([True, False, False]), np.ones(3))["auc"] == 0.5


def test_a_score_of_all_ore_has_no_auc_and_does_not_fail():
    found = judge(np.ones(3, dtype=bool), np.arange(3.0))
    assert np.isnan(found["auc"])
    assert found["ap"] == 1.0


def test_every_fold_method_and_seed_has_a_row(folds):
    table = fold_table("holes", folds)
    assert table[["fold", "method"]].to_numpy().tolist() == [
        [0, "kriged ore"], [0, "maxent"], [1, "kriged ore"], [1, "maxent"],
    ]  # fmt: skip
    assert table["auc"].tolist() == [0.5, 1.0, 1.0, 0.0]


def test_the_pooled_auc_is_the_mean_over_ore_cells_not_over_folds(folds):
    table = score_table("holes", folds).set_index("method")
    assert table.loc["maxent", "auc"] == pytest.approx(2 / 3)
    assert table.loc["kriged ore", "auc"] == pytest.approx(2 / 3)
    assert table.loc["maxent", ["n", "n_ore", "n_folds", "n_seeds"]].tolist() == [8, 3, 2, 1]
    assert table["prevalence"].tolist() == [3 / 8, 3 / 8]
    assert table["kind"].tolist() == ["baseline", "model"]


def test_a_fold_on_another_scale_changes_nothing(field):
    scaled = [*field[:3], replace(field[3], scores=field[3].scores * 100.0 + 5000.0)]
    for judged in (score_table, compare_to_baselines, success_rates):
        first = judged("holes", field)
        assert len(first)
        pd.testing.assert_frame_equal(first, judged("holes", scaled))
    options = {"names": ["maxent"], "n_nulls": 19}
    tables = [
        null_table("holes", each, rich(field), holes_of(field), **options)
        for each in (field, scaled)
    ]
    pd.testing.assert_frame_equal(*tables)


def test_the_order_of_folds_changes_no_score(field):
    one, other = score_table("holes", field), score_table("holes", field[::-1])
    for column in ("auc", "ap", "capture_5", "n"):
        np.testing.assert_allclose(one[column], other[column])


def test_intervals_are_those_of_holes_not_of_cells():
    """Half of the holes are ranked first whole, half last: a hundred cells are but ten holes."""
    holes = np.r_[np.repeat(list("ABCDEFGHIJ"), 10), np.repeat("Z", 50)]
    is_ore = np.arange(150) < 100
    good = np.repeat([1, 0] * 5, 10)
    scores = np.r_[np.where(good, 2.0, 0.0), np.ones(50)]
    row = score_table("holes", [made(is_ore, holes, maxent=scores)]).iloc[0]
    assert row["auc"] == 0.5
    # The share of good holes among ten: binomial, 0.2 to 0.8 in 95 %.
    assert row["auc_low"] == pytest.approx(0.2, abs=0.051)
    assert row["auc_high"] == pytest.approx(0.8, abs=0.051)
    one_a_cell = made(is_ore, np.arange(150), maxent=scores)
    narrow = score_table("holes", [one_a_cell]).iloc[0]
    assert narrow["auc_high"] - narrow["auc_low"] < 0.25


def test_seeds_are_averaged_and_their_spread_is_told():
    fold = made([1, 0, 0], list("AAB"), maxent=[3, 1, 2], maxent_1=[1.5, 1, 2])
    row = score_table("holes", [fold]).iloc[0]
    assert row["n_seeds"] == 2
    assert row["auc"] == pytest.approx(0.75)
    assert row["auc_sd"] == pytest.approx(np.std([1.0, 0.5], ddof=1))
    assert row["n"] == 3


def test_a_method_that_is_not_in_every_fold_is_not_compared(folds):
    lone = replace(
        folds[1], scores=folds[1].scores[:1], methods=folds[1].methods[:1], seeds=folds[1].seeds[:1]
    )
    assert score_table("holes", [folds[0], lone])["method"].tolist() == ["kriged ore"]


def test_a_better_model_has_a_positive_difference_from_the_best_baseline(field):
    worse = [
        replace(
            part,
            scores=np.vstack([part.scores, part.scores[0] - 5.0 * part.is_ore]),
            methods=np.append(part.methods, "distance to fault"),
            seeds=np.append(part.seeds, 0),
        )
        for part in field
    ]
    table = compare_to_baselines("holes", worse).set_index("method")
    assert set(table.index) == {"maxent", "mixture"}
    assert set(table["best_baseline"]) == {"kriged ore"}
    row = table.loc["maxent"]
    scores = score_table("holes", worse).set_index("method")["auc"]
    assert row["difference"] == pytest.approx(scores["maxent"] - scores["kriged ore"])
    assert 0 < row["low"] < row["difference"] < row["high"]
    assert table.loc["mixture", "low"] < 0 < table.loc["mixture", "high"]


def test_without_a_baseline_there_is_nothing_to_compare_with():
    assert not len(compare_to_baselines("holes", [made([1, 0], list("AB"), maxent=[1, 0])]))


def test_success_rates_rise_from_none_to_all(folds):
    table = success_rates("holes", folds)
    for _, own in table.groupby("method"):
        assert own["captured"].is_monotonic_increasing
        assert own["captured"].iloc[-1] == 1.0
        assert own["share"].iloc[0] == 0.0


def test_the_best_share_holds_what_it_holds():
    fold = made(np.arange(100) < 10, np.repeat("A", 100), maxent=-np.arange(100.0))
    table = success_rates("holes", [fold])
    captured = np.interp([0.0499, 0.1], table["share"], table["captured"])
    assert captured[0] == pytest.approx(0.5, abs=0.1)
    assert captured[1] == pytest.approx(1.0)


def test_moved_ore_scores_a_half_and_only_a_real_score_beats_it(field):
    table = null_table(
        "holes", field, rich(field), holes_of(field), names=["mixture", "maxent", "DAE"]
    ).set_index("method")
    assert set(table.index) == {"mixture", "maxent"}
    assert table["null_mean"].to_numpy() == pytest.approx(0.5, abs=0.03)
    assert table.loc["maxent", "p_value"] == pytest.approx(0.01)
    assert table.loc["mixture", "p_value"] > 0.05
    assert table.loc["maxent", "auc"] > table.loc["maxent", "null_max"]


def test_moved_ore_keeps_its_amount_and_its_runs(field):
    holes = holes_of(field)
    members = [np.flatnonzero(holes == hole) for hole in np.unique(holes)]
    moved = judging._moved(rich(field), members, np.random.default_rng(0))
    assert moved.sum() == rich(field).sum()
    assert not np.array_equal(moved, rich(field))
    for own in members:
        assert moved[own].sum() in (0, 3)
        borders = (moved[own] != np.roll(moved[own], 1)).sum()
        assert borders in (0, 2)  # one run still, shifted along the hole


def test_no_null_tests_give_no_rows(field):
    assert not len(
        null_table("holes", field, rich(field), holes_of(field), names=["maxent"], n_nulls=0)
    )


def row(low, difference, high):
    return pd.DataFrame(
        [
            {
                "method": "held-out trees", "best_baseline": "kriged ore",
                "low": low, "difference": difference, "high": high,
            },
            {
                "method": "DAE", "best_baseline": "kriged ore",
                "low": -0.4, "difference": -0.3, "high": -0.2,
            },
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("holes", "depth", "chosen", "told"),
    [
        ((0.01, 0.1, 0.2), (-0.1, 0.0, 0.1), "held-out trees", "beats the best baseline.*holes"),
        ((0.01, 0.1, 0.2), (-0.3, -0.2, -0.1), "kriged ore",
         r"'depth'.*by 0\.200.*0\.100 to 0\.300"),
        ((-0.1, 0.05, 0.2), (-0.1, 0.0, 0.1), "held-out trees",
         r"does not beat.*\(kriged ore\).*as good a guide"),
    ],
)  # fmt: skip
def test_a_baseline_that_wins_makes_the_map(holes, depth, chosen, told):
    method, why = advise({"holes": row(*holes), "depth": row(*depth)}, "held-out trees")
    assert method == chosen
    assert pd.Series(why).str.contains(told, regex=True).all(), why


def test_nearness_of_samples_makes_no_map_and_is_told():
    def row(difference, low, high, best):
        return pd.DataFrame(
            {
                "method": ["held-out trees"],
                "best_baseline": [best],
                "difference": [difference],
                "low": [low],
                "high": [high],
            }
        )

    compared = {
        "holes": row(0.05, 0.02, 0.08, "kriged ore"),
        "depth": row(-0.2, -0.3, -0.1, "distance to sample"),
    }
    method, why = advise(compared, "held-out trees")
    assert method == "held-out trees"
    assert "Under depth the mere nearness of samples ranks better still" in why
    assert "no baseline beats it" not in why
