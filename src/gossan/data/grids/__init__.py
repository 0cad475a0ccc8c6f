"""Grids of two and three dimensions, one container for both, and the files they are kept in.

Regions, rasters, block models and points come in; an `xarray.Dataset` with a CRS goes out.
"""
