"""The model that is shipped: verdicts, sets, doubt, saving, and the public table it rests on."""

import numpy as np
import pandas as pd
import pytest

from gossan.models import HierarchicalDiscriminant
from gossan.saving import load_model, save_model
from gossan.simulate import simulate_mineral_chemistry
from gossan.studies.genesis.deposit_types import DepositTypeModel, pooled_by_unit
from gossan.validation import cross_validate, group_folds


def folds_of(table, n_splits):
    return group_folds(
        table["deposit"].to_numpy(dtype=str),
        table["type"].to_numpy(dtype=str),
        n_splits=n_splits,
        min_groups=1,
    )


@pytest.fixture(scope="module")
def simulated():
    return simulate_mineral_chemistry(
        n_deposits=50, n_per_deposit=(6, 15), n_unknown=2, limit_factor=0.0, random_state=4
    )


@pytest.fixture(scope="module")
def known(simulated):
    table = simulated.table
    return table[table["type"] != "Unseen"].reset_index(drop=True)


@pytest.fixture(scope="module")
def elements(simulated):
    return list(simulated.elements)


@pytest.fixture(scope="module")
def model(known, elements):
    classifier = HierarchicalDiscriminant()
    validation = cross_validate(
        classifier, known[elements].to_numpy(), known["type"], groups=known["deposit"],
        cv=folds_of(known, 10),
    )  # fmt: skip
    return DepositTypeModel.train(classifier, known, elements=elements, validation=validation)


def test_verdicts_find_most_types_of_new_deposits(model, elements):
    new = simulate_mineral_chemistry(
        n_deposits=40, n_per_deposit=(6, 15), limit_factor=0.0, random_state=5
    ).table
    verdicts = model.verdicts(new[elements], new["deposit"]).set_index("deposit")
    truth = new.drop_duplicates("deposit").set_index("deposit")["type"]
    assert (verdicts["nearest"] == truth.loc[verdicts.index]).mean() > 0.6
    np.testing.assert_allclose(verdicts[model.classes].sum(axis=1), 1.0)


def test_sets_hold_the_truth_about_as_often_as_promised(model):
    calibrated = model.calibrator.predict_proba(model.held_out[model.classes].to_numpy())
    sets = model.sets.predict_sets(calibrated)
    held = [kind in s for kind, s in zip(model.held_out["type"], sets, strict=True)]
    assert 0.85 <= np.mean(held) <= 1.0


def test_absurd_deposits_are_none_of_these(model, known, elements):
    absurd = known[elements].head(8) * np.array([1e3, 1e-3] * 6)
    verdicts = model.verdicts(absurd, ["odd"] * 8)
    assert verdicts["verdict"].tolist() == ["none of these"]
    assert np.isnan(verdicts["probability"]).all()
    assert verdicts["nearest"].isin(model.classes).all()


def test_a_deposit_is_judged_the_same_alone_and_among_others(model, known, elements):
    everything = model.verdicts(known[elements], known["deposit"]).set_index("deposit")
    name = known["deposit"].iloc[0]
    own = known[known["deposit"] == name]
    alone = model.verdicts(own[elements], own["deposit"]).set_index("deposit")
    pd.testing.assert_frame_equal(alone, everything.loc[[name]], rtol=1e-6)


def test_missing_elements_are_taken(model, known, elements):
    holes = known[elements].head(20).copy()
    holes.iloc[::2, 3] = np.nan
    verdicts = model.verdicts(holes, known["deposit"].head(20))
    assert np.isfinite(verdicts[model.classes].to_numpy()).all()


def test_counts_of_dissent_add_up(model, known, elements):
    predictions = model.predictions(known[elements])
    verdicts = model.verdicts(known[elements], known["deposit"], predictions=predictions)
    nearest = verdicts.set_index("deposit")["nearest"].loc[known["deposit"]].to_numpy()
    assert verdicts["n_disagree"].sum() == (predictions["prediction"].to_numpy() != nearest).sum()
    assert verdicts["n_analyses"].sum() == len(known)


def test_saving_and_loading_give_the_same_verdicts(model, known, elements, tmp_path):
    save_model(model, tmp_path / "model", card={"model": "test"})
    loaded, card = load_model(tmp_path / "model")
    assert card == {"model": "test"}
    pd.testing.assert_frame_equal(
        loaded.verdicts(known[elements], known["deposit"]),
        model.verdicts(known[elements], known["deposit"]),
    )


def test_a_model_whose_parts_do_not_fit_is_refused(model, tmp_path):
    broken = DepositTypeModel(
        model.classifier, elements=model.elements, training=model.training,
        held_out=model.held_out.drop(columns="type").assign(type="Zinc"),
    )  # fmt: skip
    save_model(broken, tmp_path / "model", card={})
    with pytest.raises(ValueError, match=r"not a sound saved model.*do not fit"):
        load_model(tmp_path / "model")


def test_units_of_two_types_are_pooled_apart(known, elements):
    mixed = known.copy()
    rows = mixed.index[mixed["deposit"] == mixed["deposit"].iloc[0]]
    mixed.loc[rows[: len(rows) // 2], "type"] = "VMS"
    mixed.loc[rows[len(rows) // 2 :], "type"] = "MVT"
    validation = cross_validate(
        HierarchicalDiscriminant(), mixed[elements].to_numpy(), mixed["type"],
        groups=mixed["deposit"], cv=folds_of(mixed, 5),
    )  # fmt: skip
    table = pooled_by_unit(validation)
    assert len(table) == mixed["deposit"].nunique() + 1
    np.testing.assert_allclose(table[sorted(set(mixed["type"]))].sum(axis=1), 1.0)


def test_gunga_of_the_paper_is_not_called_mvt_without_a_word(sphalerite):
    """Medians of Gul et al. (2025), read from box plots: Ge about 240, Cd about 460 ppm."""
    from gossan.cli.classify import shipped_model

    shipped, _ = load_model(shipped_model("sphalerite"))
    gunga = shipped.training[shipped.elements].median().to_frame().T
    gunga[["Ge", "Cd"]] = [240.0, 460.0]
    verdict = shipped.verdicts(gunga, ["Gunga"]).iloc[0]
    assert "Cd" in verdict["outside_elements"]
    assert len(sphalerite) == len(shipped.training)


def test_the_shipped_model_knows_the_deposits_that_it_was_trained_on(sphalerite):
    from gossan.cli.classify import shipped_model

    shipped, card = load_model(shipped_model("sphalerite"))
    deposits = sphalerite["deposit"].to_numpy(dtype=str)
    verdicts = shipped.verdicts(sphalerite[shipped.elements], deposits).set_index("deposit")
    truth = sphalerite.drop_duplicates("deposit").set_index("deposit")["type"]
    assert (verdicts["nearest"] == truth.loc[verdicts.index]).mean() > 0.95
    assert len(card["studies"]) == 36
    assert "10.1016/j.gexplo.2025.107771" in card["source"]
