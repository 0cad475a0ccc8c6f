"""Each leak is found where it was planted, named, and not where there is none."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from gossan.validation.leakage import leakage_report
from gossan.validation.splits import group_folds, random_folds


@pytest.fixture
def clean():
    """Raw concentrations of 30 deposits in two types."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 8)
    X = np.exp(rng.normal(size=(30, 4))[groups] + 0.1 * rng.normal(size=(240, 4)))
    y = np.where(groups % 3 == 0, "VMS", "MVT")
    return pd.DataFrame(X, columns=["Fe", "Mn", "Ge", "Y"]), y, groups


def _names(report):
    return [finding.name for finding in report.findings]


def test_grouped_folds_of_a_clean_table_are_clean(clean):
    X, y, groups = clean
    report = leakage_report(X, y, groups=groups, folds=group_folds(groups, y))
    assert report.findings == ()
    assert report.is_clean
    assert str(report) == "Leakage report: 240 rows, 30 folds: nothing found"
    report.raise_if_refused()


def test_random_folds_leak_the_group_and_its_memory(clean):
    X, y, groups = clean
    report = leakage_report(X, y, groups=groups, folds=random_folds(y, random_state=0))
    assert _names(report) == ["group in train and test", "memory of the group"]
    shared, memory = report.findings
    assert shared.count == 240
    assert "240 of 240 test rows share their group with training rows (30 of 30)" in str(report)
    assert memory.count > 230
    assert not report.is_clean


def test_memory_is_not_found_where_groups_mean_nothing(clean):
    X, y, _ = clean
    groups = np.random.default_rng(1).permutation(np.repeat(np.arange(30), 8))
    report = leakage_report(X, y, groups=groups, folds=random_folds(y, random_state=0))
    assert _names(report) == ["group in train and test"]


def test_copies_and_positions_are_counted_also_with_missing_values(clean):
    X, y, groups = clean
    X = X.copy()
    X.iloc[3, 1] = np.nan
    X.iloc[100] = X.iloc[3]
    coords = np.random.default_rng(0).uniform(size=(240, 2))
    coords[50] = coords[3]
    report = leakage_report(X, y, groups=groups, folds=group_folds(groups, y), coords=coords)
    assert _names(report) == ["identical rows", "same position"]
    assert [finding.count for finding in report.findings] == [2, 2]


