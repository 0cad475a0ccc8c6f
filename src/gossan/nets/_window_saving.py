"""A fitted window network as plain settings and arrays, and back: the two halves of saving it.

A `WindowCNN` comes in and settings and arrays go out, or the other way, all of them checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan import saving
from gossan.nets._window_checks import check_field, check_settings
from gossan.nets._window_forward import stages_of, window_shapes

OF_CHANNELS = ("center_", "scale_", "background_")


def taken_apart(model: Any) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return the settings and the arrays of a fitted network."""
    told = saving.settings_of(model, without=("progress", "start")) | {"field": model.field_}
    arrays = {name: getattr(model, name) for name in (*OF_CHANNELS, "losses_")}
    return told, arrays | {f"network.{name}": value for name, value in model.weights_.items()}


def put_together(cls: Any, settings: Mapping[str, Any], arrays: dict[str, NDArray]) -> Any:
    """Return the network that `taken_apart` took apart; raise ValueError if unsound."""
    model = saving.blank(cls, settings, start=None)
    in_force, c = check_settings(model.get_params(deep=False)), model.n_features_in_
    model.field_ = settings["field"]
    check_field(in_force["architecture"], model.field_, model.field_)
    for name in OF_CHANNELS:
        setattr(model, name, saving.take(arrays, name, (c,)))
    n_members = in_force["n_members"]
    model.losses_ = saving.take(arrays, "losses_", (n_members, None))
    if not (model.scale_ > 0).all() or len(model.classes_) != 2:
        raise ValueError("a scale is not above zero, or there are not two classes")
    n_in = c + (in_force["missing"] == "channel")
    stages = stages_of(in_force["architecture"], model.field_, in_force["widths"])
    model.weights_ = {
        name: saving.take(arrays, f"network.{name}", shape, np.float32)
        for name, shape in window_shapes(stages, n_in, n_members=n_members).items()
    }
    return model
