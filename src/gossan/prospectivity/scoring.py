"""Scores of cells by any estimator, higher always meaning more prospective.

A fitted classifier, regressor or detector and a table of cells, or a grid of layers, come in; scores,
or the grid with a layer of them, go out. This is the only place where the sign of a detector is turned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option, check_positive
from gossan.data.grids.grid import add_layer, check_grid, grid_shape, layer_of
from gossan.sampling.edges import MOST_EDGE, fill_edges

__all__ = ["area_rank", "favourability", "score_grid"]

CELLS_AT_ONCE = 200_000
EDGES = ("nan", "reflect", "nearest")

Floats = NDArray[np.float32]


def favourability(estimator: Any, X: ArrayLike, *, positive: Any = None) -> NDArray[np.float64]:
    """How prospective each row is by a fitted estimator: higher is more so, whatever its kind.

    A classifier gives the probability of the positive class, a detector of outliers minus its
    `score_samples` (scikit-learn's grow with normality), a regressor or a kriging its prediction.

    Parameters
    ----------
    estimator : fitted estimator
    X : array whose first axis is the row
        As the estimator was fitted with.
    positive : label, optional
        Class that stands for ore. Default: the last of two classes.

    Returns
    -------
    scores : float64 array of shape (n,)

    Raises
    ------
    ValueError
        If the estimator can score nothing, or its positive class is not clear.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> forest = IsolationForest(random_state=0).fit([[0.0], [0.1], [0.2], [0.1]])
    >>> near, far = favourability(forest, [[0.1], [9.0]])
    >>> bool(far > near)
    True
    """
    if hasattr(estimator, "predict_proba"):
        return _probability(estimator, X, positive)
    if hasattr(estimator, "score_samples"):
        return -_column(estimator.score_samples(X))
    if hasattr(estimator, "predict"):
        return _column(estimator.predict(X))
    raise ValueError(
        f"A {type(estimator).__name__} has neither predict_proba, score_samples nor predict. Pass a"
        " fitted estimator."
    )


def area_rank(scores: ArrayLike) -> NDArray[np.float64]:
    """Share of the scored cells that score lower [%], ties half; NaN where there is no score.

    A score is on a scale of its own; its rank tells how much ground one must look at to come so far.

    Parameters
    ----------
    scores : array of any shape
        Higher is more prospective.

    Returns
    -------
    ranks : float64 array of the same shape
        0 to 100; the median of all is 50.

    Examples
    --------
    >>> area_rank([[3.0, 1.0], [np.nan, 1.0]]).round(1)
    array([[83.3, 33.3],
           [ nan, 33.3]])
    """
    values = np.asarray(scores, dtype=float)
    out, is_known = np.full(values.shape, np.nan), np.isfinite(values)
    ordered = np.sort(values[is_known])
    below = np.searchsorted(ordered, values[is_known], side="left")
    up_to = np.searchsorted(ordered, values[is_known], side="right")
    out[is_known] = 50.0 * (below + up_to) / max(len(ordered), 1)
    return out


def score_grid(
    estimator: Any,
    grid: xr.Dataset,
    layers: Sequence[str],
    *,
    name: str = "score",
    positive: Any = None,
    spread: str | None = None,
    edges: str = "nan",
    cells_at_once: int = CELLS_AT_ONCE,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """The grid with a layer of favourability, NaN where a layer that is needed is missing.

    An estimator that has `score_map` or `score_volume` (those that read a window of cells) is given
    the layers as one array (channels, [elevation,] northing, easting); any other a table of cells.
    The first gives the probability of ore, the second is a detector whose sign is turned.

    Parameters
    ----------
    estimator : fitted estimator
    grid : Dataset
        In 2D or 3D.
    layers : sequence of str
        What the estimator reads, in the order of its columns or channels.
    name : str
        Of the new layer; an old one of that name is replaced.
    positive : label, optional
        See `favourability`.
    spread : str, optional
        Name of a further layer for the standard deviation over the members, of an estimator with
        `score_map`.
    edges : {"nan", "reflect", "nearest"}
        Of an estimator with `score_map`: cells whose window leaves the map are NaN, or scored with
        the map mirrored at its edge, or, as those beside a gap in the data, with the nearest values
        (see `gossan.sampling.fill_edges`; a layer "edge_fraction" tells the share made up, and cells
        with more than half are NaN).
    cells_at_once : int
        Rows of a table handed over at a time.
    progress : function of (cells done, cells in all), optional

    Returns
    -------
    scored : Dataset
        With the layer (float32); `attrs["n_unscored"]` of the layer counts the NaN.

    Raises
    ------
    ValueError
        If a layer is not there, or a spread or edges are asked of an estimator without `score_map`.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from gossan.data.grids.grid import make_grid
    >>> grid = make_grid((0, 20, 0, 10), 10)
    >>> grid = add_layer(grid, "Cu", [[1.0, np.nan]])
    >>> model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    >>> score_grid(model, grid, ["Cu"])["score"].values
    array([[ 2., nan]], dtype=float32)
    """
    checked = check_grid(grid)
    if not len(layers):
        raise ValueError("No layer was named. Pass those that the estimator was fitted with.")
    check_option("edges", edges, EDGES)
    if hasattr(estimator, "score_map"):
        maps = score_layers(estimator, _volume(check_grid(checked, n_dims=2), layers), edges=edges)
        return _with_maps(checked, maps, name, spread=spread, has_share=edges == "nearest")
    if spread is not None or edges != "nan":
        raise ValueError(
            f"A {type(estimator).__name__} has no score_map, and so no spread and no edges; got"
            f" spread={spread!r}, edges={edges!r}. Leave them out, or take a map estimator."
        )
    if hasattr(estimator, "score_volume"):
        scores = -np.asarray(estimator.score_volume(_volume(checked, layers)))
    else:
        rows = int(check_positive("cells_at_once", cells_at_once))
        score = partial(favourability, estimator, positive=positive)
        scores = _score_cells(score, checked, layers, rows, progress)
    scored = add_layer(checked, name, scores.astype(np.float32))
    scored[name].attrs["n_unscored"] = int(np.isnan(scores).sum())
    return scored


def score_layers(
    estimator: Any, volume: Floats, *, edges: str, has_spread: bool = True
) -> tuple[Floats, Floats, Floats]:
    """Return score, spread and edge fraction of the layers of a map (channels, ny, nx).

    An estimator without `score_map` is asked cell by cell, and has no spread (NaN).
    """
    if not hasattr(estimator, "score_map"):
        return _score_points(estimator, volume)
    share = np.zeros(volume.shape[1:], dtype=np.float32)
    if edges != "nearest":
        score, spread = _ask(estimator, volume, edges, has_spread=has_spread)
        return score, spread, share
    half = estimator.field_ // 2
    around = ((0, 0), (half, half), (half, half))
    filled, share = fill_edges(np.pad(volume, around, constant_values=np.nan), estimator.field_)
    found = (*_ask(estimator, filled, "nan", has_spread=has_spread), share)
    ny, nx = volume.shape[1:]
    score, spread, share = (each[half : half + ny, half : half + nx] for each in found)
    is_made_up = share > MOST_EDGE
    return np.where(is_made_up, np.nan, score), np.where(is_made_up, np.nan, spread), share


def _ask(estimator: Any, volume: Floats, edges: str, *, has_spread: bool) -> tuple[Floats, Floats]:
    if has_spread:
        score, spread = estimator.score_map(volume, edges=edges, return_std=True)
        return score, spread
    score = estimator.score_map(volume, edges=edges)
    return score, np.full_like(score, np.nan)


def _score_points(estimator: Any, volume: Floats) -> tuple[Floats, Floats, Floats]:
    score = np.full(volume.shape[1:], np.nan, dtype=np.float32)
    is_known = np.isfinite(volume).all(axis=0)
    if is_known.any():
        score[is_known] = favourability(estimator, volume[:, is_known].T.astype(float))
    return score, np.full_like(score, np.nan), np.asarray(~is_known, dtype=np.float32)


def _volume(grid: xr.Dataset, layers: Sequence[str]) -> Floats:
    return np.stack([np.asarray(layer_of(grid, each), dtype=np.float32) for each in layers])


def _with_maps(
    grid: xr.Dataset,
    maps: tuple[Floats, Floats, Floats],
    name: str,
    *,
    spread: str | None,
    has_share: bool,
) -> xr.Dataset:
    score, std, share = maps
    scored = add_layer(grid, name, score)
    scored[name].attrs["n_unscored"] = int(np.isnan(score).sum())
    if spread is not None:
        scored = add_layer(scored, spread, std)
    return add_layer(scored, "edge_fraction", share) if has_share else scored


def _score_cells(
    score: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    grid: xr.Dataset,
    layers: Sequence[str],
    rows: int,
    progress: Callable[[int, int], None] | None,
) -> NDArray[np.float64]:
    flat = [layer_of(grid, layer).data.reshape(-1) for layer in layers]
    n = int(np.prod(grid_shape(grid)))
    scores = np.full(n, np.nan)
    for start in range(0, n, rows):
        part = slice(start, min(start + rows, n))
        X = np.column_stack([np.asarray(column[part], dtype=float) for column in flat])
        is_known = np.isfinite(X).all(axis=1)
        if is_known.any():
            found = scores[part]
            found[is_known] = score(X[is_known])
        if progress is not None:
            progress(part.stop, n)
    return scores.reshape(grid_shape(grid))


def _probability(estimator: Any, X: ArrayLike, positive: Any) -> NDArray[np.float64]:
    classes = list(getattr(estimator, "classes_", (0, 1)))
    if positive is None and len(classes) != 2:
        raise ValueError(
            f"Which of {len(classes)} classes stands for ore ({', '.join(map(str, classes[:6]))})?"
            " Pass positive=."
        )
    wanted = classes[-1] if positive is None else positive
    if wanted not in classes:
        raise ValueError(f"positive must be one of {classes[:9]}, got {positive!r}. Pass a class.")
    return np.asarray(estimator.predict_proba(X), dtype=float)[:, classes.index(wanted)]


def _column(values: Any) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=float)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"The estimator gives shape {array.shape}; a score is one number a row. Take an estimator"
            " of one variable."
        )
    return array
