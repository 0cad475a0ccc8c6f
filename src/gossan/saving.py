"""Save a fitted model as a folder that anyone can open without running anyone's code.

A fitted estimator and its card go in; `model.json` and `weights.safetensors` come out, and back. No
pickle is written or read: what a file may name is a closed list, and all of it is checked.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gossan import __version__
from gossan._checks import did_you_mean
from gossan._model_files import (
    MODEL,
    WEIGHTS,
    check_size,
    check_target,
    read_folder,
    read_json,
    read_weights,
    weights_bytes,
    write_folder,
)

__all__ = ["load_model", "save_model"]

FORMAT = 1
CLASSES = {
    "BackgroundEnsemble": "gossan.models.background",
    "BoostedTrees": "gossan.models.boosting",
    "DeepAutoencoder": "gossan.nets.autoencoder",
    "DenseClassifier": "gossan.nets.dense",
    "DepositTypeModel": "gossan.studies.genesis.deposit_types",
    "EnsembleClassifier": "gossan.models.ensemble",
    "Forest": "gossan.models.forest",
    "GroupNeighbours": "gossan.models.neighbours",
    "HierarchicalDiscriminant": "gossan.models.hierarchical",
    "IsolationIndex": "gossan.models.label_free",
    "MahalanobisIndex": "gossan.models.label_free",
    "MapModel": "gossan.prospectivity.map_model",
    "MaxEnt": "gossan.models.maxent",
    "MixtureDetector": "gossan.models.mixture",
    "NeighbourRegressor": "gossan.nets.neighbour_rnn",
    "PathfinderIndex": "gossan.models.label_free",
    "PointLogistic": "gossan.models.logistic",
    "PretextClassifier": "gossan.nets.pretext",
    "RobustScores": "gossan.geochem.robust_scores",
    "ScoreBlend": "gossan.models.score_blend",
    "StackedTransfer": "gossan.models.stacking",
    "StudentTeacherDetector": "gossan.nets.student_teacher",
    "WindowCNN": "gossan.nets.window_cnn",
    "WindowStatistics": "gossan.models.window_statistics",
}
KEYS = {"format", "gossan", "model", "units", "arrays", "card", "sha256"}
# What a damaged or forged file makes plain code raise; all of it is told as a ValueError.
UNSOUND = (KeyError, TypeError, AttributeError, IndexError, ArithmeticError, RuntimeError)


def save_model(
    model: Any,
    folder: str | Path,
    *,
    card: Mapping[str, Any],
    units: str | Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a fitted model into a folder of two files.

    Parameters
    ----------
    model : estimator
        Fitted `DenseClassifier`, `HierarchicalDiscriminant`, `GroupNeighbours`, `BoostedTrees`, an
        `EnsembleClassifier` of these, `NeighbourRegressor`, `DeepAutoencoder`,
        `StudentTeacherDetector`, `WindowCNN`, `PretextClassifier`, `MaxEnt`, `MixtureDetector`,
        `RobustScores`, a map estimator of `gossan.models` with all that it holds, a `MapModel` of one
        of these, or the model of a study.
    folder : str or Path
        Where to write; it appears at once or not at all.
    card : mapping
        What a reader must know of the model: source of the data, honest scores, limits of use.
        Text, numbers, lists and mappings.
    units : str or mapping, optional
        Unit of all features, or of each by name. None: the `units_` of the model, else "ppm".
    overwrite : bool
        Whether a saved model that is already there is replaced.

    Returns
    -------
    folder : Path

    Raises
    ------
    ValueError
        If the model is of another class or too large, the card does not fit JSON, or the folder
        exists (with `overwrite`: and is no saved model).
    """
    target = Path(folder)
    check_target(target, overwrite=overwrite)
    told, arrays = pack(model, "model")
    weights = weights_bytes(arrays)
    content = {
        "format": FORMAT,
        "gossan": __version__,
        **told,
        "units": _units_of(model, units),
        "arrays": {name: [str(a.dtype), list(a.shape)] for name, a in sorted(arrays.items())},
        "card": _plain(card, "card"),
    }
    content["sha256"] = _digest(content, weights)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8")
    for name, data in ((MODEL, text), (WEIGHTS, weights)):
        check_size(target / name, len(data))
    write_folder(target, {MODEL: text, WEIGHTS: weights})
    return target