def test_a_reference_on_both_sides_is_a_note(clean):
    X, y, groups = clean
    report = leakage_report(
        X, y, groups=groups, folds=group_folds(groups, y), shared={"reference": groups // 5}
    )
    assert _names(report) == ["reference in train and test"]
    assert report.is_clean
    assert report.to_frame().loc[0, "severity"] == "note"


@pytest.mark.parametrize(
    "column", ["Easting", "northing", "lat", "Longitude", "X_utm", "utm_zone", "x_m"]
)
def test_named_coordinates_leak(clean, column):
    X, y, groups = clean
    report = leakage_report(
        X.rename(columns={"Fe": column}), y, groups=groups, folds=group_folds(groups, y)
    )
    assert _names(report) == ["coordinates among the features"]
    assert column in str(report)


def test_yttrium_is_no_coordinate_unless_there_is_an_x(clean):
    X, y, groups = clean
    folds = group_folds(groups, y)
    assert leakage_report(X, y, groups=groups, folds=folds).is_clean
    with_x = leakage_report(X.rename(columns={"Fe": "X"}), y, groups=groups, folds=folds)
    assert _names(with_x) == ["coordinates among the features"]


def test_a_coordinate_in_disguise_leaks(clean):
    X, y, groups = clean
    coords = np.random.default_rng(0).uniform(1, 2, size=(240, 2))
    X = X.assign(PC1=-np.log(coords[:, 1]))
    report = leakage_report(X, y, groups=groups, folds=group_folds(groups, y), coords=coords)
    assert _names(report) == ["coordinate in disguise"]


def test_distance_to_known_deposits_is_refused(clean):
    X, y, groups = clean
    report = leakage_report(
        X.rename(columns={"Fe": "dist_to_mine"}), y, groups=groups, folds=group_folds(groups, y)
    )
    assert report.refused[0].name == "distance to known deposits"
    with pytest.raises(ValueError, match="dist_to_mine: made from the occurrences"):
        report.raise_if_refused()


def test_a_distance_to_a_fault_is_a_feature_like_any(clean):
    X, y, groups = clean
    report = leakage_report(
        X.rename(columns={"Fe": "distance_to_fault"}), y, groups=groups,
        folds=group_folds(groups, y),
    )  # fmt: skip
    assert report.is_clean


def test_a_target_among_its_inputs_is_refused_and_a_near_copy_leaks(clean):
    X, y, groups = clean
    folds = group_folds(groups, y)
    coded = leakage_report(X.assign(code=(y == "VMS") * 1.0), y, groups=groups, folds=folds)
    assert coded.findings[0].severity == "refused"
    assert "code alone tells 100.0% of the classes apart" in str(coded)
    noise = np.random.default_rng(0).random(240)
    near = leakage_report(X.assign(s=(y == "VMS") + 0.5 * noise), y, groups=groups, folds=folds)
    assert near.findings[0].severity == "leak"


def test_a_monotone_of_a_continuous_target_is_refused(clean):
    X, _, groups = clean
    grade = np.random.default_rng(0).gamma(2.0, size=240)
    folds = group_folds(groups, n_splits=5)
    assert leakage_report(X, grade, groups=groups, folds=folds).is_clean
    report = leakage_report(X.assign(log_g=np.log(grade)), grade, groups=groups, folds=folds)
    assert report.refused[0].name == "target among its inputs"
    assert "log_g rises or falls" in str(report)


@pytest.mark.parametrize(
    ("fitted", "name"),
    [
        (StandardScaler(), "preprocessing fitted outside"),
        (MinMaxScaler(), "preprocessing fitted outside"),
        (PCA(), "PCA fitted outside"),
        (PCA(whiten=True), "preprocessing fitted outside"),
    ],
)
def test_preprocessing_of_the_whole_table_leaks(clean, fitted, name):
    X, y, groups = clean
    table = fitted.fit_transform(X.to_numpy())
    report = leakage_report(table, y, groups=groups, folds=group_folds(groups, y))
    assert name in _names(report)


def test_scaling_inside_the_training_rows_does_not_leak(clean):
    X, y, groups = clean
    scaled = StandardScaler().fit(X[:120]).transform(X)
    report = leakage_report(scaled, y, groups=groups, folds=group_folds(groups, y))
    assert report.is_clean


def test_classes_of_one_size_are_noted(clean):
    X, _, groups = clean
    y = np.array(["A", "B", "C"])[groups % 3]
    report = leakage_report(X, y, groups=groups, folds=group_folds(groups, y))
    assert _names(report) == ["classes balanced beforehand"]


def test_names_must_fit_and_text_is_refused(clean):
    X, y, groups = clean
    folds = group_folds(groups, y)
    with pytest.raises(ValueError, match="2 names for 4 columns"):
        leakage_report(X, y, groups=groups, folds=folds, names=["a", "b"])
    with pytest.raises(ValueError, match="X must hold numbers only"):
        leakage_report(X.assign(Fe="<0.5"), y, groups=groups, folds=folds)
    with pytest.raises(ValueError, match="y has 3 labels for 240 rows"):
        leakage_report(X, ["a", "b", "c"], groups=groups, folds=folds)


def test_the_real_table_under_both_protocols(sphalerite):
    elements = ["Mn", "Fe", "Co", "Cu", "Ga", "Ge", "Ag", "Cd", "In", "Sn", "Sb", "Pb"]
    X, y, groups = sphalerite[elements], sphalerite["type"], sphalerite["deposit"]
    lenient = leakage_report(X, y, groups=groups, folds=random_folds(y, random_state=0))
    assert {"group in train and test", "memory of the group"} <= set(_names(lenient))
    memory = next(f for f in lenient.findings if f.name == "memory of the group")
    assert memory.count > 0.8 * 2000
    honest = leakage_report(
        X, y, groups=groups, folds=group_folds(groups, y),
        shared={"reference": sphalerite["reference"]},
    )  # fmt: skip
    assert honest.is_clean
    assert "reference in train and test" in _names(honest)
