"""A model of maps that can be sent: a fitted map estimator with what makes its channels of raw layers.

A map estimator, the names of its layers and the numbers of their preparation come in; raw layers, as
they lie in rasters, can be scored by it without the data it was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if

from gossan import saving
from gossan._checks import check_option, did_you_mean

__all__ = ["MapModel"]

TRANSFORMS = ("none", "log10", "clr")
CLIP = 6.0  # robust scores: beyond it lies a faulty value or a deposit, and both are plain enough


class MapModel:
    """A fitted map estimator that reads raw layers: it makes its channels of them itself.

    A channel is `clip((t(x) - center) / scale)`, t the common logarithm, the centred log-ratio or
    nothing. Save it with
    `gossan.saving.save_model`: units and a card go along, and `score_rasters` needs nothing else.

    Parameters
    ----------
    estimator : fitted map estimator
        With `score_map` and `field_`; one of tables (n, channels) scores cell by cell.
    layers : sequence of str
        Names of the raw layers, in the order of the estimator's channels.
    transform : {"none", "log10", "clr"} or sequence of these
        Of all layers, or of each; log-ratios are among the layers that say "clr", in one unit.
    center, scale : float or sequence of float
        Median and spread (MAD times 1.4826) of the transformed training values.
    floor : float or sequence of float
        What a value at or below zero becomes before the logarithm [unit of the layer]; 0: missing.
    clip : float
        Largest absolute value of a channel; infinite: none is clipped.
    cell_size : float, optional
        Size of the training cells [m]: a window of cells means another distance on other cells.
    units : str or mapping of str to str, optional
        Unit of all layers, or of each by its name; "" or left out: not known, and not checked.

    Attributes
    ----------
    units_ : dict of str to str
        Of each layer.

    Raises
    ------
    ValueError
        If the numbers are not one a layer, a scale is not positive, or the estimator has another
        number of channels.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> points = LogisticRegression().fit([[-1.0], [0.0], [1.0], [2.0]], [0, 0, 1, 1])
    >>> model = MapModel(points, ["Li"], transform="log10", center=1.0, scale=0.5, floor=1.0)
    >>> model.prepare([[[10.0, 100.0, 0.0, np.nan]]])
    array([[[ 0.,  2., -2., nan]]], dtype=float32)
    """

    def __init__(
        self,
        estimator: Any,
        layers: Sequence[str],
        *,
        transform: str | Sequence[str] = "none",
        center: float | ArrayLike = 0.0,
        scale: float | ArrayLike = 1.0,
        floor: float | ArrayLike = 0.0,
        clip: float = CLIP,
        cell_size: float | None = None,
        units: str | Mapping[str, str] | None = None,
    ) -> None:
        self.estimator = estimator
        self.layers = _checked_names(layers)
        n = len(self.layers)
        self.transform = [transform] * n if isinstance(transform, str) else list(transform)
        self.center = _one_a_layer("center", center, n)
        self.scale = _one_a_layer("scale", scale, n)
        self.floor = _one_a_layer("floor", floor, n)
        self.clip = float(clip)
        self.cell_size = None if cell_size is None else float(cell_size)
        self.units_ = _units_of(self.layers, units)
        self._check()

    @classmethod
    def of_scores(cls, estimator: Any, scores: Any, **options: Any) -> MapModel:
        """Return the model of an estimator fitted on the scores of raw tables or maps.

        Parameters
        ----------
        estimator : fitted map estimator
            Its channels are the scores, in their order.
        scores : fitted `gossan.geochem.RobustScores`
            Or what has its kind, names_, parts_, kept_, centre_, spread_ and clip.
        **options
            `floor`, `cell_size` and `units`, of the layers that are kept.

        Returns
        -------
        model : MapModel

        Raises
        ------
        ValueError
            If log-ratios need a layer that is no channel.
        """
        parts, kept = (np.asarray(each).tolist() for each in (scores.parts_, scores.kept_))
        if scores.kind == "clr" and parts != kept:
            lost = ", ".join(scores.names_[i] for i in parts if i not in kept)
            raise ValueError(
                f"Log-ratios need {lost}, which has one value and is no channel. Fit the scores"
                " without it."
            )
        return cls(
            estimator,
            [scores.names_[i] for i in kept],
            transform={"log": "log10"}.get(scores.kind, scores.kind),
            center=scores.centre_,
            scale=scores.spread_,
            clip=np.inf if scores.clip is None else scores.clip,
            **options,
        )

    def _check(self) -> None:
        n = len(self.layers)
        if len(self.transform) != n:
            raise ValueError(
                f"transform has {len(self.transform)} words for {n} layers. Give one, or one each."
            )
        for word in self.transform:
            check_option("transform", word, TRANSFORMS)
        sizes = [self.clip] if self.cell_size is None else [self.clip, self.cell_size]
        if not (self.scale > 0).all() or (self.floor < 0).any() or not min(sizes) > 0:
            raise ValueError(
                "scale, clip and cell_size must be positive and floor not negative, got scale"
                f" {self.scale.tolist()}, floor {self.floor.tolist()}, clip {self.clip}, cell_size"
                f" {self.cell_size}. A layer of one value has no scale: leave it out."
            )
        channels = getattr(self.estimator, "n_features_in_", n)
        if channels != n:
            raise ValueError(
                f"The estimator reads {channels} channels, {n} layers were named:"
                f" {', '.join(self.layers)[:200]}. Name those that it was fitted with, in their order."
            )

    @property
    def names_(self) -> list[str]:
        """Names of the layers, as an estimator names its features."""
        return list(self.layers)

    @property
    def n_features_in_(self) -> int:
        """Number of layers."""
        return len(self.layers)

    @property
    def field_(self) -> int:
        """Cells along a side that the estimator reads; 1 for models of points."""
        return int(getattr(self.estimator, "field_", 1))

    @property
    def classes_(self) -> NDArray:
        """Classes of the estimator."""
        return self.estimator.classes_

    def prepare(self, volume: ArrayLike) -> NDArray[np.float32]:
        """Return the channels of raw layers.

        Parameters
        ----------
        volume : array of shape (..., n_layers, ny, nx)
            Raw layers in their units, NaN where there is no data; also windows or (n, n_layers).

        Returns
        -------
        channels : float32 array of the same shape
        """
        raw = np.array(volume, dtype=np.float32)
        if raw.ndim < 2 or raw.shape[self._axis(raw)] != len(self.layers):
            raise ValueError(
                f"Raw layers must have {len(self.layers)} channels ({', '.join(self.layers)[:120]}),"
                f" got shape {raw.shape}. Stack the layers in this order."
            )
        channels = np.moveaxis(raw, self._axis(raw), 0)
        level = self._level(channels)
        for i in range(len(self.layers)):
            channels[i] = self._channel(channels[i], i, level)
        return raw

    def _axis(self, raw: NDArray) -> int:
        return 1 if raw.ndim == 2 else raw.ndim - 3

    def _level(self, channels: NDArray[np.float32]) -> Any:
        """Return the mean natural logarithm of the layers that are log-ratios, 0 without any."""
        parts = [i for i, word in enumerate(self.transform) if word == "clr"]
        return sum(np.log(self._positive(channels[i], i)) for i in parts) / max(len(parts), 1)

    def _positive(self, values: NDArray[np.float32], i: int) -> NDArray[np.float64]:
        return np.where(values <= 0, self.floor[i] or np.nan, values.astype(float))

    def _channel(self, values: NDArray[np.float32], i: int, level: Any) -> NDArray[np.float64]:
        made: NDArray[np.float64] = values.astype(float)  # a layer at a time
        if self.transform[i] == "log10":
            made = np.log10(self._positive(values, i))
        elif self.transform[i] == "clr":
            made = np.log(self._positive(values, i)) - level
        made = (made - self.center[i]) / self.scale[i]
        return np.clip(made, -self.clip, self.clip, out=made)

    @available_if(lambda self: hasattr(self.estimator, "predict_proba"))
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities of raw windows (n, n_layers, size, size) or rows, (n, 2)."""
        return self.estimator.predict_proba(self.prepare(X))

    @available_if(lambda self: hasattr(self.estimator, "score_map"))
    def score_map(self, volume: ArrayLike, **options: Any) -> Any:
        """Return the estimator's score of raw layers (n_layers, ny, nx), see its `score_map`."""
        return self.estimator.score_map(self.prepare(volume), **options)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings, arrays and the estimator's own."""
        told, arrays = saving.pack(self.estimator, "estimator", inside="MapModel")
        settings = {
            "layers": list(self.layers),
            "transform": list(self.transform),
            "clip": self.clip if np.isfinite(self.clip) else None,
            "cell_size": self.cell_size,
            **told,
        }
        own = {"center": self.center, "scale": self.scale, "floor": self.floor}
        return settings, arrays | own

    @classmethod
    def from_arrays(cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]) -> MapModel:
        """Return the model that `to_arrays` took apart; raise ValueError if unsound."""
        n, clip = (len(settings["layers"]),), settings["clip"]
        numbers: dict[str, Any] = {
            name: saving.take(arrays, name, n) for name in ("center", "scale", "floor")
        }
        return cls(
            saving.unpack(settings, arrays, "estimator", inside="MapModel"),
            settings["layers"],
            transform=list(settings["transform"]),
            **numbers,
            clip=np.inf if clip is None else clip,
            cell_size=settings["cell_size"],
        )


