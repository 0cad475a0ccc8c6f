"""Rasters, samples and what is made of them: which layers methods read, and which lie beside them."""

import numpy as np
import pytest

from gossan.cli import main
from gossan.data.grids.files import read_grid, write_grid
from gossan.data.grids.grid import add_layer
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
