"""Rasters on disk and a map estimator whose answer is known, for the tests of whole regions."""

import numpy as np
import rasterio
from numpy.lib.stride_tricks import sliding_window_view
from rasterio.crs import CRS
from rasterio.transform import Affine

CELL = 100.0


class NorthMinusSouth:
    """Map estimator that knows north from south: a network would, and so can be turned over."""

    def __init__(self, field=3, slow=0.0, names=("Cu", "Li")):
        self.field_ = field
        self.slow = slow
        self.names_ = list(names)
        self.n_features_in_ = len(self.names_)
        self.classes_ = np.array([0, 1])

    def predict_proba(self, X):
        half = self.field_ // 2
        x = np.asarray(X, dtype=float)
        mid = x.shape[-1] // 2
        north, south = x[..., 0, mid + half, mid], x[..., 0, mid - half, mid]
        said = 1.0 / (
            1.0 + np.exp(-(0.7 * north - 0.2 * south + 0.4 * x[..., -1, mid, mid - half]))
        )
        whole = x[..., mid - half : mid + half + 1, mid - half : mid + half + 1]
        said = np.where(np.isnan(whole).any(axis=(-1, -2, -3)), np.nan, said)
        return np.stack([1 - said, said], axis=-1)

    def score_map(self, volume, *, edges="nan", return_std=False, tile=(64, 64)):
        import time

        time.sleep(self.slow)
        volume = np.asarray(volume)
        half = self.field_ // 2
        around = ((0, 0), (half, half), (half, half))
        padded = (
            np.pad(volume, around, mode="reflect")
            if edges == "reflect"
            else np.pad(volume, around, constant_values=np.nan)
        )
        side = (self.field_, self.field_)
        windows = np.moveaxis(sliding_window_view(padded, side, axis=(1, 2)), 0, 2)
        score = self.predict_proba(windows)[..., 1].astype(np.float32)
        return (score, score / 10) if return_std else score


def layers_of(shape=(60, 80), n=2, seed=0):
    """Return smooth layers (n, ny, nx) from south to north, with a hole and ragged gaps."""
    rng = np.random.default_rng(seed)
    volume = rng.normal(size=(n, *shape)).astype(np.float32)
    volume[:, 10:25, 30:44] = np.nan
    volume[:, rng.random(shape) < 0.01] = np.nan
    volume[:, -6:, :20] = np.nan
    return volume


def placed(west, north, cell):
    """Return the transform of a raster with its corner in the north-west."""
    return Affine(cell, 0.0, west, 0.0, -cell, north)


def write_raster(path, bands, *, names=(), units=(), crs="EPSG:32650", nodata=np.nan, **more):
    """Write bands (n, ny, nx), rows from south to north, as any GIS would: north up."""
    bands = np.asarray(bands)
    n, ny, nx = bands.shape
    profile = {
        "driver": "GTiff", "count": n, "height": ny, "width": nx, "dtype": bands.dtype.name,
        "crs": None if crs is None else CRS.from_user_input(crs), "nodata": nodata,
        "transform": placed(500_000, 4_000_000 + CELL * ny, CELL),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile | more) as file:
        file.write(bands[:, ::-1])
        for number, name in enumerate(names, 1):
            file.set_band_description(number, name)
        for number, unit in enumerate(units, 1):
            file.set_band_unit(number, unit)
    return path


def write_layers(folder, volume, names=("Cu", "Li")):
    """Write a raster a layer; return their paths."""
    return [write_raster(folder / f"{name}.tif", volume[i : i + 1]) for i, name in enumerate(names)]
