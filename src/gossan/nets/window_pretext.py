"""Window networks that have seen a map before they are shown its occurrences.

A map (channels, ny, nx) or windows of it come in, without labels; a `WindowCNN` to start from goes
out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array

from gossan._checks import check_option, check_random_state
from gossan.nets._window_checks import RATE, check_field, check_settings
from gossan.nets._window_forward import HEAD, middle_of, stages_of
from gossan.nets.window_cnn import WindowCNN

__all__ = ["plant_haloes", "pretrain_windows"]

METHODS = ("masked", "haloes")
USUAL = {"epochs": 20, "weight_decay": 0.1, "element_dropout": 0.3}
SHAPES = ("halo", "decoy")
Windows = NDArray[np.float32]
Shares = NDArray[np.float64]

_RADII = (0.6, 1.8)  # of a core, its standard deviation [cells]
_REACHES = (1.8, 3.0)  # of a ring, its radius over that of the core
_WIDTH = 0.6  # of a ring, its standard deviation over the radius of the core
_PEAKS = (0.7, 2.5)  # of a halo, in standard deviations of its element
_UNLIKE = (0.7, 1.3)  # factors on the peaks of single elements
_ASPECTS = (1.0, 2.5)  # length over width
_MOST = 5  # elements of a core or of a ring, where they are not told


def pretrain_windows(
    X: ArrayLike,
    method: str = "masked",
    *,
    field: int | None = None,
    core: Sequence[int] | None = None,
    ring: Sequence[int] | None = None,
    hidden: float = 0.3,
    n_windows: int = 4000,
    random_state: int | np.random.Generator | None = None,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> WindowCNN:
    """Network that knows the map and none of its ore, for `WindowCNN(start=...)`.

    Use it with a `core` and a `ring` where the zoning of the ore sought is known and occurrences are
    few: on simulated districts ten of them then did as much as thirty without. Masking, and haloes
    of any elements, did not help there: compare with none on blocks held out. The map of the cells
    to be scored may be used, for no label is: say that the score is transductive.

    Parameters
    ----------
    X : array of shape (channels, ny, nx), or windows (n, channels, size, size), or (n, channels)
        A map, of which windows are drawn; or windows, best as logarithms or log-ratios.
    method : {"masked", "haloes"}
        "masked": elements and middle cells are hidden, and told from the rest. "haloes": windows
        in which a halo was planted are told from bare ones and from those in which the same
        elements rise anyhow (see `plant_haloes`).
    field : int or None
        Cells along a side that the network sees. None: the size of the windows; of a map, 9.
    core, ring : sequence of int, optional
        With "haloes", the channels that the deposits sought raise in their middle and about it. None:
        others in each window, so that the network learns shapes and no elements.
    hidden : float
        With "masked", share of the elements that are hidden in a window, in (0, 1).
    n_windows : int
        Most windows that are drawn; with "haloes" each is used twice, with a halo and without.
    random_state : int, Generator or None
    progress : callable, optional
        Called with the member-epochs done and their total.
    **settings
        Of the `WindowCNN` that is made: architecture, widths, missing, n_members, epochs ...
        Those of the shape must be the same in the one that starts from it. Not given: its own, but
        for 20 epochs, a weight decay of 0.1 and an element dropout of 0.3, as windows are many.

    Returns
    -------
    start : WindowCNN
        With a `core`, its probability is a score by that model of a deposit, and it may be used
        like one that was fitted in another district. If not, its last layer is empty: all
        probabilities are one half until one that starts from it is fitted.

    Raises
    ------
    ValueError
        If there are fewer than two whole windows, the shape does not suit, a setting is wrong, or
        a core or a ring is told where no halo is planted.

    References
    ----------
    Masked autoencoding: Vincent et al. (2008) [Vincent2008]_ and He et al. (2022) [He2022]_.

    Examples
    --------
    >>> volume = np.random.default_rng(0).normal(size=(3, 30, 30))
    >>> start = pretrain_windows(volume, "haloes", field=5, n_members=2, epochs=5, random_state=0)
    >>> start.field_, start.weights_["head.weight"].shape
    (5, (2, 16, 1))
    >>> model = WindowCNN(start=start)  # then fit(X, y) as usual
    """
    check_option("method", method, METHODS)
    if not 0.0 < hidden < 1.0:
        raise ValueError(f"hidden must lie in (0, 1), got {hidden}. 0.3 is usual.")
    if method == "masked" and not (core is None and ring is None):
        raise ValueError(
            f"Masking knows no core or ring, got {core} and {ring}. Pass method='haloes' with them."
        )
    rng = check_random_state(random_state)
    model = WindowCNN(**{**USUAL, **settings}, field=field, progress=progress)
    may_miss = check_settings(model.get_params(deep=False))["missing"] == "channel"
    windows = check_array(
        _windows(X, field, n_windows, may_miss=may_miss, rng=rng),
        allow_nd=True,
        ensure_all_finite="allow-nan" if may_miss else True,
        input_name="X",
    )
    model.random_state = int(rng.integers(2**31))
    if method == "masked":
        return _reconstructing(model, windows, hidden)
    model.fit(*_lesson(windows, core, ring, rng))
    for name in HEAD if core is None else ():  # made-up elements are not to be taken for ore
        model.weights_[name] = np.zeros_like(model.weights_[name])
    return model


def plant_haloes(
    windows: ArrayLike,
    *,
    core: Sequence[int] | None = None,
    ring: Sequence[int] | None = None,
    shape: str = "halo",
    random_state: int | np.random.Generator | None = None,
) -> Windows:
    """Windows with a halo planted about the middle of each, shape (n, channels, size, size).

    A halo is a core of some elements about the middle cell and a ring of others about the core,
    ellipses that point anywhere. Radii, heights and lengths differ from window to window.

    Parameters
    ----------
    windows : array of shape (n, channels, size, size)
        Missing values stay missing.
    core, ring : sequence of int, optional
        Channels that rise. Without a core, two to five, others in each window, and as many in a
        ring in every second window. A core without a ring has none.
    shape : {"halo", "decoy"}
        "decoy": the elements of the core rise together, and those of the ring, but in patches
        anywhere; every second core stays in the middle.
    random_state : int, Generator or None

    Returns
    -------
    planted : float32 array of the same shape

    Raises
    ------
    ValueError
        If these are no windows, core or ring are no channels of them, or there is a ring without a
        core.

    Examples
    --------
    >>> planted = plant_haloes(np.random.default_rng(0).normal(size=(50, 6, 5, 5)), random_state=0)
    >>> bool(planted[:, :, 2, 2].mean() > 0.3 + planted[:, :, 0, 0].mean())
    True
    """
    check_option("shape", shape, SHAPES)
    planted = np.array(windows, dtype=np.float32)
    if planted.ndim != 4 or not len(planted):
        raise ValueError(
            f"windows must have shape (n, channels, size, size), got {planted.shape}. Cut some."
        )
    told = _zoning(core, ring, planted.shape[1])
    rng = check_random_state(random_state)
    spread = _spread(planted)
    for window in planted:
        inner, outer = _drawn_zoning(len(window), rng) if told is None else told
        patches = (_halo if shape == "halo" else _decoy)(window.shape[1], rng)
        for elements, share in zip((inner, outer), patches, strict=True):
            peaks = rng.uniform(*_PEAKS) * rng.uniform(*_UNLIKE, len(elements)) * spread[elements]
            window[elements] += peaks[:, None, None] * share
    return planted


def _lesson(
    windows: Windows,
    core: Sequence[int] | None,
    ring: Sequence[int] | None,
    rng: np.random.Generator,
) -> tuple[Windows, NDArray[np.int64]]:
    """Return windows with a halo, and as many that are bare or hold a decoy, and their labels."""
    haloes, decoys = (
        plant_haloes(windows, core=core, ring=ring, shape=shape, random_state=rng)
        for shape in SHAPES
    )
    is_bare = rng.uniform(size=len(windows)) < 0.5
    others = np.where(is_bare[:, None, None, None], windows, decoys)
    return np.concatenate([haloes, others]), np.repeat([1, 0], len(windows))


def _reconstructing(model: WindowCNN, windows: Windows, hidden: float) -> WindowCNN:
    """Return a fitted network whose body tells hidden values, and whose head tells nothing."""
    settings = check_settings(model.get_params(deep=False))
    n_channels, size = windows.shape[1:3]
    field = size if model.field is None else model.field
    check_field(settings["architecture"], field, size)
    from gossan.nets._window_pretraining import train_to_reconstruct  # torch: to train only

    arrays = train_to_reconstruct(
        middle_of(windows, field),
        stages_of(settings["architecture"], field, settings["widths"]),
        hidden=hidden,
        seed=settings["random_state"],
        settings=settings | {"learning_rate": settings["learning_rate"] or RATE},
        progress=model.progress,
    )
    params = {
        k: v for k, v in model.get_params(deep=False).items() if k not in ("start", "progress")
    }
    names = [f"x{i}" for i in range(n_channels)]
    told = {"params": params, "names": names, "is_named": False, "classes": [0, 1]}
    return WindowCNN.from_arrays(told | {"field": field}, arrays)


def _spread(windows: Windows) -> NDArray[np.float64]:
    """Return the standard deviation of each channel; 0 of one that is missing throughout."""
    count = np.maximum((~np.isnan(windows)).sum(axis=(0, 2, 3)), 1)
    off = windows - (np.nansum(windows, axis=(0, 2, 3)) / count)[:, None, None]
    return np.sqrt(np.nansum(off**2, axis=(0, 2, 3), dtype=np.float64) / count)


def _zoning(
    core: Sequence[int] | None, ring: Sequence[int] | None, n_channels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the channels of core and ring, or None where they are not told."""
    if core is None and ring is None:
        return None
    inner, outer = (np.array([] if g is None else g, dtype=np.int64) for g in (core, ring))
    both = np.concatenate([inner, outer])
    if (
        not len(inner)
        or len(np.unique(both)) < len(both)
        or not set(both) <= set(range(n_channels))
    ):
        raise ValueError(
            f"core and ring must be channels from 0 to {n_channels - 1}, each once and one or more in"
            f" the core, got {core} and {ring}. Count the layers in their order."
        )
    return inner, outer


