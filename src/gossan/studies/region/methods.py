"""Methods of the region study by their names, the simplest first.

Names of channels and what the study file asks for come in; `Method` records with map estimators, not
fitted, go out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gossan.models.background import BackgroundEnsemble
from gossan.models.boosting import BoostedTrees
from gossan.models.forest import Forest
from gossan.models.known import DistanceToKnown
from gossan.models.label_free import IsolationIndex, MahalanobisIndex, PathfinderIndex
from gossan.models.logistic import PointLogistic
from gossan.models.score_blend import ScoreBlend
from gossan.models.stacking import StackedTransfer
from gossan.models.window_statistics import WindowStatistics
from gossan.nets.window_cnn import WindowCNN
from gossan.studies.region.frozen import FrozenSource
from gossan.studies.trials import Method

DISTANCE = "distance to known"
SINGLE = "single element"
INDEX = "pathfinder index"
LARGE_DRAW = 5  # times the usual background, in one draw
LOOSE = 0.3  # of the local part beside a source: a stiff one leaves all to the source
TREES = 100  # of each draw of the background: several draws together hold hundreds
ISOLATING = 100  # trees that Liu et al. (2008) found enough; always run, so that they must be cheap
BINS = (
    31  # of boosted trees: cutting into twice as many doubles their time, and is within the noise
)


@dataclass(frozen=True)
class Wishes:
    """What methods are made of.

    Attributes
    ----------
    channels : tuple of str
        Names of the layers, in order.
    pathfinders, against : tuple of str
        Channels that ore raises and lowers; empty if nothing was named.
    single : str
        The best-known pathfinder, told before any label is looked at; "" if nobody told one.
    n_draws : int
        Draws of the background, each with a network or forest of its own.
    per_positive : float
        Background cells in a draw for each occurrence.
    random_state : int
    source : WindowCNN or None
        Fitted on another district, on the same channels.
    pretrained : callable, optional
        Field and method ("masked", "haloes") to a network that begins from the unlabelled map.
    """

    channels: tuple[str, ...]
    pathfinders: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    single: str = ""
    n_draws: int = 5
    per_positive: float = 10.0
    random_state: int = 0
    source: Any = None
    pretrained: Callable[[int, str], Any] | None = None


Maker = Callable[[Wishes], Method]


def _drawn(wishes: Wishes, estimator: Any) -> BackgroundEnsemble:
    return BackgroundEnsemble(
        estimator,
        n_draws=wishes.n_draws,
        per_positive=wishes.per_positive,
        random_state=wishes.random_state,
    )


def _index(wishes: Wishes) -> Method:
    positive, negative = list(wishes.pathfinders), list(wishes.against)
    model = PathfinderIndex(positive or None, negative, names=list(wishes.channels))
    return Method(model, "label-free")


def _single(wishes: Wishes) -> Method:
    if not wishes.single:
        raise ValueError(
            f"{SINGLE!r} needs the element, and none is told. Name pathfinders under [elements], the"
            " best known first."
        )
    return Method(PathfinderIndex([wishes.single], names=list(wishes.channels)), "label-free")


def _net(field: int, architecture: str = "small", **more: Any) -> WindowCNN:
    return WindowCNN(architecture, field=field, n_members=1, **more)


def _cnn(field: int, architecture: str = "small") -> Maker:
    return lambda wishes: Method(_drawn(wishes, _net(field, architecture)), "model", field=field)


def _pretrained(how: str, field: int = 5) -> Maker:
    def make(wishes: Wishes) -> Method:
        if wishes.pretrained is None:
            raise ValueError(f"{how!r} pretraining needs the map. Pass Wishes.pretrained.")
        start = wishes.pretrained(field, how)
        return Method(_drawn(wishes, _net(field, start=start)), "model", field=field)

    return make


def _blend(wishes: Wishes) -> Method:
    members = [
        ("logistic", PointLogistic()),
        ("forest", WindowStatistics(_forest(), field=3)),
        ("cnn", _net(3)),
    ]
    if wishes.pathfinders:
        members.insert(0, ("index", _index(wishes).estimator))
    return Method(_drawn(wishes, ScoreBlend(members)), "model", field=3)


def _forest() -> Forest:
    return Forest("extra", n_estimators=TREES)


def _boosted(wishes: Wishes) -> Method:
    # One large draw: boosting weighs hard rows itself, and five small ones cost five times as much.
    model = BackgroundEnsemble(
        WindowStatistics(
            BoostedTrees(transform="none", weights="class", max_bins=BINS),
            field=1, statistics=("centre",),
        ),
        n_draws=1, per_positive=LARGE_DRAW * wishes.per_positive, random_state=wishes.random_state,
    )  # fmt: skip
    return Method(model, "baseline")


def _stacked(wishes: Wishes) -> Method:
    field = max(_of_source(wishes).field_, 5)
    model = StackedTransfer(wishes.source, field=5, C=LOOSE)
    return Method(_drawn(wishes, model), "model", field=field)


def _zero_shot(wishes: Wishes) -> Method:
    source = _of_source(wishes)
    return Method(FrozenSource(source), "label-free", field=source.field_)


def _tuned(tune: str) -> Maker:
    def make(wishes: Wishes) -> Method:
        source = _of_source(wishes)
        net = _net(source.field_, source.architecture, start=source, tune=tune)
        return Method(_drawn(wishes, net), "model", field=source.field_)

    return make


def _of_source(wishes: Wishes) -> Any:
    if wishes.source is None:
        raise ValueError("There is no source district. Add the section [source].")
    return wishes.source


METHODS: dict[str, Maker] = {
    DISTANCE: lambda wishes: Method(DistanceToKnown(), "baseline", "coords"),  # noqa: ARG005
    SINGLE: _single,
    INDEX: _index,
    "isolation forest": lambda wishes: Method(
        IsolationIndex(ISOLATING, random_state=wishes.random_state), "label-free"
    ),
    "mahalanobis": lambda wishes: Method(MahalanobisIndex(), "label-free"),  # noqa: ARG005
    "logistic": lambda wishes: Method(_drawn(wishes, PointLogistic()), "baseline"),
    "zero-shot": _zero_shot,
    "neighbourhood logistic": lambda wishes: Method(
        _drawn(wishes, WindowStatistics(PointLogistic(), field=5)), "model", field=5
    ),
    "stacked": _stacked,
    "forest": lambda wishes: Method(_drawn(wishes, _forest()), "model"),
    "boosted trees": _boosted,
    "neighbourhood forest": lambda wishes: Method(
        _drawn(wishes, WindowStatistics(_forest(), field=3)), "model", field=3
    ),
    "cnn 1": _cnn(1),
    "cnn 3": _cnn(3),
    "cnn 5": _cnn(5),
    "cnn 9": _cnn(9),
    "lenet": _cnn(9, "lenet"),
    "masked cnn": _pretrained("masked"),
    "haloes cnn": _pretrained("haloes"),
    "head": _tuned("head"),
    "fine-tuned": _tuned("all"),
    "blend": _blend,
}
# Every study holds its methods against these: a model is better only if it beats all of them.
BASELINES = (DISTANCE, SINGLE, INDEX, "isolation forest", "mahalanobis", "logistic",
             "boosted trees")  # fmt: skip
DEFAULT = (*BASELINES, "neighbourhood logistic", "forest", "neighbourhood forest", "cnn 1", "cnn 3",
           "cnn 5")  # fmt: skip
NEED_SOURCE = ("zero-shot", "stacked", "head", "fine-tuned")
SILENT = (DISTANCE,)  # makes no map: it would paint what is known
FIELDS = {"cnn 1": 1, "cnn 3": 3, "cnn 5": 5, "cnn 9": 9}  # the same network, other windows


def make_methods(names: Sequence[str], wishes: Wishes) -> dict[str, Method]:
    """Methods by name, the simplest first.

    Parameters
    ----------
    names : sequence of str
        Of `METHODS`.
    wishes : Wishes

    Returns
    -------
    methods : dict of str to Method

    Raises
    ------
    ValueError
        If a method needs a source district, an element or the map, and there is none.
    """
    return {name: make(wishes) for name, make in METHODS.items() if name in names}
