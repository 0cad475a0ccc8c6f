"""Concentrations as logarithms or log-ratios on one scale."""

import re

import numpy as np
import pandas as pd
import pytest

from gossan.cli import main
from gossan.data.grids.files import read_grid
from gossan.data.grids.grid import add_layer, make_grid
from gossan.geochem import clr
from gossan.saving import load_model
from gossan.studies.region.channels import in_one_unit, log_ratios, make_channels
from gossan.study import check_study, run_study


def layers(**changes):
    """Return 20 x 25 cells of three elements and a distance, some of them changed."""
    rng = np.random.default_rng(3)
    grid = make_grid((0, 2500, 0, 2000), 100)
    table = {name: rng.lognormal(mean, 0.5, 500) for name, mean in
             (("Cu", 3.0), ("Zn", 4.0), ("As", 1.0))}  # fmt: skip
    table["depth"] = rng.normal(size=500)
    for name, values in (table | changes).items():
        grid = add_layer(grid, name, values)
    return grid


def made(grid, transform="clr", elements=("Cu", "Zn", "As"), others=("depth",)):
    supported = np.ones((20, 25), dtype=bool)
    return make_channels(grid, elements, others, transform=transform, clip=6.0, supported=supported)


def scored(values):
    middle = np.median(values)
    return (values - middle) / (1.4826 * np.median(np.abs(values - middle)))


def test_log_ratios_are_centred_in_every_cell_and_scored_over_the_map():
    grid = layers()
    found = made(grid)
    assert found.names == ("Cu", "Zn", "As", "depth")
    assert found.transforms == dict.fromkeys(("Cu", "Zn", "As"), "clr")
    assert found.floors == {}
    parts = np.column_stack([grid[name].to_numpy().ravel() for name in ("Cu", "Zn", "As")])
    for channel, ratios in zip(found.volume, clr(parts).T, strict=False):
        np.testing.assert_allclose(channel.ravel(), scored(ratios), atol=2e-4)  # the MAD's factor
    np.testing.assert_allclose(
        found.volume[3].ravel(), scored(grid["depth"].to_numpy().ravel()), atol=2e-4
    )


def test_a_concentration_in_another_unit_changes_no_channel():
    """Scaling a part shifts all log-ratios alike, which the median takes off."""
    grid = layers()
    other = layers(Zn=grid["Zn"].to_numpy() * 1e-4)
    np.testing.assert_allclose(made(grid).volume, made(other).volume, atol=1e-4)


def test_a_sample_diluted_by_quartz_keeps_its_log_ratios_and_not_its_logarithms():
    grid = layers()
    quartz = np.where(np.arange(500) % 7, 1.0, 0.2).reshape(20, 25)
    thin = layers(**{name: grid[name].to_numpy() * quartz for name in ("Cu", "Zn", "As")})
    np.testing.assert_allclose(made(grid).volume, made(thin).volume, atol=1e-4)
    assert np.abs(made(grid, "log").volume - made(thin, "log").volume).max() > 1.0


def test_a_cell_without_one_part_has_no_log_ratio():
    grid = layers()
    copper = grid["Cu"].to_numpy().copy()
    copper[2, 3] = np.nan
    volume = made(layers(Cu=copper)).volume
    assert np.isnan(volume[:3, 2, 3]).all()
    assert np.isfinite(volume[3]).all()
    assert np.isnan(volume).sum() == 3


def test_what_is_not_positive_has_no_log_ratio_and_is_told_with_its_place():
    zinc = layers()["Zn"].to_numpy().copy()
    zinc[1, 4] = -9999.0
    grid = layers(Zn=zinc)
    message = "Layer 'Zn' is at or below zero in 1 cells, first -9999 at 450 E, 150 N"
    with pytest.raises(ValueError, match=message):
        made(grid)
    assert made(grid, "log").floors["Zn"] == pytest.approx(zinc[zinc > 0].min() / 2)
    off = np.ones((20, 25), dtype=bool)
    off[1, 4] = False  # no sample supports it: the layer may be anything there
    found = make_channels(grid, ("Cu", "Zn"), (), transform="clr", clip=6.0, supported=off)
    assert np.isnan(found.volume[:, 1, 4]).all()


