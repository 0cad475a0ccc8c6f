"""What a window network may be asked for, and what its windows must be: checked once, at the door.

Settings, sizes and weights as the caller gave them come in; clean ones go out, or a ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, validate_data

from gossan._checks import check_option, did_you_mean
from gossan.nets._window_forward import FIELDS, HEAD, WIDTHS

OPTIONS = {
    "weights": ("class", "class_group", "group", "none"),
    "scaling": ("standard", "none"),
    "augment": ("none", "flips", "half_turns"),
    "missing": ("refuse", "channel"),
    "schedule": ("cosine", "steps", "constant"),
    "tune": ("all", "head"),
}
RATE = 5e-3


def check_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with the widths of all layers, or raise where one is wrong."""
    architecture = given["architecture"]
    if architecture not in FIELDS:
        raise ValueError(
            f"architecture must be one of {', '.join(FIELDS)}, got {architecture!r}."
            f"{did_you_mean(str(architecture), list(FIELDS))} All convolutions are valid: with"
            " 'same' padding the score of a cell would depend on where the map is cut."
        )
    for name, options in OPTIONS.items():
        check_option(name, given[name], options)
    for name in ("epochs", "batch_size", "n_members"):
        if int(given[name]) < 1:
            raise ValueError(f"{name} must be at least 1, got {given[name]}.")
    for name in ("element_dropout", "label_smoothing"):
        if not 0.0 <= given[name] < 1.0:
            raise ValueError(f"{name} must lie in [0, 1), got {given[name]}.")
    return {**given, "widths": _checked_widths(architecture, given["widths"])}


def _checked_widths(architecture: str, widths: Sequence[int] | None) -> tuple[int, ...]:
    """Return the widths asked for, or those of the architecture."""
    usual = WIDTHS[architecture]
    found = tuple(int(width) for width in (usual if widths is None else widths))
    if len(found) != len(usual) or min(found) < 1:
        raise ValueError(
            f"widths must be {len(usual)} counts of channels above zero, got {found}. The usual"
            f" ones of {architecture!r} are {usual}."
        )
    return found


def read_windows(model: Any, X: ArrayLike, *, reset: bool) -> NDArray[np.float32]:
    """Return finite windows (n, channels, size, size), with as many channels as the model reads.

    With `reset` the model takes their number, and the names of the columns of a table.
    """
    may_miss: Any = "allow-nan" if model.missing == "channel" else True
    options: dict[str, Any] = {"dtype": np.float32, "ensure_all_finite": may_miss}
    if np.ndim(X) == 4:
        windows = check_array(X, allow_nd=True, input_name="X", **options)
        if reset:
            model.n_features_in_ = windows.shape[1]
            model.__dict__.pop("feature_names_in_", None)
    else:
        windows = validate_data(model, X, reset=reset, **options)[:, :, None, None]
    c, ny, nx = windows.shape[1:]
    if ny != nx or c != model.n_features_in_:
        raise ValueError(
            f"X must be windows (n, {model.n_features_in_} channels (features), size, size), got"
            f" shape {windows.shape}. Cut them as in training."
        )
    return windows


def check_field(architecture: str, field: int, size: int) -> None:
    """Raise unless a network of this field exists and windows of this size hold it."""
    fields = FIELDS[architecture]
    if field not in fields or size < field or size % 2 == 0:
        raise ValueError(
            f"A network {architecture!r} sees {', '.join(map(str, fields))} cells a side, in"
            f" windows of an odd size that hold them; got a field of {field} in windows of size"
            f" {size}. Cut other windows, or pass another field."
        )


def usual_rate(start: Any, tune: str) -> float:
    """Return the learning rate: lower for all layers of a network that has learned ore."""
    has_learned_ore = start is not None and start.weights_[HEAD[0]].any()
    return RATE / 10 if has_learned_ore and tune == "all" else RATE


def form_of(model: Any) -> dict[str, Any]:
    """Return what a network must share with the one that it starts from."""
    settings = check_settings(model.get_params(deep=False))
    told = {key: settings[key] for key in ("architecture", "widths", "missing")}
    return {"field": model.field_, "channels (features)": model.names_} | told


def check_start(start: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Raise unless the network that training begins with has the shape of the new one."""
    wrong = [key for key, value in start.items() if value != own[key]]
    if wrong:
        raise ValueError(
            f"start has {wrong[0]} {start[wrong[0]]}, the new model {own[wrong[0]]}. Give both the"
            " same, in the same order."
        )
