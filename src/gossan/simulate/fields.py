"""Random fields with known truth: one or several variables, on a grid or at points.

A variogram model, or a linear model of coregionalization, and places come in; values that vary as
the model says, with the model beside them, go out.

Sources
-------
Dietrich & Newsam (1997), Fast and exact simulation of stationary Gaussian processes through
circulant embedding of the covariance matrix, SIAM Journal on Scientific Computing 18, 1088-1107,
doi:10.1137/S1064827592240555 (grids).
Lantuejoul (2002), Geostatistical Simulation, Springer, doi:10.1007/978-3-662-04808-5 (waves, for
points).
Isaaks & Srivastava (1989), An Introduction to Applied Geostatistics, Oxford University Press,
chapter 5 (the Walker Lake set: spread of elevations in blocks of 5 by 5).
Wackernagel (2003), Multivariate Geostatistics, 3rd ed., Springer, doi:10.1007/978-3-662-05294-5
(coregionalization).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option, check_random_state
from gossan.data.grids.grid import (
    add_layer,
    axes_of,
    cell_centres,
    check_grid,
    grid_shape,
    make_grid,
    rotation_of,
    spacing_of,
)
from gossan.geostat._random_fields import check_simulable, field_at_points, field_on_grid
from gossan.geostat.coregionalization import Coregionalization
from gossan.geostat.covariance import Structure, VariogramModel

__all__ = ["SimulatedField", "simulate_field", "simulate_roughness"]

Floats = NDArray[np.float64]
Model = VariogramModel | Coregionalization

TRANSFORMS = ("normal", "lognormal")
_AXES = ("easting", "northing", "elevation")


@dataclass(frozen=True, eq=False)
class SimulatedField:
    """A simulated field and its truth.

    Attributes
    ----------
    values : Dataset or DataFrame
        A layer, or a column beside the coordinates, for each variable.
    gaussian : array of shape (n_variables, ...)
        The field before mean and transform, in the order of the places.
    model : VariogramModel or Coregionalization
        Of `gaussian`.
    mean : array of shape (n_variables,)
    transform : {"normal", "lognormal"}
    names : tuple of str
    """

    values: xr.Dataset | pd.DataFrame
    gaussian: Floats
    model: Model
    mean: Floats
    transform: str
    names: tuple[str, ...]


def simulate_field(
    model: Model,
    where: xr.Dataset | ArrayLike,
    *,
    mean: ArrayLike = 0.0,
    transform: str = "normal",
    names: Sequence[str] | None = None,
    n_waves: int = 1000,
    random_state: int | np.random.Generator | None = 0,
) -> SimulatedField:
    """One realisation of a stationary random field, with the truth that made it.

    Parameters
    ----------
    model : VariogramModel or Coregionalization
        Covariance of one variable, or of several; it needs a sill.
    where : Dataset, or array of shape (n, 2) or (n, 3)
        A grid from `make_grid`, whose cells are taken for points at their centres, or coordinates
        (easting, northing[, elevation]) [m].
    mean : float or array of shape (n_variables,), default 0
        Added to the field; of the logs if `transform` is "lognormal".
    transform : {"normal", "lognormal"}, default "normal"
        "lognormal" gives exp(mean + field).
    names : sequence of str, optional
        Of the variables. Default "value", or "value1", "value2", ...
    n_waves : int, default 1000
        Waves of each structure, for points and turned grids; other grids are exact.
    random_state : int, Generator or None, default 0

    Returns
    -------
    simulated : SimulatedField

    Raises
    ------
    ValueError
        If the model has no sill, the places are not finite in 2D or 3D, an option is unknown, or
        there is not a mean and a name for each variable.

    Examples
    --------
    >>> from gossan.geostat.covariance import Structure
    >>> model = VariogramModel(0.1, Structure("spherical", 0.9, 20.0))
    >>> field = simulate_field(model, [[0.0, 0.0], [1.0, 0.0], [900.0, 0.0]], names=["Cu"])
    >>> list(field.values.columns)
    ['easting', 'northing', 'Cu']
    """
    check_option("transform", transform, TRANSFORMS)
    n_variables = model.n_variables if isinstance(model, Coregionalization) else 1
    labels = _names(names, n_variables)
    means = np.broadcast_to(np.asarray(mean, dtype=float), n_variables)
    rng = check_random_state(random_state)
    draw, shape = _drawer(where, n_waves, rng)
    field = draw_variables(model, draw, shape, rng)
    levels = means.reshape(-1, *[1] * len(shape)) + field
    numbers = np.exp(levels) if transform == "lognormal" else levels
    values = _as_table(where, numbers, labels)
    return SimulatedField(values, field, model, np.array(means), transform, labels)


def simulate_roughness(
    shape: tuple[int, int] = (300, 260),
    *,
    azimuth: float = -15.0,
    random_state: int | np.random.Generator | None = 0,
) -> xr.Dataset:
    """A skewed, patchy field made as the Walker Lake set was: the spread of a terrain's elevations.

    Its high values cluster and vary more among themselves than low ones, and it has a direction, so
    that no transform makes it a stationary normal field. Use it where kriging's own model would
    flatter kriging.

    Parameters
    ----------
    shape : (n_northing, n_easting), default (300, 260)
        Cells; each is 10 m wide and stands for 5 by 5 elevations.
    azimuth : float
        Along which ridges run, clockwise from north [degrees].
    random_state : int, Generator or None, default 0

    Returns
    -------
    grid : Dataset
        "V", spread of the elevations of each cell [m], and "U", their mean [m].

    Examples
    --------
    >>> grid = simulate_roughness((40, 30), random_state=1)
    >>> grid["V"].shape, bool((grid["V"] > 0).all())
    ((40, 30), True)
    """
    rng = check_random_state(random_state)
    rows, columns = shape
    wide, high = max(columns, 240), max(rows, 240)  # as fields must be long beside their ranges
    fine = make_grid((0, 10.0 * wide, 0, 10.0 * high), 2.0)

    def draw(structure: Structure) -> Floats:
        field = simulate_field(VariogramModel(0.0, (structure,)), fine, random_state=rng)
        return field.gaussian[0, : 5 * rows, : 5 * columns]

    angles = (azimuth, 0.0, 0.0)
    ridges = draw(Structure("gaussian", 1.0, (800.0, 320.0), angles))
    patches = draw(Structure("spherical", 1.0, (700.0, 300.0), angles))
    detail = draw(Structure("exponential", 1.0, (120.0,)))
    terrain = 300.0 * ridges + 12.0 * np.exp(0.9 * patches) * detail  # m
    cells = terrain.reshape(rows, 5, columns, 5)
    grid = make_grid((0, 10.0 * columns, 0, 10.0 * rows), 10.0)
    grid = add_layer(grid, "V", cells.std(axis=(1, 3)), units="m")
    return add_layer(grid, "U", cells.mean(axis=(1, 3)), units="m")


def draw_variables(
    model: Model,
    draw: Callable[[VariogramModel], Floats],
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> Floats:
    """Return fields (n_variables, ...), nugget included, each structure drawn by `draw`.

    Each sill matrix is A Aᵀ: independent fields with a sill of one, mixed by A.
    """
    if isinstance(model, VariogramModel):
        check_simulable(model)
        noise = np.sqrt(model.nugget) * rng.standard_normal(shape)
        return (draw(model) + noise)[None]
    for each in model.structures:
        check_simulable(VariogramModel(0.0, (each,)))
    mixing = _root(model.nugget)
    field = np.tensordot(mixing, rng.standard_normal((mixing.shape[1], *shape)), 1)
    for structure, sills in zip(model.structures, model.sills, strict=True):
        for column in _root(sills).T:
            unit = draw(VariogramModel(0.0, (structure,)))
            field += column.reshape(-1, *[1] * len(shape)) * unit
    return field


def _root(matrix: Floats) -> Floats:
    """Return A (n, rank) with A Aᵀ equal to a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > 1e-12 * max(values[-1], 1e-300)
    return vectors[:, kept] * np.sqrt(values[kept])


