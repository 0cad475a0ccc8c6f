"""Findings of a made-up study, as the lead of a real one would hand them over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from gossan.report.genesis import GenesisFindings

CLASSES = ["Epithermal", "MVT", "SEDEX", "Skarn", "VMS"]
ELEMENTS = ["Mn", "Fe", "Co", "Cu", "Ga", "Ge", "Ag", "Cd", "In", "Sn", "Sb", "Pb"]
CITATIONS = (
    (
        "Frenzel, M., Hirsch, T. & Gutzmer, J. (2016) Gallium, germanium, indium and other trace"
        " and minor elements in sphalerite as a function of deposit type. Ore Geol. Rev. 76, 52-78."
        " doi:10.1016/j.oregeorev.2015.12.017"
    ),
    "Gul, A. et al. (2025) J. Geochem. Explor. 275. https://doi.org/10.1016/j.gexplo.2025.107771",
)
HOSTILE = "<script>alert(1)</script>&\"'$x$"


@dataclass
class FakeFinding:
    severity: str
    message: str
    rows: tuple[int, ...] = ()
    column: str = ""


@dataclass
class FakeQuality:
    findings: tuple[FakeFinding, ...]


def make_training(rng: np.random.Generator, n: int = 400) -> pd.DataFrame:
    kind = rng.choice(CLASSES, n, p=[0.3, 0.28, 0.08, 0.1, 0.24])
    shift = {name: rng.normal(0, 1.2, len(ELEMENTS)) for name in CLASSES}
    base = np.log([1000, 31000, 2, 150, 4, 2, 7, 3700, 10, 1.7, 0.6, 4])
    logs = base + np.array([shift[name] for name in kind]) + rng.normal(0, 0.8, (n, 12))
    frame = pd.DataFrame(np.exp(logs), columns=ELEMENTS)
    deposits = [f"{name} {rng.integers(1, 9)}" for name in kind]
    return frame.assign(type=kind, deposit=deposits)


def build_findings(
    *, training: pd.DataFrame | None = None, deposit: str = "Gunga", **changes: object
) -> GenesisFindings:
    rng = np.random.default_rng(7)
    training = make_training(rng) if training is None else training
    classes = sorted(training["type"].unique())
    elements = [name for name in ELEMENTS if name in training]
    names = [deposit, "Fankou North", "Anzihe-3"]
    points = training.sample(42, random_state=2)[elements].reset_index(drop=True) * 1.4
    points["deposit"] = np.repeat(names, [20, 14, 8])
    flags = points[elements] < points[elements].quantile(0.1)
    given = {
        "title": "Sphalerite of the Gunga licence",
        "table_name": "gunga_2025.csv",
        "n_analyses": 42,
        "n_deposits": 3,
        "classes": classes,
        "elements": elements,
        "verdicts": _verdicts(names),
        "predictions": _predictions(points, classes, rng),
        "protocols": _protocols(),
        "confusion": _confusion(classes),
        "wrong": _wrong(),
        "class_counts": pd.DataFrame(
            {
                "class": classes,
                "deposits": [25, 36, 8, 12, 16],
                "analyses": [1252, 1180, 300, 430, 632],
            }
        ),
        "calibration": pd.DataFrame(
            {
                "stated": [0.38, 0.55, 0.72, 0.88, 0.97],
                "observed": [0.42, 0.5, 0.74, 0.86, 0.95],
                "low": [0.2, 0.3, 0.5, 0.65, 0.76],
                "high": [0.66, 0.72, 0.9, 0.97, 0.999],
                "n": [19, 19, 20, 19, 20],
            }
        ),
        "conformal": {"asked": 0.9, "observed": 0.91, "low": 0.83, "high": 0.96, "mean_size": 1.7},
        "null": {
            "score": 0.81,
            "mean": 0.5,
            "maximum": 0.58,
            "p_value": 0.0196,
            "n": 50,
            "metric": "skill",
        },
        "leaks": ["12 samples were analysed by the laboratory that also gave training data."],
        "importance": _importance(elements, rng),
        "discriminating": _discriminating(classes, elements, rng),
        "embedding": _embedding(training, points, elements),
        "loadings": _loadings(training, elements),
        "training": training,
        "training_censored": training[elements] < training[elements].quantile(0.05),
        "points": points,
        "points_censored": flags,
        "formation": pd.DataFrame(
            {
                "deposit": names,
                "temperature": [158.0, 171.0, 302.0],
                "low": [108.0, 121.0, 252.0],
                "high": [208.0, 221.0, 352.0],
                "class": ["MVT", "MVT", "VMS"],
                "thermometer": ["GGIMFis"] * 3,
                "valid": [True, True, True],
            }
        ),
        "class_temperatures": pd.DataFrame(
            {
                "class": classes,
                "low": [240, 110, 230, 290, 250],
                "middle": [293, 163, 283, 339, 294],
                "high": [345, 220, 330, 390, 340],
            }
        ),
        "temperature_range": (100.0, 400.0),
        "formation_note": "GGIMFis (Frenzel et al. 2016): for deposit means, scatter ±50 °C,"
        " reset by metamorphism. Hatched: outside its calibration.",
        "enrichment": pd.DataFrame(
            np.exp(rng.normal(0.3, 1.3, (3, len(elements)))), index=names, columns=elements
        ),
        "enrichment_reference": "the median of all deposits of the table",
        "enrichment_ranges": {
            "MVT": pd.DataFrame(
                {"low": np.full(len(elements), 0.3), "high": np.full(len(elements), 4.0)},
                index=elements,
            )
        },
        "lead_isotopes": pd.DataFrame(
            {
                "deposit": np.repeat(names[:2], 6),
                "206/204": 18.45 + rng.normal(0, 0.05, 12),
                "207/204": 15.66 + rng.normal(0, 0.01, 12),
                "208/204": 38.6 + rng.normal(0, 0.05, 12),
                "model age [Ma]": rng.normal(210, 30, 12).round(0),
            }
        ),
        "lead_curves": {"Stacey & Kramers (1975)": _growth_curve()},
        "quality": FakeQuality(
            (
                FakeFinding("error", "A cadmium value above 100 % was left out.", (17,), "Cd"),
                FakeFinding(
                    "warning", "Two deposit names differ by one letter: 'Mauer', 'Maurer'.", (3, 9)
                ),
                FakeFinding(
                    "warning",
                    "In 0.02 repeats 41 times: suspected substitute.",
                    tuple(range(2, 43)),
                    "In",
                ),
                FakeFinding("note", "Columns in wt% were converted to ppm: Fe."),
            )
        ),
        "censored_shares": pd.DataFrame(
            {
                "below_limit": rng.uniform(0, 0.2, len(elements)),
                "suspected_substitute": rng.uniform(0, 0.12, len(elements)),
                "missing": rng.uniform(0, 0.05, len(elements)),
            },
            index=elements,
        ),
        "methods": "Types were assigned by an ensemble of networks and trees on log-transformed"
        " trace elements, every deposit held out.\n\nTemperatures follow the GGIMFis thermometer.",
        "citations": CITATIONS,
        "model_card": {"learned from": "3,794 analyses, 97 deposits", "licence": "CC BY 4.0"},
        "manifest": {
            "gossan": "0.1.0",
            "seeds": [0, 1, 2, 3, 4],
            "data": {"file": "gunga_2025.csv", "sha256": "9f2c" * 16},
            "seconds": 74.2,
        },
    }
    return GenesisFindings(**(given | changes))  # type: ignore[arg-type]


def _verdicts(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "deposit": names,
            "verdict": ["MVT", "MVT", "VMS"],
            "probability": [0.64, 0.93, 0.71],
            "conformal_set": ["MVT, SEDEX", "MVT", "Epithermal, VMS"],
            "n_analyses": [20, 14, 8],
            "n_disagree": [7, 1, 3],
            "p_value": [0.004, 0.61, 0.32],
            "outside_elements": ["Cd, Ge", "", ""],
            "nearest": ["MVT", "MVT", "VMS"],
            "Epithermal": [0.04, 0.01, 0.2],
            "MVT": [0.64, 0.93, 0.01],
            "SEDEX": [0.28, 0.04, 0.05],
            "Skarn": [0.01, 0.01, 0.03],
            "VMS": [0.03, 0.01, 0.71],
        }
    )


def _predictions(
    points: pd.DataFrame, classes: list[str], rng: np.random.Generator
) -> pd.DataFrame:
    table = rng.dirichlet(np.ones(len(classes)), len(points))
    frame = pd.DataFrame(table, columns=classes)
    frame.insert(0, "verdict", np.array(classes)[table.argmax(axis=1)])
    frame.insert(0, "deposit", points["deposit"].to_numpy())
    frame.insert(0, "row", np.arange(2, len(points) + 2))
    return frame


def _protocols() -> pd.DataFrame:
    rows = []
    scores = {
        "Logistic regression": (0.90, 0.70, 0.58),
        "Boosted trees": (0.98, 0.77, 0.65),
        "Published network": (0.945, 0.62, 0.52),
        "Ensemble (ours)": (0.98, 0.83, 0.70),
    }
    for model, values in scores.items():
        for protocol, value in zip(
            ("random split", "with each deposit held out", "with each reference held out"),
            values,
            strict=True,
        ):
            rows.append(
                {
                    "model": model,
                    "protocol": protocol,
                    "verdict": value,
                    "verdict_low": value - 0.08 * (value < 0.9),
                    "verdict_high": min(value + 0.07, 1),
                    "log_loss": 1.1 - value / 2,
                    "accuracy": value - 0.03,
                }
            )
    return pd.DataFrame(rows)


def _confusion(classes: list[str]) -> pd.DataFrame:
    counts = [
        [23, 0, 0, 1, 1],
        [0, 35, 1, 0, 0],
        [0, 2, 5, 0, 1],
        [1, 0, 0, 11, 0],
        [3, 1, 1, 1, 10],
    ]
    return pd.DataFrame(counts, index=classes, columns=classes)


def _wrong() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("Toroiaga", "Epithermal", "Skarn", 0.71),
            ("Sacaramb", "Epithermal", "VMS", 0.48),
            ("Bleiberg", "MVT", "SEDEX", 0.52),
            ("Mayuan", "SEDEX", "MVT", 0.83),
            ("Red Dog", "SEDEX", "MVT", 0.66),
            ("Sullivan", "SEDEX", "VMS", 0.55),
            ("Majdanpek", "Skarn", "Epithermal", 0.6),
            ("Vorta", "VMS", "Epithermal", 0.77),
            ("Eskay Creek", "VMS", "Epithermal", 0.9),
            ("Zinkgruvan", "VMS", "Epithermal", 0.44),
            ("Sauda", "VMS", "MVT", 0.5),
            ("Marketorp", "VMS", "SEDEX", 0.58),
            ("Kaveltorp", "VMS", "Skarn", 0.69),
        ],
        columns=["deposit", "type", "verdict", "probability"],
    )


def _importance(elements: list[str], rng: np.random.Generator) -> pd.DataFrame:
    drop = np.sort(rng.exponential(0.08, len(elements)))[::-1]
    table = pd.DataFrame({"importance": drop, "low": drop - 0.03, "high": drop + 0.035})
    order = [e for e in ("Ge", "Mn", "In", "Fe", "Cd", "Ga", *elements) if e in elements]
    return table.set_index(pd.Index(list(dict.fromkeys(order)), name="feature"))


def _discriminating(
    classes: list[str], elements: list[str], rng: np.random.Generator
) -> pd.DataFrame:
    rows = []
    for kind in classes:
        for element in elements:
            delta = rng.uniform(-1, 1)
            word = "unclear" if abs(delta) < 0.3 else "high" if delta > 0 else "low"
            rows.append(
                {
                    "class": kind,
                    "feature": element,
                    "delta": delta,
                    "direction": word,
                    "median": rng.exponential(100),
                    "rest_median": rng.exponential(100),
                }
            )
    return pd.DataFrame(rows).set_index(["class", "feature"])


def _principal(
    training: pd.DataFrame, elements: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    logs = np.log(training[elements].clip(lower=1e-4))
    centre, spread = logs.mean().to_numpy(), logs.std().to_numpy()
    *_, axes = np.linalg.svd((logs.to_numpy() - centre) / spread, full_matrices=False)
    return centre, spread, axes[:2].T


def _embedding(training: pd.DataFrame, points: pd.DataFrame, elements: list[str]) -> pd.DataFrame:
    centre, spread, axes = _principal(training, elements)
    parts = []
    for table, is_new in ((training, False), (points, True)):
        logs = np.log(table[elements].clip(lower=1e-4)).to_numpy()
        place = pd.DataFrame(
            (logs - centre) / spread @ axes, columns=["PC1 (38 % of variance)", "PC2 (17 %)"]
        )
        kinds = table["type"].to_numpy() if "type" in table else [None] * len(table)
        parts.append(
            place.assign(**{"class": kinds, "deposit": table["deposit"].to_numpy(), "new": is_new})
        )
    return pd.concat(parts, ignore_index=True)


def _loadings(training: pd.DataFrame, elements: list[str]) -> pd.DataFrame:
    return pd.DataFrame(_principal(training, elements)[2], index=elements)


def _growth_curve() -> pd.DataFrame:
    age = np.arange(0, 3700, 50.0)
    l8, l5 = 1.55125e-4, 9.8485e-4
    x = 11.152 + 9.735 * (np.exp(l8 * 3700) - np.exp(l8 * age))
    y = 12.998 + 9.735 / 137.88 * (np.exp(l5 * 3700) - np.exp(l5 * age))
    return pd.DataFrame({"206/204": x, "207/204": y, "age": age})


@pytest.fixture(scope="session")
def make_findings() -> Callable[..., GenesisFindings]:
    """Return the builder, so that a test can change a part."""
    return build_findings
