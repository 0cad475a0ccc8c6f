"""Methods of the transfer study by their names, the simplest first.

What the study file asks for comes in; `Recipe` records with classifiers, not fitted, and what their
`fit` takes besides labels, go out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from gossan.models.boosting import BoostedTrees
from gossan.models.few_labels import RankBlend, make_few_label_model
from gossan.nets.pretext import PretextClassifier
from gossan.studies.transfer.unusual import UnusualGround

FLOOR = "coordinates"
UNTAUGHT = "mahalanobis"
NEIGHBOURS = 5  # of the floor
TREES = 300

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Wishes:
    """What methods are made of.

    Attributes
    ----------
    scaling : {"standard", "none"}
        Of the evidence.
    pretext : {"masked", "autoencoder", "classes", "none"}
        What "pretrained net" learns first.
    n_members : int
        Networks that are averaged.
    epochs : int
        Of our networks; 0 for those of the recipe.
    random_state : int
    background : array of shape (m, p), optional
        Unlabelled rows.
    classed : (rows, classes), optional
        Rows of known classes, such as rock units.
    groups : int64 array of shape (n,), optional
        Block of each labelled row, for early stopping.
    labelled : array of shape (n, p), optional
        Labelled rows as principal components: the published autoencoder learned them, unlabelled.
    as_components : callable, optional
        Rows of evidence to principal components.
    """

    scaling: str = "standard"
    pretext: str = "masked"
    n_members: int = 10
    epochs: int = 0
    random_state: int = 0
    background: Floats | None = None
    classed: tuple[Floats, NDArray] | None = None
    groups: NDArray[np.int64] | None = None
    labelled: Floats | None = None
    as_components: Callable[[Floats], Floats] | None = None


@dataclass(frozen=True)
class Recipe:
    """A method of the study.

    Attributes
    ----------
    estimator : classifier
        Not fitted.
    kind : {"baseline", "label-free", "model"}
        Whether it is one of the simple methods that a network has to beat; a label-free one looks at
        no label.
    reads : {"evidence", "coords", "components"}
        What its rows are: "components" are principal components, as the published networks read.
    fit_with : dict
        Further arguments of `fit`.
    parts : tuple of str
        Methods of which it is the mean rank.
    """

    estimator: Any
    kind: str
    reads: str = "evidence"
    fit_with: dict[str, Any] = field(default_factory=dict)
    parts: tuple[str, ...] = ()


Maker = Callable[[Wishes], Recipe]


def _simple(name: str) -> Maker:
    def make(wishes: Wishes) -> Recipe:
        model = make_few_label_model(
            name, scaling=wishes.scaling, n_trees=TREES, random_state=wishes.random_state
        )
        return Recipe(model, "baseline")

    return make


def _untaught(wishes: Wishes) -> Recipe:
    return Recipe(UnusualGround(), "label-free", fit_with=_ground(wishes))


def _boosted(wishes: Wishes) -> Recipe:
    # Trees need no scaling, and classes of very unlike size the same say.
    model = BoostedTrees(transform="none", weights="class", random_state=wishes.random_state)
    return Recipe(model, "baseline")


def _svm_gp(wishes: Wishes) -> Recipe:
    model = make_few_label_model("svm_gp", scaling=wishes.scaling)
    return Recipe(model, "baseline", fit_with=_ground(wishes), parts=("balanced svm", "gp"))


def _net(*, has_pretext: bool) -> Maker:
    def make(wishes: Wishes) -> Recipe:
        task = wishes.pretext if has_pretext else "none"
        more: dict[str, Any] = {}
        if wishes.epochs:
            more = {"epochs": wishes.epochs, "pretext_epochs": wishes.epochs}
        model = PretextClassifier(
            pretext=task, scaling=wishes.scaling, n_members=wishes.n_members,
            random_state=wishes.random_state, **more,
        )  # fmt: skip
        offered = _classes(wishes) if task == "classes" else _ground(wishes)
        return Recipe(model, "model", fit_with=offered | _groups(wishes))

    return make


def _published(preset: str) -> Maker:
    def make(wishes: Wishes) -> Recipe:
        model = PretextClassifier(preset=preset, random_state=wishes.random_state)
        offered: dict[str, Any] = {}
        if preset.startswith("gcp"):
            offered = _classes(wishes)
            if wishes.as_components is not None:
                offered["background"] = wishes.as_components(offered["background"])
        elif preset.startswith("fde") and wishes.labelled is not None:
            offered = {"background": wishes.labelled}
        return Recipe(model, "model", "components", fit_with=offered)

    return make


def _blend(wishes: Wishes) -> Recipe:
    parts = ("balanced svm", "gp", "pretrained net")
    members = [(name, METHODS[name](wishes).estimator) for name in parts]
    model = RankBlend(members, random_state=wishes.random_state)
    offered = _classes(wishes) if wishes.pretext == "classes" else _ground(wishes)
    return Recipe(model, "model", fit_with=offered | _groups(wishes), parts=parts)


def _ground(wishes: Wishes) -> dict[str, Any]:
    return {} if wishes.background is None else {"background": wishes.background}


def _groups(wishes: Wishes) -> dict[str, Any]:
    return {} if wishes.groups is None else {"groups": wishes.groups}


def _classes(wishes: Wishes) -> dict[str, Any]:
    if wishes.classed is None:
        raise ValueError(
            "A pretext task of classes needs a table of them. Name it under [pretext]: classes ="
            ' "FILE" and column = "...".'
        )
    return {"background": wishes.classed[0], "background_classes": wishes.classed[1]}


METHODS: dict[str, Maker] = {
    FLOOR: lambda wishes: Recipe(  # noqa: ARG005
        KNeighborsClassifier(NEIGHBOURS), "baseline", "coords"
    ),
    UNTAUGHT: _untaught,
    "logistic": _simple("logistic"),
    "forest": _simple("forest"),
    "boosted trees": _boosted,
    "svm": _simple("svm"),
    "balanced svm": _simple("balanced_svm"),
    "gp": _simple("gp"),
    "svm + gp": _svm_gp,
    "net": _net(has_pretext=False),
    "pretrained net": _net(has_pretext=True),
    "published scratch": _published("scratch"),
    "published fde_lp": _published("fde_lp"),
    "published fde_ft": _published("fde_ft"),
    "published gcp_lp": _published("gcp_lp"),
    "published gcp_ft": _published("gcp_ft"),
    "blend": _blend,
}
# Every study holds its methods against these: a network is better only if it beats all of them.
BASELINES = (FLOOR, UNTAUGHT, "logistic", "boosted trees")
DEFAULT = (*BASELINES, "forest", "balanced svm", "gp", "svm + gp", "net", "pretrained net",
           "published fde_ft", "blend")  # fmt: skip
NEED_PRETEXT = ("pretrained net", "blend")
NEED_CLASSES = ("published gcp_lp", "published gcp_ft")


def make_recipes(names: Sequence[str], wishes: Wishes) -> dict[str, Recipe]:
    """Methods by name, the simplest first.

    Parameters
    ----------
    names : sequence of str
        Of `METHODS`.
    wishes : Wishes

    Returns
    -------
    recipes : dict of str to Recipe

    Raises
    ------
    ValueError
        If a method needs a table of classes, and there is none.
    """
    return {name: make(wishes) for name, make in METHODS.items() if name in names}
