"""Public names that load their module when first used, so that a package itself costs nothing.

In go the modules of a package and their public names; out come its `__getattr__`, `__dir__` and
`__all__`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def attach(
    package: str, names: Mapping[str, Sequence[str]], modules: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of `package`.

    `names` maps a module, relative to the package, to the names that the package takes from it;
    `modules` are public themselves.
    """
    home = {name: module for module, public in names.items() for name in public}

    def get(name: str) -> Any:
        if name in modules:
            value = importlib.import_module(f"{package}.{name}")
        elif name in home:
            value = getattr(importlib.import_module(f"{package}.{home[name]}"), name)
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        setattr(sys.modules[package], name, value)
        return value

    def listing() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules, *home})

    return get, listing, [*modules, *home]