def load_model(folder: str | Path) -> tuple[Any, dict[str, Any]]:
    """Return the model and the card of a folder that `save_model` wrote.

    Predictions are those of the saved model, bit for bit. Nothing in the folder is run; a file
    from a stranger can at worst be refused, or be a bad model.

    Parameters
    ----------
    folder : str or Path
        The saved model.

    Returns
    -------
    model : estimator
        Fitted; its `units_` tells the unit of each feature.
    card : dict
        What was said of it.

    Raises
    ------
    ValueError
        If the folder is not exactly a saved model of this format: files missing, added, linked, too
        large or changed, an unknown class, or arrays that do not fit it.
    """
    home = Path(folder)
    data = read_folder(home)
    try:
        return _rebuild(data[MODEL], data[WEIGHTS])
    except (ValueError, *UNSOUND) as error:
        raise ValueError(
            f"{home} is not a sound saved model: {error or type(error).__name__}. Fetch it again "
            "from its source, or save it anew."
        ) from error


# What the estimators write their to_arrays and from_arrays with


def settings_of(model: Any, *, without: Sequence[str] = ()) -> dict[str, Any]:
    """Return the arguments, names and, of a classifier, classes of a fitted estimator, as JSON."""
    params = {k: v for k, v in model.get_params(deep=False).items() if k not in without}
    if isinstance(params.get("random_state"), np.random.Generator):
        params["random_state"] = None  # a stream cannot be told in a number
    told = {
        "params": _plain(params, type(model).__name__),
        "names": list(model.names_),
        "is_named": hasattr(model, "feature_names_in_"),
    }
    if hasattr(model, "classes_"):  # a detector has none
        told["classes"] = np.asarray(model.classes_).tolist()
    return told


def blank(cls: Any, settings: Mapping[str, Any], **more: Any) -> Any:
    """Return an estimator of a class with checked settings, names and classes, not yet fitted."""
    params, names = settings["params"], settings["names"]
    unknown = set(params) - set(inspect.signature(cls).parameters)
    if unknown or set(params) & set(more):
        raise ValueError(f"{cls.__name__} has no parameter {sorted(unknown or more)[0]!r} to set")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise ValueError(f"names must be a list of texts, got {str(names)[:80]}")
    if settings["is_named"] not in (True, False):
        raise ValueError(f"is_named must be true or false, got {str(settings['is_named'])[:80]}")
    model = cls(**params, **more)
    if hasattr(cls, "predict_proba"):
        model.classes_ = _read_classes(settings["classes"])
    model.names_ = list(names)
    model.n_features_in_ = len(names)
    if settings["is_named"]:
        model.feature_names_in_ = np.array(names, dtype=object)
    return model


