"""Rasters, samples and what is made of them: which layers methods read, and which lie beside them."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.stats import spearmanr

from gossan.cli import main
from gossan.data.assays import read_assays
from gossan.data.grids.files import read_grid, write_grid
from gossan.data.grids.grid import add_layer, cell_centres
from gossan.geochem import impute_censored
from gossan.geostat import grid_points
from gossan.studies.region.findings import layer_notes
from gossan.studies.region.outputs import layer_bands
from gossan.studies.region.run import settings_of
from gossan.studies.region.tables import read_region
from gossan.study import read_study, run_study

pytest.importorskip("rasterio")


def region_of(folder):
    return read_region(settings_of(read_study(folder / "study.toml")), folder)


def write_study(folder, **changes):
    """Write the study file of the folder with some lines replaced, sections added at its end."""
    path = folder / "study.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes.get("lines", {}).items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text + changes.get("end", ""), encoding="utf-8")
    return path


def write_raster(folder, like, name, values):
    grid = like.drop_vars(list(like.data_vars))
    write_grid(add_layer(grid, name, np.asarray(values, dtype=np.float32)), folder / f"{name}.tif")


@pytest.mark.parametrize(
    ("told", "elements", "others"),
    [
        ("", set(), {"Tl", "radiometry"}),  # beside samples rasters are no concentrations
        ('elements = ["Tl"]', {"Tl"}, {"radiometry"}),
    ],
)
def test_every_raster_beside_samples_is_one_layer(folder, told, elements, others):
    before = region_of(folder)
    rng = np.random.default_rng(0)
    shape = before.is_supported.shape
    write_raster(folder, before.grid, "Tl", rng.lognormal(size=shape))
    write_raster(folder, before.grid, "radiometry", rng.normal(size=shape))
    write_study(folder, end=f'[layers]\nfiles = ["*.tif"]\n{told}\n')
    region = region_of(folder)
    assert sorted(region.channels) == sorted({*before.channels, *elements, *others})
    assert len(set(region.channels)) == len(region.channels)
    assert set(region.elements) == {*before.elements, *elements}


def test_a_raster_of_an_element_of_the_samples_is_refused(folder):
    before = region_of(folder)
    write_raster(folder, before.grid, "Cu", np.ones(before.is_supported.shape))
    write_study(folder, end='[layers]\nfiles = ["*.tif"]\n')
    with pytest.raises(ValueError, match="both have a layer 'Cu'"):
        region_of(folder)


QUICK = {'names = ["logistic", "cnn 3"]': 'names = ["logistic"]', "n_nulls = 2": "n_nulls = 0"}


def score(run, rasters, out):
    """Return the score of a run's model on rasters, as `gossan score` writes it."""
    assert main(["score", str(run / "model"), str(rasters), "--out", str(out)]) == 0
    return read_grid(out)["score"].to_numpy()


def test_raw_layers_stay_beside_the_levelled_ones_that_methods_and_the_model_read(folder, capsys):
    raw = region_of(folder)
    path = write_study(
        folder, lines=QUICK | {"[elements]\n": '[elements]\nlevel_by = "lithology"\n'}
    )
    levelled = region_of(folder)
    run = run_study(path)
    layers = read_grid(run / "layers.tif")
    own = [f"{name}_levelled" for name in raw.elements]
    assert list(layers.data_vars) == [*own, "fault_distance", *raw.elements]
    for name in raw.elements:
        np.testing.assert_array_equal(layers[name], raw.grid[name])
        np.testing.assert_array_equal(layers[f"{name}_levelled"], levelled.grid[name])
        assert layers[name].attrs["units"] == layers[f"{name}_levelled"].attrs["units"] == "ppm"
    moved = np.log10(layers["Cu_levelled"]) - np.log10(layers["Cu"])
    assert float(np.abs(moved).max()) > 0.1  # the rocks differ, else nothing is tested
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Methods read the levelled layers, Cu_levelled and so on in layers.tif" in page
    assert set(read_grid(run / "attribution.tif").data_vars) == set(levelled.channels)
    told = read_grid(run / "prospectivity.tif")["score"].to_numpy()
    again = score(run, run / "layers.tif", folder / "again.tif")
    known = np.isfinite(told)
    np.testing.assert_allclose(again[known], told[known], atol=1e-6)
    write_grid(raw.grid[list(raw.channels)], folder / "raw.tif")  # which it did not learn
    capsys.readouterr()
    words = ["score", run / "model", folder / "raw.tif", "--out", folder / "no.tif"]
    assert main([*map(str, words)]) != 0
    assert "Cu_levelled" in capsys.readouterr().err


def test_kriging_leaves_the_standard_deviation_of_each_logarithm(folder, district):
    write_study(folder, lines={"spacing = 1000": 'spacing = 1000\nmethod = "kriging"'})
    region = region_of(folder)
    bands = layer_bands(region, region.grid)
    own = [f"{name}_std" for name in region.elements]
    assert list(bands.data_vars) == [*region.channels, *own]
    assert {bands[name].attrs["units"] for name in own} == {"log10"}
    assert not set(own) & {*region.channels, *region.grid.data_vars}

    samples = read_assays(folder / "samples.csv")
    filled = impute_censored(samples.values, samples.censored, method="0.65")
    coords = district.samples[["easting", "northing"]].to_numpy()
    names = list(region.elements)
    direct = grid_points(coords, np.log10(filled[names]), grid=region.grid, method="kriging",
                         n_neighbours=12).grid  # fmt: skip
    for name in own:
        np.testing.assert_allclose(bands[name], direct[name], rtol=1e-5)
    # A law: the farther from a sample, the less is known.
    far = cKDTree(coords).query(cell_centres(region.grid))[0]
    assert spearmanr(far, bands["Cu_std"].to_numpy().ravel()).statistic > 0.9
    (told,) = layer_notes(region)
    assert "Cu_std and so on" in told


def test_standard_deviations_are_of_the_layer_that_they_name(folder):
    write_study(folder, lines={"spacing = 1000": 'spacing = 1000\nmethod = "kriging"'})
    raw = region_of(folder)
    write_study(folder, lines={"[elements]\n": '[elements]\nlevel_by = "lithology"\n'})
    region = region_of(folder)
    bands = layer_bands(region, region.grid)
    np.testing.assert_array_equal(bands["Cu_std"], raw.beside["Cu_std"])
    assert not np.allclose(bands["Cu_levelled_std"], bands["Cu_std"], rtol=0.01)
    assert len(bands.data_vars) == 4 * len(region.elements) + 1
    assert len(layer_notes(region)) == 2


def test_inverse_distances_have_no_standard_deviation(folder):
    region = region_of(folder)
    assert list(layer_bands(region, region.grid).data_vars) == list(region.channels)
    assert layer_notes(region) == []
