"""Rasters, samples and what is made of them: which layers methods read, and which lie beside them."""

import numpy as np
import pytest

from gossan.data.grids.files import write_grid
from gossan.data.grids.grid import add_layer
from gossan.studies.region.run import settings_of
from gossan.studies.region.tables import read_region
from gossan.study import read_study

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