def _drawer(
    where: xr.Dataset | ArrayLike, n_waves: int, rng: np.random.Generator
) -> tuple[Callable[[VariogramModel], Floats], tuple[int, ...]]:
    """Return a function that draws one field of a model at the places, and their shape."""
    if n_waves < 1:
        raise ValueError(f"n_waves must be 1 or more, got {n_waves}. 1000 are usual.")
    if isinstance(where, xr.Dataset):
        grid = check_grid(where)
        shape = grid_shape(grid)
        if not rotation_of(grid):
            spacing = spacing_of(grid)
            return lambda model: field_on_grid(shape, spacing, model, rng), shape
        points = cell_centres(grid).reshape(-1, len(shape))
    else:
        points = np.asarray(where, dtype=float)
        shape = points.shape[:1]
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not np.isfinite(points).all():
        raise ValueError(
            f"Places must be a grid, or finite coordinates with 2 or 3 columns [m], got shape"
            f" {points.shape}. Drop rows without coordinates."
        )
    own = points - points.mean(axis=0)
    return lambda model: field_at_points(own, model, rng, n_waves=n_waves).reshape(shape), shape


def _names(names: Sequence[str] | None, n_variables: int) -> tuple[str, ...]:
    if names is None:
        if n_variables == 1:
            return ("value",)
        return tuple(f"value{k + 1}" for k in range(n_variables))
    if isinstance(names, str) or len(set(names)) != n_variables:
        raise ValueError(
            f"names must be {n_variables} different words, got {names!r}. Give one a variable."
        )
    return tuple(names)


def _as_table(
    where: xr.Dataset | ArrayLike, values: Floats, names: tuple[str, ...]
) -> xr.Dataset | pd.DataFrame:
    if isinstance(where, xr.Dataset):
        axes = axes_of(where)
        return where.assign(
            {name: (axes, layer) for name, layer in zip(names, values, strict=True)}
        )
    points = np.asarray(where, dtype=float)
    table = pd.DataFrame(points, columns=list(_AXES[: points.shape[1]]))
    return table.assign(**dict(zip(names, values, strict=True)))
