import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossan import datasets
from gossan.geochem import lead_isotopes as lead

REFERENCE = Path(__file__).parents[1] / "reference" / "lead_isotopes.toml"
PUBLISHED = tomllib.loads(REFERENCE.read_text(encoding="utf-8"))
RATIOS = list(lead.RATIOS)
# 238U/235U with which the GlobaLID table was computed.
GLOBALID_RATIO = 137.79


@pytest.fixture(scope="module")
def globalid():
    """6,401 ore analyses with the model ages that their compilers computed."""
    try:
        folder = datasets.find("globalid_pb", download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    table = pd.read_csv(folder / "database_complete.csv", low_memory=False)
    kinds = [f"{kind}_{model}" for kind in ("Model_Age", "mu", "kappa") for model in lead.MODELS]
    return table[[*RATIOS, *kinds]].apply(pd.to_numeric, errors="coerce")


def _ages(table, model, **options):
    return lead.model_ages(
        table[RATIOS[0]], table[RATIOS[1]], pb208=table[RATIOS[2]], model=model, **options
    )


@pytest.mark.parametrize(("age", "x", "y", "z"), PUBLISHED["curve"]["values"])
def test_curve_passes_through_the_reference_points(age, x, y, z):
    decimals = 5 if age else 4
    curve = lead.lead_curve(age).round(decimals)
    assert curve.iloc[0].tolist() == [x, y, z]


@pytest.mark.parametrize("case", PUBLISHED["age"])
def test_model_age_is_the_reference_one(case):
    x, y, z = case["ratios"]
    row = lead.model_ages([x], [y], pb208=[z]).iloc[0]
    assert round(row["age"], 3) == case["age"]
    for name in ("mu", "kappa"):
        if name in case:
            assert round(row[name], 4) == case[name]
    if "omega" in case:
        assert round(row["omega"], 3) == case["omega"]


@pytest.mark.parametrize("model", lead.MODELS)
def test_curve_starts_where_the_paper_says(model):
    if model == "AJ84":
        # Published by its end: the lead of today.
        end = lead.lead_curve(0.0, model).iloc[0].tolist()
        np.testing.assert_allclose(end, [18.750, 15.63, 38.86])
    else:
        start, *ratios = PUBLISHED["start"][model]
        np.testing.assert_allclose(lead.lead_curve(start, model).iloc[0], ratios)


def test_the_two_stages_meet_and_start_from_troilite_lead():
    curve = lead.lead_curve([4570.0, 3700.0 + 1e-9, 3700.0, 4570.1])
    np.testing.assert_allclose(curve.iloc[0], [9.307, 10.294, 29.476])
    np.testing.assert_allclose(curve.iloc[1], curve.iloc[2], atol=2e-3)
    assert curve.iloc[3].isna().all()


def test_present_day_source_of_cumming_and_richards():
    # mu = 137.88 x 0.07797, omega = 41.25 today: a lead of the curve's end has age 0.
    end = lead.lead_curve(0.0, "CR75").iloc[0]
    row = lead.model_ages([end.iloc[0]], [end.iloc[1]], model="CR75").iloc[0]
    assert row["age"] == pytest.approx(0, abs=1e-6)
    assert row["mu"] == pytest.approx(137.88 * 0.07797)
    assert row["omega"] == pytest.approx(41.25)


@given(st.sampled_from(lead.MODELS), st.floats(-3000, 3690))
def test_curve_and_model_age_are_inverse(model, age):
    point = lead.lead_curve(age, model).to_numpy()
    row = lead.model_ages(point[:, 0], point[:, 1], pb208=point[:, 2], model=model).iloc[0]
    assert row["age"] == pytest.approx(age, abs=1e-3)
    stage = lead.lead_model(model)
    assert row["mu"] == pytest.approx(stage.mu * (1 - stage.mu_growth * age), rel=1e-5)
    assert row["omega"] == pytest.approx(stage.omega * (1 - stage.omega_growth * age), rel=1e-5)


@given(st.floats(7, 14), st.floats(-500, 3500))
def test_source_with_another_mu_has_the_same_age(mu, age):
    # An isochron of SK75: any mu from the same start.
    x0, y0, _ = lead.lead_model().ratios
    on_curve = lead.lead_curve(age).to_numpy()[0]
    x, y = x0 + mu / 9.74 * (on_curve[0] - x0), y0 + mu / 9.74 * (on_curve[1] - y0)
    row = lead.model_ages([x], [y]).iloc[0]
    assert row["age"] == pytest.approx(age, abs=1e-3)
    assert row["mu"] == pytest.approx(mu, rel=1e-5)


def test_age_is_the_same_alone_and_among_thousands():
    rng = np.random.default_rng(3)
    x, y = rng.normal(18.4, 0.4, 5000), rng.normal(15.6, 0.05, 5000)
    for model in lead.MODELS:
        together = lead.model_ages(x, y, model=model)["age"]
        alone = [lead.model_ages([x[i]], [y[i]], model=model)["age"].iloc[0] for i in (0, 7, 4999)]
        np.testing.assert_array_equal(together.iloc[[0, 7, 4999]], alone)


def test_future_ages_are_given_and_flagged():
    row = lead.model_ages([19.5], [15.7]).iloc[0]
    assert row["age"] < 0
    assert not row["valid"]
    assert row["reason"] == "future age"


def test_lead_off_every_isochron_has_no_age():
    table = lead.model_ages([11.0, 18.5, np.nan, 18.5], [13.5, 12.0, 15.6, 15.65])
    assert table["reason"].tolist() == [
        "no age in this model",
        "no age in this model",
        "missing",
        "",
    ]
    assert table["age"].isna().tolist() == [True, True, True, False]


@pytest.mark.parametrize("model", lead.MODELS)
@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_age_error_recovers_the_spread_of_repeated_analyses(model, correlation):
    sigmas = (0.005, 0.006)
    covariance = correlation * sigmas[0] * sigmas[1]
    noise = np.random.default_rng(4).multivariate_normal(
        [18.3, 15.6], [[sigmas[0] ** 2, covariance], [covariance, sigmas[1] ** 2]], 20_000
    )
    repeated = lead.model_ages(noise[:, 0], noise[:, 1], model=model)["age"]
    row = lead.model_ages([18.3], [15.6], model=model, errors=sigmas, correlation=correlation)
    assert row["age_uncertainty"].iloc[0] == pytest.approx(repeated.std(), rel=0.03)


def test_labels_are_kept_and_inputs_left_alone():
    table = pd.DataFrame({"x": [18.5], "y": [15.65]}, index=["galena 7"])
    before = table.copy()
    result = lead.model_ages(table["x"], table["y"])
    assert result.index.tolist() == ["galena 7"]
    pd.testing.assert_frame_equal(table, before)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"model must be one of.*Did you mean 'SK75'"):
        lead.model_ages([18.5], [15.6], model="SK57")
    with pytest.raises(ValueError, match=r"one length, got \[2, 1, 1\]"):
        lead.model_ages([18.5, 18.6], [15.6])
    with pytest.raises(ValueError, match="206Pb/204Pb must be positive, got -1"):
        lead.model_ages([-1.0], [15.6])
    with pytest.raises(ValueError, match="uranium_ratio must be positive"):
        lead.lead_model("SK75", uranium_ratio=0.0)