def take(
    arrays: dict[str, NDArray],
    name: str,
    shape: Sequence[int | None],
    dtype: DTypeLike = np.float64,
) -> NDArray:
    """Remove and return an array of the wanted shape (None: any length) and type, all finite."""
    if name not in arrays:
        raise ValueError(f"the array {name!r} is missing")
    array = arrays.pop(name)
    fits = len(shape) == array.ndim and all(
        wanted in (None, has) for wanted, has in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype != np.dtype(dtype):
        raise ValueError(
            f"the array {name!r} must have shape {tuple(shape)} and type {np.dtype(dtype)}, got "
            f"{array.shape} and {array.dtype}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"the array {name!r} has values that are not finite")
    return array


class _Arrays(dict[str, NDArray]):
    """Arrays that remember which of them were asked for."""

    def __init__(self, arrays: Mapping[str, NDArray]) -> None:
        super().__init__(arrays)
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> NDArray:
        self.used.add(name)
        return super().__getitem__(name)


def pack(
    model: Any, name: str, *, inside: str | None = None
) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return {name: class and settings} and the arrays, `name` before each, of a fitted model."""
    kind = type(model).__name__
    if CLASSES.get(kind) != type(model).__module__ or kind == inside:
        raise ValueError(
            f"{kind}{f' inside {inside}' if inside else ''} cannot be saved. Save one of "
            f"{', '.join(each for each in CLASSES if each != inside)}."
        )
    settings, arrays = model.to_arrays()
    told = {name: {"class": kind, "settings": settings}}
    return told, {f"{name}/{key}": np.ascontiguousarray(array) for key, array in arrays.items()}


def pack_all(
    models: Sequence[Any], word: str, *, inside: str
) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return settings and arrays of several models as of `pack`, named `word` and their number."""
    settings: dict[str, Any] = {}
    arrays: dict[str, NDArray] = {}
    for i, model in enumerate(models):
        told, parts = pack(model, f"{word}{i}", inside=inside)
        settings |= told
        arrays |= parts
    return settings, arrays


def unpack_all(
    settings: Mapping[str, Any], arrays: dict[str, NDArray], word: str, n: int, *, inside: str
) -> list[Any]:
    """Return the `n` fitted models that `pack_all` took apart, as `unpack` does each."""
    return [unpack(settings, arrays, f"{word}{i}", inside=inside) for i in range(n)]


def unpack(
    settings: Mapping[str, Any],
    arrays: dict[str, NDArray],
    name: str,
    *,
    inside: str | None = None,
) -> Any:
    """Return the fitted model that `pack` put under `name`; each of its arrays must be of use."""
    kind = settings[name]["class"]
    if not isinstance(kind, str) or kind not in CLASSES or kind == inside:
        hint = did_you_mean(str(kind), list(CLASSES))
        raise ValueError(f"the class {str(kind)[:80]!r} is none that can be loaded here.{hint}")
    own = [key for key in arrays if key.startswith(f"{name}/")]
    parts = _Arrays({key.removeprefix(f"{name}/"): arrays.pop(key) for key in own})
    # The module comes from the list above, never from the file.
    cls = getattr(importlib.import_module(CLASSES[kind]), kind)
    model = cls.from_arrays(settings[name]["settings"], parts)
    spare = sorted(set(parts) - parts.used)
    if spare:
        raise ValueError(f"the array {spare[0]!r} belongs to nothing in {kind}")
    if hasattr(model, "predict_proba"):
        _check_answer(model)
    return model


# Writing


def _plain(value: Any, where: str) -> Any:
    """Return a value as JSON has it: numpy numbers as Python's, tuples as lists."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(each, f"{where}.{key}") for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, f"{where}[{i}]") for i, each in enumerate(value)]
    raise ValueError(
        f"{where} cannot be saved, it is {value!r} ({type(value).__name__}). Pass text, finite "
        "numbers, lists and mappings with text keys."
    )


def _digest(content: Mapping[str, Any], weights: bytes) -> str:
    """Return the SHA-256 of the weights and of all of model.json but the digest itself."""
    said = {key: value for key, value in content.items() if key != "sha256"}
    text = json.dumps(said, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(hashlib.sha256(weights).digest() + text.encode("ascii")).hexdigest()


def _units_of(model: Any, units: str | Mapping[str, str] | None) -> dict[str, str]:
    names = model.names_ if hasattr(model, "names_") else model.elements
    given = getattr(model, "units_", "ppm") if units is None else units
    told = dict.fromkeys(names, given) if isinstance(given, str) else dict(given)
    if set(told) != set(names) or not all(isinstance(unit, str) for unit in told.values()):
        raise ValueError(
            f"units must name a unit for each feature, got {str(told)[:80]} for {list(names)[:9]}. "
            "Pass one word, or a mapping of all names."
        )
    return {name: told[name] for name in names}


# Reading


def _rebuild(text: bytes, weights: bytes) -> tuple[Any, dict[str, Any]]:
    """Return model and card from the bytes of the two files."""
    content = read_json(text)
    if set(content) != KEYS or content["format"] != FORMAT:
        raise ValueError(
            f"format is {str(content.get('format'))[:40]} with keys {str(sorted(content))[:200]}; "
            f"format {FORMAT} has {sorted(KEYS)}"
        )
    if content["sha256"] != _digest(content, weights):
        raise ValueError("the SHA-256 does not match: a file was changed after it was saved")
    arrays = read_weights(weights, content["arrays"])
    model = unpack(content, arrays, "model")
    if arrays or not isinstance(content["card"], dict):
        raise ValueError("an array belongs to nothing, or the card is no mapping")
    model.units_ = _units_of(model, content["units"])
    return model, content["card"]


def _read_classes(classes: Any) -> NDArray:
    kinds = {type(each) for each in classes} if isinstance(classes, list) else set()
    found = np.array(classes) if len(kinds) == 1 and kinds <= {str, int, float, bool} else None
    if found is None or found.dtype == object or not 2 <= len(found) <= 10_000:
        raise ValueError(f"classes must be a list of names or of numbers, got {str(classes)[:80]}")
    if not np.array_equal(np.unique(found), found):
        raise ValueError("classes are not sorted, or one stands twice")
    return found


def _check_answer(model: Any) -> None:
    """Raise unless the model gives probabilities for ones, a table or a window."""
    with np.errstate(all="ignore"):
        answer = model.predict_proba(_ones(model))
    if answer.shape != (1, len(model.classes_)) or not abs(answer.sum() - 1.0) < 1e-6:
        raise ValueError("the model gives no probabilities")


def _ones(model: Any) -> Any:
    from pandas import DataFrame

    side = getattr(model, "field_", 1)
    if side > 1:
        return np.ones((1, model.n_features_in_, side, side))
    table = np.ones((1, model.n_features_in_))
    named = hasattr(model, "feature_names_in_")
    return DataFrame(table, columns=model.names_) if named else table
