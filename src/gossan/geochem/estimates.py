"""The frozen result of every geochemical estimate: a number, its error, and whether to trust it.

Arrays of numbers with their flags come in; a record that turns into a table goes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

MISSING = "missing"
Doubts: TypeAlias = Sequence[tuple[NDArray[np.bool_] | bool, str]]


@dataclass(frozen=True)
class Estimate:
    """A quantity with its uncertainty, and for each value whether it can be trusted and why not.

    Attributes
    ----------
    quantity : str
        What was estimated ("temperature").
    unit : str
        Its unit ("°C").
    value, uncertainty : array
        The estimate and its error of one standard deviation, both in `unit`; NaN where there is
        no answer, or where the source gives no error.
    valid : array of bool
        True where the value lies inside the range for which its source stands.
    reason : array of str
        Why a value is not valid, in a few words ("extrapolated below 100 °C"); empty where it is.
    source : str
        Key in the bibliography, docs/references.md.

    Examples
    --------
    >>> import numpy as np
    >>> flags = (np.array([True, False]), np.array(["", "missing"]))
    >>> print(Estimate("temperature", "°C", np.array([208.0, np.nan]), np.array([10.0, np.nan]),
    ...                *flags, source="Frenzel2016"))
    temperature [°C], 2 values, 1 valid (Frenzel2016); missing: 1
    """

    quantity: str
    unit: str
    value: NDArray[np.float64]
    uncertainty: NDArray[np.float64]
    valid: NDArray[np.bool_]
    reason: NDArray[np.str_]
    source: str

    def __str__(self) -> str:
        words, counts = np.unique(np.atleast_1d(self.reason), return_counts=True)
        tally = [f"{word}: {n}" for word, n in zip(words, counts, strict=True) if word]
        head = (
            f"{self.quantity} [{self.unit}], {self.value.size} values, {int(self.valid.sum())}"
            f" valid ({self.source})"
        )
        return "; ".join([head, *tally])

    def to_frame(self, index: Any = None) -> pd.DataFrame:
        """Return the estimate as a table of `quantity`, its uncertainty, `valid` and `reason`.

        Parameters
        ----------
        index : index or sequence of length n, optional
            Row labels of the table (default: row numbers from 0).

        Returns
        -------
        table : DataFrame of n rows
            The unit stands in ``table.attrs["unit"]``, the source in ``table.attrs["source"]``.
        """
        name = self.quantity.replace(" ", "_")
        columns = {
            name: self.value,
            f"{name}_uncertainty": self.uncertainty,
            f"{name}_valid": self.valid,
            f"{name}_reason": self.reason,
        }
        table = pd.DataFrame({key: np.ravel(part) for key, part in columns.items()}, index=index)
        table.attrs.update(unit=self.unit, source=self.source)
        return table


def estimate(
    quantity: str,
    value: ArrayLike,
    *,
    unit: str,
    source: str,
    uncertainty: ArrayLike = np.nan,
    doubts: Doubts = (),
) -> Estimate:
    """Build an `Estimate` from its value and the doubts about it.

    Parameters
    ----------
    quantity : str
        What was estimated.
    value : array
        The estimate [`unit`], NaN where there is none.
    unit, source : str
        Unit, and key in the bibliography.
    uncertainty : array, optional
        One standard deviation [`unit`]; NaN (the default) where the source gives none.
    doubts : sequence of (array of bool, str), optional
        Each condition under which a value is not valid, and the words for it; the first that
        holds is the reason given. A NaN without a doubt is called missing.

    Returns
    -------
    result : Estimate
        All its arrays have the shape of `value`.
    """
    numbers = np.asarray(value, dtype=float)
    reason = np.full(numbers.shape, "", dtype=object)
    for condition, words in [*doubts, (np.isnan(numbers), MISSING)]:
        fresh = np.broadcast_to(condition, numbers.shape) & (reason == "")
        reason = np.where(fresh, words, reason)
    errors = np.where(np.isnan(numbers), np.nan, np.broadcast_to(uncertainty, numbers.shape))
    return Estimate(
        quantity=quantity,
        unit=unit,
        value=numbers,
        uncertainty=np.asarray(errors, dtype=float),
        valid=np.asarray(reason == "", dtype=bool),
        reason=np.asarray(reason, dtype=str),
        source=source,
    )


def outside(value: ArrayLike, low: float, high: float, unit: str) -> Doubts:
    """Doubts about a value that lies outside its calibration, as `estimate` takes them.

    Parameters
    ----------
    value : array
        The estimate [`unit`].
    low, high : float
        Ends of the calibration [`unit`].
    unit : str
        Unit, for the words.

    Returns
    -------
    doubts : list of (array of bool, str)
        Below `low`, and above `high`.
    """
    numbers = np.asarray(value, dtype=float)
    return [
        (numbers < low, f"extrapolated below {low:g} {unit}"),
        (numbers > high, f"extrapolated above {high:g} {unit}"),
    ]