def _checked_names(layers: Sequence[str]) -> list[str]:
    names = [] if isinstance(layers, str) else list(layers)
    folded = {name.casefold() for name in names if isinstance(name, str)}
    if not names or len(folded) != len(names):
        raise ValueError(
            f"layers must be names that differ by more than their case, got {str(layers)[:120]}."
            " Name each raster once."
        )
    return names


def _units_of(layers: Sequence[str], units: str | Mapping[str, str] | None) -> dict[str, str]:
    given = dict.fromkeys(layers, units) if isinstance(units, str) else dict(units or {})
    strange = next((name for name in given if name not in layers), None)
    if strange is not None:
        raise ValueError(
            f"units names {strange!r}, which is no layer of {', '.join(layers)[:200]}. Use the names of"
            f" the layers.{did_you_mean(str(strange), layers)}"
        )
    return {name: given.get(name, "") for name in layers}


def _one_a_layer(name: str, values: Any, n: int) -> NDArray[np.float64]:
    given = np.asarray(values, dtype=float)
    if given.shape not in ((), (n,)) or not np.isfinite(given).all():
        raise ValueError(
            f"{name} must be one finite number, or one for each of {n} layers, got"
            f" {np.asarray(values).tolist()}. Take them from the preparation of the training data."
        )
    return np.broadcast_to(given, (n,)).copy()