def test_globalid_ages_are_those_of_a_newer_uranium_ratio(globalid):
    published = globalid["Model_Age_SK75"]
    as_in_paper = (_ages(globalid, "SK75")["age"] - published).dropna()
    assert len(as_in_paper) == 6352
    assert as_in_paper.median() == pytest.approx(3.63, abs=0.01)
    newer = (_ages(globalid, "SK75", uranium_ratio=GLOBALID_RATIO)["age"] - published).dropna()
    assert (newer.abs() <= 0.00051).sum() == 6351
    # The one other row carries the ages of another composition.
    assert newer.abs().idxmax() == 3663


def test_no_other_uranium_ratio_explains_the_globalid_ages(globalid):
    for ratio in (137.88, 137.818, 137.80):
        off = _ages(globalid, "SK75", uranium_ratio=ratio)["age"] - globalid["Model_Age_SK75"]
        assert off.abs().min() > 0.15


def test_the_stray_globalid_row_carries_the_ages_of_another_composition(globalid):
    row = globalid.loc[3663]
    for model in ("SK75", "AJ84"):
        stage = lead.lead_model(model, uranium_ratio=GLOBALID_RATIO)
        grown = lead._compositions(np.array([row[f"Model_Age_{model}"]]), stage)[0] - stage.ratios
        implied = np.array(stage.ratios) + grown * row[f"mu_{model}"] / stage.mu
        np.testing.assert_allclose(implied[:2], [18.5653, 15.6921], atol=1e-4)


def test_globalid_sources_are_ours(globalid):
    ours = _ages(globalid, "SK75", uranium_ratio=GLOBALID_RATIO)
    for kind in ("mu", "kappa"):
        off = (ours[kind] - globalid[f"{kind}_SK75"]).abs().dropna()
        assert (off <= 0.00051).sum() == 6351


def test_globalid_ages_of_cumming_and_richards_are_ours(globalid):
    off = _ages(globalid, "CR75", uranium_ratio=GLOBALID_RATIO)["age"] - globalid["Model_Age_CR75"]
    assert off.notna().sum() == 6334
    assert (off.abs() <= 0.00055).sum() == 6333
    assert off.abs().max() < 0.5


def test_globalid_ages_of_albarede_and_juteau_are_ours_where_they_are_well_determined(globalid):
    ours = _ages(globalid, "AJ84")
    off = (ours["age"] - globalid["Model_Age_AJ84"]).abs().dropna()
    assert len(off) == 6351
    assert (off < 1.0).sum() == 6336
    assert off.median() < 0.001
    stray = off.index[off > 1.0].drop(3663)
    is_far = ours.loc[stray, "age"] < -4600
    assert is_far.sum() == 12
    # The two others: our answer solves the equations, theirs misses the ratios.
    stage, start = lead.lead_model("AJ84"), np.array(lead.lead_model("AJ84").ratios)
    rows = stray[~is_far]
    given_ratios = globalid.loc[rows, RATIOS[:2]].to_numpy()

    def misfit(age, mu):
        grown = lead._compositions(age[rows].to_numpy(), stage) - start
        made = start + grown * (mu[rows].to_numpy() / stage.mu)[:, None]
        return np.abs(made[:, :2] - given_ratios).max(axis=1)

    assert misfit(ours["age"], ours["mu"]).max() < 1e-9
    assert misfit(globalid["Model_Age_AJ84"], globalid["mu_AJ84"]).min() > 0.05
