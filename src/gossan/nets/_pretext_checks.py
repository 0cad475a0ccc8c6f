"""Settings of few-label classifiers: the published ones by name, and checks of what was asked for.

Arguments of the estimator come in; settings with everything in force go out, or a ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from gossan._checks import check_labels, check_option
from gossan.nets._forward import ACTIVATIONS

# Mantilla-Dulcey et al. (2024), as their code has it: principal components, unscaled; Keras' Adam.
_PUBLISHED: dict[str, Any] = {
    "hidden": (100, 8, 6, 4, 2),
    "activation": "relu",
    "scaling": "none",
    "odds": "balanced",
    "dropout": 0.0,
    "noise": 0.0,
    "mask": 0.0,
    "epochs": 6000,
    "batch_size": 82,
    "weight_decay": 0.0,
    "schedule": "constant",
    "patience": None,
    "n_members": 1,
    "pretext_learning_rate": 1e-3,
    "epsilon": 1e-7,
    "leaky_decoder": True,
}
_FINE = {"tune": "fine", "loss": "weighted", "learning_rate": 1e-5}
_PROBE = {"tune": "probe", "loss": "plain", "learning_rate": 1e-3}
_HEAD = {"head_l1": 0.01, "head_l2": 0.01}
_FDE = {"pretext": "autoencoder", "pretext_epochs": 500, "pretext_batch_size": 10_000}
_GCP = {"pretext": "classes", "pretext_epochs": 1000, "pretext_batch_size": 82}
PRESETS: dict[str, dict[str, Any]] = {
    "fde_ft": {**_PUBLISHED, **_FDE, **_FINE, **_HEAD},
    "fde_lp": {**_PUBLISHED, **_FDE, **_PROBE, **_HEAD},
    "gcp_ft": {**_PUBLISHED, **_GCP, **_FINE, **_HEAD},
    "gcp_lp": {**_PUBLISHED, **_GCP, **_PROBE, **_HEAD},
    "scratch": {
        **_PUBLISHED,
        "pretext": "none",
        "tune": "fine",
        "loss": "plain",
        "learning_rate": 1e-3,
        "head_l1": 0.0,
        "head_l2": 0.0,
    },
}
OPTIONS = {
    "pretext": ("masked", "autoencoder", "classes", "none"),
    "tune": ("fine", "probe"),
    "loss": ("weighted", "plain", "focal", "pu"),
    "odds": ("training", "balanced"),
    "scaling": ("standard", "none"),
    "schedule": ("cosine", "steps", "constant"),
}
COUNTS = ("epochs", "batch_size", "n_members", "pretext_epochs", "pretext_batch_size")
SHARES = ("dropout", "mask")
NOT_NEGATIVE = ("noise", "focus", "head_l1", "head_l2", "weight_decay")


def check_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings in force (the preset's where one is named), or raise where one is wrong."""
    preset = given["preset"]
    if preset is not None:
        check_option("preset", preset, PRESETS)
    settings = {"epsilon": 1e-8, "leaky_decoder": False, **given, **PRESETS.get(preset or "", {})}
    check_option("activation", settings["activation"], ACTIVATIONS)
    for name, options in OPTIONS.items():
        check_option(name, settings[name], options)
    _check_numbers(settings)
    settings["hidden"] = tuple(int(width) for width in settings["hidden"])
    if not settings["hidden"] or min(settings["hidden"]) < 1:
        raise ValueError(f"hidden must be widths above zero, got {settings['hidden']}.")
    is_untaught = settings["pretext"] == "none" and settings["start"] is None
    if is_untaught and settings["tune"] == "probe":
        raise ValueError(
            "tune='probe' freezes what a pretext task taught, got pretext='none'. Name a task, pass"
            " a start, or tune='fine'."
        )
    return settings


def _check_numbers(settings: Mapping[str, Any]) -> None:
    for name in COUNTS:
        if int(settings[name]) < 1:
            raise ValueError(f"{name} must be at least 1, got {settings[name]}.")
    for name in SHARES:
        if not 0.0 <= settings[name] < 1.0:
            raise ValueError(f"{name} must lie in [0, 1), got {settings[name]}.")
    for name in NOT_NEGATIVE:
        if not settings[name] >= 0.0:
            raise ValueError(f"{name} must be zero or more, got {settings[name]}.")
    for name in ("prior", "stop_share"):
        if not 0.0 < settings[name] < 1.0:
            raise ValueError(f"{name} must lie between 0 and 1, got {settings[name]}.")


def check_start(
    start: Any, names: NDArray | None, table: NDArray[np.float64], settings: Mapping[str, Any]
) -> None:
    """Raise unless the network that training begins with suits the table and the settings."""
    if start is None:
        return
    check_is_fitted(start, "weights_")
    theirs = check_settings(start.get_params(deep=False))
    told = {"names": start.names_, "hidden": theirs["hidden"], "activation": theirs["activation"]}
    own = {"names": start.names_ if names is None else [str(name) for name in names]}
    own |= {key: settings[key] for key in ("hidden", "activation")}
    wrong = [key for key, value in told.items() if value != own[key]]
    if wrong:
        raise ValueError(
            f"start has {wrong[0]} {told[wrong[0]]}, the new model {own[wrong[0]]}. Give both the"
            " same, in the same order."
        )
    if start.n_features_in_ != table.shape[1]:
        raise ValueError(
            f"start has {start.n_features_in_} features, X has {table.shape[1]}. Take the same"
            " columns in the same order."
        )


def check_background(rows: ArrayLike | None, n_features: int) -> NDArray[np.float64] | None:
    """Return unlabelled rows as float64, or None; raise where they do not suit."""
    if rows is None:
        return None
    table = np.asarray(rows, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != n_features or not len(table):
        raise ValueError(
            f"background must be a table of the same {n_features} features, got shape"
            f" {table.shape}. Take the same columns in the same order."
        )
    if not np.isfinite(table).all():
        raise ValueError(
            f"background has {(~np.isfinite(table)).sum()} values that are missing or infinite."
            " Drop or impute these rows."
        )
    return table


def check_classes(
    rows: NDArray[np.float64] | None, classes: ArrayLike | None, task: str
) -> NDArray[np.int64] | None:
    """Return the codes of the classes that the pretext task tells apart, or None."""
    if task != "classes":
        return None
    if rows is None or classes is None:
        raise ValueError(
            "pretext='classes' learns the classes of the background rows first, got no"
            f" {'background' if rows is None else 'background_classes'}. Pass both, or take"
            " pretext='masked', which needs no classes."
        )
    names = check_labels("background_classes", classes, len(rows))
    kinds, codes = np.unique(names, return_inverse=True)
    if len(kinds) < 2:
        raise ValueError(
            f"background_classes must name 2 classes or more, got only {kinds.tolist()}. Pass"
            " another pretext task."
        )
    return codes.astype(np.int64)
