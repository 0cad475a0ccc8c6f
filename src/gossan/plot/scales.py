"""Colour scales that several maps share: of grades, of spreads, of departures; and their labels.

Values that will be drawn come in; matplotlib norms and labels with units go out.
"""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option

SCALES = ("auto", "linear", "log")
_SKEWED = 1.0  # Webster & Oliver (2007): a skewness beyond which logarithms are worth a look


def grade_norm(
    *values: ArrayLike, scale: str = "auto", limits: tuple[float, float] | None = None
) -> Normalize:
    """Colour scale of grades that maps and samples share, logarithmic where grades are skewed.

    Parameters
    ----------
    *values : array
        What will be drawn. The first decides on the logarithm; the colours reach from the lowest
        2nd to the highest 98th percentile, so that one spike does not bleach the map.
    scale : {"auto", "linear", "log"}
        "auto" takes logarithms where all values are positive, their skewness is above one [1]_
        and their logarithms are less skewed.
    limits : (low, high), optional
        Ends of the colours instead.

    Returns
    -------
    norm : Normalize or LogNorm
        For the `norm` of the maps.

    Raises
    ------
    ValueError
        If the scale is unknown, or is "log" without a positive value.

    References
    ----------
    .. [1] Webster R., Oliver M.A. (2007) Geostatistics for Environmental Scientists, 2nd ed.,
       Wiley, section 2.2. doi:10.1002/9780470517277

    Examples
    --------
    >>> type(grade_norm([1.0, 2.0, 3.0, 4.0])).__name__
    'Normalize'
    >>> type(grade_norm([1.0, 1.0, 2.0, 2.0, 3.0, 500.0])).__name__
    'LogNorm'
    """
    check_option("scale", scale, SCALES)
    parts = [_finite(part) for part in values]
    parts = [part for part in parts if len(part)]
    is_log = scale == "log" or (scale == "auto" and bool(parts) and is_skewed(parts[0]))
    if is_log:
        parts = [part[part > 0] for part in parts if (part > 0).any()]
    if scale == "log" and not parts and limits is None:
        raise ValueError(
            "A log scale needs values above zero, got none. Take scale='linear', or check the"
            " column."
        )
    low, high = _limits_of(parts) if limits is None else limits
    if is_log:
        return LogNorm(low, high if high > low else low * 1.1)
    return Normalize(low, high if high > low else low + (abs(low) * 0.1 or 1.0))


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.ravel(np.asarray(values, dtype=float))
    return numbers[np.isfinite(numbers)]


def _limits_of(parts: list[NDArray[np.float64]]) -> tuple[float, float]:
    if not parts:
        return 0.0, 1.0
    ends = [np.percentile(part, [2, 98]) for part in parts]
    return float(min(end[0] for end in ends)), float(max(end[1] for end in ends))


def is_skewed(values: ArrayLike) -> bool:
    """Whether positive values are so skewed that a log scale shows more of them.

    Parameters
    ----------
    values : array
        Missing ones are left out.

    Returns
    -------
    is_skewed : bool
        False where any value is zero or negative.

    Examples
    --------
    >>> is_skewed([1.0, 1.0, 2.0, 2.0, 3.0, 500.0]), is_skewed([1.0, 2.0, 3.0])
    (True, False)
    """
    numbers = _finite(values)
    if len(numbers) < 3 or numbers.min() <= 0:
        return False
    plainly, in_logs = _skewness(numbers), _skewness(np.log(numbers))
    return plainly > _SKEWED and abs(in_logs) < plainly


def _skewness(values: NDArray[np.float64]) -> float:
    spread = values.std()
    return float((((values - values.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0


def is_log_scale(norm: Normalize) -> bool:
    """Whether a colour scale is logarithmic.

    Examples
    --------
    >>> is_log_scale(grade_norm([1.0, 2.0], scale="log"))
    True
    """
    return isinstance(norm, LogNorm)


def departure_norm(*values: ArrayLike) -> Normalize:
    """Colour scale of departures: zero in the middle, the 98th percentile at both ends.

    Parameters
    ----------
    *values : array
        What will be drawn; missing ones are left out.

    Returns
    -------
    norm : Normalize
        For the `norm` of `plot_departure`.

    Examples
    --------
    >>> norm = departure_norm([-4.0, 1.0])
    >>> norm.vmin == -norm.vmax
    True
    """
    numbers = np.concatenate([_finite(part) for part in values]) if values else np.zeros(0)
    most = float(np.percentile(np.abs(numbers), 98)) if len(numbers) else 1.0
    return Normalize(-(most or 1.0), most or 1.0)


def grade_label(name: str, unit: str, norm: Normalize | None = None) -> str:
    """Element with its unit, and that the scale is logarithmic where it is.

    Examples
    --------
    >>> grade_label("Cu", "ppm", LogNorm(1, 10))
    'Cu [ppm, log scale]'
    >>> grade_label("Z", "", LogNorm(1, 10)), grade_label("Z", "")
    ('Z [log scale]', 'Z')
    """
    told = ", ".join([unit] * bool(unit) + ["log scale"] * isinstance(norm, LogNorm))
    return f"{name} [{told}]" if told else name


def spread_label(level: float, unit: str, *, relative: bool = False) -> str:
    """What a map of spread shows.

    Examples
    --------
    >>> spread_label(0.9, "ppm", relative=True)
    'Width of the 90 % interval [% of the estimate]'
    """
    what = "% of the estimate" if relative else unit
    return f"Width of the {100 * level:g} % interval [{what}]"


def colour_ramp(kind: str, n: int = 32) -> list[str]:
    """Colours of the maps as codes from low to high, for pages that draw by themselves.

    Parameters
    ----------
    kind : {"grade", "spread", "departure"}
        As on the maps.
    n : int
        Evenly spaced colours, to be blended between.

    Returns
    -------
    ramp : list of str

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> colour_ramp("grade", 3)
    ['#440154', '#21918c', '#fde725']
    """
    from matplotlib.colors import to_hex

    from gossan.plot._cells import colours_of

    check_option("kind", kind, ("grade", "spread", "departure"))
    return [to_hex(colour) for colour in colours_of(kind)(np.linspace(0.0, 1.0, n))]
