"""Maps of named places: cells of a grid are drawn as one, scattered places are not."""

import numpy as np
import pandas as pd
import pytest

from gossan.studies.tailings.maps import grid_of_places
from gossan.studies.tailings.samples import Samples


@pytest.fixture
def samples():
    return Samples(
        coords=np.array([[0.0, 0.0], [100.0, 100.0]]),
        values=pd.DataFrame({"Cu": [1.0, 2.0]}),
        covariates=pd.DataFrame({"distance": [0.0, 1.0]}),
        holes=None,
        source="made up",
        units={"Cu": "ppm"},
        quality=None,
        is_censored=pd.DataFrame({"Cu": [False, False]}),
        left_out=[],
    )


def test_places_on_a_raster_in_any_order_become_a_grid_with_holes(samples):
    places = np.array([[140.0, 200.0], [100.0, 280.0], [100.0, 200.0], [180.0, 240.0]])
    grid = grid_of_places(places, {"estimate": np.array([[1.0], [2.0], [3.0], [4.0]])}, samples)
    assert dict(grid.sizes) == {"northing": 3, "easting": 3}
    for (east, north), value in zip(places, [1.0, 2.0, 3.0, 4.0], strict=True):
        assert float(grid["Cu"].sel(easting=east, northing=north)) == value
    assert int(np.isnan(grid["Cu"].to_numpy()).sum()) == 5


def test_scattered_places_are_no_grid(samples):
    places = np.random.default_rng(0).uniform(0, 1000, (50, 2))
    assert grid_of_places(places, {"estimate": np.ones((50, 1))}, samples) is None