def _drawn_zoning(
    n_channels: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return some channels for a core, and as many or none for a ring."""
    order, most = rng.permutation(n_channels), min(_MOST, n_channels)
    n = int(rng.integers(min(2, most), most + 1))
    return order[:n], order[n : 2 * n] if rng.uniform() < 0.5 else order[:0]


def _halo(size: int, rng: np.random.Generator) -> tuple[Shares, Shares]:
    """Return the share of its peak that a core has in each cell (size, size), and its ring."""
    radius, core = _far(size, (0.0, 0.0), rng), rng.uniform(*_RADII)
    reach = core * rng.uniform(*_REACHES)
    ring = np.exp(-0.5 * ((radius - reach) / (_WIDTH * core)) ** 2)
    return np.exp(-0.5 * (radius / core) ** 2), ring


def _decoy(size: int, rng: np.random.Generator) -> tuple[Shares, Shares]:
    """Return the shares of two patches, of which the first may lie in the middle."""
    half = size / 2
    places = rng.uniform(-half, half, (2, 2)) * [[rng.integers(2)], [1]]
    radii = rng.uniform(*_RADII) * np.array([1.0, rng.uniform(1.0, 1.5)])
    first, second = (
        np.exp(-0.5 * (_far(size, (y, x), rng) / radius) ** 2)
        for (y, x), radius in zip(places, radii, strict=True)
    )
    return first, second


def _far(size: int, middle: tuple[float, float], rng: np.random.Generator) -> Shares:
    """Return the radius of each cell (size, size) in an ellipse that points anywhere [cells]."""
    along = np.arange(size) - size // 2
    y, x = np.meshgrid(along - middle[0], along - middle[1], indexing="ij")
    angle, aspect = rng.uniform(0.0, np.pi), rng.uniform(*_ASPECTS)
    first = x * np.cos(angle) + y * np.sin(angle)
    second = y * np.cos(angle) - x * np.sin(angle)
    return np.sqrt(first**2 / aspect + second**2 * aspect)


def _windows(
    X: ArrayLike, field: int | None, most: int, *, may_miss: bool, rng: np.random.Generator
) -> Windows:
    """Return at most so many windows, drawn from a map or from the windows given."""
    given = np.asarray(X)
    if given.ndim == 3:
        return _drawn(given, 9 if field is None else field, most, may_miss=may_miss, rng=rng)
    if given.ndim == 2:
        given = given[:, :, None, None]
    if given.ndim != 4:
        raise ValueError(
            "X must be a map (channels, ny, nx) or windows (n, channels, size, size), got shape"
            f" {given.shape}. Stack the layers."
        )
    return np.asarray(given[_some(len(given), most, rng)], dtype=np.float32)


def _drawn(
    volume: NDArray, size: int, most: int, *, may_miss: bool, rng: np.random.Generator
) -> Windows:
    """Return windows of a map whose cells all hold data: something, or all layers."""
    is_there = ~np.isnan(volume)
    is_there = is_there.any(axis=0) if may_miss else is_there.all(axis=0)
    if size < 1 or min(is_there.shape) < size:
        raise ValueError(
            f"A map of {is_there.shape} cells holds no window of {size}. Pass a smaller field."
        )
    is_whole = sliding_window_view(is_there, (size, size)).all(axis=(2, 3))
    cells = np.argwhere(is_whole)
    drawn = cells[_some(len(cells), most, rng)]
    views = sliding_window_view(volume, (size, size), axis=(1, 2))
    found = views[:, drawn[:, 0], drawn[:, 1]].swapaxes(0, 1)
    return np.ascontiguousarray(found, dtype=np.float32)


def _some(count: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return at most so many of `count` row numbers, drawn without replacement."""
    if min(count, most) < 2:
        raise ValueError(
            f"Pretraining needs 2 or more whole windows, got {count} and n_windows={most}. Fill the"
            " gaps of the map, pass a smaller field, or missing='channel'."
        )
    return rng.permutation(count)[:most]