def test_an_element_of_one_value_is_no_part():
    found = made(layers(As=np.full(500, 2.0)))
    assert found.names == ("Cu", "Zn", "depth")
    assert found.left_out == ["As is left out: one value throughout."]
    np.testing.assert_allclose(found.volume[:2], made(layers(), elements=("Cu", "Zn")).volume[:2])
    np.testing.assert_allclose(found.volume[0], -found.volume[1], atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "elements", "message"),
    [
        ({}, ("Cu",), "Log-ratios need two elements or more, got Cu that vary"),
        ({"Zn": "Cu", "As": "Cu"}, ("Cu", "Zn", "As"), "the elements rise and fall as one"),
        ({"Zn": np.nan}, ("Cu", "Zn", "As"), "0 cells have all 4 layers, and 400 are the least"),
    ],
)
def test_what_has_no_log_ratios_is_refused(changes, elements, message):
    copper = np.exp2(np.random.default_rng(0).integers(0, 9, 500).astype(float))
    told = {name: copper if how == "Cu" else np.full(500, how) for name, how in changes.items()}
    with pytest.raises(ValueError, match=message):
        made(layers(Cu=copper, **told), elements=elements)


def test_concentrations_are_brought_to_one_unit_before_they_are_compared():
    grid = layers()
    grid["Cu"].attrs["units"] = "ppm"
    grid["Zn"].attrs["units"] = "wt%"
    one, notes = in_one_unit(grid, ["Cu", "Zn", "As"])
    assert notes == ["Zn was brought from wt% to ppm."]
    np.testing.assert_allclose(one["Zn"], grid["Zn"] * 1e4, rtol=1e-6)
    assert one["Zn"].attrs["units"] == "ppm"
    assert one["Cu"].identical(grid["Cu"])
    assert grid["Zn"].attrs["units"] == "wt%"
    grid["Zn"].attrs["units"] = "g/t"  # another word for the same
    assert in_one_unit(grid, ["Cu", "Zn", "As"])[1] == []


def test_a_layer_that_is_no_concentration_has_no_log_ratio():
    grid = layers()
    grid["depth"].attrs["units"] = "m"
    with pytest.raises(ValueError, match="Layer 'depth' is in 'm', which is no concentration"):
        in_one_unit(grid, ["Cu", "depth"])


def test_log_ratios_add_up_to_nothing():
    rng = np.random.default_rng(1)
    ratios = log_ratios({name: rng.lognormal(size=9) for name in "abcd"})
    np.testing.assert_allclose(sum(ratios.values()), 0.0, atol=1e-12)


def use_log_ratios(folder):
    path = folder / "study.toml"
    text = path.read_text(encoding="utf-8").replace(
        "[elements]\n", '[elements]\ntransform = "clr"\n'
    )
    text = text.replace('names = ["logistic", "cnn 3"]', 'names = ["logistic"]')
    text = text.replace("n_nulls = 2", "n_nulls = 0")
    path.write_text(text, encoding="utf-8")
    return path


def test_a_study_of_log_ratios_leaves_a_model_that_scores_rasters_as_its_map(folder):
    pytest.importorskip("rasterio")
    run = run_study(use_log_ratios(folder))
    model = load_model(run / "model")[0]
    assert dict(zip(model.layers, model.transform, strict=True)) == {
        **dict.fromkeys(model.layers[:-1], "clr"), "fault_distance": "none",
    }  # fmt: skip
    assert set(model.units_.values()) == {"ppm", "m"}
    words = ["score", run / "model", run / "layers.tif", "--out", folder / "again.tif"]
    assert main([*map(str, words)]) == 0
    told, again = read_grid(run / "prospectivity.tif"), read_grid(folder / "again.tif")
    known = np.isfinite(told["score"].to_numpy())
    assert known.mean() > 0.9
    np.testing.assert_allclose(
        again["score"].to_numpy()[known], told["score"].to_numpy()[known], atol=1e-6
    )
    why = pd.read_csv(run / "targets.csv")["why"]  # element by element, under their own names
    assert why.str.contains(r"[+-](?:Cu|Mo|Au) ").any()
    assert set(read_grid(run / "attribution.tif").data_vars) == set(model.layers)
    page = re.sub(r"\s+", " ", (run / "report.html").read_text(encoding="utf-8"))
    assert "Centred log-ratios of the concentrations (the logarithm of each less the mean" in page


def test_a_transform_that_is_none_is_refused_before_anything_runs(folder):
    path = use_log_ratios(folder)
    assert check_study(path) == []
    path.write_text(path.read_text(encoding="utf-8").replace('"clr"', '"ilr"'), encoding="utf-8")
    (told,) = check_study(path)
    assert re.search("transform must be .*clr.* got 'ilr'", told)
